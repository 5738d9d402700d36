/* Threads and fork: no fork happens while a thread is inside BLIS.
 *
 * BLIS guards its pools of memory with locks of its own. A child forked while another thread holds
 * one would wait for it for ever. So passes announce themselves, and fork waits until all have
 * reached a point where no lock is held. */
#ifndef NN_BASE_THREADS_H
#define NN_BASE_THREADS_H

#include "base/status.h"

/* Registers with fork. Once, before the first pass. Codes: NN_ERROR_MEMORY. */
nn_status nn__threads_start(void);

/* Around a stretch of work that may call BLIS, up to some hundredths of a second long. A fork in
 * another thread waits for its end, and so does a new stretch while a fork waits. Not to be nested,
 * and nothing inside may wait for a thread that forks: a poll function is called outside. */
void nn__work_begin(void);
void nn__work_end(void);

#endif

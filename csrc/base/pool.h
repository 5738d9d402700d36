/* A pool of threads for the parts of one long step.
 *
 * Work comes in shards: functions of an index that write to places of their own. How many there are
 * follows from the shapes alone, and who does which makes no difference to what is written: so any
 * number of threads gives the same bits.
 *
 * Each thread begins with a part of the shards of its own, the same part of every job, and takes
 * others only when it has done these. So where shard i / n of two jobs works on the same memory,
 * that memory stays in one core's caches: moving it to another costs more than most arithmetic.
 *
 * The process has one pool, whose threads are made when first wanted. A caller that finds it taken,
 * because another network trains in another thread, does its shards alone. */
#ifndef NN_BASE_POOL_H
#define NN_BASE_POOL_H

#include <stddef.h>

/* Does shard number `shard`. It may not run shards itself. */
typedef void nn__shard(void *context, size_t shard);

/* Does shards 0 .. n_shards - 1 on up to n_threads threads, this one among them; returns when all
 * are done. Within nn__work_begin and nn__work_end (threads.h), so that no fork comes between. */
void nn__pool_run(size_t n_threads, size_t n_shards, nn__shard *shard, void *context);

/* In a child after a fork: the pool has no threads. For threads.c. */
void nn__pool_forget(void);

#endif

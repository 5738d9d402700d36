#include "base/threads.h"

#include <pthread.h>

#include "base/pool.h"

/* Workers share `work`; a fork has it alone. Both come through the gate, which a fork keeps shut:
 * workers cannot keep it waiting by taking turns. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t work = PTHREAD_RWLOCK_INITIALIZER;

static void before_fork(void) {
    pthread_mutex_lock(&gate);
    pthread_rwlock_wrlock(&work);
}

static void in_parent(void) {
    pthread_rwlock_unlock(&work);
    pthread_mutex_unlock(&gate);
}

/* The child has one thread, of another identity than the one that locked: both begin anew. */
static void in_child(void) {
    nn__pool_forget();
    pthread_rwlock_init(&work, NULL);
    pthread_mutex_init(&gate, NULL);
}

nn_status nn__threads_start(void) {
    return pthread_atfork(before_fork, in_parent, in_child) == 0 ? NN_OK : NN_ERROR_MEMORY;
}

void nn__work_begin(void) {
    pthread_mutex_lock(&gate);
    pthread_rwlock_rdlock(&work);
    pthread_mutex_unlock(&gate);
}

void nn__work_end(void) {
    pthread_rwlock_unlock(&work);
}

#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Threads that the pool can have beside the caller, and how often one looks for work (some tens of
 * microseconds in all) before it sleeps. */
enum { MOST_WORKERS = 63, LOOKS = 4000 };

/* `ticket` is the number of the job (high half) and how many of its shards are still to be taken
 * (low half): a late thread need look at nothing else to see that none is left. A thread that has
 * taken a shard may read the job, which stays until all its shards are done. */
typedef struct pool {
    pthread_mutex_t taken; /* by the caller of the present job */
    pthread_mutex_t lock;  /* of the sleepers */
    pthread_cond_t woken;
    size_t n_workers;
    _Atomic size_t n_asleep;
    _Atomic uint64_t ticket, places; /* places: the same for helpers, who may still join the job */
    _Atomic size_t n_done;
    nn__shard *shard;
    void *context;
} pool;

static pool the_pool = {.taken = PTHREAD_MUTEX_INITIALIZER,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .woken = PTHREAD_COND_INITIALIZER};

static uint64_t job_of(uint64_t ticket) {
    return ticket >> 32;
}

static void relax(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

/* Takes shards of this job and does them, until none is left. */
static void work_on(pool *p, uint64_t job) {
    uint64_t ticket = atomic_load(&p->ticket);
    while (job_of(ticket) == job && (uint32_t)ticket > 0) {
        if (!atomic_compare_exchange_weak(&p->ticket, &ticket, ticket - 1)) continue;
        p->shard(p->context, (uint32_t)ticket - 1);
        atomic_fetch_add(&p->n_done, 1);
        ticket = atomic_load(&p->ticket);
    }
}

/* Waits for a job after `job`: looks for it a while, then sleeps. */
static uint64_t next_job(pool *p, uint64_t job) {
    for (int i = 0; i < LOOKS; i++) {
        if (job_of(atomic_load(&p->ticket)) != job) return job_of(atomic_load(&p->ticket));
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->n_asleep, 1);
    while (job_of(atomic_load(&p->ticket)) == job) pthread_cond_wait(&p->woken, &p->lock);
    atomic_fetch_sub(&p->n_asleep, 1);
    pthread_mutex_unlock(&p->lock);
    return job_of(atomic_load(&p->ticket));
}

/* Takes one of the places that this job has for helpers. A late thread takes none of the next. */
static bool join(pool *p, uint64_t job) {
    uint64_t places = atomic_load(&p->places);
    while (job_of(places) == job && (uint32_t)places > 0)
        if (atomic_compare_exchange_weak(&p->places, &places, places - 1)) return true;
    return false;
}

static void *worker(void *context) {
    pool *p = context;
    for (uint64_t job = 0;;) {
        job = next_job(p, job);
        if (join(p, job)) work_on(p, job);
    }
    return NULL;
}

/* As many workers as wanted, or as there can be. They take no signals: those are the caller's. */
static void make_workers(pool *p, size_t wanted) {
    sigset_t all, before;
    if (p->n_workers >= wanted) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->n_workers < wanted) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, p) != 0) break;
        pthread_detach(thread);
        p->n_workers += 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Publishes the job: after this, workers may take its shards. */
static uint64_t begin_job(pool *p, size_t n_helpers, size_t n_shards, nn__shard *shard,
                          void *context) {
    const uint64_t job = (job_of(atomic_load(&p->ticket)) + 1) & UINT32_MAX;
    p->shard = shard;
    p->context = context;
    atomic_store(&p->n_done, 0);
    atomic_store(&p->places, job << 32 | n_helpers);
    atomic_store(&p->ticket, job << 32 | n_shards);
    if (atomic_load(&p->n_asleep) > 0) {
        pthread_mutex_lock(&p->lock);
        for (size_t i = 0; i < n_helpers; i++) pthread_cond_signal(&p->woken);
        pthread_mutex_unlock(&p->lock);
    }
    return job;
}

void nn__pool_run(size_t n_threads, size_t n_shards, nn__shard *shard, void *context) {
    pool *p = &the_pool;
    const size_t helpers = n_threads - 1 < n_shards - 1 ? n_threads - 1 : n_shards - 1;
    if (n_threads <= 1 || n_shards <= 1 || n_shards >= UINT32_MAX ||
        pthread_mutex_trylock(&p->taken) != 0) {
        for (size_t i = 0; i < n_shards; i++) shard(context, i);
        return;
    }
    make_workers(p, helpers < MOST_WORKERS ? helpers : MOST_WORKERS);
    work_on(p, begin_job(p, helpers, n_shards, shard, context));
    for (int i = 0; atomic_load(&p->n_done) < n_shards; i++)
        i < LOOKS ? relax() : (void)sched_yield(); /* a helper may be waiting for this very core */
    pthread_mutex_unlock(&p->taken);
}

void nn__pool_forget(void) {
    pool *p = &the_pool;
    pthread_mutex_init(&p->taken, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->woken, NULL);
    p->n_workers = 0;
    atomic_store(&p->n_asleep, 0);
}

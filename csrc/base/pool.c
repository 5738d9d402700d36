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

/* The shards of a job that are one thread's own, if nobody takes them from it: the number of the
 * job (high half) and how many are still to be taken (low half). A thread that is late sees from
 * the number that these are not of its job. Alone in two cache lines. */
typedef struct range {
    _Alignas(128) _Atomic uint64_t ticket;
    _Atomic bool asleep; /* the thread */
} range;

/* A thread that has taken a shard may read the job, which stays until all its shards are done.
 * Thread 0 is the caller, whoever that is; the others keep their numbers. */
typedef struct pool {
    pthread_mutex_t taken; /* by the caller of the present job */
    pthread_mutex_t lock;  /* of the sleepers */
    pthread_cond_t woken;
    size_t n_workers;
    _Atomic uint64_t job; /* the number (high half) and for how many threads it is (low half) */
    size_t n_shards;
    nn__shard *shard;
    void *context;
    _Alignas(128) _Atomic size_t n_done;
    range ranges[MOST_WORKERS + 1];
} pool;

static pool the_pool = {.taken = PTHREAD_MUTEX_INITIALIZER,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .woken = PTHREAD_COND_INITIALIZER};

static uint64_t number_of(uint64_t ticket) {
    return ticket >> 32;
}

static void relax(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

/* Where thread i's shards begin, of n threads. */
static size_t range_begin(size_t n_shards, size_t i, size_t n) {
    return n_shards / n * i + (i < n_shards % n ? i : n_shards % n);
}

/* Does what is left of thread i's shards of this job, the first first. */
static void work_on_range(pool *p, uint64_t job, size_t i) {
    uint64_t ticket = atomic_load(&p->ranges[i].ticket);
    while (number_of(ticket) == number_of(job) && (uint32_t)ticket > 0) {
        if (!atomic_compare_exchange_weak(&p->ranges[i].ticket, &ticket, ticket - 1)) continue;
        p->shard(p->context, range_begin(p->n_shards, i + 1, (uint32_t)job) - (uint32_t)ticket);
        atomic_fetch_add(&p->n_done, 1);
        ticket = atomic_load(&p->ranges[i].ticket);
    }
}

/* Does thread `own`'s shards of this job, then those that the others have not come to. */
static void work_on(pool *p, uint64_t job, size_t own) {
    const size_t n = (uint32_t)job;
    for (size_t i = 0; i < n; i++) work_on_range(p, job, (own + i) % n);
}

/* Whether there is a job after `job` for thread `own`; then *next is it. */
static bool has_job(pool *p, uint64_t job, size_t own, uint64_t *next) {
    *next = atomic_load(&p->job);
    return *next != job && own < (uint32_t)*next;
}

/* Waits for a job after `job` for thread `own`: looks for it a while, then sleeps. */
static uint64_t next_job(pool *p, uint64_t job, size_t own) {
    uint64_t next;
    for (int i = 0; i < LOOKS; i++) {
        if (has_job(p, job, own, &next)) return next;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->ranges[own].asleep, true);
    while (!has_job(p, job, own, &next)) pthread_cond_wait(&p->woken, &p->lock);
    atomic_store(&p->ranges[own].asleep, false);
    pthread_mutex_unlock(&p->lock);
    return next;
}

/* A thread that is told the place of its range. */
static void *worker(void *context) {
    pool *p = &the_pool;
    const size_t own = (size_t)((range *)context - p->ranges);
    for (uint64_t job = 0;;) {
        job = next_job(p, job, own);
        work_on(p, job, own);
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
        if (pthread_create(&thread, NULL, worker, &p->ranges[p->n_workers + 1]) != 0) break;
        pthread_detach(thread);
        p->n_workers += 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Publishes a job for n threads: after this, workers may take its shards. */
static uint64_t begin_job(pool *p, size_t n, size_t n_shards, nn__shard *shard, void *context) {
    const uint64_t number = (number_of(atomic_load(&p->job)) + 1) & UINT32_MAX;
    const uint64_t job = number << 32 | n;
    bool asleep = false;
    p->n_shards = n_shards;
    p->shard = shard;
    p->context = context;
    atomic_store(&p->n_done, 0);
    for (size_t i = 0; i < n; i++) {
        const size_t own = range_begin(n_shards, i + 1, n) - range_begin(n_shards, i, n);
        atomic_store(&p->ranges[i].ticket, number << 32 | own);
    }
    atomic_store(&p->job, job);
    for (size_t i = 1; i < n; i++) asleep = asleep || atomic_load(&p->ranges[i].asleep);
    if (asleep) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->woken);
        pthread_mutex_unlock(&p->lock);
    }
    return job;
}

void nn__pool_run(size_t n_threads, size_t n_shards, nn__shard *shard, void *context) {
    pool *p = &the_pool;
    size_t n = n_threads < n_shards ? n_threads : n_shards;
    if (n > MOST_WORKERS + 1) n = MOST_WORKERS + 1;
    if (n <= 1 || n_shards >= UINT32_MAX || pthread_mutex_trylock(&p->taken) != 0) {
        for (size_t i = 0; i < n_shards; i++) shard(context, i);
        return;
    }
    make_workers(p, n - 1);
    work_on(p, begin_job(p, n, n_shards, shard, context), 0);
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
    for (size_t i = 0; i <= MOST_WORKERS; i++) atomic_store(&p->ranges[i].asleep, false);
}

/* The pool of threads: every shard is done once, by whoever; and there is a pool after a fork. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/threads.h"
#include "check.h"

enum { MOST = 200 };

/* How often each shard was done, and by how many threads in all. */
typedef struct tally {
    atomic_int done[MOST];
    pthread_t first;
    atomic_int others; /* shards done by another thread than the first */
} tally;

static void count(void *context, size_t shard) {
    tally *t = context;
    atomic_fetch_add(&t->done[shard], 1);
    if (!pthread_equal(pthread_self(), t->first)) atomic_fetch_add(&t->others, 1);
}

static void add_one(void *context, size_t shard) {
    atomic_int *done = context;
    atomic_fetch_add(&done[shard], 1);
}

static bool all_once(size_t n_threads, size_t n_shards) {
    tally t = {.first = pthread_self()};
    nn__pool_run(n_threads, n_shards, count, &t);
    for (size_t i = 0; i < MOST; i++)
        if (t.done[i] != (i < n_shards)) return false;
    return true;
}

static void every_shard_is_done_once(void) {
    static const size_t threads[] = {1, 2, 3, 8}, shards[] = {0, 1, 2, 7, MOST};
    for (int again = 0; again < 200; again++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
            for (size_t j = 0; j < sizeof shards / sizeof *shards; j++)
                CHECK(all_once(threads[i], shards[j]));
}

/* A thread that comes late to a job must not take a shard of the next, longer one. */
static void jobs_do_not_mix(void) {
    bool well = true;
    for (int job = 0; job < 100000; job++) {
        atomic_int done[8] = {0};
        const size_t n = job % 2 == 0 ? 8 : 2;
        nn__pool_run(4, n, add_one, done);
        for (size_t i = 0; i < 8; i++) well = well && done[i] == (i < n);
    }
    CHECK(well);
}

/* Waits until another thread has come in as well. */
static void meet(void *context, size_t shard) {
    atomic_int *present = context;
    (void)shard;
    atomic_fetch_add(present, 1);
    while (atomic_load(present) < 2) sched_yield();
}

static void two_threads_work_at_once(void) {
    for (int again = 0; again < 50; again++) {
        atomic_int present = 0;
        nn__pool_run(2, 2, meet, &present);
        CHECK(present == 2);
    }
}

/* The caller begins with shard 0, the other thread with the first of the second half. */
typedef struct beginning {
    atomic_int present;
    pthread_t caller;
    size_t first[2]; /* of the caller, of the other */
    bool begun[2];
} beginning;

static void note_first(void *context, size_t shard) {
    beginning *b = context;
    const int who = pthread_equal(pthread_self(), b->caller) ? 0 : 1;
    if (b->begun[who]) return;
    b->begun[who] = true;
    b->first[who] = shard;
    meet(&b->present, shard);
}

static void a_thread_begins_with_its_own_part(void) {
    for (int again = 0; again < 50; again++) {
        beginning b = {.caller = pthread_self()};
        nn__pool_run(2, 11, note_first, &b);
        CHECK(b.begun[0] && b.begun[1]);
        CHECK(b.first[0] == 0 && b.first[1] == 6);
    }
}

static void one_thread_means_the_caller(void) {
    tally t = {.first = pthread_self()};
    nn__pool_run(1, MOST, count, &t);
    CHECK(t.others == 0);
}

static void *run_many(void *context) {
    bool *well = context;
    for (int again = 0; again < 500; again++) *well = *well && all_once(2, 20);
    return NULL;
}

/* Who finds the pool taken works alone; nothing is lost. */
static void callers_do_not_disturb_each_other(void) {
    enum { CALLERS = 4 };
    pthread_t callers[CALLERS];
    bool well[CALLERS] = {true, true, true, true};
    for (int i = 0; i < CALLERS; i++)
        CHECK(pthread_create(&callers[i], NULL, run_many, &well[i]) == 0);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i], NULL);
        CHECK(well[i]);
    }
}

/* The child has none of the parent's threads, and makes its own. */
static void a_forked_child_has_a_pool_of_its_own(void) {
    CHECK_STATUS(nn__threads_start(), NN_OK);
    CHECK(all_once(3, 20));
    pid_t child = fork();
    if (child == 0) {
        atomic_int present = 0;
        bool well = all_once(3, 20);
        nn__pool_run(2, 2, meet, &present);
        _exit(well && present == 2 ? 0 : 1);
    }
    int status = 1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    CHECK(all_once(3, 20));
}

int main(void) {
    static const check_case cases[] = {
        CASE(every_shard_is_done_once),
        CASE(jobs_do_not_mix),
        CASE(two_threads_work_at_once),
        CASE(one_thread_means_the_caller),
        CASE(a_thread_begins_with_its_own_part),
        CASE(callers_do_not_disturb_each_other),
        CASE(a_forked_child_has_a_pool_of_its_own),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

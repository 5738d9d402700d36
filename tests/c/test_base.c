/* Level base: memory, status texts, random numbers, CPU levels. */
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "base/types.h"
#include "check.h"

enum { BOUNDARY = 64, SLACK = 256 }; /* bytes */

/* ---- memory --------------------------------------------------------------------------------- */

static void products_that_overflow_are_refused(void) {
    const size_t half = (size_t)1 << (sizeof(size_t) * 4); /* half * half is SIZE_MAX + 1 */
    size_t product = 7;
    CHECK(!nn__multiply(half, half, &product) && product == 7);
    CHECK(!nn__multiply(SIZE_MAX, 2, &product) && product == 7);
    CHECK(!nn__multiply(2, SIZE_MAX, &product) && product == 7);
    CHECK(nn__multiply(half, half - 1, &product) && product == half * (half - 1));
    CHECK(nn__multiply(SIZE_MAX, 1, &product) && product == SIZE_MAX);
    CHECK(nn__multiply(SIZE_MAX, 0, &product) && product == 0);
    CHECK(nn__multiply(0, SIZE_MAX, &product) && product == 0);
}

static void blocks_are_zeroed_and_on_the_boundary(void) {
    const size_t counts[] = {0, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        unsigned char *block = nn__allocate(counts[i], 1);
        CHECK(block != NULL);
        if (block == NULL) continue;
        CHECK((uintptr_t)block % BOUNDARY == 0);
        for (size_t j = 0; j < counts[i]; j++) CHECK(block[j] == 0);
        nn__release(block);
    }
    nn__release(NULL);
}

static void blocks_too_large_for_size_t_are_refused(void) {
    CHECK(nn__allocate(SIZE_MAX / 2, 3) == NULL);
    CHECK(nn__allocate(SIZE_MAX, 1) == NULL);
    CHECK(nn__allocate(SIZE_MAX - BOUNDARY + 1, 1) == NULL);
}

static void the_kth_allocation_fails_and_no_other(void) {
    size_t before = nn__allocation_count();
    nn__allocation_fail_at(3);
    for (size_t k = 1; k <= 5; k++) {
        void *block = nn__allocate(1, 1);
        CHECK((block == NULL) == (k == 3));
        nn__release(block);
    }
    CHECK(nn__allocation_count() == before + 5);
    nn__allocation_fail_at(1);
    nn__allocation_fail_at(0);
    void *block = nn__allocate(1, 1);
    CHECK(block != NULL);
    nn__release(block);
}

static void tensors_start_on_the_boundary_with_slack_behind(void) {
    enum { N_TENSORS = 6 };
    const size_t counts[N_TENSORS] = {1, 0, 16, 17, 100, 784 * 30};
    size_t offsets[N_TENSORS];
    nn__arena arena = {0};
    for (size_t i = 0; i < N_TENSORS; i++) offsets[i] = nn__arena_reserve(&arena, counts[i]);
    CHECK_STATUS(nn__arena_open(&arena), NN_OK);
    for (size_t i = 0; i < N_TENSORS; i++) {
        size_t end = i + 1 < N_TENSORS ? offsets[i + 1] : arena.size;
        CHECK((uintptr_t)(arena.values + offsets[i]) % BOUNDARY == 0);
        CHECK(offsets[i] + counts[i] + SLACK / sizeof(nn_real) <= end);
    }
    for (size_t j = 0; j < arena.size; j++) CHECK(arena.values[j] == 0);
    CHECK(nn__arena_tensor(&arena, offsets[3], counts[3]) == arena.values + offsets[3]);
    nn__arena_close(&arena);
    CHECK(arena.values == NULL && arena.size == 0);
    nn__arena_close(&arena);
}

static void an_arena_that_overflows_cannot_be_opened(void) {
    nn__arena one = {0}, sum = {0};
    nn__arena_reserve(&one, SIZE_MAX / sizeof(nn_real));
    CHECK_STATUS(nn__arena_open(&one), NN_ERROR_SIZE);
    nn__arena_reserve(&sum, SIZE_MAX / sizeof(nn_real) / 2);
    CHECK(!sum.overflow);
    nn__arena_reserve(&sum, SIZE_MAX / sizeof(nn_real) / 2);
    CHECK_STATUS(nn__arena_open(&sum), NN_ERROR_SIZE);
    CHECK(one.values == NULL && sum.values == NULL);
}

static void an_arena_without_memory_says_so(void) {
    nn__arena arena = {0};
    nn__arena_reserve(&arena, 10);
    nn__allocation_fail_at(1);
    CHECK_STATUS(nn__arena_open(&arena), NN_ERROR_MEMORY);
    CHECK(arena.values == NULL);
}

/* ---- texts ---------------------------------------------------------------------------------- */

static void every_status_has_a_text_of_its_own(void) {
    for (int i = NN_OK; i <= NN_DIVERGED; i++) {
        CHECK(strlen(nn_status_text((nn_status)i)) > 0);
        CHECK(strcmp(nn_status_text((nn_status)i), nn_status_text((nn_status)99)) != 0);
        for (int j = NN_OK; j < i; j++)
            CHECK(strcmp(nn_status_text((nn_status)i), nn_status_text((nn_status)j)) != 0);
    }
    CHECK(strcmp(nn_status_text(NN_OK), "no error") == 0);
    CHECK(strcmp(nn_status_text(NN_DIVERGED), "the loss or a parameter is no longer finite") == 0);
    CHECK(strcmp(nn_status_text((nn_status)99), "unknown status") == 0);
}

static void names_and_codes_translate_both_ways(void) {
    typedef struct list {
        const char *(*name)(int code);
        int (*find)(const char *name);
        int last;
        const char *last_name;
    } list;
    static const list lists[] = {
        {nn_dtype_name, nn_dtype_find, NN_DTYPE_UINT8, "uint8"},
        {nn_layer_name, nn_layer_find, NN_LAYER_DROPOUT, "dropout"},
        {nn_activation_name, nn_activation_find, NN_ACTIVATION_SOFTMAX, "softmax"},
        {nn_init_name, nn_init_find, NN_INIT_NORMAL, "normal"},
        {nn_cost_name, nn_cost_find, NN_COST_HINGE, "hinge"},
        {nn_optimizer_name, nn_optimizer_find, NN_OPTIMIZER_SGD, "sgd"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const list *l = &lists[i];
        for (int code = 0; code <= l->last; code++) CHECK(l->find(l->name(code)) == code);
        CHECK(strcmp(l->name(l->last), l->last_name) == 0);
        CHECK(l->name(-1) == NULL && l->name(l->last + 1) == NULL);
        CHECK(l->find("") == -1 && l->find("foreign") == -1);
    }
}

/* ---- random numbers ------------------------------------------------------------------------- */

/* The known answers that the authors of Philox publish beside their code (Random123, file
 * kat_vectors, rows "philox4x32 10"). */
static void words_are_those_of_philox(void) {
    typedef struct answer {
        uint32_t counter[4], key[2], words[4];
    } answer;
    static const answer answers[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const answer *a = &answers[i];
        nn__stream stream = {{a->key[0], a->key[1]}};
        uint64_t round = (uint64_t)a->counter[3] << 32 | a->counter[2];
        uint32_t words[4];
        nn__stream_words(&stream, a->counter[0], a->counter[1], round, words);
        CHECK(memcmp(words, a->words, sizeof words) == 0);
    }
}

static void streams_differ_by_seed_and_name(void) {
    nn__stream a = nn__stream_open(1, "shuffle"), same = nn__stream_open(1, "shuffle");
    nn__stream seed = nn__stream_open(2, "shuffle"), name = nn__stream_open(1, "dropout1");
    nn__stream high = nn__stream_open(1 + (UINT64_C(1) << 32), "shuffle");
    CHECK(memcmp(&a, &same, sizeof a) == 0);
    CHECK(memcmp(&a, &seed, sizeof a) != 0);
    CHECK(memcmp(&a, &name, sizeof a) != 0);
    CHECK(memcmp(&a, &high, sizeof a) != 0);
}

/* Bounds of the moments over n draws: four standard errors, which are 1/sqrt(n) for the mean and
 * 1/sqrt(2n) for the standard deviation; of the share beyond 1.96: sqrt(.05 .95 / n). */
static void normals_are_normal(void) {
    enum { N = 100000 };
    static double draws[N];
    nn__stream stream = nn__stream_open(3, "dense1.weight");
    double sum = 0, squares = 0, beyond = 0;
    nn__stream_normals(&stream, 0, draws, N);
    for (size_t i = 0; i < N; i++) {
        sum += draws[i];
        squares += draws[i] * draws[i];
        beyond += fabs(draws[i]) > 1.959964;
    }
    double mean = sum / N, error = 1 / sqrt((double)N);
    CHECK_NEAR(mean, 0, 4 * error);
    CHECK_NEAR(sqrt(squares / N - mean * mean), 1, 4 * error / sqrt(2));
    CHECK_NEAR(beyond / N, 0.05, 4 * error * sqrt(0.05 * 0.95));
}

static void normals_depend_on_their_index_alone(void) {
    enum { N = 50 };
    double all[N], part[N];
    nn__stream stream = nn__stream_open(4, "dense1.bias");
    nn__stream_normals(&stream, 0, all, N);
    for (size_t first = 0; first < N; first++) {
        nn__stream_normals(&stream, first, part, N - first);
        CHECK(memcmp(part, all + first, (N - first) * sizeof *part) == 0);
    }
}

static void permutations_hold_every_index_once(void) {
    enum { MOST = 1000 };
    const size_t sizes[] = {0, 1, 2, 3, 10, 999, MOST};
    nn__stream stream = nn__stream_open(5, "shuffle");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i];
        uint32_t order[MOST], again[MOST];
        bool seen[MOST] = {false};
        nn__stream_permute(&stream, 7, order, n);
        for (size_t j = 0; j < n; j++) {
            CHECK(order[j] < n && !seen[order[j]]);
            if (order[j] < n) seen[order[j]] = true;
        }
        nn__stream_permute(&stream, 7, again, n);
        CHECK(memcmp(order, again, n * sizeof *order) == 0);
        nn__stream_permute(&stream, 8, again, n);
        CHECK(n < 10 || memcmp(order, again, n * sizeof *order) != 0);
    }
}

/* Each of the 24 permutations of four has a share of 1/24, to four standard errors. */
static void permutations_are_equally_likely(void) {
    enum { N = 24000, N_PERMUTATIONS = 24 };
    nn__stream stream = nn__stream_open(6, "shuffle");
    size_t counts[256] = {0}, n_seen = 0;
    for (uint64_t round = 0; round < N; round++) {
        uint32_t order[4];
        nn__stream_permute(&stream, round, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]] += 1;
    }
    const double share = 1.0 / N_PERMUTATIONS, error = sqrt(share * (1 - share) / N);
    for (size_t i = 0; i < 256; i++) {
        if (counts[i] == 0) continue;
        n_seen += 1;
        CHECK_NEAR((double)counts[i] / N, share, 4 * error);
    }
    CHECK(n_seen == N_PERMUTATIONS);
}

/* ---- CPU levels ----------------------------------------------------------------------------- */

static void the_environment_names_the_level(void) {
    const nn__cpu_level best = nn__cpu_best();
    nn__cpu_level level;
    for (int i = NN__CPU_PORTABLE; i <= NN__CPU_V4; i++) {
        setenv("NNLEARN_KERNELS", nn__cpu_name((nn__cpu_level)i), 1);
        bool there = i <= (int)best;
        CHECK_STATUS(nn__cpu_choose(&level), there ? NN_OK : NN_ERROR_KERNELS);
        CHECK(!there || (int)level == i);
    }
    setenv("NNLEARN_KERNELS", "", 1);
    CHECK_STATUS(nn__cpu_choose(&level), NN_OK);
    CHECK(level == best);
    unsetenv("NNLEARN_KERNELS");
    CHECK_STATUS(nn__cpu_choose(&level), NN_OK);
    CHECK(level == best);
}

static void a_foreign_level_is_an_error(void) {
    const char *const words[] = {"v9", "V3", "v3 ", "0", "haswell"};
    nn__cpu_level level;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        setenv("NNLEARN_KERNELS", words[i], 1);
        CHECK_STATUS(nn__cpu_choose(&level), NN_ERROR_KERNELS);
    }
    unsetenv("NNLEARN_KERNELS");
}

static void a_level_that_will_not_do_is_told_which_would(void) {
    static const char *const words[] = {"portable", "v3", "v4"};
    static const char *const had[] = {"a level that this CPU has (portable)",
                                      "a level that this CPU has (portable, v3)"};
    for (int best = NN__CPU_PORTABLE; best <= NN__CPU_V4; best++) {
        for (int i = NN__CPU_PORTABLE; i <= NN__CPU_V4; i++) {
            const char *rule = nn__cpu_rule(words[i], (nn__cpu_level)best);
            CHECK((rule == NULL) == (i <= best));
            CHECK(rule == NULL || strcmp(rule, had[best]) == 0);
        }
        const char *rule = nn__cpu_rule("v9", (nn__cpu_level)best);
        CHECK(rule != NULL && strcmp(rule, "one of portable, v3, v4") == 0);
    }
}

int main(void) {
    static const check_case cases[] = {
        CASE(products_that_overflow_are_refused),
        CASE(blocks_are_zeroed_and_on_the_boundary),
        CASE(blocks_too_large_for_size_t_are_refused),
        CASE(the_kth_allocation_fails_and_no_other),
        CASE(tensors_start_on_the_boundary_with_slack_behind),
        CASE(an_arena_that_overflows_cannot_be_opened),
        CASE(an_arena_without_memory_says_so),
        CASE(every_status_has_a_text_of_its_own),
        CASE(names_and_codes_translate_both_ways),
        CASE(words_are_those_of_philox),
        CASE(streams_differ_by_seed_and_name),
        CASE(normals_are_normal),
        CASE(normals_depend_on_their_index_alone),
        CASE(permutations_hold_every_index_once),
        CASE(permutations_are_equally_likely),
        CASE(the_environment_names_the_level),
        CASE(a_foreign_level_is_an_error),
        CASE(a_level_that_will_not_do_is_told_which_would),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

/* Level kernels: products of matrices, and the vector loops of every CPU level. */
#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "kernels/gemm.h"

#ifdef NN_DOUBLE
#define EPSILON DBL_EPSILON
#define LARGEST DBL_MAX
#else
#define EPSILON ((double)FLT_EPSILON)
#define LARGEST FLT_MAX
#endif

/* 32 random bits: the upper half of a linear congruential generator (D. Knuth's MMIX). */
static uint32_t random_bits(void) {
    static uint64_t state = 2026;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

/* values (n,) = whole random numbers from -bound .. bound. */
static void fill_whole(nn_real *values, size_t n, int bound) {
    const uint32_t count = 2 * (uint32_t)bound + 1;
    for (size_t i = 0; i < n; i++) values[i] = (nn_real)((int)(random_bits() % count) - bound);
}

/* values (n,) = random numbers from -2 .. 2. */
static void fill(nn_real *values, size_t n) {
    for (size_t i = 0; i < n; i++) values[i] = (nn_real)(4.0 * random_bits() / UINT32_MAX - 2);
}

/* Runs a check for every level that this CPU has, from the lowest: BLIS's kernels follow. */
static void at_every_level(void (*check)(const nn__vector_kernels *vector)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        nn__gemm_start((nn__cpu_level)level);
        size_t before = check_failures;
        check(nn__vector_table((nn__cpu_level)level));
        if (check_failures != before)
            printf("    at level %s\n", nn__cpu_name((nn__cpu_level)level));
    }
}

/* ---- products -------------------------------------------------------------------------------
 *
 * C = A B is tested without a second product: C t = A (B t) for a random vector t. All numbers are
 * whole and small (|a|, |b| <= 4, k <= 300, so |c| <= 4804), so that every sum is exact in float,
 * in whatever order it is formed, and the comparison is for equality. */

enum { LARGEST_SIZE = 300, GAP = 3 };

typedef struct operand {
    nn__arena arena;
    nn__matrix view;
    size_t n_stored; /* nn_reals from the first element to the last, gaps included */
} operand;

/* A matrix (rows, columns), stored by rows or, transposed, by columns, GAP numbers behind each.
 * One line more is reserved: BLIS 0.9.0 in float reads that much past A where B is stored by
 * columns. */
static operand make_operand(size_t rows, size_t columns, bool transposed) {
    size_t n_lines = transposed ? columns : rows, length = (transposed ? rows : columns) + GAP;
    operand made = {.n_stored = n_lines * length - (n_lines > 0 ? GAP : 0)};
    size_t offset = nn__arena_reserve(&made.arena, made.n_stored + length);
    CHECK_STATUS(nn__arena_open(&made.arena), NN_OK);
    nn_real *values = nn__arena_tensor(&made.arena, offset, made.n_stored);
    fill_whole(values, made.n_stored, 4);
    made.view = (nn__matrix){values, rows, columns, (ptrdiff_t)length, 1};
    if (!transposed) return made;
    made.view.row_stride = 1;
    made.view.column_stride = (ptrdiff_t)length;
    return made;
}

static nn_real *element(nn__matrix M, size_t i, size_t j) {
    return M.values + (ptrdiff_t)i * M.row_stride + (ptrdiff_t)j * M.column_stride;
}

/* out (M.rows,) = M t, or out += M t.   t (M.columns,) */
static void times(double *out, nn__matrix M, const double *t, bool accumulate) {
    for (size_t i = 0; i < M.rows; i++) {
        double sum = accumulate ? out[i] : 0;
        for (size_t j = 0; j < M.columns; j++) sum += (double)*element(M, i, j) * t[j];
        out[i] = sum;
    }
}

/* How many numbers between the lines of C are not what they were in `before`. */
static size_t changed_gaps(const operand *C, const nn_real *before, bool transposed) {
    size_t length = (transposed ? C->view.rows : C->view.columns) + GAP, changed = 0;
    for (size_t i = 0; i < C->n_stored; i++)
        changed += i % length >= length - GAP && C->view.values[i] != before[i];
    return changed;
}

/* What is varied beside the shape: which operands are stored by columns, and the kind of sum. */
typedef struct layout {
    bool A, B, C, accumulate;
} layout;

static void check_product(size_t m, size_t n, size_t k, layout how,
                          const nn__vector_kernels *vector) {
    static nn_real before[(LARGEST_SIZE + GAP) * LARGEST_SIZE];
    static nn_real t_real[LARGEST_SIZE];
    static double t[LARGEST_SIZE], Bt[LARGEST_SIZE], wanted[LARGEST_SIZE], got[LARGEST_SIZE];
    operand A = make_operand(m, k, how.A), B = make_operand(k, n, how.B);
    operand C = make_operand(m, n, how.C);
    fill_whole(t_real, n, 1000);
    for (size_t j = 0; j < n; j++) t[j] = (double)t_real[j];
    times(wanted, C.view, t, false);
    times(Bt, B.view, t, false);
    times(wanted, A.view, Bt, how.accumulate);

    for (size_t i = 0; i < m && !how.accumulate; i++) /* what C was must not matter */
        for (size_t j = 0; j < n; j++) *element(C.view, i, j) = (nn_real)NAN;
    memcpy(before, C.view.values, C.n_stored * sizeof *before);
    nn__gemm(C.view, A.view, B.view, how.accumulate, vector);

    times(got, C.view, t, false);
    size_t wrong = 0;
    for (size_t i = 0; i < m; i++) wrong += !(got[i] == wanted[i]);
    CHECK(wrong == 0);
    CHECK(changed_gaps(&C, before, how.C) == 0);
    if (wrong > 0)
        printf("        m %zu, n %zu, k %zu, by columns: A %d, B %d, C %d, accumulate %d\n", m, n,
               k, how.A, how.B, how.C, how.accumulate);
    nn__arena_close(&A.arena);
    nn__arena_close(&B.arena);
    nn__arena_close(&C.arena);
}

static void check_layouts(size_t m, size_t n, size_t k, const nn__vector_kernels *vector) {
    for (int i = 0; i < 16; i++)
        check_product(m, n, k, (layout){i & 1, i & 2, i & 4, i & 8}, vector);
}

static void check_all_products(const nn__vector_kernels *vector) {
    static const size_t sizes[] = {1, 2, 7, 31, 64, 65, 130, LARGEST_SIZE};
    enum { N = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t l = 0; l < N; l++) {
                if (i + j + l < N - 3) check_layouts(sizes[i], sizes[j], sizes[l], vector);
                /* The large ones take turns, for the time. */
                layout how = {i % 2 == l % 2, j % 2 == l % 2, false, (i + j + l) % 2 == 0};
                check_product(sizes[i], sizes[j], sizes[l], how, vector);
            }
}

static void products_are_right(void) {
    at_every_level(check_all_products);
}

/* A loop of ours serves products below 500 multiplications m n k, BLIS those from there on. */
static void check_small_limit(const nn__vector_kernels *vector) {
    static const size_t shapes[][3] = {
        {7, 71, 1},  {2, 1, 249}, {1, 3, 166},                           /* 497 and 498 */
        {5, 10, 10}, {2, 1, 250}, {250, 2, 1}, {3, 167, 1}, {1, 3, 167}, /* 500 and 501 */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_layouts(shapes[i][0], shapes[i][1], shapes[i][2], vector);
}

static void products_are_right_on_both_sides_of_the_small_limit(void) {
    at_every_level(check_small_limit);
}

/* An empty sum is 0; an empty C is left alone. */
static void check_empty_products(const nn__vector_kernels *vector) {
    static const size_t sizes[] = {1, 7, 130};
    for (size_t i = 0; i < 3; i++) {
        check_layouts(sizes[i], sizes[2 - i], 0, vector);
        check_layouts(0, sizes[i], 5, vector);
        check_layouts(sizes[i], 0, 5, vector);
    }
}

static void products_over_nothing_are_zero(void) {
    at_every_level(check_empty_products);
}

static void a_transposed_view_is_the_same_memory(void) {
    const nn_real values[6] = {1, 2, 3, 4, 5, 6};
    nn__matrix M = nn__matrix_of(values, 2, 3), T = nn__matrix_transposed(M);
    CHECK(M.rows == 2 && M.columns == 3 && T.rows == 3 && T.columns == 2);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++) {
            CHECK(element(M, i, j) == values + 3 * i + j);
            CHECK(element(T, j, i) == element(M, i, j));
        }
}

static void blis_tells_what_it_is(void) {
    CHECK(strlen(nn__gemm_version()) > 0);
    CHECK(strlen(nn__gemm_kernels()) > 0);
    printf("    BLIS's kernels: %s\n", nn__gemm_kernels());
}

/* ---- vector loops ---------------------------------------------------------------------------
 *
 * Every function over n = 1 .. 67 numbers, so that each remainder of every vector width occurs,
 * once on a boundary and once one number off it, beside the formula in double. */

enum { LARGEST_N = 67, MOST_ROWS = 13, ROOM = LARGEST_N * MOST_ROWS + 2 };

/* Numbers lie in -2 .. 2 and no formula has a part above 16; each of its up to seven roundings, of
 * which one comes from storing the result, is at most half an EPSILON of that. */
static const double tolerance = 7 * 0.5 * EPSILON * 16;

/* What a case works on: arrays with a number before and behind that no loop may touch. */
static nn_real y_room[ROOM], v_room[ROOM], x_room[ROOM], b_room[ROOM];
static nn_real y_before[ROOM], v_before[ROOM];

static void draw_all(void) {
    fill(y_room, ROOM);
    fill(v_room, ROOM);
    fill(x_room, ROOM);
    fill(b_room, ROOM);
    y_room[ROOM / 2] = 0; /* sgn(0) and relu's kink */
    memcpy(y_before, y_room, sizeof y_room);
    memcpy(v_before, v_room, sizeof v_room);
}

/* No number outside [at, at + n) has changed in y, nor outside [at, at + n_v) in v. */
static void check_outside(size_t at, size_t n, size_t n_v) {
    size_t changed = 0;
    for (size_t i = 0; i < ROOM; i++) {
        changed += (i < at || i >= at + n) && y_room[i] != y_before[i];
        changed += (i < at || i >= at + n_v) && v_room[i] != v_before[i];
    }
    CHECK(changed == 0);
}

static void check_rows(const nn__vector_kernels *vector, size_t at, size_t n) {
    const size_t rows = 1 + n % MOST_ROWS;
    draw_all();
    vector->add_bias(y_room + at, b_room + at, rows, n);
    for (size_t i = 0; i < rows * n; i++)
        CHECK_NEAR((double)y_room[at + i], (double)y_before[at + i] + (double)b_room[at + i % n],
                   tolerance);
    check_outside(at, rows * n, 0);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        draw_all();
        vector->sum_rows(y_room + at, x_room + at, rows, n, accumulate);
        for (size_t j = 0; j < n; j++) {
            double sum = accumulate ? (double)y_before[at + j] : 0;
            for (size_t r = 0; r < rows; r++) sum += (double)x_room[at + r * n + j];
            CHECK_NEAR((double)y_room[at + j], sum, (double)rows * tolerance);
        }
        check_outside(at, n, 0);
    }
}

/* One number of a loop over y and x, in double. */
typedef double formula(double y, double x);

static double product_of(double y, double x) {
    return y * x;
}
static double through_sigmoid(double d, double a) {
    return d * a * (1 - a);
}
static double through_tanh(double d, double a) {
    return d * (1 - a * a);
}
static double through_relu(double d, double a) {
    return a > 0 ? d : 0;
}

static void check_elements(const nn__vector_kernels *vector, size_t at, size_t n) {
    void (*const loops[])(nn_real *restrict, const nn_real *restrict, size_t) = {
        vector->multiply, vector->sigmoid_backward, vector->tanh_backward, vector->relu_backward};
    formula *const formulas[] = {product_of, through_sigmoid, through_tanh, through_relu};
    for (size_t l = 0; l < sizeof loops / sizeof *loops; l++) {
        draw_all();
        x_room[at + n / 2] = 0;
        loops[l](y_room + at, x_room + at, n);
        for (size_t i = at; i < at + n; i++)
            CHECK_NEAR((double)y_room[i], formulas[l]((double)y_before[i], (double)x_room[i]),
                       tolerance);
        check_outside(at, n, 0);
    }
}

static void check_sgd(const nn__vector_kernels *vector, size_t at, size_t n) {
    const nn__sgd sgd = {.eta = (nn_real)0.5, .mu = (nn_real)0.75, (nn_real)0.25, (nn_real)0.125};
    for (int kind = 0; kind < 3; kind++) { /* plain, momentum, nesterov */
        draw_all();
        y_before[at] = y_room[at] = 0; /* sgn(0) = 0 */
        if (kind == 0) vector->sgd_plain(y_room + at, x_room + at, n, &sgd);
        if (kind == 1) vector->sgd_momentum(y_room + at, v_room + at, x_room + at, n, &sgd);
        if (kind == 2) vector->sgd_nesterov(y_room + at, v_room + at, x_room + at, n, &sgd);
        for (size_t i = at; i < at + n; i++) {
            double W = (double)y_before[i];
            double g = (double)x_room[i] + 0.25 * ((W > 0) - (W < 0)) + 0.125 * W;
            double v = 0.75 * (double)v_before[i] - 0.5 * g;
            double steps[] = {-0.5 * g, v, 0.75 * v - 0.5 * g};
            CHECK_NEAR((double)y_room[i], W + steps[kind], tolerance);
            CHECK_NEAR((double)v_room[i], kind == 0 ? (double)v_before[i] : v, tolerance);
        }
        check_outside(at, n, kind == 0 ? 0 : n);
    }
}

static void check_all_finite(const nn__vector_kernels *vector, size_t at, size_t n) {
    const nn_real bad[] = {(nn_real)NAN, (nn_real)INFINITY, (nn_real)-INFINITY};
    draw_all();
    for (size_t i = at; i < at + n; i++) y_room[i] = i % 2 == 0 ? LARGEST : -LARGEST;
    y_room[at + n] = (nn_real)NAN; /* the first that is not asked about */
    CHECK(vector->all_finite(y_room + at, n));
    for (size_t i = at; i < at + n; i++) {
        nn_real kept = y_room[i];
        for (size_t b = 0; b < 3; b++) {
            y_room[i] = bad[b];
            CHECK(!vector->all_finite(y_room + at, n));
        }
        y_room[i] = kept;
    }
}

static void check_vector_loops(const nn__vector_kernels *vector) {
    for (size_t n = 1; n <= LARGEST_N; n++)
        for (size_t at = 0; at < 2; at++) {
            check_rows(vector, at, n);
            check_elements(vector, at, n);
            check_sgd(vector, at, n);
            check_all_finite(vector, at, n);
        }
}

static void vector_loops_follow_their_formulas(void) {
    at_every_level(check_vector_loops);
}

/* y_room and v_room after every loop over what draw_all has drawn. */
static void run_all(const nn__vector_kernels *vector, size_t n, bool accumulate) {
    const nn__sgd sgd = {(nn_real)0.3, (nn_real)0.9, (nn_real)0.01, (nn_real)0.1};
    const size_t m = 5, k = 9;
    vector->product(v_room, x_room, y_room, m, n, k, (ptrdiff_t)n, (ptrdiff_t)k, 1, (ptrdiff_t)n,
                    accumulate);
    vector->add_bias(y_room, b_room, MOST_ROWS, n);
    vector->multiply(y_room, b_room, n);
    vector->sigmoid_backward(y_room, x_room, n);
    vector->tanh_backward(y_room, x_room, n);
    vector->relu_backward(y_room, x_room, n);
    vector->sum_rows(y_room, x_room, MOST_ROWS, n, accumulate);
    vector->sgd_plain(y_room, x_room, n, &sgd);
    vector->sgd_momentum(y_room, v_room, x_room, n, &sgd);
    vector->sgd_nesterov(y_room, v_room, x_room, n, &sgd);
}

/* Levels form every number by the same operations in the same order. */
static void check_against_portable(const nn__vector_kernels *vector) {
    static nn_real y[ROOM], v[ROOM];
    for (size_t n = 1; n <= LARGEST_N; n++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            draw_all();
            run_all(nn__vector_table(NN__CPU_PORTABLE), n, accumulate);
            memcpy(y, y_room, sizeof y);
            memcpy(v, v_room, sizeof v);
            memcpy(y_room, y_before, sizeof y);
            memcpy(v_room, v_before, sizeof v);
            run_all(vector, n, accumulate);
            CHECK(memcmp(y, y_room, sizeof y) == 0 && memcmp(v, v_room, sizeof v) == 0);
        }
}

static void levels_give_the_same_bits(void) {
    at_every_level(check_against_portable);
}

int main(void) {
    static const check_case cases[] = {
        CASE(products_are_right),
        CASE(products_are_right_on_both_sides_of_the_small_limit),
        CASE(products_over_nothing_are_zero),
        CASE(a_transposed_view_is_the_same_memory),
        CASE(blis_tells_what_it_is),
        CASE(draw_all),
        CASE(vector_loops_follow_their_formulas),
        CASE(levels_give_the_same_bits),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

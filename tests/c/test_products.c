/* Level kernels: the products of products.h at every CPU level, beside plain loops in double. */
#include "kernels/vector.h"
#include "product_problem.h"

/* ---- what is expected ----------------------------------------------------------------------- */

/* A sum and the sum of its terms' sizes, which bounds the rounding. */
typedef struct sum {
    double value, size;
} sum;

static void add(sum *s, double term) {
    s->value += term;
    s->size += fabs(term);
}

enum { LONG = 32 }; /* rows of a long batch */

/* Each of n sums in turn rounds by half an EPSILON of at most the terms' sizes, and so do a few
 * products with factors; the loops here round as often in double. Near zero a rounding is half the
 * least number there is. */
static double rounding(const sum *s, size_t n) {
    const double least = EPSILON * (sizeof(nn_real) == sizeof(float) ? FLT_MIN : DBL_MIN);
    return (double)(n + 6) * (EPSILON * s->size + least);
}

/* x W of row r, column j. */
static sum forward_of(const problem *p, size_t r, size_t j) {
    sum s = {0};
    for (size_t k = 0; k < p->n_in; k++) add(&s, p->x[r * p->n_in + k] * p->W[k * p->n_out + j]);
    return s;
}

/* x^T dy of row k, column j. */
static sum gradient_of(const problem *p, size_t k, size_t j) {
    sum s = {0};
    for (size_t r = 0; r < p->rows; r++) add(&s, p->x[r * p->n_in + k] * p->dy[r * p->n_out + j]);
    return s;
}

/* y = scale x W + b; zeros in the padding of y, NaN still between its rows. */
static void check_forward(const problem *p, const sum *xW, double scale, bool bias) {
    size_t n_wrong = 0;
    for (size_t r = 0; r < p->rows; r++)
        for (size_t j = 0; j < p->ld; j++) {
            const double y = (double)p->y[r * p->ld + j];
            if (j >= p->n_out) {
                n_wrong += j < p->padded ? y != 0 : !isnan(y);
                continue;
            }
            const sum *s = &xW[r * p->n_out + j];
            sum whole = {scale * s->value, fabs(scale) * s->size};
            add(&whole, bias ? p->b[j] : 0);
            n_wrong += !(fabs(y - whole.value) <= rounding(&whole, p->n_in));
        }
    CHECK(n_wrong == 0);
    if (n_wrong > 0)
        printf("        %zu of y: (%zu, %zu) x (%zu, %zu) in tiles of %zu, density %g\n", n_wrong,
               p->rows, p->n_in, p->n_in, p->n_out, p->stride, p->density);
    for (size_t i = 0; i < p->rows * p->ld; i++) p->y[i] = (nn_real)NAN;
}

/* Packed weights are `wanted` (n_in, n_out), padding zero, the last tile's rest NaN. */
static void check_weights(const problem *p, const nn__weights *weights, const sum *wanted) {
    size_t n_wrong = 0, n_nan = 0;
    for (size_t k = 0; k < p->n_in; k++)
        for (size_t j = 0; j < p->padded; j++) {
            const double w = (double)weights->values[place_of(p, k, j)];
            const sum *s = &wanted[k * p->n_out + j];
            n_wrong += j < p->n_out ? !(fabs(w - s->value) <= rounding(s, p->rows)) : w != 0;
        }
    for (size_t i = 0; i < p->n_values; i++) n_nan += isnan(weights->values[i]) ? 1 : 0;
    CHECK(n_wrong == 0);
    CHECK(n_nan == p->n_values - p->n_in * p->padded);
    if (n_wrong > 0)
        printf("        %zu of W: (%zu, %zu)^T x (%zu, %zu) in tiles of %zu, density %g\n", n_wrong,
               p->rows, p->n_in, p->rows, p->n_out, p->stride, p->density);
}

/* ---- the kernels ---------------------------------------------------------------------------- */

static const nn_real scales[] = {1, (nn_real)0.375, (nn_real)0x1p-20};

static void check_forwards(problem *p, const nn__product_kernels *kernels, const sum *xW) {
    pack(p, &p->weights, p->W);
    const bool tiles = p->weights.columns > p->weights.stride; /* always in blocks */
    for (size_t i = 0; i < COUNT(scales); i++)
        for (int blocks = tiles; blocks < 2; blocks++) {
            kernels->sparse_forward(p->y, p->ld, &p->entries, &p->weights, p->packed_b, scales[i],
                                    blocks ? p->cursor : NULL);
            check_forward(p, xW, (double)scales[i], true);
        }
    if (p->stride != p->padded) return;
    for (int bias = 0; bias < 2; bias++) {
        kernels->dense_forward(p->y, p->ld, p->packed_x, p->ldx, p->rows, &p->weights,
                               bias ? p->packed_b : NULL);
        check_forward(p, xW, 1, bias);
    }
}

/* W + c x^T dy, from beta W for the dense loop. */
static void want(const problem *p, sum *wanted, const sum *xdy, double beta, double c) {
    for (size_t i = 0; i < p->n_in * p->n_out; i++) {
        wanted[i] = (sum){c * xdy[i].value, fabs(c) * xdy[i].size};
        add(&wanted[i], beta * p->W[i]);
    }
}

/* Rows of W that are updated in one call, and those from row `at` on. */
static size_t part_of(const problem *p) {
    return (p->n_in - 1) / 3 + 1;
}

static size_t part_at(const problem *p, size_t at) {
    return p->n_in - at < part_of(p) ? p->n_in - at : part_of(p);
}

static void check_updates(problem *p, const nn__product_kernels *kernels, const sum *xdy,
                          sum *wanted) {
    const nn_real c = (nn_real)-0.3, betas[] = {1, 0, (nn_real)0.8, (nn_real)-1.5};
    want(p, wanted, xdy, 1, (double)c);
    pack(p, &p->weights, p->W);
    nn__columns_make(&p->columns, &p->entries, p->n_in);
    for (size_t at = 0; at < p->n_in; at += part_of(p))
        kernels->sparse_update_columns(&p->weights, &p->columns, at, part_at(p, at), p->packed_dy,
                                       p->ld, c);
    check_weights(p, &p->weights, wanted);
    if (p->stride != p->padded) return;
    pack(p, &p->weights, p->W);
    kernels->sparse_update_rows(&p->weights, &p->entries, p->packed_dy, p->ld, c);
    check_weights(p, &p->weights, wanted);
    for (size_t i = 0; i < COUNT(betas); i++) {
        want(p, wanted, xdy, (double)betas[i], (double)c);
        pack(p, &p->weights, p->W);
        kernels->dense_update(&p->weights, p->packed_x, p->ldx, p->packed_dy, p->ld, p->rows,
                              betas[i], c);
        check_weights(p, &p->weights, wanted);
    }
    want(p, wanted, xdy, 0, 1);
    for (size_t i = 0; i < p->n_values; i++) p->weights.values[i] = (nn_real)NAN;
    kernels->dense_update(&p->weights, p->packed_x, p->ldx, p->packed_dy, p->ld, p->rows, 0, 1);
    check_weights(p, &p->weights, wanted); /* with beta = 0 it does not matter what W was */
}

/* v <- mu v - eta g, W <- W + v or W + mu v - eta g, with g = x^T dy + l2 W. */
static void check_momentum(problem *p, const nn__product_kernels *kernels, const sum *xdy,
                           sum *wanted, bool nesterov) {
    const nn__momentum m = {(nn_real)0.3, (nn_real)0.9, (nn_real)0.25, nesterov};
    const double eta = (double)m.eta, mu = (double)m.mu, shrink = -eta * (double)m.l2;
    pack(p, &p->weights, p->W);
    pack(p, &p->velocity, p->v);
    nn__columns_make(&p->columns, &p->entries, p->n_in);
    for (size_t at = 0; at < p->n_in; at += part_of(p))
        kernels->sparse_update_momentum(&p->weights, &p->velocity, &p->columns, at, part_at(p, at),
                                        p->packed_dy, p->ld, &m);
    for (size_t i = 0; i < p->n_in * p->n_out; i++) {
        wanted[i] = (sum){-eta * xdy[i].value, eta * xdy[i].size};
        add(&wanted[i], shrink * p->W[i]);
        add(&wanted[i], mu * p->v[i]);
    }
    check_weights(p, &p->velocity, wanted);
    for (size_t i = 0; i < p->n_in * p->n_out; i++) {
        if (nesterov) {
            wanted[i].value = mu * wanted[i].value - eta * xdy[i].value + shrink * p->W[i];
            wanted[i].size *= 2;
        }
        add(&wanted[i], p->W[i]);
    }
    check_weights(p, &p->weights, wanted);
}

/* Runs a check for every level that this CPU has, from the lowest. */
static void at_every_level(void (*check)(const nn__vector_kernels *vector)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        size_t before = check_failures;
        check(nn__vector_table((nn__cpu_level)level));
        if (check_failures != before)
            printf("    at level %s\n", nn__cpu_name((nn__cpu_level)level));
    }
}

/* All kernels of all levels on one problem. */
static void check_problem(problem *p) {
    const size_t n_y = p->rows * p->n_out, n_W = p->n_in * p->n_out;
    sum *xW = guarded(n_y, sizeof *xW), *xdy = guarded(n_W, sizeof *xdy);
    sum *wanted = guarded(n_W, sizeof *wanted);
    for (size_t i = 0; i < n_y; i++) xW[i] = forward_of(p, i / p->n_out, i % p->n_out);
    for (size_t i = 0; i < n_W; i++) xdy[i] = gradient_of(p, i / p->n_out, i % p->n_out);
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        const nn__product_kernels *kernels = nn__vector_table((nn__cpu_level)level)->products;
        const size_t before = check_failures;
        check_forwards(p, kernels, xW);
        check_updates(p, kernels, xdy, wanted);
        check_momentum(p, kernels, xdy, wanted, false);
        check_momentum(p, kernels, xdy, wanted, true);
        if (check_failures != before)
            printf("    at level %s\n", nn__cpu_name((nn__cpu_level)level));
    }
    unguard(xW, n_y, sizeof *xW);
    unguard(xdy, n_W, sizeof *xdy);
    unguard(wanted, n_W, sizeof *wanted);
}

static void check_size(size_t rows, size_t n_in, size_t n_out, size_t tile, double density) {
    drawn = rows + 300 * (n_in + 1000 * (n_out + 1000 * tile));
    problem p = make_problem(rows, n_in, n_out, tile, density);
    check_problem(&p);
    free_problem(&p);
}

/* ---- the cases ------------------------------------------------------------------------------ */

static const double densities[] = {0, 0.05, 0.3, 1};

static void products_are_right_for_every_width(void) {
    static const size_t batches[] = {1, 2, 3, 5, 7, 10, 17, 31};
    for (size_t width = 1; width <= 130; width++) {
        const size_t n_in = 1 + width * 31 % 37, rows = batches[width % COUNT(batches)];
        check_size(rows, n_in, width, 0, densities[width / 2 % COUNT(densities)]);
        check_size(rows, width, n_in, 0, densities[width % COUNT(densities)]);
    }
    check_size(3, 20, 800, 0, 0.3);
}

/* Odd numbers of rows, for each rest that the loops over rows may have. */
static void products_are_right_for_every_batch(void) {
    for (size_t rows = 1; rows <= 257; rows += rows < 40 ? 1 : 7) {
        check_size(rows, 13, 10 + rows % 60, 0, densities[rows % COUNT(densities)]);
        check_size(rows, 1 + rows % 90, 7, 0, 0.5);
    }
    check_size(257, 101, 30, 0, 0.2);
}

/* Tiles of several widths, the last of which is narrower than the others, or not. */
static void products_are_right_in_tiles(void) {
    static const size_t tiles[] = {16, 48, 80, 128}, widths[] = {81, 96, 130, 160, 161, 800};
    for (size_t t = 0; t < COUNT(tiles); t++)
        for (size_t w = 0; w < COUNT(widths); w++) {
            const double density = densities[1 + (t + w) % 3];
            check_size(1 + 2 * below(4), 23, widths[w], tiles[t], density);
            check_size(LONG + t, 11, widths[w] % 300, tiles[t], density);
        }
}

/* Of several tiles each is worked on in blocks of inputs; the last may be short. */

static void products_are_right_in_blocks(void) {
    static const size_t widths[] = {1, 17, 40, 64, 80, 100, 161};
    for (size_t w = 0; w < COUNT(widths); w++) {
        const size_t tile = widths[w] > 48 ? 48 : 0;
        const size_t stride = tile != 0 ? tile : nn__padded(widths[w]);
        const size_t block = NN_BLOCK_BYTES / (stride * sizeof(nn_real));
        for (size_t n_in = block - 1; n_in <= 2 * block + 1; n_in += (block + 1) / 2) {
            const size_t rows = LONG - 1 + below(4);
            if (n_in * stride < 16000)
                check_size(rows, n_in, widths[w], tile, densities[(w + n_in) % COUNT(densities)]);
        }
    }
    check_size(LONG + 5, 784, 30, 0, 0.2);
    check_size(LONG + 5, 784, 100, 0, 0.3); /* one tile, wide and full enough for blocks */
    check_size(LONG - 1, 784, 72, 0, 0.3);  /* too few rows */
    check_size(LONG, 784, 72, 0, 0.3);
    check_size(LONG, 784, 128, 0, 0.05); /* too few nonzeros */
}

/* Numbers of every size: what overflows and underflows does so as in the loops beside. */
static void denormal_and_huge_numbers_are_right(void) {
    problem p = make_problem(9, 40, 33, 0, 0.4);
    const double tiny = ldexp(1, sizeof(nn_real) == 4 ? -140 : -1060), huge = 0x1p100;
    const nn_real sizes[] = {(nn_real)tiny, (nn_real)huge, (nn_real)0x1p-60};
    for (size_t e = 0; e < p.entries.start[p.rows]; e++) p.entries.value[e] *= sizes[e % 3];
    for (size_t r = 0, e = 0; r < p.rows; r++)
        for (; e < p.entries.start[r + 1]; e++) {
            p.x[r * p.n_in + p.entries.column[e]] = (double)p.entries.value[e];
            p.packed_x[r * p.ldx + p.entries.column[e]] = p.entries.value[e];
        }
    check_problem(&p);
    free_problem(&p);
}

/* Where dy is 0 the largest x changes nothing, whatever the factor: c x alone would be infinite. */
static void check_largest(const nn__vector_kernels *vector) {
    const nn__product_kernels *kernels = vector->products;
    const nn__momentum m = {8, 0, 0, false};
    problem p = make_problem(5, 11, 70, 0, 0.5);
    for (size_t e = 0; e < p.entries.start[p.rows]; e++) p.entries.value[e] = LARGEST;
    for (size_t i = 0; i < p.rows * p.ldx; i++) p.packed_x[i] = LARGEST;
    for (size_t i = 0; i < p.rows * p.ld; i++) p.packed_dy[i] = 0;
    pack(&p, &p.weights, p.W);
    pack(&p, &p.velocity, p.W);
    nn__columns_make(&p.columns, &p.entries, p.n_in);
    kernels->sparse_update_rows(&p.weights, &p.entries, p.packed_dy, p.ld, 8);
    kernels->sparse_update_columns(&p.weights, &p.columns, 0, p.n_in, p.packed_dy, p.ld, 8);
    kernels->dense_update(&p.weights, p.packed_x, p.ldx, p.packed_dy, p.ld, p.rows, 1, 8);
    const size_t bytes = p.n_values * sizeof(nn_real);
    CHECK(memcmp(p.weights.values, p.velocity.values, bytes) == 0);
    kernels->sparse_update_momentum(&p.weights, &p.velocity, &p.columns, 0, p.n_in, p.packed_dy,
                                    p.ld, &m);
    pack(&p, &p.velocity, p.W);
    CHECK(memcmp(p.weights.values, p.velocity.values, bytes) == 0);
    free_problem(&p);
}

static void the_largest_numbers_times_zero_are_zero(void) {
    at_every_level(check_largest);
}

/* ---- levels --------------------------------------------------------------------------------- */

/* Levels that fuse products with sums give the same bits, in all but narrow sums over sparse rows,
 * which they halve differently; portable rounds once more a term. */
static void updates_of_fused_levels_give_the_same_bits(void) {
    if (nn__cpu_best() < NN__CPU_V4) return;
    problem p = make_problem(LONG + 1, 200, 61, 0, 0.3);
    const size_t n_y = p.rows * p.ld;
    nn_real *kept_y = guarded(2 * n_y, sizeof *kept_y);
    nn_real *kept_W = guarded(4 * p.n_values, sizeof *kept_W);
    for (int i = 0; i < 2; i++) {
        const nn__cpu_level level = i == 0 ? NN__CPU_V3 : NN__CPU_V4;
        const nn__product_kernels *kernels = nn__vector_table(level)->products;
        const nn__momentum m = {(nn_real)0.3, (nn_real)0.9, (nn_real)0.25, true};
        nn_real *y = kept_y + (size_t)i * n_y, *W = kept_W + (size_t)i * 2 * p.n_values;
        pack(&p, &p.weights, p.W);
        pack(&p, &p.velocity, p.v);
        nn__columns_make(&p.columns, &p.entries, p.n_in);
        kernels->sparse_update_momentum(&p.weights, &p.velocity, &p.columns, 0, p.n_in, p.packed_dy,
                                        p.ld, &m);
        memcpy(W, p.velocity.values, p.n_values * sizeof *W);
        kernels->sparse_update_rows(&p.weights, &p.entries, p.packed_dy, p.ld, scales[1]);
        kernels->dense_update(&p.weights, p.packed_x, p.ldx, p.packed_dy, p.ld, p.rows, scales[1],
                              scales[1]);
        kernels->sparse_update_columns(&p.weights, &p.columns, 0, p.n_in, p.packed_dy, p.ld,
                                       scales[1]);
        memcpy(W + p.n_values, p.weights.values, p.n_values * sizeof *W);
        kernels->dense_forward(p.y, p.ld, p.packed_x, p.ldx, p.rows, &p.weights, p.packed_b);
        memcpy(y, p.y, n_y * sizeof *y);
    }
    CHECK(memcmp(kept_y, kept_y + n_y, n_y * sizeof *kept_y) == 0);
    CHECK(memcmp(kept_W, kept_W + 2 * p.n_values, 2 * p.n_values * sizeof *kept_W) == 0);
    unguard(kept_y, 2 * n_y, sizeof *kept_y);
    unguard(kept_W, 4 * p.n_values, sizeof *kept_W);
    free_problem(&p);
}

int main(void) {
    static const check_case cases[] = {
        CASE(products_are_right_for_every_width),
        CASE(products_are_right_for_every_batch),
        CASE(products_are_right_in_tiles),
        CASE(products_are_right_in_blocks),
        CASE(denormal_and_huge_numbers_are_right),
        CASE(the_largest_numbers_times_zero_are_zero),
        CASE(updates_of_fused_levels_give_the_same_bits),
    };
    return check_run(cases, COUNT(cases));
}

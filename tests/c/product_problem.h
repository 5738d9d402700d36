/* One product of a batch with the weights of a layer: its operands, packed and plain. */
#ifndef NN_TESTS_PRODUCT_PROBLEM_H
#define NN_TESTS_PRODUCT_PROBLEM_H

#include "base/arena.h"
#include "guarded.h"
#include "helpers.h"
#include "kernels/products.h"

/* How far apart the rows of x, y and dy lie beyond their padded width. */
enum { APART = NN_LANES };

/* One product: x (rows, n_in), dense and as sparse rows; W (n_in, n_out) in tiles; dy and y
 * (rows, n_out). Gaps that no kernel may touch are NaN. */
typedef struct problem {
    size_t rows, n_in, n_out, tile;
    double density;
    size_t ld, ldx, padded, stride, n_values; /* n_values: of packed weights, all tiles */
    double *x, *W, *v, *b, *dy;               /* the numbers, without gaps */
    nn__entries entries;
    nn__columns columns;
    uint32_t *cursor;
    nn_real *packed_x, *packed_dy, *packed_b, *y;
    nn__weights weights, velocity;
} problem;

static uint64_t drawn;

/* A number from 0 to 1: the upper bits of a linear congruential generator (D. Knuth's MMIX). */
static inline double uniform(void) {
    drawn = drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(drawn >> 11) * 0x1p-53;
}

static inline size_t below(size_t n) {
    return (size_t)(uniform() * (double)n);
}

/* (n,) numbers of this build's precision, in double. */
static inline double *draw(size_t n) {
    double *values = guarded(n, sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = (double)(nn_real)(2 * uniform() - 1);
    return values;
}

/* Where W[k][j] lies in packed weights. */
static inline size_t place_of(const problem *p, size_t k, size_t j) {
    return j / p->stride * p->n_in * p->stride + k * p->stride + j % p->stride;
}

/* Packed weights of W (n_in, n_out): zeros pad the columns, NaN fills what is left of the last
 * tile. */
static inline void pack(const problem *p, nn__weights *weights, const double *W) {
    for (size_t i = 0; i < p->n_values; i++) weights->values[i] = (nn_real)NAN;
    for (size_t k = 0; k < p->n_in; k++)
        for (size_t j = 0; j < p->padded; j++)
            weights->values[place_of(p, k, j)] = j < p->n_out ? (nn_real)W[k * p->n_out + j] : 0;
}

/* Rows of `values` (rows, n) ld apart: zeros up to `padded`, NaN between. */
static inline nn_real *spread(const double *values, size_t rows, size_t n, size_t padded,
                              size_t ld) {
    nn_real *array = guarded(rows * ld, sizeof *array);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < padded; j++)
            array[r * ld + j] = j < n ? (nn_real)values[r * n + j] : 0;
    return array;
}

/* Draws x: every fifth row and every seventh column are empty, unless all are full. */
static inline void draw_x(problem *p) {
    size_t n = 0;
    p->x = draw(p->rows * p->n_in);
    for (size_t i = 0; i < p->rows * p->n_in; i++) {
        const bool empty = i / p->n_in % 5 == 3 || i % p->n_in % 7 == 2;
        if (p->density < 1 && (empty || uniform() >= p->density)) p->x[i] = 0;
        n += p->x[i] != 0;
    }
    p->entries = (nn__entries){p->rows, guarded(p->rows + 1, sizeof(uint32_t)),
                               guarded(n, sizeof(uint32_t)), guarded(n, sizeof(nn_real))};
    p->columns = (nn__columns){guarded(p->n_in + 2, sizeof(uint32_t)), guarded(n, sizeof(uint32_t)),
                               guarded(n, sizeof(nn_real))};
    uint32_t at = 0;
    for (size_t r = 0; r < p->rows; r++) {
        p->entries.start[r] = at;
        for (size_t k = 0; k < p->n_in; k++) {
            if (p->x[r * p->n_in + k] == 0) continue;
            p->entries.column[at] = (uint32_t)k;
            p->entries.value[at++] = (nn_real)p->x[r * p->n_in + k];
        }
    }
    p->entries.start[p->rows] = at;
}

static inline problem make_problem(size_t rows, size_t n_in, size_t n_out, size_t tile,
                                   double density) {
    problem p = {rows, n_in, n_out, tile, density, .padded = nn__padded(n_out)};
    p.ld = p.padded + APART;
    p.ldx = nn__padded(n_in) + APART;
    p.stride = tile != 0 && tile < p.padded ? tile : p.padded;
    p.n_values = ((p.padded - 1) / p.stride + 1) * n_in * p.stride;
    draw_x(&p);
    p.W = draw(n_in * n_out);
    p.v = draw(n_in * n_out);
    p.b = draw(n_out);
    p.dy = draw(rows * n_out);
    p.cursor = guarded(rows, sizeof *p.cursor);
    p.packed_x = spread(p.x, rows, n_in, n_in, p.ldx);
    p.packed_dy = spread(p.dy, rows, n_out, p.padded, p.ld);
    p.packed_b = spread(p.b, 1, n_out, p.padded, p.padded);
    p.y = guarded(rows * p.ld, sizeof *p.y);
    nn_real *values[2];
    for (int i = 0; i < 2; i++) values[i] = guarded(p.n_values, sizeof *values[i]);
    p.weights = (nn__weights){values[0], n_in, p.stride, p.padded};
    p.velocity = (nn__weights){values[1], n_in, p.stride, p.padded};
    return p;
}

static inline void free_problem(problem *p) {
    const size_t n = p->entries.start[p->rows], size = sizeof(nn_real), width = p->n_in * p->n_out;
    unguard(p->entries.column, n, sizeof(uint32_t));
    unguard(p->entries.value, n, size);
    unguard(p->entries.start, p->rows + 1, sizeof(uint32_t));
    unguard(p->columns.start, p->n_in + 2, sizeof(uint32_t));
    unguard(p->columns.row, n, sizeof(uint32_t));
    unguard(p->columns.value, n, size);
    unguard(p->cursor, p->rows, sizeof *p->cursor);
    unguard(p->packed_x, p->rows * p->ldx, size);
    unguard(p->packed_dy, p->rows * p->ld, size);
    unguard(p->packed_b, p->padded, size);
    unguard(p->y, p->rows * p->ld, size);
    unguard(p->weights.values, p->n_values, size);
    unguard(p->velocity.values, p->n_values, size);
    unguard(p->x, p->rows * p->n_in, sizeof(double));
    unguard(p->W, width, sizeof(double));
    unguard(p->v, width, sizeof(double));
    unguard(p->b, p->n_out, sizeof(double));
    unguard(p->dy, p->rows * p->n_out, sizeof(double));
}

#endif

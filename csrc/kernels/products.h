/* Products of a batch with the weights of one layer, in our own loops: where the batch is sparse,
 * and where the layer is too small for BLIS.
 *
 * Rows are padded to NN_LANES numbers. Weights W (n_in, n_out) are packed (layers/layout.h):
 *
 *     one tile       | row 0: stride numbers | row 1 | ... | row n_in - 1 |
 *     tiles          | tile 0: n_in rows of its stride columns | tile 1 | ...        wide layers
 *
 * A sum over the inputs runs from the first to the last, but for the forward sums of narrow layers,
 * which some levels take in two halves. */
#ifndef NN_KERNELS_PRODUCTS_H
#define NN_KERNELS_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"
#include "kernels/sparse.h"

/* Packed weights, or their velocity. */
typedef struct nn__weights {
    nn_real *values;
    size_t n_in;
    size_t stride;  /* columns of a tile, a multiple of NN_LANES */
    size_t columns; /* of all tiles; a multiple of NN_LANES */
} nn__weights;

/* A sparse batch by its columns: what updates the weights of input p. */
typedef struct nn__columns {
    uint32_t *start; /* (n_in + 1,), and one more to make it */
    uint32_t *row;   /* (start[n_in],) ascending within a column */
    nn_real *value;
} nn__columns;

/* A sparse batch both ways, and room to work. */
typedef struct nn__sparse_batch {
    nn__entries rows;
    nn__columns columns; /* made when an update wants them, or before: */
    bool sorted;         /* they are those of `rows` */
    uint32_t *cursor;    /* (rows.rows,) */
} nn__sparse_batch;

/* Whether the forward pass of sparse x through a W of one tile goes in blocks of inputs, as through
 * one of several tiles it always does. */
bool nn__forward_in_blocks(const nn__entries *x, const nn__weights *W);

/* columns = the same entries, sorted by column.   n_in columns */
void nn__columns_make(nn__columns *columns, const nn__entries *rows, size_t n_in);

/* The numbers of an update with momentum: penalties already divided by n. */
typedef struct nn__momentum {
    nn_real eta, mu, l2;
    bool nesterov;
} nn__momentum;

typedef struct nn__product_kernels {
    /* y = scale x W + b for sparse x.   y (rows, n_out) with rows `ld` apart, b (n_out,) padded.
     * With `cursor` (rows,), scratch, each tile is worked on in blocks of inputs whose weights stay
     * in the caches nearby; it may be NULL where W lies in one tile (nn__forward_in_blocks). */
    void (*sparse_forward)(nn_real *restrict y, size_t ld, const nn__entries *x,
                           const nn__weights *W, const nn_real *restrict b, nn_real scale,
                           uint32_t *restrict cursor);

    /* W += c x^T dy, row of x after row: best for narrow layers, whose dy row stays in registers.
     * dy (rows, n_out) with rows `ld` apart. One tile. */
    void (*sparse_update_rows)(const nn__weights *W, const nn__entries *x,
                               const nn_real *restrict dy, size_t ld, nn_real c);

    /* W += c x^T dy for rows p = first .. first + n - 1 of W, by columns of x: each row of W is
     * read and written once. */
    void (*sparse_update_columns)(const nn__weights *W, const nn__columns *x, size_t first,
                                  size_t n, const nn_real *restrict dy, size_t ld, nn_real c);

    /* Momentum for these rows of W, by columns of x. With g = x^T dy + l2 W, also where a column is
     * empty:
     *     v <- mu v - eta g;   W <- W + v          nesterov: W <- W + mu v - eta g */
    void (*sparse_update_momentum)(const nn__weights *W, const nn__weights *v, const nn__columns *x,
                                   size_t first, size_t n, const nn_real *restrict dy, size_t ld,
                                   const nn__momentum *momentum);

    /* y = x W + b.   x (rows, n_in) with rows ldx apart, y with rows ldy apart. One tile; without b
     * where it is NULL. */
    void (*dense_forward)(nn_real *restrict y, size_t ldy, const nn_real *restrict x, size_t ldx,
                          size_t rows, const nn__weights *W, const nn_real *restrict b);

    /* W = beta W + c x^T dy.   x (rows, n_in) with rows ldx apart, dy with rows ldy apart. One
     * tile; with beta = 0 what W held does not matter, even NaN. */
    void (*dense_update)(const nn__weights *W, const nn_real *restrict x, size_t ldx,
                         const nn_real *restrict dy, size_t ldy, size_t rows, nn_real beta,
                         nn_real c);
} nn__product_kernels;

/* Bytes of weights in a block of inputs: they stay in the first-level cache, and what does not fit
 * there comes back from the second soon enough. A tile's row must take no more. */
enum { NN_BLOCK_BYTES = 40960 };

#ifdef NN_HAVE_V3
extern const nn__product_kernels nn__product_v3; /* for CPUs with x86-64-v3 alone */
#endif
#ifdef NN_HAVE_V4
extern const nn__product_kernels nn__product_v4; /* for CPUs with x86-64-v4 alone */
#endif
extern const nn__product_kernels nn__product_portable; /* for every CPU */

#endif

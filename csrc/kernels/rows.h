/* Rows of the caller's x, gathered into a batch of this build's numbers. */
#ifndef NN_KERNELS_ROWS_H
#define NN_KERNELS_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/* What one pass over x finds. */
typedef struct nn__rows_scan {
    bool finite;        /* no NaN, no infinity, nothing too large for an nn_real */
    size_t row, column; /* where the first one is, when not finite */
    double largest;     /* the largest number; for uint8 the byte itself. Without rows 0 for
                         * bytes, -infinity for floats */
} nn__rows_scan;

/* batch (n, x->n_columns), its rows `stride` apart, = rows order[0 .. n-1] of x, or rows first ..
 * first + n - 1 where order is NULL. Bytes become i/255, rounded once. Every row index is below
 * x->n_rows. */
void nn__rows_gather(nn_real *restrict batch, size_t stride, const nn_input *x,
                     const uint32_t *order, size_t first, size_t n);

/* Looks for NaN and infinity in rows first .. first + n - 1, and for the largest number. */
nn__rows_scan nn__rows_scan_block(const nn_input *x, size_t first, size_t n);

#endif

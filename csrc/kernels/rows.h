/* Rows of the caller's x: what is in them, and gathered into a batch of this build's numbers,
 * dense or as nonzeros. */
#ifndef NN_KERNELS_ROWS_H
#define NN_KERNELS_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "kernels/sparse.h"
#include "kernels/sparse_loops.h"

/* What one pass over x finds; begun with nn__rows_scan_begin, and gone on with row after row. */
typedef struct nn__rows_scan {
    bool finite;        /* no NaN, no infinity, nothing too large for an nn_real */
    size_t row, column; /* of the first number that is not finite; the rest then means nothing */
    bool hashes;        /* the checksum is wanted */
    nn__tally tally;    /* largest: for uint8 the byte itself; -HUGE_VAL without rows */
    uint64_t lanes[NN__LANES]; /* of the checksum */
} nn__rows_scan;

/* A scan that has seen nothing, with a checksum or, which is faster, without. */
nn__rows_scan nn__rows_scan_begin(bool hashes);

/* Goes on over rows first .. first + n - 1, to the first number that is not finite. */
void nn__rows_scan_block(nn__rows_scan *scan, const nn_input *x, size_t first, size_t n);

/* The checksum of all rows seen: of their bytes in order, whatever the stride between rows; of the
 * size and dtype of x too. */
uint64_t nn__rows_scan_checksum(const nn__rows_scan *scan, const nn_input *x);

/* batch (n, x->n_columns), its rows `stride` apart, = rows order[0 .. n-1] of x, or rows first ..
 * first + n - 1 where order is NULL. Bytes become i/255, rounded once. Every row index is below
 * x->n_rows. */
void nn__rows_gather(nn_real *restrict batch, size_t stride, const nn_input *x,
                     const uint32_t *order, size_t first, size_t n);

/* Adds n numbers of a dtype, n < 2^32, to the tally; false where one is NaN, infinite or too large
 * for an nn_real. */
bool nn__rows_tally(nn__tally *found, int dtype, const void *numbers, size_t n);

/* How many numbers of rows first .. first + n - 1 are not zero. */
size_t nn__rows_count(const nn_input *x, size_t first, size_t n);

/* The nonzeros of these rows of x, with all numbers finite; returns how many. The caller has room
 * for n + 1 starts and n * x->n_columns entries. */
size_t nn__rows_compress(nn__entries *entries, const nn_input *x, const uint32_t *order,
                         size_t first, size_t n);

/* The address of a row, and the columns of its nonzeros, ascending; returns how many.
 * column (n_columns,), all of which may be written. */
const void *nn__rows_row(const nn_input *x, size_t row);
size_t nn__rows_find(uint32_t *restrict column, const nn_input *x, const void *row);

#endif

/* The nonzeros of an x, kept row after row, and batches taken from them.
 *
 *     x           0 .5  0  0 |  0  0  0  0 | .25 0 .75 1 |          (n_rows, n_columns)
 *     start     [ 0            1             1             4 ]      (n_rows + 1,)
 *     columns   [ 1                          0  2  3 ]              (n_nonzero,)
 *     values    [ .5                        .25 .75 1 ]             (n_nonzero,)
 *
 * Both zeros, 0 and -0, count as zero. Columns ascend within a row; they take two bytes where
 * 65,536 columns or fewer allow it. Values stay bytes where x is bytes, and become bytes where all
 * are i/255 for a byte i; else they take the narrower of x's numbers and nn_real: 3 bytes a
 * nonzero, or 6 for other float32. */
#ifndef NN_KERNELS_SPARSE_H
#define NN_KERNELS_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/real.h"
#include "base/status.h"
#include "base/types.h"

/* Immutable once made; any number of threads may read it. */
typedef struct nn__sparse {
    size_t n_rows, n_columns, n_nonzero;
    size_t longest; /* most nonzeros of a row */
    /* The largest number of x, zeros included, the byte itself for uint8. Known for a form made of
     * CSR alone; -HUGE_VAL for others and without rows. */
    double largest;
    int dtype;     /* of values: float32, uint8, or float64 in the double build */
    bool wide;     /* columns are uint32_t, not uint16_t */
    size_t *start; /* (n_rows + 1,) */
    void *columns; /* (n_nonzero,) */
    void *values;  /* (n_nonzero,) */
} nn__sparse;

/* A batch's nonzeros, row after row, columns ascending within a row. */
typedef struct nn__entries {
    size_t rows;
    uint32_t *start;  /* (rows + 1,) */
    uint32_t *column; /* (start[rows],) */
    nn_real *value;   /* (start[rows],) */
} nn__entries;

/* Chooses the loops of this file and of rows.h for a CPU level; before, they are the portable ones.
 * Every level gives the same bits. Not beside any other call. */
void nn__sparse_start(nn__cpu_level level);

/* ---- making one ------------------------------------------------------------------------------ */

/* The nonzeros of x, of which a scan has counted n_nonzero; every number is finite. `poll` may be
 * NULL. NN_ERROR_ARGUMENT: there are more or fewer nonzeros: x has changed since. NN_ERROR_SIZE:
 * 2^32 columns and more. Also NN_ERROR_MEMORY, NN_STOPPED. */
nn_status nn__sparse_create(nn__sparse **sparse, const nn_input *x, size_t n_nonzero, nn_poll *poll,
                            void *poll_context);

/* The same of compressed sparse rows; zeros among the values are left out. NN_ERROR_ARGUMENT: a
 * dtype or index size is foreign; row_start does not begin with 0, descends or exceeds n_values; a
 * column is outside or not above the one before. NN_ERROR_NUMBER: a number is NaN, infinite or too
 * large for an nn_real; then *row and *column say where the first is. Also NN_ERROR_SIZE,
 * NN_ERROR_MEMORY, NN_STOPPED. */
nn_status nn__sparse_create_csr(nn__sparse **sparse, const nn_csr *csr, size_t *row, size_t *column,
                                nn_poll *poll, void *poll_context);

/* The steps of making one, row after row. nn__sparse_make: of this size and x's dtype, without
 * contents (NN_ERROR_SIZE, NN_ERROR_MEMORY). nn__sparse_end_row: after each row, with the nonzeros
 * so far. */
nn_status nn__sparse_make(nn__sparse **sparse, size_t n_rows, size_t n_columns, size_t n_nonzero,
                          int dtype);
void nn__sparse_end_row(nn__sparse *sparse, size_t row, size_t end);

/* Frees it; NULL is allowed. */
void nn__sparse_free(nn__sparse *sparse);

/* ---- taking rows from it --------------------------------------------------------------------- */

/* In all of these the rows are order[0 .. n-1], or first .. first + n - 1 where order is NULL. */

/* The rows' nonzeros. The caller has room for them: n + 1 starts, nn__sparse_count entries. */
void nn__sparse_gather(nn__entries *entries, const nn__sparse *sparse, const uint32_t *order,
                       size_t first, size_t n);

/* The same in two steps: rows and starts of the batch; then the entries of its rows r .. r_end - 1,
 * which threads may share. */
void nn__sparse_gather_start(nn__entries *entries, const nn__sparse *sparse, const uint32_t *order,
                             size_t first, size_t n);
void nn__sparse_gather_rows(const nn__entries *entries, const nn__sparse *sparse,
                            const uint32_t *order, size_t first, size_t r, size_t r_end);

/* How many nonzeros these rows have. */
size_t nn__sparse_count(const nn__sparse *sparse, const uint32_t *order, size_t first, size_t n);

/* Most nonzeros of any row: m rows have at most m times as many. */
size_t nn__sparse_longest(const nn__sparse *sparse);

/* Asks the memory for rows order[0 .. n-1], which a later call will gather. */
void nn__sparse_prefetch(const nn__sparse *sparse, const uint32_t *order, size_t n);

/* The rows written out, zeros included.   batch (n, n_columns), rows ld >= n_columns apart */
void nn__sparse_scatter(nn_real *batch, size_t ld, const nn__sparse *sparse, const uint32_t *order,
                        size_t first, size_t n);

#endif

/* The loops of rows.c and sparse.c: one table of functions a CPU level, its bodies in
 * sparse_body.h. Every level gives the same bits. Numbers of x are aligned for themselves only. */
#ifndef NN_KERNELS_SPARSE_LOOPS_H
#define NN_KERNELS_SPARSE_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/real.h"

/* The lanes of a checksum under way; it takes NN__STRIPE bytes at once. */
enum { NN__LANES = 16, NN__STRIPE = 8 * NN__LANES };

/* What has been found in a run of numbers. */
typedef struct nn__tally {
    size_t n_nonzero;
    double largest;
} nn__tally;

typedef struct nn__sparse_loops {
    /* lanes = those after `n` bytes more; a last part of a stripe is filled up with zeros. */
    void (*hash)(uint64_t *restrict lanes, const void *restrict bytes, size_t n);

    /* Adds n >= 1 numbers to the tally. False where one is NaN, infinite or too large for an
     * nn_real; what the tally then says means nothing. n < 2^32. */
    bool (*tally_float32)(nn__tally *tally, const void *row, size_t n);
    bool (*tally_float64)(nn__tally *tally, const void *row, size_t n);
    bool (*tally_uint8)(nn__tally *tally, const void *row, size_t n);

    /* column = where the nonzeros of a row (n,) are, ascending; returns how many.   column has room
     * for n, all of which may be written. */
    size_t (*find_float32)(uint32_t *restrict column, const void *restrict row, size_t n);
    size_t (*find_float64)(uint32_t *restrict column, const void *restrict row, size_t n);
    size_t (*find_uint8)(uint32_t *restrict column, const void *restrict row, size_t n);

    /* out[i] = row[column[i]]; for bytes i/255, rounded once.   out (n,) */
    void (*pick_float32)(nn_real *restrict out, const void *restrict row,
                         const uint32_t *restrict column, size_t n);
    void (*pick_float64)(nn_real *restrict out, const void *restrict row,
                         const uint32_t *restrict column, size_t n);
    void (*pick_uint8)(nn_real *restrict out, const void *restrict row,
                       const uint32_t *restrict column, size_t n);

    /* out = in as nn_reals, rounded once where that is needed; bytes as i/255.   (n,) */
    void (*convert_float32)(nn_real *restrict out, const void *restrict in, size_t n);
    void (*convert_float64)(nn_real *restrict out, const void *restrict in, size_t n);
    void (*convert_uint8)(nn_real *restrict out, const void *restrict in, size_t n);

    /* out = the bytes i whose i/255, in nn_real, is in; false where a number is none of these.
     * (n,) */
    bool (*to_bytes)(uint8_t *restrict out, const nn_real *restrict in, size_t n);

    /* Columns to two bytes and back.   (n,) */
    void (*narrow)(uint16_t *restrict out, const uint32_t *restrict in, size_t n);
    void (*widen)(uint32_t *restrict out, const uint16_t *restrict in, size_t n);
} nn__sparse_loops;

/* The table that nn__sparse_start has chosen. */
const nn__sparse_loops *nn__sparse_table(void);

#ifdef NN_HAVE_V3
extern const nn__sparse_loops nn__sparse_v3; /* for CPUs with x86-64-v3 alone */
#endif
#ifdef NN_HAVE_V4
extern const nn__sparse_loops nn__sparse_v4; /* for CPUs with x86-64-v4 alone */
#endif
extern const nn__sparse_loops nn__sparse_portable; /* for every CPU */

#endif

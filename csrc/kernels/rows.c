#include "kernels/rows.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef NN_DOUBLE
#define REAL_MAX DBL_MAX
#else
#define REAL_MAX (double)FLT_MAX
#endif

#define B(i) ((nn_real)((i) / 255.0))
#define B4(i) B(i), B(i + 1), B(i + 2), B(i + 3)
#define B16(i) B4(i), B4(i + 4), B4(i + 8), B4(i + 12)
#define B64(i) B16(i), B16(i + 16), B16(i + 32), B16(i + 48)
/* bytes[i] = i/255, rounded once. */
static const nn_real bytes[256] = {B64(0), B64(64), B64(128), B64(192)};

static const void *row_of(const nn_input *x, size_t row) {
    return (const char *)x->values + (ptrdiff_t)row * x->row_stride;
}

static void copy_float32(nn_real *restrict out, const float *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (nn_real)in[i];
}

static void copy_float64(nn_real *restrict out, const double *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (nn_real)in[i];
}

static void copy_uint8(nn_real *restrict out, const uint8_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = bytes[in[i]];
}

void nn__rows_gather(nn_real *restrict batch, size_t stride, const nn_input *x,
                     const uint32_t *order, size_t first, size_t n) {
    const size_t width = x->n_columns;
    for (size_t r = 0; r < n; r++) {
        const void *row = row_of(x, order != NULL ? order[r] : first + r);
        nn_real *out = batch + r * stride;
        if (x->dtype == NN_DTYPE_FLOAT32)
            copy_float32(out, row, width);
        else if (x->dtype == NN_DTYPE_FLOAT64)
            copy_float64(out, row, width);
        else
            copy_uint8(out, row, width);
    }
}

/* The columns of one row of floats, in double; stops at the first that is not finite. */
static bool scan_row(const nn_input *x, const void *row, nn__rows_scan *scan) {
    for (size_t c = 0; c < x->n_columns; c++) {
        double value = x->dtype == NN_DTYPE_FLOAT32 ? (double)((const float *)row)[c]
                                                    : ((const double *)row)[c];
        if (!(fabs(value) <= REAL_MAX)) { /* NaN fails too */
            scan->finite = false;
            scan->column = c;
            return false;
        }
        if (value > scan->largest) scan->largest = value;
    }
    return true;
}

/* The largest byte of a row, at least `largest`. */
static uint8_t scan_bytes(const uint8_t *row, size_t n, uint8_t largest) {
    for (size_t c = 0; c < n; c++) largest = row[c] > largest ? row[c] : largest;
    return largest;
}

nn__rows_scan nn__rows_scan_block(const nn_input *x, size_t first, size_t n) {
    nn__rows_scan scan = {.finite = true, .largest = x->dtype == NN_DTYPE_UINT8 ? 0 : -INFINITY};
    for (size_t r = first; r < first + n; r++) {
        const void *row = row_of(x, r);
        scan.row = r;
        if (x->dtype == NN_DTYPE_UINT8)
            scan.largest = scan_bytes(row, x->n_columns, (uint8_t)scan.largest);
        else if (!scan_row(x, row, &scan))
            break;
    }
    return scan;
}

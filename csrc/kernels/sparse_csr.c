/* The sparse form of compressed sparse rows that the caller has: checked once, then copied. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/sparse.h"

/* Rows between two questions to the poll function. */
enum { BLOCK = 1024 };

/* Number i of the caller's row starts or columns. */
static int64_t index_at(const void *indices, size_t size, size_t i) {
    return size == 4 ? (int64_t)((const int32_t *)indices)[i] : ((const int64_t *)indices)[i];
}

static double value_at(const nn_csr *csr, size_t i) {
    if (csr->dtype == NN_DTYPE_UINT8) return ((const uint8_t *)csr->values)[i];
    return csr->dtype == NN_DTYPE_FLOAT32 ? (double)((const float *)csr->values)[i]
                                          : ((const double *)csr->values)[i];
}

/* What a first pass finds. */
typedef struct found {
    size_t n_nonzero;
    size_t row, column; /* of a number that is not finite */
    double largest;
} found;

/* One row: columns ascend and are inside, numbers are finite. */
static nn_status check_row(const nn_csr *csr, size_t row, size_t at, size_t end, found *f) {
    const double most = sizeof(nn_real) == sizeof(double) ? DBL_MAX : (double)FLT_MAX;
    int64_t before = -1;
    for (size_t i = at; i < end; i++) {
        const int64_t column = index_at(csr->columns, csr->index_size, i);
        const double value = value_at(csr, i);
        if (column <= before || (uint64_t)column >= csr->n_columns) return NN_ERROR_ARGUMENT;
        before = column;
        f->row = row;
        f->column = (size_t)column;
        if (!(fabs(value) <= most)) return NN_ERROR_NUMBER; /* NaN fails too */
        f->n_nonzero += value != 0;
        if (value > f->largest) f->largest = value;
    }
    if (end - at < csr->n_columns && f->largest < 0) f->largest = 0; /* zeros left out count */
    return NN_OK;
}

/* What one pass does with the numbers at .. end - 1 of a row. */
typedef nn_status visit_row(void *context, const nn_csr *csr, size_t row, size_t at, size_t end);

/* Visits row after row; row_start begins with 0, never descends and stays within the values. */
static nn_status each_row(const nn_csr *csr, visit_row *visit, void *context, nn_poll *poll,
                          void *poll_context) {
    nn_progress progress = {.total = csr->n_rows};
    int64_t at = index_at(csr->row_start, csr->index_size, 0);
    if (at != 0) return NN_ERROR_ARGUMENT;
    for (size_t r = 0; r < csr->n_rows; r++) {
        const int64_t end = index_at(csr->row_start, csr->index_size, r + 1);
        progress.done = r;
        if (r % BLOCK == 0 && poll != NULL && poll(poll_context, &progress) != 0) return NN_STOPPED;
        if (end < at || (uint64_t)end > csr->n_values) return NN_ERROR_ARGUMENT;
        NN_TRY(visit(context, csr, r, (size_t)at, (size_t)end));
        at = end;
    }
    return NN_OK;
}

static nn_status visit_check(void *context, const nn_csr *csr, size_t row, size_t at, size_t end) {
    return check_row(csr, row, at, end, context);
}

/* Copies a row. That is not more than was counted, also where the caller has meanwhile written into
 * the arrays. */
static nn_status visit_copy(void *context, const nn_csr *csr, size_t row, size_t at, size_t end) {
    nn__sparse *sparse = context;
    size_t to = sparse->start[row];
    for (size_t i = at; i < end; i++) {
        const size_t column = (size_t)index_at(csr->columns, csr->index_size, i);
        const double value = value_at(csr, i);
        if (value == 0) continue;
        if (to == sparse->n_nonzero || column >= csr->n_columns) return NN_ERROR_ARGUMENT;
        nn__sparse_put(sparse, to, column, value);
        to += 1;
    }
    nn__sparse_end_row(sparse, row, to);
    return NN_OK;
}

static nn_status check_csr(const nn_csr *csr) {
    if (nn_dtype_name(csr->dtype) == NULL) return NN_ERROR_ARGUMENT;
    return csr->index_size == 4 || csr->index_size == 8 ? NN_OK : NN_ERROR_ARGUMENT;
}

nn_status nn__sparse_create_csr(nn__sparse **sparse, const nn_csr *csr, size_t *row, size_t *column,
                                nn_poll *poll, void *poll_context) {
    found f = {.largest = -HUGE_VAL};
    nn__sparse *made;
    *sparse = NULL;
    NN_TRY(check_csr(csr));
    nn_status status = each_row(csr, visit_check, &f, poll, poll_context);
    if (status == NN_ERROR_NUMBER) {
        *row = f.row;
        *column = f.column;
    }
    NN_TRY(status);
    NN_TRY(nn__sparse_make(&made, csr->n_rows, csr->n_columns, f.n_nonzero, csr->dtype));
    made->largest = f.largest;
    status = each_row(csr, visit_copy, made, poll, poll_context);
    if (status == NN_OK && made->start[csr->n_rows] != f.n_nonzero) status = NN_ERROR_ARGUMENT;
    if (status == NN_OK)
        *sparse = made;
    else
        nn__sparse_free(made);
    return status;
}

/* The sparse form of compressed sparse rows that the caller has: checked once, then copied. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/sparse.h"
#include "kernels/sparse_loops.h"

/* Rows between two questions to the poll function. */
enum { BLOCK = 1024 };

/* Number i of the caller's row starts or columns. */
static int64_t index_at(const void *indices, size_t size, size_t i) {
    return size == 4 ? (int64_t)((const int32_t *)indices)[i] : ((const int64_t *)indices)[i];
}

static size_t size_of(int dtype) {
    if (dtype == NN_DTYPE_UINT8) return 1;
    return dtype == NN_DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

static const char *value_at(const nn_csr *csr, size_t i) {
    return (const char *)csr->values + i * size_of(csr->dtype);
}

/* ---- the first pass: checks ------------------------------------------------------------------ */

/* What it finds. */
typedef struct found {
    nn__tally tally;
    size_t row, column; /* of a number that is not finite */
} found;

/* Whether a row's columns (n,) ascend and are inside. */
#define DEFINE_ASCEND(bits)                                                                        \
    static bool ascend_##bits(const int##bits##_t *column, size_t n, size_t n_columns) {           \
        int falls = 0;                                                                             \
        for (size_t i = 1; i < n; i++) falls |= column[i] <= column[i - 1];                        \
        return n == 0 || (!falls && column[0] >= 0 && (uint64_t)column[n - 1] < n_columns);        \
    }
DEFINE_ASCEND(32)
DEFINE_ASCEND(64)

/* Adds n numbers to the tally; false where one is not finite. */
static bool tally(nn__tally *sum, int dtype, const void *numbers, size_t n) {
    const nn__sparse_loops *loops = nn__sparse_table();
    if (dtype == NN_DTYPE_FLOAT32) return loops->tally_float32(sum, numbers, n);
    if (dtype == NN_DTYPE_FLOAT64) return loops->tally_float64(sum, numbers, n);
    return loops->tally_uint8(sum, numbers, n);
}

static nn_status check_row(void *context, const nn_csr *csr, size_t row, size_t at, size_t n) {
    found *f = context;
    const bool ascends = csr->index_size == 4
                             ? ascend_32((const int32_t *)csr->columns + at, n, csr->n_columns)
                             : ascend_64((const int64_t *)csr->columns + at, n, csr->n_columns);
    if (!ascends) return NN_ERROR_ARGUMENT;
    if (n > 0 && !tally(&f->tally, csr->dtype, value_at(csr, at), n)) {
        nn__tally one = {0};
        while (tally(&one, csr->dtype, value_at(csr, at), 1)) at += 1;
        f->row = row;
        f->column = (size_t)index_at(csr->columns, csr->index_size, at);
        return NN_ERROR_NUMBER;
    }
    if (n < csr->n_columns && f->tally.largest < 0) f->tally.largest = 0; /* zeros left out count */
    return NN_OK;
}

/* ---- the second pass: copies ----------------------------------------------------------------- */

/* Columns at .. at + n - 1 of the caller's to `to` .. of ours. False where one is outside: the
 * caller has written into the array since the first pass. */
static bool copy_columns(nn__sparse *sparse, size_t to, const nn_csr *csr, size_t at, size_t n) {
    uint32_t *wide = (uint32_t *)sparse->columns + to;
    uint16_t *narrow = (uint16_t *)sparse->columns + to;
    uint32_t last = 0;
    if (csr->index_size == 4 && sparse->wide)
        memcpy(wide, (const int32_t *)csr->columns + at, n * sizeof *wide);
    else if (csr->index_size == 4)
        nn__sparse_table()->narrow(narrow, (const uint32_t *)csr->columns + at, n);
    else
        for (size_t i = 0; i < n; i++) {
            const int64_t column = ((const int64_t *)csr->columns)[at + i];
            if (sparse->wide)
                wide[i] = (uint32_t)column;
            else
                narrow[i] = (uint16_t)column;
        }
    for (size_t i = 0; i < n; i++) {
        const uint32_t column = sparse->wide ? wide[i] : narrow[i];
        last = column > last ? column : last;
    }
    return last < sparse->n_columns;
}

/* Numbers at .. at + n - 1 of the caller's to `to` .. of ours. */
static void copy_values(nn__sparse *sparse, size_t to, const nn_csr *csr, size_t at, size_t n) {
    const size_t size = size_of(sparse->dtype);
    char *out = (char *)sparse->values + to * size;
    if (sparse->dtype == csr->dtype)
        memcpy(out, value_at(csr, at), n * size);
    else /* float64 kept as nn_real */
        nn__sparse_table()->convert_float64((nn_real *)(void *)out, value_at(csr, at), n);
}

/* Copies the nonzeros among n numbers; returns where they end: beyond n_nonzero where there are
 * more than were counted. */
static size_t copy_nonzeros(nn__sparse *sparse, const nn_csr *csr, size_t to, size_t at, size_t n) {
    nn__tally none = {0};
    for (size_t i = 0; i < n; i++) {
        const size_t before = none.n_nonzero;
        tally(&none, csr->dtype, value_at(csr, at + i), 1);
        if (none.n_nonzero == before) continue;
        if (to == sparse->n_nonzero) return to + 1; /* more than were counted */
        if (!copy_columns(sparse, to, csr, at + i, 1)) return sparse->n_nonzero + 1;
        copy_values(sparse, to, csr, at + i, 1);
        to += 1;
    }
    return to;
}

/* Copies a row; not more than was counted, also where the caller has written into the arrays since
 * the first pass. */
static nn_status copy_row(void *context, const nn_csr *csr, size_t row, size_t at, size_t n) {
    nn__sparse *sparse = context;
    const size_t to = sparse->start[row];
    nn__tally here = {0};
    if (n > 0) tally(&here, csr->dtype, value_at(csr, at), n);
    if (here.n_nonzero > sparse->n_nonzero - to) return NN_ERROR_ARGUMENT;
    size_t end = to + n;
    if (here.n_nonzero < n) {
        end = copy_nonzeros(sparse, csr, to, at, n);
        if (end > sparse->n_nonzero) return NN_ERROR_ARGUMENT;
    } else {
        if (!copy_columns(sparse, to, csr, at, n)) return NN_ERROR_ARGUMENT;
        copy_values(sparse, to, csr, at, n);
    }
    nn__sparse_end_row(sparse, row, end);
    return NN_OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* What one pass does with the n numbers of a row, from number `at` on. */
typedef nn_status visit_row(void *context, const nn_csr *csr, size_t row, size_t at, size_t n);

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
        NN_TRY(visit(context, csr, r, (size_t)at, (size_t)(end - at)));
        at = end;
    }
    return NN_OK;
}

static nn_status check_csr(const nn_csr *csr) {
    if (nn_dtype_name(csr->dtype) == NULL) return NN_ERROR_ARGUMENT;
    return csr->index_size == 4 || csr->index_size == 8 ? NN_OK : NN_ERROR_ARGUMENT;
}

nn_status nn__sparse_create_csr(nn__sparse **sparse, const nn_csr *csr, size_t *row, size_t *column,
                                nn_poll *poll, void *poll_context) {
    found f = {.tally = {.largest = -HUGE_VAL}};
    nn__sparse *made;
    *sparse = NULL;
    NN_TRY(check_csr(csr));
    nn_status status = each_row(csr, check_row, &f, poll, poll_context);
    if (status == NN_ERROR_NUMBER) {
        *row = f.row;
        *column = f.column;
    }
    NN_TRY(status);
    NN_TRY(nn__sparse_make(&made, csr->n_rows, csr->n_columns, f.tally.n_nonzero, csr->dtype));
    made->largest = f.tally.largest;
    status = each_row(csr, copy_row, made, poll, poll_context);
    if (status == NN_OK && made->start[csr->n_rows] != f.tally.n_nonzero)
        status = NN_ERROR_ARGUMENT;
    if (status == NN_OK)
        *sparse = made;
    else
        nn__sparse_free(made);
    return status;
}

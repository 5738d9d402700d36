#include "kernels/sparse.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/rows.h"
#include "kernels/sparse_loops.h"

/* Rows between two questions to the poll function. */
enum { BLOCK = 1024 };

/* ---- the loops of this CPU ------------------------------------------------------------------- */

static const nn__sparse_loops *chosen = &nn__sparse_portable;

void nn__sparse_start(nn__cpu_level level) {
#ifdef NN_HAVE_V3
    if (level >= NN__CPU_V3) chosen = &nn__sparse_v3;
#endif
#ifdef NN_HAVE_V4
    if (level == NN__CPU_V4) chosen = &nn__sparse_v4;
#endif
    (void)level;
}

const nn__sparse_loops *nn__sparse_table(void) {
    return chosen;
}

/* ---- making one ------------------------------------------------------------------------------ */

/* The dtype in which numbers of x are kept: the narrower of theirs and nn_real. */
static int kept_dtype(int dtype) {
    return dtype == NN_DTYPE_FLOAT64 && sizeof(nn_real) == sizeof(float) ? NN_DTYPE_FLOAT32 : dtype;
}

static size_t size_of(int dtype) {
    if (dtype == NN_DTYPE_UINT8) return 1;
    return dtype == NN_DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

nn_status nn__sparse_make(nn__sparse **sparse, size_t n_rows, size_t n_columns, size_t n_nonzero,
                          int dtype) {
    *sparse = NULL;
    if (n_rows > UINT32_MAX || n_columns > UINT32_MAX || n_columns == 0) return NN_ERROR_SIZE;
    nn__sparse *made = nn__allocate(1, sizeof *made);
    if (made == NULL) return NN_ERROR_MEMORY;
    *made = (nn__sparse){.n_rows = n_rows,
                         .n_columns = n_columns,
                         .n_nonzero = n_nonzero,
                         .largest = -HUGE_VAL,
                         .dtype = kept_dtype(dtype),
                         .wide = n_columns > (size_t)UINT16_MAX + 1};
    made->start = nn__allocate(n_rows + 1, sizeof *made->start);
    made->columns = nn__allocate_raw(n_nonzero, made->wide ? sizeof(uint32_t) : sizeof(uint16_t));
    made->values = nn__allocate_raw(n_nonzero, size_of(made->dtype));
    if (made->start == NULL || made->columns == NULL || made->values == NULL) {
        nn__sparse_free(made);
        return NN_ERROR_MEMORY;
    }
    *sparse = made;
    return NN_OK;
}

void nn__sparse_free(nn__sparse *sparse) {
    if (sparse == NULL) return;
    nn__release(sparse->start);
    nn__release(sparse->columns);
    nn__release(sparse->values);
    nn__release(sparse);
}

static void put_columns(nn__sparse *sparse, size_t at, const uint32_t *column, size_t n) {
    if (sparse->wide)
        memcpy((uint32_t *)sparse->columns + at, column, n * sizeof *column);
    else
        chosen->narrow((uint16_t *)sparse->columns + at, column, n);
}

/* Numbers row[column[i]] of x, as they are kept. */
static void put_values(nn__sparse *sparse, size_t at, int dtype, const void *row,
                       const uint32_t *restrict column, size_t n) {
    if (dtype == NN_DTYPE_UINT8) {
        uint8_t *restrict out = (uint8_t *)sparse->values + at;
        const uint8_t *x = row;
        for (size_t i = 0; i < n; i++) out[i] = x[column[i]];
    } else if (dtype == NN_DTYPE_FLOAT32) {
        float *restrict out = (float *)sparse->values + at;
        const float *x = row;
        for (size_t i = 0; i < n; i++) out[i] = x[column[i]];
    } else {
        chosen->pick_float64((nn_real *)sparse->values + at, row, column, n);
    }
}

void nn__sparse_end_row(nn__sparse *sparse, size_t row, size_t end) {
    const size_t n = end - sparse->start[row];
    sparse->start[row + 1] = end;
    if (n > sparse->longest) sparse->longest = n;
}

/* The same of floats as bytes i that stand for i/255. False where a number is none of these.
 * value (n,) is scratch. */
static bool put_as_bytes(nn__sparse *sparse, size_t at, int dtype, const void *row,
                         const uint32_t *column, size_t n, nn_real *value) {
    if (dtype == NN_DTYPE_FLOAT32)
        chosen->pick_float32(value, row, column, n);
    else
        chosen->pick_float64(value, row, column, n);
    return chosen->to_bytes((uint8_t *)sparse->values + at, value, n);
}

/* Room to fill one row. */
typedef struct scratch {
    uint32_t *column; /* (n_columns,) */
    nn_real *value;   /* (n_columns,) */
} scratch;

/* Fills all rows. NN_ERROR_NUMBER: the numbers were to be bytes and are not. */
static nn_status fill(nn__sparse *sparse, const nn_input *x, const scratch *room, nn_poll *poll,
                      void *poll_context) {
    const bool as_bytes = sparse->dtype == NN_DTYPE_UINT8 && x->dtype != NN_DTYPE_UINT8;
    uint32_t *column = room->column;
    nn_progress progress = {.total = x->n_rows};
    size_t at = 0;
    for (size_t r = 0; r < x->n_rows; r++) {
        progress.done = r;
        if (r % BLOCK == 0 && poll != NULL && poll(poll_context, &progress) != 0) return NN_STOPPED;
        const void *row = nn__rows_row(x, r);
        const size_t n = nn__rows_find(column, x, row);
        if (n > sparse->n_nonzero - at) return NN_ERROR_ARGUMENT;
        put_columns(sparse, at, column, n);
        if (!as_bytes)
            put_values(sparse, at, x->dtype, row, column, n);
        else if (!put_as_bytes(sparse, at, x->dtype, row, column, n, room->value))
            return NN_ERROR_NUMBER;
        at += n;
        nn__sparse_end_row(sparse, r, at);
    }
    return at == sparse->n_nonzero ? NN_OK : NN_ERROR_ARGUMENT;
}

/* One that keeps numbers as `dtype`. */
static nn_status create_as(nn__sparse **sparse, int dtype, const nn_input *x, size_t n_nonzero,
                           const scratch *room, nn_poll *poll, void *poll_context) {
    nn__sparse *made;
    *sparse = NULL;
    NN_TRY(nn__sparse_make(&made, x->n_rows, x->n_columns, n_nonzero, dtype));
    nn_status status = fill(made, x, room, poll, poll_context);
    if (status == NN_OK)
        *sparse = made;
    else
        nn__sparse_free(made);
    return status;
}

/* Floats are tried as bytes first: the smaller the rows, the more of them stay in the cache, and
 * pictures are mostly bytes that somebody has divided by 255. Others fail with their first
 * numbers. */
nn_status nn__sparse_create(nn__sparse **sparse, const nn_input *x, size_t n_nonzero, nn_poll *poll,
                            void *poll_context) {
    const scratch room = {nn__allocate(x->n_columns, sizeof *room.column),
                          nn__allocate(x->n_columns, sizeof *room.value)};
    nn_status status = NN_ERROR_MEMORY;
    *sparse = NULL;
    if (room.column != NULL && room.value != NULL)
        status = create_as(sparse, NN_DTYPE_UINT8, x, n_nonzero, &room, poll, poll_context);
    if (status == NN_ERROR_NUMBER)
        status = create_as(sparse, x->dtype, x, n_nonzero, &room, poll, poll_context);
    nn__release(room.column);
    nn__release(room.value);
    return status;
}

/* ---- taking rows from it --------------------------------------------------------------------- */

static size_t row_at(const uint32_t *order, size_t first, size_t r) {
    return order != NULL ? order[r] : first + r;
}

/* The values from `at` on, as nn_reals. */
static void take_values(nn_real *restrict out, const nn__sparse *sparse, size_t at, size_t n) {
    if (sparse->dtype == NN_DTYPE_UINT8)
        chosen->convert_uint8(out, (const uint8_t *)sparse->values + at, n);
    else if (sparse->dtype == NN_DTYPE_FLOAT32)
        chosen->convert_float32(out, (const float *)sparse->values + at, n);
    else
        chosen->convert_float64(out, (const double *)sparse->values + at, n);
}

void nn__sparse_gather_start(nn__entries *entries, const nn__sparse *sparse, const uint32_t *order,
                             size_t first, size_t n) {
    size_t end = 0;
    entries->rows = n;
    entries->start[0] = 0;
    for (size_t r = 0; r < n; r++) {
        const size_t row = row_at(order, first, r);
        end += sparse->start[row + 1] - sparse->start[row];
        entries->start[r + 1] = (uint32_t)end;
    }
}

void nn__sparse_gather_rows(const nn__entries *entries, const nn__sparse *sparse,
                            const uint32_t *order, size_t first, size_t r, size_t r_end) {
    for (; r < r_end; r++) {
        const size_t at = sparse->start[row_at(order, first, r)], to = entries->start[r];
        const size_t count = entries->start[r + 1] - to;
        if (sparse->wide)
            memcpy(entries->column + to, (const uint32_t *)sparse->columns + at,
                   count * sizeof *entries->column);
        else
            chosen->widen(entries->column + to, (const uint16_t *)sparse->columns + at, count);
        take_values(entries->value + to, sparse, at, count);
    }
}

void nn__sparse_gather(nn__entries *entries, const nn__sparse *sparse, const uint32_t *order,
                       size_t first, size_t n) {
    nn__sparse_gather_start(entries, sparse, order, first, n);
    nn__sparse_gather_rows(entries, sparse, order, first, 0, n);
}

size_t nn__sparse_count(const nn__sparse *sparse, const uint32_t *order, size_t first, size_t n) {
    if (order == NULL) return sparse->start[first + n] - sparse->start[first];
    size_t count = 0;
    for (size_t r = 0; r < n; r++) count += sparse->start[order[r] + 1] - sparse->start[order[r]];
    return count;
}

size_t nn__sparse_longest(const nn__sparse *sparse) {
    return sparse->longest;
}

/* Prefetches the lines of bytes [from, to). */
static void prefetch(const char *from, const char *to) {
    for (; from < to; from += 64) __builtin_prefetch(from);
}

void nn__sparse_prefetch(const nn__sparse *sparse, const uint32_t *order, size_t n) {
    const size_t column = sparse->wide ? 4 : 2, value = size_of(sparse->dtype);
    for (size_t r = 0; r < n; r++) {
        const size_t at = sparse->start[order[r]], end = sparse->start[order[r] + 1];
        const char *columns = sparse->columns, *values = sparse->values;
        prefetch(columns + at * column, columns + end * column);
        prefetch(values + at * value, values + end * value);
    }
}

void nn__sparse_scatter(nn_real *batch, size_t ld, const nn__sparse *sparse, const uint32_t *order,
                        size_t first, size_t n) {
    enum { PART = 64 };
    nn_real value[PART];
    for (size_t r = 0; r < n; r++) {
        const size_t row = row_at(order, first, r), end = sparse->start[row + 1];
        nn_real *out = batch + r * ld;
        memset(out, 0, sparse->n_columns * sizeof *out);
        for (size_t at = sparse->start[row]; at < end; at += PART) {
            const size_t count = end - at < PART ? end - at : PART;
            take_values(value, sparse, at, count);
            for (size_t i = 0; i < count; i++)
                out[sparse->wide ? ((const uint32_t *)sparse->columns)[at + i]
                                 : ((const uint16_t *)sparse->columns)[at + i]] = value[i];
        }
    }
}

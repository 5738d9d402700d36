#include "kernels/rows.h"

#include <math.h>

/* Bytes of a row that are hashed and looked at before the next: they stay in the first cache. */
enum { PART = 4096 };

const void *nn__rows_row(const nn_input *x, size_t row) {
    return (const char *)x->values + (ptrdiff_t)row * x->row_stride;
}

static size_t size_of(int dtype) {
    if (dtype == NN_DTYPE_UINT8) return 1;
    return dtype == NN_DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Row follows row without a gap. */
static bool is_compact(const nn_input *x) {
    return x->row_stride == (ptrdiff_t)(x->n_columns * size_of(x->dtype));
}

/* ---- gathering ------------------------------------------------------------------------------- */

void nn__rows_gather(nn_real *restrict batch, size_t stride, const nn_input *x,
                     const uint32_t *order, size_t first, size_t n) {
    const nn__sparse_loops *loops = nn__sparse_table();
    const bool whole = order == NULL && stride == x->n_columns && n > 0 && is_compact(x);
    const size_t width = whole ? n * x->n_columns : x->n_columns, rows = whole ? 1 : n;
    for (size_t r = 0; r < rows; r++) {
        const void *row = nn__rows_row(x, order != NULL ? order[r] : first + r);
        nn_real *out = batch + r * stride;
        if (x->dtype == NN_DTYPE_FLOAT32)
            loops->convert_float32(out, row, width);
        else if (x->dtype == NN_DTYPE_FLOAT64)
            loops->convert_float64(out, row, width);
        else
            loops->convert_uint8(out, row, width);
    }
}

size_t nn__rows_find(uint32_t *restrict column, const nn_input *x, const void *row) {
    const nn__sparse_loops *loops = nn__sparse_table();
    if (x->dtype == NN_DTYPE_FLOAT32) return loops->find_float32(column, row, x->n_columns);
    if (x->dtype == NN_DTYPE_FLOAT64) return loops->find_float64(column, row, x->n_columns);
    return loops->find_uint8(column, row, x->n_columns);
}

static void pick(nn_real *restrict value, const nn_input *x, const void *row,
                 const uint32_t *restrict column, size_t n) {
    const nn__sparse_loops *loops = nn__sparse_table();
    if (x->dtype == NN_DTYPE_FLOAT32)
        loops->pick_float32(value, row, column, n);
    else if (x->dtype == NN_DTYPE_FLOAT64)
        loops->pick_float64(value, row, column, n);
    else
        loops->pick_uint8(value, row, column, n);
}

size_t nn__rows_compress(nn__entries *entries, const nn_input *x, const uint32_t *order,
                         size_t first, size_t n) {
    size_t end = 0;
    entries->rows = n;
    entries->start[0] = 0;
    for (size_t r = 0; r < n; r++) {
        const void *row = nn__rows_row(x, order != NULL ? order[r] : first + r);
        const size_t found = nn__rows_find(entries->column + end, x, row);
        pick(entries->value + end, x, row, entries->column + end, found);
        end += found;
        entries->start[r + 1] = (uint32_t)end;
    }
    return end;
}

/* ---- scanning -------------------------------------------------------------------------------- */

nn__rows_scan nn__rows_scan_begin(bool hashes) {
    nn__rows_scan scan = {.finite = true, .hashes = hashes, .tally = {.largest = -HUGE_VAL}};
    for (size_t i = 0; i < NN__LANES; i++) scan.lanes[i] = 0x9e3779b97f4a7c15u * (i + 1);
    return scan;
}

bool nn__rows_tally(nn__tally *found, int dtype, const void *numbers, size_t n) {
    const nn__sparse_loops *loops = nn__sparse_table();
    if (dtype == NN_DTYPE_FLOAT32) return loops->tally_float32(found, numbers, n);
    if (dtype == NN_DTYPE_FLOAT64) return loops->tally_float64(found, numbers, n);
    return loops->tally_uint8(found, numbers, n);
}

size_t nn__rows_count(const nn_input *x, size_t first, size_t n) {
    nn__tally found = {0};
    for (size_t r = first; r < first + n; r++)
        nn__rows_tally(&found, x->dtype, nn__rows_row(x, r), x->n_columns);
    return found.n_nonzero;
}

/* One row, part by part. */
static void scan_row(nn__rows_scan *scan, const nn_input *x, const char *row) {
    const nn__sparse_loops *loops = nn__sparse_table();
    const size_t size = size_of(x->dtype), step = PART / size;
    for (size_t c = 0; c < x->n_columns; c += step) {
        const size_t n = x->n_columns - c < step ? x->n_columns - c : step;
        if (scan->hashes) loops->hash(scan->lanes, row + c * size, n * size);
        if (nn__rows_tally(&scan->tally, x->dtype, row + c * size, n)) continue;
        nn__tally one = {0};
        scan->finite = false;
        for (scan->column = c; nn__rows_tally(&one, x->dtype, row + scan->column * size, 1);)
            scan->column += 1;
        return;
    }
}

void nn__rows_scan_block(nn__rows_scan *scan, const nn_input *x, size_t first, size_t n) {
    if (!scan->hashes && n > 0 && is_compact(x)) { /* as one long row */
        nn_input flat = *x;
        flat.n_columns = n * x->n_columns;
        scan_row(scan, &flat, nn__rows_row(x, first));
        scan->row = first + scan->column / x->n_columns;
        scan->column %= x->n_columns;
        return;
    }
    for (size_t r = first; r < first + n && scan->finite; r++) {
        scan->row = r;
        scan_row(scan, x, nn__rows_row(x, r));
    }
}

/* Takes in one word: a bijection of the sum, and one of the word. */
static uint64_t add_word(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0xd6e8feb86659fd93u;
    return sum ^ sum >> 32;
}

uint64_t nn__rows_scan_checksum(const nn__rows_scan *scan, const nn_input *x) {
    uint64_t sum = add_word(add_word((uint64_t)x->dtype + 1, x->n_rows), x->n_columns);
    for (size_t i = 0; i < NN__LANES; i++) sum = add_word(sum, scan->lanes[i]);
    return add_word(add_word(sum, 1), 2);
}

#include "kernels/products.h"

#include <string.h>

/* A row of W from so many bytes on, with so many rows of x, so many nonzeros a row and block. */
enum { WIDE_ROW = 256, MANY_ROWS = 32, MANY_ENTRIES = 8 };

/* In blocks the rows of W come from the first cache, not the second, often enough to pay for y,
 * which is read and written in every block. */
bool nn__forward_in_blocks(const nn__entries *x, const nn__weights *W) {
    const size_t row = W->stride * sizeof(nn_real), block = NN_BLOCK_BYTES / row;
    const size_t n_blocks = (W->n_in - 1) / block + 1, n = x->start[x->rows] - x->start[0];
    return n_blocks > 1 && x->rows >= MANY_ROWS && row > WIDE_ROW &&
           n >= x->rows * n_blocks * MANY_ENTRIES;
}

/* Counting sort. While entries are put in place, next[p] = start[p + 1] is where the next one of
 * column p goes; in the end it is the column's end, which is what start[p + 1] is to be. */
void nn__columns_make(nn__columns *columns, const nn__entries *rows, size_t n_in) {
    uint32_t *restrict start = columns->start, *restrict next = start + 1;
    const uint32_t *restrict column = rows->column;
    uint32_t *restrict row = columns->row;
    nn_real *restrict value = columns->value;
    const uint32_t n = rows->start[rows->rows];
    memset(start, 0, (n_in + 2) * sizeof *start);
    for (uint32_t e = 0; e < n; e++) start[column[e] + 2]++;
    for (size_t p = 0; p < n_in; p++) next[p + 1] += next[p];
    for (size_t r = 0; r < rows->rows; r++)
        for (uint32_t e = rows->start[r]; e < rows->start[r + 1]; e++) {
            const uint32_t at = next[column[e]]++;
            row[at] = (uint32_t)r;
            value[at] = rows->value[e];
        }
}

#include "kernels/products.h"

#include <string.h>

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

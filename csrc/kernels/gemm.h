/* Matrix products: the only door to BLIS. */
#ifndef NN_KERNELS_GEMM_H
#define NN_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cpu.h"
#include "base/real.h"
#include "kernels/vector.h"

/* A view of a matrix: element (i, j) is values[i * row_stride + j * column_stride]. */
typedef struct nn__matrix {
    nn_real *values;
    size_t rows, columns;
    ptrdiff_t row_stride, column_stride;
} nn__matrix;

/* A row-major matrix without gaps. BLIS takes its inputs without const, so this takes it off: the
 * products below write C alone. */
nn__matrix nn__matrix_of(const nn_real *values, size_t rows, size_t columns);

/* The same memory, rows and columns exchanged. */
nn__matrix nn__matrix_transposed(nn__matrix matrix);

/* Starts BLIS for kernels of this level. Once, before the first product. */
void nn__gemm_start(nn__cpu_level level);

/* C = alpha A B + beta C; with beta 0 what C held does not matter.   A (m, k), B (k, n), C (m, n);
 * C overlaps neither. Behind every matrix BLIS may read as far as below. Any thread. */
void nn__gemm_scaled(nn__matrix C, nn_real beta, nn_real alpha, nn__matrix A, nn__matrix B);

/* C = A B, or C += A B when accumulate.   A (m, k), B (k, n), C (m, n); C overlaps neither.
 * Behind every matrix BLIS may read one more row and 256 bytes: nn__arena's slack, plan.c's row.
 * Products of a few hundred multiplications run in a loop of ours, as a call of BLIS costs more
 * than they do; dense.c leaves few of them to come here (shards of few rows, n_in up to 7). Any
 * thread. */
void nn__gemm(nn__matrix C, nn__matrix A, nn__matrix B, bool accumulate,
              const nn__vector_kernels *vector);

/* BLIS's version, and its kernels that products use: "haswell", "haswell, skx" (the latter for
 * large matrices), or "chosen by BLIS". */
const char *nn__gemm_version(void);
const char *nn__gemm_kernels(void);

#endif

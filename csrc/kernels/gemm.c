/* The one file that sees blis.h.
 *
 * BLIS stays single-threaded here; we give each call its context ourselves, because what BLIS picks
 * goes by the CPU's brand and falls to generic code on CPUs newer than it (NN_BLIS_HAS_CONTEXTS:
 * the build found that the library lets us; BLIS_CONFIG_...: the context is in it). */
#include "kernels/gemm.h"

#include <blis.h>
#include <stdlib.h>
#include <string.h>

#ifdef NN_DOUBLE
#define GEMM bli_dgemm_ex
#else
#define GEMM bli_sgemm_ex
#endif

/* Below this many multiplications m n k the loop of vector.h is the faster: a call of BLIS costs
 * 0.2 us on a Zen 4 and up to 0.7 us on older CPUs, and the loop catches up at 300 to 1000. */
#define SMALL_PRODUCT 500.0

/* From this smallest dimension on, BLIS's AVX-512 kernels beat its AVX2 ones where the CPU runs 512
 * bits at full width (100x784 by 784x800: 129 against 101 GFLOP/s); at 10 they are half as fast. */
#define WIDE 96

/* Contexts of BLIS, set by nn__gemm_start and never changed: NULL leaves the choice to BLIS. */
static cntx_t *narrow_context, *wide_context;
static const char *kernels_name = "chosen by BLIS";

nn__matrix nn__matrix_of(const nn_real *values, size_t rows, size_t columns) {
    return (nn__matrix){(nn_real *)(uintptr_t)values, rows, columns, (ptrdiff_t)columns, 1};
}

nn__matrix nn__matrix_transposed(nn__matrix matrix) {
    return (nn__matrix){matrix.values, matrix.columns, matrix.rows, matrix.column_stride,
                        matrix.row_stride};
}

/* A lookup of a context that BLIS was built without reads through NULL: it is not made. A BLIS with
 * neither, as of Homebrew, has one for the machine it was built on, and chooses that. */
static void choose_contexts(nn__cpu_level level) {
    if (level == NN__CPU_PORTABLE) return;
#if defined NN_BLIS_HAS_CONTEXTS && defined BLIS_CONFIG_HASWELL
    narrow_context = wide_context = bli_gks_lookup_nat_cntx(BLIS_ARCH_HASWELL);
    kernels_name = "haswell";
#ifdef BLIS_CONFIG_SKX
    if (level == NN__CPU_V4 && nn__cpu_has_full_512()) {
        wide_context = bli_gks_lookup_nat_cntx(BLIS_ARCH_SKX);
        kernels_name = "haswell, skx";
    }
#endif
#endif
}

/* bli_init with BLIS_ARCH_TYPE out of the environment: 0.9.0 reads a word there as kernel set 0
 * and may then run what the CPU lacks. */
static void init_without_arch_type(void) {
    const char *set = getenv("BLIS_ARCH_TYPE");
    char *kept = set != NULL ? strdup(set) : NULL;
    if (set != NULL) unsetenv("BLIS_ARCH_TYPE");
    bli_init();
    if (kept != NULL) setenv("BLIS_ARCH_TYPE", kept, 1);
    free(kept);
}

void nn__gemm_start(nn__cpu_level level) {
    init_without_arch_type();
    choose_contexts(level);
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static void clear(nn__matrix C) {
    for (size_t i = 0; i < C.rows; i++)
        for (size_t j = 0; j < C.columns; j++)
            C.values[(ptrdiff_t)i * C.row_stride + (ptrdiff_t)j * C.column_stride] = 0;
}

void nn__gemm_scaled(nn__matrix C, nn_real beta, nn_real alpha, nn__matrix A, nn__matrix B) {
    const size_t m = C.rows, n = C.columns, k = A.columns;
    if (m == 0 || n == 0) return;
    bli_error_checking_level_set(BLIS_NO_ERROR_CHECKING); /* a thread's own: checked by callers */
    rntm_t rntm = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &rntm);
    cntx_t *context = smallest(m, n, k) < WIDE ? narrow_context : wide_context;
    GEMM(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, (dim_t)m, (dim_t)n, (dim_t)k, &alpha, A.values,
         A.row_stride, A.column_stride, B.values, B.row_stride, B.column_stride, &beta, C.values,
         C.row_stride, C.column_stride, context, &rntm);
}

void nn__gemm(nn__matrix C, nn__matrix A, nn__matrix B, bool accumulate,
              const nn__vector_kernels *vector) {
    const size_t m = C.rows, n = C.columns, k = A.columns;
    if (m == 0 || n == 0) return;
    if (k == 0) {
        if (!accumulate) clear(C);
        return;
    }
    bool small = (double)m * (double)n * (double)k < SMALL_PRODUCT;
    if (small && B.column_stride == 1 && C.column_stride == 1) {
        vector->product(C.values, A.values, B.values, m, n, k, C.row_stride, A.row_stride,
                        A.column_stride, B.row_stride, accumulate);
        return;
    }
    nn__gemm_scaled(C, accumulate ? 1 : 0, 1, A, B);
}

const char *nn__gemm_version(void) {
    return bli_info_get_version_str();
}

const char *nn__gemm_kernels(void) {
    return kernels_name;
}

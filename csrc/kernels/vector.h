/* Loops over vectors: one table of functions a CPU level.
 *
 * The bodies are written once, in vector_body.h, and compiled by vector_portable.c, vector_v3.c and
 * vector_v4.c; these, products_<level>.c and sparse_<level>.c alone get the wider instructions.
 * Matrices are row-major, without gaps where no ld is given; callers pass the padded width as n. */
#ifndef NN_KERNELS_VECTOR_H
#define NN_KERNELS_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cpu.h"
#include "base/real.h"
#include "kernels/images.h"
#include "kernels/products.h"

/* The numbers of one SGD update, in the precision of the weights. */
typedef struct nn__sgd {
    nn_real eta, mu;
    nn_real l1, l2; /* penalties already divided by n */
} nn__sgd;

/* How far functions, and softmax, may be from the exact value, in units of the last place. */
#define NN__FUNCTION_ULPS 2.5
#define NN__SOFTMAX_ULPS 4.0

typedef struct nn__vector_kernels {
    const nn__product_kernels *products; /* of the same level */
    const nn__image_kernels *images;     /* the same */

    /* y += b in every row.   y (rows, n), b (n,) */
    void (*add_bias)(nn_real *restrict y, const nn_real *restrict b, size_t rows, size_t n);

    /* sum = the sum of the rows of x, or sum += it.   sum (n,), x (rows, n) */
    void (*sum_rows)(nn_real *restrict sum, const nn_real *restrict x, size_t rows, size_t n,
                     bool accumulate);

    /* y *= x, element by element.   (n,) */
    void (*multiply)(nn_real *restrict y, const nn_real *restrict x, size_t n);

    /* y = e^x;   y = ln(1 + x), x >= 0.   (n,)
     * These and the next two are within NN__FUNCTION_ULPS of the exact values, denormal ones
     * included, for every argument; 0, infinity and NaN come where they belong. Their bodies and
     * those down to cross_entropy are in functions_body.h. */
    void (*exp)(nn_real *restrict y, const nn_real *restrict x, size_t n);
    void (*log1p)(nn_real *restrict y, const nn_real *restrict x, size_t n);

    /* a = f(z): 1/(1 + e^-z); tanh z; z where z > 0, else 0. NaN stays NaN.   (n,) */
    void (*sigmoid)(nn_real *restrict a, const nn_real *restrict z, size_t n);
    void (*tanh)(nn_real *restrict a, const nn_real *restrict z, size_t n);
    void (*relu)(nn_real *restrict a, const nn_real *restrict z, size_t n);

    /* a_j = e^(z_j - max z) / sum_k e^(z_k - max z) in every row; columns n .. ld-1 of a become 0.
     * Within NN__SOFTMAX_ULPS, beside what the rounding of z_j - max z brings. NaN and
     * positive infinity make their row NaN.   a, z (rows, n), rows ld apart, n >= 1 */
    void (*softmax)(nn_real *restrict a, const nn_real *restrict z, size_t rows, size_t n,
                    size_t ld);

    /* c = ln(1 + e^z) - y z: the cross-entropy of sigmoid(z), for any z.   (n,) */
    void (*cross_entropy)(nn_real *restrict c, const nn_real *restrict z, const nn_real *restrict y,
                          size_t n);

    /* Given a = f(z) and dC/da in d, d becomes dC/dz = d f'(z), f' written by a.   (n,)
     * sigmoid' = a (1 - a);   tanh' = 1 - a^2;   relu' = 1 where a > 0, else 0 */
    void (*sigmoid_backward)(nn_real *restrict d, const nn_real *restrict a, size_t n);
    void (*tanh_backward)(nn_real *restrict d, const nn_real *restrict a, size_t n);
    void (*relu_backward)(nn_real *restrict d, const nn_real *restrict a, size_t n);

    /* C = A B, or C += A B, for products too small for BLIS (gemm.c: SMALL_PRODUCT).   C (m, n) and
     * B (k, n) with rows ldc and ldb apart, A (m, k) with any strides. */
    void (*product)(nn_real *restrict C, const nn_real *restrict A, const nn_real *restrict B,
                    size_t m, size_t n, size_t k, ptrdiff_t ldc, ptrdiff_t a_row,
                    ptrdiff_t a_column, ptrdiff_t ldb, bool accumulate);

    /* With g = gradient + l1 sgn(W) + l2 W:   (n,)
     *     plain      W <- W - eta g
     *     momentum   v <- mu v - eta g;   W <- W + v
     *     nesterov   v <- mu v - eta g;   W <- W + mu v - eta g */
    void (*sgd_plain)(nn_real *restrict W, const nn_real *restrict gradient, size_t n,
                      const nn__sgd *sgd);
    void (*sgd_momentum)(nn_real *restrict W, nn_real *restrict v, const nn_real *restrict gradient,
                         size_t n, const nn__sgd *sgd);
    void (*sgd_nesterov)(nn_real *restrict W, nn_real *restrict v, const nn_real *restrict gradient,
                         size_t n, const nn__sgd *sgd);

    /* A velocity one step ahead (layers/sparse_dense.h), shrink = -eta l2:   (n,)
     *     look_ahead   v <- mu v + shrink W
     *     move_ahead   W <- W + v;   v <- mu v + shrink W
     *     add          W <- W + v */
    void (*look_ahead)(nn_real *restrict v, const nn_real *restrict W, size_t n, nn_real mu,
                       nn_real shrink);
    void (*move_ahead)(nn_real *restrict W, nn_real *restrict v, size_t n, nn_real mu,
                       nn_real shrink);
    void (*add)(nn_real *restrict W, const nn_real *restrict v, size_t n);

    /* No element is NaN or infinite.   x (n,) */
    bool (*all_finite)(const nn_real *x, size_t n);
} nn__vector_kernels;

/* The table of a level; a level that this build lacks gets the portable one. */
const nn__vector_kernels *nn__vector_table(nn__cpu_level level);

#ifdef NN_HAVE_V3
extern const nn__vector_kernels nn__vector_v3; /* for CPUs with x86-64-v3 alone */
#endif
#ifdef NN_HAVE_V4
extern const nn__vector_kernels nn__vector_v4; /* for CPUs with x86-64-v4 alone */
#endif
extern const nn__vector_kernels nn__vector_portable; /* for every CPU */

#endif

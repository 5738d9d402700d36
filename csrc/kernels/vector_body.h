/* The bodies of vector.h's table, compiled once a CPU level: the including file has defined
 * NN_VECTOR_TABLE_NAME, NN_PRODUCT_TABLE_NAME and NN_IMAGE_TABLE_NAME. Loops are plain so that the
 * compiler vectorises them.
 *
 * Every level gives the same bits, unlike products_body.h. Only softmax sums across the elements of
 * a vector, in an order that sum.h writes out; sum_rows and product add up element by element, row
 * after row, so width changes no order; and as the build says -ffp-contract=off, no level fuses a
 * product with a sum and spares a rounding. */
#include "kernels/vector.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/functions_body.h"

static void add_bias(nn_real *restrict y, const nn_real *restrict b, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < n; j++) y[r * n + j] += b[j];
}

/* sum (width,) += the rows of x, n apart. With width known to the compiler all sums stay in
 * registers. */
static inline __attribute__((always_inline)) void sum_columns(nn_real *restrict sum,
                                                              const nn_real *restrict x,
                                                              size_t rows, size_t n,
                                                              const size_t width) {
    nn_real part[LANES];
    memcpy(part, sum, width * sizeof *sum);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++) part[i] += x[r * n + i];
    memcpy(sum, part, width * sizeof *sum);
}

static void sum_rows(nn_real *restrict sum, const nn_real *restrict x, size_t rows, size_t n,
                     bool accumulate) {
    if (!accumulate) memset(sum, 0, n * sizeof *sum);
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) sum_columns(sum + j, x + j, rows, n, LANES);
    for (; j + NN_LANES <= n; j += NN_LANES) sum_columns(sum + j, x + j, rows, n, NN_LANES);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = j; i < n; i++) sum[i] += x[r * n + i];
}

static void multiply(nn_real *restrict y, const nn_real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] *= x[i];
}

static void sigmoid_backward(nn_real *restrict d, const nn_real *restrict a, size_t n) {
    for (size_t i = 0; i < n; i++) d[i] *= a[i] * ((nn_real)1 - a[i]);
}

static void tanh_backward(nn_real *restrict d, const nn_real *restrict a, size_t n) {
    for (size_t i = 0; i < n; i++) d[i] *= (nn_real)1 - a[i] * a[i];
}

static void relu_backward(nn_real *restrict d, const nn_real *restrict a, size_t n) {
    for (size_t i = 0; i < n; i++) d[i] = a[i] > 0 ? d[i] : 0;
}

static void product(nn_real *restrict C, const nn_real *restrict A, const nn_real *restrict B,
                    size_t m, size_t n, size_t k, ptrdiff_t ldc, ptrdiff_t a_row,
                    ptrdiff_t a_column, ptrdiff_t ldb, bool accumulate) {
    for (size_t i = 0; i < m; i++) {
        nn_real *restrict c = C + (ptrdiff_t)i * ldc;
        if (!accumulate) memset(c, 0, n * sizeof *c);
        for (size_t l = 0; l < k; l++) {
            const nn_real a = A[(ptrdiff_t)i * a_row + (ptrdiff_t)l * a_column];
            const nn_real *restrict b = B + (ptrdiff_t)l * ldb;
            for (size_t j = 0; j < n; j++) c[j] += a * b[j];
        }
    }
}

/* gradient + l1 sgn(w) + l2 w, with sgn(0) = 0. */
static inline nn_real penalised(nn_real gradient, nn_real w, const nn__sgd *sgd) {
    nn_real sign = (nn_real)((w > 0) - (w < 0));
    return gradient + sgd->l1 * sign + sgd->l2 * w;
}

static void sgd_plain(nn_real *restrict W, const nn_real *restrict gradient, size_t n,
                      const nn__sgd *sgd) {
    const nn__sgd s = *sgd; /* a local copy: the stores into W cannot alias it */
    for (size_t i = 0; i < n; i++) W[i] -= s.eta * penalised(gradient[i], W[i], &s);
}

static void sgd_momentum(nn_real *restrict W, nn_real *restrict v, const nn_real *restrict gradient,
                         size_t n, const nn__sgd *sgd) {
    const nn__sgd s = *sgd;
    for (size_t i = 0; i < n; i++) {
        v[i] = s.mu * v[i] - s.eta * penalised(gradient[i], W[i], &s);
        W[i] += v[i];
    }
}

static void sgd_nesterov(nn_real *restrict W, nn_real *restrict v, const nn_real *restrict gradient,
                         size_t n, const nn__sgd *sgd) {
    const nn__sgd s = *sgd;
    for (size_t i = 0; i < n; i++) {
        nn_real step = s.eta * penalised(gradient[i], W[i], &s);
        v[i] = s.mu * v[i] - step;
        W[i] += s.mu * v[i] - step;
    }
}

static void look_ahead(nn_real *restrict v, const nn_real *restrict W, size_t n, nn_real mu,
                       nn_real shrink) {
    for (size_t i = 0; i < n; i++) v[i] = mu * v[i] + shrink * W[i];
}

static void move_ahead(nn_real *restrict W, nn_real *restrict v, size_t n, nn_real mu,
                       nn_real shrink) {
    for (size_t i = 0; i < n; i++) {
        const nn_real moved = W[i] + v[i];
        W[i] = moved;
        v[i] = mu * v[i] + shrink * moved;
    }
}

static void add(nn_real *restrict W, const nn_real *restrict v, size_t n) {
    for (size_t i = 0; i < n; i++) W[i] += v[i];
}

static bool all_finite(const nn_real *x, size_t n) {
    int bad = 0;
    for (size_t i = 0; i < n; i++) bad |= !isfinite(x[i]);
    return !bad;
}

const nn__vector_kernels NN_VECTOR_TABLE_NAME = {
    .products = &NN_PRODUCT_TABLE_NAME,
    .images = &NN_IMAGE_TABLE_NAME,
    .add_bias = add_bias,
    .sum_rows = sum_rows,
    .multiply = multiply,
    .sigmoid_backward = sigmoid_backward,
    .tanh_backward = tanh_backward,
    .relu_backward = relu_backward,
    .exp = vector_exp,
    .log1p = vector_log1p,
    .sigmoid = sigmoid,
    .tanh = hyperbolic_tangent,
    .relu = relu,
    .softmax = softmax,
    .cross_entropy = cross_entropy,
    .product = product,
    .look_ahead = look_ahead,
    .move_ahead = move_ahead,
    .add = add,
    .sgd_plain = sgd_plain,
    .sgd_momentum = sgd_momentum,
    .sgd_nesterov = sgd_nesterov,
    .all_finite = all_finite,
};

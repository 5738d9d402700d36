/* The cost functions: for each pair of cost and output activation a value and a delta.
 *
 * Source of the first three: M. Nielsen, "Neural Networks and Deep Learning", chapters 1 and 3; of
 * the hinge: J. Weston, C. Watkins, "Support vector machines for multi-class pattern recognition",
 * 1999. */
#include "layers/loss.h"

#include <string.h>

#include "kernels/sum.h"

/* Numbers worked on at once: rows that fit together, or a piece of a long row. */
enum { CHUNK = 256 };

/* ---- over the rows of a block ---------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* terms (rows, n) = the parts that each output has in the cost of its sample; at most CHUNK. */
typedef void cost_terms(nn_real *restrict terms, const nn__outputs *outputs,
                        const nn__vector_kernels *vector);

/* The sum of w c, for a cost that is a sum over outputs. */
static inline double sum_terms(cost_terms *fill, const nn__outputs *outputs,
                               const nn__vector_kernels *vector) {
    nn_real terms[CHUNK];
    const size_t columns = smaller(outputs->n, CHUNK), rows = CHUNK / columns;
    double sum = 0.0;
    for (size_t r = 0; r < outputs->rows; r += rows)
        for (size_t j = 0; j < outputs->n; j += columns) {
            const size_t at = r * outputs->ld + j;
            const nn__outputs part = {.z = outputs->z + at,
                                      .a = outputs->a + at,
                                      .y = outputs->y + at,
                                      .weights = outputs->weights + r,
                                      .rows = smaller(outputs->rows - r, rows),
                                      .n = smaller(outputs->n - j, columns),
                                      .ld = outputs->ld};
            fill(terms, &part, vector);
            for (size_t i = 0; i < part.rows; i++)
                sum += (double)part.weights[i] * nn__sum(terms + i * part.n, part.n);
        }
    return sum;
}

/* delta (n,) = scale dc/dz of one sample.   z, a, y (n,) */
typedef void row_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                       const nn_real *y, size_t n, nn_real scale);

/* Every row of a delta, and the zeros behind it. */
static inline void delta_by_rows(row_delta *row, nn_real *restrict delta,
                                 const nn__outputs *outputs, nn_real scale) {
    const size_t n = outputs->n, ld = outputs->ld;
    for (size_t r = 0; r < outputs->rows; r++) {
        const size_t at = r * ld;
        row(delta + at, outputs->z + at, outputs->a + at, outputs->y + at, n,
            scale * outputs->weights[r]);
        for (size_t j = n; j < ld; j++) delta[at + j] = 0;
    }
}

/* ---- quadratic: c = 1/2 sum_j (a_j - y_j)^2,   delta = (a - y) f'(z) ------------------------- */

static inline void quadratic_terms(nn_real *restrict terms, const nn__outputs *outputs,
                                   const nn__vector_kernels *vector) {
    (void)vector;
    const size_t n = outputs->n;
    for (size_t r = 0; r < outputs->rows; r++) {
        const nn_real *a = outputs->a + r * outputs->ld, *y = outputs->y + r * outputs->ld;
        for (size_t j = 0; j < n; j++) terms[r * n + j] = (a[j] - y[j]) * (a[j] - y[j]);
    }
}

static double quadratic_value(const nn__outputs *outputs, const nn__vector_kernels *vector) {
    return 0.5 * sum_terms(quadratic_terms, outputs, vector);
}

static inline void quadratic_linear_row(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                        const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]);
}

static void quadratic_linear_delta(nn_real *restrict delta, const nn__outputs *outputs,
                                   nn_real scale) {
    delta_by_rows(quadratic_linear_row, delta, outputs, scale);
}

static inline void quadratic_sigmoid_row(nn_real *restrict delta, const nn_real *z,
                                         const nn_real *a, const nn_real *y, size_t n,
                                         nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]) * a[j] * (1 - a[j]);
}

static void quadratic_sigmoid_delta(nn_real *restrict delta, const nn__outputs *outputs,
                                    nn_real scale) {
    delta_by_rows(quadratic_sigmoid_row, delta, outputs, scale);
}

static inline void quadratic_tanh_row(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                      const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]) * (1 - a[j] * a[j]);
}

static void quadratic_tanh_delta(nn_real *restrict delta, const nn__outputs *outputs,
                                 nn_real scale) {
    delta_by_rows(quadratic_tanh_row, delta, outputs, scale);
}

static inline void quadratic_relu_row(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                      const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = a[j] > 0 ? scale * (a[j] - y[j]) : 0;
}

static void quadratic_relu_delta(nn_real *restrict delta, const nn__outputs *outputs,
                                 nn_real scale) {
    delta_by_rows(quadratic_relu_row, delta, outputs, scale);
}

/* With e = a - y: delta_i = a_i (e_i - sum_j e_j a_j), from da_j/dz_i = a_j (1[i = j] - a_i). */
static inline void quadratic_softmax_row(nn_real *restrict delta, const nn_real *z,
                                         const nn_real *a, const nn_real *y, size_t n,
                                         nn_real scale) {
    (void)z;
    nn_real mean = 0;
    for (size_t j = 0; j < n; j++) mean += (a[j] - y[j]) * a[j];
    for (size_t j = 0; j < n; j++) delta[j] = scale * a[j] * (a[j] - y[j] - mean);
}

static void quadratic_softmax_delta(nn_real *restrict delta, const nn__outputs *outputs,
                                    nn_real scale) {
    delta_by_rows(quadratic_softmax_row, delta, outputs, scale);
}

/* ---- cross-entropy: c = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)],   delta = a - y --------- */

/* With a = sigmoid(z) each term is ln(1 + e^z) - y z. */
static inline void cross_entropy_terms(nn_real *restrict terms, const nn__outputs *outputs,
                                       const nn__vector_kernels *vector) {
    const size_t n = outputs->n, ld = outputs->ld, count = outputs->rows * n;
    if (ld == n) {
        vector->cross_entropy(terms, outputs->z, outputs->y, count);
        return;
    }
    nn_real z[CHUNK], y[CHUNK]; /* the rows without what lies between them */
    size_t r = 0;
    do {
        memcpy(z + r * n, outputs->z + r * ld, n * sizeof *z);
        memcpy(y + r * n, outputs->y + r * ld, n * sizeof *y);
    } while (++r < outputs->rows);
    vector->cross_entropy(terms, z, y, count);
}

static double cross_entropy_value(const nn__outputs *outputs, const nn__vector_kernels *vector) {
    return sum_terms(cross_entropy_terms, outputs, vector);
}

/* ---- log-likelihood: c = -sum_j y_j ln a_j,   delta = a - y for every j ---------------------- */

/* The first largest of x (n,): of a one-hot row the label that it stands for. */
static inline size_t first_largest(const nn_real *x, size_t n) {
    nn_real best = x[0];
    size_t at = 0;
    for (size_t j = 1; j < n; j++) {
        const bool larger = x[j] > best;
        at = larger ? j : at;
        best = larger ? x[j] : best;
    }
    return at;
}

/* With the largest z, z_m: ln a_j = z_j - z_m + ln a_m, where
 *     -ln a_m = ln(1 + sum_{k != m} a_k/a_m)
 * a_m is 1/n at least, and what is left of the sum when a_m is nearly 1 keeps all its digits. */
static double log_likelihood_value(const nn__outputs *outputs, const nn__vector_kernels *vector) {
    const size_t n = outputs->n;
    nn_real rest[CHUNK], log_sum[CHUNK];
    size_t largest[CHUNK];
    double sum = 0.0;
    for (size_t first = 0; first < outputs->rows; first += CHUNK) {
        const size_t rows = smaller(outputs->rows - first, CHUNK);
        for (size_t r = 0; r < rows; r++) {
            const nn_real *a = outputs->a + (first + r) * outputs->ld;
            const size_t m = first_largest(a, n);
            double others = nn__sum(a, m) + nn__sum(a + m + 1, n - m - 1);
            rest[r] = (nn_real)(others / (double)a[m]);
            largest[r] = m;
        }
        vector->log1p(log_sum, rest, rows);
        for (size_t r = 0; r < rows; r++) {
            const size_t at = (first + r) * outputs->ld;
            const nn_real *z = outputs->z + at, *y = outputs->y + at, top = z[largest[r]];
            double value = 0.0;
            for (size_t j = 0; j < n; j++)
                value += y[j] != 0 ? (double)(y[j] * (top - z[j] + log_sum[r])) : 0.0;
            sum += (double)outputs->weights[first + r] * value;
        }
    }
    return sum;
}

/* ---- hinge: c = sum_{j != y} max(0, z_j - z_y + 1) ------------------------------------------- */

static double hinge_value(const nn__outputs *outputs, const nn__vector_kernels *vector) {
    (void)vector;
    double sum = 0.0;
    for (size_t r = 0; r < outputs->rows; r++) {
        const nn_real *z = outputs->z + r * outputs->ld, *y = outputs->y + r * outputs->ld;
        const size_t label = first_largest(y, outputs->n);
        double value = 0.0;
        for (size_t j = 0; j < outputs->n; j++) {
            double margin = (double)z[j] - (double)z[label] + 1.0;
            if (j != label && !(margin <= 0.0)) value += margin; /* NaN goes into the sum */
        }
        sum += (double)outputs->weights[r] * value;
    }
    return sum;
}

/* delta_j = 1 where z_j - z_y + 1 > 0, j != y; delta_y = -(how many these are). 0 at the kink. */
static inline void hinge_row(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                             const nn_real *y, size_t n, nn_real scale) {
    (void)a;
    const size_t label = first_largest(y, n);
    size_t count = 0;
    for (size_t j = 0; j < n; j++) {
        bool inside = j != label && !(z[j] - z[label] + 1 <= 0);
        delta[j] = inside ? scale : 0;
        count += inside;
    }
    delta[label] = -scale * (nn_real)count;
}

static void hinge_delta(nn_real *restrict delta, const nn__outputs *outputs, nn_real scale) {
    delta_by_rows(hinge_row, delta, outputs, scale);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* delta = a - y is that of the quadratic cost with linear outputs: one function serves all. */
static const nn__loss losses[] = {
    {NN_COST_QUADRATIC, NN_ACTIVATION_SIGMOID, false, 1, quadratic_value, quadratic_sigmoid_delta},
    {NN_COST_QUADRATIC, NN_ACTIVATION_TANH, false, 1, quadratic_value, quadratic_tanh_delta},
    {NN_COST_QUADRATIC, NN_ACTIVATION_LINEAR, false, 1, quadratic_value, quadratic_linear_delta},
    {NN_COST_QUADRATIC, NN_ACTIVATION_RELU, false, 1, quadratic_value, quadratic_relu_delta},
    {NN_COST_QUADRATIC, NN_ACTIVATION_SOFTMAX, false, 1, quadratic_value, quadratic_softmax_delta},
    {NN_COST_CROSS_ENTROPY, NN_ACTIVATION_SIGMOID, false, 1, cross_entropy_value,
     quadratic_linear_delta},
    {NN_COST_LOG_LIKELIHOOD, NN_ACTIVATION_SOFTMAX, false, 2, log_likelihood_value,
     quadratic_linear_delta},
    {NN_COST_HINGE, NN_ACTIVATION_LINEAR, true, 2, hinge_value, hinge_delta},
};

const nn__loss *nn__loss_find(nn_cost cost, nn_activation output) {
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (losses[i].cost == cost && losses[i].output == output) return &losses[i];
    return NULL;
}

/* ---- labels, targets, classes --------------------------------------------------------------- */

bool nn__loss_is_regression(const nn__loss *loss, size_t n_outputs) {
    return loss->cost == NN_COST_QUADRATIC &&
           (loss->output == NN_ACTIVATION_LINEAR ||
            (loss->output == NN_ACTIVATION_RELU && n_outputs == 1));
}

size_t nn__loss_n_classes(size_t n_outputs) {
    return n_outputs == 1 ? 2 : n_outputs;
}

void nn__loss_targets(nn_real *restrict targets, size_t stride, const int32_t *labels, size_t rows,
                      size_t n, nn_activation output) {
    const nn_real off = output == NN_ACTIVATION_TANH ? -1 : 0;
    for (size_t r = 0; r < rows; r++) {
        nn_real *row = targets + r * stride;
        for (size_t j = 0; j < n; j++) row[j] = off;
        if (n > 1)
            row[labels[r]] = 1;
        else if (labels[r] == 1)
            row[0] = 1;
    }
}

size_t nn__loss_class(const nn_real *a, size_t n, nn_activation output) {
    if (n == 1) return a[0] >= (output == NN_ACTIVATION_TANH ? (nn_real)0 : (nn_real)0.5);
    return first_largest(a, n);
}

size_t nn__loss_count_right(const nn__outputs *outputs, nn_activation output) {
    const size_t n = outputs->n, ld = outputs->ld;
    size_t count = 0;
    for (size_t r = 0; r < outputs->rows; r++)
        count += nn__loss_class(outputs->a + r * ld, n, output) ==
                 nn__loss_class(outputs->y + r * ld, n, output);
    return count;
}

/* The cost functions: for each pair of cost and output activation a value and a delta.
 *
 * Source of the first three: M. Nielsen, "Neural Networks and Deep Learning", chapters 1 and 3; of
 * the hinge: J. Weston, C. Watkins, "Support vector machines for multi-class pattern recognition",
 * 1999. */
#include "layers/loss.h"

#include <math.h>

/* ---- quadratic: c = 1/2 sum_j (a_j - y_j)^2,   delta = (a - y) f'(z) ------------------------- */

static double quadratic_value(const nn_real *z, const nn_real *a, const nn_real *y, size_t n) {
    (void)z;
    double sum = 0.0;
    for (size_t j = 0; j < n; j++) {
        double e = (double)a[j] - (double)y[j];
        sum += e * e;
    }
    return 0.5 * sum;
}

static void quadratic_linear_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                   const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]);
}

static void quadratic_sigmoid_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                    const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]) * a[j] * (1 - a[j]);
}

static void quadratic_tanh_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                 const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = scale * (a[j] - y[j]) * (1 - a[j] * a[j]);
}

static void quadratic_relu_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                 const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    for (size_t j = 0; j < n; j++) delta[j] = a[j] > 0 ? scale * (a[j] - y[j]) : 0;
}

/* With e = a - y: delta_i = a_i (e_i - sum_j e_j a_j), from da_j/dz_i = a_j (1[i = j] - a_i). */
static void quadratic_softmax_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                                    const nn_real *y, size_t n, nn_real scale) {
    (void)z;
    nn_real mean = 0;
    for (size_t j = 0; j < n; j++) mean += (a[j] - y[j]) * a[j];
    for (size_t j = 0; j < n; j++) delta[j] = scale * a[j] * (a[j] - y[j] - mean);
}

/* ---- cross-entropy: c = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)],   delta = a - y --------- */

/* With a = sigmoid(z) each term is ln(1 + e^z) - y z, written so that nothing overflows. */
static double cross_entropy_value(const nn_real *z, const nn_real *a, const nn_real *y, size_t n) {
    (void)a;
    double sum = 0.0;
    for (size_t j = 0; j < n; j++) {
        double zj = (double)z[j];
        sum += fmax(zj, 0.0) - (double)y[j] * zj + log1p(exp(-fabs(zj)));
    }
    return sum;
}

/* ---- log-likelihood: c = -sum_j y_j ln a_j,   delta = a - y for every j ---------------------- */

/* ln a_j = z_j - ln sum_k e^(z_k), with the largest z taken out of the sum. */
static double log_likelihood_value(const nn_real *z, const nn_real *a, const nn_real *y, size_t n) {
    (void)a;
    double largest = (double)z[0], sum = 0.0, value = 0.0;
    for (size_t j = 1; j < n; j++) largest = fmax(largest, (double)z[j]);
    for (size_t j = 0; j < n; j++) sum += exp((double)z[j] - largest);
    double log_sum = largest + log(sum);
    for (size_t j = 0; j < n; j++)
        if (y[j] != 0) value += (double)y[j] * (log_sum - (double)z[j]);
    return value;
}

/* ---- hinge: c = sum_{j != y} max(0, z_j - z_y + 1) ------------------------------------------- */

/* The label that a one-hot row stands for. */
static size_t hot(const nn_real *y, size_t n) {
    size_t label = 0;
    for (size_t j = 1; j < n; j++)
        if (y[j] > y[label]) label = j;
    return label;
}

static double hinge_value(const nn_real *z, const nn_real *a, const nn_real *y, size_t n) {
    (void)a;
    size_t label = hot(y, n);
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        if (j != label) {
            double margin = (double)z[j] - (double)z[label] + 1.0;
            if (!(margin <= 0.0)) sum += margin; /* written so that NaN goes into the sum */
        }
    return sum;
}

/* delta_j = 1 where z_j - z_y + 1 > 0, j != y; delta_y = -(how many these are). 0 at the kink. */
static void hinge_delta(nn_real *restrict delta, const nn_real *z, const nn_real *a,
                        const nn_real *y, size_t n, nn_real scale) {
    (void)a;
    size_t label = hot(y, n), count = 0;
    for (size_t j = 0; j < n; j++) {
        bool inside = j != label && !(z[j] - z[label] + 1 <= 0);
        delta[j] = inside ? scale : 0;
        count += inside;
    }
    delta[label] = -scale * (nn_real)count;
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
    return hot(a, n);
}

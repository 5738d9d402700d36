/* Activation layer: a = f(z), element by element; softmax over each row. */
#include <math.h>
#include <string.h>

#include "layers/plan.h"

#ifdef NN_DOUBLE
#define REAL_EXP exp
#define REAL_TANH tanh
#else
#define REAL_EXP expf
#define REAL_TANH tanhf
#endif

/* ---- spec and plan -------------------------------------------------------------------------- */

static nn_status plan_activation(nn__plan *plan, const nn_layer *layer) {
    if (nn_activation_name((int)layer->activation) == NULL) return NN_ERROR_ARGUMENT;
    nn__plan_add_node(plan, &nn__activation_kind, layer, nn__plan_width(plan));
    return NN_OK;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* a = 1 / (1 + exp(-z)).   exp overflows to infinity for very negative z, and a is then 0. */
static void sigmoid(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = (nn_real)1 / ((nn_real)1 + REAL_EXP(-z[i]));
}

static void hyperbolic_tangent(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = REAL_TANH(z[i]);
}

/* a = z where z > 0, else 0; a NaN stays one. */
static void relu(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = z[i] <= 0 ? 0 : z[i];
}

/* a_j = exp(z_j - max z) / sum_k exp(z_k - max z), for one row. */
static void softmax_row(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    nn_real largest = z[0], sum = 0;
    for (size_t j = 1; j < n; j++) largest = z[j] > largest ? z[j] : largest;
    for (size_t j = 0; j < n; j++) sum += a[j] = REAL_EXP(z[j] - largest);
    for (size_t j = 0; j < n; j++) a[j] /= sum;
}

static void forward_activation(const nn__node *node, const nn__pass *pass,
                               const nn_real *parameters, const nn__buffers *io) {
    (void)parameters;
    const size_t n = node->n_out, stride = nn__padded(n), count = pass->rows * stride;
    switch (node->layer.activation) {
    case NN_ACTIVATION_SIGMOID:
        sigmoid(io->y, io->x, count);
        break;
    case NN_ACTIVATION_TANH:
        hyperbolic_tangent(io->y, io->x, count);
        break;
    case NN_ACTIVATION_RELU:
        relu(io->y, io->x, count);
        break;
    case NN_ACTIVATION_SOFTMAX:
        for (size_t r = 0; r < pass->rows; r++)
            softmax_row(io->y + r * stride, io->x + r * stride, n);
        break;
    case NN_ACTIVATION_LINEAR:
    default:
        memcpy(io->y, io->x, count * sizeof *io->y);
    }
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Of a = f(z), given da in dx:   dz = da f'(z), with f' written by a. Softmax never comes here: it
 * is the output's alone, whose derivative is in the loss. */
static void backward_activation(const nn__node *node, const nn__pass *pass,
                                const nn_real *parameters, const nn__buffers *io, const nn_real *dy,
                                nn_real *dx, nn_real *gradient) {
    (void)parameters, (void)dy, (void)gradient;
    const size_t count = pass->rows * nn__padded(node->n_out);
    switch (node->layer.activation) {
    case NN_ACTIVATION_SIGMOID:
        pass->vector->sigmoid_backward(dx, io->y, count);
        break;
    case NN_ACTIVATION_TANH:
        pass->vector->tanh_backward(dx, io->y, count);
        break;
    case NN_ACTIVATION_RELU:
        pass->vector->relu_backward(dx, io->y, count);
        break;
    case NN_ACTIVATION_LINEAR:
    case NN_ACTIVATION_SOFTMAX:
    default:
        break;
    }
}

const nn__layer_kind nn__activation_kind = {
    .name = "activation",
    .in_place = true,
    .plan = plan_activation,
    .forward = forward_activation,
    .backward = backward_activation,
};

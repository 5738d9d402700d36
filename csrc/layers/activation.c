/* Activation layer: a = f(z), element by element; softmax over each row. */
#include <string.h>

#include "layers/plan.h"

/* ---- spec and plan -------------------------------------------------------------------------- */

static nn_status plan_activation(nn__plan *plan, const nn_layer *layer) {
    if (nn_activation_name((int)layer->activation) == NULL) return NN_ERROR_ARGUMENT;
    nn__plan_add_node(plan, &nn__activation_kind, layer, nn__plan_width(plan));
    return NN_OK;
}

/* ---- forward -------------------------------------------------------------------------------- */

static void forward_activation(const nn__node *node, const nn__pass *pass,
                               const nn_real *parameters, const nn__buffers *io) {
    (void)parameters;
    const size_t n = node->n_out, stride = nn__padded(n), count = pass->rows * stride;
    switch (node->layer.activation) {
    case NN_ACTIVATION_SIGMOID:
        pass->vector->sigmoid(io->y, io->x, count);
        break;
    case NN_ACTIVATION_TANH:
        pass->vector->tanh(io->y, io->x, count);
        break;
    case NN_ACTIVATION_RELU:
        pass->vector->relu(io->y, io->x, count);
        break;
    case NN_ACTIVATION_SOFTMAX:
        pass->vector->softmax(io->y, io->x, pass->rows, n, stride);
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
                                nn_real *dx) {
    (void)parameters, (void)dy;
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

/* Dense layer: y = x W + b, every input with every output. */
#include <math.h>

#include "layers/init.h"
#include "layers/plan.h"

/* ---- spec and plan -------------------------------------------------------------------------- */

static nn_status plan_activation(nn__plan *plan, const nn_layer *dense) {
    nn_layer layer = {.kind = NN_LAYER_ACTIVATION, .activation = dense->activation};
    return nn__activation_kind.plan(plan, &layer);
}

static nn_status plan_dense(nn__plan *plan, const nn_layer *layer) {
    if (layer->units == 0) return NN_ERROR_SIZE;
    if (nn_init_name((int)layer->init) == NULL) return NN_ERROR_ARGUMENT;
    if (layer->init == NN_INIT_NORMAL && !(layer->init_sd >= 0 && layer->init_sd < HUGE_VAL))
        return NN_ERROR_ARGUMENT;
    nn__node *node = nn__plan_add_node(plan, &nn__dense_kind, layer, layer->units);
    node->weight = nn__plan_add_tensor(plan, node, "weight", node->n_in, node->n_out);
    node->bias = nn__plan_add_tensor(plan, node, "bias", 0, node->n_out);
    return layer->activation == NN_ACTIVATION_LINEAR ? NN_OK : plan_activation(plan, layer);
}

/* ---- init ----------------------------------------------------------------------------------- */

static void init_dense(const nn__node *node, nn_real *parameters, uint64_t seed) {
    nn__init_dense(node, parameters + node->weight, parameters + node->bias, seed);
}

/* ---- forward -------------------------------------------------------------------------------- */

/* y = x W + b.   x (rows, n_in), W (n_in, n_out), b (n_out,), y (rows, n_out) */
static void forward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                          const nn__buffers *io) {
    nn__matrix x = nn__matrix_of(io->x, pass->rows, node->n_in);
    nn__matrix W = nn__matrix_of(parameters + node->weight, node->n_in, node->n_out);
    nn__matrix y = nn__matrix_of(io->y, pass->rows, node->n_out);
    nn__gemm(y, x, W, false, pass->vector);
    pass->vector->add_bias(io->y, parameters + node->bias, pass->rows, node->n_out);
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Of y = x W + b, given dy:   dW = x^T dy,   db = sum over rows of dy,   dx = dy W^T. */
static void backward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                           const nn__buffers *io, const nn_real *dy_values, nn_real *dx_values,
                           nn_real *gradient) {
    nn__matrix x = nn__matrix_of(io->x, pass->rows, node->n_in);
    nn__matrix W = nn__matrix_of(parameters + node->weight, node->n_in, node->n_out);
    nn__matrix dy = nn__matrix_of(dy_values, pass->rows, node->n_out);
    nn__matrix dW = nn__matrix_of(gradient + node->weight, node->n_in, node->n_out);
    nn__gemm(dW, nn__matrix_transposed(x), dy, pass->accumulate, pass->vector);
    pass->vector->sum_rows(gradient + node->bias, dy_values, pass->rows, node->n_out,
                           pass->accumulate);
    if (dx_values == NULL) return;
    nn__matrix dx = nn__matrix_of(dx_values, pass->rows, node->n_in);
    nn__gemm(dx, dy, nn__matrix_transposed(W), false, pass->vector);
}

const nn__layer_kind nn__dense_kind = {
    .name = "dense",
    .plan = plan_dense,
    .init = init_dense,
    .forward = forward_dense,
    .backward = backward_dense,
};

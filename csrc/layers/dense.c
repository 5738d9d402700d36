/* Dense layer: y = x W + b, every input with every output. */
#include <math.h>
#include <string.h>

#include "layers/init.h"
#include "layers/sparse_dense.h"

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

static void init_dense(const nn__plan *plan, const nn__node *node, nn_real *parameters,
                       uint64_t seed) {
    nn__init_dense(node, parameters + plan->tensors[node->weight].offset,
                   parameters + plan->tensors[node->bias].offset, seed);
}

/* ---- the operands --------------------------------------------------------------------------- */

/* A block of rows of a workspace.   (rows, n) */
static nn__matrix block_of(const nn_real *values, size_t rows, size_t n) {
    nn__matrix block = nn__matrix_of(values, rows, n);
    block.row_stride = (ptrdiff_t)nn__padded(n);
    return block;
}

/* The tensor at this place of a packed array.   (n_in, n_out) */
static nn__matrix tensor_of(const nn_real *values, const nn__place *place) {
    nn__matrix tensor = nn__matrix_of(values + place->offset, place->rows, place->columns);
    tensor.row_stride = (ptrdiff_t)place->stride;
    return tensor;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* y = x W + b.   x (rows, n_in), W (n_in, n_out), b (n_out,), y (rows, n_out) */
static void forward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                          const nn__buffers *io) {
    const nn__place *places = pass->layout->places;
    if (io->sparse != NULL) {
        nn__sparse_dense_forward(node, pass, parameters, io);
        return;
    }
    nn__matrix W = tensor_of(parameters, &places[node->weight]);
    nn__gemm(block_of(io->y, pass->rows, node->n_out), block_of(io->x, pass->rows, node->n_in), W,
             false, pass->vector);
    pass->vector->add_bias(io->y, parameters + places[node->bias].offset, pass->rows,
                           nn__padded(node->n_out));
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Of y = x W + b, given dy:   dx = dy W^T. */
static void input_gradient(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                           const nn_real *dy, nn_real *dx) {
    const size_t stride = nn__padded(node->n_in), rest = stride - node->n_in;
    nn__matrix W = tensor_of(parameters, &pass->layout->places[node->weight]);
    nn__gemm(block_of(dx, pass->rows, node->n_in), block_of(dy, pass->rows, node->n_out),
             nn__matrix_transposed(W), false, pass->vector);
    for (size_t r = 0; rest > 0 && r < pass->rows; r++)
        memset(dx + r * stride + node->n_in, 0, rest * sizeof *dx);
}

/* Of y = x W + b, given dy:   dW = x^T dy,   db = sum over rows of dy. */
static void parameter_gradient(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                               const nn_real *dy, nn_real *gradient) {
    const nn__place *places = pass->layout->places;
    nn__matrix x = block_of(io->x, pass->rows, node->n_in);
    if (io->sparse != NULL)
        nn__sparse_dense_gradient(node, pass, io, dy, gradient);
    else
        nn__gemm(tensor_of(gradient, &places[node->weight]), nn__matrix_transposed(x),
                 block_of(dy, pass->rows, node->n_out), pass->accumulate, pass->vector);
    pass->vector->sum_rows(gradient + places[node->bias].offset, dy, pass->rows,
                           nn__padded(node->n_out), pass->accumulate);
}

static void backward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                           const nn__buffers *io, const nn_real *dy, nn_real *dx,
                           nn_real *gradient) {
    if (dx != NULL) input_gradient(node, pass, parameters, dy, dx);
    parameter_gradient(node, pass, io, dy, gradient);
}

/* ---- step ----------------------------------------------------------------------------------- */

static void step_dense(const nn__node *node, const nn__pass *pass, nn__update *update,
                       const nn__buffers *io, const nn_real *dy, nn_real *dx) {
    if (io->sparse != NULL) {
        nn__sparse_dense_step(node, pass, update, io, dy);
        return;
    }
    backward_dense(node, pass, update->parameters, io, dy, dx, update->gradient);
    nn__optimizer_step(update, node->weight);
    nn__optimizer_step(update, node->bias);
}

const nn__layer_kind nn__dense_kind = {
    .name = "dense",
    .plan = plan_dense,
    .init = init_dense,
    .forward = forward_dense,
    .backward = backward_dense,
    .step = step_dense,
};

#include "layers/sparse_dense.h"

#include <string.h>

/* Up to so many columns an update goes row after row of the batch, whose dy stays in registers;
 * beyond, by columns, which reads and writes each row of W once. */
#define NARROW 64

/* Wide layers lie in tiles of this many columns when batches have WIDE_BATCH rows and more. */
#define TILE 80
#define WIDE_BATCH 32

/* The largest decay of a step that is done lazily, and the scale below which W' takes it in. */
#define MOST_LAZY 0.5
#define LEAST_SCALE 0x1p-20

/* The tensor at this place of a packed array. */
static nn__weights weights_of(nn_real *values, const nn__place *place) {
    return (nn__weights){values + place->offset, place->rows, place->stride,
                         nn__padded(place->columns)};
}

size_t nn__sparse_dense_tile(size_t n_out, size_t rows) {
    return rows >= WIDE_BATCH && nn__padded(n_out) > TILE ? TILE : 0;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* y = scale x W' + b.   x (rows, n_in) sparse, W' (n_in, n_out), b (n_out,), y (rows, n_out) */
void nn__sparse_dense_forward(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                              const nn__buffers *io) {
    const nn__place *places = pass->layout->places;
    const nn__weights W = weights_of((nn_real *)(uintptr_t)parameters, &places[node->weight]);
    pass->vector->products->sparse_forward(io->y, nn__padded(node->n_out), &io->sparse->rows, &W,
                                           parameters + places[node->bias].offset,
                                           (nn_real)pass->scale, io->sparse->cursor);
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Of y = x W + b, given dy:   dW = x^T dy. */
void nn__sparse_dense_gradient(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                               const nn_real *dy, nn_real *gradient) {
    const nn__place *place = &pass->layout->places[node->weight];
    const nn__weights dW = weights_of(gradient, place);
    if (!pass->accumulate) memset(dW.values, 0, place->count * sizeof *gradient);
    nn__columns_make(&io->sparse->columns, &io->sparse->rows, node->n_in, 1);
    pass->vector->products->sparse_update_columns(&dW, &io->sparse->columns, dy,
                                                  nn__padded(node->n_out));
}

/* ---- step ----------------------------------------------------------------------------------- */

void nn__sparse_dense_fold(nn__update *update) {
    const nn__place *place = &update->layout->places[0];
    nn_real *W = update->parameters + place->offset;
    const nn_real scale = (nn_real)update->scale;
    if (update->scale == 1.0) return;
    for (size_t i = 0; i < place->count; i++) W[i] *= scale;
    update->scale = 1.0;
}

/* Plain SGD without l1, its decay lazy. */
static void step_lazily(const nn__node *node, const nn__pass *pass, nn__update *update,
                        const nn__buffers *io, const nn_real *dy, double decay) {
    const nn__product_kernels *products = pass->vector->products;
    const nn__weights W = weights_of(update->parameters, &update->layout->places[node->weight]);
    const size_t ld = nn__padded(node->n_out);
    update->scale *= 1.0 - decay;
    if (update->scale < LEAST_SCALE) nn__sparse_dense_fold(update);
    const nn_real c = (nn_real)(-update->optimizer->learning_rate / update->scale);
    if (ld <= NARROW) {
        products->sparse_update_rows(&W, &io->sparse->rows, dy, ld, c);
        return;
    }
    nn__columns_make(&io->sparse->columns, &io->sparse->rows, node->n_in, c);
    products->sparse_update_columns(&W, &io->sparse->columns, dy, ld);
}

/* SGD with momentum and without l1. */
static void step_momentum(const nn__node *node, const nn__pass *pass, nn__update *update,
                          const nn__buffers *io, const nn_real *dy) {
    const nn_optimizer *sgd = update->optimizer;
    const nn__place *place = &update->layout->places[node->weight];
    const nn__weights W = weights_of(update->parameters, place);
    const nn__weights v = weights_of(update->slots[0], place);
    const nn__momentum momentum = {(nn_real)sgd->learning_rate, (nn_real)sgd->momentum,
                                   (nn_real)(update->penalty->l2 / update->penalty->n),
                                   sgd->nesterov};
    nn__columns_make(&io->sparse->columns, &io->sparse->rows, node->n_in, -momentum.eta);
    pass->vector->products->sparse_update_momentum(&W, &v, &io->sparse->columns, dy,
                                                   nn__padded(node->n_out), &momentum);
}

void nn__sparse_dense_step(const nn__node *node, const nn__pass *pass, nn__update *update,
                           const nn__buffers *io, const nn_real *dy) {
    const nn_optimizer *sgd = update->optimizer;
    const double decay = sgd->learning_rate * update->penalty->l2 / update->penalty->n;
    const bool smooth = update->penalty->l1 == 0.0;
    if (smooth && nn__optimizer_is_plain(sgd) && decay <= MOST_LAZY) {
        step_lazily(node, pass, update, io, dy, decay);
    } else if (smooth && sgd->kind == NN_OPTIMIZER_SGD && sgd->momentum > 0.0) {
        step_momentum(node, pass, update, io, dy);
    } else {
        nn__sparse_dense_gradient(node, pass, io, dy, update->gradient);
        nn__optimizer_step(update, node->weight);
    }
}

/* Dropout layer, inverted: in training each unit is dropped with probability p and those kept are
 * divided by 1 - p; at evaluation nothing happens.
 *
 * Source: N. Srivastava et al., "Dropout", JMLR 15 (2014), in the inverted form. */
#include <math.h>

#include "layers/plan.h"

/* ---- spec and plan -------------------------------------------------------------------------- */

static nn_status plan_dropout(nn__plan *plan, const nn_layer *layer) {
    if (!(layer->p >= 0.0 && layer->p < 1.0)) return NN_ERROR_ARGUMENT;
    nn__node *node = nn__plan_add_node(plan, &nn__dropout_kind, layer, nn__plan_width(plan));
    node->n_kept = node->n_out;
    return NN_OK;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* mask (n,): unit u of this row is 0 with probability p, else 1 / (1 - p). Its number is word
 * u mod 4 of the counter (u / 4, row, step): a function of seed, layer, step, row and unit. */
static void draw_mask(nn_real *mask, size_t n, double p, const nn__stream *stream, size_t row,
                      uint64_t step) {
    const uint64_t threshold = (uint64_t)floor(p * 0x1p32); /* a word below it drops the unit */
    const nn_real kept = (nn_real)(1.0 / (1.0 - p));
    uint32_t words[4];
    for (size_t u = 0; u < n; u++) {
        if (u % 4 == 0) nn__stream_words(stream, (uint32_t)(u / 4), (uint32_t)row, step, words);
        mask[u] = words[u % 4] >= threshold ? kept : 0;
    }
}

/* y = x * mask.   x, y, mask (rows, n) */
static void forward_dropout(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                            const nn__buffers *io) {
    (void)parameters;
    const size_t n = node->n_out, stride = nn__padded(n);
    nn__stream stream = nn__stream_open(pass->seed, node->name);
    for (size_t r = 0; r < pass->rows; r++)
        draw_mask(io->kept + r * stride, n, node->layer.p, &stream, pass->row0 + r, pass->step);
    for (size_t i = 0; i < pass->rows * stride; i++) io->y[i] = io->x[i] * io->kept[i];
}

/* ---- backward ------------------------------------------------------------------------------- */

/* Of y = x * mask, given dy in dx:   dx = dy * mask. */
static void backward_dropout(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                             const nn__buffers *io, const nn_real *dy, nn_real *dx) {
    (void)parameters, (void)dy;
    pass->vector->multiply(dx, io->kept, pass->rows * nn__padded(node->n_out));
}

const nn__layer_kind nn__dropout_kind = {
    .name = "dropout",
    .training_only = true,
    .in_place = true,
    .plan = plan_dropout,
    .forward = forward_dropout,
    .backward = backward_dropout,
};

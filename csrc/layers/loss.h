/* Losses: a cost function together with the activation of the outputs.
 *
 * For a sample with outputs a = f(z) and targets y (formulas: loss.c):
 *     value    c(a, y), in nats, summed over the outputs
 *     delta    dc/dz
 * Both are worked out for a block of samples at once. Terms have the precision of nn_real, sums
 * over them are formed in double, in an order that the shape alone decides. NaN and infinity among
 * the outputs come through to the value.
 *
 * Labels become targets first: one-hot rows, -1 and 1 for tanh; one output takes 0 and 1 as they
 * are (tanh: -1 and 1). */
#ifndef NN_LAYERS_LOSS_H
#define NN_LAYERS_LOSS_H

#include "base/types.h"
#include "kernels/vector.h"

/* The outputs of a block of samples, and what they should be. */
typedef struct nn__outputs {
    const nn_real *z, *a, *y; /* (rows, n), rows ld apart; what lies between them is not read */
    const nn_real *weights;   /* (rows,): of the samples */
    size_t rows, n, ld;
} nn__outputs;

typedef struct nn__loss {
    nn_cost cost;
    nn_activation output;
    bool labels_only; /* real targets have no meaning (hinge) */
    size_t fewest_outputs;

    /* The sum of w c over the rows. */
    double (*value)(const nn__outputs *outputs, const nn__vector_kernels *vector);

    /* delta = scale w dc/dz in every row; columns n .. ld-1 of delta become 0.
     * delta (rows, n), rows ld apart */
    void (*delta)(nn_real *restrict delta, const nn__outputs *outputs, nn_real scale);
} nn__loss;

/* The loss of this pair, NULL when there is none. */
const nn__loss *nn__loss_find(nn_cost cost, nn_activation output);

/* Predictions are outputs, not classes: quadratic cost with linear outputs or one relu. */
bool nn__loss_is_regression(const nn__loss *loss, size_t n_outputs);

/* The number of classes that labels tell apart: n_outputs, or 2 for one output. */
size_t nn__loss_n_classes(size_t n_outputs);

/* targets (rows, n), its rows `stride` apart, = what the labels stand for.
 * labels (rows,) below n_classes */
void nn__loss_targets(nn_real *restrict targets, size_t stride, const int32_t *labels, size_t rows,
                      size_t n, nn_activation output);

/* The class that outputs (or targets) a name: the first largest, or for one output whether
 * a >= 0.5 (tanh: >= 0).   a (n,) */
size_t nn__loss_class(const nn_real *a, size_t n, nn_activation output);

/* The number of rows whose outputs name the same class as their targets. */
size_t nn__loss_count_right(const nn__outputs *outputs, nn_activation output);

#endif

/* The dense layer over a sparse batch: the first layer, where x has many zeros. Forward reads the
 * weights of inputs that are not zero alone, and plain SGD without l1 writes no others.
 *
 * Decay, W <- (1 - eta l2/n) W in every step, would touch all of them. It is lazy instead: one
 * number is multiplied,
 *
 *     W = scale W',   scale <- (1 - eta l2/n) scale,   W' <- W' - (eta / scale) x^T dy
 *
 * and W' takes the scale in when it falls below 2^-20, and when the epoch ends.
 *
 * Momentum moves all weights in every step. Narrow layers keep the velocity a step ahead: instead
 * of v there stands u = mu v - eta (l2/n) W, what the next velocity will be but for the data. Then
 *
 *     u <- u - eta x^T dy        where x is not zero: u is now the new velocity
 *     W <- W + u;   u <- mu u - eta (l2/n) W         one pass over all
 *
 * After the last step of an epoch the second half is left out, so that v stands there again; where
 * an epoch is stopped before, v is worked out from u. */
#ifndef NN_LAYERS_SPARSE_DENSE_H
#define NN_LAYERS_SPARSE_DENSE_H

#include "layers/optimizer.h"

/* y = x W + b.   y (rows, n_out) */
void nn__sparse_dense_forward(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                              const nn__buffers *io);

/* dW = x^T dy, or dW += it where the pass accumulates; the bias is left out.   dy (rows, n_out) */
void nn__sparse_dense_gradient(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                               const nn_real *dy, nn_real *gradient);

/* W follows its gradient. Changes update->scale. */
void nn__sparse_dense_step(const nn__node *node, const nn__pass *pass, nn__update *update,
                           const nn__buffers *io, const nn_real *dy);

/* The tile in which a first layer of n_out columns wants its weights for batches of `rows` sparse
 * rows: 0 for one tile. */
size_t nn__sparse_dense_tile(size_t n_out, size_t rows);

/* Fills in `tile`, `by_rows` and `narrow`, for batches of `rows` rows. */
void nn__sparse_dense_path(nn_path *path, size_t rows, bool shared);

/* The weights and their velocity as they are: W' takes the scale in, and the velocity is no longer
 * ahead. */
void nn__sparse_dense_settle(nn__update *update);

#endif

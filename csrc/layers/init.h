/* Start values of weights and biases. */
#ifndef NN_LAYERS_INIT_H
#define NN_LAYERS_INIT_H

#include "layers/layer.h"

/* Draws W (n_in, n_out) from the stream "<node>.weight" and b (n_out,) from "<node>.bias", by
 * node->layer.init. Element i gets the stream's i-th normal deviate times a standard deviation,
 * formed in double and then rounded: the same seed gives the same deviates under every scheme. */
void nn__init_dense(const nn__node *node, nn_real *weight, nn_real *bias, uint64_t seed);

#endif

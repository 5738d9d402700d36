/* Optimisers: how the parameters follow their gradient, and what they remember between steps. */
#ifndef NN_LAYERS_OPTIMIZER_H
#define NN_LAYERS_OPTIMIZER_H

#include "layers/layout.h"

/* One step's update: what is updated, and by which rule. Arrays are packed. */
struct nn__update {
    const nn__plan *plan;
    const nn_optimizer *optimizer;
    const nn_penalty *penalty;
    const nn__layout *layout;
    const nn__vector_kernels *vector;
    nn_real *parameters;
    nn_real *gradient;                  /* of this step, scratch where an update needs none */
    nn_real *slots[NN_OPTIMIZER_SLOTS]; /* the optimiser's state, NULL when not kept */
    double scale; /* the first weights are this times what stands in parameters; 1 to begin with */
    bool ahead;   /* the first weights' velocity is a step ahead: sparse_dense.h */
    bool last_step; /* of the epoch */
};

/* Every number inside its range. Codes: NN_ERROR_ARGUMENT. */
nn_status nn__optimizer_check(const nn_optimizer *optimizer);
nn_status nn__penalty_check(const nn_penalty *penalty);

/* Plain gradient descent: SGD without momentum. */
bool nn__optimizer_is_plain(const nn_optimizer *optimizer);

/* How many slots this optimiser keeps. */
size_t nn__optimizer_n_slots(const nn_optimizer *optimizer);

/* Whether the penalties bear on this tensor. */
bool nn__penalty_has(const nn_penalty *penalty, const nn__tensor *tensor);

/* Tensor i follows its gradient in update->gradient. */
void nn__optimizer_step(const nn__update *update, size_t i);

/* (l1/n) sum |W| + (l2/2n) sum W^2 over the penalised tensors.   parameters: not packed */
double nn__penalty_value(const nn__plan *plan, const nn_penalty *penalty,
                         const nn_real *parameters);

/* gradient += (l1/n) sgn(W) + (l2/n) W over the penalised tensors.   Neither is packed. */
void nn__penalty_add_gradient(const nn__plan *plan, const nn_penalty *penalty,
                              const nn_real *parameters, nn_real *gradient);

#endif

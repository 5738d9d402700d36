/* Optimisers: how the parameters follow their gradient, and what they remember between steps. */
#ifndef NN_LAYERS_OPTIMIZER_H
#define NN_LAYERS_OPTIMIZER_H

#include "layers/plan.h"

/* The optimiser's state: each slot is an array laid out as the parameters, NULL when not kept. */
typedef struct nn__optimizer_state {
    nn_optimizer_kind kind;
    nn_real *slots[NN_OPTIMIZER_SLOTS];
} nn__optimizer_state;

/* Every number inside its range. Codes: NN_ERROR_ARGUMENT. */
nn_status nn__optimizer_check(const nn_optimizer *optimizer);
nn_status nn__penalty_check(const nn_penalty *penalty);

/* How many slots this optimiser keeps. */
size_t nn__optimizer_n_slots(const nn_optimizer *optimizer);

/* One update of every tensor.   parameters, gradient, slots: laid out as the plan's arena */
void nn__optimizer_step(const nn__plan *plan, const nn_optimizer *optimizer,
                        const nn_penalty *penalty, nn__optimizer_state *state, nn_real *parameters,
                        const nn_real *gradient, const nn__vector_kernels *vector);

/* (l1/n) sum |W| + (l2/2n) sum W^2 over the penalised tensors. */
double nn__penalty_value(const nn__plan *plan, const nn_penalty *penalty,
                         const nn_real *parameters);

/* gradient += (l1/n) sgn(W) + (l2/n) W over the penalised tensors. */
void nn__penalty_add_gradient(const nn__plan *plan, const nn_penalty *penalty,
                              const nn_real *parameters, nn_real *gradient);

#endif

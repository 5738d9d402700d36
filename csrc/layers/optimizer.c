#include "layers/optimizer.h"

#include <math.h>

/* ---- penalties ------------------------------------------------------------------------------ */

static bool non_negative(double number) {
    return number >= 0.0 && number < HUGE_VAL;
}

nn_status nn__penalty_check(const nn_penalty *penalty) {
    bool valid = non_negative(penalty->l1) && non_negative(penalty->l2) && penalty->n > 0.0 &&
                 penalty->n < HUGE_VAL;
    return valid ? NN_OK : NN_ERROR_ARGUMENT;
}

bool nn__penalty_has(const nn_penalty *penalty, const nn__tensor *tensor) {
    return !tensor->is_bias || penalty->biases;
}

double nn__penalty_value(const nn__plan *plan, const nn_penalty *penalty,
                         const nn_real *parameters) {
    double absolute = 0.0, squares = 0.0;
    if (penalty->l1 == 0.0 && penalty->l2 == 0.0) return 0.0;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__tensor *tensor = &plan->tensors[i];
        if (!nn__penalty_has(penalty, tensor)) continue;
        for (size_t j = 0; j < tensor->count; j++) {
            double W = (double)parameters[tensor->offset + j];
            absolute += fabs(W);
            squares += W * W;
        }
    }
    return penalty->l1 / penalty->n * absolute + penalty->l2 / (2.0 * penalty->n) * squares;
}

void nn__penalty_add_gradient(const nn__plan *plan, const nn_penalty *penalty,
                              const nn_real *parameters, nn_real *gradient) {
    const nn_real l1 = (nn_real)(penalty->l1 / penalty->n);
    const nn_real l2 = (nn_real)(penalty->l2 / penalty->n);
    if (penalty->l1 == 0.0 && penalty->l2 == 0.0) return;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__tensor *tensor = &plan->tensors[i];
        if (!nn__penalty_has(penalty, tensor)) continue;
        for (size_t j = tensor->offset; j < tensor->offset + tensor->count; j++) {
            nn_real W = parameters[j];
            gradient[j] += l1 * (nn_real)((W > 0) - (W < 0)) + l2 * W;
        }
    }
}

/* ---- SGD, with momentum in the classical form and in Nesterov's (as Keras writes it) --------- */

static nn_status check_sgd(const nn_optimizer *sgd) {
    bool valid = sgd->learning_rate > 0.0 && sgd->learning_rate < HUGE_VAL &&
                 sgd->momentum >= 0.0 && sgd->momentum < 1.0;
    return valid ? NN_OK : NN_ERROR_ARGUMENT;
}

static size_t sgd_n_slots(const nn_optimizer *sgd) {
    return sgd->momentum > 0.0 ? 1 : 0;
}

/* W, slots and gradient start at the tensor; l1 and l2 are already divided by n. */
static void update_sgd(const nn_optimizer *optimizer, nn_real *W, nn_real *const *slots,
                       const nn_real *gradient, size_t n, nn_real l1, nn_real l2,
                       const nn__vector_kernels *vector) {
    nn__sgd sgd = {(nn_real)optimizer->learning_rate, (nn_real)optimizer->momentum, l1, l2};
    if (optimizer->momentum == 0.0)
        vector->sgd_plain(W, gradient, n, &sgd);
    else if (optimizer->nesterov)
        vector->sgd_nesterov(W, slots[0], gradient, n, &sgd);
    else
        vector->sgd_momentum(W, slots[0], gradient, n, &sgd);
}

/* ---- the table ------------------------------------------------------------------------------ */

typedef struct kind {
    nn_status (*check)(const nn_optimizer *optimizer);
    size_t (*n_slots)(const nn_optimizer *optimizer);
    void (*update)(const nn_optimizer *optimizer, nn_real *W, nn_real *const *slots,
                   const nn_real *gradient, size_t n, nn_real l1, nn_real l2,
                   const nn__vector_kernels *vector);
} kind;

/* In the order of nn_optimizer_kind. */
static const kind kinds[] = {{check_sgd, sgd_n_slots, update_sgd}};

nn_status nn__optimizer_check(const nn_optimizer *optimizer) {
    if ((size_t)optimizer->kind >= sizeof kinds / sizeof *kinds) return NN_ERROR_ARGUMENT;
    return kinds[optimizer->kind].check(optimizer);
}

bool nn__optimizer_is_plain(const nn_optimizer *optimizer) {
    return optimizer->kind == NN_OPTIMIZER_SGD && optimizer->momentum == 0.0;
}

size_t nn__optimizer_n_slots(const nn_optimizer *optimizer) {
    return kinds[optimizer->kind].n_slots(optimizer);
}

void nn__optimizer_step(const nn__update *update, size_t i) {
    const nn_penalty *penalty = update->penalty;
    const nn__place *place = &update->layout->places[i];
    const bool penalised = nn__penalty_has(penalty, &update->plan->tensors[i]);
    nn_real *slots[NN_OPTIMIZER_SLOTS];
    for (size_t s = 0; s < NN_OPTIMIZER_SLOTS; s++)
        slots[s] = update->slots[s] != NULL ? update->slots[s] + place->offset : NULL;
    kinds[update->optimizer->kind].update(update->optimizer, update->parameters + place->offset,
                                          slots, update->gradient + place->offset, place->count,
                                          penalised ? (nn_real)(penalty->l1 / penalty->n) : 0,
                                          penalised ? (nn_real)(penalty->l2 / penalty->n) : 0,
                                          update->vector);
}

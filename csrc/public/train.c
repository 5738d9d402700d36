/* The trainer: one epoch is a loop of steps, and a step is gradient and update. */
#include <math.h>
#include <string.h>

#include "public/objects.h"

/* nn_reals of workspace for the block that a step works on at once, and the work (multiplications)
 * above which a step is long: it then asks the poll function between its parts as well. */
#define BLOCK_BUDGET ((size_t)1 << 23)
#define LONG_STEP 2e7

struct nn_trainer {
    nn_network *network;
    const nn_data *data; /* bound */
    size_t batch_size;
    uint32_t *order; /* (n_rows,) the epoch's permutation */
    nn__workspace workspace;
    nn__arena gradient; /* these three are laid out as the parameters */
    nn__arena slots[NN_OPTIMIZER_SLOTS];
    nn__arena kept[1 + NN_OPTIMIZER_SLOTS]; /* parameters and slots at the epoch's start */
    nn__optimizer_state state;
    nn_failure failure;
};

/* ---- making, binding, freeing --------------------------------------------------------------- */

/* Opens an arena laid out as the parameters, unless it is open. */
static nn_status mirror(nn_trainer *trainer, nn__arena *arena) {
    if (arena->values != NULL) return NN_OK;
    *arena = trainer->network->plan.arena;
    return nn__arena_open(arena);
}

nn_status nn_trainer_create(nn_trainer **trainer, nn_network *network) {
    *trainer = NULL;
    nn_trainer *made = nn__allocate(1, sizeof *made);
    if (made == NULL) return NN_ERROR_MEMORY;
    made->network = network;
    nn_status status = mirror(made, &made->gradient);
    if (status == NN_OK) status = mirror(made, &made->kept[0]);
    if (status != NN_OK) {
        nn_trainer_free(made);
        return status;
    }
    *trainer = made;
    return NN_OK;
}

void nn_trainer_unbind(nn_trainer *trainer) {
    nn__workspace_free(&trainer->workspace);
    nn__release(trainer->order);
    trainer->order = NULL;
    trainer->data = NULL;
}

void nn_trainer_free(nn_trainer *trainer) {
    if (trainer == NULL) return;
    nn_trainer_unbind(trainer);
    nn_trainer_clear(trainer);
    nn__arena_close(&trainer->gradient);
    nn__arena_close(&trainer->kept[0]);
    nn__release(trainer);
}

/* Room for the slots of this optimiser; those of another kind, or not kept any more, go. */
static nn_status prepare_slots(nn_trainer *trainer, const nn_optimizer *optimizer) {
    size_t n_slots = nn__optimizer_n_slots(optimizer);
    if (n_slots == 0 || trainer->state.kind != optimizer->kind) nn_trainer_clear(trainer);
    for (size_t i = 0; i < n_slots; i++) NN_TRY(nn_trainer_keep_slot(trainer, optimizer->kind, i));
    trainer->state.kind = optimizer->kind;
    return NN_OK;
}

nn_status nn_trainer_bind(nn_trainer *trainer, const nn_data *data, size_t batch_size,
                          const nn_optimizer *optimizer) {
    const nn__plan *plan = &trainer->network->plan;
    NN_TRY(nn__data_check(data, plan, plan->loss));
    NN_TRY(nn__optimizer_check(optimizer));
    if (batch_size == 0) return NN_ERROR_SIZE;
    if (batch_size > data->x.n_rows) batch_size = data->x.n_rows;
    nn_trainer_unbind(trainer);
    size_t rows = nn__plan_block_rows(plan, BLOCK_BUDGET);
    NN_TRY(nn__workspace_make(&trainer->workspace, plan, batch_size < rows ? batch_size : rows));
    trainer->order = nn__allocate(data->x.n_rows, sizeof *trainer->order);
    if (trainer->order == NULL) return NN_ERROR_MEMORY;
    NN_TRY(prepare_slots(trainer, optimizer));
    trainer->data = data;
    trainer->batch_size = batch_size;
    return NN_OK;
}

/* ---- optimiser state ------------------------------------------------------------------------ */

nn_optimizer_kind nn_trainer_kind(const nn_trainer *trainer) {
    return trainer->state.kind;
}

nn_real *nn_trainer_slot(const nn_trainer *trainer, size_t i) {
    return trainer->state.slots[i];
}

nn_status nn_trainer_keep_slot(nn_trainer *trainer, nn_optimizer_kind kind, size_t i) {
    NN_TRY(mirror(trainer, &trainer->kept[1 + i]));
    NN_TRY(mirror(trainer, &trainer->slots[i]));
    trainer->state.slots[i] = trainer->slots[i].values;
    trainer->state.kind = kind;
    return NN_OK;
}

void nn_trainer_clear(nn_trainer *trainer) {
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++) {
        nn__arena_close(&trainer->slots[i]);
        nn__arena_close(&trainer->kept[1 + i]);
        trainer->state.slots[i] = NULL;
    }
}

/* Copies parameters and slots aside: what a divergence goes back to. */
static void keep(nn_trainer *trainer) {
    const nn__arena *parameters = &trainer->network->parameters;
    const size_t bytes = parameters->size * sizeof(nn_real);
    memcpy(trainer->kept[0].values, parameters->values, bytes);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        if (trainer->state.slots[i] != NULL)
            memcpy(trainer->kept[1 + i].values, trainer->state.slots[i], bytes);
}

/* The way back. */
static void restore(nn_trainer *trainer) {
    const nn__arena *parameters = &trainer->network->parameters;
    const size_t bytes = parameters->size * sizeof(nn_real);
    memcpy(parameters->values, trainer->kept[0].values, bytes);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        if (trainer->state.slots[i] != NULL)
            memcpy(trainer->state.slots[i], trainer->kept[1 + i].values, bytes);
}

/* ---- divergence ----------------------------------------------------------------------------- */

static nn_status diverged(nn_trainer *trainer, size_t step, const char *where, double value) {
    trainer->failure = (nn_failure){.step = step, .where = where, .value = value};
    restore(trainer);
    return NN_DIVERGED;
}

/* The first number that is not finite, 0 when all are. */
static double first_bad(const nn_real *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return (double)values[i];
    return 0.0;
}

/* Parameters and optimiser state are finite at the end of an epoch, or all goes back. */
static nn_status check_finite(nn_trainer *trainer, size_t step) {
    const nn_network *network = trainer->network;
    const nn__plan *plan = &network->plan;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__tensor *tensor = &plan->tensors[i];
        const nn_real *values = network->parameters.values + tensor->offset;
        if (!network->vector->all_finite(values, tensor->count))
            return diverged(trainer, step, tensor->name, first_bad(values, tensor->count));
    }
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++) {
        const nn_real *slot = trainer->state.slots[i];
        const size_t size = network->parameters.size;
        if (slot != NULL && !network->vector->all_finite(slot, size))
            return diverged(trainer, step, "optimizer", first_bad(slot, size));
    }
    return NN_OK;
}

/* ---- an epoch ------------------------------------------------------------------------------- */

nn_epoch nn_epoch_defaults(void) {
    return (nn_epoch){.optimizer = {.kind = NN_OPTIMIZER_SGD}, .shuffle = true};
}

nn_failure nn_trainer_failure(const nn_trainer *trainer) {
    return trainer->failure;
}

size_t nn_trainer_n_steps(const nn_trainer *trainer) {
    if (trainer->data == NULL) return 0;
    return (trainer->data->x.n_rows - 1) / trainer->batch_size + 1;
}

/* The settings are in range and belong to what was bound. */
static nn_status check_settings(const nn_trainer *trainer, const nn_epoch *settings,
                                const nn_penalty *penalty) {
    if (trainer->data == NULL) return NN_ERROR_ARGUMENT;
    NN_TRY(nn__optimizer_check(&settings->optimizer));
    NN_TRY(nn__penalty_check(penalty));
    const size_t n_slots = nn__optimizer_n_slots(&settings->optimizer);
    bool bound = trainer->state.kind == settings->optimizer.kind;
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        bound = bound && (trainer->state.slots[i] != NULL) == (i < n_slots);
    return bound ? NN_OK : NN_ERROR_ARGUMENT;
}

static void set_order(nn_trainer *trainer, const nn_epoch *settings) {
    size_t n = trainer->data->x.n_rows;
    nn__stream stream = nn__stream_open(settings->seed, "shuffle");
    if (settings->shuffle)
        nn__stream_permute(&stream, trainer->network->epochs, trainer->order, n);
    else
        for (size_t i = 0; i < n; i++) trainer->order[i] = (uint32_t)i;
}

/* Step `step` of the epoch: gradient of its batch, then the update. A loss that is not finite ends
 * the epoch before the update. */
static nn_status train_step(nn_trainer *trainer, const nn_epoch *settings,
                            const nn_penalty *penalty, const nn__pass *pass, size_t step,
                            nn__sums *sums) {
    nn_network *network = trainer->network;
    size_t first = step * trainer->batch_size, left = trainer->data->x.n_rows - first;
    nn__batch batch = {.data = trainer->data,
                       .order = trainer->order + first,
                       .n = left < trainer->batch_size ? left : trainer->batch_size};
    nn__sums own = {0};
    NN_TRY(nn__batch_gradient(&network->plan, pass, &batch, network->parameters.values,
                              &trainer->workspace, trainer->gradient.values, &own));
    if (!isfinite(own.loss)) return diverged(trainer, step + 1, "loss", own.loss);
    nn__optimizer_step(&network->plan, &settings->optimizer, penalty, &trainer->state,
                       network->parameters.values, trainer->gradient.values, network->vector);
    if (settings->step_loss != NULL)
        settings->step_loss[step] = (float)(own.loss / (double)batch.n);
    sums->loss += own.loss;
    sums->n_right += own.n_right;
    return NN_OK;
}

/* All steps of the epoch; *n_steps counts those done. */
static nn_status train_steps(nn_trainer *trainer, const nn_epoch *settings,
                             const nn_penalty *penalty, nn__sums *sums, size_t *n_steps) {
    const nn_network *network = trainer->network;
    double work = nn__plan_work(&network->plan) * (double)trainer->batch_size;
    nn__pass pass = {.training = true,
                     .seed = settings->seed,
                     .vector = network->vector,
                     .poll = work > LONG_STEP ? settings->poll : NULL,
                     .poll_context = settings->poll_context,
                     .progress = {.total = nn_trainer_n_steps(trainer)}};
    for (size_t step = 0; step < pass.progress.total; step++) {
        pass.progress.done = *n_steps = step;
        pass.step = network->steps + step;
        if (settings->poll != NULL && settings->poll(settings->poll_context, &pass.progress) != 0)
            return NN_STOPPED;
        NN_TRY(train_step(trainer, settings, penalty, &pass, step, sums));
    }
    *n_steps = pass.progress.total;
    return NN_OK;
}

nn_status nn_train_epoch(nn_trainer *trainer, const nn_epoch *settings, nn_epoch_result *result) {
    *result = (nn_epoch_result){0};
    if (trainer->data == NULL) return NN_ERROR_ARGUMENT;
    nn_network *network = trainer->network;
    const double n = (double)trainer->data->x.n_rows;
    nn_penalty penalty = {settings->l1, settings->l2, n, settings->penalize_biases};
    NN_TRY(check_settings(trainer, settings, &penalty));
    nn__sums sums = {0};
    keep(trainer);
    set_order(trainer, settings);
    nn_status status = train_steps(trainer, settings, &penalty, &sums, &result->n_steps);
    if (status == NN_OK || status == NN_STOPPED) NN_TRY(check_finite(trainer, result->n_steps));
    NN_TRY(status);
    if (!isfinite(sums.loss)) return diverged(trainer, result->n_steps, "loss", sums.loss);
    bool regression = nn_network_is_regression(network);
    result->loss = sums.loss / n;
    result->accuracy = regression ? NAN : (double)sums.n_right / n;
    result->penalty = nn__penalty_value(&network->plan, &penalty, network->parameters.values);
    nn_network_set_counters(network, network->epochs + 1, network->steps + result->n_steps);
    return NN_OK;
}

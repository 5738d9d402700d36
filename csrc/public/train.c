/* The trainer: one epoch is a loop of steps, and a step is gradient and update. */
#include <math.h>
#include <string.h>

#include "layers/sparse_dense.h"
#include "public/objects.h"

/* nn_reals of workspace for the block that a step works on at once, and the work (multiplications
 * of a forward pass, x dense) above which a step is long: where there is a poll function it is
 * asked between the parts as well, and the gradient is written out (step_in_parts). */
#define BLOCK_BUDGET ((size_t)1 << 23)
#define LONG_STEP 1e8

/* What an epoch works on. The network's parameters and the slots stay as they were until its end,
 * so that a divergence needs no way back. */
typedef struct packed {
    nn__arena parameters, gradient, slots[NN_OPTIMIZER_SLOTS];
} packed;

struct nn_trainer {
    nn_network *network;
    const nn_data *data; /* bound */
    size_t batch_size;
    uint32_t *order; /* (n_rows,) the epoch's permutation */
    nn__workspace workspace;
    nn_optimizer_kind kind;              /* whose state the slots hold */
    nn__arena slots[NN_OPTIMIZER_SLOTS]; /* laid out as the network's parameters */
    double work;   /* multiplications of a step's forward pass, and of the change of its images */
    bool augments; /* rows go through `augment` first */
    nn__augment augment; /* of the bound data */
    size_t tile;         /* of the first weights in the layout, 0 for one */
    nn__layout layout;
    packed packed;
    nn_failure failure;
};

/* ---- making, binding, freeing --------------------------------------------------------------- */

nn_status nn_trainer_create(nn_trainer **trainer, nn_network *network) {
    *trainer = nn__allocate(1, sizeof **trainer);
    if (*trainer == NULL) return NN_ERROR_MEMORY;
    (*trainer)->network = network;
    return NN_OK;
}

void nn_trainer_unbind(nn_trainer *trainer) {
    nn__workspace_free(&trainer->workspace);
    nn__release(trainer->order);
    nn__arena_close(&trainer->packed.parameters);
    nn__arena_close(&trainer->packed.gradient);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++) nn__arena_close(&trainer->packed.slots[i]);
    nn__layout_free(&trainer->layout);
    nn__augment_free(&trainer->augment);
    trainer->augments = false;
    trainer->order = NULL;
    trainer->data = NULL;
}

void nn_trainer_free(nn_trainer *trainer) {
    if (trainer == NULL) return;
    nn_trainer_unbind(trainer);
    nn_trainer_clear(trainer);
    nn__release(trainer);
}

/* Room for the slots of this optimiser; those of another kind, or not kept any more, go. */
static nn_status prepare_slots(nn_trainer *trainer, const nn_optimizer *optimizer) {
    size_t n_slots = nn__optimizer_n_slots(optimizer);
    if (n_slots == 0 || trainer->kind != optimizer->kind) nn_trainer_clear(trainer);
    for (size_t i = 0; i < n_slots; i++) NN_TRY(nn_trainer_keep_slot(trainer, optimizer->kind, i));
    trainer->kind = optimizer->kind;
    return NN_OK;
}

/* The layout, and packed arrays for as many slots as the optimiser keeps. */
static nn_status prepare_packed(nn_trainer *trainer, size_t n_slots) {
    packed *p = &trainer->packed;
    NN_TRY(nn__layout_make(&trainer->layout, &trainer->network->plan, trainer->tile));
    p->parameters = p->gradient = trainer->layout.arena;
    NN_TRY(nn__arena_open(&p->parameters));
    NN_TRY(nn__arena_open(&p->gradient));
    for (size_t i = 0; i < n_slots; i++) {
        p->slots[i] = trainer->layout.arena;
        NN_TRY(nn__arena_open(&p->slots[i]));
    }
    return NN_OK;
}

/* What is decided for batches of so many rows of the data. */
typedef struct decision {
    size_t rows;     /* of a block: a batch has one or more */
    size_t capacity; /* in nonzeros of a block, 0 where it is dense */
    double work;     /* of a step: multiplications of its forward pass */
} decision;

static decision decide(const nn__plan *plan, const nn_data *data, size_t batch_size,
                       const nn_augment *augment) {
    const size_t most = nn__plan_block_rows(plan, BLOCK_BUDGET);
    decision d = {.rows = batch_size < most ? batch_size : most};
    if (augment == NULL) d.capacity = nn__data_capacity(data, plan, d.rows);
    d.work = nn__plan_work(plan, d.capacity > 0 ? nn__data_density(data) : 1.0);
    if (augment != NULL) d.work += nn__augment_work(augment);
    d.work *= (double)batch_size;
    return d;
}

/* The augmentation, or NULL where it changes nothing. */
static const nn_augment *effective(const nn_augment *augment) {
    return augment != NULL && nn__augment_changes(augment) ? augment : NULL;
}

/* An image has as many numbers as x has columns.   Codes: NN_ERROR_SHAPE. */
static nn_status check_image(const nn_augment *augment, const nn_data *data) {
    return augment == NULL || nn__augment_fits(augment, data->x.n_columns) ? NN_OK : NN_ERROR_SHAPE;
}

nn_status nn_training_paths(const nn_network *network, const nn_data *data, size_t batch_size,
                            const nn_augment *augment, nn_path *paths, size_t *rows, bool *shared) {
    const nn__plan *plan = &network->plan;
    NN_TRY(nn__data_check(data, plan, NULL));
    NN_TRY(check_image(augment, data));
    if (batch_size == 0 || data->x.n_rows == 0) return NN_ERROR_SIZE;
    const decision d = decide(plan, data, batch_size < data->x.n_rows ? batch_size : data->x.n_rows,
                              effective(augment));
    *rows = d.rows;
    *shared = d.work >= NN_SHARED_WORK;
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (plan->nodes[i].kind == &nn__dense_kind)
            *paths++ = nn__dense_path(&plan->nodes[i], d.rows, i == 0 && d.capacity > 0, *shared);
    return NN_OK;
}

nn_status nn_trainer_bind(nn_trainer *trainer, const nn_data *data, size_t batch_size,
                          const nn_optimizer *optimizer) {
    return nn_trainer_bind_augmented(trainer, data, batch_size, optimizer, NULL);
}

nn_status nn_trainer_bind_augmented(nn_trainer *trainer, const nn_data *data, size_t batch_size,
                                    const nn_optimizer *optimizer, const nn_augment *augment) {
    const nn__plan *plan = &trainer->network->plan;
    NN_TRY(nn__data_check(data, plan, plan->loss));
    NN_TRY(nn__optimizer_check(optimizer));
    NN_TRY(check_image(augment, data));
    if (augment != NULL) NN_TRY(nn__augment_check(augment));
    if (batch_size == 0) return NN_ERROR_SIZE;
    if (batch_size > data->x.n_rows) batch_size = data->x.n_rows;
    nn_trainer_unbind(trainer);
    augment = effective(augment);
    const decision d = decide(plan, data, batch_size, augment);
    if (augment != NULL)
        NN_TRY(nn__augment_make(&trainer->augment, augment, d.rows, d.work >= NN_SHARED_WORK,
                                trainer->network->vector));
    trainer->augments = augment != NULL;
    NN_TRY(nn__workspace_make(&trainer->workspace, plan, d.rows, d.capacity));
    trainer->tile = d.capacity > 0 ? nn__sparse_dense_tile(plan->nodes[0].n_out, d.rows) : 0;
    trainer->work = d.work;
    trainer->order = nn__allocate(data->x.n_rows, sizeof *trainer->order);
    if (trainer->order == NULL) return NN_ERROR_MEMORY;
    NN_TRY(prepare_slots(trainer, optimizer));
    NN_TRY(prepare_packed(trainer, nn__optimizer_n_slots(optimizer)));
    trainer->data = data;
    trainer->batch_size = batch_size;
    return NN_OK;
}

/* ---- optimiser state ------------------------------------------------------------------------ */

nn_optimizer_kind nn_trainer_kind(const nn_trainer *trainer) {
    return trainer->kind;
}

nn_real *nn_trainer_slot(const nn_trainer *trainer, size_t i) {
    return trainer->slots[i].values;
}

nn_status nn_trainer_keep_slot(nn_trainer *trainer, nn_optimizer_kind kind, size_t i) {
    nn__arena *slot = &trainer->slots[i];
    if (slot->values == NULL) {
        *slot = trainer->network->plan.arena;
        NN_TRY(nn__arena_open(slot));
    }
    trainer->kind = kind;
    return NN_OK;
}

void nn_trainer_clear(nn_trainer *trainer) {
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++) nn__arena_close(&trainer->slots[i]);
}

/* Parameters and slots into the arrays that the epoch works on. */
static void pack(nn_trainer *trainer) {
    const nn_network *network = trainer->network;
    const nn__layout *layout = &trainer->layout;
    nn__layout_pack(layout, &network->plan, trainer->packed.parameters.values,
                    network->parameters.values);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        if (trainer->slots[i].values != NULL)
            nn__layout_pack(layout, &network->plan, trainer->packed.slots[i].values,
                            trainer->slots[i].values);
}

/* And back. */
static void unpack(nn_trainer *trainer) {
    nn_network *network = trainer->network;
    const nn__layout *layout = &trainer->layout;
    nn__layout_unpack(layout, &network->plan, network->parameters.values,
                      trainer->packed.parameters.values);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        if (trainer->slots[i].values != NULL)
            nn__layout_unpack(layout, &network->plan, trainer->slots[i].values,
                              trainer->packed.slots[i].values);
}

/* ---- divergence ----------------------------------------------------------------------------- */

static void clear(const nn__arena *arena) {
    if (arena->values != NULL) memset(arena->values, 0, arena->size * sizeof *arena->values);
}

/* What stands between rows is zero at the start of every epoch (layout.h), and is NaN now where an
 * infinite activation was multiplied with it: 0 inf. */
static void clear_packed(nn_trainer *trainer) {
    const nn__plan *plan = &trainer->network->plan;
    const nn__workspace *workspace = &trainer->workspace;
    clear(&trainer->packed.parameters);
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++) clear(&trainer->packed.slots[i]);
    for (size_t i = 0; i < plan->n_nodes; i++)
        memset(workspace->buffers[i].y, 0,
               workspace->rows * nn__padded(plan->nodes[i].n_out) * sizeof(nn_real));
}

static nn_status diverged(nn_trainer *trainer, size_t step, const char *where, double value) {
    trainer->failure = (nn_failure){.step = step, .where = where, .value = value};
    clear_packed(trainer);
    return NN_DIVERGED;
}

/* The first number that is not finite, 0 when all are. */
static double first_bad(const nn_real *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return (double)values[i];
    return 0.0;
}

/* The packed parameters are finite at the end of an epoch. The velocity need not be looked at: one
 * that is not finite has made its weight so. Codes: NN_DIVERGED. */
static nn_status check_finite(nn_trainer *trainer, size_t step) {
    const nn_network *network = trainer->network;
    for (size_t i = 0; i < network->plan.n_tensors; i++) {
        const nn__place *place = &trainer->layout.places[i];
        const nn_real *values = trainer->packed.parameters.values + place->offset;
        if (!network->vector->all_finite(values, place->count))
            return diverged(trainer, step, network->plan.tensors[i].name,
                            first_bad(values, place->count));
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
    bool bound = trainer->kind == settings->optimizer.kind;
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        bound = bound && (trainer->slots[i].values != NULL) == (i < n_slots) &&
                (trainer->packed.slots[i].values != NULL) == (i < n_slots);
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

/* Gradient and update in parts: for batches that do not fit the workspace, and for steps so long
 * that the poll function is asked within. Here update->scale is 1: only a short last batch, or
 * none, is then stepped lazily. */
static nn_status step_in_parts(nn_trainer *trainer, const nn__pass *pass, const nn__batch *batch,
                               nn__update *update, nn__sums *sums) {
    const nn__plan *plan = update->plan;
    NN_TRY(nn__batch_gradient(plan, pass, batch, update->parameters, &trainer->workspace,
                              update->gradient, sums));
    for (size_t i = 0; isfinite(sums->loss) && i < plan->n_tensors; i++)
        nn__optimizer_step(update, i);
    return NN_OK;
}

/* Step `step` of the epoch. A loss that is not finite ends the epoch before the update. */
static nn_status train_step(nn_trainer *trainer, const nn_epoch *settings, const nn__pass *pass,
                            nn__update *update, size_t step, nn__sums *sums) {
    const size_t most = trainer->batch_size, first = step * most;
    const size_t left = trainer->data->x.n_rows - first, n = left < most ? left : most;
    nn__batch batch = {.data = trainer->data,
                       .order = trainer->order + first,
                       .n = n,
                       .n_next = left - n < most ? left - n : most,
                       .augment = trainer->augments ? &trainer->augment : NULL};
    nn__sums own = {0};
    if (pass->poll == NULL && batch.n <= trainer->workspace.rows)
        NN_TRY(nn__batch_step(pass, &batch, &trainer->workspace, update, &own));
    else
        NN_TRY(step_in_parts(trainer, pass, &batch, update, &own));
    if (!isfinite(own.loss)) return diverged(trainer, step + 1, "loss", own.loss);
    if (settings->step_loss != NULL)
        settings->step_loss[step] = (float)(own.loss / (double)batch.n);
    sums->loss += own.loss;
    sums->n_right += own.n_right;
    return NN_OK;
}

static nn__update update_of(nn_trainer *trainer, const nn_epoch *settings,
                            const nn_penalty *penalty) {
    nn__update update = {.plan = &trainer->network->plan,
                         .optimizer = &settings->optimizer,
                         .penalty = penalty,
                         .layout = &trainer->layout,
                         .vector = trainer->network->vector,
                         .parameters = trainer->packed.parameters.values,
                         .gradient = trainer->packed.gradient.values,
                         .scale = 1.0};
    for (size_t i = 0; i < NN_OPTIMIZER_SLOTS; i++)
        update.slots[i] = trainer->packed.slots[i].values;
    return update;
}

/* All steps of the epoch; *n_steps counts those done. */
static nn_status train_steps(nn_trainer *trainer, const nn_epoch *settings, nn__update *update,
                             nn__sums *sums, size_t *n_steps) {
    const nn_network *network = trainer->network;
    double most = nn__plan_work(&network->plan, 1.0);
    if (trainer->augments) most += nn__augment_work(&trainer->augment.spec);
    most *= (double)trainer->batch_size;
    nn__pass pass = {.training = true,
                     .seed = settings->seed,
                     .n_threads = settings->n_threads > 0 ? settings->n_threads
                                                          : nn_network_threads(network),
                     .shared = trainer->work >= NN_SHARED_WORK,
                     .scale = 1.0,
                     .layout = &trainer->layout,
                     .vector = network->vector,
                     .poll = most > LONG_STEP ? settings->poll : NULL,
                     .poll_context = settings->poll_context,
                     .progress = {.total = nn_trainer_n_steps(trainer)}};
    for (size_t step = 0; step < pass.progress.total; step++) {
        pass.progress.done = *n_steps = step;
        pass.step = network->steps + step;
        update->last_step = step + 1 == pass.progress.total;
        if (settings->poll != NULL && settings->poll(settings->poll_context, &pass.progress) != 0)
            return NN_STOPPED;
        NN_TRY(train_step(trainer, settings, &pass, update, step, sums));
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
    pack(trainer);
    set_order(trainer, settings);
    if (trainer->augments)
        nn__augment_begin(&trainer->augment, settings->seed, nn_network_epochs(network));
    nn__update update = update_of(trainer, settings, &penalty);
    nn_status status = train_steps(trainer, settings, &update, &sums, &result->n_steps);
    nn__sparse_dense_settle(&update);
    if (status == NN_OK || status == NN_STOPPED) NN_TRY(check_finite(trainer, result->n_steps));
    if (status == NN_OK && !isfinite(sums.loss))
        return diverged(trainer, result->n_steps, "loss", sums.loss);
    if (status == NN_OK || status == NN_STOPPED) unpack(trainer);
    NN_TRY(status);
    bool regression = nn_network_is_regression(network);
    result->loss = sums.loss / n;
    result->accuracy = regression ? NAN : (double)sums.n_right / n;
    result->penalty = nn__penalty_value(&network->plan, &penalty, network->parameters.values);
    nn_network_set_counters(network, network->epochs + 1, network->steps + result->n_steps);
    return NN_OK;
}

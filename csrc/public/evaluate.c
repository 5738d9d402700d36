/* Looking at a network without changing it: outputs, predictions, loss, gradient, inside. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "layers/sparse_dense.h"
#include "public/objects.h"

/* nn_reals of workspace for a block of rows: 4 MB of them. More is no faster, and with the packed
 * parameters and sparse rows an evaluation is to stay below 10 MB. */
#define BLOCK_BUDGET (((size_t)1 << 22) / sizeof(nn_real))

/* x is sparse when at most this share of its first rows is not zero and it has many columns. */
#define SPARSE 0.35
#define MANY_INPUTS 65
#define FIRST_ROWS ((size_t)64)

/* Up to so many nn_reals a desk is kept for the next evaluation. */
#define SMALL_DESK ((size_t)1 << 16)

/* The work (multiplications of a forward pass) up to which one block asks the poll function once,
 * before it begins. */
#define BRIEF 1e5

/* ---- the desk ------------------------------------------------------------------------------- */

struct nn__desk {
    nn__workspace workspace;
    nn__layout layout;
    nn__arena parameters, gradient; /* packed; the gradient is opened when one is asked for */
};

/* One evaluation. */
typedef struct evaluating {
    const nn_network *network;
    const nn_data *data;
    size_t rows; /* of a block; the desk may have room for more */
    nn__desk *desk;
    nn_poll *poll;
    void *poll_context;
} evaluating;

void nn__desk_free(nn__desk *desk) {
    if (desk == NULL) return;
    nn__arena_close(&desk->gradient);
    nn__arena_close(&desk->parameters);
    nn__layout_free(&desk->layout);
    nn__workspace_free(&desk->workspace);
    nn__release(desk);
}

/* The network's place for a desk: all that an evaluation changes in it. */
static nn__desk *exchange_desk(const nn_network *network, nn__desk *desk) {
    nn_network *holder = (nn_network *)(uintptr_t)network;
    return atomic_exchange(&holder->desk, desk);
}

/* How many nonzeros a block of `rows` rows may have, 0 where the first layer is to see all of x: a
 * dense x without a sparse form is judged by its first rows. */
static size_t capacity_of(const nn__plan *plan, const nn_data *data, size_t rows) {
    const size_t known = nn__data_capacity(data, plan, rows), width = plan->n_inputs;
    if (known > 0 || data->x.values == NULL || data->written_out || !nn__plan_takes_sparse(plan))
        return known;
    if (rows == 0 || width < MANY_INPUTS || width > UINT32_MAX / rows) return 0;
    const size_t n = data->x.n_rows < FIRST_ROWS ? data->x.n_rows : FIRST_ROWS;
    const double most = SPARSE * (double)n * (double)width;
    return (double)nn__rows_count(&data->x, 0, n) <= most ? rows * width : 0;
}

/* Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE. */
static nn_status make_desk(nn__desk **desk, const nn__plan *plan, size_t rows, size_t capacity) {
    nn__desk *d = *desk = nn__allocate(1, sizeof *d);
    if (d == NULL) return NN_ERROR_MEMORY;
    NN_TRY(nn__workspace_make(&d->workspace, plan, rows, capacity));
    NN_TRY(nn__layout_make(&d->layout, plan,
                           capacity > 0 ? nn__sparse_dense_tile(plan->nodes[0].n_out, rows) : 0));
    d->parameters = d->layout.arena;
    return nn__arena_open(&d->parameters);
}

/* Sits down at the network's desk, where that is free and large enough, or at a new one. To be
 * ended with end, also after an error. Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE. */
static nn_status begin(evaluating *e, const nn_network *network, const nn_data *data, bool sparse,
                       nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    const size_t most = nn__plan_block_rows(plan, BLOCK_BUDGET), n = data->x.n_rows;
    const size_t rows = n < most ? n : most;
    const size_t capacity = sparse ? capacity_of(plan, data, rows) : 0;
    const bool brief = n <= most && nn__plan_work(plan, 1.0) * (double)n < BRIEF;
    *e = (evaluating){.network = network,
                      .data = data,
                      .rows = rows,
                      .desk = exchange_desk(network, NULL),
                      .poll = brief ? NULL : poll,
                      .poll_context = poll_context};
    if (brief && poll != NULL && poll(poll_context, &(nn_progress){.total = n}) != 0)
        return NN_STOPPED;
    const nn__workspace *kept = e->desk != NULL ? &e->desk->workspace : NULL;
    if (kept == NULL || kept->rows < rows || kept->capacity != capacity) {
        nn__desk_free(e->desk);
        NN_TRY(make_desk(&e->desk, plan, rows, capacity));
    }
    nn__layout_pack(&e->desk->layout, plan, e->desk->parameters.values, network->parameters.values);
    return NN_OK;
}

/* Leaves the desk to the network where it is small and the evaluation has ended well. */
static void end(evaluating *e, nn_status status) {
    nn__desk *d = e->desk;
    const bool small = status == NN_OK && d->workspace.capacity == 0 &&
                       d->workspace.arena.size + d->parameters.size <= SMALL_DESK;
    nn__desk_free(small ? exchange_desk(e->network, d) : d);
}

/* ---- the sweep: forward over all rows, block after block ------------------------------------- */

static nn__pass pass_of(const evaluating *e) {
    const nn__plan *plan = &e->network->plan;
    const double density = e->desk->workspace.capacity > 0 ? SPARSE : 1.0;
    const double work = nn__plan_work(plan, density) * (double)e->rows;
    return (nn__pass){.n_threads = nn_network_threads(e->network),
                      .shared = work >= NN_SHARED_WORK,
                      .scale = 1.0,
                      .layout = &e->desk->layout,
                      .vector = e->network->vector,
                      .poll = e->poll,
                      .poll_context = e->poll_context,
                      .progress = {.total = e->data->x.n_rows}};
}

/* What is done with a block: rows row0 .. row0 + rows - 1 of the pass, whose last node's buffers
 * are output. */
typedef nn_status visit_block(void *context, const nn__buffers *output, evaluating *e,
                              const nn__pass *pass);

/* One block of the sweep: gather, forward, visit. */
static nn_status sweep_block(evaluating *e, bool targets, const nn__pass *pass, visit_block *visit,
                             void *context) {
    const nn__plan *plan = &e->network->plan;
    const nn__buffers *output;
    NN_TRY(nn__data_gather(e->data, plan, NULL, pass->row0, pass->rows, targets,
                           pass->shared ? pass->n_threads : 1, &e->desk->workspace));
    NN_TRY(nn__plan_forward(plan, pass, &e->desk->workspace, e->desk->parameters.values, &output));
    return visit(context, output, e, pass);
}

/* Forward over all rows; targets are gathered where `targets` says so. */
static nn_status sweep_with(evaluating *e, bool targets, visit_block *visit, void *context) {
    nn__pass pass = pass_of(e);
    for (size_t first = 0; first < pass.progress.total; first += e->rows) {
        size_t left = pass.progress.total - first;
        pass.row0 = pass.progress.done = first;
        pass.rows = pass.block_rows = left < e->rows ? left : e->rows;
        nn__work_begin();
        nn_status status = sweep_block(e, targets, &pass, visit, context);
        nn__work_end();
        NN_TRY(status);
    }
    return NN_OK;
}

/* The whole: `sparse` says that no visit reads the inputs. */
static nn_status sweep(const nn_network *network, const nn_data *data, bool targets, bool sparse,
                       visit_block *visit, void *context, nn_poll *poll, void *poll_context) {
    evaluating e;
    nn_status status = begin(&e, network, data, sparse, poll, poll_context);
    if (status == NN_OK) status = sweep_with(&e, targets, visit, context);
    end(&e, status);
    return status;
}

typedef struct visiting {
    nn__visit_outputs *visit;
    void *context;
} visiting;

static nn_status visit_outputs(void *context, const nn__buffers *output, evaluating *e,
                               const nn__pass *pass) {
    const visiting *to = context;
    const nn__outputs outputs =
        nn__outputs_of(&e->network->plan, output, &e->desk->workspace, pass->rows);
    to->visit(to->context, &outputs, pass->row0);
    return NN_OK;
}

nn_status nn__sweep_outputs(const nn_network *network, const nn_data *data,
                            nn__visit_outputs *visit, void *context, nn_poll *poll,
                            void *poll_context) {
    visiting to = {.visit = visit, .context = context};
    return sweep(network, data, true, true, visit_outputs, &to, poll, poll_context);
}

/* ---- outputs and predictions ---------------------------------------------------------------- */

/* Copies a block of the workspace to its rows in `array` (n_rows, n). */
static void copy_rows(nn_real *array, const nn_real *block, size_t n, const nn__pass *pass) {
    for (size_t r = 0; r < pass->rows; r++)
        memcpy(array + (pass->row0 + r) * n, block + r * nn__padded(n), n * sizeof *array);
}

typedef struct outputs {
    const nn__plan *plan;
    nn_real *a;
    int64_t *classes;
} outputs;

static nn_status copy_outputs(void *context, const nn__buffers *output, evaluating *e,
                              const nn__pass *pass) {
    (void)e;
    const outputs *out = context;
    copy_rows(out->a, output->y, out->plan->n_outputs, pass);
    return NN_OK;
}

static nn_status name_classes(void *context, const nn__buffers *output, evaluating *e,
                              const nn__pass *pass) {
    (void)e;
    const outputs *out = context;
    size_t n = out->plan->n_outputs;
    for (size_t r = 0; r < pass->rows; r++)
        out->classes[pass->row0 + r] =
            (int64_t)nn__loss_class(output->y + r * nn__padded(n), n, out->plan->loss->output);
    return NN_OK;
}

nn_status nn_forward(const nn_network *network, const nn_data *data, nn_real *a, nn_poll *poll,
                     void *poll_context) {
    NN_TRY(nn__data_check(data, &network->plan, NULL));
    outputs out = {.plan = &network->plan, .a = a};
    return sweep(network, data, false, true, copy_outputs, &out, poll, poll_context);
}

nn_status nn_predict(const nn_network *network, const nn_data *data, int64_t *classes,
                     nn_poll *poll, void *poll_context) {
    NN_TRY(nn__data_check(data, &network->plan, NULL));
    outputs out = {.plan = &network->plan, .classes = classes};
    return sweep(network, data, false, true, name_classes, &out, poll, poll_context);
}

/* ---- loss and accuracy ---------------------------------------------------------------------- */

typedef struct evaluation {
    const nn__plan *plan;
    const nn__loss *loss;
    nn__sums sums;
} evaluation;

static nn_status add_block(void *context, const nn__buffers *output, evaluating *e,
                           const nn__pass *pass) {
    evaluation *sum = context;
    nn__sums_add(&sum->sums, sum->plan, sum->loss, output, &e->desk->workspace, pass);
    return NN_OK;
}

nn_status nn_evaluate(const nn_network *network, const nn_data *data, nn_cost cost,
                      nn_evaluation *result, nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    evaluation e = {.plan = plan, .loss = nn__loss_find(cost, plan->loss->output)};
    if (e.loss == NULL || plan->n_outputs < e.loss->fewest_outputs) return NN_ERROR_PAIR;
    NN_TRY(nn__data_check(data, plan, e.loss));
    NN_TRY(sweep(network, data, true, true, add_block, &e, poll, poll_context));
    double n = (double)data->x.n_rows;
    result->loss = e.sums.loss / n;
    result->accuracy = nn_network_is_regression(network) ? NAN : (double)e.sums.n_right / n;
    return NN_OK;
}

/* ---- gradient ------------------------------------------------------------------------------- */

/* Codes: NN_ERROR_MEMORY. */
static nn_status open_gradient(nn__desk *desk) {
    if (desk->gradient.values != NULL) return NN_OK;
    desk->gradient = desk->layout.arena;
    return nn__arena_open(&desk->gradient);
}

/* gradient, not packed, = the loss's derivative; adds to *sums. */
static nn_status gradient_at(evaluating *e, const nn_gradient_options *options, nn_real *gradient,
                             nn__sums *sums) {
    const nn__plan *plan = &e->network->plan;
    nn__desk *d = e->desk;
    nn__batch batch = {.data = e->data, .n = e->data->x.n_rows};
    nn__pass pass = pass_of(e);
    pass.training = options->training;
    pass.seed = options->seed;
    NN_TRY(open_gradient(d));
    NN_TRY(nn__batch_gradient(plan, &pass, &batch, d->parameters.values, &d->workspace,
                              d->gradient.values, sums));
    nn__layout_unpack(&d->layout, plan, gradient, d->gradient.values);
    return NN_OK;
}

nn_status nn_gradient(const nn_network *network, const nn_data *data,
                      const nn_gradient_options *options, nn_real *gradient, double *cost,
                      nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    const nn_real *parameters = network->parameters.values;
    NN_TRY(nn__data_check(data, plan, plan->loss));
    NN_TRY(nn__penalty_check(&options->penalty));
    nn__sums sums = {0};
    evaluating e;
    nn_status status = begin(&e, network, data, true, poll, poll_context);
    if (status == NN_OK) status = gradient_at(&e, options, gradient, &sums);
    end(&e, status);
    NN_TRY(status);
    nn__penalty_add_gradient(plan, &options->penalty, parameters, gradient);
    *cost =
        sums.loss / (double)data->x.n_rows + nn__penalty_value(plan, &options->penalty, parameters);
    return NN_OK;
}

nn_gradient_options nn_gradient_defaults(void) {
    return (nn_gradient_options){.penalty = {.n = 1.0}};
}

/* ---- inside --------------------------------------------------------------------------------- */

typedef struct inspection {
    const nn_network *network;
    nn_real *const *z, *const *a, *const *delta;
    size_t layer; /* the dense layer that backward comes to next, plus one */
    const nn__pass *pass;
} inspection;

/* copy_rows into array i, where the caller has given it. */
static void copy_block(nn_real *const *arrays, size_t i, const nn_real *block, size_t n,
                       const nn__pass *pass) {
    if (arrays == NULL || arrays[i] == NULL) return;
    copy_rows(arrays[i], block, n, pass);
}

static void copy_delta(void *context, const nn__node *node, const nn_real *dy) {
    inspection *in = context;
    if (node->kind != &nn__dense_kind) return;
    in->layer -= 1;
    copy_block(in->delta, in->layer, dy, node->n_out, in->pass);
}

static nn_status inspect_block(void *context, const nn__buffers *output, evaluating *e,
                               const nn__pass *pass) {
    inspection *in = context;
    nn__workspace *workspace = &e->desk->workspace;
    const nn__plan *plan = &in->network->plan;
    in->layer = 0;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const nn__node *node = &plan->nodes[i];
        if (node->kind != &nn__dense_kind) continue;
        copy_block(in->a, in->layer, workspace->buffers[i].x, node->n_in, pass);
        copy_block(in->z, in->layer, workspace->buffers[i].y, node->n_out, pass);
        in->layer += 1;
    }
    copy_block(in->a, in->layer, output->y, plan->n_outputs, pass);
    if (in->delta == NULL) return NN_OK;
    in->pass = pass;
    for (size_t r = 0; r < pass->rows; r++) workspace->weights[r] = 1; /* per sample, unweighted */
    nn__output_delta(plan, output, workspace, pass->rows, 1.0);
    NN_TRY(open_gradient(e->desk)); /* scratch: backward needs somewhere to put it */
    return nn__plan_backward(plan, pass, workspace, e->desk->parameters.values,
                             e->desk->gradient.values, copy_delta, in);
}

nn_status nn_inspect(const nn_network *network, const nn_data *data, nn_real *const *z,
                     nn_real *const *a, nn_real *const *delta, nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    NN_TRY(nn__data_check(data, plan, delta != NULL ? plan->loss : NULL));
    inspection in = {.network = network, .z = z, .a = a, .delta = delta};
    return sweep(network, data, delta != NULL, false, inspect_block, &in, poll, poll_context);
}

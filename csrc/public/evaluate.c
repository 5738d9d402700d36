/* Looking at a network without changing it: outputs, predictions, loss, gradient, inside. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "public/objects.h"

/* nn_reals of workspace for a block of rows. */
#define BLOCK_BUDGET ((size_t)1 << 20)

/* ---- the sweep: forward over all rows, block after block ------------------------------------- */

/* What is done with a block: rows first .. first + n - 1, whose last node's buffers are output. */
typedef nn_status visit_block(void *context, const nn__buffers *output, nn__workspace *workspace,
                              const nn__pass *pass);

/* A workspace for the rows of this data. Owned by the caller, also after an error. */
static nn_status make_workspace(nn__workspace *workspace, const nn__plan *plan,
                                const nn_data *data) {
    size_t rows = nn__plan_block_rows(plan, BLOCK_BUDGET), n = data->x.n_rows;
    return nn__workspace_make(workspace, plan, n < rows ? n : rows);
}

/* One block of the sweep: gather, forward, visit. */
static nn_status sweep_block(nn__workspace *workspace, const nn_network *network,
                             const nn_data *data, bool targets, const nn__pass *pass,
                             visit_block *visit, void *context) {
    const nn__buffers *output;
    nn__data_gather(data, &network->plan, NULL, pass->row0, pass->rows, targets, workspace);
    NN_TRY(nn__plan_forward(&network->plan, pass, workspace, network->parameters.values, &output));
    return visit(context, output, workspace, pass);
}

/* Forward over all rows; targets are gathered where `targets` says so. */
static nn_status sweep_with(nn__workspace *workspace, const nn_network *network,
                            const nn_data *data, bool targets, visit_block *visit, void *context,
                            nn_poll *poll, void *poll_context) {
    nn__pass pass = {.vector = network->vector,
                     .poll = poll,
                     .poll_context = poll_context,
                     .progress = {.total = data->x.n_rows}};
    for (size_t first = 0; first < data->x.n_rows; first += workspace->rows) {
        size_t left = data->x.n_rows - first;
        pass.row0 = pass.progress.done = first;
        pass.rows = left < workspace->rows ? left : workspace->rows;
        nn__work_begin();
        nn_status status = sweep_block(workspace, network, data, targets, &pass, visit, context);
        nn__work_end();
        NN_TRY(status);
    }
    return NN_OK;
}

static nn_status sweep(const nn_network *network, const nn_data *data, bool targets,
                       visit_block *visit, void *context, nn_poll *poll, void *poll_context) {
    nn__workspace workspace;
    nn_status status = make_workspace(&workspace, &network->plan, data);
    if (status == NN_OK)
        status = sweep_with(&workspace, network, data, targets, visit, context, poll, poll_context);
    nn__workspace_free(&workspace);
    return status;
}

/* ---- outputs and predictions ---------------------------------------------------------------- */

typedef struct outputs {
    const nn__plan *plan;
    nn_real *a;
    int64_t *classes;
} outputs;

static nn_status copy_outputs(void *context, const nn__buffers *output, nn__workspace *workspace,
                              const nn__pass *pass) {
    (void)workspace;
    const outputs *out = context;
    size_t n = out->plan->n_outputs;
    memcpy(out->a + pass->row0 * n, output->y, pass->rows * n * sizeof *out->a);
    return NN_OK;
}

static nn_status name_classes(void *context, const nn__buffers *output, nn__workspace *workspace,
                              const nn__pass *pass) {
    (void)workspace;
    const outputs *out = context;
    size_t n = out->plan->n_outputs;
    for (size_t r = 0; r < pass->rows; r++)
        out->classes[pass->row0 + r] =
            (int64_t)nn__loss_class(output->y + r * n, n, out->plan->loss->output);
    return NN_OK;
}

nn_status nn_forward(const nn_network *network, const nn_data *data, nn_real *a, nn_poll *poll,
                     void *poll_context) {
    NN_TRY(nn__data_check(data, &network->plan, NULL));
    outputs out = {.plan = &network->plan, .a = a};
    return sweep(network, data, false, copy_outputs, &out, poll, poll_context);
}

nn_status nn_predict(const nn_network *network, const nn_data *data, int64_t *classes,
                     nn_poll *poll, void *poll_context) {
    NN_TRY(nn__data_check(data, &network->plan, NULL));
    outputs out = {.plan = &network->plan, .classes = classes};
    return sweep(network, data, false, name_classes, &out, poll, poll_context);
}

/* ---- loss and accuracy ---------------------------------------------------------------------- */

typedef struct evaluation {
    const nn__plan *plan;
    const nn__loss *loss;
    nn__sums sums;
} evaluation;

static nn_status add_block(void *context, const nn__buffers *output, nn__workspace *workspace,
                           const nn__pass *pass) {
    evaluation *e = context;
    nn__sums_add(&e->sums, e->plan, e->loss, output, workspace, pass);
    return NN_OK;
}

nn_status nn_evaluate(const nn_network *network, const nn_data *data, nn_cost cost,
                      nn_evaluation *result, nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    evaluation e = {.plan = plan, .loss = nn__loss_find(cost, plan->loss->output)};
    if (e.loss == NULL || plan->n_outputs < e.loss->fewest_outputs) return NN_ERROR_PAIR;
    NN_TRY(nn__data_check(data, plan, e.loss));
    NN_TRY(sweep(network, data, true, add_block, &e, poll, poll_context));
    double n = (double)data->x.n_rows;
    result->loss = e.sums.loss / n;
    result->accuracy = nn_network_is_regression(network) ? NAN : (double)e.sums.n_right / n;
    return NN_OK;
}

/* ---- gradient ------------------------------------------------------------------------------- */

nn_status nn_gradient(const nn_network *network, const nn_data *data,
                      const nn_gradient_options *options, nn_real *gradient, double *cost,
                      nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    const nn_real *parameters = network->parameters.values;
    NN_TRY(nn__data_check(data, plan, plan->loss));
    NN_TRY(nn__penalty_check(&options->penalty));
    nn__pass pass = {.training = options->training,
                     .seed = options->seed,
                     .vector = network->vector,
                     .poll = poll,
                     .poll_context = poll_context,
                     .progress = {.total = data->x.n_rows}};
    nn__batch batch = {.data = data, .n = data->x.n_rows};
    nn__sums sums = {0};
    nn__workspace workspace;
    nn_status status = make_workspace(&workspace, plan, data);
    if (status == NN_OK)
        status = nn__batch_gradient(plan, &pass, &batch, parameters, &workspace, gradient, &sums);
    nn__workspace_free(&workspace);
    NN_TRY(status);
    nn__penalty_add_gradient(plan, &options->penalty, parameters, gradient);
    *cost = sums.loss / (double)batch.n + nn__penalty_value(plan, &options->penalty, parameters);
    return NN_OK;
}

nn_gradient_options nn_gradient_defaults(void) {
    return (nn_gradient_options){.penalty = {.n = 1.0}};
}

/* ---- inside --------------------------------------------------------------------------------- */

typedef struct inspection {
    const nn_network *network;
    nn_real *const *z, *const *a, *const *delta;
    nn_real *gradient; /* scratch: backward needs somewhere to put it */
    size_t layer;      /* the dense layer that backward comes to next, plus one */
    const nn__pass *pass;
} inspection;

/* Copies a block (rows, n) to its place in the caller's array, which may be missing. */
static void copy_block(nn_real *const *arrays, size_t i, const nn_real *block, size_t n,
                       const nn__pass *pass) {
    if (arrays == NULL || arrays[i] == NULL) return;
    memcpy(arrays[i] + pass->row0 * n, block, pass->rows * n * sizeof **arrays);
}

static void copy_delta(void *context, const nn__node *node, const nn_real *dy) {
    inspection *in = context;
    if (node->kind != &nn__dense_kind) return;
    in->layer -= 1;
    copy_block(in->delta, in->layer, dy, node->n_out, in->pass);
}

static nn_status inspect_block(void *context, const nn__buffers *output, nn__workspace *workspace,
                               const nn__pass *pass) {
    inspection *in = context;
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
    return nn__plan_backward(plan, pass, workspace, in->network->parameters.values, in->gradient,
                             copy_delta, in);
}

nn_status nn_inspect(const nn_network *network, const nn_data *data, nn_real *const *z,
                     nn_real *const *a, nn_real *const *delta, nn_poll *poll, void *poll_context) {
    const nn__plan *plan = &network->plan;
    NN_TRY(nn__data_check(data, plan, delta != NULL ? plan->loss : NULL));
    nn__arena gradient = plan->arena;
    NN_TRY(nn__arena_open(&gradient));
    inspection in = {
        .network = network, .z = z, .a = a, .delta = delta, .gradient = gradient.values};
    nn_status status = sweep(network, data, delta != NULL, inspect_block, &in, poll, poll_context);
    nn__arena_close(&gradient);
    return status;
}

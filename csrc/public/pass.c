/* From a batch to its gradient: gather, forward, loss and delta, backward, block after block. */
#include <math.h>

#include "base/threads.h"
#include "public/objects.h"

nn__outputs nn__outputs_of(const nn__plan *plan, const nn__buffers *output,
                           const nn__workspace *workspace, size_t rows) {
    return (nn__outputs){.z = output->x,
                         .a = output->y,
                         .y = workspace->targets,
                         .weights = workspace->weights,
                         .rows = rows,
                         .n = plan->n_outputs,
                         .ld = nn__padded(plan->n_outputs)};
}

void nn__sums_add(nn__sums *sums, const nn__plan *plan, const nn__loss *loss,
                  const nn__buffers *output, const nn__workspace *workspace, const nn__pass *pass) {
    const nn__outputs outputs = nn__outputs_of(plan, output, workspace, pass->rows);
    sums->loss += loss->value(&outputs, pass->vector);
    if (!nn__loss_is_regression(plan->loss, plan->n_outputs))
        sums->n_right += nn__loss_count_right(&outputs, loss->output);
}

void nn__output_delta(const nn__plan *plan, const nn__buffers *output, nn__workspace *workspace,
                      size_t rows, double scale) {
    const nn__outputs outputs = nn__outputs_of(plan, output, workspace, rows);
    plan->loss->delta(workspace->gradients[0], &outputs, (nn_real)scale);
}

/* One block of a batch as far as dC/dz of the outputs, which lies in workspace->gradients[0]. */
static nn_status block_delta(const nn__plan *plan, const nn__pass *pass, const nn__batch *batch,
                             const nn_real *parameters, nn__workspace *workspace, nn__sums *sums) {
    const uint32_t *order = batch->order != NULL ? batch->order + pass->row0 : NULL;
    const size_t n_threads = pass->shared ? pass->n_threads : 1;
    const nn__buffers *output;
    NN_TRY(nn__data_gather(batch->data, plan, order, pass->row0, pass->rows, true, n_threads,
                           workspace));
    if (batch->augment != NULL)
        nn__augment_rows(batch->augment, workspace->x, nn__padded(plan->n_inputs), order,
                         pass->row0, pass->rows, n_threads);
    NN_TRY(nn__plan_forward(plan, pass, workspace, parameters, &output));
    nn__sums_add(sums, plan, plan->loss, output, workspace, pass);
    nn__output_delta(plan, output, workspace, pass->rows, 1.0 / (double)batch->n);
    return NN_OK;
}

static nn_status block_gradient(const nn__plan *plan, const nn__pass *pass, const nn__batch *batch,
                                const nn_real *parameters, nn__workspace *workspace,
                                nn_real *gradient, nn__sums *sums) {
    NN_TRY(block_delta(plan, pass, batch, parameters, workspace, sums));
    return nn__plan_backward(plan, pass, workspace, parameters, gradient, NULL, NULL);
}

nn_status nn__batch_gradient(const nn__plan *plan, const nn__pass *pass, const nn__batch *batch,
                             const nn_real *parameters, nn__workspace *workspace, nn_real *gradient,
                             nn__sums *sums) {
    nn__pass block = *pass;
    for (size_t first = 0; first < batch->n; first += workspace->rows) {
        size_t left = batch->n - first;
        block.row0 = first;
        block.rows = block.block_rows = left < workspace->rows ? left : workspace->rows;
        block.accumulate = first > 0;
        if (batch->order == NULL) block.progress.done = first; /* rows are counted, not steps */
        nn__work_begin();
        nn_status status =
            block_gradient(plan, &block, batch, parameters, workspace, gradient, sums);
        nn__work_end();
        NN_TRY(status);
    }
    return NN_OK;
}

/* Asks the memory for rows first .. end - 1 of the next batch. Half of them at a time: it can look
 * for so many at once, and what is beyond would keep this step waiting. */
static void prefetch(const nn__batch *batch, const nn__workspace *workspace, size_t first,
                     size_t end) {
    if (workspace->capacity > 0)
        nn__sparse_prefetch(batch->data->sparse, batch->order + batch->n + first, end - first);
}

nn_status nn__batch_step(const nn__pass *pass, const nn__batch *batch, nn__workspace *workspace,
                         nn__update *update, nn__sums *sums) {
    nn__pass whole = *pass;
    whole.rows = whole.block_rows = batch->n;
    whole.scale = update->scale;
    nn__work_begin();
    prefetch(batch, workspace, 0, batch->n_next / 2);
    nn_status status =
        block_delta(update->plan, &whole, batch, update->parameters, workspace, sums);
    prefetch(batch, workspace, batch->n_next / 2, batch->n_next);
    if (status == NN_OK && isfinite(sums->loss)) nn__plan_step(&whole, workspace, update);
    nn__work_end();
    return status;
}

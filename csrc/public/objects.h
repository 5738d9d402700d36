/* What is inside the three nouns, for the files of this level. */
#ifndef NN_PUBLIC_OBJECTS_H
#define NN_PUBLIC_OBJECTS_H

#include <stdatomic.h>

#include "kernels/rows.h"
#include "layers/augment.h"
#include "layers/optimizer.h"
#include "layers/plan.h"
#include "public/nnlearn.h"

/* What an evaluation works with: buffers for a block of rows, the packed parameters and their
 * gradient (evaluate.c). */
typedef struct nn__desk nn__desk;

struct nn_network {
    nn__plan plan;
    nn__arena parameters;    /* laid out as plan.arena; made with the network, never moves */
    atomic_size_t n_threads; /* that may share a long step or a large block */
    atomic_uint_fast64_t epochs, steps; /* read while an epoch runs */
    const nn__vector_kernels *vector;
    _Atomic(nn__desk *) desk; /* kept for the next evaluation, NULL while one has it */
};

struct nn_data {
    nn_input x;               /* the caller's; values are NULL where there is a sparse form alone */
    const nn__sparse *sparse; /* the caller's: the nonzeros of x, or NULL */
    bool guarded;             /* every batch of x is looked at: numbers up to `most` */
    double most;              /* of a guarded x */
    bool written_out;         /* training ignores `sparse`: the first layer gets dense rows */
    int32_t *labels;          /* (n_rows,) or NULL */
    size_t n_classes;         /* of the labels */
    nn_real *targets;         /* (n_rows, n_outputs) or NULL */
    size_t n_outputs;         /* of the targets */
    nn_real *weights;         /* (n_rows,) or NULL: all 1 */
};

/* ---- network.c ---- */

/* The table of vector loops that nn_start has chosen. */
const nn__vector_kernels *nn__vector(void);

/* ---- data.c ---- */

/* Whether x fits the network, and, with `loss`, whether labels or targets do.
 * Codes: NN_ERROR_SHAPE, NN_ERROR_SIZE, NN_ERROR_TARGETS, NN_ERROR_LABEL. */
nn_status nn__data_check(const nn_data *data, const nn__plan *plan, const nn__loss *loss);

/* Room for the nonzeros of any `rows` rows of the data's sparse form; 0 where it has none, where
 * the first layer cannot work on it, or where they would be too many to count. */
size_t nn__data_capacity(const nn_data *data, const nn__plan *plan, size_t rows);

/* The share of numbers that are not zero in the data's sparse form. */
double nn__data_density(const nn_data *data);

/* Rows order[0 .. n-1], or first .. first + n - 1 where order is NULL, into the workspace: inputs,
 * and with `targets` also targets and weights. n <= workspace->rows. The inputs are gathered as
 * sparse rows where the workspace has room for their nonzeros, by up to n_threads threads. Codes:
 * NN_ERROR_NUMBER, where the data is guarded. */
nn_status nn__data_gather(const nn_data *data, const nn__plan *plan, const uint32_t *order,
                          size_t first, size_t n, bool targets, size_t n_threads,
                          nn__workspace *workspace);

/* ---- evaluate.c ---- */

/* Frees a desk; NULL is allowed. */
void nn__desk_free(nn__desk *desk);

/* What is done with the outputs and targets of a block, whose first row is row `first` of the data.
 */
typedef void nn__visit_outputs(void *context, const nn__outputs *outputs, size_t first);

/* Forward over all rows of data that nn__data_check has found good with a loss, block after block.
 * Codes: NN_ERROR_MEMORY, NN_STOPPED, NN_ERROR_NUMBER where the data is guarded. */
nn_status nn__sweep_outputs(const nn_network *network, const nn_data *data,
                            nn__visit_outputs *visit, void *context, nn_poll *poll,
                            void *poll_context);

/* ---- pass.c ---- */

/* A batch: rows of the data, in the order given, and what its gradient is divided by. */
typedef struct nn__batch {
    const nn_data *data;
    const uint32_t *order;      /* (n,), or NULL: rows 0 .. n-1 */
    size_t n, n_next;           /* n_next rows of the order behind these will be wanted next */
    const nn__augment *augment; /* what its rows go through first, begun for the epoch, or NULL */
} nn__batch;

/* Sums over the samples of a batch. */
typedef struct nn__sums {
    double loss; /* sum of w c */
    size_t n_right;
} nn__sums;

/* gradient = (1/n) sum w dc/dW over the batch, block after block of workspace->rows rows; adds to
 * *sums. Parameters and gradient are packed. `rows`, `block_rows`, `row0` and `accumulate` of the
 * pass are set here; `scale` is the caller's.   Codes: NN_STOPPED,
 * NN_ERROR_NUMBER where the data is guarded. */
nn_status nn__batch_gradient(const nn__plan *plan, const nn__pass *pass, const nn__batch *batch,
                             const nn_real *parameters, nn__workspace *workspace, nn_real *gradient,
                             nn__sums *sums);

/* A whole training step on a batch that fits the workspace: its gradient and the update; adds to
 * *sums. Where the sum of losses is not finite nothing is updated.   Codes: NN_STOPPED. */
nn_status nn__batch_step(const nn__pass *pass, const nn__batch *batch, nn__workspace *workspace,
                         nn__update *update, nn__sums *sums);

/* The block of rows in the workspace, whose last node's buffers are `output`, for the loss. */
nn__outputs nn__outputs_of(const nn__plan *plan, const nn__buffers *output,
                           const nn__workspace *workspace, size_t rows);

/* Adds the block of pass->rows rows in the workspace, whose last node's buffers are `output`, to
 * the sums. Only `rows` and `vector` of the pass are read. */
void nn__sums_add(nn__sums *sums, const nn__plan *plan, const nn__loss *loss,
                  const nn__buffers *output, const nn__workspace *workspace, const nn__pass *pass);

/* workspace->gradients[0] = scale w dc/dz of the block in the workspace. */
void nn__output_delta(const nn__plan *plan, const nn__buffers *output, nn__workspace *workspace,
                      size_t rows, double scale);

#endif

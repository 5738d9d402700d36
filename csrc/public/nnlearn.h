/* nnlearn: training of small neural networks. The C interface.
 *
 * Intended usage
 * --------------
 *  1. Describe the layers in an array of nn_layer and make a network of them.
 *  2. Wrap the inputs in an nn_data (they are not copied) and give it labels or targets.
 *  3. Make a trainer for the network and bind it to the data.
 *  4. Call nn_train_epoch once an epoch; look at the result it fills; stop when you like.
 *  5. nn_evaluate, nn_forward, nn_predict on any data. Free trainer, data, network.
 *
 *     nn_layer layers[] = {nn_dense(30, NN_ACTIVATION_SIGMOID),
 *                          nn_dense(10, NN_ACTIVATION_SIGMOID)};
 *     nn_network *network = NULL;
 *     nn_status status = nn_network_create(&network, 784, layers, 2, NN_COST_CROSS_ENTROPY, 1);
 *
 * tests/c/test_xor.c is a whole program.
 *
 * Numbers are nn_real: float, or double when everything is compiled with -DNN_DOUBLE.
 *
 * Errors: calls that can fail return an nn_status; every function lists its codes. The core never
 * prints, never ends the process, and checks before it calls BLIS. One limit remains: BLIS ends the
 * process when it finds no memory for its own buffers (about 18 MB a thread that multiplies).
 *
 * Ownership: what a _create function makes is freed by the caller with the _free function of the
 * same noun, which takes NULL. A _create function sets its result to NULL when it fails.
 *
 * Threads: functions that take a const nn_network may run at the same time on one network; nothing
 * may run beside a function that takes it without const, or beside any function of its trainer:
 * an epoch writes the parameters at its end. Excepted are nn_network_threads,
 * nn_network_set_threads, nn_network_epochs, nn_network_steps: any thread, at any time.
 * nn_data is only read once it is set up, and may be shared. Different networks are independent. */
#ifndef NNLEARN_H
#define NNLEARN_H

#include "base/real.h"
#include "base/status.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The network: layers and parameters. */
typedef struct nn_network nn_network;

/* Samples: a view of the caller's inputs, a copy of their labels or targets and weights. */
typedef struct nn_data nn_data;

/* The nonzeros of inputs, kept row after row. Read only once made; may be shared by any data. */
typedef struct nn__sparse nn_sparse;

/* What training adds to one network: optimiser state, gradient, workspace. */
typedef struct nn_trainer nn_trainer;

/* ==== Start ================================================================================== */

/* Chooses the kernels for this CPU (NNLEARN_KERNELS overrides) and starts BLIS. Called by
 * nn_network_create too; calling it again does nothing, and gives the same status. Any thread.
 * Codes: NN_ERROR_KERNELS, NN_ERROR_MEMORY. */
nn_status nn_start(void);

/* For a message after NN_ERROR_KERNELS: what NNLEARN_KERNELS must be where `word` will not do ("one
 * of portable, v3, v4", "a level that this CPU has (portable, v3)"); NULL where it will. Any
 * thread. */
const char *nn_kernels_rule(const char *word);

/* The level of our kernels ("portable", "v3", "v4"), BLIS's kernels and BLIS's version. After
 * nn_start. */
const char *nn_kernels(void);
const char *nn_blis_kernels(void);
const char *nn_blis_version(void);

/* Calls of the allocator so far, and the switch that lets the k-th call from now fail (0: off).
 * For tests: a step that leaves the count alone has allocated nothing. */
size_t nn_allocation_count(void);
void nn_allocation_fail_at(size_t k);

/* ==== Layers ================================================================================= */

/* A dense layer with scaled start weights, an activation layer, a dropout layer. */
nn_layer nn_dense(size_t units, nn_activation activation);
nn_layer nn_activate(nn_activation activation);
nn_layer nn_dropout(double p);

/* ==== Networks =============================================================================== */

/* One tensor of the parameters, in place: the network owns it, it never moves, and may be written
 * while nothing runs on the network. */
typedef struct nn_parameter {
    const char *name; /* "dense1.weight", "dense1.bias", ... */
    nn_real *values;  /* weight (n_in, n_out), bias (n_out,), row-major */
    size_t ndim, shape[2];
    size_t offset; /* of values from the first parameter's, in nn_reals */
    bool is_bias;
} nn_parameter;

/* A network of these layers, with start weights drawn for `seed`. `layers` may go afterwards.
 * NN_ERROR_LAYERS: no layer, no dense layer, dropout last, or softmax before the last.
 * NN_ERROR_PAIR: the cost does not go with the last activation, or needs more outputs
 * (nn_cost_pair). NN_ERROR_ARGUMENT: p, init_sd or an enumerator outside its range. NN_ERROR_SIZE:
 * a size is 0, or sizes overflow. Also NN_ERROR_MEMORY, NN_ERROR_KERNELS. */
nn_status nn_network_create(nn_network **network, size_t n_inputs, const nn_layer *layers,
                            size_t n_layers, nn_cost cost, uint64_t seed);
void nn_network_free(nn_network *network);

/* Draws the start weights anew and sets both counters to 0. */
void nn_network_initialize(nn_network *network, uint64_t seed);

/* Whether the cost goes with an output activation, and with how many outputs at least (0: never).
 * Any thread. */
size_t nn_cost_pair(nn_cost cost, nn_activation output);

/* Sizes, the activation of the outputs, whether predictions are no classes, and the parameters:
 * n_tensors of them, i < n_tensors. */
size_t nn_network_n_inputs(const nn_network *network);
size_t nn_network_n_outputs(const nn_network *network);
size_t nn_network_n_classes(const nn_network *network); /* n_outputs; 2 for one output */
nn_activation nn_network_output(const nn_network *network);
bool nn_network_is_regression(const nn_network *network);
size_t nn_network_n_tensors(const nn_network *network);
nn_parameter nn_network_parameter(const nn_network *network, size_t i);
bool nn_network_is_finite(const nn_network *network); /* no parameter is NaN or infinite */

/* The extent of the parameters with what lies between them, in nn_reals: the size of a gradient. */
size_t nn_network_extent(const nn_network *network);

/* Completed epochs and steps of the network's life: with the seed they name the random numbers of
 * the next epoch. */
uint64_t nn_network_epochs(const nn_network *network);
uint64_t nn_network_steps(const nn_network *network);
void nn_network_set_counters(nn_network *network, uint64_t epochs, uint64_t steps);

/* How many threads may share a long training step or a large block of rows: 1 to begin with. The
 * number changes no result. Any thread. */
size_t nn_network_threads(const nn_network *network);
void nn_network_set_threads(nn_network *network, size_t n_threads);

/* ==== Data =================================================================================== */

/* Wraps x, which must stay alive and unchanged as long as the data is used. No rows are allowed.
 * NN_ERROR_ARGUMENT: foreign dtype, an address or stride that is no multiple of the number's size.
 * NN_ERROR_SIZE: no column, or 2^32 rows and more. NN_ERROR_MEMORY. */
nn_status nn_data_create(nn_data **data, const nn_input *x);
void nn_data_free(nn_data *data);

/* Copies the labels: 0 .. n_classes - 1.   labels (n_rows,)
 * NN_ERROR_LABEL: one is outside; the data is then unchanged. NN_ERROR_MEMORY. */
nn_status nn_data_set_labels(nn_data *data, const int32_t *labels, size_t n_classes);

/* Copies the targets.   targets (n_rows, n_outputs)   Codes: NN_ERROR_SIZE, NN_ERROR_MEMORY. */
nn_status nn_data_set_targets(nn_data *data, const nn_real *targets, size_t n_outputs);

/* Copies the weights of the samples; without a call all are 1.   weights (n_rows,)
 * Codes: NN_ERROR_MEMORY. */
nn_status nn_data_set_weights(nn_data *data, const nn_real *weights);

/* The size of x. */
size_t nn_data_n_rows(const nn_data *data);
size_t nn_data_n_columns(const nn_data *data);

/* What nn_data_scan finds in x. */
typedef struct nn_scan {
    bool finite;        /* no number is NaN, infinite or too large for an nn_real */
    size_t row, column; /* where one is: of the first such number */
    double largest;     /* the largest number, the byte itself for uint8; -HUGE_VAL without rows */
    size_t n_nonzero;   /* numbers other than 0 and -0 */
    uint64_t checksum;  /* of x: its size, its dtype and its bytes row by row, whatever the stride
                         * between rows; the same on every CPU of one byte order. Data that differ
                         * have different ones, but for one chance in 2^64 */
} nn_scan;

/* One pass over x; of a sparse form alone, what is known of it, with checksum 0. Where x is not
 * finite, largest, n_nonzero and checksum mean nothing. Without a checksum, which is then 0, it is
 * faster.
 * Codes: NN_STOPPED. */
nn_status nn_data_scan(const nn_data *data, bool with_checksum, nn_poll *poll, void *poll_context,
                       nn_scan *scan);

/* From now on what looks at the network through this data (nn_forward, nn_predict, nn_evaluate,
 * nn_gradient, nn_inspect) looks at x too, block by block, which spares the pass of a scan: it ends
 * with NN_ERROR_NUMBER at a number that is NaN, infinite, too large for an nn_real or above `most`,
 * and what it has written by then means nothing. nn_data_scan says where the number is. A sparse
 * form is not looked at: its numbers are known. */
void nn_data_guard(nn_data *data, double most);

/* ---- the sparse form ---- */

/* The nonzeros of the data's x, which a scan has counted and found finite; it outlives the data. It
 * takes 2 bytes a nonzero for the column (4 with more than 65,536 columns) beside the value.
 * NN_ERROR_ARGUMENT: x has another number of nonzeros. NN_ERROR_SIZE: 2^32 columns and more.
 * Also NN_ERROR_MEMORY, NN_STOPPED. */
nn_status nn_sparse_create(nn_sparse **sparse, const nn_data *data, size_t n_nonzero, nn_poll *poll,
                           void *poll_context);

/* A copy of compressed sparse rows; zeros among the values are left out, bytes stand for i/255.
 * NN_ERROR_ARGUMENT: a dtype or index size is foreign; row_start does not begin with 0, descends or
 * exceeds n_values; columns are outside or do not ascend. NN_ERROR_NUMBER: a number is NaN,
 * infinite or too large for an nn_real; the first is in *row at *column. NN_ERROR_SIZE: no column,
 * or 2^32 rows or columns. Also NN_ERROR_MEMORY, NN_STOPPED. */
nn_status nn_sparse_create_csr(nn_sparse **sparse, const nn_csr *csr, size_t *row, size_t *column,
                               nn_poll *poll, void *poll_context);
void nn_sparse_free(nn_sparse *sparse);

/* Size and extent of a sparse form. */
size_t nn_sparse_n_rows(const nn_sparse *sparse);
size_t nn_sparse_n_columns(const nn_sparse *sparse);
size_t nn_sparse_n_nonzero(const nn_sparse *sparse);
size_t nn_sparse_bytes(const nn_sparse *sparse);

/* Lets the data use this form of its x, or none for NULL; the form must stay as long as the data is
 * used. NN_ERROR_SHAPE: it is of another size; NN_ERROR_ARGUMENT: the data has nothing else. */
nn_status nn_data_set_sparse(nn_data *data, const nn_sparse *sparse);

/* From now on the first layer sees all numbers of x, its sparse form written out batch by batch. */
void nn_data_write_out(nn_data *data);

/* Data that has a sparse form alone, which must stay as long as the data is used; its rows are
 * written out a block at a time where a layer needs them dense. Codes: NN_ERROR_MEMORY. */
nn_status nn_data_create_sparse(nn_data **data, const nn_sparse *sparse);

/* ---- augmentation ---- */

/* out = the images that are the rows of x, each changed at random: number r of `round` in the way
 * that an epoch after `round` others would change row r with this seed. out (n_rows, n_columns) of
 * x's dtype: float32, in the double build float64, or uint8, rounded to the nearest. x is finite.
 * Up to n_threads threads share the images, which changes no result. NN_ERROR_SHAPE: an image has
 * not as many numbers as x has columns. NN_ERROR_ARGUMENT: a part is outside its range, or the
 * dtype is the other build's. Also NN_ERROR_SIZE, NN_ERROR_MEMORY, NN_ERROR_KERNELS, NN_STOPPED. */
nn_status nn_augment_apply(const nn_augment *augment, const nn_data *data, uint64_t seed,
                           uint64_t round, size_t n_threads, void *out, nn_poll *poll,
                           void *poll_context);

/* ==== Training =============================================================================== */

/* The settings of an epoch. Start from nn_epoch_defaults(). */
typedef struct nn_epoch {
    nn_optimizer optimizer; /* sgd, learning_rate 0: must be set */
    double l1, l2;          /* 0 */
    bool penalize_biases;   /* false */
    size_t n_threads;       /* 0: the network's; that may share a long step */
    bool shuffle;           /* true: a new permutation each epoch */
    uint64_t seed;          /* 0: of the permutation and of dropout's masks */
    nn_poll *poll;          /* NULL */
    void *poll_context;
    float *step_loss; /* NULL, or (n_steps,): receives (1/m) sum w c of each step */
} nn_epoch;
nn_epoch nn_epoch_defaults(void);

/* What an epoch gives. */
typedef struct nn_epoch_result {
    double loss;     /* (1/n) sum w c over the epoch, each sample as the network was at its step */
    double penalty;  /* of the weights at the end */
    double accuracy; /* share of right predictions, at the same moments; NaN for regression */
    size_t n_steps;  /* updates done */
} nn_epoch_result;

/* Why the last epoch returned NN_DIVERGED. */
typedef struct nn_failure {
    size_t step;       /* of the epoch, from 1 */
    const char *where; /* "loss", or the name of a parameter */
    double value;      /* what was found there: NaN or infinity */
} nn_failure;

/* A trainer for this network, which must outlive it. Codes: NN_ERROR_MEMORY. */
nn_status nn_trainer_create(nn_trainer **trainer, nn_network *network);
void nn_trainer_free(nn_trainer *trainer);

/* Gets ready for fits with this data, batch size and optimiser: everything a step needs is
 * allocated here. Optimiser state stays while the optimiser's kind does. The data must stay as long
 * as it is bound: until other data is, or nn_trainer_unbind or nn_trainer_free. A batch larger than
 * the data is one batch.
 * NN_ERROR_SHAPE: x, or targets, do not fit the network. NN_ERROR_TARGETS: no labels or targets, or
 * targets with a hinge. NN_ERROR_SIZE: no rows, batch size 0. NN_ERROR_LABEL: labels of another
 * number of classes. Also NN_ERROR_ARGUMENT (optimizer). After these what was bound before is bound
 * still; after NN_ERROR_MEMORY nothing is. */
nn_status nn_trainer_bind(nn_trainer *trainer, const nn_data *data, size_t batch_size,
                          const nn_optimizer *optimizer);

/* The same, and every row that is trained on is changed first, as the image that `augment`
 * describes, in a way that is a function of the epoch's seed, the network's epochs so far and the
 * number of the row in x. Only epochs do so: evaluations of the same data see it as it is. The
 * first layer then works on all numbers of x, its sparse form written out. NULL: as
 * nn_trainer_bind. NN_ERROR_SHAPE: an image has not as many numbers as x has columns.
 * NN_ERROR_ARGUMENT: a part is outside its range. Else as nn_trainer_bind. */
nn_status nn_trainer_bind_augmented(nn_trainer *trainer, const nn_data *data, size_t batch_size,
                                    const nn_optimizer *optimizer, const nn_augment *augment);

/* How training works on each dense layer in full batches of so many rows of this data (a shorter
 * last batch, and a step worked on in parts, may take other loops): paths (n_dense,), *rows that a
 * block has (a larger batch is worked on in blocks), *shared: whether a step is long enough to be
 * shared among threads. What nn_trainer_bind and the steps go by. `augment` may be NULL. Codes:
 * NN_ERROR_SHAPE; NN_ERROR_SIZE: no rows, batch size 0. */
nn_status nn_training_paths(const nn_network *network, const nn_data *data, size_t batch_size,
                            const nn_augment *augment, nn_path *paths, size_t *rows, bool *shared);

/* Lets go of the bound data and frees its workspace; the optimiser's state stays. */
void nn_trainer_unbind(nn_trainer *trainer);

/* Trains one epoch on the bound data. On NN_OK the network's counters have advanced.
 * NN_DIVERGED: network and optimiser state are as before the call (nn_trainer_failure tells why).
 * NN_STOPPED: parameters as reached, counters as before the call, result->n_steps updates done;
 * where a parameter reached is not finite the call ends as NN_DIVERGED.
 * NN_ERROR_ARGUMENT: a setting is outside its range, or the optimiser is not the one bound. */
nn_status nn_train_epoch(nn_trainer *trainer, const nn_epoch *settings, nn_epoch_result *result);
nn_failure nn_trainer_failure(const nn_trainer *trainer);
size_t nn_trainer_n_steps(const nn_trainer *trainer); /* of an epoch on the bound data */

/* The optimiser's state: its kind, and slot i (nn_network_extent,), NULL when not kept. Clearing
 * frees it; keep_slot makes slot i, zeroed, if there is none (NN_ERROR_MEMORY). */
nn_optimizer_kind nn_trainer_kind(const nn_trainer *trainer);
nn_real *nn_trainer_slot(const nn_trainer *trainer, size_t i);
nn_status nn_trainer_keep_slot(nn_trainer *trainer, nn_optimizer_kind kind, size_t i);
void nn_trainer_clear(nn_trainer *trainer);

/* ==== Evaluation: no dropout, bounded memory for any number of rows =========================== */

/* Every function here can return NN_ERROR_SHAPE (x does not fit), NN_ERROR_MEMORY, NN_STOPPED, and
 * over guarded data NN_ERROR_NUMBER. */

/* a = the outputs.   a (n_rows, n_outputs) */
nn_status nn_forward(const nn_network *network, const nn_data *data, nn_real *a, nn_poll *poll,
                     void *poll_context);

/* classes (n_rows,) = the predicted classes: the first largest output; with one output whether it
 * is >= 0.5 (tanh: >= 0). */
nn_status nn_predict(const nn_network *network, const nn_data *data, int64_t *classes,
                     nn_poll *poll, void *poll_context);

typedef struct nn_evaluation {
    double loss;     /* (1/n) sum w c */
    double accuracy; /* share of right predictions, unweighted; NaN for regression */
} nn_evaluation;

/* Loss and accuracy against the data's labels or targets, for the network's cost or another.
 * NN_ERROR_PAIR: that cost does not go with the outputs. NN_ERROR_SIZE: no rows.
 * NN_ERROR_TARGETS, NN_ERROR_LABEL: as nn_trainer_bind. */
nn_status nn_evaluate(const nn_network *network, const nn_data *data, nn_cost cost,
                      nn_evaluation *result, nn_poll *poll, void *poll_context);

/* What nn_assess writes down of every sample; an array that is NULL is left out. Classes are named
 * as in nn_predict, by outputs and by targets. Probabilities: softmax outputs as they are, one
 * sigmoid a as (1 - a, a), several as a / sum a; NaN for all others, which are none. For
 * regression, which has no classes, only loss, z and a are written. */
typedef struct nn_assessment {
    double *loss;        /* (n_rows,): c(a, y), unweighted */
    int64_t *predicted;  /* (n_rows,): the class that the outputs name */
    int64_t *actual;     /* (n_rows,): that of the label or target */
    int64_t *rank;       /* (n_rows,): how many classes the outputs put before the actual one: 0
                          * where it is predicted; of equal outputs the first stands before */
    double *confidence;  /* (n_rows,): the probability of the predicted class */
    double *probability; /* (n_rows,): that of the actual class */
    nn_real *z, *a;      /* (n_rows, n_outputs): weighted inputs and activations of the outputs */
} nn_assessment;

/* How the network does on each sample, by its own cost; its losses have the mean, and its classes
 * the share of right ones, that nn_evaluate gives.
 * Codes besides: NN_ERROR_SIZE: no rows; NN_ERROR_TARGETS, NN_ERROR_LABEL: as nn_trainer_bind.
 * After an error what has been written means nothing. */
nn_status nn_assess(const nn_network *network, const nn_data *data, const nn_assessment *assessment,
                    nn_poll *poll, void *poll_context);

/* Options of nn_gradient. Start from nn_gradient_defaults(): no penalties, no dropout. */
typedef struct nn_gradient_options {
    nn_penalty penalty;
    bool training; /* dropout drops, with the masks of this seed at step 0 */
    uint64_t seed;
} nn_gradient_options;
nn_gradient_options nn_gradient_defaults(void);

/* *cost = loss + penalties over all rows, gradient (nn_network_extent,) = its derivative, laid out
 * as the parameters; what lies between its tensors is not written.
 * Codes besides: as nn_evaluate; NN_ERROR_ARGUMENT (penalty). */
nn_status nn_gradient(const nn_network *network, const nn_data *data,
                      const nn_gradient_options *options, nn_real *gradient, double *cost,
                      nn_poll *poll, void *poll_context);

/* For every dense layer i the weighted inputs z[i] (n_rows, n_out), its inputs a[i] (n_rows, n_in)
 * and delta[i] = dc/dz (n_rows, n_out), one sample a row; a[n_dense] are the outputs. A NULL array
 * is left out. Codes besides: as nn_evaluate. */
nn_status nn_inspect(const nn_network *network, const nn_data *data, nn_real *const *z,
                     nn_real *const *a, nn_real *const *delta, nn_poll *poll, void *poll_context);

#ifdef __cplusplus
}
#endif

#endif

/* The plan of a network: which nodes, which parameters, which loss; and the walk over the nodes.
 *
 *     caller's layers        784, Dense(30, sigmoid), Dropout(.5), Dense(10, sigmoid)
 *     nodes                  dense1 -> activation1 -> dropout1 -> dense2 -> activation2
 *     parameters (arena)     | dense1.weight | dense1.bias | dense2.weight | dense2.bias |
 *
 * The last node is always an activation: the output's. It and the cost function make one loss
 * (loss.h), which gives dC/dz at the last node's input, so backward starts one node before it. */
#ifndef NN_LAYERS_PLAN_H
#define NN_LAYERS_PLAN_H

#include "layers/layer.h"
#include "layers/loss.h"

/* A named tensor of the parameters' arena. */
typedef struct nn__tensor {
    char name[NN_NAME_SIZE + 8]; /* "dense1.weight" */
    size_t offset, count;        /* in nn_reals */
    size_t ndim, shape[2];
    bool is_bias;
    size_t node;
} nn__tensor;

struct nn__plan {
    size_t n_inputs, n_outputs;
    size_t n_nodes, n_tensors, n_parameters;
    nn__node *nodes;     /* (n_nodes,) */
    nn__tensor *tensors; /* (n_tensors,): weight, bias, layer by layer */
    nn__arena arena; /* of the parameters, laid out and not opened: the caller sees gradients and
                            optimiser states in this form */
    const nn__loss *loss;
};

/* Buffers of one pass, for up to `rows` rows, which are nn__padded(width) apart. */
typedef struct nn__workspace {
    size_t rows;
    nn__arena arena;
    nn_real *x;              /* (rows, n_inputs), without columns where capacity > 0 */
    const nn_real *inputs;   /* what passes read: x, or rows of the caller's where they lie */
    nn__sparse_batch sparse; /* room for `capacity` entries of x, where that is not 0 */
    size_t capacity;
    bool is_sparse;        /* what the last gathering has filled: sparse, not inputs */
    nn_real *targets;      /* (rows, n_outputs) */
    nn_real *weights;      /* (rows,) */
    int32_t *labels;       /* (rows,) */
    nn__buffers *buffers;  /* (n_nodes,) */
    nn_real *gradients[2]; /* (rows, widest): dy and dx, changing places node by node */
} nn__workspace;

/* Makes the plan of these layers. Owned by the caller, also after an error: nn__plan_free.
 * Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE, NN_ERROR_ARGUMENT, NN_ERROR_LAYERS, NN_ERROR_PAIR. */
nn_status nn__plan_make(nn__plan *plan, size_t n_inputs, const nn_layer *layers, size_t n_layers,
                        nn_cost cost);
void nn__plan_free(nn__plan *plan);

/* For the layers' plan functions: the width of the plan's present output. */
size_t nn__plan_width(const nn__plan *plan);

/* For the layers' plan functions: the next node, named after its kind. Its input is the
 * plan's present output. */
nn__node *nn__plan_add_node(nn__plan *plan, const nn__layer_kind *kind, const nn_layer *layer,
                            size_t n_out);

/* For the layers' plan functions: a parameter of `node`, (rows, columns), or a bias (columns,)
 * where rows is 0. Returns its index among the tensors. */
size_t nn__plan_add_tensor(nn__plan *plan, const nn__node *node, const char *suffix, size_t rows,
                           size_t columns);

/* The block of rows for a pass: as many as fit into `budget` nn_reals of workspace, 16 to 1024. */
size_t nn__plan_block_rows(const nn__plan *plan, size_t budget);

/* Whether the first node can work on sparse rows: it is dense. */
bool nn__plan_takes_sparse(const nn__plan *plan);

/* Multiplications of a forward pass over one row, with this share of the inputs not zero. */
double nn__plan_work(const nn__plan *plan, double density);

/* From so many multiplications of the forward pass on, by nn__plan_work, work is shared among
 * threads: a whole training step, or a block of an evaluation. */
#define NN_SHARED_WORK 4e6

/* A workspace for up to `rows` rows, also sparse ones of `capacity` nonzeros in all. Owned by the
 * caller, also after an error.   Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE. */
nn_status nn__workspace_make(nn__workspace *workspace, const nn__plan *plan, size_t rows,
                             size_t capacity);
void nn__workspace_free(nn__workspace *workspace);

/* The two walks are made between nn__work_begin and nn__work_end; they leave that stretch while
 * they ask the poll function.
 *
 * Output of the last node for the inputs in workspace->x; the loss reads its x (z) and y (a).
 * Codes: NN_STOPPED. */
nn_status nn__plan_forward(const nn__plan *plan, const nn__pass *pass, nn__workspace *workspace,
                           const nn_real *parameters, const nn__buffers **output);

/* Called with each node's dy before the node goes backward. */
typedef void nn__plan_visit(void *context, const nn__node *node, const nn_real *dy);

/* Given dC/dz of the output in workspace->gradients[0]: the gradient of every parameter. `visit`
 * may be NULL.   gradient: laid out as the parameters.   Codes: NN_STOPPED. */
nn_status nn__plan_backward(const nn__plan *plan, const nn__pass *pass, nn__workspace *workspace,
                            const nn_real *parameters, nn_real *gradient, nn__plan_visit *visit,
                            void *visit_context);

/* Backward in training, where every node's parameters follow their gradient at once. The poll
 * function is not asked: an update is stopped before it or not at all. */
void nn__plan_step(const nn__pass *pass, nn__workspace *workspace, nn__update *update);

#endif

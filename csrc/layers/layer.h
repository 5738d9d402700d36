/* What a layer is to the rest of the core: nodes, the pass that visits them, and the table that
 * every kind of layer fills.
 *
 * plan.c turns the caller's layers into a chain of nodes. Node i reads x = the output of node i-1
 * (the gathered inputs for i = 0) and writes its own output; backward, it reads dy = dC/d(output)
 * and writes dx = dC/d(input). */
#ifndef NN_LAYERS_LAYER_H
#define NN_LAYERS_LAYER_H

#include "base/arena.h"
#include "base/rng.h"
#include "base/types.h"
#include "kernels/gemm.h"
#include "kernels/vector.h"

#define NN_NAME_SIZE 32

typedef struct nn__layer_kind nn__layer_kind;
typedef struct nn__plan nn__plan;
typedef struct nn__layout nn__layout;
typedef struct nn__update nn__update;

/* One node of the chain. */
typedef struct nn__node {
    const nn__layer_kind *kind;
    char name[NN_NAME_SIZE]; /* "dense1", "activation2", "dropout1": numbered by kind, from 1 */
    nn_layer layer;          /* the caller's description */
    size_t n_in, n_out;
    size_t weight, bias; /* dense: its tensors, as indices into the plan's */
    size_t n_kept;       /* numbers a row kept from forward to backward (dropout's mask) */
} nn__node;

/* One pass over a block of rows: all that a layer may know of what is going on. */
typedef struct nn__pass {
    bool training;       /* dropout drops */
    bool accumulate;     /* add to the gradient instead of overwriting it */
    uint64_t seed, step; /* the numbers of this step's masks */
    size_t row0;         /* place of the block's first row within its batch */
    size_t rows;
    /* Rows of the whole block, of which `rows` may be one shard: kernels are chosen by it. */
    size_t block_rows;
    size_t n_threads; /* that may work on it, >= 1 */
    bool shared;      /* the work is enough to be shared among threads: a matter of sizes alone */
    double scale;     /* what the first weights are to be multiplied by: lazy decay, or 1 */
    const nn__layout *layout; /* of the packed parameters and their gradient */
    const nn__vector_kernels *vector;
    nn_poll *poll; /* asked between nodes; NULL where a pass is short */
    void *poll_context;
    nn_progress progress;
} nn__pass;

/* The buffers of a node for one pass, rows = pass->rows. Their rows are nn__padded(width) apart.
 * What lies between is finite in x and y, and zero in dy, dx and packed arrays: kernels run over
 * it, and a zero of dy must meet no NaN. Whoever fills dx fills the zeros too. */
typedef struct nn__buffers {
    const nn_real *x;         /* (rows, n_in), or NULL: */
    nn__sparse_batch *sparse; /* the first node's x, where it is sparse */
    nn_real *y;               /* (rows, n_out) */
    nn_real *kept;            /* (rows, n_kept) */
    nn_real *transposed;      /* scratch of a dense node's backward (nn__dense_transposed,) */
} nn__buffers;

struct nn__layer_kind {
    const char *name;

    bool training_only; /* without effect outside training: the node is then left out of a pass */
    bool in_place;      /* backward turns dy into dx where it stands: dx == dy */

    /* Appends the layer's nodes and their parameters to the plan, whose last node feeds them.
     * Codes: NN_ERROR_SIZE, NN_ERROR_ARGUMENT, NN_ERROR_LAYERS. */
    nn_status (*plan)(nn__plan *plan, const nn_layer *layer);

    /* Draws the start values of the node's parameters, not packed, from streams named after them.
     * NULL for a node without parameters. */
    void (*init)(const nn__plan *plan, const nn__node *node, nn_real *parameters, uint64_t seed);

    /* y = f(x). `parameters` are the packed ones of the whole network. */
    void (*forward)(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                    const nn__buffers *io);

    /* Makes ready for backward, once, before rows are given to several threads. May be NULL. */
    void (*prepare)(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                    const nn__buffers *io);

    /* Given dy: dx.   dy (rows, n_out), dx (rows, n_in) */
    void (*backward)(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                     const nn__buffers *io, const nn_real *dy, nn_real *dx);

    /* Given dy: the node's share of `gradient`, laid out as the parameters. NULL for a node without
     * parameters, as the next. */
    void (*gradient)(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                     const nn_real *dy, nn_real *gradient);

    /* Given dy: the node's parameters follow their gradient. */
    void (*step)(const nn__node *node, const nn__pass *pass, nn__update *update,
                 const nn__buffers *io, const nn_real *dy);
};

/* How a dense node is worked on in batches of `rows` rows. sparse: it is the first, and these rows
 * are; shared: steps are long enough for several threads. */
nn_path nn__dense_path(const nn__node *node, size_t rows, bool sparse, bool shared);

/* How much scratch a dense node's backward wants, in nn_reals. */
size_t nn__dense_transposed(const nn__node *node);

/* Every kind of layer, in the order of nn_layer_kind. */
extern const nn__layer_kind nn__dense_kind;      /* dense.c */
extern const nn__layer_kind nn__activation_kind; /* activation.c */
extern const nn__layer_kind nn__dropout_kind;    /* dropout.c */

#endif

/* Dense layer: y = x W + b, every input with every output. */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "layers/init.h"
#include "layers/sparse_dense.h"

/* ---- spec and plan -------------------------------------------------------------------------- */

static nn_status plan_activation(nn__plan *plan, const nn_layer *dense) {
    nn_layer layer = {.kind = NN_LAYER_ACTIVATION, .activation = dense->activation};
    return nn__activation_kind.plan(plan, &layer);
}

static nn_status plan_dense(nn__plan *plan, const nn_layer *layer) {
    if (layer->units == 0) return NN_ERROR_SIZE;
    if (nn_init_name((int)layer->init) == NULL) return NN_ERROR_ARGUMENT;
    if (layer->init == NN_INIT_NORMAL && !(layer->init_sd >= 0 && layer->init_sd < HUGE_VAL))
        return NN_ERROR_ARGUMENT;
    nn__node *node = nn__plan_add_node(plan, &nn__dense_kind, layer, layer->units);
    node->weight = nn__plan_add_tensor(plan, node, "weight", node->n_in, node->n_out);
    node->bias = nn__plan_add_tensor(plan, node, "bias", 0, node->n_out);
    return layer->activation == NN_ACTIVATION_LINEAR ? NN_OK : plan_activation(plan, layer);
}

/* ---- init ----------------------------------------------------------------------------------- */

static void init_dense(const nn__plan *plan, const nn__node *node, nn_real *parameters,
                       uint64_t seed) {
    nn__init_dense(node, parameters + plan->tensors[node->weight].offset,
                   parameters + plan->tensors[node->bias].offset, seed);
}

/* ---- which product by which loops ------------------------------------------------------------ */

/* Our own loops (products.h) against BLIS, on a Zen 4: with 10 rows ours take 0.3 to 0.5 of the
 * time in layers of 10 outputs and 0.7 to 0.95 in layers of 100; with 100 rows and 100 outputs BLIS
 * is as fast or faster. In batches of more rows, weights beyond the second-level cache are left to
 * BLIS's blocking. */
#define FEW_ROWS 32
#define NARROW 64
#define CACHED ((size_t)1 << 17) /* nn_reals */

/* In which loops y = x W, or W += x^T dy, runs. Columns are counted padded. `rows` is the whole
 * block's (block_rows), so that a shard of it takes the same loops. */
static nn_loops loops_of(const nn__node *node, size_t rows) {
    const size_t ld = nn__padded(node->n_out);
    if (rows <= FEW_ROWS) return NN_LOOPS_FEW_ROWS;
    return ld <= NARROW && node->n_in <= CACHED / ld ? NN_LOOPS_NARROW : NN_LOOPS_BLIS;
}

static bool is_ours(const nn__node *node, size_t rows) {
    return loops_of(node, rows) != NN_LOOPS_BLIS;
}

/* Whether dx = dy W^T runs in our loops: as dx = dy V with V = W^T written out first; few outputs
 * make that cheap, many rows make it worth while. */
static bool transposes(const nn__node *node, size_t rows) {
    const bool pays = node->n_out <= FEW_ROWS || rows >= FEW_ROWS;
    return pays && nn__dense_transposed(node) > 0;
}

size_t nn__dense_transposed(const nn__node *node) {
    const size_t ld = nn__padded(node->n_in);
    return ld <= CACHED && node->n_out <= CACHED / ld ? node->n_out * ld : 0;
}

nn_path nn__dense_path(const nn__node *node, size_t rows, bool sparse, bool shared) {
    nn_path path = {.n_in = node->n_in,
                    .n_out = node->n_out,
                    .sparse = sparse,
                    .loops = loops_of(node, rows),
                    .has_input_gradient = node->weight != 0,
                    .few_rows = FEW_ROWS,
                    .narrow = NARROW};
    if (sparse) nn__sparse_dense_path(&path, rows, shared);
    path.transposes = path.has_input_gradient && transposes(node, rows);
    return path;
}

/* ---- the operands --------------------------------------------------------------------------- */

/* A block of rows of a workspace.   (rows, n) */
static nn__matrix block_of(const nn_real *values, size_t rows, size_t n) {
    nn__matrix block = nn__matrix_of(values, rows, n);
    block.row_stride = (ptrdiff_t)nn__padded(n);
    return block;
}

/* The tensor at this place of a packed array.   (n_in, n_out) */
static nn__matrix tensor_of(const nn_real *values, const nn__place *place) {
    nn__matrix tensor = nn__matrix_of(values + place->offset, place->rows, place->columns);
    tensor.row_stride = (ptrdiff_t)place->stride;
    return tensor;
}

/* The same for our loops, in one tile. Takes off const: forward writes nothing. */
static nn__weights weights_of(const nn_real *values, const nn__place *place) {
    nn_real *W = (nn_real *)(uintptr_t)(values + place->offset);
    return (nn__weights){W, place->rows, place->stride, place->stride};
}

/* ---- forward -------------------------------------------------------------------------------- */

/* y = x W + b.   x (rows, n_in), W (n_in, n_out), b (n_out,), y (rows, n_out) */
static void forward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                          const nn__buffers *io) {
    const nn__place *place = &pass->layout->places[node->weight];
    const nn_real *b = parameters + pass->layout->places[node->bias].offset;
    if (io->sparse != NULL) {
        nn__sparse_dense_forward(node, pass, parameters, io);
    } else if (is_ours(node, pass->block_rows)) {
        const nn__weights W = weights_of(parameters, place);
        pass->vector->products->dense_forward(io->y, nn__padded(node->n_out), io->x,
                                              nn__padded(node->n_in), pass->rows, &W, b);
    } else {
        nn__gemm(block_of(io->y, pass->rows, node->n_out), block_of(io->x, pass->rows, node->n_in),
                 tensor_of(parameters, place), false, pass->vector);
        pass->vector->add_bias(io->y, b, pass->rows, nn__padded(node->n_out));
    }
}

/* ---- backward ------------------------------------------------------------------------------- */

/* V = W^T.   W (n_in, n_out) with rows ldw apart, V (n_out, n_in) with rows ldv apart and zeros
 * between them: the scratch has held other weights before. */
static void transpose(nn_real *restrict V, size_t ldv, const nn_real *restrict W, size_t ldw,
                      size_t n_in, size_t n_out) {
    for (size_t i = 0; i < n_in; i++)
        for (size_t j = 0; j < n_out; j++) V[j * ldv + i] = W[i * ldw + j];
    for (size_t j = 0; j < n_out; j++)
        for (size_t i = n_in; i < ldv; i++) V[j * ldv + i] = 0;
}

/* W^T into the scratch, where backward wants it. */
static void prepare_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                          const nn__buffers *io) {
    const nn__place *place = &pass->layout->places[node->weight];
    if (transposes(node, pass->block_rows))
        transpose(io->transposed, nn__padded(node->n_in), parameters + place->offset, place->stride,
                  node->n_in, node->n_out);
}

/* Of y = x W + b, given dy:   dx = dy W^T. */
static void backward_dense(const nn__node *node, const nn__pass *pass, const nn_real *parameters,
                           const nn__buffers *io, const nn_real *dy, nn_real *dx) {
    const size_t stride = nn__padded(node->n_in), rest = stride - node->n_in;
    if (transposes(node, pass->block_rows)) {
        const nn__weights V = {io->transposed, node->n_out, stride, stride};
        pass->vector->products->dense_forward(dx, stride, dy, nn__padded(node->n_out), pass->rows,
                                              &V, NULL);
        return;
    }
    nn__matrix W = tensor_of(parameters, &pass->layout->places[node->weight]);
    nn__gemm(block_of(dx, pass->rows, node->n_in), block_of(dy, pass->rows, node->n_out),
             nn__matrix_transposed(W), false, pass->vector);
    for (size_t r = 0; rest > 0 && r < pass->rows; r++)
        memset(dx + r * stride + node->n_in, 0, rest * sizeof *dx);
}

/* W <- beta W + c x^T dy, of W at its place in a packed array.   dy (rows, n_out) */
typedef struct product {
    const nn__node *node;
    const nn__pass *pass;
    const nn_real *x, *dy;
    nn_real *W;
    nn_real beta, c;
} product;

/* Rows of W in a shard. */
enum { SHARD_INPUTS = 64 };

/* Rows first .. first + n - 1 of W. */
static void add_product_rows(const product *p, size_t first, size_t n) {
    const nn__node *node = p->node;
    const size_t ldx = nn__padded(node->n_in), ldy = nn__padded(node->n_out), rows = p->pass->rows;
    nn_real *W = p->W + first * ldy;
    if (is_ours(node, p->pass->block_rows)) {
        const nn__weights part = {W, n, ldy, ldy};
        p->pass->vector->products->dense_update(&part, p->x + first, ldx, p->dy, ldy, rows, p->beta,
                                                p->c);
        return;
    }
    nn__matrix C = nn__matrix_of(W, n, node->n_out), x = nn__matrix_of(p->x + first, rows, n);
    C.row_stride = (ptrdiff_t)ldy;
    x.row_stride = (ptrdiff_t)ldx;
    nn__gemm_scaled(C, p->beta, p->c, nn__matrix_transposed(x), block_of(p->dy, rows, node->n_out));
}

static void add_product_shard(void *context, size_t shard) {
    const product *p = context;
    const size_t first = shard * SHARD_INPUTS, left = p->node->n_in - first;
    add_product_rows(p, first, left < SHARD_INPUTS ? left : SHARD_INPUTS);
}

static void add_product(product *p) {
    if (p->pass->shared)
        nn__pool_run(p->pass->n_threads, (p->node->n_in - 1) / SHARD_INPUTS + 1, add_product_shard,
                     p);
    else
        add_product_rows(p, 0, p->node->n_in);
}

/* Of y = x W + b, given dy:   dW = x^T dy,   db = sum over rows of dy. */
static void gradient_dense(const nn__node *node, const nn__pass *pass, const nn__buffers *io,
                           const nn_real *dy, nn_real *gradient) {
    const nn__place *places = pass->layout->places;
    product dW = {
        node, pass, io->x, dy, gradient + places[node->weight].offset, pass->accumulate ? 1 : 0, 1};
    if (io->sparse != NULL)
        nn__sparse_dense_gradient(node, pass, io, dy, gradient);
    else
        add_product(&dW);
    pass->vector->sum_rows(gradient + places[node->bias].offset, dy, pass->rows,
                           nn__padded(node->n_out), pass->accumulate);
}

/* ---- step ----------------------------------------------------------------------------------- */

/* Plain SGD without l1 needs no gradient written out:   W <- (1 - eta l2/n) W - eta x^T dy. */
static void step_dense(const nn__node *node, const nn__pass *pass, nn__update *update,
                       const nn__buffers *io, const nn_real *dy) {
    const nn__place *places = pass->layout->places;
    const double eta = update->optimizer->learning_rate;
    const double decay = eta * update->penalty->l2 / update->penalty->n;
    const size_t W = places[node->weight].offset;
    pass->vector->sum_rows(update->gradient + places[node->bias].offset, dy, pass->rows,
                           nn__padded(node->n_out), false);
    nn__optimizer_step(update, node->bias);
    if (io->sparse != NULL) {
        nn__sparse_dense_step(node, pass, update, io, dy);
    } else if (nn__optimizer_is_plain(update->optimizer) && update->penalty->l1 == 0.0) {
        add_product(&(product){node, pass, io->x, dy, update->parameters + W,
                               (nn_real)(1.0 - decay), (nn_real)-eta});
    } else {
        add_product(&(product){node, pass, io->x, dy, update->gradient + W, 0, 1});
        nn__optimizer_step(update, node->weight);
    }
}

const nn__layer_kind nn__dense_kind = {
    .name = "dense",
    .plan = plan_dense,
    .init = init_dense,
    .forward = forward_dense,
    .prepare = prepare_dense,
    .backward = backward_dense,
    .gradient = gradient_dense,
    .step = step_dense,
};

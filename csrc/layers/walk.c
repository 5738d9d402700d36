/* The walk over the nodes: forward, backward, and the training step.
 *
 * Where a block is large enough, threads share its rows: a chain of nodes is done for some rows by
 * one thread and for others by another. Weights are shared in another way, by each layer itself. */
#include "base/pool.h"
#include "base/threads.h"
#include "layers/optimizer.h"

/* Rows of a shard: a matter of the block alone. */
enum { SHARD_ROWS = 16, LARGE_SHARD_ROWS = 64, MANY_ROWS = 512 };

/* A stretch of nodes and what they work on. */
typedef struct chain {
    const nn__plan *plan;
    const nn__pass *pass;
    const nn__buffers *buffers; /* (n_nodes,) */
    const nn_real *parameters;
    size_t first, end; /* nodes first .. end - 1 */
    nn_real *dy, *dx;  /* backward alone */
} chain;

/* Whether the caller wants the pass to end. */
static bool stopped(const nn__pass *pass) {
    if (pass->poll == NULL) return false;
    nn__work_end();
    bool stop = pass->poll(pass->poll_context, &pass->progress) != 0;
    nn__work_begin();
    return stop;
}

static bool is_left_out(const nn__node *node, const nn__pass *pass) {
    return node->kind->training_only && !pass->training;
}

static size_t shard_rows(const nn__pass *pass) {
    if (!pass->shared) return pass->rows;
    return pass->rows < MANY_ROWS ? SHARD_ROWS : LARGE_SHARD_ROWS;
}

/* The part of the pass that is shard number `shard`, and its first row. */
static nn__pass part_of(const nn__pass *pass, size_t shard, size_t *first) {
    nn__pass part = *pass;
    const size_t most = shard_rows(pass);
    *first = shard * most;
    part.rows = pass->rows - *first < most ? pass->rows - *first : most;
    part.row0 += *first;
    part.shared = false;
    return part;
}

/* The buffers from this row on. */
static nn__buffers rows_of(const nn__node *node, const nn__buffers *io, size_t row) {
    nn__buffers part = *io;
    part.x += row * nn__padded(node->n_in);
    part.y += row * nn__padded(node->n_out);
    part.kept += row * nn__padded(node->n_kept);
    return part;
}

static void run_shards(chain *c, nn__shard *shard) {
    const size_t n = (c->pass->rows - 1) / shard_rows(c->pass) + 1;
    nn__pool_run(c->pass->n_threads, n, shard, c);
}

/* ---- forward -------------------------------------------------------------------------------- */

static void forward_shard(void *context, size_t shard) {
    const chain *c = context;
    size_t row;
    const nn__pass part = part_of(c->pass, shard, &row);
    for (size_t i = c->first; i < c->end; i++) {
        const nn__node *node = &c->plan->nodes[i];
        if (is_left_out(node, c->pass)) continue;
        const nn__buffers io = rows_of(node, &c->buffers[i], row);
        node->kind->forward(node, &part, c->parameters, &io);
    }
}

/* Every node's x is the output of the node before it. */
static void connect(const nn__plan *plan, const nn__pass *pass, nn__workspace *workspace) {
    const nn_real *x = workspace->is_sparse ? NULL : workspace->inputs;
    workspace->buffers[0].sparse = workspace->is_sparse ? &workspace->sparse : NULL;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        workspace->buffers[i].x = x;
        if (!is_left_out(&plan->nodes[i], pass)) x = workspace->buffers[i].y;
    }
}

nn_status nn__plan_forward(const nn__plan *plan, const nn__pass *pass, nn__workspace *workspace,
                           const nn_real *parameters, const nn__buffers **output) {
    chain c = {.plan = plan, .pass = pass, .buffers = workspace->buffers, .parameters = parameters};
    connect(plan, pass, workspace);
    if (workspace->is_sparse) { /* which has its own way of sharing */
        if (stopped(pass)) return NN_STOPPED;
        plan->nodes[0].kind->forward(&plan->nodes[0], pass, parameters, &workspace->buffers[0]);
        c.first = 1;
    }
    for (; c.first < plan->n_nodes; c.first = c.end) {
        c.end = pass->poll != NULL ? c.first + 1 : plan->n_nodes;
        if (stopped(pass)) return NN_STOPPED;
        run_shards(&c, forward_shard);
    }
    *output = &workspace->buffers[plan->n_nodes - 1];
    return NN_OK;
}

/* ---- backward ------------------------------------------------------------------------------- */

/* dy back over node c->end - 1, and on over the nodes before it that turn dy into dx in place, as
 * far as c->first. */
static void backward_shard(void *context, size_t shard) {
    const chain *c = context;
    size_t row;
    const nn__pass part = part_of(c->pass, shard, &row);
    const nn__node *last = &c->plan->nodes[c->end - 1];
    nn_real *dy = c->dy + row * nn__padded(last->n_out);
    nn_real *dx = c->dx + row * nn__padded(last->n_in);
    for (size_t i = c->end; i-- > c->first; dy = dx) {
        const nn__node *node = &c->plan->nodes[i];
        if (is_left_out(node, c->pass)) continue;
        const nn__buffers io = rows_of(node, &c->buffers[i], row);
        node->kind->backward(node, &part, c->parameters, &io, dy, dx);
    }
}

/* The first of the nodes before `end` that all work in place. */
static size_t in_place_before(const nn__plan *plan, size_t end) {
    while (end > 0 && plan->nodes[end - 1].kind->in_place) end--;
    return end;
}

/* What is done with a node that has parameters, once its dy is there and before they change. */
typedef void use_gradient(void *context, const nn__node *node, const nn__buffers *io,
                          const nn_real *dy);

/* Takes dy from the outputs' back to the first node that has parameters; before that nobody needs
 * it. `use` is called for each of these after dx has been made. */
static nn_status walk_back(chain *c, nn__workspace *workspace, nn__plan_visit *visit,
                           void *visit_context, use_gradient *use, void *use_context) {
    const size_t first = c->plan->tensors[0].node;
    nn_real *dy = workspace->gradients[0], *other = workspace->gradients[1];
    for (size_t end = c->plan->n_nodes - 1; end > first; end = c->first) {
        const nn__node *node = &c->plan->nodes[end - 1];
        const bool in_place = node->kind->in_place;
        c->end = end;
        c->first = in_place_before(c->plan, in_place ? end : end - 1);
        if (c->first < first) c->first = first;
        c->dy = dy;
        c->dx = in_place ? dy : other;
        if (stopped(c->pass)) return NN_STOPPED;
        if (visit != NULL) visit(visit_context, node, dy);
        if (end - 1 > first) {
            if (node->kind->prepare != NULL)
                node->kind->prepare(node, c->pass, c->parameters, &c->buffers[end - 1]);
            run_shards(c, backward_shard);
        }
        if (node->kind->gradient != NULL) use(use_context, node, &c->buffers[end - 1], dy);
        if (!in_place) other = dy, dy = c->dx;
    }
    return NN_OK;
}

typedef struct gradient {
    const nn__pass *pass;
    nn_real *values;
} gradient;

static void add_gradient(void *context, const nn__node *node, const nn__buffers *io,
                         const nn_real *dy) {
    const gradient *g = context;
    node->kind->gradient(node, g->pass, io, dy, g->values);
}

nn_status nn__plan_backward(const nn__plan *plan, const nn__pass *pass, nn__workspace *workspace,
                            const nn_real *parameters, nn_real *values, nn__plan_visit *visit,
                            void *visit_context) {
    gradient g = {pass, values};
    chain c = {.plan = plan, .pass = pass, .buffers = workspace->buffers, .parameters = parameters};
    return walk_back(&c, workspace, visit, visit_context, add_gradient, &g);
}

/* ---- step ----------------------------------------------------------------------------------- */

typedef struct step {
    const nn__pass *pass;
    nn__update *update;
} step;

static void take_step(void *context, const nn__node *node, const nn__buffers *io,
                      const nn_real *dy) {
    const step *s = context;
    node->kind->step(node, s->pass, s->update, io, dy);
}

void nn__plan_step(const nn__pass *pass, nn__workspace *workspace, nn__update *update) {
    step s = {pass, update};
    chain c = {.plan = update->plan,
               .pass = pass,
               .buffers = workspace->buffers,
               .parameters = update->parameters};
    (void)walk_back(&c, workspace, NULL, NULL, take_step, &s);
}

#include "layers/plan.h"

#include <stdio.h>
#include <string.h>

/* In the order of nn_layer_kind. */
static const nn__layer_kind *const kinds[] = {&nn__dense_kind, &nn__activation_kind,
                                              &nn__dropout_kind};

/* ---- making a plan -------------------------------------------------------------------------- */

size_t nn__plan_width(const nn__plan *plan) {
    return plan->n_nodes == 0 ? plan->n_inputs : plan->nodes[plan->n_nodes - 1].n_out;
}

/* How many nodes of this kind the plan has. */
static size_t count_of_kind(const nn__plan *plan, const nn__layer_kind *kind) {
    size_t count = 0;
    for (size_t i = 0; i < plan->n_nodes; i++) count += plan->nodes[i].kind == kind;
    return count;
}

nn__node *nn__plan_add_node(nn__plan *plan, const nn__layer_kind *kind, const nn_layer *layer,
                            size_t n_out) {
    size_t number = count_of_kind(plan, kind) + 1, n_in = nn__plan_width(plan);
    nn__node *node = &plan->nodes[plan->n_nodes++];
    *node = (nn__node){.kind = kind, .layer = *layer, .n_in = n_in, .n_out = n_out};
    snprintf(node->name, sizeof node->name, "%s%zu", kind->name, number);
    return node;
}

size_t nn__plan_add_tensor(nn__plan *plan, const nn__node *node, const char *suffix, size_t rows,
                           size_t columns) {
    nn__tensor *tensor = &plan->tensors[plan->n_tensors++];
    bool is_bias = rows == 0;
    *tensor = (nn__tensor){.is_bias = is_bias, .node = (size_t)(node - plan->nodes)};
    snprintf(tensor->name, sizeof tensor->name, "%s.%s", node->name, suffix);
    tensor->ndim = is_bias ? 1 : 2;
    tensor->shape[0] = is_bias ? columns : rows;
    tensor->shape[1] = is_bias ? 0 : columns;
    tensor->count = columns;
    if (!is_bias && !nn__multiply(rows, columns, &tensor->count)) plan->arena.overflow = true;
    tensor->offset = nn__arena_reserve(&plan->arena, tensor->count);
    plan->n_parameters += tensor->count;
    return (size_t)(tensor - plan->tensors);
}

/* What only the whole chain shows: it ends in an activation, softmax stands nowhere else, and there
 * is something to learn. A last dense layer that is linear gets its activation node here. */
static nn_status close_chain(nn__plan *plan) {
    const nn_layer linear = {.kind = NN_LAYER_ACTIVATION, .activation = NN_ACTIVATION_LINEAR};
    if (plan->n_tensors == 0) return NN_ERROR_LAYERS;
    const nn__layer_kind *last = plan->nodes[plan->n_nodes - 1].kind;
    if (last == &nn__dropout_kind) return NN_ERROR_LAYERS;
    if (last == &nn__dense_kind)
        nn__plan_add_node(plan, &nn__activation_kind, &linear, nn__plan_width(plan));
    for (size_t i = 0; i + 1 < plan->n_nodes; i++)
        if (plan->nodes[i].kind == &nn__activation_kind &&
            plan->nodes[i].layer.activation == NN_ACTIVATION_SOFTMAX)
            return NN_ERROR_LAYERS;
    return plan->arena.overflow ? NN_ERROR_SIZE : NN_OK;
}

/* The loss of the cost and the output's activation. */
static nn_status choose_loss(nn__plan *plan, nn_cost cost) {
    if (nn_cost_name((int)cost) == NULL) return NN_ERROR_ARGUMENT;
    plan->n_outputs = nn__plan_width(plan);
    plan->loss = nn__loss_find(cost, plan->nodes[plan->n_nodes - 1].layer.activation);
    bool allowed = plan->loss != NULL && plan->n_outputs >= plan->loss->fewest_outputs;
    return allowed ? NN_OK : NN_ERROR_PAIR;
}

nn_status nn__plan_make(nn__plan *plan, size_t n_inputs, const nn_layer *layers, size_t n_layers,
                        nn_cost cost) {
    *plan = (nn__plan){.n_inputs = n_inputs};
    if (n_inputs == 0) return NN_ERROR_SIZE;
    if (n_layers == 0) return NN_ERROR_LAYERS;
    if (n_layers > SIZE_MAX / 4) return NN_ERROR_SIZE;
    plan->nodes = nn__allocate(2 * n_layers + 1, sizeof *plan->nodes);
    plan->tensors = nn__allocate(2 * n_layers, sizeof *plan->tensors);
    if (plan->nodes == NULL || plan->tensors == NULL) return NN_ERROR_MEMORY;
    for (size_t i = 0; i < n_layers; i++) {
        if ((size_t)layers[i].kind >= sizeof kinds / sizeof *kinds) return NN_ERROR_ARGUMENT;
        NN_TRY(kinds[layers[i].kind]->plan(plan, &layers[i]));
    }
    NN_TRY(close_chain(plan));
    return choose_loss(plan, cost);
}

void nn__plan_free(nn__plan *plan) {
    nn__release(plan->nodes);
    nn__release(plan->tensors);
    *plan = (nn__plan){0};
}

/* ---- workspaces ----------------------------------------------------------------------------- */

/* The widest dy or dx of any node, padded: before the first node with parameters nobody needs
 * one. */
static size_t widest(const nn__plan *plan) {
    size_t width = 0;
    for (size_t i = plan->tensors[0].node; i < plan->n_nodes; i++)
        if (plan->nodes[i].n_out > width) width = plan->nodes[i].n_out;
    return nn__padded(width);
}

/* nn_reals that a workspace needs for one row. */
static double row_size(const nn__plan *plan) {
    double size = (double)nn__padded(plan->n_inputs) + 2.0 * (double)widest(plan) +
                  (double)nn__padded(plan->n_outputs);
    for (size_t i = 0; i < plan->n_nodes; i++)
        size += (double)nn__padded(plan->nodes[i].n_out) + (double)plan->nodes[i].n_kept;
    return size;
}

size_t nn__plan_block_rows(const nn__plan *plan, size_t budget) {
    double rows = (double)budget / row_size(plan);
    return rows < 16.0 ? 16 : rows > 1024.0 ? 1024 : (size_t)rows;
}

bool nn__plan_takes_sparse(const nn__plan *plan) {
    return plan->nodes[0].kind == &nn__dense_kind;
}

double nn__plan_work(const nn__plan *plan, double density) {
    double work = 0.0;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__tensor *tensor = &plan->tensors[i];
        if (!tensor->is_bias) work += (tensor->node == 0 ? density : 1.0) * (double)tensor->count;
    }
    return work;
}

/* Reserves (rows, padded width) in the workspace's arena, and the row more that BLIS may read
 * (gemm.h). */
static size_t reserve_rows(nn__workspace *workspace, size_t width) {
    size_t count = 0;
    if (!nn__multiply(workspace->rows + 1, nn__padded(width), &count))
        workspace->arena.overflow = true;
    return nn__arena_reserve(&workspace->arena, count);
}

/* Scratch for the dense nodes' backward: of the largest but the first, whose input needs no
 * gradient. */
static size_t transposed_size(const nn__plan *plan) {
    size_t size = 0;
    for (size_t i = plan->tensors[0].node + 1; i < plan->n_nodes; i++) {
        if (plan->nodes[i].kind != &nn__dense_kind) continue;
        size_t wanted = nn__dense_transposed(&plan->nodes[i]);
        if (wanted > size) size = wanted;
    }
    return size;
}

/* Columns of x in the workspace: none where its nonzeros are all there is of it. */
static size_t input_width(const nn__workspace *workspace, const nn__plan *plan) {
    return workspace->capacity > 0 ? 0 : plan->n_inputs;
}

/* Where the workspace's tensors lie: one list, written when laid out and read when opened. */
typedef struct layout {
    size_t x, targets, weights, gradients[2], transposed;
    size_t *y, *kept; /* (n_nodes,) each */
} layout;

static void lay_out(nn__workspace *workspace, const nn__plan *plan, layout *at) {
    at->x = reserve_rows(workspace, input_width(workspace, plan));
    at->targets = reserve_rows(workspace, plan->n_outputs);
    at->weights = reserve_rows(workspace, 1);
    for (int i = 0; i < 2; i++) at->gradients[i] = reserve_rows(workspace, widest(plan));
    at->transposed = nn__arena_reserve(&workspace->arena, transposed_size(plan));
    for (size_t i = 0; i < plan->n_nodes; i++) {
        at->y[i] = reserve_rows(workspace, plan->nodes[i].n_out);
        at->kept[i] = reserve_rows(workspace, plan->nodes[i].n_kept);
    }
}

static void point_into(nn__workspace *workspace, const nn__plan *plan, const layout *at) {
    const nn__arena *arena = &workspace->arena;
    const size_t rows = workspace->rows;
    workspace->x = nn__arena_tensor(arena, at->x, rows * nn__padded(input_width(workspace, plan)));
    workspace->inputs = workspace->x;
    workspace->targets = nn__arena_tensor(arena, at->targets, rows * nn__padded(plan->n_outputs));
    workspace->weights = nn__arena_tensor(arena, at->weights, rows);
    for (int i = 0; i < 2; i++)
        workspace->gradients[i] = nn__arena_tensor(arena, at->gradients[i], rows * widest(plan));
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const nn__node *node = &plan->nodes[i];
        nn__buffers *io = &workspace->buffers[i];
        io->y = nn__arena_tensor(arena, at->y[i], rows * nn__padded(node->n_out));
        io->kept = nn__arena_tensor(arena, at->kept[i], rows * nn__padded(node->n_kept));
        io->transposed = arena->values + at->transposed;
    }
}

/* Room for sparse rows, as it comes: what they do not fill costs no memory, and most rows are far
 * shorter than the longest. Codes: NN_ERROR_MEMORY, NN_ERROR_SIZE. */
static nn_status make_sparse(nn__workspace *workspace, size_t n_in) {
    const size_t rows = workspace->rows, capacity = workspace->capacity;
    nn__sparse_batch *s = &workspace->sparse;
    if (capacity == 0) return NN_OK;
    if (capacity > UINT32_MAX) return NN_ERROR_SIZE;
    s->rows.start = nn__allocate(rows + 1, sizeof *s->rows.start);
    s->rows.column = nn__allocate_raw(capacity, sizeof *s->rows.column);
    s->rows.value = nn__allocate_raw(capacity, sizeof *s->rows.value);
    s->columns.start = nn__allocate(n_in + 2, sizeof *s->columns.start);
    s->columns.row = nn__allocate_raw(capacity, sizeof *s->columns.row);
    s->columns.value = nn__allocate_raw(capacity, sizeof *s->columns.value);
    s->cursor = nn__allocate(rows, sizeof *s->cursor);
    bool made = s->rows.start != NULL && s->rows.column != NULL && s->rows.value != NULL &&
                s->columns.start != NULL && s->columns.row != NULL && s->columns.value != NULL &&
                s->cursor != NULL;
    return made ? NN_OK : NN_ERROR_MEMORY;
}

static void free_sparse(nn__sparse_batch *sparse) {
    nn__release(sparse->rows.start);
    nn__release(sparse->rows.column);
    nn__release(sparse->rows.value);
    nn__release(sparse->columns.start);
    nn__release(sparse->columns.row);
    nn__release(sparse->columns.value);
    nn__release(sparse->cursor);
}

nn_status nn__workspace_make(nn__workspace *workspace, const nn__plan *plan, size_t rows,
                             size_t capacity) {
    *workspace = (nn__workspace){.rows = rows, .capacity = capacity};
    NN_TRY(make_sparse(workspace, plan->n_inputs));
    workspace->buffers = nn__allocate(plan->n_nodes, sizeof *workspace->buffers);
    workspace->labels = nn__allocate(rows, sizeof *workspace->labels);
    layout at = {.y = nn__allocate(2 * plan->n_nodes, sizeof *at.y)};
    nn_status status = NN_ERROR_MEMORY;
    if (workspace->buffers != NULL && workspace->labels != NULL && at.y != NULL) {
        at.kept = at.y + plan->n_nodes;
        lay_out(workspace, plan, &at);
        status = nn__arena_open(&workspace->arena);
    }
    if (status == NN_OK) point_into(workspace, plan, &at);
    nn__release(at.y);
    return status;
}

void nn__workspace_free(nn__workspace *workspace) {
    nn__arena_close(&workspace->arena);
    free_sparse(&workspace->sparse);
    nn__release(workspace->buffers);
    nn__release(workspace->labels);
    *workspace = (nn__workspace){0};
}

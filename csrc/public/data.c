#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "public/objects.h"

static size_t size_of(int dtype) {
    switch (dtype) {
    case NN_DTYPE_FLOAT32:
        return sizeof(float);
    case NN_DTYPE_FLOAT64:
        return sizeof(double);
    default:
        return 1;
    }
}

nn_status nn_data_create(nn_data **data, const nn_input *x) {
    *data = NULL;
    if (nn_dtype_name(x->dtype) == NULL) return NN_ERROR_ARGUMENT;
    const size_t size = size_of(x->dtype);
    if ((uintptr_t)x->values % size != 0 || x->row_stride % (ptrdiff_t)size != 0)
        return NN_ERROR_ARGUMENT;
    if (x->n_columns == 0 || x->n_rows > UINT32_MAX) return NN_ERROR_SIZE;
    nn_data *made = nn__allocate(1, sizeof *made);
    if (made == NULL) return NN_ERROR_MEMORY;
    made->x = *x;
    *data = made;
    return NN_OK;
}

nn_status nn_data_create_sparse(nn_data **data, const nn_sparse *sparse) {
    nn_data *made = nn__allocate(1, sizeof *made);
    *data = made;
    if (made == NULL) return NN_ERROR_MEMORY;
    made->x = (nn_input){
        .dtype = sparse->dtype, .n_rows = sparse->n_rows, .n_columns = sparse->n_columns};
    made->sparse = sparse;
    return NN_OK;
}

void nn_data_free(nn_data *data) {
    if (data == NULL) return;
    nn__release(data->labels);
    nn__release(data->targets);
    nn__release(data->weights);
    nn__release(data);
}

nn_status nn_data_set_labels(nn_data *data, const int32_t *labels, size_t n_classes) {
    for (size_t i = 0; i < data->x.n_rows; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= n_classes) return NN_ERROR_LABEL;
    int32_t *copy = nn__allocate(data->x.n_rows, sizeof *copy);
    if (copy == NULL) return NN_ERROR_MEMORY;
    if (data->x.n_rows > 0) memcpy(copy, labels, data->x.n_rows * sizeof *copy);
    nn__release(data->labels);
    data->labels = copy;
    data->n_classes = n_classes;
    return NN_OK;
}

/* *place = a copy of values (n,); what it held is freed. */
static nn_status replace(nn_real **place, const nn_real *values, size_t n) {
    nn_real *copy = nn__allocate(n, sizeof *copy);
    if (copy == NULL) return NN_ERROR_MEMORY;
    if (n > 0) memcpy(copy, values, n * sizeof *copy); /* with no rows it may be NULL */
    nn__release(*place);
    *place = copy;
    return NN_OK;
}

nn_status nn_data_set_targets(nn_data *data, const nn_real *targets, size_t n_outputs) {
    size_t count;
    if (n_outputs == 0 || !nn__multiply(data->x.n_rows, n_outputs, &count)) return NN_ERROR_SIZE;
    NN_TRY(replace(&data->targets, targets, count));
    data->n_outputs = n_outputs;
    return NN_OK;
}

nn_status nn_data_set_weights(nn_data *data, const nn_real *weights) {
    return replace(&data->weights, weights, data->x.n_rows);
}

/* The data has no x but its sparse form. */
static bool is_sparse_alone(const nn_data *data) {
    return data->sparse != NULL && data->x.values == NULL;
}

nn_status nn_data_set_sparse(nn_data *data, const nn_sparse *sparse) {
    if (is_sparse_alone(data)) return NN_ERROR_ARGUMENT;
    if (sparse != NULL &&
        (sparse->n_rows != data->x.n_rows || sparse->n_columns != data->x.n_columns))
        return NN_ERROR_SHAPE;
    data->sparse = sparse;
    return NN_OK;
}

void nn_data_write_out(nn_data *data) {
    data->written_out = true;
}

void nn_data_guard(nn_data *data, double most) {
    data->guarded = true;
    data->most = most;
}

size_t nn_data_n_rows(const nn_data *data) {
    return data->x.n_rows;
}

size_t nn_data_n_columns(const nn_data *data) {
    return data->x.n_columns;
}

nn_status nn_data_scan(const nn_data *data, bool with_checksum, nn_poll *poll, void *poll_context,
                       nn_scan *scan) {
    enum { BLOCK = 1024 };
    if (is_sparse_alone(data)) {
        *scan = (nn_scan){
            .finite = true, .largest = data->sparse->largest, .n_nonzero = data->sparse->n_nonzero};
        return NN_OK;
    }
    (void)nn_start(); /* for the kernels of this CPU; where that fails the portable ones serve */
    nn__rows_scan found = nn__rows_scan_begin(with_checksum);
    nn_progress progress = {.total = data->x.n_rows};
    for (size_t first = 0; first < data->x.n_rows && found.finite; first += BLOCK) {
        progress.done = first;
        if (poll != NULL && poll(poll_context, &progress) != 0) return NN_STOPPED;
        size_t n = data->x.n_rows - first < BLOCK ? data->x.n_rows - first : BLOCK;
        nn__rows_scan_block(&found, &data->x, first, n);
    }
    *scan = (nn_scan){.finite = found.finite,
                      .row = found.row,
                      .column = found.column,
                      .largest = found.tally.largest,
                      .n_nonzero = found.tally.n_nonzero,
                      .checksum = with_checksum ? nn__rows_scan_checksum(&found, &data->x) : 0};
    return NN_OK;
}

/* ---- the sparse form ------------------------------------------------------------------------ */

nn_status nn_sparse_create(nn_sparse **sparse, const nn_data *data, size_t n_nonzero, nn_poll *poll,
                           void *poll_context) {
    *sparse = NULL;
    if (is_sparse_alone(data)) return NN_ERROR_ARGUMENT;
    (void)nn_start();
    return nn__sparse_create(sparse, &data->x, n_nonzero, poll, poll_context);
}

nn_status nn_sparse_create_csr(nn_sparse **sparse, const nn_csr *csr, size_t *row, size_t *column,
                               nn_poll *poll, void *poll_context) {
    (void)nn_start();
    return nn__sparse_create_csr(sparse, csr, row, column, poll, poll_context);
}

void nn_sparse_free(nn_sparse *sparse) {
    nn__sparse_free(sparse);
}

size_t nn_sparse_n_rows(const nn_sparse *sparse) {
    return sparse->n_rows;
}

size_t nn_sparse_n_columns(const nn_sparse *sparse) {
    return sparse->n_columns;
}

size_t nn_sparse_n_nonzero(const nn_sparse *sparse) {
    return sparse->n_nonzero;
}

size_t nn_sparse_bytes(const nn_sparse *sparse) {
    return (sparse->n_rows + 1) * sizeof *sparse->start +
           sparse->n_nonzero * ((sparse->wide ? 4u : 2u) + size_of(sparse->dtype));
}

/* ---- for this level ------------------------------------------------------------------------- */

nn_status nn__data_check(const nn_data *data, const nn__plan *plan, const nn__loss *loss) {
    if (data->x.n_columns != plan->n_inputs) return NN_ERROR_SHAPE;
    if (loss == NULL) return NN_OK;
    if (data->x.n_rows == 0) return NN_ERROR_SIZE;
    if (data->targets != NULL) {
        if (loss->labels_only) return NN_ERROR_TARGETS;
        return data->n_outputs == plan->n_outputs ? NN_OK : NN_ERROR_SHAPE;
    }
    if (data->labels == NULL) return NN_ERROR_TARGETS;
    return data->n_classes == nn__loss_n_classes(plan->n_outputs) ? NN_OK : NN_ERROR_LABEL;
}

/* targets (n, n_outputs) of the rows, given as targets or made from labels. */
static void gather_targets(const nn_data *data, const nn__plan *plan, const uint32_t *order,
                           size_t first, size_t n, nn__workspace *workspace) {
    const size_t width = plan->n_outputs, stride = nn__padded(width);
    for (size_t r = 0; r < n; r++) {
        const size_t row = order != NULL ? order[r] : first + r;
        if (data->targets == NULL) workspace->labels[r] = data->labels[row];
        workspace->weights[r] = data->weights != NULL ? data->weights[row] : 1;
    }
    for (size_t r = 0; data->targets != NULL && r < n; r++) {
        const size_t row = order != NULL ? order[r] : first + r;
        const nn_real *from = data->targets + row * width;
        nn_real *to = workspace->targets + r * stride;
        for (size_t j = 0; j < width; j++) to[j] = from[j]; /* few: a call of memcpy takes longer */
    }
    if (data->targets == NULL)
        nn__loss_targets(workspace->targets, stride, workspace->labels, n, width,
                         plan->loss->output);
}

size_t nn__data_capacity(const nn_data *data, const nn__plan *plan, size_t rows) {
    if (data->sparse == NULL || data->written_out || rows == 0 || !nn__plan_takes_sparse(plan))
        return 0;
    const size_t longest = nn__sparse_longest(data->sparse) + 1; /* 0 would mean dense */
    return longest <= UINT32_MAX / rows ? longest * rows : 0;
}

double nn__data_density(const nn_data *data) {
    return (double)data->sparse->n_nonzero / ((double)data->x.n_rows * (double)data->x.n_columns);
}

enum { REAL_DTYPE = sizeof(nn_real) == sizeof(float) ? NN_DTYPE_FLOAT32 : NN_DTYPE_FLOAT64 };

/* NN_ERROR_NUMBER unless n numbers are finite and none is above data->most. */
static nn_status look_at(const nn_data *data, const nn_real *numbers, size_t n) {
    nn__tally found = {.largest = -HUGE_VAL};
    if (n > 0 && !nn__rows_tally(&found, REAL_DTYPE, numbers, n)) return NN_ERROR_NUMBER;
    return found.largest <= data->most ? NN_OK : NN_ERROR_NUMBER;
}

/* The same of rows of x as they are. */
static nn_status look_at_rows(const nn_data *data, const uint32_t *order, size_t first, size_t n) {
    nn__rows_scan scan = nn__rows_scan_begin(false);
    if (order == NULL) nn__rows_scan_block(&scan, &data->x, first, n);
    for (size_t r = 0; order != NULL && r < n && scan.finite; r++)
        nn__rows_scan_block(&scan, &data->x, order[r], 1);
    return scan.finite && scan.tally.largest <= data->most ? NN_OK : NN_ERROR_NUMBER;
}

/* Rows first .. first + n - 1 of x where they lie, if they lie as a workspace's and go into our own
 * loops, which unlike BLIS read nothing beyond them; else NULL. */
static const nn_real *in_place(const nn_data *data, const nn__plan *plan, size_t first, size_t n) {
    const nn__node *node = &plan->nodes[0];
    const size_t stride = nn__padded(plan->n_inputs) * sizeof(nn_real);
    if (data->x.dtype != REAL_DTYPE || data->x.row_stride != (ptrdiff_t)stride) return NULL;
    if (node->kind != &nn__dense_kind) return NULL;
    const bool ours = nn__dense_path(node, n, false, false).loops != NN_LOOPS_BLIS;
    return ours ? nn__rows_row(&data->x, first) : NULL;
}

/* n rows of x into the workspace, or, where it can read them in place, none. */
static void gather_rows(const nn_data *data, const nn__plan *plan, const uint32_t *order,
                        size_t first, size_t n, nn__workspace *workspace) {
    const nn_real *rows = order == NULL ? in_place(data, plan, first, n) : NULL;
    workspace->inputs = rows != NULL ? rows : workspace->x;
    if (rows == NULL)
        nn__rows_gather(workspace->x, nn__padded(plan->n_inputs), &data->x, order, first, n);
}

/* Sparse rows order[0 .. n-1], shared among threads. */
typedef struct gathering {
    nn__entries *entries;
    const nn__sparse *sparse;
    const uint32_t *order;
    size_t first;
} gathering;

enum { SHARD_ROWS = 16 };

static void gather_shard(void *context, size_t shard) {
    const gathering *g = context;
    const size_t first = shard * SHARD_ROWS, left = g->entries->rows - first;
    const size_t end = first + (left < SHARD_ROWS ? left : SHARD_ROWS);
    nn__sparse_gather_rows(g->entries, g->sparse, g->order, g->first, first, end);
}

static void gather_sparse(nn__entries *entries, const nn__sparse *sparse, const uint32_t *order,
                          size_t first, size_t n, size_t n_threads) {
    gathering g = {entries, sparse, order, first};
    nn__sparse_gather_start(entries, sparse, order, first, n);
    nn__pool_run(n_threads, (n + SHARD_ROWS - 1) / SHARD_ROWS, gather_shard, &g);
}

nn_status nn__data_gather(const nn_data *data, const nn__plan *plan, const uint32_t *order,
                          size_t first, size_t n, bool targets, size_t n_threads,
                          nn__workspace *workspace) {
    nn__entries *entries = &workspace->sparse.rows;
    workspace->is_sparse = workspace->capacity > 0;
    entries->rows = n;
    workspace->sparse.sorted = false;
    if (workspace->is_sparse && data->sparse != NULL) {
        gather_sparse(entries, data->sparse, order, first, n, n_threads);
    } else if (workspace->is_sparse) {
        const size_t found = nn__rows_compress(entries, &data->x, order, first, n);
        if (data->guarded) NN_TRY(look_at(data, entries->value, found)); /* NaN is no zero */
    } else if (is_sparse_alone(data)) {
        workspace->inputs = workspace->x;
        nn__sparse_scatter(workspace->x, nn__padded(plan->n_inputs), data->sparse, order, first, n);
    } else {
        if (data->guarded) NN_TRY(look_at_rows(data, order, first, n));
        gather_rows(data, plan, order, first, n, workspace);
    }
    if (targets) gather_targets(data, plan, order, first, n, workspace);
    return NN_OK;
}

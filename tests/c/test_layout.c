/* Level layers: packed parameters and sparse batches by columns, as they are made, and the zeros
 * between their rows, which no step changes. */
#include "base/threads.h"
#include "guarded.h"
#include "helpers.h"
#include "layers/sparse_dense.h"
#include "public/objects.h"

/* ---- packing -------------------------------------------------------------------------------- */

/* A network of these widths, the first of them its inputs. */
static nn_network *network_of(const size_t *widths, size_t n) {
    nn_layer layers[8];
    for (size_t i = 1; i < n; i++) layers[i - 1] = nn_dense(widths[i], NN_ACTIVATION_SIGMOID);
    return make(widths[0], layers, n - 1, NN_COST_CROSS_ENTROPY);
}

/* Tensors that a place holds row by row, tile by tile, and zeros for the rest. */
static void check_packed(const nn__layout *layout, const nn__plan *plan, const nn_real *packed,
                         const nn_real *compact) {
    size_t n_wrong = 0;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__place *place = &layout->places[i];
        const nn_real *values = packed + place->offset, *plain = compact + plan->tensors[i].offset;
        for (size_t at = 0; at < place->count; at++) {
            const size_t tile = at / (place->rows * place->stride);
            const size_t row = at / place->stride % place->rows;
            const size_t column = tile * place->stride + at % place->stride;
            const bool inside = column < place->columns;
            n_wrong += values[at] != (inside ? plain[row * place->columns + column] : 0);
        }
        CHECK(place->offset % NN_LANES == 0 && place->stride % NN_LANES == 0);
        CHECK(place->count == place->n_tiles * place->rows * place->stride);
        CHECK(place->n_tiles * place->stride >= place->columns);
        CHECK((place->n_tiles - 1) * place->stride < place->columns);
    }
    CHECK(n_wrong == 0);
}

static void check_packing(const size_t *widths, size_t n, size_t tile) {
    nn_network *network = network_of(widths, n);
    const nn__plan *plan = &network->plan;
    const size_t extent = nn_network_extent(network);
    nn_real *compact = network->parameters.values;
    nn_real *back = nn__allocate(extent, sizeof *back);
    nn__layout layout;
    CHECK_STATUS(nn__layout_make(&layout, plan, tile), NN_OK);
    nn__arena packed = layout.arena;
    CHECK_STATUS(nn__arena_open(&packed), NN_OK);
    nn__layout_pack(&layout, plan, packed.values, compact);
    check_packed(&layout, plan, packed.values, compact);
    const size_t padded = nn__padded(widths[1]), stride = layout.places[0].stride;
    CHECK(stride == (tile != 0 && tile < padded ? tile : padded));
    for (size_t i = 1; i < plan->n_tensors; i++) CHECK(layout.places[i].n_tiles == 1);
    nn__layout_unpack(&layout, plan, back, packed.values);
    CHECK(memcmp(back, compact, extent * sizeof *back) == 0);
    nn__arena_close(&packed);
    nn__layout_free(&layout);
    nn__release(back);
    nn_network_free(network);
}

static void parameters_are_packed_and_come_back(void) {
    static const size_t columns[] = {1, 7, 15, 16, 17, 64, 79, 80, 81, 100, 130, 160, 161, 800};
    for (size_t i = 0; i < COUNT(columns); i++)
        for (size_t tile = 0; tile <= 160; tile += 16) {
            const size_t widths[] = {1 + i, columns[i], 10, 3};
            check_packing(widths, i % 2 == 0 ? 4 : 2, tile);
        }
}

/* ---- columns -------------------------------------------------------------------------------- */

/* Every entry once, in its column, rows ascending. `step`: every step-th number is one. */
static void check_columns(size_t rows, size_t n_in, size_t step) {
    const size_t n = step == 0 ? 0 : (rows * n_in - 1) / step + 1, index = sizeof(uint32_t);
    nn__entries x = {rows, guarded(rows + 1, index), guarded(n, index),
                     guarded(n, sizeof(nn_real))};
    nn__columns made = {guarded(n_in + 2, index), guarded(n, index), guarded(n, sizeof(nn_real))};
    uint32_t at = 0;
    for (size_t r = 0; r < rows; r++) {
        x.start[r] = at;
        for (size_t k = 0; step > 0 && k < n_in; k++) {
            if ((r * n_in + k) % step != 0) continue;
            x.column[at] = (uint32_t)k;
            x.value[at++] = (nn_real)(r * n_in + k + 1);
        }
    }
    x.start[rows] = at;
    CHECK(at == n);
    nn__columns_make(&made, &x, n_in);
    at = 0;
    for (size_t k = 0; k < n_in; k++) {
        CHECK(made.start[k] == at);
        for (size_t r = 0; step > 0 && r < rows; r++) {
            if ((r * n_in + k) % step != 0) continue;
            CHECK(made.row[at] == r && made.value[at] == (nn_real)(r * n_in + k + 1));
            at++;
        }
    }
    CHECK(made.start[n_in] == n);
    unguard(x.start, rows + 1, index);
    unguard(x.column, n, index);
    unguard(x.value, n, sizeof(nn_real));
    unguard(made.start, n_in + 2, index);
    unguard(made.row, n, index);
    unguard(made.value, n, sizeof(nn_real));
}

static void columns_hold_each_entry_once_in_order(void) {
    static const size_t rows[] = {1, 2, 7, 33, 257}, widths[] = {1, 2, 9, 65, 130};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(widths); k++)
            for (size_t step = 0; step <= 9; step++) check_columns(rows[i], widths[k], step);
}

/* ---- zeros between the rows ----------------------------------------------------------------- */

enum { MANY = 40 }; /* rows: more than both thresholds between the loops */

/* Numbers of packed arrays that are not 0 outside their tensors. */
static size_t count_outside(const nn__layout *layout, const nn__plan *plan, const nn_real *packed) {
    size_t count = 0;
    for (size_t i = 0; i < plan->n_tensors; i++) {
        const nn__place *place = &layout->places[i];
        for (size_t at = 0; at < place->count; at++) {
            const size_t tile = at / (place->rows * place->stride);
            const bool inside = tile * place->stride + at % place->stride < place->columns;
            count += !inside && !(packed[place->offset + at] == 0);
        }
    }
    return count;
}

/* What steps on packed arrays need. */
typedef struct desk {
    nn_network *network;
    nn_real *x;
    uint32_t order[MANY];
    nn_data *data;
    nn_sparse *form;
    nn__layout layout;
    nn__workspace workspace;
    nn__arena parameters, gradient, velocity;
} desk;

/* Data of MANY rows, a third of its numbers not 0, with a sparse form or without. */
static void make_data(desk *d, size_t n_in, size_t n_out, bool sparse) {
    int32_t labels[MANY];
    nn_scan scan;
    d->x = nn__allocate(MANY * n_in, sizeof *d->x);
    for (size_t i = 0; i < MANY * n_in; i++) d->x[i] = (nn_real)(i % 3 == 0 ? i % 11 : 0) / 11;
    for (size_t i = 0; i < MANY; i++) labels[i] = (int32_t)(i % n_out);
    for (size_t i = 0; i < MANY; i++) d->order[i] = (uint32_t)(MANY - 1 - i);
    d->data = wrap(d->x, MANY, n_in);
    CHECK_STATUS(nn_data_set_labels(d->data, labels, n_out), NN_OK);
    CHECK_STATUS(nn_data_scan(d->data, true, NULL, NULL, &scan), NN_OK);
    CHECK_STATUS(nn_sparse_create(&d->form, d->data, scan.n_nonzero, NULL, NULL), NN_OK);
    if (sparse) CHECK_STATUS(nn_data_set_sparse(d->data, d->form), NN_OK);
}

static desk make_desk(const size_t *widths, size_t n, size_t rows, bool sparse) {
    desk d = {.network = network_of(widths, n)};
    const nn__plan *plan = &d.network->plan;
    make_data(&d, widths[0], widths[n - 1], sparse);
    const size_t capacity = nn__data_capacity(d.data, plan, rows);
    const size_t tile = sparse ? nn__sparse_dense_tile(widths[1], rows) : 0;
    CHECK((capacity > 0) == sparse);
    CHECK_STATUS(nn__layout_make(&d.layout, plan, tile), NN_OK);
    CHECK_STATUS(nn__workspace_make(&d.workspace, plan, rows, capacity), NN_OK);
    d.parameters = d.gradient = d.velocity = d.layout.arena;
    CHECK_STATUS(nn__arena_open(&d.parameters), NN_OK);
    CHECK_STATUS(nn__arena_open(&d.gradient), NN_OK);
    CHECK_STATUS(nn__arena_open(&d.velocity), NN_OK);
    nn__layout_pack(&d.layout, plan, d.parameters.values, d.network->parameters.values);
    return d;
}

static void free_desk(desk *d) {
    nn__arena_close(&d->parameters);
    nn__arena_close(&d->gradient);
    nn__arena_close(&d->velocity);
    nn__workspace_free(&d->workspace);
    nn__layout_free(&d->layout);
    nn_data_free(d->data);
    nn_sparse_free(d->form);
    nn__release(d->x);
    nn_network_free(d->network);
}

/* Three steps on batches of up to `rows` rows, and the gradient of all. */
static void check_steps(desk *d, size_t rows, double momentum, double l1) {
    const nn__plan *plan = &d->network->plan;
    const nn_optimizer sgd = {
        .kind = NN_OPTIMIZER_SGD, .learning_rate = 0.5, .momentum = momentum, .nesterov = l1 > 0};
    const nn_penalty penalty = {.l1 = l1, .l2 = 0.5, .n = MANY, .biases = true};
    nn__update update = {.plan = plan,
                         .optimizer = &sgd,
                         .penalty = &penalty,
                         .layout = &d->layout,
                         .vector = d->network->vector,
                         .parameters = d->parameters.values,
                         .gradient = d->gradient.values,
                         .slots = {momentum > 0 ? d->velocity.values : NULL},
                         .scale = 1};
    nn__pass pass = {.training = true,
                     .n_threads = 1,
                     .scale = 1,
                     .layout = &d->layout,
                     .vector = d->network->vector};
    nn__sums sums = {0};
    for (size_t step = 0; step < 3; step++) {
        const nn__batch batch = {.data = d->data, .order = d->order + step, .n = rows - step % 2};
        CHECK_STATUS(nn__batch_step(&pass, &batch, &d->workspace, &update, &sums), NN_OK);
        CHECK(count_outside(&d->layout, plan, d->parameters.values) == 0);
        CHECK(count_outside(&d->layout, plan, d->velocity.values) == 0);
    }
    const nn__batch all = {.data = d->data, .order = d->order, .n = MANY};
    pass.scale = update.scale;
    CHECK_STATUS(nn__batch_gradient(plan, &pass, &all, d->parameters.values, &d->workspace,
                                    d->gradient.values, &sums),
                 NN_OK);
    CHECK(count_outside(&d->layout, plan, d->gradient.values) == 0);
}

/* Wide layers after narrow ones and the reverse, so that scratch is used again in another width. */
static void zeros_between_rows_stay_zeros(void) {
    static const size_t nets[][5] = {
        {20, 100, 30, 9, 3}, {9, 7, 65, 30, 10}, {33, 130, 81, 17, 2}, {70, 161, 5, 161, 3}};
    static const size_t batches[] = {2, 7, 32, 33};
    for (size_t i = 0; i < COUNT(nets); i++)
        for (size_t b = 0; b < COUNT(batches); b++)
            for (int way = 0; way < 8; way++) {
                desk d = make_desk(nets[i], 5, batches[b], way & 1);
                check_steps(&d, batches[b], way & 2 ? 0.5 : 0, way & 4 ? 0.01 : 0);
                free_desk(&d);
            }
}

int main(void) {
    static const check_case cases[] = {
        CASE(parameters_are_packed_and_come_back),
        CASE(columns_hold_each_entry_once_in_order),
        CASE(zeros_between_rows_stay_zeros),
    };
    return check_run(cases, COUNT(cases));
}

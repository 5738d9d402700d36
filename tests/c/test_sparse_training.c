/* Training on sparse rows: stopped within an epoch, diverged, and without memory. */
#include <string.h>

#include "helpers.h"

#define RATE 0.125

enum { N_ROWS = 256, N_IN = 70, N_OUT = 3, BATCH = 4 };

/* A network, its data with a sparse form, and a trainer. */
typedef struct rig {
    nn_network *network;
    nn_data *data;
    nn_sparse *form;
    nn_trainer *trainer;
    nn_epoch settings; /* not shuffled */
} rig;

static nn_real x[N_ROWS][N_IN];
static int32_t labels[N_ROWS];

static void draw_data(void) {
    fill_normal(x[0], N_ROWS * N_IN, 1);
    for (size_t i = 0; i < N_ROWS * N_IN; i++)
        if (i * 2654435761u % 7 > 1) x[i / N_IN][i % N_IN] = 0;
    for (size_t i = 0; i < N_ROWS; i++) labels[i] = (int32_t)(i % N_OUT);
}

/* All but the binding, over the first rows of x. */
static rig make_rig(size_t hidden, size_t n_rows, double momentum, double l2) {
    const nn_layer layers[] = {nn_dense(hidden, NN_ACTIVATION_TANH), nn_dropout(0.25),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    nn_scan scan;
    rig r = {.settings = nn_epoch_defaults()};
    r.settings.optimizer.learning_rate = RATE;
    r.settings.optimizer.momentum = momentum;
    r.settings.l2 = l2;
    r.settings.shuffle = false;
    r.network = make(N_IN, layers, COUNT(layers), NN_COST_CROSS_ENTROPY);
    r.data = wrap(x[0], n_rows, N_IN);
    CHECK_STATUS(nn_data_set_labels(r.data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_scan(r.data, true, NULL, NULL, &scan), NN_OK);
    CHECK_STATUS(nn_sparse_create(&r.form, r.data, scan.n_nonzero, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_set_sparse(r.data, r.form), NN_OK);
    CHECK_STATUS(nn_trainer_create(&r.trainer, r.network), NN_OK);
    return r;
}

static nn_status bind(rig *r, size_t batch_size) {
    return nn_trainer_bind(r->trainer, r->data, batch_size, &r->settings.optimizer);
}

static nn_status epoch(rig *r) {
    nn_epoch_result result;
    return nn_train_epoch(r->trainer, &r->settings, &result);
}

static void free_rig(rig *r) {
    nn_trainer_free(r->trainer);
    nn_data_free(r->data);
    nn_sparse_free(r->form);
    nn_network_free(r->network);
}

static bool same_parameters(const rig *a, const rig *b) {
    return memcmp(nn_network_parameter(a->network, 0).values,
                  nn_network_parameter(b->network, 0).values,
                  nn_network_extent(a->network) * sizeof(nn_real)) == 0;
}

/* Parameters, and velocity where there is one. */
static bool same(const rig *a, const rig *b) {
    const size_t bytes = nn_network_extent(a->network) * sizeof(nn_real);
    const nn_real *u = nn_trainer_slot(a->trainer, 0), *v = nn_trainer_slot(b->trainer, 0);
    return same_parameters(a, b) && (u == NULL) == (v == NULL) &&
           (u == NULL || memcmp(u, v, bytes) == 0);
}

/* The largest difference of two velocities, 0 where there are none. */
static double velocities_apart(const rig *a, const rig *b) {
    const nn_real *u = nn_trainer_slot(a->trainer, 0), *v = nn_trainer_slot(b->trainer, 0);
    double largest = 0;
    for (size_t i = 0; u != NULL && v != NULL && i < nn_network_extent(a->network); i++)
        largest = fmax(largest, fabs((double)u[i] - (double)v[i]));
    return largest;
}

/* Columns: one vector, the most that go row by row, several groups, tiles. */
static const size_t widths[] = {5, 64, 100, 161};
static const size_t batches[] = {BATCH, 32};

/* ---- stopped -------------------------------------------------------------------------------- */

/* A poll function that stops before step number *context. */
static int stop_at(void *context, const nn_progress *progress) {
    return progress->done == *(const size_t *)context;
}

/* The largest difference of two networks' parameters. */
static double distance(const rig *a, const rig *b) {
    double largest = 0;
    for (size_t i = 0; i < nn_network_n_tensors(a->network); i++) {
        const nn_parameter p = nn_network_parameter(a->network, i);
        const nn_parameter q = nn_network_parameter(b->network, i);
        for (size_t k = 0; k < p.shape[0] * (p.is_bias ? 1 : p.shape[1]); k++)
            largest = fmax(largest, fabs((double)p.values[k] - (double)q.values[k]));
    }
    return largest;
}

/* Stopped after half the rows: the weights are those of an epoch over these rows alone, with the
 * same decay; l2/n is a power of two times l2, so that it is the same to the bit, but for roundings
 * of a velocity that was a step ahead. On dense rows,
 * where no decay is lazy, they differ by some hundred roundings of numbers of about 1. */
static void check_stopped(size_t hidden, size_t batch_size, double momentum, double l2) {
    size_t steps = N_ROWS / 2 / batch_size;
    rig stopped = make_rig(hidden, N_ROWS, momentum, l2);
    rig whole = make_rig(hidden, N_ROWS / 2, momentum, l2 / 2);
    rig dense = make_rig(hidden, N_ROWS / 2, momentum, l2 / 2);
    CHECK_STATUS(nn_data_set_sparse(dense.data, NULL), NN_OK);
    stopped.settings.poll = stop_at;
    stopped.settings.poll_context = &steps;
    CHECK_STATUS(bind(&stopped, batch_size), NN_OK);
    CHECK_STATUS(bind(&whole, batch_size), NN_OK);
    CHECK_STATUS(epoch(&stopped), NN_STOPPED);
    CHECK_STATUS(epoch(&whole), NN_OK);
    CHECK_STATUS(bind(&dense, batch_size), NN_OK);
    CHECK_STATUS(epoch(&dense), NN_OK);
    CHECK(same_parameters(&stopped, &whole));
    CHECK_NEAR(velocities_apart(&stopped, &whole), 0, 8 * EPSILON); /* one step ahead, and back */
    CHECK_NEAR(distance(&stopped, &dense), 0, 2000 * EPSILON);
    CHECK(nn_network_epochs(stopped.network) == 0 && nn_network_steps(stopped.network) == 0);
    free_rig(&stopped);
    free_rig(&whole);
    free_rig(&dense);
}

static void a_stopped_epoch_leaves_the_weights_that_were_reached(void) {
    static const double decays[] = {0, 0.001, 0.4, 0.5, 0.75}; /* eta l2/n; beyond 0.5 not lazy */
    for (size_t w = 0; w < COUNT(widths); w++)
        for (size_t b = 0; b < COUNT(batches); b++)
            for (size_t d = 0; d < COUNT(decays); d++) {
                check_stopped(widths[w], batches[b], 0, decays[d] * N_ROWS / RATE);
                check_stopped(widths[w], batches[b], 0.5, decays[d] * N_ROWS / RATE);
            }
}

/* ---- diverged ------------------------------------------------------------------------------- */

/* Network and velocity are as before, and the same trainer goes on as if nothing had been. */
static void check_diverged(size_t hidden, size_t batch_size, double momentum, bool sparse) {
    rig r = make_rig(hidden, N_ROWS, momentum, 1), other = make_rig(hidden, N_ROWS, momentum, 1);
    rig *both[] = {&r, &other};
    for (size_t i = 0; i < 2; i++) {
        if (!sparse) CHECK_STATUS(nn_data_set_sparse(both[i]->data, NULL), NN_OK);
        CHECK_STATUS(bind(both[i], batch_size), NN_OK);
        CHECK_STATUS(epoch(both[i]), NN_OK);
    }
    r.settings.optimizer.learning_rate = (double)LARGEST / 1e6;
    CHECK_STATUS(epoch(&r), NN_DIVERGED);
    CHECK(!isfinite(nn_trainer_failure(r.trainer).value));
    CHECK(same(&r, &other));
    r.settings.optimizer.learning_rate = RATE;
    CHECK_STATUS(epoch(&r), NN_OK);
    CHECK_STATUS(epoch(&other), NN_OK);
    CHECK(same(&r, &other));
    free_rig(&r);
    free_rig(&other);
}

static void after_a_divergence_training_goes_on_as_before(void) {
    for (size_t w = 0; w < COUNT(widths); w++)
        for (size_t b = 0; b < COUNT(batches); b++)
            for (int way = 0; way < 4; way++)
                check_diverged(widths[w], batches[b], way & 1 ? 0.9 : 0, way & 2);
}

/* ---- without memory ------------------------------------------------------------------------- */

/* The k-th allocation of a binding fails, for every k; then it binds and trains as another does. */
static void every_failed_allocation_of_a_binding_is_told(void) {
    rig r = make_rig(100, N_ROWS, 0.5, 1), other = make_rig(100, N_ROWS, 0.5, 1);
    nn_status status = NN_ERROR_MEMORY;
    size_t k = 0;
    while (status == NN_ERROR_MEMORY && k < 100) {
        nn_allocation_fail_at(++k);
        status = bind(&r, 32);
        nn_allocation_fail_at(0);
        if (status == NN_ERROR_MEMORY) CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT); /* not bound */
    }
    CHECK_STATUS(status, NN_OK);
    CHECK(k > 12);
    CHECK_STATUS(bind(&other, 32), NN_OK);
    CHECK_STATUS(epoch(&r), NN_OK);
    CHECK_STATUS(epoch(&other), NN_OK);
    CHECK(same(&r, &other));
    free_rig(&r);
    free_rig(&other);
}

int main(void) {
    static const check_case cases[] = {
        CASE(a_stopped_epoch_leaves_the_weights_that_were_reached),
        CASE(after_a_divergence_training_goes_on_as_before),
        CASE(every_failed_allocation_of_a_binding_is_told),
    };
    draw_data();
    return check_run(cases, COUNT(cases));
}

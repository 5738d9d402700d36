/* What is inside a network, and how many rows at once: nn_inspect, blocks of rows. */
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "public/objects.h"
#include "samples.h"

/* max |a - b| / max |b| over (n,). */
static double relative_error(const nn_real *a, const nn_real *b, size_t n) {
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)b[i]));
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
    }
    return difference / largest;
}

/* ---- what is inside ------------------------------------------------------------------------- */

enum { N_HIDDEN = 5 };

/* The arrays of nn_inspect for N_IN - N_HIDDEN - N_OUT and N_SAMPLES rows. */
static nn_real z1[N_SAMPLES * N_HIDDEN], z2[N_SAMPLES * N_OUT], a0[N_SAMPLES * N_IN],
    a1[N_SAMPLES * N_HIDDEN], a2[N_SAMPLES * N_OUT], delta1[N_SAMPLES * N_HIDDEN],
    delta2[N_SAMPLES * N_OUT];
static nn_real *const z_arrays[] = {z1, z2}, *const a_arrays[] = {a0, a1, a2},
                      *const delta_arrays[] = {delta1, delta2};

/* Sums of up to five products of numbers below about 4, in this build's precision. */
static const double inside_tolerance = 64 * EPSILON;

/* z (rows, n_out) is a W + b.   a (rows, n_in) */
static void check_weighted_inputs(const nn_network *network, size_t layer, const nn_real *z,
                                  const nn_real *a, size_t n_in, size_t n_out) {
    const nn_real *W = nn_network_parameter(network, 2 * layer).values;
    const nn_real *b = nn_network_parameter(network, 2 * layer + 1).values;
    for (size_t r = 0; r < N_SAMPLES; r++)
        for (size_t j = 0; j < n_out; j++) {
            double sum = (double)b[j];
            for (size_t i = 0; i < n_in; i++)
                sum += (double)a[r * n_in + i] * (double)W[i * n_out + j];
            CHECK_NEAR((double)z[r * n_out + j], sum, inside_tolerance);
        }
}

/* delta of the outputs is a - y, of the hidden layer (delta2 W2^T) (1 - a^2). */
static void check_deltas(const nn_network *network, const int32_t *labels) {
    const nn_real *W = nn_network_parameter(network, 2).values;
    for (size_t r = 0; r < N_SAMPLES; r++) {
        for (size_t j = 0; j < N_OUT; j++)
            CHECK_NEAR((double)delta2[r * N_OUT + j],
                       (double)a2[r * N_OUT + j] - ((size_t)labels[r] == j), inside_tolerance);
        for (size_t i = 0; i < N_HIDDEN; i++) {
            double sum = 0, a = (double)a1[r * N_HIDDEN + i];
            for (size_t j = 0; j < N_OUT; j++)
                sum += (double)delta2[r * N_OUT + j] * (double)W[i * N_OUT + j];
            CHECK_NEAR((double)delta1[r * N_HIDDEN + i], sum * (1 - a * a), inside_tolerance);
        }
    }
}

static void inspect_shows_every_dense_layer(void) {
    const nn_layer layers[] = {nn_dense(N_HIDDEN, NN_ACTIVATION_TANH), nn_dropout(0.5),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    const int32_t labels[] = {0, 1, 2, 2, 0, 1};
    nn_real x[N_SAMPLES * N_IN], outputs[N_SAMPLES * N_OUT];
    fill_normal(x, COUNT(x), 13);
    nn_network *network = make(N_IN, layers, COUNT(layers), NN_COST_CROSS_ENTROPY);
    nn_data *data = make_samples(x, false); /* its weights must not show in delta */
    CHECK_STATUS(nn_inspect(network, data, z_arrays, a_arrays, delta_arrays, NULL, NULL), NN_OK);
    CHECK(memcmp(a0, x, sizeof x) == 0);
    check_weighted_inputs(network, 0, z1, a0, N_IN, N_HIDDEN);
    check_weighted_inputs(network, 1, z2, a1, N_HIDDEN, N_OUT);
    for (size_t i = 0; i < COUNT(a1); i++)
        CHECK_NEAR((double)a1[i], tanh((double)z1[i]), inside_tolerance);
    for (size_t i = 0; i < COUNT(a2); i++)
        CHECK_NEAR((double)a2[i], 1 / (1 + exp(-(double)z2[i])), inside_tolerance);
    CHECK_STATUS(nn_forward(network, data, outputs, NULL, NULL), NN_OK);
    CHECK(memcmp(a2, outputs, sizeof outputs) == 0);
    check_deltas(network, labels);
    nn_data_free(data);
    nn_network_free(network);
}

static void inspect_leaves_out_what_is_not_asked(void) {
    const nn_layer layers[] = {nn_dense(N_HIDDEN, NN_ACTIVATION_TANH),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    nn_real x[N_SAMPLES * N_IN], wanted[N_SAMPLES * N_HIDDEN];
    fill_normal(x, COUNT(x), 14);
    nn_network *network = make(N_IN, layers, COUNT(layers), NN_COST_CROSS_ENTROPY);
    nn_data *samples = make_samples(x, false), *bare = wrap(x, N_SAMPLES, N_IN);
    CHECK_STATUS(nn_inspect(network, samples, z_arrays, a_arrays, delta_arrays, NULL, NULL), NN_OK);
    memcpy(wanted, z1, sizeof z1);
    memset(z1, 0, sizeof z1);
    CHECK_STATUS(nn_inspect(network, bare, z_arrays, NULL, NULL, NULL, NULL), NN_OK);
    CHECK(memcmp(z1, wanted, sizeof z1) == 0);
    memcpy(wanted, delta1, sizeof delta1);
    memset(delta1, 0, sizeof delta1);
    CHECK_STATUS(nn_inspect(network, samples, NULL, NULL, delta_arrays, NULL, NULL), NN_OK);
    CHECK(memcmp(delta1, wanted, sizeof delta1) == 0);
    CHECK_STATUS(nn_inspect(network, bare, NULL, NULL, delta_arrays, NULL, NULL),
                 NN_ERROR_TARGETS); /* delta needs labels, the rest does not */
    nn_real *const second_only[] = {NULL, z2};
    memcpy(wanted, z2, sizeof z2);
    memset(z1, 0, sizeof z1);
    memset(z2, 0, sizeof z2);
    CHECK_STATUS(nn_inspect(network, bare, second_only, NULL, NULL, NULL, NULL), NN_OK);
    CHECK(memcmp(z2, wanted, sizeof z2) == 0 && z1[0] == 0);
    nn_data_free(samples);
    nn_data_free(bare);
    nn_network_free(network);
}

/* ---- blocks of rows ------------------------------------------------------------------------- */

enum { MANY = 2500, PART = 700 }; /* a block has at most 1024 rows */

/* Sums over MANY samples, formed in another order: of random signs, so that the errors grow with
 * the root of their number (50), and a margin. */
static const double many_tolerance = 500 * EPSILON;

/* The cost without penalties, and its gradient. */
static double cost_of(const nn_network *network, const nn_data *data, nn_real *gradient) {
    const nn_gradient_options options = nn_gradient_defaults();
    double cost = (double)NAN;
    CHECK_STATUS(nn_gradient(network, data, &options, gradient, &cost, NULL, NULL), NN_OK);
    return cost;
}

/* The gradient over many rows, and the mean of those of its parts, each by its share. */
static void gradients_of_many_rows_are_the_sum_of_their_parts(void) {
    const nn_layer layers[] = {nn_dense(N_HIDDEN, NN_ACTIVATION_TANH),
                               nn_dense(N_OUT, NN_ACTIVATION_SOFTMAX)};
    static nn_real x[MANY * N_IN];
    static int32_t labels[MANY];
    nn_real whole[512] = {0}, sum[512] = {0}, part[512] = {0};
    double sum_of_costs = 0, cost;
    fill_normal(x, COUNT(x), 15);
    for (size_t i = 0; i < MANY; i++) labels[i] = (int32_t)(i * i % N_OUT);
    nn_network *network = make(N_IN, layers, 2, NN_COST_LOG_LIKELIHOOD);
    const size_t extent = nn_network_extent(network);
    CHECK(extent <= COUNT(whole));
    for (size_t first = 0; first <= MANY; first += PART) { /* the last round is for the whole */
        bool last = first + PART > MANY;
        size_t n = last ? MANY - first : PART;
        nn_data *data = wrap(x + first * N_IN, n, N_IN);
        CHECK_STATUS(nn_data_set_labels(data, labels + first, N_OUT), NN_OK);
        double share = (double)n / MANY;
        sum_of_costs += share * cost_of(network, data, part);
        for (size_t i = 0; i < extent; i++) sum[i] += (nn_real)share * part[i];
        nn_data_free(data);
    }
    nn_data *data = wrap(x, MANY, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    cost = cost_of(network, data, whole);
    CHECK_NEAR(sum_of_costs, cost, many_tolerance * cost);
    CHECK_NEAR(relative_error(whole, sum, extent), 0, many_tolerance);
    nn_data_free(data);
    nn_network_free(network);
}

/* Rows are worked on in blocks as a workspace has room; dropout's masks go by the row of the
 * batch, so no block size changes the gradient beyond rounding. */
static void the_size_of_a_block_does_not_matter(void) {
    enum { ROWS = 40 };
    static const size_t sizes[] = {ROWS, 39, 16, 7, 1};
    const nn_layer layers[] = {nn_dense(N_HIDDEN, NN_ACTIVATION_TANH), nn_dropout(0.5),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    nn_real x[ROWS * N_IN], whole[4096], gradient[4096];
    int32_t labels[ROWS];
    double loss = 0;
    fill_normal(x, COUNT(x), 16);
    for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % N_OUT);
    nn_network *network = make(N_IN, layers, COUNT(layers), NN_COST_QUADRATIC);
    nn_data *data = wrap(x, ROWS, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    nn__layout layout;
    CHECK_STATUS(nn__layout_make(&layout, &network->plan, 0), NN_OK);
    nn__arena parameters = layout.arena;
    CHECK_STATUS(nn__arena_open(&parameters), NN_OK);
    nn__layout_pack(&layout, &network->plan, parameters.values, network->parameters.values);
    CHECK(layout.arena.size <= COUNT(whole));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        nn__workspace workspace;
        nn__sums sums = {0};
        nn__pass pass = {.training = true,
                         .seed = 3,
                         .step = 8,
                         .scale = 1,
                         .layout = &layout,
                         .vector = network->vector};
        nn__batch batch = {.data = data, .n = ROWS};
        CHECK_STATUS(nn__workspace_make(&workspace, &network->plan, sizes[i], 0), NN_OK);
        memset(gradient, 0, sizeof gradient);
        CHECK_STATUS(nn__batch_gradient(&network->plan, &pass, &batch, parameters.values,
                                        &workspace, gradient, &sums),
                     NN_OK);
        nn__workspace_free(&workspace);
        if (i == 0) {
            memcpy(whole, gradient, sizeof whole);
            loss = sums.loss;
        }
        CHECK_NEAR(sums.loss, loss, inside_tolerance * loss);
        CHECK_NEAR(relative_error(gradient, whole, layout.arena.size), 0, inside_tolerance);
    }
    nn__arena_close(&parameters);
    nn__layout_free(&layout);
    nn_data_free(data);
    nn_network_free(network);
}

/* The largest `done` that a poll function has heard of, and what it was part of. */
static int note_progress(void *context, const nn_progress *progress) {
    nn_progress *most = context;
    most->total = progress->total;
    if (progress->done > most->done) most->done = progress->done;
    return 0;
}

static void progress_counts_rows(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    static nn_real x[MANY * N_IN];
    static const int32_t labels[MANY];
    const nn_gradient_options options = nn_gradient_defaults();
    nn_real gradient[256];
    nn_evaluation evaluation;
    nn_progress most[2] = {{0}};
    double cost;
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *data = wrap(x, MANY, N_IN);
    CHECK(nn_network_extent(network) <= COUNT(gradient));
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_gradient(network, data, &options, gradient, &cost, note_progress, &most[0]),
                 NN_OK);
    CHECK_STATUS(
        nn_evaluate(network, data, NN_COST_QUADRATIC, &evaluation, note_progress, &most[1]), NN_OK);
    for (size_t i = 0; i < 2; i++) CHECK(most[i].total == MANY && most[i].done > MANY / 2);
    nn_data_free(data);
    nn_network_free(network);
}

static void many_rows_are_evaluated_as_few(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    static nn_real x[MANY * N_IN], a[MANY * N_OUT];
    static int64_t classes[MANY];
    fill_normal(x, COUNT(x), 17);
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *data = wrap(x, MANY, N_IN);
    CHECK_STATUS(nn_forward(network, data, a, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_predict(network, data, classes, NULL, NULL), NN_OK);
    for (size_t r = 0; r < MANY; r += 123) {
        nn_real one[N_OUT];
        int64_t largest = 0;
        nn_data *row = wrap(x + r * N_IN, 1, N_IN);
        CHECK_STATUS(nn_forward(network, row, one, NULL, NULL), NN_OK);
        for (size_t j = 0; j < N_OUT; j++) {
            CHECK_NEAR((double)a[r * N_OUT + j], (double)one[j], inside_tolerance);
            if (a[r * N_OUT + j] > a[r * N_OUT + (size_t)largest]) largest = (int64_t)j;
        }
        CHECK(classes[r] == largest);
        nn_data_free(row);
    }
    nn_data_free(data);
    nn_network_free(network);
}

int main(void) {
    static const check_case cases[] = {
        CASE(inspect_shows_every_dense_layer),
        CASE(inspect_leaves_out_what_is_not_asked),
        CASE(gradients_of_many_rows_are_the_sum_of_their_parts),
        CASE(the_size_of_a_block_does_not_matter),
        CASE(progress_counts_rows),
        CASE(many_rows_are_evaluated_as_few),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

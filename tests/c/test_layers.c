/* Level layers, through the public calls: plans, gradients, what is inside, blocks of rows, the
 * kinds of inputs. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "public/objects.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#ifdef NN_DOUBLE
#define EPSILON DBL_EPSILON
enum { REAL_DTYPE = NN_DTYPE_FLOAT64 };
#else
#define EPSILON ((double)FLT_EPSILON)
enum { REAL_DTYPE = NN_DTYPE_FLOAT32 };
#endif

/* values (n,) = standard normal numbers. */
static void fill(nn_real *values, size_t n, uint64_t seed) {
    nn__stream stream = nn__stream_open(seed, "test");
    for (size_t i = 0; i < n; i++) {
        double value;
        nn__stream_normals(&stream, i, &value, 1);
        values[i] = (nn_real)value;
    }
}

/* Data over x (n_rows, n_columns), row-major, of this build's numbers. */
static nn_data *wrap(const nn_real *x, size_t n_rows, size_t n_columns) {
    nn_data *data = NULL;
    nn_input input = {x, REAL_DTYPE, n_rows, n_columns, (ptrdiff_t)(n_columns * sizeof *x)};
    CHECK_STATUS(nn_data_create(&data, &input), NN_OK);
    return data;
}

static nn_network *make(size_t n_inputs, const nn_layer *layers, size_t n_layers, nn_cost cost) {
    nn_network *network = NULL;
    CHECK_STATUS(nn_network_create(&network, n_inputs, layers, n_layers, cost, 5), NN_OK);
    return network;
}

/* max |a - b| / max |b| over (n,). */
static double relative_error(const nn_real *a, const nn_real *b, size_t n) {
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)b[i]));
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
    }
    return difference / largest;
}

/* ---- plans ---------------------------------------------------------------------------------- */

/* The status of making a network of these layers; the result is NULL unless that is NN_OK. */
static nn_status status_of(size_t n_inputs, const nn_layer *layers, size_t n_layers, nn_cost cost) {
    nn_network *network = (nn_network *)&network;
    nn_status status = nn_network_create(&network, n_inputs, layers, n_layers, cost, 1);
    CHECK((network != NULL) == (status == NN_OK));
    nn_network_free(network);
    return status;
}

static void lists_that_are_no_network_are_refused(void) {
    const nn_layer dense = nn_dense(3, NN_ACTIVATION_SIGMOID), drop = nn_dropout(0.5);
    const nn_layer softmax = nn_dense(3, NN_ACTIVATION_SOFTMAX);
    const nn_layer no_dense[] = {nn_activate(NN_ACTIVATION_SIGMOID)};
    const nn_layer dropout_last[] = {dense, drop};
    const nn_layer early_softmax[] = {softmax, softmax};
    const nn_layer softmax_twice[] = {softmax, nn_activate(NN_ACTIVATION_SOFTMAX)};
    const nn_cost cost = NN_COST_QUADRATIC;
    CHECK_STATUS(status_of(2, NULL, 0, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, no_dense, 1, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, &drop, 1, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, dropout_last, 2, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, early_softmax, 2, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, softmax_twice, 2, cost), NN_ERROR_LAYERS);
    CHECK_STATUS(status_of(2, &dense, 1, cost), NN_OK);
}

/* Every cost with every output: allowed from nn_cost_pair's number of units on. */
static void costs_go_with_the_outputs_of_the_table(void) {
    size_t n_allowed = 0;
    for (int cost = 0; cost <= NN_COST_HINGE; cost++)
        for (int output = 0; output <= NN_ACTIVATION_SOFTMAX; output++) {
            size_t fewest = nn_cost_pair((nn_cost)cost, (nn_activation)output);
            n_allowed += fewest > 0;
            for (size_t units = 1; units <= 3; units++) {
                nn_layer layer = nn_dense(units, (nn_activation)output);
                bool allowed = fewest > 0 && units >= fewest;
                CHECK_STATUS(status_of(2, &layer, 1, (nn_cost)cost),
                             allowed ? NN_OK : NN_ERROR_PAIR);
            }
        }
    CHECK(n_allowed == 8);
    CHECK(nn_cost_pair(NN_COST_CROSS_ENTROPY, NN_ACTIVATION_SOFTMAX) == 0);
    CHECK(nn_cost_pair(NN_COST_QUADRATIC, NN_ACTIVATION_SOFTMAX) == 1);
    CHECK(nn_cost_pair(NN_COST_LOG_LIKELIHOOD, NN_ACTIVATION_SOFTMAX) == 2);
    CHECK(nn_cost_pair(NN_COST_HINGE, NN_ACTIVATION_LINEAR) == 2);
}

static void arguments_outside_their_range_are_refused(void) {
    const double bad_p[] = {-0.1, 1, 1.5, (double)NAN};
    const double bad_sd[] = {-1, (double)INFINITY, (double)NAN};
    const nn_cost cost = NN_COST_QUADRATIC;
    nn_layer layers[] = {nn_dropout(0.5), nn_dense(3, NN_ACTIVATION_SIGMOID)};
    for (size_t i = 0; i < COUNT(bad_p); i++) {
        layers[0].p = bad_p[i];
        CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
    }
    layers[0].p = 0;
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_OK);
    layers[1].init = NN_INIT_NORMAL;
    for (size_t i = 0; i < COUNT(bad_sd); i++) {
        layers[1].init_sd = bad_sd[i];
        CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
    }
    layers[1].init_sd = 0;
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_OK);
    layers[1].init = (nn_init)99;
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
    layers[1].init = NN_INIT_ZEROS;
    layers[1].activation = (nn_activation)99;
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
    layers[1] = nn_dense(3, NN_ACTIVATION_SIGMOID);
    layers[0] = nn_activate((nn_activation)99);
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
}

static void sizes_of_zero_and_overflowing_ones_are_refused(void) {
    const nn_layer none = nn_dense(0, NN_ACTIVATION_SIGMOID);
    const nn_layer some = nn_dense(3, NN_ACTIVATION_SIGMOID);
    const nn_layer vast = nn_dense(SIZE_MAX / 2, NN_ACTIVATION_SIGMOID);
    const nn_layer two[] = {nn_dense(SIZE_MAX / 16, NN_ACTIVATION_SIGMOID), some};
    const nn_cost cost = NN_COST_QUADRATIC;
    CHECK_STATUS(status_of(2, &none, 1, cost), NN_ERROR_SIZE);
    CHECK_STATUS(status_of(0, &some, 1, cost), NN_ERROR_SIZE);
    CHECK_STATUS(status_of(2, &some, SIZE_MAX, cost), NN_ERROR_SIZE);
    CHECK_STATUS(status_of(3, &vast, 1, cost), NN_ERROR_SIZE); /* the product overflows */
    CHECK_STATUS(status_of(1, &vast, 1, cost), NN_ERROR_SIZE); /* the bytes do */
    CHECK_STATUS(status_of(1, two, 2, cost), NN_ERROR_SIZE);   /* the sum of tensors does */
}

static void parameters_are_named_and_lie_in_order(void) {
    const nn_layer layers[] = {nn_dense(30, NN_ACTIVATION_SIGMOID), nn_dropout(0.5),
                               nn_dense(7, NN_ACTIVATION_LINEAR), nn_activate(NN_ACTIVATION_RELU),
                               nn_dense(10, NN_ACTIVATION_SOFTMAX)};
    static const struct {
        const char *name;
        size_t ndim, shape[2];
    } wanted[] = {
        {"dense1.weight", 2, {784, 30}}, {"dense1.bias", 1, {30}}, {"dense2.weight", 2, {30, 7}},
        {"dense2.bias", 1, {7}},         {"dense3.weight", 2, {7, 10}}, {"dense3.bias", 1, {10}},
    };
    nn_network *network = make(784, layers, COUNT(layers), NN_COST_LOG_LIKELIHOOD);
    CHECK(nn_network_n_tensors(network) == COUNT(wanted));
    const nn_real *first = nn_network_parameter(network, 0).values;
    size_t end = 0;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        nn_parameter p = nn_network_parameter(network, i);
        CHECK(strcmp(p.name, wanted[i].name) == 0);
        CHECK(p.ndim == wanted[i].ndim && p.is_bias == (p.ndim == 1));
        CHECK(p.shape[0] == wanted[i].shape[0] && p.shape[1] == wanted[i].shape[1]);
        CHECK(p.values == first + p.offset && (uintptr_t)p.values % 64 == 0);
        CHECK(p.offset >= end);
        end = p.offset + p.shape[0] * (p.is_bias ? 1 : p.shape[1]);
    }
    CHECK(end <= nn_network_extent(network));
    CHECK(nn_network_n_inputs(network) == 784 && nn_network_n_outputs(network) == 10);
    CHECK(nn_network_n_classes(network) == 10);
    CHECK(nn_network_output(network) == NN_ACTIVATION_SOFTMAX);
    CHECK(!nn_network_is_regression(network));
    nn_network_free(network);
    nn_network_free(NULL);
}

static void one_output_has_two_classes_or_is_regression(void) {
    const nn_layer sigmoid = nn_dense(1, NN_ACTIVATION_SIGMOID), relu = nn_dense(1, NN_ACTIVATION_RELU);
    const nn_layer linear = nn_dense(3, NN_ACTIVATION_LINEAR), relus = nn_dense(3, NN_ACTIVATION_RELU);
    nn_network *classes = make(2, &sigmoid, 1, NN_COST_QUADRATIC);
    nn_network *relu_net = make(2, &relu, 1, NN_COST_QUADRATIC);
    nn_network *linear_net = make(2, &linear, 1, NN_COST_QUADRATIC);
    nn_network *relus_net = make(2, &relus, 1, NN_COST_QUADRATIC);
    nn_network *hinge_net = make(2, &linear, 1, NN_COST_HINGE);
    CHECK(nn_network_n_classes(classes) == 2 && !nn_network_is_regression(classes));
    CHECK(nn_network_is_regression(relu_net) && nn_network_is_regression(linear_net));
    CHECK(!nn_network_is_regression(relus_net) && !nn_network_is_regression(hinge_net));
    nn_network_free(classes);
    nn_network_free(relu_net);
    nn_network_free(linear_net);
    nn_network_free(relus_net);
    nn_network_free(hinge_net);
}

static void start_weights_depend_on_seed_and_names_alone(void) {
    const nn_layer plain[] = {nn_dense(5, NN_ACTIVATION_TANH), nn_dense(3, NN_ACTIVATION_SIGMOID)};
    const nn_layer with_dropout[] = {plain[0], nn_dropout(0.5), plain[1]};
    nn_network *a = make(4, plain, 2, NN_COST_QUADRATIC);
    nn_network *b = make(4, with_dropout, 3, NN_COST_QUADRATIC);
    const size_t bytes = nn_network_extent(a) * sizeof(nn_real);
    nn_real *values = nn_network_parameter(a, 0).values;
    const nn_real *others = nn_network_parameter(b, 0).values;
    CHECK(nn_network_extent(a) == nn_network_extent(b));
    CHECK(memcmp(values, others, bytes) == 0);
    nn_network_set_counters(a, 3, 30);
    CHECK(nn_network_epochs(a) == 3 && nn_network_steps(a) == 30);
    nn_network_initialize(a, 6);
    CHECK(memcmp(values, others, bytes) != 0);
    CHECK(nn_network_epochs(a) == 0 && nn_network_steps(a) == 0);
    nn_network_initialize(a, 5);
    CHECK(memcmp(values, others, bytes) == 0);
    nn_network_free(a);
    nn_network_free(b);
}

/* ---- gradients ------------------------------------------------------------------------------
 *
 * nn_gradient beside central differences of its own cost. Their error is about h^2 (what Taylor's
 * series leaves) plus EPSILON / h (what rounding does to the cost): h balances the two, and the
 * tolerance, relative to the largest number of the gradient, has a margin of ten and more. */

enum { N_SAMPLES = 6, N_IN = 4, N_OUT = 3 };

#ifdef NN_DOUBLE
static const double h = 1e-5, difference_tolerance = 1e-8;
#else
static const double h = 4e-3, difference_tolerance = 2e-3;
#endif

/* Six samples with weights; labels or, for one output, targets of its kind. */
static nn_data *make_samples(const nn_real *x, bool one_output) {
    const int32_t labels[] = {0, 1, 2, 2, 0, 1}, bits[] = {0, 1, 1, 0, 0, 1};
    const nn_real weights[] = {1, 2, (nn_real)0.5, 1, 0, 3};
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    if (one_output)
        CHECK_STATUS(nn_data_set_labels(data, bits, 2), NN_OK);
    else
        CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_set_weights(data, weights), NN_OK);
    return data;
}

static double cost_of(const nn_network *network, const nn_data *data,
                      const nn_gradient_options *options, nn_real *gradient) {
    double cost = (double)NAN;
    CHECK_STATUS(nn_gradient(network, data, options, gradient, &cost, NULL, NULL), NN_OK);
    return cost;
}

/* The largest difference between the gradient and central differences, over every parameter, as a
 * share of the largest number of the gradient. */
static double difference_error(nn_network *network, const nn_data *data,
                               const nn_gradient_options *options) {
    const size_t extent = nn_network_extent(network);
    nn_real *gradient = calloc(extent, sizeof *gradient);
    nn_real *scratch = calloc(extent, sizeof *scratch);
    double error = 0, largest = 0;
    cost_of(network, data, options, gradient);
    for (size_t t = 0; t < nn_network_n_tensors(network); t++) {
        nn_parameter p = nn_network_parameter(network, t);
        for (size_t i = 0; i < p.shape[0] * (p.is_bias ? 1 : p.shape[1]); i++) {
            const nn_real kept = p.values[i], above = kept + (nn_real)h, below = kept - (nn_real)h;
            p.values[i] = above;
            double difference = cost_of(network, data, options, scratch);
            p.values[i] = below;
            difference -= cost_of(network, data, options, scratch);
            p.values[i] = kept;
            difference /= (double)above - (double)below; /* the steps that were representable */
            error = fmax(error, fabs(difference - (double)gradient[p.offset + i]));
            largest = fmax(largest, fabs((double)gradient[p.offset + i]));
        }
    }
    free(gradient);
    free(scratch);
    return error / largest;
}

/* Every kind of layer, this hidden activation, this output and cost. */
static void check_differences(nn_activation hidden, nn_activation output, nn_cost cost,
                              size_t n_out, const nn_gradient_options *options) {
    const nn_layer layers[] = {nn_dropout(0.2), nn_dense(5, hidden), nn_dropout(0.4),
                               nn_dense(4, NN_ACTIVATION_LINEAR), nn_activate(hidden),
                               nn_dense(n_out, output)};
    nn_real x[N_SAMPLES * N_IN];
    fill(x, COUNT(x), 11);
    nn_network *network = make(N_IN, layers, COUNT(layers), cost);
    nn_data *data = make_samples(x, n_out == 1);
    double error = difference_error(network, data, options);
    CHECK_NEAR(error, 0, difference_tolerance);
    if (!(error <= difference_tolerance))
        printf("        hidden %s, output %s, cost %s, %zu outputs\n",
               nn_activation_name((int)hidden), nn_activation_name((int)output),
               nn_cost_name((int)cost), n_out);
    nn_data_free(data);
    nn_network_free(network);
}

static void gradients_are_those_of_central_differences(void) {
    const nn_gradient_options plain = {.penalty = {.n = 1}};
    const nn_gradient_options all = {{.l1 = 0.3, .l2 = 0.7, .n = 10, .biases = true}, true, 9};
    for (int cost = 0; cost <= NN_COST_HINGE; cost++)
        for (int output = 0; output <= NN_ACTIVATION_SOFTMAX; output++)
            for (int hidden = 0; hidden < NN_ACTIVATION_SOFTMAX; hidden++)
                for (size_t n_out = 1; n_out <= N_OUT; n_out += N_OUT - 1) {
                    size_t fewest = nn_cost_pair((nn_cost)cost, (nn_activation)output);
                    if (fewest == 0 || n_out < fewest) continue;
                    if (output == NN_ACTIVATION_SOFTMAX && n_out == 1) continue; /* is constant */
                    check_differences((nn_activation)hidden, (nn_activation)output, (nn_cost)cost,
                                      n_out, &plain);
                    check_differences((nn_activation)hidden, (nn_activation)output, (nn_cost)cost,
                                      n_out, &all);
                }
}

static void dropout_is_in_the_gradient_in_training_alone(void) {
    const nn_layer layers[] = {nn_dense(20, NN_ACTIVATION_TANH), nn_dropout(0.5),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    const nn_gradient_options off = {.penalty = {.n = 1}, .seed = 1};
    nn_gradient_options on = {.penalty = {.n = 1}, .training = true, .seed = 1};
    nn_real x[N_SAMPLES * N_IN];
    fill(x, COUNT(x), 12);
    nn_network *network = make(N_IN, layers, COUNT(layers), NN_COST_CROSS_ENTROPY);
    nn_data *data = make_samples(x, false);
    nn_real *gradient = calloc(nn_network_extent(network), sizeof *gradient);
    nn_evaluation evaluation;
    double cost = cost_of(network, data, &off, gradient);
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_CROSS_ENTROPY, &evaluation, NULL, NULL), NN_OK);
    CHECK(cost == evaluation.loss);
    double dropped = cost_of(network, data, &on, gradient);
    CHECK(dropped != cost);
    CHECK(cost_of(network, data, &on, gradient) == dropped);
    on.seed = 2;
    CHECK(cost_of(network, data, &on, gradient) != dropped);
    free(gradient);
    nn_data_free(data);
    nn_network_free(network);
}

static void penalties_outside_their_range_are_refused(void) {
    const nn_penalty bad[] = {{.l1 = -1, .n = 1},          {.l2 = -1, .n = 1},
                              {.l1 = (double)NAN, .n = 1}, {.l2 = (double)INFINITY, .n = 1},
                              {.n = 0},                    {.n = (double)INFINITY}};
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_real x[N_SAMPLES * N_IN] = {0}, gradient[256];
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *data = make_samples(x, false);
    CHECK(nn_network_extent(network) <= COUNT(gradient));
    for (size_t i = 0; i < COUNT(bad); i++) {
        nn_gradient_options options = {.penalty = bad[i]};
        double cost;
        CHECK_STATUS(nn_gradient(network, data, &options, gradient, &cost, NULL, NULL),
                     NN_ERROR_ARGUMENT);
    }
    nn_data_free(data);
    nn_network_free(network);
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
    fill(x, COUNT(x), 13);
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
    fill(x, COUNT(x), 14);
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
    nn_data_free(samples);
    nn_data_free(bare);
    nn_network_free(network);
}

/* ---- blocks of rows ------------------------------------------------------------------------- */

enum { MANY = 2500, PART = 700 }; /* a block has at most 1024 rows */

/* Sums over MANY samples, formed in another order: of random signs, so that the errors grow with
 * the root of their number (50), and a margin. */
static const double many_tolerance = 500 * EPSILON;

/* The gradient over many rows, and the mean of those of its parts, each by its share. */
static void gradients_of_many_rows_are_the_sum_of_their_parts(void) {
    const nn_layer layers[] = {nn_dense(N_HIDDEN, NN_ACTIVATION_TANH),
                               nn_dense(N_OUT, NN_ACTIVATION_SOFTMAX)};
    const nn_gradient_options options = {.penalty = {.n = 1}};
    static nn_real x[MANY * N_IN];
    static int32_t labels[MANY];
    nn_real whole[512], sum[512] = {0}, part[512];
    double sum_of_costs = 0, cost;
    fill(x, COUNT(x), 15);
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
        sum_of_costs += share * cost_of(network, data, &options, part);
        for (size_t i = 0; i < extent; i++) sum[i] += (nn_real)share * part[i];
        nn_data_free(data);
    }
    nn_data *data = wrap(x, MANY, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    cost = cost_of(network, data, &options, whole);
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
    nn_real x[ROWS * N_IN], whole[512], gradient[512];
    int32_t labels[ROWS];
    double loss = 0;
    fill(x, COUNT(x), 16);
    for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % N_OUT);
    nn_network *network = make(N_IN, layers, COUNT(layers), NN_COST_QUADRATIC);
    nn_data *data = wrap(x, ROWS, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK(nn_network_extent(network) <= COUNT(whole));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        nn__workspace workspace;
        nn__sums sums = {0};
        nn__pass pass = {.training = true, .seed = 3, .step = 8, .vector = network->vector};
        nn__batch batch = {.data = data, .n = ROWS};
        CHECK_STATUS(nn__workspace_make(&workspace, &network->plan, sizes[i]), NN_OK);
        memset(gradient, 0, sizeof gradient);
        CHECK_STATUS(nn__batch_gradient(&network->plan, &pass, &batch, network->parameters.values,
                                        &workspace, gradient, &sums),
                     NN_OK);
        nn__workspace_free(&workspace);
        if (i == 0) {
            memcpy(whole, gradient, sizeof whole);
            loss = sums.loss;
        }
        CHECK_NEAR(sums.loss, loss, inside_tolerance * loss);
        CHECK_NEAR(relative_error(gradient, whole, nn_network_extent(network)), 0,
                   inside_tolerance);
    }
    nn_data_free(data);
    nn_network_free(network);
}

static void many_rows_are_evaluated_as_few(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    static nn_real x[MANY * N_IN], a[MANY * N_OUT];
    static int64_t classes[MANY];
    fill(x, COUNT(x), 17);
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

/* ---- kinds of inputs ------------------------------------------------------------------------ */

enum { SIDE = 16 }; /* 256 numbers: one for every byte */

/* Whether both inputs give the same outputs, bit for bit. */
static bool same_outputs(const nn_input *one, const nn_input *other) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    const nn_input *inputs[] = {one, other};
    nn_real a[2][SIDE * N_OUT] = {{0}};
    nn_network *network = make(SIDE, &layer, 1, NN_COST_QUADRATIC);
    for (size_t i = 0; i < 2; i++) {
        nn_data *data = NULL;
        CHECK_STATUS(nn_data_create(&data, inputs[i]), NN_OK);
        CHECK(nn_data_n_rows(data) == inputs[i]->n_rows && nn_data_n_columns(data) == SIDE);
        CHECK_STATUS(nn_forward(network, data, a[i], NULL, NULL), NN_OK);
        nn_data_free(data);
    }
    nn_network_free(network);
    return memcmp(a[0], a[1], sizeof a[0]) == 0;
}

/* The same numbers as float32 and float64 (multiples of 1/256 are exact in both), and bytes beside
 * the float64 numbers that they stand for. */
static void the_three_dtypes_give_the_same(void) {
    static float single_x[SIDE][SIDE];
    static double double_x[SIDE][SIDE], of_bytes[SIDE][SIDE];
    static uint8_t bytes[SIDE][SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        bytes[i / SIDE][i % SIDE] = (uint8_t)i;
        of_bytes[i / SIDE][i % SIDE] = (double)i / 255.0;
        double_x[i / SIDE][i % SIDE] = (double)i / 256.0 - 0.5;
        single_x[i / SIDE][i % SIDE] = (float)double_x[i / SIDE][i % SIDE];
    }
    nn_input floats = {single_x, NN_DTYPE_FLOAT32, SIDE, SIDE, sizeof single_x[0]};
    nn_input doubles = {double_x, NN_DTYPE_FLOAT64, SIDE, SIDE, sizeof double_x[0]};
    nn_input scaled = {of_bytes, NN_DTYPE_FLOAT64, SIDE, SIDE, sizeof of_bytes[0]};
    nn_input raw = {bytes, NN_DTYPE_UINT8, SIDE, SIDE, sizeof bytes[0]};
    CHECK(same_outputs(&floats, &doubles));
    CHECK(same_outputs(&raw, &scaled));
    CHECK(!same_outputs(&raw, &doubles));
}

/* Rows apart, backwards, and one row again and again, for each size of a number. */
static void check_strides(int dtype, size_t size) {
    enum { WIDE = SIDE + 5 };
    unsigned char *wide = calloc(SIDE * WIDE, size), *tight = calloc(SIDE * SIDE, size);
    float *singles = (float *)(void *)wide;
    double *doubles = (double *)(void *)wide;
    for (size_t i = 0; i < SIDE * WIDE; i++)
        if (dtype == NN_DTYPE_FLOAT32)
            singles[i] = (float)(i * i % 97) / 97;
        else if (dtype == NN_DTYPE_FLOAT64)
            doubles[i] = (double)(i * i % 97) / 97;
        else
            wide[i] = (unsigned char)(i * i % 251);
    const ptrdiff_t stride = (ptrdiff_t)(WIDE * size), strides[] = {stride, -stride, 0};
    for (size_t s = 0; s < COUNT(strides); s++) {
        const unsigned char *first = strides[s] < 0 ? wide + (SIDE - 1) * WIDE * size : wide;
        for (ptrdiff_t r = 0; r < SIDE; r++)
            memcpy(tight + (size_t)r * SIDE * size, first + r * strides[s], SIDE * size);
        nn_input strided = {first, dtype, SIDE, SIDE, strides[s]};
        nn_input copied = {tight, dtype, SIDE, SIDE, (ptrdiff_t)(SIDE * size)};
        CHECK(same_outputs(&strided, &copied));
    }
    free(wide);
    free(tight);
}

static void rows_may_lie_anywhere(void) {
    check_strides(NN_DTYPE_FLOAT32, sizeof(float));
    check_strides(NN_DTYPE_FLOAT64, sizeof(double));
    check_strides(NN_DTYPE_UINT8, 1);
}

static void inputs_that_cannot_be_read_are_refused(void) {
    const double x[4] = {0};
    const nn_input good = {x, NN_DTYPE_FLOAT64, 2, 2, 2 * sizeof *x};
    nn_input odd = good, foreign = good, negative = good, thin = good, long_one = good;
    odd.row_stride = 9;
    foreign.dtype = 3;
    negative.dtype = -1;
    thin.n_columns = 0;
    long_one.n_rows = (size_t)UINT32_MAX + 1;
    const nn_input *inputs[] = {&odd, &foreign, &negative, &thin, &long_one};
    for (size_t i = 0; i < COUNT(inputs); i++) {
        nn_data *data = (nn_data *)&data;
        CHECK_STATUS(nn_data_create(&data, inputs[i]), i < 3 ? NN_ERROR_ARGUMENT : NN_ERROR_SIZE);
        CHECK(data == NULL);
    }
    nn_data_free(NULL);
}

static void labels_and_targets_are_checked_and_copied(void) {
    int32_t labels[] = {0, 1, 2, 2, 0, 1};
    const int32_t high[] = {0, 1, 2, 3, 0, 1}, low[] = {0, -1, 2, 2, 0, 1};
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_real x[N_SAMPLES * N_IN];
    nn_evaluation before, after;
    fill(x, COUNT(x), 18);
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_QUADRATIC, &before, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_set_labels(data, high, N_OUT), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_labels(data, low, N_OUT), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_targets(data, x, 0), NN_ERROR_SIZE);
    CHECK_STATUS(nn_data_set_targets(data, x, SIZE_MAX / 2), NN_ERROR_SIZE);
    labels[0] = 2;
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_QUADRATIC, &after, NULL, NULL), NN_OK);
    CHECK(before.loss == after.loss && before.accuracy == after.accuracy);
    nn_data_free(data);
    nn_network_free(network);
}

/* What nn_data_scan finds, also past its first 1024 rows. */
static void a_scan_finds_the_first_bad_number(void) {
    static nn_real x[MANY * N_IN];
    nn_scan scan;
    nn_data *data = wrap(x, MANY, N_IN), *none = wrap(x, 0, N_IN);
    x[5] = 7;
    CHECK_STATUS(nn_data_scan(data, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == 7);
    x[2000 * N_IN + 3] = (nn_real)NAN;
    x[2001 * N_IN] = (nn_real)INFINITY;
    CHECK_STATUS(nn_data_scan(data, NULL, NULL, &scan), NN_OK);
    CHECK(!scan.finite && scan.row == 2000 && scan.column == 3);
    CHECK_STATUS(nn_data_scan(none, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == -HUGE_VAL);
    const uint8_t bytes[] = {3, 200, 5, 1};
    nn_input input = {bytes, NN_DTYPE_UINT8, 2, 2, 2};
    nn_data *raw = NULL;
    CHECK_STATUS(nn_data_create(&raw, &input), NN_OK);
    CHECK_STATUS(nn_data_scan(raw, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == 200);
    nn_data_free(raw);
    nn_data_free(none);
    nn_data_free(data);
}

int main(void) {
    static const check_case cases[] = {
        CASE(lists_that_are_no_network_are_refused),
        CASE(costs_go_with_the_outputs_of_the_table),
        CASE(arguments_outside_their_range_are_refused),
        CASE(sizes_of_zero_and_overflowing_ones_are_refused),
        CASE(parameters_are_named_and_lie_in_order),
        CASE(one_output_has_two_classes_or_is_regression),
        CASE(start_weights_depend_on_seed_and_names_alone),
        CASE(gradients_are_those_of_central_differences),
        CASE(dropout_is_in_the_gradient_in_training_alone),
        CASE(penalties_outside_their_range_are_refused),
        CASE(inspect_shows_every_dense_layer),
        CASE(inspect_leaves_out_what_is_not_asked),
        CASE(gradients_of_many_rows_are_the_sum_of_their_parts),
        CASE(the_size_of_a_block_does_not_matter),
        CASE(many_rows_are_evaluated_as_few),
        CASE(the_three_dtypes_give_the_same),
        CASE(rows_may_lie_anywhere),
        CASE(inputs_that_cannot_be_read_are_refused),
        CASE(labels_and_targets_are_checked_and_copied),
        CASE(a_scan_finds_the_first_bad_number),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

/* Gradients: central differences, dropout in training, penalties. */
#include <stdlib.h>

#include "check.h"
#include "helpers.h"
#include "samples.h"

/* ---- gradients ------------------------------------------------------------------------------
 *
 * nn_gradient beside central differences of its own cost. Their error is about h^2 (what Taylor's
 * series leaves) plus EPSILON / h (what rounding does to the cost): h balances the two, and the
 * tolerance, relative to the largest number of the gradient, has a margin of ten. */

#ifdef NN_DOUBLE
static const double h = 1e-5, difference_tolerance = 2e-8;
#else
static const double h = 4e-3, difference_tolerance = 3e-3;
#endif

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
    const nn_layer layers[] = {nn_dropout(0.2),     nn_dense(5, hidden),
                               nn_dropout(0.4),     nn_dense(4, NN_ACTIVATION_LINEAR),
                               nn_activate(hidden), nn_dense(n_out, output)};
    nn_real x[N_SAMPLES * N_IN];
    fill_normal(x, COUNT(x), 11);
    nn_network *network = make(N_IN, layers, COUNT(layers), cost);
    nn_data *data = make_samples(x, n_out == 1);
    nn_parameter bias = nn_network_parameter(network, nn_network_n_tensors(network) - 1);
    for (size_t j = 0; j < n_out; j++) bias.values[j] += 3; /* relu outputs are alive */
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
    const nn_gradient_options plain = nn_gradient_defaults();
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
    fill_normal(x, COUNT(x), 12);
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
    const nn_penalty bad[] = {{.l1 = -1, .n = 1},
                              {.l2 = -1, .n = 1},
                              {.l1 = (double)NAN, .n = 1},
                              {.l2 = (double)INFINITY, .n = 1},
                              {.n = 0},
                              {.n = (double)INFINITY}};
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

int main(void) {
    static const check_case cases[] = {
        CASE(gradients_are_those_of_central_differences),
        CASE(dropout_is_in_the_gradient_in_training_alone),
        CASE(penalties_outside_their_range_are_refused),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

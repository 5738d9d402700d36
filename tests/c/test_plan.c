/* Level layers: what is a network, its parameters and their start values. */
#include <string.h>

#include "check.h"
#include "helpers.h"

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
    layers[0] = (nn_layer){.kind = (nn_layer_kind)99};
    CHECK_STATUS(status_of(2, layers, 2, cost), NN_ERROR_ARGUMENT);
    CHECK_STATUS(status_of(2, &layers[1], 1, (nn_cost)99), NN_ERROR_ARGUMENT);
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
        {"dense1.weight", 2, {784, 30}}, {"dense1.bias", 1, {30}},
        {"dense2.weight", 2, {30, 7}},   {"dense2.bias", 1, {7}},
        {"dense3.weight", 2, {7, 10}},   {"dense3.bias", 1, {10}},
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
    const nn_layer sigmoid = nn_dense(1, NN_ACTIVATION_SIGMOID),
                   relu = nn_dense(1, NN_ACTIVATION_RELU);
    const nn_layer linear = nn_dense(3, NN_ACTIVATION_LINEAR),
                   relus = nn_dense(3, NN_ACTIVATION_RELU);
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

int main(void) {
    static const check_case cases[] = {
        CASE(lists_that_are_no_network_are_refused),
        CASE(costs_go_with_the_outputs_of_the_table),
        CASE(arguments_outside_their_range_are_refused),
        CASE(sizes_of_zero_and_overflowing_ones_are_refused),
        CASE(parameters_are_named_and_lie_in_order),
        CASE(one_output_has_two_classes_or_is_regression),
        CASE(start_weights_depend_on_seed_and_names_alone),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

/* Sample by sample through nnlearn.h: nn_assess beside nn_evaluate, nn_predict and nn_forward. */
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "samples.h"

/* Everything that nn_assess writes of N_SAMPLES rows. */
typedef struct written {
    double loss[N_SAMPLES], confidence[N_SAMPLES], probability[N_SAMPLES];
    int64_t predicted[N_SAMPLES], actual[N_SAMPLES], rank[N_SAMPLES];
    nn_real z[N_SAMPLES * N_OUT], a[N_SAMPLES * N_OUT];
} written;

static nn_assessment all_of(written *w) {
    return (nn_assessment){.loss = w->loss,
                           .predicted = w->predicted,
                           .actual = w->actual,
                           .rank = w->rank,
                           .confidence = w->confidence,
                           .probability = w->probability,
                           .z = w->z,
                           .a = w->a};
}

static nn_status assess(const nn_network *network, const nn_data *data, written *w) {
    const nn_assessment to = all_of(w);
    return nn_assess(network, data, &to, NULL, NULL);
}

/* Weights of zeros and these biases: the same outputs for every sample. */
static nn_network *constant(nn_activation output, nn_cost cost, const nn_real *biases, size_t n) {
    nn_layer layer = nn_dense(n, output);
    layer.init = NN_INIT_ZEROS;
    nn_network *network = make(N_IN, &layer, 1, cost);
    memcpy(nn_network_parameter(network, 1).values, biases, n * sizeof *biases);
    return network;
}

/* ---- beside the other sweeps ----------------------------------------------------------------- */

static void check_pair(nn_cost cost, nn_activation output, size_t n_out) {
    const nn_layer layers[] = {nn_dense(5, NN_ACTIVATION_TANH), nn_dense(n_out, output)};
    nn_real x[N_SAMPLES * N_IN], a[N_SAMPLES * N_OUT];
    int64_t classes[N_SAMPLES];
    nn_evaluation e;
    fill_normal(x, COUNT(x), 21);
    nn_network *network = make(N_IN, layers, 2, cost);
    nn_data *samples = make_samples(x, n_out == 1); /* its weights must not show */
    nn_data *plain = wrap(x, N_SAMPLES, N_IN);
    const int32_t labels[] = {0, 1, 2, 2, 0, 1}, bits[] = {0, 1, 1, 0, 0, 1};
    CHECK_STATUS(nn_data_set_labels(plain, n_out == 1 ? bits : labels, n_out == 1 ? 2 : N_OUT),
                 NN_OK);
    written w;
    CHECK_STATUS(assess(network, samples, &w), NN_OK);
    CHECK_STATUS(nn_evaluate(network, plain, cost, &e, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_predict(network, plain, classes, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_forward(network, plain, a, NULL, NULL), NN_OK);
    double loss = 0, n_right = 0, first = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) loss += w.loss[i] / N_SAMPLES;
    CHECK_NEAR(loss, e.loss, 16 * EPSILON * e.loss);
    CHECK(memcmp(w.a, a, N_SAMPLES * n_out * sizeof *a) == 0);
    if (!nn_network_is_regression(network)) { /* which has no classes to write */
        for (size_t i = 0; i < N_SAMPLES; i++) {
            n_right += w.predicted[i] == w.actual[i];
            first += w.rank[i] == 0;
        }
        CHECK(memcmp(w.predicted, classes, sizeof classes) == 0);
        CHECK(n_right / N_SAMPLES == e.accuracy && first == n_right);
        for (size_t i = 0; i < N_SAMPLES; i++)
            CHECK(w.actual[i] == (n_out == 1 ? bits[i] : labels[i]));
    }
    nn_data_free(plain);
    nn_data_free(samples);
    nn_network_free(network);
}

static void every_cost_agrees_with_the_other_sweeps(void) {
    for (int cost = 0; cost <= NN_COST_HINGE; cost++)
        for (int output = 0; output <= NN_ACTIVATION_SOFTMAX; output++)
            for (size_t n_out = 1; n_out <= N_OUT; n_out += N_OUT - 1) {
                const size_t fewest = nn_cost_pair((nn_cost)cost, (nn_activation)output);
                if (fewest > 0 && n_out >= fewest)
                    check_pair((nn_cost)cost, (nn_activation)output, n_out);
            }
}

/* ---- worked by hand -------------------------------------------------------------------------- */

/* Outputs (0, 2, 2): class 1 is predicted; class 2 comes after it, class 0 after both. */
static void of_equal_outputs_the_first_stands_before(void) {
    const nn_real biases[] = {0, 2, 2}, x[N_SAMPLES * N_IN] = {0};
    nn_network *network = constant(NN_ACTIVATION_LINEAR, NN_COST_HINGE, biases, 3);
    nn_data *data = make_samples(x, false);
    written w;
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    const int64_t ranks[] = {2, 0, 1, 1, 2, 0};
    const double losses[] = {6, 1, 1, 1, 6, 1};
    for (size_t i = 0; i < N_SAMPLES; i++) {
        CHECK(w.predicted[i] == 1 && w.rank[i] == ranks[i]);
        CHECK(w.loss[i] == losses[i]);
        CHECK(isnan(w.confidence[i]) && isnan(w.probability[i])); /* no probabilities */
        CHECK(w.z[3 * i] == 0 && w.z[3 * i + 2] == 2);
    }
    nn_data_free(data);
    nn_network_free(network);
}

static void check_probabilities(nn_activation output, nn_cost cost, size_t n, const nn_real *biases,
                                const double *expected) {
    const int32_t labels[] = {0, 1, 2, 2, 0, 1}, bits[] = {0, 1, 1, 0, 0, 1};
    const nn_real x[N_SAMPLES * N_IN] = {0};
    nn_network *network = constant(output, cost, biases, n);
    nn_data *data = make_samples(x, n == 1);
    written w;
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const int32_t label = n == 1 ? bits[i] : labels[i];
        CHECK_NEAR(w.probability[i], expected[label], 8 * EPSILON);
        CHECK_NEAR(w.confidence[i], expected[w.predicted[i]], 8 * EPSILON);
    }
    nn_data_free(data);
    nn_network_free(network);
}

static void probabilities_follow_the_outputs(void) {
    const nn_real logs[] = {(nn_real)log(0.2), (nn_real)log(0.5), (nn_real)log(0.3)};
    const nn_real odds[] = {(nn_real)log(1.0 / 4), 0, 0}; /* sigmoids .2, .5, .5 */
    const nn_real lost[] = {-LARGEST, -LARGEST, -LARGEST};
    const double softmax[] = {0.2, 0.5, 0.3}, sigmoids[] = {0.2 / 1.2, 0.5 / 1.2, 0.5 / 1.2},
                 one[] = {0.8, 0.2}, alike[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    check_probabilities(NN_ACTIVATION_SOFTMAX, NN_COST_LOG_LIKELIHOOD, 3, logs, softmax);
    check_probabilities(NN_ACTIVATION_SIGMOID, NN_COST_CROSS_ENTROPY, 3, odds, sigmoids);
    check_probabilities(NN_ACTIVATION_SIGMOID, NN_COST_QUADRATIC, 1, odds, one);
    check_probabilities(NN_ACTIVATION_SIGMOID, NN_COST_QUADRATIC, 3, lost, alike);
}

static void targets_name_the_class_of_their_largest(void) {
    const nn_real biases[] = {0, 1, 2}, x[N_SAMPLES * N_IN] = {0};
    nn_real targets[N_SAMPLES * N_OUT] = {0};
    for (size_t i = 0; i < N_SAMPLES; i++) targets[i * N_OUT + (i + 1) % 3] = (nn_real)0.25;
    nn_network *network = constant(NN_ACTIVATION_TANH, NN_COST_QUADRATIC, biases, 3);
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    CHECK_STATUS(nn_data_set_targets(data, targets, 3), NN_OK);
    written w;
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    for (size_t i = 0; i < N_SAMPLES; i++)
        CHECK(w.actual[i] == (int64_t)(i + 1) % 3 && w.rank[i] == 2 - w.actual[i]);
    nn_data_free(data);
    nn_network_free(network);
}

/* ---- what is left out, what is refused ------------------------------------------------------- */

static void arrays_that_are_not_given_are_left_out(void) {
    const nn_real biases[] = {0, 1, 2}, x[N_SAMPLES * N_IN] = {0};
    nn_network *network = constant(NN_ACTIVATION_SIGMOID, NN_COST_CROSS_ENTROPY, biases, 3);
    nn_data *data = make_samples(x, false);
    written w, one;
    const nn_assessment none = {0}, rank = {.rank = one.rank};
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    CHECK_STATUS(nn_assess(network, data, &none, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_assess(network, data, &rank, NULL, NULL), NN_OK);
    CHECK(memcmp(one.rank, w.rank, sizeof w.rank) == 0);
    nn_data_free(data);
    nn_network_free(network);
}

static void regression_has_no_classes(void) {
    const nn_real bias[] = {3}, x[N_SAMPLES * N_IN] = {0}, targets[] = {1, 2, 3, 4, 5, 6};
    nn_network *network = constant(NN_ACTIVATION_LINEAR, NN_COST_QUADRATIC, bias, 1);
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    CHECK_STATUS(nn_data_set_targets(data, targets, 1), NN_OK);
    written w, kept;
    memset(&w, 7, sizeof w);
    kept = w;
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    const double losses[] = {2, 0.5, 0, 0.5, 2, 4.5};
    for (size_t i = 0; i < N_SAMPLES; i++) CHECK(w.loss[i] == losses[i] && w.a[i] == 3);
    CHECK(memcmp(w.predicted, kept.predicted, sizeof w.predicted) == 0);
    CHECK(memcmp(w.rank, kept.rank, sizeof w.rank) == 0);
    CHECK(memcmp(w.confidence, kept.confidence, sizeof w.confidence) == 0);
    nn_data_free(data);
    nn_network_free(network);
}

static int stop(void *context, const nn_progress *progress) {
    (void)context, (void)progress;
    return 1;
}

static void it_has_its_codes(void) {
    const nn_real biases[N_OUT] = {0};
    nn_real x[N_SAMPLES * (N_IN + 1)] = {0};
    const int32_t labels[N_SAMPLES] = {0};
    nn_network *network = constant(NN_ACTIVATION_LINEAR, NN_COST_HINGE, biases, N_OUT);
    nn_data *data = make_samples(x, false), *wide = wrap(x, N_SAMPLES, N_IN + 1),
            *bare = wrap(x, N_SAMPLES, N_IN), *none = wrap(x, 0, N_IN);
    written w;
    const nn_assessment to = all_of(&w);
    CHECK_STATUS(assess(network, wide, &w), NN_ERROR_SHAPE);
    CHECK_STATUS(assess(network, bare, &w), NN_ERROR_TARGETS);
    CHECK_STATUS(assess(network, none, &w), NN_ERROR_SIZE);
    CHECK_STATUS(nn_data_set_labels(bare, labels, N_OUT + 1), NN_OK);
    CHECK_STATUS(assess(network, bare, &w), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_targets(bare, x, N_OUT), NN_OK);
    CHECK_STATUS(assess(network, bare, &w), NN_ERROR_TARGETS); /* a hinge takes labels alone */
    CHECK_STATUS(nn_assess(network, data, &to, stop, NULL), NN_STOPPED);
    nn_data_guard(data, 1);
    CHECK_STATUS(assess(network, data, &w), NN_OK);
    x[9] = (nn_real)NAN;
    CHECK_STATUS(assess(network, data, &w), NN_ERROR_NUMBER);
    nn_data_free(data);
    nn_data_free(wide);
    nn_data_free(bare);
    nn_data_free(none);
    nn_network_free(network);
}

int main(void) {
    static const check_case cases[] = {
        CASE(every_cost_agrees_with_the_other_sweeps),
        CASE(of_equal_outputs_the_first_stands_before),
        CASE(probabilities_follow_the_outputs),
        CASE(targets_name_the_class_of_their_largest),
        CASE(arrays_that_are_not_given_are_left_out),
        CASE(regression_has_no_classes),
        CASE(it_has_its_codes),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

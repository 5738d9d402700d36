/* Training through nnlearn.h: codes, divergence, stopping. */
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "rig.h"

/* ---- codes ---------------------------------------------------------------------------------- */

static void bind_refuses_data_that_does_not_fit(void) {
    rig r;
    nn_data *wide = NULL, *bare = NULL, *none = NULL;
    const nn_real x[N_ROWS * (N_IN + 1)] = {0};
    const nn_optimizer *optimizer = &r.settings.optimizer;
    CHECK_STATUS(make_rig(&r), NN_OK);
    wide = wrap(x, N_ROWS, N_IN + 1);
    bare = wrap(x, N_ROWS, N_IN);
    none = wrap(x, 0, N_IN);
    CHECK_STATUS(nn_data_set_labels(wide, r.labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_set_labels(none, r.labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_trainer_bind(r.trainer, wide, BATCH, optimizer), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_trainer_bind(r.trainer, bare, BATCH, optimizer), NN_ERROR_TARGETS);
    CHECK_STATUS(nn_trainer_bind(r.trainer, none, BATCH, optimizer), NN_ERROR_SIZE);
    CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, 0, optimizer), NN_ERROR_SIZE);
    CHECK_STATUS(nn_data_set_labels(r.data, r.labels, N_OUT + 1), NN_OK);
    CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, BATCH, optimizer), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_targets(r.data, x, N_OUT + 1), NN_OK);
    CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, BATCH, optimizer), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_data_set_targets(r.data, x, N_OUT), NN_OK);
    CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, BATCH, optimizer), NN_OK);
    nn_data_free(wide);
    nn_data_free(bare);
    nn_data_free(none);
    free_rig(&r);
}

static void a_hinge_takes_labels_alone(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_LINEAR);
    const nn_real targets[N_ROWS * N_OUT] = {0};
    nn_network *network = NULL;
    nn_trainer *trainer = NULL;
    nn_evaluation evaluation;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    CHECK_STATUS(nn_network_create(&network, N_IN, &layer, 1, NN_COST_HINGE, 1), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, BATCH, &r.settings.optimizer), NN_OK);
    CHECK_STATUS(nn_data_set_targets(r.data, targets, N_OUT), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, BATCH, &r.settings.optimizer), NN_ERROR_TARGETS);
    CHECK_STATUS(nn_evaluate(network, r.data, NN_COST_HINGE, &evaluation, NULL, NULL),
                 NN_ERROR_TARGETS);
    CHECK_STATUS(nn_evaluate(network, r.data, NN_COST_QUADRATIC, &evaluation, NULL, NULL), NN_OK);
    nn_trainer_free(trainer);
    nn_network_free(network);
    free_rig(&r);
}

/* Optimisers that bind and epoch refuse alike. */
static void optimizers_outside_their_range_are_refused(void) {
    const double nan = (double)NAN, infinity = (double)INFINITY;
    const nn_optimizer bad[] = {
        {.learning_rate = 0},
        {.learning_rate = -1},
        {.learning_rate = nan},
        {.learning_rate = infinity},
        {.learning_rate = 1, .momentum = 1},
        {.learning_rate = 1, .momentum = -0.1},
        {.learning_rate = 1, .momentum = nan},
        {.kind = (nn_optimizer_kind)99, .learning_rate = 1},
    };
    rig r;
    make_bound(&r);
    state before = state_of(r.network, r.trainer);
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, BATCH, &bad[i]), NN_ERROR_ARGUMENT);
        r.settings.optimizer = bad[i];
        CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT);
    }
    state after = state_of(r.network, r.trainer);
    CHECK(same(&before, &after));
    free_rig(&r);
}

static void epochs_refuse_settings_outside_their_range(void) {
    const double bad[] = {-1, (double)NAN, (double)INFINITY};
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    CHECK(nn_trainer_n_steps(r.trainer) == 0);
    CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT); /* nothing is bound */
    CHECK_STATUS(bind(&r), NN_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        double *penalties[] = {&r.settings.l1, &r.settings.l2};
        for (size_t j = 0; j < 2; j++) {
            const double kept = *penalties[j];
            *penalties[j] = bad[i];
            CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT);
            *penalties[j] = kept;
        }
    }
    CHECK_STATUS(epoch(&r), NN_OK);
    free_rig(&r);
}

static void an_epoch_needs_the_optimizer_that_was_bound(void) {
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    r.settings.optimizer.momentum = 0;
    CHECK_STATUS(bind(&r), NN_OK);
    r.settings.optimizer.momentum = 0.5; /* there is no room for its velocity */
    CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT);
    CHECK_STATUS(bind(&r), NN_OK);
    CHECK_STATUS(epoch(&r), NN_OK);
    r.settings.optimizer.momentum = 0; /* its velocity would grow stale */
    CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT);
    CHECK_STATUS(bind(&r), NN_OK);
    CHECK_STATUS(epoch(&r), NN_OK);
    free_rig(&r);
}

static void a_refused_bind_leaves_what_was_bound(void) {
    rig r;
    make_bound(&r);
    CHECK_STATUS(nn_trainer_bind(r.trainer, r.data, 0, &r.settings.optimizer), NN_ERROR_SIZE);
    CHECK(nn_trainer_n_steps(r.trainer) == N_STEPS);
    CHECK_STATUS(epoch(&r), NN_OK);
    free_rig(&r);
}

static int stop(void *context, const nn_progress *progress) {
    (void)context, (void)progress;
    return 1;
}

static void evaluation_has_its_codes(void) {
    const nn_real x[N_ROWS * (N_IN + 1)] = {0};
    nn_data *wide = NULL, *bare = NULL, *none = NULL;
    nn_evaluation e;
    nn_real a[N_ROWS * N_OUT];
    int64_t classes[N_ROWS];
    const nn_cost cost = NN_COST_CROSS_ENTROPY;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    wide = wrap(x, N_ROWS, N_IN + 1);
    bare = wrap(x, N_ROWS, N_IN);
    none = wrap(x, 0, N_IN);
    CHECK_STATUS(nn_evaluate(r.network, r.data, NN_COST_HINGE, &e, NULL, NULL), NN_ERROR_PAIR);
    CHECK_STATUS(nn_evaluate(r.network, r.data, (nn_cost)99, &e, NULL, NULL), NN_ERROR_PAIR);
    CHECK_STATUS(nn_evaluate(r.network, wide, cost, &e, NULL, NULL), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_evaluate(r.network, none, cost, &e, NULL, NULL), NN_ERROR_SIZE);
    CHECK_STATUS(nn_evaluate(r.network, bare, cost, &e, NULL, NULL), NN_ERROR_TARGETS);
    CHECK_STATUS(nn_evaluate(r.network, r.data, cost, &e, stop, NULL), NN_STOPPED);
    CHECK_STATUS(nn_evaluate(r.network, r.data, NN_COST_QUADRATIC, &e, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_set_labels(r.data, r.labels, N_OUT + 1), NN_OK);
    CHECK_STATUS(nn_evaluate(r.network, r.data, cost, &e, NULL, NULL), NN_ERROR_LABEL);
    CHECK_STATUS(nn_forward(r.network, wide, a, NULL, NULL), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_forward(r.network, bare, a, stop, NULL), NN_STOPPED);
    CHECK_STATUS(nn_forward(r.network, none, NULL, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_predict(r.network, wide, classes, NULL, NULL), NN_ERROR_SHAPE);
    CHECK_STATUS(nn_predict(r.network, bare, classes, stop, NULL), NN_STOPPED);
    CHECK_STATUS(nn_predict(r.network, none, NULL, NULL, NULL), NN_OK);
    nn_data_free(wide);
    nn_data_free(bare);
    nn_data_free(none);
    free_rig(&r);
}

static void the_other_sweeps_can_be_stopped(void) {
    const nn_gradient_options options = {.penalty = {.n = 1}};
    nn_real gradient[ROOM];
    double cost;
    nn_scan scan;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    CHECK_STATUS(nn_gradient(r.network, r.data, &options, gradient, &cost, stop, NULL), NN_STOPPED);
    CHECK_STATUS(nn_inspect(r.network, r.data, NULL, NULL, NULL, stop, NULL), NN_STOPPED);
    CHECK_STATUS(nn_data_scan(r.data, true, stop, NULL, &scan), NN_STOPPED);
    free_rig(&r);
}

/* ---- divergence ----------------------------------------------------------------------------- */

/* After a good epoch with momentum, row 7 of the unshuffled data turns into NaN: the loss of step
 * 2 of 3 is not finite, and step 1 is taken back. */
static void a_loss_that_is_not_finite_restores_everything(void) {
    rig r;
    make_bound(&r);
    r.settings.shuffle = false;
    CHECK_STATUS(epoch(&r), NN_OK);
    state before = state_of(r.network, r.trainer);
    nn_real kept[N_IN];
    memcpy(kept, r.x[7], sizeof kept);
    for (size_t j = 0; j < N_IN; j++) r.x[7][j] = (nn_real)NAN;
    CHECK_STATUS(epoch(&r), NN_DIVERGED);
    nn_failure failure = nn_trainer_failure(r.trainer);
    CHECK(failure.step == 2 && strcmp(failure.where, "loss") == 0 && isnan(failure.value));
    state after = state_of(r.network, r.trainer);
    CHECK(same(&before, &after));

    rig twin; /* which has not been through that */
    make_bound(&twin);
    twin.settings.shuffle = false;
    memcpy(r.x[7], kept, sizeof kept);
    CHECK_STATUS(epoch(&r), NN_OK);
    CHECK_STATUS(epoch(&twin), NN_OK);
    CHECK_STATUS(epoch(&twin), NN_OK);
    state mine = state_of(r.network, r.trainer), its = state_of(twin.network, twin.trainer);
    CHECK(same(&mine, &its));
    free_rig(&r);
    free_rig(&twin);
}

/* One linear unit from zero weights: a = 0, so the loss 1/2 y^2 of the first step is finite, while
 * its step eta x y of the weight overflows. It is found at the end of the epoch, or where poll
 * stops it. */
static void check_overflow(size_t n_rows, nn_poll *poll) {
    nn_layer layer = nn_dense(1, NN_ACTIVATION_LINEAR);
    layer.init = NN_INIT_ZEROS;
    const nn_real x[] = {LARGEST / 2, 0}, y[] = {1, 0};
    int calls = 0;
    nn_epoch settings = nn_epoch_defaults();
    settings.optimizer.learning_rate = 8;
    settings.shuffle = false;
    settings.poll = poll;
    settings.poll_context = &calls;
    nn_network *network = make(1, &layer, 1, NN_COST_QUADRATIC);
    nn_trainer *trainer = NULL;
    nn_data *data = wrap(x, n_rows, 1);
    nn_epoch_result result;
    CHECK_STATUS(nn_data_set_targets(data, y, 1), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, data, 1, &settings.optimizer), NN_OK);
    state before = state_of(network, trainer);
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_DIVERGED);
    nn_failure failure = nn_trainer_failure(trainer);
    CHECK(failure.step == 1 && strcmp(failure.where, "dense1.weight") == 0);
    CHECK(isinf(failure.value));
    state after = state_of(network, trainer);
    CHECK(same(&before, &after));
    nn_trainer_free(trainer);
    nn_data_free(data);
    nn_network_free(network);
}

static int stop_at_second_call(void *context, const nn_progress *progress) {
    (void)progress;
    return ++*(int *)context == 2;
}

static void a_parameter_that_is_not_finite_restores_everything(void) {
    check_overflow(1, NULL);
    check_overflow(2, stop_at_second_call);
}

/* The caller may write into the velocity. */
static void a_velocity_that_is_not_finite_is_found(void) {
    rig r;
    make_bound(&r);
    nn_parameter last = nn_network_parameter(r.network, nn_network_n_tensors(r.network) - 1);
    nn_trainer_slot(r.trainer, 0)[last.offset] = (nn_real)NAN;
    state before = state_of(r.network, r.trainer);
    CHECK_STATUS(epoch(&r), NN_DIVERGED);
    nn_failure failure = nn_trainer_failure(r.trainer);
    CHECK(failure.step == 2 && strcmp(failure.where, "loss") == 0);
    CHECK(isnan(failure.value));
    state after = state_of(r.network, r.trainer);
    CHECK(same(&before, &after));
    free_rig(&r);
}

/* An infinite activation times the zeros between rows is NaN: none may be left for the next
 * epoch. */
static void after_a_divergence_the_same_binding_trains_again(void) {
    const nn_layer layers[] = {nn_dense(5, NN_ACTIVATION_RELU), nn_dense(5, NN_ACTIVATION_RELU),
                               nn_dense(2, NN_ACTIVATION_TANH)};
    const nn_real huge = sizeof(nn_real) == sizeof(float) ? (nn_real)1e30 : (nn_real)1e300;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    nn_network *network = NULL;
    nn_trainer *trainer = NULL;
    nn_epoch_result result;
    nn_epoch settings = nn_epoch_defaults();
    settings.optimizer.learning_rate = 0.01;
    CHECK_STATUS(nn_network_create(&network, N_IN, layers, 3, NN_COST_QUADRATIC, 1), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, 4, &settings.optimizer), NN_OK);
    for (size_t i = 0; i < 4; i += 2) {
        const nn_parameter weight = nn_network_parameter(network, i);
        for (size_t j = 0; j < weight.shape[0] * weight.shape[1]; j++) weight.values[j] = huge;
    }
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_DIVERGED);
    nn_network_initialize(network, 1);
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_OK);
    nn_trainer_free(trainer);
    nn_network_free(network);
    free_rig(&r);
}

/* A hinge, whose maximum with 0 could hide it, lets NaN through too. */
static void outputs_that_are_no_numbers_are_never_a_small_loss(void) {
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    for (int cost = 0; cost <= NN_COST_HINGE; cost++)
        for (int output = 0; output <= NN_ACTIVATION_SOFTMAX; output++) {
            if (nn_cost_pair((nn_cost)cost, (nn_activation)output) == 0) continue;
            const nn_layer layer = nn_dense(N_OUT, (nn_activation)output);
            nn_network *network = make(N_IN, &layer, 1, (nn_cost)cost);
            nn_evaluation e;
            for (size_t j = 0; j < N_OUT; j++)
                nn_network_parameter(network, 1).values[j] = (nn_real)NAN;
            CHECK_STATUS(nn_evaluate(network, r.data, (nn_cost)cost, &e, NULL, NULL), NN_OK);
            CHECK(isnan(e.loss));
            nn_network_free(network);
        }
    free_rig(&r);
}

/* ---- stopping ------------------------------------------------------------------------------- */

typedef struct countdown {
    size_t calls, stop_at;
    bool in_order; /* done = 0, 1, 2 ... of N_STEPS */
} countdown;

static int count_down(void *context, const nn_progress *progress) {
    countdown *c = context;
    c->in_order = c->in_order && progress->done == c->calls && progress->total == N_STEPS;
    c->calls += 1;
    return c->calls == c->stop_at;
}

/* Stopped before step k: the parameters are those after k - 1 steps, which is an epoch over the
 * first k - 1 batches (unshuffled, without penalty: that one divides by the number of rows). */
static void a_stopped_epoch_keeps_its_steps_and_the_counters(void) {
    for (size_t k = 1; k <= N_STEPS; k++) {
        rig r, twin;
        make_bound(&r);
        CHECK_STATUS(make_rig(&twin), NN_OK);
        countdown c = {.stop_at = k, .in_order = true};
        r.settings.shuffle = false;
        r.settings.l1 = r.settings.l2 = 0;
        twin.settings = r.settings;
        r.settings.poll = count_down;
        r.settings.poll_context = &c;
        nn_network_set_counters(r.network, 8, 80);
        nn_network_set_counters(twin.network, 8, 80);
        state start = state_of(r.network, r.trainer);

        nn_epoch_result result;
        CHECK_STATUS(nn_train_epoch(r.trainer, &r.settings, &result), NN_STOPPED);
        CHECK(c.in_order && c.calls == k && result.n_steps == k - 1);
        CHECK(nn_network_epochs(r.network) == 8 && nn_network_steps(r.network) == 80);
        state reached = state_of(r.network, r.trainer), wanted = start;
        if (k > 1) {
            nn_data *part = NULL;
            part = wrap(twin.x[0], (k - 1) * BATCH, N_IN);
            CHECK_STATUS(nn_data_set_labels(part, twin.labels, N_OUT), NN_OK);
            CHECK_STATUS(nn_trainer_bind(twin.trainer, part, BATCH, &twin.settings.optimizer),
                         NN_OK);
            CHECK_STATUS(epoch(&twin), NN_OK);
            wanted = state_of(twin.network, twin.trainer);
            nn_data_free(part);
        }
        CHECK(same_parameters(&reached, &wanted));
        CHECK(same_parameters(&reached, &start) == (k == 1));
        free_rig(&r);
        free_rig(&twin);
    }
}

/* A step of more than 1e8 multiplications asks between its parts, and stops before the update. */
static void a_long_step_can_be_stopped_within(void) {
    enum { WIDE = 400, LONG = 700 };
    const nn_layer layers[] = {nn_dense(WIDE, NN_ACTIVATION_TANH),
                               nn_dense(1, NN_ACTIVATION_SIGMOID)};
    static nn_real x[LONG * WIDE];
    static const int32_t labels[LONG];
    int calls = 0;
    nn_epoch settings = nn_epoch_defaults();
    settings.optimizer.learning_rate = 1;
    settings.poll = stop_at_second_call;
    settings.poll_context = &calls;
    nn_network *network = NULL;
    nn_trainer *trainer = NULL;
    nn_data *data = NULL;
    nn_epoch_result result;
    CHECK_STATUS(nn_network_create(&network, WIDE, layers, 2, NN_COST_QUADRATIC, 1), NN_OK);
    data = wrap(x, LONG, WIDE);
    CHECK_STATUS(nn_data_set_labels(data, labels, 2), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, data, LONG, &settings.optimizer), NN_OK);
    const nn_parameter bias = nn_network_parameter(network, 3);
    const nn_real before = bias.values[0];
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_STOPPED);
    CHECK(calls == 2 && result.n_steps == 0 && bias.values[0] == before);
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_OK);
    CHECK(bias.values[0] != before);
    nn_trainer_free(trainer);
    nn_data_free(data);
    nn_network_free(network);
}

int main(void) {
    static const check_case cases[] = {
        CASE(bind_refuses_data_that_does_not_fit),
        CASE(a_hinge_takes_labels_alone),
        CASE(optimizers_outside_their_range_are_refused),
        CASE(epochs_refuse_settings_outside_their_range),
        CASE(an_epoch_needs_the_optimizer_that_was_bound),
        CASE(a_refused_bind_leaves_what_was_bound),
        CASE(evaluation_has_its_codes),
        CASE(the_other_sweeps_can_be_stopped),
        CASE(a_loss_that_is_not_finite_restores_everything),
        CASE(a_parameter_that_is_not_finite_restores_everything),
        CASE(a_velocity_that_is_not_finite_is_found),
        CASE(after_a_divergence_the_same_binding_trains_again),
        CASE(outputs_that_are_no_numbers_are_never_a_small_loss),
        CASE(a_stopped_epoch_keeps_its_steps_and_the_counters),
        CASE(a_long_step_can_be_stopped_within),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

/* Training through nnlearn.h: memory, the same bits, what an epoch gives. */
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "rig.h"

/* ---- memory --------------------------------------------------------------------------------- */

static void an_epoch_allocates_nothing(void) {
    float step_loss[N_STEPS];
    rig r;
    make_bound(&r);
    r.settings.step_loss = step_loss;
    CHECK_STATUS(epoch(&r), NN_OK);
    size_t before = nn_allocation_count();
    for (int i = 0; i < 3; i++) CHECK_STATUS(epoch(&r), NN_OK);
    CHECK(nn_allocation_count() == before);
    free_rig(&r);
}

/* Everything that allocates, once, up to the first failure. */
static nn_status live(rig *r) {
    const nn_gradient_options options = nn_gradient_defaults();
    static const nn_real weights[N_ROWS], targets[N_ROWS * N_OUT];
    static nn_real a[N_ROWS * N_OUT], gradient[ROOM], z1[N_ROWS * 6], z2[N_ROWS * N_OUT];
    nn_real *const z[] = {z1, z2};
    int64_t classes[N_ROWS];
    nn_evaluation evaluation;
    double cost;
    NN_TRY(make_rig(r));
    NN_TRY(nn_data_set_weights(r->data, weights));
    NN_TRY(bind(r));
    NN_TRY(epoch(r));
    NN_TRY(bind(r));
    NN_TRY(nn_evaluate(r->network, r->data, NN_COST_QUADRATIC, &evaluation, NULL, NULL));
    NN_TRY(nn_gradient(r->network, r->data, &options, gradient, &cost, NULL, NULL));
    NN_TRY(nn_inspect(r->network, r->data, z, NULL, z, NULL, NULL));
    NN_TRY(nn_forward(r->network, r->data, a, NULL, NULL));
    NN_TRY(nn_predict(r->network, r->data, classes, NULL, NULL));
    nn_trainer_clear(r->trainer);
    NN_TRY(nn_trainer_keep_slot(r->trainer, NN_OPTIMIZER_SGD, 0));
    return nn_data_set_targets(r->data, targets, N_OUT);
}

/* The k-th allocation fails, for every k: that status and no other comes out, and everything can
 * be freed. That nothing is leaked shows under AddressSanitizer. */
static void every_allocation_may_fail(void) {
    size_t before = nn_allocation_count(), k = 1;
    rig r;
    CHECK_STATUS(live(&r), NN_OK);
    free_rig(&r);
    const size_t n_allocations = nn_allocation_count() - before;
    CHECK(n_allocations > 20);
    for (; k <= n_allocations; k++) {
        nn_allocation_fail_at(k);
        CHECK_STATUS(live(&r), NN_ERROR_MEMORY);
        free_rig(&r);
    }
    nn_allocation_fail_at(k);
    CHECK_STATUS(live(&r), NN_OK);
    nn_allocation_fail_at(0);
    free_rig(&r);
}

/* What failed to bind for want of memory can be bound again. */
static void a_failed_bind_can_be_repeated(void) {
    for (size_t k = 1;; k++) {
        rig r, twin;
        make_bound(&twin);
        CHECK_STATUS(make_rig(&r), NN_OK);
        nn_allocation_fail_at(k);
        nn_status status = bind(&r);
        nn_allocation_fail_at(0);
        if (status != NN_OK) {
            CHECK_STATUS(status, NN_ERROR_MEMORY);
            CHECK_STATUS(epoch(&r), NN_ERROR_ARGUMENT);
            CHECK_STATUS(bind(&r), NN_OK);
        }
        CHECK_STATUS(epoch(&r), NN_OK);
        CHECK_STATUS(epoch(&twin), NN_OK);
        state mine = state_of(r.network, r.trainer), its = state_of(twin.network, twin.trainer);
        CHECK(same(&mine, &its));
        free_rig(&r);
        free_rig(&twin);
        if (status == NN_OK) break;
    }
}

/* A velocity that there was no memory for is not there; one that came after the binding is nothing
 * to train with. */
static void a_slot_is_kept_or_not(void) {
    for (size_t k = 1; k <= 2; k++) {
        rig r;
        CHECK_STATUS(make_rig(&r), NN_OK);
        r.settings.optimizer.momentum = 0;
        CHECK_STATUS(bind(&r), NN_OK);
        nn_allocation_fail_at(k);
        nn_status status = nn_trainer_keep_slot(r.trainer, NN_OPTIMIZER_SGD, 0);
        nn_allocation_fail_at(0);
        CHECK_STATUS(status, k < 2 ? NN_ERROR_MEMORY : NN_OK);
        CHECK((nn_trainer_slot(r.trainer, 0) != NULL) == (k == 2));
        CHECK_STATUS(epoch(&r), k < 2 ? NN_OK : NN_ERROR_ARGUMENT);
        free_rig(&r);
    }
}

/* ---- the same bits -------------------------------------------------------------------------- */

static void equal_networks_train_to_the_same_bits(void) {
    rig a, b;
    make_bound(&a);
    make_bound(&b);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(epoch(&a), NN_OK);
        CHECK_STATUS(bind(&b), NN_OK); /* keeps the velocity */
        CHECK_STATUS(epoch(&b), NN_OK);
        state one = state_of(a.network, a.trainer), other = state_of(b.network, b.trainer);
        CHECK(same(&one, &other));
        CHECK(one.epochs == (uint64_t)i + 1 && one.steps == N_STEPS * one.epochs);
    }
    b.settings.seed += 1;
    CHECK_STATUS(epoch(&a), NN_OK);
    CHECK_STATUS(epoch(&b), NN_OK);
    state one = state_of(a.network, a.trainer), other = state_of(b.network, b.trainer);
    CHECK(!same_parameters(&one, &other));
    free_rig(&a);
    free_rig(&b);
}

/* An epoch goes by the counters and the velocity: whoever has them goes on as if never away. */
static void training_resumes_from_counters_and_state(void) {
    rig a, b;
    make_bound(&a);
    CHECK_STATUS(make_rig(&b), NN_OK);
    CHECK_STATUS(epoch(&a), NN_OK);
    state left = state_of(a.network, a.trainer);
    const size_t bytes = left.extent * sizeof(nn_real);
    memcpy(nn_network_parameter(b.network, 0).values, left.parameters, bytes);
    nn_network_set_counters(b.network, left.epochs, left.steps);
    CHECK_STATUS(nn_trainer_keep_slot(b.trainer, NN_OPTIMIZER_SGD, 0), NN_OK);
    memcpy(nn_trainer_slot(b.trainer, 0), left.velocity, bytes);
    CHECK_STATUS(bind(&b), NN_OK);
    CHECK_STATUS(epoch(&a), NN_OK);
    CHECK_STATUS(epoch(&b), NN_OK);
    state one = state_of(a.network, a.trainer), other = state_of(b.network, b.trainer);
    CHECK(same(&one, &other));
    CHECK(nn_trainer_kind(b.trainer) == NN_OPTIMIZER_SGD);
    free_rig(&a);
    free_rig(&b);
}

/* The parameters after one epoch that starts from these counters. */
static state trained_from(uint64_t epochs, uint64_t steps, bool shuffle) {
    rig r;
    make_bound(&r);
    r.settings.shuffle = shuffle;
    nn_network_set_counters(r.network, epochs, steps);
    CHECK_STATUS(epoch(&r), NN_OK);
    state reached = state_of(r.network, r.trainer);
    free_rig(&r);
    return reached;
}

/* Dropout's masks go by the steps of the network's whole life, the permutation by its epochs. */
static void random_numbers_go_by_the_counters(void) {
    state start = trained_from(0, 0, false), steps = trained_from(0, N_STEPS, false);
    state epochs = trained_from(1, 0, false), shuffled = trained_from(0, 0, true);
    state later = trained_from(1, 0, true);
    CHECK(!same_parameters(&start, &steps));
    CHECK(same_parameters(&start, &epochs));
    CHECK(!same_parameters(&start, &shuffled));
    CHECK(!same_parameters(&shuffled, &later));
}

static void without_momentum_no_velocity_is_kept(void) {
    rig r;
    make_bound(&r);
    CHECK(nn_trainer_slot(r.trainer, 0) != NULL);
    r.settings.optimizer.momentum = 0;
    CHECK_STATUS(bind(&r), NN_OK);
    CHECK(nn_trainer_slot(r.trainer, 0) == NULL);
    CHECK_STATUS(epoch(&r), NN_OK);
    free_rig(&r);
}

/* ---- what an epoch gives -------------------------------------------------------------------- */

/* With so small a rate that nothing moves, the epoch's loss and accuracy are those of evaluation;
 * step losses are its parts. */
static void results_are_those_of_the_network(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    const double tolerance = 1e-6; /* of step losses, which are floats, and sums of 12 */
    float step_loss[N_STEPS];
    nn_network *network = NULL;
    nn_trainer *trainer = NULL;
    nn_epoch_result result;
    nn_evaluation evaluation;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    CHECK_STATUS(nn_network_create(&network, N_IN, &layer, 1, NN_COST_QUADRATIC, 1), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    r.settings.optimizer = (nn_optimizer){.learning_rate = 1e-30};
    r.settings.step_loss = step_loss;
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, BATCH, &r.settings.optimizer), NN_OK);
    CHECK(nn_trainer_n_steps(trainer) == N_STEPS);
    CHECK_STATUS(nn_train_epoch(trainer, &r.settings, &result), NN_OK);
    CHECK_STATUS(nn_evaluate(network, r.data, NN_COST_QUADRATIC, &evaluation, NULL, NULL), NN_OK);
    CHECK(result.n_steps == N_STEPS);
    CHECK_NEAR(result.loss, evaluation.loss, tolerance);
    CHECK(result.accuracy == evaluation.accuracy);
    double sum = BATCH * (double)(step_loss[0] + step_loss[1]) + 2 * (double)step_loss[2];
    CHECK_NEAR(sum / N_ROWS, result.loss, tolerance);

    double penalty = 0;
    nn_parameter W = nn_network_parameter(network, 0);
    for (size_t i = 0; i < N_IN * N_OUT; i++) {
        double w = (double)W.values[i];
        penalty += 0.01 / N_ROWS * fabs(w) + 0.1 / (2 * N_ROWS) * w * w;
    }
    CHECK_NEAR(result.penalty, penalty, 1e-12); /* both in double */
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, 1000, &r.settings.optimizer), NN_OK);
    CHECK(nn_trainer_n_steps(trainer) == 1); /* a batch larger than the data is one batch */
    nn_trainer_free(trainer);
    nn_network_free(network);
    free_rig(&r);
}

static void regression_has_no_accuracy(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_LINEAR);
    const nn_real targets[N_ROWS * N_OUT] = {0};
    nn_network *network = NULL;
    nn_trainer *trainer = NULL;
    nn_epoch_result result;
    nn_evaluation evaluation;
    rig r;
    CHECK_STATUS(make_rig(&r), NN_OK);
    CHECK_STATUS(nn_data_set_targets(r.data, targets, N_OUT), NN_OK);
    CHECK_STATUS(nn_network_create(&network, N_IN, &layer, 1, NN_COST_QUADRATIC, 1), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    CHECK_STATUS(nn_trainer_bind(trainer, r.data, BATCH, &r.settings.optimizer), NN_OK);
    r.settings.optimizer.learning_rate = 0.01;
    CHECK_STATUS(nn_train_epoch(trainer, &r.settings, &result), NN_OK);
    CHECK_STATUS(nn_evaluate(network, r.data, NN_COST_QUADRATIC, &evaluation, NULL, NULL), NN_OK);
    CHECK(isnan(result.accuracy) && isnan(evaluation.accuracy));
    nn_trainer_free(trainer);
    nn_network_free(network);
    free_rig(&r);
}

int main(void) {
    static const check_case cases[] = {
        CASE(an_epoch_allocates_nothing),
        CASE(every_allocation_may_fail),
        CASE(a_failed_bind_can_be_repeated),
        CASE(a_slot_is_kept_or_not),
        CASE(equal_networks_train_to_the_same_bits),
        CASE(training_resumes_from_counters_and_state),
        CASE(random_numbers_go_by_the_counters),
        CASE(without_momentum_no_velocity_is_kept),
        CASE(results_are_those_of_the_network),
        CASE(regression_has_no_accuracy),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

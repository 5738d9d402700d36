/* A network with data and a trainer, and the state of training to be compared bit for bit. */
#ifndef NN_TESTS_RIG_H
#define NN_TESTS_RIG_H

#include <string.h>

#include "helpers.h"

enum { N_IN = 3, N_OUT = 2, N_ROWS = 12, BATCH = 5, N_STEPS = 3, ROOM = 1024 };

/* One network with dropout, data and a trainer. */
typedef struct rig {
    nn_real x[N_ROWS][N_IN];
    int32_t labels[N_ROWS];
    nn_network *network;
    nn_data *data;
    nn_trainer *trainer;
    nn_epoch settings; /* momentum, both penalties, shuffled */
} rig;

static inline nn_status make_network(nn_network **network) {
    const nn_layer layers[] = {nn_dense(6, NN_ACTIVATION_TANH), nn_dropout(0.25),
                               nn_dense(N_OUT, NN_ACTIVATION_SIGMOID)};
    return nn_network_create(network, N_IN, layers, COUNT(layers), NN_COST_CROSS_ENTROPY, 3);
}

/* Makes everything but the binding. What a failure leaves NULL may be freed. */
static inline nn_status make_rig(rig *r) {
    *r = (rig){.settings = nn_epoch_defaults()};
    r->settings.optimizer.learning_rate = 0.5;
    r->settings.optimizer.momentum = 0.5;
    r->settings.l1 = 0.01;
    r->settings.l2 = 0.1;
    r->settings.seed = 4;
    for (size_t i = 0; i < N_ROWS; i++) {
        for (size_t j = 0; j < N_IN; j++) r->x[i][j] = (nn_real)((i * 7 + j * 5) % 11) / 11;
        r->labels[i] = (int32_t)(i % 3 == 0);
    }
    NN_TRY(make_network(&r->network));
    NN_TRY(try_wrap(&r->data, r->x[0], N_ROWS, N_IN));
    NN_TRY(nn_data_set_labels(r->data, r->labels, N_OUT));
    return nn_trainer_create(&r->trainer, r->network);
}

static inline nn_status bind(rig *r) {
    return nn_trainer_bind(r->trainer, r->data, BATCH, &r->settings.optimizer);
}

static inline void free_rig(rig *r) {
    nn_trainer_free(r->trainer);
    nn_data_free(r->data);
    nn_network_free(r->network);
}

static inline void make_bound(rig *r) {
    CHECK_STATUS(make_rig(r), NN_OK);
    CHECK_STATUS(bind(r), NN_OK);
}

static inline nn_status epoch(rig *r) {
    nn_epoch_result result;
    return nn_train_epoch(r->trainer, &r->settings, &result);
}

/* ---- the state of training, to be compared bit for bit -------------------------------------- */

typedef struct state {
    nn_real parameters[ROOM], velocity[ROOM]; /* nn_network_extent of them */
    size_t extent;
    uint64_t epochs, steps;
} state;

static inline state state_of(const nn_network *network, const nn_trainer *trainer) {
    state s = {.extent = nn_network_extent(network),
               .epochs = nn_network_epochs(network),
               .steps = nn_network_steps(network)};
    const nn_real *velocity = nn_trainer_slot(trainer, 0);
    CHECK(s.extent <= ROOM);
    memcpy(s.parameters, nn_network_parameter(network, 0).values, s.extent * sizeof(nn_real));
    if (velocity != NULL) memcpy(s.velocity, velocity, s.extent * sizeof(nn_real));
    return s;
}

static inline bool same_parameters(const state *a, const state *b) {
    return a->extent == b->extent &&
           memcmp(a->parameters, b->parameters, a->extent * sizeof(nn_real)) == 0;
}

static inline bool same(const state *a, const state *b) {
    return same_parameters(a, b) && a->epochs == b->epochs && a->steps == b->steps &&
           memcmp(a->velocity, b->velocity, a->extent * sizeof(nn_real)) == 0;
}

#endif

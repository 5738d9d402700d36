#include <pthread.h>

#include "base/threads.h"
#include "public/objects.h"

/* ---- start ---------------------------------------------------------------------------------- */

/* The kernel table of this process, and how the start ended. Written once. */
static pthread_once_t started = PTHREAD_ONCE_INIT;
static const nn__vector_kernels *chosen_vector;
static nn__cpu_level chosen_level;
static nn_status start_status;

static void start(void) {
    start_status = nn__cpu_choose(&chosen_level);
    if (start_status != NN_OK) return;
    start_status = nn__threads_start();
    if (start_status != NN_OK) return;
    chosen_vector = nn__vector_table(chosen_level);
    nn__sparse_start(chosen_level);
    nn__gemm_start(chosen_level);
}

nn_status nn_start(void) {
    pthread_once(&started, start);
    return start_status;
}

const nn__vector_kernels *nn__vector(void) {
    return chosen_vector;
}

const char *nn_kernels(void) {
    return nn__cpu_name(chosen_level);
}

const char *nn_kernels_rule(const char *word) {
    return nn__cpu_rule(word, nn__cpu_best());
}

const char *nn_blis_kernels(void) {
    return nn__gemm_kernels();
}

const char *nn_blis_version(void) {
    return nn__gemm_version();
}

size_t nn_allocation_count(void) {
    return nn__allocation_count();
}

void nn_allocation_fail_at(size_t k) {
    nn__allocation_fail_at(k);
}

/* ---- layers --------------------------------------------------------------------------------- */

nn_layer nn_dense(size_t units, nn_activation activation) {
    return (nn_layer){.kind = NN_LAYER_DENSE, .units = units, .activation = activation};
}

nn_layer nn_activate(nn_activation activation) {
    return (nn_layer){.kind = NN_LAYER_ACTIVATION, .activation = activation};
}

nn_layer nn_dropout(double p) {
    return (nn_layer){.kind = NN_LAYER_DROPOUT, .p = p};
}

size_t nn_cost_pair(nn_cost cost, nn_activation output) {
    const nn__loss *loss = nn__loss_find(cost, output);
    return loss != NULL ? loss->fewest_outputs : 0;
}

/* ---- making and freeing --------------------------------------------------------------------- */

nn_status nn_network_create(nn_network **network, size_t n_inputs, const nn_layer *layers,
                            size_t n_layers, nn_cost cost, uint64_t seed) {
    *network = NULL;
    NN_TRY(nn_start());
    nn_network *made = nn__allocate(1, sizeof *made);
    if (made == NULL) return NN_ERROR_MEMORY;
    nn_status status = nn__plan_make(&made->plan, n_inputs, layers, n_layers, cost);
    if (status == NN_OK) {
        made->parameters = made->plan.arena;
        status = nn__arena_open(&made->parameters);
    }
    if (status != NN_OK) {
        nn_network_free(made);
        return status;
    }
    made->vector = nn__vector();
    nn_network_set_threads(made, 1);
    nn_network_initialize(made, seed);
    *network = made;
    return NN_OK;
}

void nn_network_free(nn_network *network) {
    if (network == NULL) return;
    nn__desk_free(atomic_load(&network->desk));
    nn__arena_close(&network->parameters);
    nn__plan_free(&network->plan);
    nn__release(network);
}

void nn_network_initialize(nn_network *network, uint64_t seed) {
    const nn__plan *plan = &network->plan;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const nn__node *node = &plan->nodes[i];
        if (node->kind->init != NULL)
            node->kind->init(plan, node, network->parameters.values, seed);
    }
    nn_network_set_counters(network, 0, 0);
}

/* ---- looking at it -------------------------------------------------------------------------- */

size_t nn_network_n_inputs(const nn_network *network) {
    return network->plan.n_inputs;
}

size_t nn_network_n_outputs(const nn_network *network) {
    return network->plan.n_outputs;
}

size_t nn_network_n_classes(const nn_network *network) {
    return nn__loss_n_classes(network->plan.n_outputs);
}

nn_activation nn_network_output(const nn_network *network) {
    return network->plan.loss->output;
}

bool nn_network_is_regression(const nn_network *network) {
    return nn__loss_is_regression(network->plan.loss, network->plan.n_outputs);
}

size_t nn_network_n_tensors(const nn_network *network) {
    return network->plan.n_tensors;
}

nn_parameter nn_network_parameter(const nn_network *network, size_t i) {
    const nn__tensor *tensor = &network->plan.tensors[i];
    return (nn_parameter){.name = tensor->name,
                          .values = network->parameters.values + tensor->offset,
                          .ndim = tensor->ndim,
                          .shape = {tensor->shape[0], tensor->shape[1]},
                          .offset = tensor->offset,
                          .is_bias = tensor->is_bias};
}

bool nn_network_is_finite(const nn_network *network) {
    for (size_t i = 0; i < network->plan.n_tensors; i++) {
        const nn__tensor *tensor = &network->plan.tensors[i];
        const nn_real *values = network->parameters.values + tensor->offset;
        if (!network->vector->all_finite(values, tensor->count)) return false;
    }
    return true;
}

size_t nn_network_extent(const nn_network *network) {
    return network->parameters.size;
}

uint64_t nn_network_epochs(const nn_network *network) {
    return atomic_load(&network->epochs);
}

uint64_t nn_network_steps(const nn_network *network) {
    return atomic_load(&network->steps);
}

size_t nn_network_threads(const nn_network *network) {
    return atomic_load(&network->n_threads);
}

void nn_network_set_threads(nn_network *network, size_t n_threads) {
    atomic_store(&network->n_threads, n_threads > 0 ? n_threads : 1);
}

void nn_network_set_counters(nn_network *network, uint64_t epochs, uint64_t steps) {
    atomic_store(&network->epochs, epochs);
    atomic_store(&network->steps, steps);
}

/* A start that fails: fork has no memory to remember our handlers. */
#include <errno.h>
#include <pthread.h>

#include "check.h"
#include "public/nnlearn.h"

/* In place of the C library's. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    (void)prepare, (void)parent, (void)child;
    return ENOMEM;
}

static void a_start_without_memory_says_so_each_time(void) {
    CHECK_STATUS(nn_start(), NN_ERROR_MEMORY);
    CHECK_STATUS(nn_start(), NN_ERROR_MEMORY);
}

static void no_network_is_made_after_it(void) {
    const nn_layer layer = nn_dense(1, NN_ACTIVATION_SIGMOID);
    nn_network *network = NULL;
    CHECK_STATUS(nn_network_create(&network, 1, &layer, 1, NN_COST_QUADRATIC, 1), NN_ERROR_MEMORY);
    CHECK(network == NULL);
}

int main(void) {
    static const check_case cases[] = {
        CASE(a_start_without_memory_says_so_each_time),
        CASE(no_network_is_made_after_it),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

/* Times nn_gradient called from C: benchmarks/gradient_in_c.py compiles this with the core, in
 * double. One network with a hidden layer of tanh units, linear outputs, the quadratic cost. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "public/nnlearn.h"

typedef struct driver {
    nn_network *network;
    nn_data *data;
    double *gradient; /* (nn_network_extent,) */
} driver;

#define SHOWN __attribute__((visibility("default")))

SHOWN driver *driver_create(const double *x, const double *targets, size_t n_rows, size_t n_in,
                            size_t n_hidden, size_t n_out, const double *const *parameters);
SHOWN double driver_seconds(driver *d, size_t calls, double *cost);
SHOWN void driver_free(driver *d);

void driver_free(driver *d) {
    if (d == NULL) return;
    nn_data_free(d->data);
    nn_network_free(d->network);
    free(d->gradient);
    free(d);
}

/* x (n_rows, n_in), which must stay; targets (n_rows, n_out); parameters W1, b1, W2, b2 as nnlearn
 * keeps them. NULL where anything fails. */
driver *driver_create(const double *x, const double *targets, size_t n_rows, size_t n_in,
                      size_t n_hidden, size_t n_out, const double *const *parameters) {
    driver *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    const nn_layer layers[] = {
        nn_dense(n_hidden, NN_ACTIVATION_TANH),
        nn_dense(n_out, NN_ACTIVATION_LINEAR),
    };
    const nn_input input = {
        .values = x,
        .dtype = NN_DTYPE_FLOAT64,
        .n_rows = n_rows,
        .n_columns = n_in,
        .row_stride = (ptrdiff_t)(n_in * sizeof *x),
    };
    nn_status status = nn_network_create(&d->network, n_in, layers, 2, NN_COST_QUADRATIC, 0);
    if (status == NN_OK) status = nn_data_create(&d->data, &input);
    if (status == NN_OK) status = nn_data_set_targets(d->data, targets, n_out);
    if (status == NN_OK) d->gradient = calloc(nn_network_extent(d->network), sizeof(double));
    if (d->gradient == NULL) {
        driver_free(d);
        return NULL;
    }
    for (size_t i = 0; i < nn_network_n_tensors(d->network); i++) {
        nn_parameter p = nn_network_parameter(d->network, i);
        size_t n = p.shape[0] * (p.ndim == 2 ? p.shape[1] : 1);
        memcpy(p.values, parameters[i], n * sizeof(double));
    }
    return d;
}

/* Mean seconds of a call; the cost that the last one gave. Negative where one fails. */
double driver_seconds(driver *d, size_t calls, double *cost) {
    const nn_gradient_options options = nn_gradient_defaults();
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (size_t i = 0; i < calls; i++)
        if (nn_gradient(d->network, d->data, &options, d->gradient, cost, NULL, NULL) != NN_OK)
            return -1.0;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds = (double)(ended.tv_sec - began.tv_sec);
    seconds += 1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
    return seconds / (double)calls;
}

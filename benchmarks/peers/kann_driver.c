/* Trains networks with one hidden layer by KANN, with plain SGD or momentum: what
 * benchmarks/peers/kann.py calls. KANN computes the gradient; the rest is here. */
#include <stdlib.h>
#include <string.h>

#include "kann.h"

typedef struct driver {
    kann_t *net;
    int n_in, n_out, batch_size;
    float *x, *y, *velocity;
} driver;

void driver_free(driver *d) {
    if (d == NULL) return;
    if (d->net != NULL) kann_delete(d->net);
    free(d->x);
    free(d->y);
    free(d->velocity);
    free(d);
}

/* Sigmoids and the cross-entropy. parameters: W1 (n_hidden, n_in), b1, W2 (n_out, n_hidden), b2, one
 * after the other: KANN keeps its weights as (outputs, inputs). NULL without memory, or where KANN's
 * order of variables is another. */
driver *driver_create(int n_in, int n_hidden, int n_out, int batch_size, const float *parameters) {
    driver *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    kad_node_t *hidden = kad_sigm(kann_layer_dense(kann_layer_input(n_in), n_hidden));
    d->net = kann_new(kann_layer_cost(hidden, n_out, KANN_C_CEB), 0);
    d->n_in = n_in;
    d->n_out = n_out;
    d->batch_size = batch_size;
    d->x = malloc((size_t)batch_size * (size_t)n_in * sizeof(float));
    d->y = malloc((size_t)batch_size * (size_t)n_out * sizeof(float));
    d->velocity = calloc((size_t)kann_size_var(d->net), sizeof(float));
    int n_variables = n_in * n_hidden + n_hidden + n_hidden * n_out + n_out;
    if (d->x == NULL || d->y == NULL || d->velocity == NULL ||
        kann_size_var(d->net) != n_variables) {
        driver_free(d);
        return NULL;
    }
    memcpy(d->net->x, parameters, (size_t)n_variables * sizeof(float));
    return d;
}

/* Copies the variables out, in the order of driver_create. */
void driver_parameters(const driver *d, float *parameters) {
    memcpy(parameters, d->net->x, (size_t)kann_size_var(d->net) * sizeof(float));
}

/* v <- mu v - eta g - eta decay W ;  W <- W + v, for each tensor; biases have no decay. */
static void update(driver *d, float rate, float decay, float momentum) {
    size_t at = 0;
    for (int i = 0; i < d->net->n; i++) {
        const kad_node_t *node = d->net->v[i];
        if (!kad_is_var(node)) continue;
        size_t n = (size_t)kad_len(node);
        float shrink = node->n_d == 2 ? rate * decay : 0.0f;
        float *restrict w = d->net->x + at;
        float *restrict v = d->velocity + at;
        const float *restrict g = d->net->g + at;
        if (momentum > 0.0f) {
            for (size_t j = 0; j < n; j++) {
                v[j] = momentum * v[j] - rate * g[j] * (float)d->n_out - shrink * w[j];
                w[j] += v[j];
            }
        } else {
            float keep = 1.0f - shrink, scaled = rate * (float)d->n_out;
            for (size_t j = 0; j < n; j++) w[j] = keep * w[j] - scaled * g[j];
        }
        at += n;
    }
}

/* Steps over all whole batches of the order.   x (n, n_in), y (n, n_out), order (n,)
 * KANN's cost is averaged over the outputs as well: its gradient is multiplied by n_out. */
void driver_epoch(driver *d, const float *x, const float *y, const int *order, int n, float rate,
                  float decay, float momentum) {
    int m = d->batch_size;
    size_t n_in = (size_t)d->n_in, n_out = (size_t)d->n_out;
    kann_set_batch_size(d->net, m);
    kann_switch(d->net, 1);
    kann_feed_bind(d->net, KANN_F_IN, 0, &d->x);
    kann_feed_bind(d->net, KANN_F_TRUTH, 0, &d->y);
    for (int at = 0; at + m <= n; at += m) {
        for (int i = 0; i < m; i++) {
            size_t row = (size_t)order[at + i];
            memcpy(d->x + (size_t)i * n_in, x + row * n_in, n_in * sizeof(float));
            memcpy(d->y + (size_t)i * n_out, y + row * n_out, n_out * sizeof(float));
        }
        kann_cost(d->net, 0, 1);
        update(d, rate, decay, momentum);
    }
}

/* outputs (n, n_out) for x (n, n_in), all rows as one batch. */
void driver_forward(driver *d, const float *x, int n, float *outputs) {
    float *input = (float *)x; /* KANN reads it alone, but does not say so */
    kann_set_batch_size(d->net, n);
    kann_switch(d->net, 0);
    kann_feed_bind(d->net, KANN_F_IN, 0, &input);
    kann_eval(d->net, KANN_F_OUT, 0);
    const kad_node_t *out = d->net->v[kann_find(d->net, KANN_F_OUT, 0)];
    memcpy(outputs, out->x, (size_t)n * (size_t)d->n_out * sizeof(float));
}

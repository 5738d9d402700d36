#include "layers/init.h"

#include <math.h>
#include <stdio.h>

/* Standard deviations of a scheme. X. Glorot, Y. Bengio, AISTATS 2010 (xavier); K. He et al., ICCV
 * 2015 (he); M. Nielsen, "Neural Networks and Deep Learning", chapter 3 (scaled, large). */
static void deviations(const nn__node *node, double *weight_sd, double *bias_sd) {
    double n_in = (double)node->n_in, n_out = (double)node->n_out;
    *bias_sd = 0.0;
    switch (node->layer.init) {
    case NN_INIT_SCALED:
        *weight_sd = 1.0 / sqrt(n_in);
        *bias_sd = 1.0;
        break;
    case NN_INIT_LARGE:
        *weight_sd = *bias_sd = 1.0;
        break;
    case NN_INIT_XAVIER:
        *weight_sd = sqrt(2.0 / (n_in + n_out));
        break;
    case NN_INIT_HE:
        *weight_sd = sqrt(2.0 / n_in);
        break;
    case NN_INIT_NORMAL:
        *weight_sd = node->layer.init_sd;
        break;
    case NN_INIT_ZEROS:
    default:
        *weight_sd = 0.0;
    }
}

/* values (count,) = sd times the deviates of the stream `name`. */
static void fill(nn_real *values, size_t count, double sd, uint64_t seed, const char *name) {
    enum { CHUNK = 256 };
    double deviates[CHUNK];
    nn__stream stream = nn__stream_open(seed, name);
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t n = count - first < CHUNK ? count - first : CHUNK;
        if (sd != 0.0) nn__stream_normals(&stream, first, deviates, n);
        for (size_t i = 0; i < n; i++)
            values[first + i] = sd != 0.0 ? (nn_real)(sd * deviates[i]) : 0;
    }
}

void nn__init_dense(const nn__node *node, nn_real *weight, nn_real *bias, uint64_t seed) {
    double weight_sd, bias_sd;
    char name[NN_NAME_SIZE + 8];
    deviations(node, &weight_sd, &bias_sd);
    snprintf(name, sizeof name, "%s.weight", node->name);
    fill(weight, node->n_in * node->n_out, weight_sd, seed, name);
    snprintf(name, sizeof name, "%s.bias", node->name);
    fill(bias, node->n_out, bias_sd, seed, name);
}

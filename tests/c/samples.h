/* Six samples of four inputs, for networks of three outputs or of one. */
#ifndef NN_TESTS_SAMPLES_H
#define NN_TESTS_SAMPLES_H

#include "helpers.h"

enum { N_SAMPLES = 6, N_IN = 4, N_OUT = 3 };

/* Six samples with weights; labels or, for one output, targets of its kind. */
static inline nn_data *make_samples(const nn_real *x, bool one_output) {
    const int32_t labels[] = {0, 1, 2, 2, 0, 1}, bits[] = {0, 1, 1, 0, 0, 1};
    const nn_real weights[] = {1, 2, (nn_real)0.5, 1, 0, 3};
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    if (one_output)
        CHECK_STATUS(nn_data_set_labels(data, bits, 2), NN_OK);
    else
        CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_set_weights(data, weights), NN_OK);
    return data;
}

#endif

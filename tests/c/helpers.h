/* What the C tests share beside check.h: this build's numbers, random ones, data over an array. */
#ifndef NN_TESTS_HELPERS_H
#define NN_TESTS_HELPERS_H

#include <float.h>

#include "base/rng.h"
#include "check.h"
#include "public/nnlearn.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#ifdef NN_DOUBLE
#define EPSILON DBL_EPSILON
#define LARGEST DBL_MAX
enum { REAL_DTYPE = NN_DTYPE_FLOAT64 };
#else
#define EPSILON ((double)FLT_EPSILON)
#define LARGEST FLT_MAX
enum { REAL_DTYPE = NN_DTYPE_FLOAT32 };
#endif

/* values (n,) = standard normal numbers. */
static inline void fill_normal(nn_real *values, size_t n, uint64_t seed) {
    nn__stream stream = nn__stream_open(seed, "test");
    for (size_t i = 0; i < n; i++) {
        double value;
        nn__stream_normals(&stream, i, &value, 1);
        values[i] = (nn_real)value;
    }
}

/* Data over x (n_rows, n_columns), row-major, of this build's numbers. */
static inline nn_status try_wrap(nn_data **data, const nn_real *x, size_t n_rows,
                                 size_t n_columns) {
    nn_input input = {x, REAL_DTYPE, n_rows, n_columns, (ptrdiff_t)(n_columns * sizeof *x)};
    return nn_data_create(data, &input);
}

/* The same, where that must not fail. */
static inline nn_data *wrap(const nn_real *x, size_t n_rows, size_t n_columns) {
    nn_data *data = NULL;
    CHECK_STATUS(try_wrap(&data, x, n_rows, n_columns), NN_OK);
    return data;
}

/* A network, where making it must not fail. */
static inline nn_network *make(size_t n_inputs, const nn_layer *layers, size_t n_layers,
                               nn_cost cost) {
    nn_network *network = NULL;
    CHECK_STATUS(nn_network_create(&network, n_inputs, layers, n_layers, cost, 5), NN_OK);
    return network;
}

#endif

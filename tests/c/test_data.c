/* Data: dtypes and strides, labels and targets, what a scan finds. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "helpers.h"
#include "samples.h"

/* ---- kinds of inputs ------------------------------------------------------------------------ */

enum { MANY = 2500 }; /* rows: more than a block of a scan */

enum { SIDE = 16 }; /* 256 numbers: one for every byte */

/* Whether both inputs give the same outputs, bit for bit. */
static bool same_outputs(const nn_input *one, const nn_input *other) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    const nn_input *inputs[] = {one, other};
    nn_real a[2][SIDE * N_OUT] = {{0}};
    nn_network *network = make(SIDE, &layer, 1, NN_COST_QUADRATIC);
    for (size_t i = 0; i < 2; i++) {
        nn_data *data = NULL;
        CHECK_STATUS(nn_data_create(&data, inputs[i]), NN_OK);
        CHECK(nn_data_n_rows(data) == inputs[i]->n_rows && nn_data_n_columns(data) == SIDE);
        CHECK_STATUS(nn_forward(network, data, a[i], NULL, NULL), NN_OK);
        nn_data_free(data);
    }
    nn_network_free(network);
    return memcmp(a[0], a[1], sizeof a[0]) == 0;
}

/* The same numbers as float32 and float64 (multiples of 1/256 are exact in both), and bytes beside
 * the float64 numbers that they stand for. */
static void the_three_dtypes_give_the_same(void) {
    static float single_x[SIDE][SIDE];
    static double double_x[SIDE][SIDE], of_bytes[SIDE][SIDE];
    static uint8_t bytes[SIDE][SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        bytes[i / SIDE][i % SIDE] = (uint8_t)i;
        of_bytes[i / SIDE][i % SIDE] = (double)i / 255.0;
        double_x[i / SIDE][i % SIDE] = (double)i / 256.0 - 0.5;
        single_x[i / SIDE][i % SIDE] = (float)double_x[i / SIDE][i % SIDE];
    }
    nn_input floats = {single_x, NN_DTYPE_FLOAT32, SIDE, SIDE, sizeof single_x[0]};
    nn_input doubles = {double_x, NN_DTYPE_FLOAT64, SIDE, SIDE, sizeof double_x[0]};
    nn_input scaled = {of_bytes, NN_DTYPE_FLOAT64, SIDE, SIDE, sizeof of_bytes[0]};
    nn_input raw = {bytes, NN_DTYPE_UINT8, SIDE, SIDE, sizeof bytes[0]};
    CHECK(same_outputs(&floats, &doubles));
    CHECK(same_outputs(&raw, &scaled));
    CHECK(!same_outputs(&raw, &doubles));
}

/* Rows apart, backwards, and one row again and again, for each size of a number. */
static void check_strides(int dtype, size_t size) {
    enum { WIDE = SIDE + 5 };
    unsigned char *wide = calloc(SIDE * WIDE, size), *tight = calloc(SIDE * SIDE, size);
    float *singles = (float *)(void *)wide;
    double *doubles = (double *)(void *)wide;
    for (size_t i = 0; i < SIDE * WIDE; i++)
        if (dtype == NN_DTYPE_FLOAT32)
            singles[i] = (float)(i * i % 97) / 97;
        else if (dtype == NN_DTYPE_FLOAT64)
            doubles[i] = (double)(i * i % 97) / 97;
        else
            wide[i] = (unsigned char)(i * i % 251);
    const ptrdiff_t stride = (ptrdiff_t)(WIDE * size), strides[] = {stride, -stride, 0};
    for (size_t s = 0; s < COUNT(strides); s++) {
        const unsigned char *first = strides[s] < 0 ? wide + (SIDE - 1) * WIDE * size : wide;
        for (ptrdiff_t r = 0; r < SIDE; r++)
            memcpy(tight + (size_t)r * SIDE * size, first + r * strides[s], SIDE * size);
        nn_input strided = {first, dtype, SIDE, SIDE, strides[s]};
        nn_input copied = {tight, dtype, SIDE, SIDE, (ptrdiff_t)(SIDE * size)};
        CHECK(same_outputs(&strided, &copied));
    }
    free(wide);
    free(tight);
}

static void rows_may_lie_anywhere(void) {
    check_strides(NN_DTYPE_FLOAT32, sizeof(float));
    check_strides(NN_DTYPE_FLOAT64, sizeof(double));
    check_strides(NN_DTYPE_UINT8, 1);
}

static void inputs_that_cannot_be_read_are_refused(void) {
    const double x[4] = {0};
    const nn_input good = {x, NN_DTYPE_FLOAT64, 2, 2, 2 * sizeof *x};
    nn_input odd = good, foreign = good, negative = good, thin = good, long_one = good;
    odd.row_stride = 9;
    nn_input shifted = good;
    shifted.values = (const char *)x + 1;
    foreign.dtype = 3;
    negative.dtype = -1;
    thin.n_columns = 0;
    long_one.n_rows = (size_t)UINT32_MAX + 1;
    const nn_input *inputs[] = {&odd, &shifted, &foreign, &negative, &thin, &long_one};
    for (size_t i = 0; i < COUNT(inputs); i++) {
        nn_data *data = (nn_data *)&data;
        CHECK_STATUS(nn_data_create(&data, inputs[i]), i < 4 ? NN_ERROR_ARGUMENT : NN_ERROR_SIZE);
        CHECK(data == NULL);
    }
    nn_data_free(NULL);
}

static void labels_and_targets_are_checked_and_copied(void) {
    int32_t labels[] = {0, 1, 2, 2, 0, 1};
    const int32_t high[] = {0, 1, 2, 3, 0, 1}, low[] = {0, -1, 2, 2, 0, 1};
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_real x[N_SAMPLES * N_IN];
    nn_evaluation before, after;
    fill_normal(x, COUNT(x), 18);
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *data = wrap(x, N_SAMPLES, N_IN);
    CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_QUADRATIC, &before, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_set_labels(data, high, N_OUT), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_labels(data, low, N_OUT), NN_ERROR_LABEL);
    CHECK_STATUS(nn_data_set_targets(data, x, 0), NN_ERROR_SIZE);
    CHECK_STATUS(nn_data_set_targets(data, x, SIZE_MAX / 2), NN_ERROR_SIZE);
    labels[0] = 2;
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_QUADRATIC, &after, NULL, NULL), NN_OK);
    CHECK(before.loss == after.loss && before.accuracy == after.accuracy);
    nn_data_free(data);
    nn_network_free(network);
}

/* Nothing is copied from where nothing is: with no rows the arrays may be NULL. */
static void no_rows_need_no_arrays(void) {
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_network *network = make(N_IN, &layer, 1, NN_COST_QUADRATIC);
    nn_data *none = wrap(NULL, 0, N_IN);
    CHECK_STATUS(nn_data_set_labels(none, NULL, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_set_targets(none, NULL, N_OUT), NN_OK);
    CHECK_STATUS(nn_data_set_weights(none, NULL), NN_OK);
    CHECK_STATUS(nn_forward(network, none, NULL, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_predict(network, none, NULL, NULL, NULL), NN_OK);
    nn_data_free(none);
    nn_network_free(network);
}

/* What nn_data_scan finds, also past its first 1024 rows. */
static void a_scan_finds_the_first_bad_number(void) {
    static nn_real x[MANY * N_IN];
    nn_scan scan;
    nn_data *data = wrap(x, MANY, N_IN), *none = wrap(x, 0, N_IN);
    x[5] = 7;
    CHECK_STATUS(nn_data_scan(data, true, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == 7);
    x[2000 * N_IN + 3] = (nn_real)NAN;
    x[2001 * N_IN] = (nn_real)INFINITY;
    CHECK_STATUS(nn_data_scan(data, true, NULL, NULL, &scan), NN_OK);
    CHECK(!scan.finite && scan.row == 2000 && scan.column == 3);
    CHECK_STATUS(nn_data_scan(none, true, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == -HUGE_VAL);
    const double vast[] = {1, 1e300}; /* infinite in float */
    nn_input input = {vast, NN_DTYPE_FLOAT64, 1, 2, sizeof vast};
    nn_data *doubles = NULL;
    CHECK_STATUS(nn_data_create(&doubles, &input), NN_OK);
    CHECK_STATUS(nn_data_scan(doubles, true, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite == (sizeof(nn_real) == sizeof(double)));
    nn_data_free(doubles);
    const uint8_t bytes[] = {3, 200, 5, 1};
    input = (nn_input){bytes, NN_DTYPE_UINT8, 2, 2, 2};
    nn_data *raw = NULL;
    CHECK_STATUS(nn_data_create(&raw, &input), NN_OK);
    CHECK_STATUS(nn_data_scan(raw, true, NULL, NULL, &scan), NN_OK);
    CHECK(scan.finite && scan.largest == 200);
    nn_data_free(raw);
    nn_data_free(none);
    nn_data_free(data);
}

/* ---- guarded data --------------------------------------------------------------------------- */

enum { WIDE = 80, GUARDED = 1500 }; /* rows: more than a block of an evaluation */

/* What every look at the network through this data returns, which must be the same for all. */
static nn_status status_of(const nn_network *network, const nn_data *data) {
    static nn_real a[GUARDED * N_OUT], gradient[2000];
    static int64_t classes[GUARDED];
    nn_evaluation found;
    double cost;
    const nn_gradient_options options = nn_gradient_defaults();
    CHECK(nn_network_extent(network) <= COUNT(gradient));
    nn_status status = nn_forward(network, data, a, NULL, NULL);
    CHECK_STATUS(nn_predict(network, data, classes, NULL, NULL), status);
    CHECK_STATUS(nn_evaluate(network, data, NN_COST_QUADRATIC, &found, NULL, NULL), status);
    CHECK_STATUS(nn_gradient(network, data, &options, gradient, &cost, NULL, NULL), status);
    CHECK_STATUS(nn_inspect(network, data, NULL, NULL, NULL, NULL, NULL), status);
    return status;
}

/* Puts a number somewhere into x (GUARDED, WIDE) of this precision; the data may hold up to 2. */
#define DEFINE_CHECK_GUARD(type, dtype)                                                            \
    static void check_guard_##type(const nn_network *network, type *x, size_t stride) {            \
        static const double bad[] = {NAN, HUGE_VAL, -HUGE_VAL, 2.5}, good[] = {2, -9, -0.0};       \
        static int32_t labels[GUARDED];                                                            \
        const nn_input input = {x, dtype, GUARDED, WIDE, (ptrdiff_t)(stride * sizeof *x)};         \
        nn_data *data = NULL;                                                                      \
        CHECK_STATUS(nn_data_create(&data, &input), NN_OK);                                        \
        CHECK_STATUS(nn_data_set_labels(data, labels, N_OUT), NN_OK);                              \
        CHECK_STATUS(status_of(network, data), NN_OK);                                             \
        nn_data_guard(data, 2);                                                                    \
        for (size_t row = 0; row < GUARDED; row += GUARDED - 1) {                                  \
            type *place = x + row * stride + WIDE - 1 - row % WIDE;                                \
            const type kept = *place;                                                              \
            for (size_t i = 0; i < COUNT(bad); i++) {                                              \
                *place = (type)bad[i];                                                             \
                CHECK_STATUS(status_of(network, data), NN_ERROR_NUMBER);                           \
            }                                                                                      \
            for (size_t i = 0; i < COUNT(good); i++) {                                             \
                *place = (type)good[i];                                                            \
                CHECK_STATUS(status_of(network, data), NN_OK);                                     \
            }                                                                                      \
            *place = kept;                                                                         \
        }                                                                                          \
        nn_data_free(data);                                                                        \
    }
DEFINE_CHECK_GUARD(float, NN_DTYPE_FLOAT32)
DEFINE_CHECK_GUARD(double, NN_DTYPE_FLOAT64)

/* Over sparse rows, told by the first ones, and over dense ones; rows together and apart. */
static void guarded_data_are_looked_at_on_the_way(void) {
    enum { APART = WIDE + 3 };
    static float singles[GUARDED * APART];
    static double doubles[GUARDED * APART];
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_network *network = make(WIDE, &layer, 1, NN_COST_QUADRATIC);
    for (size_t every = 1; every <= 10; every += 9) {
        for (size_t i = 0; i < COUNT(singles); i += every) doubles[i] = singles[i] = 0.25F;
        check_guard_float(network, singles, WIDE);
        check_guard_float(network, singles, APART);
        check_guard_double(network, doubles, WIDE);
        check_guard_double(network, doubles, APART);
        memset(singles, 0, sizeof singles);
        memset(doubles, 0, sizeof doubles);
    }
    nn_network_free(network);
}

/* A double is too large for float where it would round to infinity, found by a scan and by a guard
 * alike. */
static void numbers_too_large_are_those_that_round_to_infinity(void) {
    static double x[WIDE];
    static const double sizes[] = {0x1.fffffep+127, 0x1.fffffefffffffp+127, 0x1.ffffffp+127};
    const nn_layer layer = nn_dense(N_OUT, NN_ACTIVATION_SIGMOID);
    nn_network *network = make(WIDE, &layer, 1, NN_COST_QUADRATIC);
    const nn_input input = {x, NN_DTYPE_FLOAT64, 1, WIDE, sizeof x};
    nn_data *data = NULL;
    nn_real a[N_OUT];
    CHECK_STATUS(nn_data_create(&data, &input), NN_OK);
    nn_data_guard(data, HUGE_VAL);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const bool fits = i < 2 || sizeof(nn_real) == sizeof(double);
        nn_scan scan;
        x[WIDE / 2] = sizes[i];
        CHECK_STATUS(nn_data_scan(data, false, NULL, NULL, &scan), NN_OK);
        CHECK(scan.finite == fits);
        CHECK_STATUS(nn_forward(network, data, a, NULL, NULL), fits ? NN_OK : NN_ERROR_NUMBER);
    }
    nn_data_free(data);
    nn_network_free(network);
}

int main(void) {
    static const check_case cases[] = {
        CASE(the_three_dtypes_give_the_same),
        CASE(rows_may_lie_anywhere),
        CASE(inputs_that_cannot_be_read_are_refused),
        CASE(labels_and_targets_are_checked_and_copied),
        CASE(no_rows_need_no_arrays),
        CASE(a_scan_finds_the_first_bad_number),
        CASE(guarded_data_are_looked_at_on_the_way),
        CASE(numbers_too_large_are_those_that_round_to_infinity),
    };
    return check_run(cases, sizeof cases / sizeof *cases);
}

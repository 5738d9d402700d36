/* Augmentation: the loops over images at every CPU level, and nn_augment_apply and epochs through
 * nnlearn.h. */
#include <string.h>

#include "guarded.h"
#include "helpers.h"
#include "kernels/vector.h"

/* ---- the loops ------------------------------------------------------------------------------ */

/* Runs a check for every level that this CPU has, from the lowest. */
static void at_every_level(void (*check)(const nn__image_kernels *images)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        size_t before = check_failures;
        check(nn__vector_table((nn__cpu_level)level)->images);
        if (check_failures != before)
            printf("    at level %s\n", nn__cpu_name((nn__cpu_level)level));
    }
}

/* Number i of n drawn by `uniforms`, from the words of its block. */
static double uniform_of(const nn__stream *stream, size_t i, uint32_t row, uint64_t round) {
    const size_t turn = i / 128, half = i % 128 / 64, place = i % 64;
    const size_t block = 16 * turn + place % 32 / 2, word = 2 * (place / 32) + place % 2;
    uint32_t words[4];
    nn__stream_words(stream, (uint32_t)block, row, round, words);
    const uint32_t bits = half == 0 ? words[word] & 0xffff : words[word] >> 16;
    return (2.0 * bits + 1.0) / 65536.0 - 1.0;
}

static void check_uniforms(const nn__image_kernels *images) {
    const size_t sizes[] = {1, 127, 128, 129, 1568};
    const nn__stream stream = nn__stream_open(3, "elastic1");
    const uint32_t row = 4000000000u;
    const uint64_t round = UINT64_C(0x123456789abcdef0);
    for (size_t s = 0; s < COUNT(sizes); s++) {
        const size_t written = (sizes[s] + 127) / 128 * 128;
        nn_real *out = guarded(written, sizeof *out);
        size_t n_wrong = 0;
        images->uniforms(out, sizes[s], stream.key, row, round);
        for (size_t i = 0; i < written; i++)
            n_wrong += (double)out[i] != uniform_of(&stream, i, row, round);
        CHECK(n_wrong == 0);
        unguard(out, written, sizeof *out);
    }
}

static void uniform_numbers_are_those_of_the_stream(void) {
    at_every_level(check_uniforms);
}

enum { HEIGHT = 3, WIDTH = 5, STRIDE = 9, FRAMED = (HEIGHT + 3) * STRIDE };

/* Pixel (i, j) of the image, 0 outside it. */
static double pixel(ptrdiff_t i, ptrdiff_t j) {
    const bool inside = i >= 0 && i < HEIGHT && j >= 0 && j < WIDTH;
    return inside ? 1.0 + (double)(i * i) * 0.7 + (double)j * 1.3 : 0.0;
}

/* The image at a place, by the formula. */
static double bilinear(double x, double y) {
    const ptrdiff_t i = (ptrdiff_t)floor(y), j = (ptrdiff_t)floor(x);
    const double down = y - (double)i, right = x - (double)j;
    return (1 - down) * ((1 - right) * pixel(i, j) + right * pixel(i, j + 1)) +
           down * ((1 - right) * pixel(i + 1, j) + right * pixel(i + 1, j + 1));
}

/* The places x, y (n,) through `corners` and `interpolate`, in arrays of exactly their size. */
static void check_places(const nn__image_kernels *images, const nn_real *x, const nn_real *y,
                         const double *expected, size_t n) {
    const nn__frame frame = {HEIGHT, WIDTH, STRIDE};
    nn_real *framed = guarded(FRAMED, sizeof *framed), *out = guarded(n, sizeof *out);
    nn_real *X = guarded(n, sizeof *X), *Y = guarded(n, sizeof *Y);
    int32_t *corner = guarded(n, sizeof *corner);
    for (size_t k = 0; k < FRAMED; k++)
        framed[k] = (nn_real)pixel((ptrdiff_t)(k / STRIDE) - 1, (ptrdiff_t)(k % STRIDE) - 1);
    memcpy(X, x, n * sizeof *X);
    memcpy(Y, y, n * sizeof *Y);
    images->corners(corner, X, Y, &frame, n);
    images->interpolate(out, framed, STRIDE, corner, X, Y, n);
    for (size_t j = 0; j < n; j++) {
        CHECK(X[j] >= 0 && X[j] < 1 && Y[j] >= 0 && Y[j] < 1);
        CHECK_NEAR((double)out[j], expected[j], 64 * EPSILON);
    }
    unguard(framed, FRAMED, sizeof *framed);
    unguard(out, n, sizeof *out);
    unguard(X, n, sizeof *X);
    unguard(Y, n, sizeof *Y);
    unguard(corner, n, sizeof *corner);
}

static void check_interpolation(const nn__image_kernels *images) {
    enum { MOST = 61 };
    nn_real x[MOST], y[MOST];
    double expected[MOST];
    for (size_t n = 1; n <= MOST; n++) {
        for (size_t j = 0; j < n; j++) { /* on a grid of quarters, in and around the image */
            x[j] = (nn_real)(0.25 * (double)((j * 7 + n) % 36) - 2.0);
            y[j] = (nn_real)(0.25 * (double)((j * 5 + n) % 28) - 2.0);
            expected[j] = bilinear((double)x[j], (double)y[j]);
        }
        check_places(images, x, y, expected, n);
    }
}

static void interpolation_is_bilinear_with_zeros_outside(void) {
    at_every_level(check_interpolation);
}

static void check_far_places(const nn__image_kernels *images) {
    const nn_real far[] = {-1,
                           (nn_real)WIDTH,
                           (nn_real)-1e30,
                           (nn_real)1e30,
                           (nn_real)INFINITY,
                           (nn_real)-INFINITY,
                           (nn_real)NAN,
                           (nn_real)-NAN};
    nn_real x[COUNT(far) * COUNT(far)], y[COUNT(far) * COUNT(far)];
    const double zeros[COUNT(far) * COUNT(far)] = {0};
    for (size_t i = 0; i < COUNT(x); i++) x[i] = far[i % COUNT(far)], y[i] = far[i / COUNT(far)];
    check_places(images, x, y, zeros, COUNT(x));
}

static void places_beyond_the_frame_are_zero(void) {
    at_every_level(check_far_places);
}

static void levels_give_the_same_bits(void) {
    enum { N = 37 };
    const nn_real along_x[2] = {(nn_real)0.3, (nn_real)0.11}, c[4] = {1, (nn_real)0.2, 0, 2};
    const nn_real along_y[2] = {(nn_real)-0.7, (nn_real)0.09};
    const nn__frame frame = {HEIGHT, WIDTH, STRIDE};
    nn_real u[2 * N], X[4][N], Y[4][N];
    int32_t corner[4][N];
    fill_normal(u, 2 * N, 1);
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        const nn__image_kernels *images = nn__vector_table((nn__cpu_level)level)->images;
        images->places(X[level], Y[level], along_x, along_y, N);
        images->displace(X[level], Y[level], u, u + N, c, N);
        images->corners(corner[level], X[level], Y[level], &frame, N);
        CHECK(memcmp(X[level], X[0], sizeof X[0]) == 0);
        CHECK(memcmp(Y[level], Y[0], sizeof Y[0]) == 0);
        CHECK(memcmp(corner[level], corner[0], sizeof corner[0]) == 0);
    }
}

/* ---- through nnlearn.h ---------------------------------------------------------------------- */

enum { N_IMAGES = 9, SIDE = 4, PIXELS = SIDE * SIDE };

static nn_augment little(void) {
    return (nn_augment){.channels = 1,
                        .height = SIDE,
                        .width = SIDE,
                        .n_parts = 3,
                        .parts = {{NN_AUGMENT_SHIFT, 1, 0},
                                  {NN_AUGMENT_ROTATE, 20, 0},
                                  {NN_AUGMENT_ELASTIC, 2, 1}}};
}

static nn_status apply(const nn_augment *augment, const nn_data *data, void *out) {
    return nn_augment_apply(augment, data, 1, 0, 2, out, NULL, NULL);
}

static void what_is_out_of_range_is_refused(void) {
    const nn_real x[N_IMAGES * PIXELS] = {0};
    nn_real out[N_IMAGES * PIXELS];
    nn_data *data = wrap(x, N_IMAGES, PIXELS);
    nn_augment augment = little();
    CHECK_STATUS(apply(&augment, data, out), NN_OK);
    const nn_augment_part bad[] = {{NN_AUGMENT_SHIFT, -1, 0},
                                   {NN_AUGMENT_SHIFT, (double)NAN, 0},
                                   {NN_AUGMENT_ROTATE, (double)INFINITY, 0},
                                   {NN_AUGMENT_SCALE, 1, 0},
                                   {NN_AUGMENT_ELASTIC, 1, 0},
                                   {NN_AUGMENT_ELASTIC, 1, (double)NAN},
                                   {NN_AUGMENT_ELASTIC, 1, SIDE + 0.1},
                                   {(nn_augment_kind)99, 1, 1}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        augment.parts[1] = bad[i];
        CHECK_STATUS(apply(&augment, data, out), NN_ERROR_ARGUMENT);
    }
    augment = little();
    augment.n_parts = NN_AUGMENT_PARTS + 1;
    CHECK_STATUS(apply(&augment, data, out), NN_ERROR_ARGUMENT);
    augment = little();
    augment.width = SIDE + 1;
    CHECK_STATUS(apply(&augment, data, out), NN_ERROR_SHAPE);
    augment.width = SIZE_MAX;
    CHECK_STATUS(apply(&augment, data, out), NN_ERROR_SHAPE);
    nn_data_free(data);
}

static void images_that_are_too_large_are_refused(void) {
    nn_augment augment = little();
    const nn_real number = 0;
    nn_real out;
    const size_t wide = (size_t)1 << 31;
    const nn_input input = {&number, REAL_DTYPE, 0, wide, 0};
    nn_data *data = NULL;
    CHECK_STATUS(nn_data_create(&data, &input), NN_OK);
    augment.height = 1;
    augment.width = wide;
    CHECK_STATUS(apply(&augment, data, &out), NN_ERROR_SIZE);
    augment.channels = 0;
    CHECK_STATUS(apply(&augment, data, &out), NN_ERROR_SHAPE);
    nn_data_free(data);
}

static void a_foreign_dtype_or_a_sparse_form_alone_is_refused(void) {
    const int other = sizeof(nn_real) == sizeof(float) ? NN_DTYPE_FLOAT64 : NN_DTYPE_FLOAT32;
    const double x[N_IMAGES * PIXELS] = {0};
    double out[N_IMAGES * PIXELS];
    const nn_augment augment = little();
    const nn_input input = {x, other, 2, PIXELS, PIXELS * 4};
    nn_data *data = NULL, *alone = NULL;
    nn_sparse *sparse = NULL;
    CHECK_STATUS(nn_data_create(&data, &input), NN_OK);
    CHECK_STATUS(apply(&augment, data, out), NN_ERROR_ARGUMENT);
    CHECK_STATUS(nn_sparse_create(&sparse, data, 0, NULL, NULL), NN_OK);
    CHECK_STATUS(nn_data_create_sparse(&alone, sparse), NN_OK);
    CHECK_STATUS(apply(&augment, alone, out), NN_ERROR_ARGUMENT);
    nn_data_free(alone);
    nn_sparse_free(sparse);
    nn_data_free(data);
}

/* Counts the questions, and says stop at the last of them. */
static int stop_at(void *context, const nn_progress *progress) {
    size_t *left = context;
    CHECK(progress->total == 200);
    return (*left)-- == 0;
}

static void the_poll_function_stops_it(void) {
    static nn_real x[200 * PIXELS], out[200 * PIXELS];
    const nn_augment augment = little();
    nn_data *data = wrap(x, 200, PIXELS);
    size_t left = 1;
    CHECK_STATUS(nn_augment_apply(&augment, data, 1, 0, 1, out, stop_at, &left), NN_STOPPED);
    CHECK(left == SIZE_MAX);
    nn_data_free(data);
}

static void an_epoch_changes_images_of_exactly_the_size_of_x(void) {
    const nn_layer layers[] = {nn_dense(3, NN_ACTIVATION_SIGMOID)};
    nn_augment augment = little();
    nn_network *network = make(PIXELS, layers, 1, NN_COST_CROSS_ENTROPY);
    nn_real *x = guarded(N_IMAGES * PIXELS, sizeof *x);
    int32_t labels[N_IMAGES];
    for (size_t i = 0; i < N_IMAGES * PIXELS; i++) x[i] = (nn_real)(i % 11) / 11;
    for (size_t i = 0; i < N_IMAGES; i++) labels[i] = (int32_t)(i % 3);
    nn_data *data = wrap(x, N_IMAGES, PIXELS);
    nn_trainer *trainer = NULL;
    nn_epoch settings = nn_epoch_defaults();
    nn_epoch_result result = {0};
    settings.optimizer.learning_rate = 0.5;
    CHECK_STATUS(nn_data_set_labels(data, labels, 3), NN_OK);
    CHECK_STATUS(nn_trainer_create(&trainer, network), NN_OK);
    const nn_optimizer *optimizer = &settings.optimizer;
    CHECK_STATUS(nn_trainer_bind_augmented(trainer, data, 4, optimizer, &augment), NN_OK);
    const size_t before = nn_allocation_count();
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_OK);
    CHECK(nn_allocation_count() == before);
    CHECK(result.n_steps == 3 && isfinite(result.loss));
    augment.height = 1;
    CHECK_STATUS(nn_trainer_bind_augmented(trainer, data, 4, optimizer, &augment), NN_ERROR_SHAPE);
    augment = little();
    augment.parts[0].amount = -1;
    CHECK_STATUS(nn_trainer_bind_augmented(trainer, data, 4, optimizer, &augment),
                 NN_ERROR_ARGUMENT);
    CHECK_STATUS(nn_train_epoch(trainer, &settings, &result), NN_OK); /* it is bound still */
    nn_trainer_free(trainer);
    nn_data_free(data);
    nn_network_free(network);
    unguard(x, N_IMAGES * PIXELS, sizeof *x);
}

int main(void) {
    static const check_case cases[] = {
        CASE(uniform_numbers_are_those_of_the_stream),
        CASE(interpolation_is_bilinear_with_zeros_outside),
        CASE(places_beyond_the_frame_are_zero),
        CASE(levels_give_the_same_bits),
        CASE(what_is_out_of_range_is_refused),
        CASE(images_that_are_too_large_are_refused),
        CASE(a_foreign_dtype_or_a_sparse_form_alone_is_refused),
        CASE(the_poll_function_stops_it),
        CASE(an_epoch_changes_images_of_exactly_the_size_of_x),
    };
    return check_run(cases, COUNT(cases));
}

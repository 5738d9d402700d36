/* Smoothing by halves: the parts of an image at every CPU level, and two fields under a Gaussian
 * beside the sum it is defined by. */
#include "guarded.h"
#include "helpers.h"
#include "layers/smoothing.h"

/* Runs a check of images of all pairs of these sides for every level that this CPU has, from the
 * lowest. */
static void at_every_level(const size_t *sides, size_t n_sides,
                           void (*check)(const nn__vector_kernels *vector, size_t height,
                                         size_t width)) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++)
        for (size_t k = 0; k < n_sides * n_sides; k++) {
            const size_t height = sides[k / n_sides], width = sides[k % n_sides];
            size_t before = check_failures;
            check(nn__vector_table((nn__cpu_level)level), height, width);
            if (check_failures != before)
                printf("    %zu x %zu at level %s\n", height, width,
                       nn__cpu_name((nn__cpu_level)level));
        }
}

/* ---- the loops ------------------------------------------------------------------------------ */

/* Whole numbers, so that all sums are exact. */
static nn_real pixel(size_t i, size_t j) {
    return (nn_real)((i * 37 + j * 11 + i * j * 5) % 101);
}

static void check_parts(const nn__vector_kernels *vector, size_t height, size_t width) {
    enum { GAP = 3 }; /* behind each row */
    const size_t stride = width + GAP, rows = (height + 1) / 2, columns = (width + 1) / 2;
    const size_t half = columns + GAP, n_x = height * stride - GAP, n_parts = 4 * rows * half - GAP;
    nn_real *x = guarded(n_x, sizeof *x), *parts = guarded(n_parts, sizeof *parts);
    size_t n_wrong = 0, n_gaps = 0;
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++) x[i * stride + j] = pixel(i, j);
    vector->images->fold(parts, half, x, stride, height, width);
    for (size_t p = 0; p < 4; p++)
        for (size_t k = 0; k < rows * columns; k++) {
            const size_t i = k / columns, j = k % columns, below = height - 1 - i;
            const nn_real down = p < 2 ? 1 : -1, across = p % 2 == 0 ? 1 : -1;
            const nn_real sum = pixel(i, j) + across * pixel(i, width - 1 - j) +
                                down * pixel(below, j) +
                                down * across * pixel(below, width - 1 - j);
            n_wrong += parts[((p / 2 * rows + i) * 2 + p % 2) * half + j] != sum;
        }
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++) x[i * stride + j] = (nn_real)NAN;
    vector->images->unfold(x, stride, parts, half, height, width);
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < stride && i * stride + j < n_x; j++)
            if (j < width)
                n_wrong += x[i * stride + j] != 4 * pixel(i, j);
            else
                n_gaps += isnan((double)x[i * stride + j]) == 0;
    CHECK(n_wrong == 0);
    CHECK(n_gaps == 0);
    unguard(x, n_x, sizeof *x);
    unguard(parts, n_parts, sizeof *parts);
}

static void images_are_folded_to_their_parts_and_back(void) {
    static const size_t sides[] = {1, 2, 3, 6, 7, 8, 9, 14, 15, 16, 17, 28, 31, 32, 33, 61};
    at_every_level(sides, COUNT(sides), check_parts);
}

/* ---- under a Gaussian ----------------------------------------------------------------------- */

/* The index that i is reflected to, step by step. */
static size_t reflected(ptrdiff_t i, size_t n) {
    while (i < 0 || i >= (ptrdiff_t)n) i = i < 0 ? -1 - i : 2 * (ptrdiff_t)n - 1 - i;
    return (size_t)i;
}

/* sum_d g_d x[reflected(i + d)] / sum_d g_d for n numbers `step` apart; y likewise. */
static void convolve(double *y, const double *x, size_t n, size_t step, double sigma) {
    const size_t radius = (size_t)(4 * sigma + 0.5), n_weights = 2 * radius + 1;
    double *g = guarded(n_weights, sizeof *g), total = 0;
    for (size_t k = 0; k < n_weights; k++) {
        const double far = ((double)k - (double)radius) / sigma;
        total += g[k] = exp(-0.5 * far * far);
    }
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < n_weights; k++)
            sum += g[k] * x[reflected((ptrdiff_t)(i + k) - (ptrdiff_t)radius, n) * step];
        y[i * step] = sum / total;
    }
    unguard(g, n_weights, sizeof *g);
}

/* Two fields (2, height, width). The weights are rounded one by one and summed where several are
 * reflected to one place: a rounding for each, of numbers that sum to 1. */
static void check_fields(const nn__vector_kernels *vector, size_t height, size_t width,
                         double sigma) {
    const size_t stride = nn__padded(width), n = 2 * height * width, n_y = 2 * height * stride;
    const size_t n_work = nn__smooth_work(height, width);
    nn__arena arena = {0};
    const nn__smoothing smoothing = nn__smooth_lay_out(&arena, height, width, sigma);
    CHECK_STATUS(nn__arena_open(&arena), NN_OK);
    nn__smooth_make(&smoothing, arena.values, sigma);
    nn_real *x = guarded(n, sizeof *x), *y = guarded(n_y, sizeof *y);
    nn_real *work = guarded(n_work, sizeof *work);
    double *across = guarded(n, sizeof *across), *expected = guarded(n, sizeof *expected);
    fill_normal(x, n, 7);
    for (size_t i = 0; i < n; i++) expected[i] = (double)x[i];
    for (size_t i = 0; i < 2 * height; i++)
        convolve(across + i * width, expected + i * width, width, 1, sigma);
    for (size_t k = 0; k < 2 * width; k++) {
        const size_t at = k / width * height * width + k % width;
        convolve(expected + at, across + at, height, width, sigma);
    }
    nn__smooth(&smoothing, vector, arena.values, y, x, work);
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)y[i / width * stride + i % width] - expected[i]);
        worst = off <= worst ? worst : off; /* NaN too */
    }
    CHECK_NEAR(worst, 0, 16 * EPSILON);
    unguard(x, n, sizeof *x);
    unguard(y, n_y, sizeof *y);
    unguard(work, n_work, sizeof *work);
    unguard(across, n, sizeof *across);
    unguard(expected, n, sizeof *expected);
    nn__arena_close(&arena);
}

static void check_sigmas(const nn__vector_kernels *vector, size_t height, size_t width) {
    const double side = (double)(height < width ? height : width);
    const double sigmas[] = {1e-300, 0.13, 0.6, 1, 4, 5.5, side};
    for (size_t s = 0; s < COUNT(sigmas); s++)
        if (sigmas[s] <= side) check_fields(vector, height, width, sigmas[s]);
}

static void fields_are_the_sums_of_their_neighbours(void) {
    static const size_t sides[] = {1, 2, 7, 8, 28, 33};
    at_every_level(sides, COUNT(sides), check_sigmas);
}

static void large_fields_go_in_blocks(void) {
    for (int level = NN__CPU_PORTABLE; level <= (int)nn__cpu_best(); level++) {
        check_fields(nn__vector_table((nn__cpu_level)level), 150, 211, 2);
        check_fields(nn__vector_table((nn__cpu_level)level), 211, 150, 4);
        check_fields(nn__vector_table((nn__cpu_level)level), 90, 301, 20);
    }
}

int main(void) {
    static const check_case cases[] = {
        CASE(images_are_folded_to_their_parts_and_back),
        CASE(fields_are_the_sums_of_their_neighbours),
        CASE(large_fields_go_in_blocks),
    };
    return check_run(cases, COUNT(cases));
}

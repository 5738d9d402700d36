/* With sigma about 4 and 28 pixels G is full, so G x G^T is two products of matrices. But G is the
 * same from either end: G[n-1-i][n-1-k] = G[i][k]. So what is even about the middle stays even, and
 * what is odd stays odd. With sums and differences of a number and its mirror image,
 *
 *     s_k = x_k + x_(n-1-k)      y_i         = E s + O d      E[i][k] = (G[i][k] + G[i][n-1-k]) / 2
 *     d_k = x_k - x_(n-1-k)      y_(n-1-i)   = E s - O d      O[i][k] = (G[i][k] - G[i][n-1-k]) / 2
 *
 * i and k go up to the middle alone, and E and O together have half the numbers of G. Where n is
 * odd its middle has s = 2 x and d = 0, and half of G's column in E. So along both axes: a field is
 * folded to four parts of a quarter of its size (kernels/images.h), these are multiplied across and
 * down, and unfolded.
 *
 * In larger fields both products go in blocks and leave out what is zero: in E and O as in G, what
 * is more than 4 sigma from the diagonal. */
#include "layers/smoothing.h"

#include <math.h>

/* Rows and columns of a block. */
enum { BLOCK_ROWS = 16, BLOCK_COLUMNS = 32 };

/* Indices up to the middle, which is included. */
static size_t half_of(size_t n) {
    return n / 2 + n % 2;
}

double nn__smooth_taps(double height, double width, double sigma) {
    const double taps = 8.0 * sigma + 1.0;
    return fmin(taps + BLOCK_ROWS, 0.5 * height) + fmin(taps + BLOCK_COLUMNS, 0.5 * width);
}

/* ---- making --------------------------------------------------------------------------------- */

nn__smoothing nn__smooth_lay_out(nn__arena *arena, size_t height, size_t width, double sigma) {
    const size_t rows = half_of(height), columns = half_of(width);
    const size_t down = nn__arena_reserve(arena, 2 * rows * rows);
    const size_t across = nn__arena_reserve(arena, 2 * columns * nn__padded(columns));
    return (nn__smoothing){height, width, (size_t)(4.0 * sigma + 0.5), down, across};
}

/* The index in 0 .. n - 1 that i, anywhere, is reflected to. */
static size_t reflected(ptrdiff_t i, size_t n) {
    const ptrdiff_t period = 2 * (ptrdiff_t)n;
    const ptrdiff_t place = (i % period + period) % period;
    return (size_t)(place < (ptrdiff_t)n ? place : period - 1 - place);
}

/* The Gaussian at d pixels from its centre, not scaled. */
static double gaussian(ptrdiff_t d, double sigma) {
    const double x = (double)d / sigma; /* first, as the square of a tiny sigma is 0 */
    return exp(-0.5 * x * x);
}

/* E[i][k], then O[i][k], at i * row + k * column; both hold zeros. */
static void fill_halves(nn_real *E, nn_real *O, size_t n, size_t row, size_t column,
                        ptrdiff_t radius, double sigma) {
    double sum = 0.0;
    for (ptrdiff_t d = -radius; d <= radius; d++) sum += gaussian(d, sigma);
    for (size_t i = 0; i < half_of(n); i++)
        for (ptrdiff_t d = -radius; d <= radius; d++) {
            const nn_real g = (nn_real)(0.5 * gaussian(d, sigma) / sum);
            const size_t k = reflected((ptrdiff_t)i + d, n), mirror = n - 1 - k;
            const size_t at = i * row + (k < mirror ? k : mirror) * column;
            E[at] += g;
            if (k != mirror) O[at] += k < mirror ? g : -g;
        }
}

void nn__smooth_make(const nn__smoothing *s, nn_real *values, double sigma) {
    const size_t rows = half_of(s->height), columns = half_of(s->width);
    const size_t stride = nn__padded(columns);
    nn_real *down = values + s->down, *across = values + s->across;
    const ptrdiff_t radius = (ptrdiff_t)s->radius;
    fill_halves(down, down + rows * rows, s->height, rows, 1, radius, sigma);
    fill_halves(across, across + columns * stride, s->width, 1, stride, radius, sigma);
}

/* ---- smoothing ------------------------------------------------------------------------------ */

/* First and last + 1 of what row i of E or O, n numbers, reads. */
static size_t first_read(size_t i, size_t radius) {
    return i > radius ? i - radius : 0;
}

static size_t end_read(size_t i, size_t radius, size_t n) {
    return radius < n && i + radius + 1 < n ? i + radius + 1 : n;
}

/* y = x H^T, H one of E and O.   x, y (rows, half width), rows 2 padded half widths apart; Ht (half
 * width, padded half width) */
static void smooth_across(const nn__smoothing *s, const nn__product_kernels *products, nn_real *y,
                          const nn_real *x, const nn_real *Ht, size_t rows) {
    const size_t width = half_of(s->width), stride = nn__padded(width);
    for (size_t at = 0; at < stride; at += BLOCK_COLUMNS) {
        const size_t columns = stride - at < BLOCK_COLUMNS ? stride - at : BLOCK_COLUMNS;
        const size_t last = at + columns < width ? at + columns - 1 : width - 1;
        const size_t first = first_read(at, s->radius);
        const nn__weights W = {.values = (nn_real *)Ht + first * stride + at,
                               .n_in = end_read(last, s->radius, width) - first,
                               .stride = stride,
                               .columns = columns};
        products->dense_forward(y + at, 2 * stride, x + first, 2 * stride, rows, &W, NULL);
    }
}

/* y = H x, H one of E and O.   x, y (half height, `stride`), H (half height, half height) */
static void smooth_down(const nn__smoothing *s, const nn__product_kernels *products, nn_real *y,
                        nn_real *x, const nn_real *H, size_t stride) {
    const size_t height = half_of(s->height);
    const size_t block = height <= 2 * BLOCK_ROWS ? height : BLOCK_ROWS;
    for (size_t at = 0; at < height; at += block) {
        const size_t rows = height - at < block ? height - at : block;
        const size_t first = first_read(at, s->radius);
        const nn__weights W = {.values = x + first * stride,
                               .n_in = end_read(at + rows - 1, s->radius, height) - first,
                               .stride = stride,
                               .columns = stride};
        products->dense_forward(y + at * stride, stride, H + at * height + first, height, rows, &W,
                                NULL);
    }
}

/* The parts of two fields, (2, 2, half height, 2, padded half width). */
static size_t parts_size(size_t height, size_t width) {
    return 8 * half_of(height) * nn__padded(half_of(width));
}

size_t nn__smooth_work(size_t height, size_t width) {
    return 2 * parts_size(height, width);
}

void nn__smooth(const nn__smoothing *s, const nn__vector_kernels *vector, const nn_real *values,
                nn_real *y, const nn_real *x, nn_real *work) {
    const size_t height = s->height, width = s->width, stride = nn__padded(width);
    const size_t rows = half_of(height), half = nn__padded(half_of(width));
    const size_t size = 2 * rows * half; /* of what is even or odd along y */
    const nn_real *down = values + s->down, *across = values + s->across;
    nn_real *parts = work, *other = work + parts_size(height, width);
    for (size_t f = 0; f < 2; f++)
        vector->images->fold(parts + f * 2 * size, half, x + f * height * width, width, height,
                             width);
    for (size_t odd = 0; odd < 2; odd++)
        smooth_across(s, vector->products, other + odd * half, parts + odd * half,
                      across + odd * half_of(width) * half, 4 * rows);
    for (size_t p = 0; p < 4; p++)
        smooth_down(s, vector->products, parts + p * size, other + p * size,
                    down + p % 2 * rows * rows, 2 * half);
    for (size_t f = 0; f < 2; f++)
        vector->images->unfold(y + f * height * stride, stride, parts + f * 2 * size, half, height,
                               width);
}

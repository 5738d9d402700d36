/* The bodies of images.h's table, compiled once a CPU level: the including file has defined
 * NN_IMAGE_TABLE_NAME. Every level gives the same bits: no product is fused with a sum.
 *
 * Philox4x32-10 as in base/rng.c, here for many blocks at once, each word in a lane of 64 bits: a
 * product of 32-bit words then has its lane, and what stands above a word is never looked at. */
#include <stdbool.h>

#include "kernels/images.h"
#include "kernels/simd.h"

/* Blocks of one turn, whole vectors of words at every level. */
enum { TURN_BLOCKS = 16, TURN_WORDS = 4 * TURN_BLOCKS };

/* Vectors of blocks worked on in step, as one alone would wait for its products; their blocks; and
 * the rounds of Philox. */
enum { ABREAST = 2, STEP = ABREAST * WORDS, ROUNDS = 10 };

static SIMD_INLINE words words_all(uint64_t x) {
    words w;
    for (int i = 0; i < WORDS; i++) w[i] = x;
    return w;
}

/* The keys of the rounds, in every lane. */
static SIMD_INLINE void round_keys(words keys[ROUNDS][2], const uint32_t key[2]) {
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < ROUNDS; i++) {
        keys[i][0] = words_all(k0);
        keys[i][1] = words_all(k1);
        k0 += UINT32_C(0x9e3779b9);
        k1 += UINT32_C(0xbb67ae85);
    }
}

/* The words of STEP blocks whose first counters are c0: pairs[v][0] holds the first and second word
 * of each block of vector v, pairs[v][1] the third and fourth. */
static SIMD_INLINE void philox(words pairs[ABREAST][2], words c0[ABREAST], uint32_t row,
                               uint64_t round, words keys[ROUNDS][2]) {
    const words m0 = words_all(UINT64_C(0xd2511f53)), m1 = words_all(UINT64_C(0xcd9e8d57));
    words c1[ABREAST], c2[ABREAST], c3[ABREAST];
    for (int v = 0; v < ABREAST; v++) {
        c1[v] = words_all(row);
        c2[v] = words_all((uint32_t)round);
        c3[v] = words_all(round >> 32);
    }
    for (int i = 0; i < ROUNDS; i++)
        for (int v = 0; v < ABREAST; v++) {
            const words p0 = words_multiply_low(c0[v], m0), p1 = words_multiply_low(c2[v], m1);
            c0[v] = (p1 >> 32) ^ (c1[v] ^ keys[i][0]);
            c2[v] = (p0 >> 32) ^ (c3[v] ^ keys[i][1]);
            c1[v] = p1;
            c3[v] = p0;
        }
    for (int v = 0; v < ABREAST; v++) {
        pairs[v][0] = (c0[v] & words_all(UINT32_MAX)) | c1[v] << 32;
        pairs[v][1] = (c2[v] & words_all(UINT32_MAX)) | c3[v] << 32;
    }
}

static void uniforms(nn_real *restrict out, size_t n, const uint32_t key[2], uint32_t row,
                     uint64_t round) {
    const nn_real scale = (nn_real)0x1p-15, least = (nn_real)(0x1p-16 - 1.0);
    words index, keys[ROUNDS][2];
    for (size_t i = 0; i < WORDS; i++) index[i] = i;
    round_keys(keys, key);
    for (size_t block = 0; 8 * block < n; block += TURN_BLOCKS, out += 2 * TURN_WORDS) {
        uint32_t bits[TURN_WORDS];
        for (size_t b = 0; b < TURN_BLOCKS; b += STEP) {
            words c0[ABREAST], pairs[ABREAST][2];
            for (size_t v = 0; v < ABREAST; v++) c0[v] = index + words_all(block + b + v * WORDS);
            philox(pairs, c0, row, round, keys);
            for (size_t v = 0; v < ABREAST; v++) {
                uint32_t *at = bits + 2 * (b + v * WORDS);
                memcpy(at, &pairs[v][0], sizeof pairs[v][0]);
                memcpy(at + 2 * TURN_BLOCKS, &pairs[v][1], sizeof pairs[v][1]);
            }
        }
        for (size_t i = 0; i < TURN_WORDS; i++) {
            out[i] = (nn_real)(int32_t)(bits[i] & 0xffff) * scale + least;
            out[TURN_WORDS + i] = (nn_real)(int32_t)(bits[i] >> 16) * scale + least;
        }
    }
}

/* ---- halves --------------------------------------------------------------------------------- */

/* n numbers, up to LANES: v[k] = p[k], or p[n - 1 - k]; the other lanes 0. */
static SIMD_INLINE vec load_some(const nn_real *p, size_t n, bool mirrored) {
    if (n == LANES) return mirrored ? vec_reverse(vec_load(p)) : vec_load(p);
    vec v = vec_all(0);
    for (size_t k = 0; k < n; k++) v[k] = p[mirrored ? n - 1 - k : k];
    return v;
}

/* The same, back. */
static SIMD_INLINE void store_some(nn_real *p, vec v, size_t n, bool mirrored) {
    if (n == LANES)
        vec_store(p, mirrored ? vec_reverse(v) : v);
    else
        for (size_t k = 0; k < n; k++) p[mirrored ? n - 1 - k : k] = v[k];
}

/* q = a + b + c + d,   a - b + c - d,   a + b - c - d,   a - b - c + d. */
static SIMD_INLINE void mix(vec q[4], vec a, vec b, vec c, vec d) {
    const vec even = a + c, odd = a - c, even_behind = b + d, odd_behind = b - d;
    q[0] = even + even_behind;
    q[1] = even - even_behind;
    q[2] = odd + odd_behind;
    q[3] = odd - odd_behind;
}

/* Where the n columns at j begin when all take n at a time: the last go back over some. */
static SIMD_INLINE size_t start_of(size_t j, size_t n, size_t columns) {
    return j + n <= columns ? j : columns - n;
}

/* `fold`, n columns at a time. */
static SIMD_INLINE void fold_by(size_t n, nn_real *restrict parts, size_t half,
                                const nn_real *restrict x, size_t stride, size_t height,
                                size_t width) {
    const size_t rows = (height + 1) / 2, columns = (width + 1) / 2;
    for (size_t i = 0; i < rows; i++) {
        const nn_real *top = x + i * stride, *bottom = x + (height - 1 - i) * stride;
        nn_real *even = parts + 2 * half * i, *odd = even + 2 * half * rows;
        for (size_t j = 0; j < columns; j += n) {
            const size_t at = start_of(j, n, columns), behind = width - n - at;
            vec q[4];
            mix(q, load_some(top + at, n, false), load_some(top + behind, n, true),
                load_some(bottom + at, n, false), load_some(bottom + behind, n, true));
            store_some(even + at, q[0], n, false);
            store_some(even + half + at, q[1], n, false);
            store_some(odd + at, q[2], n, false);
            store_some(odd + half + at, q[3], n, false);
        }
    }
}

static void fold(nn_real *restrict parts, size_t half, const nn_real *restrict x, size_t stride,
                 size_t height, size_t width) {
    if (width >= 2 * LANES - 1)
        fold_by(LANES, parts, half, x, stride, height, width);
    else
        fold_by((width + 1) / 2, parts, half, x, stride, height, width);
}

/* `unfold`, n columns at a time. */
static SIMD_INLINE void unfold_by(size_t n, nn_real *restrict x, size_t stride,
                                  const nn_real *restrict parts, size_t half, size_t height,
                                  size_t width) {
    const size_t rows = (height + 1) / 2, columns = (width + 1) / 2;
    for (size_t i = 0; i < rows; i++) {
        nn_real *top = x + i * stride, *bottom = x + (height - 1 - i) * stride;
        const nn_real *even = parts + 2 * half * i, *odd = even + 2 * half * rows;
        for (size_t j = 0; j < columns; j += n) {
            const size_t at = start_of(j, n, columns), behind = width - n - at;
            vec q[4];
            mix(q, load_some(even + at, n, false), load_some(even + half + at, n, false),
                load_some(odd + at, n, false), load_some(odd + half + at, n, false));
            store_some(top + at, q[0], n, false);
            store_some(top + behind, q[1], n, true);
            store_some(bottom + at, q[2], n, false);
            store_some(bottom + behind, q[3], n, true);
        }
    }
}

static void unfold(nn_real *restrict x, size_t stride, const nn_real *restrict parts, size_t half,
                   size_t height, size_t width) {
    if (width >= 2 * LANES - 1)
        unfold_by(LANES, x, stride, parts, half, height, width);
    else
        unfold_by((width + 1) / 2, x, stride, parts, half, height, width);
}

/* ---- places --------------------------------------------------------------------------------- */

static void places(nn_real *restrict X, nn_real *restrict Y, const nn_real x[2], const nn_real y[2],
                   size_t n) {
    const nn_real x0 = x[0], dx = x[1], y0 = y[0], dy = y[1];
    for (int32_t j = 0; j < (int32_t)n; j++) {
        X[j] = x0 + dx * (nn_real)j;
        Y[j] = y0 + dy * (nn_real)j;
    }
}

static void displace(nn_real *restrict X, nn_real *restrict Y, const nn_real *restrict u,
                     const nn_real *restrict v, const nn_real c[4], size_t n) {
    const nn_real xu = c[0], xv = c[1], yu = c[2], yv = c[3];
    for (size_t j = 0; j < n; j++) {
        X[j] += xu * u[j] + xv * v[j];
        Y[j] += yu * u[j] + yv * v[j];
    }
}

/* x within [-1, most], -1 for NaN. */
static inline nn_real within(nn_real x, nn_real most) {
    const nn_real above = x > -1 ? x : -1;
    return above < most ? above : most;
}

static void corners(int32_t *restrict corner, nn_real *restrict X, nn_real *restrict Y,
                    const nn__frame *frame, size_t n) {
    const nn_real width = (nn_real)frame->width, height = (nn_real)frame->height;
    const int32_t stride = (int32_t)frame->stride;
    for (size_t j = 0; j < n; j++) {
        const nn_real x = within(X[j], width) + 1, y = within(Y[j], height) + 1;
        const int32_t column = (int32_t)x, row = (int32_t)y;
        X[j] = x - (nn_real)column;
        Y[j] = y - (nn_real)row;
        corner[j] = row * stride + column;
    }
}

#if defined __SSE2__ && !defined NN_DOUBLE
#include <immintrin.h>

/* The pairs of numbers at four places: left[k] = p[corner[k]], right[k] = p[corner[k] + 1]. */
static SIMD_INLINE void load_pairs(__m128 *left, __m128 *right, const nn_real *p,
                                   const int32_t *corner) {
    __m128 low = _mm_setzero_ps(), high = low;
    low = _mm_loadl_pi(low, (const __m64 *)(const void *)(p + corner[0]));
    low = _mm_loadh_pi(low, (const __m64 *)(const void *)(p + corner[1]));
    high = _mm_loadl_pi(high, (const __m64 *)(const void *)(p + corner[2]));
    high = _mm_loadh_pi(high, (const __m64 *)(const void *)(p + corner[3]));
    *left = _mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0));
    *right = _mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1));
}

/* `interpolate` for four numbers after four others; returns how many. */
static size_t interpolate_fours(nn_real *restrict out, const nn_real *restrict framed,
                                size_t stride, const int32_t *restrict corner,
                                const nn_real *restrict X, const nn_real *restrict Y, size_t n) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        const __m128 x = _mm_loadu_ps(X + j), y = _mm_loadu_ps(Y + j);
        __m128 p0, p1, q0, q1;
        load_pairs(&p0, &p1, framed, corner + j);
        load_pairs(&q0, &q1, framed + stride, corner + j);
        const __m128 above = p0 + x * (p1 - p0), below = q0 + x * (q1 - q0);
        _mm_storeu_ps(out + j, above + y * (below - above));
    }
    return j;
}
#else
static size_t interpolate_fours(nn_real *restrict out, const nn_real *restrict framed,
                                size_t stride, const int32_t *restrict corner,
                                const nn_real *restrict X, const nn_real *restrict Y, size_t n) {
    (void)out, (void)framed, (void)stride, (void)corner, (void)X, (void)Y, (void)n;
    return 0;
}
#endif

static void interpolate(nn_real *restrict out, const nn_real *restrict framed, size_t stride,
                        const int32_t *restrict corner, const nn_real *restrict X,
                        const nn_real *restrict Y, size_t n) {
    for (size_t j = interpolate_fours(out, framed, stride, corner, X, Y, n); j < n; j++) {
        const nn_real *p = framed + corner[j], *q = p + stride;
        const nn_real above = p[0] + X[j] * (p[1] - p[0]);
        const nn_real below = q[0] + X[j] * (q[1] - q[0]);
        out[j] = above + Y[j] * (below - above);
    }
}

const nn__image_kernels NN_IMAGE_TABLE_NAME = {
    .uniforms = uniforms,
    .fold = fold,
    .unfold = unfold,
    .places = places,
    .displace = displace,
    .corners = corners,
    .interpolate = interpolate,
};

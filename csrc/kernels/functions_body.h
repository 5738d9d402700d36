/* Exponentials and what is made of them: the functions of vector.h's table, included by
 * vector_body.h and compiled once a CPU level.
 *
 * Each is a function of one number without branches, so that a loop over it becomes vector code,
 * run over blocks of LANES numbers. It consists of additions, multiplications, divisions and
 * operations on bits in one order, so every level gives the same bits.
 *
 * The method is that of W. Cody, W. Waite, "Software Manual for the Elementary Functions", 1980:
 * the argument is brought near 0 by powers of 2, a polynomial does the rest. The coefficients are
 * minimax, worked out for this file by Remez's exchange algorithm in 60 digits, then rounded; what
 * they minimise is the error relative to the function that the polynomial completes. */
#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/sum.h"

/* The numbers of nn_real's format: a word of its size, where the exponent stands, its bias, the
 * constant whose last bit is worth 1, the arguments of exp between which the result is neither 0
 * nor infinite, one of tanh from which on it is 1; ln 2 in two parts, the first with zeros at its
 * end so that its products with exponents are exact. */
#ifdef NN_DOUBLE
typedef uint64_t word;
enum { EXPONENT_AT = 52, EXPONENT_BIAS = 1023 };
#define REAL(x) (x)
#define LARGEST DBL_MAX
#define ROUNDER 0x1.8p52
#define EXP_LOWEST (-746.0)
#define EXP_HIGHEST 710.0
#define TANH_HIGHEST 20.0
#define LN2_HIGH 0x1.62e42ffp-1
#define LN2_LOW (-0x1.718432a1b0e26p-35)
#else
typedef uint32_t word;
enum { EXPONENT_AT = 23, EXPONENT_BIAS = 127 };
#define REAL(x) x##f
#define LARGEST FLT_MAX
#define ROUNDER 0x1.8p23f
#define EXP_LOWEST (-104.0f)
#define EXP_HIGHEST 89.0f
#define TANH_HIGHEST 10.0f
#define LN2_HIGH 0x1.62ep-1f
#define LN2_LOW 0x1.0bfbe8p-15f
#endif
#define ONE_OVER_LN2 REAL(0x1.71547652b82fep+0)
#define ROOT_HALF REAL(0x1.6a09e667f3bcdp-1)
#define SIGN_BIT ((word)1 << (8 * sizeof(word) - 1))

static inline word bits_of(nn_real x) {
    word bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline nn_real of_bits(word bits) {
    nn_real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* |x|, also of -0 and NaN. */
static inline nn_real magnitude(nn_real x) {
    return of_bits(bits_of(x) & ~SIGN_BIT);
}

/* a where `first`, else b; by bits, as a branch would keep a loop from becoming vector code. */
static inline nn_real choose(bool first, nn_real a, nn_real b) {
    const word mask = -(word)first;
    return of_bits((bits_of(a) & mask) | (bits_of(b) & ~mask));
}

/* x = n ln 2 + r with whole n and |r| <= ln(2)/2: returns e^r - 1 = r + r^2 q(r), q to 2e-17
 * (float: 2e-8) of that; *shifted = n + ROUNDER, whose last bits are n's. r is taken in two parts,
 * of which the first is exact. */
static inline nn_real reduced_exp(nn_real x, nn_real *shifted) {
    *shifted = x * ONE_OVER_LN2 + ROUNDER;
    nn_real n = *shifted - ROUNDER;
    nn_real high = x - n * LN2_HIGH, low = n * LN2_LOW, r = high - low, square = r * r;
#ifdef NN_DOUBLE
    nn_real odd = 0x1.af76a45fe0715p-26, even = 0x1.28a2ab81e32bcp-22;
    odd = odd * square + 0x1.71ddea09b0438p-19;
    even = even * square + 0x1.a019a685dc615p-16;
    odd = odd * square + 0x1.a01a01b5d6760p-13;
    even = even * square + 0x1.6c16c17f376bcp-10;
    odd = odd * square + 0x1.111111110e6d9p-7;
    even = even * square + 0x1.55555555520f4p-5;
    odd = odd * square + 0x1.555555555555cp-3;
    even = even * square + 0x1.0000000000005p-1;
    nn_real q = odd * r + even;
#else
    nn_real q = 0x1.6d990cp-10f;
    q = q * r + 0x1.1227fep-7f;
    q = q * r + 0x1.555486p-5f;
    q = q * r + 0x1.5554b0p-3f;
    q = q * r + 0.5f;
#endif
    return high + (square * q - low);
}

/* e^x = 2^n e^r for x <= EXP_HIGHEST. 2^n is multiplied in as two powers of about n/2 each, so that
 * a result beyond the normal numbers is rounded once: to a denormal one, 0 or infinity. */
static inline nn_real exp_bounded(nn_real x) {
    nn_real shifted, bounded = choose(x < EXP_LOWEST, EXP_LOWEST, x); /* NaN stays */
    nn_real e = (nn_real)1 + reduced_exp(bounded, &shifted);
    word biased = bits_of(shifted) - bits_of(ROUNDER) + 2 * EXPONENT_BIAS; /* n + twice the bias */
    word half = biased >> 1;
    return e * of_bits(half << EXPONENT_AT) * of_bits((biased - half) << EXPONENT_AT);
}

static inline nn_real exp_of(nn_real x) {
    return exp_bounded(choose(x > EXP_HIGHEST, EXP_HIGHEST, x));
}

/* 1/(1 + e^-x) from e = e^-|x|, which never overflows; for x < 0 it is e/(1 + e). */
static inline nn_real sigmoid_of(nn_real x) {
    nn_real e = exp_bounded(-magnitude(x)), numerator = choose(x < 0, e, 1);
    return numerator / ((nn_real)1 + e);
}

/* With e = e^-2|x|, tanh |x| = (1 - e)/(1 + e). Up to |x| = 1 the numerator comes from e^r - 1,
 * which is as exact for small x as for large; from there on 1 - 2e/(1 + e) rounds least. */
static inline nn_real tanh_of(nn_real x) {
    nn_real shifted, bounded = magnitude(x);
    bounded = choose(bounded > TANH_HIGHEST, TANH_HIGHEST, bounded);
    nn_real p = reduced_exp(-2 * bounded, &shifted);
    nn_real s = of_bits((bits_of(shifted) - bits_of(ROUNDER) + EXPONENT_BIAS) << EXPONENT_AT);
    nn_real e = s + s * p, e_minus_1 = s * p + (s - 1); /* s = 2^n, n <= 0 */
    bool near_one = bounded > 1;
    nn_real quotient = choose(near_one, 2 * e, e_minus_1) / (1 + e);
    nn_real a = choose(near_one, 1, 0) - quotient;
    return of_bits((bits_of(a) & ~SIGN_BIT) | (bits_of(x) & SIGN_BIT));
}

/* ln(1 + x) for x >= 0. With 1 + x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)), and s = f/(2 + f):
 *     ln(1 + f) = 2 artanh(s) = 2s + s w P(w) = f - s (f - w P(w)),   w = s^2
 * P to 2e-18 (float: 9e-10) of 2s. f comes from x, not from the rounded 1 + x. */
static inline nn_real log1p_of(nn_real x) {
    word k = (bits_of((nn_real)1 + x) - bits_of(ROOT_HALF)) >> EXPONENT_AT;
    nn_real scale = of_bits((EXPONENT_BIAS + 2 - k) << EXPONENT_AT); /* 4 2^-k: a normal number */
    nn_real n = of_bits(bits_of(ROUNDER) + k) - ROUNDER;             /* k as a number */
    nn_real f = x * scale / 4 + (scale / 4 - 1), s = f / (2 + f), w = s * s;
#ifdef NN_DOUBLE
    nn_real P = 0x1.2f07049fbfac3p-3;
    P = P * w + 0x1.39a1935140040p-3;
    P = P * w + 0x1.7466405abd066p-3;
    P = P * w + 0x1.c71c5202b91e8p-3;
    P = P * w + 0x1.24924941f8c7ep-2;
    P = P * w + 0x1.999999997fd38p-2;
    P = P * w + 0x1.5555555555592p-1;
#else
    nn_real P = 0x1.31e3b2p-2f;
    P = P * w + 0x1.995eb4p-2f;
    P = P * w + 0x1.55557ap-1f;
#endif
    nn_real log = n * LN2_HIGH + (f - (s * (f - w * P) - n * LN2_LOW));
    return choose(x <= LARGEST, log, x); /* infinity and NaN stay */
}

/* ---- over arrays ---------------------------------------------------------------------------- */

/* A block fills a vector of 512 bits in float and two in double. */
enum { LANES = 16 };

/* y = f(x) over one block.   y, x (LANES,) */
typedef void function_block(nn_real *restrict y, const nn_real *restrict x);

static inline void exp_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = exp_of(x[i]);
}

static inline void exp_bounded_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = exp_bounded(x[i]);
}

static inline void log1p_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = log1p_of(x[i]);
}

static inline void sigmoid_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = sigmoid_of(x[i]);
}

static inline void tanh_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = tanh_of(x[i]);
}

/* Block after block. What is left is worked out in a block that ends with the array and overlaps
 * the one before, or, where the array is shorter than a block, in a copy.   y, x (n,) */
static inline void over_blocks(function_block *f, nn_real *restrict y, const nn_real *restrict x,
                               size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) f(y + i, x + i);
    if (i == n) return;
    if (n > LANES) {
        f(y + n - LANES, x + n - LANES);
        return;
    }
    nn_real in[LANES] = {0}, out[LANES];
    memcpy(in, x, n * sizeof *x);
    f(out, in);
    memcpy(y, out, n * sizeof *y);
}

static void vector_exp(nn_real *restrict y, const nn_real *restrict x, size_t n) {
    over_blocks(exp_block, y, x, n);
}

static void vector_log1p(nn_real *restrict y, const nn_real *restrict x, size_t n) {
    over_blocks(log1p_block, y, x, n);
}

static void sigmoid(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    over_blocks(sigmoid_block, a, z, n);
}

static void hyperbolic_tangent(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    over_blocks(tanh_block, a, z, n);
}

static void relu(nn_real *restrict a, const nn_real *restrict z, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = z[i] <= 0 ? 0 : z[i];
}

/* ---- in several passes ---------------------------------------------------------------------- */

/* Numbers worked on at once. A pass of one function each is faster than one pass of both: more
 * blocks are then on their way through the CPU together. */
enum { CHUNK = 256 };

static inline void exp_minus_magnitude_block(nn_real *restrict y, const nn_real *restrict x) {
    for (size_t i = 0; i < LANES; i++) y[i] = exp_bounded(-magnitude(x[i]));
}

/* ln(1 + e^z) - y z = max(z, 0) - y z + ln(1 + e^-|z|), of which the right side cannot overflow.
 * Where y is 0 or 1 and the output right, the first two cancel and the last keeps its digits. */
static void cross_entropy(nn_real *restrict c, const nn_real *restrict z, const nn_real *restrict y,
                          size_t n) {
    nn_real e[CHUNK];
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t end = n - first < CHUNK ? n : first + CHUNK;
        over_blocks(exp_minus_magnitude_block, e, z + first, end - first);
        over_blocks(log1p_block, c + first, e, end - first);
        for (size_t i = first; i < end; i++) c[i] += (z[i] > 0 ? z[i] : 0) - y[i] * z[i];
    }
}

/* The largest of z (n,), in LANES chains where there are so many numbers. */
static inline nn_real largest_of(const nn_real *z, size_t n) {
    nn_real largest = z[0];
    size_t j = 1;
    if (n >= LANES) {
        nn_real lane[LANES];
        for (size_t l = 0; l < LANES; l++) lane[l] = z[l];
        for (j = LANES; j + LANES <= n; j += LANES)
            for (size_t l = 0; l < LANES; l++) lane[l] = z[j + l] > lane[l] ? z[j + l] : lane[l];
        for (size_t l = 0; l < LANES; l++) largest = lane[l] > largest ? lane[l] : largest;
    }
    for (; j < n; j++) largest = z[j] > largest ? z[j] : largest;
    return largest;
}

#ifdef NN_DOUBLE

/* What is added to a number of [0, 1], and taken off again, to round it to a multiple of 2^-26. */
#define SPLITTER 0x1.8p26

/* Adds x in two parts: the sum of the first is exact, up to 2^27 of them, and the second is so
 * small that the roundings of its sum do not matter. */
static inline void add_split(double *restrict high, double *restrict low, double x) {
    const double part = (x + SPLITTER) - SPLITTER;
    *high += part;
    *low += x - part;
}

/* The sum of x (n,), numbers of [0, 1] or NaN, rounded once; eight side by side, as in nn__sum. */
static inline nn_real sum_rounded_once(const nn_real *x, size_t n) {
    double high[8] = {0}, low[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t l = 0; l < 8; l++) add_split(&high[l], &low[l], x[i + l]);
    for (size_t l = 1; l < 8; l++) high[0] += high[l], low[0] += low[l];
    for (; i < n; i++) add_split(&high[0], &low[0], x[i]);
    return high[0] + low[0];
}

#else

static inline nn_real sum_rounded_once(const nn_real *x, size_t n) {
    return (nn_real)nn__sum(x, n);
}

#endif

/* a /= the sum of a (n,); what lies behind, up to ld, becomes 0. */
static inline void normalise(nn_real *restrict a, size_t n, size_t ld) {
    const nn_real sum = sum_rounded_once(a, n);
    for (size_t j = 0; j < n; j++) a[j] /= sum;
    for (size_t j = n; j < ld; j++) a[j] = 0;
}

/* Rows that fit together into a chunk, padding included.   a, z (rows, n), rows ld apart */
static void softmax_short(nn_real *restrict a, const nn_real *restrict z, size_t rows, size_t n,
                          size_t ld) {
    nn_real shifted[CHUNK];
    for (size_t r = 0; r < rows; r++) {
        const nn_real *row = z + r * ld, largest = largest_of(row, n);
        for (size_t j = 0; j < n; j++) shifted[r * ld + j] = row[j] - largest;
        for (size_t j = n; j < ld; j++) shifted[r * ld + j] = 0;
    }
    over_blocks(exp_bounded_block, a, shifted, rows * ld);
    for (size_t r = 0; r < rows; r++) normalise(a + r * ld, n, ld);
}

/* One row of any length.   a, z (n,), a with room for ld */
static void softmax_long(nn_real *restrict a, const nn_real *restrict z, size_t n, size_t ld) {
    nn_real shifted[CHUNK];
    const nn_real largest = largest_of(z, n);
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t count = n - first < CHUNK ? n - first : CHUNK;
        for (size_t j = 0; j < count; j++) shifted[j] = z[first + j] - largest;
        over_blocks(exp_bounded_block, a + first, shifted, count);
    }
    normalise(a, n, ld);
}

static void softmax(nn_real *restrict a, const nn_real *restrict z, size_t rows, size_t n,
                    size_t ld) {
    const size_t at_once = CHUNK / ld;
    if (at_once == 0)
        for (size_t r = 0; r < rows; r++) softmax_long(a + r * ld, z + r * ld, n, ld);
    else
        for (size_t r = 0; r < rows; r += at_once)
            softmax_short(a + r * ld, z + r * ld, rows - r < at_once ? rows - r : at_once, n, ld);
}

/* The bodies of sparse_loops.h's table, compiled once a CPU level: the including file has defined
 * NN_SPARSE_TABLE_NAME. Most loops are plain so that the compiler vectorises them. */
#include "kernels/sparse_loops.h"

#include <float.h>
#include <string.h>
#if defined __SSE2__
#include <immintrin.h>
#endif

/* ---- the checksum ---------------------------------------------------------------------------- */

/* A vector of lanes, as wide as this level's registers, and a list of those of a stripe: written
 * out, so that all stay in registers. */
#if defined __AVX512F__ && defined __AVX512BW__
enum { WIDTH = 64 };
#define EACH_VECTOR(X) X(0) X(1)
#elif defined __AVX2__
enum { WIDTH = 32 };
#define EACH_VECTOR(X) X(0) X(1) X(2) X(3)
#else
enum { WIDTH = 16 };
#define EACH_VECTOR(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#endif
typedef uint64_t vector __attribute__((vector_size(WIDTH)));

/* Vectors from and to memory of any alignment. By intrinsics, not memcpy: a vector whose address is
 * taken is misplaced by gcc's AddressSanitizer where it is of 64 bytes. */
static inline vector load(const void *from) {
#if defined __AVX512F__ && defined __AVX512BW__
    return (vector)_mm512_loadu_si512(from);
#elif defined __AVX2__
    return (vector)_mm256_loadu_si256(from);
#else
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
#endif
}

static inline void store(void *to, vector v) {
#if defined __AVX512F__ && defined __AVX512BW__
    _mm512_storeu_si512(to, (__m512i)v);
#elif defined __AVX2__
    _mm256_storeu_si256(to, (__m256i)v);
#else
    memcpy(to, &v, sizeof v);
#endif
}

/* The first n of a vector's bytes, zeros behind them. */
static inline vector load_part(const unsigned char *from, size_t n) {
#if defined __AVX512F__ && defined __AVX512BW__
    const __mmask64 first = n < WIDTH ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0;
    return (vector)_mm512_maskz_loadu_epi8(first, from);
#else
    unsigned char part[WIDTH] = {0};
    memcpy(part, from, n < WIDTH ? n : WIDTH);
    return load(part);
#endif
}

/* The low halves of a times the low halves of b, lane by lane. */
static inline vector multiply_low(vector a, vector b) {
#if defined __AVX512F__ && defined __AVX512BW__
    return (vector)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (vector)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (vector)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/* In every lane s <- s + word, s <- s xor s >> 29, s <- s K with K odd. Each of the three is a
 * bijection of s, and the first also one of the word: two contents that differ in one word end in
 * different lanes for certain, and a later word makes up for an earlier one by chance alone.
 * With s = low + 2^32 high, s K is K low + 2^32 K high. */
static inline vector mix(vector s, vector word) {
    const vector factor = (vector){0} + 0x9d2c5a87u;
    s += word;
    s ^= s >> 29;
    return multiply_low(s, factor) + (multiply_low(s >> 32, factor) << 32);
}

#define LOAD_LANES(v) vector s##v = load(lanes + v * WIDTH / 8);
#define STORE_LANES(v) store(lanes + v * WIDTH / 8, s##v);
#define MIX_WORDS(v) s##v = mix(s##v, load(from + v * WIDTH));
#define MIX_REST(v)                                                                                \
    s##v = mix(s##v, n > v * WIDTH ? load_part(from + v * WIDTH, n - v * WIDTH) : (vector){0});

static void hash(uint64_t *restrict lanes, const void *restrict bytes, size_t n) {
    const unsigned char *from = bytes;
    EACH_VECTOR(LOAD_LANES)
    for (; n >= NN__STRIPE; n -= NN__STRIPE, from += NN__STRIPE) {
        EACH_VECTOR(MIX_WORDS)
    }
    if (n > 0) {
        EACH_VECTOR(MIX_REST)
    }
    EACH_VECTOR(STORE_LANES)
}

/* ---- what is in a row ------------------------------------------------------------------------ */

/* Numbers are looked at by their bits, as integers: zeros have none beside the sign, NaN and
 * infinity have the largest. Bits of numbers >= 0 compare as the numbers do; with the sign, which
 * makes the integer negative, the smallest integer is the number nearest to zero. So the largest
 * number has the largest integer, or where all are negative, the smallest. */

static bool tally_float32(nn__tally *tally, const void *row, size_t n) {
    const float *x = row;
    uint32_t n_nonzero = 0;
    int32_t low = INT32_MAX, high = INT32_MIN, far = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        int32_t size = bits & INT32_MAX;
        low = bits < low ? bits : low;
        high = bits > high ? bits : high;
        far = size > far ? size : far;
        n_nonzero += size != 0;
    }
    float largest;
    memcpy(&largest, high < 0 ? &low : &high, sizeof largest);
    tally->n_nonzero += n_nonzero;
    if ((double)largest > tally->largest) tally->largest = (double)largest;
    return far <= 0x7f7fffff; /* FLT_MAX */
}

static bool tally_float64(nn__tally *tally, const void *row, size_t n) {
    const double *x = row;
    const double rounds_to_float = 0x1.fffffefffffffp+127; /* the largest that does */
    const double limit = sizeof(nn_real) == sizeof(double) ? DBL_MAX : rounds_to_float;
    uint64_t n_nonzero = 0;
    int64_t low = INT64_MAX, high = INT64_MIN, far = 0, most;
    for (size_t i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        int64_t size = bits & INT64_MAX;
        low = bits < low ? bits : low;
        high = bits > high ? bits : high;
        far = size > far ? size : far;
        n_nonzero += size != 0;
    }
    double largest;
    memcpy(&largest, high < 0 ? &low : &high, sizeof largest);
    memcpy(&most, &limit, sizeof most);
    tally->n_nonzero += n_nonzero;
    if (largest > tally->largest) tally->largest = largest;
    return far <= most;
}

typedef uint8_t byte_vector __attribute__((vector_size(WIDTH)));

static bool tally_uint8(nn__tally *tally, const void *row, size_t n) {
    const uint8_t *x = row;
    uint8_t largest = 0;
    size_t i = 0, n_zeros = 0;
    for (size_t j = 0; j < n; j++) largest = x[j] > largest ? x[j] : largest;
    while (i + WIDTH <= n) {
        uint8_t counts[WIDTH];
        byte_vector zeros = {0};
        for (size_t k = 0; k < 255 && i + WIDTH <= n; k++, i += WIDTH) /* what a byte counts */
            zeros -= (byte_vector)((byte_vector)load(x + i) == 0);     /* true is -1 */
        store(counts, (vector)zeros);
        for (size_t j = 0; j < WIDTH; j++) n_zeros += counts[j];
    }
    for (; i < n; i++) n_zeros += x[i] == 0;
    tally->n_nonzero += n - n_zeros;
    if ((double)largest > tally->largest) tally->largest = (double)largest;
    return true;
}

/* ---- where the nonzeros are ------------------------------------------------------------------ */

/* Numbers are taken 64 at a time: first a mask with a bit for each nonzero, then its bits. What is
 * written for numbers 0 .. c stays within column[0 .. c], so a whole vector may be stored. */

#if defined __AVX512F__ && defined __AVX512BW__

static inline uint64_t mask_float32(const void *x) {
    const __m512i *v = x, size = _mm512_set1_epi32(INT32_MAX);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)_mm512_test_epi32_mask(_mm512_loadu_si512(v + i), size) << 16 * i;
    return mask;
}

static inline uint64_t mask_float64(const void *x) {
    const __m512i *v = x, size = _mm512_set1_epi64(INT64_MAX);
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++)
        mask |= (uint64_t)_mm512_test_epi64_mask(_mm512_loadu_si512(v + i), size) << 8 * i;
    return mask;
}

static inline uint64_t mask_uint8(const void *x) {
    const __m512i v = _mm512_loadu_si512(x);
    return _mm512_test_epi8_mask(v, v);
}

#elif defined __AVX2__

static inline uint64_t mask_float32(const void *x) {
    const __m256i *v = x, zero = _mm256_setzero_si256();
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) {
        __m256i size = _mm256_slli_epi32(_mm256_loadu_si256(v + i), 1);
        __m256 is_zero = _mm256_castsi256_ps(_mm256_cmpeq_epi32(size, zero));
        mask |= (uint64_t)(uint32_t)_mm256_movemask_ps(is_zero) << 8 * i;
    }
    return ~mask;
}

static inline uint64_t mask_float64(const void *x) {
    const __m256i *v = x, zero = _mm256_setzero_si256();
    uint64_t mask = 0;
    for (int i = 0; i < 16; i++) {
        __m256i size = _mm256_slli_epi64(_mm256_loadu_si256(v + i), 1);
        __m256d is_zero = _mm256_castsi256_pd(_mm256_cmpeq_epi64(size, zero));
        mask |= (uint64_t)(uint32_t)_mm256_movemask_pd(is_zero) << 4 * i;
    }
    return ~mask;
}

static inline uint64_t mask_uint8(const void *x) {
    const __m256i *v = x, zero = _mm256_setzero_si256();
    const __m256i low = _mm256_cmpeq_epi8(_mm256_loadu_si256(v), zero);
    const __m256i high = _mm256_cmpeq_epi8(_mm256_loadu_si256(v + 1), zero);
    return ~((uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 |
             (uint32_t)_mm256_movemask_epi8(low));
}

#endif

#if defined __AVX2__

/* Writes first + the index of every bit of the mask; returns how many. */
static inline size_t write_bits(uint32_t *restrict column, uint64_t mask, size_t first) {
    size_t n = 0;
    for (; mask != 0; mask &= mask - 1)
        column[n++] = (uint32_t)first + (uint32_t)__builtin_ctzll(mask);
    return n;
}

/* The same for 64 numbers, of which column has room for all. */
static inline size_t write_block(uint32_t *restrict column, uint64_t mask, size_t first) {
#if defined __AVX512F__ && defined __AVX512BW__
    size_t n = 0;
    __m512i index =
        _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)first),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    for (int i = 0; i < 4; i++, mask >>= 16) {
        const __mmask16 part = (__mmask16)mask;
        _mm512_storeu_si512(column + n, _mm512_maskz_compress_epi32(part, index));
        n += (size_t)__builtin_popcount(part);
        index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
    }
    return n;
#else
    return write_bits(column, mask, first);
#endif
}

#endif

/* find_<kind> and, for less than 64 numbers and where there are no masks, few_<kind>: every column
 * is written at column[found], and found grows at nonzeros alone: the next overwrites a zero's. The
 * last 64 numbers of a row may have been taken in part before: those bits are shifted out. */
#define DEFINE_FEW(kind, type, bits)                                                               \
    static size_t few_##kind(uint32_t *restrict column, const void *restrict row, size_t n) {      \
        const type *x = row;                                                                       \
        size_t found = 0;                                                                          \
        for (size_t c = 0; c < n; c++) {                                                           \
            bits size;                                                                             \
            memcpy(&size, x + c, sizeof size);                                                     \
            column[found] = (uint32_t)c;                                                           \
            found += sizeof size == 1 ? size != 0 : (bits)(size << 1) != 0;                        \
        }                                                                                          \
        return found;                                                                              \
    }
DEFINE_FEW(float32, float, uint32_t)
DEFINE_FEW(float64, double, uint64_t)
DEFINE_FEW(uint8, uint8_t, uint8_t)

#if defined __AVX2__
#define DEFINE_FIND(kind, type)                                                                    \
    static size_t find_##kind(uint32_t *restrict column, const void *restrict row, size_t n) {     \
        const type *x = row;                                                                       \
        size_t found = 0, c = 0;                                                                   \
        if (n < 64) return few_##kind(column, row, n);                                             \
        for (; c + 64 <= n; c += 64) found += write_block(column + found, mask_##kind(x + c), c);  \
        if (c < n)                                                                                 \
            found += write_bits(column + found, mask_##kind(x + n - 64) >> (64 - n + c), c);       \
        return found;                                                                              \
    }
#else
#define DEFINE_FIND(kind, type)                                                                    \
    static size_t find_##kind(uint32_t *restrict column, const void *restrict row, size_t n) {     \
        return few_##kind(column, row, n);                                                         \
    }
#endif
DEFINE_FIND(float32, float)
DEFINE_FIND(float64, double)
DEFINE_FIND(uint8, uint8_t)

/* ---- numbers and columns --------------------------------------------------------------------- */

/* i/255 is divided in nn_real: for all 256 bytes that is i/255.0 rounded once. */
#define OF_FLOAT(value) ((nn_real)(value))
#define OF_BYTE(value) ((nn_real)(value) / (nn_real)255)

#define DEFINE_NUMBERS(kind, type, OF)                                                             \
    static void pick_##kind(nn_real *restrict out, const void *restrict row,                       \
                            const uint32_t *restrict column, size_t n) {                           \
        const type *x = row;                                                                       \
        for (size_t i = 0; i < n; i++) out[i] = OF(x[column[i]]);                                  \
    }                                                                                              \
    static void convert_##kind(nn_real *restrict out, const void *restrict in, size_t n) {         \
        const type *x = in;                                                                        \
        for (size_t i = 0; i < n; i++) out[i] = OF(x[i]);                                          \
    }
DEFINE_NUMBERS(float32, float, OF_FLOAT)
DEFINE_NUMBERS(float64, double, OF_FLOAT)
DEFINE_NUMBERS(uint8, uint8_t, OF_BYTE)

static bool to_bytes(uint8_t *restrict out, const nn_real *restrict in, size_t n) {
    uint32_t n_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        const nn_real value = in[i], inside = value >= 0 && value <= 1 ? value : 0;
        const int32_t nearest = (int32_t)(inside * 255 + (nn_real)0.5);
        out[i] = (uint8_t)nearest;
        n_wrong += OF_BYTE(nearest) != value;
    }
    return n_wrong == 0;
}

static void narrow(uint16_t *restrict out, const uint32_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint16_t)in[i];
}

static void widen(uint32_t *restrict out, const uint16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i];
}

const nn__sparse_loops NN_SPARSE_TABLE_NAME = {
    .hash = hash,
    .tally_float32 = tally_float32,
    .tally_float64 = tally_float64,
    .tally_uint8 = tally_uint8,
    .find_float32 = find_float32,
    .find_float64 = find_float64,
    .find_uint8 = find_uint8,
    .pick_float32 = pick_float32,
    .pick_float64 = pick_float64,
    .pick_uint8 = pick_uint8,
    .convert_float32 = convert_float32,
    .convert_float64 = convert_float64,
    .convert_uint8 = convert_uint8,
    .to_bytes = to_bytes,
    .narrow = narrow,
    .widen = widen,
};

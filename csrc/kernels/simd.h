/* Vectors of nn_reals of the level that is being compiled: what the kernels' bodies are written in.
 *
 *     level        vec                 LANES (float, double)
 *     portable     16 bytes, any CPU   4, 2      multiplication, then sum
 *     v3           AVX2, FMA           8, 4      fused
 *     v4           AVX-512             16, 8     fused
 *
 * NN_LANES numbers, 64 bytes, are a whole number of vectors at every level. */
#ifndef NN_KERNELS_SIMD_H
#define NN_KERNELS_SIMD_H

#include <stdint.h>
#include <string.h>

#include "base/real.h"

#define SIMD_INLINE inline __attribute__((always_inline, unused))

#if defined __AVX512F__ && defined NN_DOUBLE
#include <immintrin.h>
typedef __m512d vec;
#define VEC(name) _mm512_##name##_pd
#elif defined __AVX512F__
#include <immintrin.h>
typedef __m512 vec;
#define VEC(name) _mm512_##name##_ps
#elif defined __AVX2__ && defined NN_DOUBLE
#include <immintrin.h>
typedef __m256d vec;
#define VEC(name) _mm256_##name##_pd
#elif defined __AVX2__
#include <immintrin.h>
typedef __m256 vec;
#define VEC(name) _mm256_##name##_ps
#else
typedef nn_real vec __attribute__((vector_size(16)));
#endif

enum { LANES = sizeof(vec) / sizeof(nn_real) };

/* Every lane x. */
static SIMD_INLINE vec vec_all(nn_real x) {
#ifdef VEC
    return VEC(set1)(x);
#elif defined NN_DOUBLE
    return (vec){x, x};
#else
    return (vec){x, x, x, x};
#endif
}

/* p[0 .. LANES - 1], of any alignment. */
static SIMD_INLINE vec vec_load(const nn_real *p) {
#ifdef VEC
    return VEC(loadu)(p);
#else
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
#endif
}

static SIMD_INLINE void vec_store(nn_real *p, vec v) {
#ifdef VEC
    VEC(storeu)(p, v);
#else
    memcpy(p, &v, sizeof v);
#endif
}

/* The lanes from the last to the first. */
static SIMD_INLINE vec vec_reverse(vec v) {
#if defined __AVX512F__ && defined NN_DOUBLE
    return _mm512_permutexvar_pd(_mm512_set_epi64(0, 1, 2, 3, 4, 5, 6, 7), v);
#elif defined __AVX512F__
    const __m512i last_first =
        _mm512_set_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_permutexvar_ps(last_first, v);
#elif defined __AVX2__ && defined NN_DOUBLE
    return _mm256_permute4x64_pd(v, 0x1b);
#elif defined __AVX2__
    return _mm256_permutevar8x32_ps(v, _mm256_set_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#elif defined NN_DOUBLE
    return (vec){v[1], v[0]};
#else
    return (vec){v[3], v[2], v[1], v[0]};
#endif
}

/* a b + c */
static SIMD_INLINE vec vec_fma(vec a, vec b, vec c) {
#ifdef VEC
    return VEC(fmadd)(a, b, c);
#else
    return a * b + c;
#endif
}

static SIMD_INLINE vec vec_mul(vec a, vec b) {
    return a * b;
}

static SIMD_INLINE vec vec_add(vec a, vec b) {
    return a + b;
}

/* Unsigned numbers of 64 bits, in a vector as large as a vec. */
typedef uint64_t words __attribute__((vector_size(sizeof(vec))));

enum { WORDS = sizeof(words) / sizeof(uint64_t) };

/* The products of the lower halves of a and b, 32 bits each. */
static SIMD_INLINE words words_multiply_low(words a, words b) {
#if defined __AVX512F__
    return (words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

#endif

/* What this core can do at most: multiplications and additions, and bytes read. Compiled for this
 * very machine by benchmarks/limits.py. */
#include <stddef.h>
#include <stdint.h>

#if defined __AVX512F__
enum { WIDTH = 64 };
#elif defined __AVX__
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif

typedef float vector __attribute__((vector_size(WIDTH)));
typedef uint64_t words __attribute__((vector_size(WIDTH)));

enum { CHAINS = 12 }; /* sums that do not wait for one another */

/* The operations of one call of limits_fma. */
double limits_fma_operations(size_t n) {
    return 2.0 * CHAINS * (double)(WIDTH / sizeof(float)) * (double)n;
}

/* n times CHAINS fused multiply-adds of vectors; the result keeps the compiler from leaving them
 * out. */
float limits_fma(size_t n, float a, float b) {
    vector s[CHAINS], va = {0}, vb = {0};
    va += a;
    vb += b;
    for (int i = 0; i < CHAINS; i++) s[i] = va * (float)i;
    for (size_t k = 0; k < n; k++) {
        for (int i = 0; i < CHAINS; i++) s[i] = s[i] * va + vb;
    }
    for (int i = 1; i < CHAINS; i++) s[0] += s[i];
    return s[0][0];
}

/* Reads `bytes`, a multiple of 8 vectors, `times` over. */
uint64_t limits_read(const void *memory, size_t bytes, size_t times) {
    const words *p = memory;
    size_t n = bytes / WIDTH;
    words s[8] = {{0}};
    for (size_t k = 0; k < times; k++) {
        for (size_t i = 0; i + 8 <= n; i += 8)
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) s[j] |= p[i + (size_t)j];
        __asm__ volatile("" : : : "memory");
    }
    for (int j = 1; j < 8; j++) s[0] |= s[j];
    return s[0][0];
}

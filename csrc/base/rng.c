#include "base/rng.h"

#include <math.h>

/* SplitMix64's finaliser: every bit of z reaches every bit of the result. */
static uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* FNV-1a, 64 bits, of a text. */
static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        hash = (hash ^ *c) * UINT64_C(0x100000001b3);
    return hash;
}

nn__stream nn__stream_open(uint64_t seed, const char *name) {
    uint64_t key = mix64(seed ^ mix64(hash_text(name)));
    return (nn__stream){{(uint32_t)key, (uint32_t)(key >> 32)}};
}

void nn__stream_words(const nn__stream *stream, uint32_t c0, uint32_t c1, uint64_t round,
                      uint32_t words[4]) {
    uint32_t c2 = (uint32_t)round, c3 = (uint32_t)(round >> 32);
    uint32_t k0 = stream->key[0], k1 = stream->key[1];
    for (int i = 0; i < 10; i++) {
        uint64_t p0 = UINT64_C(0xd2511f53) * c0;
        uint64_t p1 = UINT64_C(0xcd9e8d57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += UINT32_C(0x9e3779b9); /* the key schedule: a Weyl sequence */
        k1 += UINT32_C(0xbb67ae85);
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

/* Block `index` of a round: the words as two 64-bit numbers. */
static void block(const nn__stream *stream, uint64_t index, uint64_t round, uint64_t pair[2]) {
    uint32_t w[4];
    nn__stream_words(stream, (uint32_t)index, (uint32_t)(index >> 32), round, w);
    pair[0] = (uint64_t)w[1] << 32 | w[0];
    pair[1] = (uint64_t)w[3] << 32 | w[2];
}

/* A uniform number inside (0, 1): never 0, so that its logarithm is finite. */
static double uniform(uint64_t bits) {
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

void nn__stream_normals(const nn__stream *stream, size_t first, double *out, size_t n) {
    const double two_pi = 6.283185307179586477;
    double radius = 0, angle = 0;
    size_t held = SIZE_MAX; /* the pair of deviates that radius and angle belong to */
    for (size_t i = 0; i < n; i++) {
        size_t index = first + i;
        if (index / 2 != held) {
            uint64_t pair[2];
            block(stream, held = index / 2, 0, pair);
            radius = sqrt(-2.0 * log(uniform(pair[0])));
            angle = two_pi * uniform(pair[1]);
        }
        out[i] = radius * (index % 2 == 0 ? cos(angle) : sin(angle));
    }
}

/* The high 64 bits of bits * bound, for a bound below 2^32: a number in 0 .. bound - 1, without
 * division (D. Lemire, "Fast random integer generation in an interval", 2019). */
static uint32_t below(uint64_t bits, uint32_t bound) {
    uint64_t low = (bits & UINT32_MAX) * bound;
    return (uint32_t)(((bits >> 32) * bound + (low >> 32)) >> 32);
}

void nn__stream_permute(const nn__stream *stream, uint64_t round, uint32_t *order, size_t n) {
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    uint64_t pair[2];
    size_t held = SIZE_MAX; /* the block that `pair` holds */
    for (size_t i = n; i-- > 1;) {
        if (i / 2 != held) block(stream, held = i / 2, round, pair);
        size_t j = below(pair[i % 2], (uint32_t)(i + 1));
        uint32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

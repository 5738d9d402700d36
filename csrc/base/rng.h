/* Random numbers from counters: (seed, stream, index, round) -> number, by Philox4x32-10.
 *
 * No state is kept, so numbers can be drawn in any order and by any thread. A stream is named by
 * its use: a parameter ("dense1.weight"), "shuffle", a dropout layer ("dropout1"). So a layer more
 * or less changes no other layer's numbers.
 *
 * Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. */
#ifndef NN_BASE_RNG_H
#define NN_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct nn__stream {
    uint32_t key[2];
} nn__stream;

/* The stream of this seed and name. */
nn__stream nn__stream_open(uint64_t seed, const char *name);

/* Four 32-bit words of the counter (c0, c1, round low, round high). */
void nn__stream_words(const nn__stream *stream, uint32_t c0, uint32_t c1, uint64_t round,
                      uint32_t words[4]);

/* out[i] = the stream's i-th standard normal deviate (Box-Muller), i = first .. first + n - 1.
 * out (n,) */
void nn__stream_normals(const nn__stream *stream, size_t first, double *out, size_t n);

/* order (n,) becomes the permutation of 0 .. n-1 that belongs to this round (Fisher-Yates). */
void nn__stream_permute(const nn__stream *stream, uint64_t round, uint32_t *order, size_t n);

#endif

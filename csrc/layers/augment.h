/* Augmentation: the rows of a batch, which are images, changed at random where they lie.
 *
 * An image's change is a function of (seed, name of the part, index of the image, round) alone.
 * Parts are named after their kind and numbered within it: "shift1", "elastic1", "elastic2". So
 * images come out the same for any batch size and any number of threads, and a part more changes no
 * other's numbers. */
#ifndef NN_LAYERS_AUGMENT_H
#define NN_LAYERS_AUGMENT_H

#include "base/arena.h"
#include "base/rng.h"
#include "base/types.h"
#include "kernels/vector.h"
#include "layers/smoothing.h"

/* A nn_augment made ready: the Gaussians of its elastic parts as matrices, and room to work. Only
 * parts that do something are kept. */
typedef struct nn__augment {
    nn_augment spec;
    const nn__vector_kernels *vector;
    nn__stream streams[NN_AUGMENT_PARTS];            /* of the seed begun with */
    uint64_t round;                                  /* the same */
    nn__smoothing smoothing[NN_AUGMENT_PARTS];       /* of the elastic ones */
    size_t n_fields;                                 /* how many these are */
    nn__frame frame;                                 /* of an image */
    size_t raw, work, fields, framed, places, shard; /* in a shard's room: offsets, and its size */
    size_t rooms, n_shards; /* offset of the first room, and how many there are */
    nn__arena arena;        /* all of this */
} nn__augment;

/* Whether any part does something. */
bool nn__augment_changes(const nn_augment *spec);

/* Whether an image has so many numbers. */
bool nn__augment_fits(const nn_augment *spec, size_t n_columns);

/* Codes: NN_ERROR_ARGUMENT: a part is outside its range, or they are too many. NN_ERROR_SIZE: a
 * side is 0 or too large. */
nn_status nn__augment_check(const nn_augment *spec);

/* About how many multiplications an image takes. */
double nn__augment_work(const nn_augment *spec);

/* Makes it ready for batches of `rows` images, which threads share where `shared`. Owned by the
 * caller, also after an error.   Codes: as nn__augment_check; NN_ERROR_MEMORY. */
nn_status nn__augment_make(nn__augment *augment, const nn_augment *spec, size_t rows, bool shared,
                           const nn__vector_kernels *vector);
void nn__augment_free(nn__augment *augment);

/* The random numbers to come are those of this seed and round. */
void nn__augment_begin(nn__augment *augment, uint64_t seed, uint64_t round);

/* Changes n images, which are rows of `images` `stride` apart: image r is number order[r], or
 * first + r where order is NULL. By up to n_threads threads, within nn__work_begin and
 * nn__work_end.   n up to the rows made ready for */
void nn__augment_rows(const nn__augment *augment, nn_real *images, size_t stride,
                      const uint32_t *order, size_t first, size_t n, size_t n_threads);

#endif

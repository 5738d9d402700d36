/* Two fields at a time smoothed by a Gaussian: row i of G (n, n) holds one around i, cut at 4 sigma
 * and made to sum to 1, what lies beyond the field reflected into it (... 1 0 | 0 1 2 ...). */
#ifndef NN_LAYERS_SMOOTHING_H
#define NN_LAYERS_SMOOTHING_H

#include "base/arena.h"
#include "kernels/vector.h"

/* A Gaussian for fields of one size, and where its matrices lie in an arena (smoothing.c). */
typedef struct nn__smoothing {
    size_t height, width, radius;
    size_t down, across; /* (2, half height, half height), (2, half width, padded half width) */
} nn__smoothing;

/* About how many multiplications a pixel takes. */
double nn__smooth_taps(double height, double width, double sigma);

/* Reserves its matrices.   sigma > 0, at most a side */
nn__smoothing nn__smooth_lay_out(nn__arena *arena, size_t height, size_t width, double sigma);

/* Fills its matrices, which are zeros, in the values of the arena opened. */
void nn__smooth_make(const nn__smoothing *smoothing, nn_real *values, double sigma);

/* Numbers of the room that nn__smooth works in. */
size_t nn__smooth_work(size_t height, size_t width);

/* y = G x G^T for two fields.   y (2, height, padded width), whose padding stays as it is,
 * x (2, height, width), work (nn__smooth_work,), values: of the arena */
void nn__smooth(const nn__smoothing *smoothing, const nn__vector_kernels *vector,
                const nn_real *values, nn_real *y, const nn_real *x, nn_real *work);

#endif

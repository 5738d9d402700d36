/* Loops over images that are changed at random: numbers for displacement fields, places, bilinear
 * interpolation. One table a CPU level; every level gives the same bits. */
#ifndef NN_KERNELS_IMAGES_H
#define NN_KERNELS_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/real.h"

/* An image (height, width) in a frame of zeros: one row and column before it, two behind; rows are
 * `stride` apart. */
typedef struct nn__frame {
    size_t height, width, stride; /* stride >= width + 3 */
} nn__frame;

typedef struct nn__image_kernels {
    /* out = n uniform numbers in [-1, 1], each (2 k + 1) / 2^16 - 1 for 16 bits k: block b of the
     * counter (b, row, round) gives eight. Rounded up to a multiple of 128, n numbers are written.
     */
    void (*uniforms)(nn_real *restrict out, size_t n, const uint32_t key[2], uint32_t row,
                     uint64_t round);

    /* An image x (height, width), rows `stride` apart, to its parts (2, half height, 2, `half`):
     * even and odd along y, each even and odd along x. With i' = height - 1 - i,
     * j' = width - 1 - j, and i, j up to the middle, which is included:
     *     parts[0][i][0][j] = x[i][j] + x[i][j'] + x[i'][j] + x[i'][j']
     *     parts[0][i][1][j] = x[i][j] - x[i][j'] + x[i'][j] - x[i'][j']
     *     parts[1][i][0][j] = x[i][j] + x[i][j'] - x[i'][j] - x[i'][j']
     *     parts[1][i][1][j] = x[i][j] - x[i][j'] - x[i'][j] + x[i'][j'] */
    void (*fold)(nn_real *restrict parts, size_t half, const nn_real *restrict x, size_t stride,
                 size_t height, size_t width);

    /* The other way round, by the same sums: the parts of x give 4 x. */
    void (*unfold)(nn_real *restrict x, size_t stride, const nn_real *restrict parts, size_t half,
                   size_t height, size_t width);

    /* A row of places: X[j] = x[0] + x[1] j, Y[j] = y[0] + y[1] j.   X, Y (n,) */
    void (*places)(nn_real *restrict X, nn_real *restrict Y, const nn_real x[2], const nn_real y[2],
                   size_t n);

    /* X += c[0] u + c[1] v,   Y += c[2] u + c[3] v.   (n,) */
    void (*displace)(nn_real *restrict X, nn_real *restrict Y, const nn_real *restrict u,
                     const nn_real *restrict v, const nn_real c[4], size_t n);

    /* For the places X, Y, in pixels of an image with a frame of zeros (nn__frame): where its pixel
     * above and left of each stands, and how far behind it the place lies, in X and Y, in [0, 1).
     * What is beyond the frame, also NaN, goes to its edge.   (n,) */
    void (*corners)(int32_t *restrict corner, nn_real *restrict X, nn_real *restrict Y,
                    const nn__frame *frame, size_t n);

    /* out[j] = the four pixels at corner[j], weighted by X and Y as `corners` gives them.   (n,) */
    void (*interpolate)(nn_real *restrict out, const nn_real *restrict framed, size_t stride,
                        const int32_t *restrict corner, const nn_real *restrict X,
                        const nn_real *restrict Y, size_t n);
} nn__image_kernels;

#ifdef NN_HAVE_V3
extern const nn__image_kernels nn__image_v3; /* for CPUs with x86-64-v3 alone */
#endif
#ifdef NN_HAVE_V4
extern const nn__image_kernels nn__image_v4; /* for CPUs with x86-64-v4 alone */
#endif
extern const nn__image_kernels nn__image_portable; /* for every CPU */

#endif

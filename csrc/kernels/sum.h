/* The sum of an array, in an order that every CPU level keeps. */
#ifndef NN_KERNELS_SUM_H
#define NN_KERNELS_SUM_H

#include <stddef.h>

#include "base/real.h"

/* The sum of x in double: eight sums side by side, which meet in pairs, then what is left over one
 * by one. The order depends on n alone.   x (n,) */
static inline double nn__sum(const nn_real *x, size_t n) {
    double sum = 0.0;
    size_t i = 0;
    if (n >= 8) {
        double part[8] = {0};
        for (; i + 8 <= n; i += 8)
            for (size_t l = 0; l < 8; l++) part[l] += (double)x[i + l];
        for (size_t half = 4; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++) part[l] += part[l + half];
        sum = part[0];
    }
    for (; i < n; i++) sum += (double)x[i];
    return sum;
}

#endif

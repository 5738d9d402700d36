/* Which instruction sets this CPU offers, as the levels for which kernels are compiled. */
#ifndef NN_BASE_CPU_H
#define NN_BASE_CPU_H

#include <stdbool.h>

#include "base/status.h"

typedef enum nn__cpu_level {
    NN__CPU_PORTABLE, /* what the compiler assumes by default */
    NN__CPU_V3,       /* x86-64-v3: AVX2, FMA, BMI */
    NN__CPU_V4        /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
} nn__cpu_level;

/* The highest level that this CPU has and this build contains. */
nn__cpu_level nn__cpu_best(void);

/* *level = the level to use: the best, or the one that the environment variable NNLEARN_KERNELS
 * names ("portable", "v3", "v4"). NN_ERROR_KERNELS: an unknown word, or a level above the best. */
nn_status nn__cpu_choose(nn__cpu_level *level);

/* What NNLEARN_KERNELS must be, where `word` will not do on a CPU whose best level this is: "one of
 * portable, v3, v4" or "a level that this CPU has (portable, v3)". NULL where it will. */
const char *nn__cpu_rule(const char *word, nn__cpu_level best);

/* Whether AVX-512 is taken to run at full width, at level v4: on Intel's CPUs alone (AMD's Zen 5
 * does too, and is not told apart). On AMD's Zen 4 a 512-bit
 * operation takes two halves, and BLIS's AVX2 kernels are the faster at every size measured. */
bool nn__cpu_has_full_512(void);

/* "portable", "v3" or "v4". */
const char *nn__cpu_name(nn__cpu_level level);

#endif

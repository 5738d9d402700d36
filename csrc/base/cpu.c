#include "base/cpu.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"portable", "v3", "v4"};

nn__cpu_level nn__cpu_best(void) {
    nn__cpu_level best = NN__CPU_PORTABLE;
#ifdef NN_HAVE_V3
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        best = NN__CPU_V3;
#endif
#ifdef NN_HAVE_V4
    if (best == NN__CPU_V3 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        best = NN__CPU_V4;
#endif
    return best;
}

/* The level of this name, -1 for a foreign one. */
static int find(const char *word) {
    for (int i = NN__CPU_PORTABLE; i <= NN__CPU_V4; i++)
        if (strcmp(word, names[i]) == 0) return i;
    return -1;
}

const char *nn__cpu_rule(const char *word, nn__cpu_level best) {
    static const char *const had[] = {"a level that this CPU has (portable)",
                                      "a level that this CPU has (portable, v3)"};
    int level = find(word);
    if (level < 0) return "one of portable, v3, v4";
    return level > (int)best ? had[best] : NULL;
}

nn_status nn__cpu_choose(nn__cpu_level *level) {
    const char *wanted = getenv("NNLEARN_KERNELS");
    nn__cpu_level best = nn__cpu_best();
    if (wanted == NULL || *wanted == '\0') {
        *level = best;
        return NN_OK;
    }
    if (nn__cpu_rule(wanted, best) != NULL) return NN_ERROR_KERNELS;
    *level = (nn__cpu_level)find(wanted);
    return NN_OK;
}

bool nn__cpu_has_full_512(void) {
#ifdef NN_HAVE_V4
    return __builtin_cpu_is("intel");
#else
    return false;
#endif
}

const char *nn__cpu_name(nn__cpu_level level) {
    return names[level];
}

#include "kernels/vector.h"

const nn__vector_kernels *nn__vector_table(nn__cpu_level level) {
#ifdef NN_HAVE_V4
    if (level == NN__CPU_V4) return &nn__vector_v4;
#endif
#ifdef NN_HAVE_V3
    if (level >= NN__CPU_V3) return &nn__vector_v3;
#endif
    (void)level;
    return &nn__vector_portable;
}

/* sparse_loops.h's table for the level "v3". */
#define NN_SPARSE_TABLE_NAME nn__sparse_v3
#include "kernels/sparse_body.h"

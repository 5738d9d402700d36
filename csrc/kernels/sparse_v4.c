/* sparse_loops.h's table for the level "v4". */
#define NN_SPARSE_TABLE_NAME nn__sparse_v4
#include "kernels/sparse_body.h"

/* sparse_loops.h's table for the level "portable". */
#define NN_SPARSE_TABLE_NAME nn__sparse_portable
#include "kernels/sparse_body.h"

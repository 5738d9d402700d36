/* vector.h's table for the level "v3". */
#define NN_IMAGE_TABLE_NAME nn__image_v3
#define NN_PRODUCT_TABLE_NAME nn__product_v3
#define NN_VECTOR_TABLE_NAME nn__vector_v3
#include "kernels/vector_body.h"

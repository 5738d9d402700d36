/* vector.h's table for the level "v4". */
#define NN_IMAGE_TABLE_NAME nn__image_v4
#define NN_PRODUCT_TABLE_NAME nn__product_v4
#define NN_VECTOR_TABLE_NAME nn__vector_v4
#include "kernels/vector_body.h"

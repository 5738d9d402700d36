/* vector.h's table for the level "portable". */
#define NN_IMAGE_TABLE_NAME nn__image_portable
#define NN_PRODUCT_TABLE_NAME nn__product_portable
#define NN_VECTOR_TABLE_NAME nn__vector_portable
#include "kernels/vector_body.h"

/* products.h's table for the level "v3". */
#define NN_PRODUCT_TABLE_NAME nn__product_v3
#include "kernels/products_body.h"

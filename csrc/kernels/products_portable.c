/* products.h's table for the level "portable". */
#define NN_PRODUCT_TABLE_NAME nn__product_portable
#include "kernels/products_body.h"

/* images.h's table for the level "v4". */
#define NN_IMAGE_TABLE_NAME nn__image_v4
#include "kernels/images_body.h"

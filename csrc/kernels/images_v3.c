/* images.h's table for the level "v3". */
#define NN_IMAGE_TABLE_NAME nn__image_v3
#include "kernels/images_body.h"

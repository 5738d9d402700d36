/* images.h's table for the level "portable". */
#define NN_IMAGE_TABLE_NAME nn__image_portable
#include "kernels/images_body.h"

/* Shapes of images as they are typed. */
#ifndef CLI_IMAGESHAPE_H
#define CLI_IMAGESHAPE_H

#include "options.h"

/* --shape as height, width and channels (1 where they are not said); zeros where it is not given. END_DONE, or END_USAGE, told. */
int image_shape(const settings *s, int64_t shape[3]);

#endif

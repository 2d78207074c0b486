/* Images from folders of PNG files. */
#ifndef CLI_PNGDIR_H
#define CLI_PNGDIR_H

#include "bprop.h"

/* A folder for each class: its PNG files are the examples, its name is the class. All images must have one size; they are grey if every one is, else RGB.
 * END_DATA, END_RESOURCES, told. */
int pngdir_data(bp_ctx *ctx, const char *path, bp_data **out);
/* The images of a folder and of those in it, in the order of their names: [n, height, width, channels]; out->data is freed by pngdir_free. */
int pngdir_images(const char *path, bp_ndarray *out);
void pngdir_free(bp_ndarray *images);

#endif

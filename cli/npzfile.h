/* Examples and answers from the arrays of an .npz archive. */
#ifndef CLI_NPZFILE_H
#define CLI_NPZFILE_H

#include "bprop.h"

/* By the names that are usual: x and y, images and labels, x_train and y_train ...; else the two there are, in order. test: of two parts that of testing.
 * y: NULL: not wanted. END_DATA, END_RESOURCES, told. */
int npz_read(bp_ctx *ctx, const char *path, bool test, bp_ndarray *x, bp_ndarray *y);

#endif

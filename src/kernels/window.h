/* Kernels whose windows slide over images: convolution and pooling. Images are [batch, height, width, channels], contiguous. */
#ifndef BPI_WINDOW_H
#define BPI_WINDOW_H

#include "bprop.h"

/* Where the windows are: place (i, j) sees element (k, l) of its window at (i stride - before + k dilation, ...) of the image. */
typedef struct bpi_window {
  int64_t batch;
  int64_t size[2];   /* height and width of the image */
  int64_t places[2]; /* of the windows: height and width of what the windows give */
  int64_t window[2], stride[2], before[2], dilation[2];
} bpi_window;

struct bpi_end; /* see kernels.h */

/* Which of the three arrays of a convolution is made of the other two. */
typedef enum bpi_conv_kind { BPI_CONV_OUT, BPI_CONV_IMAGE, BPI_CONV_WEIGHTS } bpi_conv_kind;

/* out[n,i,j,f] = sum over k, l, c of image[n, i.., j.., c] weights[f,k,l,c], each group of filters over its own channels; the image and the
 * weights are made by its adjoints. Image [batch, size, channels], weights [filters, window, channels / groups], out [batch, places, filters]. */
typedef struct bpi_conv {
  bpi_conv_kind kind;
  bool wide; /* float64 */
  bpi_window w;
  int64_t groups, channels, filters;
  void *image, *weights, *out;
  const void *bias; /* [filters], added to out; NULL: none */
  /* Of out and image: what is done with each strip of them, as a matrix of pixels by channels; that array may then be NULL. NULL: nothing. */
  const struct bpi_end *end;
} bpi_conv;

/* What a pool does; pick and put route by the winners of a maximum, and spread is the adjoint of a mean. */
typedef enum bpi_pool_kind {
  BPI_POOL_MAX,   /* v [places] = largest of x */
  BPI_POOL_PICK,  /* y [places] = v [size] at the winners of x */
  BPI_POOL_PUT,   /* y [size] = sums of v [places] at the winners of x */
  BPI_POOL_MEAN,  /* y [places] = mean of x inside the image */
  BPI_POOL_SPREAD /* y [size] = sums of v [places], each shared by the elements of its window */
} bpi_pool_kind;

typedef struct bpi_pool2d {
  bpi_pool_kind kind;
  bpi_window w;
  int64_t channels;
  const void *x;             /* the image; NULL for spread */
  const void *v;             /* NULL for max and mean */
  void *y;                   /* NULL: seen by `end` alone */
  const struct bpi_end *end; /* as of a convolution, after each unit */
} bpi_pool2d;

#endif

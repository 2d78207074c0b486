/* Pooling, vectorised over the channels of a pixel. A window that reaches over the edge has the elements inside alone. */
#include "kernels/gemm/vector.h"

#include <string.h>

typedef int32_t lanes_f32 __attribute__((vector_size(BPI_WIDE)));
typedef int64_t lanes_f64 __attribute__((vector_size(BPI_WIDE)));

/* The part of the window of place `at` that lies inside the image, along one axis. */
static void clip(const bpi_window *w, int axis, int64_t at, int64_t *from, int64_t *to)
{
  const int64_t start = at * w->stride[axis] - w->before[axis];
  *from = start < 0 ? 0 : start;
  *to = start + w->window[axis] < w->size[axis] ? start + w->window[axis] : w->size[axis];
}

/* First row of the image that belongs to row `place` of places: each has those from its window's first on. */
static int64_t own_row(const bpi_window *w, int64_t place)
{
  const int64_t row = place * w->stride[0] - w->before[0];
  if (place >= w->places[0] || row > w->size[0])
    return w->size[0];
  return place == 0 || row < 0 ? 0 : row;
}

/* No element is in two windows. */
static bool apart(const bpi_window *w)
{
  return w->stride[0] >= w->window[0] && w->stride[1] >= w->window[1];
}

/* Every element is in one window. */
static bool tiled(const bpi_window *w)
{
  bool all = true;
  for (int i = 0; i < 2; i++)
    all =
        all && w->stride[i] == w->window[i] && w->before[i] == 0 && w->places[i] * w->window[i] == w->size[i];
  return all;
}

static bool to_image(const bpi_pool2d *p)
{
  return p->kind == BPI_POOL_PUT || p->kind == BPI_POOL_SPREAD;
}

#define T float
#define S f32
#define I int32_t
#include "kernels/conv/pooled_real.h"
#undef T
#undef S
#undef I

#define T double
#define S f64
#define I int64_t
#include "kernels/conv/pooled_real.h"

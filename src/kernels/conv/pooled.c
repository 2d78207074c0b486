/* Pooling, vectorised over the channels of a pixel. A window that reaches over the edge has the elements inside alone. */
#include "kernels/simd/isa.h"

#include <string.h>

enum { CHUNK = 64 }; /* channels worked on together */

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

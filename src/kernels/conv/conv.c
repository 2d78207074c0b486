/* Convolution and its adjoints as matrix products that are never written out.
 *
 * All three run one tile: a few rows times two vectors of columns, summed over steps. Row i of step p is read at a[i][off[p]], so what a
 * matrix product would need laid out (patches of the image) is a list of offsets instead:
 *
 *   made of it   rows                         columns    steps                         also
 *   out          places                       filters    elements of a window          weights are packed, filters side by side
 *   image        places that one element      channels   filters                       a product for each element of the window, added
 *                of the window sees                                                    to the image where it lies: no border is multiplied
 *   weights      elements of a window         filters    places of a strip             strips are added in order
 *
 * Work is cut into strips: a few whole images, or a few rows of one, so that what a strip reads and makes stays in the second-level cache. Where
 * windows reach over the edge, the strip of the image is copied with its border of zeros; elsewhere it is read where it lies. Every element
 * is summed in one order, which depends on the shapes alone. */
#include "kernels/gemm/vector.h"

#include <string.h>

/* Rows of a tile. 9 divides the windows of 3 by 3 that most networks have; fewer where there are 16 registers. */
#if BPI_WIDE == 64
enum { CONV_MR = 9 };
#else
enum { CONV_MR = BPI_MR };
#endif

enum {
  STRIP = 256,             /* places of a strip */
  FEW = (CONV_MR + 1) / 2, /* rows of a smaller tile */
  BLOCK = 4 * CONV_MR,     /* rows of a unit of weights */
  LEAST_UNITS = 16         /* units worth having where there are threads to share them */
};

/* Points of three axes, the last the fastest, and how far apart they lie where they are read and where they are written. */
typedef struct grid {
  int64_t dims[3], from[3], to[3];
} grid;

/* A point of a grid. */
typedef struct point {
  int64_t at[3], from, to;
} point;

static int64_t grid_size(const grid *g)
{
  return g->dims[0] * g->dims[1] * g->dims[2];
}

static point grid_point(const grid *g, int64_t number)
{
  point p = {
      .at = {number / (g->dims[1] * g->dims[2]), number / g->dims[2] % g->dims[1], number % g->dims[2]}};
  for (int i = 0; i < 3; i++) {
    p.from += p.at[i] * g->from[i];
    p.to += p.at[i] * g->to[i];
  }
  return p;
}

BPI_INLINE void grid_next(const grid *g, point *p)
{
  p->from += g->from[2];
  p->to += g->to[2];
  for (int i = 2; i > 0 && ++p->at[i] == g->dims[i]; i--) {
    p->at[i] = 0;
    p->from += g->from[i - 1] - g->dims[i] * g->from[i];
    p->to += g->to[i - 1] - g->dims[i] * g->to[i];
  }
}

/* Where all points are read, in order. */
static void grid_offsets(const grid *g, int64_t *off)
{
  point p = {.from = 0};
  for (int64_t i = 0, n = grid_size(g); i < n; i++, grid_next(g, &p))
    off[i] = p.from;
}

/* Images cut into strips: `images` whole ones each, or, where bands > 1, `rows` rows of one. */
typedef struct strips {
  int64_t batch, height, images, rows, bands, count;
} strips;

typedef struct strip {
  int64_t image, images, row, rows;
} strip;

static int64_t ceil_div(int64_t a, int64_t b)
{
  return (a + b - 1) / b;
}

static strips strips_of(int64_t batch, int64_t height, int64_t width)
{
  strips s = {.batch = batch, .height = height, .images = 1, .rows = height, .bands = 1};
  if (batch == 0 || height == 0 || width == 0)
    return s;
  const int64_t share = ceil_div(batch * height * width, LEAST_UNITS), each = share < STRIP ? share : STRIP;
  if (height * width <= each)
    s.images = each / (height * width);
  else
    s.bands = ceil_div(height, each / width > 0 ? each / width : 1);
  s.rows = ceil_div(height, s.bands);
  s.bands = ceil_div(height, s.rows);
  s.count = s.bands * ceil_div(batch, s.images);
  return s;
}

static strip strip_at(const strips *s, int64_t number)
{
  strip t = {.image = number / s->bands * s->images, .row = number % s->bands * s->rows};
  t.images = s->batch - t.image < s->images ? s->batch - t.image : s->images;
  t.rows = s->height - t.row < s->rows ? s->height - t.row : s->rows;
  return t;
}

/* How much of the image, along one axis, so many places see. */
static int64_t seen(const bpi_window *w, int axis, int64_t places)
{
  return (places - 1) * w->stride[axis] + (w->window[axis] - 1) * w->dilation[axis] + 1;
}

/* True if no window reaches over the edge. */
static bool inside(const bpi_window *w)
{
  bool in = true;
  for (int i = 0; i < 2; i++)
    in = in && w->before[i] == 0 && seen(w, i, w->places[i]) <= w->size[i];
  return in;
}

/* The first place whose element of the window, `ahead` past the place's own, is at `at` or behind. */
static int64_t first_place(int64_t at, int64_t ahead, int64_t stride, int64_t places)
{
  const int64_t place = at > ahead ? (at - ahead + stride - 1) / stride : 0;
  return place < places ? place : places;
}

static size_t padded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

/* Takes so many bytes of the scratch. */
static void *take(char **scratch, size_t bytes)
{
  void *p = *scratch;
  *scratch += padded(bytes);
  return p;
}

#define T      float
#define S      f32
#define MULADD BPI_MULADD_F32
#define SPREAD BPI_SPREAD_F32
#include "kernels/conv/conv_real.h"
#undef T
#undef S
#undef MULADD
#undef SPREAD

#define T      double
#define S      f64
#define MULADD BPI_MULADD_F64
#define SPREAD BPI_SPREAD_F64
#include "kernels/conv/conv_real.h"

/* The oracle's convolution and pooling: the sums as the formulas say them, in long double. */
#include "kernels/ref/ref_rows.h"

#include <string.h>

/* Where element (k, l) of the window of place (i, j) lies in image n; -1 outside. */
static int64_t seen_at(const bpi_window *w, int64_t n, int64_t i, int64_t j, int64_t k, int64_t l)
{
  const int64_t r = i * w->stride[0] + k * w->dilation[0] - w->before[0];
  const int64_t c = j * w->stride[1] + l * w->dilation[1] - w->before[1];
  const bool in = r >= 0 && r < w->size[0] && c >= 0 && c < w->size[1];
  return in ? (n * w->size[0] + r) * w->size[1] + c : -1;
}

static int64_t made(const bpi_conv *c)
{
  const bpi_window *w = &c->w;
  const int64_t each[] = {[BPI_CONV_OUT] = w->batch * w->places[0] * w->places[1] * c->filters,
                          [BPI_CONV_IMAGE] = w->batch * w->size[0] * w->size[1] * c->channels,
                          [BPI_CONV_WEIGHTS] =
                              c->filters * w->window[0] * w->window[1] * (c->channels / c->groups)};
  return each[c->kind];
}

size_t bpi_ref_conv_scratch(const bpi_conv *c)
{
  return (size_t)made(c) * sizeof(long double);
}

size_t bpi_ref_pool_scratch(const bpi_pool2d *p)
{
  (void)p;
  return 0;
}

/* Calls `add` for every product of the convolution: elements of image, weights and out. */
typedef void (*each_product)(const bpi_conv *c, void *sums, int64_t x, int64_t w, int64_t y);

static void products_of_place(const bpi_conv *c, void *sums, each_product add, const int64_t *at)
{
  const bpi_window *w = &c->w;
  const int64_t channels = c->channels / c->groups, filters = c->filters / c->groups;
  for (int64_t k = 0; k < w->window[0]; k++)
    for (int64_t l = 0; l < w->window[1]; l++) {
      const int64_t pixel = seen_at(w, at[0], at[1], at[2], k, l);
      for (int64_t ch = 0; pixel >= 0 && ch < channels; ch++)
        add(c, sums, pixel * c->channels + at[3] / filters * channels + ch,
            ((at[3] * w->window[0] + k) * w->window[1] + l) * channels + ch,
            ((at[0] * w->places[0] + at[1]) * w->places[1] + at[2]) * c->filters + at[3]);
    }
}

static void all_products(const bpi_conv *c, void *sums, each_product add)
{
  const bpi_window *w = &c->w;
  for (int64_t at[4] = {0}; at[0] < w->batch; at[0]++)
    for (at[1] = 0; at[1] < w->places[0]; at[1]++)
      for (at[2] = 0; at[2] < w->places[1]; at[2]++)
        for (at[3] = 0; at[3] < c->filters; at[3]++)
          products_of_place(c, sums, add, at);
}

#define CONV(T, S)                                                                               \
  static void add_##S(const bpi_conv *c, void *sums, int64_t x, int64_t w, int64_t y)            \
  {                                                                                              \
    const long double a = ((const T *)c->image)[x], b = ((const T *)c->weights)[w];              \
    const long double u = c->kind == BPI_CONV_OUT ? 0 : ((const T *)c->out)[y];                  \
    long double *s = sums;                                                                       \
    if (c->kind == BPI_CONV_OUT)                                                                 \
      s[y] += a * b;                                                                             \
    else if (c->kind == BPI_CONV_IMAGE)                                                          \
      s[x] += u * b;                                                                             \
    else                                                                                         \
      s[w] += u * a;                                                                             \
  }                                                                                              \
  void bpi_ref_conv_##S(const bpi_conv *c, void *scratch)                                        \
  {                                                                                              \
    T *y = c->kind == BPI_CONV_OUT ? c->out : c->kind == BPI_CONV_IMAGE ? c->image : c->weights; \
    const long double *sums = scratch;                                                           \
    memset(scratch, 0, bpi_ref_conv_scratch(c));                                                 \
    all_products(c, scratch, add_##S);                                                           \
    for (int64_t i = 0; i < made(c); i++)                                                        \
      y[i] = (T)(sums[i] + (c->bias ? ((const T *)c->bias)[i % c->filters] : 0));                \
  }

/* Pools: the units are rows of places; the oracle does all of them when it is asked for the first. */
#define POOL(T, S)                                                                                        \
  static int64_t winner_##S(const bpi_pool2d *p, const int64_t *at, int64_t ch, long double *sum,         \
                            int64_t *count)                                                               \
  {                                                                                                       \
    const T *x = p->x;                                                                                    \
    int64_t best = -1;                                                                                    \
    *count = 0;                                                                                           \
    *sum = 0;                                                                                             \
    for (int64_t k = 0; k < p->w.window[0]; k++)                                                          \
      for (int64_t l = 0; l < p->w.window[1]; l++) {                                                      \
        const int64_t pixel = seen_at(&p->w, at[0], at[1], at[2], k, l), e = pixel * p->channels + ch;    \
        if (pixel < 0)                                                                                    \
          continue;                                                                                       \
        ++*count;                                                                                         \
        if (!x)                                                                                           \
          continue;                                                                                       \
        *sum += x[e];                                                                                     \
        if (best < 0 || x[e] > x[best] || (x[e] != x[e] && x[best] == x[best]))                           \
          best = e;                                                                                       \
      }                                                                                                   \
    return best;                                                                                          \
  }                                                                                                       \
  static void spread_##S(const bpi_pool2d *p, const int64_t *at, int64_t ch, T share)                     \
  {                                                                                                       \
    for (int64_t k = 0; k < p->w.window[0]; k++)                                                          \
      for (int64_t l = 0; l < p->w.window[1]; l++) {                                                      \
        const int64_t pixel = seen_at(&p->w, at[0], at[1], at[2], k, l);                                  \
        if (pixel >= 0)                                                                                   \
          ((T *)p->y)[pixel * p->channels + ch] += share;                                                 \
      }                                                                                                   \
  }                                                                                                       \
  static void pool_place_##S(const bpi_pool2d *p, const int64_t *at, int64_t ch)                          \
  {                                                                                                       \
    const int64_t place = ((at[0] * p->w.places[0] + at[1]) * p->w.places[1] + at[2]) * p->channels + ch; \
    const T *x = p->x, *v = p->v;                                                                         \
    T *y = p->y;                                                                                          \
    long double sum;                                                                                      \
    int64_t count, best = winner_##S(p, at, ch, &sum, &count);                                            \
    if (p->kind == BPI_POOL_MAX)                                                                          \
      y[place] = x[best];                                                                                 \
    else if (p->kind == BPI_POOL_PICK)                                                                    \
      y[place] = v[best];                                                                                 \
    else if (p->kind == BPI_POOL_PUT)                                                                     \
      y[best] += v[place];                                                                                \
    else if (p->kind == BPI_POOL_MEAN)                                                                    \
      y[place] = (T)(sum / (long double)count);                                                           \
    else                                                                                                  \
      spread_##S(p, at, ch, (T)(v[place] / (long double)count));                                          \
  }                                                                                                       \
  void bpi_ref_pool_##S(const bpi_pool2d *p, int64_t begin, int64_t end, void *scratch)                   \
  {                                                                                                       \
    (void)end, (void)scratch;                                                                             \
    if (begin)                                                                                            \
      return;                                                                                             \
    if (p->kind == BPI_POOL_PUT || p->kind == BPI_POOL_SPREAD)                                            \
      memset(p->y, 0, (size_t)(p->w.batch * p->w.size[0] * p->w.size[1] * p->channels) * sizeof(T));      \
    for (int64_t at[3] = {0}; at[0] < p->w.batch; at[0]++)                                                \
      for (at[1] = 0; at[1] < p->w.places[0]; at[1]++)                                                    \
        for (at[2] = 0; at[2] < p->w.places[1]; at[2]++)                                                  \
          for (int64_t ch = 0; ch < p->channels; ch++)                                                    \
            pool_place_##S(p, at, ch);                                                                    \
  }

CONV(float, f32)
CONV(double, f64)
POOL(float, f32)
POOL(double, f64)

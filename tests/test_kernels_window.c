/* Convolution, its adjoints and pooling of every instruction set against the oracle: windows at and over the edge, strides, dilation, groups,
 * channels that do not fill a vector, ties and NaN; and that bits depend on shapes alone. Buffers end where their data end, so that a
 * sanitizer sees a step too far. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "kernels/ref/ref.h"
#include "kernels/ref/ref_rows.h"

static uint64_t seed;

static uint64_t random_bits(void)
{
  seed += 0x9e3779b97f4a7c15u;
  uint64_t z = seed;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static int64_t random_int(int64_t lo, int64_t hi)
{
  return lo + (int64_t)(random_bits() % (uint64_t)(hi - lo + 1));
}

static void *room(size_t bytes)
{
  void *p = malloc(bytes ? bytes : 1);
  assert_non_null(p);
  return p;
}

static double at(bool wide, const void *x, int64_t i)
{
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void set(bool wide, void *x, int64_t i, double v)
{
  if (wide)
    ((double *)x)[i] = v;
  else
    ((float *)x)[i] = (float)v;
}

/* Multiples of 1/8 in -1..1: few enough that equals meet. */
static void *drawn(bool wide, int64_t n)
{
  void *x = room((size_t)n * (wide ? 8 : 4));
  for (int64_t i = 0; i < n; i++)
    set(wide, x, i, (double)random_int(-8, 8) / 8);
  return x;
}

/* Sixteenths of the way from 0 to 1, of full precision. */
static void *drawn_fully(bool wide, int64_t n)
{
  void *x = room((size_t)n * (wide ? 8 : 4));
  for (int64_t i = 0; i < n; i++)
    set(wide, x, i, (double)(random_bits() >> 11) * 0x1p-52 - 1);
  return x;
}

/* ---- windows ---- */

static bpi_window random_window(int64_t most)
{
  bpi_window w = {.batch = random_int(1, 3)};
  for (int i = 0; i < 2; i++) {
    w.window[i] = random_int(1, 3);
    w.stride[i] = random_int(1, 3);
    w.dilation[i] = random_int(1, 2);
    const int64_t extent = (w.window[i] - 1) * w.dilation[i] + 1, after = random_int(0, extent - 1);
    w.before[i] = random_int(0, extent - 1);
    const int64_t least = extent - w.before[i] - after;
    w.size[i] = random_int(least > 1 ? least : 1, most);
    w.places[i] = (w.size[i] + w.before[i] + after - extent) / w.stride[i] + 1;
  }
  return w;
}

static int64_t image_size(const bpi_window *w, int64_t channels)
{
  return w->batch * w->size[0] * w->size[1] * channels;
}

static int64_t places_size(const bpi_window *w, int64_t channels)
{
  return w->batch * w->places[0] * w->places[1] * channels;
}

static bpi_conv random_conv(void)
{
  static const int64_t some[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 40};
  bpi_conv c = {.kind = (bpi_conv_kind)random_int(0, 2),
                .w = random_window(12),
                .groups = random_int(1, 5) == 1 ? 2 : 1};
  c.channels = c.groups * some[random_int(0, 11)];
  c.filters = c.groups * some[random_int(0, 11)];
  return c;
}

/* The three arrays of a convolution; the one that is made is filled with NaN. */
typedef struct arrays {
  int64_t n[3];
  void *x[3], *bias;
} arrays;

static int made_by(const bpi_conv *c)
{
  return c->kind == BPI_CONV_IMAGE ? 0 : c->kind == BPI_CONV_WEIGHTS ? 1 : 2;
}

static arrays arrays_of(const bpi_conv *c, bool wide)
{
  arrays a = {.n = {image_size(&c->w, c->channels),
                    c->filters * c->w.window[0] * c->w.window[1] * (c->channels / c->groups),
                    places_size(&c->w, c->filters)}};
  for (int i = 0; i < 3; i++)
    a.x[i] = drawn_fully(wide, a.n[i]);
  a.bias = random_int(0, 1) ? drawn_fully(wide, c->filters) : NULL;
  return a;
}

static void arrays_free(const arrays *a)
{
  for (int i = 0; i < 3; i++)
    free(a->x[i]);
  free(a->bias);
}

static void use(bpi_conv *c, const arrays *a, void *made)
{
  void *x[3] = {a->x[0], a->x[1], a->x[2]};
  x[made_by(c)] = made;
  c->image = x[0];
  c->weights = x[1];
  c->out = x[2];
  c->bias = c->kind == BPI_CONV_OUT ? a->bias : NULL;
}

static void *run_conv(const bpi_kernels *k, bpi_conv c, const arrays *a, bool wide, int64_t each)
{
  const int64_t n = a->n[made_by(&c)];
  c.wide = wide;
  const int64_t units = bpi_conv_units(k->conv[wide], &c);
  void *made = room((size_t)n * (wide ? 8 : 4)), *scratch = room(bpi_conv_scratch(k->conv[wide], &c));
  memset(made, 0xff, (size_t)n * (wide ? 8 : 4)); /* NaN */
  use(&c, a, made);
  for (int64_t u = 0; u < units; u += each)
    bpi_convolve(k->conv[wide], &c, u, u + each < units ? u + each : units, scratch);
  free(scratch);
  return made;
}

static void *reference_of(bpi_conv c, const arrays *a, bool wide)
{
  void *made = room((size_t)a->n[made_by(&c)] * (wide ? 8 : 4)), *scratch = room(bpi_ref_conv_scratch(&c));
  use(&c, a, made);
  (wide ? bpi_ref_conv_f64 : bpi_ref_conv_f32)(&c, scratch);
  free(scratch);
  return made;
}

static void assert_near(const bpi_kernels *k, const bpi_conv *c, bool wide, int64_t n, const void *got,
                        const void *want, int64_t terms)
{
  const double most = (double)(terms + 4) * (wide ? DBL_EPSILON : FLT_EPSILON);
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(at(wide, got, i) - at(wide, want, i)) <= most))
      fail_msg("%s f%d kind %d: element %lld of %lld is %.9g, not %.9g; image %lld x %lld x %lld, window "
               "%lld x %lld, "
               "%lld filters in %lld groups",
               k->name, wide ? 64 : 32, (int)c->kind, (long long)i, (long long)n, at(wide, got, i),
               at(wide, want, i), (long long)c->w.size[0], (long long)c->w.size[1], (long long)c->channels,
               (long long)c->w.window[0], (long long)c->w.window[1], (long long)c->filters,
               (long long)c->groups);
}

static int64_t terms_of(const bpi_conv *c)
{
  const int64_t window = c->w.window[0] * c->w.window[1];
  return c->kind == BPI_CONV_OUT     ? window * c->channels / c->groups
         : c->kind == BPI_CONV_IMAGE ? window * c->filters / c->groups
                                     : c->w.batch * c->w.places[0] * c->w.places[1];
}

static void convolve_as_the_oracle(const bpi_conv *c, bool wide)
{
  const arrays a = arrays_of(c, wide);
  const int64_t n = a.n[made_by(c)];
  void *want = reference_of(*c, &a, wide);
  for (int isa = 0; isa < BP_ISA_COUNT; isa++) {
    if (!bpi_cpu_has((bp_isa)isa))
      continue;
    const bpi_kernels *k = bpi_kernels_for((bp_isa)isa);
    void *all = run_conv(k, *c, &a, wide, INT32_MAX), *single = run_conv(k, *c, &a, wide, 1);
    assert_near(k, c, wide, n, all, want, terms_of(c));
    assert_memory_equal(all, single, (size_t)n * (wide ? 8 : 4));
    free(all);
    free(single);
  }
  free(want);
  arrays_free(&a);
}

static void convolutions_are_the_oracles(void **state)
{
  (void)state;
  for (seed = 1; seed < 1000000; seed += 1009) {
    const uint64_t kept = seed;
    const bpi_conv c = random_conv();
    convolve_as_the_oracle(&c, random_int(0, 1) == 1);
    seed = kept;
  }
}

/* Strips of several images, and of a few rows of one: sizes that random ones do not reach. */
static void strips_meet(void **state)
{
  (void)state;
  const bpi_window many = {.batch = 40,
                           .size = {6, 5},
                           .places = {6, 5},
                           .window = {3, 3},
                           .stride = {1, 1},
                           .before = {1, 1},
                           .dilation = {1, 1}};
  const bpi_window large = {.batch = 1,
                            .size = {45, 41},
                            .places = {23, 21},
                            .window = {3, 3},
                            .stride = {2, 2},
                            .before = {1, 1},
                            .dilation = {1, 1}};
  for (int kind = 0; kind < 3; kind++)
    for (int wide = 0; wide < 2; wide++) {
      convolve_as_the_oracle(
          &(bpi_conv){.kind = (bpi_conv_kind)kind, .w = many, .groups = 1, .channels = 3, .filters = 18},
          wide);
      convolve_as_the_oracle(
          &(bpi_conv){.kind = (bpi_conv_kind)kind, .w = large, .groups = 2, .channels = 4, .filters = 6},
          wide);
    }
}

/* Same size, same bits: how many images there are beside changes nothing about an image. */
static void images_do_not_see_each_other(void **state)
{
  (void)state;
  const bpi_kernels *k = bpi_kernels_for(BP_ISA_BEST);
  bpi_conv c = {.groups = 1, .channels = 5, .filters = 19};
  c.w = (bpi_window){.batch = 7,
                     .size = {9, 8},
                     .places = {9, 8},
                     .window = {3, 3},
                     .stride = {1, 1},
                     .before = {1, 1},
                     .dilation = {1, 1}};
  for (int kind = 0; kind < 2; kind++) {
    c.kind = (bpi_conv_kind)kind;
    c.w.batch = 7;
    arrays a = arrays_of(&c, false);
    float *all = run_conv(k, c, &a, false, INT32_MAX);
    c.w.batch = 1;
    const int64_t image = image_size(&c.w, c.channels), out = places_size(&c.w, c.filters),
                  n = kind ? image : out;
    for (int64_t i = 0; i < 7; i++) {
      arrays one = {.n = {image, a.n[1], out},
                    .bias = a.bias,
                    .x = {(float *)a.x[0] + i * image, a.x[1], (float *)a.x[2] + i * out}};
      float *alone = run_conv(k, c, &one, false, INT32_MAX);
      assert_memory_equal(alone, all + i * n, (size_t)n * sizeof *alone);
      free(alone);
    }
    free(all);
    arrays_free(&a);
  }
}

/* ---- pools ---- */

static void *run_pool(const bpi_kernels *k, bpi_pool2d p, bool wide, int64_t n, int64_t each)
{
  const int64_t units = p.w.batch * p.w.places[0];
  void *y = room((size_t)n * (wide ? 8 : 4));
  memset(y, 0xff, (size_t)n * (wide ? 8 : 4));
  p.y = y;
  for (int64_t u = 0; u < units; u += each)
    k->pool[wide](&p, u, u + each < units ? u + each : units, NULL);
  return y;
}

static bool same_number(double a, double b, double most)
{
  return (isnan(a) && isnan(b)) || fabs(a - b) <= most;
}

static void pool_as_the_oracle(bpi_pool2d p, bool wide)
{
  const bool to_image = p.kind == BPI_POOL_PUT || p.kind == BPI_POOL_SPREAD;
  const int64_t image = image_size(&p.w, p.channels), places = places_size(&p.w, p.channels);
  const int64_t n = to_image ? image : places;
  void *x = drawn(wide, image), *v = drawn(wide, to_image ? places : image);
  for (int64_t i = 0; i < image; i++)
    if (random_int(0, 15) == 0)
      set(wide, x, i, NAN);
  p.x = p.kind == BPI_POOL_SPREAD ? NULL : x;
  p.v = p.kind == BPI_POOL_MAX || p.kind == BPI_POOL_MEAN ? NULL : v;
  void *want = run_pool(&bpi_kernels_ref, p, wide, n, INT32_MAX);
  for (int isa = 0; isa < BP_ISA_COUNT; isa++) {
    if (!bpi_cpu_has((bp_isa)isa))
      continue;
    const bpi_kernels *k = bpi_kernels_for((bp_isa)isa);
    void *all = run_pool(k, p, wide, n, INT32_MAX), *single = run_pool(k, p, wide, n, 1);
    for (int64_t i = 0; i < n; i++)
      if (!same_number(at(wide, all, i), at(wide, want, i), 32 * (wide ? DBL_EPSILON : FLT_EPSILON)))
        fail_msg("%s f%d kind %d: element %lld is %.9g, not %.9g", k->name, wide ? 64 : 32, (int)p.kind,
                 (long long)i, at(wide, all, i), at(wide, want, i));
    assert_memory_equal(all, single, (size_t)n * (wide ? 8 : 4));
    free(all);
    free(single);
  }
  free(want);
  free(x);
  free(v);
}

static void pools_are_the_oracles(void **state)
{
  (void)state;
  for (seed = 1; seed < 1000000; seed += 1009) {
    const uint64_t kept = seed;
    bpi_pool2d p = {
        .kind = (bpi_pool_kind)random_int(0, 4), .w = random_window(9), .channels = random_int(1, 70)};
    for (int i = 0; i < 2; i++) {
      const int64_t extent = (p.w.window[i] - 1) * p.w.dilation[i] + 1;
      p.w.window[i] = extent; /* pools have no holes */
      p.w.dilation[i] = 1;
    }
    pool_as_the_oracle(p, random_int(0, 1) == 1);
    seed = kept;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_are_the_oracles),
      cmocka_unit_test(strips_meet),
      cmocka_unit_test(images_do_not_see_each_other),
      cmocka_unit_test(pools_are_the_oracles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

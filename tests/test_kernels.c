/* Every kernel of every instruction set of this machine against the oracle: odd sizes, unaligned and strided operands, NaN,
 * infinities, ties; and that bits depend on shapes alone. Buffers end where their data end, so that a sanitizer sees a step
 * too far. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "kernels/ref/ref.h"

static uint64_t seed;

static uint64_t random_bits(void)
{
  seed += 0x9e3779b97f4a7c15u;
  uint64_t z = seed;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static double random_real(void)
{
  return (double)(random_bits() >> 11) * 0x1p-52 - 1;
}

static void *room(size_t bytes)
{
  void *p = malloc(bytes ? bytes : 1);
  assert_non_null(p);
  return p;
}

/* Where long double is done by software, and perhaps under an emulator, one case in a few stands for all. */
enum { SLOW = LDBL_MANT_DIG > 64 };

static bool chosen(void)
{
  static unsigned count;
  return !SLOW || count++ % 31 == 0;
}

/* Each table that this machine can run. */
#define EACH_ISA(k)                               \
  for (int isa_ = 0; isa_ < BP_ISA_COUNT; isa_++) \
    if (bpi_cpu_has((bp_isa)isa_))                \
      for (const bpi_kernels *k = bpi_kernels_for((bp_isa)isa_); k; k = NULL)

static void tables_are_the_ones_asked_for(void **state)
{
  (void)state;
  EACH_ISA(k)
  {
    assert_string_equal(k->name, bp_isa_name((bp_isa)isa_));
  }
  assert_ptr_equal(bpi_kernels_for(BP_ISA_BEST), bpi_kernels_for(bpi_cpu_best()));
#if defined(__x86_64__)
  assert_ptr_equal(bpi_kernels_for(BP_ISA_NEON), bpi_kernels_for(BP_ISA_BASE));
#endif
}

/* ---- elementwise bodies ---- */

enum { REAL, NUM, TEST, BOOL, PICK };
typedef enum dtype { F32, F64, I64, B8, DTYPES } dtype;
static const size_t size_of[DTYPES] = {4, 8, 8, 1};
static const char *const dtype_name[DTYPES] = {"f32", "f64", "i64", "b8"};

static const struct {
  const char *name;
  int id, arity, kind;
} bodies[] = {
#define REAL_BODY1(name, ...) {#name, BPI_BODY_##name, 1, REAL},
#define REAL_BODY2(name, ...) {#name, BPI_BODY_##name, 2, REAL},
#define REAL_BODY3(name, ...) {#name, BPI_BODY_##name, 3, REAL},
#define NUM_BODY1(name, ...)  {#name, BPI_BODY_##name, 1, NUM},
#define NUM_BODY2(name, ...)  {#name, BPI_BODY_##name, 2, NUM},
#define TEST_BODY1(name, ...) {#name, BPI_BODY_##name, 1, TEST},
#define TEST_BODY2(name, ...) {#name, BPI_BODY_##name, 2, TEST},
#define BOOL_BODY1(name, ...) {#name, BPI_BODY_##name, 1, BOOL},
#define BOOL_BODY2(name, ...) {#name, BPI_BODY_##name, 2, BOOL},
#define PICK_BODY3(name, ...) {#name, BPI_BODY_##name, 3, PICK},
#include "bodies.inc"
    {NULL, 0, 0, 0}};

static bpi_loop loop_of(const bpi_kernels *k, int id, dtype t)
{
  const bpi_body_loops *l = &k->body[id];
  return t == F32 ? l->f32 : t == F64 ? l->f64 : t == I64 ? l->i64 : l->b8;
}

static const double specials[] = {0.0, -0.0, INFINITY, -INFINITY, NAN,   1, -1, 0.5,
                                  1e4, -1e4, 1e6,      -3e7,      1e-30, 2, 3,  -3};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* Values of all kinds; each operand of a body meets the others' special values. */
static void fill(dtype t, void *to, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    const uint64_t r = random_bits();
    const double x = r % 4 == 0 ? specials[(r >> 8) % SPECIALS] : random_real() * (r % 4 == 1 ? 1 : 20);
    if (t == F32)
      ((float *)to)[i] = (float)x;
    else if (t == F64)
      ((double *)to)[i] = x;
    else if (t == I64)
      ((int64_t *)to)[i] = r % 8 == 0 ? (int64_t)(r & 8 ? INT64_MIN : INT64_MAX) : (int64_t)(r >> 8) % 7 - 3;
    else
      ((uint8_t *)to)[i] = r >> 8 & 1;
  }
}

static double value(dtype t, const void *x, int64_t i)
{
  return t == F32 ? (double)((const float *)x)[i] : t == F64 ? ((const double *)x)[i] : 0;
}

/* Bodies are compositions, so a few ulp of their parts are let through, also where parts cancel (size: of the operands). */
static bool close_to(dtype t, const void *got, const void *want, int64_t i, double size)
{
  if (t == I64 || t == B8)
    return !memcmp((const char *)got + i * (int64_t)size_of[t], (const char *)want + i * (int64_t)size_of[t],
                   size_of[t]);
  const double g = value(t, got, i), w = value(t, want, i);
  if (isnan(w) || isnan(g) || isinf(w) || isinf(g))
    return (isnan(w) && isnan(g)) || g == w;
  const double eps = t == F32 ? 0x1p-23 : 0x1p-52;
  return fabs(g - w) <= 16 * eps * fabs(w) + 2 * eps * size + (t == F32 ? 1e-44 : 0);
}

/* The same bits, but any NaN for a NaN: which operand's sign and payload one takes is open in IEEE 754. */
static void assert_same_bits(dtype t, const void *a, const void *b, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = i * (int64_t)size_of[t];
    if (memcmp((const char *)a + at, (const char *)b + at, size_of[t]) &&
        !(isnan(value(t, a, i)) && isnan(value(t, b, i))))
      fail_msg("element %d of %d: %a is not %a", (int)i, (int)n, value(t, a, i), value(t, b, i));
  }
}

typedef struct operand {
  dtype t;
  int64_t step;
  void *memory;
  const void *x;
} operand;

/* An operand of n elements, unaligned by one element, in a block of just its size. */
static operand make_operand(dtype t, int64_t step, int64_t n)
{
  operand o = {.t = t, .step = step};
  const int64_t count = n == 0 ? 0 : 1 + (n - 1) * step;
  o.memory = room((size_t)(count + 1) * size_of[t]);
  fill(t, o.memory, count + 1);
  o.x = (char *)o.memory + size_of[t];
  return o;
}

static double operand_size(const operand *o, int64_t i)
{
  const double v = value(o->t, o->x, i * o->step);
  return isfinite(v) ? fabs(v) : 0;
}

static void fail_at(const char *isa, const char *body, dtype t, int64_t i, int64_t n, const operand *o,
                    int arity, double got, double want)
{
  char operands[128] = "";
  for (int j = 0; j < arity; j++)
    snprintf(operands + strlen(operands), sizeof operands - strlen(operands), " %a (step %d)",
             value(o[j].t, o[j].x, i * o[j].step), (int)o[j].step);
  fail_msg("%s %s %s, element %d of %d: %a, should be %a; operands%s", isa, body, dtype_name[t], (int)i,
           (int)n, got, want, operands);
}

/* The body as a relay with each operand in the registers: the same bits as the loop's, `got`. */
static void check_relay(const bpi_kernels *k, int b, dtype t, int64_t n, const int64_t *steps,
                        const void *const *x, const double *p, const void *got)
{
  if ((t != F32 && t != F64) || bodies[b].arity > 2)
    return;
  const int wide = t == F64;
  bpi_relay_fn (*of)(int, bpi_relay_how) = k->relay_of[wide];
  for (int held = 0; held < bodies[b].arity; held++) {
    const int other = 1 - held;
    const bool two = bodies[b].arity == 2;
    const int how = !two ? BPI_RELAY_ARRAY : (steps[other] ? BPI_RELAY_ARRAY : BPI_RELAY_NUMBER) + held;
    if (steps[held] != 1 || (two && steps[other] > 1) || !of(bodies[b].id, (bpi_relay_how)how))
      continue;
    char *y = room((size_t)n * size_of[t]);
    const bpi_relay program[] = {{.fn = of(0, BPI_RELAY_LOAD), .x = (void *)(uintptr_t)x[held], .along = -1},
                                 {.fn = of(bodies[b].id, (bpi_relay_how)how),
                                  .x = two ? (void *)(uintptr_t)x[other] : NULL,
                                  .p = p,
                                  .along = -1},
                                 {.fn = of(0, BPI_RELAY_STORE), .x = y, .along = -1},
                                 {.fn = of(0, BPI_RELAY_END)}};
    const int64_t done = k->run_relay[wide](program, 0, n, false);
    assert_true(done <= n && n - done < 1024);
    assert_same_bits(t, got, y, done);
    free(y);
  }
}

static void check_cut(bpi_loop loop, int arity, dtype out, int64_t n, const operand *o, const int64_t *steps,
                      const double *p, const char *got)
{
  const int64_t cut = n / 3;
  const void *x[3];
  char *again = room((size_t)n * size_of[out]);
  for (int j = 0; j < arity; j++)
    x[j] = o[j].x;
  loop(cut, again, x, steps, p);
  for (int j = 0; j < arity; j++)
    x[j] = (const char *)o[j].x + cut * steps[j] * (int64_t)size_of[o[j].t];
  loop(n - cut, again + cut * (int64_t)size_of[out], x, steps, p);
  assert_same_bits(out, got, again, n);
  free(again);
}

static void check_over(bpi_loop loop, int arity, dtype out, int64_t n, const operand *o, const int64_t *steps,
                       const double *p, const char *got)
{
  const void *x[3];
  char *kept = room((size_t)n * size_of[out]);
  for (int j = 0; j < arity; j++)
    x[j] = o[j].x;
  for (int j = 0; j < arity; j++) {
    if (steps[j] != 1 || size_of[o[j].t] != size_of[out])
      continue;
    void *over = (char *)o[j].memory + size_of[out];
    memcpy(kept, over, (size_t)n * size_of[out]);
    loop(n, over, x, steps, p);
    assert_same_bits(out, got, over, n);
    memcpy(over, kept, (size_t)n * size_of[out]);
  }
  free(kept);
}

static void check_body(const bpi_kernels *k, int b, dtype t, int64_t n, const int64_t *steps)
{
  static const double p[] = {0.25, 0.75, 1.5};
  const bpi_loop loop = loop_of(k, bodies[b].id, t), ref = loop_of(&bpi_kernels_ref, bodies[b].id, t);
  const dtype out = bodies[b].kind == TEST ? B8 : t;
  operand o[3];
  const void *x[3];
  for (int j = 0; j < bodies[b].arity; j++) {
    o[j] = make_operand(bodies[b].kind == PICK && j == 0 ? B8 : t, steps[j], n);
    x[j] = o[j].x;
  }
  char *got = room((size_t)n * size_of[out]), *want = room((size_t)n * size_of[out]);
  loop(n, got, x, steps, p);
  ref(n, want, x, steps, p);
  for (int64_t i = 0; i < n; i++) {
    double size = 1;
    for (int j = 0; j < bodies[b].arity; j++)
      size = fmax(size, operand_size(&o[j], i) * (j > 0 ? fmax(1, operand_size(&o[0], i)) : 1));
    if (!close_to(out, got, want, i, size))
      fail_at(k->name, bodies[b].name, t, i, n, o, bodies[b].arity, value(out, got, i), value(out, want, i));
  }
  if (bodies[b].kind != TEST && bodies[b].kind != PICK)
    check_relay(k, b, t, n, steps, x, p, got);
  /* the same bits when cut in two, and when written over an operand */
  check_cut(loop, bodies[b].arity, out, n, o, steps, p, got);
  check_over(loop, bodies[b].arity, out, n, o, steps, p, got);
  free(got);
  free(want);
  for (int j = 0; j < bodies[b].arity; j++)
    free(o[j].memory);
}

/* Streaming is storing: where the memory is on whole lines. What is fetched, also behind the end, changes nothing. */
static void streams_store_what_they_load(void **state)
{
  (void)state;
  enum { N = 1000 };
  EACH_ISA(k)
  for (int wide = 0; wide < 2; wide++) {
    double *x = aligned_alloc(64, 8192), *y = aligned_alloc(64, 8192);
    assert_true(x && y);
    memset(y, 0, 8192);
    fill(F64, x, N);
    bpi_relay_fn (*of)(int, bpi_relay_how) = k->relay_of[wide];
    const bpi_relay program[] = {{.fn = of(0, BPI_RELAY_LOAD), .x = x, .along = -1},
                                 {.fn = of(0, BPI_RELAY_FETCH), .x = x, .along = -1},
                                 {.fn = of(0, BPI_RELAY_STREAM), .x = y, .along = -1},
                                 {.fn = of(0, BPI_RELAY_END)}};
    const size_t bytes = (size_t)k->run_relay[wide](program, 0, N, true) * (wide ? 8 : 4);
    assert_memory_equal(x, y, bytes);
    assert_true(bytes > 2048 && y[bytes / 8] == 0);
    free(x);
    free(y);
  }
}

static void bodies_agree_with_the_oracle(void **state)
{
  (void)state;
  static const int64_t sizes[] = {0, 1, 2, 3, 5, 8, 15, 17, 31, 64, 100, 255, 257, 600, 1025};
  static const int64_t steps[][3] = {{1, 1, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {2, 1, 3},
                                     {0, 0, 0}, {3, 2, 1}, {1, 0, 0}, {0, 1, 0}};
  seed = 1;
  EACH_ISA(k)
  for (int b = 0; bodies[b].name; b++)
    for (int t = 0; t < DTYPES; t++) {
      const bool there = loop_of(&bpi_kernels_ref, bodies[b].id, (dtype)t) != NULL;
      assert_int_equal(there, loop_of(k, bodies[b].id, (dtype)t) != NULL);
      for (size_t s = 0; there && s < sizeof steps / sizeof *steps; s++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
          if (chosen())
            check_body(k, b, (dtype)t, sizes[i], steps[s]);
    }
}

/* ---- reductions ---- */

static double get(int wide, const void *x, int64_t i)
{
  return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void put(int wide, void *x, int64_t i, double v)
{
  if (wide)
    ((double *)x)[i] = v;
  else
    ((float *)x)[i] = (float)v;
}

static const bpi_reduce hows[] = {BPI_REDUCE_SUM,  BPI_REDUCE_MAX,    BPI_REDUCE_MIN,
                                  BPI_REDUCE_PROD, BPI_REDUCE_ARGMAX, BPI_REDUCE_ARGMIN};

/* style 0: small integers, many ties, zeros of both signs; 1: the same with NaN and infinities; 2: reals. */
static void fill_rows(int wide, void *x, int64_t n, int style)
{
  for (int64_t i = 0; i < n; i++) {
    const uint64_t r = random_bits();
    double v = style == 2 ? random_real() : (double)(int64_t)(r % 5) - 2;
    if (v == 0 && r & 64)
      v = -0.0;
    if (style == 1 && r >> 32 & 1 && r % 41 == 0)
      v = r & 128 ? NAN : r & 256 ? INFINITY : -INFINITY;
    put(wide, x, i, v);
  }
}

static bool same_number(double a, double b)
{
  return isnan(a) || isnan(b) ? isnan(a) && isnan(b) : a == b && !signbit(a) == !signbit(b);
}

static void check_reduce(const bpi_kernels *k, int wide, int64_t outer, int64_t n, int64_t inner, int style)
{
  const size_t size = wide ? 8 : 4;
  const int64_t outs = outer * inner;
  char *x = room((size_t)(outs * n + 1) * size), *in = x + size;
  fill_rows(wide, x, outs * n + 1, style);
  for (size_t h = 0; h < sizeof hows / sizeof *hows; h++) {
    const bool index = hows[h] == BPI_REDUCE_ARGMAX || hows[h] == BPI_REDUCE_ARGMIN;
    const bool adds = hows[h] == BPI_REDUCE_SUM || hows[h] == BPI_REDUCE_PROD;
    const size_t bytes = (size_t)outs * (index ? 8 : size);
    char *got = room(bytes), *want = room(bytes), *again = room(bytes);
    if (n == 0 && !adds)
      goto done;
    k->reduce[wide](hows[h], n, inner, in, got, 0, outs);
    bpi_kernels_ref.reduce[wide](hows[h], n, inner, in, want, 0, outs);
    for (int64_t i = 0; i < outs; i++) {
      if (index) {
        assert_int_equal(((int64_t *)got)[i], ((int64_t *)want)[i]);
        continue;
      }
      const double g = get(wide, got, i), w = get(wide, want, i), eps = wide ? 1e-14 : 1e-5;
      const bool near =
          adds && style == 2
              ? fabs(g - w) <= eps * (hows[h] == BPI_REDUCE_SUM ? sqrt((double)n) : fabs(w)) + 1e-40
          : adds ? g == w || (isnan(g) && isnan(w)) || hows[h] == BPI_REDUCE_PROD
                 : same_number(g, w);
      if (!near)
        fail_msg("%s reduce %d wide %d [%d,%d,%d] style %d at %d: %a, should be %a", k->name, (int)hows[h],
                 wide, (int)outer, (int)n, (int)inner, style, (int)i, g, w);
    }
    for (int64_t i = outs; i > 0;) { /* any cut, any order: the same bits */
      const int64_t from = i > 7 ? i - 7 : 0;
      k->reduce[wide](hows[h], n, inner, in, again, from, i);
      i = from;
    }
    assert_same_bits(index ? I64 : wide ? F64 : F32, got, again, outs);
  done:
    free(got);
    free(want);
    free(again);
  }
  free(x);
}

static void reductions_agree_with_the_oracle(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{3, 0, 1},     {3, 0, 4},   {1, 1, 1},    {5, 2, 1},    {4, 10, 1},
                                      {3, 31, 1},    {2, 32, 1},  {2, 33, 1},   {2, 1000, 1}, {1, 4097, 1},
                                      {1, 20001, 1}, {2, 3, 5},   {1, 128, 64}, {1, 129, 65}, {2, 7, 63},
                                      {1, 500, 3},   {3, 1, 130}, {1, 300, 10}, {1, 1000, 2}, {0, 4, 3}};
  seed = 2;
  EACH_ISA(k)
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int style = 0; style < 3; style++)
      for (int wide = 0; wide < 2; wide++)
        check_reduce(k, wide, shapes[s][0], shapes[s][1], shapes[s][2], style);
}

static void one_nan_is_found_wherever_it_is(void **state)
{
  (void)state;
  enum { N = 300 };
  float x[N];
  EACH_ISA(k)
  for (int n = 1; n < N; n += 1 + n / 9)
    for (int at = 0; at < n; at++) {
      for (int i = 0; i < n; i++)
        x[i] = (float)(i % 3);
      x[at] = NAN;
      if (at + 1 < n)
        x[n - 1] = INFINITY;
      float y;
      int64_t index;
      k->reduce[0](BPI_REDUCE_MAX, n, 1, x, &y, 0, 1);
      assert_true(isnan(y));
      k->reduce[0](BPI_REDUCE_ARGMIN, n, 1, x, &index, 0, 1);
      assert_int_equal(index, at);
      k->reduce[0](BPI_REDUCE_SUM, n, 1, x, &y, 0, 1);
      assert_true(isnan(y));
      assert_false(k->finite[0](n, x));
      x[n - 1] = x[at] = -INFINITY;
      assert_false(k->finite[0](n, x));
      x[n - 1] = x[at] = 3e38f;
      assert_true(k->finite[0](n, x));
    }
}

/* A float32 sum of ten million numbers, which added one by one would stop growing; the same bits for every instruction set. */
static void long_sums_stay_exact_enough(void **state)
{
  (void)state;
  const int64_t n = SLOW ? 1000019 : 10000019;
  float *x = room((size_t)n * sizeof *x);
  long double want = 0;
  seed = 3;
  for (int64_t i = 0; i < n; i++)
    want += x[i] = (float)(1.5 + random_real());
  float first = 0, column = 0;
  EACH_ISA(k)
  {
    float y[2];
    k->reduce[0](BPI_REDUCE_SUM, n, 1, x, y, 0, 1);
    assert_true(fabsl(y[0] - want) <= 1e-6L * want);
    assert_true(first == 0 || first == y[0]);
    first = y[0];
    k->reduce[0](BPI_REDUCE_SUM, n / 2, 2, x, y, 0, 2);
    assert_true(fabsl((long double)y[0] + y[1] - want) <= 2e-6L * want);
    assert_true(column == 0 || column == y[1]);
    column = y[1];
  }
  free(x);
}

/* ---- softmax ---- */

static void check_softmax(const bpi_kernels *k, int wide, int64_t rows, int64_t n, double scale)
{
  const size_t bytes = (size_t)(rows * n) * (wide ? 8 : 4);
  char *x = room(bytes), *got = room(bytes), *want = room(bytes);
  for (int log = 0; log < 2; log++) {
    for (int64_t i = 0; i < rows * n; i++)
      put(wide, x, i, random_real() * scale);
    (log ? k->log_softmax : k->softmax)[wide](n, x, got, 0, rows);
    (log ? bpi_kernels_ref.log_softmax : bpi_kernels_ref.softmax)[wide](n, x, want, 0, rows);
    for (int64_t i = 0; i < rows * n; i++) {
      const double g = get(wide, got, i), w = get(wide, want, i), eps = wide ? 1e-15 : 5e-7;
      assert_true(fabs(g - w) <= eps * (log ? 1 + scale : 8 * w * (1 + 0.1 * scale)) + (wide ? 0 : 1e-44));
    }
    for (int64_t r = rows; r-- > 0;)
      (log ? k->log_softmax : k->softmax)[wide](n, x, x, r, r + 1);
    assert_memory_equal(x, got, bytes);
  }
  free(x);
  free(got);
  free(want);
}

static void softmax_agrees_with_the_oracle(void **state)
{
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 7, 8, 9, 10, 16, 31, 32, 33, 64, 100, 1000, 5001};
  seed = 4;
  EACH_ISA(k)
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int wide = 0; wide < 2; wide++) {
      check_softmax(k, wide, 5, sizes[i], 3);
      check_softmax(k, wide, 3, sizes[i], 60);
    }
}

/* Both from one pass over the row: the same bits as one by one. */
static void softmax_parts_are_softmax_and_its_logarithm(void **state)
{
  (void)state;
  static const int64_t sizes[] = {1, 2, 9, 10, 16, 33, 100, 1001};
  seed = 14;
  EACH_ISA(k)
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int wide = 0; wide < 2; wide++) {
      const int64_t n = sizes[i];
      const size_t bytes = (size_t)n * (wide ? 8 : 4);
      char *x = room(bytes), *got = room(bytes), *want = room(bytes), *at = room(16);
      for (int64_t j = 0; j < n; j++)
        put(wide, x, j, random_real() * 20);
      k->softmax_parts[wide](n, x, got, at);
      k->softmax[wide](n, x, want, 0, 1);
      assert_memory_equal(got, want, bytes);
      k->log_softmax[wide](n, x, want, 0, 1);
      for (int64_t j = 0; j < n; j++)
        if (wide)
          ((double *)(void *)got)[j] = (get(wide, x, j) - get(wide, at, 0)) - get(wide, at, 1);
        else
          ((float *)(void *)got)[j] =
              (((float *)(void *)x)[j] - ((float *)(void *)at)[0]) - ((float *)(void *)at)[1];
      assert_memory_equal(got, want, bytes);
      free(x);
      free(got);
      free(want);
      free(at);
    }
}

static void softmax_survives_extremes(void **state)
{
  (void)state;
  EACH_ISA(k)
  {
    float x[3] = {1e4f, -1e4f, 1e4f}, y[3];
    k->softmax[0](3, x, y, 0, 1);
    assert_true(y[0] == 0.5f && y[1] == 0 && y[2] == 0.5f);
    k->log_softmax[0](3, x, y, 0, 1);
    assert_true(fabsf(y[0] + 0.6931472f) < 1e-6f && fabsf(y[1] + 20000.693f) < 0.01f);
    x[1] = -INFINITY;
    k->softmax[0](3, x, y, 0, 1);
    assert_true(y[0] == 0.5f && y[1] == 0);
    x[1] = NAN;
    k->softmax[0](3, x, y, 0, 1);
    assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    k->log_softmax[0](3, x, y, 0, 1);
    assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    k->softmax[0](0, x, y, 0, 5);
  }
}

/* ---- the matrix product ---- */

typedef struct product {
  bpi_gemm g;
  int wide;
  char *a, *b, *c, *bias;
  size_t c_bytes;
} product;

/* Operands with gaps at their rows' ends, in blocks that end with the last element. */
static product make_product(int wide, int64_t m, int64_t n, int64_t k, int flags, int64_t gap, int style)
{
  const int64_t size = wide ? 8 : 4;
  product p = {.wide = wide};
  bpi_gemm *g = &p.g;
  *g = (bpi_gemm){.m = m, .n = n, .k = k, .ta = flags & 1, .tb = flags & 2, .accumulate = flags & 8};
  const int64_t a_rows = g->ta ? k : m, a_cols = g->ta ? m : k, b_rows = g->tb ? n : k,
                b_cols = g->tb ? k : n;
  g->lda = a_cols + gap;
  g->ldb = b_cols + gap;
  g->ldc = n + gap;
  const int64_t na = a_rows && a_cols ? (a_rows - 1) * g->lda + a_cols : 0;
  const int64_t nb = b_rows && b_cols ? (b_rows - 1) * g->ldb + b_cols : 0;
  const int64_t nc = m && n ? (m - 1) * g->ldc + n : 0;
  p.a = room((size_t)(na * size));
  p.b = room((size_t)(nb * size));
  p.c_bytes = (size_t)(nc * size);
  p.c = room(p.c_bytes);
  p.bias = room((size_t)(n * size));
  fill_rows(wide, p.a, na, style);
  fill_rows(wide, p.b, nb, style);
  fill_rows(wide, p.c, nc, style == 1 ? 0 : style);
  fill_rows(wide, p.bias, n, style == 1 ? 0 : style);
  g->a = p.a;
  g->b = p.b;
  g->c = p.c;
  g->bias = flags & 4 ? p.bias : NULL;
  return p;
}

static void free_product(product *p)
{
  free(p->a);
  free(p->b);
  free(p->c);
  free(p->bias);
}

static char *run_product(const bpi_kernels *k, const product *p, bool backwards)
{
  char *c = room(p->c_bytes);
  memcpy(c, p->c, p->c_bytes);
  bpi_gemm g = p->g;
  g.c = c;
  void *scratch = room(k->gemm_scratch[p->wide](&g));
  const int64_t units = k->gemm_units[p->wide](&g);
  if (!backwards)
    k->gemm[p->wide](&g, 0, units, scratch);
  for (int64_t u = units; backwards && u-- > 0;)
    k->gemm[p->wide](&g, u, u + 1, scratch);
  free(scratch);
  return c;
}

/* Where the product is a loop, too, that has the same bits. */
static void check_product_loop(const bpi_kernels *k, const product *p, const char *want)
{
  bpi_small s;
  const bpi_loop loop = k->gemm_loop[p->wide] ? k->gemm_loop[p->wide](&p->g, &s) : NULL;
  if (!loop)
    return;
  const void *const x[] = {p->g.a, p->g.b, p->g.bias};
  char *c = room(p->c_bytes);
  memcpy(c, p->c, p->c_bytes);
  loop(0, c, x, (const int64_t *)&s, NULL);
  assert_same_bits(p->wide ? F64 : F32, c, want, (int64_t)p->c_bytes / (p->wide ? 8 : 4));
  free(c);
}

/* Small integers are exact in any order; reals within the rounding of k additions. Gaps of C stay as they were. */
static void check_product(const bpi_kernels *k, int wide, int64_t m, int64_t n, int64_t inner, int flags,
                          int style)
{
  product p = make_product(wide, m, n, inner, flags, flags & 16 ? 3 : 0, style);
  char *got = run_product(k, &p, false), *again = run_product(k, &p, true),
       *want = run_product(&bpi_kernels_ref, &p, false);
  const double tolerance = style == 2 ? (double)(inner + 4) * (wide ? 0x1p-52 : 0x1p-23) : 0;
  for (int64_t i = 0; i < (int64_t)p.c_bytes / (wide ? 8 : 4); i++) {
    const double g = get(wide, got, i), w = get(wide, want, i);
    if (!(fabs(g - w) <= tolerance || g == w || (isnan(g) && isnan(w))))
      fail_msg("%s gemm wide %d %dx%dx%d flags %d style %d at %d: %a, should be %a", k->name, wide, (int)m,
               (int)n, (int)inner, flags, style, (int)i, g, w);
  }
  assert_same_bits(wide ? F64 : F32, got, again, (int64_t)p.c_bytes / (wide ? 8 : 4));
  check_product_loop(k, &p, got);
  free(got);
  free(again);
  free(want);
  free_product(&p);
}

static void products_agree_with_the_oracle(void **state)
{
  (void)state;
  static const int64_t ms[] = {0, 1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 17, 25},
                       ns[] = {0, 1, 3, 7, 8, 10, 16, 17, 31, 33, 70}, ks[] = {0, 1, 2, 3, 4, 5, 17, 40};
  seed = 5;
  EACH_ISA(k)
  for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
    for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
      for (size_t l = 0; l < sizeof ks / sizeof *ks; l++)
        for (int flags = 0; flags < 32; flags++)
          if (chosen())
            check_product(k, (int)(i + j + l + (size_t)flags / 4) & 1, ms[i], ns[j], ks[l], flags,
                          (int)(i + j + l) % 3);
}

static void large_products_agree_with_the_oracle(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{300, 20, 30},  {250, 70, 200}, {33, 130, 600}, {1, 100, 1030},
                                      {2, 64, 1030},  {70, 64, 1024}, {70, 256, 512}, {3, 40, 2100},
                                      {500, 10, 64},  {130, 300, 70}, {300, 130, 70}, {24, 1100, 40},
                                      {1, 700, 300},  {700, 1, 300},  {5, 9, 700},    {40, 70, 1100},
                                      {17, 33, 1024}, {300, 4, 0},    {1, 300, 0},    {64, 400, 1100}};
  seed = 6;
  EACH_ISA(k)
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int flags = 0; flags < 4; flags++)
      for (int style = 0; style < 3; style++)
        for (int wide = 0; wide < 2; wide++)
          if (chosen())
            check_product(k, wide, shapes[s][0], shapes[s][1], shapes[s][2],
                          flags + 12 * (style & 1) + 16 * (flags & 1), style);
}

/* ---- regions handed over ---- */

typedef struct handed {
  const product *p;
  const char *plain; /* what the product without `end` gave */
  unsigned char *seen;
  int calls;
} handed;

static void hand_over(void *arg, const bpi_rect *r)
{
  handed *h = arg;
  const bpi_gemm *g = &h->p->g;
  const size_t size = h->p->wide ? 8 : 4;
  h->calls++;
  assert_true(r->rows > 0 && r->cols > 0 && r->row >= 1000 && r->col >= 0);
  assert_true(r->row - 1000 + r->rows <= g->m && r->col + r->cols <= g->n);
  for (int64_t i = 0; i < r->rows; i++)
    for (int64_t j = 0; j < r->cols; j++) {
      const int64_t row = r->row - 1000 + i, col = r->col + j;
      h->seen[row * g->n + col]++;
      char *c = (char *)r->c + (size_t)(i * r->ldc + j) * size;
      if (memcmp(c, h->plain + (size_t)(row * g->ldc + col) * size, size) != 0)
        fail_msg("element %d,%d is not final", (int)row, (int)col);
      memset(c, 0x55, size);
    }
}

/* Every element once, with the bits of the product alone, whether C is kept or not; and what is written there stays. */
static void check_regions(const bpi_kernels *k, int wide, int64_t m, int64_t n, int64_t inner, int flags,
                          bool kept)
{
  product p = make_product(wide, m, n, inner, flags, flags & 16 ? 3 : 0, 2);
  char *plain = run_product(k, &p, false), *c = room(p.c_bytes);
  memcpy(c, p.c, p.c_bytes);
  handed h = {&p, plain, calloc((size_t)(m * n) + 1, 1), 0};
  const bpi_end end = {hand_over, &h, 1000};
  bpi_gemm g = p.g;
  g.end = &end;
  g.c = kept ? c : NULL;
  void *scratch = room(k->gemm_scratch[wide](&g));
  const int64_t units = k->gemm_units[wide](&g), half = units / 2;
  k->gemm[wide](&g, half, units, scratch);
  const int calls = h.calls;
  k->gemm[wide](&g, 0, half, scratch);
  for (int64_t i = 0; i < m * n; i++)
    if (h.seen[i] != 1)
      fail_msg("%s: %dx%dx%d flags %d: element %d handed over %d times", k->name, (int)m, (int)n, (int)inner,
               flags, (int)i, h.seen[i]);
  for (int64_t i = 0; kept && i < m * n; i++) {
    unsigned char want[8];
    memset(want, 0x55, sizeof want);
    assert_memory_equal(c + (size_t)(i / n * g.ldc + i % n) * (wide ? 8 : 4), want, wide ? 8 : 4);
  }
  assert_true(calls <= h.calls && (m * n == 0 || h.calls > 0));
  free(scratch);
  free(h.seen);
  free(plain);
  free(c);
  free_product(&p);
}

static void regions_are_handed_over_once(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{0, 3, 2},     {3, 0, 2},     {3, 5, 0},      {1, 1, 8},
                                      {1, 8, 2},     {1, 33, 300},  {2, 40, 17},    {5, 7, 9},
                                      {64, 10, 128}, {70, 33, 40},  {65, 129, 70},  {33, 10, 600},
                                      {300, 70, 5},  {9, 200, 530}, {130, 100, 64}, {40, 1100, 20},
                                      {1, 700, 300}, {700, 1, 300}, {64, 300, 260}};
  seed = 8;
  EACH_ISA(k)
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int flags = 0; flags < 32; flags++)
      for (int kept = 0; kept < 2; kept++)
        if ((kept || !(flags & 8)) && chosen())
          check_regions(k, (flags / 4 + (int)s) & 1, shapes[s][0], shapes[s][1], shapes[s][2], flags, kept);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_the_ones_asked_for),
      cmocka_unit_test(bodies_agree_with_the_oracle),
      cmocka_unit_test(streams_store_what_they_load),
      cmocka_unit_test(reductions_agree_with_the_oracle),
      cmocka_unit_test(one_nan_is_found_wherever_it_is),
      cmocka_unit_test(long_sums_stay_exact_enough),
      cmocka_unit_test(softmax_agrees_with_the_oracle),
      cmocka_unit_test(softmax_parts_are_softmax_and_its_logarithm),
      cmocka_unit_test(softmax_survives_extremes),
      cmocka_unit_test(products_agree_with_the_oracle),
      cmocka_unit_test(large_products_agree_with_the_oracle),
      cmocka_unit_test(regions_are_handed_over_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

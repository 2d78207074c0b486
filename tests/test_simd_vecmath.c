/* Vectorised mathematics against libm in the next wider format: the greatest error of every function on dense sweeps, and
 * the edges of Annex F. Each function is run as the loops of this file compile it (the base set), and through the table of
 * every instruction set of this machine when a row of operations is that function of x. */
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
#include "kernels/simd/vecmath.h"

enum { CHUNK = 4096 };

typedef struct function {
  const char *body; /* the text of a row that is this function */
  void (*f32)(const float *x, float *y);
  void (*f64)(const double *x, double *y);
  double (*ref)(double);
  long double (*refl)(long double);
  double limit;        /* sweep |x| up to here */
  double ulp32, ulp64; /* what is promised */
} function;

#define LOOPS(name)                                  \
  static void name##_f32(const float *x, float *y)   \
  {                                                  \
    for (int i = 0; i < CHUNK; i++)                  \
      y[i] = bpv_##name##_f32(x[i]);                 \
  }                                                  \
  static void name##_f64(const double *x, double *y) \
  {                                                  \
    for (int i = 0; i < CHUNK; i++)                  \
      y[i] = bpv_##name##_f64(x[i]);                 \
  }

static long double sigmoid_true(long double x)
{
  return 1 / (1 + expl(-x));
}

static long double softplus_true(long double x)
{
  return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static long double log_sigmoid_true(long double x)
{
  return -softplus_true(-x);
}

#define NARROWED(name)                          \
  static double name##_narrow(double x)         \
  {                                             \
    return (double)name##_true((long double)x); \
  }
NARROWED(sigmoid)
NARROWED(softplus)
NARROWED(log_sigmoid)

#define EACH(X)                                                 \
  X(exp, exp, expl, INFINITY, 1.5, 1.5)                         \
  X(expm1, expm1, expm1l, INFINITY, 1.5, 2)                     \
  X(log, log, logl, INFINITY, 1.5, 1.5)                         \
  X(log1p, log1p, log1pl, INFINITY, 2, 2)                       \
  X(tanh, tanh, tanhl, INFINITY, 2, 2)                          \
  X(erf, erf, erfl, INFINITY, 1.5, 2)                           \
  X(sin, sin, sinl, BPV_TRIG_LIMIT, 1, 1.5)                     \
  X(cos, cos, cosl, BPV_TRIG_LIMIT, 1, 1.5)                     \
  X(tan, tan, tanl, BPV_TRIG_LIMIT, 1, 3)                       \
  X(asin, asin, asinl, INFINITY, 3, 2.5)                        \
  X(acos, acos, acosl, INFINITY, 3, 2)                          \
  X(atan, atan, atanl, INFINITY, 3, 2.5)                        \
  X(sinh, sinh, sinhl, INFINITY, 1, 3)                          \
  X(cosh, cosh, coshl, INFINITY, 1, 3)                          \
  X(sqrt, sqrt, sqrtl, INFINITY, 0.51, 0.51)                    \
  X(floor, floor, floorl, INFINITY, 0, 0)                       \
  X(ceil, ceil, ceill, INFINITY, 0, 0)                          \
  X(rint, rint, rintl, INFINITY, 0, 0)                          \
  X(sigmoid, sigmoid_narrow, sigmoid_true, INFINITY, 2, 2)      \
  X(softplus, softplus_narrow, softplus_true, INFINITY, 2.5, 3) \
  X(log_sigmoid, log_sigmoid_narrow, log_sigmoid_true, INFINITY, 2.5, 3)

#define EACH_LOOPS(name, ...) LOOPS(name)
EACH(EACH_LOOPS)
#define EACH_ROW(name, ref, refl, limit, u32, u64) \
  {"m_" #name "(x)", name##_f32, name##_f64, ref, refl, limit, u32, u64},
static const function functions[] = {EACH(EACH_ROW)};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* The rows that are one function of x. */
static const struct {
  const char *text;
  int body;
} rows[] = {
#define REAL_BODY1(name, ...) {#__VA_ARGS__, BPI_BODY_##name},
#define REAL_BODY2(name, ...)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...) {#__VA_ARGS__, BPI_BODY_##name},
#define NUM_BODY2(name, ...)
#define TEST_BODY1(name, ...)
#define TEST_BODY2(name, ...)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...)
#include "bodies.inc"
    {"", 0}};

static int row_of(const char *text)
{
  for (int i = 0; *rows[i].text; i++)
    if (!strcmp(rows[i].text, text))
      return rows[i].body;
  return -1;
}

/* Distance in units of the last place of the true value; NaN agrees with NaN only, infinity with infinity. */
static double ulps(long double got, long double want, int digits, int least)
{
  if (isnan(want) || isnan(got))
    return isnan(want) && isnan(got) ? 0 : INFINITY;
  if (got == want)
    return 0;
  if (isinf(want))
    return INFINITY;
  int e;
  frexpl(want, &e);
  if (isinf(got)) /* the true value may round to infinity */
    return fabsl(want) >= ldexpl(2 - ldexpl(1, -digits), 1 - least - digits + digits - 2) ? 0 : INFINITY;
  const int unit = e - digits < least ? least : e - digits;
  return (double)(fabsl(got - want) / ldexpl(1, unit));
}

static double ulps32(float got, double want)
{
  if (isinf(got) && fabs(want) >= 0x1.ffffffp127)
    return (got > 0) == (want > 0) ? 0 : INFINITY;
  return ulps(got, want, 24, -149);
}

static double ulps64(double got, long double want)
{
  if (isinf(got) && fabsl(want) >= 0x1.fffffffffffff8p1023L)
    return (got > 0) == (want > 0) ? 0 : INFINITY;
  return ulps(got, want, 53, -1074);
}

static const double edges[] = {0.0,
                               -0.0,
                               INFINITY,
                               -INFINITY,
                               NAN,
                               1,
                               -1,
                               0.5,
                               -0.5,
                               0x1p-149,
                               -0x1p-149,
                               0x1p-126,
                               0x1p-1074,
                               -0x1p-1074,
                               0x1p-1022,
                               88.72283,
                               88.72284,
                               88.8,
                               89.5,
                               -87.4,
                               -103.9,
                               -104.1,
                               709.78,
                               709.79,
                               710.5,
                               -708.5,
                               -744.4,
                               -745.2,
                               0x1.fffffep127,
                               -0x1.fffffep127,
                               0x1.fffffffffffffp1023,
                               1e5,
                               -1e5,
                               0.55,
                               -0.55,
                               0.93,
                               1.5,
                               2.5,
                               -2.5,
                               8388607.5,
                               8388609,
                               4503599627370495.5,
                               1e4,
                               -1e4,
                               3.93};
enum { EDGES = sizeof edges / sizeof *edges };

static uint64_t random_bits(uint64_t *s)
{
  *s += 0x9e3779b97f4a7c15u;
  uint64_t z = *s;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* Argument number i of the float64 sweep: any bit pattern, any magnitude near 1, or evenly within +-50. */
static double argument64(int64_t i, uint64_t *s)
{
  if (i < EDGES)
    return edges[i];
  const uint64_t b = random_bits(s);
  if (i % 4 == 0)
    return bpv_from_bits_f64(b);
  if (i % 4 == 1)
    return ((double)(b >> 11) * 0x1p-53 - 0.5) * 100;
  const uint64_t exponent = 1023 - 30 + (b >> 52) % 42;
  return bpv_from_bits_f64((b & 0x800fffffffffffffu) | exponent << 52);
}

static void keep_worst(double *worst, double *at, double u, double x)
{
  if (u > *worst) {
    *worst = u;
    *at = x;
  }
}

static void run32(const function *f, int isa, const float *x, float *y)
{
  const int row = row_of(f->body);
  const void *in = x;
  const int64_t one = 1;
  if (isa < 0)
    f->f32(x, y);
  else
    bpi_kernels_for((bp_isa)isa)->body[row].f32(CHUNK, y, &in, &one, NULL);
}

static void run64(const function *f, int isa, const double *x, double *y)
{
  const int row = row_of(f->body);
  const void *in = x;
  const int64_t one = 1;
  if (isa < 0)
    f->f64(x, y);
  else
    bpi_kernels_for((bp_isa)isa)->body[row].f64(CHUNK, y, &in, &one, NULL);
}

static int tested(const function *f, int isa)
{
  return isa < 0 || (bpi_cpu_has((bp_isa)isa) && row_of(f->body) >= 0);
}

static const char *label(int isa)
{
  return isa < 0 ? "here" : bp_isa_name((bp_isa)isa);
}

static int report(const function *f, const char *type, int isa, double worst, double at, double promised)
{
  printf("%-16s %s %-7s %8.3f ulp at %a%s\n", f->body, type, label(isa), worst, at,
         worst > promised ? "  TOO MUCH" : "");
  return worst > promised;
}

static int sweep32(const function *f, uint32_t stride)
{
  static float x[CHUNK], y[CHUNK];
  static double want[CHUNK];
  double worst[BP_ISA_COUNT + 1] = {0}, at[BP_ISA_COUNT + 1] = {0};
  uint64_t pattern = 0;
  for (int first = 1; pattern <= UINT32_MAX; first = 0) {
    for (int i = 0; i < CHUNK; i++, pattern += first ? 0 : stride) {
      x[i] = first ? (float)edges[i % EDGES] : bpv_from_bits_f32((uint32_t)pattern);
      if (fabsf(x[i]) > f->limit && !isinf(x[i]))
        x[i] = fmodf(x[i], (float)f->limit);
      want[i] = f->ref(x[i]);
    }
    for (int isa = -1; isa < BP_ISA_COUNT; isa++) {
      if (!tested(f, isa))
        continue;
      run32(f, isa, x, y);
      for (int i = 0; i < CHUNK; i++)
        keep_worst(&worst[isa + 1], &at[isa + 1], ulps32(y[i], want[i]), x[i]);
    }
  }
  int bad = 0;
  for (int isa = -1; isa < BP_ISA_COUNT; isa++)
    if (tested(f, isa))
      bad += report(f, "f32", isa, worst[isa + 1], at[isa + 1], f->ulp32);
  return bad;
}

static int sweep64(const function *f, int64_t count)
{
  static double x[CHUNK], y[CHUNK];
  static long double want[CHUNK];
  double worst[BP_ISA_COUNT + 1] = {0}, at[BP_ISA_COUNT + 1] = {0};
  uint64_t seed = 1;
  for (int64_t done = 0; done < count; done += CHUNK) {
    for (int i = 0; i < CHUNK; i++) {
      x[i] = argument64(done + i, &seed);
      if (fabs(x[i]) > f->limit && !isinf(x[i]))
        x[i] = fmod(x[i], f->limit);
      want[i] = f->refl(x[i]);
    }
    for (int isa = -1; isa < BP_ISA_COUNT; isa++) {
      if (!tested(f, isa))
        continue;
      run64(f, isa, x, y);
      for (int i = 0; i < CHUNK; i++)
        keep_worst(&worst[isa + 1], &at[isa + 1], ulps64(y[i], want[i]), x[i]);
    }
  }
  int bad = 0;
  for (int isa = -1; isa < BP_ISA_COUNT; isa++)
    if (tested(f, isa))
      bad += report(f, "f64", isa, worst[isa + 1], at[isa + 1], f->ulp64);
  return bad;
}

/* BPROP_SWEEP=1 tries every float, which takes hours; BPROP_SWEEP=7 every 7th. Where long double is done by software, and perhaps under an emulator, fewer are. */
static void every_function_keeps_its_ulps(void **state)
{
  (void)state;
  const char *sweep = getenv("BPROP_SWEEP");
  const bool slow = LDBL_MANT_DIG > 64;
  const int stride = sweep ? atoi(sweep) : 0;
  int bad = 0;
  for (int i = 0; i < FUNCTIONS; i++) {
    bad += sweep32(&functions[i], stride > 0 ? (uint32_t)stride : slow ? 200003 : 4003);
    bad += sweep64(&functions[i], stride > 0 ? 1 << 24 : slow ? 1 << 13 : 1 << 18);
  }
  assert_int_equal(bad, 0);
}

/* Odd functions keep the sign of zero; rounding does too. */
static void zeros_keep_their_sign(void **state)
{
  (void)state;
  static const char *const odd[] = {"expm1", "log1p", "tanh", "erf",   "sin",  "tan", "asin",
                                    "atan",  "sinh",  "sqrt", "floor", "ceil", "rint"};
  float x[CHUNK], y[CHUNK];
  double u[CHUNK], v[CHUNK];
  for (int i = 0; i < CHUNK; i++)
    u[i] = x[i] = i % 2 ? -0.0f : 0.0f;
  for (size_t k = 0; k < sizeof odd / sizeof *odd; k++)
    for (int f = 0; f < FUNCTIONS; f++) {
      if (strncmp(functions[f].body + 2, odd[k], strlen(odd[k])) ||
          functions[f].body[2 + strlen(odd[k])] != '(')
        continue;
      functions[f].f32(x, y);
      functions[f].f64(u, v);
      for (int i = 0; i < CHUNK; i++) {
        assert_true(y[i] == 0 && !signbit(y[i]) == !signbit(x[i]));
        assert_true(v[i] == 0 && !signbit(v[i]) == !signbit(u[i]));
      }
    }
}

static void two_argument_functions_agree_with_libm(void **state)
{
  (void)state;
  static const float values[] = {0.0f, -0.0f, 1,      -1,       0.5f,     -0.5f,     2,    -2,
                                 3,    -3,    1e-30f, -1e-30f,  1e30f,    -1e30f,    2.5f, -2.5f,
                                 7,    -7,    1e-45f, 16777218, INFINITY, -INFINITY, NAN,  0.99f};
  const int n = sizeof values / sizeof *values;
  double worst_pow = 0, worst_atan2 = 0, at = 0;
  uint64_t seed = 3;
  for (int i = 0; i < (LDBL_MANT_DIG > 64 ? 1 << 14 : 1 << 20); i++) {
    float a, b;
    if (i < n * n) {
      a = values[i / n];
      b = values[i % n];
    } else {
      const uint64_t r = random_bits(&seed);
      a = (float)((double)(r & 0xffffff) * 0x1p-22) * (i % 2 ? 1 : 0.01f);
      b = (float)((double)(r >> 40) * 0x1p-20 - 8);
    }
    keep_worst(&worst_pow, &at, ulps32(bpv_pow_f32(a, b), pow(a, b)), a);
    keep_worst(&worst_atan2, &at, ulps32(bpv_atan2_f32(a, b), atan2(a, b)), a);
    if (i < n * n) {
      assert_true(!signbit(bpv_pow_f32(a, b)) == !signbit((float)pow(a, b)) || isnan(pow(a, b)));
      assert_true(!signbit(bpv_atan2_f32(a, b)) == !signbit((float)atan2(a, b)) || isnan(atan2(a, b)));
    }
  }
  printf("pow f32 %.3f ulp, atan2 f32 %.3f ulp\n", worst_pow, worst_atan2);
  assert_true(worst_pow <= 1);
  assert_true(worst_atan2 <= 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_function_keeps_its_ulps),
      cmocka_unit_test(zeros_keep_their_sign),
      cmocka_unit_test(two_argument_functions_agree_with_libm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows brought to mean 0 and variance 1, by every instruction set of this machine, beside their definition in long double. */
#include "base/cpu.h"
#include "kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Each table that this machine can run. */
#define EACH_ISA(k)                               \
  for (int isa_ = 0; isa_ < BP_ISA_COUNT; isa_++) \
    if (bpi_cpu_has((bp_isa)isa_))                \
      for (const bpi_kernels *k = bpi_kernels_for((bp_isa)isa_); k; k = NULL)

enum { N = 300, ROWS = 3 };

/* One row of n, in long double. */
static double wanted(const double *x, int n, int i, double gain, double bias)
{
  long double mean = 0, var = 0;
  for (int k = 0; k < n; k++)
    mean += (long double)x[k] / n;
  for (int k = 0; k < n; k++)
    var += (x[k] - mean) * (x[k] - mean) / n;
  return (double)((x[i] - mean) / sqrtl(var + 0.1L) * gain + bias);
}

/* Of every length; row 0 is not asked for; y may be x. */
static void rows_are_normalised(void **state)
{
  (void)state;
  double x[ROWS * N], gain[N], bias[N], y[ROWS * N];
  float xf[ROWS * N], gainf[N], biasf[N], yf[ROWS * N];
  for (int i = 0; i < ROWS * N; i++)
    x[i] = xf[i] = (float)(5 + 3 * sin(1.0 + 2.3 * i));
  for (int i = 0; i < N; i++) {
    gain[i] = gainf[i] = (float)(0.5 + cos(0.7 * i));
    bias[i] = biasf[i] = (float)sin(0.3 * i);
  }
  EACH_ISA(k)
  for (int n = 1; n < N; n += 1 + n / 9) {
    memcpy(y, x, sizeof y);
    k->layer_norm[1](n, 0.1, y, gain, bias, y, 1, ROWS);
    k->layer_norm[0](n, 0.1, xf, gainf, biasf, yf, 1, ROWS);
    assert_memory_equal(y, x, (size_t)n * sizeof *y);
    for (int r = 1; r < ROWS; r++)
      for (int i = 0; i < n; i++) {
        double want = wanted(x + r * n, n, i, gain[i], bias[i]), got = y[r * n + i],
               narrow = (double)yf[r * n + i];
        if (fabs(got - want) > 1e-13 * (1 + fabs(want)) || fabs(narrow - want) > 1e-6 * (1 + fabs(want)))
          fail_msg("row %d of %d, element %d: %.17g and %.9g, not %.17g", r, n, i, got, narrow, want);
      }
  }
}

/* A row of huge numbers, whose sum would be none, is as any row of equal numbers; a NaN stays in its row. */
static void sums_do_not_overflow(void **state)
{
  (void)state;
  double gain[20], bias[20];
  for (int i = 0; i < 20; i++) {
    gain[i] = 2;
    bias[i] = i;
  }
  EACH_ISA(k)
  {
    double x[40];
    for (int i = 0; i < 40; i++)
      x[i] = i < 20 ? 1e307 : i == 30 ? (double)NAN : i % 3;
    k->layer_norm[1](20, 1e-5, x, gain, bias, x, 0, 2);
    for (int i = 0; i < 40; i++)
      assert_true(i < 20 ? isfinite(x[i]) : isnan(x[i]));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_normalised),
      cmocka_unit_test(sums_do_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows brought to mean 0 and variance 1. Sums are in double, in lanes that are joined in a fixed order; shares are summed, so that no sum
 * overflows. The variance is that of what is left when the mean is taken off. */
#include "kernels/simd/isa.h"

#include <math.h>

enum { LANES = 16 };

static double joined(const double *s)
{
  double t[4];
  for (int k = 0; k < 4; k++)
    t[k] = (s[k] + s[k + 8]) + (s[k + 4] + s[k + 12]);
  return (t[0] + t[2]) + (t[1] + t[3]);
}

#define SUM_OF(T, EXPR)                 \
  do {                                  \
    double s[LANES] = {0};              \
    int64_t i = 0;                      \
    for (; i + LANES <= n; i += LANES)  \
      for (int j = 0; j < LANES; j++) { \
        double v = (double)x[i + j];    \
        s[j] += EXPR;                   \
      }                                 \
    for (int j = 0; i < n; i++, j++) {  \
      double v = (double)x[i];          \
      s[j] += EXPR;                     \
    }                                   \
    sum = joined(s);                    \
  } while (0)

#define NORMALISE(T, S)                                                                                      \
  static void row_##S(int64_t n, double eps, const T *x, const T *gain, const T *bias, T *y)                 \
  {                                                                                                          \
    const double share = 1 / (double)n;                                                                      \
    double sum;                                                                                              \
    SUM_OF(T, v *share);                                                                                     \
    const double m = sum;                                                                                    \
    SUM_OF(T, (v - m) * ((v - m) * share));                                                                  \
    const double scale = 1 / sqrt(sum + eps);                                                                \
    for (int64_t i = 0; i < n; i++)                                                                          \
      y[i] = (T)(((double)x[i] - m) * scale * (double)gain[i] + (double)bias[i]);                            \
  }                                                                                                          \
  void BPI_SYM(bpi_layer_norm_##S)(int64_t n, double eps, const void *x, const void *gain, const void *bias, \
                                   void *y, int64_t begin, int64_t end)                                      \
  {                                                                                                          \
    for (int64_t r = begin; r < end; r++)                                                                    \
      row_##S(n, eps, (const T *)x + r * n, gain, bias, (T *)y + r * n);                                     \
  }

NORMALISE(float, f32)
NORMALISE(double, f64)

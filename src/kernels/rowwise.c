/* Rows and runs: one macro body for both element types; sums go through doubles in a fixed order. */
#include "kernels/rowwise.h"

#include <math.h>

int64_t bpi_first_outside(const int64_t *index, int64_t begin, int64_t end, int64_t n)
{
  int64_t i = begin;
  while (i < end && index[i] >= 0 && index[i] < n)
    i++;
  return i;
}

#define ADD_RUN(T)                \
  for (int64_t i = 0; i < n; i++) \
    ((T *)y)[i] += ((const T *)x)[i];

void bpi_add_run(bp_dtype t, int64_t n, const void *x, void *y)
{
  if (t == BP_FLOAT32)
    ADD_RUN(float)
  else if (t == BP_FLOAT64)
    ADD_RUN(double)
  else
    ADD_RUN(uint64_t) /* wraps, as addition of int64 does everywhere here */
}

/* SUM is the type of the running sum: wide for float32, so that it does not drift; wrapping for int64. */
#define CUMSUM(T, SUM)                                                                     \
  for (int64_t line = begin; line < end; line++) {                                         \
    int64_t at = line / inner * n * inner + line % inner, step = reverse ? -inner : inner; \
    SUM sum = 0;                                                                           \
    at += reverse ? (n - 1) * inner : 0;                                                   \
    for (int64_t k = 0; k < n; k++, at += step) {                                          \
      sum += (SUM)((const T *)x)[at];                                                      \
      ((T *)y)[at] = (T)sum;                                                               \
    }                                                                                      \
  }

void bpi_cumsum(bp_dtype t, int64_t n, int64_t inner, bool reverse, const void *x, void *y, int64_t begin,
                int64_t end)
{
  if (t == BP_FLOAT32) {
    CUMSUM(float, double)
  } else if (t == BP_FLOAT64) {
    CUMSUM(double, double)
  } else {
    CUMSUM(int64_t, uint64_t)
  }
}

/* Eight partial sums, so that the compiler may use vectors, joined in a fixed order. */
enum { LANES = 8 };

static double joined(const double *s)
{
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#define SUM_OF(T, EXPR)               \
  double s[LANES] = {0};              \
  int64_t i = 0;                      \
  for (; i + LANES <= n; i += LANES)  \
    for (int j = 0; j < LANES; j++) { \
      double v = x[i + j];            \
      s[j] += EXPR;                   \
    }                                 \
  for (; i < n; i++) {                \
    double v = x[i];                  \
    s[i % LANES] += EXPR;             \
  }                                   \
  return joined(s);

#define NORMALISE(T)                                                                                \
  static double mean_##T(int64_t n, const T *x)                                                     \
  {                                                                                                 \
    SUM_OF(T, v / (double)n)                                                                        \
  }                                                                                                 \
  static double variance_##T(int64_t n, const T *x, double m)                                       \
  {                                                                                                 \
    SUM_OF(T, (v - m) * (v - m) / (double)n)                                                        \
  }                                                                                                 \
  static void layer_norm_##T(int64_t n, double eps, const T *x, const T *gain, const T *bias, T *y) \
  {                                                                                                 \
    double m = mean_##T(n, x), scale = 1 / sqrt(variance_##T(n, x, m) + eps);                       \
    for (int64_t i = 0; i < n; i++)                                                                 \
      y[i] = (T)((x[i] - m) * scale * gain[i] + bias[i]);                                           \
  }
NORMALISE(float)
NORMALISE(double)

void bpi_layer_norm(bp_dtype t, int64_t n, double eps, const void *x, const void *gain, const void *bias,
                    void *y, int64_t begin, int64_t end)
{
  for (int64_t r = begin; r < end; r++)
    if (t == BP_FLOAT32)
      layer_norm_float(n, eps, (const float *)x + r * n, gain, bias, (float *)y + r * n);
    else
      layer_norm_double(n, eps, (const double *)x + r * n, gain, bias, (double *)y + r * n);
}

#define LABEL_LOSS(T)                                                                             \
  {                                                                                               \
    const T *lp = log_p;                                                                          \
    double sum = 0;                                                                               \
    for (int64_t k = 0; a != 0 && k < n; k++)                                                     \
      sum += lp[k];                                                                               \
    *(T *)loss = (T)(a == 0 ? -(double)lp[label] : -((1 - a) * lp[label] + a / (double)n * sum)); \
  }

void bpi_label_loss(bp_dtype t, int64_t n, double a, int64_t label, const void *log_p, void *loss)
{
  if (t == BP_FLOAT32)
    LABEL_LOSS(float)
  else
    LABEL_LOSS(double)
}

#define LABEL_GRAD(T)                                                                            \
  {                                                                                              \
    T *row = p, up = *(const T *)u, other = (T)(a / (double)n), at = (T)(1 - a + a / (double)n); \
    for (int64_t k = 0; k < n; k++)                                                              \
      row[k] = up == 0 ? up : up * (row[k] - (k == label ? at : other));                         \
  }

void bpi_label_grad(bp_dtype t, int64_t n, double a, int64_t label, const void *u, void *p)
{
  if (t == BP_FLOAT32)
    LABEL_GRAD(float)
  else
    LABEL_GRAD(double)
}

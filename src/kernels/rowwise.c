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

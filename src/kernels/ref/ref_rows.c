/* Reductions, softmax, finite and the matrix product as their definitions say, in long double. */
#include "kernels/ref/ref_rows.h"

#include <math.h>

static bool better(bpi_reduce how, long double x, long double best)
{
  if (isnan(best) || isnan(x))
    return isnan(x) && !isnan(best);
  return how == BPI_REDUCE_MAX || how == BPI_REDUCE_ARGMAX ? x > best : x < best;
}

int64_t bpi_ref_units(const bpi_gemm *g)
{
  return g->m;
}

size_t bpi_ref_scratch(const bpi_gemm *g)
{
  return g->c ? 0 : (size_t)g->n * sizeof(double);
}

#define REF_OF(T, S)                                                                                       \
  static void reduce_one_##S(bpi_reduce how, int64_t n, int64_t inner, const T *x, void *y, int64_t at)    \
  {                                                                                                        \
    long double sum = 0, prod = 1;                                                                         \
    int64_t best = 0;                                                                                      \
    for (int64_t i = 0; i < n; i++) {                                                                      \
      sum += x[i * inner];                                                                                 \
      prod *= x[i * inner];                                                                                \
      best = better(how, x[i * inner], x[best * inner]) ? i : best;                                        \
    }                                                                                                      \
    if (how == BPI_REDUCE_ARGMAX || how == BPI_REDUCE_ARGMIN)                                              \
      ((int64_t *)y)[at] = best;                                                                           \
    else                                                                                                   \
      ((T *)y)[at] = (T)(how == BPI_REDUCE_SUM ? sum : how == BPI_REDUCE_PROD ? prod : x[best * inner]);   \
  }                                                                                                        \
  void bpi_ref_reduce_##S(bpi_reduce how, int64_t n, int64_t inner, const void *x, void *y, int64_t begin, \
                          int64_t end)                                                                     \
  {                                                                                                        \
    for (int64_t at = begin; at < end; at++)                                                               \
      reduce_one_##S(how, n, inner, (const T *)x + at / inner * n * inner + at % inner, y, at);            \
  }                                                                                                        \
  static long double log_total_##S(int64_t n, const T *x)                                                  \
  {                                                                                                        \
    long double top = x[0], sum = 0;                                                                       \
    for (int64_t i = 1; i < n; i++)                                                                        \
      top = x[i] > top ? x[i] : top;                                                                       \
    for (int64_t i = 0; i < n; i++)                                                                        \
      sum += expl(x[i] - top);                                                                             \
    return top + logl(sum);                                                                                \
  }                                                                                                        \
  void bpi_ref_softmax_##S(int64_t n, const void *x, void *y, int64_t begin, int64_t end)                  \
  {                                                                                                        \
    for (int64_t r = begin; r < end && n > 0; r++) {                                                       \
      const T *from = (const T *)x + r * n;                                                                \
      const long double total = log_total_##S(n, from);                                                    \
      for (int64_t i = 0; i < n; i++)                                                                      \
        ((T *)y)[r * n + i] = (T)expl(from[i] - total);                                                    \
    }                                                                                                      \
  }                                                                                                        \
  void bpi_ref_log_softmax_##S(int64_t n, const void *x, void *y, int64_t begin, int64_t end)              \
  {                                                                                                        \
    for (int64_t r = begin; r < end && n > 0; r++) {                                                       \
      const T *from = (const T *)x + r * n;                                                                \
      const long double total = log_total_##S(n, from);                                                    \
      for (int64_t i = 0; i < n; i++)                                                                      \
        ((T *)y)[r * n + i] = (T)(from[i] - total);                                                        \
    }                                                                                                      \
  }                                                                                                        \
  void bpi_ref_softmax_parts_##S(int64_t n, const void *x, void *y, void *at)                              \
  {                                                                                                        \
    bpi_ref_softmax_##S(n, x, y, 0, 1);                                                                    \
    ((T *)at)[0] = 0;                                                                                      \
    ((T *)at)[1] = n > 0 ? (T)log_total_##S(n, x) : 0;                                                     \
  }                                                                                                        \
  bool bpi_ref_finite_##S(int64_t n, const void *x)                                                        \
  {                                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                        \
      if (!isfinite(((const T *)x)[i]))                                                                    \
        return false;                                                                                      \
    return true;                                                                                           \
  }                                                                                                        \
  void bpi_ref_gemm_##S(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)                      \
  {                                                                                                        \
    const T *a = g->a, *b = g->b, *bias = g->bias;                                                         \
    for (int64_t i = begin; i < end; i++) {                                                                \
      T *row = g->c ? (T *)g->c + i * g->ldc : scratch;                                                    \
      for (int64_t j = 0; j < g->n; j++) {                                                                 \
        T *c = row + j;                                                                                    \
        long double sum = (bias ? bias[j] : 0) + (g->accumulate && g->c ? *c : 0);                         \
        for (int64_t p = 0; p < g->k; p++)                                                                 \
          sum += (long double)a[g->ta ? p * g->lda + i : i * g->lda + p] *                                 \
                 (long double)b[g->tb ? j * g->ldb + p : p * g->ldb + j];                                  \
        *c = (T)sum;                                                                                       \
      }                                                                                                    \
      if (g->end && g->n)                                                                                  \
        g->end->fn(g->end->arg, &(bpi_rect){row, g->ldc, g->end->row + i, 1, 0, g->n});                    \
    }                                                                                                      \
  }

REF_OF(float, f32)
REF_OF(double, f64)

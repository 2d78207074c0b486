/* The matrix product through an outside CBLAS: built with the option BPROP_CBLAS only, as a yardstick. It does not promise the same bits for
 * every number of threads. */
#include "kernels/gemmblas.h"

#ifdef BPI_CBLAS
#include <cblas.h>

int64_t bpi_blas_units(const bpi_gemm *g)
{
  return g->m > 0 && g->n > 0;
}

/* All of C is one region. */
size_t bpi_blas_scratch(const bpi_gemm *g)
{
  return g->c ? 0 : (size_t)(g->m * g->n) * sizeof(double);
}

static void hand_over(const bpi_gemm *g, void *c, int64_t ldc)
{
  const bpi_rect r = {c, ldc, g->end ? g->end->row : 0, g->m, 0, g->n};
  if (g->end)
    g->end->fn(g->end->arg, &r);
}

/* CBLAS adds a product to what is there: 0, the bias, or C itself. */
#define BLAS_PRODUCT(T, GEMM)                                                                               \
  {                                                                                                         \
    T *c = g->c ? g->c : scratch;                                                                           \
    const int64_t ldc = g->c ? g->ldc : g->n;                                                               \
    const bool add = g->accumulate && g->c;                                                                 \
    const T *bias = g->bias;                                                                                \
    if (begin >= end)                                                                                       \
      return;                                                                                               \
    for (int64_t i = 0; i < g->m; i++)                                                                      \
      for (int64_t j = 0; j < g->n; j++)                                                                    \
        c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + (bias ? bias[j] : 0);                                 \
    if (g->k > 0)                                                                                           \
      GEMM(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans, g->tb ? CblasTrans : CblasNoTrans,             \
           (blasint)g->m, (blasint)g->n, (blasint)g->k, 1, g->a, (blasint)g->lda, g->b, (blasint)g->ldb, 1, \
           c, (blasint)ldc);                                                                                \
    hand_over(g, c, ldc);                                                                                   \
  }

void bpi_blas_f32(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)
    BLAS_PRODUCT(float, cblas_sgemm) void bpi_blas_f64(const bpi_gemm *g, int64_t begin, int64_t end,
                                                       void *scratch) BLAS_PRODUCT(double, cblas_dgemm)
#endif

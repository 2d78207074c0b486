/* The matrix product by an outside CBLAS, for element type T with suffix S and CBLAS's letter; included by gemm.c in a
 * build with BPROP_CBLAS. One unit: how it is cut, and so its bits, is the library's own affair. */
#define N(name) BPI_PASTE(name, S)

int64_t BPI_SYM(N(bpi_gemm_units))(const bpi_gemm *g)
{
  return g->m > 0 && g->n > 0;
}

size_t BPI_SYM(N(bpi_gemm_scratch))(const bpi_gemm *g)
{
  (void)g;
  return 0;
}

/* What the product is added to: bias, what is there, or both. */
static void N(prepare)(const bpi_gemm *g)
{
  const T *bias = g->bias;
  for (int64_t i = 0; i < g->m; i++) {
    T *c = (T *)g->c + i * g->ldc;
    for (int64_t j = 0; j < g->n && (bias || !g->accumulate); j++)
      c[j] = (bias ? bias[j] : 0) + (g->accumulate ? c[j] : 0);
  }
}

void BPI_SYM(N(bpi_gemm))(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)
{
  (void)scratch;
  if (begin >= end)
    return;
  N(prepare)(g);
  if (g->k > 0)
    GEMM(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans, g->tb ? CblasTrans : CblasNoTrans, (int)g->m,
         (int)g->n, (int)g->k, 1, g->a, (int)g->lda, g->b, (int)g->ldb, 1, g->c, (int)g->ldc);
}

#undef N

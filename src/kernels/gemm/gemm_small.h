/* Products of a few elements, for element type T with suffix S; included by gemm.c. No more than the sums: each one chain of multiply-adds
 * from 0 in order, or chains in lanes (gemmcut.h), then bias. */

#define SMALL_ARGS int64_t unused, void *y, const void *const *x, const int64_t *step, const double *params
#define SMALL_OPERANDS                          \
  const bpi_small *s = (const bpi_small *)step; \
  const T *a = x[0], *b = x[1], *bias = x[2];   \
  T *c = y;                                     \
  (void)unused;                                 \
  (void)params

/* Loops over the lanes are loops over a vector to compilers. */
static BPI_SHARED T N(lanes_of)(const bpi_small *s, const T *a, const T *b)
{
  enum { LANES = BPI_SMALL_LANES };
  T sum[LANES] = {0}, left[LANES], right[LANES], four[4], two[2];
  for (int64_t p = 0; p < s->k; p += LANES) {
    const T *l = a + p, *r = b + p;
    if (s->as != 1 || s->bs != 1 || s->k - p < LANES) {
      for (int64_t q = 0; q < LANES; q++) {
        left[q] = q < s->k - p ? a[(p + q) * s->as] : 0;
        right[q] = q < s->k - p ? b[(p + q) * s->bs] : 0;
      }
      l = left;
      r = right;
    }
    for (int q = 0; q < LANES; q++)
      sum[q] = MULADD1(l[q], r[q], sum[q]);
  }
  for (int q = 0; q < 4; q++)
    four[q] = sum[q] + sum[q + 4];
  for (int q = 0; q < 2; q++)
    two[q] = four[q] + four[q + 2];
  return two[0] + two[1];
}

static void N(small_sums)(SMALL_ARGS)
{
  SMALL_OPERANDS;
  for (int64_t i = 0; i < s->m; i++, a += s->ar, c += s->ldc)
    for (int64_t j = 0; j < s->n; j++) {
      const T *x0 = a, *x1 = b + j * s->br;
      T sum = s->lanes ? N(lanes_of)(s, x0, x1) : 0;
      for (int64_t p = s->lanes ? 0 : s->k; p > 0; p--, x0 += s->as, x1 += s->bs)
        sum = MULADD1(*x0, *x1, sum);
      sum = bias ? sum + bias[j] : sum;
      c[j] = s->add ? sum + c[j] : sum;
    }
}

#if BPI_WIDE == 64
/* The first n elements of a vector. Whole vectors and halves are plain loads and stores: what was just stored comes back through a mask twice as late. */
BPI_INLINE V N(get_few)(const T *p, int64_t n)
{
  if (n == VN)
    return *(const U *)p;
  return n == VN / 2 ? N(bpi_half)(p) : N(bpi_some)(p, n);
}

BPI_INLINE void N(put_few)(T *p, int64_t n, V v)
{
  if (n == VN)
    *(U *)p = v;
  else
    N(bpi_put)(p, n, v);
}

/* All of C in one vector: element e is that of row[e] and column[e]. */
static void N(small_whole)(SMALL_ARGS)
{
  SMALL_OPERANDS;
  const N(bpi_at) row = N(bpi_places)(s->row), column = N(bpi_places)(s->column);
  V sum = {0};
  for (int64_t p = 0; p < s->k; p++, a += s->as, b += s->bs)
    sum = MULADD(PICK(row, N(get_few)(a, s->m)), PICK(column, N(get_few)(b, s->n)), sum);
  if (bias)
    sum += PICK(column, N(get_few)(bias, s->n));
  N(put_few)(c, s->m * s->n, sum);
}

/* A row of C in a vector. Columns of B that do not lie side by side are picked out of the two vectors that hold all of it. */
static void N(small_rows)(SMALL_ARGS)
{
  SMALL_OPERANDS;
  const int64_t size = (s->n - 1) * s->br + (s->k - 1) * s->bs + 1;
  const N(bpi_at) from = N(bpi_steps)(s->br);
  V low = {0}, high = {0};
  if (s->br != 1) {
    low = N(get_few)(b, size < VN ? size : VN);
    high = size > VN ? N(get_few)(b + VN, size - VN) : high;
  }
  for (int64_t i = 0; i < s->m; i++) {
    V sum = {0};
    for (int64_t p = 0; p < s->k; p++) {
      V at;
      if (s->br == 1)
        at = N(get_few)(b + p * s->bs, s->n);
      else
        at = PICK2(from + N(bpi_all)(p * s->bs), low, high);
      sum = MULADD(SPREAD(a[i * s->ar + p * s->as]), at, sum);
    }
    if (bias)
      sum += N(get_few)(bias, s->n);
    N(put_few)(c + i * s->ldc, s->n, sum);
  }
}

static bpi_loop N(small_vectors)(bpi_small *s)
{
  const int64_t size = s->m * s->n;
  if (s->lanes || s->k < 1 || size < 4 || s->add)
    return N(small_sums);
  if (s->m > 1 && size <= VN && s->ar == 1 && (s->br == 1 || s->n == 1) && s->ldc == s->n) {
    for (int64_t e = 0; e < size; e++) {
      s->row[e] = (uint8_t)(e / s->n);
      s->column[e] = (uint8_t)(e % s->n);
    }
    return N(small_whole);
  }
  const bool near = (s->n - 1) * s->br + (s->k - 1) * s->bs < 2 * VN;
  return s->n <= VN && (s->br == 1 || near) ? N(small_rows) : N(small_sums);
}
#else
static bpi_loop N(small_vectors)(const bpi_small *s)
{
  (void)s;
  return N(small_sums);
}
#endif

static bpi_loop N(small_loop)(const bpi_gemm *g, int64_t ldc, bpi_small *s)
{
  *s = (bpi_small){
      .m = g->m, .n = g->n, .k = g->k, .ldc = ldc, .add = g->accumulate && g->c, .lanes = bpi_gemm_lanes(g)};
  s->ar = g->ta ? 1 : g->lda;
  s->as = g->ta ? g->lda : 1;
  s->br = g->tb ? g->ldb : 1;
  s->bs = g->tb ? 1 : g->ldb;
  return N(small_vectors)(s);
}

#undef SMALL_ARGS
#undef SMALL_OPERANDS

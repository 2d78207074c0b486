/* Products of few rows, or few columns, for element type T with suffix S; included by gemm.c. Nothing is packed. */

/* ---- both operands have their inner steps side by side: dot products, each VN chains of multiply-adds folded in a fixed tree ---- */

/* One inner block: C[rows, columns] (+)= A B', where rows of A and B lie lda and ldb apart. */
typedef struct N(dots) {
  int64_t rows, columns, k, lda, ldb;
  const T *a, *b;
  N(tile) to;
  bool streams; /* columns one by one, see dots_stream */
} N(dots);

/* A tile of am rows and bn columns of C: sums[i*bn + j]. The inner steps are whole vectors, then those in `rest`: rows of A, rows of B. */
BPI_INLINE void N(dot_tile)(const int bn, const int am, const N(dots) * w, int64_t i0, int64_t j0,
                            const V *rest, LANE *sums)
{
  const T *a = w->a + i0 * w->lda, *b = w->b + j0 * w->ldb;
  int64_t lda = w->lda, ldb = w->ldb, k = w->k / VN * VN;
  V s[4 * BPI_DOTS + 8], y[8];
#pragma GCC unroll 32
  for (int i = 0; i < am * bn + TURN; i++)
    s[i] = (V){0};
#pragma GCC unroll 1
  for (int turn = rest ? 0 : 1; turn < 2; turn++) {
    for (int64_t p = 0; p < k; p += VN) {
#pragma GCC unroll 8
      for (int j = 0; j < bn; j++)
        y[j] = *(const U *)(b + j * ldb + p);
#pragma GCC unroll 8
      for (int i = 0; i < am; i++) {
        const V x = *(const U *)(a + i * lda + p);
#pragma GCC unroll 8
        for (int j = 0; j < bn; j++)
          s[i * bn + j] = MULADD(x, y[j], s[i * bn + j]);
      }
    }
    a = (const T *)rest;
    b = (const T *)(rest + BPI_DOTS);
    lda = ldb = k = VN;
  }
#pragma GCC unroll 16
  for (int i = 0; i < am * bn; i += TURN)
    sums[i / TURN] = N(bpi_fold)(s + i);
}

typedef void (*N(dots_fn))(const N(dots) * w, int64_t i, int64_t j, const V *rest, LANE *sums);

#define DOTS(bn, am)                                                                                 \
  static void N(dots##bn##x##am)(const N(dots) * w, int64_t i, int64_t j, const V *rest, LANE *sums) \
  {                                                                                                  \
    N(dot_tile)(bn, am, w, i, j, rest, sums);                                                        \
  }
#define EACH_DOTS(bn) DOTS(bn, 1) DOTS(bn, 2)
#if BPI_DOTS == 4
#define EACH_HEIGHT(bn)                               \
  {                                                   \
    N(dots##bn##x1), N(dots##bn##x2), N(dots##bn##x4) \
  }
DOTS(1, 4)
DOTS(2, 4)
DOTS(4, 4)
#else
#define EACH_HEIGHT(bn)              \
  {                                  \
    N(dots##bn##x1), N(dots##bn##x2) \
  }
#endif
EACH_DOTS(1)
EACH_DOTS(2)
EACH_DOTS(4)
DOTS(8, 1)
static const N(dots_fn) N(all_dots)[4][3] = {EACH_HEIGHT(1), EACH_HEIGHT(2), EACH_HEIGHT(4), {N(dots8x1)}};
#undef DOTS
#undef EACH_DOTS
#undef EACH_HEIGHT

/* One row times 8 columns, one after the other: a second-level cache gives one stream of whole lines faster than eight at a time, by a half,
 * and does so whatever pages they lie in. Seven chains each, which hide the latency of a multiply-add. */
static void N(dots_stream)(const N(dots) * w, int64_t i, int64_t j, const V *rest, LANE *sums)
{
  const T *a = w->a + i * w->lda, *b = w->b + j * w->ldb;
  const int64_t k = w->k / VN * VN;
  V s[8];
  for (int q = 0; q < 8; q++, b += w->ldb) {
    V c[STREAM_CHAINS] = {{0}};
    int64_t p = 0;
    for (; p + STREAM_CHAINS * VN <= k; p += STREAM_CHAINS * VN)
#pragma GCC unroll 8
      for (int r = 0; r < STREAM_CHAINS; r++)
        c[r] = MULADD(*(const U *)(a + p + r * VN), *(const U *)(b + p + r * VN), c[r]);
    for (; p < k; p += VN)
      c[0] = MULADD(*(const U *)(a + p), *(const U *)(b + p), c[0]);
    s[q] = ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + c[6]);
    if (rest)
      s[q] = MULADD(rest[0], rest[BPI_DOTS + q], s[q]);
  }
  for (int q = 0; q < 8; q += TURN)
    sums[q / TURN] = N(bpi_fold)(s + q);
}

/* Does a tile of at most `high` rows, a power of two, and returns its columns. */
static int64_t N(do_dots)(const N(dots) * w, int64_t i, int64_t j, int64_t high)
{
  V rest[BPI_DOTS + 8];
  LANE sums[(4 * BPI_DOTS + 8) / TURN];
  const int64_t left = w->columns - j, p = w->k / VN * VN, some = w->k - p;
  const int size = left >= 8 && w->rows == 1 ? 3 : left >= 4 ? 2 : left >= 2 ? 1 : 0, bn = 1 << size;
  for (int64_t r = 0; r < high && some; r++)
    rest[r] = N(bpi_some)(w->a + (i + r) * w->lda + p, some);
  for (int64_t q = 0; q < bn && some; q++)
    rest[BPI_DOTS + q] = N(bpi_some)(w->b + (j + q) * w->ldb + p, some);
  if (w->streams && size == 3)
    N(dots_stream)(w, i, j, some ? rest : NULL, sums);
  else
    N(all_dots)[size][high / 2](w, i, j, some ? rest : NULL, sums);
  for (int64_t r = 0; r < high; r++)
    N(put_some)(&w->to, w->to.c + (i + r) * w->to.ldc, j, bn, (const T *)sums + r * bn);
  return bn;
}

static int64_t N(dots_high)(int64_t rows)
{
  return rows >= BPI_DOTS ? BPI_DOTS : rows >= 2 ? 2 : 1;
}

/* All rows for the columns from j on, 4 or as many as are left, or 8 where there is but one row. */
static int64_t N(dots_down)(const N(dots) * w, int64_t j)
{
  int64_t bn = 1;
  for (int64_t i = 0, high; i < w->rows; i += high) {
    high = N(dots_high)(w->rows - i);
    const int64_t done = N(do_dots)(w, i, j, high);
    bn = i == 0 ? done : bn;
  }
  return bn;
}

/* The operand with fewer rows is the one that is gone through again and again. */
static void N(run_dots)(const N(dots) * w)
{
  if (w->rows < w->columns)
    for (int64_t j = 0, bn = 1; j < w->columns; j += bn)
      bn = N(dots_down)(w, j);
  else
    for (int64_t i = 0, high; i < w->rows; i += high) {
      high = N(dots_high)(w->rows - i);
      for (int64_t j = 0; j < w->columns;)
        j += N(do_dots)(w, i, j, high);
    }
}

/* ---- one row times a matrix whose columns lie side by side: rows of it are added up, ROWS at a time ---- */

enum { N(ROWS) = 8 };

/* c[n] += a[0..rows) B[rows, n]: one chain for each element. */
BPI_INLINE void N(add_rows)(const int rows, int64_t n, const T *a, int64_t as, const T *b, int64_t ldb, T *c)
{
  V x[N(ROWS)];
  int64_t j = 0;
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
    x[r] = SPREAD(a[r * as]);
  for (; j + VN <= n; j += VN) {
    V v = *(const U *)(c + j);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
      v = MULADD(x[r], *(const U *)(b + r * ldb + j), v);
    *(U *)(c + j) = v;
  }
  for (; j < n; j++)
    for (int r = 0; r < rows; r++)
      c[j] = MULADD1(a[r * as], b[r * ldb + j], c[j]);
}

static __attribute__((noinline)) void N(row_times)(int64_t n, int64_t k, const T *a, int64_t as, const T *b,
                                                   int64_t ldb, T *c)
{
  int64_t p = 0;
  for (; p + N(ROWS) <= k; p += N(ROWS))
    N(add_rows)(N(ROWS), n, a + p * as, as, b + p * ldb, ldb, c);
  for (; p < k; p++)
    N(add_rows)(1, n, a + p * as, as, b + p * ldb, ldb, c);
}

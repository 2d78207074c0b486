/* Products of few rows, or few columns, for element type T with suffix S; included by gemm.c. Nothing is packed. */

/* ---- both operands have their inner steps side by side: dot products, each VN chains of multiply-adds folded in a fixed tree ---- */

/* One inner block: C[rows, columns] (+)= A B', where rows of A and B lie lda and ldb apart. */
typedef struct N(dots) {
  int64_t rows, columns, k, lda, ldb;
  const T *a, *b;
  N(tile) to;
} N(dots);

/* Ends as many columns of row i of C, from column j on, as one fold gives. */
BPI_INLINE void N(put_lane)(const N(tile) * t, int64_t i, int64_t j, LANE v)
{
  T *c = t->c + i * t->ldc + j;
  if (t->bias)
    v += *(const LANE *)(t->bias + j);
  if (t->add)
    v += *(const LANE *)c;
  *(LANE *)c = v;
}

BPI_INLINE V N(load)(const T *p, int64_t n)
{
  if (n)
    return N(bpi_some)(p, n);
  return *(const U *)p;
}

/* Adds one vector of inner steps, or the n that are left where n is not 0. */
BPI_INLINE void N(dot_step)(const int bn, const int am, const N(dots) * w, const T *b, const T *a, int64_t n,
                            V *s)
{
  V y[8];
#pragma GCC unroll 8
  for (int j = 0; j < bn; j++)
    y[j] = N(load)(b + j * w->ldb, n);
#pragma GCC unroll 8
  for (int i = 0; i < am; i++) {
    const V x = N(load)(a + i * w->lda, n);
#pragma GCC unroll 8
    for (int j = 0; j < bn; j++)
      s[i * bn + j] = MULADD(x, y[j], s[i * bn + j]);
  }
}

/* A tile of am rows and bn columns of C. */
BPI_INLINE void N(dot_tile)(const int bn, const int am, const N(dots) * w, int64_t i0, int64_t j0)
{
  const T *a = w->a + i0 * w->lda, *b = w->b + j0 * w->ldb;
  V s[4 * BPI_DOTS + 8];
#pragma GCC unroll 32
  for (int i = 0; i < am * bn + TURN; i++)
    s[i] = (V){0};
  int64_t p = 0;
  for (; p + VN <= w->k; p += VN)
    N(dot_step)(bn, am, w, b + p, a + p, 0, s);
  if (p < w->k)
    N(dot_step)(bn, am, w, b + p, a + p, w->k - p, s);
#pragma GCC unroll 8
  for (int i = 0; i < am; i++) {
    if (bn % TURN == 0) {
#pragma GCC unroll 4
      for (int j = 0; j < bn; j += TURN)
        N(put_lane)(&w->to, i0 + i, j0 + j, N(bpi_fold)(s + i * bn + j));
    } else {
      const LANE v = N(bpi_fold)(s + i * bn);
      N(put_some)(&w->to, w->to.c + (i0 + i) * w->to.ldc, j0, bn, (const T *)&v);
    }
  }
}

typedef void (*N(dots_fn))(const N(dots) * w, int64_t i, int64_t j);

#define DOTS(bn, am)                                                      \
  static void N(dots##bn##x##am)(const N(dots) * w, int64_t i, int64_t j) \
  {                                                                       \
    N(dot_tile)(bn, am, w, i, j);                                         \
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

/* Does a tile of at most `high` rows, a power of two, and returns its columns. */
static int64_t N(do_dots)(const N(dots) * w, int64_t i, int64_t j, int64_t high)
{
  const int64_t left = w->columns - j;
  const int size = left >= 8 && w->rows == 1 ? 3 : left >= 4 ? 2 : left >= 2 ? 1 : 0;
  N(all_dots)[size][high / 2](w, i, j);
  return 1 << size;
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

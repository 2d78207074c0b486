/* Tiles of the matrix product in registers, and strips of them, for element type T with suffix S; included by gemm.c. */

/* Where a tile goes, and what is added to it. */
typedef struct N(tile) {
  T *c;
  int64_t ldc;
  const T *bias;
  bool add; /* to what is in c */
} N(tile);

/* Ends one vector of a row of a tile, from column `at` on: what was summed, plus bias, plus what was there. */
BPI_INLINE void N(put)(const N(tile) * t, T *c, int at, V v)
{
  if (t->bias)
    v += *(const U *)(t->bias + at);
  if (t->add)
    v += *(const U *)(c + at);
  *(U *)(c + at) = v;
}

/* The same for `count` elements from column j on, in pieces of 16 bytes, then one by one. */
static void N(put_some)(const N(tile) * t, T *c, int64_t j, int64_t count, const T *sums)
{
  int64_t q = 0;
  for (c += j; q + TURN <= count; q += TURN) {
    LANE v = *(const LANE *)(sums + q);
    if (t->bias)
      v += *(const LANE *)(t->bias + j + q);
    if (t->add)
      v += *(const LANE *)(c + q);
    *(LANE *)(c + q) = v;
  }
  for (; q < count; q++) {
    const T v = t->bias ? sums[q] + t->bias[j + q] : sums[q];
    c[q] = t->add ? v + c[q] : v;
  }
}

/* mr rows times one panel. a: row stride ars, inner stride acs; b: inner stride bs. */
BPI_INLINE void N(micro)(const int mr, int64_t k, const T *a, int64_t ars, int64_t acs, const T *b,
                         int64_t bs, const N(tile) * t)
{
  V low[MR], high[MR];
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    __builtin_prefetch(t->c + i * t->ldc, 1, 3);
    low[i] = high[i] = (V){0};
  }
  BPI_UNROLLED
  for (int64_t p = 0; p < k; p++) {
    const V b0 = *(const U *)b, b1 = *(const U *)(b + VN);
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
      const V s = SPREAD(a[i * ars + p * acs]);
      low[i] = MULADD(s, b0, low[i]);
      high[i] = MULADD(s, b1, high[i]);
    }
    b += bs;
  }
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    N(put)(t, t->c + i * t->ldc, 0, low[i]);
    N(put)(t, t->c + i * t->ldc, VN, high[i]);
  }
}

/* A function for each number of rows and each way that A may lie: rows (inner stride 1) or columns (row stride 1). */
typedef void (*N(tile_fn))(int64_t k, const T *a, int64_t stride, const T *b, int64_t bs, const N(tile) * t);

#define TILE(mr)                                                                                            \
  static void N(rows##mr)(int64_t k, const T *a, int64_t stride, const T *b, int64_t bs, const N(tile) * t) \
  {                                                                                                         \
    N(micro)(mr, k, a, stride, 1, b, bs, t);                                                                \
  }                                                                                                         \
  static void N(columns##mr)(int64_t k, const T *a, int64_t stride, const T *b, int64_t bs,                 \
                             const N(tile) * t)                                                             \
  {                                                                                                         \
    N(micro)(mr, k, a, 1, stride, b, bs, t);                                                                \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
#if BPI_MR >= 6
TILE(6)
#endif
#if BPI_MR == 8
TILE(8)
#endif
#undef TILE

/* Tiles of 5 and 7 rows are done in two: too rare to be worth their code. */
static const struct {
  int rows;
  N(tile_fn) fn[2];
} N(tiles)[] = {
    {0},
    {1, {N(rows1), N(columns1)}},
    {2, {N(rows2), N(columns2)}},
    {3, {N(rows3), N(columns3)}},
    {4, {N(rows4), N(columns4)}},
#if BPI_MR >= 6
    {4, {N(rows4), N(columns4)}},
    {6, {N(rows6), N(columns6)}},
#endif
#if BPI_MR == 8
    {6, {N(rows6), N(columns6)}},
    {8, {N(rows8), N(columns8)}},
#endif
};

/* Asks for rows [from, to) of what is wanted soon. */
BPI_INLINE void N(fetch)(const bpi_ahead *x, int64_t from, int64_t to)
{
  for (int64_t r = from; r < to && r < x->rows; r++)
    for (int64_t i = 0; i < x->bytes; i += 64)
      __builtin_prefetch(x->from + r * x->stride + i, 0, 2);
}

void BPI_SYM(N(bpi_strip))(const bpi_strip *s)
{
  T sums[MR * NR];
  const bool columns = s->acs != 1, whole = s->columns == NR;
  const int64_t height = s->tiled ? MR : bpi_strip_height(s->rows);
  const N(tile) home = {.c = s->c, .ldc = s->ldc, .bias = s->bias, .add = s->add},
                some = {.c = sums, .ldc = NR};
  N(tile) t = whole ? home : some;
  const T *a = s->a;
  const int64_t share = (s->ahead.rows * height + s->rows - 1) / s->rows; /* asked for with each tile */
  int64_t asked = 0;
  for (int64_t i = 0, rows, left = 0; i < s->rows; i += rows, left -= rows, a += rows * s->ars) {
    if (left == 0) {
      left = s->rows - i < height ? s->rows - i : height;
      a = (const T *)s->a + i * (s->tiled ? s->steps : s->ars);
    }
    rows = N(tiles)[left].rows;
    N(fetch)(&s->ahead, asked, asked + share);
    asked += share;
    N(tiles)[left].fn[columns](s->steps, a, columns ? s->acs : s->ars, s->b, s->bs, &t);
    if (whole)
      t.c += rows * s->ldc;
    for (int64_t r = 0; r < rows && !whole; r++)
      N(put_some)(&home, home.c + (i + r) * s->ldc, 0, s->columns, sums + r * NR);
  }
}

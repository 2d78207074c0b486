/* The tile of a convolution for element type T with suffix S; included by convtiles.c once for each. */
#define N(name) BPI_PASTE(name, S)
#define V       N(bpi_v)
#define U       N(bpi_u)
#define VN      ((int)(BPI_WIDE / sizeof(T)))
#define NR      (2 * VN)
#define MR      CONV_MR
#define TURN    ((int)(16 / sizeof(T))) /* elements that one transposition yields */

/* Ends a row that ends inside a vector. */
static __attribute__((noinline)) void N(conv_put_some)(const bpi_panel *t, const T *sums, T *c)
{
  const T *bias = t->bias;
  for (int j = 0; j < t->columns; j++) {
    const T v = bias ? sums[j] + bias[j] : sums[j];
    c[j] = t->add ? c[j] + v : v;
  }
}

BPI_INLINE void N(conv_put)(const bpi_panel *t, T *c, int at, V v)
{
  if (t->bias)
    v += *(const U *)((const T *)t->bias + at);
  if (t->add)
    v += *(const U *)(c + at);
  *(U *)(c + at) = v;
}

/* mr rows times two vectors of columns, or one. */
BPI_INLINE void N(conv_tile)(const int mr, const bool whole, const bpi_panel *t, const T *const *a,
                             T *const *c)
{
  V low[MR], high[MR];
  const T *b = t->b, *row[MR];
  const int64_t *off = t->off, *end = off + t->steps, bs = t->bs;
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    low[i] = high[i] = (V){0};
    row[i] = a[i];
  }
  for (; off < end; off++, b += bs) {
    const int64_t o = *off;
    const V b0 = *(const U *)b;
    V b1 = b0;
    if (whole)
      b1 = *(const U *)(b + VN);
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
      const V s = SPREAD(row[i][o]);
      low[i] = MULADD(s, b0, low[i]);
      if (whole)
        high[i] = MULADD(s, b1, high[i]);
    }
  }
  if (t->columns == (whole ? NR : VN)) {
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
      N(conv_put)(t, c[i], 0, low[i]);
      if (whole)
        N(conv_put)(t, c[i], VN, high[i]);
    }
    return;
  }
  T sums[MR * NR];
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    *(U *)(sums + i * NR) = low[i];
    *(U *)(sums + i * NR + VN) = high[i];
  }
  for (int i = 0; i < mr; i++)
    N(conv_put_some)(t, sums + i * NR, c[i]);
}

typedef void (*N(conv_tile_fn))(const bpi_panel *t, const T *const *a, T *const *c);
#define TILE(name, mr, whole)                                                    \
  static void N(conv_##name)(const bpi_panel *t, const T *const *a, T *const *c) \
  {                                                                              \
    N(conv_tile)(mr, whole, t, a, c);                                            \
  }
TILE(one, 1, true)
TILE(few, FEW, true)
TILE(all, MR, true)
TILE(half_one, 1, false)
TILE(half_few, FEW, false)
TILE(half_all, MR, false)
#undef TILE

/* Rows that a tile has too many read the first again and write nowhere. */
static void N(conv_run)(const bpi_panel *t, const bpi_grid *g, int64_t first, int64_t count, const void *a,
                        void *c)
{
  static const N(conv_tile_fn) tiles[2][3] = {{N(conv_half_one), N(conv_half_few), N(conv_half_all)},
                                              {N(conv_one), N(conv_few), N(conv_all)}};
  const N(conv_tile_fn) *by_rows = tiles[t->columns > VN];
  const T *from[MR];
  T *to[MR], nowhere[NR] = {0};
  bpi_point p = count > 0 ? bpi_grid_point(g, first) : (bpi_point){.from = 0};
  for (int64_t left = count; left > 0; left -= MR) {
    const int mr = left < MR ? (int)left : MR;
    for (int i = 0; i < mr; i++, bpi_grid_next(g, &p)) {
      from[i] = (const T *)a + p.from;
      to[i] = (T *)c + p.to;
    }
    for (int i = mr; i < MR; i++) {
      from[i] = from[0];
      to[i] = nowhere;
    }
    by_rows[mr == 1 ? 0 : mr <= FEW ? 1 : 2](t, from, to);
  }
}

static void N(conv_pack)(int64_t steps, int columns, const void *from, void *packed)
{
  const T *w = from;
  T *to = packed;
  const int64_t whole = columns == NR ? steps / TURN * TURN : 0;
  for (int half = 0; half < 2 && whole; half++)
    for (int64_t k = 0; k < whole; k += TURN) {
      V v[TURN];
      N(bpi_turn)(w + half * VN * steps + k, steps, v);
      for (int q = 0; q < TURN; q++)
        *(U *)(to + (k + q) * NR + half * VN) = v[q];
    }
  for (int64_t k = whole; k < steps; k++)
    for (int j = 0; j < NR; j++)
      to[k * NR + j] = j < columns ? w[j * steps + k] : 0;
}

const bpi_conv_tiles BPI_SYM(N(bpi_conv_tiles)) = {MR, NR, N(conv_run), N(conv_pack)};

#undef N
#undef V
#undef U
#undef VN
#undef NR
#undef MR
#undef TURN

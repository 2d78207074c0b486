/* The matrix product for element type T with suffix S; included by gemm.c once for each. */
#define N(name) BPI_PASTE(name, S)
#define V       N(bpi_v)
#define U       N(bpi_u)
#define VN      ((int)(BPI_WIDE / sizeof(T)))
#define NR      (2 * VN)
#define MR      BPI_MR
#define TURN    ((int)(16 / sizeof(T))) /* inner steps that one transposition yields */

/* Where a tile goes, and what is added to it. */
typedef struct N(tile) {
  T *c;
  int64_t ldc;
  const T *bias;
  int columns;
  bool add; /* to what is in c */
} N(tile);

/* Cuts of the product g: by its shape alone. */
typedef struct N(cut) {
  int64_t rows, row_blocks, panels, steps, step_blocks;
  bool pack_a, pack_b;
} N(cut);

static N(cut) N(cut_of)(const bpi_gemm *g)
{
  N(cut) u;
  const int64_t most = BPI_KC_BYTES / (int64_t)sizeof(T);
  u.row_blocks = (g->m + ROW_BLOCK - 1) / ROW_BLOCK;
  u.rows = u.row_blocks ? (g->m + u.row_blocks - 1) / u.row_blocks : 0;
  u.rows = (u.rows + MR - 1) / MR * MR;
  u.panels = (g->n + NR - 1) / NR;
  u.step_blocks = g->k > most ? (g->k + most - 1) / most : 1;
  u.steps = (g->k + u.step_blocks - 1) / u.step_blocks;
  u.steps = (u.steps + TURN - 1) / TURN * TURN;
  /* Rows a page apart take an entry of the TLB each, and a power of two apart the same few cache sets. */
  const int64_t apart = g->lda * (int64_t)sizeof(T);
  u.pack_a = g->ta || (g->m > 4 * MR && g->n >= 8 * NR && (apart >= 4096 || apart % 2048 == 0));
  u.pack_b = g->tb || g->m > 2 * MR;
  return u;
}

int64_t BPI_SYM(N(bpi_gemm_units))(const bpi_gemm *g)
{
  const N(cut) u = N(cut_of)(g);
  return u.row_blocks * u.panels;
}

size_t BPI_SYM(N(bpi_gemm_scratch))(const bpi_gemm *g)
{
  const N(cut) u = N(cut_of)(g);
  return (size_t)((u.pack_a ? u.rows * u.steps : 0) + NR * u.steps + (g->c ? 0 : NR * u.rows)) * sizeof(T) +
         64;
}

/* ---- tiles ---- */

/* Ends one vector of a row of a tile, from column `at` on: what was summed, plus bias, plus what was there. */
BPI_INLINE void N(put)(const N(tile) * t, T *c, int at, V v)
{
  if (t->bias)
    v += *(const U *)(t->bias + at);
  if (t->add)
    v += *(const U *)(c + at);
  *(U *)(c + at) = v;
}

/* The same for rows that end inside a panel: few, so one by one. sums: rows of NR. */
static __attribute__((noinline)) void N(put_some)(const N(tile) * t, int rows, const T *sums)
{
  for (int i = 0; i < rows; i++, sums += NR) {
    T *c = t->c + i * t->ldc;
    for (int j = 0; j < t->columns; j++) {
      const T v = t->bias ? sums[j] + t->bias[j] : sums[j];
      c[j] = t->add ? v + c[j] : v;
    }
  }
}

/* mr rows times one panel, or only its first vector of columns. a: row stride ars, inner stride acs; b: inner stride bs. */
BPI_INLINE void N(micro)(const int mr, const bool whole, int64_t k, const T *a, int64_t ars, int64_t acs,
                         const T *b, int64_t bs, const N(tile) * t)
{
  V low[MR], high[MR];
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++)
    __builtin_prefetch(t->c + i * t->ldc, 1, 3);
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++)
    low[i] = high[i] = (V){0};
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; p++) {
    const V b0 = *(const U *)b;
    V b1 = b0;
    if (whole)
      b1 = *(const U *)(b + VN);
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
      const V s = SPREAD(a[i * ars + p * acs]);
      low[i] = MULADD(s, b0, low[i]);
      if (whole)
        high[i] = MULADD(s, b1, high[i]);
    }
    b += bs;
  }
  if (t->columns != (whole ? NR : VN)) {
    T sums[MR * NR];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
      *(U *)(sums + i * NR) = low[i];
      if (whole)
        *(U *)(sums + i * NR + VN) = high[i];
    }
    N(put_some)(t, mr, sums);
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    N(put)(t, t->c + i * t->ldc, 0, low[i]);
    if (whole)
      N(put)(t, t->c + i * t->ldc, VN, high[i]);
  }
}

/* A function for each number of rows and each way that A and B may lie. */
typedef void (*N(tile_fn))(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs, const N(tile) * t);

#define TILE(mr)                                                                                           \
  static void N(rows##mr)(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs, const N(tile) * t)   \
  {                                                                                                        \
    (void)bs;                                                                                              \
    N(micro)(mr, true, k, a, ars, 1, b, NR, t);                                                            \
  }                                                                                                        \
  static void N(packed##mr)(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs, const N(tile) * t) \
  {                                                                                                        \
    (void)ars, (void)bs;                                                                                   \
    N(micro)(mr, true, k, a, 1, MR, b, NR, t);                                                             \
  }                                                                                                        \
  static void N(loose##mr)(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs, const N(tile) * t)  \
  {                                                                                                        \
    N(micro)(mr, true, k, a, ars, 1, b, bs, t);                                                            \
  }                                                                                                        \
  static void N(rows_half##mr)(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs,                 \
                               const N(tile) * t)                                                          \
  {                                                                                                        \
    (void)bs;                                                                                              \
    N(micro)(mr, false, k, a, ars, 1, b, NR, t);                                                           \
  }                                                                                                        \
  static void N(packed_half##mr)(int64_t k, const T *a, int64_t ars, const T *b, int64_t bs,               \
                                 const N(tile) * t)                                                        \
  {                                                                                                        \
    (void)ars, (void)bs;                                                                                   \
    N(micro)(mr, false, k, a, 1, MR, b, NR, t);                                                            \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#if BPI_MR == 8
TILE(7)
TILE(8)
#endif
#undef TILE

#if BPI_MR == 8
#define EACH_TILE(kind)                                                                            \
  {                                                                                                \
    N(kind##1), N(kind##2), N(kind##3), N(kind##4), N(kind##5), N(kind##6), N(kind##7), N(kind##8) \
  }
#else
#define EACH_TILE(kind)                                                    \
  {                                                                        \
    N(kind##1), N(kind##2), N(kind##3), N(kind##4), N(kind##5), N(kind##6) \
  }
#endif
static const N(tile_fn) N(rows_of)[MR] = EACH_TILE(rows);
static const N(tile_fn) N(packed_of)[MR] = EACH_TILE(packed);
static const N(tile_fn) N(loose_of)[MR] = EACH_TILE(loose);
static const N(tile_fn) N(rows_half_of)[MR] = EACH_TILE(rows_half);
static const N(tile_fn) N(packed_half_of)[MR] = EACH_TILE(packed_half);
#undef EACH_TILE

/* One or two rows times columns of a transposed B: too few rows to pay for packing, so columns are turned in registers. */
BPI_INLINE void N(thin)(const int mr, int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb,
                        const N(tile) * t)
{
  V low[2], high[2];
#pragma GCC unroll 2
  for (int i = 0; i < mr; i++)
    low[i] = high[i] = (V){0};
  int64_t p = 0;
  for (; p + TURN <= k; p += TURN) {
    V b0[TURN], b1[TURN];
    N(bpi_turn)(b + p, ldb, b0);
    N(bpi_turn)(b + p + VN * ldb, ldb, b1);
#pragma GCC unroll 4
    for (int q = 0; q < TURN; q++)
#pragma GCC unroll 2
      for (int i = 0; i < mr; i++) {
        const V s = SPREAD(a[i * lda + p + q]);
        low[i] = MULADD(s, b0[q], low[i]);
        high[i] = MULADD(s, b1[q], high[i]);
      }
  }
  for (; p < k; p++) {
    T row[NR];
    for (int j = 0; j < NR; j++)
      row[j] = b[j * ldb + p];
    for (int i = 0; i < mr; i++) {
      const V s = SPREAD(a[i * lda + p]);
      low[i] = MULADD(s, *(const U *)row, low[i]);
      high[i] = MULADD(s, *(const U *)(row + VN), high[i]);
    }
  }
  for (int i = 0; i < mr; i++) {
    N(put)(t, t->c + i * t->ldc, 0, low[i]);
    N(put)(t, t->c + i * t->ldc, VN, high[i]);
  }
}

static void N(thin1)(int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb, const N(tile) * t)
{
  N(thin)(1, k, a, lda, b, ldb, t);
}

static void N(thin2)(int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb, const N(tile) * t)
{
  N(thin)(2, k, a, lda, b, ldb, t);
}

/* ---- packing ---- */

/* Panel of B stored [k, n]: b at its first row and column. Columns past the last are zero: their sums are never stored. */
static void N(pack_plain)(int64_t k, int columns, const T *b, int64_t ldb, T *to)
{
  for (int64_t p = 0; p < k; p++, b += ldb, to += NR) {
    if (columns == NR) {
      *(U *)to = *(const U *)b;
      *(U *)(to + VN) = *(const U *)(b + VN);
    } else {
      for (int j = 0; j < NR; j++)
        to[j] = j < columns ? b[j] : 0;
    }
  }
}

/* Panel of B stored [n, k]. */
static void N(pack_turned)(int64_t k, int columns, const T *b, int64_t ldb, T *to)
{
  const int64_t whole = columns == NR ? k / TURN * TURN : 0;
  for (int half = 0; half < 2 && whole; half++)
    for (int64_t p = 0; p < whole; p += TURN) {
      V v[TURN];
      N(bpi_turn)(b + half * VN * ldb + p, ldb, v);
      for (int q = 0; q < TURN; q++)
        *(U *)(to + (p + q) * NR + half * VN) = v[q];
    }
  for (int j = 0; j < NR; j++)
    for (int64_t q = whole; q < k; q++)
      to[q * NR + j] = j < columns ? b[j * ldb + q] : 0;
}

/* Rows of op(A) in groups of MR, inner steps one after another; the last group may be short. */
static void N(pack_a)(int64_t m, int64_t k, const T *a, int64_t ars, int64_t acs, T *to)
{
  for (int64_t i = 0; i < m; i += MR, to += MR * k) {
    const T *from = a + i * ars;
    if (m - i >= MR && ars == 1) {
      for (int64_t p = 0; p < k; p++)
        memcpy(to + p * MR, from + p * acs, MR * sizeof(T));
      continue;
    }
    const int64_t rows = m - i < MR ? m - i : MR;
    for (int64_t p = 0; p < k; p++)
      for (int64_t r = 0; r < rows; r++)
        to[p * MR + r] = from[r * ars + p * acs];
  }
}

/* ---- the product ---- */

/* What is the same for all panels of one row block and one inner block. */
typedef struct N(job) {
  const bpi_gemm *g;
  const N(cut) * u;
  int64_t row, rows, step, steps;
  const T *a; /* op(A) at (row, step), or the packed block */
  T *panel;
  T *c; /* where element (row, column) goes, `column` the first of the job */
  int64_t ldc, column;
} N(job);

/* Asks for tile number `tile` of `tiles`' share of the panel after this one, which is packed when these tiles are done: its
 * rows lie too far apart for the processor to see them coming. */
BPI_INLINE void N(fetch_ahead)(const N(job) * w, const T *next, int64_t tile, int64_t tiles)
{
  const bpi_gemm *g = w->g;
  const int64_t rows = g->tb ? NR : w->steps, width = g->tb ? w->steps : NR;
  for (int64_t r = rows * tile / tiles; r < rows * (tile + 1) / tiles; r++)
    for (int64_t i = 0; i < width; i += 64 / (int64_t)sizeof(T))
      __builtin_prefetch(next + r * g->ldb + i, 0, 2);
}

static const N(tile_fn) * N(tiles_for)(bool packed, bool half)
{
  if (half)
    return packed ? N(packed_half_of) : N(rows_half_of);
  return packed ? N(packed_of) : N(rows_of);
}

static void N(run_panel)(const N(job) * w, int64_t column)
{
  const bpi_gemm *g = w->g;
  const int columns = g->n - column < NR ? (int)(g->n - column) : NR;
  const T *b = (const T *)g->b + (g->tb ? column * g->ldb + w->step : w->step * g->ldb + column);
  const T *next = g->tb ? b + NR * g->ldb : b + NR;
  N(tile) t = {.ldc = w->ldc, .columns = columns, .add = (g->accumulate && g->c) || w->step > 0};
  t.bias = g->bias && w->step == 0 ? (const T *)g->bias + column : NULL;
  T *c = w->c + (column - w->column);
  if (g->tb && !w->u->pack_a && w->rows <= 2 && columns == NR) {
    t.c = c;
    (w->rows == 1 ? N(thin1) : N(thin2))(w->steps, w->a, g->lda, b, g->ldb, &t);
    return;
  }
  const bool loose = !w->u->pack_b && columns == NR && !w->u->pack_a;
  const N(tile_fn) *tiles = loose ? N(loose_of) : N(tiles_for)(w->u->pack_a, columns <= VN);
  if (!loose) {
    (g->tb ? N(pack_turned) : N(pack_plain))(w->steps, columns, b, g->ldb, w->panel);
    b = w->panel;
  }
  const int64_t count = (w->rows + MR - 1) / MR;
  const bool ahead = column + 2 * NR <= g->n;
  for (int64_t i = 0; i < w->rows; i += MR) {
    const int64_t mr = w->rows - i < MR ? w->rows - i : MR;
    if (ahead)
      N(fetch_ahead)(w, next, i / MR, count);
    t.c = c + i * w->ldc;
    tiles[mr - 1](w->steps, w->u->pack_a ? w->a + i * w->steps : w->a + i * g->lda, g->lda, b, g->ldb, &t);
  }
}

static void N(hand_over)(const N(job) * w, int64_t column)
{
  const bpi_end *end = w->g->end;
  const int64_t left = w->g->n - column;
  const bpi_rect r = {w->c + (column - w->column), w->ldc, end->row + w->row, w->rows, column,
                      left < NR ? left : NR};
  end->fn(end->arg, &r);
}

/* Panels [from, to) of one row block. */
static void N(run_rows)(const bpi_gemm *g, const N(cut) * u, int64_t block, int64_t from, int64_t to,
                        T *scratch)
{
  N(job) w = {.g = g, .u = u, .row = block * u->rows, .column = from * NR};
  w.rows = g->m - w.row < u->rows ? g->m - w.row : u->rows;
  w.panel = scratch + (u->pack_a ? u->rows * u->steps : 0);
  w.ldc = g->c ? g->ldc : NR;
  w.c = g->c ? (T *)g->c + w.row * g->ldc + w.column : w.panel + NR * u->steps;
  for (int64_t s = 0; s < u->step_blocks; s++) {
    w.step = s * u->steps;
    w.steps = g->k - w.step < u->steps ? g->k - w.step : u->steps;
    const T *a = (const T *)g->a + (g->ta ? w.step * g->lda + w.row : w.row * g->lda + w.step);
    if (u->pack_a)
      N(pack_a)(w.rows, w.steps, a, g->ta ? 1 : g->lda, g->ta ? g->lda : 1, scratch);
    w.a = u->pack_a ? scratch : a;
    for (int64_t p = from; p < to; p++) {
      N(run_panel)(&w, p * NR);
      if (g->end && s == u->step_blocks - 1)
        N(hand_over)(&w, p * NR);
    }
  }
}

void BPI_SYM(N(bpi_gemm))(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)
{
  const N(cut) u = N(cut_of)(g);
  for (int64_t at = begin; at < end;) {
    const int64_t block = at / u.panels, from = at % u.panels;
    int64_t to = u.panels - from < end - at ? u.panels : from + (end - at);
    to = g->c ? to : from + 1; /* scratch has room for one region */
    N(run_rows)(g, &u, block, from, to, scratch);
    at += to - from;
  }
}

#undef N
#undef V
#undef U
#undef VN
#undef NR
#undef MR
#undef TURN

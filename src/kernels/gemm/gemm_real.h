/* The matrix product for element type T with suffix S; included by gemm.c once for each. */
#define N(name) BPI_PASTE(name, S)
#define V       N(bpi_v)
#define U       N(bpi_u)
#define VN      ((int)(BPI_WIDE / sizeof(T)))
#define NR      (2 * VN)
#define MR      BPI_MR
#define TURN    ((int)(16 / sizeof(T))) /* inner steps that one transposition yields */
#define LANE    N(bpi_lane)             /* 16 bytes */

#include "kernels/gemm/gemm_tile.h"
#include "kernels/gemm/gemm_pack.h"
#include "kernels/gemm/gemm_dot.h"
#include "kernels/gemm/gemm_small.h"

int64_t BPI_SYM(N(bpi_gemm_units))(const bpi_gemm *g)
{
  if (bpi_gemm_small(g))
    return g->m > 0 && g->n > 0;
  const bpi_cut u = bpi_cut_of(g, &tiles, sizeof(T));
  return u.row_blocks * u.groups;
}

/* Lanes of a group as whole panels. */
static int64_t N(padded)(const bpi_cut *u)
{
  return (u->lanes + NR - 1) / NR * NR;
}

/* Elements of scratch: copied rows, packed panels, a block of C. */
static void N(rooms)(const bpi_cut *u, int64_t *rows, int64_t *panels, int64_t *block)
{
  const int64_t most = u->rows * u->together;
  *rows = u->copy_r ? (most + MR) * (u->steps + u->pad) : 0;
  *panels = u->way != BPI_WAY_PANELS ? 0 : u->whole ? N(padded)(u) * u->steps : NR * u->steps;
  *block = u->way == BPI_WAY_PANELS && u->turned ? (most + VN) * N(padded)(u) : 0;
}

/* Elements of C that nobody else keeps: as much of it as is handed over at once. */
static int64_t N(kept)(const bpi_cut *u)
{
  const int64_t rows = u->turned || u->whole ? u->rows : u->rows * u->together;
  return (rows < u->r.count ? rows : u->r.count) * u->lanes;
}

size_t BPI_SYM(N(bpi_gemm_scratch))(const bpi_gemm *g)
{
  int64_t rows, panels, block;
  if (bpi_gemm_small(g))
    return g->c ? 0 : (size_t)(g->m * g->n) * sizeof(T);
  const bpi_cut u = bpi_cut_of(g, &tiles, sizeof(T));
  N(rooms)(&u, &rows, &panels, &block);
  return (size_t)(rows + panels + block + (g->c ? 0 : N(kept)(&u))) * sizeof(T) + 64;
}

/* ---- units ---- */

/* Where a part of C is: in C, or in scratch where nobody keeps C. */
typedef struct N(place) {
  T *c;
  int64_t ldc;
} N(place);

/* A rectangle of C is final. */
static void N(hand_over)(const bpi_gemm *g, T *c, int64_t ldc, int64_t row, int64_t rows, int64_t col,
                         int64_t cols)
{
  const bpi_rect r = {c, ldc, g->end ? g->end->row + row : row, rows, col, cols};
  if (g->end)
    g->end->fn(g->end->arg, &r);
}

static N(place) N(place_of)(const bpi_gemm *g, T *scratch, int64_t row, int64_t col, int64_t cols)
{
  if (g->c)
    return (N(place)){(T *)g->c + row * g->ldc + col, g->ldc};
  return (N(place)){scratch, cols};
}

static BPI_SHARED void N(run_small)(const bpi_gemm *g, T *scratch)
{
  bpi_small s;
  const N(place) to = N(place_of)(g, scratch, 0, 0, g->n);
  const void *const x[] = {g->a, g->b, g->bias};
  N(small_loop)(g, to.ldc, &s)(0, to.c, x, (const int64_t *)&s, NULL);
  if (g->m > 0 && g->n > 0)
    N(hand_over)(g, to.c, to.ldc, 0, g->m, 0, g->n);
}

static void N(run_dot_unit)(const bpi_gemm *g, const bpi_cut *u, int64_t unit, T *scratch)
{
  const int64_t row = unit % u->row_blocks * u->rows, group = unit / u->row_blocks,
                col = bpi_cut_lane(u, group);
  N(dots) w = {.lda = u->r.ld, .ldb = u->l.ld};
  w.rows = g->m - row < u->rows ? g->m - row : u->rows;
  w.columns = bpi_cut_lane(u, group + 1) - col;
  const N(place) to = N(place_of)(g, scratch, row, col, w.columns);
  w.to = (N(tile)){.c = to.c, .ldc = to.ldc, .bias = g->bias ? (const T *)g->bias + col : NULL};
  w.to.add = g->accumulate && g->c;
  V line[STREAMS ? STREAM_ROW / BPI_WIDE : 1]; /* the row on whole lines: it is read as often as the matrix */
  w.streams =
      STREAMS && g->m == 1 && g->k >= STREAM_STEPS && g->n * g->k * (int64_t)sizeof(T) <= STREAM_BYTES;
  int64_t step = 0;
  do { /* also without inner steps */
    w.k = g->k - step < u->steps ? g->k - step : u->steps;
    w.a = (const T *)u->r.x + row * u->r.ld + step;
    w.b = (const T *)u->l.x + col * u->l.ld + step;
    if (w.streams && w.k * (int64_t)sizeof(T) <= STREAM_ROW)
      w.a = memcpy(line, w.a, (size_t)w.k * sizeof(T));
    N(run_dots)(&w);
    w.to.add = true;
    w.to.bias = NULL;
    step += u->steps;
  } while (step < g->k);
  N(hand_over)(g, to.c, to.ldc, row, w.rows, col, w.columns);
}

/* One row of r times a part of the columns of l; turned: C is a column, whose elements lie side by side. */
static void N(run_row_unit)(const bpi_gemm *g, const bpi_cut *u, int64_t unit, T *scratch)
{
  const int64_t at = bpi_cut_lane(u, unit), count = bpi_cut_lane(u, unit + 1) - at;
  const T *bias = g->bias;
  const N(place) to = u->turned ? N(place_of)(g, scratch, at, 0, 1) : N(place_of)(g, scratch, 0, at, count);
  for (int64_t j = 0; j < count; j++) {
    const T first = bias ? bias[u->turned ? 0 : at + j] : 0;
    to.c[j] = g->accumulate && g->c ? first + to.c[j] : first;
  }
  N(row_times)(count, g->k, u->r.x, u->r.flat ? 1 : u->r.ld, (const T *)u->l.x + at, u->l.ld, to.c);
  if (u->turned)
    N(hand_over)(g, to.c, to.ldc, at, count, 0, 1);
  else
    N(hand_over)(g, to.c, to.ldc, 0, 1, at, count);
}

/* Row blocks of one group, done together: rows [row, row + rows) of r times lanes [lane, lane + lanes) of l. */
typedef struct N(job) {
  const bpi_gemm *g;
  const bpi_cut *u;
  int64_t row, rows, lane, lanes;
  int64_t next; /* lane where the next job begins; -1: there is none */
  int64_t step, steps;
  const T *r; /* rows of the inner block, and how far apart they lie */
  int64_t r_ld, copied_row, copied_rows;
  T *copied, *panels, *block, *kept; /* scratch */
  N(place) to;                       /* of the tiles, from this row on */
  int64_t top;
} N(job);

static const T *N(at)(const bpi_side *s, int64_t row, int64_t step)
{
  return (const T *)s->x + (s->flat ? row * s->ld + step : step * s->ld + row);
}

/* What is packed after the panel at `lane`: the next one of this inner block, or the first of the next block or of the next job. */
static bpi_ahead N(next_panel)(const N(job) * w, int64_t lane)
{
  const bpi_side *l = &w->u->l;
  const int64_t size = sizeof(T), k = w->g->k;
  int64_t step = w->step;
  lane += NR;
  if (lane >= w->lane + w->lanes) {
    step += w->u->steps;
    lane = step < k ? w->lane : w->next;
    step = step < k ? step : 0;
  }
  if (lane < 0)
    return (bpi_ahead){NULL, 0, 0, 0};
  const int64_t steps = k - step < w->u->steps ? k - step : w->u->steps,
                lanes = l->count - lane < NR ? l->count - lane : NR;
  return (bpi_ahead){(const char *)N(at)(l, lane, step), l->ld * size, l->flat ? lanes : steps,
                     (l->flat ? steps : lanes) * size};
}

/* Rows [row, row + rows) of a job times the panel at `lane` of l; packed: NULL where it is read as it lies. */
static void N(run_panel)(const N(job) * w, int64_t lane, int64_t row, int64_t rows, const T *packed)
{
  const bpi_cut *u = w->u;
  const bpi_gemm *g = w->g;
  const bool first = w->step == 0;
  bpi_strip s = {.rows = rows, .steps = w->steps, .ldc = w->to.ldc, .b = packed, .bs = NR};
  s.columns = u->l.count - lane < NR ? (int)(u->l.count - lane) : NR;
  s.c = w->to.c + (row - w->top) * w->to.ldc + (lane - w->lane);
  s.bias = first && !u->turned && g->bias ? (const T *)g->bias + lane : NULL;
  s.add = !first || (!u->turned && g->accumulate && g->c);
  if (!packed) {
    s.b = N(at)(&u->l, lane, w->step);
    s.bs = u->l.ld;
  }
  s.tiled = u->copy_r && !u->r.flat;
  s.ars = u->r.flat ? w->r_ld : 1;
  s.acs = u->r.flat ? 1 : w->r_ld;
  s.a = w->r + (row - w->row) * (s.tiled ? w->steps : s.ars);
  if (u->pack_l && !u->whole)
    s.ahead = N(next_panel)(w, lane);
  BPI_SYM(N(bpi_strip))(&s);
}

static const T *N(pack_panel)(const N(job) * w, int64_t lane, T *to)
{
  const bpi_side *l = &w->u->l;
  const int columns = l->count - lane < NR ? (int)(l->count - lane) : NR;
  (l->flat ? N(pack_turned) : N(pack_plain))(w->steps, columns, N(at)(l, lane, w->step), l->ld, to);
  return to;
}

/* One panel after the other, as they lie or packed; each stays near while all rows pass it. */
static void N(run_panels)(const N(job) * w)
{
  const bpi_cut *u = w->u;
  const int64_t end = w->lane + w->lanes;
  for (int64_t j = w->lane; j < end; j += NR)
    N(run_panel)(w, j, w->row, w->rows, !u->pack_l && end - j >= NR ? NULL : N(pack_panel)(w, j, w->panels));
}

/* What the tiles of a row block left in scratch is brought home, and handed over. */
static void N(finish)(const N(job) * w, int64_t row, int64_t rows)
{
  const bpi_gemm *g = w->g;
  const T *from = w->to.c + (row - w->top) * w->to.ldc;
  if (!w->u->turned) {
    N(hand_over)(g, w->to.c + (row - w->top) * w->to.ldc, w->to.ldc, row, rows, w->lane, w->lanes);
    return;
  }
  const N(place) home = N(place_of)(g, w->kept, w->lane, row, rows);
  const N(tile) t = {.c = home.c,
                     .ldc = home.ldc,
                     .bias = g->bias ? (const T *)g->bias + row : NULL,
                     .add = g->accumulate && g->c};
  N(turn_out)(rows, w->lanes, from, w->to.ldc, &t);
  N(hand_over)(g, home.c, home.ldc, w->lane, w->lanes, row, rows);
}

/* All panels are packed and stay near: unit by unit, each finished at once. */
static void N(run_whole)(N(job) * w)
{
  const bpi_cut *u = w->u;
  const int64_t end = w->row + w->rows;
  for (int64_t j = 0; j < w->lanes; j += NR)
    N(pack_panel)(w, w->lane + j, w->panels + j * w->steps);
  for (w->top = w->row; w->top < end; w->top += u->rows) {
    const int64_t rows = end - w->top < u->rows ? end - w->top : u->rows;
    w->to = N(place_of)(w->g, w->kept, w->top, w->lane, w->lanes);
    for (int64_t j = 0; j < w->lanes; j += NR)
      N(run_panel)(w, w->lane + j, w->top, rows, w->panels + j * w->steps);
    N(finish)(w, w->top, rows);
  }
}

/* Rows of r where they are, or a copy that lies better. One inner block's copy serves all groups. */
static void N(find_rows)(N(job) * w)
{
  const bpi_cut *u = w->u;
  const T *from = N(at)(&u->r, w->row, w->step);
  w->r = u->copy_r ? w->copied : from;
  w->r_ld = !u->copy_r ? u->r.ld : u->r.flat ? w->steps + u->pad : MR;
  if (!u->copy_r || (w->copied_row == w->row && w->copied_rows >= w->rows && u->steps >= w->g->k))
    return;
  if (u->r.flat)
    N(copy_rows)(w->rows, w->steps, from, u->r.ld, w->copied, w->r_ld);
  else
    N(copy_tiles)(w->rows, w->steps, from, u->r.ld, w->copied);
  w->copied_row = w->row;
  w->copied_rows = w->rows;
}

static void N(run_job)(N(job) * w)
{
  const bpi_cut *u = w->u;
  w->top = w->row;
  w->step = 0;
  if (u->whole) {
    w->steps = w->g->k;
    N(find_rows)(w);
    N(run_whole)(w);
    return;
  }
  if (u->turned)
    w->to = (N(place)){w->block, N(padded)(u)};
  else
    w->to = N(place_of)(w->g, w->kept, w->row, w->lane, w->lanes);
  do {
    w->steps = w->g->k - w->step < u->steps ? w->g->k - w->step : u->steps;
    N(find_rows)(w);
    N(run_panels)(w);
    w->step += u->steps;
  } while (w->step < w->g->k);
  for (int64_t row = w->row; row < w->row + w->rows; row += u->rows)
    N(finish)(w, row, w->row + w->rows - row < u->rows ? w->row + w->rows - row : u->rows);
}

/* Takes the units of the next job, and returns how many they are. */
static int64_t N(take_units)(N(job) * w, int64_t unit, int64_t end)
{
  const bpi_cut *u = w->u;
  const bpi_unit_spot at = bpi_cut_spot(u, unit);
  const int64_t count = at.left < end - unit ? at.left : end - unit;
  w->row = at.block * u->rows;
  w->rows = u->r.count - w->row < count * u->rows ? u->r.count - w->row : count * u->rows;
  w->lane = bpi_cut_lane(u, at.group);
  w->lanes = bpi_cut_lane(u, at.group + 1) - w->lane;
  w->next = unit + count < end ? bpi_cut_lane(u, bpi_cut_spot(u, unit + count).group) : -1;
  return count;
}

static BPI_SHARED void N(run_large)(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)
{
  const bpi_cut u = bpi_cut_of(g, &tiles, sizeof(T));
  if (u.way != BPI_WAY_PANELS) {
    for (; begin < end; begin++)
      (u.way == BPI_WAY_DOTS ? N(run_dot_unit) : N(run_row_unit))(g, &u, begin, scratch);
    return;
  }
  int64_t rows, panels, block;
  N(rooms)(&u, &rows, &panels, &block);
  N(job) w = {.g = g, .u = &u, .copied = scratch, .copied_row = -1};
  w.panels = w.copied + rows;
  w.block = w.panels + panels;
  w.kept = w.block + block;
  while (begin < end) {
    begin += N(take_units)(&w, begin, end);
    N(run_job)(&w);
  }
}

void BPI_SYM(N(bpi_gemm))(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch)
{
  if (begin >= end)
    return;
  if (bpi_gemm_small(g))
    N(run_small)(g, scratch);
  else
    N(run_large)(g, begin, end, scratch);
}

bpi_loop BPI_SYM(N(bpi_gemm_loop))(const bpi_gemm *g, bpi_small *s)
{
  return bpi_gemm_small(g) ? N(small_loop)(g, g->ldc, s) : NULL;
}

#undef N
#undef V
#undef U
#undef VN
#undef NR
#undef MR
#undef TURN
#undef LANE

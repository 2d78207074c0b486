/* Convolution for element type T with suffix S; included by conv.c once for each. */
#define N(name) BPI_PASTE(name, S)
#define V       N(bpi_v)
#define U       N(bpi_u)
#define VN      ((int)(BPI_WIDE / sizeof(T)))
#define NR      (2 * VN)
#define MR      CONV_MR

/* ---- the tile ---- */

/* What the tiles of one panel of columns have in common. */
typedef struct N(panel) {
  int64_t steps;
  const int64_t *off; /* of each step, in every row */
  const T *b;         /* a vector or two for each step, */
  int64_t bs;         /* so far apart */
  int columns;
  bool add; /* to what is in c */
} N(panel);

/* Ends a row that ends inside a vector. */
static __attribute__((noinline)) void N(conv_put_some)(const N(panel) * t, const T *sums, T *c)
{
  for (int j = 0; j < t->columns; j++)
    c[j] = t->add ? c[j] + sums[j] : sums[j];
}

BPI_INLINE void N(conv_put)(bool add, T *c, V v)
{
  if (add)
    v += *(const U *)c;
  *(U *)c = v;
}

/* mr rows times two vectors of columns, or one. */
BPI_INLINE void N(conv_tile)(const int mr, const bool whole, const N(panel) * t, const T *const *a,
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
  const bool full = t->columns == (whole ? NR : VN);
#pragma GCC unroll 16
  for (int i = 0; i < mr; i++) {
    if (full) {
      N(conv_put)(t->add, c[i], low[i]);
      if (whole)
        N(conv_put)(t->add, c[i] + VN, high[i]);
      continue;
    }
    T sums[NR];
    *(U *)sums = low[i];
    *(U *)(sums + VN) = high[i];
    N(conv_put_some)(t, sums, c[i]);
  }
}

typedef void (*N(conv_tile_fn))(const N(panel) * t, const T *const *a, T *const *c);
#define TILE(name, mr, whole)                                                    \
  static void N(conv_##name)(const N(panel) * t, const T *const *a, T *const *c) \
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

/* All rows of a panel: points [first, first + count) of the grid, read from a and written to c. Rows that a tile has too many read the first again
 * and write nowhere. */
static void N(conv_rows)(const N(panel) * t, const grid *g, int64_t first, int64_t count, const T *a, T *c)
{
  static const N(conv_tile_fn) tiles[2][3] = {{N(conv_half_one), N(conv_half_few), N(conv_half_all)},
                                              {N(conv_one), N(conv_few), N(conv_all)}};
  const N(conv_tile_fn) *by_rows = tiles[t->columns > VN];
  const T *from[MR];
  T *to[MR], nowhere[NR] = {0};
  point p = count > 0 ? grid_point(g, first) : (point){.from = 0};
  for (int64_t left = count; left > 0; left -= MR) {
    const int mr = left < MR ? (int)left : MR;
    for (int i = 0; i < mr; i++, grid_next(g, &p)) {
      from[i] = a + p.from;
      to[i] = c + p.to;
    }
    for (int i = mr; i < MR; i++) {
      from[i] = from[0];
      to[i] = nowhere;
    }
    by_rows[mr == 1 ? 0 : mr <= FEW ? 1 : 2](t, from, to);
  }
}

/* ---- what the three have in common ---- */

typedef struct N(shape) {
  const bpi_conv *c;
  strips strips;
  int64_t channels, filters;      /* of one group */
  int64_t taps, inner;            /* elements of a window, without and with its channels */
  int64_t columns, width, panels; /* columns of one group, and of a panel; panels of a group */
  int64_t blocks;                 /* of rows, of weights */
} N(shape);

static N(shape) N(conv_shape)(const bpi_conv *c)
{
  const bpi_window *w = &c->w;
  const int64_t groups = c->groups ? c->groups : 1;
  const bool image = c->kind == BPI_CONV_IMAGE;
  N(shape) s = {.c = c, .channels = c->channels / groups, .filters = c->filters / groups, .width = NR};
  s.strips = strips_of(w->batch, image ? w->size[0] : w->places[0], image ? w->size[1] : w->places[1]);
  s.taps = w->window[0] * w->window[1];
  s.inner = s.taps * s.channels;
  s.columns = image ? s.channels : s.filters;
  s.blocks = ceil_div(s.inner, BLOCK);
  if (c->kind == BPI_CONV_WEIGHTS && groups * s.blocks * ceil_div(s.columns, NR) < 4)
    s.width = VN;
  s.panels = ceil_div(s.columns, s.width);
  return s;
}

static int N(conv_columns)(const N(shape) * s, int64_t panel)
{
  const int64_t left = s->columns - panel * s->width;
  return (int)(left < s->width ? left : s->width);
}

int64_t BPI_SYM(N(bpi_conv_units))(const bpi_conv *c)
{
  const N(shape) s = N(conv_shape)(c);
  return c->kind == BPI_CONV_WEIGHTS ? c->groups * s.panels * s.blocks : s.strips.count;
}

/* Bytes of a strip of the image with its border. */
static size_t N(conv_border)(const N(shape) * s)
{
  const bpi_window *w = &s->c->w;
  if (s->c->kind == BPI_CONV_IMAGE || inside(w) || s->strips.count == 0)
    return 0;
  return (size_t)(s->strips.images * seen(w, 0, s->strips.rows) * seen(w, 1, w->places[1]) * s->c->channels) *
         sizeof(T);
}

/* Elements of the packed weights, or of the sums that become weights. */
static size_t N(conv_packed)(const N(shape) * s)
{
  const int64_t each = s->c->kind == BPI_CONV_WEIGHTS ? s->blocks * BLOCK * NR
                       : s->c->kind == BPI_CONV_OUT   ? s->inner * NR
                                                      : s->taps * s->filters * NR;
  return (size_t)(s->c->groups * s->panels * each);
}

/* Bytes of a strip that is made, where it may not be stored elsewhere. */
static size_t N(conv_region)(const N(shape) * s)
{
  const bpi_conv *c = s->c;
  const bool image = c->kind == BPI_CONV_IMAGE;
  const int64_t width = image ? c->w.size[1] * c->channels : c->w.places[1] * c->filters;
  return c->end ? (size_t)(s->strips.images * s->strips.rows * width) * sizeof(T) : 0;
}

/* How many steps a tile has at most. */
static size_t N(conv_steps)(const N(shape) * s)
{
  const int64_t places = s->strips.images * s->strips.rows * s->c->w.places[1];
  return (size_t)(s->c->kind == BPI_CONV_WEIGHTS ? places
                  : s->c->kind == BPI_CONV_OUT   ? s->inner
                                                 : s->filters);
}

size_t BPI_SYM(N(bpi_conv_scratch))(const bpi_conv *c)
{
  const N(shape) s = N(conv_shape)(c);
  const size_t steps = N(conv_steps)(&s);
  return padded(N(conv_packed)(&s) * sizeof(T)) + padded(steps * sizeof(int64_t)) +
         padded(N(conv_border)(&s)) +
         (c->kind == BPI_CONV_WEIGHTS ? padded(steps * NR * sizeof(T)) : padded(N(conv_region)(&s)));
}

/* A row of the image with its border: what lies outside is 0. */
static void N(copy_row)(const bpi_conv *c, const T *row, int64_t width, T *to)
{
  const bpi_window *w = &c->w;
  const int64_t left = w->before[1], most = width - left, mid = most < w->size[1] ? most : w->size[1];
  const size_t each = (size_t)c->channels * sizeof(T);
  if (!row) {
    memset(to, 0, (size_t)width * each);
    return;
  }
  memset(to, 0, (size_t)left * each);
  memcpy(to + left * c->channels, row, (size_t)mid * each);
  memset(to + (left + mid) * c->channels, 0, (size_t)(most - mid) * each);
}

/* What a strip's places see. step: of images, rows and columns there. */
static const T *N(strip_seen)(const N(shape) * s, const strip *t, T *room, int64_t *step)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  const int64_t line = w->size[1] * c->channels, top = t->row * w->stride[0] - w->before[0];
  const T *image = (const T *)c->image + t->image * w->size[0] * line;
  if (inside(w)) {
    step[0] = w->size[0] * line;
    step[1] = line;
    step[2] = c->channels;
    return image + top * line;
  }
  const int64_t rows = seen(w, 0, t->rows), width = seen(w, 1, w->places[1]);
  T *to = room;
  for (int64_t n = 0; n < t->images; n++, image += w->size[0] * line)
    for (int64_t r = top; r < top + rows; r++, to += width * c->channels)
      N(copy_row)(c, r >= 0 && r < w->size[0] ? image + r * line : NULL, width, to);
  step[0] = rows * width * c->channels;
  step[1] = width * c->channels;
  step[2] = c->channels;
  return room;
}

/* The places of a strip, as they lie in what they see and in `out`. */
static grid N(places_of)(const N(shape) * s, const strip *t, const int64_t *step)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  return (grid){.dims = {t->images, t->rows, w->places[1]},
                .from = {step[0], step[1] * w->stride[0], step[2] * w->stride[1]},
                .to = {w->places[0] * w->places[1] * c->filters, w->places[1] * c->filters, c->filters}};
}

/* The elements of a window, as they lie in what a strip sees and in rows `ld` apart. */
static grid N(window_of)(const N(shape) * s, const int64_t *step, int64_t ld)
{
  const bpi_window *w = &s->c->w;
  return (grid){.dims = {w->window[0], w->window[1], s->channels},
                .from = {step[1] * w->dilation[0], step[2] * w->dilation[1], 1},
                .to = {w->window[1] * s->channels * ld, s->channels * ld, ld}};
}

/* ---- out ---- */

/* Filters [first, first + columns) side by side, an element of the window after another. */
static void N(pack_filters)(int64_t inner, int columns, const T *w, T *to)
{
  for (int64_t k = 0; k < inner; k++, to += NR)
    for (int j = 0; j < NR; j++)
      to[j] = j < columns ? w[j * inner + k] : 0;
}

/* Hands a strip over that is made: pixels of so many channels, from pixel `row` on. */
static void N(end_strip)(const bpi_conv *c, T *made, int64_t row, int64_t rows, int64_t channels)
{
  const bpi_rect r = {.c = made, .ldc = channels, .rows = rows, .cols = channels};
  if (!c->end)
    return;
  bpi_rect at = r;
  at.row = c->end->row + row;
  c->end->fn(c->end->arg, &at);
}

static void N(conv_out)(const N(shape) * s, int64_t begin, int64_t end, char *scratch)
{
  const bpi_conv *c = s->c;
  T *packed = take(&scratch, N(conv_packed)(s) * sizeof(T));
  int64_t *off = take(&scratch, N(conv_steps)(s) * sizeof *off), step[3];
  T *border = take(&scratch, N(conv_border)(s)), *region = (T *)(void *)scratch;
  for (int64_t p = 0; p < c->groups * s->panels; p++)
    N(pack_filters)
  (s->inner, N(conv_columns)(s, p % s->panels),
   (const T *)c->weights + (p / s->panels * s->filters + p % s->panels * NR) * s->inner,
   packed + p * s->inner * NR);
  for (int64_t u = begin; u < end; u++) {
    const strip t = strip_at(&s->strips, u);
    const T *seen_by = N(strip_seen)(s, &t, border, step);
    const grid rows = N(places_of)(s, &t, step), window = N(window_of)(s, step, 0);
    const int64_t place = (t.image * c->w.places[0] + t.row) * c->w.places[1];
    T *out = c->out ? (T *)c->out + place * c->filters : region;
    if (u == begin)
      grid_offsets(&window, off);
    for (int64_t p = 0; p < c->groups * s->panels; p++) {
      const int64_t group = p / s->panels, panel = p % s->panels;
      const N(panel) t_ = {s->inner, off, packed + p * s->inner * NR, NR, N(conv_columns)(s, panel), false};
      N(conv_rows)
      (&t_, &rows, 0, grid_size(&rows), seen_by + group * s->channels, out + group * s->filters + panel * NR);
    }
    N(end_strip)(c, out, place, grid_size(&rows), c->filters);
  }
}

/* ---- image ---- */

/* For one element of the window: channels [first, first + columns) side by side, a filter after another. */
static void N(pack_channels)(const N(shape) * s, int columns, const T *w, T *to)
{
  for (int64_t f = 0; f < s->filters; f++, w += s->inner, to += NR)
    for (int j = 0; j < NR; j++)
      to[j] = j < columns ? w[j] : 0;
}

/* Adds what element (k, l) of the window carries back to a strip of the image. */
static void N(carry_back)(const N(shape) * s, const strip *t, const int64_t *tap, const T *packed,
                          const int64_t *off, T *made)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  const int64_t begin[2] = {t->row, 0}, end[2] = {t->row + t->rows, w->size[1]};
  int64_t ahead[2], from[2], count[2];
  for (int i = 0; i < 2; i++) {
    ahead[i] = tap[i] * w->dilation[i] - w->before[i];
    from[i] = first_place(begin[i], ahead[i], w->stride[i], w->places[i]);
    count[i] = first_place(end[i], ahead[i], w->stride[i], w->places[i]) - from[i];
  }
  if (count[0] <= 0 || count[1] <= 0)
    return;
  const int64_t line = w->size[1] * c->channels, out_line = w->places[1] * c->filters;
  const grid rows = {.dims = {t->images, count[0], count[1]},
                     .from = {w->places[0] * out_line, out_line, c->filters},
                     .to = {w->size[0] * line, w->stride[0] * line, w->stride[1] * c->channels}};
  const T *u =
      (const T *)c->out + t->image * w->places[0] * out_line + from[0] * out_line + from[1] * c->filters;
  T *x = made + (from[0] * w->stride[0] + ahead[0] - t->row) * line +
         (from[1] * w->stride[1] + ahead[1]) * c->channels;
  for (int64_t p = 0; p < c->groups * s->panels; p++) {
    const int64_t group = p / s->panels, panel = p % s->panels;
    const T *b = packed + (p * s->taps + tap[0] * w->window[1] + tap[1]) * s->filters * NR;
    const N(panel) t_ = {s->filters, off, b, NR, N(conv_columns)(s, panel), true};
    N(conv_rows)
    (&t_, &rows, 0, grid_size(&rows), u + group * s->filters, x + group * s->channels + panel * NR);
  }
}

static void N(conv_image)(const N(shape) * s, int64_t begin, int64_t end, char *scratch)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  T *packed = take(&scratch, N(conv_packed)(s) * sizeof(T));
  int64_t *off = take(&scratch, N(conv_steps)(s) * sizeof *off);
  T *region = (T *)(void *)scratch;
  for (int64_t f = 0; f < s->filters; f++)
    off[f] = f;
  for (int64_t p = 0; p < c->groups * s->panels; p++)
    for (int64_t tap = 0; tap < s->taps; tap++)
      N(pack_channels)
  (s, N(conv_columns)(s, p % s->panels),
   (const T *)c->weights + p / s->panels * s->filters * s->inner + tap * s->channels + p % s->panels * NR,
   packed + (p * s->taps + tap) * s->filters * NR);
  for (int64_t u = begin; u < end; u++) {
    const strip t = strip_at(&s->strips, u);
    const int64_t line = w->size[1] * c->channels;
    const int64_t row = t.image * w->size[0] + t.row, rows = t.images * t.rows;
    T *made = c->image ? (T *)c->image + row * line : region;
    memset(made, 0, (size_t)(rows * line) * sizeof(T));
    for (int64_t tap[2] = {0}; tap[0] < w->window[0]; tap[0]++)
      for (tap[1] = 0; tap[1] < w->window[1]; tap[1]++)
        N(carry_back)(s, &t, tap, packed, off, made);
    N(end_strip)(c, made, row * w->size[1], rows * w->size[1], c->channels);
  }
}

/* ---- weights ---- */

/* A panel of `out` that ends inside a vector, padded. */
static void N(pack_places)(const N(shape) * s, int64_t places, int columns, const T *u, T *to)
{
  for (int64_t i = 0; i < places; i++, u += s->c->filters, to += NR)
    for (int j = 0; j < NR; j++)
      to[j] = j < columns ? u[j] : 0;
}

/* Adds one strip to the sums of units [begin, end). */
static void N(add_strip)(const N(shape) * s, const strip *t, const T *seen_by, const int64_t *step,
                         const int64_t *range, N(panel) * panel, T *sums, T *room)
{
  const bpi_conv *c = s->c;
  const grid window = N(window_of)(s, step, NR);
  const T *u = (const T *)c->out + (t->image * c->w.places[0] + t->row) * c->w.places[1] * c->filters;
  for (int64_t at = range[0]; at < range[1]; at++, sums += BLOCK * NR) {
    const int64_t block = at % s->blocks, p = at / s->blocks, group = p / s->panels;
    const int64_t first = block * BLOCK, left = s->inner - first;
    if (block == 0 || at == range[0]) {
      panel->columns = N(conv_columns)(s, p % s->panels);
      panel->b = u + group * s->filters + p % s->panels * s->width;
      panel->bs = c->filters;
      if (panel->columns < s->width) {
        N(pack_places)(s, panel->steps, panel->columns, panel->b, room);
        panel->b = room;
        panel->bs = NR;
      }
    }
    N(conv_rows)
    (panel, &window, first, left < BLOCK ? left : BLOCK, seen_by + group * s->channels, sums - first * NR);
  }
}

/* Sums have the filters side by side; weights have them one after another. */
static void N(turn_sums)(const N(shape) * s, int64_t unit, const T *sums)
{
  const int64_t block = unit % s->blocks, p = unit / s->blocks, first = block * BLOCK;
  const int64_t rows = s->inner - first < BLOCK ? s->inner - first : BLOCK;
  const int columns = N(conv_columns)(s, p % s->panels);
  T *w = (T *)s->c->weights + (p / s->panels * s->filters + p % s->panels * s->width) * s->inner + first;
  for (int j = 0; j < columns; j++)
    for (int64_t r = 0; r < rows; r++)
      w[j * s->inner + r] = sums[r * NR + j];
}

static void N(conv_weights)(const N(shape) * s, int64_t begin, int64_t end, char *scratch)
{
  T *sums = take(&scratch, N(conv_packed)(s) * sizeof(T));
  const size_t most = N(conv_steps)(s);
  int64_t *off = take(&scratch, most * sizeof *off), step[3];
  T *room = take(&scratch, most * NR * sizeof(T)), *border = (T *)(void *)scratch;
  const int64_t range[2] = {begin, end};
  if (s->strips.count == 0)
    memset(sums, 0, (size_t)((end - begin) * BLOCK * NR) * sizeof(T));
  for (int64_t n = 0; n < s->strips.count; n++) {
    const strip t = strip_at(&s->strips, n);
    const T *seen_by = N(strip_seen)(s, &t, border, step);
    const grid places = N(places_of)(s, &t, step);
    grid_offsets(&places, off);
    N(panel) panel = {.steps = grid_size(&places), .off = off, .add = n > 0};
    N(add_strip)(s, &t, seen_by, step, range, &panel, sums, room);
  }
  for (int64_t u = begin; u < end; u++)
    N(turn_sums)(s, u, sums + (u - begin) * BLOCK * NR);
}

void BPI_SYM(N(bpi_conv))(const bpi_conv *c, int64_t begin, int64_t end, void *scratch)
{
  static void (*const by_kind[])(const N(shape) *, int64_t, int64_t, char *) = {
      [BPI_CONV_OUT] = N(conv_out), [BPI_CONV_IMAGE] = N(conv_image), [BPI_CONV_WEIGHTS] = N(conv_weights)};
  const N(shape) s = N(conv_shape)(c);
  by_kind[c->kind](&s, begin, end, scratch);
}

#undef N
#undef V
#undef U
#undef VN
#undef NR
#undef MR

/* Pooling for element type T with suffix S, counted by integers I of its size; included by pooled.c once for each. */
#define N(name) BPI_PASTE(name, S)
#define V       N(bpi_v)
#define U       N(bpi_u)
#define L       N(lanes)
#define VN      ((int)(BPI_WIDE / sizeof(T)))

/* A window inside the image, over n channels: where its first element lies, in all arrays that are shaped like the image. */
typedef struct N(view) {
  int64_t rows, columns, at, line, pixel; /* elements from row to row, and from pixel to pixel */
  int n;
} N(view);

/* The last channels, fewer than a vector: seldom, so apart and small. */
static __attribute__((noinline)) V N(load_some)(const T *x, int n)
{
  V v = {0};
  memcpy(&v, x, (size_t)n * sizeof(T));
  return v;
}

static __attribute__((noinline)) void N(store_some)(T *y, int n, V v)
{
  memcpy(y, &v, (size_t)n * sizeof(T));
}

BPI_INLINE V N(load)(const T *x, int n)
{
  return n == VN ? (V)(*(const U *)x) : N(load_some)(x, n);
}

BPI_INLINE void N(store)(T *y, int n, V v)
{
  if (n == VN)
    *(U *)y = v;
  else
    N(store_some)(y, n, v);
}

BPI_INLINE L N(select)(L mask, L a, L b)
{
  return (mask & a) | (~mask & b);
}

/* The largest elements, and which of the window they are, counted row by row. 0 where the image has none: its borders alone are seen. */
BPI_INLINE V N(winner)(const N(view) * v, const T *x, L *place)
{
  V best = {0};
  L won = {0}, tap = {0};
  if (v->rows > 0 && v->columns > 0)
    best = N(load)(x + v->at, v->n);
  for (int64_t r = 0; r < v->rows; r++) {
    const T *e = x + v->at + r * v->line;
    for (int64_t k = 0; k < v->columns; k++, e += v->pixel, tap += 1) {
      const V c = N(load)(e, v->n);
      const L stays = (c <= best) | (best != best);
      best = (V)N(select)(stays, (L)best, (L)c);
      won = N(select)(stays, won, tap);
    }
  }
  *place = won;
  return best;
}

/* The elements of x at the winners. */
BPI_INLINE V N(picked)(const N(view) * v, const T *x, L place)
{
  L got = {0}, tap = {0};
  for (int64_t r = 0; r < v->rows; r++) {
    const T *e = x + v->at + r * v->line;
    for (int64_t k = 0; k < v->columns; k++, e += v->pixel, tap += 1)
      got = N(select)(place == tap, (L)N(load)(e, v->n), got);
  }
  return (V)got;
}

BPI_INLINE V N(mean)(const N(view) * v, const T *x)
{
  V sum = {0};
  for (int64_t r = 0; r < v->rows; r++) {
    const T *e = x + v->at + r * v->line;
    for (int64_t k = 0; k < v->columns; k++, e += v->pixel)
      sum += N(load)(e, v->n);
  }
  return sum / (T)(v->rows * v->columns);
}

/* Adds u to the winners, or to all (`every`), in rows [top, end) of the window; `fresh`: nothing was added before. */
BPI_INLINE void N(scatter)(const N(view) * v, int64_t origin, T *y, V u, L place, bool every, bool fresh,
                           int64_t top, int64_t end)
{
  L tap = {0};
  tap += (I)(top * v->columns);
  for (int64_t r = top; r < end; r++) {
    T *e = y + (v->at - origin) + r * v->line;
    for (int64_t k = 0; k < v->columns; k++, e += v->pixel, tap += 1) {
      V add = every ? u : (V)((place == tap) & (L)u);
      if (!fresh)
        add += N(load)(e, v->n);
      N(store)(e, v->n, add);
    }
  }
}

static N(view) N(view_at)(const bpi_pool2d *p, int64_t image, int64_t row, int64_t column)
{
  const bpi_window *w = &p->w;
  int64_t r[2], k[2];
  clip(w, 0, row, &r[0], &r[1]);
  clip(w, 1, column, &k[0], &k[1]);
  return (N(view)){.rows = r[1] - r[0],
                   .columns = k[1] - k[0],
                   .line = w->size[1] * p->channels,
                   .pixel = p->channels,
                   .at = ((image * w->size[0] + r[0]) * w->size[1] + k[0]) * p->channels};
}

BPI_INLINE int N(next_channels)(int64_t left)
{
  return left < VN ? (int)left : VN;
}

/* One row of places. y: its first. */
static void N(gather_row)(const bpi_pool2d *p, int64_t image, int64_t row, T *y)
{
  for (int64_t k = 0; k < p->w.places[1]; k++) {
    N(view) v = N(view_at)(p, image, row, k);
    for (int64_t left = p->channels; left > 0; left -= v.n, v.at += v.n, y += v.n) {
      L place = {0};
      v.n = N(next_channels)(left);
      V result = p->kind == BPI_POOL_MEAN ? N(mean)(&v, p->x) : N(winner)(&v, p->x, &place);
      if (p->kind == BPI_POOL_PICK)
        result = N(picked)(&v, p->v, place);
      N(store)(y, v.n, result);
    }
  }
}

/* What row `row` of places adds to rows [top, end) of the image, which begin at y. */
static void N(scatter_from)(const bpi_pool2d *p, int64_t image, int64_t row, int64_t top, int64_t end, T *y)
{
  const bpi_window *w = &p->w;
  const T *u = (const T *)p->v + (image * w->places[0] + row) * w->places[1] * p->channels;
  const bool every = p->kind == BPI_POOL_SPREAD, fresh = apart(w);
  const int64_t origin = (image * w->size[0] + top) * w->size[1] * p->channels;
  int64_t first, last;
  clip(w, 0, row, &first, &last);
  const int64_t from = first < top ? top - first : 0, to = (last < end ? last : end) - first;
  for (int64_t k = 0; k < w->places[1]; k++) {
    N(view) v = N(view_at)(p, image, row, k);
    for (int64_t left = p->channels; left > 0; left -= v.n, v.at += v.n, u += v.n) {
      L place = {0};
      v.n = N(next_channels)(left);
      V add = N(load)(u, v.n);
      if (every)
        add /= (T)(v.rows * v.columns);
      else
        N(winner)(&v, p->x, &place);
      N(scatter)(&v, origin, y, add, place, every, fresh, from, to);
    }
  }
}

/* The rows of the image that belong to one row of places, from all windows that reach into them. y: where they begin. */
static int64_t N(scatter_row)(const bpi_pool2d *p, int64_t image, int64_t row, T *y)
{
  const bpi_window *w = &p->w;
  const int64_t top = own_row(w, row), end = own_row(w, row + 1), line = w->size[1] * p->channels;
  const int64_t back = (w->window[0] - 1) / w->stride[0];
  if (!tiled(w))
    memset(y, 0, (size_t)((end - top) * line) * sizeof(T));
  for (int64_t r = row > back ? row - back : 0; r <= row; r++)
    N(scatter_from)(p, image, r, top, end, y);
  return (end - top) * w->size[1];
}

size_t BPI_SYM(N(bpi_pool_scratch))(const bpi_pool2d *p)
{
  const bpi_window *w = &p->w;
  const int64_t reach = w->places[0] > 1 ? w->stride[0] + w->before[0] : w->size[0];
  const int64_t last = w->size[0] - own_row(w, w->places[0] - 1), rows = reach > last ? reach : last;
  const int64_t pixels = to_image(p) ? rows * w->size[1] : w->places[1];
  return p->end ? (size_t)(pixels * p->channels) * sizeof(T) : 0;
}

void BPI_SYM(N(bpi_pool))(const bpi_pool2d *p, int64_t begin, int64_t end, void *scratch)
{
  const bpi_window *w = &p->w;
  for (int64_t u = begin; u < end; u++) {
    const int64_t image = u / w->places[0], row = u % w->places[0];
    bpi_rect r = {.ldc = p->channels, .cols = p->channels, .row = u * w->places[1], .rows = w->places[1]};
    if (to_image(p))
      r.row = (image * w->size[0] + own_row(w, row)) * w->size[1];
    r.c = p->y ? (T *)p->y + r.row * p->channels : scratch;
    if (to_image(p))
      r.rows = N(scatter_row)(p, image, row, r.c);
    else
      N(gather_row)(p, image, row, r.c);
    if (!p->end)
      continue;
    r.row += p->end->row;
    p->end->fn(p->end->arg, &r);
  }
}

#undef N
#undef V
#undef U
#undef L
#undef VN

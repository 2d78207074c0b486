/* Pooling for element type T with suffix S, counted by integers I of its size; included by pooled.c once for each. */
#define N(name) BPI_PASTE(name, S)

/* A window inside the image: rows and columns [from, to). */
typedef struct N(view) {
  const bpi_pool2d *p;
  int64_t image, row[2], column[2];
} N(view);

static N(view) N(view_at)(const bpi_pool2d *p, int64_t image, int64_t row, int64_t column)
{
  N(view) v = {.p = p, .image = image};
  clip(&p->w, 0, row, &v.row[0], &v.row[1]);
  clip(&p->w, 1, column, &v.column[0], &v.column[1]);
  return v;
}

/* Where pixel (r, k) of the view's image lies. */
static int64_t N(pixel)(const N(view) * v, int64_t r, int64_t k)
{
  const bpi_pool2d *p = v->p;
  return ((v->image * p->w.size[0] + r) * p->w.size[1] + k) * p->channels;
}

static int64_t N(place)(const N(view) * v, int64_t r, int64_t k)
{
  const bpi_pool2d *p = v->p;
  return ((v->image * p->w.places[0] + r) * p->w.places[1] + k) * p->channels;
}

/* The largest of n channels from `first` on, and which element of the view it is, counted row by row. */
static void N(winners)(const N(view) * v, int64_t first, int n, T *best, I *at)
{
  const T *x = (const T *)v->p->x + first;
  I tap = 0;
  memcpy(best, x + N(pixel)(v, v->row[0], v->column[0]), (size_t)n * sizeof(T));
  memset(at, 0, (size_t)n * sizeof(I));
  for (int64_t r = v->row[0]; r < v->row[1]; r++)
    for (int64_t k = v->column[0]; k < v->column[1]; k++, tap++) {
      const T *e = x + N(pixel)(v, r, k);
      BPI_APART
      for (int j = 0; j < n; j++) {
        const bool wins = !(e[j] <= best[j]) & (best[j] == best[j]);
        best[j] = wins ? e[j] : best[j];
        at[j] = wins ? tap : at[j];
      }
    }
}

/* y = the elements of what is pooled at the winners. */
static void N(pick)(const N(view) * v, int64_t first, int n, const I *at, T *y)
{
  I tap = 0;
  for (int64_t r = v->row[0]; r < v->row[1]; r++)
    for (int64_t k = v->column[0]; k < v->column[1]; k++, tap++) {
      const T *e = (const T *)v->p->v + N(pixel)(v, r, k) + first;
      BPI_APART
      for (int j = 0; j < n; j++)
        y[j] = at[j] == tap ? e[j] : y[j];
    }
}

/* The opposite: adds u to the winners, in rows [top, end) of the image. */
static void N(put)(const N(view) * v, int64_t first, int n, const I *at, const T *u, int64_t top, int64_t end)
{
  I tap = 0;
  for (int64_t r = v->row[0]; r < v->row[1]; r++)
    for (int64_t k = v->column[0]; k < v->column[1]; k++, tap++) {
      if (r < top || r >= end)
        continue;
      T *y = (T *)v->p->y + N(pixel)(v, r, k) + first;
      BPI_APART
      for (int j = 0; j < n; j++)
        y[j] = at[j] == tap ? y[j] + u[j] : y[j];
    }
}

static void N(max_at)(const N(view) * v, int64_t first, int n, int64_t place)
{
  T best[CHUNK];
  I at[CHUNK];
  T *y = (T *)v->p->y + place + first;
  N(winners)(v, first, n, best, at);
  if (v->p->kind == BPI_POOL_PICK)
    N(pick)(v, first, n, at, y);
  else
    memcpy(y, best, (size_t)n * sizeof(T));
}

static T N(share)(const N(view) * v)
{
  return (T)((v->row[1] - v->row[0]) * (v->column[1] - v->column[0]));
}

static void N(mean_at)(const N(view) * v, int64_t first, int n, int64_t place)
{
  T sum[CHUNK] = {0};
  T *y = (T *)v->p->y + place + first;
  for (int64_t r = v->row[0]; r < v->row[1]; r++)
    for (int64_t k = v->column[0]; k < v->column[1]; k++) {
      const T *e = (const T *)v->p->x + N(pixel)(v, r, k) + first;
      BPI_APART
      for (int j = 0; j < n; j++)
        sum[j] += e[j];
    }
  const T count = N(share)(v);
  for (int j = 0; j < n; j++)
    y[j] = sum[j] / count;
}

/* One row of places. */
static void N(gather_row)(const bpi_pool2d *p, int64_t image, int64_t row)
{
  for (int64_t k = 0; k < p->w.places[1]; k++) {
    const N(view) v = N(view_at)(p, image, row, k);
    for (int64_t first = 0; first < p->channels; first += CHUNK) {
      const int n = (int)(p->channels - first < CHUNK ? p->channels - first : CHUNK);
      (p->kind == BPI_POOL_MEAN ? N(mean_at) : N(max_at))(&v, first, n, N(place)(&v, row, k));
    }
  }
}

static void N(spread)(const N(view) * v, int64_t first, int n, const T *u, int64_t top, int64_t end)
{
  const T count = N(share)(v);
  for (int64_t r = v->row[0] < top ? top : v->row[0]; r < v->row[1] && r < end; r++)
    for (int64_t k = v->column[0]; k < v->column[1]; k++) {
      T *y = (T *)v->p->y + N(pixel)(v, r, k) + first;
      BPI_APART
      for (int j = 0; j < n; j++)
        y[j] += u[j] / count;
    }
}

/* What row `row` of places adds to rows [top, end) of the image. */
static void N(scatter_from)(const bpi_pool2d *p, int64_t image, int64_t row, int64_t top, int64_t end)
{
  T best[CHUNK];
  I at[CHUNK];
  for (int64_t k = 0; k < p->w.places[1]; k++) {
    const N(view) v = N(view_at)(p, image, row, k);
    for (int64_t first = 0; first < p->channels; first += CHUNK) {
      const int n = (int)(p->channels - first < CHUNK ? p->channels - first : CHUNK);
      const T *u = (const T *)p->v + N(place)(&v, row, k) + first;
      if (p->kind == BPI_POOL_SPREAD) {
        N(spread)(&v, first, n, u, top, end);
        continue;
      }
      N(winners)(&v, first, n, best, at);
      N(put)(&v, first, n, at, u, top, end);
    }
  }
}

/* The rows of the image that belong to one row of places, from all windows that reach into them. */
static void N(scatter_row)(const bpi_pool2d *p, int64_t image, int64_t row)
{
  const bpi_window *w = &p->w;
  const int64_t top = own_row(w, row), end = own_row(w, row + 1);
  const int64_t back = (w->window[0] - 1) / w->stride[0];
  const N(view) v = {.p = p, .image = image};
  memset((T *)p->y + N(pixel)(&v, top, 0), 0, (size_t)((end - top) * w->size[1] * p->channels) * sizeof(T));
  for (int64_t r = row > back ? row - back : 0; r <= row; r++)
    N(scatter_from)(p, image, r, top, end);
}

void BPI_SYM(N(bpi_pool))(const bpi_pool2d *p, int64_t begin, int64_t end)
{
  const bool scatters = p->kind == BPI_POOL_PUT || p->kind == BPI_POOL_SPREAD;
  for (int64_t u = begin; u < end; u++)
    (scatters ? N(scatter_row) : N(gather_row))(p, u / p->w.places[0], u % p->w.places[0]);
}

#undef N

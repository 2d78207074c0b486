/* Filling polygons: a row of pixels is cut into slabs, at most an eighth high and at every corner, so that edges only pass through. In
 * a slab the edges are sorted, and where their directions do not cancel it counts as covered, to the exact place across at its middle.
 * So a line made of overlapping pieces covers no pixel twice.                                                                     */
#include "draw/polygon.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

#define SLAB  (1.0 / 8)
#define CLOSE (1.0 / 256) /* corners as near as this are one cut */

typedef struct edge {
  double top, bottom;
  double x, slope; /* at the top, and for each pixel down */
  double now;      /* in the slab in hand */
  int direction;
} edge;

typedef struct filler {
  edge *edges;
  size_t n;
  double *cuts; /* heights of all corners, sorted */
  size_t n_cuts, cut;
  size_t *active; /* edges that pass through the slab in hand, from left to right */
  size_t n_active, next;
  float *cover; /* of each pixel of the row in hand, and */
  float *whole; /* changes, from pixel to pixel, of what is covered on the whole */
  bpi_pixels *to;
  int lo, hi; /* columns that may be covered: lo to hi - 1 */
  uint32_t colour;
} filler;

static int by_top(const void *a, const void *b, const void *arg)
{
  const edge *x = a, *y = b;
  (void)arg;
  return (x->top > y->top) - (x->top < y->top);
}

static int by_height(const void *a, const void *b, const void *arg)
{
  double x = *(const double *)a, y = *(const double *)b;
  (void)arg;
  return (x > y) - (x < y);
}

static void add_edge(filler *f, const bpi_knot *a, const bpi_knot *b)
{
  f->cuts[f->n_cuts++] = a->y;
  if (a->y == b->y)
    return;
  const bpi_knot *up = a->y < b->y ? a : b, *down = up == a ? b : a;
  f->edges[f->n++] =
      (edge){up->y, down->y, up->x, (down->x - up->x) / (down->y - up->y), 0, up == a ? 1 : -1};
}

static void collect_edges(filler *f, const bpi_lines *l)
{
  size_t first = 0;
  double lo = f->to->width, hi = 0;
  for (size_t i = 0; i < l->n; i++) {
    lo = fmin(lo, l->knot[i].x);
    hi = fmax(hi, l->knot[i].x);
    if (l->knot[i].begins)
      first = i;
    bool last = i + 1 == l->n || l->knot[i + 1].begins;
    add_edge(f, &l->knot[i], &l->knot[last ? first : i + 1]);
  }
  f->lo = (int)fmax(lo, 0);
  f->hi = (int)fmin(ceil(hi), f->to->width);
  bpi_sort(f->edges, f->n, sizeof *f->edges, by_top, NULL);
  bpi_sort(f->cuts, f->n_cuts, sizeof *f->cuts, by_height, NULL);
}

/* Edges that begin above y come in, those that ended go; insertion sort, as the order hardly changes from slab to slab. */
static void step_to(filler *f, double y)
{
  size_t kept = 0;
  for (size_t i = 0; i < f->n_active; i++)
    if (f->edges[f->active[i]].bottom > y)
      f->active[kept++] = f->active[i];
  for (; f->next < f->n && f->edges[f->next].top <= y; f->next++)
    if (f->edges[f->next].bottom > y)
      f->active[kept++] = f->next;
  for (size_t i = 0; i < kept; i++) {
    edge *e = &f->edges[f->active[i]];
    e->now = e->x + (y - e->top) * e->slope;
  }
  f->n_active = kept;
  for (size_t i = 1; i < kept; i++) {
    size_t moving = f->active[i], k = i;
    for (; k && f->edges[f->active[k - 1]].now > f->edges[moving].now; k--)
      f->active[k] = f->active[k - 1];
    f->active[k] = moving;
  }
}

/* Counts [a, b) of a slab as covered; share: its height. */
static void cover_span(filler *f, double a, double b, float share)
{
  a = fmax(a, 0);
  b = fmin(b, f->to->width);
  if (!(a < b))
    return;
  int first = (int)a, last = (int)b; /* b itself lies in `last`, which may be one past the row */
  if (first == last) {
    f->cover[first] += (float)(b - a) * share;
    return;
  }
  f->cover[first] += (float)(first + 1 - a) * share;
  f->cover[last] += (float)(b - last) * share;
  f->whole[first + 1] += share;
  f->whole[last] -= share;
}

static void cover_slab(filler *f, float share)
{
  int winding = 0;
  double from = 0;
  for (size_t i = 0; i < f->n_active; i++) {
    const edge *e = &f->edges[f->active[i]];
    if (winding == 0)
      from = e->now;
    winding += e->direction;
    if (winding == 0)
      cover_span(f, from, e->now, share);
  }
}

static void blend_row(filler *f, int y)
{
  unsigned char *p = f->to->rgb + 3 * ((size_t)y * (size_t)f->to->width + (size_t)f->lo);
  float whole = 0;
  for (int x = f->lo; x < f->hi; x++, p += 3) {
    whole += f->whole[x];
    float c = fminf(whole + f->cover[x], 1);
    if (c < 1.0f / 512)
      continue;
    for (int k = 0; k < 3; k++) {
      float is = p[k], wanted = (float)(f->colour >> (16 - 8 * k) & 0xff);
      p[k] = (unsigned char)(is + (wanted - is) * c + 0.5f);
    }
  }
}

/* From y to the next cut or the slab's largest height, whichever comes first. */
static double slab_end(filler *f, double y)
{
  double end = (floor(y / SLAB) + 1) * SLAB;
  while (f->cut < f->n_cuts && f->cuts[f->cut] <= y + CLOSE)
    f->cut++;
  return f->cut < f->n_cuts && f->cuts[f->cut] < end - CLOSE ? f->cuts[f->cut] : end;
}

static void fill_rows(filler *f)
{
  if (f->lo >= f->hi || !f->n)
    return;
  size_t row_bytes = (size_t)(f->hi - f->lo + 1) * sizeof *f->cover;
  double top = f->edges[0].top, limit = f->to->height;
  for (int row = top > 0 ? (int)fmin(top, limit) : 0; row < limit && (f->next < f->n || f->n_active); row++) {
    memset(f->cover + f->lo, 0, row_bytes);
    memset(f->whole + f->lo, 0, row_bytes);
    double y = row;
    while (y < row + 1) {
      double end = slab_end(f, y);
      step_to(f, (y + end) / 2);
      cover_slab(f, (float)(end - y));
      y = end;
    }
    blend_row(f, row);
  }
}

bp_status bpi_fill_lines(const bpi_lines *l, bpi_pixels *to, uint32_t colour)
{
  if (l->failed)
    return bpi_nomem();
  if (!l->n)
    return BP_OK;
  bp_ctx *ctx = l->ctx;
  size_t across = (size_t)to->width + 1;
  filler f = {.to = to, .colour = colour};
  f.edges = bpi_alloc(ctx, l->n, sizeof *f.edges);
  f.cuts = bpi_alloc(ctx, l->n, sizeof *f.cuts);
  f.active = bpi_alloc(ctx, l->n, sizeof *f.active);
  f.cover = bpi_alloc(ctx, across, sizeof *f.cover);
  f.whole = bpi_alloc(ctx, across, sizeof *f.whole);
  bool room = f.edges && f.cuts && f.active && f.cover && f.whole;
  if (room) {
    collect_edges(&f, l);
    fill_rows(&f);
  }
  bpi_free(ctx, f.edges);
  bpi_free(ctx, f.cuts);
  bpi_free(ctx, f.active);
  bpi_free(ctx, f.cover);
  bpi_free(ctx, f.whole);
  return room ? BP_OK : bpi_nomem();
}

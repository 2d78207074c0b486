/* Curves inside a frame: cut at its edges, and made of few points. */
#include "draw/axis.h"

#include <math.h>
#include <string.h>

/* How far a curve may be from where it should be, in units of the picture. */
#define OFF 0.05

typedef struct tracer {
  bpi_point *point;
  char *step;
  size_t n;
  bpi_point anchor, last; /* the last point kept, and the last that came */
  double far;             /* how far `last` is from the anchor */
  double lo, hi;          /* directions from the anchor that pass all points since within OFF */
  bool pending;           /* `last` is not kept yet */
} tracer;

static void keep_point(tracer *t, bpi_point at, char step)
{
  t->point[t->n] = at;
  t->step[t->n++] = step;
  t->anchor = t->last = at;
  t->far = 0;
  t->lo = -INFINITY;
  t->hi = INFINITY;
  t->pending = false;
}

static void end_line(tracer *t)
{
  if (t->pending)
    keep_point(t, t->last, 'L');
}

/* Williams (1978): as long as one ray from the anchor passes all points closely, only the last of them is needed. */
static void trace_to(tracer *t, bpi_point at)
{
  double d = hypot(at.x - t->anchor.x, at.y - t->anchor.y);
  if (d < t->far - OFF && t->pending) { /* it turns back */
    end_line(t);
    d = hypot(at.x - t->anchor.x, at.y - t->anchor.y);
  }
  if (d > OFF) {
    double direction = atan2(at.y - t->anchor.y, at.x - t->anchor.x), half = asin(OFF / d);
    double reference = isinf(t->lo) ? direction : (t->lo + t->hi) / 2;
    direction = reference + remainder(direction - reference, 2 * 3.14159265358979323846);
    if (direction < t->lo || direction > t->hi) {
      end_line(t);
      trace_to(t, at);
      return;
    }
    t->lo = fmax(t->lo, direction - half);
    t->hi = fmin(t->hi, direction + half);
  }
  t->last = at;
  t->far = d;
  t->pending = true;
}

/* Liang & Barsky (1984): the part of a segment that lies in the box, as shares of its length. */
static bool clip_segment(bpi_point a, bpi_point b, bpi_box box, double *from, double *to)
{
  const double d[4] = {a.x - b.x, b.x - a.x, a.y - b.y, b.y - a.y};
  const double q[4] = {a.x - box.x0, box.x1 - a.x, a.y - box.y0, box.y1 - a.y};
  *from = 0;
  *to = 1;
  for (int i = 0; i < 4; i++) {
    if (d[i] == 0 && q[i] < 0)
      return false;
    if (d[i] < 0)
      *from = fmax(*from, q[i] / d[i]);
    if (d[i] > 0)
      *to = fmin(*to, q[i] / d[i]);
  }
  return *from <= *to;
}

static bpi_point between(bpi_point a, bpi_point b, double t)
{
  return (bpi_point){a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
}

/* The same, held in the box: of numbers far larger than it, little is left when they are subtracted. */
static bpi_point held(bpi_point a, bpi_point b, double t, bpi_box box)
{
  bpi_point p = between(a, b, t);
  return (bpi_point){fmax(box.x0, fmin(p.x, box.x1)), fmax(box.y0, fmin(p.y, box.y1))};
}

static bool finite_point(bpi_point p)
{
  return isfinite(p.x) && isfinite(p.y);
}

static void trace_all(tracer *t, bpi_box box, const bpi_point *points, size_t n)
{
  bool inside = false; /* the line ends where the last segment ended */
  for (size_t i = 0; i + 1 < n; i++) {
    double from, to;
    bpi_point a = points[i], b = points[i + 1];
    if (!finite_point(a) || !finite_point(b) || !clip_segment(a, b, box, &from, &to)) {
      end_line(t);
      inside = false;
      continue;
    }
    if (!inside || from > 0) {
      end_line(t);
      keep_point(t, held(a, b, from, box), 'M');
    }
    trace_to(t, held(a, b, to, box));
    inside = to >= 1;
  }
  end_line(t);
}

/* Of points that share half a unit across, the first, the lowest, the highest and the last: nobody can see more. Returns how many are left. */
static size_t thin_out(bpi_point *to, const bpi_point *points, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0, end; i < n; i = end) {
    size_t low = i, high = i;
    double column = floor(2 * points[i].x);
    for (end = i; end < n && finite_point(points[end]) && floor(2 * points[end].x) == column; end++) {
      low = points[end].y > points[low].y ? end : low;
      high = points[end].y < points[high].y ? end : high;
    }
    end += end == i; /* not finite: kept, as a gap */
    const size_t keep[4] = {i, low < high ? low : high, low < high ? high : low, end - 1};
    for (int k = 0; k < 4; k++)
      if (k == 0 || keep[k] > keep[k - 1])
        to[kept++] = points[keep[k]];
  }
  return kept;
}

void bpi_draw_clipped(bp_picture *p, bpi_look look, bpi_box box, const bpi_point *points, size_t n)
{
  tracer t = {.point = bpi_alloc(p->ctx, 2 * n + 1, sizeof *t.point),
              .step = bpi_alloc(p->ctx, 2 * n + 1, 1)};
  bpi_point *fewer = bpi_alloc(p->ctx, n + 1, sizeof *fewer);
  if (t.point && t.step && fewer) {
    trace_all(&t, box, fewer, thin_out(fewer, points, n));
    t.step[t.n] = 0;
    if (t.n > 1)
      bpi_draw_path(p, look, t.step, t.point);
  } else
    bpi_scene_fail(p, bpi_nomem());
  bpi_free(p->ctx, fewer);
  bpi_free(p->ctx, t.point);
  bpi_free(p->ctx, t.step);
}

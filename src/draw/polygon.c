/* Curves made straight, and lines made wide. */
#include "draw/polygon.h"

#include <math.h>

#define TOLERANCE 0.02 /* of a pixel, between curve and chord */
#define PI        3.14159265358979323846

void bpi_lines_init(bpi_lines *l, bp_ctx *ctx)
{
  *l = (bpi_lines){.ctx = ctx};
}

void bpi_lines_free(bpi_lines *l)
{
  bpi_free(l->ctx, l->knot);
  *l = (bpi_lines){.ctx = l->ctx};
}

void bpi_lines_clear(bpi_lines *l)
{
  l->n = l->first = 0;
}

static void add_knot(bpi_lines *l, bpi_point at, bool begins)
{
  if (l->failed || !bpi_grow(l->ctx, (void **)&l->knot, &l->cap, l->n, sizeof *l->knot)) {
    l->failed = true;
    return;
  }
  if (begins)
    l->first = l->n;
  l->knot[l->n++] = (bpi_knot){at.x, at.y, begins, false};
}

void bpi_move_to(bpi_lines *l, bpi_point to)
{
  add_knot(l, to, true);
}

void bpi_line_to(bpi_lines *l, bpi_point to)
{
  add_knot(l, to, false);
}

static bpi_point last_point(const bpi_lines *l)
{
  return l->n ? (bpi_point){l->knot[l->n - 1].x, l->knot[l->n - 1].y} : (bpi_point){0, 0};
}

/* Second difference: how far a curve bends. */
static double bend(bpi_point a, bpi_point b, bpi_point c)
{
  return hypot(a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y);
}

/* Pieces that keep a curve of degree d within the tolerance: d (d - 1) / 8 of the bend over the pieces squared (Wang et al. 1984). */
static int pieces(double bend, double degree)
{
  double n = ceil(sqrt(degree * (degree - 1) / 8 * bend / TOLERANCE));
  return n < 1 ? 1 : n > 512 ? 512 : (int)n;
}

void bpi_quad_to(bpi_lines *l, bpi_point c, bpi_point to)
{
  bpi_point from = last_point(l);
  int n = pieces(bend(from, c, to), 2);
  for (int i = 1; i <= n; i++) {
    double t = (double)i / n, u = 1 - t, w[3] = {u * u, 2 * u * t, t * t};
    bpi_line_to(
        l, (bpi_point){w[0] * from.x + w[1] * c.x + w[2] * to.x, w[0] * from.y + w[1] * c.y + w[2] * to.y});
  }
}

void bpi_cubic_to(bpi_lines *l, bpi_point c, bpi_point d, bpi_point to)
{
  bpi_point from = last_point(l);
  int n = pieces(fmax(bend(from, c, d), bend(c, d, to)), 3);
  for (int i = 1; i <= n; i++) {
    double t = (double)i / n, u = 1 - t, w[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
    bpi_line_to(l, (bpi_point){w[0] * from.x + w[1] * c.x + w[2] * d.x + w[3] * to.x,
                               w[0] * from.y + w[1] * c.y + w[2] * d.y + w[3] * to.y});
  }
}

void bpi_close(bpi_lines *l)
{
  if (l->n)
    l->knot[l->first].closed = true;
}

/* ---- lines made wide ---- */

typedef struct stroker {
  bpi_lines *out;
  double half; /* of the width */
} stroker;

/* A polygon, turned so that all turn the same way: else two that overlap would cancel. */
static void add_polygon(bpi_lines *out, const bpi_point *p, int n)
{
  double area = 0;
  for (int i = 0; i < n; i++) {
    bpi_point a = p[i], b = p[(i + 1) % n];
    area += (a.x - p[0].x) * (b.y - p[0].y) - (b.x - p[0].x) * (a.y - p[0].y);
  }
  bpi_move_to(out, p[0]);
  for (int i = 1; i < n; i++)
    bpi_line_to(out, p[area < 0 ? n - i : i]);
}

static void add_segment(const stroker *s, bpi_point a, bpi_point b)
{
  double dx = b.x - a.x, dy = b.y - a.y, d = hypot(dx, dy);
  if (d == 0)
    return;
  double nx = -dy / d * s->half, ny = dx / d * s->half;
  bpi_point quad[4] = {
      {a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}};
  add_polygon(s->out, quad, 4);
}

/* The wedge of a disc that is missing on the outside of a bend at b. */
static void add_join(const stroker *s, bpi_point a, bpi_point b, bpi_point c)
{
  enum { MOST = 32 };
  double in = atan2(b.y - a.y, b.x - a.x), out = atan2(c.y - b.y, c.x - b.x),
         turn = remainder(out - in, 2 * PI);
  if (fabs(turn) < 1e-3)
    return;
  double from = in - copysign(PI / 2, turn), step = acos(1 - fmin(TOLERANCE / s->half, 0.5)) * 2;
  int n = (int)fmin(ceil(fabs(turn) / step), MOST - 2);
  bpi_point fan[MOST] = {b};
  for (int i = 0; i <= n; i++)
    fan[i + 1] =
        (bpi_point){b.x + s->half * cos(from + turn * i / n), b.y + s->half * sin(from + turn * i / n)};
  add_polygon(s->out, fan, n + 2);
}

/* Corners that are not the same place as the one before. */
static bool apart(bpi_point a, bpi_point b)
{
  return fabs(a.x - b.x) + fabs(a.y - b.y) > 1e-9;
}

static bpi_point knot_at(const bpi_knot *k, size_t i)
{
  return (bpi_point){k[i].x, k[i].y};
}

/* A whole line: a segment for each side, a join for each corner between two. */
static void stroke_solid(const stroker *s, const bpi_knot *k, size_t n, bool closed)
{
  bpi_point before = {0, 0}, at = knot_at(k, 0), first = at, second = at;
  bool moved = false;
  for (size_t i = 1; i < n + closed; i++) {
    bpi_point next = knot_at(k, i % n);
    if (!apart(at, next))
      continue;
    if (moved)
      add_join(s, before, at, next);
    else
      second = next;
    add_segment(s, at, next);
    before = at;
    at = next;
    moved = true;
  }
  if (closed && moved)
    add_join(s, before, first, second);
}

/* Cuts a line into the dashes that are on, each stroked as a line of its own. */
static void stroke_dashed(const stroker *s, const bpi_knot *k, size_t n, bool closed, const double *dash,
                          int n_dash)
{
  bpi_lines part;
  int phase = 0;
  double left = dash[0];
  bpi_lines_init(&part, s->out->ctx);
  bpi_move_to(&part, knot_at(k, 0));
  for (size_t i = 1; i < n + closed; i++) {
    bpi_point a = knot_at(k, i - 1), b = knot_at(k, i % n);
    double length = hypot(b.x - a.x, b.y - a.y), done = 0;
    while (length - done > left) {
      done += left;
      bpi_point cut = {a.x + (b.x - a.x) * done / length, a.y + (b.y - a.y) * done / length};
      if (phase % 2 == 0) {
        bpi_line_to(&part, cut);
        if (!part.failed)
          stroke_solid(s, part.knot, part.n, false);
      }
      bpi_lines_clear(&part);
      bpi_move_to(&part, cut);
      phase = (phase + 1) % n_dash;
      left = dash[phase];
    }
    left -= length - done;
    if (phase % 2 == 0)
      bpi_line_to(&part, b);
  }
  if (phase % 2 == 0 && !part.failed)
    stroke_solid(s, part.knot, part.n, false);
  s->out->failed = s->out->failed || part.failed;
  bpi_lines_free(&part);
}

void bpi_stroke(const bpi_lines *l, double width, const double *dash, int n_dash, bpi_lines *out)
{
  stroker s = {out, width / 2};
  for (size_t i = 0, end; i < l->n && !out->failed; i = end) {
    for (end = i + 1; end < l->n && !l->knot[end].begins;)
      end++;
    if (n_dash)
      stroke_dashed(&s, l->knot + i, end - i, l->knot[i].closed, dash, n_dash);
    else
      stroke_solid(&s, l->knot + i, end - i, l->knot[i].closed);
  }
}

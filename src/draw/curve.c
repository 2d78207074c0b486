/* Points of a curve, with its jumps found. */
#include "check/eval.h"
#include "base/sort.h"

#include <math.h>

enum { PARTS = 1200, MOST_PARTS = 1000000, HALVINGS = 60, MOST_JUMPS = 4096 };

typedef struct curve {
  bpi_eval eval;
  double at; /* what the input is bound to */
  double from, to;
  size_t parts;
  double *x, *y;
  size_t n, cap;
  double height; /* of the whole curve, as far as most of it goes */
  int jumps;
} curve;

static bp_status value_at(curve *c, double x, double *y)
{
  c->at = x;
  bp_status s = bpi_eval_step(&c->eval);
  return s == BP_OK ? bp_run_get(c->eval.run, 0, y, 1) : s;
}

static double place(const curve *c, size_t i)
{
  double t = (double)i / (double)c->parts;
  return c->from * (1 - t) + c->to * t;
}

static void add_point(curve *c, double x, double y)
{
  c->x[c->n] = x;
  c->y[c->n++] = y;
}

static bool both_finite(double a, double b)
{
  return isfinite(a) && isfinite(b);
}

/* Halves [x0, x1], always keeping the part that changes more (or the one where the curve ends), until no double lies between. */
static bp_status close_in(curve *c, double *x0, double *y0, double *x1, double *y1)
{
  for (int i = 0; i < HALVINGS; i++) {
    double middle = *x0 / 2 + *x1 / 2, y;
    if (!(middle > *x0 && middle < *x1))
      break;
    bp_status s = value_at(c, middle, &y);
    if (s != BP_OK)
      return s;
    bool left =
        both_finite(*y0, *y1) && isfinite(y) ? fabs(y - *y0) > fabs(*y1 - y) : isfinite(*y0) != isfinite(y);
    *(left ? x1 : x0) = middle;
    *(left ? y1 : y0) = y;
  }
  return BP_OK;
}

/* Between two even points: where the curve jumps or ends, the points on both sides of it and a gap. A jump is a change that halving does
 * not take away. */
static bp_status look_between(curve *c, double xa, double ya, double xb, double yb)
{
  double x0 = xa, y0 = ya, x1 = xb, y1 = yb, change = fabs(yb - ya);
  bool ends = isfinite(ya) != isfinite(yb);
  if (!ends && !(both_finite(ya, yb) && change > c->height / 500))
    return BP_OK;
  if (c->jumps == MOST_JUMPS)
    return BP_OK;
  bp_status s = close_in(c, &x0, &y0, &x1, &y1);
  if (s != BP_OK || (!ends && both_finite(y0, y1) && fabs(y1 - y0) < change / 4))
    return s;
  c->jumps++;
  if (isfinite(y0))
    add_point(c, x0, y0);
  add_point(c, x0, NAN);
  if (isfinite(y1))
    add_point(c, x1, y1);
  return BP_OK;
}

static int by_value(const void *a, const void *b, const void *arg)
{
  double x = *(const double *)a, y = *(const double *)b;
  (void)arg;
  return (x > y) - (x < y);
}

/* How high most of the curve is: between its 2nd and 98th percentile; a pole does not count. 0 where it is flat. */
static double usual_height(const double *y, size_t n, double *sorted)
{
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (isfinite(y[i]))
      sorted[k++] = y[i];
  if (!k)
    return 0;
  bpi_sort(sorted, k, sizeof *sorted, by_value, NULL);
  return sorted[(k - 1) * 98 / 100] - sorted[(k - 1) * 2 / 100];
}

/* The even points first, as jumps are judged by the height of the whole. */
static bp_status trace_curve(curve *c, double *even, double *sorted)
{
  bp_status s = BP_OK;
  for (size_t i = 0; i <= c->parts && s == BP_OK; i++)
    s = value_at(c, place(c, i), &even[i]);
  if (s == BP_OK)
    c->height = usual_height(even, c->parts + 1, sorted);
  for (size_t i = 0; i <= c->parts && s == BP_OK; i++) {
    if (i)
      s = look_between(c, place(c, i - 1), even[i - 1], place(c, i), even[i]);
    add_point(c, place(c, i), even[i]);
  }
  return s;
}

static bp_status check_nodes(bp_node y, bp_node x)
{
  bp_type type;
  const bp_node both[] = {y, x};
  for (int i = 0; i < 2; i++) {
    bp_status s = bp_node_type(both[i], &type);
    if (s != BP_OK)
      return s;
    if (type.rank != 0)
      return bpi_fail(BP_E_SHAPE, "bp_curve: %s must be a scalar, of shape []", i ? "x" : "y");
    if (type.dtype != BP_REAL)
      return bpi_fail(BP_E_DTYPE, "bp_curve: %s must be real", i ? "x" : "y");
  }
  return y.graph == x.graph ? BP_OK : bpi_fail(BP_E_GRAPH, "bp_curve: y and x belong to different graphs");
}

static bp_status open_curve(curve *c, bp_node y, bp_node x, bp_program *values)
{
  bp_status s = bpi_eval_open(&c->eval, y.graph, BP_FLOAT64, &y, 1);
  if (s != BP_OK)
    return s;
  if (values)
    s = bp_program_bind(values, c->eval.run);
  if (s == BP_OK)
    s = bpi_eval_bind(&c->eval, x, &c->at);
  if (s == BP_OK) {
    c->cap = c->parts + 1 + 3 * MOST_JUMPS;
    c->x = bpi_alloc(c->eval.ctx, c->cap, sizeof *c->x);
    c->y = bpi_alloc(c->eval.ctx, c->cap, sizeof *c->y);
    double *even = bpi_alloc(c->eval.ctx, c->parts + 1, sizeof *even);
    double *sorted = bpi_alloc(c->eval.ctx, c->parts + 1, sizeof *sorted);
    s = c->x && c->y && even && sorted ? trace_curve(c, even, sorted) : bpi_nomem();
    bpi_free(c->eval.ctx, even);
    bpi_free(c->eval.ctx, sorted);
  }
  return s;
}

bp_status bp_curve(bp_node y, bp_node x, bp_program *values, double from, double to, size_t points,
                   double **xs, double **ys, size_t *n)
{
  if (!xs || !ys || !n)
    return bpi_bad_arg("bp_curve", "xs, ys or n is NULL");
  *xs = *ys = NULL;
  *n = 0;
  bp_status s = check_nodes(y, x);
  if (s != BP_OK)
    return s;
  if (!isfinite(from) || !isfinite(to) || !(from < to) || points == 1 || points > MOST_PARTS)
    return bpi_fail(BP_E_RANGE, "bp_curve: from %g to %g in %zu parts", from, to, points);
  curve c = {.from = from, .to = to, .parts = points ? points : PARTS};
  bp_ctx *ctx = bp_graph_ctx(y.graph);
  s = open_curve(&c, y, x, values);
  bpi_eval_close(&c.eval);
  if (s != BP_OK) {
    bpi_free(ctx, c.x);
    bpi_free(ctx, c.y);
    return s;
  }
  *xs = c.x;
  *ys = c.y;
  *n = c.n;
  return BP_OK;
}

/* Along one direction through all numbers: Taylor's remainders, and forward against reverse mode. */
#include "check/point.h"
#include "graph/graph.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double dot(const double *a, const double *b, int64_t n, double *size)
{
  double sum = 0;
  *size = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
    *size += fabs(a[i] * b[i]);
  }
  return sum;
}

/* ---- remainders ---- */

/* The last levels, at most five, where r1 is well over rounding. */
static void choose_levels(bp_taylor *t, double noise)
{
  enum { MOST = 5 };
  t->first = 0;
  t->last = -1;
  for (int k = 0; k < BP_TAYLOR_LEVELS; k++)
    if (t->r1[k] > 200 * noise)
      t->last = k;
  /* A level in between that is not over it, or where f is not finite, starts the window anew. */
  for (int k = t->last; k >= 0 && t->last - k < MOST && t->r1[k] > 200 * noise && isfinite(t->r1[k]); k--)
    t->first = k;
}

static double rate(const double *r, int first, int last)
{
  return last > first ? log2(r[first] / r[last]) / (last - first) : NAN;
}

/* A rate other than 2 is the third order's, or kinks have been crossed: then something has switched within the largest step. */
static bp_status see_crossed(bpi_point *p, const bpi_line *l, bp_taylor *t)
{
  static const double off = 0.1;
  return t->last > t->first && fabs(t->rate1 - 2) > off ? bpi_switched(p, l, t->h[t->first], &t->crossed)
                                                        : BP_OK;
}

bp_status bpi_taylor_of(bpi_point *p, const double *v, bp_taylor *t)
{
  double size, slope = dot(p->grad, v, p->n, &size), largest = fabs(p->f0);
  bpi_line l = {.end = p->n, .v = v, .h = ldexp(1, -17), .slope = slope};
  bp_status s = BP_OK;
  *t = (bp_taylor){.last = -1};
  for (int k = 0; s == BP_OK && k < BP_TAYLOR_LEVELS; k++) {
    double h = ldexp(1, -2 - k), f;
    s = bpi_point_at(p, &l, h, &f, NULL);
    t->h[k] = h;
    t->r0[k] = fabs(f - p->f0);
    t->r1[k] = fabs(f - p->f0 - h * slope);
    largest = isfinite(f) && h < 0.01 ? fmax(largest, fabs(f)) : largest;
  }
  if (s != BP_OK)
    return s;
  choose_levels(t, DBL_EPSILON * largest);
  t->rate0 = rate(t->r0, t->first, t->last);
  t->rate1 = rate(t->r1, t->first, t->last);
  s = see_crossed(p, &l, t);
  return s == BP_OK ? bpi_slope_of(p, &l, &t->along) : s;
}

/* ---- forward mode ---- */

/* The tangent of f for tangents of wrt that are inputs of the graph. */
static bp_status tangent_of(bpi_point *p, bp_node *tangents, bp_node *out)
{
  for (size_t i = 0; i < p->n_wrt; i++) {
    bp_type type;
    char name[48];
    bp_node_type(p->wrt[i], &type);
    snprintf(name, sizeof name, "tangent_%u", bp_graph_mark(p->g));
    tangents[i] = bp_input(p->g, name, BP_REAL, type.rank, type.dims);
  }
  bp_status s = bp_graph_status(p->g);
  return s == BP_OK ? bp_jvp(&p->f, 1, p->wrt, tangents, p->n_wrt, out) : s;
}

bp_status bpi_modes_of(bpi_point *p, const double *v, double *forward, double *reverse, bool *agree)
{
  bp_node *tangents = bpi_arena_alloc(&p->room, p->n_wrt + 1, sizeof *tangents), out;
  double size;
  bpi_eval e;
  if (!tangents)
    return bpi_nomem();
  bp_status s = tangent_of(p, tangents, &out);
  if (s == BP_OK)
    s = bpi_point_ready(p, &e, &out, 1);
  if (s != BP_OK)
    return s;
  for (size_t i = 0; s == BP_OK && i < p->n_wrt; i++)
    s = bpi_eval_bind(&e, tangents[i], v + p->first[i]);
  if (s == BP_OK)
    s = bpi_eval_step(&e);
  if (s == BP_OK)
    s = bp_run_get(e.run, 0, forward, 1);
  bpi_eval_close(&e);
  *reverse = dot(p->grad, v, p->n, &size);
  double magnitude;
  if (s == BP_OK)
    s = bpi_point_magnitude(p, &magnitude);
  if (s != BP_OK)
    return s;
  /* Where slopes cancel, what is left of them is rounding of what they were. */
  double slack = 1e-9 * fmax(size, fabs(*forward)) + 64 * DBL_EPSILON * magnitude;
  *agree = fabs(*forward - *reverse) <= slack || (!isfinite(*forward) && !isfinite(*reverse));
  return BP_OK;
}

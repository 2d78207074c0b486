/* The slope of f along a line: the gradient against differences at steps that shrink.
 *
 * One step settles most cases. Where it does not, differences are taken on a ladder of steps, h times powers of 4. The central ones come to
 * rest between curvature (large steps) and rounding (small ones); how far neighbours are apart there says what they can resolve (Ridders
 * 1982). One-sided differences R and L tell kinks: R - L is about h f'' where f is smooth, and stays where f has a kink at the point. A kink
 * at distance d makes the central ones leave their rest at once when h passes d, where curvature would make them drift like h^2. */
#include "check/point.h"

#include <float.h>
#include <math.h>

enum { RUNGS = 13, START = 6 };

typedef struct rung {
  double h, central, left, right;
  double noise; /* what rounding of f may do to a difference */
  bool both;    /* f is finite on both sides */
} rung;

typedef struct ladder {
  const bpi_point *p;
  const bpi_line *l;
  rung at[RUNGS];
  int best;     /* the rung where the central differences rest */
  double apart; /* how far its neighbours are off, and what rounding may do */
  double rough; /* by how much f changes from one small step to another without order, */
  double size;  /* and how large it gets on the ladder */
} ladder;

/* What rounding of f and, on lines through many numbers, of x does to f. */
static double rounding(const bpi_point *p, const bpi_line *l, double f)
{
  double x = 0;
  for (int64_t i = l->begin; l->v && i < l->end; i++)
    x += fabs(p->x0[i] * p->grad[i]);
  return DBL_EPSILON * ((isfinite(f) ? fabs(f) : 0) + fabs(p->f0) + (isfinite(x) ? x : 0));
}

static bp_status measure(bpi_point *p, const bpi_line *l, double h, rung *r)
{
  double up, down, over, under;
  bp_status s = bpi_point_at(p, l, h, &up, &over);
  if (s == BP_OK)
    s = bpi_point_at(p, l, -h, &down, &under);
  if (s != BP_OK)
    return s;
  *r = (rung){.h = h, .both = isfinite(up) && isfinite(down) && over > 0 && under < 0};
  r->central = (up - down) / (over - under);
  r->right = (up - p->f0) / over;
  r->left = (down - p->f0) / under;
  r->noise = 8 * rounding(p, l, fmax(fabs(up), fabs(down))) / h;
  return BP_OK;
}

static double larger(double a, double b)
{
  return fmax(fabs(a), fabs(b));
}

/* Relative to the larger of the two, or to what a resolution of `noise` lets one compare at all. */
static double relative(const bpi_point *p, double gradient, double difference, double noise)
{
  if (!isfinite(gradient) || !isfinite(difference))
    return INFINITY;
  double scale = fmax(larger(gradient, difference), noise / p->tolerance);
  return scale > 0 ? fabs(gradient - difference) / scale : 0;
}

static void describe(const bpi_point *p, const rung *r, double resolution, bp_slope *s)
{
  s->difference = r->central;
  s->left = r->left;
  s->right = r->right;
  s->step = r->h;
  s->resolution = resolution;
  s->error = relative(p, s->gradient, r->central, resolution);
}

/* ---- the ladder ---- */

/* The rounding inside f may be more than that of its result, as where large terms cancel: then small steps show it, as differences that
 * change from rung to rung like 1 / h. The second least of four counts: one may be 0 by chance, and curvature makes the larger ones. */
static void see_noise(ladder *a)
{
  enum { SMALL = 4 };
  double least = INFINITY, second = INFINITY;
  for (int k = 0; k < SMALL; k++) {
    double f = fabs(a->at[k].central - a->at[k + 1].central) * a->at[k].h;
    if (!a->at[k].both || !a->at[k + 1].both)
      return;
    second = fmin(second, fmax(f, least));
    least = fmin(f, least);
  }
  a->rough = second;
  for (int k = 0; k < RUNGS; k++)
    a->at[k].noise = fmax(a->at[k].noise, second / a->at[k].h);
}

static bp_status climb(bpi_point *p, const bpi_line *l, const rung *start, ladder *a)
{
  bp_status s = BP_OK;
  *a = (ladder){.p = p, .l = l, .best = -1};
  for (int k = 0; s == BP_OK && k < RUNGS; k++) {
    a->at[k] = *start;
    if (k != START)
      s = measure(p, l, l->h * ldexp(1, 2 * (k - START)), &a->at[k]);
    const rung *r = &a->at[k];
    if (r->both)
      a->size = fmax(a->size, fabs(p->f0) + r->h * larger(r->left, r->right));
  }
  if (s == BP_OK)
    see_noise(a);
  return s;
}

/* The rung whose neighbours agree with it best, in proportion to slope and f: where f has features on small scales only, far steps agree
 * with each other, on next to nothing. */
static void find_rest(ladder *a)
{
  double least = INFINITY;
  for (int k = 1; k + 1 < RUNGS; k++) {
    const rung *r = &a->at[k];
    if (!r[-1].both || !r->both || !r[1].both)
      continue;
    double apart = larger(r->central - r[-1].central, r->central - r[1].central) + r->noise;
    double proportion = apart / (fabs(r->central) + fabs(a->p->f0) + DBL_MIN);
    if (proportion >= least)
      continue;
    least = proportion;
    a->best = k;
    a->apart = apart;
  }
}

/* One-sided slopes stay apart however small h is: a kink at the point. *low: the smallest rung that tells. */
static bool stays_apart(const ladder *a, int *low)
{
  for (int k = 0; k + 2 <= START; k++) {
    const rung *r = &a->at[k];
    double apart = fabs(r->right - r->left);
    if (!r->both || !r[2].both || apart <= 20 * r->noise)
      continue;
    *low = k;
    return apart > 0.5 * fabs(r[2].right - r[2].left);
  }
  return false;
}

/* Of a kink the slopes on either side come to rest as h shrinks, unless h is about its distance, where those at the next steps do; of a
 * function that goes up and down within h they are whatever it happens to be there. */
static bool comes_to_rest(const ladder *a, int low)
{
  for (int k = low; k <= low + 1; k++) {
    const rung *r = &a->at[k];
    if (larger(r[1].right - r->right, r[1].left - r->left) <= 0.25 * fabs(r->right - r->left))
      return true;
  }
  return false;
}

/* f itself is another on one side: h (R - L) does not depend on h. */
static bool jumps(const ladder *a)
{
  double jump = a->at[0].h * (a->at[0].right - a->at[0].left);
  if (fabs(jump) <= 1e4 * rounding(a->p, a->l, a->p->f0))
    return false;
  for (int k = 0; k < 4; k++)
    if (!a->at[k].both || fabs(a->at[k].h * (a->at[k].right - a->at[k].left) - jump) > 0.02 * fabs(jump))
      return false;
  return true;
}

/* A kink within h, not at the point: somewhere up to h the central difference leaves its rest faster than curvature can. */
static bool leaves_at_once(const ladder *a)
{
  double rest = a->at[a->best].central;
  for (int k = 1; k <= START; k++) {
    double off = fabs(a->at[k].central - rest), before = fabs(a->at[k - 1].central - rest);
    if (a->at[k].both && a->at[k - 1].both && off > 20 * a->at[k].noise &&
        off > a->p->tolerance * fabs(rest) && before < off / 64)
      return true;
  }
  return false;
}

static bool between(double x, double a, double b, double slack)
{
  return x >= fmin(a, b) - slack && x <= fmax(a, b) + slack;
}

/* At a kink the gradient is to be one of the slopes or between them. */
static bool within_sides(const ladder *a, int low, double gradient)
{
  const rung *r = &a->at[low];
  return between(gradient, r->left, r->right, 20 * r->noise + 1e-3 * larger(r->left, r->right));
}

/* Before a gradient is called wrong: is it off by more than rounding inside f may be, and has autodiff not chosen at a switch, which
 * differences cannot judge? */
static bp_status wrong_unless_excused(bpi_point *p, const bpi_line *l, double h, bp_slope *s)
{
  double magnitude;
  bool switched;
  bp_status status = bpi_point_magnitude(p, &magnitude);
  double rounding_inside = 16 * DBL_EPSILON * magnitude / s->step;
  if (status != BP_OK)
    return status;
  if (fabs(s->gradient - s->difference) <= rounding_inside) {
    s->kind = BP_SLOPE_RIGHT;
    s->resolution = rounding_inside;
    s->error = relative(p, s->gradient, s->difference, rounding_inside);
    return BP_OK;
  }
  status = bpi_switched(p, l, h, &switched);
  s->kind = switched ? BP_SLOPE_KINK : BP_SLOPE_WRONG;
  return status;
}

/* Differences say nothing. */
static void say_nothing(const ladder *a, bp_slope_kind why, bp_slope *s)
{
  describe(a->p, &a->at[0], INFINITY, s);
  s->kind = why;
  s->error = 0;
}

/* Up the ladder the differences do not come to rest although the gradient is infinite: the slope has no bound. */
static bool is_edge(const ladder *a, double gradient)
{
  return isinf(gradient) && 8 * a->apart > 0.01 * fabs(a->at[a->best].central);
}

/* Far steps agree with each other on next to nothing where f goes up and down between them; the smallest, still over rounding, then takes
 * the gradient's side. */
static bool smallest_sides_with(const ladder *a, double gradient)
{
  double off = fabs(a->at[a->best].central - gradient);
  return a->at[0].both && fabs(a->at[0].central - gradient) < 0.1 * off &&
         off > 200 * rounding(a->p, a->l, a->p->f0) / a->at[0].h;
}

static bp_status judge_ladder(bpi_point *p, const bpi_line *l, ladder *a, bp_slope *s)
{
  int low = 0;
  find_rest(a);
  if (a->best < 0) {
    say_nothing(a, BP_SLOPE_EDGE, s);
    return BP_OK;
  }
  const rung *best = &a->at[a->best];
  double resolution = 8 * a->apart, g = s->gradient;
  describe(p, best, resolution, s);
  /* The step that was asked for is as good where it says the same. */
  const rung *start = &a->at[START];
  if (start->both && relative(p, start->central, best->central, start->noise) <= p->tolerance)
    describe(p, start, fmax(resolution, start->noise), s);
  bool apart = stays_apart(a, &low), unrest = apart && !comes_to_rest(a, low);
  bool here = (apart && !unrest) || jumps(a);
  s->left = a->at[low].left;
  s->right = a->at[low].right;
  if (here && within_sides(a, low, g)) {
    s->kind = BP_SLOPE_KINK;
    return BP_OK;
  }
  if (!here && s->error <= p->tolerance) {
    s->kind = leaves_at_once(a) ? BP_SLOPE_KINK : BP_SLOPE_RIGHT;
    return BP_OK;
  }
  bool rough = unrest || smallest_sides_with(a, g) || a->rough > 1e-3 * a->size, edge = is_edge(a, g);
  if (rough || edge) { /* up and down within the smallest steps; a pole, where that is to one side each */
    say_nothing(a, edge || here ? BP_SLOPE_EDGE : BP_SLOPE_ROUGH, s);
    return BP_OK;
  }
  return wrong_unless_excused(p, l, best->h, s);
}

bp_status bpi_slope_of(bpi_point *p, const bpi_line *l, bp_slope *s)
{
  rung start;
  ladder a;
  bp_status status = measure(p, l, l->h, &start);
  if (status != BP_OK)
    return status;
  *s = (bp_slope){.kind = BP_SLOPE_RIGHT, .gradient = l->slope};
  describe(p, &start, start.noise, s);
  if (start.both && s->error <= p->tolerance &&
      fabs(start.right - start.left) <= 0.01 * larger(start.right, start.left) + 4 * start.noise)
    return BP_OK;
  status = climb(p, l, &start, &a);
  return status == BP_OK ? judge_ladder(p, l, &a, s) : status;
}

/* Limited-memory BFGS: the two-loop recursion, and a line search for the strong Wolfe conditions. */
#include "nn/lbfgs.h"

#include <math.h>
#include <string.h>

enum { MEMORY = 10, MOST_TRIALS = 25 };

/* Of the line search: decrease enough, and a slope that has flattened enough. */
static const double ENOUGH = 1e-4, FLAT = 0.9;

/* ---- vectors ---- */

static double dot(const double *a, const double *b, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static double largest(const double *a, int64_t n)
{
  double most = 0;
  for (int64_t i = 0; i < n; i++)
    most = fabs(a[i]) > most ? fabs(a[i]) : most;
  return most;
}

static double stored(const bpi_lbfgs *l, const void *v, int64_t i)
{
  return l->narrow ? (double)((const float *)v)[i] : ((const double *)v)[i];
}

static void store(const bpi_lbfgs *l, void *v, int64_t i, double x)
{
  if (l->narrow)
    ((float *)v)[i] = (float)x;
  else
    ((double *)v)[i] = x;
}

/* ---- opening ---- */

static bp_status entry_of(bp_state *s, const char *name, bp_dtype dtype, int rank, const int64_t *dims,
                          void **data)
{
  bp_type type;
  int entry = bp_state_find(s, name);
  bp_status st = entry >= 0 ? BP_OK : bp_state_add(s, name, dtype, rank, dims, &entry);
  if (st == BP_OK)
    st = bp_state_array(s, entry, NULL, &type, data);
  if (st == BP_OK && (type.rank != rank || memcmp(type.dims, dims, (size_t)rank * sizeof *dims) != 0))
    st = bpi_fail(BP_E_MISMATCH, "lbfgs: the state holds pairs of another memory");
  return st;
}

static bp_status own_memory(bpi_lbfgs *l)
{
  double **vectors[] = {&l->from, &l->grad, &l->trial, &l->direction};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    if (!(*vectors[i] = bpi_alloc(l->ctx, (size_t)l->n, sizeof **vectors[i])))
      return bpi_nomem();
  l->alpha = bpi_alloc(l->ctx, (size_t)l->memory, sizeof *l->alpha);
  return l->alpha ? BP_OK : bpi_nomem();
}

bp_status bpi_lbfgs_open(bpi_lbfgs *l, bp_params *p, bp_state *s, const bp_optimizer *o)
{
  const int64_t memory = o->memory ? o->memory : MEMORY, two = 2, dims[2] = {memory, p->size[BPI_TRAINED]};
  bp_status st = bpi_optimizer_check(p, o);
  if (st != BP_OK)
    return st;
  if (o->clip_norm > 0 || o->clip_value > 0 || o->l1 > 0 || o->max_norm > 0 || o->n_rates)
    return bpi_bad_arg("lbfgs",
                       "clipping, l1, max_norm and rates do not go with it: its line search measures "
                       "along the gradient as it is");
  if (memory < 1 || memory > 1000)
    return bpi_bad_arg("lbfgs", "memory must be from 1 to 1,000");
  *l = (bpi_lbfgs){.ctx = p->ctx,
                   .narrow = bp_state_real(s) == BP_FLOAT32,
                   .n = dims[1],
                   .memory = memory,
                   .tolerance = 1e-8,
                   .decay = o->weight_decay};
  for (size_t i = 0; i < p->n; i++)
    l->matrices += !p->list[i].frozen && p->list[i].type.rank >= 2 ? p->list[i].size : 0;
  st = bp_state_array(s, p->entry[BPI_TRAINED], NULL, NULL, &l->w);
  if (st == BP_OK)
    st = entry_of(s, "optimizer.s", BP_REAL, 2, dims, &l->s);
  if (st == BP_OK)
    st = entry_of(s, "optimizer.y", BP_REAL, 2, dims, &l->y);
  if (st == BP_OK)
    st = entry_of(s, "optimizer.pairs", BP_INT64, 1, &two, (void **)&l->pairs);
  if (st == BP_OK)
    l->pairs[0] = l->pairs[1] = 0; /* those of an earlier minimisation say nothing of this one */
  return st == BP_OK ? own_memory(l) : st;
}

void bpi_lbfgs_close(bpi_lbfgs *l)
{
  double *vectors[] = {l->from, l->grad, l->trial, l->direction, l->alpha};
  for (size_t i = 0; l->ctx && i < sizeof vectors / sizeof *vectors; i++)
    bpi_free(l->ctx, vectors[i]);
  *l = (bpi_lbfgs){0};
}

/* ---- the objective ---- */

/* A point on the line from + a direction: value and slope. */
typedef struct point {
  double a, value, slope;
} point;

typedef struct asking {
  bpi_lbfgs *l;
  bpi_objective objective;
  void *user;
} asking;

/* At the weights as they are: value and gradient, each with the decay of the matrices. Infinite where it is not finite. */
static bp_status ask(const asking *q, double *grad, double *value)
{
  bpi_lbfgs *l = q->l;
  double square = 0;
  bp_status s = q->objective(q->user, &l->plain, grad);
  if (s == BP_E_NOTFINITE)
    *value = INFINITY;
  if (s != BP_OK)
    return s;
  for (int64_t i = 0; l->decay > 0 && i < l->matrices; i++) {
    double w = stored(l, l->w, i);
    square += w * w;
    grad[i] += l->decay * w;
  }
  *value = l->plain + 0.5 * l->decay * square;
  return BP_OK;
}

static void move_to(bpi_lbfgs *l, double a)
{
  for (int64_t i = 0; i < l->n; i++)
    store(l, l->w, i, l->from[i] + a * l->direction[i]);
}

static bp_status try_at(const asking *q, double a, point *p)
{
  bpi_lbfgs *l = q->l;
  *p = (point){a, INFINITY, NAN};
  move_to(l, a);
  bp_status s = ask(q, l->trial, &p->value);
  if (s == BP_OK)
    p->slope = dot(l->trial, l->direction, l->n);
  return s == BP_E_NOTFINITE ? BP_OK : s;
}

/* ---- the line search ---- */

/* Where the cubic through both points has its minimum (Nocedal & Wright, 3.59), but not within a tenth of either end; the middle where there is
 * none. */
static double between(const point *lo, const point *hi)
{
  double width = hi->a - lo->a, middle = lo->a + 0.5 * width;
  if (!isfinite(hi->value) || !isfinite(hi->slope))
    return middle;
  double d1 = lo->slope + hi->slope - 3 * (lo->value - hi->value) / (lo->a - hi->a),
         root = d1 * d1 - lo->slope * hi->slope;
  if (!(root >= 0))
    return middle;
  double d2 = copysign(sqrt(root), width),
         a = hi->a - width * (hi->slope + d2 - d1) / (hi->slope - lo->slope + 2 * d2),
         share = (a - lo->a) / width;
  return !isfinite(share) ? middle : lo->a + (share < 0.1 ? 0.1 : share > 0.9 ? 0.9 : share) * width;
}

/* A step that satisfies the strong Wolfe conditions; after many trials the best one that is low enough. *a: 0 where there is none. The weights
 * are moved, and `trial` is the gradient there. */
static bp_status search(const asking *q, double first, double slope, double *a, double *value)
{
  point start = {0, q->l->value, slope}, lo = start, hi = start, p;
  bool bracketed = false;
  bp_status s = BP_OK;
  *a = first;
  for (int i = 0; i < MOST_TRIALS; i++) {
    s = try_at(q, *a, &p);
    if (s != BP_OK)
      return s;
    bool high = !(p.value <= start.value + ENOUGH * p.a * slope) || (lo.a > 0 && p.value >= lo.value);
    *value = p.value;
    if (!high && fabs(p.slope) <= -FLAT * slope)
      return BP_OK;
    if (high || p.slope * (bracketed ? hi.a - lo.a : 1) >= 0) {
      hi = high ? p : lo;
      bracketed = true;
    }
    lo = high ? lo : p;
    *a = bracketed ? between(&lo, &hi) : 4 * p.a;
  }
  *a = lo.a;
  if (lo.a > 0)
    s = try_at(q, lo.a, &p);
  *value = lo.value;
  return s;
}

/* ---- the direction ---- */

/* Pair number `back` from the last, 0 on. */
static int64_t pair_at(const bpi_lbfgs *l, int64_t back)
{
  return (l->pairs[1] - 1 - back + 2 * l->memory) % l->memory;
}

static double dot_row(const bpi_lbfgs *l, const void *rows, int64_t row, const double *v)
{
  double sum = 0;
  for (int64_t i = 0; i < l->n; i++)
    sum += stored(l, rows, row * l->n + i) * v[i];
  return sum;
}

static double dot_pair(const bpi_lbfgs *l, const void *a, const void *b, int64_t row)
{
  double sum = 0;
  for (int64_t i = row * l->n; i < (row + 1) * l->n; i++)
    sum += stored(l, a, i) * stored(l, b, i);
  return sum;
}

static void add_row(const bpi_lbfgs *l, double by, const void *rows, int64_t row, double *v)
{
  for (int64_t i = 0; i < l->n; i++)
    v[i] += by * stored(l, rows, row * l->n + i);
}

/* direction = -H grad, by the pairs. */
static void two_loops(bpi_lbfgs *l)
{
  double *q = l->direction;
  for (int64_t i = 0; i < l->n; i++)
    q[i] = -l->grad[i];
  int64_t n = l->pairs[0];
  for (int64_t k = 0; k < n; k++) {
    int64_t row = pair_at(l, k);
    l->alpha[k] = dot_row(l, l->s, row, q) / dot_pair(l, l->s, l->y, row);
    add_row(l, -l->alpha[k], l->y, row, q);
  }
  double scale = n ? dot_pair(l, l->s, l->y, pair_at(l, 0)) / dot_pair(l, l->y, l->y, pair_at(l, 0)) : 1;
  for (int64_t i = 0; i < l->n; i++)
    q[i] *= scale;
  for (int64_t k = n; k-- > 0;) {
    int64_t row = pair_at(l, k);
    double beta = dot_row(l, l->y, row, q) / dot_pair(l, l->s, l->y, row);
    add_row(l, l->alpha[k] - beta, l->s, row, q);
  }
}

/* The pair of this step, if it says something of the curvature. */
static void remember(bpi_lbfgs *l)
{
  int64_t row = l->pairs[1] % l->memory;
  for (int64_t i = 0; i < l->n; i++) {
    store(l, l->s, row * l->n + i, stored(l, l->w, i) - l->from[i]);
    store(l, l->y, row * l->n + i, l->trial[i] - l->grad[i]);
  }
  double sy = dot_pair(l, l->s, l->y, row), yy = dot_pair(l, l->y, l->y, row);
  if (!(sy > 1e-12 * yy))
    return;
  l->pairs[1] = (row + 1) % l->memory;
  l->pairs[0] += l->pairs[0] < l->memory;
}

/* ---- one iteration ---- */

/* From the place kept in `from`, whose gradient is known. *a: 0 where no lower value was found. */
static bp_status advance(const asking *q, double first, double *a)
{
  bpi_lbfgs *l = q->l;
  two_loops(l);
  double slope = dot(l->grad, l->direction, l->n), value, sum = 0;
  *a = 0;
  if (!(slope < 0))
    return BP_OK;
  for (int64_t i = 0; i < l->n; i++)
    sum += fabs(l->grad[i]);
  if (l->pairs[0] == 0 && sum > 1) /* nothing is known of the curvature: not further than 1 in all */
    first /= sum;
  bp_status s = search(q, first, slope, a, &value);
  if (s != BP_OK || *a == 0)
    return s;
  remember(l);
  memcpy(l->grad, l->trial, (size_t)l->n * sizeof *l->grad);
  l->value = value;
  return BP_OK;
}

static bp_status look(const asking *q)
{
  bpi_lbfgs *l = q->l;
  bp_status s = l->known ? BP_OK : ask(q, l->grad, &l->value);
  l->known = s == BP_OK;
  return s;
}

bp_status bpi_lbfgs_step(bpi_lbfgs *l, bpi_objective objective, void *user, double first, double *loss,
                         bool *done)
{
  asking q = {l, objective, user};
  bp_status s = look(&q);
  double a = 0, plain = l->plain;
  *loss = plain;
  if (s != BP_OK)
    return s;
  *done = largest(l->grad, l->n) <= l->tolerance;
  for (int64_t i = 0; i < l->n; i++)
    l->from[i] = stored(l, l->w, i);
  if (*done)
    return BP_OK;
  s = advance(&q, first, &a);
  if (s == BP_OK && a == 0 && l->pairs[0] > 0) { /* the pairs may mislead: once more along the gradient */
    l->pairs[0] = l->pairs[1] = 0;
    s = advance(&q, first, &a);
  }
  *done = s == BP_OK && a == 0;
  if (s == BP_OK && a > 0)
    return BP_OK;
  for (int64_t i = 0; i < l->n; i++)
    store(l, l->w, i, l->from[i]);
  l->plain = plain;
  return s;
}

/* Differences, and what derivatives must agree on. */
#include "support/numeric.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 4 };
static const double first_step = 0.02;

void fun_open(fun *f, bp_graph *g, uint64_t seed)
{
  memset(f, 0, sizeof *f);
  f->g = g;
  f->seed = seed * 0x9e3779b97f4a7c15u + 1;
  bpi_arena_init(&f->room, bp_graph_ctx(g));
}

void fun_close(fun *f)
{
  bpi_arena_free(&f->room);
}

void fun_input(fun *f, bp_node x, void *data)
{
  f->x[f->n_x] = x;
  f->data[f->n_x++] = data;
}

void fun_result(fun *f, bp_node y)
{
  f->y[f->n_y++] = y;
}

bool is_real(bp_node n)
{
  bp_type t;
  return bp_node_type(n, &t) == BP_OK && t.dtype == BP_REAL;
}

int64_t real_size(const bp_node *n, int count)
{
  int64_t size = 0;
  for (int i = 0; i < count; i++)
    size += is_real(n[i]) ? bp_node_size(n[i]) : 0;
  return size;
}

bool fun_fails(fun *f, const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  vsnprintf(f->why, sizeof f->why, fmt, va);
  va_end(va);
  return false;
}

double fun_uniform(fun *f, double lo, double hi)
{
  return lo + (hi - lo) * bpi_uniform((bpi_key){.seed = f->seed++, .stream = 0x66756eu}, 0);
}

double *fun_doubles(fun *f, int64_t n)
{
  double *p = bpi_arena_alloc(&f->room, (size_t)n + 1, sizeof *p);
  if (!p)
    abort(); /* a test without memory says nothing */
  return p;
}

/* ---- values ---- */

/* The real ones of n nodes. */
static int only_real(const bp_node *n, int count, bp_node *out)
{
  int k = 0;
  for (int i = 0; i < count; i++)
    if (is_real(n[i]))
      out[k++] = n[i];
  return k;
}

static bool eval_ready(fun *f, bpi_eval *e, bp_dtype real, const bp_node *y, int n_y)
{
  if (bpi_eval_open(e, f->g, real, y, (size_t)n_y) != BP_OK)
    return fun_fails(f, "does not compile: %s", bp_error());
  for (int i = 0; i < f->n_x; i++)
    if (bpi_eval_bind(e, f->x[i], f->data[i]) != BP_OK) {
      bpi_eval_close(e);
      return fun_fails(f, "cannot bind: %s", bp_error());
    }
  return true;
}

/* Runs, and joins the values of the n_y results. */
static bool eval_into(fun *f, bpi_eval *e, const bp_node *y, int n_y, double *out)
{
  if (bpi_eval_step(e) != BP_OK)
    return fun_fails(f, "does not run: %s", bp_error());
  for (int i = 0; out && i < n_y; i++) {
    size_t size = (size_t)bp_node_size(y[i]);
    if (bp_run_get(e->run, (size_t)i, out, size) != BP_OK)
      return fun_fails(f, "result %d cannot be read: %s", i, bp_error());
    out += size;
  }
  return true;
}

static bool values_of(fun *f, bp_dtype real, const bp_node *y, int n_y, double *out)
{
  bpi_eval e;
  if (!eval_ready(f, &e, real, y, n_y))
    return false;
  bool good = eval_into(f, &e, y, n_y, out);
  bpi_eval_close(&e);
  return good;
}

bool fun_values(fun *f, bp_dtype real, double *out)
{
  bp_node y[FUN_MAX];
  int n = out ? only_real(f->y, f->n_y, y) : f->n_y;
  return values_of(f, real, out ? y : f->y, n, out);
}

bool fun_all_values(fun *f, bp_dtype real, double *out)
{
  return values_of(f, real, f->y, f->n_y, out);
}

int64_t fun_all_size(const fun *f)
{
  int64_t n = 0;
  for (int k = 0; k < f->n_y; k++)
    n += bp_node_size(f->y[k]);
  return n;
}

/* ---- the Jacobian by differences ---- */

/* d[level * rows + i]: difference quotients for steps that halve. Neville's scheme in h^2 takes them to step 0. */
static void extrapolate(matrix *J, int64_t col, double *d, const double *largest)
{
  double smallest_step = first_step / (1 << (LEVELS - 1));
  for (int64_t i = 0; i < J->rows; i++) {
    double t[LEVELS], last = 0;
    for (int k = 0; k < LEVELS; k++)
      t[k] = d[k * J->rows + i];
    for (int order = 1; order < LEVELS; order++) {
      last = t[LEVELS - 1];
      for (int k = LEVELS - 1; k >= order; k--)
        t[k] += (t[k] - t[k - 1]) / (pow(4, order) - 1);
    }
    double v = t[LEVELS - 1];
    J->at[i * J->cols + col] = v;
    J->tol[i * J->cols + col] =
        10 * fabs(v - last) + 64 * DBL_EPSILON * largest[i] / smallest_step + 1e-10 * fabs(v);
  }
}

static bool differences(fun *f, bpi_eval *e, const bp_node *y, int n_y, double *x, matrix *J, int64_t col,
                        double *room)
{
  int64_t n = J->rows;
  double *up = room, *down = room + n, *largest = room + 2 * n, *d = room + 3 * n, x0 = *x;
  memset(largest, 0, (size_t)n * sizeof *largest);
  for (int level = 0; level < LEVELS; level++) {
    volatile double high = x0 + first_step / (1 << level), low = x0 - first_step / (1 << level);
    *x = high;
    bool good = eval_into(f, e, y, n_y, up);
    *x = low;
    good = good && eval_into(f, e, y, n_y, down);
    *x = x0;
    if (!good)
      return false;
    for (int64_t i = 0; i < n; i++) {
      d[level * n + i] = (up[i] - down[i]) / (high - low);
      largest[i] = fmax(largest[i], fmax(fabs(up[i]), fabs(down[i])));
    }
  }
  extrapolate(J, col, d, largest);
  return true;
}

/* Differences that do not come to rest measure nothing. */
static bool settled(fun *f, const matrix *J, int64_t col)
{
  for (int64_t i = 0; i < J->rows; i++) {
    double v = J->at[i * J->cols + col], tol = J->tol[i * J->cols + col];
    if (!(tol <= 1e-5 * fmax(1, fabs(v))))
      return fun_fails(
          f,
          "differences do not settle: d result[%lld] / d input[%lld] = %g +- %g; is a kink or an edge near?",
          (long long)i, (long long)col, v, tol);
  }
  return true;
}

bool fun_jacobian(fun *f, matrix *J)
{
  bp_node y[FUN_MAX];
  int n_y = only_real(f->y, f->n_y, y);
  J->rows = real_size(f->y, f->n_y);
  J->cols = real_size(f->x, f->n_x);
  J->at = fun_doubles(f, J->rows * J->cols);
  J->tol = fun_doubles(f, J->rows * J->cols);
  if (J->rows == 0 || J->cols == 0)
    return fun_values(f, BP_FLOAT64, NULL);
  double *room = fun_doubles(f, J->rows * (3 + LEVELS));
  bpi_eval e;
  if (!eval_ready(f, &e, BP_FLOAT64, y, n_y))
    return false;
  bool good = true;
  int64_t col = 0;
  for (int i = 0; good && i < f->n_x; i++) {
    double *x = f->data[i];
    int64_t size = is_real(f->x[i]) ? bp_node_size(f->x[i]) : 0;
    for (int64_t k = 0; good && k < size; k++, col++)
      good = differences(f, &e, y, n_y, &x[k], J, col, room) && settled(f, J, col);
  }
  bpi_eval_close(&e);
  return good;
}

/* ---- what derivatives must agree on ---- */

/* A new input shaped like n with random values, not small ones; one more input of f. */
static bp_node seed_like(fun *f, bp_node n, const char *prefix)
{
  bp_type t;
  char name[40];
  bp_node_type(n, &t);
  snprintf(name, sizeof name, "%s_%u", prefix, bp_graph_mark(f->g));
  bp_node seed = bp_input(f->g, name, BP_REAL, t.rank, t.dims);
  int64_t size = bp_node_size(n);
  double *v = fun_doubles(f, size);
  for (int64_t i = 0; i < size; i++) {
    double sign = fun_uniform(f, -1, 1) < 0 ? -1 : 1;
    v[i] = sign * fun_uniform(f, 0.5, 1.5);
  }
  fun_input(f, seed, v);
  return seed;
}

/* Weights of the real entries of n nodes: the values of seeds where one is given, else 0. */
static double *weights_of(fun *f, const bp_node *n, int count, const bp_node *seeds)
{
  double *w = fun_doubles(f, real_size(n, count)), *to = w;
  for (int i = 0; i < count; i++) {
    int64_t size = bp_node_size(n[i]);
    for (int k = 0; k < f->n_x && !bp_absent(seeds[i]); k++)
      if (f->x[k].index == seeds[i].index)
        memcpy(to, f->data[k], (size_t)size * sizeof *to);
    to += size;
  }
  return w;
}

/* got[j] against sum over i of w[i] J[i,j] (or, across, J[j,i]). */
static bool weighted_agrees(fun *f, const char *what, const matrix *J, bool across, const double *w,
                            const double *got)
{
  int64_t n = across ? J->rows : J->cols, m = across ? J->cols : J->rows;
  for (int64_t j = 0; j < n; j++) {
    double want = 0, tol = 1e-13;
    for (int64_t i = 0; i < m; i++) {
      int64_t at = across ? j * J->cols + i : i * J->cols + j;
      want += w[i] * J->at[at];
      tol += fabs(w[i]) * (J->tol[at] + 16 * DBL_EPSILON * fabs(J->at[at]));
    }
    if (!(fabs(got[j] - want) <= tol))
      return fun_fails(f, "%s[%lld] is %.12g, differences say %.12g +- %.2g", what, (long long)j, got[j],
                       want, tol);
  }
  return true;
}

/* vjp of the results that have a seed. */
static bool one_vjp(fun *f, const matrix *J, const bp_node *y, int n_y, const bp_node *seeds)
{
  bp_node x[FUN_MAX], grads[FUN_MAX], some_y[FUN_MAX], up[FUN_MAX];
  int n_x = 0, n = 0;
  for (int i = 0; i < f->n_x; i++)
    if (is_real(f->x[i]) && n_x < FUN_MAX)
      x[n_x++] = f->x[i];
  n_x -= n_y; /* the seeds come last */
  for (int i = 0; i < n_y; i++)
    if (!bp_absent(seeds[i])) {
      some_y[n] = y[i];
      up[n++] = seeds[i];
    }
  if (bp_vjp(some_y, up, (size_t)n, x, (size_t)n_x, grads) != BP_OK)
    return fun_fails(f, "bp_vjp: %s", bp_error());
  double *got = fun_doubles(f, real_size(x, n_x));
  return values_of(f, BP_FLOAT64, grads, n_x, got) &&
         weighted_agrees(f, n == n_y ? "vjp" : "vjp of one result", J, false, weights_of(f, y, n_y, seeds),
                         got);
}

/* Runs one(seeds) with every seed, then with each one alone. */
static bool all_then_each(fun *f, const matrix *J, const bp_node *n, int count, const bp_node *seeds,
                          bool (*one)(fun *, const matrix *, const bp_node *, int, const bp_node *))
{
  if (!one(f, J, n, count, seeds))
    return false;
  for (int i = 0; count > 1 && i < count; i++) {
    bp_node alone[FUN_MAX];
    for (int k = 0; k < count; k++)
      alone[k] = k == i ? seeds[k] : BP_NO_NODE;
    if (!one(f, J, n, count, alone))
      return false;
  }
  return true;
}

bool vjp_agrees(fun *f, const matrix *J)
{
  bp_node y[FUN_MAX], seeds[FUN_MAX];
  int n_y = only_real(f->y, f->n_y, y), n_x = f->n_x;
  for (int i = 0; i < n_y; i++)
    seeds[i] = seed_like(f, y[i], "up");
  bool good = all_then_each(f, J, y, n_y, seeds, one_vjp);
  f->n_x = n_x;
  return good;
}

/* Tangents of all real results for the inputs that have a seed. */
static bool one_jvp(fun *f, const matrix *J, const bp_node *x, int n_x, const bp_node *seeds)
{
  bp_node y[FUN_MAX], out[FUN_MAX], some_x[FUN_MAX], tangent[FUN_MAX];
  int n_y = only_real(f->y, f->n_y, y), n = 0;
  for (int i = 0; i < n_x; i++)
    if (!bp_absent(seeds[i])) {
      some_x[n] = x[i];
      tangent[n++] = seeds[i];
    }
  if (bp_jvp(y, (size_t)n_y, some_x, tangent, (size_t)n, out) != BP_OK)
    return fun_fails(f, "bp_jvp: %s", bp_error());
  double *got = fun_doubles(f, J->rows);
  return values_of(f, BP_FLOAT64, out, n_y, got) &&
         weighted_agrees(f, n == n_x ? "jvp" : "jvp of one input", J, true, weights_of(f, x, n_x, seeds),
                         got);
}

bool jvp_agrees(fun *f, const matrix *J)
{
  bp_node x[FUN_MAX], seeds[FUN_MAX];
  int n_real = only_real(f->x, f->n_x, x), n_x = f->n_x;
  for (int i = 0; i < n_real; i++)
    seeds[i] = seed_like(f, x[i], "tangent");
  bool good = all_then_each(f, J, x, n_real, seeds, one_jvp);
  f->n_x = n_x;
  return good;
}

static double dot_of(const double *a, const double *b, int64_t n, double *scale)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
    *scale += fabs(a[i] * b[i]);
  }
  return sum;
}

bool adjoint_agrees(fun *f)
{
  bp_node x[FUN_MAX], y[FUN_MAX], v[FUN_MAX], u[FUN_MAX], jv[FUN_MAX], ju[FUN_MAX];
  int n_x = only_real(f->x, f->n_x, x), n_y = only_real(f->y, f->n_y, y), kept = f->n_x;
  for (int i = 0; i < n_x; i++)
    v[i] = seed_like(f, x[i], "tangent");
  for (int i = 0; i < n_y; i++)
    u[i] = seed_like(f, y[i], "up");
  double *got_v = fun_doubles(f, real_size(y, n_y)), *got_u = fun_doubles(f, real_size(x, n_x)),
         scale = 1e-290;
  bool good = (bp_jvp(y, (size_t)n_y, x, v, (size_t)n_x, jv) == BP_OK &&
               bp_vjp(y, u, (size_t)n_y, x, (size_t)n_x, ju) == BP_OK) ||
              fun_fails(f, "bp_jvp or bp_vjp: %s", bp_error());
  good = good && values_of(f, BP_FLOAT64, jv, n_y, got_v) && values_of(f, BP_FLOAT64, ju, n_x, got_u);
  if (good) {
    double a = dot_of(weights_of(f, y, n_y, u), got_v, real_size(y, n_y), &scale);
    double b = dot_of(weights_of(f, x, n_x, v), got_u, real_size(x, n_x), &scale);
    if (!(fabs(a - b) <= 1e-12 * scale))
      good = fun_fails(f, "<u, Jv> = %.17g but <J'u, v> = %.17g", a, b);
  }
  f->n_x = kept;
  return good;
}

bool fun_gradient(fun *f, fun *df)
{
  bp_node x[FUN_MAX], y[FUN_MAX], up[FUN_MAX], grads[FUN_MAX];
  int n_x = only_real(f->x, f->n_x, x), n_y = only_real(f->y, f->n_y, y);
  fun_open(df, f->g, f->seed);
  for (int i = 0; i < f->n_x; i++)
    fun_input(df, f->x[i], f->data[i]);
  for (int i = 0; i < n_y; i++)
    up[i] = seed_like(df, y[i], "upstream");
  if (bp_vjp(y, up, (size_t)n_y, x, (size_t)n_x, grads) != BP_OK)
    return fun_fails(df, "bp_vjp: %s", bp_error());
  for (int i = 0; i < n_x; i++)
    fun_result(df, grads[i]);
  return true;
}

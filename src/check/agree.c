/* What the derivatives of a probe must agree on: vjp and jvp with differences and with each other. */
#include "check/probe.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A new input shaped like n with random values, not small ones; one more input of f. */
static bp_status seed_like(bpi_probe *f, bp_node n, const char *prefix, bp_node *seed)
{
  bp_type t;
  char name[40];
  bp_status s = bp_node_type(n, &t);
  if (s != BP_OK)
    return s;
  snprintf(name, sizeof name, "%s_%u", prefix, bp_graph_mark(f->g));
  *seed = bp_input(f->g, name, BP_REAL, t.rank, t.dims);
  int64_t size = bp_node_size(n);
  double *v = bpi_probe_doubles(f, size);
  for (int64_t i = 0; v && i < size; i++) {
    double sign = bpi_probe_uniform(f, -1, 1) < 0 ? -1 : 1;
    v[i] = sign * bpi_probe_uniform(f, 0.5, 1.5);
  }
  return bpi_probe_input(f, *seed, v);
}

static bp_status seeds_like(bpi_probe *f, const bp_node *n, int count, const char *prefix, bp_node *seeds)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < count; i++)
    s = seed_like(f, n[i], prefix, &seeds[i]);
  return s;
}

/* Weights of the real entries of n nodes: the values of seeds where one is given, else 0. NULL when out of memory. */
static double *weights_of(bpi_probe *f, const bp_node *n, int count, const bp_node *seeds)
{
  double *w = bpi_probe_doubles(f, bpi_real_size(n, count)), *to = w;
  for (int i = 0; w && i < count; i++) {
    int64_t size = bp_node_size(n[i]);
    for (int k = 0; k < f->n_x && !bp_absent(seeds[i]); k++)
      if (f->x[k].index == seeds[i].index)
        memcpy(to, f->data[k], (size_t)size * sizeof *to);
    to += size;
  }
  return w;
}

/* got[j] against sum over i of w[i] J[i,j] (or, across, J[j,i]). */
static bp_status weighted_agrees(const char *what, const bpi_measured *J, bool across, const double *w,
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
      return bpi_fail(BP_E_CHECK, "%s[%lld] is %.12g, differences say %.12g +- %.2g", what, (long long)j,
                      got[j], want, tol);
  }
  return BP_OK;
}

/* One of the two products, for the seeds that are there. */
typedef bp_status (*product)(bpi_probe *f, const bpi_measured *J, const bp_node *n, int count,
                             const bp_node *seeds);

/* With every seed, then with each one alone. The seeds are inputs of f for this time. */
static bp_status all_then_each(bpi_probe *f, const bpi_measured *J, const bp_node *n, int count,
                               const char *prefix, product one)
{
  bp_node seeds[BPI_PROBE_MAX], alone[BPI_PROBE_MAX];
  int kept = f->n_x;
  bp_status s = seeds_like(f, n, count, prefix, seeds);
  if (s == BP_OK)
    s = one(f, J, n, count, seeds);
  for (int i = 0; s == BP_OK && count > 1 && i < count; i++) {
    for (int k = 0; k < count; k++)
      alone[k] = k == i ? seeds[k] : BP_NO_NODE;
    s = one(f, J, n, count, alone);
  }
  f->n_x = kept;
  return s;
}

/* Those of n nodes that have a seed, and the seeds. */
static int with_seed(const bp_node *n, int count, const bp_node *seeds, bp_node *some, bp_node *their)
{
  int k = 0;
  for (int i = 0; i < count; i++)
    if (!bp_absent(seeds[i])) {
      some[k] = n[i];
      their[k++] = seeds[i];
    }
  return k;
}

/* vjp of the results that have a seed. */
static bp_status one_vjp(bpi_probe *f, const bpi_measured *J, const bp_node *y, int n_y, const bp_node *seeds)
{
  bp_node x[BPI_PROBE_MAX], grads[BPI_PROBE_MAX], some[BPI_PROBE_MAX], up[BPI_PROBE_MAX];
  int n_x = bpi_only_real(f->x, f->n_x, x) - n_y; /* the seeds come last */
  int n = with_seed(y, n_y, seeds, some, up);
  bp_status s = bpi_explain(bp_vjp(some, up, (size_t)n, x, (size_t)n_x, grads), "bp_vjp");
  double *got = bpi_probe_doubles(f, bpi_real_size(x, n_x)), *w = weights_of(f, y, n_y, seeds);
  if (s != BP_OK || !got || !w)
    return s != BP_OK ? s : bpi_nomem();
  s = bpi_probe_values_of(f, BP_FLOAT64, grads, n_x, got);
  return s != BP_OK ? s : weighted_agrees(n == n_y ? "vjp" : "vjp of one result", J, false, w, got);
}

bp_status bpi_probe_vjp_agrees(bpi_probe *f, const bpi_measured *J)
{
  bp_node y[BPI_PROBE_MAX];
  return all_then_each(f, J, y, bpi_only_real(f->y, f->n_y, y), "up", one_vjp);
}

/* Tangents of all real results for the inputs that have a seed. */
static bp_status one_jvp(bpi_probe *f, const bpi_measured *J, const bp_node *x, int n_x, const bp_node *seeds)
{
  bp_node y[BPI_PROBE_MAX], out[BPI_PROBE_MAX], some[BPI_PROBE_MAX], tangent[BPI_PROBE_MAX];
  int n_y = bpi_only_real(f->y, f->n_y, y), n = with_seed(x, n_x, seeds, some, tangent);
  bp_status s = bpi_explain(bp_jvp(y, (size_t)n_y, some, tangent, (size_t)n, out), "bp_jvp");
  double *got = bpi_probe_doubles(f, J->rows), *w = weights_of(f, x, n_x, seeds);
  if (s != BP_OK || !got || !w)
    return s != BP_OK ? s : bpi_nomem();
  s = bpi_probe_values_of(f, BP_FLOAT64, out, n_y, got);
  return s != BP_OK ? s : weighted_agrees(n == n_x ? "jvp" : "jvp of one input", J, true, w, got);
}

bp_status bpi_probe_jvp_agrees(bpi_probe *f, const bpi_measured *J)
{
  bp_node x[BPI_PROBE_MAX];
  return all_then_each(f, J, x, bpi_only_real(f->x, f->n_x, x), "tangent", one_jvp);
}

/* ---- the two products with each other ---- */

/* <u, jv> and <ju, v>: nodes with their values, and the weights. */
static bp_status dots_agree(bpi_probe *f, const bp_node *y, int n_y, const bp_node *u, const bp_node *jv,
                            const bp_node *x, int n_x, const bp_node *v, const bp_node *ju)
{
  int64_t rows = bpi_real_size(y, n_y), cols = bpi_real_size(x, n_x);
  double *got_v = bpi_probe_doubles(f, rows), *got_u = bpi_probe_doubles(f, cols), a = 0, b = 0,
         scale = 1e-290;
  const double *wu = weights_of(f, y, n_y, u), *wv = weights_of(f, x, n_x, v);
  if (!got_v || !got_u || !wu || !wv)
    return bpi_nomem();
  bp_status s = bpi_probe_values_of(f, BP_FLOAT64, jv, n_y, got_v);
  if (s == BP_OK)
    s = bpi_probe_values_of(f, BP_FLOAT64, ju, n_x, got_u);
  if (s != BP_OK)
    return s;
  for (int64_t i = 0; i < rows; i++) {
    a += wu[i] * got_v[i];
    scale += fabs(wu[i] * got_v[i]);
  }
  for (int64_t i = 0; i < cols; i++) {
    b += wv[i] * got_u[i];
    scale += fabs(wv[i] * got_u[i]);
  }
  return fabs(a - b) <= 1e-12 * scale ? BP_OK
                                      : bpi_fail(BP_E_CHECK, "<u, Jv> = %.17g but <J'u, v> = %.17g", a, b);
}

bp_status bpi_probe_adjoint_agrees(bpi_probe *f)
{
  bp_node x[BPI_PROBE_MAX], y[BPI_PROBE_MAX], v[BPI_PROBE_MAX], u[BPI_PROBE_MAX], jv[BPI_PROBE_MAX],
      ju[BPI_PROBE_MAX];
  int n_x = bpi_only_real(f->x, f->n_x, x), n_y = bpi_only_real(f->y, f->n_y, y), kept = f->n_x;
  bp_status s = seeds_like(f, x, n_x, "tangent", v);
  if (s == BP_OK)
    s = seeds_like(f, y, n_y, "up", u);
  if (s == BP_OK)
    s = bpi_explain(bp_jvp(y, (size_t)n_y, x, v, (size_t)n_x, jv), "bp_jvp");
  if (s == BP_OK)
    s = bpi_explain(bp_vjp(y, u, (size_t)n_y, x, (size_t)n_x, ju), "bp_vjp");
  if (s == BP_OK)
    s = dots_agree(f, y, n_y, u, jv, x, n_x, v, ju);
  f->n_x = kept;
  return s;
}

/* ---- the gradient as a probe of its own ---- */

bp_status bpi_probe_gradient(bpi_probe *f, bpi_probe *df)
{
  bp_node x[BPI_PROBE_MAX], y[BPI_PROBE_MAX], up[BPI_PROBE_MAX], grads[BPI_PROBE_MAX];
  int n_x = bpi_only_real(f->x, f->n_x, x), n_y = bpi_only_real(f->y, f->n_y, y);
  bp_status s = BP_OK;
  bpi_probe_open(df, f->g, f->seed);
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    s = bpi_probe_input(df, f->x[i], f->data[i]);
  if (s == BP_OK)
    s = seeds_like(df, y, n_y, "upstream", up);
  if (s == BP_OK)
    s = bpi_explain(bp_vjp(y, up, (size_t)n_y, x, (size_t)n_x, grads), "bp_vjp");
  for (int i = 0; s == BP_OK && i < n_x; i++)
    s = bpi_probe_result(df, grads[i]);
  return s;
}

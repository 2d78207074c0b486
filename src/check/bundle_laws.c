/* The law of bundles: a row that has a definition in simpler nodes equals it, in value and in gradient. */
#include "check/laws.h"

#include <math.h>
#include <string.h>

/* Of the largest value: expansions may be the clumsier form. */
static const double bundle_bound = 1e-11;

/* Where the row says that its expansion is equal; everywhere is tried to 20. Only the first real input is a bundle's variable. */
static void widen_range(const bp_op *op, bpi_example *ex)
{
  for (int i = 0; i < ex->n_args; i++) {
    bpi_arg *a = &ex->args[i];
    if (a->type.dtype != BP_REAL || a->simplex)
      continue;
    bool stated = op->safe_lo != 0 || op->safe_hi != 0;
    if (stated || !a->ranged) {
      a->lo = stated ? op->safe_lo : -20;
      a->hi = stated ? op->safe_hi : 20;
    }
    return;
  }
}

static bp_status near_all(const char *what, const double *a, const double *b, int64_t n)
{
  double largest = 1;
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, fabs(a[i]));
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= bundle_bound * largest))
      return bpi_fail(BP_E_CHECK, "%s[%lld]: the row gives %.17g, its expansion %.17g", what, (long long)i,
                      a[i], b[i]);
  return BP_OK;
}

/* The definition's results, of the same types as the row's. */
static bp_status expand_call(bpi_probe *f, const bp_op_call *call, bp_node *z)
{
  for (int k = 0; k < call->n_out; k++)
    z[k] = bpi_error_node(call->graph);
  bp_status s = call->op->expand(call, z);
  if (s == BP_OK)
    s = bp_graph_status(f->g);
  for (int k = 0; s == BP_OK && k < f->n_y; k++) {
    bp_type want, got;
    if (bp_node_type(f->y[k], &want) != BP_OK || bp_node_type(z[k], &got) != BP_OK ||
        !bpi_same_shape(&want, &got) || want.dtype != got.dtype)
      return bpi_fail(BP_E_CHECK, "result %d of the expansion has another type", k);
  }
  return bpi_explain(s, "does not expand");
}

static bp_status same_values(bpi_probe *f, const bp_node *z)
{
  int64_t n = bpi_probe_size(f);
  double *a = bpi_probe_doubles(f, n), *b = bpi_probe_doubles(f, n);
  if (!a || !b)
    return bpi_nomem();
  bp_status s = bpi_probe_all_values(f, BP_FLOAT64, a);
  if (s == BP_OK)
    s = bpi_probe_values_of(f, BP_FLOAT64, z, f->n_y, b);
  return s == BP_OK ? near_all("value", a, b, n) : s;
}

/* The values of the gradient of results y, n of them. Equal seeds give every such gradient the same upstream values. */
static bp_status gradient_values(bpi_probe *f, const bp_node *y, double **out, int64_t *n)
{
  bpi_probe df;
  memcpy(f->y, y, (size_t)f->n_y * sizeof *y);
  bp_status s = bpi_probe_gradient(f, &df);
  *n = bpi_real_size(df.y, df.n_y);
  *out = bpi_probe_doubles(f, *n);
  if (s == BP_OK)
    s = *out ? bpi_probe_values(&df, BP_FLOAT64, *out) : bpi_nomem();
  bpi_probe_close(&df);
  return s;
}

static bp_status expansion_agrees(bpi_probe *f, const bp_op_call *call)
{
  bp_node z[BP_MAX_RESULTS], own[BP_MAX_RESULTS];
  double *a, *b;
  int64_t n;
  memcpy(own, f->y, (size_t)f->n_y * sizeof *own);
  bp_status s = expand_call(f, call, z);
  if (s == BP_OK)
    s = same_values(f, z);
  if (s != BP_OK || !bpi_probe_differentiable(f))
    return s;
  s = gradient_values(f, own, &a, &n);
  if (s == BP_OK)
    s = gradient_values(f, z, &b, &n);
  return s == BP_OK ? near_all("gradient", a, b, n) : s;
}

static bp_status bundle_on_range(bpi_law_case *c, bool wide)
{
  bpi_sample s;
  bpi_call_room room;
  bp_op_call call;
  bp_status status = bpi_sample_read(c, &s);
  if (status == BP_OK && wide)
    widen_range(c->op, &s.ex);
  if (status == BP_OK)
    status = bpi_sample_build(c, &s);
  if (status == BP_OK)
    status = bpi_sample_call(&s, &room, &call);
  if (status == BP_OK) {
    status = expansion_agrees(&s.f, &call);
    bpi_call_done(&room);
  }
  return bpi_sample_close(&s, status);
}

/* On the example's own range too: far out, many a derivative is too small to be compared. */
bp_status bpi_law_bundle(bpi_law_case *c)
{
  c->skipped = !c->op->expand;
  bp_status s = c->skipped ? BP_OK : bundle_on_range(c, false);
  return s == BP_OK && !c->skipped ? bundle_on_range(c, true) : s;
}

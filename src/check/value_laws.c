/* Laws of values: storage, empty arrays, NaN, infinity, passes. */
#include "check/laws.h"

#include <float.h>
#include <math.h>
#include <string.h>

static bool any_real(const bpi_probe *f)
{
  for (int i = 0; i < f->n_x; i++)
    if (bpi_is_real(f->x[i]))
      return true;
  return false;
}

/* ---- float32 = float64 ---- */

static double ulp32(double largest)
{
  return fmax(ldexp(FLT_EPSILON, ilogb(fmax(largest, FLT_MIN))), 0x1p-149);
}

/* One result: float32 against float64. */
static bp_status narrow_is_near(int result, const double *narrow, const double *wide, int64_t size,
                                double ulps)
{
  double largest = 0;
  for (int64_t i = 0; i < size; i++)
    largest = fmax(largest, fabs(wide[i]));
  for (int64_t i = 0; i < size; i++)
    if (!(fabs(narrow[i] - wide[i]) <= ulps * ulp32(largest)) && !(narrow[i] == wide[i]) &&
        !(isnan(narrow[i]) && isnan(wide[i])))
      return bpi_fail(BP_E_CHECK,
                      "result %d[%lld]: float32 gives %.9g, float64 %.17g, %.1f ulp of the largest apart",
                      result, (long long)i, narrow[i], wide[i], fabs(narrow[i] - wide[i]) / ulp32(largest));
  return BP_OK;
}

static bp_status storage_agrees(const bp_op *op, bpi_probe *f)
{
  int64_t n = bpi_probe_size(f);
  double *wide = bpi_probe_doubles(f, n), *narrow = bpi_probe_doubles(f, n);
  if (!wide || !narrow)
    return bpi_nomem();
  bp_status s = bpi_probe_all_values(f, BP_FLOAT64, wide);
  if (s == BP_OK)
    s = bpi_explain(bpi_probe_all_values(f, BP_FLOAT32, narrow), "in float32");
  for (int k = 0; s == BP_OK && k < f->n_y; k++) {
    int64_t size = bp_node_size(f->y[k]);
    double ulps = !bpi_is_real(f->y[k]) ? 0 : op->ulp32 > 0 ? op->ulp32 : 4;
    s = narrow_is_near(k, narrow, wide, size, ulps);
    wide += size;
    narrow += size;
  }
  return s;
}

bp_status bpi_law_float32(bpi_law_case *c)
{
  bpi_sample s;
  c->skipped = c->float64_only;
  if (c->skipped)
    return BP_OK;
  bp_status status = bpi_sample_open(c, &s);
  if (status != BP_OK)
    return bpi_sample_close(&s, status);
  for (int i = 0; i < s.f.n_x; i++)
    for (int64_t k = 0; bpi_is_real(s.f.x[i]) && k < bp_node_size(s.f.x[i]); k++)
      ((double *)s.f.data[i])[k] = (float)((double *)s.f.data[i])[k];
  return bpi_sample_close(&s, storage_agrees(c->op, &s.f));
}

/* ---- empty arrays ---- */

static bp_status runs(const bpi_law_case *c, bpi_probe *f)
{
  bp_status s = bpi_probe_values(f, BP_FLOAT64, NULL);
  return s == BP_OK && !c->float64_only ? bpi_probe_values(f, BP_FLOAT32, NULL) : s;
}

/* Values and gradient, in every storage. */
static bp_status runs_through(const bpi_law_case *c, bpi_probe *f)
{
  bpi_probe df;
  bp_status s = runs(c, f);
  if (s != BP_OK || !bpi_probe_differentiable(f))
    return s;
  s = bpi_probe_gradient(f, &df);
  if (s == BP_OK)
    s = runs(c, &df);
  bpi_probe_close(&df);
  return bpi_explain(s, "gradient");
}

/* Every dim of that size becomes 0: one example call gives several empty ones. */
static bool without_size(bpi_example *ex, int64_t size)
{
  bool changed = false;
  for (int i = 0; i < ex->n_args; i++)
    for (int k = 0; k < ex->args[i].type.rank && !ex->args[i].key; k++)
      if (ex->args[i].type.dims[k] == size) {
        ex->args[i].type.dims[k] = 0;
        changed = true;
      }
  return changed;
}

static bool has_empty(const bpi_probe *f)
{
  for (int i = 0; i < f->n_x; i++)
    if (bp_node_size(f->x[i]) == 0)
      return true;
  for (int k = 0; k < f->n_y; k++)
    if (bp_node_size(f->y[k]) == 0)
      return true;
  return false;
}

/* Refusing an empty call is fine, if it is said properly. A call that is made must run. */
static bp_status empty_form(bpi_law_case *c, int64_t size)
{
  bpi_sample s;
  bp_status status = bpi_sample_read(c, &s);
  c->skipped = false;
  if (status == BP_OK && size && !without_size(&s.ex, size))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = bpi_sample_build(c, &s);
  if (status != BP_OK) {
    c->skipped = size && s.g && strstr(bp_graph_error(s.g), c->op->name);
    status = bpi_sample_close(&s, status);
    return c->skipped && status != BP_E_NOMEM ? BP_OK : status;
  }
  return has_empty(&s.f) ? bpi_sample_close(&s, runs_through(c, &s.f)) : bpi_skip(c, &s);
}

/* The types of a function's parameters are fixed: such a row cannot be made empty from outside. */
static bool takes_function(const bp_op *op)
{
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    if (op->attrs[i].kind == BP_ATTR_FN)
      return true;
  return false;
}

bp_status bpi_law_empty(bpi_law_case *c)
{
  int met = 0;
  bool inputs = false;
  bp_status s = BP_OK;
  for (int e = 0; s == BP_OK && e < bpi_example_count(c->op); e++) {
    c->example = c->op->examples[e];
    inputs = inputs || *c->example != ';';
    for (int64_t size = 0; s == BP_OK && size <= 8; size++) {
      s = empty_form(c, size);
      met += s == BP_OK && !c->skipped;
    }
  }
  if (s != BP_OK)
    return s;
  c->skipped = !met;
  return met || !inputs || takes_function(c->op)
             ? BP_OK
             : bpi_fail(BP_E_CHECK, "no empty call was accepted; an example with a dim of 0 is missing");
}

/* ---- NaN and infinity ---- */

/* What one element of one input reaches. */
typedef struct reach {
  bpi_probe *f;
  const double *base;      /* results as they are, */
  double *got, *dependent; /* room, and how often each was changed */
  int64_t n;
} reach;

/* Counts the results that a change of *x to v alters. */
static bp_status note_change(reach *r, double *x, double v)
{
  double x0 = *x;
  *x = v;
  bp_status s = bpi_probe_values(r->f, BP_FLOAT64, r->got);
  *x = x0;
  for (int64_t i = 0; s == BP_OK && i < r->n; i++)
    r->dependent[i] += !(r->got[i] == r->base[i]);
  return s;
}

static bp_status nan_reaches(reach *r, double *x, bp_dtype real, int64_t col)
{
  double x0 = *x;
  *x = NAN;
  bp_status s = bpi_probe_values(r->f, real, r->got);
  *x = x0;
  for (int64_t i = 0; s == BP_OK && i < r->n; i++)
    if (r->dependent[i] != 0 && !isnan(r->got[i]))
      s = bpi_fail(BP_E_CHECK,
                   "NaN in input element %lld does not reach result element %lld, which is %g in %s",
                   (long long)col, (long long)i, r->got[i], bp_dtype_name(real));
  return s;
}

static bp_status nan_arrives(const bpi_law_case *c, reach *r, double *x, int64_t col)
{
  static const double changes[] = {0.01, -0.01, 0.7, -0.7, 6, -6};
  bp_status s = BP_OK;
  memset(r->dependent, 0, (size_t)r->n * sizeof *r->dependent);
  for (size_t k = 0; s == BP_OK && k < sizeof changes / sizeof *changes; k++)
    s = note_change(r, x, *x + changes[k]);
  if (s == BP_OK)
    s = nan_reaches(r, x, BP_FLOAT64, col);
  return s == BP_OK && !c->float64_only ? nan_reaches(r, x, BP_FLOAT32, col) : s;
}

static bp_status nan_arrives_from_all(const bpi_law_case *c, bpi_probe *f)
{
  int64_t n = bpi_real_size(f->y, f->n_y), col = 0;
  double *base = bpi_probe_doubles(f, n);
  reach r = {f, base, bpi_probe_doubles(f, n), bpi_probe_doubles(f, n), n};
  if (!base || !r.got || !r.dependent)
    return bpi_nomem();
  bp_status s = bpi_probe_values(f, BP_FLOAT64, base);
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    for (int64_t k = 0; s == BP_OK && bpi_is_real(f->x[i]) && k < bp_node_size(f->x[i]); k++, col++)
      s = nan_arrives(c, &r, (double *)f->data[i] + k, col);
  return s;
}

bp_status bpi_law_nan(bpi_law_case *c)
{
  bpi_sample s;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK && (!bpi_probe_differentiable(&s.f) || (c->op->traits & BP_NAN_STOPS)))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = nan_arrives_from_all(c, &s.f);
  return bpi_sample_close(&s, status);
}

/* Each element in turn, then all of them. */
static bp_status infinity_runs(const bpi_law_case *c, bpi_probe *f, double *x, int64_t size)
{
  static const double ends[] = {INFINITY, -INFINITY, NAN};
  bp_status s = BP_OK;
  for (size_t e = 0; s == BP_OK && e < sizeof ends / sizeof *ends; e++) {
    for (int64_t k = 0; s == BP_OK && k < size; k++) {
      double x0 = x[k];
      x[k] = ends[e];
      s = runs_through(c, f);
      x[k] = x0;
    }
    for (int64_t k = 0; k < size; k++)
      x[k] = ends[e];
    if (s == BP_OK)
      s = runs_through(c, f);
  }
  return s;
}

bp_status bpi_law_infinity(bpi_law_case *c)
{
  bpi_sample s;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK && !any_real(&s.f))
    return bpi_skip(c, &s);
  for (int i = 0; status == BP_OK && i < s.f.n_x; i++)
    if (bpi_is_real(s.f.x[i]))
      status = infinity_runs(c, &s.f, s.f.data[i], bp_node_size(s.f.x[i]));
  return bpi_sample_close(&s, status);
}

/* ---- passes ---- */

/* Values of all results under a compiler with some passes off. */
static bp_status values_without(bpi_probe *f, uint32_t passes_off, double *out)
{
  bp_plan_options o = {
      .real = BP_FLOAT64, .outputs = f->y, .n_outputs = (size_t)f->n_y, .passes_off = passes_off};
  bpi_eval e = {.ctx = bp_graph_ctx(f->g), .real = BP_FLOAT64};
  bp_status s = bp_plan_new(f->g, &o, &e.plan);
  if (s == BP_OK)
    s = bp_run_new(e.plan, NULL, &e.run);
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    s = bpi_eval_bind(&e, f->x[i], f->data[i]);
  if (s == BP_OK)
    s = bpi_probe_run(&e, f->y, f->n_y, out);
  bpi_eval_close(&e);
  return bpi_explain(s, passes_off ? "without passes" : "with all passes");
}

static bool same_bits(double a, double b)
{
  uint64_t x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return x == y || (isnan(a) && isnan(b)); /* there is one NaN */
}

static bp_status passes_agree(bpi_probe *f)
{
  int64_t n = bpi_probe_size(f);
  double *on = bpi_probe_doubles(f, n), *off = bpi_probe_doubles(f, n);
  if (!on || !off)
    return bpi_nomem();
  bp_status s = values_without(f, 0, on);
  if (s == BP_OK)
    s = values_without(f, ~0u, off);
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    if (!same_bits(on[i], off[i]))
      s = bpi_fail(BP_E_CHECK, "value %lld is %.17g with all passes, %.17g without", (long long)i, on[i],
                   off[i]);
  return s;
}

bp_status bpi_law_passes(bpi_law_case *c)
{
  bpi_sample s;
  bpi_probe df;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK)
    status = passes_agree(&s.f);
  if (status == BP_OK && bpi_probe_differentiable(&s.f)) {
    status = bpi_probe_gradient(&s.f, &df);
    if (status == BP_OK)
      status = passes_agree(&df);
    bpi_probe_close(&df);
    status = bpi_explain(status, "gradient");
  }
  return bpi_sample_close(&s, status);
}

/* Laws of values: storage, empty arrays, NaN, infinity, passes. */
#include "support/laws.h"
#include "graph/graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

static bool any_real(const bp_node *n, int count)
{
  for (int i = 0; i < count; i++)
    if (is_real(n[i]))
      return true;
  return false;
}

static bool has_gradient(const fun *f)
{
  return any_real(f->x, f->n_x) && any_real(f->y, f->n_y);
}

/* ---- float32 = float64 ---- */

static double ulp32(double largest)
{
  return fmax(ldexp(FLT_EPSILON, ilogb(fmax(largest, FLT_MIN))), 0x1p-149);
}

static bool storage_agrees(law_case *c, fun *f)
{
  int64_t n = fun_all_size(f);
  double *wide = fun_doubles(f, n), *narrow = fun_doubles(f, n), ulps = c->op->ulp32 > 0 ? c->op->ulp32 : 4;
  if (!fun_all_values(f, BP_FLOAT64, wide) || !fun_all_values(f, BP_FLOAT32, narrow))
    return false;
  for (int k = 0; k < f->n_y; k++) {
    int64_t size = bp_node_size(f->y[k]);
    double largest = 0, bound;
    for (int64_t i = 0; i < size; i++)
      largest = fmax(largest, fabs(wide[i]));
    bound = is_real(f->y[k]) ? ulps * ulp32(largest) : 0;
    for (int64_t i = 0; i < size; i++)
      if (!(fabs(narrow[i] - wide[i]) <= bound) && !(narrow[i] == wide[i]) &&
          !(isnan(narrow[i]) && isnan(wide[i])))
        return fun_fails(f,
                         "result %d[%lld]: float32 gives %.9g, float64 %.17g, %.1f ulp of the largest apart",
                         k, (long long)i, narrow[i], wide[i], fabs(narrow[i] - wide[i]) / ulp32(largest));
    wide += size;
    narrow += size;
  }
  return true;
}

verdict law_float32(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  for (int i = 0; i < s.f.n_x; i++)
    for (int64_t k = 0; is_real(s.f.x[i]) && k < bp_node_size(s.f.x[i]); k++)
      ((double *)s.f.data[i])[k] = (float)((double *)s.f.data[i])[k];
  return judged(c, &s, storage_agrees(c, &s.f));
}

/* ---- empty arrays ---- */

/* Values and gradient, in both storages. */
static bool runs_through(fun *f)
{
  fun df;
  bool good = fun_values(f, BP_FLOAT64, NULL) && fun_values(f, BP_FLOAT32, NULL);
  if (!good || !has_gradient(f))
    return good;
  good = (fun_gradient(f, &df) && fun_values(&df, BP_FLOAT64, NULL) && fun_values(&df, BP_FLOAT32, NULL)) ||
         fun_fails(f, "gradient: %s", df.why);
  fun_close(&df);
  return good;
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

/* Refusing an empty call is fine, if it is said properly. A call that is made must run. */
static verdict empty_form(law_case *c, int64_t size)
{
  sample s;
  memset(&s, 0, sizeof s);
  if (bpi_example_open(&s.ex, c->ctx, c->op, c->example) != BP_OK)
    return broken(c, "%s", bp_error());
  if (size && !without_size(&s.ex, size)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  if (!sample_build(c, &s)) {
    bool said = s.g && strstr(bp_graph_error(s.g), c->op->name);
    sample_close(&s);
    return size && said ? LAW_SKIPPED : LAW_BROKEN;
  }
  bool is_empty = false;
  for (int i = 0; i < s.f.n_x; i++)
    is_empty = is_empty || bp_node_size(s.f.x[i]) == 0;
  for (int k = 0; k < s.f.n_y; k++)
    is_empty = is_empty || bp_node_size(s.f.y[k]) == 0;
  if (!is_empty) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  return judged(c, &s, runs_through(&s.f));
}

verdict law_empty(law_case *c)
{
  int met = 0;
  bool inputs = false;
  for (int e = 0; e < count_examples(c->op); e++) {
    c->example = c->op->examples[e];
    inputs = inputs || *c->example != ';';
    for (int64_t size = 0; size <= 8; size++) {
      verdict v = empty_form(c, size);
      if (v == LAW_BROKEN)
        return v;
      met += v == LAW_HOLDS;
    }
  }
  /* The types of a function's parameters are fixed: such a row cannot be made empty from outside. */
  for (int i = 0; i < bpi_op_n_attrs(c->op); i++)
    inputs = inputs && c->op->attrs[i].kind != BP_ATTR_FN;
  if (!met && inputs)
    return broken(c, "no empty call was accepted; an example with a dim of 0 is missing");
  return met ? LAW_HOLDS : LAW_SKIPPED;
}

/* ---- NaN and infinity ---- */

/* Adds to `dependent` the results that a change of *x to v alters. */
static bool note_change(fun *f, double *x, double v, const double *base, double *got, double *dependent)
{
  double x0 = *x;
  *x = v;
  bool good = fun_values(f, BP_FLOAT64, got);
  *x = x0;
  for (int64_t i = 0; i < real_size(f->y, f->n_y); i++)
    dependent[i] += !(got[i] == base[i]);
  return good;
}

static bool nan_arrives(fun *f, double *x, const double *base, int64_t col)
{
  int64_t n = real_size(f->y, f->n_y);
  double *got = fun_doubles(f, n), *dependent = fun_doubles(f, n), x0 = *x;
  static const double changes[] = {0.01, -0.01, 0.7, -0.7, 6, -6};
  for (size_t k = 0; k < sizeof changes / sizeof *changes; k++)
    if (!note_change(f, x, x0 + changes[k], base, got, dependent))
      return false;
  for (int t = 0; t < 2; t++) {
    *x = NAN;
    bool good = fun_values(f, t ? BP_FLOAT32 : BP_FLOAT64, got);
    *x = x0;
    if (!good)
      return false;
    for (int64_t i = 0; i < n; i++)
      if (dependent[i] && !isnan(got[i]))
        return fun_fails(f, "NaN in input element %lld does not reach result element %lld, which is %g in %s",
                         (long long)col, (long long)i, got[i], t ? "float32" : "float64");
  }
  return true;
}

verdict law_nan(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  if (!has_gradient(&s.f) || (c->op->traits & BP_NAN_STOPS)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  double *base = fun_doubles(&s.f, real_size(s.f.y, s.f.n_y));
  bool good = fun_values(&s.f, BP_FLOAT64, base);
  int64_t col = 0;
  for (int i = 0; good && i < s.f.n_x; i++)
    for (int64_t k = 0; good && is_real(s.f.x[i]) && k < bp_node_size(s.f.x[i]); k++, col++)
      good = nan_arrives(&s.f, (double *)s.f.data[i] + k, base, col);
  return judged(c, &s, good);
}

static bool infinity_runs(fun *f, double *x, int64_t size)
{
  static const double ends[] = {INFINITY, -INFINITY, NAN};
  for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
    for (int64_t k = 0; k < size; k++) {
      double x0 = x[k];
      x[k] = ends[e];
      bool good = runs_through(f);
      x[k] = x0;
      if (!good)
        return false;
    }
    for (int64_t k = 0; k < size; k++)
      x[k] = ends[e];
    if (!runs_through(f))
      return false;
  }
  return true;
}

verdict law_infinity(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  if (!any_real(s.f.x, s.f.n_x)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  bool good = true;
  for (int i = 0; good && i < s.f.n_x; i++)
    if (is_real(s.f.x[i]))
      good = infinity_runs(&s.f, s.f.data[i], bp_node_size(s.f.x[i]));
  return judged(c, &s, good);
}

/* ---- passes ---- */

/* Values of all real results under a compiler with some passes off, as bits. */
static bool values_without(fun *f, uint32_t passes_off, double *out)
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
    s = bpi_eval_step(&e);
  for (int k = 0; s == BP_OK && k < f->n_y; k++) {
    s = bp_run_get(e.run, (size_t)k, out, (size_t)bp_node_size(f->y[k]));
    out += bp_node_size(f->y[k]);
  }
  bpi_eval_close(&e);
  return s == BP_OK || fun_fails(f, "with passes_off = %#x: %s", passes_off, bp_error());
}

static bool passes_agree(fun *f)
{
  int64_t n = fun_all_size(f);
  double *on = fun_doubles(f, n), *off = fun_doubles(f, n);
  if (!values_without(f, 0, on) || !values_without(f, ~0u, off))
    return false;
  for (int64_t i = 0; i < n; i++)
    if (memcmp(&on[i], &off[i], sizeof on[i]) != 0 && !(isnan(on[i]) && isnan(off[i])))
      return fun_fails(f, "value %lld is %.17g with all passes, %.17g without", (long long)i, on[i], off[i]);
  return true;
}

verdict law_passes(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  bool good = passes_agree(&s.f);
  if (good && has_gradient(&s.f)) {
    fun df;
    good = (fun_gradient(&s.f, &df) && passes_agree(&df)) || fun_fails(&s.f, "gradient: %s", df.why);
    fun_close(&df);
  }
  return judged(c, &s, good);
}

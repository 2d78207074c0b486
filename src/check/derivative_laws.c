/* Laws of derivatives, first and second, and of what happens at kinks. */
#include "check/laws.h"

#include <math.h>
#include <string.h>

bp_status bpi_law_vjp(bpi_law_case *c)
{
  bpi_sample s;
  bpi_measured J;
  bp_status status = bpi_sample_measured(c, &s, &J);
  if (status == BP_OK && !c->skipped)
    status = bpi_probe_vjp_agrees(&s.f, &J);
  return bpi_sample_close(&s, status);
}

bp_status bpi_law_jvp(bpi_law_case *c)
{
  bpi_sample s;
  bpi_measured J;
  bp_status status = bpi_sample_measured(c, &s, &J);
  if (status == BP_OK && !c->skipped)
    status = bpi_probe_jvp_agrees(&s.f, &J);
  return bpi_sample_close(&s, status);
}

bp_status bpi_law_adjoint(bpi_law_case *c)
{
  bpi_sample s;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK && !bpi_probe_differentiable(&s.f))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = bpi_probe_adjoint_agrees(&s.f);
  return bpi_sample_close(&s, status);
}

/* ---- second derivatives: the gradient of <up, y>, as a function of x and up, under the same three laws ---- */

static bp_status second_agrees(bpi_probe *f)
{
  bpi_probe df;
  bpi_measured H;
  bp_status s = bpi_probe_gradient(f, &df);
  if (s == BP_OK)
    s = bpi_probe_measure(&df, &H);
  if (s == BP_OK)
    s = bpi_probe_vjp_agrees(&df, &H);
  if (s == BP_OK)
    s = bpi_probe_jvp_agrees(&df, &H);
  if (s == BP_OK)
    s = bpi_probe_adjoint_agrees(&df);
  bpi_probe_close(&df);
  return bpi_explain(s, "of the gradient");
}

bp_status bpi_law_second_derivative(bpi_law_case *c)
{
  bpi_sample s;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK && !bpi_probe_differentiable(&s.f))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = second_agrees(&s.f);
  return bpi_sample_close(&s, status);
}

/* ---- kinks ---- */

static bool same_slope(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/* An elementwise row at one point: scalars. Any other row: the point is the one input, of three elements, in the example's shape where
 * that has as many. */
static void place_at_kink(bpi_example *ex, bool scalars)
{
  for (int i = 0; i < ex->n_args; i++) {
    if (!scalars && bpi_type_size(&ex->args[i].type) == 3)
      continue;
    ex->args[i].type.rank = scalars ? 0 : 1;
    ex->args[i].type.dims[0] = 3;
  }
}

static bp_status slopes_at_kink(bpi_probe *f, const bp_kink *k, bool scalars, bp_dtype real, double *got)
{
  bp_node grads[BPI_PROBE_MAX];
  int n = scalars ? f->n_x : 1;
  for (int i = 0; i < f->n_x; i++)
    if (bpi_is_real(f->x[i]))
      memcpy(f->data[i], scalars ? &k->x[i] : k->x, scalars ? sizeof(double) : sizeof k->x);
  bp_status s = bpi_explain(bp_grad(f->y[0], f->x, (size_t)n, grads), "bp_grad at a kink");
  return s == BP_OK ? bpi_probe_values_of(f, real, grads, n, got) : s;
}

static bp_status kink_agrees(bpi_probe *f, const bp_kink *k, bool scalars, bp_dtype real)
{
  double got[3] = {0};
  if (f->n_x > (scalars ? 3 : 1))
    return bpi_fail(BP_E_CHECK, "a kink has three numbers, the example %d inputs", f->n_x);
  bp_status s = slopes_at_kink(f, k, scalars, real, got);
  for (int i = 0; s == BP_OK && i < (scalars ? f->n_x : 3); i++) {
    double want = real == BP_FLOAT32 ? (float)k->slope[i] : k->slope[i];
    if (!same_slope(got[i], want))
      s = bpi_fail(BP_E_CHECK, "at (%g, %g, %g) slope %d is %.17g in %s, documented is %.17g", k->x[0],
                   k->x[1], k->x[2], i, got[i], bp_dtype_name(real), want);
  }
  return s;
}

bp_status bpi_law_kinks(bpi_law_case *c)
{
  const bp_op *op = c->op;
  bool scalars = (op->traits & BP_ELEMENTWISE) != 0;
  bp_status status = BP_OK;
  c->skipped = op->n_kinks == 0;
  c->example = op->examples[0];
  if (op->n_kinks > 0 && !op->kink)
    return bpi_fail(BP_E_CHECK, "kinks are listed, but not said in words");
  for (int i = 0; status == BP_OK && i < 2 * op->n_kinks; i++) {
    bpi_sample s;
    if (i % 2 && c->float64_only)
      continue;
    status = bpi_sample_read(c, &s);
    if (status == BP_OK) {
      place_at_kink(&s.ex, scalars);
      status = bpi_sample_build(c, &s);
    }
    if (status == BP_OK)
      status = kink_agrees(&s.f, &op->kinks[i / 2], scalars, i % 2 ? BP_FLOAT32 : BP_FLOAT64);
    status = bpi_sample_close(&s, status);
  }
  return status;
}

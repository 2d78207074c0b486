/* Laws of structure: patterns found from the graph against the numeric Jacobian. */
#include "autodiff/pattern.h"
#include "check/laws.h"

/* Every entry of row i that is not 0 by the numbers is in the pattern. */
static bp_status row_covered(const bpi_pattern *p, const bpi_measured *J, int64_t i)
{
  int64_t k = p->row_start[i];
  for (int64_t j = 0; j < p->cols; j++) {
    bool here = k < p->row_start[i + 1] && p->col[k] == j;
    double v = J->at[i * J->cols + j], tol = J->tol[i * J->cols + j];
    k += here;
    if (!here && !(v <= tol && v >= -tol))
      return bpi_fail(BP_E_CHECK, "entry (%lld, %lld) is %g, and the pattern has none", (long long)i,
                      (long long)j, v);
  }
  return k == p->row_start[i + 1]
             ? BP_OK
             : bpi_fail(BP_E_CHECK, "the columns of row %lld are not ascending, or past the last",
                        (long long)i);
}

static bp_status covered(const bpi_pattern *p, const bpi_measured *J)
{
  if (p->rows != J->rows || p->cols != J->cols)
    return bpi_fail(BP_E_CHECK, "the pattern is %lld x %lld, the Jacobian %lld x %lld", (long long)p->rows,
                    (long long)p->cols, (long long)J->rows, (long long)J->cols);
  bp_status s = BP_OK;
  for (int64_t i = 0; s == BP_OK && i < p->rows; i++)
    s = row_covered(p, J, i);
  return s;
}

bp_status bpi_probe_pattern_covers(bpi_probe *f, const bpi_measured *J)
{
  bp_node x[BPI_PROBE_MAX], y[BPI_PROBE_MAX];
  size_t n_x = (size_t)bpi_only_real(f->x, f->n_x, x), n_y = (size_t)bpi_only_real(f->y, f->n_y, y);
  bpi_pattern p;
  bp_status s = bpi_explain(bpi_pattern_of(f->g, y, n_y, x, n_x, 0, &p), "no pattern");
  if (s != BP_OK)
    return s;
  s = covered(&p, J);
  bpi_pattern_free(&p);
  return s;
}

bp_status bpi_law_pattern(bpi_law_case *c)
{
  bpi_sample s;
  bpi_measured J;
  bp_status status = bpi_sample_measured(c, &s, &J);
  if (status == BP_OK && !c->skipped)
    status = bpi_probe_pattern_covers(&s.f, &J);
  return bpi_sample_close(&s, status);
}

/* The gradient's pattern is the Hessian's. */
bp_status bpi_law_second_pattern(bpi_law_case *c)
{
  bpi_sample s;
  bpi_probe df;
  bpi_measured H;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK && !bpi_probe_differentiable(&s.f))
    return bpi_skip(c, &s);
  if (status == BP_OK) {
    status = bpi_probe_gradient(&s.f, &df);
    if (status == BP_OK)
      status = bpi_probe_measure(&df, &H);
    if (status == BP_OK)
      status = bpi_probe_pattern_covers(&df, &H);
    bpi_probe_close(&df);
    status = bpi_explain(status, "of the gradient");
  }
  return bpi_sample_close(&s, status);
}

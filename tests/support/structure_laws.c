/* Laws of structure: patterns found from the graph, and local Jacobians, against the numeric Jacobian. */
#include "support/laws.h"
#include "autodiff/pattern.h"

/* Every entry that is not 0 by the numbers is in the pattern. */
static bool covers(fun *f, const bpi_pattern *p, const matrix *J)
{
  if (p->rows != J->rows || p->cols != J->cols)
    return fun_fails(f, "the pattern is %lld x %lld, the Jacobian %lld x %lld", (long long)p->rows,
                     (long long)p->cols, (long long)J->rows, (long long)J->cols);
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t k = p->row_start[i];
    for (int64_t j = 0; j < p->cols; j++) {
      bool here = k < p->row_start[i + 1] && p->col[k] == j;
      double v = J->at[i * J->cols + j];
      k += here;
      if (!here && !(v <= J->tol[i * J->cols + j] && v >= -J->tol[i * J->cols + j]))
        return fun_fails(f, "entry (%lld, %lld) is %g, and the pattern has none", (long long)i, (long long)j,
                         v);
    }
    if (k != p->row_start[i + 1])
      return fun_fails(f, "the columns of row %lld are not ascending, or past the last", (long long)i);
  }
  return true;
}

bool pattern_covers(fun *f, const matrix *J)
{
  bp_node x[FUN_MAX], y[FUN_MAX];
  int n_x = 0, n_y = 0;
  for (int i = 0; i < f->n_x; i++)
    if (is_real(f->x[i]))
      x[n_x++] = f->x[i];
  for (int i = 0; i < f->n_y; i++)
    if (is_real(f->y[i]))
      y[n_y++] = f->y[i];
  bpi_pattern p;
  if (bpi_pattern_of(f->g, y, (size_t)n_y, x, (size_t)n_x, 0, &p) != BP_OK)
    return fun_fails(f, "no pattern: %s", bp_error());
  bool good = covers(f, &p, J);
  bpi_pattern_free(&p);
  return good;
}

verdict law_pattern(law_case *c)
{
  sample s;
  matrix J;
  verdict v = sample_measured(c, &s, &J);
  return v == LAW_HOLDS ? judged(c, &s, pattern_covers(&s.f, &J)) : v;
}

/* The gradient's pattern is the Hessian's. */
verdict law_second_pattern(law_case *c)
{
  sample s;
  matrix J, H;
  verdict v = sample_measured(c, &s, &J);
  if (v != LAW_HOLDS)
    return v;
  fun df;
  bool good = fun_gradient(&s.f, &df) && fun_jacobian(&df, &H) && pattern_covers(&df, &H);
  if (!good)
    fun_fails(&s.f, "of the gradient: %.500s", df.why);
  fun_close(&df);
  return judged(c, &s, good);
}

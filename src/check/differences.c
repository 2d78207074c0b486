/* The Jacobian of a probe by differences alone: what the laws hold derivatives against. */
#include "check/probe.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { LEVELS = 4 };
static const double first_step = 0.02;

/* d[level * rows + i]: difference quotients for steps that halve. Neville's scheme in h^2 takes them to step 0. */
static void extrapolate(bpi_measured *J, int64_t col, const double *d, const double *largest)
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

/* What the columns of one probe share. */
typedef struct measuring {
  bpi_eval e;
  bp_node y[BPI_PROBE_MAX];
  int n_y;
  bpi_measured *J;
  double *up, *down, *largest, *d;
} measuring;

static bp_status measure_level(measuring *m, double *x, int level)
{
  int64_t n = m->J->rows;
  double x0 = *x;
  volatile double high = x0 + first_step / (1 << level), low = x0 - first_step / (1 << level);
  *x = high;
  bp_status s = bpi_probe_run(&m->e, m->y, m->n_y, m->up);
  *x = low;
  if (s == BP_OK)
    s = bpi_probe_run(&m->e, m->y, m->n_y, m->down);
  *x = x0;
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    m->d[level * n + i] = (m->up[i] - m->down[i]) / (high - low);
    m->largest[i] = fmax(m->largest[i], fmax(fabs(m->up[i]), fabs(m->down[i])));
  }
  return s;
}

/* Differences that do not come to rest measure nothing. */
static bp_status settled(const bpi_measured *J, int64_t col)
{
  for (int64_t i = 0; i < J->rows; i++) {
    double v = J->at[i * J->cols + col], tol = J->tol[i * J->cols + col];
    if (!(tol <= 1e-5 * fmax(1, fabs(v))))
      return bpi_fail(
          BP_E_CHECK,
          "differences do not settle: d result[%lld] / d input[%lld] = %g +- %g; is a kink or an edge near?",
          (long long)i, (long long)col, v, tol);
  }
  return BP_OK;
}

static bp_status measure_column(measuring *m, double *x, int64_t col)
{
  bp_status s = BP_OK;
  memset(m->largest, 0, (size_t)m->J->rows * sizeof *m->largest);
  for (int level = 0; s == BP_OK && level < LEVELS; level++)
    s = measure_level(m, x, level);
  if (s != BP_OK)
    return s;
  extrapolate(m->J, col, m->d, m->largest);
  return settled(m->J, col);
}

static bp_status measure_columns(bpi_probe *f, measuring *m)
{
  bp_status s = BP_OK;
  int64_t col = 0;
  for (int i = 0; s == BP_OK && i < f->n_x; i++) {
    double *x = f->data[i];
    int64_t size = bpi_is_real(f->x[i]) ? bp_node_size(f->x[i]) : 0;
    for (int64_t k = 0; s == BP_OK && k < size; k++, col++)
      s = measure_column(m, &x[k], col);
  }
  return s;
}

bp_status bpi_probe_measure(bpi_probe *f, bpi_measured *J)
{
  measuring m = {.J = J};
  int64_t rows = J->rows = bpi_real_size(f->y, f->n_y);
  J->cols = bpi_real_size(f->x, f->n_x);
  J->at = bpi_probe_doubles(f, rows * J->cols);
  J->tol = bpi_probe_doubles(f, rows * J->cols);
  m.up = bpi_probe_doubles(f, rows * (3 + LEVELS));
  if (!J->at || !J->tol || !m.up)
    return bpi_nomem();
  if (rows == 0 || J->cols == 0)
    return bpi_probe_values(f, BP_FLOAT64, NULL);
  m.down = m.up + rows;
  m.largest = m.down + rows;
  m.d = m.largest + rows;
  m.n_y = bpi_only_real(f->y, f->n_y, m.y);
  bp_status s = bpi_probe_ready(f, &m.e, BP_FLOAT64, m.y, m.n_y);
  if (s != BP_OK)
    return s;
  s = measure_columns(f, &m);
  bpi_eval_close(&m.e);
  return s;
}

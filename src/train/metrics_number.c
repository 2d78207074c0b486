/* Metrics of numbers, for one target. */
#include "base/sort.h"
#include "train/metrics.h"

#include <math.h>

static double truth(const bp_scores *s, int64_t row, int64_t k)
{
  return (double)s->y[row * s->outputs + k];
}

static double predicted(const bp_scores *s, int64_t row, int64_t k)
{
  return (double)bpi_row(s, row)[k];
}

/* Mean of f(truth, prediction) by weight. */
static double mean_of(const bp_scores *s, int64_t k, double (*f)(double y, double p, double arg), double arg)
{
  double sum = 0;
  for (int64_t i = 0; i < s->rows; i++)
    if (bpi_weight(s, i) > 0)
      sum += bpi_weight(s, i) * f(truth(s, i, k), predicted(s, i, k), arg);
  return sum / s->total;
}

static double square_off(double y, double p, double arg)
{
  (void)arg;
  return (p - y) * (p - y);
}

static double absolute_off(double y, double p, double arg)
{
  (void)arg;
  return fabs(p - y);
}

/* NaN where it has no meaning makes the whole NaN. */
static double relative_off(double y, double p, double arg)
{
  (void)arg;
  return y == 0 ? (double)NAN : fabs((p - y) / y);
}

static double poisson_off(double y, double p, double arg)
{
  (void)arg;
  if (!(y >= 0 && p > 0))
    return NAN;
  return 2 * ((y > 0 ? y * log(y / p) : 0) - y + p);
}

static double pinball_off(double y, double p, double q)
{
  return y >= p ? q * (y - p) : (1 - q) * (p - y);
}

bp_status bpi_mse(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = mean_of(s, k, square_off, arg);
  return BP_OK;
}

bp_status bpi_rmse(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = sqrt(mean_of(s, k, square_off, arg));
  return BP_OK;
}

bp_status bpi_mae(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = mean_of(s, k, absolute_off, arg);
  return BP_OK;
}

bp_status bpi_mape(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = mean_of(s, k, relative_off, arg);
  return BP_OK;
}

bp_status bpi_poisson(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = mean_of(s, k, poisson_off, arg);
  return BP_OK;
}

bp_status bpi_pinball(const bp_scores *s, int64_t k, double q, double *out)
{
  *out = mean_of(s, k, pinball_off, q);
  return BP_OK;
}

/* In two passes: the spread of large numbers that lie close together comes out right. */
bp_status bpi_r2(const bp_scores *s, int64_t k, double arg, double *out)
{
  double mean = 0, spread = 0;
  for (int64_t i = 0; i < s->rows; i++)
    mean += bpi_weight(s, i) * truth(s, i, k) / s->total;
  for (int64_t i = 0; i < s->rows; i++)
    spread += bpi_weight(s, i) * square_off(truth(s, i, k), mean, arg) / s->total;
  bool constant = !(sqrt(spread) > 1e-7 * fabs(mean)); /* less is rounding */
  *out = constant ? (double)NAN : 1 - mean_of(s, k, square_off, arg) / spread;
  return BP_OK;
}

bp_status bpi_largest_error(const bp_scores *s, int64_t k, double arg, double *out)
{
  *out = 0;
  for (int64_t i = 0; i < s->rows; i++) {
    double off = absolute_off(truth(s, i, k), predicted(s, i, k), arg);
    *out = bpi_weight(s, i) > 0 && off > *out ? off : *out;
  }
  return BP_OK;
}

/* ---- the median ---- */

typedef struct weighed {
  double value, weight;
} weighed;

static int rising(const void *a, const void *b, const void *arg)
{
  (void)arg;
  double x = ((const weighed *)a)->value, y = ((const weighed *)b)->value;
  return (x > y) - (x < y);
}

/* Where half of the weight lies below: between two values, the middle of them. */
static double median_of(const weighed *v, int64_t n, double total)
{
  double below = 0;
  for (int64_t i = 0; i < n; i++) {
    below += v[i].weight;
    if (2 * below > total)
      return v[i].value;
    if (2 * below == total && i + 1 < n)
      return (v[i].value + v[i + 1].value) / 2;
  }
  return n ? v[n - 1].value : (double)NAN;
}

bp_status bpi_median_error(const bp_scores *s, int64_t k, double arg, double *out)
{
  weighed *v = bpi_alloc(s->ctx, (size_t)s->rows, sizeof *v);
  int64_t n = 0;
  if (!v)
    return bpi_nomem();
  for (int64_t i = 0; i < s->rows; i++)
    if (bpi_weight(s, i) > 0)
      v[n++] = (weighed){absolute_off(truth(s, i, k), predicted(s, i, k), arg), bpi_weight(s, i)};
  bpi_sort(v, (size_t)n, sizeof *v, rising, NULL);
  *out = median_of(v, n, s->total);
  bpi_free(s->ctx, v);
  return BP_OK;
}

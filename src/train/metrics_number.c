/* Metrics of numbers, for one target. */
#include "base/sort.h"
#include "train/metrics.h"

#include <math.h>

/* ---- of a row ---- */

static double off_by(const bpi_seen *r, int64_t k)
{
  return (double)r->p[k] - (double)r->y[k];
}

double bpi_square_off(const bpi_seen *r, int64_t k, double arg)
{
  (void)arg;
  return off_by(r, k) * off_by(r, k);
}

double bpi_absolute_off(const bpi_seen *r, int64_t k, double arg)
{
  (void)arg;
  return fabs(off_by(r, k));
}

/* NaN where it has no meaning makes the whole NaN. */
double bpi_relative_off(const bpi_seen *r, int64_t k, double arg)
{
  (void)arg;
  return r->y[k] == 0 ? (double)NAN : fabs(off_by(r, k) / (double)r->y[k]);
}

double bpi_poisson_off(const bpi_seen *r, int64_t k, double arg)
{
  (void)arg;
  double y = (double)r->y[k], p = (double)r->p[k];
  if (!(y >= 0 && p > 0))
    return NAN;
  return 2 * ((y > 0 ? y * log(y / p) : 0) - y + p);
}

double bpi_pinball_off(const bpi_seen *r, int64_t k, double q)
{
  double over = off_by(r, k);
  return over <= 0 ? -q * over : (1 - q) * over;
}

/* ---- of all ---- */

double bpi_root_of_mean(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)k;
  (void)arg;
  return sqrt(*sum / s->total);
}

/* Mean and spread as they grow (West 1979): the spread of large numbers that lie close together comes out right. */
void bpi_add_spread(double *sum, const bpi_seen *r, int64_t k, double arg)
{
  double w = r->weight, from_mean = (double)r->y[k] - sum[BPI_R2_MEAN];
  sum[BPI_R2_WEIGHT] += w;
  sum[BPI_R2_MEAN] += from_mean * w / sum[BPI_R2_WEIGHT];
  sum[BPI_R2_SPREAD] += w * from_mean * ((double)r->y[k] - sum[BPI_R2_MEAN]);
  sum[BPI_R2_ERROR] += w * bpi_square_off(r, k, arg);
}

double bpi_r2(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)k;
  (void)arg;
  bool constant =
      !(sqrt(sum[BPI_R2_SPREAD] / s->total) > 1e-7 * fabs(sum[BPI_R2_MEAN])); /* less is rounding */
  return constant ? (double)NAN : 1 - sum[BPI_R2_ERROR] / sum[BPI_R2_SPREAD];
}

void bpi_add_largest(double *sum, const bpi_seen *r, int64_t k, double arg)
{
  *sum = fmax(*sum, bpi_absolute_off(r, k, arg));
}

double bpi_itself(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)s;
  (void)k;
  (void)arg;
  return *sum;
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

bp_status bpi_median_error(const bp_scores *s, int64_t k, double *out)
{
  weighed *v = bpi_alloc(s->ctx, (size_t)s->rows, sizeof *v);
  int64_t n = 0;
  if (!v)
    return bpi_nomem();
  for (int64_t i = 0; i < s->rows; i++) {
    bpi_seen r = bpi_see(s, i);
    if (r.weight > 0)
      v[n++] = (weighed){bpi_absolute_off(&r, k, 0), r.weight};
  }
  bpi_sort(v, (size_t)n, sizeof *v, rising, NULL);
  *out = median_of(v, n, s->total);
  bpi_free(s->ctx, v);
  return BP_OK;
}

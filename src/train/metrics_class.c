/* Metrics of classes and labels. */
#include "train/metrics.h"

#include <math.h>
#include <stdio.h>

/* ---- of a row ---- */

double bpi_row_loss(const bpi_seen *r, int64_t k, double arg)
{
  (void)k;
  (void)arg;
  return r->loss;
}

/* Of labels, the share of them. */
double bpi_share_right(const bpi_seen *r, int64_t k, double arg)
{
  (void)k;
  (void)arg;
  if (!r->y)
    return r->best == r->label;
  double right = 0;
  for (int64_t i = 0; i < r->outputs; i++)
    right += bpi_is_predicted(r, i) == bpi_is_true(r, i);
  return right / (double)r->outputs;
}

double bpi_all_right(const bpi_seen *r, int64_t k, double arg)
{
  return bpi_share_right(r, k, arg) == 1;
}

/* Of equal probabilities the lower class comes first, as where one is chosen. */
double bpi_among_first(const bpi_seen *r, int64_t k, double most)
{
  (void)k;
  int64_t is = r->label, before = 0;
  for (int64_t i = 0; i < r->outputs; i++)
    before += r->p[i] > r->p[is] || (i < is && r->p[i] == r->p[is]);
  return (double)before < most;
}

/* ---- by counts ---- */

/* NaN where a class is neither there nor predicted; 0 where only one of them. */
static double ratio(double over, double under, const bpi_count *c)
{
  return under > 0 ? over / under : c->actual > 0 || c->predicted > 0 ? 0 : (double)NAN;
}

double bpi_recall_of_known(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)arg;
  (void)sum;
  const bpi_count *c = &s->count[k];
  return c->actual > 0 ? c->right / c->actual : (double)NAN;
}

double bpi_precision(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)arg;
  (void)sum;
  const bpi_count *c = &s->count[k];
  return ratio(c->right, c->predicted, c);
}

double bpi_recall(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)arg;
  (void)sum;
  const bpi_count *c = &s->count[k];
  return ratio(c->right, c->actual, c);
}

/* 2 / (1 / precision + 1 / recall) without dividing by 0. */
double bpi_f1(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)arg;
  (void)sum;
  const bpi_count *c = &s->count[k];
  return ratio(2 * c->right, c->actual + c->predicted, c);
}

double bpi_matthews(const bp_scores *s, int64_t k, double arg, const double *sum)
{
  (void)k;
  (void)arg;
  (void)sum;
  double right = 0, both = 0, actual = 0, predicted = 0, n = s->total;
  for (int64_t i = 0; i < s->outputs; i++) {
    const bpi_count *c = &s->count[i];
    right += c->right;
    both += c->actual * c->predicted;
    actual += c->actual * c->actual;
    predicted += c->predicted * c->predicted;
  }
  double under = sqrt(n * n - actual) * sqrt(n * n - predicted);
  return under > 0 ? (right * n - both) / under : 0;
}

/* ---- calibration ---- */

/* Into the bin of p in (0, 1]: each is open below and closed above. */
static void into_bin(double *sum, double bins, double p, double w, bool right)
{
  int64_t n = (int64_t)bins, at = (int64_t)ceil(p * bins) - 1;
  double *b = sum + BPI_BIN * (at < 0 ? 0 : at >= n ? n - 1 : at);
  b[0] += w;
  b[1] += w * p;
  b[2] += right ? w : 0;
}

void bpi_into_bins(double *sum, const bpi_seen *r, int64_t k, double bins)
{
  (void)k;
  bool sound = true; /* of what is not finite no bin is known */
  for (int64_t i = 0; i < r->outputs; i++)
    sound = sound && isfinite(r->p[i]);
  if (sound && !r->y)
    into_bin(sum, bins, (double)r->p[r->best], r->weight, r->best == r->label);
  for (int64_t i = 0; sound && r->y && i < r->outputs; i++)
    into_bin(sum, bins, (double)r->p[i], r->weight, bpi_is_true(r, i));
}

/* Mean of |confidence - accuracy|, by weight. */
double bpi_calibration_error(const bp_scores *s, int64_t k, double bins, const double *sum)
{
  (void)s;
  (void)k;
  double off = 0, all = 0;
  for (int64_t b = 0; b < (int64_t)bins; b++, sum += BPI_BIN) {
    off += fabs(sum[1] - sum[2]);
    all += sum[0];
  }
  return off / all;
}

enum { MOST_BINS = 1000 };

/* As metric ece(bins) sums them up. */
static bp_status bin_sums(const bp_scores *s, int64_t bins, double *own, const double **sum)
{
  char name[32];
  snprintf(name, sizeof name, "ece(%lld)", (long long)bins);
  *sum = bpi_scores_sum(s, name, 0);
  if (*sum)
    return BP_OK;
  if (s->rows > s->room)
    return bpi_fail(
        BP_E_UNSUPPORTED,
        "metric '%s' was not asked for when these scores were opened, and their rows are not kept", name);
  for (int64_t i = 0; i < s->rows; i++) {
    bpi_seen r = bpi_see(s, i);
    bpi_into_bins(own, &r, 0, (double)bins);
  }
  *sum = own;
  return BP_OK;
}

bp_status bp_scores_calibration(const bp_scores *s, int64_t bins, bp_calibration_bin *out)
{
  double own[BPI_BIN * MOST_BINS] = {0};
  const double *sum;
  if (!s || !out || bins < 1 || bins > MOST_BINS)
    return bpi_bad_arg("bp_scores_calibration", "scores or out is NULL, or bins not in 1 to 1000");
  if (!s->count || !s->finite)
    return bpi_fail(s->count ? BP_E_NOTFINITE : BP_E_MISMATCH,
                    s->count ? "a probability is not finite" : "calibration is of probabilities");
  bp_status st = bin_sums(s, bins, own, &sum);
  for (int64_t b = 0; b < bins && st == BP_OK; b++, sum += BPI_BIN)
    out[b] = (bp_calibration_bin){.weight = sum[0],
                                  .confidence = sum[0] > 0 ? sum[1] / sum[0] : (double)NAN,
                                  .accuracy = sum[0] > 0 ? sum[2] / sum[0] : (double)NAN};
  return st;
}

/* Metrics of classes and labels. */
#include "train/metrics.h"

#include <math.h>

/* Sum over the rows of f, by weight. */
static double mean_over(const bp_scores *s, double (*f)(const bp_scores *s, int64_t row, double arg),
                        double arg)
{
  double sum = 0;
  for (int64_t i = 0; i < s->rows; i++)
    sum += bpi_weight(s, i) * f(s, i, arg);
  return sum / s->total;
}

static double loss_of(const bp_scores *s, int64_t row, double arg)
{
  (void)arg;
  return (double)s->loss[row];
}

bp_status bpi_log_loss(const bp_scores *s, double arg, double *out)
{
  *out = mean_over(s, loss_of, arg);
  return BP_OK;
}

/* Of labels, the share of them. */
static double share_right(const bp_scores *s, int64_t row, double arg)
{
  (void)arg;
  if (s->labels)
    return bpi_is_predicted(s, row, s->labels[row]);
  double right = 0;
  for (int64_t k = 0; k < s->outputs; k++)
    right += bpi_is_predicted(s, row, k) == bpi_is_true(s, row, k);
  return right / (double)s->outputs;
}

static double all_right(const bp_scores *s, int64_t row, double arg)
{
  return share_right(s, row, arg) == 1;
}

bp_status bpi_accuracy(const bp_scores *s, double arg, double *out)
{
  *out = mean_over(s, share_right, arg);
  return BP_OK;
}

bp_status bpi_exact_match(const bp_scores *s, double arg, double *out)
{
  *out = mean_over(s, all_right, arg);
  return BP_OK;
}

/* Of equal probabilities the lower class comes first, as where one is chosen. */
static double among_first(const bp_scores *s, int64_t row, double most)
{
  const float *p = bpi_row(s, row);
  int64_t is = s->labels[row], before = 0;
  for (int64_t k = 0; k < s->outputs; k++)
    before += p[k] > p[is] || (k < is && p[k] == p[is]);
  return (double)before < most;
}

bp_status bpi_top(const bp_scores *s, double k, double *out)
{
  *out = mean_over(s, among_first, k);
  return BP_OK;
}

/* ---- by counts ---- */

/* NaN where a class is neither there nor predicted; 0 where only one of them. */
static double ratio(double over, double under, const bpi_count *c)
{
  return under > 0 ? over / under : c->actual > 0 || c->predicted > 0 ? 0 : (double)NAN;
}

bp_status bpi_recall_of_known(const bp_scores *s, int64_t k, double arg, double *out)
{
  (void)arg;
  const bpi_count *c = &s->count[k];
  *out = c->actual > 0 ? c->right / c->actual : (double)NAN;
  return BP_OK;
}

bp_status bpi_precision(const bp_scores *s, int64_t k, double arg, double *out)
{
  (void)arg;
  const bpi_count *c = &s->count[k];
  *out = ratio(c->right, c->predicted, c);
  return BP_OK;
}

bp_status bpi_recall(const bp_scores *s, int64_t k, double arg, double *out)
{
  (void)arg;
  const bpi_count *c = &s->count[k];
  *out = ratio(c->right, c->actual, c);
  return BP_OK;
}

/* 2 / (1 / precision + 1 / recall) without dividing by 0. */
bp_status bpi_f1(const bp_scores *s, int64_t k, double arg, double *out)
{
  (void)arg;
  const bpi_count *c = &s->count[k];
  *out = ratio(2 * c->right, c->actual + c->predicted, c);
  return BP_OK;
}

bp_status bpi_matthews(const bp_scores *s, double arg, double *out)
{
  (void)arg;
  double right = 0, both = 0, actual = 0, predicted = 0, n = s->total;
  for (int64_t k = 0; k < s->outputs; k++) {
    const bpi_count *c = &s->count[k];
    right += c->right;
    both += c->actual * c->predicted;
    actual += c->actual * c->actual;
    predicted += c->predicted * c->predicted;
  }
  double under = sqrt(n * n - actual) * sqrt(n * n - predicted);
  *out = under > 0 ? (right * n - both) / under : 0;
  return BP_OK;
}

/* ---- calibration ---- */

/* Into the bin of p in (0, 1]: each is open below and closed above. */
static void into_bin(bp_calibration_bin *bins, int64_t n, double p, double w, bool right)
{
  int64_t at = (int64_t)ceil(p * (double)n) - 1;
  bp_calibration_bin *b = &bins[at < 0 ? 0 : at >= n ? n - 1 : at];
  b->weight += w;
  b->confidence += w * p;
  b->accuracy += right ? w : 0;
}

/* Sums; means are for the caller to make. */
static void fill_bins(const bp_scores *s, int64_t n, bp_calibration_bin *bins)
{
  for (int64_t b = 0; b < n; b++)
    bins[b] = (bp_calibration_bin){0};
  for (int64_t i = 0; i < s->rows; i++) {
    const float *p = bpi_row(s, i);
    int64_t best = bpi_largest(p, s->outputs);
    if (s->labels)
      into_bin(bins, n, (double)p[best], bpi_weight(s, i), best == s->labels[i]);
    for (int64_t k = 0; !s->labels && k < s->outputs; k++)
      into_bin(bins, n, (double)p[k], bpi_weight(s, i), bpi_is_true(s, i, k));
  }
}

enum { MOST_BINS = 1000 };

bp_status bp_scores_calibration(const bp_scores *s, int64_t bins, bp_calibration_bin *out)
{
  if (!s || !out || bins < 1 || bins > MOST_BINS)
    return bpi_bad_arg("bp_scores_calibration", "scores or out is NULL, or bins not in 1 to 1000");
  if (!s->count || !s->finite)
    return bpi_fail(s->count ? BP_E_NOTFINITE : BP_E_MISMATCH,
                    s->count ? "a probability is not finite" : "calibration is of probabilities");
  fill_bins(s, bins, out);
  for (int64_t b = 0; b < bins; b++) {
    out[b].confidence = out[b].weight > 0 ? out[b].confidence / out[b].weight : (double)NAN;
    out[b].accuracy = out[b].weight > 0 ? out[b].accuracy / out[b].weight : (double)NAN;
  }
  return BP_OK;
}

bp_status bpi_calibration_error(const bp_scores *s, double bins, double *out)
{
  bp_calibration_bin bin[MOST_BINS] = {{0, 0, 0}};
  double off = 0, all = 0;
  fill_bins(s, (int64_t)bins, bin);
  for (int64_t b = 0; b < (int64_t)bins; b++) {
    off += fabs(bin[b].confidence - bin[b].accuracy);
    all += bin[b].weight;
  }
  *out = off / all;
  return BP_OK;
}

/* How well probabilities put rows of a class before the others: ROC curves, the area under them, average precision. */
#include "base/sort.h"
#include "train/metrics.h"

#include <math.h>

typedef struct ranked {
  float p;
  float yes, no; /* weight of the row, as one of the class or of the rest */
} ranked;

static int falling(const void *a, const void *b, const void *arg)
{
  (void)arg;
  float x = ((const ranked *)a)->p, y = ((const ranked *)b)->p;
  return (x < y) - (x > y);
}

/* Rows by falling probability of class k, freed with bpi_free; with the weights of both sides. Of two classes, both go by the second's
 * probability: that of the first is what is left, where small differences are rounded away. */
static ranked *rank_rows(const bp_scores *s, int64_t k, double *yes, double *no)
{
  ranked *r = bpi_alloc(s->ctx, (size_t)s->rows, sizeof *r);
  bool mirrored = s->labels && s->outputs == 2 && k == 0;
  *yes = *no = 0;
  if (!r)
    return NULL;
  for (int64_t i = 0; i < s->rows; i++) {
    bool is = s->labels ? s->labels[i] == k : s->y[i * s->outputs + k] > 0.5f;
    float w = (float)bpi_weight(s, i);
    r[i] = (ranked){mirrored ? -bpi_row(s, i)[1] : bpi_row(s, i)[k], is ? w : 0, is ? 0 : w};
    *yes += is ? (double)w : 0;
    *no += is ? 0 : (double)w;
  }
  bpi_sort(r, (size_t)s->rows, sizeof *r, falling, NULL);
  return r;
}

/* Weights of the rows at i that share one probability; returns the row after them. */
static int64_t next_tie(const ranked *r, int64_t n, int64_t i, double *yes, double *no)
{
  float p = r[i].p;
  *yes = *no = 0;
  for (; i < n && r[i].p == p; i++) {
    *yes += (double)r[i].yes;
    *no += (double)r[i].no;
  }
  return i;
}

/* The share of pairs, one row of the class and one of the rest, that are in order; equal ones count half (Mann & Whitney). */
bp_status bpi_auc(const bp_scores *s, int64_t k, double *out)
{
  double yes, no, above = 0, pairs = 0, tied_yes, tied_no;
  ranked *r = rank_rows(s, k, &yes, &no);
  if (!r)
    return bpi_nomem();
  for (int64_t i = 0; i < s->rows;) {
    i = next_tie(r, s->rows, i, &tied_yes, &tied_no);
    pairs += tied_no * (above + tied_yes / 2);
    above += tied_yes;
  }
  *out = yes > 0 && no > 0 ? pairs / (yes * no) : (double)NAN;
  bpi_free(s->ctx, r);
  return BP_OK;
}

/* Precision at each threshold, by the recall that it adds. */
bp_status bpi_average_precision(const bp_scores *s, int64_t k, double *out)
{
  double yes, no, right = 0, above = 0, sum = 0, tied_yes, tied_no;
  ranked *r = rank_rows(s, k, &yes, &no);
  if (!r)
    return bpi_nomem();
  for (int64_t i = 0; i < s->rows;) {
    i = next_tie(r, s->rows, i, &tied_yes, &tied_no);
    right += tied_yes;
    above += tied_yes + tied_no;
    sum += above > 0 ? tied_yes * right / above : 0;
  }
  *out = yes > 0 ? sum / yes : (double)NAN;
  bpi_free(s->ctx, r);
  return BP_OK;
}

static size_t fill_curve(const ranked *r, int64_t rows, double yes, double no, double *fpr, double *tpr)
{
  double x = 0, y = 0, tied_yes, tied_no;
  size_t n = 0;
  fpr[n] = tpr[n] = 0;
  n++;
  for (int64_t i = 0; i < rows; n++) {
    i = next_tie(r, rows, i, &tied_yes, &tied_no);
    fpr[n] = i == rows ? 1 : (x += tied_no) / no;
    tpr[n] = i == rows ? 1 : (y += tied_yes) / yes;
  }
  return n;
}

bp_status bp_scores_roc(const bp_scores *s, int64_t k, double **fpr, double **tpr, size_t *n)
{
  double yes, no;
  if (!s || !fpr || !tpr || !n)
    return bpi_bad_arg("bp_scores_roc", "scores, fpr, tpr or n is NULL");
  *fpr = *tpr = NULL;
  *n = 0;
  if (!s->count)
    return bpi_fail(BP_E_MISMATCH, "a ROC curve is of classes or labels");
  if (k < 0 || k >= s->outputs)
    return bpi_fail(BP_E_RANGE, "bp_scores_roc: there is no class %lld", (long long)k);
  if (!s->finite)
    return bpi_fail(BP_E_NOTFINITE, "a probability is not finite");
  if (s->rows > s->room)
    return bpi_fail(BP_E_UNSUPPORTED, "bp_scores_roc: the rows are not kept");
  ranked *r = rank_rows(s, k, &yes, &no);
  double *x = bpi_alloc(s->ctx, (size_t)s->rows + 1, sizeof *x),
         *y = bpi_alloc(s->ctx, (size_t)s->rows + 1, sizeof *y);
  bool good = r && x && y;
  if (good && yes > 0 && no > 0) {
    *n = fill_curve(r, s->rows, yes, no, x, y);
    *fpr = x;
    *tpr = y;
  } else {
    bpi_free(s->ctx, x);
    bpi_free(s->ctx, y);
  }
  bpi_free(s->ctx, r);
  return good ? BP_OK : bpi_nomem();
}

/* The table of metrics, found by name. */
#include "train/metrics.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define CLASSES BP_TASK_CLASSES
#define NUMBERS BP_TASK_NUMBERS
#define YES_NO  (BP_TASK_CLASSES | BP_TASK_LABELS)

/* clang-format off */
static const bpi_metric table[] = {
    {{"accuracy", "accuracy", "share of the rows that are right; of labels, share of all labels", "", .tasks = YES_NO, .higher = true, .share = true},
     .of = bpi_share_right},
    {{"balanced_accuracy", "balanced accuracy", "mean over the classes of the share of their rows that are right; classes without rows are left out",
      "Brodersen et al. 2010", .tasks = CLASSES, .higher = true, .share = true},
     .split = true, .tell = bpi_recall_of_known},
    {{"top", "top-5 accuracy", "share of the rows whose class is among the most probable: the first 5, or as many as stand in brackets", "", .tasks = CLASSES, .higher = true, .share = true,
      .arg = 5, .least = 1, .most = 1e6}, .of = bpi_among_first},
    {{"precision", "precision", "of what was predicted as a class, the share that is; 0 where nothing was. Their mean, without classes that are neither there nor predicted",
      "van Rijsbergen 1979", .tasks = YES_NO, .higher = true, .share = true, .each = true}, .split = true, .tell = bpi_precision},
    {{"recall", "recall", "of what is of a class, the share that was predicted; 0 where nothing is. Their mean, as of precision",
      "van Rijsbergen 1979", .tasks = YES_NO, .higher = true, .share = true, .each = true}, .split = true, .tell = bpi_recall},
    {{"f1", "F1", "2 / (1 / precision + 1 / recall) of a class. Their mean, as of precision",
      "van Rijsbergen 1979", .tasks = YES_NO, .higher = true, .share = true, .each = true}, .split = true, .tell = bpi_f1},
    {{"precision_weighted", "weighted precision", "precision, classes counting as often as they are there", "", .tasks = YES_NO, .higher = true, .share = true},
     .split = true, .tell = bpi_precision, .mean = BPI_MEAN_SUPPORT},
    {{"recall_weighted", "weighted recall", "recall, classes counting as often as they are there", "", .tasks = YES_NO, .higher = true, .share = true},
     .split = true, .tell = bpi_recall, .mean = BPI_MEAN_SUPPORT},
    {{"f1_weighted", "weighted F1", "F1, classes counting as often as they are there", "", .tasks = YES_NO, .higher = true, .share = true},
     .split = true, .tell = bpi_f1, .mean = BPI_MEAN_SUPPORT},
    {{"auc", "ROC AUC", "probability that a row of the class comes before one of the rest, ties counting half. Mean over the classes, each against the rest, that have both",
      "Hanley & McNeil 1982", .tasks = YES_NO, .higher = true, .each = true, .ranked = true}, .split = true, .rank = bpi_auc},
    {{"average_precision", "average precision", "area under precision by recall, as steps: mean of the precision at each threshold by the recall that it adds. Mean over the classes that there are",
      "Zhu 2004", .tasks = YES_NO, .higher = true, .each = true, .ranked = true}, .split = true, .rank = bpi_average_precision},
    {{"log_loss", "log loss", "mean of -log(probability of what is true); of labels, mean over them", "Good 1952", .tasks = YES_NO}, .of = bpi_row_loss},
    {{"ece", "calibration error", "mean distance of probability and accuracy over bins of equal width (15, or as many as stand in brackets) of the predicted class's probability",
      "Guo et al. 2017", .tasks = YES_NO, .arg = 15, .least = 1, .most = 1000}, .room = BPI_BIN, .by_arg = true, .add = bpi_into_bins, .tell = bpi_calibration_error},
    {{"mcc", "Matthews correlation", "correlation of classes and predictions; 0 where one of them is constant", "Matthews 1975; Gorodkin 2004", .tasks = CLASSES,
      .higher = true}, .tell = bpi_matthews},
    {{"exact_match", "exact match", "share of the rows that have all labels right", "", .tasks = BP_TASK_LABELS, .higher = true, .share = true}, .of = bpi_all_right},

    {{"rmse", "RMSE", "root of the mean of (p - y)^2. Mean over the targets, as of all that follow", "", .tasks = NUMBERS, .each = true}, .split = true, .of = bpi_square_off, .tell = bpi_root_of_mean},
    {{"mae", "MAE", "mean of |p - y|", "", .tasks = NUMBERS, .each = true}, .split = true, .of = bpi_absolute_off},
    {{"r2", "R2", "1 - (mean of (p - y)^2) / (variance of y); not defined where y is constant", "", .tasks = NUMBERS, .higher = true, .each = true}, .split = true, .room = BPI_R2_ROOM, .add = bpi_add_spread, .tell = bpi_r2},
    {{"mse", "MSE", "mean of (p - y)^2", "", .tasks = NUMBERS, .each = true}, .split = true, .of = bpi_square_off},
    {{"median_ae", "median absolute error", "median of |p - y|", "", .tasks = NUMBERS, .each = true, .ranked = true}, .split = true, .rank = bpi_median_error},
    {{"max_error", "largest error", "largest |p - y| of the rows whose weight is not 0", "", .tasks = NUMBERS, .each = true}, .split = true, .room = 1, .add = bpi_add_largest, .tell = bpi_itself},
    {{"mape", "mean relative error", "mean of |p - y| / |y|; not defined where a y is 0", "", .tasks = NUMBERS, .share = true, .each = true}, .split = true, .of = bpi_relative_off},
    {{"poisson", "Poisson deviance", "mean of 2 (y log(y / p) - y + p); not defined where a y is negative or a p not positive", "McCullagh & Nelder 1989",
      .tasks = NUMBERS, .each = true}, .split = true, .of = bpi_poisson_off},
    {{"pinball", "pinball loss", "mean of q (y - p), or (1 - q) (p - y) where p is larger; q, in brackets, is the quantile", "Koenker & Bassett 1978",
      .tasks = NUMBERS, .each = true, .arg = 0.5, .least = 0, .most = 1}, .split = true, .of = bpi_pinball_off},
};
/* clang-format on */
enum { ROWS = sizeof table / sizeof *table };

size_t bp_metric_count(void)
{
  return ROWS;
}

const bp_metric *bp_metric_at(size_t i)
{
  return i < ROWS ? &table[i].is : NULL;
}

/* ---- by name ---- */

static const bpi_metric *not_found(const char *name)
{
  const char *best = NULL;
  int nearest = 3;
  for (size_t i = 0; i < ROWS; i++) {
    int d = bpi_edit_distance(name, table[i].is.name, nearest);
    if (d < nearest) {
      nearest = d;
      best = table[i].is.name;
    }
  }
  bpi_fail(BP_E_NOTFOUND, "there is no metric '%s'%s%s%s", name, best ? "; did you mean '" : "",
           best ? best : "", best ? "'?" : "");
  return NULL;
}

/* What stands in the brackets at `open`. */
static bool read_argument(const bp_metric *m, const char *name, const char *open, double *arg)
{
  size_t n = strlen(open);
  *arg = m->arg;
  if (!n)
    return true;
  bool good = m->arg != 0 && n > 2 && open[n - 1] == ')' && bpi_parse_double(open + 1, n - 2, arg) &&
              *arg >= m->least && *arg <= m->most && (m->least < 1 || *arg == floor(*arg));
  if (!good && m->arg == 0)
    bpi_fail(BP_E_NOTFOUND, "metric '%s': %s takes nothing in brackets", name, m->name);
  else if (!good)
    bpi_fail(BP_E_NOTFOUND, "metric '%s': in the brackets stands a%s number from %g to %g", name,
             m->least < 1 ? "" : " whole", m->least, m->most);
  return good;
}

static const bpi_metric *find(const char *name, double *arg)
{
  size_t n = strcspn(name, "(");
  for (size_t i = 0; i < ROWS; i++)
    if (strlen(table[i].is.name) == n && strncmp(table[i].is.name, name, n) == 0)
      return read_argument(&table[i].is, name, name + n, arg) ? &table[i] : NULL;
  return not_found(name);
}

const bp_metric *bp_metric_find(const char *name, double *arg)
{
  double ignored;
  if (!name) {
    bpi_bad_arg("bp_metric_find", "name");
    return NULL;
  }
  const bpi_metric *m = find(name, arg ? arg : &ignored);
  return m ? &m->is : NULL;
}

static const bpi_metric *fitting(bp_task task, const char *name, double *arg, bp_status *st)
{
  const bpi_metric *m = find(name, arg);
  *st = m ? BP_OK : BP_E_NOTFOUND;
  if (m && !(m->is.tasks & (unsigned)task)) {
    *st = bpi_fail(BP_E_MISMATCH, "metric '%s' is not for %s", name,
                   task == BP_TASK_CLASSES   ? "classes"
                   : task == BP_TASK_NUMBERS ? "numbers"
                                             : "labels");
    return NULL;
  }
  return m;
}

const bp_metric *bpi_metric_for(bp_task task, const char *name, bp_status *st)
{
  double arg;
  const bpi_metric *m = fitting(task, name, &arg, st);
  return m ? &m->is : NULL;
}

/* ---- sums ---- */

/* How many numbers it sums up for each output. */
static int64_t numbers_of(const bpi_metric *m, double arg)
{
  int64_t n = m->of ? 1 : m->room;
  return m->by_arg ? n * (int64_t)arg : n;
}

static int64_t outputs_of(const bpi_metric *m, const bp_scores *s)
{
  return m->split ? s->outputs : 1;
}

static void add_row(const bpi_metric *m, double arg, double *sum, const bpi_seen *r, int64_t k)
{
  if (m->add)
    m->add(sum, r, k, arg);
  else
    *sum += r->weight * m->of(r, k, arg);
}

static bp_status ask(bp_scores *s, const bpi_metric *m, double arg)
{
  int64_t n = numbers_of(m, arg) * outputs_of(m, s);
  double *at = n ? bpi_zalloc(s->ctx, (size_t)n, sizeof *at) : NULL;
  s->keep = s->keep || m->rank;
  if (!n)
    return BP_OK;
  if (!at)
    return bpi_nomem();
  s->sums[s->n_sums++] = (bpi_sum){m, arg, at};
  return BP_OK;
}

static bp_status ask_usual(bp_scores *s)
{
  bp_status st = BP_OK;
  for (size_t i = 0; i < ROWS && st == BP_OK; i++)
    if ((table[i].is.tasks & (unsigned)s->task) && !table[i].rank)
      st = ask(s, &table[i], table[i].is.arg);
  return st;
}

bp_status bpi_scores_ask(bp_scores *s, const char *const *names)
{
  size_t n = 0;
  bp_status st = BP_OK;
  while (names && names[n])
    n++;
  s->sums = bpi_alloc(s->ctx, names ? n + 1 : ROWS, sizeof *s->sums);
  if (!s->sums)
    return bpi_nomem();
  for (size_t i = 0; i < n && st == BP_OK; i++) {
    double arg;
    const bpi_metric *m = fitting(s->task, names[i], &arg, &st);
    st = m ? ask(s, m, arg) : st;
  }
  return names ? st : ask_usual(s);
}

void bpi_scores_sum_row(bp_scores *s, const bpi_seen *r)
{
  for (size_t i = 0; i < s->n_sums && r->weight > 0; i++) {
    const bpi_sum *sum = &s->sums[i];
    int64_t n = numbers_of(sum->of, sum->arg);
    for (int64_t k = 0; k < outputs_of(sum->of, s); k++)
      add_row(sum->of, sum->arg, sum->at + k * n, r, k);
  }
}

static const double *kept_sum(const bp_scores *s, const bpi_metric *m, double arg, int64_t k)
{
  for (size_t i = 0; i < s->n_sums; i++)
    if (s->sums[i].of == m && s->sums[i].arg == arg)
      return s->sums[i].at + k * numbers_of(m, arg);
  return NULL;
}

const double *bpi_scores_sum(const bp_scores *s, const char *name, int64_t k)
{
  double arg;
  const bpi_metric *m = find(name, &arg);
  return m ? kept_sum(s, m, arg, k) : NULL;
}

bool bpi_scores_of_losses(const bp_scores *s)
{
  for (size_t i = 0; i < s->n_sums; i++)
    if (s->sums[i].of->of == bpi_row_loss)
      return true;
  return false;
}

/* ---- values ---- */

static bp_status not_kept(const bpi_metric *m)
{
  return bpi_fail(BP_E_UNSUPPORTED,
                  "metric '%s' was not asked for when these scores were opened, and their rows are not kept",
                  m->is.name);
}

/* From rows that are there. */
static bp_status sum_rows(const bp_scores *s, const bpi_metric *m, double arg, int64_t k, double *out)
{
  int64_t n = numbers_of(m, arg);
  double *sum = bpi_zalloc(s->ctx, (size_t)n, sizeof *sum);
  if (!sum)
    return bpi_nomem();
  for (int64_t i = 0; i < s->rows; i++) {
    bpi_seen r = bpi_see(s, i);
    if (r.weight > 0)
      add_row(m, arg, sum, &r, k);
  }
  *out = m->tell ? m->tell(s, k, arg, sum) : *sum / s->total;
  bpi_free(s->ctx, sum);
  return BP_OK;
}

static bp_status value_of(const bp_scores *s, const bpi_metric *m, double arg, int64_t k, double *out)
{
  const double *sum = kept_sum(s, m, arg, k);
  bool counted = !m->rank && numbers_of(m, arg) == 0;
  if (!sum && !counted && s->open && !s->keep)
    return not_kept(m);
  if (m->rank)
    return m->rank(s, k, out);
  if (!sum && !counted)
    return sum_rows(s, m, arg, k, out);
  *out = m->tell ? m->tell(s, k, arg, sum) : sum ? *sum / s->total : (double)NAN;
  return BP_OK;
}

static bp_status mean_value(const bpi_metric *m, const bp_scores *s, double arg, double *out)
{
  double sum = 0, weight = 0, value;
  for (int64_t k = 0; k < s->outputs; k++) {
    double w = m->mean == BPI_MEAN_SUPPORT ? s->count[k].actual : 1;
    bp_status st = value_of(s, m, arg, k, &value);
    if (st != BP_OK)
      return st;
    /* A target of numbers whose value is not defined leaves the whole undefined: which are left out would say nothing of them. */
    if (w > 0 && (s->task == BP_TASK_NUMBERS || !isnan(value))) {
      sum += w * value;
      weight += w;
    }
  }
  *out = weight > 0 ? sum / weight : (double)NAN;
  return BP_OK;
}

bp_status bp_scores_metric(const bp_scores *s, const char *name, double *value)
{
  double arg;
  bp_status st;
  if (!s || !name || !value)
    return bpi_bad_arg("bp_scores_metric", "scores, name or value is NULL");
  *value = NAN;
  const bpi_metric *m = fitting(s->task, name, &arg, &st);
  if (!m || !s->finite || !s->rows)
    return st;
  return m->split ? mean_value(m, s, arg, value) : value_of(s, m, arg, 0, value);
}

bp_status bp_scores_metric_of(const bp_scores *s, const char *name, int64_t k, double *value)
{
  double arg;
  bp_status st;
  if (!s || !name || !value)
    return bpi_bad_arg("bp_scores_metric_of", "scores, name or value is NULL");
  *value = NAN;
  const bpi_metric *m = fitting(s->task, name, &arg, &st);
  if (m && (k < 0 || k >= s->outputs))
    return bpi_fail(BP_E_RANGE, "metric '%s': there is no output %lld", name, (long long)k);
  if (m && !m->is.each)
    return bpi_fail(BP_E_MISMATCH, "metric '%s' has no value for each class", name);
  return m && s->finite && s->rows ? value_of(s, m, arg, k, value) : st;
}

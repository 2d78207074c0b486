/* Predictions of many rows beside what is true of them. */
#include "train/scores.h"
#include "train/predict.h"
#include "train/spool.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

void bp_scores_free(bp_scores *s)
{
  if (!s)
    return;
  bp_ctx *ctx = s->ctx;
  void *own[] = {s->p, s->y, s->labels, s->weight, s->loss, s->count};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  bpi_free(ctx, s);
}

static bp_scores *make_room(bp_ctx *ctx, bp_task task, int64_t rows, int64_t outputs, bool weighted)
{
  int64_t size;
  bp_scores *s = bpi_mul(rows, outputs, &size) ? bpi_zalloc(ctx, 1, sizeof *s) : NULL;
  if (!s) {
    bpi_nomem();
    return NULL;
  }
  *s = (bp_scores){.ctx = ctx, .task = task, .rows = rows, .outputs = outputs};
  bool classes = task == BP_TASK_CLASSES, good = true;
  good = (s->p = bpi_alloc(ctx, (size_t)size, sizeof *s->p)) != NULL;
  good = good && (s->loss = bpi_alloc(ctx, (size_t)rows, sizeof *s->loss));
  good = good && (!classes || (s->labels = bpi_alloc(ctx, (size_t)rows, sizeof *s->labels)));
  good = good && (classes || (s->y = bpi_alloc(ctx, (size_t)size, sizeof *s->y)));
  good = good && (!weighted || (s->weight = bpi_alloc(ctx, (size_t)rows, sizeof *s->weight)));
  good = good && (task == BP_TASK_NUMBERS || (s->count = bpi_zalloc(ctx, (size_t)outputs, sizeof *s->count)));
  if (good)
    return s;
  bp_scores_free(s);
  bpi_nomem();
  return NULL;
}

/* ---- what is predicted and what is true ---- */

int64_t bpi_largest(const float *p, int64_t n)
{
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    best = p[k] > p[best] ? k : best;
  return best;
}

bool bpi_is_true(const bp_scores *s, int64_t row, int64_t k)
{
  return s->labels ? s->labels[row] == k : s->y && s->y[row * s->outputs + k] > 0.5f;
}

bool bpi_is_predicted(const bp_scores *s, int64_t row, int64_t k)
{
  const float *p = bpi_row(s, row);
  return s->labels ? bpi_largest(p, s->outputs) == k : p[k] > 0.5f;
}

/* ---- what is known of all rows ---- */

static void count_row(bp_scores *s, int64_t row)
{
  double w = bpi_weight(s, row);
  if (s->labels) {
    int64_t best = bpi_largest(bpi_row(s, row), s->outputs), is = s->labels[row];
    s->count[best].predicted += w;
    s->count[is].actual += w;
    s->count[is].right += best == is ? w : 0;
    return;
  }
  for (int64_t k = 0; k < s->outputs; k++) {
    bool is = bpi_is_true(s, row, k), said = bpi_is_predicted(s, row, k);
    s->count[k].predicted += said ? w : 0;
    s->count[k].actual += is ? w : 0;
    s->count[k].right += is && said ? w : 0;
  }
}

static void sum_up(bp_scores *s)
{
  s->finite = true;
  for (int64_t i = 0; i < s->rows * s->outputs && s->finite; i++)
    s->finite = isfinite(s->p[i]);
  for (int64_t i = 0; i < s->rows; i++) {
    s->total += bpi_weight(s, i);
    if (s->count)
      count_row(s, i);
  }
}

static float square_of(const bp_scores *s, int64_t row)
{
  const float *y = s->y ? s->y + row * s->outputs : NULL;
  double sum = 0;
  for (int64_t k = 0; y && k < s->outputs; k++) {
    double off = (double)bpi_row(s, row)[k] - (double)y[k];
    sum += off * off;
  }
  return (float)(sum / (double)s->outputs);
}

/* Of labels, the mean over them. */
static float surprise_of(const bp_scores *s, int64_t row)
{
  const float *p = bpi_row(s, row);
  double sum = 0;
  if (s->labels)
    return (float)-log((double)p[s->labels[row]]);
  for (int64_t k = 0; k < s->outputs; k++)
    sum -= bpi_is_true(s, row, k) ? log((double)p[k]) : log1p(-(double)p[k]);
  return (float)(sum / (double)s->outputs);
}

/* ---- of any origin ---- */

static bp_status check_rows(int64_t rows, int64_t outputs, const int64_t *labels, const float *weights)
{
  double total = 0;
  for (int64_t i = 0; i < rows; i++) {
    if (labels && (labels[i] < 0 || labels[i] >= outputs))
      return bpi_fail(BP_E_RANGE, "bp_scores_new: label %lld of row %lld is none of %lld classes",
                      (long long)labels[i], (long long)i + 1, (long long)outputs);
    if (weights && !(weights[i] >= 0 && isfinite(weights[i])))
      return bpi_fail(BP_E_RANGE, "bp_scores_new: the weight of row %lld is %g", (long long)i + 1,
                      (double)weights[i]);
    total += weights ? (double)weights[i] : 1;
  }
  return rows && !(total > 0) ? bpi_fail(BP_E_RANGE, "bp_scores_new: all weights are 0") : BP_OK;
}

static void copy_rows(bp_scores *s, const float *p, const int64_t *labels, const float *y,
                      const float *weights)
{
  size_t n = (size_t)(s->rows * s->outputs);
  memcpy(s->p, p, n * sizeof *p);
  if (s->y && y)
    memcpy(s->y, y, n * sizeof *y);
  if (s->weight && weights)
    memcpy(s->weight, weights, (size_t)s->rows * sizeof *weights);
  for (int64_t i = 0; i < s->rows; i++) {
    if (s->labels && labels)
      s->labels[i] = (int32_t)labels[i];
    s->loss[i] = s->task == BP_TASK_NUMBERS ? square_of(s, i) : surprise_of(s, i);
  }
}

bp_status bp_scores_new(bp_ctx *ctx, bp_task task, int64_t rows, int64_t outputs, const float *p,
                        const int64_t *labels, const float *y, const float *weights, bp_scores **out)
{
  if (!ctx || !out || rows < 0 || outputs < 1 || outputs > INT32_MAX || (rows && !p))
    return bpi_bad_arg("bp_scores_new", "ctx, p or out is NULL, or rows or outputs out of range");
  *out = NULL;
  bool classes = task == BP_TASK_CLASSES;
  if (!classes && task != BP_TASK_NUMBERS && task != BP_TASK_LABELS)
    return bpi_bad_arg("bp_scores_new", "task");
  if (rows && (classes ? !labels || y : !y || labels))
    return bpi_bad_arg("bp_scores_new", "classes need labels and no y, all else y and no labels");
  bp_status st = check_rows(rows, outputs, classes ? labels : NULL, weights);
  if (st != BP_OK)
    return st;
  bp_scores *s = make_room(ctx, task, rows, outputs, weights != NULL);
  if (!s)
    return BP_E_NOMEM;
  if (rows)
    copy_rows(s, p, labels, y, weights);
  sum_up(s);
  *out = s;
  return BP_OK;
}

/* ---- some rows ---- */

static void copy_row(const bp_scores *s, int64_t from, bp_scores *part, int64_t to)
{
  size_t n = (size_t)s->outputs;
  memcpy(part->p + to * s->outputs, bpi_row(s, from), n * sizeof *s->p);
  part->loss[to] = s->loss[from];
  if (s->y && part->y)
    memcpy(part->y + to * s->outputs, s->y + from * s->outputs, n * sizeof *s->y);
  if (s->labels && part->labels)
    part->labels[to] = s->labels[from];
  if (s->weight && part->weight)
    part->weight[to] = s->weight[from];
}

bp_status bp_scores_part(const bp_scores *s, const int64_t *at, int64_t n, bp_scores **out)
{
  if (!s || !out || n < 0 || (n && !at))
    return bpi_bad_arg("bp_scores_part", "scores, at or out is NULL, or n is negative");
  *out = NULL;
  for (int64_t i = 0; i < n; i++)
    if (at[i] < 0 || at[i] >= s->rows)
      return bpi_fail(BP_E_RANGE, "bp_scores_part: there is no row %lld", (long long)at[i]);
  bp_scores *part = make_room(s->ctx, s->task, n, s->outputs, s->weight != NULL);
  if (!part)
    return BP_E_NOMEM;
  for (int64_t i = 0; i < n; i++)
    copy_row(s, at[i], part, i);
  sum_up(part);
  *out = part;
  return BP_OK;
}

/* ---- of a network ---- */

typedef struct filling {
  const bp_net *net;
  bp_scores *s;
} filling;

/* ln(1 + e^x) */
static double soft_plus(double x)
{
  return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* From the outputs: a probability may be too small for its own logarithm. */
static float loss_of(const bp_scores *s, int64_t row, const bpi_answered *b, int64_t i)
{
  const double *raw = b->raw + i * s->outputs;
  double sum = 0;
  if (s->task == BP_TASK_NUMBERS)
    return square_of(s, row);
  if (s->labels)
    return (float)-bpi_log_share(raw, s->outputs, b->labels[i]);
  for (int64_t k = 0; k < s->outputs; k++)
    sum += soft_plus(bpi_is_true(s, row, k) ? -raw[k] : raw[k]);
  return (float)(sum / (double)s->outputs);
}

static bp_status fill_block(void *user, const bpi_answered *b)
{
  filling *f = user;
  bp_scores *s = f->s;
  for (int64_t i = 0; i < b->n; i++) {
    int64_t row = b->first + i, at = row * s->outputs;
    for (int64_t k = 0; k < s->outputs; k++)
      s->p[at + k] = (float)bpi_net_value(f->net, b->out + i * s->outputs, k);
    if (s->y)
      memcpy(s->y + at, b->y + i * s->outputs, (size_t)s->outputs * sizeof *s->y);
    if (s->labels)
      s->labels[row] = (int32_t)b->labels[i];
    if (s->weight)
      s->weight[row] = b->weights[i];
    s->loss[row] = loss_of(s, row, b, i);
  }
  return BP_OK;
}

bp_task bp_net_task(const bp_net *net)
{
  return net && net->classes                     ? BP_TASK_CLASSES
         : net && bpi_loss_of_labels(&net->loss) ? BP_TASK_LABELS
                                                 : BP_TASK_NUMBERS;
}

bp_status bp_net_scores(bp_net *net, const bp_data *d, bp_scores **out)
{
  if (!net || !d || !out)
    return bpi_bad_arg("bp_net_scores", "net, data or out is NULL");
  *out = NULL;
  bp_scores *s = make_room(net->ctx, bp_net_task(net), d->n, net->outputs, bpi_weighted(d->all));
  if (!s)
    return BP_E_NOMEM;
  bp_status st = bpi_net_visit(net, d, fill_block, &(filling){net, s});
  if (st != BP_OK) {
    bp_scores_free(s);
    return st;
  }
  sum_up(s);
  *out = s;
  return BP_OK;
}

/* ---- looking at them ---- */

bp_task bp_scores_task(const bp_scores *s)
{
  return s ? s->task : BP_TASK_NUMBERS;
}

int64_t bp_scores_rows(const bp_scores *s)
{
  return s ? s->rows : 0;
}

int64_t bp_scores_outputs(const bp_scores *s)
{
  return s ? s->outputs : 0;
}

static bool has_row(const bp_scores *s, int64_t row)
{
  return s && row >= 0 && row < s->rows;
}

const float *bp_scores_row(const bp_scores *s, int64_t row)
{
  return has_row(s, row) ? bpi_row(s, row) : NULL;
}

int64_t bp_scores_label(const bp_scores *s, int64_t row)
{
  return has_row(s, row) && s->labels ? s->labels[row] : -1;
}

double bp_scores_truth(const bp_scores *s, int64_t row, int64_t k)
{
  if (!has_row(s, row) || k < 0 || k >= s->outputs)
    return NAN;
  return s->labels ? bpi_is_true(s, row, k) : (double)s->y[row * s->outputs + k];
}

double bp_scores_loss(const bp_scores *s, int64_t row)
{
  return has_row(s, row) ? (double)s->loss[row] : (double)NAN;
}

bp_status bp_scores_count(const bp_scores *s, int64_t k, bp_class_count *out)
{
  if (!s || !out)
    return bpi_bad_arg("bp_scores_count", "scores or out is NULL");
  if (!s->count)
    return bpi_fail(BP_E_MISMATCH, "bp_scores_count: numbers have no classes");
  if (k < 0 || k >= s->outputs)
    return bpi_fail(BP_E_RANGE, "bp_scores_count: there is no class %lld", (long long)k);
  *out = s->count[k];
  return BP_OK;
}

bp_status bp_scores_confusion(const bp_scores *s, double *out)
{
  if (!s || !out)
    return bpi_bad_arg("bp_scores_confusion", "scores or out is NULL");
  if (!s->labels)
    return bpi_fail(BP_E_MISMATCH, "a confusion matrix is of classes");
  memset(out, 0, (size_t)(s->outputs * s->outputs) * sizeof *out);
  for (int64_t i = 0; i < s->rows; i++)
    out[s->labels[i] * s->outputs + bpi_largest(bpi_row(s, i), s->outputs)] += bpi_weight(s, i);
  return BP_OK;
}

/* Predictions of many rows beside what is true of them. */
#include "train/metrics.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

void bp_scores_free(bp_scores *s)
{
  if (!s)
    return;
  bp_ctx *ctx = s->ctx;
  for (size_t i = 0; i < s->n_sums; i++)
    bpi_free(ctx, s->sums[i].at);
  void *own[] = {s->p, s->y, s->labels, s->weight, s->loss, s->count, s->confusion, s->sums};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  bpi_free(ctx, s);
}

bp_scores *bpi_scores_room(bp_ctx *ctx, bp_task task, int64_t room, int64_t outputs, bool weighted)
{
  int64_t size;
  bp_scores *s = bpi_mul(room, outputs, &size) ? bpi_zalloc(ctx, 1, sizeof *s) : NULL;
  if (!s) {
    bpi_nomem();
    return NULL;
  }
  *s = (bp_scores){.ctx = ctx, .task = task, .room = room, .outputs = outputs, .finite = true};
  bool classes = task == BP_TASK_CLASSES, good = true;
  good = (s->p = bpi_alloc(ctx, (size_t)size, sizeof *s->p)) != NULL;
  good = good && (s->loss = bpi_alloc(ctx, (size_t)room, sizeof *s->loss));
  good = good && (!classes || (s->labels = bpi_alloc(ctx, (size_t)room, sizeof *s->labels)));
  good = good && (classes || (s->y = bpi_alloc(ctx, (size_t)size, sizeof *s->y)));
  good = good && (!weighted || (s->weight = bpi_alloc(ctx, (size_t)room, sizeof *s->weight)));
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

bpi_seen bpi_see(const bp_scores *s, int64_t row)
{
  const float *p = bpi_row(s, row);
  bool classes = s->labels != NULL;
  return (bpi_seen){.p = p,
                    .y = s->y ? s->y + row * s->outputs : NULL,
                    .outputs = s->outputs,
                    .label = classes ? s->labels[row] : -1,
                    .best = classes ? bpi_largest(p, s->outputs) : -1,
                    .weight = bpi_weight(s, row),
                    .loss = (double)s->loss[row]};
}

/* ---- what is known of all rows ---- */

static void count_outputs(bp_scores *s, const bpi_seen *r)
{
  if (r->label >= 0) {
    s->count[r->best].predicted += r->weight;
    s->count[r->label].actual += r->weight;
    s->count[r->label].right += r->best == r->label ? r->weight : 0;
    return;
  }
  for (int64_t k = 0; k < s->outputs; k++) {
    bool is = bpi_is_true(r, k), said = bpi_is_predicted(r, k);
    s->count[k].predicted += said ? r->weight : 0;
    s->count[k].actual += is ? r->weight : 0;
    s->count[k].right += is && said ? r->weight : 0;
  }
}

void bpi_scores_count(bp_scores *s, const bpi_seen *r)
{
  for (int64_t k = 0; k < s->outputs && s->finite; k++)
    s->finite = isfinite(r->p[k]);
  s->total += r->weight;
  if (s->count)
    count_outputs(s, r);
}

void bpi_scores_recount(bp_scores *s)
{
  s->finite = true;
  s->total = 0;
  if (s->count)
    memset(s->count, 0, (size_t)s->outputs * sizeof *s->count);
  for (int64_t i = 0; i < s->rows; i++) {
    bpi_seen r = bpi_see(s, i);
    bpi_scores_count(s, &r);
  }
}

static float square_of(const bp_scores *s, int64_t row)
{
  bpi_seen r = {.p = bpi_row(s, row), .y = s->y + row * s->outputs};
  double sum = 0;
  for (int64_t k = 0; k < s->outputs; k++)
    sum += bpi_square_off(&r, k, 0);
  return (float)(sum / (double)s->outputs);
}

/* Of labels, the mean over them. */
static float surprise_of(const bp_scores *s, int64_t row)
{
  const float *p = bpi_row(s, row);
  double sum = 0;
  if (s->labels)
    return (float)-log((double)p[s->labels[row]]);
  for (int64_t k = 0; s->y && k < s->outputs; k++)
    sum -= s->y[row * s->outputs + k] > 0.5f ? log((double)p[k]) : log1p(-(double)p[k]);
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
  bp_scores *s = bpi_scores_room(ctx, task, rows, outputs, weights != NULL);
  if (!s)
    return BP_E_NOMEM;
  s->rows = rows;
  if (rows)
    copy_rows(s, p, labels, y, weights);
  bpi_scores_recount(s);
  *out = s;
  return BP_OK;
}

/* ---- some rows ---- */

static void copy_row(const bp_scores *from, int64_t row, bp_scores *to, int64_t at)
{
  size_t n = (size_t)from->outputs;
  memcpy(to->p + at * to->outputs, bpi_row(from, row), n * sizeof *to->p);
  to->loss[at] = from->loss[row];
  if (from->y && to->y)
    memcpy(to->y + at * to->outputs, from->y + row * from->outputs, n * sizeof *to->y);
  if (from->labels && to->labels)
    to->labels[at] = from->labels[row];
  if (to->weight)
    to->weight[at] = (float)bpi_weight(from, row);
}

static bp_status check_at(const char *who, const bp_scores *s, const int64_t *at, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    if (at[i] < 0 || at[i] >= s->rows)
      return bpi_fail(BP_E_RANGE, "%s: there is no row %lld", who, (long long)at[i]);
  return s->rows > s->room ? bpi_fail(BP_E_UNSUPPORTED, "%s: the rows are not kept", who) : BP_OK;
}

bp_status bp_scores_part(const bp_scores *s, const int64_t *at, int64_t n, bp_scores **out)
{
  if (!s || !out || n < 0 || (n && !at))
    return bpi_bad_arg("bp_scores_part", "scores, at or out is NULL, or n is negative");
  *out = NULL;
  bp_status st = check_at("bp_scores_part", s, at, n);
  bp_scores *part = st == BP_OK ? bpi_scores_room(s->ctx, s->task, n, s->outputs, s->weight != NULL) : NULL;
  if (!part)
    return st == BP_OK ? BP_E_NOMEM : st;
  part->rows = n;
  for (int64_t i = 0; i < n; i++)
    copy_row(s, at[i], part, i);
  bpi_scores_recount(part);
  *out = part;
  return BP_OK;
}

/* ---- rows that come one after another ---- */

enum { MOST_CONFUSED = 1024 };

bp_status bpi_scores_open(bp_ctx *ctx, bp_task task, int64_t outputs, const char *const *metrics,
                          bool confusion, bp_scores **out)
{
  bp_scores *s = bpi_scores_room(ctx, task, 0, outputs, false);
  bp_status st = s ? bpi_scores_ask(s, metrics) : BP_E_NOMEM;
  if (st == BP_OK && confusion && s->labels && !s->keep && outputs <= MOST_CONFUSED &&
      !(s->confusion = bpi_zalloc(ctx, (size_t)(outputs * outputs), sizeof *s->confusion)))
    st = bpi_nomem();
  if (st != BP_OK) {
    bp_scores_free(s);
    return st;
  }
  s->open = true;
  *out = s;
  return BP_OK;
}

bp_status bp_scores_open(bp_ctx *ctx, bp_task task, int64_t outputs, const char *const *metrics,
                         bp_scores **out)
{
  if (!ctx || !out || outputs < 1 || outputs > INT32_MAX)
    return bpi_bad_arg("bp_scores_open", "ctx or out is NULL, or outputs out of range");
  *out = NULL;
  if (task != BP_TASK_CLASSES && task != BP_TASK_NUMBERS && task != BP_TASK_LABELS)
    return bpi_bad_arg("bp_scores_open", "task");
  return bpi_scores_open(ctx, task, outputs, metrics, true, out);
}

static bool grow(bp_ctx *ctx, void **at, int64_t n, size_t size)
{
  if (!*at)
    return true; /* these scores have none */
  void *more = bpi_realloc(ctx, *at, (size_t)n, size);
  *at = more ? more : *at;
  return more != NULL;
}

/* The rows before had no weights of their own. */
static bool add_weights(bp_scores *s)
{
  s->weight = bpi_alloc(s->ctx, (size_t)s->room, sizeof *s->weight);
  for (int64_t i = 0; s->weight && i < s->rows; i++)
    s->weight[i] = 1;
  return s->weight != NULL;
}

static bp_status make_space(bp_scores *s, int64_t n, bool weighted)
{
  int64_t room = s->room, values;
  if (s->rows + n > room)
    room = s->rows + n > 2 * room ? s->rows + n : 2 * room;
  bool good = bpi_mul(room, s->outputs, &values) && grow(s->ctx, (void **)&s->p, values, sizeof *s->p) &&
              grow(s->ctx, (void **)&s->y, values, sizeof *s->y) &&
              grow(s->ctx, (void **)&s->labels, room, sizeof *s->labels) &&
              grow(s->ctx, (void **)&s->loss, room, sizeof *s->loss) &&
              grow(s->ctx, (void **)&s->weight, room, sizeof *s->weight);
  if (!good)
    return bpi_nomem();
  s->room = room;
  return weighted && !s->weight && !add_weights(s) ? bpi_nomem() : BP_OK;
}

bp_status bp_scores_add(bp_scores *s, const bp_scores *more, const int64_t *at, int64_t n)
{
  if (!s || !more || n < 0 || !s->open || s == more)
    return bpi_bad_arg("bp_scores_add",
                       "scores or more is NULL, the scores are not of bp_scores_open, or n is negative");
  if (s->task != more->task || s->outputs != more->outputs)
    return bpi_fail(BP_E_MISMATCH, "bp_scores_add: the rows are of another task, or have other outputs");
  n = at ? n : more->rows;
  bp_status st = check_at("bp_scores_add", more, at, at ? n : 0);
  if (st == BP_OK && s->keep)
    st = make_space(s, n, more->weight != NULL);
  for (int64_t i = 0; i < n && st == BP_OK; i++) {
    int64_t row = at ? at[i] : i;
    bpi_seen r = bpi_see(more, row);
    if (s->keep)
      copy_row(more, row, s, s->rows);
    if (s->confusion)
      s->confusion[r.label * s->outputs + r.best] += r.weight;
    bpi_scores_count(s, &r);
    bpi_scores_sum_row(s, &r);
    s->rows++;
  }
  return st;
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
  return s && row >= 0 && row < s->rows && row < s->room;
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
  return s->labels ? s->labels[row] == k : (double)s->y[row * s->outputs + k];
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
  size_t size = (size_t)(s->outputs * s->outputs) * sizeof *out;
  if (s->confusion) {
    memcpy(out, s->confusion, size);
    return BP_OK;
  }
  if (s->rows > s->room)
    return bpi_fail(BP_E_UNSUPPORTED, "of so many classes no confusion matrix is kept without the rows");
  memset(out, 0, size);
  for (int64_t i = 0; i < s->rows; i++) {
    bpi_seen r = bpi_see(s, i);
    out[r.label * s->outputs + r.best] += r.weight;
  }
  return BP_OK;
}

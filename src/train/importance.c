/* Permutation importance: what is lost when a column says nothing any more. */
#include "base/rng.h"
#include "train/metrics.h"

#include <math.h>
#include <string.h>

typedef struct importance {
  bp_net *net;
  const bp_data *data;
  bp_importance_options o;
  bpi_match match;
  int64_t n;
  int64_t *at;       /* [n] rows of data */
  float *x;          /* [n, cols] as the network takes them */
  float *kept, *p;   /* [n] a column; [n, outputs] predictions */
  float *y, *weight; /* [n, outputs], [n]; NULL where there are none */
  int64_t *labels, *order;
} importance;

static bpi_key key_of(const importance *t, uint32_t step)
{
  return (bpi_key){t->o.seed, step, 0x696d7074}; /* a stream of its own */
}

/* The network's number of a category, which may be called by another one in the data. */
static float value_of(const importance *t, int64_t row, int64_t c)
{
  const bpi_match *m = &t->match;
  float x = bpi_raw_value(t->data->all, row, m->column ? m->column[c] : c);
  if (isnan(x) || !m->codes || !m->codes[c])
    return x;
  int32_t code = m->codes[c][(int64_t)x];
  return code < 0 ? NAN : (float)code;
}

static void take_rows(importance *t)
{
  const bpi_examples *all = t->data->all;
  int64_t cols = t->net->encoding.cols, outputs = t->net->outputs;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t row = bpi_data_at(t->data, t->at[i]);
    for (int64_t c = 0; c < cols; c++)
      t->x[i * cols + c] = value_of(t, row, c);
    if (t->weight)
      t->weight[i] = all->weights[row];
    if (t->labels)
      t->labels[i] = bpi_match_label(&t->match, all->labels[row]);
    else
      memcpy(t->y + i * outputs, all->y + row * outputs, (size_t)outputs * sizeof *t->y);
  }
}

static bp_status make_room(importance *t)
{
  bp_ctx *ctx = t->net->ctx;
  size_t n = (size_t)t->n, cols = (size_t)t->net->encoding.cols, outputs = (size_t)t->net->outputs;
  bool classes = t->net->classes > 0, weighted = t->data->all->weights != NULL;
  int64_t size;
  if (!bpi_mul(t->n, t->net->encoding.cols, &size))
    return bpi_nomem();
  bool good = (t->at = bpi_alloc(ctx, (size_t)t->data->n, sizeof *t->at)) != NULL;
  good = good && (t->x = bpi_alloc(ctx, n * cols, sizeof *t->x));
  good = good && (t->kept = bpi_alloc(ctx, n, sizeof *t->kept));
  good = good && (t->p = bpi_alloc(ctx, n * outputs, sizeof *t->p));
  good = good && (t->order = bpi_alloc(ctx, n, sizeof *t->order));
  good = good && (!classes || (t->labels = bpi_alloc(ctx, n, sizeof *t->labels)));
  good = good && (classes || (t->y = bpi_alloc(ctx, n * outputs, sizeof *t->y)));
  good = good && (!weighted || (t->weight = bpi_alloc(ctx, n, sizeof *t->weight)));
  return good ? BP_OK : bpi_nomem();
}

static bp_status measure(importance *t, double *value)
{
  bp_scores *scores = NULL;
  bp_status s = bp_net_predict(t->net, t->x, t->n, t->p);
  if (s == BP_OK)
    s = bp_scores_new(t->net->ctx, bp_net_task(t->net), t->n, t->net->outputs, t->p, t->labels, t->y,
                      t->weight, &scores);
  if (s == BP_OK)
    s = bp_scores_metric(scores, t->o.metric, value);
  bp_scores_free(scores);
  return s;
}

/* Welford's sums: each shuffle is one value. */
static bp_status shuffle_column(importance *t, int64_t c, double whole, double sign, bp_importance *out)
{
  int64_t cols = t->net->encoding.cols;
  double mean = 0, square = 0, value = 0;
  bp_status s = BP_OK;
  for (int64_t i = 0; i < t->n; i++)
    t->kept[i] = t->x[i * cols + c];
  for (int64_t r = 0; s == BP_OK && r < t->o.repeats; r++) {
    bpi_permutation(key_of(t, (uint32_t)(1 + c * t->o.repeats + r)), t->n, t->order);
    for (int64_t i = 0; i < t->n; i++)
      t->x[i * cols + c] = t->kept[t->order[i]];
    s = measure(t, &value);
    double off = sign * (value - whole) - mean;
    mean += off / (double)(r + 1);
    square += off * (sign * (value - whole) - mean);
  }
  for (int64_t i = 0; i < t->n; i++)
    t->x[i * cols + c] = t->kept[i];
  *out = (bp_importance){mean, t->o.repeats > 1 ? sqrt(square / (double)(t->o.repeats - 1)) : 0};
  return s;
}

static bp_status all_columns(importance *t, bool higher, bp_importance *out, double *whole)
{
  double first = NAN;
  bpi_permutation(key_of(t, 0), t->data->n, t->at);
  take_rows(t);
  bp_status s = measure(t, &first);
  if (whole)
    *whole = first;
  for (int64_t c = 0; s == BP_OK && c < t->net->encoding.cols; c++)
    s = shuffle_column(t, c, first, higher ? -1 : 1, &out[c]);
  return s;
}

static bp_status fill_options(importance *t, const bp_importance_options *o, bool *higher)
{
  enum { MOST = 1000000 };
  t->o = o ? *o : (bp_importance_options){0};
  if (t->o.repeats < 0 || t->o.repeats > MOST || t->o.rows < 0)
    return bpi_bad_arg("bp_net_importance", "repeats or rows out of range");
  t->o.metric = t->o.metric ? t->o.metric : bp_net_task(t->net) == BP_TASK_NUMBERS ? "rmse" : "log_loss";
  t->o.repeats = t->o.repeats ? t->o.repeats : 5;
  t->o.rows = t->o.rows ? t->o.rows : 1000;
  t->o.seed = t->o.seed ? t->o.seed : 1;
  t->n = t->o.rows < t->data->n ? t->o.rows : t->data->n;
  const bp_metric *m = bp_metric_find(t->o.metric, NULL);
  *higher = m && m->higher;
  return m ? BP_OK : BP_E_NOTFOUND;
}

bp_status bp_net_importance(bp_net *net, const bp_data *data, const bp_importance_options *options,
                            bp_importance *out, double *whole)
{
  if (!net || !data || !out)
    return bpi_bad_arg("bp_net_importance", "net, data or out is NULL");
  if (data->all->spool)
    return bpi_fail(BP_E_UNSUPPORTED, "importance is measured on data in memory; these are too many rows");
  importance t = {.net = net, .data = data};
  bool higher = false;
  bp_status s = fill_options(&t, options, &higher);
  if (s == BP_OK)
    s = bpi_net_match(net, data, true, &t.match);
  if (s == BP_OK)
    s = make_room(&t);
  if (s == BP_OK)
    s = all_columns(&t, higher, out, whole);
  void *own[] = {t.at, t.x, t.kept, t.p, t.order, t.labels, t.y, t.weight};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(net->ctx, own[i]);
  bpi_match_clear(&t.match);
  return s;
}

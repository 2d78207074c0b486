/* How good a network is: its predictions, block by block, beside what is true. */
#include "train/lossmeter.h"
#include "train/metrics.h"
#include "train/spool.h"

#include <math.h>
#include <string.h>

bp_task bp_net_task(const bp_net *net)
{
  return net && net->classes                     ? BP_TASK_CLASSES
         : net && bpi_loss_of_labels(&net->loss) ? BP_TASK_LABELS
                                                 : BP_TASK_NUMBERS;
}

/* ---- rows of a block as scores ---- */

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
  if (s->labels)
    return (float)-bpi_log_share(raw, s->outputs, b->labels[i]);
  bpi_seen r = {.p = bpi_row(s, row), .y = s->y + row * s->outputs};
  for (int64_t k = 0; k < s->outputs; k++)
    sum += s->task == BP_TASK_NUMBERS ? bpi_square_off(&r, k, 0)
                                      : soft_plus(bpi_is_true(&r, k) ? -raw[k] : raw[k]);
  return (float)(sum / (double)s->outputs);
}

/* Into rows `to` and on of s. losses: wanted for each row. */
static void take_rows(const bp_net *net, const bpi_answered *b, bool losses, bp_scores *s, int64_t to)
{
  for (int64_t i = 0; i < b->n; i++) {
    int64_t row = to + i, at = row * s->outputs;
    for (int64_t k = 0; k < s->outputs; k++)
      s->p[at + k] = (float)bpi_net_value(net, b->out + i * s->outputs, k);
    if (s->y)
      memcpy(s->y + at, b->y + i * s->outputs, (size_t)s->outputs * sizeof *s->y);
    if (s->labels)
      s->labels[row] = (int32_t)b->labels[i];
    if (s->weight)
      s->weight[row] = b->weights[i];
    s->loss[row] = losses ? loss_of(s, row, b, i) : NAN;
  }
}

/* ---- all rows at once ---- */

typedef struct filling {
  const bp_net *net;
  bp_scores *s;
} filling;

static bp_status fill_block(void *user, const bpi_answered *b)
{
  filling *f = user;
  take_rows(f->net, b, true, f->s, b->first);
  return BP_OK;
}

bp_status bp_net_scores(bp_net *net, const bp_data *d, bp_scores **out)
{
  if (!net || !d || !out)
    return bpi_bad_arg("bp_net_scores", "net, data or out is NULL");
  *out = NULL;
  bp_scores *s = bpi_scores_room(net->ctx, bp_net_task(net), d->n, net->outputs, bpi_weighted(d->all));
  if (!s)
    return BP_E_NOMEM;
  bp_status st = bpi_net_visit(net, d, fill_block, &(filling){net, s});
  if (st != BP_OK) {
    bp_scores_free(s);
    return st;
  }
  s->rows = d->n;
  bpi_scores_recount(s);
  *out = s;
  return BP_OK;
}

/* ---- rows as they come ---- */

typedef struct judging {
  const bp_net *net;
  bp_scores *block, *all; /* all: what they are summed up in; NULL: nothing */
  bpi_loss_meter *meter;  /* NULL: the network's loss is not wanted */
  bool losses;
  bp_see see;
  void *user;
} judging;

static bp_status judge_block(void *user, const bpi_answered *b)
{
  judging *j = user;
  bp_status s = BP_OK;
  take_rows(j->net, b, j->losses, j->block, 0);
  j->block->rows = b->n;
  bpi_scores_recount(j->block);
  if (j->all)
    s = bp_scores_add(j->all, j->block, NULL, 0);
  if (s == BP_OK && j->meter)
    s = bpi_meter_add(j->meter, b);
  if (s == BP_OK && j->see)
    s = j->see(j->user, j->block, b->first);
  return s;
}

static bp_status judge_all(bp_net *net, const bp_data *d, judging *j, bool meter)
{
  bp_status s = meter ? bpi_meter_open(net, d, &j->meter) : BP_OK;
  j->net = net;
  if (s == BP_OK &&
      !(j->block = bpi_scores_room(net->ctx, bp_net_task(net), BPI_BULK, net->outputs, bpi_weighted(d->all))))
    s = BP_E_NOMEM;
  if (s == BP_OK)
    s = bpi_net_visit(net, d, judge_block, j);
  bp_scores_free(j->block);
  return s;
}

/* ---- the usual metrics ---- */

static double value_of(const bp_scores *s, const char *name)
{
  double value;
  return bp_scores_metric(s, name, &value) == BP_OK ? value : (double)NAN;
}

/* What always the more common answer would get: of classes one for all rows, of labels one for each of them; of numbers their mean. */
static double baseline_of(const bp_scores *s)
{
  double most = 0, sum = 0, n = s->total;
  for (int64_t k = 0; k < s->outputs; k++) {
    const double *r2 = bpi_scores_sum(s, "r2", k);
    double is = s->count ? s->count[k].actual : 0;
    most = fmax(most, is);
    sum += r2 ? sqrt(r2[BPI_R2_SPREAD] / n) : fmax(is, n - is) / n;
  }
  return s->task == BP_TASK_CLASSES ? most / n : sum / (double)s->outputs;
}

static void tell(const bp_scores *s, double loss, bp_metrics *m)
{
  bool numbers = s->task == BP_TASK_NUMBERS;
  *m = (bp_metrics){.rows = s->rows,
                    .loss = loss,
                    .accuracy = numbers ? (double)NAN : value_of(s, "accuracy"),
                    .rmse = numbers ? value_of(s, "rmse") : (double)NAN,
                    .mae = numbers ? value_of(s, "mae") : (double)NAN,
                    .r2 = numbers ? value_of(s, "r2") : (double)NAN,
                    .baseline = s->rows ? baseline_of(s) : (double)NAN};
}

static bp_status judge(bp_net *net, const bp_data *d, const char *name, judging *j, bp_metrics *m,
                       double *value)
{
  static const char *const usual[][3] = {{"accuracy"}, {"rmse", "mae", "r2"}};
  const char *names[5] = {0};
  memcpy(names, usual[bp_net_task(net) == BP_TASK_NUMBERS], sizeof *usual);
  names[names[1] ? 3 : 1] = name;
  *m = (bp_metrics){0, NAN, NAN, NAN, NAN, NAN, NAN};
  bp_status s = bpi_scores_open(net->ctx, bp_net_task(net), net->outputs, names, false, &j->all);
  if (s != BP_OK)
    return s;
  j->losses = j->see || bpi_scores_of_losses(j->all);
  s = judge_all(net, d, j, true);
  if (s == BP_OK)
    tell(j->all, bpi_meter_loss(j->meter), m);
  if (s == BP_OK && name)
    s = bp_scores_metric(j->all, name, value);
  bpi_meter_close(j->meter);
  bp_scores_free(j->all);
  return s;
}

bp_status bpi_net_judge(bp_net *net, const bp_data *d, const char *name, bp_metrics *m, double *value)
{
  judging j = {0};
  return judge(net, d, name, &j, m, value);
}

bp_status bp_net_eval(bp_net *net, const bp_data *d, bp_metrics *m)
{
  if (!net || !d || !m)
    return bpi_bad_arg("bp_net_eval", "net, data or metrics is NULL");
  return bpi_net_judge(net, d, NULL, m, NULL);
}

bp_status bp_net_visit(bp_net *net, const bp_data *d, bp_see see, void *user, bp_metrics *m)
{
  judging j = {.losses = true, .see = see, .user = user};
  if (!net || !d || !see)
    return bpi_bad_arg("bp_net_visit", "net, data or see is NULL");
  return m ? judge(net, d, NULL, &j, m, NULL) : judge_all(net, d, &j, false);
}

/* ---- one metric ---- */

bp_status bp_net_metric(bp_net *net, const bp_data *d, const char *name, double *value)
{
  const char *const names[] = {name, NULL};
  judging j = {.losses = true};
  if (!net || !d || !name || !value)
    return bpi_bad_arg("bp_net_metric", "net, data, name or value is NULL");
  *value = NAN;
  bp_status s = bpi_scores_open(net->ctx, bp_net_task(net), net->outputs, names, false, &j.all);
  if (s == BP_OK)
    s = judge_all(net, d, &j, false);
  if (s == BP_OK)
    s = bp_scores_metric(j.all, name, value);
  bp_scores_free(j.all);
  return s;
}

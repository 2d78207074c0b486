/* What is watched over the epochs: which one is the best so far, and when it is time to stop. */
#include "train/trainer.h"
#include "train/metrics.h"

#include <math.h>
#include <string.h>

bp_status bpi_stopping_open(bpi_trainer *t)
{
  const char *name = t->o.metric;
  bp_status s = BP_OK;
  if (!name)
    return BP_OK;
  if (!t->o.valid)
    return bpi_bad_arg("bp_net_train", "metric needs validation rows (valid)");
  t->loss_alone = strcmp(name, "loss") == 0;
  if (!t->loss_alone)
    t->metric = bpi_metric_for(bp_net_task(t->net), name, &s);
  return s;
}

double bpi_watched(const bpi_trainer *t)
{
  return t->metric ? t->watched : bp_net_task(t->net) == BP_TASK_NUMBERS ? t->valid.r2 : t->valid.accuracy;
}

static void keep_best(bpi_trainer *t)
{
  bpi_params_keep(t->net->params, t->best);
  t->at.best_epoch = t->at.epoch;
  t->at.best_train = t->loss;
  t->at.best_loss = t->valid.loss;
  t->at.best_metric = bpi_watched(t);
}

/* Wrong answers are less than half of those of the best epoch, which had ten at least. */
static bool halves_errors(const bpi_trainer *t)
{
  double n = (double)t->valid.rows, before = n * (1 - t->at.best_metric), now = n * (1 - t->valid.accuracy);
  return before >= 10 && now < before / 2; /* false of numbers, whose accuracy is NAN */
}

/* Keeps the weights of a lower loss. A few rows far out can hold the loss up while more and more rows come right: so a better metric is a
 * reason to go on, too, and half the errors count more than the loss; unless the loss alone was asked for. */
static void compare_losses(bpi_trainer *t)
{
  double metric = bpi_watched(t);
  bool lower = !(t->valid.loss >= t->at.best_loss); /* the first has none before it: NAN */
  bool more = !t->loss_alone && !isnan(metric) && !(metric <= t->at.most);
  if (lower || (!t->loss_alone && halves_errors(t)))
    keep_best(t);
  if (more)
    t->at.most = metric;
  if (t->at.best_epoch == t->at.epoch || more)
    t->at.better_epoch = t->at.epoch;
}

/* The metric that was asked for, so that more is better. */
static double goodness(const bpi_trainer *t)
{
  return t->metric->higher ? t->watched : -t->watched;
}

/* Of equal ones, as accuracies of few rows are, the lower loss is kept; but that is no reason to go on. */
static void compare_metrics(bpi_trainer *t)
{
  double now = goodness(t);
  bool more = !isnan(now) && !(now <= t->at.most); /* the first has none before it: NAN */
  if (more || (now == t->at.most && t->valid.loss < t->at.best_loss))
    keep_best(t);
  if (!more)
    return;
  t->at.most = now;
  t->at.better_epoch = t->at.epoch;
}

/* Without validation every epoch is better than the one before. */
static bp_status judge_training(bpi_trainer *t, bool *stop)
{
  keep_best(t);
  bpi_schedule_judge(&t->schedule, &t->at.plateau, t->loss);
  *stop = t->plan.done;
  return BP_OK;
}

static bp_status measure(bpi_trainer *t)
{
  bp_status s = bpi_net_judge(t->net, t->o.valid, t->metric ? t->o.metric : NULL, &t->valid, &t->watched);
  if (s == BP_OK && !isfinite(t->valid.loss))
    return bpi_diverged(t, "the validation loss is not finite");
  if (s == BP_OK && t->metric && isnan(t->watched) && isnan(t->at.most))
    return bpi_fail(BP_E_MISMATCH, "metric '%s' is not defined on the validation rows: %s", t->o.metric,
                    t->metric->math);
  return s;
}

bp_status bpi_stopping_judge(bpi_trainer *t, bool *stop)
{
  *stop = false;
  if (!t->o.valid)
    return judge_training(t, stop);
  bp_status s = measure(t);
  if (s != BP_OK)
    return s;
  (t->metric ? compare_metrics : compare_losses)(t);
  bpi_schedule_judge(&t->schedule, &t->at.plateau, t->metric ? -goodness(t) : t->valid.loss);
  *stop = t->at.epoch - t->at.better_epoch >= t->o.patience || t->plan.done;
  return BP_OK;
}

/* The training loop: steps over the loader's batches; the best weights kept. */
#include "train/schedule.h"
#include "train/step.h"

#include <math.h>
#include <string.h>
#include <time.h>

typedef struct trainer {
  bp_net *net;
  const bp_data *data;
  bp_train_options o;
  int *column;
  int64_t *classes;
  bpi_stepper plan;
  bpi_schedule schedule;
  bpi_loader *loader;
  void *best;     /* the weights kept, */
  size_t weights; /* so many bytes */
  double loss, best_loss, best_metric, best_train;
  int64_t epoch, best_epoch, step;
  bp_metrics valid;
} trainer;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- options ---- */

static int64_t default_batch(int64_t rows)
{
  return rows < 500 ? 8 : rows < 4000 ? 32 : rows < 20000 ? 64 : 128;
}

/* Small tables have short epochs and few rows to judge by: they are given at least 500 steps to get better. */
static int64_t default_patience(int64_t rows, int64_t batch)
{
  int64_t steps = (rows + batch - 1) / batch, epochs = (500 + steps - 1) / steps;
  return epochs > 10 ? epochs : 10;
}

static bp_status fill_options(trainer *t, const bp_train_options *options)
{
  t->o = options ? *options : (bp_train_options){0};
  bp_train_options *o = &t->o;
  if (o->epochs < 0 || o->batch < 0 || o->patience < 0 || o->epochs > 100000000)
    return bpi_bad_arg("bp_net_train",
                       "epochs, batch and patience may not be negative, nor epochs over 10^8");
  if (o->label_smoothing != -1 && !(o->label_smoothing >= 0 && o->label_smoothing < 1))
    return bpi_bad_arg("bp_net_train", "label_smoothing must lie in [0, 1), or be -1 for none");
  o->epochs = o->epochs ? o->epochs : 200;
  o->label_smoothing = o->label_smoothing == 0 ? 0.05 : o->label_smoothing < 0 ? 0 : o->label_smoothing;
  o->batch = o->batch ? o->batch : default_batch(t->data->n);
  o->batch = o->batch > t->data->n ? t->data->n : o->batch;
  o->patience = o->patience ? o->patience : default_patience(t->data->n, o->batch);
  /* The rate asked for, not what the state holds: that is where the last training's schedule ended. */
  return bpi_schedule_open(&t->schedule, o, bpi_optimizer_lr(&o->optimizer),
                           (t->data->n + o->batch - 1) / o->batch);
}

static bp_status open_loader(trainer *t)
{
  bpi_load what = {t->net, t->data, t->column, t->classes, t->o.batch, t->o.epochs, 0};
  t->loader = bpi_loader_open(&what);
  return t->loader ? BP_OK : BP_E_NOMEM;
}

/* ---- weights ---- */

static bp_status find_weights(trainer *t)
{
  t->weights = bpi_params_bytes(t->net->params);
  t->best = bpi_alloc(t->net->ctx, t->weights, 1);
  if (!t->best)
    return bpi_nomem();
  bpi_params_keep(t->net->params, t->best);
  return BP_OK;
}

/* ---- steps and epochs ---- */

static bp_status diverged(const trainer *t, int64_t step, const char *what)
{
  return bpi_fail(
      BP_E_NOTFINITE,
      "training stopped at epoch %lld, step %lld: %s. Try a smaller learning rate, or clipping of "
      "the gradient",
      (long long)t->epoch, (long long)step, what);
}

static bp_status one_step(trainer *t, const bpi_batch *b, double *loss)
{
  bp_status s = bpi_stepper_take(&t->plan, b, t->step, bpi_schedule_rate(&t->schedule, t->step), loss);
  if (s == BP_E_NOTFINITE)
    return diverged(t, t->step + 1, bp_error());
  if (t->step++ == 0)
    bpi_log(t->net->ctx, BP_LOG_DEBUG, "the first step is done");
  return s;
}

static bp_status one_epoch(trainer *t)
{
  int64_t n = t->data->n, done = 0;
  double sum = 0, loss = 0;
  bp_status s = BP_OK;
  while (s == BP_OK && done < n) {
    const bpi_batch *b = bpi_loader_next(t->loader);
    s = one_step(t, b, &loss);
    sum += loss * (double)b->rows;
    done += b->rows;
  }
  t->loss = sum / (double)n;
  return s;
}

static void keep_best(trainer *t)
{
  bpi_params_keep(t->net->params, t->best);
  t->best_epoch = t->epoch;
  t->best_train = t->loss;
  t->best_loss = t->valid.loss;
  t->best_metric = t->net->classes ? t->valid.accuracy : t->valid.r2;
}

/* After an epoch: is it the best so far? Is it time to stop? */
static bp_status judge(trainer *t, bool *stop)
{
  *stop = false;
  /* Finite loss and gradients can still move weights past the largest number: such weights must never be the best. */
  if (!bpi_params_finite(t->net->params))
    return diverged(t, t->step, "a weight is not finite");
  if (!t->o.valid) {
    keep_best(t);
    return BP_OK;
  }
  bp_status s = bp_net_eval(t->net, t->o.valid, &t->valid);
  if (s == BP_OK && !isfinite(t->valid.loss))
    return diverged(t, t->step, "the validation loss is not finite");
  if (s == BP_OK && !(t->valid.loss >= t->best_loss)) /* the first has no best before it: NAN */
    keep_best(t);
  *stop = t->epoch - t->best_epoch >= t->o.patience;
  return s;
}

static bool report(trainer *t, double start, double took)
{
  if (!t->o.progress)
    return true;
  double seconds = now() - start;
  bp_progress p = {.epoch = t->epoch,
                   .epochs = t->o.epochs,
                   .train_loss = t->loss,
                   .valid_loss = t->valid.loss,
                   .valid_metric = t->net->classes ? t->valid.accuracy : t->valid.r2,
                   .best_epoch = t->best_epoch,
                   .seconds = seconds,
                   .eta = seconds / (double)t->epoch * (double)(t->o.epochs - t->epoch),
                   .samples_per_second = took > 0 ? (double)t->data->n / took : 0};
  return t->o.progress(t->o.user, &p);
}

static bp_status all_epochs(trainer *t, bp_train_result *r)
{
  double start = now(), spent = 0;
  bp_status s = BP_OK;
  bool stop = false;
  for (t->epoch = 1; s == BP_OK && !stop && t->epoch <= t->o.epochs; t->epoch++) {
    double before = now();
    s = one_epoch(t);
    double took = now() - before;
    spent += took;
    if (s == BP_OK)
      s = judge(t, &stop);
    if (s == BP_OK && !report(t, start, took))
      s = bpi_fail(BP_E_STOPPED, "training was stopped after epoch %lld", (long long)t->epoch);
    r->epochs += s == BP_OK || s == BP_E_STOPPED;
  }
  bpi_params_put_back(t->net->params, t->best);
  r->best_epoch = t->best_epoch;
  r->steps = t->step;
  r->train_loss = t->best_train;
  r->valid_loss = t->best_loss;
  r->valid_metric = t->best_metric;
  r->seconds = now() - start;
  r->samples_per_second = spent > 0 ? (double)t->data->n * (double)r->epochs / spent : 0;
  r->stopped_early = stop;
  return s;
}

static void trainer_free(trainer *t)
{
  bp_ctx *ctx = t->net->ctx;
  bpi_loader_close(t->loader);
  bpi_stepper_close(&t->plan);
  void *own[] = {t->column, t->classes, t->best};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
}

/* Whether the validation data fit, before the first epoch is spent. */
static bp_status match_valid(trainer *t)
{
  int *column;
  int64_t *classes;
  if (!t->o.valid)
    return BP_OK;
  bp_status s = bpi_net_match(t->net, t->o.valid, &column, &classes, true);
  if (s == BP_OK) {
    bpi_free(t->net->ctx, column);
    bpi_free(t->net->ctx, classes);
  }
  return s;
}

static bp_status train(bp_net *net, const bp_data *data, const bp_train_options *options,
                       bp_train_result *result)
{
  bp_train_result ignored = {0}, *r = result ? result : &ignored;
  *r = (bp_train_result){.train_loss = NAN, .valid_loss = NAN, .valid_metric = NAN};
  trainer t = {.net = net,
               .data = data,
               .best_loss = NAN,
               .best_metric = NAN,
               .best_train = NAN,
               .valid = {0, NAN, NAN, NAN, NAN, NAN, NAN}};
  bp_status s = fill_options(&t, options);
  if (s == BP_OK)
    s = bpi_net_match(net, data, &t.column, &t.classes, true);
  if (s == BP_OK)
    s = match_valid(&t);
  if (s == BP_OK)
    s = bpi_stepper_open(&t.plan, net, &t.o, data->n);
  if (s == BP_OK)
    s = find_weights(&t);
  if (s == BP_OK)
    s = open_loader(&t);
  if (s == BP_OK)
    s = all_epochs(&t, r);
  trainer_free(&t);
  return s;
}

bp_status bp_net_train(bp_net *net, const bp_data *data, const bp_train_options *options,
                       bp_train_result *result)
{
  if (!net || !data)
    return bpi_bad_arg("bp_net_train", "net or data is NULL");
  if (atomic_exchange(&net->busy, true))
    return bpi_fail(BP_E_ORDER, "bp_net_train: the network is being trained already: by another thread, or "
                                "from its own progress callback");
  bp_status s = train(net, data, options, result);
  atomic_store(&net->busy, false);
  return s;
}

/* The training loop: steps over the loader's batches; the best weights kept. */
#include "train/trainer.h"
#include "train/netvalues.h"
#include "train/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

double bpi_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- options ---- */

static int64_t default_batch(int64_t rows)
{
  return rows < 500 ? 8 : rows < 4000 ? 32 : rows < 50000 ? 64 : 128;
}

/* Small tables have short epochs and few rows to judge by: they are given at least 1,000 steps to get better. */
static int64_t default_patience(int64_t rows, int64_t batch)
{
  int64_t steps = (rows + batch - 1) / batch, epochs = (1000 + steps - 1) / steps;
  return epochs > 10 ? epochs : 10;
}

/* Where the rate comes down by itself there is less to smooth, and the last weights are the best; full batches have no noise. */
static double default_averaging(const bp_train_options *o)
{
  bool constant = !o->schedule || strcmp(o->schedule, "constant") == 0;
  return constant && o->optimizer.kind != BP_OPTIMIZER_LBFGS ? 3 : -1;
}

/* Decay and smoothing stand for what is believed before any row is seen, so they count the less the more rows there are. The numbers were
 * found on the tables of bench/tables. */
static double default_smoothing(int64_t rows)
{
  double share = 200 / (double)rows;
  return share < 0.05 ? share : 0.05;
}

static double default_decay(const bp_optimizer *o, int64_t rows)
{
  double decay = 200 / (double)rows;
  return o->kind != BP_OPTIMIZER_ADAMW ? 0 : decay < 2 ? decay : 2;
}

/* Rows that are learned from in the end. */
static int64_t all_rows_of(const bpi_trainer *t)
{
  return t->data->n + (t->o.refit && t->o.valid ? t->o.valid->n : 0);
}

static bp_status fill_options(bpi_trainer *t, const bp_train_options *options)
{
  t->o = options ? *options : (bp_train_options){0};
  bp_train_options *o = &t->o;
  if (o->epochs < 0 || o->batch < 0 || o->patience < 0 || o->accumulate < 0 || o->epochs > 100000000)
    return bpi_bad_arg("bp_net_train",
                       "epochs, batch, patience and accumulate may not be negative, nor epochs over 10^8");
  if (o->checkpoint_steps < 0 || !(o->checkpoint_seconds >= 0))
    return bpi_bad_arg("bp_net_train", "checkpoint_steps and checkpoint_seconds may not be negative");
  if (o->label_smoothing != -1 && !(o->label_smoothing >= 0 && o->label_smoothing < 1))
    return bpi_bad_arg("bp_net_train", "label_smoothing must lie in [0, 1), or be -1 for none");
  if (o->averaging != -1 && !(o->averaging >= 0 && o->averaging <= 1000))
    return bpi_bad_arg("bp_net_train", "averaging must lie in [0, 1000], or be -1 for none");
  o->epochs = o->epochs ? o->epochs : 200;
  if (o->optimizer.weight_decay == 0)
    o->optimizer.weight_decay = default_decay(&o->optimizer, all_rows_of(t));
  else if (o->optimizer.weight_decay == -1)
    o->optimizer.weight_decay = 0;
  o->averaging = o->averaging ? o->averaging : default_averaging(o);
  if (o->label_smoothing == 0)
    o->label_smoothing = default_smoothing(all_rows_of(t));
  else if (o->label_smoothing < 0)
    o->label_smoothing = 0;
  o->batch = o->batch ? o->batch : default_batch(t->data->n);
  o->batch = o->batch > t->data->n ? t->data->n : o->batch;
  o->accumulate = o->accumulate ? o->accumulate : 1;
  t->rows = bpi_step_rows(o, t->data->n);
  o->patience = o->patience ? o->patience : default_patience(t->data->n, t->rows);
  t->per_epoch = (t->data->n + t->rows - 1) / t->rows;
  /* The rate asked for, not what the state holds: that is where the last training's schedule ended. */
  return bpi_schedule_open(&t->schedule, o, bp_optimizer_lr(&o->optimizer), t->per_epoch);
}

bp_status bpi_trainer_load(bpi_trainer *t)
{
  bool weighted = bpi_rows_weighted(t->data, &t->o);
  bp_status s = weighted ? bpi_row_weights_open(&t->row_weights, t->net, t->data, &t->match, &t->o) : BP_OK;
  bpi_load what = {.net = t->net,
                   .data = t->data,
                   .match = &t->match,
                   .batch = t->rows,
                   .epochs = t->o.epochs,
                   .first = t->at.step,
                   .weights = weighted ? &t->row_weights : NULL,
                   .augment = bpi_augment_wanted(&t->augment, t->net, &t->o) ? &t->augment : NULL,
                   .same_order = t->o.optimizer.kind == BP_OPTIMIZER_LBFGS};
  if (s != BP_OK)
    return s;
  t->loader = bpi_loader_open(&what);
  return t->loader ? BP_OK : BP_E_NOMEM;
}

/* ---- weights ---- */

static bp_status find_weights(bpi_trainer *t)
{
  t->weights = bpi_params_bytes(t->net->params);
  t->best = bpi_alloc(t->net->ctx, t->weights, 1);
  if (!t->best)
    return bpi_nomem();
  bpi_params_keep(t->net->params, t->best);
  return BP_OK;
}

/* ---- steps and epochs ---- */

bp_status bpi_diverged(const bpi_trainer *t, const char *what)
{
  return bpi_fail(
      BP_E_NOTFINITE,
      "training stopped at epoch %lld, step %lld: %s. Try a smaller learning rate, or clipping of "
      "the gradient",
      (long long)t->at.epoch, (long long)t->at.step + 1, what);
}

/* The step changed nothing, so the network still is what failed: where in it? */
static bp_status diverged_at(const bpi_trainer *t, const bpi_batch *b)
{
  enum { ROWS = 256 };
  char what[512], where[300];
  snprintf(what, sizeof what, "%s", bp_error());
  bpi_not_finite(t->net, b->x, b->rows < ROWS ? b->rows : ROWS, where, sizeof where);
  size_t n = strlen(what);
  if (*where)
    snprintf(what + n, sizeof what - n, "; %s", where);
  return bpi_diverged(t, what);
}

static bp_status one_step(bpi_trainer *t, const bpi_batch *b)
{
  double loss;
  bp_status s = bpi_stepper_take(&t->plan, b, t->at.step,
                                 bpi_schedule_rate(&t->schedule, &t->at.plateau, t->at.step), &loss);
  if (s == BP_E_NOTFINITE)
    return diverged_at(t, b);
  if (s != BP_OK)
    return s;
  t->at.sum += loss * (double)b->rows;
  if (t->at.step++ == 0)
    bpi_log(t->net->ctx, BP_LOG_DEBUG, "the first step is done");
  bpi_average_take(t);
  return BP_OK;
}

/* Whether somebody asked for an end. */
static bool asked_to_stop(const bpi_trainer *t)
{
  return t->o.stop && *t->o.stop;
}

static bp_status stopped(const bpi_trainer *t)
{
  int64_t step = bpi_step_of_epoch(t);
  if (step == 0)
    return bpi_fail(BP_E_STOPPED, "training was stopped after epoch %lld", (long long)t->at.epoch - 1);
  return bpi_fail(BP_E_STOPPED, "training was stopped at epoch %lld, step %lld of it", (long long)t->at.epoch,
                  (long long)step);
}

/* Finite loss and gradients can still move weights past the largest number: such weights are never kept. */
static bp_status check_weights(const bpi_trainer *t)
{
  const char *name = bpi_params_not_finite(t->net->params);
  char what[200];
  if (!name)
    return BP_OK;
  snprintf(what, sizeof what, "a weight of %s is not finite", name);
  return bpi_diverged(t, what);
}

static bp_status checkpoint(bpi_trainer *t)
{
  bp_status s = check_weights(t);
  return s != BP_OK || bpi_checkpoint_save(t) ? s : stopped(t);
}

/* The steps of the epoch that are left. */
static bp_status one_epoch(bpi_trainer *t)
{
  bp_status s = BP_OK;
  while (s == BP_OK && bpi_step_of_epoch(t) < t->per_epoch) {
    const bpi_batch *b = bpi_loader_next(t->loader);
    s = b ? one_step(t, b) : BP_E_IO;
    if (s == BP_OK && bpi_checkpoint_due(t))
      s = checkpoint(t);
    if (s == BP_OK && asked_to_stop(t))
      s = stopped(t);
  }
  return s;
}

static bp_status remember(bpi_trainer *t)
{
  if (t->again)
    return BP_OK;
  bp_epoch e = {.epoch = t->at.epoch,
                .train_loss = t->loss,
                .valid_loss = t->valid.loss,
                .valid_metric = bpi_watched(t)};
  return bpi_history_add(t->net, &e);
}

/* epochs: done by this call, so that what is left is told by what they took. */
static bool report(const bpi_trainer *t, int64_t epochs, double took)
{
  if (!t->o.progress)
    return true;
  double seconds = bpi_now() - t->begun;
  bp_progress p = {.epoch = t->at.epoch,
                   .epochs = t->o.epochs,
                   .train_loss = t->loss,
                   .valid_loss = t->valid.loss,
                   .valid_metric = bpi_watched(t),
                   .best_epoch = t->at.best_epoch,
                   .seconds = seconds,
                   .eta = seconds / (double)epochs * (double)(t->o.epochs - t->at.epoch),
                   .samples_per_second = took > 0 ? (double)t->data->n / took : 0};
  return t->o.progress(t->o.user, &p);
}

static void next_epoch(bpi_trainer *t)
{
  t->at.epoch++;
  t->at.sum = 0;
}

/* What is done after an epoch, with the weights that are judged in the network. */
static bp_status after_epoch(bpi_trainer *t, bp_train_result *r, double took, bool *end)
{
  bp_status s = bpi_stopping_judge(t, end);
  if (s == BP_OK)
    s = remember(t);
  if (s != BP_OK)
    return s;
  r->stopped_early = *end;
  bool go_on = report(t, ++r->epochs, took);
  *end = *end || t->at.epoch >= t->o.epochs;
  next_epoch(t);
  return go_on || *end ? BP_OK : stopped(t);
}

/* An epoch, or what is left of it, and what is to be done after it. *end: no more epochs. */
static bp_status epoch(bpi_trainer *t, bp_train_result *r, bool *end)
{
  double before = bpi_now();
  bp_status s = one_epoch(t);
  double took = bpi_now() - before;
  r->seconds += took;
  if (s == BP_OK)
    s = check_weights(t);
  if (s != BP_OK)
    return s;
  t->loss = t->at.sum / (double)t->data->n;
  bpi_average_swap(t);
  s = after_epoch(t, r, took, end);
  bpi_average_swap(t);
  return s;
}

/* The best weights come back; those of an epoch that nobody has judged only where training was stopped, for they are better than none. */
static void put_back_best(bpi_trainer *t, bp_status s)
{
  if (t->at.best_epoch || s != BP_E_STOPPED)
    bpi_params_put_back(t->net->params, t->best);
}

static void tell_result(const bpi_trainer *t, int64_t first_step, bp_train_result *r)
{
  r->best_epoch = t->at.best_epoch;
  r->steps = t->at.step;
  r->train_loss = t->at.best_train;
  r->valid_loss = t->at.best_loss;
  r->valid_metric = t->at.best_metric;
  r->epoch = t->at.epoch;
  r->step = bpi_step_of_epoch(t);
  double rows = (double)(t->at.step - first_step) / (double)t->per_epoch * (double)t->data->n;
  r->samples_per_second = r->seconds > 0 ? rows / r->seconds : 0;
  r->seconds = bpi_now() - t->begun;
}

/* A training that was stopped behind its last epoch, while it learned once more from all rows, has no more of them. */
static bool all_done(const bpi_trainer *t)
{
  int64_t done = t->at.epoch - 1;
  return done >= t->o.epochs ||
         (done > 0 && t->o.valid && bpi_step_of_epoch(t) == 0 && done - t->at.better_epoch >= t->o.patience);
}

static bp_status all_epochs(bpi_trainer *t, bp_train_result *r)
{
  int64_t first_step = t->at.step;
  bool end = all_done(t);
  bp_status s = BP_OK;
  r->epochs = t->at.epoch - 1;
  t->begun = t->saved = bpi_now();
  while (s == BP_OK && !end)
    s = epoch(t, r, &end);
  if (s == BP_E_STOPPED && t->o.checkpoint)
    bpi_checkpoint_save(t);
  put_back_best(t, s);
  tell_result(t, first_step, r);
  return s;
}

void bpi_trainer_close(bpi_trainer *t)
{
  bp_ctx *ctx = t->net->ctx;
  bpi_loader_close(t->loader);
  bpi_row_weights_close(&t->row_weights);
  bpi_stepper_close(&t->plan);
  bpi_match_clear(&t->match);
  bpi_free(ctx, t->best);
}

/* Whether the validation data fit, before the first epoch is spent. */
static bp_status match_valid(bpi_trainer *t)
{
  bpi_match match;
  if (!t->o.valid)
    return BP_OK;
  bp_status s = bpi_net_match(t->net, t->o.valid, true, &match);
  bpi_match_clear(&match);
  return s;
}

/* From the beginning, or from where another call stopped. */
static bp_status find_place(bpi_trainer *t)
{
  bp_status s = t->o.resume ? bpi_checkpoint_restore(t) : BP_OK;
  if (s != BP_OK || t->again)
    return s;
  if (!t->o.resume)
    bpi_history_clear(t->net);
  return bpi_history_name(t->net, t->metric ? t->o.metric : NULL);
}

bp_status bpi_trainer_open(bpi_trainer *t, bp_net *net, const bp_data *data, const bp_train_options *options,
                           bool again)
{
  *t = (bpi_trainer){.net = net,
                     .data = data,
                     .again = again,
                     .at = {.epoch = 1,
                            .best_loss = NAN,
                            .best_metric = NAN,
                            .best_train = NAN,
                            .most = NAN,
                            .plateau = {1, NAN, 0}},
                     .valid = {0, NAN, NAN, NAN, NAN, NAN, NAN}};
  bp_status s = fill_options(t, options);
  if (s == BP_OK)
    s = bpi_net_match(net, data, true, &t->match);
  if (s == BP_OK)
    s = match_valid(t);
  if (s == BP_OK)
    s = bpi_refit_check(t);
  if (s == BP_OK)
    s = bpi_stopping_open(t);
  if (s == BP_OK)
    s = bpi_stepper_open(&t->plan, net, &t->o, data);
  return s == BP_OK ? find_weights(t) : s;
}

static bp_status train(bp_net *net, const bp_data *data, const bp_train_options *options,
                       bp_train_result *result, bool again)
{
  bp_train_result ignored = {0}, *r = result ? result : &ignored;
  *r = (bp_train_result){.train_loss = NAN, .valid_loss = NAN, .valid_metric = NAN};
  bpi_trainer t;
  bp_status s = bpi_trainer_open(&t, net, data, options, again);
  if (s == BP_OK)
    s = bpi_average_open(&t);
  if (s == BP_OK)
    s = bpi_refit_open(&t);
  if (s == BP_OK)
    s = find_place(&t);
  if (s == BP_OK)
    s = bpi_trainer_load(&t);
  if (s == BP_OK)
    s = all_epochs(&t, r);
  if (s == BP_OK && t.start)
    s = bpi_refit(&t, r);
  bpi_trainer_close(&t);
  return s;
}

bp_status bpi_train_again(bp_net *net, const bp_data *data, const bp_train_options *options)
{
  return train(net, data, options, NULL, true);
}

bp_status bp_net_train(bp_net *net, const bp_data *data, const bp_train_options *options,
                       bp_train_result *result)
{
  if (!net || !data)
    return bpi_bad_arg("bp_net_train", "net or data is NULL");
  if (atomic_exchange(&net->busy, true))
    return bpi_fail(BP_E_ORDER, "bp_net_train: the network is being trained already: by another thread, or "
                                "from its own progress callback");
  bp_status s = train(net, data, options, result, false);
  atomic_store(&net->busy, false);
  return s;
}

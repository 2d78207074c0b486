/* The training loop: a plan a step, over the loader's batches; the best weights kept. */
#include "train/loader.h"
#include "run/run.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* The inputs of a step. */
typedef enum feed { FEED_X, FEED_Y, FEED_LABELS, FEED_KEY, FEEDS } feed;
static const char *const feed_name[FEEDS] = {"x", "y", "labels", "key"};

/* One batch size: its plan, its run, and which inputs of the plan are fed (-1: not one of them). */
typedef struct lane {
  int64_t batch;
  bp_plan *plan;
  bp_run *run;
  int input[FEEDS];
} lane;

typedef struct trainer {
  bp_net *net;
  const bp_data *data;
  bp_train_options o;
  int *column;
  int64_t *classes;
  lane full, rest;
  bpi_loader *loader;
  int64_t key[2]; /* of random nodes: seed, step */
  void *best;     /* the weights kept */
  size_t weights; /* bytes of them */
  void *params, *lr;
  double base_lr, loss, best_loss, best_metric, best_train;
  int64_t epoch, best_epoch, step, steps;
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
  if (o->schedule && strcmp(o->schedule, "constant") != 0 && strcmp(o->schedule, "cosine") != 0)
    return bpi_bad_arg("bp_net_train", "schedule must be constant or cosine");
  o->epochs = o->epochs ? o->epochs : 200;
  o->label_smoothing = o->label_smoothing == 0 ? 0.05 : o->label_smoothing < 0 ? 0 : o->label_smoothing;
  o->batch = o->batch ? o->batch : default_batch(t->data->n);
  o->batch = o->batch > t->data->n ? t->data->n : o->batch;
  o->patience = o->patience ? o->patience : default_patience(t->data->n, o->batch);
  return BP_OK;
}

/* ---- plans ---- */

static bp_node loss_node(trainer *t, bp_graph *g, bp_node y, int64_t batch)
{
  bp_net *net = t->net;
  int64_t dims[2] = {batch, net->outputs};
  if (net->classes) {
    bp_node labels = bp_input(g, feed_name[FEED_LABELS], BP_INT64, 1, dims);
    return bp_mean(bp_softmax_cross_entropy(y, labels, t->o.label_smoothing), NULL, 0, false);
  }
  return bp_mean(bp_square(bp_sub(y, bp_input(g, feed_name[FEED_Y], BP_REAL, 2, dims))), NULL, 0, false);
}

/* Forward, loss, gradients, clipping and the update of every parameter: one plan. */
static bp_status make_lane(trainer *t, int64_t batch, lane *l)
{
  bp_net *net = t->net;
  bp_graph *g = bp_graph_new(net->ctx);
  if (!g)
    return BP_E_NOMEM;
  int64_t dims[2] = {batch, net->inputs}, two = 2;
  bp_node x = bp_input(g, feed_name[FEED_X], BP_REAL, 2, dims),
          key = bp_input(g, feed_name[FEED_KEY], BP_INT64, 1, &two);
  bp_node loss = bp_name(loss_node(t, g, bpi_net_forward(net, g, x, key, true), batch), "loss"),
          guards[2] = {loss, {0}};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_status s = bp_optimizer_step(net->params, net->state, &t->o.optimizer, loss, updates, &n, &guards[1]);
  if (s == BP_OK)
    bp_name(guards[1], "gradient");
  bp_plan_options o = {.real = bp_state_real(net->state),
                       .outputs = &loss,
                       .n_outputs = 1,
                       .updates = updates,
                       .n_updates = n,
                       .guards = guards,
                       .n_guards = 2};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &l->plan);
  bp_graph_free(g);
  if (s == BP_OK)
    s = bp_run_new(l->plan, net->state, &l->run);
  l->batch = batch;
  return s;
}

/* A plan has the inputs that its loss depends on: without random nodes it has no key. */
static void find_feeds(lane *l)
{
  for (int f = 0; f < FEEDS; f++) {
    l->input[f] = -1;
    for (size_t i = 0; i < l->plan->n_inputs; i++)
      if (strcmp(l->plan->inputs[i].name, feed_name[f]) == 0)
        l->input[f] = (int)i;
  }
}

static bp_status bind_feed(lane *l, feed f, const void *data)
{
  int i = l->input[f];
  return i < 0 ? BP_OK : bp_run_bind_at(l->run, (size_t)i, data, l->plan->inputs[i].bytes);
}

static bp_status bind_batch(lane *l, const bpi_batch *b)
{
  bp_status s = bind_feed(l, FEED_X, b->x);
  if (s == BP_OK)
    s = bind_feed(l, FEED_Y, b->y);
  return s == BP_OK ? bind_feed(l, FEED_LABELS, b->labels) : s;
}

static bp_status ready_lane(trainer *t, int64_t batch, lane *l)
{
  bp_status s = batch ? make_lane(t, batch, l) : BP_OK;
  if (!batch || s != BP_OK)
    return s;
  find_feeds(l);
  return bind_feed(l, FEED_KEY, t->key);
}

static bp_status make_lanes(trainer *t)
{
  bp_status s = ready_lane(t, t->o.batch, &t->full);
  return s == BP_OK ? ready_lane(t, t->data->n % t->o.batch, &t->rest) : s;
}

static bp_status open_loader(trainer *t)
{
  bpi_load what = {t->net, t->data, t->column, t->classes, t->o.batch, t->o.epochs};
  t->loader = bpi_loader_open(&what);
  return t->loader ? BP_OK : BP_E_NOMEM;
}

/* ---- weights ---- */

static bp_status find_weights(trainer *t)
{
  bp_state *s = t->net->state;
  bp_type type;
  int entry = bp_state_find(s, "params"), lr = bp_state_find(s, "optimizer.lr");
  bp_status st = entry >= 0 && lr >= 0 ? bp_state_array(s, entry, NULL, &type, &t->params)
                                       : bpi_fail(BP_E_ARG, "the network has no trained parameters");
  if (st == BP_OK)
    st = bp_state_array(s, lr, NULL, NULL, &t->lr);
  if (st != BP_OK)
    return st;
  t->weights = (size_t)bpi_type_size(&type) * bp_dtype_size(bp_state_real(s));
  t->best = bpi_alloc(t->net->ctx, t->weights, 1);
  if (!t->best)
    return bpi_nomem();
  memcpy(t->best, t->params, t->weights);
  /* Not what the state holds: that is where the last training's schedule ended. */
  t->base_lr = bpi_optimizer_lr(&t->o.optimizer);
  return BP_OK;
}

static void set_rate(trainer *t)
{
  double rate = t->base_lr;
  if (t->o.schedule && strcmp(t->o.schedule, "cosine") == 0)
    rate *= 0.5 * (1 + cos(3.14159265358979323846 * (double)t->step / (double)t->steps));
  if (bp_state_real(t->net->state) == BP_FLOAT32)
    *(float *)t->lr = (float)rate;
  else
    *(double *)t->lr = rate;
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
  lane *l = b->rows == t->full.batch ? &t->full : &t->rest;
  set_rate(t);
  t->key[1] = t->step;
  bp_status s = bind_batch(l, b);
  if (s == BP_OK)
    s = bp_run_step(l->run);
  if (s == BP_E_NOTFINITE)
    return diverged(t, t->step + 1, bp_error());
  if (s == BP_OK)
    s = bp_run_get(l->run, 0, loss, 1);
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
  memcpy(t->best, t->params, t->weights);
  t->best_epoch = t->epoch;
  t->best_train = t->loss;
  t->best_loss = t->valid.loss;
  t->best_metric = t->net->classes ? t->valid.accuracy : t->valid.r2;
}

/* Finite loss and gradients can still move weights past the largest number: such weights must never be the best. */
static bool weights_finite(const trainer *t)
{
  bool narrow = bp_state_real(t->net->state) == BP_FLOAT32;
  size_t n = t->weights / (narrow ? sizeof(float) : sizeof(double));
  for (size_t i = 0; i < n; i++)
    if (!isfinite(narrow ? (double)((float *)t->params)[i] : ((double *)t->params)[i]))
      return false;
  return true;
}

/* After an epoch: is it the best so far? Is it time to stop? */
static bp_status judge(trainer *t, bool *stop)
{
  *stop = false;
  if (!weights_finite(t))
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
  t->steps = t->o.epochs * ((t->data->n + t->o.batch - 1) / t->o.batch);
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
  memcpy(t->params, t->best, t->weights);
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
  lane *lanes[2] = {&t->full, &t->rest};
  for (int i = 0; i < 2; i++) {
    bp_run_free(lanes[i]->run);
    bp_plan_free(lanes[i]->plan);
  }
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
               .key = {(int64_t)net->seed, 0},
               .valid = {0, NAN, NAN, NAN, NAN, NAN, NAN}};
  bp_status s = fill_options(&t, options);
  if (s == BP_OK)
    s = bpi_net_match(net, data, &t.column, &t.classes, true);
  if (s == BP_OK)
    s = match_valid(&t);
  if (s == BP_OK)
    s = make_lanes(&t);
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

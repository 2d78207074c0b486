/* The plan of one training step, for each batch size, and its run over a batch. */
#include "train/step.h"
#include "run/run.h"

#include <string.h>

static const char *const feed_name[BPI_FEEDS] = {"x", "y", "labels", "key"};

/* ---- plans ---- */

static bp_node loss_node(const bpi_stepper *s, bp_graph *g, bp_node y, int64_t batch)
{
  const bp_net *net = s->net;
  int64_t dims[2] = {batch, net->outputs};
  if (net->classes) {
    bp_node labels = bp_input(g, feed_name[BPI_FEED_LABELS], BP_INT64, 1, dims);
    return bp_mean(bp_softmax_cross_entropy(y, labels, s->o->label_smoothing), NULL, 0, false);
  }
  return bp_mean(bp_square(bp_sub(y, bp_input(g, feed_name[BPI_FEED_Y], BP_REAL, 2, dims))), NULL, 0, false);
}

static bp_status compile(const bpi_stepper *s, bp_graph *g, bpi_lane *l)
{
  bp_net *net = s->net;
  int64_t dims[2] = {l->batch, net->inputs}, two = 2;
  bp_node x = bp_input(g, feed_name[BPI_FEED_X], BP_REAL, 2, dims),
          key = bp_input(g, feed_name[BPI_FEED_KEY], BP_INT64, 1, &two);
  bp_node loss = bp_name(loss_node(s, g, bpi_net_forward(net, g, x, key, true), l->batch), "loss"),
          guards[2] = {loss, {0}};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_status st = bp_optimizer_step(net->params, net->state, &s->o->optimizer, loss, updates, &n, &guards[1]);
  if (st != BP_OK)
    return st;
  bp_name(guards[1], "gradient");
  bp_plan_options o = {.real = bp_state_real(net->state),
                       .outputs = &loss,
                       .n_outputs = 1,
                       .updates = updates,
                       .n_updates = n,
                       .guards = guards,
                       .n_guards = 2};
  return bp_plan_new(g, &o, &l->plan);
}

/* A plan has the inputs that its loss depends on: without random nodes it has no key. */
static void find_feeds(bpi_lane *l)
{
  for (int f = 0; f < BPI_FEEDS; f++) {
    l->input[f] = -1;
    for (size_t i = 0; i < l->plan->n_inputs; i++)
      if (strcmp(l->plan->inputs[i].name, feed_name[f]) == 0)
        l->input[f] = (int)i;
  }
}

static bp_status bind_feed(bpi_lane *l, bpi_feed f, const void *data)
{
  int i = l->input[f];
  return i < 0 ? BP_OK : bp_run_bind_at(l->run, (size_t)i, data, l->plan->inputs[i].bytes);
}

static bp_status open_lane(bpi_stepper *s, int64_t batch, bpi_lane *l)
{
  l->batch = batch;
  if (batch == 0)
    return BP_OK;
  bp_graph *g = bp_graph_new(s->net->ctx);
  if (!g)
    return BP_E_NOMEM;
  bp_status st = compile(s, g, l);
  bp_graph_free(g);
  if (st == BP_OK)
    st = bp_run_new(l->plan, s->net->state, &l->run);
  if (st != BP_OK)
    return st;
  find_feeds(l);
  return bind_feed(l, BPI_FEED_KEY, s->key);
}

static bp_status find_rate(bpi_stepper *s)
{
  int lr = bp_state_find(s->net->state, "optimizer.lr");
  return lr >= 0 ? bp_state_array(s->net->state, lr, NULL, NULL, &s->lr)
                 : bpi_fail(BP_E_ARG, "the network has no trained parameters");
}

bp_status bpi_stepper_open(bpi_stepper *s, bp_net *net, const bp_train_options *o, int64_t rows)
{
  *s = (bpi_stepper){.net = net, .o = o, .key = {(int64_t)net->seed, 0}};
  bp_status st = open_lane(s, o->batch, &s->full);
  if (st == BP_OK)
    st = open_lane(s, rows % o->batch, &s->rest);
  return st == BP_OK ? find_rate(s) : st;
}

void bpi_stepper_close(bpi_stepper *s)
{
  bpi_lane *lanes[2] = {&s->full, &s->rest};
  for (int i = 0; i < 2; i++) {
    bp_run_free(lanes[i]->run);
    bp_plan_free(lanes[i]->plan);
  }
}

/* ---- runs ---- */

static void set_rate(bpi_stepper *s, double rate)
{
  if (bp_state_real(s->net->state) == BP_FLOAT32)
    *(float *)s->lr = (float)rate;
  else
    *(double *)s->lr = rate;
}

static bp_status bind_batch(bpi_lane *l, const bpi_batch *b)
{
  bp_status s = bind_feed(l, BPI_FEED_X, b->x);
  if (s == BP_OK)
    s = bind_feed(l, BPI_FEED_Y, b->y);
  return s == BP_OK ? bind_feed(l, BPI_FEED_LABELS, b->labels) : s;
}

bp_status bpi_stepper_take(bpi_stepper *s, const bpi_batch *b, int64_t number, double rate, double *loss)
{
  bpi_lane *l = b->rows == s->full.batch ? &s->full : &s->rest;
  set_rate(s, rate);
  s->key[1] = number;
  bp_status st = bind_batch(l, b);
  if (st == BP_OK)
    st = bp_run_step(l->run);
  return st == BP_OK ? bp_run_get(l->run, 0, loss, 1) : st;
}

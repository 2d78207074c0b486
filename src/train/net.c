/* Networks: a build function, its parameters and state, and plans for prediction. */
#include "train/lossmeter.h"
#include "train/notes.h"
#include "train/startfrom.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EMBED_ABOVE = 32 };

/* ---- building ---- */

bp_node bpi_net_stack(bp_net *net, bp_node x, bp_node key, bool training, bpi_layer_built built, void *user)
{
  const bpi_layer *last = NULL;
  for (const bpi_layer *l = net->layers; l; l = l->next)
    last = l->kind->linear ? l : last;
  bpi_stack s = {.params = net->params,
                 .graph = x.graph,
                 .key = key,
                 .training = training,
                 .init = net->init,
                 .output = last,
                 .embedded = {net->encoding.n_embedded, net->encoding.embedded},
                 .built = built,
                 .user = user};
  return bpi_stack_build(&s, net->layers, x);
}

bp_node bpi_net_forward(bp_net *net, bp_graph *g, bp_node x, bp_node key, bool training)
{
  bp_node y = net->build ? net->build(net->user, net->params, x, key, training)
                         : bpi_net_stack(net, x, key, training, NULL, NULL);
  bp_type want, got;
  if (bp_graph_status(g) == BP_OK && (bp_failed(y) || y.graph != g))
    return bpi_node_fail(g, BP_E_GRAPH, "the network's build function gave no node of the graph of x");
  if (bp_failed(y) || bp_node_type(x, &want) != BP_OK || bp_node_type(y, &got) != BP_OK)
    return bpi_error_node(g);
  if (got.dtype != BP_REAL || got.rank != 2 || got.dims[0] != want.dims[0] || got.dims[1] != net->outputs)
    return bpi_node_fail(g, BP_E_SHAPE, "the network's build function must give [batch, %lld]",
                         (long long)net->outputs);
  return y;
}

bp_status bpi_graph_status(const bp_graph *g)
{
  return bp_graph_status(g) == BP_OK ? BP_OK : bpi_fail(bp_graph_status(g), "%s", bp_graph_error(g));
}

bp_status bpi_net_meet(bp_net *net)
{
  bp_graph *g = bp_graph_new(net->ctx);
  if (!g)
    return BP_E_NOMEM;
  int64_t dims[2] = {1, net->inputs}, two = 2;
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims), key = bp_input(g, "key", BP_INT64, 1, &two);
  bpi_net_forward(net, g, x, key, true);
  bp_status s = bpi_graph_status(g);
  bp_graph_free(g);
  return s;
}

static bp_status predict_plan(bp_net *net, int64_t batch, bp_plan **plan)
{
  bp_graph *g = bp_graph_new(net->ctx);
  if (!g)
    return BP_E_NOMEM;
  int64_t dims[2] = {batch, net->inputs};
  bp_node y = bpi_net_forward(net, g, bp_input(g, "x", BP_REAL, 2, dims), BP_NO_NODE, false);
  bp_node out[2] = {bpi_link_node(&net->loss, y), y};
  bp_plan_options o = {.real = bp_state_real(net->state), .outputs = out, .n_outputs = 2};
  bp_status s = bpi_graph_status(g);
  if (s == BP_OK)
    s = bp_plan_new(g, &o, plan);
  bp_graph_free(g);
  return s;
}

bp_status bpi_net_make(bp_net *net)
{
  bp_status s = predict_plan(net, 1, &net->one.plan);
  if (s == BP_OK)
    s = predict_plan(net, BPI_BULK, &net->bulk.plan);
  if (s == BP_OK)
    s = bpi_net_look(net);
  return s == BP_OK ? bpi_net_summarise(net) : s;
}

bp_net *bpi_net_alloc(bp_ctx *ctx)
{
  bp_net *net = bpi_zalloc(ctx, 1, sizeof *net);
  if (!net) {
    bpi_nomem();
    return NULL;
  }
  net->ctx = ctx;
  net->history_every = 1;
  bpi_arena_init(&net->arena, ctx);
  atomic_init(&net->busy, false);
  net->lock_made = pthread_mutex_init(&net->lock, NULL) == 0;
  net->params = bp_params_new(ctx);
  if (!net->lock_made || !net->params) {
    bp_net_free(net);
    bpi_nomem();
    return NULL;
  }
  return net;
}

static void free_runs(bp_ctx *ctx, bpi_runs *r)
{
  for (size_t i = 0; i < r->n; i++)
    bp_run_free(r->idle[i]);
  bpi_free(ctx, r->idle);
  bp_plan_free(r->plan);
}

void bp_net_free(bp_net *net)
{
  if (!net)
    return;
  bp_ctx *ctx = net->ctx;
  bpi_meter_free(net->meter);
  free_runs(ctx, &net->one);
  free_runs(ctx, &net->bulk);
  bp_params_free(net->params);
  bp_state_free(net->state);
  bpi_encoding_clear(&net->encoding);
  bpi_fields_free(ctx, net->targets, net->n_targets);
  bpi_notes_free(net);
  bpi_arena_free(&net->arena);
  bpi_loss_clear(ctx, &net->loss);
  void *own[] = {net->model, net->infos, net->y_mean, net->y_scale, net->summary};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  if (net->lock_made)
    pthread_mutex_destroy(&net->lock);
  bpi_free(ctx, net);
}

/* ---- a network for data ---- */

static bp_status check_options(const bp_net_options *o)
{
  for (int k = 0; k < BPI_MAX_HIDDEN && o->hidden[k] != 0; k++)
    if (o->hidden[k] < -1 || (o->hidden[k] == -1 && k > 0) || o->hidden[k] > 10000000)
      return bpi_bad_arg("bp_net_new",
                         "hidden widths must be from 1 to 10,000,000 (or -1 first: the linear model)");
  if (!(o->dropout >= 0 && o->dropout < 1))
    return bpi_bad_arg("bp_net_new", "dropout must lie in [0, 1)");
  if (o->model && (o->hidden[0] || o->activation || o->dropout > 0))
    return bpi_bad_arg("bp_net_new",
                       "model is given, and hidden, activation or dropout too: the text says them all");
  if (o->from &&
      (o->model || o->hidden[0] || o->activation || o->dropout > 0 || o->build || o->raw || o->from->build))
    return bpi_bad_arg("bp_net_new", "from brings its layers and its encoding: neither may be given beside "
                                     "it, nor may it have a build function");
  if (o->real != BP_NONE && o->real != BP_FLOAT32 && o->real != BP_FLOAT64)
    return bpi_bad_arg("bp_net_new", "real must be BP_FLOAT32 or BP_FLOAT64");
  return BP_OK;
}

/* One description, whatever it was asked for by. */
static bp_status choose_layers(bp_net *net, const bp_net_options *o)
{
  int64_t hidden[BPI_MAX_HIDDEN + 1] = {0};
  if (net->build)
    return BP_OK;
  if (o->model)
    return bpi_net_complete_layers(net, o->model);
  int k = 0;
  for (; k < BPI_MAX_HIDDEN && o->hidden[k] > 0; k++)
    hidden[k] = o->hidden[k];
  if (k == 0 && o->hidden[0] != -1)
    hidden[0] = 256;
  return bpi_net_dense_layers(net, hidden, o->activation ? o->activation : "relu", o->dropout);
}

static bp_status choose_shape(bp_net *net, const bpi_examples *e, const bp_net_options *o)
{
  const int64_t *shape = o->shape[0] ? o->shape : e->shape;
  memcpy(net->shape, shape, sizeof net->shape);
  int64_t n = 1;
  bool sound = shape[0] == 0;
  for (int i = 0; !sound && i < 3; i++)
    if (shape[i] < 1 || !bpi_mul(n, shape[i], &n))
      return bpi_bad_arg("bp_net_new", "shape must be height, width and channels, each from 1 on");
  if (sound || n == net->inputs)
    return BP_OK;
  return bpi_fail(
      BP_E_ARG, "bp_net_new: an image of %lldx%lldx%lld has %lld values, and a row has %lld inputs",
      (long long)shape[0], (long long)shape[1], (long long)shape[2], (long long)n, (long long)net->inputs);
}

/* Numbers are learnt as the loss wants them: of mean 0 and deviation 1, of mean 1, or as they are. */
static bp_status fit_targets(bp_net *net, const bp_data *d, bool raw)
{
  net->y_mean = bpi_zalloc(net->ctx, (size_t)net->outputs, sizeof *net->y_mean);
  net->y_scale = bpi_zalloc(net->ctx, (size_t)net->outputs, sizeof *net->y_scale);
  if (!net->y_mean || !net->y_scale)
    return bpi_nomem();
  for (int64_t k = 0; k < net->outputs; k++)
    net->y_scale[k] = 1;
  bpi_standard standard = raw ? BPI_STANDARD_NONE : bpi_loss_standard(&net->loss);
  bp_status s = standard == BPI_STANDARD_NONE ? BP_OK : bpi_data_fit_targets(d, net->y_mean, net->y_scale);
  for (int64_t k = 0; standard == BPI_STANDARD_MEAN && s == BP_OK && k < net->outputs; k++) {
    net->y_scale[k] = net->y_mean[k] > 0 ? 1 / net->y_mean[k] : 1;
    net->y_mean[k] = 0;
  }
  return s;
}

/* Whether every target is one of two texts: each is true or not. */
static bool several_labels(const bpi_examples *e)
{
  bool all = e->n_targets == e->n_y && e->n_y > 1;
  for (int64_t k = 0; all && k < e->n_targets; k++)
    all = e->targets[k].n == 2;
  return all;
}

static bp_status describe(bp_net *net, const bp_data *d, const bp_net_options *o)
{
  const bpi_examples *e = d->all;
  bpi_encode_options how = {.raw = o->raw,
                            .pixels = o->shape[0] > 0,
                            .refuse = o->missing == BP_MISSING_REFUSE,
                            .embed_above = o->embed_above ? o->embed_above : EMBED_ABOVE};
  bool same = o->from && bpi_same_answers(o->from, d);
  bp_status s = o->from ? bpi_start_encoding(net, o->from, d) : bpi_encoding_fit(&net->encoding, d, &how);
  if (s != BP_OK)
    return s;
  net->inputs = net->encoding.inputs;
  net->image = e->image;
  if (o->from)
    memcpy(net->shape, o->from->shape, sizeof net->shape);
  else
    s = choose_shape(net, e, o);
  if (s != BP_OK)
    return s;
  net->classes = e->classes;
  net->outputs = e->classes ? e->classes : e->n_y;
  net->init = o->init;
  net->seed = o->seed ? o->seed : 1;
  net->build = o->build;
  net->user = o->user;
  net->n_targets = e->n_targets;
  s = bpi_loss_read(net->ctx, o->loss, o->link, e->classes > 0, several_labels(e), &net->loss);
  if (s == BP_OK)
    s = bpi_loss_suits(&net->loss, d);
  if (s == BP_OK)
    s = o->from ? bpi_start_layers(net, o->from, same) : choose_layers(net, o);
  if (s == BP_OK)
    s = bpi_fields_copy(net->ctx, e->targets, e->n_targets, &net->targets);
  if (s != BP_OK || net->classes)
    return s;
  return same ? bpi_start_targets(net, o->from) : fit_targets(net, d, o->raw);
}

bp_net *bp_net_new(bp_ctx *ctx, const bp_data *data, const bp_net_options *options)
{
  bp_net_options o = options ? *options : (bp_net_options){0};
  if (!ctx || !data) {
    bpi_bad_arg("bp_net_new", "ctx or data is NULL");
    return NULL;
  }
  if (check_options(&o) != BP_OK)
    return NULL;
  if (!data->all->classes && !data->all->n_y) {
    bpi_fail(BP_E_ARG, "bp_net_new: the data have no target");
    return NULL;
  }
  if (data->all->classes == 1) {
    bpi_fail(BP_E_ARG, "bp_net_new: the data have one class only; there is nothing to learn");
    return NULL;
  }
  bp_net *net = bpi_net_alloc(ctx);
  if (!net)
    return NULL;
  net->state = bp_state_new(ctx, o.real == BP_NONE ? BP_FLOAT32 : o.real);
  bp_status s = net->state ? describe(net, data, &o) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bpi_loss_try(net);
  if (s == BP_OK)
    s = bpi_net_meet(net);
  for (const char *const *name = o.freeze; s == BP_OK && name && *name; name++)
    s = bp_params_freeze(net->params, *name);
  if (s == BP_OK)
    s = bp_params_make(net->params, net->state, net->seed);
  if (s == BP_OK && o.from)
    s = bpi_start_weights(net, o.from, bpi_same_answers(o.from, data));
  if (s == BP_OK)
    s = bpi_net_make(net);
  if (s == BP_OK)
    return net;
  bp_net_free(net);
  return NULL;
}

/* ---- what it is ---- */

int64_t bp_net_inputs(const bp_net *net)
{
  return net ? net->encoding.cols : 0;
}

int64_t bp_net_outputs(const bp_net *net)
{
  return net ? net->outputs : 0;
}

int64_t bp_net_classes(const bp_net *net)
{
  return net ? net->classes : 0;
}

const char *bp_net_class_name(const bp_net *net, int64_t i)
{
  const bpi_field *f = net && net->classes ? net->targets : NULL;
  return f && i >= 0 && i < f->n ? f->texts[i] : "";
}

const char *bp_net_col_name(const bp_net *net, int64_t i)
{
  const bpi_encoding *e = net ? &net->encoding : NULL;
  return e && e->fields && i >= 0 && i < e->cols ? e->fields[i].name : "";
}

const char *bp_net_category(const bp_net *net, int64_t i, int64_t k)
{
  const bpi_encoding *e = net ? &net->encoding : NULL;
  const bpi_field *f = e && e->fields && i >= 0 && i < e->cols ? &e->fields[i] : NULL;
  return f && f->texts && k >= 0 && k < f->n ? f->texts[k] : NULL;
}

const char *bp_net_target_at(const bp_net *net, int64_t i)
{
  return net && i >= 0 && i < net->n_targets ? net->targets[i].name : "";
}

const char *bp_net_target(const bp_net *net)
{
  return bp_net_target_at(net, 0);
}

void bp_net_set_unknown(bp_net *net, bp_unknown unknown)
{
  if (net)
    net->encoding.unknown_missing = unknown == BP_UNKNOWN_MISSING;
}

bp_params *bp_net_params(bp_net *net)
{
  return net ? net->params : NULL;
}

const char *bp_net_summary(const bp_net *net)
{
  return net ? net->summary : "";
}

/* Networks: a build function, its parameters and state, and plans for prediction. */
#include "train/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names ---- */

void bpi_free_names(bp_ctx *ctx, char **names, int64_t n)
{
  for (int64_t i = 0; names && i < n; i++)
    bpi_free(ctx, names[i]);
  bpi_free(ctx, names);
}

bp_status bpi_copy_names(bp_ctx *ctx, char **from, int64_t n, char ***to)
{
  *to = NULL;
  if (!from)
    return BP_OK;
  char **names = bpi_zalloc(ctx, (size_t)n, sizeof *names);
  for (int64_t i = 0; names && i < n; i++)
    if (!(names[i] = bpi_strdup(ctx, from[i]))) {
      bpi_free_names(ctx, names, n);
      return bpi_nomem();
    }
  *to = names;
  return names ? BP_OK : bpi_nomem();
}

/* ---- building ---- */

bp_node bpi_net_stack(bp_net *net, bp_graph *g, bp_node x, bp_node key, bool training)
{
  const bpi_layer *last = NULL;
  for (const bpi_layer *l = net->layers; l; l = l->next)
    last = l->kind->linear ? l : last;
  bpi_stack s = {
      .params = net->params, .graph = g, .key = key, .training = training, .init = net->init, .output = last};
  return bpi_stack_build(&s, net->layers, x);
}

bp_node bpi_net_forward(bp_net *net, bp_graph *g, bp_node x, bp_node key, bool training)
{
  bp_node y = net->build ? net->build(net->user, net->params, x, key, training)
                         : bpi_net_stack(net, g, x, key, training);
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
  bp_node out[2] = {net->classes ? bp_softmax(y, -1) : y, net->classes ? bp_log_softmax(y, -1) : y};
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
  free_runs(ctx, &net->one);
  free_runs(ctx, &net->bulk);
  bp_params_free(net->params);
  bp_state_free(net->state);
  bpi_free_names(ctx, net->class_names, net->classes);
  bpi_free_names(ctx, net->col_names, net->inputs);
  bpi_notes_free(net);
  bpi_arena_free(&net->arena);
  void *own[] = {net->model, net->mean, net->scale, net->y_mean, net->y_scale, net->target, net->summary};
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
    hidden[0] = net->inputs < 32 ? 64 : 256;
  return bpi_net_dense_layers(net, hidden, o->activation ? o->activation : "relu", o->dropout);
}

static bp_status fit_inputs(bp_net *net, const bp_data *d, bool raw)
{
  net->mean = bpi_zalloc(net->ctx, (size_t)net->inputs, sizeof *net->mean);
  net->scale = bpi_zalloc(net->ctx, (size_t)net->inputs, sizeof *net->scale);
  if (!net->mean || !net->scale)
    return bpi_nomem();
  for (int64_t c = 0; c < net->inputs; c++)
    net->scale[c] = 1;
  if (!raw)
    bpi_data_fit(d, net->mean, net->scale);
  return BP_OK;
}

/* Regression learns targets of mean 0 and deviation 1. */
static bp_status fit_targets(bp_net *net, const bp_data *d, bool raw)
{
  net->y_mean = bpi_zalloc(net->ctx, (size_t)net->outputs, sizeof *net->y_mean);
  net->y_scale = bpi_zalloc(net->ctx, (size_t)net->outputs, sizeof *net->y_scale);
  if (!net->y_mean || !net->y_scale)
    return bpi_nomem();
  for (int64_t k = 0; k < net->outputs; k++)
    net->y_scale[k] = 1;
  if (!raw)
    bpi_data_fit_targets(d, net->y_mean, net->y_scale);
  return BP_OK;
}

static bp_status describe(bp_net *net, const bp_data *d, const bp_net_options *o)
{
  const bpi_examples *e = d->all;
  net->inputs = e->cols;
  net->classes = e->classes;
  net->outputs = e->labels ? e->classes : e->n_y;
  net->image = e->image;
  net->init = o->init;
  net->seed = o->seed ? o->seed : 1;
  net->build = o->build;
  net->user = o->user;
  memcpy(net->shape, o->shape, sizeof net->shape);
  if (e->target && !(net->target = bpi_strdup(net->ctx, e->target)))
    return bpi_nomem();
  bp_status s = choose_layers(net, o);
  if (s == BP_OK)
    s = bpi_copy_names(net->ctx, e->class_names, e->classes, &net->class_names);
  if (s == BP_OK)
    s = bpi_copy_names(net->ctx, e->col_names, e->cols, &net->col_names);
  if (s == BP_OK)
    s = fit_inputs(net, d, o->raw);
  return s == BP_OK && !net->classes ? fit_targets(net, d, o->raw) : s;
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
  if (!data->all->labels && !data->all->y) {
    bpi_fail(BP_E_ARG, "bp_net_new: the data have no target");
    return NULL;
  }
  if (data->all->labels && data->all->classes < 2) {
    bpi_fail(BP_E_ARG, "bp_net_new: the data have one class only; there is nothing to learn");
    return NULL;
  }
  bp_net *net = bpi_net_alloc(ctx);
  if (!net)
    return NULL;
  net->state = bp_state_new(ctx, o.real == BP_NONE ? BP_FLOAT32 : o.real);
  bp_status s = net->state ? describe(net, data, &o) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bpi_net_meet(net);
  if (s == BP_OK)
    s = bp_params_make(net->params, net->state, net->seed);
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
  return net ? net->inputs : 0;
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
  return net && net->class_names && i >= 0 && i < net->classes ? net->class_names[i] : "";
}

const char *bp_net_col_name(const bp_net *net, int64_t i)
{
  return net && net->col_names && i >= 0 && i < net->inputs ? net->col_names[i] : "";
}

const char *bp_net_target(const bp_net *net)
{
  return net && net->target ? net->target : "";
}

bp_params *bp_net_params(bp_net *net)
{
  return net ? net->params : NULL;
}

const char *bp_net_summary(const bp_net *net)
{
  return net ? net->summary : "";
}

/* ---- matching data to a network ---- */

static bp_status match_columns(const bp_net *net, const bpi_examples *e, int **column)
{
  if (!net->col_names || !e->col_names)
    return e->cols == net->inputs
               ? BP_OK
               : bpi_fail(BP_E_MISMATCH, "the data have %lld columns, the network takes %lld",
                          (long long)e->cols, (long long)net->inputs);
  int *map = bpi_alloc(net->ctx, (size_t)net->inputs, sizeof *map);
  bool same = e->cols == net->inputs;
  if (!map)
    return bpi_nomem();
  for (int64_t i = 0; i < net->inputs; i++) {
    int64_t c = i < e->cols && strcmp(net->col_names[i], e->col_names[i]) == 0 ? i : 0;
    while (c < e->cols && strcmp(net->col_names[i], e->col_names[c]) != 0)
      c++;
    if (c == e->cols) {
      bpi_free(net->ctx, map);
      return bpi_fail(BP_E_MISMATCH, "the data have no column '%s', which the network was trained on",
                      net->col_names[i]);
    }
    map[i] = (int)c;
    same = same && c == i;
  }
  if (same)
    bpi_free(net->ctx, map);
  *column = same ? NULL : map;
  return BP_OK;
}

static bp_status match_classes(const bp_net *net, const bpi_examples *e, int64_t **classes)
{
  int64_t *map = bpi_alloc(net->ctx, (size_t)e->classes, sizeof *map);
  if (!map)
    return bpi_nomem();
  for (int64_t k = 0; k < e->classes; k++) {
    int64_t to = 0;
    if (!net->class_names || !e->class_names)
      to = k;
    else
      while (to < net->classes && strcmp(net->class_names[to], e->class_names[k]) != 0)
        to++;
    if (to >= net->classes) {
      bpi_free(net->ctx, map);
      return e->class_names
                 ? bpi_fail(BP_E_MISMATCH, "the data have a class '%s' that the network was not trained on",
                            e->class_names[k])
                 : bpi_fail(BP_E_MISMATCH, "the data have %lld classes, the network %lld",
                            (long long)e->classes, (long long)net->classes);
    }
    map[k] = to;
  }
  *classes = map;
  return BP_OK;
}

bp_status bpi_net_match(const bp_net *net, const bp_data *d, int **column, int64_t **classes,
                        bool need_target)
{
  *column = NULL;
  *classes = NULL;
  const bpi_examples *e = d->all;
  if (need_target && (net->classes ? !e->labels : !e->y))
    return bpi_fail(BP_E_MISMATCH, "the network has %s, the data have %s",
                    net->classes ? "classes" : "a numeric target",
                    e->labels ? "classes"
                    : e->y    ? "a numeric target"
                              : "no target");
  if (need_target && !net->classes && e->n_y != net->outputs)
    return bpi_fail(BP_E_MISMATCH, "the data have %lld targets, the network %lld", (long long)e->n_y,
                    (long long)net->outputs);
  bp_status s = match_columns(net, e, column);
  if (s == BP_OK && net->classes && e->labels && need_target)
    s = match_classes(net, e, classes);
  if (s != BP_OK) {
    bpi_free(net->ctx, *column);
    *column = NULL;
  }
  return s;
}

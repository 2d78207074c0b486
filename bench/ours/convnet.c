/* Training and asking a small convolutional network on images of 28 by 28: the plan through the C API.
 *
 *   conv 3x3, 32 filters - relu - max pool 2 - conv 3x3, 64 filters - relu - max pool 2 - dense 128 - relu - dense 10
 *
 * First weights: the numbers of `file`, of a normal distribution, each parameter's times its scale below, in the order of the layers and in
 * bprop's layout: W [filters, height, width, channels], then b; flattened images have their channels last. */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, PARAMS = 8 };

typedef struct convnet {
  net_work w;
  planned p;
  bp_params *params;
  float *first;
  int64_t n_params;
  bool trains;
  int64_t at;
} convnet;

static void close_convnet(void *work)
{
  convnet *n = work;
  bp_params_free(n->params);
  planned_close(&n->p);
  net_work_close(&n->w);
  free(n->first);
  free(n);
}

static bp_node convnet_layers(convnet *n, bp_graph *g)
{
  const int64_t dims[4] = {n->w.batch, SIDE, SIDE, 1};
  bp_node x = bp_input(g, "x", BP_REAL, 4, dims);
  x = bp_relu(bp_conv(n->params, x, "conv1", (bp_conv_options){.filters = 32, .window = {3}}, (bp_init){0}));
  x = bp_max_pool(x, 2);
  x = bp_relu(bp_conv(n->params, x, "conv2", (bp_conv_options){.filters = 64, .window = {3}}, (bp_init){0}));
  x = bp_flatten(bp_max_pool(x, 2));
  x = bp_relu(bp_dense(n->params, x, "dense1", 128, (bp_init){0}));
  return bp_dense(n->params, x, "dense2", n->w.width[n->w.layers], (bp_init){0});
}

static bp_status compile_convnet(convnet *n)
{
  bp_graph *g = bp_graph_new(n->p.ctx);
  convnet_layers(n, g); /* the first round: parameters are met */
  bp_status s = bp_graph_status(g);
  bp_graph_free(g);
  if (s == BP_OK)
    s = bp_params_make(n->params, n->p.state, 1);
  g = bp_graph_new(n->p.ctx);
  bp_node out = convnet_layers(n, g);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n_updates = 0;
  if (s == BP_OK && n->trains) {
    bp_node labels = bp_input(g, "labels", BP_INT64, 1, &n->w.batch);
    bp_optimizer o = {.kind = n->w.adam ? BP_OPTIMIZER_ADAM : BP_OPTIMIZER_SGD, .lr = n->w.lr};
    out = bp_mean(bp_softmax_cross_entropy(out, labels, 0), NULL, 0, false);
    s = bp_optimizer_step(n->params, n->p.state, &o, out, updates, &n_updates, NULL);
  }
  bp_plan_options o = {
      .real = BP_FLOAT32, .outputs = &out, .n_outputs = 1, .updates = updates, .n_updates = n_updates};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &n->p.plan);
  bp_graph_free(g);
  return s == BP_OK ? bp_run_new(n->p.plan, n->p.state, &n->p.run) : s;
}

/* All parameters from or to a file's array, one after another. */
static void copy_all(convnet *n, float *file, bool out)
{
  for (int i = 0; i < bp_params_count(n->params); i++) {
    bp_type type;
    void *data;
    bp_params_at(n->params, i, NULL, &type, &data, NULL);
    size_t size = sizeof *file;
    for (int k = 0; k < type.rank; k++)
      size *= (size_t)type.dims[k];
    memcpy(out ? (void *)file : data, out ? data : (void *)file, size);
    file += size / sizeof *file;
  }
}

/* Weights have variance 2 / fan_in, biases a deviation of 0.1, the last layer's weights a tenth. */
static bool scale_first(convnet *n, const char *file)
{
  n->n_params = bp_params_size(n->params, NULL);
  n->first = file ? read_raw(file, (size_t)n->n_params, sizeof *n->first) : NULL;
  float *at = n->first;
  for (int i = 0; n->first && i < bp_params_count(n->params); i++) {
    bp_type type;
    bp_params_at(n->params, i, NULL, &type, NULL, NULL);
    int64_t fan_in = 1;
    for (int k = 1; k < type.rank; k++)
      fan_in *= type.dims[k];
    const double scale = type.rank < 2 ? 0.1 : sqrt((i == PARAMS - 2 ? 0.02 : 2.0) / (double)fan_in);
    for (int64_t k = 0; k < type.dims[0] * fan_in; k++, at++)
      *at = (float)(scale * (double)*at);
  }
  return n->first != NULL;
}

static void restart_convnet(convnet *n)
{
  copy_all(n, n->first, false);
  n->at = 0;
}

static bp_status step(convnet *n)
{
  const size_t image = (size_t)n->w.width[0];
  bp_status s =
      bp_run_bind(n->p.run, "x", n->w.x + (size_t)n->at * image, (size_t)n->w.batch * image * sizeof *n->w.x);
  if (s == BP_OK && n->trains)
    s = bp_run_bind(n->p.run, "labels", n->w.labels + n->at, (size_t)n->w.batch * sizeof *n->w.labels);
  n->at = n->at + 2 * n->w.batch > n->w.rows ? 0 : n->at + n->w.batch;
  return s == BP_OK ? bp_run_step(n->p.run) : s;
}

static void *open_convnet(const request *r, const char **why, bool trains)
{
  convnet *n = zeros(1, sizeof *n);
  n->trains = trains;
  if (!net_work_open(&n->w, r, why)) {
    free(n);
    return NULL;
  }
  n->p.ctx = context_of(r);
  n->p.state = bp_state_new(n->p.ctx, BP_FLOAT32);
  n->params = bp_params_new(n->p.ctx);
  bp_status s = n->w.width[0] == (int64_t)SIDE * SIDE ? compile_convnet(n) : BP_E_SHAPE;
  *why = s == BP_OK ? "its first weights cannot be read" : because();
  if (s == BP_OK && scale_first(n, request_text(r, "file", NULL))) {
    restart_convnet(n);
    return n;
  }
  close_convnet(n);
  return NULL;
}

static void *open_train(const request *r, const char **why)
{
  return open_convnet(r, why, true);
}

static void *open_infer(const request *r, const char **why)
{
  return open_convnet(r, why, false);
}

static double run_convnet(void *work, long times)
{
  convnet *n = work;
  if (n->trains)
    restart_convnet(n);
  double start = now();
  for (long i = 0; i < times; i++)
    if (step(n) != BP_OK)
      return NAN;
  return now() - start;
}

/* Weights after one step, and the mean loss of the first pass. */
static bool check_train(void *work, const char *path, char *said, size_t room)
{
  convnet *n = work;
  float *after = zeros((size_t)n->n_params, sizeof *after);
  int64_t steps = n->w.rows / n->w.batch;
  bool good = true;
  double sum = 0, loss = NAN;
  restart_convnet(n);
  for (int64_t i = 0; i < steps && good; i++, sum += loss) {
    good = step(n) == BP_OK && bp_run_get(n->p.run, 0, &loss, 1) == BP_OK;
    if (i == 0)
      copy_all(n, after, true);
  }
  snprintf(said, room, "loss=%.9g", sum / (double)steps);
  good = good && write_raw(path, after, (size_t)n->n_params, sizeof *after);
  free(after);
  return good;
}

static bool check_infer(void *work, const char *path, char *said, size_t room)
{
  convnet *n = work;
  const void *out;
  (void)said;
  (void)room;
  n->at = 0;
  return step(n) == BP_OK && bp_run_output(n->p.run, 0, &out, NULL) == BP_OK &&
         write_raw(path, out, (size_t)(n->w.batch * n->w.width[n->w.layers]), sizeof(float));
}

const kind convtrain_kind = {"convtrain", open_train, run_convnet, check_train, close_convnet};
const kind convinfer_kind = {"convinfer", open_infer, run_convnet, check_infer, close_convnet};

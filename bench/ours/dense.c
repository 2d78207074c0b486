/* Training and asking networks of dense layers, and a small one for images: the plan through the C API, and the trainer (through=trainer). */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct net {
  net_work w;
  planned p;
  bp_params *params;
  bp_net *net;
  bp_data *data;
  bool trains, images;
  int64_t at;
} net;

static void close_net(void *work)
{
  net *n = work;
  bp_net_free(n->net);
  bp_data_free(n->data);
  bp_params_free(n->params);
  planned_close(&n->p);
  net_work_close(&n->w);
  free(n);
}

/* ---- parameters from the file ---- */

/* The file has W and b of each layer in turn. copy: into the parameters, or out of them. */
static bool copy_params(const net *n, bp_params *params, float *file, bool out)
{
  char name[32];
  for (int k = 0, m = bp_params_count(params); k < 2 * n->w.layers; k++) {
    snprintf(name, sizeof name, "layer%d.%c", k / 2 + 1, k % 2 ? 'b' : 'W');
    int64_t size = n->w.out[k / 2] * (k % 2 ? 1 : n->w.fan_in[k / 2]);
    const char *found = "";
    void *data = NULL;
    for (int i = 0; i < m && strcmp(found, name) != 0; i++)
      bp_params_at(params, i, &found, NULL, &data, NULL);
    if (strcmp(found, name) != 0)
      return false;
    memcpy(out ? (void *)file : data, out ? data : (void *)file, (size_t)size * sizeof *file);
    file += size;
  }
  return true;
}

/* First weights; every other entry of the state (moments, counters) 0, but the learning rate. */
static void restart(net *n)
{
  for (int e = 0; e < bp_state_count(n->p.state); e++) {
    const char *name;
    bp_type type;
    void *data;
    if (bp_state_array(n->p.state, e, &name, &type, &data) != BP_OK || strcmp(name, "optimizer.lr") == 0)
      continue;
    int64_t size = 1;
    for (int k = 0; k < type.rank; k++)
      size *= type.dims[k];
    memset(data, 0, (size_t)size * (type.dtype == BP_INT64 ? sizeof(int64_t) : sizeof(float)));
  }
  copy_params(n, n->params, n->w.params, false);
  n->at = 0;
}

/* ---- the plan ---- */

/* Two times convolution of 3 by 3, ReLU and max-pooling of 2 by 2 on images of 28 by 28; a dense layer with ReLU; then the classes. */
static bp_node images(net *n, bp_node x)
{
  x = bp_reshape(x, (int64_t[]){n->w.batch, 28, 28, 1}, 4);
  for (int k = 0; k < 2; k++) {
    bp_conv_options o = {.filters = n->w.out[k], .window = {3}};
    x = bp_max_pool(bp_relu(bp_conv(n->params, x, k ? "layer2" : "layer1", o, (bp_init){0})), 2);
  }
  x = bp_relu(bp_dense(n->params, bp_flatten(x), "layer3", n->w.out[2], (bp_init){0}));
  return bp_dense(n->params, x, "layer4", n->w.out[3], (bp_init){0});
}

static bp_node layers(net *n, bp_graph *g)
{
  char name[32];
  int64_t dims[2] = {n->w.batch, n->w.inputs};
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims);
  if (n->images)
    return images(n, x);
  for (int k = 0; k < n->w.layers; k++) {
    snprintf(name, sizeof name, "layer%d", k + 1);
    x = bp_dense(n->params, x, name, n->w.out[k], (bp_init){0});
    x = k + 1 < n->w.layers ? bp_relu(x) : x;
  }
  return x;
}

static bp_status make_params(net *n)
{
  bp_graph *g = bp_graph_new(n->p.ctx);
  layers(n, g);
  bp_status s = bp_graph_status(g);
  bp_graph_free(g);
  return s == BP_OK ? bp_params_make(n->params, n->p.state, 1) : s;
}

static bp_status compile(net *n)
{
  bp_graph *g = bp_graph_new(n->p.ctx);
  bp_node out = layers(n, g);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n_updates = 0;
  bp_status s = bp_graph_status(g);
  if (n->trains && s == BP_OK) {
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

static bp_status open_plan(net *n)
{
  n->p.state = bp_state_new(n->p.ctx, BP_FLOAT32);
  n->params = bp_params_new(n->p.ctx);
  bp_status s = make_params(n);
  if (s == BP_OK)
    s = compile(n);
  if (s == BP_OK)
    restart(n);
  return s;
}

static bp_status step(net *n)
{
  size_t row = (size_t)n->w.inputs * sizeof *n->w.x;
  bp_status s = bp_run_bind(n->p.run, "x", n->w.x + n->at * n->w.inputs, (size_t)n->w.batch * row);
  if (s == BP_OK && n->trains)
    s = bp_run_bind(n->p.run, "labels", n->w.labels + n->at, (size_t)n->w.batch * sizeof *n->w.labels);
  n->at = n->at + 2 * n->w.batch > n->w.rows ? 0 : n->at + n->w.batch;
  return s == BP_OK ? bp_run_step(n->p.run) : s;
}

/* ---- the trainer ---- */

static bp_status open_trainer(net *n)
{
  n->data = bp_data_new(n->p.ctx, n->w.rows, n->w.inputs, n->w.x, n->w.labels, NULL, 0);
  bp_net_options o = {.raw = true};
  for (int k = 1; k < n->w.layers; k++)
    o.hidden[k - 1] = n->w.fan_in[k];
  n->net = n->data ? bp_net_new(n->p.ctx, n->data, &o) : NULL;
  return n->net && copy_params(n, bp_net_params(n->net), n->w.params, false) ? BP_OK : BP_E_MISMATCH;
}

/* Whole epochs: about so many steps, and the time of just so many. */
static double run_trainer(net *n, long times)
{
  int64_t steps = n->w.rows / n->w.batch, epochs = (times + steps / 2) / steps;
  bp_train_options o = {
      .epochs = epochs > 0 ? epochs : 1,
      .batch = n->w.batch,
      .label_smoothing = -1,
      .averaging = -1, /* the plan has none */
      .optimizer = {.kind = n->w.adam ? BP_OPTIMIZER_ADAM : BP_OPTIMIZER_SGD, .lr = n->w.lr}};
  bp_train_result result;
  copy_params(n, bp_net_params(n->net), n->w.params, false);
  if (bp_net_train(n->net, n->data, &o, &result) != BP_OK)
    return NAN;
  return (double)(times * n->w.batch) / result.samples_per_second;
}

/* ---- kinds ---- */

static void *open_net(const request *r, const char **why, bool trains)
{
  net *n = zeros(1, sizeof *n);
  n->trains = trains;
  n->images = request_count(r, "images", 0);
  if (!net_work_open(&n->w, r, why)) {
    free(n);
    return NULL;
  }
  n->p.ctx = context_of(r);
  bp_status s = strcmp(request_text(r, "through", "plan"), "trainer") == 0 ? open_trainer(n) : open_plan(n);
  if (s == BP_OK)
    return n;
  *why = because();
  close_net(n);
  return NULL;
}

static void *open_train(const request *r, const char **why)
{
  return open_net(r, why, true);
}

static void *open_infer(const request *r, const char **why)
{
  return open_net(r, why, false);
}

static double run_net(void *work, long times)
{
  net *n = work;
  if (n->net)
    return run_trainer(n, times);
  if (n->trains)
    restart(n);
  double start = now();
  for (long i = 0; i < times; i++)
    if (step(n) != BP_OK)
      return NAN;
  return now() - start;
}

static bool loss_of(net *n, double *sum)
{
  double loss = NAN;
  bool good = step(n) == BP_OK && bp_run_get(n->p.run, 0, &loss, 1) == BP_OK;
  *sum += loss;
  return good;
}

/* Weights after one step, and the mean loss of the first pass. The trainer goes through the data in another order. */
static bool check_train(void *work, const char *path, char *said, size_t room)
{
  net *n = work;
  if (n->net)
    return false;
  double sum = 0;
  restart(n);
  float *after = zeros((size_t)n->w.n_params, sizeof *after);
  bool good = loss_of(n, &sum) && copy_params(n, n->params, after, true) &&
              write_raw(path, after, (size_t)n->w.n_params, sizeof *after);
  int64_t steps = n->w.rows / n->w.batch;
  for (int64_t i = 1; i < steps && good; i++)
    good = loss_of(n, &sum);
  snprintf(said, room, "loss=%.9g", sum / (double)steps);
  free(after);
  restart(n);
  return good;
}

static bool check_infer(void *work, const char *path, char *said, size_t room)
{
  net *n = work;
  const void *out;
  (void)said;
  (void)room;
  n->at = 0;
  return step(n) == BP_OK && bp_run_output(n->p.run, 0, &out, NULL) == BP_OK &&
         write_raw(path, out, (size_t)(n->w.batch * n->w.out[n->w.layers - 1]), sizeof(float));
}

const work_kind train_kind = {"train", open_train, run_net, check_train, close_net};
const work_kind infer_kind = {"infer", open_infer, run_net, check_infer, close_net};

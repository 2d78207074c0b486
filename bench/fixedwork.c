/* Fixed pieces of training, for what is no matter of time.
 *
 *   fixedwork bits THREADS       a hash of all weights after training three networks
 *   fixedwork memory             the largest resident size in bytes, before, and after training 784-512-512-10 with Adam, batch 128
 *   fixedwork memory trainer     the same through bp_net_train */
#include "base/ctx.h"
#include "house/house.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "fixedwork: %s\n", bp_error());
  exit(1);
}

typedef struct network {
  bool images;
  int64_t batch, width[5]; /* ends with 0 */
  bp_optimizer optimizer;
  int steps;
} network;

static bp_node build(const network *n, bp_params *p, bp_node x)
{
  char name[16];
  if (n->images) {
    x = bp_reshape(x, (int64_t[]){n->batch, 28, 28, 1}, 4);
    x = bp_max_pool(bp_relu(bp_conv(p, x, "conv", (bp_conv_options){.filters = 8, .window = {3}, .pad = 1},
                                    (bp_init){0})),
                    2);
    x = bp_flatten(x);
  }
  for (int k = 1; n->width[k]; k++) {
    snprintf(name, sizeof name, "layer%d", k);
    x = bp_dense(p, x, name, n->width[k], (bp_init){0});
    x = n->width[k + 1] ? bp_relu(x) : x;
  }
  return x;
}

static uint64_t mix(uint64_t z)
{
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void make_data(const network *n, float *x, int64_t *labels)
{
  for (int64_t i = 0; i < n->batch * n->width[0]; i++)
    x[i] = (float)(mix((uint64_t)i + 1) % 2001) / 1000 - 1;
  for (int64_t i = 0; i < n->batch; i++)
    labels[i] = (int64_t)(mix((uint64_t)i) % 10);
}

static uint64_t train(bp_ctx *ctx, network n)
{
  bp_state *state = bp_state_new(ctx, BP_FLOAT32);
  bp_params *params = bp_params_new(ctx);
  bp_graph *first = bp_graph_new(ctx), *g = bp_graph_new(ctx);
  int64_t dims[2] = {n.batch, n.width[0]};
  build(&n, params, bp_input(first, "x", BP_REAL, 2, dims));
  must(bp_graph_status(first));
  must(bp_params_make(params, state, 7));
  bp_node labels = bp_input(g, "labels", BP_INT64, 1, &n.batch);
  bp_node loss =
      bp_mean(bp_softmax_cross_entropy(build(&n, params, bp_input(g, "x", BP_REAL, 2, dims)), labels, 0),
              NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n_updates = 0;
  bp_plan *plan;
  bp_run *run;
  must(bp_optimizer_step(params, state, &n.optimizer, loss, updates, &n_updates, NULL));
  bp_plan_options o = {
      .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = n_updates};
  must(bp_plan_new(g, &o, &plan));
  must(bp_run_new(plan, state, &run));
  float *x = zeros((size_t)(n.batch * n.width[0]), sizeof *x);
  int64_t *y = zeros((size_t)n.batch, sizeof *y);
  make_data(&n, x, y);
  must(bp_run_bind(run, "x", x, (size_t)(n.batch * n.width[0]) * sizeof *x));
  must(bp_run_bind(run, "labels", y, (size_t)n.batch * sizeof *y));
  for (int i = 0; i < n.steps; i++)
    must(bp_run_step(run));
  uint64_t hash = 1469598103934665603u; /* FNV-1a */
  void *weights;
  bp_type t;
  must(bp_state_array(state, bp_state_find(state, "params"), NULL, &t, &weights));
  for (size_t i = 0; i < (size_t)t.dims[0] * sizeof(float); i++)
    hash = (hash ^ ((unsigned char *)weights)[i]) * 1099511628211u;
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(first);
  bp_graph_free(g);
  bp_params_free(params);
  bp_state_free(state);
  free(x);
  free(y);
  return hash;
}

static const network works[] = {
    {false, 64, {784, 128, 10}, {.kind = BP_OPTIMIZER_SGD}, 30},
    {false, 128, {784, 512, 512, 10}, {.kind = BP_OPTIMIZER_ADAM}, 6},
    {true, 64, {784, 10}, {.kind = BP_OPTIMIZER_SGD, .momentum = 0.9}, 6},
};

static int bits(int threads)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  ctx->processors = threads; /* that many parts, also where there are fewer */
  for (size_t i = 0; i < sizeof works / sizeof *works; i++)
    printf("%016llx%s", (unsigned long long)train(ctx, works[i]),
           i + 1 < sizeof works / sizeof *works ? " " : "\n");
  bp_ctx_free(ctx);
  return 0;
}

/* ---- memory ---- */

static long resident_most(void)
{
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  long kb = -1;
  while (f && fgets(line, sizeof line, f))
    sscanf(line, "VmHWM: %ld", &kb);
  if (f)
    fclose(f);
  return 1024 * kb;
}

static void with_trainer(bp_ctx *ctx, const network *n)
{
  int64_t rows = 4 * n->batch;
  network all = *n;
  all.batch = rows;
  float *x = zeros((size_t)(rows * n->width[0]), sizeof *x);
  int64_t *y = zeros((size_t)rows, sizeof *y);
  make_data(&all, x, y);
  bp_data *d = bp_data_new(ctx, rows, n->width[0], x, y, NULL, 0);
  free(x);
  free(y);
  bp_net_options o = {.hidden = {n->width[1], n->width[2]}};
  bp_net *net = d ? bp_net_new(ctx, d, &o) : NULL;
  bp_train_options t = {.epochs = 3, .batch = n->batch, .optimizer = n->optimizer};
  must(net ? bp_net_train(net, d, &t, NULL) : BP_E_NOMEM);
  bp_net_free(net);
  bp_data_free(d);
}

static int memory(bool trainer)
{
  long before = resident_most();
  bp_ctx *ctx = bp_ctx_new(NULL);
  if (trainer)
    with_trainer(ctx, &works[1]);
  else
    train(ctx, works[1]);
  bp_ctx_free(ctx);
  printf("%ld %ld\n", before, resident_most());
  return 0;
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "bits") == 0)
    return bits(atoi(argv[2]));
  if (argc > 1 && strcmp(argv[1], "memory") == 0)
    return memory(argc > 2);
  fputs("usage: fixedwork bits THREADS | memory [trainer]\n", stderr);
  return 2;
}

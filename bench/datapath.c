/* What the trainer adds to its plan: a step of bp_net_train (batches loaded, shuffled, standardised; the rate set; the loss read) beside the same
 * plan run on fixed inputs. 784-128-10, ReLU, softmax cross-entropy, SGD, float32, by turns.
 *
 *   datapath [THREADS [BATCH]]      1 and 64 by default */
#include "base/pool.h"
#include "train/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 12800, COLS = 784, CLASSES = 10, REPETITIONS = 15 };

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bp_data *random_images(bp_ctx *ctx)
{
  uint8_t *pixels = malloc((size_t)ROWS * COLS), *labels = malloc(ROWS);
  unsigned r = 1;
  for (int64_t i = 0; i < (int64_t)ROWS * COLS; i++)
    pixels[i] = (uint8_t)((r = r * 1664525u + 1013904223u) >> 24);
  for (int64_t i = 0; i < ROWS; i++)
    labels[i] = (uint8_t)(((r = r * 1664525u + 1013904223u) >> 16) % CLASSES);
  bp_ndarray x = {.data = pixels,
                  .store = BP_STORE_UINT8,
                  .rank = 2,
                  .dims = {ROWS, COLS},
                  .size = (int64_t)ROWS * COLS},
             y = {.data = labels, .store = BP_STORE_UINT8, .rank = 1, .dims = {ROWS}, .size = ROWS};
  bp_data *d = bp_data_from_arrays(ctx, &x, &y);
  free(pixels);
  free(labels);
  return d;
}

/* The plan that the trainer makes. */
static bp_run *bare(bp_net *net, int64_t batch, bp_plan **plan)
{
  bp_graph *g = bp_graph_new(net->ctx);
  int64_t dims[2] = {batch, net->inputs};
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims), labels = bp_input(g, "labels", BP_INT64, 1, &batch);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(bpi_net_forward(net, g, x, BP_NO_NODE, true), labels, 0),
                         NULL, 0, false);
  bp_node guards[2] = {loss};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_optimizer sgd = {.kind = BP_OPTIMIZER_SGD, .lr = 0.01};
  bp_run *run = NULL;
  if (bp_optimizer_step(net->params, net->state, &sgd, loss, updates, &n, &guards[1]) == BP_OK &&
      bp_plan_new(g,
                  &(bp_plan_options){.real = BP_FLOAT32,
                                     .outputs = &loss,
                                     .n_outputs = 1,
                                     .updates = updates,
                                     .n_updates = n,
                                     .guards = guards,
                                     .n_guards = 2},
                  plan) == BP_OK)
    bp_run_new(*plan, net->state, &run);
  bp_graph_free(g);
  return run;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v)
{
  qsort(v, REPETITIONS, sizeof *v, by_size);
  return v[REPETITIONS / 2];
}

static double steps_of(bp_run *run, int64_t steps)
{
  for (int64_t i = 0; i < 20; i++)
    bp_run_step(run);
  double before = now();
  for (int64_t i = 0; i < steps; i++)
    bp_run_step(run);
  return (now() - before) / (double)steps * 1e6;
}

/* Microseconds a step, by turns: of the plan, and of the trainer. */
static bool compare(bp_run *run, bp_net *net, const bp_data *d, int64_t batch, double *plain, double *whole)
{
  bp_train_options o = {.epochs = 1,
                        .batch = batch,
                        .label_smoothing = -1,
                        .averaging = -1, /* the plan has none */
                        .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 0.01}};
  for (int r = 0; r < REPETITIONS; r++) {
    plain[r] = steps_of(run, ROWS / batch);
    bp_train_result result;
    if (bp_net_train(net, d, &o, &result) != BP_OK)
      return false;
    whole[r] = 1e6 * (double)batch / result.samples_per_second;
  }
  return true;
}

static int failed(void)
{
  fprintf(stderr, "datapath: %s\n", bp_error());
  return 1;
}

int main(int argc, char **argv)
{
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  int64_t batch = argc > 2 ? atoll(argv[2]) : 64;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_data *d = random_images(ctx);
  bp_net *net = d ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {128}}) : NULL;
  bp_plan *plan = NULL;
  bp_run *run = net ? bare(net, batch, &plan) : NULL;
  if (!run)
    return failed();
  float *x = calloc((size_t)(batch * COLS), sizeof *x);
  int64_t *labels = calloc((size_t)batch, sizeof *labels);
  for (int64_t i = 0; i < batch * COLS; i++)
    x[i] = (float)(i % 17) / 17;
  bp_run_bind(run, "x", x, (size_t)(batch * COLS) * sizeof *x);
  bp_run_bind(run, "labels", labels, (size_t)batch * sizeof *labels);
  double plain[REPETITIONS], whole[REPETITIONS];
  if (!compare(run, net, d, batch, plain, whole))
    return failed();
  double a = median(plain), b = median(whole);
  printf("784-128-10, batch %lld, %d threads: plan %.1f us a step, trainer %.1f us, %+.1f %%\n",
         (long long)batch, threads, a, b, 100 * (b / a - 1));
  bp_run_free(run);
  bp_plan_free(plan);
  bp_net_free(net);
  bp_data_free(d);
  bp_ctx_free(ctx);
  free(x);
  free(labels);
  return 0;
}

/* Trainings on a machine that is too small for them: two at once beside one after the other, more threads than processors.
 * 784-128-10, batch 64, SGD, float32, a process each; steps a second of all together.
 *
 *   crowd [THREADS]     2 by default */
#include <bprop.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, COLS = 784, HIDDEN = 128, CLASSES = 10, ROUNDS = 15, MOST = 4 };
#define SECONDS 0.2

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bp_node network(bp_params *p, bp_graph *g)
{
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){BATCH, COLS}),
          labels = bp_input(g, "labels", BP_INT64, 1, (int64_t[]){BATCH});
  bp_node h = bp_relu(bp_dense(p, x, "a", HIDDEN, (bp_init){0}));
  return bp_mean(bp_softmax_cross_entropy(bp_dense(p, h, "b", CLASSES, (bp_init){0}), labels, 0), NULL, 0,
                 false);
}

/* Steps a second from `start` on, for a while; negative on failure. */
static double train(int threads, double start)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_state *state = bp_state_new(ctx, BP_FLOAT32);
  bp_params *params = bp_params_new(ctx);
  bp_graph *first = bp_graph_new(ctx), *g = bp_graph_new(ctx);
  network(params, first);
  bp_graph_free(first);
  bp_status s = bp_params_make(params, state, 1);
  bp_node loss = network(params, g);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_optimizer sgd = {.kind = BP_OPTIMIZER_SGD, .lr = 1e-6};
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  if (s == BP_OK)
    s = bp_optimizer_step(params, state, &sgd, loss, updates, &n, NULL);
  bp_plan_options o = {
      .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = n};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, state, &run);
  float *x = malloc(sizeof *x * BATCH * COLS);
  int64_t labels[BATCH];
  for (int i = 0; i < BATCH * COLS; i++)
    x[i] = (float)(i % 13) / 13;
  for (int i = 0; i < BATCH; i++)
    labels[i] = i % CLASSES;
  if (s == BP_OK)
    s = bp_run_bind(run, "x", x, sizeof *x * BATCH * COLS);
  if (s == BP_OK)
    s = bp_run_bind(run, "labels", labels, sizeof labels);
  while (now() < start)
    bp_run_step(run);
  double begun = now();
  int64_t steps = 0;
  for (; s == BP_OK && now() - begun < SECONDS; steps++)
    s = bp_run_step(run);
  return s == BP_OK ? (double)steps / (now() - begun) : -1;
}

/* Steps a second of so many processes together. */
static double together(int processes, int threads)
{
  int ends[2];
  double start = now() + 0.1, sum = 0, one;
  if (pipe(ends) != 0)
    exit(1);
  for (int i = 0; i < processes; i++)
    if (fork() == 0) {
      double rate = train(threads, start);
      _exit(write(ends[1], &rate, sizeof rate) != sizeof rate);
    }
  for (int i = 0; i < processes; i++) {
    if (read(ends[0], &one, sizeof one) != sizeof one || one < 0)
      exit(1);
    sum += one;
  }
  while (wait(NULL) > 0)
    ;
  close(ends[0]);
  close(ends[1]);
  return sum;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  const struct {
    const char *name;
    int processes, threads;
  } way[MOST] = {{"one, 1 thread", 1, 1},
                 {"one, all threads", 1, threads},
                 {"two at once", 2, threads},
                 {"one, 8 threads", 1, 8}};
  double rate[MOST][ROUNDS];
  for (int r = 0; r < ROUNDS; r++)
    for (int k = 0; k < MOST; k++)
      rate[k][r] = together(way[k].processes, way[k].threads);
  for (int k = 0; k < MOST; k++)
    qsort(rate[k], ROUNDS, sizeof(double), by_size);
  printf("%d processors, %d threads, steps a second\n", bp_processors(), threads);
  for (int k = 0; k < MOST; k++)
    printf("%-18s %8.0f  %5.2f of one with all threads\n", way[k].name, rate[k][ROUNDS / 2],
           rate[k][ROUNDS / 2] / rate[1][ROUNDS / 2]);
  return 0;
}

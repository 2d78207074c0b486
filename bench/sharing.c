/* What two threads gain over one, work by work, and by how much work a thread must have for an instruction to be shared out
 * (bpi_tuning.split_ns): the figures behind src/kernels/cost.h.
 *
 *   sharing [SPLIT_NS...]     the usual one by default */
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPETITIONS = 15, MOST_SPLITS = 8 };
#define TARGET 10e-3 /* seconds of one repetition */

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- works: each builds its graph and says what is to be computed ---- */

typedef struct work {
  const char *name;
  bp_node (*build)(bp_graph *g, const int64_t *size);
  int64_t size[4];
  bool train; /* with the gradient and an update of everything that is trained */
} work;

static bp_node input(bp_graph *g, const char *name, int64_t rows, int64_t cols)
{
  return bp_input(g, name, BP_REAL, 2, (int64_t[]){rows, cols});
}

static bp_node chain(bp_graph *g, const int64_t *size)
{
  bp_node x = input(g, "x", 1, size[0]), y = input(g, "y", 1, size[0]);
  bp_node a = bp_add(bp_mul(x, y), x), b = bp_sub(bp_square(a), y);
  return bp_mul(bp_relu(bp_add(b, x)), bp_add(a, y));
}

static bp_node vectors(bp_graph *g, const int64_t *size)
{
  return bp_tanh(bp_exp(bp_neg(bp_square(input(g, "x", 1, size[0])))));
}

static bp_node total(bp_graph *g, const int64_t *size)
{
  return bp_sum(input(g, "x", 1, size[0]), NULL, 0, false);
}

static bp_node rows(bp_graph *g, const int64_t *size)
{
  return bp_softmax(input(g, "x", size[0], size[1]), -1);
}

static bp_node product(bp_graph *g, const int64_t *size)
{
  return bp_matmul(input(g, "x", size[0], size[2]), input(g, "y", size[2], size[1]));
}

static const work works[] = {
    {"chain of 8, 1,024", chain, {1024}, false},
    {"chain of 8, 4,096", chain, {4096}, false},
    {"chain of 8, 16,384", chain, {16384}, false},
    {"chain of 8, 65,536", chain, {65536}, false},
    {"chain of 8, 1 M", chain, {1 << 20}, false},
    {"exp, tanh, 1,024", vectors, {1024}, false},
    {"exp, tanh, 4,096", vectors, {4096}, false},
    {"exp, tanh, 16,384", vectors, {16384}, false},
    {"sum, 16,384", total, {16384}, false},
    {"sum, 262,144", total, {262144}, false},
    {"softmax 64 x 10", rows, {64, 10}, false},
    {"softmax 128 x 128", rows, {128, 128}, false},
    {"product 8 x 8 x 8", product, {8, 8, 8}, false},
    {"product 32 x 32 x 32", product, {32, 32, 32}, false},
    {"product 64 x 10 x 128", product, {64, 10, 128}, false},
    {"product 64 x 64 x 64", product, {64, 64, 64}, false},
    {"product 64 x 128 x 128", product, {64, 128, 128}, false},
    {"product 1 x 128 x 784", product, {1, 128, 784}, false},
    {"product 1 x 1024 x 1024", product, {1, 1024, 1024}, false},
    {"train 2-8-1, 4", NULL, {2, 8, 1, 4}, true},
    {"train 4-16-3, 16", NULL, {4, 16, 3, 16}, true},
    {"train 13-64-3, 8", NULL, {13, 64, 3, 8}, true},
    {"train 64-128-10, 32", NULL, {64, 128, 10, 32}, true},
    {"train 784-128-10, 16", NULL, {784, 128, 10, 16}, true},
    {"train 784-128-10, 64", NULL, {784, 128, 10, 64}, true},
    {"train 784-256-10, 128", NULL, {784, 256, 10, 128}, true},
};
enum { WORKS = sizeof works / sizeof *works };

/* ---- one work, made and timed ---- */

typedef struct made {
  bp_ctx *ctx;
  bp_state *state;
  bp_params *params;
  bp_plan *plan;
  bp_run *run;
  void *data[2];
  double times[REPETITIONS];
} made;

static bp_status give_up(const char *what)
{
  fprintf(stderr, "sharing: %s: %s\n", what, bp_error());
  exit(1);
}

static bp_node network(made *m, bp_graph *g, const int64_t *size)
{
  bp_node x = input(g, "x", size[3], size[0]), y = input(g, "y", size[3], size[2]);
  bp_node h = bp_relu(bp_dense(m->params, x, "a", size[1], (bp_init){0}));
  return bp_mean(bp_square(bp_sub(bp_dense(m->params, h, "b", size[2], (bp_init){0}), y)), NULL, 0, false);
}

static void compile(made *m, const work *w, int64_t split)
{
  bp_graph *g = bp_graph_new(m->ctx);
  if (w->train) {
    m->state = bp_state_new(m->ctx, BP_FLOAT32);
    m->params = bp_params_new(m->ctx);
    bp_graph *first = bp_graph_new(m->ctx);
    network(m, first, w->size);
    bp_graph_free(first);
    if (bp_params_make(m->params, m->state, 1) != BP_OK)
      give_up(w->name);
  }
  bp_node out = w->train ? network(m, g, w->size) : w->build(g, w->size), guards[2] = {out};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  /* So slow that nothing is learned: gradients that vanish would end in subnormal numbers, which are slow in themselves. */
  bp_optimizer adam = {.kind = BP_OPTIMIZER_ADAM, .lr = 1e-12};
  if (w->train && bp_optimizer_step(m->params, m->state, &adam, out, updates, &n, &guards[1]) != BP_OK)
    give_up(w->name);
  bp_plan_options o = {.real = BP_FLOAT32,
                       .outputs = &out,
                       .n_outputs = 1,
                       .updates = updates,
                       .n_updates = n,
                       .guards = guards,
                       .n_guards = w->train ? 2 : 0};
  if (bpi_plan_new(g, &o, &(bpi_tuning){.split_ns = split}, &m->plan) != BP_OK ||
      bp_run_new(m->plan, m->state, &m->run) != BP_OK)
    give_up(w->name);
  bp_graph_free(g);
}

static made make(const work *w, int threads, int64_t split)
{
  made m = {.ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads})};
  compile(&m, w, split);
  for (size_t i = 0; i < m.plan->n_inputs; i++) {
    size_t bytes = m.plan->inputs[i].bytes;
    float *x = m.data[i] = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    for (size_t k = 0; k < bytes / sizeof *x; k++)
      x[k] = (float)(k % 13) / 13 - 0.5f;
    if (bp_run_bind(m.run, m.plan->inputs[i].name, x, bytes) != BP_OK)
      give_up(w->name);
  }
  return m;
}

static void unmake(made *m)
{
  bp_run_free(m->run);
  bp_plan_free(m->plan);
  bp_params_free(m->params);
  bp_state_free(m->state);
  bp_ctx_free(m->ctx);
  free(m->data[0]);
  free(m->data[1]);
}

static double steps_ns(made *m, int64_t steps)
{
  double before = now();
  for (int64_t i = 0; i < steps; i++)
    if (bp_run_step(m->run) != BP_OK)
      give_up("run");
  return (now() - before) / (double)steps * 1e9;
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

/* Contestants of one work by turns: one thread, then two with each split. */
static void time_work(const work *w, const int64_t *split, int n)
{
  made m[1 + MOST_SPLITS] = {{0}};
  for (int k = 0; k <= n; k++)
    m[k] = make(w, k ? 2 : 1, k ? split[k - 1] : 0);
  steps_ns(&m[0], 10);
  int64_t steps = (int64_t)(TARGET * 1e9 / steps_ns(&m[0], 10)) + 1;
  for (int r = 0; r < REPETITIONS; r++)
    for (int k = 0; k <= n; k++) {
      /* Until the threads of the one before are asleep: one that spins would keep this one's from their processor. */
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
      steps_ns(&m[k], steps / 4 + 1);
      m[k].times[r] = steps_ns(&m[k], steps);
    }
  double one = median(m[0].times);
  printf("%-26s %10.0f ns", w->name, one);
  for (int k = 1; k <= n; k++)
    printf("  %6.2f", one / median(m[k].times));
  printf("\n");
  for (int k = 0; k <= n; k++)
    unmake(&m[k]);
}

int main(int argc, char **argv)
{
  int64_t split[MOST_SPLITS] = {0};
  int n = argc > 1 ? argc - 1 : 1;
  n = n > MOST_SPLITS ? MOST_SPLITS : n;
  for (int i = 1; i < argc && i <= MOST_SPLITS; i++)
    split[i - 1] = atoll(argv[i]);
  printf("%-26s %13s", "", "one thread");
  for (int k = 0; k < n; k++)
    printf("  %6lld", (long long)split[k]);
  printf("  (two threads: times as fast)\n");
  for (int i = 0; i < WORKS; i++)
    time_work(&works[i], split, n);
  return 0;
}

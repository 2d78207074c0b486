/* Training a network 2-8-1 on one example a step (tanh, linear output, squared error, SGD, float32), and asking it: what is left of a step
 * when there is next to nothing to compute. Beside it straight C with libm, which does the same arithmetic in the same order of examples.
 *
 *   smallest            prints: name, median and least nanoseconds a step over batches by turns
 *   smallest --plan     prints the plan */
#include "bprop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IN = 2, HIDDEN = 8, ROWS = 1024, BATCHES = 31, STEPS = 20 * ROWS };
static const float RATE = 0.05f;

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "smallest: %s\n", bp_error());
  exit(1);
}

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the data: a saddle, and noise ---- */

static float x[ROWS][IN], target[ROWS];

static void make_data(void)
{
  uint64_t dice = 88172645463325252u;
  for (int i = 0; i < ROWS * (IN + 1); i++) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    float v = (float)((double)(dice >> 11) / (double)(1ull << 52) - 1);
    *(i < ROWS * IN ? &x[0][0] + i : &target[i - ROWS * IN]) = v;
  }
  for (int i = 0; i < ROWS; i++)
    target[i] = x[i][0] * x[i][1] + 0.1f * target[i];
}

/* ---- straight C ---- */

typedef struct weights {
  float w1[HIDDEN][IN], b1[HIDDEN], w2[HIDDEN], b2;
} weights;

__attribute__((noinline)) static float step_c(weights *w, const float *in, float wanted)
{
  float h[HIDDEN], y = 0;
  for (int k = 0; k < HIDDEN; k++) {
    h[k] = tanhf(w->w1[k][0] * in[0] + w->w1[k][1] * in[1] + w->b1[k]);
    y += w->w2[k] * h[k];
  }
  y += w->b2;
  float e = y - wanted, dy = 2 * e;
  for (int k = 0; k < HIDDEN; k++) {
    float dh = dy * w->w2[k] * (1 - h[k] * h[k]);
    w->w2[k] -= RATE * (dy * h[k]);
    w->w1[k][0] -= RATE * (dh * in[0]);
    w->w1[k][1] -= RATE * (dh * in[1]);
    w->b1[k] -= RATE * dh;
  }
  w->b2 -= RATE * dy;
  return e * e;
}

/* ---- bprop ---- */

typedef struct network {
  bp_params *params;
  bp_state *state;
  bp_plan *train, *ask;
  bp_run *trainer, *asker;
} network;

static bp_node layers(bp_params *p, bp_graph *g)
{
  int64_t dims[2] = {1, IN};
  bp_node h = bp_tanh(bp_dense(p, bp_input(g, "x", BP_REAL, 2, dims), "hidden", HIDDEN, (bp_init){0}));
  return bp_dense(p, h, "out", 1, (bp_init){0});
}

static network make_network(bp_ctx *ctx)
{
  network n = {.params = bp_params_new(ctx), .state = bp_state_new(ctx, BP_FLOAT32)};
  bp_graph *g = bp_graph_new(ctx);
  layers(n.params, g);
  bp_graph_free(g);
  must(bp_params_make(n.params, n.state, 1));
  g = bp_graph_new(ctx);
  bp_node y = layers(n.params, g), t = bp_input(g, "t", BP_REAL, 2, (int64_t[]){1, 1});
  bp_node loss = bp_mean_squared_error(y, t);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n_updates;
  must(bp_optimizer_step(n.params, n.state, &(bp_optimizer){.kind = BP_OPTIMIZER_SGD, .lr = RATE}, loss,
                         updates, &n_updates, NULL));
  bp_plan_options o = {
      .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = n_updates};
  must(bp_plan_new(g, &o, &n.train));
  o = (bp_plan_options){.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1};
  must(bp_plan_new(g, &o, &n.ask));
  must(bp_run_new(n.train, n.state, &n.trainer));
  must(bp_run_new(n.ask, n.state, &n.asker));
  bp_graph_free(g);
  return n;
}

/* The parameters in the layout of the other side. */
static weights weights_of(const network *n)
{
  weights w;
  const struct {
    const char *name;
    void *to;
    size_t bytes;
  } parts[] = {{"hidden.W", w.w1, sizeof w.w1},
               {"hidden.b", w.b1, sizeof w.b1},
               {"out.W", w.w2, sizeof w.w2},
               {"out.b", &w.b2, sizeof w.b2}};
  for (int i = 0; i < bp_params_count(n->params); i++) {
    const char *name;
    void *data;
    must(bp_params_at(n->params, i, &name, NULL, &data, NULL));
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
      if (strcmp(name, parts[k].name) == 0)
        memcpy(parts[k].to, data, parts[k].bytes);
  }
  return w;
}

/* ---- by turns ---- */

static network net;
static weights plain;
static size_t input_x, input_t, input_asked;

static void run_c(void)
{
  for (int i = 0; i < STEPS; i++)
    step_c(&plain, x[i % ROWS], target[i % ROWS]);
}

static void run_bprop(void)
{
  for (int i = 0; i < STEPS; i++) {
    bp_run_bind_at(net.trainer, input_x, x[i % ROWS], sizeof x[0]);
    bp_run_bind_at(net.trainer, input_t, &target[i % ROWS], sizeof target[0]);
    must(bp_run_step(net.trainer));
  }
}

static void run_asking(void)
{
  for (int i = 0; i < STEPS; i++) {
    bp_run_bind_at(net.asker, input_asked, x[i % ROWS], sizeof x[0]);
    must(bp_run_step(net.asker));
  }
}

static int by_size(const void *a, const void *b)
{
  double p = *(const double *)a, q = *(const double *)b;
  return p < q ? -1 : p > q;
}

static void compare(void)
{
  static const struct {
    const char *name;
    void (*run)(void);
  } sides[] = {{"C-train", run_c}, {"bprop-train", run_bprop}, {"bprop-ask", run_asking}};
  enum { SIDES = sizeof sides / sizeof *sides };
  static double took[SIDES][BATCHES];
  for (int k = -1; k < BATCHES; k++)
    for (int s = 0; s < SIDES; s++) {
      double start = seconds();
      sides[s].run();
      took[s][k < 0 ? 0 : k] = (seconds() - start) / STEPS;
    }
  for (int s = 0; s < SIDES; s++) {
    qsort(took[s], BATCHES, sizeof(double), by_size);
    printf("%-14s %10.2f %10.2f ns, %.2f million a second\n", sides[s].name, 1e9 * took[s][BATCHES / 2],
           1e9 * took[s][0], 1e-6 / took[s][BATCHES / 2]);
  }
}

/* After an epoch from the same weights: the largest difference of any of them. */
static float disagreement(void)
{
  plain = weights_of(&net);
  for (int i = 0; i < ROWS; i++) {
    step_c(&plain, x[i], target[i]);
    must(bp_run_bind_at(net.trainer, input_x, x[i], sizeof x[0]));
    must(bp_run_bind_at(net.trainer, input_t, &target[i], sizeof target[0]));
    must(bp_run_step(net.trainer));
  }
  weights ours = weights_of(&net);
  const float *a = &ours.w1[0][0], *b = &plain.w1[0][0];
  float most = 0;
  for (size_t i = 0; i < sizeof ours / sizeof *a; i++)
    most = fmaxf(most, fabsf(a[i] - b[i]));
  return most;
}

int main(int argc, char **argv)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 1});
  make_data();
  net = make_network(ctx);
  must(bp_run_input(net.trainer, "x", &input_x));
  must(bp_run_input(net.trainer, "t", &input_t));
  must(bp_run_input(net.asker, "x", &input_asked));
  if (argc > 1 && strcmp(argv[1], "--plan") == 0) {
    char *text;
    must(bp_plan_print(net.train, &text));
    puts(text);
    return 0;
  }
  float off = disagreement();
  printf("weights after %d steps differ by at most %g\n", ROWS, (double)off);
  if (!(off < 1e-6f))
    return 1;
  compare();
  return 0;
}

/* What a gradient costs beside its function: random elementwise programs of 20 operations over three arrays, with a sum as loss. One
 * line a program, and the worst: time of loss and gradients over time of the loss alone, medians of alternating repetitions.
 * Usage: elementwise [PROGRAMS [ELEMENTS]]   (100 of 16384 elements, float32, one thread) */
#include "bprop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 3, POOL = 4, STEPS = 20, ROUNDS = 15 };

static const char *const rows[] = {"add",  "sub",        "mul",     "maximum",     "minimum", "div",
                                   "relu", "tanh",       "sigmoid", "softplus",    "silu",    "gelu",
                                   "sin",  "cos",        "erf",     "atan",        "square",  "exp",
                                   "abs",  "leaky_relu", "elu",     "log_sigmoid", "expm1",   "neg"};
enum { ROWS = sizeof rows / sizeof *rows };

static uint64_t state;

static int below(int n)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (int)((state >> 33) % (uint64_t)n);
}

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "elementwise: %s\n", bp_error());
  exit(1);
}

/* One operation on members of the pool, one of which it replaces. Divisors are kept from 0 and exponents small. */
static void step(bp_graph *g, bp_node *pool, char *text, size_t room)
{
  const char *name = rows[below(ROWS)];
  const bp_op *op = bp_op_find(name);
  const int at = below(POOL);
  bp_node in[2] = {pool[at], pool[below(POOL)]};
  const bool two = strchr(op->args, ',') != NULL;
  if (!strcmp(name, "div"))
    in[1] = bp_add(bp_abs(in[1]), bp_constant(g, 1));
  if (!strncmp(name, "exp", 3))
    in[0] = bp_tanh(in[0]);
  const bp_attr slope[] = {{.r = 0.1}};
  must(bp_apply(g, op, in, two ? 2 : 1, op->attrs[0].kind == BP_ATTR_REAL && op->attrs[0].name ? slope : NULL,
                &pool[at]));
  snprintf(text + strlen(text), room - strlen(text), " %s", name);
}

static bp_node program(bp_graph *g, int64_t n, bp_node *x, char *text, size_t room)
{
  static const char *const names[INPUTS] = {"x", "y", "z"};
  bp_node pool[POOL], all;
  for (int i = 0; i < INPUTS; i++)
    pool[i] = x[i] = bp_input(g, names[i], BP_REAL, 1, &n);
  pool[INPUTS] = bp_mul(x[0], x[1]);
  for (int i = 0; i < STEPS; i++)
    step(g, pool, text, room);
  all = pool[0];
  for (int i = 1; i < POOL; i++)
    all = bp_add(all, pool[i]);
  return bp_sum(all, NULL, 0, false);
}

static bp_run *compile(bp_graph *g, const bp_node *outputs, size_t n_outputs, int64_t n, float *const *data,
                       bp_plan **plan)
{
  bp_run *run;
  must(bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT32, .outputs = outputs, .n_outputs = n_outputs},
                   plan));
  must(bp_run_new(*plan, NULL, &run));
  static const char *const names[INPUTS] = {"x", "y", "z"};
  for (int i = 0; i < INPUTS; i++)
    must(bp_run_bind(run, names[i], data[i], (size_t)n * sizeof(float)));
  return run;
}

static double time_of(bp_run *run, int each)
{
  const double start = seconds();
  for (int i = 0; i < each; i++)
    must(bp_run_step(run));
  return (seconds() - start) / each;
}

/* Gradient over forward. */
static double measure(bp_ctx *ctx, int64_t n, float *const *data, int number)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node x[INPUTS], out[1 + INPUTS];
  bp_plan *plans[2];
  char text[512] = "";
  double forward[ROUNDS], both[ROUNDS];
  out[0] = program(g, n, x, text, sizeof text);
  must(bp_grad(out[0], x, INPUTS, out + 1));
  bp_run *f = compile(g, out, 1, n, data, &plans[0]), *b = compile(g, out, 1 + INPUTS, n, data, &plans[1]);
  must(bp_run_step(f));
  must(bp_run_step(b));
  const int each = (int)(2e-4 / (time_of(f, 1) + 1e-7)) + 1;
  for (int i = 0; i < ROUNDS; i++) {
    forward[i] = time_of(f, each);
    both[i] = time_of(b, each);
  }
  qsort(forward, ROUNDS, sizeof *forward, by_size);
  qsort(both, ROUNDS, sizeof *both, by_size);
  const double ratio = both[ROUNDS / 2] / forward[ROUNDS / 2];
  printf("%3d  %8.2f us %8.2f us  %5.2f %s\n", number, 1e6 * forward[ROUNDS / 2], 1e6 * both[ROUNDS / 2],
         ratio, text);
  bp_run_free(f);
  bp_run_free(b);
  bp_plan_free(plans[0]);
  bp_plan_free(plans[1]);
  bp_graph_free(g);
  return ratio;
}

int main(int argc, char **argv)
{
  const int programs = argc > 1 && atoi(argv[1]) > 0 ? atoi(argv[1]) : 100;
  const int64_t n = argc > 2 && atoll(argv[2]) > 0 ? atoll(argv[2]) : 16384;
  bp_ctx *ctx = bp_ctx_new(NULL);
  float *data[INPUTS];
  double worst = 0, sum = 0;
  for (int i = 0; i < INPUTS; i++) {
    data[i] = malloc((size_t)n * sizeof(float));
    for (int64_t k = 0; data[i] && k < n; k++)
      data[i][k] = (float)below(20001) / 10000 - 1;
    if (!data[i])
      return 1;
  }
  printf("     forward     with gradient  ratio\n");
  for (int i = 0; i < programs; i++) {
    state = (uint64_t)i + 1;
    const double ratio = measure(ctx, n, data, i);
    worst = ratio > worst ? ratio : worst;
    sum += ratio;
  }
  printf("gradient over forward: mean %.2f, worst %.2f of %d programs\n", sum / programs, worst, programs);
  for (int i = 0; i < INPUTS; i++)
    free(data[i]);
  bp_ctx_free(ctx);
  return 0;
}

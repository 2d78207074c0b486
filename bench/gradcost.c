/* What a gradient costs beside the function alone: losses of networks, and random elementwise programs, on warm plans, by turns. Prints for
 * each: name, nanoseconds of the function, and how many times as long function and gradient take together; medians.
 * Usage: gradcost [PROGRAMS [ROUNDS]]     100 and 15 */
#include "bprop.h"
#include "house/house.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 101, BUFFERS = 16 };
static long rounds = 15;
static uint64_t dice;

static size_t below(size_t sides)
{
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (size_t)((dice >> 11) % sides);
}

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "gradcost: %s\n", bp_error());
  exit(1);
}

/* A scalar loss and the inputs it is differentiated by; others are bound, too. */
typedef struct program {
  bp_graph *g;
  bp_node loss, by[BUFFERS], given[BUFFERS];
  size_t n_by, n_given;
  void *data[2 * BUFFERS];
  size_t n_data;
} program;

static bp_node real_input(program *p, const char *name, int rank, const int64_t *dims, bool differentiate)
{
  bp_node x = bp_input(p->g, name, BP_REAL, rank, dims);
  *(differentiate ? &p->by[p->n_by++] : &p->given[p->n_given++]) = x;
  return x;
}

static void bind(program *p, bp_run *run, bp_node x)
{
  bp_type t;
  must(bp_node_type(x, &t));
  size_t n = (size_t)bp_node_size(x);
  if (t.dtype == BP_INT64) {
    int64_t *labels = zeros_aligned(n, sizeof *labels);
    for (size_t i = 0; i < n; i++)
      labels[i] = (int64_t)below(10);
    p->data[p->n_data++] = labels;
  } else {
    float *v = zeros_aligned(n, sizeof *v);
    for (size_t i = 0; i < n; i++)
      v[i] = (float)below(2001) / 1000 - 1;
    p->data[p->n_data++] = v;
  }
  bp_status s = bp_run_bind(run, bp_node_name(x), p->data[p->n_data - 1],
                            n * (t.dtype == BP_INT64 ? sizeof(int64_t) : sizeof(float)));
  if (s != BP_E_NOTFOUND)
    must(s);
}

static bp_run *compile(program *p, const bp_node *out, size_t n, bp_plan **plan)
{
  bp_run *run;
  must(bp_plan_new(p->g, &(bp_plan_options){.real = BP_FLOAT32, .outputs = out, .n_outputs = n}, plan));
  must(bp_run_new(*plan, NULL, &run));
  for (size_t i = 0; i < p->n_by; i++)
    bind(p, run, p->by[i]);
  for (size_t i = 0; i < p->n_given; i++)
    bind(p, run, p->given[i]);
  return run;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double time_of(bp_run *run, long times)
{
  double start = now();
  for (long i = 0; i < times; i++)
    must(bp_run_step(run));
  return (now() - start) / (double)times;
}

static void measure(const char *name, program *p)
{
  must(bp_graph_status(p->g));
  bp_node out[BUFFERS + 1] = {p->loss};
  bp_plan *plan[2];
  bp_run *run[2];
  double took[2][MOST_ROUNDS];
  must(bp_grad(p->loss, p->by, p->n_by, out + 1));
  for (int k = 0; k < 2; k++)
    run[k] = compile(p, out, k ? p->n_by + 1 : 1, &plan[k]);
  long times = 1;
  while (rounds > 1 && time_of(run[0], times) * (double)times < 4e-4)
    times *= 2;
  for (long r = -2; r < rounds; r++)
    for (int k = 0; k < 2; k++)
      took[k][r < 0 ? 0 : r] = time_of(run[k], times);
  for (int k = 0; k < 2; k++) {
    qsort(took[k], (size_t)rounds, sizeof **took, by_size);
    bp_run_free(run[k]);
    bp_plan_free(plan[k]);
  }
  printf("%s %.1f %.3f\n", name, 1e9 * took[0][rounds / 2], took[1][rounds / 2] / took[0][rounds / 2]);
  for (size_t i = 0; i < p->n_data; i++)
    free(p->data[i]);
  bp_graph_free(p->g);
}

/* ---- networks ---- */

static void network(bp_ctx *ctx, const char *name, int64_t batch, const int64_t *width)
{
  program p = {.g = bp_graph_new(ctx)};
  int64_t dims[2] = {batch, width[0]};
  bp_node x = real_input(&p, "x", 2, dims, false);
  for (int k = 0; width[k + 1]; k++) {
    char w[16], b[16];
    int64_t shape[2] = {width[k + 1], width[k]};
    snprintf(w, sizeof w, "W%d", k);
    snprintf(b, sizeof b, "b%d", k);
    x = bp_linear(x, real_input(&p, w, 2, shape, true), real_input(&p, b, 1, shape, true));
    x = width[k + 2] ? bp_relu(x) : x;
  }
  bp_node labels = bp_input(p.g, "labels", BP_INT64, 1, &batch);
  p.given[p.n_given++] = labels;
  p.loss = bp_mean(bp_softmax_cross_entropy(x, labels, 0), NULL, 0, false);
  measure(name, &p);
}

/* ---- random programs: 3 to 20 operations that take any number, over two arrays ---- */

static bp_node operation(bp_node a, bp_node b)
{
  switch (below(16)) {
  case 0:
  case 1:
    return bp_add(a, b);
  case 2:
    return bp_sub(a, b);
  case 3:
  case 4:
    return bp_mul(a, b);
  case 5:
    return bp_tanh(a);
  case 6:
    return bp_sigmoid(a);
  case 7:
    return bp_sin(a);
  case 8:
    return bp_square(a);
  case 9:
    return bp_relu(a);
  case 10:
    return bp_exp(bp_neg(bp_square(a)));
  case 11:
    return bp_maximum(a, b);
  case 12:
    return bp_div(a, bp_add(bp_square(b), bp_constant(a.graph, 1)));
  case 13:
    return bp_softplus(a);
  case 14:
    return bp_abs(a);
  default:
    return bp_atan(a);
  }
}

static void random_program(bp_ctx *ctx, size_t number)
{
  char name[32];
  program p = {.g = bp_graph_new(ctx)};
  dice = 88172645463325252u + 2 * number;
  for (int i = 0; i < 20; i++)
    below(2);
  int64_t n = 256 << below(7); /* to 16,384 */
  size_t count = 3 + below(18);
  bp_node at[2 + 20] = {real_input(&p, "x", 1, &n, true), real_input(&p, "y", 1, &n, true)};
  /* The last one leads to the loss, and one in two takes the one before: so most are needed. */
  for (size_t i = 2; i < 2 + count; i++)
    at[i] = operation(below(2) ? at[i - 1] : at[below(i)], at[below(i)]);
  p.loss = bp_sum(at[1 + count], NULL, 0, false);
  snprintf(name, sizeof name, "program%zu-%lld", number, (long long)n);
  measure(name, &p);
}

int main(int argc, char **argv)
{
  size_t programs = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
  rounds = argc > 2 ? atol(argv[2]) : rounds;
  rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
  bp_ctx *ctx = bp_ctx_new(NULL);
  dice = 88172645463325252u;
  network(ctx, "784-128-10,batch64", 64, (int64_t[]){784, 128, 10, 0, 0});
  network(ctx, "784-512-512-10,batch128", 128, (int64_t[]){784, 512, 512, 10, 0, 0});
  for (size_t i = 0; i < programs; i++)
    random_program(ctx, i);
  bp_ctx_free(ctx);
  return 0;
}

/* Sparse Jacobians and Hessians on warm plans. Prints a line for each: name, median and least microseconds of one evaluation, and what it
 * took. With --values also the values of the tridiagonal Jacobians, for comparing with the peers.
 * Usage: sparse [--values] (bench/sparse.sh runs it beside ADOL-C and CasADi) */
#include "bprop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 2048, RELU = 4096, ARROW = 2048, BATCHES = 31 };

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "sparse: %s\n", bp_error());
  exit(1);
}

/* ---- timing: batches of about a millisecond ---- */

typedef void (*work)(void *what);

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double measure(const char *name, work run, void *what, const char *note)
{
  double took[BATCHES], start = seconds();
  run(what);
  int each = (int)(1e-3 / (seconds() - start + 1e-7)) + 1;
  for (int k = 0; k < BATCHES; k++) {
    start = seconds();
    for (int i = 0; i < each; i++)
      run(what);
    took[k] = (seconds() - start) / each;
  }
  qsort(took, BATCHES, sizeof *took, by_size);
  printf("%-18s %12.3f %12.3f  %s\n", name, 1e6 * took[BATCHES / 2], 1e6 * took[0], note);
  return took[BATCHES / 2];
}

static void run_jacobian(void *j)
{
  must(bp_jacobian_run(j));
}

static void run_plan(void *run)
{
  must(bp_run_step(run));
}

/* The dense way: one sweep for each column, over the same plan. */
typedef struct columns {
  bp_jacobian *j;
  double *v, *out;
  int64_t n;
} columns;

static void run_columns(void *what)
{
  columns *c = what;
  for (int64_t k = 0; k < c->n; k++) {
    c->v[k] = 1;
    must(bp_jacobian_jvp(c->j, c->v, c->out));
    c->v[k] = 0;
  }
}

/* ---- functions ---- */

static bp_node part(bp_node x, int64_t from, int64_t to)
{
  int64_t one = 1;
  return bp_slice(x, &from, 1, &to, 1, &one, 1);
}

static bp_node times(double a, bp_node x)
{
  return bp_mul(bp_constant(x.graph, a), x);
}

/* x with its neighbours on either side, zeros beyond the ends. */
static void neighbours(bp_node x, bp_node *left, bp_node *right)
{
  int64_t one = 1;
  bp_node p = bp_pad(x, &one, 1, &one, 1, 0);
  *left = part(p, 0, N);
  *right = part(p, 2, N + 2);
}

/* Broyden's tridiagonal function (Moré, Garbow & Hillstrom 1981, no. 30). */
static bp_node broyden(bp_node x)
{
  bp_node left, right;
  neighbours(x, &left, &right);
  bp_node own = bp_mul(bp_sub(bp_constant(x.graph, 3), times(2, x)), x);
  return bp_add(bp_sub(bp_sub(own, left), times(2, right)), bp_constant(x.graph, 1));
}

/* The trigonometric exponential function (Toint 1987; inner rows). */
static bp_node trigexp(bp_node x)
{
  bp_node left, right;
  neighbours(x, &left, &right);
  bp_node cubic = bp_mul(x, bp_add(bp_constant(x.graph, 4), times(3, bp_square(x))));
  bp_node waves = bp_mul(bp_sin(bp_sub(x, right)), bp_sin(bp_add(x, right)));
  bp_node sum = bp_add(bp_add(cubic, times(2, right)), waves);
  return bp_sub(bp_sub(sum, bp_mul(left, bp_exp(bp_sub(left, x)))), bp_constant(x.graph, 8));
}

/* sum exp(x0 x_i): all pairs with x0, and the diagonal. */
static bp_node arrow(bp_node x)
{
  return bp_sum(bp_exp(bp_mul(part(x, 0, 1), part(x, 1, ARROW))), NULL, 0, false);
}

/* ---- cases ---- */

typedef struct scene {
  bp_graph *g;
  bp_node x;
  double *at;
  int64_t n;
} scene;

static scene open_scene(bp_ctx *ctx, int64_t n)
{
  scene s = {.g = bp_graph_new(ctx), .n = n, .at = malloc((size_t)n * sizeof *s.at)};
  s.x = bp_input(s.g, "x", BP_REAL, 1, &n);
  for (int64_t i = 0; i < n; i++)
    s.at[i] = (double)(i % 17) / 16 - 0.45;
  return s;
}

static void close_scene(scene *s)
{
  bp_graph_free(s->g);
  free(s->at);
}

static void describe(bp_jacobian *j, char *note, size_t room)
{
  bp_jacobian_info i;
  must(bp_jacobian_info_of(j, &i));
  snprintf(note, room, "%lld entries, %lld forward and %lld reverse sweeps", (long long)i.entries,
           (long long)i.forward, (long long)i.reverse);
}

static void print_values(const char *name, bp_jacobian *j)
{
  const int64_t *start;
  const int32_t *col;
  const void *value;
  must(bp_jacobian_csr(j, &start, &col, &value));
  for (int64_t i = 0; i < N; i++)
    for (int64_t k = start[i]; k < start[i + 1]; k++)
      printf("%s %lld %d %.17g\n", name, (long long)i, col[k], ((const double *)value)[k]);
}

static void tridiagonal(bp_ctx *ctx, const char *name, bp_node (*make)(bp_node), bool values)
{
  scene s = open_scene(ctx, N);
  bp_node y = make(s.x);
  bp_jacobian *j;
  bp_jacobian_options o = {.products = true};
  char note[128], dense[64];
  must(bp_graph_status(s.g));
  must(bp_jacobian_new(&y, 1, &s.x, 1, &o, &j));
  must(bp_jacobian_bind(j, "x", s.at, N * sizeof *s.at));
  describe(j, note, sizeof note);
  measure(name, run_jacobian, j, note);
  columns c = {j, calloc(N, 8), calloc(N, 8), N};
  snprintf(dense, sizeof dense, "%s-dense", name);
  if (!values)
    measure(dense, run_columns, &c, "2,048 sweeps");
  if (values)
    print_values(name, j);
  free(c.v);
  free(c.out);
  bp_jacobian_free(j);
  close_scene(&s);
}

static void relu(bp_ctx *ctx)
{
  scene s = open_scene(ctx, RELU);
  bp_node y = bp_relu(s.x);
  bp_jacobian *j;
  bp_plan *plan;
  bp_run *run;
  char note[128];
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  must(bp_plan_new(s.g, &o, &plan));
  must(bp_run_new(plan, NULL, &run));
  must(bp_run_bind(run, "x", s.at, RELU * sizeof *s.at));
  must(bp_jacobian_new(&y, 1, &s.x, 1, NULL, &j));
  must(bp_jacobian_bind(j, "x", s.at, RELU * sizeof *s.at));
  describe(j, note, sizeof note);
  measure("relu-forward", run_plan, run, "4,096 elements");
  measure("relu", run_jacobian, j, note);
  bp_jacobian_free(j);
  bp_run_free(run);
  bp_plan_free(plan);
  close_scene(&s);
}

static void hessian(bp_ctx *ctx)
{
  scene s = open_scene(ctx, ARROW);
  bp_jacobian *h;
  char note[128];
  bp_jacobian_options o = {.products = true};
  must(bp_hessian_new(arrow(s.x), &s.x, 1, &o, &h));
  must(bp_jacobian_bind(h, "x", s.at, ARROW * sizeof *s.at));
  describe(h, note, sizeof note);
  measure("arrow-hessian", run_jacobian, h, note);
  columns c = {h, calloc(ARROW, 8), calloc(ARROW, 8), ARROW};
  measure("arrow-dense", run_columns, &c, "2,048 Hessian-vector products");
  free(c.v);
  free(c.out);
  bp_jacobian_free(h);
  close_scene(&s);
}

int main(int argc, char **argv)
{
  bool values = argc > 1 && !strcmp(argv[1], "--values");
  bp_ctx *ctx = bp_ctx_new(NULL);
  tridiagonal(ctx, "broyden", broyden, values);
  tridiagonal(ctx, "trigexp", trigexp, values);
  if (!values) {
    relu(ctx);
    hessian(ctx);
  }
  bp_ctx_free(ctx);
  return 0;
}

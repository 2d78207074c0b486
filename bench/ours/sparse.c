/* Jacobians and Hessians on warm plans, in float64: all entries of one evaluation. case=broyden|trigexp|arrow|relu; way=sparse (compressed
 * sweeps), dense (a sweep for each column) or forward (the function alone). */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 2048, RELU = 4096, ARROW = 2048 };

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

static bp_node relu(bp_node x)
{
  return bp_relu(x);
}

static const struct {
  const char *name;
  int64_t n;
  bool hessian;
  bp_node (*make)(bp_node x);
} cases[] = {{"broyden", N, false, broyden},
             {"trigexp", N, false, trigexp},
             {"arrow", ARROW, true, arrow},
             {"relu", RELU, false, relu}};

typedef struct sparse {
  planned p;
  bp_jacobian *j; /* NULL: the plan */
  double *at, *v, *out;
  int64_t n;
  bool dense;
} sparse;

static void close_sparse(void *work)
{
  sparse *s = work;
  bp_jacobian_free(s->j);
  planned_close(&s->p);
  free(s->at);
  free(s->v);
  free(s->out);
  free(s);
}

static bp_status open_forward(sparse *s, bp_graph *g, bp_node y)
{
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  bp_status st = bp_plan_new(g, &o, &s->p.plan);
  if (st == BP_OK)
    st = bp_run_new(s->p.plan, NULL, &s->p.run);
  return st == BP_OK ? bp_run_bind(s->p.run, "x", s->at, (size_t)s->n * sizeof *s->at) : st;
}

static bp_status open_jacobian(sparse *s, bp_node x, bp_node y, bool hessian)
{
  bp_jacobian_options o = {.products = true};
  bp_status st = hessian ? bp_hessian_new(y, &x, 1, &o, &s->j) : bp_jacobian_new(&y, 1, &x, 1, &o, &s->j);
  return st == BP_OK ? bp_jacobian_bind(s->j, "x", s->at, (size_t)s->n * sizeof *s->at) : st;
}

static bp_status open_case(sparse *s, size_t which, const char *way)
{
  s->n = cases[which].n;
  s->at = zeros((size_t)s->n, sizeof *s->at);
  s->v = zeros((size_t)s->n, sizeof *s->v);
  s->out = zeros((size_t)s->n, sizeof *s->out);
  for (int64_t i = 0; i < s->n; i++)
    s->at[i] = (double)(i % 17) / 16 - 0.45;
  bp_graph *g = bp_graph_new(s->p.ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 1, &s->n), y = cases[which].make(x);
  s->dense = strcmp(way, "dense") == 0;
  bp_status st = bp_graph_status(g);
  if (st == BP_OK)
    st = strcmp(way, "forward") == 0 ? open_forward(s, g, y) : open_jacobian(s, x, y, cases[which].hessian);
  bp_graph_free(g);
  return st;
}

static void *open_sparse(const request *r, const char **why)
{
  sparse *s = zeros(1, sizeof *s);
  size_t which = 0, n = sizeof cases / sizeof *cases;
  while (which < n && strcmp(cases[which].name, request_text(r, "case", "")) != 0)
    which++;
  s->p.ctx = context_of(r);
  *why = "no such case";
  if (which < n && open_case(s, which, request_text(r, "way", "sparse")) == BP_OK)
    return s;
  if (which < n)
    *why = because();
  close_sparse(s);
  return NULL;
}

static bp_status every_column(sparse *s)
{
  bp_status st = BP_OK;
  for (int64_t k = 0; k < s->n && st == BP_OK; k++) {
    s->v[k] = 1;
    st = bp_jacobian_jvp(s->j, s->v, s->out);
    s->v[k] = 0;
  }
  return st;
}

static double run_sparse(void *work, long times)
{
  sparse *s = work;
  if (!s->j)
    return run_planned(&s->p, times);
  double start = now();
  for (long i = 0; i < times; i++)
    if ((s->dense ? every_column(s) : bp_jacobian_run(s->j)) != BP_OK)
      return NAN;
  return now() - start;
}

/* The entries row by row. */
static bool check_sparse(void *work, const char *path, char *said, size_t room)
{
  sparse *s = work;
  const int64_t *start;
  const int32_t *col;
  const void *value;
  (void)said;
  (void)room;
  if (!s->j || s->dense || bp_jacobian_run(s->j) != BP_OK ||
      bp_jacobian_csr(s->j, &start, &col, &value) != BP_OK)
    return false;
  return write_raw(path, value, (size_t)start[s->n], sizeof(double));
}

const work_kind sparse_kind = {"sparse", open_sparse, run_sparse, check_sparse, close_sparse};

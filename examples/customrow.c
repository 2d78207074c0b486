/* A row of one's own, made at run time: y = x / sqrt(1 + x^2). It states its shape, its slope as nodes, and its kernel;
 * gradients of any order follow. Here f = sum of y^2, and df/dx is compared with central differences. */
#include <bprop.h>
#include <math.h>
#include <stdio.h>

static bp_status isru_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out; /* one result */
  *out = c->x_type[0];
  return out->dtype == BP_REAL ? BP_OK : bp_op_fail(c, BP_E_DTYPE, "needs a real input");
}

/* dy/dx = (1 + x^2)^(-3/2), as nodes: so it has a slope in its turn. */
static bp_node isru_slope(const bp_op_call *c, int input)
{
  (void)input; /* the first and only */
  bp_node one = bp_constant(c->graph, 1);
  return bp_pow(bp_add(one, bp_square(c->x[0])), bp_constant(c->graph, -1.5));
}

/* For plans in float64; a row for both types looks at in[0].dtype. */
static bp_status isru_kernel(bp_kernel_call *c)
{
  const double *x = c->in[0].data;
  double *y = c->out[0].data;
  if (c->in[0].dtype != BP_FLOAT64)
    return BP_E_DTYPE;
  for (int64_t i = 0; i < c->in[0].size; i++)
    y[i] = x[i] / sqrt(1 + x[i] * x[i]);
  return BP_OK;
}

static const bp_op isru = {
    .name = "isru",
    .math = "y = x / sqrt(1 + x^2)",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = isru_shape,
    .slope = isru_slope,
    .kernel = isru_kernel,
};

enum { N = 5 };

static bp_status build(bp_graph *g, bp_plan **plan)
{
  bp_node x = bp_input(g, "x", BP_REAL, 1, (int64_t[]){N}), y, out[2];
  bp_status s = bp_apply(g, &isru, &x, 1, NULL, &y);
  out[0] = bp_sum(bp_square(y), NULL, 0, false);
  if (s == BP_OK)
    s = bp_grad(out[0], &x, 1, &out[1]);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out, .n_outputs = 2};
  return s == BP_OK ? bp_plan_new(g, &o, plan) : s;
}

/* f at the x that is bound; NAN on failure. */
static double f(bp_run *run)
{
  double y;
  return bp_run_step(run) == BP_OK && bp_run_get(run, 0, &y, 1) == BP_OK ? y : NAN;
}

int main(void)
{
  double x[N] = {-2, -0.5, 0, 1, 3}, grad[N];
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  bp_status s = build(g, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  if (s == BP_OK)
    s = bp_run_bind(run, "x", x, sizeof x);
  if (s == BP_OK)
    s = bp_run_step(run);
  if (s == BP_OK)
    s = bp_run_get(run, 1, grad, N);
  for (int k = 0; s == BP_OK && k < N; k++) {
    double at = x[k], h = 6e-6;
    x[k] = at + h; /* the run reads this array at each step */
    double up = f(run);
    x[k] = at - h;
    double down = f(run);
    x[k] = at;
    printf("x = %4.1f  df/dx = %9.6f  differences %s\n", at, grad[k],
           fabs((up - down) / (2 * h) - grad[k]) < 1e-9 ? "agree" : "DISAGREE");
  }
  if (s != BP_OK)
    fprintf(stderr, "%s\n", bp_error());
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return s != BP_OK;
}

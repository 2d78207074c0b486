/* A row of one's own, made at run time: y = x / sqrt(1 + x^2). It states its shape, its slope as nodes, its kernel, and examples of
 * calls; gradients of any order follow. bp_op_check holds it to the laws of the library's own rows. Then f = sum of y^2. */
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

/* A mistake: the exponent's sign. */
static bp_node wrong_slope(const bp_op_call *c, int input)
{
  return bp_reciprocal(isru_slope(c, input));
}

/* For both types of storage. At infinity, where x / sqrt(1 + x^2) would be NaN, y is 1. */
static bp_status isru_kernel(bp_kernel_call *c)
{
  for (int64_t i = 0; i < c->in[0].size; i++)
    if (c->in[0].dtype == BP_FLOAT64) {
      double x = ((const double *)c->in[0].data)[i];
      ((double *)c->out[0].data)[i] = isinf(x) ? copysign(1, x) : x / sqrt(1 + x * x);
    } else {
      float x = ((const float *)c->in[0].data)[i];
      ((float *)c->out[0].data)[i] = isinf(x) ? copysignf(1, x) : x / sqrtf(1 + x * x);
    }
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
    .examples = {"x[7]", "x[2,0]"},
};

/* Told of every law: says which one was the first to be broken. */
static void say_broken(void *user, const bp_law_result *r)
{
  bool *told = user;
  if (r->verdict == BP_LAW_BROKEN && !*told)
    printf("with a wrong slope, \"%s\" is broken at %s\n", r->law, r->example);
  *told = *told || r->verdict == BP_LAW_BROKEN;
}

/* Every law over every example; then those of a copy with a fault. */
static bp_status check(bp_ctx *ctx)
{
  bp_op_report report;
  bp_status s = bp_op_check(ctx, &isru, NULL, &report);
  if (s == BP_OK)
    printf("every law holds\n");
  else if (report.text)
    printf("%s", report.text); /* a line a law; of a broken one, where and by how much */
  bp_free(ctx, report.text);
  bp_op wrong = isru;
  bool told = false;
  wrong.slope = wrong_slope;
  if (s == BP_OK)
    bp_op_check(ctx, &wrong, &(bp_op_check_options){.each = say_broken, .user = &told}, NULL);
  return s;
}

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

/* Any C program may use the row in its graphs: df/dx at five points. */
static bp_status use(bp_ctx *ctx)
{
  double x[N] = {-2, -0.5, 0, 1, 3}, grad[N];
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
  for (int k = 0; s == BP_OK && k < N; k++)
    printf("x = %4.1f  df/dx = %9.6f\n", x[k], grad[k]);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  return s;
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_status s = check(ctx);
  if (s == BP_OK)
    s = use(ctx);
  if (s != BP_OK)
    fprintf(stderr, "%s\n", bp_error());
  bp_ctx_free(ctx);
  return s != BP_OK;
}

/* Three networks, from the linear one to three layers, on random numbers that are the same on every machine. */
#include <bprop.h>
#include <stdio.h>

/* A matrix of normal numbers times `scale`. Each call has a stream of its own, so no two are alike; the order of the calls
 * decides which is which, so two of them never stand in one expression, where C leaves the order open. */
static bp_node randn(bp_node key, int64_t rows, int64_t cols, double scale)
{
  return bp_mul(bp_normal(key, (int64_t[]){rows, cols}, 2), bp_constant(key.graph, scale));
}

/* f = W x */
static bp_node linear_net(bp_node key, bp_node x)
{
  return bp_matmul(randn(key, 10, 3072, 0.01), x);
}

/* f = W2 max(0, W1 x) */
static bp_node two_layers(bp_node key, bp_node x)
{
  bp_node W1 = randn(key, 100, 3072, 0.01), W2 = randn(key, 10, 100, 0.1);
  return bp_matmul(W2, bp_maximum(bp_constant(x.graph, 0), bp_matmul(W1, x)));
}

/* W x + b */
static bp_node layer(bp_node key, bp_node x, int64_t out, int64_t in)
{
  bp_node W = randn(key, out, in, 1), b = randn(key, out, 1, 1);
  return bp_add(bp_matmul(W, x), b);
}

/* h1 = f(W1 x + b1), h2 = f(W2 h1 + b2), out = W3 h2 + b3, with f the sigmoid */
static bp_node three_layers(bp_node key, bp_node x)
{
  bp_node h1 = bp_sigmoid(layer(key, x, 4, 3));
  bp_node h2 = bp_sigmoid(layer(key, h1, 4, 4));
  return layer(key, h2, 1, 4);
}

static void show(const char *name, bp_run *run, size_t i)
{
  const void *data;
  bp_type t;
  if (bp_run_output(run, i, &data, &t) != BP_OK)
    return;
  printf("%-31s [%2d, %d]", name, (int)t.dims[0], (int)t.dims[1]);
  for (int k = 0; k < t.dims[0] && k < 3; k++)
    printf(" %7.4f", ((const double *)data)[k]);
  printf("%s\n", t.dims[0] > 3 ? " ..." : "");
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node key = bp_array_constant(g, BP_INT64, 1, (int64_t[]){2}, (int64_t[]){1, 0}); /* seed 1, step 0 */
  bp_node image = randn(key, 3072, 1, 1), x = randn(key, 3, 1, 1);
  bp_node f1 = linear_net(key, image), f2 = two_layers(key, image), f3 = three_layers(key, x);
  bp_node out[] = {f1, f2, x, f3};

  bp_plan *plan = NULL;
  bp_run *run = NULL;
  bp_status s = bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = out, .n_outputs = 4}, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  if (s == BP_OK)
    s = bp_run_step(run);
  if (s == BP_OK) {
    show("f = W x", run, 0);
    show("f = W2 max(0, W1 x)", run, 1);
    show("x", run, 2);
    show("W3 f(W2 f(W1 x + b1) + b2) + b3", run, 3);
  } else {
    fprintf(stderr, "%s\n", bp_error());
  }
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return s != BP_OK;
}

/* The sigmoid neuron f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) and its five gradients, in float64. */
#include <bprop.h>
#include <stdio.h>

int main(void)
{
  static const char *const names[5] = {"w0", "x0", "w1", "x1", "w2"};
  static const double values[5] = {2, -1, -3, -2, -3};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[5], out[6];
  for (int i = 0; i < 5; i++)
    in[i] = bp_input(g, names[i], BP_REAL, 0, NULL);
  bp_node z = bp_add(bp_add(bp_mul(in[0], in[1]), bp_mul(in[2], in[3])), in[4]);
  bp_node one = bp_constant(g, 1);
  out[0] = bp_div(one, bp_add(one, bp_exp(bp_neg(z))));
  bp_grad(out[0], in, 5, out + 1); /* five more nodes of the same graph */

  bp_plan *plan = NULL;
  bp_run *run = NULL;
  bp_status s = bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = out, .n_outputs = 6}, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  for (int i = 0; s == BP_OK && i < 5; i++)
    s = bp_run_bind(run, names[i], &values[i], sizeof values[i]);
  if (s == BP_OK)
    s = bp_run_step(run);
  for (size_t i = 0; s == BP_OK && i < 6; i++) {
    double y;
    s = bp_run_get(run, i, &y, 1);
    if (s == BP_OK)
      printf("%-5s %15.12f\n", i == 0 ? "f" : names[i - 1], y);
  }
  if (s != BP_OK)
    fprintf(stderr, "%s\n", bp_error());
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return s != BP_OK;
}

/* How mistakes are told: the first one is kept, with its place; what follows from it is silent. */
#include <bprop.h>
#include <stdio.h>

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "image", BP_REAL, 2, (int64_t[]){32, 784});
  bp_node W = bp_input(g, "W", BP_REAL, 2, (int64_t[]){10, 784});
  bp_node loss = bp_sum(bp_relu(bp_matmul(x, W)), NULL, 0, false);
  if (bp_failed(loss))
    printf("%s: %s\n", bp_status_name(bp_graph_status(g)), bp_graph_error(g));
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return 0;
}

/* Local Jacobians: what one operation does to the gradients that come back, kept in as few numbers as that takes.
 *
 * Entry (i, j) is d result[i] / d input[j]. As a matrix, the Jacobian of a relu on 4,096 numbers would have 16.8 million entries. */
#include <bprop.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bp_status s)
{
  if (s != BP_OK) {
    fprintf(stderr, "%s\n", bp_error());
    exit(1);
  }
}

static void show(const char *what, bp_node y, int input)
{
  bp_local_info i;
  must(bp_local_look(y, input, 0, &i));
  printf("%-28s %5lld x %-6lld %-16s keeps %lld\n", what, (long long)i.rows, (long long)i.cols,
         bp_jac_name(i.jac), (long long)i.stored);
}

/* max routes: each row of its Jacobian says which element won, and so takes the whole gradient. */
static void show_winners(bp_node x)
{
  const int64_t axis = 1, *winner;
  const double values[2][3] = {{1, 7, 2}, {5, 3, 5}};
  bp_local *l;
  must(bp_local_new(bp_max(x, &axis, 1, false), 0, 0, &l));
  must(bp_local_bind(l, "scores", values, sizeof values));
  must(bp_local_run(l));
  must(bp_local_values(l, NULL, &winner, NULL, NULL));
  for (int i = 0; i < 2; i++)
    printf("row %d of the scores: element %lld wins\n", i, (long long)(winner[i] - 3 * i));
  double up[2] = {10, 20}, back[6];
  must(bp_local_vjp(l, up, back));
  printf("10 and 20 come back as: %g %g %g / %g %g %g\n", back[0], back[1], back[2], back[3], back[4],
         back[5]);
  bp_local_free(l);
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  const int64_t last = -1;
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){64, 64});
  bp_node W = bp_input(g, "W", BP_REAL, 2, (int64_t[]){10, 64});
  bp_node b = bp_input(g, "b", BP_REAL, 1, (int64_t[]){10});
  bp_node scores = bp_input(g, "scores", BP_REAL, 2, (int64_t[]){2, 3});
  bp_node layer = bp_linear(x, W, b);
  show("relu(x)", bp_relu(x), 0);
  show("x + y, by x", bp_add(x, bp_transpose(x, NULL, 0)), 0);
  show("-x", bp_neg(x), 0);
  show("transpose(x)", bp_transpose(x, NULL, 0), 0);
  show("sum(x, axis=-1)", bp_sum(x, &last, 1, false), 0);
  show("max(x, axis=-1)", bp_max(x, &last, 1, false), 0);
  show("softmax(x)", bp_softmax(x, -1), 0);
  show("linear(x, W, b), by x", layer, 0);
  show("linear(x, W, b), by W", layer, 1);
  show("linear(x, W, b), by b", layer, 2);
  must(bp_graph_status(g));
  show_winners(scores);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return 0;
}

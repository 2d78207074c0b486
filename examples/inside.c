/* Looking inside backpropagation: every value, every gradient, and what each node hands back to its inputs, for f = (x + y) z. */
#include <bprop.h>
#include <stdio.h>

static double number(const bp_trace *t, bp_trace_part part, size_t node, int k)
{
  double x = 0;
  bp_trace_get(t, part, node, k, &x, 1);
  return x;
}

/* A node is called by its name, or by its operation. */
static const char *called(const bp_trace *t, size_t i)
{
  const bp_traced *n = bp_trace_at(t, i);
  return n->name ? n->name : n->op->name;
}

static void print_passes(const bp_trace *t)
{
  size_t n = bp_trace_count(t);
  printf("forward\n");
  for (size_t i = 0; i < n; i++)
    printf("  %s = %g\n", called(t, i), number(t, BP_TRACE_VALUE, i, 0));
  printf("backward\n");
  for (size_t i = n; i-- > 0;)
    for (int k = 0; k < bp_trace_at(t, i)->n_in; k++)
      printf("  %s hands %g * %g = %g to %s\n", called(t, i), number(t, BP_TRACE_GRADIENT, i, 0),
             number(t, BP_TRACE_LOCAL, i, k), number(t, BP_TRACE_PRODUCT, i, k),
             called(t, bp_trace_at(t, i)->in[k].from));
}

int main(void)
{
  static const char *const names[3] = {"x", "y", "z"};
  static const double values[3] = {-2, 5, -4};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[3] = {BP_NO_NODE};
  for (int i = 0; i < 3; i++)
    in[i] = bp_input(g, names[i], BP_REAL, 0, NULL);
  bp_node q = bp_name(bp_add(in[0], in[1]), "q"), f = bp_name(bp_mul(q, in[2]), "f");

  bp_trace *t = NULL;
  bp_status s = bp_trace_new(&f, 1, NULL, &t); /* with respect to every input */
  for (int i = 0; s == BP_OK && i < 3; i++)
    s = bp_trace_bind(t, names[i], &values[i], sizeof values[i]);
  if (s == BP_OK)
    s = bp_trace_run(t);
  size_t at;
  if (s == BP_OK)
    print_passes(t);
  if (s == BP_OK)
    s = bp_trace_find(t, "q", &at, NULL);
  if (s == BP_OK)
    printf("df/dq = %g\n", number(t, BP_TRACE_GRADIENT, at, 0));
  else
    fprintf(stderr, "%s\n", bp_error());
  bp_trace_free(t);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return s != BP_OK;
}

/* Floating-point operations of nodes, from their shapes. */
#include "nn/stack.h"
#include "run/profile.h"

enum { MOST_INPUTS = 64 };

/* An array of a type, without data. Rows ask for dims and sizes alone. */
static bp_array shape_of(const bp_type *t)
{
  static const int64_t strides[BP_MAX_RANK];
  return (bp_array){.dims = t->dims,
                    .strides = strides,
                    .size = bpi_type_size(t),
                    .dtype = t->dtype == BP_REAL ? BP_FLOAT32 : t->dtype,
                    .rank = t->rank};
}

/* Sources cost nothing, and nothing is said of calls with very many inputs, which are concatenations. */
static double of_node(const bp_graph *g, const bpi_node *v)
{
  bp_array in[MOST_INPUTS], out;
  if (v->n_in == 0 || v->n_in > MOST_INPUTS)
    return 0;
  for (int i = 0; i < v->n_in; i++)
    in[i] = shape_of(g->nodes[v->in[i]].type);
  out = shape_of(v->type);
  bp_kernel_call c = {.in = in, .out = &out, .attr = v->attr, .n_in = v->n_in, .n_out = 1};
  return bpi_row_flops(v->op, &c);
}

double bpi_flops_between(const bp_graph *g, size_t from, size_t to)
{
  double sum = 0;
  for (size_t i = from; i < to && i < g->count; i++)
    if (g->nodes[i].result == 0 && !(g->nodes[i].flags & BPI_NODE_FIXED))
      sum += of_node(g, &g->nodes[i]);
  return sum;
}

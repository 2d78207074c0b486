/* A call alone: the same row, with inputs that are like the real ones, in a graph of its own. What is asked of it costs what the call costs,
 * however large the graph is that it was taken from. */
#include "check/trace.h"
#include "graph/graph.h"

/* A constant is the same constant; of anything else only the type is known. */
static bp_node stand_for(bp_graph *alone, const bp_graph *g, uint32_t slot)
{
  const bpi_node *v = &g->nodes[slot];
  bp_node same;
  if (!(v->op->traits & BP_CONSTANT))
    return bpi_placeholder(alone, v->type);
  return bp_apply(alone, v->op, NULL, 0, v->attr, &same) == BP_OK ? same : bpi_error_node(alone);
}

bp_status bpi_local_of_call(const bp_graph *g, uint32_t head, int result, int input, int64_t most,
                            bp_local_info *info)
{
  const bpi_node *v = &g->nodes[head];
  bp_graph *alone = bp_graph_new(g->ctx);
  bp_node *x = alone ? bpi_arena_alloc(&alone->arena, v->n_in, sizeof *x) : NULL, y[BP_MAX_RESULTS];
  bp_status s = x ? BP_OK : bpi_nomem();
  for (int i = 0; s == BP_OK && i < v->n_in; i++) {
    x[i] = stand_for(alone, g, v->in[i]);
    s = alone->status;
  }
  if (s == BP_OK)
    s = bp_apply(alone, v->op, x, v->n_in, v->attr, y);
  if (s == BP_OK)
    s = bp_local_look(y[result], input, most, info);
  bp_graph_free(alone);
  return s;
}

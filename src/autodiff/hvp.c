/* Hessian-vector products: the tangent of the gradient. */
#include "autodiff/sweep.h"

bp_status bp_hvp(bp_node loss, const bp_node *x, const bp_node *v, size_t n, bp_node *out)
{
  if (!x || !v || !out || !n)
    return bpi_bad_arg("bp_hvp", "x, v or out is NULL, or there are none");
  if (bp_failed(loss))
    return bpi_fail(BP_E_GRAPH, "bp_hvp: the loss is an error node or stale");
  bp_graph *g = loss.graph;
  uint32_t mark = bp_graph_mark(g);
  bp_node *grads = bpi_alloc(g->ctx, n, sizeof *grads);
  if (!grads)
    return bpi_nomem();
  bp_status s = bp_grad(loss, x, n, grads);
  if (s == BP_OK)
    s = bp_jvp(grads, n, x, v, n, out);
  if (s != BP_OK && bp_graph_mark(g) > mark)
    bp_graph_rollback(g, mark);
  bpi_free(g->ctx, grads);
  return s;
}

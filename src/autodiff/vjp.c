/* Reverse mode: from results back to inputs, each node knowing its own local gradient alone. */
#include "autodiff/sweep.h"

#include <string.h>

/* Adds a gradient that has arrived at a slot. Where a wire forks, what comes back is summed. */
static void arrive(bp_graph *g, bpi_region *r, uint32_t slot, bp_node grad)
{
  if (bp_absent(grad) || bp_failed(grad))
    return;
  uint32_t *value = &r->l->value[slot];
  bp_node sum = *value ? bp_add(bpi_handle(g, *value), grad) : grad;
  *value = sum.index;
}

/* A rule must give a gradient shaped like its input; a mistake in a caller's own row is found here. */
static bp_status checked(const bp_op_call *c, int input, bp_node grad)
{
  if (bp_absent(grad))
    return BP_OK;
  const bpi_node *v = bpi_slot(grad);
  if (!v || grad.graph != c->graph)
    return c->graph->status != BP_OK
               ? c->graph->status
               : bp_op_fail(c, BP_E_GRAPH, "its rule gave no node of this graph for input %d", input);
  if (!bpi_same_shape(v->type, &c->x_type[input]))
    return bp_op_fail(c, BP_E_SHAPE, "its rule gave a gradient of another shape than input %d", input);
  return BP_OK;
}

/* Through a bundle's expansion, all inputs at once. An input given twice gets its gradient once. */
static bp_status through_expansion(bpi_sweeps *s, bpi_region *r, const bp_op_call *c, const bp_node *up)
{
  bp_node y[BP_MAX_RESULTS], seeds[BP_MAX_RESULTS], from[BP_MAX_RESULTS];
  bp_status st = c->op->expand(c, y);
  if (st != BP_OK || c->graph->status != BP_OK)
    return c->graph->status != BP_OK ? c->graph->status : bp_op_fail(c, st, "its expansion failed");
  size_t n = 0, m = 0;
  for (int k = 0; k < c->n_out; k++)
    if (!bp_absent(up[k])) {
      from[n] = y[k];
      seeds[n++] = up[k];
    }
  bpi_arena room;
  bpi_arena_init(&room, c->graph->ctx);
  bp_node *wrt = bpi_arena_alloc(&room, 2 * (size_t)c->n_in, sizeof *wrt);
  if (!wrt)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < c->n_in; i++) {
    bool twice = false;
    for (size_t j = 0; j < m; j++)
      twice = twice || wrt[j].index == c->x[i].index;
    if (!twice && c->x_type[i].dtype == BP_REAL && bpi_region_active(c->graph, r, c->x[i].index))
      wrt[m++] = c->x[i];
  }
  bp_node *grads = wrt + c->n_in;
  st = bpi_reverse(s, from, seeds, n, wrt, m, true, grads);
  for (size_t j = 0; st == BP_OK && j < m; j++)
    arrive(c->graph, r, wrt[j].index, grads[j]);
  bpi_arena_free(&room);
  return st;
}

static bp_status through_rules(bpi_region *r, const bp_op_call *c, const bp_node *up)
{
  for (int i = 0; i < c->n_in; i++) {
    if (c->x_type[i].dtype != BP_REAL || !bpi_region_active(c->graph, r, c->x[i].index))
      continue;
    bp_node grad = c->op->slope ? bpi_chain(up[0], c->op->slope(c, i)) : c->op->vjp(c, up, i);
    bp_status s = checked(c, i, grad);
    if (s != BP_OK)
      return s;
    arrive(c->graph, r, c->x[i].index, grad);
  }
  return c->graph->status;
}

/* What has arrived at the results of one call goes on to its inputs. */
static bp_status pass_on(bpi_sweeps *s, bpi_region *r, uint32_t head)
{
  bp_graph *g = s->g;
  bp_node up[BP_MAX_RESULTS];
  bool any = false;
  int n_out = g->nodes[head].n_out;
  for (int k = 0; k < n_out; k++) {
    up[k] = bpi_region_value(g, r, head + (uint32_t)k);
    any = any || !bp_absent(up[k]);
  }
  if (!any || g->nodes[head].n_in == 0)
    return BP_OK;
  bpi_call_room room;
  bp_op_call c;
  bp_status st = bpi_call_of(g, head, &room, &c);
  if (st != BP_OK)
    return st;
  if (c.op->slope || c.op->vjp)
    st = through_rules(r, &c, up);
  else if (c.op->expand)
    st = through_expansion(s, r, &c, up);
  else
    st = bp_op_fail(&c, BP_E_UNSUPPORTED, "the row has no slope, vjp or expand");
  bpi_call_done(&room);
  return st;
}

bp_status bpi_reverse(bpi_sweeps *s, const bp_node *y, const bp_node *up, size_t n_y, const bp_node *wrt,
                      size_t n, bool cut, bp_node *grads)
{
  bpi_region r;
  bp_status st = bpi_region_open(s, y, n_y, wrt, n, cut, &r);
  for (size_t i = 0; st == BP_OK && i < n_y; i++)
    if (bpi_region_active(s->g, &r, y[i].index))
      arrive(s->g, &r, y[i].index, up[i]);
  for (size_t at = r.n; st == BP_OK && at-- > 0;)
    if (r.l->active[r.heads[at]] && !(cut && r.l->active[r.heads[at]] == BPI_GIVEN))
      st = pass_on(s, &r, r.heads[at]);
  for (size_t i = 0; st == BP_OK && i < n; i++)
    grads[i] = bpi_region_result(s->g, &r, wrt[i].index, cut);
  bpi_region_close(s, &r);
  return st != BP_OK ? st : s->g->status;
}

bp_status bp_vjp(const bp_node *y, const bp_node *up, size_t n_y, const bp_node *wrt, size_t n,
                 bp_node *grads)
{
  bp_graph *g;
  bpi_job job = {"bp_vjp", y, up, wrt, NULL, n_y, n};
  if (!up || (n && !grads))
    return bpi_bad_arg("bp_vjp", "up or grads is NULL");
  bp_status st = bpi_job_check(&job, &g);
  if (st != BP_OK)
    return st;
  uint32_t mark = bp_graph_mark(g);
  bpi_sweeps s;
  bpi_sweeps_init(&s, g);
  st = bpi_reverse(&s, y, up, n_y, wrt, n, false, grads);
  bpi_sweeps_free(&s);
  return st == BP_OK ? BP_OK : bpi_undo(g, mark, grads, n);
}

bp_status bp_grad(bp_node loss, const bp_node *wrt, size_t n, bp_node *grads)
{
  bp_type type;
  if (loss.graph && !bpi_graph_alive(loss.graph))
    return BP_E_GRAPH;
  if (loss.graph && bp_graph_status(loss.graph) != BP_OK)
    return bpi_fail(bp_graph_status(loss.graph), "%s", bp_graph_error(loss.graph));
  bp_status st = bp_node_type(loss, &type);
  if (st != BP_OK)
    return st;
  if (type.dtype == BP_REAL && bpi_type_size(&type) != 1) {
    char label[80];
    return bpi_fail(BP_E_SHAPE,
                    "bp_grad: the loss, %s, has %lld elements; reduce it to one (bp_sum, bp_mean), or use "
                    "bp_vjp with upstream gradients",
                    bpi_node_label(loss.graph, loss.index, label, sizeof label),
                    (long long)bpi_type_size(&type));
  }
  uint32_t mark = bp_graph_mark(loss.graph);
  bp_node one = bp_full(loss.graph, BP_REAL, 1, type.rank, type.dims);
  if (bp_failed(one))
    return bpi_undo(loss.graph, mark, NULL, 0);
  st = bp_vjp(&loss, &one, 1, wrt, n, grads);
  if (st != BP_OK && bp_graph_mark(loss.graph) > mark)
    bp_graph_rollback(loss.graph, mark);
  return st;
}

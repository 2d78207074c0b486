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

/* Through a bundle's expansion, all inputs at once. A node given twice stands at its further places as nodes of their own, so that each
 * place gets what belongs to it. */
static bp_status through_expansion(bpi_sweeps *s, const bp_op_call *call, const bp_node *up,
                                   const bool *wanted, bp_node *grads)
{
  bp_graph *g = call->graph;
  bp_op_call c = *call;
  bp_node y[BP_MAX_RESULTS], seeds[BP_MAX_RESULTS], from[BP_MAX_RESULTS];
  bpi_arena room;
  bpi_arena_init(&room, g->ctx);
  bp_node *x = bpi_arena_alloc(&room, 3 * (size_t)c.n_in, sizeof *x);
  if (!x)
    return bp_op_fail(&c, BP_E_NOMEM, "out of memory");
  bp_node *wrt = x + c.n_in, *found = wrt + c.n_in;
  size_t n = 0, m = 0;
  for (int i = 0; i < c.n_in; i++) {
    x[i] = c.x[i];
    for (size_t k = 0; wanted[i] && k < m; k++)
      if (wrt[k].index == x[i].index)
        x[i] = bp_reshape(x[i], c.x_type[i].dims, c.x_type[i].rank);
    if (wanted[i])
      wrt[m++] = x[i];
  }
  c.x = x;
  bp_status st = c.op->expand(&c, y);
  if (st != BP_OK && g->status == BP_OK)
    st = bp_op_fail(&c, st, "its expansion failed");
  for (int k = 0; k < c.n_out; k++)
    if (!bp_absent(up[k])) {
      from[n] = y[k];
      seeds[n++] = up[k];
    }
  if (g->status == BP_OK)
    st = bpi_reverse(s, from, seeds, n, wrt, m, true, found);
  for (int i = c.n_in; st == BP_OK && i-- > 0;)
    grads[i] = wanted[i] ? found[--m] : BP_NO_NODE;
  bpi_arena_free(&room);
  return g->status != BP_OK ? g->status : st;
}

static bp_status through_rules(const bp_op_call *c, const bp_node *up, const bool *wanted, bp_node *grads)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < c->n_in; i++) {
    grads[i] = BP_NO_NODE;
    if (!wanted[i])
      continue;
    grads[i] = c->op->slope ? bpi_chain(up[0], c->op->slope(c, i)) : c->op->vjp(c, up, i);
    s = checked(c, i, grads[i]);
  }
  return c->graph->status != BP_OK ? c->graph->status : s;
}

bp_status bpi_products(bpi_sweeps *s, const bp_op_call *c, const bp_node *up, const bool *wanted,
                       bp_node *grads)
{
  if (c->op->slope || c->op->vjp)
    return through_rules(c, up, wanted, grads);
  if (c->op->expand)
    return through_expansion(s, c, up, wanted, grads);
  return bp_op_fail(c, BP_E_UNSUPPORTED, "the row has no slope, vjp or expand");
}

/* What has arrived at the results of one call goes on to its inputs. */
static bp_status pass_on(bpi_sweeps *s, bpi_region *r, const bp_op_call *c, const bp_node *up,
                         const bpi_watch *watch)
{
  enum { FEW = 4 };
  bp_node few[FEW], *grads = few;
  bool few_wanted[FEW], *wanted = few_wanted;
  bpi_arena room;
  bpi_arena_init(&room, s->g->ctx);
  if (c->n_in > FEW) {
    grads = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *grads);
    wanted = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *wanted);
  }
  bp_status st = grads && wanted ? BP_OK : bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; st == BP_OK && i < c->n_in; i++)
    wanted[i] = c->x_type[i].dtype == BP_REAL && bpi_region_active(s->g, r, c->x[i].index);
  if (st == BP_OK)
    st = bpi_products(s, c, up, wanted, grads);
  for (int i = 0; st == BP_OK && i < c->n_in; i++)
    arrive(s->g, r, c->x[i].index, grads[i]);
  if (st == BP_OK && watch)
    st = watch->passed(watch->user, c, grads);
  bpi_arena_free(&room);
  return st;
}

static bp_status visit(bpi_sweeps *s, bpi_region *r, uint32_t head, const bpi_watch *watch)
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
  st = pass_on(s, r, &c, up, watch);
  bpi_call_done(&room);
  return st;
}

bp_status bpi_reverse(bpi_sweeps *s, const bp_node *y, const bp_node *up, size_t n_y, const bp_node *wrt,
                      size_t n, bool cut, bp_node *grads)
{
  bpi_region r;
  const bpi_watch *watch = s->watch;
  s->watch = NULL; /* sweeps within this one go unwatched */
  bp_status st = bpi_region_open(s, y, n_y, wrt, n, cut, &r);
  for (size_t i = 0; st == BP_OK && i < n_y; i++) {
    if (!bpi_region_active(s->g, &r, y[i].index))
      continue;
    arrive(s->g, &r, y[i].index, up[i]);
    st = watch ? watch->seed(watch->user, y[i].index, up[i]) : BP_OK;
  }
  for (size_t at = r.n; st == BP_OK && at-- > 0;)
    if (r.l->active[r.heads[at]] && !(cut && r.l->active[r.heads[at]] == BPI_GIVEN))
      st = visit(s, &r, r.heads[at], watch);
  for (size_t i = 0; st == BP_OK && i < n; i++)
    grads[i] = bpi_region_result(s->g, &r, wrt[i].index, cut);
  if (st == BP_OK && watch)
    st = watch->done(watch->user, &r);
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

/* Forward mode: tangents go from inputs to results along with the values. */
#include "autodiff/sweep.h"

#include <string.h>

static bp_node plus(bp_node a, bp_node b)
{
  return bp_absent(a) ? b : bp_absent(b) ? a : bp_add(a, b);
}

static bp_status by_slopes(const bp_op_call *c, const bp_node *t, bp_node *out)
{
  for (int i = 0; i < c->n_in; i++)
    if (!bp_absent(t[i]))
      out[0] = plus(out[0], bpi_chain(t[i], c->op->slope(c, i)));
  return c->graph->status;
}

/* A row linear in all real inputs together: itself on tangents, 0 where there is none. */
static bp_status by_itself(const bp_op_call *c, const bp_node *t, bp_node *x, bp_node *out)
{
  for (int i = 0; i < c->n_in; i++) {
    const bp_type *type = &c->x_type[i];
    x[i] = type->dtype != BP_REAL ? c->x[i]
           : !bp_absent(t[i])     ? t[i]
                                  : bp_full(c->graph, BP_REAL, 0, type->rank, type->dims);
  }
  return bp_apply(c->graph, c->op, x, (size_t)c->n_in, c->attr, out);
}

/* A row linear in each input apart: a sum with one input replaced at a time. */
static bp_status by_turns(const bp_op_call *c, const bp_node *t, bp_node *x, bp_node *out)
{
  for (int i = 0; i < c->n_in; i++) {
    if (bp_absent(t[i]))
      continue;
    memcpy(x, c->x, (size_t)c->n_in * sizeof *x);
    x[i] = t[i];
    bp_node term;
    bp_status s = bp_apply(c->graph, c->op, x, (size_t)c->n_in, c->attr, &term);
    if (s != BP_OK)
      return s;
    out[0] = plus(out[0], term);
  }
  return BP_OK;
}

/* The rest by transposing: u -> J'u is linear, and the gradient of <t, J'u> with respect to u is J t. The result depends on u no more. */
static bp_status by_transposing(bpi_sweeps *s, const bp_op_call *c, const bp_node *t, bp_node *g,
                                bp_node *out)
{
  bp_node u[BP_MAX_RESULTS];
  size_t n = 0, m = 0;
  bp_node *with = g + c->n_in, wrt[BP_MAX_RESULTS], found[BP_MAX_RESULTS];
  for (int k = 0; k < c->n_out; k++) {
    u[k] = c->y_type[k].dtype == BP_REAL ? bpi_placeholder(c->graph, &c->y_type[k]) : BP_NO_NODE;
    if (!bp_absent(u[k]))
      wrt[m++] = u[k];
  }
  for (int i = 0; i < c->n_in; i++) {
    bp_node gi = bp_absent(t[i]) ? BP_NO_NODE : c->op->vjp(c, u, i);
    if (bp_absent(gi))
      continue;
    with[n] = t[i];
    g[n++] = gi;
  }
  if (c->graph->status != BP_OK)
    return c->graph->status;
  bp_status st = n ? bpi_reverse(s, g, with, n, wrt, m, true, found) : BP_OK;
  for (int k = c->n_out - 1; st == BP_OK && n && k >= 0; k--)
    out[k] = bp_absent(u[k]) ? BP_NO_NODE : found[--m];
  return st;
}

static bp_status through_tangents(bpi_sweeps *s, const bp_op_call *c, const bp_node *t, bp_node *room,
                                  bp_node *out)
{
  bp_node y[BP_MAX_RESULTS];
  size_t n = 0;
  bp_node *x = room, *tx = room + c->n_in;
  bp_status st = c->op->expand(c, y);
  if (st != BP_OK || c->graph->status != BP_OK)
    return c->graph->status != BP_OK ? c->graph->status : bp_op_fail(c, st, "its expansion failed");
  /* A node given twice has one tangent, which reaches both places by itself. */
  for (int i = 0; i < c->n_in; i++) {
    bool twice = false;
    for (size_t k = 0; k < n; k++)
      twice = twice || x[k].index == c->x[i].index;
    if (!twice && !bp_absent(t[i])) {
      x[n] = c->x[i];
      tx[n++] = t[i];
    }
  }
  return bpi_forward(s, y, (size_t)c->n_out, x, tx, n, true, out);
}

bp_status bpi_tangents(bpi_sweeps *s, const bp_op_call *c, const bp_node *t, bp_node *out)
{
  bpi_arena more;
  bp_status st = BP_OK;
  memset(out, 0, (size_t)c->n_out * sizeof *out);
  if (c->op->zero)
    return BP_OK;
  if (c->op->jvp)
    return c->op->jvp(c, t, out);
  if (c->op->slope)
    return by_slopes(c, t, out);
  bpi_arena_init(&more, c->graph->ctx);
  bp_node *work = bpi_arena_alloc(&more, 2 * (size_t)c->n_in, sizeof *work);
  if (!work)
    st = bp_op_fail(c, BP_E_NOMEM, "out of memory");
  else if (c->op->traits & BP_LINEAR)
    st = by_itself(c, t, work, out);
  else if (c->op->traits & BP_MULTILINEAR)
    st = by_turns(c, t, work, out);
  else if (c->op->vjp)
    st = by_transposing(s, c, t, work, out);
  else if (c->op->expand)
    st = through_tangents(s, c, t, work, out);
  else
    st = bp_op_fail(c, BP_E_UNSUPPORTED, "the row has no slope, vjp, jvp or expand");
  bpi_arena_free(&more);
  return st;
}

/* The tangents of one call's results. */
static bp_status push(bpi_sweeps *s, bpi_region *r, uint32_t head)
{
  enum { FEW = 4 };
  bp_graph *g = s->g;
  bpi_call_room room;
  bp_op_call c;
  bp_status st = bpi_call_of(g, head, &room, &c);
  if (st != BP_OK)
    return st;
  bp_node out[BP_MAX_RESULTS], few[FEW], *t = few;
  if (c.n_in > FEW)
    t = bpi_alloc(g->ctx, (size_t)c.n_in, sizeof *t);
  for (int i = 0; t && i < c.n_in; i++)
    t[i] = c.x_type[i].dtype == BP_REAL ? bpi_region_value(g, r, c.x[i].index) : BP_NO_NODE;
  st = t ? bpi_tangents(s, &c, t, out) : bp_op_fail(&c, BP_E_NOMEM, "out of memory");
  for (int k = 0; st == BP_OK && k < c.n_out; k++)
    r->l->value[head + (uint32_t)k] = bp_absent(out[k]) ? 0 : out[k].index;
  if (t != few)
    bpi_free(g->ctx, t);
  bpi_call_done(&room);
  return st != BP_OK ? st : g->status;
}

bp_status bpi_forward(bpi_sweeps *s, const bp_node *y, size_t n_y, const bp_node *x, const bp_node *tangent,
                      size_t n_x, bool cut, bp_node *out)
{
  bpi_region r;
  bp_status st = bpi_region_open(s, y, n_y, x, n_x, cut, &r);
  for (size_t at = 0; st == BP_OK && at < r.n; at++) {
    uint32_t head = r.heads[at];
    if (!r.l->active[head])
      continue;
    bool given = r.l->active[head] == BPI_GIVEN;
    if (!(cut && given) && s->g->nodes[head].n_in)
      st = push(s, &r, head);
    for (size_t i = 0; given && st == BP_OK && i < n_x; i++)
      if (x[i].index - s->g->nodes[x[i].index].result == head) {
        /* A node that is given a tangent may also get one from nodes given before it. */
        bp_node sum = plus(bpi_region_value(s->g, &r, x[i].index), tangent[i]);
        r.l->value[x[i].index] = sum.index;
      }
  }
  for (size_t k = 0; st == BP_OK && k < n_y; k++)
    out[k] = bpi_region_result(s->g, &r, y[k].index, cut);
  bpi_region_close(s, &r);
  return st != BP_OK ? st : s->g->status;
}

bp_status bp_jvp(const bp_node *y, size_t n_y, const bp_node *x, const bp_node *tangent, size_t n_x,
                 bp_node *out)
{
  bp_graph *g;
  bpi_job job = {"bp_jvp", y, NULL, x, tangent, n_y, n_x};
  if (!tangent || !out)
    return bpi_bad_arg("bp_jvp", "tangent or out is NULL");
  bp_status st = bpi_job_check(&job, &g);
  if (st != BP_OK)
    return st;
  uint32_t mark = bp_graph_mark(g);
  bpi_sweeps s;
  bpi_sweeps_init(&s, g);
  st = bpi_forward(&s, y, n_y, x, tangent, n_x, false, out);
  bpi_sweeps_free(&s);
  return st == BP_OK ? BP_OK : bpi_undo(g, mark, out, n_y);
}

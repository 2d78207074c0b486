/* Where derivatives change with the inputs: calls whose local Jacobian is no constant. What is led past none of them is the same
 * number for every input. (Of elements, as "nonlinear" index domains in Walther 2008; here of calls.) */
#include "autodiff/varying.h"

/* Whether an input other than `input` of this type may change. */
static bool others_vary(const bp_op_call *c, int input, bool real)
{
  for (int i = 0; i < c->n_in; i++)
    if (i != input && (c->x_type[i].dtype == BP_REAL) == real && !bpi_is_fixed(c->x[i]))
      return true;
  return false;
}

/* Whether the gradient that the rule builds is made of anything but the upstream gradients and constants. */
static bool rule_varies(const bp_op_call *c, int input)
{
  bp_graph *g = c->graph;
  bp_node up[BP_MAX_RESULTS];
  uint32_t mark = bp_graph_mark(g);
  for (int k = 0; k < c->n_out; k++)
    up[k] = c->y_type[k].dtype == BP_REAL ? bpi_placeholder(g, &c->y_type[k]) : BP_NO_NODE;
  bp_node grad = c->op->vjp(c, up, input);
  if (g->status != BP_OK || bp_absent(grad))
    return g->status != BP_OK;
  bool yes = grad.index < mark && !bpi_is_fixed(grad);
  for (size_t i = mark; i < g->count && !yes; i++)
    for (int k = 0; k < g->nodes[i].n_in; k++) {
      uint32_t from = g->nodes[i].in[k];
      yes = yes || (from < mark && !bpi_is_fixed(bpi_handle(g, from)));
    }
  return yes;
}

/* d result / d input changes with the inputs, as far as the row tells. */
static bool jacobian_varies(const bp_op_call *c, int input)
{
  if (others_vary(c, input, false))
    return true;
  if (c->op->slope) {
    bp_node slope = c->op->slope(c, input);
    return !bp_absent(slope) && !bpi_is_fixed(slope);
  }
  if (c->op->traits & BP_LINEAR)
    return false;
  if (c->op->traits & BP_MULTILINEAR)
    return others_vary(c, input, true);
  return !c->op->vjp || rule_varies(c, input);
}

static bp_status varies(bpi_sweeps *s, const bpi_region *r, uint32_t head, bool *yes)
{
  bpi_call_room room;
  bp_op_call c;
  bp_status st = bpi_call_of(s->g, head, &room, &c);
  *yes = false;
  if (st != BP_OK)
    return st;
  for (int i = 0; i < c.n_in && !*yes; i++)
    *yes = c.x_type[i].dtype == BP_REAL && bpi_region_active(s->g, r, c.x[i].index) && jacobian_varies(&c, i);
  bpi_call_done(&room);
  return s->g->status;
}

static bp_status add_results(bpi_sweeps *s, uint32_t head, bpi_varying *v)
{
  for (uint32_t k = head; k < head + s->g->nodes[head].n_out; k++) {
    if (s->g->nodes[k].type->dtype != BP_REAL)
      continue;
    if (!bpi_grow(s->g->ctx, (void **)&v->nodes, &v->cap, v->n, sizeof *v->nodes))
      return bpi_nomem();
    v->nodes[v->n++] = bpi_handle(s->g, k);
  }
  return BP_OK;
}

bp_status bpi_find_varying(bpi_sweeps *s, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                           bpi_varying *v)
{
  bpi_region r;
  *v = (bpi_varying){0};
  bp_status st = bpi_region_open(s, y, n_y, x, n_x, false, &r);
  for (size_t at = 0; at < r.n && st == BP_OK; at++) {
    bool yes = false;
    if (r.l->active[r.heads[at]] && s->g->nodes[r.heads[at]].n_in && !s->g->nodes[r.heads[at]].op->zero)
      st = varies(s, &r, r.heads[at], &yes);
    if (st == BP_OK && yes)
      st = add_results(s, r.heads[at], v);
  }
  bpi_region_close(s, &r);
  return st;
}

void bpi_varying_free(bp_ctx *ctx, bpi_varying *v)
{
  bpi_free(ctx, v->nodes);
  *v = (bpi_varying){0};
}

/* ---- derivatives in parts ---- */

static void fill_zeros(bp_graph *g, const bp_node *like, size_t n, bp_node *out)
{
  for (size_t i = 0; i < n; i++)
    if (bp_absent(out[i])) {
      const bp_type *t = bpi_slot(like[i])->type;
      out[i] = bp_full(g, BP_REAL, 0, t->rank, t->dims);
    }
}

/* What a part of a derivative is worked out with: the nodes, then x. */
typedef struct part {
  bpi_sweeps sweeps;
  bp_node *nodes, *values;
  size_t n;
} part;

static bool part_open(part *p, const bpi_varying *v, const bp_node *x, size_t n_x)
{
  bp_graph *g = x[0].graph;
  bpi_sweeps_init(&p->sweeps, g);
  p->n = v->n + n_x;
  p->nodes = bpi_zalloc(g->ctx, 2 * p->n, sizeof *p->nodes);
  p->values = p->nodes ? p->nodes + p->n : NULL;
  for (size_t i = 0; p->nodes && i < p->n; i++)
    p->nodes[i] = i < v->n ? v->nodes[i] : x[i - v->n];
  return p->nodes != NULL;
}

static bp_status part_close(part *p, bp_status s)
{
  bp_graph *g = p->sweeps.g;
  bpi_free(g->ctx, p->nodes);
  bpi_sweeps_free(&p->sweeps);
  return s == BP_OK ? g->status : s;
}

static bp_status jvp_varying(part *p, const bpi_varying *v, const bp_node *y, size_t n_y, const bp_node *x,
                             const bp_node *tangent, size_t n_x, bp_node *out)
{
  bp_status s = v->n ? bp_jvp(v->nodes, v->n, x, tangent, n_x, p->values) : BP_OK;
  return s == BP_OK ? bpi_forward(&p->sweeps, y, n_y, v->nodes, p->values, v->n, true, out) : s;
}

/* Nothing arrives at the nodes, and nothing before them is looked at. */
static bp_status jvp_constant(part *p, const bpi_varying *v, const bp_node *y, size_t n_y,
                              const bp_node *tangent, size_t n_x, bp_node *out)
{
  for (size_t i = 0; i < n_x; i++)
    p->values[v->n + i] = tangent[i];
  return bpi_forward(&p->sweeps, y, n_y, p->nodes, p->values, p->n, true, out);
}

bp_status bpi_jvp_of(bpi_share_of share, const bpi_varying *v, const bp_node *y, size_t n_y, const bp_node *x,
                     const bp_node *tangent, size_t n_x, bp_node *out)
{
  part p;
  if (share == BPI_ALL_OF_IT)
    return bp_jvp(y, n_y, x, tangent, n_x, out);
  if (!part_open(&p, v, x, n_x))
    return bpi_nomem();
  bp_status s = share == BPI_VARYING_PART ? jvp_varying(&p, v, y, n_y, x, tangent, n_x, out)
                                          : jvp_constant(&p, v, y, n_y, tangent, n_x, out);
  if (s == BP_OK)
    fill_zeros(y[0].graph, y, n_y, out);
  return part_close(&p, s);
}

/* What has arrived at the nodes goes on to x. */
static bp_status go_on(part *p, const bpi_varying *v, const bp_node *x, size_t n_x, bp_node *grads)
{
  size_t n = 0;
  for (size_t i = 0; i < v->n; i++)
    if (!bp_absent(p->values[i])) {
      p->nodes[n] = v->nodes[i];
      p->values[n++] = p->values[i];
    }
  for (size_t i = 0; i < n_x; i++)
    grads[i] = BP_NO_NODE;
  return n ? bp_vjp(p->nodes, p->values, n, x, n_x, grads) : BP_OK;
}

bp_status bpi_vjp_of(bpi_share_of share, const bpi_varying *v, const bp_node *y, const bp_node *up,
                     size_t n_y, const bp_node *x, size_t n_x, bp_node *grads)
{
  part p;
  bool varying = share == BPI_VARYING_PART;
  if (share == BPI_ALL_OF_IT)
    return bp_vjp(y, up, n_y, x, n_x, grads);
  if (!part_open(&p, v, x, n_x))
    return bpi_nomem();
  bp_status s = bpi_reverse(&p.sweeps, y, up, n_y, p.nodes, varying ? v->n : p.n, true, p.values);
  if (s == BP_OK && varying)
    s = go_on(&p, v, x, n_x, grads);
  for (size_t i = 0; s == BP_OK && !varying && i < n_x; i++)
    grads[i] = p.values[v->n + i];
  if (s == BP_OK)
    fill_zeros(x[0].graph, x, n_x, grads);
  return part_close(&p, s);
}

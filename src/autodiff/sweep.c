/* Regions of a graph: which nodes lie between results and the nodes they are differentiated by.
 * Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 3 and 6. */
#include "autodiff/sweep.h"

#include <stdlib.h>
#include <string.h>

void bpi_sweeps_init(bpi_sweeps *s, bp_graph *g)
{
  memset(s, 0, sizeof *s);
  s->g = g;
}

void bpi_sweeps_free(bpi_sweeps *s)
{
  for (int i = 0; i < BPI_SWEEP_DEPTH; i++) {
    bpi_free(s->g->ctx, s->level[i].value);
    bpi_free(s->g->ctx, s->level[i].stamp);
    bpi_free(s->g->ctx, s->level[i].active);
  }
}

/* Room for a value of every slot there is now; nodes that the sweep adds need none. */
static bool level_room(bp_ctx *ctx, bpi_level *l, size_t count)
{
  if (count <= l->cap)
    return true;
  size_t cap = count + count / 2;
  uint32_t *value = bpi_realloc(ctx, l->value, cap, sizeof *value);
  l->value = value ? value : l->value;
  uint32_t *stamp = bpi_realloc(ctx, l->stamp, cap, sizeof *stamp);
  l->stamp = stamp ? stamp : l->stamp;
  uint8_t *active = bpi_realloc(ctx, l->active, cap, sizeof *active);
  l->active = active ? active : l->active;
  if (!value || !stamp || !active)
    return false;
  memset(l->stamp + l->cap, 0, (cap - l->cap) * sizeof *stamp);
  l->cap = cap;
  return true;
}

static int by_index(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

/* Marks a head as reached and its slots as without value. False when out of memory. */
static bool reach(bp_graph *g, bpi_region *r, uint32_t head)
{
  bpi_level *l = r->l;
  if (l->stamp[head] == l->now)
    return true;
  for (uint32_t k = head; k < head + g->nodes[head].n_out; k++) {
    l->stamp[k] = l->now;
    l->value[k] = 0;
    l->active[k] = 0;
  }
  if (!bpi_grow(g->ctx, (void **)&r->heads, &r->cap, r->n, sizeof *r->heads))
    return false;
  r->heads[r->n++] = head;
  return true;
}

static uint32_t head_of(const bp_graph *g, uint32_t slot)
{
  return slot - g->nodes[slot].result;
}

/* Gradients flow through real inputs of rows that have a derivative. */
static bool carries(const bp_graph *g, uint32_t head, int input)
{
  const bpi_node *v = &g->nodes[head];
  return !v->op->zero && g->nodes[v->in[input]].type->dtype == BP_REAL;
}

/* Breadth-first: the list of heads is its own queue. Nodes older than every wrt cannot depend on one. */
static bool collect(bp_graph *g, bpi_region *r, uint32_t oldest, bool cut)
{
  for (size_t at = 0; at < r->n; at++) {
    uint32_t head = r->heads[at];
    const bpi_node *v = &g->nodes[head];
    if (cut && r->l->active[head])
      continue;
    for (int i = 0; i < v->n_in; i++)
      if (v->in[i] >= oldest && carries(g, head, i) && !reach(g, r, head_of(g, v->in[i])))
        return false;
  }
  return true;
}

/* Marks wrt slots before collecting, as a cut must see them. A wrt that is not reached stays without effect. */
static bool mark_wrt(bp_graph *g, bpi_region *r, const bp_node *wrt, size_t n, uint32_t *oldest)
{
  *oldest = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    uint32_t head = head_of(g, wrt[i].index);
    if (!reach(g, r, head))
      return false;
    for (uint32_t k = head; k < head + g->nodes[head].n_out; k++)
      r->l->active[k] = BPI_GIVEN;
    *oldest = head < *oldest ? head : *oldest;
  }
  return true;
}

bp_status bpi_region_open(bpi_sweeps *s, const bp_node *from, size_t n_from, const bp_node *wrt, size_t n_wrt,
                          bool cut, bpi_region *r)
{
  bp_graph *g = s->g;
  *r = (bpi_region){0};
  if (s->depth >= BPI_SWEEP_DEPTH)
    return bpi_graph_fail(g, BP_E_LIMIT, "bundles are nested more than %d deep", BPI_SWEEP_DEPTH);
  r->l = &s->level[s->depth++];
  uint32_t oldest;
  if (!level_room(g->ctx, r->l, g->count) || (r->l->now++, !mark_wrt(g, r, wrt, n_wrt, &oldest)))
    return bpi_graph_fail(g, BP_E_NOMEM, "differentiating: out of memory");
  for (size_t i = 0; i < n_from; i++)
    if (from[i].index >= oldest && !reach(g, r, head_of(g, from[i].index)))
      return bpi_graph_fail(g, BP_E_NOMEM, "differentiating: out of memory");
  if (!collect(g, r, oldest, cut))
    return bpi_graph_fail(g, BP_E_NOMEM, "differentiating: out of memory");
  if (r->n)
    qsort(r->heads, r->n, sizeof *r->heads, by_index);
  for (size_t at = 0; at < r->n; at++) {
    uint32_t head = r->heads[at];
    const bpi_node *v = &g->nodes[head];
    for (int i = 0; i < v->n_in && !r->l->active[head]; i++)
      if (carries(g, head, i) && bpi_region_active(g, r, v->in[i]))
        memset(r->l->active + head, 1, v->n_out);
  }
  return BP_OK;
}

void bpi_region_close(bpi_sweeps *s, bpi_region *r)
{
  if (r->l)
    s->depth--;
  bpi_free(s->g->ctx, r->heads);
}

static bool reached(const bpi_region *r, uint32_t slot)
{
  return slot < r->l->cap && r->l->stamp[slot] == r->l->now;
}

bool bpi_region_active(const bp_graph *g, const bpi_region *r, uint32_t slot)
{
  (void)g;
  return reached(r, slot) && r->l->active[slot];
}

bp_node bpi_region_value(const bp_graph *g, const bpi_region *r, uint32_t slot)
{
  if (!reached(r, slot) || !r->l->value[slot])
    return BP_NO_NODE;
  return bpi_handle((bp_graph *)g, r->l->value[slot]);
}

bp_node bpi_region_result(bp_graph *g, const bpi_region *r, uint32_t slot, bool cut)
{
  bp_node value = bpi_region_value(g, r, slot);
  const bp_type *t = g->nodes[slot].type;
  return bp_absent(value) && !cut ? bp_full(g, BP_REAL, 0, t->rank, t->dims) : value;
}

/* A slope that is a number is a plain multiple: no product that could be 0 times infinity hides in it. */
bp_node bpi_chain(bp_node up, bp_node slope)
{
  double v;
  if (bp_absent(up) || bp_absent(slope))
    return BP_NO_NODE;
  if (bpi_splat(up, &v) && v == 1 && !bp_failed(slope) &&
      bpi_same_shape(bpi_slot(up)->type, bpi_slot(slope)->type))
    return slope;
  if (!bpi_splat(slope, &v))
    return bp_chain(up, slope);
  if (v == 1)
    return up;
  if (v == -1)
    return bp_neg(up);
  return v - v == 0 ? bp_mul(up, slope) : bp_chain(up, slope);
}

/* ---- what the public calls check ---- */

static bp_status check_node(const bpi_job *j, bp_graph *g, bp_node n, const char *what, size_t i)
{
  char label[80];
  if (n.graph != g)
    return bpi_fail(BP_E_GRAPH, "%s: %s[%zu] belongs to another graph", j->function, what, i);
  const bpi_node *v = bpi_slot(n);
  if (!v)
    return bpi_fail(BP_E_GRAPH, "%s: %s[%zu] is an error node or stale", j->function, what, i);
  if (v->type->dtype != BP_REAL)
    return bpi_fail(BP_E_DTYPE, "%s: %s[%zu], %s, is %s; only real nodes have gradients", j->function, what,
                    i, bpi_node_label(g, n.index, label, sizeof label), bp_dtype_name(v->type->dtype));
  return BP_OK;
}

static bp_status check_list(const bpi_job *j, bp_graph *g, const bp_node *list, const bp_node *with, size_t n,
                            const char *what)
{
  char label[80];
  for (size_t i = 0; i < n; i++) {
    bp_status s = check_node(j, g, list[i], what, i);
    if (s == BP_OK && with)
      s = check_node(j, g, with[i], "a vector for it", i);
    if (s != BP_OK)
      return s;
    if (with && !bpi_same_shape(bpi_slot(list[i])->type, bpi_slot(with[i])->type))
      return bpi_fail(BP_E_SHAPE, "%s: the vector for %s[%zu], %s, has another shape than it", j->function,
                      what, i, bpi_node_label(g, list[i].index, label, sizeof label));
  }
  return BP_OK;
}

bp_status bpi_job_check(const bpi_job *j, bp_graph **graph)
{
  if (!j->from || j->n_from == 0 || !j->from[0].graph || (j->n_wrt && !j->wrt))
    return bpi_bad_arg(j->function, "a list of nodes is NULL or empty");
  bp_graph *g = *graph = j->from[0].graph;
  if (!bpi_graph_alive(g))
    return BP_E_GRAPH;
  if (g->status != BP_OK)
    return bpi_fail(g->status, "%s", bp_graph_error(g));
  bp_status s = check_list(j, g, j->from, j->from_with, j->n_from, "y");
  return s != BP_OK ? s : check_list(j, g, j->wrt, j->wrt_with, j->n_wrt, "x");
}

bp_status bpi_undo(bp_graph *g, uint32_t mark, bp_node *results, size_t n)
{
  bp_status s = g->status;
  for (size_t i = 0; i < n; i++)
    results[i] = bpi_error_node(g);
  /* The message outlives the rollback as the thread's bp_error(). */
  bpi_fail(s, "%s", bp_graph_error(g));
  bp_graph_rollback(g, mark);
  return s;
}

/* Bundles replaced by their parts: nodes rebuilt in a new graph, in rounds, as a part may be a bundle again. */
#include "graph/graph.h"

#include <string.h>

enum { MOST_DEPTH = 64, MOST_NODES = 1 << 24, SETTLED = 255 };

/* What every round is about. `level`: of each slot, how many bundles deep it came from; SETTLED: it stays. */
typedef struct unbundling {
  bp_ctx *ctx;
  bp_graph *g;
  uint8_t *level;
  bp_node *nodes; /* those asked for, in g */
  size_t n;
  int depth;
  bp_unbundle_fn choose;
  void *user;
} unbundling;

typedef struct round_work {
  unbundling *u;
  bp_graph *to;
  bp_node *map; /* of each slot of u->g, its node in `to` */
  uint8_t *level;
  size_t level_cap, known; /* levels of the first `known` slots of `to` are set */
  bool again;
} round_work;

static uint8_t *mark_needed(const unbundling *u)
{
  uint8_t *need = bpi_zalloc(u->ctx, u->g->count, 1);
  for (size_t i = 0; need && i < u->n; i++)
    need[u->nodes[i].index] = 1;
  for (size_t i = u->g->count; need && i-- > 1;) {
    const bpi_node *v = &u->g->nodes[i];
    need[i - v->result] |= need[i];
    for (int k = 0; need[i] && v->result == 0 && k < v->n_in; k++)
      need[v->in[k]] = 1;
  }
  return need;
}

/* Nodes that were added since the last call came from `level` bundles deep. */
static bp_status set_levels(round_work *r, uint8_t level)
{
  if (r->to->count > MOST_NODES)
    return bpi_fail(BP_E_LIMIT, "bp_unbundle: the parts are more than %d nodes", MOST_NODES);
  for (; r->known < r->to->count; r->known++) {
    if (!bpi_grow(r->u->ctx, (void **)&r->level, &r->level_cap, r->known, 1))
      return bpi_nomem();
    r->level[r->known] = level;
  }
  return BP_OK;
}

/* A node just rebuilt, if it is a bundle that shall go. */
static bp_status replace(round_work *r, uint8_t level, bp_node *results)
{
  const unbundling *u = r->u;
  bpi_call_room room;
  bp_op_call call;
  const bpi_node *v = bpi_slot(results[0]);
  if (!v->op->expand || v->result || level == SETTLED || (u->depth && level >= u->depth))
    return BP_OK;
  if (u->choose && !u->choose(u->user, results[0], level + 1)) {
    r->level[results[0].index] = SETTLED;
    return BP_OK;
  }
  if (level >= MOST_DEPTH)
    return bpi_fail(BP_E_LIMIT, "bp_unbundle: bundles within bundles more than %d deep", MOST_DEPTH);
  bp_status s = bpi_call_of(r->to, results[0].index, &room, &call);
  if (s != BP_OK)
    return s;
  s = call.op->expand(&call, results);
  for (int k = 0; s == BP_OK && k < call.n_out; k++)
    if (bp_failed(results[k]))
      s = bpi_fail(BP_E_INTERNAL, "%s: its definition gives no node", call.op->name);
  bpi_call_done(&room);
  r->again = true;
  return s == BP_OK ? set_levels(r, (uint8_t)(level + 1)) : s;
}

static bp_status rebuild(round_work *r, uint32_t head)
{
  const unbundling *u = r->u;
  const bpi_node *v = &u->g->nodes[head];
  bp_node few[8] = {{0}}, results[BP_MAX_RESULTS];
  bp_node *x = v->n_in <= 8 ? few : bpi_alloc(u->ctx, v->n_in, sizeof *x);
  if (!x)
    return bpi_nomem();
  for (int k = 0; k < v->n_in; k++)
    x[k] = r->map[v->in[k]];
  bp_status s = bp_apply(r->to, v->op, x, v->n_in, v->attr, results);
  if (x != few)
    bpi_free(u->ctx, x);
  if (s == BP_OK)
    s = set_levels(r, u->level[head]);
  if (s == BP_OK)
    s = replace(r, u->level[head], results);
  for (int k = 0; s == BP_OK && k < v->n_out; k++)
    r->map[head + (uint32_t)k] = results[k];
  return s;
}

/* Names go with their nodes. */
static bp_status carry_names(const round_work *r, const uint8_t *need)
{
  const bp_graph *g = r->u->g;
  for (size_t i = 0; i < g->n_names; i++)
    if (need[g->names[i].index] && bp_failed(bp_name(r->map[g->names[i].index], g->names[i].name)))
      return r->to->status;
  return BP_OK;
}

static bp_status rebuild_all(round_work *r)
{
  unbundling *u = r->u;
  uint8_t *need = mark_needed(u);
  bp_status s = need ? set_levels(r, 0) : bpi_nomem();
  for (uint32_t i = 1; s == BP_OK && i < u->g->count; i += u->g->nodes[i].n_out)
    if (need[i])
      s = rebuild(r, i);
  if (s == BP_OK)
    s = carry_names(r, need);
  for (size_t i = 0; s == BP_OK && i < u->n; i++)
    u->nodes[i] = r->map[u->nodes[i].index];
  bpi_free(u->ctx, need);
  return s;
}

/* u->g becomes a new graph, in which the bundles of one level are gone. */
static bp_status one_round(unbundling *u, const bp_graph *given, bool *again)
{
  round_work r = {.u = u, .to = bp_graph_new(u->ctx)};
  r.map = bpi_zalloc(u->ctx, u->g->count, sizeof *r.map);
  bp_status s = r.to && r.map ? BP_OK : bpi_nomem();
  if (s == BP_OK) {
    r.to->state = u->g->state;
    r.to->next_stream = u->g->next_stream;
    r.to->n_inlined = u->g->n_inlined;
    r.to->name_parts = true;
    s = rebuild_all(&r);
  }
  if (s != BP_OK && r.to && r.to->status != BP_OK)
    bpi_fail(s, "%s", bp_graph_error(r.to));
  bpi_free(u->ctx, r.map);
  bpi_free(u->ctx, u->level);
  if (u->g != given)
    bp_graph_free(u->g);
  u->g = r.to;
  u->level = r.level;
  *again = r.again;
  return s;
}

static bp_status check_list(const bp_node *nodes, size_t n)
{
  if (!nodes || n == 0 || !nodes[0].graph)
    return bpi_bad_arg("bp_unbundle", "the list of nodes is NULL or empty");
  if (!bpi_graph_alive(nodes[0].graph))
    return BP_E_GRAPH;
  if (bp_graph_status(nodes[0].graph) != BP_OK)
    return bpi_fail(bp_graph_status(nodes[0].graph), "%s", bp_graph_error(nodes[0].graph));
  for (size_t i = 0; i < n; i++)
    if (nodes[i].graph != nodes[0].graph || !bpi_slot(nodes[i]))
      return bpi_fail(BP_E_GRAPH, "bp_unbundle: node %zu is stale, an error node, or of another graph", i);
  return BP_OK;
}

bp_status bp_unbundle(const bp_node *nodes, size_t n, int depth, bp_unbundle_fn choose, void *user,
                      bp_graph **graph, bp_node *out)
{
  if (!graph || !out || depth < 0)
    return bpi_bad_arg("bp_unbundle", "graph or out is NULL, or depth negative");
  *graph = NULL;
  bp_status s = check_list(nodes, n);
  if (s != BP_OK)
    return s;
  bp_graph *g = nodes[0].graph;
  unbundling u = {
      .ctx = g->ctx, .g = g, .nodes = out, .n = n, .depth = depth, .choose = choose, .user = user};
  memmove(out, nodes, n * sizeof *out);
  u.level = bpi_zalloc(u.ctx, g->count, 1);
  s = u.level ? BP_OK : bpi_nomem();
  for (bool again = true; s == BP_OK && again;)
    s = one_round(&u, g, &again);
  bpi_free(u.ctx, u.level);
  if (s == BP_OK) {
    *graph = u.g;
    u.g->name_parts = false;
    return s;
  }
  for (size_t i = 0; i < n; i++)
    out[i] = BP_NO_NODE;
  if (u.g != g)
    bp_graph_free(u.g);
  return s;
}

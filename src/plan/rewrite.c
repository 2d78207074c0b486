/* Rewriting: the nodes that are needed, rebuilt in a graph of our own, so that equal nodes meet again. Bundles without a kernel
 * are replaced by their definitions; a definition may hold bundles, so this is done in rounds until none is left. */
#include "plan/draft.h"

#include <string.h>

enum { MOST_ROUNDS = 64 };

typedef struct rebuild {
  bpi_draft *d;
  bp_graph *from, *to;
  const uint32_t *from_origin; /* NULL: `from` is the graph as given */
  uint32_t *map;               /* of each slot of `from`: its slot of `to` */
  bool again;                  /* definitions were put in: another round */
  const bpi_blocks *blocks;    /* chains that become loops; NULL: none */
} rebuild;

bp_status bpi_mark_needed(bpi_draft *d)
{
  const bp_graph *h = d->h;
  d->need = bpi_arena_alloc(&d->arena, h->count, 1);
  if (!d->need)
    return bpi_nomem();
  for (size_t i = 0; i < d->n_wanted; i++)
    d->need[d->wanted[i].index] = 1;
  for (uint32_t i = (uint32_t)h->count - 1; i > 0; i--) {
    const bpi_node *v = &h->nodes[i];
    if (!d->need[i])
      continue;
    if (v->result) { /* the head comes later: it has a lower index */
      d->need[i - v->result] |= 2;
      continue;
    }
    for (int k = 0; k < v->n_in; k++)
      d->need[v->in[k]] = 1;
  }
  return BP_OK;
}

static bool is_bundle(const bp_op *op)
{
  return op->expand && !op->kernel && !op->body &&
         !(op->traits & (BP_VIEW | BP_INPUT | BP_STATE | BP_CONSTANT | BP_LOOP | BP_JOIN));
}

/* Slots that were added get the origin of the node they were made for. */
static bp_status note_origin(rebuild *r, uint32_t i, uint32_t *noted)
{
  bpi_draft *d = r->d;
  uint32_t origin = r->from_origin ? r->from_origin[i] : i;
  while (*noted < r->to->count) {
    if (!bpi_grow(d->ctx, (void **)&d->origin, &d->origin_cap, *noted, sizeof *d->origin))
      return bpi_nomem();
    d->origin[(*noted)++] = origin;
  }
  return BP_OK;
}

/* The nodes that stand for a call just rebuilt: its definition, a simpler equal, or itself. */
static bp_status replace(rebuild *r, bp_node *results)
{
  const bp_op *op = r->to->nodes[results[0].index].op;
  bool bundle = is_bundle(op);
  if (!bundle && !(op->simplify && bpi_pass_on(r->d, BP_PASS_simplify)))
    return BP_OK;
  bpi_call_room room;
  bp_op_call call;
  const bpi_node *v = &r->to->nodes[results[0].index];
  bp_status s = bpi_call_of(r->to, results[0].index - v->result, &room, &call);
  if (s != BP_OK)
    return s;
  if (bundle) {
    s = op->expand(&call, results);
    r->again = true;
  } else {
    bp_node simpler = op->simplify(&call);
    if (!bp_absent(simpler)) {
      results[0] = simpler;
      r->d->plan->done[BP_PASS_simplify]++;
    }
  }
  for (int k = 0; k < call.n_out && s == BP_OK; k++)
    if (bp_failed(results[k]))
      s = r->to->status != BP_OK ? r->to->status
                                 : bpi_fail(BP_E_INTERNAL, "%s: its definition gives no node", op->name);
  bpi_call_done(&room);
  return s;
}

static bp_status rebuild_call(rebuild *r, uint32_t i)
{
  const bpi_node *v = &r->from->nodes[i];
  if (r->blocks && r->blocks->size[i]) {
    bp_node loop = BP_NO_NODE;
    bp_status made = bpi_loop_blocks(r->d, r->blocks, r->to, r->map, i, &loop);
    r->map[i] = loop.index;
    return made;
  }
  bp_node few[8] = {{0}}, results[BP_MAX_RESULTS];
  bp_node *x = v->n_in <= 8 ? few : bpi_alloc(r->d->ctx, v->n_in, sizeof *x);
  if (!x)
    return bpi_nomem();
  for (int k = 0; k < v->n_in; k++)
    x[k] = bpi_handle(r->to, r->map[v->in[k]]);
  bp_status s = bp_apply(r->to, v->op, x, v->n_in, v->attr, results);
  if (x != few)
    bpi_free(r->d->ctx, x);
  if (s != BP_OK)
    return s;
  /* A builder may fold: then the result is another row's node, with nothing left to replace but by its own hook. */
  s = replace(r, results);
  for (int k = 0; k < v->n_out && s == BP_OK; k++)
    r->map[i + (uint32_t)k] = results[k].index;
  return s;
}

static bp_status rebuild_all(rebuild *r)
{
  uint32_t noted = 1;
  if (!bpi_grow(r->d->ctx, (void **)&r->d->origin, &r->d->origin_cap, 0, sizeof *r->d->origin))
    return bpi_nomem();
  r->d->origin[0] = 0;
  /* Of calls that are not needed not even the slot is read: a small part of a large graph is a small plan. */
  for (uint32_t i = 1; i < r->from->count; i += r->d->need[i] ? r->from->nodes[i].n_out : 1) {
    if (!r->d->need[i])
      continue;
    bp_status s = rebuild_call(r, i);
    if (s == BP_OK)
      s = note_origin(r, i, &noted);
    if (s != BP_OK)
      return r->to->status != BP_OK ? bpi_fail(s, "%s", bp_graph_error(r->to)) : s;
  }
  return BP_OK;
}

/* One round: d->h becomes a new graph, d->wanted its nodes. */
static bp_status one_round(bpi_draft *d, const bpi_blocks *blocks, bool *again)
{
  rebuild r = {.d = d, .from = d->h, .blocks = blocks};
  uint32_t *old_origin = d->origin;
  d->origin = NULL;
  d->origin_cap = 0;
  bp_status s = bpi_mark_needed(d);
  r.from_origin = old_origin;
  r.map = bpi_arena_alloc(&d->arena, d->h->count, sizeof *r.map);
  r.to = bp_graph_new(d->ctx);
  if (s == BP_OK && (!r.map || !r.to))
    s = bpi_nomem();
  if (s == BP_OK) {
    r.to->state = d->from->state;
    r.to->next_stream = d->h->next_stream;
    s = rebuild_all(&r);
  }
  for (size_t i = 0; i < d->n_wanted && s == BP_OK; i++)
    d->wanted[i] = bpi_handle(r.to, r.map[d->wanted[i].index]);
  bpi_free(d->ctx, old_origin);
  if (d->h != d->from)
    bp_graph_free(d->h);
  d->h = r.to;
  *again = r.again;
  return s;
}

bp_status bpi_rewrite(bpi_draft *d)
{
  d->h = d->from;
  bool again = true;
  for (int round = 0; again; round++) {
    if (round == MOST_ROUNDS)
      return bpi_fail(BP_E_LIMIT, "definitions within definitions more than %d deep", MOST_ROUNDS);
    bp_status s = one_round(d, NULL, &again);
    if (s != BP_OK)
      return s;
  }
  bpi_blocks blocks;
  bp_status s = bpi_mark_needed(d);
  if (s == BP_OK)
    s = bpi_find_blocks(d, &blocks, &again);
  if (s == BP_OK && again)
    s = one_round(d, &blocks, &again);
  return s == BP_OK ? bpi_mark_needed(d) : s;
}

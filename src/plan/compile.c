/* From a graph to a plan: the options checked, the stages run, what is left over freed. */
#include "plan/draft.h"
#include "kernels/cost.h"

#include <stdio.h>

enum {
  MOST_NESTED = 32,
  USUAL_FUSE_MIN = 256,
  FREE_ENTRIES = 1 << 20,
  USUAL_END_ROW = 1024,
  USUAL_BLOCK = 2 << 20
};

/* ---- options ---- */

static bp_status check_node(const bp_graph *g, bp_node n, const char *what, size_t i)
{
  if (n.graph == g && bpi_slot(n))
    return BP_OK;
  return bpi_fail(BP_E_GRAPH, "bp_plan_new: %s %zu is %s", what, i,
                  bp_absent(n) || n.graph == g ? "an error node or a stale handle"
                                               : "a node of another graph");
}

static bp_status check_nodes(const bp_graph *g, const bp_plan_options *o)
{
  bp_status s = BP_OK;
  for (size_t i = 0; i < o->n_outputs && s == BP_OK; i++)
    s = check_node(g, o->outputs[i], "output", i);
  for (size_t i = 0; i < o->n_updates && s == BP_OK; i++)
    s = check_node(g, o->updates[i].value, "the new value of update", i);
  for (size_t i = 0; i < o->n_guards && s == BP_OK; i++)
    s = check_node(g, o->guards[i], "guard", i);
  char label[80];
  for (size_t i = 0; i < o->n_guards && s == BP_OK; i++)
    if (bpi_slot(o->guards[i])->type->dtype != BP_REAL)
      s = bpi_fail(BP_E_DTYPE, "bp_plan_new: guard %s is %s; only reals can be finite or not",
                   bpi_node_label(g, o->guards[i].index, label, sizeof label),
                   bp_dtype_name(bpi_slot(o->guards[i])->type->dtype));
  return s;
}

static void shape_text(char *buf, size_t n, const bp_graph *g, const bp_type *t)
{
  bpi_text text;
  bpi_text_init(&text, g->ctx);
  bpi_text_shape(&text, t->rank, t->dims);
  snprintf(buf, n, "%s", text.failed || !text.s ? "?" : text.s);
  bpi_text_free(&text);
}

static bp_status check_update(const bp_graph *g, const bp_update *u, size_t i)
{
  const bp_type *value = bpi_slot(u->value)->type;
  char label[80], is[120], wants[120];
  size_t entries = g->state ? g->state->count : FREE_ENTRIES;
  if (u->entry < 0 || (size_t)u->entry >= entries)
    return bpi_fail(BP_E_RANGE, "bp_plan_new: update %zu: the state has no entry %d", i, u->entry);
  if (!g->state)
    return BP_OK; /* the run checks */
  const bpi_entry *e = &g->state->entries[u->entry];
  bpi_node_label(g, u->value.index, label, sizeof label);
  if (e->type.dtype != value->dtype)
    return bpi_fail(BP_E_DTYPE, "bp_plan_new: entry '%s' is %s, its new value %s is %s", e->name,
                    bp_dtype_name(e->type.dtype), label, bp_dtype_name(value->dtype));
  if (bpi_same_shape(&e->type, value))
    return BP_OK;
  shape_text(is, sizeof is, g, value);
  shape_text(wants, sizeof wants, g, &e->type);
  return bpi_fail(BP_E_SHAPE, "bp_plan_new: entry '%s' is %s, its new value %s is %s", e->name, wants, label,
                  is);
}

static bp_status check_updates(bp_graph *g, const bp_plan_options *o)
{
  size_t most = 0;
  bp_status s = BP_OK;
  for (size_t i = 0; i < o->n_updates && s == BP_OK; i++) {
    s = check_update(g, &o->updates[i], i);
    most = s == BP_OK && (size_t)o->updates[i].entry >= most ? (size_t)o->updates[i].entry + 1 : most;
  }
  if (s != BP_OK || o->n_updates == 0)
    return s;
  uint8_t *seen = bpi_zalloc(g->ctx, most, 1);
  if (!seen)
    return bpi_nomem();
  for (size_t i = 0; i < o->n_updates && s == BP_OK; i++) {
    int e = o->updates[i].entry;
    if (seen[e])
      s = bpi_fail(BP_E_ARG, "bp_plan_new: entry %d%s%s%s is updated twice", e, g->state ? " '" : "",
                   g->state ? g->state->entries[e].name : "", g->state ? "'" : "");
    seen[e] = 1;
  }
  bpi_free(g->ctx, seen);
  return s;
}

static bp_status check_options(bp_graph *g, const bp_plan_options *o)
{
  if (o->real != BP_FLOAT32 && o->real != BP_FLOAT64)
    return bpi_fail(BP_E_DTYPE, "bp_plan_new: reals are computed as float32 or float64, not %s",
                    bp_dtype_name(o->real));
  if ((o->n_outputs && !o->outputs) || (o->n_updates && !o->updates) || (o->n_guards && !o->guards))
    return bpi_bad_arg("bp_plan_new", "outputs, updates or guards");
  if (bp_graph_status(g) != BP_OK)
    return bpi_fail(bp_graph_status(g), "%s", bp_graph_error(g));
  bp_status s = check_nodes(g, o);
  return s == BP_OK ? check_updates(g, o) : s;
}

/* ---- stages ---- */

static bp_status draft_init(bpi_draft *d, bp_graph *g, const bp_plan_options *o, const bpi_tuning *t)
{
  *d = (bpi_draft){.ctx = g->ctx, .from = g, .o = o, .wide = o->real == BP_FLOAT64};
  bpi_arena_init(&d->arena, g->ctx);
  if (t)
    d->tuning = *t;
  d->tuning.tile = d->tuning.tile > 0 ? d->tuning.tile : BPI_TILE;
  d->tuning.fuse_min = d->tuning.fuse_min > 0 ? d->tuning.fuse_min : USUAL_FUSE_MIN;
  d->tuning.split_ns = d->tuning.split_ns > 0 ? d->tuning.split_ns : (int64_t)BPI_NS_SHARE;
  d->tuning.block = d->tuning.block > 0 ? d->tuning.block : USUAL_BLOCK;
  d->tuning.end_row = d->tuning.end_row > 0 ? d->tuning.end_row : USUAL_END_ROW;
  d->n_wanted = o->n_outputs + o->n_updates + o->n_guards;
  d->wanted = bpi_arena_alloc(&d->arena, d->n_wanted + 1, sizeof *d->wanted);
  d->plan = bpi_zalloc(g->ctx, 1, sizeof *d->plan);
  if (!d->plan)
    return bpi_nomem();
  d->plan->ctx = g->ctx;
  bpi_arena_init(&d->plan->arena, g->ctx);
  if (!d->wanted)
    return bpi_nomem();
  d->plan->real = o->real;
  d->plan->passes_off = o->passes_off | g->ctx->passes_off;
  d->plan->kernels = bpi_kernels_for(bp_ctx_isa(g->ctx));
  size_t n = 0;
  for (size_t i = 0; i < o->n_outputs; i++)
    d->wanted[n++] = o->outputs[i];
  for (size_t i = 0; i < o->n_updates; i++)
    d->wanted[n++] = o->updates[i].value;
  for (size_t i = 0; i < o->n_guards; i++)
    d->wanted[n++] = o->guards[i];
  return BP_OK;
}

static void draft_free(bpi_draft *d)
{
  if (d->h && d->h != d->from)
    bp_graph_free(d->h);
  bpi_free(d->ctx, d->origin);
  bpi_free(d->ctx, d->roots);
  bpi_free(d->ctx, d->refs);
  bpi_free(d->ctx, d->results);
  bpi_free(d->ctx, d->ins);
  bpi_free(d->ctx, d->run);
  bpi_free(d->ctx, d->step);
  bpi_free(d->ctx, d->batched);
  bpi_free(d->ctx, d->steps);
  bpi_arena_free(&d->arena);
}

static bp_status stage_rewrite(bpi_draft *d)
{
  bp_status s = bpi_rewrite(d);
  bpi_log(d->ctx, BP_LOG_DEBUG, "plan: rewrite: %zu slots to %zu", d->from->count - 1,
          d->h ? d->h->count - 1 : 0);
  return s;
}

static bp_status stage_values(bpi_draft *d)
{
  bp_status s = bpi_make_values(d);
  bpi_log(d->ctx, BP_LOG_DEBUG, "plan: values: %zu rooms, %zu instructions, %u views, %u simplified",
          d->n_roots, d->n_ins, d->plan->done[BP_PASS_views], d->plan->done[BP_PASS_simplify]);
  return s;
}

static bp_status stage_fuse(bpi_draft *d)
{
  bp_status s = bpi_distribute(d);
  if (s != BP_OK)
    return s;
  bpi_join_parts(d);
  s = bpi_fuse(d);
  if (s == BP_OK)
    s = bpi_end_products(d);
  bpi_log(d->ctx, BP_LOG_DEBUG,
          "plan: distribute: %u instructions cut; join: %u parts in place; fuse: %u instructions into tiles; "
          "epilogue: %u at the end of products",
          d->plan->done[BP_PASS_distribute], d->plan->done[BP_PASS_concat], d->plan->done[BP_PASS_fuse],
          d->plan->done[BP_PASS_epilogue]);
  return s;
}

static bp_status stage_order(bpi_draft *d)
{
  bp_status s = bpi_order(d);
  bpi_log(d->ctx, BP_LOG_DEBUG, "plan: order: %zu instructions; %u of %zu updates in place", d->n_order,
          d->plan->done[BP_PASS_commit], d->n_updates);
  return s;
}

static bp_status stage_batch(bpi_draft *d)
{
  bp_status s = bpi_batch(d);
  bpi_log(d->ctx, BP_LOG_DEBUG, "plan: batch: %u steps over single elements, %zu kinds of them",
          d->plan->done[BP_PASS_scalars], d->n_steps);
  return s;
}

static bp_status stage_place(bpi_draft *d)
{
  bp_status s = bpi_place_values(d);
  bpi_log(d->ctx, BP_LOG_DEBUG, "plan: place: block of %zu bytes, %u results over dying inputs",
          d->plan->block_bytes, d->plan->done[BP_PASS_inplace]);
  return s;
}

static bp_status stage_verify(bpi_draft *d)
{
#ifdef BPI_DEBUG
  return d->tuning.fault ? BP_OK : bpi_plan_verify(d->plan);
#else
  (void)d;
  return BP_OK;
#endif
}

bp_status bpi_compile(bp_graph *g, const bp_node *params, size_t n_params, const bp_plan_options *o,
                      const bpi_tuning *t, int depth, bp_plan **plan)
{
  static bp_status (*const stages[])(bpi_draft *) = {stage_rewrite, stage_values, stage_fuse, stage_order,
                                                     stage_batch,   stage_place,  bpi_lower,  stage_verify};
  bpi_draft d;
  if (depth > MOST_NESTED)
    return bpi_fail(BP_E_LIMIT, "bp_plan_new: loops within loops more than %d deep", MOST_NESTED);
  bp_status s = draft_init(&d, g, o, t);
  d.params = params;
  d.n_params = n_params;
  d.depth = depth;
  for (size_t i = 0; i < sizeof stages / sizeof *stages && s == BP_OK; i++)
    s = stages[i](&d);
  draft_free(&d);
  if (s != BP_OK) {
    bp_plan_free(d.plan);
    d.plan = NULL;
  }
  *plan = d.plan;
  return s;
}

/* ---- the public side ---- */

bp_status bpi_plan_new(bp_graph *g, const bp_plan_options *o, const bpi_tuning *t, bp_plan **plan)
{
  if (!g || !o || !plan)
    return bpi_bad_arg("bp_plan_new", "graph, options or plan");
  *plan = NULL;
  bp_status s = check_options(g, o);
  return s == BP_OK ? bpi_compile(g, NULL, 0, o, t, 0, plan) : s;
}

bp_status bp_plan_new(bp_graph *g, const bp_plan_options *o, bp_plan **plan)
{
  return bpi_plan_new(g, o, NULL, plan);
}

void bp_plan_free(bp_plan *p)
{
  if (!p)
    return;
  bp_ctx *ctx = p->ctx;
  bpi_plan_extra *extra = p->extra;
  if (extra)
    extra->free(extra);
  for (size_t i = 0; i < p->n_bodies; i++)
    bp_plan_free(p->bodies[i]);
  bpi_free(ctx, p->bodies);
  bpi_free_aligned(ctx, p->constants);
  bpi_arena_free(&p->arena);
  bpi_free(ctx, p);
}

void bp_plan_size(const bp_plan *p, size_t *instructions, size_t *bytes)
{
  if (instructions)
    *instructions = p ? p->n_instrs : 0;
  if (bytes)
    *bytes = p ? p->block_bytes : 0;
}

/* Tracing: the backward pass built under watch, and compiled with the forward pass into one plan that keeps everything.
 * Source of the sums and products: Griewank & Walther, Evaluating Derivatives (2008), ch. 3. */
#include "check/trace.h"
#include "autodiff/sweep.h"

#include <string.h>

/* ---- which nodes ---- */

enum { READ = 1, LISTED = 2 }; /* a result that something reads; the head of a node in the trace */

/* Marks what the nodes are made of. Inputs have lower slots than their node, and a head than its other results, so one pass is enough. */
static void mark_made_of(const bp_graph *g, uint8_t *mark)
{
  for (size_t i = g->count; i-- > 1;) {
    const bpi_node *v = &g->nodes[i];
    if (!mark[i])
      continue;
    mark[i - v->result] |= LISTED;
    for (int k = 0; v->result == 0 && k < v->n_in; k++)
      mark[v->in[k]] |= READ;
  }
}

static bool make_lists(bp_trace *t, const uint8_t *mark)
{
  const bp_graph *g = t->graph;
  for (size_t i = 1; i < g->count; i++)
    if (mark[i] & LISTED) {
      t->n_nodes++;
      t->n_results += g->nodes[i].n_out;
      t->n_wires += g->nodes[i].n_in;
    }
  t->nodes = bpi_arena_alloc(&t->arena, t->n_nodes, sizeof *t->nodes);
  t->first = bpi_arena_alloc(&t->arena, t->n_nodes, sizeof *t->first);
  t->number = bpi_arena_alloc(&t->arena, g->count, sizeof *t->number);
  t->type = bpi_arena_alloc(&t->arena, t->n_results, sizeof *t->type);
  t->wires = bpi_arena_alloc(&t->arena, t->n_wires, sizeof *t->wires);
  t->uses = bpi_arena_alloc(&t->arena, t->n_wires, sizeof *t->uses);
  bool ok = t->nodes && t->first && t->number && t->type && t->wires && t->uses;
  for (int part = 0; part < BPI_TRACE_PARTS; part++) {
    t->kept[part] = bpi_arena_alloc(&t->arena, bpi_trace_by_wire(part) ? t->n_wires : t->n_results,
                                    sizeof *t->kept[part]);
    ok = ok && t->kept[part];
  }
  t->n_slots = g->count;
  return ok;
}

static void list_nodes(bp_trace *t, const uint8_t *mark)
{
  bp_graph *g = t->graph;
  size_t i = 0;
  bpi_trace_first at = {0, 0};
  for (uint32_t head = 1; head < g->count; head++) {
    const bpi_node *v = &g->nodes[head];
    if (!(mark[head] & LISTED))
      continue;
    t->first[i] = at;
    t->nodes[i] = (bp_traced){.node = bpi_handle(g, head),
                              .op = v->op,
                              .attr = v->attr,
                              .n_in = v->n_in,
                              .n_out = v->n_out,
                              .in = t->wires + at.wire,
                              .fixed = (v->flags & BPI_NODE_FIXED) != 0};
    for (uint32_t k = 0; k < v->n_out; k++) {
      t->number[head + k] = (uint32_t)i + 1;
      t->type[at.result] = g->nodes[head + k].type;
      t->kept[BP_TRACE_VALUE][at.result++] = mark[head + k] & READ ? head + k : 0;
    }
    for (int k = 0; k < v->n_in; k++) {
      const bpi_node *from = &g->nodes[v->in[k]];
      t->wires[at.wire++] = (bp_wire){t->number[v->in[k]] - 1, i, from->result, k};
    }
    i++;
  }
}

/* Wires by the node that they leave, in the order in which a reverse sweep comes to their ends. */
static void list_uses(bp_trace *t)
{
  for (size_t w = 0; w < t->n_wires; w++)
    t->nodes[t->wires[w].from].n_uses++;
  bp_wire *room = t->uses;
  for (size_t i = 0; i < t->n_nodes; i++) {
    t->nodes[i].uses = room;
    room += t->nodes[i].n_uses;
    t->nodes[i].n_uses = 0;
  }
  for (size_t i = t->n_nodes; i-- > 0;)
    for (int k = 0; k < t->nodes[i].n_in; k++) {
      bp_traced *from = &t->nodes[t->nodes[i].in[k].from];
      t->uses[from->uses - t->uses + (ptrdiff_t)from->n_uses++] = t->nodes[i].in[k];
    }
}

static void list_names(bp_trace *t)
{
  const bp_graph *g = t->graph;
  for (size_t i = g->n_names; i-- > 0;) {
    uint32_t number = t->number[g->names[i].index];
    /* The first name of the first result that has one. */
    if (number && (!t->nodes[number - 1].name || g->nodes[g->names[i].index].result == 0))
      t->nodes[number - 1].name = g->names[i].name;
  }
}

/* ---- what passes in the backward pass ---- */

typedef struct tracing {
  bp_trace *t;
  const bp_node *y;
  size_t n_y;
  bp_node *wrt, *up; /* as asked for, or made */
  size_t n_wrt;
  bpi_sweeps sweeps;
  bool *wanted; /* room for the inputs of one node */
  bp_node *found;
} tracing;

static size_t result_number(const bp_trace *t, uint32_t slot)
{
  const bpi_node *v = &t->graph->nodes[slot];
  return t->first[t->number[slot] - 1].result + v->result;
}

static bp_status on_seed(void *user, uint32_t slot, bp_node up)
{
  tracing *w = user;
  uint32_t *kept = &w->t->kept[BP_TRACE_SEED][result_number(w->t, slot)];
  *kept = *kept ? bp_add(bpi_handle(w->t->graph, *kept), up).index : up.index;
  return w->t->graph->status;
}

/* What a rule gives for an upstream gradient of `up` is kept for the inputs that are wanted. */
static bp_status keep_products(tracing *w, const bp_op_call *c, int part, bp_node up)
{
  bp_trace *t = w->t;
  bp_status s = bpi_products(&w->sweeps, c, &up, w->wanted, w->found);
  uint32_t first = t->first[t->number[c->y.index] - 1].wire;
  for (int i = 0; s == BP_OK && i < c->n_in; i++)
    t->kept[part][first + (uint32_t)i] = bp_absent(w->found[i]) ? 0 : w->found[i].index;
  return s;
}

/* The class of a local Jacobian: as the row states it, or as it turns out to be (of functions, of products). That is asked for with room for
 * some entries a column only, as classes with more are of no use here. */
static bp_status class_of(const bp_op_call *c, int input, bp_jac *jac)
{
  enum { EACH = 4, SOME = 64 };
  bp_local_info info;
  *jac = c->op->jacobian ? c->op->jacobian(c, input, 0) : BP_JAC_DENSE;
  if (c->op->jacobian)
    return BP_OK;
  int64_t most = SOME + EACH * bpi_type_size(&c->x_type[input]);
  bp_status s = bpi_local_of_call(c->graph, c->y.index, 0, input, most, &info);
  if (s == BP_OK)
    *jac = info.jac;
  return s == BP_E_NOMEM ? s : BP_OK;
}

/* Whether what the rule gives for ones, the sums of the local Jacobian's columns, are its entries. */
static bp_status sums_are_entries(const bp_op_call *c, int input, bool *yes)
{
  bp_jac jac = BP_JAC_DENSE;
  *yes = bpi_type_size(&c->y_type[0]) == 1 || (c->op->traits & (BP_ELEMENTWISE | BP_REDUCTION | BP_ROUTER));
  if (*yes)
    return BP_OK;
  bp_status s = class_of(c, input, &jac);
  *yes = jac == BP_JAC_IDENTITY || jac == BP_JAC_SCALED || jac == BP_JAC_DIAGONAL || jac == BP_JAC_SPREAD ||
         jac == BP_JAC_PERMUTATION;
  return s;
}

/* 1, 2, 3, ... in the shape of the result: what comes back tells who took which. */
static bp_node numbered(const bp_op_call *c)
{
  const bp_type *y = &c->y_type[0];
  int64_t n = bpi_type_size(y);
  bp_node count = bp_add(bp_iota(c->graph, BP_REAL, &n, 1, 0), bp_constant(c->graph, 1));
  return bp_reshape(count, y->dims, y->rank);
}

enum { EXACT_IN_FLOAT32 = 1 << 24 };

/* Whose local gradients are kept: those of wires that pass something on; of a router also of those that lost. */
static bp_status choose_locals(tracing *w, const bp_op_call *c, const bp_node *grads, bool *any)
{
  bp_status s = BP_OK;
  *any = false;
  for (int i = 0; s == BP_OK && i < c->n_in; i++) {
    w->wanted[i] = c->n_out == 1 && c->x_type[i].dtype == BP_REAL &&
                   ((c->op->traits & BP_ROUTER) || !bp_absent(grads[i]));
    if (w->wanted[i])
      s = sums_are_entries(c, i, &w->wanted[i]);
    *any = *any || w->wanted[i];
  }
  return s;
}

static bp_status on_passed(void *user, const bp_op_call *c, const bp_node *grads)
{
  tracing *w = user;
  bp_trace *t = w->t;
  uint32_t first = t->first[t->number[c->y.index] - 1].wire;
  bool any;
  for (int i = 0; i < c->n_in; i++)
    t->kept[BP_TRACE_PRODUCT][first + (uint32_t)i] = bp_absent(grads[i]) ? 0 : grads[i].index;
  bp_status s = choose_locals(w, c, grads, &any);
  if (s != BP_OK || !any)
    return s;
  const bp_type *y = &c->y_type[0];
  s = keep_products(w, c, BP_TRACE_LOCAL, bp_full(c->graph, BP_REAL, 1, y->rank, y->dims));
  bool exact = t->real == BP_FLOAT64 || bpi_type_size(y) <= EXACT_IN_FLOAT32;
  if (s == BP_OK && (c->op->traits & BP_ROUTER) && exact)
    s = keep_products(w, c, BPI_TRACE_ROUTE, numbered(c));
  return s;
}

static bp_status on_done(void *user, const bpi_region *r)
{
  tracing *w = user;
  bp_trace *t = w->t;
  for (size_t i = 0; i < t->n_nodes; i++)
    for (int k = 0; k < t->nodes[i].n_out; k++) {
      bp_node total = bpi_region_value(t->graph, r, t->nodes[i].node.index + (uint32_t)k);
      t->kept[BP_TRACE_GRADIENT][t->first[i].result + (uint32_t)k] = bp_absent(total) ? 0 : total.index;
    }
  return BP_OK;
}

static bp_status sweep(tracing *w)
{
  bp_trace *t = w->t;
  const bpi_watch watch = {w, on_seed, on_passed, on_done};
  bp_node *grads = bpi_arena_alloc(&t->arena, w->n_wrt, sizeof *grads);
  if (!grads)
    return bpi_nomem();
  bpi_sweeps_init(&w->sweeps, t->graph);
  w->sweeps.watch = &watch;
  bp_status s = bpi_reverse(&w->sweeps, w->y, w->up, w->n_y, w->wrt, w->n_wrt, false, grads);
  bpi_sweeps_free(&w->sweeps);
  for (size_t i = 0; s == BP_OK && i < w->n_wrt; i++)
    t->kept[BP_TRACE_GRADIENT][result_number(t, w->wrt[i].index)] = grads[i].index;
  return s;
}

/* ---- putting it together ---- */

static bp_status make_upstream(tracing *w, const bp_node *given)
{
  w->up = bpi_arena_alloc(&w->t->arena, w->n_y, sizeof *w->up);
  for (size_t i = 0; w->up && i < w->n_y; i++) {
    const bp_type *y = bpi_slot(w->y[i])->type;
    w->up[i] = given ? given[i] : bp_full(w->t->graph, BP_REAL, 1, y->rank, y->dims);
  }
  return w->up ? w->t->graph->status : bpi_nomem();
}

/* The inputs and entries of the state that y depends on, unless the caller says otherwise. */
static bp_status choose_wrt(tracing *w, const bp_trace_options *o)
{
  bp_trace *t = w->t;
  w->wrt = bpi_arena_alloc(&t->arena, o->n_wrt ? o->n_wrt : t->n_nodes, sizeof *w->wrt);
  if (!w->wrt)
    return bpi_nomem();
  for (size_t i = 0; i < o->n_wrt; i++)
    w->wrt[w->n_wrt++] = o->wrt[i];
  for (size_t i = 0; !o->n_wrt && i < t->n_nodes; i++)
    if ((t->nodes[i].op->traits & (BP_INPUT | BP_STATE)) && t->type[t->first[i].result]->dtype == BP_REAL)
      w->wrt[w->n_wrt++] = t->nodes[i].node;
  for (size_t i = 0; i < w->n_wrt; i++)
    t->nodes[t->number[w->wrt[i].index] - 1].given = true;
  for (size_t i = 0; i < w->n_y; i++)
    t->nodes[t->number[w->y[i].index] - 1].output = true;
  return BP_OK;
}

static bp_status list(tracing *w, const bp_trace_options *o)
{
  bp_trace *t = w->t;
  uint8_t *mark = bpi_zalloc(t->ctx, t->graph->count, 1);
  if (!mark)
    return bpi_nomem();
  for (size_t i = 0; i < w->n_y; i++)
    mark[w->y[i].index] = READ;
  for (size_t i = 0; i < o->n_wrt; i++)
    mark[o->wrt[i].index] = READ;
  mark_made_of(t->graph, mark);
  size_t most = 1;
  bool ok = make_lists(t, mark);
  if (ok)
    list_nodes(t, mark);
  bpi_free(t->ctx, mark);
  for (size_t i = 0; ok && i < t->n_nodes; i++)
    most = (size_t)t->nodes[i].n_in > most ? (size_t)t->nodes[i].n_in : most;
  w->wanted = bpi_arena_alloc(&t->arena, most, sizeof *w->wanted);
  w->found = bpi_arena_alloc(&t->arena, most, sizeof *w->found);
  if (!ok || !w->wanted || !w->found)
    return bpi_nomem();
  list_uses(t);
  list_names(t);
  return BP_OK;
}

/* Every slot that is kept becomes an output of the plan, once. */
static bp_status compile(bp_trace *t, bp_state *state)
{
  bp_graph *g = t->graph;
  size_t n = 0;
  bp_node *outputs = bpi_alloc(t->ctx, g->count, sizeof *outputs);
  uint32_t *output_of = bpi_zalloc(t->ctx, g->count, sizeof *output_of);
  bp_status s = outputs && output_of ? BP_OK : bpi_nomem();
  for (int part = 0; s == BP_OK && part < BPI_TRACE_PARTS; part++)
    for (uint32_t i = 0; i < (bpi_trace_by_wire(part) ? t->n_wires : t->n_results); i++) {
      uint32_t slot = t->kept[part][i];
      if (slot && !output_of[slot]) {
        outputs[n++] = bpi_handle(g, slot);
        output_of[slot] = (uint32_t)n;
      }
      t->kept[part][i] = output_of[slot];
    }
  bp_plan_options o = {.real = t->real, .outputs = outputs, .n_outputs = n};
  s = s == BP_OK ? bp_plan_new(g, &o, &t->plan) : s;
  bpi_free(t->ctx, outputs);
  bpi_free(t->ctx, output_of);
  return s == BP_OK ? bp_run_new(t->plan, state, &t->run) : s;
}

static bp_status build(bp_trace *t, const bp_node *y, size_t n_y, const bp_trace_options *o)
{
  tracing w = {.t = t, .y = y, .n_y = n_y};
  bp_status s = list(&w, o);
  if (s == BP_OK)
    s = choose_wrt(&w, o);
  if (s == BP_OK)
    s = make_upstream(&w, o->upstream);
  if (s == BP_OK)
    s = sweep(&w);
  return s == BP_OK ? compile(t, o->state) : s;
}

bp_status bp_trace_new(const bp_node *y, size_t n_y, const bp_trace_options *options, bp_trace **trace)
{
  static const bp_trace_options usual;
  const bp_trace_options *o = options ? options : &usual;
  bp_graph *g;
  bpi_job job = {"bp_trace_new", y, o->upstream, o->wrt, NULL, n_y, o->n_wrt};
  if (!trace)
    return bpi_bad_arg("bp_trace_new", "trace");
  *trace = NULL;
  bp_status s = bpi_job_check(&job, &g);
  if (s != BP_OK)
    return s;
  bp_trace *t = bpi_zalloc(g->ctx, 1, sizeof *t);
  if (!t)
    return bpi_nomem();
  *t = (bp_trace){.ctx = g->ctx, .graph = g, .real = o->real ? o->real : BP_FLOAT64};
  bpi_arena_init(&t->arena, g->ctx);
  /* The plan keeps what it needs, so the graph can be left as it was found. */
  uint32_t mark = bp_graph_mark(g);
  s = build(t, y, n_y, o);
  if (g->status != BP_OK)
    s = bpi_undo(g, mark, NULL, 0);
  else if (bp_graph_mark(g) > mark)
    bp_graph_rollback(g, mark);
  if (s == BP_OK)
    *trace = t;
  else
    bp_trace_free(t);
  return s;
}

void bp_trace_free(bp_trace *t)
{
  if (!t)
    return;
  bp_run_free(t->run);
  bp_plan_free(t->plan);
  bpi_arena_free(&t->arena);
  bpi_free(t->ctx, t);
}

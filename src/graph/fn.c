/* Functions: graphs with chosen inputs and outputs; and the calls of nodes as rules see them. */
#include "graph/graph.h"

#include <string.h>

static bp_status check_fn(bp_graph *body, const bp_node *inputs, size_t n_inputs, const bp_node *outputs,
                          size_t n_outputs)
{
  if ((n_inputs && !inputs) || !outputs || n_outputs < 1 || n_outputs > BP_MAX_RESULTS)
    return bpi_bad_arg("bp_fn_new", "needs 1 to 64 outputs, and arrays that are not NULL");
  if (bp_graph_status(body) != BP_OK)
    return bpi_fail(bp_graph_status(body), "%s", bp_graph_error(body));
  for (size_t i = 0; i < n_inputs; i++) {
    const bpi_node *v = bpi_slot(inputs[i]);
    if (!v || inputs[i].graph != body || !(v->op->traits & BP_INPUT))
      return bpi_fail(BP_E_GRAPH, "bp_fn_new: parameter %zu is not an input node of the body", i + 1);
    for (size_t k = 0; k < i; k++)
      if (inputs[k].index == inputs[i].index)
        return bpi_fail(BP_E_EXISTS, "bp_fn_new: parameter %zu is parameter %zu again", i + 1, k + 1);
  }
  for (size_t i = 0; i < n_outputs; i++)
    if (outputs[i].graph != body || !bpi_slot(outputs[i]))
      return bpi_fail(BP_E_GRAPH, "bp_fn_new: output %zu is not a node of the body", i + 1);
  for (uint32_t i = 1; i < body->count; i++) {
    if (body->nodes[i].op->traits & BP_STATE)
      return bpi_fail(BP_E_ARG, "bp_fn_new: the body reads state; pass the value in as a parameter");
    bool listed = !(body->nodes[i].op->traits & BP_INPUT);
    for (size_t k = 0; !listed && k < n_inputs; k++)
      listed = inputs[k].index == i;
    if (!listed)
      return bpi_fail(BP_E_UNBOUND, "bp_fn_new: input '%s' of the body is not among the parameters",
                      bp_node_name(bpi_handle(body, i)) ? bp_node_name(bpi_handle(body, i)) : "?");
  }
  return BP_OK;
}

/* Asked of a body once: functions that call functions would else be walked through again and again. */
static bool draws(const bp_graph *body)
{
  for (uint32_t i = 1; i < body->count; i++) {
    const bpi_node *v = &body->nodes[i];
    if (v->op->traits & BP_RANDOM)
      return true;
    for (int k = 0; k < bpi_op_n_attrs(v->op); k++)
      if (v->op->attrs[k].kind == BP_ATTR_FN && v->attr[k].fn->random)
        return true;
  }
  return false;
}

static bp_status make_fn(const char *name, bp_graph *body, const bp_node *inputs, size_t n_inputs,
                         const bp_node *outputs, size_t n_outputs, bp_fn **made)
{
  bp_ctx *ctx = body->ctx;
  bp_fn *fn = bpi_zalloc(ctx, 1, sizeof *fn);
  if (!fn) {
    bp_graph_free(body);
    return bpi_nomem();
  }
  fn->body = body;
  body->closed = true;
  fn->random = draws(body);
  fn->count = 1;
  fn->name = bpi_strdup(ctx, name ? name : "fn");
  fn->inputs = bpi_zalloc(ctx, n_inputs, sizeof *fn->inputs);
  fn->outputs = bpi_zalloc(ctx, n_outputs, sizeof *fn->outputs);
  if (!fn->name || !fn->inputs || !fn->outputs) {
    bp_fn_free(fn);
    return bpi_nomem();
  }
  if (n_inputs)
    memcpy(fn->inputs, inputs, n_inputs * sizeof *inputs);
  memcpy(fn->outputs, outputs, n_outputs * sizeof *outputs);
  fn->n_inputs = n_inputs;
  fn->n_outputs = n_outputs;
  *made = fn;
  return BP_OK;
}

bp_status bpi_fn_make(const char *name, bp_graph *body, const bp_node *inputs, size_t n_inputs,
                      const bp_node *outputs, size_t n_outputs, bp_fn **fn)
{
  *fn = NULL;
  bp_status s =
      body ? check_fn(body, inputs, n_inputs, outputs, n_outputs) : bpi_bad_arg("bp_fn_new", "body is NULL");
  if (s == BP_OK)
    return make_fn(name, body, inputs, n_inputs, outputs, n_outputs, fn);
  bp_graph_free(body);
  return s;
}

bp_fn *bp_fn_new(const char *name, bp_graph *body, const bp_node *inputs, size_t n_inputs,
                 const bp_node *outputs, size_t n_outputs)
{
  bp_fn *fn;
  return bpi_fn_make(name, body, inputs, n_inputs, outputs, n_outputs, &fn) == BP_OK ? fn : NULL;
}

void bp_fn_free(bp_fn *fn)
{
  if (!fn || --fn->count)
    return;
  bp_ctx *ctx = fn->body->ctx;
  for (size_t i = 0; i < fn->n_derived; i++) {
    bp_fn_free(fn->derived[i].fn);
    bpi_free(ctx, fn->derived[i].mask);
  }
  bpi_free(ctx, fn->derived);
  bpi_free(ctx, fn->name);
  bpi_free(ctx, fn->inputs);
  bpi_free(ctx, fn->outputs);
  bp_graph_free(fn->body);
  bpi_free(ctx, fn);
}

const char *bp_fn_name(const bp_fn *fn)
{
  return fn ? fn->name : "";
}

bp_fn *bpi_fn_keep(bp_fn *fn)
{
  fn->count++;
  return fn;
}

bp_fn *bpi_fn_derived(bp_fn *fn, int kind, const uint64_t *mask, size_t n_mask)
{
  for (size_t i = 0; i < fn->n_derived; i++) {
    const bpi_derived *d = &fn->derived[i];
    if (d->kind == kind && d->n_mask == n_mask &&
        (n_mask == 0 || memcmp(d->mask, mask, n_mask * sizeof *mask) == 0))
      return d->fn;
  }
  return NULL;
}

bp_fn *bpi_fn_remember(bp_fn *fn, int kind, const uint64_t *mask, size_t n_mask, bp_fn *made)
{
  if (!made)
    return NULL;
  bp_ctx *ctx = fn->body->ctx;
  uint64_t *copy = bpi_alloc(ctx, n_mask, sizeof *copy);
  if (!copy || !bpi_grow(ctx, (void **)&fn->derived, &fn->derived_cap, fn->n_derived, sizeof *fn->derived)) {
    bpi_free(ctx, copy);
    bp_fn_free(made);
    bpi_nomem();
    return NULL;
  }
  if (n_mask)
    memcpy(copy, mask, n_mask * sizeof *mask);
  fn->derived[fn->n_derived++] = (bpi_derived){kind, copy, n_mask, made};
  return made;
}

bool bpi_fn_random(const bp_fn *fn)
{
  return fn->random;
}

/* Streams below BPI_OWN_STREAMS are the graph's own; above are those made here. */
static int64_t inner_stream(uint32_t stream, int64_t own)
{
  uint64_t h = ((uint64_t)stream << 32 | (uint32_t)own) * 0x9e3779b97f4a7c15u;
  return (int64_t)(h >> 33 | BPI_OWN_STREAMS);
}

/* Gives random numbers streams of their own, in whatever way a row has them: an attribute `stream`, or a function with random nodes. */
static bp_status restream(const bpi_node *v, uint32_t head, bp_attr *attr, uint32_t stream)
{
  bp_attr *fn = NULL;
  for (int k = 0; k < bpi_op_n_attrs(v->op); k++) {
    if (strcmp(v->op->attrs[k].name, "stream") == 0) {
      attr[k].i = attr[k].i ? inner_stream(stream, attr[k].i) : 0;
      return BP_OK;
    }
    if (v->op->attrs[k].kind == BP_ATTR_FN)
      fn = &attr[k];
  }
  if (fn && bpi_fn_random(fn->fn))
    fn->fn = bpi_fn_restreamed(fn->fn, (uint32_t)inner_stream(stream, head));
  return !fn || fn->fn ? BP_OK : BP_E_NOMEM;
}

static bp_status inline_node(bp_graph *g, const bp_graph *body, uint32_t head, bp_node *map, bp_node *x,
                             uint32_t stream)
{
  const bpi_node *v = &body->nodes[head];
  bp_attr attr[BP_MAX_ATTRS];
  memcpy(attr, v->attr, (size_t)bpi_op_n_attrs(v->op) * sizeof *attr);
  if (stream && restream(v, head, attr, stream) != BP_OK)
    return bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", v->op->name);
  for (int k = 0; k < v->n_in; k++)
    x[k] = map[v->in[k]];
  return bp_apply(g, v->op, x, v->n_in, attr, &map[head]);
}

/* What has a name in the body is called "f.z" here; of a second call, "f.z:2", as a name means one node. */
static bp_status name_parts(const bp_fn *fn, bp_graph *g, const bp_node *map)
{
  const bp_graph *body = fn->body;
  bpi_text t;
  bpi_text_init(&t, g->ctx);
  size_t number = ++g->n_inlined;
  for (size_t i = 0; i < body->n_names; i++) {
    bp_node part = map[body->names[i].index];
    if (!bpi_slot(part) || (body->nodes[body->names[i].index].op->traits & BP_INPUT))
      continue;
    t.n = 0;
    bpi_textf(&t, "%s.%s", fn->name, body->names[i].name);
    if (!t.failed && bpi_name_taken(g, t.s))
      bpi_textf(&t, ":%zu", number);
    if (!t.failed && !bpi_name_taken(g, t.s))
      bp_name(part, t.s);
  }
  bool failed = t.failed;
  bpi_text_free(&t);
  return failed ? bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", fn->name) : g->status;
}

bp_status bpi_fn_inline(bp_fn *fn, bp_graph *g, const bp_node *args, uint32_t stream, bp_node *results)
{
  const bp_graph *body = fn->body;
  size_t most = 1;
  for (uint32_t i = 1; i < body->count; i++)
    most = body->nodes[i].n_in > most ? body->nodes[i].n_in : most;
  bp_node *map = bpi_zalloc(g->ctx, body->count + most, sizeof *map);
  if (!map)
    return bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", fn->name);
  for (size_t i = 0; i < fn->n_inputs; i++)
    map[fn->inputs[i].index] = args[i];
  bp_status s = BP_OK;
  for (uint32_t i = 1; s == BP_OK && i < body->count; i += body->nodes[i].n_out)
    if (!(body->nodes[i].op->traits & BP_INPUT))
      s = inline_node(g, body, i, map, map + body->count, stream);
  for (size_t k = 0; s == BP_OK && k < fn->n_outputs; k++)
    results[k] = map[fn->outputs[k].index];
  if (s == BP_OK && g->name_parts)
    s = name_parts(fn, g, map);
  bpi_free(g->ctx, map);
  return s;
}

enum { DERIVED_STREAMS = -1 };

bp_fn *bpi_fn_restreamed(bp_fn *fn, uint32_t stream)
{
  uint64_t mask = stream;
  bp_fn *made = bpi_fn_derived(fn, DERIVED_STREAMS, &mask, 1);
  if (made)
    return made;
  bp_graph *g = bp_graph_new(fn->body->ctx);
  bp_node *in = g ? bpi_arena_alloc(&g->arena, fn->n_inputs + fn->n_outputs, sizeof *in) : NULL;
  bp_node *out = in ? in + fn->n_inputs : NULL;
  for (size_t i = 0; in && i < fn->n_inputs; i++)
    in[i] = bpi_placeholder(g, fn->body->nodes[fn->inputs[i].index].type);
  if (!in || bpi_fn_inline(fn, g, in, stream, out) != BP_OK) {
    bp_graph_free(g);
    return NULL;
  }
  made = bp_fn_new(fn->name, g, in, fn->n_inputs, out, fn->n_outputs);
  if (made)
    made->streamed = true;
  return bpi_fn_remember(fn, DERIVED_STREAMS, &mask, 1, made);
}

bp_status bpi_call_of(bp_graph *g, uint32_t head, bpi_call_room *room, bp_op_call *call)
{
  const bpi_node *v = &g->nodes[head];
  size_t n_in = v->n_in, n_out = v->n_out;
  bpi_arena_init(&room->arena, g->ctx);
  bool few = n_in <= 4 && n_out <= 2;
  room->x = few ? room->few_x : bpi_arena_alloc(&room->arena, n_in, sizeof *room->x);
  room->x_type = few ? room->few_types : bpi_arena_alloc(&room->arena, n_in, sizeof *room->x_type);
  room->y_type = few ? room->few_types + 4 : bpi_arena_alloc(&room->arena, n_out, sizeof *room->y_type);
  if (!room->x || !room->x_type || !room->y_type) {
    bpi_arena_free(&room->arena);
    return bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", v->op->name);
  }
  for (size_t i = 0; i < n_in; i++) {
    room->x[i] = bpi_handle(g, v->in[i]);
    room->x_type[i] = *g->nodes[v->in[i]].type;
  }
  for (size_t k = 0; k < n_out; k++)
    room->y_type[k] = *g->nodes[head + k].type;
  *call = (bp_op_call){.graph = g,
                       .op = v->op,
                       .n_in = (int)n_in,
                       .n_out = (int)n_out,
                       .x = room->x,
                       .x_type = room->x_type,
                       .attr = v->attr,
                       .y = bpi_handle(g, head),
                       .y_type = room->y_type};
  return BP_OK;
}

void bpi_call_done(bpi_call_room *room)
{
  bpi_arena_free(&room->arena);
}

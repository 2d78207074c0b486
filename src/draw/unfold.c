/* Bundles drawn as their parts: the definition is built on inputs of a graph of its own, traced with the values and gradients that the bundle
 * itself has there, and laid out as a circuit within the circuit. */
#include "check/trace.h"
#include "draw/circuit.h"

#include <string.h>

enum { MOST_DEPTH = 5, NAME_MOST = 64 };

typedef struct opened {
  const bpi_circuit *c;
  const bpi_part *p;
  bp_graph *g;
  bp_node *arg, *param; /* all that come in; those that are no constants */
  uint32_t *from;       /* of each param: slot of the circuit */
  size_t n_params;
  bp_node y[BP_MAX_RESULTS], up[BP_MAX_RESULTS];
  size_t n_y;
  bp_trace *trace;
} opened;

/* The name of input k: the function's parameter, or what the row calls it. */
static void name_of(const bpi_part *p, uint32_t k, char *name)
{
  const bp_fn *fn = NULL;
  for (int i = 0; i < bpi_op_n_attrs(p->op); i++)
    if (p->op->attrs[i].kind == BP_ATTR_FN)
      fn = p->attr[i].fn;
  const char *text = fn && k < fn->n_inputs ? bp_node_name(fn->inputs[k]) : NULL;
  size_t n = 0;
  if (!fn && p->op->args) {
    text = p->op->args;
    for (uint32_t i = 0; i < k && text; i++)
      text = strchr(text, ',') ? strchr(text, ',') + 2 : NULL;
  }
  while (text && text[n] && text[n] != ',' && text[n] != '.' && n + 1 < NAME_MOST)
    n++;
  memcpy(name, text && n ? text : "x", n ? n : 1);
  name[n ? n : 1] = 0;
}

static bp_node make_input(opened *o, uint32_t k)
{
  char name[NAME_MOST];
  const bp_type *type = o->c->g->nodes[o->p->args[k]].type;
  bpi_text t;
  name_of(o->p, k, name);
  if (!bpi_name_taken(o->g, name))
    return bp_input(o->g, name, type->dtype, type->rank, type->dims);
  bpi_text_init(&t, o->c->ctx);
  bpi_textf(&t, "%s(%u)", name, k + 1);
  bp_node x = t.failed ? bpi_node_fail(o->g, BP_E_NOMEM, "out of memory")
                       : bp_input(o->g, t.s, type->dtype, type->rank, type->dims);
  bpi_text_free(&t);
  return x;
}

/* Inputs first, so that they come in the order of the pins; constants as they are. */
static bp_status make_inputs(opened *o)
{
  const bp_graph *g = o->c->g;
  for (uint32_t k = 0; k < o->p->n_args; k++)
    if (!bpi_is_folded(o->c, o->p, k)) {
      o->arg[k] = o->param[o->n_params] = make_input(o, k);
      o->from[o->n_params++] = o->p->args[k];
    }
  for (uint32_t k = 0; k < o->p->n_args; k++)
    if (bpi_is_folded(o->c, o->p, k)) {
      const bpi_node *v = &g->nodes[o->p->args[k]];
      bp_apply(o->g, v->op, NULL, 0, v->attr, &o->arg[k]);
    }
  return o->g->status;
}

static bp_status expand(opened *o)
{
  bpi_call_room room;
  bp_op_call call;
  bp_status s = bp_apply(o->g, o->p->op, o->arg, o->p->n_args, o->p->attr, o->y);
  const bpi_node *v = s == BP_OK ? bpi_slot(o->y[0]) : NULL;
  if (!v || v->op != o->p->op)
    return s;
  o->n_y = v->n_out;
  s = bpi_call_of(o->g, o->y[0].index, &room, &call);
  if (s != BP_OK)
    return s;
  s = o->p->op->expand(&call, o->y);
  bpi_call_done(&room);
  return s != BP_OK ? s : o->g->status;
}

/* ---- values ---- */

static bool read_outer(const opened *o, bp_trace_part part, uint32_t slot, const void **data, bp_type *type)
{
  size_t i;
  int k;
  return bp_trace_locate(o->c->trace, bpi_handle(o->c->g, slot), &i, &k) == BP_OK &&
         bp_trace_read(o->c->trace, part, i, k, data, type) == BP_OK;
}

static bp_status bind(opened *o, const char *name, const void *data, const bp_type *type)
{
  bp_status s = bp_trace_bind(o->trace, name, data, (size_t)bpi_type_size(type) * bp_dtype_size(type->dtype));
  return s == BP_E_NOTFOUND ? BP_OK : s;
}

/* Upstream gradients are inputs too, named by number. Only real results have one. */
static bp_status make_upstream(opened *o, bp_node *real, bp_node *up, size_t *n)
{
  for (size_t i = 0; i < o->n_y; i++) {
    const bp_type *t = bpi_slot(o->y[i])->type;
    if (t->dtype != BP_REAL)
      continue;
    char name[] = {'\x01', (char)('0' + i), 0};
    up[*n] = o->up[i] = bp_input(o->g, name, BP_REAL, t->rank, t->dims);
    real[(*n)++] = o->y[i];
  }
  return o->g->status;
}

static bp_status bind_all(opened *o)
{
  const void *data;
  bp_type type;
  bp_status s = BP_OK;
  for (size_t i = 0; i < o->n_params && s == BP_OK; i++)
    if (read_outer(o, BP_TRACE_VALUE, o->from[i], &data, &type) && data)
      s = bind(o, bp_node_name(o->param[i]), data, &type);
  for (size_t i = 0; i < o->n_y && s == BP_OK; i++) {
    if (bp_absent(o->up[i]))
      continue;
    type = *bpi_slot(o->up[i])->type;
    type.dtype = o->c->trace->real;
    bp_type found;
    if (!read_outer(o, BP_TRACE_GRADIENT, o->p->head + (uint32_t)i, &data, &found) || !data)
      data = bpi_arena_alloc(&o->g->arena, (size_t)bpi_type_size(&type) + 1, bp_dtype_size(type.dtype));
    s = data ? bind(o, bp_node_name(o->up[i]), data, &type) : bpi_nomem();
  }
  return s;
}

static bp_status trace_inside(opened *o)
{
  bp_node real[BP_MAX_RESULTS], up[BP_MAX_RESULTS];
  size_t n = 0;
  bp_status s = make_upstream(o, real, up, &n);
  if (s != BP_OK || !n)
    return s;
  bp_trace_options options = {.real = o->c->trace->real, .upstream = up};
  s = bp_trace_new(real, n, &options, &o->trace);
  if (s == BP_OK)
    s = bind_all(o);
  return s == BP_OK ? bp_trace_run(o->trace) : s;
}

/* ---- the circuit within ---- */

static bp_status draw_inside(opened *o, bpi_sheet *s)
{
  bpi_circuit in = {.ctx = o->c->ctx,
                    .g = o->g,
                    .y = o->y,
                    .n_y = o->n_y,
                    .o = o->c->o,
                    .trace = o->trace,
                    .depth = o->c->depth + 1,
                    .params = o->param,
                    .n_params = o->n_params,
                    .decimals = o->c->decimals};
  bp_status status = bpi_circuit_open(&in);
  if (status == BP_OK && !in.o->all)
    status = bpi_circuit_shorten(&in, bpi_circuit_most(in.o));
  if (status == BP_OK)
    status = bpi_circuit_wire(&in, s);
  bpi_circuit_close(&in);
  return status;
}

static bp_status open_bundle(opened *o, bpi_arena *room)
{
  size_t n = o->p->n_args + 1;
  o->g = bp_graph_new(o->c->ctx);
  o->arg = bpi_arena_alloc(room, n, sizeof *o->arg);
  o->param = bpi_arena_alloc(room, n, sizeof *o->param);
  o->from = bpi_arena_alloc(room, n, sizeof *o->from);
  if (!o->g || !o->arg || !o->param || !o->from)
    return bpi_nomem();
  bp_status s = make_inputs(o);
  if (s == BP_OK)
    s = expand(o);
  if (s == BP_OK && o->c->trace && o->n_y)
    s = trace_inside(o);
  return s != BP_OK && o->g->status != BP_OK ? bpi_fail(s, "%s", o->g->message) : s;
}

bp_status bpi_circuit_frame(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s, bpi_sheet **inner)
{
  opened o = {.c = c, .p = p};
  bpi_arena room;
  *inner = NULL;
  if (c->depth >= MOST_DEPTH || !p->attr)
    return BP_OK;
  bpi_arena_init(&room, c->ctx);
  bp_status status = open_bundle(&o, &room);
  if (status == BP_OK && o.n_y) {
    *inner = bpi_sheet_alloc(s, 1, sizeof **inner);
    if (*inner)
      bpi_sheet_init(*inner, c->ctx);
    status = *inner ? draw_inside(&o, *inner) : bpi_nomem();
  }
  bp_trace_free(o.trace);
  bp_graph_free(o.g);
  bpi_arena_free(&room);
  return status;
}

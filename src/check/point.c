/* Points: f and its gradient compiled, the numbers bound, and moved along lines. */
#include "check/point.h"
#include "base/rng.h"
#include "graph/graph.h"
#include "graph/state.h"

#include <math.h>
#include <string.h>

enum { STREAM_UPSTREAM = 0x75707374u };

/* ---- f ---- */

/* Random numbers shaped like y, none of them small, as a constant. */
static bp_node upstream_like(bpi_point *p, const bp_type *type, int64_t size)
{
  double *u = bpi_arena_alloc(&p->room, (size_t)size + 1, sizeof *u);
  bpi_key key = {.seed = p->o->seed, .stream = STREAM_UPSTREAM};
  if (!u)
    return bpi_node_fail(p->g, BP_E_NOMEM, "out of memory");
  for (int64_t i = 0; i < size; i++) {
    double r = 2 * bpi_uniform(key, (uint64_t)i) - 1;
    u[i] = copysign(0.5 + fabs(r), r);
  }
  return bp_array_constant(p->g, BP_REAL, type->rank, type->dims, u);
}

static bp_status make_f(bpi_point *p, bp_node y)
{
  bp_type type;
  bp_status s = bp_node_type(y, &type);
  if (s != BP_OK)
    return bpi_fail(s, "bp_check_gradient: y is no node of a graph");
  p->g = y.graph;
  p->ctx = bp_graph_ctx(p->g);
  if (bp_graph_status(p->g) != BP_OK)
    return bpi_fail(bp_graph_status(p->g), "%s", bp_graph_error(p->g));
  if (type.dtype != BP_REAL)
    return bpi_fail(BP_E_DTYPE, "bp_check_gradient: y is %s, which has no gradient",
                    bp_dtype_name(type.dtype));
  bpi_arena_init(&p->room, p->ctx);
  p->f = y;
  if (type.rank > 0)
    p->f = bp_sum(bp_mul(y, upstream_like(p, &type, bp_node_size(y))), NULL, 0, false);
  return bp_graph_status(p->g);
}

static bp_status make_gradient(bpi_point *p)
{
  p->grads = bpi_arena_alloc(&p->room, p->n_wrt + 1, sizeof *p->grads);
  return p->grads ? bp_grad(p->f, p->wrt, p->n_wrt, p->grads) : bpi_nomem();
}

/* ---- the numbers ---- */

static uint32_t traits_of(bp_node n)
{
  const bpi_node *v = bpi_slot(n);
  return v ? v->op->traits : 0;
}

/* Nodes that hold a value of their own, none twice. */
static bp_status check_wrt(bpi_point *p)
{
  uint8_t *seen = bpi_arena_alloc(&p->room, p->g->count, 1);
  if (!seen)
    return bpi_nomem();
  for (size_t i = 0; i < p->n_wrt; i++) {
    bp_node n = p->wrt[i];
    char label[80];
    if (!bpi_slot(n) || n.graph != p->g)
      return bpi_fail(BP_E_GRAPH, "bp_check_gradient: wrt[%zu] is no node of y's graph", i);
    bpi_node_label(p->g, n.index, label, sizeof label);
    if (!(traits_of(n) & (BP_INPUT | BP_STATE)))
      return bpi_fail(
          BP_E_ARG,
          "bp_check_gradient: wrt[%zu], %s, is computed; only inputs and entries of the state can "
          "be moved",
          i, label);
    if (seen[n.index]++)
      return bpi_fail(BP_E_ARG, "bp_check_gradient: wrt[%zu], %s, is given twice", i, label);
  }
  return BP_OK;
}

static bp_status make_room(bpi_point *p)
{
  p->first = bpi_arena_alloc(&p->room, p->n_wrt + 1, sizeof *p->first);
  p->home = bpi_arena_alloc(&p->room, p->n_wrt + 1, sizeof *p->home);
  if (!p->first || !p->home)
    return bpi_nomem();
  for (size_t i = 0; i < p->n_wrt; i++)
    p->first[i + 1] = p->first[i] + bp_node_size(p->wrt[i]);
  p->n = p->first[p->n_wrt];
  p->x = bpi_arena_alloc(&p->room, 3 * (size_t)p->n + 1, sizeof *p->x);
  if (!p->x)
    return bpi_nomem();
  p->x0 = p->x + p->n;
  p->grad = p->x0 + p->n;
  return BP_OK;
}

/* A state of our own, so that the caller's stays as it is. */
static bp_status copy_state(bpi_point *p)
{
  const bp_state *from = p->g->state;
  bp_status s = BP_OK;
  if (!from)
    return BP_OK;
  p->state = bp_state_new(p->ctx, from->real);
  if (!p->state)
    return bpi_nomem();
  for (size_t i = 0; s == BP_OK && i < from->count; i++) {
    const bpi_entry *e = &from->entries[i];
    int entry;
    s = bp_state_add(p->state, e->name, e->type.dtype, e->type.rank, e->type.dims, &entry);
    if (s == BP_OK)
      memcpy(p->state->entries[i].data, e->data,
             (size_t)bpi_type_size(&e->type) * bp_dtype_size(bpi_storage(e->type.dtype, from->real)));
  }
  return s;
}

static const bp_value *value_of(const bp_gradient_options *o, const char *name)
{
  for (size_t i = 0; i < o->n_values; i++)
    if (o->values[i].input && !strcmp(o->values[i].input, name))
      return &o->values[i];
  return NULL;
}

/* Where the numbers of wrt[i] come from, and where moved ones go. */
static bp_status take_numbers(bpi_point *p, size_t i)
{
  const bp_node n = p->wrt[i];
  const char *name = bp_node_name(n);
  size_t bytes = (size_t)bp_node_size(n) * sizeof(double);
  const void *from;
  if (traits_of(n) & BP_STATE) {
    if (p->state->real != BP_FLOAT64)
      return bpi_fail(BP_E_MISMATCH, "bp_check_gradient: the state is of float32; differences need float64");
    p->home[i] = p->state->entries[bpi_slot(n)->attr[0].i].data;
    from = p->home[i];
  } else {
    const bp_value *v = value_of(p->o, name);
    if (!v)
      return bpi_fail(BP_E_UNBOUND, "bp_check_gradient: the input '%s' has no value", name);
    if (v->bytes != bytes || (bytes && !v->data))
      return bpi_fail(BP_E_SHAPE, "bp_check_gradient: the value of '%s' has %zu bytes, not %zu (float64)",
                      name, v->data ? v->bytes : 0, bytes);
    from = v->data;
  }
  if (bytes)
    memcpy(p->x0 + p->first[i], from, bytes);
  return BP_OK;
}

static bp_status take_all_numbers(bpi_point *p)
{
  bp_status s = copy_state(p);
  for (size_t i = 0; s == BP_OK && i < p->n_wrt; i++)
    s = take_numbers(p, i);
  if (s == BP_OK && p->n)
    memcpy(p->x, p->x0, (size_t)p->n * sizeof *p->x);
  return s;
}

/* ---- plans ---- */

static bp_status bind_values(bpi_point *p, bp_run *run)
{
  bp_status s = BP_OK;
  for (size_t i = 0; s == BP_OK && i < p->o->n_values; i++) {
    const bp_value *v = &p->o->values[i];
    if (!v->input)
      return bpi_bad_arg("bp_check_gradient", "a value has no name");
    s = bp_run_bind(run, v->input, v->data, v->bytes);
    s = s == BP_E_NOTFOUND ? BP_OK : s;
  }
  for (size_t i = 0; s == BP_OK && i < p->n_wrt; i++) {
    if (p->home[i])
      continue;
    s = bp_run_bind(run, bp_node_name(p->wrt[i]), p->x + p->first[i],
                    (size_t)(p->first[i + 1] - p->first[i]) * sizeof *p->x);
    s = s == BP_E_NOTFOUND ? BP_OK : s;
  }
  return s;
}

bp_status bpi_point_ready(bpi_point *p, bpi_eval *e, const bp_node *y, size_t n_y)
{
  *e = (bpi_eval){.ctx = p->ctx, .real = BP_FLOAT64};
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = y, .n_outputs = n_y};
  bp_status s = bp_plan_new(p->g, &o, &e->plan);
  if (s == BP_OK)
    s = bp_run_new(e->plan, p->state, &e->run);
  if (s == BP_OK)
    s = bind_values(p, e->run);
  if (s != BP_OK)
    bpi_eval_close(e);
  return s;
}

/* f and its gradient at x0. */
static bp_status run_gradient(bpi_point *p)
{
  bpi_eval e;
  bp_node *y = bpi_arena_alloc(&p->room, p->n_wrt + 1, sizeof *y);
  if (!y)
    return bpi_nomem();
  memcpy(y, p->grads, p->n_wrt * sizeof *y);
  y[p->n_wrt] = p->f;
  bp_status s = bpi_point_ready(p, &e, y, p->n_wrt + 1);
  if (s != BP_OK)
    return s;
  s = bpi_eval_step(&e);
  for (size_t i = 0; s == BP_OK && i < p->n_wrt; i++)
    s = bp_run_get(e.run, i, p->grad + p->first[i], (size_t)(p->first[i + 1] - p->first[i]));
  if (s == BP_OK)
    s = bp_run_get(e.run, p->n_wrt, &p->f0, 1);
  bpi_eval_close(&e);
  return s != BP_OK || isfinite(p->f0) ? s
                                       : bpi_fail(BP_E_NOTFINITE, "bp_check_gradient: y is %s at this point",
                                                  isnan(p->f0) ? "NaN" : "infinite");
}

bp_status bpi_point_open(bpi_point *p, bp_node y, const bp_node *wrt, size_t n, const bp_gradient_options *o)
{
  *p = (bpi_point){.wrt = wrt, .n_wrt = n, .o = o, .tolerance = o->tolerance > 0 ? o->tolerance : 1e-6};
  bp_status s = make_f(p, y);
  if (s == BP_OK)
    s = check_wrt(p);
  if (s == BP_OK)
    s = make_gradient(p);
  if (s == BP_OK)
    s = make_room(p);
  if (s == BP_OK)
    s = take_all_numbers(p);
  if (s == BP_OK)
    s = run_gradient(p);
  return s == BP_OK ? bpi_point_ready(p, &p->value, &p->f, 1) : s;
}

void bpi_point_close(bpi_point *p)
{
  if (!p->ctx)
    return;
  bpi_switches_free(p);
  if (p->value.ctx)
    bpi_eval_close(&p->value);
  bp_state_free(p->state);
  if (p->room.ctx)
    bpi_arena_free(&p->room);
}

/* ---- moving ---- */

/* The numbers [begin, end) go where the runs read them: most runs read x itself. */
static void send_home(bpi_point *p, int64_t begin, int64_t end)
{
  if (!p->state)
    return;
  for (size_t i = 0; i < p->n_wrt; i++) {
    int64_t from = begin > p->first[i] ? begin : p->first[i];
    int64_t to = end < p->first[i + 1] ? end : p->first[i + 1];
    if (p->home[i] && from < to)
      memcpy(p->home[i] + (from - p->first[i]), p->x + from, (size_t)(to - from) * sizeof *p->x);
  }
}

void bpi_point_move(bpi_point *p, const bpi_line *l, double t)
{
  for (int64_t i = l->begin; i < l->end; i++)
    p->x[i] = p->x0[i] + t * (l->v ? l->v[i - l->begin] : 1);
  send_home(p, l->begin, l->end);
}

void bpi_point_rest(bpi_point *p, const bpi_line *l)
{
  memcpy(p->x + l->begin, p->x0 + l->begin, (size_t)(l->end - l->begin) * sizeof *p->x);
  send_home(p, l->begin, l->end);
}

/* Data out of range (an index computed from x) is what f is there: no number. */
bp_status bpi_point_at(bpi_point *p, const bpi_line *l, double t, double *f, double *moved)
{
  bpi_point_move(p, l, t);
  if (moved)
    *moved = l->v ? t : p->x[l->begin] - p->x0[l->begin];
  bp_status s = bpi_eval_step(&p->value);
  *f = NAN;
  if (s == BP_OK)
    s = bp_run_get(p->value.run, 0, f, 1);
  bpi_point_rest(p, l);
  return s == BP_E_RANGE ? BP_OK : s;
}

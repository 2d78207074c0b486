/* Switches: nodes whose values are whole numbers, truths or steps (comparisons, winners, rounding), as far as f and its gradient depend on
 * them. Where one changes its value next to a point, f may have a kink or a jump there: this sees kinks that cancel in the differences. */
#include "autodiff/reach.h"
#include "check/point.h"
#include "graph/graph.h"

#include <string.h>

typedef struct bpi_switches {
  bpi_eval e;
  bp_node *nodes;
  size_t n;
  size_t bytes;  /* of all their values, joined */
  uint8_t *rest; /* their values at x0, */
  uint8_t *here; /* and elsewhere */
} bpi_switches;

/* What stops gradients by decree is no step: its value moves with its input. */
static bool is_switch(const bpi_node *v)
{
  return !(v->op->traits & (BP_CONSTANT | BP_INPUT | BP_STATE | BP_STOPS)) &&
         (v->op->zero || v->type->dtype != BP_REAL);
}

/* 0, 1, 2, ... in the shape of x. */
static bp_node counted(bpi_point *p, bp_graph *g, const bp_type *t)
{
  int64_t n = bpi_type_size(t);
  double *v = bpi_arena_alloc(&p->room, (size_t)n + 1, sizeof *v);
  for (int64_t i = 0; v && i < n; i++)
    v[i] = (double)i;
  return v ? bp_array_constant(g, BP_REAL, t->rank, t->dims, v) : BP_NO_NODE;
}

enum { MOST_STEERED = 4 }; /* inputs of a call that is looked at so */

/* A call that one real input steers in steps alone, as x does where v is taken at the winners of x: what it makes of numbers that do not move.
 * Absent for other calls. */
static bp_status steered(bpi_point *p, uint32_t head, bp_node *out)
{
  bpi_call_room room;
  bp_op_call c;
  bp_node y[BP_MAX_RESULTS], x[MOST_STEERED];
  bool steps = false, slopes = false;
  *out = BP_NO_NODE;
  bp_status s = bpi_call_of(p->g, head, &room, &c);
  for (int i = 0; s == BP_OK && i < c.n_in && c.n_in <= MOST_STEERED && !c.op->slope; i++) {
    const bool step = bpi_jac_of(&c, i, 0) == BP_JAC_ZERO;
    steps = steps || (step && c.x_type[i].dtype == BP_REAL);
    slopes = slopes || !step;
  }
  for (int i = 0; steps && slopes && i < c.n_in; i++)
    x[i] = bpi_jac_of(&c, i, 0) == BP_JAC_ZERO ? c.x[i] : counted(p, p->g, &c.x_type[i]);
  if (steps && slopes) {
    s = bp_apply(p->g, c.op, x, (size_t)c.n_in, c.attr, y);
    *out = s == BP_OK ? y[0] : BP_NO_NODE;
  }
  bpi_call_done(&room);
  return s;
}

static bp_status list_switches(bpi_point *p, bpi_switches *w)
{
  const size_t count = p->g->count;
  uint8_t *mark = bpi_arena_alloc(&p->room, count, 1);
  size_t most = 1;
  if (!mark)
    return bpi_nomem();
  bpi_point_mark(p, true, mark);
  for (size_t i = 1; i < count; i++)
    most += mark[i] == (BPI_MOVES | BPI_NEEDED);
  w->nodes = bpi_arena_alloc(&p->room, most, sizeof *w->nodes);
  if (!w->nodes)
    return bpi_nomem();
  for (size_t i = 1; i < count; i++) {
    const bpi_node *v = &p->g->nodes[i];
    bp_node n = BP_NO_NODE;
    if (mark[i] != (BPI_MOVES | BPI_NEEDED))
      continue;
    if (is_switch(v))
      n = bpi_handle(p->g, (uint32_t)i);
    else if (v->result == 0 && v->n_in > 1 && steered(p, (uint32_t)i, &n) != BP_OK)
      return bpi_nomem();
    if (!bp_absent(n))
      w->nodes[w->n++] = n;
  }
  return BP_OK;
}

/* Runs where x is now. */
static bp_status read_switches(bpi_switches *w, uint8_t *to)
{
  bp_status s = bpi_eval_step(&w->e);
  for (size_t i = 0; s == BP_OK && i < w->n; i++) {
    bp_type type;
    const void *data;
    s = bp_run_output(w->e.run, i, &data, &type);
    size_t bytes = s == BP_OK ? (size_t)bp_node_size(w->nodes[i]) * bp_dtype_size(type.dtype) : 0;
    if (bytes)
      memcpy(to, data, bytes);
    to += bytes;
  }
  return s;
}

static bp_status open_switches(bpi_point *p)
{
  bpi_switches *w = bpi_arena_alloc(&p->room, 1, sizeof *w);
  bp_status s = w ? list_switches(p, w) : bpi_nomem();
  if (s != BP_OK)
    return s;
  if (w->n)
    s = bpi_point_ready(p, &w->e, w->nodes, w->n);
  if (s != BP_OK)
    return s;
  p->switches = w;
  for (size_t i = 0; i < w->n; i++)
    w->bytes += 8 * (size_t)bp_node_size(w->nodes[i]); /* at most */
  w->rest = bpi_arena_alloc(&p->room, w->bytes + 1, 1);
  w->here = bpi_arena_alloc(&p->room, w->bytes + 1, 1);
  if (!w->rest || !w->here)
    return bpi_nomem();
  return w->n ? read_switches(w, w->rest) : BP_OK;
}

bp_status bpi_switched(bpi_point *p, const bpi_line *l, double h, bool *switched)
{
  *switched = false;
  bp_status s = p->switches ? BP_OK : open_switches(p);
  bpi_switches *w = p->switches;
  for (int side = -1; s == BP_OK && w->n && side <= 1; side += 2) {
    bpi_point_move(p, l, side * h);
    s = read_switches(w, w->here);
    bpi_point_rest(p, l);
    *switched = *switched || (s == BP_OK && memcmp(w->here, w->rest, w->bytes) != 0);
    s = s == BP_E_RANGE ? BP_OK : s;
  }
  return s;
}

void bpi_switches_free(bpi_point *p)
{
  if (p->switches && p->switches->n)
    bpi_eval_close(&p->switches->e);
}

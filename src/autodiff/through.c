/* Dependence led through one call: by what its row says of itself, else by its definition or its rule. */
#include "autodiff/flow.h"
#include "autodiff/moves.h"
#include "autodiff/reach.h"

#include <string.h>

/* The real ones of the call's inputs, each node once: also those without rows, as what they are made of is told by in[i] alone. */
static size_t distinct_inputs(const bp_op_call *c, const uint32_t *in, bp_node *x, uint32_t *given)
{
  size_t n = 0;
  for (int i = 0; i < c->n_in; i++) {
    bool twice = c->x_type[i].dtype != BP_REAL;
    for (size_t k = 0; k < n; k++)
      twice = twice || x[k].index == c->x[i].index;
    if (twice)
      continue;
    x[n] = c->x[i];
    given[n++] = in[i];
  }
  return n;
}

/* The definition in simpler nodes, all inputs at once. */
static bp_status through_expansion(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out)
{
  bp_node y[BP_MAX_RESULTS], real[BP_MAX_RESULTS];
  uint32_t found[BP_MAX_RESULTS] = {0};
  size_t m = 0;
  bpi_arena room;
  bpi_arena_init(&room, f->g->ctx);
  bp_node *x = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *x);
  uint32_t *given = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *given);
  if (!x || !given) {
    bpi_arena_free(&room);
    return bpi_flow_nomem(f);
  }
  bp_status st = c->op->expand(c, y);
  if (st != BP_OK && c->graph->status == BP_OK)
    st = bp_op_fail(c, st, "its expansion failed");
  for (int k = 0; k < c->n_out; k++)
    if (c->y_type[k].dtype == BP_REAL)
      real[m++] = y[k];
  if (c->graph->status == BP_OK)
    st = bpi_flow_sweep(f, real, m, x, given, distinct_inputs(c, in, x, given), true, found);
  m = 0;
  for (int k = 0; st == BP_OK && k < c->n_out; k++)
    if (c->y_type[k].dtype == BP_REAL)
      out[k] = found[m++];
  bpi_arena_free(&room);
  return c->graph->status != BP_OK ? c->graph->status : st;
}

/* True if we are asking the rule of this row already: it is made of the row itself. */
static bool asked_already(const bpi_flow *f, const bp_op *op)
{
  for (; f; f = f->outer)
    if (f->asked == op)
      return true;
  return false;
}

/* The gradient for an input is linear in the upstream gradient: where upstream elements go to, entries of the transposed Jacobian are. */
static bp_status by_rule(bpi_flow *f, const bp_op_call *c, int input, int result, uint32_t in, uint32_t *out)
{
  bp_node up[BP_MAX_RESULTS] = {{0}};
  int64_t n_y = bpi_type_size(&c->y_type[result]);
  uint32_t given, found = 0;
  up[result] = bpi_placeholder(c->graph, &c->y_type[result]);
  bp_node grad = c->op->vjp(c, up, input);
  if (c->graph->status != BP_OK)
    return c->graph->status;
  if (bp_absent(grad))
    return BP_OK;
  bpi_flow b;
  bp_status st = bpi_flow_open(&b, f->sweeps, f->fixed, n_y, f->l.limit);
  if (st != BP_OK)
    return st;
  b.outer = f;
  b.asked = c->op;
  given = bpi_flow_identity(&b, n_y, 0);
  st = given ? bpi_flow_sweep(&b, &grad, 1, &up[result], &given, 1, true, &found) : b.l.status;
  if (st == BP_OK && found)
    st = bpi_arrive_back(f, &b, found, in, n_y, out);
  bpi_flow_close(&b);
  return st;
}

/* A constant that nothing is differentiated by. */
static bool stays_fixed(const bp_op_call *c, const uint32_t *in, int i)
{
  return !in[i] && bpi_is_fixed(c->x[i]);
}

/* Could the slope be constant? The others are: x times a constant. */
static bool others_fixed(const bp_op_call *c, const uint32_t *in, int input)
{
  for (int i = 0; i < c->n_in; i++)
    if (i != input && !stays_fixed(c, in, i))
      return false;
  return c->n_in > 1 && !bpi_is_fixed(c->x[input]);
}

static bp_status by_slope(bpi_flow *f, const bp_op_call *c, int input, uint32_t in, uint32_t *out)
{
  double v;
  bp_node slope = c->op->slope(c, input);
  if (bp_absent(slope))
    return BP_OK;
  if (bpi_splat(slope, &v))
    return bpi_arrive_scaled(f, in, &v, true, out);
  const double *values = bpi_fixed_values(f->fixed, slope);
  if (values)
    return bpi_arrive_scaled(f, in, values, bp_node_size(slope) == 1, out);
  return f->fixed->no_memory ? bpi_flow_nomem(f) : bpi_arrive_alike(f, in, BPI_ANY, out);
}

/* The known factor of a product, where some of its elements are 0 and so leave out entries. */
static const double *factor_of(bpi_flow *f, const bp_op_call *c, const uint32_t *in, const bp_reach *r)
{
  if (!r->factor || !stays_fixed(c, in, r->factor - 1))
    return NULL;
  bp_node factor = c->x[r->factor - 1];
  const double *v = bpi_fixed_values(f->fixed, factor);
  for (int64_t k = 0, n = v ? bp_node_size(factor) : 0; k < n; k++)
    if (v[k] == 0)
      return v;
  return NULL;
}

/* From one input to one result. */
static bp_status from_to(bpi_flow *f, const bp_op_call *c, const uint32_t *in_all, int input, int result,
                         uint32_t *out)
{
  uint32_t in = in_all[input];
  bp_reach r;
  bp_jac jac = bpi_jac_of(c, input, result);
  int64_t n_y = bpi_type_size(&c->y_type[result]);
  if (jac == BP_JAC_ZERO)
    return BP_OK;
  if (jac == BP_JAC_DIAGONAL && c->op->slope && others_fixed(c, in_all, input))
    return by_slope(f, c, input, in, out);
  if (jac <= BP_JAC_DIAGONAL)
    return bpi_arrive_alike(f, in,
                            jac == BP_JAC_IDENTITY ? BPI_ONE
                            : jac == BP_JAC_SCALED ? BPI_ONE_NUMBER
                                                   : BPI_ANY,
                            out);
  if (bpi_reach_of(c, input, result, &r))
    return bpi_arrive_by_reach(f, &r, factor_of(f, c, in_all, &r), in,
                               c->op->traits & BP_VIEW ? BPI_ONE : BPI_ANY, n_y, out);
  if (c->op->vjp && !asked_already(f, c->op))
    return by_rule(f, c, input, result, in, out);
  return bpi_arrive_everywhere(f, in, n_y, out);
}

/* A row that moves elements of all its inputs: a concatenation, an index that is known. Sets *done if it is one. */
static bp_status by_moving(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out, bool *done)
{
  int64_t n = bpi_real_elements(c), n_y = bpi_type_size(&c->y_type[0]), at = 0;
  int64_t *from = bpi_alloc(f->g->ctx, (size_t)n_y + 1, sizeof *from);
  uint32_t *of = from ? bpi_zalloc(f->g->ctx, (size_t)n + 1, sizeof *of) : NULL;
  *done = of && bpi_moves(f->fixed, c, from);
  if (!of || f->fixed->no_memory)
    bpi_flow_nomem(f);
  bpi_entry_fact known = BPI_ONE;
  for (int i = 0; *done && i < c->n_in; i++) {
    if (in[i]) {
      memcpy(of + at, f->rows[in[i]].lists->id, (size_t)f->rows[in[i]].n * sizeof *of);
      known = f->rows[in[i]].known == BPI_ONE ? known : BPI_ANY;
    }
    at += c->x_type[i].dtype == BP_REAL ? bpi_type_size(&c->x_type[i]) : 0;
  }
  if (*done && (out[0] = bpi_flow_empty(f, n_y))) {
    for (int64_t i = 0; i < n_y; i++)
      f->rows[out[0]].lists->id[i] = from[i] < 0 ? 0 : of[from[i]];
    f->rows[out[0]].known = known;
  }
  bpi_free(f->g->ctx, from);
  bpi_free(f->g->ctx, of);
  return f->l.status;
}

/* A row whose classes, view and reach leave nothing open needs no look at its definition. */
static bool said_enough(const bp_op_call *c, const uint32_t *in)
{
  bp_reach r;
  for (int k = 0; k < c->n_out; k++)
    for (int i = 0; i < c->n_in; i++)
      if (in[i] && bpi_jac_of(c, i, k) > BP_JAC_DIAGONAL && !bpi_reach_of(c, i, k, &r))
        return false;
  return true;
}

bp_status bpi_flow_through(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out)
{
  memset(out, 0, (size_t)c->n_out * sizeof *out);
  if (c->op->zero)
    return BP_OK;
  if (c->op->traits & BP_LOOP)
    return bpi_flow_through_loop(f, c, in, out);
  bp_status st = BP_OK;
  if (bpi_may_move(c)) {
    bool done;
    st = by_moving(f, c, in, out, &done);
    if (done || st != BP_OK)
      return st;
  }
  if (c->op->expand && !said_enough(c, in))
    return through_expansion(f, c, in, out);
  for (int k = 0; k < c->n_out; k++)
    for (int i = 0; st == BP_OK && i < c->n_in; i++)
      if (in[i])
        st = from_to(f, c, in, i, k, &out[k]);
  return st;
}

/* The class that a row states for its Jacobian, in its own example. */
#include "autodiff/reach.h"
#include "check/example.h"

static bp_status class_of_call(const bp_op_call *c, int input, int result, bp_jac *jac)
{
  if (input >= c->n_in || result >= c->n_out || c->x_type[input].dtype != BP_REAL ||
      c->y_type[result].dtype != BP_REAL)
    return bpi_fail(BP_E_RANGE, "%s: no real input %d or real result %d", c->op->name, input, result);
  *jac = bpi_jac_of(c, input, result);
  return BP_OK;
}

static bp_status class_in_graph(bpi_example *e, bp_graph *g, int input, int result, bp_jac *jac)
{
  bp_node x[64], y[BP_MAX_RESULTS];
  bpi_call_room room;
  bp_op_call call;
  int n_y = 0;
  if (e->n_args > 64)
    return bpi_fail(BP_E_RANGE, "%s: the example has too many inputs", e->op->name);
  bp_status s = bpi_example_build(e, g, x, y, &n_y);
  if (s == BP_OK)
    s = bpi_call_of(g, y[0].index, &room, &call);
  if (s != BP_OK)
    return s;
  /* What a builder puts in the place of the call (a constant folded, a simpler node) is another row. */
  s = call.op == e->op ? class_of_call(&call, input, result, jac)
                       : bpi_fail(BP_E_RANGE, "%s: the example is made of other rows", e->op->name);
  bpi_call_done(&room);
  return s;
}

bp_status bp_op_jacobian(bp_ctx *ctx, const bp_op *op, int example, int input, int result, bp_jac *jac)
{
  bpi_example e;
  if (!ctx || !op || !jac)
    return bpi_bad_arg("bp_op_jacobian", "ctx, op or jac is NULL");
  if (example < 0 || example >= bpi_example_count(op) || input < 0 || result < 0)
    return bpi_fail(BP_E_RANGE, "%s: there is no such example, input or result", op->name);
  bp_status s = bpi_example_open(&e, ctx, op, op->examples[example]);
  if (s != BP_OK)
    return s;
  bp_graph *g = bp_graph_new(ctx);
  s = g ? class_in_graph(&e, g, input, result, jac) : BP_E_NOMEM;
  bp_graph_free(g);
  bpi_example_close(&e);
  return s;
}

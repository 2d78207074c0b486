/* The examples of a row as the laws use them: built, drawn, measured. */
#include "check/laws.h"

#include <string.h>

bool bpi_is_lawful(const bp_op *op)
{
  return !(op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT));
}

bp_status bpi_sample_read(bpi_law_case *c, bpi_sample *s)
{
  memset(s, 0, sizeof *s);
  return bpi_example_open(&s->ex, c->ctx, c->op, c->example);
}

bp_status bpi_sample_build(bpi_law_case *c, bpi_sample *s)
{
  bp_node x[BPI_PROBE_MAX], y[BP_MAX_RESULTS];
  void *data[BPI_PROBE_MAX];
  int n_y = 0;
  s->g = bp_graph_new(c->ctx);
  if (!s->g)
    return bpi_nomem();
  bpi_probe_open(&s->f, s->g, c->seed);
  bp_status status = bpi_example_draw(&s->ex, c->seed, data);
  if (status == BP_OK)
    status = bpi_example_build(&s->ex, s->g, x, y, &n_y);
  for (int i = 0; status == BP_OK && i < s->ex.n_args; i++)
    status = bpi_probe_input(&s->f, x[i], data[i]);
  for (int k = 0; status == BP_OK && k < n_y; k++)
    status = bpi_probe_result(&s->f, y[k]);
  return status;
}

bp_status bpi_sample_open(bpi_law_case *c, bpi_sample *s)
{
  bp_status status = bpi_sample_read(c, s);
  return status == BP_OK ? bpi_sample_build(c, s) : status;
}

bp_status bpi_sample_measure(bpi_law_case *c, bpi_sample *s, bpi_measured *J)
{
  bp_status status = bpi_probe_measure(&s->f, J);
  for (int64_t i = 0; status == BP_OK && (c->op->traits & BP_STOPS) && i < J->rows * J->cols; i++)
    J->at[i] = J->tol[i] = 0;
  return status;
}

bp_status bpi_sample_measured(bpi_law_case *c, bpi_sample *s, bpi_measured *J)
{
  bp_status status = bpi_sample_open(c, s);
  if (status == BP_OK && !bpi_probe_differentiable(&s->f))
    c->skipped = true;
  return status != BP_OK || c->skipped ? status : bpi_sample_measure(c, s, J);
}

bp_status bpi_sample_call(bpi_sample *s, bpi_call_room *room, bp_op_call *call)
{
  return bpi_call_of(s->g, s->f.y[0].index, room, call);
}

bp_status bpi_sample_close(bpi_sample *s, bp_status status)
{
  bool starved = s->g && bp_graph_status(s->g) == BP_E_NOMEM;
  if (s->g) {
    bpi_probe_close(&s->f);
    bp_graph_free(s->g);
  }
  if (s->ex.ctx)
    bpi_example_close(&s->ex);
  memset(s, 0, sizeof *s);
  return starved && status != BP_OK ? bpi_nomem() : status;
}

bp_status bpi_skip(bpi_law_case *c, bpi_sample *s)
{
  c->skipped = true;
  return bpi_sample_close(s, BP_OK);
}

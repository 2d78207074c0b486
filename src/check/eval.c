/* Values of nodes for given inputs. */
#include "check/eval.h"

#include <string.h>

bp_status bpi_eval_open(bpi_eval *e, bp_graph *g, bp_dtype real, const bp_node *y, size_t n_y)
{
  *e = (bpi_eval){.ctx = bp_graph_ctx(g), .real = real};
  bp_plan_options o = {.real = real, .outputs = y, .n_outputs = n_y};
  bp_status s = bp_plan_new(g, &o, &e->plan);
  if (s == BP_OK)
    s = bp_run_new(e->plan, NULL, &e->run);
  if (s != BP_OK)
    bpi_eval_close(e);
  return s;
}

void bpi_eval_close(bpi_eval *e)
{
  for (size_t i = 0; i < e->n_bound; i++)
    bpi_free(e->ctx, e->bound[i].to);
  if (e->bound)
    bpi_free(e->ctx, e->bound);
  bp_run_free(e->run);
  bp_plan_free(e->plan);
  memset(e, 0, sizeof *e);
}

/* Room for the float32 copy of an input. */
static float *narrow_copy(bpi_eval *e, const double *from, int64_t size)
{
  if (!bpi_grow(e->ctx, (void **)&e->bound, &e->bound_cap, e->n_bound, sizeof *e->bound))
    return NULL;
  float *to = bpi_alloc(e->ctx, (size_t)size, sizeof *to);
  if (to)
    e->bound[e->n_bound++] = (bpi_bound){from, to, size};
  return to;
}

bp_status bpi_eval_bind(bpi_eval *e, bp_node input, const void *data)
{
  bp_type type;
  bp_status s = bp_node_type(input, &type);
  if (s != BP_OK)
    return s;
  int64_t size = bp_node_size(input);
  size_t each = type.dtype == BP_REAL ? bp_dtype_size(e->real) : bp_dtype_size(type.dtype);
  const void *from = data;
  if (type.dtype == BP_REAL && e->real == BP_FLOAT32 && !(from = narrow_copy(e, data, size)))
    return bpi_nomem();
  s = bp_run_bind(e->run, bp_node_name(input), from, (size_t)size * each);
  return s == BP_E_NOTFOUND ? BP_OK : s;
}

bp_status bpi_eval_step(bpi_eval *e)
{
  for (size_t i = 0; i < e->n_bound; i++)
    for (int64_t k = 0; k < e->bound[i].size; k++)
      e->bound[i].to[k] = (float)e->bound[i].from[k];
  return bp_run_step(e->run);
}

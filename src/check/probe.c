/* Probes: inputs, results, values. */
#include "check/probe.h"
#include "base/rng.h"

#include <string.h>

void bpi_probe_open(bpi_probe *f, bp_graph *g, uint64_t seed)
{
  memset(f, 0, sizeof *f);
  f->g = g;
  f->seed = seed * 0x9e3779b97f4a7c15u + 1;
  bpi_arena_init(&f->room, bp_graph_ctx(g));
}

void bpi_probe_close(bpi_probe *f)
{
  bpi_arena_free(&f->room);
}

static bp_status probe_takes(int count, bp_node n)
{
  if (bp_failed(n))
    return bpi_fail(BP_E_GRAPH, "%s", bp_graph_error(n.graph));
  return count < BPI_PROBE_MAX ? BP_OK
                               : bpi_fail(BP_E_LIMIT, "more than %d inputs or results", (int)BPI_PROBE_MAX);
}

bp_status bpi_probe_input(bpi_probe *f, bp_node x, void *data)
{
  bp_status s = data ? probe_takes(f->n_x, x) : bpi_nomem();
  if (s != BP_OK)
    return s;
  f->x[f->n_x] = x;
  f->data[f->n_x++] = data;
  return BP_OK;
}

bp_status bpi_probe_result(bpi_probe *f, bp_node y)
{
  bp_status s = probe_takes(f->n_y, y);
  if (s == BP_OK)
    f->y[f->n_y++] = y;
  return s;
}

bool bpi_is_real(bp_node n)
{
  bp_type t;
  return bp_node_type(n, &t) == BP_OK && t.dtype == BP_REAL;
}

int bpi_only_real(const bp_node *n, int count, bp_node *out)
{
  int k = 0;
  for (int i = 0; i < count; i++)
    if (bpi_is_real(n[i]))
      out[k++] = n[i];
  return k;
}

int64_t bpi_real_size(const bp_node *n, int count)
{
  int64_t size = 0;
  for (int i = 0; i < count; i++)
    size += bpi_is_real(n[i]) ? bp_node_size(n[i]) : 0;
  return size;
}

int64_t bpi_probe_size(const bpi_probe *f)
{
  int64_t n = 0;
  for (int k = 0; k < f->n_y; k++)
    n += bp_node_size(f->y[k]);
  return n;
}

bool bpi_probe_differentiable(const bpi_probe *f)
{
  bool x = false, y = false;
  for (int i = 0; i < f->n_x; i++)
    x = x || bpi_is_real(f->x[i]);
  for (int k = 0; k < f->n_y; k++)
    y = y || bpi_is_real(f->y[k]);
  return x && y;
}

double bpi_probe_uniform(bpi_probe *f, double lo, double hi)
{
  return lo + (hi - lo) * bpi_uniform((bpi_key){.seed = f->seed++, .stream = 0x66756eu}, 0);
}

double *bpi_probe_doubles(bpi_probe *f, int64_t n)
{
  return bpi_arena_alloc(&f->room, (size_t)n + 1, sizeof(double));
}

bp_status bpi_explain(bp_status s, const char *what)
{
  return s == BP_OK || s == BP_E_NOMEM ? s : bpi_fail(s, "%s: %s", what, bp_error());
}

/* ---- values ---- */

bp_status bpi_probe_ready(bpi_probe *f, bpi_eval *e, bp_dtype real, const bp_node *y, int n_y)
{
  bp_status s = bpi_eval_open(e, f->g, real, y, (size_t)n_y);
  if (s != BP_OK)
    return bpi_explain(s, "does not compile");
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    s = bpi_eval_bind(e, f->x[i], f->data[i]);
  if (s != BP_OK)
    bpi_eval_close(e);
  return bpi_explain(s, "cannot be bound");
}

bp_status bpi_probe_run(bpi_eval *e, const bp_node *y, int n_y, double *out)
{
  bp_status s = bpi_explain(bpi_eval_step(e), "does not run");
  for (int i = 0; out && s == BP_OK && i < n_y; i++) {
    size_t size = (size_t)bp_node_size(y[i]);
    s = bpi_explain(bp_run_get(e->run, (size_t)i, out, size), "a result cannot be read");
    out += size;
  }
  return s;
}

bp_status bpi_probe_values_of(bpi_probe *f, bp_dtype real, const bp_node *y, int n_y, double *out)
{
  bpi_eval e;
  bp_status s = bpi_probe_ready(f, &e, real, y, n_y);
  if (s != BP_OK)
    return s;
  s = bpi_probe_run(&e, y, n_y, out);
  bpi_eval_close(&e);
  return s;
}

bp_status bpi_probe_values(bpi_probe *f, bp_dtype real, double *out)
{
  bp_node y[BPI_PROBE_MAX];
  int n = out ? bpi_only_real(f->y, f->n_y, y) : f->n_y;
  return bpi_probe_values_of(f, real, out ? y : f->y, n, out);
}

bp_status bpi_probe_all_values(bpi_probe *f, bp_dtype real, double *out)
{
  return bpi_probe_values_of(f, real, f->y, f->n_y, out);
}

/* Local Jacobians evaluated: a plan of the nodes that src/autodiff/local.c builds. */
#include "check/localjac.h"
#include "graph/graph.h"

#include <string.h>

/* ---- made ---- */

static bp_status note_inputs(bp_local *l, const bp_graph *g)
{
  l->inputs = bpi_arena_alloc(&l->arena, g->n_names, sizeof *l->inputs);
  if (!l->inputs)
    return bpi_nomem();
  for (size_t i = 0; i < g->n_names; i++) {
    if (!(g->nodes[g->names[i].index].op->traits & BP_INPUT))
      continue;
    const char *name = bpi_arena_strdup(&l->arena, g->names[i].name);
    if (!name)
      return bpi_nomem();
    l->inputs[l->n_inputs++] = name;
  }
  return BP_OK;
}

static bp_status keep_lists(bp_local *l, const bp_local_nodes *n)
{
  size_t rows = (size_t)n->info.rows + 1, entries = (size_t)n->info.stored;
  if (!n->row_start)
    return BP_OK;
  int64_t *start = bpi_arena_alloc(&l->arena, rows, sizeof *start);
  int32_t *col = bpi_arena_alloc(&l->arena, entries, sizeof *col);
  if (!start || !col)
    return bpi_nomem();
  l->row_start = memcpy(start, n->row_start, rows * sizeof *start);
  l->col = memcpy(col, n->col, entries * sizeof *col);
  return BP_OK;
}

static bp_status compile(bp_local *l, bp_graph *g, const bp_local_nodes *n)
{
  bp_node out[2];
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out};
  l->has_values = !bp_absent(n->values);
  l->has_index = !bp_absent(n->index);
  if (l->has_values)
    out[o.n_outputs++] = n->values;
  if (l->has_index)
    out[o.n_outputs++] = n->index;
  if (o.n_outputs == 0)
    return BP_OK;
  bp_status s = bp_plan_new(g, &o, &l->plan);
  return s == BP_OK ? bp_run_new(l->plan, g->state, &l->run) : s;
}

bp_status bp_local_new(bp_node y, int input, int64_t most, bp_local **local)
{
  bp_local_nodes n;
  if (!local)
    return bpi_bad_arg("bp_local_new", "local is NULL");
  *local = NULL;
  bp_graph *g = y.graph;
  uint32_t mark = bpi_slot(y) ? bp_graph_mark(g) : 0;
  uint64_t next_stream = bpi_slot(y) ? g->next_stream : 0;
  bp_status s = bp_local_build(y, input, most, &n);
  if (s != BP_OK)
    return s;
  bp_local *l = bpi_zalloc(g->ctx, 1, sizeof *l);
  s = l ? BP_OK : bpi_nomem();
  if (l) {
    l->ctx = g->ctx;
    l->info = n.info;
    bpi_arena_init(&l->arena, g->ctx);
    s = note_inputs(l, g);
  }
  if (s == BP_OK)
    s = keep_lists(l, &n);
  if (s == BP_OK)
    s = compile(l, g, &n);
  if (bp_graph_mark(g) > mark)
    bp_graph_rollback(g, mark);
  g->next_stream = next_stream; /* random nodes built later draw as if nothing had been asked */
  if (s != BP_OK)
    bp_local_free(l);
  else
    *local = l;
  return s;
}

void bp_local_free(bp_local *l)
{
  if (!l)
    return;
  bp_run_free(l->run);
  bp_plan_free(l->plan);
  bpi_arena_free(&l->arena);
  bpi_free(l->ctx, l);
}

const bp_local_info *bp_local_info_of(const bp_local *l)
{
  return l ? &l->info : NULL;
}

/* ---- evaluated ---- */

bp_status bp_local_bind(bp_local *l, const char *input, const void *data, size_t bytes)
{
  if (!l || !input || !data)
    return bpi_bad_arg("bp_local_bind", "l, input or data is NULL");
  bp_status s = l->run ? bp_run_bind(l->run, input, data, bytes) : BP_E_NOTFOUND;
  if (s != BP_E_NOTFOUND)
    return s;
  for (size_t i = 0; i < l->n_inputs; i++)
    if (strcmp(l->inputs[i], input) == 0)
      return BP_OK;
  return bpi_fail(BP_E_NOTFOUND, "bp_local_bind: the graph has no input '%s'", input);
}

bp_status bp_local_run(bp_local *l)
{
  if (!l)
    return bpi_bad_arg("bp_local_run", "l is NULL");
  const void *data;
  l->done = false;
  bp_status s = l->run ? bp_run_step(l->run) : BP_OK;
  if (s == BP_OK && l->has_values) {
    s = bp_run_output(l->run, 0, &data, NULL);
    l->values = data;
  }
  if (s == BP_OK && l->has_index) {
    s = bp_run_output(l->run, l->has_values, &data, NULL);
    l->index = data;
  }
  l->done = s == BP_OK;
  return s;
}

/* Reading a trace. */
#include "check/trace.h"
#include "graph/graph.h"

#include <string.h>

bp_status bp_trace_bind(bp_trace *t, const char *input, const void *data, size_t bytes)
{
  return t ? bp_run_bind(t->run, input, data, bytes) : bpi_bad_arg("bp_trace_bind", "t");
}

bp_status bp_trace_run(bp_trace *t)
{
  return t ? bp_run_step(t->run) : bpi_bad_arg("bp_trace_run", "t");
}

bp_run *bp_trace_plan_run(bp_trace *t)
{
  return t ? t->run : NULL;
}

size_t bp_trace_count(const bp_trace *t)
{
  return t ? t->n_nodes : 0;
}

const bp_traced *bp_trace_at(const bp_trace *t, size_t i)
{
  return t && i < t->n_nodes ? &t->nodes[i] : NULL;
}

bp_status bp_trace_locate(const bp_trace *t, bp_node n, size_t *i, int *result)
{
  if (!t || !i)
    return bpi_bad_arg("bp_trace_locate", "t or i");
  const bpi_node *v = bpi_slot(n);
  if (!v || n.graph != t->graph)
    return bpi_fail(BP_E_GRAPH, "bp_trace_locate: the node is no node of the graph that was traced");
  if (n.index >= t->n_slots || !t->number[n.index])
    return bpi_fail(BP_E_NOTFOUND, "bp_trace_locate: the trace does not depend on the node");
  *i = t->number[n.index] - 1;
  if (result)
    *result = v->result;
  return BP_OK;
}

bp_status bp_trace_find(const bp_trace *t, const char *name, size_t *i, int *result)
{
  if (!t || !name || !i)
    return bpi_bad_arg("bp_trace_find", "t, name or i");
  if (!bpi_name_taken(t->graph, name))
    return bpi_fail(BP_E_NOTFOUND, "bp_trace_find: no node is named '%s'", name);
  bp_status s = bp_trace_locate(t, bp_find(t->graph, name), i, result);
  return s == BP_E_NOTFOUND ? bpi_fail(s, "bp_trace_find: what was traced does not depend on '%s'", name) : s;
}

/* Number of the plan's output that holds part k of node i, + 1; and the type that it has or would have. */
static bp_status look_up(const bp_trace *t, int part, size_t i, int k, uint32_t *output, const bp_type **type)
{
  if (!t)
    return bpi_bad_arg("bp_trace_read", "t");
  if (part < 0 || part >= BPI_TRACE_PARTS || i >= t->n_nodes)
    return bpi_fail(BP_E_RANGE, "bp_trace_read: the trace has no part %d of node %zu", part, i);
  const bp_traced *n = &t->nodes[i];
  bool by_wire = bpi_trace_by_wire(part);
  if (k < 0 || k >= (by_wire ? n->n_in : n->n_out))
    return bpi_fail(BP_E_RANGE, "bp_trace_read: node %zu, %s, has no %s %d", i, n->op->name,
                    by_wire ? "input" : "result", k);
  size_t first = by_wire ? t->first[i].wire : t->first[i].result;
  *output = t->kept[part][first + (size_t)k];
  *type = by_wire ? t->type[t->first[n->in[k].from].result + (uint32_t)n->in[k].result]
                  : t->type[first + (size_t)k];
  /* The first output is a value, which every trace has: it tells whether there was a run. */
  return bp_run_output(t->run, 0, NULL, NULL);
}

static bp_status read_part(const bp_trace *t, int part, size_t i, int k, const void **data, bp_type *type)
{
  uint32_t output;
  const bp_type *its;
  bp_status s = look_up(t, part, i, k, &output, &its);
  if (s != BP_OK)
    return s;
  if (output)
    return bp_run_output(t->run, output - 1, data, type);
  *data = NULL;
  if (type) {
    *type = *its;
    type->dtype = its->dtype == BP_REAL ? t->real : its->dtype;
  }
  return BP_OK;
}

bp_status bp_trace_read(const bp_trace *t, bp_trace_part part, size_t i, int k, const void **data,
                        bp_type *type)
{
  if (!data)
    return bpi_bad_arg("bp_trace_read", "data");
  if (part >= BP_TRACE_PARTS)
    return bpi_bad_arg("bp_trace_read", "part is none of the list");
  return read_part(t, (int)part, i, k, data, type);
}

bp_status bp_trace_get(const bp_trace *t, bp_trace_part part, size_t i, int k, double *out, size_t n)
{
  uint32_t output;
  const bp_type *type;
  if (part >= BP_TRACE_PARTS)
    return bpi_bad_arg("bp_trace_get", "part is none of the list");
  bp_status s = look_up(t, (int)part, i, k, &output, &type);
  if (s != BP_OK)
    return s;
  if (output)
    return bp_run_get(t->run, output - 1, out, n);
  if (n != (size_t)bpi_type_size(type))
    return bpi_fail(BP_E_SHAPE, "bp_trace_get: it has %lld elements, not %zu", (long long)bpi_type_size(type),
                    n);
  if (n && !out)
    return bpi_bad_arg("bp_trace_get", "out");
  for (size_t e = 0; e < n; e++)
    out[e] = 0;
  return BP_OK;
}

bp_status bp_trace_local(const bp_trace *t, size_t i, int input, int result, int64_t most,
                         bp_local_info *info)
{
  if (!t || !info)
    return bpi_bad_arg("bp_trace_local", "t or info");
  *info = (bp_local_info){0};
  if (i >= t->n_nodes || input < 0 || input >= t->nodes[i].n_in || result < 0 || result >= t->nodes[i].n_out)
    return bpi_fail(BP_E_RANGE, "bp_trace_local: the trace has no node %zu with input %d and result %d", i,
                    input, result);
  if (!bpi_slot(t->nodes[i].node))
    return bpi_fail(BP_E_GRAPH, "bp_trace_local: node %zu was rolled back", i);
  return bpi_local_of_call(t->graph, t->nodes[i].node.index, result, input, most, info);
}

static double number_at(const void *data, bp_dtype real, int64_t j)
{
  return real == BP_FLOAT32 ? ((const float *)data)[j] : ((const double *)data)[j];
}

bp_status bp_trace_winners(const bp_trace *t, size_t i, int *input, int64_t *at, size_t n)
{
  const bp_traced *node = bp_trace_at(t, i);
  if (!t || (n && !input))
    return bpi_bad_arg("bp_trace_winners", "t or input");
  if (!node)
    return bpi_fail(BP_E_RANGE, "bp_trace_winners: the trace has no node %zu", i);
  const bp_type *y = t->type[t->first[i].result];
  bool routed = false;
  for (int k = 0; k < node->n_in; k++)
    routed = routed || t->kept[BPI_TRACE_ROUTE][t->first[i].wire + (uint32_t)k];
  if (!(node->op->traits & BP_ROUTER) || y->dtype != BP_REAL)
    return bpi_fail(BP_E_UNSUPPORTED, "bp_trace_winners: node %zu, %s of %s, is no router of gradients", i,
                    node->op->name, bp_dtype_name(y->dtype));
  if (n != (size_t)bpi_type_size(y))
    return bpi_fail(BP_E_SHAPE, "bp_trace_winners: node %zu, %s, has %lld elements, not %zu", i,
                    node->op->name, (long long)bpi_type_size(y), n);
  for (size_t e = 0; e < n; e++)
    input[e] = -1;
  if (n && !routed)
    return t->real == BP_FLOAT32 && n > (1u << 24)
               ? bpi_fail(BP_E_LIMIT, "bp_trace_winners: float32 cannot number %zu elements", n)
               : bpi_fail(BP_E_UNSUPPORTED, "bp_trace_winners: no gradient arrives at node %zu, %s", i,
                          node->op->name);
  for (int k = 0; k < node->n_in; k++) {
    const void *data;
    bp_type type;
    bp_status s = read_part(t, BPI_TRACE_ROUTE, i, k, &data, &type);
    if (s != BP_OK)
      return s;
    for (int64_t j = 0; data && j < bpi_type_size(&type); j++) {
      double number = number_at(data, t->real, j);
      if (!(number >= 1))
        continue;
      input[(size_t)number - 1] = k;
      if (at)
        at[(size_t)number - 1] = j;
    }
  }
  return BP_OK;
}

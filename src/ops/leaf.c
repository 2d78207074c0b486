/* Where values come from: inputs, state, constants. */
#include "ops/family.h"

#include <math.h>
#include <string.h>

/* ---- input: a value that the caller binds before each run ---- */

static bp_status input_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = bpi_type((bp_dtype)c->attr[1].i, (int)c->attr[2].n, c->attr[2].v);
  return BP_OK;
}

const bp_op bp_op_input = {
    .name = "input",
    .math = "a value that the caller binds before each run",
    .source = "-",
    .args = "",
    .attrs = {{"name", BP_ATTR_DATA, 0}, {"dtype", BP_ATTR_DTYPE, 0}, {"dims", BP_ATTR_INTS, 0}},
    .traits = BP_INPUT | BP_INTERNAL,
    .shape = input_shape,
    .zero = true,
};

static bool good_type(bp_graph *g, const char *what, bp_dtype dtype, int rank, const int64_t *dims)
{
  int64_t size;
  if (dtype != BP_REAL && dtype != BP_INT64 && dtype != BP_BOOL)
    bpi_graph_fail(g, BP_E_DTYPE,
                   "%s: a node is real, int64 or bool; float32 or float64 is the plan's choice", what);
  else if (rank < 0 || rank > BP_MAX_RANK || (rank && !dims))
    bpi_graph_fail(g, BP_E_SHAPE, "%s: rank %d is outside 0..%d, or dims is NULL", what, rank, BP_MAX_RANK);
  else if (!bpi_size(rank, dims, &size))
    bpi_graph_fail(g, BP_E_LIMIT, "%s: a dim is negative, or the number of elements is too large", what);
  else
    return true;
  return false;
}

bp_node bp_input(bp_graph *g, const char *name, bp_dtype dtype, int rank, const int64_t *dims)
{
  if (!g)
    return BP_NO_NODE;
  if (!name || !*name)
    return bpi_node_fail(g, BP_E_ARG, "bp_input: the name is missing or empty");
  if (!good_type(g, "bp_input", dtype, rank, dims))
    return bpi_error_node(g);
  if (bpi_name_taken(g, name))
    return bpi_node_fail(g, BP_E_EXISTS, "bp_input: the name '%s' is taken", name);
  bp_attr attr[3] = {{.v = (const int64_t *)(const void *)name, .n = (int64_t)strlen(name) + 1},
                     {.i = dtype},
                     {.v = dims, .n = rank}};
  bp_node y;
  if (bp_apply(g, &bp_op_input, NULL, 0, attr, &y) != BP_OK)
    return bpi_error_node(g);
  return bp_name(y, name);
}

bp_node bpi_placeholder(bp_graph *g, const bp_type *t)
{
  /* The number of the node to come makes it unlike every other one. */
  int64_t number = (int64_t)g->count;
  bp_attr attr[3] = {{.v = &number, .n = sizeof number}, {.i = t->dtype}, {.v = t->dims, .n = t->rank}};
  bp_node y;
  return bp_apply(g, &bp_op_input, NULL, 0, attr, &y) == BP_OK ? y : bpi_error_node(g);
}

/* ---- read: an entry of the state, as it was before the step ---- */

static bp_status read_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = bpi_type((bp_dtype)c->attr[1].i, (int)c->attr[2].n, c->attr[2].v);
  return BP_OK;
}

const bp_op bp_op_read = {
    .name = "read",
    .math = "an entry of the state, as it was before the step",
    .source = "-",
    .args = "",
    .attrs = {{"entry", BP_ATTR_INT, 0}, {"dtype", BP_ATTR_DTYPE, 0}, {"dims", BP_ATTR_INTS, 0}},
    .traits = BP_STATE | BP_INTERNAL,
    .shape = read_shape,
    .zero = true,
};

bp_node bp_read(bp_graph *g, bp_state *s, int entry)
{
  if (!g)
    return BP_NO_NODE;
  bp_type type;
  if (g->state && s != g->state)
    return bpi_node_fail(g, BP_E_MISMATCH,
                         "bp_read: the graph reads another state already; it reads one only");
  if (bp_state_array(s, entry, NULL, &type, NULL) != BP_OK)
    return bpi_node_fail(g, BP_E_RANGE, "bp_read: the state has no entry %d", entry);
  g->state = s;
  bp_attr attr[3] = {{.i = entry}, {.i = type.dtype}, {.v = type.dims, .n = type.rank}};
  bp_node y;
  return bp_apply(g, &bp_op_read, NULL, 0, attr, &y) == BP_OK ? y : bpi_error_node(g);
}

/* ---- constant: data in the graph; one element stands for all where they are equal ---- */

static bp_status constant_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = bpi_type((bp_dtype)c->attr[0].i, (int)c->attr[1].n, c->attr[1].v);
  return BP_OK;
}

const bp_op bp_op_constant = {
    .name = "constant",
    .math = "a value fixed when the graph is built",
    .source = "-",
    .args = "",
    .attrs = {{"dtype", BP_ATTR_DTYPE, 0}, {"dims", BP_ATTR_INTS, 0}, {"data", BP_ATTR_DATA, 0}},
    .traits = BP_CONSTANT | BP_INTERNAL,
    .shape = constant_shape,
    .zero = true,
};

static bp_node make_constant(bp_graph *g, bp_dtype dtype, int rank, const int64_t *dims, const void *data,
                             size_t bytes)
{
  bp_attr attr[3] = {{.i = dtype}, {.v = dims, .n = rank}, {.v = data, .n = (int64_t)bytes}};
  bp_node y;
  return bp_apply(g, &bp_op_constant, NULL, 0, attr, &y) == BP_OK ? y : bpi_error_node(g);
}

bp_node bp_full(bp_graph *g, bp_dtype dtype, double value, int rank, const int64_t *dims)
{
  if (!g)
    return BP_NO_NODE;
  if (!good_type(g, "bp_full", dtype, rank, dims))
    return bpi_error_node(g);
  union {
    double r;
    int64_t i;
    uint8_t b;
  } one = {.r = value};
  if (dtype == BP_INT64) {
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0) || value != floor(value))
      return bpi_node_fail(g, BP_E_RANGE, "bp_full: %g is no int64", value);
    one.i = (int64_t)value;
  } else if (dtype == BP_BOOL) {
    one.b = value != 0;
  }
  return make_constant(g, dtype, rank, dims, &one, dtype == BP_BOOL ? 1 : 8);
}

bp_node bp_constant(bp_graph *g, double value)
{
  return bp_full(g, BP_REAL, value, 0, NULL);
}

bp_node bp_constant_int(bp_graph *g, int64_t value)
{
  return g ? make_constant(g, BP_INT64, 0, NULL, &value, sizeof value) : BP_NO_NODE;
}

bp_node bp_array_constant(bp_graph *g, bp_dtype dtype, int rank, const int64_t *dims, const void *data)
{
  int64_t size;
  if (!g)
    return BP_NO_NODE;
  if (!good_type(g, "bp_array_constant", dtype, rank, dims) || !bpi_size(rank, dims, &size))
    return bpi_error_node(g);
  if (size && !data)
    return bpi_node_fail(g, BP_E_ARG, "bp_array_constant: data is NULL");
  return make_constant(g, dtype, rank, dims, data, (size_t)size * (dtype == BP_BOOL ? 1 : 8));
}

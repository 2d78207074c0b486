/* Layers: functions from node to node that ask for their parameters by name. */
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128 };

bp_node bpi_layer_param(bp_params *p, bp_graph *g, const char *layer, const char *what, int rank,
                        const int64_t *dims, bp_init init)
{
  char name[NAME_SIZE];
  if (snprintf(name, sizeof name, "%s.%s", layer, what) >= (int)sizeof name)
    return bpi_node_fail(g, BP_E_ARG, "the layer's name is longer than %d bytes", NAME_SIZE - 3);
  return bp_param(p, g, name, rank, dims, init);
}

bp_init bpi_bias_init(bp_init weights)
{
  return weights.kind == BP_INIT_DEFAULT ? (bp_init){BP_INIT_CONSTANT, 0.1} : (bp_init){BP_INIT_ZEROS, 0};
}

bp_node bp_dense(bp_params *p, bp_node x, const char *name, int64_t out, bp_init init)
{
  const bpi_node *v = bpi_slot(x);
  if (!v)
    return x;
  bp_graph *g = x.graph;
  if (!p || !name || v->type->rank < 1 || out < 1)
    return bpi_node_fail(g, BP_E_ARG,
                         "bp_dense: params or name is missing, x is a scalar, or out is below 1");
  int64_t dims[2] = {out, v->type->dims[v->type->rank - 1]};
  bp_node w = bpi_layer_param(p, g, name, "W", 2, dims, init);
  bp_node b = bpi_layer_param(p, g, name, "b", 1, dims, bpi_bias_init(init));
  return bp_linear(x, w, b);
}

bp_node bp_embedding(bp_params *p, bp_node codes, const char *name, int64_t count, int64_t width,
                     bp_init init)
{
  const bpi_node *v = bpi_slot(codes);
  if (!v)
    return codes;
  if (!p || !name || v->type->dtype != BP_INT64 || count < 1 || width < 1)
    return bpi_node_fail(codes.graph, BP_E_ARG,
                         "bp_embedding: params or name is missing, codes are no int64, or count or width is "
                         "below 1");
  int64_t dims[2] = {count, width};
  bp_init start = init.kind == BP_INIT_DEFAULT ? (bp_init){BP_INIT_NORMAL, 0.05} : init;
  return bp_gather(bpi_layer_param(p, codes.graph, name, "E", 2, dims, start), codes, 0);
}

/* "maxout(3)" -> row maxout, attribute 3; the number is optional. */
static bool split_name(const char *text, char *name, size_t size, double *number, bool *has)
{
  const char *open = strchr(text, '(');
  size_t n = open ? (size_t)(open - text) : strlen(text);
  if (n == 0 || n >= size)
    return false;
  memcpy(name, text, n);
  name[n] = 0;
  *has = open != NULL;
  if (!open)
    return true;
  size_t rest = strlen(open);
  return open[rest - 1] == ')' && bpi_parse_double(open + 1, rest - 2, number);
}

/* Rows that can stand between layers: one real input, numbers as attributes. What takes an axis is none: it would look at other rows
 * of the batch or reorder the row. */
static bool is_activation(const bp_op *op)
{
  if (!op || !op->args || strcmp(op->args, "x") != 0 || op->zero ||
      op->traits & (BP_INTERNAL | BP_VIEW | BP_RANDOM | BP_REDUCTION | BP_STOPS))
    return false;
  if (!(op->traits & BP_ELEMENTWISE))
    return op->attrs[0].kind == BP_ATTR_INT && strcmp(op->attrs[0].name, "axis") != 0;
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    if (op->attrs[i].kind != BP_ATTR_REAL && op->attrs[i].kind != BP_ATTR_INT)
      return false;
  return true;
}

/* The number of a parameter that the row takes: what was given for the first, else its preset. */
static bp_status activation_number(const bp_op *op, int i, const double *given, bp_attr *attr)
{
  double v = i == 0 && given ? *given : op->attrs[i].preset;
  if (v != v)
    return bpi_fail(BP_E_ARG, "%s needs a number: %s(2), say", op->name, op->name);
  if (op->attrs[i].kind == BP_ATTR_REAL)
    attr->r = v;
  else if (v >= 1 && v <= 1e9 && v == floor(v))
    attr->i = (int64_t)v;
  else
    return bpi_fail(BP_E_ARG, "%s takes a whole number from 1 on", op->name);
  return BP_OK;
}

bp_status bpi_activation_read(const char *text, const bp_op **op, bp_attr *attr)
{
  char name[64];
  double number = 0;
  bool has = false;
  *op = split_name(text, name, sizeof name, &number, &has) ? bp_op_find(name) : NULL;
  if (!is_activation(*op))
    return bpi_fail(BP_E_NOTFOUND, "'%s' is no activation; `bprop ops` lists them", text);
  if (has && bpi_op_n_attrs(*op) == 0)
    return bpi_fail(BP_E_ARG, "'%s': %s takes no number", text, name);
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bpi_op_n_attrs(*op); i++)
    s = activation_number(*op, i, has ? &number : NULL, &attr[i]);
  return s;
}

bool bpi_activation_at(int i, const char **name)
{
  const bp_op *op = bp_op_at((size_t)i);
  *name = is_activation(op) ? op->name : NULL;
  return op != NULL;
}

bp_node bp_activation(bp_node x, const char *text)
{
  bp_graph *g = x.graph;
  if (!text || strcmp(text, "none") == 0 || bp_failed(x))
    return x;
  const bp_op *op;
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  bp_status s = bpi_activation_read(text, &op, attr);
  if (s != BP_OK)
    return bpi_node_fail(g, s, "%s", bp_error());
  bp_node y;
  return bp_apply(g, op, &x, 1, attr, &y) == BP_OK ? y : bpi_error_node(g);
}

/* What the families share. */
#include "ops/family.h"

#include <string.h>

/* ---- shape rules ---- */

static bp_status same_shape_of(const bp_op_call *c, bp_type *out, bp_dtype dtype)
{
  *out = c->x_type[0];
  out->dtype = dtype;
  return BP_OK;
}

bp_status bpi_shape_real(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != BP_REAL)
      return bp_op_fail(c, BP_E_DTYPE, "needs real inputs; cast them first");
  return same_shape_of(c, out, BP_REAL);
}

bp_status bpi_shape_number(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != c->x_type[0].dtype || c->x_type[i].dtype == BP_BOOL)
      return bp_op_fail(c, BP_E_DTYPE, "needs inputs that are all real or all int64; cast them first");
  return same_shape_of(c, out, c->x_type[0].dtype);
}

bp_status bpi_shape_test(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != c->x_type[0].dtype)
      return bp_op_fail(c, BP_E_DTYPE, "needs inputs of one type; cast them first");
  return same_shape_of(c, out, BP_BOOL);
}

bp_status bpi_shape_bool(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != BP_BOOL)
      return bp_op_fail(c, BP_E_DTYPE, "needs bool inputs, as comparisons give them");
  return same_shape_of(c, out, BP_BOOL);
}

/* ---- Jacobian classes ---- */

#define JAC(name, class)                                            \
  bp_jac bpi_jac_##name(const bp_op_call *c, int input, int result) \
  {                                                                 \
    (void)c, (void)input, (void)result;                             \
    return class;                                                   \
  }
JAC(zero, BP_JAC_ZERO)
JAC(identity, BP_JAC_IDENTITY)
JAC(scaled, BP_JAC_SCALED)
JAC(diagonal, BP_JAC_DIAGONAL)
JAC(select, BP_JAC_SELECT)
JAC(spread, BP_JAC_SPREAD)
JAC(permutation, BP_JAC_PERMUTATION)
JAC(block, BP_JAC_BLOCK)

/* ---- attributes ---- */

bp_status bpi_canon_axis(bp_op_call *c, bp_attr *axis, int slots)
{
  int64_t a = axis->i < 0 ? axis->i + slots : axis->i;
  if (a < 0 || a >= slots)
    return bp_op_fail(c, BP_E_RANGE, "axis %lld is outside -%d..%d", (long long)axis->i, slots, slots - 1);
  axis->i = a;
  return BP_OK;
}

bp_status bpi_canon_axes(bp_op_call *c, bp_attr *axes, int rank)
{
  bool named[BP_MAX_RANK] = {false};
  if (axes->n < 0 || axes->n > BP_MAX_RANK || (axes->n && !axes->v))
    return bp_op_fail(c, BP_E_ARG, "the list of axes has %lld entries", (long long)axes->n);
  for (int64_t i = 0; i < axes->n; i++) {
    bp_attr one = {.i = axes->v[i]};
    bp_status s = bpi_canon_axis(c, &one, rank);
    if (s != BP_OK)
      return s;
    if (named[one.i])
      return bp_op_fail(c, BP_E_ARG, "axis %lld is named twice", (long long)axes->v[i]);
    named[one.i] = true;
  }
  int64_t *list = bp_op_ints(c, rank), n = 0;
  if (!list)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < rank; i++)
    if (named[i] || axes->n == 0)
      list[n++] = i;
  axes->v = list;
  axes->n = n;
  return BP_OK;
}

bool bpi_has_axis(const bp_attr *axes, int axis)
{
  for (int64_t i = 0; i < axes->n; i++)
    if (axes->v[i] == axis)
      return true;
  return false;
}

bp_status bpi_dims_type(const bp_op_call *c, const bp_attr *dims, bp_dtype dtype, bp_type *out)
{
  int64_t size;
  if (dims->n < 0 || dims->n > BP_MAX_RANK || (dims->n && !dims->v))
    return bp_op_fail(c, BP_E_SHAPE, "rank %lld is outside 0..%d", (long long)dims->n, BP_MAX_RANK);
  if (!bpi_size((int)dims->n, dims->v, &size))
    return bp_op_fail(c, BP_E_LIMIT, "a dim is negative, or the number of elements is too large");
  *out = bpi_type(dtype, (int)dims->n, dims->v);
  return BP_OK;
}

bp_status bpi_want_dtype(const bp_op_call *c, int input, bp_dtype dtype)
{
  if (c->x_type[input].dtype == dtype)
    return BP_OK;
  return bp_op_fail(c, BP_E_DTYPE, "input %d must be %s; cast it first", input + 1, bp_dtype_name(dtype));
}

/* ---- nodes for rules ---- */

bp_node bpi_one(const bp_op *op, const bp_node *x, size_t n, const bp_attr *attr)
{
  bp_node y = BP_NO_NODE;
  bp_apply(NULL, op, x, n, attr, &y);
  return y;
}

bp_node bpi_num(const bp_op_call *c, double value)
{
  return bp_constant(c->graph, value);
}

bp_node bpi_like(const bp_op_call *c, bp_node n, double value)
{
  const bpi_node *v = bpi_slot(n);
  return v ? bp_full(c->graph, v->type->dtype, value, v->type->rank, v->type->dims)
           : bpi_error_node(c->graph);
}

bp_node bpi_to_real(bp_node test)
{
  return bp_cast(test, BP_REAL);
}

bp_node bpi_reshape_to(bp_node x, const bp_type *t)
{
  return bp_reshape(x, t->dims, t->rank);
}

bp_node bpi_keep_axes(bp_node y, const bp_type *x, const bp_attr *axes)
{
  bp_type kept = *x;
  for (int64_t i = 0; i < axes->n; i++)
    kept.dims[axes->v[i]] = 1;
  return bpi_reshape_to(y, &kept);
}

bp_node bpi_insert_axis(bp_node y, int axis)
{
  const bpi_node *v = bpi_slot(y);
  if (!v)
    return y;
  bp_type t = {.dtype = v->type->dtype};
  for (int i = 0; i <= v->type->rank && t.rank < BP_MAX_RANK; i++) {
    if (i == axis)
      t.dims[t.rank++] = 1;
    if (i < v->type->rank && t.rank < BP_MAX_RANK)
      t.dims[t.rank++] = v->type->dims[i];
  }
  return bpi_reshape_to(y, &t);
}

bp_node bpi_positions(const bp_op_call *c, const bp_type *x, const bp_attr *axes)
{
  bp_type t = {.dtype = BP_INT64, .rank = x->rank};
  for (int i = 0; i < x->rank; i++)
    t.dims[i] = bpi_has_axis(axes, i) ? x->dims[i] : 1;
  int64_t n = bpi_type_size(&t);
  return bpi_reshape_to(bp_iota(c->graph, BP_INT64, &n, 1, 0), &t);
}

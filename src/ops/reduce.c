/* Reductions over axes. */
#include "ops/family.h"
#include "kernels/copy.h"

#include <math.h>

/* ---- what they share ---- */

static bp_status reduce_canon(bp_op_call *c, bp_attr *attr)
{
  return bpi_canon_axes(c, &attr[0], c->x_type[0].rank);
}

static void reduced_type(const bp_op_call *c, bp_dtype dtype, bp_type *out)
{
  const bp_type *x = &c->x_type[0];
  *out = (bp_type){.dtype = dtype};
  for (int i = 0; i < x->rank; i++)
    if (!bpi_has_axis(&c->attr[0], i))
      out->dims[out->rank++] = x->dims[i];
    else if (c->attr[1].i)
      out->dims[out->rank++] = 1;
}

static bp_status reduce_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s == BP_OK)
    reduced_type(c, BP_REAL, out);
  return s;
}

/* How many elements make one of the result. */
static int64_t reduced_count(const bp_array *x, const bp_attr *axes)
{
  int64_t n = 1;
  for (int64_t i = 0; i < axes->n; i++)
    n *= x->dims[axes->v[i]];
  return n;
}

/* Axes that lie together are one axis of [outer, n, inner]. */
static bool axes_together(const bp_attr *axes)
{
  return axes->n == 0 || axes->v[axes->n - 1] - axes->v[0] == axes->n - 1;
}

static bool reduce_in_place(const bp_array *x, const bp_attr *axes)
{
  return axes_together(axes) && bpi_contiguous(x->rank, x->dims, x->strides);
}

/* Scattered axes or strange strides: each result's elements are gathered into scratch, then reduced as one row. */
static void reduce_gathered(const bp_kernel_call *c, bpi_reduce how)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  const bp_attr *axes = &c->attr[0];
  const bpi_kernels *k = c->vec;
  size_t elem = bp_dtype_size(x->dtype), y_elem = bp_dtype_size(y->dtype);
  int64_t n = reduced_count(x, axes), dims[BP_MAX_RANK], strides[BP_MAX_RANK], flat[BP_MAX_RANK];
  for (int i = 0; i < axes->n; i++) {
    dims[i] = x->dims[axes->v[i]];
    strides[i] = x->strides[axes->v[i]];
  }
  bpi_strides((int)axes->n, dims, flat);
  for (int64_t o = c->begin; o < c->end; o++) {
    int64_t offset = 0, rest = o;
    for (int i = x->rank - 1; i >= 0; i--)
      if (!bpi_has_axis(axes, i)) {
        offset += rest % x->dims[i] * x->strides[i];
        rest /= x->dims[i];
      }
    bpi_copy_strided((int)axes->n, dims, elem, (const char *)x->data + offset * (int64_t)elem, strides, c->scratch, flat);
    k->reduce[x->dtype == BP_FLOAT64](how, n, 1, c->scratch, (char *)y->data + o * (int64_t)y_elem, 0, 1);
  }
}

static bp_status reduce_run(bp_kernel_call *c, bpi_reduce how)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  if (!reduce_in_place(x, &c->attr[0])) {
    reduce_gathered(c, how);
    return BP_OK;
  }
  int last = c->attr[0].n ? (int)c->attr[0].v[c->attr[0].n - 1] + 1 : x->rank;
  k->reduce[x->dtype == BP_FLOAT64](how, reduced_count(x, &c->attr[0]), bpi_product(x->dims, last, x->rank), x->data, y->data, c->begin, c->end);
  return BP_OK;
}

static int64_t reduce_units(const bp_kernel_call *c, double *ns)
{
  *ns = 0.3 * (double)reduced_count(&c->in[0], &c->attr[0]);
  return c->out[0].size;
}

static size_t reduce_scratch(const bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  return reduce_in_place(x, &c->attr[0]) ? 0 : (size_t)reduced_count(x, &c->attr[0]) * bp_dtype_size(x->dtype);
}

/* ---- sum ---- */

static bp_status sum_kernel(bp_kernel_call *c)
{
  return reduce_run(c, BPI_REDUCE_SUM);
}

static bp_node sum_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bp_broadcast(bpi_keep_axes(up[0], &c->x_type[0], &c->attr[0]), c->x_type[0].dims, c->x_type[0].rank);
}

const bp_op bp_op_sum = {
    .name = "sum",
    .math = "y = sum of x over axes",
    .source = "fixed chunks, combined in a fixed order",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_LINEAR | BP_STRIDED,
    .canon = reduce_canon,
    .shape = reduce_shape,
    .kernel = sum_kernel,
    .units = reduce_units,
    .scratch = reduce_scratch,
    .jacobian = bpi_jac_spread,
    .vjp = sum_vjp,
    .examples = {"x[3,4]; axes=[1], keep=0", "x[2,3,4]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0", "x[0,3]; axes=[0], keep=0", "x[]; axes=[], keep=0"},
};

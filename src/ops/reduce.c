/* Reductions over axes. */
#include "ops/reduce.h"
#include "kernels/copy.h"
#include "kernels/cost.h"

#include <math.h>

/* ---- what they share ---- */

bp_status bpi_reduce_canon(bp_op_call *c, bp_attr *attr)
{
  attr[1].i = attr[1].i != 0;
  return bpi_canon_axes(c, &attr[0], c->x_type[0].rank);
}

bp_status bpi_reduce_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0];
  bp_status s = bpi_shape_real(c, out, n_out);
  *out = (bp_type){.dtype = BP_REAL};
  for (int i = 0; i < x->rank; i++)
    if (!bpi_has_axis(&c->attr[0], i))
      out->dims[out->rank++] = x->dims[i];
    else if (c->attr[1].i)
      out->dims[out->rank++] = 1;
  return s;
}

int64_t bpi_reduced_count(const bp_type *x, const bp_attr *axes)
{
  int64_t n = 1;
  for (int64_t i = 0; i < axes->n; i++)
    n *= x->dims[axes->v[i]];
  return n;
}

bp_status bpi_reduce_some_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  if (bpi_reduced_count(&c->x_type[0], &c->attr[0]) == 0)
    return bp_op_fail(c, BP_E_SHAPE, "there is nothing to reduce: an axis has size 0");
  return bpi_reduce_shape(c, out, n_out);
}

bp_node bpi_over_x(const bp_op_call *c, bp_node y)
{
  return c->attr[1].i ? y : bpi_keep_axes(y, &c->x_type[0], &c->attr[0]);
}

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
    bpi_copy_strided((int)axes->n, dims, elem, (const char *)x->data + offset * (int64_t)elem, strides,
                     c->scratch, flat);
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
  k->reduce[x->dtype == BP_FLOAT64](how, reduced_count(x, &c->attr[0]), bpi_product(x->dims, last, x->rank),
                                    x->data, y->data, c->begin, c->end);
  return BP_OK;
}

static int64_t reduce_units(const bp_kernel_call *c, double *ns)
{
  *ns = BPI_NS_SUM * (double)reduced_count(&c->in[0], &c->attr[0]);
  return c->out[0].size;
}

static size_t reduce_scratch(const bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  return reduce_in_place(x, &c->attr[0]) ? 0
                                         : (size_t)reduced_count(x, &c->attr[0]) * bp_dtype_size(x->dtype);
}

/* ---- sum ---- */

static bp_status sum_kernel(bp_kernel_call *c)
{
  return reduce_run(c, BPI_REDUCE_SUM);
}

static bool sum_reduction(const bp_kernel_call *c, bpi_reduction *r)
{
  const bp_array *x = &c->in[0];
  const bp_attr *axes = &c->attr[0];
  if (!reduce_in_place(x, axes))
    return false;
  int last = axes->n ? (int)axes->v[axes->n - 1] + 1 : x->rank;
  *r = (bpi_reduction){
      .how = BPI_REDUCE_SUM, .n = reduced_count(x, axes), .inner = bpi_product(x->dims, last, x->rank)};
  r->outer = r->n && r->inner ? x->size / (r->n * r->inner) : 0;
  return true;
}

static bp_node sum_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bp_broadcast(bpi_over_x(c, up[0]), c->x_type[0].dims, c->x_type[0].rank);
}

/* Over axes of one element each there is nothing to add. */
static bp_node sum_simplify(const bp_op_call *c)
{
  return bpi_type_size(&c->x_type[0]) == bpi_type_size(&c->y_type[0]) ? bpi_reshape_to(c->x[0], &c->y_type[0])
                                                                      : BP_NO_NODE;
}

const bp_op bp_op_sum = {
    .name = "sum",
    .math = "y = sum of x over axes",
    .symbol = "Σ",
    .source = "fixed chunks, combined in a fixed order",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_LINEAR | BP_STRIDED | BP_TOTAL,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_shape,
    .kernel = sum_kernel,
    .units = reduce_units,
    .scratch = reduce_scratch,
    .simplify = sum_simplify,
    .reduction = sum_reduction,
    .jacobian = bpi_jac_spread,
    .vjp = sum_vjp,
    .examples = {"x[3,4]; axes=[1], keep=0", "x[2,3,4]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0",
                 "x[0,3]; axes=[0], keep=0", "x[]; axes=[], keep=0"},
};

/* ---- max and min: routers: one winner takes the whole gradient ---- */

/* The reduced axes as one axis: in its place where they lie together, else behind the others. */
static bp_node one_axis(const bp_op_call *c, int64_t *axis)
{
  const bp_type *x = &c->x_type[0];
  const bp_attr *axes = &c->attr[0];
  bp_type flat = {.dtype = x->dtype};
  int64_t perm[BP_MAX_RANK], n = 0;
  bool together = axes_together(axes);
  *axis = -1;
  for (int i = 0; i < x->rank; i++) {
    if (together && axes->n && i == axes->v[0]) {
      *axis = flat.rank;
      flat.dims[flat.rank++] = bpi_reduced_count(x, axes);
    }
    if (!bpi_has_axis(axes, i)) {
      perm[n++] = i;
      flat.dims[flat.rank++] = x->dims[i];
    }
  }
  if (*axis < 0) {
    *axis = flat.rank;
    flat.dims[flat.rank++] = bpi_reduced_count(x, axes);
  }
  for (int64_t i = 0; i < axes->n; i++)
    perm[n++] = axes->v[i];
  return bpi_reshape_to(together ? c->x[0] : bp_transpose(c->x[0], perm, n), &flat);
}

/* The place of the winner is found again, by the rule that the kernel follows, so that ties and NaN are decided alike. */
static bp_node route_to(const bp_op_call *c, bp_node up, const bp_op *find)
{
  const bp_type *x = &c->x_type[0];
  bp_attr attr[2] = {{.i = 0}, {.i = 0}};
  bp_node flat = one_axis(c, &attr[0].i);
  bp_node winner = bpi_keep_axes(bpi_one(find, &flat, 1, attr), x, &c->attr[0]);
  return bp_where(bp_equal(bpi_positions(c, x, &c->attr[0]), winner), bpi_over_x(c, up), bpi_num(c, 0));
}

static bp_status max_kernel(bp_kernel_call *c)
{
  return reduce_run(c, BPI_REDUCE_MAX);
}

static bp_node max_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return route_to(c, up[0], &bp_op_argmax);
}

const bp_op bp_op_max = {
    .name = "max",
    .math = "y = largest of x over axes",
    .source = "NumPy max",
    .kink = "the lowest row-major index among the largest takes the whole gradient; NaN wins",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_ROUTER | BP_STRIDED | BP_TOTAL,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_some_shape,
    .kernel = max_kernel,
    .units = reduce_units,
    .scratch = reduce_scratch,
    .jacobian = bpi_jac_select,
    .vjp = max_vjp,
    .examples = {"x[3,4] distinct; axes=[-1], keep=0", "x[2,3,4] distinct; axes=[0,2], keep=1",
                 "x[2,3,2] distinct; axes=[0,1], keep=0", "x[5] distinct; axes=[], keep=0",
                 "x[0,3]; axes=[1], keep=0", "x[]; axes=[], keep=0"},
    .kinks = (const bp_kink[]){{{1, 1, 0}, {1, 0, 0}}, {{0, 2, 2}, {0, 1, 0}}, {{3, NAN, NAN}, {0, 1, 0}}},
    .n_kinks = 3,
};

static bp_status min_kernel(bp_kernel_call *c)
{
  return reduce_run(c, BPI_REDUCE_MIN);
}

static bp_node min_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return route_to(c, up[0], &bp_op_argmin);
}

const bp_op bp_op_min = {
    .name = "min",
    .math = "y = smallest of x over axes",
    .source = "NumPy min",
    .kink = "the lowest row-major index among the smallest takes the whole gradient; NaN wins",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_ROUTER | BP_STRIDED | BP_TOTAL,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_some_shape,
    .kernel = min_kernel,
    .units = reduce_units,
    .scratch = reduce_scratch,
    .jacobian = bpi_jac_select,
    .vjp = min_vjp,
    .examples = {"x[3,4] distinct; axes=[-1], keep=0", "x[2,3,4] distinct; axes=[0,2], keep=1",
                 "x[2,3,2] distinct; axes=[1], keep=0", "x[5] distinct; axes=[], keep=0",
                 "x[0,3]; axes=[1], keep=0", "x[]; axes=[], keep=0"},
    .kinks = (const bp_kink[]){{{1, 1, 2}, {1, 0, 0}}, {{3, 2, 2}, {0, 1, 0}}, {{0, NAN, NAN}, {0, 1, 0}}},
    .n_kinks = 3,
};

/* ---- prod ---- */

static bp_status prod_kernel(bp_kernel_call *c)
{
  return reduce_run(c, BPI_REDUCE_PROD);
}

/* Elements [from, to) of an axis. */
static bp_node part_of(bp_node x, int64_t axis, int64_t from, int64_t to)
{
  const bpi_node *v = bpi_slot(x);
  int64_t start[BP_MAX_RANK] = {0}, stop[BP_MAX_RANK], step[BP_MAX_RANK];
  if (!v)
    return x;
  int rank = v->type->rank;
  for (int i = 0; i < rank; i++) {
    stop[i] = v->type->dims[i];
    step[i] = 1;
  }
  start[axis] = from;
  stop[axis] = to;
  return bp_slice(x, start, rank, stop, rank, step, rank);
}

/* A tree of products: no division anywhere, so that its derivatives of any order are right where elements are zero. */
static bp_status prod_expand(const bp_op_call *c, bp_node *out)
{
  int64_t axis, n = bpi_reduced_count(&c->x_type[0], &c->attr[0]);
  bp_node x = one_axis(c, &axis);
  if (n == 0) {
    *out = bp_full(c->graph, BP_REAL, 1, c->y_type[0].rank, c->y_type[0].dims);
    return BP_OK;
  }
  while (n > 1) {
    int64_t half = n / 2;
    bp_node parts[2] = {bp_mul(part_of(x, axis, 0, half), part_of(x, axis, half, 2 * half))};
    if (n % 2)
      parts[1] = part_of(x, axis, n - 1, n);
    x = n % 2 ? bp_concat(parts, 2, axis) : parts[0];
    n = half + n % 2;
  }
  *out = bpi_reshape_to(x, &c->y_type[0]);
  return BP_OK;
}

const bp_op bp_op_prod = {
    .name = "prod",
    .math = "y = product of x over axes",
    .symbol = "Π",
    .source = "gradient by a tree of products, without division",
    .kink = "no division: right where elements are 0 too",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_STRIDED | BP_TOTAL,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_shape,
    .kernel = prod_kernel,
    .units = reduce_units,
    .scratch = reduce_scratch,
    .jacobian = bpi_jac_spread,
    .expand = prod_expand,
    .examples = {"x[3,4]; axes=[-1], keep=0", "x[2,3,2]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0",
                 "x[0,3]; axes=[0], keep=0", "x[]; axes=[], keep=0"},
    .ulp32 = 16,
    .kinks = (const bp_kink[]){{{0, 2, 3}, {6, 0, 0}}, {{0, 0, 3}, {0, 0, 0}}},
    .n_kinks = 2,
};

/* ---- argmax and argmin: places, not values ---- */

static bp_status arg_canon(bp_op_call *c, bp_attr *attr)
{
  if (c->x_type[0].rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "a scalar has no axis");
  attr[1].i = attr[1].i != 0;
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank);
}

static bp_status arg_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0];
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s == BP_OK && x->dims[c->attr[0].i] == 0)
    return bp_op_fail(c, BP_E_SHAPE, "axis %lld has size 0", (long long)c->attr[0].i);
  *out = (bp_type){.dtype = BP_INT64};
  for (int i = 0; i < x->rank; i++)
    if (i != c->attr[0].i)
      out->dims[out->rank++] = x->dims[i];
    else if (c->attr[1].i)
      out->dims[out->rank++] = 1;
  return s;
}

static bp_status arg_run(bp_kernel_call *c, bpi_reduce how)
{
  const bp_array *x = &c->in[0];
  const bpi_kernels *k = c->vec;
  int axis = (int)c->attr[0].i;
  k->reduce[x->dtype == BP_FLOAT64](how, x->dims[axis], bpi_product(x->dims, axis + 1, x->rank), x->data,
                                    c->out[0].data, c->begin, c->end);
  return BP_OK;
}

static int64_t arg_units(const bp_kernel_call *c, double *ns)
{
  *ns = (double)c->in[0].dims[c->attr[0].i];
  return c->out[0].size;
}

static bp_status argmax_kernel(bp_kernel_call *c)
{
  return arg_run(c, BPI_REDUCE_ARGMAX);
}

const bp_op bp_op_argmax = {
    .name = "argmax",
    .math = "y = index of the largest of x along axis",
    .source = "NumPy argmax",
    .kink = "no gradient; the lowest index of the largest, the first NaN before all",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, -1}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_NAN_STOPS | BP_TOTAL,
    .canon = arg_canon,
    .shape = arg_shape,
    .kernel = argmax_kernel,
    .units = arg_units,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .examples = {"x[3,4] distinct; axis=-1, keep=0", "x[2,3,2] distinct; axis=1, keep=1",
                 "x[5] distinct; axis=0, keep=0", "x[0,3]; axis=1, keep=0"},
};

static bp_status argmin_kernel(bp_kernel_call *c)
{
  return arg_run(c, BPI_REDUCE_ARGMIN);
}

const bp_op bp_op_argmin = {
    .name = "argmin",
    .math = "y = index of the smallest of x along axis",
    .source = "NumPy argmin",
    .kink = "no gradient; the lowest index of the smallest, the first NaN before all",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, -1}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_NAN_STOPS | BP_TOTAL,
    .canon = arg_canon,
    .shape = arg_shape,
    .kernel = argmin_kernel,
    .units = arg_units,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .examples = {"x[3,4] distinct; axis=-1, keep=0", "x[2,3,2] distinct; axis=1, keep=1",
                 "x[5] distinct; axis=0, keep=0", "x[0,3]; axis=1, keep=0"},
};

/* Elements chosen by index: gather and scatter, picking along an axis, one-hot, counting, splitting. */
#include "ops/family.h"
#include "kernels/copy.h"
#include "kernels/rowwise.h"

#include <math.h>
#include <string.h>

static const char out_of_range[] = "the index is negative or past the last element";

/* An axis cut out of dims: [outer, n, inner]. */
typedef struct cut_axis {
  int64_t outer, n, inner;
} cut_axis;

static cut_axis cut(int rank, const int64_t *dims, int axis)
{
  return (cut_axis){bpi_product(dims, 0, axis), dims[axis], bpi_product(dims, axis + 1, rank)};
}

/* Checks index[begin..end) before anything is written. */
static bp_status check_index(bp_kernel_call *c, const int64_t *index, int64_t begin, int64_t end, int64_t n)
{
  int64_t at = bpi_first_outside(index, begin, end, n);
  if (at == end)
    return BP_OK;
  c->fail_at = at;
  c->fail_why = out_of_range;
  return BP_E_RANGE;
}

/* An index that must be out of range is refused when the graph is built. */
static bp_status want_room(const bp_op_call *c, int64_t n, const bp_type *index)
{
  if (n > 0 || bpi_type_size(index) == 0)
    return BP_OK;
  return bp_op_fail(c, BP_E_SHAPE, "no index fits an axis of %lld elements", (long long)n);
}

/* ---- iota: 0, 1, 2, ... along an axis ---- */

static bp_status iota_canon(bp_op_call *c, bp_attr *attr)
{
  if (attr[1].n < 1 || attr[1].n > BP_MAX_RANK)
    return bp_op_fail(c, BP_E_SHAPE, "needs 1 to %d dims, got %lld", BP_MAX_RANK, (long long)attr[1].n);
  return bpi_canon_axis(c, &attr[2], (int)attr[1].n);
}

static bp_status iota_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  if (c->attr[0].i != BP_REAL && c->attr[0].i != BP_INT64)
    return bp_op_fail(c, BP_E_DTYPE, "counts in real or int64");
  return bpi_dims_type(c, &c->attr[1], (bp_dtype)c->attr[0].i, out);
}

static bp_status iota_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  cut_axis a = cut(y->rank, y->dims, (int)c->attr[2].i);
  for (int64_t i = c->begin; i < c->end; i++) {
    int64_t v = i / a.inner % a.n;
    if (y->dtype == BP_INT64)
      ((int64_t *)y->data)[i] = v;
    else if (y->dtype == BP_FLOAT32)
      ((float *)y->data)[i] = (float)v;
    else
      ((double *)y->data)[i] = (double)v;
  }
  return BP_OK;
}

static int64_t each_element(const bp_kernel_call *c, double *ns)
{
  *ns = 2;
  return c->out[0].size;
}

const bp_op bp_op_iota = {
    .name = "iota",
    .math = "y = 0, 1, 2, ... along axis, the same along the others",
    .source = "Iverson, A Programming Language, 1962",
    .args = "",
    .attrs = {{"dtype", BP_ATTR_DTYPE, BP_INT64}, {"dims", BP_ATTR_INTS, 0}, {"axis", BP_ATTR_INT, 0}},
    .traits = BP_TOTAL,
    .canon = iota_canon,
    .shape = iota_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .kernel = iota_kernel,
    .units = each_element,
    .examples = {"; dtype=int64, dims=[5], axis=0", "; dtype=real, dims=[2,3,2], axis=1",
                 "; dtype=real, dims=[2,0], axis=-1"},
};

/* ---- gather: slices of x along an axis, one for every element of the index; an embedding is gather(table, words) ---- */

/* Axis of an attribute within x; the index is int64. */
static bp_status axis_canon(bp_op_call *c, bp_attr *attr)
{
  if (c->x_type[0].rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "a scalar has no axis");
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank);
}

static bp_status gather_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const bp_type *x = &c->x_type[0], *index = &c->x_type[1];
  int axis = (int)c->attr[0].i;
  int64_t size;
  bp_status s = bpi_want_dtype(c, 1, BP_INT64);
  if (s == BP_OK)
    s = want_room(c, x->dims[axis], index);
  if (s != BP_OK)
    return s;
  if (x->rank - 1 + index->rank > BP_MAX_RANK)
    return bp_op_fail(c, BP_E_SHAPE, "the result would have rank %d, over %d", x->rank - 1 + index->rank,
                      BP_MAX_RANK);
  *out = bpi_type(x->dtype, axis, x->dims);
  for (int i = 0; i < index->rank; i++)
    out->dims[out->rank++] = index->dims[i];
  for (int i = axis + 1; i < x->rank; i++)
    out->dims[out->rank++] = x->dims[i];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

/* A unit is one slice of the result. */
static bp_status gather_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *index = &c->in[1], *y = &c->out[0];
  cut_axis a = cut(x->rank, x->dims, (int)c->attr[0].i);
  const int64_t *at = index->data;
  int64_t m = index->size;
  size_t bytes = (size_t)a.inner * bp_dtype_size(x->dtype);
  bp_status s = check_index(c, at, 0, m, a.n);
  for (int64_t u = c->begin; s == BP_OK && u < c->end; u++) {
    const char *from = (const char *)x->data + (size_t)(u / m * a.n + at[u % m]) * bytes;
    memcpy((char *)y->data + (size_t)u * bytes, from, bytes);
  }
  return s;
}

static int64_t gather_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *x = &c->in[0];
  cut_axis a = cut(x->rank, x->dims, (int)c->attr[0].i);
  *ns = 5 + 0.2 * (double)a.inner;
  return a.inner ? a.outer * c->in[1].size : 0;
}

static bp_node gather_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  int64_t axis = c->attr[0].i;
  return input ? BP_NO_NODE : bp_scatter_add(up[0], c->x[1], axis, c->x_type[0].dims[axis]);
}

static bp_jac index_select(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_ZERO : BP_JAC_SELECT;
}

static bp_jac index_spread(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_ZERO : BP_JAC_SPREAD;
}

/* Whatever the index says: any slice of the axis. */
static bool gather_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)input, (void)result;
  const bp_type *x = &c->x_type[0];
  cut_axis a = cut(x->rank, x->dims, (int)c->attr[0].i);
  int64_t m = bpi_type_size(&c->x_type[1]);
  *r = (bp_reach){.rank = 4,
                  .dims = {a.outer, m, a.n, a.inner},
                  .x = {a.n * a.inner, 0, a.inner, 1},
                  .y = {m * a.inner, a.inner, 0, 1}};
  return true;
}

/* Values are moved. */
static double gather_flops(const bp_kernel_call *c)
{
  (void)c;
  return 0;
}

const bp_op bp_op_gather = {
    .name = "gather",
    .math = "slices of x along axis, one for each element of index (numbers from 0)",
    .source = "NumPy take; an embedding is gather(table, words)",
    .kink = "an index out of range stops the run",
    .args = "x, index",
    .attrs = {{"axis", BP_ATTR_INT, 0}},
    .traits = BP_LINEAR | BP_NAN_STOPS,
    .canon = axis_canon,
    .shape = gather_shape,
    .jacobian = index_select,
    .reach = gather_reach,
    .vjp = gather_vjp,
    .kernel = gather_kernel,
    .units = gather_units,
    .flops = gather_flops,
    .examples = {"x[4,3], index[2] int 0..3; axis=0", "x[2,3,2], index[2,2] int 0..2; axis=1",
                 "x[5], index[] int 0..4; axis=-1", "x[2,3], index[0] int 0..1; axis=0",
                 "x[0,3], index[2] int 0..2; axis=1"},
};

/* ---- scatter_add: the adjoint of gather: slices of u added up at the places that index names ---- */

static bp_status scatter_canon(bp_op_call *c, bp_attr *attr)
{
  int rank = c->x_type[0].rank - c->x_type[1].rank;
  if (rank < 0)
    return bp_op_fail(c, BP_E_SHAPE, "u must have the axes of index among its own");
  return bpi_canon_axis(c, &attr[0], rank + 1);
}

static bp_status scatter_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const bp_type *u = &c->x_type[0], *index = &c->x_type[1];
  int axis = (int)c->attr[0].i;
  int64_t size;
  bp_status s = bpi_want_dtype(c, 1, BP_INT64);
  if (s == BP_OK)
    s = want_room(c, c->attr[1].i, index);
  if (s != BP_OK)
    return s;
  if (u->dtype == BP_BOOL)
    return bp_op_fail(c, BP_E_DTYPE, "adds real or int64");
  for (int i = 0; i < index->rank; i++)
    if (u->dims[axis + i] != index->dims[i])
      return bp_op_fail(c, BP_E_SHAPE, "from axis %d on, u must have the dims of index", axis);
  if (u->rank - index->rank + 1 > BP_MAX_RANK)
    return bp_op_fail(c, BP_E_SHAPE, "the result would have a rank over %d", BP_MAX_RANK);
  *out = bpi_type(u->dtype, axis, u->dims);
  out->dims[out->rank++] = c->attr[1].i;
  for (int i = axis + index->rank; i < u->rank; i++)
    out->dims[out->rank++] = u->dims[i];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "size %lld is negative or too large", (long long)c->attr[1].i);
}

/* A unit is one slice of the result; it finds what belongs to it by reading the index from its start, so each destination
 * adds in index order, whoever computes it. */
static bp_status scatter_kernel(bp_kernel_call *c)
{
  const bp_array *u = &c->in[0], *index = &c->in[1], *y = &c->out[0];
  cut_axis a = cut(y->rank, y->dims, (int)c->attr[0].i);
  const int64_t *at = index->data;
  size_t elem = bp_dtype_size(y->dtype), bytes = (size_t)a.inner * elem;
  bp_status s = check_index(c, at, 0, index->size, a.n);
  if (s != BP_OK || c->begin == c->end)
    return s;
  memset((char *)y->data + (size_t)c->begin * bytes, 0, (size_t)(c->end - c->begin) * bytes);
  for (int64_t o = c->begin / a.n; o * a.n < c->end; o++) {
    int64_t lo = c->begin - o * a.n, hi = c->end - o * a.n;
    for (int64_t k = 0; k < index->size; k++)
      if (at[k] >= lo && at[k] < hi)
        bpi_add_run(y->dtype, a.inner, (const char *)u->data + (size_t)(o * index->size + k) * bytes,
                    (char *)y->data + (size_t)(o * a.n + at[k]) * bytes);
  }
  return BP_OK;
}

static int64_t scatter_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *y = &c->out[0];
  cut_axis a = cut(y->rank, y->dims, (int)c->attr[0].i);
  int64_t units = a.inner ? a.outer * a.n : 0;
  *ns = units ? 0.5 * ((double)c->in[0].size + (double)y->size) / (double)units : 0;
  return units;
}

static bp_node scatter_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  return input ? BP_NO_NODE : bp_gather(up[0], c->x[1], c->attr[0].i);
}

/* One addition for each element of u. */
static double scatter_flops(const bp_kernel_call *c)
{
  return (double)c->in[0].size;
}

const bp_op bp_op_scatter_add = {
    .name = "scatter_add",
    .math = "zeros, an axis of `size`, to which slices of u are added at the places that index names",
    .source = "adjoint of gather; each place adds in the order of the index",
    .kink = "an index out of range stops the run",
    .args = "u, index",
    .attrs = {{"axis", BP_ATTR_INT, 0}, {"size", BP_ATTR_INT, NAN}},
    .traits = BP_LINEAR,
    .canon = scatter_canon,
    .shape = scatter_shape,
    .jacobian = index_spread,
    .vjp = scatter_vjp,
    .kernel = scatter_kernel,
    .units = scatter_units,
    .flops = scatter_flops,
    .examples = {"u[4,3], index[4] int 0..2; axis=0, size=3",
                 "u[2,2,2,2], index[2,2] int 0..2; axis=1, size=3", "u[], index[] int 0..4; axis=0, size=5",
                 "u[0,3], index[0] int 0..1; axis=0, size=2"},
};

/* ---- pick: one element along an axis for every position of the others ---- */

static bool same_but_axis(const bp_type *x, const bp_type *index, int axis)
{
  if (index->rank != x->rank - 1)
    return false;
  for (int i = 0; i < index->rank; i++)
    if (index->dims[i] != x->dims[i < axis ? i : i + 1])
      return false;
  return true;
}

static bp_status pick_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = bpi_want_dtype(c, 1, BP_INT64);
  if (s == BP_OK)
    s = want_room(c, c->x_type[0].dims[c->attr[0].i], &c->x_type[1]);
  if (s != BP_OK)
    return s;
  if (!same_but_axis(&c->x_type[0], &c->x_type[1], (int)c->attr[0].i))
    return bp_op_fail(c, BP_E_SHAPE, "index must have the dims of x without axis %lld",
                      (long long)c->attr[0].i);
  *out = c->x_type[1];
  out->dtype = c->x_type[0].dtype;
  return BP_OK;
}

static bp_status pick_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  cut_axis a = cut(x->rank, x->dims, (int)c->attr[0].i);
  const int64_t *at = c->in[1].data;
  size_t elem = bp_dtype_size(x->dtype);
  bp_status s = check_index(c, at, c->begin, c->end, a.n);
  for (int64_t i = c->begin; s == BP_OK && i < c->end; i++) {
    int64_t from = (i / a.inner * a.n + at[i]) * a.inner + i % a.inner;
    memcpy((char *)y->data + (size_t)i * elem, (const char *)x->data + (size_t)from * elem, elem);
  }
  return s;
}

static bp_node pick_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  int64_t axis = c->attr[0].i;
  return input ? BP_NO_NODE : bp_put(up[0], c->x[1], axis, c->x_type[0].dims[axis]);
}

static bool pick_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)input, (void)result;
  const bp_type *x = &c->x_type[0];
  cut_axis a = cut(x->rank, x->dims, (int)c->attr[0].i);
  *r = (bp_reach){
      .rank = 3, .dims = {a.outer, a.n, a.inner}, .x = {a.n * a.inner, a.inner, 1}, .y = {a.inner, 0, 1}};
  return true;
}

const bp_op bp_op_pick = {
    .name = "pick",
    .math = "y = x at index along axis, for every position of the other axes",
    .source = "NumPy take_along_axis",
    .kink = "an index out of range stops the run",
    .args = "x, index",
    .attrs = {{"axis", BP_ATTR_INT, -1}},
    .traits = BP_LINEAR | BP_NAN_STOPS,
    .canon = axis_canon,
    .shape = pick_shape,
    .jacobian = index_select,
    .reach = pick_reach,
    .vjp = pick_vjp,
    .kernel = pick_kernel,
    .units = each_element,
    .examples = {"x[4,3], index[4] int 0..2; axis=-1", "x[2,3,2], index[2,2] int 0..2; axis=1",
                 "x[5], index[] int 0..4; axis=0", "x[0,3], index[0] int 0..2; axis=1"},
};

/* ---- put: the adjoint of pick: zeros, with u at index along a new axis ---- */

static bp_status put_canon(bp_op_call *c, bp_attr *attr)
{
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank + 1);
}

static bp_status put_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const bp_type *u = &c->x_type[0];
  int64_t size;
  bp_status s = bpi_want_dtype(c, 1, BP_INT64);
  if (s == BP_OK)
    s = want_room(c, c->attr[1].i, u);
  if (s != BP_OK)
    return s;
  if (!bpi_same_shape(u, &c->x_type[1]))
    return bp_op_fail(c, BP_E_SHAPE, "u and index must have the same dims");
  if (u->rank == BP_MAX_RANK)
    return bp_op_fail(c, BP_E_SHAPE, "the result would have a rank over %d", BP_MAX_RANK);
  int axis = (int)c->attr[0].i;
  *out = bpi_type(u->dtype, axis, u->dims);
  out->dims[out->rank++] = c->attr[1].i;
  for (int i = axis; i < u->rank; i++)
    out->dims[out->rank++] = u->dims[i];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "size %lld is negative or too large", (long long)c->attr[1].i);
}

/* A unit is one element of u and the line of the result it goes into. */
static bp_status put_kernel(bp_kernel_call *c)
{
  const bp_array *u = &c->in[0], *y = &c->out[0];
  cut_axis a = cut(y->rank, y->dims, (int)c->attr[0].i);
  const int64_t *at = c->in[1].data;
  size_t elem = bp_dtype_size(u->dtype);
  const int64_t zero = 0;
  bp_status s = check_index(c, at, c->begin, c->end, a.n);
  for (int64_t i = c->begin; s == BP_OK && i < c->end; i++) {
    char *line = (char *)y->data + (size_t)(i / a.inner * a.n * a.inner + i % a.inner) * elem;
    for (int64_t k = 0; k < a.n; k++)
      memcpy(line + (size_t)(k * a.inner) * elem,
             k == at[i] ? (const char *)u->data + (size_t)i * elem : (const char *)&zero, elem);
  }
  return s;
}

static int64_t put_units(const bp_kernel_call *c, double *ns)
{
  *ns = 1 + (double)c->attr[1].i;
  return c->in[0].size;
}

static bp_node put_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  return input ? BP_NO_NODE : bp_pick(up[0], c->x[1], c->attr[0].i);
}

const bp_op bp_op_put = {
    .name = "put",
    .math = "zeros, with u at index along a new axis of `size`, for every position of the others",
    .source = "adjoint of pick",
    .kink = "an index out of range stops the run",
    .args = "u, index",
    .attrs = {{"axis", BP_ATTR_INT, -1}, {"size", BP_ATTR_INT, NAN}},
    .traits = BP_LINEAR,
    .canon = put_canon,
    .shape = put_shape,
    .jacobian = index_spread,
    .vjp = put_vjp,
    .kernel = put_kernel,
    .units = put_units,
    .examples = {"u[4], index[4] int 0..2; axis=-1, size=3", "u[2,2], index[2,2] int 0..2; axis=1, size=3",
                 "u[], index[] int 0..4; axis=0, size=5", "u[0], index[0] int 0..2; axis=0, size=3"},
};

/* ---- one_hot: 1 at the label, 0 elsewhere, along a new last axis ---- */

static bp_status one_hot_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  int64_t size;
  bp_status s = bpi_want_dtype(c, 0, BP_INT64);
  if (s == BP_OK)
    s = want_room(c, c->attr[0].i, &c->x_type[0]);
  if (s != BP_OK)
    return s;
  if (c->x_type[0].rank == BP_MAX_RANK)
    return bp_op_fail(c, BP_E_SHAPE, "the result would have a rank over %d", BP_MAX_RANK);
  *out = c->x_type[0];
  out->dtype = BP_REAL;
  out->dims[out->rank++] = c->attr[0].i;
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "depth %lld is negative or too large", (long long)c->attr[0].i);
}

static bp_status one_hot_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  const int64_t *label = c->in[0].data, depth = c->attr[0].i;
  bp_status s = check_index(c, label, c->begin, c->end, depth);
  if (s != BP_OK)
    return s;
  size_t elem = bp_dtype_size(y->dtype);
  memset((char *)y->data + (size_t)(c->begin * depth) * elem, 0,
         (size_t)((c->end - c->begin) * depth) * elem);
  for (int64_t i = c->begin; i < c->end; i++)
    if (y->dtype == BP_FLOAT32)
      ((float *)y->data)[i * depth + label[i]] = 1;
    else
      ((double *)y->data)[i * depth + label[i]] = 1;
  return BP_OK;
}

static int64_t one_hot_units(const bp_kernel_call *c, double *ns)
{
  *ns = 1 + 0.2 * (double)c->attr[0].i;
  return c->in[0].size;
}

const bp_op bp_op_one_hot = {
    .name = "one_hot",
    .math = "y = 1 at the label, 0 elsewhere, along a new last axis of `depth`",
    .source = "-",
    .kink = "a label out of range stops the run",
    .args = "labels",
    .attrs = {{"depth", BP_ATTR_INT, NAN}},
    .shape = one_hot_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .kernel = one_hot_kernel,
    .units = one_hot_units,
    .examples = {"labels[4] int 0..2; depth=3", "labels[2,2] int 0..1; depth=2", "labels[] int 0..4; depth=5",
                 "labels[0] int 0..2; depth=3"},
};

/* ---- split: an axis cut into equal parts ---- */

static bp_status split_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0];
  int64_t axis = c->attr[0].i, parts = c->attr[1].i;
  if (parts < 1 || parts > BP_MAX_RESULTS)
    return bp_op_fail(c, BP_E_ARG, "parts is %lld, outside 1..%d", (long long)parts, BP_MAX_RESULTS);
  if (x->dims[axis] % parts)
    return bp_op_fail(c, BP_E_SHAPE, "axis %lld of %lld does not divide into %lld equal parts",
                      (long long)axis, (long long)x->dims[axis], (long long)parts);
  *n_out = (int)parts;
  for (int k = 0; k < parts; k++) {
    out[k] = *x;
    out[k].dims[axis] = x->dims[axis] / parts;
  }
  return BP_OK;
}

static bp_status split_expand(const bp_op_call *c, bp_node *out)
{
  const bp_type *x = &c->x_type[0];
  int64_t start[BP_MAX_RANK] = {0}, stop[BP_MAX_RANK], step[BP_MAX_RANK], axis = c->attr[0].i,
          each = x->dims[axis] / c->attr[1].i;
  for (int i = 0; i < x->rank; i++) {
    stop[i] = x->dims[i];
    step[i] = 1;
  }
  for (int k = 0; k < c->attr[1].i; k++) {
    start[axis] = k * each;
    stop[axis] = (k + 1) * each;
    out[k] = bp_slice(c->x[0], start, x->rank, stop, x->rank, step, x->rank);
  }
  return BP_OK;
}

const bp_op bp_op_split = {
    /* builder by hand */
    .name = "split",
    .math = "x cut along axis into equal parts",
    .source = "NumPy split",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, 0}, {"parts", BP_ATTR_INT, NAN}},
    .traits = BP_LINEAR,
    .canon = axis_canon,
    .shape = split_shape,
    .jacobian = bpi_jac_select,
    .expand = split_expand,
    .examples = {"x[4,3]; axis=0, parts=2", "x[2,3]; axis=-1, parts=3", "x[0,2]; axis=0, parts=2"},
};

bp_status bp_split(bp_node x, int64_t axis, int64_t parts, bp_node *results)
{
  if (!results)
    return bpi_bad_arg("bp_split", "results is NULL");
  bp_attr attr[2] = {{.i = axis}, {.i = parts}};
  bp_node made[BP_MAX_RESULTS] = {{0}};
  bp_status s = bp_apply(NULL, &bp_op_split, &x, 1, attr, made);
  for (int64_t k = 0; k < parts && k < BP_MAX_RESULTS; k++)
    results[k] = s == BP_OK ? made[k] : bpi_error_node(x.graph);
  return s;
}

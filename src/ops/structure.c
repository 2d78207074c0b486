/* Shape: elements moved or repeated, never changed. Views cost nothing; each row's gradient is its adjoint. */
#include "ops/family.h"
#include "kernels/copy.h"
#include "kernels/cost.h"

#include <math.h>

static bp_status attr_list(const bp_op_call *c, const bp_attr *list, int64_t n, const char *what)
{
  return list->n == n && (n == 0 || list->v) ? BP_OK
                                             : bp_op_fail(c, BP_E_ARG, "%s needs %lld entries, got %lld",
                                                          what, (long long)n, (long long)list->n);
}

/* ---- broadcast: repeated along axes of size 1, and along new leading axes; its adjoint sums over them ---- */

static bp_status broadcast_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_type both;
  bp_status s = bpi_dims_type(c, &c->attr[0], c->x_type[0].dtype, out);
  if (s != BP_OK)
    return s;
  if (!bpi_broadcast(&c->x_type[0], out, &both) || !bpi_same_shape(&both, out))
    return bp_op_fail(c, BP_E_SHAPE, "does not broadcast to the dims asked for");
  return BP_OK;
}

static bool broadcast_view(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset)
{
  const bp_type *x = &c->x_type[0], *y = &c->y_type[0];
  int lead = y->rank - x->rank;
  for (int i = 0; i < y->rank; i++)
    strides[i] = i < lead || x->dims[i - lead] == 1 ? 0 : in_strides[i - lead];
  *offset = 0;
  return true;
}

static bp_node broadcast_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  const bp_type *x = &c->x_type[0], *y = &c->y_type[0];
  int lead = y->rank - x->rank;
  int64_t axes[BP_MAX_RANK], n = 0;
  for (int i = 0; i < y->rank; i++)
    if (i < lead || (x->dims[i - lead] == 1 && y->dims[i] != 1))
      axes[n++] = i;
  return n ? bpi_reshape_to(bp_sum(up[0], axes, n, false), x) : bpi_reshape_to(up[0], x);
}

static bp_node broadcast_simplify(const bp_op_call *c)
{
  return bpi_same_shape(&c->x_type[0], &c->y_type[0]) ? c->x[0] : BP_NO_NODE;
}

const bp_op bp_op_broadcast = {
    .name = "broadcast",
    .math = "x repeated along axes of size 1 and new leading axes, to shape dims",
    .source = "NumPy broadcasting rules",
    .args = "x",
    .attrs = {{"dims", BP_ATTR_INTS, 0}},
    .traits = BP_VIEW | BP_LINEAR,
    .shape = broadcast_shape,
    .view = broadcast_view,
    .jacobian = bpi_jac_select,
    .vjp = broadcast_vjp,
    .simplify = broadcast_simplify,
    .examples = {"x[3,1]; dims=[2,3,4]", "x[]; dims=[5]", "x[4]; dims=[0,4]", "x[2,3]; dims=[2,3]"},
};

/* ---- reshape: the same elements in the same order under other dims ---- */

/* One dim may be -1: what is left. */
static bp_status reshape_canon(bp_op_call *c, bp_attr *attr)
{
  int64_t known = 1, *dims = bp_op_ints(c, attr[0].n < 0 ? 0 : attr[0].n),
          size = bpi_type_size(&c->x_type[0]);
  int open = -1;
  if (!dims)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  if (attr[0].n > BP_MAX_RANK || (attr[0].n && !attr[0].v))
    return bp_op_fail(c, BP_E_SHAPE, "rank %lld is outside 0..%d", (long long)attr[0].n, BP_MAX_RANK);
  for (int i = 0; i < attr[0].n; i++) {
    dims[i] = attr[0].v[i];
    if (dims[i] == -1 && open < 0)
      open = i;
    else if (dims[i] < 0)
      return bp_op_fail(c, BP_E_SHAPE, "dim %d is %lld; one dim at most may be -1", i, (long long)dims[i]);
    else if (!bpi_mul(known, dims[i], &known))
      return bp_op_fail(c, BP_E_LIMIT, "the dims' product is too large");
  }
  if (open >= 0) {
    if (known == 0 || size % known)
      return bp_op_fail(c, BP_E_SHAPE, "%lld elements cannot fill dims whose known product is %lld",
                        (long long)size, (long long)known);
    dims[open] = size / known;
  }
  attr[0].v = dims;
  return BP_OK;
}

static bp_status reshape_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = bpi_dims_type(c, &c->attr[0], c->x_type[0].dtype, out);
  if (s == BP_OK && bpi_type_size(out) != bpi_type_size(&c->x_type[0]))
    return bp_op_fail(c, BP_E_SHAPE, "%lld elements do not become %lld",
                      (long long)bpi_type_size(&c->x_type[0]), (long long)bpi_type_size(out));
  return s;
}

/* Walks both shapes together: a run of input dims that lie one after another may be cut anew. */
static bool reshape_view(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset)
{
  const bp_type *x = &c->x_type[0], *y = &c->y_type[0];
  *offset = 0;
  bpi_strides(y->rank, y->dims, strides);
  if (bpi_type_size(x) == 0 || bpi_contiguous(x->rank, x->dims, in_strides))
    return true;
  int j = y->rank;
  for (int i = x->rank; i > 0;) {
    int64_t stride = in_strides[i - 1], run = x->dims[--i];
    while (i > 0 && (run == 1 || x->dims[i - 1] == 1 || in_strides[i - 1] == stride * run)) {
      if (run == 1)
        stride = in_strides[i - 1];
      run *= x->dims[--i];
    }
    int64_t taken = 1;
    while (j > 0 && taken < run) {
      strides[j - 1] = stride * taken;
      taken *= y->dims[--j];
    }
    if (taken != run)
      return false;
  }
  return true;
}

static bp_node reshape_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bpi_reshape_to(up[0], &c->x_type[0]);
}

/* A reshape of a reshape is one; to its own shape it is nothing. */
static bp_node reshape_simplify(const bp_op_call *c)
{
  if (bpi_same_shape(&c->x_type[0], &c->y_type[0]))
    return c->x[0];
  const bpi_node *v = bpi_slot(c->x[0]);
  return v->op == c->op ? bpi_reshape_to(bpi_handle(c->graph, v->in[0]), &c->y_type[0]) : BP_NO_NODE;
}

const bp_op bp_op_reshape = {
    .name = "reshape",
    .math = "the same elements in row-major order under other dims; one dim may be -1",
    .source = "NumPy reshape",
    .args = "x",
    .attrs = {{"dims", BP_ATTR_INTS, 0}},
    .traits = BP_VIEW | BP_LINEAR,
    .canon = reshape_canon,
    .shape = reshape_shape,
    .view = reshape_view,
    .jacobian = bpi_jac_identity,
    .vjp = reshape_vjp,
    .simplify = reshape_simplify,
    .examples = {"x[3,4]; dims=[2,6]", "x[2,3,2]; dims=[-1]", "x[0,3]; dims=[3,0]", "x[1]; dims=[]"},
};

/* ---- transpose: axes in another order ---- */

static bp_status transpose_canon(bp_op_call *c, bp_attr *attr)
{
  int rank = c->x_type[0].rank;
  bool used[BP_MAX_RANK] = {false};
  if (attr[0].n != 0 && (attr[0].n != rank || !attr[0].v))
    return bp_op_fail(c, BP_E_ARG, "perm has %lld entries, the input %d axes", (long long)attr[0].n, rank);
  int64_t *perm = bp_op_ints(c, rank);
  if (!perm)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < rank; i++) {
    bp_attr one = {.i = attr[0].n ? attr[0].v[i] : rank - 1 - i};
    bp_status s = bpi_canon_axis(c, &one, rank);
    if (s != BP_OK)
      return s;
    if (used[one.i])
      return bp_op_fail(c, BP_E_ARG, "perm names axis %lld twice", (long long)one.i);
    used[one.i] = true;
    perm[i] = one.i;
  }
  attr[0].v = perm;
  attr[0].n = rank;
  return BP_OK;
}

static bp_status transpose_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  for (int i = 0; i < out->rank; i++)
    out->dims[i] = c->x_type[0].dims[c->attr[0].v[i]];
  return BP_OK;
}

static bool transpose_view(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset)
{
  *offset = 0;
  for (int i = 0; i < c->y_type[0].rank; i++)
    strides[i] = in_strides[c->attr[0].v[i]];
  return true;
}

static bp_node transpose_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  int64_t back[BP_MAX_RANK];
  for (int i = 0; i < c->attr[0].n; i++)
    back[c->attr[0].v[i]] = i;
  return bp_transpose(up[0], back, c->attr[0].n);
}

static bp_node transpose_simplify(const bp_op_call *c)
{
  int64_t both[BP_MAX_RANK];
  bool same = true;
  const bpi_node *v = bpi_slot(c->x[0]);
  for (int i = 0; i < c->attr[0].n; i++) {
    both[i] = v->op == c->op ? v->attr[0].v[c->attr[0].v[i]] : c->attr[0].v[i];
    same = same && both[i] == i;
  }
  bp_node x = v->op == c->op ? bpi_handle(c->graph, v->in[0]) : c->x[0];
  if (same)
    return x;
  return v->op == c->op ? bp_transpose(x, both, c->attr[0].n) : BP_NO_NODE;
}

static bp_jac transpose_jacobian(const bp_op_call *c, int input, int result)
{
  (void)input, (void)result;
  for (int i = 0; i < c->attr[0].n; i++)
    if (c->attr[0].v[i] != i)
      return BP_JAC_PERMUTATION;
  return BP_JAC_IDENTITY;
}

const bp_op bp_op_transpose = {
    .name = "transpose",
    .math = "y's axis i is x's axis perm[i]; an empty perm reverses the axes",
    .source = "NumPy transpose",
    .args = "x",
    .attrs = {{"perm", BP_ATTR_INTS, 0}},
    .traits = BP_VIEW | BP_LINEAR,
    .canon = transpose_canon,
    .shape = transpose_shape,
    .view = transpose_view,
    .jacobian = transpose_jacobian,
    .vjp = transpose_vjp,
    .simplify = transpose_simplify,
    .examples = {"x[3,4]; perm=[]", "x[2,3,4]; perm=[1,-1,0]", "x[0,2]; perm=[1,0]", "x[]; perm=[]"},
};

/* ---- slice: start, stop, step for each axis, as NumPy's x[start:stop:step]; its adjoint places into zeros ---- */

/* How many elements start:stop:step takes of n, in canonical form: a stop before the first element is -n-1, as -1 would count
 * from the end. */
static int64_t slice_count(int64_t n, int64_t start, int64_t stop, int64_t step)
{
  if (stop < 0)
    stop += n;
  return step > 0 ? (stop > start ? (stop - start - 1) / step + 1 : 0)
                  : (start > stop ? (start - stop - 1) / -step + 1 : 0);
}

/* Brings starts and stops into range, and stops to the index after the last one taken. Equal slices become equal lists. */
static bp_status slice_canon(bp_op_call *c, bp_attr *attr)
{
  int rank = c->x_type[0].rank;
  for (int k = 0; k < 3; k++) {
    static const char *const what[3] = {"start", "stop", "step"};
    bp_status s = attr_list(c, &attr[k], rank, what[k]);
    if (s != BP_OK)
      return s;
  }
  int64_t *list = bp_op_ints(c, 3 * rank);
  if (!list)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < rank; i++) {
    int64_t n = c->x_type[0].dims[i], step = attr[2].v[i], lo = attr[0].v[i], hi = attr[1].v[i];
    if (step == 0 || step == INT64_MIN)
      return bp_op_fail(c, BP_E_ARG, "the step of axis %d is %lld", i, (long long)step);
    int64_t least = step < 0 ? -1 : 0, most = step < 0 ? n - 1 : n;
    lo = lo < 0 ? lo + n : lo;
    hi = hi < 0 ? hi + n : hi;
    lo = lo < least ? least : lo > most ? most : lo;
    hi = hi < least ? least : hi > most ? most : hi;
    int64_t count = slice_count(n, lo, hi == -1 ? -n - 1 : hi, step);
    if (count <= 1)
      step = 1;
    int64_t end = (count ? lo : 0) + count * step; /* count <= n, |step| < n where count > 1: no overflow */
    list[i] = count ? lo : 0;
    list[rank + i] = end < 0 ? -n - 1 : end;
    list[2 * rank + i] = step;
  }
  for (int k = 0; k < 3; k++)
    attr[k].v = list + k * rank;
  return BP_OK;
}

static bp_status slice_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  for (int i = 0; i < out->rank; i++)
    out->dims[i] = slice_count(out->dims[i], c->attr[0].v[i], c->attr[1].v[i], c->attr[2].v[i]);
  return BP_OK;
}

static bool slice_view(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset)
{
  *offset = 0;
  for (int i = 0; i < c->y_type[0].rank; i++) {
    strides[i] = in_strides[i] * c->attr[2].v[i];
    *offset += in_strides[i] * c->attr[0].v[i];
  }
  return true;
}

static bp_node slice_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  const bp_type *x = &c->x_type[0];
  return bp_place(up[0], x->dims, x->rank, c->attr[0].v, x->rank, c->attr[2].v, x->rank);
}

static bp_node slice_simplify(const bp_op_call *c)
{
  if (!bpi_same_shape(&c->x_type[0], &c->y_type[0]))
    return BP_NO_NODE;
  for (int i = 0; i < c->y_type[0].rank; i++)
    if (c->attr[2].v[i] != 1)
      return BP_NO_NODE;
  return c->x[0];
}

const bp_op bp_op_slice = {
    .name = "slice",
    .math = "x[start:stop:step] along every axis; negative starts and stops count from the end",
    .source = "NumPy basic slicing",
    .args = "x",
    .attrs = {{"start", BP_ATTR_INTS, 0}, {"stop", BP_ATTR_INTS, 0}, {"step", BP_ATTR_INTS, 0}},
    .traits = BP_VIEW | BP_LINEAR,
    .canon = slice_canon,
    .shape = slice_shape,
    .view = slice_view,
    .jacobian = bpi_jac_select,
    .vjp = slice_vjp,
    .simplify = slice_simplify,
    .examples = {"x[5]; start=[1], stop=[4], step=[1]", "x[4,5]; start=[0,-1], stop=[4,-6], step=[2,-2]",
                 "x[3,2]; start=[2,0], stop=[2,2], step=[1,1]", "x[6]; start=[0], stop=[6], step=[1]"},
};

/* ---- place: the adjoint of slice: zeros of shape dims with x at start, start + step, ... ---- */

/* The step of fewer than two elements, and the start of none, mean nothing. */
static bp_status place_canon(bp_op_call *c, bp_attr *attr)
{
  int rank = c->x_type[0].rank;
  bp_status s = attr_list(c, &attr[1], rank, "start");
  if (s == BP_OK)
    s = attr_list(c, &attr[2], rank, "step");
  if (s != BP_OK)
    return s;
  int64_t *list = bp_op_ints(c, 2 * rank);
  if (!list)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < rank; i++) {
    int64_t n = c->x_type[0].dims[i];
    list[i] = n > 0 ? attr[1].v[i] : 0;
    list[rank + i] = n > 1 ? attr[2].v[i] : 1;
  }
  attr[1].v = list;
  attr[2].v = list + rank;
  return BP_OK;
}

static bp_status place_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = bpi_dims_type(c, &c->attr[0], c->x_type[0].dtype, out);
  int rank = c->x_type[0].rank;
  if (s == BP_OK)
    s = attr_list(c, &c->attr[0], rank, "dims");
  for (int i = 0; s == BP_OK && i < rank; i++) {
    int64_t n = c->x_type[0].dims[i], first = c->attr[1].v[i], last, span;
    int64_t step = c->attr[2].v[i], mag = step < 0 ? -step : step;
    if (step == 0 || step == INT64_MIN || first < 0)
      return bp_op_fail(c, BP_E_ARG, "axis %d: start %lld or step %lld is not possible", i, (long long)first,
                        (long long)step);
    if (n == 0)
      continue;
    if (!bpi_mul(n - 1, mag, &span) || first >= out->dims[i])
      return bp_op_fail(c, BP_E_RANGE, "axis %d: elements would be placed outside", i);
    last = step < 0 ? first - span : first + span;
    if (last < 0 || last >= out->dims[i])
      return bp_op_fail(c, BP_E_RANGE, "axis %d: elements would be placed outside", i);
  }
  return s;
}

static bp_status place_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  size_t elem = bp_dtype_size(y->dtype);
  int64_t zero = 0, strides[BP_MAX_RANK], offset = 0;
  bpi_fill(y->data, y->size, elem, &zero);
  for (int i = 0; i < y->rank; i++) {
    strides[i] = y->strides[i] * c->attr[2].v[i];
    offset += y->strides[i] * c->attr[1].v[i];
  }
  bpi_copy_strided(x->rank, x->dims, elem, x->data, x->strides, (char *)y->data + offset * (int64_t)elem,
                   strides);
  return BP_OK;
}

static bp_node place_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  const bp_type *x = &c->x_type[0];
  int64_t stop[BP_MAX_RANK];
  for (int i = 0; i < x->rank; i++) {
    stop[i] = c->attr[1].v[i] + x->dims[i] * c->attr[2].v[i];
    /* A stop below 0 would count from the end; past the first element it must be out of reach. */
    if (stop[i] < 0)
      stop[i] = -c->attr[0].v[i] - 1;
  }
  return bp_slice(up[0], c->attr[1].v, x->rank, stop, x->rank, c->attr[2].v, x->rank);
}

const bp_op bp_op_place = {
    .name = "place",
    .math = "zeros of shape dims, with x at start, start + step, ... along every axis",
    .source = "adjoint of slice",
    .args = "x",
    .attrs = {{"dims", BP_ATTR_INTS, 0}, {"start", BP_ATTR_INTS, 0}, {"step", BP_ATTR_INTS, 0}},
    .traits = BP_LINEAR | BP_STRIDED | BP_TOTAL,
    .canon = place_canon,
    .shape = place_shape,
    .kernel = place_kernel,
    .jacobian = bpi_jac_spread,
    .vjp = place_vjp,
    .examples = {"x[3]; dims=[5], start=[1], step=[1]", "x[2,3]; dims=[4,5], start=[0,4], step=[2,-2]",
                 "x[0]; dims=[3], start=[0], step=[1]"},
};

/* ---- pad: a border of one value ---- */

static bp_status pad_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  int64_t size;
  bp_status s = attr_list(c, &c->attr[0], out->rank, "before");
  if (s == BP_OK)
    s = attr_list(c, &c->attr[1], out->rank, "after");
  for (int i = 0; s == BP_OK && i < out->rank; i++)
    if (!bpi_add(out->dims[i], c->attr[0].v[i], &out->dims[i]) ||
        !bpi_add(out->dims[i], c->attr[1].v[i], &out->dims[i]))
      return bp_op_fail(c, BP_E_LIMIT, "axis %d: the border is negative or too wide", i);
  if (s == BP_OK && !bpi_size(out->rank, out->dims, &size))
    return bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
  if (s == BP_OK && out->dtype == BP_BOOL)
    return bp_op_fail(c, BP_E_DTYPE, "pads real or int64");
  return s;
}

static bp_status pad_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  size_t elem = bp_dtype_size(y->dtype);
  union {
    float f;
    double d;
    int64_t i;
  } v = {.i = 0};
  if (y->dtype == BP_FLOAT32)
    v.f = (float)c->attr[2].r;
  else if (y->dtype == BP_FLOAT64)
    v.d = c->attr[2].r;
  else
    v.i = (int64_t)c->attr[2].r;
  bpi_fill(y->data, y->size, elem, &v);
  int64_t offset = 0;
  for (int i = 0; i < y->rank; i++)
    offset += y->strides[i] * c->attr[0].v[i];
  bpi_copy_strided(x->rank, x->dims, elem, x->data, x->strides, (char *)y->data + offset * (int64_t)elem,
                   y->strides);
  return BP_OK;
}

static bp_node pad_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  const bp_type *x = &c->x_type[0];
  int64_t stop[BP_MAX_RANK], step[BP_MAX_RANK];
  for (int i = 0; i < x->rank; i++) {
    stop[i] = c->attr[0].v[i] + x->dims[i];
    step[i] = 1;
  }
  return bp_slice(up[0], c->attr[0].v, x->rank, stop, x->rank, step, x->rank);
}

const bp_op bp_op_pad = {
    .name = "pad",
    .math = "x with `before` elements of `value` in front of and `after` behind every axis",
    .source = "NumPy pad, mode constant",
    .args = "x",
    .attrs = {{"before", BP_ATTR_INTS, 0}, {"after", BP_ATTR_INTS, 0}, {"value", BP_ATTR_REAL, 0}},
    .traits = BP_STRIDED | BP_TOTAL,
    .shape = pad_shape,
    .kernel = pad_kernel,
    .jacobian = bpi_jac_spread,
    .vjp = pad_vjp,
    .examples = {"x[3]; before=[1], after=[2], value=0", "x[2,3]; before=[0,1], after=[2,0], value=1.5",
                 "x[0]; before=[1], after=[1], value=0"},
};

/* ---- concat: parts one after another along an axis ---- */

static bp_status concat_canon(bp_op_call *c, bp_attr *attr)
{
  if (c->x_type[0].rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "scalars have no axis to be joined along; reshape them to [1] first");
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank);
}

static bp_status concat_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  int axis = (int)c->attr[0].i;
  int64_t size;
  for (int k = 1; k < c->n_in; k++) {
    bp_type part = c->x_type[k];
    if (part.rank != out->rank || part.dtype != out->dtype)
      return bp_op_fail(c, part.rank != out->rank ? BP_E_SHAPE : BP_E_DTYPE,
                        "part %d differs from the first in rank or type", k + 1);
    if (!bpi_add(out->dims[axis], part.dims[axis], &out->dims[axis]))
      return bp_op_fail(c, BP_E_LIMIT, "the joined axis is too long");
    part.dims[axis] = out->dims[axis];
    if (!bpi_same_shape(&part, out))
      return bp_op_fail(c, BP_E_SHAPE, "part %d differs from the first in another axis than %d", k + 1, axis);
  }
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

static bp_status concat_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  size_t elem = bp_dtype_size(y->dtype);
  char *to = y->data;
  int axis = (int)c->attr[0].i;
  for (int k = 0; k < c->n_in; k++) {
    const bp_array *x = &c->in[k];
    bpi_copy_strided(x->rank, x->dims, elem, x->data, x->strides, to, y->strides);
    to += x->dims[axis] * y->strides[axis] * (int64_t)elem;
  }
  return BP_OK;
}

static bp_node concat_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const bp_type *x = &c->x_type[input];
  int64_t start[BP_MAX_RANK] = {0}, stop[BP_MAX_RANK], step[BP_MAX_RANK];
  int axis = (int)c->attr[0].i;
  for (int k = 0; k < input; k++)
    start[axis] += c->x_type[k].dims[axis];
  for (int i = 0; i < x->rank; i++) {
    stop[i] = start[i] + x->dims[i];
    step[i] = 1;
  }
  return bp_slice(up[0], start, x->rank, stop, x->rank, step, x->rank);
}

const bp_op bp_op_concat = {
    .name = "concat",
    .math = "parts one after another along axis",
    .source = "NumPy concatenate",
    .args = "parts...",
    .attrs = {{"axis", BP_ATTR_INT, 0}},
    .traits = BP_LINEAR | BP_STRIDED | BP_JOIN | BP_TOTAL,
    .canon = concat_canon,
    .shape = concat_shape,
    .kernel = concat_kernel,
    .jacobian = bpi_jac_spread,
    .vjp = concat_vjp,
    .examples = {"a[2,3], b[1,3]; axis=0", "a[2,1], b[2,3], c[2,2]; axis=-1", "a[3], b[0]; axis=0"},
};

/* ---- cast: to another type ---- */

static bp_status cast_canon(bp_op_call *c, bp_attr *attr)
{
  int64_t t = attr[0].i;
  return t == BP_REAL || t == BP_INT64 || t == BP_BOOL
             ? BP_OK
             : bp_op_fail(c, BP_E_DTYPE,
                          "casts to real, int64 or bool; float32 or float64 is the plan's choice");
}

static bp_status cast_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  out->dtype = (bp_dtype)c->attr[0].i;
  return BP_OK;
}

/* Real to int64 cuts towards zero; what int64 cannot hold, and NaN, become its least number, on every machine. */
static int64_t real_to_int(double x)
{
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

#define CAST_RUN(FROM, TO, EXPR)                \
  for (int64_t i = c->begin; i < c->end; i++) { \
    FROM v = ((const FROM *)x->data)[i];        \
    ((TO *)y->data)[i] = (TO)(EXPR);            \
  }

#define CAST_FROM(FROM, TO_INT)            \
  switch (y->dtype) {                      \
  case BP_FLOAT32:                         \
    CAST_RUN(FROM, float, v) break;        \
  case BP_FLOAT64:                         \
    CAST_RUN(FROM, double, v) break;       \
  case BP_INT64:                           \
    CAST_RUN(FROM, int64_t, TO_INT) break; \
  default:                                 \
    CAST_RUN(FROM, uint8_t, v != 0) break; \
  }

static bp_status cast_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  switch (x->dtype) {
  case BP_FLOAT32:
    CAST_FROM(float, real_to_int(v)) break;
  case BP_FLOAT64:
    CAST_FROM(double, real_to_int(v)) break;
  case BP_INT64:
    CAST_FROM(int64_t, v) break;
  default:
    CAST_FROM(uint8_t, v) break;
  }
  return BP_OK;
}

static int64_t cast_units(const bp_kernel_call *c, double *ns)
{
  *ns = BPI_NS_MOVE;
  return c->out[0].size;
}

static bp_node cast_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return c->x_type[0].dtype == BP_REAL && c->attr[0].i == BP_REAL ? up[0] : BP_NO_NODE;
}

static bp_jac cast_jacobian(const bp_op_call *c, int input, int result)
{
  (void)input, (void)result;
  return c->x_type[0].dtype == BP_REAL && c->attr[0].i == BP_REAL ? BP_JAC_IDENTITY : BP_JAC_ZERO;
}

static bp_node cast_simplify(const bp_op_call *c)
{
  return c->x_type[0].dtype == c->y_type[0].dtype ? c->x[0] : BP_NO_NODE;
}

const bp_op bp_op_cast = {
    .name = "cast",
    .math = "x as another type: real to int64 cuts towards zero, bool is 0 or 1, what is not 0 is true",
    .source = "C11 6.3.1.4; NumPy astype",
    .kink = "no gradient but from real to real",
    .args = "x",
    .attrs = {{"dtype", BP_ATTR_DTYPE, 0}},
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_TOTAL,
    .canon = cast_canon,
    .shape = cast_shape,
    .kernel = cast_kernel,
    .units = cast_units,
    .jacobian = cast_jacobian,
    .vjp = cast_vjp,
    .simplify = cast_simplify,
    .examples = {"x[5]; dtype=real", "x[5] int -3..3; dtype=real",
                 "x[4] in -3..3 not -2 -1 0 1 2; dtype=int64", "x[4] bool; dtype=int64"},
};

/* ---- stop_gradient: the value goes through, the gradient does not ---- */

static bp_status stop_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}

static bool stop_view(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset)
{
  for (int i = 0; i < c->y_type[0].rank; i++)
    strides[i] = in_strides[i];
  *offset = 0;
  return true;
}

static bp_node stop_simplify(const bp_op_call *c)
{
  return c->x[0];
}

const bp_op bp_op_stop_gradient = {
    .name = "stop_gradient",
    .math = "y = x, and no gradient flows back",
    .source = "-",
    .args = "x",
    .traits = BP_VIEW | BP_STOPS,
    .shape = stop_shape,
    .view = stop_view,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .simplify = stop_simplify,
    .examples = {"x[2,3]"},
};

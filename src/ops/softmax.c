/* Softmax and its logarithm over an axis, and maxout over groups. */
#include "ops/family.h"
#include "kernels/copy.h"

#include <math.h>

/* ---- what they share ---- */

typedef void (*rows_kernel)(int64_t n, const void *x, void *y, int64_t begin, int64_t end);

static bp_status softmax_canon(bp_op_call *c, bp_attr *attr)
{
  if (c->x_type[0].rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "a scalar has no axis");
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank);
}

/* Lines of a last axis lie as the kernel wants them; others are gathered into scratch and put back. A unit is a line. */
static bp_status softmax_lines(bp_kernel_call *c, rows_kernel run)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  int axis = (int)c->attr[0].i;
  int64_t n = x->dims[axis], inner = bpi_product(x->dims, axis + 1, x->rank), one = 1;
  size_t elem = bp_dtype_size(x->dtype);
  if (inner == 1) {
    run(n, x->data, y->data, c->begin, c->end);
    return BP_OK;
  }
  for (int64_t line = c->begin; line < c->end; line++) {
    size_t at = (size_t)(line / inner * n * inner + line % inner) * elem;
    bpi_copy_strided(1, &n, elem, (const char *)x->data + at, &inner, c->scratch, &one);
    run(n, c->scratch, c->scratch, 0, 1);
    bpi_copy_strided(1, &n, elem, c->scratch, &one, (char *)y->data + at, &inner);
  }
  return BP_OK;
}

static int64_t softmax_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *x = &c->in[0];
  int64_t n = x->dims[c->attr[0].i];
  *ns = 10 + (double)n;
  return n ? x->size / n : 0;
}

static size_t softmax_scratch(const bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  int axis = (int)c->attr[0].i;
  return axis == x->rank - 1 ? 0 : (size_t)x->dims[axis] * bp_dtype_size(x->dtype);
}

/* Lines of the last axis are runs of elements; others are spread out. */
static bp_jac softmax_jacobian(const bp_op_call *c, int input, int result)
{
  (void)input, (void)result;
  return c->attr[0].i == c->x_type[0].rank - 1 ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

static bp_node sum_line(const bp_op_call *c, bp_node x)
{
  return bp_sum(x, &c->attr[0].i, 1, true);
}

/* x less the largest of its line. */
static bp_node below_largest(const bp_op_call *c)
{
  return bp_sub(c->x[0], bp_max(c->x[0], &c->attr[0].i, 1, true));
}

/* ---- softmax ---- */

static bp_status softmax_kernel(bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  return softmax_lines(c, k->softmax[c->in[0].dtype == BP_FLOAT64]);
}

static bp_status softmax_expand(const bp_op_call *c, bp_node *out)
{
  bp_node e = bp_exp(below_largest(c));
  *out = c->x_type[0].dims[c->attr[0].i] ? bp_div(e, sum_line(c, e)) : c->x[0];
  return BP_OK;
}

static bp_node softmax_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bp_mul(c->y, bp_sub(up[0], sum_line(c, bp_mul(up[0], c->y))));
}

const bp_op bp_op_softmax = {
    .name = "softmax",
    .math = "y = e^x / sum of e^x along axis",
    .source = "Bridle 1990; computed from x - max x",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, -1}},
    .traits = BP_TOTAL,
    .canon = softmax_canon,
    .shape = bpi_shape_real,
    .jacobian = softmax_jacobian,
    .vjp = softmax_vjp,
    .expand = softmax_expand,
    .kernel = softmax_kernel,
    .units = softmax_units,
    .scratch = softmax_scratch,
    .overwrites = 1,
    .examples = {"x[3,4]; axis=-1", "x[2,3,2]; axis=1", "x[5]; axis=0", "x[3,1]; axis=1", "x[0,3]; axis=1"},
    .ulp32 = 16,
};

/* ---- log_softmax ---- */

static bp_status log_softmax_kernel(bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  return softmax_lines(c, k->log_softmax[c->in[0].dtype == BP_FLOAT64]);
}

static bp_status log_softmax_expand(const bp_op_call *c, bp_node *out)
{
  bp_node low = below_largest(c);
  *out = c->x_type[0].dims[c->attr[0].i] ? bp_sub(low, bp_log(sum_line(c, bp_exp(low)))) : c->x[0];
  return BP_OK;
}

static bp_node log_softmax_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bp_sub(up[0], bp_mul(bp_exp(c->y), sum_line(c, up[0])));
}

const bp_op bp_op_log_softmax = {
    .name = "log_softmax",
    .math = "y = x - ln of the sum of e^x along axis",
    .source = "computed from x - max x",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, -1}},
    .traits = BP_TOTAL,
    .canon = softmax_canon,
    .shape = bpi_shape_real,
    .jacobian = softmax_jacobian,
    .vjp = log_softmax_vjp,
    .expand = log_softmax_expand,
    .kernel = log_softmax_kernel,
    .units = softmax_units,
    .scratch = softmax_scratch,
    .overwrites = 1,
    .examples = {"x[3,4]; axis=-1", "x[2,3,2]; axis=1", "x[5]; axis=0", "x[3,1]; axis=1", "x[0,3]; axis=1"},
    .ulp32 = 16,
};

/* ---- maxout: the last axis in groups of k, the largest of each ---- */

static bp_status maxout_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  int64_t k = c->attr[0].i;
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (out->rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "a scalar has no axis");
  int64_t *last = &out->dims[out->rank - 1];
  if (k < 1 || *last % k)
    return bp_op_fail(c, BP_E_SHAPE, "the last axis of %lld does not divide into groups of %lld",
                      (long long)*last, (long long)k);
  *last /= k;
  return BP_OK;
}

/* The leading axes are one, so that the groups find an axis at rank 8 too. */
static bp_status maxout_expand(const bp_op_call *c, bp_node *out)
{
  const bp_type *y = &c->y_type[0];
  int64_t dims[3] = {bpi_product(y->dims, 0, y->rank - 1), y->dims[y->rank - 1], c->attr[0].i}, axis = 2;
  *out = bpi_reshape_to(bp_max(bp_reshape(c->x[0], dims, 3), &axis, 1, false), y);
  return BP_OK;
}

const bp_op bp_op_maxout = {
    .name = "maxout",
    .math = "y = the largest of each group of k elements of the last axis",
    .source = "Goodfellow et al. 2013",
    .kink = "the lowest index of the largest takes the whole gradient; NaN wins",
    .args = "x",
    .attrs = {{"k", BP_ATTR_INT, 2}},
    .traits = BP_ROUTER,
    .shape = maxout_shape,
    .jacobian = bpi_jac_select,
    .expand = maxout_expand,
    .examples = {"x[2,6] distinct; k=3", "x[6] distinct; k=2", "x[2,2,3] distinct; k=1", "x[0,4]; k=2"},
    .kinks = (const bp_kink[]){{{1, 1, 0}, {1, 0, 0}}, {{0, NAN, NAN}, {0, 1, 0}}},
    .n_kinks = 2,
};

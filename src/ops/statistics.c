/* What reductions say about numbers: mean, variance, norm, log of a sum of exponentials, running sums. */
#include "ops/reduce.h"
#include "kernels/rowwise.h"

#include <math.h>

static double count_of(const bp_op_call *c)
{
  return (double)bpi_reduced_count(&c->x_type[0], &c->attr[0]);
}

/* ---- mean ---- */

static bp_status mean_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_div(bp_sum(c->x[0], c->attr[0].v, c->attr[0].n, c->attr[1].i), bpi_num(c, count_of(c)));
  return BP_OK;
}

static bp_node mean_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  bp_node share = bp_div(bpi_over_x(c, up[0]), bpi_num(c, count_of(c)));
  return bp_broadcast(share, c->x_type[0].dims, c->x_type[0].rank);
}

const bp_op bp_op_mean = {
    .name = "mean",
    .math = "y = mean of x over axes",
    .source = "NumPy mean",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION | BP_LINEAR,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_some_shape,
    .jacobian = bpi_jac_spread,
    .vjp = mean_vjp,
    .expand = mean_expand,
    .examples = {"x[3,4]; axes=[-1], keep=0", "x[2,3,4]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0",
                 "x[0,3]; axes=[1], keep=0", "x[]; axes=[], keep=0"},
};

/* ---- var: in two passes, so that a large mean does no harm ---- */

static bp_status var_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  int64_t n = bpi_reduced_count(&c->x_type[0], &c->attr[0]), ddof = c->attr[2].i;
  if (n > 0 && (ddof < 0 || ddof >= n))
    return bp_op_fail(c, BP_E_ARG, "ddof is %lld, outside 0..%lld", (long long)ddof, (long long)(n - 1));
  return bpi_reduce_some_shape(c, out, n_out);
}

static bp_node less_mean(const bp_op_call *c)
{
  return bp_sub(c->x[0], bp_mean(c->x[0], c->attr[0].v, c->attr[0].n, true));
}

static bp_status var_expand(const bp_op_call *c, bp_node *out)
{
  bp_node squares = bp_sum(bp_square(less_mean(c)), c->attr[0].v, c->attr[0].n, c->attr[1].i);
  *out = bp_div(squares, bpi_num(c, count_of(c) - (double)c->attr[2].i));
  return BP_OK;
}

/* The mean moves with x too, but distances from it sum to 0, so that this part vanishes. */
static bp_node var_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  double scale = 2 / (count_of(c) - (double)c->attr[2].i);
  return bp_mul(bp_mul(bpi_over_x(c, up[0]), bpi_num(c, scale)), less_mean(c));
}

const bp_op bp_op_var = {
    .name = "var",
    .math = "y = sum of (x - mean x)^2 over axes / (n - ddof)",
    .source = "two passes: Chan, Golub & LeVeque 1983",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}, {"ddof", BP_ATTR_INT, 0}},
    .traits = BP_REDUCTION,
    .canon = bpi_reduce_canon,
    .shape = var_shape,
    .jacobian = bpi_jac_spread,
    .vjp = var_vjp,
    .expand = var_expand,
    .examples = {"x[3,4]; axes=[1], keep=0, ddof=0", "x[2,3,2]; axes=[0,2], keep=1, ddof=1",
                 "x[5]; axes=[], keep=0, ddof=1", "x[0,3]; axes=[1], keep=0, ddof=0",
                 "x[1]; axes=[], keep=0, ddof=0"},
    .ulp32 = 16,
};

/* ---- norm ---- */

/* Scaled by the largest, so that squares neither overflow nor vanish; nothing is scaled where that is 0, infinite or NaN. */
static bp_status norm_expand(const bp_op_call *c, bp_node *out)
{
  const int64_t *axes = c->attr[0].v, n = c->attr[0].n;
  if (count_of(c) == 0) {
    *out = bp_sum(c->x[0], axes, n, c->attr[1].i);
    return BP_OK;
  }
  bp_node top = bp_max(bp_abs(c->x[0]), axes, n, true), zero = bpi_num(c, 0), one = bpi_num(c, 1);
  bp_node usable = bp_logical_and(bp_greater(top, zero), bp_isfinite(top));
  bp_node scale = bp_where(usable, top, one);
  bp_node root = bp_sqrt(bp_sum(bp_square(bp_div(c->x[0], scale)), axes, n, c->attr[1].i));
  *out = bp_mul(root, bpi_reshape_to(scale, &c->y_type[0]));
  return BP_OK;
}

/* x / y; 0 at 0, where every direction is as good. */
static bp_node norm_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  bp_node y = bpi_over_x(c, c->y), zero = bpi_num(c, 0);
  return bp_chain(bpi_over_x(c, up[0]), bp_where(bp_equal(y, zero), zero, bp_div(c->x[0], y)));
}

const bp_op bp_op_norm = {
    .name = "norm",
    .math = "y = sqrt of the sum of x^2 over axes",
    .source = "Euclid; scaled by the largest |x|",
    .kink = "slope 0 where all are 0",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_shape,
    .jacobian = bpi_jac_spread,
    .vjp = norm_vjp,
    .expand = norm_expand,
    .examples = {"x[3,4]; axes=[-1], keep=0", "x[2,3,2]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0",
                 "x[0,3]; axes=[1], keep=0", "x[2,0]; axes=[1], keep=0", "x[] not 0; axes=[], keep=0"},
    .kinks = (const bp_kink[]){{{0}, {0}}},
    .n_kinks = 1,
};

/* ---- logsumexp ---- */

/* e^(x - shift), never too large. The largest is taken off, unless it is infinite, as inf - inf is no number; the result does not
 * depend on what is taken off. */
static bp_node exp_below(const bp_op_call *c, bp_node *shift)
{
  bp_node top = bp_max(c->x[0], c->attr[0].v, c->attr[0].n, true);
  *shift = bp_stop_gradient(bp_where(bp_isfinite(top), top, bpi_num(c, 0)));
  return bp_exp(bp_sub(c->x[0], *shift));
}

static bp_status logsumexp_expand(const bp_op_call *c, bp_node *out)
{
  const int64_t *axes = c->attr[0].v, n = c->attr[0].n;
  bp_node shift;
  if (count_of(c) == 0) {
    *out = bp_log(bp_sum(c->x[0], axes, n, c->attr[1].i));
    return BP_OK;
  }
  bp_node sum = bp_sum(exp_below(c, &shift), axes, n, true);
  *out = bpi_reshape_to(bp_add(bp_log(sum), shift), &c->y_type[0]);
  return BP_OK;
}

/* The softmax, and 0 where all are -inf. From the same nodes as the value: e^(x - y) would suffer from the rounding of a large y. */
static bp_node logsumexp_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  if (count_of(c) == 0)
    return BP_NO_NODE;
  bp_node shift, zero = bpi_num(c, 0), e = exp_below(c, &shift);
  bp_node sum = bp_sum(e, c->attr[0].v, c->attr[0].n, true);
  return bp_mul(e, bp_where(bp_equal(sum, zero), zero, bp_div(bpi_over_x(c, up[0]), sum)));
}

const bp_op bp_op_logsumexp = {
    .name = "logsumexp",
    .math = "y = ln of the sum of e^x over axes",
    .source = "computed from x - max x",
    .kink = "-inf, with slope 0, where all are -inf or there is none",
    .args = "x",
    .attrs = {{"axes", BP_ATTR_INTS, 0}, {"keep", BP_ATTR_BOOL, 0}},
    .traits = BP_REDUCTION,
    .canon = bpi_reduce_canon,
    .shape = bpi_reduce_shape,
    .jacobian = bpi_jac_spread,
    .vjp = logsumexp_vjp,
    .expand = logsumexp_expand,
    .examples = {"x[3,4]; axes=[-1], keep=0", "x[2,3,2]; axes=[0,2], keep=1", "x[5]; axes=[], keep=0",
                 "x[0,3]; axes=[1], keep=0", "x[]; axes=[], keep=0"},
    .ulp32 = 16,
    .kinks = (const bp_kink[]){{{-INFINITY, -INFINITY, -INFINITY}, {0, 0, 0}},
                               {{-INFINITY, 0, -INFINITY}, {0, 1, 0}}},
    .n_kinks = 2,
};

/* ---- cumsum ---- */

static bp_status cumsum_canon(bp_op_call *c, bp_attr *attr)
{
  if (c->x_type[0].rank == 0)
    return bp_op_fail(c, BP_E_SHAPE, "a scalar has no axis");
  attr[1].i = attr[1].i != 0;
  return bpi_canon_axis(c, &attr[0], c->x_type[0].rank);
}

static bp_status cumsum_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  int axis = (int)c->attr[0].i;
  bpi_cumsum(x->dtype, x->dims[axis], bpi_product(x->dims, axis + 1, x->rank), c->attr[1].i, x->data,
             c->out[0].data, c->begin, c->end);
  return BP_OK;
}

/* A unit is a line along the axis. */
static int64_t cumsum_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *x = &c->in[0];
  int64_t n = x->dims[c->attr[0].i];
  *ns = (double)n;
  return n ? x->size / n : 0;
}

static bp_node cumsum_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return bp_cumsum(up[0], c->attr[0].i, !c->attr[1].i);
}

static bp_jac cumsum_jacobian(const bp_op_call *c, int input, int result)
{
  (void)input, (void)result;
  return c->attr[0].i == c->x_type[0].rank - 1 ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

/* A line along the axis reaches all of its line; that half of it is always 0 helps no one who colours it. */
static bool cumsum_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)input, (void)result;
  const bp_type *x = &c->x_type[0];
  int axis = (int)c->attr[0].i;
  int64_t n = x->dims[axis], inner = bpi_product(x->dims, axis + 1, x->rank);
  *r = (bp_reach){.rank = 4,
                  .dims = {bpi_product(x->dims, 0, axis), n, n, inner},
                  .x = {n * inner, 0, inner, 1},
                  .y = {n * inner, inner, 0, 1}};
  return true;
}

const bp_op bp_op_cumsum = {
    .name = "cumsum",
    .math = "y = running sums of x along axis; in reverse, sums of what follows",
    .source = "NumPy cumsum",
    .args = "x",
    .attrs = {{"axis", BP_ATTR_INT, -1}, {"reverse", BP_ATTR_BOOL, 0}},
    .traits = BP_LINEAR | BP_TOTAL,
    .canon = cumsum_canon,
    .shape = bpi_shape_number,
    .jacobian = cumsum_jacobian,
    .reach = cumsum_reach,
    .vjp = cumsum_vjp,
    .kernel = cumsum_kernel,
    .units = cumsum_units,
    .overwrites = 1,
    .examples = {"x[3,4]; axis=-1, reverse=0", "x[2,3,2]; axis=1, reverse=1", "x[5]; axis=0, reverse=1",
                 "x[0,3]; axis=0, reverse=0", "x[4] int -9..9; axis=0, reverse=0"},
};

/* Activations. */
#include "ops/family.h"

#include <math.h>

/* ---- relu: y = max(0, x) ------------------------------------------------
 * The sign of y tells the sign of x, so the slope asks for y alone and the planner may write y over x. Kernel and slope share one
 * predicate, x > 0, and so agree at 0 and for NaN. */
static bp_node relu_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bpi_to_real(bp_greater(c->y, bpi_num(c, 0)));
}
REAL_BODY1(relu, x > 0 ? x : (x != x ? x : 0))
const bp_op bp_op_relu = {
    .name = "relu", .math = "y = max(0, x)", .source = "Nair & Hinton 2010", .kink = "slope 0 at x = 0", .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real, .slope = relu_slope, .body = &relu_body,
    .examples = {"x[7] not 0"},
    .kinks = {{{0}, {0}}}, .n_kinks = 1,
};

/* ---- sigmoid: the bundle 1 / (1 + exp(-x)) ---- */
static bp_node sigmoid_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_mul(c->y, bp_sub(bpi_num(c, 1), c->y));
}
static bp_status sigmoid_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_reciprocal(bp_add(bpi_num(c, 1), bp_exp(bp_neg(c->x[0]))));
  return BP_OK;
}
REAL_BODY1(sigmoid, m_sigmoid(x))
const bp_op bp_op_sigmoid = {
    .name = "sigmoid", .math = "y = 1 / (1 + e^-x)", .source = "-", .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real, .slope = sigmoid_slope, .expand = sigmoid_expand, .body = &sigmoid_body,
    .examples = {"x[7] in -4..4"}, .safe_lo = -30, .safe_hi = 30,
};

/* ---- tanh ---- */
static bp_node tanh_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_sub(bpi_num(c, 1), bp_square(c->y));
}
REAL_BODY1(tanh, m_tanh(x))
const bp_op bp_op_tanh = {
    .name = "tanh", .math = "y = tanh x", .source = "-", .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real, .slope = tanh_slope, .body = &tanh_body,
    .examples = {"x[7]"},
};

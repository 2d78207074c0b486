/* Activations. */
#include "ops/family.h"

#include <math.h>

/* ---- relu: y = max(0, x) ------------------------------------------------
 * The sign of y tells the sign of x, so the slope asks for y alone and the planner may write y over x. Kernel and slope share one
 * predicate, x > 0, and so agree at 0 and for NaN. */
static bp_node relu_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_heaviside(c->y);
}
static bp_status relu_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_maximum(c->x[0], bpi_num(c, 0));
  return BP_OK;
}
REAL_BODY1(relu, x <= 0 ? 0 : x)
const bp_op bp_op_relu = {
    .name = "relu",
    .math = "y = max(0, x)",
    .source = "Nair & Hinton 2010",
    .kink = "slope 0 at x = 0",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = relu_slope,
    .expand = relu_expand,
    .body = &relu_body,
    .examples = {"x[7] not 0"},
    .kinks = (const bp_kink[]){{{0}, {0}}},
    .n_kinks = 1,
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
    .name = "sigmoid",
    .math = "y = 1 / (1 + e^-x)",
    .source = "-",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = sigmoid_slope,
    .expand = sigmoid_expand,
    .body = &sigmoid_body,
    .examples = {"x[7] in -4..4"},
    .safe_lo = -30,
    .safe_hi = 30,
};

/* ---- tanh: the bundle (e^2x - 1) / (e^2x + 1) ---- */
static bp_node tanh_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_sub(bpi_num(c, 1), bp_square(c->y));
}
static bp_status tanh_expand(const bp_op_call *c, bp_node *out)
{
  bp_node t = bp_expm1(bp_mul(bpi_num(c, 2), c->x[0]));
  *out = bp_div(t, bp_add(t, bpi_num(c, 2)));
  return BP_OK;
}
REAL_BODY1(tanh, m_tanh(x))
const bp_op bp_op_tanh = {
    .name = "tanh",
    .math = "y = tanh x",
    .source = "-",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = tanh_slope,
    .expand = tanh_expand,
    .body = &tanh_body,
    .examples = {"x[7]", "x[2,0]"},
    .safe_lo = -15,
    .safe_hi = 15,
};

/* ---- The piecewise ones: where the sign of y tells the sign of x, the slope asks y for it, so that the planner may write y over x ---- */

/* The operand to ask for the sign of x: y, where scaling by `factor` for x <= 0 cannot have made y positive. */
static bp_node sign_source(const bp_op_call *c, double factor)
{
  return factor >= 0 ? c->y : c->x[0];
}

/* y where x > 0, else n. */
static bp_node above_or(const bp_op_call *c, bp_node x, bp_node y, bp_node n)
{
  return bp_where(bp_greater(x, bpi_num(c, 0)), y, n);
}

/* ---- leaky_relu ---- */
static bp_node leaky_relu_slope(const bp_op_call *c, int input)
{
  (void)input;
  double slope = c->attr[0].r;
  return above_or(c, sign_source(c, slope), bpi_num(c, 1), bpi_num(c, slope));
}
static bp_status leaky_relu_expand(const bp_op_call *c, bp_node *out)
{
  *out = above_or(c, c->x[0], c->x[0], bp_mul(bpi_num(c, c->attr[0].r), c->x[0]));
  return BP_OK;
}
REAL_BODY1(leaky_relu, x > 0 ? x : p0 * x)
const bp_op bp_op_leaky_relu = {
    .name = "leaky_relu",
    .math = "y = x for x > 0, else slope x",
    .source = "Maas, Hannun & Ng 2013",
    .kink = "slope at x = 0 is `slope`",
    .args = "x",
    .attrs = {{"slope", BP_ATTR_REAL, 0.01}},
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = leaky_relu_slope,
    .expand = leaky_relu_expand,
    .body = &leaky_relu_body,
    .examples = {"x[7] not 0", "x[2,3] not 0; slope=-0.3", "x[0]"},
    .kinks = (const bp_kink[]){{{0}, {0.01}}},
    .n_kinks = 1,
};

/* ---- prelu: the slope for x <= 0 is an operand, to be learned ---- */
static bp_node prelu_slope(const bp_op_call *c, int input)
{
  bp_node x = c->x[0];
  return input == 0 ? above_or(c, x, bpi_num(c, 1), c->x[1]) : above_or(c, x, bpi_num(c, 0), x);
}
static bp_status prelu_expand(const bp_op_call *c, bp_node *out)
{
  *out = above_or(c, c->x[0], c->x[0], bp_mul(c->x[0], c->x[1]));
  return BP_OK;
}
REAL_BODY2(prelu, a > 0 ? a : a * b)
const bp_op bp_op_prelu = {
    .name = "prelu",
    .math = "y = x for x > 0, else a x",
    .source = "He et al. 2015, Delving deep into rectifiers",
    .kink = "slope at x = 0 is a; a NaN in a does not reach the result where x > 0",
    .args = "x, a",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_real,
    .slope = prelu_slope,
    .expand = prelu_expand,
    .body = &prelu_body,
    .examples = {"x[3,4] not 0, a[4]", "x[7] not 0, a[]", "x[0], a[]"},
    .kinks = (const bp_kink[]){{{0, 0.25}, {0.25, 0}}},
    .n_kinks = 1,
};

/* ---- elu: for x <= 0 the slope alpha e^x is y + alpha ---- */
static bp_node elu_slope(const bp_op_call *c, int input)
{
  (void)input;
  double alpha = c->attr[0].r;
  return above_or(c, sign_source(c, alpha), bpi_num(c, 1), bp_add(c->y, bpi_num(c, alpha)));
}
static bp_status elu_expand(const bp_op_call *c, bp_node *out)
{
  *out = above_or(c, c->x[0], c->x[0], bp_mul(bpi_num(c, c->attr[0].r), bp_expm1(c->x[0])));
  return BP_OK;
}
REAL_BODY1(elu, x > 0 ? x : p0 * m_expm1(x))
const bp_op bp_op_elu = {
    .name = "elu",
    .math = "y = x for x > 0, else alpha (e^x - 1)",
    .source = "Clevert, Unterthiner & Hochreiter 2016",
    .kink = "slope at x = 0 is alpha",
    .args = "x",
    .attrs = {{"alpha", BP_ATTR_REAL, 1}},
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = elu_slope,
    .expand = elu_expand,
    .body = &elu_body,
    .examples = {"x[7] not 0", "x[2,3] not 0; alpha=0.4", "x[4] not 0; alpha=-0.5", "x[0]"},
    .kinks = (const bp_kink[]){{{0}, {1}}},
    .n_kinks = 1,
};

/* ---- selu: an elu scaled so that mean 0 and variance 1 are a fixed point ---- */
#define SELU_SCALE       1.0507009873554805
#define SELU_SCALE_ALPHA 1.7580993408473768
static bp_node selu_slope(const bp_op_call *c, int input)
{
  (void)input;
  return above_or(c, c->y, bpi_num(c, SELU_SCALE), bp_add(c->y, bpi_num(c, SELU_SCALE_ALPHA)));
}
static bp_status selu_expand(const bp_op_call *c, bp_node *out)
{
  bp_node x = c->x[0];
  *out = above_or(c, x, bp_mul(bpi_num(c, SELU_SCALE), x), bp_mul(bpi_num(c, SELU_SCALE_ALPHA), bp_expm1(x)));
  return BP_OK;
}
REAL_BODY1(selu, x > 0 ? (T)1.0507009873554805 * x : (T)1.7580993408473768 * m_expm1(x))
const bp_op bp_op_selu = {
    .name = "selu",
    .math = "y = s x for x > 0, else s a (e^x - 1); s = 1.05070098735548, a = 1.67326324235438",
    .source = "Klambauer et al. 2017",
    .kink = "slope at x = 0 is s a",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = selu_slope,
    .expand = selu_expand,
    .body = &selu_body,
    .examples = {"x[7] not 0", "x[2,0]"},
    .kinks = (const bp_kink[]){{{0}, {SELU_SCALE_ALPHA}}},
    .n_kinks = 1,
};

/* ---- celu: an elu whose slope is continuous for every alpha ---- */
static bp_status celu_canon(bp_op_call *c, bp_attr *attr)
{
  return attr[0].r > 0 ? BP_OK : bp_op_fail(c, BP_E_ARG, "alpha must be positive, got %g", attr[0].r);
}
static bp_node celu_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node one = bpi_num(c, 1);
  return above_or(c, c->y, one, bp_add(bp_div(c->y, bpi_num(c, c->attr[0].r)), one));
}
static bp_status celu_expand(const bp_op_call *c, bp_node *out)
{
  bp_node x = c->x[0], alpha = bpi_num(c, c->attr[0].r);
  *out = above_or(c, x, x, bp_mul(alpha, bp_expm1(bp_div(x, alpha))));
  return BP_OK;
}
REAL_BODY1(celu, x > 0 ? x : p0 * m_expm1(x / p0))
const bp_op bp_op_celu = {
    .name = "celu",
    .math = "y = x for x > 0, else alpha (e^(x / alpha) - 1)",
    .source = "Barron 2017",
    .kink = "slope 1 at x = 0; the second derivative jumps there",
    .args = "x",
    .attrs = {{"alpha", BP_ATTR_REAL, 1}},
    .traits = BP_ELEMENTWISE,
    .canon = celu_canon,
    .shape = bpi_shape_real,
    .slope = celu_slope,
    .expand = celu_expand,
    .body = &celu_body,
    .examples = {"x[7] not 0", "x[2,3] not 0; alpha=0.4", "x[0]"},
    .kinks = (const bp_kink[]){{{0}, {1}}},
    .n_kinks = 1,
};

/* ---- relu6 ---- */
static bp_node relu6_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bpi_to_real(bp_logical_and(bp_greater(c->y, bpi_num(c, 0)), bp_less(c->y, bpi_num(c, 6))));
}
static bp_status relu6_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_clip(c->x[0], 0, 6);
  return BP_OK;
}
REAL_BODY1(relu6, x > 0 ? (x < 6 ? x : 6) : (x != x ? x : 0))
const bp_op bp_op_relu6 = {
    .name = "relu6",
    .math = "y = min(max(0, x), 6)",
    .source = "Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
    .kink = "slope 1 strictly between 0 and 6, 0 elsewhere",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = relu6_slope,
    .expand = relu6_expand,
    .body = &relu6_body,
    .examples = {"x[7] in -2..8 not 0 6", "x[2,0]"},
    .kinks = (const bp_kink[]){{{0}, {0}}, {{6}, {0}}},
    .n_kinks = 2,
};

/* ---- hard_sigmoid ---- */
static bp_node hard_sigmoid_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_where(bp_less(bp_abs(c->x[0]), bpi_num(c, 3)), bpi_num(c, 1.0 / 6), bpi_num(c, 0));
}
static bp_status hard_sigmoid_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_clip(bp_div(bp_add(c->x[0], bpi_num(c, 3)), bpi_num(c, 6)), 0, 1);
  return BP_OK;
}
REAL_BODY1(hard_sigmoid, x >= 3 ? 1 : x <= -3 ? 0 : (x + 3) / 6)
const bp_op bp_op_hard_sigmoid = {
    .name = "hard_sigmoid",
    .math = "y = min(max(0, (x + 3) / 6), 1)",
    .source = "Howard et al. 2019, Searching for MobileNetV3",
    .kink = "slope 1/6 strictly between -3 and 3, 0 elsewhere",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = hard_sigmoid_slope,
    .expand = hard_sigmoid_expand,
    .body = &hard_sigmoid_body,
    .examples = {"x[7] in -4..4 not -3 3", "x[2,0]"},
    .kinks = (const bp_kink[]){{{-3}, {0}}, {{3}, {0}}},
    .n_kinks = 2,
};

/* ---- hard_swish: asked the other way round, |x| >= 3, a NaN takes the branch that passes it on ---- */
static bp_node hard_swish_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node x = c->x[0];
  bp_node inside = bp_add(bp_div(x, bpi_num(c, 3)), bpi_num(c, 0.5));
  return bp_where(bp_greater_equal(bp_abs(x), bpi_num(c, 3)), bpi_to_real(bp_greater(x, bpi_num(c, 0))),
                  inside);
}
static bp_status hard_swish_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(c->x[0], bp_clip(bp_div(bp_add(c->x[0], bpi_num(c, 3)), bpi_num(c, 6)), 0, 1));
  return BP_OK;
}
REAL_BODY1(hard_swish, x >= 3 ? x : x <= -3 ? 0 : x * ((x + 3) / 6))
const bp_op bp_op_hard_swish = {
    .name = "hard_swish",
    .math = "y = x min(max(0, (x + 3) / 6), 1)",
    .source = "Howard et al. 2019, Searching for MobileNetV3",
    .kink = "slope 0 at x = -3, 1 at x = 3",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = hard_swish_slope,
    .expand = hard_swish_expand,
    .body = &hard_swish_body,
    .examples = {"x[7] in -4..4 not -3 3", "x[2,0]"},
    .kinks = (const bp_kink[]){{{-3}, {0}}, {{3}, {1}}},
    .n_kinks = 2,
};

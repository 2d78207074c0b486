/* Smooth activations made of exp: softplus and its kin, and gates y = x g(x).
 *
 * A gate's slope is g(x) + x g'(x), and far from 0, where x may be infinite, g'(x) is 0 exactly: `chain` makes that product 0. The
 * body says outright that y is 0 where g(x) is 0 in every element type, for there -inf times g(x) would be NaN. */
#include "ops/family.h"

/* ---- softplus: the slope sigmoid(x) is 1 - e^-y, so that the planner may write y over x ---- */
static bp_node softplus_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_neg(bp_expm1(bp_neg(c->y)));
}
static bp_status softplus_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_log1p(bp_exp(c->x[0]));
  return BP_OK;
}
REAL_BODY1(softplus, m_softplus(x))
const bp_op bp_op_softplus = {
    .name = "softplus",
    .math = "y = ln(1 + e^x)",
    .source = "Dugas et al. 2001",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = softplus_slope,
    .expand = softplus_expand,
    .body = &softplus_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -80,
    .safe_hi = 80,
};

/* ---- log_sigmoid: the slope sigmoid(-x) is 1 - e^y, exact also where y is almost 0 ---- */
static bp_node log_sigmoid_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_neg(bp_expm1(c->y));
}
static bp_status log_sigmoid_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_neg(bp_log1p(bp_exp(bp_neg(c->x[0]))));
  return BP_OK;
}
REAL_BODY1(log_sigmoid, m_log_sigmoid(x))
const bp_op bp_op_log_sigmoid = {
    .name = "log_sigmoid",
    .math = "y = -ln(1 + e^-x)",
    .source = "-",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = log_sigmoid_slope,
    .expand = log_sigmoid_expand,
    .body = &log_sigmoid_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -80,
    .safe_hi = 80,
};

/* ---- softsign: 1 - |y| has no digits left where |x| is large, so the slope asks for x ---- */
static bp_node softsign_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_square(bp_reciprocal(bp_add(bpi_num(c, 1), bp_abs(c->x[0]))));
}
static bp_status softsign_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_div(c->x[0], bp_add(bpi_num(c, 1), bp_abs(c->x[0])));
  return BP_OK;
}
REAL_BODY1(softsign, x > (T)1e30 ? 1 : x < (T)-1e30 ? -1 : x / (1 + m_abs(x)))
const bp_op bp_op_softsign = {
    .name = "softsign",
    .math = "y = x / (1 + |x|)",
    .source = "Bergstra et al. 2009",
    .kink = "slope 1 at x = 0; the second derivative jumps there",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = softsign_slope,
    .expand = softsign_expand,
    .body = &softsign_body,
    .examples = {"x[7] not 0", "x[2,0]"},
    .kinks = (const bp_kink[]){{{0}, {1}}},
    .n_kinks = 1,
    .safe_lo = -1e6,
    .safe_hi = 1e6,
};

/* g(x) + x g'(x), where g' is 0 exactly far from 0. */
static bp_node gate_slope(const bp_op_call *c, bp_node g, bp_node g_slope)
{
  return bp_add(g, bp_chain(g_slope, c->x[0]));
}

/* ---- silu, also called swish ---- */
static bp_node silu_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node s = bp_sigmoid(c->x[0]);
  return gate_slope(c, s, bp_mul(s, bp_sub(bpi_num(c, 1), s)));
}
static bp_status silu_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(c->x[0], bp_sigmoid(c->x[0]));
  return BP_OK;
}
REAL_BODY1(silu, x < -800 ? 0 : x * m_sigmoid(x))
const bp_op bp_op_silu = {
    .name = "silu",
    .math = "y = x / (1 + e^-x)",
    .source = "Hendrycks & Gimpel 2016; Elfwing, Uchibe & Doya 2018",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = silu_slope,
    .expand = silu_expand,
    .body = &silu_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -700,
    .safe_hi = 700,
};

/* ---- mish: with n = e^x (e^x + 2), tanh(softplus(x)) is n / (n + 2), which costs one exp and loses nothing ---- */
static bp_node mish_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node t = bp_tanh(bp_softplus(c->x[0])), s = bp_sigmoid(c->x[0]);
  return gate_slope(c, t, bp_mul(s, bp_sub(bpi_num(c, 1), bp_square(t))));
}
static bp_status mish_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(c->x[0], bp_tanh(bp_softplus(c->x[0])));
  return BP_OK;
}
REAL_BODY1(mish, x > 20     ? x
                 : x < -800 ? 0
                            : x * (m_exp(x) * (m_exp(x) + 2) / (m_exp(x) * (m_exp(x) + 2) + 2)))
const bp_op bp_op_mish = {
    .name = "mish",
    .math = "y = x tanh(ln(1 + e^x))",
    .source = "Misra 2019",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = mish_slope,
    .expand = mish_expand,
    .body = &mish_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -700,
    .safe_hi = 700,
};

/* ---- gelu: the gate is the normal distribution function P ---- */
static bp_node normal_gate(const bp_op_call *c)
{
  bp_node e = bp_erf(bp_mul(bpi_num(c, 0.70710678118654752), c->x[0])); /* 1 / sqrt(2) */
  return bp_mul(bpi_num(c, 0.5), bp_add(bpi_num(c, 1), e));
}
static bp_node gelu_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node e = bp_exp(bp_mul(bpi_num(c, -0.5), bp_square(c->x[0])));
  return gate_slope(c, normal_gate(c), bp_mul(bpi_num(c, 0.39894228040143268), e)); /* 1 / sqrt(2 pi) */
}
static bp_status gelu_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(c->x[0], normal_gate(c));
  return BP_OK;
}
REAL_BODY1(gelu, x < -40 ? 0 : x * ((T)0.5 * (1 + m_erf((T)0.70710678118654752 * x))))
const bp_op bp_op_gelu = {
    .name = "gelu",
    .math = "y = x P(x), P the normal distribution function",
    .source = "Hendrycks & Gimpel 2016",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = gelu_slope,
    .expand = gelu_expand,
    .body = &gelu_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -40,
    .safe_hi = 40,
};

/* ---- gelu_tanh: (1 + tanh v) / 2 is sigmoid(2v), which keeps its digits below 0 ---- */
#define GELU_K  1.5957691216057308   /* 2 sqrt(2 / pi) */
#define GELU_K3 0.071354816272600249 /* 0.044715 GELU_K */
static bp_node gelu_tanh_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node square = bp_square(c->x[0]), k = bpi_num(c, GELU_K);
  bp_node s = bp_sigmoid(bp_mul(c->x[0], bp_add(k, bp_mul(bpi_num(c, GELU_K3), square))));
  bp_node inner = bp_add(k, bp_mul(bpi_num(c, 3 * GELU_K3), square));
  return gate_slope(c, s, bp_chain(bp_mul(s, bp_sub(bpi_num(c, 1), s)), inner));
}
static bp_status gelu_tanh_expand(const bp_op_call *c, bp_node *out)
{
  bp_node x = c->x[0], half = bpi_num(c, 0.5);
  bp_node cubic = bp_add(x, bp_mul(bpi_num(c, 0.044715), bp_mul(x, bp_square(x))));
  bp_node t = bp_tanh(bp_mul(bpi_num(c, 0.79788456080286536), cubic));
  *out = bp_mul(bp_mul(half, x), bp_add(bpi_num(c, 1), t));
  return BP_OK;
}
REAL_BODY1(gelu_tanh,
           x < -40 ? 0 : x * m_sigmoid(x * ((T)1.5957691216057308 + (T)0.071354816272600249 * (x * x))))
const bp_op bp_op_gelu_tanh = {
    .name = "gelu_tanh",
    .math = "y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
    .source = "Hendrycks & Gimpel 2016",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = gelu_tanh_slope,
    .expand = gelu_tanh_expand,
    .body = &gelu_tanh_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
    .safe_lo = -40,
    .safe_hi = 40,
};

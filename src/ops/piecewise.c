/* Elementwise with kinks or steps: absolute value, rounding, extremes. */
#include "ops/family.h"

#include <math.h>

/* ---- abs ---- */
static bp_node abs_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_sign(c->x[0]);
}
NUM_BODY1(abs, x > 0 ? x : (T)0 - x)
const bp_op bp_op_abs = {
    .name = "abs",
    .math = "y = |x|",
    .symbol = "|x|",
    .source = "IEEE 754",
    .kink = "slope 0 at x = 0",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_number,
    .slope = abs_slope,
    .body = &abs_body,
    .examples = {"x[7] not 0", "x[2,0]", "x[4] int -5..5"},
    .kinks = (const bp_kink[]){{{0}, {0}}},
    .n_kinks = 1,
};

/* ---- sign ---- */
NUM_BODY1(sign, x > 0 ? (T)1 : x < 0 ? (T)-1 : x)
const bp_op bp_op_sign = {
    .name = "sign",
    .math = "y = 1 for x > 0, -1 for x < 0, else x",
    .source = "NumPy sign",
    .kink = "no gradient; 0 at x = 0",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_number,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &sign_body,
    .examples = {"x[7] not 0", "x[2,0]", "x[4] int -5..5"},
};

/* ---- heaviside: 1 where x is positive. One real number, not a test and a cast: slopes are made of it ---- */
REAL_BODY1(heaviside, x > 0 ? (T)1 : (T)0)
const bp_op bp_op_heaviside = {
    .name = "heaviside",
    .math = "y = 1 for x > 0, else 0",
    .source = "NumPy heaviside with 0 at 0",
    .kink = "no gradient; 0 for NaN too",
    .args = "x",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_INDICATOR,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &heaviside_body,
    .examples = {"x[7] not 0", "x[2,0]"},
};

/* ---- gate: the product with heaviside in one row, of which gradients through relu are made ---- */
static bp_node gate_slope(const bp_op_call *c, int input)
{
  return input == 0 ? bp_heaviside(c->x[1]) : BP_NO_NODE;
}
static bp_jac gate_jacobian(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input == 0 ? BP_JAC_DIAGONAL : BP_JAC_ZERO;
}
static bp_status gate_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(c->x[0], bp_heaviside(c->x[1]));
  return BP_OK;
}
REAL_BODY2(gate, b > 0 ? a : a * 0)
const bp_op bp_op_gate = {
    .name = "gate",
    .math = "y = u for x > 0, else 0 u",
    .source = "-",
    .kink = "no gradient for x; slope 0 for u where x is 0 or NaN",
    .args = "u, x",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_INTERNAL,
    .shape = bpi_shape_real,
    .jacobian = gate_jacobian,
    .slope = gate_slope,
    .expand = gate_expand,
    .body = &gate_body,
    .examples = {"u[7], x[7] not 0", "u[2,1], x[3] not 0", "u[0], x[]"},
};

/* ---- exceeds, reaches: a test of two real numbers as a real number, for the same reason. Not in the language: there, a cast says it ---- */
static bp_status exceeds_expand(const bp_op_call *c, bp_node *out)
{
  *out = bpi_to_real(bp_greater(c->x[0], c->x[1]));
  return BP_OK;
}
REAL_BODY2(exceeds, a > b ? (T)1 : (T)0)
const bp_op bp_op_exceeds = {
    .name = "exceeds",
    .math = "y = 1 for a > b, else 0",
    .source = "IEEE 754",
    .kink = "no gradient; 0 for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_INTERNAL | BP_INDICATOR,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .expand = exceeds_expand,
    .body = &exceeds_body,
    .examples = {"a[7] distinct, b[7] distinct", "a[2,1] distinct, b[3] distinct", "a[0], b[]"},
};

static bp_status reaches_expand(const bp_op_call *c, bp_node *out)
{
  *out = bpi_to_real(bp_greater_equal(c->x[0], c->x[1]));
  return BP_OK;
}
REAL_BODY2(reaches, a >= b ? (T)1 : (T)0)
const bp_op bp_op_reaches = {
    .name = "reaches",
    .math = "y = 1 for a >= b, else 0",
    .source = "IEEE 754",
    .kink = "no gradient; 0 for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_INTERNAL | BP_INDICATOR,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .expand = reaches_expand,
    .body = &reaches_body,
    .examples = {"a[7] distinct, b[7] distinct", "a[2,1] distinct, b[3] distinct", "a[0], b[]"},
};

/* 1 where a > b, or where a >= b; else 0. */
static bp_node wins(bp_node a, bp_node b, bool ties)
{
  const bp_node x[] = {a, b};
  return bpi_one(ties ? &bp_op_reaches : &bp_op_exceeds, x, 2, NULL);
}

/* ---- floor, ceil, round ---- */
REAL_BODY1(floor, m_floor(x))
const bp_op bp_op_floor = {
    .name = "floor",
    .math = "y = the largest integer that is at most x",
    .source = "IEEE 754 roundToIntegralTowardNegative",
    .kink = "no gradient",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &floor_body,
    .examples = {"x[7] not -2 -1 0 1 2", "x[2,0]"},
};

REAL_BODY1(ceil, m_ceil(x))
const bp_op bp_op_ceil = {
    .name = "ceil",
    .math = "y = the least integer that is at least x",
    .source = "IEEE 754 roundToIntegralTowardPositive",
    .kink = "no gradient",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &ceil_body,
    .examples = {"x[7] not -2 -1 0 1 2", "x[2,0]"},
};

REAL_BODY1(round, m_rint(x))
const bp_op bp_op_round = {
    .name = "round",
    .math = "y = the integer nearest to x, halves to the even one",
    .source = "IEEE 754 roundToIntegralTiesToEven",
    .kink = "no gradient",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &round_body,
    .examples = {"x[7] not -1.5 -0.5 0.5 1.5", "x[2,0]"},
};

/* ---- maximum, minimum: routers ------------------------------------------
 * One operand wins and takes the whole gradient. Who wins a tie is decided when the node is built and then kept as an attribute: asking
 * "is it a constant?" again later could find an operand folded to a constant meanwhile, and the gradient would change. */
enum { TIE_OPEN = -1, TIE_FIRST = 0, TIE_SECOND = 1 };

static bp_status tie_canon(bp_op_call *c, bp_attr *attr)
{
  if (attr[0].i == TIE_OPEN)
    attr[0].i = bpi_is_fixed(c->x[1]) && !bpi_is_fixed(c->x[0]) ? TIE_SECOND : TIE_FIRST;
  if (attr[0].i != TIE_FIRST && attr[0].i != TIE_SECOND)
    return bp_op_fail(c, BP_E_ARG,
                      "tie is %lld; it names the operand that wins ties, 0 or 1, or -1 for the usual one",
                      (long long)attr[0].i);
  return BP_OK;
}

static bp_node router_build(const bp_op *op, bp_node a, bp_node b)
{
  const bp_node x[] = {a, b};
  const bp_attr open = {.i = TIE_OPEN};
  return bpi_one(op, x, 2, &open);
}

static bp_node maximum_slope(const bp_op_call *c, int input)
{
  return wins(c->x[input], c->x[1 - input], c->attr[0].i == input);
}
NUM_BODY2(maximum, a >= b ? a : a != a ? a : b)
const bp_op bp_op_maximum = {
    /* builder by hand */
    .name = "maximum",
    .math = "y = max(a, b)",
    .symbol = "max",
    .source = "NumPy maximum",
    .kink = "one operand takes the whole gradient; at a tie a constant one, else the first",
    .args = "a, b",
    .attrs = {{"tie", BP_ATTR_INT, TIE_OPEN}},
    .traits = BP_ELEMENTWISE | BP_ROUTER,
    .canon = tie_canon,
    .shape = bpi_shape_number,
    .slope = maximum_slope,
    .body = &maximum_body,
    .examples = {"a[7] distinct, b[7] distinct", "a[2,1] distinct, b[3] distinct", "a[0], b[]",
                 "a[4] int 0..3, b[4] int 0..3", "a[5] distinct, b[5] distinct; tie=1"},
    .kinks = (const bp_kink[]){{{1, 1}, {1, 0}}, {{0, 0}, {1, 0}}},
    .n_kinks = 2,
};

bp_node bp_maximum(bp_node a, bp_node b)
{
  return router_build(&bp_op_maximum, a, b);
}

static bp_node minimum_slope(const bp_op_call *c, int input)
{
  return wins(c->x[1 - input], c->x[input], c->attr[0].i == input);
}
NUM_BODY2(minimum, a <= b ? a : a != a ? a : b)
const bp_op bp_op_minimum = {
    /* builder by hand */
    .name = "minimum",
    .math = "y = min(a, b)",
    .symbol = "min",
    .source = "NumPy minimum",
    .kink = "one operand takes the whole gradient; at a tie a constant one, else the first",
    .args = "a, b",
    .attrs = {{"tie", BP_ATTR_INT, TIE_OPEN}},
    .traits = BP_ELEMENTWISE | BP_ROUTER,
    .canon = tie_canon,
    .shape = bpi_shape_number,
    .slope = minimum_slope,
    .body = &minimum_body,
    .examples = {"a[7] distinct, b[7] distinct", "a[2,1] distinct, b[3] distinct", "a[0], b[]",
                 "a[4] int 0..3, b[4] int 0..3", "a[5] distinct, b[5] distinct; tie=1"},
    .kinks = (const bp_kink[]){{{1, 1}, {1, 0}}, {{0, 0}, {1, 0}}},
    .n_kinks = 2,
};

bp_node bp_minimum(bp_node a, bp_node b)
{
  return router_build(&bp_op_minimum, a, b);
}

/* ---- clip ---- */
static bp_status clip_canon(bp_op_call *c, bp_attr *attr)
{
  if (!(attr[0].r <= attr[1].r))
    return bp_op_fail(c, BP_E_ARG, "needs lo <= hi, got lo = %g and hi = %g", attr[0].r, attr[1].r);
  return BP_OK;
}
static bp_node clip_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node lo = bpi_num(c, c->attr[0].r), hi = bpi_num(c, c->attr[1].r);
  return bp_mul(wins(c->x[0], lo, false), wins(hi, c->x[0], false));
}
REAL_BODY1(clip, x<p0 ? p0 : x> p1 ? p1 : x)
const bp_op bp_op_clip = {
    .name = "clip",
    .math = "y = min(max(x, lo), hi)",
    .source = "NumPy clip",
    .kink = "slope 1 strictly between lo and hi, 0 elsewhere",
    .args = "x",
    .attrs = {{"lo", BP_ATTR_REAL, NAN}, {"hi", BP_ATTR_REAL, NAN}},
    .traits = BP_ELEMENTWISE,
    .canon = clip_canon,
    .shape = bpi_shape_real,
    .slope = clip_slope,
    .body = &clip_body,
    .examples = {"x[7] not -1 1; lo=-1, hi=1", "x[2,3] in 0..2 not 0.5 1; lo=0.5, hi=1", "x[0]; lo=0, hi=0"},
    .kinks = (const bp_kink[]){{{-1}, {0}}, {{1}, {0}}},
    .n_kinks = 2,
};

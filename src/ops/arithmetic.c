/* Arithmetic: elementwise, smooth where defined. */
#include "ops/family.h"

#include <math.h>

/* ---- neg ---- */
static bp_node neg_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bpi_num(c, -1);
}
static bp_node neg_simplify(const bp_op_call *c)
{
  const bpi_node *v = bpi_slot(c->x[0]);
  return v->op == c->op ? bpi_handle(c->graph, v->in[0]) : BP_NO_NODE;
}
NUM_BODY1(neg, -x)
const bp_op bp_op_neg = {
    .name = "neg",
    .math = "y = -x",
    .symbol = "×−1",
    .source = "IEEE 754",
    .args = "x",
    .traits = BP_ELEMENTWISE | BP_LINEAR,
    .shape = bpi_shape_number,
    .jacobian = bpi_jac_scaled,
    .slope = neg_slope,
    .simplify = neg_simplify,
    .body = &neg_body,
    .examples = {"x[7]", "x[2,0]", "x[4] int -5..5"},
};

/* ---- add ---- */
static bp_node add_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bpi_num(c, 1);
}
NUM_BODY2(add, a + b)
const bp_op bp_op_add = {
    .name = "add",
    .math = "y = a + b",
    .symbol = "+",
    .source = "IEEE 754",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_LINEAR | BP_COMMUTATIVE,
    .shape = bpi_shape_number,
    .jacobian = bpi_jac_identity,
    .slope = add_slope,
    .body = &add_body,
    .examples = {"a[2,3], b[2,3]", "a[2,1], b[3]", "a[], b[0]", "a[3] int -9..9, b[3] int -9..9"},
};

/* ---- sub ---- */
static bp_node sub_slope(const bp_op_call *c, int input)
{
  return bpi_num(c, input ? -1 : 1);
}
static bp_jac sub_jacobian(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_SCALED : BP_JAC_IDENTITY;
}
NUM_BODY2(sub, a - b)
const bp_op bp_op_sub = {
    .name = "sub",
    .math = "y = a - b",
    .symbol = "−",
    .source = "IEEE 754",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_LINEAR,
    .shape = bpi_shape_number,
    .jacobian = sub_jacobian,
    .slope = sub_slope,
    .body = &sub_body,
    .examples = {"a[2,3], b[2,3]", "a[2,1], b[3]", "a[3] int -9..9, b[3] int -9..9"},
};

/* ---- mul ---- */
static bp_node mul_slope(const bp_op_call *c, int input)
{
  return c->x[1 - input];
}
/* x * 1 is x for every x; x * 0 is not 0 for every x. */
static bp_node mul_simplify(const bp_op_call *c)
{
  double v;
  for (int i = 0; i < 2; i++)
    if (c->y_type[0].dtype == BP_REAL && bpi_splat(c->x[i], &v) && v == 1)
      return c->x[1 - i];
  return BP_NO_NODE;
}
NUM_BODY2(mul, a *b)
const bp_op bp_op_mul = {
    .name = "mul",
    .math = "y = a b",
    .symbol = "×",
    .source = "IEEE 754",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_MULTILINEAR | BP_COMMUTATIVE,
    .shape = bpi_shape_number,
    .slope = mul_slope,
    .simplify = mul_simplify,
    .body = &mul_body,
    .examples = {"a[2,3], b[2,3]", "a[2,1], b[3]", "a[0], b[0]", "a[3] int -9..9, b[3] int -9..9"},
};

/* ---- div ---- */
static bp_node div_slope(const bp_op_call *c, int input)
{
  return input ? bp_neg(bp_div(c->y, c->x[1])) : bp_reciprocal(c->x[1]);
}
static bp_node div_simplify(const bp_op_call *c)
{
  double v;
  return bpi_splat(c->x[1], &v) && v == 1 ? c->x[0] : BP_NO_NODE;
}
REAL_BODY2(div, a / b)
const bp_op bp_op_div = {
    .name = "div",
    .math = "y = a / b",
    .symbol = "/",
    .source = "IEEE 754",
    .args = "a, b",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = div_slope,
    .simplify = div_simplify,
    .body = &div_body,
    .examples = {"a[7], b[7] in 0.5..3", "a[2,1], b[3] in -3..-0.5"},
};

/* ---- chain: how a gradient passes a local slope ----
 * Where nothing flows back, nothing must come out, whatever the slope is there: the untaken branch of a `where` has u = 0, and
 * its slope may be infinite. */
static bp_node chain_slope(const bp_op_call *c, int input)
{
  return c->x[1 - input];
}
/* It is a plain product where u is never 0, or where s is finite and no -0 or less: then 0 s is the 0 that u is. Of numbers that is asked
 * of their float, as the plan may take that. */
static bool is_product(const bp_op_call *c)
{
  double v;
  if (bpi_splat(c->x[0], &v))
    return (float)v != 0;
  if (bpi_splat(c->x[1], &v))
    return isfinite((float)v) && !signbit(v);
  return bpi_slot(c->x[1])->op->traits & BP_INDICATOR;
}
static bp_node chain_simplify(const bp_op_call *c)
{
  double v;
  for (int i = 0; i < 2; i++)
    if (bpi_splat(c->x[i], &v) && v == 1)
      return c->x[1 - i];
  const bpi_node *s = bpi_slot(c->x[1]);
  if (s->op == &bp_op_heaviside)
    return bpi_one(&bp_op_gate, (bp_node[]){c->x[0], bpi_handle(c->graph, s->in[0])}, 2, NULL);
  return is_product(c) ? bp_mul(c->x[0], c->x[1]) : BP_NO_NODE;
}
REAL_BODY2(chain, a == 0 ? a : a * b)
const bp_op bp_op_chain = {
    .name = "chain",
    .math = "y = u s, and 0 where u is 0",
    .symbol = "×",
    .source = "Griewank & Walther 2008, ch. 3",
    .kink = "at u = 0 the slope for u is s",
    .args = "u, s",
    .traits = BP_ELEMENTWISE | BP_MULTILINEAR | BP_NAN_STOPS,
    .shape = bpi_shape_real,
    .slope = chain_slope,
    .simplify = chain_simplify,
    .body = &chain_body,
    .examples = {"u[7] in 0.2..2, s[7]", "u[2,1] in -2..-0.2, s[3]"},
};

/* ---- exp ---- */
static bp_node exp_slope(const bp_op_call *c, int input)
{
  (void)input;
  return c->y;
}
REAL_BODY1(exp, m_exp(x))
const bp_op bp_op_exp = {
    .name = "exp",
    .math = "y = e^x",
    .source = "Tang, Table-driven exp, 1989",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = exp_slope,
    .body = &exp_body,
    .examples = {"x[7]", "x[2,0]"},
};

/* ---- log ---- */
static bp_node log_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_reciprocal(c->x[0]);
}
REAL_BODY1(log, m_log(x))
const bp_op bp_op_log = {
    .name = "log",
    .math = "y = ln x",
    .symbol = "ln",
    .source = "Tang, Table-driven log, 1990",
    .kink = "-inf at 0, NaN below",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = log_slope,
    .body = &log_body,
    .examples = {"x[7] in 0.2..4"},
};

/* ---- sqrt ---- */
static bp_node sqrt_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_div(bpi_num(c, 0.5), c->y);
}
REAL_BODY1(sqrt, m_sqrt(x))
const bp_op bp_op_sqrt = {
    .name = "sqrt",
    .math = "y = sqrt(x)",
    .symbol = "√",
    .source = "IEEE 754",
    .kink = "slope inf at 0, as the limit says; NaN below",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = sqrt_slope,
    .body = &sqrt_body,
    .examples = {"x[7] in 0.2..4"},
    .kinks = (const bp_kink[]){{{0}, {INFINITY}}},
    .n_kinks = 1,
};

/* ---- square ---- */
static bp_node square_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_mul(bpi_num(c, 2), c->x[0]);
}
NUM_BODY1(square, x *x)
const bp_op bp_op_square = {
    .name = "square",
    .math = "y = x^2",
    .symbol = "x²",
    .source = "-",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_number,
    .slope = square_slope,
    .body = &square_body,
    .examples = {"x[7]", "x[3] int -9..9"},
};

/* ---- reciprocal ---- */
static bp_node reciprocal_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_neg(bp_square(c->y));
}
REAL_BODY1(reciprocal, 1 / x)
const bp_op bp_op_reciprocal = {
    .name = "reciprocal",
    .math = "y = 1 / x",
    .symbol = "1/x",
    .source = "IEEE 754",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = reciprocal_slope,
    .body = &reciprocal_body,
    .examples = {"x[7] in 0.3..3", "x[3] in -3..-0.3"},
};

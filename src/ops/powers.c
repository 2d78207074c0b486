/* Powers and logarithms, accurate near 0 and 1. */
#include "ops/family.h"

#include <math.h>

/* ---- pow: y = a^b -------------------------------------------------------
 * Both slopes are products whose first factor is 0 exactly where the limit of the whole is 0 although the second factor is
 * infinite: b a^(b-1) at b = 0, and a^b ln a at a = 0. `chain` gives 0 there, and, unlike `where`, keeps the right second slopes.
 * First powers and squares are computed as such, so that the cheaper nodes they may be replaced by give the same bits. */
static bp_node pow_slope(const bp_op_call *c, int input)
{
  bp_node a = c->x[0], b = c->x[1];
  return input == 0 ? bp_chain(b, bp_pow(a, bp_sub(b, bpi_num(c, 1)))) : bp_chain(c->y, bp_log(a));
}
static bp_node pow_simplify(const bp_op_call *c)
{
  double b;
  if (!bpi_splat(c->x[1], &b))
    return BP_NO_NODE;
  return b == 1 ? c->x[0] : b == 2 ? bp_square(c->x[0]) : BP_NO_NODE;
}
REAL_BODY2(pow, b == 1 ? a : b == 2 ? a * a : m_pow(a, b))
const bp_op bp_op_pow = {
    .name = "pow",
    .math = "y = a^b",
    .symbol = "^",
    .source = "C11 annex F.10.4.4",
    .kink = "a^0 = 1^b = 1 even for NaN; NaN for a < 0 unless b is an integer; d/da = 0 at b = 0; d/db = 0 "
            "at a = 0, b > 0, and NaN for a < 0",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_real,
    .slope = pow_slope,
    .simplify = pow_simplify,
    .body = &pow_body,
    .examples = {"a[7] in 0.3..2, b[7]", "a[2,1] in 0.3..3, b[3] in 0..3", "a[0], b[0]"},
    .kinks =
        (const bp_kink[]){{{0, 2}, {0, 0}}, {{0, 1}, {1, 0}}, {{0, 0.5}, {INFINITY, 0}}, {{1, 0}, {0, 0}}},
    .n_kinks = 4,
    .ulp32 = 8,
};

/* ---- log1p ---- */
static bp_node log1p_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_reciprocal(bp_add(bpi_num(c, 1), c->x[0]));
}
REAL_BODY1(log1p, m_log1p(x))
const bp_op bp_op_log1p = {
    .name = "log1p",
    .math = "y = ln(1 + x)",
    .source = "C11 7.12.6.9",
    .kink = "-inf at -1, with slope inf; NaN below",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = log1p_slope,
    .body = &log1p_body,
    .examples = {"x[7] in -0.8..3", "x[2,0]"},
    .kinks = (const bp_kink[]){{{-1}, {INFINITY}}},
    .n_kinks = 1,
};

/* ---- expm1: the slope is e^x anew, for y + 1 has no digits left where x is far below 0 ---- */
static bp_node expm1_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_exp(c->x[0]);
}
REAL_BODY1(expm1, m_expm1(x))
const bp_op bp_op_expm1 = {
    .name = "expm1",
    .math = "y = e^x - 1",
    .source = "C11 7.12.6.3",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = expm1_slope,
    .body = &expm1_body,
    .examples = {"x[7]", "x[2,0]"},
};

/* ---- logit: the inverse of sigmoid --------------------------------------
 * x / (1 - x) = 1 + (2x - 1) / (1 - x), and 2x - 1 is exact around 1/2: so the result keeps its digits where it is near 0. Far
 * below 1/2 nothing cancels in the difference of the logarithms. */
static bp_node logit_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node x = c->x[0];
  return bp_reciprocal(bp_mul(x, bp_sub(bpi_num(c, 1), x)));
}
static bp_status logit_expand(const bp_op_call *c, bp_node *out)
{
  bp_node x = c->x[0];
  *out = bp_log(bp_div(x, bp_sub(bpi_num(c, 1), x)));
  return BP_OK;
}
REAL_BODY1(logit, 4 * x < 1 ? m_log(x) - m_log1p(-x) : m_log1p((2 * x - 1) / (1 - x)))
const bp_op bp_op_logit = {
    .name = "logit",
    .math = "y = ln(x / (1 - x))",
    .source = "Berkson 1944",
    .kink = "-inf at 0 and inf at 1, with slope inf; NaN outside 0..1",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = logit_slope,
    .expand = logit_expand,
    .body = &logit_body,
    .examples = {"x[7] in 0.1..0.9", "x[2,0]"},
    .kinks = (const bp_kink[]){{{0}, {INFINITY}}, {{1}, {INFINITY}}},
    .n_kinks = 2,
};

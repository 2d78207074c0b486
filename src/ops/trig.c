/* Trigonometric, hyperbolic and error functions. */
#include "ops/family.h"

#include <math.h>

/* ---- sin, cos, tan: NaN at infinity, where there is no limit ---- */
static bp_node sin_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_cos(c->x[0]);
}
REAL_BODY1(sin, m_sin(x))
const bp_op bp_op_sin = {
    .name = "sin",
    .math = "y = sin x, x in radians",
    .source = "C11 7.12.4, annex F.10.1",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = sin_slope,
    .body = &sin_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
};

static bp_node cos_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_neg(bp_sin(c->x[0]));
}
REAL_BODY1(cos, m_cos(x))
const bp_op bp_op_cos = {
    .name = "cos",
    .math = "y = cos x, x in radians",
    .source = "C11 7.12.4, annex F.10.1",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = cos_slope,
    .body = &cos_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
};

static bp_node tan_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_add(bpi_num(c, 1), bp_square(c->y));
}
REAL_BODY1(tan, m_tan(x))
const bp_op bp_op_tan = {
    .name = "tan",
    .math = "y = tan x, x in radians",
    .source = "C11 7.12.4, annex F.10.1",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = tan_slope,
    .body = &tan_body,
    .examples = {"x[7] in -1.2..1.2", "x[2,3] in 2..4"},
};

/* ---- asin, acos: (1 - x)(1 + x) keeps the digits that 1 - x^2 loses near 1 ---- */
static bp_node circle_slope(const bp_op_call *c)
{
  bp_node x = c->x[0], one = bpi_num(c, 1);
  return bp_reciprocal(bp_sqrt(bp_mul(bp_sub(one, x), bp_add(one, x))));
}
static bp_node asin_slope(const bp_op_call *c, int input)
{
  (void)input;
  return circle_slope(c);
}
REAL_BODY1(asin, m_asin(x))
const bp_op bp_op_asin = {
    .name = "asin",
    .math = "y = arcsin x, in -pi/2..pi/2",
    .source = "C11 7.12.4.2",
    .kink = "slope inf at -1 and 1; NaN outside",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = asin_slope,
    .body = &asin_body,
    .examples = {"x[7] in -0.9..0.9", "x[0]"},
    .kinks = (const bp_kink[]){{{-1}, {INFINITY}}, {{1}, {INFINITY}}},
    .n_kinks = 2,
};

static bp_node acos_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_neg(circle_slope(c));
}
REAL_BODY1(acos, m_acos(x))
const bp_op bp_op_acos = {
    .name = "acos",
    .math = "y = arccos x, in 0..pi",
    .source = "C11 7.12.4.1",
    .kink = "slope -inf at -1 and 1; NaN outside",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = acos_slope,
    .body = &acos_body,
    .examples = {"x[7] in -0.9..0.9", "x[0]"},
    .kinks = (const bp_kink[]){{{-1}, {-INFINITY}}, {{1}, {-INFINITY}}},
    .n_kinks = 2,
};

/* ---- atan ---- */
static bp_node atan_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_reciprocal(bp_add(bpi_num(c, 1), bp_square(c->x[0])));
}
REAL_BODY1(atan, m_atan(x))
const bp_op bp_op_atan = {
    .name = "atan",
    .math = "y = arctan x, in -pi/2..pi/2",
    .source = "C11 7.12.4.3",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = atan_slope,
    .body = &atan_body,
    .examples = {"x[7] in -4..4", "x[2,0]"},
};

/* ---- atan2: the point is (b, a), as in C. At the origin both slopes are 0/0; `chain` makes them 0, as gradients of points
 * that coincide should be. ---- */
static bp_node atan2_slope(const bp_op_call *c, int input)
{
  bp_node a = c->x[0], b = c->x[1];
  bp_node scale = bp_reciprocal(bp_add(bp_square(a), bp_square(b)));
  return input == 0 ? bp_chain(b, scale) : bp_neg(bp_chain(a, scale));
}
REAL_BODY2(atan2, m_atan2(a, b))
const bp_op bp_op_atan2 = {
    .name = "atan2",
    .math = "y = angle of the point (b, a) seen from the origin, in -pi..pi",
    .source = "C11 7.12.4.4, annex F.10.1.4",
    .kink = "both slopes 0 at the origin; jumps by 2 pi across a = 0, b < 0",
    .args = "a, b",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = atan2_slope,
    .body = &atan2_body,
    .examples = {"a[7] in 0.3..2, b[7]", "a[2,1] in -2..-0.3, b[3]", "a[3], b[3] in 0.3..2", "a[0], b[]"},
    .kinks = (const bp_kink[]){{{0, 0}, {0, 0}}, {{0, -2}, {-0.5, 0}}},
    .n_kinks = 2,
};

/* ---- sinh, cosh ---- */
static bp_node sinh_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_cosh(c->x[0]);
}
REAL_BODY1(sinh, m_sinh(x))
const bp_op bp_op_sinh = {
    .name = "sinh",
    .math = "y = (e^x - e^-x) / 2",
    .source = "C11 7.12.5.5",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = sinh_slope,
    .body = &sinh_body,
    .examples = {"x[7]", "x[2,0]"},
};

static bp_node cosh_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_sinh(c->x[0]);
}
REAL_BODY1(cosh, m_cosh(x))
const bp_op bp_op_cosh = {
    .name = "cosh",
    .math = "y = (e^x + e^-x) / 2",
    .source = "C11 7.12.5.4",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = cosh_slope,
    .body = &cosh_body,
    .examples = {"x[7]", "x[2,0]"},
};

/* ---- erf ---- */
static bp_node erf_slope(const bp_op_call *c, int input)
{
  (void)input;
  return bp_mul(bpi_num(c, 1.1283791670955126), bp_exp(bp_neg(bp_square(c->x[0])))); /* 2 / sqrt(pi) */
}
REAL_BODY1(erf, m_erf(x))
const bp_op bp_op_erf = {
    .name = "erf",
    .math = "y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x",
    .source = "C11 7.12.8.1",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = erf_slope,
    .body = &erf_body,
    .examples = {"x[7] in -3..3", "x[2,0]"},
};

/* What optimisers take their steps with: each is three or four arithmetic rows in one, so that a step over millions of elements loads and
 * stores each vector once instead of three times. Not in the language: there, the arithmetic says it better. */
#include "ops/family.h"

/* ---- blend: a running mean ---- */

static bp_node blend_slope(const bp_op_call *c, int input)
{
  return bpi_num(c, c->attr[input].r);
}
static bp_status blend_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_add(bp_mul(bpi_num(c, c->attr[0].r), c->x[0]), bp_mul(bpi_num(c, c->attr[1].r), c->x[1]));
  return BP_OK;
}
REAL_BODY2(blend, p0 *a + p1 * b)
const bp_op bp_op_blend = {
    .name = "blend",
    .math = "y = keep a + take b",
    .source = "the first moment of Kingma & Ba 2015",
    .args = "a, b",
    .attrs = {{"keep", BP_ATTR_REAL, 0.9}, {"take", BP_ATTR_REAL, 0.1}},
    .traits = BP_ELEMENTWISE | BP_LINEAR | BP_INTERNAL,
    .shape = bpi_shape_real,
    .slope = blend_slope,
    .expand = blend_expand,
    .body = &blend_body,
    .examples = {"a[7], b[7]; keep=0.9, take=0.1", "a[2,1], b[3]; keep=1, take=-2"},
};

/* ---- blend_square: a running mean of squares ---- */

static bp_node blend_square_slope(const bp_op_call *c, int input)
{
  return input ? bp_mul(bpi_num(c, 2 * c->attr[1].r), c->x[1]) : bpi_num(c, c->attr[0].r);
}
static bp_status blend_square_expand(const bp_op_call *c, bp_node *out)
{
  *out =
      bp_add(bp_mul(bpi_num(c, c->attr[0].r), c->x[0]), bp_mul(bpi_num(c, c->attr[1].r), bp_square(c->x[1])));
  return BP_OK;
}
REAL_BODY2(blend_square, p0 *a + p1 * (b * b))
const bp_op bp_op_blend_square = {
    .name = "blend_square",
    .math = "y = keep a + take b^2",
    .source = "the second moment of Tieleman & Hinton 2012",
    .args = "a, b",
    .attrs = {{"keep", BP_ATTR_REAL, 0.99}, {"take", BP_ATTR_REAL, 0.01}},
    .traits = BP_ELEMENTWISE | BP_INTERNAL,
    .shape = bpi_shape_real,
    .slope = blend_square_slope,
    .expand = blend_square_expand,
    .body = &blend_square_body,
    .examples = {"a[7], b[7]; keep=0.9, take=0.1", "a[2,1], b[3]; keep=1, take=-2"},
};

/* ---- root_plus: what a step is divided by ---- */

static bp_node root_plus_slope(const bp_op_call *c, int input)
{
  bp_node root = bp_sqrt(c->x[0]);
  return input ? root : bp_div(bp_mul(bpi_num(c, 0.5), c->x[1]), root);
}
static bp_status root_plus_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_add(bp_mul(bp_sqrt(c->x[0]), c->x[1]), bpi_num(c, c->attr[0].r));
  return BP_OK;
}
REAL_BODY2(root_plus, m_sqrt(a) * b + p0)
const bp_op bp_op_root_plus = {
    .name = "root_plus",
    .math = "y = s sqrt(v) + epsilon",
    .source = "Kingma & Ba 2015",
    .kink = "infinite slope at v = 0; NaN below",
    .args = "v, s",
    .attrs = {{"epsilon", BP_ATTR_REAL, 1e-8}},
    .traits = BP_ELEMENTWISE | BP_INTERNAL,
    .shape = bpi_shape_real,
    .slope = root_plus_slope,
    .expand = root_plus_expand,
    .body = &root_plus_body,
    .examples = {"v[7] in 0.2..4, s[7]; epsilon=0.25", "v[2,1] in 0.2..4, s[3]; epsilon=0"},
};

/* Comparisons, logic and where. They have no slope of their own; `where` routes. */
#include "ops/family.h"

/* ---- greater ---- */
TEST_BODY2(greater, a > b)
const bp_op bp_op_greater = {
    .name = "greater",
    .math = "y = a > b",
    .symbol = ">",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &greater_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2"},
};

/* ---- equal ---- */
TEST_BODY2(equal, a == b)
const bp_op bp_op_equal = {
    .name = "equal",
    .math = "y = (a = b)",
    .symbol = "=",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_COMMUTATIVE,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &equal_body,
    .examples = {"a[7], b[7]", "a[4] int 0..2, b[4] int 0..2", "a[4] bool, b[4] bool"},
};

/* ---- less ---- */
TEST_BODY2(less, a < b)
const bp_op bp_op_less = {
    .name = "less",
    .math = "y = a < b",
    .symbol = "<",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &less_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2", "a[0], b[]"},
};

/* ---- less_equal ---- */
TEST_BODY2(less_equal, a <= b)
const bp_op bp_op_less_equal = {
    .name = "less_equal",
    .math = "y = a <= b",
    .symbol = "≤",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &less_equal_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2", "a[0], b[]"},
};

/* ---- greater_equal ---- */
TEST_BODY2(greater_equal, a >= b)
const bp_op bp_op_greater_equal = {
    .name = "greater_equal",
    .math = "y = a >= b",
    .symbol = "≥",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &greater_equal_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2", "a[0], b[]"},
};

/* ---- not_equal ---- */
TEST_BODY2(not_equal, a != b)
const bp_op bp_op_not_equal = {
    .name = "not_equal",
    .math = "y = (a is not b)",
    .symbol = "≠",
    .source = "IEEE 754",
    .kink = "no gradient; true for NaN",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_COMMUTATIVE,
    .shape = bpi_shape_test,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &not_equal_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2", "a[4] bool, b[4] bool"},
};

/* ---- isfinite: an int64 always is ---- */
static bp_status isfinite_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  bp_status s = bpi_shape_number(c, out, n_out);
  out->dtype = BP_BOOL;
  return s;
}
TEST_BODY1(isfinite, x - x == 0)
const bp_op bp_op_isfinite = {
    .name = "isfinite",
    .math = "y = x is neither NaN nor infinite",
    .source = "IEEE 754",
    .kink = "no gradient; false for NaN",
    .args = "x",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = isfinite_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &isfinite_body,
    .examples = {"x[7]", "x[2,0]", "x[4] int -9..9"},
};

/* ---- logic: bools are 0 or 1, so that bit operations do ---- */
BOOL_BODY2(logical_and, a &b)
const bp_op bp_op_logical_and = {
    .name = "logical_and",
    .math = "y = a and b, both",
    .symbol = "and",
    .source = "Boole 1854",
    .kink = "no gradient",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_COMMUTATIVE,
    .shape = bpi_shape_bool,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &logical_and_body,
    .examples = {"a[7] bool, b[7] bool", "a[2,1] bool, b[3] bool", "a[0] bool, b[] bool"},
};

BOOL_BODY2(logical_or, a | b)
const bp_op bp_op_logical_or = {
    .name = "logical_or",
    .math = "y = a or b, or both",
    .symbol = "or",
    .source = "Boole 1854",
    .kink = "no gradient",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_COMMUTATIVE,
    .shape = bpi_shape_bool,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &logical_or_body,
    .examples = {"a[7] bool, b[7] bool", "a[2,1] bool, b[3] bool", "a[0] bool, b[] bool"},
};

BOOL_BODY2(logical_xor, a ^ b)
const bp_op bp_op_logical_xor = {
    .name = "logical_xor",
    .math = "y = a or b, not both",
    .source = "Boole 1854",
    .kink = "no gradient",
    .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_COMMUTATIVE,
    .shape = bpi_shape_bool,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &logical_xor_body,
    .examples = {"a[7] bool, b[7] bool", "a[2,1] bool, b[3] bool", "a[0] bool, b[] bool"},
};

BOOL_BODY1(logical_not, !x)
const bp_op bp_op_logical_not = {
    .name = "logical_not",
    .math = "y = not x",
    .symbol = "not",
    .source = "Boole 1854",
    .kink = "no gradient",
    .args = "x",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_bool,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .body = &logical_not_body,
    .examples = {"x[7] bool", "x[2,0] bool"},
};

/* ---- where: takes a where the test holds, else b; what is not taken gets gradient 0 ---- */
static bp_status where_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  if (c->x_type[0].dtype != BP_BOOL || c->x_type[1].dtype != c->x_type[2].dtype)
    return bp_op_fail(c, BP_E_DTYPE, "needs a bool test and two values of one type");
  *out = c->x_type[1];
  return BP_OK;
}
static bp_node where_slope(const bp_op_call *c, int input)
{
  if (input == 0)
    return BP_NO_NODE;
  bp_node taken = bpi_to_real(c->x[0]);
  return input == 1 ? taken : bp_sub(bpi_num(c, 1), taken);
}
PICK_BODY3(where, a ? b : c)
const bp_op bp_op_where = {
    .name = "where",
    .math = "y = a where test, else b",
    .source = "NumPy where",
    .kink = "the branch not taken gets 0, never 0 * inf",
    .args = "test, a, b",
    .traits = BP_ELEMENTWISE | BP_ROUTER | BP_NAN_STOPS,
    .shape = where_shape,
    .slope = where_slope,
    .body = &where_body,
    .examples = {"test[7] bool, a[7], b[7]", "test[2,1] bool, a[3], b[]",
                 "test[3] bool, a[3] int 0..9, b[3] int 0..9"},
};

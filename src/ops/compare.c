/* Comparisons, logic and where. They have no slope of their own; `where` routes. */
#include "ops/family.h"

/* ---- greater ---- */
TEST_BODY2(greater, a > b)
const bp_op bp_op_greater = {
    .name = "greater", .math = "y = a > b", .source = "IEEE 754", .kink = "no gradient; false for NaN", .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = bpi_shape_test, .jacobian = bpi_jac_zero, .zero = true, .body = &greater_body,
    .examples = {"a[7], b[7]", "a[2,1], b[3]", "a[4] int 0..2, b[4] int 0..2"},
};

/* ---- equal ---- */
TEST_BODY2(equal, a == b)
const bp_op bp_op_equal = {
    .name = "equal", .math = "y = (a = b)", .source = "IEEE 754", .kink = "no gradient; false for NaN", .args = "a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS | BP_COMMUTATIVE,
    .shape = bpi_shape_test, .jacobian = bpi_jac_zero, .zero = true, .body = &equal_body,
    .examples = {"a[7], b[7]", "a[4] int 0..2, b[4] int 0..2", "a[4] bool, b[4] bool"},
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
    .name = "where", .math = "y = a where test, else b", .source = "NumPy where", .kink = "the branch not taken gets 0, never 0 * inf",
    .args = "test, a, b",
    .traits = BP_ELEMENTWISE | BP_NAN_STOPS,
    .shape = where_shape, .slope = where_slope, .body = &where_body,
    .examples = {"test[7] bool, a[7], b[7]", "test[2,1] bool, a[3], b[]", "test[3] bool, a[3] int 0..9, b[3] int 0..9"},
};

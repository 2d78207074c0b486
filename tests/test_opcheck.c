/* bp_op_check as a user meets it: a row of one's own, its report, what is refused, and memory that runs out. That each law bites is shown by
 * test_planted_faults. */
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* y = x / sqrt(1 + x^2), as in examples/customrow.c, with a factor on its slope: dy/dx = (1 + x^2)^(-3/2). */
static bp_status isru_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return out->dtype == BP_REAL ? BP_OK : bp_op_fail(c, BP_E_DTYPE, "needs a real input");
}

static bp_node isru_slope(const bp_op_call *c, int input)
{
  (void)input;
  bp_node one = bp_constant(c->graph, 1);
  return bp_pow(bp_add(one, bp_square(c->x[0])), bp_constant(c->graph, -1.5));
}

/* The slope at -x where x > 1: right at most points. */
static bp_node wrong_slope(const bp_op_call *c, int input)
{
  bp_node right = isru_slope(c, input), one = bp_constant(c->graph, 1);
  return bp_where(bp_greater(c->x[0], one), bp_neg(right), right);
}

static bp_status isru_kernel(bp_kernel_call *c)
{
  for (int64_t i = 0; i < c->in[0].size; i++)
    if (c->in[0].dtype == BP_FLOAT64) {
      double x = ((const double *)c->in[0].data)[i];
      ((double *)c->out[0].data)[i] = isinf(x) ? copysign(1, x) : x / sqrt(1 + x * x);
    } else {
      float x = ((const float *)c->in[0].data)[i];
      ((float *)c->out[0].data)[i] = isinf(x) ? copysignf(1, x) : x / sqrtf(1 + x * x);
    }
  return BP_OK;
}

static bp_status isru_wide_kernel(bp_kernel_call *c)
{
  return c->in[0].dtype == BP_FLOAT64 ? isru_kernel(c) : BP_E_DTYPE;
}

static bp_jac says_identity(const bp_op_call *c, int input, int result)
{
  (void)c, (void)input, (void)result;
  return BP_JAC_IDENTITY;
}

static bp_op isru(void)
{
  return (bp_op){.name = "isru",
                 .math = "y = x / sqrt(1 + x^2)",
                 .args = "x",
                 .traits = BP_ELEMENTWISE,
                 .shape = isru_shape,
                 .slope = isru_slope,
                 .kernel = isru_kernel,
                 .examples = {"x[7]", "x[2,0]"}};
}

static int open_ctx(void **state)
{
  *state = bp_ctx_new(NULL);
  return *state ? 0 : -1;
}

static int close_ctx(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

static void a_sound_row_passes(void **state)
{
  bp_op op = isru();
  bp_op_report r;
  if (bp_op_check(*state, &op, NULL, &r) != BP_OK)
    fail_msg("%s\n%s", bp_error(), r.text);
  assert_int_equal(r.broken, 0);
  assert_true(r.held > 10 && r.skipped > 0); /* it has no expansion and no kinks */
  assert_non_null(strstr(r.text, "vjp = differences"));
  assert_non_null(strstr(r.text, "does not apply"));
  assert_null(strstr(r.text, "BROKEN"));
  bp_free(*state, r.text);
  assert_int_equal(bp_op_check(*state, &op, NULL, NULL), BP_OK);
}

/* Every row of the library is under the same laws. */
static void a_row_of_the_library_passes(void **state)
{
  bp_op_report r;
  assert_int_equal(bp_op_check(*state, bp_op_find("max"), NULL, &r), BP_OK);
  bp_free(*state, r.text);
}

static void a_wrong_slope_is_told_with_its_place(void **state)
{
  bp_op op = isru();
  bp_op_report r;
  op.slope = wrong_slope;
  assert_int_equal(bp_op_check(*state, &op, NULL, &r), BP_E_CHECK);
  const char *place = strstr(r.text, "vjp = differences");
  assert_non_null(place);
  assert_non_null(strstr(place, "BROKEN  \"x[7]\", seed "));
  assert_non_null(strstr(place, "differences say"));
  /* The message is that of the first broken law. */
  assert_non_null(strstr(bp_error(), "isru: vjp = differences: vjp["));
  bp_free(*state, r.text);
}

static void a_wrong_class_is_told_with_its_entry(void **state)
{
  bp_op op = isru();
  bp_op_report r;
  op.jacobian = says_identity;
  assert_int_equal(bp_op_check(*state, &op, NULL, &r), BP_E_CHECK);
  assert_non_null(strstr(r.text, "said to be identity, but entry ("));
  bp_free(*state, r.text);
}

static void a_kernel_of_float64_alone_must_be_said(void **state)
{
  bp_op op = isru();
  bp_op_report r;
  bp_op_check_options wide = {.float64_only = true};
  op.kernel = isru_wide_kernel;
  assert_int_equal(bp_op_check(*state, &op, NULL, &r), BP_E_CHECK);
  assert_non_null(strstr(r.text, "in float32"));
  bp_free(*state, r.text);
  assert_int_equal(bp_op_check(*state, &op, &wide, &r), BP_OK);
  bp_free(*state, r.text);
}

static void what_a_row_lacks_is_told_first(void **state)
{
  bp_op op = isru();
  bp_op_report r;
  op.examples[0] = NULL;
  assert_int_equal(bp_op_check(*state, &op, NULL, &r), BP_E_CHECK);
  assert_int_equal(r.broken, 1);
  assert_int_equal(r.held + r.skipped, 0);
  assert_non_null(strstr(r.text, "has no example"));
  assert_non_null(strstr(r.text, "cannot be asked"));
  bp_free(*state, r.text);
  bp_op nothing = {0};
  assert_int_equal(bp_op_check(*state, &nothing, NULL, NULL), BP_E_CHECK);
}

static void a_bad_example_is_told(void **state)
{
  bp_op op = isru();
  op.examples[0] = "x[7] within 0..1";
  assert_int_equal(bp_op_check(*state, &op, NULL, NULL), BP_E_CHECK);
  assert_non_null(strstr(bp_error(), "column"));
}

static void bad_calls_are_refused(void **state)
{
  bp_op op = isru();
  bp_op_report r = {.text = (char *)1};
  bp_op_check_options o = {.seeds = -1};
  assert_int_equal(bp_op_check(NULL, &op, NULL, &r), BP_E_ARG);
  assert_null(r.text);
  assert_int_equal(bp_op_check(*state, NULL, NULL, &r), BP_E_ARG);
  assert_int_equal(bp_op_check(*state, &op, &o, &r), BP_E_ARG);
  assert_int_equal(bp_op_check(*state, bp_op_find("input"), NULL, &r), BP_E_ARG);
}

static bp_status check_a_row(bp_ctx *c)
{
  bp_op op = isru();
  bp_op_check_options o = {.seeds = 1};
  bp_op_report r;
  op.examples[0] = "x[2]";
  op.examples[1] = NULL;
  bp_status s = bp_op_check(c, &op, &o, &r);
  bp_free(c, r.text);
  return s;
}

/* Never a broken law for want of memory. */
static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(check_a_row) > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ctx, close_ctx)
  const struct CMUnitTest tests[] = {
      TEST(a_sound_row_passes),
      TEST(a_row_of_the_library_passes),
      TEST(a_wrong_slope_is_told_with_its_place),
      TEST(a_wrong_class_is_told_with_its_entry),
      TEST(a_kernel_of_float64_alone_must_be_said),
      TEST(what_a_row_lacks_is_told_first),
      TEST(a_bad_example_is_told),
      TEST(bad_calls_are_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

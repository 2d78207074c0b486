/* The passes of the compiler by name, and their switches in a context and in a plan. */
#include "bprop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { EVERY = (1 << BP_PASS_COUNT) - 1 };
#define BIT(name) (1u << BP_PASS_##name)

static void a_list_is_read(void **state)
{
  static const struct {
    const char *text;
    uint32_t off;
  } cases[] = {{"", 0},
               {"all", 0},
               {"none", EVERY},
               {"all,-fuse", BIT(fuse)},
               {"-fuse,-epilogue", BIT(fuse) | BIT(epilogue)},
               {"none,views", EVERY & ~BIT(views)},
               {"views,fuse", EVERY & ~(BIT(views) | BIT(fuse))},
               {"all,none", EVERY},
               {"none,all,-order", BIT(order)},
               {"-fuse,fuse", 0}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t off = 77;
    assert_int_equal(bp_passes_read(cases[i].text, &off), BP_OK);
    assert_int_equal(off, cases[i].off);
  }
}

static void an_unknown_name_is_told_with_the_list(void **state)
{
  static const char *const bad[] = {"fusion", "all,-", "all,,fuse", "-fus", "fuse ", "al", "none,-fuse,x"};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint32_t off = 77;
    assert_int_equal(bp_passes_read(bad[i], &off), BP_E_ARG);
    assert_int_equal(off, 77);
    for (int k = 0; k < BP_PASS_COUNT; k++)
      assert_non_null(strstr(bp_error(), bp_pass_name((bp_pass)k)));
  }
  assert_int_equal(bp_passes_read(NULL, NULL), BP_E_ARG);
  assert_string_equal(bp_pass_name(BP_PASS_fuse), "fuse");
  assert_string_equal(bp_pass_name(BP_PASS_COUNT), "");
}

/* The plan says so itself. */
static bool says(bp_ctx *ctx, uint32_t off, const char *what)
{
  int64_t n = 1000;
  char *text = NULL;
  bp_plan *plan = NULL;
  bp_graph *g = bp_graph_new(ctx);
  bp_node y = bp_exp(bp_neg(bp_input(g, "x", BP_REAL, 1, &n)));
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1, .passes_off = off};
  assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
  assert_int_equal(bp_plan_print(plan, &text), BP_OK);
  bool found = strstr(text, what) != NULL;
  bp_free(ctx, text);
  bp_plan_free(plan);
  bp_graph_free(g);
  return found;
}

static void a_switch_of_the_context_is_one_of_every_plan(void **state)
{
  (void)state;
  bp_ctx *plain = bp_ctx_new(NULL), *without = bp_ctx_new(&(bp_ctx_options){.passes_off = BIT(fuse)});
  assert_non_null(plain);
  assert_non_null(without);
  assert_true(says(plain, 0, "fuse 2"));
  assert_true(says(plain, BIT(fuse), "fuse off"));
  assert_true(says(without, 0, "fuse off"));
  assert_true(says(without, BIT(order), "fuse off"));
  assert_true(says(without, BIT(order), "order off"));
  bp_ctx_free(plain);
  bp_ctx_free(without);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_is_read),
                                     cmocka_unit_test(an_unknown_name_is_told_with_the_list),
                                     cmocka_unit_test(a_switch_of_the_context_is_one_of_every_plan)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

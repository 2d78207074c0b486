/* State: named arrays that stay where they are. */
#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static const int64_t two_three[2] = {2, 3};

static void entries_are_found_zero_and_aligned(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_state *s = bp_state_new(ctx, BP_FLOAT32);
  int w, n;
  assert_int_equal(bp_state_add(s, "w", BP_REAL, 2, two_three, &w), BP_OK);
  assert_int_equal(bp_state_add(s, "n", BP_INT64, 0, NULL, &n), BP_OK);
  assert_int_equal(bp_state_count(s), 2);
  assert_int_equal(bp_state_find(s, "n"), n);
  assert_int_equal(bp_state_find(s, "m"), -1);
  assert_int_equal(bp_state_real(s), BP_FLOAT32);
  const char *name;
  bp_type t;
  void *data;
  assert_int_equal(bp_state_array(s, w, &name, &t, &data), BP_OK);
  assert_string_equal(name, "w");
  assert_int_equal(t.dtype, BP_REAL);
  assert_int_equal(t.rank, 2);
  assert_int_equal((uintptr_t)data % 64, 0);
  for (int i = 0; i < 6; i++)
    assert_true(((float *)data)[i] == 0);
  bp_state_free(s);
  bp_ctx_free(ctx);
}

static void addresses_stay_while_thousands_are_added(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_state *s = bp_state_new(ctx, BP_FLOAT64);
  void *first, *again;
  int entry;
  assert_int_equal(bp_state_add(s, "first", BP_REAL, 2, two_three, &entry), BP_OK);
  assert_int_equal(bp_state_array(s, entry, NULL, NULL, &first), BP_OK);
  for (int i = 0; i < 5000; i++) {
    char name[16];
    snprintf(name, sizeof name, "e%d", i);
    assert_int_equal(bp_state_add(s, name, BP_REAL, 0, NULL, &entry), BP_OK);
    assert_int_equal(bp_state_find(s, name), entry);
  }
  assert_int_equal(bp_state_array(s, 0, NULL, NULL, &again), BP_OK);
  assert_ptr_equal(first, again);
  bp_state_free(s);
  bp_ctx_free(ctx);
}

static void bad_calls_are_refused(void **state)
{
  (void)state;
  static const int64_t negative[1] = {-1}, huge[3] = {1 << 20, 1 << 20, 1 << 20};
  bp_ctx *ctx = bp_ctx_new(NULL);
  int e;
  assert_null(bp_state_new(NULL, BP_FLOAT32));
  assert_null(bp_state_new(ctx, BP_INT64));
  bp_state *s = bp_state_new(ctx, BP_FLOAT64);
  assert_int_equal(bp_state_add(s, "a", BP_REAL, 0, NULL, &e), BP_OK);
  assert_int_equal(bp_state_add(s, "a", BP_REAL, 0, NULL, &e), BP_E_EXISTS);
  assert_int_equal(bp_state_add(s, "b", BP_BOOL, 0, NULL, &e), BP_E_DTYPE);
  assert_int_equal(bp_state_add(s, "b", BP_REAL, 1, negative, &e), BP_E_LIMIT);
  assert_int_equal(bp_state_add(s, "b", BP_REAL, 3, huge, &e), BP_E_LIMIT);
  assert_int_equal(bp_state_add(s, "b", BP_REAL, 9, huge, &e), BP_E_LIMIT);
  assert_int_equal(bp_state_add(s, "", BP_REAL, 0, NULL, &e), BP_E_ARG);
  assert_int_equal(bp_state_add(s, NULL, BP_REAL, 0, NULL, &e), BP_E_ARG);
  assert_int_equal(bp_state_add(NULL, "b", BP_REAL, 0, NULL, &e), BP_E_ARG);
  assert_int_equal(bp_state_add(s, "b", BP_REAL, 1, NULL, &e), BP_E_ARG);
  assert_int_equal(bp_state_add(s, "b", BP_REAL, 0, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_state_array(s, 1, NULL, NULL, NULL), BP_E_RANGE);
  assert_int_equal(bp_state_array(s, -1, NULL, NULL, NULL), BP_E_RANGE);
  assert_int_equal(bp_state_array(NULL, 0, NULL, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_state_find(NULL, "a"), -1);
  assert_int_equal(bp_state_count(s), 1);
  bp_state_free(s);
  bp_state_free(NULL);
  bp_ctx_free(ctx);
}

/* Adds twenty entries; the number that could be added are there. */
static int fill(bp_ctx *ctx)
{
  bp_state *s = bp_state_new(ctx, BP_FLOAT64);
  int added = 0, e;
  char name[16];
  for (int i = 0; s && i < 20; i++) {
    snprintf(name, sizeof name, "e%d", i);
    bp_status status = bp_state_add(s, name, BP_REAL, 2, two_three, &e);
    assert_true(status == BP_OK || status == BP_E_NOMEM);
    added += status == BP_OK;
    assert_int_equal(bp_state_find(s, name) >= 0, status == BP_OK);
    assert_int_equal(bp_state_count(s), added);
  }
  bp_state_free(s);
  return added;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  failing f = {0};
  bp_ctx *ctx = failing_ctx(&f);
  long live = f.live;
  for (int onwards = 0; onwards < 2; onwards++)
    for (long n = 1;; n++) {
      failing_arm(&f, n, onwards);
      int added = fill(ctx);
      bool reached = f.calls >= n;
      failing_arm(&f, 0, false);
      assert_int_equal(f.live, live);
      if (!reached) {
        assert_int_equal(added, 20);
        break;
      }
    }
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_found_zero_and_aligned),
                                     cmocka_unit_test(addresses_stay_while_thousands_are_added),
                                     cmocka_unit_test(bad_calls_are_refused),
                                     cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

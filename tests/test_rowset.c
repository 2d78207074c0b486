/* Sets of rows, beside a list of flags. */
#include "support/failing.h"
#include "support/files.h"
#include "train/rowset.h"

enum { ROWS = 20000 };

static void members_are_counted_and_passed_over(void **state)
{
  (void)state;
  static unsigned char flag[ROWS];
  static const unsigned every[] = {1, 2, 5, 64, 1000, ROWS};
  for (size_t k = 0; k < COUNT(every); k++) {
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    bpi_rowset s = {0}, more = {0};
    memset(flag, 0, sizeof flag);
    for (int i = 0; i < ROWS; i++)
      if ((unsigned)i * 2654435761u % every[k] == 0) {
        flag[i] = 1;
        assert_true(bpi_rowset_add(ctx, i % 3 ? &s : &more, i));
        assert_true(bpi_rowset_add(ctx, i % 3 ? &s : &more, i)); /* twice is once */
      }
    assert_true(bpi_rowset_join(ctx, &s, &more));
    assert_true(bpi_rowset_index(ctx, &s));
    int64_t before = 0, outside = 0;
    for (int i = 0; i < ROWS; i++) {
      assert_int_equal(bpi_rowset_has(&s, i), flag[i]);
      assert_int_equal(bpi_rowset_before(&s, i), before);
      if (!flag[i])
        assert_int_equal(bpi_rowset_outside(&s, outside++), i);
      before += flag[i];
    }
    assert_int_equal(s.n, before);
    assert_int_equal(bpi_rowset_before(&s, 10 * ROWS), before);
    assert_int_equal(bpi_rowset_outside(&s, outside), ROWS); /* behind the last there are no members */
    assert_false(bpi_rowset_has(&s, 10 * ROWS));
    bpi_rowset_free(ctx, &s);
    bpi_rowset_free(ctx, &more);
    tally_end(&count, ctx);
  }
}

static void the_empty_set_has_nothing(void **state)
{
  (void)state;
  bpi_rowset s = {0};
  assert_false(bpi_rowset_has(&s, 0));
  assert_int_equal(bpi_rowset_before(&s, 77), 0);
  assert_int_equal(bpi_rowset_outside(&s, 77), 77);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_counted_and_passed_over),
      cmocka_unit_test(the_empty_set_has_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

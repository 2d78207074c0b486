/* run: whether a run shares its work out, by what steps take. Times are made up here, so the test does not depend on the machine. */
#include "run/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ALONE_FASTER = 60, ALONE_SLOWER = 160, SHARED = 100 }; /* microseconds a step */

/* So many steps; how many of them alone. */
static int64_t steps(bpi_pace *p, int64_t *clock, int64_t n, int64_t alone_us)
{
  int64_t alone = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t begun = *clock;
    bool tried = bpi_pace_begin(p) != 0;
    alone += p->alone;
    *clock += (p->alone ? alone_us : SHARED) * 1000;
    if (tried)
      bpi_pace_tell(p, begun, *clock);
  }
  return alone;
}

static void the_faster_way_is_kept(void **state)
{
  (void)state;
  bpi_pace p;
  int64_t clock = 1;
  bpi_pace_init(&p, true);
  steps(&p, &clock, 20, ALONE_FASTER);
  assert_in_range(steps(&p, &clock, 5000, ALONE_FASTER), 4750, 5000);
  steps(&p, &clock, 5000,
        ALONE_SLOWER); /* the machine changes: that is found out within the time of keeping */
  assert_in_range(steps(&p, &clock, 5000, ALONE_SLOWER), 0, 250);
  steps(&p, &clock, 5000, ALONE_FASTER);
  assert_in_range(steps(&p, &clock, 5000, ALONE_FASTER), 4750, 5000);
}

static void as_fast_is_not_faster(void **state)
{
  (void)state;
  bpi_pace p;
  int64_t clock = 1;
  bpi_pace_init(&p, true);
  assert_in_range(steps(&p, &clock, 5000, SHARED - 1), 1, 250);
}

/* The slower a way is, the less often it is tried: what that loses is a hundredth of the time. */
static void trying_costs_little(void **state)
{
  (void)state;
  for (int64_t alone_us = 2 * SHARED; alone_us <= 20 * SHARED; alone_us += SHARED) {
    bpi_pace p;
    int64_t clock = 1, n = 20000;
    bpi_pace_init(&p, true);
    int64_t alone = steps(&p, &clock, n, alone_us);
    assert_true(alone > 0);
    assert_in_range(alone * (alone_us - SHARED), 1, n * SHARED * 3 / 200);
  }
}

static void long_steps_are_shared_out(void **state)
{
  (void)state;
  bpi_pace p;
  int64_t clock = 1;
  bpi_pace_init(&p, true);
  for (int i = 0; i < 1000; i++) {
    int64_t begun = clock;
    bool tried = bpi_pace_begin(&p) != 0;
    clock += 20000000;
    assert_false(p.alone);
    if (tried)
      bpi_pace_tell(&p, begun, clock);
  }
}

/* Steps after a pause, in which threads wake, do not count: with one between all others, nothing is ever decided. */
static void steps_after_a_pause_do_not_count(void **state)
{
  (void)state;
  bpi_pace p;
  int64_t clock = 1;
  bpi_pace_init(&p, true);
  for (int i = 0; i < 100; i++) {
    clock += 1000000;
    assert_int_equal(steps(&p, &clock, 2, ALONE_FASTER), 0);
  }
  assert_int_equal(p.tries, 0);
}

static void nothing_to_share_is_not_tried(void **state)
{
  (void)state;
  bpi_pace p;
  bpi_pace_init(&p, false);
  for (int i = 0; i < 100; i++)
    assert_int_equal(bpi_pace_begin(&p), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_faster_way_is_kept),
      cmocka_unit_test(as_fast_is_not_faster),
      cmocka_unit_test(trying_costs_little),
      cmocka_unit_test(long_steps_are_shared_out),
      cmocka_unit_test(steps_after_a_pause_do_not_count),
      cmocka_unit_test(nothing_to_share_is_not_tried),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Processors are counted on machines that could have more than a cpu_set_t has room for. */
#include "bprop.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t possible; /* of the machine that sched_getaffinity stands for; 0: none tells */

/* As the kernel does it: too small a set is EINVAL. Two processors are allowed, the first and the last. */
int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
  (void)pid;
  if (possible == 0 || bytes * 8 < possible) {
    errno = possible ? EINVAL : ENOSYS;
    return -1;
  }
  memset(set, 0, bytes);
  CPU_SET_S(0, bytes, set);
  CPU_SET_S(possible - 1, bytes, set);
  return 0;
}

static void sets_grow_until_the_kernel_takes_them(void **state)
{
  (void)state;
  possible = 64;
  const int n = bp_processors(); /* 2, or 1 where a quota says so */
  assert_in_range(n, 1, 2);
  for (possible = 1024; possible <= 65536; possible *= 2)
    assert_int_equal(bp_processors(), n);
  possible = 1025;
  assert_int_equal(bp_processors(), n);
}

static void one_where_nothing_is_told(void **state)
{
  (void)state;
  possible = 0;
  assert_int_equal(bp_processors(), 1);
  possible = (size_t)1 << 40; /* more than is asked for */
  assert_int_equal(bp_processors(), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_grow_until_the_kernel_takes_them),
      cmocka_unit_test(one_where_nothing_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

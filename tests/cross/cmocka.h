/* A stand-in for cmocka where the tests run on another machine's processor and Debian has no cmocka for it: the part of its
 * interface that the tests of the kernels use, with the same output. Not used where cmocka itself is. */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
  const char *name;
  void (*test_func)(void **state);
  int (*setup_func)(void **state);
  int (*teardown_func)(void **state);
  void *initial_state;
};

#define cmocka_unit_test(f) \
  {                         \
#f, f, NULL, NULL, NULL \
  }
#define cmocka_unit_test_setup_teardown(f, up, down) \
  {                                                  \
#f, f, up, down, NULL                            \
  }
#define cmocka_unit_test_prestate(f, state) \
  {                                         \
#f, f, NULL, NULL, state                \
  }
#define cmocka_run_group_tests(tests, up, down) \
  cross_run(#tests, tests, sizeof tests / sizeof tests[0], up, down)
#define cmocka_run_group_tests_name(name, tests, up, down) \
  cross_run(name, tests, sizeof tests / sizeof tests[0], up, down)

__attribute__((weak)) jmp_buf cross_out; /* of the test that runs; one for all files of the program */

__attribute__((noreturn, unused, format(printf, 3, 4))) static void cross_fail(const char *file, int line,
                                                                               const char *fmt, ...)
{
  va_list list;
  va_start(list, fmt);
  vprintf(fmt, list);
  va_end(list);
  printf("\n%s:%d: error: Failure!\n", file, line);
  longjmp(cross_out, 1);
}

#define fail_msg(...)          cross_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail()                 fail_msg("fail()")
#define skip()                 longjmp(cross_out, 2)
#define print_message(...)     printf(__VA_ARGS__)
#define print_error(...)       printf(__VA_ARGS__)
#define assert_true(c)         ((c) ? (void)0 : fail_msg("%s", #c))
#define assert_false(c)        ((c) ? fail_msg("!(%s)", #c) : (void)0)
#define assert_non_null(p)     assert_true((p) != NULL)
#define assert_null(p)         assert_true((p) == NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b)                                 \
  do {                                                         \
    intmax_t cross_a = (intmax_t)(a), cross_b = (intmax_t)(b); \
    if (cross_a != cross_b)                                    \
      fail_msg("%jd != %jd", cross_a, cross_b);                \
  } while (0)
#define assert_int_not_equal(a, b)       assert_true((intmax_t)(a) != (intmax_t)(b))
#define assert_string_equal(a, b)        assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, n)     assert_true(memcmp(a, b, n) == 0)
#define assert_memory_not_equal(a, b, n) assert_true(memcmp(a, b, n) != 0)
#define assert_in_range(v, low, high)    assert_true((v) >= (low) && (v) <= (high))
#define assert_float_equal(a, b, eps)    assert_true(fabs((double)(a) - (double)(b)) <= (double)(eps))

/* How a test ended: 0 well, 1 failed, 2 skipped. */
static inline int cross_one(const struct CMUnitTest *test, void *group_state)
{
  void *state = test->initial_state ? test->initial_state : group_state;
  volatile int end = 0;
  if (test->setup_func && test->setup_func(&state))
    return 1;
  end = setjmp(cross_out);
  if (end == 0)
    test->test_func(&state);
  if (test->teardown_func && test->teardown_func(&state))
    end = 1;
  return end;
}

static inline int cross_run(const char *name, const struct CMUnitTest *tests, size_t n, int (*up)(void **),
                            int (*down)(void **))
{
  static const char *const words[] = {"       OK", "  FAILED ", " SKIPPED "};
  void *state = NULL;
  int failed = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("[==========] %s: Running %zu test(s).\n", name, n);
  if (up && up(&state))
    return 1;
  for (size_t i = 0; i < n; i++) {
    printf("[ RUN      ] %s\n", tests[i].name);
    int end = cross_one(&tests[i], state);
    printf("[ %s ] %s\n", words[end], tests[i].name);
    failed += end == 1;
  }
  if (down && down(&state))
    failed++;
  printf("[  PASSED  ] %zu test(s).\n", n - (size_t)failed);
  return failed;
}

#endif

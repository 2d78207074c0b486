/* Whether a cost grows with the size alone, on any machine: time of this process alone, compared with itself. */
#ifndef TESTS_LINEAR_H
#define TESTS_LINEAR_H

#include <math.h>
#include <stdbool.h>
#include <time.h>

/* What the sizes cost in seconds of the processor. */
typedef double (*linear_cost)(void *arg, int n);

static inline double processor_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* `times` as much may cost 4 `times` as much, and `base` seconds more: what else runs on the machine takes caches away, but a cost that is
 * quadratic takes times^2, and `times` is 8 or more. The least of several tries counts, more of them only while it looks bad. */
static inline bool is_linear(linear_cost cost, void *arg, int small, int times, double base)
{
  enum { TRIES = 8 };
  double less = INFINITY, more = INFINITY;
  for (int i = 0; i < TRIES; i++) {
    less = fmin(less, cost(arg, small));
    more = fmin(more, cost(arg, small * times));
    if (more <= 4 * times * less + base)
      return true;
  }
  return false;
}

#endif

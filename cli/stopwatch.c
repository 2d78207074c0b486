#include "stopwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double stopwatch_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double median_of(double *x, size_t n)
{
  qsort(x, n, sizeof *x, compare);
  return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

const char *duration_text(double seconds, char text[32])
{
  static const struct {
    double one;
    const char *name;
  } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
  size_t k = 0, last = sizeof units / sizeof *units - 1;
  while (k < last && seconds < (units[k].one >= 60 ? 2 : 1) * units[k].one)
    k++;
  double x = seconds / units[k].one;
  snprintf(text, 32, "%.*f %s", x < 9.95 ? 2 : x < 99.5 ? 1 : 0, x, units[k].name);
  return text;
}

/* What sharing work out costs: fork + join of the pool, by how long its threads have waited, and by how much each has to do.
 *
 *   forkjoin [THREADS]      2 by default */
#include "base/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REPETITIONS = 15 };

static double now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef struct chain {
  int64_t steps; /* dependent additions */
  double sink[64];
} chain;

/* A chain of additions that cannot be cut short: its time does not depend on caches. */
static void add_on(void *arg, int64_t begin, int64_t end, int thread)
{
  chain *c = arg;
  double sum = (double)begin;
  for (int64_t i = 0; i < c->steps * (end - begin); i++) {
    sum += 1e-9;
    __asm__ volatile("" : "+x"(sum));
  }
  c->sink[8 * (thread % 8)] = sum;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, int n)
{
  qsort(v, (size_t)n, sizeof *v, by_size);
  return v[n / 2];
}

/* Nanoseconds of a job of one unit a thread, the median over batches. pause: of the caller before each job. */
static double job_ns(bp_ctx *ctx, int threads, int64_t steps, double pause, int batch)
{
  double times[REPETITIONS];
  chain c = {.steps = steps};
  for (int r = 0; r < REPETITIONS; r++) {
    double spent = 0;
    for (int i = 0; i < batch; i++) {
      for (double until = now_ns() + pause; pause > 0 && now_ns() < until;)
        ;
      double before = now_ns();
      bpi_pool_run(ctx, threads, threads, add_on, &c);
      spent += now_ns() - before;
    }
    times[r] = spent / batch;
  }
  return median(times, REPETITIONS);
}

/* The same unit without a pool. */
static double unit_ns(int64_t steps, int batch)
{
  double times[REPETITIONS];
  chain c = {.steps = steps};
  for (int r = 0; r < REPETITIONS; r++) {
    double spent = 0;
    for (int i = 0; i < batch; i++) {
      double before = now_ns();
      add_on(&c, 0, 1, 0);
      spent += now_ns() - before;
    }
    times[r] = spent / batch;
  }
  return median(times, REPETITIONS);
}

int main(int argc, char **argv)
{
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  if (!ctx)
    return 1;
  printf("fork + join with %d threads on %d processors, ns beyond the work of one\n", threads,
         bp_processors());
  static const int64_t steps[] = {1, 300, 1000, 3000, 10000, 100000};
  static const double pauses[] = {0, 20e3, 200e3, 2e6};
  printf("%12s", "work each");
  for (size_t p = 0; p < sizeof pauses / sizeof *pauses; p++)
    printf("  after %4.0f us", pauses[p] / 1e3);
  printf("\n");
  for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
    double alone = unit_ns(steps[k], 200);
    printf("%9.0f ns", alone);
    for (size_t p = 0; p < sizeof pauses / sizeof *pauses; p++)
      printf("  %11.0f", job_ns(ctx, threads, steps[k], pauses[p],
                                pauses[p] > 1e6 ? 3
                                : pauses[p] > 0 ? 20
                                                : 300) -
                             alone);
    printf("\n");
  }
  bp_ctx_free(ctx);
  return 0;
}

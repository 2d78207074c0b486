/* Compiled code and threads: several runs of one plan while its code is made, checked and swapped in; tile programs shared out. */
#include "support/jitting.h"

#include <time.h>

enum { RUNNERS = 3, N = 3000 };

/* y = x (x + 1) - x over n elements: x^2, exact in float64 for small whole numbers. */
static bp_plan *square_plan(bp_ctx *ctx, int64_t n, const bpi_tuning *t)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 1, &n), y = bp_sub(bp_mul(x, bp_add(x, bp_constant(g, 1))), x);
  bp_plan *p;
  SUCCEEDS(bpi_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1}, t, &p));
  bp_graph_free(g);
  return p;
}

typedef struct runner {
  bp_plan *plan;
  pthread_t thread;
  int64_t n;
  int wrong, failed;
  atomic_bool *stop;
} runner;

static void *keep_running(void *arg)
{
  runner *r = arg;
  double x[N];
  const void *y;
  bp_run *run;
  for (int64_t i = 0; i < r->n; i++)
    x[i] = (double)(i % 1000);
  r->failed = bp_run_new(r->plan, NULL, &run) != BP_OK;
  if (r->failed)
    return NULL;
  bp_run_bind(run, "x", x, (size_t)r->n * sizeof *x);
  while (!atomic_load(r->stop) && !r->failed) {
    r->failed = bp_run_step(run) != BP_OK || bp_run_output(run, 0, &y, NULL) != BP_OK;
    for (int64_t i = 0; i < r->n && !r->failed; i++)
      r->wrong += ((const double *)y)[i] != x[i] * x[i];
  }
  bp_run_free(run);
  return NULL;
}

static void runs_go_on_while_code_is_swapped_in(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_AUTO, .jit_cache = ""});
  bp_plan *p = square_plan(ctx, 60, NULL);
  runner r[RUNNERS];
  atomic_bool stop = false;
  for (int k = 0; k < RUNNERS; k++) {
    r[k] = (runner){.plan = p, .n = 60, .stop = &stop};
    assert_int_equal(pthread_create(&r[k].thread, NULL, keep_running, &r[k]), 0);
  }
  const struct timespec nap = {0, 10000000};
  bp_jit_state s;
  while ((s = bp_plan_jit(p)) < BP_JIT_USED && s != BP_JIT_NONE)
    nanosleep(&nap, NULL);
  atomic_store(&stop, true);
  for (int k = 0; k < RUNNERS; k++) {
    pthread_join(r[k].thread, NULL);
    assert_false(r[k].failed);
    assert_int_equal(r[k].wrong, 0);
  }
  assert_int_equal(bp_plan_jit(p), BP_JIT_USED);
  bp_plan_free(p);
  bp_ctx_free(ctx);
}

static void tiles_are_shared_out(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 3, .jit = BP_JIT_WAIT, .jit_cache = ""});
  bp_plan *p = square_plan(ctx, N, &(bpi_tuning){.tile = 100, .fuse_min = 2, .split_ns = 1});
  double x[N];
  const void *y;
  bp_run *run;
  for (int i = 0; i < N; i++)
    x[i] = i;
  SUCCEEDS(bp_run_new(p, NULL, &run));
  SUCCEEDS(bp_run_bind(run, "x", x, sizeof x));
  for (int k = 0; k < 20; k++) {
    SUCCEEDS(bp_run_step(run));
    SUCCEEDS(bp_run_output(run, 0, &y, NULL));
    for (int i = 0; i < N; i++)
      assert_true(((const double *)y)[i] == x[i] * x[i]);
  }
  verdict v = verdict_of(p);
  assert_int_equal(v.good, 1);
  assert_int_equal(v.compiled, 1);
  bp_run_free(run);
  bp_plan_free(p);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_go_on_while_code_is_swapped_in),
      cmocka_unit_test(tiles_are_shared_out),
  };
  if (!have_compiler())
    return 77;
  return cmocka_run_group_tests(tests, open_room, close_room);
}

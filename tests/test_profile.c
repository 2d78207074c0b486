/* Profiles: what they count, what they say of floors, that they change no result, and that they outlive what they looked at. */
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Round numbers: 1 GFLOP/s in float32, half in float64; 4 and 2 GB/s in the two smaller memories, 1 GB/s in the others. */
static const bp_limits limits[2] = {
    {1, 1e9, 0.5e9, {1e3, 2e3, 4e3, 8e3}, {4e9, 2e9, 1e9, 1e9}},
    {2, 2e9, 1e9, {1e3, 2e3, 4e3, 8e3}, {8e9, 4e9, 2e9, 2e9}},
};

enum { ROWS = 4, IN = 8, OUT = 3 };

typedef struct made {
  bp_ctx *ctx;
  bp_plan *plan;
  bp_run *run;
  float x[ROWS * IN], w[OUT * IN], b[OUT];
} made;

static bp_status make(made *m)
{
  bp_graph *g = bp_graph_new(m->ctx);
  const int64_t dx[2] = {ROWS, IN}, dw[2] = {OUT, IN}, db = OUT;
  if (!g)
    return BP_E_NOMEM;
  for (int i = 0; i < ROWS * IN; i++)
    m->x[i] = (float)(i % 7) - 3;
  for (int i = 0; i < OUT * IN; i++)
    m->w[i] = (float)(i % 5) - 2;
  bp_node x = bp_input(g, "x", BP_REAL, 2, dx), w = bp_input(g, "w", BP_REAL, 2, dw),
          b = bp_input(g, "b", BP_REAL, 1, &db);
  bp_node y = bp_name(bp_linear(x, w, b), "scores");
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1};
  bp_status s = bp_graph_status(g) == BP_OK ? bp_plan_new(g, &o, &m->plan) : bp_graph_status(g);
  bp_graph_free(g);
  if (s == BP_OK)
    s = bp_run_new(m->plan, NULL, &m->run);
  if (s == BP_OK)
    s = bp_run_bind(m->run, "x", m->x, sizeof m->x);
  if (s == BP_OK)
    s = bp_run_bind(m->run, "w", m->w, sizeof m->w);
  return s == BP_OK ? bp_run_bind(m->run, "b", m->b, sizeof m->b) : s;
}

static void unmake(made *m)
{
  bp_run_free(m->run);
  bp_plan_free(m->plan);
}

static bp_profile *profile_of(bp_ctx *ctx, int64_t events)
{
  return bp_profile_new(ctx, &(bp_profile_options){.limits = limits, .events = events});
}

/* A product [4,8] by [8,3]: 2*4*8*3 = 192 operations; operands 4*8 + 3*8 + 3 and result 4*3, 71 numbers, 284 bytes: less than 1,000, at
 * 4 GB/s 71 ns. Computing at 1 GFLOP/s takes 192 ns, the longer. */
static void a_product_is_counted(void **state)
{
  made m = {.ctx = bp_ctx_new(NULL)};
  (void)state;
  bp_profile *p = profile_of(m.ctx, 0);
  assert_int_equal(make(&m), BP_OK);
  for (int i = 0; i < 5; i++)
    assert_int_equal(bp_run_step(m.run), BP_OK);
  unmake(&m); /* a profile does not need them */
  bp_profile_row row;
  assert_int_equal(bp_profile_count(p), 1);
  assert_int_equal(bp_profile_at(p, 0, &row), BP_OK);
  assert_string_equal(row.what, "linear");
  assert_non_null(strstr(row.node, "'scores'"));
  assert_int_equal(row.calls, 5);
  assert_true(row.seconds > 0 && row.seconds < 10);
  assert_true(row.flops == 192 && row.bytes == 284);
  assert_true(fabs(row.floor - 192e-9) < 1e-15);
  assert_int_equal(bp_profile_at(p, 1, &row), BP_E_RANGE);
  bp_profile_free(p);
  bp_ctx_free(m.ctx);
}

/* x + c over [3,1000]: 3,000 operations; c is broadcast along the rows, so its 1,000 numbers count once: (3,000 + 1,000 + 3,000) * 8 bytes,
 * more than any measured memory: at 1 GB/s 56 us, over 6 us of computing in float64. */
static void a_broadcast_operand_counts_once(void **state)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  static double x[3000], c[1000];
  const int64_t dx[2] = {3, 1000}, dc = 1000;
  bp_node y = bp_add(bp_input(g, "x", BP_REAL, 2, dx), bp_input(g, "c", BP_REAL, 1, &dc));
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  bp_plan *plan;
  bp_run *run;
  (void)state;
  assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_run_bind(run, "x", x, sizeof x), BP_OK);
  assert_int_equal(bp_run_bind(run, "c", c, sizeof c), BP_OK);
  assert_int_equal(bp_run_step(run), BP_OK); /* not seen: before the profile */
  bp_profile *p = profile_of(ctx, 0);
  assert_int_equal(bp_run_step(run), BP_OK);
  bp_profile_stop(p);
  assert_int_equal(bp_run_step(run), BP_OK); /* nor after it */
  double flops = 0, bytes = 0, least = 0;
  for (size_t i = 0; i < bp_profile_count(p); i++) {
    bp_profile_row row;
    assert_int_equal(bp_profile_at(p, i, &row), BP_OK);
    assert_int_equal(row.calls, 1);
    flops += row.flops;
    bytes += row.bytes;
    least += row.floor;
  }
  assert_true(flops == 3000 && bytes == 56000);
  assert_true(fabs(least - 56e-6) < 1e-12);
  bp_profile_free(p);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* -x of 177 float32: 1,416 bytes, between 1,000 at 4 GB/s and 2,000 at 2. By the logarithms of sizes that is log 1.416 / log 2 = 0.501821 of the
 * way: 4 - 2 * 0.501821 = 2.996357 GB/s, so 472.574e-9 s. */
static void a_limit_between_two_sizes_lies_between_theirs(void **state)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  static float x[177];
  const int64_t n = 177;
  bp_node y = bp_neg(bp_input(g, "x", BP_REAL, 1, &n));
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1};
  bp_plan *plan;
  bp_run *run;
  bp_profile_row row;
  (void)state;
  assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_run_bind(run, "x", x, sizeof x), BP_OK);
  bp_profile *p = profile_of(ctx, 0);
  assert_int_equal(bp_run_step(run), BP_OK);
  assert_int_equal(bp_profile_at(p, 0, &row), BP_OK);
  assert_true(row.bytes == 1416);
  assert_true(fabs(row.floor - 472.574e-9) < 1e-12);
  bp_profile_free(p);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

static int count_of(const char *text, const char *what)
{
  int n = 0;
  for (; (text = strstr(text, what)); text += strlen(what))
    n++;
  return n;
}

/* Three runs of one instruction are three events of thread 0; with room for two, the third is told to be lost. */
static void a_trace_has_an_event_for_each_execution(void **state)
{
  made m = {.ctx = bp_ctx_new(NULL)};
  (void)state;
  assert_int_equal(make(&m), BP_OK);
  for (int64_t room = 2; room <= 3; room++) {
    bp_profile *p = profile_of(m.ctx, room);
    char *json, *text;
    for (int i = 0; i < 3; i++)
      assert_int_equal(bp_run_step(m.run), BP_OK);
    assert_int_equal(bp_profile_trace(p, &json), BP_OK);
    assert_int_equal(count_of(json, "\"ph\":\"X\""), room);
    assert_non_null(strstr(json, room == 2 ? "\"lost\":1" : "\"lost\":0"));
    assert_int_equal(bp_profile_text(p, 0, &text), BP_OK);
    assert_non_null(strstr(text, "plan 1: 3 runs"));
    bp_free(m.ctx, json);
    bp_free(m.ctx, text);
    bp_profile_free(p);
  }
  unmake(&m);
  bp_ctx_free(m.ctx);
}

static void results_are_the_same(void **state)
{
  made m = {.ctx = bp_ctx_new(NULL)};
  float seen[ROWS * OUT];
  const void *out;
  (void)state;
  assert_int_equal(make(&m), BP_OK);
  bp_profile *p = profile_of(m.ctx, 100);
  assert_int_equal(bp_run_step(m.run), BP_OK);
  assert_int_equal(bp_run_output(m.run, 0, &out, NULL), BP_OK);
  memcpy(seen, out, sizeof seen);
  bp_profile_free(p);
  memset(m.b, 0x41, sizeof m.b); /* another result */
  assert_int_equal(bp_run_step(m.run), BP_OK);
  assert_memory_not_equal(seen, out, sizeof seen);
  memset(m.b, 0, sizeof m.b);
  assert_int_equal(bp_run_step(m.run), BP_OK);
  assert_memory_equal(seen, out, sizeof seen);
  unmake(&m);
  bp_ctx_free(m.ctx);
}

static void misuse_is_refused(void **state)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_profile *p = profile_of(ctx, 0);
  bp_limits l;
  (void)state;
  assert_ptr_equal(bp_ctx_profile(ctx), p);
  assert_null(profile_of(ctx, 0));
  assert_non_null(strstr(bp_error(), "profiled already"));
  assert_null(bp_profile_new(NULL, NULL));
  assert_int_equal(bp_profile_text(p, 0, NULL), BP_E_ARG);
  assert_int_equal(bp_profile_trace(NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_limits_measure(ctx, 2, &l), BP_E_ARG);
  assert_int_equal(bp_limits_measure(ctx, 0, &l), BP_E_ARG);
  bp_profile_free(NULL);
  bp_profile_free(p);
  assert_null(bp_ctx_profile(ctx));
  bp_ctx_free(ctx);
}

/* More than nothing, and a small memory no slower than a hundredth of what a large one does: all that every machine keeps to. */
static void limits_can_be_measured(void **state)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2});
  (void)state;
  for (int threads = 1; threads <= 2; threads++) {
    bp_limits l;
    assert_int_equal(bp_limits_measure(ctx, threads, &l), BP_OK);
    assert_int_equal(l.threads, threads);
    assert_true(l.flops32 > 1e7 && l.flops64 > 1e7);
    for (int k = 0; k < BP_MEMORY_LEVELS; k++)
      assert_true(l.memory_rate[k] > 1e6 && l.memory_bytes[k] > 1000);
    assert_true(l.memory_rate[0] > 0.01 * l.memory_rate[BP_MEMORY_LEVELS - 1]);
  }
  bp_ctx_free(ctx);
}

static bp_status all_of_it(bp_ctx *ctx)
{
  made m = {.ctx = ctx};
  char *text[2] = {NULL, NULL};
  bp_profile *p = profile_of(ctx, 10);
  bp_status s = p ? make(&m) : BP_E_NOMEM;
  for (int i = 0; i < 3 && s == BP_OK; i++)
    s = bp_run_step(m.run);
  if (s == BP_OK)
    s = bp_profile_text(p, 1, &text[0]);
  if (s == BP_OK)
    s = bp_profile_trace(p, &text[1]);
  bp_free(ctx, text[0]);
  bp_free(ctx, text[1]);
  bp_profile_free(p);
  unmake(&m);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(all_of_it) > 10);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_product_is_counted),
      cmocka_unit_test(a_broadcast_operand_counts_once),
      cmocka_unit_test(a_limit_between_two_sizes_lies_between_theirs),
      cmocka_unit_test(a_trace_has_an_event_for_each_execution),
      cmocka_unit_test(results_are_the_same),
      cmocka_unit_test(misuse_is_refused),
      cmocka_unit_test(limits_can_be_measured),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

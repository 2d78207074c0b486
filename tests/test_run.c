/* Runs: binding, results, guards, failures that depend on data, loops, threads. */
#include "support/failing.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct fixture {
  failing f;
  bp_ctx *ctx;
  bp_graph *g;
  bp_state *s;
  bp_plan *p;
  bp_run *run;
} fixture;

static int setup(void **state)
{
  fixture *f = calloc(1, sizeof *f);
  f->ctx = failing_ctx(&f->f);
  f->g = bp_graph_new(f->ctx);
  f->s = bp_state_new(f->ctx, BP_FLOAT64);
  *state = f;
  return !f->g || !f->s;
}

static int teardown(void **state)
{
  fixture *f = *state;
  bp_run_free(f->run);
  bp_plan_free(f->p);
  bp_graph_free(f->g);
  bp_state_free(f->s);
  bp_ctx_free(f->ctx);
  int live = f->f.live != 0;
  free(f);
  return live;
}

static void compile_options(fixture *f, bp_plan_options o)
{
  o.real = BP_FLOAT64;
  if (bp_plan_new(f->g, &o, &f->p) != BP_OK || bp_run_new(f->p, f->s, &f->run) != BP_OK)
    fail_msg("%s", bp_error());
}

static void compile(fixture *f, const bp_node *out, size_t n)
{
  compile_options(f, (bp_plan_options){.outputs = out, .n_outputs = n});
}

static void step(fixture *f)
{
  if (bp_run_step(f->run) != BP_OK)
    fail_msg("%s", bp_error());
}

static double *entry_data(fixture *f, int e)
{
  void *data;
  assert_int_equal(bp_state_array(f->s, e, NULL, NULL, &data), BP_OK);
  return data;
}

/* ---- inputs ---- */

static void inputs_are_read_where_they_lie(void **state)
{
  fixture *f = *state;
  int64_t n = 3;
  bp_node x = bp_input(f->g, "x", BP_REAL, 1, &n), y = bp_square(x);
  compile(f, &y, 1);
  double a[3] = {1, 2, 3}, b[3] = {4, 5, 6}, out[3];
  assert_int_equal(bp_run_bind(f->run, "x", a, sizeof a), BP_OK);
  step(f);
  a[1] = 7; /* no copy was made */
  step(f);
  assert_int_equal(bp_run_get(f->run, 0, out, 3), BP_OK);
  assert_true(out[0] == 1 && out[1] == 49 && out[2] == 9);
  assert_int_equal(bp_run_bind(f->run, "x", b, sizeof b), BP_OK);
  step(f);
  assert_int_equal(bp_run_get(f->run, 0, out, 3), BP_OK);
  assert_true(out[0] == 16 && out[2] == 36);
}

static void bad_calls_are_refused(void **state)
{
  fixture *f = *state;
  int64_t n = 3;
  bp_node x = bp_input(f->g, "inputs", BP_REAL, 1, &n), y = bp_square(x);
  compile(f, &y, 1);
  double a[4] = {1, 2, 3, 4}, out[4];
  const void *data;
  assert_int_equal(bp_run_step(f->run), BP_E_UNBOUND);
  assert_non_null(strstr(bp_error(), "'inputs'"));
  assert_int_equal(bp_run_bind(f->run, "input", a, sizeof *a * 3), BP_E_NOTFOUND);
  assert_non_null(strstr(bp_error(), "did you mean 'inputs'"));
  assert_int_equal(bp_run_bind(f->run, "inputs", a, sizeof a), BP_E_SHAPE);
  assert_int_equal(bp_run_bind(f->run, "inputs", NULL, sizeof *a * 3), BP_E_ARG);
  assert_int_equal(bp_run_bind(NULL, "inputs", a, 24), BP_E_ARG);
  assert_int_equal(bp_run_output(f->run, 0, &data, NULL), BP_E_ORDER);
  assert_int_equal(bp_run_bind(f->run, "inputs", a, sizeof *a * 3), BP_OK);
  step(f);
  assert_int_equal(bp_run_output(f->run, 1, &data, NULL), BP_E_RANGE);
  assert_int_equal(bp_run_get(f->run, 0, out, 4), BP_E_SHAPE);
  assert_int_equal(bp_run_get(f->run, 0, NULL, 3), BP_E_ARG);
  assert_int_equal(bp_run_step(NULL), BP_E_ARG);
  bp_run *r;
  assert_int_equal(bp_run_new(NULL, NULL, &r), BP_E_ARG);
  assert_int_equal(bp_run_new(f->p, NULL, NULL), BP_E_ARG);
  bp_run_free(NULL);
}

static void empty_arrays_run(void **state)
{
  fixture *f = *state;
  int64_t dims[2] = {0, 3};
  bp_node x = bp_input(f->g, "x", BP_REAL, 2, dims), out[2] = {bp_exp(x), bp_sum(x, NULL, 0, false)};
  compile(f, out, 2);
  assert_int_equal(bp_run_bind(f->run, "x", NULL, 0), BP_OK);
  step(f);
  double sum = 1;
  bp_type t;
  const void *data;
  assert_int_equal(bp_run_get(f->run, 1, &sum, 1), BP_OK);
  assert_true(sum == 0);
  assert_int_equal(bp_run_output(f->run, 0, &data, &t), BP_OK);
  assert_int_equal(t.dims[0], 0);
  assert_int_equal(bp_run_get(f->run, 0, NULL, 0), BP_OK);
}

/* ---- outputs ---- */

static void outputs_may_be_anything(void **state)
{
  fixture *f = *state;
  int64_t dims[2] = {2, 3};
  int e;
  assert_int_equal(bp_state_add(f->s, "w", BP_REAL, 2, dims, &e), BP_OK);
  bp_node x = bp_input(f->g, "x", BP_REAL, 2, dims), w = bp_read(f->g, f->s, e);
  bp_node t = bp_transpose(x, NULL, 0), k = bp_full(f->g, BP_INT64, 7, 2, dims), more = bp_greater(x, w);
  bp_node out[] = {x, x, t, w, k, more, bp_add(w, x)};
  bp_update u = {e, out[6]};
  compile_options(f, (bp_plan_options){.outputs = out, .n_outputs = 7, .updates = &u, .n_updates = 1});
  double a[6] = {1, -2, 3, -4, 5, -6}, got[6];
  assert_int_equal(bp_run_bind(f->run, "x", a, sizeof a), BP_OK);
  entry_data(f, e)[0] = 10;
  step(f);
  a[0] = 99; /* what was read stays readable */
  assert_int_equal(bp_run_get(f->run, 0, got, 6), BP_OK);
  assert_true(got[0] == 1 && got[5] == -6);
  assert_int_equal(bp_run_get(f->run, 1, got, 6), BP_OK);
  assert_true(got[0] == 1);
  assert_int_equal(bp_run_get(f->run, 2, got, 6), BP_OK);
  assert_true(got[1] == -4 && got[2] == -2);
  assert_int_equal(bp_run_get(f->run, 3, got, 6), BP_OK);
  assert_true(got[0] == 10 && got[1] == 0); /* from before the step */
  assert_true(entry_data(f, e)[0] == 11 && entry_data(f, e)[1] == -2);
  assert_int_equal(bp_run_get(f->run, 4, got, 6), BP_OK);
  assert_true(got[5] == 7);
  assert_int_equal(bp_run_get(f->run, 5, got, 6), BP_OK);
  assert_true(got[0] == 0 && got[2] == 1);
  bp_type type;
  const void *data;
  assert_int_equal(bp_run_output(f->run, 5, &data, &type), BP_OK);
  assert_int_equal(type.dtype, BP_BOOL);
  assert_int_equal(bp_run_output(f->run, 6, &data, &type), BP_OK);
  assert_int_equal(type.dtype, BP_FLOAT64);
}

static void plans_outlive_their_graph(void **state)
{
  fixture *f = *state;
  bp_node x = bp_name(bp_input(f->g, "x", BP_REAL, 0, NULL), "the x"), y = bp_log(x);
  compile_options(f, (bp_plan_options){.outputs = &y, .n_outputs = 1, .guards = &y, .n_guards = 1});
  bp_graph_free(f->g);
  f->g = NULL;
  double v = 0;
  assert_int_equal(bp_run_bind(f->run, "x", &v, sizeof v), BP_OK);
  assert_int_equal(bp_run_step(f->run), BP_E_NOTFINITE);
  v = 1;
  step(f);
}

/* ---- updates ---- */

static void entries_change_places(void **state)
{
  fixture *f = *state;
  int64_t n = 3;
  int a, b;
  assert_int_equal(bp_state_add(f->s, "a", BP_REAL, 1, &n, &a), BP_OK);
  assert_int_equal(bp_state_add(f->s, "b", BP_REAL, 1, &n, &b), BP_OK);
  bp_update u[2] = {{a, bp_read(f->g, f->s, b)}, {b, bp_read(f->g, f->s, a)}};
  entry_data(f, a)[1] = 1;
  entry_data(f, b)[1] = 2;
  for (uint32_t off = 0; off < 2; off++) {
    compile_options(f, (bp_plan_options){.updates = u, .n_updates = 2, .passes_off = off << BP_PASS_commit});
    step(f);
    assert_true(entry_data(f, a)[1] == (off ? 1 : 2) && entry_data(f, b)[1] == (off ? 2 : 1));
    bp_run_free(f->run);
    bp_plan_free(f->p);
    f->run = NULL;
    f->p = NULL;
  }
}

static void a_guard_stops_every_update(void **state)
{
  fixture *f = *state;
  int w, count;
  assert_int_equal(bp_state_add(f->s, "w", BP_REAL, 0, NULL, &w), BP_OK);
  assert_int_equal(bp_state_add(f->s, "count", BP_INT64, 0, NULL, &count), BP_OK);
  bp_node x = bp_input(f->g, "x", BP_REAL, 0, NULL), old = bp_read(f->g, f->s, w);
  bp_node loss = bp_name(bp_log(x), "loss");
  bp_update u[2] = {{w, bp_add(old, bp_constant(f->g, 1))},
                    {count, bp_add(bp_read(f->g, f->s, count), bp_constant_int(f->g, 1))}};
  compile_options(
      f, (bp_plan_options){
             .outputs = &loss, .n_outputs = 1, .updates = u, .n_updates = 2, .guards = &loss, .n_guards = 1});
  double v = -1, got;
  assert_int_equal(bp_run_bind(f->run, "x", &v, sizeof v), BP_OK);
  assert_int_equal(bp_run_step(f->run), BP_E_NOTFINITE);
  assert_non_null(strstr(bp_error(), "'loss'"));
  assert_non_null(strstr(bp_error(), "test_run.c:"));
  assert_non_null(strstr(bp_error(), "NaN"));
  assert_true(entry_data(f, w)[0] == 0 && ((int64_t *)(void *)entry_data(f, count))[0] == 0);
  assert_int_equal(bp_run_get(f->run, 0, &got, 1), BP_E_ORDER);
  v = 0;
  assert_int_equal(bp_run_step(f->run), BP_E_NOTFINITE);
  assert_non_null(strstr(bp_error(), "-infinite"));
  v = 2;
  step(f);
  assert_true(entry_data(f, w)[0] == 1 && ((int64_t *)(void *)entry_data(f, count))[0] == 1);
}

static void bad_data_commits_nothing(void **state)
{
  fixture *f = *state;
  int64_t n = 4, rows = 3;
  int w;
  assert_int_equal(bp_state_add(f->s, "w", BP_REAL, 1, &rows, &w), BP_OK);
  bp_node index = bp_input(f->g, "index", BP_INT64, 1, &n), old = bp_read(f->g, f->s, w);
  bp_node taken = bp_name(bp_gather(old, index, 0), "taken");
  bp_update u = {w, bp_add(old, bp_constant(f->g, 1))};
  compile_options(f, (bp_plan_options){.outputs = &taken, .n_outputs = 1, .updates = &u, .n_updates = 1});
  int64_t at[4] = {0, 2, 3, 7};
  assert_int_equal(bp_run_bind(f->run, "index", at, sizeof at), BP_OK);
  assert_int_equal(bp_run_step(f->run), BP_E_RANGE);
  assert_non_null(strstr(bp_error(), "'taken'"));
  assert_non_null(strstr(bp_error(), "element 2"));
  assert_true(entry_data(f, w)[0] == 0);
  at[2] = at[3] = 1;
  step(f);
  assert_true(entry_data(f, w)[0] == 1);
}

static void an_unread_entry_can_be_set(void **state)
{
  fixture *f = *state;
  int64_t n = 4, wrong = 5;
  int w;
  assert_int_equal(bp_state_add(f->s, "w", BP_REAL, 1, &n, &w), BP_OK);
  bp_update u = {w, bp_full(f->g, BP_REAL, 0.25, 1, &n)};
  compile_options(f, (bp_plan_options){.updates = &u, .n_updates = 1});
  step(f);
  assert_true(entry_data(f, w)[3] == 0.25);
  bp_state *other = bp_state_new(f->ctx, BP_FLOAT64), *narrow = bp_state_new(f->ctx, BP_FLOAT32);
  bp_run *r;
  assert_int_equal(bp_run_new(f->p, NULL, &r), BP_E_ARG);
  assert_int_equal(bp_run_new(f->p, other, &r), BP_E_MISMATCH);
  assert_int_equal(bp_state_add(other, "v", BP_REAL, 1, &wrong, &w), BP_OK);
  assert_int_equal(bp_run_new(f->p, other, &r), BP_E_MISMATCH);
  assert_int_equal(bp_run_new(f->p, narrow, &r), BP_E_MISMATCH);
  bp_state_free(other);
  bp_state_free(narrow);
}

/* ---- loops ---- */

/* (c), x -> c' = c * k + x, y = c' */
static bp_fn *horner(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[3] = {bp_input(g, "c", BP_REAL, 0, NULL), bp_input(g, "x", BP_REAL, 0, NULL),
                   bp_input(g, "k", BP_REAL, 0, NULL)};
  bp_node out[2];
  out[0] = bp_add(bp_mul(in[0], in[2]), in[1]);
  out[1] = out[0];
  return bp_fn_new("horner", g, in, 3, out, 2);
}

/* c -> c' = the horner loop over three ones from c, with k = 2 */
static bp_fn *nested(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  int64_t n = 3;
  bp_fn *inner = horner(ctx);
  bp_node c = bp_input(g, "c", BP_REAL, 0, NULL), ones = bp_full(g, BP_REAL, 1, 1, &n), k = bp_constant(g, 2),
          out[2];
  assert_int_equal(bp_scan(inner, &c, 1, &ones, 1, &k, 1, 0, false, out), BP_OK);
  bp_fn_free(inner);
  return bp_fn_new("nested", g, &c, 1, out, 1);
}

static void loops_run_both_ways(void **state)
{
  fixture *f = *state;
  int64_t n = 4;
  bp_fn *fn = horner(f->ctx);
  bp_node c = bp_constant(f->g, 0), k = bp_input(f->g, "k", BP_REAL, 0, NULL),
          xs = bp_input(f->g, "xs", BP_REAL, 1, &n);
  bp_node out[4];
  assert_int_equal(bp_scan(fn, &c, 1, &xs, 1, &k, 1, 0, false, out), BP_OK);
  assert_int_equal(bp_scan(fn, &c, 1, &xs, 1, &k, 1, 0, true, out + 2), BP_OK);
  bp_fn_free(fn);
  compile(f, out, 4);
  double a[4] = {1, 2, 3, 4}, ten = 10, got[4];
  assert_int_equal(bp_run_bind(f->run, "xs", a, sizeof a), BP_OK);
  assert_int_equal(bp_run_bind(f->run, "k", &ten, sizeof ten), BP_OK);
  step(f);
  assert_int_equal(bp_run_get(f->run, 0, got, 1), BP_OK);
  assert_true(got[0] == 1234);
  assert_int_equal(bp_run_get(f->run, 1, got, 4), BP_OK);
  assert_true(got[0] == 1 && got[1] == 12 && got[3] == 1234);
  assert_int_equal(bp_run_get(f->run, 2, got, 1), BP_OK);
  assert_true(got[0] == 4321);
  assert_int_equal(bp_run_get(f->run, 3, got, 4), BP_OK);
  assert_true(got[0] == 4321 && got[3] == 4);
}

static void loops_hold_loops(void **state)
{
  fixture *f = *state;
  bp_fn *fn = nested(f->ctx);
  bp_node c = bp_input(f->g, "c", BP_REAL, 0, NULL), out[1];
  assert_int_equal(bp_scan(fn, &c, 1, NULL, 0, NULL, 0, 2, false, out), BP_OK);
  bp_fn_free(fn);
  compile(f, out, 1);
  double v = 1, got;
  assert_int_equal(bp_run_bind(f->run, "c", &v, sizeof v), BP_OK);
  step(f);
  assert_int_equal(bp_run_get(f->run, 0, &got, 1), BP_OK);
  assert_true(got == 127); /* 1 -> 3, 7, 15 -> 31, 63, 127 */
}

/* ---- one plan, many threads; nothing allocated ---- */

typedef struct job {
  bp_plan *p;
  double x;
  double worst;
} job;

static void *work(void *arg)
{
  job *j = arg;
  bp_run *r;
  double got;
  j->worst = 1e9;
  if (bp_run_new(j->p, NULL, &r) != BP_OK || bp_run_bind(r, "x", &j->x, sizeof j->x) != BP_OK)
    return NULL;
  j->worst = 0;
  for (int i = 0; i < 2000; i++) {
    j->x += 0.001;
    if (bp_run_step(r) != BP_OK || bp_run_get(r, 0, &got, 1) != BP_OK ||
        fabs(got - exp(sin(j->x))) > j->worst)
      j->worst = fabs(got - exp(sin(j->x)));
  }
  bp_run_free(r);
  return NULL;
}

static void many_threads_share_a_plan(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = bp_exp(bp_sin(x));
  bp_plan *p;
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  assert_int_equal(bp_plan_new(g, &o, &p), BP_OK);
  job jobs[4];
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    jobs[i] = (job){p, i, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_true(jobs[i].worst < 1e-12);
  }
  bp_plan_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

static void a_step_allocates_nothing(void **state)
{
  fixture *f = *state;
  int64_t dims[2] = {30, 40};
  bp_node x = bp_input(f->g, "x", BP_REAL, 2, dims),
          y = bp_softmax(bp_matmul(x, bp_transpose(bp_tanh(x), NULL, 0)), 1);
  compile(f, &y, 1);
  static double a[1200];
  assert_int_equal(bp_run_bind(f->run, "x", a, sizeof a), BP_OK);
  step(f);
  failing_arm(&f->f, 1, true);
  step(f);
  assert_int_equal(f->f.calls, 0);
  failing_arm(&f->f, 0, false);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {RUN_TEST(inputs_are_read_where_they_lie),
                                     RUN_TEST(bad_calls_are_refused),
                                     RUN_TEST(empty_arrays_run),
                                     RUN_TEST(outputs_may_be_anything),
                                     RUN_TEST(plans_outlive_their_graph),
                                     RUN_TEST(entries_change_places),
                                     RUN_TEST(a_guard_stops_every_update),
                                     RUN_TEST(bad_data_commits_nothing),
                                     RUN_TEST(an_unread_entry_can_be_set),
                                     RUN_TEST(loops_run_both_ways),
                                     RUN_TEST(loops_hold_loops),
                                     cmocka_unit_test(many_threads_share_a_plan),
                                     RUN_TEST(a_step_allocates_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The graph: interning, handles, errors, names, functions, cost, memory that fails. */
#include "bprop.h"
#include "check/example.h"
#include "graph/graph.h"
#include "support/graphing.h"
#include "support/linear.h"
#include "check/laws.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool same_node(bp_node a, bp_node b)
{
  return a.graph == b.graph && a.index == b.index && a.serial == b.serial;
}

#define assert_same(a, b)  assert_true(same_node(a, b))
#define assert_other(a, b) assert_false(same_node(a, b))

/* ---- interning ---- */

static void same_call_is_same_node(void **state)
{
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 2, 3, 4), y = real_input(b->g, "y", 2, 3, 4);
  int64_t ax0[1] = {0}, ax1[1] = {1}, minus[1] = {-1}, both[2] = {1, 0};
  assert_same(bp_add(x, y), bp_add(x, y));
  assert_other(bp_add(x, y), bp_add(x, x));
  assert_other(bp_add(x, y), bp_mul(x, y));
  assert_same(bp_sum(x, ax1, 1, false), bp_sum(x, minus, 1, false));
  assert_other(bp_sum(x, ax1, 1, false), bp_sum(x, ax0, 1, false));
  assert_other(bp_sum(x, ax1, 1, false), bp_sum(x, ax1, 1, true));
  assert_same(bp_sum(x, both, 2, false), bp_sum(x, NULL, 0, false));
  uint32_t mark = bp_graph_mark(b->g);
  bp_exp(bp_add(x, y));
  bp_exp(bp_add(x, y));
  assert_int_equal(bp_graph_mark(b->g), mark + 1);
  assert_status(BP_OK, bp_graph_status(b->g));
}

static void constants_are_told_apart_by_their_bits(void **state)
{
  bench *b = *state;
  int64_t dims[1] = {2};
  double data[2] = {1, 2};
  assert_same(bp_constant(b->g, 2.5), bp_constant(b->g, 2.5));
  assert_other(bp_constant(b->g, 0.0), bp_constant(b->g, -0.0));
  assert_same(bp_constant(b->g, NAN), bp_constant(b->g, NAN));
  assert_other(bp_constant(b->g, 1), bp_constant_int(b->g, 1));
  assert_other(bp_full(b->g, BP_REAL, 1, 1, dims), bp_constant(b->g, 1));
  assert_same(bp_array_constant(b->g, BP_REAL, 1, dims, data),
              bp_array_constant(b->g, BP_REAL, 1, dims, data));
}

static void large_constants_are_stored_once(void **state)
{
  bench *b = *state;
  int64_t dims[2] = {1 << 20, 1 << 20}, flat[1] = {INT64_C(1) << 40};
  bp_node big = bp_full(b->g, BP_REAL, 3, 2, dims);
  assert_int_equal(bp_node_size(big), INT64_C(1) << 40);
  bp_node view = bp_reshape(big, flat, 1);
  double v;
  assert_true(bpi_splat(view, &v) && v == 3);
}

static void many_nodes_keep_their_identity(void **state)
{
  bench *b = *state;
  enum { N = 3000 };
  static bp_node made[N];
  bp_node x = real_input(b->g, "x", 0, 0, 0);
  for (int i = 0; i < N; i++)
    made[i] = bp_mul(x, bp_constant(b->g, i));
  uint32_t mark = bp_graph_mark(b->g);
  for (int i = 0; i < N; i++)
    assert_same(made[i], bp_mul(x, bp_constant(b->g, i)));
  assert_int_equal(bp_graph_mark(b->g), mark);
}

/* ---- errors ---- */

static void first_error_is_kept_with_its_place(void **state)
{
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 2, 3, 4), y = real_input(b->g, "y", 2, 5, 4);
  int line = __LINE__ + 1;
  bp_node bad = bp_add(x, y);
  assert_true(bp_failed(bad));
  assert_int_equal(bad.index, 0);
  assert_status(BP_E_SHAPE, bp_graph_status(b->g));
  char first[1024], place[64];
  snprintf(first, sizeof first, "%s", bp_graph_error(b->g));
  snprintf(place, sizeof place, "test_graph.c:%d: ", line);
  assert_non_null(strstr(first, place));
  assert_non_null(strstr(first, "add"));
  assert_non_null(strstr(first, "'x'"));
  assert_non_null(strstr(first, "[3,4]"));
  assert_non_null(strstr(first, "[5,4]"));
  assert_string_equal(first, bp_error());
  assert_true(bp_failed(bp_exp(bp_mul(bad, x))));
  assert_true(bp_failed(bp_matmul(x, x)));
  assert_true(bp_failed(bp_find(b->g, "nobody")));
  assert_status(BP_E_SHAPE, bp_graph_status(b->g));
  assert_string_equal(first, bp_graph_error(b->g));
  bp_graph_clear(b->g);
  assert_status(BP_OK, bp_graph_status(b->g));
  assert_string_equal("", bp_graph_error(b->g));
  assert_false(bp_failed(bp_exp(x)));
}

static void a_built_graph_goes_on_after_an_error(void **state)
{
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 1, 3, 0);
  uint32_t mark = bp_graph_mark(b->g);
  bp_add(x, real_input(b->g, "y", 1, 4, 0));
  assert_status(BP_E_SHAPE, bp_graph_status(b->g));
  assert_status(BP_OK, bp_graph_rollback(b->g, mark));
  assert_status(BP_OK, bp_graph_status(b->g));
  assert_false(bp_failed(bp_add(x, x)));
}

/* ---- rollback and stale handles ---- */

static void rolled_back_handles_are_stale(void **state)
{
  bench *b = *state;
  bp_type t;
  bp_node x = real_input(b->g, "x", 1, 3, 0);
  uint32_t mark = bp_graph_mark(b->g);
  bp_node y = bp_name(bp_exp(x), "y");
  assert_status(BP_OK, bp_graph_rollback(b->g, mark));
  assert_true(bp_failed(y));
  assert_status(BP_E_GRAPH, bp_node_type(y, &t));
  assert_int_equal(bp_node_size(y), 0);
  assert_null(bp_node_name(y));
  /* Another node in the same place is not taken for the old one. */
  bp_node z = bp_log(x);
  assert_int_equal(z.index, y.index);
  assert_true(bp_failed(y));
  assert_true(bp_failed(bp_add(x, y)));
  assert_status(BP_E_GRAPH, bp_graph_status(b->g));
  assert_non_null(strstr(bp_graph_error(b->g), "stale"));
  bp_graph_clear(b->g);
  /* The name is free again, and the call is a new node, not the one forgotten. */
  bp_node again = bp_name(bp_exp(x), "y");
  assert_false(bp_failed(again));
  assert_other(again, y);
}

/* Whatever was built, named and taken back: calls made again are the nodes that stayed, names are those that stayed, and a graph that never
 * had the others goes on in the same way. Each round leaves one node more, and names an old node after a new one, so that what goes
 * is not the end of the list of names. */
static void rollback_leaves_no_trace(void **state)
{
  enum { ROUNDS = 60, MORE = 40 };
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 1, 3, 0), kept[ROUNDS + 1] = {x};
  char name[32];
  for (int r = 0; r < ROUNDS; r++) {
    kept[r + 1] = bp_add(kept[r], bp_constant(b->g, r + 1.5));
    snprintf(name, sizeof name, "kept %d", r);
    bp_name(kept[r + 1], name);
    uint32_t mark = bp_graph_mark(b->g);
    bp_node y = kept[r];
    for (int k = 0; k < MORE; k++) {
      y = bp_mul(bp_exp(y), bp_constant(b->g, k + 100.5));
      snprintf(name, sizeof name, "gone %d", k);
      bp_name(y, name);
      if (k % 7 == 0) {
        snprintf(name, sizeof name, "late %d %d", r, k);
        bp_name(kept[r], name);
      }
    }
    assert_status(BP_OK, bp_graph_rollback(b->g, mark));
    assert_int_equal(bp_graph_mark(b->g), mark);
    for (int k = 0; k <= r; k++) {
      snprintf(name, sizeof name, "kept %d", k);
      assert_same(bp_find(b->g, name), kept[k + 1]);
      snprintf(name, sizeof name, "late %d 35", k);
      assert_same(bp_find(b->g, name), kept[k]);
      assert_same(bp_add(kept[k], bp_constant(b->g, k + 1.5)), kept[k + 1]);
    }
    assert_int_equal(bp_graph_mark(b->g), mark);
    assert_true(bp_failed(bp_find(b->g, "gone 3")));
    bp_graph_clear(b->g);
  }
}

static void bad_marks_are_refused(void **state)
{
  bench *b = *state;
  real_input(b->g, "x", 1, 3, 0);
  uint32_t mark = bp_graph_mark(b->g);
  assert_status(BP_E_ARG, bp_graph_rollback(b->g, 0));
  assert_status(BP_E_ARG, bp_graph_rollback(b->g, mark + 1));
  assert_status(BP_E_ARG, bp_graph_rollback(b->g, UINT32_MAX));
  assert_status(BP_E_ARG, bp_graph_rollback(NULL, 1));
  assert_int_equal(bp_graph_mark(b->g), mark);
  assert_status(BP_OK, bp_graph_rollback(b->g, 1));
  assert_true(bp_failed(bp_find(b->g, "x")));
}

/* ---- names and text ---- */

static void several_names_mean_one_node(void **state)
{
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 1, 3, 0), y = bp_exp(x);
  assert_same(y, bp_name(y, "first"));
  assert_same(y, bp_name(y, "second"));
  assert_same(y, bp_name(y, "second"));
  assert_same(y, bp_find(b->g, "first"));
  assert_same(y, bp_find(b->g, "second"));
  assert_string_equal("first", bp_node_name(y));
  assert_status(BP_OK, bp_graph_status(b->g));
  assert_true(bp_failed(bp_name(x, "first")));
  assert_status(BP_E_EXISTS, bp_graph_status(b->g));
  bp_graph_clear(b->g);
  assert_true(bp_failed(real_input(b->g, "second", 0, 0, 0)));
  assert_status(BP_E_EXISTS, bp_graph_status(b->g));
  bp_graph_clear(b->g);
  assert_true(bp_failed(bp_name(y, "")));
  bp_graph_clear(b->g);
  assert_true(bp_failed(bp_name(y, NULL)));
  assert_status(BP_E_ARG, bp_graph_status(b->g));
}

static void graph_prints_readably(void **state)
{
  bench *b = *state;
  bp_node x = real_input(b->g, "x", 2, 3, 4);
  int64_t axes[1] = {1};
  bp_name(bp_sum(bp_mul(x, bp_constant(b->g, 2.5)), axes, 1, true), "total");
  char *text = NULL;
  assert_status(BP_OK, bp_graph_print(b->g, &text));
  assert_non_null(strstr(text, "mul("));
  assert_non_null(strstr(text, "2.5"));
  assert_non_null(strstr(text, "'x'"));
  assert_non_null(strstr(text, "'total'"));
  assert_non_null(strstr(text, "axes=[1]"));
  assert_non_null(strstr(text, "keep=true"));
  assert_non_null(strstr(text, "real[3,1]"));
  assert_non_null(strstr(text, "test_graph.c:"));
  bp_free(b->ctx, text);
  assert_status(BP_E_ARG, bp_graph_print(b->g, NULL));
  assert_status(BP_E_ARG, bp_graph_print(NULL, &text));
}

/* ---- functions ---- */

static void bad_functions_are_refused(void **state)
{
  bench *b = *state;
  bp_node x, y, other = real_input(b->g, "x", 0, 0, 0);
#define BODY                             \
  bp_graph *body = bp_graph_new(b->ctx); \
  x = real_input(body, "x", 0, 0, 0);    \
  y = bp_exp(x)
  assert_null(bp_fn_new("f", NULL, &other, 1, &other, 1));
  {
    BODY;
    assert_null(bp_fn_new("f", body, &x, 1, &y, 0));
  }
  {
    BODY;
    assert_null(bp_fn_new("f", body, &x, 1, NULL, 1));
  }
  {
    BODY;
    assert_null(bp_fn_new("f", body, NULL, 0, &y, 1)); /* x is not a parameter */
    assert_non_null(strstr(bp_error(), "'x'"));
  }
  {
    BODY;
    assert_null(bp_fn_new("f", body, &y, 1, &y, 1)); /* y is no input */
  }
  {
    BODY;
    assert_null(bp_fn_new("f", body, &x, 1, &other, 1)); /* another graph's node */
  }
  {
    BODY;
    bp_node out[BP_MAX_RESULTS + 1];
    for (int i = 0; i <= BP_MAX_RESULTS; i++)
      out[i] = y;
    assert_null(bp_fn_new("f", body, &x, 1, out, BP_MAX_RESULTS + 1));
  }
  {
    BODY;
    bp_node bad = bp_matmul(y, y);
    assert_null(bp_fn_new("f", body, &x, 1, &bad, 1));
    assert_non_null(strstr(bp_error(), "matmul"));
  }
  {
    BODY;
    bp_state *s = bp_state_new(b->ctx, BP_FLOAT64);
    int entry;
    assert_status(BP_OK, bp_state_add(s, "w", BP_REAL, 0, NULL, &entry));
    y = bp_mul(y, bp_read(body, s, entry));
    assert_null(bp_fn_new("f", body, &x, 1, &y, 1));
    assert_non_null(strstr(bp_error(), "state"));
    bp_state_free(s);
  }
#undef BODY
}

static bp_fn *exponential(bp_ctx *ctx, bp_graph **body, bp_node *x)
{
  bp_graph *g = bp_graph_new(ctx);
  *x = real_input(g, "x", 1, 3, 0);
  bp_node y = bp_exp(*x);
  *body = g;
  return bp_fn_new("exponential", g, x, 1, &y, 1);
}

static void functions_are_called_and_counted(void **state)
{
  bench *b = *state;
  bp_graph *body;
  bp_node inner, x = real_input(b->g, "x", 1, 3, 0), wrong = real_input(b->g, "w", 1, 4, 0), y[2];
  bp_fn *fn = exponential(b->ctx, &body, &inner);
  assert_non_null(fn);
  assert_status(BP_OK, bp_call(fn, &x, 1, &y[0]));
  assert_status(BP_OK, bp_call(fn, &x, 1, &y[1]));
  assert_same(y[0], y[1]);
  assert_status(BP_E_SHAPE, bp_call(fn, &wrong, 1, &y[1]));
  assert_true(bp_failed(y[1]));
  assert_non_null(strstr(bp_graph_error(b->g), "call"));
  bp_graph_clear(b->g);
  bp_node two[2] = {x, x};
  assert_int_not_equal(bp_call(fn, two, 2, y), BP_OK);
  bp_graph_clear(b->g);
  assert_status(BP_E_ARG, bp_call(NULL, &x, 1, y));
  assert_status(BP_E_ARG, bp_call(fn, NULL, 1, y));
  bp_fn_free(fn);
  /* The graph keeps the function that it uses. */
  assert_status(BP_OK, bp_graph_status(b->g));
  bp_node grad;
  assert_status(BP_OK, bp_grad(bp_sum(bp_exp(x), NULL, 0, false), &x, 1, &grad));
}

/* Bad input 13: a function that calls itself would be a cycle, and expand for ever. */
static void a_function_cannot_call_itself(void **state)
{
  bench *b = *state;
  bp_graph *body;
  bp_node inner, y;
  bp_fn *fn = exponential(b->ctx, &body, &inner);
  assert_non_null(fn);
  assert_int_not_equal(bp_call(fn, &inner, 1, &y), BP_OK);
  assert_true(bp_failed(bp_exp(bp_exp(inner)))); /* the body is closed for good */
  bp_fn_free(fn);
}

/* ---- cost ---- */

static double chain_time(void *ctx, int n)
{
  double start = processor_seconds();
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = real_input(g, "x", 0, 0, 0);
  for (int i = 0; i < n; i++)
    x = i % 2 ? bp_sin(x) : bp_exp(x);
  assert_false(bp_failed(x));
  assert_int_equal(bp_graph_mark(g), n + 2);
  bp_graph_free(g);
  return processor_seconds() - start;
}

static void a_long_chain_is_built_in_linear_time(void **state)
{
  bench *b = *state;
  assert_true(is_linear(chain_time, b->ctx, 12500, 8, 0));
}

/* ---- memory that fails ---- */

/* Builds an example and its gradient. Every status on the way is BP_OK or BP_E_NOMEM. */
static bp_status build_example(bp_ctx *ctx, const bp_op *op, const char *text)
{
  bpi_example ex;
  bp_status s = bpi_example_open(&ex, ctx, op, text);
  if (s != BP_OK)
    return s;
  bp_graph *g = bp_graph_new(ctx);
  bp_node x[BPI_PROBE_MAX], y[BP_MAX_RESULTS], up[BP_MAX_RESULTS], grad[BPI_PROBE_MAX], wrt[BPI_PROBE_MAX],
      from[BP_MAX_RESULTS];
  void *data[BPI_PROBE_MAX];
  int n_y;
  size_t n = 0, m = 0;
  s = g ? bpi_example_draw(&ex, 1, data) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bpi_example_build(&ex, g, x, y, &n_y);
  for (int i = 0; s == BP_OK && i < ex.n_args; i++)
    if (bpi_is_real(x[i]))
      wrt[n++] = x[i];
  for (int k = 0; s == BP_OK && k < n_y; k++)
    if (bpi_is_real(y[k])) {
      bp_type t;
      bp_node_type(y[k], &t);
      from[m] = y[k];
      up[m++] = bp_full(g, BP_REAL, 1, t.rank, t.dims);
      s = bp_graph_status(g);
    }
  if (s == BP_OK && n && m)
    s = bp_vjp(from, up, m, wrt, n, grad);
  if (s == BP_OK && n && m)
    s = bp_jvp(grad, n, wrt, wrt, n, x);
  char *text_out = NULL;
  if (s == BP_OK && (s = bp_graph_print(g, &text_out)) == BP_OK)
    bp_free(ctx, text_out);
  bp_graph_free(g);
  bpi_example_close(&ex);
  return s;
}

/* Allocation n fails, for every n until none does. */
static long fail_every_allocation(const bp_op *op, const char *text, bool onwards)
{
  failing f = {0, 0, 0, false};
  bp_ctx *ctx = failing_ctx(&f);
  long before = f.live, n = 1;
  failing_arm(&f, 0, false);
  assert_status(BP_OK, build_example(ctx, op, text));
  for (;; n++) {
    failing_arm(&f, n, onwards);
    bp_status s = build_example(ctx, op, text);
    bool reached = f.calls >= n;
    failing_arm(&f, 0, false);
    if (s != BP_OK && s != BP_E_NOMEM)
      print_error("%s, \"%s\", allocation %ld fails: %s: %s\n", op->name, text, n, bp_status_name(s),
                  bp_error());
    assert_true(s == BP_OK || s == BP_E_NOMEM);
    if (f.live != before)
      print_error("%s, \"%s\", allocation %ld fails: %ld blocks leak\n", op->name, text, n, f.live - before);
    assert_int_equal(f.live, before);
    if (!reached)
      break;
  }
  assert_status(BP_OK, build_example(ctx, op, text)); /* the context still works */
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
  return n - 1;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  long n = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    for (int e = 0; bpi_is_lawful(op) && e < bpi_example_count(op); e++)
      n += fail_every_allocation(op, op->examples[e], false) +
           fail_every_allocation(op, op->examples[e], true);
  }
  print_message("%ld allocations failed\n", n);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(same_call_is_same_node),
      TEST(constants_are_told_apart_by_their_bits),
      TEST(large_constants_are_stored_once),
      TEST(many_nodes_keep_their_identity),
      TEST(first_error_is_kept_with_its_place),
      TEST(a_built_graph_goes_on_after_an_error),
      TEST(rolled_back_handles_are_stale),
      TEST(rollback_leaves_no_trace),
      TEST(bad_marks_are_refused),
      TEST(several_names_mean_one_node),
      TEST(graph_prints_readably),
      TEST(bad_functions_are_refused),
      TEST(functions_are_called_and_counted),
      TEST(a_function_cannot_call_itself),
      TEST(a_long_chain_is_built_in_linear_time),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

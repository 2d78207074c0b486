/* Tracing: values, gradients and products of a graph by hand, routers, other ways to trace, misuse, faults and size. */
#include "bprop.h"
#include "support/linear.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "support/tracing.h"

/* ---- by hand ---- */

/* f = (x + y) z + x at x = -2, y = 5, z = -4: q = x + y = 3, p = q z = -12, f = p + x = -14.
 * Backwards: df/dp = 1; df/dq = z = -4, df/dz = q = 3; df/dy = -4. The wire of x forks: -4 comes back from q and 1 from f. */
static void values_gradients_and_products(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), y = scalar(b, "y"), z = scalar(b, "z");
  bp_node q = bp_name(bp_add(x, y), "q"), p = bp_mul(q, z), f = bp_name(bp_add(p, x), "f");
  trace_of(b, &f, 1, NULL);
  feed(b, "x", (double[]){-2}, 1);
  feed(b, "y", (double[]){5}, 1);
  feed(b, "z", (double[]){-4}, 1);
  go(b);
  const bp_node nodes[6] = {x, y, z, q, p, f};
  static const double value[6] = {-2, 5, -4, 3, -12, -14}, gradient[6] = {-3, -4, 3, -4, 1, 1};
  assert_int_equal(bp_trace_count(b->t), 6);
  for (int i = 0; i < 6; i++) {
    assert_part(b, BP_TRACE_VALUE, nodes[i], 0, value[i]);
    assert_part(b, BP_TRACE_GRADIENT, nodes[i], 0, gradient[i]);
  }
  assert_part(b, BP_TRACE_LOCAL, q, 0, 1);
  assert_part(b, BP_TRACE_PRODUCT, q, 0, -4);
  assert_part(b, BP_TRACE_PRODUCT, q, 1, -4);
  assert_part(b, BP_TRACE_LOCAL, p, 0, -4); /* mul swaps its inputs */
  assert_part(b, BP_TRACE_LOCAL, p, 1, 3);
  assert_part(b, BP_TRACE_PRODUCT, f, 1, 1);
  assert_part(b, BP_TRACE_SEED, f, 0, 1);
  /* The fork of x, in the order in which its products arrive. */
  const bp_traced *at = bp_trace_at(b->t, where_is(b, x));
  assert_int_equal(at->n_uses, 2);
  assert_int_equal(at->uses[0].to, where_is(b, f));
  assert_int_equal(at->uses[0].input, 1);
  assert_int_equal(at->uses[1].to, where_is(b, q));
  assert_int_equal(at->uses[1].input, 0);
  /* By name. */
  size_t i;
  int k = 7;
  assert_status(BP_OK, bp_trace_find(b->t, "q", &i, &k));
  assert_int_equal(i, where_is(b, q));
  assert_int_equal(k, 0);
  assert_string_equal(bp_trace_at(b->t, i)->name, "q");
  assert_string_equal(bp_trace_at(b->t, where_is(b, x))->name, "x");
  assert_null(bp_trace_at(b->t, where_is(b, p))->name);
}

/* ---- wires: seeds inside, wrt ---- */

static void an_output_inside_adds_its_seed(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), y = scalar(b, "y"), p = bp_mul(x, y), f = bp_add(p, x), out[3] = {f, p, p};
  bp_node up[3] = {bp_constant(b->g, 1), bp_constant(b->g, 4), bp_constant(b->g, 6)};
  bp_trace_options o = {.upstream = up};
  trace_of(b, out, 3, &o);
  feed(b, "x", (double[]){3}, 1);
  feed(b, "y", (double[]){7}, 1);
  go(b);
  assert_part(b, BP_TRACE_SEED, p, 0, 10);
  assert_part(b, BP_TRACE_PRODUCT, f, 0, 1);
  assert_part(b, BP_TRACE_GRADIENT, p, 0, 11);
  assert_part(b, BP_TRACE_GRADIENT, x, 0, 7 * 11 + 1);
  assert_true(bp_trace_at(b->t, where_is(b, p))->output);
  assert_false(bp_trace_at(b->t, where_is(b, x))->output);
}

/* With respect to q = x + y alone, nothing is followed beyond it; z, on which f does not depend, is in the trace with gradient 0. */
static void gradients_go_back_to_wrt_and_no_further(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), y = scalar(b, "y"), z = scalar(b, "z"), q = bp_add(x, y), f = bp_mul(q, q);
  const bp_node wrt[2] = {q, z};
  bp_trace_options o = {.wrt = wrt, .n_wrt = 2};
  double got;
  trace_of(b, &f, 1, &o);
  feed(b, "x", (double[]){1}, 1);
  feed(b, "y", (double[]){2}, 1);
  assert_status(BP_E_UNBOUND, bp_trace_run(b->t));
  feed(b, "z", (double[]){3}, 1);
  go(b);
  assert_part(b, BP_TRACE_GRADIENT, q, 0, 6);
  assert_part(b, BP_TRACE_GRADIENT, z, 0, 0);
  assert_false(part_of(b, BP_TRACE_GRADIENT, x, 0, &got, 1));
  assert_true(got == 0);
  assert_part(b, BP_TRACE_VALUE, x, 0, 1);
  assert_true(bp_trace_at(b->t, where_is(b, q))->given);
  assert_false(bp_trace_at(b->t, where_is(b, x))->given);
}

/* What no gradient reaches: constants, integers, what is behind a stop. */
static void nothing_flows_to_constants_or_through_a_stop(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), two = bp_constant(b->g, 2), s = bp_stop_gradient(x), a = bp_mul(two, x);
  bp_node f = bp_add(a, s);
  double got;
  trace_of(b, &f, 1, NULL);
  feed(b, "x", (double[]){5}, 1);
  go(b);
  assert_part(b, BP_TRACE_GRADIENT, x, 0, 2);
  assert_false(part_of(b, BP_TRACE_GRADIENT, two, 0, &got, 1));
  assert_false(part_of(b, BP_TRACE_GRADIENT, s, 0, &got, 1));
  assert_false(part_of(b, BP_TRACE_PRODUCT, a, 0, &got, 1));
  assert_false(part_of(b, BP_TRACE_LOCAL, a, 0, &got, 1));
  assert_true(bp_trace_at(b->t, where_is(b, two))->fixed);
  assert_false(bp_trace_at(b->t, where_is(b, a))->fixed);
}

/* ---- local gradients of arrays ---- */

/* y_i = max over row i of x; then s = sum of y^2. Rows (1, 4, 2) and (5, 3, 5): winners at 1 and, of the tie, at 3 + 0.
 * The local Jacobian of the max has a 1 there; the gradient of y is 2 y = (8, 10). */
static void local_gradients_of_arrays(void **state)
{
  bench *b = *state;
  const int64_t dims[2] = {2, 3}, axis = 1;
  double got[6];
  bp_node x = bp_input(b->g, "x", BP_REAL, 2, dims), y = bp_max(x, &axis, 1, false);
  bp_node w = bp_input(b->g, "w", BP_REAL, 1, (int64_t[]){2}), m = bp_dot(y, w);
  bp_node s = bp_add(bp_sum(bp_square(y), NULL, 0, false), m);
  trace_of(b, &s, 1, NULL);
  feed(b, "x", (double[]){1, 4, 2, 5, 3, 5}, 6);
  feed(b, "w", (double[]){0, 0}, 2);
  go(b);
  static const double local[6] = {0, 1, 0, 1, 0, 0}, product[6] = {0, 8, 0, 10, 0, 0};
  assert_true(part_of(b, BP_TRACE_LOCAL, y, 0, got, 6));
  assert_memory_equal(got, local, sizeof local);
  assert_true(part_of(b, BP_TRACE_PRODUCT, y, 0, got, 6));
  assert_memory_equal(got, product, sizeof product);
  /* A result of one element: its gradient is the whole local Jacobian. */
  assert_true(part_of(b, BP_TRACE_LOCAL, m, 1, got, 2));
  assert_true(got[0] == 4 && got[1] == 5);
  int input[2];
  int64_t at[2];
  assert_status(BP_OK, bp_trace_winners(b->t, where_is(b, y), input, at, 2));
  assert_true(input[0] == 0 && input[1] == 0 && at[0] == 1 && at[1] == 3);
}

/* A product of matrices has a dense local Jacobian, which is not told by entries; nor are two results at once. */
static void dense_local_gradients_are_left_to_others(void **state)
{
  bench *b = *state;
  const int64_t dims[2] = {2, 2};
  double got[4];
  bp_node x = bp_input(b->g, "x", BP_REAL, 2, dims), y = bp_matmul(x, x), z = bp_softmax(y, 1);
  trace_of(b, &z, 1, NULL);
  feed(b, "x", (double[]){1, 2, 3, 4}, 4);
  go(b);
  assert_false(part_of(b, BP_TRACE_LOCAL, y, 0, got, 4));
  assert_true(part_of(b, BP_TRACE_PRODUCT, y, 0, got, 4));
  assert_false(part_of(b, BP_TRACE_LOCAL, z, 0, got, 4));
}

static bp_fn *by_elements(bp_ctx *ctx)
{
  const int64_t three = 3;
  bp_graph *body = bp_graph_new(ctx);
  if (!body)
    return NULL;
  bp_node v = bp_input(body, "v", BP_REAL, 1, &three), r = bp_mul(v, bp_exp(v));
  return bp_fn_new("g", body, &v, 1, &r, 1);
}

/* A function is of the class that its parts make: g(v) = v exp(v) by elements is diagonal, with slope (1 + v) exp(v). */
static void a_function_of_elements_is_diagonal(void **state)
{
  bench *b = *state;
  const int64_t three = 3;
  double at[3] = {0, 1, -1}, got[3];
  bp_fn *fn = by_elements(b->ctx);
  bp_node x = bp_input(b->g, "x", BP_REAL, 1, &three), y;
  assert_status(BP_OK, bp_call(fn, &x, 1, &y));
  bp_fn_free(fn);
  trace_of(b, &y, 1, NULL);
  feed(b, "x", at, 3);
  go(b);
  assert_true(part_of(b, BP_TRACE_LOCAL, y, 0, got, 3));
  for (int i = 0; i < 3; i++)
    assert_true(fabs(got[i] - (1 + at[i]) * exp(at[i])) <= 1e-12);
}

/* ---- routers ---- */

static int winner(bench *b, bp_node n)
{
  int input;
  assert_status(BP_OK, bp_trace_winners(b->t, where_is(b, n), &input, NULL, 1));
  return input;
}

/* At x = 0: max(x, 0) and max(0, x) let the constant win the tie, max(x, y) the first; at NaN nobody wins. */
static void routers_tell_who_won(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), y = scalar(b, "y"), v = scalar(b, "v"), zero = bp_constant(b->g, 0);
  bp_node m[6] = {bp_maximum(x, zero), bp_maximum(zero, x), bp_maximum(x, y),
                  bp_minimum(y, x),    bp_maximum(v, x),    bp_where(bp_greater(x, v), v, x)};
  trace_of(b, m, 6, NULL);
  feed(b, "x", (double[]){0}, 1);
  feed(b, "y", (double[]){0}, 1);
  feed(b, "v", (double[]){-3}, 1);
  go(b);
  static const int want[6] = {1, 0, 0, 0, 1, 1};
  for (int i = 0; i < 6; i++)
    assert_int_equal(winner(b, m[i]), want[i]);
  assert_part(b, BP_TRACE_LOCAL, m[0], 1, 1);
  assert_part(b, BP_TRACE_LOCAL, m[0], 0, 0);
  feed(b, "v", (double[]){NAN}, 1);
  go(b);
  assert_int_equal(winner(b, m[4]), -1);
}

/* ---- other ways to trace ---- */

static void traces_in_float32_and_with_state(void **state)
{
  bench *b = *state;
  int entry;
  void *data;
  bp_state *s = bp_state_new(b->ctx, BP_FLOAT32);
  assert_status(BP_OK, bp_state_add(s, "w", BP_REAL, 0, NULL, &entry));
  assert_status(BP_OK, bp_state_array(s, entry, NULL, NULL, &data));
  *(float *)data = 1.5f;
  bp_node x = scalar(b, "x"), w = bp_read(b->g, s, entry), f = bp_mul(x, w);
  bp_trace_options o = {.real = BP_FLOAT32, .state = s};
  trace_of(b, &f, 1, &o);
  float four = 4;
  assert_status(BP_OK, bp_trace_bind(b->t, "x", &four, sizeof four));
  go(b);
  const void *got;
  bp_type type;
  assert_status(BP_OK, bp_trace_read(b->t, BP_TRACE_GRADIENT, where_is(b, w), 0, &got, &type));
  assert_int_equal(type.dtype, BP_FLOAT32);
  assert_true(*(const float *)got == 4);
  assert_part(b, BP_TRACE_GRADIENT, x, 0, 1.5);
  bp_trace_free(b->t);
  b->t = NULL;
  bp_state_free(s);
}

/* The trace outlives what is added to the graph, and gradients of gradients are traced like anything else.
 * f = x^3, df/dx = 3 x^2, whose gradient is 6 x. */
static void gradients_are_traced_too(void **state)
{
  bench *b = *state;
  bp_node x = scalar(b, "x"), f = bp_mul(bp_square(x), x), df;
  assert_status(BP_OK, bp_grad(f, &x, 1, &df));
  trace_of(b, &df, 1, NULL);
  bp_node more = bp_exp(f);
  feed(b, "x", (double[]){4}, 1);
  go(b);
  assert_part(b, BP_TRACE_VALUE, df, 0, 48);
  assert_part(b, BP_TRACE_GRADIENT, x, 0, 24);
  size_t i;
  assert_status(BP_E_NOTFOUND, bp_trace_locate(b->t, more, &i, NULL));
}

/* ---- misuse ---- */

static void misuse_is_refused(void **state)
{
  bench *b = *state;
  bp_trace *t = (bp_trace *)b;
  bp_node x = scalar(b, "x"), n = bp_cast(x, BP_INT64), f = bp_square(x),
          v = bp_full(b->g, BP_REAL, 1, 1, (int64_t[]){3});
  bp_node bad = bp_exp(f);
  bp_graph_rollback(b->g, bad.index);
  const void *data;
  double got[3];
  size_t i;
  int input;
  bp_graph *other = bp_graph_new(b->ctx);
  bp_node there = bp_input(other, "x", BP_REAL, 0, NULL);
  bp_trace_options as_int = {.real = BP_INT64}, wrong_up = {.upstream = &v},
                   far = {.wrt = &there, .n_wrt = 1}, no_wrt = {.n_wrt = 1};
  assert_status(BP_E_ARG, bp_trace_new(NULL, 1, NULL, &t));
  assert_null(t);
  assert_status(BP_E_ARG, bp_trace_new(&f, 0, NULL, &t));
  assert_status(BP_E_ARG, bp_trace_new(&f, 1, NULL, NULL));
  assert_status(BP_E_ARG, bp_trace_new(&f, 1, &no_wrt, &t));
  assert_status(BP_E_DTYPE, bp_trace_new(&n, 1, NULL, &t));
  assert_status(BP_E_DTYPE, bp_trace_new(&f, 1, &as_int, &t));
  assert_status(BP_E_SHAPE, bp_trace_new(&f, 1, &wrong_up, &t));
  assert_status(BP_E_GRAPH, bp_trace_new(&f, 1, &far, &t));
  assert_status(BP_E_GRAPH, bp_trace_new(&bad, 1, NULL, &t));
  assert_status(BP_OK, bp_graph_status(b->g));
  assert_status(BP_E_ARG, bp_trace_run(NULL));
  assert_null(bp_trace_plan_run(NULL));
  const bp_attr *attr = (const bp_attr *)b;
  assert_null(bp_node_op(bad, &attr));
  assert_null(attr);
  assert_null(bp_node_op(BP_NO_NODE, NULL));
  assert_string_equal(bp_fn_name(NULL), "");
  assert_status(BP_E_ARG, bp_trace_bind(NULL, "x", got, 8));
  assert_int_equal(bp_trace_count(NULL), 0);
  assert_null(bp_trace_at(NULL, 0));
  bp_trace_free(NULL);

  trace_of(b, &f, 1, NULL);
  assert_null(bp_trace_at(b->t, 2));
  assert_status(BP_E_ORDER, bp_trace_read(b->t, BP_TRACE_VALUE, 0, 0, &data, NULL));
  assert_status(BP_E_UNBOUND, bp_trace_run(b->t));
  assert_status(BP_E_NOTFOUND, bp_trace_bind(b->t, "y", got, 8));
  assert_status(BP_E_SHAPE, bp_trace_bind(b->t, "x", got, 16));
  feed(b, "x", (double[]){3}, 1);
  go(b);
  assert_status(BP_E_ARG, bp_trace_read(b->t, BP_TRACE_VALUE, 0, 0, NULL, NULL));
  assert_status(BP_E_ARG, bp_trace_read(NULL, BP_TRACE_VALUE, 0, 0, &data, NULL));
  assert_status(BP_E_ARG, bp_trace_read(b->t, BP_TRACE_PARTS, 0, 0, &data, NULL));
  assert_status(BP_E_ARG, bp_trace_get(b->t, BP_TRACE_PARTS, 0, 0, got, 1));
  assert_status(BP_E_RANGE, bp_trace_read(b->t, BP_TRACE_VALUE, 2, 0, &data, NULL));
  assert_status(BP_E_RANGE, bp_trace_read(b->t, BP_TRACE_VALUE, 1, 1, &data, NULL));
  assert_status(BP_E_RANGE, bp_trace_read(b->t, BP_TRACE_PRODUCT, 0, 0, &data, NULL));
  assert_status(BP_E_RANGE, bp_trace_read(b->t, BP_TRACE_PRODUCT, 1, -1, &data, NULL));
  assert_status(BP_E_SHAPE, bp_trace_get(b->t, BP_TRACE_VALUE, 1, 0, got, 2));
  assert_status(BP_E_ARG, bp_trace_get(b->t, BP_TRACE_VALUE, 1, 0, NULL, 1));
  assert_status(BP_E_SHAPE, bp_trace_get(b->t, BP_TRACE_SEED, 0, 0, got, 2));
  assert_status(BP_E_NOTFOUND, bp_trace_find(b->t, "nobody", &i, NULL));
  assert_status(BP_OK, bp_graph_status(b->g));
  assert_status(BP_E_ARG, bp_trace_find(b->t, NULL, &i, NULL));
  assert_status(BP_E_ARG, bp_trace_find(b->t, "x", NULL, NULL));
  assert_status(BP_E_GRAPH, bp_trace_locate(b->t, there, &i, NULL));
  assert_status(BP_E_NOTFOUND, bp_trace_locate(b->t, n, &i, NULL));
  assert_status(BP_E_UNSUPPORTED, bp_trace_winners(b->t, 1, &input, NULL, 1));
  assert_status(BP_E_RANGE, bp_trace_winners(b->t, 2, &input, NULL, 1));
  bp_local_info info;
  assert_status(BP_OK, bp_trace_local(b->t, 1, 0, 0, 0, &info));
  assert_status(BP_E_RANGE, bp_trace_local(b->t, 2, 0, 0, 0, &info));
  assert_status(BP_E_RANGE, bp_trace_local(b->t, 1, 1, 0, 0, &info));
  assert_status(BP_E_RANGE, bp_trace_local(b->t, 1, 0, -1, 0, &info));
  assert_status(BP_E_ARG, bp_trace_local(b->t, 1, 0, 0, 0, NULL));
  assert_status(BP_E_ARG, bp_trace_local(NULL, 1, 0, 0, 0, &info));
  assert_status(BP_E_ARG, bp_trace_local(b->t, 1, 0, 0, -1, &info));
  assert_status(BP_E_ARG, bp_trace_winners(b->t, 1, NULL, NULL, 1));
  bp_graph_free(other);
}

/* ---- faults and size ---- */

static bp_status trace_three(bp_node y)
{
  bp_trace *t = NULL;
  double at[3] = {1, 2, 3}, got[3];
  size_t i;
  bp_status s = bp_trace_new(&y, 1, NULL, &t);
  if (s == BP_OK)
    s = bp_trace_bind(t, "x", at, sizeof at);
  if (s == BP_OK)
    s = bp_trace_run(t);
  if (s == BP_OK)
    s = bp_trace_find(t, "x", &i, NULL);
  if (s == BP_OK)
    s = bp_trace_get(t, BP_TRACE_GRADIENT, i, 0, got, 3);
  bp_trace_free(t);
  return s;
}

/* With bundles and without. */
static bp_status trace_something(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx), *h = NULL;
  bp_fn *fn = g ? by_elements(ctx) : NULL;
  bp_node part, called = BP_NO_NODE;
  bp_status s = fn ? BP_OK : BP_E_NOMEM;
  if (s == BP_OK) {
    bp_node x = bp_input(g, "x", BP_REAL, 1, (int64_t[]){3});
    s = bp_call(fn, &x, 1, &called);
    bp_node y = bp_name(bp_sum(bp_maximum(bp_softplus(called), x), NULL, 0, false), "y");
    s = bp_graph_status(g) != BP_OK ? bp_graph_status(g) : s;
    if (s == BP_OK)
      s = trace_three(y);
    if (s == BP_OK)
      s = bp_unbundle(&y, 1, 0, NULL, NULL, &h, &part);
    if (s == BP_OK)
      s = trace_three(part);
  }
  bp_fn_free(fn);
  bp_graph_free(h);
  bp_graph_free(g);
  return s;
}

static void any_allocation_may_fail(void **state)
{
  bench *b = *state;
  failing_arm(&b->memory, 0, false);
  assert_status(BP_OK, trace_something(b->ctx));
  long calls = b->memory.calls, live = b->memory.live;
  assert_true(calls > 40);
  for (int onwards = 0; onwards < 2; onwards++)
    for (long at = 1; at <= calls; at++) {
      failing_arm(&b->memory, at, onwards);
      bp_status s = trace_something(b->ctx);
      if (s != BP_E_NOMEM && s != BP_OK) /* places of nodes are a help, not a promise */
        fail_msg("allocation %ld: %s: %s", at, bp_status_name(s), bp_error());
      assert_int_equal(b->memory.live, live);
    }
  failing_arm(&b->memory, 0, false);
  assert_status(BP_OK, trace_something(b->ctx));
}

/* A chain of n nodes in which wires fork: time to trace, bind, run and read all. Every node has a name. */
static double time_of_chain(void *ctx, int n)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node a = bp_input(g, "a", BP_REAL, 0, NULL), y = a;
  char name[32];
  for (int k = 0; k < n; k++) {
    y = k % 3 == 0 ? bp_mul(y, a) : k % 3 == 1 ? bp_add(y, a) : bp_sin(y);
    snprintf(name, sizeof name, "n%d", k);
    bp_name(y, name);
  }
  double start = processor_seconds(), at = 0.7, got;
  bp_trace *t;
  assert_status(BP_OK, bp_trace_new(&y, 1, NULL, &t));
  assert_status(BP_OK, bp_trace_bind(t, "a", &at, sizeof at));
  assert_status(BP_OK, bp_trace_run(t));
  assert_int_equal(bp_trace_count(t), n + 1);
  for (size_t i = 0; i < bp_trace_count(t); i++)
    assert_status(BP_OK, bp_trace_get(t, BP_TRACE_GRADIENT, i, 0, &got, 1));
  double took = processor_seconds() - start;
  bp_trace_free(t);
  bp_graph_free(g);
  return took;
}

static void a_large_graph_takes_linear_time(void **state)
{
  bench *b = *state;
  assert_true(is_linear(time_of_chain, b->ctx, 10000, 10, 0));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      TRACE_TEST(values_gradients_and_products),
      TRACE_TEST(an_output_inside_adds_its_seed),
      TRACE_TEST(gradients_go_back_to_wrt_and_no_further),
      TRACE_TEST(nothing_flows_to_constants_or_through_a_stop),
      TRACE_TEST(local_gradients_of_arrays),
      TRACE_TEST(dense_local_gradients_are_left_to_others),
      TRACE_TEST(a_function_of_elements_is_diagonal),
      TRACE_TEST(routers_tell_who_won),
      TRACE_TEST(traces_in_float32_and_with_state),
      TRACE_TEST(gradients_are_traced_too),
      TRACE_TEST(misuse_is_refused),
      TRACE_TEST(any_allocation_may_fail),
      TRACE_TEST(a_large_graph_takes_linear_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

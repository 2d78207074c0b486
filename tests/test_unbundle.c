/* Bundles replaced by their parts, and traced so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "support/tracing.h"

/* ---- bundles ---- */

static bool only_depth_one(void *user, bp_node bundle, int depth)
{
  int *asked = user;
  assert_non_null(bp_node_op(bundle, NULL)->expand);
  asked[depth]++;
  return depth == 1;
}

/* f(x) = sigmoid(x w): called, it is one node; unbundled, its parts; one more level, those of the sigmoid. */
static bp_fn *neuron(bench *b)
{
  bp_graph *g = bp_graph_new(b->ctx);
  bp_node in[2] = {bp_input(g, "x", BP_REAL, 0, NULL), bp_input(g, "w", BP_REAL, 0, NULL)};
  bp_node y = bp_sigmoid(bp_mul(in[0], in[1]));
  return bp_fn_new("neuron", g, in, 2, &y, 1);
}

static double traced_gradient(bench *b, bp_node y, const char *wrt)
{
  size_t i;
  double got;
  bp_trace *t;
  assert_status(BP_OK, bp_trace_new(&y, 1, NULL, &t));
  assert_status(BP_OK, bp_trace_bind(t, "a", (double[]){0.5}, 8));
  assert_status(BP_OK, bp_trace_bind(t, "b", (double[]){-1.5}, 8));
  assert_status(BP_OK, bp_trace_run(t));
  assert_status(BP_OK, bp_trace_find(t, wrt, &i, NULL));
  assert_status(BP_OK, bp_trace_get(t, BP_TRACE_GRADIENT, i, 0, &got, 1));
  bp_trace_free(t);
  (void)b;
  return got;
}

static void bundles_are_replaced_by_their_parts(void **state)
{
  bench *b = *state;
  bp_fn *fn = neuron(b);
  bp_node args[2] = {scalar(b, "a"), scalar(b, "b")}, y, out[2];
  assert_string_equal(bp_fn_name(fn), "neuron");
  assert_status(BP_OK, bp_call(fn, args, 2, &y));
  bp_fn_free(fn);
  y = bp_name(y, "y");
  bp_node both[2] = {y, args[0]};
  double want = traced_gradient(b, y, "a");
  static const int nodes[3] = {3, 4, -1}; /* a, b, call; a, b, mul, sigmoid; more */
  for (int depth = 0; depth <= 2; depth++) {
    bp_graph *h;
    int asked[8] = {0};
    assert_status(BP_OK, bp_unbundle(both, 2, depth, depth == 2 ? only_depth_one : NULL, asked, &h, out));
    assert_ptr_equal(out[0].graph, h);
    assert_string_equal(bp_node_name(out[0]), "y");
    assert_string_equal(bp_node_name(out[1]), "a");
    double got = traced_gradient(b, out[0], "a");
    assert_true(fabs(got - want) <= 1e-15);
    int n = (int)bp_graph_mark(h) - 1;
    if (depth == 0)
      assert_true(n > 4); /* all the way: the sigmoid too */
    else
      assert_int_equal(n, nodes[1]);
    if (depth == 2)
      assert_true(asked[1] == 1 && asked[2] == 1);
    bp_graph_free(h);
  }
  assert_int_equal(bp_graph_mark(b->g) - 1, nodes[0]);
}

/* f(x) = (x w)^2 with z = x w named inside, called twice: f.z is that of one call, f.z:2 of the other. */
static void parts_of_functions_are_named_after_them(void **state)
{
  bench *b = *state;
  bp_graph *body = bp_graph_new(b->ctx), *h;
  bp_node x = bp_input(body, "x", BP_REAL, 0, NULL), w = bp_input(body, "w", BP_REAL, 0, NULL), out;
  bp_node y = bp_square(bp_name(bp_mul(x, w), "z"));
  bp_fn *fn = bp_fn_new("f", body, (bp_node[]){x, w}, 2, &y, 1);
  bp_node a = scalar(b, "a"), c = scalar(b, "b"), once, twice;
  assert_status(BP_OK, bp_call(fn, (bp_node[]){a, c}, 2, &once));
  assert_status(BP_OK, bp_call(fn, (bp_node[]){once, c}, 2, &twice));
  bp_fn_free(fn);
  assert_status(BP_OK, bp_unbundle(&twice, 1, 1, NULL, NULL, &h, &out));
  bp_node first = bp_find(h, "f.z"), second = bp_find(h, "f.z:2");
  assert_false(bp_failed(first) || bp_failed(second));
  assert_true(first.index < second.index);
  assert_string_equal(bp_node_op(first, NULL)->name, "mul");
  assert_string_equal(bp_node_op(second, NULL)->name, "mul");
  bp_graph_free(h);
}

static void unbundling_refuses_what_makes_no_sense(void **state)
{
  bench *b = *state;
  bp_graph *h = NULL;
  bp_node x = scalar(b, "x"), stale = bp_exp(x), out;
  bp_graph_rollback(b->g, bp_graph_mark(b->g) - 1);
  assert_status(BP_E_ARG, bp_unbundle(NULL, 1, 0, NULL, NULL, &h, &out));
  assert_status(BP_E_ARG, bp_unbundle(&x, 0, 0, NULL, NULL, &h, &out));
  assert_status(BP_E_ARG, bp_unbundle(&x, 1, -1, NULL, NULL, &h, &out));
  assert_status(BP_E_ARG, bp_unbundle(&x, 1, 0, NULL, NULL, NULL, &out));
  assert_status(BP_E_ARG, bp_unbundle(&x, 1, 0, NULL, NULL, &h, NULL));
  assert_status(BP_E_GRAPH, bp_unbundle(&stale, 1, 0, NULL, NULL, &h, &out));
  assert_null(h);
}

static bp_status endless_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}
static bp_status endless_expand(const bp_op_call *c, bp_node *out)
{
  bp_attr more = {.i = c->attr[0].i + 1};
  return bp_apply(c->graph, c->op, c->x, 1, &more, out);
}
static const bp_op endless = {.name = "endless",
                              .math = "y = x",
                              .source = "-",
                              .args = "x",
                              .attrs = {{"n", BP_ATTR_INT, 0}},
                              .shape = endless_shape,
                              .expand = endless_expand};

static void a_bundle_of_itself_is_refused(void **state)
{
  bench *b = *state;
  bp_graph *h;
  bp_node x = scalar(b, "x"), y, out;
  bp_attr zero = {.i = 0};
  assert_status(BP_OK, bp_apply(b->g, &endless, &x, 1, &zero, &y));
  assert_status(BP_E_LIMIT, bp_unbundle(&y, 1, 0, NULL, NULL, &h, &out));
  assert_status(BP_OK, bp_unbundle(&y, 1, 3, NULL, NULL, &h, &out));
  bp_graph_free(h);
  assert_status(BP_E_LIMIT, bp_trace_new(&y, 1, NULL, &b->t));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      TRACE_TEST(bundles_are_replaced_by_their_parts),
      TRACE_TEST(parts_of_functions_are_named_after_them),
      TRACE_TEST(unbundling_refuses_what_makes_no_sense),
      TRACE_TEST(a_bundle_of_itself_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

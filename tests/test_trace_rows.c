/* Traces of every row by its examples, and of random graphs, against what a plan and bp_vjp say of the same nodes. */
#include "check/eval.h"
#include "check/example.h"
#include "support/random_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "support/tracing.h"

enum { MOST = 4096 };

/* ---- every row, by its examples ---- */

typedef struct sums {
  double total[MOST], one[MOST];
} sums;

/* The gradient of every result is its seed and the products of its uses. */
static void assert_sums(bp_trace *t, const char *op)
{
  sums *s = calloc(1, sizeof *s);
  for (size_t i = 0; i < bp_trace_count(t); i++)
    for (int k = 0; k < bp_trace_at(t, i)->n_out; k++) {
      const bp_traced *n = bp_trace_at(t, i);
      const void *data;
      bp_type type;
      assert_status(BP_OK, bp_trace_read(t, BP_TRACE_GRADIENT, i, k, &data, &type));
      int64_t size =
          bp_node_size((bp_node){n->node.graph, n->node.index + (uint32_t)k, n->node.serial + (uint32_t)k});
      assert_true(size <= MOST);
      assert_status(BP_OK, bp_trace_get(t, BP_TRACE_SEED, i, k, s->total, (size_t)size));
      for (size_t u = 0; u < n->n_uses; u++) {
        if (n->uses[u].result != k)
          continue;
        assert_int_equal(n->uses[u].from, i);
        assert_status(
            BP_OK, bp_trace_get(t, BP_TRACE_PRODUCT, n->uses[u].to, n->uses[u].input, s->one, (size_t)size));
        for (int64_t e = 0; e < size; e++)
          s->total[e] += s->one[e];
      }
      assert_status(BP_OK, bp_trace_get(t, BP_TRACE_GRADIENT, i, k, s->one, (size_t)size));
      for (int64_t e = 0; e < size; e++)
        if (!(fabs(s->total[e] - s->one[e]) <= 1e-12 * fmax(1, fabs(s->one[e]))))
          fail_msg("%s: the gradient of node %zu is %.17g, its parts add to %.17g", op, i, s->one[e],
                   s->total[e]);
    }
  free(s);
}

/* What the trace says of each node, a plan of those nodes alone says too, bit for bit. */
static void assert_same(bp_trace *t, bpi_example *e, bp_graph *g, void **data, const bp_node *x,
                        const bp_node *y, size_t n_y, const bp_node *wrt, size_t n_wrt)
{
  bp_node up[BP_MAX_RESULTS], all[2 * BP_MAX_RESULTS];
  sums *s = calloc(1, sizeof *s);
  bpi_eval ev;
  for (size_t i = 0; i < n_y; i++) {
    bp_type type;
    bp_node_type(y[i], &type);
    up[i] = bp_full(g, BP_REAL, 1, type.rank, type.dims);
    all[i] = y[i];
  }
  assert_status(BP_OK, bp_vjp(y, up, n_y, wrt, n_wrt, all + n_y));
  assert_status(BP_OK, bpi_eval_open(&ev, g, BP_FLOAT64, all, n_y + n_wrt));
  for (int i = 0; i < e->n_args; i++)
    assert_status(BP_OK, bpi_eval_bind(&ev, x[i], data[i]));
  assert_status(BP_OK, bpi_eval_step(&ev));
  for (size_t i = 0; i < n_y + n_wrt; i++) {
    bp_node n = i < n_y ? y[i] : wrt[i - n_y];
    size_t at, size = (size_t)bp_node_size(n);
    int k;
    assert_status(BP_OK, bp_trace_locate(t, n, &at, &k));
    assert_status(BP_OK, bp_run_get(ev.run, i, s->total, size));
    assert_status(BP_OK, bp_trace_get(t, i < n_y ? BP_TRACE_VALUE : BP_TRACE_GRADIENT, at, k, s->one, size));
    if (size && memcmp(s->one, s->total, size * sizeof(double)) != 0)
      fail_msg("%s: the trace's %s differ", e->op->name, i < n_y ? "values" : "gradients");
  }
  bpi_eval_close(&ev);
  free(s);
}

/* Returns whether there was anything to trace. */
static bool trace_example(bp_ctx *ctx, const bp_op *op, const char *text)
{
  bpi_example e;
  bp_node x[64], y[BP_MAX_RESULTS], real_y[BP_MAX_RESULTS], wrt[64];
  void *data[64];
  int n_y = 0;
  size_t n = 0, m = 0;
  bp_type type;
  bp_trace *t;
  assert_status(BP_OK, bpi_example_open(&e, ctx, op, text));
  bp_graph *g = bp_graph_new(ctx);
  assert_status(BP_OK, bpi_example_draw(&e, 5, data));
  assert_status(BP_OK, bpi_example_build(&e, g, x, y, &n_y));
  for (int i = 0; i < n_y; i++)
    if (bp_node_type(y[i], &type) == BP_OK && type.dtype == BP_REAL)
      real_y[n++] = y[i];
  for (int i = 0; i < e.n_args; i++)
    if (e.args[i].type.dtype == BP_REAL)
      wrt[m++] = x[i];
  if (n) {
    uint32_t mark = bp_graph_mark(g);
    bp_trace_options o = {.wrt = wrt, .n_wrt = m};
    if (bp_trace_new(real_y, n, &o, &t) != BP_OK)
      fail_msg("%s: %s", op->name, bp_error());
    assert_int_equal(bp_graph_mark(g), mark);
    assert_status(BP_OK, bp_graph_status(g));
    for (int i = 0; i < e.n_args; i++)
      if (!bp_failed(x[i]))
        bp_trace_bind(t, e.args[i].name, data[i],
                      (size_t)bp_node_size(x[i]) *
                          (e.args[i].type.dtype == BP_REAL ? 8 : bp_dtype_size(e.args[i].type.dtype)));
    if (bp_trace_run(t) != BP_OK)
      fail_msg("%s: %s", op->name, bp_error());
    assert_same(t, &e, g, data, x, real_y, n, wrt, m);
    assert_sums(t, op->name);
    bp_trace_free(t);
  }
  bp_graph_free(g);
  bpi_example_close(&e);
  return n > 0;
}

static void every_row_can_be_traced(void **state)
{
  bench *b = *state;
  int traced = 0;
  for (size_t i = 0; i < bp_op_count(); i++)
    for (int k = 0; k < 6 && bp_op_at(i)->examples[k]; k++)
      traced += trace_example(b->ctx, bp_op_at(i), bp_op_at(i)->examples[k]);
  assert_true(traced > 150);
}

/* The class of a call alone is that of the call in its graph. */
static void a_call_alone_has_the_class_that_it_has_in_the_graph(void **state)
{
  bench *b = *state;
  int compared = 0;
  for (size_t r = 0; r < bp_op_count(); r++) {
    bpi_example e;
    bp_node x[64], y[BP_MAX_RESULTS];
    bp_local_info here, alone;
    bp_trace *t;
    bp_type type;
    size_t at;
    int n_y = 0;
    if (!bp_op_at(r)->examples[0])
      continue;
    assert_status(BP_OK, bpi_example_open(&e, b->ctx, bp_op_at(r), bp_op_at(r)->examples[0]));
    bp_graph *g = bp_graph_new(b->ctx);
    assert_status(BP_OK, bpi_example_build(&e, g, x, y, &n_y));
    if (bp_node_type(y[0], &type) == BP_OK && type.dtype == BP_REAL) {
      assert_status(BP_OK, bp_trace_new(y, 1, NULL, &t));
      assert_status(BP_OK, bp_trace_locate(t, y[0], &at, NULL));
      for (int i = 0; i < bp_trace_at(t, at)->n_in; i++) {
        bp_status s = bp_local_look(y[0], i, 0, &here);
        assert_status(s, bp_trace_local(t, at, i, 0, 0, &alone));
        assert_true(s != BP_OK || memcmp(&here, &alone, sizeof here) == 0);
        compared += s == BP_OK;
      }
      bp_trace_free(t);
    }
    bp_graph_free(g);
    bpi_example_close(&e);
  }
  assert_true(compared > 60);
}

/* ---- random graphs: loops, calls, views, state, random numbers, of which every gradient is the sum of its parts, and those of inputs
 * are what bp_vjp and a plan of it give ---- */

static void trace_random_graph(bench *b, uint64_t seed, int *traced)
{
  rgraph r;
  bp_node y[16], wrt[RG_SOURCES], up[16], grads[RG_SOURCES];
  size_t n = 0, m = 0;
  bp_type type;
  assert_true(rg_open(&r, b->ctx, seed));
  for (size_t i = 0; i < r.n_outputs; i++)
    if (bp_node_type(r.outputs[i], &type) == BP_OK && type.dtype == BP_REAL)
      y[n++] = r.outputs[i];
  if (n) {
    bp_trace_options o = {.real = r.real, .state = r.state};
    bp_trace *t;
    bp_plan *plan;
    bp_run *run;
    if (bp_trace_new(y, n, &o, &t) != BP_OK || rg_bind(&r, bp_trace_plan_run(t)) != BP_OK)
      fail_msg("seed %d: %s", (int)seed, bp_error());
    bp_status ran = bp_trace_run(t);
    for (size_t i = 0; i < bp_trace_count(t); i++)
      if (bp_trace_at(t, i)->given)
        wrt[m++] = bp_trace_at(t, i)->node;
    for (size_t i = 0; i < n; i++) {
      bp_node_type(y[i], &type);
      up[i] = bp_full(r.g, BP_REAL, 1, type.rank, type.dims);
    }
    assert_status(BP_OK, bp_vjp(y, up, n, wrt, m, grads));
    bp_plan_options po = {.real = r.real, .outputs = grads, .n_outputs = m};
    assert_status(BP_OK, bp_plan_new(r.g, &po, &plan));
    assert_status(BP_OK, bp_run_new(plan, r.state, &run));
    assert_status(BP_OK, rg_bind(&r, run));
    bp_status alone = bp_run_step(run);
    for (size_t i = 0; ran == BP_OK && alone == BP_OK && i < m; i++) {
      const void *got, *want;
      size_t at;
      assert_status(BP_OK, bp_trace_locate(t, wrt[i], &at, NULL));
      assert_status(BP_OK, bp_trace_read(t, BP_TRACE_GRADIENT, at, 0, &got, &type));
      assert_status(BP_OK, bp_run_output(run, i, &want, &type));
      if (memcmp(got, want, (size_t)bp_node_size(wrt[i]) * bp_dtype_size(type.dtype)) != 0)
        fail_msg("seed %d: another gradient of node %zu than bp_vjp's", (int)seed, at);
      ++*traced;
    }
    bp_run_free(run);
    bp_plan_free(plan);
    bp_trace_free(t);
  }
  rg_close(&r);
}

static void random_graphs_can_be_traced(void **state)
{
  int traced = 0;
  for (uint64_t seed = 1; seed <= 60; seed++)
    trace_random_graph(*state, seed, &traced);
  print_message("%d gradients\n", traced);
  assert_true(traced > 100);
}

/* ---- one node at two inputs ---- */

/* Products of a row at x = (a, a) are those at (a, b) where b has the values of a. */
static bool twice_as_two(bp_ctx *ctx, const bp_op *op, const char *text)
{
  bpi_example e;
  bp_node x[64], y[BP_MAX_RESULTS];
  void *data[64];
  int n_y = 0, pair = 0;
  assert_status(BP_OK, bpi_example_open(&e, ctx, op, text));
  for (int i = 1; i < e.n_args && !pair; i++)
    if (e.args[0].type.dtype == BP_REAL && memcmp(&e.args[0].type, &e.args[i].type, sizeof(bp_type)) == 0)
      pair = i;
  bp_graph *g = bp_graph_new(ctx);
  bp_type type;
  if (!pair || bpi_example_draw(&e, 5, data) != BP_OK || bpi_example_build(&e, g, x, y, &n_y) != BP_OK ||
      bp_node_op(y[0], NULL) != op || bp_node_type(y[0], &type) != BP_OK || type.dtype != BP_REAL) {
    bp_graph_free(g);
    bpi_example_close(&e);
    return false;
  }
  const bp_attr *attr;
  bp_node same[BP_MAX_RESULTS];
  bp_node_op(y[0], &attr);
  x[pair] = x[0];
  data[pair] = data[0];
  assert_status(BP_OK, bp_apply(g, op, x, (size_t)e.n_args, attr, same));
  sums *s = calloc(1, sizeof *s);
  size_t size = (size_t)bp_node_size(x[0]);
  for (int which = 0; which < 2; which++) {
    bp_trace *t;
    size_t at;
    assert_status(BP_OK, bp_trace_new(which ? same : y, 1, NULL, &t));
    for (int i = 0; i < e.n_args; i++) /* without data where the node is no input of the trace any more */
      bp_trace_bind(t, e.args[i].name, data[i],
                    (size_t)bp_node_size(i == pair ? x[0] : x[i]) *
                        (e.args[i].type.dtype == BP_REAL ? 8 : bp_dtype_size(e.args[i].type.dtype)));
    if (bp_trace_run(t) != BP_OK)
      fail_msg("%s: %s", op->name, bp_error());
    assert_sums(t, op->name);
    assert_status(BP_OK, bp_trace_locate(t, which ? same[0] : y[0], &at, NULL));
    for (int k = 0; k < 2; k++) {
      assert_status(BP_OK,
                    bp_trace_get(t, BP_TRACE_PRODUCT, at, k ? pair : 0, which ? s->one : s->total, size));
      if (which == 0)
        memcpy(k ? s->total + size : s->total + 2 * size, s->total, size * sizeof(double));
      else
        for (size_t j = 0; j < size; j++)
          if (!(fabs(s->one[j] - s->total[(k ? size : 2 * size) + j]) <= 1e-12 * fmax(1, fabs(s->one[j]))))
            fail_msg("%s, \"%s\": input %d gets %.17g where one node is given twice, else %.17g", op->name,
                     text, k ? pair : 0, s->one[j], s->total[(k ? size : 2 * size) + j]);
    }
    bp_trace_free(t);
  }
  free(s);
  bp_graph_free(g);
  bpi_example_close(&e);
  return true;
}

static void a_node_given_twice_has_a_product_at_each_place(void **state)
{
  bench *b = *state;
  int tried = 0;
  for (size_t i = 0; i < bp_op_count(); i++)
    for (int k = 0; k < 6 && bp_op_at(i)->examples[k]; k++)
      if (!bp_op_at(i)->zero)
        tried += twice_as_two(b->ctx, bp_op_at(i), bp_op_at(i)->examples[k]);
  assert_true(tried > 20);
}

/* p = x y is an output and also goes into f = p + x: its gradient is the seed 10 and what f passes, 1. */

/* ---- routers ---- */

/* Whatever a router's inputs: what it passes back is what arrives, each element once and whole. */
static void routers_pass_everything_on(void **state)
{
  bench *b = *state;
  int routers = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    if (!(op->traits & BP_ROUTER))
      continue;
    bpi_example e;
    bp_node x[64], y[BP_MAX_RESULTS];
    void *data[64];
    int n_y = 0;
    sums *s = calloc(1, sizeof *s);
    assert_status(BP_OK, bpi_example_open(&e, b->ctx, op, op->examples[0]));
    bp_graph *g = bp_graph_new(b->ctx);
    assert_status(BP_OK, bpi_example_draw(&e, 3, data));
    assert_status(BP_OK, bpi_example_build(&e, g, x, y, &n_y));
    bp_trace *t;
    assert_status(BP_OK, bp_trace_new(y, 1, NULL, &t));
    for (int k = 0; k < e.n_args; k++)
      bp_trace_bind(t, e.args[k].name, data[k],
                    (size_t)bp_node_size(x[k]) *
                        (e.args[k].type.dtype == BP_REAL ? 8 : bp_dtype_size(e.args[k].type.dtype)));
    assert_status(BP_OK, bp_trace_run(t));
    int input[MOST];
    int64_t at[MOST];
    size_t where, n = (size_t)bp_node_size(y[0]);
    assert_status(BP_OK, bp_trace_locate(t, y[0], &where, NULL));
    assert_status(BP_OK, bp_trace_winners(t, where, input, at, n));
    assert_status(BP_OK, bp_trace_get(t, BP_TRACE_VALUE, where, 0, s->total, n));
    for (size_t k = 0; k < n; k++) {
      const bp_wire *w = &bp_trace_at(t, where)->in[input[k]];
      bp_node from = bp_trace_at(t, w->from)->node;
      assert_status(BP_OK,
                    bp_trace_get(t, BP_TRACE_VALUE, w->from, w->result, s->one, (size_t)bp_node_size(from)));
      if (s->one[at[k]] != s->total[k])
        fail_msg("%s: element %zu is not the one that won", op->name, k);
      assert_status(BP_OK,
                    bp_trace_get(t, BP_TRACE_LOCAL, where, input[k], s->one, (size_t)bp_node_size(from)));
      assert_true(s->one[at[k]] == 1);
    }
    routers++;
    bp_trace_free(t);
    bp_graph_free(g);
    bpi_example_close(&e);
    free(s);
  }
  assert_true(routers >= 6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      TRACE_TEST(every_row_can_be_traced),
      TRACE_TEST(a_call_alone_has_the_class_that_it_has_in_the_graph),
      TRACE_TEST(random_graphs_can_be_traced),
      TRACE_TEST(a_node_given_twice_has_a_product_at_each_place),
      TRACE_TEST(routers_pass_everything_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

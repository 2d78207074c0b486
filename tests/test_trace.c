/* Tracing: every value, gradient and product of a graph, against what a plan and bp_vjp say of the same nodes. */
#include "bprop.h"
#include "check/eval.h"
#include "check/example.h"
#include "support/failing.h"
#include "support/random_graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define assert_status(want, s) assert_string_equal(bp_status_name(want), bp_status_name(s))

enum { MOST = 4096 };

/* A graph with inputs of memory. */
typedef struct bench {
  failing memory;
  bp_ctx *ctx;
  bp_graph *g;
  bp_trace *t;
} bench;

static int set_up(void **state)
{
  bench *b = calloc(1, sizeof *b);
  b->ctx = failing_ctx(&b->memory);
  b->g = bp_graph_new(b->ctx);
  *state = b;
  return 0;
}

static int tear_down(void **state)
{
  bench *b = *state;
  bp_trace_free(b->t);
  bp_graph_free(b->g);
  bp_ctx_free(b->ctx);
  long live = b->memory.live;
  free(b);
  if (live)
    print_error("%ld blocks of memory are still alive\n", live);
  return live != 0;
}

static bp_node scalar(bench *b, const char *name)
{
  return bp_input(b->g, name, BP_REAL, 0, NULL);
}

static void trace_of(bench *b, const bp_node *y, size_t n, const bp_trace_options *o)
{
  if (bp_trace_new(y, n, o, &b->t) != BP_OK)
    fail_msg("%s", bp_error());
}

static void feed(bench *b, const char *name, const double *x, size_t n)
{
  if (bp_trace_bind(b->t, name, x, n * sizeof *x) != BP_OK)
    fail_msg("%s", bp_error());
}

static void go(bench *b)
{
  if (bp_trace_run(b->t) != BP_OK)
    fail_msg("%s", bp_error());
}

static size_t where_is(bench *b, bp_node n)
{
  size_t i;
  if (bp_trace_locate(b->t, n, &i, NULL) != BP_OK)
    fail_msg("%s", bp_error());
  return i;
}

/* Part k of the node, and whether there is one. */
static bool part_of(bench *b, bp_trace_part part, bp_node n, int k, double *out, size_t size)
{
  const void *data;
  size_t i = where_is(b, n);
  if (bp_trace_read(b->t, part, i, k, &data, NULL) != BP_OK ||
      bp_trace_get(b->t, part, i, k, out, size) != BP_OK)
    fail_msg("%s", bp_error());
  return data != NULL;
}

static void assert_part(bench *b, bp_trace_part part, bp_node n, int k, double want)
{
  double got;
  assert_true(part_of(b, part, n, k, &got, 1));
  if (!(got == want || (isnan(got) && isnan(want))))
    fail_msg("part %d of '%s', %d: %.17g, not %.17g", (int)part, bp_node_name(n) ? bp_node_name(n) : "?", k,
             got, want);
}

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

/* ---- wires: one node at two inputs, seeds inside, wrt ---- */

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

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A chain of n nodes in which wires fork: time to trace, bind, run and read all. Every node has a name. */
static double time_of_chain(bp_ctx *ctx, int n)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node a = bp_input(g, "a", BP_REAL, 0, NULL), y = a;
  char name[32];
  for (int k = 0; k < n; k++) {
    y = k % 3 == 0 ? bp_mul(y, a) : k % 3 == 1 ? bp_add(y, a) : bp_sin(y);
    snprintf(name, sizeof name, "n%d", k);
    bp_name(y, name);
  }
  double start = seconds(), at = 0.7, got;
  bp_trace *t;
  assert_status(BP_OK, bp_trace_new(&y, 1, NULL, &t));
  assert_status(BP_OK, bp_trace_bind(t, "a", &at, sizeof at));
  assert_status(BP_OK, bp_trace_run(t));
  assert_int_equal(bp_trace_count(t), n + 1);
  for (size_t i = 0; i < bp_trace_count(t); i++)
    assert_status(BP_OK, bp_trace_get(t, BP_TRACE_GRADIENT, i, 0, &got, 1));
  double took = seconds() - start;
  bp_trace_free(t);
  bp_graph_free(g);
  return took;
}

static void a_large_graph_takes_linear_time(void **state)
{
  bench *b = *state;
  double small = time_of_chain(b->ctx, 10000) / 1e4, large = time_of_chain(b->ctx, 100000) / 1e5;
  print_message("%.2f us a node of 10,000, %.2f of 100,000\n", 1e6 * small, 1e6 * large);
  assert_true(large < 6 * small); /* quadratic time would be 10 */
}

#define TRACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TRACE_TEST(values_gradients_and_products),
      TRACE_TEST(every_row_can_be_traced),
      TRACE_TEST(a_call_alone_has_the_class_that_it_has_in_the_graph),
      TRACE_TEST(random_graphs_can_be_traced),
      TRACE_TEST(a_node_given_twice_has_a_product_at_each_place),
      TRACE_TEST(an_output_inside_adds_its_seed),
      TRACE_TEST(gradients_go_back_to_wrt_and_no_further),
      TRACE_TEST(nothing_flows_to_constants_or_through_a_stop),
      TRACE_TEST(local_gradients_of_arrays),
      TRACE_TEST(a_function_of_elements_is_diagonal),
      TRACE_TEST(dense_local_gradients_are_left_to_others),
      TRACE_TEST(routers_tell_who_won),
      TRACE_TEST(routers_pass_everything_on),
      TRACE_TEST(traces_in_float32_and_with_state),
      TRACE_TEST(gradients_are_traced_too),
      TRACE_TEST(bundles_are_replaced_by_their_parts),
      TRACE_TEST(parts_of_functions_are_named_after_them),
      TRACE_TEST(unbundling_refuses_what_makes_no_sense),
      TRACE_TEST(a_bundle_of_itself_is_refused),
      TRACE_TEST(misuse_is_refused),
      TRACE_TEST(any_allocation_may_fail),
      TRACE_TEST(a_large_graph_takes_linear_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tracing: every value, gradient and product of a graph, against what a plan and bp_vjp say of the same nodes. */
#include "bprop.h"
#include "check/eval.h"
#include "check/example.h"
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define assert_status(want, s) assert_string_equal(bp_status_name(want), bp_status_name(s))

enum { MOST = 4096, NAMES = 8 };

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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(values_gradients_and_products, set_up, tear_down),
      cmocka_unit_test_setup_teardown(every_row_can_be_traced, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

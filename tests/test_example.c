/* The language of example calls: what it reads, what it refuses, what it draws. */
#include "check/eval.h"
#include "check/example.h"
#include "check/laws.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bp_status takes_anything(const bp_op_call *c, bp_type *out, int *n_out)
{
  *n_out = 1;
  *out = c->x_type[0];
  return BP_OK;
}

static const bp_op row = {
    .name = "row",
    .args = "args...",
    .attrs = {{"axes", BP_ATTR_INTS, 0},
              {"keep", BP_ATTR_BOOL, 1},
              {"slope", BP_ATTR_REAL, 0.25},
              {"dtype", BP_ATTR_DTYPE, 0},
              {"n", BP_ATTR_INT, NAN}},
    .shape = takes_anything,
};

static bp_ctx *ctx;

static int set_up(void **state)
{
  (void)state;
  ctx = bp_ctx_new(NULL);
  return ctx ? 0 : 1;
}

static int tear_down(void **state)
{
  (void)state;
  bp_ctx_free(ctx);
  return 0;
}

static void everything_is_read(void **state)
{
  (void)state;
  bpi_example e;
  const char *text = "x[3,4] in -2.5..2 not 0 1.5, w[4] int 0..3 , t[] bool,s[2,3] simplex, d[5] distinct, "
                     "k[2] key,i[0] int; axes=[1,-2], dtype=int64,n=-7";
  assert_int_equal(bpi_example_open(&e, ctx, &row, text), BP_OK);
  assert_int_equal(e.n_args, 7);
  assert_string_equal(e.args[0].name, "x");
  assert_int_equal(e.args[0].type.rank, 2);
  assert_int_equal(e.args[0].type.dims[1], 4);
  assert_true(e.args[0].lo == -2.5 && e.args[0].hi == 2 && e.args[0].ranged);
  assert_int_equal(e.args[0].n_avoid, 2);
  assert_true(e.args[0].avoid[1] == 1.5);
  assert_int_equal(e.args[1].type.dtype, BP_INT64);
  assert_true(e.args[1].lo == 0 && e.args[1].hi == 3);
  assert_int_equal(e.args[2].type.dtype, BP_BOOL);
  assert_int_equal(e.args[2].type.rank, 0);
  assert_true(e.args[3].simplex && e.args[4].distinct && e.args[5].key);
  assert_int_equal(e.args[5].type.dtype, BP_INT64);
  assert_int_equal(e.args[6].type.dtype, BP_INT64);
  assert_int_equal(e.attr[0].n, 2);
  assert_int_equal(e.attr[0].v[1], -2);
  assert_int_equal(e.attr[1].i, 1); /* presets */
  assert_true(e.attr[2].r == 0.25);
  assert_int_equal(e.attr[3].i, BP_INT64);
  assert_int_equal(e.attr[4].i, -7);
  bpi_example_close(&e);
}

static void what_is_malformed_is_refused(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "x; dtype=real, n=1",
      "x[3; dtype=real, n=1",
      "x[3,]; dtype=real, n=1",
      "x[-1]; dtype=real, n=1",
      "[3]; dtype=real, n=1",
      "x[3] in; dtype=real, n=1",
      "x[3] in 1; dtype=real, n=1",
      "x[3] in 2..1; dtype=real, n=1",
      "x[3] in 0..inf; dtype=real",
      "x[3] not; dtype=real, n=1",
      "x[3] near 0; dtype=real, n=1",
      "x[3] int 0..; dtype=real, n=1",
      "x[3],; dtype=real, n=1",
      "x[3]; dtype=real",
      "x[3]; n=1",
      "x[3]; dtype=real, n=1.5",
      "x[3]; dtype=float, n=1",
      "x[3]; dtype=real, n=1, n=2",
      "x[3]; dtype=real, n=1, m=2",
      "x[3]; dtype=real n=1",
      "x[3]; dtype=real, n=1; n=2",
      "x[3]; axes=1, dtype=real",
      "x[3]; keep=2, dtype=real",
      "x[3]; keep=yes, dtype=real",
      "x[1,1,1,1,1,1,1,1,1]; n=1",
      "x[4611686018427387904,4]; n=1",
      "x[99999999999999999999]; n=1",
      "x[3] not 1 2 3 4 5 6 7 8 9; n=1",
      "a_name_of_more_than_23_bytes[3]; dtype=real, n=1",
  };
  bpi_example e;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (bpi_example_open(&e, ctx, &row, bad[i]) != BP_E_PARSE)
      fail_msg("\"%s\" is read", bad[i]);
    assert_non_null(strstr(bp_error(), "column"));
  }
}

/* Every beginning of every example, and every example with one byte changed: read or refused, nothing worse. */
static void damaged_examples_do_no_harm(void **state)
{
  (void)state;
  for (size_t r = 0; r < bp_op_count(); r++)
    for (int k = 0; k < bpi_example_count(bp_op_at(r)); k++) {
      char text[400];
      size_t n = strlen(bp_op_at(r)->examples[k]);
      assert_true(n < sizeof text);
      for (size_t cut = 0; cut < n; cut++)
        for (int kind = 0; kind < 2; kind++) {
          memcpy(text, bp_op_at(r)->examples[k], n + 1);
          text[cut] = kind ? "[,;9"[cut % 4] : '\0';
          bpi_example e;
          bp_status s = bpi_example_open(&e, ctx, bp_op_at(r), text);
          if (s == BP_OK)
            bpi_example_close(&e);
          else
            assert_int_equal(s, BP_E_PARSE);
        }
    }
}

static void draws_are_as_asked(void **state)
{
  (void)state;
  bpi_example e;
  void *data[5], *again[5];
  assert_int_equal(bpi_example_open(&e, ctx, &row,
                                    "x[40] in -1..1 not 0 0.5, w[60] int -2..2, t[60] bool, s[4,5] simplex, "
                                    "d[24] distinct; dtype=real, n=1"),
                   BP_OK);
  int seen[5] = {0}, truths = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    assert_int_equal(bpi_example_draw(&e, seed, data), BP_OK);
    assert_int_equal(bpi_example_draw(&e, seed, again), BP_OK);
    assert_memory_equal(data[0], again[0], 40 * sizeof(double));
    const double *x = data[0], *s = data[3], *d = data[4];
    for (int i = 0; i < 40; i++)
      assert_true(x[i] >= -1 && x[i] < 1 && fabs(x[i]) >= 0.1 && fabs(x[i] - 0.5) >= 0.1);
    for (int i = 0; i < 60; i++) {
      int64_t w = ((int64_t *)data[1])[i];
      assert_true(w >= -2 && w <= 2);
      seen[w + 2]++;
      assert_true(((uint8_t *)data[2])[i] <= 1);
      truths += ((uint8_t *)data[2])[i];
    }
    for (int r = 0; r < 4; r++) {
      double sum = 0;
      for (int i = 0; i < 5; i++) {
        assert_true(s[5 * r + i] > 0);
        sum += s[5 * r + i];
      }
      assert_true(fabs(sum - 1) < 1e-15);
    }
    for (int i = 0; i < 24; i++)
      for (int k = 0; k < i; k++)
        assert_true(fabs(d[i] - d[k]) >= 0.05);
  }
  for (int i = 0; i < 5; i++)
    assert_true(seen[i] > 100);
  assert_true(truths > 400 && truths < 800);
  bpi_example_close(&e);
}

static void what_cannot_be_drawn_is_said(void **state)
{
  (void)state;
  bpi_example e;
  void *data[1];
  assert_int_equal(bpi_example_open(&e, ctx, &row, "x[30] in 0..1 distinct; dtype=real, n=1"), BP_OK);
  assert_int_equal(bpi_example_draw(&e, 1, data), BP_E_RANGE);
  assert_non_null(strstr(bp_error(), "'x'"));
  bpi_example_close(&e);
}

/* Values of nodes, with memory that changes between the runs. */
static void nodes_are_evaluated(void **state)
{
  (void)state;
  bp_graph *g = bp_graph_new(ctx);
  int64_t dims[1] = {3}, n[3] = {1, 2, 3};
  double at[3] = {0.5, 1.5, 2.5}, out[3];
  bp_node x = bp_input(g, "x", BP_REAL, 1, dims), k = bp_input(g, "k", BP_INT64, 1, dims),
          idle = bp_input(g, "idle", BP_REAL, 1, dims);
  bp_node y[2] = {bp_square(x), bp_neg(k)};
  for (int t = 0; t < 2; t++) {
    bpi_eval e;
    assert_int_equal(bpi_eval_open(&e, g, t ? BP_FLOAT32 : BP_FLOAT64, y, 2), BP_OK);
    assert_int_equal(bpi_eval_bind(&e, x, at), BP_OK);
    assert_int_equal(bpi_eval_bind(&e, k, n), BP_OK);
    assert_int_equal(bpi_eval_bind(&e, idle, at), BP_OK); /* no result needs it */
    for (int run = 0; run < 2; run++) {
      at[1] = 1.5 + run;
      assert_int_equal(bpi_eval_step(&e), BP_OK);
      assert_int_equal(bp_run_get(e.run, 0, out, 3), BP_OK);
      assert_true(out[0] == 0.25 && out[1] == at[1] * at[1] && out[2] == 6.25);
      assert_int_equal(bp_run_get(e.run, 1, out, 3), BP_OK);
      assert_true(out[0] == -1 && out[2] == -3);
    }
    bpi_eval_close(&e);
  }
  bp_graph_free(g);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_read),           cmocka_unit_test(what_is_malformed_is_refused),
      cmocka_unit_test(damaged_examples_do_no_harm),  cmocka_unit_test(draws_are_as_asked),
      cmocka_unit_test(what_cannot_be_drawn_is_said), cmocka_unit_test(nodes_are_evaluated),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

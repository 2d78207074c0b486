/* What the graph and its builders must refuse, by the numbers of the list of bad inputs. */
#include "bprop.h"
#include "base/shape.h"
#include "support/graphing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- bad inputs, by their numbers ---- */

typedef bp_node (*bad_call)(bench *b);

static bp_node with_dims(bench *b, int rank, int64_t d0, int64_t d1, int64_t d2)
{
  int64_t dims[3] = {d0, d1, d2};
  return bp_input(b->g, "bad", BP_REAL, rank, dims);
}

static bp_node product_overflows(bench *b)
{
  return with_dims(b, 2, INT64_C(1) << 40, INT64_C(1) << 40, 0);
}

static bp_node bytes_overflow(bench *b)
{
  return with_dims(b, 1, INT64_C(1) << 61, 0, 0);
}

static bp_node overflow_cancels(bench *b)
{
  return with_dims(b, 3, 4194305, 4194305, INT64_C(211106198978564));
}

static bp_node overflow_hides_behind_zero(bench *b)
{
  return with_dims(b, 3, 0, INT64_MAX, INT64_MAX);
}

static bp_node sizes_wrap_when_joined(bench *b)
{
  bp_node parts[2] = {with_dims(b, 1, INT64_C(1) << 47, 0, 0), with_dims(b, 1, 1, 0, 0)};
  parts[1] = parts[0];
  bp_node half = bp_concat(parts, 2, 0);
  parts[0] = parts[1] = half;
  bp_graph_clear(b->g);
  return bp_concat(parts, 2, 0);
}

static bp_node padding_wraps(bench *b)
{
  int64_t before[1] = {INT64_MAX}, after[1] = {INT64_MAX};
  return bp_pad(real_input(b->g, "x", 1, 3, 0), before, 1, after, 1, 0);
}

static bp_node negative_dim(bench *b)
{
  return with_dims(b, 2, 3, -4, 0);
}

static bp_node two_negative_dims(bench *b)
{
  return with_dims(b, 2, -3, -4, 0);
}

static bp_node rank_nine(bench *b)
{
  int64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  return bp_input(b->g, "bad", BP_REAL, 9, dims);
}

static bp_node negative_rank(bench *b)
{
  return with_dims(b, -1, 1, 1, 1);
}

static bp_node dims_missing(bench *b)
{
  return bp_input(b->g, "bad", BP_REAL, 2, NULL);
}

static bp_node vectors_multiplied(bench *b)
{
  bp_node x = real_input(b->g, "x", 1, 3, 0);
  return bp_matmul(x, x);
}

static bp_node dim_cut_to_int32(bench *b)
{
  int64_t dims[1] = {(INT64_C(1) << 32) + 3};
  return bp_reshape(real_input(b->g, "x", 1, 3, 0), dims, 1);
}

static bp_node axis_cut_to_int32(bench *b)
{
  int64_t axes[1] = {INT64_C(1) << 32};
  return bp_sum(real_input(b->g, "x", 1, 3, 0), axes, 1, false);
}

static bp_node list_too_long(bench *b)
{
  int64_t perm[3] = {0, 1, 2};
  return bp_transpose(real_input(b->g, "x", 2, 3, 4), perm, 3);
}

static bp_node list_too_short(bench *b)
{
  int64_t one[1] = {1};
  return bp_slice(real_input(b->g, "x", 2, 3, 4), one, 1, one, 1, one, 1);
}

static bp_node axis_past_the_end(bench *b)
{
  int64_t axes[1] = {2};
  return bp_sum(real_input(b->g, "x", 2, 3, 4), axes, 1, false);
}

static bp_node axis_before_the_start(bench *b)
{
  int64_t axes[1] = {-3};
  return bp_sum(real_input(b->g, "x", 2, 3, 4), axes, 1, false);
}

static bp_node placed_outside(bench *b)
{
  int64_t dims[1] = {4}, start[1] = {2}, step[1] = {1};
  return bp_place(real_input(b->g, "x", 1, 3, 0), dims, 1, start, 1, step, 1);
}

static bp_node step_zero(bench *b)
{
  int64_t start[1] = {0}, stop[1] = {3}, step[1] = {0};
  return bp_slice(real_input(b->g, "x", 1, 3, 0), start, 1, stop, 1, step, 1);
}

static bp_node place_step_zero(bench *b)
{
  int64_t dims[1] = {4}, start[1] = {0}, step[1] = {0};
  return bp_place(real_input(b->g, "x", 1, 3, 0), dims, 1, start, 1, step, 1);
}

static bp_node integers_divided(bench *b)
{
  return bp_div(bp_constant_int(b->g, 7), bp_constant_int(b->g, 0));
}

static bp_node input_without_name(bench *b)
{
  return bp_input(b->g, NULL, BP_REAL, 0, NULL);
}

static bp_node storage_type_as_dtype(bench *b)
{
  return bp_input(b->g, "bad", BP_FLOAT32, 0, NULL);
}

static bp_node node_of_another_graph(bench *b)
{
  bp_graph *h = bp_graph_new(b->ctx);
  bp_node bad = bp_add(real_input(b->g, "x", 0, 0, 0), real_input(h, "x", 0, 0, 0));
  bp_graph_free(h);
  return bad;
}

static bp_node node_of_another_context(bench *b)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *h = bp_graph_new(ctx);
  bp_node bad = bp_add(real_input(b->g, "x", 0, 0, 0), real_input(h, "x", 0, 0, 0));
  bp_graph_free(h);
  bp_ctx_free(ctx);
  return bad;
}

static bp_node error_node_as_input(bench *b)
{
  return bp_exp((bp_node){b->g, 0, 0});
}

static bp_node stale_handle(bench *b)
{
  uint32_t mark = bp_graph_mark(b->g);
  bp_node x = real_input(b->g, "x", 0, 0, 0);
  bp_graph_rollback(b->g, mark);
  return bp_exp(x);
}

static bp_node index_past_the_slots(bench *b)
{
  return bp_exp((bp_node){b->g, 1000000, 7});
}

static bp_node int_constant_of_nan(bench *b)
{
  return bp_full(b->g, BP_INT64, NAN, 0, NULL);
}

static bp_node array_without_data(bench *b)
{
  int64_t dims[1] = {3};
  return bp_array_constant(b->g, BP_REAL, 1, dims, NULL);
}

static const struct {
  const char *number;
  bad_call make;
  bp_status want;
} bad_inputs[] = {
    {"1 product of dims overflows", product_overflows, BP_E_LIMIT},
    {"2 bytes overflow", bytes_overflow, BP_E_LIMIT},
    {"3 overflow that cancels", overflow_cancels, BP_E_LIMIT},
    {"3 overflow behind a dim of 0", overflow_hides_behind_zero, BP_E_LIMIT},
    {"5 accumulated sizes wrap", sizes_wrap_when_joined, BP_E_LIMIT},
    {"5 padding wraps", padding_wraps, BP_E_LIMIT},
    {"6 negative dim", negative_dim, BP_E_LIMIT},
    {"6 two negative dims", two_negative_dims, BP_E_LIMIT},
    {"8 rank 9", rank_nine, BP_E_SHAPE},
    {"8 negative rank", negative_rank, BP_E_SHAPE},
    {"8 dims missing", dims_missing, BP_E_SHAPE},
    {"8 vectors where matrices are due", vectors_multiplied, BP_E_SHAPE},
    {"9 dim cut to 32 bits", dim_cut_to_int32, BP_E_SHAPE},
    {"9 axis cut to 32 bits", axis_cut_to_int32, BP_E_RANGE},
    {"10 list too long", list_too_long, BP_E_ARG},
    {"10 list too short", list_too_short, BP_E_ARG},
    {"11 axis past the end", axis_past_the_end, BP_E_RANGE},
    {"11 axis before the start", axis_before_the_start, BP_E_RANGE},
    {"11 placed outside", placed_outside, BP_E_RANGE},
    {"12 step 0", step_zero, BP_E_ARG},
    {"12 step 0 of place", place_step_zero, BP_E_ARG},
    {"12 whole numbers divided", integers_divided, BP_E_DTYPE},
    {"88 name NULL", input_without_name, BP_E_ARG},
    {"88 error node", error_node_as_input, BP_E_GRAPH},
    {"88 data NULL", array_without_data, BP_E_ARG},
    {"89 node of another graph", node_of_another_graph, BP_E_GRAPH},
    {"89 node of another context", node_of_another_context, BP_E_GRAPH},
    {"93 stale handle", stale_handle, BP_E_GRAPH},
    {"93 handle of no node", index_past_the_slots, BP_E_GRAPH},
    {"float32 as the dtype of a node", storage_type_as_dtype, BP_E_DTYPE},
    {"NaN as int64", int_constant_of_nan, BP_E_RANGE},
};

static void bad_inputs_are_refused(void **state)
{
  bench *b = *state;
  for (size_t i = 0; i < sizeof bad_inputs / sizeof *bad_inputs; i++) {
    bp_graph_rollback(b->g, 1);
    bp_node bad = bad_inputs[i].make(b);
    bp_status s = bp_graph_status(b->g);
    if (s != bad_inputs[i].want)
      print_error("%s: %s: %s\n", bad_inputs[i].number, bp_status_name(s), bp_graph_error(b->g));
    assert_status(bad_inputs[i].want, s);
    assert_true(bp_failed(bad));
    assert_true(strlen(bp_graph_error(b->g)) > 10);
    assert_string_equal(bp_graph_error(b->g), bp_error());
  }
}

/* Bad inputs 4 and 7, 14, 15: not a node that fails. */
static void other_bad_inputs(void **state)
{
  bench *b = *state;
  size_t up;
  assert_false(bpi_align_up(SIZE_MAX - 3, 64, &up)); /* 4 */
  bp_node x = real_input(b->g, "x", 2, 0, 3), y = real_input(b->g, "y", 1, 3, 0), grad;
  assert_int_equal(bp_node_size(bp_add(x, y)), 0); /* 7 */
  assert_status(BP_OK, bp_graph_status(b->g));
  uint32_t mark = bp_graph_mark(b->g);
  assert_status(BP_E_SHAPE, bp_grad(bp_exp(y), &y, 1, &grad)); /* 15 */
  assert_non_null(strstr(bp_error(), "bp_grad"));
  assert_int_equal(bp_graph_mark(b->g), mark + 1); /* the exp that was asked for, and nothing else */
  assert_status(BP_OK, bp_graph_status(b->g));
}

/* 93: only debug builds can know. */
static void a_handle_outlives_its_graph(void **state)
{
#ifdef BPI_DEBUG
  bench *b = *state;
  bp_graph *g = bp_graph_new(bp_graph_ctx(b->g));
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), grad;
  bp_type type;
  bp_graph_free(g);
  assert_true(bp_failed(x));
  assert_true(bp_failed(bp_exp(x)));
  assert_non_null(strstr(bp_error(), "freed"));
  assert_status(BP_E_GRAPH, bp_node_type(x, &type));
  assert_status(BP_E_GRAPH, bp_grad(x, &x, 1, &grad));
  assert_true(bp_failed(bp_name(x, "y")));
  bp_graph *again = bp_graph_new(bp_graph_ctx(b->g)); /* often at the same address */
  bp_input(again, "x", BP_REAL, 0, NULL);
  assert_true(bp_failed(x));
  bp_graph_free(again);
#else
  (void)state;
  skip();
#endif
}

static void an_unbound_input_stops_the_run(void **state)
{
  bench *b = *state; /* 14 */
  bp_node x = real_input(b->g, "x", 1, 3, 0), y = bp_exp(x);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  bp_plan *plan;
  bp_run *run;
  double data[3] = {0, 0, 0}, out[3];
  assert_status(BP_OK, bp_plan_new(b->g, &o, &plan));
  assert_status(BP_OK, bp_run_new(plan, NULL, &run));
  assert_status(BP_E_ORDER, bp_run_get(run, 0, out, 3)); /* 90 */
  assert_status(BP_E_UNBOUND, bp_run_step(run));
  assert_non_null(strstr(bp_error(), "x"));
  assert_status(BP_E_NOTFOUND, bp_run_bind(run, "z", data, sizeof data));
  assert_status(BP_E_SHAPE, bp_run_bind(run, "x", data, sizeof data - 1)); /* 92 */
  assert_status(BP_OK, bp_run_bind(run, "x", data, sizeof data));
  assert_status(BP_OK, bp_run_step(run));
  assert_status(BP_E_SHAPE, bp_run_get(run, 0, out, 2));
  assert_status(BP_OK, bp_run_get(run, 0, out, 3));
  assert_true(out[2] == 1);
  bp_run_free(run);
  bp_plan_free(plan);
}

/* Bad input 88: NULL for every pointer that a call needs. */
static void null_handles_give_a_status(void **state)
{
  bench *b = *state;
  bp_type t;
  bp_node x = real_input(b->g, "x", 0, 0, 0), y;
  assert_null(bp_graph_new(NULL));
  bp_graph_free(NULL);
  bp_fn_free(NULL);
  bp_state_free(NULL);
  bp_plan_free(NULL);
  bp_run_free(NULL);
  bp_ctx_free(NULL);
  bp_graph_clear(NULL);
  assert_null(bp_graph_ctx(NULL));
  assert_int_not_equal(bp_graph_status(NULL), BP_OK);
  assert_string_equal("", bp_graph_error(NULL));
  assert_int_equal(bp_graph_mark(NULL), 0);
  assert_status(BP_E_ARG, bp_node_type(x, NULL));
  assert_status(BP_E_GRAPH, bp_node_type(BP_NO_NODE, &t));
  assert_true(bp_failed(BP_NO_NODE));
  assert_int_equal(bp_node_size(BP_NO_NODE), 0);
  assert_true(bp_failed(bp_find(NULL, "x")));
  assert_true(bp_failed(bp_input(NULL, "x", BP_REAL, 0, NULL)));
  assert_true(bp_failed(bp_constant(NULL, 1)));
  assert_true(bp_failed(bp_constant_int(NULL, 1)));
  assert_true(bp_failed(bp_exp(BP_NO_NODE)));
  assert_true(bp_failed(bp_add(x, BP_NO_NODE)));
  bp_graph_clear(b->g);
  assert_true(bp_failed(bp_add(BP_NO_NODE, x)));
  assert_true(bp_failed(bp_name(BP_NO_NODE, "n")));
  assert_true(bp_failed(bp_concat(NULL, 2, 0)));
  assert_status(BP_E_ARG, bp_apply(b->g, NULL, &x, 1, NULL, &y));
  assert_status(BP_E_ARG, bp_apply(b->g, bp_op_find("exp"), NULL, 1, NULL, &y));
  assert_status(BP_E_ARG, bp_apply(b->g, bp_op_find("exp"), &x, 1, NULL, NULL));
  assert_status(BP_E_ARG, bp_vjp(NULL, NULL, 1, &x, 1, &y));
  assert_status(BP_E_ARG, bp_jvp(NULL, 1, &x, &x, 1, &y));
  assert_status(BP_E_ARG, bp_grad(x, NULL, 1, &y));
  assert_int_not_equal(bp_grad(BP_NO_NODE, &x, 1, &y), BP_OK);
  assert_null(bp_op_find("no such row"));
  assert_null(bp_op_find(NULL));
  assert_null(bp_op_at(bp_op_count()));
  assert_null(bp_fn_new(NULL, NULL, NULL, 0, NULL, 0));
  assert_int_not_equal(bp_plan_new(NULL, NULL, NULL), BP_OK);
  assert_int_not_equal(bp_run_new(NULL, NULL, NULL), BP_OK);
  assert_int_not_equal(bp_run_step(NULL), BP_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(bad_inputs_are_refused),      TEST(other_bad_inputs),
      TEST(a_handle_outlives_its_graph), TEST(an_unbound_input_stops_the_run),
      TEST(null_handles_give_a_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

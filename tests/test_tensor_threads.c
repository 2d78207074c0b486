/* Rows whose work is shared out: the same bits for any number of threads, and of several bad indices or numbers the
 * first is named. */
#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 600, COLS = 257, CLASSES = 11, MOST_OUTPUTS = 32 };

static float x[ROWS * COLS];
static int64_t labels[ROWS], words[ROWS];
static const int64_t key[2] = {5, 3};

static void fill(void)
{
  for (int i = 0; i < ROWS * COLS; i++)
    x[i] = (float)sin(i * 0.7) * 3;
  for (int i = 0; i < ROWS; i++) {
    labels[i] = i * 31 % COLS;
    words[i] = i * i % CLASSES;
  }
}

/* One result of everything, and the gradients of what has some. */
static size_t build(bp_graph *g, bp_node *out)
{
  const int64_t dims[] = {ROWS, COLS}, two = 2, first = 0, last = 1;
  bp_node in = bp_input(g, "x", BP_REAL, 2, dims), label = bp_input(g, "labels", BP_INT64, 1, dims);
  bp_node word = bp_input(g, "words", BP_INT64, 1, dims), k = bp_input(g, "key", BP_INT64, 1, &two);
  bp_node gain = bp_full(g, BP_REAL, 2, 1, dims + 1), loss = bp_softmax_cross_entropy(in, label, 0.1),
          grad[3];
  size_t n = 0;
  out[n++] = bp_softmax(in, 1);
  out[n++] = bp_softmax(in, 0);
  out[n++] = bp_log_softmax(in, 1);
  out[n++] = loss;
  out[n++] = bp_hinge(in, label, 1);
  out[n++] = bp_cumsum(in, 0, true);
  out[n++] = bp_cumsum(in, 1, false);
  out[n++] = bp_layer_norm(in, gain, gain, 1e-5);
  out[n++] = bp_max(in, &first, 1, false);
  out[n++] = bp_min(in, &last, 1, false);
  out[n++] = bp_argmax(in, 1, false);
  out[n++] = bp_var(in, &first, 1, false, 1);
  out[n++] = bp_norm(in, &last, 1, false);
  out[n++] = bp_logsumexp(in, &last, 1, false);
  out[n++] = bp_gather(in, word, 0);
  out[n++] = bp_scatter_add(in, word, 0, CLASSES);
  out[n++] = bp_pick(in, label, 1);
  out[n++] = bp_put(bp_pick(in, label, 1), label, 1, COLS);
  out[n++] = bp_one_hot(word, CLASSES);
  out[n++] = bp_dropout(in, k, 0.3);
  out[n++] = bp_normal(k, dims, 2);
  out[n++] = bp_uniform(k, dims, 2);
  bp_node parts[] = {bp_mean(loss, NULL, 0, false), bp_mean(out[7], NULL, 0, false),
                     bp_sum(out[8], NULL, 0, false)};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(bp_grad(parts[i], &in, 1, &grad[i]), BP_OK);
    out[n++] = grad[i];
  }
  if (bp_graph_status(g) != BP_OK)
    fail_msg("%s", bp_graph_error(g));
  return n;
}

/* Runs everything with so many threads; data[i]: bytes of result i, the caller's. Returns the status of the run. */
static bp_status run_all(int threads, void **data, size_t *bytes, size_t *n)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_graph *g = bp_graph_new(ctx);
  bp_node out[MOST_OUTPUTS];
  bp_plan *plan;
  bp_run *run;
  *n = build(g, out);
  assert_int_equal(
      bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT32, .outputs = out, .n_outputs = *n}, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_run_bind(run, "x", x, sizeof x), BP_OK);
  assert_int_equal(bp_run_bind(run, "labels", labels, sizeof labels), BP_OK);
  assert_int_equal(bp_run_bind(run, "words", words, sizeof words), BP_OK);
  assert_int_equal(bp_run_bind(run, "key", key, sizeof key), BP_OK);
  bp_status s = bp_run_step(run);
  for (size_t i = 0; s == BP_OK && i < *n; i++) {
    const void *p;
    bp_type type;
    assert_int_equal(bp_run_output(run, i, &p, &type), BP_OK);
    bytes[i] = (size_t)bp_node_size(out[i]) * bp_dtype_size(type.dtype);
    data[i] = malloc(bytes[i]);
    assert_non_null(data[i]);
    memcpy(data[i], p, bytes[i]);
  }
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return s;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
  (void)state;
  static const int threads[] = {2, 3, 8};
  void *one[MOST_OUTPUTS], *many[MOST_OUTPUTS];
  size_t bytes[MOST_OUTPUTS], n;
  fill();
  assert_int_equal(run_all(1, one, bytes, &n), BP_OK);
  for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
    assert_int_equal(run_all(threads[t], many, bytes, &n), BP_OK);
    for (size_t i = 0; i < n; i++) {
      if (memcmp(one[i], many[i], bytes[i]) != 0)
        fail_msg("result %zu differs with %d threads", i, threads[t]);
      free(many[i]);
    }
  }
  for (size_t i = 0; i < n; i++)
    free(one[i]);
}

/* Each of the rows alone, with wrong indices near the end and in the middle: the message names the one in the middle. */
static bp_node by_number(int which, bp_node in, bp_node index)
{
  switch (which) {
  case 0:
    return bp_gather(in, index, 0);
  case 1:
    return bp_scatter_add(in, index, 0, COLS);
  case 2:
    return bp_pick(in, index, 1);
  case 3:
    return bp_softmax_cross_entropy(in, index, 0);
  case 4:
    return bp_one_hot(index, COLS);
  default:
    return bp_put(bp_cast(index, BP_REAL), index, 1, COLS);
  }
}

static void the_first_bad_index_is_named(void **state)
{
  (void)state;
  const int64_t dims[] = {ROWS, COLS};
  fill();
  labels[431] = 100000;
  labels[590] = -1;
  for (int threads = 1; threads <= 4; threads += 3)
    for (int which = 0; which < 6; which++) {
      bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
      bp_graph *g = bp_graph_new(ctx);
      bp_node in = bp_input(g, "x", BP_REAL, 2, dims);
      bp_node y = by_number(which, in, bp_input(g, "labels", BP_INT64, 1, dims));
      bp_plan *plan;
      bp_run *run;
      assert_int_equal(
          bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1}, &plan),
          BP_OK);
      assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
      bp_run_bind(run, "x", x, sizeof x); /* some rows read labels alone */
      assert_int_equal(bp_run_bind(run, "labels", labels, sizeof labels), BP_OK);
      assert_int_equal(bp_run_step(run), BP_E_RANGE);
      if (!strstr(bp_error(), "431"))
        fail_msg("row %d, %d threads: %s", which, threads, bp_error());
      bp_run_free(run);
      bp_plan_free(plan);
      bp_graph_free(g);
      bp_ctx_free(ctx);
    }
}

/* Guards of a number that all elements are, of an array, and of a part of one, looked at by several threads. */
static void the_first_bad_number_is_named(void **state)
{
  (void)state;
  static const struct {
    int at[2]; /* where x is infinite */
    const char *said;
  } cases[] = {{{0, 1}, "is infinite at element 0 of 154200"},
               {{ROWS * COLS - 1, 77777}, "is infinite at element 77777 of 154200"},
               {{ROWS * COLS - 1, ROWS * COLS - 1}, "is infinite at element 154199 of 154200"}};
  const int64_t dims[] = {ROWS, COLS};
  for (int threads = 1; threads <= 3; threads++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
    bp_graph *g = bp_graph_new(ctx);
    bp_node in = bp_input(g, "x", BP_REAL, 2, dims), two = bp_full(g, BP_REAL, 2, 2, dims);
    bp_node guards[] = {
        two, bp_name(bp_mul(in, two), "y"),
        bp_slice(in, (int64_t[]){0, 0}, 2, (int64_t[]){ROWS / 2, COLS}, 2, (int64_t[]){1, 1}, 2)};
    bp_plan *plan;
    bp_run *run;
    bp_plan_options o = {
        .real = BP_FLOAT32, .outputs = &guards[1], .n_outputs = 1, .guards = guards, .n_guards = 3};
    assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
    assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
    assert_int_equal(bp_run_bind(run, "x", x, sizeof x), BP_OK);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
      fill();
      assert_int_equal(bp_run_step(run), BP_OK);
      x[cases[c].at[0]] = x[cases[c].at[1]] = INFINITY;
      assert_int_equal(bp_run_step(run), BP_E_NOTFINITE);
      if (!strstr(bp_error(), cases[c].said) || !strstr(bp_error(), "'y'"))
        fail_msg("%d threads: %s", threads, bp_error());
    }
    bp_run_free(run);
    bp_plan_free(plan);
    bp_graph_free(g);
    bp_ctx_free(ctx);
  }
}

/* ---- split, whose builder gives several nodes ---- */

static void split_gives_parts_or_errors(void **state)
{
  (void)state;
  const int64_t dims[] = {4, 6};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node in = bp_input(g, "x", BP_REAL, 2, dims), part[3] = {{0}};
  bp_type type;
  assert_int_equal(bp_split(in, -1, 3, part), BP_OK);
  for (int k = 0; k < 3; k++) {
    assert_int_equal(bp_node_type(part[k], &type), BP_OK);
    assert_int_equal(type.dims[1], 2);
  }
  assert_int_equal(bp_split(in, 0, 3, part), BP_E_SHAPE);
  for (int k = 0; k < 3; k++)
    assert_true(bp_failed(part[k]));
  assert_non_null(strstr(bp_error(), "3 equal parts"));
  bp_graph_clear(g);
  assert_int_equal(bp_split(in, 0, 0, part), BP_E_ARG);
  bp_graph_clear(g);
  assert_int_equal(bp_split(in, 0, 2, NULL), BP_E_ARG);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
      cmocka_unit_test(the_first_bad_index_is_named),
      cmocka_unit_test(the_first_bad_number_is_named),
      cmocka_unit_test(split_gives_parts_or_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

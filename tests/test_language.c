/* The language: what texts mean, and what they refuse and where. What they cost is in test_language_cost.c; that they mean what NumPy
 * means is the test scripts/language-numpy.sh. */
#include "support/failing.h"
#include "support/reading.h"
#include "lang/lang.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- meaning ---- */

/* Worked out by hand; "|" separates the elements of the one output. */
static const struct {
  const char *text;
  int n;
  double value[8];
} meanings[] = {
    {"1 + 2*3 - 4/8", 1, {6.5}},
    {"-2**2", 1, {-4}},
    {"2**-1", 1, {0.5}},
    {"2**3**2", 1, {512}},
    {"7 - 2 - 1", 1, {4}},
    {"- -3", 1, {3}},
    {"x = -2; y = 5; z = -4; (x + y)*z", 1, {-12}},
    {"x = [1, 2, 3]; x[-1]", 1, {3}},
    {"x = [[1, 2], [3, 4]]; x.T", 4, {1, 3, 2, 4}},
    {"x = [[1, 2], [3, 4]]; x @ x", 4, {7, 10, 15, 22}},
    {"x = [[1, 2], [3, 4]]; x @ [1, 1]", 2, {3, 7}},
    {"sum([[1, 2], [3, 4]], axis=1)", 2, {3, 7}},
    {"max(3, 5)", 1, {5}},
    {"max([3, 5])", 1, {5}},
    {"max([[3, 5], [9, 1]], axis=0)", 2, {9, 5}},
    {"max([3, 5], 4)", 2, {4, 5}},
    {"f(x) = x*x\nf(3) + f(4)", 1, {25}},
    {"def f(x, k=2):\n    y = k*x\n    return y + 1\nx = 5\nf(x), f(x, 3), f(k=4, x=1)", 1, {11}},
    {"f = lambda a, b: a - b\nx = 5\nf(x, 2)", 1, {3}},
    {"def f(x):\n  def g(y): return y + x\n  return g(2*x)\nx = 3\nf(x)", 1, {9}},
    {"def f(x): return x, 2*x\na = 4\nb, c = f(a)\nb*c", 1, {32}},
    {"def twice(f, x): return f(f(x))\nx = 3\ntwice(lambda y: y*y, x)", 1, {81}},
    {"act = tanh\nx = 0\nact(x)", 1, {0}},
    {"x = 2\nx += 3\nx *= x", 1, {25}},
    {"x = [1, # a comment\n\n  2,\n  3]\nsum(x)", 1, {6}},
    {"x = 1 + \\\n  2\nx", 1, {3}},
    {"\xef\xbb\xbfx = 2\r\ny = x*3\r\n", 1, {6}},
    {"import numpy as np\nnp.pi*0", 1, {0}},
    {"σ = lambda x: 1/(1+exp(-x))\nσ(0)", 1, {0.5}},
    {"int64(7) // 2", 1, {3}},
    {"one_hot([2, 0], depth=3)", 6, {0, 0, 1, 1, 0, 0}},
    {"leaky_relu(-2, slope=0.5)", 1, {-1}},
    {"leaky_relu(-2, 0.25)", 1, {-0.5}},
    {"n = 2; sum(zeros((n, n + 1)) + 1)", 1, {6}},
    {"x = ones((3, 4)); n = x.shape[0]*2; x.reshape(n, -1).shape[1]", 1, {2}},
    {"x, y = 3, 4; x*y", 1, {12}},
    {"[1, 2] + [10, 20]", 2, {11, 22}},
    {"x = 3; [x, 2*x, 1]", 3, {3, 6, 1}},
    {"print(7)", 1, {7}},
    {"def f(x):\n  \"\"\"What f does,\n  in two lines.\"\"\"\n  return 2*x\nf(4)", 1, {8}},
    {"def f(x):\n  'What f does.'\n  return 2*x\nf(4)", 1, {8}},
    {"def f(x): 'title'; return 2*x\nf(4)", 1, {8}},
    {"'a text'; 3", 1, {3}},
    {"a = split([1, 2, 3, 4], parts=2)\na[1]", 2, {3, 4}},
    {"c = constant(3); x = 2; c*x", 1, {6}},
    {"a = constant([[1, 2]]); b, c = constant(split(a, axis=1, parts=2)); b + c", 1, {3}},
    {"1.; .5", 1, {1}},
    {"1e3 + 2E-1", 1, {1000.2}},
    {"where([True, False], 1, 2)", 2, {1, 2}},
    {"min(inf, 3), -inf", 1, {3}},
    {"arange(9223372036854775805, 9223372036854775807) == [9223372036854775805, 9223372036854775806]",
     2,
     {1, 1}}, /* over 2^53 */
    {"arange(9223372036854775807, 0, -9000000000000000000) == [9223372036854775807, 223372036854775807]",
     2,
     {1, 1}},
    {"arange(5, 0, -2)", 3, {5, 3, 1}},
    {"arange(0, 1, 0.25)", 4, {0, 0.25, 0.5, 0.75}},
    {"arange(3, 3)", 0, {0}},
    {"full((2,), 2.5, dtype=int64)", 2, {2, 2}}, /* NumPy's */
    {"full((2,), -2.5, dtype=int64)", 2, {-2, -2}},
    {"full(2, 3, dtype=bool)", 2, {1, 1}},
    {"zeros_like([1.5, 2]) + 0.5", 2, {0.5, 0.5}},
    {"one_hot(zeros_like(argmax([[1, 2], [3, 1]], axis=1)), depth=2)", 4, {1, 0, 1, 0}}, /* of int64 */
    {"where(ones_like([True, False]), 1, 2)", 2, {1, 1}},
    {"y = ones_like([3, 4]); one_hot(y, depth=2)", 4, {0, 1, 0, 1}},
    {"seed(3); np.random.seed(3); 2", 1, {2}},
};

static void texts_mean_what_they_say(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
    double got[MOST];
    reading r = read_text(meanings[i].text);
    if (values_of(&r, 0, got) != meanings[i].n)
      fail_msg("%s: another number of elements", meanings[i].text);
    for (int k = 0; k < meanings[i].n; k++)
      if (!(fabs(got[k] - meanings[i].value[k]) < 1e-12))
        fail_msg("%s: element %d is %.17g, not %.17g", meanings[i].text, k, got[k], meanings[i].value[k]);
    close_reading(&r);
  }
}

/* ---- inputs, outputs, names ---- */

static bp_variable input_of(reading *r, const char *name)
{
  bp_variable v;
  for (size_t i = 0; i < bp_program_inputs(r->p); i++)
    if (bp_program_input(r->p, i, &v) == BP_OK && strcmp(v.name, name) == 0)
      return v;
  return (bp_variable){.name = NULL};
}

static void known_values_are_inputs_and_the_rest_is_computed(void **state)
{
  (void)state;
  reading r =
      read_text("x = [[1, 2], [3, 4]]\nW = 0.5*ones((2, 2))\nn = 2\nunused = 7\ny = [0, 1]\nc = constant(3)\n"
                "h = x @ W + c*zeros(n)\nloss = mean(softmax_cross_entropy(h, y))");
  assert_int_equal(bp_program_inputs(r.p), 3);
  bp_variable x = input_of(&r, "x"), w = input_of(&r, "W"), y = input_of(&r, "y"), v;
  assert_int_equal(x.type.dtype, BP_REAL);
  assert_int_equal(w.type.dtype, BP_REAL);
  assert_int_equal(y.type.dtype, BP_INT64); /* labels, as their use decides */
  assert_true(((const double *)w.data)[3] == 0.5);
  assert_true(((const int64_t *)y.data)[1] == 1);
  assert_string_equal(bp_node_name(bp_program_find(r.p, "h")), "h");
  assert_int_equal(bp_program_outputs(r.p), 1); /* no bare expression: the last assignment */
  assert_int_equal(bp_program_output(r.p, 0, &v), BP_OK);
  assert_string_equal(v.name, "loss");
  assert_true(bp_program_uses(r.p, "n"));
  assert_true(bp_program_uses(r.p, "x"));
  assert_false(bp_program_uses(r.p, "unused"));
  assert_false(bp_program_uses(r.p, "nowhere"));
  assert_true(bp_absent(bp_program_find(r.p, "los")));
  assert_non_null(strstr(bp_error(), "did you mean 'loss'"));
  close_reading(&r);
}

static void outputs_have_names(void **state)
{
  (void)state;
  bp_variable v;
  reading r = read_text("x = 2; x; 2*x, x\ny = x + 1\ny");
  const char *const names[] = {"x", "f2", "x", "y"};
  assert_int_equal(bp_program_outputs(r.p), 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(bp_program_output(r.p, i, &v), BP_OK);
    assert_string_equal(v.name, names[i]);
  }
  assert_int_not_equal(bp_program_output(r.p, 4, &v), BP_OK);
  close_reading(&r);
  r = read_text("x = 2; x*x");
  assert_int_equal(bp_program_output(r.p, 0, &v), BP_OK);
  assert_string_equal(v.name, "f");
  close_reading(&r);
}

static void values_that_are_set_win(void **state)
{
  (void)state;
  double got[MOST];
  reading r = open_reading();
  assert_int_equal(bp_program_set(r.p, "x", "x=3", "3", 1), BP_OK);
  const double data[4] = {1, 2, 3, 4};
  const bp_ndarray w = {
      .store = BP_STORE_FLOAT64, .rank = 2, .dims = {2, 2}, .size = 4, .data = (void *)data};
  assert_int_equal(bp_program_set_array(r.p, "W", &w), BP_OK);
  const char *text = "x = 10\nW = zeros(5)\nx*W";
  assert_int_equal(bp_program_read(r.p, "text", text, strlen(text)), BP_OK);
  assert_int_equal(values_of(&r, 0, got), 4);
  assert_true(got[3] == 12);
  close_reading(&r);

  r = open_reading();
  assert_int_equal(bp_program_set(r.p, "h", "h=3", "3", 1), BP_OK);
  text = "x = 2\nh = 2*x\nh + 1";
  assert_int_equal(bp_program_read(r.p, "text", text, strlen(text)), BP_E_EXISTS);
  assert_non_null(strstr(bp_program_error(r.p), "text:2:1"));
  close_reading(&r);
}

/* What the printer writes for graphs made in C: x = input('x', [3], real). */
static void declared_inputs_take_the_values_that_are_set(void **state)
{
  (void)state;
  static const struct {
    const char *given, *text, *says; /* NULL: the sum is 6 */
  } rows[] = {
      {"[1, 2, 3]", "x = input('x', [3], real); sum(x)", NULL},
      {"[1, 2, 3]", "y = input('x', [3], real); x = y; sum(x)", NULL},
      {"[1, 2, 3]", "x = input('x', [3], int64); sum(x) + 0*sum(one_hot(x, depth=4))", NULL},
      {"2*randn(3)", "x = input('x', [3]); 0*sum(x) + 6", NULL},
      {"[1, 2]", "x = input('x', [3], real); sum(x)", "'x' is given as real[2], but is declared as real[3]"},
      {"[True]", "x = input('x', [1], real); sum(x)", "'x' is given as bool[1], but is declared as real[1]"},
      {"[1.5]", "x = input('x', [1], int64); sum(x)", "whole numbers are wanted here, not 1.5"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got[MOST];
    reading r = open_reading();
    assert_int_equal(bp_program_set(r.p, "x", "x", rows[i].given, strlen(rows[i].given)), BP_OK);
    bp_status s = bp_program_read(r.p, "text", rows[i].text, strlen(rows[i].text));
    if ((s == BP_OK) != !rows[i].says || (rows[i].says && !strstr(bp_program_error(r.p), rows[i].says)))
      fail_msg("%s: %s", rows[i].text, bp_program_error(r.p));
    if (s == BP_OK) {
      values_of(&r, 0, got);
      assert_true(got[0] == 6);
      assert_int_equal(bp_program_inputs(r.p), 1);
    }
    close_reading(&r);
  }
}

/* An input without a value is left to the caller, who may bind it before or after. */
static void binding_leaves_out_what_has_no_value(void **state)
{
  (void)state;
  const double x = 2;
  for (int after = 0; after < 2; after++) {
    reading r = read_text("x = input('x', [1])\nw = [1, 2, 3]\nsum(x*w)");
    bp_variable v;
    bp_plan *plan;
    bp_run *run;
    double got = 0;
    assert_int_equal(bp_program_output(r.p, 0, &v), BP_OK);
    bp_plan_options o = {.real = BP_FLOAT64, .outputs = &v.node, .n_outputs = 1};
    assert_int_equal(bp_plan_new(r.g, &o, &plan), BP_OK);
    assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
    if (!after)
      assert_int_equal(bp_run_bind(run, "x", &x, sizeof x), BP_OK);
    assert_int_equal(bp_program_bind(r.p, run), BP_OK);
    if (after) {
      assert_int_equal(bp_run_step(run), BP_E_UNBOUND);
      assert_int_equal(bp_run_bind(run, "x", &x, sizeof x), BP_OK);
    }
    assert_int_equal(bp_run_step(run), BP_OK);
    assert_int_equal(bp_run_get(run, 0, &got, 1), BP_OK);
    assert_true(got == 12);
    bp_run_free(run);
    bp_plan_free(plan);
    close_reading(&r);
  }
}

/* Where a run fails, the text shows what failed; also inside of a function, by its call. */
static void runs_that_fail_show_the_place(void **state)
{
  (void)state;
  static const char *const rows[][2] = {
      {"x = [1.5, 2]; i = argmax(x)\ny = gather(x, i + 5) + 1",
       "text:2:5: gather#5: element 0: the index is negative or past the last element\n"
       "  y = gather(x, i + 5) + 1\n      ^"},
      {"def f(x, i): return x[i + 5]\nx = [1.5, 2]; i = argmax(x)\ny = 2*f(x, i)", "text:3:7: "},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    reading r = read_text(rows[k][0]);
    bp_variable v;
    bp_plan *plan;
    bp_run *run;
    assert_int_equal(bp_program_output(r.p, 0, &v), BP_OK);
    bp_plan_options o = {.real = BP_FLOAT64, .outputs = &v.node, .n_outputs = 1};
    assert_int_equal(bp_plan_new(r.g, &o, &plan), BP_OK);
    assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
    assert_int_equal(bp_program_bind(r.p, run), BP_OK);
    assert_int_equal(bp_run_step(run), BP_E_RANGE);
    const char *said = bp_program_run_error(r.p, run);
    if (strncmp(said, rows[k][1], strlen(rows[k][1])) != 0)
      fail_msg("%s", said);
    assert_int_equal(strncmp(bp_error(), "text:", 5), 0);
    assert_string_equal(bp_program_error(r.p), ""); /* the program is as good as before */
    bp_run_free(run);
    bp_plan_free(plan);
    close_reading(&r);
  }
}

/* A loss written as text over nodes that C code made. */
static void texts_are_read_over_nodes(void **state)
{
  (void)state;
  reading r = open_reading();
  const int64_t three = 3;
  double got[MOST];
  bp_node p = bp_array_constant(r.g, BP_REAL, 1, &three, (double[]){1, 2, 3});
  bp_node y = bp_array_constant(r.g, BP_REAL, 1, &three, (double[]){1, 0, 0});
  assert_int_equal(bp_program_set_node(r.p, "p", p), BP_OK);
  assert_int_equal(bp_program_set_node(r.p, "y", y), BP_OK);
  const char *text = "mean((p - y)**2)";
  assert_int_equal(bp_program_read(r.p, "loss", text, strlen(text)), BP_OK);
  assert_int_equal(bp_program_inputs(r.p), 0);
  values_of(&r, 0, got);
  assert_true(fabs(got[0] - 13.0 / 3) < 1e-15);
  close_reading(&r);
}

static void texts_share_a_scope(void **state)
{
  (void)state;
  reading r = open_reading();
  double got[MOST];
  const char *const texts[] = {"def f(x): return x*x\nx = 3", "y = f(x)", "x = 5; f(x) + y"};
  for (int i = 0; i < 3; i++)
    assert_int_equal(bp_program_read(r.p, "part", texts[i], strlen(texts[i])), BP_OK);
  values_of(&r, 0, got);
  assert_true(got[0] == 34);
  close_reading(&r);
}

static void nodes_know_their_text(void **state)
{
  (void)state;
  reading r = read_text("x = 3\ny = x*x +\\\n  exp(x)\nz = y - 1");
  bp_span s;
  assert_int_equal(bp_program_span(r.p, bp_program_find(r.p, "z"), &s), BP_OK);
  assert_string_equal(s.source, "text");
  assert_int_equal(s.line, 4);
  assert_int_equal(s.column, 5);
  assert_int_equal(s.length, 5);
  assert_memory_equal(s.text, "y - 1", 5);
  assert_int_equal(bp_program_span(r.p, bp_program_find(r.p, "x"), &s), BP_OK);
  assert_int_equal(s.line, 1);
  bp_node later = bp_constant(r.g, 17);
  assert_int_equal(bp_program_span(r.p, later, &s), BP_E_NOTFOUND);
  close_reading(&r);
}

/* ---- functions ---- */

static size_t calls_of(const bp_graph *g)
{
  char *text;
  size_t n = 0;
  assert_int_equal(bp_graph_print(g, &text), BP_OK);
  for (const char *at = text; (at = strstr(at, "= call(")) != NULL; at++)
    n++;
  bp_free(bp_graph_ctx(g), text);
  return n;
}

static void a_call_is_one_node_and_equal_types_share_a_function(void **state)
{
  (void)state;
  reading r =
      read_text("def f(x): return 1/(1 + exp(-x))\nx = [0.5, 1.5]; y = [2.5, 3.5]\nf(f(x)), f(y), f(x)");
  assert_int_equal(calls_of(r.g), 3); /* f(x) twice is one node */
  bp_variable a, b;
  assert_int_equal(bp_program_output(r.p, 0, &a), BP_OK);
  assert_int_equal(bp_program_output(r.p, 1, &b), BP_OK);
  char *text;
  assert_int_equal(bp_graph_print(r.g, &text), BP_OK);
  assert_non_null(strstr(text, "fn=f"));
  bp_free(r.ctx, text);
  close_reading(&r);
}

/* Lists outlive the statement with all that is in them: a name's, a default's, also where an operation takes them as arrays. */
static void lists_are_kept_whole(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    double sum;
  } rows[] = {
      {"x = 2.5\na = ((x, 2*x), (x, 3*x))\nb = [1, 2, 3]\nsum(a)", 17.5},
      {"x = 2.5\na = ((1, 2), (3, (4, [5, 6])))\nb = [7, 8, 9]*2\nx*sum(a[1][1][1])", 27.5},
      {"def f(t=((1, 2), (3, 4))): return sum(t)\nb = [7, 8, 9]\nx = 2.5\nf()*x", 25},
      {"def f(x, t=2*ones(3)): return x*sum(t)\nb = [7, 8, 9]\nx = 2.5\nf(x)", 15},
      {"a = ((1, 2), (3, 4))\nb = concat(a)\nc = [7, 8, 9]\nsum(concat(a)) + sum(b)", 20},
      {"i = ([0, 1], (1, 0))\nx = [[1, 2], [3, 4]]\ny = x[i]\nc = [7, 8, 9]\nsum(x[i]) + sum(y)", 10},
      {"a = (2*ones(2), (3*ones(2), 1))\nb = [7, 8, 9]\nx = 2.5\nx*sum(a[1][0])", 15},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got[MOST], sum = 0;
    reading r = read_text(rows[i].text);
    for (int64_t n = values_of(&r, 0, got); n-- > 0;)
      sum += got[n];
    if (!(fabs(sum - rows[i].sum) < 1e-12))
      fail_msg("%s: %.17g, not %.17g", rows[i].text, sum, rows[i].sum);
    close_reading(&r);
  }
}

static void functions_see_the_latest_value_around_them(void **state)
{
  (void)state;
  double got[MOST];
  reading r = read_text("b = 1.5\ndef f(x): return x + b\nx = 10.5\ny = f(x)\nb = 2.5\ny + f(x)");
  values_of(&r, 0, got);
  assert_true(got[0] == 12 + 13);
  close_reading(&r);
}

static size_t functions_of(const char *text)
{
  reading r = read_text(text);
  size_t n = r.p->n_fns;
  bp_variable v;
  double got[MOST];
  assert_int_equal(bp_program_output(r.p, 0, &v), BP_OK);
  values_of(&r, 0, got);
  assert_true(got[0] == 25 + 36);
  close_reading(&r);
  return n;
}

/* A function is made for each list of types; whole numbers, whose type is open, are no other type than reals. */
static void functions_are_made_once_for_equal_types(void **state)
{
  (void)state;
  assert_int_equal(functions_of("f(x) = x*x\na = 5.0; b = 6.0\nf(a) + f(b)"), 1);
  assert_int_equal(functions_of("f(x) = x*x\na = 5; b = 6\nf(a) + f(b)"), 1);
  assert_int_equal(functions_of("f(x, y) = x*y\na = 5; b = 6\nf(a, a) + f(b, b)"),
                   2); /* other arguments are the same one */
  assert_int_equal(functions_of("a = 5; b = 6\nf(x) = x*a\nc = 2*b - 7\nf(c) + f(b) + 6"), 1);
  assert_int_equal(
      functions_of("k = 2\nf(x) = x.reshape(k, 1)[0, 0]**k\na = [5, 1]; b = [6, 1]\nf(a) + f(b)"),
      2); /* k is read */
  assert_int_equal(functions_of("f(x, n) = x**n\na = 5; b = 6\nf(a, 2) + f(b, 2)"), 1);
  assert_int_equal(functions_of("f(x, n) = x**n\na = 61; b = 6\nf(a, 1) + 0*f(b, 2)"), 2);
}

/* Gradients go through what a function takes from outside. */
static void gradients_reach_what_is_taken_from_outside(void **state)
{
  (void)state;
  reading r = read_text("w = 3.5\nf(x) = w*x\nx = 2.5\nf(x)*f(x)");
  bp_variable out;
  bp_node wrt[2] = {input_of(&r, "w").node, input_of(&r, "x").node}, grads[2];
  assert_int_equal(bp_program_output(r.p, 0, &out), BP_OK);
  assert_int_equal(bp_grad(out.node, wrt, 2, grads), BP_OK);
  bp_plan *plan;
  bp_run *run;
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = grads, .n_outputs = 2};
  double dw, dx;
  assert_int_equal(bp_plan_new(r.g, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_program_bind(r.p, run), BP_OK);
  assert_int_equal(bp_run_step(run), BP_OK);
  assert_int_equal(bp_run_get(run, 0, &dw, 1), BP_OK);
  assert_int_equal(bp_run_get(run, 1, &dx, 1), BP_OK);
  assert_true(dw == 2 * 3.5 * 2.5 * 2.5); /* d (w x)^2 / dw = 2 w x^2 */
  assert_true(dx == 2 * 3.5 * 3.5 * 2.5);
  bp_run_free(run);
  bp_plan_free(plan);
  close_reading(&r);
}

/* ---- draws ---- */

static void draws_follow_the_seed(void **state)
{
  (void)state;
  double a[MOST], b[MOST], c[MOST];
  const char *text = "x = randn(4)\ny = rand(3)\nx";
  for (int seed = 1; seed < 3; seed++) {
    bp_ctx *ctx = bp_ctx_new(NULL);
    bp_program_options o = {.seed = (uint64_t)seed};
    reading r = {ctx, bp_graph_new(ctx), NULL};
    r.p = bp_program_new(r.g, &o);
    assert_int_equal(bp_program_read(r.p, "text", text, strlen(text)), BP_OK);
    values_of(&r, 0, seed == 1 ? a : b);
    close_reading(&r);
  }
  assert_true(a[0] != b[0] && a[1] != a[0]);
  reading r = read_text("z = 3; x = randn(4); x"); /* the default seed is 1 */
  values_of(&r, 0, c);
  assert_memory_equal(a, c, 4 * sizeof *a);
  close_reading(&r);
}

/* ---- what is refused ---- */

/* The numbers are those of docs/faults.md. */
static const struct {
  const char *text, *says;
  bp_status status;
} refused[] = {
    {"", "text:1:1: the text is empty", BP_E_PARSE},                                                /* 75 */
    {"  \n # nothing\n", "the text is empty", BP_E_PARSE},                                          /* 75 */
    {"(1 + 2", "text:1:7: ',' or ')' is missing at the end of the text", BP_E_PARSE},               /* 77 */
    {"1 + 2)", "text:1:6: an operator or the end of the line is wanted here, not ')'", BP_E_PARSE}, /* 77 */
    {"[1, 2)", "text:1:6: ',' or ']'", BP_E_PARSE},                                                 /* 77 */
    {"x = (1]\n", "text:1:7: ',' or ')'", BP_E_PARSE},                                              /* 77 */
    {"{1}", "a value is wanted here, not '{'", BP_E_PARSE},
    {"1..2", "text:1:1: not a number", BP_E_PARSE},                                   /* 80 */
    {"1.2.3", "text:1:1: not a number", BP_E_PARSE},                                  /* 80 */
    {"x = 12ab", "text:1:5: not a number", BP_E_PARSE},                               /* 80 */
    {"1e", "not a number", BP_E_PARSE},                                               /* 80 */
    {"rleu(1)", "no function is called 'rleu'; did you mean 'relu'?", BP_E_NOTFOUND}, /* 81 */
    {"weight = 1\nwieght*2", "text:2:1: nothing is called 'wieght'; did you mean 'weight'?",
     BP_E_NOTFOUND},                                                                                /* 81 */
    {"x + 1", "nothing is called 'x'; give it a value: x = ...", BP_E_NOTFOUND},                    /* 81 */
    {"sum([1], axs=0)", "sum has no argument 'axs'; it is called as sum(x, axes, keep)", BP_E_ARG}, /* 81 */
    {"%n", "a value is wanted here, not '%'", BP_E_PARSE},                                          /* 82 */
    {"x%n = 1", "text:1:1: nothing is called 'x'", BP_E_NOTFOUND},                                  /* 82 */
    {"a\x01 = 1", "text:1:2: this byte has no place in a program", BP_E_PARSE},                     /* 82 */
    {"a\x1b[31m = 1", "text:1:2: this byte", BP_E_PARSE},                                           /* 82 */
    {"\xff\xfe", "text:1:1: this byte", BP_E_PARSE},                                                /* 82 */
    {"x \xe2\x88\x92 1", "text:1:3: this character has no place", BP_E_PARSE},                      /* 82 */
    {"1 \xc2\x85 1", "text:1:3: this character has no place", BP_E_PARSE},                          /* 82 */
    {"a = ones((2, 3)); b = ones((4, 5))\nc = a @ b",
     "text:2:7: matmul('a' real[2,3], 'b' real[4,5]): a has 3 columns, b 4 rows", BP_E_SHAPE},
    {"a = ones((2, 3)); b = ones(2)\na*1 + b", "text:2:5: add(mul#4 real[2,3], 'b' real[2])", BP_E_SHAPE},
    {"ones((2, 3)) + ones(2)", "text:1:14: add(", BP_E_SHAPE},
    {"[[1, 2], [3]]", "text:1:1: the items of this list have different shapes: real[2] and real[1]",
     BP_E_SHAPE},
    {"x = [1, 2]\nx[2]", "text:2:2: index 2 is outside axis 0, which has 2 elements", BP_E_RANGE},
    {"x = [1, 2]\nx[1, 2]", "text:2:2: 2 subscripts for an array of 1 axes", BP_E_SHAPE},
    {"x = [1, 2]\nx[::0]", "the step of a slice is 0", BP_E_ARG},
    {"x = [1, 2]\nx[0.5]", "an index is a whole number, not 0.5", BP_E_DTYPE},
    {"x = [1.5, 2]; softmax_cross_entropy([[1, 2], [3, 4]], x)", "softmax_cross_entropy", BP_E_DTYPE},
    {"relu(1, 2)", "relu takes fewer arguments: relu(x)", BP_E_ARG},
    {"relu()", "relu: an argument is missing; it is called as relu(x)", BP_E_ARG},
    {"relu(x=1, x=2)", "the argument 'x' is given twice", BP_E_ARG},
    {"clip([1])", "clip: lo is missing", BP_E_ARG},
    {"reshape([1, 2, 3], (2, -1))", "text:1:1: reshape(", BP_E_SHAPE},
    {"zeros((2, -3))", "a dim is negative", BP_E_LIMIT},
    {"zeros((1000000000, 1000000000, 1000000000))", "too many elements", BP_E_LIMIT},
    {"randn(100000, 100000)", "over the limit", BP_E_LIMIT},
    {"zeros(1.5)", "a shape is a whole number, not 1.5", BP_E_DTYPE},
    {"def f(x): return f(x) + 1\nx = 2\nf(x)", "text:1:18: f calls itself", BP_E_UNSUPPORTED},
    {"def f(x): return g(x)\ndef g(x): return f(x)\nx = 2.5\nf(x)", "calls itself", BP_E_UNSUPPORTED},
    {"def f(x):\nreturn x", "text:2:1: the body of the function is missing", BP_E_PARSE},
    {"def f(x):\n    y = x\n  return y\n", "text:3:3: this line does not stand in line", BP_E_PARSE},
    {"def f(x): y = x\nf(1)", "f returns nothing", BP_E_ARG},
    {"def f(x, x): return x", "two parameters have this name", BP_E_PARSE},
    {"def f(x): return x\nf(1, 2)", "f takes 1 arguments, and is given 2", BP_E_ARG},
    {"def f(x): return x\nf(y=1)", "f has no parameter 'y'", BP_E_ARG},
    {"def f(x, y): return x\nf(1)", "f: the argument 'y' is missing", BP_E_ARG},
    {"f(x) = x @ ones((2, 2))\nx = ones(3)\nf(x)", "text:1:10: dot(",
     BP_E_SHAPE}, /* the place inside of the function */
    {"return 3", "return stands in a function alone", BP_E_PARSE},
    {"for i in x: y", "there is no for", BP_E_PARSE},
    {"x = 1 if y else 2", "text:1:7: there is no if: where(test, a, b)", BP_E_PARSE},
    {"1 < 2 < 3", "text:1:7: comparisons are not chained", BP_E_PARSE},
    {"True and False", "use & for 'and'", BP_E_PARSE},
    {"a = b = 3", "one assignment a statement", BP_E_PARSE},
    {"a, b = 1, 2, 3", "2 names for 3 values", BP_E_ARG},
    {"x = 'abc", "the string is not closed", BP_E_PARSE},
    {"x = 3; x(2)", "'x' is real[], and cannot be called", BP_E_DTYPE},
    {"x = 3; x.foo", "an array has no '.foo'", BP_E_NOTFOUND},
    {"relu + 1", "an array or number is wanted here, not a function", BP_E_DTYPE},
    {"relu", "this is a function; call it", BP_E_DTYPE},
    {"x = 3; x^2", "text:1:9: ^ is 'either, but not both' of truths; the power is **", BP_E_DTYPE},
    {"x = [1, 2]\nx[0] = 5", "text:2:6: only names are assigned", BP_E_PARSE},
    {"np.random.choice(3)", "np.random has no 'choice' here; it has rand,", BP_E_NOTFOUND},
    {"def f(x):\n  if x > 0:\n    return x\n  return -x", "text:2:3: there is no if", BP_E_PARSE},
    {"import torch", "there is nothing to import", BP_E_PARSE},
    {"gather([1, 2], [5])", "the index is negative or past the last element", BP_E_RANGE},
    {"x = [1, 2, 3]; x[x > 1]", "the size of a selection by truths is not known", BP_E_UNSUPPORTED},
    {"arange(1, 9, 0)", "text:1:1: arange: the step is 0", BP_E_ARG},
    {"arange(-9223372036854775807, 9223372036854775807)",
     "text:1:1: a dim is negative, or the array has too many elements", BP_E_LIMIT},
    {"arange(1e9)", "text:1:1: an array of 1000000000 elements is over the limit", BP_E_LIMIT},
    {"zeros((100000, 100000))", "text:1:1: an array of 10000000000 elements is over the limit of 67108864",
     BP_E_LIMIT},
    {"zeros(3, 4)", "not a number; several dims are one argument, as in zeros((3, 4))", BP_E_DTYPE},
    {"zeros(3, 4, 5)", "zeros takes fewer arguments: zeros(shape, dtype?); several dims are one argument",
     BP_E_ARG},
    {"sinn(1)", "no function is called 'sinn'; did you mean 'sin'?", BP_E_NOTFOUND},
    {"x = 2.5; concat((x, x), 0, 0, 0)", "text:1:10: concat takes fewer arguments: concat(parts..., axis)",
     BP_E_ARG},
    {"a = 1, 1\nb = a, a; c = b, b; d = c, c; e = d, d; g = e, e; h = g, g; i = h, h; k = i, i\nsum(k)",
     "text:3:1: an array has at most 8 axes", BP_E_LIMIT},
    {"state('w')", "there is no state to read from", BP_E_NOTFOUND},
};

static void refusals_say_where_and_what(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    reading r = open_reading();
    bp_status s = bp_program_read(r.p, "text", refused[i].text, strlen(refused[i].text));
    if (s == BP_OK && bp_program_outputs(r.p)) { /* known expressions are worked out when they are run */
      bp_variable v;
      bp_plan *plan = NULL;
      bp_run *run = NULL;
      bp_program_output(r.p, 0, &v);
      bp_plan_options o = {.real = BP_FLOAT64, .outputs = &v.node, .n_outputs = 1};
      s = bp_plan_new(r.g, &o, &plan);
      s = s == BP_OK ? bp_run_new(plan, NULL, &run) : s;
      s = s == BP_OK ? bp_run_step(run) : s;
      bp_run_free(run);
      bp_plan_free(plan);
      if (s != refused[i].status || !strstr(bp_error(), refused[i].says))
        fail_msg("%s: %s, %s", refused[i].text, bp_status_name(s), bp_error());
      close_reading(&r);
      continue;
    }
    const char *said = bp_program_error(r.p);
    if (s != refused[i].status || !strstr(said, refused[i].says) ||
        strncmp(said, bp_error(), strlen(bp_error())) != 0)
      fail_msg("%s\ngave %s: %s\nnot %s: %s", refused[i].text, bp_status_name(s), said,
               bp_status_name(refused[i].status), refused[i].says);
    for (const char *c = said; *c; c++)
      assert_true((unsigned char)*c >= 0x20 || *c == '\n');
    assert_int_equal(bp_graph_mark(r.g), 1); /* what the text made is gone */
    assert_int_equal(bp_program_read(r.p, "text", "1", 1), BP_E_ORDER);
    close_reading(&r);
  }
}

static void a_caret_stands_under_the_operator(void **state)
{
  (void)state;
  reading r = open_reading();
  const char *text = "W = ones((2, 3))\n# π\nh = W.T + λ*(W @ W)\n";
  assert_int_equal(bp_program_set(r.p, "λ", "λ", "2", 1), BP_OK);
  assert_int_equal(bp_program_read(r.p, "net.bp", text, strlen(text)), BP_E_SHAPE);
  assert_string_equal(bp_program_error(r.p),
                      "net.bp:3:16: matmul('W' real[2,3], 'W' real[2,3]): a has 3 columns, b 2 rows\n"
                      "  h = W.T + λ*(W @ W)\n"
                      "                 ^");
  close_reading(&r);
}

/* ---- memory that fails ---- */

static bp_status whole_life(bp_ctx *ctx)
{
  static const char text[] =
      "W = 0.5*randn(3, 2)\nx = [[1, 2, 3], [4, 5, 6]]\ny = [0, 1]\n"
      "def layer(x, act=tanh):\n  z = x @ W\n  return act(z), z\n"
      "h, z = layer(x)\nf(a) = a*a\np = h[:, [1, 0]] + z[::-1]\nf(p)[0]; [h[0, 0], 2]\n"
      "n = x.shape[0]\nmean(softmax_cross_entropy(p, y)) + f(2) + sum(x.reshape(n*3, -1))";
  bp_graph *g = bp_graph_new(ctx);
  bp_program *p = g ? bp_program_new(g, NULL) : NULL;
  bp_status s = p ? bp_program_set(p, "k", "k", "[1,2]*2", 7) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bp_program_read(p, "text", text, sizeof text - 1);
  bp_variable v;
  if (s == BP_OK)
    s = bp_program_output(p, 0, &v);
  if (s == BP_OK && bp_program_inputs(p) == 0)
    s = BP_E_NOMEM;
  bp_program_free(p);
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  for (int onwards = 0; onwards < 2; onwards++) {
    bp_status s = BP_E_NOMEM;
    for (long at = 1; s != BP_OK; at++) {
      failing f = {0};
      bp_ctx *ctx = failing_ctx(&f);
      long live = f.live;
      failing_arm(&f, at, onwards);
      s = whole_life(ctx);
      bool hit = f.calls >= at;
      if (s != BP_OK && s != BP_E_NOMEM)
        fail_msg("allocation %ld: %s %s", at, bp_status_name(s), bp_error());
      assert_true(s == BP_OK ? true : hit);
      failing_arm(&f, 0, false);
      assert_int_equal(f.live, live);
      if (!hit)
        assert_int_equal(s, BP_OK);
      else if (s == BP_OK)
        s = BP_E_NOMEM; /* one that was done without; go on */
      bp_ctx_free(ctx);
      if (!hit)
        break;
      assert_true(at < 100000);
    }
  }
}

static void bad_calls_are_refused(void **state)
{
  (void)state;
  reading r = open_reading();
  bp_variable v;
  bp_span s;
  assert_null(bp_program_new(NULL, NULL));
  assert_int_equal(bp_program_read(NULL, "a", "1", 1), BP_E_ARG);
  assert_int_equal(bp_program_read(r.p, "a", NULL, 1), BP_E_ARG);
  assert_int_equal(bp_program_set_node(r.p, "x", BP_NO_NODE), BP_E_GRAPH);
  assert_int_equal(bp_program_outputs(NULL), 0);
  assert_int_equal(bp_program_inputs(r.p), 0);
  assert_int_equal(bp_program_output(r.p, 0, &v), BP_E_ARG);
  assert_int_equal(bp_program_span(r.p, BP_NO_NODE, &s), BP_E_NOTFOUND);
  assert_int_equal(bp_program_set(r.p, "2x", NULL, "1", 1), BP_E_ARG);
  close_reading(&r);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_mean_what_they_say),
      cmocka_unit_test(known_values_are_inputs_and_the_rest_is_computed),
      cmocka_unit_test(outputs_have_names),
      cmocka_unit_test(values_that_are_set_win),
      cmocka_unit_test(declared_inputs_take_the_values_that_are_set),
      cmocka_unit_test(binding_leaves_out_what_has_no_value),
      cmocka_unit_test(runs_that_fail_show_the_place),
      cmocka_unit_test(texts_are_read_over_nodes),
      cmocka_unit_test(texts_share_a_scope),
      cmocka_unit_test(nodes_know_their_text),
      cmocka_unit_test(a_call_is_one_node_and_equal_types_share_a_function),
      cmocka_unit_test(lists_are_kept_whole),
      cmocka_unit_test(functions_see_the_latest_value_around_them),
      cmocka_unit_test(functions_are_made_once_for_equal_types),
      cmocka_unit_test(gradients_reach_what_is_taken_from_outside),
      cmocka_unit_test(draws_follow_the_seed),
      cmocka_unit_test(refusals_say_where_and_what),
      cmocka_unit_test(a_caret_stands_under_the_operator),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(bad_calls_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

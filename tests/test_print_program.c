/* The law of the printer: parse(print(g)) = g, over graphs built in C of every row, with state, draws, loops and calls, and over programs. */
#include "support/failing.h"
#include "support/linear.h"
#include "support/random_graph.h"
#include "graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- equal graphs ---- */

typedef struct pair {
  uint32_t a, b;
} pair;

typedef struct fn_pair {
  const bp_fn *a, *b;
} fn_pair;

typedef struct comparison {
  fn_pair fns[256];
  int n_fns;
  char why[256];
} comparison;

static bool same_fn(comparison *c, const bp_fn *a, const bp_fn *b);

static bool same_attribute(comparison *c, bp_attr_kind kind, const bp_attr *a, const bp_attr *b)
{
  if (kind == BP_ATTR_FN)
    return same_fn(c, a->fn, b->fn);
  if (kind == BP_ATTR_INTS || kind == BP_ATTR_DATA)
    return a->n == b->n &&
           (a->n == 0 || memcmp(a->v, b->v, (size_t)a->n * (kind == BP_ATTR_INTS ? 8 : 1)) == 0);
  return a->i == b->i;
}

static bool same_node(comparison *c, const bpi_node *a, const bpi_node *b, bool inside)
{
  if (a->op != b->op || a->n_in != b->n_in || a->n_out != b->n_out || a->result != b->result)
    return false;
  if (a->type->dtype != b->type->dtype || !bpi_same_shape(a->type, b->type))
    return false;
  for (int k = 0; k < bpi_op_n_attrs(a->op); k++)
    if (!(inside && (a->op->traits & BP_INPUT) && k == 0) &&
        !same_attribute(c, a->op->attrs[k].kind, &a->attr[k], &b->attr[k]))
      return false;
  return true;
}

/* From pairs of nodes back to the sources: each node of ga has one partner in gb. map: by index of ga. */
static bool same_from(comparison *c, const bp_graph *ga, const bp_graph *gb, const bp_node *a,
                      const bp_node *b, size_t n, bool inside, uint32_t *map)
{
  size_t cap = 1024, top = 0;
  pair *stack = malloc(cap * sizeof *stack);
  bool same = true;
  for (size_t i = 0; i < n; i++) {
    if (top == cap)
      stack = realloc(stack, (cap *= 2) * sizeof *stack);
    stack[top++] = (pair){a[i].index, b[i].index};
  }
  while (top && same) {
    pair p = stack[--top];
    const bpi_node *x = &ga->nodes[p.a], *y = &gb->nodes[p.b];
    if (map[p.a]) {
      same = map[p.a] == p.b;
      if (!same)
        snprintf(c->why, sizeof c->why, "%s#%u has two partners", x->op->name, p.a);
      continue;
    }
    map[p.a] = p.b;
    same = same_node(c, x, y, inside);
    if (!same && !c->why[0])
      snprintf(c->why, sizeof c->why, "%s#%u is not %s#%u", x->op->name, p.a, y->op->name, p.b);
    if (top + x->n_in > cap)
      stack = realloc(stack, (cap = 2 * cap + x->n_in) * sizeof *stack);
    for (int k = 0; same && k < x->n_in; k++)
      stack[top++] = (pair){x->in[k], y->in[k]};
  }
  free(stack);
  return same;
}

static bool same_fn(comparison *c, const bp_fn *a, const bp_fn *b)
{
  for (int i = 0; i < c->n_fns; i++)
    if (c->fns[i].a == a || c->fns[i].b == b)
      return c->fns[i].a == a && c->fns[i].b == b;
  if (a->n_inputs != b->n_inputs || a->n_outputs != b->n_outputs || strcmp(a->name, b->name) != 0) {
    snprintf(c->why, sizeof c->why, "function %s is not %s, or takes and gives other values", a->name,
             b->name);
    return false;
  }
  assert_true(c->n_fns < 256);
  c->fns[c->n_fns++] = (fn_pair){a, b};
  uint32_t *map = calloc(a->body->count, sizeof *map);
  for (size_t i = 0; i < a->n_inputs; i++)
    map[a->inputs[i].index] = b->inputs[i].index;
  bool same = same_from(c, a->body, b->body, a->outputs, b->outputs, a->n_outputs, true, map);
  free(map);
  return same;
}

/* Every name of what the outputs need names the partner. */
static bool same_names(comparison *c, const bp_graph *a, const bp_graph *b, const uint32_t *map)
{
  for (size_t i = 0; i < a->n_names; i++) {
    uint32_t index = a->names[i].index;
    if (!map[index])
      continue;
    bool found = false;
    for (size_t k = 0; k < b->n_names && !found; k++)
      found = b->names[k].index == map[index] && strcmp(a->names[i].name, b->names[k].name) == 0;
    if (!found) {
      snprintf(c->why, sizeof c->why, "the name '%s' is lost", a->names[i].name);
      return false;
    }
  }
  return true;
}

/* Prints, reads, compares; the text for whoever wants it. */
static bool round_trip(bp_graph *g, const bp_node *outputs, size_t n, bool names, comparison *c, char **text)
{
  memset(c, 0, sizeof *c);
  if (bp_program_print(g, outputs, n, NULL, text) != BP_OK) {
    snprintf(c->why, sizeof c->why, "%s", bp_error());
    return false;
  }
  bp_graph *back = bp_graph_new(bp_graph_ctx(g));
  bp_program_options o = {.state = g->state};
  bp_program *p = bp_program_new(back, &o);
  bp_node *got = calloc(n, sizeof *got);
  uint32_t *map = calloc(g->count, sizeof *map);
  bool same = bp_program_read(p, "printed", *text, strlen(*text)) == BP_OK && bp_program_outputs(p) == n;
  if (!same)
    snprintf(c->why, sizeof c->why, "%s (%zu outputs)", bp_program_error(p), bp_program_outputs(p));
  for (size_t i = 0; i < n && same; i++) {
    bp_variable v;
    assert_int_equal(bp_program_output(p, i, &v), BP_OK);
    got[i] = v.node;
  }
  same =
      same && same_from(c, g, back, outputs, got, n, false, map) && (!names || same_names(c, g, back, map));
  free(map);
  free(got);
  bp_program_free(p);
  bp_graph_free(back);
  return same;
}

static void assert_round_trip(bp_graph *g, const bp_node *outputs, size_t n)
{
  comparison c;
  char *text = NULL;
  if (!round_trip(g, outputs, n, true, &c, &text))
    fail_msg("%s\n%s", c.why, text ? text : "");
  bp_free(bp_graph_ctx(g), text);
}

/* ---- random graphs: rows of the whole table, views, loops, state, constants ---- */

static void random_graphs_come_back(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int rows = 0;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    rgraph r;
    assert_true(rg_open(&r, ctx, seed));
    comparison c;
    char *text = NULL;
    bp_node all[64];
    size_t n = 0;
    for (size_t i = 0; i < r.n_outputs; i++)
      all[n++] = r.outputs[i];
    for (size_t i = 0; i < r.n_updates; i++)
      all[n++] = r.updates[i].value;
    if (!round_trip(r.g, all, n, true, &c, &text))
      fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, c.why, text ? text : "");
    rows += r.rows_used;
    bp_free(ctx, text);
    rg_close(&r);
  }
  assert_true(rows > 1000);
  bp_ctx_free(ctx);
}

/* Gradients have rows that nobody writes by hand, and derived functions. */
static void gradients_come_back(void **state)
{
  (void)state;
  static const char text[] = "def layer(x, W, b): return tanh(x @ W + b)\n"
                             "x = randn(5, 3); W = randn(3, 4); b = 0.1*randn(4); V = randn(4, 2); c = "
                             "0.1*randn(2)\ny = [0, 1, 1, 0, 1]\n"
                             "h = maximum(layer(x, W, b), 0.1)\nz = layer(h, V, c)[::-1]\n"
                             "loss = mean(softmax_cross_entropy(z, y)) + max(h[1:, 2]) + sum(h[[0, 0, 3]])";
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_program *p = bp_program_new(g, NULL);
  assert_int_equal(bp_program_read(p, "text", text, strlen(text)), BP_OK);
  bp_node wrt[3] = {bp_program_find(p, "W"), bp_program_find(p, "b"), bp_program_find(p, "V")}, out[4];
  out[0] = bp_program_find(p, "loss");
  assert_int_equal(bp_grad(out[0], wrt, 3, out + 1), BP_OK);
  assert_round_trip(g, out, 4);
  bp_program_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* ---- what is easily lost ---- */

static void constants_keep_their_bits(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  const double odd[] = {0.0,         -0.0,   1,        -1,        0.1, 1e-300,
                        1e300,       5e-324, INFINITY, -INFINITY, NAN, 9007199254740993.0,
                        123456789.0, 1e22};
  const int64_t ints[] = {0, -1, INT64_MAX, INT64_MIN, 9007199254740993}, n_odd = 14, n_ints = 5,
                dims[3] = {2, 0, 3}, two[2] = {2, 2};
  bp_node out[32];
  size_t n = 0;
  for (int i = 0; i < 14; i++)
    out[n++] = bp_constant(g, odd[i]);
  for (int i = 0; i < 5; i++)
    out[n++] = bp_constant_int(g, ints[i]);
  out[n++] = bp_array_constant(g, BP_REAL, 1, &n_odd, odd);
  out[n++] = bp_array_constant(g, BP_INT64, 1, &n_ints, ints);
  out[n++] = bp_array_constant(g, BP_BOOL, 2, two, "\1\0\0\1");
  out[n++] = bp_full(g, BP_BOOL, 1, 0, NULL);
  out[n++] = bp_full(g, BP_REAL, -0.0, 2, two);
  out[n++] = bp_full(g, BP_INT64, -7, 2, two);
  out[n++] = bp_array_constant(g, BP_REAL, 2, two, (double[]){1, 1, 1, 1}); /* not the same as full */
  out[n++] = bp_full(g, BP_REAL, 0, 3, dims);
  out[n++] = bp_array_constant(g, BP_REAL, 3, dims, NULL);
  assert_int_equal(bp_graph_status(g), BP_OK);
  assert_round_trip(g, out, n);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

static void operators_between_constants_are_not_worked_out(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), two = bp_constant(g, 2), minus = bp_constant(g, -2);
  bp_node three = bp_add(two, bp_constant(g, 1)), i = bp_constant_int(g, 3);
  bp_node out[] = {bp_neg(two),
                   three,
                   bp_mul(three, x),
                   bp_pow(minus, x),
                   bp_pow(bp_neg(x), two),
                   bp_neg(bp_pow(x, minus)),
                   bp_add(i, i),
                   bp_mul(bp_cast(bp_add(i, i), BP_REAL), x),
                   bp_sub(x, bp_sub(two, x)),
                   bp_div(bp_div(x, two), bp_mul(x, two)),
                   bp_logical_not(bp_less(x, bp_logical_and(bp_less(x, two), bp_less(two, x)))),
                   bp_maximum(two, two),
                   bp_maximum(x, two),
                   bp_maximum(two, x),
                   bp_maximum(x, x)};
  bp_graph_clear(g); /* less of a real and a bool is refused */
  out[10] = bp_logical_not(bp_logical_or(bp_less(x, two), bp_equal(x, minus)));
  assert_round_trip(g, out, sizeof out / sizeof *out);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

static void names_of_every_kind_come_back(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "encoder.0/W \"it's\"\n\\", BP_REAL, 0, NULL),
          pi = bp_input(g, "pi", BP_REAL, 0, NULL);
  bp_node y = bp_name(bp_name(bp_exp(x), "y"), "also y"), f = bp_name(bp_mul(y, pi), "sum"),
          lambda = bp_name(bp_sin(f), "lambda");
  bp_node under = bp_name(bp_cos(lambda), "_hidden"), sigma = bp_name(bp_tanh(under), "σ");
  bp_name(bp_constant(g, 3), "three");
  bp_node out[] = {sigma, lambda, bp_add(bp_find(g, "three"), x)};
  assert_int_equal(bp_graph_status(g), BP_OK);
  assert_round_trip(g, out, 3);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* A loop that draws, a call that draws, a function used by both, and one whose result is a constant. */
static void functions_and_draws_come_back(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  const int64_t two = 2, xs_dims[2] = {4, 2};
  bp_graph *b = bp_graph_new(ctx);
  bp_node in[3] = {bp_input(b, "h", BP_REAL, 1, &two), bp_input(b, "x", BP_REAL, 1, &two),
                   bp_input(b, "key", BP_INT64, 1, &two)};
  bp_node h = bp_tanh(bp_add(bp_dropout(in[0], in[2], 0.25), in[1])),
          both[2] = {h, bp_mul(h, bp_constant(b, 2))};
  bp_fn *step = bp_fn_new("a step", b, in, 3, both, 2);
  bp_graph *k = bp_graph_new(ctx);
  bp_node unused = bp_input(k, "x", BP_REAL, 1, &two), seven = bp_full(k, BP_REAL, 7, 1, &two);
  bp_fn *constant = bp_fn_new("seven", k, &unused, 1, &seven, 1);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "xs", BP_REAL, 2, xs_dims), key = bp_input(g, "key", BP_INT64, 1, &two), out[8],
          y[4];
  bp_node ones = bp_full(g, BP_REAL, 1, 1, &two);
  assert_int_equal(bp_call(step, (bp_node[]){ones, ones, key}, 3, y), BP_OK);
  out[0] = y[1];
  assert_int_equal(bp_call(step, (bp_node[]){y[0], ones, key}, 3, y), BP_OK);
  out[1] = y[0];
  assert_int_equal(bp_call(constant, &out[1], 1, &out[2]), BP_OK);
  assert_int_equal(bp_scan(step, &ones, 1, &x, 1, &key, 1, 0, true, y), BP_OK);
  out[3] = y[0];
  out[4] = bp_uniform(key, xs_dims, 2);
  out[5] = bp_normal(key, xs_dims, 2);
  out[6] = bp_uniform(key, xs_dims, 2);
  bp_node loss = bp_add(bp_sum(out[3], NULL, 0, false), bp_sum(y[1], NULL, 0, false));
  assert_int_equal(bp_grad(loss, &x, 1, &out[7]), BP_OK);
  assert_int_equal(bp_graph_status(g), BP_OK);
  assert_round_trip(g, out, 8);
  bp_graph_free(g);
  bp_fn_free(step);
  bp_fn_free(constant);
  bp_ctx_free(ctx);
}

/* ---- how it looks ---- */

static const struct {
  const char *text, *printed;
} looks[] = {
    {"x = 2.5\ny = 1/(1 + exp(-x))", "x = 2.5\ny = 1.0/(1.0 + exp(-x))\ny\n"},
    {"x = [1, 2]; W = [[1, 2], [3, 4]]\nh = x @ W - 1.5\nsum(h*h)",
     "x = [1.0, 2.0]\nW = [[1.0, 2.0], [3.0, 4.0]]\nh = dot(x, W) - 1.5\nsum(h*h)\n"},
    {"x = randn(2, 3)*0\nx[0] + x.T[1:, 0][:, None]", NULL},
    {"x = [3.5, 4.5]\nf(a) = a*a\nf(x) + f(2*x)",
     "def _f_1(a: real[2]): 'f'\n  return a*a\n\nx = [3.5, 4.5]\n_f_1(x) + _f_1(2.0*x)\n"},
    {"x = [3.5, 4.5]\ny = [1, 0]\nz = [[1.5, 2], [3, 4]]\nmean(softmax_cross_entropy(z, y)) + sum(x[::-1]) + "
     "max(x, 4)[0]",
     NULL},
    {"x = 3.5\n(x - (x - 1))/(x/x)*-x**2", "x = 3.5\n(x - (x - 1.0))/(x/x)*-x**2.0\n"},
};

static void programs_come_back_as_they_were_written(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
    bp_ctx *ctx = bp_ctx_new(NULL);
    bp_graph *g = bp_graph_new(ctx);
    bp_program *p = bp_program_new(g, NULL);
    char *text;
    bp_variable v;
    assert_int_equal(bp_program_read(p, "text", looks[i].text, strlen(looks[i].text)), BP_OK);
    assert_int_equal(bp_program_output(p, 0, &v), BP_OK);
    assert_int_equal(bp_program_print(g, &v.node, 1, p, &text), BP_OK);
    if (looks[i].printed)
      assert_string_equal(text, looks[i].printed);
    bp_free(ctx, text);
    assert_round_trip(g, &v.node, 1);
    bp_program_free(p);
    bp_graph_free(g);
    bp_ctx_free(ctx);
  }
}

/* ---- cost and faults ---- */

static double print_and_read(void *longest, int nodes)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx), *back = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = x;
  char name[32], *text;
  for (int i = 0; i < nodes; i++) {
    y = i % 3 ? bp_sin(y) : bp_add(y, x);
    snprintf(name, sizeof name, "n%d", i);
    if (i % 7 == 0)
      bp_name(y, name);
  }
  double start = processor_seconds();
  assert_int_equal(bp_program_print(g, &y, 1, NULL, &text), BP_OK);
  bp_program *p = bp_program_new(back, NULL);
  assert_int_equal(bp_program_read(p, "printed", text, strlen(text)), BP_OK);
  double seconds = processor_seconds() - start;
  assert_int_equal(bp_graph_mark(back), bp_graph_mark(g));
  assert_true(strlen(text) < (size_t)nodes * *(const size_t *)longest);
  bp_free(ctx, text);
  bp_program_free(p);
  bp_graph_free(back);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return seconds;
}

/* 100,000 nodes take about ten times what 10,000 take, in time and in text: a quadratic printer would take a hundred times as long. */
static void a_hundred_thousand_nodes(void **state)
{
  (void)state;
  size_t longest = 40; /* bytes a node */
  assert_true(is_linear(print_and_read, &longest, 10000, 10, 0));
}

static bp_status print_once(bp_ctx *ctx)
{
  static const char text[] =
      "f(a) = a*a\nx = [1.5, 2.5]\ny = f(x) + maximum(x, 2)\nq, r = split(y, parts=2)\nq - r";
  bp_graph *g = bp_graph_new(ctx);
  bp_program *p = g ? bp_program_new(g, NULL) : NULL;
  bp_variable v;
  char *printed = NULL;
  bp_status s = p ? bp_program_read(p, "text", text, sizeof text - 1) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bp_program_output(p, 0, &v);
  if (s == BP_OK)
    s = bp_program_print(g, &v.node, 1, p, &printed);
  bp_free(ctx, printed);
  bp_program_free(p);
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(print_once) > 50);
}

static void bad_calls_are_refused(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx), *other = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = bp_input(other, "x", BP_REAL, 0, NULL);
  static bp_op own; /* a row of the caller's own */
  own = *bp_op_find("exp");
  own.name = "my_exp";
  bp_node mine;
  char *text;
  assert_int_equal(bp_apply(g, &own, &x, 1, NULL, &mine), BP_OK);
  assert_int_equal(bp_program_print(NULL, &x, 1, NULL, &text), BP_E_ARG);
  assert_int_equal(bp_program_print(g, NULL, 1, NULL, &text), BP_E_ARG);
  assert_int_equal(bp_program_print(g, &x, 0, NULL, &text), BP_E_ARG);
  assert_int_equal(bp_program_print(g, &y, 1, NULL, &text), BP_E_GRAPH);
  assert_int_equal(bp_program_print(g, &mine, 1, NULL, &text), BP_E_UNSUPPORTED);
  assert_non_null(strstr(bp_error(), "my_exp"));
  bp_graph_free(g);
  bp_graph_free(other);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constants_keep_their_bits),
      cmocka_unit_test(operators_between_constants_are_not_worked_out),
      cmocka_unit_test(names_of_every_kind_come_back),
      cmocka_unit_test(functions_and_draws_come_back),
      cmocka_unit_test(programs_come_back_as_they_were_written),
      cmocka_unit_test(gradients_come_back),
      cmocka_unit_test(random_graphs_come_back),
      cmocka_unit_test(a_hundred_thousand_nodes),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(bad_calls_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

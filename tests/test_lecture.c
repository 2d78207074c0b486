/* The circuits by which backpropagation is taught, node by node, through the C API. Every number is worked out by hand beside its table;
 * e^-1 and what follows from it was computed to 40 digits with mpmath. Forward and backward passes are read from a trace, and each
 * product is upstream times local gradient.
 * Source of the circuits: Karpathy et al., CS231n lecture notes, "Backpropagation, intuitions". */
#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct desk {
  bp_ctx *ctx;
  bp_graph *g;
  bp_trace *t;
} desk;

static int set_up(void **state)
{
  desk *d = calloc(1, sizeof *d);
  d->ctx = bp_ctx_new(NULL);
  d->g = bp_graph_new(d->ctx);
  *state = d;
  return 0;
}

static int tear_down(void **state)
{
  desk *d = *state;
  bp_trace_free(d->t);
  bp_graph_free(d->g);
  bp_ctx_free(d->ctx);
  free(d);
  return 0;
}

static bp_node scalar(desk *d, const char *name)
{
  return bp_input(d->g, name, BP_REAL, 0, NULL);
}

static bp_node matrix(desk *d, const char *name, int64_t rows, int64_t cols)
{
  return bp_input(d->g, name, BP_REAL, 2, (int64_t[]){rows, cols});
}

static void trace_of(desk *d, bp_node f)
{
  if (bp_trace_new(&f, 1, NULL, &d->t) != BP_OK)
    fail_msg("%s", bp_error());
}

static void feed(desk *d, const char *name, const double *x, size_t n)
{
  if (bp_trace_bind(d->t, name, x, n * sizeof *x) != BP_OK)
    fail_msg("%s", bp_error());
}

static void feed_scalars(desk *d, const char *const *names, const double *values, int n)
{
  for (int i = 0; i < n; i++)
    feed(d, names[i], &values[i], 1);
  if (bp_trace_run(d->t) != BP_OK)
    fail_msg("%s", bp_error());
}

/* n elements of a part of a node, to 1e-12. */
static void assert_part(desk *d, bp_trace_part part, bp_node node, int k, const double *want, size_t n)
{
  double got[16];
  size_t i;
  if (bp_trace_locate(d->t, node, &i, NULL) != BP_OK || bp_trace_get(d->t, part, i, k, got, n) != BP_OK)
    fail_msg("%s", bp_error());
  for (size_t e = 0; e < n; e++)
    if (!(fabs(got[e] - want[e]) <= 1e-12))
      fail_msg("part %d, number %d, of node %zu, %s: element %zu is %.17g, not %.17g", (int)part, k, i,
               bp_node_op(node, NULL)->name, e, got[e], want[e]);
}

/* One line of a circuit's table: a node, its value and gradient, and for each input the local gradient. */
typedef struct line {
  bp_node node;
  double value, gradient;
  int n_in;
  double local[3];
} line;

static bool fixed_input(desk *d, bp_node node, int k)
{
  size_t i;
  assert_int_equal(bp_trace_locate(d->t, node, &i, NULL), BP_OK);
  return bp_trace_at(d->t, bp_trace_at(d->t, i)->in[k].from)->fixed;
}

/* The table, and that every product is gradient times local gradient; constants get none. */
static void assert_circuit(desk *d, const line *lines, int n)
{
  for (int i = 0; i < n; i++) {
    const line *l = &lines[i];
    assert_part(d, BP_TRACE_VALUE, l->node, 0, &l->value, 1);
    assert_part(d, BP_TRACE_GRADIENT, l->node, 0, &l->gradient, 1);
    for (int k = 0; k < l->n_in; k++) {
      const double product = fixed_input(d, l->node, k) ? 0 : l->gradient * l->local[k];
      assert_part(d, BP_TRACE_LOCAL, l->node, k, &l->local[k], 1);
      assert_part(d, BP_TRACE_PRODUCT, l->node, k, &product, 1);
    }
  }
}

/* ---- f = (x + y) z at x = -2, y = 5, z = -4 ----
 * q = x + y = 3, f = q z = -12. df/dq = z = -4, df/dz = q = 3, df/dx = df/dq dq/dx = -4 · 1, df/dy = -4 · 1. */
static void sum_times_z(void **state)
{
  desk *d = *state;
  bp_node x = scalar(d, "x"), y = scalar(d, "y"), z = scalar(d, "z"), q = bp_add(x, y), f = bp_mul(q, z);
  trace_of(d, f);
  feed_scalars(d, (const char *const[]){"x", "y", "z"}, (double[]){-2, 5, -4}, 3);
  const line table[] = {
      {x, -2, -4, 0, {0}},   {y, 5, -4, 0, {0}},      {z, -4, 3, 0, {0}},
      {q, 3, -4, 2, {1, 1}}, {f, -12, 1, 2, {-4, 3}},
  };
  assert_circuit(d, table, 5);
  assert_int_equal(bp_trace_count(d->t), 5);
}

/* ---- the sigmoid neuron, f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) at w = (2, -3, -3), x = (-1, -2) ----
 *
 *   forward     w0 x0 = -2, w1 x1 = 6, their sum 4, s = 4 - 3 = 1, -s = -1, e = exp(-1) = 0.367879441171442,
 *               d = 1 + e = 1.367879441171442, f = 1/d = 0.731058578630005
 *   backward    df/df = 1                                                              1.00
 *               df/dd = -1/d^2            = -0.534446645388523                        -0.53
 *               df/de = df/dd · 1         = -0.534446645388523                        -0.53
 *               df/d(-s) = df/de · e      = -0.196611933241482                        -0.20
 *               df/ds = df/d(-s) · -1     =  0.196611933241482                         0.20
 *               and an add hands the same 0.20 to each of its inputs:  0.20 for the sum of products and w2, then for each product
 *   a product swaps its inputs: df/dw0 = x0 · 0.1966... = -0.196611933241482, df/dx0 = w0 · 0.1966... = 0.393223866482964,
 *               df/dw1 = x1 · 0.1966... = -0.393223866482964, df/dx1 = w1 · 0.1966... = -0.589835799724446 */
static void the_sigmoid_neuron(void **state)
{
  desk *d = *state;
  static const char *const names[5] = {"w0", "x0", "w1", "x1", "w2"};
  static const double at[5] = {2, -1, -3, -2, -3};
  const double e = 0.3678794411714423216, f = 0.73105857863000487925, dd = -0.53444664538852302671,
               ds = 0.19661193324148185254;
  bp_node v[5];
  for (int i = 0; i < 5; i++)
    v[i] = scalar(d, names[i]);
  bp_node a = bp_mul(v[0], v[1]), b = bp_mul(v[2], v[3]), ab = bp_add(a, b), s = bp_add(ab, v[4]),
          m = bp_neg(s), ex = bp_exp(m), de = bp_add(bp_constant(d->g, 1), ex), y = bp_reciprocal(de);
  trace_of(d, y);
  feed_scalars(d, names, at, 5);
  const line table[] = {
      {v[0], 2, -ds, 0, {0}},
      {v[1], -1, 0.39322386648296370507, 0, {0}},
      {v[2], -3, -0.39322386648296370507, 0, {0}},
      {v[3], -2, -0.58983579972444555761, 0, {0}},
      {v[4], -3, ds, 0, {0}},
      {a, -2, ds, 2, {-1, 2}},
      {b, 6, ds, 2, {-2, -3}},
      {ab, 4, ds, 2, {1, 1}},
      {s, 1, ds, 2, {1, 1}},
      {m, -1, -ds, 1, {-1}},
      {ex, e, dd, 1, {e}},
      {y, f, 1, 1, {dd}},
  };
  assert_circuit(d, table, 12);
  /* The constant 1 gets nothing; the wire beside it passes its gradient on. */
  assert_part(d, BP_TRACE_GRADIENT, de, 0, &dd, 1);
  assert_part(d, BP_TRACE_PRODUCT, de, 1, &dd, 1);
  /* The eight gradients of the lecture, from the output back, to two places. */
  static const char *const two_places[8] = {"1.00", "-0.53", "-0.53", "-0.20",
                                            "0.20", "0.20",  "0.20",  "0.20"};
  const bp_node back[8] = {y, de, ex, m, s, ab, a, b};
  for (int i = 0; i < 8; i++) {
    double got;
    char text[16];
    size_t where;
    assert_int_equal(bp_trace_locate(d->t, back[i], &where, NULL), BP_OK);
    assert_int_equal(bp_trace_get(d->t, BP_TRACE_GRADIENT, where, 0, &got, 1), BP_OK);
    snprintf(text, sizeof text, "%.2f", got);
    assert_string_equal(text, two_places[i]);
  }
}

/* The same neuron with its last four nodes drawn as one: df/ds = f (1 - f). */
static void the_neuron_with_its_sigmoid_as_one_node(void **state)
{
  desk *d = *state;
  static const char *const names[5] = {"w0", "x0", "w1", "x1", "w2"};
  const double ds = 0.19661193324148185254;
  bp_node v[5];
  for (int i = 0; i < 5; i++)
    v[i] = scalar(d, names[i]);
  bp_node s = bp_add(bp_add(bp_mul(v[0], v[1]), bp_mul(v[2], v[3])), v[4]), y = bp_sigmoid(s);
  trace_of(d, y);
  feed_scalars(d, names, (double[]){2, -1, -3, -2, -3}, 5);
  const line table[] = {{s, 1, ds, 2, {1, 1}},
                        {y, 0.73105857863000487925, 1, 1, {ds}},
                        {v[3], -2, -0.58983579972444555761, 0, {0}}};
  assert_circuit(d, table, 3);
}

/* ---- f = 2 (x y + max(z, w)) at x = 3, y = -4, z = 2, w = -1: add hands its gradient out, max routes it, mul swaps its inputs ----
 * x y = -12, max(z, w) = 2, their sum -10, f = -20. df/dsum = 2; both wires of the add get 2; of the max z gets all of it, w nothing;
 * df/dx = y · 2 = -8, df/dy = x · 2 = 6. */
static void distributor_router_swap(void **state)
{
  desk *d = *state;
  bp_node x = scalar(d, "x"), y = scalar(d, "y"), z = scalar(d, "z"), w = scalar(d, "w");
  bp_node p = bp_mul(x, y), m = bp_maximum(z, w), s = bp_add(p, m), f = bp_mul(bp_constant(d->g, 2), s);
  int winner;
  size_t i;
  trace_of(d, f);
  feed_scalars(d, (const char *const[]){"x", "y", "z", "w"}, (double[]){3, -4, 2, -1}, 4);
  const line table[] = {
      {x, 3, -8, 0, {0}},      {y, -4, 6, 0, {0}},   {z, 2, 2, 0, {0}},      {w, -1, 0, 0, {0}},
      {p, -12, 2, 2, {-4, 3}}, {m, 2, 2, 2, {1, 0}}, {s, -10, 2, 2, {1, 1}}, {f, -20, 1, 0, {0}},
  };
  assert_circuit(d, table, 8);
  assert_int_equal(bp_trace_locate(d->t, m, &i, NULL), BP_OK);
  assert_int_equal(bp_trace_winners(d->t, i, &winner, NULL, 1), BP_OK);
  assert_int_equal(winner, 0);
  /* The other way round the router lets the other through. */
  feed_scalars(d, (const char *const[]){"x", "y", "z", "w"}, (double[]){3, -4, -5, -1}, 4);
  const line other[] = {{z, -5, 0, 0, {0}}, {w, -1, 2, 0, {0}}, {m, -1, 2, 2, {0, 1}}};
  assert_circuit(d, other, 3);
  assert_int_equal(bp_trace_winners(d->t, i, &winner, NULL, 1), BP_OK);
  assert_int_equal(winner, 1);
}

/* A tie has one winner too: the first, except that a constant wins. max(a, b) + max(a, 0) + max(0, b) at a = b = 0. */
static void ties_have_one_winner(void **state)
{
  desk *d = *state;
  bp_node a = scalar(d, "a"), b = scalar(d, "b"), zero = bp_constant(d->g, 0);
  bp_node ab = bp_maximum(a, b), a0 = bp_maximum(a, zero), b0 = bp_maximum(zero, b);
  trace_of(d, bp_add(bp_add(ab, a0), b0));
  feed_scalars(d, (const char *const[]){"a", "b"}, (double[]){0, 0}, 2);
  const line table[] = {{ab, 0, 1, 2, {1, 0}},
                        {a0, 0, 1, 2, {0, 1}},
                        {b0, 0, 1, 2, {1, 0}},
                        {a, 0, 1, 0, {0}},
                        {b, 0, 0, 0, {0}}};
  assert_circuit(d, table, 5);
}

/* ---- a wire that forks: f = x y + x at x = 3, y = -2 ----
 * p = x y = -6, f = -3. Back along the wire of x come y · 1 = -2 from the product and 1 from the sum, -1 together; df/dy = 3. */
static void gradients_add_where_wires_fork(void **state)
{
  desk *d = *state;
  bp_node x = scalar(d, "x"), y = scalar(d, "y"), p = bp_mul(x, y), f = bp_add(p, x);
  size_t i;
  trace_of(d, f);
  feed_scalars(d, (const char *const[]){"x", "y"}, (double[]){3, -2}, 2);
  const line table[] = {
      {x, 3, -1, 0, {0}}, {y, -2, 3, 0, {0}}, {p, -6, 1, 2, {-2, 3}}, {f, -3, 1, 2, {1, 1}}};
  assert_circuit(d, table, 4);
  assert_int_equal(bp_trace_locate(d->t, x, &i, NULL), BP_OK);
  assert_int_equal(bp_trace_at(d->t, i)->n_uses, 2);
}

/* ---- both places of one node: f = x x at x = 3; each gets 3, together 6 ---- */
static void a_square_as_a_product(void **state)
{
  desk *d = *state;
  bp_node x = scalar(d, "x"), f = bp_mul(x, x);
  trace_of(d, f);
  feed_scalars(d, (const char *const[]){"x"}, (double[]){3}, 1);
  const line table[] = {{x, 3, 6, 0, {0}}, {f, 9, 1, 2, {3, 3}}};
  assert_circuit(d, table, 2);
}

/* ---- a network of two layers, s = W2 max(0, W1 x), x one column; the gradient of s0 - 2 s1 ----
 *
 *   x = (2, 1)',  W1 = [1 -1; 2 1; -1 1]:      z = W1 x = (1, 5, -1)',  h = max(0, z) = (1, 5, 0)'
 *   W2 = [1 -2 3; 0 1 -1]:                     s = W2 h = (1 - 10 + 0, 5 - 0)' = (-9, 5)',  loss = -9 - 10 = -19
 *   ds = (1, -2)'
 *   dW2 = ds h' = [1 5 0; -2 -10 0]            dh = W2' ds = (1, -2 - 2, 3 + 2)' = (1, -4, 5)'
 *   dz = dh where z > 0 = (1, -4, 0)'          the third unit is off: nothing goes through it
 *   dW1 = dz x' = [2 1; -8 -4; 0 0]            dx = W1' dz = (1 - 8, -1 - 4)' = (-7, -5)' */
static void a_network_of_two_layers(void **state)
{
  desk *d = *state;
  bp_node x = matrix(d, "x", 2, 1), W1 = matrix(d, "W1", 3, 2), W2 = matrix(d, "W2", 2, 3);
  bp_node z = bp_matmul(W1, x), h = bp_maximum(bp_constant(d->g, 0), z), s = bp_matmul(W2, h);
  bp_node weight = bp_array_constant(d->g, BP_REAL, 2, (int64_t[]){2, 1}, (double[]){1, -2});
  trace_of(d, bp_sum(bp_mul(s, weight), NULL, 0, false));
  feed(d, "x", (double[]){2, 1}, 2);
  feed(d, "W1", (double[]){1, -1, 2, 1, -1, 1}, 6);
  feed(d, "W2", (double[]){1, -2, 3, 0, 1, -1}, 6);
  assert_int_equal(bp_trace_run(d->t), BP_OK);
  assert_part(d, BP_TRACE_VALUE, z, 0, (double[]){1, 5, -1}, 3);
  assert_part(d, BP_TRACE_VALUE, h, 0, (double[]){1, 5, 0}, 3);
  assert_part(d, BP_TRACE_VALUE, s, 0, (double[]){-9, 5}, 2);
  assert_part(d, BP_TRACE_GRADIENT, s, 0, (double[]){1, -2}, 2);
  assert_part(d, BP_TRACE_GRADIENT, W2, 0, (double[]){1, 5, 0, -2, -10, 0}, 6);
  assert_part(d, BP_TRACE_GRADIENT, h, 0, (double[]){1, -4, 5}, 3);
  assert_part(d, BP_TRACE_LOCAL, h, 1, (double[]){1, 1, 0}, 3);
  assert_part(d, BP_TRACE_GRADIENT, z, 0, (double[]){1, -4, 0}, 3);
  assert_part(d, BP_TRACE_GRADIENT, W1, 0, (double[]){2, 1, -8, -4, 0, 0}, 6);
  assert_part(d, BP_TRACE_GRADIENT, x, 0, (double[]){-7, -5}, 2);
  assert_part(d, BP_TRACE_PRODUCT, z, 0, (double[]){2, 1, -8, -4, 0, 0}, 6);
  assert_part(d, BP_TRACE_PRODUCT, z, 1, (double[]){-7, -5}, 2);
}

/* ---- shapes: L = sum of (W x)^2, a gradient is shaped like what it belongs to ----
 * W = [0.1 0.5; -0.3 0.8], x = (0.2, 0.4)': q = W x = (0.22, 0.26)', L = 0.0484 + 0.0676 = 0.116. dq = 2 q = (0.44, 0.52)',
 * dW = dq x' = [0.088 0.176; 0.104 0.208], dx = W' dq = (0.044 - 0.156, 0.22 + 0.416)' = (-0.112, 0.636)'. */
static void the_squared_norm_of_a_product(void **state)
{
  desk *d = *state;
  bp_node W = matrix(d, "W", 2, 2), x = matrix(d, "x", 2, 1), q = bp_matmul(W, x), sq = bp_square(q);
  bp_node L = bp_sum(sq, NULL, 0, false);
  trace_of(d, L);
  feed(d, "W", (double[]){0.1, 0.5, -0.3, 0.8}, 4);
  feed(d, "x", (double[]){0.2, 0.4}, 2);
  assert_int_equal(bp_trace_run(d->t), BP_OK);
  assert_part(d, BP_TRACE_VALUE, L, 0, (double[]){0.116}, 1);
  assert_part(d, BP_TRACE_VALUE, q, 0, (double[]){0.22, 0.26}, 2);
  assert_part(d, BP_TRACE_LOCAL, sq, 0, (double[]){0.44, 0.52}, 2);
  assert_part(d, BP_TRACE_GRADIENT, q, 0, (double[]){0.44, 0.52}, 2);
  assert_part(d, BP_TRACE_GRADIENT, W, 0, (double[]){0.088, 0.176, 0.104, 0.208}, 4);
  assert_part(d, BP_TRACE_GRADIENT, x, 0, (double[]){-0.112, 0.636}, 2);
}

#define LECTURE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      LECTURE(sum_times_z),
      LECTURE(the_sigmoid_neuron),
      LECTURE(the_neuron_with_its_sigmoid_as_one_node),
      LECTURE(distributor_router_swap),
      LECTURE(ties_have_one_winner),
      LECTURE(gradients_add_where_wires_fork),
      LECTURE(a_square_as_a_product),
      LECTURE(a_network_of_two_layers),
      LECTURE(the_squared_norm_of_a_product),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

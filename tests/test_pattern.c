/* Patterns of Jacobians and Hessians: golden cases with their derivation, and the numbers of random programs. */
#include "autodiff/pattern.h"
#include "support/failing.h"
#include "support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bp_node vector(world *w, const char *name, int64_t n)
{
  return bp_input(w->g, name, BP_REAL, 1, &n);
}

static bp_node part(bp_node x, int64_t start, int64_t stop)
{
  const int64_t one = 1;
  return bp_slice(x, &start, 1, &stop, 1, &one, 1);
}

static bpi_pattern pattern(world *w, bp_node y, bp_node x)
{
  bpi_pattern p;
  uint32_t mark = bp_graph_mark(w->g);
  bp_status s = bpi_pattern_of(w->g, &y, 1, &x, 1, 0, &p);
  if (s != BP_OK)
    print_error("%s\n", bp_error());
  assert_int_equal(s, BP_OK);
  assert_int_equal(bp_graph_mark(w->g), mark);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
  return p;
}

/* The pattern as a picture: a line a row, x for an entry. */
static void picture(const bpi_pattern *p, char *out, size_t size)
{
  size_t at = 0;
  for (int64_t i = 0; i < p->rows; i++) {
    for (int64_t j = 0, k = p->row_start[i]; j < p->cols; j++) {
      bool here = k < p->row_start[i + 1] && p->col[k] == j;
      assert_true(at + 2 < size);
      out[at++] = here ? 'x' : '.';
      k += here;
    }
    out[at++] = i + 1 < p->rows ? ' ' : 0;
  }
  out[at] = 0;
}

static void expect(world *w, bp_node y, bp_node x, bp_jac jac, const char *want)
{
  char got[4096] = "";
  bpi_pattern p = pattern(w, y, x);
  picture(&p, got, sizeof got);
  assert_string_equal(got, want);
  assert_int_equal(p.jac, jac);
  bpi_pattern_free(&p);
}

static void elementwise_rows_are_diagonal(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 3), two = bp_constant(w->g, 2);
  expect(w, bp_relu(x), x, BP_JAC_DIAGONAL, "x.. .x. ..x");
  expect(w, x, x, BP_JAC_IDENTITY, "x.. .x. ..x");
  expect(w, bp_neg(x), x, BP_JAC_SCALED, "x.. .x. ..x");
  expect(w, bp_add(x, x), x, BP_JAC_SCALED, "x.. .x. ..x");
  expect(w, bp_add(x, two), x, BP_JAC_IDENTITY, "x.. .x. ..x");
  expect(w, bp_mul(bp_exp(x), x), x, BP_JAC_DIAGONAL, "x.. .x. ..x");
  expect(w, bp_floor(x), x, BP_JAC_ZERO, "... ... ...");
  expect(w, bp_stop_gradient(x), x, BP_JAC_ZERO, "... ... ...");
}

/* y = x[1:] - x[:-1]: row i holds columns i and i + 1. */
static void a_difference_has_two_diagonals(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 4), y = bp_sub(part(x, 1, 4), part(x, 0, 3));
  expect(w, y, x, BP_JAC_SPARSE, "xx.. .xx. ..xx");
  /* f = sum of y^2: its gradient is 2 D'D x, D'D is tridiagonal. */
  bp_node f = bp_sum(bp_square(y), NULL, 0, false), g;
  assert_int_equal(bp_grad(f, &x, 1, &g), BP_OK);
  expect(w, f, x, BP_JAC_SPREAD, "xxxx");
  expect(w, g, x, BP_JAC_SPARSE, "xx.. xxx. .xxx ..xx");
}

/* f = x0 (x1^2 + x2^2 + x3^2): row and column 0 and the diagonal. d2f/dx0^2 is 0, as f is linear in x0. */
static void an_arrow_is_seen_as_one(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 4), g;
  bp_node f = bp_sum(bp_mul(part(x, 0, 1), bp_square(part(x, 1, 4))), NULL, 0, false);
  assert_int_equal(bp_grad(f, &x, 1, &g), BP_OK);
  expect(w, g, x, BP_JAC_SPARSE, ".xxx xx.. x.x. x..x");
}

/* Rows of X go through the same weights: a block for each row. */
static void a_batch_is_block_diagonal(void **state)
{
  world *w = *state;
  int64_t dims[2] = {2, 3}, wide[2] = {2, 3}, b[1] = {2};
  bp_node x = bp_input(w->g, "x", BP_REAL, 2, dims), W = bp_input(w->g, "W", BP_REAL, 2, wide),
          c = bp_input(w->g, "b", BP_REAL, 1, b);
  bp_node y = bp_tanh(bp_linear(x, W, c));
  expect(w, y, x, BP_JAC_BLOCK, "xxx... xxx... ...xxx ...xxx");
  expect(w, y, W, BP_JAC_SPARSE, "xxx... ...xxx xxx... ...xxx");
  expect(w, y, c, BP_JAC_SELECT, "x. .x x. .x");
  expect(w, bp_softmax(y, -1), x, BP_JAC_BLOCK, "xxx... xxx... ...xxx ...xxx");
  expect(w, bp_softmax(x, 0), x, BP_JAC_SPARSE, "x..x.. .x..x. ..x..x x..x.. .x..x. ..x..x");
}

static void elements_that_move(void **state)
{
  world *w = *state;
  int64_t dims[2] = {2, 3}, six = 6, axis = 0;
  bp_node x = bp_input(w->g, "x", BP_REAL, 2, dims), v = vector(w, "v", 3);
  expect(w, bp_reshape(x, &six, 1), x, BP_JAC_IDENTITY, "x..... .x.... ..x... ...x.. ....x. .....x");
  expect(w, bp_transpose(x, NULL, 0), x, BP_JAC_PERMUTATION, "x..... ...x.. .x.... ....x. ..x... .....x");
  expect(w, bp_sum(x, &axis, 1, false), x, BP_JAC_SPREAD, "x..x.. .x..x. ..x..x");
  expect(w, bp_broadcast(v, dims, 2), v, BP_JAC_SELECT, "x.. .x. ..x x.. .x. ..x");
  expect(w, bp_max(x, &axis, 1, false), x, BP_JAC_SPREAD, "x..x.. .x..x. ..x..x");
  bp_node joined[2] = {part(v, 2, 3), v};
  expect(w, bp_concat(joined, 2, 0), v, BP_JAC_SELECT, "..x x.. .x. ..x");
  expect(w, bp_pad(v, (int64_t[]){1}, 1, (int64_t[]){0}, 1, 2.5), v, BP_JAC_SPREAD, "... x.. .x. ..x");
}

/* ---- composition ---- */

/* What composes exactly keeps its class: identity and diagonal is diagonal, a permutation and its inverse the identity, block and block
 * a block, a slice of what was placed the identity. */
static void classes_compose(void **state)
{
  world *w = *state;
  int64_t dims[2] = {2, 2};
  bp_node x = bp_input(w->g, "x", BP_REAL, 2, dims), W = bp_input(w->g, "W", BP_REAL, 2, dims),
          b = bp_input(w->g, "b", BP_REAL, 1, dims), two = bp_constant(w->g, 2);
  bp_node turned = bp_transpose(x, NULL, 0), back = bp_transpose(bp_neg(turned), NULL, 0);
  expect(w, bp_reshape(bp_exp(x), (int64_t[]){4}, 1), x, BP_JAC_DIAGONAL, "x... .x.. ..x. ...x");
  expect(w, back, x, BP_JAC_SCALED, "x... .x.. ..x. ...x");
  expect(w, bp_mul(x, two), x, BP_JAC_SCALED, "x... .x.. ..x. ...x");
  expect(w, bp_mul(turned, bp_constant(w->g, 1)), x, BP_JAC_PERMUTATION, "x... ..x. .x.. ...x");
  bp_node h = bp_relu(bp_linear(x, W, b));
  expect(w, bp_linear(h, W, b), x, BP_JAC_BLOCK, "xx.. xx.. ..xx ..xx");
  bp_node v = vector(w, "v", 3);
  bp_node placed = bp_pad(v, (int64_t[]){2}, 1, (int64_t[]){1}, 1, 0);
  expect(w, part(placed, 2, 5), v, BP_JAC_IDENTITY, "x.. .x. ..x");
  expect(w, part(placed, 1, 4), v, BP_JAC_SELECT, "... x.. .x.");
  bp_node turn[2] = {part(v, 1, 3), part(v, 0, 1)};
  expect(w, bp_concat(turn, 2, 0), v, BP_JAC_PERMUTATION, ".x. ..x x..");
}

/* x - mean(x) is full; along an axis only the lines are. */
static void lines_fill(void **state)
{
  world *w = *state;
  int64_t dims[2] = {2, 3}, last = 1;
  bp_node x = bp_input(w->g, "x", BP_REAL, 2, dims), v = vector(w, "v", 2);
  expect(w, bp_sub(x, bp_mean(x, &last, 1, true)), x, BP_JAC_BLOCK,
         "xxx... xxx... xxx... ...xxx ...xxx ...xxx");
  expect(w, bp_sub(v, bp_mean(v, NULL, 0, true)), v, BP_JAC_DENSE, "xx xx");
  /* A sum of what depends on all and of what depends on one: on all. */
  bp_node both[2] = {bp_mean(v, NULL, 0, true), part(v, 0, 1)};
  expect(w, bp_sum(bp_concat(both, 2, 0), NULL, 0, false), v, BP_JAC_SPREAD, "xx");
  expect(w, bp_cumsum(x, 0, false), x, BP_JAC_SPARSE, "x..x.. .x..x. ..x..x x..x.. .x..x. ..x..x");
  /* d var / d x is 2 (x - mean) / n: the Hessian of a variance is full. */
  bp_node g;
  assert_int_equal(bp_grad(bp_var(v, NULL, 0, false, 0), &v, 1, &g), BP_OK);
  expect(w, g, v, BP_JAC_DENSE, "xx xx");
}

/* ---- what constants tell ---- */

static void known_indices_say_where(void **state)
{
  world *w = *state;
  int64_t three = 3, axis = 0;
  const int64_t at[] = {2, 0, 2};
  bp_node x = vector(w, "x", 3), u = vector(w, "u", 3);
  bp_node known = bp_array_constant(w->g, BP_INT64, 1, &three, at);
  bp_node open = bp_input(w->g, "at", BP_INT64, 1, &three);
  expect(w, bp_gather(x, known, 0), x, BP_JAC_SELECT, "..x x.. ..x");
  expect(w, bp_scatter_add(u, known, 0, 3), u, BP_JAC_SPREAD, ".x. ... x.x");
  /* An index worked out of constants is as good: 2 - 2, 2 - 0, 2 - 2. */
  expect(w, bp_gather(x, bp_sub(bp_constant_int(w->g, 2), known), 0), x, BP_JAC_SELECT, "x.. ..x x..");
  expect(w, bp_gather(x, bp_iota(w->g, BP_INT64, &three, 1, 0), 0), x, BP_JAC_IDENTITY, "x.. .x. ..x");
  const int64_t longer[] = {7, 1, 2, 0}, one = 1, four = 4;
  bp_node tail = bp_slice(bp_array_constant(w->g, BP_INT64, 1, &four, longer), &one, 1, &four, 1, &one, 1);
  expect(w, bp_gather(x, tail, 0), x, BP_JAC_PERMUTATION, ".x. ..x x..");
  /* One that the caller binds may name anything. */
  expect(w, bp_gather(x, open, 0), x, BP_JAC_DENSE, "xxx xxx xxx");
  expect(w, bp_scatter_add(u, open, 0, 2), u, BP_JAC_DENSE, "xxx xxx");
  /* An index past the end stops the run; its pattern is that of any index. */
  const int64_t wrong[] = {7, 0, 0};
  expect(w, bp_gather(x, bp_array_constant(w->g, BP_INT64, 1, &three, wrong), 0), x, BP_JAC_DENSE,
         "xxx xxx xxx");
  bp_node table = bp_input(w->g, "table", BP_REAL, 2, (int64_t[]){2, 2});
  expect(w, bp_sum(bp_gather(table, bp_constant_int(w->g, 1), 0), &axis, 1, false), table, BP_JAC_SPREAD,
         "..xx");
}

/* D x for a constant D with zeros: D's own pattern. Zeros of a mask leave out what they multiply. */
static void known_zeros_are_no_entries(void **state)
{
  world *w = *state;
  const double D[] = {-2, 1, 0, 1, -2, 1, 0, 1, -2}, mask[] = {1, 0, 1};
  const uint8_t some[] = {0, 1, 0};
  int64_t three = 3, column[2] = {3, 1};
  bp_node x = bp_input(w->g, "x", BP_REAL, 2, column), v = vector(w, "v", 3);
  bp_node m = bp_array_constant(w->g, BP_REAL, 2, (int64_t[]){3, 3}, D);
  expect(w, bp_matmul(m, bp_exp(x)), x, BP_JAC_SPARSE, "xx. xxx .xx");
  expect(w, bp_dot(m, v), v, BP_JAC_SPARSE, "xx. xxx .xx");
  bp_node y = bp_matmul(m, bp_matmul(m, x)); /* five diagonals, here all */
  expect(w, y, x, BP_JAC_DENSE, "xxx xxx xxx");
  expect(w, bp_mul(v, bp_array_constant(w->g, BP_REAL, 1, &three, mask)), v, BP_JAC_DIAGONAL, "x.. ... ..x");
  expect(w, bp_where(bp_array_constant(w->g, BP_BOOL, 1, &three, some), v, bp_constant(w->g, 3)), v,
         BP_JAC_DIAGONAL, "... .x. ...");
  expect(w, bp_mul(v, bp_constant(w->g, 0)), v, BP_JAC_ZERO, "... ... ...");
}

/* A constant that is itself what is differentiated by: its value says nothing of where entries are. */
static void a_constant_may_be_the_variable(void **state)
{
  world *w = *state;
  int64_t two = 2;
  const double zero_one[] = {0, 1};
  bp_node c = bp_array_constant(w->g, BP_REAL, 1, &two, zero_one), d = bp_mul(c, c);
  expect(w, d, c, BP_JAC_DIAGONAL, "x. .x");
  expect(w, bp_mul(bp_exp(c), c), c, BP_JAC_DIAGONAL, "x. .x");
  expect(w, bp_pow(c, bp_constant(w->g, 2)), c, BP_JAC_DIAGONAL, "x. .x"); /* slope 2 c: 0 at c = 0 alone */
}

/* ---- second derivatives ---- */

static bp_node gradient(bp_node f, bp_node x)
{
  bp_node g;
  assert_int_equal(bp_grad(f, &x, 1, &g), BP_OK);
  return g;
}

static void hessians(void **state)
{
  world *w = *state;
  int64_t dims[2] = {2, 2};
  bp_node x = vector(w, "x", 4), one = bp_constant(w->g, 1), hundred = bp_constant(w->g, 100);
  /* Rosenbrock: sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 couples neighbours alone. */
  bp_node lo = part(x, 0, 3), hi = part(x, 1, 4);
  bp_node f = bp_add(bp_mul(hundred, bp_square(bp_sub(hi, bp_square(lo)))), bp_square(bp_sub(one, lo)));
  expect(w, gradient(bp_sum(f, NULL, 0, false), x), x, BP_JAC_SPARSE, "xx.. xxx. .xxx ..xx");
  /* A sum of functions of one element each. */
  expect(w, gradient(bp_sum(bp_exp(x), NULL, 0, false), x), x, BP_JAC_DIAGONAL, "x... .x.. ..x. ...x");
  /* Linear functions, and what is piecewise linear, have none. */
  expect(w, gradient(bp_sum(bp_mul(x, hundred), NULL, 0, false), x), x, BP_JAC_ZERO, ".... .... .... ....");
  expect(w, gradient(bp_sum(bp_relu(x), NULL, 0, false), x), x, BP_JAC_ZERO, ".... .... .... ....");
  /* x0 x1 x2 x3: every pair, but no element with itself. */
  bp_node p = bp_mul(bp_mul(part(x, 0, 1), part(x, 1, 2)), bp_mul(part(x, 2, 3), part(x, 3, 4)));
  expect(w, gradient(bp_sum(p, NULL, 0, false), x), x, BP_JAC_SPARSE, ".xxx x.xx xx.x xxx.");
  /* Losses of the examples of a batch do not meet. */
  bp_node logits = bp_input(w->g, "logits", BP_REAL, 2, dims);
  bp_node labels = bp_input(w->g, "labels", BP_INT64, 1, dims);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(logits, labels, 0), NULL, 0, false);
  expect(w, gradient(loss, logits), logits, BP_JAC_BLOCK, "xx.. xx.. ..xx ..xx");
}

/* ---- functions ---- */

/* h' = tanh(h w + x), element by element: the last state depends on its own elements of all, at every step. */
static void loops_and_calls(void **state)
{
  world *w = *state;
  bp_graph *body = bp_graph_new(w->ctx);
  int64_t two = 2;
  bp_node in[3] = {bp_input(body, "h", BP_REAL, 1, &two), bp_input(body, "x", BP_REAL, 1, &two),
                   bp_input(body, "w", BP_REAL, 1, &two)};
  bp_node next = bp_tanh(bp_add(bp_mul(in[0], in[2]), in[1]));
  bp_fn *step = bp_fn_new("step", body, in, 3, &next, 1);
  assert_non_null(step);
  bp_node h = vector(w, "h", 2), c = vector(w, "w", 2),
          x = bp_input(w->g, "x", BP_REAL, 2, (int64_t[]){3, 2});
  bp_node args[3] = {h, c, c}, once, last;
  assert_int_equal(bp_call(step, args, 3, &once), BP_OK);
  expect(w, once, h, BP_JAC_DIAGONAL, "x. .x");
  expect(w, once, c, BP_JAC_DIAGONAL, "x. .x");
  assert_int_equal(bp_scan(step, &h, 1, &x, 1, &c, 1, 0, false, &last), BP_OK);
  expect(w, last, h, BP_JAC_DIAGONAL, "x. .x");
  expect(w, last, c, BP_JAC_DIAGONAL, "x. .x");
  expect(w, last, x, BP_JAC_SPREAD, "x.x.x. .x.x.x");
  bp_fn_free(step);
}

/* ---- rows of the caller ---- */

static bp_status same_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}

/* The last element first. */
static bp_node turn_round(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  const int64_t start = c->x_type[0].dims[0] - 1, stop = -c->x_type[0].dims[0] - 1, step = -1;
  return bp_slice(up[0], &start, 1, &stop, 1, &step, 1);
}

static const bp_op flip = {.name = "flip",
                           .math = "y = x backwards",
                           .source = "-",
                           .args = "x",
                           .shape = same_shape,
                           .vjp = turn_round};

static bp_node by_itself(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  bp_node y;
  bp_apply(c->graph, c->op, up, 1, NULL, &y);
  return y;
}

static const bp_op closed = {
    .name = "closed", .math = "y = S x", .source = "-", .args = "x", .shape = same_shape, .vjp = by_itself};

/* A row that states nothing but its rule: the rule tells. One that is made of itself tells nothing. */
static void rows_that_state_no_class(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 3), y, back;
  assert_int_equal(bp_apply(w->g, &flip, &x, 1, NULL, &y), BP_OK);
  expect(w, y, x, BP_JAC_PERMUTATION, "..x .x. x..");
  expect(w, bp_exp(y), x, BP_JAC_SELECT, "..x .x. x..");
  assert_int_equal(bp_apply(w->g, &flip, &y, 1, NULL, &back), BP_OK);
  expect(w, back, x, BP_JAC_IDENTITY, "x.. .x. ..x");
  assert_int_equal(bp_apply(w->g, &closed, &x, 1, NULL, &y), BP_OK);
  expect(w, y, x, BP_JAC_DENSE, "xxx xxx xxx");
}

/* A row whose definition draws: each time it is looked at, the builder takes another stream. */
static bp_status draw_anew(const bp_op_call *c, bp_node *out)
{
  *out = bp_dropout(c->x[0], c->x[1], 0.5);
  return BP_OK;
}

static const bp_op noisy = {.name = "noisy",
                            .math = "y = x dropped",
                            .source = "-",
                            .args = "x, key",
                            .shape = same_shape,
                            .expand = draw_anew};

/* A random node built after another one. With `ask`, patterns are asked for in between. */
static char *drawing(world *w, bool ask)
{
  const int64_t two = 2;
  bp_graph *g = bp_graph_new(w->ctx);
  bp_node in[2] = {bp_input(g, "h", BP_REAL, 1, &two), bp_input(g, "key", BP_INT64, 1, &two)}, y, after;
  assert_int_equal(bp_apply(g, &noisy, in, 2, NULL, &y), BP_OK);
  bpi_pattern p;
  bp_local *l;
  char *text;
  if (ask) {
    assert_int_equal(bpi_pattern_of(g, &y, 1, in, 1, 0, &p), BP_OK);
    assert_int_equal(p.jac, BP_JAC_DIAGONAL);
    bpi_pattern_free(&p);
    assert_int_equal(bp_local_new(y, 0, 0, &l), BP_OK);
    bp_local_free(l);
  }
  after = bp_dropout(y, in[1], 0.5);
  assert_false(bp_failed(after));
  assert_int_equal(bp_graph_print(g, &text), BP_OK);
  bp_graph_free(g);
  return text;
}

static void asking_changes_no_random_number(void **state)
{
  world *w = *state;
  char *plain = drawing(w, false), *asked = drawing(w, true);
  assert_string_equal(plain, asked);
  bp_free(w->ctx, plain);
  bp_free(w->ctx, asked);
}

/* ---- several y and x, depth, limits ---- */

static void several_are_joined(void **state)
{
  world *w = *state;
  bp_node a = vector(w, "a", 2), b = vector(w, "b", 1), c = bp_mul(a, b);
  bp_node y[2] = {bp_exp(c), b}, x[2] = {b, a};
  bpi_pattern p;
  char got[200];
  assert_int_equal(bpi_pattern_of(w->g, y, 2, x, 2, 0, &p), BP_OK);
  picture(&p, got, sizeof got);
  assert_string_equal(got, "xx. x.x x..");
  bpi_pattern_free(&p);
  /* 2 a[0] and 3 a[1]: a diagonal, though each is a number times what it depends on. */
  bp_node parts[2] = {bp_mul(part(a, 0, 1), bp_constant(w->g, 2)),
                      bp_mul(part(a, 1, 2), bp_constant(w->g, 3))};
  assert_int_equal(bpi_pattern_of(w->g, parts, 2, &a, 1, 0, &p), BP_OK);
  assert_int_equal(p.jac, BP_JAC_DIAGONAL);
  bpi_pattern_free(&p);
  /* c depends on a, and passes that on: as forward mode has it. */
  x[0] = c;
  assert_int_equal(bpi_pattern_of(w->g, y, 1, x, 2, 0, &p), BP_OK);
  picture(&p, got, sizeof got);
  assert_string_equal(got, "x.x. .x.x");
  bpi_pattern_free(&p);
}

static void empty_ones_are_zero(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 0), s = bp_sum(x, NULL, 0, false);
  bpi_pattern p = pattern(w, s, x);
  assert_int_equal(p.jac, BP_JAC_ZERO);
  assert_true(p.rows == 1 && p.cols == 0 && p.entries == 0);
  bpi_pattern_free(&p);
  p = pattern(w, x, s); /* x does not depend on its own sum */
  assert_true(p.rows == 0 && p.cols == 1 && p.entries == 0);
  bpi_pattern_free(&p);
}

/* Deep graphs need no deep stack, and dead lists no memory. */
static void depth_costs_linear_time(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 3), y = x;
  for (int i = 0; i < 200000; i++)
    y = bp_sin(y);
  expect(w, y, x, BP_JAC_DIAGONAL, "x.. .x. ..x");
}

/* Many steps of y[i] = sin(y[i - 2] + y[i + 2]): after k of them row i has every second column from i - 2 k to i + 2 k by fours; the lists of
 * the steps before are let go on the way. */
static void steps_of_a_stencil(void **state)
{
  world *w = *state;
  enum { N = 3000, STEPS = 30 };
  const int64_t two = 2;
  bp_node x = vector(w, "x", N), y = x;
  for (int k = 0; k < STEPS; k++) {
    bp_node wide = bp_pad(y, &two, 1, &two, 1, 0);
    y = bp_sin(bp_add(part(wide, 0, N), part(wide, 4, N + 4)));
  }
  bpi_pattern p = pattern(w, y, x);
  int64_t at = 0;
  for (int64_t i = 0; i < N; i++) {
    for (int64_t j = i - 2 * STEPS; j <= i + 2 * STEPS; j += 4)
      if (j >= 0 && j < N)
        assert_int_equal(p.col[at++], j);
    assert_int_equal(p.row_start[i + 1], at);
  }
  bpi_pattern_free(&p);
}

/* 10,000 x 10,000 entries are refused where 1,000,000 are allowed; a diagonal of a million is not. */
static void limits_are_kept(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 10000), full = bp_sub(x, bp_mean(x, NULL, 0, false));
  bp_node wide = vector(w, "wide", 1000000), y = bp_exp(wide);
  bpi_pattern p;
  assert_int_equal(bpi_pattern_of(w->g, &full, 1, &x, 1, 1000000, &p), BP_E_LIMIT);
  assert_null(p.col);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
  assert_int_equal(bpi_pattern_of(w->g, &y, 1, &wide, 1, 1000000, &p), BP_OK);
  assert_int_equal(p.entries, 1000000);
  bpi_pattern_free(&p);
  bp_node mask = bp_floor(x);
  assert_int_equal(bpi_pattern_of(w->g, &mask, 1, &x, 1, 1, &p), BP_OK); /* no entry at all */
  bpi_pattern_free(&p);
  bp_node whole = bp_cast(x, BP_INT64);
  assert_int_equal(bpi_pattern_of(w->g, &whole, 1, &x, 1, 0, &p), BP_E_DTYPE);
}

/* ---- memory ---- */

static bp_status many_patterns(bp_ctx *ctx)
{
  const double D[] = {1, 0, 2, 3};
  const int64_t two = 2, at[] = {1, 0};
  bp_graph *g = bp_graph_new(ctx);
  bp_status s = g ? BP_OK : BP_E_NOMEM;
  if (g) {
    bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){2, 2}), some[4], y;
    some[0] = bp_softmax(x, 0);
    some[1] = bp_matmul(bp_array_constant(g, BP_REAL, 2, (int64_t[]){2, 2}, D), x);
    some[2] = bp_gather(x, bp_array_constant(g, BP_INT64, 1, &two, at), 0);
    some[3] =
        bp_mul(bp_max(x, (int64_t[]){1}, 1, true), bp_array_constant(g, BP_REAL, 2, (int64_t[]){2, 2}, D));
    y = bp_add(bp_add(some[0], some[1]), bp_add(some[2], some[3]));
    s = bp_graph_status(g);
    bpi_pattern p = {0};
    if (s == BP_OK)
      s = bpi_pattern_of(g, &y, 1, &x, 1, 0, &p);
    if (s == BP_OK)
      assert_true(p.rows == 4 && p.cols == 4);
    else
      assert_null(p.col);
    bpi_pattern_free(&p);
  }
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(many_patterns) > 50);
}

int main(void)
{
#define GOLDEN(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
  const struct CMUnitTest tests[] = {
      GOLDEN(elementwise_rows_are_diagonal),
      GOLDEN(a_difference_has_two_diagonals),
      GOLDEN(an_arrow_is_seen_as_one),
      GOLDEN(a_batch_is_block_diagonal),
      GOLDEN(elements_that_move),
      GOLDEN(classes_compose),
      GOLDEN(lines_fill),
      GOLDEN(known_indices_say_where),
      GOLDEN(known_zeros_are_no_entries),
      GOLDEN(a_constant_may_be_the_variable),
      GOLDEN(hessians),
      GOLDEN(loops_and_calls),
      GOLDEN(several_are_joined),
      GOLDEN(empty_ones_are_zero),
      GOLDEN(depth_costs_linear_time),
      GOLDEN(limits_are_kept),
      GOLDEN(steps_of_a_stencil),
      GOLDEN(rows_that_state_no_class),
      GOLDEN(asking_changes_no_random_number),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

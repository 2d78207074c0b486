/* Patterns of Jacobians and Hessians: golden cases with their derivation, and the numbers of random programs. */
#include "autodiff/pattern.h"
#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct world {
  bp_ctx *ctx;
  bp_graph *g;
} world;

static int open_world(void **state)
{
  static world w;
  w.ctx = bp_ctx_new(NULL);
  w.g = bp_graph_new(w.ctx);
  *state = &w;
  return w.g ? 0 : -1;
}

static int close_world(void **state)
{
  world *w = *state;
  bp_graph_free(w->g);
  bp_ctx_free(w->ctx);
  return 0;
}

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

int main(void)
{
#define GOLDEN(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
  const struct CMUnitTest tests[] = {
      GOLDEN(elementwise_rows_are_diagonal),
      GOLDEN(a_difference_has_two_diagonals),
      GOLDEN(an_arrow_is_seen_as_one),
      GOLDEN(a_batch_is_block_diagonal),
      GOLDEN(elements_that_move),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Functions as nodes: a node given twice, random numbers in calls and loops, bodies that stay as they are. */
#include "check/eval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct fixture {
  bp_ctx *ctx;
  bp_graph *g;
} fixture;

static const int64_t two = 2, six = 6;

static int set_up(void **state)
{
  static fixture f;
  f.ctx = bp_ctx_new(NULL);
  f.g = bp_graph_new(f.ctx);
  *state = &f;
  return f.g ? 0 : -1;
}

static int tear_down(void **state)
{
  fixture *f = *state;
  bp_graph_free(f->g);
  bp_ctx_free(f->ctx);
  return 0;
}

/* f(a, b) = a b */
static bp_fn *product(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[2] = {bp_input(g, "a", BP_REAL, 0, NULL), bp_input(g, "b", BP_REAL, 0, NULL)};
  bp_node out = bp_mul(in[0], in[1]);
  return bp_fn_new("product", g, in, 2, &out, 1);
}

/* f(x, key) = dropout(x) */
static bp_fn *dropping(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[2] = {bp_input(g, "x", BP_REAL, 1, &six), bp_input(g, "k", BP_INT64, 1, &two)};
  bp_node out = bp_dropout(in[0], in[1], 0.5);
  return bp_fn_new("dropping", g, in, 2, &out, 1);
}

/* The same through a call inside. */
static bp_fn *nesting(bp_ctx *ctx, bp_fn *inner)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[2] = {bp_input(g, "x", BP_REAL, 1, &six), bp_input(g, "k", BP_INT64, 1, &two)}, out;
  bp_call(inner, in, 2, &out);
  return bp_fn_new("nesting", g, in, 2, &out, 1);
}

/* One step: (c, x, key) -> (c + sum of what was left of x, what was left of x) */
static bp_fn *dropping_step(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[3] = {bp_input(g, "c", BP_REAL, 0, NULL), bp_input(g, "x", BP_REAL, 1, &six),
                   bp_input(g, "k", BP_INT64, 1, &two)};
  bp_node left = bp_dropout(bp_square(in[1]), in[2], 0.5);
  bp_node out[2] = {bp_add(in[0], bp_sum(left, NULL, 0, false)), left};
  return bp_fn_new("dropping step", g, in, 3, out, 2);
}

static void values(fixture *f, const bp_node *y, size_t n, const bp_node *in, const void *const *data,
                   size_t n_in, double **out, size_t size)
{
  bpi_eval e;
  assert_int_equal(BP_OK, bpi_eval_open(&e, f->g, BP_FLOAT64, y, n));
  for (size_t i = 0; i < n_in; i++)
    assert_int_equal(BP_OK, bpi_eval_bind(&e, in[i], data[i]));
  assert_int_equal(BP_OK, bpi_eval_step(&e));
  for (size_t i = 0; i < n; i++)
    assert_int_equal(BP_OK, bp_run_get(e.run, i, out[i], size));
  bpi_eval_close(&e);
}

/* d(x x)/dx = 2 x, in both directions, though x fills both parameters. */
static void a_node_given_twice(void **state)
{
  fixture *f = *state;
  bp_fn *fn = product(f->ctx);
  bp_node x = bp_input(f->g, "x", BP_REAL, 0, NULL), both[2] = {x, x}, y, grad, tangent,
          one = bp_constant(f->g, 1);
  assert_int_equal(BP_OK, bp_call(fn, both, 2, &y));
  assert_int_equal(BP_OK, bp_grad(y, &x, 1, &grad));
  assert_int_equal(BP_OK, bp_jvp(&y, 1, &x, &one, 1, &tangent));
  double at = 0.7, d[2], *out[2] = {&d[0], &d[1]};
  const void *data[1] = {&at};
  bp_node want[2] = {grad, tangent};
  values(f, want, 2, &x, data, 1, out, 1);
  assert_true(fabs(d[0] - 1.4) < 1e-15);
  assert_true(fabs(d[1] - 1.4) < 1e-15);
  bp_fn_free(fn);
}

/* Gradients may go where the nodes were; a node that the loss does not reach gets zeros there too. */
static void gradients_in_place(void **state)
{
  fixture *f = *state;
  bp_node x = bp_input(f->g, "x", BP_REAL, 0, NULL), w[2] = {bp_input(f->g, "apart", BP_REAL, 1, &six), x},
          zeros;
  assert_int_equal(BP_OK, bp_grad(bp_square(x), w, 2, w));
  zeros = bp_full(f->g, BP_REAL, 0, 1, &six);
  assert_int_equal(w[0].index, zeros.index);
  assert_int_equal(w[1].index, bp_mul(bp_constant(f->g, 2), x).index);
}

static void differ(const double *a, const double *b, size_t n)
{
  size_t same = 0;
  for (size_t i = 0; i < n; i++)
    same += (a[i] == 0) == (b[i] == 0);
  assert_true(same < n); /* of equal inputs above 0: other elements were dropped */
}

static void calls_draw_apart(fixture *f, bp_fn *fn)
{
  double ones[24], a[24], b[24], *out[2] = {a, b};
  int64_t key[2] = {3, 4}, wide[2] = {4, 6};
  for (int i = 0; i < 24; i++)
    ones[i] = 1;
  bp_node x = bp_array_constant(f->g, BP_REAL, 2, wide, ones), k = bp_input(f->g, "k", BP_INT64, 1, &two),
          y[2], part[2][4];
  int64_t axis = 0;
  for (int call = 0; call < 2; call++) {
    for (int row = 0; row < 4; row++) {
      int64_t start[2] = {row, 0}, stop[2] = {row + 1, 6}, step[2] = {1, 1};
      bp_node args[2] = {bp_reshape(bp_slice(x, start, 2, stop, 2, step, 2), &six, 1), k};
      assert_int_equal(BP_OK, bp_call(fn, args, 2, &part[call][row]));
    }
    y[call] = bp_concat(part[call], 4, axis);
  }
  const void *data[1] = {key};
  values(f, y, 2, &k, data, 1, out, 24);
  differ(a, b, 24);
}

static void two_calls_never_share_a_mask(void **state)
{
  fixture *f = *state;
  bp_fn *fn = dropping(f->ctx);
  calls_draw_apart(f, fn);
  bp_fn_free(fn);
}

static void nor_do_calls_inside_calls(void **state)
{
  fixture *f = *state;
  bp_fn *inner = dropping(f->ctx), *outer = nesting(f->ctx, inner);
  calls_draw_apart(f, outer);
  bp_fn_free(inner);
  bp_fn_free(outer);
}

/* Two loops, and a plain dropout: three masks. The gradient of a loop uses the loop's own mask. */
static void nor_do_loops(void **state)
{
  fixture *f = *state;
  bp_fn *fn = dropping_step(f->ctx);
  int64_t dims[2] = {4, 6}, key[2] = {3, 4};
  double x_data[24], a[24], b[24], c[24], d[24], *out[4] = {a, b, c, d};
  for (int i = 0; i < 24; i++)
    x_data[i] = 1 + i;
  bp_node k = bp_input(f->g, "k", BP_INT64, 1, &two), x = bp_input(f->g, "x", BP_REAL, 2, dims),
          zero = bp_constant(f->g, 0), one[2], other[2], grad;
  assert_int_equal(BP_OK, bp_scan(fn, &zero, 1, &x, 1, &k, 1, 0, false, one));
  assert_int_equal(BP_OK, bp_scan(fn, &zero, 1, &x, 1, &k, 1, 0, false, other));
  assert_int_equal(BP_OK, bp_grad(one[0], &x, 1, &grad));
  bp_node want[4] = {one[1], other[1], bp_dropout(x, k, 0.5), grad}, in[2] = {k, x};
  const void *data[2] = {key, x_data};
  values(f, want, 4, in, data, 2, out, 24);
  differ(a, b, 24);
  differ(a, c, 24);
  differ(b, c, 24);
  for (int i = 0; i < 24; i++) /* left = 2 x^2 where kept, so its slope is 4 x there and 0 elsewhere */
    assert_true(fabs(d[i] - (a[i] != 0 ? 4 * x_data[i] : 0)) < 1e-12);
  bp_fn_free(fn);
}

static void a_body_stays_as_it_is(void **state)
{
  fixture *f = *state;
  bp_graph *g = bp_graph_new(f->ctx);
  bp_node in[2] = {bp_input(g, "a", BP_REAL, 0, NULL), bp_input(g, "b", BP_REAL, 0, NULL)},
          out = bp_mul(in[0], in[1]), y;
  bp_fn *fn = bp_fn_new("product", g, in, 2, &out, 1);
  assert_int_equal(BP_E_ORDER, bp_graph_rollback(g, 1));
  bp_node args[2] = {bp_constant(f->g, 2), bp_constant(f->g, 3)};
  assert_int_equal(BP_OK, bp_call(fn, args, 2, &y));
  bp_fn_free(fn);
}

static void a_parameter_stands_once(void **state)
{
  fixture *f = *state;
  bp_graph *g = bp_graph_new(f->ctx);
  bp_node a = bp_input(g, "a", BP_REAL, 0, NULL), in[2] = {a, a}, out = bp_exp(a);
  assert_null(bp_fn_new("twice", g, in, 2, &out, 1));
  assert_non_null(strstr(bp_error(), "again"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_node_given_twice),        TEST(gradients_in_place), TEST(two_calls_never_share_a_mask),
      TEST(nor_do_calls_inside_calls), TEST(nor_do_loops),       TEST(a_body_stays_as_it_is),
      TEST(a_parameter_stands_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

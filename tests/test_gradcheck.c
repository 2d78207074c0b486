/* bp_check_gradient: right gradients pass, planted ones are found with their place, kinks are told apart from both. */
#include "check/laws.h"
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- a desk: one graph, inputs with values ---- */

enum { MOST = 8 };

typedef struct desk {
  bp_ctx *ctx;
  bp_graph *g;
  bp_node x[MOST];
  bp_value values[MOST];
  size_t n;
  bp_gradient_options o;
  bp_gradient_check r;
  bp_gradient_input in[MOST];
} desk;

static int open_desk(void **state)
{
  static desk d;
  d = (desk){.ctx = bp_ctx_new(NULL)};
  d.g = bp_graph_new(d.ctx);
  *state = &d;
  return d.g ? 0 : -1;
}

static int close_desk(void **state)
{
  desk *d = *state;
  bp_graph_free(d->g);
  bp_ctx_free(d->ctx);
  return 0;
}

/* An input of rank 0 (rows -1), 1 or 2. */
static bp_node input(desk *d, const char *name, int64_t rows, int64_t cols, const double *values)
{
  int rank = rows < 0 ? 0 : cols < 0 ? 1 : 2;
  int64_t dims[2] = {rows, cols}, size = (rank > 0 ? rows : 1) * (rank > 1 ? cols : 1);
  bp_node x = bp_input(d->g, name, BP_REAL, rank, dims);
  d->x[d->n] = x;
  d->values[d->n++] = (bp_value){name, values, (size_t)size * sizeof *values};
  return x;
}

static bp_status check(desk *d, bp_node y)
{
  d->o.values = d->values;
  d->o.n_values = d->n;
  uint32_t mark = bp_graph_mark(d->g);
  bp_status s = bp_check_gradient(y, d->x, d->n, &d->o, &d->r, d->in);
  assert_int_equal(bp_graph_mark(d->g), mark); /* the graph is as it was */
  return s;
}

static void assert_right(desk *d, bp_node y)
{
  if (check(d, y) != BP_OK)
    fail_msg("%s", bp_error());
  assert_true(d->r.right && d->r.wrong == 0 && d->r.modes_agree);
}

/* ---- rows with a wrong slope: y = sin x, whose slope is said to be cos x times a factor, or wrong where x > 1 alone ---- */

static bp_status same_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}

static bp_status sin_kernel(bp_kernel_call *c)
{
  for (int64_t i = 0; i < c->in[0].size; i++)
    ((double *)c->out[0].data)[i] = sin(((const double *)c->in[0].data)[i]);
  return BP_OK;
}

static bp_node slope_times(const bp_op_call *c, int input)
{
  (void)input;
  double factor;
  memcpy(&factor, &c->attr[0].r, sizeof factor);
  return bp_mul(bp_cos(c->x[0]), bp_constant(c->graph, factor));
}

static bp_node slope_wrong_over_one(const bp_op_call *c, int input)
{
  (void)input;
  bp_node x = c->x[0], right = bp_cos(x);
  return bp_where(bp_greater(x, bp_constant(c->graph, 1)), bp_neg(right), right);
}

static const bp_op sin_times = {.name = "sin_times",
                                .args = "x",
                                .attrs = {{"factor", BP_ATTR_REAL, 1}},
                                .traits = BP_ELEMENTWISE,
                                .shape = same_shape,
                                .slope = slope_times,
                                .kernel = sin_kernel};
static const bp_op sin_over_one = {.name = "sin_over_one",
                                   .args = "x",
                                   .traits = BP_ELEMENTWISE,
                                   .shape = same_shape,
                                   .slope = slope_wrong_over_one,
                                   .kernel = sin_kernel};

static bp_node planted(const bp_op *op, bp_node x, double factor)
{
  bp_node y;
  bp_attr a = {.r = factor};
  return bp_apply(NULL, op, &x, 1, &a, &y) == BP_OK ? y : BP_NO_NODE;
}
static bp_node planted_sin(bp_node x, double factor)
{
  return planted(&sin_times, x, factor);
}

/* y = x, whose slope is said to be the factor. */
static bp_status same_kernel(bp_kernel_call *c)
{
  memcpy(c->out[0].data, c->in[0].data, (size_t)c->in[0].size * sizeof(double));
  return BP_OK;
}
static bp_node the_factor(const bp_op_call *c, int input)
{
  (void)input;
  double factor;
  memcpy(&factor, &c->attr[0].r, sizeof factor);
  return bp_full(c->graph, BP_REAL, factor, c->x_type[0].rank, c->x_type[0].dims);
}
static const bp_op same_times = {.name = "same_times",
                                 .args = "x",
                                 .attrs = {{"factor", BP_ATTR_REAL, 1}},
                                 .traits = BP_ELEMENTWISE,
                                 .shape = same_shape,
                                 .slope = the_factor,
                                 .kernel = same_kernel};

/* ---- right gradients ---- */

/* The neuron of the lecture: s = 1 / (1 + e^-(w0 x0 + w1 x1 + w2)) at (2, -1, -3, -2, -3), where the sum is 1 and s' = s (1 - s) = 0.19661193:
 * ds/dw0 = -0.1966, ds/dx0 = 0.3932, ds/dw1 = -0.3932, ds/dx1 = -0.5898, ds/dw2 = 0.1966. */
static void the_neuron(void **state)
{
  desk *d = *state;
  static const double v[5] = {2, -1, -3, -2, -3};
  static const char *const names[5] = {"w0", "x0", "w1", "x1", "w2"};
  bp_node x[5];
  for (int i = 0; i < 5; i++)
    x[i] = input(d, names[i], -1, -1, &v[i]);
  bp_node sum = bp_add(bp_add(bp_mul(x[0], x[1]), bp_mul(x[2], x[3])), x[4]);
  bp_node one = bp_constant(d->g, 1);
  assert_right(d, bp_div(one, bp_add(one, bp_exp(bp_neg(sum)))));
  assert_int_equal(d->r.size, 5);
  assert_int_equal(d->r.checked, 5);
  assert_int_equal(d->r.kinks, 0);
  assert_true(fabs(d->r.value - 0.7310585786300049) < 1e-12);
  assert_true(d->r.step > 6e-6 && d->r.step < 6.1e-6);
  assert_true(d->r.error > 0 && d->r.error < 1e-8);
  double slope = 0.7310585786300049 * (1 - 0.7310585786300049);
  assert_true(fabs(d->in[3].at_worst.gradient - -3 * slope) < 1e-12);
  /* Taylor: the remainder without the gradient falls like h, with it like h^2. */
  assert_true(fabs(d->r.taylor.rate0 - 1) < 0.05);
  assert_true(fabs(d->r.taylor.rate1 - 2) < 0.05);
  assert_true(d->r.taylor.first < d->r.taylor.last);
  assert_true(fabs(d->r.forward - d->r.reverse) < 1e-15);
}

static void a_layer_with_an_upstream(void **state)
{
  desk *d = *state;
  double x[6] = {0.3, -1.2, 0.5, 2, 0.1, -0.4}, w[12], b[4] = {0.1, -0.3, 0.2, 0.7};
  for (int i = 0; i < 12; i++)
    w[i] = sin(i + 1.0);
  bp_node y = bp_softmax(
      bp_tanh(bp_linear(input(d, "x", 2, 3, x), input(d, "w", 4, 3, w), input(d, "b", 4, -1, b))), 1);
  assert_right(d, y); /* [2, 4]: multiplied by random numbers and summed */
  assert_int_equal(d->r.checked, 6 + 12 + 4);
  assert_true(fabs(d->r.taylor.rate1 - 2) < 0.1);
}

/* f is linear: the remainder is rounding, and there is no rate. */
static void a_linear_function_has_no_rate(void **state)
{
  desk *d = *state;
  const double x[3] = {1, 2, 3};
  assert_right(d, bp_sum(input(d, "x", 3, -1, x), NULL, 0, false));
  assert_true(d->r.taylor.last < d->r.taylor.first && isnan(d->r.taylor.rate1));
}

/* What f does not depend on has the gradient 0, exactly. */
static void an_input_without_influence(void **state)
{
  desk *d = *state;
  const double x[2] = {1, 2}, z[2] = {3, 4};
  bp_node a = input(d, "x", 2, -1, x);
  input(d, "z", 2, -1, z);
  assert_right(d, bp_sum(bp_square(a), NULL, 0, false));
  assert_true(d->in[1].at_worst.error == 0 && d->in[1].at_worst.gradient == 0);
}

/* Values far from 1, steep and flat places, sums that cancel: nothing of that is a wrong gradient. */
static void awkward_but_right(void **state)
{
  desk *d = *state;
  const double tiny[2] = {1e-7, 3e-5}, huge[2] = {1e8, -3e12}, usual[2] = {0.3, 1.7}, flat[2] = {40, -45},
               specks[3] = {1e-12, -3e-9, 2e-10};
  bp_node a = input(d, "tiny", 2, -1, tiny), b = input(d, "huge", 2, -1, huge),
          c = input(d, "usual", 2, -1, usual), e = input(d, "flat", 2, -1, flat),
          near_0 = input(d, "near_0", 3, -1, specks), big = bp_constant(d->g, 1e8);
  assert_right(d, bp_sum(bp_log(a), NULL, 0, false)); /* h is 60 times x: the ladder finds smaller steps */
  assert_right(d, bp_sum(bp_square(b), NULL, 0, false));
  assert_right(d, bp_sum(bp_sub(bp_add(bp_sin(c), big), big), NULL, 0, false));
  assert_right(d, bp_sum(bp_sigmoid(e), NULL, 0, false)); /* slopes of e-18: rounding of f hides them */
  assert_right(d, bp_sum(bp_sin(bp_mul(c, bp_constant(d->g, 1e5))), NULL, 0, false));
  /* log(1 + x^2): 1 + x^2 is 1 but for rounding that f, 4e-11 at most, does not show. */
  assert_right(d, bp_sum(bp_log(bp_add(bp_square(near_0), bp_constant(d->g, 1))), NULL, 0, false));
  assert_int_equal(d->r.kinks, 0);
}

/* ---- wrong gradients ---- */

static void a_wrong_factor_is_found(void **state)
{
  desk *d = *state;
  const double x[3] = {0.3, 0.7, -0.2};
  static const double factors[] = {1.00001, 0.999, 1.001, 2, 0, -1};
  bp_node a = input(d, "x", 3, -1, x);
  for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
    assert_int_equal(check(d, bp_sum(planted_sin(a, factors[k]), NULL, 0, false)), BP_E_CHECK);
    assert_false(d->r.right);
    assert_int_equal(d->r.wrong, 3);
    assert_non_null(strstr(bp_error(), "the gradient by 'x'[0]"));
    /* Taylor's second remainder falls like h alone. */
    assert_true(d->r.taylor.along.kind == BP_SLOPE_WRONG && d->r.taylor.rate1 < 1.3);
    assert_true(d->r.modes_agree); /* jvp and vjp are made of the same slope */
  }
  assert_right(d, bp_sum(planted_sin(a, 1), NULL, 0, false));
}

/* f = sin 0 = 0: nothing to compare rounding with. */
static void a_wrong_factor_is_found_where_f_is_0(void **state)
{
  desk *d = *state;
  const double x = 0;
  bp_node a = input(d, "x", -1, -1, &x);
  assert_int_equal(check(d, planted_sin(a, 1.001)), BP_E_CHECK);
  assert_int_equal(d->r.wrong, 1);
  assert_right(d, planted_sin(a, 1));
  /* And where all of it is small. */
  const double tiny = 1e-30;
  assert_int_equal(check(d, bp_mul(bp_constant(d->g, tiny), planted_sin(a, 1.001))), BP_E_CHECK);
  assert_right(d, bp_mul(bp_constant(d->g, tiny), planted_sin(a, 1)));
}

/* One wrong entry of six, found with its place. */
static void a_wrong_entry_is_named(void **state)
{
  desk *d = *state;
  const double x[6] = {0.3, 0.7, -0.2, 0.1, 1.3, 0.9};
  bp_node a = input(d, "x", 2, 3, x), y;
  assert_int_equal(bp_apply(NULL, &sin_over_one, &a, 1, NULL, &y), BP_OK);
  assert_int_equal(check(d, bp_sum(y, NULL, 0, false)), BP_E_CHECK);
  assert_int_equal(d->r.wrong, 1);
  assert_int_equal(d->in[0].worst, 4);
  assert_true(d->in[0].value == 1.3);
  assert_true(fabs(d->in[0].at_worst.difference - cos(1.3)) < 1e-8);
  assert_non_null(strstr(bp_error(), "the gradient by 'x'[1,1]"));
}

/* A gradient that is stopped by decree differs from the differences: d/dx of x stop(x) is x, of x^2 it is 2x. */
static void a_stopped_gradient_is_wrong_by_the_numbers(void **state)
{
  desk *d = *state;
  const double x = 1.5;
  bp_node a = input(d, "x", -1, -1, &x);
  assert_int_equal(check(d, bp_mul(a, bp_stop_gradient(a))), BP_E_CHECK);
  assert_true(fabs(d->in[0].at_worst.error - 0.5) < 1e-6);
  assert_true(d->in[0].at_worst.gradient == 1.5);
}

/* y = x, with a vjp that is right and a jvp that is not. */
static bp_node passed_on(const bp_op_call *c, const bp_node *up, int input)
{
  (void)c, (void)input;
  return up[0];
}
static bp_status twice(const bp_op_call *c, const bp_node *tangent, bp_node *out)
{
  out[0] = bp_mul(tangent[0], bp_constant(c->graph, 2));
  return BP_OK;
}
static const bp_op two_modes = {.name = "two_modes",
                                .args = "x",
                                .shape = same_shape,
                                .kernel = same_kernel,
                                .vjp = passed_on,
                                .jvp = twice};

static void modes_that_disagree_are_found(void **state)
{
  desk *d = *state;
  const double x[2] = {0.3, 2};
  bp_node a = input(d, "x", 2, -1, x);
  assert_int_equal(check(d, bp_sum(bp_sin(planted(&two_modes, a, 1)), NULL, 0, false)), BP_E_CHECK);
  assert_int_equal(d->r.wrong, 0);
  assert_false(d->r.modes_agree);
  assert_true(fabs(d->r.forward - 2 * d->r.reverse) < 1e-12);
  assert_non_null(strstr(bp_error(), "forward mode gives"));
}

/* Of many entries a part is drawn; an error in one of those that are not shows in the direction through all of them. */
static void a_large_input_is_checked_in_part(void **state)
{
  desk *d = *state;
  enum { N = 5000 };
  static double x[N];
  for (int i = 0; i < N; i++)
    x[i] = 0.5 * sin(i);
  bp_node a = input(d, "x", N, -1, x), y;
  d->o.entries = 50;
  assert_right(d, bp_sum(bp_sin(a), NULL, 0, false));
  assert_int_equal(d->r.checked, 50);
  assert_int_equal(d->in[0].across.kind, BP_SLOPE_RIGHT);
  assert_true(d->in[0].across.step > 0);
  x[4321] = 1.2;
  assert_int_equal(bp_apply(NULL, &sin_over_one, &a, 1, NULL, &y), BP_OK);
  assert_int_equal(check(d, bp_sum(y, NULL, 0, false)), BP_E_CHECK);
  assert_int_equal(d->in[0].across.kind, BP_SLOPE_WRONG);
}

/* ---- kinks ---- */

static bp_node relu_of(desk *d, const double *x, int64_t n)
{
  return bp_sum(bp_relu(input(d, "x", n, -1, x)), NULL, 0, false);
}

static void a_kink_at_the_point(void **state)
{
  desk *d = *state;
  const double x[3] = {-1, 0, 1};
  assert_int_equal(check(d, relu_of(d, x, 3)), BP_OK);
  assert_int_equal(d->r.kinks, 1);
  assert_int_equal(d->in[0].kink, 1);
  assert_int_equal(d->in[0].at_kink.kind, BP_SLOPE_KINK);
  assert_true(d->in[0].at_kink.gradient == 0); /* as relu documents */
  assert_true(fabs(d->in[0].at_kink.left) < 1e-6 && fabs(d->in[0].at_kink.right - 1) < 1e-6);
}

static void kinks_within_h(void **state)
{
  desk *d = *state;
  const double x[4] = {1e-6, -2e-6, 5e-5, 1e-9};
  assert_int_equal(check(d, relu_of(d, x, 4)), BP_OK);
  assert_int_equal(d->r.kinks, 3); /* 5e-5 is further than h */
  assert_int_equal(d->in[0].worst, 2);
}

static void every_kind_of_kink(void **state)
{
  desk *d = *state;
  const double x[2] = {0, 0}, tie[3] = {1, 2, 2};
  bp_node a = input(d, "a", 2, -1, x), t = input(d, "t", 3, -1, tie), one = bp_constant(d->g, 1);
  const bp_node kinked[] = {
      bp_sum(bp_abs(a), NULL, 0, false),
      bp_sum(bp_maximum(a, bp_neg(a)), NULL, 0, false),
      bp_max(t, NULL, 0, false),
      bp_sum(bp_floor(t), NULL, 0, false), /* a jump */
      bp_norm(a, NULL, 0, false),
      bp_sum(bp_clip(t, 0, 2), NULL, 0, false),
      bp_sum(bp_mul(bp_exp(a), bp_leaky_relu(a, 0.1)), NULL, 0, false),
      /* relu(a) - relu(-a) = a: smooth, but autodiff takes 0 and 0 of it. The switches show. */
      bp_sum(bp_sub(bp_relu(a), bp_relu(bp_neg(a))), NULL, 0, false),
      bp_sum(bp_where(bp_greater(t, bp_constant(d->g, 2)), bp_mul(t, t), t), NULL, 0, false),
  };
  for (size_t k = 0; k < sizeof kinked / sizeof *kinked; k++) {
    if (check(d, kinked[k]) != BP_OK)
      fail_msg("kink %zu: %s", k, bp_error());
    if (d->r.kinks == 0)
      fail_msg("kink %zu is not seen", k);
  }
  (void)one;
}

/* At the edge of its domain f has differences on one side alone. */
static void edges(void **state)
{
  desk *d = *state;
  const double x[2] = {0, 4};
  assert_int_equal(check(d, bp_sum(bp_sqrt(input(d, "x", 2, -1, x)), NULL, 0, false)), BP_OK);
  assert_int_equal(d->r.kinks, 1);
  assert_int_equal(d->in[0].at_kink.kind, BP_SLOPE_EDGE);
  assert_true(isinf(d->in[0].at_kink.gradient));
}

/* A smooth function that goes up and down within the steps has no kink, and a kink anywhere within h is still one. */
static void rough_is_no_kink(void **state)
{
  enum { POINTS = 50 };
  desk *d = *state;
  double x[POINTS], near[POINTS];
  for (int i = 0; i < POINTS; i++) {
    x[i] = 1 + 0.0137 * i;
    near[i] = 5e-6 * (i + 1) / POINTS;
  }
  bp_node a = input(d, "x", POINTS, -1, x), b = input(d, "near", POINTS, -1, near);
  assert_int_equal(check(d, bp_sum(bp_sin(bp_mul(a, bp_constant(d->g, 1e8))), NULL, 0, false)), BP_OK);
  assert_true(d->r.kinks > 0);
  assert_int_equal(d->in[0].at_kink.kind, BP_SLOPE_ROUGH);
  bp_node y = bp_add(bp_abs(b), bp_mul(b, b));
  assert_int_equal(check(d, bp_sum(y, NULL, 0, false)), BP_OK);
  assert_int_equal(d->r.kinks, POINTS);
  assert_int_equal(d->in[1].at_kink.kind, BP_SLOPE_KINK);
}

/* A wrong slope beside a kink is wrong all the same. */
static void a_kink_hides_no_wrong_gradient(void **state)
{
  desk *d = *state;
  const double x[2] = {0.4, 0};
  bp_node a = input(d, "x", 2, -1, x);
  bp_node y = bp_add(bp_sum(bp_relu(a), NULL, 0, false), bp_sum(planted_sin(a, 1.5), NULL, 0, false));
  assert_int_equal(check(d, y), BP_E_CHECK);
  assert_int_equal(d->in[0].worst, 0);
}

/* y = |x|, a kink that no comparison in the graph shows; its slope is said to be the factor. */
static bp_status abs_kernel(bp_kernel_call *c)
{
  for (int64_t i = 0; i < c->in[0].size; i++)
    ((double *)c->out[0].data)[i] = fabs(((const double *)c->in[0].data)[i]);
  return BP_OK;
}

/* At a kink the gradient is to be one of the slopes, -1 or 1, or between them. */
static void a_gradient_outside_the_slopes_of_a_kink_is_wrong(void **state)
{
  desk *d = *state;
  const double x = 0;
  bp_op abs_times = same_times;
  abs_times.kernel = abs_kernel;
  bp_node a = input(d, "x", -1, -1, &x);
  for (int k = -4; k <= 4; k++) {
    bp_status s = check(d, planted(&abs_times, a, 0.5 * k));
    assert_int_equal(s, k < -2 || k > 2 ? BP_E_CHECK : BP_OK);
    assert_int_equal(d->r.kinks, s == BP_OK);
  }
}

/* ---- steps, states, refusals ---- */

static void a_given_step_is_used(void **state)
{
  desk *d = *state;
  const double x[2] = {0.5, 0.25};
  bp_node y = bp_sum(bp_exp(input(d, "x", 2, -1, x)), NULL, 0, false);
  d->o.step = 1e-4;
  assert_right(d, y);
  assert_true(d->r.step == 1e-4 && d->in[0].at_worst.step == 1e-4);
  /* (e^h - e^-h) / 2h - 1 = h^2 / 6 */
  assert_true(fabs(d->r.error - 1e-8 / 6) < 1e-10);
  d->o.step = 0.1; /* the curvature is seen, and a smaller step taken */
  assert_right(d, y);
  assert_true(d->in[0].at_worst.step < 0.1);
}

static void entries_of_a_state(void **state)
{
  desk *d = *state;
  bp_state *s = bp_state_new(d->ctx, BP_FLOAT64);
  int w;
  void *data;
  const double x = 0.7;
  assert_int_equal(bp_state_add(s, "w", BP_REAL, 1, (int64_t[]){3}, &w), BP_OK);
  assert_int_equal(bp_state_array(s, w, NULL, NULL, &data), BP_OK);
  const double at[3] = {0.1, 0.2, 0.3};
  memcpy(data, at, sizeof at);
  bp_node a = input(d, "x", -1, -1, &x);
  d->x[1] = bp_read(d->g, s, w);
  bp_node y = bp_sum(bp_sin(bp_mul(bp_square(d->x[1]), a)), NULL, 0, false);
  d->o.values = d->values;
  d->o.n_values = 1;
  assert_int_equal(bp_check_gradient(y, d->x, 2, &d->o, &d->r, d->in), BP_OK);
  assert_int_equal(d->r.checked, 4);
  /* d/dw sin(w^2 x) = 2 w x cos(w^2 x) */
  double w1 = d->in[1].value, want = 2 * w1 * x * cos(w1 * w1 * x);
  assert_true(fabs(d->in[1].at_worst.gradient - want) < 1e-12);
  assert_true(fabs(d->in[1].at_worst.difference - want) < 1e-8);
  assert_memory_equal(data, at, sizeof at); /* the caller's state is as it was */
  bp_state_free(s);
}

static void bad_calls_are_refused(void **state)
{
  desk *d = *state;
  const double x[2] = {1, 2}, nan = NAN;
  bp_node a = input(d, "x", 2, -1, x), y = bp_sum(bp_square(a), NULL, 0, false), twice[2] = {a, a},
          square = bp_square(a);
  bp_gradient_options o = {.values = d->values, .n_values = 1};
  bp_gradient_check *r = &d->r;
  assert_int_equal(bp_check_gradient(y, &a, 1, &o, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_check_gradient(y, NULL, 1, &o, r, NULL), BP_E_ARG);
  assert_int_equal(bp_check_gradient(y, &a, 0, &o, r, NULL), BP_E_ARG);
  assert_int_equal(bp_check_gradient(BP_NO_NODE, &a, 1, &o, r, NULL), BP_E_GRAPH);
  assert_int_equal(bp_check_gradient(y, twice, 2, &o, r, NULL), BP_E_ARG);
  assert_int_equal(bp_check_gradient(y, &square, 1, &o, r, NULL), BP_E_ARG);
  assert_non_null(strstr(bp_error(), "is computed"));
  assert_int_equal(bp_check_gradient(y, &a, 1, NULL, r, NULL), BP_E_UNBOUND);
  assert_int_equal(bp_check_gradient(bp_greater(y, y), &a, 1, &o, r, NULL), BP_E_DTYPE);
  o.step = -1;
  assert_int_equal(bp_check_gradient(y, &a, 1, &o, r, NULL), BP_E_ARG);
  o.step = nan;
  assert_int_equal(bp_check_gradient(y, &a, 1, &o, r, NULL), BP_E_ARG);
  o.step = 0;
  d->values[0].bytes = 8;
  assert_int_equal(bp_check_gradient(y, &a, 1, &o, r, NULL), BP_E_SHAPE);
  d->values[0].bytes = 16;
  assert_int_equal(bp_check_gradient(bp_sum(bp_log(bp_neg(a)), NULL, 0, false), &a, 1, &o, r, NULL),
                   BP_E_NOTFINITE);
  assert_int_equal(bp_check_gradient(y, &a, 1, &o, r, NULL), BP_OK);
}

/* ---- every row of the table, also where it has kinks ---- */

enum { AS_DRAWN, ON_LATTICE, NEAR_LATTICE, PLACES };

/* Real values as the example draws them, whole numbers, or at most 1e-5 from whole numbers. */
static void place_values(const bpi_example *ex, void **data, int place)
{
  for (int i = 0; i < ex->n_args; i++) {
    double *x = data[i];
    if (ex->args[i].type.dtype != BP_REAL || ex->args[i].simplex)
      continue;
    for (int64_t k = 0; k < bpi_type_size(&ex->args[i].type) && place != AS_DRAWN; k++)
      x[k] = place == ON_LATTICE ? round(x[k]) : round(x[k]) + 1e-5 * (x[k] - round(x[k]));
  }
}

/* The sum of y sin(y + 1) over all real results: a kink of y at 0 is one of this too. */
static bp_node judged_node(bp_graph *g, const bp_node *y, int n_y)
{
  bp_node sum = bp_constant(g, 0);
  for (int k = 0; k < n_y; k++) {
    bp_type t;
    assert_int_equal(bp_node_type(y[k], &t), BP_OK);
    if (t.dtype == BP_REAL)
      sum = bp_add(sum, bp_sum(bp_mul(y[k], bp_sin(bp_add(y[k], bp_constant(g, 1)))), NULL, 0, false));
  }
  return sum;
}

typedef struct census {
  long right, kinked, not_finite, wrong, flat;
} census;

/* What the check says, counted; with a factor other than 1 the gradient of the whole is off by it, unless it is 0. */
static void take_census(census *c, bp_status s, const bp_gradient_check *r)
{
  c->wrong += s == BP_E_CHECK;
  c->not_finite += s == BP_E_NOTFINITE;
  c->kinked += s == BP_OK && r->kinks > 0;
  c->right += s == BP_OK && r->kinks == 0;
  c->flat += s == BP_OK && r->reverse == 0;
}

static void check_example(bp_ctx *ctx, const bp_op *op, const char *text, uint64_t seed, int place,
                          double factor, census *c)
{
  bpi_example ex;
  bp_node x[64], y[BP_MAX_RESULTS], wrt[64];
  void *data[64];
  bp_value values[64];
  int n_y;
  size_t n = 0;
  bp_graph *g = bp_graph_new(ctx);
  assert_int_equal(bpi_example_open(&ex, ctx, op, text), BP_OK);
  assert_int_equal(bpi_example_draw(&ex, seed, data), BP_OK);
  place_values(&ex, data, place);
  assert_int_equal(bpi_example_build(&ex, g, x, y, &n_y), BP_OK);
  for (int i = 0; i < ex.n_args; i++) {
    bp_dtype dtype = ex.args[i].type.dtype;
    size_t each = dtype == BP_REAL ? sizeof(double) : bp_dtype_size(dtype);
    values[i] = (bp_value){ex.args[i].name, data[i], (size_t)bpi_type_size(&ex.args[i].type) * each};
    if (dtype == BP_REAL)
      wrt[n++] = x[i];
  }
  bp_gradient_options o = {.values = values, .n_values = (size_t)ex.n_args, .seed = seed};
  bp_gradient_check r;
  bp_status s = BP_OK;
  if (n) {
    s = bp_check_gradient(planted(&same_times, judged_node(g, y, n_y), factor), wrt, n, &o, &r, NULL);
    take_census(c, s, &r);
  }
  if (s != BP_OK && s != BP_E_NOTFINITE && factor == 1)
    fail_msg("%s, \"%s\", seed %d, place %d: %s", op->name, text, (int)seed, place, bp_error());
  if (n && s == BP_OK && factor != 1 && r.reverse != 0)
    fail_msg("%s, \"%s\", seed %d: a gradient that is off by %g is not found", op->name, text, (int)seed,
             factor - 1);
  bp_graph_free(g);
  bpi_example_close(&ex);
}

/* Where a row stops gradients by decree the numbers say another thing, rightly. */
static census check_every_row(bp_ctx *ctx, int place, double factor)
{
  census c = {0, 0, 0, 0, 0};
  for (size_t r = 0; r < bp_op_count(); r++) {
    const bp_op *op = bp_op_at(r);
    for (int e = 0; bpi_is_lawful(op) && !(op->traits & BP_STOPS) && e < bpi_example_count(op); e++)
      for (uint64_t seed = 0; seed < 4; seed++)
        check_example(ctx, op, op->examples[e], seed, place, factor, &c);
  }
  return c;
}

static void no_row_is_called_wrong(void **state)
{
  desk *d = *state;
  static const char *const names[PLACES] = {"as drawn", "on kinks", "near kinks"};
  for (int place = 0; place < PLACES; place++) {
    census c = check_every_row(d->ctx, place, 1);
    print_message("%s: %ld right, %ld with kinks, %ld not finite\n", names[place], c.right, c.kinked,
                  c.not_finite);
    assert_true(c.right > 500);
    assert_true(place == AS_DRAWN ? c.kinked == 0 : c.kinked > 50);
  }
}

static void every_wrong_row_is_found(void **state)
{
  desk *d = *state;
  static const double factors[] = {1.00001, 0.999, 1.1};
  for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
    census c = check_every_row(d->ctx, AS_DRAWN, factors[k]);
    print_message("off by %g: %ld found, %ld have no gradient\n", factors[k] - 1, c.wrong, c.flat);
    assert_int_equal(c.right, c.flat);
    assert_true(c.wrong > 500);
  }
}

static bp_status check_something(bp_ctx *c)
{
  const double at[2] = {0.5, 0};
  const bp_value v = {"x", at, sizeof at};
  bp_gradient_options o = {.values = &v, .n_values = 1, .entries = 1};
  bp_gradient_check r;
  bp_graph *g = bp_graph_new(c);
  if (!g)
    return BP_E_NOMEM;
  bp_node x = bp_input(g, "x", BP_REAL, 1, (int64_t[]){2}), y = bp_mul(bp_sin(x), bp_relu(bp_neg(x)));
  bp_status s = bp_graph_status(g);
  if (s == BP_OK)
    s = bp_check_gradient(y, &x, 1, &o, &r, NULL);
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(check_something) > 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
  const struct CMUnitTest tests[] = {
      TEST(the_neuron),
      TEST(a_layer_with_an_upstream),
      TEST(a_linear_function_has_no_rate),
      TEST(an_input_without_influence),
      TEST(awkward_but_right),
      TEST(a_wrong_factor_is_found),
      TEST(a_wrong_factor_is_found_where_f_is_0),
      TEST(a_wrong_entry_is_named),
      TEST(a_stopped_gradient_is_wrong_by_the_numbers),
      TEST(modes_that_disagree_are_found),
      TEST(a_large_input_is_checked_in_part),
      TEST(a_kink_at_the_point),
      TEST(kinks_within_h),
      TEST(every_kind_of_kink),
      TEST(edges),
      TEST(rough_is_no_kink),
      TEST(a_kink_hides_no_wrong_gradient),
      TEST(a_gradient_outside_the_slopes_of_a_kink_is_wrong),
      TEST(a_given_step_is_used),
      TEST(entries_of_a_state),
      TEST(bad_calls_are_refused),
      TEST(no_row_is_called_wrong),
      TEST(every_wrong_row_is_found),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

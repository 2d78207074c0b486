/* Differentiation, graph to graph: orders, modes, functions, loops, kinks, what must not change and what it costs. */
#include "bprop.h"
#include "graph/graph.h"
#include "support/failing.h"
#include "support/linear.h"
#include "check/probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct desk {
  failing memory;
  bp_ctx *ctx;
  bp_graph *g;
  bpi_probe f; /* inputs by desk_input; its results are what desk_values reads */
} desk;

static int set_up(void **state)
{
  desk *d = calloc(1, sizeof *d);
  d->ctx = failing_ctx(&d->memory);
  d->g = bp_graph_new(d->ctx);
  bpi_probe_open(&d->f, d->g, 1);
  *state = d;
  return 0;
}

static int tear_down(void **state)
{
  desk *d = *state;
  bpi_probe_close(&d->f);
  bp_graph_free(d->g);
  bp_ctx_free(d->ctx);
  long live = d->memory.live;
  free(d);
  if (live)
    print_error("%ld blocks of memory are still alive\n", live);
  return live != 0;
}

#define assert_status(want, s) assert_string_equal(bp_status_name(want), bp_status_name(s))

static void assert_near(double got, double want, double relative)
{
  if (!(fabs(got - want) <= relative * fmax(1, fabs(want))))
    fail_msg("%.17g is not %.17g", got, want);
}

/* A real input of rank 0 to 2 with these values (read at each run), or random ones. */
static bp_node desk_input(desk *d, const char *name, int rank, int64_t rows, int64_t cols, double *values)
{
  int64_t dims[2] = {rows, cols}, size = (rank > 0 ? rows : 1) * (rank > 1 ? cols : 1);
  bp_node x = bp_input(d->g, name, BP_REAL, rank, dims);
  if (!values) {
    values = bpi_probe_doubles(&d->f, size);
    for (int64_t i = 0; i < size; i++)
      values[i] = bpi_probe_uniform(&d->f, -1.2, 1.2);
  }
  bpi_probe_input(&d->f, x, values);
  return x;
}

/* Values of n nodes, joined. */
static void desk_values(desk *d, const bp_node *y, int n, double *out)
{
  if (bp_graph_status(d->g) != BP_OK)
    fail_msg("%s", bp_graph_error(d->g));
  d->f.n_y = 0;
  for (int i = 0; i < n; i++)
    bpi_probe_result(&d->f, y[i]);
  if (bpi_probe_values(&d->f, BP_FLOAT64, out) != BP_OK)
    fail_msg("%s", bp_error());
}

/* vjp and jvp = differences, and = each other. */
static void assert_derivatives_agree(bpi_probe *f)
{
  bpi_measured J;
  bp_status s = bpi_probe_measure(f, &J);
  if (s == BP_OK)
    s = bpi_probe_vjp_agrees(f, &J);
  if (s == BP_OK)
    s = bpi_probe_jvp_agrees(f, &J);
  if (s == BP_OK)
    s = bpi_probe_adjoint_agrees(f);
  if (s != BP_OK)
    fail_msg("%s", bp_error());
}

static bp_node grad_of(bp_node loss, bp_node x)
{
  bp_node grad;
  if (bp_grad(loss, &x, 1, &grad) != BP_OK)
    fail_msg("%s", bp_error());
  return grad;
}

static bp_node total(bp_node x)
{
  return bp_sum(x, NULL, 0, false);
}

/* ---- the sigmoid neuron ---- */

/* f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) at w = (2, -3, -3), x = (-1, -2).
 * The sum is s = -2 + 6 - 3 = 1; f = 1 / (1 + 1/e) = 0.731058578630; df/ds = f (1 - f) = 0.196611933241.
 * df/dw0 = x0 df/ds = -0.196611933241, df/dx0 = w0 df/ds = 0.393223866483, df/dw1 = x1 df/ds = -0.393223866483,
 * df/dx1 = w1 df/ds = -0.589835799724, df/dw2 = df/ds = 0.196611933241. */
static void the_sigmoid_neuron(void **state)
{
  desk *d = *state;
  static const char *const names[5] = {"w0", "x0", "w1", "x1", "w2"};
  double at[5] = {2, -1, -3, -2, -3}, got[6];
  static const double want[6] = {0.731058578630,  -0.196611933241, 0.393223866483,
                                 -0.393223866483, -0.589835799724, 0.196611933241};
  bp_node v[5], y[6];
  for (int i = 0; i < 5; i++)
    v[i] = desk_input(d, names[i], 0, 0, 0, &at[i]);
  bp_node s = bp_add(bp_add(bp_mul(v[0], v[1]), bp_mul(v[2], v[3])), v[4]);
  y[0] = bp_reciprocal(bp_add(bp_constant(d->g, 1), bp_exp(bp_neg(s))));
  assert_status(BP_OK, bp_grad(y[0], v, 5, y + 1));
  desk_values(d, y, 6, got);
  for (int i = 0; i < 6; i++)
    assert_true(fabs(got[i] - want[i]) <= 1e-12);
  /* The bundle is the same neuron. */
  y[0] = bp_sigmoid(s);
  assert_status(BP_OK, bp_grad(y[0], v, 5, y + 1));
  desk_values(d, y, 6, got);
  for (int i = 0; i < 6; i++)
    assert_true(fabs(got[i] - want[i]) <= 1e-12);
}

/* ---- high orders ---- */

static bp_node exp_sin(bp_node x)
{
  return bp_exp(bp_sin(x));
}

static bp_node tanh_square(bp_node x)
{
  return bp_tanh(bp_square(x));
}

static bp_node x_log(bp_node x)
{
  return bp_mul(x, bp_log(bp_add(bp_square(x), bp_constant(x.graph, 1))));
}

/* Value and derivatives 1 to 5, by mpmath 1.3 with 40 digits at the double nearest to x. */
static const struct {
  bp_node (*f)(bp_node x);
  double x, want[6];
} golden[] = {
    {exp_sin,
     -1.3,
     {0.38153290306243134, 0.102059604650938625, 0.394929976445804702, 0.200264436360759072,
      0.745652910720755456, 0.0461653260673845229}},
    {exp_sin,
     0.7,
     {1.90449653438673019, 1.4566392950360747, -0.112811168234890331, -3.41970763127432804,
      -4.51289901565768765, 11.0883959410290294}},
    {exp_sin,
     2.1,
     {2.37075712617031286, -1.1968675000994354, -1.44222586221241023, 3.99126408203745045,
      1.95361256692673945, -24.465528953785967}},
    {tanh_square,
     -1.3,
     {0.934147210403727513, -0.331159372166828515, -1.35389036069533381, -3.53153231441345429,
      3.70046129111081353, 102.158501508250606}},
    {tanh_square,
     0.7,
     {0.454216432682259016, 1.11116240519396394, 0.174191837872850633, -7.71631331111146996,
      -7.57784411614219219, 152.199694157628128}},
    {x_log,
     -1.3,
     {-1.28640355169787216, 2.24604676982192625, -1.68516189660176057, -1.0270787592301692,
      -0.472329641482631117, 1.99202948731685056}},
    {x_log,
     0.7,
     {0.279143283970157394, 1.0564942407627368, 2.20080176568623035, -0.108889224108352087,
      -5.6012565916039215, 21.7825027879634098}},
    {x_log,
     2.1,
     {3.54532309500261962, 3.31856332576042352, 1.06334200033483549, -0.541972791647434064,
      0.476060845363831306, -0.476542381818488993}},
};

static void five_derivatives_of_composites(void **state)
{
  desk *d = *state;
  double at, got[6];
  bp_node x = desk_input(d, "x", 0, 0, 0, &at), one = bp_constant(d->g, 1);
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    at = golden[i].x;
    bp_node y[6] = {golden[i].f(x)};
    for (int k = 1; k < 6; k++)
      y[k] = grad_of(y[k - 1], x);
    desk_values(d, y, 6, got);
    for (int k = 0; k < 6; k++)
      assert_near(got[k], golden[i].want[k], 1e-12);
    for (int k = 1; k < 6; k++) /* forward over forward */
      assert_status(BP_OK, bp_jvp(&y[k - 1], 1, &x, &one, 1, &y[k]));
    desk_values(d, y, 6, got);
    for (int k = 0; k < 6; k++)
      assert_near(got[k], golden[i].want[k], 1e-12);
  }
}

/* f = (x'Ax)^2 / 2 with A symmetric, q = x'Ax: gradient 2 q A x, Hessian times v: 2 q A v + 4 (x'Av) A x. */
static void hessian_vector_products_agree(void **state)
{
  enum { N = 4 };
  desk *d = *state;
  bp_node x = desk_input(d, "x", 2, N, 1, NULL), v = desk_input(d, "v", 2, N, 1, NULL),
          r = desk_input(d, "r", 2, N, N, NULL);
  bp_node a = bp_add(r, bp_transpose(r, NULL, 0));
  bp_node q = total(bp_mul(x, bp_matmul(a, x))), half = bp_constant(d->g, 0.5);
  bp_node f = bp_mul(half, bp_square(q)), grad = grad_of(f, x), y[5], tangent;
  assert_status(BP_OK, bp_jvp(&grad, 1, &x, &v, 1, &y[0])); /* forward over reverse */
  y[1] = grad_of(total(bp_mul(grad, v)), x);                /* reverse over reverse */
  assert_status(BP_OK, bp_jvp(&f, 1, &x, &v, 1, &tangent));
  y[2] = grad_of(tangent, x); /* reverse over forward */
  bp_node ax = bp_matmul(a, x), av = bp_matmul(a, v), two = bp_constant(d->g, 2), four = bp_constant(d->g, 4);
  y[3] = bp_add(bp_mul(bp_mul(two, q), av), bp_mul(bp_mul(four, total(bp_mul(x, av))), ax));
  y[4] = bp_sub(grad, bp_mul(bp_mul(two, q), ax));
  double got[5 * N];
  desk_values(d, y, 5, got);
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < 3; k++)
      assert_near(got[k * N + i], got[3 * N + i], 1e-12);
    assert_near(got[4 * N + i], 0, 1e-12);
  }
}

/* ---- wires ---- */

static void forked_wires_add(void **state)
{
  desk *d = *state;
  double at = 1.5, got[4];
  bp_node x = desk_input(d, "x", 0, 0, 0, &at), y[4];
  y[0] = grad_of(bp_add(bp_mul(x, x), x), x);            /* 2x + 1 */
  y[1] = grad_of(bp_add(bp_add(x, x), x), x);            /* 3 */
  y[2] = grad_of(bp_mul(bp_mul(x, x), bp_mul(x, x)), x); /* 4 x^3 */
  y[3] = grad_of(bp_sub(bp_exp(x), bp_exp(x)), x);       /* 0 */
  desk_values(d, y, 4, got);
  assert_true(got[0] == 4);
  assert_true(got[1] == 3);
  assert_near(got[2], 4 * 1.5 * 1.5 * 1.5, 1e-15);
  assert_true(got[3] == 0);
}

static void gradients_by_nodes_on_the_way(void **state)
{
  desk *d = *state;
  double at = 0.3, got[4];
  bp_node x = desk_input(d, "x", 0, 0, 0, &at), s = bp_sin(x), y = bp_square(s), wrt[4] = {x, s, y, x},
          grads[4];
  assert_status(BP_OK, bp_grad(y, wrt, 4, grads));
  desk_values(d, grads, 4, got);
  assert_near(got[0], 2 * sin(at) * cos(at), 1e-15);
  assert_near(got[1], 2 * sin(at), 1e-15);
  assert_true(got[2] == 1);
  assert_true(got[3] == got[0]);
}

static void what_the_loss_does_not_depend_on_gets_zeros(void **state)
{
  desk *d = *state;
  bp_node x = desk_input(d, "x", 2, 2, 3, NULL), other = desk_input(d, "other", 2, 4, 2, NULL),
          wrt[2] = {x, other}, grads[2], tangent;
  bp_node loss = total(bp_exp(x));
  assert_status(BP_OK, bp_grad(loss, wrt, 2, grads));
  bp_type t;
  assert_status(BP_OK, bp_node_type(grads[1], &t));
  assert_int_equal(t.rank, 2);
  assert_int_equal(t.dims[0], 4);
  assert_int_equal(t.dims[1], 2);
  double got[14];
  desk_values(d, grads, 2, got);
  for (int i = 6; i < 14; i++)
    assert_true(got[i] == 0);
  assert_status(BP_OK, bp_jvp(&loss, 1, &other, &other, 1, &tangent));
  desk_values(d, &tangent, 1, got);
  assert_true(got[0] == 0);
}

static void stop_gradient_stops(void **state)
{
  desk *d = *state;
  double at = 1.7, got[4];
  bp_node x = desk_input(d, "x", 0, 0, 0, &at), one = bp_constant(d->g, 1), y[4];
  bp_node loss = bp_mul(x, bp_stop_gradient(bp_square(x)));
  y[0] = loss;
  y[1] = grad_of(loss, x);
  assert_status(BP_OK, bp_jvp(&loss, 1, &x, &one, 1, &y[2]));
  y[3] = grad_of(bp_stop_gradient(bp_exp(x)), x);
  desk_values(d, y, 4, got);
  assert_near(got[0], at * at * at, 1e-15);
  assert_near(got[1], at * at, 1e-15);
  assert_near(got[2], at * at, 1e-15);
  assert_true(got[3] == 0);
}

/* ---- kinks and untaken branches ---- */

static void an_untaken_branch_gives_zero(void **state)
{
  desk *d = *state;
  double at[3] = {0, -1, 2}, got[9];
  int64_t dims[1] = {3};
  bp_node x = bp_input(d->g, "x", BP_REAL, 1, dims), zero = bp_constant(d->g, 0), y[3];
  bpi_probe_input(&d->f, x, at);
  bp_node test = bp_greater(x, zero);
  y[0] = grad_of(total(bp_where(test, bp_sqrt(x), x)), x);           /* sqrt' is inf at 0, NaN below */
  y[1] = grad_of(total(bp_where(test, bp_log(x), bp_mul(x, x))), x); /* log is -inf and NaN */
  y[2] = grad_of(total(bp_where(test, x, bp_exp(bp_reciprocal(bp_neg(x))))),
                 x); /* 1/x is inf at 0, taken there */
  desk_values(d, y, 3, got);
  assert_true(got[0] == 1 && got[1] == 1);
  assert_near(got[2], 0.5 / sqrt(2), 1e-15);
  assert_true(got[3] == 0 && got[4] == -2);
  assert_near(got[5], 0.5, 1e-15);
  assert_true(got[8] == 1);
  /* The second derivative keeps out of the untaken branch too. */
  y[0] = grad_of(total(grad_of(total(bp_where(test, bp_sqrt(x), bp_mul(x, bp_square(x)))), x)), x);
  desk_values(d, y, 1, got);
  assert_true(got[0] == 0 && got[1] == -6);
  assert_near(got[2], -0.25 / (2 * sqrt(2)), 1e-15);
}

static void a_max_node_is_a_router(void **state)
{
  desk *d = *state;
  double a = 3, b = 5, got[8];
  bp_node x = desk_input(d, "a", 0, 0, 0, &a), y = desk_input(d, "b", 0, 0, 0, &b), wrt[2] = {x, y}, grads[8];
  bp_node zero = bp_constant(d->g, 0);
  assert_status(BP_OK, bp_grad(bp_maximum(x, y), wrt, 2, grads));
  assert_status(BP_OK, bp_grad(bp_minimum(x, y), wrt, 2, grads + 2));
  desk_values(d, grads, 4, got);
  assert_true(got[0] == 0 && got[1] == 1 && got[2] == 1 && got[3] == 0);
  b = 3; /* a tie goes to the first operand */
  desk_values(d, grads, 4, got);
  assert_true(got[0] == 1 && got[1] == 0 && got[2] == 1 && got[3] == 0);
  a = 0; /* but a constant wins a tie, on either side */
  grads[0] = grad_of(bp_maximum(zero, x), x);
  grads[1] = grad_of(bp_maximum(x, zero), x);
  grads[2] = grad_of(bp_relu(x), x);
  grads[3] = grad_of(bp_minimum(x, zero), x);
  desk_values(d, grads, 4, got);
  for (int i = 0; i < 4; i++)
    assert_true(got[i] == 0);
}

static void max_over_an_axis_routes_to_the_lowest_index(void **state)
{
  desk *d = *state;
  double at[6] = {1, 4, 4, 7, 7, 7}, got[12];
  int64_t dims[2] = {2, 3}, axes[1] = {1};
  bp_node x = bp_input(d->g, "x", BP_REAL, 2, dims), y[2];
  bpi_probe_input(&d->f, x, at);
  y[0] = grad_of(total(bp_max(x, axes, 1, false)), x);
  y[1] = grad_of(bp_max(x, NULL, 0, false), x);
  desk_values(d, y, 2, got);
  static const double want[12] = {0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0};
  for (int i = 0; i < 12; i++)
    assert_true(got[i] == want[i]);
}

/* ---- functions and loops ---- */

enum { T = 5, X = 2, H = 3 };

static bp_node gate(bp_node z, int number)
{
  int64_t start[2] = {0, number * H}, stop[2] = {1, (number + 1) * H}, step[2] = {1, 1};
  return bp_slice(z, start, 2, stop, 2, step, 2);
}

/* One step of an LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
 * v: h, c, x_t, Wx, Wh, b; out: h', c', and h' once more as the step's result. */
static void lstm_step(const bp_node *v, bp_node *out)
{
  bp_node z = bp_add(bp_add(bp_matmul(v[2], v[3]), bp_matmul(v[0], v[4])), v[5]);
  bp_node keep = bp_mul(bp_sigmoid(gate(z, 1)), v[1]),
          write = bp_mul(bp_sigmoid(gate(z, 0)), bp_tanh(gate(z, 2)));
  out[1] = bp_add(keep, write);
  out[0] = bp_mul(bp_sigmoid(gate(z, 3)), bp_tanh(out[1]));
  out[2] = out[0];
}

static const struct {
  const char *name;
  int64_t rows, cols;
} lstm_parts[6] = {{"h", 1, H},      {"c", 1, H},      {"x", 1, X},
                   {"Wx", X, 4 * H}, {"Wh", H, 4 * H}, {"b", 1, 4 * H}};

static bp_fn *lstm_fn(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node in[6], out[3];
  for (int i = 0; i < 6; i++) {
    int64_t dims[2] = {lstm_parts[i].rows, lstm_parts[i].cols};
    in[i] = bp_input(g, lstm_parts[i].name, BP_REAL, 2, dims);
  }
  lstm_step(in, out);
  return bp_fn_new("lstm step", g, in, 6, out, 3);
}

/* Inputs of the whole loop: as of a step, but x is a sequence [T, 1, X]. */
static void lstm_inputs(desk *d, bp_node *in)
{
  for (int i = 0; i < 6; i++) {
    int64_t dims[3] = {T, lstm_parts[i].rows, lstm_parts[i].cols},
            size = (i == 2 ? T : 1) * dims[1] * dims[2];
    in[i] = bp_input(d->g, lstm_parts[i].name, BP_REAL, i == 2 ? 3 : 2, i == 2 ? dims : dims + 1);
    double *v = bpi_probe_doubles(&d->f, size);
    for (int64_t k = 0; k < size; k++)
      v[k] = bpi_probe_uniform(&d->f, -0.8, 0.8);
    bpi_probe_input(&d->f, in[i], v);
  }
}

/* The h of every step weighted by t + 1, and the last carries: every path through the loop counts. */
static bp_node lstm_loss(bp_graph *g, bp_node *h, bp_node last_h, bp_node last_c)
{
  bp_node loss = bp_add(total(bp_square(last_c)), total(bp_sin(last_h)));
  for (int t = 0; t < T; t++)
    loss = bp_add(loss, bp_mul(bp_constant(g, t + 1), total(bp_square(h[t]))));
  return loss;
}

static bp_node step_of(bp_node seq, int t, int64_t n)
{
  int64_t start[3] = {t, 0, 0}, stop[3] = {t + 1, 1, n}, step[3] = {1, 1, 1}, dims[2] = {1, n};
  return bp_reshape(bp_slice(seq, start, 3, stop, 3, step, 3), dims, 2);
}

static bp_node scanned_loss(desk *d, const bp_node *in, bool reverse)
{
  bp_fn *fn = lstm_fn(d->ctx);
  bp_node out[3], h[T];
  assert_non_null(fn);
  if (bp_scan(fn, in, 2, in + 2, 1, in + 3, 3, 0, reverse, out) != BP_OK)
    fail_msg("%s", bp_error());
  bp_fn_free(fn);
  for (int t = 0; t < T; t++)
    h[t] = step_of(out[2], t, H);
  return lstm_loss(d->g, h, out[0], out[1]);
}

static bp_node unrolled_loss(desk *d, const bp_node *in, bool reverse)
{
  bp_node h[T], v[6], out[3] = {in[0], in[1]};
  for (int i = 0; i < T; i++) {
    int t = reverse ? T - 1 - i : i;
    memcpy(v, in, sizeof v);
    v[0] = out[0];
    v[1] = out[1];
    v[2] = step_of(in[2], t, X);
    lstm_step(v, out);
    h[t] = out[2];
  }
  return lstm_loss(d->g, h, out[0], out[1]);
}

static void lstm_by_scan(desk *d, bool reverse)
{
  bp_node in[6], y[14];
  lstm_inputs(d, in);
  y[0] = scanned_loss(d, in, reverse);
  y[7] = unrolled_loss(d, in, reverse);
  assert_status(BP_OK, bp_grad(y[0], in, 6, y + 1));
  assert_status(BP_OK, bp_grad(y[7], in, 6, y + 8));
  int64_t n = bpi_real_size(y, 7);
  double *got = bpi_probe_doubles(&d->f, 2 * n);
  desk_values(d, y, 14, got);
  for (int64_t i = 0; i < n; i++)
    assert_near(got[i], got[n + i], 1e-13);
  /* And the gradient is the one that differences show. */
  d->f.n_y = 0;
  bpi_probe_result(&d->f, y[0]);
  assert_derivatives_agree(&d->f);
}

static void lstm_scanned_over_a_sequence(void **state)
{
  lstm_by_scan(*state, false);
}

static void lstm_scanned_backwards(void **state)
{
  lstm_by_scan(*state, true);
}

/* The gradient of the scan is a scan, and has a gradient. */
static void the_gradient_of_a_scan_has_a_gradient(void **state)
{
  desk *d = *state;
  bp_node in[6];
  lstm_inputs(d, in);
  bpi_probe_result(&d->f, scanned_loss(d, in, false));
  bpi_probe df;
  if (bpi_probe_gradient(&d->f, &df) != BP_OK)
    fail_msg("%s", bp_error());
  assert_derivatives_agree(&df);
  bpi_probe_close(&df);
}

/* A scan without sequences: x <- x + sin(x k), 7 times. */
static void a_loop_of_fixed_length(void **state)
{
  desk *d = *state;
  double at = 0.4, by = 1.3, got[6];
  bp_graph *body = bp_graph_new(d->ctx);
  bp_node in[2] = {bp_input(body, "x", BP_REAL, 0, NULL), bp_input(body, "k", BP_REAL, 0, NULL)};
  bp_node next = bp_add(in[0], bp_sin(bp_mul(in[0], in[1])));
  bp_fn *fn = bp_fn_new("step", body, in, 2, &next, 1);
  bp_node wrt[2] = {desk_input(d, "x", 0, 0, 0, &at), desk_input(d, "k", 0, 0, 0, &by)}, y[6];
  assert_status(BP_OK, bp_scan(fn, &wrt[0], 1, NULL, 0, &wrt[1], 1, 7, false, &y[0]));
  bp_fn_free(fn);
  y[3] = wrt[0];
  for (int i = 0; i < 7; i++)
    y[3] = bp_add(y[3], bp_sin(bp_mul(y[3], wrt[1])));
  assert_status(BP_OK, bp_grad(y[0], wrt, 2, y + 1));
  assert_status(BP_OK, bp_grad(y[3], wrt, 2, y + 4));
  desk_values(d, y, 6, got);
  for (int i = 0; i < 3; i++)
    assert_near(got[i], got[3 + i], 1e-13);
}

static bp_node swish_like(bp_node x, bp_node k)
{
  return bp_mul(x, bp_sigmoid(bp_mul(x, k)));
}

/* A function of a function, called twice: the same values and gradients as written out. */
static void gradients_through_calls(void **state)
{
  desk *d = *state;
  bp_graph *inner = bp_graph_new(d->ctx), *outer = bp_graph_new(d->ctx);
  int64_t dims[1] = {4};
  bp_node a[2] = {bp_input(inner, "x", BP_REAL, 1, dims), bp_input(inner, "k", BP_REAL, 0, NULL)},
          r = swish_like(a[0], a[1]);
  bp_fn *fn = bp_fn_new("inner", inner, a, 2, &r, 1);
  bp_node b[2] = {bp_input(outer, "x", BP_REAL, 1, dims), bp_input(outer, "k", BP_REAL, 0, NULL)}, s[2];
  assert_status(BP_OK, bp_call(fn, b, 2, &s[0]));
  s[0] = bp_exp(s[0]);
  s[1] = bp_mul(b[0], s[0]);
  bp_fn *fn2 = bp_fn_new("outer", outer, b, 2, s, 2);
  assert_non_null(fn2);
  bp_node x = desk_input(d, "x", 1, 4, 0, NULL), k = desk_input(d, "k", 0, 0, 0, NULL), wrt[2] = {x, k},
          one[2], two[2], y[6];
  assert_status(BP_OK, bp_call(fn2, wrt, 2, one));
  bp_node again[2] = {one[1], k};
  assert_status(BP_OK, bp_call(fn2, again, 2, two));
  y[0] = total(bp_add(one[0], two[1]));
  bp_node e = bp_exp(swish_like(x, k)), xe = bp_mul(x, e);
  y[3] = total(bp_add(e, bp_mul(xe, bp_exp(swish_like(xe, k)))));
  assert_status(BP_OK, bp_grad(y[0], wrt, 2, y + 1));
  assert_status(BP_OK, bp_grad(y[3], wrt, 2, y + 4));
  bp_fn_free(fn);
  bp_fn_free(fn2);
  double got[12];
  desk_values(d, y, 6, got);
  for (int i = 0; i < 6; i++)
    assert_near(got[i], got[6 + i], 1e-13);
}

/* ---- rows of the caller ---- */

static bp_status same_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}

static bp_status cube_kernel(bp_kernel_call *c)
{
  for (int64_t i = 0; i < c->in[0].size; i++)
    if (c->in[0].dtype == BP_FLOAT64)
      ((double *)c->out[0].data)[i] = pow(((const double *)c->in[0].data)[i], 3);
    else
      ((float *)c->out[0].data)[i] = powf(((const float *)c->in[0].data)[i], 3);
  return BP_OK;
}

static bp_node cube_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  return bp_mul(up[0], bp_mul(bp_constant(c->graph, 3), bp_square(c->x[input])));
}

static bp_node wrong_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)c, (void)input;
  return total(up[0]);
}

static void a_row_of_the_caller_is_differentiated(void **state)
{
  desk *d = *state;
  bp_op cube = {.name = "cube",
                .math = "y = x^3",
                .source = "-",
                .args = "x",
                .shape = same_shape,
                .kernel = cube_kernel,
                .vjp = cube_vjp};
  bp_node x = desk_input(d, "x", 1, 4, 0, NULL), y;
  assert_status(BP_OK, bp_apply(d->g, &cube, &x, 1, NULL, &y));
  bpi_probe_result(&d->f, bp_sin(y));
  assert_derivatives_agree(&d->f);
}

static void mistakes_in_a_row_of_the_caller_are_found(void **state)
{
  desk *d = *state;
  bp_op blind = {.name = "blind", .args = "x", .shape = same_shape, .kernel = cube_kernel}, wrong = blind;
  wrong.name = "askew";
  wrong.vjp = wrong_vjp;
  bp_node x = desk_input(d, "x", 1, 4, 0, NULL), y[2], grad;
  assert_status(BP_OK, bp_apply(d->g, &blind, &x, 1, NULL, &y[0]));
  assert_status(BP_OK, bp_apply(d->g, &wrong, &x, 1, NULL, &y[1]));
  bp_node losses[2] = {total(y[0]), total(y[1])};
  uint32_t mark = bp_graph_mark(d->g);
  assert_status(BP_E_UNSUPPORTED, bp_grad(losses[0], &x, 1, &grad));
  assert_non_null(strstr(bp_error(), "blind"));
  assert_status(BP_E_SHAPE, bp_grad(losses[1], &x, 1, &grad));
  assert_non_null(strstr(bp_error(), "askew"));
  assert_true(bp_failed(grad));
  assert_int_equal(bp_graph_mark(d->g), mark);
  assert_status(BP_OK, bp_graph_status(d->g));
}

/* ---- what an error leaves ---- */

static void an_error_leaves_the_graph_as_it_was(void **state)
{
  desk *d = *state;
  bp_graph *h = bp_graph_new(d->ctx);
  bp_node x = desk_input(d, "x", 1, 4, 0, NULL), n = bp_input(d->g, "n", BP_INT64, 0, NULL),
          alien = bp_input(h, "x", BP_REAL, 0, NULL);
  bp_node y = bp_exp(x), loss = total(y), grad, bad[2];
  uint32_t mark = bp_graph_mark(d->g);
  bp_node gone = bp_sin(loss);
  bp_graph_rollback(d->g, mark);
  char *before, *after;
  assert_status(BP_OK, bp_graph_print(d->g, &before));
  assert_status(BP_E_SHAPE, bp_grad(y, &x, 1, &grad));
  assert_status(BP_E_DTYPE, bp_grad(n, &x, 1, &grad));
  assert_status(BP_E_DTYPE, bp_grad(loss, &n, 1, &grad));
  assert_status(BP_E_GRAPH, bp_grad(loss, &alien, 1, &grad));
  assert_status(BP_E_GRAPH, bp_grad(gone, &x, 1, &grad));
  assert_status(BP_E_GRAPH, bp_grad(loss, &gone, 1, &grad));
  bad[0] = x;
  bad[1] = alien;
  assert_status(BP_E_GRAPH, bp_grad(loss, bad, 2, &grad));
  assert_status(BP_E_SHAPE, bp_vjp(&y, &loss, 1, &x, 1, &grad));
  assert_status(BP_E_GRAPH, bp_vjp(&y, &alien, 1, &x, 1, &grad));
  assert_status(BP_E_SHAPE, bp_jvp(&y, 1, &x, &loss, 1, &grad));
  assert_status(BP_E_DTYPE, bp_jvp(&y, 1, &n, &n, 1, &grad));
  assert_int_equal(bp_graph_mark(d->g), mark);
  assert_status(BP_OK, bp_graph_status(d->g));
  assert_status(BP_OK, bp_graph_print(d->g, &after));
  assert_string_equal(before, after);
  bp_free(d->ctx, before);
  bp_free(d->ctx, after);
  bp_graph_free(h);
}

static void memory_may_fail_while_differentiating(void **state)
{
  desk *d = *state;
  bp_node in[6], grads[6];
  lstm_inputs(d, in);
  bp_node loss = scanned_loss(d, in, false), probe = unrolled_loss(d, in, false);
  uint32_t mark = bp_graph_mark(d->g);
  for (int k = 0; k < 4; k++) {
    bool reached = true;
    long n = 0;
    while (reached) {
      failing_arm(&d->memory, ++n, k % 2 == 1);
      bp_status s = bp_grad(k < 2 ? probe : loss, in, 6, grads);
      reached = d->memory.calls >= n;
      failing_arm(&d->memory, 0, false);
      if (!reached)
        assert_status(BP_OK, s);
      if (s != BP_OK) {
        assert_status(BP_E_NOMEM, s);
        assert_int_equal(bp_graph_mark(d->g), mark);
      }
      bp_graph_rollback(d->g, mark);
    }
    print_message("%ld allocations failed while differentiating\n", n - 1);
    assert_true(n > 1);
  }
  assert_status(BP_OK, bp_grad(loss, in, 6, grads));
}

/* ---- cost ---- */

/* It adds less than four nodes for each of the chain. */
static double time_of_chain(void *ctx, int n)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = x, grad;
  for (int i = 0; i < n; i++)
    y = i % 3 == 0 ? bp_sin(y) : i % 3 == 1 ? bp_exp(y) : bp_tanh(y);
  int mark = (int)bp_graph_mark(g);
  double start = processor_seconds();
  assert_status(BP_OK, bp_grad(y, &x, 1, &grad));
  double took = processor_seconds() - start;
  assert_true((int)bp_graph_mark(g) - mark < 4 * n);
  bp_graph_free(g);
  return took;
}

static void the_gradient_of_a_long_chain_costs_linear_time(void **state)
{
  desk *d = *state;
  assert_true(is_linear(time_of_chain, d->ctx, 12500, 8, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(the_sigmoid_neuron),
      TEST(five_derivatives_of_composites),
      TEST(hessian_vector_products_agree),
      TEST(forked_wires_add),
      TEST(gradients_by_nodes_on_the_way),
      TEST(what_the_loss_does_not_depend_on_gets_zeros),
      TEST(stop_gradient_stops),
      TEST(an_untaken_branch_gives_zero),
      TEST(a_max_node_is_a_router),
      TEST(max_over_an_axis_routes_to_the_lowest_index),
      TEST(lstm_scanned_over_a_sequence),
      TEST(lstm_scanned_backwards),
      TEST(the_gradient_of_a_scan_has_a_gradient),
      TEST(a_loop_of_fixed_length),
      TEST(gradients_through_calls),
      TEST(a_row_of_the_caller_is_differentiated),
      TEST(mistakes_in_a_row_of_the_caller_are_found),
      TEST(an_error_leaves_the_graph_as_it_was),
      TEST(memory_may_fail_while_differentiating),
      TEST(the_gradient_of_a_long_chain_costs_linear_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

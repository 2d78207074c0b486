/* L-BFGS: Rosenbrock's function, quadratics, a logistic regression beside scikit-learn's optimum; what stops it; memory that fails. */
#include "bprop.h"
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define SUCCEEDS(e) assert_int_equal(e, BP_OK)

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

/* ---- a function of one vector ---- */

typedef bp_node (*function)(bp_node w);

typedef struct problem {
  bp_params *p;
  bp_state *s;
  bp_plan *plan;
  bp_run *run;
} problem;

static void problem_free(problem *q)
{
  bp_run_free(q->run);
  bp_plan_free(q->plan);
  bp_params_free(q->p);
  bp_state_free(q->s);
}

static bp_status compile(bp_ctx *ctx, problem *q, function f, int64_t n)
{
  bp_graph *g = bp_graph_new(ctx);
  if (!g)
    return BP_E_NOMEM;
  bp_node out[2] = {f(bp_param(q->p, g, "w", 1, &n, (bp_init){BP_INIT_ZEROS, 0}))};
  out[1] = bp_params_gradient(q->p, out[0]);
  bp_plan_options o = {
      .real = bp_state_real(q->s), .outputs = out, .n_outputs = 2, .guards = out, .n_guards = 2};
  bp_status s = bp_graph_status(g);
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &q->plan);
  bp_graph_free(g);
  return s == BP_OK ? bp_run_new(q->plan, q->s, &q->run) : s;
}

/* Beginning at start[n]. */
static bp_status problem_new(bp_ctx *ctx, function f, bp_dtype real, int64_t n, const double *start,
                             problem *q)
{
  *q = (problem){bp_params_new(ctx), bp_state_new(ctx, real), NULL, NULL};
  bp_graph *g = q->p && q->s ? bp_graph_new(ctx) : NULL;
  if (!g)
    return BP_E_NOMEM;
  bp_param(q->p, g, "w", 1, &n, (bp_init){BP_INIT_ZEROS, 0});
  bp_status s = bp_graph_status(g);
  bp_graph_free(g);
  if (s == BP_OK)
    s = bp_params_make(q->p, q->s, 1);
  void *w;
  if (s == BP_OK)
    s = bp_params_at(q->p, 0, NULL, NULL, &w, NULL);
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    if (real == BP_FLOAT32)
      ((float *)w)[i] = (float)start[i];
    else
      ((double *)w)[i] = start[i];
  return s == BP_OK ? compile(ctx, q, f, n) : s;
}

static double weight(const problem *q, int i)
{
  void *w;
  SUCCEEDS(bp_params_at(q->p, 0, NULL, NULL, &w, NULL));
  return bp_state_real(q->s) == BP_FLOAT32 ? (double)((float *)w)[i] : ((double *)w)[i];
}

static bp_node part(bp_node w, int64_t from, int64_t to)
{
  int64_t step = 1;
  return bp_slice(w, &from, 1, &to, 1, &step, 1);
}

/* sum 100 (w[i+1] - w[i]^2)^2 + (1 - w[i])^2 (Rosenbrock 1960): least, and 0, at 1, ..., 1. */
static bp_node rosenbrock(bp_node w)
{
  bp_type t;
  if (bp_failed(w) || bp_node_type(w, &t) != BP_OK)
    return w;
  bp_node a = part(w, 0, t.dims[0] - 1), b = part(w, 1, t.dims[0]);
  bp_node steep = bp_mul(bp_constant(w.graph, 100), bp_square(bp_sub(b, bp_square(a))));
  return bp_sum(bp_add(steep, bp_square(bp_sub(bp_constant(w.graph, 1), a))), NULL, 0, false);
}

/* sum of (w[i] - i)^2 * 10^i / 2: condition 10,000 for 5 elements. */
static bp_node valley(bp_node w)
{
  static const double scale[5] = {0.5, 5, 50, 500, 5000}, at[5] = {0, 1, 2, 3, 4};
  const int64_t five = 5;
  bp_node off = bp_sub(w, bp_array_constant(w.graph, BP_REAL, 1, &five, at));
  return bp_sum(bp_mul(bp_array_constant(w.graph, BP_REAL, 1, &five, scale), bp_square(off)), NULL, 0, false);
}

/* -log(1 - |w|^2): not a number outside of the unit ball, which a first step may leave. */
static bp_node barrier(bp_node w)
{
  bp_node square = bp_sum(bp_square(bp_sub(w, bp_constant(w.graph, 0.1))), NULL, 0, false);
  return bp_neg(bp_log(bp_sub(bp_constant(w.graph, 1), square)));
}

static void rosenbrock_is_minimised(void **state)
{
  static const double start[] = {-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1};
  static const int64_t sizes[] = {2, 10};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    problem q;
    bp_minimize_result r;
    SUCCEEDS(problem_new(*state, rosenbrock, BP_FLOAT64, sizes[i], start, &q));
    SUCCEEDS(bp_minimize(q.p, q.s, q.run, NULL, &r));
    assert_true(r.converged && r.gradient <= 1e-8 && r.loss < 1e-16);
    assert_true(r.iterations < 100 && r.evaluations < 150); /* seen: 35 to 60 iterations */
    for (int k = 0; k < sizes[i]; k++)
      assert_true(fabs(weight(&q, k) - 1) < 1e-7);
    problem_free(&q);
  }
}

/* In float32 the gradient never gets to 1e-8: it ends where rounding hides any lower value, and says so. */
static void float32_ends_at_its_precision(void **state)
{
  static const double start[] = {-1.2, 1};
  problem q;
  bp_minimize_result r;
  SUCCEEDS(problem_new(*state, rosenbrock, BP_FLOAT32, 2, start, &q));
  SUCCEEDS(bp_minimize(q.p, q.s, q.run, NULL, &r));
  assert_true(r.iterations < 200 && r.loss < 1e-9);
  assert_true(fabs(weight(&q, 0) - 1) < 1e-3);
  problem_free(&q);
}

static void ill_conditioned_quadratic(void **state)
{
  static const double start[5] = {7, -3, 5, 0, 1};
  for (int64_t memory = 1; memory <= 5; memory += 2) {
    problem q;
    bp_minimize_result r;
    SUCCEEDS(problem_new(*state, valley, BP_FLOAT64, 5, start, &q));
    SUCCEEDS(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.memory = memory}, &r));
    assert_true(r.converged);
    for (int k = 0; k < 5; k++)
      assert_true(fabs(weight(&q, k) - k) < 1e-6);
    problem_free(&q);
  }
}

/* Where a step leads out of the domain, a shorter one is taken. */
static void steps_that_leave_the_domain(void **state)
{
  static const double start[2] = {0.79, 0.79};
  problem q;
  bp_minimize_result r;
  SUCCEEDS(problem_new(*state, barrier, BP_FLOAT64, 2, start, &q));
  SUCCEEDS(bp_minimize(q.p, q.s, q.run, NULL, &r));
  assert_true(r.converged && fabs(weight(&q, 0) - 0.1) < 1e-7);
  problem_free(&q);
}

static void where_it_begins_must_be_finite(void **state)
{
  static const double start[2] = {2, 2};
  problem q;
  SUCCEEDS(problem_new(*state, barrier, BP_FLOAT64, 2, start, &q));
  assert_int_equal(bp_minimize(q.p, q.s, q.run, NULL, NULL), BP_E_NOTFINITE);
  assert_true(weight(&q, 0) == 2 && weight(&q, 1) == 2);
  problem_free(&q);
}

static bool stop_at_3(void *user, int64_t iteration, double loss)
{
  double *losses = user;
  losses[iteration] = loss;
  return iteration < 3;
}

static void a_callback_may_stop(void **state)
{
  static const double start[2] = {-1.2, 1};
  double losses[4] = {0};
  problem q;
  bp_minimize_result r;
  bp_minimize_options o = {.progress = stop_at_3, .user = losses};
  SUCCEEDS(problem_new(*state, rosenbrock, BP_FLOAT64, 2, start, &q));
  assert_int_equal(bp_minimize(q.p, q.s, q.run, &o, &r), BP_E_STOPPED);
  assert_int_equal(r.iterations, 3);
  assert_true(losses[1] > losses[2] && losses[2] > losses[3] && losses[3] > r.loss);
  problem_free(&q);
  SUCCEEDS(problem_new(*state, rosenbrock, BP_FLOAT64, 2, start, &q));
  SUCCEEDS(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.iterations = 5}, &r));
  assert_true(r.iterations == 5 && !r.converged);
  problem_free(&q);
}

static void refused(void **state)
{
  static const double start[2] = {-1.2, 1};
  problem q;
  SUCCEEDS(problem_new(*state, rosenbrock, BP_FLOAT64, 2, start, &q));
  assert_int_equal(bp_minimize(NULL, q.s, q.run, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, NULL, q.run, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, q.s, NULL, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.iterations = -1}, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.tolerance = -1}, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.memory = -1}, NULL), BP_E_ARG);
  assert_int_equal(bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.weight_decay = -1}, NULL), BP_E_ARG);
  bp_state *other = bp_state_new(*state, BP_FLOAT64);
  assert_int_equal(bp_minimize(q.p, other, q.run, NULL, NULL), BP_E_ORDER);
  bp_state_free(other);
  problem_free(&q);
}

/* ---- a logistic regression, trained as networks are ---- */

/* Minimum of mean cross-entropy + 0.01 / 2 |W|^2 over 12 rows, by scikit-learn 1.9:
 *   x = [[sin(i + 1), cos(2 i)] for i in range(12)]; y = [(7 i) % 3 for i in range(12)]
 *   LogisticRegression(C=1 / (12 * 0.01), tol=1e-12, max_iter=10000).fit(x, y)
 *   -> log_loss(y, predict_proba(x)) and probabilities of the first row */
static const double optimum_loss = 0.3041010172871002,
                    optimum_first[3] = {0.9032564660116389, 0.09642982253703435, 0.0003137114513267808};

static void logistic_regression_reaches_the_optimum(void **state)
{
  enum { N = 12 };
  float x[2 * N], p[3];
  int64_t y[N];
  for (int i = 0; i < N; i++) {
    x[2 * i] = (float)sin(i + 1);
    x[2 * i + 1] = (float)cos(2 * i);
    y[i] = 7 * i % 3;
  }
  bp_data *d = bp_data_new(*state, N, 2, x, y, NULL, 0);
  for (int64_t batch = 5; batch <= 12; batch += 7) {
    bp_net *net = bp_net_new(*state, d, &(bp_net_options){.hidden = {-1}, .real = BP_FLOAT64, .raw = true});
    bp_train_options o = {.epochs = 300,
                          .batch = batch, /* parts of all rows: 5, 5 and 2; or 12 */
                          .label_smoothing = -1,
                          .optimizer = {.kind = BP_OPTIMIZER_LBFGS, .weight_decay = 0.01}};
    bp_train_result r;
    bp_metrics m;
    SUCCEEDS(bp_net_train(net, d, &o, &r));
    assert_true(r.stopped_early && r.epochs < 60); /* it ends by itself */
    SUCCEEDS(bp_net_eval(net, d, &m));
    SUCCEEDS(bp_net_predict(net, x, 1, p));
    assert_true(fabs(m.loss - optimum_loss) < 1e-8);
    for (int k = 0; k < 3; k++)
      assert_true(fabs((double)p[k] - optimum_first[k]) < 1e-6);
    bp_net_free(net);
  }
  bp_data_free(d);
}

/* ---- faults ---- */

static bp_status minimise_all(bp_ctx *ctx)
{
  static const double start[2] = {-1.2, 1};
  problem q;
  bp_status s = problem_new(ctx, rosenbrock, BP_FLOAT64, 2, start, &q);
  if (s == BP_OK)
    s = bp_minimize(q.p, q.s, q.run, &(bp_minimize_options){.iterations = 3}, NULL);
  problem_free(&q);
  return s;
}

static void failing_allocations(void **state)
{
  (void)state;
  assert_true(fail_in_turn(minimise_all) > 20);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(rosenbrock_is_minimised),
      TEST(float32_ends_at_its_precision),
      TEST(ill_conditioned_quadratic),
      TEST(steps_that_leave_the_domain),
      TEST(where_it_begins_must_be_finite),
      TEST(a_callback_may_stop),
      TEST(refused),
      TEST(logistic_regression_reaches_the_optimum),
      TEST(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

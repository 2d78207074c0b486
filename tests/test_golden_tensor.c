/* Softmax, losses, norms, statistics and layer normalisation against mpmath, at ordinary points and far from 0, in both storages and
 * on every instruction set that this machine has. And what they give where there is nothing but infinity, zeros or ties. */
#include "base/rng.h"
#include "check/eval.h"
#include "check/example.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MOST_INPUTS = 3, MOST = 64 };

typedef struct golden {
  const char *op, *call;
  double unit;      /* errors are parts of the largest value of a result, or of this where that is smaller */
  double condition; /* by how much the storage's error grows on the way for these inputs */
  const double *in[MOST_INPUTS], *y, *grad[MOST_INPUTS];
} golden;

static const golden table[] = {
#include "golden/tensor.inc"
};

static const double parts = 16;

static bool close_to(const double *got, const double *want, int64_t n, double unit, double allowed)
{
  double largest = unit;
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, fabs(want[i]));
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(got[i] - want[i]) <= allowed * largest))
      return false;
  return true;
}

/* The call of a row of the table in a graph: its inputs, sum of u y with u = 1, 2, 3, 1, ..., and gradients. */
typedef struct trial {
  bpi_example ex;
  bp_graph *g;
  bp_node x[MOST_INPUTS], y, grad[MOST_INPUTS];
  int n_real;
  int64_t label[MOST_INPUTS][MOST];
} trial;

static void open_trial(trial *t, bp_ctx *ctx, const golden *row)
{
  const bp_op *op = bp_op_find(row->op);
  bp_node y[BP_MAX_RESULTS], up;
  bp_type type;
  double u[MOST];
  int n_y;
  memset(t, 0, sizeof *t);
  assert_non_null(op);
  if (bpi_example_open(&t->ex, ctx, op, row->call) != BP_OK)
    fail_msg("%s", bp_error());
  t->g = bp_graph_new(ctx);
  assert_int_equal(bpi_example_build(&t->ex, t->g, t->x, y, &n_y), BP_OK);
  assert_int_equal(bp_node_type(y[0], &type), BP_OK);
  t->y = y[0];
  for (int i = 0; i < bp_node_size(y[0]); i++)
    u[i] = i % 3 + 1;
  up = bp_array_constant(t->g, BP_REAL, type.rank, type.dims, u);
  while (t->n_real < t->ex.n_args && t->ex.args[t->n_real].type.dtype == BP_REAL)
    t->n_real++;
  /* Probabilities have a gradient too, but only the first inputs that the table knows are compared. */
  while (t->n_real > 0 && !row->grad[t->n_real - 1])
    t->n_real--;
  assert_int_equal(bp_vjp(&t->y, &up, 1, t->x, (size_t)t->n_real, t->grad), BP_OK);
}

static void bind_trial(trial *t, bpi_eval *e, const golden *row)
{
  for (int i = 0; i < t->ex.n_args; i++) {
    const void *data = row->in[i];
    for (int64_t k = 0; t->ex.args[i].type.dtype == BP_INT64 && k < bp_node_size(t->x[i]); k++)
      t->label[i][k] = (int64_t)row->in[i][k];
    if (t->ex.args[i].type.dtype == BP_INT64)
      data = t->label[i];
    assert_int_equal(bpi_eval_bind(e, t->x[i], data), BP_OK);
  }
}

static int judge(bpi_eval *e, const trial *t, const golden *row, bp_isa isa)
{
  int bad = 0;
  double eps = e->real == BP_FLOAT32 ? FLT_EPSILON : DBL_EPSILON, got[MOST];
  for (int k = 0; k <= t->n_real; k++) {
    int64_t n = bp_node_size(k ? t->grad[k - 1] : t->y);
    assert_int_equal(bp_run_get(e->run, (size_t)k, got, (size_t)n), BP_OK);
    const double *want = k ? row->grad[k - 1] : row->y;
    if (close_to(got, want, n, row->unit, parts * eps * row->condition))
      continue;
    bad++;
    print_error("%s, %s, %s, %s, %s %d:", row->op, row->call, bp_dtype_name(e->real), bp_isa_name(isa),
                k ? "gradient" : "value", k);
    for (int64_t i = 0; i < n; i++)
      print_error(" %.9g (%.9g)", got[i], want[i]);
    print_error("\n");
  }
  return bad;
}

static int try_row(bp_ctx *ctx, const golden *row, bp_dtype real, bp_isa isa)
{
  trial t;
  bpi_eval e;
  open_trial(&t, ctx, row);
  bp_node wanted[MOST_INPUTS + 1] = {t.y};
  memcpy(wanted + 1, t.grad, sizeof t.grad);
  if (bpi_eval_open(&e, t.g, real, wanted, (size_t)t.n_real + 1) != BP_OK)
    fail_msg("%s: %s", row->op, bp_error());
  bind_trial(&t, &e, row);
  if (bpi_eval_step(&e) != BP_OK)
    fail_msg("%s: %s", row->op, bp_error());
  int bad = judge(&e, &t, row, isa);
  bpi_eval_close(&e);
  bp_graph_free(t.g);
  bpi_example_close(&t.ex);
  return bad;
}

static void values_and_gradients_are_those_of_mpmath(void **state)
{
  (void)state;
  int bad = 0;
  for (int isa = 0; isa < BP_ISA_COUNT; isa++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = (bp_isa)isa});
    assert_non_null(ctx);
    for (size_t i = 0; i < COUNT(table) && bp_ctx_isa(ctx) == (bp_isa)isa; i++)
      bad +=
          try_row(ctx, &table[i], BP_FLOAT64, (bp_isa)isa) + try_row(ctx, &table[i], BP_FLOAT32, (bp_isa)isa);
    bp_ctx_free(ctx);
  }
  assert_int_equal(bad, 0);
}

static void a_wrong_value_is_noticed(void **state)
{
  (void)state;
  const double want[] = {1, 0};
  assert_true(close_to((double[]){1 + 8 * DBL_EPSILON, 0}, want, 2, 0, parts * DBL_EPSILON));
  assert_false(close_to((double[]){1 + 32 * DBL_EPSILON, 0}, want, 2, 0, parts * DBL_EPSILON));
  assert_false(close_to((double[]){1, 1e-6}, want, 2, 1, parts * DBL_EPSILON));
  assert_false(close_to((double[]){NAN, 0}, want, 2, 1, parts * DBL_EPSILON));
  assert_false(close_to((double[]){1, INFINITY}, want, 2, 1, parts * DBL_EPSILON));
}

/* ---- one row of four numbers: what comes out, and its gradient for an upstream of ones ---- */

typedef bp_node (*builder)(bp_node x);

static void run_four(builder build, bp_dtype real, const double *x, double *y, double *dx)
{
  const int64_t four = 4;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node in = bp_input(g, "x", BP_REAL, 1, &four), out[2];
  bpi_eval e;
  out[0] = build(in);
  assert_int_equal(bp_grad(bp_sum(out[0], NULL, 0, false), &in, 1, &out[1]), BP_OK);
  assert_int_equal(bpi_eval_open(&e, g, real, out, 2), BP_OK);
  assert_int_equal(bpi_eval_bind(&e, in, x), BP_OK);
  assert_int_equal(bpi_eval_step(&e), BP_OK);
  assert_int_equal(bp_run_get(e.run, 0, y, (size_t)bp_node_size(out[0])), BP_OK);
  assert_int_equal(bp_run_get(e.run, 1, dx, 4), BP_OK);
  bpi_eval_close(&e);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

static bp_node the_softmax(bp_node x)
{
  return bp_softmax(x, -1);
}
static bp_node the_logsumexp(bp_node x)
{
  return bp_logsumexp(x, NULL, 0, false);
}
static bp_node the_max(bp_node x)
{
  return bp_max(x, NULL, 0, false);
}
static bp_node the_min(bp_node x)
{
  return bp_min(x, NULL, 0, false);
}
static bp_node the_norm(bp_node x)
{
  return bp_norm(x, NULL, 0, false);
}
static bp_node the_prod(bp_node x)
{
  return bp_prod(x, NULL, 0, false);
}
static bp_node the_maxout(bp_node x)
{
  return bp_maxout(x, 2);
}
static bp_node the_var(bp_node x)
{
  return bp_var(x, NULL, 0, false, 0);
}

#define INF INFINITY

static void edges_are_as_documented(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    builder build;
    double x[4];
    int n;
    double y[4], dx[4];
  } cases[] = {
      {"softmax, masked", the_softmax, {-INF, 3, -INF, 3}, 4, {0, 0.5, 0, 0.5}, {0, 0, 0, 0}},
      {"logsumexp, masked", the_logsumexp, {-INF, 3, -INF, -INF}, 1, {3}, {0, 1, 0, 0}},
      {"logsumexp of nothing", the_logsumexp, {-INF, -INF, -INF, -INF}, 1, {-INF}, {0, 0, 0, 0}},
      {"logsumexp of infinity", the_logsumexp, {1, INF, 0, -INF}, 1, {INF}, {0, NAN, 0, 0}},
      {"max, tie", the_max, {1, 7, 7, 0}, 1, {7}, {0, 1, 0, 0}},
      {"max, all equal", the_max, {-INF, -INF, -INF, -INF}, 1, {-INF}, {1, 0, 0, 0}},
      {"max, NaN", the_max, {9, NAN, 7, NAN}, 1, {NAN}, {0, 1, 0, 0}},
      {"min, tie", the_min, {1, -7, -7, 0}, 1, {-7}, {0, 1, 0, 0}},
      {"min, NaN", the_min, {9, 2, 7, NAN}, 1, {NAN}, {0, 0, 0, 1}},
      {"norm at 0", the_norm, {0, 0, 0, 0}, 1, {0}, {0, 0, 0, 0}},
      {"norm, infinite", the_norm, {0, INF, 0, 0}, 1, {INF}, {0, NAN, 0, 0}},
      {"prod, one zero", the_prod, {2, 0, 3, -1}, 1, {0}, {0, -6, 0, 0}},
      {"prod, two zeros", the_prod, {2, 0, 3, 0}, 1, {0}, {0, 0, 0, 0}},
      {"maxout, ties", the_maxout, {4, 4, -1, 2}, 2, {4, 2}, {1, 0, 0, 1}},
      {"var of equals", the_var, {3, 3, 3, 3}, 1, {0}, {0, 0, 0, 0}},
  };
  for (size_t i = 0; i < 2 * COUNT(cases); i++) {
    double y[4], dx[4];
    size_t c = i / 2;
    run_four(cases[c].build, i % 2 ? BP_FLOAT32 : BP_FLOAT64, cases[c].x, y, dx);
    for (int k = 0; k < cases[c].n; k++)
      if (!(y[k] == cases[c].y[k]) && !(isnan(y[k]) && isnan(cases[c].y[k])))
        fail_msg("%s: y[%d] is %.17g, not %g", cases[c].name, k, y[k], cases[c].y[k]);
    for (int k = 0; k < 4; k++)
      if (!(dx[k] == cases[c].dx[k]) && !(isnan(dx[k]) && isnan(cases[c].dx[k])))
        fail_msg("%s: dx[%d] is %.17g, not %g", cases[c].name, k, dx[k], cases[c].dx[k]);
  }
}

/* ---- what is out of range is refused by the run, with its place ---- */

static bp_status run_with(bp_graph *g, bp_node y, const char *name, const int64_t *index, size_t bytes)
{
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = &y, .n_outputs = 1};
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  float x[12] = {0};
  bp_status s = bp_plan_new(g, &o, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  if (s == BP_OK && (s = bp_run_bind(run, name, index, bytes)) == BP_OK) {
    bp_run_bind(run, "x", x, sizeof x); /* one_hot reads no x */
    s = bp_run_step(run);
  }
  bp_run_free(run);
  bp_plan_free(plan);
  return s;
}

typedef bp_node (*indexed)(bp_node x, bp_node index);

static bp_node with_gather(bp_node x, bp_node index)
{
  return bp_gather(x, index, 1);
}
static bp_node with_scatter(bp_node x, bp_node index)
{
  return bp_scatter_add(x, index, 0, 4);
}
static bp_node with_pick(bp_node x, bp_node index)
{
  return bp_pick(x, index, -1);
}
static bp_node with_put(bp_node x, bp_node index)
{
  (void)x;
  return bp_put(bp_cast(index, BP_REAL), index, 0, 4);
}
static bp_node with_one_hot(bp_node x, bp_node index)
{
  (void)x;
  return bp_one_hot(index, 4);
}
static bp_node with_cross_entropy(bp_node x, bp_node index)
{
  return bp_softmax_cross_entropy(x, index, 0.1);
}
static bp_node with_hinge(bp_node x, bp_node index)
{
  return bp_hinge(x, index, 1);
}

static void an_index_out_of_range_stops_the_run(void **state)
{
  (void)state;
  static const indexed rows[] = {with_gather,  with_scatter,       with_pick, with_put,
                                 with_one_hot, with_cross_entropy, with_hinge};
  static const int64_t wrong[] = {-1, 4, INT64_MIN, INT64_MAX};
  static const int64_t dims[] = {3, 4};
  for (size_t r = 0; r < COUNT(rows); r++) {
    bp_ctx *ctx = bp_ctx_new(NULL);
    bp_graph *g = bp_graph_new(ctx);
    bp_node y = rows[r](bp_input(g, "x", BP_REAL, 2, dims), bp_input(g, "index", BP_INT64, 1, dims));
    int64_t index[3] = {0, 3, 1};
    assert_int_equal(run_with(g, y, "index", index, sizeof index), BP_OK);
    for (size_t w = 0; w < COUNT(wrong); w++) {
      index[2] = wrong[w];
      assert_int_equal(run_with(g, y, "index", index, sizeof index), BP_E_RANGE);
      assert_non_null(strstr(bp_error(), "2"));
    }
    bp_graph_free(g);
    bp_ctx_free(ctx);
  }
}

/* ---- random nodes ---- */

static void draws(const int64_t *key, builder build, bool same, double *out, size_t n)
{
  const int64_t two = 2;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node k = bp_input(g, "key", BP_INT64, 1, &two), y[2];
  bpi_eval e;
  y[0] = build(k);
  y[1] = same ? y[0] : build(k);
  assert_int_equal(y[0].index == y[1].index, same);
  assert_int_equal(bpi_eval_open(&e, g, BP_FLOAT64, y, 2), BP_OK);
  assert_int_equal(bpi_eval_bind(&e, k, key), BP_OK);
  assert_int_equal(bpi_eval_step(&e), BP_OK);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(bp_run_get(e.run, i, out + i * n, n), BP_OK);
  bpi_eval_close(&e);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

enum { DRAWS = 4000 };

static bp_node some_uniform(bp_node key)
{
  return bp_uniform(key, (int64_t[]){DRAWS}, 1);
}
static bp_node some_normal(bp_node key)
{
  return bp_normal(key, (int64_t[]){DRAWS / 8, 8}, 2);
}
static bp_node some_bernoulli(bp_node key)
{
  return bp_cast(bp_bernoulli(key, 0.25, (int64_t[]){DRAWS}, 1), BP_REAL);
}
static bp_node some_dropout(bp_node key)
{
  return bp_dropout(bp_full(key.graph, BP_REAL, 3, 1, (int64_t[]){DRAWS}), key, 0.25);
}

/* Two calls draw different numbers; the same key draws the same ones again, another step others. Means and variances are within
 * five standard errors. */
static void random_rows_draw_what_they_say(void **state)
{
  (void)state;
  static const struct {
    builder build;
    double mean, variance, fourth; /* fourth central moment, for the error of the variance */
  } rows[] = {{some_uniform, 0.5, 1.0 / 12, 1.0 / 80},
              {some_normal, 0, 1, 3},
              {some_bernoulli, 0.25, 0.1875, 0.08203125},
              {some_dropout, 3, 3, 21}};
  static double a[2 * DRAWS], b[2 * DRAWS];
  for (size_t r = 0; r < COUNT(rows); r++) {
    draws((int64_t[]){42, 7}, rows[r].build, false, a, DRAWS);
    draws((int64_t[]){42, 7}, rows[r].build, false, b, DRAWS);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, a + DRAWS, sizeof a / 2);
    draws((int64_t[]){42, 8}, rows[r].build, false, b, DRAWS);
    assert_memory_not_equal(a, b, sizeof a / 2);
    draws((int64_t[]){43, 7}, rows[r].build, true, b, DRAWS);
    assert_memory_not_equal(a, b, sizeof a / 2);
    double mean = 0, variance = 0;
    for (int i = 0; i < DRAWS; i++)
      mean += a[i] / DRAWS;
    for (int i = 0; i < DRAWS; i++)
      variance += (a[i] - mean) * (a[i] - mean) / DRAWS;
    double v = rows[r].variance, error = sqrt((rows[r].fourth - v * v) / DRAWS);
    assert_true(fabs(mean - rows[r].mean) < 5 * sqrt(v / DRAWS));
    assert_true(fabs(variance - v) < 5 * error);
  }
}

/* What the row draws is what rng.h says of element i: the same whatever the storage, the shape and the pieces of the work. */
static void draws_are_those_of_the_generator(void **state)
{
  (void)state;
  static double got[2 * DRAWS];
  const int64_t key[] = {42, 7};
  draws(key, some_uniform, false, got, DRAWS);
  for (int i = 0; i < 2 * DRAWS; i++)
    assert_true(got[i] == bpi_uniform((bpi_key){42, 7, (uint32_t)(1 + i / DRAWS)}, (uint64_t)(i % DRAWS)));
  draws(key, some_normal, false, got, DRAWS);
  for (int i = 0; i < 2 * DRAWS; i++)
    assert_true(got[i] == bpi_normal((bpi_key){42, 7, (uint32_t)(1 + i / DRAWS)}, (uint64_t)(i % DRAWS)));
  for (int first = 0; first < 3; first++)
    for (int n = 0; n < 50; n++) {
      const uint64_t far = (UINT64_C(1) << 33) - 20 + (uint64_t)first;
      bpi_uniform_run((bpi_key){42, 7, 3}, far, n, got);
      for (int i = 0; i < n; i++)
        assert_true(got[i] == bpi_uniform((bpi_key){42, 7, 3}, far + (uint64_t)i));
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_value_is_noticed),
      cmocka_unit_test(values_and_gradients_are_those_of_mpmath),
      cmocka_unit_test(edges_are_as_documented),
      cmocka_unit_test(an_index_out_of_range_stops_the_run),
      cmocka_unit_test(random_rows_draw_what_they_say),
      cmocka_unit_test(draws_are_those_of_the_generator),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

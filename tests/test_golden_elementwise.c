/* Elementwise operations and their slopes against mpmath, at ordinary points, kinks, far from 0, at infinity and NaN: in both
 * storages, on every instruction set that this machine has. And what is decided at ties, and which attributes are refused. */
#include "check/eval.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef enum operands { OPERANDS_REAL, OPERANDS_INT, OPERANDS_BOOL } operands;

typedef struct point {
  int n_in; /* 0 ends the list */
  double x[2], y, slope[2];
} point;

typedef struct golden {
  const char *op;
  operands kind;
  double attr[2];
  const point *points;
} golden;

#define ROW(op, kind, p0, p1)                        \
  {                                                  \
#op, OPERANDS_##kind, {p0, p1 }, (const point[]) \
    {
#define P1(x, y, s)         {1, {x, 0}, y, {s, 0}},
#define P2(a, b, y, sa, sb) {2, {a, b}, y, {sa, sb}},
#define END    \
  {            \
    0, {0}, 0, \
    {          \
      0        \
    }          \
  }            \
  }            \
  }            \
  ,
static const golden rows[] = {
#include "golden/elementwise.inc"
};

/* What is allowed: parts of the value, in units of the storage's epsilon, and an absolute error in such units, where the
 * definition itself has one, as y + alpha has. Library functions are good to 2 ulp. */
typedef struct allowance {
  const char *op;
  double y, slope, y_abs, slope_abs;
} allowance;

static const allowance usual = {"", 4, 12, 0, 0};
static const allowance unusual[] = {
    {"pow", 8, 24, 0, 0},
    {"elu", 4, 8, 0, 2},
    {"celu", 4, 8, 0, 4},
    {"selu", 4, 8, 0, 4},
    {"tanh", 4, 8, 0, 4},
    {"sigmoid", 4, 8, 0, 2},
    {"gelu", 8, 16, 12, 4},
    {"gelu_tanh", 32, 64, 1, 4},
    {"silu", 8, 16, 0, 4},
    {"mish", 8, 16, 0, 8},
    {"hard_swish", 4, 8, 0, 2},
    {"hard_sigmoid", 4, 8, 1, 2},
    {"binary_cross_entropy_logits", 8, 16, 2, 4},
    {"cosh", 8, 8, 0, 0},
    {"sinh", 8, 8, 0, 0},
    {"tan", 8, 24, 0, 0},
};

static const allowance *allowed(const char *op)
{
  for (size_t i = 0; i < COUNT(unusual); i++)
    if (strcmp(unusual[i].op, op) == 0)
      return &unusual[i];
  return &usual;
}

/* Whether got is what want is in that storage: exactly so for NaN and infinity, and no more than `parts` and `absolute` epsilons
 * away else. Results below the normal range may be flushed to 0. */
static bool near_enough(double got, double want, bp_dtype real, double parts, double absolute)
{
  double eps = real == BP_FLOAT32 ? FLT_EPSILON : DBL_EPSILON, least = real == BP_FLOAT32 ? FLT_MIN : DBL_MIN;
  if (real == BP_FLOAT32)
    want = (float)want;
  if (isnan(want))
    return isnan(got);
  if (isinf(want))
    return got == want;
  return isfinite(got) && fabs(got - want) <= parts * eps * fabs(want) + absolute * eps + 4 * least;
}

enum { MOST_POINTS = 128 };

/* One row of the table, ready to run. */
typedef struct trial {
  const golden *row;
  bp_dtype real;
  const point *at[MOST_POINTS]; /* those that the storage can hold */
  double x[2][MOST_POINTS];
  int n, n_in;
  bp_graph *g;
  bp_node in[2], out[3]; /* out: y, slopes */
} trial;

static bool holds(bp_dtype real, const point *p)
{
  for (int i = 0; i < p->n_in; i++)
    if (real == BP_FLOAT32 && !isnan(p->x[i]) && (float)p->x[i] != p->x[i])
      return false;
  return true;
}

static void collect_points(trial *t)
{
  t->n_in = t->row->points[0].n_in;
  for (const point *p = t->row->points; p->n_in; p++)
    if (holds(t->real, p)) {
      assert_true(t->n < MOST_POINTS);
      for (int i = 0; i < t->n_in; i++)
        t->x[i][t->n] = p->x[i];
      t->at[t->n++] = p;
    }
}

static void build_trial(trial *t, bp_ctx *ctx)
{
  static const char *const names[] = {"a", "b"};
  const bp_op *op = bp_op_find(t->row->op);
  assert_non_null(op);
  int64_t dims[] = {t->n};
  t->g = bp_graph_new(ctx);
  assert_non_null(t->g);
  bp_node operand[2], up = bp_full(t->g, BP_REAL, 1, 1, dims);
  for (int i = 0; i < t->n_in; i++) {
    t->in[i] = bp_input(t->g, names[i], BP_REAL, 1, dims);
    operand[i] = t->row->kind == OPERANDS_INT    ? bp_cast(t->in[i], BP_INT64)
                 : t->row->kind == OPERANDS_BOOL ? bp_cast(t->in[i], BP_BOOL)
                                                 : t->in[i];
  }
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  for (int i = 0; i < 2; i++)
    if (op->attrs[i].kind == BP_ATTR_REAL)
      attr[i].r = t->row->attr[i];
  assert_int_equal(bp_apply(t->g, op, operand, (size_t)t->n_in, attr, t->out), BP_OK);
  bp_type type;
  assert_int_equal(bp_node_type(t->out[0], &type), BP_OK);
  if (type.dtype != BP_REAL)
    t->out[0] = bp_cast(t->out[0], BP_REAL);
  assert_int_equal(bp_vjp(t->out, &up, 1, t->in, (size_t)t->n_in, t->out + 1), BP_OK);
}

/* Number of values that are not as they should be. */
static int judge(const trial *t, const double *got, int which, bp_isa isa)
{
  static const char *const what[] = {"y", "d/da", "d/db"};
  const allowance *a = allowed(t->row->op);
  int bad = 0;
  for (int i = 0; i < t->n; i++) {
    const point *p = t->at[i];
    double want = which ? p->slope[which - 1] : p->y;
    if (near_enough(got[i], want, t->real, which ? a->slope : a->y, which ? a->slope_abs : a->y_abs))
      continue;
    bad++;
    print_error("%s(%.9g, %.9g) %s = %.17g, should be %.17g (%s, %s)\n", t->row->op, p->x[0], p->x[1],
                what[which], got[i], want, bp_dtype_name(t->real), bp_isa_name(isa));
  }
  return bad;
}

static int try_row(bp_ctx *ctx, const golden *row, bp_dtype real, bp_isa isa)
{
  trial t = {.row = row, .real = real};
  bpi_eval e;
  double got[MOST_POINTS];
  int bad = 0;
  collect_points(&t);
  build_trial(&t, ctx);
  if (bpi_eval_open(&e, t.g, real, t.out, (size_t)t.n_in + 1) != BP_OK)
    fail_msg("%s: %s", row->op, bp_error());
  for (int i = 0; i < t.n_in; i++)
    assert_int_equal(bpi_eval_bind(&e, t.in[i], t.x[i]), BP_OK);
  assert_int_equal(bpi_eval_step(&e), BP_OK);
  for (int k = 0; k <= t.n_in; k++) {
    assert_int_equal(bp_run_get(e.run, (size_t)k, got, (size_t)t.n), BP_OK);
    bad += judge(&t, got, k, isa);
  }
  bpi_eval_close(&e);
  bp_graph_free(t.g);
  return bad;
}

static void values_and_slopes_are_those_of_mpmath(void **state)
{
  (void)state;
  int bad = 0;
  for (int isa = 0; isa < BP_ISA_COUNT; isa++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = (bp_isa)isa});
    assert_non_null(ctx);
    for (size_t i = 0; i < COUNT(rows) && bp_ctx_isa(ctx) == (bp_isa)isa; i++)
      bad +=
          try_row(ctx, &rows[i], BP_FLOAT64, (bp_isa)isa) + try_row(ctx, &rows[i], BP_FLOAT32, (bp_isa)isa);
    bp_ctx_free(ctx);
  }
  assert_int_equal(bad, 0);
}

/* No body is believed on its own word: a row is in the table, or has an expansion that the laws compare it with. */
static void every_body_has_a_second_opinion(void **state)
{
  (void)state;
  for (size_t k = 0; k < bp_op_count(); k++) {
    const bp_op *op = bp_op_at(k);
    bool found = !op->body || op->expand || strcmp(op->name, "where") == 0; /* three operands */
    for (size_t i = 0; i < COUNT(rows); i++)
      found = found || strcmp(rows[i].op, op->name) == 0;
    if (!found)
      fail_msg("%s has no expansion and is missing in tests/golden/elementwise.py", op->name);
  }
}

/* Where the true value and slopes at 1e4 and -1e4 are finite in float32 there is a finite number in the table, which the values
 * are compared with; this makes sure that the table has these points. */
static void the_table_reaches_far(void **state)
{
  (void)state;
  size_t with = 0, of_one = 0;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bool below = false, above = false;
    for (const point *p = rows[i].points; p->n_in; p++) {
      below = below || p->x[0] == -1e4;
      above = above || p->x[0] == 1e4;
    }
    of_one += rows[i].kind == OPERANDS_REAL && rows[i].points[0].n_in == 1;
    with += below && above;
  }
  assert_true(of_one > 30);
  assert_true(with > of_one); /* but asin, acos, log, sqrt, log1p, and with those of two operands */
}

static void a_wrong_value_is_noticed(void **state)
{
  (void)state;
  assert_true(near_enough(1 + 2 * DBL_EPSILON, 1, BP_FLOAT64, 4, 0));
  assert_false(near_enough(1 + 8 * DBL_EPSILON, 1, BP_FLOAT64, 4, 0));
  assert_false(near_enough(1 + 8 * FLT_EPSILON, 1, BP_FLOAT32, 4, 0));
  assert_false(near_enough(NAN, 1, BP_FLOAT64, 4, 0));
  assert_false(near_enough(INFINITY, DBL_MAX, BP_FLOAT64, 4, 0));
  assert_false(near_enough(1, INFINITY, BP_FLOAT64, 4, 0));
  assert_false(near_enough(-INFINITY, INFINITY, BP_FLOAT64, 4, 0));
  assert_false(near_enough(0, NAN, BP_FLOAT64, 4, 0));
  assert_true(near_enough(INFINITY, 1e300, BP_FLOAT32, 4, 0));
}

/* ---- ties ---- */

static double slope_at(bp_ctx *ctx, bp_node (*build)(bp_node x), double at)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = build(x), dx;
  bpi_eval e;
  double slope = -77;
  assert_int_equal(bp_grad(y, &x, 1, &dx), BP_OK);
  assert_int_equal(bpi_eval_open(&e, g, BP_FLOAT64, &dx, 1), BP_OK);
  assert_int_equal(bpi_eval_bind(&e, x, &at), BP_OK);
  assert_int_equal(bpi_eval_step(&e), BP_OK);
  assert_int_equal(bp_run_get(e.run, 0, &slope, 1), BP_OK);
  bpi_eval_close(&e);
  bp_graph_free(g);
  return slope;
}

static bp_node number(bp_node x, double v)
{
  return bp_constant(x.graph, v);
}
static bp_node max_0_x(bp_node x)
{
  return bp_maximum(number(x, 0), x);
}
static bp_node max_x_0(bp_node x)
{
  return bp_maximum(x, number(x, 0));
}
static bp_node plain_relu(bp_node x)
{
  return (bp_relu)(x);
}
static bp_node min_x_0(bp_node x)
{
  return bp_minimum(x, number(x, 0));
}
static bp_node max_x_computed(bp_node x)
{
  return bp_maximum(x, bp_sub(number(x, 2), bp_sqrt(number(x, 4))));
}
/* Both operands depend on x: the first wins the tie at 0 and takes all. */
static bp_node max_x_3x(bp_node x)
{
  return bp_maximum(x, bp_mul(number(x, 3), x));
}
static bp_node min_3x_x(bp_node x)
{
  return bp_minimum(bp_mul(number(x, 3), x), x);
}

static void one_operand_takes_the_gradient_of_a_tie(void **state)
{
  (void)state;
  static const struct {
    bp_node (*build)(bp_node x);
    double at, slope;
  } cases[] = {
      {max_0_x, 0, 0},  {max_x_0, 0, 0},  {plain_relu, 0, 0}, {min_x_0, 0, 0},  {max_x_computed, 0, 0},
      {max_x_3x, 0, 1}, {min_3x_x, 0, 3}, {max_0_x, 2, 1},    {max_x_0, 2, 1},  {plain_relu, 2, 1},
      {min_x_0, 2, 0},  {min_x_0, -2, 1}, {max_0_x, -2, 0},   {max_x_0, -2, 0}, {plain_relu, -2, 0},
  };
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_float_equal(slope_at(ctx, cases[i].build, cases[i].at), cases[i].slope, 0);
  bp_ctx_free(ctx);
}

/* Built again with a constant in the place of an input, as a compiler does that folds, the node keeps its decision. */
static void a_decided_tie_stays_decided(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  const bp_op *op = bp_op_find("maximum");
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), zero = bp_constant(g, 0), pair[] = {x, zero}, y, open,
          first, second;
  y = bp_maximum(x, zero);
  bp_attr tie = {.i = -1};
  assert_int_equal(bp_apply(g, op, pair, 2, &tie, &open), BP_OK);
  tie.i = 0;
  assert_int_equal(bp_apply(g, op, pair, 2, &tie, &first), BP_OK);
  tie.i = 1;
  assert_int_equal(bp_apply(g, op, pair, 2, &tie, &second), BP_OK);
  assert_int_equal(y.index, open.index);
  assert_int_equal(y.index, second.index);
  assert_int_not_equal(y.index, first.index);
  tie.i = 2;
  assert_int_equal(bp_apply(g, op, pair, 2, &tie, &y), BP_E_ARG);
  assert_non_null(strstr(bp_graph_error(g), "tie"));
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* ---- refusals ---- */

static void attributes_out_of_range_are_refused(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL);
  static const double bounds[][2] = {{1, 0}, {NAN, 1}, {0, NAN}};
  for (size_t i = 0; i < COUNT(bounds); i++) {
    assert_true(bp_failed(bp_clip(x, bounds[i][0], bounds[i][1])));
    assert_int_equal(bp_graph_status(g), BP_E_ARG);
    assert_non_null(strstr(bp_graph_error(g), "lo <= hi"));
    bp_graph_clear(g);
  }
  static const double alphas[] = {0, -1, NAN};
  for (size_t i = 0; i < COUNT(alphas); i++) {
    assert_true(bp_failed(bp_celu(x, alphas[i])));
    assert_int_equal(bp_graph_status(g), BP_E_ARG);
    bp_graph_clear(g);
  }
  assert_false(bp_failed(bp_clip(x, 2, 2)));
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_value_is_noticed),
      cmocka_unit_test(every_body_has_a_second_opinion),
      cmocka_unit_test(the_table_reaches_far),
      cmocka_unit_test(values_and_slopes_are_those_of_mpmath),
      cmocka_unit_test(one_operand_takes_the_gradient_of_a_tie),
      cmocka_unit_test(a_decided_tie_stays_decided),
      cmocka_unit_test(attributes_out_of_range_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

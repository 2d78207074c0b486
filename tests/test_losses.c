/* Losses and schedules: golden values of every row, gradients, weights by hand, expressions and what is wrong with them. */
#include "train/losses.h"
#include "train/schedule.h"
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

enum { ROWS = 4, OUTPUTS = 2, ALL = ROWS * OUTPUTS };

/* As in golden/losses.py. */
static const double P[ALL] = {0.5, -1.25, 2.0, 0.75, -3.5, 1.5, 0.125, 0.25};
static const double Y[ALL] = {1, -1, 0.5, 1.25, -1, 4, -0.875, 0}, YES[ALL] = {1, 0, 0, 1, 1, 1, 0, 0.25},
                    COUNTS[ALL] = {1, 0, 3, 2, 0, 7, 0.5, 1}, LABELS[ROWS] = {1, 0, 1, 0},
                    W[ROWS] = {0.5, 2, 1.5, 0};

typedef struct golden {
  const char *name;
  const double *target;
  double loss, slope[ALL], weighted, weighted_slope[ALL];
} golden;

static const golden losses[] = {
#define LOSSES
#include "golden/losses.inc"
#undef LOSSES
};

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

/* ---- a loss of P, and its gradient ---- */

typedef struct value {
  double loss, slope[ALL];
} value;

static bp_status measure(bp_ctx *ctx, const char *text, const char *link, const double *target, bool weighted,
                         double smoothing, value *v)
{
  static const int64_t dims[2] = {ROWS, OUTPUTS}, column[2] = {ROWS, 1};
  int64_t labels[ROWS];
  bool classes = target == LABELS;
  bpi_loss l = {0};
  bp_program *program = NULL;
  bp_graph *g = bp_graph_new(ctx);
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  if (!g)
    return BP_E_NOMEM;
  bp_node out[2], p = bp_input(g, "outputs", BP_REAL, 2, dims);
  for (int i = 0; classes && i < ROWS; i++)
    labels[i] = (int64_t)target[i];
  bpi_loss_terms t = {.out = p,
                      .target = classes ? bp_array_constant(g, BP_INT64, 1, dims, labels)
                                        : bp_array_constant(g, BP_REAL, 2, dims, target),
                      .other = BP_NO_NODE,
                      .share = BP_NO_NODE,
                      .weights = weighted ? bp_array_constant(g, BP_REAL, 2, column, W) : BP_NO_NODE,
                      .smoothing = smoothing};
  bp_status s = bpi_loss_read(ctx, text, link, classes, false, &l);
  if (s == BP_OK)
    s = bpi_loss_build(&l, &t, &program, &out[0]);
  if (s == BP_OK)
    s = bp_grad(out[0], &p, 1, &out[1]);
  if (s == BP_OK)
    s = bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = out, .n_outputs = 2}, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  if (s == BP_OK && program)
    s = bp_program_bind(program, run);
  if (s == BP_OK)
    s = bp_run_bind(run, "outputs", P, sizeof P);
  if (s == BP_OK)
    s = bp_run_step(run);
  if (s == BP_OK)
    s = bp_run_get(run, 0, &v->loss, 1);
  if (s == BP_OK)
    s = bp_run_get(run, 1, v->slope, ALL);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_program_free(program);
  bpi_loss_clear(ctx, &l);
  bp_graph_free(g);
  return s;
}

static void assert_near(const char *what, double got, double want)
{
  if (!(fabs(got - want) <= 1e-13 * fmax(1, fabs(want))))
    fail_msg("%s: %.17g, not %.17g", what, got, want);
}

static void golden_losses(void **state)
{
  for (size_t i = 0; i < COUNT(losses); i++) {
    const golden *g = &losses[i];
    value v;
    SUCCEEDS(measure(*state, g->name, NULL, g->target, false, 0, &v));
    assert_near(g->name, v.loss, g->loss);
    for (int k = 0; k < ALL; k++)
      assert_near(g->name, v.slope[k], g->slope[k]);
    SUCCEEDS(measure(*state, g->name, NULL, g->target, true, 0, &v));
    assert_near(g->name, v.loss, g->weighted);
    for (int k = 0; k < ALL; k++)
      assert_near(g->name, v.slope[k], g->weighted_slope[k]);
  }
}

/* Every row of the list has golden numbers. */
static void every_loss_is_golden(void **state)
{
  static const char *const names[] = {
#define NAME(id, name, targets, what) name,
      BP_LOSS_LIST(NAME)
#undef NAME
  };
  (void)state;
  for (size_t k = 0; k < COUNT(names); k++) {
    bool found = false;
    for (size_t i = 0; i < COUNT(losses); i++)
      found = found || strncmp(losses[i].name, names[k], strlen(names[k])) == 0;
    if (!found)
      fail_msg("%s has no golden numbers", names[k]);
  }
}

/* The same losses written as expressions, and one that is no mean over rows. */
static void expressions(void **state)
{
  static const struct {
    const char *text, *link;
    const double *target;
    const char *same;
    bool weighted;
  } cases[] = {
      {"mean((p - y)**2)", NULL, Y, "mse", false},
      {"mean(w*(p - y)**2)", NULL, Y, "mse", true},
      {"mean(abs(p-y))", "identity", Y, "l1", false},
      {"d = 0.5; e = p - y; mean(where(abs(e) <= d, e*e/2, d*(abs(e) - d/2)))", NULL, Y, "huber(0.5)", false},
      {"mean(exp(p) - y*p)", "exp", COUNTS, "poisson", false},
      {"mean(softmax_cross_entropy(p, y))", NULL, LABELS, "softmax", false},
      {"sum((p - y)**2) / 8", NULL, Y, "mse", false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    value got, want;
    bp_status s = measure(*state, cases[i].text, cases[i].link, cases[i].target, cases[i].weighted, 0, &got);
    if (s != BP_OK)
      fail_msg("%s: %s", cases[i].text, bp_error());
    SUCCEEDS(measure(*state, cases[i].same, NULL, cases[i].target, cases[i].weighted, 0, &want));
    assert_near(cases[i].text, got.loss, want.loss);
    for (int k = 0; k < ALL; k++)
      assert_near(cases[i].text, got.slope[k], want.slope[k]);
  }
}

/* Before there are data, names and numbers are looked at, and expressions believed. */
static void losses_without_data(void **state)
{
  (void)state;
  static const char *const good[] = {NULL,     "softmax", "huber(2)", "quantile(0.9)", "mean((p-y)**2)",
                                     "mean(q", ""};
  for (size_t i = 0; i < COUNT(good); i++)
    SUCCEEDS(bp_loss_check(good[i]));
  assert_int_equal(bp_loss_check("hubert"), BP_E_NOTFOUND);
  assert_int_equal(bp_loss_check("huber(0)"), BP_E_ARG);
  SUCCEEDS(bp_schedule_check(NULL, 0));
  SUCCEEDS(bp_schedule_check("step(3,0.5)", 7));
}

static void wrong_losses(void **state)
{
  static const struct {
    const char *text, *link;
    const double *target;
    bp_status status;
    const char *says;
  } cases[] = {
      {"hubert", NULL, Y, BP_E_NOTFOUND, "none of that name"},
      {"softmax", NULL, Y, BP_E_MISMATCH, "takes classes, and the target is numbers"},
      {"mse", NULL, LABELS, BP_E_MISMATCH, "takes numbers, and the target is classes"},
      {"mse(2)", NULL, Y, BP_E_ARG, "takes nothing in brackets"},
      {"huber(1,2)", NULL, Y, BP_E_ARG, "takes one number in brackets"},
      {"huber(0)", NULL, Y, BP_E_ARG, "must be over 0, not 0"},
      {"huber(-1)", NULL, Y, BP_E_ARG, "must be over 0"},
      {"quantile(1)", NULL, Y, BP_E_ARG, "over 0 and below 1, not 1"},
      {"mse", "exp", Y, BP_E_ARG, "has a link of its own"},
      {"mean(p-y)", "logit", Y, BP_E_NOTFOUND, "no link 'logit'"},
      {"mean(p-y)", "softmax", Y, BP_E_ARG, "the link of classes"},
      {"mean(p)", "exp", LABELS, BP_E_ARG, "the link of classes"},
      {"(p-y)**2", NULL, Y, BP_E_SHAPE, "gives real [4,2]"},
      {"sum(p > y) > 3", NULL, Y, BP_E_SHAPE, "must be one real number"},
      {"mean(p); mean(y)", NULL, Y, BP_E_SHAPE, "gives 2 results"},
      {"mean((p-z)**2)", NULL, Y, BP_E_NOTFOUND, "loss:1:9"},
      {"mean((p-y)**2", NULL, Y, BP_E_PARSE, "loss:1:"},
      {"", NULL, Y, BP_E_PARSE, "the text is empty"},
      {"mean(p @ p)", NULL, Y, BP_E_SHAPE, "loss:1:"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    value v;
    bp_status s = measure(*state, cases[i].text, cases[i].link, cases[i].target, false, 0, &v);
    if (s != cases[i].status || !strstr(bp_error(), cases[i].says))
      fail_msg("'%s': %s: %s", cases[i].text, bp_status_name(s), bp_error());
  }
}

/* ---- schedules ---- */

enum { STEPS = 40, PER_EPOCH = 4 };

static const struct {
  const char *text;
  int64_t warmup;
  double rate[STEPS];
} schedules[] = {
#define SCHEDULES
#include "golden/losses.inc"
#undef SCHEDULES
};

static void golden_schedules(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(schedules); i++) {
    bp_train_options o = {
        .epochs = STEPS / PER_EPOCH, .schedule = schedules[i].text, .warmup = schedules[i].warmup};
    bpi_schedule s;
    bpi_plateau p = {1, NAN, 0};
    SUCCEEDS(bpi_schedule_open(&s, &o, 0.5, PER_EPOCH));
    for (int k = 0; k < STEPS; k++)
      assert_near(schedules[i].text, bpi_schedule_rate(&s, &p, k), schedules[i].rate[k]);
  }
}

/* PyTorch's ReduceLROnPlateau(patience=2, factor=0.5): the third epoch in a row that is not better by a part in 10,000 halves the rate. */
static void plateaus(void **state)
{
  static const double loss[] = {2, 1, 1, 0.99995, 1.5, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4},
                      rate[] = {1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125};
  (void)state;
  bp_train_options o = {.epochs = 100, .schedule = "plateau(2,0.5)"};
  bpi_schedule s;
  bpi_plateau p = {1, NAN, 0};
  SUCCEEDS(bpi_schedule_open(&s, &o, 1, 1));
  for (size_t i = 0; i < COUNT(loss); i++) {
    bpi_schedule_judge(&s, &p, loss[i]);
    assert_near("plateau", bpi_schedule_rate(&s, &p, (int64_t)i), rate[i]);
  }
}

static void wrong_schedules(void **state)
{
  static const struct {
    const char *text;
    int64_t warmup;
    const char *says;
  } cases[] = {
      {"linear", 0, "schedule 'linear': there is none of that name"},
      {"", 0, "there is none of that name"},
      {"cosine(3)", 0, "takes nothing in brackets"},
      {"step(0,0.1)", 0, "E is a whole number"},
      {"step(1.5,0.1)", 0, "E is a whole number"},
      {"step(3,0)", 0, "F a factor over 0"},
      {"step(3,2)", 0, "at most 1"},
      {"step(3,0.1,1)", 0, "takes two numbers"},
      {"step(3", 0, "schedule 'step(3': there is none of that name"},
      {"onecycle", 5, "a warm-up of its own"},
      {"constant", -1, "may not be negative"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    bp_train_options o = {.epochs = 10, .schedule = cases[i].text, .warmup = cases[i].warmup};
    bpi_schedule s;
    bp_status st = bpi_schedule_open(&s, &o, 1, 4);
    if (st != BP_E_ARG || !strstr(bp_error(), cases[i].says) ||
        bp_schedule_check(cases[i].text, cases[i].warmup) != st)
      fail_msg("'%s': %s", cases[i].text, bp_error());
  }
}

/* ---- faults ---- */

static bp_status all_of_it(bp_ctx *ctx)
{
  value v;
  bp_status s = measure(ctx, "huber(0.5)", NULL, Y, true, 0, &v);
  return s == BP_OK ? measure(ctx, "d = 0.5; mean(w * abs(p - y)) + d", NULL, Y, true, 0, &v) : s;
}

static void failing_allocations(void **state)
{
  (void)state;
  assert_true(fail_in_turn(all_of_it) > 20);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(golden_losses),       TEST(every_loss_is_golden), TEST(expressions), TEST(losses_without_data),
      TEST(wrong_losses),        TEST(golden_schedules),     TEST(plateaus),    TEST(wrong_schedules),
      TEST(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

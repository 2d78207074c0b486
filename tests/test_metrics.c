/* Metrics by name: beside scikit-learn's numbers, what they do where they are not defined, and what they have to do with one another. */
#include "support/failing.h"
#include "support/training.h"

enum { MOST_VALUES = 256, MOST_ROWS = 64, MOST_WANTED = 20 };

/* Predictions whose metrics were worked out elsewhere: tests/golden/metrics.py. */
typedef struct golden {
  const char *name;
  bp_task task;
  int64_t rows, outputs;
  float p[MOST_VALUES], y[MOST_VALUES], weights[MOST_ROWS];
  int64_t labels[MOST_ROWS];
  bool weighted;
  struct {
    const char *name;
    double value;
  } want[MOST_WANTED];
} golden;

static const golden cases[] = {
#include "golden/metrics.inc"
};

static bp_scores *scores_of(bp_ctx *ctx, const golden *g)
{
  bp_scores *s = NULL;
  bool classes = g->task == BP_TASK_CLASSES;
  SUCCEEDS(bp_scores_new(ctx, g->task, g->rows, g->outputs, g->p, classes ? g->labels : NULL,
                         classes ? NULL : g->y, g->weighted ? g->weights : NULL, &s));
  return s;
}

static double value_of(const bp_scores *s, const char *name)
{
  double value = -1;
  SUCCEEDS(bp_scores_metric(s, name, &value));
  return value;
}

/* scikit-learn adds 32-bit probabilities up to 1 once more before it takes logarithms: hence not closer. */
static void as_scikit_learn(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    bp_scores *s = scores_of(*state, &cases[c]);
    int n = 0;
    for (; n < MOST_WANTED && cases[c].want[n].name; n++) {
      double got = value_of(s, cases[c].want[n].name), want = cases[c].want[n].value;
      if (!(fabs(got - want) <= 2e-7 * (1 + fabs(want))))
        fail_msg("%s: %s is %.12g, not %.12g", cases[c].name, cases[c].want[n].name, got, want);
    }
    assert_true(n > 8);
    bp_scores_free(s);
  }
}

/* A case for every metric, so that a new row of the table needs a number from elsewhere. */
static void every_metric_has_a_number(void **state)
{
  (void)state;
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const char *name = bp_metric_at(i)->name;
    bool found = false;
    for (size_t c = 0; c < COUNT(cases); c++)
      for (int n = 0; n < MOST_WANTED && cases[c].want[n].name; n++)
        found = found || strcmp(cases[c].want[n].name, name) == 0;
    if (!found)
      fail_msg("no number from elsewhere for %s", name);
  }
  assert_null(bp_metric_at(bp_metric_count()));
}

/* ---- laws ---- */

/* A weight of 2 is the row twice; a weight of 0 is no row. */
static void weights_are_rows(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    golden g = cases[c];
    int64_t at[2 * MOST_ROWS], n = 0;
    for (int64_t i = 0; i < g.rows; i++)
      g.weights[i] = (float)(i % 3);
    for (int64_t i = 0; i < g.rows; i++)
      for (int64_t k = 0; k < i % 3; k++)
        at[n++] = i;
    g.weighted = false;
    bp_scores *plain = scores_of(*state, &g), *twice;
    SUCCEEDS(bp_scores_part(plain, at, n, &twice));
    g.weighted = true;
    bp_scores *weighted = scores_of(*state, &g);
    for (size_t i = 0; i < bp_metric_count(); i++)
      if (bp_metric_at(i)->tasks & (unsigned)g.task) {
        double a = value_of(weighted, bp_metric_at(i)->name), b = value_of(twice, bp_metric_at(i)->name);
        if (!(fabs(a - b) <= 1e-9 * (1 + fabs(b))))
          fail_msg("%s: %s by weights %.12g, by rows %.12g", g.name, bp_metric_at(i)->name, a, b);
      }
    bp_scores_free(plain);
    bp_scores_free(twice);
    bp_scores_free(weighted);
  }
}

/* Rows that are seen once, in two parts and in any order, give what rows that are kept give. */
static void summed_as_kept(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    const char *names[MOST_WANTED + 1] = {0};
    int64_t odd[MOST_ROWS], even[MOST_ROWS], n[2] = {0, 0};
    bp_scores *kept = scores_of(*state, &cases[c]), *summed;
    int asked = 0;
    for (int64_t i = cases[c].rows - 1; i >= 0; i--)
      *(i % 2 ? &odd[n[1]++] : &even[n[0]++]) = i;
    for (int i = 0; i < MOST_WANTED && cases[c].want[i].name; i++)
      if (!bp_metric_find(cases[c].want[i].name, NULL)->ranked)
        names[asked++] = cases[c].want[i].name;
    SUCCEEDS(bp_scores_open(*state, cases[c].task, cases[c].outputs, names, &summed));
    SUCCEEDS(bp_scores_add(summed, kept, odd, n[1]));
    SUCCEEDS(bp_scores_add(summed, kept, even, n[0]));
    assert_int_equal(bp_scores_rows(summed), cases[c].rows);
    assert_null(bp_scores_row(summed, 0));
    for (int i = 0; i < asked; i++) {
      double a = value_of(summed, names[i]), b = value_of(kept, names[i]);
      if (!(fabs(a - b) <= 1e-12 * (1 + fabs(b))))
        fail_msg("%s: %s is %.17g summed, %.17g kept", cases[c].name, names[i], a, b);
    }
    bp_scores_free(kept);
    bp_scores_free(summed);
  }
}

/* Counts and the confusion matrix come along; calibration where its bins are those of a metric that was asked for. */
static void what_comes_along(void **state)
{
  static const char *const names[] = {"ece(4)", NULL};
  bp_scores *kept = scores_of(*state, &cases[0]), *summed;
  double a[16], b[16];
  bp_calibration_bin x[4], y[4];
  SUCCEEDS(bp_scores_open(*state, cases[0].task, 4, names, &summed));
  SUCCEEDS(bp_scores_add(summed, kept, NULL, 0));
  SUCCEEDS(bp_scores_confusion(kept, a));
  SUCCEEDS(bp_scores_confusion(summed, b));
  assert_memory_equal(a, b, sizeof a);
  SUCCEEDS(bp_scores_calibration(kept, 4, x));
  SUCCEEDS(bp_scores_calibration(summed, 4, y));
  assert_memory_equal(x, y, sizeof x);
  assert_int_equal(bp_scores_calibration(summed, 5, y), BP_E_UNSUPPORTED);
  for (int64_t k = 0; k < 4; k++) {
    bp_class_count m, n;
    SUCCEEDS(bp_scores_count(kept, k, &m));
    SUCCEEDS(bp_scores_count(summed, k, &n));
    assert_memory_equal(&m, &n, sizeof m);
  }
  bp_scores_free(kept);
  bp_scores_free(summed);
}

/* A metric by the order of all rows keeps them, whether the parts have weights or not. */
static void ranked_ones_keep_rows(void **state)
{
  static const char *const names[] = {"auc", "f1", NULL};
  golden plain = cases[1];
  int64_t twice[2 * MOST_ROWS];
  plain.weighted = false;
  for (int64_t i = 0; i < plain.rows; i++) {
    twice[i] = i;
    plain.weights[i] = 1;
  }
  bp_scores *first = scores_of(*state, &plain), *second = scores_of(*state, &cases[1]), *both, *whole;
  SUCCEEDS(bp_scores_open(*state, BP_TASK_CLASSES, 4, names, &both));
  SUCCEEDS(bp_scores_add(both, first, NULL, 0));
  SUCCEEDS(bp_scores_add(both, second, twice, plain.rows));
  /* The same rows in one array. */
  golden g = cases[1];
  float p[2 * MOST_VALUES], w[2 * MOST_ROWS];
  int64_t labels[2 * MOST_ROWS];
  for (int64_t i = 0; i < 2 * g.rows; i++) {
    memcpy(p + 4 * i, g.p + 4 * (i % g.rows), 4 * sizeof *p);
    labels[i] = g.labels[i % g.rows];
    w[i] = i < g.rows ? 1 : g.weights[i % g.rows];
  }
  SUCCEEDS(bp_scores_new(*state, BP_TASK_CLASSES, 2 * g.rows, 4, p, labels, NULL, w, &whole));
  assert_true(value_of(both, "auc") == value_of(whole, "auc"));
  assert_true(fabs(value_of(both, "f1") - value_of(whole, "f1")) < 1e-12);
  assert_true(value_of(both, "log_loss") ==
              value_of(whole, "log_loss")); /* not asked for, but the rows are there */
  assert_non_null(bp_scores_row(both, 2 * g.rows - 1));
  bp_scores_free(first);
  bp_scores_free(second);
  bp_scores_free(both);
  bp_scores_free(whole);
}

static void what_is_not_kept(void **state)
{
  static const char *const names[] = {"accuracy", NULL}, *const unfit[] = {"rmse", NULL};
  bp_scores *kept = scores_of(*state, &cases[0]), *summed, *other, *numbers;
  int64_t at = 0, beyond = 40;
  double v, *x, *y;
  size_t n;
  SUCCEEDS(bp_scores_open(*state, BP_TASK_CLASSES, 4, names, &summed));
  SUCCEEDS(bp_scores_add(summed, kept, NULL, 0));
  assert_int_equal(bp_scores_metric(summed, "auc", &v), BP_E_UNSUPPORTED);
  assert_int_equal(bp_scores_metric(summed, "top(2)", &v), BP_E_UNSUPPORTED);
  SUCCEEDS(bp_scores_metric(summed, "mcc", &v)); /* counts are always there */
  assert_int_equal(bp_scores_roc(summed, 0, &x, &y, &n), BP_E_UNSUPPORTED);
  assert_int_equal(bp_scores_part(summed, &at, 1, &other), BP_E_UNSUPPORTED);
  assert_int_equal(bp_scores_add(summed, kept, &beyond, 1), BP_E_RANGE);
  assert_int_equal(bp_scores_add(kept, summed, NULL, 0), BP_E_ARG);
  assert_int_equal(bp_scores_open(*state, BP_TASK_CLASSES, 4, unfit, &other), BP_E_MISMATCH);
  assert_int_equal(bp_scores_open(*state, BP_TASK_CLASSES, 0, NULL, &other), BP_E_ARG);
  assert_null(other);
  SUCCEEDS(bp_scores_open(*state, BP_TASK_NUMBERS, 4, NULL, &numbers));
  assert_int_equal(bp_scores_add(numbers, kept, NULL, 0), BP_E_MISMATCH);
  SUCCEEDS(bp_scores_metric(numbers, "rmse", &v));
  assert_true(isnan(v)); /* no rows */
  bp_scores_free(kept);
  bp_scores_free(summed);
  bp_scores_free(numbers);
}

/* A metric of each class or target has the mean of its values. */
static void the_whole_is_the_mean(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    bp_scores *s = scores_of(*state, &cases[c]);
    for (size_t i = 0; i < bp_metric_count(); i++) {
      const bp_metric *m = bp_metric_at(i);
      double sum = 0, n = 0, value;
      if (!(m->tasks & (unsigned)cases[c].task) || !m->each)
        continue;
      for (int64_t k = 0; k < cases[c].outputs; k++) {
        SUCCEEDS(bp_scores_metric_of(s, m->name, k, &value));
        sum += isnan(value) ? 0 : value;
        n += !isnan(value);
      }
      assert_true(fabs(sum / n - value_of(s, m->name)) < 1e-12 * (1 + fabs(sum)));
    }
    bp_scores_free(s);
  }
}

static double area(const double *x, const double *y, size_t n)
{
  double sum = 0;
  for (size_t i = 1; i < n; i++) {
    assert_true(x[i] >= x[i - 1] && y[i] >= y[i - 1]);
    sum += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  }
  return sum;
}

static void the_area_under_the_curve(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    double *x, *y, auc;
    size_t n;
    if (cases[c].task == BP_TASK_NUMBERS)
      continue;
    bp_scores *s = scores_of(*state, &cases[c]);
    for (int64_t k = 0; k < cases[c].outputs; k++) {
      SUCCEEDS(bp_scores_metric_of(s, "auc", k, &auc));
      SUCCEEDS(bp_scores_roc(s, k, &x, &y, &n));
      assert_int_equal(n == 0, isnan(auc));
      if (n) {
        assert_true(x[0] == 0 && y[0] == 0 && x[n - 1] == 1 && y[n - 1] == 1);
        assert_true(fabs(area(x, y, n) - auc) < 1e-12);
      }
      bp_free(*state, x);
      bp_free(*state, y);
    }
    bp_scores_free(s);
  }
}

static void confusion_and_counts(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    double m[64], right = 0, all = 0;
    int64_t k = cases[c].outputs;
    bp_scores *s = scores_of(*state, &cases[c]);
    if (cases[c].task != BP_TASK_CLASSES) {
      assert_int_equal(bp_scores_confusion(s, m), BP_E_MISMATCH);
      bp_scores_free(s);
      continue;
    }
    SUCCEEDS(bp_scores_confusion(s, m));
    for (int64_t i = 0; i < k; i++) {
      bp_class_count n;
      double row = 0, column = 0;
      SUCCEEDS(bp_scores_count(s, i, &n));
      for (int64_t j = 0; j < k; j++) {
        row += m[i * k + j];
        column += m[j * k + i];
      }
      assert_true(n.actual == row && n.predicted == column && n.right == m[i * k + i]);
      right += m[i * k + i];
      all += row;
    }
    assert_true(fabs(right / all - value_of(s, "accuracy")) < 1e-12);
    bp_scores_free(s);
  }
}

static void calibration_adds_up(void **state)
{
  for (size_t c = 0; c < COUNT(cases); c++) {
    bp_calibration_bin bins[15];
    double off = 0, all = 0;
    bp_scores *s = scores_of(*state, &cases[c]);
    if (cases[c].task == BP_TASK_NUMBERS) {
      assert_int_equal(bp_scores_calibration(s, 15, bins), BP_E_MISMATCH);
      bp_scores_free(s);
      continue;
    }
    SUCCEEDS(bp_scores_calibration(s, 15, bins));
    for (int i = 0; i < 15; i++) {
      assert_true(bins[i].weight > 0 ? bins[i].confidence > i / 15.0 && bins[i].confidence <= (i + 1) / 15.0
                                     : isnan(bins[i].confidence));
      off += bins[i].weight > 0 ? bins[i].weight * fabs(bins[i].confidence - bins[i].accuracy) : 0;
      all += bins[i].weight;
    }
    assert_true(fabs(off / all - value_of(s, "ece")) < 1e-12);
    bp_scores_free(s);
  }
}

/* ---- where they are not defined ---- */

typedef struct edge {
  const char *name;
  golden g;
  const char *metric;
  double want; /* NAN: not defined */
} edge;

#define ONE_CLASS                                                                       \
  {                                                                                     \
    .task = BP_TASK_CLASSES, .rows = 2, .outputs = 2, .p = { 0.25f, 0.75f, 0.5f, 0.5f } \
  }
#define ONE_NUMBER(...)                                           \
  {                                                               \
    .task = BP_TASK_NUMBERS, .rows = 2, .outputs = 1, __VA_ARGS__ \
  }

static const edge edges[] = {
    /* Both rows are of class 0; the first is taken for 1. */
    {"no row of one class", ONE_CLASS, "auc", NAN},
    {"no row of one class", ONE_CLASS, "balanced_accuracy", 0.5},
    {"no row of one class", ONE_CLASS, "precision", 0.5}, /* class 0: 1; class 1: 0 of 1 */
    {"no row of one class", ONE_CLASS, "recall", 0.25},   /* class 0: 1/2; class 1: 0 */
    {"no row of one class", ONE_CLASS, "mcc", 0},
    {"a constant target", ONE_NUMBER(.y = {3, 3}, .p = {3, 4}), "r2", NAN},
    {"a constant target", ONE_NUMBER(.y = {3, 3}, .p = {3, 4}), "rmse", 0.70710678118654752},
    {"a target of 0", ONE_NUMBER(.y = {0, 4}, .p = {1, 4}), "mape", NAN},
    {"a target of 0", ONE_NUMBER(.y = {0, 4}, .p = {1, 4}), "poisson", 1}, /* 2 (0 - 0 + 1) / 2 */
    {"a negative target", ONE_NUMBER(.y = {-1, 4}, .p = {1, 4}), "poisson", NAN},
    {"a prediction of 0", ONE_NUMBER(.y = {1, 4}, .p = {0, 4}), "poisson", NAN},
    {"a NaN", ONE_NUMBER(.y = {1, 4}, .p = {NAN, 4}), "mae", NAN},
    {"no rows", {.task = BP_TASK_NUMBERS, .outputs = 1}, "mae", NAN},
    {"no rows", {.task = BP_TASK_CLASSES, .outputs = 3}, "accuracy", NAN},
    {"an odd median", {.task = BP_TASK_NUMBERS, .rows = 3, .outputs = 1, .p = {1, 5, 2}}, "median_ae", 2},
    {"an even median",
     {.task = BP_TASK_NUMBERS, .rows = 4, .outputs = 1, .p = {1, 5, 2, 3}},
     "median_ae",
     2.5},
};

static void edges_of_definitions(void **state)
{
  for (size_t e = 0; e < COUNT(edges); e++) {
    bp_scores *s = scores_of(*state, &edges[e].g);
    double got = value_of(s, edges[e].metric);
    if (!(isnan(edges[e].want) ? isnan(got) : fabs(got - edges[e].want) < 1e-12))
      fail_msg("%s: %s is %g, not %g", edges[e].name, edges[e].metric, got, edges[e].want);
    bp_scores_free(s);
  }
}

/* ---- names ---- */

static void names_with_brackets(void **state)
{
  (void)state;
  double arg = 0;
  const bp_metric *top = bp_metric_find("top", &arg);
  assert_true(top && arg == 5 && top->higher && !top->each);
  assert_ptr_equal(bp_metric_find("top(3)", &arg), top);
  assert_true(arg == 3);
  assert_true(bp_metric_find("pinball(0.9)", &arg) && arg == 0.9);
  const struct {
    const char *name, *says;
  } bad[] = {{"acuracy", "did you mean 'accuracy'"}, {"", "no metric ''"},
             {"top(", "whole number from 1"},        {"top()", "whole number from 1"},
             {"top(0)", "whole number from 1"},      {"top(2.5)", "whole number from 1"},
             {"top(nan)", "whole number from 1"},    {"top(3)x", "whole number from 1"},
             {"pinball(2)", "number from 0 to 1"},   {"accuracy(3)", "takes nothing in brackets"}};
  for (size_t i = 0; i < COUNT(bad); i++) {
    assert_null(bp_metric_find(bad[i].name, NULL));
    if (!strstr(bp_error(), bad[i].says))
      fail_msg("%s: %s", bad[i].name, bp_error());
  }
}

static void misuse_is_refused(void **state)
{
  bp_scores *s = scores_of(*state, &cases[0]), *out;
  double v, *x, *y;
  size_t n;
  int64_t beyond = 1000;
  assert_int_equal(bp_scores_metric(s, "rmse", &v), BP_E_MISMATCH);
  assert_int_equal(bp_scores_metric(s, "none", &v), BP_E_NOTFOUND);
  assert_int_equal(bp_scores_metric_of(s, "mcc", 0, &v), BP_E_MISMATCH);
  assert_int_equal(bp_scores_metric_of(s, "f1", 4, &v), BP_E_RANGE);
  assert_int_equal(bp_scores_part(s, &beyond, 1, &out), BP_E_RANGE);
  assert_int_equal(bp_scores_roc(s, 4, &x, &y, &n), BP_E_RANGE);
  assert_null(bp_scores_row(s, 40));
  assert_int_equal(bp_scores_label(s, -1), -1);
  const float p[2] = {0.5f, 0.5f}, minus = -1, none = 0;
  const int64_t label = 2;
  assert_int_equal(bp_scores_new(*state, BP_TASK_CLASSES, 1, 2, p, &label, NULL, NULL, &out), BP_E_RANGE);
  assert_int_equal(bp_scores_new(*state, BP_TASK_CLASSES, 1, 2, p, NULL, p, NULL, &out), BP_E_ARG);
  assert_int_equal(bp_scores_new(*state, BP_TASK_NUMBERS, 1, 2, p, NULL, p, &minus, &out), BP_E_RANGE);
  assert_int_equal(bp_scores_new(*state, BP_TASK_NUMBERS, 1, 2, p, NULL, p, &none, &out), BP_E_RANGE);
  assert_int_equal(bp_scores_new(*state, (bp_task)3, 1, 2, p, NULL, p, NULL, &out), BP_E_ARG);
  assert_null(out);
  bp_scores_free(NULL);
  bp_scores_free(s);
}

/* ---- of a network ---- */

static void a_network_s_scores(void **state)
{
  bp_data *d = load_data(*state, "wine.csv", "cultivar");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3}, NULL));
  bp_scores *s;
  bp_metrics m;
  double accuracy, loss = 0;
  SUCCEEDS(bp_net_scores(net, d, &s));
  SUCCEEDS(bp_net_eval(net, d, &m));
  SUCCEEDS(bp_net_metric(net, d, "accuracy", &accuracy));
  assert_int_equal(bp_scores_rows(s), bp_data_rows(d));
  assert_int_equal(bp_scores_outputs(s), 3);
  for (int64_t i = 0; i < bp_scores_rows(s); i++) {
    float x[13], p[3];
    SUCCEEDS(bp_data_row(d, i, x));
    SUCCEEDS(bp_net_predict(net, x, 1, p));
    for (int k = 0; k < 3; k++)
      assert_true(fabsf(p[k] - bp_scores_row(s, i)[k]) < 1e-5f);
    assert_int_equal(bp_scores_label(s, i), bp_data_label(d, i));
    loss += bp_scores_loss(s, i) / (double)bp_scores_rows(s);
  }
  assert_true(accuracy == m.accuracy && value_of(s, "accuracy") == m.accuracy);
  assert_true(fabs(loss - m.loss) < 1e-6 && fabs(value_of(s, "log_loss") - m.loss) < 1e-6);
  assert_int_equal(bp_net_metric(net, d, "rmse", &accuracy), BP_E_MISMATCH);
  bp_scores_free(s);
  bp_net_free(net);
  bp_data_free(d);
}

typedef struct seen {
  bp_scores *all;
  int64_t rows;
  int calls, stop_after;
} seen;

static bp_status see_block(void *user, const bp_scores *block, int64_t first)
{
  seen *t = user;
  assert_int_equal(first, t->rows);
  t->rows += bp_scores_rows(block);
  t->calls++;
  return t->calls == t->stop_after ? BP_E_STOPPED : bp_scores_add(t->all, block, NULL, 0);
}

/* A visit shows what bp_net_scores keeps, and measures what bp_net_eval does. */
static void a_visit(void **state)
{
  bp_data *d = load_data(*state, "digits.csv", "digit");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  bp_scores *s;
  bp_metrics m, same;
  seen t = {.rows = 0};
  SUCCEEDS(bp_scores_open(*state, BP_TASK_CLASSES, 10, NULL, &t.all));
  SUCCEEDS(bp_net_visit(net, d, see_block, &t, &m));
  SUCCEEDS(bp_net_eval(net, d, &same));
  SUCCEEDS(bp_net_scores(net, d, &s));
  assert_memory_equal(&m.loss, &same.loss, sizeof m.loss);
  assert_true(m.rows == same.rows && m.accuracy == same.accuracy && m.baseline == same.baseline);
  assert_true(t.rows == bp_data_rows(d) && t.calls > 2);
  assert_true(value_of(t.all, "log_loss") == value_of(s, "log_loss"));
  assert_true(value_of(t.all, "ece") == value_of(s, "ece"));
  t = (seen){.all = t.all, .stop_after = 2};
  assert_int_equal(bp_net_visit(net, d, see_block, &t, NULL), BP_E_STOPPED);
  assert_int_equal(t.calls, 2);
  bp_scores_free(t.all);
  bp_scores_free(s);
  bp_net_free(net);
  bp_data_free(d);
}

static void a_regression_s_scores(void **state)
{
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3}, NULL));
  bp_scores *s;
  bp_metrics m;
  SUCCEEDS(bp_net_scores(net, d, &s));
  SUCCEEDS(bp_net_eval(net, d, &m));
  assert_true(bp_scores_truth(s, 9, 0) == 3 * 1 - 2 * 0.5 + 1);
  assert_true(fabs(value_of(s, "rmse") - m.rmse) < 1e-5 * m.rmse);
  assert_true(fabs(value_of(s, "mae") - m.mae) < 1e-5 * m.mae);
  assert_true(fabs(value_of(s, "r2") - m.r2) < 1e-5);
  bp_scores_free(s);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- out of memory ---- */

static bp_status all_metrics(bp_ctx *ctx, bp_scores *s, const golden *g)
{
  bp_status st = BP_OK;
  double value, *x, *y;
  size_t n;
  for (size_t i = 0; i < bp_metric_count() && st == BP_OK; i++)
    if (bp_metric_at(i)->tasks & (unsigned)g->task)
      st = bp_scores_metric(s, bp_metric_at(i)->name, &value);
  if (st == BP_OK && g->task != BP_TASK_NUMBERS) {
    st = bp_scores_roc(s, 1, &x, &y, &n);
    assert_true(st == BP_OK ? n > 2 : !x && !y && !n);
    bp_free(ctx, x);
    bp_free(ctx, y);
  }
  return st;
}

/* Kept rows, as all metrics need them, and grown twice. */
static bp_status sum_up(bp_ctx *ctx, const bp_scores *s, const golden *g)
{
  static const char *const ranked[] = {"auc", NULL}, *const median[] = {"median_ae", NULL};
  bp_scores *sums = NULL, *kept = NULL;
  bp_status st = bp_scores_open(ctx, g->task, g->outputs, NULL, &sums);
  if (st == BP_OK)
    st = bp_scores_open(ctx, g->task, g->outputs, g->task == BP_TASK_NUMBERS ? median : ranked, &kept);
  for (int i = 0; i < 2 && st == BP_OK; i++) {
    st = bp_scores_add(sums, s, NULL, 0);
    if (st == BP_OK)
      st = bp_scores_add(kept, s, NULL, 0);
    assert_int_equal(bp_scores_rows(kept), (i + (st == BP_OK)) * g->rows);
  }
  bp_scores_free(sums);
  bp_scores_free(kept);
  return st;
}

static bp_status score_and_measure(bp_ctx *ctx)
{
  bp_status st = BP_OK;
  for (size_t c = 0; c < COUNT(cases) && st == BP_OK; c++) {
    const golden *g = &cases[c];
    bool classes = g->task == BP_TASK_CLASSES;
    bp_scores *s = NULL, *part = NULL;
    const int64_t at[3] = {2, 0, 2};
    st = bp_scores_new(ctx, g->task, g->rows, g->outputs, g->p, classes ? g->labels : NULL,
                       classes ? NULL : g->y, g->weighted ? g->weights : NULL, &s);
    if (st == BP_OK)
      st = bp_scores_part(s, at, 3, &part);
    if (st == BP_OK)
      st = all_metrics(ctx, s, g);
    if (st == BP_OK)
      st = sum_up(ctx, s, g);
    bp_scores_free(part);
    bp_scores_free(s);
  }
  return st;
}

static void out_of_memory(void **state)
{
  (void)state;
  assert_true(fail_in_turn(score_and_measure) > 60);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(as_scikit_learn, fresh_ctx, free_ctx),
      cmocka_unit_test(every_metric_has_a_number),
      cmocka_unit_test_setup_teardown(weights_are_rows, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(summed_as_kept, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(what_comes_along, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(ranked_ones_keep_rows, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(what_is_not_kept, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(the_whole_is_the_mean, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(the_area_under_the_curve, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(confusion_and_counts, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(calibration_adds_up, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(edges_of_definitions, fresh_ctx, free_ctx),
      cmocka_unit_test(names_with_brackets),
      cmocka_unit_test_setup_teardown(misuse_is_refused, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_network_s_scores, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_visit, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_regression_s_scores, fresh_ctx, free_ctx),
      cmocka_unit_test(out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

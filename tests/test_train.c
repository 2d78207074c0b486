/* Training, evaluation and prediction. Data sets: test_examples.c; threads: test_train_threads.c; model files: test_model.c. */
#include "support/training.h"
#include "train/net.h"

/* ---- it learns ---- */

static void iris_is_learnt(void **state)
{
  bp_data *all = load_data(*state, "iris.csv", "species"), *train, *test;
  SUCCEEDS(bp_data_split(all, 0.25, 1, &train, &test));
  static const bp_dtype reals[] = {BP_FLOAT32, BP_FLOAT64};
  for (int i = 0; i < 2; i++) {
    bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {8}, .real = reals[i]});
    bp_metrics before, after;
    bp_train_result r;
    SUCCEEDS(bp_net_eval(net, test, &before));
    assert_true(fabs(before.loss - log(3)) < 0.1); /* small first outputs: the loss of knowing nothing */
    SUCCEEDS(bp_net_train(
        net, train, &(bp_train_options){.epochs = 60, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01}},
        &r));
    SUCCEEDS(bp_net_eval(net, test, &after));
    assert_true(after.accuracy >= 0.92 && after.loss < 0.4);
    assert_true(r.epochs == 60 && r.best_epoch == 60 && !r.stopped_early);
    assert_int_equal(r.steps,
                     60 * ((bp_data_rows(train) + 7) / 8)); /* batch 8 by default, the last one partial */
    assert_true(isnan(r.valid_loss) && isnan(r.valid_metric));
    assert_string_equal(bp_net_summary(net), "4-8-3 relu");
    assert_string_equal(bp_net_target(net), "species");
    assert_string_equal(bp_net_col_name(net, 2), "petal_length");
    assert_string_equal(bp_net_class_name(net, 2), "virginica");
    bp_net_free(net);
  }
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(test);
}

static void digits_are_learnt(void **state)
{
  bp_data *all = load_data(*state, "digits.csv", "digit"), *train, *test;
  SUCCEEDS(bp_data_split(all, 0.25, 1, &train, &test));
  bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {24}});
  bp_metrics m;
  SUCCEEDS(bp_net_train(
      net, train, &(bp_train_options){.epochs = 6, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.005}},
      NULL));
  SUCCEEDS(bp_net_eval(net, test, &m));
  assert_true(m.accuracy > 0.9);
  bp_net_free(net);
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(test);
}

static void a_linear_function_is_learnt(void **state)
{
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {-1}});
  assert_string_equal(bp_net_summary(net), "2-1");
  bp_optimizer o = {.kind = BP_OPTIMIZER_SGD, .lr = 0.05};
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 60, .optimizer = o}, NULL));
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, d, &m));
  assert_true(m.r2 > 0.99999 && m.rmse < 0.02 && isnan(m.accuracy));
  const float x[2] = {10, -1};
  float y;
  SUCCEEDS(bp_net_predict(net, x, 1, &y));
  assert_true(fabs(y - 33) < 0.1); /* also outside the rows it saw */
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- metrics, by hand ---- */

static void metrics_of_classes(void **state)
{
  enum { N = 137, COLS = 2 }; /* a whole block and a part of one */
  float x[N * COLS], p[N * 3];
  int64_t labels[N], count[3] = {0};
  for (int i = 0; i < N; i++) {
    x[2 * i] = (float)sin(i);
    x[2 * i + 1] = (float)cos(3 * i);
    count[labels[i] = i % 7 < 4 ? 0 : i % 7 < 6 ? 1 : 2]++;
  }
  bp_data *d = bp_data_new(*state, N, COLS, x, labels, NULL, 0);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {5}, .real = BP_FLOAT64});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 2}, NULL));
  SUCCEEDS(bp_net_predict(net, x, N, p));
  double loss = 0, hits = 0;
  for (int i = 0; i < N; i++) {
    const float *q = p + 3 * i;
    int best = q[1] > q[0] ? (q[2] > q[1] ? 2 : 1) : (q[2] > q[0] ? 2 : 0);
    assert_true(fabs(q[0] + q[1] + q[2] - 1) < 1e-6);
    loss -= log(q[labels[i]]);
    hits += best == labels[i];
    assert_int_equal(bp_net_classify(net, x + 2 * i), best);
  }
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, d, &m));
  assert_int_equal(m.rows, N);
  assert_true(fabs(m.loss - loss / N) < 1e-6);
  assert_true(m.accuracy == hits / N);
  assert_true(m.baseline == (double)count[0] / N);
  assert_true(isnan(m.rmse) && isnan(m.mae) && isnan(m.r2));
  bp_net_free(net);
  bp_data_free(d);
}

/* Two targets of very different means: each is compared with its own mean. */
static void metrics_of_values(void **state)
{
  enum { N = 150 };
  float x[N], y[2 * N], out[2 * N];
  for (int i = 0; i < N; i++) {
    x[i] = (float)i / N;
    y[2 * i] = (float)sin(i * 0.1);
    y[2 * i + 1] = 1000 + (float)(i % 5);
  }
  bp_data *all = bp_data_new(*state, N, 1, x, NULL, y, 2), *train, *test;
  SUCCEEDS(bp_data_split(all, 0.3, 1, &train, &test));
  bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {6}, .activation = "tanh"});
  SUCCEEDS(bp_net_train(net, train, &(bp_train_options){.epochs = 5}, NULL));
  SUCCEEDS(bp_net_predict(net, x, N, out));
  double square[2] = {0}, absolute = 0, mean[2] = {0}, spread[2] = {0}, n = (double)bp_data_rows(test);
  for (int pass = 0; pass < 2; pass++)
    for (int64_t r = 0; r < bp_data_rows(test); r++) {
      float v;
      SUCCEEDS(bp_data_row(test, r, &v));
      int i = (int)lround(v * N);
      for (int k = 0; k < 2; k++) {
        double want = y[2 * i + k], error = out[2 * i + k] - want;
        mean[k] += pass ? 0 : want / n;
        square[k] += pass ? error * error : 0;
        absolute += pass ? fabs(error) : 0;
        spread[k] += pass ? (want - mean[k]) * (want - mean[k]) : 0;
      }
    }
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, test, &m));
  assert_true(isnan(m.accuracy));
  /* The loss is of targets as they are learnt: divided by their deviations in the training data. */
  double loss = 0;
  for (int k = 0; k < 2; k++) {
    double sum = 0, sums = 0, rows = (double)bp_data_rows(train);
    for (int64_t r = 0; r < bp_data_rows(train); r++) {
      float v;
      SUCCEEDS(bp_data_row(train, r, &v));
      double t = y[2 * lround(v * N) + k] - (k ? 1000 : 0);
      sum += t / rows;
      sums += t * t / rows;
    }
    loss += square[k] / n / (sums - sum * sum) / 2;
  }
  assert_true(fabs(m.loss - loss) < 1e-3 * m.loss);
  assert_true(fabs(m.rmse - (sqrt(square[0] / n) + sqrt(square[1] / n)) / 2) < 1e-3 * m.rmse);
  assert_true(fabs(m.mae - absolute / (2 * n)) < 1e-3 * m.mae);
  assert_true(fabs(m.r2 - (1 - (square[0] / spread[0] + square[1] / spread[1]) / 2)) < 1e-3);
  assert_true(fabs(m.baseline - (sqrt(spread[0] / n) + sqrt(spread[1] / n)) / 2) < 1e-6 * m.baseline);
  bp_net_free(net);
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(test);
}

static void constant_targets_have_no_r2(void **state)
{
  const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  float y[8];
  for (int i = 0; i < 8; i++)
    y[i] = 0.1f;
  bp_data *d = bp_data_new(*state, 8, 1, x, NULL, y, 1);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {3}});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 20}, NULL));
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, d, &m));
  assert_true(isnan(m.r2) && m.baseline < 1e-7 && m.rmse < 0.5);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- data that are ordered otherwise ---- */

static bp_data *csv_data(bp_ctx *ctx, const char *csv, const char *target)
{
  bp_source source;
  bp_table *t = NULL;
  SUCCEEDS(bp_source_memory(ctx, csv, strlen(csv), "test.csv", &source));
  SUCCEEDS(bp_csv_read(ctx, &source, NULL, &t));
  bp_source_close(&source);
  bp_data *d = bp_data_from_table(ctx, t, &(bp_data_options){.target = target});
  if (!d)
    fail_msg("%s", bp_error());
  bp_table_free(t);
  return d;
}

static const char fruit[] = "a,b,kind\n0,5,apple\n1,4,apple\n9,5,fig\n8,4,fig\n0,-5,plum\n1,-4,plum\n";

static void columns_and_classes_are_matched_by_name(void **state)
{
  bp_data *train = csv_data(*state, fruit, "kind");
  bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {8}});
  SUCCEEDS(bp_net_train(
      net, train, &(bp_train_options){.epochs = 200, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.02}},
      NULL));
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, train, &m));
  assert_true(m.accuracy == 1);
  /* Columns in another order, one too many, and fewer classes, whose numbers in the file are others. */
  static const char *const good[] = {"kind,b,other,a\nplum,-5,77,0\nfig,5,77,9\nplum,-4,77,1\n",
                                     "b,a,kind\n-5,0,plum\n5,9,fig\n-4,1,plum\n"};
  for (size_t i = 0; i < COUNT(good); i++) {
    bp_data *d = csv_data(*state, good[i], "kind");
    SUCCEEDS(bp_net_eval(net, d, &m));
    assert_true(m.accuracy == 1 && m.rows == 3);
    bp_data_free(d);
  }
  static const struct {
    const char *csv, *target, *says;
  } bad[] = {
      {"a,b,kind\n1,2,pear\n3,4,fig\n", "kind", "class 'pear' that the network was not trained on"},
      {"a,c,kind\n1,2,fig\n3,4,plum\n", "kind", "no column 'b', which the network was trained on"},
      {"a,b,kind\n1,2,0.5\n3,4,1.5\n", "kind", "the network has classes, the data have a numeric target"},
      {"a,b\n1,2\n3,4\n", NULL, "the network has classes, the data have no target"},
  };
  for (size_t i = 0; i < COUNT(bad); i++) {
    bp_data *d = csv_data(*state, bad[i].csv, bad[i].target);
    bp_status s[3] = {bp_net_eval(net, d, &m), bp_net_train(net, d, NULL, NULL),
                      bp_net_train(net, train, &(bp_train_options){.epochs = 1, .valid = d}, NULL)};
    for (int k = 0; k < 3; k++)
      assert_int_equal(s[k], BP_E_MISMATCH);
    if (!strstr(bp_error(), bad[i].says))
      fail_msg("row %zu: %s", i, bp_error());
    bp_data_free(d);
  }
  bp_net_free(net);
  bp_data_free(train);
}

static void data_without_names_are_matched_by_number(void **state)
{
  const float x[6] = {1, 2, 3, 4, 5, 6};
  const int64_t labels[3] = {0, 1, 0}, more[3] = {0, 1, 2};
  bp_data *d = bp_data_new(*state, 3, 2, x, labels, NULL, 0),
          *wide = bp_data_new(*state, 2, 3, x, labels, NULL, 0),
          *third = bp_data_new(*state, 3, 2, x, more, NULL, 0),
          *value = bp_data_new(*state, 3, 2, x, NULL, x, 1), *two = bp_data_new(*state, 3, 2, x, NULL, x, 2);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {3}});
  bp_net *real = make_net(*state, value, &(bp_net_options){.hidden = {3}});
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, d, &m));
  assert_int_equal(bp_net_eval(net, wide, &m), BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "3 columns, the network takes 2"));
  assert_int_equal(bp_net_eval(net, third, &m), BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "3 classes, the network 2"));
  assert_int_equal(bp_net_eval(net, value, &m), BP_E_MISMATCH);
  assert_int_equal(bp_net_eval(real, d, &m), BP_E_MISMATCH);
  assert_int_equal(bp_net_eval(real, two, &m), BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "2 targets, the network 1"));
  assert_int_equal(bp_net_classify(real, x), -1);
  bp_net_free(net);
  bp_net_free(real);
  bp_data *all[] = {d, wide, third, value, two};
  for (size_t i = 0; i < COUNT(all); i++)
    bp_data_free(all[i]);
}

/* ---- epochs, batches, stopping ---- */

static void batches_whole_partial_and_larger_than_the_data(void **state)
{
  bp_data *d = linear_data(*state);
  static const struct {
    int64_t batch, steps; /* in 3 epochs of 64 rows */
  } table[] = {{1, 192}, {7, 30}, {32, 6}, {63, 6}, {64, 3}, {65, 3}, {INT64_MAX, 3}};
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {3}});
    bp_train_result r;
    SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3, .batch = table[i].batch}, &r));
    assert_int_equal(r.steps, table[i].steps);
    assert_int_equal(r.epochs, 3);
    assert_true(isfinite(r.train_loss));
    bp_net_free(net);
  }
  bp_data_free(d);
}

/* One full batch a step: the loss of an epoch is that of the weights before it, whatever the partial batch. */
static void the_epochs_loss_counts_every_row_once(void **state)
{
  bp_data *d = linear_data(*state);
  double loss[2];
  for (int i = 0; i < 2; i++) {
    bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {3}, .real = BP_FLOAT64, .raw = true});
    bp_train_result r;
    /* The smallest learning rate: the weights hardly move, so batches of 64 and of 24, 24, 16 see the same. */
    bp_optimizer o = {.kind = BP_OPTIMIZER_SGD, .lr = 1e-300};
    SUCCEEDS(
        bp_net_train(net, d, &(bp_train_options){.epochs = 1, .batch = i ? 24 : 64, .optimizer = o}, &r));
    bp_metrics m;
    SUCCEEDS(bp_net_eval(net, d, &m));
    assert_true(fabs(m.loss - r.train_loss) < 1e-9 * m.loss);
    loss[i] = r.train_loss;
    bp_net_free(net);
  }
  assert_true(fabs(loss[0] - loss[1]) < 1e-12 * loss[0]);
  bp_data_free(d);
}

typedef struct watch {
  bp_net *net;
  const bp_data *data;
  int64_t calls, stop_at;
  double valid[64], best;
  char *weights; /* at the best epoch */
  size_t bytes;
  double rates[64];
} watch;

static bool watch_epoch(void *user, const bp_progress *p)
{
  watch *w = user;
  w->calls++;
  assert_int_equal(p->epoch, w->calls);
  assert_true(p->best_epoch >= 1 && p->best_epoch <= p->epoch && p->seconds >= 0 && p->eta >= 0);
  assert_true(isfinite(p->train_loss) && p->samples_per_second > 0);
  w->rates[p->epoch - 1] =
      *(float *)w->net->state->entries[bp_state_find(w->net->state, "optimizer.lr")].data;
  w->valid[p->epoch - 1] = p->valid_loss;
  if (p->best_epoch == p->epoch) {
    free(w->weights);
    w->weights = copy_weights(w->net, &w->bytes);
    w->best = p->valid_loss;
  }
  return p->epoch != w->stop_at;
}

static void check_weights(watch *w)
{
  size_t n;
  char *now = copy_weights(w->net, &n);
  assert_int_equal(n, w->bytes);
  assert_memory_equal(now, w->weights, n);
  free(now);
  free(w->weights);
  w->weights = NULL;
}

static void early_stopping_keeps_the_best_weights(void **state)
{
  bp_data *all = load_data(*state, "iris.csv", "species"), *train, *valid;
  SUCCEEDS(bp_data_split(all, 0.3, 4, &train, &valid));
  watch w = {.net = make_net(*state, train, &(bp_net_options){.hidden = {16}})};
  bp_train_options o = {.epochs = 60,
                        .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.05},
                        .label_smoothing = -1,
                        .valid = valid,
                        .patience = 4,
                        .progress = watch_epoch,
                        .user = &w};
  bp_train_result r;
  SUCCEEDS(bp_net_train(w.net, train, &o, &r));
  assert_true(r.stopped_early && r.epochs == r.best_epoch + 4 && r.epochs == w.calls && r.epochs < 60);
  int64_t best = 0;
  for (int64_t i = 1; i < w.calls; i++)
    best = w.valid[i] < w.valid[best] ? i : best;
  assert_int_equal(r.best_epoch, best + 1);
  assert_true(r.valid_loss == w.valid[best]);
  bp_metrics m;
  SUCCEEDS(bp_net_eval(w.net, valid, &m));
  assert_true(m.loss == r.valid_loss && m.accuracy == r.valid_metric);
  check_weights(&w);
  bp_net_free(w.net);
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(valid);
}

static void a_callback_may_stop(void **state)
{
  bp_data *d = linear_data(*state);
  watch w = {.net = make_net(*state, d, &(bp_net_options){.hidden = {4}}), .stop_at = 3};
  bp_train_result r;
  bp_train_options o = {.epochs = 50, .progress = watch_epoch, .user = &w};
  assert_int_equal(bp_net_train(w.net, d, &o, &r), BP_E_STOPPED);
  assert_non_null(strstr(bp_error(), "epoch 3"));
  assert_true(r.epochs == 3 && r.best_epoch == 3 && w.calls == 3 && !r.stopped_early);
  check_weights(&w);
  o.progress = NULL;
  SUCCEEDS(bp_net_train(w.net, d, &o, &r)); /* and it can be trained on */
  bp_net_free(w.net);
  bp_data_free(d);
}

/* Evaluation and prediction inside the callback are fine and change nothing; training inside is refused. */
static bool busy_callback(void *user, const bp_progress *p)
{
  watch *w = user;
  bp_metrics m;
  float x[2] = {1, 2}, y;
  w->calls++;
  SUCCEEDS(bp_net_eval(w->net, w->data, &m));
  SUCCEEDS(bp_net_predict(w->net, x, 1, &y));
  if (p->valid_loss == p->valid_loss)
    assert_true(fabs(m.loss - p->valid_loss) == 0);
  assert_int_equal(bp_net_train(w->net, w->data, NULL, NULL), BP_E_ORDER);
  assert_non_null(strstr(bp_error(), "being trained"));
  return true;
}

static void callbacks_that_call_back(void **state)
{
  bp_data *d = linear_data(*state);
  size_t n[2];
  char *bytes[2];
  for (int i = 0; i < 2; i++) {
    watch w = {.net = make_net(*state, d, &(bp_net_options){.hidden = {4}}), .data = d};
    bp_train_options o = {.epochs = 4, .valid = d, .progress = i ? busy_callback : NULL, .user = &w};
    SUCCEEDS(bp_net_train(w.net, d, &o, NULL));
    assert_int_equal(w.calls, i ? 4 : 0);
    bytes[i] = saved_bytes(w.net, &n[i]);
    bp_net_free(w.net);
  }
  assert_int_equal(n[0], n[1]);
  assert_memory_equal(bytes[0], bytes[1], n[0]);
  free(bytes[0]);
  free(bytes[1]);
  bp_data_free(d);
}

static void schedules(void **state)
{
  bp_data *d = linear_data(*state);
  static const char *const names[] = {NULL, "constant", "cosine"};
  for (int i = 0; i < 3; i++) {
    watch w = {.net = make_net(*state, d, &(bp_net_options){.hidden = {4}})};
    bp_train_options o = {.epochs = 5,
                          .batch = 16,
                          .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01},
                          .schedule = names[i],
                          .progress = watch_epoch,
                          .user = &w};
    SUCCEEDS(bp_net_train(w.net, d, &o, NULL));
    for (int e = 0; e < 5; e++) {
      /* After epoch e + 1 the rate is that of its last step: number 4 e + 3 of 20, counted from 0. */
      double want = i < 2 ? 0.01 : 0.01 * 0.5 * (1 + cos(acos(-1) * (4 * e + 3) / 20));
      assert_true(fabs(w.rates[e] - want) < 1e-8);
    }
    /* Training again starts from the optimiser's own rate, not from where the schedule ended. */
    o.optimizer.lr = 0;
    o.epochs = 1;
    o.schedule = NULL;
    w.calls = 0;
    SUCCEEDS(bp_net_train(w.net, d, &o, NULL));
    assert_true(fabs(w.rates[0] - 0.001) < 1e-9);
    free(w.weights);
    bp_net_free(w.net);
  }
  bp_data_free(d);
}

/* ---- divergence ---- */

static void divergence_leaves_the_last_good_weights(void **state)
{
  bp_data *d = linear_data(*state);
  static const struct {
    bp_optimizer o;
    int64_t epochs;
    bool valid;
  } table[] = {
      {{.kind = BP_OPTIMIZER_SGD, .lr = 1e30}, 50, false},
      {{.kind = BP_OPTIMIZER_SGD, .lr = 1e30}, 50, true},
      {{.kind = BP_OPTIMIZER_SGD, .lr = 3e38}, 1, false}, /* the one step is finite, what it makes is not */
      {{.kind = BP_OPTIMIZER_SGD, .lr = 3e38}, 1, true},
      {{.kind = BP_OPTIMIZER_SGD, .lr = 5}, 200, false}, /* slowly */
      {{.kind = BP_OPTIMIZER_SGD, .lr = 5}, 200, true},
      {{.kind = BP_OPTIMIZER_ADAM, .lr = 1e38}, 50, false},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    watch w = {.net = make_net(*state, d, &(bp_net_options){.hidden = {-1}, .raw = true})};
    w.weights = copy_weights(w.net, &w.bytes);
    bp_train_options o = {.epochs = table[i].epochs,
                          .batch = 64,
                          .optimizer = table[i].o,
                          .valid = table[i].valid ? d : NULL,
                          .patience = 1000,
                          .progress = watch_epoch,
                          .user = &w};
    bp_train_result r;
    bp_status s = bp_net_train(w.net, d, &o, &r);
    if (s != BP_E_NOTFINITE || !strstr(bp_error(), "training stopped at epoch ") ||
        !strstr(bp_error(), "smaller learning rate"))
      fail_msg("row %zu: %s: %s", i, bp_status_name(s), bp_error());
    assert_int_equal(r.epochs, w.calls);
    assert_true(w.calls < table[i].epochs);
    assert_true(!(r.best_epoch > r.epochs));
    check_weights(&w); /* of the best epoch, or of the start */
    bp_metrics m;
    SUCCEEDS(bp_net_eval(w.net, d, &m));
    assert_true(isfinite(m.loss));
    bp_net_free(w.net);
  }
  bp_data_free(d);
}

/* ---- a build function of the caller's own ---- */

typedef struct own {
  double dropout;
  int training, evaluation, keys;
  int wrong; /* what to do wrong */
  bp_graph *elsewhere;
} own;

static bp_node own_layers(void *user, bp_params *p, bp_node x, bp_node key, bool training)
{
  own *o = user;
  *(training ? &o->training : &o->evaluation) += 1;
  o->keys += !bp_absent(key);
  assert_true(training == !bp_absent(key));
  bp_node h = bp_activation(bp_dense(p, x, "in", 16, (bp_init){0}), "maxout(2)");
  if (training && o->dropout > 0)
    h = bp_dropout(h, key, o->dropout);
  switch (o->wrong) {
  case 1:
    return BP_NO_NODE;
  case 2:
    return h;
  case 3:
    return bp_sum(h, NULL, 0, false);
  case 4:
    return bp_dense(p, bp_constant(o->elsewhere, 1), "out", 3, (bp_init){0});
  case 5:
    return bp_greater(bp_dense(p, h, "out", 3, (bp_init){0}), bp_constant(x.graph, 0));
  case 6:
    return bp_array_constant(o->elsewhere, BP_REAL, 2, (int64_t[]){1, 3}, (double[]){1, 2, 3});
  default:
    return bp_dense(p, h, training ? "out" : o->wrong == 7 ? "other" : "out", 3, (bp_init){0});
  }
}

static void own_build_function_with_dropout(void **state)
{
  bp_data *all = load_data(*state, "iris.csv", "species"), *train, *test;
  SUCCEEDS(bp_data_split(all, 0.25, 2, &train, &test));
  double losses[3];
  for (int i = 0; i < 3; i++) {
    own o = {.dropout = i == 1 ? 0 : 0.3};
    bp_net *net = make_net(*state, train, &(bp_net_options){.build = own_layers, .user = &o});
    bp_train_result r;
    bp_metrics m, again;
    SUCCEEDS(bp_net_train(
        net, train,
        &(bp_train_options){.epochs = 40, .batch = 20, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.02}},
        &r));
    SUCCEEDS(bp_net_eval(net, test, &m));
    SUCCEEDS(bp_net_eval(net, test, &again));
    assert_true(m.accuracy > 0.85 && m.loss == again.loss); /* nothing is dropped while evaluating */
    /* Built to meet the parameters, for a batch of 20 and for the last of 13; for prediction of 1 row and of many. */
    assert_true(o.training == 3 && o.evaluation == 2 && o.keys == 3);
    losses[i] = r.train_loss;
    assert_int_equal(bp_net_save(net, "/tmp/never-written"), BP_E_UNSUPPORTED);
    assert_int_not_equal(access("/tmp/never-written", F_OK), 0);
    assert_string_equal(bp_net_summary(net), "4-(own layers)-3");
    bp_net_free(net);
  }
  assert_true(losses[0] == losses[2] && losses[0] > losses[1]); /* the same masks again; and they cost */
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(test);
}

static void build_functions_that_are_wrong(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  for (int wrong = 1; wrong < 8; wrong++) {
    own o = {.wrong = wrong, .elsewhere = bp_graph_new(*state)};
    bp_net *net = bp_net_new(*state, d, &(bp_net_options){.build = own_layers, .user = &o});
    if (net || !*bp_error())
      fail_msg("wrong %d was taken", wrong);
    if (wrong == 2 || wrong == 3 || wrong == 5)
      assert_non_null(strstr(bp_error(), "must give [batch, 3]"));
    bp_graph_free(o.elsewhere);
  }
  bp_data_free(d);
}

/* ---- refused: rows 83 to 93 and 107 of the list of bad inputs, where they concern these calls ---- */

static void refused_network_options(void **state)
{
  static const struct {
    int row;
    bp_net_options o;
    const char *says;
  } table[] = {
      {85, {.hidden = {-2}}, "hidden widths"},
      {85, {.hidden = {4, -1}}, "hidden widths"},
      {85, {.hidden = {INT64_MIN}}, "hidden widths"},
      {84, {.hidden = {10000001}}, "hidden widths"},
      {84, {.hidden = {4, INT64_MAX}}, "hidden widths"},
      {83, {.hidden = {4}, .activation = "rellu"}, "'rellu' is no activation"},
      {83, {.hidden = {4}, .activation = ""}, "is no activation"},
      {83, {.hidden = {5}, .activation = "maxout(2)"}, "maxout"},
      {84, {.dropout = 1}, "dropout"},
      {84, {.dropout = -0.5}, "dropout"},
      {84, {.dropout = (double)NAN}, "dropout"},
      {83, {.real = BP_INT64}, "real must be"},
      {83, {.real = BP_REAL}, "real must be"},
      {83, {.init = {BP_INIT_COUNT, 0}}, "initialiser"},
      {84, {.init = {BP_INIT_NORMAL, (double)NAN}}, "finite"},
  };
  bp_data *d = load_data(*state, "iris.csv", "species");
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_net *net = bp_net_new(*state, d, &table[i].o);
    if (net || !strstr(bp_error(), table[i].says))
      fail_msg("%zu (row %d): %s", i, table[i].row, net ? "was taken" : bp_error());
  }
  assert_null(bp_net_new(NULL, d, NULL));
  assert_null(bp_net_new(*state, NULL, NULL));
  bp_data_free(d);
}

static void refused_training_options(void **state)
{
  static const struct {
    int row;
    bp_train_options o;
    bp_status status;
    const char *says;
  } table[] = {
      {84, {.optimizer.lr = (double)NAN}, BP_E_ARG, "lr"},
      {84, {.optimizer.lr = -1}, BP_E_ARG, "lr"},
      {84, {.optimizer.lr = (double)INFINITY}, BP_E_ARG, "lr"},
      {84, {.optimizer.momentum = 1}, BP_E_ARG, "momentum"},
      {84, {.optimizer.clip_norm = (double)INFINITY}, BP_E_ARG, "clip_norm"},
      {84, {.optimizer.kind = BP_OPTIMIZER_COUNT}, BP_E_ARG, "kind"},
      {85, {.batch = -1}, BP_E_ARG, "batch"},
      {85, {.batch = INT64_MIN}, BP_E_ARG, "batch"},
      {84, {.epochs = INT64_MAX}, BP_E_ARG, "epochs"},
      {85, {.epochs = -1}, BP_E_ARG, "epochs"},
      {85, {.patience = -1}, BP_E_ARG, "patience"},
      {84, {.label_smoothing = 1}, BP_E_ARG, "label_smoothing"},
      {84, {.label_smoothing = -0.5}, BP_E_ARG, "label_smoothing"},
      {84, {.label_smoothing = (double)NAN}, BP_E_ARG, "label_smoothing"},
      {83, {.schedule = "linear"}, BP_E_ARG, "schedule"},
      {83, {.schedule = ""}, BP_E_ARG, "schedule"},
  };
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  size_t n, m;
  char *before = copy_weights(net, &n);
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_train_result r;
    bp_status s = bp_net_train(net, d, &table[i].o, &r);
    if (s != table[i].status || !strstr(bp_error(), table[i].says))
      fail_msg("%zu (row %d): %s: %s", i, table[i].row, bp_status_name(s), bp_error());
    assert_true(r.epochs == 0 && r.steps == 0 && isnan(r.train_loss));
  }
  char *after = copy_weights(net, &m);
  assert_memory_equal(before, after, n);
  free(before);
  free(after);
  bp_net_free(net);
  bp_data_free(d);
}

/* Row 88: NULL handles. */
static void null_handles(void **state)
{
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {2}});
  bp_metrics m;
  float x[2] = {1, 2}, y;
  assert_int_equal(bp_net_train(NULL, d, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_net_train(net, NULL, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_net_eval(NULL, d, &m), BP_E_ARG);
  assert_int_equal(bp_net_eval(net, NULL, &m), BP_E_ARG);
  assert_int_equal(bp_net_eval(net, d, NULL), BP_E_ARG);
  assert_int_equal(bp_net_predict(NULL, x, 1, &y), BP_E_ARG);
  assert_int_equal(bp_net_predict(net, NULL, 1, &y), BP_E_ARG);
  assert_int_equal(bp_net_predict(net, x, 1, NULL), BP_E_ARG);
  assert_int_equal(bp_net_predict(net, x, -1, &y), BP_E_ARG);
  SUCCEEDS(bp_net_predict(net, NULL, 0, NULL));
  assert_int_equal(bp_net_classify(NULL, x), -1);
  assert_int_equal(bp_net_classify(net, NULL), -1);
  assert_int_equal(bp_net_save(NULL, "/tmp/x"), BP_E_ARG);
  assert_int_equal(bp_net_save(net, NULL), BP_E_ARG);
  bp_status s = BP_OK;
  assert_null(bp_net_load(NULL, "/tmp/x", &s));
  assert_int_equal(s, BP_E_ARG);
  assert_null(bp_net_load(*state, NULL, NULL));
  assert_true(bp_net_inputs(NULL) == 0 && bp_net_outputs(NULL) == 0 && bp_net_classes(NULL) == 0);
  assert_null(bp_net_params(NULL));
  assert_string_equal(bp_net_summary(NULL), "");
  assert_string_equal(bp_net_target(NULL), "");
  assert_string_equal(bp_net_target(net), "");
  assert_string_equal(bp_net_class_name(NULL, 0), "");
  assert_string_equal(bp_net_class_name(net, -1), "");
  assert_string_equal(bp_net_col_name(NULL, 0), "");
  assert_string_equal(bp_net_col_name(net, 99), "");
  bp_net_free(NULL);
  bp_params_free(NULL);
  bp_net_free(net);
  bp_data_free(d);
}

/* Row 89: a network and data of two contexts share nothing, and may meet. Row 86: a model saved over the file it was loaded from. */
static void two_contexts_and_one_file(void **state)
{
  bp_ctx *other = bp_ctx_new(NULL);
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(other, d, &(bp_net_options){.hidden = {3}});
  bp_metrics m, again;
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 2, .valid = d}, NULL));
  SUCCEEDS(bp_net_eval(net, d, &m));
  char path[64];
  temporary_path(path);
  for (int i = 0; i < 2; i++) {
    SUCCEEDS(bp_net_save(net, path));
    bp_net_free(net);
    net = bp_net_load(i ? other : *state, path, NULL);
    assert_non_null(net);
  }
  SUCCEEDS(bp_net_eval(net, d, &again));
  assert_true(m.loss == again.loss);
  bp_net_free(net);
  unlink(path);
  bp_ctx_free(other);
  bp_data_free(d);
}

/* Row 107: what is not finite in a row to predict shows, and is no class. */
static void rows_that_are_not_finite(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  float x[8] = {INFINITY, 1, 2, 3, 5, 3, 1, 0.2f}, p[6];
  SUCCEEDS(bp_net_predict(net, x, 2, p));
  assert_true(isnan(p[0]) && isnan(p[1]) && isnan(p[2]));
  assert_true(fabs(p[3] + p[4] + p[5] - 1) < 1e-6); /* the row beside it is untouched */
  assert_int_equal(bp_net_classify(net, x), -1);
  assert_non_null(strstr(bp_error(), "NaN"));
  assert_true(bp_net_classify(net, x + 4) >= 0);
  bp_net_free(net);
  bp_data_free(d);
}

/* Row 92 and huge numbers: the largest floats overflow somewhere, and say so. */
static void the_largest_numbers(void **state)
{
  float x[8] = {3e38f, -3e38f, 1, 2, -3e38f, 3e38f, 0, 3e38f}, y[4] = {3e38f, -3e38f, 3e38f, 1};
  bp_data *d = bp_data_new(*state, 4, 2, x, NULL, y, 1);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {3}});
  bp_train_result r;
  bp_status s = bp_net_train(net, d, &(bp_train_options){.epochs = 3}, &r);
  assert_true(s == BP_OK || s == BP_E_NOTFINITE);
  size_t n;
  char *w = copy_weights(net, &n);
  for (size_t i = 0; i < n / sizeof(float); i++)
    assert_true(isfinite(((float *)(void *)w)[i]));
  free(w);
  bp_net_free(net);
  bp_data_free(d);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh_ctx, free_ctx)
  const struct CMUnitTest tests[] = {
      TEST(iris_is_learnt),
      TEST(digits_are_learnt),
      TEST(a_linear_function_is_learnt),
      TEST(metrics_of_classes),
      TEST(metrics_of_values),
      TEST(constant_targets_have_no_r2),
      TEST(columns_and_classes_are_matched_by_name),
      TEST(data_without_names_are_matched_by_number),
      TEST(batches_whole_partial_and_larger_than_the_data),
      TEST(the_epochs_loss_counts_every_row_once),
      TEST(early_stopping_keeps_the_best_weights),
      TEST(a_callback_may_stop),
      TEST(callbacks_that_call_back),
      TEST(schedules),
      TEST(divergence_leaves_the_last_good_weights),
      TEST(own_build_function_with_dropout),
      TEST(build_functions_that_are_wrong),
      TEST(refused_network_options),
      TEST(refused_training_options),
      TEST(null_handles),
      TEST(two_contexts_and_one_file),
      TEST(rows_that_are_not_finite),
      TEST(the_largest_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

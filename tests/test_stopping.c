/* What is watched over the epochs: the best one by any metric, when to stop, and when the rate falls. */
#include "support/training.h"
#include "train/notes.h"

enum { MOST_EPOCHS = 40, PATIENCE = 3 };

typedef struct watch {
  double loss[MOST_EPOCHS], metric[MOST_EPOCHS], train[MOST_EPOCHS];
  int n;
} watch;

static bool watch_epoch(void *user, const bp_progress *p)
{
  watch *w = user;
  w->loss[w->n] = p->valid_loss;
  w->train[w->n] = p->train_loss;
  w->metric[w->n++] = p->valid_metric;
  return true;
}

typedef struct parts {
  bp_data *all, *train, *valid;
  bp_net *net;
} parts;

/* Classes of iris, or (NULL) numbers. */
static parts split(bp_ctx *ctx, const char *file)
{
  parts p;
  p.all = file ? load_data(ctx, file, "species") : linear_data(ctx);
  SUCCEEDS(bp_data_split(p.all, 0.4, 5, &p.train, &p.valid));
  p.net = make_net(ctx, p.train, &(bp_net_options){.hidden = {6}});
  return p;
}

static void free_parts(parts *p)
{
  bp_net_free(p->net);
  bp_data_free(p->train);
  bp_data_free(p->valid);
  bp_data_free(p->all);
}

/* A rate that jumps about, so that metrics go up and down. */
static bp_train_options options_of(const parts *p, const char *metric, watch *w)
{
  return (bp_train_options){.epochs = MOST_EPOCHS,
                            .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.2},
                            .averaging = -1,
                            .valid = p->valid,
                            .metric = metric,
                            .patience = PATIENCE,
                            .progress = watch_epoch,
                            .user = w};
}

/* The epoch with the best metric, of equal ones the lowest loss; and the last that was better than all before. */
static void best_of(const watch *w, bool higher, int *best, int *better)
{
  *best = *better = 0;
  for (int i = 1; i < w->n; i++) {
    double a = higher ? w->metric[i] : -w->metric[i], b = higher ? w->metric[*best] : -w->metric[*best];
    if (a > b)
      *better = i;
    if (a > b || (a == b && w->loss[i] < w->loss[*best]))
      *best = i;
  }
}

static void best_by(bp_ctx *ctx, const char *file, const char *metric)
{
  parts p = split(ctx, file);
  watch w = {.n = 0};
  bp_train_result r;
  int best, better;
  double value;
  bp_train_options o = options_of(&p, metric, &w);
  SUCCEEDS(bp_net_train(p.net, p.train, &o, &r));
  best_of(&w, bp_metric_find(metric, NULL)->higher, &best, &better);
  if (r.best_epoch != best + 1 || r.valid_metric != w.metric[best] || r.valid_loss != w.loss[best])
    fail_msg("%s: epoch %lld was kept, with %g; epoch %d had %g", metric, (long long)r.best_epoch,
             r.valid_metric, best + 1, w.metric[best]);
  if (w.n != (better + 1 + PATIENCE < MOST_EPOCHS ? better + 1 + PATIENCE : MOST_EPOCHS))
    fail_msg("%s: ended after epoch %d; %d was better than all before", metric, w.n, better + 1);
  SUCCEEDS(bp_net_metric(p.net, p.valid, metric, &value));
  assert_true(value == r.valid_metric);
  assert_string_equal(bp_net_history_metric(p.net), metric);
  free_parts(&p);
}

static void any_metric_decides(void **state)
{
  static const char *const of_classes[] = {"accuracy", "auc", "f1", "log_loss", "ece(4)", "mcc"},
                           *const of_numbers[] = {"rmse", "r2", "median_ae", "max_error", "pinball(0.9)"};
  for (size_t i = 0; i < COUNT(of_classes); i++)
    best_by(*state, "iris.csv", of_classes[i]);
  for (size_t i = 0; i < COUNT(of_numbers); i++)
    best_by(*state, NULL, of_numbers[i]);
}

static void the_loss_alone(void **state)
{
  parts p = split(*state, "iris.csv");
  watch w = {.n = 0};
  bp_train_result r;
  int best = 0;
  bp_train_options o = options_of(&p, "loss", &w);
  SUCCEEDS(bp_net_train(p.net, p.train, &o, &r));
  for (int i = 1; i < w.n; i++)
    best = w.loss[i] < w.loss[best] ? i : best;
  assert_int_equal(r.best_epoch, best + 1);
  assert_int_equal(w.n, best + 1 + PATIENCE);
  assert_string_equal(bp_net_history_metric(p.net), "accuracy");
  free_parts(&p);
}

/* Losses of six epochs, the loss falling all the way and every row right from the first epoch on: so the last is the best, by either. */
static void falling_losses(bp_ctx *ctx, const char *metric, const char *schedule, watch *w)
{
  const float x[8] = {-9, -8, -9, -8, 9, 8, 9, 8};
  const int64_t labels[8] = {0, 0, 0, 0, 1, 1, 1, 1};
  bp_data *d = bp_data_new(ctx, 8, 1, x, labels, NULL, 0);
  bp_net *net = make_net(ctx, d, &(bp_net_options){.hidden = {-1}});
  bp_train_result r;
  *w = (watch){.n = 0};
  SUCCEEDS(bp_net_train(net, d,
                        &(bp_train_options){.epochs = 6,
                                            .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 1},
                                            .averaging = -1,
                                            .label_smoothing = -1,
                                            .schedule = schedule,
                                            .metric = metric,
                                            .valid = d,
                                            .patience = 10,
                                            .progress = watch_epoch,
                                            .user = w},
                        &r));
  assert_int_equal(r.best_epoch, 6);
  for (int i = 1; i < w->n; i++)
    assert_true(w->loss[i] < w->loss[i - 1] && w->metric[i] == 1);
  bp_net_free(net);
  bp_data_free(d);
}

static void a_plateau_is_the_metric_s(void **state)
{
  watch constant, by_loss, by_accuracy;
  falling_losses(*state, "loss", "constant", &constant);
  falling_losses(*state, "loss", "plateau(1,0.5)", &by_loss);
  falling_losses(*state, "accuracy", "plateau(1,0.5)", &by_accuracy);
  assert_memory_equal(constant.train, by_loss.train, 6 * sizeof *constant.train);
  /* The accuracy is no better after epochs 2 and 3: epoch 4 has half the rate, epoch 5 shows it. */
  assert_memory_equal(constant.train, by_accuracy.train, 3 * sizeof *constant.train);
  assert_true(by_accuracy.train[4] > constant.train[4]);
}

/* ---- what may not be asked for ---- */

static void refused(void **state)
{
  const struct {
    const char *file, *metric, *says;
    bool valid;
    bp_status status;
  } rows[] = {{"iris.csv", "acuracy", "did you mean 'accuracy'", true, BP_E_NOTFOUND},
              {"iris.csv", "rmse", "'rmse' is not for classes", true, BP_E_MISMATCH},
              {"iris.csv", "exact_match", "'exact_match' is not for classes", true, BP_E_MISMATCH},
              {NULL, "auc", "'auc' is not for numbers", true, BP_E_MISMATCH},
              {NULL, "top(", "whole number", true, BP_E_NOTFOUND},
              {NULL, "rmse", "needs validation rows", false, BP_E_ARG},
              {NULL, "mape", "'mape' is not defined on the validation rows", true, BP_E_MISMATCH}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    parts p = split(*state, rows[i].file);
    watch w = {.n = 0};
    bp_train_options o = options_of(&p, rows[i].metric, &w);
    /* In all rows some target is 0. */
    o.valid = rows[i].valid ? p.all : NULL;
    bp_status s = bp_net_train(p.net, p.train, &o, NULL);
    if (s != rows[i].status || !strstr(bp_error(), rows[i].says))
      fail_msg("%s: %s: %s", rows[i].metric, bp_status_name(s), bp_error());
    assert_int_equal(w.n, 0);
    free_parts(&p);
  }
}

/* ---- in the file ---- */

static void the_file_names_it(void **state)
{
  char path[64];
  parts p = split(*state, "iris.csv");
  watch w = {.n = 0};
  bp_train_options o = options_of(&p, "top(2)", &w);
  const bp_epoch *e;
  bp_status s;
  SUCCEEDS(bp_net_train(p.net, p.train, &o, NULL));
  temporary_path(path);
  SUCCEEDS(bp_net_save(p.net, path));
  bp_net *net = bp_net_load(*state, path, &s);
  assert_non_null(net);
  assert_string_equal(bp_net_history_metric(net), "top(2)");
  assert_int_equal(bp_net_history(net, &e), w.n);
  assert_true(fabs(e[w.n - 1].valid_metric - w.metric[w.n - 1]) < 1e-5);
  /* Another training forgets it. */
  o.metric = NULL;
  w.n = 0;
  SUCCEEDS(bp_net_train(net, p.train, &o, NULL));
  assert_string_equal(bp_net_history_metric(net), "accuracy");
  unlink(path);
  bp_net_free(net);
  free_parts(&p);
}

/* A history as a file may have it; the checksum of the file stands before this, so the text goes to the reader itself. */
static void histories(void **state)
{
  const struct {
    const char *text, *metric; /* NULL: malformed */
  } rows[] = {
      {"{\"every\":1,\"train_loss\":[2,1],\"valid_loss\":[3,2],\"valid_metric\":[0.5,1]}", "accuracy"},
      {"{\"every\":2,\"metric\":\"top(2)\",\"train_loss\":[2],\"valid_loss\":[3],\"valid_metric\":[1]}",
       "top(2)"},
      {"{\"every\":1,\"metric\":\"tap(2)\",\"train_loss\":[],\"valid_loss\":[],\"valid_metric\":[]}", NULL},
      {"{\"every\":1,\"metric\":7,\"train_loss\":[],\"valid_loss\":[],\"valid_metric\":[]}", NULL},
      {"{\"every\":1,\"metric\":\"auc\",\"metric\":\"auc\",\"train_loss\":[],\"valid_loss\":[],\"valid_"
       "metric\":[]}",
       NULL},
      {"{\"every\":0,\"train_loss\":[],\"valid_loss\":[],\"valid_metric\":[]}", NULL},
      {"{\"every\":1,\"train_loss\":[2,1],\"valid_loss\":[3],\"valid_metric\":[0.5,1]}", NULL}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    parts p = split(*state, "iris.csv");
    const bp_epoch *e;
    bp_status s = bpi_history_read(p.net, rows[i].text);
    if (s != (rows[i].metric ? BP_OK : BP_E_FORMAT))
      fail_msg("%s: %s", rows[i].text, bp_status_name(s));
    if (rows[i].metric)
      assert_string_equal(bp_net_history_metric(p.net), rows[i].metric);
    else
      assert_int_equal(bp_net_history(p.net, &e), 0);
    free_parts(&p);
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh_ctx, free_ctx)

int main(void)
{
  const struct CMUnitTest tests[] = {TEST(any_metric_decides),        TEST(the_loss_alone),
                                     TEST(a_plateau_is_the_metric_s), TEST(refused),
                                     TEST(the_file_names_it),         TEST(histories)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

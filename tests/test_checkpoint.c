/* Checkpoints: a training that is stopped, at any step and as often as one likes, ends with the bytes of one that was left alone. */
#include "support/training.h"

#include <sys/stat.h>

/* ---- stopped and gone on with ---- */

/* Stops at the first save; counts them. */
typedef struct watch {
  int saves;
  bool stop;
  int64_t epoch, step;
  bp_status status;
} watch;

static bool on_saved(void *user, const bp_saved *s)
{
  watch *w = user;
  w->saves++;
  w->epoch = s->epoch;
  w->step = s->step;
  w->status = s->status;
  return !w->stop;
}

typedef struct setup {
  const char *name, *file, *target;
  bp_net_options net;
  bp_train_options train;
  bool valid;
} setup;

static void parts(bp_ctx *ctx, const setup *u, bp_data **train, bp_data **valid)
{
  bp_data *all = u->file ? load_data(ctx, u->file, u->target) : linear_data(ctx);
  SUCCEEDS(bp_data_split(all, 0.25, 3, train, valid));
  bp_data_free(all);
}

static char *left_alone(const setup *u, size_t *n)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *train, *valid;
  parts(ctx, u, &train, &valid);
  bp_net *net = make_net(ctx, train, &u->net);
  bp_train_options o = u->train;
  o.valid = u->valid ? valid : NULL;
  SUCCEEDS(bp_net_train(net, train, &o, NULL));
  char *bytes = saved_bytes(net, n);
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(valid);
  bp_ctx_free(ctx);
  return bytes;
}

/* One call that stops after `every` more steps at most, in a context of its own, as another process would have it. */
static bp_status some_steps(const setup *u, const char *path, int64_t every, int threads, bool first,
                            char **bytes, size_t *n)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_data *train, *valid;
  parts(ctx, u, &train, &valid);
  bp_status s = BP_OK;
  bp_net *net = first ? make_net(ctx, train, &u->net) : bp_net_load(ctx, path, &s);
  if (!net)
    fail_msg("%s: %s", u->name, bp_error());
  watch w = {.stop = true};
  bp_train_options o = u->train;
  o.valid = u->valid ? valid : NULL;
  o.checkpoint = path;
  o.checkpoint_steps = every;
  o.saved = on_saved;
  o.user = &w;
  o.resume = first ? NULL : path;
  bp_train_result r;
  s = bp_net_train(net, train, &o, &r);
  if (s != BP_OK && s != BP_E_STOPPED)
    fail_msg("%s: %s", u->name, bp_error());
  if (s == BP_OK)
    *bytes = saved_bytes(net, n);
  else
    assert_true(w.saves == 2 && w.status == BP_OK && w.epoch == r.epoch && w.step == r.step);
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(valid);
  bp_ctx_free(ctx);
  return s;
}

static void goes_on_with_the_same_bytes(const setup *u)
{
  static const int64_t every[] = {1000000, 37, 5, 16};
  static const int threads[] = {1, 2, 3, 5};
  size_t n, m = 0;
  char path[64], *want = left_alone(u, &n);
  for (size_t k = 0; k < COUNT(every); k++) {
    char *got = NULL;
    int calls = 0;
    bp_status s = BP_E_STOPPED;
    temporary_path(path);
    while (s == BP_E_STOPPED && calls < 1000) {
      s = some_steps(u, path, every[k], threads[(size_t)calls % COUNT(threads)], calls == 0, &got, &m);
      calls++;
    }
    unlink(path);
    assert_true(s == BP_OK && calls > (every[k] <= 16));
    if (n != m || memcmp(want, got, n) != 0)
      fail_msg("%s: stopped every %lld steps, it ends with other bytes", u->name, (long long)every[k]);
    free(got);
  }
  free(want);
}

static void stopped_and_gone_on_with(void **state)
{
  (void)state;
  static const setup setups[] = {
      {"adam, early stopping", "iris.csv", "species", {.hidden = {8}}, {.epochs = 12, .patience = 3}, true},
      {"no validation", "iris.csv", "species", {.hidden = {4}}, {.epochs = 4}, false},
      {"dropout, another seed",
       "iris.csv",
       "species",
       {.hidden = {8}, .dropout = 0.3, .seed = 77},
       {.epochs = 5},
       true},
      {"float64, sgd, momentum, cosine",
       "iris.csv",
       "species",
       {.hidden = {6}, .real = BP_FLOAT64},
       {.epochs = 5,
        .batch = 7,
        .schedule = "cosine",
        .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 0.05, .momentum = 0.9, .nesterov = true}},
       true},
      {"a number, rmsprop",
       NULL,
       NULL,
       {.hidden = {5}},
       {.epochs = 9, .optimizer = {.kind = BP_OPTIMIZER_RMSPROP}},
       true},
      {"batch norm",
       "iris.csv",
       "species",
       {.model = "dense 8, batchnorm, relu, dropout 0.1"},
       {.epochs = 5, .optimizer = {.kind = BP_OPTIMIZER_ADAMW, .weight_decay = 0.01}},
       true},
      {"lion, plateaus of a metric, warm-up, parts of batches, mixup, balanced classes",
       "iris.csv",
       "species",
       {.hidden = {6}},
       {.epochs = 6,
        .metric = "auc",
        .batch = 5,
        .accumulate = 3,
        .schedule = "plateau(1,0.5)",
        .warmup = 7,
        .mixup = 0.4,
        .balanced = true,
        .optimizer = {.kind = BP_OPTIMIZER_LION, .lr = 0.01}},
       true},
      {"adagrad, one cycle, an expression",
       NULL,
       NULL,
       {.hidden = {5}, .loss = "d = 0.5; mean(where(abs(p - y) < d, (p - y)**2, d))"},
       {.epochs = 4, .schedule = "onecycle", .optimizer = {.kind = BP_OPTIMIZER_ADAGRAD}},
       true},
      {"lbfgs",
       "iris.csv",
       "species",
       {.hidden = {4}},
       {.epochs = 40, .batch = 50, .optimizer = {.kind = BP_OPTIMIZER_LBFGS}},
       false},
      {"lbfgs, dropout",
       "iris.csv",
       "species",
       {.hidden = {4}, .dropout = 0.2, .real = BP_FLOAT64},
       {.epochs = 40, .optimizer = {.kind = BP_OPTIMIZER_LBFGS, .weight_decay = 0.01}},
       false},
  };
  for (size_t i = 0; i < COUNT(setups); i++)
    goes_on_with_the_same_bytes(&setups[i]);
}

/* ---- what may be asked for, and what may not ---- */

typedef struct bench {
  bp_data *train, *valid;
  char path[64];
} bench;

/* A training of iris that stopped after 20 steps of 14 each an epoch. */
static bench stopped_training(bp_ctx *ctx)
{
  bench b;
  temporary_path(b.path);
  bp_data *all = load_data(ctx, "iris.csv", "species");
  SUCCEEDS(bp_data_split(all, 0.25, 3, &b.train, &b.valid));
  bp_data_free(all);
  bp_net *net = make_net(ctx, b.train, NULL);
  watch w = {.stop = true};
  bp_train_options o = {.epochs = 6,
                        .batch = 8,
                        .valid = b.valid,
                        .checkpoint = b.path,
                        .checkpoint_steps = 20,
                        .saved = on_saved,
                        .user = &w};
  assert_int_equal(bp_net_train(net, b.train, &o, NULL), BP_E_STOPPED);
  assert_true(w.epoch == 2 && w.step == 6);
  bp_net_free(net);
  return b;
}

static void end(bench *b)
{
  unlink(b->path);
  bp_data_free(b->train);
  bp_data_free(b->valid);
}

static bp_status go_on(bp_ctx *ctx, const bench *b, const bp_data *train, bp_train_options o,
                       bp_train_result *r)
{
  bp_status s;
  bp_net *net = bp_net_load(ctx, b->path, &s);
  if (!net)
    return s;
  o.resume = b->path;
  s = bp_net_train(net, train, &o, r);
  bp_net_free(net);
  return s;
}

static void other_options_are_refused(void **state)
{
  bench b = stopped_training(*state);
  const struct {
    bp_train_options o;
    const bp_data *train;
    const char *says;
  } cases[] = {
      {{.epochs = 6, .batch = 4, .valid = b.valid}, b.train, "batch 8, and here it is batch 4"},
      {{.epochs = 6, .batch = 8}, b.train, "validation rows 38, and here it is validation rows 0"},
      {{.epochs = 6, .batch = 8, .valid = b.valid, .patience = 99}, b.train, "patience 99"},
      {{.epochs = 6, .batch = 8, .valid = b.valid, .schedule = "cosine"}, b.train, "schedule cosine"},
      {{.epochs = 6, .batch = 8, .valid = b.valid, .optimizer = {.lr = 0.1}}, b.train, "learning rate 0.1"},
      {{.epochs = 6, .batch = 8, .valid = b.valid, .optimizer = {.kind = BP_OPTIMIZER_SGD}},
       b.train,
       "optimizer"},
      {{.epochs = 6, .batch = 8, .valid = b.valid},
       b.valid,
       "training rows 112, and here it is training rows 38"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    assert_int_equal(go_on(*state, &b, cases[i].train, cases[i].o, NULL), BP_E_MISMATCH);
    if (!strstr(bp_error(), cases[i].says))
      fail_msg("case %zu: %s", i, bp_error());
  }
  /* As many rows, and other ones. */
  bp_data *other, *rest, *all = load_data(*state, "iris.csv", "species");
  SUCCEEDS(bp_data_split(all, 0.25, 4, &other, &rest));
  assert_int_equal(
      go_on(*state, &b, other, (bp_train_options){.epochs = 6, .batch = 8, .valid = b.valid}, NULL),
      BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "training data "));
  bp_data_free(all);
  bp_data_free(rest);
  bp_data_free(other);
  bp_train_result r;
  SUCCEEDS(go_on(*state, &b, b.train, (bp_train_options){.epochs = 9, .batch = 8, .valid = b.valid}, &r));
  assert_int_equal(r.epochs, 9); /* more epochs may be asked for */
  end(&b);
}

static void a_finished_training_is_told(void **state)
{
  bench b = stopped_training(*state);
  bp_status s;
  bp_net *net = bp_net_load(*state, b.path, &s);
  bp_train_options o = {.epochs = 6, .batch = 8, .valid = b.valid};
  SUCCEEDS(s);
  SUCCEEDS(bp_net_save(net, b.path));
  bp_net_free(net);
  assert_int_equal(go_on(*state, &b, b.train, o, NULL), BP_E_ORDER);
  assert_non_null(strstr(bp_error(), "finished"));
  end(&b);
}

/* Fewer epochs than are done: the best so far is the answer. */
static void fewer_epochs_end_at_once(void **state)
{
  bench b = stopped_training(*state);
  bp_train_result r;
  SUCCEEDS(go_on(*state, &b, b.train, (bp_train_options){.epochs = 1, .batch = 8, .valid = b.valid}, &r));
  assert_true(r.epochs == 1 && r.best_epoch == 1 && r.steps == 20);
  end(&b);
}

/* The same file with one tensor left out, or one entry of the metadata changed. */
static void save_without(bp_ctx *ctx, const char *path, const char *left_out, const char *training)
{
  bp_tensors *f;
  SUCCEEDS(bp_tensors_load(ctx, path, &f));
  bp_tensor list[64];
  bp_meta metas[64];
  size_t n = 0, m = 0;
  for (size_t i = 0; i < bp_tensors_count(f); i++)
    if (!left_out || strcmp(bp_tensors_at(f, i)->name, left_out) != 0)
      list[n++] = *bp_tensors_at(f, i);
  for (size_t i = 0; i < bp_tensors_meta_count(f); i++) {
    const bp_meta *meta = bp_tensors_meta_at(f, i);
    if (strcmp(meta->key, "bprop.crc32c") != 0 && strcmp(meta->key, "bprop.check") != 0)
      metas[m++] =
          (bp_meta){meta->key, training && !strcmp(meta->key, "bprop.training") ? training : meta->value};
  }
  SUCCEEDS(bp_tensors_save(ctx, path, list, n, metas, m));
  bp_tensors_free(f);
}

/* 70: optimiser state missing; and texts that no training writes. */
static void damaged_checkpoints(void **state)
{
  static const struct {
    const char *left_out, *training;
    bp_status status;
  } cases[] = {
      {"training.optimizer.m", NULL, BP_E_MISMATCH},
      {"training.optimizer.step", NULL, BP_E_MISMATCH},
      {"training.params", NULL, BP_E_MISMATCH},
      {"training.numbers", NULL, BP_E_FORMAT},
      {NULL, "", BP_E_FORMAT},
      {NULL, "{}", BP_E_FORMAT},
      {NULL, "{\"seed\":1,\"epoch\":1,\"step\":3", BP_E_FORMAT},
      {NULL,
       "{\"seed\":1,\"epoch\":1,\"step\":3,\"best_epoch\":0,\"better_epoch\":0,\"bad_epochs\":0,\"with\":"
       "\"\"}",
       BP_E_MISMATCH},
      {NULL,
       "{\"seed\":1,\"epoch\":-1,\"step\":3,\"best_epoch\":0,\"better_epoch\":0,\"bad_epochs\":0,\"with\":"
       "\"\"}",
       BP_E_FORMAT},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    bench b = stopped_training(*state);
    save_without(*state, b.path, cases[i].left_out, cases[i].training);
    bp_train_options o = {.epochs = 6, .batch = 8, .valid = b.valid};
    bp_status s = go_on(*state, &b, b.train, o, NULL);
    if (s != cases[i].status)
      fail_msg("case %zu: %s: %s", i, bp_status_name(s), bp_error());
    end(&b);
  }
}

/* Places that do not exist: they would read past the rows. */
static void impossible_places(void **state)
{
  static const char *const places[] = {
      "\"epoch\":0,\"step\":0,\"best_epoch\":0",  "\"epoch\":2,\"step\":29,\"best_epoch\":1",
      "\"epoch\":2,\"step\":13,\"best_epoch\":1", "\"epoch\":2,\"step\":20,\"best_epoch\":2",
      "\"epoch\":1,\"step\":15,\"best_epoch\":0", "\"epoch\":100000002,\"step\":1400000014,\"best_epoch\":0"};
  for (size_t i = 0; i < COUNT(places); i++) {
    bench b = stopped_training(*state);
    bp_tensors *f;
    SUCCEEDS(bp_tensors_load(*state, b.path, &f));
    const char *told = bp_tensors_meta(f, "bprop.training"), *with = strstr(told, ",\"with\"");
    char text[2048];
    assert_non_null(with);
    snprintf(text, sizeof text, "{\"seed\":1,%s%s", places[i], with);
    bp_tensors_free(f);
    save_without(*state, b.path, NULL, text);
    bp_train_options o = {.epochs = 6, .batch = 8, .valid = b.valid};
    if (go_on(*state, &b, b.train, o, NULL) != BP_E_FORMAT)
      fail_msg("place %zu", i);
    end(&b);
  }
}

/* ---- when it is saved ---- */

static void a_save_that_fails_stops_nothing(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, NULL);
  watch w = {0};
  bp_train_options o = {
      .epochs = 2, .checkpoint = "/nowhere/at/all", .checkpoint_steps = 5, .saved = on_saved, .user = &w};
  SUCCEEDS(bp_net_train(net, d, &o, NULL));
  assert_true(w.saves == 2 * 19 / 5 && w.status == BP_E_IO);
  bp_net_free(net);
  bp_data_free(d);
}

static void by_time(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, NULL);
  char path[64];
  temporary_path(path);
  watch w = {0};
  bp_train_options o = {
      .epochs = 5, .checkpoint = path, .checkpoint_seconds = 1e-9, .saved = on_saved, .user = &w};
  SUCCEEDS(bp_net_train(net, d, &o, NULL));
  assert_int_equal(w.saves, 5 * 19 / 16); /* the clock is looked at every 16 steps */
  w.saves = 0;
  o.checkpoint_seconds = 1e9;
  SUCCEEDS(bp_net_train(net, d, &o, NULL));
  assert_int_equal(w.saves, 0);
  unlink(path);
  bp_net_free(net);
  bp_data_free(d);
}

/* A flag that a signal handler would set. */
static volatile int flag;

static bool raise_flag(void *user, const bp_progress *p)
{
  (void)user;
  flag = p->epoch == 3;
  return true;
}

static void a_flag_stops_at_once(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, NULL);
  bp_train_result r;
  bp_train_options o = {.epochs = 9, .stop = &flag, .progress = raise_flag};
  flag = 0;
  assert_int_equal(bp_net_train(net, d, &o, &r), BP_E_STOPPED);
  assert_true(r.epochs == 3 && r.epoch == 4 && r.step == 1 && r.steps == 3 * 19 + 1);
  bp_net_free(net);
  bp_data_free(d);
}

static void negative_times_are_refused(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, NULL);
  assert_int_equal(bp_net_train(net, d, &(bp_train_options){.checkpoint_steps = -1}, NULL), BP_E_ARG);
  assert_int_equal(bp_net_train(net, d, &(bp_train_options){.checkpoint_seconds = NAN}, NULL), BP_E_ARG);
  bp_net_free(net);
  bp_data_free(d);
}

/* What stands at the path is not replaced: 71. */
static void strange_targets(void **state)
{
  bp_data *d = load_data(*state, "iris.csv", "species");
  bp_net *net = make_net(*state, d, NULL);
  char path[64], link[80];
  temporary_path(path);
  snprintf(link, sizeof link, "%s.link", path);
  unlink(path);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(i == 0 ? mkdir(path, 0700) : i == 1 ? mkfifo(path, 0600) : symlink(link, path), 0);
    watch w = {0};
    bp_train_options o = {
        .epochs = 1, .checkpoint = path, .checkpoint_steps = 10, .saved = on_saved, .user = &w};
    SUCCEEDS(bp_net_train(net, d, &o, NULL));
    assert_true(w.saves == 1 && w.status == BP_E_IO);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(i == 0 ? S_ISDIR(st.st_mode) : i == 1 ? S_ISFIFO(st.st_mode) : S_ISLNK(st.st_mode));
    assert_int_equal(i == 0 ? rmdir(path) : unlink(path), 0);
  }
  bp_net_free(net);
  bp_data_free(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(stopped_and_gone_on_with, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(other_options_are_refused, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_finished_training_is_told, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(fewer_epochs_end_at_once, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(damaged_checkpoints, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(impossible_places, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_save_that_fails_stops_nothing, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(by_time, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_flag_stops_at_once, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(negative_times_are_refused, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(strange_targets, fresh_ctx, free_ctx),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

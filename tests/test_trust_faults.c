/* Row 94 for checkpoints, going on, notes, folds, reviews, and networks that start from others: every allocation fails in turn. */
#include "support/failing.h"
#include "support/training.h"

static char path[64];

static bp_status why_null(const void *p)
{
  if (p)
    return BP_OK;
  return strstr(bp_error(), "out of memory") ? BP_E_NOMEM : BP_E_INTERNAL;
}

/* Ten rows of two classes. */
static bp_data *rows(bp_ctx *ctx)
{
  float x[20];
  int64_t labels[10];
  for (int i = 0; i < 10; i++) {
    x[2 * i] = (float)(i % 4);
    x[2 * i + 1] = (float)(i / 2);
    labels[i] = i % 2;
  }
  return bp_data_new(ctx, 10, 2, x, labels, NULL, 0);
}

static bool stop_when_saved(void *user, const bp_saved *s)
{
  *(bp_status *)user = s->status;
  return false;
}

static bp_status stop_and_go_on(bp_ctx *ctx)
{
  bp_data *d = rows(ctx);
  bp_net *net = d ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {3}}) : NULL, *again = NULL;
  bp_status s = why_null(net), saved = BP_OK;
  bp_train_options o = {.epochs = 2,
                        .batch = 4,
                        .checkpoint = path,
                        .checkpoint_steps = 2,
                        .saved = stop_when_saved,
                        .user = &saved};
  if (s == BP_OK)
    s = bp_net_set_note(net, "who", "a test");
  if (s == BP_OK)
    s = bp_net_train(net, d, &o, NULL);
  if (s == BP_E_STOPPED)
    s = saved;
  if (s == BP_OK)
    again = bp_net_load(ctx, path, &s);
  o = (bp_train_options){.epochs = 2, .batch = 4, .resume = path};
  if (s == BP_OK)
    s = bp_net_train(again, d, &o, NULL);
  bp_net_free(again);
  bp_net_free(net);
  bp_data_free(d);
  return s;
}

static void tell(void *user, const char *name, const char *text)
{
  (void)name;
  (void)text;
  ++*(int *)user;
}

static bp_status start_and_review(bp_ctx *ctx)
{
  static const char *const freeze[] = {"layer1.b", NULL};
  bp_data *d = rows(ctx), *rest = NULL, *fold = NULL;
  bp_net *base = d ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {3}}) : NULL, *net = NULL;
  bp_status s = why_null(base);
  int told = 0;
  if (s == BP_OK)
    s = bp_data_fold(d, 3, 1, 5, &rest, &fold);
  if (s == BP_OK)
    s = why_null(net = bp_net_new(ctx, rest, &(bp_net_options){.from = base, .freeze = freeze}));
  if (s == BP_OK)
    s = bp_net_train(net, rest, &(bp_train_options){.epochs = 1, .valid = fold}, NULL);
  if (s == BP_OK)
    s = bp_net_review(net, &(bp_review){.train = rest, .valid = fold, .own = NAN, .linear = NAN}, tell,
                      &told);
  bp_net_free(net);
  bp_net_free(base);
  bp_data_free(rest);
  bp_data_free(fold);
  bp_data_free(d);
  return s;
}

static void checkpoints(void **state)
{
  (void)state;
  temporary_path(path);
  assert_true(fail_in_turn(stop_and_go_on) > 100);
  unlink(path);
}

static void starts_and_reviews(void **state)
{
  (void)state;
  assert_true(fail_in_turn(start_and_review) > 100);
}

/* ---- folds ---- */

/* Every row is held out once; classes are shared out as evenly as can be. */
static void folds_part_the_rows(void **state)
{
  enum { N = 103, FOLDS = 5 };
  int64_t labels[N], out[N], n;
  for (int i = 0; i < N; i++)
    labels[i] = i < 11 ? 2 : i % 2; /* 11, and 46 of each other */
  int seen[N] = {0};
  for (int f = 0; f < FOLDS; f++) {
    SUCCEEDS(bp_fold_rows(*state, 7, N, labels, FOLDS, f, out, &n));
    assert_true(n == 20 || n == 21);
    int count[3] = {0};
    for (int64_t i = 0; i < n; i++) {
      seen[out[i]]++;
      count[labels[out[i]]]++;
      assert_true(i == 0 || out[i] > out[i - 1]);
    }
    assert_true((count[2] == 2 || count[2] == 3) && count[0] >= 9 && count[0] <= 10);
  }
  for (int i = 0; i < N; i++)
    assert_int_equal(seen[i], 1);
  assert_int_equal(bp_fold_rows(*state, 7, N, labels, 1, 0, out, &n), BP_E_ARG);
  assert_int_equal(bp_fold_rows(*state, 7, N, labels, N + 1, 0, out, &n), BP_E_ARG);
  assert_int_equal(bp_fold_rows(*state, 7, N, labels, 5, 5, out, &n), BP_E_ARG);
}

/* ---- notes and history ---- */

static void notes_go_with_the_model(void **state)
{
  bp_data *d = rows(*state);
  bp_net *net = make_net(*state, d, NULL);
  temporary_path(path);
  SUCCEEDS(bp_net_set_note(net, "z", "last"));
  SUCCEEDS(bp_net_set_note(net, "a", "first"));
  SUCCEEDS(bp_net_set_note(net, "a", "\xc3\xa4 \"quoted\"\n"));
  SUCCEEDS(bp_net_set_note(net, "gone", "x"));
  SUCCEEDS(bp_net_set_note(net, "gone", NULL));
  SUCCEEDS(bp_net_set_note(net, "never", NULL));
  static const char *const bad[] = {"bprop.net", "bprop.training", "", "\xff"};
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(bp_net_set_note(net, bad[i], "x"), BP_E_ARG);
  assert_int_equal(bp_net_set_note(net, "k", "\xff"), BP_E_ARG);
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3}, NULL));
  SUCCEEDS(bp_net_save(net, path));
  bp_status s;
  bp_net *again = bp_net_load(*state, path, &s);
  SUCCEEDS(s);
  assert_string_equal(bp_net_note(again, "a"), "\xc3\xa4 \"quoted\"\n");
  assert_string_equal(bp_net_note(again, "z"), "last");
  assert_null(bp_net_note(again, "gone"));
  const bp_epoch *e, *f;
  assert_int_equal(bp_net_history(net, &e), 3);
  assert_int_equal(bp_net_history(again, &f), 3);
  for (int i = 0; i < 3; i++)
    assert_true(f[i].epoch == i + 1 && f[i].train_loss == e[i].train_loss && isnan(f[i].valid_loss));
  unlink(path);
  bp_net_free(again);
  bp_net_free(net);
  bp_data_free(d);
}

/* Of a long training every second epoch is left out, and so on. */
static void a_long_history_is_thinned(void **state)
{
  bp_data *d = rows(*state);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {-1}});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 8200, .batch = 10}, NULL));
  const bp_epoch *e;
  int64_t n = bp_net_history(net, &e);
  assert_int_equal(n, 4100);
  for (int64_t i = 0; i < n; i++)
    assert_int_equal(e[i].epoch, 1 + 2 * i);
  bp_net_free(net);
  bp_data_free(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checkpoints),
      cmocka_unit_test(starts_and_reviews),
      cmocka_unit_test_setup_teardown(folds_part_the_rows, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(notes_go_with_the_model, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_long_history_is_thinned, fresh_ctx, free_ctx),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

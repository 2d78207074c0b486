/* Learning once more from all rows: the same as a training from all rows at once, for as many epochs as were best, or some more. */
#include "support/training.h"

typedef struct parts {
  bp_data *all, *train, *valid;
} parts;

static parts split(bp_ctx *ctx)
{
  parts p = {.all = linear_data(ctx)};
  SUCCEEDS(bp_data_split(p.all, 0.25, 1, &p.train, &p.valid));
  return p;
}

static void drop(parts *p)
{
  bp_data_free(p->valid);
  bp_data_free(p->train);
  bp_data_free(p->all);
}

typedef struct judge {
  bp_net *net;
  const bp_data *valid;
  double loss;
} judge;

static double loss_on(bp_net *net, const bp_data *d)
{
  bp_metrics m;
  SUCCEEDS(bp_net_eval(net, d, &m));
  return m.loss;
}

static void judge_best(void *user)
{
  judge *j = user;
  j->loss = loss_on(j->net, j->valid);
}

/* What is kept is worked out anew from all rows: the best epoch's figures are those of the network before, and both parts are
 * learned from for that many epochs. */
static void all_rows_are_learned_from(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  parts p = split(ctx);
  bp_train_result plain, r;
  bp_train_options o = {.epochs = 12, .valid = p.valid};
  bp_net *once = make_net(ctx, p.train, NULL), *again = make_net(ctx, p.train, NULL);
  SUCCEEDS(bp_net_train(once, p.train, &o, &plain));
  assert_int_equal(plain.refit_rows, 0);
  judge before = {again, p.valid, NAN};
  o.refit = true;
  o.refit_begins = judge_best;
  o.user = &before;
  SUCCEEDS(bp_net_train(again, p.train, &o, &r));
  assert_int_equal(r.refit_rows, 64);
  assert_int_equal(r.best_epoch, plain.best_epoch);
  assert_int_equal(r.epochs, plain.epochs);
  assert_true(before.loss == loss_on(once, p.valid));
  assert_true(loss_on(again, p.valid) != before.loss);

  /* All rows in the order of the two parts, from the same weights and with the same standardisation. */
  bp_net *whole = make_net(ctx, p.train, NULL);
  float x[128], y[64];
  int64_t n = 0;
  const bp_data *part[2] = {p.train, p.valid};
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; i < bp_data_rows(part[k]); i++, n++) {
      SUCCEEDS(bp_data_row(part[k], i, x + 2 * n));
      y[n] = 3 * x[2 * n] - 2 * x[2 * n + 1] + 1;
    }
  bp_data *joined = bp_data_new(ctx, n, 2, x, NULL, y, 1);
  SUCCEEDS(bp_net_train(whole, joined, &(bp_train_options){.epochs = r.refit_epochs}, NULL));
  assert_true(loss_on(whole, p.all) == loss_on(again, p.all));
  bp_data_free(joined);
  bp_net_free(whole);
  bp_net_free(again);
  bp_net_free(once);
  drop(&p);
  bp_ctx_free(ctx);
}

/* A rate of nothing leaves the first epoch the best. 1,000 steps of 48 rows, 8 at a time, are ceil(1000 / 6) = 167 epochs: sqrt(1 * 167) = 12.9. */
static void an_early_best_epoch_is_moved(void **state)
{
  (void)state;
  static const struct {
    int64_t most, want;
  } cases[] = {{200, 13}, {5, 5}};
  bp_ctx *ctx = bp_ctx_new(NULL);
  parts p = split(ctx);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bp_net *net = make_net(ctx, p.train, NULL);
    bp_train_result r;
    bp_train_options o = {
        .epochs = cases[i].most, .batch = 8, .valid = p.valid, .refit = true, .optimizer.lr = 1e-30};
    SUCCEEDS(bp_net_train(net, p.train, &o, &r));
    assert_int_equal(r.best_epoch, 1);
    assert_int_equal(r.refit_epochs, cases[i].want);
    bp_net_free(net);
  }
  drop(&p);
  bp_ctx_free(ctx);
}

static bool stop_at_3(void *user, const bp_progress *p)
{
  (void)user;
  return p->epoch < 3;
}

/* A training that was stopped is not followed by another. */
static void a_stop_is_the_end(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  parts p = split(ctx);
  bp_net *net = make_net(ctx, p.train, NULL);
  bp_train_result r;
  bp_train_options o = {.epochs = 12, .valid = p.valid, .refit = true, .progress = stop_at_3};
  assert_int_equal(bp_net_train(net, p.train, &o, &r), BP_E_STOPPED);
  assert_int_equal(r.refit_rows, 0);
  bp_net_free(net);
  drop(&p);
  bp_ctx_free(ctx);
}

static void other_data_are_refused(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  parts p = split(ctx);
  bp_data *other = linear_data(ctx);
  bp_net *net = make_net(ctx, p.train, NULL);
  assert_int_equal(bp_net_train(net, p.train, &(bp_train_options){.valid = other, .refit = true}, NULL),
                   BP_E_ARG);
  bp_net_free(net);
  bp_data_free(other);
  drop(&p);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_rows_are_learned_from),
      cmocka_unit_test(an_early_best_epoch_is_moved),
      cmocka_unit_test(a_stop_is_the_end),
      cmocka_unit_test(other_data_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The constant answer that a loss makes of the training rows, worked out by hand. */
#include "support/failing.h"
#include "support/files.h"

#include <math.h>

/* Answers 1, 2, 3, 10: mean 4, deviation sqrt((9 + 4 + 1 + 36) / 4) = sqrt(12.5). Of losses that are learnt in deviations the figure is divided by it. */
static const char answers[] = "x,y,w\n1,1,1\n2,2,1\n3,3,1\n4,10,1\n";
/* The last counts five times: mean (1 + 2 + 3 + 50) / 8 = 7. The network is told of weights by its loss, its scale is of the rows: mean 4, as above. */
static const char heavy[] = "x,y,w\n1,1,1\n2,2,1\n3,3,1\n4,10,5\n";

static bp_data *data_of(bp_ctx *ctx, const char *csv, bool weighted)
{
  bp_source s;
  assert_int_equal(bp_source_memory(ctx, csv, strlen(csv), "t.csv", &s), BP_OK);
  bp_data *d = bp_data_from_csv(ctx, &s, NULL,
                                &(bp_data_options){.target = "y",
                                                   .numeric = "x,y",
                                                   .weights = weighted ? "w" : NULL,
                                                   .ignore = weighted ? NULL : "w"});
  bp_source_close(&s);
  return d;
}

static void constants_and_their_losses(void **state)
{
  (void)state;
  static const struct {
    const char *csv, *loss, *what;
    double value, rmse;
    bool weighted;
  } rows[] = {
      {answers, "mse", "mean", 1, 3.5355339059327378, false},
      /* |2 - y|: 1, 0, 1, 8, mean 2.5; squares 1, 0, 1, 64, mean 16.5 */
      {answers, "l1", "median", 2.5 / 3.5355339059327378, 4.0620192023179804, false},
      {answers, "quantile(0.5)", "median", 1.25 / 3.5355339059327378, 4.0620192023179804, false},
      /* 10 is above all: a tenth of 9 + 8 + 7, mean 0.6; squares 81, 64, 49, mean 48.5 */
      {answers, "quantile(0.9)", "0.9 quantile", 0.6 / 3.5355339059327378, 6.9641941385920596, false},
      /* learnt as y / 4, whose mean is 1: e^0 - y 0 */
      {answers, "poisson", "mean", 1, 3.5355339059327378, false},
      {answers, "mean((p - y)**2)", "mean", 12.5, 3.5355339059327378, false},
      /* half of the weight lies on 10: |10 - y| is 9, 8, 7, 0, by weight 24 / 8; squares 81 + 64 + 49, over 8 */
      {heavy, "l1", "median", 3 / 3.5355339059327378, 4.9244289008980523, true},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    bp_data *d = data_of(ctx, rows[i].csv, rows[i].weighted);
    assert_non_null(d);
    bp_net *net =
        bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}, .loss = rows[i].loss, .real = BP_FLOAT64});
    if (!net)
      fail_msg("%s: %s", rows[i].loss, bp_error());
    bp_trivial t;
    assert_int_equal(bp_net_trivial(net, d, d, &t), BP_OK);
    if (strcmp(t.what, rows[i].what) != 0 || fabs(t.loss - rows[i].value) > 1e-6 ||
        fabs(t.rmse - rows[i].rmse) > 1e-6)
      fail_msg("%s: always the %s, loss %.9g, RMSE %.9g", rows[i].loss, t.what, t.loss, t.rmse);
    bp_net_free(net);
    bp_data_free(d);
    tally_end(&count, ctx);
  }
}

static void classes_have_none(void **state)
{
  (void)state;
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  const float x[] = {1, 2, 3, 4};
  const int64_t labels[] = {0, 1, 0, 1};
  bp_data *d = bp_data_new(ctx, 4, 1, x, labels, NULL, 0);
  bp_net *net = bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}});
  bp_trivial t;
  assert_int_equal(bp_net_trivial(net, d, d, &t), BP_E_MISMATCH);
  assert_int_equal(bp_net_trivial(NULL, d, d, &t), BP_E_ARG);
  assert_int_equal(bp_net_trivial(net, d, d, NULL), BP_E_ARG);
  bp_net_free(net);
  bp_data_free(d);
  tally_end(&count, ctx);
}

static bp_status once(bp_ctx *ctx)
{
  const float x[] = {1, 2, 3, 4}, y[] = {1, 2, 3, 10};
  bp_trivial t;
  bp_data *d = bp_data_new(ctx, 4, 1, x, NULL, y, 1);
  bp_net *net = d ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}, .loss = "l1"}) : NULL;
  bp_status s = net ? bp_net_trivial(net, d, d, &t) : BP_E_NOMEM;
  bp_net_free(net);
  bp_data_free(d);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(once) > 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constants_and_their_losses),
      cmocka_unit_test(classes_have_none),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

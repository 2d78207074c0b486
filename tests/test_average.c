/* The running mean of the weights: what is kept is what the formula says of the weights that were passed. */
#include "support/training.h"

enum { MOST = 64 };

static size_t weights_of(bp_net *net, double *out)
{
  size_t n = 0;
  for (int i = 0; i < bp_params_count(bp_net_params(net)); i++) {
    bp_type type;
    void *data;
    SUCCEEDS(bp_params_at(bp_net_params(net), i, NULL, &type, &data, NULL));
    int64_t size = type.rank == 2 ? type.dims[0] * type.dims[1] : type.dims[0];
    for (int64_t k = 0; k < size; k++)
      out[n++] = ((const double *)data)[k];
  }
  return n;
}

static bp_net *trained(bp_ctx *ctx, const bp_data *data, int64_t epochs, double averaging)
{
  bp_net *net = make_net(ctx, data, &(bp_net_options){.hidden = {3}, .real = BP_FLOAT64});
  SUCCEEDS(bp_net_train(net, data,
                        &(bp_train_options){.epochs = epochs,
                                            .batch = 1 << 20,
                                            .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 0.05},
                                            .averaging = averaging},
                        NULL));
  return net;
}

/* Full batches and no noise: after k epochs the weights are those of a training of k epochs, so the path is known without the mean. Then
 *   mean_k = mean_(k-1) + (eta + 1) / (k + eta) (w_k - mean_(k-1)),
 * which for eta 0 is the plain mean, and for eta 1 has w_k counting like k: sum k w_k / sum k. */
static void the_mean_is_that_of_the_formula(void **state)
{
  (void)state;
  enum { EPOCHS = 6 };
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *data = linear_data(ctx);
  double w[EPOCHS][MOST];
  size_t n = 0;
  for (int k = 0; k < EPOCHS; k++) {
    bp_net *net = trained(ctx, data, k + 1, -1);
    n = weights_of(net, w[k]);
    bp_net_free(net);
  }
  bp_net *net = trained(ctx, data, EPOCHS, 1);
  double mean[MOST];
  assert_int_equal(weights_of(net, mean), n);
  for (size_t i = 0; i < n; i++) {
    double want = 0, counts = 0;
    for (int k = 0; k < EPOCHS; k++) {
      want += (k + 1) * w[k][i];
      counts += k + 1;
    }
    assert_true(fabs(mean[i] - want / counts) < 1e-12);
    assert_true(fabs(mean[i] - w[EPOCHS - 1][i]) > 1e-9); /* or the test says nothing */
  }
  bp_net_free(net);
  bp_data_free(data);
  bp_ctx_free(ctx);
}

/* With a schedule that brings the rate down, and with -1, the last weights are kept. */
static void no_mean_where_none_is_wanted(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *data = linear_data(ctx);
  double same[2][MOST];
  size_t n = 0;
  for (int i = 0; i < 2; i++) {
    bp_net *net = make_net(ctx, data, &(bp_net_options){.hidden = {3}, .real = BP_FLOAT64});
    SUCCEEDS(bp_net_train(
        net, data, &(bp_train_options){.epochs = 4, .schedule = "cosine", .averaging = i ? -1 : 0}, NULL));
    n = weights_of(net, same[i]);
    bp_net_free(net);
  }
  assert_memory_equal(same[0], same[1], n * sizeof same[0][0]);
  bp_data_free(data);
  bp_ctx_free(ctx);
}

static void nonsense_is_refused(void **state)
{
  (void)state;
  static const double bad[] = {-2, -0.5, 1001, NAN, INFINITY};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *data = linear_data(ctx);
  bp_net *net = make_net(ctx, data, NULL);
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(bp_net_train(net, data, &(bp_train_options){.averaging = bad[i]}, NULL), BP_E_ARG);
  bp_net_free(net);
  bp_data_free(data);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_mean_is_that_of_the_formula),
      cmocka_unit_test(no_mean_where_none_is_wanted),
      cmocka_unit_test(nonsense_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

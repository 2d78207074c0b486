/* Networks given as text: completed for their data, trained, saved, loaded, and what their layers cost. The layers: test_layers.c. */
#include "support/failing.h"
#include "support/training.h"

static const char digit[] = "digit";
static char path[64];

/* 40 rows of 16 pixels in two classes: a bright row or a bright column. */
static bp_data *bars(bp_ctx *ctx)
{
  float x[40 * 16];
  int64_t labels[40];
  for (int i = 0; i < 40; i++) {
    labels[i] = i % 2;
    for (int k = 0; k < 16; k++) {
      int line = labels[i] ? k % 4 : k / 4;
      x[i * 16 + k] = (float)(line == (i / 2) % 4) + 0.1f * (float)((i * 7 + k * 5) % 11);
    }
  }
  return bp_data_new(ctx, 40, 16, x, labels, NULL, 0);
}

/* ---- completed for the data ---- */

static void texts_are_completed(void **state)
{
  static const struct {
    const char *text, *model, *summary;
    int64_t shape[3];
  } rows[] = {
      {"dense 5 relu", "dense 5 relu, dense 2", "16-5-2 relu", {0}},
      {"dense 2", "dense 2", "16-2", {0}},
      {"dense 5 relu, dropout 0.5, dense 2", "dense 5 relu, dropout 0.5, dense 2", "16-5-2 relu", {0}},
      {"dense 5 relu, dense 4 tanh",
       "dense 5 relu, dense 4 tanh, dense 2",
       "16: dense 5 relu, dense 4 tanh, dense 2",
       {0}},
      {"dense 2 relu", "dense 2 relu, dense 2", "16-2-2 relu", {0}},
      {"dense 2, batchnorm", "dense 2, batchnorm, dense 2", "16: dense 2, batchnorm, dense 2", {0}},
      {"dense 2, dropout 0.1", "dense 2, dropout 0.1, dense 2", "16: dense 2, dropout 0.1, dense 2", {0}},
      {"batchnorm", "batchnorm, dense 2", "16: batchnorm, dense 2", {0}},
      {"conv 3 3 relu",
       "reshape 4x4x1, conv 3 3 relu, dense 2",
       "16: reshape 4x4x1, conv 3 3 relu, dense 2",
       {4, 4, 1}},
      {"batchnorm, residual(conv 2 3 same)",
       "reshape 2x4x2, batchnorm, residual(conv 2 3 same), dense 2",
       "16: reshape 2x4x2, batchnorm, residual(conv 2 3 same), dense 2",
       {2, 4, 2}},
      {"conv 2 3, globalpool",
       "reshape 4x4x1, conv 2 3, globalpool",
       "16: reshape 4x4x1, conv 2 3, globalpool",
       {4, 4, 1}},
      {"conv 3 3, globalpool",
       "reshape 4x4x1, conv 3 3, globalpool, dense 2",
       "16: reshape 4x4x1, conv 3 3, globalpool, dense 2",
       {4, 4, 1}},
      {"reshape 2x8x1, conv 3 2",
       "reshape 2x8x1, conv 3 2, dense 2",
       "16: reshape 2x8x1, conv 3 2, dense 2",
       {4, 4, 1}},
      {"dense 4 relu, dense 2", "dense 4 relu, dense 2", "16-4-2 relu", {4, 4, 1}},
  };
  bp_data *d = bars(*state);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_net_options o = {.model = rows[i].text};
    memcpy(o.shape, rows[i].shape, sizeof o.shape);
    bp_net *net = make_net(*state, d, &o);
    assert_string_equal(bp_net_model(net), rows[i].model);
    assert_string_equal(bp_net_summary(net), rows[i].summary);
    bp_net_free(net);
  }
  bp_data_free(d);
}

static void hidden_widths_are_a_text_too(void **state)
{
  bp_data *d = bars(*state);
  static const struct {
    bp_net_options o;
    const char *model;
  } rows[] = {
      {{.hidden = {0}}, "dense 256 relu, dense 2"},
      {{.hidden = {-1}}, "dense 2"},
      {{.hidden = {5, 4}, .activation = "tanh", .dropout = 0.25},
       "dense 5 tanh, dropout 0.25, dense 4 tanh, dropout 0.25, dense 2"},
      {{.hidden = {6}, .activation = "maxout(2)"}, "dense 6 maxout(2), dense 2"},
      {{.hidden = {6}, .activation = "none"}, "dense 6, dense 2"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_net *net = make_net(*state, d, &rows[i].o);
    assert_string_equal(bp_net_model(net), rows[i].model);
    /* The same text makes the same network: the same numbers to start with. */
    bp_net *same = make_net(*state, d, &(bp_net_options){.model = rows[i].model});
    float x[16] = {1, 2, 3}, a[2], b[2];
    SUCCEEDS(bp_net_predict(net, x, 1, a));
    SUCCEEDS(bp_net_predict(same, x, 1, b));
    assert_memory_equal(a, b, sizeof a);
    bp_net_free(net);
    bp_net_free(same);
  }
  bp_data_free(d);
}

static void texts_that_do_not_fit_the_data(void **state)
{
  static const struct {
    bp_net_options o;

    const char *says;
  } rows[] = {
      {{.model = "dens 3"}, "column 1: 'dens' is no kind of layer"},
      {{.model = "dense 4 relu, dense 3"}, "ends in a layer of 3, and the data have 2 classes"},
      {{.model = "conv 3 3"}, "'reshape 4x4x1' before it"},
      {{.model = "conv 3 3", .shape = {4, 5, 1}}, "an image of 4x5x1 has 20 values, and a row has 16 inputs"},
      {{.model = "conv 3 3", .shape = {16, 0, 1}}, "shape must be height, width and channels"},
      {{.model = "conv 3 3", .shape = {1LL << 40, 1LL << 40, 1}}, "shape must be"},
      {{.model = "conv 3 5", .shape = {4, 4, 1}}, "layer 'conv 3 5'"},
      {{.model = "embedding, dense 3"}, "no inputs to embed"},
      {{.model = "dense 3", .hidden = {4}}, "model is given, and hidden"},
      {{.model = "dense 3", .activation = "relu"}, "model is given, and hidden"},
      {{.model = "dense 3", .dropout = 0.5}, "model is given, and hidden"},
      {{.model = ""}, "a layer is missing here"},
      {{.activation = "relu, dense 7"}, "is no activation"},
  };
  bp_data *d = bars(*state);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_net *net = bp_net_new(*state, d, &rows[i].o);
    if (net || !strstr(bp_error(), rows[i].says))
      fail_msg("row %zu: %s", i, net ? "a network" : bp_error());
  }
  bp_data_free(d);
}

/* ---- saved and loaded ---- */

static const char *const models[] = {
    "dense 6 relu, batchnorm, dropout 0.2, dense 4 gelu, layernorm",
    "conv 3 3 same relu, batchnorm, maxpool, residual(conv 4 2 same, batchnorm, relu) relu, dense 5 tanh",
    "batchnorm, conv 2 3x2 stride=2x1 pad=1x0 groups=1 nobias, avgpool 2 stride=1, globalpool max",
    "maxout 4 3, repeat 2(residual(dense 4 silu, batchnorm momentum=0.5)), maxout(2)",
};

/* Trained a little, saved, loaded: the same text, the same bytes when saved again, the same predictions bit for bit. */
static void networks_come_back_from_their_files(void **state)
{
  bp_data *d = bars(*state);
  for (size_t i = 0; i < COUNT(models); i++)
    for (int wide = 0; wide < 2; wide++) {
      bp_net_options o = {.model = models[i], .shape = {4, 4, 1}, .real = wide ? BP_FLOAT64 : BP_FLOAT32};
      bp_net *net = make_net(*state, d, &o);
      SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3, .batch = 7}, NULL));
      SUCCEEDS(bp_net_save(net, path));
      bp_net *again = bp_net_load(*state, path, NULL);
      if (!again)
        fail_msg("'%s': %s", models[i], bp_error());
      assert_string_equal(bp_net_model(again), bp_net_model(net));
      assert_string_equal(bp_net_summary(again), bp_net_summary(net));
      float x[16 * 5], a[10], b[10];
      for (int k = 0; k < 80; k++)
        x[k] = (float)(k % 9) * 0.3f;
      SUCCEEDS(bp_net_predict(net, x, 5, a));
      SUCCEEDS(bp_net_predict(again, x, 5, b));
      assert_memory_equal(a, b, sizeof a);
      SUCCEEDS(bp_net_predict(again, x, 1, b)); /* one row at a time gives what five gave, but for rounding */
      assert_true(fabs((double)(a[0] - b[0])) < 1e-5);
      bp_net_free(net);
      bp_net_free(again);
    }
  bp_data_free(d);
}

/* The weights kept are those of the best epoch, running values too: only then is the loss again what it was there. */
static void the_best_running_values_are_kept(void **state)
{
  bp_data *all = bars(*state), *train, *valid;
  SUCCEEDS(bp_data_split(all, 0.4, 1, &train, &valid));
  bp_net *net =
      make_net(*state, train, &(bp_net_options){.model = "dense 8 relu, batchnorm, dense 8 relu, batchnorm"});
  bp_train_options o = {.epochs = 60, .batch = 6, .valid = valid, .patience = 40, .optimizer = {.lr = 0.05}};
  bp_train_result r;
  bp_metrics m;
  SUCCEEDS(bp_net_train(net, train, &o, &r));
  assert_true(r.best_epoch < r.epochs); /* or nothing is shown */
  SUCCEEDS(bp_net_eval(net, valid, &m));
  assert_true(m.loss == r.valid_loss);
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(valid);
  bp_data_free(all);
}

/* A network with batch norm sees a fixed function when it predicts: a row's answer does not depend on the rows beside it. */
static void predictions_do_not_depend_on_the_batch(void **state)
{
  bp_data *d = bars(*state);
  bp_net *net =
      make_net(*state, d, &(bp_net_options){.model = "dense 8 relu, batchnorm", .real = BP_FLOAT64});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 5, .batch = 8}, NULL));
  float x[16 * 20], one[2], other[2], all[40];
  for (int k = 0; k < 320; k++)
    x[k] = (float)((k * 31) % 17) * 0.2f;
  SUCCEEDS(bp_net_predict(net, x, 20, all));
  SUCCEEDS(bp_net_predict(net, x, 1, one));
  SUCCEEDS(bp_net_predict(net, x + 16 * 19, 1, other));
  for (int k = 0; k < 2; k++)
    assert_true(fabs((double)(one[k] - all[k])) < 1e-6 && fabs((double)(other[k] - all[38 + k])) < 1e-6);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- what layers cost ---- */

/* By hand, for 8x8 pixels. conv 16 3: 9 products and sums for each of 64 * 16 results, and the relu; parameters 16 * 9 + 16. The pool looks at 1024
 * values. residual: a conv of 32 filters at 4x4 places over 16 channels, batch norm as x - mean, * scale, + bias (and for each of 32 channels a
 * sum, a root and a quotient), relu; the projection 16 -> 32 channels of 1 pixel; their sum. dense: 32 * 16 inputs. */
static void layers_and_their_costs(void **state)
{
  static const struct {
    const char *text, *name;
    int depth, rank;
    int64_t dims[3], parameters, fixed;
    double flops;
  } rows[] = {
      {"reshape 8x8x1", "", 0, 3, {8, 8, 1}, 0, 0, 0},
      {"conv 16 3 same relu", "layer1", 0, 3, {8, 8, 16}, 160, 0, 2 * 9 * 1024 + 1024},
      {"maxpool", "", 0, 3, {4, 4, 16}, 0, 0, 1024},
      {"conv 32 3 same", "layer2", 1, 3, {4, 4, 32}, 32 * 144 + 32, 0, 2 * 144 * 512},
      {"batchnorm", "norm1", 1, 3, {4, 4, 32}, 64, 64, 3 * 512 + 3 * 32},
      {"relu", "", 1, 3, {4, 4, 32}, 0, 0, 512},
      {"residual",
       "residual1",
       0,
       3,
       {4, 4, 32},
       512,
       0,
       2 * 144 * 512 + 3 * 512 + 3 * 32 + 512 + 2 * 16 * 512 + 512},
      {"dropout 0.5", "", 0, 3, {4, 4, 32}, 0, 0, 0},
      {"dense 10", "layer3", 0, 1, {10}, 5120 + 10, 0, 2 * 512 * 10},
  };
  bp_data *d = load_data(*state, "digits.csv", digit);
  bp_net_options o = {
      .model = "conv 16 3 same relu, maxpool, residual(conv 32 3 same, batchnorm, relu), dropout 0.5",
      .shape = {8, 8, 1}};
  bp_net *net = make_net(*state, d, &o);
  assert_int_equal(bp_net_layers(net), COUNT(rows));
  int64_t parameters = 0, fixed = 0, have_fixed, have = bp_params_size(bp_net_params(net), &have_fixed);
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_layer_info l;
    SUCCEEDS(bp_net_layer(net, i, &l));
    assert_string_equal(l.text, rows[i].text);
    assert_string_equal(l.name, rows[i].name);
    assert_true(l.depth == rows[i].depth && l.rank == rows[i].rank);
    assert_memory_equal(l.dims, rows[i].dims, (size_t)l.rank * sizeof *l.dims);
    if (l.parameters != rows[i].parameters || l.fixed != rows[i].fixed || l.flops != rows[i].flops)
      fail_msg("'%s': %lld and %lld parameters, %g operations (not %g)", l.text, (long long)l.parameters,
               (long long)l.fixed, l.flops, rows[i].flops);
    parameters += l.parameters;
    fixed += l.fixed;
    int64_t n = 4;
    for (int k = 0; k < l.rank; k++)
      n *= l.dims[k];
    assert_int_equal(l.bytes, n);
  }
  assert_true(parameters == have && fixed == have_fixed); /* none is forgotten, none counted twice */
  bp_layer_info l;
  assert_int_equal(bp_net_layer(net, COUNT(rows), &l), BP_E_RANGE);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- every allocation ---- */

static bp_status make_train_and_load(bp_ctx *ctx)
{
  bp_data *d = bars(ctx);
  bp_status s = d ? BP_OK : BP_E_NOMEM;
  bp_net *net = NULL, *again = NULL;
  bp_net_options o = {.shape = {4, 4, 1}, .model = "conv 2 3, batchnorm relu, residual(dense 4)"};
  float x[16] = {1, 2, 3}, y[2];
  if (s == BP_OK)
    s = (net = bp_net_new(ctx, d, &o))        ? BP_OK
        : strstr(bp_error(), "out of memory") ? BP_E_NOMEM
                                              : BP_E_INTERNAL;
  if (s == BP_OK)
    s = bp_net_train(net, d, &(bp_train_options){.epochs = 1, .batch = 40}, NULL);
  if (s == BP_OK && access(path, F_OK) != 0) /* once: it waits for the disk */
    s = bp_net_save(net, path);
  if (s == BP_OK)
    again = bp_net_load(ctx, path, &s);
  if (s == BP_OK)
    s = bp_net_predict(again, x, 1, y);
  bp_net_free(again);
  bp_net_free(net);
  bp_data_free(d);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  unlink(path);
  assert_true(fail_in_turn(make_train_and_load) > 100);
}

static int make_path(void **state)
{
  (void)state;
  snprintf(path, sizeof path, "/tmp/bprop-netlayers-%ld", (long)getpid());
  return 0;
}

static int remove_path(void **state)
{
  (void)state;
  unlink(path);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(texts_are_completed, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(hidden_widths_are_a_text_too, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(texts_that_do_not_fit_the_data, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(networks_come_back_from_their_files, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(the_best_running_values_are_kept, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(predictions_do_not_depend_on_the_batch, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(layers_and_their_costs, fresh_ctx, free_ctx),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make_path, remove_path);
}

/* Row 94 of the list of bad inputs: the n-th allocation fails, once and from then on, for every n, over all that a program does: build,
 * differentiate, compile, run, train, save, load, predict. No crash, no leak, BP_E_NOMEM, and the context works afterwards. */
#include "support/failing.h"
#include "support/training.h"

#include <dirent.h>

/* NULL from a function without a status: it must have been memory. */
static bp_status why_null(const void *p)
{
  if (p)
    return BP_OK;
  return strstr(bp_error(), "out of memory") ? BP_E_NOMEM : BP_E_INTERNAL;
}

/* ---- nodes ---- */

/* One step of a loop that draws random numbers: h' = tanh(dropout(h x)). */
static bp_fn *step_of(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  const int64_t two = 2;
  if (!g)
    return NULL;
  bp_node in[3] = {bp_input(g, "h", BP_REAL, 1, &two), bp_input(g, "x", BP_REAL, 1, &two),
                   bp_input(g, "key", BP_INT64, 1, &two)};
  bp_node h = bp_tanh(bp_dropout(bp_mul(in[0], in[1]), in[2], 0.5));
  return bp_fn_new("step", g, in, 3, &h, 1);
}

/* The loop over the rows of x, begun by a call of the same function. */
static bp_status loop_over(bp_graph *g, bp_node x, bp_node *end)
{
  const int64_t two = 2, key[2] = {1, 2};
  bp_fn *fn = step_of(bp_graph_ctx(g));
  if (!fn)
    return why_null(NULL);
  bp_node k = bp_array_constant(g, BP_INT64, 1, &two, key), ones = bp_full(g, BP_REAL, 1, 1, &two);
  bp_node row = bp_reshape(bp_slice(x, (int64_t[]){0, 0}, 2, (int64_t[]){1, 2}, 2, (int64_t[]){1, 1}, 2),
                           &two, 1),
          h;
  bp_status s = bp_call(fn, (bp_node[]){ones, row, k}, 3, &h);
  if (s == BP_OK)
    s = bp_scan(fn, &h, 1, &x, 1, &k, 1, 0, false, end);
  bp_fn_free(fn);
  return s;
}

static bp_status graph_of(bp_ctx *ctx, bp_graph **g, bp_node *loss, bp_node *all)
{
  *g = bp_graph_new(ctx);
  if (!*g)
    return why_null(NULL);
  const int64_t dims[2] = {3, 2}, four = 4;
  bp_node x = bp_input(*g, "x", BP_REAL, 2, dims), w = bp_input(*g, "w", BP_REAL, 2, (int64_t[]){4, 2});
  bp_node b = bp_name(bp_input(*g, "b", BP_REAL, 1, &four), "bias");
  bp_node h = bp_tanh(bp_linear(x, w, b)), grads[2], in[2] = {w, b}, tangent;
  *loss = bp_mean(bp_softmax(h, -1), NULL, 0, false);
  *loss = bp_add(*loss, bp_sum(bp_square(h), NULL, 0, false));
  if (bp_graph_status(*g) != BP_OK)
    return bp_graph_status(*g);
  bp_node end;
  bp_status s = loop_over(*g, bp_matmul(x, bp_reshape(b, (int64_t[]){2, 2}, 2)), &end);
  tangent = *loss;
  if (s == BP_OK) {
    *loss = bp_add(*loss, bp_sum(end, NULL, 0, false));
    s = bp_grad(*loss, in, 2, grads);
  }
  if (s == BP_OK)
    s = bp_grad(bp_sum(bp_square(grads[0]), NULL, 0, false), in, 2, grads);
  if (s == BP_OK)
    s = bp_jvp(loss, 1, &b, &b, 1, &tangent);
  all[0] = grads[0];
  all[1] = tangent;
  return s != BP_OK ? s : bp_graph_status(*g);
}

static bp_status run_graph(bp_ctx *ctx)
{
  bp_graph *g = NULL;
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  bp_node loss, all[3];
  char *text = NULL;
  float x[6] = {1, 2, 3, 4, 5, 6}, w[8] = {1, -1, 0.5f, 2}, b[4] = {0};
  bp_status s = graph_of(ctx, &g, &loss, all);
  all[2] = loss;
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = all, .n_outputs = 3};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &plan);
  if (s == BP_OK)
    s = bp_plan_print(plan, &text);
  bp_free(ctx, text);
  text = NULL;
  if (s == BP_OK)
    s = bp_graph_print(g, &text);
  bp_free(ctx, text);
  if (s == BP_OK)
    s = bp_run_new(plan, NULL, &run);
  if (s == BP_OK)
    s = bp_run_bind(run, "x", x, sizeof x);
  if (s == BP_OK)
    s = bp_run_bind(run, "w", w, sizeof w);
  if (s == BP_OK)
    s = bp_run_bind(run, "b", b, sizeof b);
  if (s == BP_OK)
    s = bp_run_step(run);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  return s;
}

/* ---- a network ---- */

static char folder[64], model[96];

static bp_status make_data(bp_ctx *ctx, bp_data **train, bp_data **valid)
{
  static const char csv[] = "a,b,kind\n0,5,low\n1,4,low\n9,5,high\n8,3,high\n0,-5,low\n7,7,high\n";
  bp_source source;
  bp_table *t = NULL;
  bp_data *all = NULL;
  bp_status s = bp_source_memory(ctx, csv, sizeof csv - 1, "test.csv", &source);
  if (s != BP_OK)
    return s;
  s = bp_csv_read(ctx, &source, NULL, &t);
  bp_source_close(&source);
  if (s == BP_OK)
    s = why_null(all = bp_data_from_table(ctx, t, &(bp_data_options){.target = "kind"}));
  bp_table_free(t);
  if (s == BP_OK)
    s = bp_data_split(all, 0.34, 1, train, valid);
  bp_data_free(all);
  return s;
}

static bp_status use_net(bp_ctx *ctx, bp_net *net, const bp_data *d)
{
  float x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, y[12];
  bp_metrics m;
  bp_status s = bp_net_predict(net, x, 1, y);
  (void)ctx;
  if (s == BP_OK)
    s = bp_net_predict(net, x, 6, y);
  if (s == BP_OK && bp_net_classify(net, x) < 0)
    s = why_null(NULL);
  return s == BP_OK ? bp_net_eval(net, d, &m) : s;
}

static bp_status train_net(bp_ctx *ctx)
{
  bp_data *train = NULL, *valid = NULL;
  bp_net *net = NULL, *again = NULL;
  bp_status s = make_data(ctx, &train, &valid), loaded = BP_OK;
  if (s == BP_OK)
    s = why_null(net = bp_net_new(ctx, train, &(bp_net_options){.hidden = {3}, .dropout = 0.1}));
  bp_train_options o = {
      .epochs = 2, .batch = 3, .valid = valid, .optimizer = {.kind = BP_OPTIMIZER_ADAMW, .clip_norm = 1}};
  if (s == BP_OK)
    s = bp_net_train(net, train, &o, NULL);
  if (s == BP_OK)
    s = use_net(ctx, net, valid);
  if (s == BP_OK)
    s = bp_net_save(net, model);
  if (s == BP_OK) {
    again = bp_net_load(ctx, model, &loaded);
    assert_int_equal(again != NULL, loaded == BP_OK);
    s = loaded;
  }
  if (s == BP_OK)
    s = use_net(ctx, again, valid);
  bp_net_free(again);
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(valid);
  return s;
}

/* ---- categories, missing values, weights; a table and a stream for the network ---- */

static const char plants[] = "id,leaf,height,code,w,kind\n4,red,1,7,1,moss\n9,blue,,8,2,fern\n5,red,3,7,1,"
                             "moss\n,,4,9,1,fern\n8,blue,5,8,1,moss\n";

static bp_status plants_table(bp_ctx *ctx, bp_table **t)
{
  bp_source source;
  bp_status s = bp_source_memory(ctx, plants, sizeof plants - 1, "test.csv", &source);
  if (s != BP_OK)
    return s;
  s = bp_csv_read(ctx, &source, NULL, t);
  bp_source_close(&source);
  return s;
}

static bp_status read_for(bp_ctx *ctx, const bp_net *net, const bp_data_options *o, bp_data **out)
{
  bp_source source;
  bp_csv *c = NULL;
  bp_status s = bp_source_memory(ctx, plants, sizeof plants - 1, "test.csv", &source);
  if (s != BP_OK)
    return s;
  s = bp_csv_open(ctx, &source, NULL, &c);
  if (s == BP_OK)
    s = why_null(*out = bp_data_read_for_net(net, c, o));
  bp_csv_close(c);
  bp_source_close(&source);
  return s;
}

static bp_status encode_tables(bp_ctx *ctx)
{
  bp_table *t = NULL;
  bp_data *d = NULL, *streamed = NULL;
  bp_net *net = NULL;
  float p[10];
  bp_data_options o = {.target = "kind", .weights = "w", .ignore = "id", .categorical = "code"};
  bp_status s = plants_table(ctx, &t);
  if (s == BP_OK)
    s = why_null(d = bp_data_from_table(ctx, t, &o));
  if (s == BP_OK)
    s = why_null(net = bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}, .embed_above = 2}));
  if (s == BP_OK)
    s = bp_net_predict_data(net, d, p);
  if (s == BP_OK && bp_net_unseen(net, d, &(bp_unseen){0}) != BP_OK)
    s = why_null(NULL);
  if (s == BP_OK)
    s = read_for(ctx, net, &(bp_data_options){.weights = "w"}, &streamed);
  bp_data_free(streamed);
  bp_net_free(net);
  bp_data_free(d);
  bp_table_free(t);
  return s;
}

static void encodings(void **state)
{
  (void)state;
  assert_true(fail_in_turn(encode_tables) > 50);
}

/* ---- a network for images ---- */

/* All layers for images, over batches of 8 by 8 pixels. */
static bp_node image_layers(bp_params *p, bp_node x)
{
  bp_conv_options first = {.filters = 3, .window = {3}, .pad = 1},
                  second = {.filters = 4, .window = {2}, .stride = 2};
  x = bp_max_pool(bp_relu(bp_conv(p, x, "conv1", first, (bp_init){0})), 2);
  x = bp_avg_pool(bp_relu(bp_conv(p, x, "conv2", second, (bp_init){0})), 2);
  return bp_dense(p, bp_flatten(x), "out", 2, (bp_init){0});
}

/* A plan that trains it: both rounds of the parameters, and all gradients. */
static bp_status image_plan(bp_params *p, bp_state *state, bp_graph *g, bool make, bp_plan **plan)
{
  enum { BATCH = 2 };
  bp_node x = bp_input(g, "x", BP_REAL, 4, (int64_t[]){BATCH, 8, 8, 1});
  bp_node labels = bp_input(g, "labels", BP_INT64, 1, (int64_t[]){BATCH});
  bp_node loss = bp_mean(bp_softmax_cross_entropy(image_layers(p, x), labels, 0), NULL, 0, false);
  if (bp_graph_status(g) != BP_OK)
    return bp_graph_status(g);
  if (make)
    return bp_params_make(p, state, 1);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_optimizer o = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01};
  bp_status s = bp_optimizer_step(p, state, &o, loss, updates, &n, NULL);
  bp_plan_options po = {
      .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = n};
  return s == BP_OK ? bp_plan_new(g, &po, plan) : s;
}

static bp_status run_image_plan(bp_state *state, bp_plan *plan)
{
  float x[2 * 64] = {1, 2, 3, 4};
  int64_t labels[2] = {0, 1};
  bp_run *run = NULL;
  bp_status s = bp_run_new(plan, state, &run);
  if (s == BP_OK)
    s = bp_run_bind(run, "x", x, sizeof x);
  if (s == BP_OK)
    s = bp_run_bind(run, "labels", labels, sizeof labels);
  if (s == BP_OK)
    s = bp_run_step(run);
  bp_run_free(run);
  return s;
}

static bp_status train_images(bp_ctx *ctx)
{
  bp_params *p = bp_params_new(ctx);
  bp_state *state = p ? bp_state_new(ctx, BP_FLOAT32) : NULL;
  bp_plan *plan = NULL;
  bp_status s = why_null(state);
  for (int round = 0; round < 2 && s == BP_OK; round++) {
    bp_graph *g = bp_graph_new(ctx);
    s = g ? image_plan(p, state, g, round == 0, &plan) : why_null(g);
    bp_graph_free(g);
  }
  if (s == BP_OK)
    s = run_image_plan(state, plan);
  bp_plan_free(plan);
  bp_params_free(p);
  bp_state_free(state);
  return s;
}

/* ---- every allocation ---- */

static void nodes_gradients_plans_and_runs(void **state)
{
  (void)state;
  assert_true(fail_in_turn(run_graph) > 100);
}

static void layers_for_images(void **state)
{
  (void)state;
  assert_true(fail_in_turn(train_images) > 100);
}

static void networks_from_data_to_prediction(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/bprop-test-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(model, sizeof model, "%s/model", folder);
  assert_true(fail_in_turn(train_net) > 100);
  /* No temporary file is left. */
  DIR *d = opendir(folder);
  int files = 0;
  while (readdir(d))
    files++;
  closedir(d);
  assert_int_equal(files, 3); /* ., .. and the model */
  unlink(model);
  rmdir(folder);
}

/* Parameters whose making ran out of memory can be made by another call, and are the same as ever. */
static void parameters_made_at_the_second_try(void **state)
{
  (void)state;
  float want[10] = {0};
  for (long at = 0, failed = 1; at == 0 || failed; at++) {
    failing f = {0};
    bp_ctx *ctx = failing_ctx(&f);
    bp_params *p = bp_params_new(ctx);
    bp_state *s = bp_state_new(ctx, BP_FLOAT32);
    bp_graph *g = bp_graph_new(ctx);
    bp_dense(p, bp_input(g, "x", BP_REAL, 1, (int64_t[]){3}), "fc", 2, (bp_init){0});
    assert_int_equal(bp_params_freeze(p, "fc.b"), BP_OK);
    failing_arm(&f, at, false);
    failed = bp_params_make(p, s, 5) != BP_OK;
    failing_arm(&f, 0, false);
    if (failed)
      SUCCEEDS(bp_params_make(p, s, 5));
    void *w, *b;
    SUCCEEDS(bp_params_at(p, 0, NULL, NULL, &w, NULL));
    SUCCEEDS(bp_params_at(p, 1, NULL, NULL, &b, NULL));
    if (at == 0)
      memcpy(want, w, 6 * sizeof *want);
    assert_memory_equal(w, want, 6 * sizeof *want);
    assert_true(want[0] != 0 && ((float *)b)[1] == 0.1f);
    bp_graph_free(g);
    bp_params_free(p);
    bp_state_free(s);
    bp_ctx_free(ctx);
    assert_int_equal(f.live, 0);
    assert_true(at < 100);
  }
}

/* A context that cannot be made. */
static void no_context(void **state)
{
  (void)state;
  failing f = {.at = 1};
  assert_null(failing_ctx(&f));
  assert_int_equal(f.live, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_context),
      cmocka_unit_test(parameters_made_at_the_second_try),
      cmocka_unit_test(nodes_gradients_plans_and_runs),
      cmocka_unit_test(encodings),
      cmocka_unit_test(layers_for_images),
      cmocka_unit_test(networks_from_data_to_prediction),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What layers build: values, gradients, names, shapes. Their text: test_modeltext.c; networks of them: test_netlayers.c. */
#include "nn/stack.h"
#include "support/training.h"

/* ---- a list of layers over one batch, in float64 ---- */

typedef struct bench {
  bp_params *p;
  bp_state *s;
  bp_plan *plan;
  bp_run *run;
  int64_t key[2];
  bpi_stack_inputs embedded; /* of x, as a network has them */
} bench;

/* The outputs of a bench: the layers' values, one number made of them, and its gradients. */
enum { OUT_Y, OUT_LOSS, OUT_PARAMS, OUT_X, OUTS };

/* sum of y times numbers that follow no order: every element has its own say */
static bp_node number_of(bp_node y)
{
  bp_type t;
  assert_int_equal(bp_node_type(y, &t), BP_OK);
  double w[4096];
  int64_t n = 1;
  for (int i = 0; i < t.rank; i++)
    n *= t.dims[i];
  assert_true(n <= (int64_t)COUNT(w));
  for (int64_t i = 0; i < n; i++)
    w[i] = sin(1 + 2.3 * (double)i);
  return bp_sum(bp_mul(y, bp_array_constant(y.graph, BP_REAL, t.rank, t.dims, w)), NULL, 0, false);
}

/* Layers of a network, whose inputs are known to it. */
static bp_node build_embedded(const bench *b, const char *text, bp_node x)
{
  bpi_arena a;
  const bpi_layer *first;
  bpi_arena_init(&a, bp_graph_ctx(x.graph));
  SUCCEEDS(bpi_model_read(&a, text, &first, NULL));
  bpi_stack s = {.params = b->p, .graph = x.graph, .embedded = b->embedded};
  bp_node y = bpi_stack_build(&s, first, x);
  bpi_arena_free(&a);
  return y;
}

static bp_node build(bench *b, bp_graph *g, const char *text, int rank, const int64_t *dims, bool training,
                     bp_node *x)
{
  int64_t two = 2;
  *x = bp_input(g, "x", BP_REAL, rank, dims);
  if (b->embedded.n)
    return build_embedded(b, text, *x);
  return bp_layers(b->p, *x, bp_input(g, "key", BP_INT64, 1, &two), training, text);
}

/* Parameters are made at the first call with the bench. */
static void bench_open(bp_ctx *ctx, bench *b, const char *text, int rank, const int64_t *dims, bool training)
{
  bp_node x, y;
  if (!b->p) {
    b->p = bp_params_new(ctx);
    b->s = bp_state_new(ctx, BP_FLOAT64);
    bp_graph *g = bp_graph_new(ctx);
    build(b, g, text, rank, dims, true, &x);
    if (bp_graph_status(g) != BP_OK)
      fail_msg("'%s': %s", text, bp_graph_error(g));
    bp_graph_free(g);
    SUCCEEDS(bp_params_make(b->p, b->s, 5));
  }
  bp_graph *g = bp_graph_new(ctx);
  y = build(b, g, text, rank, dims, training, &x);
  bp_node out[OUTS] = {y, number_of(y)};
  bool trained = bp_params_size(b->p, NULL) > 0;
  out[OUT_PARAMS] = trained ? bp_params_gradient(b->p, out[OUT_LOSS]) : out[OUT_LOSS];
  SUCCEEDS(bp_grad(out[OUT_LOSS], &x, 1, &out[OUT_X]));
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out, .n_outputs = OUTS};
  SUCCEEDS(bp_plan_new(g, &o, &b->plan));
  SUCCEEDS(bp_run_new(b->plan, b->s, &b->run));
  bp_graph_free(g);
  b->key[0] = 3;
  if (bp_run_bind(b->run, "key", b->key, sizeof b->key) != BP_OK)
    assert_non_null(strstr(bp_error(), "key"));
}

static void bench_close(bench *b, bool all)
{
  bp_run_free(b->run);
  bp_plan_free(b->plan);
  b->run = NULL;
  b->plan = NULL;
  if (!all)
    return;
  bp_params_free(b->p);
  bp_state_free(b->s);
  *b = (bench){0};
}

static double loss_at(bench *b)
{
  double loss;
  SUCCEEDS(bp_run_step(b->run));
  SUCCEEDS(bp_run_get(b->run, OUT_LOSS, &loss, 1));
  return loss;
}

static void params_of(bench *b, double **w, int64_t *n)
{
  bp_type t = {0};
  void *data = NULL;
  int entry = bp_state_find(b->s, "params");
  if (entry >= 0)
    SUCCEEDS(bp_state_array(b->s, entry, NULL, &t, &data));
  *w = data;
  *n = entry >= 0 ? t.dims[0] : 0;
}

/* ---- gradients ---- */

/* Central differences of the whole function of the layers by x and by every parameter. Inputs are in no order, so that no two are equal
 * and no kink is near. */
static void check_gradients(bench *b, double *x, int64_t n_x, const char *text)
{
  double *w, *slots[2] = {x, NULL}, gradient[4096];
  int64_t n[2] = {n_x, 0};
  params_of(b, &w, &n[1]);
  slots[1] = w;
  static const int out[2] = {OUT_X, OUT_PARAMS};
  for (int k = 0; k < 2; k++) {
    if (n[k] == 0)
      continue;
    assert_true(n[k] <= (int64_t)COUNT(gradient));
    loss_at(b);
    SUCCEEDS(bp_run_get(b->run, (size_t)out[k], gradient, (size_t)n[k]));
    for (int64_t i = 0; i < n[k]; i++) {
      double *at = &slots[k][i], was = *at, h = 1e-6;
      *at = was + h;
      double up = loss_at(b);
      *at = was - h;
      double down = loss_at(b);
      *at = was;
      double want = (up - down) / (2 * h);
      if (fabs(gradient[i] - want) > 1e-6 * (1 + fabs(want)))
        fail_msg("'%s': gradient %lld by %s is %.9g, differences say %.9g", text, (long long)i,
                 k ? "a parameter" : "x", gradient[i], want);
    }
  }
}

static void fill(double *x, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    x[i] = 1.5 * sin(0.4 + 1.7 * (double)i + 0.3 * (double)(i % 7));
}

static void gradients_are_those_of_differences(void **state)
{
  static const struct {
    const char *text;
    int rank;
    int64_t dims[4];
  } rows[] = {
      {"dense 3", 2, {4, 5}},
      {"dense 3 nobias tanh", 2, {4, 5}},
      {"dense 3 gelu, dense 2", 2, {4, 5}},
      {"batchnorm", 2, {5, 3}},
      {"batchnorm eps=0.1 momentum=0.5 tanh", 2, {2, 3}},
      {"batchnorm", 4, {2, 3, 2, 2}},
      {"batchnorm", 2, {1, 3}},
      {"layernorm", 2, {3, 4}},
      {"layernorm eps=0.01", 4, {1, 2, 2, 3}},
      {"dropout 0.4, dense 2", 2, {4, 5}},
      {"maxout 3 2, dense 2", 2, {4, 5}},
      {"conv 2 3", 4, {2, 5, 4, 2}},
      {"conv 2 3 same relu", 4, {2, 4, 3, 1}},
      {"conv 4 3x2 stride=2x1 pad=1x0 groups=2 nobias", 4, {1, 5, 4, 2}},
      {"conv 2 2 dilation=2 same stride=2", 4, {1, 6, 5, 1}},
      {"maxpool", 4, {2, 4, 4, 2}},
      {"maxpool 3 stride=2 same", 4, {1, 5, 4, 1}},
      {"avgpool 2", 4, {1, 4, 5, 2}},
      {"avgpool 3 stride=1 pad=1", 4, {1, 3, 3, 1}},
      {"globalpool", 4, {2, 3, 2, 2}},
      {"globalpool max", 4, {2, 3, 2, 2}},
      {"conv 2 2, dense 3", 4, {2, 3, 3, 1}},
      {"reshape 2x3x1, conv 2 2, flatten", 2, {2, 6}},
      {"residual(dense 5 tanh, dense 5)", 2, {3, 5}},
      {"residual(dense 4 tanh, dense 3) sigmoid", 2, {3, 5}},
      {"residual(conv 3 3 same stride=2, batchnorm, silu, conv 3 3 same)", 4, {2, 4, 5, 2}},
      {"repeat 3(dense 4 tanh, layernorm)", 2, {3, 4}},
      {"leaky_relu(0.2), elu(0.5), softplus", 2, {3, 4}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bench b = {0};
    double x[1024];
    int64_t n = 1;
    for (int k = 0; k < rows[i].rank; k++)
      n *= rows[i].dims[k];
    fill(x, n);
    bench_open(*state, &b, rows[i].text, rows[i].rank, rows[i].dims, true);
    SUCCEEDS(bp_run_bind(b.run, "x", x, (size_t)n * sizeof *x));
    check_gradients(&b, x, n, rows[i].text);
    bench_close(&b, true);
  }
}

static void near(const double *got, const double *want, size_t n, const char *what)
{
  for (size_t i = 0; i < n; i++)
    if (!(fabs(got[i] - want[i]) <= 1e-12 * (1 + fabs(want[i]))))
      fail_msg("%s %zu: %.17g, not %.17g", what, i, got[i], want[i]);
}

static double *values_of(const bench *b, const char *name)
{
  for (int i = 0; i < bp_params_count(b->p); i++) {
    const char *have;
    void *data;
    SUCCEEDS(bp_params_at(b->p, i, &have, NULL, &data, NULL));
    if (strcmp(have, name) == 0)
      return data;
  }
  fail_msg("there is no parameter '%s'", name);
  return NULL;
}

/* ---- embedding ---- */

/* Two numbers, then the categories of two columns: of 4 with vectors of 3, of 2 with vectors of 3. Rows of E stand in the place of the numbers
 * of categories. */
static void categories_become_vectors(void **state)
{
  static const int64_t dims[2] = {3, 4}, categories[2] = {4, 2};
  static const double x[12] = {0.5, -1, 2, 1, 0.25, 3, 0, 0, -2, 1.5, 2, 1},
                      e1[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, e2[6] = {-1, -2, -3, -4, -5, -6},
                      want[24] = {0.5, -1, 7,  8,  9,  -4,  -5, -6, 0.25, 3,  1,  2,
                                  3,   -1, -2, -3, -2, 1.5, 7,  8,  9,    -4, -5, -6};
  bench b = {.embedded = {2, categories}};
  double y[24];
  bench_open(*state, &b, "embedding 3", 2, dims, false);
  memcpy(values_of(&b, "embed1.E"), e1, sizeof e1);
  memcpy(values_of(&b, "embed2.E"), e2, sizeof e2);
  SUCCEEDS(bp_run_bind(b.run, "x", x, sizeof x));
  SUCCEEDS(bp_run_step(b.run));
  SUCCEEDS(bp_run_get(b.run, OUT_Y, y, COUNT(y)));
  near(y, want, COUNT(y), "embedded");
  /* Looking up costs no arithmetic, but for making whole numbers of 6 values. */
  bp_node in;
  bp_graph *g = bp_graph_new(*state);
  assert_false(bp_failed(build(&b, g, "embedding 3", 2, dims, false, &in)));
  assert_true(bpi_flops_between(g, 0, g->count) == 6);
  bp_graph_free(g);
  bench_close(&b, true);
}

/* By the vectors, which two rows share, and by the numbers beside them; by the number of a category it is 0. */
static void gradients_of_vectors(void **state)
{
  static const int64_t dims[2] = {3, 4}, categories[2] = {4, 2};
  double x[12] = {0.5, -1, 2, 1, 0.25, 3, 0, 0, -2, 1.5, 2, 1}, gradient[12];
  bench b = {.embedded = {2, categories}};
  bench_open(*state, &b, "embedding 3, dense 4 tanh, dense 2", 2, dims, true);
  SUCCEEDS(bp_run_bind(b.run, "x", x, sizeof x));
  check_gradients(&b, x, 0, "embedding");
  SUCCEEDS(bp_run_step(b.run));
  SUCCEEDS(bp_run_get(b.run, OUT_X, gradient, COUNT(gradient)));
  for (int row = 0; row < 3; row++) {
    assert_true(gradient[4 * row] != 0 && gradient[4 * row + 1] != 0);
    assert_true(gradient[4 * row + 2] == 0 && gradient[4 * row + 3] == 0);
  }
  bench_close(&b, true);
}

/* Half as wide as there are categories, rounded up, and at most 50. */
static void widths_of_vectors(void **state)
{
  static const struct {
    int64_t categories, width;
  } rows[] = {{2, 1}, {5, 3}, {33, 17}, {99, 50}, {100, 50}, {5000, 50}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    const int64_t dims[2] = {2, 1};
    bench b = {.embedded = {1, &rows[i].categories}};
    bp_type t;
    const char *name;
    bench_open(*state, &b, "embedding", 2, dims, false);
    SUCCEEDS(bp_params_at(b.p, 0, &name, &t, NULL, NULL));
    assert_string_equal(name, "embed1.E");
    assert_true(t.rank == 2 && t.dims[0] == rows[i].categories && t.dims[1] == rows[i].width);
    bench_close(&b, true);
  }
}

/* ---- batch norm ---- */

/* One step of training with SGD and a rate of 0: only the running values change. */
static void step_running(bp_ctx *ctx, bench *b, const char *text, int rank, const int64_t *dims,
                         const double *x, size_t n)
{
  bp_node in;
  bp_graph *g = bp_graph_new(ctx);
  bp_node loss = number_of(build(b, g, text, rank, dims, true, &in));
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t count = 0;
  bp_optimizer o = {.kind = BP_OPTIMIZER_SGD, .lr = 1e-300};
  SUCCEEDS(bp_optimizer_step(b->p, b->s, &o, loss, updates, &count, NULL));
  bp_plan_options po = {
      .real = BP_FLOAT64, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = count};
  bp_plan *plan;
  bp_run *run;
  SUCCEEDS(bp_plan_new(g, &po, &plan));
  SUCCEEDS(bp_run_new(plan, b->s, &run));
  SUCCEEDS(bp_run_bind(run, "x", x, n * sizeof *x));
  SUCCEEDS(bp_run_step(run));
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
}

/* x, gain and bias of the golden values below. */
static const double bn_x[12] = {1, 2, -1, 0.5, -3, 4, 2, 0, 1, -1.5, 1, 0.25};
static const double bn_gain[3] = {1.5, -0.5, 2}, bn_bias[3] = {0.1, 0.2, -0.3};
static const char bn_text[] = "batchnorm momentum=0.8 eps=0.01";
static const int64_t bn_dims[2] = {4, 3};

static void set_gain(bench *b)
{
  memcpy(values_of(b, "norm1.gain"), bn_gain, sizeof bn_gain);
  memcpy(values_of(b, "norm1.bias"), bn_bias, sizeof bn_bias);
}

/* NumPy: m, v = x.mean(0), x.var(0); y = gain * (x - m) / sqrt(v + 0.01) + bias */
static void batch_norm_while_training(void **state)
{
  static const double want[12] = {
      0.6865464152543312,  -0.3337605126836238, -2.538175608968237,   0.1,
      1.0006407690254358,  2.8877046551971866,  1.859639245762994,    0.2,
      -0.3678235033020678, -2.246185661017325,  -0.06688025634181188, -1.1817055429268815};
  bench b = {0};
  double y[12];
  bench_open(*state, &b, bn_text, 2, bn_dims, true);
  set_gain(&b);
  SUCCEEDS(bp_run_bind(b.run, "x", bn_x, sizeof bn_x));
  loss_at(&b);
  SUCCEEDS(bp_run_get(b.run, OUT_Y, y, 12));
  near(y, want, 12, "y");
  bench_close(&b, true);
}

/* By hand, first step: means 0.5, 0, 1.0625; unbiased variances 6.5/3, 14/3, 13.546875/3, so that of 0 and 1 there become 0.8 * 0 + 0.2 * 0.5 and
 * 0.8 * 1 + 0.2 * 6.5/3, and so on. The second step sees 2 x + 1: means 2, 1, 3.125, variances four times as large. */
static void batch_norm_moves_its_running_values(void **state)
{
  double second[12];
  bench b = {0};
  bench_open(*state, &b, bn_text, 2, bn_dims, true);
  set_gain(&b);
  for (int i = 0; i < 12; i++)
    second[i] = 2 * bn_x[i] + 1;
  step_running(*state, &b, bn_text, 2, bn_dims, bn_x, 12);
  near(values_of(&b, "norm1.mean"), (double[]){0.1, 0, 0.2125}, 3, "mean");
  near(values_of(&b, "norm1.var"), (double[]){0.8 + 1.3 / 3, 0.8 + 2.8 / 3, 0.8 + 2.709375 / 3}, 3, "var");
  step_running(*state, &b, bn_text, 2, bn_dims, second, 12);
  near(values_of(&b, "norm1.mean"), (double[]){0.48, 0.2, 0.795}, 3, "mean");
  near(values_of(&b, "norm1.var"), (double[]){2.72, 5.12, 4.975}, 3, "var");

  /* NumPy, with these: gain * (x - mean) / sqrt(var + 0.01) + bias */
  static const double want[12] = {0.572077475481666,   -0.19735970711951317, -1.9079104851903776,
                                  0.11815682598006419, 0.9064172571013567,   2.570948805033516,
                                  1.4799187744848696,  0.2441510785688348,   -0.1163667691008203,
                                  -1.697525772026343,  0.02339568572466083,  -0.7881956626344042};
  double y[12];
  bench_close(&b, false);
  bench_open(*state, &b, bn_text, 2, bn_dims, false);
  SUCCEEDS(bp_run_bind(b.run, "x", bn_x, sizeof bn_x));
  loss_at(&b);
  SUCCEEDS(bp_run_get(b.run, OUT_Y, y, 12));
  near(y, want, 12, "y");
  bench_close(&b, true);
}

/* Images [2,2,1,2]: a channel has 4 values. Channel 1: 1, 3, 5, -7, mean 0.5, sum of squares about it 83; channel 2: 2, -4, 6, 8, mean 3, 84. */
static void batch_norm_of_images(void **state)
{
  static const double x[8] = {1, 2, 3, -4, 5, 6, -7, 8};
  static const int64_t dims[4] = {2, 2, 1, 2};
  bench b = {0};
  double y[8], want[8];
  bench_open(*state, &b, "batchnorm", 4, dims, true);
  SUCCEEDS(bp_run_bind(b.run, "x", x, sizeof x));
  loss_at(&b);
  SUCCEEDS(bp_run_get(b.run, OUT_Y, y, 8));
  for (int i = 0; i < 8; i++)
    want[i] = i % 2 ? (x[i] - 3) / sqrt(84.0 / 4 + 1e-5) : (x[i] - 0.5) / sqrt(83.0 / 4 + 1e-5);
  near(y, want, 8, "y");
  step_running(*state, &b, "batchnorm", 4, dims, x, 8);
  near(values_of(&b, "norm1.mean"), (double[]){0.05, 0.3}, 2, "mean");
  near(values_of(&b, "norm1.var"), (double[]){0.9 + 8.3 / 3, 0.9 + 8.4 / 3}, 2, "var");
  bench_close(&b, true);
}

/* One row has no variance: the running values serve, and stay. */
static void batch_norm_of_one_row(void **state)
{
  static const double x[3] = {2, -1, 5};
  static const int64_t dims[2] = {1, 3};
  bench b = {0};
  double y[3];
  bench_open(*state, &b, "batchnorm eps=0", 2, dims, true);
  memcpy(values_of(&b, "norm1.mean"), (double[]){1, 1, 1}, 3 * sizeof(double));
  memcpy(values_of(&b, "norm1.var"), (double[]){4, 4, 4}, 3 * sizeof(double));
  SUCCEEDS(bp_run_bind(b.run, "x", x, sizeof x));
  loss_at(&b);
  SUCCEEDS(bp_run_get(b.run, OUT_Y, y, 3));
  near(y, (double[]){0.5, -1, 2}, 3, "y");
  step_running(*state, &b, "batchnorm eps=0", 2, dims, x, 3);
  near(values_of(&b, "norm1.mean"), (double[]){1, 1, 1}, 3, "mean");
  near(values_of(&b, "norm1.var"), (double[]){4, 4, 4}, 3, "var");
  bench_close(&b, true);
}

/* A frozen batch norm stays as it was; the one behind it moves. */
/* Numbers for the first three channels of a norm. */
static void set_norm(bench *b)
{
  static const char *const names[] = {"norm1.mean", "norm1.bias", "norm1.gain", "norm1.var"};
  for (int k = 0; k < 4; k++)
    for (int c = 0; c < 3; c++)
      values_of(b, names[k])[c] = k == 3 ? 0.5 + c : 0.3 + 0.7 * c - k;
}

/* All of y; how many there are. */
static size_t outputs_of(const bench *b, double *y, size_t room)
{
  bp_type t;
  size_t n = 1;
  SUCCEEDS(bp_run_output(b->run, OUT_Y, NULL, &t));
  for (int d = 0; d < t.rank; d++)
    n *= (size_t)t.dims[d];
  assert_true(n <= room);
  SUCCEEDS(bp_run_get(b->run, OUT_Y, y, n));
  return n;
}

/* Where it predicts, a norm that stands behind a linear layer is worked into its weights: the same function. As the first of a list of its own it
 * stays what it is, as somebody else may read what it reads. */
static void batch_norms_are_folded(void **state)
{
  static const struct {
    const char *folds, *stays;
    int rank;
    int64_t dims[4];
  } rows[] = {
      {"conv 3 2, batchnorm relu", "conv 3 2, repeat 1(batchnorm relu)", 4, {2, 4, 5, 2}},
      {"conv 4 3x2 stride=2x1 pad=1x0 groups=2 nobias, batchnorm",
       "conv 4 3x2 stride=2x1 pad=1x0 groups=2 nobias, repeat 1(batchnorm)",
       4,
       {2, 5, 4, 2}},
      {"dense 6, batchnorm tanh", "dense 6, repeat 1(batchnorm tanh)", 2, {3, 5}},
      {"dense 6 nobias, batchnorm", "dense 6 nobias, repeat 1(batchnorm)", 2, {3, 5}},
      {"dense 6 relu, batchnorm", "dense 6 relu, repeat 1(batchnorm)", 2, {3, 5}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bench b = {0};
    double x[80], y[2][80];
    size_t n = 1, out[2];
    for (int k = 0; k < rows[i].rank; k++)
      n *= (size_t)rows[i].dims[k];
    fill(x, (int64_t)n);
    for (int k = 0; k < 2; k++) {
      bench_open(*state, &b, k ? rows[i].stays : rows[i].folds, rows[i].rank, rows[i].dims, false);
      set_norm(&b);
      SUCCEEDS(bp_run_bind(b.run, "x", x, n * sizeof *x));
      SUCCEEDS(bp_run_step(b.run));
      out[k] = outputs_of(&b, y[k], COUNT(y[k]));
      bench_close(&b, false);
    }
    assert_int_equal(out[0], out[1]);
    near(y[0], y[1], out[0], rows[i].folds);
    bench_close(&b, true);
  }
}

static int convolutions(const bp_graph *g)
{
  int n = 0;
  for (size_t i = 0; i < g->count; i++)
    n += g->nodes[i].op && strncmp(g->nodes[i].op->name, "conv2d", 6) == 0;
  return n;
}

/* What a norm shares with others is not worked out twice. */
static void a_shared_layer_is_not_folded(void **state)
{
  static const struct {
    const char *text;
    int convolutions; /* with those that nobody reads any more */
  } rows[] = {{"conv 3 2 same, residual(batchnorm relu)", 1},
              {"conv 3 2 same, batchnorm", 2},
              {"residual(conv 2 2 same, batchnorm)", 2}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    static const int64_t dims[4] = {1, 4, 4, 2};
    bench b = {0};
    bp_node x;
    bench_open(*state, &b, rows[i].text, 4, dims, false);
    bp_graph *g = bp_graph_new(*state);
    assert_false(bp_failed(build(&b, g, rows[i].text, 4, dims, false, &x)));
    assert_int_equal(convolutions(g), rows[i].convolutions);
    bp_graph_free(g);
    bench_close(&b, true);
  }
}

static void a_frozen_batch_norm_stays(void **state)
{
  static const char text[] = "batchnorm, dense 2, batchnorm";
  bp_node x;
  bench b = {.p = bp_params_new(*state), .s = bp_state_new(*state, BP_FLOAT64)};
  bp_graph *g = bp_graph_new(*state);
  build(&b, g, text, 2, bn_dims, true, &x);
  bp_graph_free(g);
  SUCCEEDS(bp_params_freeze(b.p, "norm1"));
  SUCCEEDS(bp_params_make(b.p, b.s, 1));
  step_running(*state, &b, text, 2, bn_dims, bn_x, 12);
  near(values_of(&b, "norm1.mean"), (double[]){0, 0, 0}, 3, "mean");
  near(values_of(&b, "norm1.var"), (double[]){1, 1, 1}, 3, "var");
  assert_true(values_of(&b, "norm2.mean")[0] != 0 && values_of(&b, "norm2.var")[1] != 1);
  bench_close(&b, true);
}

/* ---- names, shapes, mistakes ---- */

static void parameters_are_named_by_their_place(void **state)
{
  static const struct {
    const char *text, *names;
    int rank;
    int64_t dims[4];
  } rows[] = {
      {"dense 3 relu, dropout 0.1, dense 2",
       "layer1.W [3,5] layer1.b [3] layer2.W [2,3] layer2.b [2] ",
       2,
       {4, 5}},
      {"batchnorm, dense 3 nobias, layernorm",
       "norm1.gain [5] norm1.bias [5] norm1.mean [5] norm1.var [5] layer1.W [3,5] norm2.gain [3] norm2.bias "
       "[3] ",
       2,
       {4, 5}},
      {"residual(dense 4 relu, dense 3), maxout 2 3",
       "layer1.W [4,5] layer1.b [4] layer2.W [3,4] layer2.b [3] residual1.W [3,5] layer3.W [6,3] layer3.b "
       "[6] ",
       2,
       {4, 5}},
      {"repeat 2(residual(dense 5))", "layer1.W [5,5] layer1.b [5] layer2.W [5,5] layer2.b [5] ", 2, {4, 5}},
      {"conv 4 3x2 groups=2, residual(conv 6 3 stride=2 same), dense 7",
       "layer1.W [4,3,2,1] layer1.b [4] layer2.W [6,3,3,4] layer2.b [6] residual1.W [6,1,1,4] layer3.W "
       "[7,24] "
       "layer3.b [7] ",
       4,
       {2, 5, 5, 2}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bench b = {.p = bp_params_new(*state)};
    bp_graph *g = bp_graph_new(*state);
    bp_node x;
    char names[1000] = "";
    build(&b, g, rows[i].text, rows[i].rank, rows[i].dims, true, &x);
    if (bp_graph_status(g) != BP_OK)
      fail_msg("'%s': %s", rows[i].text, bp_graph_error(g));
    for (int k = 0; k < bp_params_count(b.p); k++) {
      const char *name;
      bp_type t;
      SUCCEEDS(bp_params_at(b.p, k, &name, &t, NULL, NULL));
      sprintf(names + strlen(names), "%s [", name);
      for (int d = 0; d < t.rank; d++)
        sprintf(names + strlen(names), d ? ",%lld" : "%lld", (long long)t.dims[d]);
      strcat(names, "] ");
    }
    assert_string_equal(names, rows[i].names);
    bp_graph_free(g);
    bp_params_free(b.p);
  }
}

/* Border same: ceil(size / stride) places, as TensorFlow has them. */
static void shapes_that_come_out(void **state)
{
  static const struct {
    const char *text;
    int rank;
    int64_t dims[4];
    int out_rank;
    int64_t out[4];
  } rows[] = {
      {"conv 4 3", 4, {2, 7, 6, 3}, 4, {2, 5, 4, 4}},
      {"conv 4 3 same", 4, {2, 7, 6, 3}, 4, {2, 7, 6, 4}},
      {"conv 4 4 same", 4, {2, 7, 6, 3}, 4, {2, 7, 6, 4}},
      {"conv 4 3 same stride=2", 4, {2, 7, 6, 3}, 4, {2, 4, 3, 4}},
      {"conv 4 3 same stride=3x5 dilation=2", 4, {2, 7, 6, 3}, 4, {2, 3, 2, 4}},
      {"conv 4 1 same stride=4", 4, {2, 7, 6, 3}, 4, {2, 2, 2, 4}},
      {"conv 4 3x1 pad=1x0", 4, {2, 7, 6, 3}, 4, {2, 7, 6, 4}},
      {"maxpool", 4, {2, 7, 6, 3}, 4, {2, 3, 3, 3}},
      {"maxpool same", 4, {2, 7, 6, 3}, 4, {2, 4, 3, 3}},
      {"maxpool 3 stride=2", 4, {2, 7, 6, 3}, 4, {2, 3, 2, 3}},
      {"avgpool 3x2 stride=1", 4, {2, 7, 6, 3}, 4, {2, 5, 5, 3}},
      {"globalpool", 4, {2, 7, 6, 3}, 2, {2, 3}},
      {"flatten", 4, {2, 7, 6, 3}, 2, {2, 126}},
      {"dense 5", 4, {2, 7, 6, 3}, 2, {2, 5}},
      {"dense 5", 3, {2, 7, 6}, 3, {2, 7, 5}},
      {"maxout 5", 4, {2, 7, 6, 3}, 2, {2, 5}},
      {"reshape 7x18", 4, {2, 7, 6, 3}, 4, {2, 7, 18, 1}},
      {"reshape 126", 4, {2, 7, 6, 3}, 2, {2, 126}},
      {"residual(conv 8 3 same stride=2)", 4, {2, 7, 6, 3}, 4, {2, 4, 3, 8}},
      {"residual(conv 3 3 same)", 4, {2, 7, 6, 3}, 4, {2, 7, 6, 3}},
      {"dense 6 maxout(3)", 2, {2, 4}, 2, {2, 2}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bench b = {.p = bp_params_new(*state)};
    bp_graph *g = bp_graph_new(*state);
    bp_node x, y = build(&b, g, rows[i].text, rows[i].rank, rows[i].dims, false, &x);
    bp_type t;
    if (bp_graph_status(g) != BP_OK)
      fail_msg("'%s': %s", rows[i].text, bp_graph_error(g));
    SUCCEEDS(bp_node_type(y, &t));
    if (t.rank != rows[i].out_rank || memcmp(t.dims, rows[i].out, (size_t)t.rank * sizeof *t.dims) != 0)
      fail_msg("'%s': another shape", rows[i].text);
    bp_graph_free(g);
    bp_params_free(b.p);
  }
}

static void layers_that_do_not_fit(void **state)
{
  static const struct {
    const char *text;
    int rank;
    int64_t dims[4];
    bp_status status;
    const char *says;
  } rows[] = {
      {"dens 3", 2, {4, 5}, BP_E_PARSE, "did you mean dense?"},
      {"relu, conv 3 3 relu",
       2,
       {4, 9},
       BP_E_SHAPE,
       "layer 'conv 3 3 relu': takes images, and here are rows of 9"},
      {"maxpool", 2, {4, 9}, BP_E_SHAPE, "'reshape 3x3x1' before it"},
      {"avgpool", 2, {4, 8}, BP_E_SHAPE, "'reshape HEIGHTxWIDTHxCHANNELS'"},
      {"globalpool", 2, {4, 8}, BP_E_SHAPE, "layer 'globalpool': takes images"},
      {"conv 3 7", 4, {1, 5, 5, 1}, BP_E_SHAPE, "layer 'conv 3 7': conv2d"},
      {"conv 3 3 groups=2", 4, {1, 5, 5, 3}, BP_E_SHAPE, "2 groups do not divide 3 channels and 3 filters"},
      {"conv 3 3 groups=2", 4, {1, 5, 5, 2}, BP_E_SHAPE, "2 groups do not divide"},
      {"conv 3 3 pad=3", 4, {1, 5, 5, 3}, BP_E_ARG, "not narrower than the window"},
      {"reshape 2x2x2", 2, {4, 9}, BP_E_SHAPE, "layer 'reshape 2x2x2': 9 values are no 8"},
      {"residual(reshape 3x3)",
       2,
       {4, 9},
       BP_E_SHAPE,
       "layer 'residual(reshape 3x3)': what comes out cannot be added"},
      {"residual(relu, dense 3, conv 3 3)", 2, {4, 9}, BP_E_SHAPE, "layer 'conv 3 3': takes images"},
      {"dense 7 maxout(2)", 2, {4, 9}, BP_E_SHAPE, "layer 'dense 7 maxout(2)': maxout"},
      {"embedding", 2, {4, 9}, BP_E_ARG, "no inputs to embed"},
      {"relu, embedding", 2, {4, 9}, BP_E_ARG, "must be the first layer"},
      {"repeat 1000(repeat 1000(relu))", 2, {4, 9}, BP_E_LIMIT, "more than 10000 layers"},
      {"repeat 1000(repeat 1000(repeat 1000(repeat 1000(dense 9))))", 2, {4, 9}, BP_E_LIMIT, "more than"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bench b = {.p = bp_params_new(*state)};
    bp_graph *g = bp_graph_new(*state);
    bp_node x, y = build(&b, g, rows[i].text, rows[i].rank, rows[i].dims, true, &x);
    if (!bp_failed(y) || bp_graph_status(g) != rows[i].status || !strstr(bp_graph_error(g), rows[i].says))
      fail_msg("'%s': %s: %s", rows[i].text, bp_status_name(bp_graph_status(g)), bp_graph_error(g));
    bp_graph_free(g);
    bp_params_free(b.p);
  }
}

/* ---- running values of one's own ---- */

static void running_values_of_ones_own(void **state)
{
  bp_params *p = bp_params_new(*state);
  bp_graph *g = bp_graph_new(*state);
  int64_t two = 2;
  bp_node r = bp_running(p, g, "seen", 1, &two, (bp_init){BP_INIT_CONSTANT, 3});
  assert_false(bp_failed(r));
  /* Asked for after it was given, it is what was given. */
  bp_node next = bp_running_next(p, "seen", bp_mul(r, bp_constant(g, 2)));
  assert_int_equal(bp_running(p, g, "seen", 1, &two, (bp_init){0}).index, next.index);
  bp_node last = bp_running_next(p, "seen", bp_add(next, bp_constant(g, 1)));
  assert_int_equal(bp_running(p, g, "seen", 1, &two, (bp_init){0}).index, last.index);
  assert_int_equal(bp_graph_status(g), BP_OK);
  bp_graph_free(g);

  static const char *const says[] = {"there is no running value 'other'", "not shaped like 'seen'",
                                     "'w' is a parameter"};
  for (int i = 0; i < 3; i++) {
    g = bp_graph_new(*state);
    bp_node w = bp_param(p, g, "w", 1, &two, (bp_init){0});
    bp_node bad = i == 0   ? bp_running_next(p, "other", w)
                  : i == 1 ? bp_running_next(p, "seen", bp_constant(g, 1))
                           : bp_running(p, g, "w", 1, &two, (bp_init){0});
    assert_true(bp_failed(bad));
    if (!strstr(bp_graph_error(g), says[i]))
      fail_msg("%d: %s", i, bp_graph_error(g));
    bp_graph_free(g);
  }
  int64_t fixed, trained = bp_params_size(p, &fixed);
  assert_true(trained == 2 && fixed == 2);
  bp_params_free(p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(gradients_are_those_of_differences, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(categories_become_vectors, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(gradients_of_vectors, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(widths_of_vectors, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(batch_norm_while_training, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(batch_norm_moves_its_running_values, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(batch_norm_of_images, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(batch_norm_of_one_row, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(batch_norms_are_folded, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_shared_layer_is_not_folded, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_frozen_batch_norm_stays, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(parameters_are_named_by_their_place, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(shapes_that_come_out, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(layers_that_do_not_fit, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(running_values_of_ones_own, fresh_ctx, free_ctx),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

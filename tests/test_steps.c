/* Steps of training: options that are off cost nothing; gradients summed over parts; weights of rows and classes; frozen layers and rates;
 * mixing and moving, the same for any number of threads; memory that fails. */
#include "train/step.h"
#include "plan/plan.h"
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define SUCCEEDS(e) assert_int_equal(e, BP_OK)

enum { N = 50, COLS = 3, SIDE = 6, PIXELS = SIDE * SIDE };

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

/* Three classes by where a sine lies, of N rows or fewer. */
static bp_data *classes_of(bp_ctx *ctx, int n)
{
  float x[N * COLS];
  int64_t y[N];
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < COLS; k++)
      x[i * COLS + k] = (float)sin(1 + 7 * i + 3 * k);
    y[i] = x[i * COLS] > 0.4f ? 2 : x[i * COLS + 1] > 0;
  }
  return bp_data_new(ctx, n, COLS, x, y, NULL, 0);
}

static bp_data *numbers_of(bp_ctx *ctx, int n)
{
  float x[N * COLS], y[N];
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < COLS; k++)
      x[i * COLS + k] = (float)sin(1 + 7 * i + 3 * k);
    y[i] = x[i * COLS] * 2 - x[i * COLS + 1];
  }
  return bp_data_new(ctx, n, COLS, x, NULL, y, 1);
}

static bp_data *images_of(bp_ctx *ctx)
{
  static uint8_t pixels[N * PIXELS];
  static int64_t labels[N];
  for (int i = 0; i < N; i++) {
    labels[i] = i % 2;
    for (int k = 0; k < PIXELS; k++)
      pixels[i * PIXELS + k] = (uint8_t)(k / SIDE == i % SIDE && i % 2      ? 200
                                         : k % SIDE == i % SIDE && !(i % 2) ? 200
                                                                            : 10);
  }
  bp_ndarray x = {.store = BP_STORE_UINT8,
                  .rank = 3,
                  .dims = {N, SIDE, SIDE},
                  .size = N * PIXELS,
                  .data = pixels},
             y = {.store = BP_STORE_INT64, .rank = 1, .dims = {N}, .size = N, .data = labels};
  return bp_data_from_arrays(ctx, &x, &y);
}

/* All parameters after a training, as one array of doubles. */
typedef struct weights {
  double w[2000];
  size_t n;
} weights;

static bp_status trained(bp_ctx *ctx, const bp_data *d, bp_net_options net_options, bp_train_options o,
                         weights *to)
{
  if (!net_options.hidden[0])
    net_options.hidden[0] = 7;
  bp_net *net = bp_net_new(ctx, d, &net_options);
  if (!net)
    return strstr(bp_error(), "out of memory") ? BP_E_NOMEM : BP_E_INTERNAL;
  bp_status s = bp_net_train(net, d, &o, NULL);
  to->n = 0;
  for (int i = 0; s == BP_OK && i < bp_params_count(bp_net_params(net)); i++) {
    bp_type t;
    void *data;
    SUCCEEDS(bp_params_at(bp_net_params(net), i, NULL, &t, &data, NULL));
    for (int64_t k = 0; k < bpi_type_size(&t); k++)
      to->w[to->n++] = net_options.real == BP_FLOAT64 ? ((double *)data)[k] : (double)((float *)data)[k];
  }
  bp_net_free(net);
  return s;
}

static double distance(const weights *a, const weights *b)
{
  double most = 0;
  assert_int_equal(a->n, b->n);
  for (size_t i = 0; i < a->n; i++)
    most = fmax(most, fabs(a->w[i] - b->w[i]));
  return most;
}

/* ---- options that are off ---- */

/* A step of an ordinary training has as many instructions as one that is written by hand without any of the options. */
static void what_is_off_costs_nothing(void **state)
{
  for (int classes = 0; classes < 2; classes++) {
    bp_data *d = classes ? classes_of(*state, N) : numbers_of(*state, N);
    bp_net *net = bp_net_new(*state, d, &(bp_net_options){.hidden = {7}});
    bp_train_options o = {.batch = 10, .accumulate = 1, .label_smoothing = 0.05};
    bpi_stepper s;
    SUCCEEDS(bpi_stepper_open(&s, net, &o, d));
    assert_int_equal(s.n_lanes, 1);
    bp_graph *g = bp_graph_new(*state);
    const int64_t dims[2] = {10, COLS}, out[2] = {10, net->outputs};
    bp_node y = bpi_net_forward(net, g, bp_input(g, "x", BP_REAL, 2, dims), BP_NO_NODE, true), guards[2];
    bp_node loss = classes ? bp_mean(bp_softmax_cross_entropy(y, bp_input(g, "y", BP_INT64, 1, dims), 0.05),
                                     NULL, 0, false)
                           : bp_mean(bp_square(bp_sub(y, bp_input(g, "y", BP_REAL, 2, out))), NULL, 0, false);
    bp_update updates[BP_OPTIMIZER_UPDATES];
    bp_plan_options po = {.real = BP_FLOAT32,
                          .outputs = &loss,
                          .n_outputs = 1,
                          .updates = updates,
                          .guards = guards,
                          .n_guards = 2};
    guards[0] = loss;
    SUCCEEDS(
        bp_optimizer_step(net->params, net->state, &o.optimizer, loss, updates, &po.n_updates, &guards[1]));
    bp_plan *plan;
    SUCCEEDS(bp_plan_new(g, &po, &plan));
    assert_int_equal(plan->n_instrs, s.lanes[0].plan->n_instrs);
    assert_int_equal(plan->block_bytes, s.lanes[0].plan->block_bytes);
    bp_plan_free(plan);
    bp_graph_free(g);
    bpi_stepper_close(&s);
    bp_net_free(net);
    bp_data_free(d);
  }
}

/* ---- accumulation ---- */

/* Batches of 8, four to a step, give what batches of 32 give, but for rounding; also where an epoch's last step has 2 rows and a part left. */
static void parts_are_as_good_as_the_whole(void **state)
{
  static const bp_optimizer kinds[] = {
      {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01},
      {.kind = BP_OPTIMIZER_SGD, .momentum = 0.9, .clip_norm = 0.1},
      {.kind = BP_OPTIMIZER_ADAMW, .weight_decay = 0.1, .l1 = 0.01, .max_norm = 1}};
  for (int classes = 0; classes < 2; classes++)
    for (size_t k = 0; k < COUNT(kinds); k++) {
      bp_data *d = classes ? classes_of(*state, N) : numbers_of(*state, N);
      bp_net_options n = {.real = BP_FLOAT64};
      bp_train_options whole = {.epochs = 4, .batch = 32, .optimizer = kinds[k], .balanced = classes},
                       parts = whole;
      parts.batch = 8;
      parts.accumulate = 4;
      weights a, b, other;
      SUCCEEDS(trained(*state, d, n, whole, &a));
      SUCCEEDS(trained(*state, d, n, parts, &b));
      assert_true(distance(&a, &b) < 1e-12);
      parts.accumulate = 3;
      SUCCEEDS(trained(*state, d, n, parts, &other));
      assert_true(distance(&a, &other) > 1e-6);
      bp_data_free(d);
    }
}

/* ---- weights ---- */

/* A full batch in which some rows stand twice is one in which they weigh 2. By classes, as all rows of class 1 stand twice. */
static void twice_is_a_weight_of_2(void **state)
{
  bp_data *once = classes_of(*state, 20);
  float x[2 * N * COLS];
  int64_t y[2 * N], n = 0;
  for (int64_t i = 0; i < bp_data_rows(once); i++)
    for (int copy = 0; copy < (bp_data_label(once, i) == 1 ? 2 : 1); copy++) {
      SUCCEEDS(bp_data_row(once, i, x + n * COLS));
      y[n++] = bp_data_label(once, i);
    }
  assert_true(n > bp_data_rows(once) + 2);
  bp_data *twice = bp_data_new(*state, n, COLS, x, y, NULL, 0);
  static const double class_weights[3] = {1, 2, 1}, thrice[3] = {3, 6, 3};
  bp_net_options net = {.real = BP_FLOAT64, .raw = true};
  bp_train_options o = {.epochs = 5, .batch = 100, .optimizer = {.kind = BP_OPTIMIZER_SGD}};
  weights a, b, plain;
  SUCCEEDS(trained(*state, twice, net, o, &a));
  SUCCEEDS(trained(*state, once, net, o, &plain));
  o.class_weights = class_weights;
  SUCCEEDS(trained(*state, once, net, o, &b));
  assert_true(distance(&a, &b) < 1e-12 && distance(&a, &plain) > 1e-4);
  o.class_weights = thrice; /* what counts are their proportions */
  SUCCEEDS(trained(*state, once, net, o, &b));
  assert_true(distance(&a, &b) < 1e-12);
  bp_data_free(once);
  bp_data_free(twice);
}

/* "balanced": rows / (classes * rows of the class). */
static void balanced_classes(void **state)
{
  bp_data *d = classes_of(*state, N);
  double count[3] = {0}, by_hand[3];
  for (int64_t i = 0; i < N; i++)
    count[bp_data_label(d, i)]++;
  for (int k = 0; k < 3; k++)
    by_hand[k] = N / (3 * count[k]);
  bp_train_options o = {.epochs = 3, .batch = 8, .class_weights = by_hand};
  weights a, b;
  SUCCEEDS(trained(*state, d, (bp_net_options){0}, o, &a));
  o.class_weights = NULL;
  o.balanced = true;
  SUCCEEDS(trained(*state, d, (bp_net_options){0}, o, &b));
  assert_true(distance(&a, &b) < 1e-6);
  bp_data_free(d);
}

static void refused_weights(void **state)
{
  static const double negative[3] = {1, -1, 1}, none[3] = {0}, nan[3] = {1, (double)NAN, 1};
  const bp_train_options bad[] = {{.class_weights = negative},
                                  {.class_weights = none},
                                  {.class_weights = nan},
                                  {.class_weights = none, .balanced = true}};
  bp_data *d = classes_of(*state, N), *numbers = numbers_of(*state, N);
  weights w;
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(trained(*state, d, (bp_net_options){0}, bad[i], &w), BP_E_ARG);
  assert_int_equal(trained(*state, numbers, (bp_net_options){0}, (bp_train_options){.balanced = true}, &w),
                   BP_E_ARG);
  bp_data_free(d);
  bp_data_free(numbers);
}

/* ---- frozen layers, rates ---- */

static void frozen_layers_and_rates(void **state)
{
  static const char *const freeze[] = {"layer1", NULL};
  bp_data *d = classes_of(*state, N);
  bp_rate still = {"layer1", 0}, slow = {"layer1", 0.1};
  bp_train_options o = {.epochs = 3, .optimizer = {.kind = BP_OPTIMIZER_SGD, .weight_decay = 0.01}}, held = o,
                   slowed = o;
  held.optimizer.rates = &still;
  slowed.optimizer.rates = &slow;
  held.optimizer.n_rates = slowed.optimizer.n_rates = 1;
  weights start, plain, frozen, stays, slower;
  SUCCEEDS(trained(*state, d, (bp_net_options){0},
                   (bp_train_options){.epochs = 1, .optimizer = {.lr = 1e-30}}, &start));
  SUCCEEDS(trained(*state, d, (bp_net_options){0}, o, &plain));
  SUCCEEDS(trained(*state, d, (bp_net_options){.freeze = freeze}, o, &frozen));
  SUCCEEDS(trained(*state, d, (bp_net_options){0}, held, &stays));
  SUCCEEDS(trained(*state, d, (bp_net_options){0}, slowed, &slower));
  double moved = 0, crept = 0;
  for (size_t i = 0; i < 7 * COLS; i++) { /* layer1.W comes first */
    assert_true(frozen.w[i] == start.w[i] && stays.w[i] == start.w[i]);
    moved += fabs(plain.w[i] - start.w[i]);
    crept += fabs(slower.w[i] - start.w[i]);
  }
  assert_true(crept > 0 && crept < 0.3 * moved);
  assert_true(fabs(frozen.w[frozen.n - 1] - start.w[frozen.n - 1]) > 1e-6);
  bp_data_free(d);
}

/* ---- mixing and moving ---- */

static void moved_images(void **state)
{
  bp_data *d = images_of(*state);
  bp_net *net = bp_net_new(*state, d, &(bp_net_options){.hidden = {7}});
  assert_true(net->shape[0] == SIDE && net->shape[1] == SIDE && net->shape[2] == 1);
  float row[PIXELS], empty = (0 - net->encoding.mean[0]) * net->encoding.scale[0];
  int seen_shift[5][5] = {{0}}, flips = 0;
  for (int draw = 0; draw < 600; draw++) {
    bpi_augment a = {net, 2, true, 0};
    for (int k = 0; k < PIXELS; k++)
      row[k] = (float)(100 + k);
    bpi_augment_row(&a, draw, draw % 7, row);
    /* Where pixel (2, 2) or its mirror image (2, 3) went. */
    int at = -1, mirrored = 0;
    for (int k = 0; k < PIXELS; k++)
      at = row[k] == 100 + 2 * SIDE + 2 ? k : at;
    mirrored = at % SIDE > 0 && row[at - 1] == 100 + 2 * SIDE + 3;
    int dy = at / SIDE - 2, dx = at % SIDE - (mirrored ? 3 : 2);
    assert_true(at >= 0 && abs(dy) <= 2 && abs(dx) <= 2);
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++) {
        int from_y = y - dy, from_x = x - dx;
        bool inside = from_y >= 0 && from_y < SIDE && from_x >= 0 && from_x < SIDE;
        float want = inside ? (float)(100 + from_y * SIDE + (mirrored ? SIDE - 1 - from_x : from_x)) : empty;
        assert_true(row[y * SIDE + x] == want);
      }
    seen_shift[dy + 2][dx + 2]++;
    flips += mirrored;
  }
  for (int k = 0; k < 25; k++)
    assert_true(seen_shift[k / 5][k % 5] > 5); /* 24 expected */
  assert_true(flips > 220 && flips < 380);
  bp_net_free(net);
  bp_data_free(d);
}

/* Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)). */
static void mixup_shares(void **state)
{
  static const double alphas[] = {0.2, 1, 4};
  bp_data *d = classes_of(*state, N);
  bp_net *net = bp_net_new(*state, d, &(bp_net_options){.hidden = {7}});
  for (size_t i = 0; i < COUNT(alphas); i++) {
    bpi_augment a = {net, 0, false, alphas[i]};
    double sum = 0, square = 0, n = 20000;
    for (int k = 0; k < n; k++) {
      double s = bpi_mixup_share(&a, k);
      assert_true(s >= 0 && s <= 1);
      sum += s / n;
      square += (s - 0.5) * (s - 0.5) / n;
    }
    double variance = 1 / (4 * (2 * alphas[i] + 1));
    assert_true(fabs(sum - 0.5) < 5 * sqrt(variance / n));
    assert_true(fabs(square - variance) < 0.05 * variance);
  }
  bp_net_free(net);
  bp_data_free(d);
}

/* The same bits for any number of threads, and other bits than without. */
static void threads_change_nothing(void **state)
{
  (void)state;
  weights plain, first;
  for (int threads = 1; threads <= 4; threads *= 2) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
    bp_data *d = images_of(ctx);
    bp_train_options o = {.epochs = 3, .batch = 8};
    weights w;
    SUCCEEDS(trained(ctx, d, (bp_net_options){0}, o, &plain));
    o.shift = 2;
    o.flip = true;
    o.mixup = 0.4;
    SUCCEEDS(trained(ctx, d, (bp_net_options){0}, o, &w));
    if (threads == 1)
      first = w;
    assert_true(distance(&w, &first) == 0 && distance(&w, &plain) > 1e-4);
    bp_data_free(d);
    bp_ctx_free(ctx);
  }
}

static void refused_augmentation(void **state)
{
  const bp_train_options bad[] = {
      {.shift = 1}, {.flip = true}, {.shift = -1}, {.mixup = -1}, {.mixup = (double)NAN}};
  bp_data *d = classes_of(*state, N), *images = images_of(*state);
  weights w;
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(trained(*state, d, (bp_net_options){0}, bad[i], &w), BP_E_ARG);
  assert_int_equal(trained(*state, images, (bp_net_options){0}, (bp_train_options){.shift = SIDE}, &w),
                   BP_E_ARG);
  SUCCEEDS(
      trained(*state, images, (bp_net_options){0}, (bp_train_options){.shift = SIDE - 1, .epochs = 1}, &w));
  bp_data_free(d);
  bp_data_free(images);
}

/* ---- finding a learning rate ---- */

/* The network and its later training are as if nobody had looked. */
static void a_search_leaves_no_trace(void **state)
{
  bp_data *d = classes_of(*state, N);
  bp_net_options n = {.hidden = {7}};
  bp_train_options o = {.epochs = 3, .batch = 8, .optimizer = {.kind = BP_OPTIMIZER_ADAM}};
  float before[3], after[3], x[COLS] = {0.5f, -1, 0.25f};
  bp_net *plain = bp_net_new(*state, d, &n), *searched = bp_net_new(*state, d, &n);
  bp_lr_search r = {.steps = 60};
  SUCCEEDS(bp_net_predict(searched, x, 1, before));
  SUCCEEDS(bp_net_find_lr(searched, d, &o, &r));
  SUCCEEDS(bp_net_predict(searched, x, 1, after));
  assert_memory_equal(before, after, sizeof before);
  assert_true(r.n > 20 && r.n <= 60 && r.from == 1e-6 && r.to == 10);
  for (size_t i = 1; i < r.n; i++) /* by the same factor each */
    assert_true(fabs(r.lr[i] / r.lr[i - 1] - pow(1e7, 1.0 / 59)) < 1e-9);
  assert_true(r.suggestion > 1e-4 && r.suggestion < 1);
  bp_free(*state, r.lr);
  bp_free(*state, r.loss);
  SUCCEEDS(bp_net_train(plain, d, &o, NULL));
  SUCCEEDS(bp_net_train(searched, d, &o, NULL));
  SUCCEEDS(bp_net_predict(plain, x, 1, before));
  SUCCEEDS(bp_net_predict(searched, x, 1, after));
  assert_memory_equal(before, after, sizeof before);
  bp_net_free(plain);
  bp_net_free(searched);
  bp_data_free(d);
}

static void refused_searches(void **state)
{
  bp_data *d = classes_of(*state, N);
  bp_net *net = bp_net_new(*state, d, &(bp_net_options){.hidden = {7}});
  bp_lr_search r = {0}, backwards = {.from = 1, .to = 0.1};
  bp_train_options lbfgs = {.optimizer = {.kind = BP_OPTIMIZER_LBFGS}};
  assert_int_equal(bp_net_find_lr(NULL, d, NULL, &r), BP_E_ARG);
  assert_int_equal(bp_net_find_lr(net, NULL, NULL, &r), BP_E_ARG);
  assert_int_equal(bp_net_find_lr(net, d, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_net_find_lr(net, d, NULL, &backwards), BP_E_ARG);
  assert_int_equal(bp_net_find_lr(net, d, &lbfgs, &r), BP_E_UNSUPPORTED);
  assert_null(r.lr);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- faults ---- */

static bp_status train_it_all(bp_ctx *ctx)
{
  weights w;
  bp_data *d = images_of(ctx);
  if (!d)
    return BP_E_NOMEM;
  bp_train_options o = {.epochs = 1, .batch = 8, .accumulate = 2, .shift = 1, .mixup = 1, .balanced = true};
  bp_status s = trained(ctx, d, (bp_net_options){0}, o, &w);
  bp_train_options whole = {.epochs = 1, .batch = 20, .optimizer = {.kind = BP_OPTIMIZER_LBFGS}};
  bp_net *net = s == BP_OK ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}}) : NULL;
  bp_lr_search r = {.steps = 5};
  if (s == BP_OK)
    s = net ? bp_net_find_lr(net, d, NULL, &r) : BP_E_NOMEM;
  bp_free(ctx, r.lr);
  bp_free(ctx, r.loss);
  bp_net_free(net);
  if (s == BP_OK)
    s = trained(ctx, d, (bp_net_options){.loss = "mean(softmax_cross_entropy(p, y))"}, whole, &w);
  bp_data_free(d);
  return s;
}

static void failing_allocations(void **state)
{
  (void)state;
  assert_true(fail_in_turn(train_it_all) > 20);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(what_is_off_costs_nothing),
      TEST(parts_are_as_good_as_the_whole),
      TEST(twice_is_a_weight_of_2),
      TEST(balanced_classes),
      TEST(refused_weights),
      TEST(frozen_layers_and_rates),
      TEST(moved_images),
      TEST(mixup_shares),
      TEST(threads_change_nothing),
      TEST(refused_augmentation),
      TEST(a_search_leaves_no_trace),
      TEST(refused_searches),
      TEST(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

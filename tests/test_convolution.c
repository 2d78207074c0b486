/* Convolution and pooling as users meet them: numbers worked out by hand, messages, networks that learn, and the same bits however they are run. */
#include "ops/family.h"
#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 };

/* ---- numbers by hand ---- */

static bp_node image(bp_graph *g, int64_t h, int64_t w, int64_t c, const double *v)
{
  return bp_array_constant(g, BP_REAL, 4, (int64_t[]){1, h, w, c}, v);
}

static bp_node filters(bp_graph *g, int64_t f, int64_t h, int64_t w, int64_t c, const double *v)
{
  return bp_array_constant(g, BP_REAL, 4, (int64_t[]){f, h, w, c}, v);
}

static void assert_values(bp_node y, const int64_t *dims, const double *want)
{
  bp_type t;
  bp_graph *g = y.graph;
  double got[MOST];
  bp_plan *plan;
  bp_run *run;
  if (bp_failed(y))
    fail_msg("%s", bp_graph_error(g));
  assert_int_equal(bp_node_type(y, &t), BP_OK);
  assert_int_equal(t.rank, 4);
  for (int i = 0; i < 4; i++)
    assert_int_equal(t.dims[i], dims[i]);
  const size_t n = (size_t)bp_node_size(y);
  assert_true(n <= MOST);
  assert_int_equal(
      bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1}, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_run_step(run), BP_OK);
  assert_int_equal(bp_run_get(run, 0, got, n), BP_OK);
  for (size_t i = 0; i < n; i++)
    if (!(fabs(got[i] - want[i]) <= 1e-12))
      fail_msg("element %zu is %.17g, not %.17g", i, got[i], want[i]);
  bp_run_free(run);
  bp_plan_free(plan);
}

static const double nine[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* x = 1 2 3 / 4 5 6 / 7 8 9, W = 1 0 / 0 -1: y = x[i,j] - x[i+1,j+1] = -4 everywhere. */
static void no_border(void **state)
{
  bp_graph *g = *state;
  const double w[4] = {1, 0, 0, -1}, y[4] = {-4, -4, -4, -4};
  bp_node x = image(g, 3, 3, 1, nine), W = filters(g, 1, 2, 2, 1, w);
  assert_values(bp_conv2d(x, W, NULL, 0, NULL, 0, NULL, 0, 1), (int64_t[]){1, 2, 2, 1}, y);
}

/* The sum over 3 by 3 neighbours, with a border of 1 and a stride of 2: the corners see 1+2+4+5, 2+3+5+6, 4+5+7+8, 5+6+8+9; b adds 1/2. */
static void border_and_stride(void **state)
{
  bp_graph *g = *state;
  const double ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, half = 0.5, y[4] = {12.5, 16.5, 24.5, 28.5};
  const int64_t two = 2, one = 1;
  bp_node b = bp_array_constant(g, BP_REAL, 1, &one, &half);
  bp_node z =
      bp_conv2d_bias(image(g, 3, 3, 1, nine), filters(g, 1, 3, 3, 1, ones), b, &two, 1, &one, 1, NULL, 0, 1);
  assert_values(z, (int64_t[]){1, 2, 2, 1}, y);
}

/* Two channels, two groups of one filter each: the first filter is 2 times channel 0, the second channel 1 minus its right neighbour two
 * away (dilation 2). x = (1,10) (2,20) (3,40): y = (2, 10-40). With one group the filter sees both: 2*1 + 3*10, ... */
static void groups_and_dilation(void **state)
{
  bp_graph *g = *state;
  const double x[6] = {1, 10, 2, 20, 3, 40}, w[4] = {2, 0, 1, -1}, y[2] = {2, -30};
  const int64_t two = 2;
  bp_node X = image(g, 1, 3, 2, x);
  assert_values(bp_conv2d(X, filters(g, 2, 1, 2, 1, w), NULL, 0, NULL, 0, &two, 1, 2),
                (int64_t[]){1, 1, 1, 2}, y);
  const double both[2] = {2, 3}, sums[3] = {32, 64, 126};
  assert_values(bp_conv2d(X, filters(g, 1, 1, 1, 2, both), NULL, 0, NULL, 0, NULL, 0, 1),
                (int64_t[]){1, 1, 3, 1}, sums);
}

/* Each element of u = 1 2 / 3 4 puts W = 1 2 / 3 4 down at twice its place: windows side by side. With stride 1 they overlap:
 *   1 | 2+2=4 | 4;  3+3=6 | 4+6+6+4=20 | 8+8=16;  9 | 12+12=24 | 16. */
static void transposed(void **state)
{
  bp_graph *g = *state;
  const double v[4] = {1, 2, 3, 4}, apart[16] = {1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16};
  const double over[9] = {1, 4, 4, 6, 20, 16, 9, 24, 16};
  const int64_t two = 2;
  bp_node u = image(g, 2, 2, 1, v), W = filters(g, 1, 2, 2, 1, v);
  assert_values(bp_conv2d_transpose(u, W, NULL, 0, &two, 1, NULL, 0, NULL, 0, 1), (int64_t[]){1, 4, 4, 1},
                apart);
  assert_values(bp_conv2d_transpose(u, W, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 1), (int64_t[]){1, 3, 3, 1},
                over);
}

/* The gradient by W of sum(u * conv2d(x, W)): element (k,l) is the sum of u[i,j] x[i+k,j+l]; u = 1 0 / 0 2: x[k,l] + 2 x[1+k,1+l]. */
static void weights_gradient(void **state)
{
  bp_graph *g = *state;
  const double u[4] = {1, 0, 0, 2}, w[4] = {0}, want[4] = {11, 14, 20, 23};
  bp_node x = image(g, 3, 3, 1, nine), W = filters(g, 1, 2, 2, 1, w), grad;
  bp_node loss =
      bp_sum(bp_mul(image(g, 2, 2, 1, u), bp_conv2d(x, W, NULL, 0, NULL, 0, NULL, 0, 1)), NULL, 0, false);
  assert_int_equal(bp_grad(loss, &W, 1, &grad), BP_OK);
  assert_values(grad, (int64_t[]){1, 2, 2, 1}, want);
}

/* Windows of 2 side by side: the last column is left out. Ties go to the lowest index; the border of -1s never wins, as it is none of x. */
static void pools(void **state)
{
  bp_graph *g = *state;
  const double x[10] = {-5, -5, -1, -2, 9, -5, -6, -3, -1, 9}, largest[2] = {-5, -1},
               mean[2] = {-5.25, -1.75};
  const double to[10] = {1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
  const int64_t two = 2, one = 1;
  bp_node X = image(g, 2, 5, 1, x), grad;
  bp_node y = bp_max_pool(X, 2);
  assert_values(y, (int64_t[]){1, 1, 2, 1}, largest);
  assert_values(bp_avg_pool(X, 2), (int64_t[]){1, 1, 2, 1}, mean);
  assert_int_equal(bp_grad(bp_sum(y, NULL, 0, false), &X, 1, &grad), BP_OK);
  assert_values(grad, (int64_t[]){1, 2, 5, 1}, to);
  const double edges[6] = {-5, -1, 9, -5, -3, 9}, counted[6] = {-5, -3, 3.5, -5, -4.5, 4};
  assert_values(bp_max_pool2d(X, &two, 1, &two, 1, &one, 1), (int64_t[]){1, 2, 3, 1}, edges);
  assert_values(bp_avg_pool2d(X, &two, 1, &two, 1, &one, 1), (int64_t[]){1, 2, 3, 1}, counted);
}

static void assert_refused(bp_graph *g, bp_node y, bp_status status, const char *says)
{
  assert_true(bp_failed(y));
  assert_int_equal(bp_graph_status(g), status);
  if (!strstr(bp_graph_error(g), says))
    fail_msg("\"%s\" does not say \"%s\"", bp_graph_error(g), says);
  bp_graph_clear(g);
}

static void refusals_say_what_is_wrong(void **state)
{
  bp_graph *g = *state;
  const double w[50] = {0};
  const int64_t two = 2;
  bp_node x = image(g, 3, 3, 1, nine);
  assert_refused(g, bp_conv2d(x, filters(g, 1, 5, 5, 1, w), NULL, 0, NULL, 0, NULL, 0, 1), BP_E_SHAPE,
                 "does not fit a height of 3");
  assert_refused(g, bp_conv2d(x, filters(g, 1, 2, 2, 2, w), NULL, 0, NULL, 0, NULL, 0, 1), BP_E_SHAPE,
                 "takes 2 channels");
  assert_refused(g, bp_conv2d(x, filters(g, 1, 2, 2, 1, w), NULL, 0, &two, 1, NULL, 0, 1), BP_E_ARG,
                 "border of 2");
  assert_refused(g, bp_max_pool2d(x, NULL, 0, NULL, 0, NULL, 0), BP_E_ARG, "window must be given");
  assert_true(bp_failed(bp_conv(NULL, x, "c", (bp_conv_options){.filters = 1, .window = {2}}, (bp_init){0})));
  bp_graph_clear(g);
  assert_true(bp_failed(bp_flatten(bp_constant(g, 1))));
  bp_graph_clear(g);
}

static bp_node large(bp_graph *g, const char *name, int64_t a, int64_t b)
{
  return bp_input(g, name, BP_REAL, 4, (int64_t[]){a, 1, 1, b});
}

/* Results of over 2^63 elements from inputs of at most 2^48: 999 by 999 places of an image of one pixel, or one pixel of so many filters. */
static void refusals_of_results_that_are_too_large(void **state)
{
  bp_graph *g = *state;
  const char *says = "too many elements";
  const int64_t window = 1000, pad = 999, one = 1, many = (int64_t)1 << 30;
  bp_node x = large(g, "x", 1 << 24, 1 << 22), b = bp_input(g, "b", BP_REAL, 1, &many);
  bp_node wide = large(g, "wide", 1, many), tall = large(g, "tall", many, 1),
          few = large(g, "few", 1 << 24, 1);
  assert_refused(g, bp_max_pool2d(x, &window, 1, &one, 1, &pad, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_max_pool2d_pick(x, x, &window, 1, &one, 1, &pad, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_max_pool2d_put(x, x, &window, 1, &one, 1, &pad, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_avg_pool2d(x, &window, 1, &one, 1, &pad, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_avg_pool2d_grad(x, &one, 1, &window, 1, &one, 1, &pad, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_conv2d(few, tall, NULL, 0, NULL, 0, NULL, 0, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_conv2d_bias(few, tall, b, NULL, 0, NULL, 0, NULL, 0, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_conv2d_transpose(few, wide, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 1), BP_E_LIMIT, says);
  assert_refused(g, bp_conv2d_weight_grad(wide, wide, &one, 1, NULL, 0, NULL, 0, NULL, 0, 1), BP_E_LIMIT,
                 says);
}

/* Strides and dilations that lead nowhere, of an image of one pixel with 2^40 channels: 2^31 - 1 of them would be 2^71. */
static void steps_that_are_never_taken_do_not_overflow(void **state)
{
  (void)state;
  const int64_t far[2] = {INT32_MAX, INT32_MAX}, none[4] = {0}, one[2] = {1, 1}, channels = (int64_t)1 << 40;
  const bp_type pixel = {.dtype = BP_REAL, .rank = 4, .dims = {1, 1, 1, channels}};
  const bp_type single = {.dtype = BP_REAL, .rank = 4, .dims = {1, 1, 1, 1}}, in[2] = {pixel, pixel};
  const bp_attr conv[BP_MAX_ATTRS] = {{.v = far, .n = 2}, {.v = none, .n = 4}, {.v = far, .n = 2}, {.i = 1}};
  const bp_attr pool[BP_MAX_ATTRS] = {{.v = one, .n = 2}, {.v = far, .n = 2}, {.v = none, .n = 4}};
  bp_reach r = {0};
  bp_op_call c = {.op = &bp_op_conv2d, .n_in = 2, .n_out = 1, .x_type = in, .y_type = &single, .attr = conv};
  assert_true(c.op->reach(&c, 0, 0, &r));
  for (int i = 0; i < r.rank; i++)
    assert_in_range(r.x[i], 0, channels);
  c = (bp_op_call){
      .op = &bp_op_avg_pool2d, .n_in = 1, .n_out = 1, .x_type = in, .y_type = &pixel, .attr = pool};
  assert_true(c.op->reach(&c, 0, 0, &r));
  for (int i = 0; i < r.rank; i++)
    assert_in_range(r.x[i], 0, channels);
}

/* One place, whatever the stride: the sum of all nine, and their largest. */
static void one_place_under_any_stride(void **state)
{
  bp_graph *g = *state;
  const double ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, sum = 45, largest = 9;
  const int64_t far = INT32_MAX, three = 3, dims[4] = {1, 1, 1, 1};
  bp_node x = image(g, 3, 3, 1, nine);
  assert_values(bp_conv2d(x, filters(g, 1, 3, 3, 1, ones), &far, 1, NULL, 0, NULL, 0, 1), dims, &sum);
  assert_values(bp_max_pool2d(x, &three, 1, &far, 1, NULL, 0), dims, &largest);
}

/* ---- a network ---- */

enum { SIDE = 12, BATCH = 16, STEPS = 300, LOOK = 20 };

/* Images with a bar that lies down or stands up, somewhere, on noise: no single pixel says which, a filter does. */
static void bars(uint64_t seed, float *x, int64_t *labels)
{
  for (int n = 0; n < BATCH; n++) {
    uint64_t z = (seed * BATCH + (uint64_t)n + 1) * 0x9e3779b97f4a7c15u;
    float *p = x + n * SIDE * SIDE;
    for (int i = 0; i < SIDE * SIDE; i++) {
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u + 1;
      p[i] = 0.1f * (float)(z >> 40) / (float)(1 << 24);
    }
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    const int r = (int)(z >> 8 & 255) % 8, c = (int)(z >> 16 & 255) % 8, stands = (int)(z >> 33) & 1;
    labels[n] = stands;
    for (int i = 0; i < 5; i++)
      p[stands ? (r + i) * SIDE + c : r * SIDE + c + i] = 1;
  }
}

static bp_node network(void *user, bp_params *p, bp_node x, bp_node key, bool training)
{
  (void)user, (void)key, (void)training;
  bp_type t;
  if (bp_node_type(x, &t) == BP_OK && t.rank == 2)
    x = bp_reshape(x, (int64_t[]){t.dims[0], SIDE, SIDE, 1}, 4);
  x = bp_relu(bp_conv(p, x, "conv1", (bp_conv_options){.filters = 8, .window = {3}, .pad = 1}, (bp_init){0}));
  x = bp_max_pool(x, 2);
  x = bp_relu(bp_conv(p, x, "conv2",
                      (bp_conv_options){.filters = 10, .window = {3, 2}, .pad = 1, .groups = 2},
                      (bp_init){0}));
  return bp_dense(p, bp_flatten(bp_avg_pool(x, 6)), "out", 2, (bp_init){0});
}

typedef struct trained {
  float params[4096];
  int64_t n;
  double first, last; /* mean losses */
} trained;

/* The parameters are made with a first graph; the second computes with them. */
static bp_plan *build(bp_ctx *ctx, bp_params *p, bp_state *s, uint32_t passes_off)
{
  bp_graph *g = bp_graph_new(ctx);
  const int64_t dims[2] = {BATCH, SIDE * SIDE};
  bp_node in = bp_input(g, "x", BP_REAL, 2, dims);
  network(NULL, p, in, in, true);
  assert_int_equal(bp_graph_status(g), BP_OK);
  assert_int_equal(bp_params_make(p, s, 3), BP_OK);
  bp_graph_free(g);
  g = bp_graph_new(ctx);
  in = bp_input(g, "x", BP_REAL, 2, dims);
  bp_node out = network(NULL, p, in, in, true), l = bp_input(g, "labels", BP_INT64, 1, dims);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(out, l, 0), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  bp_plan_options o = {
      .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .passes_off = passes_off};
  bp_optimizer adam = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.02};
  assert_int_equal(bp_optimizer_step(p, s, &adam, loss, updates, &o.n_updates, NULL), BP_OK);
  bp_plan *plan;
  assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
  bp_graph_free(g);
  return plan;
}

static void take_steps(trained *t, bp_run *run)
{
  static float x[BATCH * SIDE * SIDE];
  int64_t labels[BATCH];
  t->first = t->last = 0;
  for (int i = 0; i < STEPS; i++) {
    bars((uint64_t)i, x, labels);
    assert_int_equal(bp_run_bind(run, "x", x, sizeof x), BP_OK);
    assert_int_equal(bp_run_bind(run, "labels", labels, sizeof labels), BP_OK);
    assert_int_equal(bp_run_step(run), BP_OK);
    double loss;
    assert_int_equal(bp_run_get(run, 0, &loss, 1), BP_OK);
    t->first += i < LOOK ? loss / LOOK : 0;
    t->last += i >= STEPS - LOOK ? loss / LOOK : 0;
  }
}

static void collect(trained *t, bp_params *p)
{
  t->n = 0;
  for (int i = 0; i < bp_params_count(p); i++) {
    bp_type type;
    void *data;
    int64_t size = 1;
    assert_int_equal(bp_params_at(p, i, NULL, &type, &data, NULL), BP_OK);
    for (int k = 0; k < type.rank; k++)
      size *= type.dims[k];
    assert_true(t->n + size <= 4096);
    memcpy(t->params + t->n, data, (size_t)size * sizeof(float));
    t->n += size;
  }
}

/* A plain plan, trained for some steps. */
static void train(trained *t, int threads, bp_isa isa, uint32_t passes_off)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads, .limit_isa = true, .isa = isa});
  bp_state *s = bp_state_new(ctx, BP_FLOAT32);
  bp_params *p = bp_params_new(ctx);
  bp_plan *plan = build(ctx, p, s, passes_off);
  bp_run *run = NULL;
  assert_int_equal(bp_run_new(plan, s, &run), BP_OK);
  take_steps(t, run);
  collect(t, p);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_params_free(p);
  bp_state_free(s);
  bp_ctx_free(ctx);
}

static void a_network_learns_and_keeps_its_bits(void **state)
{
  (void)state;
  static trained first, other;
  for (int isa = 0; isa < BP_ISA_COUNT; isa++) {
    train(&first, 1, (bp_isa)isa, 0);
    assert_true(first.last < 0.65 * first.first); /* ln 2 = 0.69 is knowing nothing */
    for (int threads = 2; threads <= 4; threads++) {
      train(&other, threads, (bp_isa)isa, 0);
      assert_memory_equal(first.params, other.params, (size_t)first.n * sizeof(float));
    }
    train(&other, 1, (bp_isa)isa, ~0u);
    assert_memory_equal(first.params, other.params, (size_t)first.n * sizeof(float));
  }
}

/* ---- block by block ---- */

enum { MANY = 24 };

/* All rows that go through a batch block by block, with elementwise nodes between them. */
static bp_node chain(bp_graph *g)
{
  bp_node x = bp_input(g, "x", BP_REAL, 4, (int64_t[]){MANY, 9, 8, 2});
  bp_node first = bp_input(g, "w", BP_REAL, 4, (int64_t[]){6, 3, 3, 1}),
          second = bp_input(g, "v", BP_REAL, 4, (int64_t[]){6, 2, 2, 5}),
          b = bp_input(g, "b", BP_REAL, 1, (int64_t[]){6});
  const int64_t two = 2, one = 1;
  x = bp_relu(bp_conv2d_bias(x, first, b, &one, 1, &one, 1, NULL, 0, 2));
  x = bp_max_pool2d(x, &two, 1, &one, 1, NULL, 0);
  x = bp_tanh(bp_conv2d_transpose(x, second, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 1));
  return bp_avg_pool2d(bp_conv2d(x, second, NULL, 0, NULL, 0, NULL, 0, 1), &two, 1, NULL, 0, NULL, 0);
}

typedef struct chained {
  double y[MANY * 6 * 8 * 8];
  size_t n;
  unsigned blocks; /* nodes in loops */
  size_t bytes;    /* of the block that a run needs */
} chained;

static void run_chain(chained *c, int threads, bp_dtype real, int64_t block)
{
  static double in[4][MANY * 9 * 8 * 2];
  static const char *const names[4] = {"x", "w", "v", "b"};
  static const int64_t sizes[4] = {MANY * 9 * 8 * 2, 6 * 9, 6 * 4 * 5, 6};
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_graph *g = bp_graph_new(ctx);
  bp_node y = chain(g);
  bp_plan_options o = {.real = real, .outputs = &y, .n_outputs = 1};
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  assert_int_equal(bp_graph_status(g), BP_OK);
  assert_int_equal(bpi_plan_new(g, &o, &(bpi_tuning){.block = block, .split_ns = 1}, &plan), BP_OK);
  assert_int_equal(bpi_plan_verify(plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  for (int k = 0; k < 4; k++) {
    for (int64_t i = 0; i < sizes[k]; i++) {
      const double v = (double)((i + k) * 7919 % 1009) / 500 - 1;
      if (real == BP_FLOAT64)
        in[k][i] = v;
      else
        ((float *)in[k])[i] = (float)v;
    }
    assert_int_equal(bp_run_bind(run, names[k], in[k], (size_t)sizes[k] * bp_dtype_size(real)), BP_OK);
  }
  assert_int_equal(bp_run_step(run), BP_OK);
  const void *out;
  bp_type t;
  assert_int_equal(bp_run_output(run, 0, &out, &t), BP_OK);
  c->n = (size_t)(t.dims[0] * t.dims[1] * t.dims[2] * t.dims[3]) * bp_dtype_size(real);
  assert_true(t.dims[0] == MANY && c->n <= sizeof c->y);
  memcpy(c->y, out, c->n);
  c->blocks = plan->done[BP_PASS_blocks];
  bp_plan_size(plan, NULL, &c->bytes);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* Small blocks, large ones, and the usual size, which is too large for this batch to be cut at all; on so many threads. */
static void blocks_give_the_same_bits(void **state)
{
  (void)state;
  static chained whole, cut;
  for (int real = 0; real < 2; real++) {
    run_chain(&whole, 1, real ? BP_FLOAT64 : BP_FLOAT32, 0);
    assert_int_equal(whole.blocks, 0);
    for (int64_t block = 20000; block <= 40000; block *= 2)
      for (int threads = 1; threads <= 4; threads++) {
        run_chain(&cut, threads, real ? BP_FLOAT64 : BP_FLOAT32, block);
        assert_int_equal(cut.blocks, 7);
        assert_int_equal(cut.n, whole.n);
        assert_memory_equal(cut.y, whole.y, whole.n);
        assert_true(threads > 1 || cut.bytes < whole.bytes);
      }
  }
}

/* As the build function of a network, with the trainer; parameters go through a file. */
static void the_trainer_takes_it(void **state)
{
  (void)state;
  enum { ROWS = 20 * BATCH };
  static float x[ROWS * SIDE * SIDE];
  static int64_t labels[ROWS];
  for (int i = 0; i < 20; i++)
    bars((uint64_t)i, x + i * BATCH * SIDE * SIDE, labels + i * BATCH);
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *d = bp_data_new(ctx, ROWS, SIDE * SIDE, x, labels, NULL, 0);
  assert_non_null(d);
  bp_net *net = bp_net_new(ctx, d, &(bp_net_options){.build = network});
  assert_non_null(net);
  bp_train_result result;
  bp_train_options o = {.epochs = 30, .batch = BATCH, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.02}};
  assert_int_equal(bp_net_train(net, d, &o, &result), BP_OK);
  bp_metrics m;
  assert_int_equal(bp_net_eval(net, d, &m), BP_OK);
  assert_true(m.accuracy > 0.9);
  bp_net_free(net);
  bp_data_free(d);
  bp_ctx_free(ctx);
}

static int open_graph(void **state)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  *state = ctx ? bp_graph_new(ctx) : NULL;
  return *state ? 0 : -1;
}

static int close_graph(void **state)
{
  bp_ctx *ctx = bp_graph_ctx(*state);
  bp_graph_free(*state);
  bp_ctx_free(ctx);
  return 0;
}

#define WITH_GRAPH(test) cmocka_unit_test_setup_teardown(test, open_graph, close_graph)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_GRAPH(no_border),
      WITH_GRAPH(border_and_stride),
      WITH_GRAPH(groups_and_dilation),
      WITH_GRAPH(transposed),
      WITH_GRAPH(weights_gradient),
      WITH_GRAPH(pools),
      WITH_GRAPH(refusals_say_what_is_wrong),
      WITH_GRAPH(refusals_of_results_that_are_too_large),
      WITH_GRAPH(one_place_under_any_stride),
      cmocka_unit_test(steps_that_are_never_taken_do_not_overflow),
      cmocka_unit_test(a_network_learns_and_keeps_its_bits),
      cmocka_unit_test(blocks_give_the_same_bits),
      cmocka_unit_test(the_trainer_takes_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

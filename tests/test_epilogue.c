/* What runs at the end of products, and what is distributed over the parts of a gradient, also one that is needed whole: the same bits as
 * without, for rows of every length, types, threads; and what training needs of memory. */
#include "bprop.h"

#include "base/ctx.h"
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { OFF = 1 << BP_PASS_epilogue | 1 << BP_PASS_distribute, THREADS = 3, STEPS = 2 };

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(&(bp_ctx_options){.threads = THREADS}));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

/* ---- a network of dense layers and its training step ---- */

typedef struct net {
  int64_t width[5], batch; /* widths end with 0 */
  bp_optimizer optimizer;
  bp_dtype real;
} net;

typedef struct training {
  bp_params *params;
  bp_state *state;
  bp_plan *plan;
  bp_run *run;
  void *x;
  int64_t *labels;
} training;

static bp_node forward(const net *n, bp_params *p, bp_graph *g)
{
  char name[8];
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){n->batch, n->width[0]});
  for (int k = 1; n->width[k]; k++) {
    snprintf(name, sizeof name, "l%d", k);
    x = bp_dense(p, x, name, n->width[k], (bp_init){0});
    x = n->width[k + 1] ? k % 2 ? bp_relu(x) : bp_gelu(x) : x;
  }
  return x;
}

/* n_guards: 1, of the loss, or 2, of the gradient, too. */
static void train_open(training *t, bp_ctx *ctx, const net *n, const bpi_tuning *tuning, uint32_t off,
                       size_t n_guards)
{
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t count;
  *t = (training){.params = bp_params_new(ctx), .state = bp_state_new(ctx, n->real)};
  bp_graph *g = bp_graph_new(ctx);
  assert_false(bp_failed(forward(n, t->params, g)));
  assert_int_equal(bp_params_make(t->params, t->state, 7), BP_OK);
  bp_graph_free(g);
  g = bp_graph_new(ctx);
  bp_node y = forward(n, t->params, g), labels = bp_input(g, "labels", BP_INT64, 1, &n->batch);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(y, labels, 0), NULL, 0, false), guards[2] = {loss};
  assert_int_equal(bp_optimizer_step(t->params, t->state, &n->optimizer, loss, updates, &count, &guards[1]),
                   BP_OK);
  bp_plan_options o = {.real = n->real,
                       .outputs = &loss,
                       .n_outputs = 1,
                       .updates = updates,
                       .n_updates = count,
                       .guards = guards,
                       .n_guards = n_guards,
                       .passes_off = off};
  assert_int_equal(bpi_plan_new(g, &o, tuning, &t->plan), BP_OK);
  assert_int_equal(bpi_plan_verify(t->plan), BP_OK);
  bp_graph_free(g);
}

static void train_feed(training *t, const net *n)
{
  size_t count = (size_t)(n->batch * n->width[0]), each = bp_dtype_size(n->real);
  int64_t classes = 0;
  for (int k = 0; n->width[k]; k++)
    classes = n->width[k];
  t->x = malloc(count * each);
  t->labels = malloc((size_t)n->batch * sizeof *t->labels);
  assert_true(t->x && t->labels);
  for (size_t i = 0; i < count; i++) {
    double v = (double)(i * 2654435761u % 1999) / 1000 - 1;
    if (n->real == BP_FLOAT32)
      ((float *)t->x)[i] = (float)v;
    else
      ((double *)t->x)[i] = v;
  }
  for (int64_t i = 0; i < n->batch; i++)
    t->labels[i] = i * 7 % classes;
  assert_int_equal(bp_run_new(t->plan, t->state, &t->run), BP_OK);
  assert_int_equal(bp_run_bind(t->run, "x", t->x, count * each), BP_OK);
  assert_int_equal(bp_run_bind(t->run, "labels", t->labels, (size_t)n->batch * sizeof *t->labels), BP_OK);
}

static void train_close(training *t)
{
  bp_run_free(t->run);
  bp_plan_free(t->plan);
  bp_params_free(t->params);
  bp_state_free(t->state);
  free(t->x);
  free(t->labels);
}

static void *entry_data(bp_state *s, int entry, size_t *bytes)
{
  bp_type t;
  void *data;
  assert_int_equal(bp_state_array(s, entry, NULL, &t, &data), BP_OK);
  *bytes = bp_dtype_size(t.dtype == BP_REAL ? bp_state_real(s) : t.dtype);
  for (int k = 0; k < t.rank; k++)
    *bytes *= (size_t)t.dims[k];
  return data;
}

/* Every entry of both states, byte for byte. */
static void assert_same_state(const training *a, const training *b, int entries)
{
  for (int e = 0; e < entries; e++) {
    size_t n, m;
    void *x = entry_data(a->state, e, &n), *y = entry_data(b->state, e, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
  }
}

/* ---- the same bits ---- */

static void compare(bp_ctx *ctx, const net *n, int64_t end_row, int threads, int entries, size_t n_guards)
{
  training with, without;
  bpi_tuning tuning = {.fuse_min = 16, .split_ns = 1000, .end_row = end_row};
  ctx->threads = threads;
  train_open(&with, ctx, n, &tuning, 0, n_guards);
  train_open(&without, ctx, n, &tuning, OFF, n_guards);
  assert_true(with.plan->done[BP_PASS_distribute] > 0);
  assert_true(!end_row || with.plan->done[BP_PASS_epilogue] > 1);
  assert_true(without.plan->done[BP_PASS_epilogue] == 0 && without.plan->done[BP_PASS_distribute] == 0);
  train_feed(&with, n);
  train_feed(&without, n);
  for (int k = 0; k < STEPS; k++) {
    assert_int_equal(bp_run_step(with.run), BP_OK);
    assert_int_equal(bp_run_step(without.run), BP_OK);
    assert_same_state(&with, &without, entries);
  }
  train_close(&with);
  train_close(&without);
  ctx->threads = THREADS;
}

static void ends_of_products_keep_the_bits(void **state)
{
  /* Rows whole and in pieces, long and short; batches of one and many; narrow results. */
  static const net nets[] = {
      {{20, 33, 10}, 64, {.kind = BP_OPTIMIZER_SGD}, BP_FLOAT32},
      {{300, 128, 10}, 48, {.kind = BP_OPTIMIZER_SGD, .momentum = 0.9}, BP_FLOAT32},
      {{700, 90, 300, 7}, 70, {.kind = BP_OPTIMIZER_ADAM}, BP_FLOAT32},
      {{130, 520, 12}, 33, {.kind = BP_OPTIMIZER_RMSPROP}, BP_FLOAT64},
      {{64, 400, 10}, 1, {.kind = BP_OPTIMIZER_SGD}, BP_FLOAT32},
      {{1024, 40, 40, 3}, 16, {.kind = BP_OPTIMIZER_ADAM}, BP_FLOAT64},
  };
  static const int entries[] = {2, 3, 5, 3, 2, 5};
  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
    for (int threads = 1; threads <= THREADS; threads++) {
      compare(*state, &nets[i], 1 << 20, threads, entries[i], 1);
      compare(*state, &nets[i], 0, threads, entries[i], 1);
      compare(*state, &nets[i], 0, threads, entries[i], 2);
    }
}

/* ---- a concatenation that is kept ---- */

/* Two products side by side as one vector go into an entry as they are, and into another through a formula. */
static void stored_whole(bp_ctx *ctx, uint32_t off, float out[2][4096])
{
  enum { SIDE = 32, PART = SIDE * SIDE, ALL = 2 * PART };
  static float a[PART];
  bp_state *state = bp_state_new(ctx, BP_FLOAT32);
  bp_graph *g = bp_graph_new(ctx);
  int entry[2];
  bp_plan *plan;
  bp_run *run;
  for (int e = 0; e < 2; e++)
    assert_int_equal(bp_state_add(state, e ? "b" : "a", BP_REAL, 1, (int64_t[]){ALL}, &entry[e]), BP_OK);
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){SIDE, SIDE}), parts[2];
  for (int k = 0; k < 2; k++)
    parts[k] = bp_reshape(bp_matmul(x, k ? x : bp_neg(x)), (int64_t[]){PART}, 1);
  bp_node all = bp_concat(parts, 2, 0);
  bp_update updates[2] = {{entry[0], all},
                          {entry[1], bp_add(bp_read(g, state, entry[1]), bp_mul(all, bp_constant(g, 0.1)))}};
  bp_plan_options o = {.real = BP_FLOAT32, .updates = updates, .n_updates = 2, .passes_off = off};
  assert_int_equal(bpi_plan_new(g, &o, &(bpi_tuning){.fuse_min = 16, .split_ns = 1000}, &plan), BP_OK);
  assert_int_equal(bpi_plan_verify(plan), BP_OK);
  for (int i = 0; i < PART; i++)
    a[i] = (float)(i % 23) / 16 - 0.5f;
  assert_int_equal(bp_run_new(plan, state, &run), BP_OK);
  assert_int_equal(bp_run_bind(run, "x", a, sizeof a), BP_OK);
  for (int k = 0; k < STEPS; k++)
    assert_int_equal(bp_run_step(run), BP_OK);
  for (int e = 0; e < 2; e++) {
    size_t bytes;
    memcpy(out[e], entry_data(state, entry[e], &bytes), ALL * sizeof(float));
  }
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  bp_state_free(state);
}

static void what_is_stored_whole_is_whole(void **state)
{
  static float with[2][4096], without[2][4096];
  stored_whole(*state, 0, with);
  stored_whole(*state, OFF, without);
  assert_memory_equal(with, without, sizeof with);
  assert_true(with[0][0] != 0 && with[1][1] != 0);
}

/* ---- what it needs of memory ---- */

/* Bytes that any schedule of a network must keep from forward to backward: what every layer but the last gives. */
static size_t kept_activations(const net *n)
{
  size_t sum = 0;
  for (int k = 1; n->width[k + 1]; k++)
    sum += (size_t)(n->batch * n->width[k]) * bp_dtype_size(n->real);
  return sum;
}

/* Block, scratch and state of training 784-512-512-10 are at most parameters x (2 + slots of the optimiser), 1.5 x the activations that must be
 * kept, and 8 MB. The gradient as a whole is never there: the block is smaller than it. */
static void training_needs_little_memory(void **state)
{
  static const net nets[] = {{{784, 512, 512, 10}, 128, {.kind = BP_OPTIMIZER_SGD}, BP_FLOAT32},
                             {{784, 512, 512, 10}, 128, {.kind = BP_OPTIMIZER_ADAM}, BP_FLOAT32}};
  static const size_t slots[] = {0, 2};
  bp_ctx *ctx = *state;
  for (size_t i = 0; i < 2; i++) {
    training t;
    size_t block;
    train_open(&t, ctx, &nets[i], NULL, 0, 1);
    bp_plan_size(t.plan, NULL, &block);
    size_t params = (size_t)bp_params_size(t.params, NULL) * sizeof(float);
    size_t scratch = t.plan->scratch_bytes * THREADS, held = params * (1 + slots[i]);
    size_t most = params * (2 + slots[i]) + kept_activations(&nets[i]) * 3 / 2 + 8000000;
    print_message(
        "784-512-512-10, batch 128, %zu slots: parameters %zu bytes, state %zu, block %zu, scratch %zu; "
        "at most %zu\n",
        slots[i], params, held, block, scratch, most);
    assert_true(block + scratch + held <= most);
    assert_true(block < params);
    train_close(&t);
  }
}

/* Weights of 8 MB in long rows: their gradient would have to come back from memory, and so is used up at the end of its product. */
static void large_gradients_are_never_stored(void **state)
{
  static const net n = {{1024, 2048, 10}, 24, {.kind = BP_OPTIMIZER_ADAM}, BP_FLOAT32};
  training t;
  size_t block;
  train_open(&t, *state, &n, NULL, 0, 1);
  bp_plan_size(t.plan, NULL, &block);
  assert_true(block < 1 << 20);
  train_close(&t);
  for (int threads = 1; threads <= THREADS; threads++)
    compare(*state, &n, 0, threads, 5, 1);
}

/* ---- results past the caches ---- */

/* A plan of 32 MB a result, which is not run: y = 2 x, and z, which reads y from memory or is passed it in registers. */
static bool streams(bp_ctx *ctx, bool reads_back)
{
  int64_t n = 1 << 23;
  bp_plan *plan;
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 1, &n), w = bp_input(g, "w", BP_REAL, 1, &n);
  bp_node y = bp_mul(x, bp_constant(g, 2)), out[2] = {y, bp_add(y, reads_back ? bp_add(w, bp_tanh(y)) : w)};
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = out, .n_outputs = 2};
  assert_int_equal(bp_plan_new(g, &o, &plan), BP_OK);
  assert_int_equal(plan->n_instrs, 1);
  bool streamed = plan->instrs[0].tile->streams;
  bp_plan_free(plan);
  bp_graph_free(g);
  return streamed;
}

static void what_is_read_again_stays_in_the_caches(void **state)
{
  assert_true(streams(*state, false));
  assert_false(streams(*state, true));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(ends_of_products_keep_the_bits, fresh, done),
      cmocka_unit_test_setup_teardown(what_is_stored_whole_is_whole, fresh, done),
      cmocka_unit_test_setup_teardown(what_is_read_again_stays_in_the_caches, fresh, done),
      cmocka_unit_test_setup_teardown(training_needs_little_memory, fresh, done),
      cmocka_unit_test_setup_teardown(large_gradients_are_never_stored, fresh, done)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

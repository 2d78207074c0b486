/* Optimisers: golden trajectories of every kind, clipping, one state under several plans, nothing changed by what is not finite. */
#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { WEIGHTS = 10, STEPS = 5 };

typedef struct trajectory {
  bp_optimizer o;
  double w[STEPS][WEIGHTS];
} trajectory;

static const trajectory golden[] = {
#include "golden/optimizers.inc"
};

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

static double read_real(const bp_state *s, const void *data, int i)
{
  return bp_state_real(s) == BP_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void write_real(const bp_state *s, void *data, int i, double x)
{
  if (bp_state_real(s) == BP_FLOAT32)
    ((float *)data)[i] = (float)x;
  else
    ((double *)data)[i] = x;
}

static void *entry_of(bp_state *s, const char *name)
{
  void *data = NULL;
  int entry = bp_state_find(s, name);
  assert_true(entry >= 0);
  assert_int_equal(bp_state_array(s, entry, NULL, NULL, &data), BP_OK);
  return data;
}

/* ---- one quadratic of a matrix and a vector ---- */

typedef struct quadratic {
  bp_params *p;
  bp_state *s;
} quadratic;

/* Half of sum(a (w - c)^2). */
static bp_node well(bp_node w, const double *a, const double *c)
{
  bp_type t;
  assert_int_equal(bp_node_type(w, &t), BP_OK);
  bp_graph *g = w.graph;
  bp_node off = bp_sub(w, bp_array_constant(g, BP_REAL, t.rank, t.dims, c));
  bp_node all = bp_mul(bp_array_constant(g, BP_REAL, t.rank, t.dims, a), bp_square(off));
  return bp_mul(bp_constant(g, 0.5), bp_sum(all, NULL, 0, false));
}

/* The loss of golden/optimizers.py. The vector is met first, and still lies behind the matrix. */
static bp_node loss_of(quadratic *q, bp_graph *g)
{
  static const double A[6] = {1, 2, 0.5, 1.5, 3, 0.25}, C[6] = {1, 0, -1, 0.5, 2, -2};
  static const double a[4] = {0.5, 1, 2, 0.125}, c[4] = {-1, 1, 0, 2};
  const int64_t dims[2] = {2, 3}, four = 4;
  bp_node b = bp_param(q->p, g, "b", 1, &four, (bp_init){0}),
          w = bp_param(q->p, g, "W", 2, dims, (bp_init){0});
  bp_node both = bp_mul(bp_sum(w, NULL, 0, false), bp_sum(b, NULL, 0, false));
  return bp_add(bp_add(well(w, A, C), well(b, a, c)), bp_mul(bp_constant(g, 0.1), both));
}

static quadratic quadratic_new(bp_ctx *ctx, bp_dtype real)
{
  static const double start[WEIGHTS] = {0.5, -1.25, 2, 0.75, -0.5, 1.5, 0.25, -0.75, 1, 3};
  quadratic q = {bp_params_new(ctx), bp_state_new(ctx, real)};
  bp_graph *g = bp_graph_new(ctx);
  assert_false(bp_failed(loss_of(&q, g)));
  bp_graph_free(g);
  assert_int_equal(bp_params_make(q.p, q.s, 1), BP_OK);
  for (int i = 0; i < WEIGHTS; i++)
    write_real(q.s, entry_of(q.s, "params"), i, start[i]);
  return q;
}

static void quadratic_free(quadratic *q)
{
  bp_params_free(q->p);
  bp_state_free(q->s);
}

/* A plan that is a whole training step. */
static bp_plan *step_plan(bp_ctx *ctx, quadratic *q, const bp_optimizer *o)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node loss = loss_of(q, g), guards[2] = {loss, {0}};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  assert_int_equal(bp_optimizer_step(q->p, q->s, o, loss, updates, &n, &guards[1]), BP_OK);
  assert_true(n >= 1 && n <= BP_OPTIMIZER_UPDATES);
  bp_plan_options po = {.real = bp_state_real(q->s),
                        .outputs = &loss,
                        .n_outputs = 1,
                        .updates = updates,
                        .n_updates = n,
                        .guards = guards,
                        .n_guards = 2};
  bp_plan *plan;
  assert_int_equal(bp_plan_new(g, &po, &plan), BP_OK);
  bp_graph_free(g);
  return plan;
}

static void follow(bp_ctx *ctx, const trajectory *t, bp_dtype real, double tolerance, size_t number)
{
  quadratic q = quadratic_new(ctx, real);
  bp_plan *plan = step_plan(ctx, &q, &t->o);
  bp_run *run;
  assert_int_equal(bp_run_new(plan, q.s, &run), BP_OK);
  double lr = read_real(q.s, entry_of(q.s, "optimizer.lr"), 0);
  for (int k = 0; k < STEPS; k++) {
    write_real(q.s, entry_of(q.s, "optimizer.lr"), 0,
               lr * (1 - 0.1 * k)); /* a schedule sets it between steps */
    assert_int_equal(bp_run_step(run), BP_OK);
    for (int i = 0; i < WEIGHTS; i++) {
      double got = read_real(q.s, entry_of(q.s, "params"), i), want = t->w[k][i];
      if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("trajectory %zu, step %d, weight %d: %.17g, not %.17g", number, k + 1, i, got, want);
    }
  }
  bp_run_free(run);
  bp_plan_free(plan);
  quadratic_free(&q);
}

static void golden_trajectories(void **state)
{
  unsigned kinds = 0;
  for (size_t t = 0; t < COUNT(golden); t++) {
    follow(*state, &golden[t], BP_FLOAT64, 1e-12, t);
    follow(*state, &golden[t], BP_FLOAT32, 1e-6, t);
    kinds |= 1u << golden[t].o.kind;
  }
  kinds |= 1u << BP_OPTIMIZER_LBFGS;                       /* which is no step of a plan: test_minimize.c */
  assert_int_equal(kinds, (1u << BP_OPTIMIZER_COUNT) - 1); /* a new kind needs golden numbers */
}

/* Gradients whose squares overflow in float32 are still clipped, not lost. */
static void clipping_large_gradients(void **state)
{
  quadratic q = quadratic_new(*state, BP_FLOAT32);
  write_real(q.s, entry_of(q.s, "params"), 0, 1e25);
  bp_graph *g = bp_graph_new(*state);
  const int64_t dims[2] = {2, 3};
  bp_node loss =
      bp_sum(bp_mul(bp_constant(g, 1e25), bp_param(q.p, g, "W", 2, dims, (bp_init){0})), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n;
  assert_int_equal(bp_optimizer_step(q.p, q.s,
                                     &(bp_optimizer){.kind = BP_OPTIMIZER_SGD, .lr = 1, .clip_norm = 6}, loss,
                                     updates, &n, NULL),
                   BP_OK);
  bp_plan *plan;
  bp_run *run;
  assert_int_equal(
      bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT32, .updates = updates, .n_updates = n}, &plan),
      BP_OK);
  assert_int_equal(bp_run_new(plan, q.s, &run), BP_OK);
  double before = read_real(q.s, entry_of(q.s, "params"), 1);
  assert_int_equal(bp_run_step(run), BP_OK);
  double moved = before - read_real(q.s, entry_of(q.s, "params"), 1);
  assert_true(fabs(moved - 6 / sqrt(6)) < 1e-5);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  quadratic_free(&q);
}

static void frozen_parameters_stay(void **state)
{
  for (int frozen = 0; frozen < 2; frozen++) {
    quadratic q = {bp_params_new(*state), bp_state_new(*state, BP_FLOAT64)};
    bp_graph *g = bp_graph_new(*state);
    loss_of(&q, g);
    bp_graph_free(g);
    assert_int_equal(bp_params_freeze(q.p, frozen ? "W" : "b"), BP_OK);
    assert_int_equal(bp_params_make(q.p, q.s, 1), BP_OK);
    int n = frozen ? 6 : 4;
    for (int i = 0; i < n; i++)
      write_real(q.s, entry_of(q.s, "frozen"), i, i + 0.5);
    bp_optimizer o = {.kind = BP_OPTIMIZER_ADAMW, .lr = 0.1, .weight_decay = 0.5};
    bp_plan *plan = step_plan(*state, &q, &o);
    bp_run *run;
    assert_int_equal(bp_run_new(plan, q.s, &run), BP_OK);
    double loss[2];
    for (int k = 0; k < 2; k++) {
      assert_int_equal(bp_run_step(run), BP_OK);
      assert_int_equal(bp_run_get(run, 0, &loss[k], 1), BP_OK);
    }
    assert_true(loss[1] != loss[0]);
    for (int i = 0; i < n; i++)
      assert_true(read_real(q.s, entry_of(q.s, "frozen"), i) == i + 0.5);
    bp_run_free(run);
    bp_plan_free(plan);
    quadratic_free(&q);
  }
}

/* A parameter that the loss does not reach stays, and is decayed where its kind decays. */
static void unreached_parameters_have_no_gradient(void **state)
{
  quadratic q = quadratic_new(*state, BP_FLOAT64);
  bp_graph *g = bp_graph_new(*state);
  const int64_t four = 4;
  bp_node loss = bp_sum(bp_square(bp_param(q.p, g, "b", 1, &four, (bp_init){0})), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n;
  assert_int_equal(
      bp_optimizer_step(q.p, q.s, &(bp_optimizer){.kind = BP_OPTIMIZER_SGD, .lr = 0.5, .weight_decay = 0.5},
                        loss, updates, &n, NULL),
      BP_OK);
  bp_plan *plan;
  bp_run *run;
  assert_int_equal(
      bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .updates = updates, .n_updates = n}, &plan),
      BP_OK);
  assert_int_equal(bp_run_new(plan, q.s, &run), BP_OK);
  assert_int_equal(bp_run_step(run), BP_OK);
  const double *w = entry_of(q.s, "params");
  assert_true(w[0] == 0.375 && w[6] == 0); /* W: (1 - 0.25) 0.5; b: 0.25 - 0.5 * 2 * 0.25 */
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  quadratic_free(&q);
}

/* ---- a layer, plans of several batch sizes, one state ---- */

enum { IN = 3, MOST_BATCH = 8 };

typedef struct lane {
  int64_t batch;
  bp_plan *plan;
  bp_run *run;
} lane;

typedef struct layer {
  bp_params *p;
  bp_state *s;
  float x[MOST_BATCH * IN], y[MOST_BATCH];
} layer;

static bp_node layer_loss(layer *l, bp_graph *g, int64_t batch)
{
  const int64_t dims[2] = {batch, IN};
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims), y = bp_input(g, "y", BP_REAL, 1, dims);
  bp_node h = bp_tanh(bp_dense(l->p, x, "one", 4, (bp_init){0}));
  bp_node out = bp_reshape(bp_dense(l->p, h, "two", 1, (bp_init){0}), dims, 1);
  return bp_name(bp_mean(bp_square(bp_sub(out, y)), NULL, 0, false), "loss");
}

static layer layer_new(bp_ctx *ctx)
{
  layer l = {.p = bp_params_new(ctx), .s = bp_state_new(ctx, BP_FLOAT32)};
  bp_graph *g = bp_graph_new(ctx);
  assert_false(bp_failed(layer_loss(&l, g, 1)));
  bp_graph_free(g);
  assert_int_equal(bp_params_make(l.p, l.s, 2), BP_OK);
  for (int i = 0; i < MOST_BATCH * IN; i++)
    l.x[i] = (float)sin(i + 1);
  for (int i = 0; i < MOST_BATCH; i++)
    l.y[i] = (float)cos(i);
  return l;
}

static lane lane_new(bp_ctx *ctx, layer *l, const bp_optimizer *o, int64_t batch)
{
  lane n = {.batch = batch};
  bp_graph *g = bp_graph_new(ctx);
  bp_node loss = layer_loss(l, g, batch), guards[2] = {loss, {0}};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  bp_plan_options po = {.real = BP_FLOAT32,
                        .outputs = &loss,
                        .n_outputs = 1,
                        .updates = updates,
                        .guards = guards,
                        .n_guards = 2};
  assert_int_equal(bp_optimizer_step(l->p, l->s, o, loss, updates, &po.n_updates, &guards[1]), BP_OK);
  bp_name(guards[1], "gradient");
  assert_int_equal(bp_plan_new(g, &po, &n.plan), BP_OK);
  bp_graph_free(g);
  assert_int_equal(bp_run_new(n.plan, l->s, &n.run), BP_OK);
  assert_int_equal(bp_run_bind(n.run, "x", l->x, (size_t)(batch * IN) * sizeof *l->x), BP_OK);
  assert_int_equal(bp_run_bind(n.run, "y", l->y, (size_t)batch * sizeof *l->y), BP_OK);
  return n;
}

static void lane_free(lane *n)
{
  bp_run_free(n->run);
  bp_plan_free(n->plan);
}

/* A copy of the whole state, one entry after another. */
static size_t snapshot(bp_state *s, unsigned char *out)
{
  size_t n = 0;
  for (int i = 0; i < bp_state_count(s); i++) {
    bp_type t;
    void *data;
    assert_int_equal(bp_state_array(s, i, NULL, &t, &data), BP_OK);
    size_t bytes = t.dtype == BP_INT64 ? sizeof(int64_t) : bp_dtype_size(bp_state_real(s));
    for (int d = 0; d < t.rank; d++)
      bytes *= (size_t)t.dims[d];
    memcpy(out + n, data, bytes);
    n += bytes;
  }
  return n;
}

static void one_state_under_plans_of_several_batches(void **state)
{
  static const int64_t order[] = {8, 3, 1, 8, 3, 8};
  unsigned char apart[4096], mixed[4096];
  bp_optimizer o = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01};
  size_t n = 0;
  for (int variant = 0; variant < 2; variant++) {
    layer l = layer_new(*state);
    lane lanes[3] = {{0}};
    for (int k = 0; k < 3; k++)
      lanes[k] = lane_new(*state, &l, &o, order[k]);
    for (size_t k = 0; k < COUNT(order); k++) {
      /* Either the lanes made at first, or a plan and run made anew for each step: what matters is in the state alone. */
      lane own = lane_new(*state, &l, &o, order[k]), *use = &own;
      for (int i = 0; variant == 0 && i < 3; i++)
        use = lanes[i].batch == order[k] ? &lanes[i] : use;
      assert_int_equal(bp_run_step(use->run), BP_OK);
      lane_free(&own);
    }
    assert_int_equal(*(int64_t *)entry_of(l.s, "optimizer.step"), COUNT(order));
    n = snapshot(l.s, variant ? mixed : apart);
    for (int k = 0; k < 3; k++)
      lane_free(&lanes[k]);
    bp_params_free(l.p);
    bp_state_free(l.s);
  }
  assert_memory_equal(apart, mixed, n);
}

static void what_is_not_finite_changes_nothing(void **state)
{
  const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
  for (int kind = 0; kind < BP_OPTIMIZER_LBFGS; kind++)
    for (size_t b = 0; b < COUNT(bad); b++)
      for (int in_target = 0; in_target < 2; in_target++) {
        layer l = layer_new(*state);
        bp_optimizer o = {.kind = (bp_optimizer_kind)kind, .lr = 0.01, .momentum = 0.9, .clip_norm = 1};
        lane n = lane_new(*state, &l, &o, 4);
        unsigned char before[4096], after[4096];
        assert_int_equal(bp_run_step(n.run), BP_OK);
        size_t size = snapshot(l.s, before);
        float *at = in_target ? &l.y[2] : &l.x[7], kept = *at;
        *at = bad[b];
        bp_status s = bp_run_step(n.run);
        /* A large input only saturates tanh; a large target squared is infinite. */
        if (bad[b] == 1e30f && !in_target) {
          assert_int_equal(s, BP_OK);
        } else if (isinf(bad[b]) && !in_target) {
          assert_true(s == BP_OK ||
                      s == BP_E_NOTFINITE); /* tanh(inf) is 1, but 0 times inf in the gradient is NaN */
        } else {
          assert_int_equal(s, BP_E_NOTFINITE);
        }
        if (s == BP_E_NOTFINITE) {
          assert_true(strstr(bp_error(), "loss") || strstr(bp_error(), "gradient"));
          assert_int_equal(snapshot(l.s, after), size);
          assert_memory_equal(before, after, size);
          *at = kept;
          assert_int_equal(bp_run_step(n.run), BP_OK); /* and goes on */
        }
        lane_free(&n);
        bp_params_free(l.p);
        bp_state_free(l.s);
      }
}

/* A training step is one plan: one call changes everything together. Row 90 of the list of bad inputs: run before anything was bound,
 * read before it ran. Row 92: buffers of the wrong size. */
static void a_step_is_one_plan(void **state)
{
  layer l = layer_new(*state);
  lane n = lane_new(*state, &l, &(bp_optimizer){.kind = BP_OPTIMIZER_ADAM}, 4);
  bp_run *unbound;
  const void *data;
  unsigned char before[4096], after[4096];
  size_t size = snapshot(l.s, before);
  assert_int_equal(bp_run_new(n.plan, l.s, &unbound), BP_OK);
  assert_int_equal(bp_run_step(unbound), BP_E_UNBOUND);
  assert_int_equal(bp_run_output(unbound, 0, &data, NULL), BP_E_ORDER);
  assert_int_equal(bp_run_bind(unbound, "x", l.x, 4 * IN * sizeof *l.x - 1), BP_E_SHAPE);
  assert_int_equal(bp_run_bind(unbound, "x", l.x, 0), BP_E_SHAPE);
  assert_int_equal(bp_run_bind(unbound, "x", l.x, SIZE_MAX), BP_E_SHAPE);
  assert_int_equal(bp_run_bind(unbound, "xs", l.x, 4 * IN * sizeof *l.x), BP_E_NOTFOUND);
  assert_int_equal(bp_run_bind(unbound, "x", NULL, 4 * IN * sizeof *l.x), BP_E_ARG);
  double two[2];
  assert_int_equal(bp_run_get(n.run, 0, two, 1), BP_E_ORDER);
  assert_int_equal(snapshot(l.s, after), size);
  assert_memory_equal(before, after, size);
  assert_int_equal(bp_run_step(n.run), BP_OK);
  assert_int_equal(*(int64_t *)entry_of(l.s, "optimizer.step"), 1);
  assert_int_equal(bp_run_get(n.run, 0, two, 2), BP_E_SHAPE);
  assert_int_equal(bp_run_get(n.run, 1, two, 1), BP_E_RANGE);
  static const char *const moved[] = {"params", "optimizer.m", "optimizer.v"};
  for (size_t k = 0; k < COUNT(moved); k++) {
    const float *now = entry_of(l.s, moved[k]);
    bool any = false;
    for (int i = 0; i < 21; i++)
      any = any || now[i] != 0;
    assert_true(any);
  }
  bp_run_free(unbound);
  lane_free(&n);
  bp_params_free(l.p);
  bp_state_free(l.s);
}

static void refused_options(void **state)
{
  const bp_optimizer bad[] = {
      {.kind = BP_OPTIMIZER_COUNT},
      {.kind = (bp_optimizer_kind)-1},
      {.lr = -1},
      {.lr = (double)NAN},
      {.lr = (double)INFINITY},
      {.momentum = 1},
      {.momentum = -0.1},
      {.momentum = (double)NAN},
      {.kind = BP_OPTIMIZER_ADAM, .beta1 = 1},
      {.kind = BP_OPTIMIZER_ADAM, .beta2 = 1.5},
      {.kind = BP_OPTIMIZER_ADAM, .beta2 = (double)NAN},
      {.kind = BP_OPTIMIZER_ADAM, .epsilon = -1},
      {.kind = BP_OPTIMIZER_ADAM, .epsilon = (double)INFINITY},
      {.weight_decay = -0.1},
      {.weight_decay = (double)INFINITY},
      {.clip_norm = -1},
      {.clip_norm = (double)NAN},
      {.clip_norm = (double)INFINITY},
      {.clip_value = -1},
      {.l1 = (double)NAN},
      {.max_norm = -1},
      {.rates = &(bp_rate){"W", -1}, .n_rates = 1},
      {.rates = &(bp_rate){"W", (double)NAN}, .n_rates = 1},
      {.rates = &(bp_rate){NULL, 1}, .n_rates = 1},
  };
  quadratic q = quadratic_new(*state, BP_FLOAT64);
  bp_graph *g = bp_graph_new(*state);
  bp_node loss = loss_of(&q, g);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n;
  for (size_t i = 0; i < COUNT(bad); i++)
    if (bp_optimizer_step(q.p, q.s, &bad[i], loss, updates, &n, NULL) != BP_E_ARG)
      fail_msg("row %zu was taken", i);
  bp_optimizer o = {.rates = &(bp_rate){"V", 1}, .n_rates = 1};
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, loss, updates, &n, NULL), BP_E_NOTFOUND);
  o = (bp_optimizer){.kind = BP_OPTIMIZER_LBFGS};
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, loss, updates, &n, NULL), BP_E_UNSUPPORTED);
  o = (bp_optimizer){0};
  assert_int_equal(bp_optimizer_step(NULL, q.s, &o, loss, updates, &n, NULL), BP_E_ARG);
  assert_int_equal(bp_optimizer_step(q.p, NULL, &o, loss, updates, &n, NULL), BP_E_ARG);
  assert_int_equal(bp_optimizer_step(q.p, q.s, NULL, loss, updates, &n, NULL), BP_E_ARG);
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, BP_NO_NODE, updates, &n, NULL), BP_E_ARG);
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, loss, NULL, &n, NULL), BP_E_ARG);
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, loss, updates, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_state_count(q.s), 1); /* none of them left an entry */
  bp_state *other = bp_state_new(*state, BP_FLOAT64);
  assert_int_equal(bp_optimizer_step(q.p, other, &o, loss, updates, &n, NULL), BP_E_ORDER);
  bp_state_free(other);
  /* A loss that is no scalar; a stale one. */
  assert_int_equal(
      bp_optimizer_step(q.p, q.s, &o, bp_full(g, BP_REAL, 1, 1, &(int64_t){3}), updates, &n, NULL),
      BP_E_SHAPE);
  bp_graph_clear(g);
  uint32_t mark = bp_graph_mark(g);
  bp_node stale = bp_square(loss);
  assert_int_equal(bp_graph_rollback(g, mark), BP_OK);
  assert_int_equal(bp_optimizer_step(q.p, q.s, &o, stale, updates, &n, NULL), BP_E_GRAPH);
  bp_graph_free(g);
  quadratic_free(&q);

  /* Nothing to train. */
  bp_params *none = bp_params_new(*state);
  bp_state *s = bp_state_new(*state, BP_FLOAT32);
  g = bp_graph_new(*state);
  assert_int_equal(bp_params_make(none, s, 1), BP_OK);
  assert_int_equal(bp_optimizer_step(none, s, &o, bp_constant(g, 1), updates, &n, NULL), BP_E_ORDER);
  bp_params_free(none);
  bp_state_free(s);
  bp_graph_free(g);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(golden_trajectories),
      TEST(clipping_large_gradients),
      TEST(frozen_parameters_stay),
      TEST(unreached_parameters_have_no_gradient),
      TEST(one_state_under_plans_of_several_batches),
      TEST(what_is_not_finite_changes_nothing),
      TEST(a_step_is_one_plan),
      TEST(refused_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

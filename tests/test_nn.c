/* Initialisers, parameters, layers and activations. Optimisers: test_optimizer.c. */
#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

/* Parameters of one graph and their state. */
typedef struct room {
  bp_graph *g;
  bp_params *p;
  bp_state *s;
} room;

static room room_new(bp_ctx *ctx, bp_dtype real)
{
  room r = {bp_graph_new(ctx), bp_params_new(ctx), bp_state_new(ctx, real)};
  assert_true(r.g && r.p && r.s);
  return r;
}

static void room_free(room *r)
{
  bp_graph_free(r->g);
  bp_params_free(r->p);
  bp_state_free(r->s);
}

static bp_node matrix(room *r, const char *name, int64_t rows, int64_t cols, bp_init init)
{
  return bp_param(r->p, r->g, name, 2, (int64_t[]){rows, cols}, init);
}

static bp_node vector(room *r, const char *name, int64_t n, bp_init init)
{
  return bp_param(r->p, r->g, name, 1, &n, init);
}

static void *values_of(const bp_params *p, int i)
{
  void *data;
  assert_int_equal(bp_params_at(p, i, NULL, NULL, &data, NULL), BP_OK);
  return data;
}

/* One drawn matrix, as doubles; freed by the caller. */
static double *draw(bp_ctx *ctx, int64_t rows, int64_t cols, bp_init init, uint64_t seed)
{
  room r = room_new(ctx, BP_FLOAT64);
  matrix(&r, "w", rows, cols, init);
  assert_int_equal(bp_params_make(r.p, r.s, seed), BP_OK);
  double *out = malloc((size_t)(rows * cols) * sizeof *out);
  memcpy(out, values_of(r.p, 0), (size_t)(rows * cols) * sizeof *out);
  room_free(&r);
  return out;
}

/* ---- initialisers ---- */

static void moments_and_ranges(void **state)
{
  enum { OUT = 100, IN = 200, N = OUT * IN };
  const double glorot = sqrt(6.0 / (OUT + IN));
  const struct {
    bp_init init;
    double mean, variance, most; /* most: of |w|; 0: normal, no bound */
  } table[] = {
      {{BP_INIT_ZEROS, 0}, 0, 0, 1e-300},
      {{BP_INIT_CONSTANT, 0.7}, 0.7, 0, 0.7},
      {{BP_INIT_CONSTANT, -2}, -2, 0, 2},
      {{BP_INIT_GLOROT, 0}, 0, glorot * glorot / 3, glorot},
      {{BP_INIT_GLOROT, 2}, 0, 4 * glorot * glorot / 3, 2 * glorot},
      {{BP_INIT_HE, 0}, 0, 2.0 / IN, 0},
      {{BP_INIT_HE, 3}, 0, 18.0 / IN, 0},
      {{BP_INIT_LECUN, 0}, 0, 1.0 / IN, 0},
      {{BP_INIT_MIRRORED, 0}, 0, 2.0 / IN, 0},
      {{BP_INIT_DEFAULT, 0}, 0, 2.0 / IN, 0},
      {{BP_INIT_ORTHOGONAL, 0}, 0, 1.0 / IN, 1},
      {{BP_INIT_UNIFORM, 0.3}, 0, 0.09 / 3, 0.3},
      {{BP_INIT_NORMAL, 0.5}, 0, 0.25, 0},
  };
  for (size_t t = 0; t < COUNT(table); t++) {
    double *w = draw(*state, OUT, IN, table[t].init, 11), sum = 0, square = 0, most = 0, within = 0;
    double sd = sqrt(table[t].variance);
    for (int i = 0; i < N; i++) {
      double off = w[i] - table[t].mean;
      sum += off;
      square += off * off;
      most = fmax(most, fabs(w[i]));
      within += fabs(off) < sd;
    }
    if (fabs(sum / N) > 5 * sd / sqrt(N) + 1e-13 || fabs(square / N - sd * sd) > 0.05 * sd * sd + 1e-20)
      fail_msg("row %zu: mean is off by %g, variance %g, not %g", t, sum / N, square / N, sd * sd);
    if (table[t].most && most > table[t].most)
      fail_msg("row %zu: |w| reaches %g, over %g", t, most, table[t].most);
    /* One deviation holds 68.3 % of a normal draw and 57.7 % of a uniform one. */
    bool normal = !table[t].most, drawn = sd > 0 && table[t].init.kind != BP_INIT_ORTHOGONAL;
    if (drawn && fabs(within / N - (normal ? 0.6827 : 0.5774)) > 0.02)
      fail_msg("row %zu: %g of the draws lie within one deviation", t, within / N);
    free(w);
  }
}

static void orthonormal_rows_or_columns(void **state)
{
  static const int64_t shapes[][2] = {{8, 20}, {20, 8}, {6, 6}, {1, 5}, {5, 1}};
  for (size_t t = 0; t < COUNT(shapes); t++)
    for (int scale = 1; scale < 3; scale++) {
      int64_t rows = shapes[t][0], cols = shapes[t][1], n = rows < cols ? rows : cols;
      double *w = draw(*state, rows, cols, (bp_init){BP_INIT_ORTHOGONAL, scale}, 5);
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
          double dot = 0;
          for (int64_t k = 0; k < (rows < cols ? cols : rows); k++)
            dot += rows < cols ? w[i * cols + k] * w[j * cols + k] : w[k * cols + i] * w[k * cols + j];
          assert_true(fabs(dot - (i == j ? scale * scale : 0)) < 1e-13);
        }
      free(w);
    }
}

static void mirrored_rows_come_in_pairs(void **state)
{
  double *w = draw(*state, 7, 5, (bp_init){BP_INIT_MIRRORED, 0}, 1);
  for (int r = 1; r < 7; r += 2)
    for (int c = 0; c < 5; c++)
      assert_true(w[r * 5 + c] == -w[(r - 1) * 5 + c] && w[r * 5 + c] != 0);
  for (int c = 0; c < 5; c++)
    assert_true(w[6 * 5 + c] != 0 && w[6 * 5 + c] != w[4 * 5 + c]); /* the last one is alone */
  free(w);
}

static void vectors_start_at_zero_and_count_as_columns(void **state)
{
  room r = room_new(*state, BP_FLOAT64);
  vector(&r, "a", 10000, (bp_init){0});
  vector(&r, "b", 10000, (bp_init){BP_INIT_LECUN, 0});
  bp_param(r.p, r.g, "c", 0, NULL, (bp_init){BP_INIT_CONSTANT, 3});
  assert_int_equal(bp_params_make(r.p, r.s, 1), BP_OK);
  const double *a = values_of(r.p, 0), *b = values_of(r.p, 1);
  double square = 0;
  for (int i = 0; i < 10000; i++) {
    assert_true(a[i] == 0);
    square += b[i] * b[i];
  }
  assert_true(fabs(square / 10000 - 1) < 0.06); /* fan_in 1 */
  assert_true(*(double *)values_of(r.p, 2) == 3);
  room_free(&r);
}

static void draws_depend_on_seed_order_and_shape_alone(void **state)
{
  enum { N = 12 };
  static const bp_init kinds[] = {
      {BP_INIT_GLOROT, 0}, {BP_INIT_HE, 0}, {BP_INIT_ORTHOGONAL, 0}, {BP_INIT_DEFAULT, 0}};
  for (size_t k = 0; k < COUNT(kinds); k++) {
    double first[N] = {0};
    for (int variant = 0; variant < 6; variant++) {
      room r = room_new(*state, variant == 4 ? BP_FLOAT32 : BP_FLOAT64);
      matrix(&r, "before", 3, variant == 1 ? 9 : 2, kinds[k]);
      if (variant == 2)
        assert_int_equal(bp_params_freeze(r.p, "before"), BP_OK);
      matrix(&r, variant == 3 ? "other name" : "w", 3, 4, kinds[k]);
      assert_int_equal(bp_params_make(r.p, r.s, variant == 5 ? 8 : 7), BP_OK);
      const void *got = values_of(r.p, 1);
      if (variant == 0)
        memcpy(first, got, sizeof first);
      if (variant == 5)
        assert_memory_not_equal(got, first, sizeof first);
      for (int i = 0; variant == 4 && i < N; i++)
        assert_true(((const float *)got)[i] == (float)first[i]);
      if (variant < 4)
        assert_memory_equal(got, first, sizeof first);
      /* Two parameters of one shape never share their draws. */
      const double *before = values_of(r.p, 0);
      assert_memory_not_equal(before, got, 6 * sizeof *before);
      room_free(&r);
    }
  }
}

/* ---- parameters ---- */

static double value_at(bp_ctx *ctx, room *r, bp_node n, size_t i)
{
  (void)ctx;
  bp_plan_options o = {.real = bp_state_real(r->s), .outputs = &n, .n_outputs = 1};
  bp_plan *plan;
  bp_run *run;
  double out[64];
  assert_int_equal(bp_plan_new(n.graph, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, r->s, &run), BP_OK);
  assert_int_equal(bp_run_step(run), BP_OK);
  assert_int_equal(bp_run_get(run, 0, out, (size_t)bp_node_size(n)), BP_OK);
  bp_run_free(run);
  bp_plan_free(plan);
  return out[i];
}

static void two_rounds_give_views_of_one_vector(void **state)
{
  room r = room_new(*state, BP_FLOAT64);
  vector(&r, "b1", 3, (bp_init){BP_INIT_CONSTANT, 1});
  matrix(&r, "W1", 3, 2, (bp_init){BP_INIT_CONSTANT, 2});
  vector(&r, "b2", 2, (bp_init){BP_INIT_CONSTANT, 3});
  bp_node tied = matrix(&r, "W1", 3, 2, (bp_init){BP_INIT_CONSTANT, 9}); /* the first one counts */
  matrix(&r, "W2", 2, 3, (bp_init){BP_INIT_CONSTANT, 4});
  assert_false(bp_failed(tied));
  assert_int_equal(bp_params_count(r.p), 4);
  void *data = &data;
  assert_int_equal(bp_params_at(r.p, 0, NULL, NULL, &data, NULL), BP_OK);
  assert_null(data);
  int64_t frozen = -1;
  assert_int_equal(bp_params_size(r.p, &frozen), 17);
  assert_int_equal(frozen, 0);
  assert_int_equal(bp_params_make(r.p, r.s, 1), BP_OK);

  /* Matrices first, in the order met; then vectors; nothing between them. */
  static const double all[17] = {2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 1, 1, 1, 3, 3};
  bp_type type;
  assert_int_equal(bp_state_array(r.s, bp_state_find(r.s, "params"), NULL, &type, &data), BP_OK);
  assert_true(type.rank == 1 && type.dims[0] == 17);
  assert_memory_equal(data, all, sizeof all);
  static const int at[4] = {12, 0, 15, 6};
  for (int i = 0; i < 4; i++)
    assert_ptr_equal(values_of(r.p, i), (double *)data + at[i]);
  const char *name;
  bool is_frozen;
  assert_int_equal(bp_params_at(r.p, 3, &name, &type, NULL, &is_frozen), BP_OK);
  assert_string_equal(name, "W2");
  assert_true(type.rank == 2 && type.dims[0] == 2 && type.dims[1] == 3 && !is_frozen);

  /* The second round reads what the vector holds, in the parameter's shape. */
  bp_graph *g = bp_graph_new(*state);
  ((double *)data)[6 + 5] = 42;
  bp_node w = bp_param(r.p, g, "W2", 2, (int64_t[]){2, 3}, (bp_init){0});
  assert_true(value_at(*state, &r, w, 5) == 42 && value_at(*state, &r, w, 4) == 4);
  assert_int_equal(bp_node_type(w, &type), BP_OK);
  assert_true(type.rank == 2 && type.dims[1] == 3);
  bp_graph_free(g);
  room_free(&r);
}

/* What a second round may not ask for. The status is the graph's. */
static void refused_parameters(void **state)
{
  const int64_t dims[2] = {3, 2}, swapped[2] = {2, 3}, none[2] = {0, 2}, negative[2] = {-1, 2},
                huge[2] = {INT64_C(1) << 40, INT64_C(1) << 40};
  const struct {
    int round;
    const char *name;
    int rank;
    const int64_t *dims;
    bp_init init;
    bp_status status;
    const char *says;
  } table[] = {
      {1, "w", 2, swapped, {0}, BP_E_MISMATCH, "'w' is asked for with another shape"},
      {2, "w", 2, swapped, {0}, BP_E_MISMATCH, "'w' is asked for with another shape"},
      {2, "w", 1, dims, {0}, BP_E_MISMATCH, "another shape"},
      {2, "w", -1, dims, {0}, BP_E_MISMATCH, "another shape"},
      {2, "w", 99, dims, {0}, BP_E_MISMATCH, "another shape"},
      {2, "w", 2, NULL, {0}, BP_E_ARG, "dims"},
      {1, "v", 2, NULL, {0}, BP_E_ARG, "dims"},
      {1, NULL, 2, dims, {0}, BP_E_ARG, "name"},
      {1, "", 2, dims, {0}, BP_E_ARG, "name"},
      {2, "v", 2, dims, {0}, BP_E_NOTFOUND, "'v' was not met"},
      {1, "v", 2, none, {0}, BP_E_SHAPE, "'v'"},
      {1, "v", 2, negative, {0}, BP_E_SHAPE, "'v'"},
      {1, "v", 9, dims, {0}, BP_E_SHAPE, "'v'"},
      {1, "v", -1, dims, {0}, BP_E_SHAPE, "'v'"},
      {1, "v", 2, huge, {0}, BP_E_SHAPE, "'v'"},
      {1, "v", 2, dims, {BP_INIT_COUNT, 0}, BP_E_ARG, "initialiser"},
      {1, "v", 2, dims, {BP_INIT_NORMAL, (double)NAN}, BP_E_ARG, "finite"},
      {1, "v", 2, dims, {BP_INIT_HE, (double)INFINITY}, BP_E_ARG, "finite"},
  };
  for (size_t t = 0; t < COUNT(table); t++) {
    room r = room_new(*state, BP_FLOAT32);
    matrix(&r, "w", 3, 2, (bp_init){0});
    if (table[t].round == 2)
      assert_int_equal(bp_params_make(r.p, r.s, 1), BP_OK);
    bp_node n = bp_param(r.p, r.g, table[t].name, table[t].rank, table[t].dims, table[t].init);
    if (!bp_failed(n) || bp_graph_status(r.g) != table[t].status ||
        !strstr(bp_graph_error(r.g), table[t].says))
      fail_msg("row %zu: %s: %s", t, bp_status_name(bp_graph_status(r.g)), bp_graph_error(r.g));
    assert_int_equal(bp_params_count(r.p), 1);
    room_free(&r);
  }
  assert_true(bp_absent(bp_param(NULL, NULL, "w", 0, NULL, (bp_init){0})));
}

static void calls_out_of_order_or_without_arguments(void **state)
{
  room r = room_new(*state, BP_FLOAT32);
  matrix(&r, "layer.W", 3, 2, (bp_init){0});
  vector(&r, "layers", 3, (bp_init){0});
  assert_int_equal(bp_params_freeze(r.p, "lay"), BP_E_NOTFOUND);
  assert_int_equal(bp_params_freeze(r.p, NULL), BP_E_ARG);
  assert_int_equal(bp_params_freeze(NULL, "layer"), BP_E_ARG);
  assert_int_equal(bp_params_freeze(r.p, "layer"), BP_OK); /* layer.W, not layers */
  int64_t frozen;
  assert_int_equal(bp_params_size(r.p, &frozen), 3);
  assert_int_equal(frozen, 6);
  assert_int_equal(bp_params_make(NULL, r.s, 1), BP_E_ARG);
  assert_int_equal(bp_params_make(r.p, NULL, 1), BP_E_ARG);
  assert_int_equal(bp_params_make(r.p, r.s, 1), BP_OK);
  assert_int_equal(bp_params_make(r.p, r.s, 1), BP_E_ORDER);
  assert_int_equal(bp_params_freeze(r.p, "layers"), BP_E_ORDER);
  assert_int_equal(bp_params_at(r.p, 2, NULL, NULL, NULL, NULL), BP_E_RANGE);
  assert_int_equal(bp_params_at(r.p, -1, NULL, NULL, NULL, NULL), BP_E_RANGE);
  assert_int_equal(bp_params_at(NULL, 0, NULL, NULL, NULL, NULL), BP_E_RANGE);
  assert_int_equal(bp_params_count(NULL), 0);
  assert_int_equal(bp_params_size(NULL, NULL), 0);
  assert_null(bp_params_new(NULL));
  room_free(&r);

  /* Entries of that name that are someone else's. */
  r = room_new(*state, BP_FLOAT32);
  matrix(&r, "w", 3, 2, (bp_init){0});
  int entry;
  assert_int_equal(bp_state_add(r.s, "params", BP_REAL, 0, NULL, &entry), BP_OK);
  assert_int_equal(bp_params_make(r.p, r.s, 1), BP_E_EXISTS);
  room_free(&r);
}

/* ---- layers ---- */

static void dense_is_x_times_w_transposed_plus_b(void **state)
{
  room r = room_new(*state, BP_FLOAT64);
  const int64_t dims[3] = {2, 1, 3};
  const double data[6] = {1, 2, 3, -1, 0.5, 4};
  for (int round = 0; round < 2; round++) {
    bp_graph *g = bp_graph_new(*state);
    bp_node y =
        bp_dense(r.p, bp_array_constant(g, BP_REAL, 3, dims, data), "fc", 2, (bp_init){BP_INIT_HE, 0});
    bp_type type;
    assert_int_equal(bp_node_type(y, &type), BP_OK);
    assert_true(type.rank == 3 && type.dims[0] == 2 && type.dims[1] == 1 && type.dims[2] == 2);
    if (round == 0) {
      assert_int_equal(bp_params_count(r.p), 2);
      assert_int_equal(bp_params_make(r.p, r.s, 3), BP_OK);
    } else {
      const char *name;
      const double *w = values_of(r.p, 0);
      double *b = values_of(r.p, 1);
      assert_int_equal(bp_params_at(r.p, 0, &name, NULL, NULL, NULL), BP_OK);
      assert_string_equal(name, "fc.W");
      assert_int_equal(bp_params_at(r.p, 1, &name, NULL, NULL, NULL), BP_OK);
      assert_string_equal(name, "fc.b");
      assert_true(b[0] == 0 && b[1] == 0);
      b[1] = 10;
      for (size_t i = 0; i < 4; i++) {
        const double *x = data + i / 2 * 3, *row = w + i % 2 * 3;
        double want = x[0] * row[0] + x[1] * row[1] + x[2] * row[2] + b[i % 2];
        assert_true(fabs(value_at(*state, &r, y, i) - want) < 1e-13);
      }
    }
    bp_graph_free(g);
  }
  room_free(&r);
}

static void default_biases_start_above_zero(void **state)
{
  room r = room_new(*state, BP_FLOAT32);
  bp_dense(r.p, bp_input(r.g, "x", BP_REAL, 2, (int64_t[]){4, 3}), "fc", 2, (bp_init){0});
  assert_int_equal(bp_params_make(r.p, r.s, 3), BP_OK);
  assert_true(((float *)values_of(r.p, 1))[1] == 0.1f);
  room_free(&r);
}

static void refused_layers(void **state)
{
  char long_name[200];
  memset(long_name, 'n', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  const struct {
    int rank;
    bp_dtype dtype;
    const char *name;
    int64_t out;
    bp_status status;
  } table[] = {
      {0, BP_REAL, "fc", 2, BP_E_ARG},      {2, BP_REAL, NULL, 2, BP_E_ARG},
      {2, BP_REAL, "fc", 0, BP_E_ARG},      {2, BP_REAL, "fc", -1, BP_E_ARG},
      {2, BP_REAL, long_name, 2, BP_E_ARG}, {2, BP_REAL, "fc", INT64_MAX, BP_E_SHAPE},
      {2, BP_INT64, "fc", 2, BP_E_DTYPE},
  };
  for (size_t t = 0; t < COUNT(table); t++) {
    room r = room_new(*state, BP_FLOAT32);
    bp_node x = bp_input(r.g, "x", table[t].dtype, table[t].rank, (int64_t[]){4, 3});
    bp_node y = bp_dense(r.p, x, table[t].name, table[t].out, (bp_init){0});
    if (!bp_failed(y) || bp_graph_status(r.g) != table[t].status)
      fail_msg("row %zu: %s: %s", t, bp_status_name(bp_graph_status(r.g)), bp_graph_error(r.g));
    room_free(&r);
  }
  room r = room_new(*state, BP_FLOAT32);
  bp_node x = bp_input(r.g, "x", BP_REAL, 1, (int64_t[]){3});
  assert_true(bp_failed(bp_dense(NULL, x, "fc", 2, (bp_init){0})));
  assert_true(bp_failed(bp_dense(r.p, BP_NO_NODE, "fc", 2, (bp_init){0})));
  room_free(&r);
}

/* ---- activations ---- */

static void named_activations_are_rows(void **state)
{
  static const char *const known[] = {
      "relu",         "tanh",       "sigmoid", "leaky_relu", "elu",         "selu",     "celu",
      "gelu",         "gelu_tanh",  "silu",    "mish",       "relu6",       "abs",      "softplus",
      "hard_sigmoid", "hard_swish", "sin",     "neg",        "log_sigmoid", "softsign", "square"};
  bp_graph *g = bp_graph_new(*state);
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){3, 4});
  for (size_t i = 0; i < COUNT(known); i++) {
    const bp_op *op = bp_op_find(known[i]);
    assert_non_null(op);
    bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
    for (int k = 0; op->attrs[k].kind != BP_ATTR_END; k++)
      attr[k].r = op->attrs[k].preset;
    bp_node y, a = bp_activation(x, known[i]);
    assert_int_equal(bp_apply(g, op, &x, 1, attr, &y), BP_OK);
    assert_false(bp_failed(a));
    assert_int_equal(a.index, y.index); /* the very node */
  }
  assert_int_equal(bp_activation(x, "leaky_relu(0.2)").index, bp_leaky_relu(x, 0.2).index);
  assert_int_equal(bp_activation(x, "elu(2)").index, bp_elu(x, 2).index);
  assert_int_equal(bp_activation(x, "none").index, x.index);
  assert_int_equal(bp_activation(x, NULL).index, x.index);
  bp_type type;
  assert_int_equal(bp_node_type(bp_activation(x, "maxout(2)"), &type), BP_OK);
  assert_true(type.rank == 2 && type.dims[0] == 3 && type.dims[1] == 2);
  assert_int_equal(bp_activation(x, "maxout").index, bp_activation(x, "maxout(2)").index);
  assert_int_equal(bp_node_type(bp_activation(x, "maxout(4)"), &type), BP_OK);
  assert_int_equal(type.dims[1], 1);
  assert_int_equal(bp_graph_status(g), BP_OK);
  bp_graph_free(g);
}

/* Every row of the table: it is an activation, or it is refused with a message; none crashes, none changes the rows of x. */
static void all_rows_of_the_table_as_activations(void **state)
{
  size_t good = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    bp_graph *g = bp_graph_new(*state);
    bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){6, 4}), y = bp_activation(x, op->name);
    bp_type type;
    if (bp_failed(y)) {
      assert_int_not_equal(bp_graph_status(g), BP_OK);
      assert_non_null(strstr(bp_graph_error(g), op->name));
    } else {
      assert_int_equal(bp_node_type(y, &type), BP_OK);
      assert_true(type.dtype == BP_REAL && type.rank == 2 && type.dims[0] == 6 && !op->zero);
      if (!(op->traits & BP_ELEMENTWISE))
        assert_string_equal(op->name, "maxout");
      good++;
    }
    bp_graph_free(g);
  }
  assert_true(good >= 30);
}

static void refused_activations(void **state)
{
  char long_name[100];
  memset(long_name, 'n', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  const struct {
    const char *text;
    bp_status status;
  } table[] = {
      {"", BP_E_NOTFOUND},
      {"rellu", BP_E_NOTFOUND},
      {"relu ", BP_E_NOTFOUND},
      {"RELU", BP_E_NOTFOUND},
      {long_name, BP_E_NOTFOUND},
      {"(2)", BP_E_NOTFOUND},
      {"maxout(", BP_E_NOTFOUND},
      {"maxout()", BP_E_NOTFOUND},
      {"maxout(2", BP_E_NOTFOUND},
      {"maxout(2) ", BP_E_NOTFOUND},
      {"maxout(x)", BP_E_NOTFOUND},
      {"%n%s(1)", BP_E_NOTFOUND},
      {"softmax", BP_E_NOTFOUND},
      {"cumsum", BP_E_NOTFOUND},
      {"log_softmax", BP_E_NOTFOUND},
      {"dropout", BP_E_NOTFOUND},
      {"cast", BP_E_NOTFOUND},
      {"transpose", BP_E_NOTFOUND},
      {"floor", BP_E_NOTFOUND},
      {"sum", BP_E_NOTFOUND},
      {"stop_gradient", BP_E_NOTFOUND},
      {"add", BP_E_NOTFOUND},
      {"prelu", BP_E_NOTFOUND},
      {"isfinite", BP_E_NOTFOUND},
      {"argmax", BP_E_NOTFOUND},
      {"one_hot(3)", BP_E_NOTFOUND},
      {"input", BP_E_NOTFOUND},
      {"relu(3)", BP_E_ARG},
      {"clip", BP_E_ARG},
      {"clip(2)", BP_E_ARG},
      {"maxout(0)", BP_E_ARG},
      {"maxout(-2)", BP_E_ARG},
      {"maxout(1.5)", BP_E_ARG},
      {"maxout(1e30)", BP_E_ARG},
      {"maxout(nan)", BP_E_ARG},
      {"maxout(3)", BP_E_SHAPE},
      {"leaky_relu(nan)", BP_E_ARG},
  };
  for (size_t t = 0; t < COUNT(table); t++) {
    bp_graph *g = bp_graph_new(*state);
    bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){3, 4});
    bp_node y = bp_activation(x, table[t].text);
    if (!bp_failed(y) || bp_graph_status(g) != table[t].status || !*bp_graph_error(g))
      fail_msg("'%s': %s: %s", table[t].text, bp_status_name(bp_graph_status(g)), bp_graph_error(g));
    bp_graph_free(g);
  }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(moments_and_ranges),
      TEST(orthonormal_rows_or_columns),
      TEST(mirrored_rows_come_in_pairs),
      TEST(vectors_start_at_zero_and_count_as_columns),
      TEST(draws_depend_on_seed_order_and_shape_alone),
      TEST(two_rounds_give_views_of_one_vector),
      TEST(refused_parameters),
      TEST(calls_out_of_order_or_without_arguments),
      TEST(dense_is_x_times_w_transposed_plus_b),
      TEST(default_biases_start_above_zero),
      TEST(refused_layers),
      TEST(named_activations_are_rows),
      TEST(all_rows_of_the_table_as_activations),
      TEST(refused_activations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Local Jacobians: golden numbers for each class, winners and ties, misuse, faults. (That they equal differences for every row is a law.) */
#include "support/failing.h"
#include "support/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bp_node input(world *w, const char *name, int rank, const int64_t *dims)
{
  return bp_input(w->g, name, BP_REAL, rank, dims);
}

static bp_node vector(world *w, const char *name, int64_t n)
{
  return input(w, name, 1, &n);
}

static bp_local *local(bp_node y, int i)
{
  bp_local *l;
  uint32_t mark = bp_graph_mark(y.graph);
  bp_status s = bp_local_new(y, i, 0, &l);
  if (s != BP_OK)
    print_error("%s\n", bp_error());
  assert_int_equal(s, BP_OK);
  assert_int_equal(bp_graph_mark(y.graph), mark);
  return l;
}

static void bind(bp_local *l, const char *name, const double *x, size_t n)
{
  assert_int_equal(bp_local_bind(l, name, x, n * sizeof *x), BP_OK);
}

static void run(bp_local *l)
{
  bp_status s = bp_local_run(l);
  if (s != BP_OK)
    print_error("%s\n", bp_error());
  assert_int_equal(s, BP_OK);
}

static void is(const bp_local *l, bp_jac jac, int64_t stored)
{
  const bp_local_info *i = bp_local_info_of(l);
  assert_string_equal(bp_jac_name(i->jac), bp_jac_name(jac));
  assert_int_equal(i->stored, stored);
}

static void has_values(const bp_local *l, const double *want)
{
  const double *v;
  const bp_local_info *i = bp_local_info_of(l);
  assert_int_equal(bp_local_values(l, &v, NULL, NULL, NULL), BP_OK);
  assert_non_null(v);
  for (int64_t k = 0; k < i->stored; k++)
    assert_true(fabs(v[k] - want[k]) <= 1e-15 * fabs(want[k]));
}

static void has_index(const bp_local *l, const int64_t *want)
{
  const int64_t *at;
  const bp_local_info *i = bp_local_info_of(l);
  assert_int_equal(bp_local_values(l, NULL, &at, NULL, NULL), BP_OK);
  assert_non_null(at);
  for (int64_t k = 0; k < i->stored; k++)
    assert_int_equal(at[k], want[k]);
}

/* ---- classes ---- */

/* The lecture's example: 4,096 numbers in, 4,096 out; as a matrix the Jacobian would have 16,777,216 numbers. */
static void relu_on_4096_is_diagonal(void **state)
{
  world *w = *state;
  enum { N = 4096 };
  static double x[N], v[N], out[N];
  bp_node n = vector(w, "x", N);
  bp_local *l = local(bp_relu(n), 0);
  is(l, BP_JAC_DIAGONAL, N);
  for (int i = 0; i < N; i++) {
    x[i] = (i * 37 % 101) - 50;
    v[i] = i;
  }
  bind(l, "x", x, N);
  run(l);
  assert_int_equal(bp_local_vjp(l, v, out), BP_OK);
  for (int i = 0; i < N; i++)
    assert_true(out[i] == (x[i] > 0 ? i : 0));
  double *matrix;
  assert_int_equal(bp_local_dense(l, 4096 * 4096 - 1, &matrix), BP_E_LIMIT);
  assert_null(matrix);
  bp_local_free(l);
}

static void identities_keep_nothing(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 3), y = vector(w, "y", 3);
  bp_local *l = local(bp_add(x, y), 1);
  is(l, BP_JAC_IDENTITY, 0);
  run(l); /* nothing is bound: nothing is needed */
  double v[3] = {1, 2, 3}, out[3];
  assert_int_equal(bp_local_jvp(l, v, out), BP_OK);
  assert_memory_equal(out, v, sizeof v);
  bp_local_free(l);
  l = local(bp_sub(x, y), 1);
  is(l, BP_JAC_SCALED, 1);
  run(l);
  has_values(l, (double[]){-1});
  bp_local_free(l);
  l = local(bp_floor(x), 0);
  is(l, BP_JAC_ZERO, 0);
  run(l);
  assert_int_equal(bp_local_jvp(l, v, out), BP_OK);
  assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
  bp_local_free(l);
}

static void a_transpose_is_a_permutation(void **state)
{
  world *w = *state;
  bp_local *l = local(bp_transpose(input(w, "x", 2, (int64_t[]){2, 3}), NULL, 0), 0);
  is(l, BP_JAC_PERMUTATION, 6);
  run(l);
  has_index(l, (int64_t[]){0, 3, 1, 4, 2, 5}); /* y[j][i] = x[i][j], x[i][j] being element 3 i + j */
  bp_local_free(l);
}

/* y = a b: y[i, j] depends on a[i, k] by b[k, j]. By a: a block for each row of a, which is b transposed. By b: row (i, j) has the entries
 * a[i, 0], a[i, 1] in columns (0, j) and (1, j). */
static void a_product_by_either_side(void **state)
{
  world *w = *state;
  const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8, 9, 10};
  bp_node na = input(w, "a", 2, (int64_t[]){2, 2}), nb = input(w, "b", 2, (int64_t[]){2, 3});
  bp_node y = bp_matmul(na, nb);
  bp_local *l = local(y, 0);
  is(l, BP_JAC_BLOCK, 12);
  assert_int_equal(bp_local_info_of(l)->blocks, 2);
  assert_int_equal(bp_local_info_of(l)->block_rows, 3);
  assert_int_equal(bp_local_info_of(l)->block_cols, 2);
  bind(l, "a", a, 4);
  bind(l, "b", b, 6);
  run(l);
  has_values(l, (double[]){5, 8, 6, 9, 7, 10, 5, 8, 6, 9, 7, 10});
  bp_local_free(l);
  l = local(y, 1);
  is(l, BP_JAC_SPARSE, 12);
  bind(l, "a", a, 4);
  run(l);
  has_values(l, (double[]){1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4});
  const int64_t *start;
  const int32_t *col, want[] = {0, 3, 1, 4, 2, 5, 0, 3, 1, 4, 2, 5};
  assert_int_equal(bp_local_values(l, NULL, NULL, &start, &col), BP_OK);
  for (int k = 0; k < 12; k++)
    assert_int_equal(col[k], want[k]);
  for (int i = 0; i <= 6; i++)
    assert_int_equal(start[i], 2 * i);
  bp_local_free(l);
}

/* d p[i] / d x[j] = p[i] (1 if i = j, else 0, less p[j]); rows of a batch do not meet. For x = 0, ln 3: p = 1/4, 3/4. */
static void softmax_is_block_diagonal(void **state)
{
  world *w = *state;
  const double x[] = {0, log(3), 0, 0};
  bp_local *l = local(bp_softmax(input(w, "x", 2, (int64_t[]){2, 2}), -1), 0);
  is(l, BP_JAC_BLOCK, 8);
  bind(l, "x", x, 4);
  run(l);
  has_values(l, (double[]){0.1875, -0.1875, -0.1875, 0.1875, 0.25, -0.25, -0.25, 0.25});
  double *all,
      want[16] = {0.1875, -0.1875, 0, 0, -0.1875, 0.1875, 0, 0, 0, 0, 0.25, -0.25, 0, 0, -0.25, 0.25};
  assert_int_equal(bp_local_dense(l, 16, &all), BP_OK);
  for (int k = 0; k < 16; k++)
    assert_true(fabs(all[k] - want[k]) < 1e-15);
  bp_free(w->ctx, all);
  bp_local_free(l);
}

static void sums_spread_and_copies_select(void **state)
{
  world *w = *state;
  const int64_t last = 1;
  bp_node x = input(w, "x", 2, (int64_t[]){2, 2});
  bp_local *l = local(bp_sum(x, &last, 1, false), 0);
  is(l, BP_JAC_SPREAD, 4);
  run(l);
  has_values(l, (double[]){1, 1, 1, 1});
  has_index(l, (int64_t[]){0, 0, 1, 1}); /* the row of each column */
  double v[4] = {1, 2, 3, 4}, out[4];
  assert_int_equal(bp_local_jvp(l, v, out), BP_OK);
  assert_true(out[0] == 3 && out[1] == 7);
  assert_int_equal(bp_local_vjp(l, v, out), BP_OK);
  assert_true(out[0] == 1 && out[1] == 1 && out[2] == 2 && out[3] == 2);
  bp_local_free(l);
  l = local(bp_mean(x, NULL, 0, false), 0);
  is(l, BP_JAC_SPREAD, 4);
  run(l);
  has_values(l, (double[]){0.25, 0.25, 0.25, 0.25});
  bp_local_free(l);
  l = local(bp_broadcast(vector(w, "v", 2), (int64_t[]){2, 2}, 2), 0);
  is(l, BP_JAC_SELECT, 4);
  run(l);
  has_index(l, (int64_t[]){0, 1, 0, 1}); /* the column of each row */
  bp_local_free(l);
}

/* Where an index is a value, the places are those of the last run. */
static void places_follow_the_index(void **state)
{
  world *w = *state;
  const int64_t three = 3, first[] = {2, 0, 2}, second[] = {1, 1, 1};
  bp_node x = vector(w, "x", 4), at = bp_input(w->g, "at", BP_INT64, 1, &three);
  bp_local *l = local(bp_gather(x, at, 0), 0);
  is(l, BP_JAC_SELECT, 3);
  assert_int_equal(bp_local_bind(l, "at", first, sizeof first), BP_OK);
  run(l);
  has_index(l, first);
  has_values(l, (double[]){1, 1, 1});
  assert_int_equal(bp_local_bind(l, "at", second, sizeof second), BP_OK);
  run(l);
  has_index(l, second);
  bp_local_free(l);
  l = local(bp_scatter_add(vector(w, "u", 3), at, 0, 5), 0);
  is(l, BP_JAC_SPREAD, 3);
  assert_int_equal(bp_local_bind(l, "at", first, sizeof first), BP_OK);
  run(l);
  has_index(l, first);
  bp_local_free(l);
}

/* ---- nothing but the one input moves ---- */

static void the_same_node_at_two_inputs(void **state)
{
  world *w = *state;
  const double x[] = {2, 3};
  bp_node n = vector(w, "x", 2);
  bp_node squares[] = {bp_mul(n, n), bp_dot(n, n), bp_outer(n, n), bp_mul(n, bp_exp(n))};
  for (int i = 0; i < 2; i++) {
    bp_local *l = local(squares[0], i); /* by either input x, not 2 x */
    bind(l, "x", x, 2);
    run(l);
    has_values(l, x);
    bp_local_free(l);
    l = local(squares[1], i); /* known by its definition alone */
    is(l, BP_JAC_SPREAD, 2);
    bind(l, "x", x, 2);
    run(l);
    has_values(l, x);
    bp_local_free(l);
  }
  bp_local *l = local(squares[2], 1); /* y[i, j] = x[i] x[j] by x[j]: x[i] */
  is(l, BP_JAC_SELECT, 4);
  bind(l, "x", x, 2);
  run(l);
  has_values(l, (double[]){2, 2, 3, 3});
  has_index(l, (int64_t[]){0, 1, 0, 1});
  bp_local_free(l);
  l = local(squares[3], 0); /* x e^x by its first factor: e^x, though e^x depends on x too */
  bind(l, "x", x, 2);
  run(l);
  has_values(l, (double[]){exp(2), exp(3)});
  bp_local_free(l);
}

/* A constant that the builder keeps as one number. */
static void constants_may_be_asked_too(void **state)
{
  world *w = *state;
  bp_node two = bp_full(w->g, BP_REAL, 2, 1, (int64_t[]){3});
  bp_local *l = local(bp_dot(two, two), 1);
  is(l, BP_JAC_SPREAD, 3);
  run(l);
  has_values(l, (double[]){2, 2, 2});
  bp_local_free(l);
}

/* ---- routers ---- */

static void a_max_shows_its_winner(void **state)
{
  world *w = *state;
  const int64_t last = 1;
  const double x[] = {1, 7, 7, 5, 2, 3, NAN, 9, 1};
  bp_node n = input(w, "x", 2, (int64_t[]){3, 3});
  bp_local *l = local(bp_max(n, &last, 1, false), 0);
  is(l, BP_JAC_SELECT, 3);
  bind(l, "x", x, 9);
  run(l);
  has_index(l, (int64_t[]){1, 3, 6}); /* the first of the two sevens; 5; NaN wins */
  has_values(l, (double[]){1, 1, 1});
  bp_local_free(l);
  l = local(bp_min(n, NULL, 0, false), 0);
  is(l, BP_JAC_SELECT, 1);
  double y[9];
  memcpy(y, x, sizeof y);
  y[6] = 4;
  bind(l, "x", y, 9);
  run(l);
  has_index(l, (int64_t[]){0}); /* the first of the two ones */
  bp_local_free(l);
  l = local(bp_maxout(n, 3), 0);
  is(l, BP_JAC_SELECT, 3);
  bind(l, "x", y, 9);
  run(l);
  has_index(l, (int64_t[]){1, 3, 7});
  bp_local_free(l);
}

/* What the row gives for an input at a tie: 1 for the winner, 0 for the other. */
static void tie(bp_node y, int i, const double *x, double want)
{
  bp_local *l = local(y, i);
  is(l, BP_JAC_DIAGONAL, 1);
  bind(l, "a", x, 1);
  bind(l, "b", x, 1);
  run(l);
  has_values(l, &want);
  bp_local_free(l);
}

/* Ties go to a constant operand, else to the first; so maximum(0, x), maximum(x, 0) and relu(x) agree at 0. */
static void ties_go_where_the_house_says(void **state)
{
  world *w = *state;
  const double zero = 0, one = 1;
  bp_node a = vector(w, "a", 1), b = vector(w, "b", 1), c = bp_full(w->g, BP_REAL, 0, 1, (int64_t[]){1});
  tie(bp_maximum(a, b), 0, &one, 1);
  tie(bp_maximum(a, b), 1, &one, 0);
  tie(bp_minimum(a, b), 0, &one, 1);
  tie(bp_minimum(a, b), 1, &one, 0);
  tie(bp_maximum(c, a), 0, &zero, 1);
  tie(bp_maximum(c, a), 1, &zero, 0);
  tie(bp_maximum(a, c), 0, &zero, 0);
  tie(bp_maximum(a, c), 1, &zero, 1);
  tie(bp_minimum(a, c), 0, &zero, 0);
  tie(bp_relu(a), 0, &zero, 0);
  tie(bp_abs(a), 0, &zero, 0);
  tie(bp_clip(a, 0, 1), 0, &zero, 0);
  tie(bp_clip(a, 0, 1), 0, &one, 0);
  tie(bp_leaky_relu(a, 0.25), 0, &zero, 0.25);
  tie(bp_elu(a, 0.5), 0, &zero, 0.5);
}

/* ---- as nodes of the caller's own plan ---- */

static void nodes_run_with_everything_else(void **state)
{
  world *w = *state;
  const int64_t last = 1;
  const float x[] = {1, 7, 2, 5, 2, 3};
  bp_node n = input(w, "x", 2, (int64_t[]){2, 3}), y = bp_max(n, &last, 1, false);
  bp_local_nodes parts;
  assert_int_equal(bp_local_build(y, 0, 0, &parts), BP_OK);
  assert_int_equal(parts.info.jac, BP_JAC_SELECT);
  bp_node out[] = {y, parts.values, parts.index};
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = out, .n_outputs = 3};
  bp_plan *plan;
  bp_run *r;
  assert_int_equal(bp_plan_new(w->g, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &r), BP_OK);
  assert_int_equal(bp_run_bind(r, "x", x, sizeof x), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  double got[2];
  assert_int_equal(bp_run_get(r, 2, got, 2), BP_OK);
  assert_true(got[0] == 1 && got[1] == 3);
  bp_run_free(r);
  bp_plan_free(plan);
  /* Its values are nodes like others: they have gradients. d/dx sum of exp'(x) = e^x. */
  bp_node v = vector(w, "v", 2), g;
  assert_int_equal(bp_local_build(bp_exp(v), 0, 0, &parts), BP_OK);
  assert_int_equal(bp_grad(bp_sum(parts.values, NULL, 0, false), &v, 1, &g), BP_OK);
  assert_false(bp_failed(g));
}

static void it_outlives_its_graph(void **state)
{
  world *w = *state;
  const double x[] = {4};
  bp_graph *g = bp_graph_new(w->ctx);
  bp_node n = bp_input(g, "x", BP_REAL, 1, (int64_t[]){1});
  bp_input(g, "other", BP_REAL, 0, NULL);
  bp_local *l = local(bp_sqrt(n), 0);
  bp_graph_free(g);
  bind(l, "other", x, 1); /* not needed, but the graph had it */
  assert_int_equal(bp_local_bind(l, "nothing", x, sizeof x), BP_E_NOTFOUND);
  bind(l, "x", x, 1);
  run(l);
  has_values(l, (double[]){0.25});
  bp_local_free(l);
}

/* A parameter is read from the state as it is at each run. */
static void parameters_are_read_from_the_state(void **state)
{
  world *w = *state;
  const int64_t two = 2;
  int entry;
  void *data;
  bp_state *s = bp_state_new(w->ctx, BP_FLOAT64);
  assert_int_equal(bp_state_add(s, "w", BP_REAL, 1, &two, &entry), BP_OK);
  assert_int_equal(bp_state_array(s, entry, NULL, NULL, &data), BP_OK);
  bp_local *l = local(bp_mul(bp_read(w->g, s, entry), vector(w, "x", 2)), 1);
  for (int i = 0; i < 2; i++) {
    double now[2] = {3 + i, 5 - i};
    memcpy(data, now, sizeof now);
    run(l); /* by x it is w: x itself need not be bound */
    has_values(l, now);
  }
  bp_local_free(l);
  bp_graph_free(w->g);
  w->g = NULL;
  bp_state_free(s);
}

/* ---- misuse ---- */

static void misuse_is_refused(void **state)
{
  world *w = *state;
  bp_node x = vector(w, "x", 5), y = bp_softmax(x, 0), at = bp_argmax(x, 0, false);
  bp_local_info info;
  bp_local_nodes nodes;
  bp_local *l;
  uint32_t mark = bp_graph_mark(w->g);
  assert_int_equal(bp_local_look(y, 1, 0, &info), BP_E_RANGE);
  assert_int_equal(bp_local_look(y, -1, 0, &info), BP_E_RANGE);
  assert_int_equal(bp_local_look(x, 0, 0, &info), BP_E_RANGE); /* an input has no inputs */
  assert_int_equal(bp_local_look(at, 0, 0, &info), BP_E_DTYPE);
  assert_int_equal(bp_local_look(BP_NO_NODE, 0, 0, &info), BP_E_GRAPH);
  assert_int_equal(bp_local_look(y, 0, 0, NULL), BP_E_ARG);
  assert_int_equal(bp_local_look(y, 0, -1, &info), BP_E_ARG);
  assert_int_equal(bp_local_look(y, 0, 24, &info), BP_E_LIMIT); /* it has 25 */
  assert_non_null(strstr(bp_error(), "more than the 24 numbers allowed"));
  assert_int_equal(bp_local_build(y, 0, 24, &nodes), BP_E_LIMIT);
  assert_int_equal(bp_local_build(y, 0, 0, NULL), BP_E_ARG);
  assert_int_equal(bp_local_new(y, 0, 24, &l), BP_E_LIMIT);
  assert_null(l);
  assert_int_equal(bp_local_new(y, 0, 0, NULL), BP_E_ARG);
  assert_int_equal(bp_graph_mark(w->g), mark);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
  l = local(y, 0);
  double v[5] = {0}, out[5], *matrix, *value;
  int64_t *start, *col;
  assert_int_equal(bp_local_run(l), BP_E_UNBOUND);
  assert_int_equal(bp_local_jvp(l, v, out), BP_E_ORDER);
  assert_int_equal(bp_local_values(l, NULL, NULL, NULL, NULL), BP_E_ORDER);
  assert_int_equal(bp_local_bind(l, "x", v, 8), BP_E_SHAPE);
  assert_int_equal(bp_local_bind(l, NULL, v, 8), BP_E_ARG);
  bind(l, "x", v, 5);
  run(l);
  assert_int_equal(bp_local_csr(l, 24, &start, &col, &value), BP_E_LIMIT);
  assert_null(start);
  assert_int_equal(bp_local_csr(l, 25, &start, &col, NULL), BP_E_ARG);
  assert_int_equal(bp_local_dense(l, 25, &matrix), BP_OK);
  bp_free(w->ctx, matrix);
  assert_int_equal(bp_local_jvp(l, NULL, out), BP_E_ARG);
  assert_int_equal(bp_local_vjp(NULL, v, out), BP_E_ARG);
  bp_local_free(l);
  bp_local_free(NULL);
  assert_null(bp_local_info_of(NULL));
  assert_string_equal(bp_jac_name((bp_jac)99), "?");
}

/* An embedding of a large table: the index may name any row, and still only places and numbers of the result are kept. */
static void large_selections_stay_small(void **state)
{
  world *w = *state;
  bp_node table = input(w, "table", 2, (int64_t[]){100000, 64});
  bp_node words = bp_input(w->g, "words", BP_INT64, 1, (int64_t[]){32});
  bp_local_info info;
  assert_int_equal(bp_local_look(bp_gather(table, words, 0), 0, 0, &info), BP_OK);
  assert_int_equal(info.jac, BP_JAC_SELECT);
  assert_int_equal(info.stored, 32 * 64);
  assert_int_equal(info.cols, 6400000);
}

/* ---- memory ---- */

static bp_status use_all(bp_ctx *ctx)
{
  const double x[] = {1, 2, 3, 4};
  bp_graph *g = bp_graph_new(ctx);
  bp_local *l = NULL;
  bp_status s = BP_E_NOMEM;
  double *matrix = NULL, *value = NULL;
  int64_t *start = NULL, *col = NULL;
  if (g) {
    bp_node n = bp_input(g, "x", BP_REAL, 2, (int64_t[]){2, 2}), some[4];
    some[0] = bp_softmax(n, 0); /* sparse */
    some[1] = bp_maxout(n, 2);  /* select, by its definition */
    some[2] = bp_matmul(n, n);  /* blocks, from the other side */
    some[3] = bp_transpose(n, NULL, 0);
    s = bp_graph_status(g);
    for (int i = 0; s == BP_OK && i < 4; i++) {
      s = bp_local_new(some[i], 0, 0, &l);
      if (s == BP_OK)
        s = bp_local_bind(l, "x", x, sizeof x);
      if (s == BP_OK)
        s = bp_local_run(l);
      if (s == BP_OK)
        s = bp_local_csr(l, 16, &start, &col, &value);
      if (s == BP_OK)
        s = bp_local_dense(l, 16, &matrix);
      bp_free(ctx, start);
      bp_free(ctx, col);
      bp_free(ctx, value);
      bp_free(ctx, matrix);
      start = col = NULL;
      value = matrix = NULL;
      bp_local_free(l);
    }
    if (s != BP_OK)
      assert_true(bp_graph_status(g) == BP_OK || bp_graph_status(g) == BP_E_NOMEM);
  }
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(use_all) > 100);
}

int main(void)
{
#define IN_A_GRAPH(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
  const struct CMUnitTest tests[] = {
      IN_A_GRAPH(relu_on_4096_is_diagonal),
      IN_A_GRAPH(identities_keep_nothing),
      IN_A_GRAPH(a_transpose_is_a_permutation),
      IN_A_GRAPH(a_product_by_either_side),
      IN_A_GRAPH(softmax_is_block_diagonal),
      IN_A_GRAPH(sums_spread_and_copies_select),
      IN_A_GRAPH(places_follow_the_index),
      IN_A_GRAPH(the_same_node_at_two_inputs),
      IN_A_GRAPH(constants_may_be_asked_too),
      IN_A_GRAPH(a_max_shows_its_winner),
      IN_A_GRAPH(ties_go_where_the_house_says),
      IN_A_GRAPH(nodes_run_with_everything_else),
      IN_A_GRAPH(it_outlives_its_graph),
      IN_A_GRAPH(parameters_are_read_from_the_state),
      IN_A_GRAPH(misuse_is_refused),
      IN_A_GRAPH(large_selections_stay_small),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

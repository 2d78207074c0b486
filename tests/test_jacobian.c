/* Whole Jacobians and Hessians: structure, number of sweeps, and values equal to those of one sweep a column and of differences. */
#include "check/eval.h"
#include "support/failing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bp_ctx *ctx;

enum { FEW = 3 };

/* A function between nodes, and the point where it is looked at: every real input gets the values of `at`, one after another. */
typedef struct world {
  bp_graph *g;
  bp_node y[FEW], x[FEW], in[FEW]; /* in: what is bound; usually x */
  size_t n_y, n_x, n_in;
} world;

typedef void (*maker)(world *w);

static double at(int64_t k)
{
  return 0.3 * sin(1.7 * (double)k) + 0.05 * (double)(k % 7) + 0.02; /* nothing at a kink */
}

static bp_node real_input(world *w, const char *name, int rank, int64_t a, int64_t b)
{
  bp_node n = bp_input(w->g, name, BP_REAL, rank, (int64_t[]){a, b});
  w->in[w->n_in++] = n;
  return n;
}

static bp_node part(bp_node x, int64_t from, int64_t to)
{
  int64_t one = 1;
  return bp_slice(x, &from, 1, &to, 1, &one, 1);
}

static bp_node total(bp_node x)
{
  return bp_sum(x, NULL, 0, false);
}

static bp_node number(world *w, double v)
{
  return bp_constant(w->g, v);
}

static void one_by_one(world *w, bp_node y, bp_node x)
{
  w->y[0] = y;
  w->x[0] = x;
  w->n_y = w->n_x = 1;
}

/* ---- functions ---- */

static void make_relu(world *w)
{
  bp_node x = real_input(w, "x", 1, 4096, 0);
  one_by_one(w, bp_relu(bp_sub(x, number(w, 0.1))), x);
}

static void make_differences(world *w)
{
  bp_node x = real_input(w, "x", 1, 50, 0);
  one_by_one(w, bp_sub(part(x, 1, 50), part(x, 0, 49)), x);
}

/* Broyden's tridiagonal function: (3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1, with zeros beyond the ends. */
static void make_tridiagonal(world *w)
{
  int64_t one = 1, n = 64;
  bp_node x = real_input(w, "x", 1, n, 0), p = bp_pad(x, &one, 1, &one, 1, 0);
  bp_node own = bp_mul(bp_sub(number(w, 3), bp_mul(number(w, 2), x)), x);
  bp_node next = bp_add(part(p, 0, n), bp_mul(number(w, 2), part(p, 2, n + 2)));
  one_by_one(w, bp_add(bp_sub(own, next), number(w, 1)), x);
}

/* exp(u) and the five-point Laplacian of u on 12 x 12 (Bratu's problem). */
static void make_stencil(world *w)
{
  enum { N = 12 };
  bp_node x = real_input(w, "x", 2, N, N), p = bp_pad(x, (int64_t[]){1, 1}, 2, (int64_t[]){1, 1}, 2, 0);
  static const int64_t begin[4][2] = {{0, 1}, {2, 1}, {1, 0}, {1, 2}};
  bp_node sum = bp_add(bp_mul(number(w, -4), x), bp_exp(x));
  for (int k = 0; k < 4; k++)
    sum = bp_add(sum, bp_slice(p, begin[k], 2, (int64_t[]){begin[k][0] + N, begin[k][1] + N}, 2,
                               (int64_t[]){1, 1}, 2));
  one_by_one(w, sum, x);
}

static bp_node weights(world *w, int64_t rows, int64_t cols)
{
  double v[512];
  for (int64_t k = 0; k < rows * cols; k++)
    v[k] = cos(1.1 * (double)k) / 2;
  return bp_array_constant(w->g, BP_REAL, 2, (int64_t[]){rows, cols}, v);
}

/* Six examples of 4 through a network of 5 and 3: six blocks of 3 x 4. */
static void make_network(world *w)
{
  bp_node x = real_input(w, "x", 2, 6, 4);
  one_by_one(w, bp_matmul(bp_tanh(bp_matmul(x, weights(w, 4, 5))), weights(w, 5, 3)), x);
}

/* As many sweeps as need several runs of a plan. */
static void make_dense(world *w)
{
  bp_node x = real_input(w, "x", 1, 23, 0);
  bp_node row = bp_reshape(x, (int64_t[]){1, 23}, 2);
  one_by_one(w, bp_tanh(bp_matmul(row, weights(w, 23, 20))), x);
}

static void make_arrow(world *w)
{
  bp_node x = real_input(w, "x", 1, 40, 0), head = part(x, 0, 1);
  w->y[0] = total(bp_square(x));
  w->y[1] = bp_mul(bp_sin(part(x, 1, 40)), head);
  w->x[0] = x;
  w->n_y = 2;
  w->n_x = 1;
}

/* 45 long rows and 45 long columns over a diagonal: both directions in several runs. */
static void make_wide_arrow(world *w)
{
  bp_node x = real_input(w, "x", 1, 60, 0), head = bp_reshape(part(x, 0, 20), (int64_t[]){1, 20}, 2);
  w->y[0] = bp_tanh(bp_matmul(bp_reshape(x, (int64_t[]){1, 60}, 2), weights(w, 60, 8)));
  bp_node far = bp_square(bp_matmul(head, weights(w, 20, 20)));
  bp_node both =
      bp_mul(bp_concat((bp_node[]){far, far}, 2, 1), bp_reshape(part(x, 20, 60), (int64_t[]){1, 40}, 2));
  w->y[1] = both;
  w->x[0] = x;
  w->n_y = 2;
  w->n_x = 1;
}

static void make_several(world *w)
{
  bp_node a = real_input(w, "a", 1, 5, 0), b = real_input(w, "b", 2, 2, 5), c = real_input(w, "c", 0, 0, 0);
  w->y[0] = bp_mul(bp_exp(a), b);
  w->y[1] = bp_mul(total(bp_square(b)), c);
  w->y[2] = bp_sin(c);
  w->x[0] = b;
  w->x[1] = c;
  w->x[2] = a;
  w->n_y = w->n_x = 3;
}

static void make_gradient(world *w)
{
  bp_node x = real_input(w, "x", 1, 30, 0);
  one_by_one(w, total(bp_mul(bp_sin(x), x)), x);
}

static void make_transposed(world *w)
{
  bp_node x = real_input(w, "x", 2, 4, 6);
  one_by_one(w, bp_transpose(x, (int64_t[]){1, 0}, 2), x);
}

static void make_identity(world *w)
{
  bp_node x = real_input(w, "x", 1, 9, 0);
  one_by_one(w, bp_reshape(x, (int64_t[]){3, 3}, 2), x);
}

static void make_picked(world *w)
{
  const int64_t pick[] = {7, 0, 0, 3}, n = 4;
  bp_node x = real_input(w, "x", 1, 8, 0);
  one_by_one(w, bp_square(bp_gather(x, bp_array_constant(w->g, BP_INT64, 1, &n, pick), 0)), x);
}

static void make_nothing(world *w)
{
  bp_node x = real_input(w, "x", 1, 6, 0), z = real_input(w, "z", 1, 4, 0);
  one_by_one(w, bp_exp(z), x);
}

static void make_empty(world *w)
{
  bp_node x = real_input(w, "x", 1, 0, 0);
  one_by_one(w, bp_exp(x), x);
}

/* With respect to a node in the middle. */
static void make_middle(world *w)
{
  bp_node x = real_input(w, "x", 1, 12, 0), middle = bp_mul(x, bp_exp(x));
  one_by_one(w, bp_mul(bp_sin(middle), x), middle);
}

/* ---- what is known of them ---- */

static const struct known {
  const char *name;
  maker make;
  int64_t rows, cols, entries;
  bp_jac kind;
  int64_t forward, reverse; /* of the automatic choice; -1: not stated */
  bool middle;              /* x cannot be moved: no differences */
} known[] = {
    {"relu", make_relu, 4096, 4096, 4096, BP_JAC_DIAGONAL, 0, 1, false},
    {"differences", make_differences, 49, 50, 98, BP_JAC_SPARSE, 2, 0, false},
    {"tridiagonal", make_tridiagonal, 64, 64, 190, BP_JAC_SPARSE, 3, 0, false},
    /* 5 entries a row, less the 4 x 12 that would lie outside */
    {"stencil", make_stencil, 144, 144, 5 * 144 - 48, BP_JAC_SPARSE, 5, 0, false},
    {"network", make_network, 18, 24, 6 * 12, BP_JAC_BLOCK, 0, 3, false},
    {"dense", make_dense, 20, 23, 460, BP_JAC_DENSE, 0, 20, false},
    {"arrow", make_arrow, 40, 40, 40 + 2 * 39, BP_JAC_SPARSE, 2, 1, false},
    {"wide arrow", make_wide_arrow, 48, 60, 8 * 60 + 40 * 21, BP_JAC_SPARSE, 21, 8, false},
    {"several", make_several, 12, 16, 10 * 2 + 11 + 1, BP_JAC_SPARSE, -1, -1, false},
    {"gradient", make_gradient, 1, 30, 30, BP_JAC_SPREAD, 0, 1, false},
    {"transposed", make_transposed, 24, 24, 24, BP_JAC_PERMUTATION, 0, 0, false},
    {"identity", make_identity, 9, 9, 9, BP_JAC_IDENTITY, 0, 0, false},
    {"picked", make_picked, 4, 8, 4, BP_JAC_SELECT, 1, 0, false},
    {"nothing", make_nothing, 4, 6, 0, BP_JAC_ZERO, 0, 0, false},
    {"empty", make_empty, 0, 0, 0, BP_JAC_ZERO, 0, 0, false},
    {"middle", make_middle, 12, 12, 12, BP_JAC_DIAGONAL, 0, 1, true},
};
enum { KNOWN = sizeof known / sizeof *known };

/* ---- values ---- */

static double *point_of(const world *w, size_t i)
{
  int64_t n = bp_node_size(w->in[i]);
  double *v = calloc((size_t)n + 1, sizeof *v);
  for (int64_t k = 0; k < n; k++)
    v[k] = at(k + 100 * (int64_t)i);
  return v;
}

static void open_world(world *w, maker make, bp_ctx *in)
{
  memset(w, 0, sizeof *w);
  w->g = bp_graph_new(in);
  make(w);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
}

/* All y, joined, with x[i][k] moved by h. */
static void values_at(const world *w, bpi_eval *e, double *const *points, double *y)
{
  (void)points;
  assert_int_equal(bpi_eval_step(e), BP_OK);
  for (size_t k = 0; k < w->n_y; k++) {
    assert_int_equal(bp_run_get(e->run, k, y, (size_t)bp_node_size(w->y[k])), BP_OK);
    y += bp_node_size(w->y[k]);
  }
}

static int64_t joined(const bp_node *n, size_t count)
{
  int64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += bp_node_size(n[i]);
  return sum;
}

static size_t input_of(const world *w, bp_node x)
{
  size_t i = 0;
  while (w->in[i].index != x.index)
    i++;
  return i;
}

/* The Jacobian by central differences of the fourth order: (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12 h. */
static double *differences(const world *w)
{
  int64_t rows = joined(w->y, w->n_y), cols = joined(w->x, w->n_x), col = 0;
  double *J = calloc((size_t)(rows * cols) + 1, sizeof *J), *y = calloc((size_t)rows + 1, sizeof *y),
         *points[FEW];
  static const double step[4] = {1e-3, -1e-3, 2e-3, -2e-3}, share[4] = {8, -8, -1, 1};
  bpi_eval e;
  assert_int_equal(bpi_eval_open(&e, w->g, BP_FLOAT64, w->y, w->n_y), BP_OK);
  for (size_t i = 0; i < w->n_in; i++) {
    points[i] = point_of(w, i);
    assert_int_equal(bpi_eval_bind(&e, w->in[i], points[i]), BP_OK);
  }
  for (size_t i = 0; i < w->n_x; i++) {
    double *p = points[input_of(w, w->x[i])];
    for (int64_t k = 0; k < bp_node_size(w->x[i]); k++, col++) {
      double keep = p[k];
      for (int s = 0; s < 4; s++) {
        p[k] = keep + step[s];
        values_at(w, &e, points, y);
        for (int64_t row = 0; row < rows; row++)
          J[row * cols + col] += share[s] * y[row] / 12e-3;
      }
      p[k] = keep;
    }
  }
  bpi_eval_close(&e);
  for (size_t i = 0; i < w->n_in; i++)
    free(points[i]);
  free(y);
  return J;
}

/* Binds the world's point to j, in its storage. Freed by the caller. */
static void bind_point(bp_jacobian *j, const world *w, void *memory[FEW])
{
  bp_jacobian_info info;
  assert_int_equal(bp_jacobian_info_of(j, &info), BP_OK);
  for (size_t i = 0; i < w->n_in; i++) {
    int64_t n = bp_node_size(w->in[i]);
    double *v = point_of(w, i);
    float *narrow = calloc((size_t)n + 1, sizeof *narrow);
    for (int64_t k = 0; k < n; k++)
      narrow[k] = (float)v[k];
    bool is_double = info.real == BP_FLOAT64;
    memory[i] = is_double ? (void *)v : (void *)narrow;
    free(is_double ? (void *)narrow : (void *)v);
    assert_int_equal(bp_jacobian_bind(j, bp_node_name(w->in[i]), memory[i], (size_t)n * (is_double ? 8 : 4)),
                     BP_OK);
  }
}

static void unbind_point(const world *w, void *memory[FEW])
{
  for (size_t i = 0; i < w->n_in; i++)
    free(memory[i]);
}

/* The matrix, dense, evaluated twice: a warm run gives the same bits. */
static double *dense_of(bp_jacobian *j, const world *w)
{
  bp_jacobian_info info;
  void *memory[FEW];
  bind_point(j, w, memory);
  assert_int_equal(bp_jacobian_info_of(j, &info), BP_OK);
  size_t n = (size_t)(info.rows * info.cols);
  double *J = calloc(n + 1, sizeof *J), *again = calloc(n + 1, sizeof *again);
  assert_int_equal(bp_jacobian_run(j), BP_OK);
  assert_int_equal(bp_jacobian_dense(j, J, n), BP_OK);
  assert_int_equal(bp_jacobian_run(j), BP_OK);
  assert_int_equal(bp_jacobian_dense(j, again, n), BP_OK);
  assert_memory_equal(J, again, n * sizeof *J);
  free(again);
  unbind_point(w, memory);
  return J;
}

static void assert_close(const double *a, const double *b, size_t n, double tol, const char *name)
{
  for (size_t k = 0; k < n; k++)
    if (!(fabs(a[k] - b[k]) <= tol * (1 + fabs(b[k]))))
      fail_msg("%s: element %zu is %.17g, should be %.17g", name, k, a[k], b[k]);
}

static bp_jacobian *jacobian_of(const world *w, bp_dtype real, bp_sweeps sweeps, bool products)
{
  bp_jacobian *j;
  bp_jacobian_options o = {.real = real, .sweeps = sweeps, .products = products};
  uint32_t mark = bp_graph_mark(w->g);
  bp_status s = bp_jacobian_new(w->y, w->n_y, w->x, w->n_x, &o, &j);
  if (s != BP_OK)
    fail_msg("%s: %s", bp_status_name(s), bp_error());
  assert_int_equal(bp_graph_mark(w->g), mark);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
  return j;
}

static void structure_and_sweeps_are_as_known(void **state)
{
  (void)state;
  for (size_t k = 0; k < KNOWN; k++) {
    const struct known *want = &known[k];
    world w;
    bp_jacobian_info i;
    open_world(&w, want->make, ctx);
    bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    bp_jacobian_info_of(j, &i);
    if (i.rows != want->rows || i.cols != want->cols || i.entries != want->entries || i.kind != want->kind ||
        (want->forward >= 0 && (i.forward != want->forward || i.reverse != want->reverse)))
      fail_msg("%s: %lld x %lld, %lld entries, class %d, %lld forward and %lld reverse sweeps", want->name,
               (long long)i.rows, (long long)i.cols, (long long)i.entries, (int)i.kind, (long long)i.forward,
               (long long)i.reverse);
    bp_jacobian_free(j);
    bp_graph_free(w.g);
  }
}

static void values_are_those_of_differences(void **state)
{
  (void)state;
  for (size_t k = 0; k < KNOWN; k++) {
    world w;
    if (known[k].middle || known[k].rows > 1000)
      continue;
    open_world(&w, known[k].make, ctx);
    double *want = differences(&w);
    size_t n = (size_t)(known[k].rows * known[k].cols);
    for (bp_sweeps sweeps = BP_SWEEPS_AUTO; sweeps <= BP_SWEEPS_BOTH; sweeps++) {
      bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, sweeps, false);
      double *J = dense_of(j, &w);
      assert_close(J, want, n, 1e-9, known[k].name);
      free(J);
      bp_jacobian_free(j);
    }
    bp_jacobian *j = jacobian_of(&w, BP_FLOAT32, BP_SWEEPS_AUTO, false);
    double *J = dense_of(j, &w);
    assert_close(J, want, n, 3e-5, known[k].name);
    free(J);
    free(want);
    bp_jacobian_free(j);
    bp_graph_free(w.g);
  }
}

/* A product with each unit vector is a column (or row): the whole matrix the long way, by other plans. */
static void products_with_unit_vectors_are_columns_and_rows(void **state)
{
  (void)state;
  for (size_t k = 0; k < KNOWN; k++) {
    world w;
    void *memory[FEW];
    int64_t rows = known[k].rows, cols = known[k].cols;
    if (rows > 1000)
      continue;
    open_world(&w, known[k].make, ctx);
    bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, BP_SWEEPS_AUTO, true);
    bp_graph *gone = w.g;
    double *J = dense_of(j, &w), *v = calloc((size_t)(rows + cols) + 1, 8),
           *out = calloc((size_t)(rows + cols) + 1, 8);
    bind_point(j, &w, memory);
    for (int64_t c = 0; c < cols; c++) {
      v[c] = 1;
      assert_int_equal(bp_jacobian_jvp(j, v, out), BP_OK);
      v[c] = 0;
      for (int64_t r = 0; r < rows; r++)
        assert_close(&out[r], &J[r * cols + c], 1, 1e-14, known[k].name);
    }
    for (int64_t r = 0; r < rows; r++) {
      v[r] = 1;
      assert_int_equal(bp_jacobian_vjp(j, v, out), BP_OK);
      v[r] = 0;
      assert_close(out, J + r * cols, (size_t)cols, 1e-14, known[k].name);
    }
    unbind_point(&w, memory);
    free(J);
    free(v);
    free(out);
    bp_jacobian_free(j);
    bp_graph_free(gone);
  }
}

/* Parts that are the same for every input are worked out once: Broyden's neighbours, the Laplacian, but not what a weight multiplies. */
static void constant_entries_cost_no_sweep(void **state)
{
  (void)state;
  static const struct {
    maker make;
    int64_t varying, sweeps;
  } want[] = {{make_differences, 0, 0}, {make_tridiagonal, 64, 1}, {make_stencil, 144, 1},
              {make_network, 72, 3},    {make_picked, 4, 1},       {make_arrow, 118, 3}};
  for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
    world w;
    bp_jacobian_info i;
    open_world(&w, want[k].make, ctx);
    bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    bp_jacobian_info_of(j, &i);
    if (i.varying != want[k].varying || i.each_forward + i.each_reverse != want[k].sweeps)
      fail_msg("case %zu: %lld varying, %lld and %lld sweeps", k, (long long)i.varying,
               (long long)i.each_forward, (long long)i.each_reverse);
    bp_jacobian_free(j);
    bp_graph_free(w.g);
  }
}

/* y = w x + 3 x: an entry of two parts, one of which changes with an input that nothing is differentiated by. */
static void parts_of_an_entry_are_added(void **state)
{
  (void)state;
  const int64_t n = 3, one = 1;
  double x[3] = {1, 2, 3}, a[3] = {10, 20, 30};
  const void *value;
  bp_graph *g = bp_graph_new(ctx);
  bp_node in = bp_input(g, "x", BP_REAL, 1, &n), by = bp_input(g, "a", BP_REAL, 1, &n);
  bp_node far = bp_pad(part(in, 1, 3), &(int64_t){0}, 1, &one, 1, 0);
  bp_node y = bp_add(bp_add(bp_mul(by, in), bp_mul(bp_constant(g, 3), in)), far);
  bp_jacobian *j;
  assert_int_equal(bp_jacobian_new(&y, 1, &in, 1, NULL, &j), BP_OK);
  assert_int_equal(bp_jacobian_bind(j, "x", x, sizeof x), BP_OK);
  assert_int_equal(bp_jacobian_bind(j, "a", a, sizeof a), BP_OK);
  for (int round = 0; round < 2; round++) {
    static const double want[2][5] = {{13, 1, 23, 1, 33}, {3, 1, 23, 1, 33}};
    assert_int_equal(bp_jacobian_run(j), BP_OK);
    assert_int_equal(bp_jacobian_csr(j, NULL, NULL, &value), BP_OK);
    for (int k = 0; k < 5; k++)
      assert_true(((const double *)value)[k] == want[round][k]);
    a[0] = 0;
  }
  bp_jacobian_free(j);
  bp_graph_free(g);
}

static void relu_stores_a_number_an_element(void **state)
{
  (void)state;
  world w;
  const int64_t *start;
  const int32_t *col;
  const void *value;
  void *memory[FEW];
  open_world(&w, make_relu, ctx);
  bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, BP_SWEEPS_AUTO, false);
  bind_point(j, &w, memory);
  bp_graph_free(w.g); /* it is not needed any more */
  assert_int_equal(bp_jacobian_csr(j, &start, &col, NULL), BP_OK);
  assert_int_equal(bp_jacobian_csr(j, NULL, NULL, &value), BP_E_ORDER);
  assert_int_equal(bp_jacobian_run(j), BP_OK);
  assert_int_equal(bp_jacobian_csr(j, NULL, NULL, &value), BP_OK);
  for (int64_t i = 0; i < 4096; i++) {
    assert_int_equal(start[i], i);
    assert_int_equal(col[i], i);
    assert_true(((const double *)value)[i] == (((double *)memory[0])[i] > 0.1));
  }
  bp_jacobian_free(j);
  free(memory[0]);
}

/* ---- Hessians ---- */

/* sum exp(x0 x_i) + x_i^4: an arrow, which is a star. */
static void make_arrow_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 30, 0);
  one_by_one(
      w, total(bp_add(bp_exp(bp_mul(part(x, 0, 1), part(x, 1, 30))), bp_square(bp_square(part(x, 1, 30))))),
      x);
}

/* Rosenbrock's chain: tridiagonal. */
static void make_rosenbrock(world *w)
{
  bp_node x = real_input(w, "x", 1, 25, 0);
  bp_node rise = bp_sub(part(x, 1, 25), bp_square(part(x, 0, 24)));
  one_by_one(
      w,
      total(bp_add(bp_mul(number(w, 100), bp_square(rise)), bp_square(bp_sub(number(w, 1), part(x, 0, 24))))),
      x);
}

static void make_two_vectors(world *w)
{
  bp_node a = real_input(w, "a", 1, 7, 0), b = real_input(w, "b", 1, 7, 0);
  one_by_one(w, total(bp_mul(a, bp_mul(b, number(w, 3)))), a);
  w->x[1] = b;
  w->n_x = 2;
}

static void make_linear_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 5, 0);
  one_by_one(w, total(x), x);
}

/* Through a matrix: all with all, in several runs. */
static void make_full_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 20, 0);
  one_by_one(w, total(bp_exp(bp_matmul(bp_reshape(x, (int64_t[]){1, 20}, 2), weights(w, 20, 4)))), x);
}

static const struct known losses[] = {
    {"arrow loss", make_arrow_loss, 30, 30, 30 + 2 * 29, BP_JAC_SPARSE, 2, 0, false},
    {"rosenbrock", make_rosenbrock, 25, 25, 25 + 2 * 24, BP_JAC_SPARSE, 3, 0, false},
    {"two vectors", make_two_vectors, 14, 14, 14, BP_JAC_SELECT, 1, 0, false},
    {"linear loss", make_linear_loss, 5, 5, 0, BP_JAC_ZERO, 0, 0, false},
    {"full loss", make_full_loss, 20, 20, 400, BP_JAC_DENSE, 20, 0, false},
};
enum { LOSSES = sizeof losses / sizeof *losses };

/* The gradient as a function, for its differences. */
static world gradient_world(const world *w)
{
  world d = *w;
  assert_int_equal(bp_grad(w->y[0], w->x, w->n_x, d.y), BP_OK);
  d.n_y = w->n_x;
  return d;
}

static void hessians_are_differences_of_gradients(void **state)
{
  (void)state;
  for (size_t k = 0; k < LOSSES; k++) {
    const struct known *want = &losses[k];
    world w;
    bp_jacobian *h;
    bp_jacobian_info i;
    open_world(&w, want->make, ctx);
    uint32_t mark = bp_graph_mark(w.g);
    assert_int_equal(bp_hessian_new(w.y[0], w.x, w.n_x, NULL, &h), BP_OK);
    assert_int_equal(bp_graph_mark(w.g), mark);
    bp_jacobian_info_of(h, &i);
    if (i.rows != want->rows || i.cols != want->cols || i.entries != want->entries || i.kind != want->kind ||
        i.forward != want->forward || i.reverse != 0 || !i.hessian)
      fail_msg("%s: %lld x %lld, %lld entries, class %d, %lld sweeps", want->name, (long long)i.rows,
               (long long)i.cols, (long long)i.entries, (int)i.kind, (long long)i.forward);
    double *H = dense_of(h, &w);
    world d = gradient_world(&w);
    double *diff = differences(&d);
    assert_close(H, diff, (size_t)(i.rows * i.cols), 1e-8, want->name);
    for (int64_t r = 0; r < i.rows; r++)
      for (int64_t c = 0; c < r; c++)
        assert_true(H[r * i.cols + c] == H[c * i.cols + r]);
    free(H);
    free(diff);
    bp_jacobian_free(h);
    bp_graph_free(w.g);
  }
}

static void hvp_is_the_hessian_times_a_vector(void **state)
{
  (void)state;
  for (size_t k = 0; k < LOSSES; k++) {
    world w;
    bp_jacobian *h;
    bp_node v[FEW], hv[FEW];
    bpi_eval e;
    double *vector[FEW], *point[FEW], out[64];
    open_world(&w, losses[k].make, ctx);
    assert_int_equal(bp_hessian_new(w.y[0], w.x, w.n_x, NULL, &h), BP_OK);
    double *H = dense_of(h, &w);
    for (size_t i = 0; i < w.n_x; i++) {
      char name[32];
      bp_type t;
      snprintf(name, sizeof name, "v%zu", i);
      bp_node_type(w.x[i], &t);
      v[i] = bp_input(w.g, name, BP_REAL, t.rank, t.dims);
    }
    assert_int_equal(bp_hvp(w.y[0], w.x, v, w.n_x, hv), BP_OK);
    assert_int_equal(bpi_eval_open(&e, w.g, BP_FLOAT64, hv, w.n_x), BP_OK);
    int64_t n = losses[k].cols, first = 0;
    double joined_v[64];
    for (size_t i = 0; i < w.n_x; i++) {
      vector[i] = point_of(&w, i);
      point[i] = point_of(&w, i);
      assert_int_equal(bpi_eval_bind(&e, v[i], vector[i]), BP_OK);
      assert_int_equal(bpi_eval_bind(&e, w.in[i], point[i]), BP_OK);
      memcpy(joined_v + first, vector[i], (size_t)bp_node_size(v[i]) * 8);
      first += bp_node_size(v[i]);
    }
    assert_int_equal(bpi_eval_step(&e), BP_OK);
    first = 0;
    for (size_t i = 0; i < w.n_x; i++) {
      bp_run_get(e.run, i, out + first, (size_t)bp_node_size(v[i]));
      first += bp_node_size(v[i]);
    }
    for (int64_t r = 0; r < n; r++) {
      double want = 0;
      for (int64_t c = 0; c < n; c++)
        want += H[r * n + c] * joined_v[c];
      assert_close(&out[r], &want, 1, 1e-12, losses[k].name);
    }
    bpi_eval_close(&e);
    for (size_t i = 0; i < w.n_x; i++) {
      free(vector[i]);
      free(point[i]);
    }
    free(H);
    bp_jacobian_free(h);
    bp_graph_free(w.g);
  }
}

/* ---- threads, memory, misuse ---- */

static void threads_change_no_bit(void **state)
{
  (void)state;
  bp_ctx_options o = {.threads = 3};
  bp_ctx *many = bp_ctx_new(&o);
  for (size_t k = 0; k < KNOWN; k++) {
    world one, three;
    if (known[k].rows > 1000)
      continue;
    open_world(&one, known[k].make, ctx);
    open_world(&three, known[k].make, many);
    bp_jacobian *j1 = jacobian_of(&one, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    bp_jacobian *j3 = jacobian_of(&three, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    double *a = dense_of(j1, &one), *b = dense_of(j3, &three);
    assert_memory_equal(a, b, (size_t)(known[k].rows * known[k].cols) * sizeof *a);
    free(a);
    free(b);
    bp_jacobian_free(j1);
    bp_jacobian_free(j3);
    bp_graph_free(one.g);
    bp_graph_free(three.g);
  }
  bp_ctx_free(many);
}

static char folder[64];

static bp_status all_of_it(bp_ctx *in, maker make, bool hessian, failing *f)
{
  world w = {0};
  bp_jacobian *j = NULL;
  void *memory[FEW];
  double v[256] = {1}, out[256];
  w.g = bp_graph_new(in);
  if (!w.g)
    return BP_E_NOMEM;
  make(&w);
  bp_status s = bp_graph_status(w.g);
  bp_jacobian_options o = {.products = true};
  uint32_t mark = bp_graph_mark(w.g);
  if (s == BP_OK)
    s = hessian ? bp_hessian_new(w.y[0], w.x, w.n_x, &o, &j)
                : bp_jacobian_new(w.y, w.n_y, w.x, w.n_x, &o, &j);
  assert_true((s == BP_OK) == (j != NULL));
  if (s != BP_OK) {
    assert_int_equal(s, BP_E_NOMEM);
    assert_true(bp_graph_mark(w.g) == mark);
  }
  if (s == BP_OK) {
    bind_point(j, &w, memory);
    long before = f->calls;
    assert_int_equal(bp_jacobian_run(j), BP_OK);
    assert_int_equal(bp_jacobian_jvp(j, v, out), BP_OK);
    assert_int_equal(bp_jacobian_vjp(j, v, out), BP_OK);
    assert_int_equal(f->calls, before); /* evaluating allocates nothing */
    unbind_point(&w, memory);
  }
  static const char *const ends[] = {"mtx", "npz", "npy"};
  for (size_t k = 0; k < 3 && s == BP_OK; k++) {
    char path[80];
    snprintf(path, sizeof path, "%s/J.%s", folder, ends[k]);
    s = bp_jacobian_save(j, path);
    assert_true(s == BP_OK || s == BP_E_NOMEM);
  }
  bp_jacobian_free(j);
  bp_graph_free(w.g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  static const struct {
    maker make;
    bool hessian;
  } tried[] = {{make_arrow, false},
               {make_several, false},
               {make_dense, false},
               {make_tridiagonal, false},
               {make_arrow_loss, true}};
  for (size_t k = 0; k < sizeof tried / sizeof *tried; k++)
    for (int onwards = 0; onwards < 2; onwards++) {
      failing f = {0};
      bp_ctx *in = failing_ctx(&f);
      bp_status s = BP_E_NOMEM;
      /* Every one to 400, then every seventh: compiling asks for thousands, and test_faults fails each of its. */
      for (long n = 1; s != BP_OK; n += n < 400 ? 1 : 7) {
        failing_arm(&f, n, onwards);
        s = all_of_it(in, tried[k].make, tried[k].hessian, &f);
        assert_true(n < 1000000);
      }
      failing_arm(&f, 0, false);
      assert_int_equal(all_of_it(in, tried[k].make, tried[k].hessian, &f), BP_OK);
      bp_ctx_free(in);
      assert_int_equal(f.live, 0);
    }
}

static void misuse_is_refused(void **state)
{
  (void)state;
  world w;
  bp_jacobian *j = (bp_jacobian *)1;
  bp_jacobian_info info;
  double room[64] = {0};
  open_world(&w, make_several, ctx);
  assert_int_equal(bp_jacobian_new(NULL, 1, w.x, 1, NULL, &j), BP_E_ARG);
  assert_null(j);
  assert_int_equal(bp_jacobian_new(w.y, 0, w.x, 1, NULL, &j), BP_E_ARG);
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 0, NULL, &j), BP_E_ARG);
  assert_int_equal(bp_jacobian_new(w.y, 1, NULL, 1, NULL, &j), BP_E_ARG);
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 1, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_jacobian_new(&BP_NO_NODE, 1, w.x, 1, NULL, &j), BP_E_ARG);
  bp_jacobian_options bad = {.real = BP_INT64};
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 1, &bad, &j), BP_E_DTYPE);
  bad = (bp_jacobian_options){.sweeps = (bp_sweeps)9};
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 1, &bad, &j), BP_E_ARG);
  bad = (bp_jacobian_options){.most_entries = -1};
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 1, &bad, &j), BP_E_ARG);
  bad = (bp_jacobian_options){.most_entries = 31};
  assert_int_equal(bp_jacobian_new(w.y, 3, w.x, 3, &bad, &j), BP_E_LIMIT);
  assert_non_null(strstr(bp_error(), "32 entries"));
  assert_int_equal(bp_hessian_new(w.y[0], w.x, 1, NULL, &j), BP_E_SHAPE);
  assert_int_equal(bp_hessian_new(w.y[1], w.x, 1, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_hessian_new(w.y[1], NULL, 1, NULL, &j), BP_E_ARG);
  bp_node whole = bp_argmax(w.x[2], 0, false);
  assert_int_equal(bp_jacobian_new(&whole, 1, w.x, 1, NULL, &j), BP_E_DTYPE);
  assert_int_equal(bp_jacobian_new(w.y, 1, &whole, 1, NULL, &j), BP_E_DTYPE);
  world other;
  open_world(&other, make_dense, ctx);
  assert_int_equal(bp_jacobian_new(w.y, 1, other.x, 1, NULL, &j), BP_E_GRAPH);
  bp_graph_free(other.g);
  assert_null(j);

  assert_int_equal(bp_jacobian_new(w.y, 3, w.x, 3, NULL, &j), BP_OK);
  assert_int_equal(bp_jacobian_info_of(j, NULL), BP_E_ARG);
  assert_int_equal(bp_jacobian_info_of(NULL, &info), BP_E_ARG);
  assert_int_equal(bp_jacobian_run(NULL), BP_E_ARG);
  assert_int_equal(bp_jacobian_run(j), BP_E_UNBOUND);
  assert_int_equal(bp_jacobian_dense(j, room, 64), BP_E_ORDER);
  assert_int_equal(bp_jacobian_save(j, "J.mtx"), BP_E_ORDER);
  assert_int_equal(bp_jacobian_save(NULL, "J.mtx"), BP_E_ARG);
  assert_int_equal(bp_jacobian_jvp(j, room, room), BP_E_ORDER);
  assert_non_null(strstr(bp_error(), "products"));
  assert_int_equal(bp_jacobian_bind(j, "a", room, 8), BP_E_SHAPE);
  assert_int_equal(bp_jacobian_bind(j, "a", NULL, 40), BP_E_ARG);
  assert_int_equal(bp_jacobian_bind(j, NULL, room, 40), BP_E_ARG);
  assert_int_equal(bp_jacobian_bind(NULL, "a", room, 40), BP_E_ARG);
  assert_int_equal(bp_jacobian_bind(j, "aa", room, 40), BP_E_NOTFOUND);
  assert_non_null(strstr(bp_error(), "did you mean 'a'"));
  void *memory[FEW];
  bind_point(j, &w, memory);
  assert_int_equal(bp_jacobian_run(j), BP_OK);
  assert_int_equal(bp_jacobian_dense(j, room, 64), BP_E_SHAPE);
  assert_int_equal(bp_jacobian_dense(j, NULL, 64), BP_E_ARG);
  assert_int_equal(bp_jacobian_save(j, NULL), BP_E_ARG);
  assert_int_equal(bp_jacobian_save(j, "J.csv"), BP_E_UNSUPPORTED);
  assert_int_equal(bp_jacobian_save(j, "mtx"), BP_E_UNSUPPORTED);
  assert_int_equal(bp_jacobian_save(j, "/nowhere/J.npz"), BP_E_IO);
  unbind_point(&w, memory);
  bp_jacobian_free(j);
  bp_jacobian_free(NULL);

  bp_node v = w.x[0], out;
  assert_int_equal(bp_hvp(w.y[1], NULL, &v, 1, &out), BP_E_ARG);
  assert_int_equal(bp_hvp(w.y[0], w.x, &v, 1, &out), BP_E_SHAPE);
  assert_int_equal(bp_hvp(w.y[1], w.x, &w.x[1], 1, &out), BP_E_SHAPE);
  uint32_t mark = bp_graph_mark(w.g);
  assert_int_equal(bp_hvp(bp_constant_int(w.g, 1), w.x, &v, 1, &out), BP_E_DTYPE);
  assert_true(bp_graph_mark(w.g) <= mark + 1);
  bp_graph_free(w.g);
}

/* The graph's own error stays what it was. */
static void a_failed_graph_is_told(void **state)
{
  (void)state;
  world w;
  bp_jacobian *j;
  open_world(&w, make_several, ctx);
  bp_add(w.x[0], w.y[2]);
  bp_matmul(w.x[0], w.x[0]);
  assert_int_equal(bp_graph_status(w.g), BP_E_SHAPE);
  assert_int_equal(bp_jacobian_new(w.y, 1, w.x, 1, NULL, &j), BP_E_SHAPE);
  assert_int_equal(bp_graph_status(w.g), BP_E_SHAPE);
  bp_graph_free(w.g);
}

/* A parameter that is state: read, differentiated by, and changed between runs. */
static void state_is_read(void **state)
{
  (void)state;
  int entry;
  const int64_t n = 5;
  void *data;
  const void *value;
  bp_state *s = bp_state_new(ctx, BP_FLOAT64);
  assert_int_equal(bp_state_add(s, "w", BP_REAL, 1, &n, &entry), BP_OK);
  assert_int_equal(bp_state_array(s, entry, NULL, NULL, &data), BP_OK);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_read(g, s, entry), y = bp_square(x);
  bp_jacobian *j;
  bp_jacobian_options o = {.state = s};
  assert_int_equal(bp_jacobian_new(&y, 1, &x, 1, NULL, &j), BP_E_ARG);
  assert_int_equal(bp_jacobian_new(&y, 1, &x, 1, &o, &j), BP_OK);
  for (int round = 1; round < 3; round++) {
    for (int k = 0; k < n; k++)
      ((double *)data)[k] = round * k;
    assert_int_equal(bp_jacobian_run(j), BP_OK);
    assert_int_equal(bp_jacobian_csr(j, NULL, NULL, &value), BP_OK);
    for (int k = 0; k < n; k++)
      assert_true(((const double *)value)[k] == 2 * round * k);
  }
  bp_jacobian_free(j);
  bp_graph_free(g);
  bp_state_free(s);
}

/* d (a b) / d a is b itself: the values must be the object's, not the caller's memory. */
static void values_are_not_the_callers_memory(void **state)
{
  (void)state;
  const int64_t n = 4;
  double a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
  const void *value;
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "a", BP_REAL, 1, &n), y = bp_mul(x, bp_input(g, "b", BP_REAL, 1, &n));
  bp_jacobian *j;
  assert_int_equal(bp_jacobian_new(&y, 1, &x, 1, NULL, &j), BP_OK);
  assert_int_equal(bp_jacobian_bind(j, "a", a, sizeof a), BP_OK);
  assert_int_equal(bp_jacobian_bind(j, "b", b, sizeof b), BP_OK);
  assert_int_equal(bp_jacobian_run(j), BP_OK);
  assert_int_equal(bp_jacobian_csr(j, NULL, NULL, &value), BP_OK);
  b[2] = 0;
  assert_true(((const double *)value)[2] == 7);
  bp_jacobian_free(j);
  bp_graph_free(g);
}

int main(void)
{
  ctx = bp_ctx_new(NULL);
  strcpy(folder, "/tmp/bprop-jacobian-XXXXXX");
  if (!mkdtemp(folder))
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(structure_and_sweeps_are_as_known),
      cmocka_unit_test(values_are_those_of_differences),
      cmocka_unit_test(products_with_unit_vectors_are_columns_and_rows),
      cmocka_unit_test(constant_entries_cost_no_sweep),
      cmocka_unit_test(parts_of_an_entry_are_added),
      cmocka_unit_test(relu_stores_a_number_an_element),
      cmocka_unit_test(hessians_are_differences_of_gradients),
      cmocka_unit_test(hvp_is_the_hessian_times_a_vector),
      cmocka_unit_test(threads_change_no_bit),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(misuse_is_refused),
      cmocka_unit_test(a_failed_graph_is_told),
      cmocka_unit_test(state_is_read),
      cmocka_unit_test(values_are_not_the_callers_memory),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  bp_ctx_free(ctx);
  for (int k = 0; k < 3; k++) {
    char path[80];
    snprintf(path, sizeof path, "%s/J.%s", folder, (const char *[]){"mtx", "npz", "npy"}[k]);
    unlink(path);
  }
  rmdir(folder);
  return failed;
}

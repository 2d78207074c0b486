/* Functions whose Jacobians and Hessians are known, their values at a point, and what the tests ask of a bp_jacobian. After cmocka.h. */
#ifndef TEST_JACOBIANS_H
#define TEST_JACOBIANS_H

#include "check/eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bp_ctx *ctx;

enum { FEW = 3 };

/* A function between nodes, and the point where it is looked at: every real input gets the values of `at`, one after another. */
typedef struct world {
  bp_graph *g;
  bp_node y[FEW], x[FEW], in[FEW]; /* in: what is bound; usually x */
  size_t n_y, n_x, n_in;
} world;

typedef void (*maker)(world *w);

static inline double at(int64_t k)
{
  return 0.3 * sin(1.7 * (double)k) + 0.05 * (double)(k % 7) + 0.02; /* nothing at a kink */
}

static inline bp_node real_input(world *w, const char *name, int rank, int64_t a, int64_t b)
{
  bp_node n = bp_input(w->g, name, BP_REAL, rank, (int64_t[]){a, b});
  w->in[w->n_in++] = n;
  return n;
}

static inline bp_node part(bp_node x, int64_t from, int64_t to)
{
  int64_t one = 1;
  return bp_slice(x, &from, 1, &to, 1, &one, 1);
}

static inline bp_node total(bp_node x)
{
  return bp_sum(x, NULL, 0, false);
}

static inline bp_node number(world *w, double v)
{
  return bp_constant(w->g, v);
}

static inline void one_by_one(world *w, bp_node y, bp_node x)
{
  w->y[0] = y;
  w->x[0] = x;
  w->n_y = w->n_x = 1;
}

/* ---- functions ---- */

static inline void make_relu(world *w)
{
  bp_node x = real_input(w, "x", 1, 4096, 0);
  one_by_one(w, bp_relu(bp_sub(x, number(w, 0.1))), x);
}

static inline void make_differences(world *w)
{
  bp_node x = real_input(w, "x", 1, 50, 0);
  one_by_one(w, bp_sub(part(x, 1, 50), part(x, 0, 49)), x);
}

/* Broyden's tridiagonal function: (3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1, with zeros beyond the ends. */
static inline void make_tridiagonal(world *w)
{
  int64_t one = 1, n = 64;
  bp_node x = real_input(w, "x", 1, n, 0), p = bp_pad(x, &one, 1, &one, 1, 0);
  bp_node own = bp_mul(bp_sub(number(w, 3), bp_mul(number(w, 2), x)), x);
  bp_node next = bp_add(part(p, 0, n), bp_mul(number(w, 2), part(p, 2, n + 2)));
  one_by_one(w, bp_add(bp_sub(own, next), number(w, 1)), x);
}

/* exp(u) and the five-point Laplacian of u on 12 x 12 (Bratu's problem). */
static inline void make_stencil(world *w)
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

static inline bp_node weights(world *w, int64_t rows, int64_t cols)
{
  double v[512];
  for (int64_t k = 0; k < rows * cols; k++)
    v[k] = cos(1.1 * (double)k) / 2;
  return bp_array_constant(w->g, BP_REAL, 2, (int64_t[]){rows, cols}, v);
}

/* Six examples of 4 through a network of 5 and 3: six blocks of 3 x 4. */
static inline void make_network(world *w)
{
  bp_node x = real_input(w, "x", 2, 6, 4);
  one_by_one(w, bp_matmul(bp_tanh(bp_matmul(x, weights(w, 4, 5))), weights(w, 5, 3)), x);
}

/* As many sweeps as need several runs of a plan. */
static inline void make_dense(world *w)
{
  bp_node x = real_input(w, "x", 1, 23, 0);
  bp_node row = bp_reshape(x, (int64_t[]){1, 23}, 2);
  one_by_one(w, bp_tanh(bp_matmul(row, weights(w, 23, 20))), x);
}

static inline void make_arrow(world *w)
{
  bp_node x = real_input(w, "x", 1, 40, 0), head = part(x, 0, 1);
  w->y[0] = total(bp_square(x));
  w->y[1] = bp_mul(bp_sin(part(x, 1, 40)), head);
  w->x[0] = x;
  w->n_y = 2;
  w->n_x = 1;
}

/* 45 long rows and 45 long columns over a diagonal: both directions in several runs. */
static inline void make_wide_arrow(world *w)
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

static inline void make_several(world *w)
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

static inline void make_gradient(world *w)
{
  bp_node x = real_input(w, "x", 1, 30, 0);
  one_by_one(w, total(bp_mul(bp_sin(x), x)), x);
}

static inline void make_transposed(world *w)
{
  bp_node x = real_input(w, "x", 2, 4, 6);
  one_by_one(w, bp_transpose(x, (int64_t[]){1, 0}, 2), x);
}

static inline void make_identity(world *w)
{
  bp_node x = real_input(w, "x", 1, 9, 0);
  one_by_one(w, bp_reshape(x, (int64_t[]){3, 3}, 2), x);
}

static inline void make_picked(world *w)
{
  const int64_t pick[] = {7, 0, 0, 3}, n = 4;
  bp_node x = real_input(w, "x", 1, 8, 0);
  one_by_one(w, bp_square(bp_gather(x, bp_array_constant(w->g, BP_INT64, 1, &n, pick), 0)), x);
}

static inline void make_nothing(world *w)
{
  bp_node x = real_input(w, "x", 1, 6, 0), z = real_input(w, "z", 1, 4, 0);
  one_by_one(w, bp_exp(z), x);
}

static inline void make_empty(world *w)
{
  bp_node x = real_input(w, "x", 1, 0, 0);
  one_by_one(w, bp_exp(x), x);
}

/* With respect to a node in the middle. */
static inline void make_middle(world *w)
{
  bp_node x = real_input(w, "x", 1, 12, 0), middle = bp_mul(x, bp_exp(x));
  one_by_one(w, bp_mul(bp_sin(middle), x), middle);
}

/* ---- losses, for Hessians ---- */

/* sum exp(x0 x_i) + x_i^4: an arrow, which is a star. */
static inline void make_arrow_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 30, 0);
  one_by_one(
      w, total(bp_add(bp_exp(bp_mul(part(x, 0, 1), part(x, 1, 30))), bp_square(bp_square(part(x, 1, 30))))),
      x);
}

/* Rosenbrock's chain: tridiagonal. */
static inline void make_rosenbrock(world *w)
{
  bp_node x = real_input(w, "x", 1, 25, 0);
  bp_node rise = bp_sub(part(x, 1, 25), bp_square(part(x, 0, 24)));
  one_by_one(
      w,
      total(bp_add(bp_mul(number(w, 100), bp_square(rise)), bp_square(bp_sub(number(w, 1), part(x, 0, 24))))),
      x);
}

static inline void make_two_vectors(world *w)
{
  bp_node a = real_input(w, "a", 1, 7, 0), b = real_input(w, "b", 1, 7, 0);
  one_by_one(w, total(bp_mul(a, bp_mul(b, number(w, 3)))), a);
  w->x[1] = b;
  w->n_x = 2;
}

static inline void make_linear_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 5, 0);
  one_by_one(w, total(x), x);
}

/* Through a matrix: all with all, in several runs. */
static inline void make_full_loss(world *w)
{
  bp_node x = real_input(w, "x", 1, 20, 0);
  one_by_one(w, total(bp_exp(bp_matmul(bp_reshape(x, (int64_t[]){1, 20}, 2), weights(w, 20, 4)))), x);
}

/* ---- what is known of them ---- */

typedef struct known {
  const char *name;
  maker make;
  int64_t rows, cols, entries;
  bp_jac kind;
  int64_t forward, reverse; /* of the automatic choice; -1: not stated */
  bool middle;              /* x cannot be moved: no differences */
} known;

/* ---- values ---- */

static inline double *point_of(const world *w, size_t i)
{
  int64_t n = bp_node_size(w->in[i]);
  double *v = calloc((size_t)n + 1, sizeof *v);
  for (int64_t k = 0; k < n; k++)
    v[k] = at(k + 100 * (int64_t)i);
  return v;
}

static inline void open_world(world *w, maker make, bp_ctx *in)
{
  memset(w, 0, sizeof *w);
  w->g = bp_graph_new(in);
  make(w);
  assert_int_equal(bp_graph_status(w->g), BP_OK);
}

/* All y, joined, with x[i][k] moved by h. */
static inline void values_at(const world *w, bpi_eval *e, double *const *points, double *y)
{
  (void)points;
  assert_int_equal(bpi_eval_step(e), BP_OK);
  for (size_t k = 0; k < w->n_y; k++) {
    assert_int_equal(bp_run_get(e->run, k, y, (size_t)bp_node_size(w->y[k])), BP_OK);
    y += bp_node_size(w->y[k]);
  }
}

static inline int64_t joined(const bp_node *n, size_t count)
{
  int64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += bp_node_size(n[i]);
  return sum;
}

static inline size_t input_of(const world *w, bp_node x)
{
  size_t i = 0;
  while (w->in[i].index != x.index)
    i++;
  return i;
}

/* The Jacobian by central differences of the fourth order: (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12 h. */
static inline double *differences(const world *w)
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
static inline void bind_point(bp_jacobian *j, const world *w, void *memory[FEW])
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

static inline void unbind_point(const world *w, void *memory[FEW])
{
  for (size_t i = 0; i < w->n_in; i++)
    free(memory[i]);
}

/* The matrix, dense, evaluated twice: a warm run gives the same bits. */
static inline double *dense_of(bp_jacobian *j, const world *w)
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

static inline void assert_close(const double *a, const double *b, size_t n, double tol, const char *name)
{
  for (size_t k = 0; k < n; k++)
    if (!(fabs(a[k] - b[k]) <= tol * (1 + fabs(b[k]))))
      fail_msg("%s: element %zu is %.17g, should be %.17g", name, k, a[k], b[k]);
}

static inline bp_jacobian *jacobian_of(const world *w, bp_dtype real, bp_sweeps sweeps, bool products)
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

#endif

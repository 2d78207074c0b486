/* Whole Jacobians and Hessians: structure, number of sweeps, and values equal to those of one sweep a column and of differences. */
#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include "support/jacobians.h"

static const known functions[] = {
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
enum { KNOWN = sizeof functions / sizeof *functions };

static void structure_and_sweeps_are_as_known(void **state)
{
  (void)state;
  for (size_t k = 0; k < KNOWN; k++) {
    const known *want = &functions[k];
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
    if (functions[k].middle || functions[k].rows > 1000)
      continue;
    open_world(&w, functions[k].make, ctx);
    double *want = differences(&w);
    size_t n = (size_t)(functions[k].rows * functions[k].cols);
    for (bp_sweeps sweeps = BP_SWEEPS_AUTO; sweeps <= BP_SWEEPS_BOTH; sweeps++) {
      bp_jacobian *j = jacobian_of(&w, BP_FLOAT64, sweeps, false);
      double *J = dense_of(j, &w);
      assert_close(J, want, n, 1e-9, functions[k].name);
      free(J);
      bp_jacobian_free(j);
    }
    bp_jacobian *j = jacobian_of(&w, BP_FLOAT32, BP_SWEEPS_AUTO, false);
    double *J = dense_of(j, &w);
    assert_close(J, want, n, 3e-5, functions[k].name);
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
    int64_t rows = functions[k].rows, cols = functions[k].cols;
    if (rows > 1000)
      continue;
    open_world(&w, functions[k].make, ctx);
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
        assert_close(&out[r], &J[r * cols + c], 1, 1e-14, functions[k].name);
    }
    for (int64_t r = 0; r < rows; r++) {
      v[r] = 1;
      assert_int_equal(bp_jacobian_vjp(j, v, out), BP_OK);
      v[r] = 0;
      assert_close(out, J + r * cols, (size_t)cols, 1e-14, functions[k].name);
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
/* ---- threads, memory, misuse ---- */

static void threads_change_no_bit(void **state)
{
  (void)state;
  bp_ctx_options o = {.threads = 3};
  bp_ctx *many = bp_ctx_new(&o);
  for (size_t k = 0; k < KNOWN; k++) {
    world one, three;
    if (functions[k].rows > 1000)
      continue;
    open_world(&one, functions[k].make, ctx);
    open_world(&three, functions[k].make, many);
    bp_jacobian *j1 = jacobian_of(&one, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    bp_jacobian *j3 = jacobian_of(&three, BP_FLOAT64, BP_SWEEPS_AUTO, false);
    double *a = dense_of(j1, &one), *b = dense_of(j3, &three);
    assert_memory_equal(a, b, (size_t)(functions[k].rows * functions[k].cols) * sizeof *a);
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

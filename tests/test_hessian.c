/* Hessians: structure and sweeps, values against differences of gradients, products with vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "support/jacobians.h"

static const known losses[] = {
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
    const known *want = &losses[k];
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

int main(void)
{
  ctx = bp_ctx_new(NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hessians_are_differences_of_gradients),
      cmocka_unit_test(hvp_is_the_hessian_times_a_vector),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  bp_ctx_free(ctx);
  return failed;
}

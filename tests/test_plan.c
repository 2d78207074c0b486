/* The compiler: what each pass finds, what is refused, what the verifier sees, and memory that runs out. */
#include "support/failing.h"
#include "support/random_graph.h"

#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Refuses what no machine has, also where a sanitizer would stop at it. */
static void *frugal(void *user, void *p, size_t size)
{
  (void)user;
  if (size == 0)
    free(p);
  return size && size < (size_t)1 << 40 ? realloc(p, size) : NULL;
}

typedef struct fixture {
  bp_ctx *ctx;
  bp_graph *g;
  bp_state *s;
} fixture;

static int setup(void **state)
{
  fixture *f = calloc(1, sizeof *f);
  f->ctx = bp_ctx_new(&(bp_ctx_options){.alloc = frugal});
  f->g = bp_graph_new(f->ctx);
  f->s = bp_state_new(f->ctx, BP_FLOAT64);
  *state = f;
  return !f->g || !f->s;
}

static int teardown(void **state)
{
  fixture *f = *state;
  bp_graph_free(f->g);
  bp_state_free(f->s);
  bp_ctx_free(f->ctx);
  free(f);
  return 0;
}

static bp_node input(fixture *f, const char *name, int64_t rows, int64_t cols)
{
  int64_t dims[2] = {rows, cols};
  return bp_input(f->g, name, BP_REAL, 2, dims);
}

static bp_node entry(fixture *f, const char *name, int64_t n, int *e)
{
  assert_int_equal(bp_state_add(f->s, name, BP_REAL, 1, &n, e), BP_OK);
  return bp_read(f->g, f->s, *e);
}

static bp_plan *compiled(fixture *f, const bp_node *out, size_t n, uint32_t off)
{
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out, .n_outputs = n, .passes_off = off};
  bp_plan *p;
  if (bp_plan_new(f->g, &o, &p) != BP_OK)
    fail_msg("%s", bp_error());
  assert_int_equal(bpi_plan_verify(p), BP_OK);
  return p;
}

static size_t count_kind(const bp_plan *p, bpi_kind kind)
{
  size_t n = 0;
  for (size_t i = 0; i < p->n_instrs; i++)
    n += p->instrs[i].kind == kind;
  return n;
}

/* ---- passes ---- */

static void views_cost_no_instruction(void **state)
{
  fixture *f = *state;
  bp_node x = input(f, "x", 3, 4), w = input(f, "w", 5, 4);
  int64_t flat[1] = {15};
  bp_node y = bp_reshape(bp_matmul(x, bp_transpose(w, NULL, 0)), flat, 1);
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 1);
  bp_plan_free(p);
  p = compiled(f, &y, 1, 1u << BP_PASS_views);
  assert_int_equal(count_kind(p, BPI_DO_COPY), 2);
  bp_plan_free(p);
}

static void constants_are_computed_once(void **state)
{
  fixture *f = *state;
  int64_t dims[2] = {100, 100};
  bp_node big = bp_full(f->g, BP_REAL, 0.5, 2, dims), x = input(f, "x", 100, 100);
  bp_node y = bp_mul(x, bp_exp(bp_add(big, bp_constant(f->g, 1))));
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 1);
  assert_true(p->constants_bytes <= 64); /* one element for all */
  bp_plan_free(p);
}

static void chains_become_one_pass(void **state)
{
  fixture *f = *state;
  bp_node x = input(f, "x", 300, 100), y = x;
  for (int i = 0; i < 10; i++)
    y = bp_tanh(bp_add(bp_mul(y, x), x));
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 1);
  assert_int_equal(p->block_bytes, 300 * 100 * 8);
  bp_plan_free(p);
  p = compiled(f, &y, 1, 1u << BP_PASS_fuse);
  assert_int_equal(p->n_instrs, 30);
  /* every result goes over the one before; x * y is still read with x */
  assert_int_equal(p->block_bytes, 300 * 100 * 8);
  bp_plan_free(p);
}

static void a_bias_is_gathered_once_a_tile(void **state)
{
  fixture *f = *state;
  int64_t n = 10;
  bp_node x = input(f, "x", 500, 10), b = bp_input(f->g, "b", BP_REAL, 1, &n);
  bp_node y = bp_relu(bp_add(x, b));
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 1);
  const bpi_tile *t = p->instrs[0].tile;
  assert_int_equal(t->tile % 10, 0);
  assert_true(t->steps[0].once);
  bp_plan_free(p);
}

/* Values of u and x, each with each, and some more elements than vectors have; NaN is written as one NaN. */
enum { GATED = 8 * 8 + 11 };

static void gated(bp_node y, bp_dtype real, uint32_t off, bool gate, void *bits)
{
  static const double some[8] = {-0.0, 0, 1, -1, 1e-40, INFINITY, -INFINITY, NAN};
  bp_plan_options o = {.real = real, .outputs = &y, .n_outputs = 1, .passes_off = off};
  bp_plan *p;
  bp_run *run;
  double wide[2][GATED];
  float narrow[2][GATED];
  const void *data;
  for (int i = 0; i < GATED; i++) {
    wide[0][i] = some[i % 8], wide[1][i] = some[i / 8 % 8];
    narrow[0][i] = (float)wide[0][i], narrow[1][i] = (float)wide[1][i];
  }
  assert_int_equal(bp_plan_new(y.graph, &o, &p), BP_OK);
  assert_int_equal(bpi_plan_verify(p), BP_OK);
  assert_int_equal(p->n_instrs == 1 && p->instrs[0].op && !strcmp(p->instrs[0].op->name, "gate"), gate);
  assert_int_equal(bp_run_new(p, NULL, &run), BP_OK);
  for (int i = 0; i < 2; i++) {
    const void *values = real == BP_FLOAT64 ? (const void *)wide[i] : narrow[i];
    assert_int_equal(bp_run_bind(run, i ? "x" : "u", values, GATED * bp_dtype_size(real)), BP_OK);
  }
  assert_int_equal(bp_run_step(run), BP_OK);
  assert_int_equal(bp_run_output(run, 0, &data, NULL), BP_OK);
  memcpy(bits, data, GATED * bp_dtype_size(real));
  for (int i = 0; i < GATED; i++)
    if (real == BP_FLOAT64 && isnan(((double *)bits)[i]))
      ((double *)bits)[i] = NAN;
    else if (real == BP_FLOAT32 && isnan(((float *)bits)[i]))
      ((float *)bits)[i] = NAN;
  bp_run_free(run);
  bp_plan_free(p);
}

static void a_chain_through_a_heaviside_is_a_gate(void **state)
{
  fixture *f = *state;
  double gate[GATED], chain[GATED];
  int64_t n = GATED;
  bp_node u = bp_input(f->g, "u", BP_REAL, 1, &n), x = bp_input(f->g, "x", BP_REAL, 1, &n);
  bp_node y = bp_chain(u, bp_heaviside(x));
  for (int k = 0; k < 2; k++) {
    bp_dtype real = k ? BP_FLOAT64 : BP_FLOAT32;
    gated(y, real, 0, true, gate);
    gated(y, real, 1u << BP_PASS_simplify, false, chain);
    assert_memory_equal(gate, chain, GATED * bp_dtype_size(real));
  }
}

static bool reads(const bpi_tile_step *s, const bpi_tile_ref *r)
{
  for (int k = 0; k < s->n_in; k++)
    if (s->in[k].slot == r->slot && s->in[k].index == r->index)
      return true;
  return false;
}

/* Two branches that were built in turns come one after the other: only the end of the first is followed by a step that does not read it. */
static void a_step_is_followed_by_one_that_reads_it(void **state)
{
  enum { LONG = 6 };
  fixture *f = *state;
  bp_node a = input(f, "a", 300, 100), b = input(f, "b", 300, 100);
  for (int i = 0; i < LONG; i++) {
    a = bp_tanh(bp_neg(a));
    b = bp_neg(bp_square(b));
  }
  bp_node y = bp_mul(a, b);
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 1);
  const bpi_tile *t = p->instrs[0].tile;
  assert_int_equal(t->n_steps, 4 * LONG + 1);
  int left = 0;
  for (size_t i = 0; i + 1 < t->n_steps; i++)
    left += !reads(&t->steps[i + 1], &t->steps[i].out);
  assert_int_equal(left, 1);
  bp_plan_free(p);
}

static void parts_are_computed_in_their_place(void **state)
{
  fixture *f = *state;
  bp_node x = input(f, "x", 2, 3), parts[3] = {bp_exp(x), bp_tanh(x), x};
  bp_node y = bp_concat(parts, 3, 0);
  bp_plan *p = compiled(f, &y, 1, 0);
  assert_int_equal(p->n_instrs, 3); /* two parts, and a copy of the input */
  assert_int_equal(count_kind(p, BPI_DO_COPY), 1);
  bp_plan_free(p);
}

static void updates_are_written_in_place(void **state)
{
  fixture *f = *state;
  int e;
  bp_node w = entry(f, "w", 8, &e), loss = bp_sum(bp_square(w), NULL, 0, false), g;
  assert_int_equal(bp_grad(loss, &w, 1, &g), BP_OK);
  bp_update u = {e, bp_sub(w, bp_mul(bp_constant(f->g, 0.1), g))};
  bp_plan_options o = {.real = BP_FLOAT64,
                       .outputs = &loss,
                       .n_outputs = 1,
                       .updates = &u,
                       .n_updates = 1,
                       .guards = &loss,
                       .n_guards = 1};
  bp_plan *p;
  assert_int_equal(bp_plan_new(f->g, &o, &p), BP_OK);
  assert_int_equal(count_kind(p, BPI_DO_COMMIT), 0);
  assert_int_equal(p->done[BP_PASS_commit], 1);
  bp_plan_free(p);
  o.passes_off = 1u << BP_PASS_commit;
  assert_int_equal(bp_plan_new(f->g, &o, &p), BP_OK);
  assert_int_equal(count_kind(p, BPI_DO_COMMIT), 1);
  bp_plan_free(p);
}

static void gradients_do_not_pile_up(void **state)
{
  fixture *f = *state;
  enum { LAYERS = 20, N = 40 };
  int e[LAYERS];
  bp_node w[LAYERS], g[LAYERS], x = input(f, "x", 4, N);
  int64_t dims[2] = {N, N};
  bp_update u[LAYERS];
  for (int i = 0; i < LAYERS; i++) {
    char name[16];
    snprintf(name, sizeof name, "w%d", i);
    assert_int_equal(bp_state_add(f->s, name, BP_REAL, 2, dims, &e[i]), BP_OK);
    w[i] = bp_read(f->g, f->s, e[i]);
    x = bp_tanh(bp_matmul(x, w[i]));
  }
  assert_int_equal(bp_grad(bp_sum(x, NULL, 0, false), w, LAYERS, g), BP_OK);
  for (int i = 0; i < LAYERS; i++)
    u[i] = (bp_update){e[i], bp_sub(w[i], bp_mul(bp_constant(f->g, 0.1), g[i]))};
  bp_plan_options o = {.real = BP_FLOAT64, .updates = u, .n_updates = LAYERS};
  bp_plan *p;
  assert_int_equal(bp_plan_new(f->g, &o, &p), BP_OK);
  assert_int_equal(bpi_plan_verify(p), BP_OK);
  size_t bytes, activations = LAYERS * 4 * N * 8, gradient = N * N * 8;
  bp_plan_size(p, NULL, &bytes);
  assert_true(bytes < activations + 4 * gradient);
  assert_int_equal(p->done[BP_PASS_commit], LAYERS);
  bp_plan_free(p);
}

static void deep_graphs_need_no_stack(void **state)
{
  fixture *f = *state;
  bp_node x = bp_input(f->g, "x", BP_REAL, 0, NULL), y = x;
  for (int i = 0; i < 100000; i++)
    y = i % 2 ? bp_sin(y) : bp_add(y, x);
  size_t n, bytes;
  bp_plan *p = compiled(f, &y, 1, 1u << BP_PASS_scalars);
  bp_plan_size(p, &n, &bytes);
  assert_int_equal(n, 100000);
  assert_true(bytes <= 64);
  bp_plan_free(p);
  p = compiled(f, &y, 1, 0);
  bp_plan_size(p, &n, &bytes);
  assert_int_equal(n, 1); /* one program */
  assert_true(bytes <= 64);
  bp_plan_free(p);
}

/* ---- what is refused ---- */

static bp_status plan_status(fixture *f, const bp_plan_options *o)
{
  bp_plan *p = (bp_plan *)f;
  bp_status s = bp_plan_new(f->g, o, &p);
  assert_true(s == BP_OK || p == NULL);
  bp_plan_free(p);
  return s;
}

static void bad_options_are_refused(void **state)
{
  fixture *f = *state;
  int e, k;
  bp_node w = entry(f, "w", 8, &e), short_one = entry(f, "v", 3, &k), count = bp_constant_int(f->g, 3);
  bp_graph *other = bp_graph_new(f->ctx);
  bp_node foreign = bp_constant(other, 1);
  bp_update twice[2] = {{e, w}, {e, w}}, shape = {e, short_one}, dtype = {e, bp_cast(w, BP_INT64)},
            none = {9, w};
  const struct {
    bp_plan_options o;
    bp_status status;
  } rows[] = {
      {{.real = BP_INT64, .outputs = &w, .n_outputs = 1}, BP_E_DTYPE},
      {{.real = BP_FLOAT32, .outputs = &w, .n_outputs = 1}, BP_E_MISMATCH},
      {{.real = BP_FLOAT64, .n_outputs = 1}, BP_E_ARG},
      {{.real = BP_FLOAT64, .outputs = &foreign, .n_outputs = 1}, BP_E_GRAPH},
      {{.real = BP_FLOAT64, .outputs = &w, .n_outputs = 1, .guards = &count, .n_guards = 1}, BP_E_DTYPE},
      {{.real = BP_FLOAT64, .updates = twice, .n_updates = 2}, BP_E_ARG},
      {{.real = BP_FLOAT64, .updates = &shape, .n_updates = 1}, BP_E_SHAPE},
      {{.real = BP_FLOAT64, .updates = &dtype, .n_updates = 1}, BP_E_DTYPE},
      {{.real = BP_FLOAT64, .updates = &none, .n_updates = 1}, BP_E_RANGE},
      {{.real = BP_FLOAT64, .outputs = &w, .n_outputs = 1}, BP_OK},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (plan_status(f, &rows[i].o) != rows[i].status)
      fail_msg("row %zu: %s", i, bp_error());
  bp_plan *p;
  assert_int_equal(bp_plan_new(NULL, &rows[0].o, &p), BP_E_ARG);
  assert_int_equal(bp_plan_new(f->g, NULL, &p), BP_E_ARG);
  assert_int_equal(bp_plan_new(f->g, &rows[0].o, NULL), BP_E_ARG);
  assert_int_equal(bp_plan_print(NULL, NULL), BP_E_ARG);
  bp_plan_free(NULL);
  bp_plan_size(NULL, NULL, NULL);
  bp_graph_free(other);
}

static void a_failed_graph_does_not_compile(void **state)
{
  fixture *f = *state;
  bp_node bad = bp_matmul(input(f, "a", 2, 3), input(f, "b", 2, 3)), x = input(f, "x", 1, 1);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &bad, .n_outputs = 1};
  assert_int_equal(plan_status(f, &o), BP_E_SHAPE);
  assert_non_null(strstr(bp_error(), "matmul"));
  bp_graph_clear(f->g);
  assert_int_equal(plan_status(f, &o), BP_E_GRAPH);
  o.outputs = &x;
  assert_int_equal(plan_status(f, &o), BP_OK);
}

static void sizes_that_add_up_to_too_much_are_refused(void **state)
{
  fixture *f = *state;
  enum { MANY = 9000 };
  int64_t n = (int64_t)1 << 47;
  bp_node x = bp_input(f->g, "x", BP_REAL, 1, &n), *y = calloc(MANY, sizeof *y);
  for (int i = 0; i < MANY; i++)
    y[i] = bp_add(x, bp_constant(f->g, i));
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = y, .n_outputs = MANY};
  assert_int_equal(plan_status(f, &o), BP_E_LIMIT);
  bp_plan *p;
  bp_run *run;
  o.n_outputs = 2;
  assert_int_equal(bp_plan_new(f->g, &o, &p), BP_OK);
  assert_int_equal(bp_run_new(p, NULL, &run), BP_E_NOMEM);
  bp_plan_free(p);
  free(y);
}

/* ---- the verifier ---- */

static void the_verifier_sees_broken_plans(void **state)
{
  fixture *f = *state;
  int e;
  bp_node w = entry(f, "w", 6, &e), x = input(f, "x", 2, 3), k = bp_input(f->g, "k", BP_INT64, 0, NULL);
  int64_t dims[2] = {2, 3};
  bp_node y = bp_softmax(bp_mul(x, bp_reshape(w, dims, 2)), 1), z = bp_gather(bp_exp(y), k, 0);
  int64_t flat[1] = {6};
  bp_update u = {e, bp_reshape(bp_sqrt(y), flat, 1)};
  bp_plan_options o = {.real = BP_FLOAT64,
                       .outputs = &z,
                       .n_outputs = 1,
                       .updates = &u,
                       .n_updates = 1,
                       .guards = &z,
                       .n_guards = 1};
  for (int what = 0; what < 7; what++) {
    bp_plan *p;
    assert_int_equal(bp_plan_new(f->g, &o, &p), BP_OK);
    assert_int_equal(bpi_plan_verify(p), BP_OK);
    bpi_instr *first = &p->instrs[0], *last = &p->instrs[p->n_instrs - 1];
    bpi_operand *out = (bpi_operand *)(uintptr_t)&first->x[first->n_in];
    switch (what) {
    case 0:
      out->offset += p->block_bytes; /* outside */
      break;
    case 1:
      out->offset += 8; /* where nobody reads it */
      break;
    case 2:
      last->may_fail = true; /* after state is written */
      break;
    case 3:
      p->first_commit = p->n_instrs; /* state written too early */
      break;
    case 4: { /* another order */
      bpi_instr swap = p->instrs[0];
      p->instrs[0] = p->instrs[1];
      p->instrs[1] = swap;
      break;
    }
    case 5:
      p->block_bytes -= 64;
      break;
    default:
      out->segment = BPI_CONSTANTS;
    }
    if (bpi_plan_verify(p) != BP_E_INTERNAL)
      fail_msg("change %d is not seen", what);
    bp_plan_free(p);
  }
}

/* ---- text ---- */

static void plans_print_readably(void **state)
{
  fixture *f = *state;
  bp_node h = bp_name(bp_matmul(input(f, "x", 3, 4), input(f, "w", 4, 5)), "hidden");
  bp_plan *p = compiled(f, &h, 1, 1u << BP_PASS_order);
  char *text;
  assert_int_equal(bp_plan_print(p, &text), BP_OK);
  assert_non_null(strstr(text, "# plan: float64, 1 instructions"));
  assert_non_null(strstr(text, "order off"));
  assert_non_null(strstr(text, "matmul"));
  assert_non_null(strstr(text, "'x'+0[3,4]"));
  assert_non_null(strstr(text, "'hidden'"));
  assert_non_null(strstr(text, "test_plan.c:"));
  bp_free(f->ctx, text);
  bp_plan_free(p);
}

/* ---- memory that runs out ---- */

static bp_status whole_way(rgraph *r)
{
  bp_plan_options o = rg_plan_options(r);
  bpi_tuning t = {.tile = 4, .fuse_min = 2};
  bp_plan *p;
  bp_run *run = NULL;
  char *text = NULL;
  rg_reset_state(r);
  bp_status s = bpi_plan_new(r->g, &o, &t, &p);
  if (s == BP_OK)
    s = bp_run_new(p, r->state, &run);
  if (s == BP_OK)
    s = rg_bind(r, run);
  if (s == BP_OK)
    s = bp_run_step(run);
  if (s == BP_OK && bp_plan_print(p, &text) == BP_OK)
    bp_free(r->ctx, text);
  bp_run_free(run);
  bp_plan_free(p);
  return s;
}

static void fail_every_allocation(failing *f, rgraph *r)
{
  long live = f->live;
  failing_arm(f, 0, false);
  bp_status right = whole_way(r);
  for (int onwards = 0; onwards < 2; onwards++)
    for (long n = 1;; n += onwards ? 7 : 1) {
      failing_arm(f, n, onwards);
      bp_status s = whole_way(r);
      bool reached = f->calls >= n;
      failing_arm(f, 0, false);
      assert_int_equal(f->live, live);
      /* Folding and text may do without; all else must say so. */
      if (s != right && s != BP_E_NOMEM)
        fail_msg("seed %llu, allocation %ld: %s", (unsigned long long)r->seed, n, bp_error());
      if (!reached)
        break;
    }
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  failing f = {0};
  bp_ctx *ctx = failing_ctx(&f);
  for (uint64_t seed = 1; seed <= 12; seed++) {
    rgraph r;
    failing_arm(&f, 0, false);
    assert_true(rg_open(&r, ctx, seed));
    fail_every_allocation(&f, &r);
    rg_close(&r);
  }
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {PLAN_TEST(views_cost_no_instruction),
                                     PLAN_TEST(constants_are_computed_once),
                                     PLAN_TEST(chains_become_one_pass),
                                     PLAN_TEST(a_bias_is_gathered_once_a_tile),
                                     PLAN_TEST(a_chain_through_a_heaviside_is_a_gate),
                                     PLAN_TEST(a_step_is_followed_by_one_that_reads_it),
                                     PLAN_TEST(parts_are_computed_in_their_place),
                                     PLAN_TEST(updates_are_written_in_place),
                                     PLAN_TEST(gradients_do_not_pile_up),
                                     PLAN_TEST(deep_graphs_need_no_stack),
                                     PLAN_TEST(bad_options_are_refused),
                                     PLAN_TEST(a_failed_graph_does_not_compile),
                                     PLAN_TEST(sizes_that_add_up_to_too_much_are_refused),
                                     PLAN_TEST(the_verifier_sees_broken_plans),
                                     PLAN_TEST(plans_print_readably),
                                     cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

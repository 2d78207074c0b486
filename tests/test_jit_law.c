/* The law of composition for compiled code: random graphs, run by the interpreter and by compiled code, have the same bits. Takes the
 * number of graphs and the first seed. */
#include "support/jitting.h"
#include "support/random_graph.h"

static uint64_t n_graphs = 5, first_seed = 1;

static bp_plan *plan_of(rgraph *r, int64_t fuse_min)
{
  bp_plan_options o = rg_plan_options(r);
  bpi_tuning t = {.tile = 3 + (int64_t)(r->seed % 6),
                  .fuse_min = fuse_min,
                  .split_ns = fuse_min > 100 ? 0 : 1,
                  .scalars = 1 + (int64_t)(r->seed % 3)};
  bp_plan *p;
  SUCCEEDS(bpi_plan_new(r->g, &o, &t, &p));
  return p;
}

/* Three steps: the first checks, the others use what was good. */
static void run_plan(rgraph *r, bp_plan *p)
{
  bp_run *run;
  rg_reset_state(r);
  SUCCEEDS(bp_run_new(p, r->state, &run));
  SUCCEEDS(rg_bind(r, run));
  for (int k = 0; k < 3; k++)
    bp_run_step(run);
  bp_run_free(run);
}

static void compiled_code_keeps_the_bits(void **state)
{
  (void)state;
  if (!have_compiler())
    skip();
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2, .jit = BP_JIT_WAIT, .jit_cache = room.cache});
  int compiled = 0, good = 0, bad = 0;
  for (uint64_t seed = first_seed; seed < first_seed + n_graphs; seed++) {
    rgraph r;
    assert_true(rg_open(&r, ctx, seed));
    for (int way = 0; way < 2; way++) {
      ctx->threads = 1 + way;
      bp_plan *p = plan_of(&r, way ? 2 : 1000);
      run_plan(&r, p);
      verdict v = verdict_of(p);
      if (v.bad)
        print_error("seed %llu, way %d: %d of %d pieces have other bits\n", (unsigned long long)seed, way,
                    v.bad, v.compiled);
      compiled += v.compiled;
      good += v.good;
      bad += v.bad;
      bp_plan_free(p);
    }
    rg_close(&r);
  }
  bp_ctx_free(ctx);
  print_message("%llu graphs: %d pieces, %d good, %d bad\n", (unsigned long long)n_graphs, compiled, good,
                bad);
  assert_int_equal(bad, 0);
  assert_true(good * 2 > compiled);
}

/* ---- later runs, on other data than the code was checked with ---- */

typedef struct both {
  bp_plan *plan;
  bp_run *run;
} both;

typedef struct shape {
  int64_t m, n, k;
} shape;

enum { MOST_IN = 64 * 64, OUTPUTS = 5 };

/* Products of every orientation, with a bias and a function behind, and the sum over an axis of one element. */
static bp_node product_of(bp_graph *g, bp_node *in, shape s, int way)
{
  const int64_t a[2][2] = {{s.m, s.k}, {s.k, s.m}}, b[2][2] = {{s.k, s.n}, {s.n, s.k}};
  in[0] = bp_input(g, "a", BP_REAL, 2, a[way & 1]);
  in[1] = bp_input(g, "b", BP_REAL, 2, b[way >> 1]);
  bp_node x = way & 1 ? bp_transpose(in[0], NULL, 0) : in[0],
          y = way >> 1 ? bp_transpose(in[1], NULL, 0) : in[1];
  return bp_matmul(x, y);
}

static both plan_both(bp_ctx *ctx, shape s, int way, bp_dtype real)
{
  both p;
  bp_node in[2];
  bp_graph *g = bp_graph_new(ctx);
  const int64_t one = 1, n = s.n;
  bp_node c = product_of(g, in, s, way), bias = bp_input(g, "bias", BP_REAL, 1, &n);
  const int64_t thin[2] = {s.n, one}, last = 1, first = 0;
  bp_node column = bp_reshape(bias, thin, 2);
  bp_node out[OUTPUTS] = {c, bp_tanh(bp_add(c, bias)), bp_sum(column, &last, 1, false),
                          bp_sum(c, &last, 1, false), bp_sum(c, &first, 1, false)};
  bp_plan_options o = {.real = real, .outputs = out, .n_outputs = OUTPUTS};
  SUCCEEDS(bp_plan_new(g, &o, &p.plan));
  SUCCEEDS(bp_run_new(p.plan, NULL, &p.run));
  bp_graph_free(g);
  return p;
}
static void free_both(both *p)
{
  bp_run_free(p->run);
  bp_plan_free(p->plan);
}

/* The same data for both, then all outputs bit for bit. */
static void same_step(both *p, bp_dtype real, int turn)
{
  static double data[3][MOST_IN];
  static const char *const names[3] = {"a", "b", "bias"};
  const size_t size = bp_dtype_size(real);
  bp_type type;
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < MOST_IN; i++) {
      const double x = turn == 0 ? 0 : turn == 1 ? -0.0 : (double)rand() / RAND_MAX * 2 - 1;
      if (real == BP_FLOAT64)
        data[k][i] = x;
      else
        ((float *)data[k])[i] = (float)x;
    }
    for (int w = 0; w < 2; w++) {
      size_t bytes = p[w].plan->inputs[0].bytes;
      for (size_t j = 0; j < p[w].plan->n_inputs; j++)
        if (!strcmp(p[w].plan->inputs[j].name, names[k]))
          bytes = p[w].plan->inputs[j].bytes;
      SUCCEEDS(bp_run_bind(p[w].run, names[k], data[k], bytes));
    }
  }
  for (int w = 0; w < 2; w++)
    SUCCEEDS(bp_run_step(p[w].run));
  for (size_t k = 0; k < OUTPUTS; k++) {
    const void *x, *y;
    SUCCEEDS(bp_run_output(p[0].run, k, &x, &type));
    SUCCEEDS(bp_run_output(p[1].run, k, &y, NULL));
    assert_memory_equal(x, y, (size_t)bpi_type_size(&type) * size);
  }
}

/* Zeros first, which hide the order of sums from the check; then -0, which a sum that begins with 0 loses. */
static void later_runs_keep_the_bits(void **state)
{
  (void)state;
  if (!have_compiler())
    skip();
  static const shape shapes[] = {{1, 16, 32}, {1, 1, 64}, {2, 4, 32}, {4, 3, 21}, {1, 4, 64}};
  bp_ctx *ctx[2] = {bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_WAIT, .jit_cache = room.cache}),
                    bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_OFF})};
  for (size_t k = 0; k < COUNT(shapes); k++)
    for (int way = 0; way < 4; way++) {
      const bp_dtype real = (k + (size_t)way) % 3 ? BP_FLOAT32 : BP_FLOAT64;
      both p[2] = {plan_both(ctx[0], shapes[k], way, real), plan_both(ctx[1], shapes[k], way, real)};
      for (int turn = 0; turn < 5; turn++)
        same_step(p, real, turn);
      assert_int_equal(bp_plan_jit(p[0].plan), BP_JIT_USED);
      free_both(&p[0]);
      free_both(&p[1]);
    }
  bp_ctx_free(ctx[0]);
  bp_ctx_free(ctx[1]);
}

int main(int argc, char **argv)
{
  if (argc > 1)
    n_graphs = strtoull(argv[1], NULL, 10);
  if (argc > 2)
    first_seed = strtoull(argv[2], NULL, 10);
  const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_code_keeps_the_bits),
                                     cmocka_unit_test(later_runs_keep_the_bits)};
  return cmocka_run_group_tests(tests, open_room, close_room);
}

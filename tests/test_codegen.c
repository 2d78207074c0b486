/* C from plans: what is in the text, and that every body compiled from it has the bits of the kernels. `test_codegen all` takes every
 * instruction set that the machine has, not only the best. */
#include "support/jitting.h"
#include "base/cpu.h"

#include <math.h>

static bool all_sets;

/* ---- the text ---- */

static void names_and_numbers_stay_out_of_the_code(void **state)
{
  (void)state;
  static const char evil[] = "\"); system(\"reboot\"); /*";
  const double odd[4] = {NAN, -INFINITY, -0.0, 0.1};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, evil, BP_REAL, 0, NULL), y[4];
  for (int k = 0; k < 4; k++)
    y[k] = bp_add(bp_mul(x, x), bp_constant(g, odd[k]));
  bp_name(y[0], evil + 1);
  bp_plan *p;
  char *text;
  SUCCEEDS(bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = y, .n_outputs = 4}, &p));
  SUCCEEDS(bp_plan_c(p, &text));
  assert_null(strstr(text, "reboot"));
  assert_null(strstr(text, "-inf"));
  /* IEEE 754 binary64: -inf, -0 and the double next to 0.1 */
  assert_non_null(strstr(text, "F64(0xfff0000000000000u)"));
  assert_non_null(strstr(text, "F64(0x8000000000000000u)"));
  assert_non_null(strstr(text, "F64(0x3fb999999999999au)"));
  assert_true(strstr(text, "F64(0x7ff8000000000000u)") || strstr(text, "F64(0xfff8000000000000u)"));
  assert_null(strstr(text, "#include"));
  bp_free(ctx, text);
  assert_int_equal(bp_plan_c(NULL, &text), BP_E_ARG);
  bp_plan_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* A chain of n additions and products of one input. */
static size_t text_length(bp_ctx *ctx, int n)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = x;
  for (int k = 0; k < n; k++)
    y = k % 2 ? bp_mul(y, x) : bp_add(y, x);
  bp_plan *p;
  char *text;
  SUCCEEDS(bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1}, &p));
  SUCCEEDS(bp_plan_c(p, &text));
  size_t length = strlen(text);
  bp_free(ctx, text);
  bp_plan_free(p);
  bp_graph_free(g);
  return length;
}

static void text_grows_linearly(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  size_t none = text_length(ctx, 2), small = text_length(ctx, 2002), large = text_length(ctx, 20002);
  assert_in_range(large - none, 9 * (small - none), 16 * (small - none)); /* numbers get longer too */
  bp_ctx_free(ctx);
}

/* ---- bits of every body ---- */

enum { MOST_CALLS = 600 };

typedef struct calls {
  bp_graph *g;
  bp_node x[3][3]; /* real, int64, bool: three inputs of each */
  bp_node y[MOST_CALLS];
  size_t n;
} calls;

static int count_inputs(const bp_op *op)
{
  int n = op->args && *op->args ? 1 : 0;
  for (const char *s = op->args; s && *s; s++)
    n += *s == ',';
  return n;
}

/* A call on inputs of these types, and behind it something that changes no bit, so that the two make a tile program. */
static void add_call(calls *c, const bp_op *op, int first, int rest)
{
  bp_node x[3], y;
  bp_attr attr[BP_MAX_ATTRS] = {{.i = 0}};
  int n = count_inputs(op);
  for (int k = 0; k < n; k++)
    x[k] = c->x[k ? rest : first][k];
  for (int k = 0; k < BP_MAX_ATTRS && op->attrs[k].kind; k++)
    attr[k].r = isnan(op->attrs[k].preset) ? 0.75 + k : op->attrs[k].preset;
  if (bp_apply(c->g, op, x, (size_t)n, attr, &y) != BP_OK || c->n == MOST_CALLS) {
    bp_graph_clear(c->g);
    return;
  }
  bp_type t;
  SUCCEEDS(bp_node_type(y, &t));
  c->y[c->n++] = y;
  c->y[c->n++] = t.dtype == BP_REAL ? bp_abs(y) : t.dtype == BP_INT64 ? bp_neg(y) : bp_logical_not(y);
}

static void add_all(calls *c)
{
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    int n = count_inputs(op);
    if (!op->body || n < 1 || n > 3)
      continue;
    for (int type = 0; type < 3; type++)
      add_call(c, op, type, type);
    for (int type = 0; type < 2 && n > 1; type++)
      add_call(c, op, 2, type);
  }
}

static double real_value(int k, int input)
{
  static const double odd[] = {0,    -0.0, 1,     -1,     NAN,  INFINITY, -INFINITY, 1e-310, -1e-42, 3e5,
                               -7e8, 1e30, -1e30, 87.5,   -104, 0.5,      -0.5,      2,      3,      1e-8,
                               20,   -20,  0.55,  -0.549, 6,    -3,       1e38,      -1e-38, 1e5,    100001};
  if (k < (int)COUNT(odd))
    return odd[(k + 7 * input) % (int)COUNT(odd)];
  return sin(k * 1.37 + input) * exp(sin(k * 0.77 + 2 * input) * (k % 3 ? 2 : 20));
}

static void bind_values(bp_run *r, bp_dtype real, int n)
{
  static const char *const names[3][3] = {{"r0", "r1", "r2"}, {"i0", "i1", "i2"}, {"b0", "b1", "b2"}};
  static double f64[3][1200];
  static float f32[3][1200];
  static int64_t i64[3][1200];
  static uint8_t b8[3][1200];
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < n; k++) {
      f64[i][k] = real_value(k, i);
      f32[i][k] = (float)f64[i][k];
      i64[i][k] = k < 2 ? (k ? INT64_MIN : INT64_MAX) : (k * (7 + i)) % 23 - 11;
      b8[i][k] = (uint8_t)((k >> i) & 1);
    }
    bp_run_bind(r, names[0][i], real == BP_FLOAT64 ? (void *)f64[i] : (void *)f32[i],
                (size_t)n * (real == BP_FLOAT64 ? 8 : 4));
    bp_run_bind(r, names[1][i], i64[i], (size_t)n * 8);
    bp_run_bind(r, names[2][i], b8[i], (size_t)n);
  }
}

/* All rows over n elements: arrays of 37 are a run of small instructions, of 1,100 tile programs. */
static void compare_bodies(bp_isa isa, bp_dtype real, int64_t n)
{
  static const bp_dtype types[3] = {BP_REAL, BP_INT64, BP_BOOL};
  static const char letter[3] = {'r', 'i', 'b'};
  bp_ctx_options o = {.limit_isa = true, .isa = isa, .jit = BP_JIT_WAIT, .jit_cache = room.cache};
  bp_ctx *ctx = bp_ctx_new(&o);
  calls *c = calloc(1, sizeof *c);
  assert_true(ctx && c);
  c->g = bp_graph_new(ctx);
  for (int t = 0; t < 3; t++)
    for (int k = 0; k < 3; k++) {
      char name[3] = {letter[t], (char)('0' + k), 0};
      c->x[t][k] = bp_input(c->g, name, types[t], 1, &n);
    }
  add_all(c);
  assert_in_range(c->n, 150, MOST_CALLS);
  bp_plan_options po = {.real = real, .outputs = c->y, .n_outputs = c->n};
  bpi_tuning tuning = {.fuse_min = 200, .tile = 500};
  bp_plan *p;
  bp_run *r;
  SUCCEEDS(bpi_plan_new(c->g, &po, &tuning, &p));
  SUCCEEDS(bp_run_new(p, NULL, &r));
  bind_values(r, real, (int)n);
  SUCCEEDS(bp_run_step(r));
  SUCCEEDS(bp_run_step(r));
  verdict v = verdict_of(p);
  assert_true(v.compiled > 0);
  assert_int_equal(v.bad, 0);
  assert_int_equal(v.good, v.compiled);
  assert_int_equal(bp_plan_jit(p), BP_JIT_USED);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(c->g);
  bp_ctx_free(ctx);
  free(c);
}

static void bodies_have_the_bits_of_the_kernels(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_isa best = bp_ctx_isa(ctx);
  bp_ctx_free(ctx);
  if (!have_compiler())
    skip();
  for (bp_isa isa = BP_ISA_BASE; isa < BP_ISA_COUNT; isa++)
    if (isa == best || (all_sets && bpi_cpu_has(isa)))
      for (int wide = 0; wide < 2; wide++) {
        compare_bodies(isa, wide ? BP_FLOAT64 : BP_FLOAT32, 37);
        compare_bodies(isa, wide ? BP_FLOAT64 : BP_FLOAT32, 1100);
      }
}

/* ---- products and sums ---- */

/* Every way that operands lie, and lengths on both sides of what kernels treat apart. */
static void small_products_and_sums_have_the_bits_of_the_kernels(void **state)
{
  (void)state;
  static const int64_t rows[] = {1, 2, 3, 8}, columns[] = {1, 2, 8, 17}, inner[] = {1, 2, 5, 16, 33, 64};
  if (!have_compiler())
    skip();
  for (int wide = 0; wide < 2; wide++)
    for (size_t k = 0; k < COUNT(inner); k++) {
      bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_WAIT, .jit_cache = room.cache});
      bp_graph *g = bp_graph_new(ctx);
      bp_node y[COUNT(rows) * COUNT(columns) * 6], x = bp_input(g, "x", BP_REAL, 1, (int64_t[]){2000});
      size_t n = 0;
      for (size_t i = 0; i < COUNT(rows) * COUNT(columns); i++) {
        const int64_t m = rows[i % COUNT(rows)], c = columns[i / COUNT(rows)], d = inner[k], turn[2] = {1, 0};
        bp_node a = bp_reshape(bp_slice(x, (int64_t[]){0}, 1, (int64_t[]){m * d}, 1, (int64_t[]){1}, 1),
                               (int64_t[]){m, d}, 2);
        bp_node w = bp_reshape(bp_slice(x, (int64_t[]){7}, 1, (int64_t[]){7 + c * d}, 1, (int64_t[]){1}, 1),
                               (int64_t[]){c, d}, 2);
        bp_node b = bp_slice(x, (int64_t[]){3}, 1, (int64_t[]){3 + c}, 1, (int64_t[]){1}, 1);
        bp_node at = bp_transpose(bp_reshape(a, (int64_t[]){d, m}, 2), turn, 2);
        y[n++] = bp_linear(a, w, b);
        y[n++] = bp_matmul(a, bp_reshape(w, (int64_t[]){d, c}, 2));
        y[n++] = bp_matmul(at, bp_reshape(w, (int64_t[]){d, c}, 2));
        y[n++] = bp_matmul(a, bp_transpose(w, turn, 2));
        y[n++] = bp_sum(a, (int64_t[]){0}, 1, false);
        y[n++] = bp_sum(w, (int64_t[]){1}, 1, false);
      }
      bp_plan *p;
      bp_run *r;
      double values[2000];
      float narrow[2000];
      for (int i = 0; i < 2000; i++)
        narrow[i] = (float)(values[i] = i % 13 == 0 ? -0.0 : sin(i * 1.7) * exp(3 * sin(i * 0.9)));
      SUCCEEDS(bp_plan_new(
          g, &(bp_plan_options){.real = wide ? BP_FLOAT64 : BP_FLOAT32, .outputs = y, .n_outputs = n}, &p));
      SUCCEEDS(bp_run_new(p, NULL, &r));
      SUCCEEDS(
          bp_run_bind(r, "x", wide ? (void *)values : (void *)narrow, wide ? sizeof values : sizeof narrow));
      SUCCEEDS(bp_run_step(r));
      verdict v = verdict_of(p);
      assert_int_equal(v.bad, 0);
      assert_true(v.good > 0);
      bp_run_free(r);
      bp_plan_free(p);
      bp_graph_free(g);
      bp_ctx_free(ctx);
    }
}

/* A step of [1,k]·[k,1]: every a is x, every b is y. */
static void product_step(bp_run *r, bp_dtype real, int64_t k, double x, double y)
{
  double wide[2][17];
  float narrow[2][17];
  for (int i = 0; i < 17; i++) {
    narrow[0][i] = (float)(wide[0][i] = x);
    narrow[1][i] = (float)(wide[1][i] = y);
  }
  const size_t bytes = (size_t)k * bp_dtype_size(real);
  for (int i = 0; i < 2; i++)
    SUCCEEDS(bp_run_bind(r, i ? "b" : "a", real == BP_FLOAT64 ? (void *)wide[i] : (void *)narrow[i], bytes));
  SUCCEEDS(bp_run_step(r));
}

/* Products that underflow to -0 come after ordinary ones, when compiled code is no longer compared. */
static void sums_of_underflow_have_the_sign_of_the_kernels(void **state)
{
  (void)state;
  static const int64_t inner[] = {2, 3, 7, 8, 9, 16, 17};
  static double zero = -0.0;
  static float narrow_zero = -0.0f;
  if (!have_compiler())
    skip();
  for (int way = 0; way < 4; way++)
    for (size_t i = 0; i < COUNT(inner); i++) {
      const int64_t k = inner[i], one = 1;
      const bp_dtype real = way & 1 ? BP_FLOAT64 : BP_FLOAT32;
      const double tiny = way & 1 ? 1e-200 : 1e-30;
      bp_ctx *ctx[2] = {bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_OFF}),
                        bp_ctx_new(&(bp_ctx_options){.jit = BP_JIT_WAIT, .jit_cache = room.cache})};
      bp_plan *p[2];
      bp_run *r[2];
      for (int c = 0; c < 2; c++) {
        bp_graph *g = bp_graph_new(ctx[c]);
        bp_node a = bp_input(g, "a", BP_REAL, 2, (int64_t[]){1, k}),
                b = bp_input(g, "b", BP_REAL, 2, (int64_t[]){k, 1}),
                y = way & 2 ? bp_linear(a, bp_reshape(b, (int64_t[]){1, k}, 2),
                                        bp_input(g, "bias", BP_REAL, 1, &one))
                            : bp_matmul(a, b);
        SUCCEEDS(bp_plan_new(g, &(bp_plan_options){.real = real, .outputs = &y, .n_outputs = 1}, &p[c]));
        SUCCEEDS(bp_run_new(p[c], NULL, &r[c]));
        if (way & 2)
          SUCCEEDS(bp_run_bind(r[c], "bias", real == BP_FLOAT64 ? (void *)&zero : (void *)&narrow_zero,
                               bp_dtype_size(real)));
        bp_graph_free(g);
      }
      for (int step = 0; step < 4; step++) {
        const void *x[2];
        for (int c = 0; c < 2; c++) {
          product_step(r[c], real, k, step < 2 ? 1.5 : step == 2 ? -tiny : tiny, step < 2 ? 0.75 : tiny);
          SUCCEEDS(bp_run_output(r[c], 0, &x[c], NULL));
        }
        assert_memory_equal(x[0], x[1], bp_dtype_size(real));
      }
      assert_true(verdict_of(p[1]).good > 0);
      for (int c = 0; c < 2; c++) {
        bp_run_free(r[c]);
        bp_plan_free(p[c]);
        bp_ctx_free(ctx[c]);
      }
    }
}

int main(int argc, char **argv)
{
  all_sets = argc > 1 && strcmp(argv[1], "all") == 0;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_numbers_stay_out_of_the_code),
      cmocka_unit_test(text_grows_linearly),
      cmocka_unit_test(bodies_have_the_bits_of_the_kernels),
      cmocka_unit_test(small_products_and_sums_have_the_bits_of_the_kernels),
      cmocka_unit_test(sums_of_underflow_have_the_sign_of_the_kernels),
  };
  return cmocka_run_group_tests(tests, open_room, close_room);
}

/* Graphs of single numbers: programs of equal steps have the bits of the single loops, stay within what the verifier allows, take in what lies
 * outside once, and stop where memory does. The calls that bind inputs by number are here too. */
#include "support/failing.h"

#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { GRAPHS = 24, CALLS = 300, INPUTS = 6, MOST = 8 * CALLS };

/* ---- random graphs of scalars, over every row with a body ---- */

typedef struct scalars {
  bp_graph *g;
  bp_node at[MOST];
  size_t n;
  uint64_t dice;
} scalars;

static size_t throw_dice(scalars *s, size_t sides)
{
  s->dice ^= s->dice << 13;
  s->dice ^= s->dice >> 7;
  s->dice ^= s->dice << 17;
  return (size_t)((s->dice >> 20) % sides);
}

static const double real_value[INPUTS] = {0.5, -1.25, 3, 1e6, -0.0, 1e-3};
static const int64_t int_value[INPUTS] = {0, 1, -7, 12, 1 << 20, -1};
static const uint8_t truth[2] = {0, 1};

static void make_inputs(scalars *s)
{
  char name[16];
  for (int i = 0; i < INPUTS; i++) {
    snprintf(name, sizeof name, "x%d", i);
    s->at[s->n++] = bp_input(s->g, name, BP_REAL, 0, NULL);
    snprintf(name, sizeof name, "k%d", i);
    s->at[s->n++] = bp_input(s->g, name, BP_INT64, 0, NULL);
  }
  s->at[s->n++] = bp_input(s->g, "t0", BP_BOOL, 0, NULL);
  s->at[s->n++] = bp_input(s->g, "t1", BP_BOOL, 0, NULL);
  s->at[s->n++] = bp_constant(s->g, 0.75);
}

static int inputs_of(const bp_op *op)
{
  int n = 1;
  for (const char *c = op->args; *c; c++)
    n += *c == ',';
  return n;
}

/* A call of this row on nodes that it takes; false where the ones drawn do not suit it. */
static bool add_call(scalars *s, const bp_op *op)
{
  bp_node x[4], y[BP_MAX_RESULTS];
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  for (int i = 0; i < inputs_of(op); i++)
    x[i] = s->at[throw_dice(s, 2) ? s->n - 1 - throw_dice(s, s->n < 40 ? s->n : 40) : throw_dice(s, s->n)];
  for (int i = 0; i < BP_MAX_ATTRS && op->attrs[i].kind != BP_ATTR_END; i++)
    attr[i].r = op->attrs[i].kind == BP_ATTR_REAL ? 0.25 * (double)(1 + i + (int)throw_dice(s, 3)) : 0;
  uint32_t mark = bp_graph_mark(s->g);
  if (bp_apply(s->g, op, x, (size_t)inputs_of(op), attr, y) != BP_OK) {
    bp_graph_rollback(s->g, mark);
    return false;
  }
  s->at[s->n++] = y[0];
  return true;
}

static void open_scalars(scalars *s, bp_ctx *ctx, uint64_t seed)
{
  *s = (scalars){.g = bp_graph_new(ctx), .dice = seed * 0x9e3779b97f4a7c15u};
  make_inputs(s);
  for (size_t calls = 0; calls < CALLS;) {
    const bp_op *op = bp_op_at(throw_dice(s, bp_op_count()));
    if (!op->body)
      continue;
    for (int tries = 0; tries < 20 && !add_call(s, op); tries++)
      ;
    calls++;
  }
}

static bp_plan *plan_of(scalars *s, bp_dtype real, uint32_t off)
{
  bp_plan_options o = {.real = real, .outputs = s->at, .n_outputs = s->n, .passes_off = off};
  bp_plan *p;
  if (bpi_plan_new(s->g, &o, &(bpi_tuning){.scalars = 1}, &p) != BP_OK)
    fail_msg("%s", bp_error());
  assert_int_equal(bpi_plan_verify(p), BP_OK);
  return p;
}

static bp_run *run_of(bp_plan *p, bp_dtype real)
{
  static float narrow[INPUTS];
  bp_run *r;
  assert_int_equal(bp_run_new(p, NULL, &r), BP_OK);
  for (size_t i = 0; i < p->n_inputs; i++) {
    const char *name = p->inputs[i].name;
    int k = name[1] - '0';
    size_t number;
    narrow[*name == 'x' ? k : 0] = *name == 'x' ? (float)real_value[k] : narrow[0];
    const void *data = *name == 'k'         ? (const void *)&int_value[k]
                       : *name == 't'       ? (const void *)&truth[k]
                       : real == BP_FLOAT64 ? (const void *)&real_value[k]
                                            : (const void *)&narrow[k];
    assert_int_equal(bp_run_input(r, name, &number), BP_OK);
    assert_int_equal(number, i);
    assert_int_equal(bp_run_bind_at(r, number, data, p->inputs[i].bytes), BP_OK);
  }
  assert_int_equal(bp_run_step(r), BP_OK);
  return r;
}

/* Bits, but for the sign and payload of a NaN: which operand's survives is the compiler's choice. */
static bool same_value(const bp_type *t, const void *a, const void *b)
{
  size_t bytes = bp_dtype_size(t->dtype);
  double x = t->dtype == BP_FLOAT64   ? *(const double *)a
             : t->dtype == BP_FLOAT32 ? (double)*(const float *)a
                                      : 0;
  double y = t->dtype == BP_FLOAT64   ? *(const double *)b
             : t->dtype == BP_FLOAT32 ? (double)*(const float *)b
                                      : 0;
  return memcmp(a, b, bytes) == 0 || (x != x && y != y);
}

static void compare_runs(scalars *s, bp_dtype real, uint8_t *seen)
{
  bp_plan *with = plan_of(s, real, 0), *without = plan_of(s, real, 1u << BP_PASS_scalars);
  bp_run *a = run_of(with, real), *b = run_of(without, real);
  for (size_t i = 0; i < s->n; i++) {
    bp_type t;
    const void *x, *y;
    assert_int_equal(bp_run_output(a, i, &x, &t), BP_OK);
    assert_int_equal(bp_run_output(b, i, &y, &t), BP_OK);
    if (!same_value(&t, x, y))
      fail_msg("%s in %s differs", bp_node_op(s->at[i], NULL)->name, bp_dtype_name(real));
  }
  for (size_t i = 0; i < with->n_instrs; i++) {
    const bpi_scalars *p = with->instrs[i].kind == BPI_DO_SCALARS ? with->instrs[i].scalars : NULL;
    for (const uint32_t *at = p ? p->code : NULL; p && at < p->end;) {
      const bpi_scalar_step *step = bpi_run_step_of(p, *at);
      if (step->op)
        seen[step->op->body->id] = 1;
      at += 1 + bpi_run_length(*at) * (step->n_in + 1u);
    }
  }
  bp_run_free(a);
  bp_run_free(b);
  bp_plan_free(with);
  bp_plan_free(without);
}

static void every_body_keeps_its_bits(void **state)
{
  static scalars s;
  uint8_t seen[BPI_BODY_COUNT] = {0};
  bp_ctx *ctx = *state;
  for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
    open_scalars(&s, ctx, seed);
    compare_runs(&s, BP_FLOAT64, seen);
    compare_runs(&s, BP_FLOAT32, seen);
    bp_graph_free(s.g);
  }
  for (size_t i = 0; i < bp_op_count(); i++)
    if (bp_op_at(i)->body && !seen[bp_op_at(i)->body->id])
      fail_msg("no program had a %s", bp_op_at(i)->name);
}

/* ---- the shape of programs ---- */

static const bpi_instr *only_program(const bp_plan *p)
{
  const bpi_instr *found = NULL;
  for (size_t i = 0; i < p->n_instrs; i++) {
    if (p->instrs[i].kind != BPI_DO_SCALARS)
      continue;
    assert_null(found);
    found = &p->instrs[i];
  }
  assert_non_null(found);
  return found;
}

static size_t count_runs(const bpi_scalars *p)
{
  size_t n = 0;
  for (const uint32_t *at = p->code; at < p->end; n++)
    at += 1 + bpi_run_length(*at) * (bpi_run_step_of(p, *at)->n_in + 1u);
  return n;
}

static bp_plan *compiled_scalars(bp_graph *g, const bp_node *out, size_t n)
{
  bp_plan *p;
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out, .n_outputs = n};
  assert_int_equal(bp_plan_new(g, &o, &p), BP_OK);
  assert_int_equal(bpi_plan_verify(p), BP_OK);
  return p;
}

/* 50 times sin(x_i x_j), summed in a row: the sines and the products need not one another, each sum needs the one before. */
static void equal_steps_stand_side_by_side(void **state)
{
  bp_graph *g = bp_graph_new(*state);
  int64_t dims[1] = {51};
  bp_node x = bp_input(g, "x", BP_REAL, 1, dims), e[51], y = bp_constant(g, 0);
  for (int64_t i = 0; i < 51; i++)
    e[i] = bp_reshape(bp_slice(x, (int64_t[]){i}, 1, (int64_t[]){i + 1}, 1, (int64_t[]){1}, 1), NULL, 0);
  for (int i = 0; i < 50; i++)
    y = bp_add(y, bp_sin(bp_mul(e[i], e[i + 1])));
  bp_plan *p = compiled_scalars(g, &y, 1);
  const bpi_instr *program = only_program(p);
  assert_int_equal(program->n, 51 + 1 + 150); /* and what is taken in: 51 elements, and the constant */
  assert_int_equal(program->n_in, 52);
  assert_true(count_runs(program->scalars) <= 50 + 4);
  bp_plan_free(p);
  bp_graph_free(g);
}

/* Slopes 1/64 ... 200/64 of leaky_relu are as many steps: parameters belong to a step. */
static void steps_differ_by_their_parameters(void **state)
{
  bp_graph *g = bp_graph_new(*state);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y[200];
  for (int i = 0; i < 200; i++)
    y[i] = bp_leaky_relu(x, (i + 1) / 64.0);
  bp_plan *p = compiled_scalars(g, y, 200);
  bp_run *r;
  double at = -1, v;
  assert_int_equal(bp_run_new(p, NULL, &r), BP_OK);
  assert_int_equal(bp_run_bind(r, "x", &at, sizeof at), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  for (size_t i = 0; i < 200; i++) {
    assert_int_equal(bp_run_get(r, i, &v, 1), BP_OK);
    assert_true(v == -(double)(i + 1) / 64.0);
  }
  assert_int_equal(count_runs(only_program(p)->scalars), 1 + 200);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
}

/* More rows than one word can count. */
static void long_runs_are_cut(void **state)
{
  enum { N = 10000 };
  static bp_node y[N];
  bp_graph *g = bp_graph_new(*state);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), k = x;
  for (int i = 0; i < N; i++, k = bp_constant(g, i))
    y[i] = bp_mul(bp_add(x, k), k);
  bp_plan *p = compiled_scalars(g, y, N);
  bp_run *r;
  double at = 2, v;
  assert_int_equal(bp_run_new(p, NULL, &r), BP_OK);
  assert_int_equal(bp_run_bind(r, "x", &at, sizeof at), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  assert_int_equal(bp_run_get(r, N - 1, &v, 1), BP_OK);
  assert_true(v == (2.0 + N - 1) * (N - 1));
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
}

/* An input that is bound to other memory is read there. */
static void programs_follow_their_inputs(void **state)
{
  bp_graph *g = bp_graph_new(*state);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = x;
  for (int i = 0; i < 20; i++)
    y = i % 2 ? bp_mul(y, x) : bp_add(y, x);
  bp_plan *p = compiled_scalars(g, &y, 1);
  bp_run *r;
  double a = 1, b = 0, v;
  only_program(p);
  assert_int_equal(bp_run_new(p, NULL, &r), BP_OK);
  assert_int_equal(bp_run_bind_at(r, 0, &a, sizeof a), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  assert_int_equal(bp_run_get(r, 0, &v, 1), BP_OK);
  assert_true(v == 11); /* each of the ten sums adds 1, products by 1 add nothing */
  assert_int_equal(bp_run_bind_at(r, 0, &b, sizeof b), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  assert_int_equal(bp_run_get(r, 0, &v, 1), BP_OK);
  assert_true(v == 0);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
}

/* ---- what is refused ---- */

static void the_verifier_reads_programs(void **state)
{
  bp_graph *g = bp_graph_new(*state);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y[40] = {bp_exp(x)};
  for (int i = 1; i < 40; i++)
    y[i] = i % 3 ? bp_mul(y[i - 1], x) : bp_sin(y[i - 1]);
  for (int what = 0; what < 4; what++) {
    bp_plan *p = compiled_scalars(g, &y[39], 1);
    const bpi_instr *i = only_program(p);
    uint32_t *code = (uint32_t *)(uintptr_t)i->scalars->code,
             *last = (uint32_t *)(uintptr_t)i->scalars->end - 1;
    if (what == 0)
      *last += (uint32_t)p->block_bytes; /* writes outside */
    else if (what == 1)
      code[1] = 9; /* takes in what is not there */
    else if (what == 2)
      last[-1] += 4; /* reads between two elements */
    else
      last[-1] = last[-1] ? 0 : 8; /* reads what is not its input */
    assert_int_equal(bpi_plan_verify(p), BP_E_INTERNAL);
    bp_plan_free(p);
  }
  bp_graph_free(g);
}

static void numbers_of_inputs_are_checked(void **state)
{
  bp_graph *g = bp_graph_new(*state);
  bp_node y = bp_mul(bp_input(g, "left", BP_REAL, 0, NULL), bp_input(g, "right", BP_REAL, 0, NULL));
  bp_plan *p = compiled_scalars(g, &y, 1);
  bp_run *r;
  size_t left, right;
  double v[2] = {3, 5}, product;
  assert_int_equal(bp_run_new(p, NULL, &r), BP_OK);
  assert_int_equal(bp_run_input(r, "right", &right), BP_OK);
  assert_int_equal(bp_run_input(r, "left", &left), BP_OK);
  assert_int_not_equal(left, right);
  assert_int_equal(bp_run_input(r, "lift", &left), BP_E_NOTFOUND);
  assert_non_null(strstr(bp_error(), "did you mean 'left'?"));
  assert_int_equal(bp_run_input(NULL, "left", &left), BP_E_ARG);
  assert_int_equal(bp_run_input(r, NULL, &left), BP_E_ARG);
  assert_int_equal(bp_run_input(r, "left", NULL), BP_E_ARG);
  assert_int_equal(bp_run_bind_at(NULL, 0, v, sizeof *v), BP_E_ARG);
  assert_int_equal(bp_run_bind_at(r, 2, v, sizeof *v), BP_E_RANGE);
  assert_int_equal(bp_run_bind_at(r, left, v, 1), BP_E_SHAPE);
  assert_non_null(strstr(bp_error(), "'left'"));
  assert_int_equal(bp_run_bind_at(r, left, NULL, sizeof *v), BP_E_ARG);
  assert_int_equal(bp_run_bind_at(r, left, &v[0], sizeof *v), BP_OK);
  assert_int_equal(bp_run_step(r), BP_E_UNBOUND);
  assert_int_equal(bp_run_bind_at(r, right, &v[1], sizeof *v), BP_OK);
  assert_int_equal(bp_run_step(r), BP_OK);
  assert_int_equal(bp_run_get(r, 0, &product, 1), BP_OK);
  assert_true(product == 15);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
}

/* ---- memory that runs out ---- */

static bp_status scalar_work(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_plan *p = NULL;
  bp_run *r = NULL;
  double v = 0.5;
  if (!g)
    return BP_E_NOMEM;
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), y = x;
  for (int i = 0; i < 40; i++)
    y = i % 3 ? bp_add(bp_mul(y, bp_constant(g, i)), x) : bp_leaky_relu(bp_sin(y), 0.01 * i);
  bp_status s = bp_graph_status(g);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1};
  if (s == BP_OK)
    s = bpi_plan_new(g, &o, &(bpi_tuning){.scalars = 1}, &p);
  if (s == BP_OK)
    s = bp_run_new(p, NULL, &r);
  if (s == BP_OK)
    s = bp_run_bind(r, "x", &v, sizeof v);
  if (s == BP_OK)
    s = bp_run_step(r);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(scalar_work) > 10);
}

static int open_ctx(void **state)
{
  *state = bp_ctx_new(NULL);
  return !*state;
}

static int close_ctx(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

#define SCALAR_TEST(name) cmocka_unit_test_setup_teardown(name, open_ctx, close_ctx)

int main(void)
{
  const struct CMUnitTest tests[] = {
      SCALAR_TEST(every_body_keeps_its_bits),        SCALAR_TEST(equal_steps_stand_side_by_side),
      SCALAR_TEST(steps_differ_by_their_parameters), SCALAR_TEST(long_runs_are_cut),
      SCALAR_TEST(programs_follow_their_inputs),     SCALAR_TEST(the_verifier_reads_programs),
      SCALAR_TEST(numbers_of_inputs_are_checked),    cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

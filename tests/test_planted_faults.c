/* Do the laws bite? A fault of 0.1 % is planted in the derivative of every differentiable (row, input), one at a time, and each
 * must be caught. A row is planted by copying its struct: the copy is a row like any other. */
#include "check/laws.h"
#include "graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- faulty rows ---- */

/* The copy comes first, so that its rules find the rest from the row of their call. */
typedef struct planted {
  bp_op op;
  bp_op twist; /* the identity with a faulty gradient, for expansions */
  const bp_op *real;
  double factor;
  int input;
} planted;

/* The call as the real row would see it. */
static bp_op_call as_real(const bp_op_call *c, const planted **p)
{
  bp_op_call real = *c;
  *p = (const planted *)(const void *)c->op;
  real.op = (*p)->real;
  return real;
}

static bp_node off_by(bp_node n, double factor)
{
  return bp_absent(n) ? n : bp_mul(n, bp_constant(n.graph, factor));
}

static bp_node planted_slope(const bp_op_call *c, int input)
{
  const planted *p;
  bp_op_call real = as_real(c, &p);
  bp_node s = p->real->slope(&real, input);
  return input == p->input ? off_by(s, p->factor) : s;
}

static bp_node planted_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const planted *p;
  bp_op_call real = as_real(c, &p);
  bp_node g = p->real->vjp(&real, up, input);
  return input == p->input ? off_by(g, p->factor) : g;
}

/* A hand-written jvp: what the tangent of that input adds is off. */
static bp_status planted_jvp(const bp_op_call *c, const bp_node *tangent, bp_node *out)
{
  const planted *p;
  bp_op_call real = as_real(c, &p);
  bp_node t[BPI_PROBE_MAX];
  memcpy(t, tangent, (size_t)c->n_in * sizeof *t);
  t[p->input] = off_by(t[p->input], p->factor);
  return p->real->jvp(&real, t, out);
}

static bp_status twist_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  *out = c->x_type[0];
  return BP_OK;
}

static bp_status twist_kernel(bp_kernel_call *c)
{
  memcpy(c->out[0].data, c->in[0].data, (size_t)c->in[0].size * bp_dtype_size(c->in[0].dtype));
  return BP_OK;
}

static bp_node twist_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  double factor;
  memcpy(&factor, &c->attr[0].r, sizeof factor);
  return off_by(up[0], factor);
}

static const bp_op twist_row = {
    .name = "twist",
    .math = "y = x, with another gradient",
    .source = "-",
    .args = "x",
    .attrs = {{"factor", BP_ATTR_REAL, 1}},
    .shape = twist_shape,
    .kernel = twist_kernel,
    .vjp = twist_vjp,
};

static bp_status planted_expand(const bp_op_call *c, bp_node *out)
{
  const planted *p;
  bp_op_call real = as_real(c, &p);
  bp_node x[BPI_PROBE_MAX];
  bp_attr factor = {.r = p->factor};
  memcpy(x, c->x, (size_t)c->n_in * sizeof *x);
  real.x = x;
  bp_status s = bp_apply(c->graph, &p->twist, &c->x[p->input], 1, &factor, &x[p->input]);
  return s != BP_OK ? s : p->real->expand(&real, out);
}

typedef enum place { IN_SLOPE, IN_VJP, IN_JVP, IN_EXPANSION, PLACES } place;

static bool has_place(const bp_op *op, place where)
{
  bool has[PLACES] = {
      [IN_SLOPE] = op->slope != NULL,
      [IN_VJP] = op->vjp && !op->slope,
      [IN_JVP] = op->jvp != NULL,
      [IN_EXPANSION] = op->expand && !op->slope && !op->vjp,
  };
  return has[where];
}

static void plant(planted *p, const bp_op *op, place where, int input, double factor)
{
  *p = (planted){.op = *op, .twist = twist_row, .real = op, .factor = factor, .input = input};
  /* A class may spare autodiff the rule; the fault has to be one that is used. */
  p->op.jacobian = NULL;
  if (where == IN_SLOPE)
    p->op.slope = planted_slope;
  else if (where == IN_VJP)
    p->op.vjp = planted_vjp;
  else if (where == IN_JVP)
    p->op.jvp = planted_jvp;
  else
    p->op.expand = planted_expand;
}

/* ---- which laws must catch what ---- */

typedef struct catcher {
  const char *name;
  bpi_law_fn holds;
  int planted, caught;
} catcher;

/* jvp by a rule of its own, not made from slope, vjp or expansion: then the two disagree, and the dot products show it. */
static bool jvp_is_apart(const bp_op *op)
{
  return op->jvp || (!op->slope && (op->traits & (BP_LINEAR | BP_MULTILINEAR)));
}

static bool must_catch(const bp_op *op, place where, const catcher *k)
{
  if (k->holds == bpi_law_adjoint)
    return jvp_is_apart(op);
  if (k->holds == bpi_law_jvp)
    return where == IN_JVP || !jvp_is_apart(op);
  if (k->holds == bpi_law_bundle)
    return op->expand && (where == IN_SLOPE || where == IN_VJP);
  return where != IN_JVP;
}

static bp_law_verdict verdict_of(bpi_law_fn law, bpi_law_case *c)
{
  bp_law_verdict v;
  assert_int_equal(bpi_law_judge(law, c, &v), BP_OK);
  return v;
}

/* Does any example show that input i has a derivative that is not zero? */
static bool depends(bp_ctx *ctx, const bp_op *op, const char *example, int input)
{
  bpi_law_case c = {.ctx = ctx, .op = op, .example = example, .seed = 0};
  bpi_sample s;
  bpi_measured J;
  bool found = false;
  if (bpi_sample_open(&c, &s) == BP_OK && input < s.f.n_x && bpi_is_real(s.f.x[input]) &&
      bpi_probe_measure(&s.f, &J) == BP_OK) {
    int64_t first = bpi_real_size(s.f.x, input), size = bp_node_size(s.f.x[input]);
    for (int64_t i = 0; i < J.rows; i++)
      for (int64_t j = first; j < first + size; j++)
        found = found || fabs(J.at[i * J.cols + j]) > 2 * J.tol[i * J.cols + j] + 1e-9;
  }
  bpi_sample_close(&s, BP_OK);
  return found;
}

/* Could it have one, by the classes that the row states? */
static bool may_depend(bp_ctx *ctx, const bp_op *op, const char *example, int input)
{
  bpi_law_case c = {.ctx = ctx, .op = op, .example = example, .seed = 0};
  bpi_sample s;
  bpi_call_room room;
  bp_op_call call;
  bool may = false;
  if (bpi_sample_open(&c, &s) == BP_OK && input < s.f.n_x && bpi_is_real(s.f.x[input]) &&
      bp_node_size(s.f.x[input]) && bpi_sample_call(&s, &room, &call) == BP_OK) {
    for (int k = 0; k < s.f.n_y; k++)
      may = may || (bpi_is_real(s.f.y[k]) && bp_node_size(s.f.y[k]) &&
                    !(op->jacobian && op->jacobian(&call, input, k) == BP_JAC_ZERO));
    bpi_call_done(&room);
  }
  bpi_sample_close(&s, BP_OK);
  return may;
}

static int inputs_of(bp_ctx *ctx, const bp_op *op)
{
  int most = 0;
  for (int e = 0; e < bpi_example_count(op); e++) {
    bpi_example ex;
    if (bpi_example_open(&ex, ctx, op, op->examples[e]) != BP_OK)
      continue;
    most = ex.n_args > most ? ex.n_args : most;
    bpi_example_close(&ex);
  }
  return most;
}

static void set_fault(bp_ctx *ctx, const bp_op *op, place where, int input, const char *example, catcher *k)
{
  planted good, bad;
  plant(&good, op, where, input, 1);
  plant(&bad, op, where, input, 1.001);
  bpi_law_case control = {.ctx = ctx, .op = &good.op, .example = example, .seed = 0};
  bpi_law_case fault = {.ctx = ctx, .op = &bad.op, .example = example, .seed = 0};
  bp_law_verdict v = verdict_of(k->holds, &control);
  if (v != BP_LAW_HOLDS)
    print_error("%s, input %d, \"%s\": without a fault: %s: %s\n", op->name, input, example, k->name,
                bp_error());
  assert_int_equal(v, BP_LAW_HOLDS);
  k->planted++;
  if (verdict_of(k->holds, &fault) == BP_LAW_BROKEN)
    k->caught++;
  else
    print_error("%s, input %d, \"%s\": a fault of 0.1 %% in its derivative is not caught by: %s\n", op->name,
                input, example, k->name);
}

static void every_fault_is_caught(void **state)
{
  (void)state;
  catcher catchers[] = {{"vjp = differences", bpi_law_vjp, 0, 0},
                        {"jvp = differences", bpi_law_jvp, 0, 0},
                        {"<u, Jv> = <J'u, v>", bpi_law_adjoint, 0, 0},
                        {"bundle = expansion", bpi_law_bundle, 0, 0}};
  enum { N = sizeof catchers / sizeof *catchers };
  bp_ctx *ctx = bp_ctx_new(NULL);
  int pairs = 0;
  for (size_t r = 0; r < bp_op_count(); r++) {
    const bp_op *op = bp_op_at(r);
    for (int i = 0; bpi_is_lawful(op) && !op->zero && i < inputs_of(ctx, op); i++) {
      bool found = false, due = false;
      for (int e = 0; e < bpi_example_count(op); e++) {
        due = due || may_depend(ctx, op, op->examples[e], i);
        if (!depends(ctx, op, op->examples[e], i))
          continue;
        found = true;
        for (int where = 0; where < PLACES; where++)
          for (int k = 0; has_place(op, (place)where) && k < N; k++)
            if (must_catch(op, (place)where, &catchers[k]))
              set_fault(ctx, op, (place)where, i, op->examples[e], &catchers[k]);
      }
      if (due && !found)
        fail_msg("no example of %s shows the derivative by input %d", op->name, i);
      pairs += found;
    }
  }
  for (int k = 0; k < N; k++)
    print_message("%s: %d faults of 0.1 %% planted, %d caught\n", catchers[k].name, catchers[k].planted,
                  catchers[k].caught);
  print_message("%d differentiable (row, input), each with every example that shows its derivative\n", pairs);
  bp_ctx_free(ctx);
  assert_true(pairs > 0);
  for (int k = 0; k < N; k++) {
    assert_true(catchers[k].planted > 0);
    assert_int_equal(catchers[k].caught, catchers[k].planted);
  }
}

/* Rows that have a derivative but are not planted would make the count above say less than it seems to. */
static void every_differentiable_row_has_a_place(void **state)
{
  (void)state;
  for (size_t r = 0; r < bp_op_count(); r++) {
    const bp_op *op = bp_op_at(r);
    int n = 0;
    for (int where = 0; where < PLACES; where++)
      n += has_place(op, (place)where);
    if (bpi_is_lawful(op) && (op->slope || op->vjp || op->expand) && n == 0)
      fail_msg("%s has a derivative that no fault was planted in", op->name);
  }
}

/* ---- other laws, other faults ---- */

static bp_jac says_zero(const bp_op_call *c, int input, int result)
{
  (void)c, (void)input, (void)result;
  return BP_JAC_ZERO;
}

static bp_jac says_dense(const bp_op_call *c, int input, int result)
{
  (void)c, (void)input, (void)result;
  return BP_JAC_DENSE;
}

static const bp_op *shortened;
static bool was_shortened; /* the row did say where its entries are */

/* Misses the end of the first axis that has one. */
static bool short_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  if (!shortened->reach(c, input, result, r))
    return false;
  was_shortened = true;
  for (int i = 0; i < r->rank; i++)
    if (r->dims[i] > 1) {
      r->dims[i]--;
      break;
    }
  return true;
}

static void a_reach_too_short_is_caught(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int set = 0;
  for (size_t r = 0; r < bp_op_count(); r++)
    for (int e = 0; bp_op_at(r)->reach && e < bpi_example_count(bp_op_at(r)); e++) {
      bp_op op = *bp_op_at(r);
      shortened = bp_op_at(r);
      op.reach = short_reach;
      op.jacobian = says_dense;
      bpi_law_case c = {.ctx = ctx, .op = &op, .example = op.examples[e], .seed = 0};
      if (!depends(ctx, &op, op.examples[e], 0))
        continue;
      was_shortened = false;
      bool by_pattern = false, by_local = false; /* an index may not name what is missed: several are drawn */
      for (c.seed = 0; c.seed < 20 && !(by_pattern && by_local); c.seed++) {
        by_pattern = by_pattern || verdict_of(bpi_law_pattern, &c) == BP_LAW_BROKEN;
        by_local = by_local || verdict_of(bpi_law_local, &c) == BP_LAW_BROKEN;
      }
      if (was_shortened && (!by_pattern || !by_local))
        fail_msg("%s, \"%s\": a reach too short is not caught", op.name, op.examples[e]);
      set += was_shortened;
    }
  print_message("%d reaches too short caught\n", set);
  bp_ctx_free(ctx);
  assert_true(set > 0);
}

static void a_wrong_class_is_caught(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int set = 0;
  for (size_t r = 0; r < bp_op_count(); r++)
    for (int e = 0; bpi_is_lawful(bp_op_at(r)) && !bp_op_at(r)->zero && e < bpi_example_count(bp_op_at(r));
         e++) {
      bp_op op = *bp_op_at(r);
      bool some = false;
      for (int i = 0; !some && i < inputs_of(ctx, &op); i++)
        some = depends(ctx, &op, op.examples[e], i);
      op.jacobian = says_zero;
      bpi_law_case c = {.ctx = ctx, .op = &op, .example = op.examples[e], .seed = 0};
      const bpi_law_fn laws[] = {bpi_law_class, bpi_law_pattern, bpi_law_local};
      /* The pattern of a loop is that of its steps: it does not take the row's word. */
      for (int k = 0; some && k < 3; k++)
        if (!(k == 1 && (op.traits & BP_LOOP)) && verdict_of(laws[k], &c) != BP_LAW_BROKEN)
          fail_msg("%s, \"%s\": law %d does not catch the class zero", op.name, op.examples[e], k);
      set += some;
    }
  print_message("%d wrong classes caught\n", set);
  bp_ctx_free(ctx);
  assert_true(set > 0);
}

static void a_wrong_slope_at_a_kink_is_caught(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int set = 0;
  for (size_t r = 0; r < bp_op_count(); r++)
    for (int k = 0; k < bp_op_at(r)->n_kinks; k++) {
      bp_op op = *bp_op_at(r);
      bp_kink kinks[8];
      assert_in_range(op.n_kinks, 1, 8);
      memcpy(kinks, op.kinks, (size_t)op.n_kinks * sizeof *kinks);
      double *slope = &kinks[k].slope[0];
      *slope = isfinite(*slope) ? *slope + 1e-6 : 1;
      op.kinks = kinks;
      bpi_law_case c = {.ctx = ctx, .op = &op, .example = NULL, .seed = 0};
      if (verdict_of(bpi_law_kinks, &c) != BP_LAW_BROKEN)
        fail_msg("%s: another slope at kink %d is not caught", op.name, k);
      set += was_shortened;
    }
  print_message("%d wrong slopes at kinks caught\n", set);
  bp_ctx_free(ctx);
  assert_true(set > 0);
}

/* A kernel for one real input of any shape, from an expression of x; `wide` is true in float64. */
#define KERNEL(name, EXPR)                                                                              \
  static bp_status name(bp_kernel_call *c)                                                              \
  {                                                                                                     \
    bool wide = c->in[0].dtype == BP_FLOAT64;                                                           \
    for (int64_t i = 0; i < c->in[0].size; i++) {                                                       \
      double x = wide ? ((const double *)c->in[0].data)[i] : (double)((const float *)c->in[0].data)[i]; \
      if (wide)                                                                                         \
        ((double *)c->out[0].data)[i] = (EXPR);                                                         \
      else                                                                                              \
        ((float *)c->out[0].data)[i] = (float)(EXPR);                                                   \
    }                                                                                                   \
    return BP_OK;                                                                                       \
  }
KERNEL(eats_nan, wide &&isnan(x) ? 0 : x)
KERNEL(eats_nan_in_float32, !wide && isnan(x) ? 0 : x)
KERNEL(coarse_in_float32, wide ? x : x *(1 + 1e-6))
KERNEL(as_it_is, x)

static bp_status wants_elements(const bp_op_call *c, bp_type *out, int *n_out)
{
  *n_out = 1;
  *out = c->x_type[0];
  return bpi_type_size(out) ? BP_OK : bp_op_fail(c, BP_E_SHAPE, "has no elements");
}

static bp_status says_nothing(const bp_op_call *c, bp_type *out, int *n_out)
{
  *n_out = 1;
  *out = c->x_type[0];
  return out->dtype == BP_REAL ? BP_OK : BP_E_DTYPE; /* should go through bp_op_fail */
}

static bp_status never_settles(bp_op_call *c, bp_attr *attr)
{
  (void)c;
  attr[0].i ^= 1;
  return BP_OK;
}

static bp_status fails_to_run(bp_kernel_call *c)
{
  c->fail_why = "only finite numbers";
  for (int64_t i = 0; i < c->in[0].size; i++)
    if (c->in[0].dtype == BP_FLOAT64 && !isfinite(((const double *)c->in[0].data)[i]))
      return BP_E_RANGE;
  return as_it_is(c);
}

static bp_node straight(const bp_op_call *c, const bp_node *up, int input)
{
  (void)c, (void)input;
  return up[0];
}

/* y = x, but its own gradient says that it does not depend on the upstream: wrong in the second derivative alone where up = 1. */
static bp_node frozen(const bp_op_call *c, const bp_node *up, int input)
{
  (void)c, (void)input;
  return bp_stop_gradient(up[0]);
}

/* Kernels that do not keep to their memory, for one real input of n elements. */
#define ELEMENT(x) bp_dtype_size((x).dtype)
static bp_status writes_behind(bp_kernel_call *c)
{
  memset((char *)c->out[0].data + (size_t)c->out[0].size * ELEMENT(c->out[0]), 0, 1);
  return as_it_is(c);
}
static bp_status leaves_the_last(bp_kernel_call *c)
{
  size_t n = (size_t)c->in[0].size;
  memcpy(c->out[0].data, c->in[0].data, (n ? n - 1 : 0) * ELEMENT(c->in[0]));
  return BP_OK;
}
static bp_status spoils_its_input(bp_kernel_call *c)
{
  bp_status s = as_it_is(c);
  memset(c->in[0].data, 0, (size_t)c->in[0].size * ELEMENT(c->in[0]));
  return s;
}
static bp_status copies_backwards(bp_kernel_call *c)
{
  size_t n = (size_t)c->in[0].size, each = ELEMENT(c->in[0]);
  for (size_t i = 0; i < n; i++)
    memcpy((char *)c->out[0].data + i * each, (const char *)c->in[0].data + (n - 1 - i) * each, each);
  return BP_OK;
}
static int64_t one_an_element(const bp_kernel_call *c, double *ns)
{
  *ns = 1;
  return c->in[0].size;
}
/* Its units begin where the unit before ended. */
static bp_status chained_units(bp_kernel_call *c)
{
  size_t each = ELEMENT(c->in[0]);
  for (int64_t i = c->begin; i < c->end; i++)
    memcpy((char *)c->out[0].data + (size_t)i * each,
           i ? (const char *)c->out[0].data + (size_t)(i - 1) * each : (const char *)c->in[0].data, each);
  return BP_OK;
}
static size_t eight_bytes(const bp_kernel_call *c)
{
  (void)c;
  return 8;
}
static bp_status needs_nine(bp_kernel_call *c)
{
  memset(c->scratch, 0, 9);
  return as_it_is(c);
}

#define ROW(NAME, SHAPE, KERNEL_, VJP, ...)                                                       \
  {                                                                                               \
    .name = NAME, .math = "y = x", .source = "-", .args = "x", .shape = SHAPE, .kernel = KERNEL_, \
    .vjp = VJP, .examples = {"x[5]"}, __VA_ARGS__                                                 \
  }

static const struct {
  bp_op op;
  bpi_law_fn holds;
} faulty_rows[] = {
    {ROW("eats_nan", twist_shape, eats_nan, straight, .ulp32 = 0), bpi_law_nan},
    {ROW("eats_narrow_nan", twist_shape, eats_nan_in_float32, straight, .ulp32 = 0), bpi_law_nan},
    {ROW("coarse", twist_shape, coarse_in_float32, straight, .ulp32 = 0), bpi_law_float32},
    {ROW("never_empty", wants_elements, as_it_is, straight, .ulp32 = 0), bpi_law_empty},
    {ROW("mute", says_nothing, as_it_is, straight, .ulp32 = 0), bpi_law_misuse},
    {ROW("restless", twist_shape, as_it_is, straight, .canon = never_settles,
         .attrs = {{"count", BP_ATTR_INT, 0}}),
     bpi_law_canonical},
    {ROW("fragile", twist_shape, fails_to_run, straight, .ulp32 = 0), bpi_law_infinity},
    {ROW("underived", twist_shape, as_it_is, NULL, .ulp32 = 0), bpi_law_has_derivative},
    {ROW("frozen", twist_shape, as_it_is, frozen, .ulp32 = 0), bpi_law_second_derivative},
    {ROW("too_kinky", twist_shape, as_it_is, straight, .n_kinks = 7), bpi_law_described},
    {ROW("nameless", twist_shape, as_it_is, straight, .attrs = {{"", BP_ATTR_INT, 0}}), bpi_law_described},
    {ROW("unseen", NULL, as_it_is, straight, .ulp32 = 0), bpi_law_described},
    {ROW("idle", twist_shape, NULL, straight, .ulp32 = 0), bpi_law_described},
    {ROW("writes_behind", twist_shape, writes_behind, straight, .ulp32 = 0), bpi_law_kernel},
    {ROW("leaves_the_last", twist_shape, leaves_the_last, straight, .ulp32 = 0), bpi_law_kernel},
    {ROW("spoils_its_input", twist_shape, spoils_its_input, straight, .ulp32 = 0), bpi_law_kernel},
    {ROW("overwrites", twist_shape, copies_backwards, straight, .overwrites = 1), bpi_law_kernel},
    {ROW("not_strided", twist_shape, twist_kernel, straight, .traits = BP_STRIDED), bpi_law_kernel},
    {ROW("chained", twist_shape, chained_units, straight, .units = one_an_element), bpi_law_kernel},
    {ROW("needs_nine", twist_shape, needs_nine, straight, .scratch = eight_bytes), bpi_law_kernel},
};

static void every_law_catches_a_row_that_breaks_it(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_op good = ROW("good", twist_shape, as_it_is, straight, .ulp32 = 0);
  for (size_t i = 0; i < sizeof faulty_rows / sizeof *faulty_rows; i++) {
    const bp_op *op = &faulty_rows[i].op;
    bpi_law_case c = {.ctx = ctx, .op = op, .example = op->examples[0], .seed = 0},
                 sound = {.ctx = ctx, .op = &good, .example = op->examples[0], .seed = 0};
    if (verdict_of(faulty_rows[i].holds, &sound) != BP_LAW_HOLDS)
      fail_msg("a sound row is refused by the law for %s: %s", op->name, bp_error());
    if (verdict_of(faulty_rows[i].holds, &c) != BP_LAW_BROKEN)
      fail_msg("%s is not caught by its law", op->name);
  }
  bp_ctx_free(ctx);
}

/* ---- the same through the call that users make ---- */

typedef struct told {
  const char *law;
  int results, broken;
} told;

static void listen(void *user, const bp_law_result *r)
{
  told *t = user;
  t->results++;
  t->broken += r->verdict == BP_LAW_BROKEN && !strcmp(r->law, t->law);
  assert_int_equal(r->verdict == BP_LAW_BROKEN, *r->why != '\0');
}

static const char *law_name(bpi_law_fn holds)
{
  for (size_t i = 0; i < bpi_n_laws; i++)
    if (bpi_laws[i].holds == holds)
      return bpi_laws[i].name;
  return NULL;
}

static void op_check_names_the_broken_law(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (size_t i = 0; i < sizeof faulty_rows / sizeof *faulty_rows; i++) {
    const bp_op *op = &faulty_rows[i].op;
    told t = {.law = law_name(faulty_rows[i].holds)};
    bp_op_check_options o = {.seeds = 1, .each = listen, .user = &t};
    bp_op_report r;
    assert_int_equal(bp_op_check(ctx, op, &o, &r), BP_E_CHECK);
    if (t.broken == 0)
      fail_msg("%s: bp_op_check does not find \"%s\" broken:\n%s", op->name, t.law, r.text);
    assert_true(r.broken > 0 && strstr(r.text, "BROKEN") && strstr(bp_error(), op->name));
    bp_free(ctx, r.text);
  }
  bp_ctx_free(ctx);
}

/* A fault of 0.1 % in the first place of each row's derivative for its first input that has one. */
static void op_check_finds_wrong_derivatives(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int planted_in = 0;
  for (size_t r = 0; r < bp_op_count(); r++) {
    const bp_op *op = bp_op_at(r);
    int input = -1, where = 0;
    for (int i = 0; bpi_is_lawful(op) && !op->zero && input < 0 && i < inputs_of(ctx, op); i++)
      input = depends(ctx, op, op->examples[0], i) ? i : -1;
    while (where < PLACES && !has_place(op, (place)where))
      where++;
    if (input < 0 || where == PLACES)
      continue;
    planted bad;
    plant(&bad, op, (place)where, input, 1.001);
    bad.op.examples[1] = NULL;
    told t = {.law = where == IN_JVP ? "jvp = differences" : "vjp = differences"};
    bp_op_check_options o = {.seeds = 1, .each = listen, .user = &t};
    assert_int_equal(bp_op_check(ctx, &bad.op, &o, NULL), BP_E_CHECK);
    if (t.broken == 0)
      fail_msg("%s: a fault of 0.1 %% is not found by bp_op_check", op->name);
    planted_in++;
  }
  print_message("%d rows with a fault, all found by bp_op_check\n", planted_in);
  bp_ctx_free(ctx);
  assert_true(planted_in > 50);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_fault_is_caught),
      cmocka_unit_test(every_differentiable_row_has_a_place),
      cmocka_unit_test(a_wrong_class_is_caught),
      cmocka_unit_test(a_reach_too_short_is_caught),
      cmocka_unit_test(a_wrong_slope_at_a_kink_is_caught),
      cmocka_unit_test(every_law_catches_a_row_that_breaks_it),
      cmocka_unit_test(op_check_names_the_broken_law),
      cmocka_unit_test(op_check_finds_wrong_derivatives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

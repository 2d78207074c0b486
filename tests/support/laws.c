/* Laws of derivatives. */
#include "support/laws.h"
#include "autodiff/reach.h"
#include "graph/graph.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const law all_laws[] = {
    {"row is described", law_described, PER_ROW},
    {"row has a derivative", law_has_derivative, PER_ROW},
    {"attributes are canonical", law_canonical, PER_EXAMPLE},
    {"misuse is refused", law_misuse, PER_EXAMPLE},
    {"integers have no gradient", law_integers, PER_EXAMPLE},
    {"vjp = differences", law_vjp, PER_SEED},
    {"jvp = differences", law_jvp, PER_SEED},
    {"<u, Jv> = <J'u, v>", law_adjoint, PER_SEED},
    {"Jacobian has its class", law_class, PER_SEED},
    {"pattern covers the Jacobian", law_pattern, PER_SEED},
    {"second derivative = differences", law_second_derivative, PER_SEED},
    {"pattern covers the second derivative", law_second_pattern, PER_SEED},
    {"bundle = expansion", law_bundle, PER_SEED},
    {"kinks as documented", law_kinks, PER_ROW},
    {"float32 = float64", law_float32, PER_SEED},
    {"empty tensors", law_empty, PER_ROW},
    {"NaN arrives", law_nan, PER_EXAMPLE},
    {"infinity does no harm", law_infinity, PER_EXAMPLE},
    {"passes keep the bits", law_passes, PER_EXAMPLE},
};
const size_t n_laws = sizeof all_laws / sizeof *all_laws;

/* ---- what they share ---- */

verdict broken(law_case *c, const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  vsnprintf(c->why, sizeof c->why, fmt, va);
  va_end(va);
  return LAW_BROKEN;
}

bool is_lawful(const bp_op *op)
{
  return !(op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT));
}

int count_examples(const bp_op *op)
{
  int n = 0, most = (int)(sizeof op->examples / sizeof *op->examples);
  while (n < most && op->examples[n])
    n++;
  return n;
}

bool sample_build(law_case *c, sample *s)
{
  bp_node x[FUN_MAX], y[BP_MAX_RESULTS];
  void *data[FUN_MAX];
  int n_y;
  s->g = bp_graph_new(c->ctx);
  fun_open(&s->f, s->g, c->seed);
  if (bpi_example_draw(&s->ex, c->seed, data) != BP_OK ||
      bpi_example_build(&s->ex, s->g, x, y, &n_y) != BP_OK) {
    broken(c, "%s", bp_error());
    return false;
  }
  for (int i = 0; i < s->ex.n_args; i++)
    fun_input(&s->f, x[i], data[i]);
  for (int i = 0; i < n_y; i++)
    fun_result(&s->f, y[i]);
  return true;
}

bool sample_open(law_case *c, sample *s)
{
  memset(s, 0, sizeof *s);
  if (bpi_example_open(&s->ex, c->ctx, c->op, c->example) == BP_OK)
    return sample_build(c, s);
  broken(c, "%s", bp_error());
  return false;
}

void sample_close(sample *s)
{
  if (s->g) {
    fun_close(&s->f);
    bp_graph_free(s->g);
  }
  if (s->ex.ctx)
    bpi_example_close(&s->ex);
  memset(s, 0, sizeof *s);
}

verdict judged(law_case *c, sample *s, bool good)
{
  if (!good)
    broken(c, "%s", s->f.why);
  sample_close(s);
  return good ? LAW_HOLDS : LAW_BROKEN;
}

/* Is there anything to differentiate? */
static bool differentiable(const fun *f)
{
  bool x = false, y = false;
  for (int i = 0; i < f->n_x; i++)
    x = x || is_real(f->x[i]);
  for (int i = 0; i < f->n_y; i++)
    y = y || is_real(f->y[i]);
  return x && y;
}

/* By differences, but for a row that stops gradients by decree: then nothing may come through. */
static bool jacobian_by_law(law_case *c, fun *f, matrix *J)
{
  if (!fun_jacobian(f, J))
    return false;
  for (int64_t i = 0; (c->op->traits & BP_STOPS) && i < J->rows * J->cols; i++)
    J->at[i] = J->tol[i] = 0;
  return true;
}

/* Opens the sample of a row that can be differentiated, with its numeric Jacobian. LAW_HOLDS: go on; else s is closed. */
verdict sample_measured(law_case *c, sample *s, matrix *J)
{
  if (!sample_open(c, s)) {
    sample_close(s);
    return LAW_BROKEN;
  }
  if (!differentiable(&s->f)) {
    sample_close(s);
    return LAW_SKIPPED;
  }
  return jacobian_by_law(c, &s->f, J) ? LAW_HOLDS : judged(c, s, false);
}

/* ---- first derivatives ---- */

verdict law_vjp(law_case *c)
{
  sample s;
  matrix J;
  verdict v = sample_measured(c, &s, &J);
  return v != LAW_HOLDS ? v : judged(c, &s, vjp_agrees(&s.f, &J));
}

verdict law_jvp(law_case *c)
{
  sample s;
  matrix J;
  verdict v = sample_measured(c, &s, &J);
  return v != LAW_HOLDS ? v : judged(c, &s, jvp_agrees(&s.f, &J));
}

verdict law_adjoint(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  if (!differentiable(&s.f)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  return judged(c, &s, adjoint_agrees(&s.f));
}

/* ---- second derivatives: the gradient of <up, y>, as a function of x and up, under the same three laws ---- */

static bool second_agrees(fun *f)
{
  fun df;
  matrix H;
  bool good = fun_gradient(f, &df) && fun_jacobian(&df, &H) && vjp_agrees(&df, &H) && jvp_agrees(&df, &H) &&
              adjoint_agrees(&df);
  if (!good)
    fun_fails(f, "of the gradient: %s", df.why);
  fun_close(&df);
  return good;
}

verdict law_second_derivative(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  if (!differentiable(&s.f)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  return judged(c, &s, second_agrees(&s.f));
}

/* ---- classes of Jacobians ---- */

/* Entries [row, row + rows) x [col, col + cols) of a Jacobian: one result by one input. */
typedef struct window {
  const matrix *J;
  int64_t row, col, rows, cols;
} window;

static double entry(const window *w, int64_t i, int64_t j)
{
  return w->J->at[(w->row + i) * w->J->cols + w->col + j];
}

static bool equals(const window *w, int64_t i, int64_t j, double v)
{
  return fabs(entry(w, i, j) - v) <= w->J->tol[(w->row + i) * w->J->cols + w->col + j] + 1e-12;
}

static bool nonzero(const window *w, int64_t i, int64_t j)
{
  return !equals(w, i, j, 0);
}

/* Nonzero entries of row i, or of column i. */
static int64_t count_line(const window *w, bool row, int64_t i)
{
  int64_t n = 0;
  for (int64_t k = 0; k < (row ? w->cols : w->rows); k++)
    n += row ? nonzero(w, i, k) : nonzero(w, k, i);
  return n;
}

static int64_t longest_line(const window *w, bool row)
{
  int64_t most = 0;
  for (int64_t i = 0; i < (row ? w->rows : w->cols); i++) {
    int64_t n = count_line(w, row, i);
    most = n > most ? n : most;
  }
  return most;
}

/* Zero outside `blocks` equal blocks along the diagonal. */
static bool has_blocks(const window *w, int64_t blocks)
{
  for (int64_t i = 0; i < w->rows; i++)
    for (int64_t j = 0; j < w->cols; j++)
      if (i / (w->rows / blocks) != j / (w->cols / blocks) && nonzero(w, i, j))
        return false;
  return true;
}

static bool is_zero(const window *w, const bp_type *x)
{
  (void)x;
  return longest_line(w, true) == 0;
}

static bool is_diagonal(const window *w, const bp_type *x)
{
  (void)x;
  return w->rows == w->cols && (w->rows == 0 || has_blocks(w, w->rows));
}

static bool is_scaled(const window *w, const bp_type *x)
{
  for (int64_t i = 0; i < w->rows && i < w->cols; i++)
    if (!equals(w, i, i, entry(w, 0, 0)))
      return false;
  return is_diagonal(w, x);
}

static bool is_identity(const window *w, const bp_type *x)
{
  return is_scaled(w, x) && (w->rows == 0 || equals(w, 0, 0, 1));
}

static bool is_select(const window *w, const bp_type *x)
{
  (void)x;
  return longest_line(w, true) <= 1;
}

static bool is_spread(const window *w, const bp_type *x)
{
  (void)x;
  return longest_line(w, false) <= 1;
}

static bool is_permutation(const window *w, const bp_type *x)
{
  for (int64_t i = 0; i < w->rows; i++)
    for (int64_t j = 0; j < w->cols; j++)
      if (nonzero(w, i, j) && !equals(w, i, j, 1))
        return false;
  for (int64_t i = 0; i < w->rows; i++)
    if (count_line(w, true, i) != 1)
      return false;
  return w->rows == w->cols && is_spread(w, x);
}

/* Two blocks at least, unless the input is one row anyway. */
static bool is_block(const window *w, const bp_type *x)
{
  for (int64_t blocks = 2; blocks <= w->rows && blocks <= w->cols; blocks++)
    if (w->rows % blocks == 0 && w->cols % blocks == 0 && has_blocks(w, blocks))
      return true;
  return w->rows == 0 || w->cols == 0 || x->rank < 2 || x->dims[0] == 1;
}

static bool is_anything(const window *w, const bp_type *x)
{
  (void)w, (void)x;
  return true;
}

static const struct {
  const char *name;
  bool (*covers)(const window *w, const bp_type *x);
} classes[] = {
    [BP_JAC_ZERO] = {"zero", is_zero},
    [BP_JAC_IDENTITY] = {"identity", is_identity},
    [BP_JAC_SCALED] = {"scaled identity", is_scaled},
    [BP_JAC_DIAGONAL] = {"diagonal", is_diagonal},
    [BP_JAC_SELECT] = {"select", is_select},
    [BP_JAC_SPREAD] = {"spread", is_spread},
    [BP_JAC_PERMUTATION] = {"permutation", is_permutation},
    [BP_JAC_BLOCK] = {"block", is_block},
    [BP_JAC_DENSE] = {"dense", is_anything}, /* sparse is of whole functions: no row says it */
};

static bool class_covers(fun *f, const bp_op_call *call, const window *w, int input, int result)
{
  bp_jac jac = bpi_jac_of(call, input, result);
  if ((size_t)jac >= sizeof classes / sizeof *classes || !classes[jac].covers)
    return fun_fails(f, "class %d of input %d is none", (int)jac, input);
  return classes[jac].covers(w, &call->x_type[input]) ||
         fun_fails(f, "d result %d / d input %d is said to be %s, and is not", result, input,
                   classes[jac].name);
}

static bool every_class_covers(fun *f, const bp_op_call *call, const matrix *J)
{
  window w = {.J = J};
  for (int k = 0; k < f->n_y; k++, w.row += w.rows) {
    w.rows = is_real(f->y[k]) ? bp_node_size(f->y[k]) : 0;
    w.col = 0;
    for (int i = 0; i < f->n_x && is_real(f->y[k]); i++) {
      if (!is_real(f->x[i]))
        continue;
      w.cols = bp_node_size(f->x[i]);
      if (!class_covers(f, call, &w, i, k))
        return false;
      w.col += w.cols;
    }
  }
  return true;
}

/* The class speaks of the row's own inputs, which the builder has broadcast: the sample is built anew in their shapes. */
static bool sample_of_own_shapes(law_case *c, sample *s)
{
  if (bpi_example_open(&s->ex, c->ctx, c->op, c->example) != BP_OK || !sample_build(c, s)) {
    broken(c, "%s", bp_error());
    return false;
  }
  bpi_call_room room;
  bp_op_call call;
  bool changed = false;
  if (bpi_call_of(s->g, s->f.y[0].index, &room, &call) != BP_OK)
    return false;
  for (int i = 0; i < s->ex.n_args; i++) {
    changed = changed || !bpi_same_shape(&s->ex.args[i].type, &call.x_type[i]);
    s->ex.args[i].type = call.x_type[i];
  }
  bpi_call_done(&room);
  if (!changed)
    return true;
  fun_close(&s->f);
  bp_graph_free(s->g);
  return sample_build(c, s);
}

verdict law_class(law_case *c)
{
  sample s;
  matrix J;
  memset(&s, 0, sizeof s);
  if (!sample_of_own_shapes(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  if (!differentiable(&s.f)) {
    sample_close(&s);
    return LAW_SKIPPED;
  }
  bpi_call_room room;
  bp_op_call call;
  bool good = jacobian_by_law(c, &s.f, &J);
  if (good && bpi_call_of(s.g, s.f.y[0].index, &room, &call) == BP_OK) {
    good = every_class_covers(&s.f, &call, &J);
    bpi_call_done(&room);
  }
  return judged(c, &s, good);
}

/* ---- bundles ---- */

static const double bundle_bound =
    1e-11; /* of the largest value; expansions are allowed to be the clumsier form */

/* Where the row says that its expansion is equal; everywhere is tried to 20. Only the first real input is a bundle's variable. */
static void widen_range(const bp_op *op, bpi_example *ex)
{
  for (int i = 0; i < ex->n_args; i++) {
    bpi_arg *a = &ex->args[i];
    if (a->type.dtype != BP_REAL || a->simplex)
      continue;
    bool stated = op->safe_lo != 0 || op->safe_hi != 0;
    if (stated || !a->ranged) {
      a->lo = stated ? op->safe_lo : -20;
      a->hi = stated ? op->safe_hi : 20;
    }
    return;
  }
}

static bool near_all(fun *f, const char *what, const double *a, const double *b, int64_t n)
{
  double largest = 1;
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, fabs(a[i]));
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= bundle_bound * largest))
      return fun_fails(f, "%s[%lld]: the row gives %.17g, its expansion %.17g", what, (long long)i, a[i],
                       b[i]);
  return true;
}

/* Values of f's results and of others of the same types, at the same inputs. */
static bool same_values(fun *f, const bp_node *others)
{
  int64_t n = fun_all_size(f);
  double *a = fun_doubles(f, n), *b = fun_doubles(f, n);
  if (!fun_all_values(f, BP_FLOAT64, a))
    return false;
  memcpy(f->y, others, (size_t)f->n_y * sizeof *others);
  return fun_all_values(f, BP_FLOAT64, b) && near_all(f, "value", a, b, n);
}

static bool expansion_agrees(fun *f, const bp_op_call *call)
{
  bp_node z[BP_MAX_RESULTS], own[BP_MAX_RESULTS];
  for (int k = 0; k < call->n_out; k++)
    z[k] = bpi_error_node(call->graph);
  if (call->op->expand(call, z) != BP_OK || bp_graph_status(f->g) != BP_OK)
    return fun_fails(f, "does not expand: %s", bp_error());
  for (int k = 0; k < f->n_y; k++) {
    bp_type want, got;
    if (bp_node_type(f->y[k], &want) != BP_OK || bp_node_type(z[k], &got) != BP_OK ||
        !bpi_same_shape(&want, &got) || want.dtype != got.dtype)
      return fun_fails(f, "result %d of the expansion has another type", k);
  }
  memcpy(own, f->y, sizeof own);
  if (!same_values(f, z))
    return false;
  if (!differentiable(f))
    return true;
  /* Equal seeds give both gradients the same upstream values. */
  fun a, b;
  memcpy(f->y, own, sizeof own);
  bool good = fun_gradient(f, &a);
  memcpy(f->y, z, sizeof z);
  good = fun_gradient(f, &b) && good;
  if (good) {
    int64_t n = real_size(a.y, a.n_y);
    double *va = fun_doubles(f, n), *vb = fun_doubles(f, n);
    good = fun_values(&a, BP_FLOAT64, va) && fun_values(&b, BP_FLOAT64, vb) &&
           near_all(f, "gradient", va, vb, n);
  }
  if (!good && !*f->why)
    fun_fails(f, "%s%s", a.why, b.why);
  fun_close(&a);
  fun_close(&b);
  return good;
}

static verdict bundle_on_range(law_case *c, bool wide)
{
  sample s;
  memset(&s, 0, sizeof s);
  if (bpi_example_open(&s.ex, c->ctx, c->op, c->example) != BP_OK)
    return broken(c, "%s", bp_error());
  if (wide)
    widen_range(c->op, &s.ex);
  bpi_call_room room;
  bp_op_call call;
  if (!sample_build(c, &s) || bpi_call_of(s.g, s.f.y[0].index, &room, &call) != BP_OK) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  bool good = expansion_agrees(&s.f, &call);
  bpi_call_done(&room);
  return judged(c, &s, good);
}

/* On the example's own range too: far out, many a derivative is too small to be compared. */
verdict law_bundle(law_case *c)
{
  if (!c->op->expand)
    return LAW_SKIPPED;
  return bundle_on_range(c, false) == LAW_BROKEN ? LAW_BROKEN : bundle_on_range(c, true);
}

/* ---- kinks ---- */

static bool same_slope(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/* An elementwise row at one point: scalars. Any other row: the point is the one input, of three elements. */
static void place_at_kink(bpi_example *ex, bool scalars)
{
  for (int i = 0; i < ex->n_args; i++) {
    ex->args[i].type.rank = scalars ? 0 : 1;
    ex->args[i].type.dims[0] = 3;
  }
}

static bool kink_agrees(fun *f, const bp_kink *k, bool scalars, bp_dtype real)
{
  bp_node grads[FUN_MAX];
  double got[FUN_MAX];
  for (int i = 0; i < f->n_x; i++)
    if (is_real(f->x[i]))
      memcpy(f->data[i], scalars ? &k->x[i] : k->x, scalars ? sizeof(double) : sizeof k->x);
  int n = scalars ? f->n_x : 1;
  if (bp_grad(f->y[0], f->x, (size_t)n, grads) != BP_OK)
    return fun_fails(f, "bp_grad at a kink: %s", bp_error());
  f->n_y = 0;
  for (int i = 0; i < n; i++)
    fun_result(f, grads[i]);
  if (!fun_values(f, real, got))
    return false;
  for (int i = 0; i < (scalars ? n : 3); i++) {
    double want = real == BP_FLOAT32 ? (float)k->slope[i] : k->slope[i];
    if (!same_slope(got[i], want))
      return fun_fails(f, "at (%g, %g, %g) slope %d is %.17g in %s, documented is %.17g", k->x[0], k->x[1],
                       k->x[2], i, got[i], bp_dtype_name(real), want);
  }
  return true;
}

verdict law_kinks(law_case *c)
{
  bool scalars = (c->op->traits & BP_ELEMENTWISE) != 0;
  if (c->op->n_kinks > 0 && !c->op->kink)
    return broken(c, "kinks are listed, but not said in words");
  for (int i = 0; i < 2 * c->op->n_kinks; i++) {
    sample s;
    memset(&s, 0, sizeof s);
    if (bpi_example_open(&s.ex, c->ctx, c->op, c->op->examples[0]) != BP_OK)
      return broken(c, "%s", bp_error());
    place_at_kink(&s.ex, scalars);
    if (!sample_build(c, &s)) {
      sample_close(&s);
      return LAW_BROKEN;
    }
    if (judged(c, &s, kink_agrees(&s.f, &c->op->kinks[i / 2], scalars, i % 2 ? BP_FLOAT32 : BP_FLOAT64)) ==
        LAW_BROKEN)
      return LAW_BROKEN;
  }
  return c->op->n_kinks ? LAW_HOLDS : LAW_SKIPPED;
}

/* Laws of rows and their builders: what is stated, canonical attributes, refusals. */
#include "support/laws.h"
#include "graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool said(const char *text)
{
  return text && *text;
}

verdict law_described(law_case *c)
{
  const bp_op *op = c->op;
  if (!said(op->name) || !said(op->math) || !said(op->source) || !op->args)
    return broken(c, "name, math, source or args is missing");
  if (count_examples(op) == 0)
    return broken(c, "has no example");
  if (bp_op_find(op->name) != op)
    return broken(c, "bp_op_find gives another row of that name");
  for (size_t i = 1; i < bp_op_count(); i++)
    if (strcmp(bp_op_at(i - 1)->name, bp_op_at(i)->name) >= 0)
      return broken(c, "rows are not in the order of their names, each once: %s", bp_op_at(i)->name);
  if (op->n_kinks < 0 || (size_t)op->n_kinks > sizeof op->kinks / sizeof *op->kinks)
    return broken(c, "n_kinks is %d", op->n_kinks);
  if (!op->shape || (!op->body && !op->kernel && !op->expand && !op->view && !(op->traits & BP_LOOP)))
    return broken(c, "has no shape rule, or nothing to evaluate it with");
  return LAW_HOLDS;
}

verdict law_has_derivative(law_case *c)
{
  const bp_op *op = c->op;
  bool rule = op->slope || op->vjp || op->expand, needed = false;
  for (int e = 0; e < count_examples(op); e++) {
    sample s;
    c->example = op->examples[e];
    if (!sample_open(c, &s)) {
      sample_close(&s);
      return LAW_BROKEN;
    }
    needed = needed || (real_size(s.f.x, s.f.n_x) && real_size(s.f.y, s.f.n_y));
    sample_close(&s);
  }
  if (needed && !rule && !op->zero)
    return broken(c, "maps real to real, has no slope, vjp or expand, and does not say zero");
  if (op->zero && (op->slope || op->vjp || op->jvp))
    return broken(c, "says zero and has a rule");
  return needed ? LAW_HOLDS : LAW_SKIPPED;
}

/* ---- integers ---- */

static bool refused_as_integer(fun *f, bp_status s, uint32_t mark, const char *what)
{
  if (s != BP_E_DTYPE)
    return fun_fails(f, "%s gives %s, not BP_E_DTYPE", what, bp_status_name(s));
  if (bp_graph_mark(f->g) != mark || bp_graph_status(f->g) != BP_OK)
    return fun_fails(f, "%s leaves the graph changed", what);
  return true;
}

verdict law_integers(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  fun *f = &s.f;
  bp_node grad, zero = bp_constant(s.g, 0), sum = zero;
  for (int k = 0; k < f->n_y; k++)
    if (is_real(f->y[k]))
      sum = bp_add(sum, bp_sum(f->y[k], NULL, 0, false));
  uint32_t mark = bp_graph_mark(s.g);
  bool good = bp_graph_status(s.g) == BP_OK || fun_fails(f, "%s", bp_graph_error(s.g)), any = false;
  for (int i = 0; good && i < f->n_x; i++)
    if (!is_real(f->x[i])) {
      any = true;
      good = refused_as_integer(f, bp_grad(sum, &f->x[i], 1, &grad), mark, "bp_grad by an integer") &&
             refused_as_integer(f, bp_jvp(&sum, 1, &f->x[i], &f->x[i], 1, &grad), mark,
                                "bp_jvp along an integer");
    }
  for (int k = 0; good && k < f->n_y; k++)
    if (!is_real(f->y[k])) {
      any = true;
      good = refused_as_integer(f, bp_vjp(&f->y[k], &f->y[k], 1, &zero, 1, &grad), mark,
                                "bp_vjp of an integer") &&
             refused_as_integer(f, bp_jvp(&f->y[k], 1, &zero, &zero, 1, &grad), mark, "bp_jvp of an integer");
      if (good && bp_node_size(f->y[k]) == 1)
        good = refused_as_integer(f, bp_grad(f->y[k], &zero, 1, &grad), mark, "bp_grad of an integer");
    }
  verdict v = judged(c, &s, good);
  return v == LAW_HOLDS && !any ? LAW_SKIPPED : v;
}

/* ---- canonical attributes ---- */

static bool same_again(fun *f, const bp_op *op, const bp_node *x, size_t n_in, const bp_attr *attr,
                       const char *what)
{
  bp_node y[BP_MAX_RESULTS];
  uint32_t mark = bp_graph_mark(f->g);
  if (bp_apply(f->g, op, x, n_in, attr, y) != BP_OK)
    return fun_fails(f, "%s is refused: %s", what, bp_error());
  if (bp_graph_mark(f->g) != mark || y[0].index != f->y[0].index)
    return fun_fails(f, "%s makes another node", what);
  return true;
}

verdict law_canonical(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  bpi_call_room room;
  bp_op_call call;
  bool good = bpi_call_of(s.g, s.f.y[0].index, &room, &call) == BP_OK;
  if (good && call.op != c->op) {
    bpi_call_done(&room);
    return judged(c, &s, fun_fails(&s.f, "the example's result is a node of another row, %s", call.op->name));
  }
  if (good) {
    good = same_again(&s.f, c->op, call.x, (size_t)call.n_in, call.attr,
                      "the call with its stored attributes") &&
           same_again(&s.f, c->op, s.f.x, (size_t)s.f.n_x, s.ex.attr, "the same call again");
    bpi_call_done(&room);
  }
  return judged(c, &s, good);
}

/* ---- misuse ---- */

/* The call failed: status and message must be the graph's first error, name the row, and stay. */
static bool well_refused(fun *f, const bp_op *op, bp_status s, bp_node y, const char *what)
{
  bp_graph *g = f->g;
  if (s == BP_OK || s == BP_E_INTERNAL || s == BP_E_NOMEM)
    return fun_fails(f, "%s: %s", what, bp_status_name(s));
  if (!bp_failed(y) || bp_graph_status(g) != s)
    return fun_fails(f, "%s: %s, but the graph says %s", what, bp_status_name(s),
                     bp_status_name(bp_graph_status(g)));
  if (!strstr(bp_graph_error(g), op->name) || !strstr(bp_error(), op->name))
    return fun_fails(f, "%s: the message \"%s\" does not name the operation", what, bp_graph_error(g));
  char first[200];
  snprintf(first, sizeof first, "%s", bp_graph_error(g));
  bp_find(g, "no such name");
  (bp_neg)(y); /* not the macro, which would add this line to the message */
  if (bp_graph_status(g) != s || strncmp(first, bp_graph_error(g), sizeof first - 1) != 0)
    return fun_fails(f, "%s: the first error is not kept", what);
  bp_graph_clear(g);
  return true;
}

/* A call that was not refused must run, or fail for its data, where it is small enough to try. */
static bool runs_or_is_large(fun *f, const bp_node *y, int n_y)
{
  enum { SMALL = 4096 };
  fun tried = *f;
  tried.n_y = 0;
  for (int k = 0; k < n_y; k++) {
    if (bp_node_size(y[k]) > SMALL)
      return true;
    fun_result(&tried, y[k]);
  }
  for (int t = 0; t < 2; t++) {
    bpi_eval e;
    bp_status s = bpi_eval_open(&e, f->g, t ? BP_FLOAT32 : BP_FLOAT64, tried.y, (size_t)tried.n_y);
    if (s != BP_OK)
      return fun_fails(f, "is accepted and does not compile: %s", bp_error());
    for (int i = 0; s == BP_OK && i < f->n_x; i++)
      s = bpi_eval_bind(&e, f->x[i], f->data[i]);
    if (s == BP_OK)
      s = bpi_eval_step(&e);
    bpi_eval_close(&e);
    if (s != BP_OK && s != BP_E_RANGE)
      return fun_fails(f, "is accepted and does not run: %s", bp_error());
  }
  return true;
}

/* Makes the call; refused properly or runs. `must` says that it has to be refused. */
static bool refused_or_runs(fun *f, const bp_op *op, const bp_node *x, size_t n_in, const bp_attr *attr,
                            bool must, const char *what)
{
  bp_node y[BP_MAX_RESULTS] = {{0}};
  uint32_t mark = bp_graph_mark(f->g);
  bp_status s = bp_apply(f->g, op, x, n_in, attr, y);
  bool good;
  if (s != BP_OK || must)
    good = well_refused(f, op, s, y[0], what);
  else if (!(good = runs_or_is_large(f, y, f->g->nodes[y[0].index].n_out))) {
    char why[WHY_MAX];
    memcpy(why, f->why, sizeof why);
    fun_fails(f, "%s %.500s", what, why);
  }
  bp_graph_rollback(f->g, mark);
  return good;
}

static bool wrong_counts(fun *f, const bp_op *op, const bp_attr *attr)
{
  bool any_number = strstr(op->args, "...") != NULL;
  bp_node x[FUN_MAX + 1];
  memcpy(x, f->x, sizeof f->x);
  if (any_number)
    return refused_or_runs(f, op, x, 0, attr, true, "no inputs");
  x[f->n_x] = f->n_x ? f->x[0] : bp_constant(f->g, 1);
  if (!refused_or_runs(f, op, x, (size_t)f->n_x + 1, attr, true, "one input too many"))
    return false;
  return f->n_x == 0 || refused_or_runs(f, op, x, (size_t)f->n_x - 1, attr, true, "one input too few");
}

/* Each input in turn of each other type. */
static bool wrong_dtypes(fun *f, const bp_op *op, const bp_attr *attr)
{
  static const bp_dtype dtypes[] = {BP_REAL, BP_INT64, BP_BOOL};
  int n = f->n_x;
  bool good = true;
  for (int i = 0; good && i < n; i++)
    for (size_t t = 0; good && t < 3; t++) {
      bp_type type;
      bp_node_type(f->x[i], &type);
      if (type.dtype == dtypes[t])
        continue;
      uint32_t mark = bp_graph_mark(f->g);
      bp_node other = bp_input(f->g, "of_another_type", dtypes[t], type.rank, type.dims), kept = f->x[i];
      int64_t size = bp_node_size(other);
      double *data = fun_doubles(f, size);
      for (int64_t k = 0; k < size; k++)
        if (dtypes[t] == BP_REAL)
          data[k] = 1;
        else if (dtypes[t] == BP_INT64)
          ((int64_t *)(void *)data)[k] = 1;
        else
          ((uint8_t *)data)[k] = 1;
      fun_input(f, other, data);
      f->x[i] = other;
      void *own = f->data[i];
      f->data[i] = data;
      f->n_x = n;
      char what[80];
      snprintf(what, sizeof what, "input %d as %s", i + 1, bp_dtype_name(dtypes[t]));
      good = refused_or_runs(f, op, f->x, (size_t)n, attr, false, what);
      f->x[i] = kept;
      f->data[i] = own;
      bp_graph_rollback(f->g, mark);
    }
  return good;
}

static const int64_t wild_ints[] = {
    INT64_MIN,        INT64_MIN + 1,    -1000,    -9, -2, -1, 0, 1, 2, 7, 8, 1000,
    INT64_C(1) << 31, INT64_C(1) << 47, INT64_MAX};
static const double wild_reals[] = {NAN, INFINITY, -INFINITY, 0, -0.0, -1, 1, 2, 1e300};
enum {
  N_WILD_INTS = sizeof wild_ints / sizeof *wild_ints,
  N_WILD_REALS = sizeof wild_reals / sizeof *wild_reals
};

static bool try_attr(fun *f, const bp_op *op, const bp_attr *attr, int i, bp_attr a, const char *how)
{
  bp_attr changed[BP_MAX_ATTRS];
  char what[120];
  memcpy(changed, attr, sizeof changed);
  changed[i] = a;
  snprintf(what, sizeof what, "attribute %s %s", op->attrs[i].name, how);
  return refused_or_runs(f, op, f->x, (size_t)f->n_x, changed, false, what);
}

/* Lists too long, too short, without memory, and with wild entries. */
static bool wild_lists(fun *f, const bp_op *op, const bp_attr *attr, int i)
{
  enum { MOST = 64 };
  int64_t n = attr[i].n, list[MOST];
  char how[60];
  for (int64_t k = 0; k < MOST; k++)
    list[k] = k < n ? attr[i].v[k] : 0;
  bool good = try_attr(f, op, attr, i, (bp_attr){.v = list, .n = n + 1}, "one longer") &&
              try_attr(f, op, attr, i, (bp_attr){.v = list, .n = BP_MAX_RANK + 1}, "of 9 entries") &&
              try_attr(f, op, attr, i, (bp_attr){.v = list, .n = -1}, "of -1 entries") &&
              try_attr(f, op, attr, i, (bp_attr){.v = NULL, .n = n + 1}, "without its list") &&
              (n == 0 || try_attr(f, op, attr, i, (bp_attr){.v = list, .n = n - 1}, "one shorter"));
  for (int64_t k = 0; good && k < n; k++)
    for (int w = 0; good && w < N_WILD_INTS; w++) {
      list[k] = wild_ints[w];
      snprintf(how, sizeof how, "with entry %d = %lld", (int)k, (long long)wild_ints[w]);
      good = try_attr(f, op, attr, i, (bp_attr){.v = list, .n = n}, how);
      list[k] = attr[i].v[k];
    }
  return good;
}

static bool wild_attrs(fun *f, const bp_op *op, const bp_attr *attr)
{
  bool good = true;
  char how[60];
  for (int i = 0; good && i < bpi_op_n_attrs(op); i++) {
    switch (op->attrs[i].kind) {
    case BP_ATTR_INTS:
      good = wild_lists(f, op, attr, i);
      break;
    case BP_ATTR_REAL:
      for (int w = 0; good && w < N_WILD_REALS; w++) {
        snprintf(how, sizeof how, "= %g", wild_reals[w]);
        good = try_attr(f, op, attr, i, (bp_attr){.r = wild_reals[w]}, how);
      }
      break;
    case BP_ATTR_FN:
      good = try_attr(f, op, attr, i, (bp_attr){.fn = NULL}, "= NULL");
      break;
    default:
      for (int w = 0; good && w < N_WILD_INTS; w++) {
        snprintf(how, sizeof how, "= %lld", (long long)wild_ints[w]);
        good = try_attr(f, op, attr, i, (bp_attr){.i = wild_ints[w]}, how);
      }
    }
  }
  return good;
}

verdict law_misuse(law_case *c)
{
  sample s;
  if (!sample_open(c, &s)) {
    sample_close(&s);
    return LAW_BROKEN;
  }
  bool good = wrong_counts(&s.f, c->op, s.ex.attr) && wrong_dtypes(&s.f, c->op, s.ex.attr) &&
              wild_attrs(&s.f, c->op, s.ex.attr);
  return judged(c, &s, good);
}

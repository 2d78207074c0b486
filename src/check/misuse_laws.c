/* The law of misuse: a wrong call is refused with a status and a message that names the operation, or it runs. */
#include "check/laws.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One row under misuse. */
typedef struct misuse {
  bpi_probe *f;
  const bp_op *op;
  const bp_attr *attr; /* of the example */
  bool float64_only;
} misuse;

/* The first error of the graph must stay, whatever is called after it. */
static bp_status first_error_stays(bp_graph *g, bp_node y, bp_status s, const char *what)
{
  char first[200];
  snprintf(first, sizeof first, "%s", bp_graph_error(g));
  bp_find(g, "no such name");
  (bp_neg)(y); /* not the macro, which would add this line to the message */
  return bp_graph_status(g) == s && strncmp(first, bp_graph_error(g), sizeof first - 1) == 0
             ? BP_OK
             : bpi_fail(BP_E_CHECK, "%s: the first error is not kept", what);
}

/* The call failed: status and message must be the graph's first error, and name the row. */
static bp_status well_refused(const misuse *m, bp_status s, bp_node y, const char *what)
{
  bp_graph *g = m->f->g;
  /* Where there is no room for the message of a refusal, the graph says so instead. */
  if (s == BP_E_NOMEM || bp_graph_status(g) == BP_E_NOMEM || bpi_graph_speechless(g))
    return bpi_nomem();
  if (s == BP_OK || s == BP_E_INTERNAL)
    return bpi_fail(BP_E_CHECK, "%s: %s", what, bp_status_name(s));
  if (!bp_failed(y) || bp_graph_status(g) != s)
    return bpi_fail(BP_E_CHECK, "%s: %s, but the graph says %s; a rule that refuses returns bp_op_fail(...)",
                    what, bp_status_name(s), bp_status_name(bp_graph_status(g)));
  if (!strstr(bp_graph_error(g), m->op->name) || !strstr(bp_error(), m->op->name))
    return bpi_fail(BP_E_CHECK, "%s: the message \"%s\" does not name the operation", what,
                    bp_graph_error(g));
  bp_status kept = first_error_stays(g, y, s, what);
  bp_graph_clear(g);
  return kept;
}

/* Binds and runs what was compiled; data may be out of range. */
static bp_status try_run(bpi_probe *f, const bp_node *y, int n_y, bp_dtype real)
{
  bpi_eval e;
  bp_status s =
      bpi_explain(bpi_eval_open(&e, f->g, real, y, (size_t)n_y), "is accepted and does not compile");
  if (s != BP_OK)
    return s;
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    s = bpi_eval_bind(&e, f->x[i], f->data[i]);
  if (s == BP_OK)
    s = bpi_eval_step(&e);
  bpi_eval_close(&e);
  return s == BP_E_RANGE ? BP_OK : bpi_explain(s, "is accepted and does not run");
}

/* A call that was not refused must run, or fail for its data, where it is small enough to try. */
static bp_status runs_or_is_large(const misuse *m, const bp_node *y, int n_y)
{
  enum { SMALL = 4096 };
  for (int k = 0; k < n_y; k++)
    if (bp_node_size(y[k]) > SMALL)
      return BP_OK;
  bp_status s = try_run(m->f, y, n_y, BP_FLOAT64);
  return s == BP_OK && !m->float64_only ? try_run(m->f, y, n_y, BP_FLOAT32) : s;
}

/* Makes the call; refused properly or runs. `must` says that it has to be refused. */
static bp_status refused_or_runs(const misuse *m, const bp_node *x, size_t n_in, const bp_attr *attr,
                                 bool must, const char *what)
{
  bp_graph *g = m->f->g;
  bp_node y[BP_MAX_RESULTS] = {{0}};
  uint32_t mark = bp_graph_mark(g);
  bp_status s = bp_apply(g, m->op, x, n_in, attr, y);
  if (s != BP_OK || must)
    s = well_refused(m, s, y[0], what);
  else
    s = bpi_explain(runs_or_is_large(m, y, g->nodes[y[0].index].n_out), what);
  bp_graph_rollback(g, mark);
  return s;
}

static bp_status wrong_counts(const misuse *m)
{
  bpi_probe *f = m->f;
  bp_node x[BPI_PROBE_MAX + 1];
  memcpy(x, f->x, sizeof f->x);
  if (strstr(m->op->args, "..."))
    return refused_or_runs(m, x, 0, m->attr, true, "no inputs");
  x[f->n_x] = f->n_x ? f->x[0] : bp_constant(f->g, 1);
  bp_status s = refused_or_runs(m, x, (size_t)f->n_x + 1, m->attr, true, "one input too many");
  return s == BP_OK && f->n_x > 0
             ? refused_or_runs(m, x, (size_t)f->n_x - 1, m->attr, true, "one input too few")
             : s;
}

/* Ones of any type; NULL when out of memory. */
static void *ones(bpi_probe *f, bp_dtype dtype, int64_t size)
{
  double *data = bpi_probe_doubles(f, size);
  for (int64_t k = 0; data && k < size; k++)
    if (dtype == BP_REAL)
      data[k] = 1;
    else if (dtype == BP_INT64)
      ((int64_t *)(void *)data)[k] = 1;
    else
      ((uint8_t *)data)[k] = 1;
  return data;
}

/* Input i as another type; then all is as it was. */
static bp_status wrong_dtype(const misuse *m, int i, bp_dtype dtype)
{
  bpi_probe *f = m->f;
  bp_type type;
  char what[80];
  bp_status s = bp_node_type(f->x[i], &type);
  if (s != BP_OK || type.dtype == dtype)
    return s;
  int n = f->n_x;
  bp_node kept = f->x[i];
  void *own = f->data[i];
  uint32_t mark = bp_graph_mark(f->g);
  bp_node other = bp_input(f->g, "of_another_type", dtype, type.rank, type.dims);
  void *data = ones(f, dtype, bp_node_size(other));
  s = bpi_probe_input(f, other, data);
  f->n_x = n;
  if (s == BP_OK) {
    snprintf(what, sizeof what, "input %d as %s", i + 1, bp_dtype_name(dtype));
    f->x[i] = other;
    f->data[i] = data;
    s = refused_or_runs(m, f->x, (size_t)n, m->attr, false, what);
  }
  f->x[i] = kept;
  f->data[i] = own;
  bp_graph_rollback(f->g, mark);
  return s;
}

static bp_status wrong_dtypes(const misuse *m)
{
  static const bp_dtype dtypes[] = {BP_REAL, BP_INT64, BP_BOOL};
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < m->f->n_x; i++)
    for (size_t t = 0; s == BP_OK && t < sizeof dtypes / sizeof *dtypes; t++)
      s = wrong_dtype(m, i, dtypes[t]);
  return s;
}

/* ---- attributes ---- */

static const int64_t wild_ints[] = {
    INT64_MIN,        INT64_MIN + 1,    -1000,    -9, -2, -1, 0, 1, 2, 7, 8, 1000,
    INT64_C(1) << 31, INT64_C(1) << 47, INT64_MAX};
static const double wild_reals[] = {NAN, INFINITY, -INFINITY, 0, -0.0, -1, 1, 2, 1e300};
enum {
  N_WILD_INTS = sizeof wild_ints / sizeof *wild_ints,
  N_WILD_REALS = sizeof wild_reals / sizeof *wild_reals
};

static bp_status try_attr(const misuse *m, int i, bp_attr a, const char *how)
{
  bp_attr changed[BP_MAX_ATTRS];
  char what[120];
  memcpy(changed, m->attr, sizeof changed);
  changed[i] = a;
  snprintf(what, sizeof what, "attribute %s %s", m->op->attrs[i].name, how);
  return refused_or_runs(m, m->f->x, (size_t)m->f->n_x, changed, false, what);
}

/* Lists too long, too short, without memory. */
static bp_status wild_lengths(const misuse *m, int i, const int64_t *list, int64_t n)
{
  const struct {
    bp_attr a;
    const char *how;
  } wild[] = {
      {{.v = list, .n = n + 1}, "one longer"},  {{.v = list, .n = BP_MAX_RANK + 1}, "of 9 entries"},
      {{.v = list, .n = -1}, "of -1 entries"},  {{.v = NULL, .n = n + 1}, "without its list"},
      {{.v = list, .n = n - 1}, "one shorter"},
  };
  bp_status s = BP_OK;
  for (size_t k = 0; s == BP_OK && k < sizeof wild / sizeof *wild; k++)
    s = try_attr(m, i, wild[k].a, wild[k].how);
  return s;
}

/* And lists with wild entries. */
static bp_status wild_lists(const misuse *m, int i)
{
  enum { MOST = 64 };
  int64_t n = m->attr[i].n, list[MOST + 1];
  char how[60];
  for (int64_t k = 0; k <= MOST; k++)
    list[k] = k < n ? m->attr[i].v[k] : 0;
  bp_status s = wild_lengths(m, i, list, n);
  for (int64_t k = 0; s == BP_OK && k < n; k++)
    for (int w = 0; s == BP_OK && w < N_WILD_INTS; w++) {
      list[k] = wild_ints[w];
      snprintf(how, sizeof how, "with entry %d = %lld", (int)k, (long long)wild_ints[w]);
      s = try_attr(m, i, (bp_attr){.v = list, .n = n}, how);
      list[k] = m->attr[i].v[k];
    }
  return s;
}

static bp_status wild_real(const misuse *m, int i)
{
  char how[60];
  bp_status s = BP_OK;
  for (int w = 0; s == BP_OK && w < N_WILD_REALS; w++) {
    snprintf(how, sizeof how, "= %g", wild_reals[w]);
    s = try_attr(m, i, (bp_attr){.r = wild_reals[w]}, how);
  }
  return s;
}

static bp_status wild_int(const misuse *m, int i)
{
  char how[60];
  bp_status s = BP_OK;
  for (int w = 0; s == BP_OK && w < N_WILD_INTS; w++) {
    snprintf(how, sizeof how, "= %lld", (long long)wild_ints[w]);
    s = try_attr(m, i, (bp_attr){.i = wild_ints[w]}, how);
  }
  return s;
}

static bp_status wild_attrs(const misuse *m)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bpi_op_n_attrs(m->op); i++) {
    bp_attr_kind kind = m->op->attrs[i].kind;
    s = kind == BP_ATTR_INTS   ? wild_lists(m, i)
        : kind == BP_ATTR_REAL ? wild_real(m, i)
        : kind == BP_ATTR_FN   ? try_attr(m, i, (bp_attr){.fn = NULL}, "= NULL")
                               : wild_int(m, i);
  }
  return s;
}

bp_status bpi_law_misuse(bpi_law_case *c)
{
  bpi_sample s;
  bp_status status = bpi_sample_open(c, &s);
  misuse m = {&s.f, c->op, s.ex.attr, c->float64_only};
  if (status == BP_OK)
    status = wrong_counts(&m);
  if (status == BP_OK)
    status = wrong_dtypes(&m);
  if (status == BP_OK)
    status = wild_attrs(&m);
  return bpi_sample_close(&s, status);
}

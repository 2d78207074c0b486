/* Local Jacobians as nodes. */
#include "autodiff/local.h"
#include "autodiff/reach.h"

#include <string.h>

static const int64_t usual_most = INT64_C(1) << 24;

/* Positions that are found by value pass through reals, which may be float32. */
static const int64_t most_places = INT64_C(1) << 24;

static const char *const names[] = {
    [BP_JAC_ZERO] = "zero",
    [BP_JAC_IDENTITY] = "identity",
    [BP_JAC_SCALED] = "scaled identity",
    [BP_JAC_DIAGONAL] = "diagonal",
    [BP_JAC_SELECT] = "select",
    [BP_JAC_SPREAD] = "spread",
    [BP_JAC_PERMUTATION] = "permutation",
    [BP_JAC_BLOCK] = "block-diagonal",
    [BP_JAC_SPARSE] = "sparse",
    [BP_JAC_DENSE] = "dense",
};

const char *bp_jac_name(bp_jac jac)
{
  return (size_t)jac < sizeof names / sizeof *names ? names[jac] : "?";
}

/* ---- which class ---- */

static bool one_a_line(bp_jac jac)
{
  return jac == BP_JAC_SELECT || jac == BP_JAC_SPREAD || jac == BP_JAC_PERMUTATION;
}

/* True if the pattern has no more entries in a row (in a column) than the class allows. */
static bool is_placed(const bpi_pattern *p, bp_jac jac)
{
  return p->row_start && (jac == BP_JAC_SELECT   ? p->one_a_row
                          : jac == BP_JAC_SPREAD ? p->one_a_col
                                                 : p->jac == jac);
}

static bp_status too_large(const bpi_local_form *f)
{
  char y[80], x[80];
  const bp_graph *g = f->call.graph;
  return bpi_fail(BP_E_LIMIT,
                  "the local Jacobian of %s by input %d, %s, is %s and would keep more than the %lld numbers "
                  "allowed",
                  bpi_node_label(g, f->y.index, y, sizeof y), f->input,
                  bpi_node_label(g, f->call.x[f->input].index, x, sizeof x), bp_jac_name(f->info.jac),
                  (long long)f->most);
}

/* The pattern may say more than the row does; what depends on values, only the row knows. */
static bp_status narrow(bpi_local_form *f, bp_jac stated)
{
  bp_local_info *info = &f->info;
  int64_t limit = one_a_line(stated) ? info->rows + info->cols : f->most;
  bp_status s = bpi_pattern_local(&f->call, f->input, f->y, limit, &f->pattern);
  if (s != BP_OK && !(s == BP_E_LIMIT && one_a_line(stated)))
    return s == BP_E_LIMIT ? too_large(f) : s;
  const bpi_pattern *p = &f->pattern;
  bool narrower = p->row_start && (p->jac <= BP_JAC_DIAGONAL || p->jac == BP_JAC_PERMUTATION);
  info->jac = one_a_line(stated) && !narrower ? stated : p->jac;
  f->placed = is_placed(p, info->jac);
  if (info->jac == BP_JAC_BLOCK) {
    info->blocks = p->blocks;
    info->block_rows = p->block_rows;
    info->block_cols = p->block_cols;
  }
  return BP_OK;
}

static int64_t numbers_of(const bp_local_info *i, const bpi_pattern *p)
{
  switch (i->jac) {
  case BP_JAC_ZERO:
  case BP_JAC_IDENTITY:
    return 0;
  case BP_JAC_SCALED:
    return 1;
  case BP_JAC_SPREAD:
    return i->cols;
  case BP_JAC_BLOCK:
  case BP_JAC_SPARSE:
  case BP_JAC_DENSE:
    return p->entries;
  default:
    return i->rows;
  }
}

static bp_status choose(bpi_local_form *f)
{
  bp_local_info *info = &f->info;
  bp_jac stated = bpi_jac_of(&f->call, f->input, f->result);
  info->rows = info->block_rows = bpi_type_size(&f->call.y_type[f->result]);
  info->cols = info->block_cols = bpi_type_size(&f->call.x_type[f->input]);
  info->blocks = 1;
  info->jac = info->rows && info->cols ? stated : BP_JAC_ZERO;
  bp_status s = info->jac > BP_JAC_DIAGONAL ? narrow(f, stated) : BP_OK;
  info->stored = numbers_of(info, &f->pattern);
  return s == BP_OK && info->stored > f->most ? too_large(f) : s;
}

/* ---- the call ---- */

static bp_status check(bp_node y, int input)
{
  const bpi_node *v = bpi_slot(y);
  char label[80];
  if (!v)
    return bpi_fail(BP_E_GRAPH, "local Jacobian: y is an error node or stale");
  bp_graph *g = y.graph;
  if (g->status != BP_OK)
    return bpi_fail(g->status, "%s", bp_graph_error(g));
  if (g->closed)
    return bpi_fail(BP_E_ORDER, "local Jacobian: the graph is the body of a function, which stays as it is");
  bpi_node_label(g, y.index, label, sizeof label);
  if (input < 0 || input >= v->n_in)
    return bpi_fail(BP_E_RANGE, "local Jacobian: %s has no input %d; it has %d, counted from 0", label, input,
                    v->n_in);
  if (v->type->dtype != BP_REAL || g->nodes[v->in[input]].type->dtype != BP_REAL)
    return bpi_fail(BP_E_DTYPE, "local Jacobian: %s or its input %d is not real", label, input);
  return BP_OK;
}

/* Another node of the same value: nothing of the call depends on it but at this place. */
static bp_node alias(bp_node x, const bp_type *t)
{
  bp_node y = bp_reshape(x, t->dims, t->rank);
  return y.index != x.index ? y : bp_add(x, bp_constant(x.graph, -0.0));
}

/* A row that is differentiated through its definition tells inputs apart by their nodes. */
static bp_status stand_alone(bpi_local_form *f)
{
  bp_op_call *c = &f->call;
  if (c->op->slope || c->op->vjp || !c->op->expand)
    return BP_OK;
  f->x = bpi_alloc(c->graph->ctx, (size_t)c->n_in, sizeof *f->x);
  if (!f->x)
    return bpi_nomem();
  memcpy(f->x, c->x, (size_t)c->n_in * sizeof *f->x);
  f->x[f->input] = alias(c->x[f->input], &c->x_type[f->input]);
  c->x = f->x;
  return c->graph->status;
}

bp_status bpi_local_open(bpi_local_form *f, bp_node y, int input, int64_t most)
{
  *f = (bpi_local_form){.y = y, .input = input, .most = most ? most : usual_most};
  bp_status s = check(y, input);
  if (s != BP_OK)
    return s;
  if (most < 0)
    return bpi_bad_arg("local Jacobian", "most is negative");
  f->result = bpi_slot(y)->result;
  s = bpi_call_of(y.graph, y.index - (uint32_t)f->result, &f->room, &f->call);
  if (s != BP_OK)
    return bpi_undo(y.graph, bp_graph_mark(y.graph), NULL, 0);
  bpi_sweeps_init(&f->sweeps, y.graph);
  s = choose(f);
  if (s == BP_OK)
    s = stand_alone(f);
  if (s != BP_OK)
    bpi_local_close(f);
  return s;
}

void bpi_local_close(bpi_local_form *f)
{
  bpi_sweeps_free(&f->sweeps);
  bpi_pattern_free(&f->pattern);
  bpi_free(f->call.graph->ctx, f->x);
  bpi_call_done(&f->room);
}

/* ---- products ---- */

static bp_node or_zeros(bpi_local_form *f, bp_status s, bp_node n, const bp_type *t)
{
  if (s != BP_OK)
    return bpi_node_fail(f->call.graph, s, "%s", bp_error());
  return bp_absent(n) ? bp_full(f->call.graph, BP_REAL, 0, t->rank, t->dims) : n;
}

bp_node bpi_local_forward(bpi_local_form *f, bp_node v)
{
  bp_op_call *c = &f->call;
  bp_node out[BP_MAX_RESULTS] = {{0}};
  bp_node *t = bpi_zalloc(c->graph->ctx, (size_t)c->n_in, sizeof *t);
  if (!t)
    return bpi_node_fail(c->graph, BP_E_NOMEM, "local Jacobian: out of memory");
  t[f->input] = v;
  bp_status s = bpi_tangents(&f->sweeps, c, t, out);
  bpi_free(c->graph->ctx, t);
  return or_zeros(f, s, out[f->result], &c->y_type[f->result]);
}

bp_node bpi_local_reverse(bpi_local_form *f, bp_node u)
{
  bp_op_call *c = &f->call;
  bp_node up[BP_MAX_RESULTS] = {{0}};
  bp_node *grads = bpi_zalloc(c->graph->ctx, (size_t)c->n_in, sizeof *grads);
  bool *wanted = bpi_zalloc(c->graph->ctx, (size_t)c->n_in, sizeof *wanted);
  bp_status s = grads && wanted ? BP_OK : bpi_nomem();
  bp_node found = BP_NO_NODE;
  up[f->result] = u;
  if (s == BP_OK) {
    wanted[f->input] = true;
    s = bpi_products(&f->sweeps, c, up, wanted, grads);
    found = grads[f->input];
  }
  bpi_free(c->graph->ctx, grads);
  bpi_free(c->graph->ctx, wanted);
  return or_zeros(f, s, found, &c->x_type[f->input]);
}

/* ---- the numbers of each class ---- */

static bp_node flat(bp_node x)
{
  int64_t all = bp_node_size(x);
  return bp_reshape(x, &all, 1);
}

static bp_node filled(bp_graph *g, const bp_type *t, double value)
{
  return bp_full(g, BP_REAL, value, t->rank, t->dims);
}

/* 0, 1, 2, ... as reals of that shape. */
static bp_node counted(bp_graph *g, const bp_type *t)
{
  int64_t n = bpi_type_size(t);
  return bp_reshape(bp_iota(g, BP_REAL, &n, 1, 0), t->dims, t->rank);
}

/* The slope where the row has one; else the sums of rows, which are the diagonal. */
static bp_node diagonal(bpi_local_form *f)
{
  const bp_op_call *c = &f->call;
  const bp_type *y = &c->y_type[f->result];
  if (!c->op->slope)
    return flat(bpi_local_forward(f, filled(c->graph, &c->x_type[f->input], 1)));
  bp_node s = c->op->slope(c, f->input);
  return bp_absent(s) ? flat(filled(c->graph, y, 0)) : flat(bp_broadcast(s, y->dims, y->rank));
}

static bp_node first_of(bp_node x)
{
  const int64_t zero = 0, one = 1;
  return bp_reshape(bp_slice(x, &zero, 1, &one, 1, &one, 1), NULL, 0);
}

/* Places known beforehand: the column of each row, or the row of each column; -1 where there is no entry. */
static bp_node known_places(bpi_local_form *f)
{
  const bpi_pattern *p = &f->pattern;
  bool by_column = f->info.jac == BP_JAC_SPREAD;
  int64_t n = by_column ? p->cols : p->rows;
  int64_t *place = bpi_alloc(p->ctx, (size_t)n + 1, sizeof *place);
  if (!place)
    return bpi_node_fail(f->call.graph, BP_E_NOMEM, "local Jacobian: out of memory");
  for (int64_t k = 0; k < n; k++)
    place[k] = -1;
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t k = p->row_start[i]; k < p->row_start[i + 1]; k++)
      place[by_column ? p->col[k] : i] = by_column ? i : p->col[k];
  bp_node index = bp_array_constant(f->call.graph, BP_INT64, 1, &n, place);
  bpi_free(p->ctx, place);
  return index;
}

/* Where values decide: a product with 0, 1, 2, ... has in each line the value times the place. */
static bp_node found_places(bpi_local_form *f, bp_node values)
{
  bp_graph *g = f->call.graph;
  bool by_column = f->info.jac == BP_JAC_SPREAD;
  const bp_type *t = by_column ? &f->call.y_type[f->result] : &f->call.x_type[f->input];
  if (bpi_type_size(t) > most_places)
    return bpi_node_fail(g, BP_E_LIMIT,
                         "local Jacobian: places among more than 2^24 elements are not found by value");
  bp_node count = counted(g, t);
  bp_node times = flat(by_column ? bpi_local_reverse(f, count) : bpi_local_forward(f, count));
  bp_node place = bp_cast(bp_round(bp_div(times, values)), BP_INT64);
  return bp_where(bp_equal(values, bp_constant(g, 0)), bp_constant_int(g, -1), place);
}

/* One entry in each row or column: its value by a product with ones. */
static void one_each(bpi_local_form *f, bp_local_nodes *n)
{
  bp_graph *g = f->call.graph;
  bool by_column = f->info.jac == BP_JAC_SPREAD;
  bp_node values = by_column ? bpi_local_reverse(f, filled(g, &f->call.y_type[f->result], 1))
                             : bpi_local_forward(f, filled(g, &f->call.x_type[f->input], 1));
  values = flat(values);
  n->index = f->placed ? known_places(f) : found_places(f, values);
  if (f->info.jac != BP_JAC_PERMUTATION)
    n->values = values;
}

/* The lists of a sparse one, kept by the graph. */
static bp_status keep_lists(bpi_local_form *f, bp_local_nodes *n)
{
  const bpi_pattern *p = &f->pattern;
  bpi_arena *arena = &f->call.graph->arena;
  int64_t *start = bpi_arena_alloc(arena, (size_t)p->rows + 1, sizeof *start);
  int32_t *col = bpi_arena_alloc(arena, (size_t)p->entries, sizeof *col);
  if (!start || !col)
    return bpi_graph_fail(f->call.graph, BP_E_NOMEM, "local Jacobian: out of memory");
  memcpy(start, p->row_start, ((size_t)p->rows + 1) * sizeof *start);
  memcpy(col, p->col, (size_t)p->entries * sizeof *col);
  n->row_start = start;
  n->col = col;
  return BP_OK;
}

static void numbers(bpi_local_form *f, bp_local_nodes *n)
{
  switch (f->info.jac) {
  case BP_JAC_ZERO:
  case BP_JAC_IDENTITY:
    break;
  case BP_JAC_SCALED:
    n->values = first_of(diagonal(f));
    break;
  case BP_JAC_DIAGONAL:
    n->values = diagonal(f);
    break;
  case BP_JAC_SELECT:
  case BP_JAC_SPREAD:
  case BP_JAC_PERMUTATION:
    one_each(f, n);
    break;
  case BP_JAC_SPARSE:
    if (keep_lists(f, n) != BP_OK)
      break;
    n->values = bpi_local_entries(f);
    break;
  default:
    n->values = bpi_local_entries(f);
  }
}

bp_status bp_local_build(bp_node y, int input, int64_t most, bp_local_nodes *nodes)
{
  bpi_local_form f;
  if (!nodes)
    return bpi_bad_arg("bp_local_build", "nodes is NULL");
  *nodes = (bp_local_nodes){0};
  uint32_t mark = bpi_slot(y) ? bp_graph_mark(y.graph) : 0;
  bp_status s = bpi_local_open(&f, y, input, most);
  if (s != BP_OK)
    return s;
  nodes->info = f.info;
  numbers(&f, nodes);
  s = y.graph->status;
  bpi_local_close(&f);
  if (s == BP_OK)
    return BP_OK;
  *nodes = (bp_local_nodes){0};
  return bpi_undo(y.graph, mark, NULL, 0);
}

bp_status bp_local_look(bp_node y, int input, int64_t most, bp_local_info *info)
{
  bpi_local_form f;
  if (!info)
    return bpi_bad_arg("bp_local_look", "info is NULL");
  *info = (bp_local_info){0};
  uint32_t mark = bpi_slot(y) ? bp_graph_mark(y.graph) : 0;
  bp_status s = bpi_local_open(&f, y, input, most);
  if (s != BP_OK)
    return s;
  *info = f.info;
  bpi_local_close(&f);
  return bp_graph_mark(y.graph) > mark ? bp_graph_rollback(y.graph, mark) : BP_OK;
}

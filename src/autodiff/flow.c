/* Dependence flowing through a graph. */
#include "autodiff/flow.h"
#include "autodiff/moves.h"
#include "autodiff/reach.h"

#include <string.h>

bp_status bpi_flow_open(bpi_flow *f, bpi_sweeps *s, bpi_fixed *fixed, int64_t cols, int64_t limit)
{
  *f = (bpi_flow){.g = s->g, .sweeps = s, .fixed = fixed, .n_rows = 1};
  return bpi_lists_open(&f->l, s->g->ctx, cols, limit);
}

void bpi_flow_close(bpi_flow *f)
{
  for (size_t i = 1; i < f->n_rows; i++)
    if (f->rows[i].lists && --f->rows[i].lists->users == 0)
      bpi_free(f->g->ctx, f->rows[i].lists);
  bpi_free(f->g->ctx, f->rows);
  bpi_free(f->g->ctx, f->unused);
  bpi_lists_close(&f->l);
}

/* ---- rows ---- */

static bp_status out_of_memory(bpi_flow *f)
{
  f->l.status = f->l.status != BP_OK ? f->l.status : bpi_nomem();
  return f->l.status;
}

/* A number for rows that are to be filled in. Room for giving it back is made now. */
static uint32_t number(bpi_flow *f)
{
  if (f->n_unused)
    return f->unused[--f->n_unused];
  if (!bpi_grow(f->g->ctx, (void **)&f->rows, &f->rows_cap, f->n_rows, sizeof *f->rows) ||
      !bpi_grow(f->g->ctx, (void **)&f->unused, &f->unused_cap, f->n_rows, sizeof *f->unused)) {
    out_of_memory(f);
    return 0;
  }
  f->rows[f->n_rows] = (bpi_rows){0};
  return (uint32_t)f->n_rows++;
}

static bpi_shared *lists_for(bpi_flow *f, int64_t n)
{
  bpi_shared *s = bpi_zalloc(f->g->ctx, 1, sizeof *s + (size_t)n * sizeof *s->id);
  if (s)
    s->users = 1;
  else
    out_of_memory(f);
  return s;
}

uint32_t bpi_flow_empty(bpi_flow *f, int64_t n)
{
  bpi_shared *s = lists_for(f, n);
  uint32_t r = s ? number(f) : 0;
  if (r)
    f->rows[r] = (bpi_rows){.lists = s, .n = n, .known = BPI_ONE};
  else
    bpi_free(f->g->ctx, s);
  return r;
}

/* The same rows once more, their entries perhaps less known. */
static uint32_t again(bpi_flow *f, uint32_t rows, bpi_known most)
{
  uint32_t r = number(f);
  if (r) {
    f->rows[r] = f->rows[rows];
    f->rows[r].known = most < f->rows[r].known ? most : f->rows[r].known;
    f->rows[r].lists->users++;
  }
  return r;
}

uint32_t bpi_flow_again(bpi_flow *f, uint32_t rows)
{
  return again(f, rows, BPI_ONE);
}

void bpi_flow_drop(bpi_flow *f, uint32_t rows)
{
  if (!rows || !f->rows[rows].lists)
    return;
  if (--f->rows[rows].lists->users == 0)
    bpi_free(f->g->ctx, f->rows[rows].lists);
  f->rows[rows] = (bpi_rows){0};
  f->unused[f->n_unused++] = rows;
}

/* Rows that can be written: made where there are none, copied where others share them. */
static uint32_t *own(bpi_flow *f, uint32_t *rows, int64_t n)
{
  if (!*rows && !(*rows = bpi_flow_empty(f, n)))
    return NULL;
  bpi_rows *r = &f->rows[*rows];
  if (r->lists->users > 1) {
    bpi_shared *copy = lists_for(f, n);
    if (!copy)
      return NULL;
    memcpy(copy->id, r->lists->id, (size_t)n * sizeof *copy->id);
    r->lists->users--;
    r->lists = copy;
  }
  return r->lists->id;
}

uint32_t bpi_flow_identity(bpi_flow *f, int64_t n, int64_t first)
{
  uint32_t r = bpi_flow_empty(f, n);
  for (int64_t i = 0; r && i < n; i++)
    f->rows[r].lists->id[i] = (uint32_t)(1 + first + i);
  return r;
}

/* Lists that no rows have any more make room. Every number of a list is in some rows when this is called: between two nodes. */
static bp_status forget_lists(bpi_flow *f)
{
  bpi_lists *l = &f->l;
  uint32_t *new_id = bpi_zalloc(f->g->ctx, l->n_lists, sizeof *new_id);
  if (!new_id)
    return out_of_memory(f);
  for (size_t r = 1; r < f->n_rows; r++)
    for (int64_t i = 0; f->rows[r].lists && i < f->rows[r].n; i++)
      new_id[f->rows[r].lists->id[i]] = 1;
  bpi_lists_keep(l, new_id);
  for (int pass = 0; pass < 2;
       pass++) /* shared rows once: renamed in the first pass, marked anew in the second */
    for (size_t r = 1; r < f->n_rows; r++) {
      bpi_shared *s = f->rows[r].lists;
      if (!s || s->renamed != (pass == 1))
        continue;
      for (int64_t i = 0; pass == 0 && i < f->rows[r].n; i++)
        s->id[i] = new_id[s->id[i]];
      s->renamed = pass == 0;
    }
  bpi_free(f->g->ctx, new_id);
  return BP_OK;
}

/* ---- what arrives at a result from one input ---- */

/* Where entries met others, their sum is another number. */
static void forget_sums(bpi_flow *f, uint32_t rows)
{
  if (rows && f->l.overlap)
    f->rows[rows].known = BPI_ANY;
}

static void lower(bpi_flow *f, uint32_t rows, bpi_known known)
{
  if (rows && known < f->rows[rows].known)
    f->rows[rows].known = known;
}

/* Numbers of two parts without a common entry are the same only where both are 1. */
static bpi_known of_both(bpi_known a, bpi_known b)
{
  return a == BPI_ONE && b == BPI_ONE ? BPI_ONE : BPI_ANY;
}

/* Element by element. */
static bp_status arrive_alike(bpi_flow *f, uint32_t in, bpi_known most, uint32_t *out)
{
  bpi_known known = most < f->rows[in].known ? most : f->rows[in].known;
  if (!*out) {
    *out = again(f, in, most);
    return f->l.status;
  }
  bool same = f->rows[*out].lists == f->rows[in].lists;
  if (same) {
    bpi_known both = known < f->rows[*out].known ? known : f->rows[*out].known;
    f->rows[*out].known = both == BPI_ANY ? BPI_ANY : BPI_ONE_NUMBER;
    return BP_OK;
  }
  int64_t n = f->rows[in].n;
  uint32_t *to = own(f, out, n);
  const uint32_t *from = f->rows[in].lists->id;
  f->l.overlap = false;
  for (int64_t i = 0; to && i < n; i++)
    to[i] = bpi_lists_join(&f->l, to[i], from[i]);
  lower(f, *out, of_both(known, f->rows[*out].known));
  forget_sums(f, *out);
  return f->l.status;
}

/* Element by element where the entry is not 0. v: the entries, or one for all. */
static bp_status arrive_scaled(bpi_flow *f, uint32_t in, const double *v, bool one, uint32_t *out)
{
  bool zeros = false, same = true, ones = true;
  int64_t n = f->rows[in].n;
  for (int64_t i = 0, m = one ? n > 0 : n; i < m; i++) {
    zeros = zeros || v[i] == 0;
    same = same && v[i] == v[0];
    ones = ones && v[i] == 1;
  }
  bpi_known most = ones ? BPI_ONE : same ? BPI_ONE_NUMBER : BPI_ANY;
  if (!zeros)
    return arrive_alike(f, in, most, out);
  if (same)
    return BP_OK;
  uint32_t some = bpi_flow_empty(f, n);
  for (int64_t i = 0; some && i < n; i++)
    f->rows[some].lists->id[i] = v[i] == 0 ? 0 : f->rows[in].lists->id[i];
  bp_status s = some ? arrive_alike(f, some, BPI_ANY, out) : f->l.status;
  bpi_flow_drop(f, some);
  return s;
}

static bp_status arrive_by_reach(bpi_flow *f, const bp_reach *r, const double *factor, uint32_t in,
                                 bpi_known most, int64_t n_y, uint32_t *out)
{
  if (bpi_reach_is_identity(r, f->rows[in].n, n_y))
    return arrive_alike(f, in, most, out);
  bpi_known known = most < f->rows[in].known ? most : f->rows[in].known;
  if (*out)
    known = of_both(known, f->rows[*out].known);
  uint32_t *to = own(f, out, n_y);
  f->l.overlap = false;
  if (to)
    bpi_reach_lead(&f->l, r, factor, f->rows[in].lists->id, to);
  lower(f, *out, known);
  forget_sums(f, *out);
  return f->l.status;
}

/* Nothing is known: every element of the result depends on all of the input. */
static bp_status arrive_everywhere(bpi_flow *f, uint32_t in, int64_t n_y, uint32_t *out)
{
  uint32_t *to = own(f, out, n_y);
  if (!to)
    return f->l.status;
  bpi_join_begin(&f->l);
  for (int64_t j = 0; j < f->rows[in].n; j++)
    bpi_join_add(&f->l, f->rows[in].lists->id[j]);
  uint32_t all = bpi_join_end(&f->l);
  for (int64_t i = 0; i < n_y; i++)
    to[i] = bpi_lists_join(&f->l, to[i], all);
  lower(f, *out, BPI_ANY);
  return f->l.status;
}

/* to[i] joins from[j] wherever row j of `back` has column i: led through a transposed Jacobian. */
static bp_status lead_transposed(bpi_flow *f, const bpi_flow *b, const bpi_rows *back, const uint32_t *from,
                                 uint32_t *to, int64_t n_y)
{
  int64_t total = 0;
  int32_t n;
  int64_t *start = bpi_zalloc(f->g->ctx, (size_t)n_y + 2, sizeof *start);
  for (int64_t j = 0; start && j < back->n; j++) {
    const int32_t *col = bpi_list_items(&b->l, back->lists->id[j], &n);
    total += n;
    for (int32_t k = 0; k < n; k++)
      start[col[k] + 2]++;
  }
  int64_t *of = start && total <= f->l.limit ? bpi_alloc(f->g->ctx, (size_t)total + 1, sizeof *of) : NULL;
  if (!of) {
    bpi_free(f->g->ctx, start);
    return start && total > f->l.limit ? bpi_lists_full(&f->l) : out_of_memory(f);
  }
  for (int64_t i = 1; i < n_y; i++)
    start[i + 1] += start[i];
  for (int64_t j = 0; j < back->n; j++) {
    const int32_t *col = bpi_list_items(&b->l, back->lists->id[j], &n);
    for (int32_t k = 0; k < n; k++)
      of[start[col[k] + 1]++] = j;
  }
  for (int64_t i = 0; i < n_y && f->l.status == BP_OK; i++) {
    bpi_join_begin(&f->l);
    bpi_join_add(&f->l, to[i]);
    for (int64_t k = start[i]; k < start[i + 1]; k++)
      bpi_join_add(&f->l, from[of[k]]);
    to[i] = bpi_join_end(&f->l);
  }
  bpi_free(f->g->ctx, start);
  bpi_free(f->g->ctx, of);
  return f->l.status;
}

/* ---- one call ---- */

/* The definition in simpler nodes, all inputs at once. */
static bp_status through_expansion(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out)
{
  bp_node y[BP_MAX_RESULTS], real[BP_MAX_RESULTS];
  uint32_t found[BP_MAX_RESULTS] = {0};
  bp_status st = c->op->expand(c, y);
  if (st != BP_OK || c->graph->status != BP_OK)
    return c->graph->status != BP_OK ? c->graph->status : bp_op_fail(c, st, "its expansion failed");
  bpi_arena room;
  bpi_arena_init(&room, f->g->ctx);
  bp_node *x = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *x);
  uint32_t *given = bpi_arena_alloc(&room, (size_t)c->n_in, sizeof *given);
  size_t n = 0, m = 0;
  if (!x || !given)
    st = out_of_memory(f);
  for (int i = 0; st == BP_OK && i < c->n_in; i++) {
    bool twice = false;
    for (size_t k = 0; k < n; k++)
      twice = twice || x[k].index == c->x[i].index;
    if (!twice &&
        c->x_type[i].dtype == BP_REAL) { /* the others too: what they are made of is told by in[i] */
      x[n] = c->x[i];
      given[n++] = in[i];
    }
  }
  for (int k = 0; k < c->n_out; k++)
    if (c->y_type[k].dtype == BP_REAL)
      real[m++] = y[k];
  if (st == BP_OK)
    st = bpi_flow_sweep(f, real, m, x, given, n, true, found);
  m = 0;
  for (int k = 0; st == BP_OK && k < c->n_out; k++)
    if (c->y_type[k].dtype == BP_REAL)
      out[k] = found[m++];
  bpi_arena_free(&room);
  return st;
}

/* True if we are asking the rule of this row already: it is made of the row itself. */
static bool asked_already(const bpi_flow *f, const bp_op *op)
{
  for (; f; f = f->outer)
    if (f->asked == op)
      return true;
  return false;
}

/* The gradient for an input is linear in the upstream gradient: where upstream elements go to, entries of the transposed Jacobian are. */
static bp_status by_rule(bpi_flow *f, const bp_op_call *c, int input, int result, uint32_t in, uint32_t *out)
{
  bp_node up[BP_MAX_RESULTS] = {{0}};
  int64_t n_y = bpi_type_size(&c->y_type[result]);
  uint32_t given, found = 0;
  up[result] = bpi_placeholder(c->graph, &c->y_type[result]);
  bp_node grad = c->op->vjp(c, up, input);
  if (c->graph->status != BP_OK)
    return c->graph->status;
  if (bp_absent(grad))
    return BP_OK;
  bpi_flow b;
  bp_status st = bpi_flow_open(&b, f->sweeps, f->fixed, n_y, f->l.limit);
  if (st != BP_OK)
    return st;
  b.outer = f;
  b.asked = c->op;
  given = bpi_flow_identity(&b, n_y, 0);
  st = given ? bpi_flow_sweep(&b, &grad, 1, &up[result], &given, 1, true, &found) : b.l.status;
  if (st == BP_OK && found) {
    const bpi_rows *back = &b.rows[found];
    bpi_known known = back->known < f->rows[in].known ? back->known : f->rows[in].known;
    if (*out)
      known = of_both(known, f->rows[*out].known);
    uint32_t *to = own(f, out, n_y);
    f->l.overlap = false;
    st = to ? lead_transposed(f, &b, back, f->rows[in].lists->id, to, n_y) : f->l.status;
    lower(f, *out, known);
    forget_sums(f, *out);
  }
  bpi_flow_close(&b);
  return st;
}

/* A constant that nothing is differentiated by. */
static bool stays_fixed(const bp_op_call *c, const uint32_t *in, int i)
{
  return !in[i] && bpi_is_fixed(c->x[i]);
}

/* Could the slope be constant? The others are: x times a constant. */
static bool others_fixed(const bp_op_call *c, const uint32_t *in, int input)
{
  for (int i = 0; i < c->n_in; i++)
    if (i != input && !stays_fixed(c, in, i))
      return false;
  return c->n_in > 1 && !bpi_is_fixed(c->x[input]);
}

static bp_status by_slope(bpi_flow *f, const bp_op_call *c, int input, uint32_t in, uint32_t *out)
{
  double v;
  bp_node slope = c->op->slope(c, input);
  if (bp_absent(slope))
    return BP_OK;
  if (bpi_splat(slope, &v))
    return arrive_scaled(f, in, &v, true, out);
  const double *values = bpi_fixed_values(f->fixed, slope);
  if (values)
    return arrive_scaled(f, in, values, bp_node_size(slope) == 1, out);
  return f->fixed->no_memory ? out_of_memory(f) : arrive_alike(f, in, BPI_ANY, out);
}

/* The known factor of a product, where some of its elements are 0 and so leave out entries. */
static const double *factor_of(bpi_flow *f, const bp_op_call *c, const uint32_t *in, const bp_reach *r)
{
  if (!r->factor || !stays_fixed(c, in, r->factor - 1))
    return NULL;
  bp_node factor = c->x[r->factor - 1];
  const double *v = bpi_fixed_values(f->fixed, factor);
  for (int64_t k = 0, n = v ? bp_node_size(factor) : 0; k < n; k++)
    if (v[k] == 0)
      return v;
  return NULL;
}

/* From one input to one result. */
static bp_status from_to(bpi_flow *f, const bp_op_call *c, const uint32_t *in_all, int input, int result,
                         uint32_t *out)
{
  uint32_t in = in_all[input];
  bp_reach r;
  bp_jac jac = bpi_jac_of(c, input, result);
  int64_t n_y = bpi_type_size(&c->y_type[result]);
  if (jac == BP_JAC_ZERO)
    return BP_OK;
  if (jac == BP_JAC_DIAGONAL && c->op->slope && others_fixed(c, in_all, input))
    return by_slope(f, c, input, in, out);
  if (jac <= BP_JAC_DIAGONAL)
    return arrive_alike(f, in,
                        jac == BP_JAC_IDENTITY ? BPI_ONE
                        : jac == BP_JAC_SCALED ? BPI_ONE_NUMBER
                                               : BPI_ANY,
                        out);
  if (bpi_reach_of(c, input, result, &r))
    return arrive_by_reach(f, &r, factor_of(f, c, in_all, &r), in,
                           c->op->traits & BP_VIEW ? BPI_ONE : BPI_ANY, n_y, out);
  if (c->op->vjp && !asked_already(f, c->op))
    return by_rule(f, c, input, result, in, out);
  return arrive_everywhere(f, in, n_y, out);
}

/* A row that moves elements of all its inputs: a concatenation, an index that is known. Sets *done if it is one. */
static bp_status by_moving(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out, bool *done)
{
  int64_t n = bpi_real_elements(c), n_y = bpi_type_size(&c->y_type[0]), at = 0;
  int64_t *from = bpi_alloc(f->g->ctx, (size_t)n_y + 1, sizeof *from);
  uint32_t *of = from ? bpi_zalloc(f->g->ctx, (size_t)n + 1, sizeof *of) : NULL;
  *done = of && bpi_moves(f->fixed, c, from);
  if (!of || f->fixed->no_memory)
    out_of_memory(f);
  bpi_known known = BPI_ONE;
  for (int i = 0; *done && i < c->n_in; i++) {
    if (in[i]) {
      memcpy(of + at, f->rows[in[i]].lists->id, (size_t)f->rows[in[i]].n * sizeof *of);
      known = of_both(known, f->rows[in[i]].known);
    }
    at += c->x_type[i].dtype == BP_REAL ? bpi_type_size(&c->x_type[i]) : 0;
  }
  if (*done && (out[0] = bpi_flow_empty(f, n_y))) {
    for (int64_t i = 0; i < n_y; i++)
      f->rows[out[0]].lists->id[i] = from[i] < 0 ? 0 : of[from[i]];
    f->rows[out[0]].known = known;
  }
  bpi_free(f->g->ctx, from);
  bpi_free(f->g->ctx, of);
  return f->l.status;
}

/* A row whose classes, view and reach leave nothing open needs no look at its definition. */
static bool said_enough(const bp_op_call *c, const uint32_t *in)
{
  bp_reach r;
  for (int k = 0; k < c->n_out; k++)
    for (int i = 0; i < c->n_in; i++)
      if (in[i] && bpi_jac_of(c, i, k) > BP_JAC_DIAGONAL && !bpi_reach_of(c, i, k, &r))
        return false;
  return true;
}

bp_status bpi_flow_through(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out)
{
  memset(out, 0, (size_t)c->n_out * sizeof *out);
  if (c->op->zero)
    return BP_OK;
  if (c->op->traits & BP_LOOP)
    return bpi_flow_through_loop(f, c, in, out);
  bp_status st = BP_OK;
  if (bpi_may_move(c)) {
    bool done;
    st = by_moving(f, c, in, out, &done);
    if (done || st != BP_OK)
      return st;
  }
  if (c->op->expand && !said_enough(c, in))
    return through_expansion(f, c, in, out);
  for (int k = 0; k < c->n_out; k++)
    for (int i = 0; st == BP_OK && i < c->n_in; i++)
      if (in[i])
        st = from_to(f, c, in, i, k, &out[k]);
  return st;
}

/* ---- the sweep ---- */

/* Rows that wait for more readers are kept; a slot's value is the number of its readers until it is computed. Nodes that are given stay to
 * the end. */
static bool is_counted(const bpi_region *r, uint32_t slot)
{
  return r->l->active[slot] == BPI_ACTIVE;
}

static bool is_computed(const bp_graph *g, const bpi_region *r, uint32_t head, bool cut)
{
  uint8_t active = r->l->active[head];
  return active && !(cut && active == BPI_GIVEN) && g->nodes[head].n_in;
}

static void count_readers(const bp_graph *g, bpi_region *r, const bp_node *y, size_t n_y, bool cut)
{
  for (size_t at = 0; at < r->n; at++) {
    const bpi_node *v = &g->nodes[r->heads[at]];
    for (int i = 0; is_computed(g, r, r->heads[at], cut) && i < v->n_in; i++)
      if (bpi_region_active(g, r, v->in[i]) && is_counted(r, v->in[i]))
        r->l->value[v->in[i]]++;
  }
  for (size_t k = 0; k < n_y; k++)
    if (bpi_region_active(g, r, y[k].index) && is_counted(r, y[k].index))
      r->l->value[y[k].index]++;
}

/* One reader less. */
static void release(bpi_flow *f, bpi_region *r, uint32_t slot)
{
  uint32_t *rows = &r->l->value[slot];
  if (!bpi_region_active(f->g, r, slot) || !is_counted(r, slot) || !*rows || --f->rows[*rows].readers)
    return;
  bpi_flow_drop(f, *rows);
  *rows = 0;
}

/* A result's rows go to its slot, where a given node may have some already. */
static bp_status settle(bpi_flow *f, bpi_region *r, uint32_t slot, uint32_t rows)
{
  uint32_t *value = &r->l->value[slot];
  if (is_counted(r, slot)) {
    uint32_t readers = *value;
    *value = rows;
    if (rows)
      f->rows[rows].readers = readers + 1;
    release(f, r, slot); /* this one was ours: a result that nobody reads goes at once */
    return BP_OK;
  }
  bp_status s = rows ? arrive_alike(f, rows, BPI_ONE, value) : BP_OK;
  bpi_flow_drop(f, rows);
  return s;
}

static bp_status push(bpi_flow *f, bpi_region *r, uint32_t head)
{
  bpi_call_room room;
  bp_op_call c;
  uint32_t out[BP_MAX_RESULTS] = {0}, few[8] = {0};
  bp_status st = bpi_call_of(f->g, head, &room, &c);
  if (st != BP_OK)
    return st;
  uint32_t *in = c.n_in <= 8 ? few : bpi_zalloc(f->g->ctx, (size_t)c.n_in, sizeof *in);
  if (in) {
    for (int i = 0; i < c.n_in; i++)
      in[i] = bpi_region_active(f->g, r, c.x[i].index) ? r->l->value[c.x[i].index] : 0;
    st = bpi_flow_through(f, &c, in, out);
  } else {
    st = out_of_memory(f);
  }
  for (int k = 0; k < c.n_out; k++) {
    bp_status s = settle(f, r, head + (uint32_t)k, out[k]);
    st = st != BP_OK ? st : s;
  }
  for (int i = 0; i < c.n_in; i++)
    release(f, r, c.x[i].index);
  if (in != few)
    bpi_free(f->g->ctx, in);
  bpi_call_done(&room);
  return st != BP_OK ? st : f->g->status;
}

bp_status bpi_flow_sweep(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, const uint32_t *given,
                         size_t n_x, bool cut, uint32_t *found)
{
  bp_graph *g = f->g;
  bpi_region r;
  bp_status st = bpi_region_open(f->sweeps, y, n_y, x, n_x, cut, &r);
  for (size_t i = 0; st == BP_OK && i < n_x; i++)
    if (given[i])
      st = arrive_alike(f, given[i], BPI_ONE, &r.l->value[x[i].index]);
  if (st == BP_OK)
    count_readers(g, &r, y, n_y, cut);
  for (size_t at = 0; st == BP_OK && at < r.n; at++) {
    if (is_computed(g, &r, r.heads[at], cut))
      st = push(f, &r, r.heads[at]);
    if (st == BP_OK && bpi_lists_crowded(&f->l))
      st = forget_lists(f);
  }
  for (size_t k = 0; st == BP_OK && k < n_y; k++) {
    bool there = bpi_region_active(g, &r, y[k].index) && r.l->value[y[k].index];
    found[k] = there ? again(f, r.l->value[y[k].index], BPI_ONE) : 0;
    st = f->l.status;
  }
  for (size_t k = 0; st == BP_OK && k < n_y; k++)
    release(f, &r, y[k].index);
  for (size_t i = 0; st == BP_OK && i < n_x; i++) {
    bpi_flow_drop(f, r.l->value[x[i].index]);
    r.l->value[x[i].index] = 0;
  }
  bpi_region_close(f->sweeps, &r);
  return st != BP_OK ? st : g->status;
}

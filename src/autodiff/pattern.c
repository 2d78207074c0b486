/* Patterns of Jacobians: dependence led through the graph, written down as rows of columns. */
#include "autodiff/pattern.h"
#include "autodiff/flow.h"
#include "autodiff/reach.h"
#include "autodiff/varying.h"

#include <string.h>

static const int64_t usual_limit = INT64_C(1) << 28;

void bpi_pattern_free(bpi_pattern *p)
{
  if (p && p->ctx) {
    bpi_free(p->ctx, p->row_start);
    bpi_free(p->ctx, p->col);
    *p = (bpi_pattern){0};
  }
}

/* ---- rows of lists as one array of columns ---- */

/* The lists of the y, joined; those without rows are empty. */
static bp_status count_rows(bpi_pattern *p, const bpi_flow *f, const bp_node *y, size_t n_y,
                            const uint32_t *found)
{
  int64_t at = 0;
  p->row_start = bpi_alloc(p->ctx, (size_t)p->rows + 1, sizeof *p->row_start);
  if (!p->row_start)
    return bpi_nomem();
  p->row_start[0] = 0;
  for (size_t k = 0; k < n_y; k++) {
    const bpi_rows *r = &f->rows[found[k]];
    for (int64_t i = 0, n = bp_node_size(y[k]); i < n; i++, at++)
      p->row_start[at + 1] = p->row_start[at] + (found[k] ? f->l.list[r->lists->id[i]].n : 0);
  }
  p->entries = p->row_start[p->rows];
  return BP_OK;
}

static bp_status write_rows(bpi_pattern *p, bpi_flow *f, const bp_node *y, size_t n_y, const uint32_t *found)
{
  bp_status s = count_rows(p, f, y, n_y, found);
  if (s != BP_OK)
    return s;
  if (p->entries > f->l.limit)
    return bpi_lists_full(&f->l);
  int32_t *to = p->col = bpi_alloc(p->ctx, (size_t)p->entries + 1, sizeof *p->col), n;
  if (!to)
    return bpi_nomem();
  for (size_t k = 0; k < n_y; k++)
    for (int64_t i = 0; found[k] && i < bp_node_size(y[k]); i++) {
      const int32_t *col = bpi_list_items(&f->l, f->rows[found[k]].lists->id[i], &n);
      memcpy(to, col, (size_t)n * sizeof *to);
      to += n;
    }
  return BP_OK;
}

/* ---- the class ---- */

static int64_t row_size(const bpi_pattern *p, int64_t i)
{
  return p->row_start[i + 1] - p->row_start[i];
}

static bool is_diagonal(const bpi_pattern *p)
{
  if (p->rows != p->cols)
    return false;
  for (int64_t i = 0; i < p->rows; i++)
    if (row_size(p, i) > 1 || (row_size(p, i) == 1 && p->col[p->row_start[i]] != i))
      return false;
  return true;
}

static bool is_select(const bpi_pattern *p)
{
  for (int64_t i = 0; i < p->rows; i++)
    if (row_size(p, i) > 1)
      return false;
  return true;
}

/* seen: cols bytes. */
static bool is_spread(const bpi_pattern *p, uint8_t *seen)
{
  memset(seen, 0, (size_t)p->cols);
  for (int64_t k = 0; k < p->entries; k++) {
    if (seen[p->col[k]])
      return false;
    seen[p->col[k]] = 1;
  }
  return true;
}

/* True if row i lies in block i * n / rows, for every row. */
static bool fits_blocks(const bpi_pattern *p, int64_t n)
{
  int64_t high = p->rows / n, wide = p->cols / n;
  for (int64_t i = 0; i < p->rows; i++)
    if (row_size(p, i) &&
        (p->col[p->row_start[i]] / wide != i / high || p->col[p->row_start[i + 1] - 1] / wide != i / high))
      return false;
  return true;
}

/* Equal blocks, all full: their size follows from the number of entries. */
static bool is_blocks(bpi_pattern *p)
{
  if (p->entries == 0 || (p->rows * p->cols) % p->entries)
    return false;
  int64_t n = p->rows * p->cols / p->entries;
  if (n < 2 || p->rows % n || p->cols % n || !fits_blocks(p, n))
    return false;
  p->blocks = n;
  p->block_rows = p->rows / n;
  p->block_cols = p->cols / n;
  return true;
}

static bp_jac class_of(bpi_pattern *p, bpi_entry_fact known)
{
  if (p->entries == 0)
    return BP_JAC_ZERO;
  if (is_diagonal(p)) {
    bool full = p->entries == p->rows;
    return full && known == BPI_ONE          ? BP_JAC_IDENTITY
           : full && known == BPI_ONE_NUMBER ? BP_JAC_SCALED
                                             : BP_JAC_DIAGONAL;
  }
  bool select = p->one_a_row, spread = p->one_a_col;
  if (select && spread && known == BPI_ONE && p->rows == p->cols && p->entries == p->rows)
    return BP_JAC_PERMUTATION;
  if (select && (!spread || p->rows <= p->cols)) /* where both hold, the one that stores less */
    return BP_JAC_SELECT;
  if (spread)
    return BP_JAC_SPREAD;
  if (is_blocks(p))
    return BP_JAC_BLOCK;
  return p->entries == p->rows * p->cols ? BP_JAC_DENSE : BP_JAC_SPARSE;
}

static bp_status classify(bpi_pattern *p, const bpi_flow *f, const uint32_t *found, size_t n_y)
{
  bpi_entry_fact known = BPI_ONE;
  for (size_t k = 0; k < n_y; k++)
    if (found[k] && f->rows[found[k]].known < known)
      known = f->rows[found[k]].known;
  if (n_y > 1 && known == BPI_ONE_NUMBER) /* each its own number */
    known = BPI_ANY;
  uint8_t *seen = bpi_alloc(p->ctx, (size_t)p->cols + 1, 1);
  if (!seen)
    return bpi_nomem();
  p->blocks = 1;
  p->block_rows = p->rows;
  p->block_cols = p->cols;
  p->one_a_row = is_select(p);
  p->one_a_col = is_spread(p, seen);
  p->jac = class_of(p, known);
  bpi_free(p->ctx, seen);
  return BP_OK;
}

static bp_status write_down(bpi_pattern *p, bpi_flow *f, const bp_node *y, size_t n_y, const uint32_t *found)
{
  for (size_t k = 0; k < n_y; k++)
    p->rows += bp_node_size(y[k]);
  bp_status s = write_rows(p, f, y, n_y, found);
  return s == BP_OK ? classify(p, f, found, n_y) : s;
}

/* ---- whole functions, and single calls ---- */

typedef struct search {
  bp_graph *g;
  uint32_t mark;
  uint64_t next_stream; /* nodes that go again leave no gap in the streams of random nodes */
  bpi_sweeps sweeps;
  bpi_fixed fixed;
  bpi_flow flow;
} search;

static bp_status search_open(search *s, bp_graph *g, int64_t cols, int64_t limit)
{
  s->g = g;
  s->mark = bp_graph_mark(g);
  s->next_stream = g->next_stream;
  bpi_sweeps_init(&s->sweeps, g);
  bpi_fixed_init(&s->fixed, g);
  bp_status st = bpi_flow_open(&s->flow, &s->sweeps, &s->fixed, cols, limit ? limit : usual_limit);
  if (st == BP_OK)
    return BP_OK;
  bpi_fixed_free(&s->fixed);
  bpi_sweeps_free(&s->sweeps);
  return st;
}

/* Rules and definitions added nodes, which nobody needs any more. A failure of theirs keeps its message. */
static bp_status search_close(search *s, bp_status st)
{
  bpi_flow_close(&s->flow);
  bpi_fixed_free(&s->fixed);
  bpi_sweeps_free(&s->sweeps);
  s->g->next_stream = s->next_stream;
  if (s->g->status != BP_OK)
    return bpi_undo(s->g, s->mark, NULL, 0);
  if (bp_graph_mark(s->g) > s->mark)
    bp_graph_rollback(s->g, s->mark);
  return st;
}

static bp_status joined_size(const bp_node *x, size_t n, int64_t *size)
{
  *size = 0;
  for (size_t i = 0; i < n; i++)
    if (!bpi_add(*size, bp_node_size(x[i]), size))
      return bpi_fail(BP_E_LIMIT, "the pattern of a Jacobian: too many elements");
  return BP_OK;
}

/* Rows of nodes y for those of nodes x. */
typedef bp_status (*finder)(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                            bpi_arena *room, uint32_t *found);

/* Found from identities of every x. */
static bp_status find(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                      bpi_arena *room, uint32_t *found)
{
  uint32_t *given = bpi_arena_alloc(room, n_x + 1, sizeof *given);
  bp_status s = given ? BP_OK : bpi_nomem();
  int64_t first = 0;
  for (size_t i = 0; s == BP_OK && i < n_x; i++) {
    given[i] = bpi_flow_identity(f, bp_node_size(x[i]), first);
    first += bp_node_size(x[i]);
    s = f->l.status;
  }
  return s == BP_OK ? bpi_flow_sweep(f, y, n_y, x, given, n_x, false, found) : s;
}

/* Through some nodes alone: their rows first, and then what comes of them. */
static bp_status find_through(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                              const bpi_varying *v, bpi_arena *room, uint32_t *found)
{
  uint32_t *rows = bpi_arena_alloc(room, v->n + 1, sizeof *rows);
  bp_node *from = bpi_arena_alloc(room, v->n + 1, sizeof *from);
  if (!rows || !from)
    return bpi_nomem();
  bp_status s = find(f, v->nodes, v->n, x, n_x, room, rows);
  size_t n = 0;
  for (size_t k = 0; k < v->n; k++)
    if (rows[k]) {
      from[n] = v->nodes[k];
      rows[n++] = rows[k];
    }
  return s == BP_OK && n ? bpi_flow_sweep(f, y, n_y, from, rows, n, true, found) : s;
}

static bp_status find_varying(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                              bpi_arena *room, uint32_t *found)
{
  bpi_varying v;
  bp_status s = bpi_find_varying(f->sweeps, y, n_y, x, n_x, &v);
  if (s == BP_OK && v.n)
    s = find_through(f, y, n_y, x, n_x, &v, room, found);
  bpi_varying_free(f->g->ctx, &v);
  return s;
}

static bp_status find_and_write(bpi_flow *f, finder find_rows, const bp_node *y, size_t n_y, const bp_node *x,
                                size_t n_x, bpi_pattern *p)
{
  bpi_arena room;
  bpi_arena_init(&room, f->g->ctx);
  uint32_t *found = bpi_arena_alloc(&room, n_y, sizeof *found);
  bp_status s = found ? find_rows(f, y, n_y, x, n_x, &room, found) : bpi_nomem();
  if (s == BP_OK)
    s = write_down(p, f, y, n_y, found);
  bpi_arena_free(&room);
  return s;
}

static bp_status pattern_by(finder find_rows, bp_graph *g, const bp_node *y, size_t n_y, const bp_node *x,
                            size_t n_x, int64_t limit, bpi_pattern *p)
{
  bp_graph *of;
  search look;
  bpi_job job = {"the pattern of a Jacobian", y, NULL, x, NULL, n_y, n_x};
  *p = (bpi_pattern){.ctx = g->ctx};
  bp_status s = bpi_job_check(&job, &of);
  if (s == BP_OK)
    s = joined_size(x, n_x, &p->cols);
  if (s == BP_OK)
    s = search_open(&look, g, p->cols, limit);
  if (s != BP_OK)
    return s;
  s = search_close(&look, find_and_write(&look.flow, find_rows, y, n_y, x, n_x, p));
  if (s != BP_OK)
    bpi_pattern_free(p);
  return s;
}

bp_status bpi_pattern_of(bp_graph *g, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                         int64_t limit, bpi_pattern *p)
{
  return pattern_by(find, g, y, n_y, x, n_x, limit, p);
}

bp_status bpi_pattern_varying(bp_graph *g, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                              int64_t limit, bpi_pattern *p)
{
  return pattern_by(find_varying, g, y, n_y, x, n_x, limit, p);
}

/* A node of its own stands at the place of the input, so that nothing else of the call depends on it. */
static bp_status find_local(bpi_flow *f, const bp_op_call *call, int input, bp_node y, bpi_pattern *p)
{
  bp_op_call c = *call;
  uint32_t out[BP_MAX_RESULTS] = {0};
  int k = bpi_slot(y)->result;
  bpi_arena room;
  bpi_arena_init(&room, f->g->ctx);
  bp_node *x = bpi_arena_alloc(&room, (size_t)c.n_in, sizeof *x);
  uint32_t *in = bpi_arena_alloc(&room, (size_t)c.n_in, sizeof *in);
  bp_status s = x && in ? BP_OK : bpi_nomem();
  if (s == BP_OK) {
    memcpy(x, c.x, (size_t)c.n_in * sizeof *x);
    x[input] = bpi_placeholder(f->g, &c.x_type[input]);
    in[input] = bpi_flow_identity(f, p->cols, 0);
    c.x = x;
    s = f->g->status != BP_OK ? f->g->status : f->l.status;
  }
  if (s == BP_OK)
    s = bpi_flow_through(f, &c, in, out);
  if (s == BP_OK)
    s = write_down(p, f, &y, 1, &out[k]);
  bpi_arena_free(&room);
  return s;
}

bp_status bpi_pattern_local(const bp_op_call *c, int input, bp_node y, int64_t limit, bpi_pattern *p)
{
  search look;
  *p = (bpi_pattern){.ctx = c->graph->ctx, .cols = bpi_type_size(&c->x_type[input])};
  bp_status s = search_open(&look, c->graph, p->cols, limit);
  if (s != BP_OK)
    return s;
  s = search_close(&look, find_local(&look.flow, c, input, y, p));
  if (s != BP_OK)
    bpi_pattern_free(p);
  return s;
}

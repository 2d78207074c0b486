/* Dependence flowing through a graph. */
#include "autodiff/flow.h"

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

bp_status bpi_flow_nomem(bpi_flow *f)
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
    bpi_flow_nomem(f);
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
    bpi_flow_nomem(f);
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

uint32_t bpi_flow_again(bpi_flow *f, uint32_t rows, bpi_entry_fact most)
{
  uint32_t r = number(f);
  if (r) {
    f->rows[r] = f->rows[rows];
    f->rows[r].known = most < f->rows[r].known ? most : f->rows[r].known;
    f->rows[r].lists->users++;
  }
  return r;
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

uint32_t *bpi_flow_own(bpi_flow *f, uint32_t *rows, int64_t n)
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
    return bpi_flow_nomem(f);
  for (size_t r = 1; r < f->n_rows; r++)
    for (int64_t i = 0; f->rows[r].lists && i < f->rows[r].n; i++)
      new_id[f->rows[r].lists->id[i]] = 1;
  bpi_lists_keep(l, new_id);
  /* Shared rows once: they are renamed in the first pass, and unmarked in the second. */
  for (int pass = 0; pass < 2; pass++)
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
  bp_status s = rows ? bpi_arrive_alike(f, rows, BPI_ONE, value) : BP_OK;
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
    st = bpi_flow_nomem(f);
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
      st = bpi_arrive_alike(f, given[i], BPI_ONE, &r.l->value[x[i].index]);
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
    found[k] = there ? bpi_flow_again(f, r.l->value[y[k].index], BPI_ONE) : 0;
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

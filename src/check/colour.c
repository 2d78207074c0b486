/* Colouring a Jacobian: by columns, by rows, or both, whichever needs fewest sweeps.
 * Sources: Curtis, Powell & Reid 1974; Coleman & Moré 1983; Coleman & Verma 1998; Gebremedhin, Manne & Pothen 2005. */
#include "check/colour.h"

#include <string.h>

/* One way to share the entries out, and what it may cost at best. */
typedef struct way {
  bp_sweeps kind;
  const uint8_t *by; /* NULL: all on one side */
  int64_t forward, reverse;
} way;

typedef struct choice {
  bpi_arena *a;
  const bpi_csr *p;
  bpi_crossed m;
  /* The best so far: its colours, how many, and more than their sum while there is none. */
  const uint8_t *by;
  bp_sweeps kind;
  int64_t *col, *row;
  int64_t forward, reverse, most;
} choice;

/* The marks of entries in the order of the transpose. */
static uint8_t *turned_marks(choice *c, const uint8_t *by)
{
  size_t n = (size_t)bpi_csr_entries(c->p);
  uint8_t *turned = bpi_arena_alloc(c->a, n + 1, 1);
  for (size_t e = 0; turned && e < n; e++)
    turned[e] = by[c->m.entry[e]];
  return turned;
}

/* Colours one side with fewer than `most` colours. p: the items are its columns. */
static bp_status colour_side(choice *c, const bpi_csr *p, const uint8_t *by, uint8_t mine, int64_t least,
                             int64_t most, int64_t *colour, int64_t *n)
{
  bpi_lines l;
  bp_status s = bpi_lines_new(c->a, p, by, mine, &l);
  if (most > p->cols + 1)
    most = p->cols + 1;
  return s == BP_OK ? bpi_lines_colour(c->a, &l, least, most, colour, n) : s;
}

static void keep(choice *c, const way *w, const int64_t *col, const int64_t *row, int64_t forward,
                 int64_t reverse)
{
  for (int64_t j = 0; j < c->p->cols; j++)
    c->col[j] = w->kind == BP_SWEEPS_REVERSE ? -1 : col[j];
  for (int64_t i = 0; i < c->p->rows; i++)
    c->row[i] = w->kind == BP_SWEEPS_FORWARD ? -1 : row[i];
  c->forward = forward;
  c->reverse = reverse;
  c->most = forward + reverse;
  c->by = w->by;
  c->kind = w->kind;
}

/* Tries one way, and keeps it if it needs fewer sweeps than the best so far. */
static bp_status try_way(choice *c, const way *w)
{
  bp_status s = BP_OK;
  int64_t forward = 0, reverse = 0;
  bpi_arena_mark here = bpi_arena_here(c->a);
  int64_t *col = bpi_arena_alloc(c->a, (size_t)c->p->cols + 1, sizeof *col);
  int64_t *row = bpi_arena_alloc(c->a, (size_t)c->p->rows + 1, sizeof *row);
  uint8_t *turned = w->by ? turned_marks(c, w->by) : NULL;
  if (!col || !row || (w->by && !turned))
    return bpi_nomem();
  if (w->kind != BP_SWEEPS_REVERSE)
    s = colour_side(c, c->p, w->by, 0, w->forward, c->most, col, &forward);
  if (s == BP_OK && w->kind != BP_SWEEPS_FORWARD && forward < c->most)
    s = colour_side(c, c->m.t, turned, 1, w->reverse, c->most - forward, row, &reverse);
  if (s == BP_OK && forward + reverse < c->most)
    keep(c, w, col, row, forward, reverse);
  bpi_arena_rollback(c->a, here);
  return s;
}

static void sort_ways(way *w, int n)
{
  for (int i = 1; i < n; i++)
    for (int k = i; k > 0 && w[k].forward + w[k].reverse < w[k - 1].forward + w[k - 1].reverse; k--) {
      way keep_way = w[k];
      w[k] = w[k - 1];
      w[k - 1] = keep_way;
    }
}

enum { MOST_WAYS = 2 + BPI_SHARINGS };

static bp_status add_both(choice *c, way *w, int *n)
{
  for (int kind = 0; kind < BPI_SHARINGS; kind++) {
    uint8_t *by = bpi_arena_alloc(c->a, (size_t)bpi_csr_entries(c->p) + 1, 1);
    way both = {BP_SWEEPS_BOTH, by, 0, 0};
    bp_status s =
        by ? bpi_share_out(c->a, &c->m, (bpi_sharing)kind, by, &both.forward, &both.reverse) : bpi_nomem();
    if (s != BP_OK)
      return s;
    w[(*n)++] = both;
  }
  return BP_OK;
}

/* The ways worth trying, the one that may be cheapest first: another is tried only if it may beat what was found. So the cost stays about
 * the entries times the sweeps found, also where a dense row makes one way hopeless. */
static bp_status list_ways(choice *c, bp_sweeps sweeps, way *w, int *n)
{
  int64_t long_row = bpi_csr_longest(c->p), long_col = bpi_csr_longest(c->m.t);
  way forward = {BP_SWEEPS_FORWARD, NULL, long_row, 0}, reverse = {BP_SWEEPS_REVERSE, NULL, 0, long_col};
  bool either = sweeps == BP_SWEEPS_AUTO || sweeps == BP_SWEEPS_BOTH;
  bp_status s = BP_OK;
  *n = 0;
  /* At one sweep each, the backward pass is what people expect. */
  if (either && long_col == 1)
    w[(*n)++] = reverse;
  if (either || sweeps == BP_SWEEPS_FORWARD)
    w[(*n)++] = forward;
  if ((either && long_col != 1) || sweeps == BP_SWEEPS_REVERSE)
    w[(*n)++] = reverse;
  if (either && long_row > 2 && long_col > 2)
    s = add_both(c, w, n);
  sort_ways(w, *n);
  return s;
}

/* Where each entry is read off. */
static bp_status find_entries(choice *c, bpi_colouring *out)
{
  size_t n = (size_t)bpi_csr_entries(c->p) + 1;
  out->sweep = bpi_arena_alloc(c->a, n, sizeof *out->sweep);
  out->element = bpi_arena_alloc(c->a, n, sizeof *out->element);
  if (!out->sweep || !out->element)
    return bpi_nomem();
  for (int64_t i = 0; i < c->p->rows; i++)
    for (int64_t e = c->p->start[i]; e < c->p->start[i + 1]; e++) {
      int64_t j = c->p->col[e];
      bool by_row = c->by ? c->by[e] : c->kind == BP_SWEEPS_REVERSE;
      out->sweep[e] = (int32_t)(by_row ? c->forward + c->row[i] : c->col[j]);
      out->element[e] = (int32_t)(by_row ? j : i);
    }
  return BP_OK;
}

bp_status bpi_colour_jacobian(bpi_arena *a, const bpi_csr *p, bp_sweeps sweeps, bpi_colouring *out)
{
  bpi_csr t;
  choice c = {.a = a, .p = p, .m = {p, &t, NULL}, .most = p->rows + p->cols + 1};
  way ways[MOST_WAYS];
  int n = 0;
  int64_t *entry;
  bp_status s = bpi_csr_transpose(a, p, &t, &entry);
  c.m.entry = entry;
  c.col = bpi_arena_alloc(a, (size_t)p->cols + 1, sizeof *c.col);
  c.row = bpi_arena_alloc(a, (size_t)p->rows + 1, sizeof *c.row);
  if (s == BP_OK && (!c.col || !c.row))
    s = bpi_nomem();
  if (s == BP_OK)
    s = list_ways(&c, sweeps, ways, &n);
  for (int i = 0; i < n && s == BP_OK; i++)
    if (ways[i].forward + ways[i].reverse < c.most)
      s = try_way(&c, &ways[i]);
  if (s == BP_OK)
    s = find_entries(&c, out);
  out->forward = c.forward;
  out->reverse = c.reverse;
  out->of_col = c.col;
  out->of_row = c.row;
  return s;
}

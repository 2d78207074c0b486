/* Sharing entries out between forward and reverse sweeps. */
#include "check/colour.h"

/* ---- in turns ----
 * Rows of few entries and columns of few entries are taken away in turn, whichever costs fewer colours at that moment: what a row has left
 * then goes to forward sweeps, where a row of n entries asks for n colours, and what a column has left to reverse sweeps. Long rows and
 * long columns so end on the side where they are cheap. */

typedef struct share {
  bpi_buckets rows, cols; /* by what they have left */
  int64_t forward, reverse;
  bool rows_first; /* where both cost the same */
} share;

static void one_less(bpi_buckets *b, int64_t item)
{
  int64_t key = b->key[item];
  bpi_buckets_drop(b, item);
  bpi_buckets_put(b, item, key - 1);
}

static void take_row(share *s, const bpi_csr *p, int64_t row, uint8_t *by)
{
  s->forward = s->rows.key[row] > s->forward ? s->rows.key[row] : s->forward;
  bpi_buckets_drop(&s->rows, row);
  s->rows.key[row] = -1;
  for (int64_t e = p->start[row]; e < p->start[row + 1]; e++)
    if (s->cols.key[p->col[e]] >= 0) {
      by[e] = 0;
      one_less(&s->cols, p->col[e]);
    }
}

static void take_col(share *s, const bpi_csr *t, const int64_t *entry, int64_t col, uint8_t *by)
{
  s->reverse = s->cols.key[col] > s->reverse ? s->cols.key[col] : s->reverse;
  bpi_buckets_drop(&s->cols, col);
  s->cols.key[col] = -1;
  for (int64_t e = t->start[col]; e < t->start[col + 1]; e++)
    if (s->rows.key[t->col[e]] >= 0) {
      by[entry[e]] = 1;
      one_less(&s->rows, t->col[e]);
    }
}

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

static void take_all(share *s, const bpi_csr *p, const bpi_csr *t, const int64_t *entry, uint8_t *by)
{
  for (;;) {
    int64_t row = bpi_buckets_least(&s->rows), col = bpi_buckets_least(&s->cols);
    if (row < 0 || col < 0)
      return;
    int64_t with_row = larger(s->forward, s->rows.key[row]) + s->reverse;
    int64_t with_col = s->forward + larger(s->reverse, s->cols.key[col]);
    if (with_row < with_col || (with_row == with_col && s->rows_first))
      take_row(s, p, row, by);
    else
      take_col(s, t, entry, col, by);
  }
}

static bp_status share_in_turns(bpi_arena *a, const bpi_crossed *m, bool rows_first, uint8_t *by,
                                int64_t *forward, int64_t *reverse)
{
  const bpi_csr *p = m->p, *t = m->t;
  share s = {.rows_first = rows_first};
  bp_status st = bpi_buckets_init(a, &s.rows, p->rows, p->cols);
  if (st == BP_OK)
    st = bpi_buckets_init(a, &s.cols, p->cols, p->rows);
  if (st != BP_OK)
    return st;
  for (int64_t i = p->rows - 1; i >= 0; i--)
    bpi_buckets_put(&s.rows, i, p->start[i + 1] - p->start[i]);
  for (int64_t j = p->cols - 1; j >= 0; j--)
    bpi_buckets_put(&s.cols, j, t->start[j + 1] - t->start[j]);
  take_all(&s, p, t, m->entry, by);
  *forward = s.forward;
  *reverse = s.reverse;
  return BP_OK;
}

/* ---- by length ----
 * The longest rows go to one side whole, the rest to the other: so no row is of both, and none asks for more colours than it has entries. */

/* Marks the rows longer than the length that costs least. *rest: the longest of the others; *cover: the most marked rows that one
 * column meets. */
static bp_status mark_long_rows(bpi_arena *a, const bpi_csr *p, uint8_t *marked, int64_t *rest,
                                int64_t *cover)
{
  bpi_buckets b;
  int64_t *met = bpi_arena_alloc(a, (size_t)p->cols + 1, sizeof *met), most = 0, row, taken = 0;
  int64_t *order = bpi_arena_alloc(a, (size_t)p->rows + 1, sizeof *order), best = 0;
  bp_status s = bpi_buckets_init(a, &b, p->rows, p->cols);
  if (s != BP_OK || !met || !order)
    return bpi_nomem();
  for (int64_t i = p->rows - 1; i >= 0; i--)
    bpi_buckets_put(&b, i, p->cols - (p->start[i + 1] - p->start[i]));
  *cover = 0;
  *rest = INT64_MAX;
  while ((row = bpi_buckets_least(&b)) >= 0) {
    int64_t length = p->start[row + 1] - p->start[row];
    if (*rest == INT64_MAX || length + most < *rest + *cover) {
      *rest = length;
      *cover = most;
      best = taken;
    }
    bpi_buckets_drop(&b, row);
    order[taken++] = row;
    for (int64_t e = p->start[row]; e < p->start[row + 1]; e++)
      most = larger(most, ++met[p->col[e]]);
  }
  for (int64_t k = 0; k < best; k++)
    marked[order[k]] = 1;
  return BP_OK;
}

static bp_status share_by_length(bpi_arena *a, const bpi_crossed *m, bool rows, uint8_t *by, int64_t *forward,
                                 int64_t *reverse)
{
  const bpi_csr *p = rows ? m->p : m->t;
  uint8_t *marked = bpi_arena_alloc(a, (size_t)p->rows + 1, 1);
  if (!marked)
    return bpi_nomem();
  bp_status s = mark_long_rows(a, p, marked, rows ? forward : reverse, rows ? reverse : forward);
  for (int64_t i = 0; i < p->rows && s == BP_OK; i++)
    for (int64_t e = p->start[i]; e < p->start[i + 1]; e++)
      by[rows ? e : m->entry[e]] = marked[i] == rows;
  return s;
}

bp_status bpi_share_out(bpi_arena *a, const bpi_crossed *m, bpi_sharing kind, uint8_t *by, int64_t *forward,
                        int64_t *reverse)
{
  bpi_arena_mark here = bpi_arena_here(a);
  bool rows = kind == BPI_ROWS_BY_LENGTH || kind == BPI_ROWS_IN_TURN;
  bp_status s = kind <= BPI_COLS_BY_LENGTH ? share_by_length(a, m, rows, by, forward, reverse)
                                           : share_in_turns(a, m, rows, by, forward, reverse);
  bpi_arena_rollback(a, here);
  return s;
}

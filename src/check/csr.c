#include "check/csr.h"

bp_status bpi_csr_transpose(bpi_arena *a, const bpi_csr *p, bpi_csr *t, int64_t **entry)
{
  int64_t n = bpi_csr_entries(p);
  *t = (bpi_csr){.rows = p->cols, .cols = p->rows};
  t->start = bpi_arena_alloc(a, (size_t)p->cols + 2, sizeof *t->start);
  t->col = bpi_arena_alloc(a, (size_t)n + 1, sizeof *t->col);
  int64_t *from = entry ? bpi_arena_alloc(a, (size_t)n + 1, sizeof *from) : NULL;
  if (!t->start || !t->col || (entry && !from))
    return bpi_nomem();
  int64_t *next = t->start + 1; /* where the next entry of a column goes; in the end, where the column ends */
  for (int64_t e = 0; e < n; e++)
    next[p->col[e] + 1]++;
  for (int64_t j = 0; j < p->cols; j++)
    next[j + 1] += next[j];
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t e = p->start[i]; e < p->start[i + 1]; e++) {
      int64_t to = next[p->col[e]]++;
      t->col[to] = (int32_t)i;
      if (from)
        from[to] = e;
    }
  if (entry)
    *entry = from;
  return BP_OK;
}

int64_t bpi_csr_longest(const bpi_csr *p)
{
  int64_t longest = 0;
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t n = p->start[i + 1] - p->start[i];
    longest = n > longest ? n : longest;
  }
  return longest;
}

void bpi_csr_band(const bpi_csr *p, int64_t *below, int64_t *above)
{
  *below = *above = 0;
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t first = p->start[i], end = p->start[i + 1];
    if (first == end)
      continue;
    *below = i - p->col[first] > *below ? i - p->col[first] : *below;
    *above = p->col[end - 1] - i > *above ? p->col[end - 1] - i : *above;
  }
}

/* Columns of row i in either, ascending. Writes them unless `to` is NULL; returns how many. */
static int64_t merge_rows(const bpi_csr *p, const bpi_csr *t, int64_t i, int32_t *to)
{
  int64_t a = p->start[i], b = t->start[i], n = 0, a_end = p->start[i + 1], b_end = t->start[i + 1];
  while (a < a_end || b < b_end) {
    int32_t x = a < a_end ? p->col[a] : INT32_MAX, y = b < b_end ? t->col[b] : INT32_MAX;
    if (to)
      to[n] = x < y ? x : y;
    n++;
    a += x <= y;
    b += y <= x;
  }
  return n;
}

bp_status bpi_csr_symmetric(bpi_arena *a, const bpi_csr *p, bpi_csr *both)
{
  bpi_csr t;
  bp_status s = bpi_csr_transpose(a, p, &t, NULL);
  if (s != BP_OK)
    return s;
  *both = (bpi_csr){.rows = p->rows, .cols = p->cols};
  both->start = bpi_arena_alloc(a, (size_t)p->rows + 1, sizeof *both->start);
  if (!both->start)
    return bpi_nomem();
  for (int64_t i = 0; i < p->rows; i++)
    both->start[i + 1] = both->start[i] + merge_rows(p, &t, i, NULL);
  both->col = bpi_arena_alloc(a, (size_t)bpi_csr_entries(both) + 1, sizeof *both->col);
  for (int64_t i = 0; both->col && i < p->rows; i++)
    merge_rows(p, &t, i, both->col + both->start[i]);
  return both->col ? BP_OK : bpi_nomem();
}

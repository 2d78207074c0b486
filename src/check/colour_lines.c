/* Where items meet, made of a pattern. */
#include "check/colour.h"

#include <string.h>

/* One line at l->item + l->start[n_lines]: the own items, then the others that will be coloured. */
static int64_t add_line(bpi_lines *l, const bpi_csr *p, int64_t row, const uint8_t *by, uint8_t mine)
{
  int32_t *to = l->item + l->start[l->n_lines];
  int64_t n = 0;
  for (int64_t e = p->start[row]; e < p->start[row + 1]; e++)
    if (!by || by[e] == mine)
      to[n++] = p->col[e];
  l->own[l->n_lines] = n;
  for (int64_t e = p->start[row]; by && n && e < p->start[row + 1]; e++)
    if (by[e] != mine && l->in[p->col[e]])
      to[n++] = p->col[e];
  return n;
}

static uint64_t hash_line(const bpi_lines *l, int64_t i, int64_t n)
{
  uint64_t h = (uint64_t)l->own[i] * 0x9E3779B97F4A7C15u;
  for (int64_t k = 0; k < n; k++)
    h = (h ^ (uint64_t)l->item[l->start[i] + k]) * 0x9E3779B97F4A7C15u + (h >> 29);
  return h ^ (h >> 32);
}

static bool same_line(const bpi_lines *l, int64_t a, int64_t b, int64_t n)
{
  return l->own[a] == l->own[b] && l->start[a + 1] - l->start[a] == n &&
         memcmp(l->item + l->start[a], l->item + l->start[b], (size_t)n * sizeof *l->item) == 0;
}

/* Whether the newest line is there already; else it is entered. table: numbers of lines + 1. */
static bool seen(const bpi_lines *l, int64_t n, int64_t *table, uint64_t mask)
{
  uint64_t at = hash_line(l, l->n_lines, n) & mask;
  for (; table[at]; at = (at + 1) & mask)
    if (same_line(l, table[at] - 1, l->n_lines, n))
      return true;
  table[at] = l->n_lines + 1;
  return false;
}

static bp_status collect_lines(bpi_arena *a, bpi_lines *l, const bpi_csr *p, const uint8_t *by, uint8_t mine)
{
  uint64_t size = 16;
  while (size < 2 * (uint64_t)p->rows)
    size *= 2;
  bpi_arena_mark here = bpi_arena_here(a);
  int64_t *table = bpi_arena_alloc(a, (size_t)size, sizeof *table);
  if (!table)
    return bpi_nomem();
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t n = add_line(l, p, i, by, mine);
    if (n > 1 && l->own[l->n_lines] && !seen(l, n, table, size - 1)) {
      l->start[l->n_lines + 1] = l->start[l->n_lines] + n;
      l->n_lines++;
    }
  }
  bpi_arena_rollback(a, here);
  return BP_OK;
}

/* Which lines each item is on. */
static bp_status turn(bpi_arena *a, bpi_lines *l)
{
  int64_t n = l->start[l->n_lines];
  l->first = bpi_arena_alloc(a, (size_t)l->n_items + 2, sizeof *l->first);
  l->line = bpi_arena_alloc(a, (size_t)n + 1, sizeof *l->line);
  if (!l->first || !l->line)
    return bpi_nomem();
  int64_t *next = l->first + 1;
  for (int64_t k = 0; k < n; k++)
    next[l->item[k] + 1]++;
  for (int64_t j = 0; j < l->n_items; j++)
    next[j + 1] += next[j];
  for (int64_t i = 0; i < l->n_lines; i++)
    for (int64_t k = l->start[i]; k < l->start[i + 1]; k++)
      l->line[next[l->item[k]]++] = 2 * i + (k - l->start[i] < l->own[i]);
  return BP_OK;
}

bp_status bpi_lines_new(bpi_arena *a, const bpi_csr *p, const uint8_t *by, uint8_t mine, bpi_lines *l)
{
  size_t n = (size_t)bpi_csr_entries(p);
  *l = (bpi_lines){.n_items = p->cols};
  l->start = bpi_arena_alloc(a, (size_t)p->rows + 2, sizeof *l->start);
  l->own = bpi_arena_alloc(a, (size_t)p->rows + 1, sizeof *l->own);
  l->item = bpi_arena_alloc(a, n + 1, sizeof *l->item);
  l->in = bpi_arena_alloc(a, (size_t)p->cols + 1, sizeof *l->in);
  if (!l->start || !l->own || !l->item || !l->in)
    return bpi_nomem();
  for (size_t e = 0; e < n; e++)
    if (!by || by[e] == mine)
      l->in[p->col[e]] = 1;
  bp_status s = collect_lines(a, l, p, by, mine);
  return s == BP_OK ? turn(a, l) : s;
}

double bpi_lines_work(const bpi_lines *l)
{
  double work = 0;
  for (int64_t i = 0; i < l->n_lines; i++)
    work += (double)l->own[i] * (double)(l->start[i + 1] - l->start[i]);
  return work;
}

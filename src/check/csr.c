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
      t->col[to] = i;
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

/* Whether equal blocks lie along the diagonal, each full: then the entries of the first row tell how large they are. */
static bool in_blocks(const bpi_csr *p, int64_t *blocks)
{
  int64_t wide = p->start[1];
  if (wide == 0 || p->cols % wide || p->rows % (p->cols / wide))
    return false;
  int64_t n = p->cols / wide, tall = p->rows / n;
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t first = p->start[i];
    if (p->start[i + 1] - first != wide || p->col[first] != i / tall * wide ||
        p->col[first + wide - 1] != p->col[first] + wide - 1)
      return false;
  }
  *blocks = n;
  return true;
}

bp_jac bpi_csr_class(const bpi_csr *p, int64_t longest_col, int64_t *blocks)
{
  int64_t below, above, n = bpi_csr_entries(p);
  *blocks = 0;
  bpi_csr_band(p, &below, &above);
  if (n == 0)
    return BP_JAC_ZERO;
  if (p->rows == p->cols && below <= 0 && above <= 0)
    return BP_JAC_DIAGONAL;
  if (n == p->rows * p->cols)
    return BP_JAC_DENSE;
  if (in_blocks(p, blocks))
    return BP_JAC_BLOCK;
  if (bpi_csr_longest(p) == 1)
    return BP_JAC_SELECT;
  return longest_col == 1 ? BP_JAC_SPREAD : BP_JAC_DENSE;
}

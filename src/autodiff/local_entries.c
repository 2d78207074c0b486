/* Entries of blocks, sparse and dense local Jacobians: elements of another input, or made by products with seeds. */
#include "autodiff/local.h"
#include "autodiff/reach.h"

#include <string.h>

enum { MOST_SEEDS = 65535 }; /* parts of one concatenation */

/* ---- groups: lines that have no position in common, and so can be made by one product ---- */

typedef struct lines {
  int64_t n, width;     /* how many lines, of how many positions */
  const int64_t *start; /* positions of line i: at[start[i]] .. */
  const int32_t *at;
} lines;

typedef struct groups {
  int64_t *of; /* group of each line */
  int64_t n;
} groups;

static bool bit(const uint64_t *set, int64_t i)
{
  return set[i >> 6] >> (i & 63) & 1;
}

static bool fits(const uint64_t *set, const lines *l, int64_t i)
{
  for (int64_t k = l->start[i]; k < l->start[i + 1]; k++)
    if (bit(set, l->at[k]))
      return false;
  return true;
}

/* First fit. used: the positions taken in each group, a bit each; of no group are the lines that are empty (-1). */
static bp_status group_lines(bp_ctx *ctx, const lines *l, groups *g)
{
  size_t words = (size_t)(l->width + 63) / 64, cap = 0;
  uint64_t *used = NULL;
  *g = (groups){bpi_alloc(ctx, (size_t)l->n + 1, sizeof *g->of), 0};
  bp_status s = g->of ? BP_OK : bpi_nomem();
  for (int64_t i = 0; s == BP_OK && i < l->n; i++) {
    int64_t k = 0;
    g->of[i] = -1;
    if (l->start[i] == l->start[i + 1])
      continue;
    while (k < g->n && !fits(used + (size_t)k * words, l, i))
      k++;
    if (k == g->n) {
      if (!bpi_grow(ctx, (void **)&used, &cap, (size_t)k, words * sizeof *used)) {
        s = bpi_nomem();
        break;
      }
      memset(used + (size_t)k * words, 0, words * sizeof *used);
      g->n++;
    }
    g->of[i] = k;
    for (int64_t e = l->start[i]; e < l->start[i + 1]; e++)
      used[(size_t)k * words + (size_t)(l->at[e] >> 6)] |= UINT64_C(1) << (l->at[e] & 63);
  }
  bpi_free(ctx, used);
  return s;
}

/* The columns of a pattern as lines; the caller frees start and at. */
static bp_status columns_of(const bpi_pattern *p, int64_t **start, int32_t **at)
{
  *start = bpi_zalloc(p->ctx, (size_t)p->cols + 2, sizeof **start);
  *at = bpi_alloc(p->ctx, (size_t)p->entries + 1, sizeof **at);
  if (!*start || !*at)
    return bpi_nomem();
  int64_t *s = *start + 1;
  for (int64_t k = 0; k < p->entries; k++)
    s[p->col[k] + 1]++;
  for (int64_t j = 0; j < p->cols; j++)
    s[j + 1] += s[j];
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t k = p->row_start[i]; k < p->row_start[i + 1]; k++)
      (*at)[s[p->col[k]]++] = (int32_t)i;
  return BP_OK;
}

/* ---- by products ---- */

/* One product for each group, stacked: row g is the sum of the lines of group g. */
static bp_node products(bpi_local_form *f, const groups *g, bool reverse)
{
  bp_op_call *c = &f->call;
  const bp_type *seed = reverse ? &c->y_type[f->result] : &c->x_type[f->input];
  bp_node *part = bpi_alloc(c->graph->ctx, (size_t)g->n, sizeof *part);
  if (!part)
    return bpi_node_fail(c->graph, BP_E_NOMEM, "local Jacobian: out of memory");
  bp_node of = bp_array_constant(c->graph, BP_INT64, seed->rank, seed->dims, g->of);
  for (int64_t k = 0; k < g->n; k++) {
    bp_node seeds = bp_cast(bp_equal(of, bp_constant_int(c->graph, k)), BP_REAL);
    bp_node made = reverse ? bpi_local_reverse(f, seeds) : bpi_local_forward(f, seeds);
    part[k] = bp_reshape(made, (int64_t[]){1, bp_node_size(made)}, 2);
  }
  bp_node all = bp_concat(part, (size_t)g->n, 0);
  bpi_free(c->graph->ctx, part);
  return bp_reshape(all, (int64_t[]){-1}, 1);
}

/* Elements of a vector in an order known beforehand. */
static bp_node picked(bp_node from, const int64_t *place, int64_t n)
{
  bool in_order = n == bp_node_size(from);
  for (int64_t k = 0; in_order && k < n; k++)
    in_order = place[k] == k;
  return in_order ? from : bp_gather(from, bp_array_constant(from.graph, BP_INT64, 1, &n, place), 0);
}

static bp_node by_products(bpi_local_form *f, const groups *g, bool reverse)
{
  const bpi_pattern *p = &f->pattern;
  int64_t width = reverse ? p->cols : p->rows;
  if (g->n > MOST_SEEDS || g->n > (INT64_C(1) << 40) / width)
    return bpi_node_fail(f->call.graph, BP_E_LIMIT, "local Jacobian: %lld products would be needed",
                         (long long)g->n);
  int64_t *place = bpi_alloc(p->ctx, (size_t)p->entries + 1, sizeof *place);
  if (!place)
    return bpi_node_fail(f->call.graph, BP_E_NOMEM, "local Jacobian: out of memory");
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t k = p->row_start[i]; k < p->row_start[i + 1]; k++)
      place[k] = reverse ? g->of[i] * width + p->col[k] : g->of[p->col[k]] * width + i;
  bp_node values = picked(products(f, g, reverse), place, p->entries);
  bpi_free(p->ctx, place);
  return values;
}

/* Rows by reverse products or columns by forward ones, whichever are fewer. */
static bp_node by_seeds(bpi_local_form *f)
{
  const bpi_pattern *p = &f->pattern;
  int64_t *start = NULL;
  int32_t *at = NULL;
  groups rows = {0}, cols = {0};
  lines by_row = {p->rows, p->cols, p->row_start, p->col};
  bp_status s = group_lines(p->ctx, &by_row, &rows);
  if (s == BP_OK)
    s = columns_of(p, &start, &at);
  if (s == BP_OK) {
    lines by_column = {p->cols, p->rows, start, at};
    s = group_lines(p->ctx, &by_column, &cols);
  }
  bool reverse = rows.n <= cols.n;
  bp_node values = s == BP_OK ? by_products(f, reverse ? &rows : &cols, reverse)
                              : bpi_node_fail(f->call.graph, s, "local Jacobian: out of memory");
  bpi_free(p->ctx, start);
  bpi_free(p->ctx, at);
  bpi_free(p->ctx, rows.of);
  bpi_free(p->ctx, cols.of);
  return values;
}

/* ---- by a factor ---- */

bp_node bpi_local_entries(bpi_local_form *f)
{
  const bpi_pattern *p = &f->pattern;
  bp_reach r;
  if (!bpi_reach_of(&f->call, f->input, f->result, &r) || !r.factor)
    return by_seeds(f);
  int64_t *from = bpi_alloc(p->ctx, (size_t)p->entries + 1, sizeof *from);
  if (!from)
    return bpi_node_fail(f->call.graph, BP_E_NOMEM, "local Jacobian: out of memory");
  bp_node values = BP_NO_NODE;
  if (bpi_reach_factors(&r, p->rows, p->row_start, p->col, from)) {
    bp_node factor = f->call.x[r.factor - 1];
    values = picked(bp_reshape(factor, (int64_t[]){-1}, 1), from, p->entries);
  }
  bpi_free(p->ctx, from);
  return bp_absent(values) ? by_seeds(f) : values;
}

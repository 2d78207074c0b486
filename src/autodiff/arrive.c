/* What arrives at a result from one input: rows led through a local Jacobian, and joined with those that came from other inputs. */
#include "autodiff/flow.h"
#include "autodiff/reach.h"

static bpi_entry_fact least(bpi_entry_fact a, bpi_entry_fact b)
{
  return a < b ? a : b;
}

/* The rows to write into, for entries of which `known` holds. Numbers of two parts without a common entry are the same only where both are
 * 1. NULL when out of memory. */
static uint32_t *begin(bpi_flow *f, bpi_entry_fact *known, int64_t n, uint32_t *out)
{
  if (*out && (*known != BPI_ONE || f->rows[*out].known != BPI_ONE))
    *known = BPI_ANY;
  f->l.overlap = false;
  return bpi_flow_own(f, out, n);
}

/* Where entries met others, their sum is another number. */
static bp_status end(bpi_flow *f, bpi_entry_fact known, uint32_t out)
{
  if (out)
    f->rows[out].known = f->l.overlap ? BPI_ANY : known;
  return f->l.status;
}

bp_status bpi_arrive_alike(bpi_flow *f, uint32_t in, bpi_entry_fact most, uint32_t *out)
{
  bpi_entry_fact known = least(most, f->rows[in].known);
  if (!*out) {
    *out = bpi_flow_again(f, in, most);
    return f->l.status;
  }
  if (f->rows[*out].lists == f->rows[in].lists) { /* every entry meets its like: x + x */
    known = least(known, f->rows[*out].known);
    f->rows[*out].known = least(known, BPI_ONE_NUMBER);
    return BP_OK;
  }
  int64_t n = f->rows[in].n;
  uint32_t *to = begin(f, &known, n, out);
  const uint32_t *from = f->rows[in].lists->id;
  for (int64_t i = 0; to && i < n; i++)
    to[i] = bpi_lists_join(&f->l, to[i], from[i]);
  return end(f, known, *out);
}

bp_status bpi_arrive_scaled(bpi_flow *f, uint32_t in, const double *v, bool one, uint32_t *out)
{
  bool zeros = false, same = true, ones = true;
  int64_t n = f->rows[in].n;
  for (int64_t i = 0, m = one ? n > 0 : n; i < m; i++) {
    zeros = zeros || v[i] == 0;
    same = same && v[i] == v[0];
    ones = ones && v[i] == 1;
  }
  bpi_entry_fact most = ones ? BPI_ONE : same ? BPI_ONE_NUMBER : BPI_ANY;
  if (!zeros)
    return bpi_arrive_alike(f, in, most, out);
  if (same)
    return BP_OK;
  uint32_t some = bpi_flow_empty(f, n);
  for (int64_t i = 0; some && i < n; i++)
    f->rows[some].lists->id[i] = v[i] == 0 ? 0 : f->rows[in].lists->id[i];
  bp_status s = some ? bpi_arrive_alike(f, some, BPI_ANY, out) : f->l.status;
  bpi_flow_drop(f, some);
  return s;
}

bp_status bpi_arrive_by_reach(bpi_flow *f, const bp_reach *r, const double *factor, uint32_t in,
                              bpi_entry_fact most, int64_t n_y, uint32_t *out)
{
  if (bpi_reach_is_identity(r, f->rows[in].n, n_y))
    return bpi_arrive_alike(f, in, most, out);
  bpi_entry_fact known = least(most, f->rows[in].known);
  uint32_t *to = begin(f, &known, n_y, out);
  if (to)
    bpi_reach_lead(&f->l, r, factor, f->rows[in].lists->id, to);
  return end(f, known, *out);
}

bp_status bpi_arrive_everywhere(bpi_flow *f, uint32_t in, int64_t n_y, uint32_t *out)
{
  bpi_entry_fact known = BPI_ANY;
  uint32_t *to = begin(f, &known, n_y, out);
  if (!to)
    return f->l.status;
  bpi_join_begin(&f->l);
  for (int64_t j = 0; j < f->rows[in].n; j++)
    bpi_join_add(&f->l, f->rows[in].lists->id[j]);
  uint32_t all = bpi_join_end(&f->l);
  for (int64_t i = 0; i < n_y; i++)
    to[i] = bpi_lists_join(&f->l, to[i], all);
  return end(f, known, *out);
}

/* Rows of a transposed Jacobian turned round: the inputs of result i are of[start[i]] .. of[start[i + 1] - 1]. */
typedef struct turned {
  int64_t *start, *of;
} turned;

static bp_status turn(bpi_flow *f, const bpi_flow *b, const bpi_rows *back, int64_t n_y, turned *t)
{
  int64_t total = 0;
  int32_t n;
  *t = (turned){bpi_zalloc(f->g->ctx, (size_t)n_y + 2, sizeof *t->start), NULL};
  if (!t->start)
    return bpi_flow_nomem(f);
  int64_t *next = t->start + 1; /* where the next input of each result goes */
  for (int64_t j = 0; j < back->n; j++) {
    const int32_t *col = bpi_list_items(&b->l, back->lists->id[j], &n);
    total += n;
    for (int32_t k = 0; k < n; k++)
      next[col[k] + 1]++;
  }
  if (total > f->l.limit)
    return bpi_lists_full(&f->l);
  t->of = bpi_alloc(f->g->ctx, (size_t)total + 1, sizeof *t->of);
  if (!t->of)
    return bpi_flow_nomem(f);
  for (int64_t i = 0; i < n_y; i++)
    next[i + 1] += next[i];
  for (int64_t j = 0; j < back->n; j++) {
    const int32_t *col = bpi_list_items(&b->l, back->lists->id[j], &n);
    for (int32_t k = 0; k < n; k++)
      t->of[next[col[k]]++] = j;
  }
  return BP_OK;
}

bp_status bpi_arrive_back(bpi_flow *f, const bpi_flow *b, uint32_t back, uint32_t in, int64_t n_y,
                          uint32_t *out)
{
  turned t;
  bpi_entry_fact known = least(b->rows[back].known, f->rows[in].known);
  bp_status s = turn(f, b, &b->rows[back], n_y, &t);
  uint32_t *to = s == BP_OK && t.of ? begin(f, &known, n_y, out) : NULL;
  for (int64_t i = 0; to && i < n_y && f->l.status == BP_OK; i++) {
    bpi_join_begin(&f->l);
    bpi_join_add(&f->l, to[i]);
    for (int64_t k = t.start[i]; k < t.start[i + 1]; k++)
      bpi_join_add(&f->l, f->rows[in].lists->id[t.of[k]]);
    to[i] = bpi_join_end(&f->l);
  }
  bpi_free(f->g->ctx, t.start);
  bpi_free(f->g->ctx, t.of);
  return s == BP_OK ? end(f, known, *out) : s;
}

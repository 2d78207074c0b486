/* Sorted lists of columns, kept once. */
#include "autodiff/lists.h"
#include "base/sort.h"

#include <string.h>

enum { FEW = 4096, SPARSE_RANGE = 16, FEW_LISTS = 1 << 16 };

bp_status bpi_lists_open(bpi_lists *l, bp_ctx *ctx, int64_t cols, int64_t limit)
{
  *l = (bpi_lists){.ctx = ctx, .limit = limit};
  if (cols >= INT32_MAX)
    return bpi_fail(BP_E_LIMIT, "the pattern of a Jacobian with %lld columns: 2^31 - 2 are the most",
                    (long long)cols);
  l->cols = (int32_t)cols;
  l->items_cap = cols + 64;
  l->lists_cap = (size_t)cols + 64;
  l->item = bpi_alloc(ctx, (size_t)l->items_cap, sizeof *l->item);
  l->list = bpi_alloc(ctx, l->lists_cap, sizeof *l->list);
  l->seen = bpi_zalloc(ctx, (size_t)cols + 1, sizeof *l->seen);
  if (!l->item || !l->list || !l->seen) {
    bpi_lists_close(l);
    return bpi_nomem();
  }
  l->list[0] = (bpi_column_list){0, 0};
  for (int32_t j = 0; j < l->cols; j++) {
    l->item[j] = j;
    l->list[j + 1] = (bpi_column_list){j, 1};
  }
  l->n_items = cols;
  l->n_lists = (size_t)cols + 1;
  l->crowded_at = 2 * cols + FEW_LISTS;
  return BP_OK;
}

void bpi_lists_close(bpi_lists *l)
{
  bpi_free(l->ctx, l->item);
  bpi_free(l->ctx, l->list);
  bpi_free(l->ctx, l->seen);
  l->item = NULL;
  l->list = NULL;
  l->seen = NULL;
}

bp_status bpi_lists_full(bpi_lists *l)
{
  return l->status =
             bpi_fail(BP_E_LIMIT, "the pattern of the derivatives needs more than the %lld entries allowed",
                      (long long)l->limit);
}

/* Room behind n_items for n more items, and for one more list. */
static bool room(bpi_lists *l, int64_t n)
{
  if (l->status != BP_OK)
    return false;
  if (l->n_items + n > 2 * l->limit + l->cols || l->n_lists >= UINT32_MAX) {
    bpi_lists_full(l);
    return false;
  }
  if (l->n_items + n > l->items_cap) {
    int64_t cap = 2 * (l->n_items + n);
    int32_t *item = bpi_realloc(l->ctx, l->item, (size_t)cap, sizeof *item);
    if (item) {
      l->item = item;
      l->items_cap = cap;
    } else {
      l->status = bpi_nomem();
    }
  }
  if (l->status == BP_OK && !bpi_grow(l->ctx, (void **)&l->list, &l->lists_cap, l->n_lists, sizeof *l->list))
    l->status = bpi_nomem();
  return l->status == BP_OK;
}

static uint32_t add(bpi_lists *l, int64_t start, int32_t n)
{
  l->list[l->n_lists] = (bpi_column_list){start, n};
  return (uint32_t)l->n_lists++;
}

/* A list whose columns follow one another, from `start` on: it lies among the first items, which count columns. */
static bool is_run(const bpi_lists *l, uint32_t id)
{
  return l->list[id].start < l->cols && l->list[id].n > 0;
}

/* The n items behind n_items become a list. */
static uint32_t keep(bpi_lists *l, int32_t n)
{
  const int32_t *v = l->item + l->n_items;
  if (v[n - 1] - v[0] + 1 == n)
    return add(l, v[0], n);
  l->n_items += n;
  return add(l, l->n_items - n, n);
}

bool bpi_lists_crowded(const bpi_lists *l)
{
  return l->n_items > l->crowded_at || (int64_t)l->n_lists > l->crowded_at;
}

void bpi_lists_keep(bpi_lists *l, uint32_t *new_id)
{
  size_t n = (size_t)l->cols + 1;
  for (size_t i = 0; i < n; i++)
    new_id[i] = (uint32_t)i;
  l->n_items = l->cols;
  for (size_t i = n; i < l->n_lists; i++) {
    bpi_column_list list = l->list[i];
    if (!new_id[i])
      continue;
    l->list[n] = list;
    if (list.start >= l->cols) {
      memmove(l->item + l->n_items, l->item + list.start, (size_t)list.n * sizeof *l->item);
      l->list[n].start = l->n_items;
      l->n_items += list.n;
    }
    new_id[i] = (uint32_t)n++;
  }
  l->n_lists = n;
  l->last_join = 0;
  l->crowded_at = 2 * (l->n_items > (int64_t)n ? l->n_items : (int64_t)n) + FEW_LISTS;
}

/* ---- two ---- */

typedef struct span {
  int64_t lo, hi; /* columns lo .. hi - 1 */
} span;

static span span_of(const bpi_lists *l, uint32_t id)
{
  int64_t lo = l->list[id].start;
  return (span){lo, lo + l->list[id].n};
}

/* Two runs that meet or overlap are one. */
static bool join_spans(bpi_lists *l, span *a, span b)
{
  if (a->lo > b.hi || b.lo > a->hi)
    return false;
  l->overlap = l->overlap || (a->lo < b.hi && b.lo < a->hi);
  a->lo = a->lo < b.lo ? a->lo : b.lo;
  a->hi = a->hi > b.hi ? a->hi : b.hi;
  return true;
}

/* True if a list lies within a run altogether. */
static bool within(const bpi_lists *l, uint32_t id, span run)
{
  const bpi_column_list *a = &l->list[id];
  return a->n > 0 && l->item[a->start] >= run.lo && l->item[a->start + a->n - 1] < run.hi;
}

/* The run as a list: one of two that say it already, or a new one. */
static uint32_t run_list(bpi_lists *l, span s, uint32_t a, uint32_t b)
{
  int32_t n = (int32_t)(s.hi - s.lo);
  if (is_run(l, a) && l->list[a].start == s.lo && l->list[a].n == n)
    return a;
  if (is_run(l, b) && l->list[b].start == s.lo && l->list[b].n == n)
    return b;
  return room(l, 0) ? add(l, s.lo, n) : 0;
}

static uint32_t merge(bpi_lists *l, uint32_t a, uint32_t b)
{
  if (is_run(l, a) && is_run(l, b)) {
    span s = span_of(l, a);
    if (join_spans(l, &s, span_of(l, b)))
      return run_list(l, s, a, b);
  }
  bool b_in_a = is_run(l, a) && within(l, b, span_of(l, a));
  if (b_in_a || (is_run(l, b) && within(l, a, span_of(l, b)))) {
    l->overlap = true;
    return b_in_a ? a : b;
  }
  int32_t na = l->list[a].n, nb = l->list[b].n, n = 0, i = 0, j = 0;
  if (!room(l, (int64_t)na + nb))
    return 0;
  const int32_t *x = l->item + l->list[a].start, *y = l->item + l->list[b].start;
  int32_t *to = l->item + l->n_items;
  while (i < na && j < nb) {
    int32_t v = x[i], w = y[j];
    to[n++] = v < w ? v : w;
    i += v <= w;
    j += w <= v;
  }
  memcpy(to + n, x + i, (size_t)(na - i) * sizeof *to);
  n += na - i;
  memcpy(to + n, y + j, (size_t)(nb - j) * sizeof *to);
  n += nb - j;
  l->overlap = l->overlap || n < na + nb;
  return n == na ? a : n == nb ? b : keep(l, n);
}

/* Rows that repeat what the row before joined are common: broadcasting makes them. */
uint32_t bpi_lists_join(bpi_lists *l, uint32_t a, uint32_t b)
{
  if (a == 0 || b == 0)
    return a ? a : b;
  if (a == b) {
    l->overlap = true;
    return a;
  }
  if (!l->last_join || a != l->last_a || b != l->last_b) {
    l->last_a = a;
    l->last_b = b;
    bool before = l->overlap;
    l->overlap = false;
    l->last_join = merge(l, a, b);
    l->last_overlap = l->overlap;
    l->overlap = before;
  }
  l->overlap = l->overlap || l->last_overlap;
  return l->last_join;
}

/* ---- many: a column that was not seen in this join goes behind the items ---- */

void bpi_join_begin(bpi_lists *l)
{
  l->held = l->largest = 0;
  l->joined = 0;
  l->run_hi = 0;
  l->ascending = true;
}

static void take(bpi_lists *l, int64_t start, int32_t n)
{
  if (!room(l, (int64_t)l->joined + n))
    return;
  const int32_t *from = l->item + start;
  int32_t *to = l->item + l->n_items, m = l->joined;
  for (int32_t i = 0; i < n; i++)
    if (l->seen[from[i]] != l->now) {
      l->seen[from[i]] = l->now;
      l->ascending = l->ascending && (m == 0 || to[m - 1] < from[i]);
      to[m++] = from[i];
    }
  l->overlap = l->overlap || m - l->joined < n;
  l->joined = m;
}

static void fresh_stamp(bpi_lists *l)
{
  if (++l->now)
    return;
  memset(l->seen, 0, ((size_t)l->cols + 1) * sizeof *l->seen); /* the stamps are used up */
  l->now = 1;
}

/* Most joins are of one list, which is only held; many are of runs that meet. Columns are gathered where neither is so. */
void bpi_join_add(bpi_lists *l, uint32_t id)
{
  if (id == 0)
    return;
  if (id == l->held) {
    l->overlap = true;
    return;
  }
  if (l->list[id].n > l->list[l->largest].n)
    l->largest = id;
  if (l->joined == 0) {
    bool first = l->held == 0, run = l->run_hi > 0 || is_run(l, l->held);
    span s = l->run_hi > 0 ? (span){l->run_lo, l->run_hi} : span_of(l, l->held);
    bool inside = !first && run && within(l, id, s);
    l->overlap = l->overlap || inside;
    if (inside || (!first && run && is_run(l, id) && join_spans(l, &s, span_of(l, id)))) {
      l->run_lo = s.lo;
      l->run_hi = s.hi;
    } else if (!first) {
      fresh_stamp(l);
      take(l, s.lo, (int32_t)(s.hi - s.lo));
      take(l, l->list[id].start, l->list[id].n);
    }
  } else {
    take(l, l->list[id].start, l->list[id].n);
  }
  l->held = id;
}

int64_t bpi_join_count(const bpi_lists *l)
{
  return l->joined > 0 ? l->joined : l->run_hi > 0 ? l->run_hi - l->run_lo : l->list[l->held].n;
}

static int ascending(const void *a, const void *b, const void *arg)
{
  (void)arg;
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return x < y ? -1 : x > y;
}

/* Shell sort, gaps by Ciura 2001: without a call for each comparison, and quick where parts are sorted already. */
static void sort_few(int32_t *v, int32_t n)
{
  static const int32_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
  for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
    for (int32_t i = gaps[g]; i < n; i++) {
      int32_t x = v[i], k = i;
      for (; k >= gaps[g] && v[k - gaps[g]] > x; k -= gaps[g])
        v[k] = v[k - gaps[g]];
      v[k] = x;
    }
}

/* Columns that lie close are read off the stamps in order; others are sorted. */
static void put_in_order(bpi_lists *l)
{
  int32_t *v = l->item + l->n_items, n = l->joined, lo = v[0], hi = v[0];
  for (int32_t i = 1; i < n; i++) {
    lo = v[i] < lo ? v[i] : lo;
    hi = v[i] > hi ? v[i] : hi;
  }
  if ((hi - lo) / SPARSE_RANGE <= n) {
    n = 0;
    for (int32_t j = lo; j <= hi; j++)
      if (l->seen[j] == l->now)
        v[n++] = j;
  } else if (n <= FEW) {
    sort_few(v, n);
  } else {
    bpi_sort(v, (size_t)n, sizeof *v, ascending, NULL);
  }
}

uint32_t bpi_join_end(bpi_lists *l)
{
  if (l->status != BP_OK)
    return 0;
  if (l->joined == 0)
    return l->run_hi > 0 ? run_list(l, (span){l->run_lo, l->run_hi}, l->largest, l->held) : l->held;
  if (l->joined == l->list[l->largest].n)
    return l->largest;
  if (!l->ascending)
    put_in_order(l);
  return keep(l, l->joined);
}

/* Sorted lists of columns, kept once. */
#include "autodiff/lists.h"
#include "base/sort.h"

#include <string.h>

enum { FEW = 24, SPARSE_RANGE = 16 };

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
  l->list[0] = (bpi_list){0, 0};
  for (int32_t j = 0; j < l->cols; j++) {
    l->item[j] = j;
    l->list[j + 1] = (bpi_list){j, 1};
  }
  l->n_items = cols;
  l->n_lists = (size_t)cols + 1;
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
             bpi_fail(BP_E_LIMIT, "the pattern of the Jacobian needs more than the %lld entries allowed",
                      (long long)l->limit);
}

/* Room behind n_items for n more items, and for one more list. */
static bool room(bpi_lists *l, int64_t n)
{
  if (l->status != BP_OK)
    return false;
  if (l->n_items + n > l->limit + l->cols || l->n_lists >= UINT32_MAX) {
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

static uint32_t keep(bpi_lists *l, int32_t n)
{
  l->list[l->n_lists] = (bpi_list){l->n_items, n};
  l->n_items += n;
  return (uint32_t)l->n_lists++;
}

/* ---- two ---- */

static uint32_t merge(bpi_lists *l, uint32_t a, uint32_t b)
{
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
  l->last_overlap = n < na + nb;
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
    l->last_join = merge(l, a, b);
  }
  l->overlap = l->overlap || l->last_overlap;
  return l->last_join;
}

/* ---- many: a column that was not seen in this join goes behind the items ---- */

void bpi_join_begin(bpi_lists *l)
{
  l->held = l->largest = 0;
  l->joined = 0;
  l->ascending = true;
}

static void take(bpi_lists *l, uint32_t id)
{
  int32_t n = l->list[id].n;
  if (!room(l, (int64_t)l->joined + n))
    return;
  const int32_t *from = l->item + l->list[id].start;
  int32_t *to = l->item + l->n_items, m = l->joined;
  for (int32_t i = 0; i < n; i++)
    if (l->seen[from[i]] != l->now) {
      l->seen[from[i]] = l->now;
      l->ascending = l->ascending && (m == 0 || to[m - 1] < from[i]);
      to[m++] = from[i];
    }
  l->overlap = l->overlap || m - l->joined < n;
  l->joined = m;
  if (n > l->list[l->largest].n)
    l->largest = id;
}

/* The first list is only held: most joins are of one. */
void bpi_join_add(bpi_lists *l, uint32_t id)
{
  if (id == 0)
    return;
  if (id == l->held) {
    l->overlap = true;
    return;
  }
  if (l->held == 0 && l->joined == 0) {
    l->held = id;
    return;
  }
  if (l->joined == 0) {
    if (++l->now == 0) { /* the stamps are used up */
      memset(l->seen, 0, ((size_t)l->cols + 1) * sizeof *l->seen);
      l->now = 1;
    }
    take(l, l->held);
  }
  l->held = id;
  take(l, id);
}

static int ascending(const void *a, const void *b, const void *arg)
{
  (void)arg;
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return x < y ? -1 : x > y;
}

static void insert(int32_t *v, int32_t n)
{
  for (int32_t i = 1; i < n; i++) {
    int32_t x = v[i], k = i;
    for (; k > 0 && v[k - 1] > x; k--)
      v[k] = v[k - 1];
    v[k] = x;
  }
}

/* Few are inserted; columns that lie close are read off the stamps in order; others are sorted. */
static void put_in_order(bpi_lists *l)
{
  int32_t *v = l->item + l->n_items, n = l->joined, lo = v[0], hi = v[0];
  for (int32_t i = 1; i < n; i++) {
    lo = v[i] < lo ? v[i] : lo;
    hi = v[i] > hi ? v[i] : hi;
  }
  if (n <= FEW) {
    insert(v, n);
  } else if ((hi - lo) / SPARSE_RANGE <= n) {
    n = 0;
    for (int32_t j = lo; j <= hi; j++)
      if (l->seen[j] == l->now)
        v[n++] = j;
  } else {
    bpi_sort(v, (size_t)n, sizeof *v, ascending, NULL);
  }
}

uint32_t bpi_join_end(bpi_lists *l)
{
  if (l->status != BP_OK)
    return 0;
  if (l->joined == 0)
    return l->held;
  if (l->joined == l->list[l->largest].n)
    return l->largest;
  if (!l->ascending)
    put_in_order(l);
  return keep(l, l->joined);
}

/* Memory: lifetimes, results written over dying inputs, and offsets in the block.
 *
 * Values that share one room from birth to death are an item. Items get offsets twice: in the order of their births, each in the
 * smallest hole that fits; and, where there are few, in the order of their sizes, each in the lowest place that is free all its
 * life. The smaller block wins. */
#include "plan/draft.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 64, FEW_ITEMS = 1024 };

typedef struct item {
  uint32_t first, last;
  size_t bytes, offset;
  uint32_t next_birth, next_death; /* lists, item + 1 */
} item;

typedef struct hole {
  size_t offset, bytes;
} hole;

typedef struct placer {
  bpi_draft *d;
  uint32_t *item_of; /* of each root, + 1 */
  item *items;
  size_t n_items;
  uint32_t *births, *deaths; /* of each position: first item, + 1 */
  hole *holes;               /* ascending */
  size_t n_holes, holes_cap, end;
  uint32_t *small[3]; /* free pieces of 8, 16, 32 bytes: offsets / 8 */
  size_t n_small[3], small_cap[3];
} placer;

/* ---- lifetimes ---- */

static void lives(bpi_draft *d)
{
  for (size_t i = 1; i < d->n_roots; i++) {
    d->roots[i].first = UINT32_MAX;
    d->roots[i].last = 0;
  }
  for (size_t pos = 0; pos < d->n_order; pos++) {
    const bpi_ins *ins = &d->ins[d->order[pos]];
    for (uint32_t k = 0; k < ins->n_in + ins->n_out; k++) {
      uint32_t root = k < ins->n_in ? d->refs[ins->in + k].root : d->results[ins->out + k - ins->n_in];
      bpi_root *top = &d->roots[bpi_top(d, root)];
      top->first = pos < top->first ? (uint32_t)pos : top->first;
      top->last = (uint32_t)pos;
    }
  }
  for (size_t i = 1; i < d->n_roots; i++) {
    bpi_root *r = &d->roots[i];
    if (r->keep) {
      r->first = r->first == UINT32_MAX ? 0 : r->first;
      r->last = (uint32_t)d->n_order;
    } else if (bpi_faulty(d, BPI_FAULT_short_life) && r->last > r->first) {
      r->last--;
    }
  }
}

/* ---- items ---- */

static bool needs_room(const bpi_draft *d, uint32_t root)
{
  const bpi_root *r = &d->roots[root];
  return root && r->segment == BPI_BLOCK && !r->parent && r->first != UINT32_MAX;
}

static void new_item(placer *p, uint32_t root)
{
  const bpi_root *r = &p->d->roots[root];
  p->items[p->n_items++] = (item){.first = r->first, .last = r->last, .bytes = r->bytes};
  p->item_of[root] = (uint32_t)p->n_items;
}

/* True if result k can take over the whole room of an input. */
static bool overlies(const bpi_draft *d, const bpi_ins *ins, uint32_t k, uint32_t root)
{
  const bpi_root *x = &d->roots[root], *y = &d->roots[d->results[ins->out + k]];
  return x->size == y->size && bpi_overwrites(d, ins, k, root, 0);
}

/* A dying input whose room result k can take over; 0 if there is none. */
static uint32_t dying_host(const placer *p, const bpi_ins *ins, uint32_t k, uint32_t pos)
{
  const bpi_draft *d = p->d;
  for (uint32_t i = 0; i < ins->n_in; i++) {
    uint32_t x = d->refs[ins->in + i].root;
    const bpi_root *r = &d->roots[x];
    bool dies = r->last == pos || bpi_faulty(d, BPI_FAULT_inplace_live);
    if (needs_room(d, x) && p->item_of[x] && dies && !r->keep && r->mark != pos + 1 && overlies(d, ins, k, x))
      return x;
  }
  return 0;
}

static void place_result(placer *p, const bpi_ins *ins, uint32_t k, uint32_t pos)
{
  bpi_draft *d = p->d;
  uint32_t root = d->results[ins->out + k], top = bpi_top(d, root);
  if (!needs_room(d, top) || p->item_of[top])
    return;
  uint32_t host = top == root && bpi_pass_on(d, BP_PASS_inplace) ? dying_host(p, ins, k, pos) : 0;
  if (!host) {
    new_item(p, top);
    return;
  }
  item *shared = &p->items[p->item_of[host] - 1];
  shared->last = d->roots[root].last > shared->last ? d->roots[root].last : shared->last;
  p->item_of[root] = p->item_of[host];
  d->roots[host].mark = pos + 1; /* taken */
  d->plan->done[BP_PASS_inplace]++;
}

/* ---- offsets in the order of births ---- */

static size_t rounded(size_t bytes)
{
  return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

/* SIZE_MAX: the block would be larger than memory can be. */
static size_t take_hole(placer *p, size_t bytes)
{
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < p->n_holes; i++)
    if (p->holes[i].bytes >= bytes && (best == SIZE_MAX || p->holes[i].bytes < p->holes[best].bytes))
      best = i;
  if (best != SIZE_MAX) {
    hole *h = &p->holes[best];
    size_t at = h->offset;
    h->offset += bytes;
    h->bytes -= bytes;
    if (!h->bytes)
      memmove(h, h + 1, (--p->n_holes - best) * sizeof *h);
    return at;
  }
  size_t at = p->end;
  if (p->n_holes && p->holes[p->n_holes - 1].offset + p->holes[p->n_holes - 1].bytes == p->end)
    at = p->holes[--p->n_holes].offset;
  if (bytes > PTRDIFF_MAX - LINE - at)
    return SIZE_MAX;
  p->end = at + bytes;
  return at;
}

static bp_status give_hole(placer *p, size_t offset, size_t bytes)
{
  size_t lo = 0, hi = p->n_holes;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (p->holes[mid].offset < offset)
      lo = mid + 1;
    else
      hi = mid;
  }
  bool below = lo > 0 && p->holes[lo - 1].offset + p->holes[lo - 1].bytes == offset;
  bool above = lo < p->n_holes && offset + bytes == p->holes[lo].offset;
  if (below) {
    p->holes[lo - 1].bytes += bytes + (above ? p->holes[lo].bytes : 0);
    if (above)
      memmove(&p->holes[lo], &p->holes[lo + 1], (--p->n_holes - lo) * sizeof(hole));
    return BP_OK;
  }
  if (above) {
    p->holes[lo] = (hole){offset, bytes + p->holes[lo].bytes};
    return BP_OK;
  }
  if (!bpi_grow(p->d->ctx, (void **)&p->holes, &p->holes_cap, p->n_holes, sizeof *p->holes))
    return bpi_nomem();
  memmove(&p->holes[lo + 1], &p->holes[lo], (p->n_holes++ - lo) * sizeof(hole));
  p->holes[lo] = (hole){offset, bytes};
  return BP_OK;
}

/* Arrays under a cache line live in pieces of 8, 16 or 32 bytes: in a graph of scalars eight share a line. */
static int small_class(size_t bytes)
{
  return bytes <= 8 ? 0 : bytes <= 16 ? 1 : bytes <= 32 ? 2 : -1;
}

static bp_status give_small(placer *p, int class, size_t offset)
{
  if (!bpi_grow(p->d->ctx, (void **)&p->small[class], &p->small_cap[class], p->n_small[class],
                sizeof(uint32_t)))
    return bpi_nomem();
  p->small[class][p->n_small[class]++] = (uint32_t)(offset / 8);
  return BP_OK;
}

static bp_status too_large(void)
{
  return bpi_fail(BP_E_LIMIT, "bp_plan_new: the block is too large");
}

static bp_status take_room(placer *p, item *it)
{
  int class = small_class(it->bytes);
  if (!it->bytes)
    return BP_OK;
  if (class < 0) {
    it->offset = take_hole(p, rounded(it->bytes));
    return it->offset == SIZE_MAX ? too_large() : BP_OK;
  }
  if (!p->n_small[class]) {
    size_t line = take_hole(p, LINE), piece = (size_t)8 << class;
    if (line / 8 > UINT32_MAX - 8)
      return too_large();
    for (size_t at = LINE; at; at -= piece) {
      bp_status s = give_small(p, class, line + at - piece);
      if (s != BP_OK)
        return s;
    }
  }
  it->offset = (size_t)p->small[class][--p->n_small[class]] * 8;
  return BP_OK;
}

static bp_status give_room(placer *p, const item *it)
{
  int class = small_class(it->bytes);
  if (!it->bytes)
    return BP_OK;
  return class < 0 ? give_hole(p, it->offset, rounded(it->bytes)) : give_small(p, class, it->offset);
}

static bp_status by_birth(placer *p, bool reuse)
{
  bp_status s = BP_OK;
  for (size_t i = p->n_items; i-- > 0;) {
    item *it = &p->items[i];
    it->next_birth = p->births[it->first];
    p->births[it->first] = (uint32_t)i + 1;
    it->next_death = p->deaths[it->last];
    p->deaths[it->last] = (uint32_t)i + 1;
  }
  for (size_t pos = 0; pos < p->d->n_order && s == BP_OK; pos++) {
    for (uint32_t i = p->births[pos]; i && s == BP_OK; i = p->items[i - 1].next_birth)
      s = take_room(p, &p->items[i - 1]);
    for (uint32_t i = p->deaths[pos]; i && s == BP_OK && reuse; i = p->items[i - 1].next_death) {
      s = give_room(p, &p->items[i - 1]);
      p->d->plan->done[BP_PASS_reuse]++;
    }
  }
  return s;
}

/* ---- offsets in the order of sizes ---- */

/* Larger first; of equal ones the earlier. */
static bool goes_before(const item *a, const item *b)
{
  return a->bytes != b->bytes ? a->bytes > b->bytes : a->first < b->first;
}

static void sort_items(item **a, size_t n)
{
  for (size_t i = 1; i < n; i++) {
    item *x = a[i];
    size_t k = i;
    for (; k && goes_before(x, a[k - 1]); k--)
      a[k] = a[k - 1];
    a[k] = x;
  }
}

/* The lowest offset where none of the items placed before, sorted by offset, is alive at the same time. */
static size_t lowest_free(item *const *placed, size_t n, const item *it)
{
  size_t at = 0;
  for (size_t k = 0; k < n; k++) {
    const item *o = placed[k];
    if (o->last < it->first || it->last < o->first)
      continue;
    if (o->offset >= at + rounded(it->bytes))
      break;
    at = o->offset + rounded(o->bytes) > at ? o->offset + rounded(o->bytes) : at;
  }
  return at;
}

/* Keeps the old offsets where the new block would be no smaller. */
static bp_status by_size(placer *p)
{
  size_t n = p->n_items, end = 0;
  if (n < 2 || n > FEW_ITEMS || p->end > PTRDIFF_MAX / FEW_ITEMS)
    return BP_OK;
  item **sorted = bpi_arena_alloc(&p->d->arena, n, sizeof(item *)),
       **placed = bpi_arena_alloc(&p->d->arena, n, sizeof(item *));
  size_t *old = bpi_arena_alloc(&p->d->arena, n, sizeof *old);
  if (!sorted || !placed || !old)
    return bpi_nomem();
  for (size_t i = 0; i < n; i++) {
    sorted[i] = &p->items[i];
    old[i] = p->items[i].offset;
  }
  sort_items(sorted, n);
  for (size_t i = 0; i < n; i++) {
    item *it = sorted[i];
    it->offset = lowest_free(placed, i, it);
    end = it->offset + rounded(it->bytes) > end ? it->offset + rounded(it->bytes) : end;
    size_t k = i;
    for (; k && placed[k - 1]->offset > it->offset; k--)
      placed[k] = placed[k - 1];
    placed[k] = it;
  }
  if (end < p->end)
    p->end = end;
  else
    for (size_t i = 0; i < n; i++)
      p->items[i].offset = old[i];
  return BP_OK;
}

/* ---- all of it ---- */

static bp_status placer_init(placer *p, bpi_draft *d)
{
  *p = (placer){.d = d};
  p->item_of = bpi_arena_alloc(&d->arena, d->n_roots, sizeof *p->item_of);
  p->items = bpi_arena_alloc(&d->arena, d->n_roots, sizeof *p->items);
  p->births = bpi_arena_alloc(&d->arena, d->n_order + 1, sizeof *p->births);
  p->deaths = bpi_arena_alloc(&d->arena, d->n_order + 1, sizeof *p->deaths);
  return p->item_of && p->items && p->births && p->deaths ? BP_OK : bpi_nomem();
}

static void make_items(placer *p)
{
  bpi_draft *d = p->d;
  for (size_t i = 0; i < d->n_roots; i++)
    d->roots[i].mark = 0;
  for (uint32_t pos = 0; pos < d->n_order; pos++) {
    const bpi_ins *ins = &d->ins[d->order[pos]];
    for (uint32_t k = 0; k < ins->n_out; k++)
      if (d->results[ins->out + k])
        place_result(p, ins, k, pos);
  }
  /* Rooms that are read but never made: of empty arrays, and where a fault is seeded. */
  for (uint32_t i = 1; i < d->n_roots; i++)
    if (needs_room(d, i) && !p->item_of[i])
      new_item(p, i);
}

bp_status bpi_place_values(bpi_draft *d)
{
  placer p;
  bp_status s = placer_init(&p, d);
  if (s != BP_OK)
    return s;
  lives(d);
  make_items(&p);
  bool reuse = bpi_pass_on(d, BP_PASS_reuse);
  s = by_birth(&p, reuse);
  if (s == BP_OK && reuse)
    s = by_size(&p);
  for (uint32_t i = 1; i < d->n_roots && s == BP_OK; i++)
    if (p.item_of[i])
      d->roots[i].offset = p.items[p.item_of[i] - 1].offset;
  d->plan->block_bytes = rounded(p.end);
  bpi_free(d->ctx, p.holes);
  for (int k = 0; k < 3; k++)
    bpi_free(d->ctx, p.small[k]);
  return s;
}

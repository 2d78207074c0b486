/* The order of the slots in each column. It starts as the circuit is read, from the outputs back along the pins from the top, which draws a
 * tree without any crossing; then each column is sorted by the medians of its neighbours, to and fro, and neighbours change places where
 * that saves crossings (Gansner, Koutsofios, North & Vo, A technique for drawing directed graphs, 1993). */
#include "base/sort.h"
#include "draw/sheet.h"

#include <string.h>

enum {
  SWEEPS = 24,
  PATIENCE = 4,       /* sweeps without a gain before giving up */
  SWAP_LINKS = 40000, /* a circuit with more links is not tried pair by pair */
  SWAP_PAIRS = 4096,  /* nor are two slots of more pairs of links */
  SWAP_ROUNDS = 8
};

/* ---- slots and links ---- */

static bool add_passing(bpi_sheet *s, uint32_t net, uint32_t layer, uint32_t left)
{
  if (!bpi_grow(s->ctx, (void **)&s->slot, &s->slots_cap, s->n_slots, sizeof *s->slot) ||
      !bpi_grow(s->ctx, (void **)&s->link, &s->links_cap, s->n_links, sizeof *s->link)) {
    bpi_sheet_fail(s, bpi_nomem());
    return false;
  }
  s->slot[s->n_slots] = (bpi_sheet_spot){.net = net, .layer = layer, .up = 7, .down = 7};
  s->link[s->n_links++] = (bpi_link){.left = left, .right = (uint32_t)s->n_slots++, .net = net};
  return true;
}

/* Pins in the order of their columns, so that each net grows to the right. */
static uint32_t *pins_by_layer(bpi_sheet *s)
{
  uint32_t *first = bpi_sheet_alloc(s, s->n_columns + 2, sizeof *first);
  uint32_t *by = bpi_sheet_alloc(s, s->n_pins + 1, sizeof *by);
  if (s->status != BP_OK)
    return NULL;
  for (size_t i = 0; i < s->n_pins; i++)
    first[s->cell[s->pin[i].cell].layer + 1]++;
  for (uint32_t i = 0; i < s->n_columns; i++)
    first[i + 1] += first[i];
  for (size_t i = 0; i < s->n_pins; i++)
    by[first[s->cell[s->pin[i].cell].layer]++] = (uint32_t)i;
  return by;
}

/* The room that a cell needs over and under its centre, with labels. */
static void cell_room(const bpi_sheet *s, const bpi_cell *c, bpi_sheet_spot *slot)
{
  slot->up = slot->down = c->h / 2 + 5;
  for (uint32_t i = 0; i < c->n_nets; i++) {
    const bpi_net *n = &s->net[c->first_net + i];
    double up = bpi_sheet_above(n) - n->dy, down = bpi_sheet_below(n->below) + n->dy;
    slot->up = up > slot->up ? up : slot->up;
    slot->down = down > slot->down ? down : slot->down;
  }
  for (uint32_t i = 0; i < c->n_pins; i++) {
    const bpi_pin *p = &s->pin[c->first_pin + i];
    double up = 8 - p->dy, down = bpi_sheet_below(p->below) + 2 + p->dy;
    slot->up = up > slot->up ? up : slot->up;
    slot->down = down > slot->down ? down : slot->down;
  }
}

static bool make_slots(bpi_sheet *s)
{
  uint32_t *by = pins_by_layer(s), *provider = bpi_sheet_alloc(s, s->n_nets + 1, sizeof *provider);
  s->slot = bpi_zalloc(s->ctx, s->n_cells + 1, sizeof *s->slot);
  s->link = bpi_zalloc(s->ctx, s->n_pins + 1, sizeof *s->link);
  if (s->status == BP_OK && (!s->slot || !s->link))
    bpi_sheet_fail(s, bpi_nomem());
  if (s->status != BP_OK)
    return false;
  s->n_slots = s->n_cells;
  s->slots_cap = s->n_cells + 1;
  s->n_links = s->n_pins;
  s->links_cap = s->n_pins + 1;
  for (size_t i = 0; i < s->n_cells; i++) {
    s->slot[i] = (bpi_sheet_spot){.net = BPI_NONE, .layer = s->cell[i].layer};
    cell_room(s, &s->cell[i], &s->slot[i]);
  }
  for (size_t i = 0; i < s->n_nets; i++)
    provider[i] = s->net[i].cell;
  for (size_t i = 0; i < s->n_pins; i++) {
    const bpi_pin *p = &s->pin[by[i]];
    while (s->slot[provider[p->net]].layer + 1 < s->cell[p->cell].layer) {
      if (!add_passing(s, p->net, s->slot[provider[p->net]].layer + 1, provider[p->net]))
        return false;
      provider[p->net] = (uint32_t)s->n_slots - 1;
    }
    s->link[by[i]] = (bpi_link){provider[p->net], p->cell, p->net};
  }
  return true;
}

static bool list_out(bpi_sheet *s)
{
  s->out_first = bpi_sheet_alloc(s, s->n_slots + 2, sizeof *s->out_first);
  s->out = bpi_sheet_alloc(s, s->n_links + 1, sizeof *s->out);
  if (s->status != BP_OK)
    return false;
  uint32_t *at = s->out_first + 1;
  for (size_t i = 0; i < s->n_links; i++)
    at[s->link[i].left + 1]++;
  for (size_t i = 0; i < s->n_slots; i++)
    at[i + 1] += at[i];
  for (size_t i = 0; i < s->n_links; i++)
    s->out[at[s->link[i].left]++] = (uint32_t)i;
  return true;
}

/* ---- the first order ---- */

/* Numbers slots as they are met from the outputs back, pin by pin from the top. */
static bool read_back(bpi_sheet *s, uint32_t *met)
{
  uint32_t *stack = bpi_sheet_alloc(s, s->n_links + s->n_slots + 1, sizeof *stack), n = 0, count = 0;
  if (s->status != BP_OK)
    return false;
  for (size_t i = s->n_slots; i-- > 0;)
    if (s->out_first[i] == s->out_first[i + 1])
      stack[n++] = (uint32_t)i;
  while (n) {
    uint32_t slot = stack[--n];
    if (met[slot])
      continue;
    met[slot] = ++count;
    for (uint32_t k = bpi_n_in(s, slot); k-- > 0;)
      if (!met[s->link[bpi_first_in(s, slot) + k].left])
        stack[n++] = s->link[bpi_first_in(s, slot) + k].left;
  }
  return true;
}

static bool first_order(bpi_sheet *s)
{
  uint32_t *met = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *met);
  uint32_t *by = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *by);
  s->order = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *s->order);
  s->column = bpi_sheet_alloc(s, s->n_columns + 1, sizeof *s->column);
  if (s->status != BP_OK || !read_back(s, met))
    return false;
  for (size_t i = 0; i < s->n_slots; i++) {
    by[met[i] - 1] = (uint32_t)i;
    s->column[s->slot[i].layer].n++;
  }
  for (uint32_t i = 1; i < s->n_columns; i++)
    s->column[i].first = s->column[i - 1].first + s->column[i - 1].n;
  for (uint32_t i = 0; i < s->n_columns; i++)
    s->column[i].n = 0;
  for (size_t i = 0; i < s->n_slots; i++) {
    bpi_sheet_spot *slot = &s->slot[by[i]];
    bpi_sheet_column *c = &s->column[slot->layer];
    slot->place = c->n;
    s->order[c->first + c->n++] = by[i];
  }
  return true;
}

/* ---- crossings ---- */

/* An end of a link: the place of its slot, and the offset there. */
typedef struct span {
  double left_dy, right_dy;
  uint32_t left, right;
} span;

static span span_of(const bpi_sheet *s, uint32_t link)
{
  const bpi_link *l = &s->link[link];
  return (span){bpi_link_from(s, l), bpi_link_to(s, link), s->slot[l->left].place, s->slot[l->right].place};
}

static int by_right(const void *a, const void *b, const void *arg)
{
  const span *x = a, *y = b;
  (void)arg;
  if (x->right != y->right)
    return x->right < y->right ? -1 : 1;
  if (x->right_dy != y->right_dy)
    return x->right_dy < y->right_dy ? -1 : 1;
  return x->left < y->left ? -1 : x->left > y->left;
}

static int by_left(const void *a, const void *b, const void *arg)
{
  const span *x = a, *y = b;
  (void)arg;
  if (x->left != y->left)
    return x->left < y->left ? -1 : 1;
  if (x->left_dy != y->left_dy)
    return x->left_dy < y->left_dy ? -1 : 1;
  return x->right < y->right ? -1 : x->right > y->right;
}

/* Inversions by a binary indexed tree over the order on the right (Barth, Juenger & Mutzel 2002). */
static uint64_t count_spans(span *spans, uint32_t *tree, uint32_t n)
{
  uint64_t crossings = 0;
  bpi_sort(spans, n, sizeof *spans, by_right, NULL);
  uint32_t rank = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t here = spans[i].right;
    double dy = spans[i].right_dy;
    bool new_end = i + 1 == n || spans[i + 1].right != here || spans[i + 1].right_dy != dy;
    spans[i].right = rank; /* ends that meet do not cross */
    spans[i].right_dy = 0;
    rank += new_end;
  }
  bpi_sort(spans, n, sizeof *spans, by_left, NULL);
  memset(tree, 0, (n + 1) * sizeof *tree);
  for (uint32_t i = 0, group = 0; i < n; i++) {
    /* Links that leave from one point do not cross: they are counted against those before, then entered together. */
    uint32_t above = 0;
    for (uint32_t k = spans[i].right + 1; k; k &= k - 1)
      above += tree[k];
    crossings += group - above;
    bool last = i + 1 == n || spans[i + 1].left != spans[i].left || spans[i + 1].left_dy != spans[i].left_dy;
    if (!last)
      continue;
    for (; group <= i; group++)
      for (uint32_t k = spans[group].right + 1; k <= n; k += k & -k)
        tree[k]++;
  }
  return crossings;
}

typedef struct scratch {
  span *spans;
  uint32_t *tree, *keep;
  struct medians *by;
} scratch;

static uint64_t crossings_in(const bpi_sheet *s, uint32_t column, span *spans, uint32_t *tree)
{
  const bpi_sheet_column *c = &s->column[column];
  uint32_t n = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t slot = s->order[c->first + i];
    for (uint32_t k = s->out_first[slot]; k < s->out_first[slot + 1]; k++)
      spans[n++] = span_of(s, s->out[k]);
  }
  return count_spans(spans, tree, n);
}

static uint64_t all_crossings(const bpi_sheet *s, const scratch *room)
{
  uint64_t n = 0;
  for (uint32_t i = 0; i + 1 < s->n_columns; i++)
    n += crossings_in(s, i, room->spans, room->tree);
  return n;
}

/* ---- sweeps of medians ---- */

typedef struct medians {
  double at;
  uint32_t place, slot;
} medians;

static int by_median(const void *a, const void *b, const void *arg)
{
  const medians *x = a, *y = b;
  (void)arg;
  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->place < y->place ? -1 : x->place > y->place;
}

/* Where a slot's neighbours on one side are: their mean place, with the offset as a fraction; -1 without any. */
static double neighbours(const bpi_sheet *s, uint32_t slot, bool right)
{
  double sum = 0;
  uint32_t first = right ? s->out_first[slot] : bpi_first_in(s, slot);
  uint32_t n = right ? s->out_first[slot + 1] - first : bpi_n_in(s, slot);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t link = right ? s->out[first + k] : first + k;
    span e = span_of(s, link);
    double dy = right ? e.right_dy : e.left_dy;
    sum += (right ? e.right : e.left) + dy / (1000 + (dy < 0 ? -dy : dy));
  }
  return n ? sum / n : -1;
}

static void sort_column(bpi_sheet *s, bpi_sheet_column *c, bool right, medians *by)
{
  double last = -1;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t slot = s->order[c->first + i];
    double at = neighbours(s, slot, right);
    last = at < 0 ? last : at; /* one without neighbours stays behind the one before it */
    by[i] = (medians){last, i, slot};
  }
  bpi_sort(by, c->n, sizeof *by, by_median, NULL);
  for (uint32_t i = 0; i < c->n; i++) {
    s->order[c->first + i] = by[i].slot;
    s->slot[by[i].slot].place = i;
  }
}

/* ---- neighbours change places ---- */

/* Crossings between the wires of two slots on one side when a lies over b. */
static uint64_t pair_crossings(const bpi_sheet *s, uint32_t a, uint32_t b, bool right)
{
  uint64_t n = 0;
  uint32_t fa = right ? s->out_first[a] : bpi_first_in(s, a),
           fb = right ? s->out_first[b] : bpi_first_in(s, b);
  uint32_t na = right ? s->out_first[a + 1] - fa : bpi_n_in(s, a);
  uint32_t nb = right ? s->out_first[b + 1] - fb : bpi_n_in(s, b);
  for (uint32_t i = 0; i < na && (uint64_t)na * nb <= SWAP_PAIRS; i++)
    for (uint32_t k = 0; k < nb; k++) {
      span x = span_of(s, right ? s->out[fa + i] : fa + i), y = span_of(s, right ? s->out[fb + k] : fb + k);
      uint32_t px = right ? x.right : x.left, py = right ? y.right : y.left;
      double dx = right ? x.right_dy : x.left_dy, dy = right ? y.right_dy : y.left_dy;
      n += px > py || (px == py && dx > dy);
    }
  return n;
}

static bool swap_pairs(bpi_sheet *s)
{
  bool gained = false;
  for (uint32_t column = 0; column < s->n_columns; column++) {
    bpi_sheet_column *c = &s->column[column];
    for (uint32_t i = 0; i + 1 < c->n; i++) {
      uint32_t *a = &s->order[c->first + i], *b = a + 1;
      uint64_t now = pair_crossings(s, *a, *b, true) + pair_crossings(s, *a, *b, false);
      if (!now || now <= pair_crossings(s, *b, *a, true) + pair_crossings(s, *b, *a, false))
        continue;
      uint32_t was = *a;
      *a = *b;
      *b = was;
      s->slot[*a].place = i;
      s->slot[*b].place = i + 1;
      gained = true;
    }
  }
  return gained;
}

/* ---- together ---- */

static void keep_order(bpi_sheet *s, uint32_t *keep, bool back)
{
  size_t bytes = s->n_slots * sizeof *keep;
  if (!back) {
    memcpy(keep, s->order, bytes);
    return;
  }
  memcpy(s->order, keep, bytes);
  for (uint32_t column = 0; column < s->n_columns; column++)
    for (uint32_t i = 0; i < s->column[column].n; i++)
      s->slot[s->order[s->column[column].first + i]].place = i;
}

static void sweep(bpi_sheet *s, const scratch *room, bool right)
{
  for (uint32_t i = 1; i < s->n_columns; i++)
    sort_column(s, &s->column[right ? s->n_columns - 1 - i : i], right, room->by);
}

static void improve(bpi_sheet *s, const scratch *room)
{
  bool small = s->n_links <= SWAP_LINKS;
  uint64_t best = all_crossings(s, room);
  keep_order(s, room->keep, false);
  for (int i = 0, idle = 0; i < SWEEPS && best && idle < PATIENCE; i++) {
    sweep(s, room, i % 2 == 0);
    for (int k = 0; small && k < SWAP_ROUNDS && swap_pairs(s); k++)
      ;
    uint64_t now = all_crossings(s, room);
    idle++;
    if (now < best) {
      best = now;
      idle = 0;
      keep_order(s, room->keep, false);
    }
  }
  keep_order(s, room->keep, true);
}

bp_status bpi_sheet_untangle(bpi_sheet *s)
{
  if (!make_slots(s) || !list_out(s) || !first_order(s))
    return s->status;
  scratch room = {.spans = bpi_sheet_alloc(s, s->n_links + 1, sizeof *room.spans),
                  .tree = bpi_sheet_alloc(s, s->n_links + 2, sizeof *room.tree),
                  .keep = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *room.keep),
                  .by = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *room.by)};
  if (s->status == BP_OK)
    improve(s, &room);
  return s->status;
}

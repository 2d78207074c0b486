/* Where everything lies. Down a column: each slot wants to be level with its neighbours, wires that pass more so than others, and all keep
 * the order and the room they need: the least sum of weighted squares under these bounds is found exactly, in linear time, by pooling
 * adjacent violators (Ayer et al. 1955). Columns are done in turn, to and fro. Across: each column is as wide as its widest cell,
 * followed by a zone for labels, one where wires bend, and one for the labels of branches.                                     */
#include "base/sort.h"
#include "draw/sheet.h"

#include <math.h>

enum { ROUNDS = 10 };
#define SLOT_GAP   8.0
#define ROW_GAP    36.0
#define LABEL_PAD  8.0 /* on both sides of a label */
#define BEND_LEAST 26.0
#define BEND_MOST  150.0

/* ---- down a column ---- */

/* A run of slots that lie one against another. */
typedef struct block {
  double sum, weight; /* of wishes, less the room above */
  uint32_t end;
} block;

typedef struct wish {
  double y, weight;
} wish;

static double link_weight(const bpi_sheet *s, const bpi_link *l)
{
  bool passing_left = l->left >= s->n_cells, passing_right = l->right >= s->n_cells;
  return passing_left && passing_right ? 8 : passing_left || passing_right ? 2 : 1;
}

static void wish_by(const bpi_sheet *s, uint32_t slot, bool right, wish *w)
{
  uint32_t first = right ? s->out_first[slot] : bpi_first_in(s, slot);
  uint32_t n = right ? s->out_first[slot + 1] - first : bpi_n_in(s, slot);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t i = right ? s->out[first + k] : first + k;
    const bpi_link *l = &s->link[i];
    double weight = link_weight(s, l), from = bpi_link_from(s, l), to = bpi_link_to(s, i);
    w->y += weight * (right ? s->slot[l->right].y + to - from : s->slot[l->left].y + from - to);
    w->weight += weight;
  }
}

/* Places the slots of a column as near to where their neighbours (left, right or both) want them as the room allows. */
static void settle(bpi_sheet *s, const bpi_sheet_column *c, bool left, bool right, block *blocks)
{
  uint32_t n = 0;
  double room = 0, before = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    const bpi_sheet_spot *slot = &s->slot[s->order[c->first + i]];
    wish w = {0};
    if (left)
      wish_by(s, s->order[c->first + i], false, &w);
    if (right)
      wish_by(s, s->order[c->first + i], true, &w);
    if (w.weight == 0)
      w = (wish){slot->y * 0.01, 0.01};
    room += i ? before + slot->up + SLOT_GAP : 0;
    before = slot->down;
    blocks[n++] = (block){w.y - w.weight * room, w.weight, i + 1};
    while (n > 1 && blocks[n - 2].sum * blocks[n - 1].weight > blocks[n - 1].sum * blocks[n - 2].weight) {
      blocks[n - 2].sum += blocks[n - 1].sum;
      blocks[n - 2].weight += blocks[n - 1].weight;
      blocks[n - 2].end = blocks[n - 1].end;
      n--;
    }
  }
  room = 0;
  for (uint32_t b = 0, i = 0; b < n; b++)
    for (; i < blocks[b].end; i++) {
      bpi_sheet_spot *slot = &s->slot[s->order[c->first + i]];
      room += i ? s->slot[s->order[c->first + i - 1]].down + slot->up + SLOT_GAP : 0;
      slot->y = blocks[b].sum / blocks[b].weight + room;
    }
}

static void pack(bpi_sheet *s, const bpi_sheet_column *c)
{
  double y = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    bpi_sheet_spot *slot = &s->slot[s->order[c->first + i]];
    y += slot->up + (i ? SLOT_GAP : 0);
    slot->y = y;
    y += slot->down;
  }
  for (uint32_t i = 0; i < c->n; i++)
    s->slot[s->order[c->first + i]].y -= y / 2;
}

static bool settle_all(bpi_sheet *s)
{
  block *blocks = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *blocks);
  uint32_t n = s->n_columns;
  if (!blocks)
    return false;
  for (uint32_t i = 0; i < n; i++)
    pack(s, &s->column[i]);
  for (int round = 0; round < ROUNDS; round++) {
    bool both = round >= ROUNDS / 2;
    for (uint32_t i = 1; i < n; i++)
      settle(s, &s->column[i], true, both, blocks);
    for (uint32_t i = n - 1; i-- > 0;)
      settle(s, &s->column[i], both, true, blocks);
  }
  for (uint32_t i = 1; i < n; i++)
    settle(s, &s->column[i], true, false, blocks);
  return true;
}

/* ---- empty stripes are taken out ---- */

typedef struct extent {
  double top, bottom;
} extent;

static int by_top(const void *a, const void *b, const void *arg)
{
  double x = ((const extent *)a)->top, y = ((const extent *)b)->top;
  (void)arg;
  return x < y ? -1 : x > y;
}

/* What a slot and the wires that come into it cover. */
static extent covered(const bpi_sheet *s, uint32_t slot)
{
  const bpi_sheet_spot *at = &s->slot[slot];
  extent e = {at->y - at->up, at->y + at->down};
  for (uint32_t k = 0; k < bpi_n_in(s, slot); k++) {
    const bpi_link *l = &s->link[bpi_first_in(s, slot) + k];
    double y = s->slot[l->left].y + bpi_link_from(s, l);
    e.top = fmin(e.top, y);
    e.bottom = fmax(e.bottom, y);
  }
  return e;
}

/* Parts of a row that have nothing to do with one another drift apart: they are moved together. */
static void close_gaps(bpi_sheet *s, uint32_t first, uint32_t last, extent *room)
{
  const uint32_t *slots = s->order + s->column[first].first;
  uint32_t n = s->column[last].first + s->column[last].n - s->column[first].first, islands = 0;
  for (uint32_t i = 0; i < n; i++)
    room[i] = covered(s, slots[i]);
  bpi_sort(room, n, sizeof *room, by_top, NULL);
  for (uint32_t i = 0; i < n; i++)
    if (islands && room[i].top <= room[islands - 1].bottom + SLOT_GAP)
      room[islands - 1].bottom = fmax(room[islands - 1].bottom, room[i].bottom);
    else
      room[islands++] = room[i];
  if (islands < 2)
    return;
  double closed = 0;
  for (uint32_t i = 0; i < islands; i++) { /* from here on, .bottom of an island is how far it moves up */
    double bottom = room[i].bottom;
    closed += i ? room[i].top - room[i - 1].top - SLOT_GAP : 0;
    room[i].bottom = closed;
    if (i + 1 < islands)
      room[i].top = bottom; /* and .top where it ends */
  }
  for (uint32_t i = 0; i < n; i++) {
    bpi_sheet_spot *slot = &s->slot[slots[i]];
    uint32_t lo = 0, hi = islands - 1;
    while (lo < hi) {
      uint32_t mid = (lo + hi) / 2;
      if (room[mid].top < slot->y)
        lo = mid + 1;
      else
        hi = mid;
    }
    slot->y -= room[lo].bottom;
  }
}

static void close_all_gaps(bpi_sheet *s)
{
  extent *room = bpi_sheet_alloc(s, s->n_slots + 1, sizeof *room);
  for (uint32_t row = 0; room && row < s->n_rows; row++)
    if (s->row_first[row] < s->row_first[row + 1])
      close_gaps(s, s->row_first[row], s->row_first[row + 1] - 1, room);
}

/* ---- across ---- */

static void measure_columns(bpi_sheet *s)
{
  for (size_t i = 0; i < s->n_cells; i++) {
    const bpi_cell *c = &s->cell[i];
    bpi_sheet_column *col = &s->column[c->layer];
    col->w = fmax(col->w, c->w);
    for (uint32_t k = 0; k < c->n_nets; k++) {
      double w = bpi_sheet_label_width(&s->net[c->first_net + k]);
      col->labels = fmax(col->labels, w > 0 ? w + 2 * LABEL_PAD : 10);
    }
    for (uint32_t k = 0; c->layer && k < c->n_pins; k++) {
      const char *below = s->pin[c->first_pin + k].below;
      double w = below ? bpi_text_width(below, BPI_LABEL_SIZE, BPI_ITALIC) + 2 * LABEL_PAD : 0;
      col[-1].pins = fmax(col[-1].pins, w + (bpi_cell_is_branched(s, c) && c->n_pins > 1 ? BPI_FAN_IN : 0));
    }
  }
  for (size_t i = 0; i < s->n_links; i++) {
    const bpi_link *l = &s->link[i];
    bpi_sheet_column *col = &s->column[s->slot[l->left].layer];
    double dy = fabs(s->slot[l->left].y + bpi_link_from(s, l) - s->slot[l->right].y - bpi_link_to(s, i));
    col->bend = fmax(col->bend, fmin(BEND_MOST, dy < 0.5 ? 4 : BEND_LEAST + dy / 4));
  }
}

/* The columns of a row beside one another, the rows one under another. */
static void set_rows(bpi_sheet *s)
{
  double top = 0;
  for (uint32_t row = 0; row < s->n_rows; row++) {
    double x = 0, lowest = -INFINITY, highest = INFINITY;
    for (uint32_t i = s->row_first[row]; i < s->row_first[row + 1]; i++) {
      bpi_sheet_column *col = &s->column[i];
      col->x = x;
      col->w = ceil(col->w);
      col->labels = ceil(col->labels);
      col->bend = ceil(col->bend);
      col->pins = ceil(col->pins);
      x += col->w + col->labels + col->bend + col->pins;
      for (uint32_t k = 0; k < col->n; k++) {
        const bpi_sheet_spot *slot = &s->slot[s->order[col->first + k]];
        highest = fmin(highest, slot->y - slot->up);
        lowest = fmax(lowest, slot->y + slot->down);
      }
    }
    double shift = top - floor(highest);
    for (uint32_t i = s->row_first[row]; i < s->row_first[row + 1]; i++)
      for (uint32_t k = 0; k < s->column[i].n; k++)
        s->slot[s->order[s->column[i].first + k]].y += shift;
    s->right = fmax(s->right, x);
    s->bottom = lowest + shift;
    top = ceil(s->bottom) + ROW_GAP;
  }
}

/* Names stand at their wires' ends, gates in the middle of their column. */
static void set_cells(bpi_sheet *s)
{
  for (size_t i = 0; i < s->n_cells; i++) {
    bpi_cell *c = &s->cell[i];
    const bpi_sheet_column *col = &s->column[c->layer];
    bool name = c->kind == BPI_CELL_INPUT || c->kind == BPI_CELL_OUTPUT || c->kind == BPI_CELL_TAG;
    c->y = s->slot[i].y;
    c->x = !name ? col->x + col->w / 2 : c->n_pins ? col->x + c->w / 2 : col->x + col->w - c->w / 2;
  }
}

bp_status bpi_sheet_coords(bpi_sheet *s)
{
  if (!settle_all(s))
    return s->status;
  close_all_gaps(s);
  measure_columns(s);
  set_rows(s);
  set_cells(s);
  return s->status;
}

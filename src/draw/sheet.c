/* Cells, pins and nets as they are listed; their sizes; the steps of the layout one after another. */
#include "draw/sheet.h"

#include <math.h>
#include <string.h>

void bpi_sheet_init(bpi_sheet *s, bp_ctx *ctx)
{
  memset(s, 0, sizeof *s);
  s->ctx = ctx;
  bpi_arena_init(&s->arena, ctx);
}

void bpi_sheet_free(bpi_sheet *s)
{
  for (size_t i = 0; i < s->n_cells; i++)
    if (s->cell[i].inner)
      bpi_sheet_free(s->cell[i].inner);
  bpi_free(s->ctx, s->cell);
  bpi_free(s->ctx, s->pin);
  bpi_free(s->ctx, s->net);
  bpi_free(s->ctx, s->slot);
  bpi_free(s->ctx, s->link);
  bpi_arena_free(&s->arena);
}

bp_status bpi_sheet_fail(bpi_sheet *s, bp_status status)
{
  if (s->status == BP_OK)
    s->status = status;
  return s->status;
}

void *bpi_sheet_alloc(bpi_sheet *s, size_t n, size_t size)
{
  void *p = bpi_arena_alloc(&s->arena, n, size);
  if (!p)
    bpi_sheet_fail(s, bpi_nomem());
  return p;
}

const char *bpi_sheet_text(bpi_sheet *s, const char *text)
{
  const char *copy = text ? bpi_clean_text(&s->arena, text) : NULL;
  if (text && !copy)
    bpi_sheet_fail(s, bpi_nomem());
  return copy;
}

const char *bpi_sheet_keep(bpi_sheet *s, bpi_text *t)
{
  const char *text = t->failed ? NULL : bpi_sheet_text(s, t->s ? t->s : "");
  if (t->failed)
    bpi_sheet_fail(s, bpi_nomem());
  bpi_text_free(t);
  return text;
}

/* Room for one more; false when the sheet has failed. */
static bool grow(bpi_sheet *s, void *items, size_t *cap, size_t n, size_t size)
{
  if (s->status == BP_OK && !bpi_grow(s->ctx, items, cap, n, size))
    bpi_sheet_fail(s, bpi_nomem());
  return s->status == BP_OK;
}

uint32_t bpi_sheet_cell(bpi_sheet *s, bpi_cell_kind kind, const char *text)
{
  if (!grow(s, &s->cell, &s->cells_cap, s->n_cells, sizeof *s->cell))
    return BPI_NONE;
  s->cell[s->n_cells] = (bpi_cell){.kind = kind,
                                   .line = {bpi_sheet_text(s, text)},
                                   .first_pin = (uint32_t)s->n_pins,
                                   .first_net = (uint32_t)s->n_nets};
  return (uint32_t)s->n_cells++;
}

uint32_t bpi_sheet_pin(bpi_sheet *s, uint32_t net)
{
  if (!grow(s, &s->pin, &s->pins_cap, s->n_pins, sizeof *s->pin))
    return BPI_NONE;
  s->pin[s->n_pins] = (bpi_pin){.cell = (uint32_t)s->n_cells - 1, .net = net};
  s->cell[s->n_cells - 1].n_pins++;
  return (uint32_t)s->n_pins++;
}

uint32_t bpi_sheet_net(bpi_sheet *s)
{
  if (!grow(s, &s->net, &s->nets_cap, s->n_nets, sizeof *s->net))
    return BPI_NONE;
  s->net[s->n_nets] = (bpi_net){.cell = (uint32_t)s->n_cells - 1};
  s->cell[s->n_cells - 1].n_nets++;
  return (uint32_t)s->n_nets++;
}

/* ---- sizes ---- */

double bpi_sheet_above(const bpi_net *n)
{
  int lines = (n->above[0] != NULL) + (n->above[0] && n->above[1]);
  return lines ? BPI_OVER + BPI_FONT_ASCENT * BPI_LABEL_SIZE + (lines - 1) * BPI_LINE_STEP : 0;
}

double bpi_sheet_below(const char *below)
{
  return below ? BPI_UNDER + BPI_FONT_DESCENT * BPI_LABEL_SIZE : 0;
}

double bpi_sheet_label_width(const bpi_net *n)
{
  double w = n->below ? bpi_text_width(n->below, BPI_LABEL_SIZE, BPI_ITALIC) : 0;
  for (int i = 0; i < BPI_LABEL_LINES && n->above[i]; i++)
    w = fmax(w, bpi_text_width(n->above[i], BPI_LABEL_SIZE, n->strong ? BPI_BOLD : 0));
  return w;
}

/* Of the text of each kind: its size, the room around it, and the least extent of the whole. */
static const struct {
  double size, pad_x, pad_y, least;
} shape_of[] = {
    [BPI_CELL_INPUT] = {15, 3, 3, 0},    [BPI_CELL_GATE] = {14, 8, 9, 38},
    [BPI_CELL_BUNDLE] = {14, 12, 9, 38}, [BPI_CELL_STACK] = {14, 14, 10, 44},
    [BPI_CELL_FRAME] = {12, 12, 8, 40},  [BPI_CELL_TAG] = {11, 7, 4, 0},
    [BPI_CELL_OUTPUT] = {15, 3, 3, 0},
};
#define SECOND_SIZE 10.5 /* of lines under the first */

enum {
  CIRCLE_PINS = 3, /* more do not fit on a circle, */
  CIRCLE_MOST = 56 /* nor does a wider text in one of this diameter */
};
#define PIN_STEP    16.0 /* from pin to pin, */
#define BRANCH_STEP 30.0 /* where each has a label */
#define NET_GAP     6.0  /* between labels of results of one cell */

double bpi_cell_text_size(const bpi_cell *c, int line)
{
  return line ? SECOND_SIZE : shape_of[c->kind].size;
}

unsigned bpi_cell_text_style(const bpi_cell *c, int line)
{
  return c->strong && !line ? BPI_BOLD : 0;
}

static double text_extent(const bpi_cell *c, double *height)
{
  double w = 0;
  *height = 0;
  for (int i = 0; i < BPI_CELL_LINES && c->line[i]; i++) {
    double size = bpi_cell_text_size(c, i);
    w = fmax(w, bpi_text_width(c->line[i], size, bpi_cell_text_style(c, i)));
    *height += i ? size + 3 : size;
  }
  return w;
}

bool bpi_cell_is_circle(const bpi_cell *c)
{
  return c->kind == BPI_CELL_GATE && c->w == c->h;
}

bool bpi_cell_is_branched(const bpi_sheet *s, const bpi_cell *c)
{
  for (uint32_t i = 0; i < c->n_pins; i++)
    if (s->pin[c->first_pin + i].below)
      return true;
  return false;
}

/* Places the pins of a cell evenly. Returns the height that they need. */
static double spread_pins(bpi_sheet *s, const bpi_cell *c)
{
  bpi_pin *pin = s->pin + c->first_pin;
  double step = bpi_cell_is_branched(s, c) ? BRANCH_STEP : PIN_STEP;
  for (uint32_t i = 0; i < c->n_pins; i++)
    pin[i].dy = (i - (c->n_pins - 1) / 2.0) * step;
  return c->n_pins > 1 ? (c->n_pins - 1) * step : 0;
}

/* Places the results of a cell, each with room for its labels. Returns the height that they need. */
static double spread_nets(bpi_sheet *s, const bpi_cell *c)
{
  bpi_net *net = s->net + c->first_net;
  double at = 0;
  if (c->n_nets < 2)
    return 0;
  for (uint32_t i = 0; i < c->n_nets; i++) {
    at += i ? fmax(bpi_sheet_above(&net[i]), PIN_STEP / 2) + NET_GAP : 0;
    net[i].dy = at;
    at += i + 1 < c->n_nets ? fmax(bpi_sheet_below(net[i].below), PIN_STEP / 2) : 0;
  }
  for (uint32_t i = 0; i < c->n_nets; i++)
    net[i].dy -= at / 2;
  return at;
}

static void size_of(bpi_sheet *s, bpi_cell *c)
{
  double text_h, text_w = text_extent(c, &text_h), pad_x = shape_of[c->kind].pad_x,
                 pad_y = shape_of[c->kind].pad_y, least = shape_of[c->kind].least;
  double pins = spread_pins(s, c), nets = spread_nets(s, c);
  bool one_line = !c->line[0] || !c->line[1];
  double diameter = fmax(least, text_w + pad_x);
  c->w = fmax(least, text_w + 2 * pad_x);
  c->h = fmax(fmax(least, text_h + 2 * pad_y), nets + PIN_STEP);
  if (c->kind == BPI_CELL_GATE && one_line && c->n_pins <= CIRCLE_PINS && c->n_nets <= 1 &&
      diameter <= CIRCLE_MOST)
    c->w = c->h = diameter;
  else if (c->kind != BPI_CELL_INPUT)
    c->h = fmax(c->h, pins + PIN_STEP);
}

bpi_point bpi_frame_inset(void)
{
  return (bpi_point){shape_of[BPI_CELL_FRAME].pad_x, 20};
}

/* A frame is as large as what is in it, and its wires go on inside at the same height. */
static void size_of_frame(bpi_sheet *s, bpi_cell *c)
{
  const bpi_sheet *in = c->inner;
  bpi_point inset = bpi_frame_inset();
  double text_h;
  c->w = fmax(in->right, text_extent(c, &text_h)) + 2 * inset.x;
  c->h = in->bottom + inset.y + shape_of[c->kind].pad_y;
  uint32_t pin = 0, net = 0;
  for (size_t i = 0; i < in->n_cells; i++) {
    double dy = in->cell[i].y + inset.y - c->h / 2;
    if (in->cell[i].kind == BPI_CELL_INPUT && pin < c->n_pins)
      s->pin[c->first_pin + pin++].dy = dy;
    else if (in->cell[i].kind == BPI_CELL_OUTPUT && net < c->n_nets)
      s->net[c->first_net + net++].dy = dy;
  }
}

void bpi_sheet_sizes(bpi_sheet *s)
{
  for (size_t i = 0; i < s->n_cells; i++)
    if (s->cell[i].inner)
      size_of_frame(s, &s->cell[i]);
    else
      size_of(s, &s->cell[i]);
}

/* ---- the steps ---- */

bp_status bpi_sheet_layout(bpi_sheet *s)
{
  for (size_t i = 0; i < s->n_cells && s->status == BP_OK; i++)
    if (s->cell[i].inner) {
      s->cell[i].inner->tags = s->tags; /* a number means one wire of the whole picture */
      bpi_sheet_fail(s, bpi_sheet_layout(s->cell[i].inner));
      s->tags = s->cell[i].inner->tags;
    }
  if (s->status != BP_OK)
    return s->status;
  bpi_sheet_sizes(s);
  if (bpi_sheet_layers(s) == BP_OK && bpi_sheet_untangle(s) == BP_OK)
    bpi_sheet_coords(s);
  return s->status;
}

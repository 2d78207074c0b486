/* The column of each cell. Cells go as far left as what they depend on allows, then where wires get shortest; a long circuit is broken into
 * rows, as a text into lines; and a wire that would reach far, or into another row, is cut: it ends in a tag, and goes on from a
 * copy of the tag (of the name, if it comes from an input) beside who uses it. So the room that passing wires need stays linear. */
#include "draw/sheet.h"

#include <math.h>
#include <string.h>

enum {
  REACH = 10, /* most columns that a wire goes through, */
  NEAR = 7,   /* and an input that is used no further right stands in the first column */
  TIGHTEN_ROUNDS = 3,
  BREAK_WINDOW = 4 /* columns before the end of a row among which the best break is looked for */
};
#define ROW_LEAST  1500.0 /* a circuit no wider than this is one row */
#define ROW_ASPECT 1.7    /* of the whole */
#define BEND_GUESS 64.0   /* width of a zone where wires bend, before it is known */

typedef struct layering {
  bpi_sheet *s;
  uint32_t *topo;              /* cells, sources first */
  uint32_t *sink, *sink_first; /* pins by net */
  uint32_t n_layers;
} layering;

/* ---- who uses what ---- */

/* Lists pins by net; of each net in the order of `by`, which lists all pins (NULL: in their own order). */
static bool list_sinks(layering *l, const uint32_t *by)
{
  bpi_sheet *s = l->s;
  if (!l->sink) {
    l->sink = bpi_sheet_alloc(s, s->n_pins + 1, sizeof *l->sink);
    l->sink_first = bpi_sheet_alloc(s, s->n_nets + 2, sizeof *l->sink_first);
  }
  if (s->status != BP_OK)
    return false;
  memset(l->sink_first, 0, (s->n_nets + 2) * sizeof *l->sink_first);
  uint32_t *at = l->sink_first + 1; /* one on, so that filling moves each to its place */
  for (size_t i = 0; i < s->n_pins; i++)
    at[s->pin[i].net + 1]++;
  for (size_t i = 0; i < s->n_nets; i++)
    at[i + 1] += at[i];
  for (size_t i = 0; i < s->n_pins; i++) {
    uint32_t pin = by ? by[i] : (uint32_t)i;
    l->sink[at[s->pin[pin].net]++] = pin;
  }
  return true;
}

static bool sort_topologically(layering *l)
{
  bpi_sheet *s = l->s;
  uint32_t *waits = bpi_sheet_alloc(s, s->n_cells + 1, sizeof *waits), n = 0;
  l->topo = bpi_sheet_alloc(s, s->n_cells + 1, sizeof *l->topo);
  if (s->status != BP_OK)
    return false;
  for (size_t i = 0; i < s->n_cells; i++) {
    waits[i] = s->cell[i].n_pins;
    if (!waits[i])
      l->topo[n++] = (uint32_t)i;
  }
  for (uint32_t i = 0; i < n; i++) {
    const bpi_cell *c = &s->cell[l->topo[i]];
    for (uint32_t k = l->sink_first[c->first_net]; k < l->sink_first[c->first_net + c->n_nets]; k++) {
      uint32_t user = s->pin[l->sink[k]].cell;
      if (--waits[user] == 0)
        l->topo[n++] = user;
    }
  }
  if (n < s->n_cells)
    bpi_sheet_fail(s, bpi_fail(BP_E_GRAPH, "a circuit cannot be drawn: its wires go in a circle"));
  return s->status == BP_OK;
}

/* ---- columns ---- */

static void longest_paths(layering *l)
{
  bpi_sheet *s = l->s;
  for (size_t i = 0; i < s->n_cells; i++) {
    bpi_cell *c = &s->cell[l->topo[i]];
    c->layer = 0;
    for (uint32_t k = 0; k < c->n_pins; k++) {
      uint32_t before = s->cell[s->net[s->pin[c->first_pin + k].net].cell].layer + 1;
      c->layer = before > c->layer ? before : c->layer;
    }
    l->n_layers = c->layer + 1 > l->n_layers ? c->layer + 1 : l->n_layers;
  }
}

/* The column before the first one where a result of c is used; n_layers - 1 without use. */
static uint32_t latest(const layering *l, const bpi_cell *c)
{
  uint32_t layer = l->n_layers;
  for (uint32_t k = l->sink_first[c->first_net]; k < l->sink_first[c->first_net + c->n_nets]; k++) {
    uint32_t used = l->s->cell[l->s->pin[l->sink[k]].cell].layer;
    layer = used < layer ? used : layer;
  }
  return layer - 1;
}

/* Moves cells with fewer wires on their left than on their right as far right as they may go: that makes wires shorter. */
static void tighten(layering *l)
{
  bpi_sheet *s = l->s;
  for (int round = 0; round < TIGHTEN_ROUNDS; round++)
    for (size_t i = s->n_cells; i-- > 0;) {
      bpi_cell *c = &s->cell[l->topo[i]];
      if (c->n_nets && c->n_pins && c->n_pins <= c->n_nets)
        c->layer = latest(l, c);
    }
}

static void place_inputs(layering *l)
{
  for (size_t i = 0; i < l->s->n_cells; i++) {
    bpi_cell *c = &l->s->cell[i];
    if (c->n_pins || l->s->framed)
      continue;
    uint32_t last = latest(l, c);
    c->layer = last >= NEAR || c->kind != BPI_CELL_INPUT ? last : 0;
    if (!c->n_nets || l->sink_first[c->first_net] == l->sink_first[c->first_net + c->n_nets])
      c->layer = 0;
  }
}

static void place_outputs(layering *l)
{
  for (size_t i = 0; i < l->s->n_cells; i++)
    if (l->s->framed && l->s->cell[i].kind == BPI_CELL_OUTPUT)
      l->s->cell[i].layer = l->n_layers - 1;
}

/* ---- rows ---- */

typedef struct row_plan {
  double *width, *height; /* of each column, about */
  uint32_t *passing;      /* wires between a column and the next (differences while they are counted) */
} row_plan;

static bool measure(layering *l, row_plan *r)
{
  bpi_sheet *s = l->s;
  r->width = bpi_sheet_alloc(s, l->n_layers, sizeof *r->width);
  r->height = bpi_sheet_alloc(s, l->n_layers, sizeof *r->height);
  r->passing = bpi_sheet_alloc(s, l->n_layers + 1, sizeof *r->passing);
  double *labels = bpi_sheet_alloc(s, l->n_layers, sizeof *labels);
  if (s->status != BP_OK)
    return false;
  for (size_t i = 0; i < s->n_cells; i++) {
    const bpi_cell *c = &s->cell[i];
    r->width[c->layer] = fmax(r->width[c->layer], c->w);
    r->height[c->layer] += c->h + 14;
    for (uint32_t k = 0; k < c->n_nets; k++) {
      const bpi_net *net = &s->net[c->first_net + k];
      labels[c->layer] = fmax(labels[c->layer], bpi_sheet_label_width(net));
      uint32_t end = c->layer;
      for (uint32_t m = l->sink_first[c->first_net + k]; m < l->sink_first[c->first_net + k + 1]; m++) {
        uint32_t user = s->cell[s->pin[l->sink[m]].cell].layer;
        end = user > end ? user : end;
      }
      if (c->kind != BPI_CELL_INPUT) { /* a name is easily said again */
        r->passing[c->layer]++;
        r->passing[end]--;
      }
    }
  }
  for (uint32_t i = 0; i < l->n_layers; i++) {
    r->width[i] += labels[i] + BEND_GUESS;
    r->passing[i + 1] += r->passing[i];
  }
  return true;
}

/* Number of rows. *whole: width of all columns. */
static double count_rows(const bpi_sheet *s, const layering *l, const row_plan *r, double *whole)
{
  double area = 0;
  *whole = 0;
  for (uint32_t i = 0; i < l->n_layers; i++) {
    *whole += r->width[i];
    area += r->width[i] * (r->height[i] + 24 * (double)r->passing[i]);
  }
  double wish = s->width > 0 ? s->width : fmax(ROW_LEAST, sqrt(ROW_ASPECT * area));
  return ceil(*whole / wish);
}

/* The row of each column: a row ends where few wires pass, among the last columns that fit. */
static bool break_rows(layering *l, uint32_t *row_of)
{
  row_plan r;
  if (!measure(l, &r))
    return false;
  double left, filled = 0, rows = count_rows(l->s, l, &r, &left);
  uint32_t row = 0, first = 0;
  for (uint32_t i = 0; i < l->n_layers; i++) {
    if (row + 1 < rows && filled + r.width[i] / 2 > left / (rows - row) && i > first) {
      uint32_t best = i;
      for (uint32_t k = i; k + BREAK_WINDOW > i && k > first + BREAK_WINDOW; k--)
        best = r.passing[k - 1] < r.passing[best - 1] ? k : best;
      row++;
      first = best;
      left -= filled;
      filled = 0;
      for (uint32_t k = best; k < i; k++) {
        row_of[k] = row;
        filled += r.width[k];
      }
      left += filled;
    }
    row_of[i] = row;
    filled += r.width[i];
  }
  l->s->n_rows = row + 1;
  return true;
}

/* Each row gets a column of its own for tags in front and behind. */
static void apply_rows(layering *l, const uint32_t *row_of)
{
  for (size_t i = 0; i < l->s->n_cells; i++) {
    bpi_cell *c = &l->s->cell[i];
    c->row = row_of[c->layer];
    c->layer += 1 + 2 * c->row;
  }
  l->n_layers += 2 * l->s->n_rows;
}

/* ---- cuts ---- */

static bool sinks_by_layer(layering *l)
{
  bpi_sheet *s = l->s;
  uint32_t *first = bpi_sheet_alloc(s, l->n_layers + 2, sizeof *first);
  uint32_t *by = bpi_sheet_alloc(s, s->n_pins + 1, sizeof *by);
  if (s->status != BP_OK)
    return false;
  for (size_t i = 0; i < s->n_pins; i++)
    first[s->cell[s->pin[i].cell].layer + 1]++;
  for (uint32_t i = 0; i < l->n_layers; i++)
    first[i + 1] += first[i];
  for (size_t i = 0; i < s->n_pins; i++)
    by[first[s->cell[s->pin[i].cell].layer]++] = (uint32_t)i;
  return list_sinks(l, by);
}

static const char *cut_name(bpi_sheet *s, bpi_net *net)
{
  if (!net->name) {
    bpi_text t;
    bpi_text_init(&t, s->ctx);
    bpi_textf(&t, "%u", ++s->tags);
    net->name = bpi_sheet_keep(s, &t);
  }
  return net->name ? net->name : "";
}

/* The cell from which net goes on in column `layer`. Returns its net. */
static uint32_t go_on(bpi_sheet *s, uint32_t net, bool forks, uint32_t layer, uint32_t row)
{
  bool input = s->cell[s->net[net].cell].kind == BPI_CELL_INPUT;
  const char *name = input ? s->cell[s->net[net].cell].line[0] : cut_name(s, &s->net[net]);
  uint32_t cell = bpi_sheet_cell(s, input ? BPI_CELL_INPUT : BPI_CELL_TAG, name), copy = bpi_sheet_net(s);
  if (s->status != BP_OK)
    return net;
  bpi_net *from = &s->net[net], *to = &s->net[copy];
  memcpy(to->above, from->above, sizeof to->above);
  to->below = forks ? NULL : from->below;
  to->name = from->name;
  s->cell[cell].layer = layer;
  s->cell[cell].row = row;
  return copy;
}

static void end_in_tag(bpi_sheet *s, uint32_t net)
{
  uint32_t from = s->net[net].cell, cell = bpi_sheet_cell(s, BPI_CELL_TAG, cut_name(s, &s->net[net]));
  bpi_sheet_pin(s, net);
  if (s->status != BP_OK)
    return;
  s->cell[cell].layer = s->cell[from].layer + 1;
  s->cell[cell].row = s->cell[from].row;
}

/* An input whose first use is out of reach moves there: nobody would use it where it is. */
static void move_input(layering *l, uint32_t net)
{
  bpi_sheet *s = l->s;
  bpi_cell *from = &s->cell[s->net[net].cell];
  uint32_t first = l->sink_first[net];
  if (from->kind != BPI_CELL_INPUT || from->n_nets != 1 || s->framed || first == l->sink_first[net + 1])
    return;
  const bpi_cell *to = &s->cell[s->pin[l->sink[first]].cell];
  if (to->row == from->row && to->layer - from->layer <= REACH)
    return;
  from->row = to->row;
  from->layer = to->layer - 1;
}

static void cut_net(layering *l, uint32_t net)
{
  bpi_sheet *s = l->s;
  move_input(l, net);
  uint32_t from = s->net[net].cell, at = s->cell[from].layer, row = s->cell[from].row, with = net;
  uint32_t first = l->sink_first[net], last = l->sink_first[net + 1];
  for (uint32_t i = first; i < last && s->status == BP_OK; i++) {
    bpi_pin *pin = &s->pin[l->sink[i]];
    const bpi_cell *to = &s->cell[pin->cell];
    if (to->row != row || to->layer - at > REACH) {
      at = to->layer - 1;
      row = to->row;
      with = go_on(s, net, last - first > 1, at, row);
    }
    s->pin[l->sink[i]].net = with;
  }
  if (with != net && s->cell[from].kind != BPI_CELL_INPUT)
    end_in_tag(s, net);
}

/* Columns, and rows, that nobody stands in are left out. */
static bool close_ranks(layering *l)
{
  bpi_sheet *s = l->s;
  uint32_t *to = bpi_sheet_alloc(s, l->n_layers + 1, sizeof *to), n = 0;
  s->row_first = bpi_sheet_alloc(s, s->n_rows + 1, sizeof *s->row_first);
  if (s->status != BP_OK)
    return false;
  for (size_t i = 0; i < s->n_cells; i++)
    to[s->cell[i].layer] = 1 + s->cell[i].row;
  uint32_t rows = 0;
  for (uint32_t i = 0, last = 0; i < l->n_layers; i++)
    if (to[i]) {
      if (to[i] != last)
        s->row_first[rows++] = n;
      last = to[i];
      to[i] = n++;
    }
  s->n_rows = rows;
  s->row_first[rows] = n;
  s->n_columns = n;
  for (size_t i = 0; i < s->n_cells; i++)
    s->cell[i].layer = to[s->cell[i].layer];
  return true;
}

bp_status bpi_sheet_layers(bpi_sheet *s)
{
  layering l = {.s = s};
  if (!s->n_cells)
    return bpi_sheet_fail(s, bpi_fail(BP_E_ARG, "there is nothing to draw"));
  if (!list_sinks(&l, NULL) || !sort_topologically(&l))
    return s->status;
  longest_paths(&l);
  tighten(&l);
  place_inputs(&l);
  place_outputs(&l);
  uint32_t *row_of = bpi_sheet_alloc(s, l.n_layers, sizeof *row_of);
  if (s->status != BP_OK || !break_rows(&l, row_of))
    return s->status;
  apply_rows(&l, row_of);
  if (!sinks_by_layer(&l))
    return s->status;
  size_t n_nets = s->n_nets;
  for (size_t i = 0; i < n_nets && s->status == BP_OK; i++)
    cut_net(&l, (uint32_t)i);
  if (s->status == BP_OK && close_ranks(&l))
    bpi_sheet_sizes(s); /* tags have come */
  return s->status;
}

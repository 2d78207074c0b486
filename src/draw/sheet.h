/* A circuit on paper: cells (gates, names, boxes) and nets (the wire that carries one result to all who use it), first as a list and
 * then laid out. It knows nothing of graphs, so that the layout can be tested apart.
 *
 * The layout goes from left to right in columns, after Sugiyama, Tagawa & Toda (1981):
 *   layers.c    the column of each cell; rows of columns, as lines of a text, where the circuit is long; what must reach far is cut, and
 *               goes on under its name
 *   untangle.c  the order in each column, with few crossings
 *   coords.c    where exactly
 *   ink.c       cells, wires and labels as a picture
 * Every label has room that no wire of another enters: labels stand in a zone of their own right of a column, where wires run straight,
 * and wires bend only between the zones.                                                                                        */
#ifndef BPI_SHEET_H
#define BPI_SHEET_H

#include "base/text.h"
#include "draw/scene.h"

enum { BPI_NONE = 0xffffffffu };

typedef enum bpi_cell_kind {
  BPI_CELL_INPUT,  /* a name, at the left end of its wire */
  BPI_CELL_GATE,   /* an operation: a circle, or a pill where its symbol is long */
  BPI_CELL_BUNDLE, /* several operations as one: a rounded box */
  BPI_CELL_STACK,  /* a block that repeats: a pile of boxes */
  BPI_CELL_FRAME,  /* a rounded frame around the circuit in `inner` */
  BPI_CELL_TAG,    /* where a wire that was cut ends, or goes on */
  BPI_CELL_OUTPUT  /* a name, at the right end of its wire */
} bpi_cell_kind;

enum { BPI_CELL_LINES = 3, BPI_LABEL_LINES = 2 };

typedef struct bpi_sheet bpi_sheet;

typedef struct bpi_cell {
  bpi_cell_kind kind;
  bool strong;                      /* its text is bold */
  const char *line[BPI_CELL_LINES]; /* texts, one under another, the first the main one; NULL: fewer */
  const char *title;                /* what a viewer shows when pointed at; may be NULL */
  uint32_t first_pin, n_pins;       /* where wires come in, from the top */
  uint32_t first_net, n_nets;       /* its results, from the top */
  bpi_sheet *inner; /* of a frame: its inputs are the pins, its outputs the nets, in their order */
  /* laid out */
  double w, h, x, y; /* centre */
  uint32_t layer, row;
} bpi_cell;

/** Where a wire comes in. */
typedef struct bpi_pin {
  uint32_t cell, net;
  const char *below; /* the gradient that comes back along this branch; NULL: the wire does not fork */
  bool strong;       /* the operand that won */
  double dy;         /* from the cell's centre, where its wire runs beside the cell */
} bpi_pin;

/** A result. */
typedef struct bpi_net {
  uint32_t cell;
  const char *name;                   /* what its wire is called where it is cut; NULL: a number is found */
  const char *above[BPI_LABEL_LINES]; /* value, from the top; NULL: fewer */
  const char *below;                  /* gradient */
  bool strong;                        /* the value is bold: it won */
  double dy;                          /* from the cell's centre */
} bpi_net;

/** A place in a column: a cell (slot number = cell number), or a wire passing. */
typedef struct bpi_sheet_spot {
  uint32_t net; /* of the wire passing */
  uint32_t layer, place;
  double up, down; /* room it needs over and under y */
  double y;
} bpi_sheet_spot;

/** A wire from one column to the next: link number = pin number for those that end in a pin; the others end in the wire passing whose
 *  slot number is n_cells + (link number - n_pins). */
typedef struct bpi_link {
  uint32_t left, right; /* slots */
  uint32_t net;
} bpi_link;

typedef struct bpi_sheet_column {
  uint32_t first, n; /* in `order` */
  double x, w;       /* left edge, and width of its cells */
  double labels;     /* width of the zone of labels behind them */
  double bend;       /* of the zone where wires bend, */
  double pins;       /* and of the zone before the next column: labels of branches */
} bpi_sheet_column;

struct bpi_sheet {
  bp_ctx *ctx;
  bpi_arena arena;
  bp_status status; /* the first failure: later calls do nothing */
  bool
      framed; /* the inside of a frame: inputs stay in the first column, outputs go to the last, and there is one row */
  double width; /* most width of a row; 0: as wide as it gets. In: a wish. */
  bpi_cell *cell;
  bpi_pin *pin;
  bpi_net *net;
  size_t n_cells, n_pins, n_nets, cells_cap, pins_cap, nets_cap;
  uint32_t tags; /* numbers given to wires that were cut */
  /* laid out */
  bpi_sheet_spot *slot;
  bpi_link *link;
  size_t n_slots, n_links, links_cap, slots_cap;
  uint32_t *order; /* slots, column by column, each from the top */
  bpi_sheet_column *column;
  uint32_t n_columns, n_rows;
  uint32_t *row_first;       /* first column of each row, and n_columns behind them */
  uint32_t *out, *out_first; /* links by their left slot: out[out_first[slot] ..] */
  double right, bottom;      /* size of what was laid out */
};

void bpi_sheet_init(bpi_sheet *s, bp_ctx *ctx);
void bpi_sheet_free(bpi_sheet *s);
/** Adds a cell; its pins and nets must be added next, before another cell. Returns its number. */
uint32_t bpi_sheet_cell(bpi_sheet *s, bpi_cell_kind kind, const char *text);
/** A pin of the last cell, fed by a net (BPI_NONE: to be told later). Returns its number. */
uint32_t bpi_sheet_pin(bpi_sheet *s, uint32_t net);
/** A result of the last cell. Returns its number. */
uint32_t bpi_sheet_net(bpi_sheet *s);
/** Remembers the first failure. Returns s->status. */
bp_status bpi_sheet_fail(bpi_sheet *s, bp_status status);
void *bpi_sheet_alloc(bpi_sheet *s, size_t n, size_t size);
/** Texts as they will be drawn, copied for the life of the sheet; NULL when it failed. The second hands the text over in every case. */
const char *bpi_sheet_text(bpi_sheet *s, const char *text);
const char *bpi_sheet_keep(bpi_sheet *s, bpi_text *t);

/** Lays a sheet out, frames' insides first. Nets must come from cells such that there is no cycle (BP_E_GRAPH).
 *  Cost: near linear in cells, pins and crossings of columns; a wire that would pass more than a few columns is cut. */
bp_status bpi_sheet_layout(bpi_sheet *s);
/** Draws a sheet that was laid out, its left upper corner at `at`. */
void bpi_sheet_draw(bpi_sheet *s, bp_picture *p, bpi_point at);

/* ---- the steps ---- */
void bpi_sheet_sizes(bpi_sheet *s); /* of cells, their pins and nets */
bp_status bpi_sheet_layers(bpi_sheet *s);
bp_status bpi_sheet_untangle(bpi_sheet *s);
bp_status bpi_sheet_coords(bpi_sheet *s);

/* ---- measures, in pixels ---- */
#define BPI_LABEL_SIZE 12.0                     /* of values and gradients */
#define BPI_LINE_STEP  14.0                     /* from a line of a label to the next */
#define BPI_OVER       5.0                      /* from a wire to the baseline of the value over it */
#define BPI_UNDER      13.5                     /* from a wire to the baseline of the gradient under it */
double bpi_sheet_above(const bpi_net *n);       /* room of a net's labels over its wire, */
double bpi_sheet_below(const char *below);      /* under it, */
double bpi_sheet_label_width(const bpi_net *n); /* and their width */
double bpi_cell_text_size(const bpi_cell *c, int line);
unsigned bpi_cell_text_style(const bpi_cell *c, int line);
bool bpi_cell_is_circle(const bpi_cell *c);
bool bpi_cell_is_branched(const bpi_sheet *s, const bpi_cell *c); /* wires that come in have labels */
/* The circuit inside a frame lies at this offset from the frame's left upper corner. */
bpi_point bpi_frame_inset(void);
#define BPI_FAN_IN 14.0 /* before a circle, where wires draw together */

/* Offset of a slot's wire from its y: where link i leaves on the left, or arrives on the right. */
static inline double bpi_link_from(const bpi_sheet *s, const bpi_link *l)
{
  return l->left < s->n_cells ? s->net[l->net].dy : 0;
}
static inline double bpi_link_to(const bpi_sheet *s, size_t i)
{
  return i < s->n_pins ? s->pin[i].dy : 0;
}
/* The links that come into a slot are consecutive. */
static inline uint32_t bpi_first_in(const bpi_sheet *s, uint32_t slot)
{
  return slot < s->n_cells ? s->cell[slot].first_pin : (uint32_t)(s->n_pins + (slot - s->n_cells));
}
static inline uint32_t bpi_n_in(const bpi_sheet *s, uint32_t slot)
{
  return slot < s->n_cells ? s->cell[slot].n_pins : 1;
}

#endif

/* From a graph to a sheet. A circuit is a list of parts: single operations, and those that are drawn as one: a bundle recognised, a
 * block that repeats. Inputs and constants are no parts.
 *
 *   parts.c      the nodes needed, as parts
 *   recognise.c  bundles of the operation table found among them
 *   shorten.c    repeats and long stretches drawn as one, where there are many
 *   wiring.c     parts as cells, results as nets
 *   gatetext.c   what is written in a gate
 *   figures.c    what is written at a wire
 *   unfold.c     bundles drawn as their parts
 *   dot.c        the sheet as text for Graphviz                                                                                  */
#ifndef BPI_CIRCUIT_H
#define BPI_CIRCUIT_H

#include "draw/sheet.h"
#include "graph/graph.h"

typedef struct bpi_part {
  uint32_t head;    /* its node; of several, the last */
  uint32_t n_nodes; /* how many it stands for */
  uint32_t times;   /* a block that repeats: how often; a stretch left out: 0; else 1 */
  const bp_op
      *op; /* the row: its own, or that of the bundle recognised; NULL: several nodes without a name */
  const bp_attr *attr;  /* of a single node */
  const uint32_t *args; /* slots that come in, in the order of the row */
  uint32_t n_args;
  const char *text; /* of several: their symbols */
  uint32_t into;    /* the part that it was drawn into, BPI_NONE: it stands for itself */
} bpi_part;

typedef struct bpi_circuit {
  bp_ctx *ctx;
  bp_graph *g;
  const bp_node *y;
  const char *const *names; /* of outputs; may be NULL, also single ones */
  size_t n_y;
  const bp_circuit_options *o;
  const bp_trace *trace;
  int depth;             /* of frames around it */
  const bp_node *params; /* of the inside of a frame: its inputs, all of them in their order */
  size_t n_params;
  bpi_arena arena;
  uint8_t *need;     /* by slot */
  uint32_t *part_of; /* by slot: number of its part; BPI_NONE */
  uint32_t *uses;    /* by slot: by nodes that are needed, and as outputs */
  bpi_part *part;
  size_t n_parts;
  int decimals; /* of the numbers shown */
} bpi_circuit;

bp_status bpi_circuit_open(bpi_circuit *c);
void bpi_circuit_close(bpi_circuit *c);
/* Draws bundles of the operation table that the parts amount to as one part each. */
bp_status bpi_circuit_recognise(bpi_circuit *c);
/* Where there are more than `most` parts, draws blocks that repeat as one each; where there are far more, leaves the middle out. */
bp_status bpi_circuit_shorten(bpi_circuit *c, size_t most);
/* Fills an empty sheet. */
bp_status bpi_circuit_wire(bpi_circuit *c, bpi_sheet *s);

/* The inside of a bundle as a sheet of its own; *inner is NULL where it is too deep. Freed with the sheet. */
bp_status bpi_circuit_frame(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s, bpi_sheet **inner);

/* The part that a slot belongs to in the end, BPI_NONE for inputs, constants and what is not needed. */
uint32_t bpi_part_at(const bpi_circuit *c, uint32_t slot);
/* A bundle: a call of a function, or a row with a definition and without a symbol of its own. */
bool bpi_is_bundle(const bp_op *op);
/* Whether a constant is written into the gate, instead of standing beside it. */
bool bpi_is_folded(const bpi_circuit *c, const bpi_part *p, uint32_t input);
size_t bpi_circuit_most(const bp_circuit_options *o);
/* The sheet as text for Graphviz; needs no layout. */
bp_status bpi_sheet_dot(bpi_sheet *s, char **text);
size_t bpi_circuit_parts(const bpi_circuit *c); /* that stand for themselves */
bool bpi_is_leaf(const bpi_node *v);

/* The symbol or name of a part's row, or the name of the function that it applies. */
const char *bpi_row_text(const bpi_part *p);

/* ---- texts, in the sheet's memory; NULL when it failed ---- */
const char *bpi_gate_text(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s);
const char *bpi_gate_note(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s); /* attributes; NULL: none */
const char *bpi_gate_title(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s);
/* A name with digits at its end as indices: "w0" as "w₀". */
const char *bpi_pretty_name(bpi_sheet *s, const char *name);
/* A number, with a true minus. */
void bpi_text_figure(bpi_text *t, double x, int decimals);
/* The lines for an array: the number itself, a few numbers, or shape and summary. lines[1] may stay NULL. */
void bpi_figure_lines(const bpi_circuit *c, bpi_sheet *s, const void *data, const bp_type *type,
                      bool one_line, const char **lines);
/* Whether everything a trace says about scalars is a whole number: then no decimals are shown. */
bool bpi_whole_numbers(const bp_trace *t);

#endif

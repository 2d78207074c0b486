/* Example calls of rows, as the rows state them: parsed, drawn, built. The laws and the gradient checker start here.
 *
 *   "x[3,4] in -2..2 not 0 1.5, w[4] int 0..3, t[3] bool; axes=[1], keep=1, slope=0.1, dtype=real"
 *
 * An input is name[dims] and words: `in lo..hi` (uniform reals, else -2..2), `int lo..hi` (both ends drawn, else -9..9), `bool`,
 * `not v...` (at least 0.1 from these points), `distinct` (all values of all distinct inputs at least 0.05 apart), `simplex`
 * (positive, sums to 1 along the last axis), `key` (two int64, any). Attributes follow the row's definitions; one left out
 * takes its preset, a list is empty, a function is the row's example_fn. Without inputs the text starts with ';'. */
#ifndef BPI_EXAMPLE_H
#define BPI_EXAMPLE_H

#include "base/arena.h"

#define BPI_EXAMPLE_AWAY  0.1  /* distance that `not` keeps */
#define BPI_EXAMPLE_APART 0.05 /* distance that `distinct` keeps */

typedef struct bpi_arg {
  char name[24];
  bp_type type;
  double lo, hi;
  double avoid[8];
  int n_avoid;
  bool ranged; /* the range was stated */
  bool distinct, simplex, key;
} bpi_arg;

typedef struct bpi_example {
  bp_ctx *ctx;
  const bp_op *op;
  bpi_arg *args; /* may be changed before drawing and building */
  int n_args;
  bp_attr attr[BP_MAX_ATTRS]; /* one an attribute of the row */
  bp_fn *fn;
  bpi_arena arena;
} bpi_example;

/* How many examples a row states. */
int bpi_example_count(const bp_op *op);
/* Parses. On error e is closed already; BP_E_PARSE, and bp_error() shows where; BP_E_NOMEM. */
bp_status bpi_example_open(bpi_example *e, bp_ctx *ctx, const bp_op *op, const char *text);
void bpi_example_close(bpi_example *e);
/* data[i]: values of input i, double, int64_t or uint8_t; they live as long as e. Equal seeds give equal values.
 * BP_E_RANGE if the conditions cannot be met. */
bp_status bpi_example_draw(bpi_example *e, uint64_t seed, void **data);
/* Inputs x[n_args] of the graph, named as in the example, and the call's results. y has room for BP_MAX_RESULTS. */
bp_status bpi_example_build(const bpi_example *e, bp_graph *g, bp_node *x, bp_node *y, int *n_y);

#endif

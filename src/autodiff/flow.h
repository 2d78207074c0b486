/* Dependence flowing from nodes to nodes: a forward sweep whose tangents are lists of columns, one list an element. */
#ifndef BPI_FLOW_H
#define BPI_FLOW_H

#include "autodiff/fixed.h"
#include "autodiff/lists.h"
#include "autodiff/sweep.h"

/* What is known of the entries' values. */
typedef enum bpi_entry_fact { BPI_ANY, BPI_ONE_NUMBER, BPI_ONE } bpi_entry_fact;

/* Lists of all elements of a node, shared by nodes with the same. */
typedef struct bpi_shared {
  size_t users;
  bool renamed;
  uint32_t id[];
} bpi_shared;

/* The dependence of one node. */
typedef struct bpi_rows {
  bpi_shared *lists; /* NULL: free */
  int64_t n;
  bpi_entry_fact known; /* all entries are 1, or one number */
  uint32_t readers;     /* in the sweep that computes the node */
} bpi_rows;

typedef struct bpi_flow {
  bp_graph *g;
  bpi_sweeps *sweeps;
  bpi_fixed *fixed;
  bpi_lists l;
  bpi_rows *rows; /* what the sweep's values are numbers of; 0: none */
  size_t n_rows, rows_cap;
  uint32_t *unused; /* numbers of free rows */
  size_t n_unused, unused_cap;
  const struct bpi_flow *outer; /* this one asks what a rule does to an upstream gradient, */
  const bp_op *asked;           /* of this row */
} bpi_flow;

/* s and fixed are shared by flows within flows. */
bp_status bpi_flow_open(bpi_flow *f, bpi_sweeps *s, bpi_fixed *fixed, int64_t cols, int64_t limit);
void bpi_flow_close(bpi_flow *f);
/* The rows {first}, {first + 1}, ...; 0 when out of memory. */
uint32_t bpi_flow_identity(bpi_flow *f, int64_t n, int64_t first);
/* n rows without entries; the same rows once more, their entries perhaps less known. 0 when out of memory. */
uint32_t bpi_flow_empty(bpi_flow *f, int64_t n);
uint32_t bpi_flow_again(bpi_flow *f, uint32_t rows, bpi_entry_fact most);
/* Lists that can be written: made where there are none, copied where others share them. NULL when out of memory. */
uint32_t *bpi_flow_own(bpi_flow *f, uint32_t *rows, int64_t n);
bp_status bpi_flow_nomem(bpi_flow *f);
/* Rows of the y for those given of the x. found[k] is 0 where y[k] depends on no x; else for bpi_flow_drop. */
bp_status bpi_flow_sweep(bpi_flow *f, const bp_node *y, size_t n_y, const bp_node *x, const uint32_t *given,
                         size_t n_x, bool cut, uint32_t *found);
void bpi_flow_drop(bpi_flow *f, uint32_t rows);

/* ---- one call: through.c, loopflow.c ---- */

/* Rows of the results for those of the inputs; 0: none. */
bp_status bpi_flow_through(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out);
bp_status bpi_flow_through_loop(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out);

/* ---- what comes from one input to one result, joined with what is there: arrive.c ---- */

/* Element by element. */
bp_status bpi_arrive_alike(bpi_flow *f, uint32_t in, bpi_entry_fact most, uint32_t *out);
/* Element by element where the entry is not 0. v: the entries, or one for all. */
bp_status bpi_arrive_scaled(bpi_flow *f, uint32_t in, const double *v, bool one, uint32_t *out);
/* factor: as for bpi_reach_lead. */
bp_status bpi_arrive_by_reach(bpi_flow *f, const bp_reach *r, const double *factor, uint32_t in,
                              bpi_entry_fact most, int64_t n_y, uint32_t *out);
/* Every element of the result depends on all of the input: nothing is known. */
bp_status bpi_arrive_everywhere(bpi_flow *f, uint32_t in, int64_t n_y, uint32_t *out);
/* Through a transposed Jacobian: rows `back` of flow b say which results each element of the input reaches. */
bp_status bpi_arrive_back(bpi_flow *f, const bpi_flow *b, uint32_t back, uint32_t in, int64_t n_y,
                          uint32_t *out);

#endif

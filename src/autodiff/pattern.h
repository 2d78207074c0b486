/* Where a Jacobian may have entries, found from the graph alone: nothing is run, and no dense Jacobian is ever formed.
 *
 * Entry (i, j) of the Jacobian of y by x is d y[i] / d x[j]. Several y are joined one after another, and so are several x, each in row-major
 * order. Every entry that can differ from 0 for some values is in the pattern; where positions depend on values (the winner of a max,
 * an index that is computed) all that may be are. So patterns are right for every input, and found once.
 *
 * A Hessian's pattern is that of its gradient's Jacobian: bpi_pattern_of(g, &gradient, 1, &x, 1, ...).
 * Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 7 (propagation of index domains). */
#ifndef BPI_PATTERN_H
#define BPI_PATTERN_H

#include "graph/graph.h"

typedef struct bpi_pattern {
  bp_ctx *ctx;
  bp_jac jac; /* the narrowest class that says it all; BP_JAC_SPARSE where only the lists below do */
  int64_t rows, cols;
  int64_t entries;                        /* in the lists */
  int64_t blocks, block_rows, block_cols; /* BP_JAC_BLOCK: how many, of which size; else one, the whole */
  bool one_a_row, one_a_col;              /* no row, no column has more than one entry */
  int64_t *row_start; /* rows + 1: the columns of row i are col[row_start[i] .. row_start[i + 1]), */
  int32_t *col;       /* ascending in each row */
} bpi_pattern;

/* Pattern of real nodes y by real nodes x of g. An x that depends on another x passes dependence on, as in bp_jvp.
 * @param limit  Most entries; 0: 2^28. On the way, twice as many are held at most. More give BP_E_LIMIT, and so do 2^31 columns or more.
 * The graph is as it was afterwards. On error *p is empty. @return as bp_jvp. Cost: linear in the nodes between x and y and in the entries of their patterns;
 * nodes that do nothing to positions (elementwise with one active input, reshape) cost nothing. */
bp_status bpi_pattern_of(bp_graph *g, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                         int64_t limit, bpi_pattern *p);
/* The part of that pattern whose entries may change with the inputs; the others are the same numbers for every input. Entries may be
 * listed as changing that do not. The same errors and cost. */
bp_status bpi_pattern_varying(bp_graph *g, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                              int64_t limit, bpi_pattern *p);
/* Pattern of d y / d x[input] of one call, y being one of its results; both are real. Other inputs do not count as depending on that one. */
bp_status bpi_pattern_local(const bp_op_call *c, int input, bp_node y, int64_t limit, bpi_pattern *p);
void bpi_pattern_free(bpi_pattern *p);

#endif

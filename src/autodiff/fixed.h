/* Values of nodes that depend on constants alone, worked out while a graph is looked at: indices that say where entries are, matrices whose
 * zeros leave some out. */
#ifndef BPI_FIXED_H
#define BPI_FIXED_H

#include "graph/graph.h"

typedef struct bpi_fixed {
  bp_graph *g;
  bpi_arena room;
  const void **value; /* by slot */
  size_t cap;
  bool no_memory; /* a value is not known for want of memory alone */
} bpi_fixed;

void bpi_fixed_init(bpi_fixed *f, bp_graph *g);
void bpi_fixed_free(bpi_fixed *f);
/* All elements of a node, contiguous: double for a real, int64_t, or bytes for a bool; they live as long as f. NULL where they are not known:
 * the node depends on more than constants, is past 2^24 elements, is a bundle, or there is no memory. */
const void *bpi_fixed_values(bpi_fixed *f, bp_node n);
/* Runs the kernel of a call once, on contiguous arrays, reals being double. False: it has none, or it fails. */
bool bpi_kernel_once(const bp_op_call *c, const void *const *x, void *const *y);

#endif

/* What reverse and forward sweeps share: the part of a graph between some nodes and those they are differentiated by. */
#ifndef BPI_SWEEP_H
#define BPI_SWEEP_H

#include "graph/graph.h"

/* A value of a sweep for every slot of the graph; a stamp tells whether it is of this sweep, so that nothing need be cleared. */
typedef struct bpi_level {
  uint32_t *value; /* index of the adjoint or tangent, 0: none */
  uint32_t *stamp; /* reached in sweep number `stamp` */
  uint8_t *active; /* BPI_ACTIVE: depends on what we differentiate by */
  size_t cap;
  uint32_t now;
} bpi_level;

enum { BPI_ACTIVE = 1, BPI_GIVEN = 3 }; /* given: one of the nodes we differentiate by */

struct bpi_region;
/* Who is told what passes in a reverse sweep. Not told: sweeps within it, through expansions. */
typedef struct bpi_watch {
  void *user;
  /* A seed arrives at a slot. */
  bp_status (*seed)(void *user, uint32_t slot, bp_node up);
  /* A call passes grads[i] to its input i; BP_NO_NODE where nothing. */
  bp_status (*passed)(void *user, const bp_op_call *c, const bp_node *grads);
  /* All is passed: bpi_region_value tells the total of every slot. */
  bp_status (*done)(void *user, const struct bpi_region *r);
} bpi_watch;

/* Sweeps nest, as bundles are differentiated through their expansions; each depth has its own level. */
enum { BPI_SWEEP_DEPTH = 24 };
typedef struct bpi_sweeps {
  bp_graph *g;
  bpi_level level[BPI_SWEEP_DEPTH];
  int depth;
  const bpi_watch *watch; /* of the next reverse sweep; NULL: none */
} bpi_sweeps;

/* One sweep: heads reached from `from`, ascending. */
typedef struct bpi_region {
  bpi_level *l;
  uint32_t *heads;
  size_t n, cap;
} bpi_region;

void bpi_sweeps_init(bpi_sweeps *s, bp_graph *g);
void bpi_sweeps_free(bpi_sweeps *s);

/* Collects the heads between `from` and `wrt`, and finds which are active. With `cut`, nothing before a wrt is looked at.
 * bpi_region_close must follow, also on failure. */
bp_status bpi_region_open(bpi_sweeps *s, const bp_node *from, size_t n_from, const bp_node *wrt, size_t n_wrt,
                          bool cut, bpi_region *r);
void bpi_region_close(bpi_sweeps *s, bpi_region *r);
bool bpi_region_active(const bp_graph *g, const bpi_region *r, uint32_t slot);
bp_node bpi_region_value(const bp_graph *g, const bpi_region *r, uint32_t slot); /* BP_NO_NODE where none */
/* What a sweep hands over for a slot: its value; where there is none, zeros of its shape, or BP_NO_NODE inside another sweep (cut). */
bp_node bpi_region_result(bp_graph *g, const bpi_region *r, uint32_t slot, bool cut);

/* Reverse sweep: grads[i] is BP_NO_NODE where nothing flows. Forward sweep: the same for out[i]. */
bp_status bpi_reverse(bpi_sweeps *s, const bp_node *y, const bp_node *up, size_t n_y, const bp_node *wrt,
                      size_t n, bool cut, bp_node *grads);
bp_status bpi_forward(bpi_sweeps *s, const bp_node *y, size_t n_y, const bp_node *x, const bp_node *tangent,
                      size_t n_x, bool cut, bp_node *out);

/* What a call passes to its inputs when `up` arrives at its results: grads[i] where wanted[i], else BP_NO_NODE, as where nothing flows. */
bp_status bpi_products(bpi_sweeps *s, const bp_op_call *c, const bp_node *up, const bool *wanted,
                       bp_node *grads);

/* Tangents of a call's results, from tangents of its inputs; BP_NO_NODE where there is none. */
bp_status bpi_tangents(bpi_sweeps *s, const bp_op_call *c, const bp_node *tangent, bp_node *out);

/* up times slope, BP_NO_NODE where slope is absent. */
bp_node bpi_chain(bp_node up, bp_node slope);

/* Checks what the public calls share; then `sweep` is run and undone if it failed. */
typedef struct bpi_job {
  const char *function;
  const bp_node *from, *from_with; /* with: nodes shaped like them, or NULL */
  const bp_node *wrt, *wrt_with;
  size_t n_from, n_wrt;
} bpi_job;
bp_status bpi_job_check(const bpi_job *j, bp_graph **g);

/* Rolls the graph back to the mark, keeping the message of the failure as bp_error(). The results become error nodes. */
bp_status bpi_undo(bp_graph *g, uint32_t mark, bp_node *results, size_t n);

#endif

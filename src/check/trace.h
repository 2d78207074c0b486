/* A trace inside: which output of its plan holds what. */
#ifndef BPI_TRACE_H
#define BPI_TRACE_H

#include "base/arena.h"

/* Beside the public parts: for each element of an input of a router, the number from 1 of the result's element that it won; 0: none. */
enum { BPI_TRACE_ROUTE = BP_TRACE_PARTS, BPI_TRACE_PARTS };

/* Where the results and the wires of a node begin, in the lists of all. */
typedef struct bpi_trace_first {
  uint32_t result, wire;
} bpi_trace_first;

struct bp_trace {
  bp_ctx *ctx;
  bp_graph *graph;
  bpi_arena arena;
  bp_plan *plan;
  bp_run *run;
  bp_dtype real;
  bp_traced *nodes;
  bpi_trace_first *first;
  size_t n_nodes;
  uint32_t *number; /* by slot: of its node + 1, 0: not in the trace */
  size_t n_slots;
  const bp_type **type; /* by result */
  bp_wire *wires, *uses;
  uint32_t n_results, n_wires;
  /* By result or by wire: number of the plan's output + 1, 0: there is none. While the trace is built, the slot. */
  uint32_t *kept[BPI_TRACE_PARTS];
};

static inline bool bpi_trace_by_wire(int part)
{
  return part == BP_TRACE_PRODUCT || part == BP_TRACE_LOCAL || part == BPI_TRACE_ROUTE;
}

/* bp_local_look of result `result` of the call at `head` by one of its inputs; the graph is only read. */
bp_status bpi_local_of_call(const bp_graph *g, uint32_t head, int result, int input, int64_t most,
                            bp_local_info *info);

#endif

/* Values of nodes for given inputs: a plan and a run in one. */
#ifndef BPI_EVAL_H
#define BPI_EVAL_H

#include "base/ctx.h"

typedef struct bpi_bound {
  const double *from; /* the caller's reals, */
  float *to;          /* and their float32 copy, made before each run */
  int64_t size;
} bpi_bound;

typedef struct bpi_eval {
  bp_ctx *ctx;
  bp_dtype real;
  bp_plan *plan;
  bp_run *run;
  bpi_bound *bound;
  size_t n_bound, bound_cap;
} bpi_eval;

/* Compiles n_y nodes of a graph. On error e is closed already. */
bp_status bpi_eval_open(bpi_eval *e, bp_graph *g, bp_dtype real, const bp_node *y, size_t n_y);
void bpi_eval_close(bpi_eval *e);
/* Binds an input node to memory of the caller, which each run reads: double for real inputs whatever the plan stores, int64_t, or
 * bytes. An input that no result needs is passed over. */
bp_status bpi_eval_bind(bpi_eval *e, bp_node input, const void *data);
/* Runs; then bp_run_output and bp_run_get on e->run give the values. */
bp_status bpi_eval_step(bpi_eval *e);

#endif

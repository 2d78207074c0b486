/* bprop as a contestant: one file a kind of work. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "../house/house.h"
#include "bprop.h"

/* A step of a plan that is bound and ready. */
typedef struct planned {
  bp_ctx *ctx;
  bp_state *state;
  bp_plan *plan;
  bp_run *run;
} planned;

/* A context with the threads and the instruction set of the request. */
bp_ctx *context_of(const request *r);
/* For `why`: what bprop said last. */
const char *because(void);
void planned_close(planned *p);
/* Seconds that so many steps take; NAN where one fails. */
double run_planned(planned *p, long times);

extern const work_kind train_kind, infer_kind, chain_kind, tiny_kind, circuit_kind, sparse_kind;

#endif

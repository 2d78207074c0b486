/* Compiled code of plans: asked for when a plan proves hot, made in the background, checked against the interpreter the first time
 * that each piece runs, and used from then on. Never needed: whatever fails, the interpreter goes on. */
#ifndef BPI_JIT_H
#define BPI_JIT_H

#include "codegen/codegen.h"
#include "codegen/compiler.h"
#include "run/run.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum bpi_check {
  BPI_UNCHECKED,
  BPI_CHECKING, /* by a run that is under way; others interpret */
  BPI_GOOD,
  BPI_BAD /* had other bits: never used again */
} bpi_check;

typedef struct bpi_jit_piece {
  bpi_piece where;
  void *fn;
  atomic_int check;
} bpi_jit_piece;

typedef struct bpi_jit {
  bpi_plan_extra extra; /* first: what the plan knows of it */
  bp_ctx *ctx;
  const bp_plan *plan;
  bpi_environment *env; /* as it was when the first run was made */
  atomic_int state;     /* a bp_jit_state; pieces may be used from BP_JIT_READY on */
  atomic_bool stop, started;
  pthread_t thread;
  bpi_library *library;
  bpi_jit_piece *pieces;
  size_t n_pieces;
  bool *local; /* of each value: it is in no memory while compiled code runs */
} bpi_jit;

typedef struct bpi_jit_span {
  const char *lo, *hi;
} bpi_jit_span;

/* What compiled code needs of a run. */
typedef struct bpi_jit_run_data {
  bpi_jit *jit;
  char **state;          /* of each entry of the plan */
  bpi_jit_span *written; /* the block and the entries, by lo; hi: the largest so far */
  bool *overlaps;        /* of each input: it lies over what the run writes */
  size_t n_overlaps;
  uint64_t runs, ask_at; /* ask for code at this run */
  bool measured;
} bpi_jit_run_data;

/* Where the context asks for it. Out of memory: BP_E_NOMEM. With BP_JIT_WAIT the code is there afterwards, or cannot be had. */
bp_status bpi_jit_attach(bp_run *r);
/* An input was bound. */
void bpi_jit_bound(bp_run *r, size_t input, const void *data);
/* One run. */
bp_status bpi_jit_step(bp_run *r);

/* One piece the first time: by both, compared; what the interpreter made stays. */
bp_status bpi_jit_check(bpi_frame *f, bpi_jit_piece *p, const bpi_code_env *env);
#endif

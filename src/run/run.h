/* Runs: a plan's instructions bound to addresses. Nothing here allocates, looks up or decides while it runs. */
#ifndef BPI_RUN_H
#define BPI_RUN_H

#include "base/pool.h"
#include "plan/plan.h"
#include "run/pace.h"

typedef struct bpi_step bpi_step;
typedef struct bpi_frame bpi_frame;
typedef bp_status (*bpi_step_fn)(bpi_step *s);

/* The tile program at the end of a kernel: what one thread needs for it. */
typedef struct bpi_ending {
  const bpi_step *s;
  char *slots;
} bpi_ending;

/* One instruction with addresses. The common case, one loop in one thread, is called without a detour. */
struct bpi_step {
  bpi_loop loop; /* NULL: call `run` */
  int64_t n;
  void *y;
  const void *x[BPI_MAX_BODY_IN];
  const int64_t *step;
  const double *params;
  bpi_step_fn run;
  const bpi_instr *instr;
  bpi_frame *frame;
  void **at;            /* addresses of all operands; of loops only where `run` needs them */
  bp_kernel_call *call; /* kernels */
  bpi_ending *ending;   /* of kernels with a tile program at their end, in one thread */
  bpi_frame *body;      /* loops over steps: one a lane */
};

/* Where the address of an input is kept: written again when the input is bound anew. */
typedef struct bpi_patch {
  const void **slot;
  size_t offset;
} bpi_patch;

/* A plan bound to a block: the run's own, or the body of a loop inside it. */
struct bpi_frame {
  const bp_plan *plan;
  bp_run *run;
  char *block;
  char *scratch; /* of instructions that one thread executes */
  bpi_step *steps;
  const void **inputs;   /* as bound */
  const void **outputs;  /* addresses of the outputs */
  uint32_t *patch_first; /* of each input, and one more */
  bpi_patch *patches;
  const bpi_instr *failed; /* where the last run stopped; NULL where it did not */
  bpi_frame **bodies;      /* of each instruction that has one, in order */
};

struct bp_run {
  bp_ctx *ctx;
  struct bpi_jit_run_data *jit; /* NULL: interpreted for good; see jit.h */
  const bp_plan *plan;
  bp_state *state;
  bpi_arena arena;
  char *block; /* 64-byte aligned */
  char *scratch;
  size_t scratch_stride;
  bpi_frame frame;
  bool *bound;
  size_t n_unbound;
  size_t bound_last; /* input that was found last: a search by name begins behind it */
  bool ran;
  bpi_pace pace;
  struct bpi_section *section; /* of the profile with the number section_of, see profile.c */
  uint64_t section_of;
};

/* Shares the units of an instruction out among its threads. */
static inline void bpi_share(const bpi_step *s, bpi_work work, void *arg)
{
  const bp_run *r = s->frame->run;
  bpi_pool_run(r->ctx, r->pace.alone ? 1 : s->instr->threads, s->instr->units, work, arg);
}

/* Binds a plan to memory. Everything is in the run's arena. */
bp_status bpi_frame_init(bpi_frame *f, bp_run *run, const bp_plan *plan, char *block, char *scratch);
void bpi_frame_bind(bpi_frame *f, size_t input, const void *data);
/* Executes the instructions in order. */
bp_status bpi_frame_run(bpi_frame *f);
/* Instructions [first, first + count) alone. */
bp_status bpi_frame_run_some(bpi_frame *f, size_t first, size_t count);
/* Units [begin, end) of a tile program, in this thread; sums stay in their leaves, one a unit, until they are joined. */
void bpi_tile_units(bpi_step *s, int64_t begin, int64_t end);
void *bpi_tile_leaves(const bpi_step *s, uint32_t sum);
void bpi_tile_join(const bpi_step *s);
/* Executes one of them. */
bp_status bpi_run_one(bpi_frame *f, size_t instruction);
/* How each kind of instruction is executed. */
bp_status bpi_run_tile(bpi_step *s);
/* The tile program at the end of a kernel, for one region of its result. arg: a bpi_ending. */
void bpi_run_ending(void *arg, const bpi_rect *r);
bp_status bpi_run_kernel(bpi_step *s);
bp_status bpi_run_kernel_shared(bpi_step *s);
bp_status bpi_run_guard(bpi_step *s);
bp_status bpi_run_scan(bpi_step *s);
bp_status bpi_run_scalars(bpi_step *s);
/* The function that executes an instruction of this kind, and whether a plain loop will do. */
bpi_step_fn bpi_step_fn_for(const bpi_instr *i);

#endif

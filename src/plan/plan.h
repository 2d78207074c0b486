/* The plan: a flat array of instructions over planned memory. Immutable once made; nothing in it is an address of a run.
 *
 * An operand says where an array lies: a segment, an offset in bytes, dims and strides. A run binds operands to addresses
 * once (src/run/) and then executes the instructions in order.
 *
 *   block      one piece of memory of a run; offsets are planned from lifetimes, so values share it
 *   constants  in the plan
 *   state      an entry of the state that the run is given
 *   input      memory of the caller, bound by name */
#ifndef BPI_PLAN_H
#define BPI_PLAN_H

#include "base/arena.h"
#include "graph/graph.h"
#include "graph/state.h"
#include "kernels/kernels.h"

typedef enum bpi_segment { BPI_BLOCK, BPI_CONSTANTS, BPI_STATE, BPI_INPUT } bpi_segment;

typedef struct bpi_operand {
  uint8_t segment, dtype, rank;
  bool contiguous;
  uint32_t index; /* entry of the state, number of the input */
  uint32_t value; /* which value this is: for the verifier and the printer */
  size_t offset;  /* bytes from the start of the segment, entry or input */
  int64_t size;   /* elements */
  const int64_t *dims, *strides;
} bpi_operand;

/* One step of a tile program: y = loop(x...) over the elements of a tile. A reference is an operand of the instruction, of
 * which the tile's own elements are meant (or its only element, step 0), or a slot of scratch. Without a loop it is a load:
 * the tile's elements of a strided operand are gathered into a slot. A sum adds them to its lanes; its result, the sum of all elements, is
 * there when all units are done. */
typedef struct bpi_tile_ref {
  bool slot;
  uint8_t elem; /* bytes of one element */
  uint8_t step; /* 1, or 0: one element for all */
  uint32_t index;
} bpi_tile_ref;

enum { BPI_RELAY_STEPS = 64 }; /* of one relay at most */

/* How a step runs in a relay (kernels.h) together with its neighbours. Inputs are given by number, -1 for none. */
typedef struct bpi_tile_relay {
  bpi_relay_fn fn; /* NULL: it does not */
  uint8_t steps;   /* at the first step of a program: how many it has */
  int8_t first;    /* to be loaded into the registers; -1: the step before has left it there */
  int8_t other;    /* read from memory */
  bool keep;       /* its result is stored */
} bpi_tile_relay;

typedef struct bpi_tile_step {
  bpi_loop loop;
  const bp_op *op; /* NULL: a load; without a loop its kernel is called */
  const double *params;
  const bp_attr *attr;
  uint8_t dtype[BPI_MAX_BODY_IN + 1]; /* of the inputs, then of the result */
  int n_in;
  bool once;    /* a load whose elements are the same in every tile */
  uint32_t sum; /* its number, + 1; 0: it is none */
  bpi_tile_ref in[BPI_MAX_BODY_IN], out;
  bpi_tile_relay relay;
} bpi_tile_step;

typedef struct bpi_tile {
  int64_t n, tile; /* elements in all, and of one tile */
  int64_t unit;    /* of a unit of work: a tile, or a leaf of a sum */
  size_t n_steps;
  bpi_tile_step *steps;
  uint32_t n_slots;
  size_t slot_bytes;
  uint32_t
      n_sums;   /* behind the slots lie their lanes, and behind these, of all units, the sums of the leaves */
  bool wide;    /* relays and sums are of float64 */
  bool strips;  /* one relay: a slot is room for one strip, and a unit need not be cut into tiles */
  bool far;     /* each of its arrays is larger than all caches */
  bool streams; /* results are stored past the caches */
  /* Per input: the last step that reads it, INT32_MAX where nothing may be written over it; per result: the step that
   * writes it. A result may lie over an input of the same element size that is read no later. */
  int32_t *when;
} bpi_tile;

/* A loop over steps of a function (bp_scan), whose plan has one input a parameter. The instruction's inputs: carries, sequences, constants; its results: final
 * carries, stacked y, stacked carries before each step (absent ones have size -1), then the blocks of the body. */
typedef struct bpi_scan {
  struct bp_plan *body;
  int n_carry, n_xs, n_consts, n_y;
  int64_t length;
  int lanes; /* threads at most, each with a block of the body: steps without carries do not wait for one another */
  size_t apart; /* bytes from one block to the next */
  bool reverse;
  const int *output; /* of each y: number of the body's output, -1 where nobody reads it */
} bpi_scan;

static inline size_t bpi_lanes_bytes(const bpi_tile *t)
{
  return (size_t)BPI_SUM_LANES * (t->wide ? 8 : 4);
}

/* A program over single elements of the block. Its code is a row of runs: a word that holds a step and how many times it is done,
 * then as many rows of offsets in bytes from the block, one for each input and the last for the result. The elements of a run do not
 * depend on one another, but their results may lie over inputs of those before them: they are computed in order, or several are after all
 * their inputs have been read. A step without a loop takes elements into the block: its rows
 * are the number of the instruction's operand and the offset of the result. There is one for each size of elements. */
typedef struct bpi_scalar_step {
  bpi_loop loop;
  bpi_picks picks; /* NULL: gathered elements are handed to the loop */
  const bp_op *op; /* NULL with the loop */
  const double *params;
  uint8_t n_in, elem[BPI_MAX_BODY_IN + 1], dtype[BPI_MAX_BODY_IN + 1]; /* of the inputs, then of the result */
} bpi_scalar_step;

#define BPI_RUN_BITS 12 /* of the word: how many; the rest: number of the step */
enum { BPI_RUN_MOST = (1 << BPI_RUN_BITS) - 1, BPI_SCALAR_STEPS = 1 << (32 - BPI_RUN_BITS) };

typedef struct bpi_scalars {
  const bpi_scalar_step *steps; /* shared by the programs of a plan */
  const uint32_t *code, *end;
  const uint32_t *values; /* of each word of code that is an offset: which value lies there */
  const uint32_t *source; /* of each element, in the order of the code: the node that it was made for */
} bpi_scalars;

static inline const bpi_scalar_step *bpi_run_step_of(const bpi_scalars *s, uint32_t word)
{
  return &s->steps[word >> BPI_RUN_BITS];
}
/* Rows of that run. */
static inline uint32_t bpi_run_length(uint32_t word)
{
  return word & BPI_RUN_MOST;
}

typedef enum bpi_kind {
  BPI_DO_LOOP,   /* one body over contiguous or single elements */
  BPI_DO_TILE,   /* a tile program */
  BPI_DO_KERNEL, /* the row's kernel; with a tile program at its end where `tile` is set */
  BPI_DO_COPY,   /* strided to contiguous */
  BPI_DO_SCAN,
  BPI_DO_SCALARS, /* a program over single elements; its inputs are what it takes into the block */
  BPI_DO_GUARD,   /* all inputs finite, or stop */
  BPI_DO_JOIN,    /* while compiling only */
  BPI_DO_COMMIT   /* copies a new value into state; nothing after it may fail */
} bpi_kind;

typedef struct bpi_instr {
  uint8_t kind;
  bool may_fail;
  uint16_t threads; /* at most so many are worth starting */
  uint32_t n_in, n_out;
  const bpi_operand *x; /* n_in inputs, then n_out results */
  uint32_t n_row;       /* inputs that the row itself takes; those of the tile program at its end follow */
  const bp_op *op;      /* NULL: of no one row */
  const bp_attr *attr;
  int64_t n, units; /* elements; units of work that may be shared out */
  union {
    struct {
      bpi_loop loop;
      const double *params;
      const int64_t *step;
    };
    const bpi_tile *tile;
    const bpi_scan *scan;
    const bpi_scalars *scalars;
    const uint32_t *guards; /* source nodes, one an input */
  };
  size_t scratch;   /* bytes per thread */
  size_t end_slots; /* where in it the slots of the tile program at the end of a kernel begin */
  uint32_t source;
} bpi_instr;

/* Elements of a guard's input that are tested: one stands for all where they are the same. */
static inline int64_t bpi_guarded(const bpi_operand *x)
{
  return x->contiguous || x->size == 0 ? x->size : 1;
}

/* What a source node is called in messages. Sorted by node. */
typedef struct bpi_source_name {
  uint32_t node;
  int line;
  const char *name, *file; /* either may be NULL */
} bpi_source_name;

typedef struct bpi_plan_input {
  const char *name;
  bp_type type; /* as stored */
  size_t bytes;
} bpi_plan_input;

typedef struct bpi_plan_entry {
  uint32_t entry;
  bp_type type; /* of the node */
} bpi_plan_entry;

/* What a room further down keeps with a plan; freed with it. */
typedef struct bpi_plan_extra {
  void (*free)(struct bpi_plan_extra *e);
} bpi_plan_extra;

struct bp_plan {
  bp_ctx *ctx;
  _Atomic(bpi_plan_extra *) extra; /* compiled code (src/run/jit.h); NULL until a run asks for it */
  bpi_arena arena;
  const bpi_kernels *kernels;
  bp_dtype real;
  bpi_instr *instrs;
  size_t n_instrs;
  size_t first_commit; /* instructions from here on may write state; none of them may fail */
  bpi_plan_input *inputs;
  size_t n_inputs;
  bpi_operand *outputs; /* contiguous */
  bp_type *output_types;
  size_t n_outputs;
  bpi_plan_entry *entries; /* of the state, read or written; ascending */
  size_t n_entries;
  char *constants; /* 64-byte aligned */
  size_t constants_bytes, block_bytes;
  size_t scratch_bytes; /* per thread, the most that any instruction needs */
  uint32_t *parent;     /* of each value: the join that it is a part of, or 0 */
  uint32_t n_values;
  const bpi_scalar_step *scalar_steps;
  bpi_source_name *sources;
  size_t n_sources;
  struct bp_plan **bodies; /* plans of loops, owned */
  size_t n_bodies, bodies_cap;
  uint32_t passes_off;
  double ns;                    /* about how long a step takes one thread */
  unsigned done[BP_PASS_COUNT]; /* how often each pass found something to do */
};

/* Mistakes that tests seed, to prove that the law of composition catches them. */
#define BPI_FAULT_LIST(X)                                                                 \
  X(short_life, "a value's room is given away one reader early")                          \
  X(splat_stride, "an operand of one element for all is read as if it had all")           \
  X(inplace_live, "a result is written over an input that is still to be read")           \
  X(early_commit, "state is overwritten before its last reader")                          \
  X(join_offset, "a part of a concatenation lies one element off")                        \
  X(view_offset, "a view forgets where it starts")                                        \
  X(fused_lost, "a fused value that others read is not kept")                             \
  X(wrong_order, "two instructions change places though one needs the other")             \
  X(carry_early, "a loop's carry is replaced before the step has read it")                \
  X(guard_ignored, "the guard is dropped")                                                \
  X(view_strides, "a strided view is read as if it were contiguous")                      \
  X(tile_rest, "the last, shorter tile is left out")                                      \
  X(swap_direct, "updates that read each other's entries are copied one after the other") \
  X(output_dies, "an output's room is given away when its last reader is done")           \
  X(run_early, "a step over single elements does not wait for its last input")            \
  X(run_one_off, "a program takes the element beside the one that is meant")              \
  X(piece_offset, "the update of a part reads the state one element off")                 \
  X(end_lost, "a product that others read too is seen by its end alone")                  \
  X(end_early, "the end of a product reads what comes from the product by another way")

typedef enum bpi_fault {
  BPI_FAULT_NONE,
#define BPI_FAULT_ENUM(name, text) BPI_FAULT_##name,
  BPI_FAULT_LIST(BPI_FAULT_ENUM)
#undef BPI_FAULT_ENUM
      BPI_FAULT_COUNT
} bpi_fault;

/* What tests may set; zeros are the usual. */
typedef struct bpi_tuning {
  bpi_fault fault;
  int64_t tile;     /* elements of a tile; 0: BPI_TILE */
  int64_t fuse_min; /* smallest arrays worth fusing; 0: the usual */
  int64_t split_ns; /* work worth a thread of its own; 0: the usual */
  int64_t end_row;  /* bytes of the longest row of a product that a tile program ends; 0: the usual */
  int64_t block;    /* bytes between layers that a block of a batch may have; 0: the usual */
  int64_t scalars;  /* fewest steps over single elements that make a program; 0: the usual */
} bpi_tuning;

bp_status bpi_plan_new(bp_graph *g, const bp_plan_options *o, const bpi_tuning *t, bp_plan **plan);
/* Checks a plan from its instructions alone: extents, order, overlap, writing in place, commits after everything that may fail.
 * BP_E_INTERNAL with the reason, BP_E_NOMEM. */
bp_status bpi_plan_verify(const bp_plan *p);
/* "'name'", or "add#12", and " (model.c:34)" where that is known. Returns buf. */
const char *bpi_plan_label(const bp_plan *p, uint32_t node, const bp_op *op, char *buf, size_t n);
/* What it executes, in a word: the name of its row, or of its kind. */
const char *bpi_instr_name(const bpi_instr *i);
/* An operand as "block+64 [2,3]". */
void bpi_text_operand(bpi_text *t, const bp_plan *p, const bpi_operand *x);

/* Elements [begin, end), counted row-major, of a strided array into a contiguous one. dst is where element `begin` goes. */
void bpi_gather_range(const bpi_operand *x, const void *src, void *dst, int64_t begin, int64_t end);

#endif

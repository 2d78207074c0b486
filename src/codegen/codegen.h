/* C source from a plan: the text alone. Nothing here starts a compiler or runs what is made; that is compiler.h and src/run.
 *
 * A plan is cut into pieces. Instructions on small arrays, one after another, become one function of straight lines and short
 * loops over fixed places, in which values that nobody else reads are local variables. A larger loop or tile program becomes a
 * function over any range of its elements, so that threads can share it. What is left stays with the interpreter.
 *
 * Only numbers and fixed texts are written, never a name. Numbers that are not small integers are written as bits, so infinities,
 * NaN and -0 are exact. The operations' bodies and the functions that they call are the texts that src/kernels/simd is compiled
 * from; with the flags of bpi_code_flags a body has the bits of the interpreter's kernels. */
#ifndef BPI_CODEGEN_H
#define BPI_CODEGEN_H

#include "base/text.h"
#include "plan/plan.h"

typedef enum bpi_piece_kind {
  BPI_PIECE_STEPS, /* interpreted */
  BPI_PIECE_RUN,   /* bpi_code_run: all instructions */
  BPI_PIECE_PART   /* bpi_code_part: elements of one instruction */
} bpi_piece_kind;

/* Instructions [first, first + count) of the plan. Compiled ones are the function named by BPI_CODE_NAME and the piece's number. */
typedef struct bpi_piece {
  uint32_t first, count;
  uint8_t kind;
} bpi_piece;

#define BPI_CODE_NAME "bpc_"

/* What a run of instructions works on. */
typedef struct bpi_code_env {
  char *block;
  const char *constants;
  char *const *state;        /* by the number of the entry among the plan's entries */
  const char *const *inputs; /* by the number of the input */
} bpi_code_env;

/* 0, or 1 + the number in the plan of the guard that did not hold; nothing was committed then. */
typedef int (*bpi_code_run)(const bpi_code_env *e);
/* Elements [first, first + n), whole units but at the end; at: addresses of inputs, then of results; leaves: of the first sum, then of
 * the others, one for each unit. */
typedef void (*bpi_code_part)(void *const *at, int64_t first, int64_t n, void *leaves);

typedef struct bpi_code {
  bpi_text text;
  bpi_piece *pieces; /* all instructions of the plan, in order */
  size_t n_pieces;
  bool *local;     /* of each value of the plan: compiled code keeps it to itself */
  size_t compiled; /* pieces that are not BPI_PIECE_STEPS */
} bpi_code;

/* A row of a program over single elements. */
typedef struct bpi_code_row {
  const bpi_scalar_step *step;
  uint32_t left;                      /* rows of its run behind this one */
  uint32_t take;                      /* without a loop: which operand of the instruction is taken in */
  bpi_operand x[BPI_MAX_BODY_IN + 1]; /* inputs, then the result */
} bpi_code_row;
/* Row after row, from *at, which begins as the program's code, and a row of zeros. False at the end. */
bool bpi_code_next_row(const bpi_instr *i, const uint32_t **at, bpi_code_row *row);

/* The source of a plan (not of the loops inside it) and its pieces, in ctx's memory. BP_E_NOMEM. */
bp_status bpi_code_make(const bp_plan *p, bpi_code *c);
void bpi_code_free(bpi_code *c);

#endif

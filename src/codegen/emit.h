/* What the generators of each kind of instruction share. */
#ifndef BPI_EMIT_H
#define BPI_EMIT_H

#include "codegen/codegen.h"

#include <inttypes.h>

/* Where a value of the block lives inside a run of instructions. Values that share a room (parts of a join) share this. */
typedef struct bpi_code_room {
  size_t lo, hi;  /* bytes of the block that its operands cover */
  uint32_t scope; /* the only one that touches it; 0: none yet */
  uint8_t dtype;
  bool stored;   /* it must be in the block: others read it */
  bool declared; /* as a local variable */
} bpi_code_room;

/* Bytes that the open loop reads or writes. */
typedef struct bpi_code_touch {
  uint64_t space; /* a segment and index, or a local array */
  size_t lo, hi;
  bool write, exact; /* exact: element i in turn i, from lo on */
} bpi_code_touch;

enum { BPI_CODE_TOUCHES = 96 };

typedef struct bpi_emit {
  const bp_plan *p;
  bpi_code *code;
  bpi_text t; /* functions */
  bool
      calls; /* in long programs over single elements: mathematics is called, as a compiler's time is what grows */
  uint8_t *bodies; /* per body, a bit for each element type that is used, and 4 bits on where it is called */
  bpi_code_room *rooms;        /* by value */
  uint32_t piece;              /* that is written now */
  uint32_t scope, first_scope; /* numbers from 1 on; of the run's first scope */
  double scope_weight;
  const bpi_piece *writing; /* the run that is written; NULL while it is only looked at */
  bool by_env;              /* it has too many pointers to pass as parameters */
  uint32_t temps;           /* names given */
  uint8_t *seen;            /* by entry, then input: a pointer to it is there */
  int64_t loop;             /* elements of the open loop; 0: none */
  bpi_text head, body;      /* of the open loop */
  bpi_code_touch touch[BPI_CODE_TOUCHES];
  int n_touch;
} bpi_emit;

/* ---- bodies (bodytext.c) ---- */

/* The element type whose loop of that row this is: 0 float32, 1 float64, 2 int64, 3 bool; -1: it is no body of ours. */
int bpi_code_body_type(const bp_plan *p, const bp_op *op, bpi_loop loop);
/* Whether the body calls sine and its kin, which look at arguments twice. */
bool bpi_code_body_far(int id);
/* About how many operations it is. */
double bpi_code_body_weight(int id);
/* C type of an element. */
const char *bpi_code_type(int dtype);
/* Writes a call "f12_f32(" and what stands before and behind the operands; notes the body as used. */
void bpi_code_call(bpi_emit *e, bpi_text *t, int id, int type);
void bpi_code_call_end(const bpi_emit *e, bpi_text *t, int id, int type, const double *params);
/* Everything that stands before the functions: types, mathematics, the bodies used. */
void bpi_code_prelude(const bpi_emit *e, bpi_text *t);
/* A number of an element type, exact. data: the element. */
void bpi_code_number(bpi_text *t, int dtype, const void *data);

/* ---- one instruction by elements (partcode.c) ---- */

bool bpi_code_is_part(const bp_plan *p, const bpi_instr *i);
void bpi_code_write_part(bpi_emit *e, uint32_t instr);

/* ---- runs of small instructions (runcode.c) ---- */

bool bpi_code_is_small(const bp_plan *p, const bpi_instr *i);
void bpi_code_begin_run(bpi_emit *e, const bpi_piece *piece);
void bpi_code_write_small(bpi_emit *e, uint32_t instr);
void bpi_code_end_run(bpi_emit *e);
/* A run is several C functions, for compilers take more than linear time for one: scopes of at most so much weight. Before each
 * statement; it may close the scope and open the next. */
void bpi_code_next_scope(bpi_emit *e, double weight);

/* The value whose room a value lies in: its own, or that of what it is part of. */
uint32_t bpi_code_room_of(const bp_plan *p, uint32_t value);
/* The element of an operand that stands `index` behind its first. */
void bpi_code_element(const bpi_emit *e, bpi_text *t, const bpi_operand *x, const char *index);
/* The local variable that an operand is in, where it is its first mention. */
void bpi_code_declare(bpi_emit *e, const bpi_operand *x);
void bpi_code_close_loop(bpi_emit *e);
/* Bytes from the first element of an operand behind its last. False where strides run backward. */
bool bpi_code_span(const bpi_operand *x, size_t *bytes);

/* Kernels of rows that are written out (rowcode.c). */
bool bpi_code_is_row(const bp_plan *p, const bpi_instr *i);
void bpi_code_write_row(bpi_emit *e, const bpi_instr *i);

/* The strided operand's element number `index` as an expression of its offset. */
void bpi_code_offset(bpi_text *t, const bpi_operand *x, const char *index);

#endif

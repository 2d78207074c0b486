/* Profiles: what each instruction of each run took, and what it had to do. The context has at most one. */
#ifndef BPI_PROFILE_H
#define BPI_PROFILE_H

#include "run/run.h"

/* Floating-point operations and bytes of one execution of an instruction: of what its row says of the call, and of its operands, an element
 * that is met again and again counted once. */
double bpi_instr_flops(const bpi_step *s);
double bpi_instr_bytes(const bpi_instr *i);

/* What a row says of a call, of which only shapes and attributes need be there. */
double bpi_row_flops(const bp_op *op, const bp_kernel_call *c);

/* Runs as bpi_frame_run, and notes what each instruction takes. Plain execution: compiled programs are left aside. */
bp_status bpi_profile_step(bp_run *r);

#endif

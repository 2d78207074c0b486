/* The library's context, as the options and the environment want it. */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "options.h"

/* Checks BPROP_LOG and BPROP_ISA. END_USAGE if they make no sense. */
int context_check(void);
/* NULL: told. */
bp_ctx *context_new(const settings *s);

#endif

/* The library's context, as the options and the environment want it. */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "options.h"

/* Checks BPROP_LOG and BPROP_ISA. END_USAGE if they make no sense. */
int context_check(void);
/* NULL: told. With --profile it is profiled. */
bp_ctx *context_new(const settings *s);
/* Tells the profile, or writes it, and frees the context. Returns `end`, or why the profile could not be written. */
int context_free(bp_ctx *ctx, const settings *s, int end);

#endif

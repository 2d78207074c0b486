/* The forward and the backward pass told node by node. */
#ifndef CLI_STEPS_H
#define CLI_STEPS_H

#include "bprop.h"

/* After a run of the trace. The program says which piece of its text made a node; `of` is what the output is called. Returns the exit status. */
int steps_tell(const bp_trace *t, const bp_program *p, const char *of);
/* The same as JSON: an object for each node, and one for each wire that carries a gradient back. */
int steps_json(const bp_trace *t, const bp_program *p, const char *of);

#endif

/* Files that a command writes: looked at before the work begins. */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include "options.h"

/* Whether two paths are one file, or would be once both are written. */
bool same_path(const char *a, const char *b);
/* END_RESOURCES, told, where the file could not be written. The library looks again when it saves. `what` is in the file: "a model". */
int out_check(const char *path, const char *what);
/* The file of --profile, where there is one: none of the inputs, nor what -o names, and it can be written. END_USAGE, END_RESOURCES. */
int trace_check(const settings *s);
/* The name of the trace, NULL where none is wanted. */
const char *trace_path(const settings *s);
/* END_USAGE, told, where the trace would be written over `output`. */
int trace_is_not(const settings *s, const char *output);

#endif

/* Loading a model for a command. */
#ifndef CLI_MODELFILE_H
#define CLI_MODELFILE_H

#include "say.h"

/* END_MODEL or END_RESOURCES, told. */
int model_load(bp_ctx *ctx, const char *path, bp_net **net);
/* END_USAGE if stdout is the file `path`, which would be overwritten while it is read. */
int output_is_not(const char *path);

#endif

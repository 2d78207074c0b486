/* Where a picture goes. */
#ifndef CLI_PICFILE_H
#define CLI_PICFILE_H

#include "options.h"

/* Saves it as -o says, or writes it to standard output as SVG where there is no -o. END_USAGE for a name that is neither .svg nor .png,
 * END_RESOURCES; told. */
int picture_out(bp_ctx *ctx, const settings *s, const bp_picture *p);
/* The same for the status and the picture of a call that draws, which is freed; failed: the end for bad data. what: told of a file that was
 * saved, as "3 curves". */
int picture_done(bp_ctx *ctx, const settings *s, bp_status st, bp_picture *p, int failed, const char *what);

#endif

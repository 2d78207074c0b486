/* Files for reading, unpacked on the way when they are gzip. */
#ifndef GZFILE_H
#define GZFILE_H

#include "bprop.h"

/* Opens a file; one that begins with gzip's magic (whatever its name) is read unpacked, also when it holds several members.
 * False: bp_error() says why. To be closed with bp_source_close. */
bool open_source(bp_ctx *ctx, const char *path, bp_source *out);

#endif

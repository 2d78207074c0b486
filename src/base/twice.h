/* A source that can go back, made of any source. */
#ifndef BPI_TWICE_H
#define BPI_TWICE_H

#include "base/source.h"

/* One that can go back itself is passed on as it is. Of another one, what was read is kept: the first 4 MiB in memory, then in a temporary file. To be closed with
 * bp_source_close, which leaves the inner source open. */
bp_status bpi_twice(bp_ctx *ctx, bp_source *inner, bp_source *out);

#endif

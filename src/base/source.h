/* Reading from sources: all of it, exactly, or as much as comes. */
#ifndef BPI_SOURCE_H
#define BPI_SOURCE_H

#include "bprop.h"
#include "base/ctx.h"

/* The source's name for messages; never NULL. */
const char *bpi_source_name(const bp_source *s);

/* Reads at least one byte and at most n, as they come; *got is 0 only at the end of the input. BP_E_IO if the source failed. */
bp_status bpi_read_some(bp_source *s, void *buffer, size_t n, size_t *got);
/* Reads until n bytes are there or the input ends; *got says how many. BP_E_IO if the source failed. */
bp_status bpi_read(bp_source *s, void *buffer, size_t n, size_t *got);
/* The same, where less than n is an error: BP_E_FORMAT, "NAME: the file ends inside WHAT ...". */
bp_status bpi_read_exactly(bp_source *s, void *buffer, size_t n, const char *what);
/* Reads exactly n bytes into new 64-byte aligned memory (bpi_free_aligned), which grows as data come: a file that claims more
 * than it holds costs what it holds. n = 0 gives memory too. */
bp_status bpi_read_new(bp_ctx *ctx, bp_source *s, size_t n, const char *what, void **out);
/* BP_E_FORMAT unless the input ends here. */
bp_status bpi_read_end(bp_source *s, const char *after);

#endif

/* Element types as files store them, and arrays read from files. */
#ifndef BPI_STORE_H
#define BPI_STORE_H

#include "base/source.h"

/* Bytes of n elements; false where that is no whole number of bytes or overflows. */
bool bpi_store_bytes(bp_store s, int64_t n, size_t *bytes);
/* Reverses the bytes of each element. */
void bpi_swap_bytes(void *data, bp_store s, int64_t n);
bool bpi_big_endian(void);
/* Element of a little-endian (or big-endian) file to this machine's order, or back. */
void bpi_from_little(void *data, bp_store s, int64_t n);
void bpi_from_big(void *data, bp_store s, int64_t n);
/* Reads the data of an array whose store, rank and dims are set; sets size and data. */
bp_status bpi_read_array(bp_ctx *ctx, bp_source *source, const char *what, bp_ndarray *a);

#endif

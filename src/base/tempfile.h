/* Files without a name in $TMPDIR (else /var/tmp or /tmp): gone when they are closed, also when the process is killed. */
#ifndef BPI_TEMPFILE_H
#define BPI_TEMPFILE_H

#include "base/ctx.h"

/* Opens one for reading and writing; *fd is to be closed. BP_E_IO names the directory and says why not. */
bp_status bpi_temp_open(int *fd);
/* Writes n bytes at an offset. BP_E_IO: "the disk of /tmp is full ..." */
bp_status bpi_temp_write(int fd, const void *data, size_t n, int64_t at);
/* Reads n bytes that were written at an offset. */
bp_status bpi_temp_read(int fd, void *data, size_t n, int64_t at);
/* Says that n bytes will be read soon, so that they may come into memory meanwhile. */
void bpi_temp_soon(int fd, int64_t at, int64_t n);

#endif

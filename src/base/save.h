/* Atomic saving: at every moment the old file or the whole new one is there. */
#ifndef BPI_SAVE_H
#define BPI_SAVE_H

#include "base/source.h"

typedef struct bpi_save {
  bp_ctx *ctx;
  char *path; /* the target */
  char *temp; /* the temporary file, in the same directory */
  int fd;
  int dir; /* the directory, or -1 where it may not be read */
} bpi_save;

/* Checks the target and opens the temporary file. After BP_OK exactly one of commit and abandon must be called; a failed write
 * must be followed by abandon. */
bp_status bpi_save_begin(bp_ctx *ctx, const char *path, bpi_save *s);
bp_status bpi_save_write(bpi_save *s, const void *data, size_t n);
bp_status bpi_save_commit(bpi_save *s);
/* Removes the temporary file. */
void bpi_save_abandon(bpi_save *s);

#endif

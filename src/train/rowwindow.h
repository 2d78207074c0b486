/* What a training sees of its data at a time, and in which order: all of them, or some blocks of a spool file. */
#ifndef BPI_ROWWINDOW_H
#define BPI_ROWWINDOW_H

#include "train/spool.h"

/* The rows of an epoch come in windows, each in an order of its own. Of data in memory there is one. Of spooled data a window is some dozens of blocks drawn
 * from all over the file, each read at one go; its rows are shuffled. Everything follows from seed and epoch, so any place of any epoch can be gone to. */
typedef struct bpi_window {
  const bp_data *data;
  uint64_t seed;
  const bp_data *rows; /* what `order` numbers */
  int64_t *order;      /* [n] */
  int64_t n;
  bp_data held; /* in memory, of the spool */
  uint32_t epoch;
  int64_t *blocks; /* [n_blocks] in the order of the epoch */
  int64_t n_blocks, block_rows, at_once, next;
} bpi_window;

bp_status bpi_window_open(bpi_window *w, const bp_data *d, uint64_t seed);
void bpi_window_close(bpi_window *w);
/* The window of an epoch (from 1) in which row number `row` of its order is; *at: where. */
bp_status bpi_window_begin(bpi_window *w, int64_t epoch, int64_t row, int64_t *at);
/* The next one of the epoch, of which there must be one. */
bp_status bpi_window_next(bpi_window *w);

#endif

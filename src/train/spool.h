/* Data sets larger than memory: their rows in a temporary file, read back block by block. */
#ifndef BPI_SPOOL_H
#define BPI_SPOOL_H

#include "train/examples.h"

/* A row in the file is 32-bit floats: [file_cols] inputs, [n_targets] targets, and a weight where there is one. Categories and classes have there the numbers in
 * which they were met; `rank` turns these into their places in the order of their names. */
typedef struct bpi_spool {
  bp_ctx *ctx;
  int fd;
  int64_t stride;             /* floats of a row */
  int64_t file_cols, *column; /* inputs in the file; [cols] which of them each one is, as some are left out */
  int64_t memory;             /* bytes that rows read back may take */
  float **rank;               /* [n_rank]: of inputs and targets, by number met; NULL: the value itself */
  int64_t n_rank;
  int64_t *ranked; /* [n_ranked] inputs that have one */
  int64_t n_ranked;
  bpi_rowset skipped; /* rows of the input that were left out, for want of a target */
  double *keys;       /* numbers that are classes, ascending; NULL: none */
  int64_t n_keys;
} bpi_spool;

/* A data set of the rows of a stream, spooled. memory: bytes that what is kept of it may take. */
bp_status bpi_spool_csv(bp_ctx *ctx, bp_csv *c, const bp_data_options *o, int64_t memory, bp_data **out);
void bpi_spool_free(bpi_spool *s);
/* Moves the rows of e, which are floats in the order of its fields, from memory into a file; and more of the kind behind them. */
bp_status bpi_spool_begin(bpi_examples *e, int64_t memory);
bp_status bpi_spool_append(bpi_examples *e, const bpi_examples *more);
/* Whether rows have weights of their own. */
bool bpi_weighted(const bpi_examples *e);

/* Rows first .. first + n - 1 of e, which is spooled, into the rows of `to` from number `at` on; `to` comes of bpi_spool_room. */
bp_status bpi_spool_read(const bpi_examples *e, int64_t first, int64_t n, bpi_examples *to, int64_t at);
/* An empty set in memory for that many of its rows, with its names. */
bpi_examples *bpi_spool_room(const bpi_examples *e, int64_t rows);

/* Where row i of d, which is spooled, stands in the file; and how messages call it. */
int64_t bpi_spool_at(const bp_data *d, int64_t i);
long long bpi_spool_number(const bp_data *d, int64_t i);

/* Splits a spooled set. held_out comes into memory: as much of `fraction` as fits there. */
bp_status bpi_spool_split(const bp_data *d, double fraction, uint64_t seed, bp_data **rest,
                          bp_data **held_out);
/* Both parts stay in the file. */
bp_status bpi_spool_fold(const bp_data *d, int folds, int fold, uint64_t seed, bp_data **rest,
                         bp_data **held_out);

/* The inputs of one row of d, by its number there. */
bp_status bpi_spool_row(const bp_data *d, int64_t i, float *out);
/* Rows at[n] of d, which is spooled, in memory. */
bp_status bpi_spool_part(const bp_data *d, const int64_t *at, int64_t n, bp_data **out);
/* The rows of any data set, block by block in memory: of one that is not spooled, d itself is the one block. */
typedef struct bpi_blocks {
  const bp_data *d;
  int64_t next; /* row of the file */
  int64_t done_rows;
  bpi_examples *room;
  bp_data block;
  bool done;
} bpi_blocks;

void bpi_blocks_begin(bpi_blocks *b, const bp_data *d);
/* *block is NULL behind the last one. */
bp_status bpi_blocks_next(bpi_blocks *b, const bp_data **block);
void bpi_blocks_end(bpi_blocks *b);

/* Rows of the file that are not in d, of those in [first, end). */
int64_t bpi_spool_left_out(const bp_data *d, int64_t first, int64_t end);
/* Reads rows [first, end) of the file that are in d. *n: how many; `to` has room for all from row `at` on. */
bp_status bpi_spool_rows(const bp_data *d, int64_t first, int64_t end, bpi_examples *to, int64_t at,
                         int64_t *n);

#endif

/* Data sets inside: counted storage, and the rows of it that a part has. */
#ifndef BPI_EXAMPLES_H
#define BPI_EXAMPLES_H

#include "base/shape.h"
#include "train/fields.h"
#include "train/rowset.h"

#include <stdatomic.h>

/* Raw columns: what was read, before any network. A value is a number, or the number of its category; NaN where it is missing. */
typedef struct bpi_examples {
  bp_ctx *ctx;
  atomic_int count; /* parts that share it */
  int64_t rows, cols;
  float *x;          /* [rows, cols], or NULL where */
  uint8_t *pixels;   /* they are bytes */
  bool image;        /* scaled by one mean and deviation */
  bool missing;      /* some value is */
  int64_t shape[3];  /* height, width, channels of an image; else 0 */
  bpi_field *fields; /* [cols], or NULL: numbers without names */
  int64_t *labels;   /* [rows], or NULL */
  float *y;          /* [rows, n_y], or NULL */
  int64_t n_y, classes;
  bpi_field *targets; /* [n_targets]: one with the names of classes, or n_y; NULL: none are known */
  int64_t n_targets;
  float *weights;          /* [rows], or NULL */
  struct bpi_spool *spool; /* the rows in a file, see spool.h; then x, labels, y and weights are NULL */
  char **notes;            /* [n_notes]: what was done that a person should know */
  size_t n_notes, notes_cap;
  bool fitted; /* read for a network, which found in them: */
  bp_unseen unseen;
  int64_t first_row;     /* how messages count the rows: this is added; */
  int64_t *numbers;      /* or [rows] their numbers, from 1 */
  _Atomic uint64_t hash; /* of all rows; 0: not worked out yet */
} bpi_examples;

struct bp_data {
  bpi_examples *all;
  int64_t *rows; /* [n] rows of all; NULL: every one */
  int64_t n;
  bool part;                /* of a split: the other part need not have all of its categories */
  bpi_rowset held;          /* rows of the file that a spooled set is without */
  const struct bp_data *of; /* of a block: the spooled set that it is read from, */
  int64_t first;            /* and its first row there */
};

/* Takes the storage over, also on failure. */
bp_data *bpi_data_wrap(bpi_examples *e);
bpi_examples *bpi_examples_new(bp_ctx *ctx);
void bpi_examples_drop(bpi_examples *e);

/* A number for the inputs of a row: the same for equal rows. */
uint64_t bpi_row_hash(const bpi_examples *e, int64_t row);

/* Adds a note. */
bp_status bpi_examples_note(bpi_examples *e, const char *fmt, ...) BP_PRINTF(2, 3);

static inline int64_t bpi_data_at(const bp_data *d, int64_t i)
{
  return d->rows ? d->rows[i] : i;
}

/* As messages call row i of a data set. */
long long bpi_row_number(const bp_data *d, int64_t i);

static inline float bpi_raw_value(const bpi_examples *e, int64_t row, int64_t column)
{
  int64_t i = row * e->cols + column;
  return e->pixels ? (float)e->pixels[i] : e->x[i];
}

#endif

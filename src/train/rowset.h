/* Sets of row numbers: a bit for each row, so that any part of a table of any size costs little. */
#ifndef BPI_ROWSET_H
#define BPI_ROWSET_H

#include "base/ctx.h"

typedef struct bpi_rowset {
  uint64_t *bits; /* [words] */
  size_t words;
  int64_t *before; /* [words / 64 + 1] members before each block of 4,096 rows, by bpi_rowset_index */
  int64_t n;
} bpi_rowset;

/* An empty set is all zeros. Adds a row; false: no memory. */
bool bpi_rowset_add(bp_ctx *ctx, bpi_rowset *s, int64_t row);
/* Adds the members of another. */
bool bpi_rowset_join(bp_ctx *ctx, bpi_rowset *s, const bpi_rowset *more);
/* After the last row was added, before the functions below are called. false: no memory. */
bool bpi_rowset_index(bp_ctx *ctx, bpi_rowset *s);
void bpi_rowset_free(bp_ctx *ctx, bpi_rowset *s);
/* Members below `row`. */
int64_t bpi_rowset_before(const bpi_rowset *s, int64_t row);
/* The row that has i rows before it which are no members, and is none itself. */
int64_t bpi_rowset_outside(const bpi_rowset *s, int64_t i);

static inline bool bpi_rowset_has(const bpi_rowset *s, int64_t row)
{
  size_t word = (size_t)row / 64;
  return word < s->words && (s->bits[word] >> (row % 64) & 1);
}

#endif

/* A table while it is filled, row by row. */
#ifndef BPI_TABLE_H
#define BPI_TABLE_H

#include "base/source.h"
#include "data/category.h"

typedef enum bpi_column_kind {
  BPI_COLUMN_EMPTY, /* nothing but missing values so far */
  BPI_COLUMN_NUMBERS,
  BPI_COLUMN_TEXT,
  BPI_COLUMN_LATE,   /* text, found out after other values: its categories need the text again */
  BPI_COLUMN_SKIPPED /* not kept */
} bpi_column_kind;

typedef struct bpi_column {
  bpi_column_kind kind;
  unsigned
      width; /* bytes a value: numbers 1, 2, 4 (whole numbers; the least value is missing) or 8; text 4 */
  void *data;
  int64_t missing, marks;
  bool unnamed; /* by the header, which named others */
  bool blanked; /* a value was taken for missing that would be a category of text */
  bpi_categories *categories;
} bpi_column;

struct bp_table {
  bp_ctx *ctx;
  char *source; /* for messages */
  bpi_categories names;
  bpi_column *columns;
  int n;
  size_t columns_cap;
  int64_t rows;
  int64_t cap;   /* rows there is room for */
  int64_t first; /* rows of the input before */
};

bp_table *bpi_table_new(bp_ctx *ctx, const char *source);
/* One column more, whose name no other has. Functions that return bool fail for want of memory alone. */
bool bpi_table_add_column(bp_table *t, const char *name, size_t n, bool unnamed);
/* Room for one more row, where at most `most` will ever be needed. */
bool bpi_table_room(bp_table *t, int64_t most);
/* Sets a value of row t->rows. */
bool bpi_column_number(bp_table *t, bpi_column *c, double x);
void bpi_column_missing(bp_table *t, bpi_column *c);
/* A missing value that is not counted, in place of one that is no number; a mark is counted. */
void bpi_column_blank(bp_table *t, bpi_column *c, bool mark);
bool bpi_column_text(bp_table *t, bpi_column *c, const char *s, size_t n);
/* Makes a column TEXT with all values missing, to be filled again. */
bool bpi_column_restart(bp_table *t, bpi_column *c);
/* Frees its values; and makes it one of a kind that is not TEXT. */
void bpi_column_forget(bp_table *t, bpi_column *c);
void bpi_column_renew(bp_table *t, bpi_column *c, bpi_column_kind kind);
/* Forgets the rows; columns stay what they are. `first`: of the rows to come. */
void bpi_table_clear(bp_table *t, int64_t first);
/* The column whose name is nearest, if it is near enough to be meant; else NULL. */
const char *bpi_table_nearest(const bp_table *t, const char *name);
/* The different texts of a column; NULL where it is none of text. */
const bpi_categories *bpi_table_texts(const bp_table *t, int column);
/* Gives back memory that the rows do not need. */
void bpi_table_shrink(bp_table *t);

#endif

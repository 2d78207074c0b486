/* Columns of a table as floats: numbers, or numbers of categories. */
#ifndef BPI_TABLEREADER_H
#define BPI_TABLEREADER_H

#include "train/examples.h"

/* How one column is read. */
typedef struct bpi_reader {
  const bp_table *t;
  int column;
  bp_column info;
  const int32_t *codes; /* of a text column: [rows] */
  float *by_code;       /* [categories] of it: what each counts as; NaN: missing; BPI_UNKNOWN */
  double *keys;         /* [n_keys] ascending: numbers that are categories */
  int64_t n_keys;
  bool categories; /* values are numbers of categories */
} bpi_reader;

#define BPI_UNKNOWN (-1.0F) /* a category that the network does not know */

/* Readers of column c of t; freed with bpi_reader_free, also on failure. Numbers: text that is none is missing. */
bp_status bpi_reader_numbers(bp_ctx *ctx, const bp_table *t, int c, bpi_reader *r);
/* Categories, which are found and named in order: of texts by their bytes, of numbers by value. marks: texts as NA are no categories, but missing. */
bp_status bpi_reader_categories(bp_ctx *ctx, const bp_table *t, int c, bool marks, bpi_reader *r,
                                bpi_field *f);
/* Categories that are known already; NA and the like are missing, unless they are among them. */
bp_status bpi_reader_known(bp_ctx *ctx, const bp_table *t, int c, const bpi_field *f, bpi_reader *r);
void bpi_reader_free(bp_ctx *ctx, bpi_reader *r);
/* Rows first .. first + n - 1, `step` floats apart. BP_E_RANGE: a number that no float holds. */
bp_status bpi_reader_get(const bpi_reader *r, int64_t first, int64_t n, int64_t step, float *out);
/* Value of a row, as text. */
void bpi_reader_text(const bpi_reader *r, int64_t row, char *out, size_t size);
/* Whether the numbers only count the rows. */
bool bpi_reader_counts_rows(const bp_table *t, int column);
/* Whether floats tell the numbers apart: BP_E_RANGE. */
bp_status bpi_reader_check(bp_ctx *ctx, const bpi_reader *r);
/* That failure, of a column of that mean and deviation. */
bp_status bpi_reader_imprecise(const char *name, double mean, double deviation);

/* Weights of the rows from a column; and whether those of the rows of d can be used: BP_E_RANGE. */
bp_status bpi_read_weights(const bp_table *t, int column, bpi_examples *e);
bp_status bpi_check_weights(const bp_data *d);
/* The first half of that for a block of rows: each by itself; adds them up. */
bp_status bpi_sum_weights(const bp_data *d, double *sum);

#endif

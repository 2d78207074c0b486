/* The encoding of a network: how raw columns become what it sees. Fitted on the training part alone, kept in the model, applied while batches are
 * gathered.
 *
 * A number becomes z = (x - mean) * scale, and where |z| > 3 its tail is bent: +-(3 + ln(1 + |z| - 3)), so that a value far out neither drowns
 * the others nor is taken for another. A category becomes one input for each category of the training part, 1 for its own and 0 for the others; or,
 * where there are many, one input that holds its number, for an embedding layer: those stand at the end of the row. A missing value (NaN) counts as
 * the mean, or the most common category, and has an input of its own that is 1 where the training part had missing values in the column. */
#ifndef BPI_ENCODING_H
#define BPI_ENCODING_H

#include "train/examples.h"

/* Inputs that a column becomes. */
typedef struct bpi_coding {
  int64_t at, width; /* the number, or 0 and 1 for each category, or the category's number */
  int64_t missing;   /* the one that is 1 where the value is missing; -1: none */
  bool embedded;
} bpi_coding;

typedef struct bpi_encoding {
  bp_ctx *ctx;
  int64_t cols, inputs; /* raw columns, and what they become */
  float *mean, *scale;  /* [cols], of numbers */
  float *fill;          /* [cols]: the number or category in the place of a missing one */
  bpi_field *fields;    /* [cols], or NULL: numbers without names */
  bpi_coding *codings;  /* [cols], or NULL: every column is one number */
  int64_t n_embedded;   /* the last inputs, which hold category numbers */
  int64_t *embedded;    /* [n_embedded]: categories of each */
  bool refuse;          /* missing values */
  bool tails;           /* they are bent; not of images, and numbers that stay as they are */
  bool
      unknown_missing; /* categories that the training part did not have count as missing; else they are an error */
} bpi_encoding;

/* How data answer to a network: where its columns are in them, and what their categories and classes are called there. */
typedef struct bpi_match {
  bp_ctx *ctx;
  int64_t cols;
  int *column;      /* [cols]: column of the data; NULL: the same */
  int32_t **codes;  /* [cols]: by category of the data, the network's, or -1; NULL where they are the same */
  int32_t *classes; /* by class of the data, the network's; NULL: the same, or none */
  bool missing;     /* some value is missing or counts as that */
} bpi_match;

typedef struct bpi_encode_options {
  bool raw; /* numbers stay as they are */
  bool
      pixels; /* rows are images, whose values have one mean and deviation, where none is a category or missing */
  bool refuse;         /* missing values */
  int64_t embed_above; /* a column with more categories is embedded */
} bpi_encode_options;
/* Fills *e, to be cleared also on failure. */
bp_status bpi_encoding_fit(bpi_encoding *e, const bp_data *d, const bpi_encode_options *o);
/* Sets at, width and missing of codings whose embedded and missing (0 or -1) are set, and inputs, n_embedded and embedded. */
bp_status bpi_encoding_layout(bpi_encoding *e);
void bpi_encoding_clear(bpi_encoding *e);

/* Writes rows at[0..n) of d, encoded, as float32 or float64: n * inputs. */
void bpi_data_gather(const bp_data *d, const int64_t *at, int64_t n, const bpi_encoding *e,
                     const bpi_match *m, bp_dtype real, void *out);
/* Mean and 1/deviation of each real target; 1 for a constant one. */
bp_status bpi_data_fit_targets(const bp_data *d, float *mean, float *scale);

/* BP_E_UNSUPPORTED for the first missing value of d in a column of e, which it names. column: where those lie in d; NULL: the same. */
bp_status bpi_encoding_refuse(const bpi_encoding *e, const bp_data *d, const int *column);
/* Rows of raw numbers, [rows, cols]: BP_E_RANGE for a category that does not exist, BP_E_UNSUPPORTED for a missing value that is refused.
 * *missing: there are some. */
bp_status bpi_encoding_check(const bpi_encoding *e, const float *x, int64_t rows, bool *missing);
/* Finds the columns of e, and their categories, in d. Fills *m, freed with bpi_match_clear. BP_E_MISMATCH: a column is missing; a category is
 * unknown, which names row and column, unless unknown ones count as missing or d is a part of a split. */
bp_status bpi_encoding_match(const bpi_encoding *e, const bp_data *d, bpi_match *m);
void bpi_match_clear(bpi_match *m);

/* Counts a missing value of a row, as messages call it, and a column; unless an input of its own says that it is missing. unknown: an unknown category. */
void bpi_unseen_add(const bpi_encoding *e, bp_unseen *u, bool unknown, int64_t row, int64_t column);
/* Those of rows that come later. */
void bpi_unseen_join(bp_unseen *u, const bp_unseen *more);

/* First of the inputs that column c becomes. */
static inline int64_t bpi_encoding_input(const bpi_encoding *e, int64_t c)
{
  return e->codings ? e->codings[c].at : c;
}

/* What an input is called: "age", "sex=male", "age missing"; "" where the columns have no names. */
void bpi_encoding_name(const bpi_encoding *e, int64_t input, char *out, size_t size);

static inline int64_t bpi_match_label(const bpi_match *m, int64_t label)
{
  return m->classes ? m->classes[label] : label;
}

#endif

/* Data sets inside: counted storage, and the rows of it that a part has. */
#ifndef BPI_EXAMPLES_H
#define BPI_EXAMPLES_H

#include "base/shape.h"

#include <stdatomic.h>

typedef struct bpi_examples {
  bp_ctx *ctx;
  atomic_int count; /* parts that share it */
  int64_t rows, cols;
  float *x;        /* [rows, cols], or NULL where */
  uint8_t *pixels; /* they are bytes */
  bool image;      /* scaled by one mean and deviation */
  int64_t *labels; /* [rows], or NULL */
  float *y;        /* [rows, n_y], or NULL */
  int64_t n_y, classes;
  char **class_names; /* [classes], or NULL: numbers */
  char **col_names;   /* [cols], or NULL */
  char *target;       /* name of the target column, or NULL */
} bpi_examples;

struct bp_data {
  bpi_examples *all;
  int64_t *rows; /* [n] rows of all; NULL: every one */
  int64_t n;
};

/* Takes the storage over, also on failure. */
bp_data *bpi_data_wrap(bpi_examples *e);
bpi_examples *bpi_examples_new(bp_ctx *ctx);
void bpi_examples_drop(bpi_examples *e);

static inline int64_t bpi_data_at(const bp_data *d, int64_t i)
{
  return d->rows ? d->rows[i] : i;
}

/* How inputs become what a network sees: (x - mean) * scale; one mean and scale for all columns of images. */
typedef struct bpi_scaling {
  int64_t cols;
  const float *mean, *scale; /* [cols] */
  const int *column;         /* which column of the data is each; NULL: the same */
} bpi_scaling;

/* Writes rows at[0..n) of d, scaled, as float32 or float64. */
void bpi_data_gather(const bp_data *d, const int64_t *at, int64_t n, const bpi_scaling *s, bp_dtype real,
                     void *out);
/* Mean and 1/deviation of each column over d; a constant column gets scale 0. */
void bpi_data_fit(const bp_data *d, float *mean, float *scale);
/* The same of each real target. */
void bpi_data_fit_targets(const bp_data *d, float *mean, float *scale);

#endif

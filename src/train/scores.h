/* Predictions of many rows beside what is true of them. */
#ifndef BPI_SCORES_H
#define BPI_SCORES_H

#include "train/net.h"

/* How often a class (or label) was there, was predicted, and both: sums of the rows' weights. */
typedef bp_class_count bpi_count;

struct bp_scores {
  bp_ctx *ctx;
  bp_task task;
  int64_t rows, outputs;
  float *p;        /* [rows, outputs] */
  float *y;        /* [rows, outputs]: values, or labels as 0 and 1; NULL for classes */
  int32_t *labels; /* [rows] of classes, else NULL */
  float *weight;   /* [rows], NULL: 1 each */
  float *
      loss; /* [rows]: minus the logarithm of what the truth was given; squared error of numbers, over the targets */
  bpi_count *count; /* [outputs] of classes and labels, else NULL */
  double total;     /* sum of the weights */
  bool finite;      /* no prediction is NaN or infinite */
};

static inline double bpi_weight(const bp_scores *s, int64_t row)
{
  return s->weight ? (double)s->weight[row] : 1;
}

static inline const float *bpi_row(const bp_scores *s, int64_t row)
{
  return s->p + row * s->outputs;
}

/* Number of the largest, the lowest where there are several. */
int64_t bpi_largest(const float *p, int64_t n);
/* Whether output k is true of a row, and whether it is predicted: a class, or a label over 1/2. */
bool bpi_is_true(const bp_scores *s, int64_t row, int64_t k);
bool bpi_is_predicted(const bp_scores *s, int64_t row, int64_t k);

#endif

/* Predictions of many rows beside what is true of them: kept, or seen once and summed. */
#ifndef BPI_SCORES_H
#define BPI_SCORES_H

#include "train/net.h"

/* How often a class (or label) was there, was predicted, and both: sums of the rows' weights. */
typedef bp_class_count bpi_count;

/* A metric as it is summed over rows. */
typedef struct bpi_sum {
  const struct bpi_metric *of;
  double arg;
  double *at; /* the numbers of each output, one after another */
} bpi_sum;

struct bp_scores {
  bp_ctx *ctx;
  bp_task task;
  int64_t rows, outputs, room; /* room: rows that there is memory for; 0: none is kept */
  float *p;                    /* [rows, outputs] */
  float *y;                    /* [rows, outputs]: values, or labels as 0 and 1; NULL for classes */
  int32_t *labels;             /* [rows] of classes, else NULL */
  float *weight;               /* [rows], NULL: 1 each */
  float *
      loss; /* [rows]: minus the logarithm of what the truth was given; squared error of numbers, over the targets */
  bpi_count *count;  /* [outputs] of classes and labels, else NULL */
  double *confusion; /* [outputs, outputs] of classes where rows are not kept, and they are few; else NULL */
  double total;      /* sum of the weights */
  bool finite;       /* no prediction is NaN or infinite */
  bool open, keep;   /* made by bp_scores_open; the rows that are added are kept */
  bpi_sum *sums;
  size_t n_sums;
};

/* One row, as metrics see it. */
typedef struct bpi_seen {
  const float *p, *y;     /* [outputs]; y NULL for classes */
  int64_t outputs, label; /* label: -1 where there are no classes */
  int64_t best;           /* the class predicted */
  double weight, loss;
} bpi_seen;

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
bpi_seen bpi_see(const bp_scores *s, int64_t row);
/* Whether output k is true of a row, and whether it is predicted: a class, or a label over 1/2. */
static inline bool bpi_is_true(const bpi_seen *r, int64_t k)
{
  return r->y ? r->y[k] > 0.5f : r->label == k;
}

static inline bool bpi_is_predicted(const bpi_seen *r, int64_t k)
{
  return r->y ? r->p[k] > 0.5f : r->best == k;
}

/* ---- scores.c ---- */

/* Empty scores with memory for `room` rows. NULL: BP_E_NOMEM. */
bp_scores *bpi_scores_room(bp_ctx *ctx, bp_task task, int64_t room, int64_t outputs, bool weighted);
/* What is known of all rows, anew from rows that are there. */
void bpi_scores_recount(bp_scores *s);
/* As bp_scores_open; confusion: the matrix comes along. */
bp_status bpi_scores_open(bp_ctx *ctx, bp_task task, int64_t outputs, const char *const *metrics,
                          bool confusion, bp_scores **out);
/* One more row into what is known of all. */
void bpi_scores_count(bp_scores *s, const bpi_seen *r);

/* ---- metrics.c ---- */

/* The numbers of output k that metric `name` sums up; NULL: it is not summed. */
const double *bpi_scores_sum(const bp_scores *s, const char *name, int64_t k);
/* Sets up the sums of metrics, by their names up to NULL. BP_E_NOTFOUND, BP_E_MISMATCH, BP_E_NOMEM. */
bp_status bpi_scores_ask(bp_scores *s, const char *const *names);
void bpi_scores_sum_row(bp_scores *s, const bpi_seen *r);
/* Whether it sums up the losses of rows. */
bool bpi_scores_of_losses(const bp_scores *s);

#endif

/* The table of metrics. */
#ifndef BPI_METRICS_H
#define BPI_METRICS_H

#include "train/scores.h"

/* How the values of single classes or targets become one. */
typedef enum bpi_mean {
  BPI_MEAN_EQUAL,  /* each counts the same; those that are not defined (NaN) are left out */
  BPI_MEAN_SUPPORT /* in proportion to how often a class is there */
} bpi_mean;

/* A row has a value of everything at once, or one of each class or target (`split`). It is a mean over rows (`of`); or sums of its own (`room`
 * numbers, to which `add` adds a row); or comes of the counts of classes alone; or of all rows at once (`rank`). arg: what stands in brackets
 * behind the name. What is not defined is NaN. */
typedef struct bpi_metric {
  bp_metric is;
  bool split;
  bpi_mean mean;
  double (*of)(const bpi_seen *r, int64_t k, double arg);
  int room;
  bool by_arg; /* room for each of arg */
  void (*add)(double *sum, const bpi_seen *r, int64_t k, double arg);
  double (*tell)(const bp_scores *s, int64_t k, double arg, const double *sum); /* NULL: sum / total weight */
  bp_status (*rank)(const bp_scores *s, int64_t k, double *out); /* fails for want of memory alone */
} bpi_metric;

/* The row of that name that fits the task. NULL: *st is BP_E_NOTFOUND or BP_E_MISMATCH. */
const bp_metric *bpi_metric_for(bp_task task, const char *name, bp_status *st);
/* bp_net_eval, and another metric beside it; name may be NULL. */
bp_status bpi_net_judge(bp_net *net, const bp_data *d, const char *name, bp_metrics *m, double *value);

/* Of classes and labels: metrics_class.c. */
double bpi_row_loss(const bpi_seen *r, int64_t k, double arg);
double bpi_share_right(const bpi_seen *r, int64_t k, double arg);
double bpi_all_right(const bpi_seen *r, int64_t k, double arg);
double bpi_among_first(const bpi_seen *r, int64_t k, double most);
double bpi_recall_of_known(const bp_scores *s, int64_t k, double arg, const double *sum);
double bpi_precision(const bp_scores *s, int64_t k, double arg, const double *sum);
double bpi_recall(const bp_scores *s, int64_t k, double arg, const double *sum);
double bpi_f1(const bp_scores *s, int64_t k, double arg, const double *sum);
double bpi_matthews(const bp_scores *s, int64_t k, double arg, const double *sum);
/* Three numbers a bin: weight, sums of probabilities, and of what was right. */
enum { BPI_BIN = 3 };
void bpi_into_bins(double *sum, const bpi_seen *r, int64_t k, double bins);
double bpi_calibration_error(const bp_scores *s, int64_t k, double bins, const double *sum);
/* ranking.c */
bp_status bpi_auc(const bp_scores *s, int64_t k, double *out);
bp_status bpi_average_precision(const bp_scores *s, int64_t k, double *out);

/* Of numbers, for target k: metrics_number.c. */
double bpi_square_off(const bpi_seen *r, int64_t k, double arg);
double bpi_absolute_off(const bpi_seen *r, int64_t k, double arg);
double bpi_relative_off(const bpi_seen *r, int64_t k, double arg);
double bpi_poisson_off(const bpi_seen *r, int64_t k, double arg);
double bpi_pinball_off(const bpi_seen *r, int64_t k, double q);
double bpi_root_of_mean(const bp_scores *s, int64_t k, double arg, const double *sum);
/* What R2 sums up. */
enum { BPI_R2_WEIGHT, BPI_R2_MEAN, BPI_R2_SPREAD, BPI_R2_ERROR, BPI_R2_ROOM };
void bpi_add_spread(double *sum, const bpi_seen *r, int64_t k, double arg);
double bpi_r2(const bp_scores *s, int64_t k, double arg, const double *sum);
void bpi_add_largest(double *sum, const bpi_seen *r, int64_t k, double arg);
double bpi_itself(const bp_scores *s, int64_t k, double arg, const double *sum);
bp_status bpi_median_error(const bp_scores *s, int64_t k, double *out);

#endif

/* The table of metrics. */
#ifndef BPI_METRICS_H
#define BPI_METRICS_H

#include "train/scores.h"

/* How the values of single classes or targets become one. */
typedef enum bpi_mean {
  BPI_MEAN_EQUAL,  /* each counts the same; those that are not defined (NaN) are left out */
  BPI_MEAN_SUPPORT /* in proportion to how often a class is there */
} bpi_mean;

/* A row has a value of everything at once, `all`, or one of each class or target, `each`. arg: what stands in brackets behind the name.
 * *out is NaN where it is not defined. They fail for want of memory alone. */
typedef struct bpi_metric {
  bp_metric is;
  bp_status (*all)(const bp_scores *s, double arg, double *out);
  bp_status (*each)(const bp_scores *s, int64_t k, double arg, double *out);
  bpi_mean mean;
} bpi_metric;

/* The row of that name that fits the task. NULL: *st is BP_E_NOTFOUND or BP_E_MISMATCH. */
const bp_metric *bpi_metric_for(bp_task task, const char *name, bp_status *st);
/* bp_net_eval, and another metric beside it; name may be NULL. */
bp_status bpi_net_judge(bp_net *net, const bp_data *d, const char *name, bp_metrics *m, double *value);

/* Of classes and labels: metrics_class.c. */
bp_status bpi_log_loss(const bp_scores *s, double arg, double *out);
bp_status bpi_accuracy(const bp_scores *s, double arg, double *out);
bp_status bpi_top(const bp_scores *s, double k, double *out);
bp_status bpi_recall_of_known(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_precision(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_recall(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_f1(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_matthews(const bp_scores *s, double arg, double *out);
bp_status bpi_exact_match(const bp_scores *s, double arg, double *out);
bp_status bpi_calibration_error(const bp_scores *s, double bins, double *out);
/* ranking.c */
bp_status bpi_auc(const bp_scores *s, int64_t k, double arg, double *out);

/* Of numbers, for target k: metrics_number.c. */
bp_status bpi_rmse(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_mse(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_mae(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_r2(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_median_error(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_largest_error(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_mape(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_poisson(const bp_scores *s, int64_t k, double arg, double *out);
bp_status bpi_pinball(const bp_scores *s, int64_t k, double q, double *out);

#endif

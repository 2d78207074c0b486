/* How a measurement is told. */
#ifndef CLI_MEASURED_H
#define CLI_MEASURED_H

#include "say.h"

/* "test accuracy 97.8 %" or "test RMSE 2.9", on stdout; `of` is "test", "validation" or "". */
void metrics_answer(const char *of, const bp_metrics *m);
/* {"rows":...} */
void metrics_json(const bp_metrics *m);
/* Metric i that was measured: its name, as in JSON. False: there are fewer. */
bool metrics_at(const bp_metrics *m, size_t i, const char **name, double *value);
/* Whether a network does better than always the same answer. */
bool metrics_beat_baseline(const bp_metrics *m);

/* ---- by the table of metrics ---- */

enum { METRIC_TEXT = 32 };

/* Whether a metric is told of these scores, and its value; top-k where there are more classes than that. */
bool metric_of(const bp_scores *s, const bp_metric *m, double *value);
/* Whether it is told of each class or target. */
bool metric_each(const bp_scores *s, const bp_metric *m);
/* Whether it is told of groups of rows: the few that most look for. */
bool metric_of_groups(const bp_metric *m, bp_task task);
/* A count of rows, or a sum of their weights; in text. */
const char *weight_text(double weight, char text[METRIC_TEXT]);
/* "97.8 %" or "0.9731", "-" where it is not defined; in text. */
const char *metric_text(const bp_metric *m, double value, char text[METRIC_TEXT]);
/* Its title, as that is of what stands in brackets by itself; else its name. */
const char *metric_title(const char *name);
/* "accuracy 97.8 %", "top(3) 99.1 %"; in text. */
enum { METRIC_TOLD = 96 };
const char *metric_told(const char *name, double value, char text[METRIC_TOLD]);

#endif

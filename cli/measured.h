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

#endif

/* Predictions of many rows, measured as they come. */
#ifndef CLI_SCORING_H
#define CLI_SCORING_H

#include "options.h"

/* Metrics by the order of all rows (ROC AUC) need the predictions of all. Whether `copies` of them fit the memory for data; if not, it is told what is
 * left out. */
bool scores_fit(const settings *s, const bp_net *net, int64_t rows, int copies);
/* Empty scores for the metrics of the network's task: all, or the few that are told of groups; keep: those by the order of all rows, too.
 * END_RESOURCES, told. */
int scores_open(bp_ctx *ctx, const bp_net *net, bool few, bool keep, bp_scores **out);
/* For bp_net_visit; user is such scores: adds the rows. */
bp_status scores_take(void *user, const bp_scores *block, int64_t first);

#endif

/* How much each row counts in training: by a column of weights, and by its class. */
#ifndef BPI_ROWWEIGHTS_H
#define BPI_ROWWEIGHTS_H

#include "train/net.h"

/* Weights of mean 1 over all rows, so that a learning rate means the same with and without them, and the mean of weight times loss over an epoch is
 * the weighted mean, sum(w l) / sum(w). Not of mean 1 in each batch: then a row would count by the company it is in. */
typedef struct bpi_row_weights {
  const bp_data *data;
  const bpi_match *match;
  double *of_class; /* by class of the network; NULL: 1 */
  double scale;
} bpi_row_weights;

/* Whether rows count differently at all. */
bool bpi_rows_weighted(const bp_data *d, const bp_train_options *o);
/* Where they do. BP_E_ARG: a weight is negative or not finite, or all are 0; BP_E_NOMEM. */
bp_status bpi_row_weights_open(bpi_row_weights *w, const bp_net *net, const bp_data *d,
                               const bpi_match *match, const bp_train_options *o);
/* Of a row of e, which holds the data or some of them. */
double bpi_row_weight(const bpi_row_weights *w, const bpi_examples *e, int64_t row);
void bpi_row_weights_close(bpi_row_weights *w);

#endif

/* Rows through a network, beside what is true of them. */
#ifndef BPI_PREDICT_H
#define BPI_PREDICT_H

#include "train/net.h"

/* A block of rows: what the network says, and the answers. */
typedef struct bpi_answered {
  int64_t first, n;
  const double *out, *raw;  /* [n, outputs] as bpi_net_outputs gives them */
  int64_t labels[BPI_BULK]; /* of classes, in the network's numbers */
  float *y;                 /* [n, outputs] else */
  float weights[BPI_BULK];  /* of the rows; 1 where there are none */
} bpi_answered;
typedef bp_status (*bpi_visit)(void *user, const bpi_answered *b);

/* All rows of d, in their order, block by block. Ends at the first status that is not BP_OK, and returns it; BP_E_MISMATCH before the first
 * block where d does not fit. */
bp_status bpi_net_visit(bp_net *net, const bp_data *d, bpi_visit visit, void *user);
/* Output k in the units of the target. */
double bpi_net_value(const bp_net *net, const double *out, int64_t k);

/* Logarithm of the probability that softmax gives k: also where the probability is too small for a number. */
double bpi_log_share(const double *raw, int64_t n, int64_t k);

#endif

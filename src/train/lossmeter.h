/* The loss of a network over rows whose outputs are known. It is taken of many rows at once, so that a loss that is no mean over rows, as a
 * correlation is none, means what it says. Of more than BPI_METERED rows: of so many at a time, and the mean of that, by weight. */
#ifndef BPI_LOSSMETER_H
#define BPI_LOSSMETER_H

#include "train/lane.h"
#include "train/predict.h"

enum { BPI_METERED = 65536 };

typedef struct bpi_loss_meter {
  bp_net *net;
  const bp_data *data;
  bool weighted;
  int64_t rows;      /* to come, in all */
  int64_t n, room;   /* collected, and as many as fit */
  bpi_lane lanes[2]; /* for `room` rows, and for those left at the end */
  double *raw, *y, *weights;
  int64_t *labels;
  double sum, total; /* of losses by weight; of the weights */
} bpi_loss_meter;

/* Whether the loss can be taken of the network's outputs and differentiated. Told with a caret, of an expression. */
bp_status bpi_loss_try(bp_net *net);
/* For all rows of data, in their order. BP_E_NOMEM, or what an expression fails with; then *out is NULL. */
bp_status bpi_meter_open(bp_net *net, const bp_data *data, bpi_loss_meter **out);
/* Rows of a block. */
bp_status bpi_meter_add(bpi_loss_meter *m, const bpi_answered *b);
/* The loss of all of them; not smoothed, and of numbers as they are learnt. */
double bpi_meter_loss(const bpi_loss_meter *m);
/* Kept for the next of as many rows, or freed. */
void bpi_meter_close(bpi_loss_meter *m);
void bpi_meter_free(bpi_loss_meter *m);

#endif

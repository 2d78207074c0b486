/* One step of training: forward, loss, gradients, clipping and the update of every parameter as one plan, fed by the loader's batches.
 *
 * Where a step takes the gradients of several parts of its batch (`accumulate`, and lbfgs, which takes all rows), a plan adds the gradient of
 * one part to their sum in the state, and what follows reads it there. */
#ifndef BPI_STEP_H
#define BPI_STEP_H

#include "nn/lbfgs.h"
#include "train/lane.h"
#include "train/loader.h"

enum { BPI_LANES = 4 };

typedef struct bpi_stepper {
  bp_net *net;
  const bp_train_options *o; /* filled in */
  bool weighted, mixed;      /* what batches feed beside examples and targets */
  bool summed;               /* gradients are summed over parts */
  bool done;                 /* lbfgs: no lower loss is to be found */
  bpi_lane lanes[BPI_LANES]; /* for batches, or parts of them, of each size there is */
  int n_lanes;
  bpi_lane update; /* from the sum */
  void *lr, *sum;  /* in the state */
  int64_t key[2];  /* of random nodes: seed, step */
  union {
    float narrow;
    double wide;
  } part;
  bpi_lbfgs lbfgs;
  const bpi_batch *batch; /* of the step in hand */
} bpi_stepper;

/* Rows of a step over data of so many rows. */
int64_t bpi_step_rows(const bp_train_options *o, int64_t rows);
/* For steps over data in batches of bpi_step_rows. net and o must outlive it; it must stay where it is. To be closed also on failure. */
bp_status bpi_stepper_open(bpi_stepper *s, bp_net *net, const bp_train_options *o, const bp_data *data);
/* One step with that learning rate; `number` counts them from 0. *loss: the mean over the batch, before the update.
 * BP_E_NOTFINITE: loss or gradient is not finite; no weight was changed. */
bp_status bpi_stepper_take(bpi_stepper *s, const bpi_batch *b, int64_t number, double rate, double *loss);
void bpi_stepper_close(bpi_stepper *s);

#endif

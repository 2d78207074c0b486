/* One step of training: forward, loss, gradients, clipping and the update of every parameter as one plan, fed by the loader's batches. */
#ifndef BPI_STEP_H
#define BPI_STEP_H

#include "train/loader.h"

/* The inputs of a step. */
typedef enum bpi_feed { BPI_FEED_X, BPI_FEED_Y, BPI_FEED_LABELS, BPI_FEED_KEY, BPI_FEEDS } bpi_feed;

/* One batch size: its plan, its run, and which inputs of the plan are fed (-1: not one of them). */
typedef struct bpi_lane {
  int64_t batch;
  bp_plan *plan;
  bp_run *run;
  int input[BPI_FEEDS];
} bpi_lane;

/* Plans for whole batches and for what is left of an epoch. */
typedef struct bpi_stepper {
  bp_net *net;
  const bp_train_options *o; /* filled in */
  bpi_lane full, rest;
  int64_t key[2]; /* of random nodes: seed, step */
  void *lr;       /* the learning rate, in the state */
} bpi_stepper;

/* For `rows` rows in batches of o->batch. net and o must outlive it; it must stay where it is. To be closed also on failure. */
bp_status bpi_stepper_open(bpi_stepper *s, bp_net *net, const bp_train_options *o, int64_t rows);
/* One step with that learning rate; `number` counts them from 0. *loss: the mean over the batch, before the update.
 * BP_E_NOTFINITE: loss or gradient is not finite; nothing was changed. */
bp_status bpi_stepper_take(bpi_stepper *s, const bpi_batch *b, int64_t number, double rate, double *loss);
void bpi_stepper_close(bpi_stepper *s);

#endif

/* How the learning rate goes over the steps of a training. */
#ifndef BPI_SCHEDULE_H
#define BPI_SCHEDULE_H

#include "base/named.h"

/* What a rate depends on beside the number of the step: what judgements have said so far. Belongs to a checkpoint. */
typedef struct bpi_plateau {
  double factor, best; /* from 1; the lowest loss, NAN before the first */
  int64_t bad;         /* epochs in a row without a better loss */
} bpi_plateau;

typedef struct bpi_schedule {
  int kind;
  bpi_named asked;                  /* with its numbers */
  double base;                      /* the learning rate asked for */
  int64_t steps, per_epoch, warmup; /* in all, of an epoch, and to begin with */
} bpi_schedule;

/* BP_E_ARG for options that make no sense. o: filled in; base: the learning rate asked for. */
bp_status bpi_schedule_open(bpi_schedule *s, const bp_train_options *o, double base, int64_t per_epoch);
/* The rate of a step, counted from 0. */
double bpi_schedule_rate(const bpi_schedule *s, const bpi_plateau *p, int64_t step);
/* After an epoch: its validation loss, or its training loss. */
void bpi_schedule_judge(const bpi_schedule *s, bpi_plateau *p, double loss);

#endif

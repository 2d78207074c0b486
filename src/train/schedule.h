/* How the learning rate goes over the steps of a training. */
#ifndef BPI_SCHEDULE_H
#define BPI_SCHEDULE_H

#include "base/shape.h"

/* What a schedule knows. */
typedef struct bpi_schedule {
  int kind;
  double base;              /* the learning rate asked for */
  int64_t steps, per_epoch; /* in all, and of an epoch */
} bpi_schedule;

/* BP_E_ARG for options that make no sense. o: filled in; base: the learning rate asked for. */
bp_status bpi_schedule_open(bpi_schedule *s, const bp_train_options *o, double base, int64_t per_epoch);
/* The rate of a step, counted from 0. */
double bpi_schedule_rate(const bpi_schedule *s, int64_t step);

#endif

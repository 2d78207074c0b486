/* A training as part of a search. */
#ifndef CLI_TRAIN_TRIAL_H
#define CLI_TRAIN_TRIAL_H

#include "options.h"

/* What part of a search it is. */
typedef struct trial_order {
  int64_t study, trial, run; /* of the history: run is continued; 0: a new one */
  int rung, rungs;           /* which part this is, from 0, of how many */
  const char *file;          /* its model, instead of what -o says */
  int64_t pause;             /* the epoch after which it stops, and can go on later; 0: none */
} trial_order;

typedef struct trial_report {
  int end;       /* as the program would end; END_SIGNAL alone: paused */
  bool finished; /* nothing is left to train */
  bool classes;  /* metric is an accuracy, else R2 */
  int64_t run;   /* in the history; 0: it is not there */
  int64_t epochs, best_epoch;
  double loss, metric; /* of validation, where the loss was lowest; NAN: none */
} trial_report;

/* Trains by s. A model file that is there already is an earlier part of the same training, which goes on from it. */
int train_trial(const settings *s, const trial_order *order, trial_report *report);

#endif

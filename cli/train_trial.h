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

/* How good it is: of the validation rows at the best epoch, or the means over folds. NAN: not measured. */
typedef struct trial_score {
  double loss, metric;
} trial_score;

typedef struct trial_report {
  int end;         /* as the program would end; END_SIGNAL alone: paused */
  bool finished;   /* nothing is left to train */
  char metric[64]; /* its name */
  int64_t run;     /* in the history; 0: it is not there */
  int64_t epochs, best_epoch;
  trial_score score;
} trial_report;

/* The epoch that the training in a model file would go on with, or a little later; 0: it is over, or the file is none. */
int64_t train_next_epoch(const char *file);

/* Trains by s; with s->resume, from that file on. */
int train_trial(const settings *s, const trial_order *order, trial_report *report);

#endif

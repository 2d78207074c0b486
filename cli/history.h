/* The history of runs: every training is a row of an SQLite database, which all processes of a user write to. It never stands in the way:
 * what cannot be written is told in one warning, and the training goes on. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "options.h"

typedef struct history history;

/* What is known when a training begins. Texts are copied; NULL and 0 are left out. */
typedef struct history_run {
  const char *command;     /* line that a shell would take */
  const char *options;     /* all in force, as a configuration file */
  const char *data, *hash; /* as typed; of its contents */
  int64_t rows, cols;
  const char *model;   /* file */
  const char *network; /* in words */
  int64_t parameters, seed;
  const char *metric;   /* name of the valid_metric of epochs */
  int64_t study, trial; /* of bprop tune */
  int64_t id;           /* of a run that goes on; 0: a new one */
} history_run;

/* One epoch; NAN where something was not measured. */
typedef struct history_epoch {
  int64_t epoch;
  double train_loss, valid_loss, valid_metric, seconds;
} history_epoch;

/* Opens the history that --runs names and writes the run, if that can be done at once; else with a later epoch, or the end.
 * NULL: off, or out of memory; the other calls take it. About a millisecond where the history exists. */
history *history_begin(const settings *s, const history_run *run);
/* Remembered, and written about once a second. Of very long runs every 10th is kept from 10,000 on, every 100th from 100,000, ... */
void history_add_epoch(history *h, const history_epoch *e);
/* of: "test", "validation" or "training". */
void history_add_metric(history *h, const char *of, const char *name, double value);
/* Writes what is left and closes. Waits for other writers for at most 10 s. status: "done", "interrupted", "diverged" or "failed"; message may
 * be NULL. Returns the number of the run; 0 if it is not in the history. */
int64_t history_end(history *h, const char *status, int64_t best_epoch, const char *message);

#endif

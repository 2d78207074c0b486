/* What the files of `bprop tune` share: one search, from its options to its last word. */
#ifndef CLI_TUNING_H
#define CLI_TUNING_H

#include "study.h"
#include "trials.h"

enum { MOST_TRIALS = 1 << 30 };

typedef struct tuning {
  settings s; /* with what a study that goes on was asked */
  study old;  /* that goes on; id 0: a new one */
  int64_t id; /* in the history; 0: it is not there */
  char folder[TRIAL_FILE - 64], output[TRIAL_FILE];
  int lock;      /* on the folder, by this process and its trials; -1: there is no folder */
  trial **trial; /* by number, from 1 */
  int64_t n;
  trial *best;             /* so far, of those whose file is there */
  const bp_metric *metric; /* that is asked for; NULL: the loss */
  double began, before;    /* seconds before this process */
  bool late;
} tuning;

/* Seconds that it has taken so far, with those of earlier processes. */
double tuning_seconds(const tuning *t);
/* Makes trials up to `number`. False: out of memory. */
bool tuning_reach(tuning *t, int64_t number);

/* tune_search.c: tries settings in brackets until there are enough, the time is up, a signal comes or nothing can go well; t->best is then the
 * best whose file is there. As trials_run. */
int tuning_search(tuning *t);
/* The best of all, whether its file is there or not. */
void tuning_choose(tuning *t);

/* tune_folder.c: where the models of trials are, beside the output. It is locked by the process that searches and by its trials: who goes on after a kill
 * waits until the last trial has saved. Making it takes the number of the study, which is in its name, and the output. */
int tuning_folder_name(tuning *t);
int tuning_folder_make(tuning *t);
void tuning_folder_remove(tuning *t);

/* tune_tell.c */
void tuning_tell_plan(const tuning *t);
void tuning_tell_trial(const tuning *t, const trial *x);
void tuning_tell_best(const tuning *t);

#endif

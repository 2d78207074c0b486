/* Trials of `bprop tune`: trainings in processes of their own, several at once. */
#ifndef CLI_TRIALS_H
#define CLI_TRIALS_H

#include "search.h"
#include "train_trial.h"

enum { TRIAL_FILE = 4096, TRIAL_TEXT = 1024 };

typedef struct trial {
  int64_t number; /* from 1 */
  settings s;     /* what it trains with; its model file is `file` */
  unsigned char *given;
  char file[TRIAL_FILE];
  int rungs;                                /* that it has done */
  trial_score reached[RUNGS];               /* when each was done */
  trial_report report;                      /* of the last training */
  char why[TRIAL_TEXT], answer[TRIAL_TEXT]; /* what it wrote to standard error, and to standard output */
  bool failed;
} trial;

typedef struct trials_order {
  const settings *s;
  int64_t study;
  int rung;
  int64_t parallel;
  double until; /* on the clock of stopwatch_now */
  void (*ended)(void *user, trial *t);
  void *user;
} trials_order;

/* Trains each of n trials, at most `parallel` at once, until the rung is done, and calls `ended` when one has ended. Stops early on a signal,
 * at `until`, and when a trial shows that none can go well: what still runs is asked to stop, and waited for. Returns END_DONE,
 * END_SIGNAL + the signal, or how that trial ended, told; *late: the time was up. */
int trials_run(const trials_order *o, trial *const *list, int64_t n, bool *late);

#endif

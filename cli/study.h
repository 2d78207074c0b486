/* A search in the history: what it was asked, and what its trials have reached. Without a history there is none of this. */
#ifndef CLI_STUDY_H
#define CLI_STUDY_H

#include "options.h"
#include "train_trial.h"

typedef struct study {
  int64_t id;
  char *folder, *options, *inputs; /* options that were given; inputs one a line */
  double seconds;                  /* that it has taken so far */
  bool done;
} study;

/* A new row; given: the options that were given, as settings_given_text. 0: it is not in the history. */
int64_t study_begin(const settings *s, const char *line, const char *given, const char *inputs);
/* Status "running", "done" or "interrupted", and how long it took so far. Marks this process as the one that works on it. */
void study_tell(const settings *s, int64_t id, const char *status, double seconds);
/* A study that is to go on. END_USAGE, END_DATA, told: there is none, or a process works on it. Freed with study_free. */
int study_find(const settings *s, const char *word, study *out);
void study_free(study *st);

/* A trial, or a rung that it has done. */
typedef struct study_rung {
  int64_t trial, run, epochs, best_epoch;
  int rung;           /* from 0; -1: none yet */
  const char *metric; /* its name; good while it is told */
  trial_score score;
} study_rung;
/* Calls fn for each rung, or once where there is none, trial by trial and rung by rung. END_DATA, told. */
int study_rungs(const settings *s, int64_t id, void (*fn)(void *user, const study_rung *r), void *user);

/* What a run reached, in words: "test accuracy 97.8 %"; "" where that is not known. */
void study_result(const settings *s, int64_t run, char text[96]);

#endif

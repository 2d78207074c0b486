/* What the files of `bprop train` share: one training, from its settings to its last word. */
#ifndef CLI_TRAIN_JOB_H
#define CLI_TRAIN_JOB_H

#include "history.h"
#include "options.h"
#include "progress.h"
#include "train_trial.h"

#include <stdio.h>

/* Where a training is told as it goes. */
typedef struct train_log {
  FILE *file; /* of JSON lines; NULL: none */
  bp_events *events;
  int end; /* how the program ends for want of it */
} train_log;

/* Options that are lists. */
enum { MOST_LISTED = 64 };
typedef struct train_lists {
  char *text; /* what the names below are in */
  bp_rate rates[MOST_LISTED];
  size_t n_rates;
  double *class_weights;
  bool balanced, flip;
  int64_t shift;
} train_lists;

typedef struct train_job {
  const settings *s;
  settings own; /* with what a training that goes on brings */
  bp_ctx *ctx;
  bp_data *all, *train, *valid, *test; /* all: what was read, when it was split */
  bp_net *net;
  char output[4096];
  const char *valid_how;
  bool cut_short; /* fewer rows are held out than were asked for, as no more fit the memory */
  progress progress;
  bp_saved last_save;
  bp_train_result result;
  bp_metrics judged; /* on test, else on valid */
  const char *judged_on;
  double
      linear; /* accuracy or R2 of a linear model on the same rows, NAN: there is none; where it is known */
  bool linear_known;
  train_log log;
  train_lists lists;
  history *history;         /* NULL: none is kept */
  int64_t run;              /* its number there, once it has ended */
  const trial_order *order; /* of bprop tune; else NULL */
  bool paused; /* the part of a search that it trains for is done: a signal that comes then changes nothing */
  bool over;   /* the training to go on with is finished */
  bp_net *start;                    /* of --from; else NULL */
  int64_t fold_epochs;              /* what cross-validation found; 0: nothing yet */
  trial_score folds;                /* the means over folds */
  char *options_text, *inputs_text; /* of a training that goes on */
  const char **inputs;
} train_job;

/* Each returns END_DONE, or how the program ends, told. */

/* train_options.c: what was typed, as what the library takes. Options that do not go together are END_USAGE. */
int train_check(const settings *s);
int train_output(train_job *j);
/* The text of --model, before any data are read. */
int train_model(train_job *j);
bp_net_options train_net_options(const settings *s);
/* Where what the library says is about an option, whose name it begins with, that is told, and END_USAGE; else `end`, and nothing is told. */
int train_option_wrong(int end);
/* Tells why bp_net_new gave none. */
int train_net_failed(const train_job *j);
bp_train_options train_options(train_job *j);
double train_rate(const settings *s);

/* train_lists.c: options that are lists, read; and what they name in the network, once that is there. */
int train_lists_read(train_job *j);
int train_lists_fit(train_job *j);
void train_lists_free(train_lists *l);

/* train_lr.c: --find-lr, instead of training. */
int train_find_lr(train_job *j);

/* train_data.c: what was read, split; files of their own are read for the network, so that columns and classes go by name. */
int train_read(train_job *j);
int train_read_more(train_job *j);

/* train_notes.c: what a model keeps of its training; and a training that goes on: its network, and its options and inputs into s. */
int train_note(train_job *j);
int train_resume(train_job *j, settings *s);
/* Of a training that was finished before: what came out is told again, from the file alone, and nothing is written. */
int train_over(const train_job *j);

/* train_history.c: the training as a row of the history of runs. end: how the program will end. */
void train_history_begin(train_job *j);
/* For bp_train_options; user is the job: the epoch is told and remembered. */
bool train_epoch(void *user, const bp_progress *now);
void train_history_end(train_job *j, int end);
/* "done", "diverged", "interrupted", "failed" */
const char *train_status(int end);
/* What a search goes by. */
trial_score train_score(const train_job *j);

/* train_metric.c: the metric beside the validation loss, by its name; and whether the one asked for is there, and fits the network. */
const char *train_metric(const train_job *j);
const char *train_metric_asked(const settings *s); /* NULL: none; the loss is what counts */
int train_metric_check(const settings *s);
int train_metric_fits(train_job *j);

/* train_log.c: --log and --tensorboard. The end gives `end`, or what became of the logs where that is END_DONE. */
int train_log_begin(train_job *j);
void train_log_epoch(train_job *j, const bp_progress *now);
int train_log_end(train_job *j, int end);

/* train_tell.c: what is told before, and after. */
int train_tell_data(train_job *j);
/* What of the rows held out training cannot have seen. */
int train_tell_unseen(train_job *j);
int train_tell_net(train_job *j);
int train_tell_baseline(train_job *j);
void train_tell_saved(const train_job *j);
/* For bp_train_options; user is the job: a save is told. */
bool train_tell_checkpoint(void *user, const bp_saved *saved);
void train_tell_interrupted(const train_job *j);
/* Measures the network on the test rows, else on what is held out, else on the training rows: once. */
int train_judge(train_job *j);
/* train_card.c: what the model file says of its data, and of how good it was found. */
int train_card(train_job *j);
void train_card_judged(train_job *j);
/* train_start.c: the network, from nothing or from a trained one, which is read first. */
int train_start(train_job *j);
int train_make_net(train_job *j);
bp_net *train_new_net(train_job *j, const bp_data *data);
/* train_folds.c: cross-validation, where it is asked for. */
int train_folds(train_job *j);
/* train_review.c: a linear model beside the network, judged on the same rows, once (`linear`); and warnings that teach. */
void train_linear(train_job *j, const bp_data *on);
int train_review(train_job *j, const bp_data *on);
/* Judges the network and tells it. how: "done", "early stop" or "interrupted". */
int train_finish(train_job *j, const char *how);

#endif

/* A training in hand: what the loop, its checkpoints and its judgement share. */
#ifndef BPI_TRAINER_H
#define BPI_TRAINER_H

#include "train/schedule.h"
#include "train/step.h"

/* Where a training stands, beside what is in the state: all that is needed to go on from there. */
typedef struct bpi_stand {
  int64_t epoch; /* in hand, from 1 */
  int64_t step;  /* steps that are done, of all epochs */
  int64_t best_epoch;
  int64_t better_epoch; /* the last whose validation loss or metric was better than all before */
  double sum;           /* of the losses of this epoch's rows so far */
  double best_loss, best_metric, best_train;
  double most; /* best metric of all epochs */
  bpi_plateau plateau;
} bpi_stand;

typedef struct bpi_trainer {
  bp_net *net;
  const bp_data *data;
  bp_train_options o; /* filled in */
  bpi_match match;
  bpi_stepper plan;
  bpi_schedule schedule;
  bpi_row_weights row_weights;
  bpi_augment augment;
  bpi_loader *loader;
  void *best;     /* the weights kept, */
  size_t weights; /* so many bytes */
  void *start;    /* the first weights, in the state; NULL: not needed */
  bool again;     /* once more, from all rows: nothing is told, or remembered */
  void *average;  /* running mean of the weights, in the state; NULL: none is wanted */
  bpi_stand at;
  int64_t rows, per_epoch; /* rows of a step, steps of an epoch */
  double loss;             /* of the last whole epoch */
  bp_metrics valid;
  const bp_metric *metric; /* that was asked for; NULL: the loss is watched, */
  bool loss_alone;         /* and nothing beside it */
  double watched;          /* that metric, after this epoch */
  uint64_t data_hash, valid_hash;
  bool hashed;
  double begun, saved; /* when training began, and was saved last */
} bpi_trainer;

/* Options filled in, data matched, plans made. To be closed also on failure. */
bp_status bpi_trainer_open(bpi_trainer *t, bp_net *net, const bp_data *data, const bp_train_options *options,
                           bool again);
/* The loader, from t->at on. */
bp_status bpi_trainer_load(bpi_trainer *t);
void bpi_trainer_close(bpi_trainer *t);

/* A training that stopped for what is not finite: its status. */
bp_status bpi_diverged(const bpi_trainer *t, const char *what);
/* Seconds of a clock that never goes back. */
double bpi_now(void);
static inline int64_t bpi_step_of_epoch(const bpi_trainer *t)
{
  return t->at.step - (t->at.epoch - 1) * t->per_epoch;
}

/* ---- stopping.c ---- */

/* Finds the metric that was asked for. BP_E_NOTFOUND, BP_E_MISMATCH, BP_E_ARG. */
bp_status bpi_stopping_open(bpi_trainer *t);
/* After an epoch: is it the best so far, whose weights are kept? Is it time to stop? */
bp_status bpi_stopping_judge(bpi_trainer *t, bool *stop);
/* The metric that is told: the one asked for, else accuracy, or R2. */
double bpi_watched(const bpi_trainer *t);

/* ---- average.c ---- */

/* Makes the entry of the state, where averaging is wanted. */
bp_status bpi_average_open(bpi_trainer *t);
/* After each step. */
void bpi_average_take(bpi_trainer *t);
/* The network's weights and their mean change places: around what judges and keeps them. */
void bpi_average_swap(bpi_trainer *t);

/* ---- refit.c ---- */

/* Whether it can be done, where it is wanted; its entry of the state; and the learning itself, once t has ended with its best weights. */
bp_status bpi_refit_check(const bpi_trainer *t);
bp_status bpi_refit_open(bpi_trainer *t);
bp_status bpi_refit(bpi_trainer *t, bp_train_result *r);
/* trainer.c: bp_net_train of a network that is in training, which tells nothing and remembers nothing. */
bp_status bpi_train_again(bp_net *net, const bp_data *data, const bp_train_options *options);

/* ---- checkpoint.c ---- */

/* Saves o.checkpoint and tells o.saved. False: that wants training to stop. */
bool bpi_checkpoint_save(bpi_trainer *t);
/* Whether it is time to. */
bool bpi_checkpoint_due(const bpi_trainer *t);
/* Puts everything as it was when o.resume was saved: state, best weights, place. Plans must be open, the loader not yet.
 * BP_E_MISMATCH, BP_E_ORDER, and as bp_tensors_load. */
bp_status bpi_checkpoint_restore(bpi_trainer *t);

#endif

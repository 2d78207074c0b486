/* Trains a network: data, network, training, saving, and the last word. */
#include "cmd.h"
#include "context.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bp_status train(train_job *j)
{
  bp_train_options o = train_options(j);
  progress_start(&j->progress, train_metric(j), j->s->json);
  interrupt_watch();
  bp_status st = bp_net_train(j->net, j->train, &o, &j->result);
  progress_stop(&j->progress);
  return st;
}

static int save(train_job *j)
{
  interrupt_hold(true);
  bp_status st = bp_net_save(j->net, j->output);
  interrupt_hold(false);
  return st == BP_OK ? END_DONE : fail_status(st, END_RESOURCES);
}

/* The library has saved, with all that going on takes. */
static int interrupted(train_job *j)
{
  if (j->last_save.status != BP_OK)
    return fail(END_RESOURCES, "interrupted, and what was learned since the last save is lost");
  train_tell_interrupted(j);
  int end = train_finish(j, "interrupted");
  return end ? end : END_SIGNAL + (j->paused ? 0 : interrupt_came());
}

/* The weights are those of the best epoch before; with none, there is nothing worth a file. */
static int diverged(train_job *j)
{
  fail(END_DIVERGED, "%s", bp_error());
  if (j->result.best_epoch < 1)
    return fail(END_DIVERGED, "no epoch was finished before; %s is not written", j->output);
  int end = save(j);
  if (end)
    return end;
  return fail(END_DIVERGED, "saved %s as it was at epoch %lld", j->output, (long long)j->result.best_epoch);
}

static int train_and_save(train_job *j)
{
  bp_status st = train(j);
  if (st == BP_E_STOPPED)
    return interrupted(j);
  if (st == BP_E_NOTFINITE)
    return diverged(j);
  if (st == BP_E_ARG || st == BP_E_ORDER)
    return train_option_wrong(END_DONE) ? END_USAGE : fail_status(st, END_USAGE);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  train_card_judged(j);
  int end = save(j);
  if (end)
    return end;
  train_tell_saved(j);
  return train_finish(j, j->result.stopped_early ? "early stop" : "done");
}

/* All that comes before the first step, in its order; each tells why it ends the program. */
static int prepare(train_job *j)
{
  static int (*const steps[])(train_job *) = {
      train_lists_read,  train_model,     train_start,     train_read,         train_make_net,
      train_metric_fits, train_read_more, train_tell_data, train_tell_unseen,  train_folds,
      train_note,        train_card,      train_tell_net,  train_tell_baseline};
  int end = END_DONE;
  for (size_t i = 0; !end && i < sizeof steps / sizeof *steps; i++)
    end = steps[i](j);
  return end;
}

static int run_job(train_job *j)
{
  int end = prepare(j);
  if (end)
    return end;
  if (j->s->find_lr)
    return train_find_lr(j);
  end = train_log_begin(j);
  if (end)
    return end;
  train_history_begin(j);
  end = train_and_save(j);
  train_history_end(j, end);
  return train_log_end(j, end);
}

static void job_free(train_job *j)
{
  progress_free(&j->progress);
  train_lists_free(&j->lists);
  bp_net_free(j->net);
  bp_net_free(j->start);
  bp_data_free(j->test);
  bp_data_free(j->valid);
  if (j->train != j->all)
    bp_data_free(j->train);
  bp_data_free(j->all);
  free(j->inputs);
  free(j->inputs_text);
  free(j->options_text);
}

/* Found before data are read. */
static int check(train_job *j)
{
  int end = train_check(j->s);
  return end ? end : train_output(j);
}

static trial_report report_of(const train_job *j, int end)
{
  trial_report r = {.end = end,
                    .finished = end == END_DONE,
                    .run = j->run,
                    .epochs = j->result.epochs,
                    .best_epoch = j->result.best_epoch,
                    .score = train_score(j)};
  snprintf(r.metric, sizeof r.metric, "%s", j->net ? train_metric(j) : "");
  return r;
}

/* j begins with its settings alone, and is freed here; report may be NULL. */
static int train_whole(train_job *j, trial_report *report)
{
  int end = j->s->resume ? END_DONE : check(j);
  if (end)
    return end;
  j->ctx = context_new(j->s);
  if (!j->ctx)
    return END_RESOURCES;
  j->own = *j->s;
  j->s = &j->own;
  bp_save_clean(j->ctx, j->own.resume ? j->own.resume : j->output);
  if (j->own.resume)
    end = train_resume(j, &j->own);
  if (!end && j->own.resume)
    end = check(j);
  if (!end)
    end = j->over ? train_over(j) : run_job(j);
  if (report)
    *report = report_of(j, end);
  job_free(j);
  return context_free(j->ctx, j->s, end);
}

int cmd_train(const settings *s)
{
  train_job j = {.s = s};
  return train_whole(&j, NULL);
}

int train_trial(const settings *s, const trial_order *order, trial_report *report)
{
  train_job j = {.s = s, .order = order};
  return train_whole(&j, report);
}

/* A training as a row of the history. */
#include "history.h"
#include "measured.h"
#include "shellwords.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void train_history_begin(train_job *j)
{
  const settings *s = j->s;
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(j->net), &frozen);
  const trial_order *o = j->order;
  char *line = o ? settings_command(s, s->command)
                 : shell_line("bprop train", (const char *const *)s->words, s->n_words);
  char *data = shell_line(NULL, s->inputs, s->n_inputs), *text = settings_text(s);
  char hash[24] = "";
  if (!s->runs || strcmp(s->runs, HISTORY_OFF) != 0) /* it reads all the data once */
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)bp_data_hash(j->all));
  j->history = history_begin(s, &(history_run){.command = line,
                                               .options = text,
                                               .data = data,
                                               .hash = hash,
                                               .rows = bp_data_rows(j->all),
                                               .cols = bp_data_cols(j->all),
                                               .model = j->output,
                                               .network = bp_net_summary(j->net),
                                               .parameters = trained + frozen,
                                               .seed = s->seed,
                                               .metric = train_metric(j),
                                               .study = o ? o->study : 0,
                                               .trial = o ? o->trial : 0,
                                               .id = o ? o->run : 0});
  free(line);
  free(data);
  free(text);
}

bool train_epoch(void *user, const bp_progress *now)
{
  train_job *j = user;
  history_add_epoch(j->history, &(history_epoch){.epoch = now->epoch,
                                                 .train_loss = now->train_loss,
                                                 .valid_loss = now->valid_loss,
                                                 .valid_metric = now->valid_metric,
                                                 .seconds = now->seconds});
  train_log_epoch(j, now);
  j->paused = j->order && now->epoch == j->order->pause;
  return progress_epoch(&j->progress, now) && !j->paused;
}

const char *train_status(int end)
{
  return end == END_DONE       ? "done"
         : end == END_SIGNAL   ? "paused"
         : end == END_DIVERGED ? "diverged"
         : end > END_SIGNAL    ? "interrupted"
                               : "failed";
}

trial_score train_score(const train_job *j)
{
  return j->s->folds ? j->folds
         : j->valid  ? (trial_score){j->result.valid_loss, j->result.valid_metric}
                     : (trial_score){NAN, NAN};
}

/* What a part of a search has reached counts for the parts after it, too, where nothing is left to train. */
static void add_rungs(const train_job *j, int end)
{
  const trial_order *o = j->order;
  trial_score reached = train_score(j);
  char name[16];
  if (end != END_DONE && end != END_SIGNAL)
    return;
  for (int k = o->rung; k < o->rungs && (k == o->rung || end == END_DONE); k++) {
    snprintf(name, sizeof name, "%d", k + 1);
    history_add_metric(j->history, "rung", name, reached.loss);
    history_add_metric(j->history, "rung metric", name, reached.metric);
  }
}

void train_history_end(train_job *j, int end)
{
  const char *name, *why = bp_error();
  double value;
  for (size_t i = 0; j->judged_on && metrics_at(&j->judged, i, &name, &value); i++)
    history_add_metric(j->history, j->judged_on, name, value);
  if (j->order)
    add_rungs(j, end);
  bool failed = end != END_DONE && end < END_SIGNAL;
  j->run = history_end(j->history, train_status(end), j->result.best_epoch, failed && *why ? why : NULL);
  j->history = NULL;
}

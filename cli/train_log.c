/* A training told to files as it goes: JSON lines (--log), and TensorBoard's event files (--tensorboard). */
#include "measured.h"
#include "outfile.h"
#include "shellwords.h"
#include "train_job.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A log that fails ends no training: it is told once, and the program ends with it. */
static void lost(train_log *l, const char *why)
{
  if (!l->end)
    l->end = fail(END_RESOURCES, "%s; training goes on without", why);
}

/* ---- JSON lines ---- */

/* Between these two, answers go into the log. */
static bool line_begin(train_log *l, const char *event)
{
  if (!l->file)
    return false;
  answer_into(l->file);
  answer("{\"schema\":1,\"event\":\"%s\"", event);
  return true;
}

static void line_end(train_job *j)
{
  train_log *l = &j->log;
  char why[4300];
  answer("}\n");
  answer_into(NULL);
  if (fflush(l->file) == 0 && !ferror(l->file))
    return;
  snprintf(why, sizeof why, "%s: cannot be written: %s", j->s->log, strerror(errno));
  lost(l, why);
  fclose(l->file);
  l->file = NULL;
}

static void put_number(const char *name, double x)
{
  answer(",\"%s\":", name);
  json_number(x);
}

static void put_text(const char *name, const char *text)
{
  answer(",\"%s\":", name);
  json_text(text);
}

static void put_count(const char *name, int64_t n)
{
  answer(",\"%s\":%lld", name, (long long)n);
}

static void log_begin(train_job *j)
{
  const settings *s = j->s;
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(j->net), &frozen);
  if (!line_begin(&j->log, "begin"))
    return;
  char *line = shell_line("bprop train", (const char *const *)s->words, s->n_words);
  put_text("bprop", BP_VERSION);
  put_text("command", line);
  free(line);
  put_text("model", j->output);
  put_text("network", bp_net_summary(j->net));
  put_count("parameters", trained + frozen);
  put_count("seed", s->seed);
  put_count("columns", bp_data_cols(j->train));
  put_count("train_rows", bp_data_rows(j->train));
  put_count("valid_rows", j->valid ? bp_data_rows(j->valid) : 0);
  put_count("test_rows", j->test ? bp_data_rows(j->test) : 0);
  line_end(j);
}

static void log_epoch(train_job *j, const bp_progress *now)
{
  char metric[64];
  if (!line_begin(&j->log, "epoch"))
    return;
  snprintf(metric, sizeof metric, "valid_%s", train_metric(j));
  put_count("epoch", now->epoch);
  put_count("epochs", now->epochs);
  put_number("train_loss", now->train_loss);
  put_number("valid_loss", now->valid_loss);
  put_number(metric, now->valid_metric);
  put_count("best_epoch", now->best_epoch);
  put_number("seconds", now->seconds);
  put_number("samples_per_second", now->samples_per_second);
  line_end(j);
}

static void log_end(train_job *j, int end)
{
  const char *why = bp_error();
  if (!line_begin(&j->log, "end"))
    return;
  put_text("status", train_status(end));
  if (end != END_DONE && end < END_SIGNAL)
    put_text("message", why);
  put_count("epochs", j->result.epochs);
  put_count("best_epoch", j->result.best_epoch);
  put_count("steps", j->result.steps);
  put_number("seconds", j->result.seconds);
  if (j->judged_on) {
    answer(",\"%s\":", j->judged_on);
    metrics_json(&j->judged);
  }
  line_end(j);
}

/* ---- event files ---- */

static void put_scalars(train_log *l, int64_t step, const bp_scalar *scalars, size_t n)
{
  bp_scalar known[8];
  size_t k = 0;
  for (size_t i = 0; i < n && k < sizeof known / sizeof *known; i++)
    if (!isnan(scalars[i].value))
      known[k++] = scalars[i];
  if (!l->events || bp_events_write(l->events, step, known, k) == BP_OK)
    return;
  lost(l, bp_error());
  bp_events_close(l->events);
  l->events = NULL;
}

static void events_epoch(train_job *j, const bp_progress *now)
{
  char metric[64];
  snprintf(metric, sizeof metric, "%s/valid", train_metric(j));
  const bp_scalar scalars[] = {{"loss/train", now->train_loss},
                               {"loss/valid", now->valid_loss},
                               {metric, now->valid_metric},
                               {"speed/samples per second", now->samples_per_second}};
  put_scalars(&j->log, now->epoch, scalars, sizeof scalars / sizeof *scalars);
}

static void events_end(train_job *j)
{
  const char *name;
  double value;
  for (size_t i = 0; j->judged_on && metrics_at(&j->judged, i, &name, &value); i++) {
    char tag[96];
    snprintf(tag, sizeof tag, "%s/%s at the end", name, j->judged_on);
    put_scalars(&j->log, j->result.best_epoch, &(bp_scalar){tag, value}, 1);
  }
}

/* ---- both ---- */

/* A log is no model and no data. */
static int log_is_free(const train_job *j)
{
  const settings *s = j->s;
  bool taken = same_path(s->log, j->output);
  for (int i = 0; i < s->n_inputs; i++)
    taken = taken || same_path(s->log, s->inputs[i]);
  for (int i = 0; i < s->test.n; i++)
    taken = taken || same_path(s->log, s->test.files[i]);
  for (int i = 0; i < s->valid.n; i++)
    taken = taken || same_path(s->log, s->valid.files[i]);
  return taken ? fail(END_USAGE, "%s: is the data or the model; name another file with --log", s->log)
               : END_DONE;
}

int train_log_begin(train_job *j)
{
  train_log *l = &j->log;
  if (j->s->log) {
    int end = log_is_free(j);
    if (end)
      return end;
    if (!(l->file = fopen(j->s->log, "w")))
      return fail(END_RESOURCES, "%s: cannot be written: %s", j->s->log, strerror(errno));
    log_begin(j);
  }
  if (j->s->tensorboard && bp_events_open(j->ctx, j->s->tensorboard, &l->events) != BP_OK)
    return fail_status(BP_E_IO, END_RESOURCES);
  if (l->events)
    say("curves: tensorboard --logdir %s", j->s->tensorboard);
  return END_DONE;
}

void train_log_epoch(train_job *j, const bp_progress *now)
{
  log_epoch(j, now);
  events_epoch(j, now);
}

int train_log_end(train_job *j, int end)
{
  train_log *l = &j->log;
  log_end(j, end);
  events_end(j);
  if (l->file && fclose(l->file))
    lost(l, strerror(errno));
  if (bp_events_close(l->events) != BP_OK)
    lost(l, bp_error());
  l->file = NULL;
  l->events = NULL;
  return end == END_DONE ? l->end : end;
}

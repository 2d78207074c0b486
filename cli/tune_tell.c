/* What a search tells: its plan, each trial, and the best. */
#include "tuning.h"
#include "measured.h"
#include "stopwatch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tuning_tell_plan(const tuning *t)
{
  char text[128] = "", name[48] = "", budget[64] = "", took[32], number[32] = "";
  for (int k = 0; k < search_rungs(&t->s); k++) {
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, k ? ", %lld" : "%lld", (long long)rung_epochs(&t->s, k));
  }
  if (t->id)
    snprintf(name, sizeof name, "study %lld: ", (long long)t->id);
  if (t->s.budget > 0)
    snprintf(budget, sizeof budget, ", for %s", duration_text(t->s.budget, took));
  int64_t most = t->s.trials ? t->s.trials : BRACKET,
          at_once = t->s.parallel ? t->s.parallel : bp_processors();
  if (t->s.trials || t->s.budget <= 0)
    snprintf(number, sizeof number, "%lld ", (long long)most);
  say("%s%strial%s%s, %lld at once, of %s epochs; seed %lld", name, number, most == 1 ? "" : "s", budget,
      (long long)at_once, text, (long long)t->s.seed);
}

/* ---- a trial ---- */

/* The command that trains the same network by itself. To be freed; may be NULL. */
static char *command_of(const trial *x)
{
  return settings_command(&x->s, x->s.command);
}

/* What was drawn, as options. */
static char *drawn_of(const tuning *t, const trial *x)
{
  unsigned char *given = calloc(option_count, 1);
  settings s = x->s;
  char *line = NULL;
  for (size_t i = 0; given && i < option_count; i++)
    given[i] = x->given[i] && !t->s.given[i];
  s.n_inputs = 0;
  s.given = given;
  if (given)
    line = settings_command(&s, s.command);
  free(given);
  return line;
}

static const char *first_line(const char *why)
{
  static char line[500];
  const char *from = strncmp(why, "bprop: ", 7) ? why : why + 7;
  snprintf(line, sizeof line, "%.*s", (int)strcspn(from, "\n"), from);
  return line;
}

static void say_trial(const tuning *t, const trial *x)
{
  const trial_report *r = &x->report;
  char *words = drawn_of(t, x), metric[METRIC_TOLD + 2] = "", text[METRIC_TOLD];
  const char *what = words && strlen(words) > 12 ? words + 12 : "as bprop train does it";
  if (!isnan(r->score.metric) && *r->metric)
    snprintf(metric, sizeof metric, "  %-16s", metric_told(r->metric, r->score.metric, text));
  if (isnan(r->score.loss) && !x->failed)
    say("trial %3lld  stopped before an epoch was done  %s", (long long)x->number, what);
  else if (x->failed)
    say("trial %3lld  %4lld epochs  failed: %s  %s", (long long)x->number, (long long)r->epochs,
        first_line(x->why), what);
  else
    say("trial %3lld  %4lld %s  %s %.4f%s  %s", (long long)x->number, (long long)r->epochs,
        r->epochs == 1 ? "epoch " : "epochs", t->s.folds ? "folds" : "valid", r->score.loss, metric, what);
  free(words);
}

/* The loss, and the metric by its name. */
static void json_score(const trial_report *r)
{
  json_number(r->score.loss);
  if (!*r->metric)
    return;
  answer(",");
  json_text(r->metric);
  answer(":");
  json_number(r->score.metric);
}

static void json_trial(const tuning *t, const trial *x)
{
  char *line = command_of(x);
  answer("{\"schema\":1,\"study\":%lld,\"trial\":%lld,\"run\":%lld,\"rungs\":%d,\"epochs\":%lld,\"best_"
         "epoch\":%lld,\"loss\":",
         (long long)t->id, (long long)x->number, (long long)x->report.run, x->rungs,
         (long long)x->report.epochs, (long long)x->report.best_epoch);
  json_score(&x->report);
  answer(",\"failed\":%s,\"command\":", x->failed ? "true" : "false");
  json_text(line);
  answer("}\n");
  free(line);
}

void tuning_tell_trial(const tuning *t, const trial *x)
{
  say_trial(t, x);
  if (t->s.json)
    json_trial(t, x);
}

/* ---- the best ---- */

static void tell_json(const tuning *t, const char *line)
{
  answer("{\"schema\":1,\"study\":%lld,\"trials\":%lld,\"seconds\":", (long long)t->id, (long long)t->n);
  json_number(tuning_seconds(t));
  answer(",\"best\":%lld,\"loss\":", (long long)t->best->number);
  json_score(&t->best->report);
  answer(",\"model\":");
  json_text(t->output);
  answer(",\"command\":");
  json_text(line);
  answer("}\n");
}

static int64_t tried(const tuning *t)
{
  int64_t n = 0;
  for (int64_t i = 1; i <= t->n; i++)
    n += t->trial[i]->failed || !isnan(t->trial[i]->report.score.loss);
  return n;
}

/* "validation loss 0.0414", "mean ROC AUC 0.9 over 5 folds" */
static const char *reached(const tuning *t, const trial *x, char words[METRIC_TOLD + 64])
{
  char text[METRIC_TOLD], loss[METRIC_TOLD];
  snprintf(loss, sizeof loss, "loss %.4f", x->report.score.loss);
  const char *what = t->metric ? metric_told(t->s.metric, x->report.score.metric, text) : loss;
  if (t->s.folds)
    snprintf(words, METRIC_TOLD + 64, "mean %s over %lld folds", what, (long long)t->s.folds);
  else
    snprintf(words, METRIC_TOLD + 64, "validation %s", what);
  return words;
}

/* What is seen on test rows; else over the folds, or on validation rows. */
static void tell_result(const tuning *t, const trial *x)
{
  char text[METRIC_TOLD], result[96];
  if (t->s.folds && !t->s.test.n && t->s.test.fraction <= 0) {
    answer("%s over %lld folds\n", metric_told(x->report.metric, x->report.score.metric, text),
           (long long)t->s.folds);
    return;
  }
  study_result(&t->s, x->report.run, result);
  answer("%s%s", *x->answer ? x->answer : result, *x->answer || !*result ? "" : "\n");
}

void tuning_tell_best(const tuning *t)
{
  trial *x = t->best;
  char *line = command_of(x), took[32], words[METRIC_TOLD + 64];
  say("best of %lld: trial %lld, %s -> %s (%s)", (long long)tried(t), (long long)x->number,
      reached(t, x, words), t->output, duration_text(tuning_seconds(t), took));
  if (t->s.json) {
    tell_json(t, line);
  } else {
    tell_result(t, x);
    answer("%s\n", line ? line : "");
  }
  free(line);
}

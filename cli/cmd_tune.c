/* Searches for settings that train well: draws them, tries them, keeps the best. */
#include "cmd.h"
#include "outfile.h"
#include "stopwatch.h"
#include "train_job.h"
#include "tuning.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

double tuning_seconds(const tuning *t)
{
  return t->before + stopwatch_now() - t->began;
}

/* ---- what is asked ---- */

static char *joined_lines(const settings *s)
{
  char *text = NULL;
  size_t n;
  FILE *out = open_memstream(&text, &n);
  for (int i = 0; out && i < s->n_inputs; i++)
    fprintf(out, "%s\n", s->inputs[i]);
  return out && !fclose(out) ? text : NULL;
}

/* The lines of a text, which is cut into them, as inputs. */
static int take_inputs(settings *s, char *text)
{
  int n = 0;
  s->inputs = calloc(strlen(text) + 1, sizeof *s->inputs);
  if (!s->inputs)
    return fail_memory();
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    s->inputs[n++] = line;
  s->n_inputs = n;
  return END_DONE;
}

/* A study that goes on has the options that it was begun with, but for those that are given anew. */
static int take_old(tuning *t)
{
  char *here = getcwd(NULL, 0);
  int end = study_find(&t->s, t->s.resume, &t->old);
  if (!end && (!here || !t->old.folder || strcmp(here, t->old.folder) != 0))
    end = fail(END_USAGE, "study %lld was begun in another folder; go there first: cd %s",
               (long long)t->old.id, t->old.folder ? t->old.folder : "?");
  if (!end && t->s.n_inputs)
    end = fail(END_USAGE, "--resume: study %lld has its data already; '%s' is one input too many",
               (long long)t->old.id, t->s.inputs[0]);
  if (!end)
    end = settings_read(&t->s, t->old.options, "study");
  if (!end)
    end = take_inputs(&t->s, t->old.inputs);
  settings_mark(&t->s, "resume", false); /* not of the trials */
  t->s.resume = NULL;
  t->id = t->old.id;
  t->before = t->old.seconds;
  free(here);
  return end;
}

/* Many trials are compared by these rows, so they are more than training alone holds out. */
static void hold_out_more(settings *s)
{
  if (settings_given(s, "valid"))
    return;
  s->valid.fraction = 0.2;
  settings_mark(s, "valid", true);
}

static int check(tuning *t)
{
  settings *s = &t->s;
  const char *asked = train_metric_asked(s);
  t->metric = asked ? bp_metric_find(asked, NULL) : NULL;
  if (!s->folds)
    hold_out_more(s);
  if (!s->n_inputs)
    return fail(END_USAGE, "nothing to work on. usage: bprop tune [options] %s", s->command->inputs);
  if (!s->folds && s->valid.n == 0 && s->valid.fraction <= 0)
    return fail(END_USAGE,
                "--valid: trials are compared by their validation loss, so there must be validation rows");
  static const char *const single[] = {"log", "tensorboard", "find-lr"};
  for (size_t i = 0; i < sizeof single / sizeof *single; i++)
    if (settings_given(s, single[i]))
      return fail(END_USAGE, "--%s: is for one training; trials are told in the history (bprop runs)",
                  single[i]);
  for (int i = 0; i < s->n_inputs; i++)
    if (!strcmp(s->inputs[i], "-"))
      return fail(END_USAGE,
                  "-: standard input can be read once, and each trial reads the data; name a file");
  return search_check(s);
}

/* Found before a search begins, as far as it can be. */
static int places(tuning *t)
{
  train_job j = {.s = &t->s};
  int end = train_check(&t->s);
  if (!end)
    end = train_output(&j);
  snprintf(t->output, sizeof t->output, "%s", j.output);
  return end;
}

/* ---- trials ---- */

static trial *trial_new(const tuning *t, int64_t number)
{
  trial *x = calloc(1, sizeof *x);
  if (!x || !(x->given = calloc(option_count, 1))) {
    free(x);
    return NULL;
  }
  search_draw(&t->s, number, &x->s, x->given);
  x->number = number;
  x->report.score = (trial_score){NAN, NAN};
  x->s.command = command_find("train");
  x->s.threads = t->s.threads ? t->s.threads : 1; /* the bits are the same */
  x->s.json = x->s.verbose = false;
  x->s.resume = NULL;
  snprintf(x->file, sizeof x->file, "%s/trial-%lld.safetensors", t->folder, (long long)number);
  return x;
}

/* Trials up to `number`, in t->trial. */
bool tuning_reach(tuning *t, int64_t number)
{
  if (number <= t->n)
    return true;
  trial **more = realloc(t->trial, (size_t)(number + 1) * sizeof *more);
  if (!more)
    return false;
  t->trial = more;
  for (; t->n < number; t->n++)
    if (!(t->trial[t->n + 1] = trial_new(t, t->n + 1)))
      return false;
  return true;
}

/* What an earlier process has done. */
static void remember(void *user, const study_rung *r)
{
  tuning *t = user;
  if (r->trial < 1 || r->trial > MOST_TRIALS || r->rung >= search_rungs(&t->s) || !tuning_reach(t, r->trial))
    return;
  trial *x = t->trial[r->trial];
  x->report.run = r->run;
  if (r->rung < 0)
    return;
  x->reached[r->rung] = r->score;
  x->rungs = r->rung + 1;
  x->report = (trial_report){.run = r->run,
                             .epochs = r->epochs,
                             .best_epoch = r->best_epoch,
                             .score = r->score,
                             .finished = x->rungs == search_rungs(&t->s)};
  snprintf(x->report.metric, sizeof x->report.metric, "%s", r->metric ? r->metric : "");
}

/* ---- the last word ---- */

static int save_best(const tuning *t)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  char *data = NULL;
  struct stat st = {0};
  FILE *f = ctx ? fopen(t->best->file, "re") : NULL;
  bool good = f && !fstat(fileno(f), &st) && (data = malloc((size_t)st.st_size + 1)) &&
              fread(data, 1, (size_t)st.st_size, f) == (size_t)st.st_size;
  int end = good ? END_DONE : fail(END_RESOURCES, "%s: %s", t->best->file, strerror(errno));
  if (!end && bp_save_file(ctx, t->output, data, (size_t)st.st_size) != BP_OK)
    end = fail_status(BP_E_IO, END_RESOURCES);
  if (f)
    fclose(f);
  free(data);
  bp_ctx_free(ctx);
  return end;
}

static int none_is_good(const tuning *t)
{
  for (int64_t i = t->n; i >= 1; i--)
    if (t->trial[i]->failed) {
      fprintf(stderr, "%s", t->trial[i]->why);
      return t->trial[i]->report.end
                 ? t->trial[i]->report.end
                 : fail(END_DATA,
                        "there are too few rows to hold some out; name validation rows with --valid");
    }
  return fail(END_DATA, "no trial has ended an epoch; a larger --budget may help");
}

/* The history hears of the end before files go, so that a kill in between loses nothing. */
static int finish(tuning *t, int end)
{
  bool again = end > END_SIGNAL && t->id;
  if (!end && !t->best)
    end = none_is_good(t);
  bool good = t->best && (!end || end > END_SIGNAL);
  int saved = good ? save_best(t) : END_DONE;
  study_tell(&t->s, t->id, again ? "interrupted" : end || saved ? "failed" : "done", tuning_seconds(t));
  if (good && !saved)
    tuning_tell_best(t);
  if (again)
    say("interrupted; go on with: bprop tune --resume %lld", (long long)t->id);
  else
    tuning_folder_remove(t);
  return end ? end : saved;
}

/* A search that is done already, but for its folder, perhaps. */
static int tell_again(tuning *t)
{
  tuning_choose(t);
  tuning_folder_remove(t);
  if (!t->best)
    return fail(END_DATA, "study %lld is done, and its trials are no longer in the history",
                (long long)t->id);
  say("study %lld is done, and nothing is left to do", (long long)t->id);
  tuning_tell_best(t);
  return END_DONE;
}

/* ---- all of it ---- */

static int64_t new_study(const tuning *t)
{
  char *given = settings_given_text(&t->s), *inputs = joined_lines(&t->s);
  char *line = settings_command(&t->s, t->s.command);
  int64_t id = study_begin(&t->s, line, given, inputs);
  free(given);
  free(inputs);
  free(line);
  return id;
}

/* What trials have done is read once none of them runs any more. */
static int begin(tuning *t)
{
  if (!t->old.id)
    t->id = new_study(t);
  int end = t->old.done ? tuning_folder_name(t) : tuning_folder_make(t);
  if (!end && t->old.id)
    end = study_rungs(&t->s, t->old.id, remember, t);
  if (end && !t->old.id)
    study_tell(&t->s, t->id, "failed", tuning_seconds(t));
  return end;
}

static void tuning_free(tuning *t)
{
  for (int64_t i = 1; i <= t->n; i++) {
    free(t->trial[i]->given);
    free(t->trial[i]);
  }
  free(t->trial);
  study_free(&t->old);
}

static int tune(tuning *t)
{
  int end = t->s.resume ? take_old(t) : END_DONE;
  if (!end)
    end = check(t);
  if (!end)
    end = places(t);
  if (!end)
    end = begin(t);
  if (end || t->old.done)
    return end ? end : tell_again(t);
  tuning_tell_plan(t);
  interrupt_watch();
  return finish(t, tuning_search(t));
}

int cmd_tune(const settings *s)
{
  tuning t = {.s = *s, .began = stopwatch_now(), .lock = -1};
  unsigned char *given = malloc(option_count);
  if (!given)
    return fail_memory();
  t.s.given = memcpy(given, s->given, option_count);
  int end = tune(&t);
  if (t.s.inputs != s->inputs)
    free(t.s.inputs);
  free(given);
  tuning_free(&t);
  return end;
}

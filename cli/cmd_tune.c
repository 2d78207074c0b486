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
  hold_out_more(s);
  if (!s->n_inputs)
    return fail(END_USAGE, "nothing to work on. usage: bprop tune [options] %s", s->command->inputs);
  if (s->valid.n == 0 && s->valid.fraction <= 0)
    return fail(END_USAGE,
                "--valid: trials are compared by their validation loss, so there must be validation rows");
  if (s->log || s->tensorboard)
    return fail(END_USAGE, "%s: is for one training; trials are told in the history (bprop runs)",
                s->log ? "--log" : "--tensorboard");
  for (int i = 0; i < s->n_inputs; i++)
    if (!strcmp(s->inputs[i], "-"))
      return fail(END_USAGE,
                  "-: standard input can be read once, and each trial reads the data; name a file");
  return search_check(s);
}

/* Where models go: the best to `output`, those of trials to a folder beside it, which no other study may be using. */
static int places(tuning *t)
{
  train_job j = {.s = &t->s};
  int end = train_check(&t->s);
  if (!end)
    end = train_output(&j);
  if (end)
    return end;
  size_t n = strlen(j.output), ending = strlen(".safetensors");
  bool named = n > ending && !strcmp(j.output + n - ending, ".safetensors");
  snprintf(t->output, sizeof t->output, "%s", j.output);
  if (n + 32 > sizeof t->folder)
    return fail(END_USAGE, "-o: the name is too long");
  snprintf(t->folder, sizeof t->folder, "%.*s.tune", (int)(named ? n - ending : n), j.output);
  if (!mkdir(t->folder, 0777) || (t->old.id && errno == EEXIST))
    return END_DONE;
  return errno == EEXIST ? fail(END_RESOURCES,
                                "%s: is there already, from a search that has not ended (bprop tune --resume "
                                "STUDY goes on), "
                                "or one at work; else remove it, or name another model with -o",
                                t->folder)
                         : fail(END_RESOURCES, "%s: %s", t->folder, strerror(errno));
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
  x->report.loss = NAN;
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
  x->rung_loss[r->rung] = r->loss;
  x->rungs = r->rung + 1;
  x->report = (trial_report){.run = r->run,
                             .epochs = r->epochs,
                             .best_epoch = r->best_epoch,
                             .loss = r->loss,
                             .metric = NAN,
                             .finished = x->rungs == search_rungs(&t->s)};
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

static void remove_folder(const tuning *t)
{
  for (int64_t i = 1; i <= t->n; i++)
    unlink(t->trial[i]->file);
  rmdir(t->folder);
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

static int finish(tuning *t, int end)
{
  bool again = end > END_SIGNAL && t->id;
  int saved = END_DONE;
  if (!end && !t->best)
    end = none_is_good(t);
  if (t->best && (!end || end > END_SIGNAL))
    saved = save_best(t);
  if (t->best && !saved && (!end || end > END_SIGNAL))
    tuning_tell_best(t);
  if (again)
    say("interrupted; go on with: bprop tune --resume %lld", (long long)t->id);
  else
    remove_folder(t);
  study_tell(&t->s, t->id, again ? "interrupted" : end || saved ? "failed" : "done", tuning_seconds(t));
  return end ? end : saved;
}

/* ---- all of it ---- */

static int begin(tuning *t)
{
  char *given = settings_given_text(&t->s), *inputs = joined_lines(&t->s);
  char *line = settings_command(&t->s, t->s.command);
  int end = END_DONE;
  if (t->old.id)
    end = study_rungs(&t->s, t->old.id, remember, t);
  else
    t->id = study_begin(&t->s, line, given, inputs);
  free(given);
  free(inputs);
  free(line);
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
  if (end)
    return end;
  tuning_tell_plan(t);
  interrupt_watch();
  return finish(t, tuning_search(t));
}

int cmd_tune(const settings *s)
{
  tuning t = {.s = *s, .began = stopwatch_now()};
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

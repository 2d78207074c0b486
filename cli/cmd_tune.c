/* Searches for settings that train well: draws them, tries them, keeps the best. */
#include "cmd.h"
#include "outfile.h"
#include "stopwatch.h"
#include "study.h"
#include "train_job.h"
#include "trials.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOREVER = 1 << 30 };

typedef struct tuning {
  settings s; /* with what a study that goes on was asked */
  study old;  /* that goes on; id 0: a new one */
  int64_t id; /* in the history; 0: it is not there */
  char folder[TRIAL_FILE - 64], output[TRIAL_FILE];
  trial **trial; /* by number, from 1 */
  int64_t n;
  trial *best;          /* so far, of those whose file is there */
  double began, before; /* seconds before this process */
  bool late;
} tuning;

/* ---- what is asked ---- */

static double taken(const tuning *t)
{
  return t->before + stopwatch_now() - t->began;
}

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
  if (!end && (!here || strcmp(here, t->old.folder) != 0))
    end = fail(END_USAGE, "study %lld was begun in another folder; go there first: cd %s",
               (long long)t->old.id, t->old.folder);
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
static bool trials_reach(tuning *t, int64_t number)
{
  trial **more = realloc(t->trial, (size_t)(number + 1) * sizeof *more);
  if (!more)
    return false;
  t->trial = more;
  for (; t->n < number; t->n++)
    if (!(t->trial[t->n + 1] = trial_new(t, t->n + 1)))
      return false;
  return true;
}

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

/* What an earlier process has done. */
static void remember(void *user, const study_rung *r)
{
  tuning *t = user;
  if (r->trial < 1 || r->trial > FOREVER || r->rung >= search_rungs(&t->s) || !trials_reach(t, r->trial))
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

/* ---- what is told of each ---- */

static const char *first_line(const char *why)
{
  static char line[200];
  const char *from = strncmp(why, "bprop: ", 7) ? why : why + 7;
  snprintf(line, sizeof line, "%.*s", (int)strcspn(from, "\n"), from);
  return line;
}

static void say_trial(const tuning *t, const trial *x)
{
  const trial_report *r = &x->report;
  char *words = drawn_of(t, x), metric[48] = "";
  const char *what = words && strlen(words) > 12 ? words + 12 : "as bprop train does it";
  if (!isnan(r->metric))
    snprintf(metric, sizeof metric, r->classes ? "  accuracy %5.1f %%" : "  R2 %.4f",
             r->classes ? 100 * r->metric : r->metric);
  if (isnan(r->loss) && !x->failed)
    say("trial %3lld  stopped before an epoch was done  %s", (long long)x->number, what);
  else if (x->failed)
    say("trial %3lld  %4lld epochs  failed: %s  %s", (long long)x->number, (long long)r->epochs,
        first_line(x->why), what);
  else
    say("trial %3lld  %4lld epochs  valid %.4f%s  %s", (long long)x->number, (long long)r->epochs, r->loss,
        metric, what);
  free(words);
}

static void json_trial(const tuning *t, const trial *x)
{
  char *line = command_of(x);
  answer("{\"schema\":1,\"study\":%lld,\"trial\":%lld,\"run\":%lld,\"rungs\":%d,\"epochs\":%lld,\"best_"
         "epoch\":%lld,\"loss\":",
         (long long)t->id, (long long)x->number, (long long)x->report.run, x->rungs,
         (long long)x->report.epochs, (long long)x->report.best_epoch);
  json_number(x->report.loss);
  answer(",\"failed\":%s,\"command\":", x->failed ? "true" : "false");
  json_text(line);
  answer("}\n");
  free(line);
}

static void trial_ended(void *user, trial *x)
{
  tuning *t = user;
  say_trial(t, x);
  if (t->s.json)
    json_trial(t, x);
  study_tell(&t->s, t->id, "running", taken(t));
}

/* ---- a bracket ---- */

static bool is_better(const trial *a, double x, const trial *b, double y)
{
  return x < y || (x == y && a->number < b->number);
}

/* The lowest loss first, the earlier of equals; failed ones go. Returns how many are left. */
static int64_t put_in_order(trial **list, int64_t n, int rung)
{
  int64_t left = 0;
  for (int64_t i = 0; i < n; i++) {
    trial *x = list[i];
    if (x->failed || x->rungs <= rung)
      continue;
    int64_t k = left++;
    for (; k > 0 && is_better(x, x->rung_loss[rung], list[k - 1], list[k - 1]->rung_loss[rung]); k--)
      list[k] = list[k - 1];
    list[k] = x;
  }
  return left;
}

static void choose_best(tuning *t, trial *const *list, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    trial *x = list[i];
    if (x->failed || isnan(x->report.loss) || x == t->best || access(x->file, R_OK))
      continue;
    if (t->best && !is_better(x, x->report.loss, t->best, t->best->report.loss))
      continue;
    t->best = x;
  }
}

/* Trains those that have not done the rung. */
static int climb(tuning *t, trial *const *list, int64_t n, int rung)
{
  trials_order o = {.s = &t->s,
                    .study = t->id,
                    .rung = rung,
                    .parallel = t->s.parallel ? t->s.parallel : bp_processors(),
                    .until = t->s.budget > 0 ? t->began + t->s.budget - t->before : INFINITY,
                    .ended = trial_ended,
                    .user = t};
  trial *todo[BRACKET];
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++)
    if (list[i]->rungs <= rung)
      todo[m++] = list[i];
  return trials_run(&o, todo, m, &t->late);
}

static int bracket(tuning *t, int64_t first, int64_t n)
{
  trial *list[BRACKET];
  int end = END_DONE;
  for (int64_t i = 0; i < n; i++)
    list[i] = t->trial[first + i];
  for (int rung = 0; rung < search_rungs(&t->s) && !end && !t->late && n; rung++) {
    trial *before = t->best;
    end = climb(t, list, n, rung);
    choose_best(t, list, n);
    if (end || t->late)
      break;
    int64_t left = put_in_order(list, n, rung),
            kept = rung + 1 < search_rungs(&t->s) ? rung_keeps(left) : left;
    for (int64_t i = 1; i <= t->n; i++) { /* files of those that are left behind */
      bool goes_on = t->trial[i] == t->best;
      for (int64_t k = 0; k < kept; k++)
        goes_on = goes_on || t->trial[i] == list[k];
      if (!goes_on && (i >= first || t->trial[i] == before))
        unlink(t->trial[i]->file);
    }
    n = kept;
  }
  return end;
}

static int search(tuning *t)
{
  int64_t most = t->s.trials ? t->s.trials : t->s.budget > 0 ? FOREVER : BRACKET;
  int end = END_DONE;
  for (int64_t first = 1; first <= most && !end && !t->late; first += BRACKET) {
    int64_t n = most - first + 1 < BRACKET ? most - first + 1 : BRACKET;
    end = trials_reach(t, first + n - 1) ? bracket(t, first, n) : fail_memory();
  }
  return end;
}

/* ---- the last word ---- */

static int save_best(const tuning *t)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  char *data = NULL;
  struct stat st;
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

static void tell_json(const tuning *t, const char *line)
{
  answer("{\"schema\":1,\"study\":%lld,\"trials\":%lld,\"seconds\":", (long long)t->id, (long long)t->n);
  json_number(taken(t));
  answer(",\"best\":%lld,\"loss\":", (long long)t->best->number);
  json_number(t->best->report.loss);
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
    n += t->trial[i]->failed || !isnan(t->trial[i]->report.loss);
  return n;
}

static void tell_best(const tuning *t)
{
  trial *x = t->best;
  char *line = command_of(x), took[32], result[96];
  say("best of %lld: trial %lld, validation loss %.4f -> %s (%s)", (long long)tried(t), (long long)x->number,
      x->report.loss, t->output, duration_text(taken(t), took));
  if (t->s.json) {
    tell_json(t, line);
  } else {
    study_result(&t->s, x->report.run, result);
    answer("%s%s", *x->answer ? x->answer : result, *x->answer || !*result ? "" : "\n");
    answer("%s\n", line ? line : "");
  }
  free(line);
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
    tell_best(t);
  if (again)
    say("interrupted; go on with: bprop tune --resume %lld", (long long)t->id);
  else
    remove_folder(t);
  study_tell(&t->s, t->id, again ? "interrupted" : end || saved ? "failed" : "done", taken(t));
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

static void tell_plan(const tuning *t)
{
  char text[128] = "", name[48] = "", budget[64] = "", took[32];
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
    say("%s%lld trials%s, %lld at once, of %s epochs; seed %lld", name, (long long)most, budget,
        (long long)at_once, text, (long long)t->s.seed);
  else
    say("%strials%s, %lld at once, of %s epochs; seed %lld", name, budget, (long long)at_once, text,
        (long long)t->s.seed);
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
  tell_plan(t);
  interrupt_watch();
  return finish(t, search(t));
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

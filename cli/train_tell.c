/* What a training tells: data, network and baseline before it, what became of it after. */
#include "dataset.h"
#include "input.h"
#include "measured.h"
#include "shellwords.h"
#include "train_job.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- before ---- */

/* "13 columns of numbers, 2 of categories" */
static const char *plural(int64_t n)
{
  return n == 1 ? "" : "s";
}

static void columns_text(const bp_data *d, char *out, size_t size)
{
  char number[32];
  int64_t all = bp_data_cols(d), categories = 0, shape[3];
  for (int64_t i = 0; i < all; i++)
    categories += bp_data_category(d, i, 0) != NULL;
  const char *numbers = with_commas(all - categories, number);
  if (bp_data_shape(d, shape) == 3)
    snprintf(out, size, "images of %lld x %lld x %lld", (long long)shape[0], (long long)shape[1],
             (long long)shape[2]);
  else if (!categories)
    snprintf(out, size, "%s numeric column%s", numbers, plural(all));
  else
    snprintf(out, size, "%s numeric column%s, %lld of categories", numbers, plural(all - categories),
             (long long)categories);
}

static const char *what_to_predict(const train_job *j, char *out, size_t size)
{
  int64_t n = bp_data_targets(j->all);
  bool labels = bp_net_task(j->net) == BP_TASK_LABELS;
  if (n < 2)
    snprintf(out, size, labels ? "a target that is yes or no" : "a number to predict");
  else
    snprintf(out, size, labels ? "%lld targets, each yes or no" : "%lld numbers to predict", (long long)n);
  return out;
}

/* How many rows each class has; rows in a file are not gone through for this. */
static void counts_text(const train_job *j, char *out, size_t size)
{
  int64_t n = bp_data_classes(j->all), least = INT64_MAX, most = 0;
  int64_t *count = bp_data_file_bytes(j->all) ? NULL : calloc((size_t)n, sizeof *count);
  *out = 0;
  for (int64_t i = 0; count && i < bp_data_rows(j->all); i++)
    count[bp_data_label(j->all, i)]++;
  for (int64_t k = 0; count && k < n; k++) {
    size_t at = strlen(out);
    if (n <= 12)
      snprintf(out + at, size - at, "%s%lld%s", k ? "/" : " (", (long long)count[k], k == n - 1 ? ")" : "");
    least = count[k] < least ? count[k] : least;
    most = count[k] > most ? count[k] : most;
  }
  if (n > 12 && count)
    snprintf(out, size, " (%lld to %lld rows each)", (long long)least, (long long)most);
  free(count);
}

/* Numbers that were perhaps meant as such. */
static void tell_many_numbers(const train_job *j)
{
  enum { FEW = 10 };
  const char *name = bp_net_target(j->net);
  int64_t n = bp_data_classes(j->all);
  bool numbers = *name && n > FEW;
  for (int64_t k = 0; k < n && numbers; k++) {
    const char *text = bp_data_class_name(j->all, k);
    numbers = *text && strspn(text, "0123456789") == strlen(text);
  }
  if (numbers)
    say("column '%s' is taken for classes, as its numbers are few and whole; with --numeric it is a number "
        "to "
        "predict",
        shown(name));
}

int train_tell_data(train_job *j)
{
  char rows[32], cols[100], counts[256];
  int64_t n = bp_data_classes(j->all);
  with_commas(bp_data_rows(j->all), rows);
  columns_text(j->all, cols, sizeof cols);
  const char *path = path_name(j->s->inputs[0]);
  if (n) {
    counts_text(j, counts, sizeof counts);
    say("%s: %s rows, %s; %lld classes%s", path, rows, cols, (long long)n, counts);
    tell_many_numbers(j);
  } else {
    say("%s: %s rows, %s; %s", path, rows, cols, what_to_predict(j, counts, sizeof counts));
  }
  for (int64_t i = 0; bp_data_note(j->all, i); i++)
    say("%s", shown(bp_data_note(j->all, i)));
  if (bp_data_file_bytes(j->all))
    say("these are more than fit the memory for data (--memory): %.3g MB of values are in a temporary file, "
        "and "
        "are read in shuffled blocks%s",
        (double)bp_data_file_bytes(j->all) / 1e6,
        j->cut_short ? "; rows held out are fewer than asked for, as many as fit that memory" : "");
  return END_DONE;
}

static int tell_part(const train_job *j, const char *what, const bp_data *rows)
{
  bp_unseen u;
  bp_status st = rows ? bp_net_unseen(j->net, rows, &u) : BP_OK;
  if (st == BP_OK && rows)
    tell_unseen(what, j->net, &u);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

int train_tell_unseen(train_job *j)
{
  int end = tell_part(j, "validation rows", j->valid);
  return end ? end : tell_part(j, "test rows", j->test);
}

int train_tell_net(train_job *j)
{
  char count[32], valid[32], test[64] = "", rows[32];
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(j->net), &frozen);
  if (j->test)
    snprintf(test, sizeof test, ", test %s rows", with_commas(bp_data_rows(j->test), rows));
  say("model %s, %s parameters; %s, learning rate %g; seed %lld; %s%s%s%s%s", bp_net_summary(j->net),
      with_commas(trained + frozen, count), choice_text("optimizer", j->s->optimizer), train_rate(j->s),
      (long long)j->s->seed, j->valid ? "validation " : "no validation",
      j->valid ? with_commas(bp_data_rows(j->valid), valid) : "", j->valid ? " rows" : "",
      j->valid ? j->valid_how : "", test);
  return END_DONE;
}

static bool by_squares(const train_job *j)
{
  return !j->s->loss || !strcmp(j->s->loss, "mse");
}

/* Of the squared error it is the mean, whose RMSE says all. */
static int tell_constant(const train_job *j, const bp_data *on, double rmse)
{
  bp_trivial t;
  bp_status st = bp_net_trivial(j->net, j->train, on, &t);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  if (by_squares(j))
    say("baseline (always the mean): RMSE %.4g", rmse);
  else
    say("baseline (always the %s): loss %.4g, RMSE %.4g", t.what, t.loss, t.rmse);
  return END_DONE;
}

/* What knowing nothing but the answers would give. */
int train_tell_baseline(train_job *j)
{
  bp_metrics m;
  const bp_data *on = bp_data_classes(j->all) ? j->all : j->test ? j->test : j->valid ? j->valid : j->train;
  bp_status st = bp_net_eval(j->net, on, &m);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  if (bp_net_task(j->net) != BP_TASK_NUMBERS)
    say("baseline (always the most common %s): %.1f %% accuracy",
        bp_net_classes(j->net) ? "class" : "answer to each", 100 * m.baseline);
  else
    return tell_constant(j, on, m.baseline);
  return END_DONE;
}

/* ---- meanwhile ---- */

bool train_tell_checkpoint(void *user, const bp_saved *saved)
{
  train_job *j = user;
  j->last_save = *saved;
  bool good = saved->status == BP_OK;
  if (good && (!j->s->verbose || interrupt_came()))
    return true;
  progress_stop(&j->progress);
  if (good)
    say("saved %s at epoch %lld, step %lld", j->output, (long long)saved->epoch, (long long)saved->step);
  else /* told with -q, too */
    fail(END_RESOURCES, "warning: the training could not be saved, and goes on: %s", bp_error());
  return true;
}

void train_tell_interrupted(const train_job *j)
{
  const bp_saved *at = &j->last_save;
  char *line = shell_line("bprop train --resume", (const char *const[]){j->output}, 1);
  if (at->step)
    say("interrupted: saved %s at epoch %lld, step %lld; go on with: %s", j->output, (long long)at->epoch,
        (long long)at->step, line ? line : "bprop train --resume");
  else
    say("interrupted: saved %s after epoch %lld; go on with: %s", j->output, (long long)at->epoch - 1,
        line ? line : "bprop train --resume");
  free(line);
}

/* ---- after ---- */

void train_tell_saved(const train_job *j)
{
  const bp_train_result *r = &j->result;
  char rate[32];
  if (j->valid && r->stopped_early)
    say("early stop: best epoch %lld -> %s", (long long)r->best_epoch, j->output);
  else if (j->valid)
    say("done: best epoch %lld -> %s", (long long)r->best_epoch, j->output);
  else
    say("done: %lld epoch%s -> %s", (long long)r->epochs, plural(r->epochs), j->output);
  if (r->refit_rows)
    say("trained once more, for %lld epoch%s, from all %s rows (--refit)", (long long)r->refit_epochs,
        plural(r->refit_epochs), with_commas(r->refit_rows, rate));
  if (j->s->verbose)
    say("%lld epochs, %lld steps in %.2f s, %s samples/s", (long long)r->epochs, (long long)r->steps,
        r->seconds, with_commas((int64_t)r->samples_per_second, rate));
}

static const bp_data *to_judge_on(const train_job *j)
{
  return j->test ? j->test : j->valid ? j->valid : j->train;
}

int train_judge(train_job *j)
{
  const bp_data *on = to_judge_on(j);
  if (j->judged_on)
    return END_DONE;
  bp_status st = bp_net_eval(j->net, on, &j->judged);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  j->judged_on = j->test ? "test" : j->valid ? "validation" : "training";
  return END_DONE;
}

static void json_part(const char *name, const bp_data *d)
{
  answer(",\"%s\":%lld", name, (long long)(d ? bp_data_rows(d) : 0));
}

/* Also those before a training was interrupted. */
static void json_epochs(const bp_net *net)
{
  const bp_epoch *e;
  int64_t n = bp_net_history(net, &e);
  answer(",\"epochs\":[");
  for (int64_t i = 0; i < n; i++) {
    answer("%s{\"epoch\":%lld,\"train_loss\":", i ? "," : "", (long long)e[i].epoch);
    json_number(e[i].train_loss);
    answer(",\"valid_loss\":");
    json_number(e[i].valid_loss);
    answer(",\"valid_%s\":", bp_net_history_metric(net));
    json_number(e[i].valid_metric);
    answer("}");
  }
  answer("]");
}

static void tell_json(const train_job *j, const char *how)
{
  int64_t frozen = 0, all = bp_params_size(bp_net_params(j->net), &frozen);
  all += frozen;
  answer("{\"schema\":1,\"end\":\"%s\",\"data\":", how);
  json_text(j->s->inputs[0]);
  answer(",\"model\":");
  json_text(j->output);
  answer(",\"network\":");
  json_text(bp_net_summary(j->net));
  answer(",\"parameters\":%lld,\"classes\":%lld", (long long)all, (long long)bp_net_classes(j->net));
  json_part("train_rows", j->train);
  json_part("valid_rows", j->valid);
  json_part("test_rows", j->test);
  answer(",\"refit_rows\":%lld,\"refit_epochs\":%lld", (long long)j->result.refit_rows,
         (long long)j->result.refit_epochs);
  answer(",\"seed\":%lld,\"best_epoch\":%lld,\"steps\":%lld,\"seconds\":", (long long)j->s->seed,
         (long long)j->result.best_epoch, (long long)j->result.steps);
  json_number(j->result.seconds);
  answer(",\"samples_per_second\":");
  json_number(j->result.samples_per_second);
  answer(",\"%s\":", j->judged_on);
  metrics_json(&j->judged);
  json_epochs(j->net);
  answer("}\n");
}

/* By what is learned, where that is another thing than squared errors. */
static bool beats_baseline(const train_job *j)
{
  bp_trivial t;
  if (bp_net_task(j->net) != BP_TASK_NUMBERS || by_squares(j))
    return metrics_beat_baseline(&j->judged);
  return bp_net_trivial(j->net, j->train, to_judge_on(j), &t) != BP_OK || j->judged.loss < t.loss;
}

int train_finish(train_job *j, const char *how)
{
  int end = train_judge(j);
  /* What nobody would read is not worked out. */
  if (!end && !say_quiet() && !j->order && !interrupt_came())
    end = train_review(j, to_judge_on(j));
  if (end)
    return end;
  if (j->s->json)
    tell_json(j, how);
  else
    metrics_answer(j->judged_on, &j->judged);
  if (!beats_baseline(j))
    say("warning: the network does not beat the baseline on the %s rows; more data, more epochs, or another "
        "--lr or --hidden may help",
        j->judged_on);
  return END_DONE;
}

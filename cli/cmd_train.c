/* Trains a network: data, network, training, saving, and the last word. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "input.h"
#include "metrics.h"
#include "nearest.h"
#include "outfile.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_TO_HOLD_OUT = 30 };

typedef struct job {
  const settings *s;
  bp_ctx *ctx;
  bp_data *all, *train, *valid, *test; /* all: what was read, when it was split */
  bp_net *net;
  char output[4096];
  const char *valid_how;
  progress progress;
  bp_train_result result;
  bp_metrics judged; /* on test, else on valid */
  const char *judged_on;
} job;

/* ---- what is asked for ---- */

/* An activation that `bp_activation` takes: an elementwise row of one input. */
static bool is_activation(const bp_op *op)
{
  return op && (op->traits & BP_ELEMENTWISE) && !op->zero && op->args && *op->args &&
         !strchr(op->args, ',') && !(op->traits & BP_INTERNAL);
}

static int check_activation(const char *name)
{
  nearest n = nearest_to(name);
  if (!strcmp(name, "none") || !strncmp(name, "maxout(", 7) || is_activation(bp_op_find(name)))
    return END_DONE;
  for (size_t i = 0; i < bp_op_count(); i++)
    if (is_activation(bp_op_at(i)))
      nearest_try(&n, bp_op_at(i)->name);
  return fail(END_USAGE, "--activation: no elementwise operation of one input is called '%s'%s", name,
              nearest_hint(&n, ""));
}

static bool scale_is_all(int init)
{
  return init == BP_INIT_CONSTANT || init == BP_INIT_UNIFORM || init == BP_INIT_NORMAL;
}

static int check_options(const settings *s)
{
  bool sgd = s->optimizer == BP_OPTIMIZER_SGD;
  if (s->n_inputs == 2 && settings_given(s, "target"))
    return fail(END_USAGE,
                "--target: names a column of a CSV file, and two files are examples and their answers");
  if (s->momentum > 0 && !sgd)
    return fail(END_USAGE, "--momentum: is for --optimizer sgd; %s has its own",
                choice_text("optimizer", s->optimizer));
  if (s->nesterov && !(sgd && s->momentum > 0))
    return fail(END_USAGE, "--nesterov: needs --optimizer sgd and a --momentum");
  if (scale_is_all(s->init) && s->init_scale == 0)
    return fail(END_USAGE, "--init: %s needs an --init-scale", choice_text("init", s->init));
  if (s->dropout > 0 && s->hidden[0] == -1)
    return fail(END_USAGE, "--dropout: there is no hidden layer to drop values of (--hidden none)");
  return check_activation(s->activation);
}

/* The name of the data without its endings. */
static void default_output(const char *path, char *out, size_t size)
{
  static const char *const endings[] = {".gz",    ".csv",  ".tsv",  ".txt",  ".data", ".npy",
                                        "-ubyte", "-idx3", "-idx2", "-idx1", ".idx3", ".idx"};
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  char stem[2048];
  snprintf(stem, sizeof stem, "%s", strcmp(path, "-") ? base : "model");
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen(stem), m = strlen(endings[i]);
    if (n > m && !strcmp(stem + n - m, endings[i]))
      stem[n - m] = 0;
  }
  snprintf(out, size, "%s.safetensors", stem);
}

static int output_is_input(const job *j, const char *file)
{
  if (!same_path(file, j->output))
    return END_DONE;
  return fail(END_USAGE, "%s: is both input and output; name the model file with -o", file);
}

static int choose_output(job *j)
{
  const settings *s = j->s;
  int end = END_DONE;
  if (s->output && strlen(s->output) >= sizeof j->output)
    return fail(END_USAGE, "-o: the name is too long");
  if (s->output)
    snprintf(j->output, sizeof j->output, "%s", s->output);
  else
    default_output(s->inputs[0], j->output, sizeof j->output);
  for (int i = 0; i < s->n_inputs && !end; i++)
    end = output_is_input(j, s->inputs[i]);
  for (int i = 0; i < s->test.n && !end; i++)
    end = output_is_input(j, s->test.files[i]);
  for (int i = 0; i < s->valid.n && !end; i++)
    end = output_is_input(j, s->valid.files[i]);
  /* Found before an hour of training, not after it. */
  if (!end)
    end = trace_is_not(s, j->output);
  return end ? end : out_check(j->output, "a model file");
}

/* ---- data ---- */

static int hold_out(job *j, double fraction, uint64_t seed, bp_data **held)
{
  bp_data *rest;
  bp_status st = bp_data_split(j->train, fraction, seed, &rest, held);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  if (j->train != j->all)
    bp_data_free(j->train);
  j->train = rest;
  return END_DONE;
}

static int split_data(job *j)
{
  const settings *s = j->s;
  uint64_t seed = (uint64_t)s->seed;
  int end = END_DONE;
  if (bp_data_classes(j->all) == 1)
    return fail(END_DATA, "%s: every row is of one class; there is nothing to learn",
                path_name(s->inputs[0]));
  if (s->test.fraction > 0)
    end = hold_out(j, s->test.fraction, seed, &j->test);
  j->valid_how = bp_data_classes(j->all) ? " (stratified)" : "";
  if (end || s->valid.n || s->valid.fraction <= 0)
    return end;
  if (bp_data_rows(j->train) < FEWEST_TO_HOLD_OUT && !settings_given(s, "valid"))
    return END_DONE;
  /* Another shuffle than that of the test rows, or the same rows would come first again. */
  return hold_out(j, s->valid.fraction, seed + 1000003, &j->valid);
}

static void tell_data(const job *j)
{
  char rows[32], cols[32], counts[256] = "";
  int64_t n = bp_data_classes(j->all), *count = calloc((size_t)n + 1, sizeof *count), least = INT64_MAX,
          most = 0;
  for (int64_t i = 0; count && n && i < bp_data_rows(j->all); i++)
    count[bp_data_label(j->all, i)]++;
  for (int64_t k = 0; count && k < n; k++) {
    size_t at = strlen(counts);
    if (n <= 12)
      snprintf(counts + at, sizeof counts - at, k ? "/%lld" : "%lld", (long long)count[k]);
    least = count[k] < least ? count[k] : least;
    most = count[k] > most ? count[k] : most;
  }
  if (n > 12)
    snprintf(counts, sizeof counts, "%lld to %lld rows each", (long long)least, (long long)most);
  with_commas(bp_data_rows(j->all), rows);
  with_commas(bp_data_cols(j->all), cols);
  if (n)
    say("%s: %s rows, %s numeric columns; %lld classes (%s)", path_name(j->s->inputs[0]), rows, cols,
        (long long)n, counts);
  else
    say("%s: %s rows, %s numeric columns; a number to predict", path_name(j->s->inputs[0]), rows, cols);
  free(count);
}

/* Files of their own are read for the network, so that columns and classes go by name. */
static int read_more(job *j)
{
  const settings *s = j->s;
  int end = END_DONE;
  if (s->valid.n)
    end = dataset_read_for(j->ctx, s, j->net, s->valid.files, s->valid.n, s->target, &j->valid);
  if (!end && s->test.n)
    end = dataset_read_for(j->ctx, s, j->net, s->test.files, s->test.n, s->target, &j->test);
  if (s->valid.n)
    j->valid_how = "";
  return end;
}

/* ---- network ---- */

static int make_net(job *j)
{
  const settings *s = j->s;
  bp_net_options o = {.activation = s->activation,
                      .dropout = s->dropout,
                      .init = {(bp_init_kind)s->init, s->init_scale},
                      .real = s->dtype == DTYPE_FLOAT64 ? BP_FLOAT64 : BP_FLOAT32,
                      .seed = (uint64_t)s->seed};
  memcpy(o.hidden, s->hidden, sizeof o.hidden);
  j->net = bp_net_new(j->ctx, j->train, &o);
  return j->net ? END_DONE : fail_null(s->inputs[0], END_USAGE);
}

static double learning_rate(const settings *s)
{
  return s->lr > 0 ? s->lr : s->optimizer == BP_OPTIMIZER_SGD ? 0.1 : 0.001;
}

static void tell_net(const job *j)
{
  char count[32], valid[32], test[64] = "", rows[32];
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(j->net), &frozen);
  if (j->test)
    snprintf(test, sizeof test, ", test %s rows", with_commas(bp_data_rows(j->test), rows));
  say("model %s, %s parameters; %s, learning rate %g; seed %lld; %s%s%s%s%s", bp_net_summary(j->net),
      with_commas(trained + frozen, count), choice_text("optimizer", j->s->optimizer), learning_rate(j->s),
      (long long)j->s->seed, j->valid ? "validation " : "no validation",
      j->valid ? with_commas(bp_data_rows(j->valid), valid) : "", j->valid ? " rows" : "",
      j->valid ? j->valid_how : "", test);
}

/* What knowing nothing but the answers would give. */
static int tell_baseline(job *j)
{
  bp_metrics m;
  const bp_data *on = bp_data_classes(j->all) ? j->all : j->test ? j->test : j->valid ? j->valid : j->train;
  bp_status st = bp_net_eval(j->net, on, &m);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  if (bp_net_classes(j->net))
    say("baseline (always the most common class): %.1f %% accuracy", 100 * m.baseline);
  else
    say("baseline (always the mean): RMSE %.4g", m.baseline);
  return END_DONE;
}

/* ---- training ---- */

static bp_status train(job *j)
{
  const settings *s = j->s;
  bp_optimizer optimizer = {.kind = (bp_optimizer_kind)s->optimizer,
                            .lr = s->lr,
                            .momentum = s->momentum,
                            .nesterov = s->nesterov,
                            .weight_decay = s->weight_decay,
                            .clip_norm = s->clip_norm};
  bp_train_options o = {.epochs = s->epochs,
                        .batch = s->batch,
                        .optimizer = optimizer,
                        .schedule = choice_text("schedule", s->schedule),
                        .label_smoothing = s->label_smoothing > 0 ? s->label_smoothing : -1,
                        .valid = j->valid,
                        .patience = s->patience,
                        .progress = progress_epoch,
                        .user = &j->progress};
  progress_start(&j->progress, bp_net_classes(j->net) > 0, s->json);
  interrupt_watch();
  bp_status st = bp_net_train(j->net, j->train, &o, &j->result);
  progress_stop(&j->progress);
  return st;
}

static int save(job *j)
{
  interrupt_hold(true);
  bp_status st = bp_net_save(j->net, j->output);
  interrupt_hold(false);
  return st == BP_OK ? END_DONE : fail_status(st, END_RESOURCES);
}

static void tell_saved(const job *j)
{
  const bp_train_result *r = &j->result;
  char rate[32];
  if (j->valid && r->stopped_early)
    say("early stop: best epoch %lld -> %s", (long long)r->best_epoch, j->output);
  else if (j->valid)
    say("done: best epoch %lld -> %s", (long long)r->best_epoch, j->output);
  else
    say("done: %lld epochs -> %s", (long long)r->epochs, j->output);
  if (j->s->verbose)
    say("%lld epochs, %lld steps in %.2f s, %s samples/s", (long long)r->epochs, (long long)r->steps,
        r->seconds, with_commas((int64_t)r->samples_per_second, rate));
}

/* ---- the last word ---- */

static int judge(job *j)
{
  const bp_data *on = j->test ? j->test : j->valid ? j->valid : j->train;
  j->judged_on = j->test ? "test" : j->valid ? "validation" : "training";
  bp_status st = bp_net_eval(j->net, on, &j->judged);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static void json_part(const char *name, const bp_data *d)
{
  answer(",\"%s\":%lld", name, (long long)(d ? bp_data_rows(d) : 0));
}

static void json_epochs(const progress *p)
{
  answer(",\"epochs\":[");
  for (int64_t i = 0; i < p->n; i++) {
    answer("%s{\"epoch\":%lld,\"train_loss\":", i ? "," : "", (long long)i + 1);
    json_number(p->epochs[i].train_loss);
    answer(",\"valid_loss\":");
    json_number(p->epochs[i].valid_loss);
    answer(p->classes ? ",\"valid_accuracy\":" : ",\"valid_r2\":");
    json_number(p->epochs[i].valid_metric);
    answer("}");
  }
  answer("]");
}

static void tell_json(const job *j, const char *how)
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
  answer(",\"seed\":%lld,\"best_epoch\":%lld,\"steps\":%lld,\"seconds\":", (long long)j->s->seed,
         (long long)j->result.best_epoch, (long long)j->result.steps);
  json_number(j->result.seconds);
  answer(",\"samples_per_second\":");
  json_number(j->result.samples_per_second);
  answer(",\"%s\":", j->judged_on);
  metrics_json(&j->judged);
  json_epochs(&j->progress);
  answer("}\n");
}

static int finish(job *j, const char *how)
{
  int end = judge(j);
  if (end)
    return end;
  if (j->s->json)
    tell_json(j, how);
  else
    metrics_answer(j->judged_on, &j->judged);
  if (!metrics_beat_baseline(&j->judged))
    say("warning: the network does not beat the baseline on the %s rows; more data, more epochs, or another "
        "--lr or --hidden may help",
        j->judged_on);
  return END_DONE;
}

static int interrupted(job *j)
{
  int end = save(j);
  if (end)
    return end;
  say("interrupted: saved %s at epoch %lld (best epoch %lld)", j->output, (long long)j->progress.last,
      (long long)j->result.best_epoch);
  end = finish(j, "interrupted");
  return end ? end : END_SIGNAL + interrupt_came();
}

/* The weights are those of the best epoch before; with none, there is nothing worth a file. */
static int diverged(job *j)
{
  fail(END_DIVERGED, "%s", bp_error());
  if (j->result.best_epoch < 1)
    return fail(END_DIVERGED, "no epoch was finished before; %s is not written", j->output);
  int end = save(j);
  if (end)
    return end;
  return fail(END_DIVERGED, "saved %s as it was at epoch %lld", j->output, (long long)j->result.best_epoch);
}

static int run_job(job *j)
{
  int end = make_net(j);
  if (!end)
    end = read_more(j);
  if (end)
    return end;
  tell_data(j);
  tell_net(j);
  end = tell_baseline(j);
  if (end)
    return end;
  bp_status st = train(j);
  if (st == BP_E_STOPPED)
    return interrupted(j);
  if (st == BP_E_NOTFINITE)
    return diverged(j);
  if (st != BP_OK)
    return fail_status(st, st == BP_E_ARG ? END_USAGE : END_DATA);
  end = save(j);
  if (end)
    return end;
  tell_saved(j);
  return finish(j, j->result.stopped_early ? "early stop" : "done");
}

static void job_free(job *j)
{
  progress_free(&j->progress);
  bp_net_free(j->net);
  bp_data_free(j->test);
  bp_data_free(j->valid);
  if (j->train != j->all)
    bp_data_free(j->train);
  bp_data_free(j->all);
}

int cmd_train(const settings *s)
{
  job j = {.s = s};
  int end = check_options(s);
  if (!end)
    end = choose_output(&j);
  if (end)
    return end;
  j.ctx = context_new(s);
  if (!j.ctx)
    return END_RESOURCES;
  end = dataset_read(j.ctx, s, s->inputs, s->n_inputs, &j.all);
  j.train = j.all;
  if (!end)
    end = split_data(&j);
  if (!end)
    end = run_job(&j);
  job_free(&j);
  return context_free(j.ctx, s, end);
}

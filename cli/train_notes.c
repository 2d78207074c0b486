/* What a model keeps of its training, and a training that goes on with it: notes "bprop.options", "bprop.inputs", "bprop.program". */
#include "card.h"
#include "dataset.h"
#include "measured.h"
#include "modelfile.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char options_key[] = "bprop.options", inputs_key[] = "bprop.inputs",
                  program_key[] = "bprop.program", folds_key[] = "bprop.fold-epochs",
                  memory_key[] = "bprop.memory";

/* One path a line. */
static char *inputs_text(const settings *s)
{
  size_t n = 1;
  for (int i = 0; i < s->n_inputs; i++)
    n += strlen(s->inputs[i]) + 1;
  char *text = malloc(n), *to = text;
  for (int i = 0; text && i < s->n_inputs; i++) {
    to = stpcpy(to, s->inputs[i]);
    *to++ = '\n';
  }
  if (text)
    *to = 0;
  return text;
}

static bp_status note_number(const train_job *j, const char *key, int64_t n)
{
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)n);
  return n ? bp_net_set_note(j->net, key, text) : BP_OK;
}

/* Rows in a file are split and shuffled in another way than rows in memory: what goes on has them where they were, whatever memory there is by then. */
static int64_t spooled_within(const train_job *j)
{
  return bp_data_file_bytes(j->all) ? memory_for_data(j->s) : 0;
}

static void adopt_memory(const train_job *j, settings *s)
{
  const char *within = bp_net_note(j->net, memory_key);
  if (!settings_given(s, "memory"))
    s->memory = within ? atoll(within) : INT64_MAX;
}

/* A path need not be UTF-8, but the notes of a model are: then such a model cannot be gone on with, and that is no reason to fail. */
int train_note(train_job *j)
{
  char *kept = settings_kept(j->s), *inputs = inputs_text(j->s);
  bp_status st = kept && inputs ? bp_net_set_note(j->net, program_key, bp_version()) : BP_E_NOMEM;
  if (st == BP_OK)
    st = bp_net_set_note(j->net, options_key, kept);
  if (st == BP_OK)
    st = bp_net_set_note(j->net, inputs_key, inputs);
  if (st == BP_OK)
    st = note_number(j, folds_key, j->fold_epochs);
  if (st == BP_OK)
    st = note_number(j, memory_key, spooled_within(j));
  free(kept);
  free(inputs);
  return st == BP_E_NOMEM ? fail_memory() : END_DONE;
}

/* ---- going on ---- */

static int adopt_inputs(train_job *j, settings *s, const char *text)
{
  size_t lines = 0;
  for (const char *c = text; *c; c++)
    lines += *c == '\n';
  j->inputs = calloc(lines + 1, sizeof *j->inputs);
  j->inputs_text = strdup(text);
  if (!j->inputs || !j->inputs_text)
    return fail_memory();
  s->inputs = j->inputs;
  for (char *line = j->inputs_text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    s->inputs[s->n_inputs++] = line;
  }
  return END_DONE;
}

/* Whether the training in a file is over: then there is no place in it to go on from. */
static bp_status find_over(bp_ctx *ctx, const char *path, bool *over)
{
  bp_tensors *file = NULL;
  bp_status st = bp_tensors_load(ctx, path, &file);
  *over = st != BP_OK || !bp_tensors_meta(file, "bprop.training");
  bp_tensors_free(file);
  return st;
}

int64_t train_next_epoch(const char *file)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_status st = BP_E_NOMEM;
  bool over = true;
  const bp_epoch *e = NULL;
  bp_net *net = ctx && find_over(ctx, file, &over) == BP_OK && !over ? bp_net_load(ctx, file, &st) : NULL;
  int64_t n = net ? bp_net_history(net, &e) : 0;
  /* Of a long training not every epoch is kept. */
  int64_t next = !net ? 0 : n > 1 ? 2 * e[n - 1].epoch - e[n - 2].epoch : n + 1;
  bp_net_free(net);
  bp_ctx_free(ctx);
  return next;
}

static int is_over(train_job *j, const settings *s)
{
  static const char *const more[] = {"epochs", "output"};
  bp_status st = find_over(j->ctx, s->resume, &j->over);
  if (st != BP_OK)
    return fail_status(st, END_MODEL);
  for (size_t i = 0; j->over && i < sizeof more / sizeof *more; i++)
    if (settings_given(s, more[i]))
      return fail(END_USAGE,
                  "--%s: the training of %s is finished; another may start from its weights, with --from %s",
                  more[i], s->resume, s->resume);
  return END_DONE;
}

static double judged_value(const bp_net *net, const char *name)
{
  char *text = card_value(net, JUDGED_NOTE, name);
  double value = text ? strtod(text, NULL) : NAN;
  free(text);
  return value;
}

int train_over(const train_job *j)
{
  const bp_net *net = j->net;
  char *on = card_value(net, JUDGED_NOTE, "measured on");
  bp_metrics m = {.loss = NAN,
                  .accuracy = judged_value(net, "accuracy"),
                  .rmse = judged_value(net, "rmse"),
                  .mae = judged_value(net, "mae"),
                  .r2 = judged_value(net, "r2"),
                  .baseline = judged_value(net, "baseline")};
  m.rows = on ? (int64_t)judged_value(net, "rows") : 0;
  say("the training of %s is finished, and nothing is left to do; another may start from its weights, with "
      "--from %s",
      j->s->resume, j->s->resume);
  if (j->s->json) {
    answer("{\"schema\":1,\"end\":\"finished before\",\"model\":");
    json_text(j->s->resume);
    if (on)
      answer(",\"%s\":", on);
    if (on)
      metrics_json(&m);
    answer("}\n");
  } else if (on)
    metrics_answer(on, &m);
  free(on);
  return END_DONE;
}

int train_resume(train_job *j, settings *s)
{
  int end = model_load(j->ctx, s->resume, &j->net);
  if (end)
    return end;
  const char *kept = bp_net_note(j->net, options_key), *inputs = bp_net_note(j->net, inputs_key);
  if (!kept || !inputs)
    return fail(END_MODEL, "%s: was not made by `bprop train`, and does not say how to go on with it",
                s->resume);
  j->options_text = strdup(kept);
  if (!j->options_text)
    return fail_memory();
  end = is_over(j, s);
  if (!end)
    end = settings_adopt(s, j->options_text, s->resume);
  const char *epochs = bp_net_note(j->net, folds_key); /* cross-validation is over already */
  j->fold_epochs = epochs ? atoll(epochs) : 0;
  adopt_memory(j, s);
  return end || s->n_inputs ? end : adopt_inputs(j, s, inputs);
}

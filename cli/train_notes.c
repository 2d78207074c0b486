/* What a model keeps of its training, and a training that goes on with it: notes "bprop.options", "bprop.inputs", "bprop.program". */
#include "modelfile.h"
#include "train_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char options_key[] = "bprop.options", inputs_key[] = "bprop.inputs",
                  program_key[] = "bprop.program", folds_key[] = "bprop.fold-epochs";

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

/* A path need not be UTF-8, but the notes of a model are: then such a model cannot be gone on with, and that is no reason to fail. */
int train_note(train_job *j)
{
  char *kept = settings_kept(j->s), *inputs = inputs_text(j->s);
  bp_status st = kept && inputs ? bp_net_set_note(j->net, program_key, bp_version()) : BP_E_NOMEM;
  if (st == BP_OK)
    st = bp_net_set_note(j->net, options_key, kept);
  if (st == BP_OK)
    st = bp_net_set_note(j->net, inputs_key, inputs);
  char epochs[32];
  snprintf(epochs, sizeof epochs, "%lld", (long long)j->fold_epochs);
  if (st == BP_OK && j->fold_epochs)
    st = bp_net_set_note(j->net, folds_key, epochs);
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
  end = settings_adopt(s, j->options_text, s->resume);
  const char *epochs = bp_net_note(j->net, folds_key); /* cross-validation is over already */
  j->fold_epochs = epochs ? atoll(epochs) : 0;
  return end || s->n_inputs ? end : adopt_inputs(j, s, inputs);
}

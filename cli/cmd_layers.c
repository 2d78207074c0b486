/* The kinds of layers that the text of a network may have. */
#include "cmd.h"
#include "nearest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- as text ---- */

static const char *preset_text(const bp_layer_arg *a, char *room, size_t size)
{
  snprintf(room, size, "%.9g", a->preset);
  return room;
}

/* "conv FILTERS WINDOW [stride=1] [pad=0|same] [nobias]": what must be given bare, what may be in brackets. */
static void tell_usage(const bp_layer_kind *k)
{
  char preset[32];
  answer("%s", k->name);
  for (int i = 0; i < k->n_args; i++) {
    const bp_layer_arg *a = &k->args[i];
    if (a->kind == BP_LAYER_FLAG)
      answer(" [%s]", a->name);
    else if (isnan(a->preset))
      answer(" %s", a->name);
    else
      answer(" [%s%s%s%s%s]", a->name, "=", preset_text(a, preset, sizeof preset), a->word ? "|" : "",
             a->word ? a->word : "");
  }
  answer("%s\n", k->body ? "(layers)" : "");
}

static void tell_kind(const bp_layer_kind *k)
{
  tell_usage(k);
  answer("    %s%s%s%s\n", k->what, k->source ? " (" : "", k->source ? k->source : "", k->source ? ")" : "");
  for (int i = 0; i < k->n_args; i++)
    answer("    %-9s %s\n", k->args[i].name, k->args[i].what);
}

/* ---- as JSON ---- */

static void json_argument(const bp_layer_arg *a)
{
  answer("{\"name\":\"%s\",\"what\":", a->name);
  json_text(a->what);
  answer(",\"flag\":%s", a->kind == BP_LAYER_FLAG ? "true" : "false");
  if (a->kind != BP_LAYER_FLAG) {
    answer(",\"whole\":%s,\"from\":", a->kind == BP_LAYER_WHOLE ? "true" : "false");
    json_number(a->lo);
    answer(",\"to\":");
    json_number(a->hi);
    answer(",\"default\":");
    json_number(a->preset);
    answer(",\"word\":");
    json_text(a->word);
  }
  answer("}");
}

static void json_kind(const bp_layer_kind *k)
{
  answer("{\"schema\":1,\"layer\":\"%s\",\"what\":", k->name);
  json_text(k->what);
  answer(",\"source\":");
  json_text(k->source);
  answer(",\"brackets\":%s,\"arguments\":[", k->body ? "true" : "false");
  for (int i = 0; i < k->n_args; i++) {
    answer(i ? "," : "");
    json_argument(&k->args[i]);
  }
  answer("]}\n");
}

/* ---- which ---- */

static int find_kind(const char *name, bp_layer_kind *k)
{
  nearest n = nearest_to(name);
  for (size_t i = 0; bp_layer_kind_at(i, k) == BP_OK; i++) {
    if (strcmp(k->name, name) == 0)
      return END_DONE;
    nearest_try(&n, k->name);
  }
  return fail(END_USAGE, "there is no kind of layer '%s'%s", name, nearest_hint(&n, ""));
}

int cmd_layers(const settings *s)
{
  bp_layer_kind k;
  for (int i = 0; i < s->n_inputs; i++) {
    int end = find_kind(s->inputs[i], &k);
    if (end)
      return end;
    s->json ? json_kind(&k) : tell_kind(&k);
  }
  for (size_t i = 0; s->n_inputs == 0 && bp_layer_kind_at(i, &k) == BP_OK; i++)
    s->json ? json_kind(&k) : tell_kind(&k);
  if (s->n_inputs == 0 && !s->json)
    answer("activation alone, or at the end of a layer: relu, tanh, gelu, leaky_relu(0.1), maxout(2), ...\n"
           "    any elementwise operation of one input (bprop ops)\n");
  return END_DONE;
}

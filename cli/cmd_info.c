/* What a model file holds. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "info_layers.h"
#include "input.h"

#include <stdio.h>
#include <string.h>

static void shape_text(const bp_tensor *t, char *text, size_t size)
{
  size_t n = (size_t)snprintf(text, size, "[");
  for (int i = 0; i < t->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, i ? ", %lld" : "%lld", (long long)t->dims[i]);
  if (n < size)
    snprintf(text + n, size - n, "]");
}

/* ---- as text ---- */

/* Names, as many as fit on a line or two. */
static void list_names(const char *label, const bp_net *net, int64_t n,
                       const char *(*name)(const bp_net *net, int64_t i))
{
  size_t width = strlen(label);
  answer("%s", label);
  for (int64_t i = 0; i < n; i++) {
    const char *text = shown(name(net, i));
    if (width + strlen(text) > 150) {
      answer(", ... (%lld more)", (long long)(n - i));
      break;
    }
    answer("%s%s", i ? ", " : " ", text);
    width += strlen(text) + 2;
  }
  answer("\n");
}

static void tell_layout(bp_net *net)
{
  char count[32];
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(net), &frozen);
  answer("network %s, %s parameters\n", shown(bp_net_summary(net)), with_commas(trained + frozen, count));
  if (*bp_net_col_name(net, 0))
    list_names("inputs ", net, bp_net_inputs(net), bp_net_col_name);
  else
    answer("inputs  %lld\n", (long long)bp_net_inputs(net));
  if (*bp_net_target(net))
    answer("target  %s\n", shown(bp_net_target(net)));
  if (bp_net_classes(net))
    list_names("classes", net, bp_net_classes(net), class_text);
  info_layers(net);
}

static void tell_tensors(const bp_tensors *t)
{
  for (size_t i = 0; i < bp_tensors_count(t); i++) {
    const bp_tensor *x = bp_tensors_at(t, i);
    char shape[200];
    shape_text(x, shape, sizeof shape);
    answer("  %-20s %-8s %s\n", shown(x->name), bp_store_name(x->store), shape);
  }
}

static void tell_meta(const bp_tensors *t)
{
  if (bp_tensors_meta_count(t))
    answer("metadata\n");
  for (size_t i = 0; i < bp_tensors_meta_count(t); i++) {
    const bp_meta *m = bp_tensors_meta_at(t, i);
    answer("  %s = %s%s\n", shown(m->key), shown(m->value), strlen(m->value) >= 511 ? "..." : "");
  }
}

/* ---- as JSON ---- */

static void json_list(const char *key, const bp_net *net, int64_t n,
                      const char *(*name)(const bp_net *net, int64_t i))
{
  answer(",\"%s\":[", key);
  for (int64_t i = 0; i < n; i++) {
    answer(i ? "," : "");
    json_text(name(net, i));
  }
  answer("]");
}

static void json_net(bp_net *net)
{
  int64_t frozen = 0, all = bp_params_size(bp_net_params(net), &frozen);
  all += frozen;
  answer(",\"network\":");
  json_text(bp_net_summary(net));
  answer(",\"parameters\":%lld,\"inputs\":%lld,\"outputs\":%lld", (long long)all,
         (long long)bp_net_inputs(net), (long long)bp_net_outputs(net));
  if (*bp_net_col_name(net, 0))
    json_list("columns", net, bp_net_inputs(net), bp_net_col_name);
  if (bp_net_classes(net))
    json_list("classes", net, bp_net_classes(net), class_text);
  answer(",\"target\":");
  json_text(*bp_net_target(net) ? bp_net_target(net) : NULL);
  info_layers_json(net);
}

static void json_tensors(const bp_tensors *t)
{
  answer(",\"tensors\":[");
  for (size_t i = 0; i < bp_tensors_count(t); i++) {
    const bp_tensor *x = bp_tensors_at(t, i);
    answer(i ? ",{\"name\":" : "{\"name\":");
    json_text(x->name);
    answer(",\"dtype\":\"%s\",\"shape\":[", bp_store_name(x->store));
    for (int k = 0; k < x->rank; k++)
      answer(k ? ",%lld" : "%lld", (long long)x->dims[k]);
    answer("]}");
  }
  answer("],\"metadata\":{");
  for (size_t i = 0; i < bp_tensors_meta_count(t); i++) {
    answer(i ? "," : "");
    json_text(bp_tensors_meta_at(t, i)->key);
    answer(":");
    json_text(bp_tensors_meta_at(t, i)->value);
  }
  answer("}");
}

static void tell_model(const settings *s, const char *path, bp_net *net, const bp_tensors *t)
{
  if (s->json) {
    answer("{\"schema\":1,\"file\":");
    json_text(path);
    if (net)
      json_net(net);
    json_tensors(t);
    answer("}\n");
    return;
  }
  answer("%s: %zu tensors\n", shown(path), bp_tensors_count(t));
  if (net)
    tell_layout(net);
  else
    answer("no network of bprop: %s\n", shown(bp_error()));
  answer("tensors\n");
  tell_tensors(t);
  tell_meta(t);
}

int cmd_info(const settings *s)
{
  bp_tensors *t = NULL;
  bp_status st;
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  st = bp_tensors_load(ctx, s->inputs[0], &t);
  int end = st == BP_OK ? END_DONE : fail_status(st, END_MODEL);
  if (!end) {
    /* A file from elsewhere is shown too; one of ours that is damaged is not. */
    bp_net *net = bp_net_load(ctx, s->inputs[0], &st);
    if (!net && (bp_tensors_meta(t, "bprop.net") || st == BP_E_NOMEM))
      end = fail_status(st, END_MODEL);
    else
      tell_model(s, s->inputs[0], net, t);
    bp_net_free(net);
  }
  bp_tensors_free(t);
  bp_ctx_free(ctx);
  return end;
}

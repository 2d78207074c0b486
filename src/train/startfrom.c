/* A network that starts from a trained one: its encoding, its layers, its weights; a new last layer where it has other answers to give. */
#include "train/startfrom.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_categories(const bpi_field *a, const bpi_field *b)
{
  if (a->n != b->n || !a->texts != !b->texts)
    return false;
  for (int64_t k = 0; a->texts && k < a->n; k++)
    if (!same_text(a->texts[k], b->texts[k]))
      return false;
  return true;
}

bool bpi_same_answers(const bp_net *from, const bp_data *d)
{
  const bpi_examples *e = d->all;
  if (from->classes != e->classes || from->outputs != (e->classes ? e->classes : e->n_y))
    return false;
  return !from->targets || !e->targets || !e->classes || same_categories(&from->targets[0], &e->targets[0]);
}

static bp_status copy_floats(bp_ctx *ctx, const float *from, int64_t n, float **to)
{
  *to = bpi_alloc(ctx, (size_t)n, sizeof **to);
  if (*to)
    memcpy(*to, from, (size_t)n * sizeof **to);
  return *to ? BP_OK : bpi_nomem();
}

bp_status bpi_start_encoding(bp_net *net, const bp_net *from, const bp_data *d)
{
  const bpi_encoding *old = &from->encoding;
  bpi_encoding *e = &net->encoding;
  bpi_match match;
  bp_status s = bpi_encoding_match(old, d, &match);
  bpi_match_clear(&match);
  if (s != BP_OK)
    return s;
  *e = (bpi_encoding){.ctx = net->ctx,
                      .cols = old->cols,
                      .refuse = old->refuse,
                      .tails = old->tails,
                      .unknown_missing = old->unknown_missing};
  s = copy_floats(net->ctx, old->mean, old->cols, &e->mean);
  if (s == BP_OK)
    s = copy_floats(net->ctx, old->scale, old->cols, &e->scale);
  if (s == BP_OK)
    s = copy_floats(net->ctx, old->fill, old->cols, &e->fill);
  if (s == BP_OK)
    s = bpi_fields_copy(net->ctx, old->fields, old->cols, &e->fields);
  if (s == BP_OK && old->codings) {
    e->codings = bpi_alloc(net->ctx, (size_t)old->cols, sizeof *e->codings);
    if (!e->codings)
      return bpi_nomem();
    memcpy(e->codings, old->codings, (size_t)old->cols * sizeof *e->codings);
  }
  return s == BP_OK ? bpi_encoding_layout(e) : s;
}

bp_status bpi_start_targets(bp_net *net, const bp_net *from)
{
  bp_status s = copy_floats(net->ctx, from->y_mean, from->outputs, &net->y_mean);
  return s == BP_OK ? copy_floats(net->ctx, from->y_scale, from->outputs, &net->y_scale) : s;
}

/* Bytes of a text before its last layer. */
static size_t before_last(const char *text)
{
  size_t at = 0;
  int depth = 0;
  for (size_t i = 0; text[i]; i++) {
    depth += (text[i] == '(') - (text[i] == ')');
    if (text[i] == ',' && depth == 0)
      at = i;
  }
  return at;
}

bp_status bpi_start_layers(bp_net *net, const bp_net *from, bool same)
{
  static const int64_t none[1] = {0};
  if (same)
    return bpi_net_read_layers(net, from->model);
  char *text = bpi_strdup(net->ctx, from->model);
  if (!text)
    return bpi_nomem();
  text[before_last(text)] = 0;
  bp_status s = *text ? bpi_net_complete_layers(net, text) : bpi_net_dense_layers(net, none, "relu", 0);
  bpi_free(net->ctx, text);
  return s;
}

bp_status bpi_start_weights(bp_net *net, const bp_net *from, bool same)
{
  bp_store store = bp_store_of(bp_state_real(from->state));
  const char *last = from->n_infos ? from->infos[from->n_infos - 1].name : "";
  for (int i = 0; i < bp_params_count(net->params); i++) {
    const bpi_parameter *w = &net->params->list[i];
    int k = bpi_param_find(from->params, w->name);
    void *to, *data;
    bp_type type;
    if (k < 0 || (!same && *last && bpi_param_fits(w, last)))
      continue;
    bp_status s = bp_params_at(net->params, i, NULL, NULL, &to, NULL);
    if (s == BP_OK)
      s = bp_params_at(from->params, k, NULL, &type, &data, NULL);
    if (s == BP_OK && bpi_same_shape(&type, &w->type))
      s = bp_convert(data, store, w->size, bp_state_real(net->state), to);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

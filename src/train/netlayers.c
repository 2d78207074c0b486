/* The layers of a network: their text from what was asked for, completed for the data, and kept. */
#include "train/net.h"

#include <string.h>

/* What was read before goes with its arena. */
bp_status bpi_net_read_layers(bp_net *net, const char *text)
{
  bpi_arena_free(&net->arena);
  bpi_arena_init(&net->arena, net->ctx);
  bpi_free(net->ctx, net->model);
  net->model = NULL;
  bp_status s = bpi_model_read(&net->arena, text, &net->layers, NULL);
  if (s != BP_OK)
    return s;
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  bpi_model_text(&t, net->layers);
  net->model = bpi_text_take(&t);
  return net->model ? BP_OK : bpi_nomem();
}

static bp_status read_and_free(bp_net *net, bpi_text *t)
{
  char *text = bpi_text_take(t);
  bp_status s = text ? bpi_net_read_layers(net, text) : bpi_nomem();
  bpi_free(net->ctx, text);
  return s;
}

/* "dense 64 relu, dropout 0.2, dense 3" */
bp_status bpi_net_dense_layers(bp_net *net, const int64_t *hidden, const char *activation, double dropout)
{
  const bp_op *op;
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  bp_status s = strcmp(activation, "none") == 0 ? BP_OK : bpi_activation_read(activation, &op, attr);
  if (s != BP_OK)
    return s;
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  bpi_textf(&t, "%s", net->encoding.n_embedded ? "embedding, " : "");
  for (int k = 0; hidden[k] > 0; k++) {
    bpi_textf(&t, "dense %lld %s, ", (long long)hidden[k], activation);
    if (dropout > 0) {
      bpi_textf(&t, "dropout ");
      bpi_text_double(&t, dropout);
      bpi_textf(&t, ", ");
    }
  }
  bpi_textf(&t, "dense %lld", (long long)net->outputs);
  return read_and_free(net, &t);
}

/* ---- a text of the caller's, completed ---- */

static bool has_shape(const bp_net *net)
{
  return net->shape[0] > 0;
}

/* What comes out of the layers, for one example. */
static bp_status output_type(bp_net *net, bp_type *type)
{
  bp_params *kept = net->params, *own = bp_params_new(net->ctx);
  bp_graph *g = bp_graph_new(net->ctx);
  bp_status s = own && g ? BP_OK : BP_E_NOMEM;
  if (s == BP_OK) {
    int64_t dims[2] = {1, net->inputs}, two = 2;
    bp_node x = bp_input(g, "x", BP_REAL, 2, dims), key = bp_input(g, "key", BP_INT64, 1, &two);
    net->params = own;
    bp_node y = bpi_net_stack(net, x, key, true, NULL, NULL);
    net->params = kept;
    s = bpi_graph_status(g);
    if (s == BP_OK)
      s = bp_node_type(y, type);
  }
  bp_graph_free(g);
  bp_params_free(own);
  return s;
}

/* Whether the layers end in the answers; if they end in another number of them, that is a mistake. */
static bp_status ends_in_answers(const bp_net *net, const bp_type *out, bool *ends)
{
  const bpi_layer *last = net->layers;
  while (last->next)
    last = last->next;
  *ends = bpi_stack_ends_open(net->layers) && out->rank == 2 && out->dims[1] == net->outputs;
  if (*ends || !last->kind->linear || last->activation || out->rank != 2)
    return BP_OK;
  return bpi_fail(
      BP_E_MISMATCH,
      "the network ends in a layer of %lld, and the data have %lld %s; leave that layer out: a last "
      "one is added, as the data need it",
      (long long)out->dims[1], (long long)net->outputs, net->classes ? "classes" : "targets");
}

bp_status bpi_net_complete_layers(bp_net *net, const char *text)
{
  bpi_text t;
  bp_type out;
  bool ends = false;
  bp_status s = bpi_net_read_layers(net, text);
  if (s == BP_OK && net->encoding.n_embedded && !bpi_stack_embeds(net->layers)) {
    bpi_text_init(&t, net->ctx);
    bpi_textf(&t, "embedding, %s", text);
    s = read_and_free(net, &t);
  } else if (s == BP_OK && has_shape(net) && bpi_stack_wants_images(net->layers)) {
    bpi_text_init(&t, net->ctx);
    bpi_textf(&t, "reshape %lldx%lldx%lld, %s", (long long)net->shape[0], (long long)net->shape[1],
              (long long)net->shape[2], text);
    s = read_and_free(net, &t);
  }
  if (s == BP_OK)
    s = output_type(net, &out);
  if (s == BP_OK)
    s = ends_in_answers(net, &out, &ends);
  if (s != BP_OK || ends)
    return s;
  bpi_text_init(&t, net->ctx);
  bpi_textf(&t, "%s, dense %lld", net->model, (long long)net->outputs);
  return read_and_free(net, &t);
}

/* ---- in short ---- */

/* Dense layers with one activation, and dropout anywhere. */
static bool is_plain(const bpi_layer *first, const char **activation)
{
  static const char dense[] = "dense", dropout[] = "dropout";
  if (bpi_stack_embeds(first))
    first = first->next;
  *activation = first && first->next ? first->activation : NULL;
  for (const bpi_layer *l = first; l; l = l->next) {
    if (strcmp(l->kind->name, dropout) == 0)
      continue;
    bool same = l->activation && *activation && strcmp(l->activation, *activation) == 0;
    if (strcmp(l->kind->name, dense) != 0 || l->value[1].n || (l->next ? !same : l->activation != NULL))
      return false;
  }
  return true;
}

/* "13-64-3 relu", or the layers' text. */
bp_status bpi_net_summarise(bp_net *net)
{
  bpi_text t;
  const char *activation;
  bpi_text_init(&t, net->ctx);
  bpi_textf(&t, "%lld", (long long)net->inputs);
  if (net->build) {
    bpi_textf(&t, "-(own layers)-%lld", (long long)net->outputs);
  } else if (is_plain(net->layers, &activation)) {
    for (const bpi_layer *l = net->layers; l; l = l->next)
      if (l->kind->linear)
        bpi_textf(&t, "-%lld", (long long)bpi_layer_whole(l, 0, 0));
    bpi_textf(&t, "%s%s", activation ? " " : "", activation ? activation : "");
  } else {
    bpi_textf(&t, ": %s", net->model);
  }
  net->summary = bpi_text_take(&t);
  return net->summary ? BP_OK : bpi_nomem();
}

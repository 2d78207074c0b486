/* A list of layers built, one after another. */
#include "nn/stack.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 40 };

/* "layer3": the third of its prefix, in the order of the text. */
static void name_layer(bpi_stack *s, const char *prefix, char *name)
{
  int i = 0;
  while (i < BPI_STACK_PREFIXES - 1 && s->prefix[i] && strcmp(s->prefix[i], prefix) != 0)
    i++;
  s->prefix[i] = prefix;
  snprintf(name, NAME, "%s%d", prefix, ++s->count[i]);
}

/* The first error of the graph learns which layer it was. */
static bp_node failed(bpi_stack *s, const bpi_layer *l)
{
  bpi_text t;
  s->told = true;
  bpi_text_init(&t, s->graph->ctx);
  bpi_model_layer_text(&t, l, true);
  char *text = bpi_text_take(&t);
  if (text)
    bpi_graph_reword(s->graph, "layer '%.200s'", text);
  bpi_free(s->graph->ctx, text);
  return bpi_error_node(s->graph);
}

static bp_node build_layer(bpi_stack *s, const bpi_layer *l, bp_node x)
{
  char name[NAME] = "";
  if (s->layers++ >= BPI_LAYERS_MOST)
    return bpi_node_fail(s->graph, BP_E_LIMIT, "more than %d layers", BPI_LAYERS_MOST);
  if (l->kind->prefix)
    name_layer(s, l->kind->prefix, name);
  size_t first_node = s->graph->count;
  s->depth++;
  bp_node y = l->kind->build(s, l, name, x);
  s->depth--;
  y = bp_activation(y, l->activation);
  if (s->built && !bp_failed(y))
    s->built(s->user, l, s->depth, name, first_node, y);
  return y;
}

bp_node bpi_stack_build(bpi_stack *s, const bpi_layer *first, bp_node x)
{
  for (const bpi_layer *l = first; l && !bp_failed(x); l = l->next) {
    s->follows = l != first;
    x = build_layer(s, l, x);
    if (bp_graph_status(s->graph) != BP_OK && !s->told)
      return failed(s, l);
  }
  return x;
}

bool bpi_stack_wants_images(const bpi_layer *first)
{
  for (const bpi_layer *l = first; l; l = l->next) {
    if (l->body && bpi_stack_wants_images(l->body))
      return true;
    if (l->kind->wants != BPI_WANTS_ANY)
      return l->kind->wants == BPI_WANTS_IMAGES;
  }
  return false;
}

bool bpi_stack_embeds(const bpi_layer *first)
{
  return first && first->kind->embeds;
}

bool bpi_stack_ends_open(const bpi_layer *first)
{
  bool open = false;
  for (const bpi_layer *l = first; l; l = l->next)
    open = !l->activation && (l->kind->linear || (open && l->kind->passes));
  return open;
}

bp_node bp_layers(bp_params *p, bp_node x, bp_node key, bool training, const char *text)
{
  bp_graph *g = x.graph;
  const bpi_layer *first;
  if (bp_failed(x))
    return x;
  if (!p || !text)
    return bpi_node_fail(g, BP_E_ARG, "bp_layers: params or the text is NULL");
  bpi_arena a;
  bpi_arena_init(&a, g->ctx);
  bp_status status = bpi_model_read(&a, text, &first, NULL);
  bpi_stack s = {.params = p, .graph = g, .key = key, .training = training};
  x = status == BP_OK ? bpi_stack_build(&s, first, x) : bpi_node_fail(g, status, "%s", bp_error());
  bpi_arena_free(&a);
  return x;
}

bp_status bp_layers_check(bp_ctx *ctx, const char *text, char **plain, size_t *at)
{
  if (plain)
    *plain = NULL;
  if (at)
    *at = 0;
  if (!ctx || !text)
    return bpi_bad_arg("bp_layers_check", "ctx or the text is NULL");
  bpi_arena a;
  const bpi_layer *first;
  size_t wrong_at;
  bpi_arena_init(&a, ctx);
  bp_status s = bpi_model_read(&a, text, &first, &wrong_at);
  if (s != BP_OK && at)
    *at = wrong_at;
  if (s == BP_OK && plain) {
    bpi_text t;
    bpi_text_init(&t, ctx);
    bpi_model_text(&t, first);
    *plain = bpi_text_take(&t);
    s = *plain ? BP_OK : bpi_nomem();
  }
  bpi_arena_free(&a);
  return s;
}

bp_status bp_layer_kind_at(size_t i, bp_layer_kind *kind)
{
  const bpi_layer_kind *k = i < INT32_MAX ? bpi_layer_kind_at((int)i) : NULL;
  if (!kind)
    return bpi_bad_arg("bp_layer_kind_at", "kind is NULL");
  if (!k)
    return bpi_fail(BP_E_RANGE, "bp_layer_kind_at: there is no kind of layer %zu", i);
  *kind = (bp_layer_kind){k->name, k->what, k->source, k->args, bpi_layer_args(k), k->body};
  return BP_OK;
}

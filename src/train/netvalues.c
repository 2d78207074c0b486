#include "train/netvalues.h"
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LAYERS = 256, LAYER_ROOM = 80 };

/* The operations of a layer: numbers [first, end) of the graph. */
typedef struct layer_span {
  size_t first, end;
  char name[LAYER_ROOM];
} layer_span;

typedef struct insider {
  bp_net *net;
  bp_graph *g;
  layer_span *spans;
  size_t n_spans;
  bp_node *nodes; /* the wanted ones */
  size_t n;
  bp_plan *plan;
  bp_run *run;
} insider;

static void note_layer(void *user, const bpi_layer *l, int depth, const char *name, size_t first, bp_node y)
{
  insider *in = user;
  (void)depth;
  if (in->n_spans == MOST_LAYERS || !bpi_slot(y))
    return;
  layer_span *s = &in->spans[in->n_spans++];
  *s = (layer_span){.first = first, .end = y.graph->count};
  bpi_text t;
  bpi_text_init(&t, in->net->ctx);
  bpi_model_layer_text(&t, l, false);
  snprintf(s->name, sizeof s->name, *name ? "%s (%s)" : "%s%s", name, t.s ? t.s : "");
  bpi_text_free(&t);
}

/* Layers in layers come first, so the first that has it is the innermost. */
static const char *layer_of(const insider *in, size_t index)
{
  for (size_t i = 0; i < in->n_spans; i++)
    if (index >= in->spans[i].first && index < in->spans[i].end)
      return in->spans[i].name;
  return "";
}

static bp_status build(insider *in, int64_t n)
{
  int64_t dims[2] = {n, in->net->inputs};
  in->g = bp_graph_new(in->net->ctx);
  in->spans = bpi_alloc(in->net->ctx, MOST_LAYERS, sizeof *in->spans);
  if (!in->g || !in->spans)
    return bpi_nomem();
  bp_node x = bp_input(in->g, "x", BP_REAL, 2, dims);
  if (in->net->build)
    bpi_net_forward(in->net, in->g, x, BP_NO_NODE, false);
  else
    bpi_net_stack(in->net, x, BP_NO_NODE, false, note_layer, in);
  return bpi_graph_status(in->g);
}

static bp_status choose(insider *in, bool (*wanted)(const bpi_node *node))
{
  in->nodes = bpi_alloc(in->net->ctx, in->g->count, sizeof *in->nodes);
  if (!in->nodes)
    return bpi_nomem();
  for (uint32_t i = 1; i < in->g->count; i++) {
    const bpi_node *v = &in->g->nodes[i];
    if (v->type && v->type->dtype == BP_REAL && v->n_in > 0 && !(v->flags & BPI_NODE_FIXED) && wanted(v))
      in->nodes[in->n++] = bpi_handle(in->g, i);
  }
  return BP_OK;
}

static bp_status start(insider *in, const void *x, int64_t n)
{
  bp_dtype real = bp_state_real(in->net->state);
  bp_plan_options o = {.real = real, .outputs = in->nodes, .n_outputs = in->n};
  bp_status s = bp_plan_new(in->g, &o, &in->plan);
  if (s == BP_OK)
    s = bp_run_new(in->plan, in->net->state, &in->run);
  if (s == BP_OK)
    s = bp_run_bind(in->run, "x", x, (size_t)(n * in->net->inputs) * bp_dtype_size(real));
  if (s == BP_E_NOTFOUND) /* a network of its own kind may not look at x */
    s = BP_OK;
  return s == BP_OK ? bp_run_step(in->run) : s;
}

static bp_status visit_all(insider *in, bool (*visit)(void *user, const bpi_look *l), void *user)
{
  bool more = true;
  for (size_t i = 0; i < in->n && more; i++) {
    bpi_look l = {.g = in->g,
                  .index = in->nodes[i].index,
                  .node = bpi_slot(in->nodes[i]),
                  .layer = layer_of(in, in->nodes[i].index),
                  .narrow = bp_state_real(in->net->state) == BP_FLOAT32};
    bp_status s = bp_run_output(in->run, i, &l.values, NULL);
    if (s != BP_OK)
      return s;
    more = visit(user, &l);
  }
  return BP_OK;
}

bp_status bpi_inside(bp_net *net, const void *x, int64_t n, bool (*wanted)(const bpi_node *node),
                     bool (*visit)(void *user, const bpi_look *l), void *user)
{
  insider in = {.net = net};
  bp_status s = build(&in, n);
  if (s == BP_OK)
    s = choose(&in, wanted);
  if (s == BP_OK && in.n)
    s = start(&in, x, n);
  if (s == BP_OK && in.n)
    s = visit_all(&in, visit, user);
  bp_run_free(in.run);
  bp_plan_free(in.plan);
  bpi_free(net->ctx, in.nodes);
  bpi_free(net->ctx, in.spans);
  bp_graph_free(in.g);
  return s;
}

/* ---- numbers that are not finite ---- */

typedef struct search {
  char label[64], layer[LAYER_ROOM];
  bool found;
  double largest; /* of the last operation that was looked at */
} search;

static bool every_node(const bpi_node *node)
{
  (void)node;
  return true;
}

static bool look_for(void *user, const bpi_look *l)
{
  search *s = user;
  int64_t n = bpi_type_size(l->node->type);
  s->largest = 0;
  for (int64_t i = 0; i < n && !s->found; i++) {
    double x = bpi_look_at(l, i);
    s->found = !isfinite(x);
    s->largest = fabs(x) > s->largest ? fabs(x) : s->largest;
  }
  bpi_node_label(l->g, l->index, s->label, sizeof s->label);
  snprintf(s->layer, sizeof s->layer, "%s", l->layer);
  return !s->found;
}

void bpi_not_finite(bp_net *net, const void *x, int64_t n, char *text, size_t size)
{
  search s = {.found = false};
  text[0] = 0;
  if (bpi_inside(net, x, n, every_node, look_for, &s) != BP_OK || !*s.label)
    return;
  const char *in = *s.layer ? " in " : "";
  if (s.found)
    snprintf(text, size, "the first number that is not finite comes from %s%s%s", s.label, in, s.layer);
  else
    snprintf(text, size, "the network's outputs, of %s%s%s, are finite and reach %.2g", s.label, in, s.layer,
             s.largest);
}

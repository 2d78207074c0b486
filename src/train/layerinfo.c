/* What the layers of a network are, and what they cost: seen by building it once more, for one example. */
#include "train/net.h"

#include <stdio.h>
#include <string.h>

typedef struct looker {
  bp_net *net;
  bp_status status;
} looker;

static char *text_of(bp_net *net, const bpi_layer *l)
{
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  bpi_model_layer_text(&t, l, false);
  char *text = bpi_text_take(&t), *copy = text ? bpi_arena_strdup(&net->arena, text) : NULL;
  bpi_free(net->ctx, text);
  return copy;
}

/* Numbers of the parameters NAME.something. Of a part of a network that stands in it several times, each place has its own name. */
static void count_numbers(const bp_net *net, const char *name, bp_layer_info *info)
{
  const bp_params *p = net->params;
  for (size_t i = 0; *name && i < p->n; i++)
    if (bpi_param_fits(&p->list[i], name))
      *(p->list[i].frozen ? &info->fixed : &info->parameters) += p->list[i].size;
}

static void count_embeddings(const bp_net *net, bp_layer_info *info)
{
  char name[32];
  for (int64_t k = 1; k <= net->encoding.n_embedded; k++) {
    snprintf(name, sizeof name, "embed%lld", (long long)k);
    count_numbers(net, name, info);
  }
}

static void look(void *user, const bpi_layer *l, int depth, const char *name, size_t first, bp_node y)
{
  looker *to = user;
  bp_net *net = to->net;
  const bpi_node *v = bpi_slot(y);
  if (to->status != BP_OK || !v)
    return;
  bp_layer_info info = {.text = text_of(net, l), .name = bpi_arena_strdup(&net->arena, name), .depth = depth};
  info.rank = v->type->rank - 1 < 3 ? v->type->rank - 1 : 3;
  memcpy(info.dims, v->type->dims + 1, (size_t)info.rank * sizeof *info.dims);
  info.bytes = bpi_type_size(v->type) * (int64_t)bp_dtype_size(bp_state_real(net->state));
  info.flops = bpi_flops_between(y.graph, first, y.graph->count);
  if (l->kind->embeds)
    count_embeddings(net, &info);
  else
    count_numbers(net, name, &info);
  bool room = bpi_grow(net->ctx, (void **)&net->infos, &net->infos_cap, net->n_infos, sizeof *net->infos);
  if (!room || !info.text || !info.name)
    to->status = bpi_nomem();
  else
    net->infos[net->n_infos++] = info;
}

bp_status bpi_net_look(bp_net *net)
{
  if (net->build)
    return BP_OK;
  bp_graph *g = bp_graph_new(net->ctx);
  if (!g)
    return BP_E_NOMEM;
  int64_t dims[2] = {1, net->inputs};
  looker to = {.net = net};
  bpi_net_stack(net, bp_input(g, "x", BP_REAL, 2, dims), BP_NO_NODE, false, look, &to);
  bp_status s = bpi_graph_status(g);
  bp_graph_free(g);
  return s == BP_OK ? to.status : s;
}

size_t bp_net_layers(const bp_net *net)
{
  return net ? net->n_infos : 0;
}

bp_status bp_net_layer(const bp_net *net, size_t i, bp_layer_info *info)
{
  if (!net || !info)
    return bpi_bad_arg("bp_net_layer", "net or info is NULL");
  if (i >= net->n_infos)
    return bpi_fail(BP_E_RANGE, "bp_net_layer: there is no layer %zu", i);
  *info = net->infos[i];
  return BP_OK;
}

const char *bp_net_model(const bp_net *net)
{
  return net && net->model ? net->model : "";
}

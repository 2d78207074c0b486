/* Draws what a network of two inputs answers all over the plane. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "modelfile.h"
#include "picfile.h"

#include <stdio.h>

static int draw(const settings *s, bp_ctx *ctx, bp_net *net)
{
  bp_picture *picture = NULL;
  bp_data *data = NULL;
  char what[200], rows[32];
  int end = s->n_inputs > 1 ? dataset_read_for(ctx, s, net, s->inputs + 1, s->n_inputs - 1, s->target, &data)
                            : END_DONE;
  if (end)
    return end;
  snprintf(what, sizeof what, "regions of %.150s", shown(bp_net_summary(net)));
  if (data)
    snprintf(what, sizeof what, "regions of %.130s, %s examples", shown(bp_net_summary(net)),
             with_commas(bp_data_rows(data), rows));
  bp_status st = bp_regions(net, data, NULL, &picture);
  end = picture_done(ctx, s, st, picture, st == BP_E_UNSUPPORTED ? END_MODEL : END_DATA, what);
  bp_data_free(data);
  return end;
}

int cmd_regions(const settings *s)
{
  bp_net *net = NULL;
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  int end = model_load(ctx, s->inputs[0], &net);
  if (!end)
    end = draw(s, ctx, net);
  bp_net_free(net);
  bp_ctx_free(ctx);
  return end;
}

/* Draws what the units of a network's first layer look for. */
#include "cmd.h"
#include "context.h"
#include "imageshape.h"
#include "modelfile.h"
#include "picfile.h"

#include <stdio.h>

int cmd_templates(const settings *s)
{
  bp_templates_options o = {.most = s->top, .grey = s->grey};
  bp_net *net = NULL;
  bp_picture *picture = NULL;
  char what[200];
  int64_t shape[3];
  int end = image_shape(s, shape);
  if (end)
    return end;
  o.rows = shape[0];
  o.cols = shape[1];
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  end = model_load(ctx, s->inputs[0], &net);
  if (!end) {
    snprintf(what, sizeof what, "templates of %.150s", shown(bp_net_summary(net)));
    bp_status st = bp_templates(net, &o, &picture);
    end = picture_done(ctx, s, st, picture, st == BP_E_SHAPE ? END_USAGE : END_MODEL, what);
  }
  bp_net_free(net);
  bp_ctx_free(ctx);
  return end;
}

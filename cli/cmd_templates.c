/* Draws what the units of a network's first layer look for. */
#include "cmd.h"
#include "context.h"
#include "modelfile.h"
#include "picfile.h"

#include <stdio.h>

/* "28x28" */
static int image_shape(const settings *s, bp_templates_options *o)
{
  long long rows, cols;
  char more;
  if (!s->shape)
    return END_DONE;
  if (sscanf(s->shape, "%9lldx%9lld%c", &rows, &cols, &more) != 2 || rows < 1 || cols < 1)
    return fail(END_USAGE, "--shape: '%s' is not ROWSxCOLS, as 28x28", s->shape);
  o->rows = rows;
  o->cols = cols;
  return END_DONE;
}

int cmd_templates(const settings *s)
{
  bp_templates_options o = {.most = s->top, .grey = s->grey};
  bp_net *net = NULL;
  bp_picture *picture = NULL;
  char what[200];
  int end = image_shape(s, &o);
  if (end)
    return end;
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

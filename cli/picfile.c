/* A picture as a file, or to standard output. */
#include "picfile.h"

int picture_out(bp_ctx *ctx, const settings *s, const bp_picture *p)
{
  char *svg = NULL;
  if (s->output) {
    bp_status st = bp_picture_save(p, s->dark, s->scale, s->output);
    return st == BP_OK ? END_DONE : fail_status(st, st == BP_E_UNSUPPORTED ? END_USAGE : END_RESOURCES);
  }
  bp_status st = bp_picture_svg(p, s->dark, &svg);
  if (st != BP_OK)
    return fail_status(st, END_RESOURCES);
  answer("%s", svg);
  bp_free(ctx, svg);
  return END_DONE;
}

int picture_done(bp_ctx *ctx, const settings *s, bp_status st, bp_picture *p, int failed, const char *what)
{
  int end = st == BP_OK ? picture_out(ctx, s, p) : fail_status(st, failed);
  if (!end && s->output)
    answer("%s: %s\n", shown(s->output), what);
  bp_picture_free(p);
  return end;
}

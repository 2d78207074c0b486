/* What this is. */
#include "cmd.h"
#include "context.h"

#include <zlib.h>

int cmd_version(const settings *s)
{
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  const char *isa = bp_isa_name(bp_ctx_isa(ctx));
  if (s->json) {
    answer("{\"schema\":1,\"version\":\"%s\",\"isa\":\"%s\",\"threads\":%d,\"zlib\":\"%s\"}\n", bp_version(),
           isa, bp_ctx_threads(ctx), zlibVersion());
  } else {
    answer("bprop %s\n", bp_version());
    if (s->verbose)
      answer("instruction set %s, up to %d threads\nzlib %s, compiler %s\n", isa, bp_ctx_threads(ctx),
             zlibVersion(), __VERSION__);
  }
  bp_ctx_free(ctx);
  return END_DONE;
}

/* The library reads no environment; the program does, for it. */
#include "context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int log_level(void)
{
  const char *text = getenv("BPROP_LOG");
  return !text || !*text ? 0 : text[0] >= '0' && text[0] <= '5' && !text[1] ? text[0] - '0' : -1;
}

static int isa_wanted(void)
{
  const char *text = getenv("BPROP_ISA");
  if (!text || !*text)
    return BP_ISA_BEST;
  for (int i = 0; i < BP_ISA_COUNT; i++)
    if (!strcmp(text, bp_isa_name((bp_isa)i)))
      return i;
  return -1;
}

int context_check(void)
{
  if (log_level() < 0)
    return fail(END_USAGE, "BPROP_LOG is '%s'; it takes 0 to 5", getenv("BPROP_LOG"));
  if (isa_wanted() < 0)
    return fail(END_USAGE, "BPROP_ISA is '%s'; it takes base, avx2, avx512 or neon", getenv("BPROP_ISA"));
  return END_DONE;
}

static void log_line(void *user, bp_log_level level, const char *line)
{
  static const char *const names[] = {"", "error", "warning", "info", "debug", "trace"};
  (void)user;
  fprintf(stderr, "[%s] %s\n", names[level], line);
}

bp_ctx *context_new(const settings *s)
{
  bp_ctx_options o = {.log = log_line, .log_level = (bp_log_level)log_level()};
  o.threads = s->threads ? (int)s->threads : bp_processors();
  o.limit_isa = isa_wanted() != BP_ISA_BEST;
  o.isa = (bp_isa)isa_wanted();
  bp_ctx *ctx = bp_ctx_new(&o);
  if (!ctx)
    fail_memory();
  return ctx;
}

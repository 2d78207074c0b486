/* The program's own variables of the environment (BPROP_...), read here for the library, which reads none but those of its compiler. */
#include "context.h"
#include "outfile.h"

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

static bp_status passes_wanted(uint32_t *off)
{
  const char *text = getenv("BPROP_PASSES");
  return bp_passes_read(text ? text : "", off);
}

int context_check(void)
{
  uint32_t off;
  if (log_level() < 0)
    return fail(END_USAGE, "BPROP_LOG is '%s'; it takes 0 to 5", getenv("BPROP_LOG"));
  if (isa_wanted() < 0)
    return fail(END_USAGE, "BPROP_ISA is '%s'; it takes base, avx2, avx512 or neon", getenv("BPROP_ISA"));
  if (passes_wanted(&off) != BP_OK)
    return fail(END_USAGE, "BPROP_PASSES is '%s': %s", getenv("BPROP_PASSES"), bp_error());
  return END_DONE;
}

static void log_line(void *user, bp_log_level level, const char *line)
{
  static const char *const names[] = {"", "error", "warning", "info", "debug", "trace"};
  (void)user;
  fprintf(stderr, "[%s] %s\n", names[level], line);
}

/* ---- --profile: a table to stderr, or a file ---- */

enum { TRACE_EVENTS = 200000, TABLE_ROWS = 24 };

static bool start_profile(bp_ctx *ctx, const settings *s)
{
  return !s->profile ||
         bp_profile_new(ctx, &(bp_profile_options){.events = trace_path(s) ? TRACE_EVENTS : 0});
}

static void tell_trace(const char *path, int64_t lost)
{
  char kept[32], all[32];
  if (lost == 0)
    say("trace -> %s", shown(path));
  else
    say("trace -> %s (the first %s of %s events)", shown(path), with_commas(TRACE_EVENTS, kept),
        with_commas(TRACE_EVENTS + lost, all));
}

static int save_trace(bp_ctx *ctx, const bp_profile *p, const settings *s)
{
  char *json = NULL;
  bp_status st = bp_profile_trace(p, &json);
  if (st == BP_OK)
    st = bp_save_file(ctx, s->profile, json, strlen(json));
  bp_free(ctx, json);
  if (st != BP_OK)
    return fail_status(st, END_RESOURCES);
  tell_trace(s->profile, bp_profile_lost(p));
  return END_DONE;
}

/* -q with a file: the file says it all. A table alone is the answer to what was asked. */
static bool wants_table(const settings *s)
{
  return !(trace_path(s) && say_quiet());
}

int context_free(bp_ctx *ctx, const settings *s, int end)
{
  bp_profile *p = bp_ctx_profile(ctx);
  char *text = NULL;
  if (p) {
    bp_profile_stop(p);
    if (wants_table(s) && bp_profile_text(p, TABLE_ROWS, &text) == BP_OK)
      fputs(text, stderr);
    bp_free(ctx, text);
    int saved = trace_path(s) ? save_trace(ctx, p, s) : END_DONE;
    end = end ? end : saved;
    bp_profile_free(p);
  }
  bp_ctx_free(ctx);
  return end;
}

bp_ctx *context_new(const settings *s)
{
  bp_ctx_options o = {.log = log_line, .log_level = (bp_log_level)log_level()};
  o.threads = s->threads ? (int)s->threads : bp_processors();
  o.limit_isa = isa_wanted() != BP_ISA_BEST;
  o.isa = (bp_isa)isa_wanted();
  o.jit = (const bp_jit[]){BP_JIT_AUTO, BP_JIT_OFF, BP_JIT_WAIT}[s->jit];
  passes_wanted(&o.passes_off);
  bp_ctx *ctx = bp_ctx_new(&o);
  if (ctx && !start_profile(ctx, s)) {
    bp_ctx_free(ctx);
    ctx = NULL;
  }
  if (!ctx)
    fail_memory();
  return ctx;
}

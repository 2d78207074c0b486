/* The program: everything bprop competes in. */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bp_ctx *context_of(const request *r)
{
  const char *isa = request_text(r, "isa", NULL);
  /* Compiled code is waited for, so that all that is measured runs it; it is made anew, as files of other builds are nothing to go by. */
  bp_ctx_options o = {.threads = (int)request_count(r, "threads", 1),
                      .jit = request_count(r, "jit", 0) ? BP_JIT_WAIT : BP_JIT_OFF,
                      .jit_cache = ""};
  for (int i = 0; isa && i < BP_ISA_COUNT; i++)
    if (strcmp(isa, bp_isa_name((bp_isa)i)) == 0) {
      o.limit_isa = true;
      o.isa = (bp_isa)i;
    }
  return bp_ctx_new(&o);
}

const char *because(void)
{
  static char why[512];
  snprintf(why, sizeof why, "%s", bp_error());
  for (char *c = why; *c; c++)
    *c = *c == '\n' ? ' ' : *c;
  return why;
}

void planned_close(planned *p)
{
  bp_run_free(p->run);
  bp_plan_free(p->plan);
  bp_state_free(p->state);
  bp_ctx_free(p->ctx);
}

double run_planned(planned *p, long times)
{
  double start = now();
  for (long i = 0; i < times; i++)
    if (bp_run_step(p->run) != BP_OK)
      return NAN;
  return now() - start;
}

int main(void)
{
  const work_kind kinds[] = {train_kind, infer_kind, chain_kind, tiny_kind, circuit_kind, sparse_kind};
  bp_ctx *ctx = bp_ctx_new(NULL);
  char note[128];
  snprintf(note, sizeof note, "bprop %s, %s", bp_version(), ctx ? bp_isa_name(bp_ctx_isa(ctx)) : "?");
  bp_ctx_free(ctx);
  return serve(note, kinds, sizeof kinds / sizeof *kinds);
}

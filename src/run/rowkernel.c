/* Kernels of rows, alone or shared out among threads, and what is said when one fails. */
#include "run/run.h"

#include <limits.h>

/* The failure of the lowest units counts: it has the lowest index. */
typedef struct kernel_parts {
  const bpi_step *s;
  bp_status status[BPI_MAX_THREADS];
  int64_t fail_at[BPI_MAX_THREADS];
  const char *fail_why[BPI_MAX_THREADS];
} kernel_parts;

static void kernel_part(void *arg, int64_t begin, int64_t end, int thread)
{
  kernel_parts *parts = arg;
  const bpi_step *s = parts->s;
  const bp_run *run = s->frame->run;
  bp_kernel_call c = *s->call;
  c.begin = begin;
  c.end = end;
  c.scratch = s->frame->scratch + (size_t)thread * run->scratch_stride;
  bpi_ending ending = {s, (char *)c.scratch + s->instr->end_slots};
  bpi_end finish = {.fn = bpi_run_ending, .arg = &ending};
  c.finish = s->instr->tile ? &finish : NULL;
  c.fail_at = -1;
  c.fail_why = NULL;
  c.kept = NULL; /* of one thread at a time */
  bp_status status = s->instr->op->kernel(&c);
  bool lower = parts->status[thread] == BP_OK || c.fail_at < parts->fail_at[thread];
  if (status == BP_OK || !lower)
    return;
  parts->status[thread] = status;
  parts->fail_at[thread] = c.fail_at;
  parts->fail_why[thread] = c.fail_why;
}

static bp_status kernel_failed(const bpi_step *s, bp_status status, int64_t at, const char *why)
{
  char label[256];
  bpi_plan_label(s->frame->plan, s->instr->source, s->instr->op, label, sizeof label);
  if (!why)
    why = bp_status_text(status);
  if (at < 0)
    return bpi_fail(status, "%s: %s", label, why);
  return bpi_fail(status, "%s: element %lld: %s", label, (long long)at, why);
}

bp_status bpi_run_kernel_shared(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  kernel_parts parts;
  int worst = -1;
  parts.s = s;
  for (int t = 0; t < i->threads; t++)
    parts.status[t] = BP_OK;
  bpi_share(s, kernel_part, &parts);
  for (int t = 0; t < i->threads; t++)
    if (parts.status[t] != BP_OK && (worst < 0 || parts.fail_at[t] < parts.fail_at[worst]))
      worst = t;
  return worst < 0 ? BP_OK
                   : kernel_failed(s, parts.status[worst], parts.fail_at[worst], parts.fail_why[worst]);
}

bp_status bpi_run_kernel(bpi_step *s)
{
  bp_kernel_call *c = s->call;
  c->fail_at = -1;
  c->fail_why = NULL;
  bp_status status = s->instr->op->kernel(c);
  return status == BP_OK ? BP_OK : kernel_failed(s, status, c->fail_at, c->fail_why);
}

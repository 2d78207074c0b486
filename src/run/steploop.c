/* Loops over steps: the plan of a function, run once for each step. */
#include "base/pool.h"
#include "run/run.h"

#include <string.h>

static void copy_bytes(void *to, const void *from, size_t n)
{
  if (to && n && to != from)
    memcpy(to, from, n);
}

/* Step t: slices are bound by address, results copied out. Carries live in the room of the final ones and are replaced only
 * when the body has run: each may be read for the sake of another. */
static bp_status scan_step(const bpi_step *s, bpi_frame *f, int64_t t)
{
  const bpi_scan *scan = s->instr->scan;
  const bp_plan *body = scan->body;
  void **y = s->at + s->instr->n_in;
  for (int k = 0; k < scan->n_carry; k++)
    copy_bytes(y[scan->n_carry + scan->n_y + k]
                   ? (char *)y[scan->n_carry + scan->n_y + k] + (size_t)t * body->inputs[k].bytes
                   : NULL,
               y[k], body->inputs[k].bytes);
  for (int k = scan->n_carry; k < scan->n_carry + scan->n_xs; k++)
    bpi_frame_bind(f, (size_t)k, (const char *)s->at[k] + (size_t)t * body->inputs[k].bytes);
  bp_status status = bpi_frame_run(f);
  for (int k = 0; k < scan->n_carry && status == BP_OK; k++)
    copy_bytes(y[k], f->outputs[k], body->inputs[k].bytes);
  for (int j = 0; j < scan->n_y && status == BP_OK; j++) {
    int from = scan->output[j];
    if (from < 0)
      continue;
    size_t bytes = (size_t)body->outputs[from].size * bp_dtype_size((bp_dtype)body->outputs[from].dtype);
    copy_bytes((char *)y[scan->n_carry + j] + (size_t)t * bytes, f->outputs[from], bytes);
  }
  return status;
}

/* Steps without carries: each thread has a frame of its own. None of them fails. */
static void scan_part(void *arg, int64_t begin, int64_t end, int thread)
{
  const bpi_step *s = arg;
  for (int64_t i = begin; i < end; i++)
    scan_step(s, &s->body[thread], i);
}

bp_status bpi_run_scan(bpi_step *s)
{
  const bpi_scan *scan = s->instr->scan;
  const bp_plan *body = scan->body;
  void **y = s->at + s->instr->n_in;
  for (int k = 0; k < scan->n_carry; k++) {
    copy_bytes(y[k], s->at[k], body->inputs[k].bytes);
    bpi_frame_bind(s->body, (size_t)k, y[k]);
  }
  for (int k = scan->n_carry + scan->n_xs; k < (int)s->instr->n_in; k++)
    for (int lane = 0; lane < s->instr->threads; lane++)
      bpi_frame_bind(&s->body[lane], (size_t)k, s->at[k]);
  if (s->instr->threads > 1) {
    bpi_pool_run(s->frame->run->ctx, s->instr->threads, scan->length, scan_part, s);
    return BP_OK;
  }
  for (int64_t i = 0; i < scan->length; i++) {
    bp_status status = scan_step(s, s->body, scan->reverse ? scan->length - 1 - i : i);
    if (status != BP_OK)
      return status;
  }
  return BP_OK;
}

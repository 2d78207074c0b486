/* Executing instructions. Work is shared out among threads by shape alone, so the bits do not depend on their number. */
#include "run/run.h"

#include <string.h>

/* ---- one loop, shared out ---- */

static void loop_part(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  const bpi_step *s = arg;
  const bpi_instr *i = s->instr;
  int64_t each = (i->n + i->units - 1) / i->units, first = begin * each,
          last = end * each < i->n ? end * each : i->n;
  const void *x[BPI_MAX_BODY_IN];
  for (uint32_t k = 0; k < i->n_in; k++)
    x[k] = (const char *)s->x[k] + first * i->step[k] * (int64_t)bp_dtype_size((bp_dtype)i->x[k].dtype);
  char *y = (char *)s->y + first * (int64_t)bp_dtype_size((bp_dtype)i->x[i->n_in].dtype);
  if (first < last)
    i->loop(last - first, y, x, i->step, i->params);
}

static bp_status run_loop_shared(bpi_step *s)
{
  bpi_share(s, loop_part, s);
  return BP_OK;
}

/* ---- copies ---- */

static void copy_part(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  const bpi_step *s = arg;
  const bpi_instr *i = s->instr;
  int64_t each = i->units ? (i->n + i->units - 1) / i->units : 0;
  int64_t first = begin * each, last = end * each < i->n ? end * each : i->n;
  size_t elem = bp_dtype_size((bp_dtype)i->x[0].dtype);
  if (first >= last)
    return;
  if (i->x[0].contiguous)
    memcpy((char *)s->at[1] + (size_t)first * elem, (const char *)s->at[0] + (size_t)first * elem,
           (size_t)(last - first) * elem);
  else
    bpi_gather_range(&i->x[0], s->at[0], (char *)s->at[1] + (size_t)first * elem, first, last);
}

static bp_status run_copy(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  if (i->threads > 1)
    bpi_share(s, copy_part, s);
  else
    copy_part(s, 0, i->units, 0);
  return BP_OK;
}

/* ---- all of them ---- */

bpi_step_fn bpi_step_fn_for(const bpi_instr *i)
{
  static const bpi_step_fn by_kind[] = {
      [BPI_DO_LOOP] = run_loop_shared, [BPI_DO_TILE] = bpi_run_tile, [BPI_DO_KERNEL] = bpi_run_kernel,
      [BPI_DO_COPY] = run_copy,        [BPI_DO_SCAN] = bpi_run_scan, [BPI_DO_SCALARS] = bpi_run_scalars,
      [BPI_DO_GUARD] = bpi_run_guard,  [BPI_DO_COMMIT] = run_copy};
  return i->kind == BPI_DO_KERNEL && i->threads > 1 ? bpi_run_kernel_shared : by_kind[i->kind];
}

bp_status bpi_frame_run(bpi_frame *f)
{
  return bpi_frame_run_some(f, 0, f->plan->n_instrs);
}

bp_status bpi_frame_run_some(bpi_frame *f, size_t first, size_t count)
{
  bpi_step *s = f->steps + first, *end = s + count;
  f->failed = NULL;
  for (; s < end; s++) {
    if (s->loop) {
      s->loop(s->n, s->y, s->x, s->step, s->params);
      continue;
    }
    bp_status status = s->run(s);
    if (status != BP_OK) {
      f->failed = s->instr;
      return status;
    }
  }
  return BP_OK;
}

bp_status bpi_run_one(bpi_frame *f, size_t instruction)
{
  bpi_step *s = &f->steps[instruction];
  bp_status status = BP_OK;
  if (s->loop)
    s->loop(s->n, s->y, s->x, s->step, s->params);
  else if ((status = s->run(s)) != BP_OK)
    f->failed = s->instr;
  return status;
}

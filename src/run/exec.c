/* Executing instructions. Work is shared out among threads by shape alone, so the bits do not depend on their number. */
#include "run/run.h"
#include "base/pool.h"

#include <limits.h>
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
  bpi_pool_run(s->frame->run->ctx, s->instr->threads, s->instr->units, loop_part, s);
  return BP_OK;
}

/* ---- tile programs ---- */

typedef struct tile_place {
  const bpi_step *s;
  char *slots;
  size_t slot_bytes;
  int64_t first, n; /* elements of this tile */
} tile_place;

static void *tile_at(const tile_place *p, const bpi_tile_ref *r)
{
  if (r->slot)
    return p->slots + r->index * p->slot_bytes;
  return (char *)p->s->at[r->index] + (r->step ? p->first * r->elem : 0);
}

static void tile_load(const tile_place *p, const bpi_tile_step *t)
{
  uint32_t k = t->in[0].index;
  bpi_gather_range(&p->s->instr->x[k], p->s->at[k], tile_at(p, &t->out), p->first, p->first + p->n);
}

static void tile_step(const tile_place *p, const bpi_tile_step *t)
{
  const void *x[BPI_MAX_BODY_IN];
  int64_t step[BPI_MAX_BODY_IN];
  for (int k = 0; k < t->n_in; k++) {
    x[k] = tile_at(p, &t->in[k]);
    step[k] = t->in[k].step;
  }
  t->loop(p->n, tile_at(p, &t->out), x, step, t->params);
}

/* The kernel of an elementwise row sees the tile as rows of elements. */
static void tile_kernel(const tile_place *p, const bpi_tile_step *t)
{
  static const int64_t strides[2] = {0, 1};
  bp_array a[BPI_MAX_BODY_IN + 1];
  double ns;
  for (int k = 0; k <= t->n_in; k++) {
    const bpi_tile_ref *r = k < t->n_in ? &t->in[k] : &t->out;
    a[k] = (bp_array){tile_at(p, r), &p->n, &strides[r->step], p->n, (bp_dtype)t->dtype[k], 1};
  }
  bp_kernel_call c = {.in = a,
                      .out = a + t->n_in,
                      .attr = t->attr,
                      .vec = p->s->frame->plan->kernels,
                      .end = 1,
                      .n_in = t->n_in,
                      .n_out = 1,
                      .fail_at = -1};
  if (t->op->units)
    c.end = t->op->units(&c, &ns);
  t->op->kernel(&c);
}

static void tile_part(void *arg, int64_t begin, int64_t end, int thread)
{
  const bpi_step *s = arg;
  const bpi_tile *t = s->instr->tile;
  const bp_run *run = s->frame->run;
  tile_place p = {
      .s = s, .slots = run->scratch + (size_t)thread * run->scratch_stride, .slot_bytes = t->slot_bytes};
  for (int64_t u = begin; u < end; u++) {
    p.first = u * t->tile;
    p.n = t->n - p.first < t->tile ? t->n - p.first : t->tile;
    for (size_t k = 0; k < t->n_steps; k++) {
      const bpi_tile_step *step = &t->steps[k];
      if (step->loop)
        tile_step(&p, step);
      else if (step->op)
        tile_kernel(&p, step);
      else if (!step->once || u == begin)
        tile_load(&p, step);
    }
  }
}

/* What repeats in every tile is gathered with the first one of a thread, which must then be a whole one. */
static bp_status run_tile(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  if (i->threads > 1)
    bpi_pool_run(s->frame->run->ctx, i->threads, i->units, tile_part, s);
  else
    tile_part(s, 0, i->units, 0);
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
    bpi_pool_run(s->frame->run->ctx, i->threads, i->units, copy_part, s);
  else
    copy_part(s, 0, i->units, 0);
  return BP_OK;
}

/* ---- kernels ---- */

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
  c.scratch = run->scratch + (size_t)thread * run->scratch_stride;
  c.fail_at = -1;
  c.fail_why = NULL;
  bp_status status = s->instr->op->kernel(&c);
  if (status == BP_OK || parts->status[thread] != BP_OK)
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

static bp_status run_kernel_shared(bpi_step *s)
{
  kernel_parts parts = {.s = s};
  const bpi_instr *i = s->instr;
  int worst = -1;
  bpi_pool_run(s->frame->run->ctx, i->threads, i->units, kernel_part, &parts);
  for (int t = 0; t < i->threads; t++)
    if (parts.status[t] != BP_OK && (worst < 0 || parts.fail_at[t] < parts.fail_at[worst]))
      worst = t;
  return worst < 0 ? BP_OK
                   : kernel_failed(s, parts.status[worst], parts.fail_at[worst], parts.fail_why[worst]);
}

static bp_status run_kernel(bpi_step *s)
{
  bp_kernel_call *c = s->call;
  c->fail_at = -1;
  c->fail_why = NULL;
  bp_status status = s->instr->op->kernel(c);
  return status == BP_OK ? BP_OK : kernel_failed(s, status, c->fail_at, c->fail_why);
}

/* ---- guards ---- */

static double guard_element(const bpi_operand *x, const void *data, int64_t i)
{
  return x->dtype == BP_FLOAT64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static bp_status guard_failed(const bpi_step *s, uint32_t k)
{
  const bpi_operand *x = &s->instr->x[k];
  char label[256];
  int64_t i = 0, n = x->contiguous ? x->size : 1;
  while (i < n - 1 && guard_element(x, s->at[k], i) - guard_element(x, s->at[k], i) == 0)
    i++;
  double v = guard_element(x, s->at[k], i);
  bpi_plan_label(s->frame->plan, s->instr->guards[k], NULL, label, sizeof label);
  return bpi_fail(BP_E_NOTFINITE, "%s is %s%s at element %lld of %lld; no state was changed", label,
                  v < 0 ? "-" : "", v != v ? "NaN" : "infinite", (long long)i, (long long)x->size);
}

static bp_status run_guard(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  const bpi_kernels *kernels = s->frame->plan->kernels;
  for (uint32_t k = 0; k < i->n_in; k++) {
    const bpi_operand *x = &i->x[k];
    int64_t n = x->contiguous || x->size == 0 ? x->size : 1;
    if (!kernels->finite[x->dtype == BP_FLOAT64](n, s->at[k]))
      return guard_failed(s, k);
  }
  return BP_OK;
}

/* ---- loops over steps ---- */

static void copy_bytes(void *to, const void *from, size_t n)
{
  if (to && n && to != from)
    memcpy(to, from, n);
}

/* Step t: slices are bound by address, results copied out. Carries live in the room of the final ones and are replaced only
 * when the body has run: each may be read for the sake of another. */
static bp_status scan_step(bpi_step *s, int64_t t)
{
  const bpi_scan *scan = s->instr->scan;
  const bp_plan *body = scan->body;
  bpi_frame *f = s->body;
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

static bp_status run_scan(bpi_step *s)
{
  const bpi_scan *scan = s->instr->scan;
  const bp_plan *body = scan->body;
  void **y = s->at + s->instr->n_in;
  for (int k = 0; k < scan->n_carry; k++) {
    copy_bytes(y[k], s->at[k], body->inputs[k].bytes);
    bpi_frame_bind(s->body, (size_t)k, y[k]);
  }
  for (int k = scan->n_carry + scan->n_xs; k < (int)s->instr->n_in; k++)
    bpi_frame_bind(s->body, (size_t)k, s->at[k]);
  for (int64_t i = 0; i < scan->length; i++) {
    bp_status status = scan_step(s, scan->reverse ? scan->length - 1 - i : i);
    if (status != BP_OK)
      return status;
  }
  return BP_OK;
}

/* ---- all of them ---- */

bpi_step_fn bpi_step_fn_for(const bpi_instr *i)
{
  static const bpi_step_fn by_kind[] = {
      [BPI_DO_LOOP] = run_loop_shared, [BPI_DO_TILE] = run_tile, [BPI_DO_KERNEL] = run_kernel,
      [BPI_DO_COPY] = run_copy,        [BPI_DO_SCAN] = run_scan, [BPI_DO_GUARD] = run_guard,
      [BPI_DO_COMMIT] = run_copy};
  return i->kind == BPI_DO_KERNEL && i->threads > 1 ? run_kernel_shared : by_kind[i->kind];
}

bp_status bpi_frame_run(bpi_frame *f)
{
  bpi_step *s = f->steps, *end = s + f->plan->n_instrs;
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

/* The law of kernels: called by hand on arrays with guards between them, a kernel writes every byte of its results and none beside them,
 * whatever lay there before, and gives the same bytes when its units are computed one at a time, last first, when a result lies over an
 * input that the row says it may overwrite, and from inputs that do not lie densely where the row takes them so. */
#include "check/laws.h"
#include "base/shape.h"
#include "graph/state.h"
#include "kernels/kernels.h"

#include <string.h>

enum { GUARD = 64, UNTOUCHED = 0xa5, BEFORE = 0x5a, BEFORE_ELSE = 0xc3 };

/* Operands in one block: inputs, then results, then scratch, a guard before and behind each. */
typedef struct kernel_trial {
  const bp_op_call *call;
  bp_kernel_call c;
  bp_array *a;           /* inputs, then results */
  int64_t *strides;      /* of each, BP_MAX_RANK */
  const void **values;   /* of the inputs, dense */
  size_t *at, *bytes;    /* in the block; after the operands the scratch */
  unsigned char *block;  /* 64-byte aligned */
  unsigned char *image;  /* what it holds before a run */
  unsigned char *wanted; /* the block after the first run */
  size_t block_bytes;
} kernel_trial;

static int operands(const kernel_trial *t)
{
  return t->c.n_in + t->c.n_out;
}

static const bp_type *operand_type(const kernel_trial *t, int k)
{
  return k < t->c.n_in ? &t->call->x_type[k] : &t->call->y_type[k - t->c.n_in];
}

/* ---- the block ---- */

/* Operand k as a dense array, or, spread, with a gap after every element. */
static void describe(kernel_trial *t, int k, bp_dtype real, bool spread)
{
  const bp_type *type = operand_type(t, k);
  int64_t *strides = t->strides + (ptrdiff_t)k * BP_MAX_RANK;
  bpi_strides(type->rank, type->dims, strides);
  for (int i = 0; i < type->rank && spread; i++)
    strides[i] *= 2;
  t->a[k] = (bp_array){.dims = type->dims,
                       .strides = strides,
                       .size = bpi_type_size(type),
                       .dtype = bpi_storage(type->dtype, real),
                       .rank = type->rank};
  t->bytes[k] = (size_t)t->a[k].size * bp_dtype_size(t->a[k].dtype) * (spread ? 2 : 1);
}

static size_t next_place(size_t end)
{
  return (end + GUARD + 63) / 64 * 64;
}

/* Copies the dense values of input k to where it lies. */
static void fill_input(const kernel_trial *t, int k, unsigned char *to)
{
  size_t each = bp_dtype_size(t->a[k].dtype), n = (size_t)t->a[k].size;
  size_t step = n ? t->bytes[k] / n : 0;
  for (size_t i = 0; i < n; i++)
    memcpy(to + i * step, (const char *)t->values[k] + i * each, each);
}

/* Describes and places everything, input `spread` with gaps (-1: none). */
static bp_status lay_out(kernel_trial *t, bpi_probe *f, bp_dtype real, int spread)
{
  const bp_op *op = t->call->op;
  double ns;
  for (int k = 0; k < operands(t); k++) {
    describe(t, k, real, k == spread);
    t->at[k] = k ? next_place(t->at[k - 1] + t->bytes[k - 1]) : GUARD;
  }
  int last = operands(t);
  t->c.begin = 0;
  t->c.end = op->units ? op->units(&t->c, &ns) : 1;
  t->bytes[last] = op->scratch ? op->scratch(&t->c) : 0;
  t->at[last] = next_place(t->at[last - 1] + t->bytes[last - 1]);
  t->block_bytes = next_place(t->at[last] + t->bytes[last]);
  unsigned char *room = bpi_arena_alloc(&f->room, 2 * t->block_bytes + 64, 1);
  if (!room)
    return bpi_nomem();
  t->block = room + (64 - (uintptr_t)room % 64) % 64;
  t->image = t->block + t->block_bytes;
  memset(t->image, UNTOUCHED, t->block_bytes);
  for (int k = 0; k < last; k++) {
    t->a[k].data = t->block + t->at[k];
    if (k < t->c.n_in)
      fill_input(t, k, t->image + t->at[k]);
  }
  t->c.scratch = op->scratch ? t->block + t->at[last] : NULL; /* as in a run, also of no bytes */
  return BP_OK;
}

static bp_status trial_open(kernel_trial *t, bpi_law_case *c, bpi_probe *f, const bp_op_call *call)
{
  size_t n = (size_t)call->n_in + (size_t)call->n_out;
  *t = (kernel_trial){.call = call};
  t->a = bpi_arena_alloc(&f->room, n, sizeof *t->a);
  t->strides = bpi_arena_alloc(&f->room, n * BP_MAX_RANK, sizeof *t->strides);
  t->values = bpi_arena_alloc(&f->room, n, sizeof *t->values);
  t->at = bpi_arena_alloc(&f->room, n + 1, sizeof *t->at);
  t->bytes = bpi_arena_alloc(&f->room, n + 1, sizeof *t->bytes);
  if (!t->a || !t->strides || !t->values || !t->at || !t->bytes)
    return bpi_nomem();
  t->c = (bp_kernel_call){.in = t->a,
                          .out = t->a + call->n_in,
                          .attr = call->attr,
                          .vec = bpi_kernels_for(c->ctx->isa),
                          .n_in = call->n_in,
                          .n_out = call->n_out};
  return BP_OK;
}

/* ---- running ---- */

static bp_status call_kernel(kernel_trial *t, int64_t begin, int64_t end)
{
  bp_kernel_call c = t->c;
  c.begin = begin;
  c.end = end;
  c.fail_at = -1;
  bp_status s = t->call->op->kernel(&c);
  return s == BP_OK || s == BP_E_NOMEM
             ? s
             : bpi_fail(s, "the kernel fails: %s", c.fail_why ? c.fail_why : bp_status_text(s));
}

/* From the image, with results and scratch full of `before`; whole, or one unit at a time from the last. */
static bp_status run_trial(kernel_trial *t, int before, bool in_units)
{
  bp_status s = BP_OK;
  memcpy(t->block, t->image, t->block_bytes);
  for (int k = t->c.n_in; k <= operands(t); k++)
    if (k == operands(t) || t->a[k].data == t->block + t->at[k])
      memset(t->block + t->at[k], before, t->bytes[k]);
  if (!in_units)
    return call_kernel(t, 0, t->c.end);
  for (int64_t u = t->c.end - 1; s == BP_OK && u >= 0; u--)
    s = call_kernel(t, u, u + 1);
  return s;
}

/* Nothing but results and scratch has changed. */
static bp_status nothing_else_changed(const kernel_trial *t)
{
  for (int k = 0; k < t->c.n_in; k++)
    if (memcmp(t->block + t->at[k], t->image + t->at[k], t->bytes[k]) != 0)
      return bpi_fail(BP_E_CHECK, "the kernel writes into its input %d", k);
  for (int k = 0; k <= operands(t); k++) {
    size_t end = t->at[k] + t->bytes[k], next = k < operands(t) ? t->at[k + 1] : t->block_bytes;
    const char *what = k < t->c.n_in ? "input" : k < operands(t) ? "result" : "its scratch, number";
    int number = k < t->c.n_in ? k : k < operands(t) ? k - t->c.n_in : 0;
    for (size_t i = end; i < next; i++)
      if (t->block[i] != t->image[i])
        return bpi_fail(BP_E_CHECK, "the kernel writes %zu bytes behind the end of %s %d", i - end + 1, what,
                        number);
  }
  for (size_t i = 0; i < t->at[0]; i++)
    if (t->block[i] != t->image[i])
      return bpi_fail(BP_E_CHECK, "the kernel writes in front of its first operand");
  return BP_OK;
}

/* Results have the wanted bytes. Those of a spread input's trial lie elsewhere than the wanted ones: `places` is where. */
static bp_status as_wanted(const kernel_trial *t, const size_t *places, const char *why)
{
  for (int k = t->c.n_in; k < operands(t); k++) {
    size_t each = bp_dtype_size(t->a[k].dtype);
    const unsigned char *got = t->a[k].data, *want = t->wanted + places[k];
    for (size_t i = 0; i < t->bytes[k]; i++)
      if (got[i] != want[i])
        return bpi_fail(BP_E_CHECK, "element %lld of result %d %s", (long long)(i / each), k - t->c.n_in,
                        why);
  }
  return BP_OK;
}

/* ---- the trials ---- */

/* The first run gives the wanted bytes; from other bytes, and unit by unit, they are the same. */
static bp_status dense_trials(kernel_trial *t, bpi_probe *f)
{
  bp_status s = run_trial(t, BEFORE, false);
  if (s == BP_OK)
    s = nothing_else_changed(t);
  if (s != BP_OK)
    return s;
  t->wanted = bpi_arena_alloc(&f->room, t->block_bytes, 1);
  if (!t->wanted)
    return bpi_nomem();
  memcpy(t->wanted, t->block, t->block_bytes);
  s = run_trial(t, BEFORE_ELSE, false);
  if (s == BP_OK)
    s = as_wanted(t, t->at, "is not written, or depends on what lay there before");
  if (s == BP_OK)
    s = run_trial(t, BEFORE_ELSE, true);
  if (s == BP_OK)
    s = nothing_else_changed(t);
  return s == BP_OK ? as_wanted(t, t->at, "is another when units are computed one at a time, last first") : s;
}

/* The first result over each input that the row says it may overwrite. */
static bp_status overwriting_trials(kernel_trial *t)
{
  bp_status s = BP_OK;
  bp_array *out = &t->a[t->c.n_in];
  void *own = out->data;
  for (int k = 0; s == BP_OK && k < t->c.n_in && k < 32; k++) {
    if (!(t->call->op->overwrites >> k & 1) || t->bytes[k] != t->bytes[t->c.n_in] ||
        t->a[k].dtype != out->dtype)
      continue;
    out->data = t->a[k].data;
    s = run_trial(t, BEFORE, false);
    if (s == BP_OK)
      s = as_wanted(t, t->at,
                    "is another when it is written over an input, which `overwrites` says it may be");
    out->data = own;
  }
  return s;
}

/* Each input in turn with gaps, where the row takes it so. */
static bp_status spread_trials(kernel_trial *t, bpi_probe *f, bp_dtype real)
{
  const bp_op *op = t->call->op;
  bp_status s = BP_OK;
  size_t *places = bpi_arena_alloc(&f->room, (size_t)operands(t) + 1, sizeof *places);
  if (!places)
    return bpi_nomem();
  memcpy(places, t->at, ((size_t)operands(t) + 1) * sizeof *places);
  for (int k = 0; s == BP_OK && (op->traits & BP_STRIDED) && k < t->c.n_in; k++) {
    s = lay_out(t, f, real, k);
    if (s != BP_OK || (op->accepts && !op->accepts(&t->c, k)))
      continue;
    s = run_trial(t, BEFORE, false);
    if (s == BP_OK)
      s = as_wanted(t, places,
                    "is another when an input has strides, which BP_STRIDED says the kernel takes");
  }
  return s;
}

static bp_status kernel_keeps_to_memory(bpi_law_case *c, bpi_probe *f, const bp_op_call *call, bp_dtype real)
{
  kernel_trial t;
  bpi_eval e = {0};
  bp_status s = trial_open(&t, c, f, call);
  if (s == BP_OK && call->n_in > 0)
    s = bpi_probe_ready(f, &e, real, call->x, call->n_in);
  if (s != BP_OK)
    return s;
  if (call->n_in > 0)
    s = bpi_eval_step(&e);
  for (int k = 0; s == BP_OK && k < call->n_in; k++)
    s = bp_run_output(e.run, (size_t)k, &t.values[k], NULL);
  if (s == BP_OK)
    s = lay_out(&t, f, real, -1);
  if (s == BP_OK)
    s = dense_trials(&t, f);
  if (s == BP_OK)
    s = overwriting_trials(&t);
  if (s == BP_OK)
    s = spread_trials(&t, f, real);
  if (call->n_in > 0)
    bpi_eval_close(&e);
  return s;
}

bp_status bpi_law_kernel(bpi_law_case *c)
{
  bpi_sample s;
  bpi_call_room room;
  bp_op_call call;
  c->skipped = !c->op->kernel;
  if (c->skipped)
    return BP_OK;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK)
    status = bpi_sample_call(&s, &room, &call);
  if (status != BP_OK)
    return bpi_sample_close(&s, status);
  if (call.op != c->op) { /* the law of canonical attributes says so */
    bpi_call_done(&room);
    return bpi_skip(c, &s);
  }
  status = kernel_keeps_to_memory(c, &s.f, &call, BP_FLOAT64);
  if (status == BP_OK && !c->float64_only)
    status = bpi_explain(kernel_keeps_to_memory(c, &s.f, &call, BP_FLOAT32), "in float32");
  bpi_call_done(&room);
  return bpi_sample_close(&s, status);
}

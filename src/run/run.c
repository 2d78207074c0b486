/* The public side of runs. */
#include "run/jit.h"
#include "run/profile.h"

#include <stdio.h>
#include <string.h>

/* ---- making one ---- */

static bp_status check_entry_fits(const bp_plan *p, const bp_state *state, const bpi_plan_entry *e)
{
  if (e->entry >= state->count)
    return bpi_fail(BP_E_MISMATCH, "bp_run_new: the plan uses entry %u of the state, which has %zu", e->entry,
                    state->count);
  const bpi_entry *have = &state->entries[e->entry];
  if (have->type.dtype == e->type.dtype && bpi_same_shape(&have->type, &e->type))
    return BP_OK;
  (void)p;
  return bpi_fail(BP_E_MISMATCH, "bp_run_new: entry '%s' of the state has another type than in the plan",
                  have->name);
}

static bp_status check_state(const bp_plan *p, const bp_state *state)
{
  if (!p->n_entries)
    return BP_OK;
  if (!state)
    return bpi_bad_arg("bp_run_new", "state");
  if (state->real != p->real)
    return bpi_fail(BP_E_MISMATCH, "bp_run_new: the state stores reals as %s, the plan computes in %s",
                    bp_dtype_name(state->real), bp_dtype_name(p->real));
  bp_status s = BP_OK;
  for (size_t i = 0; i < p->n_entries && s == BP_OK; i++)
    s = check_entry_fits(p, state, &p->entries[i]);
  return s;
}

static bool run_memory(bp_run *r)
{
  const bp_plan *p = r->plan;
  int threads = bp_ctx_threads(r->ctx);
  size_t scratch;
  r->scratch_stride = (p->scratch_bytes + 63) & ~(size_t)63;
  if (__builtin_mul_overflow(r->scratch_stride, (size_t)threads, &scratch))
    return false;
  r->block = bpi_alloc_aligned(r->ctx, p->block_bytes + 64);
  r->scratch = bpi_alloc_aligned(r->ctx, scratch + 64);
  r->bound = bpi_zalloc(r->ctx, p->n_inputs, sizeof *r->bound);
  if (!r->block || !r->scratch || !r->bound)
    return false;
  memset(r->block, 0, p->block_bytes + 64);
  return true;
}

static bool shares_work(const bp_plan *p)
{
  for (size_t i = 0; i < p->n_instrs; i++)
    if (p->instrs[i].threads > 1)
      return true;
  return false;
}

bp_status bp_run_new(bp_plan *p, bp_state *state, bp_run **run)
{
  if (!p || !run)
    return bpi_bad_arg("bp_run_new", "plan or run");
  *run = NULL;
  bp_status s = check_state(p, state);
  if (s != BP_OK)
    return s;
  bp_run *r = bpi_zalloc(p->ctx, 1, sizeof *r);
  if (!r)
    return bpi_nomem();
  r->ctx = p->ctx;
  r->plan = p;
  r->state = state;
  r->n_unbound = p->n_inputs;
  bpi_pace_init(&r->pace, shares_work(p));
  bpi_arena_init(&r->arena, p->ctx);
  s = run_memory(r) ? bpi_frame_init(&r->frame, r, p, r->block, r->scratch) : bpi_nomem();
  if (s == BP_OK)
    s = bpi_jit_attach(r);
  if (s != BP_OK) {
    bp_run_free(r);
    return s;
  }
  *run = r;
  return BP_OK;
}

void bp_run_free(bp_run *r)
{
  if (!r)
    return;
  bpi_free_aligned(r->ctx, r->block);
  bpi_free_aligned(r->ctx, r->scratch);
  bpi_free(r->ctx, r->bound);
  bpi_arena_free(&r->arena);
  bpi_free(r->ctx, r);
}

/* ---- inputs ---- */

static bp_status no_such_input(const bp_plan *p, const char *input)
{
  const char *near = NULL;
  int best = 3;
  for (size_t i = 0; i < p->n_inputs; i++) {
    int distance = bpi_edit_distance(input, p->inputs[i].name, 2);
    if (distance < best) {
      best = distance;
      near = p->inputs[i].name;
    }
  }
  if (near)
    return bpi_fail(BP_E_NOTFOUND, "bp_run_bind: the plan has no input '%s'; did you mean '%s'?", input,
                    near);
  return bpi_fail(BP_E_NOTFOUND,
                  "bp_run_bind: the plan has no input '%s' (one that no output depends on is left out)",
                  input);
}

/* Inputs are mostly bound in the order in which they were made, so the search begins behind the last one: many of them are bound in
 * linear time. */
bp_status bp_run_input(bp_run *r, const char *input, size_t *number)
{
  if (!r || !input || !number)
    return bpi_bad_arg("bp_run_input", "run, input or number");
  const bp_plan *p = r->plan;
  for (size_t k = 1; k <= p->n_inputs; k++) {
    size_t i = (r->bound_last + k) % p->n_inputs;
    if (strcmp(p->inputs[i].name, input) == 0) {
      *number = r->bound_last = i;
      return BP_OK;
    }
  }
  return no_such_input(p, input);
}

bp_status bp_run_bind(bp_run *r, const char *input, const void *data, size_t bytes)
{
  size_t number = 0;
  if (!r || !input)
    return bpi_bad_arg("bp_run_bind", "run or input");
  bp_status s = bp_run_input(r, input, &number);
  return s == BP_OK ? bp_run_bind_at(r, number, data, bytes) : s;
}

static bp_status cannot_bind(const bp_run *r, size_t i, size_t bytes)
{
  const bp_plan *p = r->plan;
  if (i >= p->n_inputs)
    return bpi_fail(BP_E_RANGE, "bp_run_bind_at: there is no input %zu; the plan has %zu", i, p->n_inputs);
  if (bytes != p->inputs[i].bytes)
    return bpi_fail(BP_E_SHAPE, "bp_run_bind: input '%s' takes %zu bytes of %s, not %zu", p->inputs[i].name,
                    p->inputs[i].bytes, bp_dtype_name(p->inputs[i].type.dtype), bytes);
  return bpi_bad_arg("bp_run_bind", "data");
}

bp_status bp_run_bind_at(bp_run *r, size_t i, const void *data, size_t bytes)
{
  if (!r)
    return bpi_bad_arg("bp_run_bind_at", "run");
  if (i >= r->plan->n_inputs || bytes != r->plan->inputs[i].bytes || (!data && bytes))
    return cannot_bind(r, i, bytes);
  bpi_frame_bind(&r->frame, i, data);
  if (r->jit)
    bpi_jit_bound(r, i, data);
  r->n_unbound -= !r->bound[i];
  r->bound[i] = true;
  return BP_OK;
}

/* ---- running ---- */

static bp_status unbound(const bp_run *r)
{
  size_t i = 0;
  while (r->bound[i])
    i++;
  return bpi_fail(BP_E_UNBOUND, "bp_run_step: input '%s' was never bound; call bp_run_bind first",
                  r->plan->inputs[i].name);
}

bp_status bp_run_step(bp_run *r)
{
  if (!r)
    return bpi_bad_arg("bp_run_step", "run");
  if (r->n_unbound)
    return unbound(r);
  int64_t begun = bpi_pace_begin(&r->pace);
  bp_status s = r->ctx->observer ? bpi_profile_step(r) : r->jit ? bpi_jit_step(r) : bpi_frame_run(&r->frame);
  if (begun)
    bpi_pace_end(&r->pace, begun);
  r->ran = s == BP_OK;
  return s;
}

/* ---- outputs ---- */

bp_status bp_run_output(bp_run *r, size_t i, const void **data, bp_type *type)
{
  if (!r)
    return bpi_bad_arg("bp_run_output", "run");
  if (i >= r->plan->n_outputs)
    return bpi_fail(BP_E_RANGE, "bp_run_output: there is no output %zu; the plan has %zu", i,
                    r->plan->n_outputs);
  if (!r->ran)
    return bpi_fail(BP_E_ORDER, "bp_run_output: no run has succeeded yet, or the last one failed");
  if (data)
    *data = r->frame.outputs[i];
  if (type)
    *type = r->plan->output_types[i];
  return BP_OK;
}

static double element(bp_dtype t, const void *data, size_t k)
{
  switch (t) {
  case BP_FLOAT32:
    return ((const float *)data)[k];
  case BP_FLOAT64:
    return ((const double *)data)[k];
  case BP_INT64:
    return (double)((const int64_t *)data)[k];
  default:
    return ((const uint8_t *)data)[k];
  }
}

bp_status bp_run_get(bp_run *r, size_t i, double *out, size_t n)
{
  const void *data;
  bp_type type;
  bp_status s = bp_run_output(r, i, &data, &type);
  if (s != BP_OK)
    return s;
  size_t size = (size_t)bpi_type_size(&type);
  if (n != size)
    return bpi_fail(BP_E_SHAPE, "bp_run_get: output %zu has %zu elements, not %zu", i, size, n);
  if (n && !out)
    return bpi_bad_arg("bp_run_get", "out");
  for (size_t k = 0; k < n; k++)
    out[k] = element(type.dtype, data, k);
  return BP_OK;
}

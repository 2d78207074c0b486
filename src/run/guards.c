/* Guards: everything is finite, or the run stops before any state is changed. */
#include "run/run.h"

#include <stdatomic.h>

static double guard_element(const bpi_operand *x, const void *data, int64_t i)
{
  return x->dtype == BP_FLOAT64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static bp_status guard_failed(const bpi_step *s, uint32_t k)
{
  const bpi_operand *x = &s->instr->x[k];
  char label[256];
  int64_t i = 0, n = bpi_guarded(x);
  while (i < n - 1 && guard_element(x, s->at[k], i) - guard_element(x, s->at[k], i) == 0)
    i++;
  double v = guard_element(x, s->at[k], i);
  bpi_plan_label(s->frame->plan, s->instr->guards[k], NULL, label, sizeof label);
  return bpi_fail(BP_E_NOTFINITE, "%s is %s%s at element %lld of %lld; no state was changed", label,
                  v < 0 ? "-" : "", v != v ? "NaN" : "infinite", (long long)i, (long long)x->size);
}

/* Part of a guard: elements are numbered through all of its inputs. */
typedef struct guard_parts {
  const bpi_step *s;
  atomic_bool bad;
} guard_parts;

static void guard_part(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  guard_parts *parts = arg;
  const bpi_step *s = parts->s;
  const bpi_instr *i = s->instr;
  const bpi_kernels *kernels = s->frame->plan->kernels;
  int64_t each = (i->n + i->units - 1) / i->units, first = begin * each, last = end * each, at = 0;
  for (uint32_t k = 0; k < i->n_in && at < last; k++) {
    const bpi_operand *x = &i->x[k];
    int64_t n = bpi_guarded(x), from = first > at ? first - at : 0, to = last - at < n ? last - at : n;
    const char *data = (const char *)s->at[k] + from * (int64_t)bp_dtype_size((bp_dtype)x->dtype);
    if (from < to && !kernels->finite[x->dtype == BP_FLOAT64](to - from, data))
      atomic_store_explicit(&parts->bad, true, memory_order_relaxed);
    at += n;
  }
}

/* The first input that is not finite is told of, whoever found one. */
static bp_status find_failed(const bpi_step *s)
{
  uint32_t k = 0;
  while (s->frame->plan->kernels->finite[s->instr->x[k].dtype == BP_FLOAT64](bpi_guarded(&s->instr->x[k]),
                                                                             s->at[k]))
    k++;
  return guard_failed(s, k);
}

bp_status bpi_run_guard(bpi_step *s)
{
  guard_parts parts = {.s = s};
  if (s->instr->threads > 1)
    bpi_share(s, guard_part, &parts);
  else
    guard_part(&parts, 0, s->instr->units, 0);
  return atomic_load_explicit(&parts.bad, memory_order_relaxed) ? find_failed(s) : BP_OK;
}

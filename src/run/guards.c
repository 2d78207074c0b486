/* Guards: everything is finite, or the run stops before any state is changed. */
#include "run/run.h"

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

bp_status bpi_run_guard(bpi_step *s)
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

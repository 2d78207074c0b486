/* L-BFGS over a run that gives loss and gradient. */
#include "nn/lbfgs.h"

#include <math.h>

typedef struct minimizing {
  bp_run *run;
  int64_t n, evaluations;
} minimizing;

static bp_status evaluate(void *user, double *loss, double *grad)
{
  minimizing *m = user;
  m->evaluations++;
  bp_status s = bp_run_step(m->run);
  if (s == BP_OK)
    s = bp_run_get(m->run, 0, loss, 1);
  if (s == BP_OK)
    s = bp_run_get(m->run, 1, grad, (size_t)m->n);
  if (s != BP_OK)
    return s;
  double sum = *loss;
  for (int64_t i = 0; i < m->n && isfinite(sum); i++)
    sum += 0 * grad[i];
  return isfinite(sum) ? BP_OK : bpi_fail(BP_E_NOTFINITE, "bp_minimize: loss or gradient is not finite");
}

static bp_status check(const bp_params *p, const bp_state *s, const bp_minimize_options *o)
{
  if (p->state != s || !p->size[BPI_TRAINED])
    return bpi_fail(BP_E_ORDER,
                    "bp_minimize: bp_params_make comes first, and there must be a trained parameter");
  if (o->iterations < 0 || !(o->tolerance >= 0))
    return bpi_bad_arg("bp_minimize", "iterations and tolerance may not be negative");
  return BP_OK;
}

static bp_status iterate(bpi_lbfgs *l, minimizing *m, const bp_minimize_options *o, bp_minimize_result *r)
{
  bp_status s = BP_OK;
  bool done = false;
  int64_t most = o->iterations ? o->iterations : 1000;
  while (s == BP_OK && !done && r->iterations < most) {
    s = bpi_lbfgs_step(l, evaluate, m, 1, &r->loss, &done);
    if (s != BP_OK)
      break;
    r->iterations += !done;
    if (o->progress && !o->progress(o->user, r->iterations, r->loss))
      s = bpi_fail(BP_E_STOPPED, "bp_minimize: stopped after iteration %lld", (long long)r->iterations);
  }
  r->gradient = 0;
  for (int64_t i = 0; i < l->n; i++)
    r->gradient = fmax(r->gradient, fabs(l->grad[i]));
  r->loss = l->plain;
  r->converged = r->gradient <= l->tolerance;
  r->evaluations = m->evaluations;
  return s;
}

bp_status bp_minimize(bp_params *p, bp_state *s, bp_run *run, const bp_minimize_options *options,
                      bp_minimize_result *result)
{
  bp_minimize_options o = options ? *options : (bp_minimize_options){0};
  bp_minimize_result ignored = {0}, *r = result ? result : &ignored;
  *r = (bp_minimize_result){.loss = NAN, .gradient = NAN};
  if (!p || !s || !run)
    return bpi_bad_arg("bp_minimize", "params, state or run is NULL");
  bp_status st = check(p, s, &o);
  if (st != BP_OK)
    return st;
  bpi_lbfgs l = {0};
  minimizing m = {run, p->size[BPI_TRAINED], 0};
  st = bpi_lbfgs_open(&l, p, s, &(bp_optimizer){.memory = o.memory, .weight_decay = o.weight_decay});
  l.tolerance = o.tolerance > 0 ? o.tolerance : l.tolerance;
  if (st == BP_OK)
    st = iterate(&l, &m, &o, r);
  bpi_lbfgs_close(&l);
  return st;
}

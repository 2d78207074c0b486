/* The learning-rate finder: Smith, Cyclical Learning Rates for Training Neural Networks, 2017. */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { STEPS = 100 };

/* Of the running mean of losses; and how many times the lowest one is the end. */
static const double KEEP = 0.9, TOO_HIGH = 4;

/* ---- the state, kept and put back ---- */

static size_t entry_bytes(const bp_state *s, const bpi_entry *e)
{
  return (size_t)bpi_type_size(&e->type) * bp_dtype_size(bpi_storage(e->type.dtype, s->real));
}

static void copy_state(bp_state *s, char *kept, bool back)
{
  for (size_t i = 0; i < s->count; i++) {
    size_t n = entry_bytes(s, &s->entries[i]);
    if (back)
      memcpy(s->entries[i].data, kept, n);
    else
      memcpy(kept, s->entries[i].data, n);
    kept += n;
  }
}

static char *keep_state(bp_state *s)
{
  size_t n = 1;
  for (size_t i = 0; i < s->count; i++)
    n += entry_bytes(s, &s->entries[i]);
  char *kept = bpi_alloc(s->ctx, n, 1);
  if (kept)
    copy_state(s, kept, false);
  else
    bpi_nomem();
  return kept;
}

/* ---- the sweep ---- */

static double rate_at(const bp_lr_search *r, int64_t k)
{
  return r->from * pow(r->to / r->from, r->steps > 1 ? (double)k / (double)(r->steps - 1) : 0);
}

/* Until the loss is far over its lowest, or no number any more. */
static bp_status sweep(bpi_trainer *t, bp_lr_search *r)
{
  double mean = 0, lowest = INFINITY, loss;
  for (int64_t k = 0; k < r->steps; k++) {
    const bpi_batch *b = bpi_loader_next(t->loader);
    if (!b)
      return BP_E_IO;
    bp_status s = bpi_stepper_take(&t->plan, b, k, rate_at(r, k), &loss);
    if (s == BP_E_NOTFINITE && r->n > 0)
      return BP_OK;
    if (s != BP_OK)
      return s;
    mean = KEEP * mean + (1 - KEEP) * loss;
    double smooth = mean / (1 - pow(KEEP, (double)(k + 1)));
    r->lr[r->n] = rate_at(r, k);
    r->loss[r->n++] = smooth;
    lowest = fmin(lowest, smooth);
    if (!(smooth <= TOO_HIGH * fabs(lowest)) && k > r->steps / 10)
      return BP_OK;
  }
  return BP_OK;
}

/* The rate at which the loss falls most for a factor on it: over five points, so that one batch does not decide; and not past the lowest loss. */
static double steepest(const bp_lr_search *r)
{
  size_t best = 0, lowest = 0;
  double fall = 0;
  for (size_t i = 0; i < r->n; i++)
    lowest = r->loss[i] < r->loss[lowest] ? i : lowest;
  /* The first means are of few batches. */
  size_t first = (size_t)r->steps / 10 > 2 ? (size_t)r->steps / 10 : 2;
  for (size_t i = first; i + 2 < r->n && i <= lowest; i++) {
    double f = 2 * (r->loss[i - 2] - r->loss[i + 2]) + (r->loss[i - 1] - r->loss[i + 1]);
    if (f > fall) {
      fall = f;
      best = i;
    }
  }
  return fall > 0 ? r->lr[best] : (double)NAN;
}

/* ---- the search ---- */

static bp_status find(bpi_trainer *t, bp_lr_search *r)
{
  char *kept = keep_state(t->net->state);
  if (!kept)
    return BP_E_NOMEM;
  t->o.epochs = r->steps / t->per_epoch + 1;
  bp_status s = bpi_trainer_load(t);
  if (s == BP_OK)
    s = sweep(t, r);
  copy_state(t->net->state, kept, true);
  bpi_free(t->net->ctx, kept);
  if (s == BP_OK)
    r->suggestion = steepest(r);
  return s;
}

static bp_status check(bp_lr_search *r, const bp_train_options *o)
{
  r->from = r->from > 0 ? r->from : 1e-6;
  r->to = r->to > 0 ? r->to : 10;
  r->steps = r->steps > 0 ? r->steps : STEPS;
  r->suggestion = NAN;
  r->lr = r->loss = NULL;
  r->n = 0;
  if (!(r->from < r->to && isfinite(r->to)) || r->steps > 1000000)
    return bpi_bad_arg("bp_net_find_lr", "from must be below to, and steps at most 1,000,000");
  if (o && o->optimizer.kind == BP_OPTIMIZER_LBFGS)
    return bpi_fail(BP_E_UNSUPPORTED, "bp_net_find_lr: lbfgs finds the length of its steps itself");
  return BP_OK;
}

static bp_status search(bp_net *net, const bp_data *data, const bp_train_options *o, bp_lr_search *r)
{
  bpi_trainer t;
  r->lr = bpi_alloc(net->ctx, (size_t)r->steps, sizeof *r->lr);
  r->loss = bpi_alloc(net->ctx, (size_t)r->steps, sizeof *r->loss);
  if (!r->lr || !r->loss)
    return bpi_nomem();
  bp_train_options own = o ? *o : (bp_train_options){0};
  own.refit = false;
  own.valid = NULL;
  bp_status s = bpi_trainer_open(&t, net, data, &own, false);
  if (s == BP_OK)
    s = find(&t, r);
  bpi_trainer_close(&t);
  return s;
}

bp_status bp_net_find_lr(bp_net *net, const bp_data *data, const bp_train_options *options, bp_lr_search *r)
{
  if (!net || !data || !r)
    return bpi_bad_arg("bp_net_find_lr", "net, data or search is NULL");
  bp_status s = check(r, options);
  if (s != BP_OK)
    return s;
  if (atomic_exchange(&net->busy, true))
    return bpi_fail(BP_E_ORDER, "bp_net_find_lr: the network is being trained");
  s = search(net, data, options, r);
  atomic_store(&net->busy, false);
  if (s == BP_OK)
    return s;
  bpi_free(net->ctx, r->lr);
  bpi_free(net->ctx, r->loss);
  r->lr = r->loss = NULL;
  r->n = 0;
  return s;
}

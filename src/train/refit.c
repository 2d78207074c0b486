/* Learning once more from all rows. Validation has said after how many epochs a network is best, and took its rows from the training for that.
 * Of small tables every row counts: so the network goes back to its first weights, and learns for about so many epochs from both parts together. */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { SETTLED = 1000 }; /* steps: by then the default decay has long balanced what is learned */

bp_status bpi_refit_check(const bpi_trainer *t)
{
  if (!t->o.refit || !t->o.valid)
    return BP_OK;
  if (t->o.valid->all != t->data->all || t->data->all->spool)
    return bpi_bad_arg("bp_net_train", "refit needs validation rows that bp_data_split took from the data of "
                                       "the training rows, in memory");
  return t->o.optimizer.kind == BP_OPTIMIZER_LBFGS
             ? bpi_fail(BP_E_UNSUPPORTED, "bp_net_train: refit is not for lbfgs")
             : BP_OK;
}

/* The first weights are an entry of the state, so that checkpoints keep them. */
bp_status bpi_refit_open(bpi_trainer *t)
{
  bp_state *state = t->net->state;
  int64_t dim = (int64_t)(t->weights / bp_dtype_size(bp_state_real(state)));
  int entry = bp_state_find(state, "start");
  bp_status s = BP_OK;
  if (!t->o.refit || !t->o.valid)
    return BP_OK;
  if (entry < 0)
    s = bp_state_add(state, "start", BP_REAL, 1, &dim, &entry);
  if (s == BP_OK)
    s = bp_state_array(state, entry, NULL, NULL, &t->start);
  if (s == BP_OK)
    bpi_params_keep(t->net->params, t->start);
  return s;
}

/* Training and validation rows, as one part of their table. */
static bp_data *all_rows(const bpi_trainer *t)
{
  const bp_data *parts[2] = {t->data, t->o.valid};
  bp_ctx *ctx = t->net->ctx;
  int64_t n = parts[0]->n + parts[1]->n, *rows = bpi_alloc(ctx, (size_t)n, sizeof *rows), at = 0;
  bp_data *d = bpi_zalloc(ctx, 1, sizeof *d);
  if (!rows || !d) {
    bpi_free(ctx, rows);
    bpi_free(ctx, d);
    return NULL;
  }
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; i < parts[k]->n; i++)
      rows[at++] = bpi_data_at(parts[k], i);
  *d = (bp_data){.all = t->data->all, .rows = rows, .n = n, .part = true};
  atomic_fetch_add(&d->all->count, 1);
  return d;
}

/* As before the first step. The learning rate is set by every step. */
static bp_status start_again(bpi_trainer *t)
{
  bp_state *state = t->net->state;
  for (int i = 0; i < bp_state_count(state); i++) {
    const char *name;
    bp_type type;
    void *data;
    bp_status s = bp_state_array(state, i, &name, &type, &data);
    if (s != BP_OK)
      return s;
    if (strncmp(name, "optimizer.", 10) == 0)
      memset(data, 0,
             (size_t)bpi_type_size(&type) * bp_dtype_size(bpi_storage(type.dtype, bp_state_real(state))));
  }
  bpi_params_put_back(t->net->params, t->start);
  return BP_OK;
}

/* Divergence and a wish to stop do no harm: the weights that were judged are good still. But where a checkpoint is kept, whoever goes on from
 * it begins this again, and ends as if nothing had been. */
static bp_status fall_back(bpi_trainer *t, bp_status s)
{
  bpi_params_put_back(t->net->params, t->best);
  if (s == BP_E_STOPPED && t->o.checkpoint) {
    bpi_checkpoint_save(t);
    return s;
  }
  if (s != BP_E_NOTFINITE && s != BP_E_STOPPED)
    return s;
  bpi_log(t->net->ctx, BP_LOG_WARN, "not trained once more from all rows: %s", bp_error());
  return BP_OK;
}

/* Few held-out rows know the best epoch badly: an early one is often good by luck, and later ones as good. So an early one is moved half of the way
 * to where weights have settled, by the ratio of epochs. */
static int64_t epochs_again(const bpi_trainer *t)
{
  int64_t best = t->at.best_epoch, settled = (SETTLED + t->per_epoch - 1) / t->per_epoch;
  int64_t n = best < settled ? (int64_t)round(sqrt((double)best * (double)settled)) : best;
  return n < t->o.epochs ? n : t->o.epochs;
}

bp_status bpi_refit(bpi_trainer *t, bp_train_result *r)
{
  bp_data *whole = all_rows(t);
  bp_train_options o = t->o;
  o.epochs = epochs_again(t);
  o.valid = NULL;
  o.metric = NULL;
  o.progress = NULL;
  o.checkpoint = o.resume = NULL;
  bpi_loader_close(t->loader);
  t->loader = NULL;
  bp_status s = whole ? BP_OK : bpi_nomem();
  if (s == BP_OK && o.refit_begins)
    o.refit_begins(o.user);
  if (s == BP_OK)
    s = start_again(t);
  if (s == BP_OK)
    s = bpi_train_again(t->net, whole, &o);
  if (s == BP_OK) {
    r->refit_rows = whole->n;
    r->refit_epochs = o.epochs;
  }
  bp_data_free(whole);
  return s == BP_OK ? BP_OK : fall_back(t, s);
}

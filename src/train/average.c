/* The running mean of the weights (polynomial-decay averaging: Shamir & Zhang 2013, section 4).
 *
 *     mean_k = mean_(k-1) + (eta + 1) / (k + eta) (w_k - mean_(k-1))
 *
 * gives w_j a weight of about j^eta, so that the mean forgets how training began and needs no end to be known. At a constant rate weights
 * wander about the best ones; their mean lies closer to them, as where a schedule brings the rate to 0. It is an entry of the state, which
 * checkpoints keep. Of long epochs, weights are taken eight times: a pass over them after every step would be seen in the time of small steps. */
#include "train/trainer.h"

enum { TAKEN_IN_EPOCH = 8 };

static int64_t steps_between(const bpi_trainer *t)
{
  return t->per_epoch < TAKEN_IN_EPOCH ? 1 : t->per_epoch / TAKEN_IN_EPOCH;
}

bp_status bpi_average_open(bpi_trainer *t)
{
  bp_state *state = t->net->state;
  int64_t dim = (int64_t)(t->weights / bp_dtype_size(bp_state_real(state)));
  int entry = bp_state_find(state, "average");
  bp_status s = BP_OK;
  if (t->o.averaging < 0)
    return BP_OK;
  if (entry < 0)
    s = bp_state_add(state, "average", BP_REAL, 1, &dim, &entry);
  return s == BP_OK ? bp_state_array(state, entry, NULL, NULL, &t->average) : s;
}

void bpi_average_take(bpi_trainer *t)
{
  int64_t between = steps_between(t);
  if (!t->average || t->at.step % between != 0)
    return;
  int64_t taken = t->at.step / between;
  double k = (double)taken;
  bpi_params_blend(t->net->params, (t->o.averaging + 1) / (k + t->o.averaging), t->average);
}

void bpi_average_swap(bpi_trainer *t)
{
  if (t->average)
    bpi_params_swap(t->net->params, t->average);
}

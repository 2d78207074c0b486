/* --find-lr: losses at learning rates, and the one that is suggested. */
#include "train_job.h"

#include <math.h>
#include <string.h>

static void tell_json(const bp_lr_search *r)
{
  answer("{\"schema\":1,\"suggestion\":");
  json_number(r->suggestion);
  answer(",\"steps\":[");
  for (size_t i = 0; i < r->n; i++) {
    answer("%s{\"lr\":", i ? "," : "");
    json_number(r->lr[i]);
    answer(",\"loss\":");
    json_number(r->loss[i]);
    answer("}");
  }
  answer("]}\n");
}

static void tell(const bp_lr_search *r)
{
  size_t lowest = 0;
  for (size_t i = 0; i < r->n; i++)
    lowest = r->loss[i] < r->loss[lowest] ? i : lowest;
  if (isnan(r->suggestion))
    answer("no learning rate from %.2g to %.2g makes the loss fall\n", r->from, r->to);
  else
    answer("learning rate %.2g: there the loss falls fastest; it is lowest, %.4g, at %.2g\n", r->suggestion,
           r->loss[lowest], r->lr[lowest]);
}

static int draw(const train_job *j, const bp_lr_search *r)
{
  const char *path = j->s->find_lr;
  bp_picture *picture = NULL;
  if (!strcmp(path, FIND_LR_TOLD))
    return END_DONE;
  bp_plot_options o = {.title = "loss while the learning rate grows",
                       .x_label = "learning rate",
                       .y_label = "loss",
                       .x_log = true};
  bp_series s = {.x = r->lr, .y = r->loss, .n = r->n};
  bp_status st = bp_plot(j->ctx, &o, &s, 1, &picture);
  if (st == BP_OK)
    st = bp_picture_save(picture, false, 2, path);
  bp_picture_free(picture);
  return st == BP_OK ? END_DONE : fail_status(st, st == BP_E_UNSUPPORTED ? END_USAGE : END_RESOURCES);
}

int train_find_lr(train_job *j)
{
  bp_lr_search r = {0};
  bp_train_options o = train_options(j);
  o.checkpoint = o.resume = NULL;
  o.valid = NULL;
  bp_status st = bp_net_find_lr(j->net, j->train, &o, &r);
  if (st != BP_OK)
    return fail_status(st, END_USAGE);
  int end = draw(j, &r);
  if (!end)
    (j->s->json ? tell_json : tell)(&r);
  bp_free(j->ctx, r.lr);
  bp_free(j->ctx, r.loss);
  return end;
}

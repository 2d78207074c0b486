/* Training that is stopped from outside: by a callback that has seen enough, after an epoch, and by a flag that is looked at after every step. */
#include <bprop.h>
#include <stdio.h>

/* False ends the training; the best weights are kept. */
static bool until_good(void *user, const bp_progress *p)
{
  double *want = user;
  if (p->valid_metric >= *want)
    printf("good enough\n");
  return p->valid_metric < *want;
}

/* A signal handler, or another thread, would set the flag; here a callback does. */
static volatile int flag;
static bool set_flag(void *user, const bp_progress *p)
{
  (void)user;
  flag = p->epoch == 2;
  return true;
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *valid = NULL;
  bp_data_split(all, 0.2, 1, &train, &valid);
  bp_net *net = bp_net_new(ctx, train, NULL);
  bp_train_result r;
  double want = 0.9;
  bp_status s = bp_net_train(net, train,
                             &(bp_train_options){.valid = valid, .progress = until_good, .user = &want}, &r);
  printf("%s: %s\n", bp_status_name(s), r.epochs < 200 ? "before all epochs were run" : "at the end");
  s = bp_net_train(net, train, &(bp_train_options){.valid = valid, .progress = set_flag, .stop = &flag}, &r);
  printf("%s: epoch %lld, step %lld of it\n", bp_status_name(s), (long long)r.epoch, (long long)r.step);
  bp_net_free(net), bp_data_free(train), bp_data_free(valid), bp_data_free(all), bp_ctx_free(ctx);
  return 0;
}

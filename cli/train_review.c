/* A linear model beside the network, and warnings that teach. */
#include "train_job.h"

#include <math.h>

/* Rows and iterations that it is given: enough for a linear model, and little time beside any network. */
enum { MOST_ROWS = 10000, MOST_STEPS = 60, PATIENCE = 10 };

static double score(const bp_metrics *m)
{
  return isnan(m->accuracy) ? m->r2 : m->accuracy;
}

/* The same data, split and loss; its own early stopping. NAN where it cannot be had, which is no failure. It is short, and its score is part of the
 * model file, so that a signal which comes now does not end it: the file would have other bytes. */
static double linear_score(train_job *j, const bp_data *on)
{
  bp_net_options o = train_net_options(j->s);
  o.hidden[0] = -1;
  o.model = NULL;
  o.dropout = 0;
  bp_train_options t = {.epochs = MOST_STEPS,
                        .optimizer = {.kind = BP_OPTIMIZER_LBFGS},
                        .label_smoothing = -1,
                        .valid = j->valid,
                        .patience = PATIENCE};
  bp_data *rest = NULL, *some = NULL;
  int64_t rows = bp_data_rows(j->train);
  if (rows > MOST_ROWS &&
      bp_data_split(j->train, (double)MOST_ROWS / (double)rows, o.seed, &rest, &some) != BP_OK)
    return NAN;
  const bp_data *data = some ? some : j->train;
  bp_metrics m;
  bp_net *net = bp_net_new(j->ctx, data, &o);
  bool good = net && bp_net_train(net, data, &t, NULL) == BP_OK && bp_net_eval(net, on, &m) == BP_OK;
  bp_net_free(net);
  bp_data_free(some);
  bp_data_free(rest);
  return good ? score(&m) : NAN;
}

void train_linear(train_job *j, const bp_data *on)
{
  if (j->linear_known)
    return;
  j->linear = bp_net_layers(j->net) > 1 ? linear_score(j, on) : (double)NAN;
  j->linear_known = true;
}

static void tell_linear(const train_job *j, double own, double linear)
{
  if (isnan(own) || isnan(linear))
    return;
  if (bp_net_task(j->net) != BP_TASK_NUMBERS)
    say("linear model %.1f %%, network %.1f %% (%s accuracy)", 100 * linear, 100 * own, j->judged_on);
  else
    say("linear model %.3f, network %.3f (%s R2)", linear, own, j->judged_on);
}

static void warn(void *user, const char *name, const char *text)
{
  (void)user;
  (void)name;
  say("warning: %s", text);
}

int train_review(train_job *j, const bp_data *on)
{
  double own = score(&j->judged), linear = j->linear_known ? j->linear : (double)NAN;
  tell_linear(j, own, linear);
  bp_review about = {
      .train = j->train, .valid = j->valid, .own = own, .linear = linear, .judged = bp_data_rows(on)};
  bp_status st = bp_net_review(j->net, &about, warn, NULL);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

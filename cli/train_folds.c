/* Cross-validation: how good such a network is on rows that it has not seen, and for how many epochs to train the one that is kept. */
#include "input.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STOPPING_ROWS = 20 }; /* fewest rows that decide when to stop, apart from the fold */

typedef struct fold_score {
  double metric[2]; /* accuracy and loss, or RMSE and R2 */
  int64_t epoch;
} fold_score;

/* Rows that decide when to stop are taken from the training part: those of the fold only judge. */
static bp_status train_fold(train_job *j, bp_data *rest, const bp_data *fold, fold_score *score)
{
  bp_data *train = NULL, *stop = NULL;
  bp_train_options o = train_options(j);
  bp_train_result r;
  bp_metrics m;
  double share = j->s->valid.fraction > 0 ? j->s->valid.fraction : 0.1;
  bool early = (double)bp_data_rows(rest) * share >= STOPPING_ROWS;
  bp_status st = early ? bp_data_split(rest, share, (uint64_t)j->s->seed + 1000003, &train, &stop) : BP_OK;
  bp_net *net = st == BP_OK ? train_new_net(j, early ? train : rest) : NULL;
  o.valid = stop;
  o.metric = stop ? j->s->metric : NULL;
  o.refit = false;
  o.progress = NULL;
  o.refit_begins = NULL;
  o.checkpoint = NULL;
  if (st == BP_OK && !net)
    st = BP_E_ARG;
  if (st == BP_OK)
    st = bp_net_train(net, early ? train : rest, &o, &r);
  if (st == BP_OK)
    st = bp_net_eval(net, fold, &m);
  if (st == BP_OK)
    *score = (fold_score){{isnan(m.accuracy) ? m.rmse : m.accuracy, isnan(m.accuracy) ? m.r2 : m.loss},
                          r.best_epoch};
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(stop);
  return st;
}

static void tell_fold(const train_job *j, int64_t fold, const fold_score *f)
{
  if (bp_data_classes(j->all))
    say("fold %lld/%lld  accuracy %5.1f %%  loss %.4f  best epoch %lld", (long long)fold + 1,
        (long long)j->s->folds, 100 * f->metric[0], f->metric[1], (long long)f->epoch);
  else
    say("fold %lld/%lld  RMSE %.4g  R2 %.4f  best epoch %lld", (long long)fold + 1, (long long)j->s->folds,
        f->metric[0], f->metric[1], (long long)f->epoch);
}

static double mean_of(const fold_score *f, int64_t n, int metric, double *deviation)
{
  double sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++)
    sum += f[i].metric[metric];
  for (int64_t i = 0; i < n; i++)
    square += (f[i].metric[metric] - sum / (double)n) * (f[i].metric[metric] - sum / (double)n);
  *deviation = sqrt(square / (double)(n - 1));
  return sum / (double)n;
}

static int by_epoch(const void *a, const void *b)
{
  const fold_score *x = a, *y = b;
  return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

/* The model is trained on all rows for the median of the best epochs; the smaller of two in the middle. */
static void tell_all(train_job *j, fold_score *f)
{
  int64_t n = j->s->folds;
  double d[2], m[2];
  for (int i = 0; i < 2; i++)
    m[i] = mean_of(f, n, i, &d[i]);
  if (bp_data_classes(j->all))
    say("%lld folds: accuracy %.1f +- %.1f %%, loss %.4f +- %.4f (mean and deviation over folds, each judged "
        "on rows that it was not "
        "trained on)",
        (long long)n, 100 * m[0], 100 * d[0], m[1], d[1]);
  else
    say("%lld folds: RMSE %.4g +- %.2g, R2 %.4f +- %.4f (mean and deviation over folds, each judged on rows "
        "that it was not trained on)",
        (long long)n, m[0], d[0], m[1], d[1]);
  qsort(f, (size_t)n, sizeof *f, by_epoch);
  j->fold_epochs = f[(n - 1) / 2].epoch;
  say("the model is trained on all %lld rows, for the median of the best epochs: %lld",
      (long long)bp_data_rows(j->train), (long long)j->fold_epochs);
}

static bp_status one_fold(train_job *j, int64_t i, fold_score *score)
{
  bp_data *rest, *fold;
  bp_status st = bp_data_fold(j->train, (int)j->s->folds, (int)i, (uint64_t)j->s->seed, &rest, &fold);
  if (st != BP_OK)
    return st;
  st = train_fold(j, rest, fold, score);
  bp_data_free(rest);
  bp_data_free(fold);
  return st;
}

int train_folds(train_job *j)
{
  int64_t n = j->s->folds;
  if (n == 0 || j->fold_epochs)
    return END_DONE;
  if (bp_data_file_bytes(j->all))
    return fail(END_USAGE,
                "--folds: the data are larger than the memory for them; a part of them is enough for this");
  fold_score *f = calloc((size_t)n, sizeof *f);
  if (!f)
    return fail_memory();
  interrupt_watch();
  bp_status st = BP_OK;
  for (int64_t i = 0; i < n && st == BP_OK; i++) {
    st = one_fold(j, i, &f[i]);
    if (st == BP_OK)
      tell_fold(j, i, &f[i]);
  }
  if (st == BP_OK)
    tell_all(j, f);
  free(f);
  if (st == BP_E_STOPPED)
    return fail(END_SIGNAL + interrupt_came(), "interrupted in cross-validation: nothing is saved yet");
  return st == BP_OK            ? END_DONE
         : st == BP_E_NOTFINITE ? fail(END_DIVERGED, "%s", bp_error())
                                : fail_status(st, END_DATA);
}

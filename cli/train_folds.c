/* Cross-validation: how good such a network is on rows that it has not seen, and for how many epochs to train the one that is kept. */
#include "input.h"
#include "measured.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STOPPING_ROWS = 20 }; /* fewest rows that decide when to stop, apart from the fold */

/* What is measured on each fold: the loss, and a metric or two. */
enum { FIRST, SECOND, LOSS, MEASURES };
typedef struct fold_score {
  double value[MEASURES];
  int64_t epoch;
} fold_score;

typedef struct folds {
  train_job *j;
  int64_t n;
  fold_score *score;
  const char *name[MEASURES]; /* of the metric; NULL: it is not measured */
  int watched;                /* which of them is told as a trial's */
} folds;

/* Rows that decide when to stop are taken from the training part: those of the fold only judge. */
/* Of numbers the error, of others the accuracy; and what was asked for. */
static void choose_measures(folds *f, const bp_net *net)
{
  bool numbers = bp_net_task(net) == BP_TASK_NUMBERS;
  const char *asked = train_metric_asked(f->j->s);
  f->name[FIRST] = numbers ? "rmse" : "accuracy";
  f->name[SECOND] = asked && strcmp(asked, f->name[FIRST]) != 0 ? asked : numbers ? "r2" : NULL;
  f->watched = f->name[SECOND] && (!asked || asked == f->name[SECOND]) ? SECOND : FIRST;
}

static bp_status measure(folds *f, bp_net *net, const bp_data *fold, fold_score *score)
{
  bp_metrics m;
  choose_measures(f, net);
  bp_status st = bp_net_eval(net, fold, &m);
  score->value[LOSS] = m.loss;
  for (int i = FIRST; i < LOSS && st == BP_OK; i++)
    if (f->name[i])
      st = bp_net_metric(net, fold, f->name[i], &score->value[i]);
  return st;
}

static bp_status train_fold(folds *f, bp_data *rest, const bp_data *fold, fold_score *score)
{
  train_job *j = f->j;
  bp_data *train = NULL, *stop = NULL;
  bp_train_options o = train_options(j);
  bp_train_result r;
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
    st = measure(f, net, fold, score);
  if (st == BP_OK)
    score->epoch = r.best_epoch;
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(stop);
  return st;
}

/* "accuracy 97.8 +- 2.1 %"; without a deviation, where that is NAN, as a column. */
static void add_measure(const folds *f, int i, double value, double deviation, char *text, size_t size)
{
  const bp_metric *m = i == LOSS ? NULL : bp_metric_find(f->name[i], NULL);
  bool share = m && m->share, one = isnan(deviation);
  double factor = share ? 100 : 1;
  size_t n = strlen(text);
  char spread[32] = "";
  if (!one)
    snprintf(spread, sizeof spread, share ? " +- %.1f" : " +- %.4f", factor * deviation);
  snprintf(text + n, size - n, share ? "%s%s %*.1f%s %%" : "%s%s %*.4f%s", n ? one ? "  " : ", " : "",
           m ? metric_title(f->name[i]) : "loss", one && share ? 5 : 0, factor * value, spread);
}

static void tell_fold(const folds *f, int64_t fold)
{
  char text[256] = "";
  for (int i = 0; i < MEASURES; i++)
    if (i == LOSS || f->name[i])
      add_measure(f, i, f->score[fold].value[i], NAN, text, sizeof text);
  say("fold %lld/%lld  %s  best epoch %lld", (long long)fold + 1, (long long)f->n, text,
      (long long)f->score[fold].epoch);
}

static double mean_of(const folds *f, int i, double *deviation)
{
  double sum = 0, square = 0, n = (double)f->n;
  for (int64_t k = 0; k < f->n; k++)
    sum += f->score[k].value[i];
  for (int64_t k = 0; k < f->n; k++)
    square += (f->score[k].value[i] - sum / n) * (f->score[k].value[i] - sum / n);
  *deviation = sqrt(square / (n - 1));
  return sum / n;
}

static int by_epoch(const void *a, const void *b)
{
  const fold_score *x = a, *y = b;
  return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

/* The model is trained on all rows for the median of the best epochs; the smaller of two in the middle. */
static void tell_all(folds *f)
{
  train_job *j = f->j;
  char text[256] = "";
  for (int i = 0; i < MEASURES; i++) {
    double deviation, mean;
    if (i != LOSS && !f->name[i])
      continue;
    mean = mean_of(f, i, &deviation);
    add_measure(f, i, mean, deviation, text, sizeof text);
    if (i == LOSS)
      j->folds.loss = mean;
    else if (i == f->watched)
      j->folds.metric = mean;
  }
  say("%lld folds: %s (mean and deviation over folds, each judged on rows that it was not trained on)",
      (long long)f->n, text);
  qsort(f->score, (size_t)f->n, sizeof *f->score, by_epoch);
  j->fold_epochs = f->score[(f->n - 1) / 2].epoch;
  say("the model is trained on all %lld rows, for the median of the best epochs: %lld",
      (long long)bp_data_rows(j->train), (long long)j->fold_epochs);
}

static bp_status one_fold(folds *f, int64_t i)
{
  const train_job *j = f->j;
  bp_data *rest, *fold;
  bp_status st = bp_data_fold(j->train, (int)f->n, (int)i, (uint64_t)j->s->seed, &rest, &fold);
  if (st != BP_OK)
    return st;
  st = train_fold(f, rest, fold, &f->score[i]);
  bp_data_free(rest);
  bp_data_free(fold);
  return st;
}

int train_folds(train_job *j)
{
  folds f = {.j = j, .n = j->s->folds};
  if (f.n == 0 || j->fold_epochs)
    return END_DONE;
  if (f.n > bp_data_rows(j->train))
    return fail(END_USAGE, "--folds: %lld folds cannot be made of %lld rows", (long long)f.n,
                (long long)bp_data_rows(j->train));
  f.score = calloc((size_t)f.n, sizeof *f.score);
  if (!f.score)
    return fail_memory();
  interrupt_watch();
  bp_status st = BP_OK;
  for (int64_t i = 0; i < f.n && st == BP_OK; i++) {
    st = one_fold(&f, i);
    if (st == BP_OK)
      tell_fold(&f, i);
  }
  if (st == BP_OK)
    tell_all(&f);
  free(f.score);
  if (st == BP_E_STOPPED)
    return fail(END_SIGNAL + interrupt_came(), "interrupted in cross-validation: nothing is saved yet");
  return st == BP_OK            ? END_DONE
         : st == BP_E_NOTFINITE ? fail(END_DIVERGED, "%s", bp_error())
                                : fail_status(st, END_DATA);
}

/* The model card of a training: which data, and what the finished network was measured to be. */
#include "card.h"
#include "measured.h"
#include "scoring.h"
#include "train_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CARD_CLASSES = 60 }; /* a larger confusion matrix is not kept */

static const char *rows_text(const bp_data *d, char text[32])
{
  return d ? with_commas(bp_data_rows(d), text) : "none";
}

int train_card(train_job *j)
{
  card c = {0};
  char text[32];
  card_add(&c, "rows", "%s", rows_text(j->all, text));
  card_add(&c, "columns", "%lld", (long long)bp_data_cols(j->all));
  card_add(&c, "data hash", "%016llx", (unsigned long long)bp_data_hash(j->all));
  card_add(&c, "training rows", "%s", rows_text(j->train, text));
  card_add(&c, "validation rows", "%s", rows_text(j->valid, text));
  card_add(&c, "test rows", "%s", rows_text(j->test, text));
  card_add(&c, "seed", "%lld", (long long)j->s->seed);
  return card_keep(&c, j->net, CARD_NOTE) ? END_DONE : fail_memory();
}

static void add_confusion(card *c, const bp_scores *s)
{
  enum { NUMBER = 20 };
  int64_t n = bp_scores_outputs(s);
  double *m = malloc((size_t)(n * n) * sizeof *m);
  char *text = malloc((size_t)(n * n) * NUMBER + 1), *to = text;
  bool good = m && text && bp_scores_confusion(s, m) == BP_OK;
  for (int64_t i = 0; i < n * n && good; i++)
    to += sprintf(to, i ? ",%.9g" : "%.9g", m[i]);
  if (good)
    card_add(c, "confusion", "%s", text);
  c->failed = c->failed || !good;
  free(m);
  free(text);
}

static bp_scores *measure(const train_job *j, const bp_data *on)
{
  bp_scores *s = NULL;
  bool keep = scores_fit(j->s, j->net, bp_data_rows(on), 1);
  if (scores_open(j->ctx, j->net, false, keep, &s) == END_DONE &&
      bp_net_visit(j->net, on, scores_take, s, NULL) == BP_OK)
    return s;
  bp_scores_free(s);
  return NULL;
}

/* What cannot be measured is no reason to lose a model: it is told after it was saved. */
void train_card_judged(train_job *j)
{
  const bp_data *on = j->test ? j->test : j->valid ? j->valid : j->train;
  card c = {0};
  double value;
  if (j->judged_on && !j->test && j->result.refit_rows)
    return; /* it was, before it learned from these rows too */
  bp_scores *s = train_judge(j) == END_DONE ? measure(j, on) : NULL;
  if (!s)
    return;
  card_add(&c, "measured on", "%s", j->judged_on);
  card_add(&c, "rows", "%lld", (long long)bp_scores_rows(s));
  card_add(&c, "baseline", "%.9g", j->judged.baseline);
  train_linear(j, on);
  if (j->linear_known && !isnan(j->linear))
    card_add(&c, "linear", "%.9g", j->linear);
  for (size_t i = 0; i < bp_metric_count(); i++)
    if (metric_of(s, bp_metric_at(i), &value))
      card_add(&c, bp_metric_at(i)->name, "%.9g", value);
  if (bp_scores_task(s) == BP_TASK_CLASSES && bp_scores_outputs(s) <= CARD_CLASSES)
    add_confusion(&c, s);
  card_keep(&c, j->net, JUDGED_NOTE);
  bp_scores_free(s);
}

/* The data of a report: all rows measured as they come, and the few of them that are shown. */
#include "report.h"
#include "scoring.h"

#include <math.h>
#include <stdlib.h>

enum { WORST = 24, SOME = 5000 };

int64_t report_said(const bp_scores *s, int64_t row)
{
  const float *p = bp_scores_row(s, row);
  int64_t best = 0;
  for (int64_t k = 1; k < bp_scores_outputs(s); k++)
    best = p[k] > p[best] ? k : best;
  return best;
}

/* ---- the worst ---- */

typedef struct searching {
  double *rmse; /* [outputs] of numbers: of each target, so that all count the same */
  int64_t at[WORST];
  double how[WORST];
  int n;
} searching;

static bool is_wrong(const bp_scores *s, int64_t row)
{
  if (bp_scores_task(s) == BP_TASK_CLASSES)
    return report_said(s, row) != bp_scores_label(s, row);
  for (int64_t k = 0; k < bp_scores_outputs(s); k++)
    if ((bp_scores_row(s, row)[k] > 0.5f) != (bp_scores_truth(s, row, k) > 0.5))
      return true;
  return false;
}

static double squares(const searching *w, const bp_scores *s, int64_t row)
{
  double sum = 0;
  for (int64_t k = 0; k < bp_scores_outputs(s); k++) {
    double off = ((double)bp_scores_row(s, row)[k] - bp_scores_truth(s, row, k)) / w->rmse[k];
    sum += w->rmse[k] > 0 ? off * off : 0;
  }
  return sum;
}

/* How wrong a row is; not over 0: not at all. */
static double wrongness(const searching *w, const bp_scores *s, int64_t row)
{
  if (bp_scores_task(s) == BP_TASK_NUMBERS)
    return squares(w, s, row);
  return is_wrong(s, row) ? bp_scores_loss(s, row) : 0;
}

static bp_status look(void *user, const bp_scores *block, int64_t first)
{
  searching *w = user;
  for (int64_t i = 0; i < bp_scores_rows(block); i++) {
    double how = wrongness(w, block, i);
    if (!(how > 0) || (w->n == WORST && how <= w->how[WORST - 1]))
      continue;
    int k = w->n < WORST ? w->n++ : WORST - 1;
    for (; k > 0 && how > w->how[k - 1]; k--) {
      w->how[k] = w->how[k - 1];
      w->at[k] = w->at[k - 1];
    }
    w->how[k] = how;
    w->at[k] = first + i;
  }
  return BP_OK;
}

static bp_status find_worst(report *r, searching *w)
{
  int64_t n = bp_net_outputs(r->net);
  bp_status st = (w->rmse = calloc((size_t)n, sizeof *w->rmse)) ? BP_OK : BP_E_NOMEM;
  for (int64_t k = 0; k < n && r->task == BP_TASK_NUMBERS && st == BP_OK; k++)
    st = bp_scores_metric_of(r->scores, "rmse", k, &w->rmse[k]);
  if (st == BP_OK)
    st = bp_net_visit(r->net, r->data, look, w, NULL);
  free(w->rmse);
  return st;
}

/* ---- parts ---- */

static bp_status take_part(report *r, report_part *p)
{
  bp_status st = bp_data_part(r->data, p->at, p->n, &p->data);
  return st == BP_OK ? bp_net_scores(r->net, p->data, &p->scores) : st;
}

static bp_status take_worst(report *r)
{
  searching w = {.n = 0};
  report_part *p = &r->worst;
  bp_status st = find_worst(r, &w);
  p->at = st == BP_OK ? malloc(sizeof w.at) : NULL;
  if (!p->at)
    return st == BP_OK ? BP_E_NOMEM : st;
  for (int i = 0; i < w.n; i++)
    p->at[p->n++] = w.at[i];
  return take_part(r, p);
}

static bp_status take_some(report *r)
{
  report_part *p = &r->some;
  int64_t rows = bp_data_rows(r->data), step = (rows + SOME - 1) / SOME;
  if (!(p->at = malloc(SOME * sizeof *p->at)))
    return BP_E_NOMEM;
  for (int64_t i = 0; i < rows; i += step)
    p->at[p->n++] = i;
  return take_part(r, p);
}

static void part_free(report_part *p)
{
  bp_scores_free(p->scores);
  bp_data_free(p->data);
  free(p->at);
}

void report_data_free(report *r)
{
  bp_scores_free(r->scores);
  part_free(&r->worst);
  part_free(&r->some);
}

/* ---- together ---- */

int report_measure(report *r)
{
  bool keep = scores_fit(r->s, r->net, bp_data_rows(r->data), 1);
  int end = scores_open(r->ctx, r->net, false, keep, &r->scores);
  if (end)
    return end;
  bp_status st = bp_net_visit(r->net, r->data, scores_take, r->scores, &r->m);
  if (st == BP_OK)
    st = take_worst(r);
  if (st == BP_OK)
    st = take_some(r);
  return st == BP_OK ? END_DONE : st == BP_E_NOMEM ? fail_memory() : fail_status(st, END_DATA);
}

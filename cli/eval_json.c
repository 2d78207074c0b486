/* How well a network does, as one JSON object. */
#include "dataset.h"
#include "eval_tell.h"
#include "measured.h"

#include <math.h>
#include <stdlib.h>

static void json_value(const char *name, double value)
{
  answer(",\"%s\":", name);
  json_number(value);
}

/* The usual ones, and all that the table has. */
static void json_metrics(const bp_scores *s, const bp_metrics *usual)
{
  double value;
  answer("{\"rows\":%lld", (long long)bp_scores_rows(s));
  if (usual) {
    json_value("loss", usual->loss);
    json_value("baseline", usual->baseline);
  }
  for (size_t i = 0; i < bp_metric_count(); i++)
    if (metric_of(s, bp_metric_at(i), &value))
      json_value(bp_metric_at(i)->name, value);
  answer("}");
}

static void json_each(const judgement *j)
{
  bool numbers = bp_scores_task(j->scores) == BP_TASK_NUMBERS;
  answer(numbers ? ",\"targets\":[" : ",\"classes\":[");
  for (int64_t k = 0; k < bp_scores_outputs(j->scores) && answer_goes_on(); k++) {
    bp_class_count count;
    answer(numbers ? "%s{\"target\":" : "%s{\"class\":", k ? "," : "");
    json_text(output_text(j->net, k));
    if (bp_scores_count(j->scores, k, &count) == BP_OK) {
      json_value("rows", count.actual);
      json_value("predicted", count.predicted);
    }
    for (size_t i = 0; i < bp_metric_count(); i++) {
      double value = NAN;
      if (!metric_each(j->scores, bp_metric_at(i)))
        continue;
      bp_scores_metric_of(j->scores, bp_metric_at(i)->name, k, &value);
      json_value(bp_metric_at(i)->name, value);
    }
    answer("}");
  }
  answer("]");
}

static int json_confusion(const judgement *j)
{
  int64_t n = bp_scores_outputs(j->scores);
  if (bp_scores_task(j->scores) != BP_TASK_CLASSES || n > CONFUSION_MOST)
    return END_DONE;
  double *m = malloc((size_t)(n * n) * sizeof *m);
  if (!m || bp_scores_confusion(j->scores, m) != BP_OK) {
    free(m);
    return fail_memory();
  }
  answer(",\"confusion\":[");
  for (int64_t i = 0; i < n * n; i++) {
    answer("%s", i == 0 ? "[" : i % n == 0 ? "],[" : ",");
    json_number(m[i]);
  }
  answer("]]");
  free(m);
  return END_DONE;
}

static int json_groups(const judgement *j)
{
  if (!j->groups.n)
    return END_DONE;
  answer(",\"by\":{\"column\":");
  json_text(j->s->by);
  answer(",\"groups\":[");
  for (int k = 0; k < j->groups.n; k++) {
    answer(k ? ",{\"group\":" : "{\"group\":");
    json_text(j->groups.name[k]);
    answer(",\"metrics\":");
    json_metrics(j->of[k], NULL);
    answer("}");
  }
  answer("]}");
  return END_DONE;
}

int eval_json(const judgement *j)
{
  answer("{\"schema\":1,\"model\":");
  json_text(j->s->inputs[0]);
  answer(",\"data\":");
  json_text(j->s->inputs[1]);
  answer(",\"metrics\":");
  json_metrics(j->scores, &j->m);
  json_each(j);
  int end = json_confusion(j);
  if (!end)
    end = json_groups(j);
  answer("}\n");
  return end;
}

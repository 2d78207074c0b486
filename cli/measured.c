/* Metrics: accuracy for classes, RMSE for numbers. */
#include "measured.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void metrics_answer(const char *of, const bp_metrics *m)
{
  const char *blank = *of ? " " : "";
  if (!isnan(m->accuracy))
    answer("%s%saccuracy %.1f %%\n", of, blank, 100 * m->accuracy);
  else
    answer("%s%sRMSE %.4g\n", of, blank, m->rmse);
}

bool metrics_at(const bp_metrics *m, size_t i, const char **name, double *value)
{
  const struct {
    const char *name;
    double value;
  } list[] = {{"loss", m->loss}, {"accuracy", m->accuracy}, {"rmse", m->rmse}, {"mae", m->mae},
              {"r2", m->r2},     {"baseline", m->baseline}};
  for (size_t k = 0; k < sizeof list / sizeof *list; k++)
    if (!isnan(list[k].value) && i-- == 0) {
      *name = list[k].name;
      *value = list[k].value;
      return true;
    }
  return false;
}

void metrics_json(const bp_metrics *m)
{
  const char *name;
  double value;
  answer("{\"rows\":%lld", (long long)m->rows);
  for (size_t i = 0; metrics_at(m, i, &name, &value); i++) {
    answer(",\"%s\":", name);
    json_number(value);
  }
  answer("}");
}

bool metrics_beat_baseline(const bp_metrics *m)
{
  return isnan(m->accuracy) ? m->rmse < m->baseline : m->accuracy > m->baseline;
}

/* ---- by the table of metrics ---- */

static bool fits(const bp_metric *m, bp_task task)
{
  return (m->tasks & (unsigned)task) != 0;
}

bool metric_of(const bp_scores *s, const bp_metric *m, double *value)
{
  /* A count that all classes reach says nothing. */
  bool vain =
      m->tasks == BP_TASK_CLASSES && m->most > 1 && m->share && m->arg >= (double)bp_scores_outputs(s);
  return fits(m, bp_scores_task(s)) && !vain && bp_scores_metric(s, m->name, value) == BP_OK;
}

bool metric_each(const bp_scores *s, const bp_metric *m)
{
  bool kept = bp_scores_row(s, 0) || !bp_scores_rows(s);
  return fits(m, bp_scores_task(s)) && m->each && (kept || !m->ranked);
}

bool metric_of_groups(const bp_metric *m, bp_task task)
{
  static const char *const few[] = {"accuracy", "f1", "log_loss", "rmse", "mae", "r2"};
  for (size_t i = 0; fits(m, task) && i < sizeof few / sizeof *few; i++)
    if (!strcmp(m->name, few[i]))
      return true;
  return false;
}

const char *weight_text(double weight, char text[METRIC_TEXT])
{
  bool whole = weight == floor(weight) && weight < 1e15;
  snprintf(text, METRIC_TEXT, whole ? "%.0f" : "%.6g", weight);
  return text;
}

const char *metric_text(const bp_metric *m, double value, char text[METRIC_TEXT])
{
  if (isnan(value))
    snprintf(text, METRIC_TEXT, "-");
  else if (m->share)
    snprintf(text, METRIC_TEXT, "%.1f %%", 100 * value);
  else
    snprintf(text, METRIC_TEXT, "%.4g", value);
  return text;
}

const char *metric_title(const char *name)
{
  const bp_metric *m = bp_metric_find(name, NULL);
  return m && !strchr(name, '(') ? m->title : name;
}

const char *metric_told(const char *name, double value, char text[METRIC_TOLD])
{
  const bp_metric *m = bp_metric_find(name, NULL);
  char number[METRIC_TEXT] = "-";
  snprintf(text, METRIC_TOLD, "%s %s", metric_title(name), m ? metric_text(m, value, number) : number);
  return text;
}

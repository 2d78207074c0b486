/* Metrics: accuracy for classes, RMSE for numbers. */
#include "measured.h"

#include <math.h>

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

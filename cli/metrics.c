/* Metrics: accuracy for classes, RMSE for numbers. */
#include "metrics.h"

#include <math.h>

void metrics_answer(const char *of, const bp_metrics *m)
{
  const char *blank = *of ? " " : "";
  if (!isnan(m->accuracy))
    answer("%s%saccuracy %.1f %%\n", of, blank, 100 * m->accuracy);
  else
    answer("%s%sRMSE %.4g\n", of, blank, m->rmse);
}

void metrics_json(const bp_metrics *m)
{
  const struct {
    const char *name;
    double value;
  } list[] = {{"loss", m->loss}, {"accuracy", m->accuracy}, {"rmse", m->rmse}, {"mae", m->mae},
              {"r2", m->r2},     {"baseline", m->baseline}};
  answer("{\"rows\":%lld", (long long)m->rows);
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (!isnan(list[i].value)) {
      answer(",\"%s\":", list[i].name);
      json_number(list[i].value);
    }
  answer("}");
}

bool metrics_beat_baseline(const bp_metrics *m)
{
  return isnan(m->accuracy) ? m->rmse < m->baseline : m->accuracy > m->baseline;
}

/* The numbers of a report: figures at the top, all metrics, each class. */
#include "card.h"
#include "input.h"
#include "measured.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the card has it; NaN: not known. */
static double judged(const report *r, const char *name)
{
  char *text = card_value(r->net, JUDGED_NOTE, name);
  double value = text ? strtod(text, NULL) : (double)NAN;
  free(text);
  return value;
}

/* The value of a metric: measured here, or as the card has it. NaN: not known. */
static double known(const report *r, const char *name)
{
  double value = NAN;
  if (r->scores)
    return bp_scores_metric(r->scores, name, &value) == BP_OK ? value : (double)NAN;
  return judged(r, name);
}

/* ---- at the top ---- */

static void figure(report *r, const char *value, const char *what)
{
  html_raw(&r->page, "<div class=\"figure\"><b>");
  html_text(&r->page, value);
  html_raw(&r->page, "</b><span>");
  html_text(&r->page, what);
  html_raw(&r->page, "</span></div>\n");
}

static void metric_figure(report *r, const char *name)
{
  const bp_metric *m = bp_metric_find(name, NULL);
  char text[METRIC_TEXT];
  double value = known(r, name);
  if (m && (m->tasks & (unsigned)r->task) && !isnan(value))
    figure(r, metric_text(m, value, text), m->title);
}

static void linear_figure(report *r)
{
  const bp_metric *m = bp_metric_find(r->task == BP_TASK_NUMBERS ? "r2" : "accuracy", NULL);
  char text[METRIC_TEXT], what[64];
  double value = r->scores ? (double)NAN : judged(r, "linear"); /* it was of other rows */
  if (!m || isnan(value))
    return;
  snprintf(what, sizeof what, "%s of a linear model", m->title);
  figure(r, metric_text(m, value, text), what);
}

static void baseline_figure(report *r)
{
  char text[METRIC_TEXT];
  double value = r->scores ? r->m.baseline : known(r, "baseline");
  const bp_metric *m = bp_metric_find(r->task == BP_TASK_NUMBERS ? "rmse" : "accuracy", NULL);
  if (m && !isnan(value))
    figure(r, metric_text(m, value, text),
           r->task == BP_TASK_NUMBERS ? "RMSE of always the mean" : "always the commonest class");
}

static void measured_on(report *r)
{
  char rows[32];
  char *on = card_value(r->net, JUDGED_NOTE, "measured on"), *n = card_value(r->net, JUDGED_NOTE, "rows");
  html_raw(&r->page, "<p class=\"note\">");
  if (r->scores)
    html_textf(&r->page, "Measured on %s rows of %s.", with_commas(bp_scores_rows(r->scores), rows),
               r->s->inputs[1]);
  else if (on && n)
    html_textf(&r->page,
               "Measured after training, on its %s rows (%s). With a file of data, the report shows more.",
               on, n);
  else
    html_text(&r->page, "The model does not say how good it is; give the report a file of data.");
  html_raw(&r->page, "</p>\n");
  free(on);
  free(n);
}

/* Beside the simplest that could be done with the same rows. */
void report_after_training(report *r)
{
  bool numbers = r->task == BP_TASK_NUMBERS;
  const char *name = numbers ? "r2" : "accuracy";
  const bp_metric *m = bp_metric_find(name, NULL);
  double own = judged(r, name), linear = judged(r, "linear"), baseline = judged(r, "baseline");
  char *on = card_value(r->net, JUDGED_NOTE, "measured on"), text[METRIC_TEXT], other[METRIC_TEXT];
  if (on && m && !isnan(own)) {
    html_raw(&r->page, "<p>After training, on its ");
    html_textf(&r->page, "%s rows: %s %s", on, m->title, metric_text(m, own, text));
    if (!isnan(linear))
      html_textf(&r->page, "; a linear model had %s", metric_text(m, linear, text));
    if (!isnan(baseline) && numbers)
      html_textf(&r->page, "; RMSE %.4g, that of always the mean %.4g", judged(r, "rmse"), baseline);
    else if (!isnan(baseline))
      html_textf(&r->page, "; always the commonest class has %s", metric_text(m, baseline, other));
    html_raw(&r->page, ".</p>\n");
  }
  free(on);
}

void report_figures(report *r)
{
  static const char *const names[] = {"accuracy", "auc", "log_loss", "rmse", "mae", "r2"};
  html_raw(&r->page, "<div class=\"figures\">\n");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    metric_figure(r, names[i]);
  linear_figure(r);
  baseline_figure(r);
  html_raw(&r->page, "</div>\n");
  measured_on(r);
  if (r->scores && !metrics_beat_baseline(&r->m))
    html_raw(&r->page,
             "<p class=\"bad\">The network does not beat always the same answer on these rows.</p>\n");
}

/* ---- all metrics ---- */

static bool has_metrics(const report *r)
{
  return r->scores || bp_net_note(r->net, JUDGED_NOTE);
}

static bp_status write_metrics(report *r)
{
  html *h = &r->page;
  html_raw(h, "<div class=\"wide\"><table><thead><tr><th>metric</th><th class=\"n\">value</th><th>what it "
              "is</th></tr></thead>"
              "<tbody>\n");
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    char text[METRIC_TEXT];
    double value = NAN;
    if (!(m->tasks & (unsigned)r->task))
      continue;
    if (r->scores ? !metric_of(r->scores, m, &value) : isnan(value = judged(r, m->name)))
      continue;
    if (isnan(value)) /* not defined on these rows */
      continue;
    html_raw(h, "<tr>");
    html_cell(h, m->title);
    html_number_cell(h, metric_text(m, value, text));
    html_raw(h, "<td class=\"note\">");
    html_text(h, m->math);
    html_raw(h, "</td></tr>\n");
  }
  html_raw(h, "</tbody></table></div>\n");
  return BP_OK;
}

/* ---- each class ---- */

enum { MOST_CLASSES = 200 };

static bool has_classes(const report *r)
{
  return r->scores && bp_scores_outputs(r->scores) > 1;
}

static void class_cells(report *r, const char *name, int64_t k)
{
  html *h = &r->page;
  bp_class_count count;
  char text[METRIC_TEXT];
  html_cell(h, name);
  if (bp_scores_count(r->scores, k, &count) == BP_OK) {
    html_number_cell(h, weight_text(count.actual, text));
  }
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    double value = NAN;
    if (!metric_each(r->scores, m))
      continue;
    if (bp_scores_metric_of(r->scores, m->name, k, &value) != BP_OK)
      h->failed = true;
    html_number_cell(h, metric_text(m, value, text));
  }
}

static bp_status write_classes(report *r)
{
  html *h = &r->page;
  const char **names = report_names(r);
  int64_t n = bp_scores_outputs(r->scores), most = n > MOST_CLASSES ? MOST_CLASSES : n;
  if (!names)
    return BP_E_NOMEM;
  html_raw(h, "<div class=\"wide\"><table><thead><tr><th>%s</th>%s",
           r->task == BP_TASK_CLASSES ? "class" : "target",
           r->task == BP_TASK_NUMBERS ? "" : "<th class=\"n\">rows</th>");
  for (size_t i = 0; i < bp_metric_count(); i++)
    if (metric_each(r->scores, bp_metric_at(i)))
      html_raw(h, "<th class=\"n\">%s</th>", bp_metric_at(i)->title);
  html_raw(h, "</tr></thead><tbody>\n");
  for (int64_t k = 0; k < most; k++) {
    html_raw(h, "<tr>");
    class_cells(r, names[k], k);
    html_raw(h, "</tr>\n");
  }
  html_raw(h, "</tbody></table></div>\n");
  if (n > most)
    html_raw(h, "<p class=\"note\">and %lld more</p>\n", (long long)(n - most));
  free(names);
  return BP_OK;
}

const report_section report_numbers[] = {
    {"metrics", "Metrics", has_metrics, write_metrics},
    {"classes", "Each by itself", has_classes, write_classes},
    {NULL, NULL, NULL, NULL},
};

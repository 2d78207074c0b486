/* The pictures of a report: how the training went, and what predictions are like. */
#include "card.h"
#include "dataset.h"
#include "measured.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS = 15, MOST_POINTS = 1500, MOST_MATRIX = 60, WIDE = 620, NARROW = 440 };

bp_status report_draw(report *r, bp_status st, bp_picture **p)
{
  if (st == BP_OK)
    html_picture(&r->page, r->ctx, *p);
  *p = NULL;
  return st;
}

/* ---- learning curves ---- */

static bool has_history(const report *r)
{
  const bp_epoch *epochs;
  return bp_net_history(r->net, &epochs) > 1;
}

/* Epochs, losses and the metric of the history, as columns of v [4, n]. */
static void take_history(const bp_epoch *e, size_t n, double *v)
{
  for (size_t i = 0; i < n; i++) {
    v[i] = (double)e[i].epoch;
    v[n + i] = e[i].train_loss;
    v[2 * n + i] = e[i].valid_loss;
    v[3 * n + i] = e[i].valid_metric;
  }
}

/* Metrics of which more is better do not pass 1; of the others less is better, and 0 is the best. */
static bp_status draw_metric(report *r, const double *x, const double *metric, size_t n)
{
  bp_picture *p = NULL;
  const char *name = bp_net_history_metric(r->net);
  const bp_metric *m = bp_metric_find(name, NULL);
  double least = 0.95, most = 0;
  char title[100];
  for (size_t i = 0; i < n; i++) {
    least = fmin(least, metric[i]);
    most = fmax(most, metric[i]);
  }
  snprintf(title, sizeof title, "Validation %s", metric_title(name));
  bool higher = m && m->higher;
  bp_plot_options o = {.title = title,
                       .x_label = "epoch",
                       .width = NARROW,
                       .height = 320,
                       .y_lo = higher ? fmax(least - 0.02, -1) : 0,
                       .y_hi = higher ? 1 : 1.05 * most};
  const bp_series line = {NULL, x, metric, n, BP_STROKE_LINE, 3};
  return report_draw(r, bp_plot(r->ctx, &o, &line, 1, &p), &p);
}

static bp_status write_history(report *r)
{
  const bp_epoch *e;
  size_t n = (size_t)bp_net_history(r->net, &e);
  double *v = malloc(4 * n * sizeof *v);
  bp_picture *p = NULL;
  if (!v)
    return BP_E_NOMEM;
  take_history(e, n, v);
  bool valid = isfinite(v[2 * n]), metric = isfinite(v[3 * n]);
  bp_plot_options o = {
      .title = "Loss", .x_label = "epoch", .y_label = "loss", .width = metric ? NARROW : WIDE, .height = 320};
  const bp_series loss[] = {{"training", v, v + n, n, BP_STROKE_LINE, 1},
                            {"validation", v, v + 2 * n, n, BP_STROKE_DASHED, 2}};
  report_after_training(r);
  html_raw(&r->page, "<div class=\"two\">");
  bp_status st = report_draw(r, bp_plot(r->ctx, &o, loss, valid ? 2 : 1, &p), &p);
  if (st == BP_OK && metric)
    st = draw_metric(r, v, v + 3 * n, n);
  html_raw(&r->page, "</div>\n");
  if (valid)
    html_raw(
        &r->page,
        "<p class=\"note\">The training loss is a mean over an epoch in which the weights change, with what "
        "makes learning harder (dropout, mixup, smoothed labels); the validation loss is measured after it, "
        "without. So it may well be the lower one.</p>\n");
  free(v);
  return st;
}

/* ---- confusion ---- */

/* As the card has it: numbers with commas between. */
static bool read_confusion(const report *r, double *m, int64_t n)
{
  char *text = card_value(r->net, JUDGED_NOTE, "confusion"), *at = text;
  int64_t i = 0;
  for (; at && i < n; i++) {
    char *end;
    m[i] = strtod(at, &end);
    at = end == at || (*end && *end != ',') ? NULL : *end ? end + 1 : i + 1 == n ? end : NULL;
  }
  bool whole = at && i == n && !*at;
  free(text);
  return whole;
}

double *report_confusion(const report *r)
{
  int64_t n = bp_net_classes(r->net);
  double *m = n && n <= MOST_MATRIX ? calloc((size_t)(n * n), sizeof *m) : NULL;
  if (m && (r->scores ? bp_scores_confusion(r->scores, m) == BP_OK : read_confusion(r, m, n * n)))
    return m;
  free(m);
  return NULL;
}

const char **report_names(const report *r)
{
  int64_t n = bp_net_outputs(r->net);
  /* The texts of numbers stand behind the pointers to them. */
  enum { NUMBER = 24 };
  const char **names = calloc((size_t)n, sizeof *names + NUMBER);
  char *numbers = names ? (char *)(names + n) : NULL;
  for (int64_t k = 0; names && k < n; k++) {
    const char *name =
        r->task == BP_TASK_CLASSES ? bp_net_class_name(r->net, k) : bp_net_target_at(r->net, k);
    snprintf(numbers + k * NUMBER, NUMBER, "%lld", (long long)(r->task == BP_TASK_CLASSES ? k : k + 1));
    names[k] = *name ? name : numbers + k * NUMBER;
  }
  return names;
}

static bool has_confusion(const report *r)
{
  double *m = report_confusion(r);
  free(m);
  return m != NULL;
}

static bp_status write_confusion(report *r)
{
  double *m = report_confusion(r);
  const char **names = report_names(r);
  bp_picture *p = NULL;
  int64_t n = bp_net_classes(r->net);
  bp_heatmap_options o = {.x_label = "predicted",
                          .y_label = "true",
                          .row_names = names,
                          .col_names = names,
                          .by_row = true,
                          .diagonal = true,
                          .width = 760};
  bp_status st = m && names ? bp_heatmap(r->ctx, &o, m, n, n, &p) : BP_E_NOMEM;
  html_raw(&r->page, "<p class=\"note\">A row for each true class: the stronger a cell, the larger its share "
                     "of the row. On the "
                     "diagonal, what was right.</p>\n");
  free(m);
  free(names);
  return report_draw(r, st, &p);
}

/* ---- probabilities ---- */

static bool has_probabilities(const report *r)
{
  return r->scores && r->task != BP_TASK_NUMBERS && bp_scores_rows(r->scores) > 0;
}

static bp_status draw_calibration(report *r)
{
  bp_calibration_bin bin[BINS];
  double x[BINS], y[BINS];
  size_t n = 0;
  bp_picture *p = NULL;
  static const double ends[] = {0, 1};
  bp_status st = bp_scores_calibration(r->scores, BINS, bin);
  for (int i = 0; st == BP_OK && i < BINS; i++)
    if (bin[i].weight > 0) {
      x[n] = bin[i].confidence;
      y[n++] = bin[i].accuracy;
    }
  const bp_series lines[] = {{"the network", x, y, n, BP_STROKE_LINE, 1},
                             {NULL, x, y, n, BP_STROKE_POINTS, 1},
                             {"as it should be", ends, ends, 2, BP_STROKE_DASHED, 8}};
  bp_plot_options o = {.title = "Calibration",
                       .x_label = "probability that it gave",
                       .y_label = "share that was right",
                       .width = NARROW,
                       .height = 380,
                       .x_hi = 1,
                       .y_hi = 1};
  return report_draw(r, st == BP_OK ? bp_plot(r->ctx, &o, lines, 3, &p) : st, &p);
}

static bp_status draw_roc(report *r)
{
  double *x = NULL, *y = NULL, auc = NAN;
  size_t n = 0;
  char title[64];
  bp_picture *p = NULL;
  static const double ends[] = {0, 1};
  bp_status st = bp_scores_roc(r->scores, bp_scores_outputs(r->scores) - 1, &x, &y, &n);
  if (st == BP_OK)
    st = bp_scores_metric(r->scores, "auc", &auc);
  snprintf(title, sizeof title, "ROC curve, area %.4f", auc);
  const bp_series lines[] = {{"the network", x, y, n, BP_STROKE_LINE, 1},
                             {"chance", ends, ends, 2, BP_STROKE_DASHED, 8}};
  bp_plot_options o = {.title = title,
                       .x_label = "false positive rate",
                       .y_label = "true positive rate",
                       .width = NARROW,
                       .height = 380,
                       .x_hi = 1,
                       .y_hi = 1};
  if (st == BP_OK && n)
    st = report_draw(r, bp_plot(r->ctx, &o, lines, 2, &p), &p);
  bp_free(r->ctx, x);
  bp_free(r->ctx, y);
  return st;
}

static bp_status write_probabilities(report *r)
{
  html_raw(&r->page, "<div class=\"two\">");
  bp_status st = draw_calibration(r);
  if (st == BP_OK && bp_scores_outputs(r->scores) <= 2 && bp_scores_row(r->scores, 0))
    st = draw_roc(r);
  html_raw(&r->page, "</div>\n");
  return st;
}

/* ---- numbers ---- */

static bool has_residuals(const report *r)
{
  return r->scores && r->task == BP_TASK_NUMBERS && bp_scores_rows(r->scores) > 0;
}

/* Of many rows, some spread evenly. */
static bp_status draw_residuals(report *r, int64_t k, const char *name)
{
  const bp_scores *s = r->some.scores;
  int64_t rows = bp_scores_rows(s), step = (rows + MOST_POINTS - 1) / MOST_POINTS;
  double x[MOST_POINTS], y[MOST_POINTS], off[MOST_POINTS], ends[2] = {INFINITY, -INFINITY}, zero[2] = {0, 0};
  size_t n = 0;
  char title[200];
  bp_picture *p = NULL;
  for (int64_t i = 0; i < rows; i += step, n++) {
    x[n] = bp_scores_truth(s, i, k);
    y[n] = (double)bp_scores_row(s, i)[k];
    off[n] = y[n] - x[n];
    ends[0] = fmin(ends[0], x[n]);
    ends[1] = fmax(ends[1], x[n]);
  }
  snprintf(title, sizeof title, "Predicted and true%s%.150s", name && *name ? ": " : "", name ? name : "");
  bp_plot_options o = {
      .title = title, .x_label = "true", .y_label = "predicted", .width = NARROW, .height = 360};
  const bp_series both[] = {{NULL, x, y, n, BP_STROKE_POINTS, 1}, {NULL, ends, ends, 2, BP_STROKE_DASHED, 8}};
  bp_status st = report_draw(r, bp_plot(r->ctx, &o, both, 2, &p), &p);
  o.title = "Residuals";
  o.y_label = "predicted - true";
  o.x_label = "predicted";
  double reach[2] = {INFINITY, -INFINITY};
  for (size_t i = 0; i < n; i++) {
    reach[0] = fmin(reach[0], y[i]);
    reach[1] = fmax(reach[1], y[i]);
  }
  const bp_series rest[] = {{NULL, y, off, n, BP_STROKE_POINTS, 2},
                            {NULL, reach, zero, 2, BP_STROKE_DASHED, 8}};
  return st == BP_OK ? report_draw(r, bp_plot(r->ctx, &o, rest, 2, &p), &p) : st;
}

static bp_status write_residuals(report *r)
{
  enum { MOST_TARGETS = 8 };
  int64_t n = bp_scores_outputs(r->scores);
  const char **names = report_names(r);
  bp_status st = names ? BP_OK : BP_E_NOMEM;
  for (int64_t k = 0; k < n && k < MOST_TARGETS && st == BP_OK; k++) {
    html_raw(&r->page, "<div class=\"two\">");
    st = draw_residuals(r, k, n > 1 ? names[k] : bp_net_target(r->net));
    html_raw(&r->page, "</div>\n");
  }
  free(names);
  return st;
}

const report_section report_curves[] = {
    {"training", "Training", has_history, write_history},
    {"confusion", "Confusion matrix", has_confusion, write_confusion},
    {"probabilities", "Probabilities", has_probabilities, write_probabilities},
    {"residuals", "Predicted and true", has_residuals, write_residuals},
    {NULL, NULL, NULL, NULL},
};

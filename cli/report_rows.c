/* Single rows in a report: the worst mistakes, and what in an image speaks for its class. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 15, MOST_COLUMNS = 12, MOST_SALIENT = 10, MOST_TARGETS = 6 };

/* ---- as pictures ---- */

/* Pixels of a row as bytes, white the largest of the row; its background black. */
static bool pixels_of(const report *r, const report_part *some, int64_t row, unsigned char *out)
{
  int64_t n = r->image[0] * r->image[1] * r->image[2];
  float *x = malloc((size_t)bp_data_cols(some->data) * sizeof *x), lo = INFINITY, hi = -INFINITY;
  bool good = x && bp_data_row(some->data, row, x) == BP_OK;
  for (int64_t i = 0; good && i < n; i++) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
  }
  for (int64_t i = 0; good && i < n; i++) {
    float share = hi > lo ? (x[i] - lo) / (hi - lo) : 0;
    out[i] = isnan(share) ? 0 : (unsigned char)lroundf(255 * share);
  }
  free(x);
  return good;
}

/* Of several labels those that are true, or predicted: their names with commas between. */
static void labels_text(report *r, const report_part *some, int64_t row, bool predicted,
                        const char *const *names)
{
  bool any = false;
  for (int64_t k = 0; k < bp_scores_outputs(some->scores); k++) {
    bool is =
        predicted ? bp_scores_row(some->scores, row)[k] > 0.5f : bp_scores_truth(some->scores, row, k) > 0.5;
    if (!is)
      continue;
    html_textf(&r->page, "%s%.200s", any ? ", " : "", names[k]);
    any = true;
  }
  if (!any)
    html_text(&r->page, "none");
}

static void class_caption(report *r, const report_part *some, int64_t row, const char *const *names)
{
  const float *p = bp_scores_row(some->scores, row);
  int64_t is = bp_scores_label(some->scores, row), says = report_said(some->scores, row);
  html_textf(&r->page, "said %.200s, %.1f %%", names[says], 100 * (double)p[says]);
  html_raw(&r->page, "<br>");
  if (says == is)
    return;
  html_textf(&r->page, "is %.200s, %.1f %%", names[is], 100 * (double)p[is]);
  html_raw(&r->page, "<br>");
}

static void number_caption(report *r, const report_part *some, int64_t row, const char *const *names)
{
  int64_t n = bp_scores_outputs(some->scores);
  for (int64_t k = 0; k < n && k < MOST_TARGETS; k++) {
    html_textf(&r->page, "%.100s%spredicted %.4g, true %.4g", n > 1 ? names[k] : "", n > 1 ? ": " : "",
               (double)bp_scores_row(some->scores, row)[k], bp_scores_truth(some->scores, row, k));
    html_raw(&r->page, "<br>");
  }
}

static void caption(report *r, const report_part *some, int64_t row, const char *const *names)
{
  html *h = &r->page;
  html_raw(h, "<figcaption>");
  if (r->task == BP_TASK_CLASSES) {
    class_caption(r, some, row, names);
  } else if (r->task == BP_TASK_NUMBERS) {
    number_caption(r, some, row, names);
  } else {
    html_raw(h, "said ");
    labels_text(r, some, row, true, names);
    html_raw(h, "<br>is ");
    labels_text(r, some, row, false, names);
    html_raw(h, "<br>");
  }
  html_raw(h, "<span class=\"note\">row %lld</span></figcaption>", (long long)some->at[row] + 1);
}

static bp_status write_tiles(report *r, const char *const *names)
{
  html *h = &r->page;
  unsigned char *pixels = malloc((size_t)(r->image[0] * r->image[1] * r->image[2]));
  html_raw(h, "<div class=\"tiles\">\n");
  for (int i = 0; pixels && i < r->worst.n; i++) {
    char alt[64];
    if (!pixels_of(r, &r->worst, i, pixels))
      break;
    snprintf(alt, sizeof alt, "the image of row %lld", (long long)r->worst.at[i] + 1);
    html_raw(h, "<figure class=\"tile\">");
    html_image(h, r->ctx, pixels, r->image, alt);
    caption(r, &r->worst, i, names);
    html_raw(h, "</figure>\n");
  }
  html_raw(h, "</div>\n");
  free(pixels);
  return pixels ? BP_OK : BP_E_NOMEM;
}

/* ---- as a table ---- */

/* Data that were read for the network stand in its order, and may have no names of their own. */
static const char *column_name(const report *r, int64_t c)
{
  const char *name = bp_data_col_name(r->data, c);
  return *name ? name : bp_net_col_name(r->net, c);
}

static void value_cell(report *r, int64_t column, float x)
{
  const char *text = isnan(x) ? "" : bp_data_category(r->data, column, (int64_t)x);
  char number[32];
  snprintf(number, sizeof number, "%.6g", (double)x);
  if (text)
    html_cell(&r->page, text);
  else
    html_number_cell(&r->page, number);
}

static void number_cell(report *r, const char *fmt, double x)
{
  char text[64];
  snprintf(text, sizeof text, fmt, x);
  html_number_cell(&r->page, text);
}

static void class_cells(report *r, int64_t row, const char *const *names)
{
  const bp_scores *s = r->worst.scores;
  int64_t says = report_said(s, row);
  html_cell(&r->page, names[bp_scores_label(s, row)]);
  html_cell(&r->page, names[says]);
  number_cell(r, "%.1f %%", 100 * (double)bp_scores_row(s, row)[says]);
}

/* Of several targets the two numbers of each. */
static void target_cells(report *r, int64_t row)
{
  const bp_scores *s = r->worst.scores;
  int64_t n = bp_scores_outputs(s);
  for (int64_t k = 0; k < n && k < MOST_TARGETS; k++) {
    number_cell(r, "%.5g", bp_scores_truth(s, row, k));
    number_cell(r, "%.5g", (double)bp_scores_row(s, row)[k]);
  }
  if (n == 1)
    number_cell(r, "%.4g", fabs((double)bp_scores_row(s, row)[0] - bp_scores_truth(s, row, 0)));
}

static void label_cells(report *r, int64_t row, const char *const *names)
{
  for (int predicted = 0; predicted < 2; predicted++) {
    html_raw(&r->page, "<td>");
    labels_text(r, &r->worst, row, predicted, names);
    html_raw(&r->page, "</td>");
  }
  number_cell(r, "%.3g", bp_scores_loss(r->worst.scores, row));
}

static void answer_cells(report *r, int64_t row, const char *const *names)
{
  if (r->task == BP_TASK_CLASSES)
    class_cells(r, row, names);
  else if (r->task == BP_TASK_LABELS)
    label_cells(r, row, names);
  else
    target_cells(r, row);
}

static void answer_heads(report *r, const char *const *names)
{
  html *h = &r->page;
  int64_t n = bp_net_outputs(r->net);
  bool several = r->task == BP_TASK_NUMBERS && n > 1;
  for (int64_t k = 0; k < n && k < MOST_TARGETS && several; k++) {
    html_raw(h, "<th class=\"n\">");
    html_textf(h, "%.200s", names[k]);
    html_raw(h, "</th><th class=\"n\">predicted</th>");
  }
  const char *number = r->task == BP_TASK_NUMBERS ? " class=\"n\"" : "";
  if (!several)
    html_raw(h, "<th%s>true</th><th%s>predicted</th><th class=\"n\">%s</th>", number, number,
             r->task == BP_TASK_CLASSES   ? "how sure"
             : r->task == BP_TASK_NUMBERS ? "off by"
                                          : "log loss");
}

static void column_heads(report *r, int64_t most)
{
  for (int64_t c = 0; c < most; c++) {
    html_raw(&r->page, bp_data_category(r->data, c, 0) ? "<th>" : "<th class=\"n\">");
    if (*column_name(r, c))
      html_text(&r->page, column_name(r, c));
    else
      html_raw(&r->page, "%lld", (long long)c + 1);
    html_raw(&r->page, "</th>");
  }
}

static bp_status write_table(report *r, const char *const *names)
{
  html *h = &r->page;
  int64_t cols = bp_data_cols(r->data), most = cols < MOST_COLUMNS ? cols : MOST_COLUMNS;
  float *x = malloc((size_t)cols * sizeof *x);
  html_raw(h, "<div class=\"wide\"><table><thead><tr><th class=\"n\">row</th>");
  answer_heads(r, names);
  column_heads(r, most);
  html_raw(h, "</tr></thead><tbody>\n");
  for (int i = 0; x && i < r->worst.n && i < MOST_ROWS && bp_data_row(r->worst.data, i, x) == BP_OK; i++) {
    html_raw(h, "<tr><td class=\"n\">%lld</td>", (long long)r->worst.at[i] + 1);
    answer_cells(r, i, names);
    for (int64_t c = 0; c < most; c++)
      value_cell(r, c, x[c]);
    html_raw(h, "</tr>\n");
  }
  html_raw(h, "</tbody></table></div>\n");
  if (most < cols)
    html_raw(h, "<p class=\"note\">The first %d of %lld columns.</p>\n", MOST_COLUMNS, (long long)cols);
  free(x);
  return x ? BP_OK : BP_E_NOMEM;
}

static bool has_mistakes(const report *r)
{
  return r->scores && bp_scores_rows(r->scores) > 0;
}

static bp_status write_mistakes(report *r)
{
  const char **names = report_names(r);
  bp_status st = names ? BP_OK : BP_E_NOMEM;
  if (st == BP_OK && r->worst.n == 0)
    html_raw(&r->page, "<p>There are none: every row is right.</p>\n");
  else if (st == BP_OK)
    st = r->image[0] ? write_tiles(r, names) : write_table(r, names);
  if (st == BP_OK && r->worst.n && r->task == BP_TASK_NUMBERS && bp_net_outputs(r->net) > 1)
    html_raw(&r->page, "<p class=\"note\">The rows furthest off, each target measured by its RMSE.</p>\n");
  free(names);
  return st;
}

/* ---- what speaks for a class ---- */

static bool has_saliency(const report *r)
{
  return r->scores && r->image[0] && r->task == BP_TASK_CLASSES && bp_scores_rows(r->scores) > 0;
}

/* Of each class, the row that the network is surest of. */
static int surest_rows(const report *r, int64_t *at, int64_t *which)
{
  int n = 0;
  const bp_scores *s = r->some.scores;
  for (int64_t k = 0; k < bp_scores_outputs(s) && n < MOST_SALIENT; k++) {
    int64_t best = -1;
    for (int64_t i = 0; i < bp_scores_rows(s); i++)
      if (bp_scores_label(s, i) == k && report_said(s, i) == k &&
          (best < 0 || bp_scores_row(s, i)[k] > bp_scores_row(s, best)[k]))
        best = i;
    if (best >= 0) {
      at[n] = best;
      which[n++] = k;
    }
  }
  return n;
}

/* The image in grey, and over it what more would speak for the class (blue) or against it (orange). */
static void colour_slopes(const report *r, const float *slope, const unsigned char *pixels,
                          unsigned char *rgb)
{
  static const float colour[2][3] = {{64, 150, 255}, {255, 140, 40}};
  int64_t channels = r->image[2], n = r->image[0] * r->image[1];
  float most = 0;
  for (int64_t i = 0; i < n * channels; i++)
    most = fabsf(slope[i]) > most ? fabsf(slope[i]) : most;
  for (int64_t i = 0; i < n; i++) {
    float sum = 0, grey = 0;
    for (int64_t c = 0; c < channels; c++) {
      sum += slope[i * channels + c] / (float)channels;
      grey += (float)pixels[i * channels + c] / (float)channels;
    }
    float share = most > 0 ? fminf(1, fabsf(sum) / most) : 0;
    for (int c = 0; c < 3; c++)
      rgb[3 * i + c] = (unsigned char)lroundf(0.45f * grey * (1 - share) + colour[sum < 0][c] * share);
  }
}

static bp_status write_pair(report *r, int64_t row, const float *slope, const char *const *names)
{
  int64_t n = r->image[0] * r->image[1], wide[3] = {r->image[0], r->image[1], 3};
  unsigned char *pixels = calloc((size_t)n, (size_t)r->image[2]), *rgb = malloc((size_t)n * 3);
  bool good = pixels && rgb && pixels_of(r, &r->some, row, pixels);
  if (good) {
    colour_slopes(r, slope, pixels, rgb);
    html_raw(&r->page, "<figure class=\"tile pair\">");
    html_image(&r->page, r->ctx, pixels, r->image, "the image");
    html_image(&r->page, r->ctx, rgb, wide, "what in it speaks for its class");
    caption(r, &r->some, row, names);
    html_raw(&r->page, "</figure>\n");
  }
  free(pixels);
  free(rgb);
  return good ? BP_OK : BP_E_NOMEM;
}

static bp_status write_saliency(report *r)
{
  int64_t at[MOST_SALIENT], which[MOST_SALIENT], cols = bp_net_inputs(r->net);
  int n = surest_rows(r, at, which);
  const char **names = report_names(r);
  float *slope = malloc((size_t)(MOST_SALIENT * cols) * sizeof *slope);
  bp_status st =
      names && slope ? bp_net_input_gradient(r->net, r->some.data, at, which, n, slope) : BP_E_NOMEM;
  html_raw(&r->page, "<p class=\"note\">The gradient of a class's score by the pixels, for the image of each "
                     "class that the network is "
                     "surest of. Blue: brighter here would speak for the class; orange: against "
                     "it.</p>\n<div class=\"tiles\">\n");
  for (int i = 0; st == BP_OK && i < n; i++)
    st = write_pair(r, at[i], slope + i * cols, names);
  html_raw(&r->page, "</div>\n");
  free(names);
  free(slope);
  return st;
}

const report_section report_rows[] = {
    {"mistakes", "Worst mistakes", has_mistakes, write_mistakes},
    {"saliency", "What speaks for a class", has_saliency, write_saliency},
    {NULL, NULL, NULL, NULL},
};

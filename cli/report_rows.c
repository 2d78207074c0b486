/* Single rows in a report: the worst mistakes, and what in an image speaks for its class. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 24, MOST_ROWS = 15, MOST_COLUMNS = 12, MOST_SALIENT = 10 };

/* ---- which ---- */

static int64_t said(const report *r, int64_t row)
{
  const float *p = bp_scores_row(r->scores, row);
  int64_t best = 0;
  for (int64_t k = 1; k < bp_scores_outputs(r->scores); k++)
    best = p[k] > p[best] ? k : best;
  return best;
}

static bool is_wrong(const report *r, int64_t row)
{
  if (r->task == BP_TASK_NUMBERS)
    return true;
  if (r->task == BP_TASK_CLASSES)
    return said(r, row) != bp_scores_label(r->scores, row);
  for (int64_t k = 0; k < bp_scores_outputs(r->scores); k++)
    if ((bp_scores_row(r->scores, row)[k] > 0.5f) != (bp_scores_truth(r->scores, row, k) > 0.5))
      return true;
  return false;
}

/* Rows with the largest loss among those that are wrong, the worst first. Returns how many. */
static int worst_rows(const report *r, int64_t *at, int most)
{
  int n = 0;
  for (int64_t i = 0; i < bp_scores_rows(r->scores); i++) {
    double loss = bp_scores_loss(r->scores, i);
    if (!is_wrong(r, i) || isnan(loss) || (n == most && loss <= bp_scores_loss(r->scores, at[n - 1])))
      continue;
    int k = n < most ? n++ : n - 1;
    for (; k > 0 && loss > bp_scores_loss(r->scores, at[k - 1]); k--)
      at[k] = at[k - 1];
    at[k] = i;
  }
  return n;
}

/* ---- as pictures ---- */

/* Pixels of a row as bytes, white the largest of the row; its background black. */
static bool pixels_of(const report *r, int64_t row, unsigned char *out)
{
  int64_t n = r->image[0] * r->image[1] * r->image[2];
  float *x = malloc((size_t)bp_data_cols(r->data) * sizeof *x), lo = INFINITY, hi = -INFINITY;
  bool good = x && bp_data_row(r->data, row, x) == BP_OK;
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

static void caption(report *r, int64_t row, const char *const *names)
{
  const float *p = bp_scores_row(r->scores, row);
  html *h = &r->page;
  html_raw(h, "<figcaption>");
  if (r->task == BP_TASK_CLASSES) {
    int64_t is = bp_scores_label(r->scores, row), says = said(r, row);
    html_textf(h, "said %.200s, %.1f %%", names[says], 100 * (double)p[says]);
    html_raw(h, "<br>");
    if (says != is) {
      html_textf(h, "is %.200s, %.1f %%", names[is], 100 * (double)p[is]);
      html_raw(h, "<br>");
    }
  } else {
    html_textf(h, "predicted %.4g, true %.4g", (double)p[0], bp_scores_truth(r->scores, row, 0));
    html_raw(h, "<br>");
  }
  html_raw(h, "<span class=\"note\">row %lld</span></figcaption>", (long long)row + 1);
}

static bp_status write_tiles(report *r, const int64_t *at, int n, const char *const *names)
{
  html *h = &r->page;
  unsigned char *pixels = malloc((size_t)(r->image[0] * r->image[1] * r->image[2]));
  html_raw(h, "<div class=\"tiles\">\n");
  for (int i = 0; pixels && i < n; i++) {
    char alt[64];
    if (!pixels_of(r, at[i], pixels))
      break;
    snprintf(alt, sizeof alt, "the image of row %lld", (long long)at[i] + 1);
    html_raw(h, "<figure class=\"tile\">");
    html_image(h, r->ctx, pixels, r->image, alt);
    caption(r, at[i], names);
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

static void answer_cells(report *r, int64_t row, const char *const *names)
{
  const float *p = bp_scores_row(r->scores, row);
  char text[64];
  if (r->task == BP_TASK_CLASSES) {
    int64_t is = bp_scores_label(r->scores, row), says = said(r, row);
    html_cell(&r->page, names[is]);
    html_cell(&r->page, names[says]);
    snprintf(text, sizeof text, "%.1f %%", 100 * (double)p[says]);
    html_number_cell(&r->page, text);
    return;
  }
  snprintf(text, sizeof text, "%.5g", bp_scores_truth(r->scores, row, 0));
  html_number_cell(&r->page, text);
  snprintf(text, sizeof text, "%.5g", (double)p[0]);
  html_number_cell(&r->page, text);
  snprintf(text, sizeof text, "%.4g", sqrt(bp_scores_loss(r->scores, row)));
  html_number_cell(&r->page, text);
}

static bp_status write_table(report *r, const int64_t *at, int n, const char *const *names)
{
  html *h = &r->page;
  int64_t cols = bp_data_cols(r->data), most = cols < MOST_COLUMNS ? cols : MOST_COLUMNS;
  float *x = malloc((size_t)cols * sizeof *x);
  html_raw(h,
           "<div class=\"wide\"><table><thead><tr><th class=\"n\">row</th><th>true</th><th>predicted</th><th "
           "class=\"n\">%s</th>",
           r->task == BP_TASK_CLASSES ? "how sure" : "off by");
  for (int64_t c = 0; c < most; c++) {
    html_raw(h, "<th>");
    if (*column_name(r, c))
      html_text(h, column_name(r, c));
    else
      html_raw(h, "%lld", (long long)c + 1);
    html_raw(h, "</th>");
  }
  html_raw(h, "</tr></thead><tbody>\n");
  for (int i = 0; x && i < n && bp_data_row(r->data, at[i], x) == BP_OK; i++) {
    html_raw(h, "<tr><td class=\"n\">%lld</td>", (long long)at[i] + 1);
    answer_cells(r, at[i], names);
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
  int64_t at[MOST_IMAGES];
  const char **names = report_names(r);
  int n = worst_rows(r, at, r->image[0] ? MOST_IMAGES : MOST_ROWS);
  bp_status st = names ? BP_OK : BP_E_NOMEM;
  if (st == BP_OK && n == 0)
    html_raw(&r->page, "<p>There are none: every row is right.</p>\n");
  else if (st == BP_OK)
    st = r->image[0] ? write_tiles(r, at, n, names) : write_table(r, at, n, names);
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
  for (int64_t k = 0; k < bp_scores_outputs(r->scores) && n < MOST_SALIENT; k++) {
    int64_t best = -1;
    for (int64_t i = 0; i < bp_scores_rows(r->scores); i++)
      if (bp_scores_label(r->scores, i) == k && said(r, i) == k &&
          (best < 0 || bp_scores_row(r->scores, i)[k] > bp_scores_row(r->scores, best)[k]))
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
  bool good = pixels && rgb && pixels_of(r, row, pixels);
  if (good) {
    colour_slopes(r, slope, pixels, rgb);
    html_raw(&r->page, "<figure class=\"tile pair\">");
    html_image(&r->page, r->ctx, pixels, r->image, "the image");
    html_image(&r->page, r->ctx, rgb, wide, "what in it speaks for its class");
    caption(r, row, names);
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
  bp_status st = names && slope ? bp_net_input_gradient(r->net, r->data, at, which, n, slope) : BP_E_NOMEM;
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

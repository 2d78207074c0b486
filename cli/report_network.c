/* What a report tells of the network itself: its columns, its first layer, its plane, its card. */
#include "card.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMPORTANT = 30, MOST_COLUMNS = 300, REPEATS = 5, IMPORTANCE_ROWS = 1000 };

/* ---- importance ---- */

static bool has_importance(const report *r)
{
  return r->scores && !r->image[0] && bp_net_inputs(r->net) > 1 && bp_net_inputs(r->net) <= MOST_COLUMNS &&
         bp_scores_rows(r->scores) > 1;
}

static int most_first(const void *a, const void *b)
{
  double x = ((const bp_bar *)a)->value, y = ((const bp_bar *)b)->value;
  return (x < y) - (x > y);
}

static bp_status draw_importance(report *r, const bp_importance *found, char (*number)[32], bp_bar *bar)
{
  size_t n = (size_t)bp_net_inputs(r->net);
  bp_picture *p = NULL;
  for (size_t c = 0; c < n; c++) {
    const char *name = bp_net_col_name(r->net, (int64_t)c);
    snprintf(number[c], sizeof number[c], "column %u", (unsigned)c + 1);
    bar[c] = (bp_bar){*name ? name : number[c], found[c].mean, found[c].spread};
  }
  qsort(bar, n, sizeof *bar, most_first);
  bp_bars_options o = {.label = r->task == BP_TASK_NUMBERS ? "RMSE gained by shuffling the column"
                                                           : "log loss gained by shuffling the column",
                       .width = 720};
  bp_status st = bp_bars(r->ctx, &o, bar, n < MOST_IMPORTANT ? n : MOST_IMPORTANT, &p);
  if (n > MOST_IMPORTANT)
    html_raw(&r->page, "<p class=\"note\">The %d most important of %zu columns.</p>\n", MOST_IMPORTANT, n);
  return report_draw(r, st, &p);
}

static bp_status write_importance(report *r)
{
  size_t n = (size_t)bp_net_inputs(r->net);
  bp_importance *found = calloc(n, sizeof *found);
  char(*number)[32] = calloc(n, sizeof *number);
  bp_bar *bar = calloc(n, sizeof *bar);
  double whole = NAN;
  bp_importance_options o = {.repeats = REPEATS, .rows = IMPORTANCE_ROWS};
  const bp_data *on = bp_data_file_bytes(r->data) ? r->some.data : r->data; /* it wants rows in memory */
  bp_status st = found && number && bar ? bp_net_importance(r->net, on, &o, found, &whole) : BP_E_NOMEM;
  if (st == BP_OK)
    html_raw(
        &r->page,
        "<p class=\"note\">How much worse predictions get when the values of a column are shuffled among the "
        "rows: "
        "mean and standard deviation of %d shuffles of at most %d rows. With nothing shuffled it is %.4g. "
        "Columns that say the same stand in for each other.</p>\n",
        REPEATS, IMPORTANCE_ROWS, whole);
  if (st == BP_OK)
    st = draw_importance(r, found, number, bar);
  free(found);
  free(number);
  free(bar);
  return st;
}

/* ---- templates and regions ---- */

static bool always(const report *r)
{
  (void)r;
  return true;
}

static bp_status write_templates(report *r)
{
  bp_picture *p = NULL;
  bp_status st = bp_templates(r->net, &(bp_templates_options){.most = 24}, &p);
  if (st == BP_E_UNSUPPORTED) {
    html_raw(&r->page, "<p>Its first layer is no matrix of weights by inputs.</p>\n");
    return BP_OK;
  }
  html_raw(&r->page, "<p class=\"note\">The weights of its strongest units, and below each the weight that "
                     "the next layer gives it.</p>\n");
  return report_draw(r, st, &p);
}

static bool has_plane(const report *r)
{
  return bp_net_inputs(r->net) == 2;
}

static bp_status write_regions(report *r)
{
  bp_picture *p = NULL;
  bp_status st = bp_regions(r->net, r->data, NULL, &p);
  if (st == BP_E_UNSUPPORTED) {
    html_raw(&r->page, "<p>One of its two inputs has categories.</p>\n");
    return BP_OK;
  }
  return report_draw(r, st, &p);
}

/* ---- the card ---- */

void report_targets(report *r)
{
  for (int64_t k = 0; *bp_net_target_at(r->net, k); k++) {
    html_text(&r->page, k ? ", " : "");
    html_text(&r->page, bp_net_target_at(r->net, k));
  }
}

static void card_row(report *r, const char *name, const char *value)
{
  html_raw(&r->page, "<tr>");
  html_cell(&r->page, name);
  html_cell(&r->page, value);
  html_raw(&r->page, "</tr>\n");
}

/* Lines of a note as one text, if it is there. */
static void note_row(report *r, const char *name, const char *note)
{
  const char *text = bp_net_note(r->net, note);
  if (!text || !*text)
    return;
  html_raw(&r->page, "<tr>");
  html_cell(&r->page, name);
  html_raw(&r->page, "<td>");
  for (const char *line = text; *line;) {
    size_t n = strcspn(line, "\n");
    html_textf(&r->page, "%.*s", (int)(n < 900 ? n : 900), line);
    line += n + (line[n] != 0);
    html_raw(&r->page, *line ? "<br>" : "");
  }
  html_raw(&r->page, "</td></tr>\n");
}

static void counted_rows(report *r)
{
  char text[64];
  const bp_epoch *epochs;
  int64_t frozen = 0, trained = bp_params_size(bp_net_params(r->net), &frozen),
          n = bp_net_history(r->net, &epochs);
  card_row(r, "network", bp_net_summary(r->net));
  card_row(r, "parameters", with_commas(trained + frozen, text));
  if (frozen)
    card_row(r, "of them frozen", with_commas(frozen, text));
  if (*bp_net_target(r->net)) {
    html_raw(&r->page, "<tr><td>learned to predict</td><td>");
    report_targets(r);
    html_raw(&r->page, "</td></tr>\n");
  }
  if (n)
    card_row(r, "epochs", with_commas(epochs[n - 1].epoch, text));
}

static bp_status write_card(report *r)
{
  html *h = &r->page;
  card_line l = {.rest = bp_net_note(r->net, CARD_NOTE)};
  html_raw(h, "<div class=\"wide\"><table><tbody>\n");
  card_row(r, "model file", r->s->inputs[0]);
  counted_rows(r);
  note_row(r, "data", "bprop.inputs");
  while (card_next(&l))
    card_row(r, l.name, l.value);
  note_row(r, "options", "bprop.options");
  note_row(r, "made by bprop", "bprop.program");
  card_row(r, "report by bprop", bp_version());
  html_raw(h, "</tbody></table></div>\n");
  return BP_OK;
}

const report_section report_network[] = {
    {"importance", "Importance of columns", has_importance, write_importance},
    {"regions", "Decision regions", has_plane, write_regions},
    {"templates", "What the first layer looks for", always, write_templates},
    {"card", "Model card", always, write_card},
    {NULL, NULL, NULL, NULL},
};

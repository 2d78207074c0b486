/* How well a network does, as tables. */
#include "eval_tell.h"
#include "dataset.h"
#include "measured.h"
#include "textgrid.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_CLASSES = 50, MOST_MATRIX = 20, MOST_CONFUSED = 10 };

/* ---- all metrics ---- */

static int tell_metrics(const judgement *j)
{
  textgrid g = {.columns = 2, .right = "lr"};
  double value;
  char text[METRIC_TEXT];
  grid_cell(&g, "metric");
  grid_cell(&g, "value");
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    if (!metric_of(j->scores, m, &value))
      continue;
    grid_cell(&g, "%s", m->title);
    grid_cell(&g, "%s", metric_text(m, value, text));
  }
  int end = grid_print(&g);
  grid_free(&g);
  return end;
}

/* ---- each class, each target ---- */

static void each_row(const judgement *j, int64_t k, textgrid *g)
{
  bp_class_count count;
  char text[METRIC_TEXT];
  grid_cell(g, "%s", output_text(j->net, k));
  if (bp_scores_count(j->scores, k, &count) == BP_OK)
    grid_cell(g, "%s", weight_text(count.actual, text));
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    double value = NAN;
    if (!metric_each(j->scores, m))
      continue;
    if (bp_scores_metric_of(j->scores, m->name, k, &value) != BP_OK)
      g->failed = true;
    grid_cell(g, "%s", metric_text(m, value, text));
  }
}

static int tell_each(const judgement *j)
{
  textgrid g = {.columns = 1, .right = "lrrrrrrrrrrrrrrr"};
  int64_t n = bp_scores_outputs(j->scores), shown_n = n > MOST_CLASSES ? MOST_CLASSES : n;
  bool numbers = bp_scores_task(j->scores) == BP_TASK_NUMBERS;
  if (n < 2)
    return END_DONE;
  grid_cell(&g, numbers ? "target" : "class");
  if (!numbers)
    grid_cell(&g, "rows");
  for (size_t i = 0; i < bp_metric_count(); i++)
    if (metric_each(j->scores, bp_metric_at(i)))
      grid_cell(&g, "%s", bp_metric_at(i)->title);
  g.columns = (int)g.n;
  for (int64_t k = 0; k < shown_n; k++)
    each_row(j, k, &g);
  answer("\n");
  int end = grid_print(&g);
  grid_free(&g);
  if (!end && n > shown_n)
    answer("and %lld more; --json has all\n", (long long)(n - shown_n));
  return end;
}

/* ---- confusion ---- */

static int tell_matrix(const judgement *j, const double *m, int64_t n)
{
  textgrid g = {.columns = (int)n + 1, .right = "lrrrrrrrrrrrrrrrrrrrr"};
  char text[METRIC_TEXT];
  grid_cell(&g, "true \\ predicted");
  for (int64_t k = 0; k < n; k++)
    grid_cell(&g, "%.12s", class_text(j->net, k));
  for (int64_t i = 0; i < n; i++) {
    grid_cell(&g, "%s", class_text(j->net, i));
    for (int64_t k = 0; k < n; k++)
      grid_cell(&g, "%s", m[i * n + k] != 0 ? weight_text(m[i * n + k], text) : ".");
  }
  answer("\n");
  int end = grid_print(&g);
  grid_free(&g);
  return end;
}

/* The most frequent mistakes, where the matrix is too large to look at. */
static int tell_mistakes(const judgement *j, double *m, int64_t n)
{
  textgrid g = {.columns = 3, .right = "llr"};
  char text[METRIC_TEXT];
  grid_cell(&g, "true");
  grid_cell(&g, "taken for");
  grid_cell(&g, "rows");
  for (int shown_n = 0; shown_n < MOST_CONFUSED; shown_n++) {
    int64_t best = -1;
    for (int64_t i = 0; i < n * n; i++)
      if (i / n != i % n && m[i] > 0 && (best < 0 || m[i] > m[best]))
        best = i;
    if (best < 0)
      break;
    grid_cell(&g, "%s", class_text(j->net, best / n));
    grid_cell(&g, "%s", class_text(j->net, best % n));
    grid_cell(&g, "%s", weight_text(m[best], text));
    m[best] = 0;
  }
  answer("\n");
  int end = grid_print(&g);
  grid_free(&g);
  return end;
}

static int tell_confusion(const judgement *j)
{
  int64_t n = bp_scores_outputs(j->scores);
  double *m;
  if (bp_scores_task(j->scores) != BP_TASK_CLASSES || n > CONFUSION_MOST)
    return END_DONE;
  m = malloc((size_t)(n * n) * sizeof *m);
  int end = m && bp_scores_confusion(j->scores, m) == BP_OK ? END_DONE : fail_memory();
  if (!end)
    end = n <= MOST_MATRIX ? tell_matrix(j, m, n) : tell_mistakes(j, m, n);
  free(m);
  return end;
}

/* ---- groups ---- */

static void group_row(textgrid *g, const char *name, const bp_scores *some)
{
  char text[METRIC_TEXT], rows[32];
  grid_cell(g, "%s", name);
  grid_cell(g, "%s", with_commas(bp_scores_rows(some), rows));
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    double value;
    if (!metric_of_groups(m, bp_scores_task(some)))
      continue;
    if (bp_scores_metric(some, m->name, &value) != BP_OK)
      g->failed = true;
    grid_cell(g, "%s", metric_text(m, value, text));
  }
}

static int tell_groups(const judgement *j)
{
  textgrid g = {.columns = 1, .right = "lrrrrrrrrrrr"};
  if (!j->groups.n)
    return END_DONE;
  grid_cell(&g, "%s", j->s->by);
  grid_cell(&g, "rows");
  for (size_t i = 0; i < bp_metric_count(); i++)
    if (metric_of_groups(bp_metric_at(i), bp_scores_task(j->scores)))
      grid_cell(&g, "%s", bp_metric_at(i)->title);
  g.columns = (int)g.n;
  for (int k = 0; k < j->groups.n; k++)
    group_row(&g, j->groups.name[k], j->of[k]);
  group_row(&g, "all", j->scores);
  answer("\n");
  int end = grid_print(&g);
  grid_free(&g);
  return end;
}

int eval_tell(const judgement *j)
{
  const bp_metrics *m = &j->m;
  char rows[32];
  metrics_answer("", m);
  if (j->s->quiet)
    return END_DONE;
  if (isnan(m->accuracy))
    answer("baseline (always the mean) RMSE %.4g, %s rows\n\n", m->baseline, with_commas(m->rows, rows));
  else
    answer("baseline (always the most common class) %.1f %%, %s rows\n\n", 100 * m->baseline,
           with_commas(m->rows, rows));
  int end = tell_metrics(j);
  if (!end)
    end = tell_each(j);
  if (!end)
    end = tell_confusion(j);
  return end ? end : tell_groups(j);
}

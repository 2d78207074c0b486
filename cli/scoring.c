/* Scores of all rows, added up block by block. */
#include "scoring.h"
#include "dataset.h"
#include "measured.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 64 };

/* Of a row: predictions, what is true, its loss, its weight. */
static double bytes_of_row(const bp_net *net)
{
  double outputs = (double)bp_net_outputs(net);
  return 4 * (outputs + (bp_net_task(net) == BP_TASK_CLASSES ? 1 : outputs) + 2);
}

static void tell_left_out(bp_task task, double bytes)
{
  char list[200] = "";
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    size_t n = strlen(list);
    if (m->ranked && (m->tasks & (unsigned)task))
      snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", m->title);
  }
  say("left out: %s; for these the predictions of all rows are needed, %.3g GB, and the memory for data "
      "(--memory) is less",
      list, bytes / 1e9);
}

bool scores_fit(const settings *s, const bp_net *net, int64_t rows, int copies)
{
  double bytes = (double)rows * copies * bytes_of_row(net);
  bool fit = bytes <= (double)memory_for_data(s);
  if (!fit)
    tell_left_out(bp_net_task(net), bytes);
  return fit;
}

int scores_open(bp_ctx *ctx, const bp_net *net, bool few, bool keep, bp_scores **out)
{
  bp_task task = bp_net_task(net);
  const char *names[MOST_NAMES + 1] = {0};
  int n = 0;
  for (size_t i = 0; i < bp_metric_count() && n < MOST_NAMES; i++) {
    const bp_metric *m = bp_metric_at(i);
    bool wanted = few ? metric_of_groups(m, task) : (m->tasks & (unsigned)task) != 0;
    if (wanted && (keep || !m->ranked))
      names[n++] = m->name;
  }
  bp_status st = bp_scores_open(ctx, task, bp_net_outputs(net), names, out);
  return st == BP_OK ? END_DONE : fail_status(st, END_RESOURCES);
}

bp_status scores_take(void *user, const bp_scores *block, int64_t first)
{
  (void)first;
  return bp_scores_add(user, block, NULL, 0);
}

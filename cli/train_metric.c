/* The metric that a training watches and tells. */
#include "train_job.h"

#include <stdio.h>
#include <string.h>

static const char by_loss[] = "loss";

/* The names that --metric takes, of a task, or (0) of any. */
static void list_metrics(unsigned task, char *out, size_t size)
{
  snprintf(out, size, "%s", by_loss);
  for (size_t i = 0; i < bp_metric_count(); i++) {
    const bp_metric *m = bp_metric_at(i);
    size_t n = strlen(out);
    if (!task || (m->tasks & task))
      snprintf(out + n, size - n, ", %s", m->name);
  }
}

static int none_such(unsigned task)
{
  char list[800];
  const char *why = bp_error();
  list_metrics(task, list, sizeof list);
  return fail(END_USAGE, "--metric: %s%s There are %s", why, why[strlen(why) - 1] == '?' ? "" : ".", list);
}

const char *train_metric_asked(const settings *s)
{
  return s->metric && strcmp(s->metric, by_loss) != 0 ? s->metric : NULL;
}

int train_metric_check(const settings *s)
{
  if (!s->metric)
    return END_DONE;
  if (!s->valid.n && s->valid.fraction <= 0 && !s->folds)
    return fail(END_USAGE, "--metric: is measured on validation rows, and --valid 0 leaves none");
  return train_metric_asked(s) && !bp_metric_find(s->metric, NULL) ? none_such(0) : END_DONE;
}

int train_metric_fits(train_job *j)
{
  bp_task task = bp_net_task(j->net);
  const char *name = train_metric_asked(j->s);
  const bp_metric *m = name ? bp_metric_find(name, NULL) : NULL;
  char list[800];
  if (!m || (m->tasks & (unsigned)task))
    return END_DONE;
  list_metrics((unsigned)task, list, sizeof list);
  return fail(END_USAGE, "--metric: %s is not for %s. There are %s", name,
              task == BP_TASK_NUMBERS   ? "numbers"
              : task == BP_TASK_CLASSES ? "classes"
                                        : "labels",
              list);
}

const char *train_metric(const train_job *j)
{
  const char *name = train_metric_asked(j->s);
  return name ? name : bp_net_task(j->net) == BP_TASK_NUMBERS ? "r2" : "accuracy";
}

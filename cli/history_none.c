/* A program built without SQLite keeps no history. */
#include "cmd.h"
#include "history.h"

#include <string.h>

history *history_begin(const settings *s, const history_run *run)
{
  (void)run;
  if (s->runs && strcmp(s->runs, HISTORY_OFF) != 0)
    say("warning: this run is not in the history: bprop was built without SQLite");
  return NULL;
}

void history_add_epoch(history *h, const history_epoch *e)
{
  (void)h, (void)e;
}

void history_add_metric(history *h, const char *of, const char *name, double value)
{
  (void)h, (void)of, (void)name, (void)value;
}

int64_t history_end(history *h, const char *status, int64_t best_epoch, const char *message)
{
  (void)h, (void)status, (void)best_epoch, (void)message;
  return 0;
}

int cmd_runs(const settings *s)
{
  (void)s;
  return fail(END_USAGE,
              "runs: there is no history: bprop was built without SQLite (Debian: libsqlite3-dev)");
}

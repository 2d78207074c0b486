/* A program built without SQLite keeps no history. */
#include "cmd.h"
#include "history.h"
#include "study.h"

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

/* ---- searches: they work, but for going on later ---- */

int64_t study_begin(const settings *s, const char *line, const char *given, const char *inputs)
{
  (void)s, (void)line, (void)given, (void)inputs;
  return 0;
}

void study_tell(const settings *s, int64_t id, const char *status, double seconds)
{
  (void)s, (void)id, (void)status, (void)seconds;
}

int study_find(const settings *s, const char *word, study *out)
{
  (void)s, (void)word, (void)out;
  return fail(END_USAGE,
              "--resume: there is no history: bprop was built without SQLite (Debian: libsqlite3-dev)");
}

void study_free(study *st)
{
  (void)st;
}

int study_rungs(const settings *s, int64_t id, void (*fn)(void *user, const study_rung *r), void *user)
{
  (void)s, (void)id, (void)fn, (void)user;
  return END_DONE;
}

void study_result(const settings *s, int64_t run, char text[96])
{
  (void)s, (void)run;
  text[0] = 0;
}

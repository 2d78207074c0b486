/* Searches in the history. */
#include "runs_read.h"
#include "study.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

/* NULL: there is no history, or it cannot be used. */
static sqlite3 *open_history(const settings *s, bool tell)
{
  char path[HISTORY_PATH], why[512];
  sqlite3 *db = NULL;
  if (s->runs && !strcmp(s->runs, HISTORY_OFF))
    return NULL;
  if (!history_path(s, path))
    snprintf(path, sizeof path, "~/.local/share/bprop/runs.db"),
        snprintf(why, sizeof why, "there is no HOME");
  else
    history_open(path, true, WAIT_MS, &db, why, sizeof why);
  if (!db && tell)
    say("warning: this study is not in the history: %s: %s", path, why);
  return db;
}

int64_t study_begin(const settings *s, const char *line, const char *given, const char *inputs)
{
  sqlite3 *db = open_history(s, true);
  process_id self = process_self();
  int64_t id = 0;
  char *folder = getcwd(NULL, 0);
  double now = clock_now();
  if (db &&
      history_exec(db,
                   "INSERT INTO studies(started, heard, status, host, machine, pid, born, folder, command,"
                   " options, version, data) VALUES(?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "ffttiittttt", now, now, self.host, self.machine, self.pid, self.born, folder, line, given,
                   bp_version(), inputs) == SQLITE_OK)
    id = sqlite3_last_insert_rowid(db);
  free(folder);
  sqlite3_close(db);
  return id;
}

void study_tell(const settings *s, int64_t id, const char *status, double seconds)
{
  sqlite3 *db = id ? open_history(s, false) : NULL;
  process_id self = process_self();
  if (db)
    history_exec(
        db,
        "UPDATE studies SET heard = ?, status = ?, seconds = ?, host = ?, machine = ?, pid = ?, born = ?"
        " WHERE id = ?",
        "ftfttiii", clock_now(), status, seconds, self.host, self.machine, self.pid, self.born, id);
  sqlite3_close(db);
}

static char *text_at(sqlite3_stmt *q, int i)
{
  const unsigned char *text = sqlite3_column_text(q, i);
  return strdup(text ? (const char *)text : "");
}

static void process_at(sqlite3_stmt *q, int i, process_id *p)
{
  snprintf(p->host, sizeof p->host, "%s", (const char *)sqlite3_column_text(q, i));
  snprintf(p->machine, sizeof p->machine, "%s", (const char *)sqlite3_column_text(q, i + 1));
  p->pid = sqlite3_column_int64(q, i + 2);
  p->born = sqlite3_column_int64(q, i + 3);
}

static int read_study(sqlite3 *db, int64_t id, study *out)
{
  process_id who = {0};
  sqlite3_stmt *q =
      history_prepare(db,
                      "SELECT host, machine, pid, born, status, heard, seconds, folder, options, data"
                      " FROM studies WHERE id = ?",
                      "i", id);
  int end =
      q && sqlite3_step(q) == SQLITE_ROW ? END_DONE : fail(END_DATA, "there is no study %lld", (long long)id);
  if (!end) {
    process_at(q, 0, &who);
    const char *status = (const char *)sqlite3_column_text(q, 4);
    out->done = !strcmp(status, "done");
    if (!strcmp(status, "running") && process_lives(&who, sqlite3_column_double(q, 5)))
      end = fail(END_DATA, "study %lld is at work: process %lld on %s", (long long)id, (long long)who.pid,
                 who.host);
  }
  if (!end) {
    out->id = id;
    out->seconds = sqlite3_column_double(q, 6);
    out->folder = text_at(q, 7);
    out->options = text_at(q, 8);
    out->inputs = text_at(q, 9);
    end = out->folder && out->options && out->inputs ? END_DONE : fail_memory();
  }
  sqlite3_finalize(q);
  return end;
}

int study_find(const settings *s, const char *word, study *out)
{
  char *end;
  errno = 0;
  long long id = strtoll(word, &end, 10);
  *out = (study){0};
  if (errno || *end || id < 1)
    return fail(END_USAGE, "--resume: '%s' is not the number of a study", word);
  sqlite3 *db = open_history(s, true);
  if (!db)
    return fail(END_DATA, "without a history there is no study that could go on");
  int found = read_study(db, id, out);
  sqlite3_close(db);
  return found;
}

void study_free(study *st)
{
  free(st->folder);
  free(st->options);
  free(st->inputs);
  *st = (study){0};
}

void study_result(const settings *s, int64_t run, char text[96])
{
  sqlite3 *db = open_history(s, false);
  text[0] = 0;
  if (db)
    run_result(db, run, text);
  sqlite3_close(db);
}

static double number_at(sqlite3_stmt *q, int i)
{
  return sqlite3_column_type(q, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q, i);
}

int study_rungs(const settings *s, int64_t id, void (*fn)(void *user, const study_rung *r), void *user)
{
  sqlite3 *db = open_history(s, true);
  sqlite3_stmt *q =
      db ? history_prepare(db,
                           "SELECT trial, id, epochs, best_epoch, ifnull(CAST(r.name AS INTEGER), 0) - 1, "
                           "r.value, m.value, metric"
                           " FROM runs LEFT JOIN metrics r ON r.run = id AND r.part = 'rung'"
                           " LEFT JOIN metrics m ON m.run = id AND m.part = 'rung metric' AND m.name = r.name"
                           " WHERE study = ? ORDER BY trial, r.name",
                           "i", id)
         : NULL;
  int rc = SQLITE_ERROR;
  while (q && (rc = sqlite3_step(q)) == SQLITE_ROW)
    fn(user, &(study_rung){.trial = sqlite3_column_int64(q, 0),
                           .run = sqlite3_column_int64(q, 1),
                           .epochs = sqlite3_column_int64(q, 2),
                           .best_epoch = sqlite3_column_int64(q, 3),
                           .rung = sqlite3_column_int(q, 4),
                           .score = {number_at(q, 5), number_at(q, 6)},
                           .metric = (const char *)sqlite3_column_text(q, 7)});
  int end = rc == SQLITE_DONE ? END_DONE
                              : fail(END_DATA, "study %lld: %s", (long long)id,
                                     db ? sqlite3_errmsg(db) : "it cannot be read");
  sqlite3_finalize(q);
  sqlite3_close(db);
  return end;
}

#include "runs_read.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_WAIT_MS = 10000 };

/* ---- the database ---- */

int runs_open(const settings *s, bool write, sqlite3 **db)
{
  char path[HISTORY_PATH], why[512];
  *db = NULL;
  if (s->runs && !strcmp(s->runs, HISTORY_OFF))
    return fail(END_USAGE, "--runs: off keeps no history that could be looked at");
  if (!history_path(s, path))
    return fail(END_USAGE, "there is no HOME; name the history with --runs FILE");
  if (access(path, F_OK)) {
    if (s->runs || errno != ENOENT)
      return fail(END_DATA, "%s: %s", path, strerror(errno));
    say("%s: no run yet", path);
    return END_DONE;
  }
  int rc = history_open(path, write, READ_WAIT_MS, db, why, sizeof why);
  if (rc == SQLITE_SCHEMA) /* tables of an older program */
    rc = history_open(path, true, READ_WAIT_MS, db, why, sizeof why);
  return rc == SQLITE_OK ? END_DONE : fail(END_DATA, "%s: %s", path, why);
}

int runs_failed(sqlite3 *db)
{
  return fail(END_DATA, "%s: %s", sqlite3_db_filename(db, "main"), sqlite3_errmsg(db));
}

/* ---- a run ---- */

static char *text_at(sqlite3_stmt *q, int i)
{
  const unsigned char *text = sqlite3_column_text(q, i);
  return text ? strdup((const char *)text) : NULL;
}

static double real_at(sqlite3_stmt *q, int i)
{
  return sqlite3_column_type(q, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q, i);
}

static void word_at(sqlite3_stmt *q, int i, char *to, size_t size)
{
  const unsigned char *text = sqlite3_column_text(q, i);
  snprintf(to, size, "%s", text ? (const char *)text : "");
}

int run_next(sqlite3_stmt *q, run_row *r)
{
  int rc = sqlite3_step(q), i = 0;
  *r = (run_row){0};
  if (rc != SQLITE_ROW)
    return rc;
  r->id = sqlite3_column_int64(q, i++);
  r->started = real_at(q, i++);
  r->heard = real_at(q, i++);
  r->ended = real_at(q, i++);
  r->status = text_at(q, i++);
  r->message = text_at(q, i++);
  word_at(q, i++, r->who.host, sizeof r->who.host);
  word_at(q, i++, r->who.machine, sizeof r->who.machine);
  r->who.pid = sqlite3_column_int64(q, i++);
  r->who.born = sqlite3_column_int64(q, i++);
  char **texts[] = {&r->folder, &r->command, &r->options, &r->version, &r->data, &r->hash};
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
    *texts[k] = text_at(q, i++);
  r->rows = sqlite3_column_int64(q, i++);
  r->cols = sqlite3_column_int64(q, i++);
  r->model = text_at(q, i++);
  r->network = text_at(q, i++);
  r->metric = text_at(q, i++);
  int64_t *numbers[] = {&r->parameters, &r->seed, &r->epochs, &r->best_epoch, &r->study, &r->trial};
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
    *numbers[k] = sqlite3_column_int64(q, i++);
  if (r->status && !strcmp(r->status, "running") && !process_lives(&r->who, r->heard)) {
    free(r->status);
    r->status = strdup("lost");
  }
  return rc;
}

void run_free(run_row *r)
{
  char *texts[] = {r->status, r->message, r->folder, r->command, r->options, r->version,
                   r->data,   r->hash,    r->model,  r->network, r->metric};
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
    free(texts[k]);
  *r = (run_row){0};
}

int run_find(sqlite3 *db, const char *word, run_row *r)
{
  char *end;
  errno = 0;
  long long id = strtoll(word, &end, 10);
  *r = (run_row){0};
  if (errno || *end || id < 1)
    return fail(END_USAGE, "'%s' is not the number of a run (bprop runs lists them)", word);
  sqlite3_stmt *q = history_prepare(db, "SELECT " RUN_COLUMNS " FROM runs WHERE id = ?", "i", (int64_t)id);
  int rc = q ? run_next(q, r) : SQLITE_ERROR, done = rc == SQLITE_ROW ? END_DONE : END_DATA;
  if (rc == SQLITE_DONE)
    fail(END_DATA, "there is no run %lld (bprop runs lists them)", id);
  else if (rc != SQLITE_ROW)
    runs_failed(db);
  sqlite3_finalize(q);
  return done;
}

/* ---- in words ---- */

const char *time_text(double t, bool seconds, char text[32])
{
  time_t whole = (time_t)t;
  struct tm tm;
  text[0] = 0;
  if (localtime_r(&whole, &tm))
    strftime(text, 32, seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm);
  return text;
}

static int rank_of(const char *word, const char *const *order)
{
  int i = 0;
  while (order[i] && strcmp(order[i], word) != 0)
    i++;
  return i;
}

const char *run_result(sqlite3 *db, int64_t id, char text[96])
{
  static const char *const parts[] = {"test", "validation", "training", NULL};
  static const char *const names[] = {"accuracy", "rmse", "loss", NULL};
  int best = 1000;
  sqlite3_stmt *q = history_prepare(db, "SELECT part, name, value FROM metrics WHERE run = ?", "i", id);
  text[0] = 0;
  while (q && sqlite3_step(q) == SQLITE_ROW) {
    const char *of = (const char *)sqlite3_column_text(q, 0), *name = (const char *)sqlite3_column_text(q, 1);
    int rank = of && name ? 10 * rank_of(of, parts) + rank_of(name, names) : best;
    if (rank >= best)
      continue;
    best = rank;
    double x = sqlite3_column_double(q, 2);
    if (!strcmp(name, "accuracy"))
      snprintf(text, 96, "%s accuracy %.1f %%", of, 100 * x);
    else
      snprintf(text, 96, "%s %s %.4g", of, strcmp(name, "rmse") ? name : "RMSE", x);
  }
  sqlite3_finalize(q);
  return text;
}

/* ---- as JSON ---- */

static void json_pair(const char *key, const char *text)
{
  answer(",\"%s\":", key);
  json_text(text);
}

static void json_time(const char *key, double t)
{
  char text[64];
  time_t whole = (time_t)t;
  struct tm tm;
  if (isnan(t) || !gmtime_r(&whole, &tm))
    answer(",\"%s\":null", key);
  else if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
    answer(",\"%s\":\"%s.%03dZ\"", key, text, (int)(1000 * (t - (double)whole)));
}

static void json_metrics(sqlite3 *db, int64_t id)
{
  char of[64] = "";
  sqlite3_stmt *q =
      history_prepare(db, "SELECT part, name, value FROM metrics WHERE run = ? ORDER BY part, name", "i", id);
  answer(",\"metrics\":{");
  while (q && sqlite3_step(q) == SQLITE_ROW) {
    const char *now = (const char *)sqlite3_column_text(q, 0);
    if (strcmp(of, now) != 0) {
      answer(*of ? "},\"%s\":{" : "\"%s\":{", now);
      snprintf(of, sizeof of, "%s", now);
    } else {
      answer(",");
    }
    json_text((const char *)sqlite3_column_text(q, 1));
    answer(":");
    json_number(real_at(q, 2));
  }
  answer(*of ? "}}" : "}");
  sqlite3_finalize(q);
}

void run_json(sqlite3 *db, const run_row *r)
{
  answer("{\"schema\":1,\"run\":%lld", (long long)r->id);
  json_time("started", r->started);
  json_time("ended", r->ended);
  json_time("heard", r->heard);
  json_pair("status", r->status);
  json_pair("message", r->message);
  json_pair("host", r->who.host);
  json_pair("folder", r->folder);
  json_pair("command", r->command);
  json_pair("version", r->version);
  json_pair("data", r->data);
  json_pair("data_hash", r->hash);
  answer(",\"rows\":%lld,\"cols\":%lld", (long long)r->rows, (long long)r->cols);
  json_pair("model", r->model);
  json_pair("network", r->network);
  answer(",\"parameters\":%lld,\"seed\":%lld,\"epochs\":%lld,\"best_epoch\":%lld", (long long)r->parameters,
         (long long)r->seed, (long long)r->epochs, (long long)r->best_epoch);
  if (r->study)
    answer(",\"study\":%lld,\"trial\":%lld", (long long)r->study, (long long)r->trial);
  json_metrics(db, r->id);
}

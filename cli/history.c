/* Recording a run. */
#include "history.h"
#include "history_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FULL_CURVE = 10000, LAST_WAIT_MS = 10000, SOME_WAIT_MS = 20 };

typedef struct metric {
  char part[32], name[64];
  double value;
} metric;

struct history {
  char path[HISTORY_PATH];
  sqlite3 *db; /* NULL: not yet, or given up */
  bool given_up;
  int64_t id; /* 0: not written yet */
  process_id self;
  double started, tried; /* tried: last time of writing */
  char *folder;
  history_run run;       /* texts of its own */
  history_epoch *epochs; /* that wait */
  size_t n_epochs, room;
  int64_t last_epoch;
  metric *metrics;
  size_t n_metrics;
};

/* ---- what is remembered ---- */

static const char **texts_of(history_run *r, int i)
{
  const char **all[] = {&r->command, &r->options, &r->data, &r->hash, &r->model, &r->network, &r->metric};
  return i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

static bool copy_texts(history_run *r)
{
  bool good = true;
  const char **text;
  for (int i = 0; (text = texts_of(r, i)); i++)
    if (*text && !(*text = strdup(*text)))
      good = false;
  return good;
}

static void history_free(history *h)
{
  const char **text;
  for (int i = 0; (text = texts_of(&h->run, i)); i++)
    free((char *)*text);
  sqlite3_close(h->db);
  free(h->folder);
  free(h->epochs);
  free(h->metrics);
  free(h);
}

/* 1 to 10,000 all, then every 10th, from 100,000 every 100th, ...: at most 9,000 for each ten times as many. */
static bool belongs(int64_t epoch)
{
  int64_t every = 1;
  for (int64_t limit = FULL_CURVE; epoch > limit && limit < INT64_MAX / 10; limit *= 10)
    every *= 10;
  return epoch % every == 0;
}

/* ---- writing ---- */

/* One warning, and no more of it. */
static void give_up(history *h, const char *why)
{
  if (!h->given_up)
    say("warning: this run is not in the history: %s: %s (--runs FILE for another place, --runs off for "
        "none)",
        h->path, why);
  h->given_up = true;
  sqlite3_close(h->db);
  h->db = NULL;
}

static int insert_run(history *h)
{
  const history_run *r = &h->run;
  int rc = history_exec(
      h->db,
      "INSERT INTO runs(started, heard, status, host, machine, pid, born, folder, command, options, version,"
      " data, hash, rows, cols, model, network, parameters, seed, metric, study, trial)"
      " VALUES(?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?,"
      " ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), nullif(?, 0))",
      "ffttiitttt"
      "ttiittiitii",
      h->started, h->started, h->self.host, h->self.machine, h->self.pid, h->self.born, h->folder, r->command,
      r->options, bp_version(), r->data, r->hash, r->rows, r->cols, r->model, r->network, r->parameters,
      r->seed, r->metric, r->study, r->trial);
  if (rc == SQLITE_OK)
    h->id = sqlite3_last_insert_rowid(h->db);
  return rc;
}

/* A row that is there already belongs to this process now. */
static int continue_run(history *h)
{
  int rc = history_exec(
      h->db,
      "UPDATE runs SET status = 'running', ended = NULL, message = NULL, host = ?, machine = ?, pid = ?,"
      " born = ? WHERE id = ?",
      "ttiii", h->self.host, h->self.machine, h->self.pid, h->self.born, h->run.id);
  if (rc == SQLITE_OK)
    h->id = h->run.id;
  return rc;
}

static int insert_epochs(history *h)
{
  int rc = SQLITE_OK;
  sqlite3_stmt *q = history_prepare(h->db, "INSERT OR REPLACE INTO epochs VALUES(?, ?, ?, ?, ?, ?)", "");
  if (!q)
    return sqlite3_errcode(h->db);
  for (size_t i = 0; i < h->n_epochs && rc == SQLITE_OK; i++) {
    const history_epoch *e = &h->epochs[i];
    sqlite3_bind_int64(q, 1, h->id);
    sqlite3_bind_int64(q, 2, e->epoch);
    sqlite3_bind_double(q, 3, e->train_loss);
    sqlite3_bind_double(q, 4, e->valid_loss);
    sqlite3_bind_double(q, 5, e->valid_metric);
    sqlite3_bind_double(q, 6, e->seconds);
    sqlite3_step(q);
    rc = sqlite3_reset(q); /* the error of the step, if there was one */
  }
  sqlite3_finalize(q);
  return rc;
}

static int insert_metrics(history *h)
{
  int rc = SQLITE_OK;
  for (size_t i = 0; i < h->n_metrics && rc == SQLITE_OK; i++)
    rc = history_exec(h->db, "INSERT OR REPLACE INTO metrics VALUES(?, ?, ?, ?)", "ittf", h->id,
                      h->metrics[i].part, h->metrics[i].name, h->metrics[i].value);
  return rc;
}

/* Everything that waits, in one transaction: all of it or nothing. status: NULL while the run goes on. */
static int write_all(history *h, const char *status, int64_t best_epoch, const char *message)
{
  int64_t before = h->id;
  double now = clock_now();
  int rc = history_exec(h->db, "BEGIN IMMEDIATE", "");
  if (rc == SQLITE_OK && !h->id)
    rc = h->run.id ? continue_run(h) : insert_run(h);
  if (rc == SQLITE_OK)
    rc = insert_epochs(h);
  if (rc == SQLITE_OK && status)
    rc = insert_metrics(h);
  if (rc == SQLITE_OK)
    rc = history_exec(h->db, "UPDATE runs SET heard = ?, epochs = ? WHERE id = ?", "fii", now, h->last_epoch,
                      h->id);
  if (rc == SQLITE_OK && status)
    rc = history_exec(
        h->db, "UPDATE runs SET ended = ?, status = ?, message = ?, best_epoch = nullif(?, 0) WHERE id = ?",
        "fttii", now, status, message, best_epoch, h->id);
  if (rc == SQLITE_OK)
    rc = history_exec(h->db, "COMMIT", "");
  if (rc != SQLITE_OK) {
    h->id = before;
    history_exec(h->db, "ROLLBACK", "");
  } else {
    h->n_epochs = 0;
  }
  return rc;
}

static bool is_busy(int rc)
{
  return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
}

/* Another writer is waited for at the end alone: a training that goes on tries again later. */
static void write_now(history *h, const char *status, int64_t best_epoch, const char *message)
{
  char why[512];
  int wait = status ? LAST_WAIT_MS : SOME_WAIT_MS, rc = SQLITE_OK;
  if (h->given_up)
    return;
  if (!h->db)
    rc = history_open(h->path, true, wait, &h->db, why, sizeof why);
  if (rc == SQLITE_OK) {
    sqlite3_busy_timeout(h->db, wait);
    rc = write_all(h, status, best_epoch, message);
    if (rc != SQLITE_OK)
      snprintf(why, sizeof why, "%s", sqlite3_errstr(rc));
  }
  if (rc != SQLITE_OK && (status || !is_busy(rc)))
    give_up(h, why);
  h->tried = clock_now();
}

/* ---- the calls ---- */

history *history_begin(const settings *s, const history_run *run)
{
  if (s->runs && !strcmp(s->runs, HISTORY_OFF))
    return NULL;
  history *h = calloc(1, sizeof *h);
  if (!h)
    return NULL;
  h->run = *run;
  h->started = clock_now();
  h->self = process_self();
  h->folder = getcwd(NULL, 0);
  if (!copy_texts(&h->run)) {
    history_free(h);
    return NULL;
  }
  if (history_path(s, h->path)) {
    write_now(h, NULL, 0, NULL);
  } else {
    snprintf(h->path, sizeof h->path, "~/.local/share/bprop/runs.db");
    give_up(h, "there is no HOME");
  }
  return h;
}

void history_add_epoch(history *h, const history_epoch *e)
{
  if (!h || h->given_up)
    return;
  h->last_epoch = e->epoch;
  if (!belongs(e->epoch))
    return;
  if (h->n_epochs == h->room) {
    size_t room = h->room ? 2 * h->room : 64;
    history_epoch *more = realloc(h->epochs, room * sizeof *more);
    if (!more)
      return;
    h->epochs = more;
    h->room = room;
  }
  h->epochs[h->n_epochs++] = *e;
  if (clock_now() - h->tried >= 1)
    write_now(h, NULL, 0, NULL);
}

void history_add_metric(history *h, const char *of, const char *name, double value)
{
  if (!h)
    return;
  metric *more = realloc(h->metrics, (h->n_metrics + 1) * sizeof *more);
  if (!more)
    return;
  h->metrics = more;
  metric *m = &more[h->n_metrics++];
  snprintf(m->part, sizeof m->part, "%s", of);
  snprintf(m->name, sizeof m->name, "%s", name);
  m->value = value;
}

int64_t history_end(history *h, const char *status, int64_t best_epoch, const char *message)
{
  if (!h)
    return 0;
  write_now(h, status, best_epoch, message);
  if (h->db && clock_now() - h->started > 1) /* now waiting for the disk does not show */
    sqlite3_db_config(h->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  int64_t id = h->given_up ? 0 : h->id;
  history_free(h);
  return id;
}

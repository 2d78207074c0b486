#include "history_db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "bprp": a database of another program is left alone. */
#define APPLICATION 0x62707270

/* Each step takes the tables from one version (PRAGMA user_version) to the next. A step that was ever released is never changed. */
static const char *const steps[] = {
    "CREATE TABLE runs("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"                   /* a number is never given twice */
    " started REAL NOT NULL, heard REAL NOT NULL, ended REAL," /* seconds since 1970; heard: last written */
    " status TEXT NOT NULL, message TEXT,"
    " host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL," /* process_id */
    " folder TEXT, command TEXT, options TEXT, version TEXT NOT NULL,"
    " data TEXT, hash TEXT, rows INTEGER, cols INTEGER,"
    " model TEXT, network TEXT, parameters INTEGER, seed INTEGER, metric TEXT,"
    " epochs INTEGER NOT NULL DEFAULT 0, best_epoch INTEGER);"
    "CREATE TABLE epochs("
    " run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, epoch INTEGER NOT NULL,"
    " train_loss REAL, valid_loss REAL, valid_metric REAL, seconds REAL,"
    " PRIMARY KEY(run, epoch)) WITHOUT ROWID;"
    "CREATE TABLE metrics("
    " run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, part TEXT NOT NULL, name TEXT NOT NULL,"
    " value REAL, PRIMARY KEY(run, part, name)) WITHOUT ROWID;",

    "CREATE TABLE studies("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " started REAL NOT NULL, heard REAL NOT NULL, status TEXT NOT NULL, seconds REAL NOT NULL DEFAULT 0,"
    " host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL,"
    " folder TEXT, command TEXT, options TEXT, version TEXT NOT NULL, data TEXT);"
    "ALTER TABLE runs ADD COLUMN study INTEGER;"
    "ALTER TABLE runs ADD COLUMN trial INTEGER;"
    "CREATE INDEX runs_of_study ON runs(study, trial) WHERE study IS NOT NULL;",
};
enum { SCHEMA = sizeof steps / sizeof *steps };

/* ---- where ---- */

bool history_path(const settings *s, char path[HISTORY_PATH])
{
  const char *share = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
  int n = -1;
  if (s->runs)
    n = snprintf(path, HISTORY_PATH, "%s", s->runs);
  else if (share && share[0] == '/') /* a relative one is to be ignored, says the specification */
    n = snprintf(path, HISTORY_PATH, "%s/bprop/runs.db", share);
  else if (home && *home)
    n = snprintf(path, HISTORY_PATH, "%s/.local/share/bprop/runs.db", home);
  return n > 0 && n < HISTORY_PATH;
}

/* The folders above a file, private to the user where they are new. What fails is told by opening the file. */
static void make_folders(const char *path)
{
  char folder[HISTORY_PATH];
  snprintf(folder, sizeof folder, "%s", path);
  for (char *c = folder + 1; *c; c++)
    if (*c == '/') {
      *c = 0;
      mkdir(folder, 0700);
      *c = '/';
    }
}

/* ---- statements ---- */

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, const char *types, va_list va)
{
  sqlite3_stmt *q = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
  for (int i = 1; *types && rc == SQLITE_OK; types++, i++)
    if (*types == 'i')
      rc = sqlite3_bind_int64(q, i, va_arg(va, int64_t));
    else if (*types == 'f')
      rc = sqlite3_bind_double(q, i, va_arg(va, double));
    else
      rc = sqlite3_bind_text(q, i, va_arg(va, const char *), -1, SQLITE_TRANSIENT);
  if (rc == SQLITE_OK)
    return q;
  sqlite3_finalize(q);
  return NULL;
}

sqlite3_stmt *history_prepare(sqlite3 *db, const char *sql, const char *types, ...)
{
  va_list va;
  va_start(va, types);
  sqlite3_stmt *q = prepare(db, sql, types, va);
  va_end(va);
  return q;
}

int history_exec(sqlite3 *db, const char *sql, const char *types, ...)
{
  va_list va;
  va_start(va, types);
  sqlite3_stmt *q = prepare(db, sql, types, va);
  va_end(va);
  if (!q)
    return sqlite3_errcode(db);
  sqlite3_step(q);
  return sqlite3_finalize(q);
}

/* ---- opening ---- */

static int exec(sqlite3 *db, const char *sql)
{
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The answer of a statement that gives one number; -1 if it gives none. */
static int64_t number_of(sqlite3 *db, const char *sql, int *rc)
{
  sqlite3_stmt *q = NULL;
  int64_t x = -1;
  *rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
  if (*rc == SQLITE_OK) {
    int step = sqlite3_step(q);
    if (step == SQLITE_ROW)
      x = sqlite3_column_int64(q, 0);
    else if (step != SQLITE_DONE)
      *rc = step;
  }
  int end = sqlite3_finalize(q);
  *rc = *rc == SQLITE_OK ? end : *rc;
  return x;
}

/* SQLITE_MISUSE: not ours, or newer than this program; told in `why`. */
static int check_version(sqlite3 *db, int *version, char *why, size_t size)
{
  int rc;
  *version = (int)number_of(db, "PRAGMA user_version", &rc);
  if (rc != SQLITE_OK)
    return rc;
  int64_t application = number_of(db, "PRAGMA application_id", &rc);
  if (rc != SQLITE_OK)
    return rc;
  int64_t tables = number_of(db, "SELECT count(*) FROM sqlite_master", &rc);
  if (rc != SQLITE_OK)
    return rc;
  if (*version < 0 || (application != APPLICATION && (application || *version || tables))) {
    snprintf(why, size, "it is a database of another program");
    return SQLITE_MISUSE;
  }
  if (*version > SCHEMA) {
    snprintf(why, size,
             "it was written by a newer bprop (its tables are of version %d, and this one knows %d)",
             *version, SCHEMA);
    return SQLITE_MISUSE;
  }
  return SQLITE_OK;
}

/* Brings the tables up to date, looking again once nobody else can do the same. */
static int migrate(sqlite3 *db, char *why, size_t size)
{
  int version = 0, rc = exec(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK)
    rc = check_version(db, &version, why, size);
  for (; rc == SQLITE_OK && version < SCHEMA; version++)
    rc = exec(db, steps[version]);
  if (rc == SQLITE_OK) {
    char text[96];
    snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, SCHEMA);
    rc = exec(db, text);
  }
  if (rc == SQLITE_OK)
    rc = exec(db, "COMMIT");
  if (rc != SQLITE_OK) {
    if (!*why)
      snprintf(why, size, "%s", sqlite3_errmsg(db));
    exec(db, "ROLLBACK"); /* has an error of its own where the transaction is gone already */
  }
  return rc;
}

/* Write-ahead log: readers and one writer do not wait for each other, and a commit waits for no disk; after a power cut the last runs
 * may be missing, and the database is whole. Where it cannot be had (some network file systems) the old journal serves. */
static int set_up(sqlite3 *db, bool make, char *why, size_t size)
{
  int version, rc = check_version(db, &version, why, size);
  if (rc == SQLITE_OK && make && version < SCHEMA) {
    exec(db, "PRAGMA journal_mode = WAL");
    rc = migrate(db, why, size);
  } else if (rc == SQLITE_OK && version < SCHEMA) {
    rc = SQLITE_SCHEMA;
  }
  if (rc == SQLITE_OK)
    rc = exec(db, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
  return rc;
}

int history_open(const char *path, bool make, int wait_ms, sqlite3 **db, char *why, size_t size)
{
  int flags = make ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  *why = 0;
  if (make)
    make_folders(path);
  int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (*db) {
    sqlite3_busy_timeout(*db, wait_ms);
    /* Closing would wait for the disk; the log is written back when it has grown to 4 MB. */
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  }
  if (rc == SQLITE_OK)
    rc = set_up(*db, make, why, size);
  if (rc != SQLITE_OK) {
    if (!*why)
      snprintf(why, size, "%s", *db ? sqlite3_errmsg(*db) : "out of memory");
    sqlite3_close(*db);
    *db = NULL;
  }
  return rc;
}

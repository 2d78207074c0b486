/* The database behind the history: where it is, its tables, and waiting for other writers. */
#ifndef CLI_HISTORY_DB_H
#define CLI_HISTORY_DB_H

#include "options.h"

#include <sqlite3.h>

enum { HISTORY_PATH = 4096 };

/* Where the history is: --runs, or $XDG_DATA_HOME/bprop/runs.db, or ~/.local/share/bprop/runs.db. False: there is no place for one. */
bool history_path(const settings *s, char path[HISTORY_PATH]);

/* Opens it; `make`: with its folder and tables where they are missing, and tables of an older program brought up to date.
 * Returns an SQLite result code; on error *db is NULL and `why` says what is wrong. wait_ms: for other writers. */
int history_open(const char *path, bool make, int wait_ms, sqlite3 **db, char *why, size_t size);

/* A statement with values bound by type letters: i int64_t, f double (NAN is NULL), t text (may be NULL). NULL on error. */
sqlite3_stmt *history_prepare(sqlite3 *db, const char *sql, const char *types, ...);
/* Prepares, binds, runs to the end. SQLITE_OK or an error. */
int history_exec(sqlite3 *db, const char *sql, const char *types, ...);

/* This process, as others can ask after it. */
typedef struct process_id {
  char host[256];
  char machine[128]; /* this start of this kernel, and the namespace of process numbers */
  int64_t pid, born;
} process_id;

process_id process_self(void);
/* Whether a process that wrote `heard` (seconds since 1970) last is still there. */
bool process_lives(const process_id *p, double heard);

double clock_now(void); /* seconds since 1970 */

#endif

/* Runs as they come out of the history, for `bprop runs`. */
#ifndef CLI_RUNS_READ_H
#define CLI_RUNS_READ_H

#include "history_db.h"

typedef struct run_row {
  int64_t id, rows, cols, parameters, seed, epochs, best_epoch, study, trial; /* 0: not known */
  double started, heard, ended; /* seconds since 1970; ended: NAN while it runs */
  char *status, *message, *folder, *command, *options, *version, *data, *hash, *model, *network,
      *metric; /* NULL: not known */
  process_id who;
} run_row;

/* Opens the history to be read. *db stays NULL where there is none yet; that is told. END_DONE; END_DATA, told. */
int runs_open(const settings *s, bool write, sqlite3 **db);
/* END_DATA, told: what the database says. */
int runs_failed(sqlite3 *db);

/* Reads the next row of a statement that begins with RUN_COLUMNS. Returns an SQLite code. Freed with run_free. */
#define RUN_COLUMNS                                                                                  \
  "id, started, heard, ended, status, message, host, machine, pid, born, folder, command, options, " \
  "version, data, hash, "                                                                            \
  "rows, cols, model, network, metric, parameters, seed, epochs, best_epoch, study, trial"
int run_next(sqlite3_stmt *q, run_row *r);
void run_free(run_row *r);
/* A run by its number as it was typed. END_USAGE, END_DATA, told. */
int run_find(sqlite3 *db, const char *word, run_row *r);

/* What it reached, in words: "test accuracy 97.8 %"; "" where it never got so far. */
const char *run_result(sqlite3 *db, int64_t id, char text[96]);
/* Local time, "2026-11-26 20:39". */
const char *time_text(double t, bool seconds, char text[32]);
/* {"schema":1,"run":...} without the closing brace. */
void run_json(sqlite3 *db, const run_row *r);

/* The losses of n runs as one picture. END_...; told. */
int runs_draw(const settings *s, sqlite3 *db, const run_row *r, size_t n);
int runs_show(const settings *s, sqlite3 *db);
int runs_compare(const settings *s, sqlite3 *db);

#endif

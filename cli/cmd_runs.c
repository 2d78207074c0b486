/* The history of runs: listed, and its subjects found. */
#include "cmd.h"
#include "nearest.h"
#include "runs_read.h"
#include "stopwatch.h"
#include "textgrid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

/* Each word must be found in one of the texts of a run, in either case. */
static bool has_words(const settings *s, int first, const run_row *r)
{
  char of_study[40] = "";
  if (r->study)
    snprintf(of_study, sizeof of_study, "study=%lld", (long long)r->study);
  const char *texts[] = {r->status, r->data, r->model, r->network, r->command, of_study};
  for (int i = first; i < s->n_inputs; i++) {
    bool found = false;
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
      found = found || (texts[k] && strcasestr(texts[k], s->inputs[i]));
    if (!found)
      return false;
  }
  return true;
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void list_row(textgrid *g, sqlite3 *db, const run_row *r)
{
  char when[32], took[32] = "", result[96];
  double end = isnan(r->ended) ? r->heard : r->ended;
  grid_cell(g, "%lld", (long long)r->id);
  grid_cell(g, "%s", time_text(r->started, false, when));
  grid_cell(g, "%s", r->status ? r->status : "");
  grid_cell(g, "%s", r->data ? base_name(r->data) : "");
  grid_cell(g, "%.60s", r->network ? r->network : "");
  grid_cell(g, "%lld", (long long)r->epochs);
  grid_cell(g, "%s", end > r->started ? duration_text(end - r->started, took) : "");
  grid_cell(g, "%s", run_result(db, r->id, result));
}

static int list_runs(const settings *s, int first, sqlite3 *db)
{
  static const char *const head[] = {"run", "when", "status", "data", "network", "epochs", "time", "result"};
  textgrid g = {.columns = sizeof head / sizeof *head, .right = "r    rr"};
  int64_t shown_rows = 0;
  int rc = SQLITE_DONE;
  run_row r;
  sqlite3_stmt *q = history_prepare(db, "SELECT " RUN_COLUMNS " FROM runs ORDER BY id DESC", "");
  if (!q)
    return runs_failed(db);
  for (size_t i = 0; i < sizeof head / sizeof *head && !s->json; i++)
    grid_cell(&g, "%s", head[i]);
  while (shown_rows < s->lines && answer_goes_on() && (rc = run_next(q, &r)) == SQLITE_ROW) {
    if (has_words(s, first, &r)) {
      shown_rows++;
      if (s->json) {
        run_json(db, &r);
        answer("}\n");
      } else {
        list_row(&g, db, &r);
      }
    }
    run_free(&r);
  }
  bool bad = shown_rows < s->lines && answer_goes_on() && rc != SQLITE_DONE;
  int end = bad ? runs_failed(db) : END_DONE;
  sqlite3_finalize(q);
  if (!end && !shown_rows)
    say("no run%s", first < s->n_inputs ? " like that" : " yet");
  else if (!end)
    end = grid_print(&g);
  grid_free(&g);
  return end;
}

static int list_command(const settings *s, sqlite3 *db)
{
  return list_runs(s, s->n_inputs && !strcmp(s->inputs[0], "list"), db);
}

/* ---- forgetting ---- */

static int delete_runs(const settings *s, sqlite3 *db)
{
  int end = END_DONE;
  for (int i = 1; i < s->n_inputs && !end; i++) {
    run_row r;
    end = run_find(db, s->inputs[i], &r);
    if (!end && r.status && !strcmp(r.status, "running"))
      end = fail(END_DATA, "run %s is still running", s->inputs[i]);
    if (!end && history_exec(db, "DELETE FROM runs WHERE id = ?", "i", r.id) != SQLITE_OK)
      end = runs_failed(db);
    if (!end)
      say("run %lld is forgotten", (long long)r.id);
    run_free(&r);
  }
  return end;
}

/* ---- subjects ---- */

static const struct subject {
  const char *name;
  int (*run)(const settings *s, sqlite3 *db);
  int least, most; /* words after it */
  bool write, draws;
} subjects[] = {
    {"list", list_command, 0, -1, false, false},
    {"show", runs_show, 1, 1, false, true},
    {"compare", runs_compare, 2, 8, false, true},
    {"delete", delete_runs, 1, -1, true, false},
};

static const struct subject *subject_of(const settings *s)
{
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects && s->n_inputs; i++)
    if (!strcmp(subjects[i].name, s->inputs[0]))
      return &subjects[i];
  return &subjects[0];
}

static int check_subject(const settings *s, const struct subject *what)
{
  int words = s->n_inputs - 1; /* -1: nothing is named, and all are listed */
  if (words < what->least && what->least)
    return fail(END_USAGE, "runs %s: %s missing; bprop runs lists them", what->name,
                what->least == 1 ? "the number of a run is" : "the numbers of two runs are");
  if (what->most >= 0 && words > what->most)
    return fail(END_USAGE, "runs %s: '%s' is one run too many", what->name, s->inputs[1 + what->most]);
  if (s->output && !what->draws)
    return fail(END_USAGE, "-o: only show and compare draw a picture");
  return END_DONE;
}

int cmd_runs(const settings *s)
{
  const struct subject *what = subject_of(s);
  sqlite3 *db = NULL;
  int end = check_subject(s, what);
  if (!end)
    end = runs_open(s, what->write, &db);
  if (end || !db)
    return end;
  end = what->run(s, db);
  sqlite3_close(db);
  return end;
}

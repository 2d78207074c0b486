/* Runs side by side: what differs in their options and facts, and what they reached. */
#include "runs_read.h"
#include "textgrid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COMPARED = 8, VALUE = 128 };

typedef struct comparison {
  run_row run[MOST_COMPARED];
  int n;
} comparison;

/* A line of differences: what, and its value in each run. */
typedef struct line {
  char name[64];
  char value[MOST_COMPARED][VALUE];
} line;

static bool differs(const comparison *c, const line *l)
{
  for (int i = 1; i < c->n; i++)
    if (strcmp(l->value[0], l->value[i]) != 0)
      return true;
  return false;
}

/* ---- options ---- */

/* The values of an option in a configuration text: "a, b" where it stands twice, "-" where it has none. */
static void value_of(const char *text, const char *name, char *to)
{
  size_t n = strlen(name), used = 0;
  snprintf(to, VALUE, "-");
  for (const char *at = text ? text : ""; *at; at += strcspn(at, "\n"), at += *at == '\n')
    if (!strncmp(at, name, n) && !strncmp(at + n, " = ", 3) && used < VALUE) {
      const char *from = at + n + 3;
      used += (size_t)snprintf(to + used, VALUE - used, "%s%.*s", used ? ", " : "", (int)strcspn(from, "\n"),
                               from);
    }
}

/* The name that a line of such a text begins with; false where it is no `name = value`. */
static bool name_at(const char *at, char *name, size_t size)
{
  size_t n = strcspn(at, " \n");
  if (!n || n >= size || *at == '#' || strncmp(at + n, " = ", 3) != 0)
    return false;
  snprintf(name, size, "%.*s", (int)n, at);
  return true;
}

/* Whether the option was met before: in an earlier text, or earlier in this one. */
static bool met(const comparison *c, int run, const char *here, const char *name)
{
  size_t n = strlen(name);
  for (int i = 0; i <= run; i++)
    for (const char *at = c->run[i].options ? c->run[i].options : ""; *at && at != here;
         at += strcspn(at, "\n"), at += *at == '\n')
      if (!strncmp(at, name, n) && !strncmp(at + n, " = ", 3))
        return true;
  return false;
}

typedef void line_fn(void *user, const comparison *c, const line *l);

static void each_option(const comparison *c, line_fn *fn, void *user)
{
  line l;
  for (int run = 0; run < c->n; run++)
    for (const char *at = c->run[run].options ? c->run[run].options : ""; *at;
         at += strcspn(at, "\n"), at += *at == '\n')
      if (name_at(at, l.name, sizeof l.name) && !met(c, run, at, l.name)) {
        for (int i = 0; i < c->n; i++)
          value_of(c->run[i].options, l.name, l.value[i]);
        if (differs(c, &l))
          fn(user, c, &l);
      }
}

/* ---- facts ---- */

static void copy(char *to, const char *text)
{
  snprintf(to, VALUE, "%s", text && *text ? text : "-");
}

static void each_fact(const comparison *c, line_fn *fn, void *user)
{
  static const char *const names[] = {"data",    "data hash",  "rows",   "columns",
                                      "network", "parameters", "version"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    line l;
    snprintf(l.name, sizeof l.name, "%s", names[k]);
    for (int i = 0; i < c->n; i++) {
      const run_row *r = &c->run[i];
      char rows[32], cols[32], parameters[32];
      const char *texts[] = {r->data,
                             r->hash,
                             with_commas(r->rows, rows),
                             with_commas(r->cols, cols),
                             r->network,
                             with_commas(r->parameters, parameters),
                             r->version};
      copy(l.value[i], texts[k]);
    }
    if (differs(c, &l))
      fn(user, c, &l);
  }
}

/* ---- what they reached ---- */

static int each_metric(const comparison *c, sqlite3 *db, line_fn *fn, void *user)
{
  line l;
  int rc = SQLITE_ERROR;
  sqlite3_stmt *all = history_prepare(db, "SELECT DISTINCT part, name FROM metrics ORDER BY part, name", "");
  while (all && (rc = sqlite3_step(all)) == SQLITE_ROW) {
    const char *of = (const char *)sqlite3_column_text(all, 0),
               *name = (const char *)sqlite3_column_text(all, 1);
    bool any = false;
    snprintf(l.name, sizeof l.name, "%s %s", of, name);
    for (int i = 0; i < c->n; i++) {
      sqlite3_stmt *q =
          history_prepare(db, "SELECT value FROM metrics WHERE run = ? AND part = ? AND name = ?", "itt",
                          c->run[i].id, of, name);
      bool there = q && sqlite3_step(q) == SQLITE_ROW;
      if (there)
        snprintf(l.value[i], VALUE, "%.6g", sqlite3_column_double(q, 0));
      else
        copy(l.value[i], NULL);
      any = any || there;
      sqlite3_finalize(q);
    }
    if (any)
      fn(user, c, &l);
  }
  int end = rc == SQLITE_DONE ? END_DONE : runs_failed(db);
  sqlite3_finalize(all);
  return end;
}

/* Status, epochs and time: always told. */
static void each_end(const comparison *c, line_fn *fn, void *user)
{
  line l[3] = {{.name = "status"}, {.name = "epochs"}, {.name = "best epoch"}};
  for (int i = 0; i < c->n; i++) {
    copy(l[0].value[i], c->run[i].status);
    snprintf(l[1].value[i], VALUE, "%lld", (long long)c->run[i].epochs);
    snprintf(l[2].value[i], VALUE, "%lld", (long long)c->run[i].best_epoch);
  }
  for (size_t k = 0; k < 3; k++)
    fn(user, c, &l[k]);
}

/* ---- as text and as JSON ---- */

static void text_line(void *user, const comparison *c, const line *l)
{
  textgrid *g = user;
  grid_cell(g, "%s", l->name);
  for (int i = 0; i < c->n; i++)
    grid_cell(g, "%s", l->value[i]);
}

static void head(textgrid *g, const comparison *c, const char *title)
{
  grid_cell(g, "%s", title);
  for (int i = 0; i < c->n; i++)
    grid_cell(g, "run %lld", (long long)c->run[i].id);
}

static int compare_text(const comparison *c, sqlite3 *db)
{
  textgrid g = {.columns = 1 + c->n, .right = " rrrrrrrr"};
  head(&g, c, "");
  each_fact(c, text_line, &g);
  each_option(c, text_line, &g);
  each_end(c, text_line, &g);
  int end = each_metric(c, db, text_line, &g);
  if (!end)
    end = grid_print(&g);
  grid_free(&g);
  return end;
}

static void json_line(void *user, const comparison *c, const line *l)
{
  bool *first = user;
  answer(*first ? "" : ",");
  json_text(l->name);
  answer(":[");
  for (int i = 0; i < c->n; i++) {
    answer(i ? "," : "");
    json_text(strcmp(l->value[i], "-") ? l->value[i] : NULL);
  }
  answer("]");
  *first = false;
}

static int compare_json(const comparison *c, sqlite3 *db)
{
  bool first = true;
  answer("{\"schema\":1,\"runs\":[");
  for (int i = 0; i < c->n; i++)
    answer(i ? ",%lld" : "%lld", (long long)c->run[i].id);
  answer("],\"facts\":{");
  each_fact(c, json_line, &first);
  answer("},\"options\":{");
  first = true;
  each_option(c, json_line, &first);
  answer("},\"results\":{");
  first = true;
  each_end(c, json_line, &first);
  int end = each_metric(c, db, json_line, &first);
  answer("}}\n");
  return end;
}

int runs_compare(const settings *s, sqlite3 *db)
{
  comparison c = {.n = 0};
  int end = END_DONE;
  for (int i = 1; i < s->n_inputs && !end; i++) {
    end = run_find(db, s->inputs[i], &c.run[c.n]);
    c.n += end == END_DONE;
  }
  if (!end && s->output)
    end = runs_draw(s, db, c.run, (size_t)c.n);
  if (!end)
    end = s->json ? compare_json(&c, db) : compare_text(&c, db);
  for (int i = 0; i < c.n; i++)
    run_free(&c.run[i]);
  return end;
}

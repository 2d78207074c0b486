/* One run, whole; and the losses of runs as a picture. */
#include "context.h"
#include "picfile.h"
#include "runs_read.h"
#include "stopwatch.h"
#include "textgrid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_LINES = 12 };

/* ---- curves ---- */

typedef struct losses {
  double *epoch, *train, *valid, *metric;
  size_t n;
} losses;

static void losses_free(losses *c)
{
  free(c->epoch);
  free(c->train);
  free(c->valid);
  free(c->metric);
  *c = (losses){0};
}

static double *grown(double **x, size_t room)
{
  double *more = realloc(*x, room * sizeof *more);
  if (more)
    *x = more;
  return more;
}

static double column(sqlite3_stmt *q, int i)
{
  return sqlite3_column_type(q, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q, i);
}

static int losses_read(sqlite3 *db, int64_t id, losses *c)
{
  sqlite3_stmt *q = history_prepare(
      db, "SELECT epoch, train_loss, valid_loss, valid_metric FROM epochs WHERE run = ? ORDER BY epoch", "i",
      id);
  int rc = SQLITE_ERROR, end = END_DONE;
  size_t room = 0;
  *c = (losses){0};
  while (!end && q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    if (c->n == room) {
      room = room ? 2 * room : 256;
      if (!grown(&c->epoch, room) || !grown(&c->train, room) || !grown(&c->valid, room) ||
          !grown(&c->metric, room)) {
        end = fail_memory();
        break;
      }
    }
    c->epoch[c->n] = column(q, 0);
    c->train[c->n] = column(q, 1);
    c->valid[c->n] = column(q, 2);
    c->metric[c->n++] = column(q, 3);
  }
  if (!end && rc != SQLITE_DONE)
    end = runs_failed(db);
  sqlite3_finalize(q);
  return end;
}

static bool any_number(const double *x, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i]))
      return true;
  return false;
}

/* The validation loss as a line, the training loss in the same colour, dashed. */
static size_t add_series(bp_series *to, const losses *c, char (*label)[64], int64_t id, int colour)
{
  size_t n = 0;
  if (any_number(c->valid, c->n)) {
    snprintf(label[n], sizeof *label, "run %lld, validation", (long long)id);
    to[n] = (bp_series){label[n], c->epoch, c->valid, c->n, BP_STROKE_LINE, colour};
    n++;
  }
  snprintf(label[n], sizeof *label, "run %lld, training", (long long)id);
  to[n] = (bp_series){label[n], c->epoch, c->train, c->n, n ? BP_STROKE_DASHED : BP_STROKE_LINE, colour};
  return n + 1;
}

int runs_draw(const settings *s, sqlite3 *db, const run_row *r, size_t n)
{
  bp_ctx *ctx = context_new(s);
  losses *c = calloc(n, sizeof *c);
  bp_series *series = calloc(2 * n, sizeof *series);
  char(*label)[64] = calloc(2 * n, sizeof *label), what[64];
  int end = !ctx ? END_RESOURCES : !c || !series || !label ? fail_memory() : END_DONE;
  size_t m = 0;
  for (size_t i = 0; i < n && !end; i++) {
    end = losses_read(db, r[i].id, &c[i]);
    if (!end)
      m += add_series(series + m, &c[i], label + m, r[i].id, (int)i + 1);
  }
  if (!end) {
    bp_picture *picture = NULL;
    bp_status st = bp_plot(ctx, &(bp_plot_options){.x_label = "epoch", .y_label = "loss", .poles = true},
                           series, m, &picture);
    snprintf(what, sizeof what, "losses of %zu run%s", n, n == 1 ? "" : "s");
    end = picture_done(ctx, s, st, picture, END_DATA, what);
  }
  for (size_t i = 0; c && i < n; i++)
    losses_free(&c[i]);
  free(c);
  free(series);
  free(label);
  bp_ctx_free(ctx);
  return end;
}

/* ---- as text ---- */

static const char *known(const char *text)
{
  return text && *text ? shown(text) : "not known";
}

static void tell_end(const run_row *r)
{
  char when[32], took[32];
  double end = isnan(r->ended) ? r->heard : r->ended;
  answer("run %lld: %s", (long long)r->id, known(r->status));
  if (r->status && !strcmp(r->status, "lost"))
    answer(" (ended without a word, the last at %s)", time_text(r->heard, true, when));
  else if (r->status && !strcmp(r->status, "running"))
    answer(" (process %lld on %s, last word at %s)", (long long)r->who.pid, shown(r->who.host),
           time_text(r->heard, true, when));
  answer("\n");
  if (r->message)
    answer("  message  %s\n", shown(r->message));
  answer("  started  %s, took %s\n", time_text(r->started, true, when),
         duration_text(fmax(end - r->started, 1e-3), took));
}

static void tell_facts(const run_row *r)
{
  char a[32], b[32];
  answer("  command  %s\n", known(r->command));
  answer("  folder   %s\n", known(r->folder));
  answer("  data     %s: %s rows, %s columns", known(r->data), with_commas(r->rows, a),
         with_commas(r->cols, b));
  answer(r->hash ? "; hash %s\n" : "\n", r->hash ? shown(r->hash) : "");
  answer("  network  %s, %s parameters; seed %lld\n", known(r->network), with_commas(r->parameters, a),
         (long long)r->seed);
  answer("  model    %s\n", known(r->model));
  answer("  version  %s\n", known(r->version));
  if (r->study)
    answer("  study    %lld, trial %lld\n", (long long)r->study, (long long)r->trial);
}

static int tell_metrics(sqlite3 *db, int64_t id)
{
  sqlite3_stmt *q =
      history_prepare(db, "SELECT part, name, value FROM metrics WHERE run = ? ORDER BY part, name", "i", id);
  int rc = SQLITE_ERROR;
  char of[64] = "";
  while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    const char *now = (const char *)sqlite3_column_text(q, 0);
    if (strcmp(of, now) != 0) {
      answer("%s  %s", *of ? "\n" : "", shown(now));
      snprintf(of, sizeof of, "%s", now);
    } else {
      answer(",");
    }
    answer(" %s %.6g", shown((const char *)sqlite3_column_text(q, 1)), column(q, 2));
  }
  answer(*of ? "\n" : "");
  int end = rc == SQLITE_DONE ? END_DONE : runs_failed(db);
  sqlite3_finalize(q);
  return end;
}

static void curve_row(textgrid *g, const losses *c, size_t i, int64_t best)
{
  const double x[] = {c->train[i], c->valid[i], c->metric[i]};
  grid_cell(g, "%s%.0f", (int64_t)c->epoch[i] == best ? "best " : "", c->epoch[i]);
  for (size_t k = 0; k < 3; k++)
    if (isnan(x[k]))
      grid_cell(g, "-");
    else
      grid_cell(g, "%.4f", x[k]);
}

/* Some epochs, evenly, with the best and the last; with -v all. */
static int tell_curve(const settings *s, sqlite3 *db, const run_row *r)
{
  losses c;
  textgrid g = {.columns = 4, .right = "rrrr"};
  int end = losses_read(db, r->id, &c);
  if (!end && c.n) {
    grid_cell(&g, "epoch");
    grid_cell(&g, "train loss");
    grid_cell(&g, "valid loss");
    grid_cell(&g, "%s", r->metric ? r->metric : "metric");
    for (size_t i = 0, step = s->verbose ? 1 : (c.n + CURVE_LINES - 1) / CURVE_LINES; i < c.n; i++)
      if ((i + 1) % step == 0 || i + 1 == c.n || (int64_t)c.epoch[i] == r->best_epoch)
        curve_row(&g, &c, i, r->best_epoch);
    answer("\n");
    end = grid_print(&g);
  }
  grid_free(&g);
  losses_free(&c);
  return end;
}

/* ---- as JSON ---- */

static int json_curve(sqlite3 *db, const run_row *r)
{
  losses c;
  int end = losses_read(db, r->id, &c);
  answer(",\"metric\":");
  json_text(r->metric);
  answer(",\"options\":");
  json_text(r->options);
  answer(",\"curve\":[");
  for (size_t i = 0; i < c.n && !end; i++) {
    answer("%s{\"epoch\":%.0f,\"train_loss\":", i ? "," : "", c.epoch[i]);
    json_number(c.train[i]);
    answer(",\"valid_loss\":");
    json_number(c.valid[i]);
    answer(",\"valid_metric\":");
    json_number(c.metric[i]);
    answer("}");
  }
  answer("]}\n");
  losses_free(&c);
  return end;
}

static int show_text(const settings *s, sqlite3 *db, const run_row *r)
{
  tell_end(r);
  tell_facts(r);
  int end = tell_metrics(db, r->id);
  if (!end)
    end = tell_curve(s, db, r);
  if (!end && s->verbose && r->options)
    answer("\n%s", r->options);
  return end;
}

int runs_show(const settings *s, sqlite3 *db)
{
  run_row r;
  int end = run_find(db, s->inputs[1], &r);
  if (!end && s->output)
    end = runs_draw(s, db, &r, 1);
  if (!end && s->json) {
    run_json(db, &r);
    end = json_curve(db, &r);
  } else if (!end) {
    end = show_text(s, db, &r);
  }
  run_free(&r);
  return end;
}

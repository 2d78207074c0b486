/* Rows grouped by a column. */
#include "grouping.h"
#include "input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 12, RANGES = 5, MOST_CATEGORIES = 40 };

void grouping_free(grouping *g)
{
  for (int k = 0; g->name && k < g->n; k++)
    free(g->name[k]);
  free(g->name);
  free(g->of);
  *g = (grouping){0};
}

/* The next group; -1 when out of memory. */
static int add_group(grouping *g, const char *name)
{
  char **more = realloc(g->name, (size_t)(g->n + 1) * sizeof *more);
  if (!more)
    return -1;
  g->name = more;
  g->name[g->n] = strdup(name);
  return g->name[g->n] ? g->n++ : -1;
}

/* Rows without a value, in a group at the end. */
static int add_missing(grouping *g)
{
  int k = -1;
  for (int64_t i = 0; i < g->rows; i++)
    if (g->of[i] < 0) {
      k = k < 0 ? add_group(g, "(missing)") : k;
      if (k < 0)
        return fail_memory();
      g->of[i] = k;
    }
  return END_DONE;
}

/* ---- numbers ---- */

static int rising(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The values in order, without NaN; returns how many. */
static int64_t sorted_values(const double *v, int64_t n, double *out)
{
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++)
    if (!isnan(v[i]))
      out[m++] = v[i];
  qsort(out, (size_t)m, sizeof *out, rising);
  return m;
}

/* Ends of groups: a group for each value where they are few, else about as many rows in each. Returns how many. */
static int find_ends(const double *sorted, int64_t n, double end[MOST_VALUES], bool *single)
{
  int k = 0;
  *single = true;
  for (int64_t i = 0; i < n && *single; i++)
    if (i == 0 || sorted[i] != sorted[i - 1]) {
      *single = k < MOST_VALUES;
      if (*single)
        end[k++] = sorted[i];
    }
  if (*single)
    return k;
  k = 0;
  for (int r = 1; r <= RANGES; r++) {
    double at = sorted[(n * r + RANGES - 1) / RANGES - 1];
    if (k == 0 || at > end[k - 1])
      end[k++] = at;
  }
  return k;
}

static int name_ranges(grouping *g, const double *sorted, const double *end, int n, bool single)
{
  char text[96];
  for (int k = 0; k < n; k++) {
    if (single)
      snprintf(text, sizeof text, "%.12g", end[k]);
    else
      snprintf(text, sizeof text, "%s%.4g to %.4g", k ? "over " : "", k ? end[k - 1] : sorted[0], end[k]);
    if (add_group(g, text) < 0)
      return fail_memory();
  }
  return END_DONE;
}

static int group_values(grouping *g, const double *v)
{
  double end[MOST_VALUES], *sorted = malloc((size_t)g->rows * sizeof *sorted + 1);
  bool single;
  if (!sorted)
    return fail_memory();
  int64_t m = sorted_values(v, g->rows, sorted);
  int n = find_ends(sorted, m, end, &single), failed = name_ranges(g, sorted, end, n, single);
  free(sorted);
  for (int64_t i = 0; i < g->rows && !failed; i++) {
    int k = 0;
    while (k < n && !(v[i] <= end[k]))
      k++;
    g->of[i] = k < n ? k : -1;
  }
  return failed;
}

static int group_numbers(grouping *g, const bp_table *t, int column, const char *path)
{
  double *v = malloc((size_t)g->rows * sizeof *v + 1);
  int end = v ? END_DONE : fail_memory();
  if (!end && bp_table_numbers(t, column, 0, g->rows, v) != BP_OK)
    end = fail_null(path, END_DATA);
  if (!end)
    end = group_values(g, v);
  free(v);
  return end;
}

/* ---- categories ---- */

typedef struct counted {
  int32_t code;
  int64_t rows;
} counted;

static int most_rows_first(const void *a, const void *b)
{
  const counted *x = a, *y = b;
  return x->rows != y->rows ? (x->rows < y->rows) - (x->rows > y->rows)
                            : (x->code > y->code) - (x->code < y->code);
}

/* Those with most rows get a group each; what is over is one together. to: [categories] group of each. */
static int share_groups(grouping *g, const bp_table *t, int column, const counted *c, int n, int32_t *to)
{
  int last = n > MOST_CATEGORIES ? MOST_CATEGORIES - 1 : n;
  char others[64];
  for (int k = 0; k < n && c[k].rows; k++) {
    if (k <= last) {
      snprintf(others, sizeof others, "(%d others)", n - last);
      if (add_group(g, k < last ? bp_table_category(t, column, c[k].code, NULL) : others) < 0)
        return fail_memory();
    }
    to[c[k].code] = k < last ? k : last;
  }
  return END_DONE;
}

static int group_categories(grouping *g, const bp_table *t, int column, int32_t n, const char *path)
{
  const int32_t *codes;
  counted *c = calloc((size_t)n + 1, sizeof *c);
  int32_t *to = calloc((size_t)n + 1, sizeof *to);
  int end = c && to ? END_DONE : fail_memory();
  if (!end && bp_table_codes(t, column, &codes) != BP_OK)
    end = fail_null(path, END_DATA);
  for (int32_t k = 0; k < n && !end; k++)
    c[k].code = k;
  for (int64_t i = 0; i < g->rows && !end; i++)
    if (codes[i] >= 0)
      c[codes[i]].rows++;
  if (!end) {
    qsort(c, (size_t)n, sizeof *c, most_rows_first);
    end = share_groups(g, t, column, c, n, to);
  }
  for (int64_t i = 0; i < g->rows && !end; i++)
    g->of[i] = codes[i] < 0 ? -1 : to[codes[i]];
  free(c);
  free(to);
  return end;
}

/* ---- both ---- */

static int group_column(grouping *g, const bp_table *t, const char *path, const char *name)
{
  int column;
  bp_column info;
  bp_status st = bp_table_find(t, name, &column);
  if (st == BP_OK)
    st = bp_table_column(t, column, &info);
  if (st != BP_OK)
    return fail(END_USAGE, "--by: %s: %s", path_name(path), bp_error());
  g->rows = bp_table_rows(t);
  g->of = malloc((size_t)g->rows * sizeof *g->of + 1);
  if (!g->of)
    return fail_memory();
  int end =
      info.text ? group_categories(g, t, column, info.categories, path) : group_numbers(g, t, column, path);
  return end ? end : add_missing(g);
}

int grouping_read(grouping *g, bp_ctx *ctx, const settings *s, const char *path, const char *column)
{
  bp_table *t = NULL;
  *g = (grouping){0};
  int end = table_read(ctx, s, path, &t);
  if (!end)
    end = group_column(g, t, path, column);
  bp_table_free(t);
  return end;
}

int64_t *grouping_rows(const grouping *g, int k, int64_t *n)
{
  int64_t *rows = malloc((size_t)g->rows * sizeof *rows + 1);
  *n = 0;
  for (int64_t i = 0; rows && i < g->rows; i++)
    if (g->of[i] == k)
      rows[(*n)++] = i;
  return rows;
}

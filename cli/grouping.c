/* Rows grouped by a column. */
#include "grouping.h"
#include "input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 12, RANGES = 5, MOST_CATEGORIES = 40, BLOCK = 8192 };

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

/* ---- categories ---- */

typedef struct counted {
  char *text;
  int64_t rows;
  int32_t number; /* in the order in which they came */
} counted;

static int most_rows_first(const void *a, const void *b)
{
  const counted *x = a, *y = b;
  return x->rows != y->rows ? (x->rows < y->rows) - (x->rows > y->rows)
                            : (x->number > y->number) - (x->number < y->number);
}

/* Those with most rows get a group each; what is over is one together. to: [n] group of each. */
static int share_groups(grouping *g, const counted *c, int n, int32_t *to)
{
  int last = n > MOST_CATEGORIES ? MOST_CATEGORIES - 1 : n;
  char others[64];
  for (int k = 0; k < n; k++) {
    if (k <= last) {
      snprintf(others, sizeof others, "(%d others)", n - last);
      if (add_group(g, k < last ? c[k].text : others) < 0)
        return fail_memory();
    }
    to[c[k].number] = k < last ? k : last;
  }
  return END_DONE;
}

/* c: by number. g->of has the numbers, and gets the groups. */
static int group_categories(grouping *g, counted *c, int n)
{
  int32_t *to = calloc((size_t)n + 1, sizeof *to);
  int end = to ? END_DONE : fail_memory();
  if (!end && n) {
    qsort(c, (size_t)n, sizeof *c, most_rows_first);
    end = share_groups(g, c, n, to);
  }
  for (int64_t i = 0; i < g->rows && !end; i++)
    g->of[i] = g->of[i] < 0 ? -1 : to[g->of[i]];
  free(to);
  return end;
}

/* ---- the column, block by block ---- */

/* What is kept of it: numbers, or numbers of the texts; and the texts, found by a table of their hashes with free places. */
typedef struct column {
  grouping *g;
  int at;
  double *value;
  int64_t room;
  counted *list;  /* [n], room for half as many as there are places */
  int32_t *place; /* 1 + number; 0: free */
  int n;
  uint32_t places; /* a power of 2 */
} column;

static void forget_texts(column *k)
{
  for (int i = 0; i < k->n; i++)
    free(k->list[i].text);
  free(k->list);
  free(k->place);
  k->list = NULL;
  k->place = NULL;
  k->n = 0;
  k->places = 0;
}

static bool make_room(column *k, int64_t rows)
{
  if (rows <= k->room)
    return true;
  int64_t room = rows > 2 * k->room ? rows : 2 * k->room;
  int32_t *of = realloc(k->g->of, (size_t)room * sizeof *of);
  if (!of)
    return false;
  k->g->of = of;
  double *value = realloc(k->value, (size_t)room * sizeof *value);
  if (!value)
    return false;
  k->value = value;
  k->room = room;
  return true;
}

/* FNV-1a */
static uint32_t hash_of(const char *s)
{
  uint32_t h = 2166136261u;
  for (; *s; s++)
    h = (h ^ (unsigned char)*s) * 16777619u;
  return h;
}

/* The place of a text, or the free one where it belongs. */
static int32_t *place_of(const column *k, const char *s)
{
  uint32_t i = hash_of(s) & (k->places - 1);
  while (k->place[i] && strcmp(k->list[k->place[i] - 1].text, s) != 0)
    i = (i + 1) & (k->places - 1);
  return &k->place[i];
}

static bool more_places(column *k)
{
  uint32_t places = k->places ? 2 * k->places : 128;
  int32_t *place = calloc(places, sizeof *place);
  counted *list = place ? realloc(k->list, places / 2 * sizeof *list) : NULL;
  if (!list) {
    free(place);
    return false;
  }
  free(k->place);
  k->place = place;
  k->list = list;
  k->places = places;
  for (int i = 0; i < k->n; i++)
    *place_of(k, list[i].text) = i + 1;
  return true;
}

/* -1 when out of memory. */
static int32_t number_of(column *k, const char *s)
{
  if ((uint32_t)k->n == k->places / 2 && !more_places(k))
    return -1;
  int32_t *place = place_of(k, s);
  if (!*place) {
    char *own = strdup(s);
    if (!own)
      return -1;
    k->list[k->n] = (counted){.text = own, .number = k->n};
    *place = ++k->n;
  }
  return *place - 1;
}

static bool take_texts(column *k, const bp_table *t, int32_t categories)
{
  const int32_t *codes;
  int32_t *to = malloc(((size_t)categories + 1) * sizeof *to);
  bool good = to && bp_table_codes(t, k->at, &codes) == BP_OK;
  for (int32_t c = 0; c < categories && good; c++)
    good = (to[c] = number_of(k, bp_table_category(t, k->at, c, NULL))) >= 0;
  for (int64_t i = 0; i < bp_table_rows(t) && good; i++) {
    int32_t number = codes[i] < 0 ? -1 : to[codes[i]];
    k->g->of[k->g->rows + i] = number;
    if (number >= 0)
      k->list[number].rows++;
  }
  free(to);
  return good;
}

static int take_block(column *k, const bp_table *t)
{
  int64_t n = bp_table_rows(t);
  bp_column info;
  bool good = make_room(k, k->g->rows + n) && bp_table_column(t, k->at, &info) == BP_OK;
  if (good && info.text)
    good = take_texts(k, t, info.categories);
  else if (good)
    good = bp_table_numbers(t, k->at, 0, n, k->value + k->g->rows) == BP_OK;
  k->g->rows += n;
  return good ? END_DONE : fail_memory();
}

/* Text that comes late, after numbers, sends back to the start. */
static int take_all(column *k, bp_csv *c, const char *path)
{
  for (;;) {
    const bp_table *t;
    bp_status st = bp_csv_block(c, BLOCK, &t);
    if (st == BP_E_DTYPE) {
      forget_texts(k);
      k->g->rows = 0;
      st = bp_csv_again(c);
    } else if (st == BP_OK && bp_table_rows(t) == 0) {
      return END_DONE;
    } else if (st == BP_OK) {
      int end = take_block(k, t);
      if (end)
        return end;
    }
    if (st != BP_OK)
      return fail_null(path, END_DATA);
  }
}

static int find_column(column *k, bp_csv *c, const char *path, const char *name)
{
  const bp_table *t = bp_csv_table(c);
  bp_status st = bp_table_find(t, name, &k->at);
  if (st != BP_OK)
    return fail(END_USAGE, "--by: %s: %s", path_name(path), bp_error());
  for (int i = 0; i < bp_table_columns(t) && st == BP_OK; i++)
    if (i != k->at)
      st = bp_csv_expect(c, i, BP_CSV_SKIP);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static int read_column(column *k, bp_ctx *ctx, const settings *s, bp_source *source, const char *path,
                       const char *name)
{
  bp_csv_options o = csv_options(s, path);
  bp_csv *c;
  bp_status st = bp_csv_open(ctx, source, &o, &c);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  int end = find_column(k, c, path, name);
  if (!end)
    end = take_all(k, c, path);
  bool texts = bp_csv_found(c, k->at) == BP_CSV_TEXT;
  bp_csv_close(c);
  if (!end)
    end = texts ? group_categories(k->g, k->list, k->n) : group_values(k->g, k->value);
  return end ? end : add_missing(k->g);
}

int grouping_read(grouping *g, bp_ctx *ctx, const settings *s, const char *path, const char *name)
{
  bp_source source;
  *g = (grouping){0};
  column k = {.g = g};
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  end = read_column(&k, ctx, s, &source, path, name);
  forget_texts(&k);
  free(k.value);
  bp_source_close(&source);
  return end;
}

#include "data/table.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- filling ------------------------------------------------------------------------ */

bp_table *bpi_table_new(bp_ctx *ctx, const char *source)
{
  bp_table *t = bpi_zalloc(ctx, 1, sizeof *t);
  if (!t)
    return NULL;
  t->ctx = ctx;
  bpi_categories_init(&t->names, ctx);
  t->source = bpi_strdup(ctx, source);
  if (t->source)
    return t;
  bp_table_free(t);
  return NULL;
}

static void free_categories(bp_ctx *ctx, bpi_categories *c)
{
  if (c)
    bpi_categories_free(c);
  bpi_free(ctx, c);
}

void bp_table_free(bp_table *t)
{
  if (!t)
    return;
  for (int i = 0; i < t->n; i++) {
    bpi_free(t->ctx, t->columns[i].data);
    free_categories(t->ctx, t->columns[i].categories);
  }
  bpi_free(t->ctx, t->columns);
  bpi_categories_free(&t->names);
  bpi_free(t->ctx, t->source);
  bpi_free(t->ctx, t);
}

bool bpi_table_add_column(bp_table *t, const char *name, size_t n, bool unnamed)
{
  if (!bpi_grow(t->ctx, (void **)&t->columns, &t->columns_cap, (size_t)t->n, sizeof *t->columns) ||
      bpi_categories_add(&t->names, name, n) < 0)
    return false;
  t->columns[t->n++] = (bpi_column){.width = 1, .unnamed = unnamed};
  return true;
}

static bool resize(bp_table *t, bpi_column *c, int64_t rows)
{
  if (c->kind >= BPI_COLUMN_LATE)
    return true;
  void *p = bpi_realloc(t->ctx, c->data, (size_t)rows, c->width);
  if (p)
    c->data = p;
  return p != NULL;
}

bool bpi_table_room(bp_table *t, int64_t most)
{
  if (t->rows < t->cap)
    return true;
  int64_t cap = t->cap ? 2 * t->cap : 64;
  cap = cap > most ? most : cap;
  for (int i = 0; i < t->n; i++)
    if (!resize(t, &t->columns[i], cap))
      return false;
  t->cap = cap;
  return true;
}

void bpi_table_shrink(bp_table *t)
{
  for (int i = 0; i < t->n; i++)
    if (t->columns[i].data)
      (void)resize(t, &t->columns[i], t->rows); /* a failure leaves more memory than needed */
}

/* Whether that width keeps x; asked of the width that a column has, the answer is nearly always the same. */
static bool width_keeps(unsigned width, double x)
{
  static const double most[] = {[1] = INT8_MAX, [2] = INT16_MAX, [4] = INT32_MAX};
  return fabs(x) <= most[width] && (double)(int32_t)x == x && !(x == 0 && signbit(x));
}

/* The least width that keeps x exactly; -0.0 is no whole number here, since an integer would lose its sign. */
static unsigned width_for(double x)
{
  if (!(x >= -INT32_MAX && x <= INT32_MAX))
    return 8;
  int32_t i = (int32_t)x;
  if (i != x || (i == 0 && signbit(x)))
    return 8;
  uint32_t m = i < 0 ? 0 - (uint32_t)i : (uint32_t)i;
  return m <= INT8_MAX ? 1 : m <= INT16_MAX ? 2 : 4;
}

static void store_number(const bpi_column *c, int64_t row, double x)
{
  bool missing = x != x;
  if (c->width == 1)
    ((int8_t *)c->data)[row] = missing ? INT8_MIN : (int8_t)x;
  else if (c->width == 2)
    ((int16_t *)c->data)[row] = missing ? INT16_MIN : (int16_t)x;
  else if (c->width == 4)
    ((int32_t *)c->data)[row] = missing ? INT32_MIN : (int32_t)x;
  else
    ((double *)c->data)[row] = x;
}

static double load_number(const bpi_column *c, int64_t row)
{
  if (c->width == 8)
    return ((const double *)c->data)[row];
  int32_t i = c->width == 1   ? ((const int8_t *)c->data)[row]
              : c->width == 2 ? ((const int16_t *)c->data)[row]
                              : ((const int32_t *)c->data)[row];
  int32_t least = c->width == 1 ? INT8_MIN : c->width == 2 ? INT16_MIN : INT32_MIN;
  return i == least ? (double)NAN : (double)i;
}

static bool widen_column(bp_table *t, bpi_column *c, unsigned width)
{
  bpi_column wide = *c;
  wide.width = width;
  wide.data = bpi_alloc(t->ctx, (size_t)t->cap, width);
  if (!wide.data)
    return false;
  for (int64_t i = 0; i < t->rows; i++)
    store_number(&wide, i, load_number(c, i));
  bpi_free(t->ctx, c->data);
  *c = wide;
  return true;
}

bool bpi_column_number(bp_table *t, bpi_column *c, double x)
{
  c->kind = BPI_COLUMN_NUMBERS;
  if (c->width < 8 && !width_keeps(c->width, x) && !widen_column(t, c, width_for(x)))
    return false;
  store_number(c, t->rows, x);
  return true;
}

static void store_missing(bp_table *t, bpi_column *c)
{
  if (c->kind == BPI_COLUMN_TEXT)
    ((int32_t *)c->data)[t->rows] = -1;
  else if (c->kind <= BPI_COLUMN_NUMBERS)
    store_number(c, t->rows, (double)NAN);
}

void bpi_column_missing(bp_table *t, bpi_column *c)
{
  c->missing++;
  store_missing(t, c);
}

void bpi_column_blank(bp_table *t, bpi_column *c, bool mark)
{
  c->blanked = true;
  c->missing += mark;
  c->marks += mark;
  store_missing(t, c);
}

void bpi_column_forget(bp_table *t, bpi_column *c)
{
  bpi_free(t->ctx, c->data);
  free_categories(t->ctx, c->categories);
  c->data = NULL;
  c->categories = NULL;
}

void bpi_column_renew(bp_table *t, bpi_column *c, bpi_column_kind kind)
{
  bpi_column_forget(t, c);
  *c = (bpi_column){.kind = kind, .width = 1, .unnamed = c->unnamed};
}

bool bpi_column_restart(bp_table *t, bpi_column *c)
{
  int32_t *codes = bpi_alloc(t->ctx, (size_t)t->cap, sizeof *codes);
  bpi_categories *categories = codes ? bpi_alloc(t->ctx, 1, sizeof *categories) : NULL;
  if (!categories) {
    bpi_free(t->ctx, codes);
    return false;
  }
  bpi_categories_init(categories, t->ctx);
  memset(codes, 0xff, (size_t)t->cap * sizeof *codes); /* -1 */
  bpi_column_forget(t, c);
  *c = (bpi_column){.kind = BPI_COLUMN_TEXT,
                    .data = codes,
                    .width = sizeof *codes,
                    .missing = c->missing,
                    .unnamed = c->unnamed,
                    .categories = categories};
  return true;
}

bool bpi_column_text(bp_table *t, bpi_column *c, const char *s, size_t n)
{
  if (c->kind >= BPI_COLUMN_LATE)
    return true;
  if (c->kind == BPI_COLUMN_NUMBERS || c->blanked) {
    bpi_column_forget(t, c);
    c->kind = BPI_COLUMN_LATE;
    return true;
  }
  if (c->kind == BPI_COLUMN_EMPTY && !bpi_column_restart(t, c))
    return false;
  int32_t code = bpi_categories_add(c->categories, s, n);
  ((int32_t *)c->data)[t->rows] = code;
  return code >= 0;
}

void bpi_table_clear(bp_table *t, int64_t first)
{
  t->rows = 0;
  t->first = first;
  for (int i = 0; i < t->n; i++) {
    t->columns[i].missing = t->columns[i].marks = 0;
    if (t->columns[i].categories)
      bpi_categories_clear(t->columns[i].categories);
  }
}

/* ---- reading ------------------------------------------------------------------------ */

int64_t bp_table_rows(const bp_table *t)
{
  return t ? t->rows : 0;
}

int64_t bp_table_first(const bp_table *t)
{
  return t ? t->first : 0;
}

int bp_table_columns(const bp_table *t)
{
  return t ? t->n : 0;
}

static bp_status column_at(const bp_table *t, int i, const bpi_column **c)
{
  if (!t)
    return bpi_bad_arg("bp_table", "the table is NULL");
  if (i < 0 || i >= t->n)
    return bpi_fail(BP_E_RANGE, "%s: column %d is asked for; there are columns 0 to %d", t->source, i,
                    t->n - 1);
  *c = &t->columns[i];
  return BP_OK;
}

bp_status bp_table_column(const bp_table *t, int column, bp_column *out)
{
  const bpi_column *c;
  bp_status s = out ? column_at(t, column, &c) : bpi_bad_arg("bp_table_column", "out is NULL");
  if (s != BP_OK)
    return s;
  bool text = c->kind == BPI_COLUMN_TEXT;
  *out = (bp_column){bpi_categories_text(&t->names, column), text, c->missing, c->marks,
                     text ? (int32_t)c->categories->n : 0};
  return BP_OK;
}

const char *bpi_table_nearest(const bp_table *t, const char *name)
{
  const char *best = NULL;
  int least = 3;
  for (int i = 0; i < t->n && i < 10000; i++) {
    const char *s = bpi_categories_text(&t->names, i);
    int d = bpi_edit_distance(name, s, least);
    if (d < least && (size_t)d < strlen(name)) {
      least = d;
      best = s;
    }
  }
  return best;
}

bp_status bp_table_find(const bp_table *t, const char *name, int *column)
{
  if (!t || !name || !column)
    return bpi_bad_arg("bp_table_find", "the table, name or column is NULL");
  int64_t number;
  *column = bpi_categories_find(&t->names, name, strlen(name));
  if (*column >= 0)
    return BP_OK;
  if (bpi_parse_int(name, strlen(name), &number) && number >= 1 && number <= t->n) {
    *column = (int)number - 1;
    return BP_OK;
  }
  const char *near = bpi_table_nearest(t, name);
  if (near)
    return bpi_fail(BP_E_NOTFOUND, "%s: there is no column \"%s\"; did you mean \"%s\"?", t->source, name,
                    near);
  if (t->n == 1)
    return bpi_fail(
        BP_E_NOTFOUND,
        "%s: there is no column \"%s\": the only one is \"%s\", and with another delimiter there may be "
        "more",
        t->source, name, bpi_categories_text(&t->names, 0));
  return bpi_fail(
      BP_E_NOTFOUND,
      "%s: there is no column \"%s\"; columns go from \"%s\" to \"%s\", or by number from 1 to %d", t->source,
      name, bpi_categories_text(&t->names, 0), bpi_categories_text(&t->names, t->n - 1), t->n);
}

bp_status bp_table_numbers(const bp_table *t, int column, int64_t first, int64_t n, double *out)
{
  const bpi_column *c;
  bp_status s = column_at(t, column, &c);
  if (s != BP_OK)
    return s;
  if (first < 0 || n < 0 || first > t->rows || n > t->rows - first || (n && !out))
    return bpi_fail(BP_E_RANGE, "%s: %lld rows from row %lld on are asked for; there are %lld rows",
                    t->source, (long long)n, (long long)first, (long long)t->rows);
  if (c->kind == BPI_COLUMN_TEXT)
    return bpi_fail(BP_E_DTYPE, "%s: column \"%s\" is text, not numbers", t->source,
                    bpi_categories_text(&t->names, column));
  for (int64_t i = 0; i < n; i++)
    out[i] = c->data ? load_number(c, first + i) : (double)NAN; /* one that is not kept has none */
  return BP_OK;
}

bp_status bp_table_codes(const bp_table *t, int column, const int32_t **codes)
{
  const bpi_column *c;
  bp_status s = codes ? column_at(t, column, &c) : bpi_bad_arg("bp_table_codes", "codes is NULL");
  if (s == BP_OK && c->kind != BPI_COLUMN_TEXT)
    s = bpi_fail(BP_E_DTYPE, "%s: column \"%s\" is numbers, not text", t->source,
                 bpi_categories_text(&t->names, column));
  if (s == BP_OK)
    *codes = c->data;
  return s;
}

const bpi_categories *bpi_table_texts(const bp_table *t, int column)
{
  const bpi_column *c = &t->columns[column];
  return c->kind == BPI_COLUMN_TEXT ? c->categories : NULL;
}

const char *bp_table_category(const bp_table *t, int column, int32_t code, int64_t *count)
{
  if (!t || column < 0 || column >= t->n || t->columns[column].kind != BPI_COLUMN_TEXT)
    return NULL;
  const bpi_categories *c = t->columns[column].categories;
  if (code < 0 || (size_t)code >= c->n)
    return NULL;
  if (count)
    *count = c->items[code].count;
  return bpi_categories_text(c, code);
}

#include "train/tablereader.h"
#include "base/sort.h"
#include "base/text.h"
#include "data/csv_field.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 256, FEWEST_COUNTED = 10 };

void bpi_reader_free(bp_ctx *ctx, bpi_reader *r)
{
  bpi_free(ctx, r->by_code);
  bpi_free(ctx, r->keys);
  *r = (bpi_reader){0};
}

static bp_status begin(bp_ctx *ctx, const bp_table *t, int c, bpi_reader *r)
{
  *r = (bpi_reader){.t = t, .column = c};
  bp_status s = bp_table_column(t, c, &r->info);
  if (s != BP_OK || !r->info.text)
    return s;
  s = bp_table_codes(t, c, &r->codes);
  r->by_code = bpi_alloc(ctx, (size_t)r->info.categories, sizeof *r->by_code);
  return s == BP_OK && !r->by_code ? bpi_nomem() : s;
}

/* ---- numbers ---- */

bp_status bpi_reader_numbers(bp_ctx *ctx, const bp_table *t, int c, bpi_reader *r)
{
  bp_status s = begin(ctx, t, c, r);
  for (int32_t k = 0; s == BP_OK && r->by_code && k < r->info.categories; k++) {
    const char *text = bp_table_category(t, c, k, NULL);
    double x;
    bool number = bpi_parse_double(text, strlen(text), &x) && isfinite((float)x);
    r->by_code[k] = number ? (float)x : NAN;
  }
  return s;
}

/* ---- categories ---- */

typedef struct category {
  const char *name;
  int32_t code;
} category;

static int by_name(const void *a, const void *b, const void *arg)
{
  (void)arg;
  return strcmp(((const category *)a)->name, ((const category *)b)->name);
}

/* By name, so that the order does not depend on that of the rows. marks: NA and the like are missing. */
static bp_status name_texts(bp_ctx *ctx, bpi_reader *r, bool marks, bpi_field *f)
{
  int64_t n = r->info.categories;
  category *list = bpi_alloc(ctx, (size_t)n, sizeof *list);
  bp_status s = list ? BP_OK : bpi_nomem();
  for (int32_t k = 0; s == BP_OK && k < n; k++)
    list[k] = (category){bp_table_category(r->t, r->column, k, NULL), k};
  if (s == BP_OK)
    bpi_sort(list, (size_t)n, sizeof *list, by_name, NULL);
  f->n = 0;
  for (int64_t k = 0; s == BP_OK && k < n; k++) {
    const char *name = list[k].name;
    bool mark = marks && bpi_csv_mark_of(name, strlen(name)) == BPI_MARK;
    r->by_code[list[k].code] = mark ? NAN : (float)f->n;
    if (!mark && !(f->texts[f->n++] = bpi_strdup(ctx, name)))
      s = bpi_nomem();
  }
  bpi_free(ctx, list);
  return s;
}

static int by_value(const void *a, const void *b, const void *arg)
{
  (void)arg;
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The different numbers of a column, ascending. */
static bp_status find_keys(bp_ctx *ctx, bpi_reader *r)
{
  int64_t rows = bp_table_rows(r->t), n = 0;
  r->keys = bpi_alloc(ctx, (size_t)rows, sizeof *r->keys);
  if (!r->keys)
    return bpi_nomem();
  bp_status s = bp_table_numbers(r->t, r->column, 0, rows, r->keys);
  for (int64_t i = 0; s == BP_OK && i < rows; i++)
    if (!isnan(r->keys[i]))
      r->keys[n++] = r->keys[i];
  bpi_sort(r->keys, (size_t)n, sizeof *r->keys, by_value, NULL);
  for (int64_t i = 0; i < n; i++)
    if (i == 0 || r->keys[i] != r->keys[i - 1])
      r->keys[r->n_keys++] = r->keys[i];
  return s;
}

static bp_status name_numbers(bp_ctx *ctx, const bpi_reader *r, bpi_field *f)
{
  for (int64_t k = 0; k < r->n_keys; k++) {
    bpi_text t;
    bpi_text_init(&t, ctx);
    bpi_text_double(&t, r->keys[k]);
    if (!(f->texts[k] = bpi_text_take(&t)))
      return bpi_nomem();
  }
  return BP_OK;
}

bp_status bpi_reader_categories(bp_ctx *ctx, const bp_table *t, int c, bool marks, bpi_reader *r,
                                bpi_field *f)
{
  bp_status s = begin(ctx, t, c, r);
  if (s == BP_OK && !r->info.text)
    s = find_keys(ctx, r);
  if (s != BP_OK)
    return s;
  r->categories = true;
  f->n = r->info.text ? r->info.categories : r->n_keys;
  f->texts = bpi_zalloc(ctx, (size_t)f->n, sizeof *f->texts);
  if (!f->texts)
    return bpi_nomem();
  if (f->n > BPI_MOST_CATEGORIES)
    return bpi_fail(BP_E_LIMIT, "column '%s' has %lld categories; 16,777,216 can be told apart", r->info.name,
                    (long long)f->n);
  return r->info.text ? name_texts(ctx, r, marks, f) : name_numbers(ctx, r, f);
}

/* Number of a category by its text, or by the value of a number that is written in another way (1.0 for 1); or BPI_UNKNOWN. */
static bp_status find_number(bp_ctx *ctx, const bpi_categories *index, double x, float *to)
{
  bpi_text t;
  bpi_text_init(&t, ctx);
  bpi_text_double(&t, x);
  bp_status s = t.failed ? bpi_nomem() : BP_OK;
  *to = s == BP_OK ? (float)bpi_categories_find(index, t.s, t.n) : BPI_UNKNOWN;
  bpi_text_free(&t);
  return s;
}

static bp_status find_text(bp_ctx *ctx, const bpi_categories *index, const char *text, float *to)
{
  double x;
  size_t n = strlen(text);
  *to = (float)bpi_categories_find(index, text, n);
  if (*to == BPI_UNKNOWN && bpi_csv_mark_of(text, n))
    *to = NAN;
  return *to == BPI_UNKNOWN && bpi_parse_double(text, n, &x) ? find_number(ctx, index, x, to) : BP_OK;
}

static bp_status known_numbers(bp_ctx *ctx, bpi_reader *r, const bpi_categories *index)
{
  bp_status s = find_keys(ctx, r);
  r->by_code = s == BP_OK ? bpi_alloc(ctx, (size_t)r->n_keys, sizeof *r->by_code) : NULL;
  if (s == BP_OK && !r->by_code)
    s = bpi_nomem();
  for (int64_t k = 0; s == BP_OK && k < r->n_keys; k++)
    s = find_number(ctx, index, r->keys[k], &r->by_code[k]);
  return s;
}

bp_status bpi_reader_known(bp_ctx *ctx, const bp_table *t, int c, const bpi_field *f, bpi_reader *r)
{
  bpi_categories index;
  bp_status s = begin(ctx, t, c, r);
  r->categories = true;
  if (s != BP_OK)
    return s;
  s = bpi_index_texts(ctx, f, &index);
  if (s == BP_OK && !r->info.text)
    s = known_numbers(ctx, r, &index);
  for (int32_t k = 0; s == BP_OK && r->info.text && k < r->info.categories; k++)
    s = find_text(ctx, &index, bp_table_category(t, c, k, NULL), &r->by_code[k]);
  bpi_categories_free(&index);
  return s;
}

/* ---- values ---- */

static int64_t key_of(const bpi_reader *r, double x)
{
  int64_t low = 0, high = r->n_keys - 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (r->keys[middle] < x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static float value_of(const bpi_reader *r, double x)
{
  if (!r->keys || isnan(x))
    return (float)x;
  int64_t k = key_of(r, x);
  return r->by_code ? r->by_code[k] : (float)k;
}

static bp_status check_size(const bpi_reader *r, int64_t row, double x)
{
  if (!(fabs(x) > (double)FLT_MAX))
    return BP_OK;
  return bpi_fail(BP_E_RANGE, "column '%s', row %lld: %g does not fit a 32-bit float", r->info.name,
                  (long long)row + 1, x);
}

static bp_status get_numbers(const bpi_reader *r, int64_t first, int64_t n, int64_t step, float *out)
{
  double v[BLOCK];
  bp_status s = bp_table_numbers(r->t, r->column, first, n, v);
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    s = check_size(r, first + i, v[i]);
    out[i * step] = s == BP_OK ? value_of(r, v[i]) : 0;
  }
  return s;
}

bp_status bpi_reader_get(const bpi_reader *r, int64_t first, int64_t n, int64_t step, float *out)
{
  bp_status s = BP_OK;
  for (int64_t i = 0; r->codes && i < n; i++) {
    int32_t code = r->codes[first + i];
    out[i * step] = code < 0 ? NAN : r->by_code[code];
  }
  for (int64_t i = 0; s == BP_OK && !r->codes && i < n; i += BLOCK)
    s = get_numbers(r, first + i, n - i < BLOCK ? n - i : BLOCK, step, out + i * step);
  return s;
}

void bpi_reader_text(const bpi_reader *r, int64_t row, char *out, size_t size)
{
  double x = NAN;
  if (r->codes)
    snprintf(out, size, "%s",
             r->codes[row] < 0 ? "" : bp_table_category(r->t, r->column, r->codes[row], NULL));
  else if (bp_table_numbers(r->t, r->column, row, 1, &x) == BP_OK)
    snprintf(out, size, "%.15g", x);
}

bp_status bpi_reader_imprecise(const char *name, double mean, double deviation)
{
  return bpi_fail(BP_E_RANGE,
                  "column '%s' has values around %.9g that differ by %.2g or so: 32-bit floats do not tell "
                  "them apart. Subtract a constant from the column first",
                  name, mean, deviation);
}

/* Values are kept as 32-bit floats. Where those cannot tell them apart (time stamps, serial numbers), what would be learned is noise: that is
 * refused, not rounded in silence. */
bp_status bpi_reader_check(bp_ctx *ctx, const bpi_reader *r)
{
  int64_t rows = bp_table_rows(r->t), n = 0;
  double *v = r->info.text || r->categories ? NULL : bpi_alloc(ctx, (size_t)rows, sizeof *v);
  double sum = 0, square = 0, lost = 0;
  if (r->info.text || r->categories)
    return BP_OK;
  if (!v)
    return bpi_nomem();
  bp_status s = bp_table_numbers(r->t, r->column, 0, rows, v);
  for (int64_t i = 0; s == BP_OK && i < rows; i++)
    if (!isnan(v[i])) {
      s = check_size(r, i, v[i]);
      sum += v[i];
      v[n++] = v[i];
    }
  for (int64_t i = 0; i < n; i++) {
    double off = v[i] - sum / (double)n, error = fabs((double)(float)v[i] - v[i]);
    square += off * off;
    lost = error > lost ? error : lost;
  }
  bpi_free(ctx, v);
  double deviation = sqrt(square / (double)n);
  if (s != BP_OK || n == 0 || lost <= 1e-3 * deviation || deviation == 0)
    return s;
  return bpi_reader_imprecise(r->info.name, sum / (double)n, deviation);
}

bool bpi_reader_counts_rows(const bp_table *t, int column)
{
  bp_column info;
  double v[BLOCK], start = 0;
  int64_t rows = bp_table_rows(t);
  if (rows < FEWEST_COUNTED || bp_table_column(t, column, &info) != BP_OK || info.text || info.missing)
    return false;
  for (int64_t first = 0; first < rows; first += BLOCK) {
    int64_t n = rows - first < BLOCK ? rows - first : BLOCK;
    if (bp_table_numbers(t, column, first, n, v) != BP_OK)
      return false;
    start = first ? start : v[0];
    for (int64_t i = 0; i < n; i++)
      if (v[i] != start + (double)(first + i) || fabs(v[i]) > 1e15)
        return false;
  }
  return true;
}

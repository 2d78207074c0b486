/* Data sets from tables, arrays and memory. */
#include "train/examples.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBER_CLASSES = 64, SPARSE_CLASSES = 65536 };

/* Labels of memory and arrays count from 0, so the largest one says how many classes there are, and a network has an output for each. One
 * label of 2 billion among ten rows is a mistake, not a request for 16 GB. */
static bp_status check_count(const bpi_examples *e)
{
  if (e->classes <= SPARSE_CLASSES || e->classes <= e->rows)
    return BP_OK;
  return bpi_fail(BP_E_LIMIT, "the largest label is %lld, with %lld rows; labels must count from 0 on",
                  (long long)e->classes - 1, (long long)e->rows);
}

static bool room_for(bpi_examples *e, int64_t rows, int64_t cols)
{
  int64_t size;
  e->rows = rows;
  e->cols = cols;
  if (!bpi_mul(rows, cols, &size))
    return false;
  e->x = bpi_alloc(e->ctx, (size_t)size, sizeof *e->x);
  return e->x != NULL;
}

/* ---- from a table ---- */

/* Values are kept as 32-bit floats. Where those cannot tell them apart (time stamps, serial numbers), what would be learned is noise: that is
 * refused, not rounded in silence. */
static bp_status check_precision(const char *name, const double *v, int64_t rows)
{
  double sum = 0, square = 0, lost = 0;
  for (int64_t i = 0; i < rows; i++)
    sum += v[i];
  for (int64_t i = 0; i < rows; i++) {
    double off = v[i] - sum / (double)rows, error = fabs((double)(float)v[i] - v[i]);
    square += off * off;
    lost = error > lost ? error : lost;
  }
  double deviation = sqrt(square / (double)rows);
  if (lost <= 1e-3 * deviation || deviation == 0)
    return BP_OK;
  return bpi_fail(BP_E_RANGE,
                  "column '%s' has values around %.9g that differ by %.2g or so: 32-bit floats do not tell "
                  "them apart. Subtract a constant from "
                  "the column first",
                  name, sum / (double)rows, deviation);
}

static bp_status column_values(const bp_table *t, int column, double *out)
{
  bp_column info;
  bp_status s = bp_table_column(t, column, &info);
  if (s == BP_OK && info.text)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "column '%s' holds text; only the target may. Drop it, or turn it into numbers",
                    info.name);
  int64_t rows = bp_table_rows(t);
  if (s == BP_OK)
    s = bp_table_numbers(t, column, 0, rows, out);
  for (int64_t i = 0; s == BP_OK && i < rows; i++) {
    if (isnan(out[i]))
      return bpi_fail(BP_E_UNSUPPORTED,
                      "column '%s' has no value in row %lld (of %lld missing); fill it in or drop the row",
                      info.name, (long long)i + 1, (long long)info.missing);
    if (fabs(out[i]) > FLT_MAX)
      return bpi_fail(BP_E_RANGE, "column '%s', row %lld: %g does not fit a 32-bit float", info.name,
                      (long long)i + 1, out[i]);
  }
  return s == BP_OK ? check_precision(info.name, out, rows) : s;
}

static bp_status fill_columns(bpi_examples *e, const bp_table *t, int target)
{
  double *values = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *values);
  e->col_names = bpi_zalloc(e->ctx, (size_t)e->cols, sizeof *e->col_names);
  bp_status s = values && e->col_names ? BP_OK : bpi_nomem();
  int64_t to = 0;
  for (int c = 0; s == BP_OK && c < bp_table_columns(t); c++) {
    bp_column info;
    if (c == target)
      continue;
    s = column_values(t, c, values);
    if (s == BP_OK)
      s = bp_table_column(t, c, &info);
    if (s == BP_OK && !(e->col_names[to] = bpi_strdup(e->ctx, info.name)))
      s = bpi_nomem();
    for (int64_t i = 0; s == BP_OK && i < e->rows; i++)
      e->x[i * e->cols + to] = (float)values[i];
    to++;
  }
  bpi_free(e->ctx, values);
  return s;
}

typedef struct category {
  const char *name;
  int32_t code;
} category;

static int by_name(const void *a, const void *b)
{
  return strcmp(((const category *)a)->name, ((const category *)b)->name);
}

/* Text classes go by name, so that their order does not depend on that of the rows. */
static bp_status text_classes(bpi_examples *e, const bp_table *t, int target, const bp_column *info)
{
  const int32_t *codes;
  bp_status s = bp_table_codes(t, target, &codes);
  if (s != BP_OK)
    return s;
  e->classes = info->categories;
  e->class_names = bpi_zalloc(e->ctx, (size_t)e->classes, sizeof *e->class_names);
  e->labels = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->labels);
  category *list = bpi_alloc(e->ctx, (size_t)e->classes, sizeof *list);
  int64_t *number = bpi_alloc(e->ctx, (size_t)e->classes, sizeof *number);
  s = e->class_names && e->labels && list && number ? BP_OK : bpi_nomem();
  for (int32_t k = 0; s == BP_OK && k < info->categories; k++)
    list[k] = (category){bp_table_category(t, target, k, NULL), k};
  if (s == BP_OK)
    qsort(list, (size_t)e->classes, sizeof *list, by_name);
  for (int64_t k = 0; s == BP_OK && k < e->classes; k++) {
    number[list[k].code] = k;
    if (!(e->class_names[k] = bpi_strdup(e->ctx, list[k].name)))
      s = bpi_nomem();
  }
  for (int64_t i = 0; s == BP_OK && i < e->rows; i++)
    e->labels[i] = number[codes[i]];
  bpi_free(e->ctx, list);
  bpi_free(e->ctx, number);
  return s;
}

/* The different values, ascending, if they are few whole numbers from 0; else 0. */
static int distinct_counts(const double *v, int64_t n, double *found)
{
  int count = 0;
  for (int64_t i = 0; i < n; i++) {
    int at = 0;
    if (v[i] < 0 || v[i] > 1e9 || v[i] != floor(v[i]))
      return 0;
    while (at < count && found[at] < v[i])
      at++;
    if (at < count && found[at] == v[i])
      continue;
    if (count == MOST_NUMBER_CLASSES)
      return 0;
    memmove(found + at + 1, found + at, (size_t)(count - at) * sizeof *found);
    found[at] = v[i];
    count++;
  }
  return count;
}

static bp_status number_classes(bpi_examples *e, const double *v, const double *found, int count)
{
  e->classes = count;
  e->class_names = bpi_zalloc(e->ctx, (size_t)count, sizeof *e->class_names);
  e->labels = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->labels);
  if (!e->class_names || !e->labels)
    return bpi_nomem();
  for (int k = 0; k < count; k++) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)found[k]);
    if (!(e->class_names[k] = bpi_strdup(e->ctx, text)))
      return bpi_nomem();
  }
  for (int64_t i = 0; i < e->rows; i++)
    for (int k = 0; k < count; k++)
      if (found[k] == v[i])
        e->labels[i] = k;
  return BP_OK;
}

static bp_status number_target(bpi_examples *e, const bp_table *t, int target)
{
  double *v = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *v), found[MOST_NUMBER_CLASSES + 1];
  bp_status s = v ? column_values(t, target, v) : bpi_nomem();
  int count = s == BP_OK ? distinct_counts(v, e->rows, found) : 0;
  if (s == BP_OK && count) {
    s = number_classes(e, v, found, count);
  } else if (s == BP_OK) {
    e->n_y = 1;
    e->y = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->y);
    for (int64_t i = 0; e->y && i < e->rows; i++)
      e->y[i] = (float)v[i];
    s = e->y ? BP_OK : bpi_nomem();
  }
  bpi_free(e->ctx, v);
  return s;
}

static bp_status fill_target(bpi_examples *e, const bp_table *t, int target)
{
  bp_column info;
  bp_status s = bp_table_column(t, target, &info);
  if (s != BP_OK)
    return s;
  if (info.missing)
    return bpi_fail(BP_E_UNSUPPORTED, "the target '%s' is missing in %lld rows; drop them", info.name,
                    (long long)info.missing);
  if (!(e->target = bpi_strdup(e->ctx, info.name)))
    return bpi_nomem();
  return info.text ? text_classes(e, t, target, &info) : number_target(e, t, target);
}

/* "#5" is number 5 also where a column is called 5. */
static bp_status find_target(const bp_table *t, const char *target, int *at)
{
  int64_t number;
  if (target[0] != '#' || !bpi_parse_int(target + 1, strlen(target + 1), &number))
    return bp_table_find(t, target, at);
  if (number < 1 || number > bp_table_columns(t))
    return bpi_fail(BP_E_NOTFOUND, "there is no column %s; the table has %d", target, bp_table_columns(t));
  *at = (int)number - 1;
  return BP_OK;
}

bp_data *bp_data_from_table(bp_ctx *ctx, const bp_table *t, const char *target)
{
  int at = -1;
  if (!ctx || !t) {
    bpi_bad_arg("bp_data_from_table", "ctx or table is NULL");
    return NULL;
  }
  if (target && find_target(t, target, &at) != BP_OK)
    return NULL;
  bpi_examples *e = bpi_examples_new(ctx);
  if (!e)
    return NULL;
  bp_status s = room_for(e, bp_table_rows(t), bp_table_columns(t) - (at >= 0)) ? BP_OK : bpi_nomem();
  if (s == BP_OK && e->cols == 0)
    s = bpi_fail(BP_E_FORMAT, "the table has no column but the target");
  if (s == BP_OK)
    s = fill_columns(e, t, at);
  if (s == BP_OK && at >= 0)
    s = fill_target(e, t, at);
  if (s == BP_OK)
    return bpi_data_wrap(e);
  bpi_examples_drop(e);
  return NULL;
}

bp_data *bp_data_load_csv(bp_ctx *ctx, const char *path, const char *target)
{
  bp_table *t;
  if (bp_csv_load(ctx, path, NULL, &t) != BP_OK)
    return NULL;
  bp_data *d = bp_data_from_table(ctx, t, target);
  bp_table_free(t);
  return d;
}

/* ---- from arrays ---- */

static bp_status take_labels(bpi_examples *e, const bp_ndarray *x, const bp_ndarray *labels)
{
  bp_status s = bp_labels_check(x, labels, 0, &e->classes);
  if (s != BP_OK)
    return s;
  s = check_count(e);
  if (s != BP_OK)
    return s;
  e->labels = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->labels);
  return e->labels ? bp_convert(labels->data, labels->store, e->rows, BP_INT64, e->labels) : bpi_nomem();
}

static bp_status finite_values(const float *x, int64_t n, int64_t cols)
{
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(x[i]))
      return bpi_fail(BP_E_NOTFINITE, "row %lld, column %lld is not a finite number",
                      (long long)(i / cols) + 1, (long long)(i % cols) + 1);
  return BP_OK;
}

static bp_status take_values(bpi_examples *e, const bp_ndarray *x)
{
  if (x->rank < 2 || x->dims[0] < 1 || x->size < 1)
    return bpi_fail(BP_E_SHAPE,
                    "examples need a first axis of rows and at least one value each; the array has rank %d "
                    "and %lld elements",
                    x->rank, (long long)x->size);
  e->rows = x->dims[0];
  e->cols = x->size / x->dims[0];
  e->image = x->store == BP_STORE_UINT8 && x->rank >= 3;
  if (x->store == BP_STORE_UINT8) {
    e->pixels = bpi_alloc(e->ctx, (size_t)x->size, 1);
    if (e->pixels)
      memcpy(e->pixels, x->data, (size_t)x->size);
    return e->pixels ? BP_OK : bpi_nomem();
  }
  if (!room_for(e, e->rows, e->cols))
    return bpi_nomem();
  bp_status s = bp_convert(x->data, x->store, x->size, BP_FLOAT32, e->x);
  return s == BP_OK ? finite_values(e->x, x->size, e->cols) : s;
}

bp_data *bp_data_from_arrays(bp_ctx *ctx, const bp_ndarray *x, const bp_ndarray *labels)
{
  if (!ctx || !x || !x->data || (labels && !labels->data)) {
    bpi_bad_arg("bp_data_from_arrays", "ctx, x or the data of x or labels is NULL");
    return NULL;
  }
  bpi_examples *e = bpi_examples_new(ctx);
  bp_status s = e ? take_values(e, x) : BP_E_NOMEM;
  if (s == BP_OK && labels)
    s = take_labels(e, x, labels);
  if (s == BP_OK)
    return bpi_data_wrap(e);
  bpi_examples_drop(e);
  return NULL;
}

/* ---- from memory ---- */

static bp_status take_memory(bpi_examples *e, const float *x, const int64_t *labels, const float *y,
                             int64_t n_y)
{
  int64_t n = e->rows * e->cols;
  memcpy(e->x, x, (size_t)n * sizeof *x);
  bp_status s = finite_values(e->x, n, e->cols);
  if (s == BP_OK && labels) {
    e->labels = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->labels);
    if (!e->labels)
      return bpi_nomem();
    for (int64_t i = 0; i < e->rows; i++) {
      if (labels[i] < 0 || labels[i] > INT32_MAX - 1)
        return bpi_fail(BP_E_RANGE, "bp_data_new: label %lld of row %lld is no class number",
                        (long long)labels[i], (long long)i + 1);
      e->labels[i] = labels[i];
      e->classes = labels[i] >= e->classes ? labels[i] + 1 : e->classes;
    }
    return check_count(e);
  }
  if (s == BP_OK && y) {
    e->n_y = n_y;
    e->y = bpi_alloc(e->ctx, (size_t)(e->rows * n_y), sizeof *y);
    if (!e->y)
      return bpi_nomem();
    memcpy(e->y, y, (size_t)(e->rows * n_y) * sizeof *y);
    s = finite_values(e->y, e->rows * n_y, n_y);
  }
  return s;
}

bp_data *bp_data_new(bp_ctx *ctx, int64_t rows, int64_t cols, const float *x, const int64_t *labels,
                     const float *y, int64_t n_y)
{
  int64_t size;
  if (!ctx || !x || rows < 1 || cols < 1 || (y && n_y < 1) || (labels && y) || !bpi_mul(rows, cols, &size) ||
      (y && !bpi_mul(rows, n_y, &size))) {
    bpi_bad_arg("bp_data_new", "needs ctx, x, at least one row and column, and labels or y but not both");
    return NULL;
  }
  bpi_examples *e = bpi_examples_new(ctx);
  bp_status s = !e ? BP_E_NOMEM : room_for(e, rows, cols) ? take_memory(e, x, labels, y, n_y) : bpi_nomem();
  if (s == BP_OK)
    return bpi_data_wrap(e);
  bpi_examples_drop(e);
  return NULL;
}

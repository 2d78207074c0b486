/* Data sets from arrays and memory. */
#include "train/examples.h"

#include <math.h>
#include <string.h>

enum { SPARSE_CLASSES = 65536 };

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

/* NaN: a missing value. */
static bp_status check_values(bpi_examples *e)
{
  int64_t cols = e->cols;
  for (int64_t i = 0; i < e->rows * cols; i++) {
    e->missing = e->missing || isnan(e->x[i]);
    if (isinf(e->x[i]))
      return bpi_fail(BP_E_NOTFINITE, "row %lld, column %lld is not a finite number",
                      (long long)(i / cols) + 1, (long long)(i % cols) + 1);
  }
  return BP_OK;
}

static bp_status finite_values(const float *x, int64_t n, int64_t cols)
{
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(x[i]))
      return bpi_fail(BP_E_NOTFINITE, "row %lld, column %lld is not a finite number",
                      (long long)(i / cols) + 1, (long long)(i % cols) + 1);
  return BP_OK;
}

/* [rows, height, width] and [rows, height, width, channels] are images. */
static void take_shape(bpi_examples *e, const bp_ndarray *x)
{
  e->image = x->store == BP_STORE_UINT8 && x->rank >= 3;
  if (x->rank != 3 && x->rank != 4)
    return;
  e->shape[0] = x->dims[1];
  e->shape[1] = x->dims[2];
  e->shape[2] = x->rank == 4 ? x->dims[3] : 1;
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
  take_shape(e, x);
  if (x->store == BP_STORE_UINT8) {
    e->pixels = bpi_alloc(e->ctx, (size_t)x->size, 1);
    if (e->pixels)
      memcpy(e->pixels, x->data, (size_t)x->size);
    return e->pixels ? BP_OK : bpi_nomem();
  }
  if (!room_for(e, e->rows, e->cols))
    return bpi_nomem();
  bp_status s = bp_convert(x->data, x->store, x->size, BP_FLOAT32, e->x);
  return s == BP_OK ? check_values(e) : s;
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

static bp_status copy_names(bp_ctx *ctx, const char *target, const char *const *names, int64_t n,
                            bpi_field *f)
{
  f->name = bpi_strdup(ctx, target);
  f->texts = bpi_zalloc(ctx, (size_t)n, sizeof *f->texts);
  f->n = f->texts ? n : 0;
  bool good = f->name && f->texts;
  for (int64_t k = 0; good && k < n; k++)
    good = (f->texts[k] = bpi_strdup(ctx, names[k])) != NULL;
  if (!good)
    return bpi_nomem();
  return bpi_fields_check(ctx, f, 1) == BP_OK ? BP_OK
                                              : bpi_bad_arg("bp_data_name_classes", "two names are the same");
}

bp_status bp_data_name_classes(bp_data *d, const char *target, const char *const *names, int64_t n)
{
  if (!d || !target || !names || !d->all->labels || n < d->all->classes)
    return bpi_bad_arg("bp_data_name_classes", "needs data with labels, and a name for each class");
  bpi_examples *e = d->all;
  if (atomic_load(&e->count) != 1 || e->targets)
    return bpi_fail(BP_E_ORDER, "bp_data_name_classes: the data have parts already, or names");
  bpi_field *f = bpi_fields_new(e->ctx, 1);
  bp_status s = f ? copy_names(e->ctx, target, names, n, f) : BP_E_NOMEM;
  if (s != BP_OK) {
    bpi_fields_free(e->ctx, f, 1);
    return s;
  }
  e->targets = f;
  e->n_targets = 1;
  e->classes = n;
  return BP_OK;
}

/* ---- from memory ---- */

static bp_status take_memory(bpi_examples *e, const float *x, const int64_t *labels, const float *y,
                             int64_t n_y)
{
  int64_t n = e->rows * e->cols;
  memcpy(e->x, x, (size_t)n * sizeof *x);
  bp_status s = check_values(e);
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

/* Data sets: storage, parts, rows on their way to a network. */
#include "train/examples.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AHEAD = 2, PREFETCH_MOST = 4096 }; /* rows; bytes of each */

bpi_examples *bpi_examples_new(bp_ctx *ctx)
{
  bpi_examples *e = bpi_zalloc(ctx, 1, sizeof *e);
  if (!e) {
    bpi_nomem();
    return NULL;
  }
  e->ctx = ctx;
  atomic_init(&e->count, 1);
  return e;
}

static void free_names(bp_ctx *ctx, char **names, int64_t n)
{
  for (int64_t i = 0; names && i < n; i++)
    bpi_free(ctx, names[i]);
  bpi_free(ctx, names);
}

void bpi_examples_drop(bpi_examples *e)
{
  if (!e || atomic_fetch_sub(&e->count, 1) != 1)
    return;
  bp_ctx *ctx = e->ctx;
  free_names(ctx, e->class_names, e->classes);
  free_names(ctx, e->col_names, e->cols);
  bpi_free(ctx, e->x);
  bpi_free(ctx, e->pixels);
  bpi_free(ctx, e->labels);
  bpi_free(ctx, e->y);
  bpi_free(ctx, e->target);
  bpi_free(ctx, e);
}

bp_data *bpi_data_wrap(bpi_examples *e)
{
  bp_data *d = e ? bpi_zalloc(e->ctx, 1, sizeof *d) : NULL;
  if (!d) {
    if (e)
      bpi_nomem();
    bpi_examples_drop(e);
    return NULL;
  }
  d->all = e;
  d->n = e->rows;
  return d;
}

void bp_data_free(bp_data *d)
{
  if (!d)
    return;
  bp_ctx *ctx = d->all->ctx;
  bpi_free(ctx, d->rows);
  bpi_examples_drop(d->all);
  bpi_free(ctx, d);
}

/* A part that shares the storage. */
static bp_data *part_of(const bp_data *d, const int64_t *at, int64_t n)
{
  bp_ctx *ctx = d->all->ctx;
  bp_data *part = bpi_zalloc(ctx, 1, sizeof *part);
  int64_t *rows = bpi_alloc(ctx, (size_t)n, sizeof *rows);
  if (!part || !rows) {
    bpi_free(ctx, part);
    bpi_free(ctx, rows);
    bpi_nomem();
    return NULL;
  }
  for (int64_t i = 0; i < n; i++)
    rows[i] = bpi_data_at(d, at[i]);
  atomic_fetch_add(&d->all->count, 1);
  *part = (bp_data){d->all, rows, n};
  return part;
}

/* Labels of the rows of d, in a list of its own; NULL where there are none or memory ran out. */
static int64_t *labels_of(const bp_data *d)
{
  int64_t *labels = d->all->labels ? bpi_alloc(d->all->ctx, (size_t)d->n, sizeof *labels) : NULL;
  for (int64_t i = 0; labels && i < d->n; i++)
    labels[i] = d->all->labels[bpi_data_at(d, i)];
  return labels;
}

/* The first n of the rows at[0..d->n), and the others. */
static bp_status part_in_two(const bp_data *d, const int64_t *at, int64_t n, bp_data **rest,
                             bp_data **held_out)
{
  *held_out = part_of(d, at, n);
  *rest = part_of(d, at + n, d->n - n);
  if (*held_out && *rest)
    return BP_OK;
  bp_data_free(*held_out);
  bp_data_free(*rest);
  *rest = *held_out = NULL;
  return BP_E_NOMEM;
}

bp_status bp_data_split(const bp_data *d, double fraction, uint64_t seed, bp_data **rest, bp_data **held_out)
{
  if (!d || !rest || !held_out)
    return bpi_bad_arg("bp_data_split", "data, rest or held_out is NULL");
  *rest = *held_out = NULL;
  if (!(fraction > 0 && fraction < 1))
    return bpi_fail(BP_E_ARG, "bp_data_split: the fraction must lie between 0 and 1");
  if (d->n < 2)
    return bpi_fail(BP_E_ARG, "bp_data_split: %lld rows cannot be split", (long long)d->n);
  bp_ctx *ctx = d->all->ctx;
  int64_t *labels = labels_of(d), *at = bpi_alloc(ctx, (size_t)d->n, sizeof *at), n = 0;
  bp_status s = at && (labels || !d->all->labels) ? bp_split_rows(ctx, seed, d->n, labels, fraction, at, &n)
                                                  : bpi_nomem();
  n = n < 1 ? 1 : n > d->n - 1 ? d->n - 1 : n;
  if (s == BP_OK)
    s = part_in_two(d, at, n, rest, held_out);
  bpi_free(ctx, labels);
  bpi_free(ctx, at);
  return s;
}

bp_status bp_data_fold(const bp_data *d, int folds, int fold, uint64_t seed, bp_data **rest,
                       bp_data **held_out)
{
  if (!d || !rest || !held_out)
    return bpi_bad_arg("bp_data_fold", "data, rest or held_out is NULL");
  *rest = *held_out = NULL;
  bp_ctx *ctx = d->all->ctx;
  int64_t *labels = labels_of(d), *at = bpi_alloc(ctx, (size_t)d->n, sizeof *at), n = 0;
  bp_status s = at && (labels || !d->all->labels) ? bp_fold_rows(ctx, seed, d->n, labels, folds, fold, at, &n)
                                                  : bpi_nomem();
  if (s == BP_OK)
    s = part_in_two(d, at, n, rest, held_out);
  bpi_free(ctx, labels);
  bpi_free(ctx, at);
  return s;
}

/* ---- what is in it ---- */

int64_t bp_data_rows(const bp_data *d)
{
  return d ? d->n : 0;
}

int64_t bp_data_cols(const bp_data *d)
{
  return d ? d->all->cols : 0;
}

int64_t bp_data_classes(const bp_data *d)
{
  return d ? d->all->classes : 0;
}

const char *bp_data_class_name(const bp_data *d, int64_t i)
{
  return d && d->all->class_names && i >= 0 && i < d->all->classes ? d->all->class_names[i] : "";
}

const char *bp_data_col_name(const bp_data *d, int64_t i)
{
  return d && d->all->col_names && i >= 0 && i < d->all->cols ? d->all->col_names[i] : "";
}

int64_t bp_data_label(const bp_data *d, int64_t i)
{
  return d && d->all->labels && i >= 0 && i < d->n ? d->all->labels[bpi_data_at(d, i)] : -1;
}

bp_status bp_data_row(const bp_data *d, int64_t i, float *out)
{
  if (!d || !out)
    return bpi_bad_arg("bp_data_row", "data or out is NULL");
  if (i < 0 || i >= d->n)
    return bpi_fail(BP_E_RANGE, "bp_data_row: there is no row %lld", (long long)i);
  const bpi_examples *e = d->all;
  int64_t row = bpi_data_at(d, i);
  for (int64_t c = 0; c < e->cols; c++)
    out[c] = e->pixels ? (float)e->pixels[row * e->cols + c] : e->x[row * e->cols + c];
  return BP_OK;
}

/* ---- on the way to a network ---- */

/* A row whose columns stand in another order than the network's. */
static void gather_mixed(const bpi_examples *e, int64_t first, const bpi_scaling *s, bp_dtype real, void *out)
{
  for (int64_t c = 0; c < s->cols; c++) {
    int64_t i = first + s->column[c];
    float x = e->pixels ? (float)e->pixels[i] : e->x[i], y = (x - s->mean[c]) * s->scale[c];
    if (real == BP_FLOAT32)
      ((float *)out)[c] = y;
    else
      ((double *)out)[c] = (double)y;
  }
}

/* Where row at[i] lies; `size`: bytes of an element. */
static const char *row_at(const bp_data *d, int64_t row, size_t size)
{
  const bpi_examples *e = d->all;
  const char *base = e->pixels ? (const char *)e->pixels : (const char *)e->x;
  return base + (size_t)(bpi_data_at(d, row) * e->cols) * size;
}

/* Rows lie anywhere in memory, so each is asked for while those before it are at work. */
static void prefetch_row(const char *row, size_t bytes)
{
  for (size_t k = 0; k < bytes && k < PREFETCH_MOST; k += 64)
    __builtin_prefetch(row + k);
}

void bpi_data_gather(const bp_data *d, const int64_t *at, int64_t n, const bpi_scaling *s, bp_dtype real,
                     void *out)
{
  const bpi_examples *e = d->all;
  const bpi_kernels *kernels = bpi_kernels_for(bp_ctx_isa(e->ctx));
  size_t step = (size_t)s->cols * bp_dtype_size(real), size = e->pixels ? 1 : sizeof *e->x;
  for (int64_t i = 0; i < n; i++) {
    void *to = (char *)out + (size_t)i * step;
    if (i + AHEAD < n)
      prefetch_row(row_at(d, at[i + AHEAD], size), (size_t)e->cols * size);
    if (s->column)
      gather_mixed(e, bpi_data_at(d, at[i]) * e->cols, s, real, to);
    else
      kernels->standardise[real == BP_FLOAT64](s->cols, row_at(d, at[i], size), e->pixels != NULL, s->mean,
                                               s->scale, to);
  }
}

static double value_at(const bpi_examples *e, int64_t i)
{
  return e->pixels ? e->pixels[i] : (double)e->x[i];
}

static double target_at(const bpi_examples *e, int64_t i)
{
  return (double)e->y[i];
}

/* Mean and 1/deviation of columns [first, first + width) of `cols` together, in two passes: the deviation of large numbers that lie
 * close together comes out right. */
static void fit_columns(const bp_data *d, double (*at)(const bpi_examples *e, int64_t i), int64_t cols,
                        int64_t first, int64_t width, float *mean, float *scale)
{
  const bpi_examples *e = d->all;
  double sum = 0, square = 0, n = (double)d->n * (double)width;
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = first; c < first + width; c++)
      sum += at(e, bpi_data_at(d, i) * cols + c);
  double m = sum / n;
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = first; c < first + width; c++) {
      double off = at(e, bpi_data_at(d, i) * cols + c) - m;
      square += off * off;
    }
  double deviation = sqrt(square / n);
  /* A constant column is left out: what the network does with it was never learned. What varies by less than its rounding is noise. */
  bool constant = !(deviation > 1e-6 * fabs(m)) || !(deviation > 1e-30);
  for (int64_t c = first; c < first + width; c++) {
    mean[c] = (float)m;
    scale[c] = constant ? 0 : (float)(1 / deviation);
  }
}

void bpi_data_fit(const bp_data *d, float *mean, float *scale)
{
  int64_t cols = d->all->cols, width = d->all->image ? cols : 1;
  for (int64_t c = 0; c < cols; c += width)
    fit_columns(d, value_at, cols, c, width, mean, scale);
}

void bpi_data_fit_targets(const bp_data *d, float *mean, float *scale)
{
  for (int64_t k = 0; k < d->all->n_y; k++) {
    fit_columns(d, target_at, d->all->n_y, k, 1, mean, scale);
    scale[k] = scale[k] == 0 ? 1 : scale[k]; /* a constant target is all mean */
  }
}

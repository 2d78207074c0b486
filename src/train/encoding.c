/* Encodings: fitted on the training part, and applied to rows on their way to a network. */
#include "train/encoding.h"
#include "train/spool.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>

enum { AHEAD = 2, PREFETCH_MOST = 4096 }; /* rows; bytes of each */
enum { TAIL = 3 };                        /* deviations from the mean, from where on a value is far out */

void bpi_encoding_clear(bpi_encoding *e)
{
  if (!e->ctx)
    return;
  bpi_fields_free(e->ctx, e->fields, e->cols);
  void *own[] = {e->mean, e->scale, e->fill, e->codings, e->embedded};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(e->ctx, own[i]);
  *e = (bpi_encoding){0};
}

/* ---- layout ---- */

static bool embedded_column(const bpi_encoding *e, int64_t c)
{
  return e->codings && e->codings[c].embedded;
}

static int64_t dense_width(const bpi_encoding *e, int64_t c)
{
  const bpi_field *f = e->fields ? &e->fields[c] : NULL;
  if (embedded_column(e, c))
    return 0;
  return !f || !f->texts ? 1 : f->n > 1 ? f->n : 0; /* one category tells nothing */
}

bp_status bpi_encoding_layout(bpi_encoding *e)
{
  e->inputs = e->cols;
  if (!e->codings)
    return BP_OK;
  e->embedded = bpi_zalloc(e->ctx, (size_t)e->cols, sizeof *e->embedded);
  if (!e->embedded)
    return bpi_nomem();
  int64_t at = 0;
  for (int64_t c = 0; c < e->cols; c++) {
    bpi_coding *k = &e->codings[c];
    k->at = at;
    k->width = dense_width(e, c);
    at += k->width;
    k->missing = k->missing < 0 ? -1 : at++;
  }
  for (int64_t c = 0; c < e->cols; c++)
    if (embedded_column(e, c)) {
      e->codings[c].at = at++;
      e->codings[c].width = 1;
      e->embedded[e->n_embedded++] = e->fields[c].n;
    }
  e->inputs = at;
  return at ? BP_OK : bpi_fail(BP_E_ARG, "no column of the training data has two different values");
}

static bool has_input(const bpi_coding *k, int64_t input)
{
  return input == k->missing || (input >= k->at && input < k->at + k->width);
}

void bpi_encoding_name(const bpi_encoding *e, int64_t input, char *out, size_t size)
{
  int64_t c = e->codings ? 0 : input;
  while (e->codings && c < e->cols && !has_input(&e->codings[c], input))
    c++;
  *out = 0;
  if (!e->fields || c >= e->cols)
    return;
  const bpi_field *f = &e->fields[c];
  const bpi_coding *k = e->codings ? &e->codings[c] : NULL;
  if (k && input == k->missing)
    snprintf(out, size, "%s missing", f->name);
  else if (k && f->texts && !k->embedded)
    snprintf(out, size, "%s=%s", f->name, f->texts[input - k->at]);
  else
    snprintf(out, size, "%s", f->name);
}

/* ---- fitting ---- */

/* Sums over the rows of d: of one column each, or of all together. */
typedef struct moments {
  double *sum, *square; /* [cols] */
  int64_t *count;
  const bpi_encoding
      *within; /* values far out by its means and scales are brought to where that begins; NULL: they stay */
} moments;

typedef float (*value_at)(const bpi_examples *e, int64_t row, int64_t column);

static float target_at(const bpi_examples *e, int64_t row, int64_t column)
{
  return e->y[row * e->n_y + column];
}

static double held(const moments *m, double x, int64_t c)
{
  const bpi_encoding *e = m->within;
  if (!e || e->scale[c] == 0)
    return x;
  double mean = (double)e->mean[c], most = TAIL / (double)e->scale[c];
  return x < mean - most ? mean - most : x > mean + most ? mean + most : x; /* NaN stays */
}

/* Of a block, in two passes: the deviation of large numbers that lie close together comes out right. step: 0: all columns are one. */
static void add_up(const bp_data *d, value_at at, int64_t cols, int64_t step, moments *m)
{
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = 0; c < cols; c++) {
      double x = held(m, (double)at(d->all, bpi_data_at(d, i), c), c);
      m->sum[c * step] += isnan(x) ? 0 : x;
      m->count[c * step] += !isnan(x);
    }
  for (int64_t c = 0; c < (step ? cols : 1); c++)
    m->sum[c] /= (double)(m->count[c] ? m->count[c] : 1);
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = 0; c < cols; c++) {
      double off = held(m, (double)at(d->all, bpi_data_at(d, i), c), c) - m->sum[c * step];
      m->square[c * step] += isnan(off) ? 0 : off * off;
    }
}

/* Puts the moments of a block to those before it, and clears them (Chan, Golub & LeVeque 1983). */
static void put_together(moments *m, moments *block, int64_t cols)
{
  for (int64_t c = 0; c < cols; c++) {
    double n = (double)m->count[c], k = (double)block->count[c], apart = block->sum[c] - m->sum[c];
    if (k > 0) {
      m->sum[c] = n > 0 ? m->sum[c] + apart * k / (n + k) : block->sum[c];
      m->square[c] += block->square[c] + (n > 0 ? apart * apart * n * k / (n + k) : 0);
      m->count[c] += block->count[c];
    }
    block->sum[c] = block->square[c] = 0;
    block->count[c] = 0;
  }
}

static bool moments_make(bp_ctx *ctx, int64_t cols, moments *m)
{
  m->sum = bpi_zalloc(ctx, (size_t)cols, sizeof *m->sum);
  m->square = bpi_zalloc(ctx, (size_t)cols, sizeof *m->square);
  m->count = bpi_zalloc(ctx, (size_t)cols, sizeof *m->count);
  return m->sum && m->square && m->count;
}

static void moments_free(bp_ctx *ctx, moments *m)
{
  bpi_free(ctx, m->sum);
  bpi_free(ctx, m->square);
  bpi_free(ctx, m->count);
}

/* Of all rows of d. */
static bp_status add_all(const bp_data *d, value_at at, int64_t cols, int64_t step, moments *m)
{
  bp_ctx *ctx = d->all->ctx;
  moments part = {.within = m->within};
  const bp_data *block;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  bp_status s = moments_make(ctx, cols, m) && moments_make(ctx, cols, &part)
                    ? bpi_blocks_next(&blocks, &block)
                    : bpi_nomem();
  while (s == BP_OK && block) {
    add_up(block, at, cols, step, &part);
    put_together(m, &part, step ? cols : 1);
    s = bpi_blocks_next(&blocks, &block);
  }
  bpi_blocks_end(&blocks);
  moments_free(ctx, &part);
  return s;
}

/* 1/deviation. A constant column is left out: what the network does with it was never learned. What varies by less than its rounding is
 * noise. */
static float scale_of(const moments *m, int64_t c)
{
  double deviation = m->count[c] ? sqrt(m->square[c] / (double)m->count[c]) : 0;
  bool constant = !(deviation > 1e-6 * fabs(m->sum[c])) || !(deviation > 1e-30);
  return constant ? 0 : (float)(1 / deviation);
}

/* One mean and one scale for all columns, whose values are of one kind and have no tails. */
static bool as_pixels(const bpi_encoding *e, const bp_data *d, const bpi_encode_options *o)
{
  return d->all->image || (o->pixels && !e->codings);
}

static bp_status fit_numbers(bpi_encoding *e, const bp_data *d, const bpi_encode_options *o)
{
  moments m = {0};
  int64_t step = as_pixels(e, d, o) ? 0 : 1;
  bp_status s = add_all(d, bpi_raw_value, e->cols, step, &m);
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++) {
    e->fill[c] = (float)m.sum[c * step];
    e->mean[c] = o->raw ? 0 : e->fill[c];
    e->scale[c] = o->raw ? 1 : scale_of(&m, c * step);
    if (e->codings)
      e->codings[c].missing = step && m.count[c] && m.count[c] < d->n ? 0 : -1;
  }
  moments_free(e->ctx, &m);
  return s;
}

/* A few values far out make the deviation large, and all others small by it: so mean and deviation are taken once more, with those brought
 * near (winsorised). */
static bp_status fit_tails(bpi_encoding *e, const bp_data *d)
{
  moments m = {.within = e};
  bp_status s = add_all(d, bpi_raw_value, e->cols, 1, &m);
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++) {
    float scale = e->scale[c] == 0 ? 0 : scale_of(&m, c);
    if (scale == 0)
      continue;
    e->fill[c] = e->mean[c] = (float)m.sum[c];
    e->scale[c] = scale;
  }
  moments_free(e->ctx, &m);
  e->tails = true;
  return s;
}

bp_status bpi_data_fit_targets(const bp_data *d, float *mean, float *scale)
{
  moments m = {0};
  bp_ctx *ctx = d->all->ctx;
  bp_status s = add_all(d, target_at, d->all->n_y, 1, &m);
  for (int64_t k = 0; s == BP_OK && k < d->all->n_y; k++) {
    float by = scale_of(&m, k);
    mean[k] = (float)m.sum[k];
    scale[k] = by == 0 ? 1 : by; /* a constant target is all mean */
  }
  moments_free(ctx, &m);
  return s;
}

/* The categories of column c that are in some row, and the most common one of them. */
static void keep_seen(bpi_encoding *e, const int64_t *count, int64_t c)
{
  bpi_field *f = &e->fields[c];
  int64_t kept = 0, most = 0;
  for (int64_t k = 0; k < f->n; k++) {
    if (!count[k]) {
      bpi_free(e->ctx, f->texts[k]);
      continue;
    }
    if (count[k] > most) {
      most = count[k];
      e->fill[c] = (float)kept;
    }
    f->texts[kept++] = f->texts[k];
  }
  f->n = kept;
}

static void count_block(const bpi_encoding *e, const bp_data *d, int64_t *const *count)
{
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = 0; c < e->cols; c++) {
      float code = count[c] ? bpi_raw_value(d->all, bpi_data_at(d, i), c) : NAN;
      if (!isnan(code))
        count[c][(int64_t)code]++;
    }
}

/* How often each category of each column is in d; count[c] is NULL for numbers. */
static bp_status count_all(const bpi_encoding *e, const bp_data *d, int64_t **count)
{
  const bp_data *block = NULL;
  bpi_blocks blocks;
  bp_status s = BP_OK;
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++)
    if (e->fields[c].texts && !(count[c] = bpi_zalloc(e->ctx, (size_t)e->fields[c].n, sizeof **count)))
      s = bpi_nomem();
  bpi_blocks_begin(&blocks, d);
  if (s == BP_OK)
    s = bpi_blocks_next(&blocks, &block);
  while (s == BP_OK && block) {
    count_block(e, block, count);
    s = bpi_blocks_next(&blocks, &block);
  }
  bpi_blocks_end(&blocks);
  return s;
}

static bp_status fit_categories(bpi_encoding *e, const bp_data *d, int64_t embed_above)
{
  int64_t **count = bpi_zalloc(e->ctx, (size_t)e->cols, sizeof *count);
  bp_status s = count ? count_all(e, d, count) : bpi_nomem();
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++)
    if (count[c]) {
      e->fill[c] = e->mean[c] = 0;
      e->scale[c] = 1;
      keep_seen(e, count[c], c);
      e->codings[c].embedded = e->fields[c].n > embed_above;
    }
  for (int64_t c = 0; count && c < e->cols; c++)
    bpi_free(e->ctx, count[c]);
  bpi_free(e->ctx, count);
  return s;
}

static bool has_categories(const bpi_examples *e)
{
  for (int64_t c = 0; e->fields && c < e->cols; c++)
    if (e->fields[c].texts)
      return true;
  return false;
}

static bp_status refuse_value(const bpi_encoding *e, long long row, int64_t c)
{
  if (e->fields)
    return bpi_fail(BP_E_UNSUPPORTED, "row %lld has no value in column '%s', and missing values are refused",
                    row, e->fields[c].name);
  return bpi_fail(BP_E_UNSUPPORTED, "row %lld has no value in column %lld, and missing values are refused",
                  row, (long long)c + 1);
}

static bp_status refuse_block(const bpi_encoding *e, const bp_data *d, const int *column)
{
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = 0; c < e->cols; c++)
      if (isnan(bpi_raw_value(d->all, bpi_data_at(d, i), column ? column[c] : c)))
        return refuse_value(e, bpi_row_number(d, i), c);
  return BP_OK;
}

bp_status bpi_encoding_refuse(const bpi_encoding *e, const bp_data *d, const int *column)
{
  const bp_data *block;
  bpi_blocks blocks;
  if (!d->all->missing)
    return BP_OK;
  bpi_blocks_begin(&blocks, d);
  bp_status s = bpi_blocks_next(&blocks, &block);
  while (s == BP_OK && block) {
    s = refuse_block(e, block, column);
    if (s == BP_OK)
      s = bpi_blocks_next(&blocks, &block);
  }
  bpi_blocks_end(&blocks);
  return s;
}

bp_status bpi_encoding_check(const bpi_encoding *e, const float *x, int64_t rows, bool *missing)
{
  *missing = false;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t c = 0; c < e->cols; c++) {
      float v = x[i * e->cols + c];
      bool none = isnan(v), category = e->fields && e->fields[c].texts;
      *missing = *missing || none;
      if (none && e->refuse)
        return refuse_value(e, (long long)i + 1, c);
      if (!none && category && !(v >= 0 && v < (float)e->fields[c].n && v == floorf(v)))
        return bpi_fail(BP_E_RANGE, "row %lld, column '%s': there is no category number %g", (long long)i + 1,
                        e->fields[c].name, (double)v);
    }
  return BP_OK;
}

bp_status bpi_encoding_fit(bpi_encoding *e, const bp_data *d, const bpi_encode_options *o)
{
  const bpi_examples *all = d->all;
  *e = (bpi_encoding){.ctx = all->ctx, .cols = all->cols, .refuse = o->refuse};
  size_t n = (size_t)e->cols;
  e->mean = bpi_zalloc(e->ctx, n, sizeof *e->mean);
  e->scale = bpi_zalloc(e->ctx, n, sizeof *e->scale);
  e->fill = bpi_zalloc(e->ctx, n, sizeof *e->fill);
  bp_status s = e->mean && e->scale && e->fill ? bpi_fields_copy(e->ctx, all->fields, e->cols, &e->fields)
                                               : bpi_nomem();
  if (s == BP_OK && (has_categories(all) || all->missing)) {
    e->codings = bpi_zalloc(e->ctx, n, sizeof *e->codings);
    s = e->codings ? BP_OK : bpi_nomem();
  }
  if (s == BP_OK && o->refuse)
    s = bpi_encoding_refuse(e, d, NULL);
  if (s == BP_OK)
    s = fit_numbers(e, d, o);
  if (s == BP_OK && !o->raw && !as_pixels(e, d, o))
    s = fit_tails(e, d);
  if (s == BP_OK && has_categories(all))
    s = fit_categories(e, d, o->embed_above);
  return s == BP_OK ? bpi_encoding_layout(e) : s;
}

/* ---- encoding ---- */

static inline void put(void *out, bp_dtype real, int64_t i, float value)
{
  if (real == BP_FLOAT32)
    ((float *)out)[i] = value;
  else
    ((double *)out)[i] = (double)value;
}

/* One value; NaN: missing. */
static void encode_value(const bpi_encoding *e, int64_t c, float x, bp_dtype real, void *out)
{
  static const bpi_coding number = {.width = 1, .missing = -1};
  const bpi_coding *k = e->codings ? &e->codings[c] : &number;
  int64_t at = e->codings ? k->at : c;
  bool missing = isnan(x), one_hot = e->fields && e->fields[c].texts && !k->embedded;
  if (k->missing >= 0)
    put(out, real, k->missing, missing ? 1 : 0);
  x = missing ? e->fill[c] : x;
  if (!one_hot) {
    put(out, real, at, (x - e->mean[c]) * e->scale[c]);
    return;
  }
  for (int64_t i = 0; i < k->width; i++)
    put(out, real, at + i, i == (int64_t)x ? 1 : 0);
}

/* A row that has categories or missing values, or whose columns stand in another order than the network's. */
static void encode_row(const bpi_encoding *e, const bpi_match *m, const bpi_examples *all, int64_t row,
                       bp_dtype real, void *out)
{
  for (int64_t c = 0; c < e->cols; c++) {
    float x = bpi_raw_value(all, row, m->column ? m->column[c] : c);
    if (m->codes && m->codes[c] && !isnan(x)) {
      int32_t code = m->codes[c][(int64_t)x];
      x = code < 0 ? NAN : (float)code;
    }
    encode_value(e, c, x, real, out);
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

void bpi_data_gather(const bp_data *d, const int64_t *at, int64_t n, const bpi_encoding *e,
                     const bpi_match *m, bp_dtype real, void *out)
{
  const bpi_examples *all = d->all;
  const bpi_kernels *kernels = bpi_kernels_for(bp_ctx_isa(all->ctx));
  size_t step = (size_t)e->inputs * bp_dtype_size(real), size = all->pixels ? 1 : sizeof *all->x;
  bool plain = !e->codings && !m->column && !m->missing;
  for (int64_t i = 0; i < n; i++) {
    void *to = (char *)out + (size_t)i * step;
    if (i + AHEAD < n)
      prefetch_row(row_at(d, at[i + AHEAD], size), (size_t)all->cols * size);
    if (plain)
      kernels->standardise[real == BP_FLOAT64](e->cols, row_at(d, at[i], size), all->pixels != NULL, e->mean,
                                               e->scale, to);
    else
      encode_row(e, m, all, bpi_data_at(d, at[i]), real, to);
    if (e->tails)
      kernels->bend[real == BP_FLOAT64](e->inputs - e->n_embedded, TAIL, to);
  }
}

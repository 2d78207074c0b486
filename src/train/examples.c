/* Data sets: storage, and parts of it. */
#include "train/spool.h"
#include "base/text.h"

enum { MOST_NOTE = 600 };

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

void bpi_examples_drop(bpi_examples *e)
{
  if (!e || atomic_fetch_sub(&e->count, 1) != 1)
    return;
  bp_ctx *ctx = e->ctx;
  bpi_fields_free(ctx, e->fields, e->cols);
  bpi_fields_free(ctx, e->targets, e->n_targets);
  bpi_spool_free(e->spool);
  for (size_t i = 0; i < e->n_notes; i++)
    bpi_free(ctx, e->notes[i]);
  void *own[] = {e->notes, e->x, e->pixels, e->labels, e->y, e->weights, e->numbers};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
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
  bpi_rowset_free(ctx, &d->held);
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
  *part = (bp_data){.all = d->all, .rows = rows, .n = n, .part = true};
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

bp_status bp_data_part(const bp_data *d, const int64_t *at, int64_t n, bp_data **out)
{
  if (!d || !out || n < 0 || (n && !at))
    return bpi_bad_arg("bp_data_part", "data, at or out is NULL, or n is negative");
  *out = NULL;
  for (int64_t i = 0; i < n; i++)
    if (at[i] < 0 || at[i] >= d->n)
      return bpi_fail(BP_E_RANGE, "bp_data_part: there is no row %lld", (long long)at[i]);
  if (d->all->spool)
    return bpi_spool_part(d, at, n, out);
  *out = part_of(d, at, n);
  return *out ? BP_OK : bpi_nomem();
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
  if (d->all->spool)
    return bpi_spool_split(d, fraction, seed, rest, held_out);
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
  if (folds < 2 || folds > d->n || fold < 0 || fold >= folds)
    return bpi_bad_arg("bp_data_fold", "folds is not from 2 to the number of rows, or fold is none of them");
  if (d->all->spool)
    return bpi_spool_fold(d, folds, fold, seed, rest, held_out);
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

/* ---- messages ---- */

long long bpi_row_number(const bp_data *d, int64_t i)
{
  if (d->of)
    return bpi_spool_number(d->of, d->first + i);
  int64_t at = bpi_data_at(d, i);
  return d->all->numbers ? d->all->numbers[at] : (long long)d->all->first_row + at + 1;
}

/* ---- notes ---- */

bp_status bpi_examples_note(bpi_examples *e, const char *fmt, ...)
{
  char text[MOST_NOTE];
  va_list ap;
  va_start(ap, fmt);
  bpi_vformat(text, sizeof text, fmt, ap);
  va_end(ap);
  if (!bpi_grow(e->ctx, (void **)&e->notes, &e->notes_cap, e->n_notes, sizeof *e->notes) ||
      !(e->notes[e->n_notes] = bpi_strdup(e->ctx, text)))
    return bpi_nomem();
  e->n_notes++;
  return BP_OK;
}

const char *bp_data_note(const bp_data *d, int64_t i)
{
  return d && i >= 0 && (size_t)i < d->all->n_notes ? d->all->notes[i] : NULL;
}

/* ---- what is in it ---- */

int64_t bp_data_rows(const bp_data *d)
{
  return d ? d->n : 0;
}

int64_t bp_data_file_bytes(const bp_data *d)
{
  const bpi_spool *s = d ? d->all->spool : NULL;
  return s ? d->all->rows * s->stride * (int64_t)sizeof(float) : 0;
}

int64_t bp_data_cols(const bp_data *d)
{
  return d ? d->all->cols : 0;
}

int bp_data_shape(const bp_data *d, int64_t dims[3])
{
  bool image = d && dims && d->all->shape[0] > 0;
  for (int k = 0; dims && k < 3; k++)
    dims[k] = image ? d->all->shape[k] : k == 0 ? bp_data_cols(d) : 1;
  return image ? 3 : 1;
}

int64_t bp_data_classes(const bp_data *d)
{
  return d ? d->all->classes : 0;
}

const char *bp_data_class_name(const bp_data *d, int64_t i)
{
  const bpi_field *f = d && d->all->classes ? d->all->targets : NULL;
  return f && i >= 0 && i < f->n ? f->texts[i] : "";
}

const char *bp_data_col_name(const bp_data *d, int64_t i)
{
  const char *name = d && d->all->fields && i >= 0 && i < d->all->cols ? d->all->fields[i].name : NULL;
  return name ? name : "";
}

const char *bp_data_category(const bp_data *d, int64_t i, int64_t k)
{
  const bpi_field *f = d && d->all->fields && i >= 0 && i < d->all->cols ? &d->all->fields[i] : NULL;
  return f && f->texts && k >= 0 && k < f->n ? f->texts[k] : NULL;
}

int64_t bp_data_targets(const bp_data *d)
{
  return d ? d->all->n_y : 0;
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
  if (e->spool)
    return bpi_spool_row(d, i, out);
  int64_t row = bpi_data_at(d, i);
  for (int64_t c = 0; c < e->cols; c++)
    out[c] = bpi_raw_value(e, row, c);
  return BP_OK;
}

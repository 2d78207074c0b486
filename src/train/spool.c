/* Rows in a temporary file: reading them back, and leaving out some. */
#include "train/spool.h"
#include "base/tempfile.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 << 10, BLOCK_BYTES = 8 << 20 };

void bpi_spool_free(bpi_spool *s)
{
  if (!s)
    return;
  for (int64_t i = 0; s->rank && i < s->n_rank; i++)
    bpi_free(s->ctx, s->rank[i]);
  bpi_free(s->ctx, s->rank);
  bpi_free(s->ctx, s->ranked);
  bpi_free(s->ctx, s->column);
  bpi_free(s->ctx, s->keys);
  bpi_rowset_free(s->ctx, &s->skipped);
  if (s->fd >= 0)
    close(s->fd);
  bpi_free(s->ctx, s);
}

/* ---- room ---- */

bool bpi_weighted(const bpi_examples *e)
{
  return e->weights || (e->spool && e->spool->stride > e->spool->file_cols + e->n_targets);
}

static bool take_room(const bpi_examples *e, int64_t rows, bpi_examples *to)
{
  bp_ctx *ctx = e->ctx;
  int64_t size;
  to->rows = rows;
  if (!bpi_mul(rows, e->cols, &size))
    return false;
  to->x = bpi_alloc(ctx, (size_t)size, sizeof *to->x);
  to->labels = e->classes ? bpi_alloc(ctx, (size_t)rows, sizeof *to->labels) : NULL;
  to->y = e->n_y && bpi_mul(rows, e->n_y, &size) ? bpi_alloc(ctx, (size_t)size, sizeof *to->y) : NULL;
  to->weights = bpi_weighted(e) ? bpi_alloc(ctx, (size_t)rows, sizeof *to->weights) : NULL;
  return to->x && (to->labels || !e->classes) && (to->y || !e->n_y) && (to->weights || !bpi_weighted(e));
}

bpi_examples *bpi_spool_room(const bpi_examples *e, int64_t rows)
{
  bpi_examples *to = bpi_examples_new(e->ctx);
  if (!to)
    return NULL;
  to->cols = e->cols;
  to->missing = e->missing;
  to->n_y = e->n_y;
  to->classes = e->classes;
  bp_status s = bpi_fields_copy(e->ctx, e->fields, e->cols, &to->fields);
  if (s == BP_OK)
    s = bpi_fields_copy(e->ctx, e->targets, e->n_targets, &to->targets);
  if (s == BP_OK)
    to->n_targets = e->n_targets;
  if (s == BP_OK && !take_room(e, rows, to))
    s = bpi_nomem();
  if (s == BP_OK)
    return to;
  bpi_examples_drop(to);
  return NULL;
}

/* ---- reading back ---- */

static float ranked(const bpi_spool *s, int64_t column, float x)
{
  return s->rank[column] && !isnan(x) ? s->rank[column][(int64_t)x] : x;
}

static int64_t class_of(const bpi_spool *s, float x)
{
  int64_t k = 0;
  while (k < s->n_keys - 1 && s->keys[k] != (double)x)
    k++;
  return k;
}

static void unpack_row(const bpi_examples *e, const float *row, bpi_examples *to, int64_t at)
{
  const bpi_spool *s = e->spool;
  float *x = to->x + at * e->cols;
  for (int64_t c = 0; c < e->cols; c++)
    x[c] = row[s->column[c]];
  for (int64_t i = 0; i < s->n_ranked; i++) {
    int64_t c = s->ranked[i];
    x[c] = ranked(s, s->column[c], x[c]);
  }
  row += s->file_cols;
  for (int64_t k = 0; k < e->n_targets; k++) {
    float y = ranked(s, s->file_cols + k, row[k]);
    if (to->labels)
      to->labels[at] = s->keys ? class_of(s, y) : (int64_t)y;
    else if (to->y)
      to->y[at * e->n_y + k] = y;
  }
  if (to->weights)
    to->weights[at] = row[e->n_targets];
}

/* Rows [first, end) of the file but for those of a set. *n: how many. */
static bp_status read_rows(const bpi_examples *e, const bpi_rowset *without, int64_t first, int64_t end,
                           bpi_examples *to, int64_t at, int64_t *n)
{
  const bpi_spool *s = e->spool;
  int64_t row = s->stride * (int64_t)sizeof(float), piece = 1 + PIECE_BYTES / row;
  piece = end - first < piece ? end - first : piece;
  float *buffer = bpi_alloc(e->ctx, (size_t)piece, (size_t)row);
  bp_status st = buffer ? BP_OK : bpi_nomem();
  *n = 0;
  for (; st == BP_OK && first < end; first += piece) {
    piece = end - first < piece ? end - first : piece;
    st = bpi_temp_read(s->fd, buffer, (size_t)(piece * row), first * row);
    for (int64_t k = 0; st == BP_OK && k < piece; k++)
      if (!bpi_rowset_has(without, first + k))
        unpack_row(e, buffer + k * s->stride, to, at + (*n)++);
  }
  bpi_free(e->ctx, buffer);
  return st;
}

bp_status bpi_spool_read(const bpi_examples *e, int64_t first, int64_t n, bpi_examples *to, int64_t at)
{
  int64_t all;
  return read_rows(e, &(bpi_rowset){0}, first, first + n, to, at, &all);
}

/* ---- rows that are left out ---- */

int64_t bpi_spool_left_out(const bp_data *d, int64_t first, int64_t end)
{
  return bpi_rowset_before(&d->held, end) - bpi_rowset_before(&d->held, first);
}

bp_status bpi_spool_rows(const bp_data *d, int64_t first, int64_t end, bpi_examples *to, int64_t at,
                         int64_t *n)
{
  return read_rows(d->all, &d->held, first, end, to, at, n);
}

int64_t bpi_spool_at(const bp_data *d, int64_t i)
{
  return bpi_rowset_outside(&d->held, i);
}

long long bpi_spool_number(const bp_data *d, int64_t i)
{
  return (long long)bpi_rowset_outside(&d->all->spool->skipped, bpi_spool_at(d, i)) + 1;
}

bp_status bpi_spool_row(const bp_data *d, int64_t i, float *out)
{
  bpi_examples *one = bpi_spool_room(d->all, 1);
  bp_status s = one ? bpi_spool_read(d->all, bpi_spool_at(d, i), 1, one, 0) : BP_E_NOMEM;
  if (s == BP_OK)
    memcpy(out, one->x, (size_t)one->cols * sizeof *out);
  bpi_examples_drop(one);
  return s;
}

/* ---- blocks ---- */

void bpi_blocks_begin(bpi_blocks *b, const bp_data *d)
{
  *b = (bpi_blocks){.d = d};
}

bp_status bpi_blocks_next(bpi_blocks *b, const bp_data **block)
{
  const bpi_examples *e = b->d->all;
  *block = NULL;
  if (!e->spool) {
    *block = b->done ? NULL : b->d;
    b->done = true;
    return BP_OK;
  }
  int64_t rows = 1 + BLOCK_BYTES / (e->spool->stride * (int64_t)sizeof(float));
  if (!b->room && !(b->room = bpi_spool_room(e, rows)))
    return BP_E_NOMEM;
  b->block = (bp_data){.all = b->room, .of = b->d, .first = b->done_rows};
  while (b->block.n == 0 && b->next < e->rows) {
    int64_t end = b->next + rows < e->rows ? b->next + rows : e->rows;
    bp_status s = bpi_spool_rows(b->d, b->next, end, b->room, 0, &b->block.n);
    if (s != BP_OK)
      return s;
    b->next = end;
  }
  b->done_rows += b->block.n;
  *block = b->block.n ? &b->block : NULL;
  return BP_OK;
}

void bpi_blocks_end(bpi_blocks *b)
{
  bpi_examples_drop(b->room);
  b->room = NULL;
}

/* Rows as a network takes them, on their way into a spool file: their columns are known, and no value changes any more. */
#include "train/spool.h"
#include "base/tempfile.h"

#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

static bpi_spool *spool_of(const bpi_examples *e, int64_t memory)
{
  bp_ctx *ctx = e->ctx;
  bpi_spool *s = bpi_zalloc(ctx, 1, sizeof *s);
  if (!s)
    return NULL;
  *s = (bpi_spool){.ctx = ctx, .fd = -1, .memory = memory, .file_cols = e->cols};
  s->n_rank = e->cols + e->n_targets;
  s->stride = s->n_rank + (e->weights != NULL);
  s->column = bpi_alloc(ctx, (size_t)e->cols, sizeof *s->column);
  s->rank = bpi_zalloc(ctx, (size_t)s->n_rank, sizeof *s->rank);
  for (int64_t c = 0; s->column && c < e->cols; c++)
    s->column[c] = c;
  if (s->column && s->rank)
    return s;
  bpi_spool_free(s);
  return NULL;
}

static void pack_row(const bpi_examples *e, int64_t row, float *to)
{
  memcpy(to, e->x + row * e->cols, (size_t)e->cols * sizeof *to);
  to += e->cols;
  for (int64_t k = 0; k < e->n_targets; k++)
    to[k] = e->labels ? (float)e->labels[row] : e->y[row * e->n_y + k];
  if (e->weights)
    to[e->n_targets] = e->weights[row];
}

bp_status bpi_spool_append(bpi_examples *e, const bpi_examples *more)
{
  const bpi_spool *s = e->spool;
  int64_t bytes = s->stride * (int64_t)sizeof(float), piece = 1 + PIECE_BYTES / bytes;
  float *rows = bpi_alloc(e->ctx, (size_t)(more->rows < piece ? more->rows : piece), (size_t)bytes);
  bp_status st = rows ? BP_OK : bpi_nomem();
  for (int64_t i = 0, n; st == BP_OK && i < more->rows; i += n) {
    n = more->rows - i < piece ? more->rows - i : piece;
    for (int64_t k = 0; k < n; k++)
      pack_row(more, i + k, rows + k * s->stride);
    st = bpi_temp_write(s->fd, rows, (size_t)(n * bytes), (e->rows + i) * bytes);
  }
  bpi_free(e->ctx, rows);
  e->rows += st == BP_OK ? more->rows : 0;
  e->missing = e->missing || more->missing;
  return st;
}

bp_status bpi_spool_begin(bpi_examples *e, int64_t memory)
{
  bpi_examples memory_rows = *e;
  bpi_spool *s = spool_of(e, memory);
  bp_status st = s ? bpi_temp_open(&s->fd) : bpi_nomem();
  if (st != BP_OK) {
    bpi_spool_free(s);
    return st;
  }
  e->spool = s;
  e->rows = 0;
  st = bpi_spool_append(e, &memory_rows);
  void *own[] = {e->x, e->labels, e->y, e->weights};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(e->ctx, own[i]);
  e->x = e->y = e->weights = NULL;
  e->labels = NULL;
  return st;
}

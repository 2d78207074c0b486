#include "train/rowwindow.h"
#include "base/rng.h"
#include "base/tempfile.h"

enum {
  ORDER_STREAM =
      0x20000000, /* of shuffles, apart from random nodes and initialisers; a window of a spool adds its number + 1 */
  BLOCK_STREAM = 0x28000000, /* of the order of blocks */
  BLOCK_BYTES = 1 << 20,
  MOST_BYTES = 64 << 20
};

static bool spooled_room(bpi_window *w)
{
  const bpi_examples *e = w->data->all;
  const bpi_spool *s = e->spool;
  int64_t row = s->stride * (int64_t)sizeof(float),
          most = s->memory / 4 < MOST_BYTES ? s->memory / 4 : MOST_BYTES;
  w->block_rows = 1 + BLOCK_BYTES / row;
  w->n_blocks = (e->rows + w->block_rows - 1) / w->block_rows;
  w->at_once = most / (w->block_rows * row);
  w->at_once = w->at_once < 2 ? 2 : w->at_once > w->n_blocks ? w->n_blocks : w->at_once;
  w->blocks = bpi_alloc(e->ctx, (size_t)w->n_blocks, sizeof *w->blocks);
  w->order = bpi_alloc(e->ctx, (size_t)(w->at_once * w->block_rows), sizeof *w->order);
  w->held.all = bpi_spool_room(e, w->at_once * w->block_rows);
  w->rows = &w->held;
  return w->blocks && w->order && w->held.all;
}

bp_status bpi_window_open(bpi_window *w, const bp_data *d, uint64_t seed)
{
  *w = (bpi_window){.data = d, .seed = seed, .rows = d};
  if (d->all->spool)
    return spooled_room(w) ? BP_OK : bpi_nomem();
  w->order = bpi_alloc(d->all->ctx, (size_t)d->n, sizeof *w->order);
  return w->order ? BP_OK : bpi_nomem();
}

void bpi_window_close(bpi_window *w)
{
  if (!w->data)
    return;
  bp_ctx *ctx = w->data->all->ctx;
  bpi_examples_drop(w->held.all);
  bpi_free(ctx, w->order);
  bpi_free(ctx, w->blocks);
}

static int64_t last_row(const bpi_window *w, int64_t block)
{
  int64_t end = (block + 1) * w->block_rows, rows = w->data->all->rows;
  return end < rows ? end : rows;
}

static int64_t rows_of_block(const bpi_window *w, int64_t block)
{
  int64_t first = block * w->block_rows, end = last_row(w, block);
  return end - first - bpi_spool_left_out(w->data, first, end);
}

static int64_t window_end(const bpi_window *w, int64_t first)
{
  return first + w->at_once < w->n_blocks ? first + w->at_once : w->n_blocks;
}

/* The next window's blocks are asked for while this one is at work. */
static void ask_ahead(const bpi_window *w)
{
  const bpi_spool *s = w->data->all->spool;
  int64_t row = s->stride * (int64_t)sizeof(float);
  for (int64_t i = w->next; i < window_end(w, w->next); i++) {
    int64_t first = w->blocks[i] * w->block_rows;
    bpi_temp_soon(s->fd, first * row, (last_row(w, w->blocks[i]) - first) * row);
  }
}

static void shuffle_rows(bpi_window *w, uint32_t stream)
{
  bpi_permutation((bpi_key){.seed = w->seed, .step = w->epoch, .stream = stream}, w->n, w->order);
}

bp_status bpi_window_next(bpi_window *w)
{
  bp_status s = BP_OK;
  uint32_t number = (uint32_t)(w->next / w->at_once);
  w->n = 0;
  for (int64_t end = window_end(w, w->next); s == BP_OK && w->next < end; w->next++) {
    int64_t block = w->blocks[w->next], n;
    s = bpi_spool_rows(w->data, block * w->block_rows, last_row(w, block), w->held.all, w->n, &n);
    w->n += n;
  }
  w->held.n = w->n;
  shuffle_rows(w, ORDER_STREAM + 1 + number);
  ask_ahead(w);
  return s;
}

bp_status bpi_window_begin(bpi_window *w, int64_t epoch, int64_t row, int64_t *at)
{
  w->epoch = (uint32_t)epoch;
  *at = row;
  if (!w->data->all->spool) {
    w->n = w->data->n;
    shuffle_rows(w, ORDER_STREAM);
    return BP_OK;
  }
  bpi_permutation((bpi_key){.seed = w->seed, .step = w->epoch, .stream = BLOCK_STREAM}, w->n_blocks,
                  w->blocks);
  for (w->next = 0; w->next < w->n_blocks; w->next = window_end(w, w->next)) {
    int64_t rows = 0;
    for (int64_t i = w->next; i < window_end(w, w->next); i++)
      rows += rows_of_block(w, w->blocks[i]);
    if (*at < rows)
      break;
    *at -= rows;
  }
  return bpi_window_next(w);
}

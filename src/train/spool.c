/* Rows in a temporary file: reading them back, and leaving out some. */
#include "train/spool.h"
#include "base/rng.h"
#include "base/tempfile.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_SPLIT_STREAM = 0x53504f4c, PIECE_BYTES = 256 << 10, BLOCK_BYTES = 8 << 20 };

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

bp_status bpi_spool_read(const bpi_examples *e, int64_t first, int64_t n, bpi_examples *to, int64_t at)
{
  const bpi_spool *s = e->spool;
  size_t row = (size_t)s->stride * sizeof(float);
  int64_t piece = 1 + PIECE_BYTES / (int64_t)row;
  float *buffer = bpi_alloc(e->ctx, (size_t)(n < piece ? n : piece), row);
  bp_status st = buffer ? BP_OK : bpi_nomem();
  for (int64_t i = 0; st == BP_OK && i < n; i += piece) {
    int64_t m = n - i < piece ? n - i : piece;
    st = bpi_temp_read(s->fd, buffer, (size_t)m * row, (first + i) * (int64_t)row);
    for (int64_t k = 0; st == BP_OK && k < m; k++)
      unpack_row(e, buffer + k * s->stride, to, at + i + k);
  }
  bpi_free(e->ctx, buffer);
  return st;
}

/* ---- rows that are left out ---- */

/* How many of d's held-out rows come before that row of the file. */
static int64_t held_before(const bp_data *d, int64_t row)
{
  int64_t low = 0, high = d->n_held;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (d->held[middle] < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int64_t bpi_spool_left_out(const bp_data *d, int64_t first, int64_t end)
{
  return held_before(d, end) - held_before(d, first);
}

bp_status bpi_spool_rows(const bp_data *d, int64_t first, int64_t end, bpi_examples *to, int64_t at,
                         int64_t *n)
{
  bp_status s = BP_OK;
  *n = 0;
  for (int64_t k = held_before(d, first); s == BP_OK && first < end; k++) {
    int64_t stop = k < d->n_held && d->held[k] < end ? d->held[k] : end;
    if (stop > first)
      s = bpi_spool_read(d->all, first, stop - first, to, at + *n);
    *n += stop - first;
    first = stop + 1;
  }
  return s;
}

/* Where row i of d stands in the file: the row with i before it that are not held out. */
static int64_t file_row(const bp_data *d, int64_t i)
{
  int64_t low = i, high = i + d->n_held;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (middle + 1 - held_before(d, middle + 1) > i)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

bp_status bpi_spool_row(const bp_data *d, int64_t i, float *out)
{
  bpi_examples *one = bpi_spool_room(d->all, 1);
  bp_status s = one ? bpi_spool_read(d->all, file_row(d, i), 1, one, 0) : BP_E_NOMEM;
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
  b->block = (bp_data){.all = b->room};
  while (b->block.n == 0 && b->next < e->rows) {
    int64_t end = b->next + rows < e->rows ? b->next + rows : e->rows;
    bp_status s = bpi_spool_rows(b->d, b->next, end, b->room, 0, &b->block.n);
    if (s != BP_OK)
      return s;
    b->next = end;
  }
  *block = b->block.n ? &b->block : NULL;
  return BP_OK;
}

void bpi_blocks_end(bpi_blocks *b)
{
  bpi_examples_drop(b->room);
  b->room = NULL;
}

/* ---- splitting ---- */

/* Draws m of d's rows in one pass, ascending (Knuth, TAOCP vol. 2, 3.4.2, algorithm S). */
static void draw_rows(const bp_data *d, int64_t m, uint64_t seed, int64_t *out)
{
  bpi_key key = {.seed = seed, .stream = SPOOL_SPLIT_STREAM};
  int64_t seen = 0, taken = 0, held = 0;
  for (int64_t row = 0; taken < m; row++) {
    if (held < d->n_held && d->held[held] == row) {
      held++;
      continue;
    }
    if (bpi_uniform(key, (uint64_t)row) * (double)(d->n - seen) < (double)(m - taken))
      out[taken++] = row;
    seen++;
  }
}

static int64_t held_rows(const bp_data *d, double fraction)
{
  const bpi_spool *s = d->all->spool;
  double wanted = floor(fraction * (double)d->n + 0.5);
  int64_t fits = s->memory / 4 / ((s->stride + 4) * (int64_t)sizeof(float)),
          n = wanted < (double)fits ? (int64_t)wanted : fits;
  return n < 1 ? 1 : n > d->n - 1 ? d->n - 1 : n;
}

bp_status bpi_spool_part(const bp_data *d, const int64_t *at, int64_t n, bp_data **out)
{
  bpi_examples *e = bpi_spool_room(d->all, n);
  bp_status s = e ? BP_OK : BP_E_NOMEM;
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    s = bpi_spool_read(d->all, file_row(d, at[i]), 1, e, i);
  if (s != BP_OK) {
    bpi_examples_drop(e);
    return s;
  }
  *out = bpi_data_wrap(e);
  return *out ? BP_OK : BP_E_NOMEM;
}

/* The drawn rows in memory. */
static bp_status drawn_part(const bp_data *d, const int64_t *rows, int64_t n, bp_data **out)
{
  bpi_examples *e = bpi_spool_room(d->all, n);
  bp_status s = e ? BP_OK : BP_E_NOMEM;
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    s = bpi_spool_read(d->all, rows[i], 1, e, i);
  if (s != BP_OK) {
    bpi_examples_drop(e);
    return s;
  }
  *out = bpi_data_wrap(e);
  if (*out)
    (*out)->part = true;
  return *out ? BP_OK : BP_E_NOMEM;
}

/* What is left when these rows are held out too. */
static bp_status rest_of(const bp_data *d, const int64_t *rows, int64_t n, bp_data **out)
{
  bp_ctx *ctx = d->all->ctx;
  int64_t all = n + d->n_held, *held = bpi_alloc(ctx, (size_t)all, sizeof *held);
  *out = held ? bpi_zalloc(ctx, 1, sizeof **out) : NULL;
  if (!*out) {
    bpi_free(ctx, held);
    return bpi_nomem();
  }
  for (int64_t i = 0, k = 0; i + k < all;) {
    bool mine = k == d->n_held || (i < n && rows[i] < d->held[k]);
    held[i + k] = mine ? rows[i] : d->held[k];
    i += mine;
    k += !mine;
  }
  atomic_fetch_add(&d->all->count, 1);
  **out = (bp_data){.all = d->all, .n = d->n - n, .held = held, .n_held = all, .part = true};
  return BP_OK;
}

bp_status bpi_spool_split(const bp_data *d, double fraction, uint64_t seed, bp_data **rest,
                          bp_data **held_out)
{
  bp_ctx *ctx = d->all->ctx;
  int64_t n = held_rows(d, fraction), *rows = bpi_alloc(ctx, (size_t)n, sizeof *rows);
  if (!rows)
    return bpi_nomem();
  draw_rows(d, n, seed, rows);
  bp_status s = drawn_part(d, rows, n, held_out);
  if (s == BP_OK)
    s = rest_of(d, rows, n, rest);
  bpi_free(ctx, rows);
  return s;
}

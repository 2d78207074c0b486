/* Streams of CSV as a network takes them. */
#include "train/columnlist.h"
#include "train/net.h"
#include "train/spool.h"
#include "train/tablereader.h"

#include <string.h>

enum { ROWS = 4096 };

/* ---- what is expected of the columns ---- */

typedef struct expecting {
  bp_csv *c;
  const bp_net *net;
  int64_t target; /* of options.target: the next */
} expecting;

static bp_csv_kind kind_of(const bpi_field *f)
{
  return f->texts || f->loose ? BP_CSV_TEXT : BP_CSV_NUMBERS;
}

static bp_status expect_field(expecting *e, const bpi_field *f)
{
  int c = bpi_column_named(bp_csv_table(e->c), f->name);
  return c < 0 ? BP_OK : bp_csv_expect(e->c, c, kind_of(f));
}

static bp_status expect_target(void *arg, int column)
{
  expecting *e = arg;
  int64_t k = e->target++;
  bool known = k < e->net->n_targets;
  return bp_csv_expect(e->c, column, known ? kind_of(&e->net->targets[k]) : BP_CSV_AUTO);
}

static bp_status expect_weights(void *arg, int column)
{
  return bp_csv_expect(((expecting *)arg)->c, column, BP_CSV_NUMBERS);
}

/* By position: the columns besides the targets. */
static bp_status expect_in_order(expecting *e, const bool *taken)
{
  const bpi_encoding *code = &e->net->encoding;
  int64_t to = 0;
  bp_status s = BP_OK;
  for (int c = 0; s == BP_OK && c < bp_table_columns(bp_csv_table(e->c)); c++)
    if (!taken[c] && to < code->cols) {
      s = bp_csv_expect(e->c, c, code->fields ? kind_of(&code->fields[to]) : BP_CSV_NUMBERS);
      to++;
    }
  return s;
}

static bp_status take(void *arg, int column)
{
  ((bool *)arg)[column] = true;
  return BP_OK;
}

static bp_status expect_by_position(expecting *e, const bp_data_options *o)
{
  const bp_table *t = bp_csv_table(e->c);
  bp_ctx *ctx = e->net->ctx;
  bool *taken = bpi_zalloc(ctx, (size_t)bp_table_columns(t), sizeof *taken);
  bp_status s = taken ? bpi_each_column(ctx, t, o->target, take, taken) : bpi_nomem();
  for (int64_t k = 0; s == BP_OK && !o->target && k < e->net->n_targets; k++) {
    int c = bpi_column_named(t, e->net->targets[k].name);
    if (c >= 0)
      taken[c] = true;
  }
  if (s == BP_OK)
    s = expect_in_order(e, taken);
  bpi_free(ctx, taken);
  return s;
}

bp_status bp_net_expect(const bp_net *net, bp_csv *c, const bp_data_options *options)
{
  static const bp_data_options none;
  if (!net || !c)
    return bpi_bad_arg("bp_net_expect", "net or stream is NULL");
  const bp_data_options *o = options ? options : &none;
  const bpi_encoding *code = &net->encoding;
  expecting e = {c, net, 0};
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bp_table_columns(bp_csv_table(c)); i++)
    s = bp_csv_expect(c, i, BP_CSV_SKIP);
  if (!code->fields || o->by_position)
    s = s == BP_OK ? expect_by_position(&e, o) : s;
  for (int64_t i = 0; s == BP_OK && code->fields && !o->by_position && i < code->cols; i++)
    s = expect_field(&e, &code->fields[i]);
  for (int64_t k = 0; s == BP_OK && !o->target && !o->inputs_only && k < net->n_targets; k++)
    s = expect_field(&e, &net->targets[k]);
  if (s == BP_OK && !o->inputs_only)
    s = bpi_each_column(net->ctx, bp_csv_table(c), o->target, expect_target, &e);
  return s == BP_OK ? bpi_each_column(net->ctx, bp_csv_table(c), o->weights, expect_weights, &e) : s;
}

/* ---- all rows ---- */

static bool join(bp_ctx *ctx, void **to, int64_t had, const void *more, int64_t n, int64_t width, size_t size)
{
  if (!more)
    return true;
  void *p = bpi_realloc(ctx, *to, (size_t)((had + n) * width), size);
  if (!p)
    return false;
  *to = p;
  memcpy((char *)p + (size_t)(had * width) * size, more, (size_t)(n * width) * size);
  return true;
}

/* The rows of a block behind those before. */
static bp_status add_rows(bpi_examples *all, const bpi_examples *more)
{
  bp_ctx *ctx = all->ctx;
  bool room =
      join(ctx, (void **)&all->x, all->rows, more->x, more->rows, all->cols, sizeof *all->x) &&
      join(ctx, (void **)&all->labels, all->rows, more->labels, more->rows, 1, sizeof *all->labels) &&
      join(ctx, (void **)&all->y, all->rows, more->y, more->rows, more->n_y, sizeof *all->y) &&
      join(ctx, (void **)&all->weights, all->rows, more->weights, more->rows, 1, sizeof *all->weights);
  all->rows += more->rows;
  all->missing = all->missing || more->missing;
  return room ? BP_OK : bpi_nomem();
}

static int64_t bytes_of(const bpi_examples *e)
{
  return e->rows * (e->cols + e->n_y + 1) * (int64_t)sizeof(float) +
         (e->labels ? e->rows * (int64_t)sizeof *e->labels : 0);
}

/* Into memory while it fits there, else into a file. */
static bp_status take_rows(bpi_examples *all, const bpi_examples *more, int64_t memory)
{
  if (all->spool)
    return bpi_spool_append(all, more);
  bp_status s = add_rows(all, more);
  if (s != BP_OK || !memory || bytes_of(all) <= memory || !all->n_targets)
    return s;
  bpi_log(all->ctx, BP_LOG_INFO,
          "the data do not fit %lld bytes of memory: their rows go to a temporary file", (long long)memory);
  return bpi_spool_begin(all, memory);
}

static bp_status take_block(const bp_net *net, const bp_table *t, const bp_data_options *o, double *weight,
                            bp_data **all)
{
  bp_data *block = NULL;
  bp_status s = bpi_net_data(net, t, o, &block);
  if (s == BP_OK)
    s = bpi_sum_weights(block, weight);
  if (s == BP_OK && !*all) {
    *all = block;
    return BP_OK;
  }
  if (s == BP_OK) {
    s = take_rows((*all)->all, block->all, o ? o->memory : 0);
    bpi_unseen_join(&(*all)->all->unseen, &block->all->unseen);
    (*all)->n = (*all)->all->rows;
  }
  bp_data_free(block);
  return s;
}

/* Rows of a block: no more than the memory is for. */
static int64_t block_rows(const bp_net *net, int64_t memory)
{
  int64_t fit = memory / (int64_t)((size_t)(net->encoding.cols + net->outputs + 2) * sizeof(double));
  return !memory || fit > ROWS ? ROWS : fit < 1 ? 1 : fit;
}

static bp_status read_blocks(const bp_net *net, bp_csv *c, const bp_data_options *o, bp_data **out)
{
  double weight = 0;
  const bp_table *t;
  int64_t most = block_rows(net, o ? o->memory : 0);
  bp_status s = bp_csv_block(c, most, &t);
  if (s == BP_OK && bp_table_rows(t) == 0)
    return bpi_fail(BP_E_FORMAT, "there are no rows");
  for (bool more = true; s == BP_OK && more;) {
    s = take_block(net, t, o, &weight, out);
    if (s == BP_OK)
      s = bp_csv_block(c, most, &t);
    more = bp_table_rows(t) > 0;
  }
  bool none = s == BP_OK && bpi_weighted((*out)->all) && !(weight > 0);
  return none ? bpi_fail(BP_E_RANGE, "all weights are 0") : s;
}

bp_data *bp_data_read_for_net(const bp_net *net, bp_csv *c, const bp_data_options *options)
{
  bp_data *d = NULL;
  bp_status s = bp_net_expect(net, c, options);
  if (s == BP_OK)
    s = read_blocks(net, c, options, &d);
  if (s == BP_OK)
    return d;
  bp_data_free(d);
  return NULL;
}

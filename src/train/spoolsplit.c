/* Parts of a data set in a file: each class has its share of every part, found in two passes, whatever the number of rows. */
#include "data/strata.h"
#include "base/rng.h"
#include "train/spool.h"

#include <math.h>
#include <string.h>

enum { SPOOL_SPLIT_STREAM = 0x53504f4c, SPOOL_FOLD_STREAM = 0x53504644, PASS_BYTES = 1 << 20 };

/* ---- passes ---- */

typedef struct pass {
  const bp_data *d;
  bpi_key key;
  int64_t classes;     /* 1 where there are none */
  bpi_stratum *strata; /* [classes], by class: `n` rows of it that are to come, `take` of them to be drawn */
  bpi_rowset drawn;
  int64_t folds, fold;
  int64_t *seen, *start, *order; /* [classes] rows met, and the fold of the first; [classes, folds] */
  bool no_memory;
} pass;

typedef void (*see_row)(pass *p, int64_t row, int64_t label);

/* Every row of d with its class, in the order of the file; without classes there is nothing to read. */
static bp_status each_row(pass *p, see_row see)
{
  const bpi_examples *e = p->d->all;
  bp_status s = BP_OK;
  int64_t rows = 1 + PASS_BYTES / (e->spool->stride * (int64_t)sizeof(float)), got;
  bpi_examples *room = e->classes ? bpi_spool_room(e, rows) : NULL;
  if (e->classes && !room)
    return BP_E_NOMEM;
  for (int64_t first = 0; s == BP_OK && first < e->rows; first += rows) {
    int64_t end = first + rows < e->rows ? first + rows : e->rows;
    s = room ? bpi_spool_rows(p->d, first, end, room, 0, &got) : BP_OK;
    for (int64_t row = first, i = 0; s == BP_OK && row < end; row++)
      if (!bpi_rowset_has(&p->d->held, row)) {
        see(p, row, room ? room->labels[i] : 0);
        i++;
      }
  }
  bpi_examples_drop(room);
  return s == BP_OK && p->no_memory ? bpi_nomem() : s;
}

static void count_row(pass *p, int64_t row, int64_t label)
{
  (void)row;
  p->strata[label].n++;
}

static void draw(pass *p, int64_t row)
{
  p->no_memory = p->no_memory || !bpi_rowset_add(p->d->all->ctx, &p->drawn, row);
}

/* Of each class as many as are to be drawn (Knuth, TAOCP vol. 2, 3.4.2, algorithm S). */
static void draw_row(pass *p, int64_t row, int64_t label)
{
  bpi_stratum *c = &p->strata[label];
  bool taken = bpi_uniform(p->key, (uint64_t)row) * (double)c->n < (double)c->take;
  c->n--;
  c->take -= taken;
  if (taken)
    draw(p, row);
}

/* Rows of a class go round the folds, each round in another order; what is left over at the end begins where the class before it ended. */
static void deal_row(pass *p, int64_t row, int64_t label)
{
  int64_t i = p->seen[label]++, place = i % p->folds, *order = p->order + label * p->folds;
  int64_t left = p->strata[label].n - (i - place), round = left < p->folds ? left : p->folds;
  bpi_key key = p->key;
  key.step = (uint32_t)(i / p->folds);
  key.stream += (uint32_t)label;
  if (place == 0)
    bpi_permutation(key, round, order);
  if ((p->start[label] + order[place]) % p->folds == p->fold)
    draw(p, row);
}

static bool open_pass(pass *p)
{
  bp_ctx *ctx = p->d->all->ctx;
  size_t n = (size_t)p->classes;
  p->strata = bpi_zalloc(ctx, n, sizeof *p->strata);
  p->seen = bpi_zalloc(ctx, n, sizeof *p->seen);
  p->start = bpi_zalloc(ctx, n, sizeof *p->start);
  p->order = bpi_alloc(ctx, n * (size_t)(p->folds + 1), sizeof *p->order);
  for (int64_t c = 0; p->strata && c < p->classes; c++)
    p->strata[c].id = c;
  return p->strata && p->seen && p->start && p->order;
}

static void close_pass(pass *p)
{
  bp_ctx *ctx = p->d->all->ctx;
  void *own[] = {p->strata, p->seen, p->start, p->order};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  bpi_rowset_free(ctx, &p->drawn);
}

/* ---- parts ---- */

/* d without the rows of a set. */
static bp_status part_without(const bp_data *d, const bpi_rowset *rows, bp_data **out)
{
  bp_ctx *ctx = d->all->ctx;
  bp_data *part = bpi_zalloc(ctx, 1, sizeof *part);
  bool made = part && bpi_rowset_join(ctx, &part->held, &d->held) &&
              bpi_rowset_join(ctx, &part->held, rows) && bpi_rowset_index(ctx, &part->held);
  if (!made) {
    if (part)
      bpi_rowset_free(ctx, &part->held);
    bpi_free(ctx, part);
    return bpi_nomem();
  }
  atomic_fetch_add(&d->all->count, 1);
  part->all = d->all;
  part->n = d->all->rows - part->held.n;
  part->part = true;
  *out = part;
  return BP_OK;
}

/* The rows of d that a set does not have. */
static bp_status others(const bp_data *d, const bpi_rowset *rows, bpi_rowset *out)
{
  bool made = true;
  for (int64_t row = 0; made && row < d->all->rows; row++)
    if (!bpi_rowset_has(rows, row))
      made = bpi_rowset_add(d->all->ctx, out, row);
  return made ? BP_OK : bpi_nomem();
}

/* Rows of the file, n of them, in memory; which(arg, i) is the i-th. */
static bp_status rows_in_memory(const bp_data *d, int64_t (*which)(const void *arg, int64_t i),
                                const void *arg, int64_t n, bp_data **out)
{
  bpi_examples *e = bpi_spool_room(d->all, n);
  bp_status s = e ? BP_OK : BP_E_NOMEM;
  if (e)
    e->numbers = bpi_alloc(d->all->ctx, (size_t)n, sizeof *e->numbers);
  if (e && !e->numbers)
    s = bpi_nomem();
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    int64_t row = which(arg, i);
    e->numbers[i] = bpi_rowset_outside(&d->all->spool->skipped, row) + 1;
    s = bpi_spool_read(d->all, row, 1, e, i);
  }
  if (s != BP_OK) {
    bpi_examples_drop(e);
    return s;
  }
  *out = bpi_data_wrap(e);
  return *out ? BP_OK : BP_E_NOMEM;
}

typedef struct listed {
  const bp_data *d;
  const int64_t *at;
} listed;

static int64_t listed_row(const void *arg, int64_t i)
{
  const listed *l = arg;
  return bpi_spool_at(l->d, l->at[i]);
}

bp_status bpi_spool_part(const bp_data *d, const int64_t *at, int64_t n, bp_data **out)
{
  return rows_in_memory(d, listed_row, &(listed){d, at}, n, out);
}

static int64_t row_outside(const void *set, int64_t i)
{
  return bpi_rowset_outside(set, i);
}

/* ---- splitting ---- */

/* Both parts, or none. */
static bp_status give_back(bp_status s, bp_data **rest, bp_data **held_out)
{
  if (s == BP_OK)
    return s;
  bp_data_free(*rest);
  bp_data_free(*held_out);
  *rest = *held_out = NULL;
  return s;
}

static int64_t held_rows(const bp_data *d, double fraction)
{
  const bpi_spool *s = d->all->spool;
  double wanted = floor(fraction * (double)d->n + 0.5);
  int64_t fits = s->memory / 4 / ((s->stride + 4) * (int64_t)sizeof(float)),
          n = wanted < (double)fits ? (int64_t)wanted : fits;
  return n < 1 ? 1 : n > d->n - 1 ? d->n - 1 : n;
}

static pass pass_over(const bp_data *d, uint64_t seed, uint32_t stream)
{
  return (pass){
      .d = d, .key = {.seed = seed, .stream = stream}, .classes = d->all->classes ? d->all->classes : 1};
}

bp_status bpi_spool_split(const bp_data *d, double fraction, uint64_t seed, bp_data **rest,
                          bp_data **held_out)
{
  pass p = pass_over(d, seed, SPOOL_SPLIT_STREAM);
  int64_t n = held_rows(d, fraction);
  bpi_rowset kept = {0};
  bp_status s = open_pass(&p) ? each_row(&p, count_row) : bpi_nomem();
  if (s == BP_OK)
    bpi_strata_share(p.strata, (size_t)p.classes, (double)n / (double)d->n, n);
  if (s == BP_OK)
    s = each_row(&p, draw_row);
  if (s == BP_OK)
    s = others(d, &p.drawn, &kept);
  if (s == BP_OK && !bpi_rowset_index(d->all->ctx, &kept))
    s = bpi_nomem();
  if (s == BP_OK)
    s = rows_in_memory(d, row_outside, &kept, n, held_out);
  if (s == BP_OK) {
    (*held_out)->part = true;
    s = part_without(d, &p.drawn, rest);
  }
  bpi_rowset_free(d->all->ctx, &kept);
  close_pass(&p);
  return give_back(s, rest, held_out);
}

bp_status bpi_spool_fold(const bp_data *d, int folds, int fold, uint64_t seed, bp_data **rest,
                         bp_data **held_out)
{
  pass p = pass_over(d, seed, SPOOL_FOLD_STREAM);
  bpi_rowset kept = {0};
  p.folds = folds;
  p.fold = fold;
  bp_status s = open_pass(&p) ? each_row(&p, count_row) : bpi_nomem();
  for (int64_t c = 1; s == BP_OK && c < p.classes; c++)
    p.start[c] = (p.start[c - 1] + p.strata[c - 1].n) % folds;
  if (s == BP_OK)
    s = each_row(&p, deal_row);
  if (s == BP_OK)
    s = others(d, &p.drawn, &kept);
  if (s == BP_OK)
    s = part_without(d, &kept, held_out);
  if (s == BP_OK)
    s = part_without(d, &p.drawn, rest);
  bpi_rowset_free(d->all->ctx, &kept);
  close_pass(&p);
  return give_back(s, rest, held_out);
}

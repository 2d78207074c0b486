/* Data sets from tables: what each column is for, what is read of it, and which rows count. */
#include "data/table.h"
#include "train/columnlist.h"
#include "train/tablejudge.h"
#include "train/tablereader.h"
#include "train/tableuse.h"

#include <math.h>

enum { BLOCK_ROWS = 1024 };

typedef struct making {
  bp_ctx *ctx;
  const bp_table *t;
  bp_data_options o;
  bpi_examples *e;
  bpi_use *use;        /* [columns] */
  int *target;         /* [n_targets] columns, in the order asked for */
  bpi_reader *readers; /* of inputs: [e->cols] */
  int columns, n_targets;
  int64_t rows;
} making;

/* ---- inputs ---- */

static int inputs_of(const making *m)
{
  int n = 0;
  for (int c = 0; c < m->columns; c++)
    n += m->use[c].role == BPI_INPUT;
  return n;
}

static bp_status facts_of(const making *m, int c, bpi_column_facts *f)
{
  bp_column info;
  bp_status s = bp_table_column(m->t, c, &info);
  if (s != BP_OK)
    return s;
  *f = (bpi_column_facts){.name = info.name,
                          .use = &m->use[c],
                          .rows = m->rows,
                          .missing = info.missing,
                          .marks = info.marks,
                          .texts = bpi_table_texts(m->t, c),
                          .unnamed = m->t->columns[c].unnamed,
                          .counts = bpi_reader_counts_rows(m->t, c)};
  return BP_OK;
}

/* What cannot be learned from is left out. */
static bp_status judge_inputs(making *m)
{
  bp_status s = BP_OK;
  bpi_judging j;
  bpi_judging_begin(&j, m->e, inputs_of(m));
  for (int c = 0; s == BP_OK && c < m->columns; c++) {
    bpi_column_facts f;
    bool keep = true;
    if (m->use[c].role != BPI_INPUT)
      continue;
    s = facts_of(m, c, &f);
    if (s == BP_OK)
      s = bpi_judge_input(&j, &f, &keep);
    if (!keep)
      m->use[c].role = BPI_LEFT_OUT;
  }
  return bpi_judging_end(&j, s);
}

static bp_status open_input(making *m, int c, bpi_reader *r, bpi_field *f)
{
  bp_column info;
  const bpi_use *u = &m->use[c];
  bp_status s = bp_table_column(m->t, c, &info);
  if (s == BP_OK && !(f->name = bpi_strdup(m->ctx, info.name)))
    s = bpi_nomem();
  if (s != BP_OK)
    return s;
  if (u->categorical || (info.text && !u->numeric))
    return bpi_reader_categories(m->ctx, m->t, c, false, r, f);
  f->loose = info.text;
  s = bpi_reader_numbers(m->ctx, m->t, c, r);
  return s == BP_OK ? bpi_reader_check(m->ctx, r) : s;
}

static bp_status open_inputs(making *m)
{
  bpi_examples *e = m->e;
  bp_status s = judge_inputs(m);
  if (s != BP_OK)
    return s;
  e->cols = inputs_of(m);
  e->fields = bpi_fields_new(m->ctx, e->cols);
  m->readers = bpi_zalloc(m->ctx, (size_t)e->cols, sizeof *m->readers);
  s = e->fields && m->readers ? BP_OK : bpi_nomem();
  int64_t to = 0;
  for (int c = 0; s == BP_OK && c < m->columns; c++)
    if (m->use[c].role == BPI_INPUT) {
      s = open_input(m, c, &m->readers[to], &e->fields[to]);
      to++;
    }
  return s;
}

/* In blocks of rows, so that what is written stays near. */
static bp_status fill_inputs(making *m)
{
  bpi_examples *e = m->e;
  int64_t size;
  bool fits = bpi_mul(e->rows, e->cols, &size);
  e->x = fits ? bpi_alloc(m->ctx, (size_t)size, sizeof *e->x) : NULL;
  bp_status s = e->x ? BP_OK : bpi_nomem();
  for (int64_t first = 0; s == BP_OK && first < e->rows; first += BLOCK_ROWS)
    for (int64_t c = 0; s == BP_OK && c < e->cols; c++) {
      int64_t n = e->rows - first < BLOCK_ROWS ? e->rows - first : BLOCK_ROWS;
      s = bpi_reader_get(&m->readers[c], first, n, e->cols, e->x + first * e->cols + c);
    }
  for (int64_t i = 0; s == BP_OK && !e->missing && i < size; i++)
    e->missing = isnan(e->x[i]);
  return s;
}

/* ---- targets ---- */

static bp_status read_labels(making *m, const bpi_reader *r)
{
  bpi_examples *e = m->e;
  float *v = bpi_alloc(m->ctx, (size_t)e->rows, sizeof *v);
  e->labels = bpi_alloc(m->ctx, (size_t)e->rows, sizeof *e->labels);
  bp_status s = v && e->labels ? bpi_reader_get(r, 0, e->rows, 1, v) : bpi_nomem();
  for (int64_t i = 0; s == BP_OK && i < e->rows; i++)
    e->labels[i] = isnan(v[i]) ? -1 : (int64_t)v[i];
  e->classes = e->targets[0].n;
  bpi_free(m->ctx, v);
  return s;
}

static void drop_texts(bp_ctx *ctx, bpi_field *f)
{
  for (int64_t k = 0; f->texts && k < f->n; k++)
    bpi_free(ctx, f->texts[k]);
  bpi_free(ctx, f->texts);
  f->texts = NULL;
  f->n = 0;
}

/* Target k as numbers, in its place among the others. */
static bp_status read_numbers(making *m, int k)
{
  bpi_examples *e = m->e;
  bpi_reader r = {0};
  drop_texts(m->ctx, &e->targets[k]);
  bp_status s = bpi_reader_numbers(m->ctx, m->t, m->target[k], &r);
  if (s == BP_OK)
    s = bpi_reader_check(m->ctx, &r);
  if (s == BP_OK)
    s = bpi_reader_get(&r, 0, e->rows, e->n_y, e->y + k);
  bpi_reader_free(m->ctx, &r);
  return s;
}

/* One target: classes, or a number. */
static bp_status one_target(making *m)
{
  bpi_examples *e = m->e;
  const bpi_use *u = &m->use[m->target[0]];
  bpi_reader r = {0};
  bpi_column_facts f;
  bp_status s = facts_of(m, m->target[0], &f);
  if (s == BP_OK)
    s = bpi_judge_target(m->ctx, &f);
  if (s == BP_OK)
    s = bpi_reader_categories(m->ctx, m->t, m->target[0], !u->categorical, &r, &e->targets[0]);
  bool classes =
      !u->numeric && (u->categorical || r.info.text || bpi_counts_classes(r.keys, r.n_keys, e->rows));
  if (s == BP_OK && classes)
    s = read_labels(m, &r);
  bpi_reader_free(m->ctx, &r);
  if (s != BP_OK || classes)
    return s;
  e->n_y = 1;
  e->y = bpi_alloc(m->ctx, (size_t)e->rows, sizeof *e->y);
  return e->y ? read_numbers(m, 0) : bpi_nomem();
}

/* Several targets: all yes or no, or all numbers. */
static bp_status several_targets(making *m)
{
  bpi_examples *e = m->e;
  bool yes_no = true, any_text = false;
  e->n_y = m->n_targets;
  int64_t size;
  bool fits = bpi_mul(e->rows, e->n_y, &size);
  e->y = fits ? bpi_alloc(m->ctx, (size_t)size, sizeof *e->y) : NULL;
  bp_status s = e->y ? BP_OK : bpi_nomem();
  for (int k = 0; s == BP_OK && k < m->n_targets; k++) {
    bpi_reader r = {0};
    s = bpi_reader_categories(m->ctx, m->t, m->target[k], true, &r, &e->targets[k]);
    if (s == BP_OK)
      s = bpi_reader_get(&r, 0, e->rows, e->n_y, e->y + k);
    bool numeric = m->use[m->target[k]].numeric;
    yes_no = yes_no && s == BP_OK && !numeric &&
             bpi_two_valued(r.info.text ? e->targets[k].n : 0, r.keys, r.n_keys);
    any_text = any_text || (r.info.text && !numeric);
    bpi_reader_free(m->ctx, &r);
  }
  if (s == BP_OK && !yes_no && any_text)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "several targets must be all numbers, or all have two values each, like yes and no");
  for (int k = 0; s == BP_OK && !yes_no && k < m->n_targets; k++)
    s = read_numbers(m, k);
  return s;
}

static bp_status fill_targets(making *m)
{
  bpi_examples *e = m->e;
  if (m->n_targets == 0)
    return BP_OK;
  e->targets = bpi_fields_new(m->ctx, m->n_targets);
  if (!e->targets)
    return BP_E_NOMEM;
  e->n_targets = m->n_targets;
  for (int k = 0; k < m->n_targets; k++)
    if (!(e->targets[k].name = bpi_strdup(m->ctx, bpi_column_name(m->t, m->target[k]))))
      return bpi_nomem();
  return m->n_targets == 1 ? one_target(m) : several_targets(m);
}

bp_status bpi_read_weights(const bp_table *t, int column, bpi_examples *e)
{
  bpi_reader r = {0};
  e->weights = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->weights);
  bp_status s = e->weights ? bpi_reader_numbers(e->ctx, t, column, &r) : bpi_nomem();
  if (s == BP_OK)
    s = bpi_reader_get(&r, 0, e->rows, 1, e->weights);
  bpi_reader_free(e->ctx, &r);
  return s;
}

static bp_status fill_weights(making *m)
{
  bp_status s = BP_OK;
  for (int c = 0; s == BP_OK && c < m->columns; c++)
    if (m->use[c].role == BPI_WEIGHTS)
      s = bpi_read_weights(m->t, c, m->e);
  return s;
}

/* ---- rows ---- */

static bool has_target(const bpi_examples *e, int64_t row)
{
  if (e->labels && e->labels[row] < 0)
    return false;
  for (int64_t k = 0; e->y && k < e->n_y; k++)
    if (isnan(e->y[row * e->n_y + k]))
      return false;
  return true;
}

/* Leaves out the rows without a target. */
static bp_status keep_rows(bp_data *d)
{
  const bpi_examples *e = d->all;
  int64_t kept = 0;
  for (int64_t i = 0; i < e->rows; i++)
    kept += has_target(e, i);
  if (kept == e->rows)
    return BP_OK;
  if (kept == 0)
    return bpi_fail(BP_E_FORMAT, "the target '%s' has no value in any row", e->targets[0].name);
  d->rows = bpi_alloc(e->ctx, (size_t)kept, sizeof *d->rows);
  if (!d->rows)
    return bpi_nomem();
  d->n = 0;
  for (int64_t i = 0; i < e->rows; i++)
    if (has_target(e, i))
      d->rows[d->n++] = i;
  return bpi_note_unanswered(d->all, e->rows - kept);
}

bp_status bpi_sum_weights(const bp_data *d, double *sum)
{
  const bpi_examples *e = d->all;
  for (int64_t i = 0; e->weights && i < d->n; i++) {
    float w = e->weights[bpi_data_at(d, i)];
    if (!(w >= 0))
      return bpi_fail(BP_E_RANGE, "row %lld: a weight must be a number from 0 on", bpi_row_number(d, i));
    *sum += (double)w;
  }
  return BP_OK;
}

bp_status bpi_check_weights(const bp_data *d)
{
  double sum = 0;
  bp_status s = bpi_sum_weights(d, &sum);
  return s == BP_OK && d->all->weights && !(sum > 0) ? bpi_fail(BP_E_RANGE, "all weights are 0") : s;
}

/* ---- together ---- */

static bp_status make(making *m)
{
  bp_status s = bpi_table_uses(m->ctx, m->t, &m->o, m->use, m->target, &m->n_targets);
  if (s == BP_OK)
    s = open_inputs(m);
  if (s == BP_OK)
    s = fill_inputs(m);
  if (s == BP_OK)
    s = fill_targets(m);
  return s == BP_OK ? fill_weights(m) : s;
}

static bool begin(making *m, const bp_data_options *options)
{
  m->columns = bp_table_columns(m->t);
  m->rows = bp_table_rows(m->t);
  m->o = options ? *options : (bp_data_options){0};
  m->e = bpi_examples_new(m->ctx);
  m->use = bpi_zalloc(m->ctx, (size_t)m->columns, sizeof *m->use);
  m->target = bpi_alloc(m->ctx, (size_t)m->columns, sizeof *m->target);
  if (!m->e || !m->use || !m->target) {
    bpi_nomem();
    return false;
  }
  m->e->rows = m->rows;
  m->e->first_row = bp_table_first(m->t);
  return true;
}

static void end(making *m)
{
  for (int64_t c = 0; m->readers && c < m->e->cols; c++)
    bpi_reader_free(m->ctx, &m->readers[c]);
  bpi_free(m->ctx, m->readers);
  bpi_free(m->ctx, m->use);
  bpi_free(m->ctx, m->target);
}

bp_data *bp_data_from_table(bp_ctx *ctx, const bp_table *t, const bp_data_options *options)
{
  if (!ctx || !t) {
    bpi_bad_arg("bp_data_from_table", "ctx or table is NULL");
    return NULL;
  }
  making m = {.ctx = ctx, .t = t};
  bp_status s = begin(&m, options) ? make(&m) : BP_E_NOMEM;
  end(&m);
  if (s != BP_OK) {
    bpi_examples_drop(m.e);
    return NULL;
  }
  bp_data *d = bpi_data_wrap(m.e);
  s = d ? keep_rows(d) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bpi_check_weights(d);
  if (s == BP_OK)
    return d;
  bp_data_free(d);
  return NULL;
}

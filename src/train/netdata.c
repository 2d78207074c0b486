/* Tables as a network takes them. */
#include "train/columnlist.h"
#include "train/net.h"
#include "train/tablereader.h"

#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 1024 };

typedef struct fitting {
  const bp_net *net;
  const bp_table *t;
  bp_data_options o;
  bpi_examples *e;
  bpi_reader *readers; /* [cols] */
  int *column;         /* [cols] of the table */
  int *target;         /* [n_targets] of the table; -1: none */
  int64_t n_asked;     /* of options.target */
  bool answers;        /* the targets are there */
} fitting;

/* ---- which columns ---- */

static bool is_target(const fitting *f, int c)
{
  for (int64_t k = 0; f->answers && k < f->net->n_targets; k++)
    if (f->target[k] == c)
      return true;
  return false;
}

static bp_status no_column(const fitting *f, const char *name)
{
  const char *near = bpi_table_nearest(f->t, name);
  return bpi_fail(BP_E_MISMATCH, "column '%s' is missing, which the network was trained on%s%s%s", name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bp_status find_by_name(fitting *f)
{
  const bpi_encoding *e = &f->net->encoding;
  for (int64_t c = 0; c < e->cols; c++) {
    f->column[c] = bpi_column_named(f->t, e->fields[c].name);
    if (f->column[c] < 0)
      return no_column(f, e->fields[c].name);
  }
  return BP_OK;
}

static bp_status find_by_position(fitting *f)
{
  int n = bp_table_columns(f->t);
  int64_t cols = f->net->encoding.cols, to = 0;
  for (int c = 0; c < n; c++)
    if (!is_target(f, c) && to++ < cols)
      f->column[to - 1] = c;
  if (to == cols)
    return BP_OK;
  return bpi_fail(BP_E_MISMATCH, "the table has %lld columns%s, the network takes %lld", (long long)to,
                  f->answers ? " besides the target" : "", (long long)cols);
}

static bp_status take_target(void *arg, int column)
{
  fitting *f = arg;
  if (f->n_asked < f->net->n_targets)
    f->target[f->n_asked] = column;
  f->n_asked++;
  return BP_OK;
}

static bp_status asked_targets(fitting *f)
{
  bp_status s = bpi_each_column(f->net->ctx, f->t, f->o.target, take_target, f);
  if (s != BP_OK || f->n_asked == f->net->n_targets)
    return s;
  return bpi_fail(BP_E_ARG, "the network has %lld targets, and %lld are named", (long long)f->net->n_targets,
                  (long long)f->n_asked);
}

/* The targets asked for, else those that the network was trained on, if they are all there. */
static bp_status find_targets(fitting *f)
{
  const bp_net *net = f->net;
  int64_t found = 0;
  f->answers = true;
  if (f->o.target)
    return asked_targets(f);
  for (int64_t k = 0; k < net->n_targets; k++) {
    f->target[k] = bpi_column_named(f->t, net->targets[k].name);
    found += f->target[k] >= 0;
  }
  f->answers = found > 0 && found == net->n_targets;
  return BP_OK;
}

/* ---- values ---- */

/* Text in the place of a number. */
static bp_status no_number(const bpi_reader *r)
{
  int64_t row = 0;
  while (r->codes[row] < 0 || !isnan(r->by_code[r->codes[row]]))
    row++;
  return bpi_fail(BP_E_MISMATCH, "row %lld, column '%s': '%s' is no number",
                  (long long)(bp_table_first(r->t) + row) + 1, r->info.name,
                  bp_table_category(r->t, r->column, r->codes[row], NULL));
}

static bp_status open_reader(fitting *f, int64_t c)
{
  const bpi_encoding *e = &f->net->encoding;
  bpi_reader *r = &f->readers[c];
  if (e->fields && e->fields[c].texts)
    return bpi_reader_known(e->ctx, f->t, f->column[c], &e->fields[c], r);
  bp_status s = bpi_reader_numbers(e->ctx, f->t, f->column[c], r);
  for (int32_t k = 0; s == BP_OK && k < r->info.categories; k++)
    if (isnan(r->by_code[k]) && !(e->fields && e->fields[c].loose))
      return no_number(r);
  return s;
}

static bp_status unknown_category(const fitting *f, int64_t row, int64_t c)
{
  char text[64];
  bpi_reader_text(&f->readers[c], row, text, sizeof text);
  return bpi_fail(BP_E_MISMATCH,
                  "row %lld, column '%s': '%s' is a category that the training data did not have",
                  (long long)(bp_table_first(f->t) + row) + 1, f->readers[c].info.name, text);
}

/* What is missing, and what counts as that. */
static bp_status check_block(fitting *f, int64_t first, int64_t n)
{
  bpi_examples *e = f->e;
  const bpi_encoding *code = &f->net->encoding;
  for (int64_t c = 0; c < e->cols; c++)
    for (int64_t i = first; i < first + n; i++) {
      float *x = &e->x[i * e->cols + c];
      bool unknown = *x == BPI_UNKNOWN && f->readers[c].categories;
      if (!unknown && !isnan(*x))
        continue;
      if (unknown && !code->unknown_missing)
        return unknown_category(f, i, c);
      *x = NAN;
      e->missing = true;
      bpi_unseen_add(code, &e->unseen, unknown, e->first_row + i + 1, c);
    }
  return BP_OK;
}

static bp_status fill_inputs(fitting *f)
{
  bpi_examples *e = f->e;
  int64_t size;
  bool fits = bpi_mul(e->rows, e->cols, &size);
  e->x = fits ? bpi_alloc(e->ctx, (size_t)size, sizeof *e->x) : NULL;
  bp_status s = e->x ? BP_OK : bpi_nomem();
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++)
    s = open_reader(f, c);
  for (int64_t first = 0; s == BP_OK && first < e->rows; first += BLOCK_ROWS) {
    int64_t n = e->rows - first < BLOCK_ROWS ? e->rows - first : BLOCK_ROWS;
    for (int64_t c = 0; s == BP_OK && c < e->cols; c++)
      s = bpi_reader_get(&f->readers[c], first, n, e->cols, e->x + first * e->cols + c);
    if (s == BP_OK)
      s = check_block(f, first, n);
  }
  e->fitted = true;
  return s;
}

/* ---- answers ---- */

static bp_status no_answer(const fitting *f, int64_t row, int64_t k)
{
  return bpi_fail(BP_E_FORMAT, "row %lld has no value in the target column '%s'",
                  (long long)(bp_table_first(f->t) + row) + 1, bpi_column_name(f->t, f->target[k]));
}

static bp_status unknown_answer(const fitting *f, const bpi_reader *r, int64_t row)
{
  char text[64];
  bpi_reader_text(r, row, text, sizeof text);
  return bpi_fail(BP_E_MISMATCH, "row %lld: the network knows no class '%s'",
                  (long long)(bp_table_first(f->t) + row) + 1, text);
}

/* Target k as a column of values. */
static bp_status read_answers(fitting *f, int64_t k, int64_t step, float *out)
{
  const bpi_field *field = &f->net->targets[k];
  bpi_reader r = {0};
  bp_status s = field->texts ? bpi_reader_known(f->e->ctx, f->t, f->target[k], field, &r)
                             : bpi_reader_numbers(f->e->ctx, f->t, f->target[k], &r);
  if (s == BP_OK && r.info.text && !field->texts)
    s = bpi_fail(BP_E_MISMATCH, "column '%s' holds text, and the network predicts a number", r.info.name);
  if (s == BP_OK)
    s = bpi_reader_get(&r, 0, f->e->rows, step, out);
  for (int64_t i = 0; s == BP_OK && i < f->e->rows; i++)
    if (isnan(out[i * step]))
      s = no_answer(f, i, k);
    else if (r.categories && out[i * step] == BPI_UNKNOWN)
      s = unknown_answer(f, &r, i);
  bpi_reader_free(f->e->ctx, &r);
  return s;
}

static bp_status fill_labels(fitting *f)
{
  bpi_examples *e = f->e;
  float *v = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *v);
  e->labels = bpi_alloc(e->ctx, (size_t)e->rows, sizeof *e->labels);
  e->classes = f->net->classes;
  bp_status s = v && e->labels ? read_answers(f, 0, 1, v) : bpi_nomem();
  for (int64_t i = 0; s == BP_OK && i < e->rows; i++)
    e->labels[i] = (int64_t)v[i];
  bpi_free(e->ctx, v);
  return s;
}

static bp_status fill_answers(fitting *f)
{
  bpi_examples *e = f->e;
  if (!f->answers || f->o.inputs_only)
    return BP_OK;
  e->n_targets = f->net->n_targets;
  bp_status s = bpi_fields_copy(e->ctx, f->net->targets, e->n_targets, &e->targets);
  if (s != BP_OK || f->net->classes)
    return s == BP_OK ? fill_labels(f) : s;
  e->n_y = f->net->outputs;
  e->y = bpi_alloc(e->ctx, (size_t)(e->rows * e->n_y), sizeof *e->y);
  s = e->y ? BP_OK : bpi_nomem();
  for (int64_t k = 0; s == BP_OK && k < e->n_y; k++)
    s = read_answers(f, k, e->n_y, e->y + k);
  return s;
}

static bp_status take_weights(void *arg, int column)
{
  fitting *f = arg;
  if (f->e->weights)
    return bpi_fail(BP_E_ARG, "weights are one column");
  return bpi_read_weights(f->t, column, f->e);
}

/* ---- together ---- */

static bp_status fit(fitting *f)
{
  const bpi_encoding *e = &f->net->encoding;
  bp_status s = find_targets(f);
  if (s == BP_OK)
    s = e->fields && !f->o.by_position ? find_by_name(f) : find_by_position(f);
  if (s == BP_OK)
    s = bpi_fields_copy(e->ctx, e->fields, e->cols, &f->e->fields);
  if (s == BP_OK)
    s = fill_inputs(f);
  if (s == BP_OK)
    s = fill_answers(f);
  return s == BP_OK ? bpi_each_column(e->ctx, f->t, f->o.weights, take_weights, f) : s;
}

static void fitting_free(fitting *f)
{
  bp_ctx *ctx = f->net->ctx;
  for (int64_t c = 0; f->readers && c < f->net->encoding.cols; c++)
    bpi_reader_free(ctx, &f->readers[c]);
  void *own[] = {f->readers, f->column, f->target};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
}

static bool fitting_make(fitting *f, const bp_data_options *options)
{
  bp_ctx *ctx = f->net->ctx;
  size_t cols = (size_t)f->net->encoding.cols;
  f->o = options ? *options : (bp_data_options){0};
  f->e = bpi_examples_new(ctx);
  f->readers = bpi_zalloc(ctx, cols, sizeof *f->readers);
  f->column = bpi_alloc(ctx, cols, sizeof *f->column);
  f->target = bpi_alloc(ctx, (size_t)f->net->n_targets, sizeof *f->target);
  if (!f->e || !f->readers || !f->column || !f->target)
    return false;
  f->e->rows = bp_table_rows(f->t);
  f->e->cols = f->net->encoding.cols;
  f->e->first_row = bp_table_first(f->t);
  return true;
}

bp_status bpi_net_data(const bp_net *net, const bp_table *t, const bp_data_options *options, bp_data **out)
{
  fitting f = {.net = net, .t = t};
  bp_status s = fitting_make(&f, options) ? fit(&f) : bpi_nomem();
  fitting_free(&f);
  if (s != BP_OK) {
    bpi_examples_drop(f.e);
    return s;
  }
  *out = bpi_data_wrap(f.e);
  return *out ? BP_OK : BP_E_NOMEM;
}

bp_data *bp_data_for_net(const bp_net *net, const bp_table *t, const bp_data_options *options)
{
  bp_data *d = NULL;
  bp_status s =
      net && t ? bpi_net_data(net, t, options, &d) : bpi_bad_arg("bp_data_for_net", "net or table is NULL");
  if (s == BP_OK && bpi_check_weights(d) == BP_OK)
    return d;
  bp_data_free(d);
  return NULL;
}

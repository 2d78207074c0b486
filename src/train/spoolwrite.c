/* A CSV stream on its way into a spool file, in one pass: what its columns are is known at the end. */
#include "data/table.h"
#include "train/spool.h"
#include "train/tablereader.h"
#include "train/tableuse.h"
#include "train/tablejudge.h"
#include "base/sort.h"
#include "base/tempfile.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  MOST_KEYS = BPI_MOST_NUMBER_CLASSES,
  BUFFER_BYTES = 4 << 20,
  MOST_ROWS = 8192,
  WHOLE_FLOATS = 1 << 24
};

/* What is known of a column so far: its texts, or its moments and, while they are few, its different numbers. */
typedef struct growing {
  int column; /* of the table */
  bpi_use use;
  bool text;
  bpi_categories texts;
  int64_t n; /* numbers */
  double mean, square, lost;
  double keys[MOST_KEYS + 1];
  int n_keys;
  int64_t filled, marks; /* values that are not missing; and that are, as a mark says */
  double start;
  bool counts;               /* the rows, so far */
  const bpi_reason *dropped; /* too many texts to keep, nearly each another */
} growing;

typedef struct writing {
  bp_ctx *ctx;
  bp_csv *csv;
  const bp_data_options *o;
  const bp_table *t;
  bpi_examples *e;  /* what is made */
  bpi_spool *s;     /* of it */
  growing *columns; /* [n]: inputs, then targets */
  int64_t n;
  int weights; /* column of the table, or -1 */
  double weight;
  int64_t seen; /* rows */
  float *rows;  /* of a block */
  double *values;
  int64_t most; /* rows in it */
} writing;

static const char *name_of(const writing *w, int c)
{
  bp_column info = {.name = ""};
  bp_table_column(w->t, c, &info);
  return info.name;
}

/* ---- columns of a block ------------------------------------------------------------- */

static void add_key(growing *g, double x)
{
  int at = 0;
  if (g->n_keys > MOST_KEYS)
    return;
  while (at < g->n_keys && g->keys[at] < x)
    at++;
  if (at < g->n_keys && g->keys[at] == x)
    return;
  memmove(g->keys + at + 1, g->keys + at, (size_t)(MOST_KEYS - at) * sizeof *g->keys);
  g->keys[at] = x;
  g->n_keys++;
}

/* Moments of a block, put together with those before (Chan, Golub & LeVeque 1983). */
static void add_numbers(growing *g, const double *v, int64_t n, bool keys)
{
  double sum = 0, square = 0, count = 0;
  for (int64_t i = 0; i < n; i++) {
    bool there = v[i] == v[i];
    sum += there ? v[i] : 0;
    count += there;
  }
  if (count == 0)
    return;
  double mean = sum / count, apart = mean - g->mean, before = (double)g->n;
  for (int64_t i = 0; i < n; i++) {
    double off = v[i] - mean, error = fabs((double)(float)v[i] - v[i]);
    square += off == off ? off * off : 0;
    g->lost = error > g->lost ? error : g->lost;
    if (keys && v[i] == v[i])
      add_key(g, v[i]);
  }
  g->n += (int64_t)count;
  g->mean += apart * count / (before + count);
  g->square += square + apart * apart * before * count / (before + count);
}

/* Whether the numbers still only count the rows. */
static void count_rows(const writing *w, growing *g, int64_t n)
{
  int64_t first = bp_table_first(w->t);
  if (first == 0) {
    g->start = w->values[0];
    g->counts = true;
  }
  for (int64_t i = 0; g->counts && i < n; i++)
    g->counts = w->values[i] == g->start + (double)(first + i);
}

static bp_status put_numbers(writing *w, growing *g, int64_t n, float *to, bool keys)
{
  bp_status s = bp_table_numbers(w->t, g->column, 0, n, w->values);
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    if (fabs(w->values[i]) > (double)FLT_MAX)
      s = bpi_fail(BP_E_RANGE, "column '%s', row %lld: %g does not fit a 32-bit float", name_of(w, g->column),
                   (long long)bp_table_first(w->t) + i + 1, w->values[i]);
    to[i * w->s->stride] = (float)w->values[i];
  }
  if (s == BP_OK) {
    add_numbers(g, w->values, n, keys);
    count_rows(w, g, n);
  }
  return s;
}

/* Names and numbers of things are left out in the end, and need not be kept until then. */
static bp_status too_many_texts(const writing *w, growing *g)
{
  if (bpi_texts_scatter((int64_t)g->texts.n, g->filled) && !g->use.categorical) {
    g->dropped = bpi_scattered(&g->texts);
    bpi_categories_free(&g->texts);
    return BP_OK;
  }
  return bpi_fail(BP_E_LIMIT,
                  "column '%s' has more than %zu different texts by row %lld; if it names rows, ignore it, "
                  "as nothing can be learned from it; else allow more memory",
                  name_of(w, g->column), g->texts.n, (long long)bp_table_first(w->t) + 1);
}

/* Categories of a block, in the numbers of the file. */
static bp_status put_categories(writing *w, growing *g, int64_t n, float *to)
{
  bpi_reader r;
  bpi_field f = {0};
  bool marks = g->use.role == BPI_TARGET && !g->use.categorical;
  g->text = true;
  bp_status s = bpi_reader_categories(w->ctx, w->t, g->column, marks, &r, &f);
  int32_t *map = s == BP_OK ? bpi_alloc(w->ctx, (size_t)f.n, sizeof *map) : NULL;
  if (s == BP_OK && !map)
    s = bpi_nomem();
  for (int64_t k = 0; s == BP_OK && k < f.n; k++) {
    map[k] = bpi_categories_add(&g->texts, f.texts[k], strlen(f.texts[k]));
    s = map[k] < 0 ? bpi_nomem() : BP_OK;
  }
  if (s == BP_OK && ((int64_t)g->texts.texts_cap > w->s->memory / 16 || g->texts.n > BPI_MOST_CATEGORIES))
    s = too_many_texts(w, g);
  if (s == BP_OK)
    s = bpi_reader_get(&r, 0, n, w->s->stride, to);
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    float *x = to + i * w->s->stride;
    *x = isnan(*x) ? *x : (float)map[(int64_t)*x];
  }
  bpi_free(w->ctx, map);
  bpi_reader_free(w->ctx, &r);
  for (int64_t k = 0; f.texts && k < f.n; k++)
    bpi_free(w->ctx, f.texts[k]);
  bpi_free(w->ctx, f.texts);
  return s;
}

/* Text whose numbers are asked for. */
static bp_status put_read_numbers(writing *w, growing *g, int64_t n, float *to)
{
  bpi_reader r;
  bp_status s = bpi_reader_numbers(w->ctx, w->t, g->column, &r);
  if (s == BP_OK)
    s = bpi_reader_get(&r, 0, n, w->s->stride, to);
  bpi_reader_free(w->ctx, &r);
  return s;
}

static bp_status put_column(writing *w, int64_t i, int64_t n)
{
  growing *g = &w->columns[i];
  bp_column info;
  bp_status s = bp_table_column(w->t, g->column, &info);
  if (s != BP_OK || g->dropped)
    return s;
  g->filled += n - info.missing;
  g->marks += info.marks;
  if (g->use.categorical || (info.text && !g->use.numeric))
    return put_categories(w, g, n, w->rows + i);
  return info.text ? put_read_numbers(w, g, n, w->rows + i)
                   : put_numbers(w, g, n, w->rows + i, i >= w->e->cols);
}

/* ---- rows --------------------------------------------------------------------------- */

static bp_status put_weights(writing *w, int64_t n)
{
  if (w->weights < 0)
    return BP_OK;
  bp_status s = bp_table_numbers(w->t, w->weights, 0, n, w->values);
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    if (!(w->values[i] >= 0 && w->values[i] <= (double)FLT_MAX))
      s = bpi_fail(BP_E_RANGE, "row %lld: a weight must be a number from 0 on",
                   (long long)bp_table_first(w->t) + i + 1);
    w->rows[i * w->s->stride + w->n] = (float)w->values[i];
    w->weight += w->values[i];
  }
  return s;
}

static bool has_target(const writing *w, const float *row)
{
  for (int64_t k = w->s->file_cols; k < w->n; k++)
    if (isnan(row[k]))
      return false;
  return true;
}

static bool has_missing(const writing *w, const float *row)
{
  for (int64_t k = 0; k < w->e->cols; k++)
    if (isnan(row[k]))
      return true;
  return false;
}

/* Rows without a target are left out. *to: how many are not. */
static bp_status keep_rows(writing *w, int64_t n, int64_t *to)
{
  int64_t kept = 0, stride = w->s->stride;
  for (int64_t i = 0; i < n; i++) {
    float *row = w->rows + i * stride;
    if (!has_target(w, row)) {
      if (!bpi_rowset_add(w->ctx, &w->s->skipped, bp_table_first(w->t) + i))
        return bpi_nomem();
      continue;
    }
    w->e->missing = w->e->missing || has_missing(w, row);
    if (kept < i)
      memcpy(w->rows + kept * stride, row, (size_t)stride * sizeof *row);
    kept++;
  }
  *to = kept;
  return BP_OK;
}

static bp_status put_block(writing *w)
{
  int64_t n = bp_table_rows(w->t);
  bp_status s = BP_OK;
  w->seen = bp_table_first(w->t) + n;
  for (int64_t i = 0; s == BP_OK && i < w->n; i++)
    s = put_column(w, i, n);
  if (s == BP_OK)
    s = put_weights(w, n);
  if (s != BP_OK)
    return s;
  size_t row = (size_t)w->s->stride * sizeof *w->rows;
  int64_t kept = 0;
  s = keep_rows(w, n, &kept);
  if (s == BP_OK)
    s = bpi_temp_write(w->s->fd, w->rows, (size_t)kept * row, w->e->rows * (int64_t)row);
  w->e->rows += s == BP_OK ? kept : 0;
  return s;
}

/* Text that comes late sends back to the start. */
static bp_status start_over(writing *w)
{
  w->e->rows = 0;
  w->e->missing = false;
  bpi_rowset_free(w->ctx, &w->s->skipped);
  w->weight = 0;
  for (int64_t i = 0; i < w->n; i++) {
    growing *g = &w->columns[i];
    bpi_categories_clear(&g->texts);
    g->n = g->filled = g->marks = 0;
    g->n_keys = 0;
    g->counts = false;
    g->dropped = NULL;
    g->mean = g->square = g->lost = 0;
    g->text = false;
  }
  return bp_csv_again(w->csv);
}

static bp_status put_all(writing *w)
{
  for (;;) {
    bp_status s = bp_csv_block(w->csv, w->most, &w->t);
    if (s == BP_E_DTYPE)
      s = start_over(w);
    else if (s == BP_OK && bp_table_rows(w->t) == 0)
      return BP_OK;
    else if (s == BP_OK)
      s = put_block(w);
    if (s != BP_OK)
      return s;
  }
}

/* ---- what the columns are ----------------------------------------------------------- */

static int by_text(const void *a, const void *b, const void *arg)
{
  const bpi_categories *c = arg;
  return strcmp(bpi_categories_text(c, *(const int32_t *)a), bpi_categories_text(c, *(const int32_t *)b));
}

/* Categories in the order of their names, and their places in it. */
static bp_status name_texts(writing *w, growing *g, bpi_field *f, float **rank)
{
  size_t n = g->texts.n;
  int32_t *order = bpi_alloc(w->ctx, n, sizeof *order);
  f->texts = bpi_zalloc(w->ctx, n, sizeof *f->texts);
  *rank = bpi_alloc(w->ctx, n, sizeof **rank);
  bp_status s = order && f->texts && *rank ? BP_OK : bpi_nomem();
  f->n = s == BP_OK ? (int64_t)n : 0;
  for (size_t k = 0; s == BP_OK && k < n; k++)
    order[k] = (int32_t)k;
  if (s == BP_OK)
    bpi_sort(order, n, sizeof *order, by_text, &g->texts);
  for (size_t k = 0; s == BP_OK && k < n; k++) {
    (*rank)[order[k]] = (float)k;
    if (!(f->texts[k] = bpi_strdup(w->ctx, bpi_categories_text(&g->texts, order[k]))))
      s = bpi_nomem();
  }
  bpi_free(w->ctx, order);
  return s;
}

static bp_status name_keys(writing *w, const growing *g, bpi_field *f)
{
  f->texts = bpi_zalloc(w->ctx, (size_t)g->n_keys, sizeof *f->texts);
  if (!f->texts)
    return bpi_nomem();
  f->n = g->n_keys;
  for (int k = 0; k < g->n_keys; k++) {
    bpi_text t;
    bpi_text_init(&t, w->ctx);
    bpi_text_double(&t, g->keys[k]);
    if (!(f->texts[k] = bpi_text_take(&t)))
      return bpi_nomem();
  }
  return BP_OK;
}

static bp_status check_precision(const writing *w, const growing *g)
{
  double deviation = g->n ? sqrt(g->square / (double)g->n) : 0;
  if (g->lost <= 1e-3 * deviation || deviation == 0)
    return BP_OK;
  return bpi_reader_imprecise(name_of(w, g->column), g->mean, deviation);
}

static bp_status name_column(writing *w, int64_t i, bpi_field *f)
{
  growing *g = &w->columns[i];
  if (!f->name && !(f->name = bpi_strdup(w->ctx, name_of(w, g->column))))
    return bpi_nomem();
  return g->text ? name_texts(w, g, f, &w->s->rank[i]) : check_precision(w, g);
}

/* Classes have their numbers in the file as floats. */
static bool counts_classes(const writing *w, const growing *g)
{
  return !g->use.numeric && bpi_counts_classes(g->keys, g->n_keys, w->e->rows) &&
         g->keys[g->n_keys - 1] <= WHOLE_FLOATS;
}

static bp_status one_target(writing *w, growing *g, bpi_field *f)
{
  if (!g->text && !counts_classes(w, g)) {
    w->e->n_y = 1;
    return BP_OK;
  }
  bp_status s = g->text ? BP_OK : name_keys(w, g, f);
  w->s->keys = s == BP_OK && !g->text ? bpi_alloc(w->ctx, (size_t)g->n_keys, sizeof *w->s->keys) : NULL;
  if (w->s->keys) {
    memcpy(w->s->keys, g->keys, (size_t)g->n_keys * sizeof *g->keys);
    w->s->n_keys = g->n_keys;
  } else if (s == BP_OK && !g->text) {
    s = bpi_nomem();
  }
  w->e->classes = f->n;
  return s;
}

static bool two_valued(const growing *g)
{
  return (g->text || !g->use.numeric) && bpi_two_valued((int64_t)g->texts.n, g->keys, g->n_keys);
}

static bp_status several_targets(writing *w, growing *g, bpi_field *f, int64_t n)
{
  bool yes_no = true, text = false;
  bp_status s = BP_OK;
  w->e->n_y = n;
  for (int64_t k = 0; k < n; k++) {
    yes_no = yes_no && two_valued(&g[k]);
    text = text || g[k].text;
  }
  if (text && !yes_no)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "several targets must be all numbers, or all have two values each, like yes and no");
  for (int64_t k = 0; s == BP_OK && yes_no && k < n; k++)
    s = g[k].text ? BP_OK : name_keys(w, &g[k], &f[k]);
  return s;
}

static bp_status list_ranked(writing *w)
{
  bpi_spool *s = w->s;
  s->ranked = bpi_alloc(w->ctx, (size_t)w->e->cols, sizeof *s->ranked);
  for (int64_t i = 0; s->ranked && i < w->e->cols; i++)
    if (s->rank[s->column[i]])
      s->ranked[s->n_ranked++] = i;
  return s->ranked ? BP_OK : bpi_nomem();
}

static bpi_column_facts facts_of(const writing *w, const growing *g)
{
  return (bpi_column_facts){.name = name_of(w, g->column),
                            .use = &g->use,
                            .rows = w->seen,
                            .missing = w->seen - g->filled,
                            .marks = g->marks,
                            .texts = g->text && !g->dropped ? &g->texts : NULL,
                            .unnamed = w->t->columns[g->column].unnamed,
                            .counts = g->counts && w->seen > 1,
                            .scattered = g->dropped};
}

/* What cannot be learned from is left out, as of a table in memory. */
static bp_status keep_columns(writing *w)
{
  int64_t kept = 0, n = w->s->file_cols;
  w->s->column = bpi_alloc(w->ctx, (size_t)n, sizeof *w->s->column);
  bp_status s = w->s->column ? BP_OK : bpi_nomem();
  bpi_judging j;
  bpi_judging_begin(&j, w->e, n);
  for (int64_t i = 0; s == BP_OK && i < n; i++) {
    bpi_column_facts f = facts_of(w, &w->columns[i]);
    bool keep;
    s = bpi_judge_input(&j, &f, &keep);
    if (s == BP_OK && keep)
      w->s->column[kept++] = i;
  }
  w->e->cols = kept;
  return bpi_judging_end(&j, s);
}

static bp_status judge_targets(const writing *w)
{
  bp_status s = BP_OK;
  for (int64_t k = w->s->file_cols; s == BP_OK && k < w->n; k++) {
    bpi_column_facts f = facts_of(w, &w->columns[k]);
    s = bpi_judge_target(w->ctx, &f);
  }
  return s;
}

static bp_status finish_columns(writing *w)
{
  bpi_examples *e = w->e;
  bp_status s = BP_OK;
  if (e->rows == 0)
    return bpi_fail(BP_E_FORMAT, "the target '%s' has no value in any row",
                    name_of(w, w->columns[w->s->file_cols].column));
  if (w->weights >= 0 && !(w->weight > 0))
    return bpi_fail(BP_E_RANGE, "all weights are 0");
  s = bpi_rowset_index(w->ctx, &w->s->skipped) ? judge_targets(w) : bpi_nomem();
  if (s == BP_OK)
    s = keep_columns(w);
  if (s == BP_OK)
    s = bpi_note_unanswered(e, w->seen - e->rows);
  for (int64_t i = 0; s == BP_OK && i < e->cols; i++)
    s = name_column(w, w->s->column[i], &e->fields[i]);
  for (int64_t k = 0; s == BP_OK && k < e->n_targets; k++)
    s = name_column(w, w->s->file_cols + k, &e->targets[k]);
  if (s == BP_OK)
    s = list_ranked(w);
  if (s != BP_OK || e->n_targets == 0)
    return s;
  growing *g = w->columns + w->s->file_cols;
  return e->n_targets == 1 ? one_target(w, g, e->targets) : several_targets(w, g, e->targets, e->n_targets);
}

/* ---- together ----------------------------------------------------------------------- */

static bool take_columns(writing *w, const bpi_use *use, const int *target, int n_targets)
{
  bpi_examples *e = w->e;
  int columns = bp_table_columns(w->t);
  for (int c = 0; c < columns; c++) {
    e->cols += use[c].role == BPI_INPUT;
    w->weights = use[c].role == BPI_WEIGHTS ? c : w->weights;
  }
  e->n_targets = n_targets;
  w->s->file_cols = e->cols;
  w->n = e->cols + n_targets;
  w->s->n_rank = w->n;
  w->s->stride = w->n + (w->weights >= 0);
  w->columns = bpi_zalloc(w->ctx, (size_t)w->n, sizeof *w->columns);
  w->s->rank = bpi_zalloc(w->ctx, (size_t)w->n, sizeof *w->s->rank);
  e->fields = bpi_fields_new(w->ctx, e->cols);
  e->targets = n_targets ? bpi_fields_new(w->ctx, n_targets) : NULL;
  if (!w->columns || !w->s->rank || !e->fields || (n_targets && !e->targets))
    return false;
  for (int c = 0, to = 0; c < columns; c++)
    if (use[c].role == BPI_INPUT)
      w->columns[to++] = (growing){.column = c};
  for (int k = 0; k < n_targets; k++)
    w->columns[e->cols + k].column = target[k];
  for (int64_t i = 0; i < w->n; i++) {
    w->columns[i].use = use[w->columns[i].column];
    bpi_categories_init(&w->columns[i].texts, w->ctx);
  }
  return true;
}

static bp_status take_rows(writing *w)
{
  int64_t row = w->s->stride * (int64_t)sizeof *w->rows;
  w->most = 1 + BUFFER_BYTES / row;
  w->most = w->most < MOST_ROWS ? w->most : MOST_ROWS;
  w->rows = bpi_alloc(w->ctx, (size_t)w->most, (size_t)row);
  w->values = bpi_alloc(w->ctx, (size_t)w->most, sizeof *w->values);
  return w->rows && w->values ? bpi_temp_open(&w->s->fd) : bpi_nomem();
}

/* Who is what, and which columns need not be read. */
static bp_status take_uses(writing *w)
{
  int columns = bp_table_columns(w->t), n_targets = 0;
  bpi_use *use = bpi_zalloc(w->ctx, (size_t)columns, sizeof *use);
  int *target = bpi_alloc(w->ctx, (size_t)columns, sizeof *target);
  bp_status s = use && target ? bpi_table_uses(w->ctx, w->t, w->o, use, target, &n_targets) : bpi_nomem();
  for (int c = 0; s == BP_OK && c < columns; c++)
    if (use[c].role == BPI_IGNORED)
      s = bp_csv_expect(w->csv, c, BP_CSV_SKIP);
  if (s == BP_OK && !take_columns(w, use, target, n_targets))
    s = bpi_nomem();
  if (s == BP_OK && w->e->cols == 0)
    s = bpi_fail(BP_E_FORMAT, "the table has no column but the target");
  bpi_free(w->ctx, use);
  bpi_free(w->ctx, target);
  return s;
}

static void end_writing(writing *w)
{
  for (int64_t i = 0; w->columns && i < w->n; i++)
    bpi_categories_free(&w->columns[i].texts);
  bpi_free(w->ctx, w->columns);
  bpi_free(w->ctx, w->rows);
  bpi_free(w->ctx, w->values);
}

bp_status bpi_spool_csv(bp_ctx *ctx, bp_csv *c, const bp_data_options *o, int64_t memory, bp_data **out)
{
  writing w = {.ctx = ctx, .csv = c, .o = o, .t = bp_csv_table(c), .weights = -1};
  w.e = bpi_examples_new(ctx);
  w.s = w.e ? bpi_zalloc(ctx, 1, sizeof *w.s) : NULL;
  if (!w.s) {
    bpi_examples_drop(w.e);
    return bpi_nomem();
  }
  *w.s = (bpi_spool){.ctx = ctx, .fd = -1, .memory = memory};
  w.e->spool = w.s;
  bp_status s = take_uses(&w);
  if (s == BP_OK)
    s = take_rows(&w);
  if (s == BP_OK)
    s = put_all(&w);
  if (s == BP_OK)
    s = finish_columns(&w);
  end_writing(&w);
  if (s != BP_OK) {
    bpi_examples_drop(w.e);
    return s;
  }
  *out = bpi_data_wrap(w.e);
  return *out ? BP_OK : BP_E_NOMEM;
}

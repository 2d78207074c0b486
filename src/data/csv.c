/* CSV as a stream of tables, and as one. */
#include "base/twice.h"
#include "data/csv.h"
#include "data/csv_field.h"
#include "data/csv_header.h"

#include <string.h>

enum { CHUNK = 256 << 10 };

/* What the stream knows of a column beside its values. */
typedef struct hope {
  bool firm;           /* NUMBERS: text is an error */
  bpi_csv_place bad;   /* of the first inf or overflow; line 0: none */
  bpi_csv_place texts; /* of the first text where numbers were */
} hope;

struct bp_csv {
  bpi_csv in;
  bp_csv_header header;
  bp_table *t;
  hope *hopes;
  bool begun;    /* a block was asked for */
  bp_status end; /* of the stream, once it failed */
};

/* ---- fields ------------------------------------------------------------------------- */

static bp_status refuse_bad(const bp_csv *c, int i)
{
  return bpi_csv_fail_at(&c->in, BP_E_FORMAT, c->hopes[i].bad,
                         "not a finite number, in column \"%.60s\" of numbers; leave the field empty if the "
                         "value is missing",
                         bpi_categories_text(&c->t->names, i));
}

static bp_status refuse_text(const bp_csv *c, int i, const bpi_csv_field *f)
{
  return bpi_csv_fail(
      &c->in, BP_E_FORMAT, f->start,
      "text (\"%.*s\") in column \"%.60s\", which must hold numbers; leave the field empty if the "
      "value is missing",
      bpi_csv_shown(f->n, f->s), f->s, bpi_categories_text(&c->t->names, i));
}

static bp_status put_bad(bp_csv *c, int i, const bpi_csv_field *f)
{
  if (c->t->columns[i].kind > BPI_COLUMN_NUMBERS)
    return BP_OK;
  if (!c->hopes[i].bad.line)
    c->hopes[i].bad = bpi_csv_where(&c->in, f->start);
  if (c->hopes[i].firm)
    return refuse_bad(c, i);
  bpi_column_blank(c->t, &c->t->columns[i], false);
  return BP_OK;
}

static bp_status put_text(bp_csv *c, int i, const bpi_csv_field *f)
{
  bpi_column *col = &c->t->columns[i];
  if (c->hopes[i].firm)
    return refuse_text(c, i, f);
  bool late = col->kind == BPI_COLUMN_LATE;
  if (!bpi_column_text(c->t, col, f->s, f->n))
    return bpi_nomem();
  if (!late && col->kind == BPI_COLUMN_LATE)
    c->hopes[i].texts = bpi_csv_where(&c->in, f->start);
  return BP_OK;
}

/* Puts a field that is not a plain number into its column. */
static bp_status put_field(bp_csv *c, int i, const bpi_csv_field *f)
{
  bpi_column *col = &c->t->columns[i];
  double x = 0;
  if (col->kind >= BPI_COLUMN_LATE)
    return BP_OK;
  bool blank = bpi_csv_is_blank(f), text = col->kind == BPI_COLUMN_TEXT;
  bpi_csv_kind kind = blank ? BPI_CSV_MISSING : text ? BPI_CSV_TEXT : bpi_csv_classify(f, &x);
  if (kind == BPI_CSV_MISSING)
    bpi_column_missing(c->t, col);
  else if (kind == BPI_CSV_TEXT)
    return put_text(c, i, f);
  else if (kind == BPI_CSV_MARK)
    bpi_column_blank(c->t, col, true);
  else if (kind == BPI_CSV_BAD)
    return put_bad(c, i, f);
  else
    return bpi_column_number(c->t, col, x) ? BP_OK : bpi_nomem();
  return BP_OK;
}

/* ---- records ------------------------------------------------------------------------ */

static bp_status ragged(const bp_csv *c, const char *place, int fields)
{
  int n = c->t->n;
  if (fields < n)
    return bpi_csv_fail(&c->in, BP_E_FORMAT, place,
                        "the row ends after %d of %d fields; add the missing ones (empty if unknown)%s",
                        fields, n, fields == 1 ? ", or name another delimiter" : "");
  return bpi_csv_fail(&c->in, BP_E_FORMAT, place,
                      "the row has more than %d fields; a field that contains '%c' must be in quotes", n,
                      c->in.delimiter);
}

static bp_status read_record(bp_csv *c)
{
  bp_table *t = c->t;
  bool last = false;
  for (int i = 0; i < t->n; i++) {
    bpi_column *col = &t->columns[i];
    double x;
    if (last)
      return ragged(c, c->in.at - 1, i);
    if (col->kind <= BPI_COLUMN_NUMBERS && bpi_csv_quick_number(&c->in, &x, &last)) {
      if (!bpi_column_number(t, col, x))
        return bpi_nomem();
      continue;
    }
    bpi_csv_field f;
    bp_status s = bpi_csv_next(&c->in, &f);
    if (s == BP_OK)
      s = put_field(c, i, &f);
    if (s != BP_OK)
      return s;
    last = f.last;
  }
  return last ? BP_OK : ragged(c, c->in.at, t->n + 1);
}

/* At most `most` rows; where not all are wanted, no more than are at hand once there is one. *ended: there are no more. */
static bp_status read_rows(bp_csv *c, int64_t most, bool all, bool *ended)
{
  bp_table *t = c->t;
  bp_status s = BP_OK;
  *ended = false;
  while (s == BP_OK && t->rows < most) {
    bool found;
    bpi_csv_skip(&c->in);
    if (!all && t->rows && c->in.at == c->in.end)
      break;
    s = bpi_csv_record(&c->in, &found);
    *ended = s == BP_OK && !found;
    if (s != BP_OK || !found)
      break;
    s = bpi_table_room(t, most) ? read_record(c) : bpi_nomem();
    t->rows += s == BP_OK;
  }
  return s;
}

/* ---- the end ------------------------------------------------------------------------ */

static bp_status check_end(const bp_csv *c)
{
  if (c->t->first + c->t->rows == 0)
    return bpi_fail(BP_E_FORMAT, "%s: only a header: there are no rows below the names", c->in.name);
  for (int i = 0; i < c->t->n; i++)
    if (c->hopes[i].bad.line && c->t->columns[i].kind <= BPI_COLUMN_NUMBERS)
      return refuse_bad(c, i);
  return BP_OK;
}

static int first_late(const bp_csv *c)
{
  int i = 0;
  while (i < c->t->n && c->t->columns[i].kind != BPI_COLUMN_LATE)
    i++;
  return i;
}

static bp_status check_late(const bp_csv *c)
{
  int i = first_late(c);
  if (i == c->t->n)
    return BP_OK;
  return bpi_csv_fail_at(&c->in, BP_E_DTYPE, c->hopes[i].texts,
                         "text in column \"%.60s\", which held numbers before; it must be read as text from "
                         "the start",
                         bpi_categories_text(&c->t->names, i));
}

/* ---- the stream --------------------------------------------------------------------- */

static bp_status expect_texts(bp_csv *c, const bp_csv_options *o)
{
  bp_status s = BP_OK;
  int at;
  for (size_t i = 0; s == BP_OK && i < o->n_text; i++) {
    s = bp_table_find(c->t, o->text[i], &at);
    if (s == BP_OK)
      s = bp_csv_expect(c, at, BP_CSV_TEXT);
  }
  return s;
}

static bp_status begin_stream(bp_csv *c, const bp_csv_options *o)
{
  bpi_csv_begin(&c->in);
  bp_status s = bpi_csv_header(&c->in, c->t, o->header);
  c->hopes = s == BP_OK ? bpi_zalloc(c->in.ctx, (size_t)c->t->n, sizeof *c->hopes) : NULL;
  if (s == BP_OK && !c->hopes)
    s = bpi_nomem();
  return s == BP_OK ? expect_texts(c, o) : s;
}

static bp_status check_csv_options(const bp_csv_options *o)
{
  if (!o->delimiter || !strchr(",;|\t", o->delimiter))
    return bpi_fail(BP_E_ARG, "bp_csv_open: the delimiter must be a comma, semicolon, bar or tab");
  if (o->max_line < 0 || o->max_bytes < 0 || o->buffer < 0 || (unsigned)o->header > BP_CSV_HEADER_NO)
    return bpi_bad_arg("bp_csv_open", "an option is out of its range");
  return BP_OK;
}

static bp_csv *new_stream(bp_ctx *ctx, bp_source *source, const bp_csv_options *o)
{
  bp_csv *c = bpi_zalloc(ctx, 1, sizeof *c);
  if (!c)
    return NULL;
  c->header = o->header;
  c->in = (bpi_csv){.ctx = ctx,
                    .source = source,
                    .name = bpi_source_name(source),
                    .delimiter = o->delimiter,
                    .max_line = o->max_line,
                    .max_bytes = o->max_bytes,
                    .chunk = (size_t)o->buffer};
  c->t = bpi_table_new(ctx, c->in.name);
  if (c->t)
    return c;
  bp_csv_close(c);
  return NULL;
}

bp_status bp_csv_open(bp_ctx *ctx, bp_source *source, const bp_csv_options *options, bp_csv **out)
{
  if (!ctx || !source || !source->read || !out)
    return bpi_bad_arg("bp_csv_open", "ctx, source or out is NULL");
  bp_csv_options o = options ? *options : (bp_csv_options){0};
  o.delimiter = o.delimiter ? o.delimiter : ',';
  o.max_line = o.max_line ? o.max_line : (int64_t)64 << 20;
  o.buffer = o.buffer ? o.buffer : CHUNK;
  bp_status s = check_csv_options(&o);
  if (s != BP_OK)
    return s;
  bp_csv *c = new_stream(ctx, source, &o);
  s = c ? begin_stream(c, &o) : bpi_nomem();
  if (s == BP_OK)
    *out = c;
  else
    bp_csv_close(c);
  return s;
}

const bp_table *bp_csv_table(const bp_csv *c)
{
  return c ? c->t : NULL;
}

bp_status bp_csv_expect(bp_csv *c, int column, bp_csv_kind kind)
{
  if (!c || (unsigned)kind > BP_CSV_SKIP)
    return bpi_bad_arg("bp_csv_expect", "the stream is NULL, or the kind is none");
  if (column < 0 || column >= c->t->n)
    return bpi_fail(BP_E_RANGE, "bp_csv_expect: %s has no column %d", c->in.name, column);
  if (c->begun)
    return bpi_fail(BP_E_ORDER, "bp_csv_expect: a block was read already");
  bpi_column *col = &c->t->columns[column];
  c->hopes[column].firm = kind == BP_CSV_NUMBERS;
  if (kind == BP_CSV_TEXT)
    return bpi_column_restart(c->t, col) ? BP_OK : bpi_nomem();
  bpi_column_renew(c->t, col, kind == BP_CSV_SKIP ? BPI_COLUMN_SKIPPED : BPI_COLUMN_EMPTY);
  return BP_OK;
}

bp_csv_kind bp_csv_found(const bp_csv *c, int column)
{
  static const bp_csv_kind found[] = {[BPI_COLUMN_EMPTY] = BP_CSV_AUTO,
                                      [BPI_COLUMN_NUMBERS] = BP_CSV_NUMBERS,
                                      [BPI_COLUMN_TEXT] = BP_CSV_TEXT,
                                      [BPI_COLUMN_LATE] = BP_CSV_TEXT,
                                      [BPI_COLUMN_SKIPPED] = BP_CSV_SKIP};
  if (!c || column < 0 || column >= c->t->n)
    return BP_CSV_AUTO;
  return c->hopes[column].firm ? BP_CSV_NUMBERS : found[c->t->columns[column].kind];
}

bp_status bp_csv_block(bp_csv *c, int64_t most, const bp_table **table)
{
  if (!c || !table || most < 1)
    return bpi_bad_arg("bp_csv_block", "the stream or table is NULL, or most is under 1");
  if (c->end != BP_OK)
    return bpi_fail(BP_E_ORDER, "bp_csv_block: %s: the stream failed before", c->in.name);
  bool ended;
  bpi_table_clear(c->t, c->begun ? c->t->first + c->t->rows : 0);
  c->begun = true;
  bp_status s = read_rows(c, most, false, &ended);
  if (s == BP_OK)
    s = check_late(c);
  if (s == BP_OK && ended)
    s = check_end(c);
  c->end = s;
  *table = c->t;
  return s;
}

/* The header once more, and no more. */
static bp_status pass_header(bp_csv *c)
{
  bool found;
  bpi_csv_field f = {0};
  bp_status s = c->header == BP_CSV_HEADER_NO ? BP_OK : bpi_csv_record(&c->in, &found);
  for (f.last = c->header == BP_CSV_HEADER_NO || c->in.at == c->in.end; s == BP_OK && !f.last;)
    s = bpi_csv_next(&c->in, &f);
  return s;
}

static bp_status go_back(bp_csv *c)
{
  bp_status s = bpi_csv_rewind(&c->in);
  return s == BP_OK ? pass_header(c) : s;
}

bp_status bp_csv_again(bp_csv *c)
{
  if (!c)
    return bpi_bad_arg("bp_csv_again", "the stream is NULL");
  bp_status s = go_back(c);
  c->begun = false;
  bpi_table_clear(c->t, 0);
  c->t->cap = 0;
  for (int i = 0; s == BP_OK && i < c->t->n; i++) {
    bpi_column *col = &c->t->columns[i];
    bool text = col->kind == BPI_COLUMN_TEXT || col->kind == BPI_COLUMN_LATE;
    if (text && !bpi_column_restart(c->t, col))
      s = bpi_nomem();
    if (!text)
      bpi_column_renew(c->t, col, col->kind);
    c->hopes[i].bad.line = 0;
  }
  c->end = s;
  return s;
}

void bp_csv_close(bp_csv *c)
{
  if (!c)
    return;
  bp_ctx *ctx = c->in.ctx;
  bp_table_free(c->t);
  bpi_csv_free(&c->in);
  bpi_free(ctx, c->hopes);
  bpi_free(ctx, c);
}

/* ---- a whole table ------------------------------------------------------------------ */

/* Columns that turned out to be text are read once more, and they alone. */
static bp_status text_again(bp_csv *c)
{
  bp_table *t = c->t;
  int64_t rows = t->rows;
  bool ended;
  bpi_column *kept = bpi_alloc(t->ctx, (size_t)t->n, sizeof *kept);
  if (!kept)
    return bpi_nomem();
  bp_status s = go_back(c);
  memcpy(kept, t->columns, (size_t)t->n * sizeof *kept);
  for (int i = 0; i < t->n; i++) {
    if (kept[i].kind != BPI_COLUMN_LATE)
      t->columns[i] = (bpi_column){.kind = BPI_COLUMN_SKIPPED};
    else if (s == BP_OK && !bpi_column_restart(t, &t->columns[i]))
      s = bpi_nomem();
    t->columns[i].missing = 0;
  }
  t->rows = 0;
  if (s == BP_OK)
    s = read_rows(c, rows + 1, true, &ended);
  for (int i = 0; i < t->n; i++)
    if (kept[i].kind != BPI_COLUMN_LATE)
      t->columns[i] = kept[i];
  bpi_free(t->ctx, kept);
  if (s == BP_OK && t->rows != rows)
    s = bpi_fail(BP_E_IO, "%s: the file changed while it was read", c->in.name);
  return s;
}

static bp_status whole_table(bp_csv *c, int64_t most, bool *over)
{
  bool ended;
  int64_t rows = most ? most / c->t->n + 1 : INT64_MAX;
  bp_status s = read_rows(c, rows, true, &ended);
  *over = s == BP_OK && !ended;
  if (*over)
    return bp_csv_again(c);
  if (s == BP_OK)
    s = check_end(c);
  if (s == BP_OK && first_late(c) < c->t->n)
    s = text_again(c);
  if (s == BP_OK)
    bpi_table_shrink(c->t);
  return s;
}

bp_status bpi_csv_whole(bp_csv *c, int64_t most, bool *over, bp_table **table)
{
  bp_status s = whole_table(c, most, over);
  *table = s == BP_OK && !*over ? c->t : NULL;
  if (*table)
    c->t = NULL;
  return s;
}

bp_status bp_csv_read(bp_ctx *ctx, bp_source *source, const bp_csv_options *options, bp_table **table)
{
  if (!ctx || !source || !source->read || !table)
    return bpi_bad_arg("bp_csv_read", "ctx, source or table is NULL");
  bp_csv *c;
  bp_source twice;
  bp_status s = bpi_twice(ctx, source, &twice);
  if (s != BP_OK)
    return s;
  s = bp_csv_open(ctx, &twice, options, &c);
  if (s == BP_OK) {
    bool over;
    bp_table *t;
    s = bpi_csv_whole(c, 0, &over, &t);
    if (s == BP_OK)
      *table = t;
    bp_csv_close(c);
  }
  bp_source_close(&twice);
  return s;
}

bp_status bp_csv_load(bp_ctx *ctx, const char *path, const bp_csv_options *options, bp_table **table)
{
  bp_source source;
  bp_status s = bp_source_file(ctx, path, &source);
  if (s != BP_OK)
    return s;
  s = bp_csv_read(ctx, &source, options, table);
  bp_source_close(&source);
  return s;
}

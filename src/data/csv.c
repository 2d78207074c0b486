/* CSV as a table: header, records, columns.
 *
 * The input is read whole and then taken apart in one pass. Only a column that turns out to be text after it looked like
 * numbers needs a second pass: "007" must become a category as it was written, and a double has forgotten the zeros. */
#include "data/csv_field.h"
#include "data/table.h"

#include <stdio.h>
#include <string.h>

#define MAX_COLUMNS 100000

/* ---- the header --------------------------------------------------------------------- */

static bp_status refuse_header(const bpi_csv *c, const bpi_csv_field *f, bool all)
{
  return bpi_csv_fail(
      c, BP_E_FORMAT, f->start,
      all ? "the first line holds numbers (\"%.*s\") where names of columns are expected; if it is data, "
            "read the "
            "file without a header, else write a line of names above it"
          : "the first line mixes names with numbers (\"%.*s\"), so it may be names, data or a description "
            "(as "
            "in \"150,4,setosa,...\"): say whether it is a header, or put a line of names in its place",
      bpi_csv_shown(f->n, f->s), f->s);
}

static void trim(bpi_csv_field *f)
{
  if (f->quoted)
    return;
  while (f->n && (*f->s == ' ' || *f->s == '\t'))
    f->s++, f->n--;
  while (f->n && (f->s[f->n - 1] == ' ' || f->s[f->n - 1] == '\t'))
    f->n--;
}

static bp_status add_name(const bpi_csv *c, bp_table *t, bpi_csv_field *f)
{
  size_t before = t->names.n;
  trim(f);
  if (f->n == 0)
    return bpi_csv_fail(c, BP_E_FORMAT, f->start,
                        "column %zu has no name; give it one (pandas writes such a column of row numbers "
                        "unless told index=False)",
                        before + 1);
  int32_t i = bpi_categories_add(&t->names, f->s, f->n);
  if (i < 0)
    return bpi_nomem();
  if (t->names.n == before)
    return bpi_csv_fail(c, BP_E_FORMAT, f->start, "columns %d and %zu are both named \"%.*s\"; rename one",
                        i + 1, before + 1, bpi_csv_shown(f->n, f->s), f->s);
  return BP_OK;
}

static bp_status add_number_name(bp_table *t)
{
  char name[32];
  int n = snprintf(name, sizeof name, "column %zu", t->names.n + 1);
  return bpi_categories_add(&t->names, name, (size_t)n) < 0 ? bpi_nomem() : BP_OK;
}

/* The first record: names, or only their number. */
static bp_status read_names(bpi_csv *c, bp_table *t, bp_csv_header header)
{
  bpi_csv_field f = {0}, number = {0};
  bool all = true;
  double x;
  while (!f.last) {
    bp_status s = bpi_csv_next(c, &f);
    if (s == BP_OK && t->names.n >= MAX_COLUMNS)
      s = bpi_csv_fail(c, BP_E_LIMIT, f.start, "more than %d columns; is the table turned on its side?",
                       MAX_COLUMNS);
    if (s != BP_OK)
      return s;
    bool is_number = bpi_csv_classify(&f, &x) == BPI_CSV_NUMBER;
    all = all && is_number;
    if (is_number && !number.start && !f.quoted)
      number = f;
    s = header == BP_CSV_HEADER_NO ? add_number_name(t) : BP_OK;
    /* A first line that is no header is explained as such, not by the names that it lacks. */
    if (header == BP_CSV_HEADER_YES || (header == BP_CSV_HEADER_AUTO && !number.start))
      s = add_name(c, t, &f);
    if (s != BP_OK)
      return s;
  }
  if (header == BP_CSV_HEADER_AUTO && number.start)
    return refuse_header(c, &number, all);
  return bpi_csv_record_end(c);
}

/* One column whose name holds another delimiter is hardly meant. */
static bp_status check_delimiter(const bpi_csv *c, const bp_table *t)
{
  const char *other = t->names.n == 1 ? strpbrk(bpi_categories_text(&t->names, 0), ",;\t|") : NULL;
  if (!other)
    return BP_OK;
  return bpi_csv_fail(c, BP_E_FORMAT, c->record,
                      "the line of names is one single name, with %s in it; give that as the delimiter",
                      *other == '\t'  ? "a tab"
                      : *other == ';' ? "a semicolon"
                      : *other == '|' ? "a bar"
                                      : "a comma");
}

static bp_status read_header(bpi_csv *c, bp_table *t, bp_csv_header header)
{
  if (!bpi_csv_record(c))
    return bpi_fail(BP_E_FORMAT, "%s: the file is empty", c->name);
  bp_status s = read_names(c, t, header);
  if (s == BP_OK && header == BP_CSV_HEADER_AUTO)
    s = check_delimiter(c, t);
  if (s == BP_OK && !bpi_table_make_columns(t))
    s = bpi_nomem();
  if (header == BP_CSV_HEADER_NO)
    c->at = c->record;
  if (s == BP_OK && header != BP_CSV_HEADER_NO && !bpi_csv_record(c))
    s = bpi_fail(BP_E_FORMAT, "%s: only a header: there are no rows below the names", c->name);
  return s;
}

/* ---- records ------------------------------------------------------------------------ */

/* Puts a field that is not a plain number into its column. */
static bp_status put_field(const bpi_csv *c, bp_table *t, bpi_column *col, const bpi_csv_field *f)
{
  double x = 0;
  bool ok = true;
  switch (bpi_csv_classify(f, &x)) {
  case BPI_CSV_MISSING:
    bpi_column_missing(t, col);
    break;
  case BPI_CSV_NUMBER:
    ok = col->kind == BPI_COLUMN_TEXT ? bpi_column_text(t, col, f->s, f->n)
                                      : col->kind == BPI_COLUMN_LATE || bpi_column_number(t, col, x);
    break;
  case BPI_CSV_BAD:
    if (col->kind == BPI_COLUMN_TEXT) {
      ok = bpi_column_text(t, col, f->s, f->n);
    } else if (col->kind != BPI_COLUMN_LATE && !col->bad) {
      col->bad = (size_t)(f->start - c->text) + 1;
    }
    if (col->kind <= BPI_COLUMN_NUMBERS)
      bpi_column_blank(t, col);
    break;
  case BPI_CSV_TEXT:
    ok = bpi_column_text(t, col, f->s, f->n);
    break;
  }
  return ok ? BP_OK : bpi_nomem();
}

static bp_status ragged(const bpi_csv *c, const bp_table *t, const char *place, int fields)
{
  if (fields < t->n)
    return bpi_csv_fail(c, BP_E_FORMAT, place,
                        "the row ends after %d of %d fields; add the missing ones (empty if unknown)%s",
                        fields, t->n, fields == 1 ? ", or name another delimiter" : "");
  return bpi_csv_fail(c, BP_E_FORMAT, place,
                      "the row has more than %d fields; a field that contains '%c' must be in quotes", t->n,
                      c->delimiter);
}

static bp_status read_record(bpi_csv *c, bp_table *t)
{
  bool last = false;
  for (int i = 0; i < t->n; i++) {
    bpi_column *col = &t->columns[i];
    double x;
    if (last)
      return ragged(c, t, c->at - 1, i);
    if (col->kind <= BPI_COLUMN_NUMBERS && bpi_csv_quick_number(c, &x, &last)) {
      if (!bpi_column_number(t, col, x))
        return bpi_nomem();
      continue;
    }
    bpi_csv_field f;
    bp_status s = bpi_csv_next(c, &f);
    if (s == BP_OK)
      s = put_field(c, t, col, &f);
    if (s != BP_OK)
      return s;
    last = f.last;
  }
  return last ? bpi_csv_record_end(c) : ragged(c, t, c->at, t->n + 1);
}

static bp_status read_records(bpi_csv *c, bp_table *t)
{
  while (bpi_csv_record(c)) {
    bp_status s = bpi_table_room(t, c->lines) ? read_record(c, t) : bpi_nomem();
    if (s != BP_OK)
      return s;
    t->rows++;
  }
  return BP_OK;
}

/* ---- columns that turned out to be text --------------------------------------------- */

static bp_status text_again(bpi_csv *c, bp_table *t, const bool *late)
{
  for (t->rows = 0; bpi_csv_record(c); t->rows++) {
    bpi_csv_field f;
    for (int i = 0; i < t->n; i++) {
      double x;
      bp_status s = bpi_csv_next(c, &f);
      if (s == BP_OK && late[i] && bpi_csv_classify(&f, &x) != BPI_CSV_MISSING &&
          !bpi_column_text(t, &t->columns[i], f.s, f.n))
        s = bpi_nomem();
      if (s != BP_OK)
        return s;
    }
  }
  return BP_OK;
}

static bp_status finish_late_columns(bpi_csv *c, bp_table *t, const char *first)
{
  int n = 0;
  bool *late = bpi_zalloc(c->ctx, (size_t)t->n, sizeof *late);
  bp_status s = late ? BP_OK : bpi_nomem();
  for (int i = 0; i < t->n && s == BP_OK; i++)
    if (t->columns[i].kind == BPI_COLUMN_LATE) {
      late[i] = true;
      n++;
      s = bpi_column_restart(t, &t->columns[i]) ? BP_OK : bpi_nomem();
    }
  c->at = first;
  if (s == BP_OK && n)
    s = text_again(c, t, late);
  bpi_free(c->ctx, late);
  return s;
}

static bp_status refuse_bad_numbers(const bpi_csv *c, const bp_table *t)
{
  for (int i = 0; i < t->n; i++) {
    const bpi_column *col = &t->columns[i];
    if (col->bad && col->kind <= BPI_COLUMN_NUMBERS)
      return bpi_csv_fail(c, BP_E_FORMAT, c->text + col->bad - 1,
                          "not a finite number, in column \"%.60s\" of numbers; leave the field empty if the "
                          "value is missing",
                          bpi_categories_text(&t->names, i));
  }
  return BP_OK;
}

/* ---- the whole ---------------------------------------------------------------------- */

static bp_status fill_table(bpi_csv *c, bp_source *source, bp_csv_header header, bp_table *t)
{
  bp_status s = bpi_csv_open(c, source);
  if (s == BP_OK)
    s = read_header(c, t, header);
  const char *first = c->at;
  if (s == BP_OK)
    s = read_records(c, t);
  if (s == BP_OK)
    s = refuse_bad_numbers(c, t);
  if (s == BP_OK)
    s = finish_late_columns(c, t, first);
  if (s == BP_OK)
    bpi_table_shrink(t);
  return s;
}

static bp_status check_csv_options(const bp_csv_options *o)
{
  if (!o->delimiter || !strchr(",;|\t", o->delimiter))
    return bpi_fail(BP_E_ARG, "bp_csv_read: the delimiter must be a comma, semicolon, bar or tab");
  if (o->max_line < 0 || o->max_bytes < 0 || (unsigned)o->header > BP_CSV_HEADER_NO)
    return bpi_bad_arg("bp_csv_read", "an option is out of its range");
  return BP_OK;
}

bp_status bp_csv_read(bp_ctx *ctx, bp_source *source, const bp_csv_options *options, bp_table **table)
{
  if (!ctx || !source || !source->read || !table)
    return bpi_bad_arg("bp_csv_read", "ctx, source or table is NULL");
  bp_csv_options o = options ? *options : (bp_csv_options){0};
  if (!o.delimiter)
    o.delimiter = ',';
  if (!o.max_line)
    o.max_line = (int64_t)64 << 20;
  bp_status s = check_csv_options(&o);
  if (s != BP_OK)
    return s;
  bpi_csv c = {.ctx = ctx,
               .name = bpi_source_name(source),
               .delimiter = o.delimiter,
               .max_line = o.max_line,
               .max_bytes = o.max_bytes};
  bp_table *t = bpi_table_new(ctx, c.name);
  s = t ? fill_table(&c, source, o.header, t) : bpi_nomem();
  bpi_csv_free(&c);
  if (s == BP_OK)
    *table = t;
  else
    bp_table_free(t);
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

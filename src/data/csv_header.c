/* The first record of a CSV file: names of columns, or their number. */
#include "data/csv_header.h"
#include "data/csv_field.h"

#include <stdio.h>
#include <string.h>

#define MAX_COLUMNS 100000

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

static bp_status add_column(const bpi_csv *c, bp_table *t, const char *place, const char *name, size_t n,
                            bool unnamed)
{
  int32_t same = bpi_categories_find(&t->names, name, n);
  if (same >= 0)
    return bpi_csv_fail(c, BP_E_FORMAT, place, "columns %d and %d are both named \"%.*s\"; rename one",
                        same + 1, t->n + 1, bpi_csv_shown(n, name), name);
  return bpi_table_add_column(t, name, n, unnamed) ? BP_OK : bpi_nomem();
}

static bp_status add_named(const bpi_csv *c, bp_table *t, bpi_csv_field *f)
{
  trim(f);
  return add_column(c, t, f->start, f->s, f->n, false);
}

/* Of a column without a name: its number. */
static bp_status add_numbered(const bpi_csv *c, bp_table *t, const bpi_csv_field *f, bool unnamed)
{
  char name[32];
  int n = snprintf(name, sizeof name, "column %d", t->n + 1);
  return add_column(c, t, f->start, name, (size_t)n, unnamed);
}

/* The first record: names, or only their number. */
static bp_status read_names(bpi_csv *c, bp_table *t, bp_csv_header header)
{
  bpi_csv_field f = {0}, number = {0};
  bool all = true;
  double x;
  while (!f.last) {
    bp_status s = bpi_csv_next(c, &f);
    if (s == BP_OK && t->n >= MAX_COLUMNS)
      s = bpi_csv_fail(c, BP_E_LIMIT, f.start, "more than %d columns; is the table turned on its side?",
                       MAX_COLUMNS);
    if (s != BP_OK)
      return s;
    bool is_number = bpi_csv_classify(&f, &x) == BPI_CSV_NUMBER;
    all = all && is_number;
    if (is_number && !number.start && !f.quoted)
      number = f;
    /* A first line that is no header is explained as such, not by the names that it has twice. */
    if (header == BP_CSV_HEADER_YES || (header == BP_CSV_HEADER_AUTO && !number.start))
      s = bpi_csv_is_blank(&f) ? add_numbered(c, t, &f, true) : add_named(c, t, &f);
    else if (header == BP_CSV_HEADER_NO)
      s = add_numbered(c, t, &f, false);
    if (s != BP_OK)
      return s;
  }
  if (header == BP_CSV_HEADER_AUTO && number.start)
    return refuse_header(c, &number, all);
  return BP_OK;
}

/* One column whose name holds another delimiter is hardly meant. */
static bp_status check_delimiter(const bpi_csv *c, const bp_table *t)
{
  const char *other = t->n == 1 ? strpbrk(bpi_categories_text(&t->names, 0), ",;\t|") : NULL;
  if (!other)
    return BP_OK;
  return bpi_csv_fail(c, BP_E_FORMAT, c->record,
                      "the line of names is one single name, with %s in it; give that as the delimiter",
                      bpi_csv_delimiter_name(*other));
}

bp_status bpi_csv_header(bpi_csv *c, bp_table *t, bp_csv_header header)
{
  bool found;
  bp_status s = bpi_csv_record(c, &found);
  if (s == BP_OK && !found)
    s = bpi_fail(BP_E_FORMAT, "%s: the file is empty", c->name);
  if (s == BP_OK)
    s = read_names(c, t, header);
  if (s == BP_OK && header == BP_CSV_HEADER_AUTO)
    s = check_delimiter(c, t);
  if (header == BP_CSV_HEADER_NO)
    c->at = c->record;
  return s;
}

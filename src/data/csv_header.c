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
  return BP_OK;
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
  if (s == BP_OK && !bpi_table_make_columns(t))
    s = bpi_nomem();
  if (header == BP_CSV_HEADER_NO)
    c->at = c->record;
  return s;
}

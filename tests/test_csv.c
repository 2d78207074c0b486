/* CSV: what is read, what is refused with which words, and how memory and speed hold up. */
#include "support/files.h"

#include <locale.h>
#include <math.h>

static bp_csv_options options;

static bp_status read_table(bp_ctx *ctx, bp_source *source)
{
  bp_table *t = NULL;
  bp_status s = bp_csv_read(ctx, source, &options, &t);
  if (s != BP_OK)
    assert_null(t);
  bp_table_free(t);
  return s;
}

static bp_table *table_of(bp_ctx *ctx, const char *text)
{
  bp_source s;
  bp_table *t = NULL;
  assert_int_equal(bp_source_memory(ctx, text, strlen(text), "t.csv", &s), BP_OK);
  bp_status st = bp_csv_read(ctx, &s, &options, &t);
  bp_source_close(&s);
  if (st != BP_OK)
    fail_msg("%s: %s", bp_status_name(st), bp_error());
  return t;
}

/* The table as text: "name:number,number,NaN;name=category,-,category;" */
static char *table_text(const bp_table *t)
{
  static char out[4096];
  char *p = out;
  for (int c = 0; c < bp_table_columns(t); c++) {
    bp_column col;
    const int32_t *codes = NULL;
    assert_int_equal(bp_table_column(t, c, &col), BP_OK);
    p += sprintf(p, "%s%c", col.name, col.text ? '=' : ':');
    if (col.text)
      assert_int_equal(bp_table_codes(t, c, &codes), BP_OK);
    for (int64_t r = 0; r < bp_table_rows(t); r++) {
      double x = 0;
      if (!col.text)
        assert_int_equal(bp_table_numbers(t, c, r, 1, &x), BP_OK);
      p += sprintf(p, r ? "," : "");
      p += col.text ? sprintf(p, "%s", codes[r] < 0 ? "-" : bp_table_category(t, c, codes[r], NULL))
                    : sprintf(p, "%.17g", x);
    }
    p += sprintf(p, ";");
  }
  return out;
}

static const struct good {
  const char *name, *text, *table;
  bp_csv_header header;
  char delimiter;
} good_rows[] = {
    {"plain", "a,b\n1,2\n3,4\n", "a:1,3;b:2,4;", 0, 0},
    {"50 no final newline", "a,b\n1,2", "a:1;b:2;", 0, 0},
    {"50 CRLF", "a,b\r\n1,2\r\n3,x\r\n", "a:1,3;b=2,x;", 0, 0},
    {"50 CRLF without the last LF", "a,b\r\n1,2\r", "a:1;b:2;", 0, 0},
    {"50 byte order mark",
     "\xef\xbb\xbf"
     "a\n1\n",
     "a:1;", 0, 0},
    {"50 byte order mark before a quote", "\xef\xbb\xbf\"a\"\n1\n", "a:1;", 0, 0},
    {"quotes", "a,\"b \"\"q\"\"\"\n\"1\",\"x,\"\"y\"\"\nz\"\n", "a:1;b \"q\"=x,\"y\"\nz;", 0, 0},
    {"empty lines", "\n\na,b\n\n1,2\r\n\r\n3,4\n\n", "a:1,3;b:2,4;", 0, 0},
    {"missing", "a,b\n1,\n,x\n\"\",  \n", "a:1,nan,nan;b=-,x,-;", 0, 0},
    {"all missing", "a,b\n,1\n,2\n", "a:nan,nan;b:1,2;", 0, 0},
    {"blanks around numbers", "a,b\n 1 ,\t2\t\n", "a:1;b:2;", 0, 0},
    {"blanks belong to text", "a , b\n x,y \n", "a= x;b=y ;", 0, 0},
    {"forms of numbers", "a\n+1\n-0\n.5\n5.\n1e3\n1E-2\n007\n-1.5e+2\n", "a:1,-0,0.5,5,1000,0.01,7,-150;", 0,
     0},
    {"correctly rounded",
     "a\n0.1\n123456789012345678\n1.7976931348623157e308\n4.9406564584124654e-324\n0."
     "30000000000000004\n9007199254740993\n",
     "a:0.10000000000000001,1.2345678901234568e+17,1.7976931348623157e+308,4.9406564584124654e-324,0."
     "30000000000000004,9007199254740992;",
     0, 0},
    {"correctly rounded, just past what is quick",
     "a\n446673754019253275e-7\n19619769415762462e-13\n580639798170828783e18\n1e23\n1e-23\n12345e-24\n7e-"
     "25\n8.5e24\n",
     "a:44667375401.925331,1961.9769415762462,5.8063979817082876e+35,9.9999999999999992e+22,9."
     "9999999999999996e-24,1.2345e-20,7.0000000000000004e-25,8.4999999999999996e+24;",
     0, 0},
    {"1e-999 is 0", "a\n1e-999\n0e999\n", "a:0,0;", 0, 0},
    {"long fractions",
     "a\n.00000000000000000000000000000000000005\n1.000000000000000000000000000000000000000\n",
     "a:5.0000000000000003e-38,1;", 0, 0},
    {"text keeps its digits", "a\n007\n7\nx\n007\n", "a=007,7,x,007;", 0, 0},
    {"text found late, with quotes and missing", "a,b\n1,2\n,3\n\"1\",4\n\"q\"\"r\",5\n",
     "a=1,-,1,q\"r;b:2,3,4,5;", 0, 0},
    {"nan is a word in text", "a\nx\nnan\ninf\n", "a=x,nan,inf;", 0, 0},
    {"nan is a word in text found late", "a\n1\nnan\nx\n", "a=1,nan,x;", 0, 0},
    {"nan first, text later", "a\nnan\n\nx\n", "a=nan,x;", 0, 0},
    {"46 nan among numbers is missing", "a,b\n1,NaN\nnan,2\n -nan ,+NaN\n", "a:1,nan,nan;b:nan,2,nan;", 0, 0},
    {"46 nothing but nan", "a,b\n1,nan\n1,nan\n", "a:1,1;b:nan,nan;", 0, 0},
    {"46 every word for a missing value", "a\n1\nNA\nN/A\nn/a\n#N/A\n<NA>\nnull\nNULL\n?\nNone\n-\n.\n2\n",
     "a:1,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,nan,2;", 0, 0},
    {"such words among text are text", "a\nNA\nnone\n-\nx\n", "a=NA,none,-,x;", 0, 0},
    {"a column without a name", ",a,b, \n0,2,3,4\n", "column 1:0;a:2;b:3;column 4:4;", 0, 0},
    {"widths grow", "a\n1\n\"\"\n-127\n200\n-40000\n3000000000\n0.5\n",
     "a:1,nan,-127,200,-40000,3000000000,0.5;", 0, 0},
    {"edges of widths", "a\n127\n-128\n32767\n-32768\n2147483647\n-2147483648\n",
     "a:127,-128,32767,-32768,2147483647,-2147483648;", 0, 0},
    {"no header", "1,x\n2,y\n", "column 1:1,2;column 2=x,y;", BP_CSV_HEADER_NO, 0},
    {"header of numbers, said so", "2019,2020\n1,2\n", "2019:1;2020:2;", BP_CSV_HEADER_YES, 0},
    {"quoted numbers are names", "\"2019\",\"2020\"\n1,2\n", "2019:1;2020:2;", 0, 0},
    {"semicolons; 51 a decimal comma is text", "a;b\n1,5;2.5\n", "a=1,5;b:2.5;", 0, ';'},
    {"tabs", "a\tb\n1\t x\n", "a:1;b= x;", 0, '\t'},
    {"bars", "a|b\n1|2\n", "a:1;b:2;", 0, '|'},
    {"UTF-8", "größe,名\n1,é\n", "größe:1;名=é;", 0, 0},
    {"one column", "a\n1\n\"\"\n3\n", "a:1,nan,3;", 0, 0},
};

static void reads_what_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_rows); i++) {
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    options = (bp_csv_options){.header = good_rows[i].header, .delimiter = good_rows[i].delimiter};
    bp_table *table = table_of(ctx, good_rows[i].text);
    if (strcmp(table_text(table), good_rows[i].table) != 0)
      fail_msg("%s: %s", good_rows[i].name, table_text(table));
    bp_table_free(table);
    tally_end(&t, ctx);
    read_slowly(read_table, good_rows[i].text, strlen(good_rows[i].text));
    fail_every_allocation(read_table, good_rows[i].text, strlen(good_rows[i].text));
  }
}

#define TEXT(s) s, sizeof s - 1
static const struct bad {
  const char *name, *text;
  size_t n;
  bp_status status;
  const char *says; /* must be in the message */
  bp_csv_header header;
  char delimiter;
} bad_rows[] = {
    {"44 row too short", TEXT("a,b,c\n1,2,3\n1,2\n"), BP_E_FORMAT,
     "t.csv:3:4: the row ends after 2 of 3 fields", 0, 0},
    {"44 row too long", TEXT("a,b\n1,2\n1,2,3\n"), BP_E_FORMAT, "t.csv:3:5: the row has more than 2 fields",
     0, 0},
    {"44 row too long at a quoted field", TEXT("a,b\n1,2,\"3\"\n"), BP_E_FORMAT,
     "t.csv:2:5: the row has more", 0, 0},
    {"44 other delimiter", TEXT("a,b\n1;2\n"), BP_E_FORMAT, "another delimiter", 0, 0},
    {"45 empty", TEXT(""), BP_E_FORMAT, "t.csv: the file is empty", 0, 0},
    {"45 only line ends", TEXT("\n\r\n\n"), BP_E_FORMAT, "is empty", 0, 0},
    {"45 only a byte order mark", TEXT("\xef\xbb\xbf"), BP_E_FORMAT, "is empty", 0, 0},
    {"45 only a header", TEXT("a,b\n\n"), BP_E_FORMAT, "no rows below the names", 0, 0},
    {"46 inf", TEXT("a,b\n-inf,2\n1,2\n"), BP_E_FORMAT, "t.csv:2:1: not a finite number", 0, 0},
    {"46 infinity", TEXT("a\n1\n +Infinity\n"), BP_E_FORMAT, "t.csv:3:1: not a finite number", 0, 0},
    {"46 1e999", TEXT("a,b\n1,2\n1,1e999\n"), BP_E_FORMAT, "t.csv:3:3: not a finite number", 0, 0},
    {"46 quoted 1e999", TEXT("a,b\n1,2\n1,\"1e999\"\n"), BP_E_FORMAT, "t.csv:3:3: not a finite number", 0, 0},
    {"47 unterminated quote", TEXT("a,b\n1,2\n3,\"x\n4,5\n6,7\n"), BP_E_FORMAT,
     "t.csv:3:3: this quote is never closed", 0, 0},
    {"47 unterminated quote in the header", TEXT("a,\"b\n1,2\n"), BP_E_FORMAT,
     "t.csv:1:3: this quote is never closed", 0, 0},
    {"47 text after a quote", TEXT("a\n\"x\"y\n"), BP_E_FORMAT, "t.csv:2:4: text after a closing quote", 0,
     0},
    {"47 quote inside", TEXT("a,b\n5\" disk,1\n"), BP_E_FORMAT, "t.csv:2:2: a quote inside a field", 0, 0},
    {"48 NUL", TEXT("a,b\n1,2\n1,\0\n"), BP_E_FORMAT, "t.csv:3:3: a NUL byte", 0, 0},
    {"48 UTF-16",
     TEXT("\xff\xfe"
          "a\0,\0b\0\n\0"),
     BP_E_FORMAT, "UTF-16", 0, 0},
    {"not UTF-8", TEXT("a,b\n1,caf\xe9\n"), BP_E_FORMAT, "t.csv:2:6: the text is not UTF-8", 0, 0},
    {"lone carriage return", TEXT("a,b\r1,2\r"), BP_E_FORMAT, "t.csv:1:4: a carriage return", 0, 0},
    {"iris: a header that is not one", TEXT("150,4,setosa,versicolor,virginica\n5.1,3.5,1.4,0.2,0\n"),
     BP_E_FORMAT, "t.csv:1:1: the first line mixes names with numbers (\"150\")", 0, 0},
    {"a header of numbers", TEXT("5.1,3.5\n1,2\n"), BP_E_FORMAT,
     "t.csv:1:1: the first line holds numbers (\"5.1\")", 0, 0},
    {"a name twice", TEXT("a,b,a\n1,2,3\n"), BP_E_FORMAT, "t.csv:1:5: columns 1 and 3 are both named \"a\"",
     0, 0},
    {"the name of a column without one, twice", TEXT("column 2,\n2,3\n"), BP_E_FORMAT,
     "t.csv:1:10: columns 1 and 2 are both named \"column 2\"", 0, 0},
    {"wrong delimiter behind quotes", TEXT("\"\";\"a\"\n1;2\n"), BP_E_FORMAT,
     "t.csv:1:3: a semicolon after a closing quote; if it separates the fields, give it as the delimiter", 0,
     0},
    {"wrong delimiter", TEXT("a;b\n1;2\n"), BP_E_FORMAT, "give that as the delimiter", 0, 0},
    {"delimiter that cannot be", TEXT("a\n1\n"), BP_E_ARG, "delimiter", 0, '"'},
    {"bad option", TEXT("a\n1\n"), BP_E_ARG, "out of its range", (bp_csv_header)7, 0},
};

static void refuses_what_is_wrong(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_rows); i++) {
    const struct bad *b = &bad_rows[i];
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    bp_source s;
    bp_table *table = NULL;
    options = (bp_csv_options){.header = b->header, .delimiter = b->delimiter};
    assert_int_equal(bp_source_memory(ctx, b->text, b->n, "t.csv", &s), BP_OK);
    bp_status st = bp_csv_read(ctx, &s, &options, &table);
    bp_source_close(&s);
    if (st != b->status || !strstr(bp_error(), b->says) || table)
      fail_msg("%s: %s: %s", b->name, bp_status_name(st), bp_error());
    tally_end(&t, ctx);
  }
}

/* A source of one character without end, for lines and files that never stop. */
static int64_t endless(void *user, void *buffer, size_t n, const char **why)
{
  (void)why;
  memset(buffer, *(const char *)user, n);
  return (int64_t)n;
}

static void stops_at_its_limits(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    char fill;
    int64_t max_line, max_bytes;
    size_t most;
    bp_status status;
  } rows[] = {
      {"49 a line without end", 'x', 0, 0, (size_t)160 << 20, BP_E_LIMIT},
      {"49 a line over the limit", 'x', 5000000, 0, 16 << 20, BP_E_LIMIT},
      {"input over its limit", '\n', 0, 3000000, 16 << 20, BP_E_LIMIT},
      {"48 zeros without end", 0, 0, 0, 4 << 20, BP_E_FORMAT},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    char fill = rows[i].fill;
    bp_source s = {endless, NULL, &fill, "endless", -1, NULL};
    bp_table *table = NULL;
    options = (bp_csv_options){.max_line = rows[i].max_line, .max_bytes = rows[i].max_bytes};
    bp_status st = bp_csv_read(ctx, &s, &options, &table);
    if (st != rows[i].status || t.most > rows[i].most)
      fail_msg("%s: %s, %zu bytes of memory: %s", rows[i].name, bp_status_name(st), t.most, bp_error());
    tally_end(&t, ctx);
  }
}

static void a_record_over_many_lines_has_a_limit_too(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  options = (bp_csv_options){.max_line = 100};
  char text[400] = "a\n\"";
  for (int i = 3; i < 390; i++)
    text[i] = i % 50 ? 'x' : '\n';
  strcpy(text + 390, "\"\n");
  assert_int_equal(read_from(ctx, read_table, text, strlen(text)), BP_E_LIMIT);
  tally_end(&t, ctx);
}

static void too_many_columns_are_refused(void **state)
{
  (void)state;
  size_t n = 0, columns = 100001;
  char *text = malloc(2 * columns + 1);
  for (size_t i = 0; i < columns; i++) {
    text[n++] = 'x';
    text[n++] = i + 1 < columns ? ',' : '\n';
  }
  options = (bp_csv_options){.header = BP_CSV_HEADER_NO};
  assert_int_equal(read_copy(read_table, text, n), BP_E_LIMIT);
  free(text);
}

static void a_file_cut_short_while_it_is_read_is_refused_or_whole(void **state)
{
  (void)state;
  static const char text[] = "a,b\n1,\"x y\"\n2,z\n";
  options = (bp_csv_options){0};
  for (size_t i = 0; i < sizeof text - 1; i++) { /* 104: no crash; a cut at a line's end cannot be seen */
    bp_status s = read_copy(read_table, text, i);
    assert_true(s == BP_OK || s == BP_E_FORMAT);
  }
}

static void every_flipped_bit_is_survived(void **state)
{
  (void)state;
  char text[] = "a,\"b\"\"c\",d\r\n1,\"x y\",-2.5e1\r\n2,z,\n,q,3\n";
  options = (bp_csv_options){0};
  for (size_t i = 0; i < sizeof text - 1; i++)
    for (int bit = 0; bit < 8; bit++) {
      text[i] = (char)(text[i] ^ 1 << bit);
      read_copy(read_table, text, sizeof text - 1);
      text[i] = (char)(text[i] ^ 1 << bit);
    }
}

/* 51: a locale with a decimal comma changes nothing. Only where the machine has one. */
static void a_locale_changes_nothing(void **state)
{
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
  size_t i = 0;
  while (i < COUNT(names) && !setlocale(LC_ALL, names[i]))
    i++;
  if (i == COUNT(names))
    skip();
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  options = (bp_csv_options){0};
  bp_table *table = table_of(ctx, "a,b\n1.5,\"1,5\"\n1.23456789012345678901,x\n");
  double x[2];
  assert_int_equal(bp_table_numbers(table, 0, 0, 2, x), BP_OK);
  bp_table_free(table);
  tally_end(&t, ctx);
  setlocale(LC_ALL, "C");
  assert_true(x[0] == 1.5 && x[1] == 1.23456789012345678901);
}

static void columns_are_found_by_name_and_number(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    int column;
    const char *says;
  } rows[] = {
      {"alcohol", 0, NULL},
      {"3", 1, NULL}, /* a name goes before a number */
      {"4", 3, NULL},
      {"species", 3, NULL},
      {"specis", -1, "did you mean \"species\"?"},
      {"target", -1, "there is no column \"target\"; columns go from \"alcohol\" to \"species\""},
      {"0", -1, "no column"},
      {"5", -1, "no column"},
      {"", -1, "no column"},
  };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  options = (bp_csv_options){.header = BP_CSV_HEADER_YES};
  bp_table *table = table_of(ctx, "alcohol,3,ash,species\n1,2,3,x\n");
  for (size_t i = 0; i < COUNT(rows); i++) {
    int column = -1;
    bp_status s = bp_table_find(table, rows[i].name, &column);
    assert_int_equal(s, rows[i].says ? BP_E_NOTFOUND : BP_OK);
    if (rows[i].says)
      assert_non_null(strstr(bp_error(), rows[i].says));
    else
      assert_int_equal(column, rows[i].column);
  }
  bp_table_free(table);
  tally_end(&t, ctx);
}

static void access_is_checked(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  options = (bp_csv_options){0};
  bp_table *table = table_of(ctx, "a,b\n1,x\n2,y\n,x\n");
  bp_column col;
  double x[4];
  const int32_t *codes;
  int64_t count = 0;
  assert_int_equal(bp_table_rows(table), 3);
  assert_int_equal(bp_table_columns(table), 2);
  assert_int_equal(bp_table_column(table, 0, &col), BP_OK);
  assert_true(!col.text && col.missing == 1 && col.categories == 0);
  assert_int_equal(bp_table_column(table, 1, &col), BP_OK);
  assert_true(col.text && col.missing == 0 && col.categories == 2);
  assert_string_equal(bp_table_category(table, 1, 0, &count), "x");
  assert_int_equal(count, 2);
  assert_int_equal(bp_table_column(table, 2, &col), BP_E_RANGE);
  assert_int_equal(bp_table_column(table, -1, &col), BP_E_RANGE);
  assert_int_equal(bp_table_column(NULL, 0, &col), BP_E_ARG);
  assert_int_equal(bp_table_numbers(table, 0, 1, 2, x), BP_OK);
  assert_true(x[0] == 2 && isnan(x[1]));
  assert_int_equal(bp_table_numbers(table, 0, 1, 3, x), BP_E_RANGE);
  assert_int_equal(bp_table_numbers(table, 0, -1, 1, x), BP_E_RANGE);
  assert_int_equal(bp_table_numbers(table, 0, INT64_MAX, INT64_MAX, x), BP_E_RANGE);
  assert_int_equal(bp_table_numbers(table, 1, 0, 1, x), BP_E_DTYPE);
  assert_int_equal(bp_table_codes(table, 0, &codes), BP_E_DTYPE);
  assert_int_equal(bp_table_codes(table, 7, &codes), BP_E_RANGE);
  assert_null(bp_table_category(table, 1, 2, NULL));
  assert_null(bp_table_category(table, 1, -1, NULL));
  assert_null(bp_table_category(table, 0, 0, NULL));
  assert_int_equal(bp_csv_load(ctx, "/nonexistent/x.csv", NULL, &table), BP_E_NOTFOUND);
  assert_int_equal(bp_csv_load(ctx, "/tmp", NULL, &table), BP_E_IO);
  bp_table_free(table);
  tally_end(&t, ctx);
}

/* Memory stays in proportion: a table of small numbers takes less than its text, and reading it not much more. */
static void memory_is_in_proportion(void **state)
{
  (void)state;
  enum { ROWS = 100000 };
  char *text = malloc(ROWS * 20 + 10), *p = text;
  p += sprintf(p, "a,b,c,d\n");
  for (int i = 0; i < ROWS; i++)
    p += sprintf(p, "%d,%d,%d,%d\n", i % 10, i % 7, i % 2, i % 100);
  size_t n = (size_t)(p - text);
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_source s;
  bp_table *table = NULL;
  options = (bp_csv_options){0};
  assert_int_equal(bp_source_memory(ctx, text, n, "t.csv", &s), BP_OK);
  assert_int_equal(bp_csv_read(ctx, &s, &options, &table), BP_OK);
  bp_source_close(&s);
  assert_true(t.most < 2 * n + 65536);
  assert_true(t.bytes < n / 2 + 65536);
  bp_table_free(table);
  tally_end(&t, ctx);
  free(text);
}

/* Many categories, each met again: counted, in order, in linear time. */
static void many_categories(void **state)
{
  (void)state;
  enum { ROWS = 60000, DISTINCT = 20000 };
  char *text = malloc(ROWS * 12 + 10), *p = text + sprintf(text, "id\n");
  for (int i = 0; i < ROWS; i++)
    p += sprintf(p, "k%d\n", i % DISTINCT);
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  options = (bp_csv_options){0};
  bp_table *table = table_of(ctx, text);
  const int32_t *codes;
  assert_int_equal(bp_table_codes(table, 0, &codes), BP_OK);
  for (int i = 0; i < ROWS; i++)
    assert_int_equal(codes[i], i % DISTINCT);
  int64_t count;
  assert_string_equal(bp_table_category(table, 0, DISTINCT - 1, &count), "k19999");
  assert_int_equal(count, ROWS / DISTINCT);
  bp_table_free(table);
  tally_end(&t, ctx);
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_is_right),
      cmocka_unit_test(refuses_what_is_wrong),
      cmocka_unit_test(stops_at_its_limits),
      cmocka_unit_test(a_record_over_many_lines_has_a_limit_too),
      cmocka_unit_test(too_many_columns_are_refused),
      cmocka_unit_test(a_file_cut_short_while_it_is_read_is_refused_or_whole),
      cmocka_unit_test(every_flipped_bit_is_survived),
      cmocka_unit_test(a_locale_changes_nothing),
      cmocka_unit_test(columns_are_found_by_name_and_number),
      cmocka_unit_test(access_is_checked),
      cmocka_unit_test(memory_is_in_proportion),
      cmocka_unit_test(many_categories),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

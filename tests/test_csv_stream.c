/* CSV as a stream: the same table however it comes in pieces, in constant memory, with its kinds, ends and failures. */
#include "support/files.h"
#include "support/tablerows.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>

/* ---- the same table ---- */

static void same_in_pieces(const char *what, const char *text, size_t n, bp_csv_options o)
{
  static const int64_t buffers[] = {1, 2, 3, 7, 61, 100000}, most[] = {1, 2, 5, 1000};
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_source s;
  assert_int_equal(bp_source_memory(ctx, text, n, "t.csv", &s), BP_OK);
  tablerows whole = rows_of_table(ctx, &s, &o);
  for (size_t i = 0; i < COUNT(buffers); i++)
    for (size_t k = 0; k < COUNT(most); k++) {
      assert_true(s.rewind(s.user, NULL));
      o.buffer = buffers[i];
      tablerows parts = rows_of_stream(ctx, &s, &o, most[k]);
      if (!rows_equal(&whole, &parts))
        fail_msg("%s, %lld bytes and %lld rows at a time: %s \"%s\" and not %s \"%s\"", what,
                 (long long)buffers[i], (long long)most[k], bp_status_name(parts.status), parts.message,
                 bp_status_name(whole.status), whole.message);
      free(parts.s);
    }
  free(whole.s);
  bp_source_close(&s);
  tally_end(&t, ctx);
}

static size_t load(const char *path, char *out, size_t size)
{
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(out, 1, size, f);
  fclose(f);
  return n;
}

static void the_corpus_is_the_same_in_pieces(void **state)
{
  (void)state;
  static char text[1 << 20];
  DIR *d = opendir(BPROP_SOURCE_DIR "/tests/fuzz/corpus/csv");
  assert_non_null(d);
  int files = 0;
  for (struct dirent *e; (e = readdir(d)) != NULL;) {
    char path[1000];
    snprintf(path, sizeof path, BPROP_SOURCE_DIR "/tests/fuzz/corpus/csv/%s", e->d_name);
    if (e->d_name[0] == '.')
      continue;
    size_t n = load(path, text, sizeof text);
    for (int header = 0; header < 3; header++) /* the first byte of a corpus file is options */
      same_in_pieces(e->d_name, text + (n > 0), n - (n > 0),
                     (bp_csv_options){.delimiter = ",;|\t"[text[0] & 3], .header = (bp_csv_header)header});
    files++;
  }
  closedir(d);
  assert_true(files > 10);
}

/* ---- random tables ---- */

static uint64_t seed;

static unsigned draw(unsigned n)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(seed >> 33) % n;
}

static char *put_number(char *p)
{
  static const char *const forms[] = {"%d", "%d.5", "-%d", "%de-3", "+%d", " %d ", "\"%d\"", "0.%d", "%d."};
  return p + sprintf(p, forms[draw(COUNT(forms))], (int)draw(100000));
}

static char *put_word(char *p)
{
  static const char *const words[] = {
      "x",   "\"a,b\"", "\"line\nbreak\"", "\"q\"\"q\"", "grün", "名前", "nan", "\"\"\"\"",
      "007", "NA",      "\"\r\n\"",        "a b",        "-"};
  return p + sprintf(p, "%s", words[draw(COUNT(words))]);
}

/* Columns of numbers, text, both, with holes, and with text that comes late. */
static char *put_value(char *p, unsigned kind, int row, int rows)
{
  static const char *const odd[] = {"NA", "?", "null", "nan", "inf", "1e999"};
  if (draw(6) == 0)
    return p;
  if (kind == 3 && draw(5) == 0)
    return p + sprintf(p, "%s", odd[draw(draw(4) ? 3 : COUNT(odd))]);
  if (kind == 0 || kind == 3 || (kind == 2 && row < rows - 2))
    return put_number(p);
  return kind == 1 || draw(2) ? put_word(p) : put_number(p);
}

static size_t random_csv(char *out)
{
  static const char *const ends[] = {"\n", "\r\n"};
  char *p = out;
  int columns = 1 + (int)draw(5), rows = (int)draw(20);
  unsigned kinds[5];
  for (int c = 0; c < columns; c++) {
    kinds[c] = draw(5);
    p += sprintf(p, draw(4) ? "%sc%d" : "%s\"c\n%d\"", c ? "," : "", c);
  }
  p += sprintf(p, "%s", ends[draw(2)]);
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < columns; c++) {
      p += sprintf(p, "%s", c ? "," : "");
      p = put_value(p, kinds[c], r, rows);
    }
    p += sprintf(p, "%s", r == rows - 1 && draw(2) ? "" : draw(10) ? ends[draw(2)] : "\n\r\n\n");
  }
  return (size_t)(p - out);
}

static void damage(char *text, size_t n)
{
  static const char bytes[] = {0, '"', '\n', '\r', ',', (char)0xff, (char)0xe5, 'x', '1'};
  for (unsigned i = draw(3); n && i-- > 0;)
    text[draw((unsigned)n)] = bytes[draw(sizeof bytes)];
}

static void random_tables_are_the_same_in_pieces(void **state)
{
  (void)state;
  static char text[1 << 16];
  int good = 0;
  for (seed = 1; seed < 400; seed++) {
    uint64_t mine = seed;
    seed *= 7919;
    size_t n = random_csv(text);
    if (mine % 2)
      damage(text, n);
    char name[32];
    snprintf(name, sizeof name, "table %d", (int)mine);
    same_in_pieces(name, text, n, (bp_csv_options){.max_line = mine % 3 ? 0 : 1 + draw(60)});
    seed = mine;
    good++;
  }
  assert_true(good > 300);
}

/* ---- kinds ---- */

static bp_csv *open_text(bp_ctx *ctx, bp_source *s, const char *text, const bp_csv_options *o)
{
  bp_csv *c = NULL;
  assert_int_equal(bp_source_memory(ctx, text, strlen(text), "t.csv", s), BP_OK);
  assert_int_equal(bp_csv_open(ctx, s, o, &c), BP_OK);
  return c;
}

static void kinds_are_what_was_expected(void **state)
{
  (void)state;
  static const struct {
    const char *name, *text, *rows; /* rows: "1 - x;": of all columns, or NULL */
    const char *says;
    bp_status status;
    bp_csv_kind a, b;
  } rows[] = {
      {"text of numbers", "a,b\n007,1\n,2\n7,3\n", "007 1;- 2;7 3;", NULL, BP_OK, BP_CSV_TEXT, BP_CSV_AUTO},
      {"numbers", "a,b\n1,x\n2,y\n", "1 x;2 y;", NULL, BP_OK, BP_CSV_NUMBERS, BP_CSV_AUTO},
      {"marks in numbers", "a,b\nNA,x\n?,y\n", "- x;- y;", NULL, BP_OK, BP_CSV_NUMBERS, BP_CSV_AUTO},
      {"marks in text", "a,b\nNA,x\n?,y\n", "NA x;? y;", NULL, BP_OK, BP_CSV_TEXT, BP_CSV_AUTO},
      {"skipped", "a,b\n\"x\n\"\"\",1\nnan,2\n", "- 1;- 2;", NULL, BP_OK, BP_CSV_SKIP, BP_CSV_NUMBERS},
      {"text in numbers", "a,b\n1,2\noops,3\n", NULL, "t.csv:3:1: text (\"oops\") in column \"a\"",
       BP_E_FORMAT, BP_CSV_NUMBERS, BP_CSV_AUTO},
      {"nan in numbers", "a,b\n1,2\n1,nan\n", "1 2;1 -;", NULL, BP_OK, BP_CSV_AUTO, BP_CSV_NUMBERS},
      {"inf in numbers", "a,b\n1,2\n1,inf\n1,x\n", NULL, "t.csv:3:3: not a finite number, in column \"b\"",
       BP_E_FORMAT, BP_CSV_AUTO, BP_CSV_NUMBERS},
      {"an open quote in a skipped column", "a,b\n1,2\n\"x,3\n", NULL,
       "t.csv:3:1: this quote is never closed", BP_E_FORMAT, BP_CSV_SKIP, BP_CSV_AUTO},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    bp_source s;
    const bp_table *block;
    char got[200] = "", *p = got;
    bp_csv *c = open_text(ctx, &s, rows[i].text, NULL);
    assert_int_equal(bp_csv_expect(c, 0, rows[i].a), BP_OK);
    assert_int_equal(bp_csv_expect(c, 1, rows[i].b), BP_OK);
    bp_status st;
    while ((st = bp_csv_block(c, 1, &block)) == BP_OK && bp_table_rows(block))
      for (int k = 0; k < 2; k++) {
        bp_column col;
        const int32_t *codes;
        double x = NAN;
        assert_int_equal(bp_table_column(block, k, &col), BP_OK);
        if (col.text)
          assert_int_equal(bp_table_codes(block, k, &codes), BP_OK);
        else
          assert_int_equal(bp_table_numbers(block, k, 0, 1, &x), BP_OK);
        if (col.text ? codes[0] < 0 : isnan(x))
          p += sprintf(p, "-%c", k ? ';' : ' ');
        else if (col.text)
          p += sprintf(p, "%s%c", bp_table_category(block, k, codes[0], NULL), k ? ';' : ' ');
        else
          p += sprintf(p, "%g%c", x, k ? ';' : ' ');
      }
    if (st != rows[i].status || (rows[i].rows && strcmp(got, rows[i].rows) != 0) ||
        (rows[i].says && !strstr(bp_error(), rows[i].says)))
      fail_msg("%s: %s %s %s", rows[i].name, bp_status_name(st), got, st == BP_OK ? "" : bp_error());
    bp_csv_close(c);
    bp_source_close(&s);
    tally_end(&t, ctx);
  }
}

static void columns_named_as_text_are_text(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_source s;
  bp_table *table = NULL;
  bp_column col;
  static const char text[] = "zip,n\n01234,1\n98765,2\n";
  const char *names[] = {"zip"};
  bp_csv_options o = {.text = names, .n_text = 1};
  assert_int_equal(bp_source_memory(ctx, text, sizeof text - 1, "t.csv", &s), BP_OK);
  assert_int_equal(bp_csv_read(ctx, &s, &o, &table), BP_OK);
  assert_int_equal(bp_table_column(table, 0, &col), BP_OK);
  assert_true(col.text && col.categories == 2);
  assert_string_equal(bp_table_category(table, 0, 0, NULL), "01234");
  bp_table_free(table);
  names[0] = "zap";
  assert_true(s.rewind(s.user, NULL));
  assert_int_equal(bp_csv_read(ctx, &s, &o, &table), BP_E_NOTFOUND);
  assert_non_null(strstr(bp_error(), "did you mean \"zip\""));
  bp_source_close(&s);
  tally_end(&t, ctx);
}

static void marks_are_counted(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_source s;
  bp_table *table = NULL;
  bp_column col;
  static const char text[] = "a,b\n1,NA\nNA,NA\n,x\n?,\n";
  assert_int_equal(bp_source_memory(ctx, text, sizeof text - 1, "t.csv", &s), BP_OK);
  assert_int_equal(bp_csv_read(ctx, &s, NULL, &table), BP_OK);
  assert_int_equal(bp_table_column(table, 0, &col), BP_OK);
  assert_true(!col.text && col.missing == 3 && col.marks == 2);
  assert_int_equal(bp_table_column(table, 1, &col), BP_OK);
  assert_true(col.text && col.missing == 1 && col.marks == 0 && col.categories == 2);
  bp_table_free(table);
  bp_source_close(&s);
  tally_end(&t, ctx);
}

/* ---- order of calls ---- */

static void misuse_is_refused(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_source s;
  const bp_table *block;
  bp_csv *c = open_text(ctx, &s, "a\n1\nx\n", NULL);
  assert_int_equal(bp_csv_block(c, 0, &block), BP_E_ARG);
  assert_int_equal(bp_csv_block(NULL, 1, &block), BP_E_ARG);
  assert_int_equal(bp_csv_expect(c, 1, BP_CSV_TEXT), BP_E_RANGE);
  assert_int_equal(bp_csv_expect(c, 0, (bp_csv_kind)9), BP_E_ARG);
  assert_int_equal(bp_table_rows(bp_csv_table(c)), 0);
  assert_int_equal(bp_csv_found(c, 0), BP_CSV_AUTO);
  assert_int_equal(bp_csv_block(c, 1, &block), BP_OK);
  assert_int_equal(bp_csv_found(c, 0), BP_CSV_NUMBERS);
  assert_int_equal(bp_csv_expect(c, 0, BP_CSV_TEXT), BP_E_ORDER);
  assert_int_equal(bp_csv_block(c, 1, &block), BP_E_DTYPE);
  assert_non_null(strstr(bp_error(), "t.csv:3:1: text in column \"a\""));
  assert_int_equal(bp_csv_found(c, 0), BP_CSV_TEXT);
  assert_int_equal(bp_csv_block(c, 1, &block), BP_E_ORDER); /* not after a failure */
  assert_int_equal(bp_csv_again(c), BP_OK);
  assert_int_equal(bp_csv_block(c, 5, &block), BP_OK);
  assert_int_equal(bp_table_rows(block), 2);
  assert_int_equal(bp_table_first(block), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(bp_csv_block(c, 5, &block), BP_OK);
    assert_int_equal(bp_table_rows(block), 0); /* and stays at the end */
  }
  bp_csv_close(c);
  bp_csv_close(NULL);
  bp_source_close(&s);
  tally_end(&t, ctx);
}

/* ---- sources ---- */

static bp_status stream_all(bp_ctx *ctx, bp_source *source)
{
  tablerows r = rows_of_stream(ctx, source, &(bp_csv_options){.buffer = 4}, 2);
  free(r.s);
  return r.status;
}

static void streams_survive_failures(void **state)
{
  (void)state;
  static const char text[] = "a,\"b\nb\",c\n1,\"x y\",2\n,z,3.5\n4,\"q\"\"\",\nNA,x,1\n";
  fail_every_allocation(stream_all, text, sizeof text - 1);
  static const char late[] = "a,b\n1,2\nx,3\n"; /* read again */
  fail_every_allocation(stream_all, late, sizeof late - 1);
  read_slowly(stream_all, text, sizeof text - 1);
}

/* A pipe hands out a row at a time: each is answered before the next is asked for. */
typedef struct trickle {
  const char *const *lines;
  size_t next, handed;
} trickle;

static int64_t trickle_read(void *user, void *buffer, size_t n, const char **why)
{
  (void)why;
  trickle *t = user;
  const char *line = t->lines[t->next];
  if (!line)
    return 0;
  assert_true(strlen(line) <= n);
  memcpy(buffer, line, strlen(line));
  t->next++;
  return (int64_t)strlen(line);
}

static void rows_are_handed_out_as_they_come(void **state)
{
  (void)state;
  static const char *const lines[] = {"a,b\n", "1,2\n", "3,4\n\n", "5,", "6\n", NULL};
  static const size_t read_by_then[] = {2, 3, 5}; /* pieces, when the row is handed out */
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  trickle pipe = {.lines = lines};
  bp_source s = {trickle_read, NULL, &pipe, "pipe", -1, NULL};
  bp_csv *c;
  const bp_table *block;
  double x;
  assert_int_equal(bp_csv_open(ctx, &s, NULL, &c), BP_OK);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(bp_csv_block(c, 100, &block), BP_OK);
    assert_int_equal(bp_table_rows(block), 1);
    assert_int_equal(bp_table_numbers(block, 0, 0, 1, &x), BP_OK);
    assert_true(x == 1 + 2 * (double)i);
    assert_int_equal(pipe.next, read_by_then[i]);
  }
  assert_int_equal(bp_csv_block(c, 100, &block), BP_OK);
  assert_int_equal(bp_table_rows(block), 0);
  assert_int_equal(bp_csv_again(c), BP_E_UNSUPPORTED);
  bp_csv_close(c);
  tally_end(&t, ctx);
}

/* 200 MB of rows through less than 2 MB of memory. */
static int64_t rows_without_end(void *user, void *buffer, size_t n, const char **why)
{
  (void)why;
  int64_t *left = user, took = 0;
  char row[64];
  static const char *const words[] = {"red", "green", "\"b\nlue\""};
  while (*left > 0) {
    int len = snprintf(row, sizeof row, "%lld.25,%s,%lld\n", (long long)(*left % 1000), words[*left % 3],
                       (long long)*left);
    if (took + len > (int64_t)n)
      break;
    memcpy((char *)buffer + took, row, (size_t)len);
    took += len;
    (*left)--;
  }
  return took;
}

static void memory_is_constant(void **state)
{
  (void)state;
  enum { ROWS = 2000000 };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  int64_t left = ROWS, rows = 0;
  bp_source s = {rows_without_end, NULL, &left, "rows", -1, NULL};
  bp_csv *c;
  const bp_table *block;
  assert_int_equal(bp_csv_open(ctx, &s, &(bp_csv_options){.header = BP_CSV_HEADER_NO}, &c), BP_OK);
  do {
    assert_int_equal(bp_csv_block(c, 4096, &block), BP_OK);
    rows += bp_table_rows(block);
  } while (bp_table_rows(block));
  assert_int_equal(rows, ROWS);
  if (t.most > 2 << 20)
    fail_msg("%zu bytes of memory", t.most);
  bp_csv_close(c);
  tally_end(&t, ctx);
}

/* ---- read twice ---- */

/* Text late in 6 MB of a pipe: what came is kept, past 4 MiB in a file that nobody sees. */
static void a_pipe_is_kept_where_it_is_read_twice(void **state)
{
  (void)state;
  enum { ROWS = 600000 };
  char *text = malloc(ROWS * 11 + 100), *p = text + sprintf(text, "a,b\n");
  for (int i = 0; i < ROWS; i++)
    p += sprintf(p, "%06d,%d\n", i % 1000, i % 10);
  p += sprintf(p, "x,1\n");
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  slow from = {text, (size_t)(p - text), 0, 65536, SIZE_MAX};
  bp_source s = {slow_read, NULL, &from, "slow", -1, NULL};
  bp_table *table = NULL;
  bp_column col;
  assert_int_equal(bp_csv_read(ctx, &s, NULL, &table), BP_OK);
  assert_int_equal(bp_table_rows(table), ROWS + 1);
  assert_int_equal(bp_table_column(table, 0, &col), BP_OK);
  assert_true(col.text && col.categories == 1001);
  assert_string_equal(bp_table_category(table, 0, 7, NULL), "000007");
  assert_int_equal(bp_table_column(table, 1, &col), BP_OK);
  assert_true(!col.text);
  double x;
  assert_int_equal(bp_table_numbers(table, 1, ROWS - 1, 1, &x), BP_OK);
  assert_true(x == (ROWS - 1) % 10);
  bp_table_free(table);

  /* Where no file can be made, that is said. */
  from.at = 0;
  setenv("TMPDIR", "/nonexistent/place", 1);
  assert_int_equal(bp_csv_read(ctx, &s, NULL, &table), BP_E_IO);
  assert_non_null(strstr(bp_error(), "/nonexistent/place: a temporary file cannot be made"));
  unsetenv("TMPDIR");
  tally_end(&t, ctx);
  free(text);
}

/* A file that is another one the second time. */
typedef struct twofold {
  const char *texts[2];
  size_t pass, at;
} twofold;

static int64_t twofold_read(void *user, void *buffer, size_t n, const char **why)
{
  (void)why;
  twofold *t = user;
  const char *text = t->texts[t->pass] + t->at;
  n = n < strlen(text) ? n : strlen(text);
  memcpy(buffer, text, n);
  t->at += n;
  return (int64_t)n;
}

static bool twofold_rewind(void *user, const char **why)
{
  (void)why;
  *(twofold *)user = (twofold){{((twofold *)user)->texts[0], ((twofold *)user)->texts[1]}, 1, 0};
  return true;
}

static bool no_rewind(void *user, const char **why)
{
  (void)user;
  *why = "the tape is worn";
  return false;
}

static void a_file_that_changes_is_noticed(void **state)
{
  (void)state;
  static const char *const seconds[] = {"a,b\n1,2\nx,3\n4,5\n", "a,b\n1,2\n", "", "a,b\n1,2\nx,3,4\n"};
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  bp_table *table = NULL;
  for (size_t i = 0; i < COUNT(seconds); i++) {
    twofold two = {{"a,b\n1,2\nx,3\n", seconds[i]}, 0, 0};
    bp_source s = {twofold_read, NULL, &two, "two", -1, twofold_rewind};
    bp_status st = bp_csv_read(ctx, &s, NULL, &table);
    if (st != (i == 3 ? BP_E_FORMAT : BP_E_IO) || (i < 3 && !strstr(bp_error(), "changed while it was read")))
      fail_msg("%zu: %s %s", i, bp_status_name(st), bp_error());
  }
  twofold two = {{"a,b\n1,2\nx,3\n", ""}, 0, 0};
  bp_source s = {twofold_read, NULL, &two, "two", -1, no_rewind};
  assert_int_equal(bp_csv_read(ctx, &s, NULL, &table), BP_E_IO);
  assert_non_null(strstr(bp_error(), "the tape is worn"));
  tally_end(&t, ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_corpus_is_the_same_in_pieces),
      cmocka_unit_test(random_tables_are_the_same_in_pieces),
      cmocka_unit_test(kinds_are_what_was_expected),
      cmocka_unit_test(columns_named_as_text_are_text),
      cmocka_unit_test(marks_are_counted),
      cmocka_unit_test(misuse_is_refused),
      cmocka_unit_test(streams_survive_failures),
      cmocka_unit_test(rows_are_handed_out_as_they_come),
      cmocka_unit_test(memory_is_constant),
      cmocka_unit_test(a_pipe_is_kept_where_it_is_read_twice),
      cmocka_unit_test(a_file_that_changes_is_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

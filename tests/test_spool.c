/* Data sets larger than the memory for them: the same set as in memory, every row once an epoch, any place found again, faults told. */
#include "support/failing.h"
#include "support/files.h"
#include "train/loader.h"
#include "train/spool.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

typedef struct text {
  char *s;
  size_t n;
} text;

/* Columns of each kind: numbers with holes, text that comes late, categories, a constant, names, a count of rows; weights; a target of `kind`. */
static text make_table(int rows, const char *kind)
{
  text t = {malloc((size_t)rows * 90 + 200), 0};
  char *p = t.s + sprintf(t.s, "x,late,colour,same,name,n,w,y\n");
  static const char *const colours[] = {"red", "green", "blue", "amber"};
  for (int i = 0; i < rows; i++) {
    unsigned h = (unsigned)i * 2654435761u;
    p += h % 17 ? sprintf(p, "%d.%03u,", (int)(h >> 20) - 2000, h >> 8 & 511) : sprintf(p, ",");
    p += i == rows - 3 ? sprintf(p, "odd,") : sprintf(p, "%03d,", (int)(h >> 16) % 12);
    p += sprintf(p, "%s,k,thing %d,%d,%u,", h % 29 ? colours[(h >> 10) % 4] : "", i, 7 + i, 1 + h % 3);
    if (*kind == 'c')
      p += h % 41 ? sprintf(p, "%s\n", (h >> 10) % 4 == 1 ? "yes" : "no") : sprintf(p, "\n");
    else
      p += sprintf(p, *kind == 'n' ? "%d\n" : "%d.5\n", (int)(h >> 20) % 5);
  }
  t.n = (size_t)(p - t.s);
  return t;
}

static bp_data *read_data(bp_ctx *ctx, text t, int64_t memory)
{
  bp_source s;
  assert_int_equal(bp_source_memory(ctx, t.s, t.n, "t.csv", &s), BP_OK);
  s.size = -1;
  bp_data *d =
      bp_data_from_csv(ctx, &s, NULL, &(bp_data_options){.target = "y", .weights = "w", .memory = memory});
  bp_source_close(&s);
  return d;
}

static bp_data *read_plain(bp_ctx *ctx, text t, int64_t memory)
{
  bp_source s;
  assert_int_equal(bp_source_memory(ctx, t.s, t.n, "t.csv", &s), BP_OK);
  bp_data *d = bp_data_from_csv(ctx, &s, NULL, &(bp_data_options){.target = "y", .memory = memory});
  bp_source_close(&s);
  return d;
}

static void same_fields(const bpi_field *a, const bpi_field *b, int64_t n)
{
  for (int64_t c = 0; c < n; c++) {
    assert_string_equal(a[c].name, b[c].name);
    assert_int_equal(a[c].n, b[c].n);
    for (int64_t k = 0; k < a[c].n; k++)
      assert_string_equal(a[c].texts[k], b[c].texts[k]);
  }
}

static void same_rows(const bp_data *kept, const bp_data *spooled)
{
  const bpi_examples *a = kept->all;
  const bp_data *block;
  bpi_blocks blocks;
  int64_t i = 0;
  bpi_blocks_begin(&blocks, spooled);
  assert_int_equal(bpi_blocks_next(&blocks, &block), BP_OK);
  while (block) {
    const bpi_examples *b = block->all;
    for (int64_t k = 0; k < block->n; k++, i++) {
      int64_t at = bpi_data_at(kept, i);
      assert_memory_equal(a->x + at * a->cols, b->x + k * b->cols, (size_t)a->cols * sizeof *a->x);
      assert_true(a->labels ? a->labels[at] == b->labels[k] : a->y[at] == b->y[k]);
      assert_true(a->weights[at] == b->weights[k]);
    }
    assert_int_equal(bpi_blocks_next(&blocks, &block), BP_OK);
  }
  bpi_blocks_end(&blocks);
  assert_int_equal(i, kept->n);
}

static void a_spooled_set_is_the_set(void **state)
{
  (void)state;
  static const char *const kinds[] = {"classes", "numbers", "real"};
  for (size_t i = 0; i < COUNT(kinds); i++) {
    text t = make_table(3000, kinds[i]);
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    bp_data *kept = read_data(ctx, t, 0), *spooled = read_data(ctx, t, 60000);
    if (!kept || !spooled)
      fail_msg("%s: %s", kinds[i], bp_error());
    assert_int_equal(bp_data_file_bytes(kept), 0);
    assert_true(bp_data_file_bytes(spooled) > 0);
    assert_int_equal(kept->n, spooled->n);
    assert_int_equal(kept->all->classes, spooled->all->classes);
    assert_int_equal(kept->all->n_y, spooled->all->n_y);
    assert_int_equal(kept->all->cols, 3); /* the constant, the names and the count of rows are left out */
    assert_int_equal(spooled->all->cols, 3);
    assert_int_equal(spooled->all->n_notes, kept->all->n_notes);
    for (int64_t k = 0; bp_data_note(kept, k); k++)
      assert_string_equal(bp_data_note(spooled, k), bp_data_note(kept, k));
    assert_true(spooled->all->missing);
    same_fields(kept->all->fields, spooled->all->fields, 3);
    same_fields(kept->all->targets, spooled->all->targets, 1);
    same_rows(kept, spooled);
    assert_true(bp_data_hash(kept) == bp_data_hash(spooled));
    float row[3], other[3];
    assert_int_equal(bp_data_row(kept, 1234, row), BP_OK);
    assert_int_equal(bp_data_row(spooled, 1234, other), BP_OK);
    assert_memory_equal(row, other, sizeof row);
    bp_data_free(kept);
    bp_data_free(spooled);
    tally_end(&count, ctx);
    free(t.s);
  }
}

/* ---- what is said ---- */

static void index_field(char *out, int i)
{
  sprintf(out, "%d", i * 77 % 3001);
}
static void count_field(char *out, int i)
{
  sprintf(out, "%d", i + 5);
}
static void name_field(char *out, int i)
{
  sprintf(out, "n%d", i);
}
static void date_field(char *out, int i)
{
  sprintf(out, "2024-01-%02d 10:%02d:%02d", 1 + i / 3600, i / 60 % 60, i % 60);
}
static void odd_field(char *out, int i)
{
  sprintf(out, i == 1 ? "many" : "%d", i % 9);
}
static void late_field(char *out, int i)
{
  sprintf(out, i == 2900 ? "many" : "%d", i * 77 % 3001);
}
static void comma_field(char *out, int i)
{
  sprintf(out, "\"%d,%03d\"", i % 5 + 1, i % 3);
}
static void marked_field(char *out, int i)
{
  sprintf(out, i % 10 ? "%d" : i % 20 ? "?" : "NaN", i % 7);
}
static void no_field(char *out, int i)
{
  (void)i;
  *out = 0;
}
static void same_field(char *out, int i)
{
  (void)i;
  sprintf(out, "k");
}

static void what_columns_are_is_said_alike(void **state)
{
  (void)state;
  static const struct {
    const char *name; /* in the header */
    void (*field)(char *out, int i);
    const char *kept, *spooled; /* what is said; NULL: the same */
  } rows[] = {
      {"", index_field,
       "left out column 'column 1': it has no name, as a column that numbers the rows (asked for as numeric, "
       "it is kept)",
       NULL},
      {"", no_field, "left out column 'column 1': it is empty", NULL},
      {"a", count_field, "left out column 'a': it only counts the rows (asked for as numeric, it is kept)",
       NULL},
      {"a", name_field,
       "left out column 'a': its text is nearly always another, as names and numbers of things are (asked "
       "for as categorical, it is kept)",
       NULL},
      {"a", date_field,
       "left out column 'a': it holds dates; their parts as numbers (month, weekday, days since) could be "
       "learned from (asked for as categorical, it is kept)",
       NULL},
      {"a", odd_field,
       "column 'a' is taken as categories: it holds text, as 'many', beside numbers (asked for as numeric, "
       "such text counts as missing)",
       NULL},
      {"a", late_field,
       "left out column 'a': it holds text, as 'many', beside numbers (asked for as numeric, such text "
       "counts as missing)",
       "left out column 'a': it holds text beside numbers (asked for as numeric, such text counts as "
       "missing)"},
      {"a", comma_field,
       "column 'a' is taken as categories: it holds numbers written as '1,000'; with digits and a decimal "
       "point alone they are numbers",
       NULL},
      {"a", marked_field, "NA, ? and the like count as missing values in 'a' (300 rows)", NULL},
      {"a", same_field, "left out column 'a': it is the same in all rows", NULL},
  };
  enum { ROWS = 3000 };
  char *s = malloc(ROWS * 40 + 100), field[40];
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *p = s + sprintf(s, "%s,b,y\n", rows[i].name);
    for (int k = 0; k < ROWS; k++) {
      rows[i].field(field, k);
      p += sprintf(p, "%s,%d,%s\n", field, k % 17,
                   k == 7          ? "NA"
                   : k % 100 == 50 ? ""
                   : k % 31 % 2    ? "yes"
                                   : "no");
    }
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    text t = {s, (size_t)(p - s)};
    bp_data *d[2] = {read_plain(ctx, t, 0), read_plain(ctx, t, 20000)};
    for (int k = 0; k < 2; k++) {
      const char *says = k && rows[i].spooled ? rows[i].spooled : rows[i].kept;
      assert_non_null(d[k]);
      assert_int_equal(bp_data_file_bytes(d[k]) > 0, k);
      assert_int_equal(bp_data_classes(d[k]), 2);
      assert_string_equal(bp_data_note(d[k], 0), says);
      assert_string_equal(bp_data_note(d[k], 1), "left out 31 rows in which the target has no value");
      assert_null(bp_data_note(d[k], 2));
      bp_data_free(d[k]);
    }
    tally_end(&count, ctx);
  }
  free(s);
}

static void text_that_makes_no_classes_is_refused(void **state)
{
  (void)state;
  static const struct {
    void (*field)(char *out, int i);
    const char *says;
  } rows[] = {
      {name_field, "column 'y' cannot be the target: its text is nearly always another"},
      {late_field, "column 'y' cannot be the target: it holds text"},
      {date_field, "column 'y' cannot be the target: it holds dates"},
  };
  char *s = malloc(3000 * 40 + 100), field[40];
  for (size_t i = 0; i < COUNT(rows); i++)
    for (int64_t memory = 0; memory <= 20000; memory += 20000) {
      char *p = s + sprintf(s, "b,y\n");
      for (int k = 0; k < 3000; k++) {
        rows[i].field(field, k);
        p += sprintf(p, "%d,%s\n", k % 17, field);
      }
      tally count;
      bp_ctx *ctx = tally_ctx(&count);
      assert_null(read_plain(ctx, (text){s, (size_t)(p - s)}, memory));
      if (!strstr(bp_error(), rows[i].says))
        fail_msg("%s", bp_error());
      tally_end(&count, ctx);
    }
  free(s);
}

static void the_encoding_is_the_same(void **state)
{
  (void)state;
  text t = make_table(3000, "real");
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  bp_data *d[2] = {read_data(ctx, t, 0), read_data(ctx, t, 60000)};
  bp_net *net[2] = {bp_net_new(ctx, d[0], NULL), bp_net_new(ctx, d[1], NULL)};
  assert_true(net[0] && net[1]);
  const bpi_encoding *a = &net[0]->encoding, *b = &net[1]->encoding;
  assert_int_equal(a->inputs, b->inputs);
  for (int64_t c = 0; c < a->cols; c++) {
    assert_true(fabsf(a->mean[c] - b->mean[c]) <= 1e-5F * fabsf(a->mean[c]));
    assert_true(fabsf(a->scale[c] - b->scale[c]) <= 1e-5F * a->scale[c]);
    assert_true(fabsf(a->fill[c] - b->fill[c]) <= 1e-5F * fabsf(a->fill[c]));
  }
  for (int i = 0; i < 2; i++) {
    bp_net_free(net[i]);
    bp_data_free(d[i]);
  }
  tally_end(&count, ctx);
  free(t.s);
}

/* ---- parts ---- */

static int by_number(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Column 0 of all rows, sorted. */
static float *sorted_column(const bp_data *d, int64_t *n)
{
  float *v = malloc((size_t)d->n * sizeof *v + 1), row[8];
  *n = d->n;
  for (int64_t i = 0; i < d->n; i++) {
    assert_int_equal(bp_data_row(d, i, row), BP_OK);
    v[i] = row[0];
  }
  qsort(v, (size_t)d->n, sizeof *v, by_number);
  return v;
}

/* "i,i*i" rows: every row is another. */
static text make_numbers(int rows)
{
  text t = {malloc((size_t)rows * 40 + 100), 0};
  char *p = t.s + sprintf(t.s, "a,b,y\n");
  for (int i = 0; i < rows; i++)
    p += sprintf(p, "%d,%u,%d.25\n", (int)((uint64_t)i * 7919u % (uint64_t)rows),
                 (unsigned)i * 2654435761u >> 16, i % 10);
  t.n = (size_t)(p - t.s);
  return t;
}

static void parts_have_each_row_once(void **state)
{
  (void)state;
  enum { ROWS = 2000 };
  text t = make_numbers(ROWS);
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  bp_data *all = read_plain(ctx, t, 20000), *rest, *test, *train, *valid, *other, *again;
  assert_non_null(all);
  assert_int_equal(bp_data_split(all, 0.1, 5, &rest, &test), BP_OK);
  assert_int_equal(bp_data_split(rest, 0.05, 9, &train, &valid), BP_OK);
  assert_int_equal(test->n, 178); /* what a quarter of 20,000 bytes holds, at 28 a row */
  assert_int_equal(valid->n, 91);
  assert_int_equal(train->n, ROWS - 178 - 91);
  const bp_data *parts[] = {train, valid, test};
  int seen[ROWS] = {0};
  for (int k = 0; k < 3; k++) {
    int64_t n;
    float *v = sorted_column(parts[k], &n);
    for (int64_t i = 0; i < n; i++)
      seen[(int)v[i]]++;
    free(v);
  }
  for (int i = 0; i < ROWS; i++)
    assert_int_equal(seen[i], 1);
  assert_int_equal(bp_data_split(all, 0.1, 5, &other, &again), BP_OK);
  assert_true(bp_data_hash(test) == bp_data_hash(again));
  bp_data_free(other);
  bp_data_free(again);
  assert_int_equal(bp_data_fold(all, 1, 0, 1, &other, &again), BP_E_ARG);
  assert_int_equal(bp_data_fold(all, ROWS + 1, 0, 1, &other, &again), BP_E_ARG);
  bp_data *own[] = {all, rest, test, train, valid};
  for (size_t i = 0; i < COUNT(own); i++)
    bp_data_free(own[i]);
  tally_end(&count, ctx);
  free(t.s);
}

/* Rows of each class of d, and how often each number x was seen. */
static void count_classes(const bp_data *d, int64_t *rows, int *seen)
{
  const bp_data *block;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  assert_int_equal(bpi_blocks_next(&blocks, &block), BP_OK);
  while (block) {
    for (int64_t i = 0; i < block->n; i++) {
      int64_t at = bpi_data_at(block, i);
      rows[block->all->labels[at]]++;
      seen[(int)bpi_raw_value(block->all, at, 0)]++;
      /* The input has two lines that were left out: the 11th and the 501st. */
      int x = (int)bpi_raw_value(block->all, at, 0);
      assert_int_equal(bpi_row_number(block, i), x + 1);
    }
    assert_int_equal(bpi_blocks_next(&blocks, &block), BP_OK);
  }
  bpi_blocks_end(&blocks);
}

/* x counts the lines; of 2,000, two have no class, 10 are rare, and of the others one in three is b. */
static text make_classes(void)
{
  text t = {malloc(2000 * 40), 0};
  char *p = t.s + sprintf(t.s, "x,z,y\n");
  for (int i = 0; i < 2000; i++)
    p += sprintf(p, "%d,%d,%s\n", i, i * 7 % 11,
                 i == 10 || i == 500 ? ""
                 : i % 200 == 77     ? "rare"
                 : i % 3             ? "a"
                                     : "b");
  t.n = (size_t)(p - t.s);
  return t;
}

static bp_data *read_classes(bp_ctx *ctx, text t)
{
  bp_source s;
  assert_int_equal(bp_source_memory(ctx, t.s, t.n, "t.csv", &s), BP_OK);
  s.size = -1;
  bp_data *d =
      bp_data_from_csv(ctx, &s, NULL, &(bp_data_options){.target = "y", .numeric = "x", .memory = 23000});
  bp_source_close(&s);
  assert_non_null(d);
  assert_true(bp_data_file_bytes(d) > 0);
  return d;
}

/* a: 1,325 rows, b: 663, rare: 10. */
static void parts_have_their_share_of_every_class(void **state)
{
  (void)state;
  text t = make_classes();
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  bp_data *all = read_classes(ctx, t), *rest, *held, *train, *valid;
  assert_int_equal(all->n, 1998);
  assert_int_equal(bp_data_split(all, 0.1, 3, &rest, &held), BP_OK);
  assert_int_equal(bp_data_split(rest, 0.1, 4, &train, &valid), BP_OK);
  const bp_data *parts[] = {held, valid, train};
  static const int64_t expected[3][3] = {{133, 66, 1}, {119, 60, 1}, {1073, 537, 8}};
  int seen[2000] = {0};
  for (int k = 0; k < 3; k++) {
    int64_t rows[3] = {0};
    count_classes(parts[k], rows, seen);
    for (int c = 0; c < 3; c++)
      if (llabs(rows[c] - expected[k][c]) > (c == 2 ? 0 : 1))
        fail_msg("part %d has %lld rows of class %d", k, (long long)rows[c], c);
  }
  for (int i = 0; i < 2000; i++)
    assert_int_equal(seen[i], i != 10 && i != 500);
  bp_data *own[] = {all, rest, held, train, valid};
  for (size_t i = 0; i < COUNT(own); i++)
    bp_data_free(own[i]);
  tally_end(&count, ctx);
  free(t.s);
}

static void folds_have_each_row_once(void **state)
{
  (void)state;
  text t = make_classes();
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  bp_data *all = read_classes(ctx, t), *outer, *inner;
  assert_int_equal(bp_data_split(all, 0.05, 3, &outer, &inner), BP_OK); /* folds of a part */
  for (int round = 0; round < 2; round++) {
    const bp_data *d = round ? outer : all;
    int64_t total[3] = {0}, least[4], most[4];
    int seen[2000] = {0}, ignored[2000] = {0};
    for (int fold = 0; fold < 7; fold++) {
      bp_data *rest, *held, *again[2];
      int64_t rows[4] = {0}, others[4] = {0};
      assert_int_equal(bp_data_fold(d, 7, fold, 5, &rest, &held), BP_OK);
      assert_int_equal(bp_data_fold(d, 7, fold, 5, &again[0], &again[1]), BP_OK);
      assert_true(bp_data_hash(held) == bp_data_hash(again[1]));
      assert_true(bp_data_file_bytes(held) > 0);
      assert_int_equal(rest->n + held->n, d->n);
      count_classes(held, rows, seen);
      count_classes(rest, others, ignored);
      rows[3] = held->n;
      for (int c = 0; c < 4; c++) {
        least[c] = fold && least[c] < rows[c] ? least[c] : rows[c];
        most[c] = fold && most[c] > rows[c] ? most[c] : rows[c];
        if (c < 3)
          total[c] += rows[c];
      }
      bp_data *own[] = {rest, held, again[0], again[1]};
      for (size_t i = 0; i < COUNT(own); i++)
        bp_data_free(own[i]);
    }
    for (int c = 0; c < 4; c++)
      assert_true(most[c] - least[c] <= 1);
    assert_int_equal(total[0] + total[1] + total[2], d->n);
    for (int i = 0; i < 2000; i++)
      assert_true(seen[i] <= 1 && ignored[i] == 6 * seen[i]);
  }
  bp_data_free(all);
  bp_data_free(outer);
  bp_data_free(inner);
  tally_end(&count, ctx);
  free(t.s);
}

static void rows_are_told_by_their_lines(void **state)
{
  (void)state;
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  text t = {malloc(2000 * 40), 0};
  for (int kind = 0; kind < 2; kind++) {
    char *p = t.s + sprintf(t.s, "x,c,y\n");
    for (int i = 0; i < 2000;
         i++) /* a hole in line 1,501, or a new category there; lines 11 and 12 have no target */
      p += sprintf(p, "%s,%s,%s\n",
                   i == 1500 && kind ? ""
                   : i % 2           ? "1.5"
                                     : "2.5",
                   i == 1500 && !kind ? "new"
                   : i % 3            ? "red"
                                      : "blue",
                   i == 10 || i == 11 ? ""
                   : i % 5            ? "a"
                                      : "b");
    t.n = (size_t)(p - t.s);
    bp_data *large = read_plain(ctx, t, 20000);
    assert_non_null(large);
    assert_true(bp_data_file_bytes(large) > 0);
    text few = {strdup("x,c,y\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n"), 0};
    few.n = strlen(few.s);
    bp_data *small = read_plain(ctx, few, 0);
    bp_net *net = bp_net_new(
        ctx, small, &(bp_net_options){.hidden = {2}, .missing = kind ? BP_MISSING_REFUSE : BP_MISSING_MEAN});
    bp_metrics m;
    assert_int_not_equal(bp_net_eval(net, large, &m), BP_OK);
    if (!strstr(bp_error(),
                kind ? "row 1501 has no value in column 'x'" : "row 1501, column 'c': 'new' is a category"))
      fail_msg("%s", bp_error());
    bp_net_free(net);
    bp_data_free(small);
    bp_data_free(large);
    free(few.s);
  }
  free(t.s);
  tally_end(&count, ctx);
}

/* ---- the loader ---- */

/* Some blocks and windows: 80,000 rows of 12 bytes a block, two blocks a window. */
enum { MANY = 600000, BATCH = 999 };

static uint64_t hash_batch(const bpi_batch *b, uint64_t h)
{
  const float *x = b->x, *y = b->y;
  for (int64_t i = 0; i < b->rows; i++)
    h = (h ^ (uint64_t)(int64_t)(x[2 * i] * 1000) ^ (uint64_t)(int64_t)(y[i] * 7)) * 0x100000001b3u;
  return h;
}

static bpi_loader *open_loader(bp_net *net, const bp_data *d, const bpi_match *match, int64_t first)
{
  bpi_load what = {.net = net, .data = d, .match = match, .batch = BATCH, .epochs = 2, .first = first};
  bpi_loader *l = bpi_loader_open(&what);
  assert_non_null(l);
  return l;
}

static void every_row_comes_once_an_epoch(void **state)
{
  (void)state;
  text t = make_numbers(MANY);
  for (int threads = 1; threads < 4; threads += 2) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
    bp_data *all = read_plain(ctx, t, 1 << 20), *d, *held;
    assert_non_null(all);
    assert_int_equal(bp_data_split(all, 0.01, 3, &d, &held), BP_OK);
    bp_net *net = bp_net_new(ctx, d, &(bp_net_options){.raw = true});
    bpi_match match;
    assert_non_null(net);
    assert_int_equal(bpi_net_match(net, d, true, &match), BP_OK);
    int64_t batches = (d->n + BATCH - 1) / BATCH;
    unsigned char *seen = calloc(MANY, 1);
    uint64_t *hash = calloc((size_t)(2 * batches), sizeof *hash);
    int64_t in_order = 0, same = 0;
    bpi_loader *l = open_loader(net, d, &match, 0);
    for (int64_t k = 0; k < 2 * batches; k++) {
      const bpi_batch *b = bpi_loader_next(l);
      assert_non_null(b);
      assert_int_equal(b->rows, k % batches == batches - 1 && d->n % BATCH ? d->n % BATCH : BATCH);
      for (int64_t i = 0; i < b->rows; i++) {
        seen[(int)((float *)b->x)[2 * i]]++;
        in_order += i && ((float *)b->x)[2 * i] > ((float *)b->x)[2 * i - 2];
      }
      hash[k] = hash_batch(b, 1);
      same += k >= batches && hash[k] == hash[k - batches];
    }
    bpi_loader_close(l);
    int64_t twice = 0;
    for (int i = 0; i < MANY; i++) {
      assert_true(seen[i] == 2 || seen[i] == 0);
      twice += seen[i] == 2;
    }
    assert_int_equal(twice, d->n);
    assert_true(in_order > d->n * 9 / 10 && in_order < d->n * 11 / 10); /* of 2 n pairs, about half */
    assert_int_equal(same, 0);                                          /* the second epoch is another */
    static const int64_t places[] = {1, 83, 160, 161, 300, 595, 600, 1000};
    for (size_t i = 0; i < COUNT(places); i++) { /* from there on the same */
      l = open_loader(net, d, &match, places[i]);
      for (int64_t k = places[i]; k < places[i] + 3; k++)
        assert_true(hash_batch(bpi_loader_next(l), 1) == hash[k]);
      bpi_loader_close(l);
    }
    free(seen);
    free(hash);
    bpi_match_clear(&match);
    bp_net_free(net);
    bp_data_free(d);
    bp_data_free(held);
    bp_data_free(all);
    bp_ctx_free(ctx);
  }
  free(t.s);
}

static void training_gives_the_same_bytes_for_any_threads(void **state)
{
  (void)state;
  text t = make_table(3000, "numbers");
  float first[5] = {0};
  for (int threads = 1; threads < 4; threads++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
    bp_data *d = read_data(ctx, t, 60000);
    bp_net *net = bp_net_new(ctx, d, NULL);
    bp_metrics m;
    float row[3], p[5];
    if (bp_net_train(net, d, &(bp_train_options){.epochs = 3}, NULL) != BP_OK)
      fail_msg("%s", bp_error());
    assert_int_equal(bp_net_eval(net, d, &m), BP_OK);
    assert_int_equal(m.rows, 3000);
    assert_int_equal(bp_data_row(d, 77, row), BP_OK);
    assert_int_equal(bp_net_predict(net, row, 1, p), BP_OK);
    if (threads == 1)
      memcpy(first, p, sizeof p);
    assert_memory_equal(first, p, sizeof p);
    bp_net_free(net);
    bp_data_free(d);
    bp_ctx_free(ctx);
  }
  free(t.s);
}

/* ---- for a network ---- */

/* Rows as a network takes them are the same in memory and in a file, in the order that is asked for, too. */
static bp_data *rows_for(bp_ctx *ctx, const bp_net *net, text t, int64_t memory)
{
  bp_source s;
  bp_csv *c;
  if (bp_source_memory(ctx, t.s, t.n, "t.csv", &s) != BP_OK)
    return NULL;
  bp_data *d = NULL;
  if (bp_csv_open(ctx, &s, NULL, &c) == BP_OK) {
    d = bp_data_read_for_net(net, c, &(bp_data_options){.weights = "w", .memory = memory});
    bp_csv_close(c);
  }
  bp_source_close(&s);
  return d;
}

static void a_set_for_a_network(void **state)
{
  (void)state;
  static const char *const kinds[] = {"numbers", "real"};
  for (size_t i = 0; i < COUNT(kinds); i++) {
    text t = make_table(5000, kinds[i]);
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    bp_data *all = read_data(ctx, t, 0), *some[2];
    bp_net *net = bp_net_new(ctx, all, &(bp_net_options){.hidden = {3}});
    bp_data *kept = rows_for(ctx, net, t, 0), *spooled = rows_for(ctx, net, t, 50000);
    if (!kept || !spooled)
      fail_msg("%s: %s", kinds[i], bp_error());
    assert_true(bp_data_file_bytes(kept) == 0 && bp_data_file_bytes(spooled) > 0);
    assert_int_equal(bp_data_rows(spooled), 5000);
    assert_true(bp_data_hash(kept) == bp_data_hash(spooled));
    same_rows(kept, spooled);
    bp_metrics a, b;
    assert_int_equal(bp_net_eval(net, kept, &a), BP_OK);
    assert_int_equal(bp_net_eval(net, spooled, &b), BP_OK);
    assert_true(a.loss == b.loss && a.baseline == b.baseline && (a.rmse == b.rmse || isnan(a.rmse)));
    const int64_t at[4] = {4999, 0, 700, 700};
    assert_int_equal(bp_data_part(kept, at, 4, &some[0]), BP_OK);
    assert_int_equal(bp_data_part(spooled, at, 4, &some[1]), BP_OK);
    assert_int_equal(bp_data_file_bytes(some[1]), 0);
    assert_true(bp_data_hash(some[0]) == bp_data_hash(some[1]));
    bp_data_free(some[0]);
    bp_data_free(some[1]);
    assert_int_equal(bp_data_part(spooled, &(int64_t){5000}, 1, &some[1]), BP_E_RANGE);
    assert_null(some[1]);
    bp_data_free(kept);
    bp_data_free(spooled);
    bp_data_free(all);
    bp_net_free(net);
    tally_end(&count, ctx);
    free(t.s);
  }
}

/* ---- faults ---- */

static text fault_text;

static bp_status spool_once(bp_ctx *ctx)
{
  bp_source s;
  bp_status st = bp_source_memory(ctx, fault_text.s, fault_text.n, "t.csv", &s);
  if (st != BP_OK)
    return st;
  bp_data *d = bp_data_from_csv(ctx, &s, &(bp_csv_options){.buffer = 700},
                                &(bp_data_options){.target = "y", .memory = 4000}),
          *rest = NULL, *held = NULL;
  st = !d ? BP_E_NOMEM : bp_data_split(d, 0.2, 1, &rest, &held);
  bp_net *net = st == BP_OK ? bp_net_new(ctx, rest, &(bp_net_options){.hidden = {2}}) : NULL;
  st = st == BP_OK && !net ? BP_E_NOMEM : st;
  bp_data *again = st == BP_OK ? rows_for(ctx, net, fault_text, 1000) : NULL, *some = NULL;
  st = st == BP_OK && !again ? BP_E_NOMEM : st;
  if (st == BP_OK)
    st = bp_data_part(again, &(int64_t){5}, 1, &some);
  bp_data *folds[2] = {NULL, NULL};
  if (st == BP_OK)
    st = bp_data_fold(rest, 3, 1, 1, &folds[0], &folds[1]);
  bp_data_free(folds[0]);
  bp_data_free(folds[1]);
  bp_data_free(some);
  bp_data_free(again);
  bp_net_free(net);
  bp_data_free(rest);
  bp_data_free(held);
  bp_data_free(d);
  bp_source_close(&s);
  return st;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  fault_text = make_table(100, "numbers");
  assert_true(fail_in_turn(spool_once) > 50);
  free(fault_text.s);
}

static void a_file_that_cannot_be_made_or_written_is_told(void **state)
{
  (void)state;
  text t = make_table(3000, "numbers");
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  setenv("TMPDIR", "/nonexistent", 1);
  assert_null(read_data(ctx, t, 60000));
  assert_non_null(strstr(bp_error(), "/nonexistent: a temporary file cannot be made"));
  unsetenv("TMPDIR");
  struct rlimit before, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = (struct rlimit){20000, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  bp_data *d = read_data(ctx, t, 60000);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_null(d);
  assert_non_null(strstr(bp_error(), "a temporary file cannot be written"));
  tally_end(&count, ctx);
  free(t.s);
}

/* Where the file shrinks under a training, that ends with the reason, in whichever thread it was found. */
static void a_file_that_is_cut_ends_the_training(void **state)
{
  (void)state;
  text t = make_table(3000, "numbers");
  for (int threads = 1; threads < 4; threads += 2) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
    bp_data *d = read_data(ctx, t, 60000);
    bp_net *net = bp_net_new(ctx, d, NULL);
    assert_non_null(net);
    assert_int_equal(ftruncate(d->all->spool->fd, 5000), 0);
    bp_status st = bp_net_train(net, d, NULL, NULL);
    if (st != BP_E_IO)
      fail_msg("%s %s", bp_status_name(st), bp_error());
    assert_non_null(strstr(bp_error(), "a temporary file cannot be read"));
    bp_net_free(net);
    bp_data_free(d);
    bp_ctx_free(ctx);
  }
  free(t.s);
}

static void bad_columns_are_told(void **state)
{
  (void)state;
  static const struct {
    const char *last, *says; /* last line of 3,000 */
  } rows[] = {
      {"1,1e39\n", "column 'x', row 3001: 1e+39 does not fit a 32-bit float"},
      {"1,inf\n", "t.csv:3002:3: not a finite number, in column \"x\""},
      {"1\n", "t.csv:3002:2: the row ends after 1 of 2 fields"},
      {"1,\"2\n", "t.csv:3002:3: this quote is never closed"},
  };
  char *s = malloc(3000 * 20 + 100);
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *p = s + sprintf(s, "y,x\n");
    for (int k = 0; k < 3000; k++)
      p += sprintf(p, "%d.5,%d.5\n", k % 10, k % 77);
    p += sprintf(p, "%s", rows[i].last);
    tally count;
    bp_ctx *ctx = tally_ctx(&count);
    assert_null(read_plain(ctx, (text){s, (size_t)(p - s)}, 20000));
    if (!strstr(bp_error(), rows[i].says))
      fail_msg("%s", bp_error());
    tally_end(&count, ctx);
  }
  char *p = s + sprintf(s, "y,x\n");
  for (int k = 0; k < 3000; k++)
    p += sprintf(p, "%d,%d\n", k % 10, 1700000000 + k % 20);
  tally count;
  bp_ctx *ctx = tally_ctx(&count);
  assert_null(read_plain(ctx, (text){s, (size_t)(p - s)}, 20000));
  assert_non_null(strstr(bp_error(), "32-bit floats do not tell them apart"));
  tally_end(&count, ctx);
  free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_spooled_set_is_the_set),
      cmocka_unit_test(what_columns_are_is_said_alike),
      cmocka_unit_test(text_that_makes_no_classes_is_refused),
      cmocka_unit_test(the_encoding_is_the_same),
      cmocka_unit_test(parts_have_each_row_once),
      cmocka_unit_test(parts_have_their_share_of_every_class),
      cmocka_unit_test(folds_have_each_row_once),
      cmocka_unit_test(rows_are_told_by_their_lines),
      cmocka_unit_test(every_row_comes_once_an_epoch),
      cmocka_unit_test(training_gives_the_same_bytes_for_any_threads),
      cmocka_unit_test(a_set_for_a_network),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(a_file_that_cannot_be_made_or_written_is_told),
      cmocka_unit_test(a_file_that_is_cut_ends_the_training),
      cmocka_unit_test(bad_columns_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Data sets: from tables, arrays and memory; what is refused; splits; standardisation. */
#include "train/encoding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int fresh(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static int done(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

static bp_table *table_of(bp_ctx *ctx, const char *csv)
{
  bp_source source;
  bp_table *t = NULL;
  assert_int_equal(bp_source_memory(ctx, csv, strlen(csv), "test.csv", &source), BP_OK);
  if (bp_csv_read(ctx, &source, NULL, &t) != BP_OK)
    fail_msg("%s", bp_error());
  bp_source_close(&source);
  return t;
}

static bp_data *data_of(bp_ctx *ctx, const char *csv, const char *target)
{
  bp_table *t = table_of(ctx, csv);
  bp_data *d = bp_data_from_table(ctx, t, &(bp_data_options){.target = target});
  bp_table_free(t);
  return d;
}

/* ---- tables ---- */

static void a_table_with_text_classes(void **state)
{
  /* Classes go by name, whatever the order of the rows; columns keep theirs. */
  bp_data *d = data_of(*state, "a,kind,b\n1,plum,2.5\n3,apple,4\n5,plum,6\n7,fig,8\n", "kind");
  static const char *const names[] = {"apple", "fig", "plum"};
  static const int64_t labels[] = {2, 0, 2, 1};
  static const float rows[][2] = {{1, 2.5f}, {3, 4}, {5, 6}, {7, 8}};
  float row[2];
  assert_non_null(d);
  assert_int_equal(bp_data_rows(d), 4);
  assert_int_equal(bp_data_cols(d), 2);
  assert_int_equal(bp_data_classes(d), 3);
  for (int i = 0; i < 3; i++)
    assert_string_equal(bp_data_class_name(d, i), names[i]);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(bp_data_label(d, i), labels[i]);
    assert_int_equal(bp_data_row(d, i, row), BP_OK);
    assert_memory_equal(row, rows[i], sizeof row);
  }
  assert_string_equal(bp_data_col_name(d, 0), "a");
  assert_string_equal(bp_data_col_name(d, 1), "b");
  assert_string_equal(bp_data_col_name(d, 2), "");
  assert_string_equal(bp_data_class_name(d, 3), "");
  assert_string_equal(bp_data_class_name(d, -1), "");
  assert_int_equal(bp_data_label(d, 4), -1);
  assert_int_equal(bp_data_row(d, 4, row), BP_E_RANGE);
  assert_int_equal(bp_data_row(d, -1, row), BP_E_RANGE);
  assert_int_equal(bp_data_row(d, 0, NULL), BP_E_ARG);
  bp_data_free(d);
}

/* Appends the text of n rows "i,value". */
static char *many_rows(int n, double (*value)(int i))
{
  char *text = malloc((size_t)n * 40 + 10), *at = text + sprintf(text, "x,y\n");
  for (int i = 0; i < n; i++)
    at += sprintf(at, "%d,%g\n", i, value(i));
  return text;
}

static double up_to_63(int i)
{
  return i % 64;
}

static double up_to_64(int i)
{
  return i % 65;
}

static void whole_numbers_make_classes_others_regression(void **state)
{
  static const struct {
    const char *csv;
    int64_t classes;
  } table[] = {
      {"x,y\n1,3\n2,10\n3,3\n", 2}, {"x,y\n1,0\n2,0\n", 1},    {"x,y\n1,-1\n2,1\n", 0},
      {"x,y\n1,0.5\n2,1\n", 0},     {"x,y\n1,1e10\n2,1\n", 0}, {"x,y\n1,1000000000\n2,1\n", 2},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = data_of(*state, table[i].csv, "y");
    assert_non_null(d);
    assert_int_equal(bp_data_classes(d), table[i].classes);
    assert_int_equal(bp_data_label(d, 0) >= 0, table[i].classes > 0);
    bp_data_free(d);
  }
  bp_data *d = data_of(*state, table[0].csv, "y");
  assert_string_equal(bp_data_class_name(d, 1), "10"); /* by value, not by text */
  assert_int_equal(bp_data_label(d, 1), 1);
  bp_data_free(d);
  char *text = many_rows(400, up_to_63);
  d = data_of(*state, text, "y");
  assert_int_equal(bp_data_classes(d), 64);
  bp_data_free(d);
  free(text);
  text = many_rows(400, up_to_64);
  d = data_of(*state, text, "y");
  assert_int_equal(bp_data_classes(d), 0);
  bp_data_free(d);
  free(text);
}

/* The target as name, as number, as #number; the others become the inputs. */
static void naming_the_target(void **state)
{
  static const struct {
    const char *target, *first; /* name of the first input */
    int64_t cols;
  } table[] = {{"3", "1", 2}, {"#3", "3", 2}, {"#1", "1", 2}, {"1", "3", 2}, {"x", "3", 2}, {NULL, "3", 3}};
  /* Columns called 3, 1 and x: the name 3 is the first column, number 3 the last. */
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = data_of(*state, "\"3\",\"1\",x\na,1,2\nb,3,4\n", table[i].target);
    if (!d) { /* column 3 holds text, so only where it is the target is all well */
      assert_true(i != 0 && i != 2);
      assert_non_null(strstr(bp_error(), "holds text"));
    } else {
      assert_int_equal(bp_data_cols(d), table[i].cols);
      assert_string_equal(bp_data_col_name(d, 0), table[i].first);
    }
    bp_data_free(d);
  }
  bp_data *d = data_of(*state, "a,b\n1,2\n3,4\n", NULL);
  assert_int_equal(bp_data_cols(d), 2);
  assert_int_equal(bp_data_classes(d), 0);
  assert_int_equal(bp_data_label(d, 0), -1);
  assert_null(bp_net_new(*state, d, NULL)); /* for prediction only */
  assert_non_null(strstr(bp_error(), "no target"));
  bp_data_free(d);
}

static void refused_tables(void **state)
{
  static const struct {
    const char *csv, *target, *says;
  } table[] = {
      {"a,y\n1,\n2,\n", "y", "the target 'y' has no value in any row"},
      {"a,species\n1,0\n2,1\n", "specie", "did you mean \"species\"?"},
      {"a,y\n1,0\n2,1\n", "nothing like it", "no column \"nothing like it\""},
      {"a,y\n1,0\n2,1\n", "", "no column \"\""},
      {"a,y\n1,0\n2,1\n", "#", "no column"},
      {"a,y\n1,0\n2,1\n", "#0", "no column #0; the table has 2"},
      {"a,y\n1,0\n2,1\n", "#3", "no column #3; the table has 2"},
      {"a,y\n1,0\n2,1\n", "#-1", "no column #-1; the table has 2"},
      {"a,y\n1,0\n2,1\n", "3", "no column \"3\""},
      {"y\n1\n2\n", "y", "no column but the target"},
      {"a,y\n1e39,0\n2,1\n", "y", "column 'a', row 1: 1e+39 does not fit"},
      {"a,y\n1,0\n2,-1e39\n", "y", "column 'y', row 2: -1e+39 does not fit"},
      {"a,y\n1700000001,0\n1700000002,1\n1700000003,0\n", "y", "32-bit floats do not tell them apart"},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = data_of(*state, table[i].csv, table[i].target);
    if (d || !strstr(bp_error(), table[i].says))
      fail_msg("row %zu: %s", i, d ? "was taken" : bp_error());
  }
  assert_null(bp_data_from_table(NULL, NULL, NULL));
  assert_null(bp_data_from_table(*state, NULL, NULL));
  assert_null(bp_data_load_csv(*state, "/no/such/file.csv", "y"));
  assert_non_null(strstr(bp_error(), "/no/such/file.csv"));
}

static void one_class_is_nothing_to_learn(void **state)
{
  bp_data *d = data_of(*state, "a,y\n1,same\n2,same\n", "y");
  assert_int_equal(bp_data_classes(d), 1);
  assert_null(bp_net_new(*state, d, NULL));
  assert_non_null(strstr(bp_error(), "one class only"));
  bp_data_free(d);
}

/* ---- arrays ---- */

static bp_ndarray array_of(bp_store store, int rank, const int64_t *dims, void *data)
{
  bp_ndarray a = {.store = store, .rank = rank, .size = 1, .data = data};
  for (int i = 0; i < rank; i++)
    a.size *= a.dims[i] = dims[i];
  return a;
}

static void arrays_of_bytes_and_of_numbers(void **state)
{
  uint8_t pixels[12] = {0, 255, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, labels[3] = {2, 0, 1};
  double numbers[6] = {1, -2, 3.5, 4, 5, 6};
  float row[4];
  bp_ndarray x = array_of(BP_STORE_UINT8, 3, (int64_t[]){3, 2, 2}, pixels),
             y = array_of(BP_STORE_UINT8, 1, (int64_t[]){3}, labels);
  bp_data *d = bp_data_from_arrays(*state, &x, &y);
  memset(pixels, 0, sizeof pixels); /* copied */
  memset(labels, 0, sizeof labels);
  assert_non_null(d);
  assert_int_equal(bp_data_cols(d), 4);
  assert_int_equal(bp_data_classes(d), 3);
  assert_int_equal(bp_data_label(d, 0), 2);
  assert_int_equal(bp_data_row(d, 0, row), BP_OK);
  assert_true(row[0] == 0 && row[1] == 255 && row[3] == 4);
  assert_true(d->all->image);
  assert_string_equal(bp_data_class_name(d, 0), "");
  bp_data_free(d);
  x = array_of(BP_STORE_FLOAT64, 2, (int64_t[]){3, 2}, numbers);
  d = bp_data_from_arrays(*state, &x, NULL);
  assert_non_null(d);
  assert_true(!d->all->image);
  assert_int_equal(bp_data_row(d, 1, row), BP_OK);
  assert_true(row[0] == 3.5f && row[1] == 4);
  bp_data_free(d);
}

static void refused_arrays(void **state)
{
  double good[4] = {1, 2, 3, 4}, inf[4] = {1, 2, -(double)INFINITY, 4}, huge[4] = {1, 2, 3, 1e300};
  int64_t two[2] = {0, 1}, three[3] = {0, 1, 0}, below[2] = {0, -1}, sparse[2] = {0, 2000000000},
          past[2] = {0, INT64_MAX};
  double halves[2] = {0, 0.5};
  const struct {
    bp_ndarray x, labels;
    const char *says;
  } table[] = {
      {array_of(BP_STORE_FLOAT64, 1, (int64_t[]){4}, good), {0}, "rank 1"},
      {array_of(BP_STORE_FLOAT64, 0, NULL, good), {0}, "rank 0"},
      {array_of(BP_STORE_FLOAT64, 2, (int64_t[]){0, 2}, good), {0}, "0 elements"},
      {array_of(BP_STORE_FLOAT64, 2, (int64_t[]){2, 0}, good), {0}, "0 elements"},
      {array_of(BP_STORE_FLOAT64, 2, (int64_t[]){2, 2}, inf), {0}, "row 2, column 1 is not a finite number"},
      {array_of(BP_STORE_FLOAT64, 2, (int64_t[]){2, 2}, huge), {0}, ""},
      {array_of(BP_STORE_COMPLEX64, 2, (int64_t[]){2, 2}, good), {0}, "complex64"},
      {array_of(BP_STORE_FLOAT64, 2, (int64_t[]){2, 2}, NULL), {0}, "NULL"},
#define X22 array_of(BP_STORE_FLOAT64, 2, (int64_t[]){2, 2}, good)
      {X22, array_of(BP_STORE_INT64, 1, (int64_t[]){3}, three), "2 examples but 3 labels"},
      {X22, array_of(BP_STORE_INT64, 2, (int64_t[]){2, 1}, two), "2 dimensions"},
      {X22, array_of(BP_STORE_INT64, 1, (int64_t[]){2}, below), "label 1 is -1"},
      {X22, array_of(BP_STORE_INT64, 1, (int64_t[]){2}, sparse), "largest label is 2000000000, with 2 rows"},
      {X22, array_of(BP_STORE_INT64, 1, (int64_t[]){2}, past), "label 1"},
      {X22, array_of(BP_STORE_FLOAT64, 1, (int64_t[]){2}, halves), "label 1 is not a whole number"},
      {X22, array_of(BP_STORE_INT64, 1, (int64_t[]){2}, NULL), "NULL"},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = bp_data_from_arrays(*state, &table[i].x, table[i].labels.size ? &table[i].labels : NULL);
    if (d || !strstr(bp_error(), table[i].says))
      fail_msg("row %zu: %s", i, d ? "was taken" : bp_error());
  }
  assert_null(bp_data_from_arrays(*state, NULL, NULL));
}

/* ---- memory ---- */

static void refused_memory(void **state)
{
  const float x[4] = {1, 2, 3, 4}, inf[4] = {1, 2, 3, INFINITY}, y[2] = {1, 2}, bad[2] = {1, NAN};
  const int64_t labels[2] = {0, 1}, below[2] = {0, -1}, past[2] = {0, INT64_MAX}, sparse[2] = {65536, 0};
  const struct {
    int64_t rows, cols;
    const float *x;
    const int64_t *labels;
    const float *y;
    int64_t n_y;
    const char *says;
  } table[] = {
      {0, 2, x, labels, NULL, 0, "at least one row"},
      {-1, 2, x, labels, NULL, 0, "at least one row"},
      {2, 0, x, labels, NULL, 0, "at least one row"},
      {2, INT64_MIN, x, labels, NULL, 0, "at least one row"},
      {INT64_MAX, INT64_MAX, x, labels, NULL, 0, "at least one row"},
      {2, 2, NULL, labels, NULL, 0, "x"},
      {2, 2, x, labels, y, 1, "not both"},
      {2, 2, x, NULL, y, 0, "y"},
      {2, 2, x, NULL, y, -1, "y"},
      {2, 2, x, NULL, y, INT64_MAX, "y"},
      {2, 2, inf, labels, NULL, 0, "row 2, column 2 is not a finite number"},
      {2, 2, x, below, NULL, 0, "label -1 of row 2"},
      {2, 2, x, past, NULL, 0, "of row 2"},
      {2, 2, x, sparse, NULL, 0, "the largest label is 65536, with 2 rows"},
      {2, 2, x, NULL, bad, 1, "row 2, column 1 is not a finite number"},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = bp_data_new(*state, table[i].rows, table[i].cols, table[i].x, table[i].labels, table[i].y,
                             table[i].n_y);
    if (d || !strstr(bp_error(), table[i].says))
      fail_msg("row %zu: %s", i, d ? "was taken" : bp_error());
  }
  assert_null(bp_data_new(NULL, 2, 2, x, labels, NULL, 0));
  bp_data *d = bp_data_new(*state, 2, 2, x, NULL, NULL, 0);
  assert_non_null(d);
  bp_data_free(d);
  bp_data_free(NULL);
  assert_int_equal(bp_data_rows(NULL), 0);
  assert_int_equal(bp_data_cols(NULL), 0);
  assert_int_equal(bp_data_classes(NULL), 0);
  assert_int_equal(bp_data_label(NULL, 0), -1);
  assert_int_equal(bp_data_row(NULL, 0, (float *)x), BP_E_ARG);
}

/* ---- parts ---- */

static void parts_are_stratified_disjoint_and_whole(void **state)
{
  enum { N = 100 };
  float x[N];
  int64_t labels[N];
  for (int i = 0; i < N; i++) {
    x[i] = (float)i;
    labels[i] = i < 60 ? 0 : i < 90 ? 1 : 2;
  }
  bp_data *all = bp_data_new(*state, N, 1, x, labels, NULL, 0), *rest, *held, *again[2], *other[2];
  assert_int_equal(bp_data_split(all, 0.2, 3, &rest, &held), BP_OK);
  assert_int_equal(bp_data_split(all, 0.2, 3, &again[0], &again[1]), BP_OK);
  assert_int_equal(bp_data_split(all, 0.2, 4, &other[0], &other[1]), BP_OK);
  assert_int_equal(bp_data_rows(rest), 80);
  assert_int_equal(bp_data_rows(held), 20);
  int seen[N] = {0}, per_class[3] = {0}, differ = 0;
  for (int part = 0; part < 2; part++)
    for (int64_t i = 0; i < bp_data_rows(part ? held : rest); i++) {
      float v, w;
      const bp_data *d = part ? held : rest;
      assert_int_equal(bp_data_row(d, i, &v), BP_OK);
      assert_int_equal(bp_data_label(d, i), labels[(int)v]);
      seen[(int)v]++;
      per_class[bp_data_label(d, i)] += part;
      assert_int_equal(bp_data_row(again[part], i, &w), BP_OK);
      assert_true(v == w);
      assert_int_equal(bp_data_row(other[part], i, &w), BP_OK);
      differ += v != w;
    }
  for (int i = 0; i < N; i++)
    assert_int_equal(seen[i], 1);
  assert_true(per_class[0] == 12 && per_class[1] == 6 && per_class[2] == 2);
  assert_true(differ > 10);
  /* A part of a part, which outlives what it was cut from. */
  bp_data *inner, *outer;
  assert_int_equal(bp_data_split(held, 0.5, 1, &inner, &outer), BP_OK);
  bp_data *gone[] = {all, rest, held, again[0], again[1], other[0], other[1], inner};
  for (size_t i = 0; i < COUNT(gone); i++)
    bp_data_free(gone[i]);
  float v;
  assert_int_equal(bp_data_row(outer, 9, &v), BP_OK);
  assert_int_equal(bp_data_label(outer, 9), labels[(int)v]);
  bp_data_free(outer);
}

static void refused_splits(void **state)
{
  const float x[3] = {1, 2, 3};
  bp_data *d = bp_data_new(*state, 3, 1, x, NULL, NULL, 0),
          *one = bp_data_new(*state, 1, 1, x, NULL, NULL, 0), *a, *b;
  static const double bad[] = {0, 1, -0.5, 1.5, (double)NAN, (double)INFINITY};
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(bp_data_split(d, bad[i], 1, &a, &b), BP_E_ARG);
  assert_int_equal(bp_data_split(one, 0.5, 1, &a, &b), BP_E_ARG);
  assert_true(!a && !b);
  assert_int_equal(bp_data_split(NULL, 0.5, 1, &a, &b), BP_E_ARG);
  assert_int_equal(bp_data_split(d, 0.5, 1, NULL, &b), BP_E_ARG);
  assert_int_equal(bp_data_split(d, 0.5, 1, &a, NULL), BP_E_ARG);
  /* However small or large the fraction, each part has a row. */
  for (int i = 0; i < 2; i++) {
    assert_int_equal(bp_data_split(d, i ? 0.999 : 0.001, 1, &a, &b), BP_OK);
    assert_int_equal(bp_data_rows(a), i ? 1 : 2);
    bp_data_free(a);
    bp_data_free(b);
  }
  bp_data_free(d);
  bp_data_free(one);
}

/* ---- standardisation ---- */

static bpi_encoding fitted(const bp_data *d)
{
  bpi_encoding e;
  assert_int_equal(bpi_encoding_fit(&e, d, &(bpi_encode_options){.embed_above = 32}), BP_OK);
  return e;
}

static void columns_get_mean_0_and_deviation_1(void **state)
{
  /* Columns: plain; constant; constant that is no exact sum; large numbers close together; tiny. */
  enum { N = 4, COLS = 5 };
  const float x[N * COLS] = {1, 5, 0.1f, 1e7f,      1e-20f, 2, 5, 0.1f, 1e7f + 10, 2e-20f,
                             3, 5, 0.1f, 1e7f + 20, 3e-20f, 6, 5, 0.1f, 1e7f + 30, 6e-20f};
  bp_data *d = bp_data_new(*state, N, COLS, x, NULL, NULL, 0);
  bpi_encoding e = fitted(d);
  const double deviation = sqrt(3.5), wide = sqrt(125);
  assert_true(e.mean[0] == 3 && e.mean[1] == 5 && e.mean[2] == 0.1f && e.mean[3] == 1e7f + 15);
  assert_true(e.scale[1] == 0 && e.scale[2] == 0);
  assert_true(fabs(e.scale[0] * deviation - 1) < 1e-6);
  assert_true(fabs(e.scale[3] * wide - 1) < 1e-6);
  assert_true(fabs(e.scale[4] * (1e-20 * deviation) - 1) < 1e-6);
  /* What a network sees. */
  bpi_match same = {0};
  double seen[N * COLS];
  const int64_t at[N] = {0, 1, 2, 3};
  assert_int_equal(e.inputs, COLS);
  bpi_data_gather(d, at, N, &e, &same, BP_FLOAT64, seen);
  for (int c = 0; c < COLS; c++) {
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) {
      sum += seen[i * COLS + c];
      square += seen[i * COLS + c] * seen[i * COLS + c];
    }
    assert_true(fabs(sum) < 1e-5);
    assert_true(fabs(square / N - (c == 1 || c == 2 ? 0 : 1)) < 1e-5);
  }
  bpi_encoding_clear(&e);
  bp_data_free(d);
}

static void images_share_one_mean_and_deviation(void **state)
{
  uint8_t pixels[8] = {0, 100, 200, 60, 0, 100, 20, 0};
  bp_ndarray x = array_of(BP_STORE_UINT8, 3, (int64_t[]){2, 2, 2}, pixels);
  bp_data *d = bp_data_from_arrays(*state, &x, NULL);
  bpi_encoding e = fitted(d);
  double square = 0;
  for (int i = 0; i < 8; i++)
    square += (pixels[i] - 60.0) * (pixels[i] - 60.0);
  for (int c = 0; c < 4; c++)
    assert_true(e.mean[c] == 60 && fabs(e.scale[c] * sqrt(square / 8) - 1) < 1e-6);
  bpi_encoding_clear(&e);
  bp_data_free(d);
}

/* Only the rows of the part count, and real targets are treated the same. */
static void parts_are_fitted_alone(void **state)
{
  enum { N = 20 };
  float x[N], y[2 * N];
  for (int i = 0; i < N; i++) {
    x[i] = (float)(i * i);
    y[2 * i] = 7;
    y[2 * i + 1] = (float)i;
  }
  bp_data *all = bp_data_new(*state, N, 1, x, NULL, y, 2), *rest, *held;
  assert_int_equal(bp_data_split(all, 0.3, 1, &rest, &held), BP_OK);
  double sum = 0, square = 0, n = (double)bp_data_rows(rest), target = 0;
  for (int64_t i = 0; i < bp_data_rows(rest); i++) {
    float v;
    assert_int_equal(bp_data_row(rest, i, &v), BP_OK);
    sum += v;
    square += v * v;
    target += sqrt(v);
  }
  float y_mean[2], y_scale[2];
  bpi_encoding e = fitted(rest);
  assert_int_equal(bpi_data_fit_targets(rest, y_mean, y_scale), BP_OK);
  assert_true(fabs(e.mean[0] - sum / n) < 1e-4);
  assert_true(fabs(1 / e.scale[0] - sqrt(square / n - sum / n * sum / n)) < 1e-3);
  assert_true(y_mean[0] == 7 && y_scale[0] == 1 && fabs(y_mean[1] - target / n) < 1e-5);
  bpi_encoding_clear(&e);
  bp_data_free(all);
  bp_data_free(rest);
  bp_data_free(held);
}

/* Whole numbers number classes where they are few, also for so many rows: 11 of them in 54 rows are a number, in 55 rows classes. */
static void few_numbers_are_classes(void **state)
{
  static const struct {
    int values, rows, classes;
  } cases[] = {{10, 10, 10}, {11, 54, 0}, {11, 55, 11}, {64, 320, 64}, {65, 6500, 0}};
  for (size_t c = 0; c < COUNT(cases); c++) {
    char *csv = malloc(16 * (size_t)cases[c].rows + 16);
    size_t at = (size_t)sprintf(csv, "x,y\n");
    for (int i = 0; i < cases[c].rows; i++)
      at += (size_t)sprintf(csv + at, "%d,%d\n", i, i % cases[c].values);
    bp_data *d = data_of(*state, csv, "y");
    assert_int_equal(bp_data_classes(d), cases[c].classes);
    bp_data_free(d);
    free(csv);
  }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
  const struct CMUnitTest tests[] = {
      TEST(few_numbers_are_classes),
      TEST(a_table_with_text_classes),
      TEST(whole_numbers_make_classes_others_regression),
      TEST(naming_the_target),
      TEST(refused_tables),
      TEST(one_class_is_nothing_to_learn),
      TEST(arrays_of_bytes_and_of_numbers),
      TEST(refused_arrays),
      TEST(refused_memory),
      TEST(parts_are_stratified_disjoint_and_whole),
      TEST(refused_splits),
      TEST(columns_get_mean_0_and_deviation_1),
      TEST(images_share_one_mean_and_deviation),
      TEST(parts_are_fitted_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

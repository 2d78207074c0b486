/* Encodings of columns: worked out by hand; fitted on the training part alone; kept in the model; matched by name. */
#include "support/training.h"
#include "train/net.h"

static bp_table *table_of(bp_ctx *ctx, const char *csv)
{
  bp_source source;
  bp_table *t = NULL;
  SUCCEEDS(bp_source_memory(ctx, csv, strlen(csv), "test.csv", &source));
  SUCCEEDS(bp_csv_read(ctx, &source, NULL, &t));
  bp_source_close(&source);
  return t;
}

static bp_data *data_with(bp_ctx *ctx, const char *csv, bp_data_options o)
{
  bp_table *t = table_of(ctx, csv);
  bp_data *d = bp_data_from_table(ctx, t, &o);
  bp_table_free(t);
  return d;
}

static bp_data *data_of(bp_ctx *ctx, const char *csv)
{
  bp_data *d = data_with(ctx, csv, (bp_data_options){.target = "y"});
  if (!d)
    fail_msg("%s", bp_error());
  return d;
}

/* ---- golden encodings ---- */

/* Two columns, each with a missing value. Categories a, b, c; b is the most common. Ages 1, 3, 5, 7: mean 4, deviation sqrt(5). */
static const char towns[] = "town,age,y\nb,1,0\na,,1\nb,3,0\nc,5,1\n,7,0\n";

static void expect_rows(const bp_data *d, const bpi_encoding *e, bp_dtype real, const double *want)
{
  enum { MOST = 64 };
  bpi_match m;
  int64_t at[MOST];
  double out[MOST * 8];
  for (int64_t i = 0; i < bp_data_rows(d); i++)
    at[i] = i;
  SUCCEEDS(bpi_encoding_match(e, d, &m));
  bpi_data_gather(d, at, bp_data_rows(d), e, &m, real, out);
  for (int64_t i = 0; i < bp_data_rows(d) * e->inputs; i++) {
    double got = real == BP_FLOAT64 ? out[i] : (double)((float *)out)[i];
    if (fabs(got - want[i]) > 1e-6)
      fail_msg("row %d, input %d: %g, not %g", (int)(i / e->inputs), (int)(i % e->inputs), got, want[i]);
  }
  bpi_match_clear(&m);
}

static void one_input_for_each_category_and_for_what_is_missing(void **state)
{
  const double d5 = sqrt(5);
  /* town=a, town=b, town=c, town missing, age, age missing */
  const double want[] = {0,       1, 0, 0, -3 / d5, 0, /* */ 1, 0, 0, 0, 0,      1,
                         /* */ 0, 1, 0, 0, -1 / d5, 0,
                         /* */ 0, 0, 1, 0, 1 / d5,  0, /* */ 0, 1, 0, 1, 3 / d5, 0};
  static const char *const names[] = {"town=a", "town=b", "town=c", "town missing", "age", "age missing"};
  bp_data *d = data_of(*state, towns);
  bpi_encoding e;
  SUCCEEDS(bpi_encoding_fit(&e, d, &(bpi_encode_options){.embed_above = 32}));
  assert_int_equal(e.inputs, 6);
  expect_rows(d, &e, BP_FLOAT32, want);
  expect_rows(d, &e, BP_FLOAT64, want);
  for (int64_t i = 0; i < 6; i++) {
    char name[40];
    bpi_encoding_name(&e, i, name, sizeof name);
    assert_string_equal(name, names[i]);
  }
  bpi_encoding_clear(&e);
  bp_data_free(d);
}

static void many_categories_are_one_number_at_the_end(void **state)
{
  const double d5 = sqrt(5);
  /* town missing, age, age missing, town */
  const double want[] = {0, -3 / d5, 0, 1, 0, 0, 1, 0, 0, -1 / d5, 0, 1, 0, 1 / d5, 0, 2, 1, 3 / d5, 0, 1};
  bp_data *d = data_of(*state, towns);
  bpi_encoding e;
  SUCCEEDS(bpi_encoding_fit(&e, d, &(bpi_encode_options){.embed_above = 2}));
  assert_int_equal(e.inputs, 4);
  assert_int_equal(e.n_embedded, 1);
  assert_int_equal(e.embedded[0], 3);
  expect_rows(d, &e, BP_FLOAT32, want);
  bpi_encoding_clear(&e);
  bp_data_free(d);
}

/* raw: numbers as they are, and the mean itself for a missing one. */
static void raw_numbers_stay(void **state)
{
  const double want[] = {0,       1, 0, 0, 1, 0, /* */ 1, 0, 0, 0, 4, 1, /* */ 0, 1, 0, 0, 3, 0,
                         /* */ 0, 0, 1, 0, 5, 0, /* */ 0, 1, 0, 1, 7, 0};
  bp_data *d = data_of(*state, towns);
  bpi_encoding e;
  SUCCEEDS(bpi_encoding_fit(&e, d, &(bpi_encode_options){.raw = true, .embed_above = 32}));
  expect_rows(d, &e, BP_FLOAT32, want);
  bpi_encoding_clear(&e);
  bp_data_free(d);
}

/* 12 times 1 and -1, and once 40: mean 1.6, deviation 7.8994 (NumPy), so that 40 is brought to 25.2981; with it the mean is 1.0119240476 and the
 * deviation 5.0532926567. By these 40 lies 7.7153805650 out, which is bent to 3 + ln(5.7153805650). */
static void values_far_out_neither_stretch_the_others_nor_are_cut_off(void **state)
{
  char csv[400] = "x,y\n";
  double want[25];
  for (int i = 0; i < 25; i++) {
    sprintf(csv + strlen(csv), "%s,%d\n", i == 24 ? "40" : i % 2 ? "-1" : "1", i % 3 == 0);
    want[i] = i == 24 ? 4.7431608856 : i % 2 ? -0.3981412090 : -0.0023596590;
  }
  bp_data *d = data_of(*state, csv);
  bpi_encoding e;
  SUCCEEDS(bpi_encoding_fit(&e, d, &(bpi_encode_options){.embed_above = 32}));
  expect_rows(d, &e, BP_FLOAT32, want);
  expect_rows(d, &e, BP_FLOAT64, want);
  bpi_encoding_clear(&e);
  /* So it is in a model that was saved, and in one that goes on from it. */
  const float x[2] = {40, -400};
  float p[3][4];
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}}),
         *next = make_net(*state, d, &(bp_net_options){.from = net});
  char path[64];
  temporary_path(path);
  SUCCEEDS(bp_net_save(net, path));
  bp_net *again = bp_net_load(*state, path, NULL);
  assert_non_null(again);
  assert_true(next->encoding.tails && again->encoding.tails);
  SUCCEEDS(bp_net_predict(net, x, 2, p[0]));
  SUCCEEDS(bp_net_predict(next, x, 2, p[1]));
  SUCCEEDS(bp_net_predict(again, x, 2, p[2]));
  assert_memory_equal(p[0], p[1], sizeof p[0]);
  assert_memory_equal(p[0], p[2], sizeof p[0]);
  unlink(path);
  bp_net_free(net);
  bp_net_free(next);
  bp_net_free(again);
  bp_data_free(d);
}

static void missing_values_are_refused_where_that_is_asked_for(void **state)
{
  bp_data *d = data_of(*state, towns);
  assert_null(bp_net_new(*state, d, &(bp_net_options){.missing = BP_MISSING_REFUSE}));
  assert_non_null(strstr(bp_error(), "row 2 has no value in column 'age'"));
  bp_data_free(d);
  /* And at prediction, of a network that saw none. */
  d = data_of(*state, "a,b,y\n1,2,0\n2,1,1\n3,3,0\n");
  bp_net *net = bp_net_new(*state, d, &(bp_net_options){.missing = BP_MISSING_REFUSE, .hidden = {3}});
  float x[4] = {1, 2, 3, NAN}, p[4];
  assert_int_equal(bp_net_predict(net, x, 2, p), BP_E_UNSUPPORTED);
  assert_non_null(strstr(bp_error(), "row 2 has no value in column 'b'"));
  bp_net_free(net);
  /* The mean stands for it in another: that of b is 2. */
  net = bp_net_new(*state, d, &(bp_net_options){.hidden = {3}});
  x[1] = NAN, x[2] = 1, x[3] = 2;
  SUCCEEDS(bp_net_predict(net, x, 2, p));
  assert_true(p[0] == p[2] && p[1] == p[3]);
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- the training part alone ---- */

/* Tables that differ in the held-out rows only make the same encoding. */
static void held_out_rows_change_no_statistic(void **state)
{
  enum { ROWS = 40 };
  bpi_encoding e[2];
  bool held_out[ROWS] = {false};
  for (int k = 0; k < 2; k++) {
    char csv[4000] = "n,word,y\n", *end = csv + strlen(csv);
    for (int i = 0; i < ROWS; i++)
      end += k && held_out[i] ? sprintf(end, "%d,never,%d\n", 1000 * i, i % 2)
                              : sprintf(end, "%d,%s,%d\n", i * i, i % 3 ? "one" : "other", i % 2);
    bp_data *d = data_of(*state, csv), *train, *held;
    SUCCEEDS(bp_data_split(d, 0.25, 7, &train, &held));
    for (int64_t i = 0; i < held->n; i++)
      held_out[held->rows[i]] = true;
    SUCCEEDS(bpi_encoding_fit(&e[k], train, &(bpi_encode_options){.embed_above = 32}));
    bp_data_free(d);
    bp_data_free(train);
    bp_data_free(held);
  }
  assert_memory_equal(e[0].mean, e[1].mean, 2 * sizeof(float));
  assert_memory_equal(e[0].scale, e[1].scale, 2 * sizeof(float));
  assert_memory_equal(e[0].fill, e[1].fill, 2 * sizeof(float));
  for (int k = 0; k < 2; k++) {
    assert_int_equal(e[k].fields[1].n, 2);
    assert_string_equal(e[k].fields[1].texts[0], "one");
    bpi_encoding_clear(&e[k]);
  }
}

/* A category of held-out rows alone: missing there, in a part of a split; an error in other data. */
static void categories_that_training_did_not_have(void **state)
{
  static const char csv[] =
      "word,n,y\na,1,0\nb,2,1\na,3,0\nb,4,1\na,5,0\nb,6,1\na,7,0\nb,8,1\nzz,9,0\na,10.5,1\n";
  bp_data *all = data_of(*state, csv), *train = NULL, *held = NULL;
  /* A seed that holds the row of zz out. */
  for (uint64_t seed = 1; !held; seed++) {
    SUCCEEDS(bp_data_split(all, 0.3, seed, &train, &held));
    bool found = false;
    for (int64_t i = 0; i < held->n; i++)
      found = found || held->rows[i] == 8;
    if (found)
      break;
    bp_data_free(train);
    bp_data_free(held);
    held = NULL;
  }
  bp_metrics m;
  bp_unseen u;
  bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {3}});
  SUCCEEDS(bp_net_unseen(net, held, &u));
  assert_true(u.unknown == 1 && u.missing == 0 && u.row == 9 && u.column == 0);
  SUCCEEDS(bp_net_unseen(net, train, &u));
  assert_true(u.unknown == 0 && u.missing == 0 && u.row == 0);
  SUCCEEDS(bp_net_train(net, train, &(bp_train_options){.epochs = 2, .valid = held}, NULL));
  SUCCEEDS(bp_net_eval(net, held, &m));
  assert_int_equal(bp_net_eval(net, all, &m), BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "row 9, column 'word': 'zz'"));
  bp_net_set_unknown(net, BP_UNKNOWN_MISSING);
  SUCCEEDS(bp_net_eval(net, all, &m));
  bp_net_free(net);
  bp_data_free(all);
  bp_data_free(train);
  bp_data_free(held);
}

/* ---- what is left out of a table ---- */

static void columns_that_tell_nothing_are_left_out(void **state)
{
  char csv[4000] = "id,name,day,empty,same,x,y\n", *end = csv + strlen(csv);
  for (int i = 0; i < 24; i++)
    end += sprintf(end, "%d,person %d,2024-01-%02d,,all,%g,%d\n", i + 5, i, i + 1, i * 0.37, i % 2);
  static const char *const says[] = {"'id': it only counts the rows",
                                     "'name': its text is nearly always another", "'day': it holds dates",
                                     "'empty': it is empty", "'same': it is the same in all rows"};
  bp_data *d = data_of(*state, csv);
  assert_int_equal(bp_data_cols(d), 1);
  assert_string_equal(bp_data_col_name(d, 0), "x");
  for (int i = 0; i < 5; i++) {
    bool found = false;
    for (int64_t k = 0; bp_data_note(d, k); k++)
      found = found || strstr(bp_data_note(d, k), says[i]);
    if (!found)
      fail_msg("no note: %s", says[i]);
  }
  bp_data_free(d);
  /* What is asked for stays; what is ignored goes. */
  d = data_with(
      *state, csv,
      (bp_data_options){.target = "y", .ignore = "x,same", .numeric = "id", .categorical = "#2,day"});
  assert_int_equal(bp_data_cols(d), 3);
  assert_string_equal(bp_data_category(d, 1, 0), "person 0");
  bp_data_free(d);
  d = data_with(*state, csv, (bp_data_options){.target = "y", .ignore = "x"});
  assert_null(d);
  assert_non_null(strstr(bp_error(), "none from which it could be learned"));
}

static void lists_of_columns(void **state)
{
  static const char csv[] = "\"a,b\",c,\"d\"\"e\",y\n1,2,3.5,0\n2,3,1,1\n";
  static const struct {
    const char *ignore;
    int cols; /* 0: refused */
  } table[] = {{"c", 2},       {"a,b", 2},    {"\"a,b\",c", 1}, {"c,\"d\"\"e\"", 1},
               {"#1,#2", 1},   {"\"c\"x", 0}, {"c,", 0},        {"", 0},
               {"nothing", 0}, {"y", 0},      {"#1,#2,#3", 0}};
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_data *d = data_with(*state, csv, (bp_data_options){.target = "y", .ignore = table[i].ignore});
    if ((d ? (int)bp_data_cols(d) : 0) != table[i].cols)
      fail_msg("%s: %d columns", table[i].ignore, d ? (int)bp_data_cols(d) : 0);
    bp_data_free(d);
  }
}

static void several_targets(void **state)
{
  static const char csv[] = "x,rain,wind,mm\n1,yes,0,1.5\n2,no,1,2\n3,yes,,3\n4,no,0,4.5\n";
  bp_data *d = data_with(*state, csv, (bp_data_options){.target = "rain,wind"});
  assert_non_null(d);
  assert_int_equal(bp_data_targets(d), 2);
  assert_int_equal(bp_data_rows(d), 3); /* the third has no wind */
  assert_true(d->all->y[0] == 1 && d->all->y[1] == 0 && d->all->y[2] == 0 && d->all->y[3] == 1);
  bp_data_free(d);
  d = data_with(*state, csv, (bp_data_options){.target = "mm,wind"});
  assert_non_null(d);
  assert_true(d->all->y[0] == 1.5f && d->all->targets[1].texts == NULL);
  bp_data_free(d);
  assert_null(data_with(*state, csv, (bp_data_options){.target = "mm,rain"}));
  assert_non_null(strstr(bp_error(), "all numbers, or all have two values"));
  assert_null(data_with(*state, csv, (bp_data_options){.target = "mm,mm"}));
  assert_non_null(strstr(bp_error(), "twice"));
}

static void weights_of_rows(void **state)
{
  static const char csv[] = "x,w,y\n1,2,0\n2,0.5,1\n3,0,1\n";
  bp_data *d = data_with(*state, csv, (bp_data_options){.target = "y", .weights = "w"});
  assert_int_equal(bp_data_cols(d), 1);
  assert_true(d->all->weights[0] == 2 && d->all->weights[1] == 0.5f);
  bp_data_free(d);
  static const struct {
    const char *csv, *says;
  } table[] = {{"x,w,y\n1,-2,0\n2,1,1\n", "row 1: a weight"},
               {"x,w,y\n1,2,0\n2,,1\n", "row 2: a weight"},
               {"x,w,y\n1,0,0\n2,0,1\n", "all weights are 0"}};
  for (size_t i = 0; i < COUNT(table); i++) {
    assert_null(data_with(*state, table[i].csv, (bp_data_options){.target = "y", .weights = "w"}));
    assert_non_null(strstr(bp_error(), table[i].says));
  }
}

/* ---- the model, and tables for it ---- */

static const char plants[] = "leaf,height,code,kind\nr\xc3\xb6t,1,7,moss\nblue,2,8,fern\nr\xc3\xb6t,,7,"
                             "moss\nblue,4,9,fern\n,5,8,moss\n";

static bp_net *plant_net(bp_ctx *ctx)
{
  bp_data *d = data_with(ctx, plants, (bp_data_options){.target = "kind", .categorical = "code"});
  bp_net *net = make_net(ctx, d, &(bp_net_options){.hidden = {4}, .embed_above = 2});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 3}, NULL));
  bp_data_free(d);
  return net;
}

static void a_model_keeps_its_encoding(void **state)
{
  bp_net *net = plant_net(*state);
  char path[64];
  size_t n[2];
  temporary_path(path);
  SUCCEEDS(bp_net_save(net, path));
  bp_net *again = bp_net_load(*state, path, NULL);
  if (!again)
    fail_msg("%s", bp_error());
  char *bytes[2] = {saved_bytes(net, &n[0]), saved_bytes(again, &n[1])};
  assert_int_equal(n[0], n[1]);
  assert_memory_equal(bytes[0], bytes[1], n[0]);
  assert_int_equal(bp_net_inputs(again), 3);
  assert_string_equal(bp_net_category(again, 0, 1), "r\xc3\xb6t");
  assert_string_equal(bp_net_category(again, 2, 0), "7"); /* numbers by value */
  assert_null(bp_net_category(again, 1, 0));
  assert_int_equal(again->encoding.n_embedded, 1);
  const float x[6] = {1, 2, 0, NAN, NAN, 2};
  float p[2][4];
  SUCCEEDS(bp_net_predict(net, x, 2, p[0]));
  SUCCEEDS(bp_net_predict(again, x, 2, p[1]));
  assert_memory_equal(p[0], p[1], sizeof p[0]);
  const float wrong[3] = {2, 2, 0};
  assert_int_equal(bp_net_predict(again, wrong, 1, p[1]), BP_E_RANGE);
  assert_non_null(strstr(bp_error(), "column 'leaf': there is no category number 2"));
  unlink(path);
  free(bytes[0]);
  free(bytes[1]);
  bp_net_free(net);
  bp_net_free(again);
}

/* Other order, other columns, no answers: the same predictions. */
static void tables_are_matched_by_name(void **state)
{
  bp_net *net = plant_net(*state);
  bp_table *t[2] = {
      table_of(*state, plants),
      table_of(*state,
               "code,more,height,leaf\n7,a,1,r\xc3\xb6t\n8,b,2,blue\n7,c,,r\xc3\xb6t\n9,d,4,blue\n8,e,5,\n")};
  float p[2][10];
  for (int k = 0; k < 2; k++) {
    bp_data *d = bp_data_for_net(net, t[k], NULL);
    if (!d)
      fail_msg("%s", bp_error());
    SUCCEEDS(bp_net_predict_data(net, d, p[k]));
    assert_int_equal(bp_data_classes(d), k ? 0 : 2);
    bp_data_free(d);
    bp_table_free(t[k]);
  }
  assert_memory_equal(p[0], p[1], sizeof p[0]);
  bp_net_free(net);
}

static void tables_that_do_not_fit(void **state)
{
  static const struct {
    const char *csv, *says;
  } table[] = {
      {"leaf,hieght,code\nblue,1,7\n",
       "column 'height' is missing, which the network was trained on; did you mean 'hieght'?"},
      {"leaf,height,code\nblue,1,7\ngreen,1,7\n", "row 2, column 'leaf': 'green' is a category that"},
      {"leaf,height,code\nblue,1,7\nblue,1,77\n", "row 2, column 'code': '77' is a category that"},
      {"leaf,height,code\nblue,1,7\nblue,tall,7\n", "row 2, column 'height': 'tall' is no number"},
      {"leaf,height,code,kind\nblue,1,7,moss\nblue,1,7,oak\n", "row 2: the network knows no class 'oak'"},
      {"leaf,height,code,kind\nblue,1,7,moss\nblue,1,7,\n", "row 2 has no value in the target column 'kind'"},
  };
  bp_net *net = plant_net(*state);
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_table *t = table_of(*state, table[i].csv);
    bp_data *d = bp_data_for_net(net, t, NULL);
    if (d || !strstr(bp_error(), table[i].says))
      fail_msg("row %zu: %s", i, d ? "was taken" : bp_error());
    bp_table_free(t);
  }
  /* Unknown categories as missing ones. */
  bp_net_set_unknown(net, BP_UNKNOWN_MISSING);
  bp_table *t = table_of(*state, table[1].csv);
  bp_data *d = bp_data_for_net(net, t, NULL);
  float row[3];
  assert_non_null(d);
  SUCCEEDS(bp_data_row(d, 1, row));
  assert_true(isnan(row[0]));
  bp_data_free(d);
  bp_table_free(t);
  bp_net_free(net);
}

/* Streams: text as it is written where the network has categories, also where a block holds nothing but numbers. */
static void streams_are_read_for_a_network(void **state)
{
  bp_net *net = plant_net(*state);
  static const char csv[] = "height,code,junk,leaf,kind\n1,7.0,1,blue,fern\n2,9,zz,,moss\n";
  bp_source source;
  bp_csv *c;
  SUCCEEDS(bp_source_memory(*state, csv, sizeof csv - 1, "test.csv", &source));
  SUCCEEDS(bp_csv_open(*state, &source, NULL, &c));
  bp_data *d = bp_data_read_for_net(net, c, NULL);
  if (!d)
    fail_msg("%s", bp_error());
  float row[3];
  SUCCEEDS(bp_data_row(d, 0, row));
  assert_true(row[0] == 0 && row[1] == 1 && row[2] == 0);
  SUCCEEDS(bp_data_row(d, 1, row));
  assert_true(isnan(row[0]) && row[1] == 2 && row[2] == 2);
  assert_int_equal(bp_data_label(d, 0), 0);
  assert_int_equal(bp_data_label(d, 1), 1);
  bp_data_free(d);
  bp_csv_close(c);
  bp_source_close(&source);
  bp_net_free(net);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh_ctx, free_ctx)
  const struct CMUnitTest tests[] = {
      TEST(one_input_for_each_category_and_for_what_is_missing),
      TEST(many_categories_are_one_number_at_the_end),
      TEST(raw_numbers_stay),
      TEST(values_far_out_neither_stretch_the_others_nor_are_cut_off),
      TEST(missing_values_are_refused_where_that_is_asked_for),
      TEST(held_out_rows_change_no_statistic),
      TEST(categories_that_training_did_not_have),
      TEST(columns_that_tell_nothing_are_left_out),
      TEST(lists_of_columns),
      TEST(several_targets),
      TEST(weights_of_rows),
      TEST(a_model_keeps_its_encoding),
      TEST(tables_are_matched_by_name),
      TEST(tables_that_do_not_fit),
      TEST(streams_are_read_for_a_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Looking into networks: gradients by inputs beside differences, importance of columns beside what is known of them; matrices and bars drawn. */
#include "support/failing.h"
#include "support/picture.h"
#include "support/training.h"

/* ---- gradients by inputs ---- */

/* Logarithms of probabilities: their differences are those of the scores. */
static double log_ratio(bp_net *net, const float *x, int a, int b)
{
  float p[3];
  SUCCEEDS(bp_net_predict(net, x, 1, p));
  return log((double)p[a]) - log((double)p[b]);
}

/* The gradient of score a - score b is that of log p_a - log p_b: central differences, error h^2 / 6 f''' and rounding 1e-7 / h of 32-bit
 * probabilities. `h` is in standard deviations, as the gradient is. */
static void gradients_are_differences(void **state)
{
  enum { ROWS = 40, COLS = 3 };
  float x[ROWS * COLS], slope[2 * COLS * 2];
  int64_t labels[ROWS];
  for (int i = 0; i < ROWS; i++) {
    for (int c = 0; c < COLS; c++)
      x[i * COLS + c] = (float)((i * (7 + 4 * c) + c) % 13 - 6);
    labels[i] = x[i * COLS] > 2 ? 2 : x[i * COLS + 1] > 0;
  }
  bp_data *d = bp_data_new(*state, ROWS, COLS, x, labels, NULL, 0);
  bp_net *net = make_net(
      *state, d, &(bp_net_options){.hidden = {8}, .activation = "tanh", .raw = true, .real = BP_FLOAT64});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 20}, NULL));
  const int64_t at[4] = {5, 5, 17, 17}, which[4] = {0, 2, 0, 2};
  SUCCEEDS(bp_net_input_gradient(net, d, at, which, 4, slope));
  double largest = 0;
  for (int r = 0; r < 2; r++)
    for (int c = 0; c < COLS; c++) {
      float row[COLS], h = 0.02f;
      SUCCEEDS(bp_data_row(d, at[2 * r], row));
      row[c] += h;
      double up = log_ratio(net, row, 0, 2);
      row[c] -= 2 * h;
      double want = (up - log_ratio(net, row, 0, 2)) / (2 * (double)h);
      double got = (double)slope[2 * r * COLS + c] - (double)slope[(2 * r + 1) * COLS + c];
      assert_true(fabs(got - want) < 2e-3 * (1 + fabs(want)));
      largest = fmax(largest, fabs(want));
    }
  assert_true(largest > 0.05);
  bp_net_free(net);
  bp_data_free(d);
}

/* Of a linear network the gradient is the row of weights, for every row of data; more rows than one batch of them. */
static void gradients_of_a_linear_network(void **state)
{
  bp_data *d = load_data(*state, "wine.csv", "cultivar");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {-1}});
  enum { N = 70, COLS = 13 };
  float slope[N * COLS];
  int64_t at[N], which[N];
  void *w;
  bp_type type;
  for (int i = 0; i < N; i++) {
    at[i] = 2 * i;
    which[i] = i % 3;
  }
  SUCCEEDS(bp_params_at(bp_net_params(net), 0, NULL, &type, &w, NULL));
  assert_true(type.dims[0] == 3 && type.dims[1] == COLS);
  SUCCEEDS(bp_net_input_gradient(net, d, at, which, N, slope));
  for (int i = 0; i < N; i++)
    for (int c = 0; c < COLS; c++)
      assert_true(slope[i * COLS + c] == ((float *)w)[which[i] * COLS + c]);
  const int64_t beyond[2] = {178, 0}, third = 3, zero = 0;
  assert_int_equal(bp_net_input_gradient(net, d, beyond, which, 1, slope), BP_E_RANGE);
  assert_int_equal(bp_net_input_gradient(net, d, &zero, &third, 1, slope), BP_E_RANGE);
  assert_int_equal(bp_net_input_gradient(net, d, NULL, NULL, 1, slope), BP_E_ARG);
  SUCCEEDS(bp_net_input_gradient(net, d, NULL, NULL, 0, NULL));
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- importance ---- */

/* y = 3 a - 2 b, and c that says nothing and is learned to say nothing: shuffling a column of variance v and slope s leaves errors s (a - a'),
 * whose mean square is 2 v s^2, so RMSE is about s sqrt(2 v). */
static void importance_of_a_known_function(void **state)
{
  enum { ROWS = 400 };
  float x[ROWS * 3], y[ROWS];
  for (int i = 0; i < ROWS; i++) {
    x[3 * i] = (float)(i % 20);
    x[3 * i + 1] = (float)(i / 20);
    x[3 * i + 2] = 7;
    y[i] = 3 * x[3 * i] - 2 * x[3 * i + 1];
  }
  bp_data *d = bp_data_new(*state, ROWS, 3, x, NULL, y, 1);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {-1}});
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 200, .optimizer = {.lr = 0.02}}, NULL));
  bp_importance found[3], again[3];
  double whole, variance = (20.0 * 20 - 1) / 12; /* of 0, 1, ..., 19 */
  SUCCEEDS(bp_net_importance(net, d, NULL, found, &whole));
  assert_true(whole < 0.5);
  assert_true(fabs(found[0].mean - 3 * sqrt(2 * variance)) < 0.1 * found[0].mean);
  assert_true(fabs(found[1].mean - 2 * sqrt(2 * variance)) < 0.1 * found[1].mean);
  assert_true(found[0].spread > 0 && found[0].spread < 0.2 * found[0].mean);
  assert_true(found[2].mean == 0 && found[2].spread == 0);
  SUCCEEDS(bp_net_importance(net, d, &(bp_importance_options){.seed = 1}, again, NULL));
  assert_memory_equal(found, again, sizeof found);
  /* What is better where it is higher loses, and so gains importance as well. */
  SUCCEEDS(bp_net_importance(net, d, &(bp_importance_options){.metric = "r2", .repeats = 1, .rows = 100},
                             again, &whole));
  assert_true(whole > 0.99 && again[0].mean > 0.5 && again[0].spread == 0);
  assert_int_equal(bp_net_importance(net, d, &(bp_importance_options){.metric = "accuracy"}, again, NULL),
                   BP_E_MISMATCH);
  assert_int_equal(bp_net_importance(net, d, &(bp_importance_options){.metric = "?"}, again, NULL),
                   BP_E_NOTFOUND);
  assert_int_equal(bp_net_importance(net, d, &(bp_importance_options){.repeats = -1}, again, NULL), BP_E_ARG);
  bp_net_free(net);
  bp_data_free(d);
}

/* Columns and categories that the data have in another order than the network. */
static void importance_by_name(void **state)
{
  static const char first[] = "n,kind,y\n1,a,1\n2,b,5\n3,a,1\n4,b,5\n5,a,1\n6,b,5\n7,a,1\n8,b,5\n";
  static const char other[] = "kind,n,y\nb,2,5\na,1,1\nb,4,5\na,3,1\nb,6,5\na,5,1\nb,8,5\na,7,1\n";
  bp_data *d[2];
  for (int i = 0; i < 2; i++) {
    bp_source source;
    bp_table *t;
    SUCCEEDS(bp_source_memory(*state, i ? other : first, sizeof first - 1, "kinds.csv", &source));
    SUCCEEDS(bp_csv_read(*state, &source, NULL, &t));
    bp_source_close(&source);
    d[i] = bp_data_from_table(*state, t, &(bp_data_options){.target = "y"});
    bp_table_free(t);
    if (!d[i])
      fail_msg("%s", bp_error());
  }
  bp_net *net = make_net(*state, d[0], &(bp_net_options){.hidden = {4}});
  SUCCEEDS(bp_net_train(net, d[0], &(bp_train_options){.epochs = 100}, NULL));
  bp_importance found[2];
  double value, whole;
  SUCCEEDS(bp_net_importance(net, d[1], &(bp_importance_options){.metric = "accuracy"}, found, &whole));
  SUCCEEDS(bp_net_metric(net, d[1], "accuracy", &value));
  assert_true(whole == value && whole == 1);
  assert_true(found[1].mean > 0.2 && found[1].mean > found[0].mean);
  float slope[2];
  SUCCEEDS(bp_net_input_gradient(net, d[1], (int64_t[]){3}, (int64_t[]){1}, 1, slope));
  assert_true(isfinite(slope[0]) && isnan(slope[1]));
  assert_string_equal(bp_data_category(d[1], 0, 1), "b");
  assert_null(bp_data_category(d[1], 1, 0));
  assert_null(bp_data_category(d[1], 0, 2));
  bp_net_free(net);
  bp_data_free(d[0]);
  bp_data_free(d[1]);
}

/* ---- pictures ---- */

static void a_matrix(void **state)
{
  static const double counts[9] = {50, 3, 0, 2, 47, 1, 0, 0, 12345};
  static const char *const names[3] = {
      "cat", "a dog with a name that is far too long for any picture, at last", "<b>&"};
  bp_heatmap_options o = {.title = "Confusion",
                          .x_label = "predicted",
                          .y_label = "true",
                          .row_names = names,
                          .col_names = names,
                          .by_row = true,
                          .diagonal = true};
  bp_picture *p;
  SUCCEEDS(bp_heatmap(*state, &o, counts, 3, 3, &p));
  picture_is_clear(p, 0);
  assert_int_equal(picture_says(p, "50"), 1);
  assert_int_equal(picture_says(p, "0"), 0);
  assert_int_equal(picture_says(p, "cat"), 2);
  bp_picture_free(p);
  SUCCEEDS(bp_heatmap(*state, NULL, (double[]){1, -2, NAN, 0}, 2, 2, &p));
  picture_is_clear(p, 0);
  assert_int_equal(picture_says(p, "-2"), 1);
  bp_picture_free(p);
  static double many[400 * 400];
  for (int i = 0; i < 400 * 400; i++)
    many[i] = i % 401 == 0;
  SUCCEEDS(bp_heatmap(*state, NULL, many, 400, 400, &p));
  picture_is_clear(p, 0);
  bp_picture_free(p);
  assert_int_equal(bp_heatmap(*state, NULL, many, 401, 1, &p), BP_E_RANGE);
  assert_int_equal(bp_heatmap(*state, NULL, many, 1, 0, &p), BP_E_RANGE);
  assert_int_equal(bp_heatmap(*state, &(bp_heatmap_options){.width = NAN}, many, 1, 1, &p), BP_E_RANGE);
  assert_null(p);
}

static void some_bars(void **state)
{
  const bp_bar bars[] = {{"petal length", 0.82, 0.1},
                         {"sepal width, measured twice by two people, in inches", 0.3, 0},
                         {NULL, -0.05, 0.02},
                         {"not known", NAN, NAN}};
  bp_bars_options o = {.title = "Importance", .label = "log loss gained"};
  bp_picture *p;
  SUCCEEDS(bp_bars(*state, &o, bars, 4, &p));
  picture_is_clear(p, 0);
  assert_int_equal(picture_says(p, "0.82"), 1);
  assert_int_equal(picture_says(p, "petal length"), 1);
  bp_picture_free(p);
  SUCCEEDS(bp_bars(*state, NULL, &(bp_bar){"nothing", 0, 0}, 1, &p));
  picture_is_clear(p, 0);
  bp_picture_free(p);
  assert_int_equal(bp_bars(*state, NULL, bars, 0, &p), BP_E_RANGE);
  assert_int_equal(bp_bars(*state, NULL, bars, 201, &p), BP_E_RANGE);
  assert_int_equal(bp_bars(*state, &(bp_bars_options){.width = 100}, bars, 1, &p), BP_E_RANGE);
}

/* RFC 4648: six bits a letter; = stands for no byte. */
static size_t from_base64(const char *s, unsigned char *out)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = 0, bits = 0;
  uint32_t held = 0;
  assert_int_equal(strlen(s) % 4, 0);
  for (; *s && *s != '='; s++) {
    assert_non_null(strchr(letters, *s));
    held = held << 6 | (uint32_t)(strchr(letters, *s) - letters);
    bits += 6;
    if (bits >= 8)
      out[n++] = (unsigned char)(held >> (bits -= 8));
  }
  assert_true(strspn(s, "=") == strlen(s));
  return n;
}

static void an_image(void **state)
{
  const unsigned char grey[4] = {0, 255, 128, 7};
  unsigned char *one, *three, rgb[12];
  size_t n, m;
  for (int i = 0; i < 12; i++)
    rgb[i] = grey[i / 3];
  SUCCEEDS(bp_image_png(*state, grey, 2, 2, 1, &one, &n));
  SUCCEEDS(bp_image_png(*state, rgb, 2, 2, 3, &three, &m));
  assert_true(n == m && !memcmp(one, three, n) && !memcmp(one, "\x89PNG\r\n\x1a\n", 8));
  char *url;
  SUCCEEDS(bp_image_url(*state, grey, 2, 2, 1, &url));
  assert_memory_equal(url, "data:image/png;base64,", 22);
  unsigned char *back = malloc(strlen(url));
  assert_int_equal(from_base64(url + 22, back), n);
  assert_memory_equal(back, one, n);
  free(back);
  bp_free(*state, url);
  bp_free(*state, one);
  bp_free(*state, three);
  assert_int_equal(bp_image_url(*state, grey, 2, 2, 2, &url), BP_E_ARG);
  assert_null(url);
  assert_int_equal(bp_image_png(*state, grey, 2, 2, 2, &one, &n), BP_E_ARG);
  assert_int_equal(bp_image_png(*state, grey, 0, 2, 1, &one, &n), BP_E_ARG);
  assert_int_equal(bp_image_png(*state, grey, INT64_MAX, 2, 1, &one, &n), BP_E_LIMIT);
}

static void what_is_an_image(void **state)
{
  int64_t shape[3];
  bp_data *d = load_data(*state, "digits.csv", "digit");
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  assert_true(bp_net_image(net, shape) && shape[0] == 8 && shape[1] == 8 && shape[2] == 1);
  bp_net_free(net);
  bp_data_free(d);
  d = load_data(*state, "wine.csv", "cultivar");
  net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  assert_false(bp_net_image(net, shape));
  assert_int_equal(shape[0], 0);
  assert_false(bp_net_image(NULL, NULL));
  bp_net_free(net);
  bp_data_free(d);
}

/* ---- out of memory ---- */

static bp_status look_everywhere(bp_ctx *ctx)
{
  const float x[16] = {1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 4, 3, 6, 5, 8, 7};
  const int64_t labels[8] = {0, 1, 0, 1, 0, 1, 1, 0}, at[2] = {1, 6}, which[2] = {0, 1};
  const double m[4] = {1, 2, 3, 4};
  bp_importance found[2];
  float slope[4];
  bp_picture *p = NULL;
  unsigned char *png = NULL;
  size_t n;
  bp_data *d = bp_data_new(ctx, 8, 2, x, labels, NULL, 0);
  bp_net *net = d ? bp_net_new(ctx, d, &(bp_net_options){.hidden = {3}}) : NULL;
  bp_status s = net ? bp_net_input_gradient(net, d, at, which, 2, slope) : BP_E_NOMEM;
  if (s == BP_OK)
    s = bp_net_importance(net, d, &(bp_importance_options){.repeats = 1}, found, NULL);
  if (s == BP_OK)
    s = bp_heatmap(ctx, &(bp_heatmap_options){.title = "m"}, m, 2, 2, &p);
  bp_picture_free(p);
  p = NULL;
  if (s == BP_OK)
    s = bp_bars(ctx, NULL, &(bp_bar){"a", 1, 0.5}, 1, &p);
  bp_picture_free(p);
  if (s == BP_OK)
    s = bp_image_png(ctx, (const unsigned char *)x, 2, 2, 1, &png, &n);
  bp_free(ctx, png);
  bp_net_free(net);
  bp_data_free(d);
  return s;
}

static void out_of_memory(void **state)
{
  (void)state;
  assert_true(fail_in_turn(look_everywhere) > 60);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(gradients_are_differences, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(gradients_of_a_linear_network, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(importance_of_a_known_function, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(importance_by_name, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_matrix, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(some_bars, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(an_image, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(what_is_an_image, fresh_ctx, free_ctx),
      cmocka_unit_test(out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

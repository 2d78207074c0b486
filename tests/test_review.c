/* The warnings about a training: each is given where its rule says so, and not where it is the other way round. */
#include "support/training.h"

enum { MOST = 16 };

typedef struct said {
  int n;
  char name[MOST][32];
  char text[MOST][400];
} said;

static void keep(void *user, const char *name, const char *text)
{
  said *s = user;
  snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
  snprintf(s->text[s->n++], sizeof s->text[0], "%s", text);
}

static const char *find(const said *s, const char *name)
{
  for (int i = 0; i < s->n; i++)
    if (strcmp(s->name[i], name) == 0)
      return s->text[i];
  return NULL;
}

/* Rows of two classes: two inputs, of which the first alone tells the class where `tells`. */
typedef struct rows {
  float x[2 * 400];
  int64_t labels[400];
  int n;
} rows;

static uint32_t draw(uint32_t *s)
{
  *s = *s * 1664525 + 1013904223;
  return *s >> 8;
}

static float uniform(uint32_t *s)
{
  return (float)draw(s) / 16777216.0f;
}

static void make_rows(rows *r, int n, uint32_t seed, bool tells)
{
  r->n = n;
  for (int i = 0; i < n; i++) {
    r->labels[i] = (int64_t)(draw(&seed) & 1);
    r->x[2 * i] = tells ? (float)r->labels[i] * 5 + uniform(&seed) : uniform(&seed);
    r->x[2 * i + 1] = uniform(&seed) + 0.5f * (float)r->labels[i];
  }
}

static bp_data *data_of(bp_ctx *ctx, const rows *r)
{
  return bp_data_new(ctx, r->n, 2, r->x, r->labels, NULL, 0);
}

static void review(bp_ctx *ctx, const bp_data *train, const bp_data *valid, const bp_net_options *no,
                   bp_train_options o, double linear, said *s)
{
  bp_net *net = make_net(ctx, train, no);
  bp_metrics m;
  o.valid = valid;
  SUCCEEDS(bp_net_train(net, train, &o, NULL));
  SUCCEEDS(bp_net_eval(net, valid, &m));
  *s = (said){0};
  SUCCEEDS(bp_net_review(
      net,
      &(bp_review){.train = train, .valid = valid, .own = m.accuracy, .linear = linear, .judged = m.rows},
      keep, s));
  bp_net_free(net);
}

/* A plain training of plain rows says nothing at all. */
static void nothing_to_say(void **state)
{
  rows a, b;
  make_rows(&a, 300, 1, false);
  make_rows(&b, 100, 2, false);
  bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
  said s;
  review(*state, train, valid, &(bp_net_options){.hidden = {8}}, (bp_train_options){.epochs = 20}, 0.6, &s);
  for (int i = 0; i < s.n; i++)
    print_message("%s: %s\n", s.name[i], s.text[i]);
  assert_int_equal(s.n, 0);
  bp_data_free(train);
  bp_data_free(valid);
}

static void a_column_that_tells_alone(void **state)
{
  rows a, b;
  make_rows(&a, 300, 1, true);
  make_rows(&b, 100, 2, true);
  bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
  said s;
  review(*state, train, valid, &(bp_net_options){.hidden = {8}}, (bp_train_options){.epochs = 20}, NAN, &s);
  assert_non_null(find(&s, "leakage"));
  assert_non_null(strstr(find(&s, "leakage"), "column 1 alone"));
  bp_data_free(train);
  bp_data_free(valid);
}

static void a_class_with_few_rows(void **state)
{
  for (int few = 4; few <= 5; few++) {
    rows a, b;
    make_rows(&a, 300, 1, false);
    make_rows(&b, 100, 2, false);
    for (int i = 0, left = few; i < a.n; i++)
      if (a.labels[i] && left-- <= 0)
        a.labels[i] = 0;
    bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
    said s;
    review(*state, train, valid, &(bp_net_options){.hidden = {8}}, (bp_train_options){.epochs = 3}, NAN, &s);
    assert_int_equal(find(&s, "rare") != NULL, few == 4);
    assert_true(few == 5 || strstr(find(&s, "rare"), "class 1 has 4 training rows"));
    bp_data_free(train);
    bp_data_free(valid);
  }
}

/* 11 and 9 of 100 validation rows are training rows too. */
static void rows_that_are_in_both(void **state)
{
  for (int same = 9; same <= 11; same += 2) {
    rows a, b;
    make_rows(&a, 300, 1, false);
    make_rows(&b, 100, 2, false);
    memcpy(b.x, a.x + 20, (size_t)same * 2 * sizeof *b.x);
    bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
    said s;
    review(*state, train, valid, &(bp_net_options){.hidden = {8}}, (bp_train_options){.epochs = 3}, NAN, &s);
    assert_int_equal(find(&s, "twins") != NULL, same == 11);
    assert_true(same == 9 || strstr(find(&s, "twins"), "11 %"));
    bp_data_free(train);
    bp_data_free(valid);
  }
}

static void a_linear_model_that_is_better(void **state)
{
  rows a, b;
  make_rows(&a, 300, 1, false);
  make_rows(&b, 100, 2, false);
  bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
  said s;
  review(*state, train, valid, &(bp_net_options){.hidden = {8}}, (bp_train_options){.epochs = 20}, 0.999, &s);
  assert_non_null(find(&s, "linear"));
  bp_data_free(train);
  bp_data_free(valid);
}

/* A learning rate so small that nothing moves, and labels without a rule. */
static void a_loss_that_stays(void **state)
{
  rows a, b;
  make_rows(&a, 300, 1, false);
  make_rows(&b, 100, 2, false);
  bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
  said s;
  review(*state, train, valid, &(bp_net_options){.hidden = {8}},
         (bp_train_options){.epochs = 5, .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 1e-9}}, NAN, &s);
  assert_non_null(find(&s, "loss"));
  bp_data_free(train);
  bp_data_free(valid);
}

/* Biases far below what inputs can reach: `dead` of 64 units never fire. */
static void kill_units(bp_net *net, int dead)
{
  bp_params *p = bp_net_params(net);
  for (int i = 0; i < bp_params_count(p); i++) {
    const char *name;
    void *data;
    SUCCEEDS(bp_params_at(p, i, &name, NULL, &data, NULL));
    for (int u = 0; u < dead && strcmp(name, "layer1.b") == 0; u++)
      ((float *)data)[u] = -1000;
  }
}

static void units_that_never_fire(void **state)
{
  rows a;
  make_rows(&a, 300, 1, false);
  bp_data *train = data_of(*state, &a);
  for (int dead = 31; dead <= 33; dead += 2)
    for (int bent = 0; bent < 2; bent++) {
      bp_net *net =
          make_net(*state, train, &(bp_net_options){.hidden = {64}, .activation = bent ? "relu" : "tanh"});
      kill_units(net, dead);
      said s = {0};
      SUCCEEDS(bp_net_review(net, &(bp_review){.train = train, .own = NAN, .linear = NAN}, keep, &s));
      assert_int_equal(find(&s, "dead") != NULL, bent && dead == 33); /* tanh is nowhere exactly 0 */
      assert_true(!find(&s, "dead") ||
                  strstr(find(&s, "dead"), "52 % of the units of layer1 (dense 64 relu)"));
      bp_net_free(net);
    }
  bp_data_free(train);
}

/* Gradient descent on a square is stable below a certain rate, and explodes above it. */
static void gradients_that_explode(void **state)
{
  bp_data *d = linear_data(*state);
  for (int i = 0; i < 2; i++) {
    bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {-1}});
    bp_train_options o = {
        .epochs = 4, .batch = 64, .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = i ? 3 : 0.1}};
    SUCCEEDS(bp_net_train(net, d, &o, NULL));
    said s = {0};
    SUCCEEDS(bp_net_review(net, &(bp_review){.train = d, .own = NAN, .linear = NAN}, keep, &s));
    assert_int_equal(find(&s, "gradients") != NULL, i);
    bp_net_free(net);
  }
  bp_data_free(d);
}

/* Labels that are chance, learnt by heart by a wide network. */
static void learnt_by_heart(void **state)
{
  rows a, b;
  uint32_t seed = 9;
  make_rows(&a, 60, 1, false);
  make_rows(&b, 200, 2, false);
  for (int i = 0; i < a.n; i++)
    a.labels[i] = (int64_t)(draw(&seed) & 1);
  for (int i = 0; i < b.n; i++)
    b.labels[i] = (int64_t)(draw(&seed) & 1);
  bp_data *train = data_of(*state, &a), *valid = data_of(*state, &b);
  bp_net *net = make_net(*state, train, &(bp_net_options){.hidden = {256}});
  bp_train_options o = {
      .epochs = 600, .label_smoothing = -1, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.02}};
  SUCCEEDS(bp_net_train(net, train, &o, NULL));
  said s = {0};
  SUCCEEDS(
      bp_net_review(net, &(bp_review){.train = train, .valid = valid, .own = NAN, .linear = NAN}, keep, &s));
  assert_non_null(find(&s, "overfit"));
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(valid);
}

static void bad_calls(void **state)
{
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(*state, d, NULL);
  said s = {0};
  assert_int_equal(bp_net_review(NULL, &(bp_review){.train = d}, keep, &s), BP_E_ARG);
  assert_int_equal(bp_net_review(net, &(bp_review){0}, keep, &s), BP_E_ARG);
  assert_int_equal(bp_net_review(net, &(bp_review){.train = d}, NULL, &s), BP_E_ARG);
  bp_net_free(net);
  bp_data_free(d);
}

/* Where a number stops being finite is told: the layer, and the operation. */
static void what_is_not_finite_is_named(void **state)
{
  bp_data *d = linear_data(*state);
  bp_net *net = make_net(*state, d, &(bp_net_options){.hidden = {4}});
  bp_train_options o = {.epochs = 50, .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 1e18}};
  assert_int_equal(bp_net_train(net, d, &o, NULL), BP_E_NOTFINITE);
  assert_non_null(strstr(bp_error(), "layer2"));
  assert_non_null(strstr(bp_error(), "linear#"));
  bp_net_free(net);
  bp_data_free(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nothing_to_say, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_column_that_tells_alone, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_class_with_few_rows, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(rows_that_are_in_both, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_linear_model_that_is_better, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(a_loss_that_stays, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(units_that_never_fire, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(gradients_that_explode, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(learnt_by_heart, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(bad_calls, fresh_ctx, free_ctx),
      cmocka_unit_test_setup_teardown(what_is_not_finite_is_named, fresh_ctx, free_ctx),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

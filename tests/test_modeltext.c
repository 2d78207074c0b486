/* Networks as text: what is read, how it is written plainly, and what is said of mistakes. What layers build: test_layers.c. */
#include "bprop.h"
#include "support/failing.h"

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

/* A text, and the same as it is written plainly (NULL: it is plain). */
static const struct {
  const char *text, *plain;
} texts[] = {
    {"dense 256 relu, dropout 0.2, batchnorm, dense 10", NULL},
    {"dense 3", NULL},
    {"relu", NULL},
    {"none", NULL},
    {"  dense\t4 \n tanh ,\r\n dense 2  ", "dense 4 tanh, dense 2"},
    {"dense tanh units=4", "dense 4 tanh"},
    {"dense 4 nobias gelu", NULL},
    {"dense 4 none", "dense 4"},
    {"conv 32 3 same relu", NULL},
    {"conv 32 3x5 stride=2x1 pad=1x2 dilation=2 groups=4 nobias elu(0.5)", NULL},
    {"conv window=3 filters=8 pad=same", "conv 8 3 same"},
    {"maxpool, maxpool 3, maxpool 3x2 stride=2 same, avgpool 2 pad=1", NULL},
    {"maxpool stride=1", NULL},
    {"globalpool, globalpool max, flatten, reshape 28x28x1, reshape 4x4, reshape 16", NULL},
    {"batchnorm momentum=0.99 eps=0.001 relu, layernorm eps=1e-06", NULL},
    {"layernorm eps=0.000001", "layernorm eps=1e-06"},
    {"maxout 64, maxout 64 3, dense 8 maxout(2), maxout(2), leaky_relu(0.1)", NULL},
    {"embedding, dense 2", NULL},
    {"embedding 8, dense 2", NULL},
    {"residual(conv 32 3 same, batchnorm, relu, conv 32 3 same) relu", NULL},
    {"residual ( dense 3 ) relu", "residual(dense 3) relu"},
    {"residual(residual(dense 2), dense 2)", NULL},
    {"repeat 3(dense 4 relu, dropout 0.1), dense 2", NULL},
    {"repeat (dense 4) 3", "repeat 3(dense 4)"},
    {"dropout 0", NULL},
    {"dense 1e3", "dense 1000"},
};

static void texts_are_read_and_written(void **state)
{
  for (size_t i = 0; i < COUNT(texts); i++) {
    char *plain, *again;
    size_t at = 77;
    if (bp_layers_check(*state, texts[i].text, &plain, &at) != BP_OK)
      fail_msg("'%s': %s", texts[i].text, bp_error());
    assert_string_equal(plain, texts[i].plain ? texts[i].plain : texts[i].text);
    assert_int_equal(at, 0);
    assert_int_equal(bp_layers_check(*state, plain, &again, NULL), BP_OK);
    assert_string_equal(again, plain);
    bp_free(*state, plain);
    bp_free(*state, again);
  }
}

/* What is wrong, where in bytes, and what is said. */
static const struct {
  const char *text;
  size_t at;
  const char *says;
} mistakes[] = {
    {"", 0, "column 1: a layer is missing here"},
    {"   ", 3, "a layer is missing here"},
    {"dense 3,", 8, "column 9: a layer is missing here"},
    {"dense 3,,relu", 8, "a layer is missing here"},
    {"dens 3", 0, "'dens' is no kind of layer and no activation; did you mean dense?"},
    {"dense 3, rellu", 9, "column 10: 'rellu' is no kind of layer and no activation; did you mean relu?"},
    {"xyzzy", 0, "'xyzzy' is no kind of layer and no activation"},
    {"dense", 0, "dense needs units: outputs"},
    {"dense 3, conv 8", 9, "conv needs window"},
    {"dense 0", 6, "dense: units must be a whole number from 1 to 10000000"},
    {"dense -1", 6, "from 1 to"},
    {"dense 2.5", 6, "a whole number"},
    {"dense nan", 6, "'nan' is no argument of dense and no activation"},
    {"dense units=nan", 12, "a whole number"},
    {"dense 1e999", 6, "from 1 to"},
    {"dense 99999999999999999999", 6, "from 1 to"},
    {"dense 3 4", 8, "dense takes no number here; a comma begins the next layer"},
    {"dense 3 units=4", 14, "units is given twice"},
    {"dense unit=4", 6, "'unit' is no argument of dense and no activation; did you mean units?"},
    {"dense units=", 12, "units must be a number, not ''"},
    {"dense units=4x", 12, "units must be a number, not '4x'"},
    {"dense 3x4", 6, "units takes 1 number"},
    {"dense 3 relu tanh", 13, "a layer has one activation; a comma begins a layer"},
    {"dense 3 maxout(0)", 8, "whole number from 1 on"},
    {"dense 3 relu(2)", 8, "takes no number"},
    {"dense 3 elu(", 8, "no argument of dense and no activation"},
    {"dense 3 softmax", 8,
     "softmax works along an axis, and is no activation; probabilities are made by the loss"},
    {"dense 3, log_softmax", 9, "log_softmax works along an axis"},
    {"conv 8 3 sme", 9, "'sme' is no argument of conv and no activation; did you mean same?"},
    {"conv 8 3 same same", 14, "pad is given twice"},
    {"conv 8 3 pad=1 same", 15, "pad is given twice"},
    {"conv 8 3x3x3", 7, "window takes at most 2 numbers"},
    {"conv 8 3 nobias nobias", 16, "nobias is given twice"},
    {"conv 8 3 nobias=1", 9, "'nobias' is no argument"},
    {"conv 8 3 stride=0", 16, "stride must be a whole number from 1 to 4096"},
    {"conv 8 5000", 7, "from 1 to 4096"},
    {"reshape 0x3", 8, "from 1 to"},
    {"reshape 2x3x4x5", 8, "must be a number"},
    {"reshape x3", 8, "'x3' is no argument of reshape"},
    {"dropout 1", 8, "rate must be a number from 0 to 0.9999"},
    {"dropout 1.5", 8, "rate must be a number"},
    {"batchnorm momentum=2", 19, "momentum must be a number from 0 to 1"},
    {"batchnorm 0.9", 10, "batchnorm takes no number here"},
    {"dense(3)", 0, "'dense(3)' is no kind of layer"},
    {"dense 3 (relu)", 8, "dense has no layers in brackets"},
    {"(dense 3)", 0, "a bracket without a layer's name before it"},
    {"dense 3)", 7, "a bracket is closed that was not opened"},
    {"residual", 0, "residual needs layers in brackets"},
    {"residual relu", 0, "residual needs layers in brackets"},
    {"residual()", 9, "a layer is missing here"},
    {"residual(dense 3", 8, "this bracket is not closed"},
    {"residual(dense 3) (dense 3)", 18, "residual has its layers already"},
    {"residual(dense 3, dens 4)", 18, "'dens' is no kind of layer"},
    {"repeat(dense 3)", 0, "repeat needs times"},
    {"repeat 0(dense 3)", 7, "from 1 to 1000"},
    {"\xc3\xa4\xc3\xb6, dens 3", 0, "column 1"},
    {"dense 3 \xc3\xa4, x", 8, "column 9"},
    {"relu, \xc3\xa4\xc3\xb6, x", 6, "column 7"},
    {"%n%s%s", 0, "'%n%s%s' is no kind"},
};

static void mistakes_are_told(void **state)
{
  for (size_t i = 0; i < COUNT(mistakes); i++) {
    char *plain = (char *)"",
         *text = strdup(mistakes[i].text); /* exactly as long as it is: read past the end is seen */
    size_t at = 77;
    bp_status s = bp_layers_check(*state, text, &plain, &at);
    if (s != BP_E_PARSE || at != mistakes[i].at || !strstr(bp_error(), mistakes[i].says))
      fail_msg("'%s': %s at %zu (expected %zu): %s", text, bp_status_name(s), at, mistakes[i].at, bp_error());
    assert_null(plain);
    free(text);
  }
}

/* n times `open`, then `middle`, then n times `close`. */
static char *nested(int n, const char *open, const char *middle, const char *close)
{
  char *text = malloc((size_t)n * (strlen(open) + strlen(close)) + strlen(middle) + 1), *to = text;
  for (int i = 0; i < n; i++)
    to = stpcpy(to, open);
  to = stpcpy(to, middle);
  for (int i = 0; i < n; i++)
    to = stpcpy(to, close);
  return text;
}

static void depth_and_length_have_limits(void **state)
{
  static const struct {
    int n;
    const char *open, *middle, *close;
    bp_status status;
    const char *says;
  } rows[] = {
      {16, "residual(", "relu", ")", BP_OK, NULL},
      {17, "residual(", "relu", ")", BP_E_PARSE, "more than 16 brackets in brackets"},
      {100000, "residual(", "relu", "", BP_E_PARSE, "more than 16 brackets in brackets"},
      {100000, "(", "relu", "", BP_E_PARSE, "a bracket without a layer's name"},
      {9999, "relu,", "relu", "", BP_OK, NULL},
      {10000, "relu,", "relu", "", BP_E_PARSE, "more than 10000 layers"},
      {1000000, "1", "", "", BP_E_PARSE, "is no kind of layer"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *text = nested(rows[i].n, rows[i].open, rows[i].middle, rows[i].close);
    bp_status s = bp_layers_check(*state, text, NULL, NULL);
    if (s != rows[i].status || (s != BP_OK && !strstr(bp_error(), rows[i].says)))
      fail_msg("row %zu: %s: %s", i, bp_status_name(s), bp_error());
    free(text);
  }
}

static void arguments_that_are_missing(void **state)
{
  char *plain;
  bp_layer_kind kind;
  assert_int_equal(bp_layers_check(NULL, "relu", NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_layers_check(*state, NULL, &plain, NULL), BP_E_ARG);
  assert_int_equal(bp_layer_kind_at(0, NULL), BP_E_ARG);
  assert_int_equal(bp_layer_kind_at(SIZE_MAX, &kind), BP_E_RANGE);
}

/* Every kind of the table is read with its least arguments, and says what it is. */
static void the_table_is_whole(void **state)
{
  bp_layer_kind k;
  size_t n = 0;
  for (; bp_layer_kind_at(n, &k) == BP_OK; n++) {
    char text[200];
    int at = snprintf(text, sizeof text, "%s", k.name);
    assert_true(k.what && *k.what && k.n_args <= BP_LAYER_ARGS);
    for (int i = 0; i < k.n_args; i++) {
      assert_true(k.args[i].name && k.args[i].what);
      if (isnan(k.args[i].preset))
        at += snprintf(text + at, sizeof text - (size_t)at, " %g", k.args[i].lo);
      else if (k.args[i].kind != BP_LAYER_FLAG)
        assert_true(k.args[i].preset >= k.args[i].lo || k.args[i].preset == 0);
    }
    if (k.body)
      snprintf(text + at, sizeof text - (size_t)at, "(relu)");
    if (bp_layers_check(*state, text, NULL, NULL) != BP_OK)
      fail_msg("'%s': %s", text, bp_error());
  }
  assert_true(n >= 13);
}

static bp_status read_much(bp_ctx *ctx)
{
  char *plain = NULL;
  bp_status s = bp_layers_check(
      ctx, "residual(conv 32 3 same, batchnorm momentum=0.5, relu) gelu, repeat 3(dense 4 elu(0.5))", &plain,
      NULL);
  bp_free(ctx, plain);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(read_much) > 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(texts_are_read_and_written, fresh, done),
      cmocka_unit_test_setup_teardown(mistakes_are_told, fresh, done),
      cmocka_unit_test_setup_teardown(depth_and_length_have_limits, fresh, done),
      cmocka_unit_test_setup_teardown(arguments_that_are_missing, fresh, done),
      cmocka_unit_test_setup_teardown(the_table_is_whole, fresh, done),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

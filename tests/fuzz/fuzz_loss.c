/* Any text as a loss, for classes and for two numbers: refused, or a network that takes a step and predicts. Memory is limited, so that a text
 * cannot ask for what it does not hold. */
#include "support/limited.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
  if (!ok)
    abort();
}

/* Four rows of two columns, of two classes or with two numbers to predict. */
static bp_data *some_data(bp_ctx *ctx, bool classes)
{
  static const float x[] = {1, 2, 3, 4, -1, 0.5F, 2, -2}, y[] = {1, 0, 2, 1, 0.5F, 3, 1, 1};
  static const int64_t labels[] = {0, 1, 1, 0};
  return bp_data_new(ctx, 4, 2, x, classes ? labels : NULL, classes ? NULL : y, classes ? 0 : 2);
}

static void train_with(bp_ctx *ctx, const bp_data *d, const char *loss)
{
  bp_net *net = bp_net_new(ctx, d, &(bp_net_options){.hidden = {2}, .loss = loss});
  if (!net) {
    expect(strlen(bp_error()) > 4);
    return;
  }
  bp_train_result r;
  float y[8];
  bp_net_train(net, d, &(bp_train_options){.epochs = 1, .batch = 3}, &r);
  bp_status s = bp_net_predict(net, (const float[]){1, 2}, 1, y);
  expect(s == BP_OK || s == BP_E_NOMEM || s == BP_E_NOTFINITE);
  bp_net_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  size_t live = 0;
  char *text = malloc(size + 1);
  memcpy(text, data, size);
  text[size] = 0;
  bp_ctx *ctx =
      bp_ctx_new(&(bp_ctx_options){.alloc = limited, .alloc_user = &live, .threads = 1, .jit = BP_JIT_OFF});
  for (int classes = 0; classes < 2; classes++) {
    bp_data *d = some_data(ctx, classes != 0);
    expect(d != NULL);
    train_with(ctx, d, text);
    bp_data_free(d);
  }
  bp_ctx_free(ctx);
  free(text);
  expect(live == 0);
  return 0;
}

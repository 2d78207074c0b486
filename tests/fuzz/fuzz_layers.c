/* Any bytes as the text of a network: what is read is written plainly, reads back as the same, and is built. */
#include "bprop.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Built for training and for prediction: error nodes where shapes do not fit, never more. */
static void build(bp_ctx *ctx, const char *text, bool training)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_params *p = bp_params_new(ctx);
  int64_t dims[2] = {3, 12}, two = 2;
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims), key = bp_input(g, "key", BP_INT64, 1, &two);
  bp_node y = bp_layers(p, x, key, training, text);
  if (bp_failed(y) != (bp_graph_status(g) != BP_OK))
    abort();
  bp_params_free(p);
  bp_graph_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1), *plain = NULL, *again = NULL;
  size_t at;
  memcpy(text, data, size);
  text[size] = 0;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_status s = bp_layers_check(ctx, text, &plain, &at);
  if (s == BP_OK) {
    if (bp_layers_check(ctx, plain, &again, NULL) != BP_OK || strcmp(plain, again) != 0)
      abort();
    build(ctx, plain, true);
    build(ctx, plain, false);
  } else if (at > strlen(text)) {
    abort();
  }
  bp_free(ctx, again);
  bp_free(ctx, plain);
  bp_ctx_free(ctx);
  free(text);
  return 0;
}

/* Any bytes as a model file. A network that is taken must predict. Memory is limited, so that a
 * description cannot ask for what the file does not hold. */
#include "support/limited.h"
#include "train/net.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FEW = 64 };

static void expect(bool ok)
{
  if (!ok)
    abort();
}

/* Rows of numbers, and of categories that there are. */
static void fill(const bp_net *net, float *x)
{
  int64_t cols = bp_net_inputs(net);
  for (int64_t i = 0; i < 6 * cols; i++) {
    bool category = bp_net_category(net, i % cols, 0) != NULL;
    x[i] = category ? (float)(bp_net_category(net, i % cols, i / cols) ? i / cols : 0) : (float)(i % 7) - 3;
  }
}

static void use(bp_net *net)
{
  float x[6 * FEW], y[6 * FEW];
  if (bp_net_inputs(net) > FEW || bp_net_outputs(net) > FEW)
    return;
  fill(net, x);
  bp_status one = bp_net_predict(net, x, 1, y), six = bp_net_predict(net, x, 6, y);
  expect((one == BP_OK || one == BP_E_NOMEM) && (six == BP_OK || six == BP_E_NOMEM));
  expect(strlen(bp_net_summary(net)) > 0);
  for (int64_t i = 0; i < bp_net_classes(net); i++)
    expect(bp_net_class_name(net, i) != NULL);
  for (int64_t i = 0; i < bp_net_inputs(net); i++)
    expect(bp_net_col_name(net, i) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  size_t live = 0;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.alloc = limited, .alloc_user = &live});
  bp_source source;
  bp_net *net = NULL;
  expect(ctx && bp_source_memory(ctx, data, size, "fuzz", &source) == BP_OK);
  bp_status s = bpi_net_read(ctx, &source, &net);
  expect((s == BP_OK) == (net != NULL));
  if (net)
    use(net);
  bp_net_free(net);
  bp_source_close(&source);
  bp_ctx_free(ctx);
  expect(live == 0);
  return 0;
}

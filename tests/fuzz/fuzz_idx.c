/* Any bytes as IDX, from a source that does not say its size. */
#include "base/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_source source;
  bp_ndarray a = {0};
  if (bp_source_memory(ctx, data, size, "fuzz", &source) == BP_OK) {
    if (size & 1)
      source.size = -1;
    if (bp_idx_read(ctx, &source, &a) == BP_OK) {
      bp_ndarray all = a;
      bp_labels_check(&all, &a, 0, NULL);
    }
    bp_source_close(&source);
  }
  bp_ndarray_free(ctx, &a);
  bp_ctx_free(ctx);
  return 0;
}

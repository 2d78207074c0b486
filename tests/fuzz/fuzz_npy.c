/* Any bytes as npy; what is read is converted too. */
#include "base/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const bp_dtype types[] = {BP_FLOAT32, BP_FLOAT64, BP_INT64, BP_BOOL};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_source source;
  bp_ndarray a = {0};
  double out[64];
  if (bp_source_memory(ctx, data, size, "fuzz", &source) == BP_OK) {
    if (size & 1)
      source.size = -1;
    if (bp_npy_read(ctx, &source, &a) == BP_OK)
      for (int i = 0; i < 4; i++)
        bp_convert(a.data, a.store, a.size < 64 ? a.size : 64, types[i], out);
    bp_source_close(&source);
  }
  bp_ndarray_free(ctx, &a);
  bp_ctx_free(ctx);
  return 0;
}

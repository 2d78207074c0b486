/* Any bytes as safetensors. What is read is written again and read again: nothing may change. */
#include "base/source.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
  if (!ok)
    abort();
}

static bp_tensors *read_tensors(bp_ctx *ctx, const void *data, size_t size, bool sized)
{
  bp_source source;
  bp_tensors *t = NULL;
  if (bp_source_memory(ctx, data, size, "fuzz", &source) != BP_OK)
    return NULL;
  if (!sized)
    source.size = -1;
  bp_status s = bp_tensors_read(ctx, &source, &t);
  expect((s == BP_OK) == (t != NULL));
  bp_source_close(&source);
  return t;
}

static void assert_same(const bp_tensors *a, const bp_tensors *b)
{
  expect(bp_tensors_count(a) == bp_tensors_count(b));
  for (size_t i = 0; i < bp_tensors_count(a); i++) {
    const bp_tensor *x = bp_tensors_at(a, i), *y = bp_tensors_find(b, x->name);
    expect(y && x->store == y->store && x->rank == y->rank && x->bytes == y->bytes);
    expect(memcmp(x->data, y->data, x->bytes) == 0);
    for (int d = 0; d < x->rank; d++)
      expect(x->dims[d] == y->dims[d]);
  }
  for (size_t i = 0; i < bp_tensors_meta_count(a); i++) {
    const bp_meta *m = bp_tensors_meta_at(a, i);
    expect(strncmp(m->key, "bprop.c", 7) == 0 || strcmp(bp_tensors_meta(b, m->key), m->value) == 0);
  }
}

static void write_and_read(bp_ctx *ctx, const bp_tensors *t)
{
  void *bytes;
  size_t size, n = bp_tensors_count(t), n_meta = bp_tensors_meta_count(t);
  bp_tensor *tensors = calloc(n + 1, sizeof *tensors);
  bp_meta *meta = calloc(n_meta + 1, sizeof *meta);
  for (size_t i = 0; i < n; i++)
    tensors[i] = *bp_tensors_at(t, i);
  for (size_t i = 0; i < n_meta; i++)
    meta[i] = *bp_tensors_meta_at(t, i);
  expect(bp_tensors_encode(ctx, tensors, n, meta, n_meta, &bytes, &size) == BP_OK);
  bp_tensors *again = read_tensors(ctx, bytes, size, true);
  expect(again != NULL);
  assert_same(t, again);
  bp_tensors_free(again);
  bp_free(ctx, bytes);
  free(tensors);
  free(meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_tensors *t = read_tensors(ctx, data, size, size & 1);
  if (t)
    write_and_read(ctx, t);
  bp_tensors_free(t);
  bp_ctx_free(ctx);
  return 0;
}

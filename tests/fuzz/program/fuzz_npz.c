/* Any bytes as a zip archive of arrays. Members are what the list says, or a failure; nothing that is read outlives it. */
#include "npzfile.h"
#include "zipfile.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
  if (!ok)
    abort();
}

/* All bytes of a member; never more than its size. */
static void unpack(const zip *z, const zip_member *m)
{
  char buffer[4096];
  const char *why;
  bp_source s;
  int64_t n, all = 0;
  if (zip_source(z, m, "member", &s) != 0)
    return;
  while ((n = s.read(s.user, buffer, sizeof buffer, &why)) > 0 && all < (1 << 22))
    all += n;
  expect(all <= m->size);
  expect(n != 0 || all == m->size);
  s.close(s.user);
}

static void look(const char *path)
{
  zip z;
  if (zip_open(&z, path) == 0)
    for (int64_t i = 0; i < z.n && i < 20; i++) {
      expect(z.members[i].name && z.members[i].packed >= 0 && z.members[i].size >= 0);
      unpack(&z, &z.members[i]);
    }
  zip_close(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[64];
  int file = memfd_create("fuzz", 0);
  expect(file >= 0 && write(file, data, size) == (ssize_t)size);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  look(path);
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (int test = 0; test < 2; test++) {
    bp_ndarray x = {0}, y = {0};
    int end = npz_read(ctx, path, test != 0, &x, &y);
    expect(end != 0 || (x.data && y.data));
    bp_ndarray_free(ctx, &x);
    bp_ndarray_free(ctx, &y);
  }
  bp_ctx_free(ctx);
  close(file);
  return 0;
}

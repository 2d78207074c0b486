/* What the tests of networks share: small data, networks trained in one call, model files compared. */
#ifndef TEST_TRAINING_H
#define TEST_TRAINING_H

#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SUCCEEDS(call)                                               \
  do {                                                               \
    bp_status s_ = (call);                                           \
    if (s_ != BP_OK)                                                 \
      fail_msg("%s: %s: %s", #call, bp_status_name(s_), bp_error()); \
  } while (0)

static inline int fresh_ctx(void **state)
{
  return !(*state = bp_ctx_new(NULL));
}

static inline int free_ctx(void **state)
{
  bp_ctx_free(*state);
  return 0;
}

static inline bp_data *load_data(bp_ctx *ctx, const char *name, const char *target)
{
  char path[512];
  snprintf(path, sizeof path, "%s/data/%s", BPROP_SOURCE_DIR, name);
  bp_data *d = bp_data_load_csv(ctx, path, target);
  if (!d)
    fail_msg("%s", bp_error());
  return d;
}

/* y = 3 a - 2 b + 1, on a grid of 8 x 8. */
static inline bp_data *linear_data(bp_ctx *ctx)
{
  float x[128], y[64];
  for (int i = 0; i < 64; i++) {
    x[2 * i] = (float)(i % 8);
    x[2 * i + 1] = (float)(i / 8) * 0.5f;
    y[i] = 3 * x[2 * i] - 2 * x[2 * i + 1] + 1;
  }
  return bp_data_new(ctx, 64, 2, x, NULL, y, 1);
}

/* A file's bytes; freed by the caller. */
static inline char *file_bytes(const char *path, size_t *n)
{
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  *n = (size_t)ftell(f);
  rewind(f);
  char *bytes = malloc(*n + 1);
  assert_int_equal(fread(bytes, 1, *n, f), *n);
  fclose(f);
  return bytes;
}

static inline void temporary_path(char path[64])
{
  snprintf(path, 64, "/tmp/bprop-model-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
}

/* What a network saves. */
static inline char *saved_bytes(const bp_net *net, size_t *n)
{
  char path[64];
  temporary_path(path);
  SUCCEEDS(bp_net_save(net, path));
  char *bytes = file_bytes(path, n);
  unlink(path);
  return bytes;
}

static inline bp_net *make_net(bp_ctx *ctx, const bp_data *d, const bp_net_options *o)
{
  bp_net *net = bp_net_new(ctx, d, o);
  if (!net)
    fail_msg("%s", bp_error());
  return net;
}

/* The trained parameters as one copy; freed by the caller. */
static inline char *copy_weights(bp_net *net, size_t *bytes)
{
  bp_params *p = bp_net_params(net);
  *bytes = (size_t)bp_params_size(p, NULL) * sizeof(float);
  void *first = NULL;
  for (int i = 0; i < bp_params_count(p); i++) {
    void *data;
    SUCCEEDS(bp_params_at(p, i, NULL, NULL, &data, NULL));
    first = !first || (char *)data < (char *)first ? data : first;
  }
  char *copy = malloc(*bytes);
  memcpy(copy, first, *bytes);
  return copy;
}

#endif

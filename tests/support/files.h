/* What the tests of readers and writers share: a counting, failing allocator; reading bytes; sweeps over damage and failure. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include "base/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An allocator that counts what lives, keeps the highest total, and fails the call number fail_at (from 1), or all from it on. */
typedef struct tally {
  long live, calls, fail_at;
  bool from_then_on;
  size_t bytes, most;
} tally;

static void *tally_alloc(void *user, void *p, size_t size)
{
  tally *t = user;
  size_t *block = p ? (size_t *)((char *)p - 16) : NULL, old = p ? *block : 0;
  if (size == 0) {
    t->live -= p != NULL;
    t->bytes -= old;
    free(block);
    return NULL;
  }
  t->calls++;
  if (t->fail_at && (t->calls == t->fail_at || (t->from_then_on && t->calls > t->fail_at)))
    return NULL;
  block = size < SIZE_MAX - 16 ? realloc(block, size + 16) : NULL;
  if (!block)
    return NULL;
  t->live += p == NULL;
  t->bytes += size - old;
  t->most = t->bytes > t->most ? t->bytes : t->most;
  *block = size;
  return (char *)block + 16;
}

static bp_ctx *tally_ctx(tally *t)
{
  *t = (tally){0};
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.alloc = tally_alloc, .alloc_user = t});
  assert_non_null(ctx);
  return ctx;
}

/* Frees the context; nothing may be left. */
static void tally_end(tally *t, bp_ctx *ctx)
{
  bp_ctx_free(ctx);
  assert_int_equal(t->live, 0);
}

/* A test of one reader: reads bytes, frees what came, returns the status. */
typedef bp_status (*read_bytes)(bp_ctx *ctx, bp_source *source);

static bp_status read_from(bp_ctx *ctx, read_bytes read, const void *data, size_t n)
{
  bp_source s;
  bp_status st = bp_source_memory(ctx, data, n, "test", &s);
  if (st != BP_OK)
    return st;
  st = read(ctx, &s);
  bp_source_close(&s);
  return st;
}

/* Reads an exact copy on the heap, so that a sanitizer sees a read past the end; checks that nothing leaks. */
static bp_status read_copy(read_bytes read, const void *data, size_t n)
{
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  char *copy = malloc(n ? n : 1);
  if (n)
    memcpy(copy, data, n);
  bp_status s = read_from(ctx, read, copy, n);
  free(copy);
  tally_end(&t, ctx);
  return s;
}

/* Every allocation fails in turn, once and from then on: BP_E_NOMEM or, where it could be done without, success; no leak. */
static inline void fail_every_allocation(read_bytes read, const void *data, size_t n)
{
  for (int from_then_on = 0; from_then_on < 2; from_then_on++)
    for (long at = 1;; at++) {
      tally t;
      bp_ctx *ctx = tally_ctx(&t);
      t.calls = 0;
      t.fail_at = at;
      t.from_then_on = from_then_on;
      bp_status s = read_from(ctx, read, data, n);
      bool reached = t.calls >= at;
      t.fail_at = 0;
      if (s != BP_OK)
        assert_string_equal(bp_status_name(s), "BP_E_NOMEM");
      if (s != BP_OK)
        assert_int_equal(read_from(ctx, read, data, n), BP_OK); /* the context still works */
      tally_end(&t, ctx);
      if (!reached)
        break;
    }
}

/* Cut short after every byte: never success. */
static inline void truncate_everywhere(read_bytes read, const void *data, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (read_copy(read, data, i) == BP_OK)
      fail_msg("the first %zu of %zu bytes were accepted", i, n);
}

/* A source that gives few bytes at a time, does not know its size, and fails or ends at some byte. */
typedef struct slow {
  const char *data;
  size_t n, at, step, fail_at;
} slow;

static int64_t slow_read(void *user, void *buffer, size_t n, const char **why)
{
  slow *s = user;
  if (s->at >= s->fail_at) {
    *why = "the cable was cut";
    return -1;
  }
  n = n < s->step ? n : s->step;
  n = n < s->n - s->at ? n : s->n - s->at;
  memcpy(buffer, s->data + s->at, n);
  s->at += n;
  return (int64_t)n;
}

/* Read in little pieces: success; and with a failure after any byte: BP_E_IO (or what the bytes so far deserve). */
static inline void read_slowly(read_bytes read, const void *data, size_t n)
{
  for (size_t step = 1; step < 5; step++) {
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    slow s = {data, n, 0, step, SIZE_MAX};
    bp_source source = {slow_read, NULL, &s, "slow", -1, NULL};
    assert_int_equal(read(ctx, &source), BP_OK);
    for (size_t i = 0; i <= n; i++) {
      s = (slow){data, n, 0, step, i};
      assert_int_not_equal(read(ctx, &source), BP_OK);
    }
    tally_end(&t, ctx);
  }
}

/* A directory for this test, removed by the shell of the test's teardown. */
static inline char *make_folder(void)
{
  static char path[64];
  snprintf(path, sizeof path, "/tmp/bprop-test-XXXXXX");
  assert_non_null(mkdtemp(path));
  return path;
}

#endif

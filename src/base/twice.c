#include "base/twice.h"
#include "base/tempfile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { IN_MEMORY = 4 << 20 };

typedef struct twice {
  bp_ctx *ctx;
  bp_source *inner;
  char *memory; /* the first bytes, */
  size_t cap;
  int fd; /* and those behind them; -1: none yet */
  int64_t kept, at;
  char why[256];
} twice;

static int64_t say_why(twice *r, const char **why)
{
  snprintf(r->why, sizeof r->why, "%s", bp_error());
  *why = r->why;
  return -1;
}

/* Bytes that were read before. */
static bp_status read_kept(twice *r, char *to, size_t n)
{
  size_t begin = r->at < IN_MEMORY ? (size_t)r->at : IN_MEMORY;
  size_t held = r->at < IN_MEMORY ? IN_MEMORY - begin : 0;
  held = held < n ? held : n;
  if (held)
    memcpy(to, r->memory + begin, held);
  return n > held ? bpi_temp_read(r->fd, to + held, n - held, r->at + (int64_t)held - IN_MEMORY) : BP_OK;
}

static bool twice_room(twice *r, size_t n)
{
  if (n <= r->cap)
    return true;
  size_t cap = 2 * r->cap > n ? 2 * r->cap : n;
  cap = cap < IN_MEMORY ? cap : IN_MEMORY;
  char *p = bpi_realloc(r->ctx, r->memory, cap, 1);
  if (p) {
    r->memory = p;
    r->cap = cap;
  }
  return p != NULL;
}

static bp_status keep(twice *r, const char *from, size_t n)
{
  size_t begin = r->kept < IN_MEMORY ? (size_t)r->kept : IN_MEMORY, held = IN_MEMORY - begin;
  held = held < n ? held : n;
  if (held && !twice_room(r, begin + held))
    return bpi_nomem();
  if (held)
    memcpy(r->memory + begin, from, held);
  bp_status s = n > held && r->fd < 0 ? bpi_temp_open(&r->fd) : BP_OK;
  if (s == BP_OK && n > held)
    s = bpi_temp_write(r->fd, from + held, n - held, r->kept + (int64_t)held - IN_MEMORY);
  if (s == BP_OK)
    r->kept += (int64_t)n;
  return s;
}

static int64_t twice_read(void *user, void *buffer, size_t n, const char **why)
{
  twice *r = user;
  int64_t left = r->kept - r->at;
  if (left) {
    n = (uint64_t)left < n ? (size_t)left : n;
    if (read_kept(r, buffer, n) != BP_OK)
      return say_why(r, why);
    r->at += (int64_t)n;
    return (int64_t)n;
  }
  int64_t got = r->inner->read(r->inner->user, buffer, n, why);
  if (got > 0 && (uint64_t)got <= n) {
    if (keep(r, buffer, (size_t)got) != BP_OK)
      return say_why(r, why);
    r->at += got;
  }
  return got;
}

static bool twice_rewind(void *user, const char **why)
{
  (void)why; /* cannot fail */
  ((twice *)user)->at = 0;
  return true;
}

static void twice_close(void *user)
{
  twice *r = user;
  if (r->fd >= 0)
    close(r->fd);
  bpi_free(r->ctx, r->memory);
  bpi_free(r->ctx, r);
}

bp_status bpi_twice(bp_ctx *ctx, bp_source *inner, bp_source *out)
{
  if (inner->rewind) {
    *out = *inner;
    out->close = NULL;
    return BP_OK;
  }
  twice *r = bpi_zalloc(ctx, 1, sizeof *r);
  if (!r)
    return bpi_nomem();
  r->ctx = ctx;
  r->inner = inner;
  r->fd = -1;
  *out = (bp_source){twice_read, twice_close, r, inner->name, inner->size, twice_rewind};
  return BP_OK;
}

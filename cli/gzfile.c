#include "gzfile.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A file and the bytes read ahead of what was handed out. */
typedef struct gz_source {
  bp_source file;
  z_stream z;
  bool packed;
  bool inside;        /* a member has begun and not ended */
  bool ended;         /* the file has */
  const char *failed; /* what opening met: said at the first read, so that it is in the reader's message */
  unsigned char bytes[1 << 16];
} gz_source;

/* Fills the empty buffer. False on failure. */
static bool gz_fill(gz_source *g, const char **why)
{
  int64_t n = g->file.read(g->file.user, g->bytes, sizeof g->bytes, why);
  g->z.next_in = g->bytes;
  g->z.avail_in = n > 0 ? (uInt)n : 0;
  g->ended = n == 0;
  return n >= 0;
}

/* Another member may follow the one that ended. */
static bool gz_next_member(gz_source *g, const char **why)
{
  if (g->z.avail_in == 0 && !gz_fill(g, why))
    return false;
  if (g->z.avail_in == 0)
    return true;
  g->inside = true;
  if (inflateReset(&g->z) == Z_OK)
    return true;
  *why = "gzip data cannot be unpacked";
  return false;
}

static const char *gz_trouble(int status)
{
  return status == Z_MEM_ERROR ? "out of memory while unpacking gzip data"
                               : "gzip data are damaged, or something follows them";
}

/* Unpacks at least one byte into the room given, or reaches the end, or fails. */
static bool gz_unpack(gz_source *g, const char **why)
{
  const unsigned char *start = g->z.next_out;
  while (g->z.next_out == start) {
    if (!g->inside && !gz_next_member(g, why))
      return false;
    if (!g->inside)
      return true;
    if (g->z.avail_in == 0 && !gz_fill(g, why))
      return false;
    if (g->z.avail_in == 0) {
      *why = "gzip data end too early; was the file copied completely?";
      return false;
    }
    int status = inflate(&g->z, Z_NO_FLUSH);
    g->inside = status != Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      *why = gz_trouble(status);
      return false;
    }
  }
  return true;
}

static int64_t gz_read(void *user, void *buffer, size_t n, const char **why)
{
  gz_source *g = user;
  if (g->failed) {
    *why = g->failed;
    return -1;
  }
  if (n > 1u << 30)
    n = 1u << 30;
  if (g->packed) {
    g->z.next_out = buffer;
    g->z.avail_out = (uInt)n;
    return gz_unpack(g, why) ? g->z.next_out - (unsigned char *)buffer : -1;
  }
  if (g->z.avail_in == 0) /* what was read ahead is used up */
    return g->file.read(g->file.user, buffer, n, why);
  n = n < g->z.avail_in ? n : g->z.avail_in;
  memcpy(buffer, g->z.next_in, n);
  g->z.next_in += n;
  g->z.avail_in -= (uInt)n;
  return (int64_t)n;
}

static void gz_close(void *user)
{
  gz_source *g = user;
  if (g->packed)
    inflateEnd(&g->z);
  bp_source_close(&g->file);
  free(g);
}

static bool gz_rewind(void *user, const char **why)
{
  gz_source *g = user;
  if (!g->file.rewind(g->file.user, why))
    return false;
  g->z.avail_in = 0;
  g->ended = false;
  g->inside = g->packed;
  if (!g->packed || inflateReset(&g->z) == Z_OK)
    return true;
  *why = "gzip data cannot be unpacked again";
  return false;
}

/* The first buffer must hold the magic, even if a pipe hands out single bytes. */
static const char *gz_begin(gz_source *g)
{
  const char *why = NULL;
  size_t have = 0;
  while (have < 2 && !g->ended) {
    int64_t n = g->file.read(g->file.user, g->bytes + have, sizeof g->bytes - have, &why);
    if (n < 0)
      return why;
    have += (size_t)n;
    g->ended = n == 0;
  }
  g->z.next_in = g->bytes;
  g->z.avail_in = (uInt)have;
  g->packed = g->inside = have >= 2 && g->bytes[0] == 0x1f && g->bytes[1] == 0x8b;
  if (g->packed && inflateInit2(&g->z, 15 + 16) != Z_OK) {
    g->packed = false;
    return "out of memory";
  }
  return NULL;
}

static int64_t no_memory_read(void *user, void *buffer, size_t n, const char **why)
{
  (void)user, (void)buffer, (void)n; /* there is nothing to read with */
  *why = "out of memory";
  return -1;
}

bool open_source(bp_ctx *ctx, const char *path, bp_source *out)
{
  bp_source file;
  if (bp_source_file(ctx, path, &file) != BP_OK)
    return false;
  gz_source *g = calloc(1, sizeof *g);
  if (!g) {
    bp_source_close(&file);
    *out = (bp_source){no_memory_read, NULL, NULL, path, -1, NULL};
    return true;
  }
  g->file = file;
  *out = (bp_source){gz_read, gz_close, g, file.name, file.size, file.rewind ? gz_rewind : NULL};
  g->failed = gz_begin(g);
  if (g->packed)
    out->size = -1; /* unpacked, unknown */
  return true;
}

#include "base/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file ------------------------------------------------------------------------- */

typedef struct file_source {
  bp_ctx *ctx;
  int fd;
  char why[128];
  char name[];
} file_source;

static int64_t file_read(void *user, void *buffer, size_t n, const char **why)
{
  file_source *f = user;
  ssize_t got;
  do
    got = read(f->fd, buffer, n < (1u << 30) ? n : (1u << 30));
  while (got < 0 && errno == EINTR);
  if (got < 0)
    *why = strerror_r(errno, f->why, sizeof f->why);
  return got;
}

static bool file_rewind(void *user, const char **why)
{
  file_source *f = user;
  if (lseek(f->fd, 0, SEEK_SET) == 0)
    return true;
  *why = strerror_r(errno, f->why, sizeof f->why);
  return false;
}

static void file_close(void *user)
{
  file_source *f = user;
  close(f->fd); /* nothing was written: nothing can be lost */
  bpi_free(f->ctx, f);
}

/* Opens without leaking the descriptor into children. Size: only a regular file knows it. */
static bp_status file_open(const char *path, int *fd, int64_t *size)
{
  char why[128];
  do
    *fd = open(path, O_RDONLY | O_CLOEXEC);
  while (*fd < 0 && errno == EINTR);
  if (*fd < 0)
    return bpi_fail(errno == ENOENT ? BP_E_NOTFOUND : BP_E_IO, "%s: cannot be opened: %s", path,
                    strerror_r(errno, why, sizeof why));
  struct stat st;
  if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
    close(*fd);
    return bpi_fail(BP_E_IO, "%s: is a directory; name a file in it", path);
  }
  *size = S_ISREG(st.st_mode) ? st.st_size : -1;
  return BP_OK;
}

bp_status bp_source_file(bp_ctx *ctx, const char *path, bp_source *out)
{
  if (!ctx || !path || !out)
    return bpi_bad_arg("bp_source_file", "ctx, path or out is NULL");
  size_t n = strlen(path) + 1;
  file_source *f = bpi_alloc(ctx, 1, sizeof *f + n);
  if (!f)
    return bpi_nomem();
  int64_t size;
  bp_status s = file_open(path, &f->fd, &size);
  if (s != BP_OK) {
    bpi_free(ctx, f);
    return s;
  }
  f->ctx = ctx;
  memcpy(f->name, path, n);
  *out = (bp_source){file_read, file_close, f, f->name, size, size >= 0 ? file_rewind : NULL};
  return BP_OK;
}

/* ---- memory ------------------------------------------------------------------------- */

typedef struct memory_source {
  bp_ctx *ctx;
  const char *data;
  size_t size, at;
} memory_source;

static int64_t memory_read(void *user, void *buffer, size_t n, const char **why)
{
  memory_source *m = user;
  (void)why; /* cannot fail */
  if (n > m->size - m->at)
    n = m->size - m->at;
  if (n)
    memcpy(buffer, m->data + m->at, n);
  m->at += n;
  return (int64_t)n;
}

static bool memory_rewind(void *user, const char **why)
{
  memory_source *m = user;
  (void)why; /* cannot fail */
  m->at = 0;
  return true;
}

static void memory_close(void *user)
{
  memory_source *m = user;
  bpi_free(m->ctx, m);
}

bp_status bp_source_memory(bp_ctx *ctx, const void *data, size_t n, const char *name, bp_source *out)
{
  if (!ctx || !out || (!data && n))
    return bpi_bad_arg("bp_source_memory", "ctx, data or out is NULL");
  memory_source *m = bpi_alloc(ctx, 1, sizeof *m);
  if (!m)
    return bpi_nomem();
  *m = (memory_source){ctx, data ? data : "", n, 0};
  *out = (bp_source){memory_read, memory_close, m, name, (int64_t)n, memory_rewind};
  return BP_OK;
}

void bp_source_close(bp_source *source)
{
  if (!source)
    return;
  if (source->close)
    source->close(source->user);
  *source = (bp_source){0};
}

/* ---- reading ------------------------------------------------------------------------ */

const char *bpi_source_name(const bp_source *s)
{
  return s->name ? s->name : "input";
}

bp_status bpi_read_some(bp_source *s, void *buffer, size_t n, size_t *got)
{
  const char *why = NULL;
  int64_t r = s->read(s->user, buffer, n, &why);
  *got = r > 0 ? (size_t)r : 0;
  if (r >= 0 && *got <= n)
    return BP_OK;
  return bpi_fail(BP_E_IO, "%s: cannot be read: %s", bpi_source_name(s),
                  r < 0 && why ? why : "the reader failed without saying why");
}

bp_status bpi_read(bp_source *s, void *buffer, size_t n, size_t *got)
{
  size_t some = 1;
  bp_status st = BP_OK;
  for (*got = 0; st == BP_OK && some && *got < n; *got += some)
    st = bpi_read_some(s, (char *)buffer + *got, n - *got, &some);
  return st;
}

static bp_status ends_early(const bp_source *s, const char *what, size_t got, size_t n)
{
  return bpi_fail(BP_E_FORMAT,
                  "%s: the file ends inside %s: %zu of %zu bytes are there; was it copied completely?",
                  bpi_source_name(s), what, got, n);
}

bp_status bpi_read_exactly(bp_source *s, void *buffer, size_t n, const char *what)
{
  size_t got;
  bp_status st = bpi_read(s, buffer, n, &got);
  if (st == BP_OK && got < n)
    st = ends_early(s, what, got, n);
  return st;
}

/* A source that knows its size gets one buffer of the right size; else buffers double while data come. */
static size_t first_size(const bp_source *s, size_t n)
{
  const size_t small = (size_t)1 << 20;
  if (n <= small || (s->size >= 0 && (uint64_t)s->size >= n))
    return n;
  return small;
}

bp_status bpi_read_new(bp_ctx *ctx, bp_source *s, size_t n, const char *what, void **out)
{
  size_t cap = first_size(s, n), used = 0, got = 0;
  char *p = bpi_alloc_aligned(ctx, cap ? cap : 1);
  bp_status st = p ? BP_OK : bpi_nomem();
  while (st == BP_OK) {
    st = bpi_read(s, p + used, cap - used, &got);
    used += got;
    if (st == BP_OK && used < cap)
      st = ends_early(s, what, used, n);
    if (st != BP_OK || used == n)
      break;
    cap = cap > n / 2 ? n : 2 * cap;
    char *more = bpi_realloc_aligned(ctx, p, used, cap);
    st = more ? BP_OK : bpi_nomem();
    p = more ? more : p;
  }
  if (st == BP_OK)
    *out = p;
  else
    bpi_free_aligned(ctx, p);
  return st;
}

bp_status bpi_read_end(bp_source *s, const char *after)
{
  char byte;
  size_t got;
  bp_status st = bpi_read(s, &byte, 1, &got);
  if (st == BP_OK && got)
    st = bpi_fail(BP_E_FORMAT, "%s: bytes follow %s, which should be the end of the file", bpi_source_name(s),
                  after);
  return st;
}

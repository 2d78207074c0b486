#include "base/save.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bp_status cannot(const char *path, const char *what)
{
  char text[128];
  int e = errno;
  return bpi_fail(BP_E_IO, "%s: cannot %s: %s", path, what, strerror_r(e, text, sizeof text));
}

static const struct kind {
  mode_t type;
  const char *name;
} unwanted[] = {{S_IFDIR, "a directory"}, {S_IFLNK, "a symbolic link"}, {S_IFIFO, "a FIFO"},
                {S_IFBLK, "a device"},    {S_IFCHR, "a device"},        {S_IFSOCK, "a socket"}};

/* A rename would put a plain file in the place of a device or link, so anything but a plain file is refused.
 * *old: whether there is one. */
static bp_status check_target(const char *path, struct stat *st, bool *old)
{
  *old = lstat(path, st) == 0;
  if (!*old)
    return errno == ENOENT ? BP_OK : cannot(path, "be looked at");
  for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
    if ((st->st_mode & S_IFMT) == unwanted[i].type)
      return bpi_fail(BP_E_IO, "%s: is %s; give the name of a plain file", path, unwanted[i].name);
  return BP_OK;
}

/* Length of the directory part of the path, with its slash; 0: the current directory. */
static size_t directory_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static const char temp_prefix[] = ".bprop-", temp_suffix[] = ".tmp";
enum { STALE = 60 }; /* seconds, as a file that was just made may not be locked yet */

/* A name nobody else uses: process, time and try. O_EXCL is what makes it safe; the rest makes it quick. */
static bp_status open_temporary(bpi_save *s, size_t dir, size_t room)
{
  for (unsigned i = 0; i < 100; i++) {
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(s->temp + dir, room, "%s%x-%x-%x%s", temp_prefix, (unsigned)getpid(), (unsigned)t.tv_nsec,
             (unsigned)(uintptr_t)s + i, temp_suffix);
    s->fd = open(s->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd >= 0 || (errno != EEXIST && errno != EINTR))
      break;
  }
  if (s->fd >= 0)
    flock(s->fd, LOCK_EX | LOCK_NB); /* for bp_save_clean: while it is held, somebody writes */
  return s->fd >= 0 ? BP_OK : cannot(s->path, "be saved: no temporary file can be made beside it");
}

static void release(bpi_save *s)
{
  if (s->dir >= 0)
    close(s->dir);
  bpi_free(s->ctx, s->path);
  bpi_free(s->ctx, s->temp);
  *s = (bpi_save){.ctx = s->ctx, .fd = -1, .dir = -1};
}

void bpi_save_abandon(bpi_save *s)
{
  if (s->fd >= 0)
    close(s->fd);
  if (s->temp)
    unlink(s->temp);
  release(s);
}

/* Mode and owner of the file to be replaced. The owner can be kept by root alone, and is not worth failing for. */
static bp_status keep_mode(bpi_save *s, const struct stat *old)
{
  if (fchown(s->fd, old->st_uid, old->st_gid) != 0)
    errno = 0;
  return fchmod(s->fd, old->st_mode & 07777) == 0 ? BP_OK : cannot(s->path, "keep its mode");
}

/* The directory is opened before anything is written, so that running out of descriptors is found in time. One that may be
 * written but not read can't be synchronised; that is no reason not to save. */
static bp_status open_directory(bpi_save *s, size_t dir)
{
  char keep = s->temp[dir];
  s->temp[dir] = 0;
  s->dir = open(dir ? s->temp : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  s->temp[dir] = keep;
  return s->dir >= 0 || errno == EACCES ? BP_OK : cannot(s->path, "be saved: its directory cannot be opened");
}

static bp_status begin(bpi_save *s, const char *path)
{
  struct stat old;
  bool exists;
  enum { ROOM = 64 };
  size_t dir = directory_length(path);
  s->path = bpi_strdup(s->ctx, path);
  s->temp = bpi_alloc(s->ctx, 1, dir + ROOM);
  if (!s->path || !s->temp)
    return bpi_nomem();
  memcpy(s->temp, path, dir);
  s->temp[dir] = 0;
  bp_status st = check_target(path, &old, &exists);
  if (st == BP_OK)
    st = open_directory(s, dir);
  if (st == BP_OK)
    st = open_temporary(s, dir, ROOM);
  if (st != BP_OK)
    return st;
  st = exists ? keep_mode(s, &old) : BP_OK;
  if (st != BP_OK)
    unlink(s->temp);
  return st;
}

bp_status bpi_save_begin(bp_ctx *ctx, const char *path, bpi_save *s)
{
  *s = (bpi_save){.ctx = ctx, .fd = -1, .dir = -1};
  if (!*path)
    return bpi_fail(BP_E_IO, "the name of the file to save is empty");
  bp_status st = begin(s, path);
  if (st != BP_OK) {
    if (s->fd >= 0)
      close(s->fd);
    release(s);
  }
  return st;
}

bp_status bpi_save_write(bpi_save *s, const void *data, size_t n)
{
  const char *p = data;
  while (n) {
    ssize_t w = write(s->fd, p, n < (1u << 30) ? n : (1u << 30));
    if (w < 0 && errno == EINTR)
      continue;
    if (w == 0)
      errno = ENOSPC; /* a device that takes nothing is full */
    if (w <= 0)
      return cannot(s->path, "be written");
    p += w;
    n -= (size_t)w;
  }
  return BP_OK;
}

static bool synced(int fd)
{
  int r;
  do
    r = fsync(fd);
  while (r != 0 && errno == EINTR);
  return r == 0;
}

/* After an interrupted close the descriptor is gone on Linux, and the data are safe already. */
static bool closed(int *fd)
{
  int r = close(*fd);
  *fd = -1;
  return r == 0 || errno == EINTR;
}

static bp_status put_in_place(bpi_save *s)
{
  if (!synced(s->fd))
    return cannot(s->path, "be written to the disk");
  if (!closed(&s->fd))
    return cannot(s->path, "be closed");
  return rename(s->temp, s->path) == 0 ? BP_OK : cannot(s->path, "be replaced by its new version");
}

bp_status bpi_save_commit(bpi_save *s)
{
  bp_status st = put_in_place(s);
  if (st != BP_OK) {
    bpi_save_abandon(s);
    return st;
  }
  if (s->dir >= 0 && !synced(s->dir) && errno != EINVAL && errno != ENOTSUP)
    st = cannot(s->path, "be made durable (it is saved whole, but may be lost if the power fails now)");
  release(s);
  return st;
}

bp_status bp_save_file(bp_ctx *ctx, const char *path, const void *data, size_t n)
{
  bpi_save s;
  if (!ctx || !path || (!data && n))
    return bpi_bad_arg("bp_save_file", "ctx, path or data is NULL");
  bp_status st = bpi_save_begin(ctx, path, &s);
  if (st != BP_OK)
    return st;
  st = bpi_save_write(&s, data, n);
  if (st == BP_OK)
    return bpi_save_commit(&s);
  bpi_save_abandon(&s);
  return st;
}

/* ---- what killed programs left ---- */

static bool is_temporary(const char *name)
{
  size_t n = strlen(name), before = sizeof temp_prefix - 1, after = sizeof temp_suffix - 1;
  return n > before + after && memcmp(name, temp_prefix, before) == 0 &&
         strcmp(name + n - after, temp_suffix) == 0;
}

/* Old enough, and nobody holds its lock. */
static bool is_stale(int dir, const char *name)
{
  struct stat st;
  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
      time(NULL) - st.st_mtime < STALE)
    return false;
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  bool free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (fd >= 0)
    close(fd);
  return free;
}

int64_t bp_save_clean(bp_ctx *ctx, const char *path)
{
  size_t n = path ? directory_length(path) : 0;
  char *folder = ctx && path ? bpi_alloc(ctx, 1, n + 2) : NULL;
  if (!folder)
    return 0;
  memcpy(folder, n ? path : ".", n ? n : 1);
  folder[n ? n : 1] = 0;
  DIR *d = opendir(folder);
  bpi_free(ctx, folder);
  int64_t removed = 0;
  for (struct dirent *e; d && (e = readdir(d));)
    if (is_temporary(e->d_name) && is_stale(dirfd(d), e->d_name) && unlinkat(dirfd(d), e->d_name, 0) == 0)
      removed++;
  if (d)
    closedir(d);
  return removed;
}

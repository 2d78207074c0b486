#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* /var/tmp, as /tmp may be memory. A program with more rights than its user is not told by its user where to write. */
static const char *temp_folder(void)
{
  const char *name = secure_getenv("TMPDIR");
  return name && *name ? name : access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

static bp_status temp_fails(const char *what)
{
  char why[128];
  int e = errno;
  if (e == ENOSPC || e == EDQUOT)
    return bpi_fail(BP_E_IO, "%s: the disk is full; TMPDIR names a folder with more room for temporary files",
                    temp_folder());
  return bpi_fail(BP_E_IO, "%s: a temporary file cannot be %s: %s", temp_folder(), what,
                  strerror_r(e, why, sizeof why));
}

/* Where the file system knows no files without a name, a name is made and taken away. */
static int open_named(void)
{
  char path[4096];
  int n = snprintf(path, sizeof path, "%s/bprop-XXXXXX", temp_folder());
  if (n < 0 || (size_t)n >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd >= 0)
    unlink(path);
  return fd;
}

bp_status bpi_temp_open(int *fd)
{
  *fd = -1;
#ifdef O_TMPFILE
  do
    *fd = open(temp_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  while (*fd < 0 && errno == EINTR);
#endif
  if (*fd < 0)
    *fd = open_named();
  return *fd >= 0 ? BP_OK : temp_fails("made");
}

bp_status bpi_temp_write(int fd, const void *data, size_t n, int64_t at)
{
  const char *p = data;
  while (n) {
    ssize_t some = pwrite(fd, p, n < (1u << 30) ? n : (1u << 30), (off_t)at);
    if (some < 0 && errno == EINTR)
      continue;
    if (some <= 0)
      return temp_fails("written");
    p += some;
    at += some;
    n -= (size_t)some;
  }
  return BP_OK;
}

bp_status bpi_temp_read(int fd, void *data, size_t n, int64_t at)
{
  char *p = data;
  while (n) {
    ssize_t some = pread(fd, p, n < (1u << 30) ? n : (1u << 30), (off_t)at);
    if (some < 0 && errno == EINTR)
      continue;
    if (some == 0)
      errno = ENODATA;
    if (some <= 0)
      return temp_fails("read");
    p += some;
    at += some;
    n -= (size_t)some;
  }
  return BP_OK;
}

void bpi_temp_soon(int fd, int64_t at, int64_t n)
{
  (void)posix_fadvise(fd, (off_t)at, (off_t)n, POSIX_FADV_WILLNEED); /* an advice, and no more */
}

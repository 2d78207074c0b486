/* Compiled code on disk. A file is named by the key of its source, the compiler and its flags, and ends in a line that tells its length
 * and checksum, which is checked before the file is loaded; ELF does not mind what follows it. Files are written to the directory
 * of one compilation and renamed. What others could have written is never loaded. */
#include "base/crc.h"
#include "codegen/compiler.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEY = 32, TRAILER = 48, MOST_FILES = 256, STALE_SECONDS = 3600, PATH_BYTES = 4096 };
#define MOST_CODE  (64 << 20)  /* bytes of one file */
#define MOST_BYTES (256 << 20) /* of all of them */

struct bpi_library {
  bp_ctx *ctx;
  void *handle;
  bool cached;
};

typedef struct job {
  bp_ctx *ctx;
  const bpi_environment *env;
  bpi_compiler cc;
  bp_isa isa;
  const char *source;
  size_t n;
  char key[KEY + 1];
  bool keeps; /* there is a cache */
  char cache[PATH_BYTES];
  char path[PATH_BYTES + KEY + 8]; /* in the cache */
  char work[PATH_BYTES + 16];      /* the directory of this compilation */
  char made[PATH_BYTES + 32];
  atomic_bool *stop;
  const char *why;
} job;

/* ---- keys: FNV-1a of 128 bits ---- */

typedef unsigned __int128 wide;

static wide hash_bytes(wide h, const void *data, size_t n)
{
  const unsigned char *s = data;
  const wide prime = ((wide)1 << 88) + 0x13b;
  for (size_t i = 0; i < n; i++)
    h = (h ^ s[i]) * prime;
  return h;
}

static void make_key(job *j)
{
  wide h = ((wide)0x6c62272e07bb0142u << 64) + 0x62b821756295c58du;
  char compiler[sizeof j->cc.path + 80];
  int n = snprintf(compiler, sizeof compiler, "%s %llu %llu %llu", j->cc.path, (unsigned long long)j->cc.size,
                   (unsigned long long)j->cc.inode, (unsigned long long)j->cc.changed);
  h = hash_bytes(h, compiler, (size_t)n + 1);
  for (const char *const *f = bpi_code_flags(j->isa); *f; f++)
    h = hash_bytes(h, *f, strlen(*f) + 1);
  h = hash_bytes(h, j->source, j->n);
  snprintf(j->key, sizeof j->key, "%016llx%016llx", (unsigned long long)(h >> 64), (unsigned long long)h);
}

/* ---- the directory ---- */

/* Ours alone to write in; made where it is not there. */
static bool own_directory(const char *path)
{
  struct stat st;
  if (mkdir(path, 0700) != 0 && errno != EEXIST)
    return false;
  return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

static bool find_cache(job *j)
{
  const char *given = j->ctx->jit_cache, *base = j->env->value[BPI_ENV_CACHE],
             *home = j->env->value[BPI_ENV_HOME];
  size_t n;
  if (given)
    return *given && snprintf(j->cache, sizeof j->cache, "%s", given) < PATH_BYTES && own_directory(j->cache);
  const bool in_base = base && base[0] == '/';
  if (!in_base && !(home && home[0] == '/'))
    return false;
  n = (size_t)snprintf(j->cache, sizeof j->cache, "%s%s", in_base ? base : home, in_base ? "" : "/.cache");
  if (n >= sizeof j->cache || (mkdir(j->cache, 0700) != 0 && errno != EEXIST) ||
      (size_t)snprintf(j->cache + n, sizeof j->cache - n, "/bprop") >= sizeof j->cache - n)
    return false;
  return own_directory(j->cache);
}

/* ---- files of it ---- */

static void trailer_of(char *to, uint64_t length, uint32_t sum)
{
  memset(to, ' ', TRAILER);
  to[TRAILER - 1] = '\n';
  char text[TRAILER];
  int n = snprintf(text, sizeof text, "\nbprop code %016llx %08lx", (unsigned long long)length,
                   (unsigned long)sum);
  memcpy(to, text, (size_t)n);
}

static char *read_file(bp_ctx *ctx, int fd, size_t *n)
{
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) ||
      st.st_size > MOST_CODE)
    return NULL;
  char *bytes = bpi_alloc(ctx, (size_t)st.st_size + 1, 1);
  *n = 0;
  while (bytes && *n < (size_t)st.st_size) {
    ssize_t got = read(fd, bytes + *n, (size_t)st.st_size - *n);
    if (got == 0 || (got < 0 && errno != EINTR))
      break;
    *n += got > 0 ? (size_t)got : 0;
  }
  return bytes;
}

static uint32_t sum_of(const char *bytes, size_t n)
{
  bpi_crc crc;
  bpi_crc_begin(&crc, BPI_CRC32C);
  bpi_crc_add(&crc, bytes, n);
  return bpi_crc_end(&crc);
}

static bool is_whole(bp_ctx *ctx, const char *path)
{
  char want[TRAILER];
  size_t n = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  char *bytes = fd < 0 ? NULL : read_file(ctx, fd, &n);
  bool whole = bytes && n > TRAILER;
  if (whole) {
    trailer_of(want, n - TRAILER, sum_of(bytes, n - TRAILER));
    whole = memcmp(bytes + n - TRAILER, want, TRAILER) == 0;
  }
  bpi_free(ctx, bytes);
  if (fd >= 0)
    close(fd);
  return whole;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
  while (n) {
    ssize_t put = write(fd, bytes, n);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    bytes += put;
    n -= (size_t)put;
  }
  return true;
}

static bool add_trailer(job *j)
{
  char trailer[TRAILER];
  size_t n = 0;
  int fd = open(j->made, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_APPEND);
  bool ok = fd >= 0 && fchmod(fd, 0600) == 0;
  char *bytes = ok ? read_file(j->ctx, fd, &n) : NULL;
  if (bytes)
    trailer_of(trailer, n, sum_of(bytes, n));
  ok = bytes && n > 0 && write_all(fd, trailer, TRAILER);
  bpi_free(j->ctx, bytes);
  if (fd >= 0)
    ok = close(fd) == 0 && ok;
  return ok;
}

static void *load_checked(const char *path, const char *key)
{
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char *is = handle ? dlsym(handle, BPI_CODE_KEY) : NULL;
  if (is && strcmp(is, key) == 0)
    return handle;
  if (handle)
    dlclose(handle);
  return NULL;
}

/* ---- keeping it small ---- */

typedef struct kept_file {
  char name[KEY + 4];
  struct timespec used;
  off_t bytes;
} kept_file;

static int older_first(const void *a, const void *b)
{
  const kept_file *x = a, *y = b;
  if (x->used.tv_sec != y->used.tv_sec)
    return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
  return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static bool is_code_name(const char *name)
{
  return strspn(name, "0123456789abcdef") == KEY && strcmp(name + KEY, ".so") == 0;
}

/* Drops the longest unused files past the bounds. Of more than 4 times as many as there may be, only some are seen: the next time more. */
static void prune(const job *j)
{
  enum { SEEN = 4 * MOST_FILES };
  DIR *dir = opendir(j->cache);
  kept_file *files = dir ? bpi_alloc(j->ctx, SEEN, sizeof *files) : NULL;
  size_t n = 0;
  off_t bytes = 0;
  struct stat st;
  for (struct dirent *d; files && n < SEEN && (d = readdir(dir)) != NULL;)
    if (is_code_name(d->d_name) && fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
      memcpy(files[n].name, d->d_name, sizeof files[n].name);
      files[n].used = st.st_mtim;
      files[n++].bytes = st.st_size;
      bytes += st.st_size;
    }
  if (files && (n > MOST_FILES || bytes > MOST_BYTES)) {
    qsort(files, n, sizeof *files, older_first);
    for (size_t i = 0; i < n && (n - i > MOST_FILES || bytes > MOST_BYTES); i++) {
      unlinkat(dirfd(dir), files[i].name, 0);
      bytes -= files[i].bytes;
    }
  }
  bpi_free(j->ctx, files);
  if (dir)
    closedir(dir);
}

/* What was left in a directory of a compilation: the compiler's own temporary files too, if it was killed. */
static void remove_work(const char *path)
{
  DIR *dir = opendir(path);
  for (struct dirent *d; dir && (d = readdir(dir)) != NULL;)
    if (d->d_name[0] != '.')
      unlinkat(dirfd(dir), d->d_name, 0);
  if (dir)
    closedir(dir);
  rmdir(path);
}

/* Directories that a process left which was killed. */
static void remove_stale(const job *j)
{
  DIR *dir = opendir(j->cache);
  struct stat st;
  time_t now = time(NULL);
  for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
    char path[PATH_BYTES + 300];
    if (strncmp(d->d_name, "work-", 5) == 0 &&
        fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
        now - st.st_mtime > STALE_SECONDS &&
        snprintf(path, sizeof path, "%s/%s", j->cache, d->d_name) < (int)sizeof path)
      remove_work(path);
  }
  if (dir)
    closedir(dir);
}

/* ---- making it ---- */

/* In the cache, so that what was made can be renamed; where nothing can be written there, it is not kept. */
static bool make_work(job *j)
{
  const char *temp = j->env->value[BPI_ENV_TMPDIR];
  snprintf(j->work, sizeof j->work, "%s/work-XXXXXX", j->cache);
  j->keeps = j->keeps && mkdtemp(j->work);
  if (!j->keeps && (snprintf(j->work, sizeof j->work, "%s/bprop-XXXXXX",
                             temp && temp[0] == '/' ? temp : "/tmp") >= PATH_BYTES ||
                    !mkdtemp(j->work)))
    return false;
  snprintf(j->made, sizeof j->made, "%s/code.so", j->work);
  return true;
}

static bool write_source(const job *j)
{
  char path[PATH_BYTES + 32], key[96];
  snprintf(path, sizeof path, "%s/code.c", j->work);
  int n = snprintf(key, sizeof key, "EXPORT const char " BPI_CODE_KEY "[] = \"%s\";\n", j->key);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && write_all(fd, j->source, j->n) && write_all(fd, key, (size_t)n);
  if (fd >= 0)
    ok = close(fd) == 0 && ok;
  return ok;
}

static void *compile(job *j)
{
  void *handle = NULL;
  if (!make_work(j)) {
    j->why = "no directory for temporary files";
    return NULL;
  }
  if (!write_source(j))
    j->why = "the source could not be written";
  else if (!bpi_compiler_run(&j->cc, j->env, j->isa, j->work, j->stop))
    j->why = atomic_load(j->stop) ? "stopped" : "the compiler failed";
  else if (!add_trailer(j))
    j->why = "the compiler made nothing";
  else {
    bool kept = j->keeps && rename(j->made, j->path) == 0;
    handle = load_checked(kept ? j->path : j->made, j->key);
    j->why = handle ? NULL : "what the compiler made cannot be loaded";
    if (kept && !handle)
      unlink(j->path);
  }
  remove_work(j->work);
  return handle;
}

/* A signal that would end the program ends the compiler first and comes when its files are gone. */
static void *compile_undisturbed(job *j)
{
  sigset_t ends, before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  bool held = pthread_sigmask(SIG_BLOCK, &ends, &before) == 0;
  void *handle = compile(j);
  if (held)
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  return handle;
}

static void *open_cached(job *j)
{
  void *handle = is_whole(j->ctx, j->path) ? load_checked(j->path, j->key) : NULL;
  if (handle)
    utimensat(AT_FDCWD, j->path, NULL, AT_SYMLINK_NOFOLLOW);
  else
    unlink(j->path);
  return handle;
}

bpi_library *bpi_library_open(bp_ctx *ctx, const bpi_environment *env, const char *source, size_t n,
                              atomic_bool *stop, const char **why)
{
  job *j = bpi_zalloc(ctx, 1, sizeof *j);
  bpi_library *l = bpi_zalloc(ctx, 1, sizeof *l);
  *why = "out of memory";
  if (j && l) {
    *j = (job){.ctx = ctx, .env = env, .isa = bp_ctx_isa(ctx), .source = source, .n = n, .stop = stop};
    j->why = bpi_compiler_find(&j->cc, env) ? NULL : "there is no compiler";
    l->ctx = ctx;
  }
  if (j && l && !j->why) {
    make_key(j);
    j->keeps = find_cache(j);
    snprintf(j->path, sizeof j->path, "%s/%s.so", j->cache, j->key);
    l->handle = j->keeps ? open_cached(j) : NULL;
    l->cached = l->handle != NULL;
    if (!l->handle)
      l->handle = compile_undisturbed(j);
    if (j->keeps && !l->cached) {
      prune(j);
      remove_stale(j);
    }
  }
  if (j && l)
    *why = j->why;
  bpi_free(ctx, j);
  if (l && l->handle)
    return l;
  bpi_free(ctx, l);
  return NULL;
}

void *bpi_library_find(const bpi_library *l, const char *name)
{
  return dlsym(l->handle, name);
}

bool bpi_library_cached(const bpi_library *l)
{
  return l->cached;
}

void bpi_library_close(bpi_library *l)
{
  if (!l)
    return;
  dlclose(l->handle);
  bpi_free(l->ctx, l);
}

/* Saving: at every moment the old file or the whole new one is there. And reading from a disk that fails. The system calls are
 * caught here, in front of the C library's, and fail on demand. */
#include "support/files.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- the calls, caught ---- */

typedef enum call { OPEN, FCHMOD, READ, WRITE, FSYNC, CLOSE, RENAME, CALLS } call;
static const char *const call_names[CALLS] = {"open", "fchmod", "read", "write", "fsync", "close", "rename"};

/* Call number `at` (from 1) of a kind fails with `error`; error 0 makes a read or write short. */
static struct fault {
  bool armed;
  call call;
  int at, error;
  int count[CALLS];
} fault;
static int open_flags; /* of the last file made */

static bool fails(call c)
{
  return fault.armed && ++fault.count[c] == fault.at && c == fault.call;
}

static void *real(const char *name)
{
  void *p = dlsym(RTLD_NEXT, name);
  if (!p)
    abort();
  return p;
}

/* f: the C library's function of that name. */
#define REAL(name)        \
  __typeof__(&name) f;    \
  void *p_ = real(#name); \
  memcpy(&f, &p_, sizeof f)

ssize_t read(int fd, void *data, size_t n)
{
  REAL(read);
  if (fails(READ)) {
    if (fault.error) {
      errno = fault.error;
      return -1;
    }
    n = n > 3 ? 3 : n;
  }
  return f(fd, data, n);
}

ssize_t write(int fd, const void *data, size_t n)
{
  REAL(write);
  if (fd > 2 && fails(WRITE)) {
    if (fault.error) {
      errno = fault.error;
      return -1;
    }
    n = n / 2;
  }
  return f(fd, data, n);
}

int fsync(int fd)
{
  REAL(fsync);
  if (fails(FSYNC)) {
    errno = fault.error;
    return -1;
  }
  return f(fd);
}

int close(int fd)
{
  REAL(close);
  int r = f(fd); /* a failing close closes all the same */
  if (fails(CLOSE)) {
    errno = fault.error;
    return -1;
  }
  return r;
}

int rename(const char *from, const char *to)
{
  REAL(rename);
  if (fails(RENAME)) {
    errno = fault.error;
    return -1;
  }
  return f(from, to);
}

int fchmod(int fd, mode_t mode)
{
  REAL(fchmod);
  if (fails(FCHMOD)) {
    errno = fault.error;
    return -1;
  }
  return f(fd, mode);
}

int open(const char *path, int flags, ...)
{
  REAL(open);
  va_list ap;
  va_start(ap, flags);
  int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
  va_end(ap);
  if (flags & O_CREAT)
    open_flags = flags;
  if (fails(OPEN)) {
    errno = fault.error;
    return -1;
  }
  return f(path, flags, mode);
}

/* ---- a folder with a file in it ---- */

typedef struct place {
  char folder[64], path[128];
  tally t;
  bp_ctx *ctx;
} place;

static const char old_text[] = "the old file", new_text[] = "the new one, which is longer";

static void put_file(const char *path, const char *text, mode_t mode)
{
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
  assert_int_equal(chmod(path, mode), 0);
}

static void begin(place *p)
{
  *p = (place){.folder = "/tmp/bprop-save-XXXXXX"};
  assert_non_null(mkdtemp(p->folder));
  snprintf(p->path, sizeof p->path, "%s/model", p->folder);
  put_file(p->path, old_text, 0640);
  p->ctx = tally_ctx(&p->t);
}

static int entries(const char *folder)
{
  DIR *d = opendir(folder);
  int n = -2; /* . and .. */
  while (readdir(d))
    n++;
  closedir(d);
  return n;
}

static void clear_folder(const char *folder)
{
  DIR *d = opendir(folder);
  for (struct dirent *e; (e = readdir(d));) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] != '.' || e->d_name[1] == 'b')
      remove(path);
  }
  closedir(d);
  rmdir(folder);
}

static void end(place *p)
{
  clear_folder(p->folder);
  tally_end(&p->t, p->ctx);
}

static void assert_file(const char *path, const char *text)
{
  char got[4096];
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  got[fread(got, 1, sizeof got - 1, f)] = 0;
  fclose(f);
  assert_string_equal(got, text);
}

static bp_status save(place *p)
{
  return bp_save_file(p->ctx, p->path, new_text, sizeof new_text - 1);
}

/* ---- faults ---- */

static const struct fault_row {
  const char *name;
  call call;
  int at, error;
  bp_status status;
  const char *says;
  bool replaced; /* whether the new file is in place afterwards */
} fault_rows[] = {
    {"96 disk full", WRITE, 1, ENOSPC, BP_E_IO, "cannot be written: No space left on device", false},
    {"96 quota", WRITE, 1, EDQUOT, BP_E_IO, "cannot be written: Disk quota exceeded", false},
    {"96 disk full after half", WRITE, 2, ENOSPC, BP_OK, "", true}, /* one write was enough */
    {"97 EIO on write", WRITE, 1, EIO, BP_E_IO, "cannot be written: Input/output error", false},
    {"97 EIO on fsync", FSYNC, 1, EIO, BP_E_IO, "cannot be written to the disk: Input/output error", false},
    {"97 ENOSPC on fsync", FSYNC, 1, ENOSPC, BP_E_IO, "No space left", false},
    {"97 EIO on close", CLOSE, 1, EIO, BP_E_IO, "cannot be closed: Input/output error", false},
    {"97 EIO on rename", RENAME, 1, EIO, BP_E_IO, "cannot be replaced by its new version: Input/output error",
     false},
    {"97 EIO on fsync of the directory", FSYNC, 2, EIO, BP_E_IO, "made durable", true},
    {"97 directory cannot be synchronised", FSYNC, 2, EINVAL, BP_OK, "", true},
    {"98 short write", WRITE, 1, 0, BP_OK, "", true},
    {"99 EINTR on write", WRITE, 1, EINTR, BP_OK, "", true},
    {"99 EINTR on fsync", FSYNC, 1, EINTR, BP_OK, "", true},
    {"99 EINTR on close", CLOSE, 1, EINTR, BP_OK, "", true},
    {"99 EINTR on open", OPEN, 2, EINTR, BP_OK, "", true},
    {"72 name of the temporary file is taken", OPEN, 2, EEXIST, BP_OK, "", true},
    {"101 too many files, directory", OPEN, 1, EMFILE, BP_E_IO,
     "its directory cannot be opened: Too many open files", false},
    {"101 too many files", OPEN, 2, EMFILE, BP_E_IO,
     "no temporary file can be made beside it: Too many open files", false},
    {"directory may not be read", OPEN, 1, EACCES, BP_OK, "", true},
    {"read-only file system", OPEN, 2, EROFS, BP_E_IO, "Read-only file system", false},
    {"74 mode cannot be kept", FCHMOD, 1, EPERM, BP_E_IO, "cannot keep its mode", false},
};

static void faults_leave_the_old_file(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(fault_rows); i++) {
    const struct fault_row *r = &fault_rows[i];
    place p;
    begin(&p);
    fault = (struct fault){.armed = true, .call = r->call, .at = r->at, .error = r->error};
    bp_status s = save(&p);
    fault.armed = false;
    if (s != r->status || (s != BP_OK && (!strstr(bp_error(), r->says) || !strstr(bp_error(), p.path))))
      fail_msg("%s (%s): %s: %s", r->name, call_names[r->call], bp_status_name(s), bp_error());
    assert_file(p.path, r->replaced ? new_text : old_text);
    assert_int_equal(entries(p.folder), 1); /* no temporary file */
    end(&p);
  }
}

/* The same through the writer of safetensors, which writes in several pieces. */
static void faults_between_pieces_leave_the_old_file(void **state)
{
  (void)state;
  static const float data[3] = {1, 2, 3};
  static const int64_t dims[1] = {3};
  const bp_tensor tensors[] = {{"a", BP_STORE_FLOAT32, 1, dims, data, sizeof data},
                               {"b", BP_STORE_FLOAT32, 1, dims, data, sizeof data}};
  for (int at = 1; at <= 4; at++) {
    place p;
    begin(&p);
    fault = (struct fault){.armed = true, .call = WRITE, .at = at, .error = ENOSPC};
    bp_status s = bp_tensors_save(p.ctx, p.path, tensors, 2, NULL, 0);
    fault.armed = false;
    assert_int_equal(s, BP_E_IO);
    assert_file(p.path, old_text);
    assert_int_equal(entries(p.folder), 1);
    end(&p);
  }
}

static void allocation_failures_leave_the_old_file(void **state)
{
  (void)state;
  for (int at = 1; at < 4; at++) {
    place p;
    begin(&p);
    p.t.calls = 0;
    p.t.fail_at = at;
    bp_status s = save(&p);
    p.t.fail_at = 0;
    assert_int_equal(s, at < 3 ? BP_E_NOMEM : BP_OK);
    assert_file(p.path, at < 3 ? old_text : new_text);
    assert_int_equal(entries(p.folder), 1);
    end(&p);
  }
}

/* ---- targets ---- */

static void plain_files_are_replaced(void **state)
{
  (void)state;
  place p;
  struct stat st;
  begin(&p);
  assert_int_equal(chmod(p.path, 0604), 0);
  assert_int_equal(save(&p), BP_OK);
  assert_int_equal(open_flags & (O_EXCL | O_CLOEXEC),
                   O_EXCL | O_CLOEXEC); /* nobody else's file, and no child's */
  assert_file(p.path, new_text);
  assert_int_equal(stat(p.path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0604); /* 74 */
  assert_int_equal(entries(p.folder), 1);
  end(&p);
}

static void new_files_get_the_usual_mode(void **state)
{
  (void)state;
  place p;
  struct stat st;
  begin(&p);
  unlink(p.path);
  mode_t before = umask(027);
  assert_int_equal(save(&p), BP_OK);
  umask(before);
  assert_file(p.path, new_text);
  assert_int_equal(stat(p.path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0640);
  end(&p);
}

/* 71: what is no plain file is refused and stays what it was. */
static void other_targets_are_refused(void **state)
{
  (void)state;
  place p;
  char target[160];
  struct stat st;
  begin(&p);
  snprintf(target, sizeof target, "%s/target", p.folder);
  put_file(target, old_text, 0600);
  unlink(p.path);
  assert_int_equal(symlink(target, p.path), 0);
  assert_int_equal(save(&p), BP_E_IO);
  assert_non_null(strstr(bp_error(), "is a symbolic link"));
  assert_file(target, old_text);
  assert_int_equal(lstat(p.path, &st), 0);
  assert_true(S_ISLNK(st.st_mode));

  unlink(p.path);
  assert_int_equal(mkfifo(p.path, 0600), 0);
  assert_int_equal(save(&p), BP_E_IO);
  assert_non_null(strstr(bp_error(), "is a FIFO"));

  unlink(p.path);
  assert_int_equal(mkdir(p.path, 0700), 0);
  assert_int_equal(save(&p), BP_E_IO);
  assert_non_null(strstr(bp_error(), "is a directory"));
  rmdir(p.path);

  assert_int_equal(bp_save_file(p.ctx, "/dev/null", "x", 1), BP_E_IO);
  assert_non_null(strstr(bp_error(), "is a device"));
  assert_int_equal(stat("/dev/null", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  assert_int_equal(bp_save_file(p.ctx, "", "x", 1), BP_E_IO);
  assert_int_equal(bp_save_file(p.ctx, "/nonexistent/x", "x", 1), BP_E_IO);
  snprintf(target, sizeof target, "%s/target/x", p.folder); /* a file where a directory should be */
  assert_int_equal(bp_save_file(p.ctx, target, "x", 1), BP_E_IO);
  assert_int_equal(bp_save_file(NULL, "x", "x", 1), BP_E_ARG);
  assert_int_equal(bp_save_file(p.ctx, "x", NULL, 1), BP_E_ARG);
  end(&p);
}

static void a_name_without_folder_is_saved_here(void **state)
{
  (void)state;
  place p;
  char here[512];
  begin(&p);
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(chdir(p.folder), 0);
  assert_int_equal(bp_save_file(p.ctx, "model", new_text, sizeof new_text - 1), BP_OK);
  assert_int_equal(bp_save_file(p.ctx, "empty", NULL, 0), BP_OK);
  assert_int_equal(chdir(here), 0);
  assert_file(p.path, new_text);
  assert_int_equal(entries(p.folder), 2);
  end(&p);
}

/* 100: a limit on file sizes, with SIGXFSZ ignored as a program should, is an error like any other. */
static void a_size_limit_is_an_error(void **state)
{
  (void)state;
  place p;
  begin(&p);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    static char large[100000];
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, 5000});
    bp_status s = bp_save_file(p.ctx, p.path, large, sizeof large);
    _exit(s == BP_E_IO && strstr(bp_error(), "File too large") ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_file(p.path, old_text);
  assert_int_equal(entries(p.folder), 1);
  end(&p);
}

static void save_forever(place *p, char c)
{
  static char text[50000];
  memset(text, c, sizeof text);
  for (;;)
    if (bp_save_file(p->ctx, p->path, text, sizeof text) != BP_OK)
      _exit(1);
}

/* The file is the old one, or 50,000 times one letter. */
static void assert_whole(const char *path)
{
  static char got[60000];
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(got, 1, sizeof got, f);
  fclose(f);
  if (n == sizeof old_text - 1 && memcmp(got, old_text, n) == 0)
    return;
  assert_int_equal(n, 50000);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(got[i], got[0]);
}

/* 73, 102: two writers at once, killed at any moment; what they leave behind (72) is in nobody's way. */
static void killed_writers_leave_a_whole_file(void **state)
{
  (void)state;
  place p;
  begin(&p);
  for (int round = 0; round < 15; round++) {
    pid_t child[2];
    for (int i = 0; i < 2; i++) {
      child[i] = fork();
      assert_true(child[i] >= 0);
      if (child[i] == 0)
        save_forever(&p, (char)('a' + i));
    }
    for (int look = 0; look < 5; look++) {
      usleep(700 + 997 * (unsigned)round % 3000);
      assert_whole(p.path);
    }
    for (int i = 0; i < 2; i++) {
      kill(child[i], SIGKILL);
      int status;
      waitpid(child[i], &status, 0);
      assert_true(WIFSIGNALED(status)); /* it had not failed before */
    }
    assert_whole(p.path);
  }
  assert_int_equal(save(&p), BP_OK);
  assert_file(p.path, new_text);
  end(&p);
}

/* ---- reading ---- */

static const struct read_row {
  const char *name;
  call call;
  int at, error;
  bp_status status;
  const char *says;
} read_rows[] = {
    {"no fault", READ, 0, EIO, BP_OK, ""},
    {"97 EIO on read", READ, 1, EIO, BP_E_IO, "Input/output error"},
    {"97 EIO on the second read", READ, 2, EIO, BP_E_IO, "Input/output error"},
    {"98 short read", READ, 1, 0, BP_OK, ""},
    {"99 EINTR on read", READ, 1, EINTR, BP_OK, ""},
    {"99 EINTR on the second read", READ, 2, EINTR, BP_OK, ""},
    {"99 EINTR on open", OPEN, 1, EINTR, BP_OK, ""},
    {"101 too many files", OPEN, 1, EMFILE, BP_E_IO, "cannot be opened: Too many open files"},
    {"may not be read", OPEN, 1, EACCES, BP_E_IO, "cannot be opened: Permission denied"},
};

static void faults_while_reading(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(read_rows); i++) {
    const struct read_row *r = &read_rows[i];
    place p;
    begin(&p);
    put_file(p.path, "a,b\n1,2\n3,4\n", 0600);
    bp_table *t = NULL;
    fault = (struct fault){.armed = true, .call = r->call, .at = r->at, .error = r->error};
    bp_status s = bp_csv_load(p.ctx, p.path, NULL, &t);
    fault.armed = false;
    if (s != r->status || (s != BP_OK && (!strstr(bp_error(), r->says) || !strstr(bp_error(), p.path))))
      fail_msg("%s (%s): %s: %s", r->name, call_names[r->call], bp_status_name(s), bp_error());
    if (s == BP_OK)
      assert_true(bp_table_rows(t) == 2 && bp_table_columns(t) == 2);
    else
      assert_null(t);
    bp_table_free(t);
    end(&p);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(faults_leave_the_old_file),
      cmocka_unit_test(faults_between_pieces_leave_the_old_file),
      cmocka_unit_test(allocation_failures_leave_the_old_file),
      cmocka_unit_test(plain_files_are_replaced),
      cmocka_unit_test(new_files_get_the_usual_mode),
      cmocka_unit_test(other_targets_are_refused),
      cmocka_unit_test(a_name_without_folder_is_saved_here),
      cmocka_unit_test(a_size_limit_is_an_error),
      cmocka_unit_test(killed_writers_leave_a_whole_file),
      cmocka_unit_test(faults_while_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Finding the compiler and running it. */
#include "codegen/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SECONDS = 60, MOST_ARGUMENTS = 40 };

/* ---- the environment ---- */

bpi_environment *bpi_environment_copy(bp_ctx *ctx)
{
  static const char *const names[BPI_ENV_COUNT] = {"CC", "PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"};
  const char *value[BPI_ENV_COUNT];
  size_t bytes = sizeof(bpi_environment);
  for (int i = 0; i < BPI_ENV_COUNT; i++) {
    value[i] = secure_getenv(names[i]);
    bytes += value[i] ? strlen(value[i]) + 1 : 0;
  }
  bpi_environment *env = bpi_zalloc(ctx, bytes, 1);
  char *to = (char *)(env + 1);
  for (int i = 0; env && i < BPI_ENV_COUNT; i++)
    if (value[i]) {
      const size_t n = strlen(value[i]) + 1;
      env->value[i] = memcpy(to, value[i], n);
      to += n;
    }
  return env;
}

/* ---- finding it ---- */

static bool is_program(bpi_compiler *c)
{
  struct stat st;
  if (stat(c->path, &st) != 0 || !S_ISREG(st.st_mode) || access(c->path, X_OK) != 0)
    return false;
  c->size = (uint64_t)st.st_size;
  c->inode = (uint64_t)st.st_ino;
  c->changed = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
  return true;
}

/* Relative directories are left out: they would be other programs in other places. */
static bool find_in_path(bpi_compiler *c, const char *path, const char *name)
{
  for (const char *at = path; *at;) {
    size_t n = strcspn(at, ":");
    if (at[0] == '/' &&
        snprintf(c->path, sizeof c->path, "%.*s/%s", (int)n, at, name) < (int)sizeof c->path && is_program(c))
      return true;
    at += n + (at[n] == ':');
  }
  return false;
}

static bool find_named(bpi_compiler *c, const char *path, const char *name)
{
  if (!name || !*name || strpbrk(name, " \t\n"))
    return false;
  if (!strchr(name, '/'))
    return find_in_path(c, path, name);
  return name[0] == '/' && snprintf(c->path, sizeof c->path, "%s", name) < (int)sizeof c->path &&
         is_program(c);
}

bool bpi_compiler_find(bpi_compiler *c, const bpi_environment *env)
{
  const char *path = env->value[BPI_ENV_PATH];
  memset(c, 0, sizeof *c);
  return path && (find_named(c, path, env->value[BPI_ENV_CC]) || find_named(c, path, "cc") ||
                  find_named(c, path, "gcc") || find_named(c, path, "clang"));
}

/* As CMakeLists.txt compiles src/kernels/simd; -fno-builtin, for a compiler works out sin(0.5) with other last bits than libm. */
const char *const *bpi_code_flags(bp_isa isa)
{
#define SAME_BITS                                                                            \
  "-O3", "-fPIC", "-shared", "-w", "-std=gnu11", "-fvisibility=hidden", "-ffp-contract=off", \
      "-fno-math-errno", "-fno-trapping-math", "-fno-builtin", "-fwrapv", "-fno-asynchronous-unwind-tables"
  static const char *const base[] = {SAME_BITS, NULL}, *const avx2[] = {SAME_BITS, "-mavx2", "-mfma", NULL},
                           *const avx512[] = {SAME_BITS,
                                              "-mavx512f",
                                              "-mavx512bw",
                                              "-mavx512dq",
                                              "-mavx512vl",
                                              "-mfma",
                                              "-mprefer-vector-width=512",
                                              NULL};
  return isa == BP_ISA_AVX512 ? avx512 : isa == BP_ISA_AVX2 ? avx2 : base;
}

/* ---- running it ---- */

static bool no_descriptors(posix_spawn_file_actions_t *a)
{
  int failed = 0;
  for (int fd = 0; fd < 3; fd++)
    failed |= posix_spawn_file_actions_addopen(a, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
  failed |= posix_spawn_file_actions_addclosefrom_np(a, 3);
#endif
  return !failed;
}

static bool own_group(posix_spawnattr_t *a)
{
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  return !(
      posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) |
      posix_spawnattr_setpgroup(a, 0) | posix_spawnattr_setsigmask(a, &none) |
      posix_spawnattr_setsigdefault(a, &all));
}

static bool spawn(pid_t *pid, const char *path, char *const *argv, char *const *env)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&actions) != 0)
    return false;
  bool ok = posix_spawnattr_init(&attributes) == 0;
  if (ok) {
    ok = no_descriptors(&actions) && own_group(&attributes) &&
         posix_spawn(pid, path, &actions, &attributes, argv, env) == 0;
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return ok;
}

/* Signals that end a program wait while a compiler is at work for the thread that they came to: see compile_undisturbed in codecache.c. */
static bool interrupted(void)
{
  static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
  sigset_t pending;
  struct sigaction is;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (sigpending(&pending) == 0 && sigismember(&pending, ends[i]) == 1 &&
        sigaction(ends[i], NULL, &is) == 0 && is.sa_handler != SIG_IGN)
      return true;
  return false;
}

/* A host that ignores SIGCHLD, or waits for all children, takes the answer from us: then what was made must speak for itself. */
static bool wait_for(pid_t pid, atomic_bool *stop)
{
  const struct timespec nap = {0, 2000000};
  int status = 0;
  for (int naps = 0;; naps++) {
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == pid)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (got < 0 && errno != EINTR)
      return true;
    if (atomic_load(stop) || interrupted() || naps > MOST_SECONDS * 500)
      break;
    nanosleep(&nap, NULL);
  }
  kill(-pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return false;
}

static bool set_variable(char *to, size_t size, const char *name, const char *value)
{
  return snprintf(to, size, "%s=%s", name, value ? value : "") < (int)size;
}

bool bpi_compiler_run(const bpi_compiler *c, const bpi_environment *inherited, bp_isa isa,
                      const char *directory, atomic_bool *stop)
{
  char from[4200], to[4200], path[8192], temp[4200], home[4200];
  char *argv[MOST_ARGUMENTS];
  char *env[] = {path, temp, home, (char[]){"LC_ALL=C"}, NULL};
  int n = 0;
  argv[n++] = (char *)c->path;
  for (const char *const *f = bpi_code_flags(isa); *f && n < MOST_ARGUMENTS - 6; f++)
    argv[n++] = (char *)*f;
  argv[n++] = (char[]){"-o"};
  argv[n++] = to;
  argv[n++] = from;
  argv[n++] = (char[]){"-lm"};
  argv[n] = NULL;
  pid_t pid;
  return snprintf(from, sizeof from, "%s/code.c", directory) < (int)sizeof from &&
         snprintf(to, sizeof to, "%s/code.so", directory) < (int)sizeof to &&
         set_variable(path, sizeof path, "PATH", inherited->value[BPI_ENV_PATH]) &&
         set_variable(temp, sizeof temp, "TMPDIR", directory) &&
         set_variable(home, sizeof home, "HOME", inherited->value[BPI_ENV_HOME]) &&
         spawn(&pid, c->path, argv, env) && wait_for(pid, stop);
}

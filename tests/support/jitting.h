/* What the tests of compiled code share: a directory of their own, contexts that compile, what became of each piece. */
#ifndef TEST_JITTING_H
#define TEST_JITTING_H

#include "run/jit.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SUCCEEDS(call)                                               \
  do {                                                               \
    bp_status s_ = (call);                                           \
    if (s_ != BP_OK)                                                 \
      fail_msg("%s: %s: %s", #call, bp_status_name(s_), bp_error()); \
  } while (0)

/* A directory for this program's files, TMPDIR and code cache; removed by jit_room_close. */
typedef struct jit_room {
  char path[200], cache[256], temp[256];
} jit_room;

static inline bool jit_room_open(jit_room *r)
{
  snprintf(r->path, sizeof r->path, "/tmp/bprop-test-XXXXXX");
  if (!mkdtemp(r->path))
    return false;
  snprintf(r->cache, sizeof r->cache, "%s/cache", r->path);
  snprintf(r->temp, sizeof r->temp, "%s/temp", r->path);
  return mkdir(r->temp, 0700) == 0 && setenv("TMPDIR", r->temp, 1) == 0;
}

/* Files in a directory; -1 where there is none. The last one's name. */
static inline int count_files(const char *path, char *name, size_t size)
{
  int n = 0;
  DIR *dir = opendir(path);
  if (!dir)
    return -1;
  for (struct dirent *d; (d = readdir(dir)) != NULL;)
    if (d->d_name[0] != '.') {
      n++;
      if (name)
        snprintf(name, size, "%s/%s", path, d->d_name);
    }
  closedir(dir);
  return n;
}

static inline void empty_directory(const char *path)
{
  char name[700];
  while (count_files(path, name, sizeof name) > 0)
    if (unlink(name) != 0 && rmdir(name) != 0)
      return;
}

static inline void jit_room_close(jit_room *r)
{
  empty_directory(r->cache);
  empty_directory(r->temp);
  empty_directory(r->path);
  rmdir(r->path);
}

/* The compiler that plans made now would get. */
static inline bool find_compiler(bpi_compiler *cc)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_environment *env = bpi_environment_copy(ctx);
  bool found = env && bpi_compiler_find(cc, env);
  bpi_free(ctx, env);
  bp_ctx_free(ctx);
  return found;
}

static inline bool have_compiler(void)
{
  bpi_compiler cc;
  return find_compiler(&cc);
}

/* Pieces of a plan by what their check said. */
typedef struct verdict {
  int compiled, good, bad;
} verdict;

static inline verdict verdict_of(const bp_plan *p)
{
  verdict v = {0};
  const bpi_jit *j = (const bpi_jit *)atomic_load(&p->extra);
  for (size_t k = 0; j && k < j->n_pieces; k++) {
    int check = atomic_load(&j->pieces[k].check);
    bool compiled = j->pieces[k].where.kind != BPI_PIECE_STEPS;
    v.compiled += compiled;
    v.good += compiled && check == BPI_GOOD;
    v.bad += compiled && check == BPI_BAD;
  }
  return v;
}

static inline bool from_cache(const bp_plan *p)
{
  const bpi_jit *j = (const bpi_jit *)atomic_load(&p->extra);
  return j && j->library && bpi_library_cached(j->library);
}

/* The room of the test program. */
static jit_room room;

static inline int open_room(void **state)
{
  (void)state;
  return !jit_room_open(&room);
}

static inline int close_room(void **state)
{
  (void)state;
  jit_room_close(&room);
  return 0;
}

#endif

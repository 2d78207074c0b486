/* The compiler of the system, where there is one, and what it made: found, run apart from the host, kept on disk, loaded. */
#ifndef BPI_COMPILER_H
#define BPI_COMPILER_H

#include "base/ctx.h"

#include <stdatomic.h>

/* The variables of the environment that matter here, copied: other threads may change it later. One block of memory; NULL: out of memory. */
typedef enum bpi_variable {
  BPI_ENV_CC,
  BPI_ENV_PATH,
  BPI_ENV_HOME,
  BPI_ENV_TMPDIR,
  BPI_ENV_CACHE,
  BPI_ENV_COUNT
} bpi_variable;
typedef struct bpi_environment {
  const char *value[BPI_ENV_COUNT]; /* NULL: not set, or the program has more rights than its user */
} bpi_environment;
bpi_environment *bpi_environment_copy(bp_ctx *ctx);

typedef struct bpi_compiler {
  char path[4096];               /* absolute */
  uint64_t size, inode, changed; /* of the file: another version differs in one of them */
} bpi_compiler;

/* $CC where that is one word, else cc, gcc or clang, in absolute directories of PATH. False if there is none. Programs that run with more
 * rights than their user get none. */
bool bpi_compiler_find(bpi_compiler *c, const bpi_environment *env);
/* Arguments that make code with the bits of our own kernels; ended by NULL. */
const char *const *bpi_code_flags(bp_isa isa);
/* Makes directory/code.so of directory/code.c. No shell, no input and output, no descriptor of ours, of the environment PATH and HOME, a
 * process group of its own, killed with all of it after a minute or when *stop is set. True if it ended well. */
bool bpi_compiler_run(const bpi_compiler *c, const bpi_environment *env, bp_isa isa, const char *directory,
                      atomic_bool *stop);

#define BPI_CODE_KEY "bpc_key" /* a string in compiled code: the key of its source, compiler and flags */

/* Compiled code by its source: from the cache, or made now. NULL where that cannot be; `why` says why not in a few words. */
typedef struct bpi_library bpi_library;
bpi_library *bpi_library_open(bp_ctx *ctx, const bpi_environment *env, const char *source, size_t n,
                              atomic_bool *stop, const char **why);
void *bpi_library_find(const bpi_library *l, const char *name);
/* Whether it came from the cache. */
bool bpi_library_cached(const bpi_library *l);
void bpi_library_close(bpi_library *l);

#endif

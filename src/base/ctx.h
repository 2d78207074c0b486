/* The context: memory, log, instruction set, threads; and the message of the last failure. */
#ifndef BPI_CTX_H
#define BPI_CTX_H

#include "bprop.h"

#include <stdatomic.h>

struct bpi_pool;

struct bp_ctx {
  bp_alloc_fn alloc;
  void *alloc_user;
  bp_log_fn log;
  void *log_user;
  bp_log_level log_level;
  int threads;
  int processors; /* that the pool reckons with; 0: bp_processors(). Set by tests */
  bp_isa isa;
  uint32_t passes_off; /* of every plan */
  bp_jit jit;
  char *jit_cache;               /* NULL: the usual place */
  atomic_bool jit_busy;          /* a compiler is at work */
  struct bpi_pool *pool;         /* made on first use, see pool.h */
  struct bpi_observer *observer; /* who is told what runs do; NULL: nobody */
  uint64_t observers;            /* how many there were: a run knows by the number whose notes it has */
};

/* Told of every part of a job that another thread than the caller's did, by the caller, when the job is done: nanoseconds of the monotonic
 * clock. */
typedef struct bpi_observer {
  void (*part)(struct bpi_observer *w, int thread, int64_t begin, int64_t end);
} bpi_observer;

/* Memory. Sizes are checked: n * size that overflows gives NULL, like any failure. Nothing is zeroed but by
 * bpi_zalloc. bpi_alloc(ctx, 0) gives a pointer that may be freed. */
void *bpi_alloc(bp_ctx *ctx, size_t n, size_t size);
void *bpi_zalloc(bp_ctx *ctx, size_t n, size_t size);
void *bpi_realloc(bp_ctx *ctx, void *p, size_t n, size_t size);
/* 64-byte aligned; freed with bpi_free_aligned. */
void *bpi_alloc_aligned(bp_ctx *ctx, size_t bytes);
/* The same grown or shrunk: the first `used` bytes stay. NULL when out of memory; then p is as it was. */
void *bpi_realloc_aligned(bp_ctx *ctx, void *p, size_t used, size_t bytes);
void bpi_free(bp_ctx *ctx, void *p);
void bpi_free_aligned(bp_ctx *ctx, void *p);
char *bpi_strdup(bp_ctx *ctx, const char *s);

/* Makes room for one more element in a growing array: *items of *cap elements, count in use. False when out of memory. */
bool bpi_grow(bp_ctx *ctx, void **items, size_t *cap, size_t count, size_t size);

/* Records the message of a failure for bp_error() and returns s. The text is cut at 1,023 bytes. Control characters in it
 * (newline too) and bytes that are not UTF-8 are shown as '?'. Locale never matters. Allocates nothing. The arguments may
 * be bp_error() itself. */
bp_status bpi_fail(bp_status s, const char *fmt, ...) BP_PRINTF(2, 3);
/* Out of memory, said in the same words everywhere. */
bp_status bpi_nomem(void);
/* BP_E_ARG for a bad argument. what: its name, or a sentence that says what is wrong. */
bp_status bpi_bad_arg(const char *function, const char *what);

/* A line of log, cut and cleaned like a message; nothing where ctx has no log or a lower level. */
void bpi_log(bp_ctx *ctx, bp_log_level level, const char *fmt, ...) BP_PRINTF(3, 4);

#endif

/* A pool of threads: spins briefly, yields, then parks. Made on first use, never at load. */
#ifndef BPI_POOL_H
#define BPI_POOL_H

#include "base/ctx.h"

#define BPI_MAX_THREADS 256

/* Work on units [begin, end) by thread number `thread` (0 is the caller's). */
typedef void (*bpi_work)(void *arg, int64_t begin, int64_t end, int thread);

/* Splits [0, units) into at most `threads` contiguous ranges and runs them, the first in the caller's thread; returns when all
 * are done. Runs alone when the pool is busy with another caller, when called from inside itself, after a fork in the child,
 * or where threads cannot be started (with as many as could). Takes no lock in the steady state. */
void bpi_pool_run(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg);
void bpi_pool_free(struct bpi_pool *p);

#endif

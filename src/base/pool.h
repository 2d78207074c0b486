/* A pool of threads: spins briefly, yields, then parks. Made on first use, never at load.
 *
 * A job is units [0, n) in contiguous parts, one a thread; which part a thread takes does not change from job to job, so that
 * what it works on stays in its cache. Nobody waits for a thread that has not come: its part is done by the caller. */
#ifndef BPI_POOL_H
#define BPI_POOL_H

#include "base/ctx.h"

#define BPI_MAX_THREADS 256

/* Work on units [begin, end) by thread number `thread` (0 is the caller's). May be called several times for one thread of a job,
 * in any order of units. */
typedef void (*bpi_work)(void *arg, int64_t begin, int64_t end, int thread);

/* Splits [0, units) into at most `threads` contiguous parts and runs them, the first in the caller's thread; returns when all
 * are done. No more threads take part than there are processors for them. Runs alone when the pool is busy with another caller, when
 * called from inside itself, after a fork in the child, while the machine is too busy for threads to come in time, or where threads
 * cannot be started (with as many as could). Takes no lock in the steady state. */
void bpi_pool_run(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg);

/* Something to do beside the jobs: does a little, some microseconds of it, and tells whether there was anything to do. */
typedef bool (*bpi_chore)(void *arg);

/* Gives a thread of its own a chore, which it does again and again until bpi_pool_leave; with naps while there is nothing to do. False where
 * the context may use all processors for jobs, so that there is none to spare, where the thread has another chore already, or cannot be
 * started: then the caller must do it. */
bool bpi_pool_chore(bp_ctx *ctx, bpi_chore chore, void *arg);
/* Returns when nobody is at the chore any more. */
void bpi_pool_leave(bp_ctx *ctx);

void bpi_pool_free(struct bpi_pool *p);

#endif

/* The caller writes the job and raises the ticket; each worker has a desk, on which it claims the part of its own number. When the
 * caller is done with its part, it claims what nobody has begun, so a thread that sleeps or has no processor holds nobody up.
 *
 * A job's fields may be read by a worker that comes late, while the next one is written. What it read counts only if its claim succeeds:
 * a claim tells the number of the job, each job claims every desk of its threads once, and the next job is written when that has happened.
 *
 * Whoever waits spins, then yields, then parks; for a time, not a count, as the time of a pause differs tenfold between processors. */
#include "base/pool.h"
#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds. Waking a parked thread takes 30 to 50 microseconds, so a worker spins about as long, and between the instructions of a step
 * it does not park. */
enum {
  SPIN_NS = 60000,
  YIELD_NS = 200000, /* from the start of the wait */
  NAP_NS = 30000,    /* of the thread for chores alone */
  NAP_MOST_NS = 1000000,
  ALONE_NS = 1000000, /* without helpers after they were late; doubles while they stay so */
  ALONE_MOST_NS = 32000000
};
enum {
  PAUSES = 32,
  LATE_MOST = 4,
  GOOD_MOST = 100,
  HERE_TICKS = 4000,
  LATE_TICKS = 60000,
  WIDTH_BITS = 9,
  CHORES_ALONE = (1 << WIDTH_BITS) - 2
};
#define THE_END UINT64_MAX /* a ticket for all */

typedef struct bpi_worker {
  _Alignas(64) atomic_uint_least64_t desk; /* 2 job: its part is claimed; 2 job + 1: done */
  _Alignas(64) atomic_bool parked;         /* waits at the condition: needs to be rung */
  int number;                              /* in jobs; CHORES_ALONE: takes no part in them */
  struct bpi_pool *pool;
  pthread_mutex_t lock;
  pthread_cond_t rung;
  pthread_t thread;
} bpi_worker;

struct bpi_pool {
  _Alignas(64) atomic_uint_least64_t ticket; /* job << WIDTH_BITS | its threads */
  _Atomic(bpi_work) work;
  void *_Atomic arg;
  atomic_int_least64_t units;
  _Atomic(bpi_chore) chore;
  void *_Atomic chore_arg;

  _Alignas(64) atomic_int at_chore; /* workers that may be in it */
  _Alignas(64) atomic_bool busy;    /* the fields below belong to the thread that set it */
  atomic_bool parked;               /* the caller */
  pthread_mutex_t lock;
  pthread_cond_t rung;
  bp_ctx *ctx;
  pid_t owner; /* the process that has the threads; a fork's child has none of them */
  bool full;   /* a thread could not be started: do not try again */
  int processors;
  int count;        /* of workers with desks in jobs: numbers 1 to count */
  int late, good;   /* jobs that gained nothing; jobs in a row that did */
  int64_t alone_ns; /* how long to go alone next time */
  int64_t alone_until;
  bpi_worker *workers[BPI_MAX_THREADS - 1];
  bpi_worker *for_chores;
};

/* ---- time --------------------------------------------------------------------------------------------------- */

static int64_t clock_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A cheap clock of no known unit, for ratios. */
static uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t t;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
  return t;
#else
  return (uint64_t)clock_ns();
#endif
}

static void relax_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* One breath of a wait that began at *since (0: now). False when it is time to park. */
static bool wait_a_little(int64_t *since, unsigned *breath)
{
  if (++*breath % PAUSES) {
    relax_cpu();
    return true;
  }
  int64_t now = clock_ns();
  *since = *since ? *since : now;
  if (now - *since > SPIN_NS)
    sched_yield();
  return now - *since < YIELD_NS;
}

/* A fork's child has the pool but not its threads. There nobody claims a desk, so the caller does all parts; what else needs a thread or a
 * lock, which may be held for ever, asks here first. */
static bool has_threads(const struct bpi_pool *p)
{
  return p->owner == getpid();
}

/* ---- workers ------------------------------------------------------------------------------------------------ */

static void ring(pthread_mutex_t *lock, pthread_cond_t *rung)
{
  pthread_mutex_lock(lock);
  pthread_cond_signal(rung);
  pthread_mutex_unlock(lock);
}

/* Whoever parks says so before it looks for the last time; whoever rings has changed what is looked at before it reads whether somebody is
 * parked. All of this is sequentially consistent, so one of the two sees the other. */
static void ring_worker(bpi_worker *w)
{
  if (atomic_load(&w->parked) && has_threads(w->pool))
    ring(&w->lock, &w->rung);
}

/* Part i of n of [0, units): the first units % n parts have one unit more. */
static int64_t part_begin(int64_t units, int n, int i)
{
  int64_t more = units % n;
  return units / n * i + (i < more ? i : more);
}

static bool claim_desk(bpi_worker *w, uint64_t job, uint64_t mark)
{
  uint64_t old = atomic_load_explicit(&w->desk, memory_order_relaxed);
  return old < 2 * job && atomic_compare_exchange_strong(&w->desk, &old, mark);
}

static void work_part(struct bpi_pool *p, int n, int part, int thread)
{
  bpi_work work = atomic_load_explicit(&p->work, memory_order_relaxed);
  void *arg = atomic_load_explicit(&p->arg, memory_order_relaxed);
  int64_t units = atomic_load_explicit(&p->units, memory_order_relaxed);
  work(arg, part_begin(units, n, part), part_begin(units, n, part + 1), thread);
}

static int width_of(uint64_t ticket)
{
  return (int)(ticket & ((1 << WIDTH_BITS) - 1));
}

static void take_part(bpi_worker *w, uint64_t ticket)
{
  struct bpi_pool *p = w->pool;
  uint64_t job = ticket >> WIDTH_BITS;
  if (!claim_desk(w, job, 2 * job))
    return;
  work_part(p, width_of(ticket), w->number, w->number);
  atomic_store(&w->desk, 2 * job + 1);
  if (atomic_load(&p->parked))
    ring(&p->lock, &p->rung);
}

/* Does some of the chore. Who ends the chore takes it away first and then waits until nobody is counted here. */
static bool do_chore(struct bpi_pool *p)
{
  if (!atomic_load_explicit(&p->chore, memory_order_relaxed))
    return false;
  atomic_fetch_add(&p->at_chore, 1);
  bpi_chore chore = atomic_load(&p->chore);
  bool did = chore && chore(atomic_load(&p->chore_arg));
  atomic_fetch_sub(&p->at_chore, 1);
  return did;
}

/* Whether there is a ticket for this worker that it has not seen. The thread for chores has the highest number and is called to end only. */
static bool called(const bpi_worker *w, uint64_t seen)
{
  uint64_t ticket = atomic_load(&w->pool->ticket);
  return ticket != seen && width_of(ticket) > w->number;
}

static bool only_chores(const bpi_worker *w)
{
  return w->number == CHORES_ALONE;
}

static void park_worker(bpi_worker *w, uint64_t seen)
{
  pthread_mutex_lock(&w->lock);
  atomic_store(&w->parked, true);
  while (!called(w, seen) && !(only_chores(w) && atomic_load(&w->pool->chore)))
    pthread_cond_wait(&w->rung, &w->lock);
  atomic_store(&w->parked, false);
  pthread_mutex_unlock(&w->lock);
}

static void await_call(bpi_worker *w, uint64_t seen)
{
  int64_t since = 0;
  for (unsigned breath = 0; !called(w, seen);) {
    if (!wait_a_little(&since, &breath))
      park_worker(w, seen);
  }
}

/* Between chores it naps, longer and longer while there are none: being woken would cost who wakes it more than a chore is worth. */
static void only_do_chores(bpi_worker *w)
{
  struct timespec nap = {0, NAP_NS};
  while (!called(w, 0))
    if (!atomic_load(&w->pool->chore)) {
      park_worker(w, 0);
    } else if (do_chore(w->pool)) {
      nap.tv_nsec = NAP_NS;
    } else {
      nanosleep(&nap, NULL);
      nap.tv_nsec = nap.tv_nsec < NAP_MOST_NS ? 2 * nap.tv_nsec : NAP_MOST_NS;
    }
}

static void *worker_main(void *p)
{
  bpi_worker *w = p;
  atomic_store(&w->parked, false);
  if (only_chores(w))
    only_do_chores(w);
  for (uint64_t seen = 0;;) {
    await_call(w, seen);
    seen = atomic_load(&w->pool->ticket);
    if (seen == THE_END)
      return NULL;
    if (width_of(seen) > w->number) /* a narrower job may have begun since the call */
      take_part(w, seen);
  }
}

/* Signals are the program's business: its handlers run in its own threads. */
static bool start_thread(bpi_worker *w)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&w->thread, NULL, worker_main, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return !failed;
}

static bool init_bell(pthread_mutex_t *lock, pthread_cond_t *rung)
{
  if (pthread_mutex_init(lock, NULL) != 0)
    return false;
  if (pthread_cond_init(rung, NULL) == 0)
    return true;
  pthread_mutex_destroy(lock);
  return false;
}

static void destroy_bell(pthread_mutex_t *lock, pthread_cond_t *rung)
{
  pthread_cond_destroy(rung);
  pthread_mutex_destroy(lock);
}

/* NULL where it could not be started; then nobody tries again. */
static bpi_worker *new_worker(struct bpi_pool *p, int number)
{
  if (p->full || !has_threads(p))
    return NULL;
  bpi_worker *w = bpi_alloc_aligned(p->ctx, sizeof *w);
  bool bell = false;
  if (w) {
    *w = (bpi_worker){.pool = p, .number = number};
    atomic_init(&w->desk, 0);
    atomic_init(&w->parked, true); /* until it runs: who does not find it there yet has not been let down */
    bell = init_bell(&w->lock, &w->rung);
  }
  if (bell && start_thread(w))
    return w;
  if (bell)
    destroy_bell(&w->lock, &w->rung);
  bpi_free_aligned(p->ctx, w);
  bpi_log(p->ctx, BP_LOG_WARN, "thread %d cannot be started: going on with %d", p->count + 2, p->count + 1);
  p->full = true;
  return NULL;
}

static void want_workers(struct bpi_pool *p, int count)
{
  while (p->count < count) {
    bpi_worker *w = new_worker(p, p->count + 1);
    if (!w)
      return;
    p->workers[p->count++] = w;
  }
}

static void free_worker(bpi_worker *w, bool mine)
{
  if (!w)
    return;
  if (mine) {
    ring_worker(w);
    pthread_join(w->thread, NULL);
    destroy_bell(&w->lock, &w->rung);
  }
  bpi_free_aligned(w->pool->ctx, w);
}

/* ---- the pool ----------------------------------------------------------------------------------------------- */

static struct bpi_pool *new_pool(bp_ctx *ctx)
{
  struct bpi_pool *p = bpi_alloc_aligned(ctx, sizeof *p);
  if (!p)
    return NULL;
  *p = (struct bpi_pool){.ctx = ctx,
                         .owner = getpid(),
                         .alone_ns = ALONE_NS,
                         .processors = ctx->processors ? ctx->processors : bp_processors()};
  if (init_bell(&p->lock, &p->rung))
    return p;
  bpi_free_aligned(ctx, p);
  return NULL;
}

/* Two threads may come here at once: the first to store its pool wins. */
static struct bpi_pool *pool_of(bp_ctx *ctx)
{
  struct bpi_pool *p = __atomic_load_n(&ctx->pool, __ATOMIC_ACQUIRE);
  if (p)
    return p;
  struct bpi_pool *mine = new_pool(ctx);
  if (!mine)
    return NULL;
  if (__atomic_compare_exchange_n(&ctx->pool, &p, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return mine;
  bpi_pool_free(mine);
  return p;
}

static bool take_pool(struct bpi_pool *p)
{
  return p && !atomic_exchange(&p->busy, true);
}

/* In a fork's child the threads do not exist and the locks may be held for ever: only the memory is freed. */
void bpi_pool_free(struct bpi_pool *p)
{
  if (!p)
    return;
  bool mine = has_threads(p);
  atomic_store(&p->ticket, THE_END);
  for (int i = 0; i < p->count; i++)
    free_worker(p->workers[i], mine);
  free_worker(p->for_chores, mine);
  if (mine)
    destroy_bell(&p->lock, &p->rung);
  bpi_free_aligned(p->ctx, p);
}

/* ---- jobs --------------------------------------------------------------------------------------------------- */

static uint64_t start_job(struct bpi_pool *p, int n, int64_t units, bpi_work work, void *arg)
{
  uint64_t job = (atomic_load_explicit(&p->ticket, memory_order_relaxed) >> WIDTH_BITS) + 1;
  atomic_store_explicit(&p->work, work, memory_order_relaxed);
  atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
  atomic_store_explicit(&p->units, units, memory_order_relaxed);
  atomic_store(&p->ticket, job << WIDTH_BITS | (uint64_t)n);
  for (int i = 1; i < n; i++)
    ring_worker(p->workers[i - 1]);
  return job;
}

static void park_caller(struct bpi_pool *p, bpi_worker *w, uint64_t done)
{
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->parked, true);
  while (atomic_load(&w->desk) != done)
    pthread_cond_wait(&p->rung, &p->lock);
  atomic_store(&p->parked, false);
  pthread_mutex_unlock(&p->lock);
}

/* Waits for a part that was begun. True if it took so long that the caller slept. */
static bool await_worker(struct bpi_pool *p, bpi_worker *w, uint64_t done)
{
  int64_t since = 0;
  bool slept = false;
  for (unsigned breath = 0; atomic_load(&w->desk) != done;)
    if (!wait_a_little(&since, &breath)) {
      park_caller(p, w, done);
      slept = true;
    }
  return slept;
}

static void go_alone(struct bpi_pool *p)
{
  p->late = 0;
  p->alone_until = clock_ns() + p->alone_ns;
  p->alone_ns = p->alone_ns < ALONE_MOST_NS ? 2 * p->alone_ns : ALONE_MOST_NS;
}

/* Whether sharing out was of use. A job was late where a thread that should have been there had not begun, or the wait for one that had was as
 * long as its work would have been. Then the machine has other things to do: after some of these, or one that the caller has slept through,
 * it goes alone for a while, and longer each time until a good many jobs have gone well. */
static void judge_job(struct bpi_pool *p, int late)
{
  p->late += late;
  p->good = late ? 0 : p->good + 1;
  if (p->late >= LATE_MOST)
    go_alone(p);
  if (p->good < GOOD_MOST)
    return;
  p->good = p->late = 0;
  p->alone_ns = p->alone_ns > ALONE_NS ? p->alone_ns / 2 : ALONE_NS;
}

static void run_parts(struct bpi_pool *p, int n, int64_t units, bpi_work work, void *arg)
{
  uint64_t begun = ticks(), job = start_job(p, n, units, work, arg);
  work(arg, 0, part_begin(units, n, 1), 0);
  uint64_t own = ticks();
  bool missed = false, slept = false;
  for (int i = 1; i < n; i++) {
    bpi_worker *w = p->workers[i - 1];
    if (!claim_desk(w, job, 2 * job + 1))
      continue;
    missed = missed || (own - begun > HERE_TICKS && !atomic_load(&w->parked));
    work_part(p, n, i, 0);
  }
  for (int i = 1; i < n; i++)
    slept = await_worker(p, p->workers[i - 1], 2 * job + 1) || slept;
  bool late = missed || ticks() - own > (own - begun) * (uint64_t)(n - 1) + LATE_TICKS;
  judge_job(p, late && slept ? LATE_MOST : late);
}

static bool alone_now(struct bpi_pool *p)
{
  if (!p->alone_until)
    return false;
  if (clock_ns() < p->alone_until)
    return true;
  p->alone_until = 0;
  return false;
}

static void share_out(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg)
{
  if (units <= 0)
    return;
  int n = threads > units ? (int)units : threads;
  struct bpi_pool *p = n > 1 ? pool_of(ctx) : NULL;
  if (!take_pool(p)) {
    work(arg, 0, units, 0);
    return;
  }
  n = n > p->processors ? p->processors : n;
  n = n > BPI_MAX_THREADS ? BPI_MAX_THREADS : n;
  want_workers(p, n - 1);
  n = n > p->count + 1 ? p->count + 1 : n;
  if (n < 2 || alone_now(p))
    work(arg, 0, units, 0);
  else
    run_parts(p, n, units, work, arg);
  atomic_store(&p->busy, false);
}

/* A job that is watched: when each thread began its first part and ended its last. */
typedef struct watched_job {
  bpi_work work;
  void *arg;
  struct {
    int64_t begin, end;
  } span[BPI_MAX_THREADS];
} watched_job;

static void watched_part(void *arg, int64_t begin, int64_t end, int thread)
{
  watched_job *j = arg;
  if (!j->span[thread].begin)
    j->span[thread].begin = clock_ns();
  j->work(j->arg, begin, end, thread);
  j->span[thread].end = clock_ns();
}

static void share_out_watched(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg)
{
  watched_job j = {.work = work, .arg = arg};
  share_out(ctx, threads, units, watched_part, &j);
  for (int i = 1; i < BPI_MAX_THREADS && i < threads; i++)
    if (j.span[i].end)
      ctx->observer->part(ctx->observer, i, j.span[i].begin, j.span[i].end);
}

void bpi_pool_run(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg)
{
  if (ctx->observer)
    share_out_watched(ctx, threads, units, work, arg);
  else
    share_out(ctx, threads, units, work, arg);
}

/* ---- chores ------------------------------------------------------------------------------------------------- */

bool bpi_pool_chore(bp_ctx *ctx, bpi_chore chore, void *arg)
{
  struct bpi_pool *p = pool_of(ctx);
  if (!take_pool(p))
    return false;
  if (ctx->threads < p->processors && !p->for_chores)
    p->for_chores = new_worker(p, CHORES_ALONE);
  bool taken = p->for_chores && !atomic_load(&p->chore);
  if (taken) {
    atomic_store(&p->chore_arg, arg);
    atomic_store(&p->chore, chore);
  }
  atomic_store(&p->busy, false);
  if (taken)
    ring_worker(p->for_chores);
  return taken;
}

void bpi_pool_leave(bp_ctx *ctx)
{
  struct bpi_pool *p = ctx->pool;
  atomic_store(&p->chore, NULL);
  while (has_threads(p) && atomic_load(&p->at_chore))
    sched_yield();
}

/* The caller writes a job into the slot of each worker it needs and raises that slot's ticket; workers that are not
 * needed are not touched, so no worker ever reads a job while it is written. Whoever waits (a worker for a ticket,
 * the caller for the last worker) spins, then yields, then parks on a condition variable; the one who ends the wait
 * takes the lock only if somebody is parked. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define SPINS  200 /* pauses: 1 to 10 microseconds, by processor */
#define YIELDS 100

/* A number that one side raises and the other waits to see changed. */
typedef struct bpi_bell {
  _Alignas(64) atomic_uint value;
  atomic_bool parked;
  pthread_mutex_t lock;
  pthread_cond_t rung;
} bpi_bell;

typedef struct bpi_worker {
  bpi_bell ticket; /* a new value: a job */
  struct bpi_pool *pool;
  int number;
  bpi_work work; /* NULL: end */
  void *arg;
  int64_t begin, end;
  pthread_t thread;
} bpi_worker;

struct bpi_pool {
  bpi_bell left; /* workers still at work */
  bp_ctx *ctx;
  pid_t owner;      /* the process that has the threads; a fork's child has none of them */
  atomic_bool busy; /* the fields below belong to the thread that set it */
  bool full;        /* a thread could not be started: do not try again */
  int count;
  bpi_worker *workers[BPI_MAX_THREADS - 1];
};

/* ---- waiting ---------------------------------------------------------------------------------------------- */

static void relax_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static bool init_bell(bpi_bell *b)
{
  atomic_init(&b->value, 0);
  atomic_init(&b->parked, false);
  if (pthread_mutex_init(&b->lock, NULL) != 0)
    return false;
  if (pthread_cond_init(&b->rung, NULL) == 0)
    return true;
  pthread_mutex_destroy(&b->lock);
  return false;
}

static void destroy_bell(bpi_bell *b)
{
  pthread_cond_destroy(&b->rung);
  pthread_mutex_destroy(&b->lock);
}

/* The value was changed just before; all of this is sequentially consistent, so either the waiter sees the new value or
 * the ringer sees the waiter parked. */
static void ring_bell(bpi_bell *b)
{
  if (!atomic_load(&b->parked))
    return;
  pthread_mutex_lock(&b->lock);
  pthread_cond_signal(&b->rung);
  pthread_mutex_unlock(&b->lock);
}

/* What a wait ends on: the value equal to `target`, or different from it. */
typedef struct bpi_wish {
  unsigned target;
  bool equal;
} bpi_wish;

static bool bell_tells(bpi_bell *b, bpi_wish wish)
{
  return (atomic_load(&b->value) == wish.target) == wish.equal;
}

static void await_bell(bpi_bell *b, bpi_wish wish)
{
  for (int i = 0; i < SPINS + YIELDS; i++) {
    if (bell_tells(b, wish))
      return;
    if (i < SPINS)
      relax_cpu();
    else
      sched_yield();
  }
  pthread_mutex_lock(&b->lock);
  atomic_store(&b->parked, true);
  while (!bell_tells(b, wish))
    pthread_cond_wait(&b->rung, &b->lock);
  atomic_store(&b->parked, false);
  pthread_mutex_unlock(&b->lock);
}

/* ---- workers ---------------------------------------------------------------------------------------------- */

static void *worker_main(void *p)
{
  bpi_worker *w = p;
  for (unsigned seen = 0;; seen++) {
    await_bell(&w->ticket, (bpi_wish){.target = seen, .equal = false});
    if (!w->work)
      return NULL;
    w->work(w->arg, w->begin, w->end, w->number);
    if (atomic_fetch_sub(&w->pool->left.value, 1) == 1)
      ring_bell(&w->pool->left);
  }
}

static void send_ticket(bpi_worker *w)
{
  atomic_fetch_add(&w->ticket.value, 1);
  ring_bell(&w->ticket);
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

static bool add_worker(struct bpi_pool *p)
{
  bpi_worker *w = bpi_alloc_aligned(p->ctx, sizeof *w);
  if (!w)
    return false;
  *w = (bpi_worker){.pool = p, .number = p->count + 1};
  if (!init_bell(&w->ticket)) {
    bpi_free_aligned(p->ctx, w);
    return false;
  }
  if (!start_thread(w)) {
    destroy_bell(&w->ticket);
    bpi_free_aligned(p->ctx, w);
    return false;
  }
  p->workers[p->count++] = w;
  return true;
}

static void want_workers(struct bpi_pool *p, int count)
{
  while (p->count < count && !p->full) {
    p->full = !add_worker(p);
    if (p->full)
      bpi_log(p->ctx, BP_LOG_WARN, "thread %d cannot be started: going on with %d", p->count + 2,
              p->count + 1);
  }
}

/* ---- the pool --------------------------------------------------------------------------------------------- */

static struct bpi_pool *new_pool(bp_ctx *ctx)
{
  struct bpi_pool *p = bpi_alloc_aligned(ctx, sizeof *p);
  if (!p)
    return NULL;
  *p = (struct bpi_pool){.ctx = ctx, .owner = getpid()};
  atomic_init(&p->busy, false);
  if (init_bell(&p->left))
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
  return p && p->owner == getpid() && !atomic_exchange(&p->busy, true);
}

/* Part i of n of [0, units): the first units % n parts have one unit more. */
static int64_t part_begin(int64_t units, int n, int i)
{
  int64_t more = units % n;
  return units / n * i + (i < more ? i : more);
}

static void run_parts(struct bpi_pool *p, int n, int64_t units, bpi_work work, void *arg)
{
  atomic_store(&p->left.value, (unsigned)(n - 1));
  for (int i = 1; i < n; i++) {
    bpi_worker *w = p->workers[i - 1];
    w->work = work;
    w->arg = arg;
    w->begin = part_begin(units, n, i);
    w->end = part_begin(units, n, i + 1);
    send_ticket(w);
  }
  work(arg, 0, part_begin(units, n, 1), 0);
  await_bell(&p->left, (bpi_wish){.target = 0, .equal = true});
}

void bpi_pool_run(bp_ctx *ctx, int threads, int64_t units, bpi_work work, void *arg)
{
  if (units <= 0)
    return;
  int n = threads > BPI_MAX_THREADS ? BPI_MAX_THREADS : threads;
  n = n > units ? (int)units : n;
  struct bpi_pool *p = n > 1 ? pool_of(ctx) : NULL;
  if (!take_pool(p)) {
    work(arg, 0, units, 0);
    return;
  }
  want_workers(p, n - 1);
  n = n > p->count + 1 ? p->count + 1 : n;
  run_parts(p, n, units, work, arg);
  atomic_store(&p->busy, false);
}

/* In a fork's child the threads do not exist and the locks may be held for ever: only the memory is freed. */
void bpi_pool_free(struct bpi_pool *p)
{
  if (!p)
    return;
  bool mine = p->owner == getpid();
  for (int i = 0; i < p->count; i++) {
    bpi_worker *w = p->workers[i];
    if (mine) {
      w->work = NULL;
      send_ticket(w);
      pthread_join(w->thread, NULL);
      destroy_bell(&w->ticket);
    }
    bpi_free_aligned(p->ctx, w);
  }
  if (mine)
    destroy_bell(&p->left);
  bpi_free_aligned(p->ctx, p);
}

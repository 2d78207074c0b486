/* base: the pool of threads. */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define MOST 4096

/* A context that starts as many threads as it is told, however few processors there are. */
static bp_ctx *ctx_of(int threads)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  assert_non_null(ctx);
  ctx->processors = threads;
  return ctx;
}

static void nap(long microseconds)
{
  nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

/* Who did what; plain memory, so that a race would be seen by ThreadSanitizer. */
typedef struct journal {
  int visits[MOST];
  int thread_of[MOST];
  atomic_int calls;
} journal;

static void visit(void *arg, int64_t begin, int64_t end, int thread)
{
  journal *j = arg;
  atomic_fetch_add(&j->calls, 1);
  for (int64_t i = begin; i < end; i++) {
    j->visits[i]++;
    j->thread_of[i] = thread;
  }
}

/* Each unit once; a part by the thread of its number, or by the caller where that thread was not there in time. */
static void assert_each_once(const journal *j, int64_t units, int threads)
{
  int parts = threads < units ? threads : (int)units;
  parts = parts < 1 ? 1 : parts;
  assert_true(j->calls == parts || j->calls == 1);
  int64_t first = 0;
  for (int p = 0; p < parts; p++) {
    int64_t end = first + units / parts + (p < units % parts);
    for (int64_t i = first; i < end; i++) {
      assert_int_equal(j->visits[i], 1);
      assert_int_equal(j->thread_of[i], j->thread_of[first]);
    }
    assert_true(j->thread_of[first] == 0 || j->thread_of[first] == p);
    first = end;
  }
}

static void every_unit_is_done_once(void **state)
{
  (void)state;
  static const int64_t units[] = {1, 2, 3, 7, 64, 1000, MOST};
  for (int threads = 1; threads <= 8; threads++) {
    bp_ctx *ctx = ctx_of(threads);
    assert_null(ctx->pool); /* nothing is started before it is needed */
    for (int round = 0; round < 20; round++)
      for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        journal j = {0};
        bpi_pool_run(ctx, threads, units[u], visit, &j);
        assert_each_once(&j, units[u], threads);
      }
    assert_int_equal(ctx->pool != NULL, threads > 1);
    bp_ctx_free(ctx);
  }
}

static void remember_range(void *arg, int64_t begin, int64_t end, int thread)
{
  int64_t(*range)[2] = arg;
  int part = (int)((double)begin / (double)INT64_MAX * 3 + 0.5);
  (void)thread;
  range[part][0] = begin;
  range[part][1] = end;
}

static void odd_counts(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(4);
  static const int64_t none[] = {0, -1, INT64_MIN};
  journal j = {0};
  for (int i = 0; i < 3; i++)
    bpi_pool_run(ctx, 4, none[i], visit, &j);
  assert_int_equal(j.calls, 0);
  static const int few[] = {1, 0, -1};
  for (int i = 0; i < 3; i++) {
    journal alone = {0};
    bpi_pool_run(ctx, few[i], 10, visit, &alone);
    assert_each_once(&alone, 10, 1);
  }
  assert_null(ctx->pool);
  int64_t range[3][2];
  bpi_pool_run(ctx, 3, INT64_MAX, remember_range, range); /* no product of sizes overflows */
  assert_int_equal(range[0][0], 0);
  assert_int_equal(range[0][1], range[1][0]);
  assert_int_equal(range[1][1], range[2][0]);
  assert_int_equal(range[2][1], INT64_MAX);
  assert_true(range[0][1] - range[2][1] + range[2][0] <= 1);
  bp_ctx_free(ctx);
  ctx = ctx_of(1000);
  journal many = {0};
  bpi_pool_run(ctx, 100000, MOST, visit, &many); /* at most 256 */
  assert_each_once(&many, MOST, BPI_MAX_THREADS);
  bp_ctx_free(ctx);
}

typedef struct meeting {
  atomic_int here;
  atomic_int met;
} meeting;

/* Waits until `end` of the range's run has all come: only threads that run at the same time meet. */
static void meet(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)begin, (void)end, (void)thread;
  meeting *m = arg;
  atomic_fetch_add(&m->here, 1);
  for (int i = 0; i < 1000000 && atomic_load(&m->here) < 4; i++)
    nap(100);
  if (atomic_load(&m->here) == 4)
    atomic_fetch_add(&m->met, 1);
}

static void threads_run_at_the_same_time(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(4);
  meeting m = {0};
  bpi_pool_run(ctx, 4, 4, meet, &m);
  assert_int_equal(m.met, 4);
  bp_ctx_free(ctx);
}

static void add_up(void *arg, int64_t begin, int64_t end, int thread)
{
  int64_t *sum = arg;
  for (int64_t i = begin; i < end; i++)
    sum[8 * thread] += i;
}

/* Short gaps find the workers spinning, longer ones yielding or parked, and the caller likewise. */
static void waits_of_every_length(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(3);
  for (int round = 0; round < 3000; round++) {
    int64_t sum[3 * 8] = {0};
    int threads = 1 + round % 3;
    bpi_pool_run(ctx, threads, 100, add_up, sum);
    assert_int_equal(sum[0] + sum[8] + sum[16], 4950);
    if (round % 10 == 0)
      nap(round % 700);
  }
  bp_ctx_free(ctx);
}

/* The pool shares work out: at once, or when it no longer takes the machine for busy. */
static void assert_shares_out(bp_ctx *ctx, int threads)
{
  for (int i = 0; i < 200; i++, nap(20000)) {
    journal j = {0};
    bpi_pool_run(ctx, threads, 100, visit, &j);
    assert_each_once(&j, 100, threads);
    if (j.calls == threads)
      return;
  }
  fail_msg("%d threads, and only the caller works", threads);
}

typedef struct slow {
  journal j;
  atomic_int here;
} slow;

/* The caller does not get to the others' parts before they have begun: it waits for them, unless the pool left all of it to the caller. */
static void slow_helper(void *arg, int64_t begin, int64_t end, int thread)
{
  slow *s = arg;
  atomic_fetch_add(&s->here, 1);
  while (thread == 0 && end < 8 && atomic_load(&s->here) < 4)
    nap(100);
  if (thread > 0)
    nap(20000);
  visit(&s->j, begin, end, thread);
}

static void the_caller_waits_for_the_last(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(4);
  int shared = 0;
  for (int round = 0; round < 3; round++) {
    slow s = {0};
    bpi_pool_run(ctx, 4, 8, slow_helper, &s);
    assert_each_once(&s.j, 8, 4);
    assert_int_equal(s.j.thread_of[7], atomic_load(&s.here) == 4 ? 3 : 0);
    shared += atomic_load(&s.here) == 4;
  }
  assert_true(shared > 0); /* the first: helpers that sleep make the pool go alone for a while */
  bp_ctx_free(ctx);
}

typedef struct nest {
  bp_ctx *ctx;
  journal inner[4];
} nest;

static void run_inside(void *arg, int64_t begin, int64_t end, int thread)
{
  nest *n = arg;
  (void)thread;
  for (int64_t i = begin; i < end; i++)
    bpi_pool_run(n->ctx, 4, 100, visit, &n->inner[i]);
}

static void a_run_inside_a_run_goes_alone(void **state)
{
  (void)state;
  static nest n;
  memset(&n, 0, sizeof n);
  n.ctx = ctx_of(4);
  bpi_pool_run(n.ctx, 4, 4, run_inside, &n);
  for (int i = 0; i < 4; i++)
    assert_each_once(&n.inner[i], 100, 1);
  assert_shares_out(n.ctx, 4);
  bp_ctx_free(n.ctx);
}

typedef struct hold {
  atomic_int inside;
  atomic_bool release;
} hold;

static void hold_the_pool(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)begin, (void)end, (void)thread;
  hold *h = arg;
  atomic_fetch_add(&h->inside, 1);
  while (!atomic_load(&h->release))
    nap(100);
}

typedef struct holder {
  bp_ctx *ctx;
  hold h;
} holder;

static void *holding_thread(void *arg)
{
  holder *x = arg;
  bpi_pool_run(x->ctx, 2, 2, hold_the_pool, &x->h);
  return NULL;
}

static void a_busy_pool_is_not_waited_for(void **state)
{
  (void)state;
  holder x = {.ctx = ctx_of(2)};
  pthread_t t;
  assert_int_equal(pthread_create(&t, NULL, holding_thread, &x), 0);
  while (atomic_load(&x.h.inside) < 2)
    nap(100);
  journal j = {0};
  bpi_pool_run(x.ctx, 2, 100, visit, &j); /* returns, though the pool is held */
  assert_each_once(&j, 100, 1);
  assert_int_equal(j.calls, 1);
  atomic_store(&x.h.release, true);
  pthread_join(t, NULL);
  assert_shares_out(x.ctx, 2);
  bp_ctx_free(x.ctx);
}

typedef struct racer {
  bp_ctx *ctx;
  atomic_int *ready;
  bool right;
} racer;

static void *racing_thread(void *arg)
{
  racer *r = arg;
  atomic_fetch_add(r->ready, 1);
  while (atomic_load(r->ready) < 4)
    sched_yield();
  r->right = true;
  for (int i = 0; i < 50; i++) {
    int64_t sum[3 * 8] = {0};
    bpi_pool_run(r->ctx, 3, 100, add_up, sum);
    r->right = r->right && sum[0] + sum[8] + sum[16] == 4950;
  }
  return NULL;
}

static void several_callers_from_the_first_moment(void **state)
{
  (void)state;
  for (int round = 0; round < 50; round++) {
    bp_ctx *ctx = ctx_of(3);
    atomic_int ready = 0;
    racer r[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
      r[i] = (racer){.ctx = ctx, .ready = &ready};
      assert_int_equal(pthread_create(&t[i], NULL, racing_thread, &r[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
      pthread_join(t[i], NULL);
      assert_true(r[i].right);
    }
    bp_ctx_free(ctx);
  }
}

/* 0 if the child of a fork can use and free the context. */
static int child_of_fork(bp_ctx *ctx)
{
  journal j = {0};
  bpi_pool_run(ctx, 4, 100, visit, &j);
  for (int i = 0; i < 100; i++)
    if (j.visits[i] != 1)
      return 1;
  bp_ctx_free(ctx);
  return 0;
}

static void assert_child_succeeds(bp_ctx *ctx)
{
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(300);
    _exit(child_of_fork(ctx));
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_fork_runs_alone_in_the_child(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(4);
  journal before = {0};
  bpi_pool_run(ctx, 4, 100, visit, &before);
  assert_child_succeeds(ctx);
  nap(5000); /* now the workers are parked */
  assert_child_succeeds(ctx);
  assert_shares_out(ctx, 4);
  bp_ctx_free(ctx);
}

static void a_fork_while_the_pool_is_busy(void **state)
{
  (void)state;
  holder x = {.ctx = ctx_of(2)};
  pthread_t t;
  assert_int_equal(pthread_create(&t, NULL, holding_thread, &x), 0);
  while (atomic_load(&x.h.inside) < 2)
    nap(100);
  assert_child_succeeds(x.ctx);
  atomic_store(&x.h.release, true);
  pthread_join(t, NULL);
  bp_ctx_free(x.ctx);
}

typedef struct log_count {
  atomic_int lines;
} log_count;

static void count_line(void *user, bp_log_level level, const char *line)
{
  (void)line;
  if (level == BP_LOG_WARN)
    atomic_fetch_add(&((log_count *)user)->lines, 1);
}

/* Stacks larger than the address space: no thread can be started with them. */
static bool forbid_threads(size_t *before)
{
  pthread_attr_t attr;
  pthread_getattr_default_np(&attr);
  pthread_attr_getstacksize(&attr, before);
  bool ok = pthread_attr_setstacksize(&attr, (size_t)1 << 52) == 0 && pthread_setattr_default_np(&attr) == 0;
  pthread_attr_destroy(&attr);
  return ok;
}

static void allow_threads(size_t stack)
{
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, stack);
  pthread_setattr_default_np(&attr);
  pthread_attr_destroy(&attr);
}

static void threads_that_cannot_be_started(void **state)
{
  (void)state;
  for (int started = 1; started <= 3; started++) {
    log_count log = {0};
    bp_ctx *ctx = bp_ctx_new(
        &(bp_ctx_options){.threads = 4, .log = count_line, .log_user = &log, .log_level = BP_LOG_WARN});
    ctx->processors = 4;
    journal j = {0};
    bpi_pool_run(ctx, started, 100, visit, &j);
    size_t stack;
    if (!forbid_threads(&stack))
      skip();
    for (int round = 0; round < 3; round++) {
      journal fewer = {0};
      bpi_pool_run(ctx, 4, 100, visit, &fewer);
      assert_each_once(&fewer, 100, started);
      assert_int_equal(fewer.calls, started);
    }
    allow_threads(stack);
    assert_int_equal(log.lines, 1); /* said once, and not tried again */
    bp_ctx_free(ctx);
  }
}

typedef struct faulty {
  atomic_int live, calls;
  int fail_from;
} faulty;

static void *faulty_alloc(void *user, void *p, size_t size)
{
  faulty *f = user;
  if (size == 0) {
    atomic_fetch_sub(&f->live, p != NULL);
    free(p);
    return NULL;
  }
  if (atomic_fetch_add(&f->calls, 1) + 1 >= f->fail_from)
    return NULL;
  atomic_fetch_add(&f->live, p == NULL);
  return realloc(p, size);
}

/* Allocation 1 is the context, 2 the pool, 3 to 5 the workers. */
static void a_pool_without_memory(void **state)
{
  (void)state;
  static const int threads[] = {1, 1, 2, 3, 4};
  for (int fail_from = 2; fail_from <= 6; fail_from++) {
    faulty f = {.fail_from = fail_from};
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.alloc = faulty_alloc, .alloc_user = &f, .threads = 4});
    ctx->processors = 4;
    for (int round = 0; round < 3; round++) {
      journal j = {0};
      bpi_pool_run(ctx, 4, 100, visit, &j);
      assert_each_once(&j, 100, threads[fail_from - 2]);
      assert_int_equal(j.calls, threads[fail_from - 2]);
    }
    bp_ctx_free(ctx);
    assert_int_equal(f.live, 0);
  }
}

static void note_signals(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)begin, (void)end;
  atomic_int *blocked = arg;
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  atomic_store(&blocked[thread], sigismember(&now, SIGINT));
  while (thread == 0 && atomic_load(&blocked[1]) < 0)
    nap(100);
}

static void signals_go_to_the_program(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(2);
  atomic_int blocked[2] = {-1, -1};
  bpi_pool_run(ctx, 2, 2, note_signals, blocked);
  assert_int_equal(blocked[0], 0);
  assert_int_equal(blocked[1], 1);
  bp_ctx_free(ctx);
}

static void no_more_threads_than_processors(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(8);
  ctx->processors = 2;
  for (int round = 0; round < 20; round++) {
    journal j = {0};
    bpi_pool_run(ctx, 8, 100, visit, &j);
    assert_each_once(&j, 100, 2);
  }
  bp_ctx_free(ctx);
}

static double cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void idle_threads_take_no_time(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(4);
  for (int round = 0; round < 10; round++) {
    journal j = {0};
    bpi_pool_run(ctx, 4, 100, visit, &j);
  }
  double before = cpu_seconds();
  nap(400000);
  assert_true(cpu_seconds() - before < 0.1);
  bp_ctx_free(ctx);
}

/* ---- chores ---- */

typedef struct errand {
  atomic_int left, done;
  atomic_bool hold, held;
} errand;

static bool run_errand(void *arg)
{
  errand *e = arg;
  if (atomic_load(&e->left) <= 0 || atomic_fetch_sub(&e->left, 1) <= 0)
    return false;
  atomic_store(&e->held, true);
  while (atomic_load(&e->hold))
    nap(100);
  atomic_fetch_add(&e->done, 1);
  return true;
}

static bool soon(atomic_int *value, int target)
{
  for (int i = 0; i < 2000000 && atomic_load(value) < target; i++)
    nap(50);
  return atomic_load(value) >= target;
}

/* One thread for jobs: another is started for chores alone. It naps when there are none. */
static void a_thread_for_chores(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(1);
  ctx->processors = 2;
  errand e = {.left = 3}, other = {0};
  assert_true(bpi_pool_chore(ctx, run_errand, &e));
  assert_false(bpi_pool_chore(ctx, run_errand, &other)); /* one at a time */
  assert_true(soon(&e.done, 3));
  for (int round = 0; round < 50; round++) {
    nap(round % 5 * 100);
    atomic_store(&e.left, 2);
    assert_true(soon(&e.done, 5 + 2 * round));
    journal j = {0};
    bpi_pool_run(ctx, 1, 10, visit, &j);
    assert_int_equal(j.calls, 1);
  }
  double before = cpu_seconds();
  nap(300000);
  assert_true(cpu_seconds() - before < 0.1);
  bpi_pool_leave(ctx);
  atomic_store(&e.left, 5);
  nap(2000);
  assert_int_equal(e.left, 5); /* nobody comes any more */
  assert_true(bpi_pool_chore(ctx, run_errand, &other));
  bpi_pool_leave(ctx);
  bp_ctx_free(ctx);
}

/* The thread for chores takes no part in jobs and does not hold them up. Leaving waits for who is at it. */
static void chores_beside_jobs(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(2);
  ctx->processors = 3;
  errand e = {.left = 1 << 30};
  assert_true(bpi_pool_chore(ctx, run_errand, &e));
  for (int round = 0; round < 2000; round++) {
    int64_t sum[3 * 8] = {0};
    bpi_pool_run(ctx, 2, 100, add_up, sum);
    assert_int_equal(sum[0] + sum[8], 4950);
  }
  assert_true(soon(&e.done, 1));
  bpi_pool_leave(ctx);
  int done = e.done;
  nap(2000);
  assert_int_equal(e.done, done);
  bp_ctx_free(ctx);
}

typedef struct stuck {
  atomic_bool inside, release;
  atomic_int parts;
} stuck;

/* The second thread's part ends only when all others have begun. */
static void second_is_stuck(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)end;
  stuck *s = arg;
  if (atomic_fetch_add(&s->parts, 1) + 1 == 8)
    atomic_store(&s->release, true);
  if (thread == 0 && begin == 0)
    while (!atomic_load(&s->inside))
      nap(50);
  if (thread == 1) {
    atomic_store(&s->inside, true);
    while (!atomic_load(&s->release))
      nap(50);
  }
}

/* Whoever does not come is not waited for: all parts but those that are begun are done by the caller. */
static void who_does_not_come_is_not_waited_for(void **state)
{
  (void)state;
  bp_ctx *ctx = ctx_of(8);
  stuck s = {0};
  bpi_pool_run(ctx, 8, 8, second_is_stuck, &s);
  assert_int_equal(s.parts, 8);
  assert_true(s.release);
  bp_ctx_free(ctx);
}

static void no_chores_without_a_processor_to_spare(void **state)
{
  (void)state;
  for (int threads = 1; threads <= 3; threads++) {
    bp_ctx *ctx = ctx_of(threads);
    ctx->processors = threads < 3 ? threads : 1;
    errand e = {.left = 1};
    assert_false(bpi_pool_chore(ctx, run_errand, &e));
    bp_ctx_free(ctx);
  }
}

static void processors_are_counted(void **state)
{
  (void)state;
  cpu_set_t all, one;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  int n = bp_processors();
  assert_in_range(n, 1, CPU_COUNT(&all));
  CPU_ZERO(&one);
  for (int i = 0; CPU_COUNT(&one) == 0; i++)
    if (CPU_ISSET(i, &all))
      CPU_SET(i, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  assert_int_equal(bp_processors(), 1);
  assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
  assert_int_equal(bp_processors(), n);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_more_threads_than_processors),
      cmocka_unit_test(idle_threads_take_no_time),
      cmocka_unit_test(a_thread_for_chores),
      cmocka_unit_test(chores_beside_jobs),
      cmocka_unit_test(who_does_not_come_is_not_waited_for),
      cmocka_unit_test(no_chores_without_a_processor_to_spare),
      cmocka_unit_test(processors_are_counted),
      cmocka_unit_test(every_unit_is_done_once),
      cmocka_unit_test(odd_counts),
      cmocka_unit_test(threads_run_at_the_same_time),
      cmocka_unit_test(waits_of_every_length),
      cmocka_unit_test(the_caller_waits_for_the_last),
      cmocka_unit_test(a_run_inside_a_run_goes_alone),
      cmocka_unit_test(a_busy_pool_is_not_waited_for),
      cmocka_unit_test(several_callers_from_the_first_moment),
      cmocka_unit_test(a_fork_runs_alone_in_the_child),
      cmocka_unit_test(a_fork_while_the_pool_is_busy),
      cmocka_unit_test(threads_that_cannot_be_started),
      cmocka_unit_test(a_pool_without_memory),
      cmocka_unit_test(signals_go_to_the_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

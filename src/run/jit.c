/* When code is asked for, who makes it, and how a run uses it. */
#include "run/jit.h"
#include "base/sort.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A run is timed once, when it was warm; code is asked for when interpreting has cost ten times what a compiler may take. */
enum { WARM_RUNS = 64 };
#define WORTH_NS 0.5e9

/* ---- making code ---- */

static bp_status take_pieces(bpi_jit *j, bpi_code *c)
{
  j->pieces = bpi_zalloc(j->ctx, c->n_pieces + 1, sizeof *j->pieces);
  if (!j->pieces)
    return bpi_nomem();
  for (size_t k = 0; k < c->n_pieces; k++) {
    char name[40];
    snprintf(name, sizeof name, BPI_CODE_NAME "%zu", k);
    j->pieces[k].where = c->pieces[k];
    j->pieces[k].fn = c->pieces[k].kind == BPI_PIECE_STEPS ? NULL : bpi_library_find(j->library, name);
    atomic_init(&j->pieces[k].check, j->pieces[k].fn ? BPI_UNCHECKED : BPI_BAD);
  }
  j->n_pieces = c->n_pieces;
  j->local = c->local;
  c->local = NULL;
  return BP_OK;
}

static const char *make_code(bpi_jit *j)
{
  bpi_code c;
  const char *why = NULL;
  if (bpi_code_make(j->plan, &c) != BP_OK)
    return "out of memory";
  if (c.compiled == 0)
    why = "nothing in it can be compiled";
  else if ((j->library = bpi_library_open(j->ctx, j->env, c.text.s, c.text.n, &j->stop, &why)) != NULL)
    why = take_pieces(j, &c) == BP_OK ? NULL : "out of memory";
  bpi_code_free(&c);
  return why;
}

static void make_and_tell(bpi_jit *j)
{
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  const char *why = make_code(j);
  clock_gettime(CLOCK_MONOTONIC, &to);
  if (why)
    bpi_log(j->ctx, BP_LOG_INFO, "jit: the plan stays interpreted: %s", why);
  else
    bpi_log(j->ctx, BP_LOG_DEBUG, "jit: code for %zu pieces %s in %.0f ms", j->n_pieces,
            bpi_library_cached(j->library) ? "found" : "made",
            1e3 * (double)(to.tv_sec - from.tv_sec) + 1e-6 * (double)(to.tv_nsec - from.tv_nsec));
  atomic_store_explicit(&j->state, why ? BP_JIT_NONE : BP_JIT_READY, memory_order_release);
}

static void *in_background(void *arg)
{
  bpi_jit *j = arg;
  make_and_tell(j);
  atomic_store(&j->ctx->jit_busy, false);
  return NULL;
}

/* One compiler at a time. The thread takes no signal of the host's. */
static void ask(bpi_jit *j)
{
  int idle = BP_JIT_IDLE;
  if (atomic_exchange(&j->ctx->jit_busy, true))
    return;
  if (!atomic_compare_exchange_strong(&j->state, &idle, BP_JIT_COMPILING)) {
    atomic_store(&j->ctx->jit_busy, false);
    return;
  }
  sigset_t all, before;
  sigfillset(&all);
  bool failed = pthread_sigmask(SIG_SETMASK, &all, &before) != 0;
  if (!failed) {
    failed = pthread_create(&j->thread, NULL, in_background, j) != 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  if (failed) {
    atomic_store(&j->state, BP_JIT_NONE);
    atomic_store(&j->ctx->jit_busy, false);
  } else
    atomic_store(&j->started, true);
}

/* ---- with the plan ---- */

static void free_jit(bpi_plan_extra *extra)
{
  bpi_jit *j = (bpi_jit *)extra;
  atomic_store(&j->stop, true);
  if (atomic_load(&j->started))
    pthread_join(j->thread, NULL);
  bpi_library_close(j->library);
  bpi_free(j->ctx, j->pieces);
  bpi_free(j->ctx, j->local);
  bpi_free(j->ctx, j->env);
  bpi_free(j->ctx, j);
}

/* Runs of one plan may be made by several threads at once: the first one's stays. The environment is read here, in the caller's thread. */
static bpi_jit *jit_of(bp_plan *p)
{
  bpi_plan_extra *have = atomic_load(&p->extra);
  if (have)
    return (bpi_jit *)have;
  bpi_jit *j = bpi_zalloc(p->ctx, 1, sizeof *j);
  if (!j)
    return NULL;
  j->env = bpi_environment_copy(p->ctx);
  if (!j->env) {
    bpi_free(p->ctx, j);
    return NULL;
  }
  j->extra.free = free_jit;
  j->ctx = p->ctx;
  j->plan = p;
  atomic_init(&j->state, BP_JIT_IDLE);
  if (atomic_compare_exchange_strong(&p->extra, &have, &j->extra))
    return j;
  bpi_free(p->ctx, j->env);
  bpi_free(p->ctx, j);
  return (bpi_jit *)have;
}

bp_jit_state bp_plan_jit(const bp_plan *p)
{
  const bpi_jit *j = p ? (const bpi_jit *)atomic_load(&p->extra) : NULL;
  if (!j)
    return p && p->ctx->jit ? BP_JIT_IDLE : BP_JIT_NONE;
  bp_jit_state s = (bp_jit_state)atomic_load_explicit(&j->state, memory_order_acquire);
  if (s != BP_JIT_READY)
    return s;
  bool any = false;
  for (size_t k = 0; k < j->n_pieces; k++) {
    int check = atomic_load(&j->pieces[k].check);
    if (check == BPI_UNCHECKED || check == BPI_CHECKING)
      return BP_JIT_READY;
    any = any || check == BPI_GOOD;
  }
  return any ? BP_JIT_USED : BP_JIT_NONE;
}

/* ---- with a run ---- */

/* What the run writes, in order, so that a range can be looked up. */
static int by_place(const void *a, const void *b, const void *arg)
{
  const bpi_jit_span *x = a, *y = b;
  (void)arg;
  return (x->lo > y->lo) - (x->lo < y->lo);
}

static void list_written(const bp_run *r, bpi_jit_run_data *d)
{
  const bp_plan *p = r->plan;
  d->written[0] = (bpi_jit_span){r->block, r->block + p->block_bytes};
  for (size_t k = 0; k < p->n_entries; k++)
    d->written[k + 1] = (bpi_jit_span){d->state[k], d->state[k] + bpi_type_size(&p->entries[k].type) * 8};
  bpi_sort(d->written, p->n_entries + 1, sizeof *d->written, by_place, NULL);
  for (size_t k = 1; k < p->n_entries + 1; k++)
    if (d->written[k].hi < d->written[k - 1].hi)
      d->written[k].hi = d->written[k - 1].hi;
}

/* Makes the code, or waits for the thread that does. */
static void make_now(bpi_jit *j)
{
  const struct timespec nap = {0, 1000000};
  int idle = BP_JIT_IDLE;
  if (atomic_compare_exchange_strong(&j->state, &idle, BP_JIT_COMPILING))
    make_and_tell(j);
  while (atomic_load_explicit(&j->state, memory_order_acquire) == BP_JIT_COMPILING)
    nanosleep(&nap, NULL);
}

bp_status bpi_jit_attach(bp_run *r)
{
  const bp_plan *p = r->plan;
  if (r->ctx->jit == BP_JIT_OFF)
    return BP_OK;
  bpi_jit_run_data *d = bpi_arena_alloc(&r->arena, 1, sizeof *d);
  if (!d)
    return bpi_nomem();
  d->jit = jit_of((bp_plan *)p);
  d->state = bpi_arena_alloc(&r->arena, p->n_entries + 1, sizeof *d->state);
  d->written = bpi_arena_alloc(&r->arena, p->n_entries + 1, sizeof *d->written);
  d->overlaps = bpi_arena_alloc(&r->arena, p->n_inputs + 1, sizeof *d->overlaps);
  if (!d->jit || !d->state || !d->written || !d->overlaps)
    return bpi_nomem();
  for (size_t k = 0; k < p->n_entries; k++)
    d->state[k] = r->state->entries[p->entries[k].entry].data;
  list_written(r, d);
  d->ask_at = WARM_RUNS;
  r->jit = d;
  if (r->ctx->jit == BP_JIT_WAIT)
    make_now(d->jit);
  return BP_OK;
}

/* Whether a run writes in [data, data + n): of what begins before its end, the furthest reaches behind its start. */
static bool is_written(const bp_run *r, const char *data, size_t n)
{
  size_t from = 0, to = r->plan->n_entries + 1;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (r->jit->written[middle].lo < data + n)
      from = middle + 1;
    else
      to = middle;
  }
  return n && from && r->jit->written[from - 1].hi > data;
}

/* Compiled code takes it that inputs lie apart from what is written. */
void bpi_jit_bound(bp_run *r, size_t input, const void *data)
{
  bpi_jit_run_data *d = r->jit;
  bool over = is_written(r, data, r->plan->inputs[input].bytes);
  d->n_overlaps += (size_t)over - d->overlaps[input];
  d->overlaps[input] = over;
}

typedef struct part_call {
  const bpi_step *s;
  bpi_code_part fn;
} part_call;

static void part_units(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  const part_call *c = arg;
  const bpi_tile *t = c->s->instr->tile;
  int64_t first = begin * t->unit, last = end * t->unit < t->n ? end * t->unit : t->n;
  if (first < last)
    c->fn(c->s->at, first, last - first, bpi_tile_leaves(c->s, 0));
}

static void run_part(const bpi_step *s, void *fn)
{
  part_call c = {s, (bpi_code_part)fn};
  bpi_share(s, part_units, &c);
  bpi_tile_join(s);
}

static bp_status run_piece(bpi_frame *f, bpi_jit_piece *p, const bpi_code_env *env)
{
  int unchecked = BPI_UNCHECKED, check = atomic_load_explicit(&p->check, memory_order_acquire);
  if (check == BPI_GOOD && p->where.kind == BPI_PIECE_RUN) {
    int guard = ((bpi_code_run)p->fn)(env);
    return guard ? bpi_frame_run_some(f, (size_t)guard - 1, 1) : BP_OK;
  }
  if (check == BPI_GOOD) {
    run_part(&f->steps[p->where.first], p->fn);
    return BP_OK;
  }
  if (check == BPI_UNCHECKED && atomic_compare_exchange_strong(&p->check, &unchecked, BPI_CHECKING))
    return bpi_jit_check(f, p, env);
  return bpi_frame_run_some(f, p->where.first, p->where.count);
}

static bp_status run_pieces(bp_run *r)
{
  bpi_jit *j = r->jit->jit;
  bpi_frame *f = &r->frame;
  const bpi_code_env env = {f->block, f->plan->constants, r->jit->state, (const char *const *)f->inputs};
  bp_status s = BP_OK;
  f->failed = NULL;
  for (size_t k = 0; k < j->n_pieces && s == BP_OK; k++)
    s = run_piece(f, &j->pieces[k], &env);
  return s;
}

/* Times one run, and from that says at which run code is worth its making. */
static bp_status timed_run(bp_run *r)
{
  struct timespec from, to;
  bpi_jit_run_data *d = r->jit;
  clock_gettime(CLOCK_MONOTONIC, &from);
  bp_status s = bpi_frame_run(&r->frame);
  clock_gettime(CLOCK_MONOTONIC, &to);
  double ns = 1e9 * (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec);
  d->measured = true;
  d->ask_at = d->runs + 1 + (uint64_t)(WORTH_NS / (ns < 1 ? 1 : ns));
  return s;
}

bp_status bpi_jit_step(bp_run *r)
{
  bpi_jit_run_data *d = r->jit;
  if (atomic_load_explicit(&d->jit->state, memory_order_acquire) == BP_JIT_READY && !d->n_overlaps)
    return run_pieces(r);
  if (++d->runs != d->ask_at || r->ctx->jit != BP_JIT_AUTO)
    return bpi_frame_run(&r->frame);
  if (!d->measured)
    return timed_run(r);
  ask(d->jit);
  d->ask_at += WARM_RUNS;
  return bpi_frame_run(&r->frame);
}

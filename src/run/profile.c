/* Profiles. A run that is met for the first time gets a section: a row for each instruction, with all that is told of it later, so that plans
 * and runs may go before the profile does. Only the run's own thread writes its section; the list of sections has a lock. */
#include "run/profile.h"
#include "base/pool.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

typedef struct prof_row {
  char *what, *node;
  double flops, bytes;
  int threads;
  bool wide; /* float64 */
  int64_t calls, ns;
} prof_row;

/* An instruction, or the part of one that a thread did. */
typedef struct prof_event {
  uint32_t row, thread;
  int64_t begin, end;
} prof_event;

typedef struct bpi_section {
  struct bpi_section *next;
  size_t number, n_rows, n_events, cap;
  int64_t runs, ns;
  prof_row *rows;
  prof_event *events;
} bpi_section;

struct bp_profile {
  bpi_observer observer; /* first: what the context points to */
  bp_ctx *ctx;
  bp_profile_options o;
  bp_limits limits[2]; /* one thread; all */
  uint64_t serial;
  int64_t start;
  pthread_mutex_t lock;
  bpi_section *first, **last;
  size_t n_sections;
  int64_t events_left, events_lost;
};

/* What the calling thread is executing, for the parts of it that the pool tells of. */
static _Thread_local bpi_section *here;
static _Thread_local uint32_t here_row;

static int64_t clock_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- events ---- */

static bool take_event(bp_profile *p)
{
  pthread_mutex_lock(&p->lock);
  bool has = p->events_left > 0;
  p->events_left -= has;
  p->events_lost += !has;
  pthread_mutex_unlock(&p->lock);
  return has;
}

static void note_event(bp_profile *p, bpi_section *s, prof_event e)
{
  if (!p->o.events || !take_event(p) ||
      !bpi_grow(p->ctx, (void **)&s->events, &s->cap, s->n_events, sizeof *s->events))
    return;
  s->events[s->n_events++] = e;
}

/* Called by the thread that shared something out, for every other thread that took part. */
static void note_part(bpi_observer *w, int thread, int64_t begin, int64_t end)
{
  if (here && thread > 0)
    note_event((bp_profile *)w, here, (prof_event){here_row, (uint32_t)thread, begin, end});
}

/* ---- sections ---- */

static bool fill_row(bp_profile *p, const bp_plan *plan, const bpi_step *step, prof_row *row)
{
  const bpi_instr *i = step->instr;
  char label[256];
  row->what = bpi_strdup(p->ctx, bpi_instr_name(i));
  row->node = bpi_strdup(p->ctx, bpi_plan_label(plan, i->source, i->op, label, sizeof label));
  row->flops = bpi_instr_flops(step);
  row->bytes = bpi_instr_bytes(i);
  row->threads = i->threads < p->ctx->threads ? i->threads : p->ctx->threads;
  row->wide = plan->real == BP_FLOAT64;
  return row->what && row->node;
}

static void free_section(bp_ctx *ctx, bpi_section *s)
{
  for (size_t k = 0; s->rows && k < s->n_rows; k++) {
    bpi_free(ctx, s->rows[k].what);
    bpi_free(ctx, s->rows[k].node);
  }
  bpi_free(ctx, s->rows);
  bpi_free(ctx, s->events);
  bpi_free(ctx, s);
}

/* NULL when out of memory: then this run is executed unseen. */
static bpi_section *new_section(bp_profile *p, const bp_run *r)
{
  bpi_section *s = bpi_zalloc(p->ctx, 1, sizeof *s);
  if (!s)
    return NULL;
  s->n_rows = r->plan->n_instrs;
  s->rows = bpi_zalloc(p->ctx, s->n_rows + 1, sizeof *s->rows);
  bool good = s->rows != NULL;
  for (size_t k = 0; k < s->n_rows && good; k++)
    good = fill_row(p, r->plan, &r->frame.steps[k], &s->rows[k]);
  if (!good) {
    free_section(p->ctx, s);
    return NULL;
  }
  pthread_mutex_lock(&p->lock);
  s->number = ++p->n_sections;
  *p->last = s;
  p->last = &s->next;
  pthread_mutex_unlock(&p->lock);
  return s;
}

static bpi_section *section_of(bp_profile *p, bp_run *r)
{
  if (r->section_of != p->serial) {
    r->section = new_section(p, r);
    r->section_of = p->serial;
  }
  return r->section;
}

bp_status bpi_profile_step(bp_run *r)
{
  bp_profile *p = (bp_profile *)r->ctx->observer;
  bpi_section *s = section_of(p, r);
  if (!s)
    return bpi_frame_run(&r->frame);
  bp_status status = BP_OK;
  int64_t start = clock_now(), before = start;
  here = s;
  r->frame.failed = NULL;
  for (size_t k = 0; k < s->n_rows && status == BP_OK; k++) {
    here_row = (uint32_t)k;
    status = bpi_run_one(&r->frame, k);
    int64_t after = clock_now();
    s->rows[k].calls++;
    s->rows[k].ns += after - before;
    note_event(p, s, (prof_event){(uint32_t)k, 0, before, after});
    before = after;
  }
  here = NULL;
  s->runs++;
  s->ns += before - start;
  return status;
}

/* ---- the object ---- */

bp_profile *bp_profile_new(bp_ctx *ctx, const bp_profile_options *options)
{
  if (!ctx || ctx->observer) {
    bpi_bad_arg("bp_profile_new", ctx ? "this context is being profiled already" : "ctx");
    return NULL;
  }
  bp_profile *p = bpi_zalloc(ctx, 1, sizeof *p);
  if (!p) {
    bpi_nomem();
    return NULL;
  }
  p->ctx = ctx;
  p->o = options ? *options : (bp_profile_options){0};
  bp_status s = BP_OK;
  for (int all = 0; all < 2 && s == BP_OK; all++)
    if (p->o.limits)
      p->limits[all] = p->o.limits[all];
    else if (all && ctx->threads == 1)
      p->limits[1] = p->limits[0];
    else
      s = bp_limits_measure(ctx, all ? ctx->threads : 1, &p->limits[all]);
  if (s != BP_OK || pthread_mutex_init(&p->lock, NULL) != 0) {
    bpi_free(ctx, p);
    return NULL;
  }
  p->last = &p->first;
  p->events_left = p->o.events;
  p->serial = ++ctx->observers;
  p->observer.part = note_part;
  p->start = clock_now();
  ctx->observer = &p->observer;
  return p;
}

bp_profile *bp_ctx_profile(const bp_ctx *ctx)
{
  return ctx ? (bp_profile *)ctx->observer : NULL;
}

void bp_profile_stop(bp_profile *p)
{
  if (p && p->ctx->observer == &p->observer)
    p->ctx->observer = NULL;
}

void bp_profile_free(bp_profile *p)
{
  if (!p)
    return;
  bp_profile_stop(p);
  for (bpi_section *s = p->first, *next; s; s = next) {
    next = s->next;
    free_section(p->ctx, s);
  }
  pthread_mutex_destroy(&p->lock);
  bpi_free(p->ctx, p);
}

/* ---- what it found ---- */

size_t bp_profile_count(const bp_profile *p)
{
  size_t n = 0;
  for (const bpi_section *s = p ? p->first : NULL; s; s = s->next)
    n += s->n_rows;
  return n;
}

/* The rate of memory for operands of so many bytes. Between two measured sizes lies the end of some cache, nobody knows where. */
static double memory_rate(const bp_limits *l, double bytes)
{
  int k = 0;
  while (k < BP_MEMORY_LEVELS - 1 && bytes > l->memory_bytes[k])
    k++;
  if (k == 0 || bytes >= l->memory_bytes[k])
    return l->memory_rate[k];
  const double part = log(bytes / l->memory_bytes[k - 1]) / log(l->memory_bytes[k] / l->memory_bytes[k - 1]);
  return l->memory_rate[k - 1] + part * (l->memory_rate[k] - l->memory_rate[k - 1]);
}

/* Seconds below which this machine cannot do it: the longer of computing and moving. */
static double floor_of(const bp_profile *p, const prof_row *r)
{
  const bp_limits *l = &p->limits[r->threads > 1];
  double compute = r->flops / (r->wide ? l->flops64 : l->flops32),
         moving = r->bytes / memory_rate(l, r->bytes);
  return compute > moving ? compute : moving;
}

static bp_profile_row public_row(const bp_profile *p, const bpi_section *s, size_t k)
{
  const prof_row *r = &s->rows[k];
  return (bp_profile_row){.what = r->what,
                          .node = r->node,
                          .plan = s->number,
                          .instruction = k,
                          .calls = r->calls,
                          .seconds = 1e-9 * (double)r->ns,
                          .flops = r->flops,
                          .bytes = r->bytes,
                          .threads = r->threads,
                          .floor = floor_of(p, r)};
}

bp_status bp_profile_at(const bp_profile *p, size_t i, bp_profile_row *row)
{
  if (!p || !row)
    return bpi_bad_arg("bp_profile_at", "profile or row");
  for (const bpi_section *s = p->first; s; i -= s->n_rows, s = s->next)
    if (i < s->n_rows) {
      *row = public_row(p, s, i);
      return BP_OK;
    }
  return bpi_fail(BP_E_RANGE, "bp_profile_at: there are %zu rows", bp_profile_count(p));
}

/* ---- as text ---- */

static double over(double a, double b)
{
  return b > 0 ? a / b : 0;
}

static void text_row(bpi_text *t, const bp_profile_row *r, double all)
{
  double each = over(r->seconds, (double)r->calls);
  bpi_textf(t, "%9.2f us %5.1f %% %9.2f %8.2f %7.0f %% %3d  %-26s %s\n", 1e6 * each,
            100 * over(r->seconds, all), 1e-9 * over(r->flops, each), 1e-9 * over(r->bytes, each),
            100 * over(r->floor, each), r->threads, r->what, r->node);
}

/* Longest first; equal ones in their order. */
static bp_status sort_rows(const bp_profile *p, const bpi_section *s, size_t **order)
{
  *order = bpi_alloc(p->ctx, 2 * s->n_rows + 2, sizeof **order);
  if (!*order)
    return bpi_nomem();
  size_t *from = *order, *to = *order + s->n_rows + 1;
  for (size_t k = 0; k < s->n_rows; k++)
    from[k] = k;
  for (size_t width = 1; width < s->n_rows; width *= 2) {
    for (size_t at = 0; at < s->n_rows; at += 2 * width) {
      size_t a = at, mid = at + width < s->n_rows ? at + width : s->n_rows, b = mid,
             end = at + 2 * width < s->n_rows ? at + 2 * width : s->n_rows;
      for (size_t k = at; k < end; k++)
        to[k] = a < mid && (b >= end || s->rows[from[a]].ns >= s->rows[from[b]].ns) ? from[a++] : from[b++];
    }
    size_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != *order)
    memcpy(*order, from, s->n_rows * sizeof *from);
  return BP_OK;
}

static bp_status text_section(bpi_text *t, const bp_profile *p, const bpi_section *s, size_t most)
{
  double all = 1e-9 * (double)s->ns, flops = 0, bytes = 0, least = 0;
  size_t *order;
  bp_status status = sort_rows(p, s, &order);
  if (status != BP_OK)
    return status;
  for (size_t k = 0; k < s->n_rows; k++) {
    flops += s->rows[k].flops;
    bytes += s->rows[k].bytes;
    least += floor_of(p, &s->rows[k]);
  }
  double each = over(all, (double)s->runs);
  bpi_textf(t, "plan %zu: %lld runs, %.2f us each; %.2f GFLOP/s, %.2f GB/s, %.0f %% of the limit\n",
            s->number, (long long)s->runs, 1e6 * each, 1e-9 * over(flops, each), 1e-9 * over(bytes, each),
            100 * over(least, each));
  bpi_textf(t, "    each run   share   GFLOP/s     GB/s  of limit  T  instruction                node\n");
  for (size_t k = 0; k < s->n_rows && k < most; k++) {
    bp_profile_row r = public_row(p, s, order[k]);
    text_row(t, &r, all);
  }
  if (s->n_rows > most)
    bpi_textf(t, "    and %zu more\n", s->n_rows - most);
  bpi_free(p->ctx, order);
  return BP_OK;
}

bp_status bp_profile_text(const bp_profile *p, size_t most, char **text)
{
  if (!p || !text)
    return bpi_bad_arg("bp_profile_text", "profile or text");
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  const bp_limits *l = p->limits;
  bpi_textf(&t,
            "limits, 1 thread: %.1f GFLOP/s float32, %.1f float64; memory %.1f GB/s in the first cache, %.1f "
            "in main memory\n",
            1e-9 * l->flops32, 1e-9 * l->flops64, 1e-9 * l->memory_rate[0],
            1e-9 * l->memory_rate[BP_MEMORY_LEVELS - 1]);
  bp_status s = BP_OK;
  for (const bpi_section *c = p->first; c && s == BP_OK; c = c->next)
    if (c->runs)
      s = text_section(&t, p, c, most ? most : SIZE_MAX);
  *text = bpi_text_take(&t);
  return s != BP_OK ? s : *text ? BP_OK : bpi_nomem();
}

/* ---- as a trace of Chrome's format: one row a thread ---- */

static void json_text(bpi_text *t, const char *s)
{
  for (; *s; s++)
    if (*s == '"' || *s == '\\')
      bpi_textf(t, "\\%c", *s);
    else if ((unsigned char)*s >= 0x20)
      bpi_text_add(t, s, 1);
}

static void trace_event(bpi_text *t, const bp_profile *p, const bpi_section *s, const prof_event *e)
{
  const prof_row *r = &s->rows[e->row];
  bpi_textf(t, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"name\":\"", e->thread,
            1e-3 * (double)(e->begin - p->start), 1e-3 * (double)(e->end - e->begin));
  json_text(t, r->what);
  bpi_textf(t, "\",\"args\":{\"plan\":%zu,\"instruction\":%u,\"node\":\"", s->number, e->row);
  json_text(t, r->node);
  bpi_textf(t, "\",\"flop\":%.0f,\"bytes\":%.0f}}", r->flops, r->bytes);
}

int64_t bp_profile_lost(const bp_profile *p)
{
  return p ? p->events_lost : 0;
}

bp_status bp_profile_trace(const bp_profile *p, char **json)
{
  if (!p || !json)
    return bpi_bad_arg("bp_profile_trace", "profile or json");
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  bpi_textf(&t,
            "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost\":%lld},\"traceEvents\":[\n"
            "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"bprop %s\"}}",
            (long long)p->events_lost, bp_version());
  for (int k = 0; k < p->ctx->threads; k++)
    bpi_textf(
        &t,
        ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"name\":\"thread %d\"}}",
        k, k + 1);
  for (const bpi_section *s = p->first; s; s = s->next)
    for (size_t k = 0; k < s->n_events; k++)
      trace_event(&t, p, s, &s->events[k]);
  bpi_textf(&t, "\n]}\n");
  *json = bpi_text_take(&t);
  return *json ? BP_OK : bpi_nomem();
}

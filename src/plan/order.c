/* The schedule. Of the instructions that are ready, those that need no more room than they free run at once, the others as they
 * were built; so updates run as soon as the last reader of their inputs is done, and gradients never pile up.
 *
 * New values of state are written straight into it by the instruction that makes them, if that can wait until nothing is left
 * that may fail or that reads the old value. Data edges are never broken; where waiting leads into a circle, as when two entries
 * change places, an update is copied at the end instead. */
#include "plan/draft.h"

#include <string.h>

typedef struct scheduler {
  bpi_draft *d;
  uint32_t *pending; /* of each instruction: inputs not yet made */
  size_t *frees;     /* bytes that it frees as things stand */
  uint8_t *done;
  bpi_readers readers;
  uint32_t *direct;    /* of each instruction: first update, + 1, that it writes directly */
  uint32_t *update_of; /* of each root of the state: first update, + 1, that waits for its readers */
  uint64_t *heap;
  size_t n_heap, heap_cap;
  uint32_t *held; /* ready but for waiting */
  size_t n_held;
  uint32_t barrier; /* instructions that may fail, yet to run */
  size_t
      slack; /* bytes that do not count beside the largest value: an optimiser's scalars must not hold up what waits for them */
  bool greedy;
} scheduler;

static bool alive(const bpi_draft *d, uint32_t i)
{
  return i && !d->ins[i].dead;
}

/* ---- who reads what ---- */

static void count_readers(scheduler *s)
{
  bpi_draft *d = s->d;
  for (uint32_t i = 0; i < d->n_roots; i++) {
    bpi_root *r = &d->roots[i];
    for (uint32_t k = s->readers.first[i]; k < s->readers.first[i + 1]; k++) {
      r->readers++;
      r->reader_xor ^= s->readers.list[k];
      s->pending[s->readers.list[k]] += alive(d, r->def);
    }
  }
}

static bool scheduler_init(scheduler *s, bpi_draft *d)
{
  bpi_arena *a = &d->arena;
  *s = (scheduler){.d = d, .greedy = bpi_pass_on(d, BP_PASS_order)};
  s->pending = bpi_arena_alloc(a, d->n_ins, sizeof *s->pending);
  s->frees = bpi_arena_alloc(a, d->n_ins, sizeof *s->frees);
  s->done = bpi_arena_alloc(a, d->n_ins, 1);
  s->direct = bpi_arena_alloc(a, d->n_ins, sizeof *s->direct);
  s->held = bpi_arena_alloc(a, d->n_ins, sizeof *s->held);
  s->update_of = bpi_arena_alloc(a, d->n_roots, sizeof *s->update_of);
  d->order = bpi_arena_alloc(a, d->n_ins, sizeof *d->order);
  if (!s->pending || !s->frees || !s->done || !s->direct || !s->held || !s->update_of || !d->order ||
      !bpi_readers_find(d, &s->readers))
    return false;
  count_readers(s);
  for (size_t i = 1; i < d->n_roots; i++)
    if (d->roots[i].segment == BPI_BLOCK && d->roots[i].bytes / 1024 > s->slack)
      s->slack = d->roots[i].bytes / 1024;
  for (uint32_t i = 1; i < d->n_ins; i++)
    s->barrier += alive(d, i) && d->ins[i].may_fail;
  return true;
}

/* ---- writing over an input ---- */

static bool one_overwrites(const bpi_draft *d, const bpi_ins *ins, uint32_t i, uint32_t k)
{
  if (ins->kind == BPI_DO_LOOP)
    return true;
  if (ins->tile)
    return ins->tile->when[i] <= ins->tile->when[ins->n_in + k];
  const bp_op *op = d->h->nodes[ins->head].op;
  return ins->kind == BPI_DO_KERNEL && k == 0 && i < 32 && (op->overwrites >> i & 1);
}

/* First element of its room that a reference reads, and the one after the last. */
static void span_of(const bpi_ref *r, int64_t *first, int64_t *last)
{
  *first = *last = r->offset;
  if (r->form == BPI_FULL)
    *last += bpi_type_size(r->type) - 1;
  for (int i = 0; r->form == BPI_STRIDED && i < r->type->rank; i++) {
    int64_t reach = (r->type->dims[i] - 1) * r->strides[i];
    *(reach < 0 ? first : last) += reach;
  }
  ++*last;
}

bool bpi_overwrites(const bpi_draft *d, const bpi_ins *ins, uint32_t k, uint32_t root, int64_t at)
{
  const bpi_root *x = &d->roots[root], *y = &d->roots[d->results[ins->out + k]];
  int readings = 0;
  if (bp_dtype_size((bp_dtype)x->dtype) != bp_dtype_size((bp_dtype)y->dtype))
    return false;
  for (uint32_t i = 0; i < ins->n_in; i++) {
    const bpi_ref *r = &d->refs[ins->in + i];
    int64_t first, last;
    if (bpi_top(d, r->root) != root)
      continue;
    span_of(r, &first, &last);
    if (r->root == root && (last <= at || at + y->size <= first))
      continue;
    if (r->root != root || r->form != BPI_FULL || first != at || last != at + y->size ||
        !one_overwrites(d, ins, i, k))
      return false;
    readings++;
  }
  return readings <= 1 || ins->kind != BPI_DO_KERNEL || ins->tile;
}

/* ---- writing state directly ---- */

/* Whether an instruction reads what an update replaces. */
static bool reads(const bpi_draft *d, const bpi_ins *ins, const bpi_draft_update *u)
{
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    int64_t first, last;
    if (r->root != u->root)
      continue;
    span_of(r, &first, &last);
    if (first < u->at + u->size && u->at < last)
      return true;
  }
  return false;
}

static bool can_be_direct(const bpi_draft *d, const bpi_draft_update *u)
{
  const bpi_root *v = &d->roots[u->value];
  if (v->segment != BPI_BLOCK || v->keep || v->joined || v->parent || !alive(d, v->def) || v->claimed)
    return false;
  const bpi_ins *ins = &d->ins[v->def];
  if (ins->may_fail || ins->kind == BPI_DO_SCAN || ins->kind == BPI_DO_JOIN)
    return false;
  uint32_t k = 0;
  while (d->results[ins->out + k] != u->value)
    k++;
  return bpi_overwrites(d, ins, k, u->root, u->at);
}

/* Instructions other than the writer that have to read the old value first. */
static uint32_t count_waits(const scheduler *s, const bpi_draft_update *u, uint32_t writer)
{
  uint32_t n = 0;
  for (uint32_t k = s->readers.first[u->root]; k < s->readers.first[u->root + 1]; k++)
    n += s->readers.list[k] != writer && reads(s->d, &s->d->ins[s->readers.list[k]], u);
  return bpi_faulty(s->d, BPI_FAULT_early_commit) ? 0 : n;
}

static void choose_direct(scheduler *s)
{
  bpi_draft *d = s->d;
  for (size_t i = 0; i < d->n_updates && bpi_pass_on(d, BP_PASS_commit); i++) {
    bpi_draft_update *u = &d->updates[i];
    if (!can_be_direct(d, u))
      continue;
    uint32_t ins = d->roots[u->value].def;
    d->roots[u->value].claimed = true; /* one entry only can be its room */
    u->direct = true;
    u->next = s->direct[ins];
    s->direct[ins] = (uint32_t)i + 1;
    u->sibling = s->update_of[u->root];
    s->update_of[u->root] = (uint32_t)i + 1;
    u->waits = count_waits(s, u, ins);
  }
}

static bool must_wait(const scheduler *s, uint32_t ins)
{
  if (s->direct[ins] && s->barrier)
    return true;
  for (uint32_t u = s->direct[ins]; u; u = s->d->updates[u - 1].next)
    if (s->d->updates[u - 1].waits)
      return true;
  return false;
}

/* The instruction waits no longer: what it would have waited for is copied at the end. */
static void stop_waiting(scheduler *s, uint32_t ins)
{
  bpi_draft *d = s->d;
  uint32_t kept = 0;
  for (uint32_t u = s->direct[ins], next; u; u = next) {
    bpi_draft_update *up = &d->updates[u - 1];
    next = up->next;
    if (up->waits || s->barrier) {
      up->direct = false;
      up->waits = 0;
    } else {
      up->next = kept;
      kept = u;
    }
  }
  s->direct[ins] = kept;
}

/* ---- the heap: lowest (class, position, instruction) first ---- */

static size_t needs(const scheduler *s, uint32_t ins)
{
  const bpi_draft *d = s->d;
  size_t bytes = 0;
  for (uint32_t k = 0; k < d->ins[ins].n_out; k++) {
    const bpi_root *r = &d->roots[d->results[d->ins[ins].out + k]];
    bytes += d->results[d->ins[ins].out + k] && !(r->claimed && s->direct[ins]) ? r->bytes : 0;
  }
  return bytes;
}

static bp_status push(scheduler *s, uint32_t ins)
{
  bpi_draft *d = s->d;
  if (must_wait(s, ins)) {
    s->held[s->n_held++] = ins;
    return BP_OK;
  }
  if (!bpi_grow(d->ctx, (void **)&s->heap, &s->heap_cap, s->n_heap, sizeof *s->heap))
    return bpi_nomem();
  uint64_t late = s->greedy && needs(s, ins) > s->frees[ins] + s->slack;
  uint64_t key = late << 63 | (uint64_t)d->ins[ins].position << 31 | ins;
  size_t at = s->n_heap++;
  for (; at && s->heap[(at - 1) / 2] > key; at = (at - 1) / 2)
    s->heap[at] = s->heap[(at - 1) / 2];
  s->heap[at] = key;
  return BP_OK;
}

static uint32_t pop(scheduler *s)
{
  uint32_t ins = (uint32_t)(s->heap[0] & 0x7fffffff);
  uint64_t key = s->heap[--s->n_heap];
  size_t at = 0;
  for (size_t child = 1; child < s->n_heap; child = 2 * at + 1) {
    if (child + 1 < s->n_heap && s->heap[child + 1] < s->heap[child])
      child++;
    if (s->heap[child] >= key)
      break;
    s->heap[at] = s->heap[child];
    at = child;
  }
  s->heap[at] = key;
  return ins;
}

/* ---- running the schedule ---- */

static bool is_ready(const scheduler *s, uint32_t ins)
{
  return !s->done[ins] && s->pending[ins] == 0;
}

/* Held instructions that need wait no longer. */
static bp_status release(scheduler *s)
{
  size_t n = s->n_held, kept = 0;
  bp_status status = BP_OK;
  for (size_t i = 0; i < n && status == BP_OK; i++) {
    uint32_t ins = s->held[i];
    if (must_wait(s, ins)) {
      s->held[kept++] = ins;
      continue;
    }
    s->n_held = 0; /* push does not hold it again */
    status = push(s, ins);
  }
  s->n_held = kept;
  return status;
}

static bp_status root_made(scheduler *s, uint32_t root)
{
  bp_status status = BP_OK;
  for (uint32_t k = s->readers.first[root]; k < s->readers.first[root + 1] && status == BP_OK; k++) {
    uint32_t reader = s->readers.list[k];
    if (--s->pending[reader] == 0 && s->d->ins[reader].kind != BPI_DO_COMMIT)
      status = push(s, reader);
  }
  return status;
}

/* The last reader of a room frees it, and may run early for that. */
static bp_status root_read(scheduler *s, uint32_t ins, uint32_t root, bool *released)
{
  bpi_root *r = &s->d->roots[root];
  r->readers--;
  r->reader_xor ^= ins;
  for (uint32_t u = s->update_of[root]; u; u = s->d->updates[u - 1].sibling) {
    bpi_draft_update *up = &s->d->updates[u - 1];
    if (up->waits && s->d->roots[up->value].def != ins && reads(s->d, &s->d->ins[ins], up))
      *released |= --up->waits == 0;
  }
  if (r->readers != 1 || r->segment != BPI_BLOCK || r->keep || r->parent)
    return BP_OK;
  uint32_t last = r->reader_xor;
  s->frees[last] += r->bytes;
  return is_ready(s, last) && !must_wait(s, last) && s->greedy && s->d->ins[last].kind != BPI_DO_COMMIT
             ? push(s, last)
             : BP_OK;
}

static bp_status execute(scheduler *s, uint32_t ins)
{
  bpi_draft *d = s->d;
  const bpi_ins *x = &d->ins[ins];
  bool released = false;
  bp_status status = BP_OK;
  s->done[ins] = 1;
  if (s->direct[ins] && d->first_commit > d->n_order)
    d->first_commit = d->n_order;
  d->order[d->n_order++] = ins;
  for (uint32_t u = s->direct[ins]; u; u = d->updates[u - 1].next) {
    bpi_draft_update *up = &d->updates[u - 1];
    d->roots[up->value].segment = BPI_STATE;
    d->roots[up->value].index = up->entry;
    d->roots[up->value].offset = (size_t)up->at * bp_dtype_size((bp_dtype)d->roots[up->value].dtype);
    d->ins[up->ins].dead = true;
    d->plan->done[BP_PASS_commit]++;
  }
  if (x->may_fail)
    released = --s->barrier == 0;
  for (uint32_t k = 0; k < x->n_in && status == BP_OK; k++) {
    uint32_t root = d->refs[x->in + k].root;
    if (d->roots[root].mark == ins)
      continue;
    d->roots[root].mark = ins;
    status = root_read(s, ins, root, &released);
  }
  for (uint32_t k = 0; k < x->n_out && status == BP_OK; k++)
    if (d->results[x->out + k])
      status = root_made(s, d->results[x->out + k]);
  return status == BP_OK && released ? release(s) : status;
}

static bp_status run_schedule(scheduler *s)
{
  bpi_draft *d = s->d;
  bp_status status = BP_OK;
  for (uint32_t i = 1; i < d->n_ins && status == BP_OK; i++)
    if (alive(d, i) && s->pending[i] == 0 && d->ins[i].kind != BPI_DO_COMMIT)
      status = push(s, i);
  while (status == BP_OK && (s->n_heap || s->n_held)) {
    if (s->n_heap) {
      uint32_t ins = pop(s);
      if (!s->done[ins])
        status = execute(s, ins);
    } else {
      stop_waiting(s, s->held[0]);
      status = release(s);
    }
  }
  return status;
}

static void seed_wrong_order(bpi_draft *d)
{
  for (size_t q = d->n_order; q-- > 1;) {
    const bpi_ins *ins = &d->ins[d->order[q]];
    for (uint32_t k = 0; k < ins->n_in; k++)
      if (d->roots[d->refs[ins->in + k].root].def == d->order[q - 1]) {
        uint32_t swap = d->order[q];
        d->order[q] = d->order[q - 1];
        d->order[q - 1] = swap;
        return;
      }
  }
}

bp_status bpi_order(bpi_draft *d)
{
  scheduler s;
  if (!scheduler_init(&s, d))
    return bpi_nomem();
  d->first_commit = SIZE_MAX;
  for (size_t i = 0; i < d->n_roots; i++)
    d->roots[i].mark = 0;
  choose_direct(&s);
  bp_status status = run_schedule(&s);
  bpi_free(d->ctx, s.heap);
  if (status != BP_OK)
    return status;
  if (bpi_faulty(d, BPI_FAULT_wrong_order))
    seed_wrong_order(d);
  for (size_t i = 0; i < d->n_updates; i++)
    if (!d->updates[i].direct) {
      if (d->first_commit > d->n_order)
        d->first_commit = d->n_order;
      d->order[d->n_order++] = d->updates[i].ins;
    }
  if (d->first_commit > d->n_order)
    d->first_commit = d->n_order;
  for (size_t i = 0; i < d->n_order; i++)
    d->ins[d->order[i]].position = (uint32_t)i;
  return BP_OK;
}

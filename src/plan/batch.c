/* Batching: graphs of single numbers. Where steps over single elements follow one another, they become one program (src/run/scalars.c), and
 * equal steps that do not need one another stand side by side in it. The processor then guesses right what comes next, and steps that are
 * worth it are computed as vectors.
 *
 * The order stays nearly that of the schedule: only what lies within a window of it is looked at, so values are still read soon after they
 * are made. What is read from outside of the block is taken into it first, once. */
#include "plan/draft.h"

#include <string.h>

enum { WINDOW = 1024, AT_ONCE = 1 << 16, USUAL_SCALARS = 8, MANY = 64, TAKERS = 3 };

/* A step of the program being made: an instruction, and how many steps before it have yet to be done. */
typedef struct scalar_member {
  uint32_t ins, step, pending;
  uint32_t next;   /* in the queue of its step, + 1 */
  uint32_t reader; /* first of the edges to those that read it, + 1 */
} scalar_member;

typedef struct scalar_edge {
  uint32_t to, next;
} scalar_edge;

/* Members of one step that are ready, in the order in which they became so. Steps with such members stand in a row themselves. */
typedef struct step_queue {
  uint32_t first, last; /* + 1 */
  uint32_t next;        /* + 1 */
} step_queue;

typedef struct batcher {
  bpi_draft *d;
  scalar_member *members;
  size_t n_members, members_cap;
  scalar_edge *edges;
  size_t n_edges, edges_cap;
  step_queue *queues;
  size_t queues_cap;
  uint32_t *imports; /* open addressing by room and element: the instruction that takes it into the block */
  size_t n_imports, imports_cap;
  uint32_t *table; /* open addressing: number of a step + 1 */
  size_t table_cap;
  uint32_t *order, *run, *step; /* the new schedule */
  size_t n_order, order_cap, run_cap, step_cap;
  uint32_t n_runs, first_step, last_step; /* queues with members, + 1 */
} batcher;

/* ---- which instructions ---- */

static bool in_block(const bpi_draft *d, uint32_t root)
{
  return d->roots[bpi_top(d, root)].segment == BPI_BLOCK;
}

static bool single(const bpi_draft *d, uint32_t i)
{
  const bpi_ins *ins = &d->ins[i];
  return ins->kind == BPI_DO_LOOP && ins->n == 1 && in_block(d, d->results[ins->out]);
}

/* ---- steps: equal loops with equal parameters ---- */

static int real_params(const bp_op *op)
{
  int n = 0;
  for (int i = 0; i < BP_MAX_ATTRS && op->attrs[i].kind != BP_ATTR_END; i++)
    n += op->attrs[i].kind == BP_ATTR_REAL;
  return n;
}

static uint64_t mixed(uint64_t h, uint64_t v)
{
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 32);
}

static uint64_t step_hash(bpi_loop loop, const double *params, int n)
{
  uint64_t h = mixed(1, (uintptr_t)loop), bits;
  for (int i = 0; i < n; i++) {
    memcpy(&bits, &params[i], sizeof bits);
    h = mixed(h, bits);
  }
  return h;
}

static bool same_step(const bpi_scalar_step *s, bpi_loop loop, const double *params, int n)
{
  return s->loop == loop && (n == 0 || memcmp(s->params, params, (size_t)n * sizeof *params) == 0);
}

static bool table_grown(batcher *b)
{
  const bpi_draft *d = b->d;
  if ((d->n_steps + 1) * 2 <= b->table_cap)
    return true;
  size_t cap = b->table_cap ? b->table_cap * 2 : 64;
  uint32_t *table = bpi_arena_alloc(&b->d->arena, cap, sizeof *table);
  if (!table)
    return false;
  for (size_t i = TAKERS; i < d->n_steps; i++) {
    const bpi_scalar_step *s = &d->steps[i];
    size_t at = step_hash(s->loop, s->params, real_params(s->op)) & (cap - 1);
    while (table[at])
      at = (at + 1) & (cap - 1);
    table[at] = (uint32_t)i + 1;
  }
  b->table = table;
  b->table_cap = cap;
  return true;
}

static void describe_step(const bpi_draft *d, const bpi_ins *ins, bpi_scalar_step *s)
{
  s->n_in = (uint8_t)ins->n_in;
  for (uint32_t k = 0; k <= ins->n_in; k++) {
    uint32_t root = k < ins->n_in ? d->refs[ins->in + k].root : d->results[ins->out];
    s->dtype[k] = d->roots[root].dtype;
    s->elem[k] = (uint8_t)bp_dtype_size((bp_dtype)d->roots[root].dtype);
  }
}

/* Number of the step that an instruction takes; 0 when out of memory. */
static uint32_t step_of(batcher *b, const bpi_ins *ins)
{
  bpi_draft *d = b->d;
  const bpi_node *v = &d->h->nodes[ins->head];
  const double *params = NULL;
  int n = real_params(v->op);
  if (!table_grown(b) || (n && bpi_real_params(d, v, &params) != BP_OK))
    return 0;
  size_t at = step_hash(ins->loop, params, n) & (b->table_cap - 1);
  for (; b->table[at]; at = (at + 1) & (b->table_cap - 1))
    if (same_step(&d->steps[b->table[at] - 1], ins->loop, params, n))
      return b->table[at] - 1;
  if (!bpi_grow(d->ctx, (void **)&d->steps, &d->steps_cap, d->n_steps, sizeof *d->steps))
    return 0;
  bpi_scalar_step *s = &d->steps[d->n_steps];
  *s = (bpi_scalar_step){.loop = ins->loop, .op = v->op, .params = params};
  s->picks = bpi_picks_for(v->op->body, &d->plan->kernels->body[v->op->body->id], ins->loop);
  describe_step(d, ins, s);
  b->table[at] = (uint32_t)++d->n_steps;
  return b->table[at] - 1;
}

/* ---- members ---- */

static bool add_member(batcher *b, uint32_t ins, uint32_t step)
{
  if (!bpi_grow(b->d->ctx, (void **)&b->members, &b->members_cap, b->n_members, sizeof *b->members))
    return false;
  b->members[b->n_members++] = (scalar_member){.ins = ins, .step = step};
  b->d->ins[ins].level = (uint32_t)b->n_members;
  return true;
}

/* The step that takes in elements of such a size. */
static uint32_t taker_of(const bpi_draft *d, uint32_t root)
{
  uint32_t step = 0;
  while (d->steps[step].elem[0] != bp_dtype_size((bp_dtype)d->roots[root].dtype))
    step++;
  return step;
}

static bool make_takers(bpi_draft *d)
{
  static const uint8_t size[TAKERS] = {1, 4, 8};
  for (; d->n_steps < TAKERS; d->n_steps++) {
    if (!bpi_grow(d->ctx, (void **)&d->steps, &d->steps_cap, d->n_steps, sizeof *d->steps))
      return false;
    d->steps[d->n_steps] = (bpi_scalar_step){.n_in = 1, .elem = {size[d->n_steps], size[d->n_steps]}};
  }
  return true;
}

static size_t import_slot(const batcher *b, uint32_t root, int64_t offset)
{
  const bpi_draft *d = b->d;
  size_t at = mixed(mixed(2, root), (uint64_t)offset) & (b->imports_cap - 1);
  for (; b->imports[at]; at = (at + 1) & (b->imports_cap - 1)) {
    const bpi_ref *r = &d->refs[d->ins[b->imports[at]].in];
    if (r->root == root && r->offset == offset)
      break;
  }
  return at;
}

static bool imports_grown(batcher *b)
{
  if ((b->n_imports + 1) * 2 <= b->imports_cap)
    return true;
  uint32_t *old = b->imports;
  size_t old_cap = b->imports_cap, cap = old_cap ? old_cap * 2 : 64;
  b->imports = bpi_arena_alloc(&b->d->arena, cap, sizeof *b->imports);
  b->imports_cap = b->imports ? cap : 0;
  for (size_t i = 0; b->imports && i < old_cap; i++)
    if (old[i]) {
      const bpi_ref *r = &b->d->refs[b->d->ins[old[i]].in];
      b->imports[import_slot(b, r->root, r->offset)] = old[i];
    }
  return b->imports;
}

/* The instruction that takes an element into the block, made where it is first asked for. 0: out of memory. */
static uint32_t import_of(batcher *b, uint32_t head, const bpi_ref *r)
{
  bpi_draft *d = b->d;
  bpi_ref from = *r;
  if (!imports_grown(b))
    return 0;
  size_t at = import_slot(b, from.root, from.offset);
  if (b->imports[at])
    return b->imports[at];
  uint32_t root = bpi_root_new(d, BPI_BLOCK, (bp_dtype)d->roots[from.root].dtype, 1);
  uint32_t ins = root ? bpi_ins_new(d, BPI_DO_COPY, head, &from, 1, &root, 1) : 0;
  if (!ins || !add_member(b, ins, taker_of(d, from.root)))
    return 0;
  d->ins[ins].n = 1;
  b->imports[at] = ins;
  b->n_imports++;
  return ins;
}

/* An instruction as a member, behind what it takes in. */
static bool join_member(batcher *b, uint32_t i)
{
  bpi_draft *d = b->d;
  for (uint32_t k = 0; k < d->ins[i].n_in; k++) {
    bpi_ref *r = &d->refs[d->ins[i].in + k];
    if (in_block(d, r->root))
      continue;
    uint32_t import = import_of(b, d->ins[i].head, r);
    if (!import)
      return false;
    r = &d->refs[d->ins[i].in + k];
    r->root = d->results[d->ins[import].out];
    r->offset = 0;
  }
  uint32_t step = step_of(b, &d->ins[i]);
  return step && add_member(b, i, step);
}

/* ---- the new order ---- */

static bool put(batcher *b, uint32_t ins, uint32_t run, uint32_t step)
{
  bp_ctx *ctx = b->d->ctx;
  size_t n = b->n_order;
  if (!bpi_grow(ctx, (void **)&b->order, &b->order_cap, n, sizeof *b->order) ||
      !bpi_grow(ctx, (void **)&b->run, &b->run_cap, n, sizeof *b->run) ||
      !bpi_grow(ctx, (void **)&b->step, &b->step_cap, n, sizeof *b->step))
    return false;
  b->order[n] = ins;
  b->run[n] = run;
  b->step[n] = step;
  b->n_order++;
  return true;
}

static void enqueue(batcher *b, uint32_t member)
{
  uint32_t step = b->members[member].step;
  step_queue *q = &b->queues[step];
  b->members[member].next = 0;
  if (q->first) {
    b->members[q->last - 1].next = member + 1;
  } else {
    q->first = member + 1;
    q->next = 0;
    if (b->first_step)
      b->queues[b->last_step - 1].next = step + 1;
    else
      b->first_step = step + 1;
    b->last_step = step + 1;
  }
  q->last = member + 1;
}

/* Edges from those members before it that it reads. */
static bool admit(batcher *b, uint32_t member)
{
  const bpi_draft *d = b->d;
  const bpi_ins *ins = &d->ins[b->members[member].ins];
  for (uint32_t k = 0; k < ins->n_in; k++) {
    uint32_t def = d->roots[d->refs[ins->in + k].root].def, from = def ? d->ins[def].level : 0;
    if (!from || from > member || b->members[from - 1].ins != def ||
        b->members[from - 1].pending == UINT32_MAX)
      continue;
    if (!bpi_grow(d->ctx, (void **)&b->edges, &b->edges_cap, b->n_edges, sizeof *b->edges))
      return false;
    b->edges[b->n_edges++] = (scalar_edge){.to = member, .next = b->members[from - 1].reader};
    b->members[from - 1].reader = (uint32_t)b->n_edges;
    b->members[member].pending++;
  }
  if (bpi_faulty(d, BPI_FAULT_run_early) && b->members[member].pending)
    b->members[member].pending--;
  if (b->members[member].pending == 0)
    enqueue(b, member);
  return true;
}

static void done_with(batcher *b, uint32_t member)
{
  b->members[member].pending = UINT32_MAX;
  for (uint32_t e = b->members[member].reader; e; e = b->edges[e - 1].next)
    if (b->members[b->edges[e - 1].to].pending && --b->members[b->edges[e - 1].to].pending == 0)
      enqueue(b, b->edges[e - 1].to);
}

/* All members of the step that has waited longest; what they make ready comes later. */
static bool next_run(batcher *b, size_t *done)
{
  uint32_t step = b->first_step - 1, at = b->queues[step].first;
  b->first_step = b->queues[step].next;
  b->queues[step].first = 0;
  for (uint32_t n = 0; at; n++) {
    uint32_t member = at - 1;
    at = b->members[member].next;
    if (!put(b, b->members[member].ins, b->n_runs + 1, step))
      return false;
    if (n % BPI_RUN_MOST == BPI_RUN_MOST - 1 || !at)
      b->n_runs++;
    done_with(b, member);
    ++*done;
  }
  return true;
}

static bool batch_members(batcher *b)
{
  size_t done = 0, admitted = 0, n = b->n_members;
  size_t old = b->queues_cap;
  while (b->queues_cap < b->d->n_steps)
    if (!bpi_grow(b->d->ctx, (void **)&b->queues, &b->queues_cap, b->queues_cap, sizeof *b->queues))
      return false;
  if (b->queues_cap > old)
    memset(b->queues + old, 0, (b->queues_cap - old) * sizeof *b->queues);
  b->n_edges = 0;
  while (done < n) {
    for (; admitted < n && admitted - done < WINDOW; admitted++)
      if (!admit(b, (uint32_t)admitted))
        return false;
    if (!next_run(b, &done))
      return false;
  }
  b->d->plan->done[BP_PASS_scalars] += (unsigned)n;
  return true;
}

/* ---- all of it ---- */

/* A short program must not have to take in more than it computes. */
static bool worth_it(bpi_draft *d, size_t begin, size_t end)
{
  size_t n = end - begin, outside = 0;
  if (n + d->n_steps > BPI_SCALAR_STEPS)
    return false;
  if (d->tuning.scalars || n >= MANY)
    return (int64_t)n >= d->tuning.scalars;
  for (size_t i = begin; i < end; i++)
    for (uint32_t k = 0; k < d->ins[d->order[i]].n_in; k++) {
      uint32_t root = d->refs[d->ins[d->order[i]].in + k].root;
      outside += !in_block(d, root) && d->roots[root].mark != begin + 1;
      d->roots[root].mark = (uint32_t)begin + 1;
    }
  return n >= USUAL_SCALARS && outside <= n;
}

static bool batch_range(batcher *b, size_t begin, size_t end)
{
  bpi_draft *d = b->d;
  if (!worth_it(d, begin, end)) {
    for (size_t i = begin; i < end; i++)
      if (!put(b, d->order[i], 0, 0))
        return false;
    return true;
  }
  b->n_members = 0;
  for (size_t i = begin; i < end; i++)
    if (!join_member(b, d->order[i]))
      return false;
  return batch_members(b);
}

/* Long rows of steps are batched part by part; lowering makes one program of what lies together all the same. */
static bool batch_all(batcher *b)
{
  bpi_draft *d = b->d;
  size_t commit = d->first_commit;
  for (size_t i = 0, end; i < d->n_order; i = end) {
    end = i;
    while (end < d->n_order && end - i < AT_ONCE && single(d, d->order[end]))
      end++;
    if (commit >= i && commit < (end > i ? end : i + 1))
      d->first_commit = b->n_order;
    bool good = end > i ? batch_range(b, i, end) : put(b, d->order[end++], 0, 0);
    if (!good)
      return false;
  }
  if (commit >= d->n_order)
    d->first_commit = b->n_order;
  return true;
}

static bool has_singles(const bpi_draft *d)
{
  for (size_t i = 0; i < d->n_order; i++)
    if (single(d, d->order[i]))
      return true;
  return false;
}

bp_status bpi_batch(bpi_draft *d)
{
  batcher b = {.d = d};
  if (!bpi_pass_on(d, BP_PASS_scalars) || !has_singles(d))
    return BP_OK;
  for (size_t i = 0; i < d->n_ins; i++)
    d->ins[i].level = 0;
  for (size_t i = 0; i < d->n_roots; i++)
    d->roots[i].mark = 0;
  bool good = make_takers(d) && batch_all(&b);
  bpi_free(d->ctx, b.members);
  bpi_free(d->ctx, b.edges);
  bpi_free(d->ctx, b.queues);
  d->batched = b.order;
  d->run = b.run;
  d->step = b.step;
  if (!good)
    return bpi_nomem();
  d->order = d->batched;
  d->n_order = b.n_order;
  return BP_OK;
}

/* Fusing: connected elementwise instructions over equally many elements become one tile program, so that values between them
 * stay in cache and need no room in the block.
 *
 * Groups are found by levels, in one walk. An edge that leaves a group leads to a higher level, any other edge never to a lower
 * one; so nothing outside a group can lie between two of its members, and groups of one level may always be made one. */
#include "plan/draft.h"

#include <string.h>

enum {
  TILE_CACHE = 32 << 10, /* bytes of the first cache that a tile may fill */
  TILE_STEP = 256,       /* elements of a tile are a multiple of it */
  SLOT_APART = 9 * 64,   /* bytes between slots, so that equal elements do not meet in one set of the cache */
  FAR = 32 << 20         /* bytes of an array that no cache would hold until it is read again */
};

static uint32_t find_group(bpi_draft *d, uint32_t i)
{
  while (d->ins[i].group != i) {
    d->ins[i].group = d->ins[d->ins[i].group].group;
    i = d->ins[i].group;
  }
  return i;
}

/* Level of an instruction: as that of its inputs, but higher than groups that it cannot join. */
static void set_level(bpi_draft *d, uint32_t i, uint32_t floor)
{
  bpi_ins *ins = &d->ins[i];
  ins->group = i;
  ins->level = floor;
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    uint32_t def = d->roots[r->root].def;
    if (!def)
      continue;
    uint32_t level = d->ins[def].level + (bpi_may_fuse(d, &d->ins[def]) && !bpi_can_join(d, ins, r));
    ins->level = level > ins->level ? level : ins->level;
  }
}

static void join_inputs(bpi_draft *d, uint32_t i)
{
  const bpi_ins *ins = &d->ins[i];
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    uint32_t def = d->roots[r->root].def;
    if (def && d->ins[def].level == ins->level && bpi_can_join(d, ins, r))
      d->ins[find_group(d, def)].group = find_group(d, i);
  }
}

/* What the guard and instructions that may fail depend on comes first, and is not fused with the rest: else no update could be
 * written into the state in the same pass that computes it. */
static void mark_early(bpi_draft *d)
{
  for (size_t i = d->n_ins - 1; i > 0 && d->n_updates; i--) {
    bpi_ins *ins = &d->ins[i];
    ins->early = !ins->dead && (ins->early || ins->may_fail);
    for (uint32_t k = 0; k < ins->n_in && ins->early; k++)
      d->ins[d->roots[d->refs[ins->in + k].root].def].early = true;
  }
}

static bp_status set_groups(bpi_draft *d)
{
  uint32_t floor = 0;
  mark_early(d);
  for (uint32_t i = 1; i < d->n_ins; i++)
    if (d->ins[i].early) {
      set_level(d, i, 0);
      floor = d->ins[i].level >= floor ? d->ins[i].level + 1 : floor;
    }
  for (uint32_t i = 1; i < d->n_ins; i++)
    if (!d->ins[i].early)
      set_level(d, i, floor);
  bp_status s = bpi_sink(d);
  for (uint32_t i = 1; i < d->n_ins && s == BP_OK; i++)
    join_inputs(d, i);
  return s;
}

/* ---- sums ---- */

/* True for a sum of all elements that an instruction which can be fused makes; these lie in the order of the sum. */
static bool is_whole_sum(bpi_draft *d, const bpi_ins *ins)
{
  const bp_op *op = d->h->nodes[ins->head].op;
  bpi_reduction r;
  if (ins->dead || ins->kind != BPI_DO_KERNEL || !op->reduction || ins->n_in != 1 || ins->n_out != 1)
    return false;
  const bpi_ref *x = &d->refs[ins->in];
  const bpi_ins *def = &d->ins[d->roots[x->root].def];
  if (!d->roots[x->root].def || !bpi_may_fuse(d, def) || !bpi_is_plain(d, x))
    return false;
  const bp_kernel_call *c = bpi_dry_call(d, ins);
  return c && op->reduction(c, &r) && r.how == BPI_REDUCE_SUM && r.outer == 1 && r.inner == 1 &&
         r.n == def->n && r.n > 1;
}

/* Groups that may run at the end of a product get no sum: they would lose that. */
static void mark_ends(bpi_draft *d, uint8_t *ends)
{
  for (uint32_t i = 1; i < d->n_ins && bpi_pass_on(d, BP_PASS_epilogue); i++)
    for (uint32_t k = 0; k < d->ins[i].n_in && bpi_may_fuse(d, &d->ins[i]); k++) {
      uint32_t def = d->roots[d->refs[d->ins[i].in + k].root].def;
      if (def && bpi_has_end(d, &d->ins[def]))
        ends[find_group(d, i)] = 1;
    }
}

/* A unit of work is a leaf of the sum. Where that would leave threads without work, the sum stays for itself. */
static bool few_leaves(const bpi_draft *d, int64_t n)
{
  return bp_ctx_threads(d->ctx) > 1 && n > BPI_SUM_LEAF / 4 && n < 4 * BPI_SUM_LEAF;
}

/* A sum joins the group that makes what it adds up. It was on a higher level, as are all that read it: so none of these is in the group. */
static bp_status add_sums(bpi_draft *d)
{
  uint8_t *ends = bpi_arena_alloc(&d->arena, d->n_ins, 1);
  if (!ends)
    return bpi_nomem();
  mark_ends(d, ends);
  for (uint32_t i = 1; i < d->n_ins; i++) {
    bpi_ins *ins = &d->ins[i];
    if (!is_whole_sum(d, ins))
      continue;
    uint32_t def = d->roots[d->refs[ins->in].root].def;
    if (ends[find_group(d, def)] || few_leaves(d, d->ins[def].n))
      continue;
    ins->group = find_group(d, def);
    ins->tail = true;
  }
  return BP_OK;
}

/* Sets root.mark where a value is an output, or read by others than the group that makes it. */
static void mark_outside(bpi_draft *d)
{
  for (size_t i = 1; i < d->n_roots; i++)
    d->roots[i].mark = d->roots[i].keep && !bpi_faulty(d, BPI_FAULT_fused_lost);
  for (uint32_t i = 1; i < d->n_ins; i++) {
    if (d->ins[i].dead)
      continue;
    uint32_t group = find_group(d, i);
    for (uint32_t k = 0; k < d->ins[i].n_in; k++) {
      bpi_root *r = &d->roots[d->refs[d->ins[i].in + k].root];
      if (r->def && find_group(d, r->def) != group)
        r->mark = 1;
    }
  }
}

/* ---- one tile program ---- */

typedef struct tile_maker {
  bpi_draft *d;
  const uint32_t *members; /* instructions, in order */
  size_t n_members;
  uint32_t group;
  bpi_tile *tile;
  bpi_ref *x;      /* operands read */
  uint32_t *chain; /* the next operand in the same room */
  int32_t *last;   /* member that reads each last */
  uint32_t *slot;  /* of each operand that is loaded, + 1 */
  uint32_t n_x;
  uint32_t *y; /* results */
  int32_t *y_step, *x_step;
  uint32_t n_y;
  uint32_t *free_slots;
  size_t n_free;
  bool sums; /* some members are sums */
} tile_maker;

static bool inside(const tile_maker *m, uint32_t root)
{
  uint32_t def = m->d->roots[root].def;
  return def && find_group(m->d, def) == m->group;
}

static bool same_ref(const bpi_ref *a, const bpi_ref *b)
{
  return a->root == b->root && a->form == b->form && a->offset == b->offset && a->strides == b->strides &&
         (a->form != BPI_STRIDED || a->type == b->type);
}

/* Number of the operand, or UINT32_MAX. A root remembers one of its operands, and each of these the next. */
static uint32_t find_operand(const tile_maker *m, const bpi_ref *r)
{
  uint32_t i = m->d->roots[r->root].mark_at;
  if (i >= m->n_x || m->x[i].root != r->root)
    return UINT32_MAX;
  while (i != UINT32_MAX && !same_ref(&m->x[i], r))
    i = m->chain[i];
  return i;
}

static void note_operand(tile_maker *m, const bpi_ref *r, int32_t step)
{
  bpi_root *root = &m->d->roots[r->root];
  uint32_t i = find_operand(m, r);
  if (i == UINT32_MAX) {
    i = m->n_x++;
    m->x[i] = *r;
    m->chain[i] = root->mark_at < i && m->x[root->mark_at].root == r->root ? root->mark_at : UINT32_MAX;
    root->mark_at = i;
  }
  m->last[i] = step;
}

/* Operands and lifetimes; results that are needed outside get numbers. */
static void survey(tile_maker *m)
{
  bpi_draft *d = m->d;
  for (size_t s = 0; s < m->n_members; s++) {
    const bpi_ins *ins = &d->ins[m->members[s]];
    uint32_t result = d->results[ins->out];
    for (uint32_t k = 0; k < ins->n_in; k++) {
      const bpi_ref *r = &d->refs[ins->in + k];
      if (inside(m, r->root))
        d->roots[r->root].last = (uint32_t)s;
      else
        note_operand(m, r, (int32_t)s);
    }
    d->roots[result].last = (uint32_t)s;
    m->sums = m->sums || ins->tail;
    if (d->roots[result].mark) {
      d->roots[result].mark_at = m->n_y;
      m->y[m->n_y++] = result;
    }
  }
}

/* How many elements of a strided operand repeat all along; n where they do not. */
static int64_t period_of(const bpi_ref *r, int64_t n)
{
  int64_t period = n;
  for (int i = 0; i < r->type->rank; i++) {
    if (r->type->dims[i] > 1 && r->strides[i])
      break;
    period /= r->type->dims[i];
  }
  return period;
}

/* Elements of a tile of which all operands, results and about two slots fit a part of the first cache. */
static int64_t fitting_tile(const tile_maker *m)
{
  if (m->d->tuning.tile != BPI_TILE)
    return m->d->tuning.tile;
  int64_t bytes = 2 + m->n_y;
  for (uint32_t i = 0; i < m->n_x; i++)
    bytes += m->x[i].form != BPI_SPLAT;
  bytes *= m->d->wide ? 8 : 4;
  int64_t fits = TILE_CACHE / bytes / TILE_STEP * TILE_STEP;
  return fits > 2 * TILE_STEP ? fits : 2 * TILE_STEP;
}

/* Leaves of sums are whole tiles, and these whole rounds of the lanes. */
static int64_t tile_of_sums(int64_t most)
{
  int64_t tile = BPI_SUM_LEAF;
  while (tile > most && tile > BPI_SUM_LANES)
    tile /= 2;
  return tile;
}

/* Tiles hold a whole number of periods, so that what repeats is gathered once. */
static int64_t tile_size(const tile_maker *m, int64_t n)
{
  int64_t most = fitting_tile(m), period = 1;
  if (m->sums)
    return tile_of_sums(most);
  for (uint32_t i = 0; i < m->n_x; i++) {
    int64_t p = m->x[i].form == BPI_STRIDED ? period_of(&m->x[i], n) : 1;
    if (p > period && p <= most)
      period = p;
  }
  most -= most % period;
  return most < n ? most : n;
}

static uint32_t take_slot(tile_maker *m)
{
  return m->n_free ? m->free_slots[--m->n_free] : m->tile->n_slots++;
}

static uint8_t elem_of(const bpi_draft *d, uint32_t root)
{
  return (uint8_t)bp_dtype_size((bp_dtype)d->roots[root].dtype);
}

static void add_load(tile_maker *m, uint32_t i, bool once)
{
  bpi_tile_step *step = &m->tile->steps[m->tile->n_steps++];
  uint8_t elem = elem_of(m->d, m->x[i].root);
  m->slot[i] = take_slot(m) + 1;
  step->n_in = 1;
  step->once = once;
  step->in[0] = (bpi_tile_ref){.elem = elem, .step = 1, .index = i};
  step->out = (bpi_tile_ref){.slot = true, .elem = elem, .step = 1, .index = m->slot[i] - 1};
}

static bool loads_once(const tile_maker *m, uint32_t i)
{
  int64_t period = period_of(&m->x[i], m->tile->n);
  return period < m->tile->n && m->tile->tile % period == 0;
}

/* Where a step finds one of its inputs. after: 1 where its result may not lie over the input. */
static bpi_tile_ref find_input(tile_maker *m, const bpi_ref *r, int after)
{
  bpi_root *root = &m->d->roots[r->root];
  bpi_tile_ref at = {.elem = elem_of(m->d, r->root), .step = r->form != BPI_SPLAT};
  if (inside(m, r->root)) {
    at.slot = !root->mark;
    at.index = root->mark ? m->n_x + root->mark_at : root->first;
    return at;
  }
  at.index = find_operand(m, r);
  if (m->slot[at.index]) {
    at.slot = true;
    at.index = m->slot[at.index] - 1;
  } else {
    m->x_step[at.index] = (int32_t)m->tile->n_steps + after;
  }
  return at;
}

/* Slots whose last reader is member s: before its result is placed only those of its element size (it may be written over
 * them), after it the others. */
static void free_slots(tile_maker *m, size_t s, uint8_t elem, bool same)
{
  bpi_draft *d = m->d;
  const bpi_ins *ins = &d->ins[m->members[s]];
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    bpi_root *root = &d->roots[r->root];
    if ((elem_of(d, r->root) == elem) != same)
      continue;
    if (inside(m, r->root)) {
      if (!root->mark && root->last == s) {
        m->free_slots[m->n_free++] = root->first;
        root->last = UINT32_MAX; /* read twice by one member: freed once */
      }
      continue;
    }
    uint32_t i = find_operand(m, r);
    if (m->slot[i] && m->last[i] == (int32_t)s && !loads_once(m, i)) {
      m->free_slots[m->n_free++] = m->slot[i] - 1;
      m->last[i] = INT32_MAX;
    }
  }
}

static bp_status add_step(tile_maker *m, size_t s)
{
  bpi_draft *d = m->d;
  const bpi_ins *ins = &d->ins[m->members[s]];
  uint32_t result = d->results[ins->out];
  bpi_root *root = &d->roots[result];
  uint8_t elem = elem_of(d, result);
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    if (!inside(m, r->root) && r->form == BPI_STRIDED && !m->slot[find_operand(m, r)])
      add_load(m, find_operand(m, r), false);
  }
  bpi_tile_step *step = &m->tile->steps[m->tile->n_steps];
  const bpi_node *v = &d->h->nodes[ins->head];
  bool kernel = ins->kind == BPI_DO_KERNEL;
  step->loop = ins->loop;
  step->op = v->op;
  step->n_in = (int)ins->n_in;
  bp_status status = kernel ? bpi_keep_attributes(d, v, &step->attr) : bpi_real_params(d, v, &step->params);
  for (uint32_t k = 0; k < ins->n_in; k++)
    step->in[k] = find_input(m, &d->refs[ins->in + k], kernel);
  if (!kernel)
    free_slots(m, s, elem, true);
  step->out = (bpi_tile_ref){.slot = !root->mark, .elem = elem, .step = 1};
  if (root->mark) {
    step->out.index = m->n_x + root->mark_at;
    m->y_step[root->mark_at] = (int32_t)m->tile->n_steps;
  } else {
    step->out.index = root->first = take_slot(m);
  }
  if (kernel)
    free_slots(m, s, elem, true);
  free_slots(m, s, elem, false);
  for (int k = 0; k <= step->n_in; k++)
    step->dtype[k] = (uint8_t)d->roots[k < step->n_in ? d->refs[ins->in + (uint32_t)k].root : result].dtype;
  m->tile->n_steps++;
  return status;
}

/* A sum, which stands behind the step that makes what it adds up. */
static bp_status add_sum(tile_maker *m, size_t s)
{
  bpi_draft *d = m->d;
  const bpi_ins *ins = &d->ins[m->members[s]];
  uint32_t result = d->results[ins->out];
  bpi_root *root = &d->roots[result];
  bpi_tile_step *step = &m->tile->steps[m->tile->n_steps];
  step->op = d->h->nodes[ins->head].op;
  step->n_in = 1;
  step->sum = ++m->tile->n_sums;
  step->in[0] = find_input(m, &d->refs[ins->in], 0);
  step->dtype[0] = step->dtype[1] = d->roots[result].dtype;
  step->out = (bpi_tile_ref){.elem = elem_of(d, result), .index = m->n_x + root->mark_at};
  m->y_step[root->mark_at] = -1; /* nothing is under it while others work */
  free_slots(m, s, step->out.elem, true);
  m->tile->n_steps++;
  return BP_OK;
}

static bool tile_room(tile_maker *m)
{
  bpi_draft *d = m->d;
  size_t most = 0;
  for (size_t s = 0; s < m->n_members; s++)
    most += d->ins[m->members[s]].n_in;
  m->x = bpi_arena_alloc(&d->arena, most + 1, sizeof *m->x);
  m->chain = bpi_arena_alloc(&d->arena, most + 1, sizeof *m->chain);
  m->last = bpi_arena_alloc(&d->arena, most + 1, sizeof *m->last);
  m->slot = bpi_arena_alloc(&d->arena, most + 1, sizeof *m->slot);
  m->x_step = bpi_arena_alloc(&d->arena, most + 1, sizeof *m->x_step);
  m->y = bpi_arena_alloc(&d->arena, m->n_members, sizeof *m->y);
  m->y_step = bpi_arena_alloc(&d->arena, m->n_members, sizeof *m->y_step);
  m->free_slots = bpi_arena_alloc(&d->arena, most + m->n_members + 1, sizeof *m->free_slots);
  m->tile = bpi_arena_alloc(&d->plan->arena, 1, sizeof *m->tile);
  return m->x && m->chain && m->last && m->slot && m->x_step && m->y && m->y_step && m->free_slots && m->tile;
}

static bp_status fill_when(tile_maker *m)
{
  int32_t *when = bpi_arena_alloc(&m->d->plan->arena, m->n_x + m->n_y, sizeof *when);
  if (!when)
    return bpi_nomem();
  for (uint32_t i = 0; i < m->n_x; i++)
    when[i] = m->x[i].form == BPI_FULL ? m->x_step[i] : INT32_MAX;
  for (uint32_t i = 0; i < m->n_y; i++)
    when[m->n_x + i] = m->y_step[i];
  m->tile->when = when;
  return BP_OK;
}

/* True if a step reads a result from memory. Such a one must not be stored past the caches: it would have to come back from where it went. */
static bool reads_back(const tile_maker *m)
{
  for (size_t i = 0; i < m->tile->n_steps; i++) {
    const bpi_tile_step *t = &m->tile->steps[i];
    for (int k = 0; k < t->n_in; k++) {
      bool held = t->relay.fn && t->relay.first < 0 && k != t->relay.other;
      if (!t->in[k].slot && t->in[k].index >= m->n_x && !held)
        return true;
    }
  }
  return false;
}

/* The one that stands last in the draft, apart from sums. */
static uint32_t last_member(const tile_maker *m)
{
  uint32_t last = 0;
  for (size_t s = 0; s < m->n_members; s++)
    if (!m->d->ins[m->members[s]].tail && m->members[s] > last)
      last = m->members[s];
  return last;
}

static bp_status make_tile(bpi_draft *d, uint32_t group, const uint32_t *members, size_t n_members)
{
  tile_maker m = {.d = d, .members = members, .n_members = n_members, .group = group};
  if (!tile_room(&m))
    return bpi_nomem();
  survey(&m);
  uint32_t last = last_member(&m);
  m.tile->n = d->ins[last].n;
  m.tile->tile = tile_size(&m, m.tile->n);
  m.tile->unit = m.sums ? BPI_SUM_LEAF : m.tile->tile;
  m.tile->steps = bpi_arena_alloc(&d->plan->arena, n_members + m.n_x, sizeof *m.tile->steps);
  if (!m.tile->steps)
    return bpi_nomem();
  for (uint32_t i = 0; i < m.n_x; i++)
    if (m.x[i].form == BPI_STRIDED && loads_once(&m, i))
      add_load(&m, i, true);
  bp_status s = BP_OK;
  for (size_t k = 0; k < n_members && s == BP_OK; k++)
    s = d->ins[members[k]].tail ? add_sum(&m, k) : add_step(&m, k);
  m.tile->slot_bytes = SLOT_APART + (((size_t)m.tile->tile * 8 + 63) & ~(size_t)63);
  if (s == BP_OK)
    s = fill_when(&m);
  if (s == BP_OK)
    s = bpi_find_relays(d, m.tile);
  m.tile->far = m.tile->n * (d->wide ? 8 : 4) >= FAR;
  m.tile->streams = m.tile->far && m.tile->unit % TILE_STEP == 0 && !reads_back(&m);
  uint32_t id = s == BP_OK ? bpi_ins_new(d, BPI_DO_TILE, d->ins[last].head, m.x, m.n_x, m.y, m.n_y) : 0;
  if (!id)
    return s == BP_OK ? BP_E_NOMEM : s;
  d->ins[id].n = m.tile->n;
  d->ins[id].tile = m.tile;
  d->ins[id].position = last;
  d->ins[id].group = id;
  d->ins[id].level = d->ins[last].level;
  d->ins[id].early = d->ins[last].early;
  d->ins[id].dead = m.n_y == 0;
  for (size_t k = 0; k < n_members; k++)
    d->ins[members[k]].dead = true;
  d->plan->done[BP_PASS_fuse] += (unsigned)n_members;
  return BP_OK;
}

static bool has_strided(const bpi_draft *d, const bpi_ins *ins)
{
  for (uint32_t k = 0; k < ins->n_in; k++)
    if (d->refs[ins->in + k].form == BPI_STRIDED)
      return true;
  return false;
}

/* A single instruction is as good as a program of one step, unless that has something to gather or can run at the end of a product. */
static bool worth_a_tile(const bpi_draft *d, const bpi_ins *ins)
{
  bool ends = false;
  for (uint32_t k = 0; k < ins->n_in && bpi_pass_on(d, BP_PASS_epilogue); k++)
    ends |= bpi_has_end(d, &d->ins[d->roots[d->refs[ins->in + k].root].def]);
  return ends || has_strided(d, ins);
}

/* Lists of instructions by their numbers, 0 at the end: members of each group, and the sums of what each instruction makes. */
typedef struct group_lists {
  uint32_t *first, *sums, *next, *count, *members;
  uint32_t *number; /* for bpi_order_steps */
} group_lists;

static bool list_groups(bpi_draft *d, group_lists *l)
{
  uint32_t **const lists[] = {&l->first, &l->sums, &l->next, &l->count, &l->members, &l->number};
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
    if (!(*lists[k] = bpi_arena_alloc(&d->arena, d->n_ins, sizeof(uint32_t))))
      return false;
  for (uint32_t i = (uint32_t)d->n_ins - 1; i > 0; i--) {
    if (!bpi_may_fuse(d, &d->ins[i]) && !d->ins[i].tail)
      continue;
    uint32_t g = find_group(d, i);
    uint32_t *head = d->ins[i].tail ? &l->sums[d->roots[d->refs[d->ins[i].in].root].def] : &l->first[g];
    l->next[i] = *head;
    *head = i;
    l->count[g]++;
  }
  return true;
}

static bp_status make_tiles(bpi_draft *d)
{
  group_lists l;
  size_t n = d->n_ins;
  if (!list_groups(d, &l))
    return bpi_nomem();
  uint32_t *members = l.members;
  for (uint32_t i = 1; i < n; i++) {
    if (!bpi_may_fuse(d, &d->ins[i]))
      continue;
    uint32_t g = find_group(d, i), k = 0;
    if (l.first[g] != i || (l.count[g] == 1 && !worth_a_tile(d, &d->ins[i])))
      continue;
    for (uint32_t j = i; j; j = l.next[j]) {
      members[k++] = j;
      for (uint32_t sum = l.sums[j]; sum; sum = l.next[sum])
        members[k++] = sum;
    }
    bp_status s = bpi_order_steps(d, l.number, members, k);
    if (s == BP_OK)
      s = make_tile(d, g, members, k);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

bp_status bpi_fuse(bpi_draft *d)
{
  bool any = false;
  for (uint32_t i = 1; i < d->n_ins; i++) {
    d->ins[i].position = i;
    any = any || bpi_may_fuse(d, &d->ins[i]);
  }
  if (!any || !bpi_pass_on(d, BP_PASS_fuse)) /* a graph of single numbers has nothing for this pass */
    return BP_OK;
  bp_status s = set_groups(d);
  if (s == BP_OK)
    s = add_sums(d);
  if (s != BP_OK)
    return s;
  mark_outside(d);
  return make_tiles(d);
}

/* Lowering: the schedule as a flat array of instructions, with everything copied that must outlive the graph. */
#include "plan/draft.h"
#include "kernels/cost.h"

#include <string.h>

enum { TYPE_CACHE = 256 };

typedef struct lowering {
  bpi_draft *d;
  bp_plan *p;
  const bp_type *cached[TYPE_CACHE];
  const int64_t *dims[TYPE_CACHE], *strides[TYPE_CACHE];
} lowering;

static void *keep_ints(lowering *l, const int64_t *v, int n)
{
  int64_t *kept = bpi_arena_alloc(&l->p->arena, (size_t)n + 1, sizeof *kept);
  if (kept && n)
    memcpy(kept, v, (size_t)n * sizeof *kept);
  return kept;
}

/* Dims and row-major strides of a type; types are shared between nodes, and so are these. */
static bool keep_type_dims(lowering *l, const bp_type *t, size_t *slot)
{
  *slot = ((uintptr_t)t >> 4) % TYPE_CACHE;
  if (l->cached[*slot] == t)
    return true;
  int64_t strides[BP_MAX_RANK];
  bpi_strides(t->rank, t->dims, strides);
  l->cached[*slot] = t;
  l->dims[*slot] = keep_ints(l, t->dims, t->rank);
  l->strides[*slot] = keep_ints(l, strides, t->rank);
  if (l->dims[*slot] && l->strides[*slot])
    return true;
  l->cached[*slot] = NULL;
  return false;
}

/* ---- constants ---- */

static void lay_constant(bpi_draft *d, uint32_t root)
{
  bpi_root *r = &d->roots[root];
  if (r->segment != BPI_CONSTANTS || r->mark == UINT32_MAX)
    return;
  size_t align = r->bytes >= 64 ? 64 : 8;
  r->mark = UINT32_MAX;
  r->offset = (d->plan->constants_bytes + align - 1) & ~(align - 1);
  d->plan->constants_bytes = r->offset + r->bytes;
}

static bp_status lay_constants(bpi_draft *d)
{
  bp_plan *p = d->plan;
  for (size_t i = 0; i < d->n_roots; i++)
    d->roots[i].mark = 0;
  for (size_t i = 0; i < d->n_order; i++)
    for (uint32_t k = 0; k < d->ins[d->order[i]].n_in; k++)
      lay_constant(d, d->refs[d->ins[d->order[i]].in + k].root);
  for (size_t i = 0; i < d->o->n_outputs; i++)
    lay_constant(d, d->outputs[i].root);
  p->constants = bpi_alloc_aligned(d->ctx, p->constants_bytes + 1);
  if (!p->constants)
    return bpi_nomem();
  memset(p->constants, 0, p->constants_bytes + 1);
  for (size_t i = 1; i < d->n_roots; i++)
    if (d->roots[i].mark == UINT32_MAX && d->roots[i].bytes)
      memcpy(p->constants + d->roots[i].offset, d->roots[i].data, d->roots[i].bytes);
  return BP_OK;
}

/* ---- operands ---- */

static bp_status lower_ref(lowering *l, const bpi_ref *r, bpi_operand *out)
{
  const bpi_draft *d = l->d;
  uint32_t root = r->root;
  size_t slot, at = (size_t)r->offset * bp_dtype_size((bp_dtype)d->roots[root].dtype);
  if (!keep_type_dims(l, r->type, &slot))
    return bpi_nomem();
  while (d->roots[root].parent) {
    at += d->roots[root].parent_offset;
    root = d->roots[root].parent;
  }
  const bpi_root *top = &d->roots[root];
  at += top->offset;
  *out = (bpi_operand){.segment = top->segment,
                       .dtype = d->roots[r->root].dtype,
                       .rank = (uint8_t)r->type->rank,
                       .contiguous = r->form == BPI_FULL,
                       .index = top->index,
                       .value = r->root,
                       .offset = at,
                       .size = bpi_type_size(r->type),
                       .dims = l->dims[slot],
                       .strides = l->strides[slot]};
  if (r->form == BPI_FULL)
    return BP_OK;
  int64_t room[BP_MAX_RANK];
  out->strides = keep_ints(l, bpi_ref_strides(r, room), r->type->rank);
  return out->strides ? BP_OK : bpi_nomem();
}

/* A room as a row of elements, where no node gives it a shape. */
static bp_status lower_room(lowering *l, uint32_t root, bpi_operand *out)
{
  bp_type flat = {.dtype = BP_BOOL, .rank = 1, .dims = {l->d->roots[root].size}};
  bpi_ref r = bpi_full_ref(root, &flat);
  bp_status s = lower_ref(l, &r, out);
  for (size_t i = 0; i < TYPE_CACHE; i++)
    if (l->cached[i] == &flat)
      l->cached[i] = NULL;
  return s;
}

/* A result that is not stored: where a kernel hands it over region by region, it still wants to know the shape. */
static bp_status lower_absent(lowering *l, const bp_type *t, bpi_operand *out)
{
  size_t slot;
  *out = (bpi_operand){.size = -1};
  if (!t)
    return BP_OK;
  if (!keep_type_dims(l, t, &slot))
    return bpi_nomem();
  out->dtype = (uint8_t)bpi_storage(t->dtype, l->p->real);
  out->rank = (uint8_t)t->rank;
  out->dims = l->dims[slot];
  out->strides = l->strides[slot];
  return BP_OK;
}

/* The type of a result is that of its node where it has one. */
static bp_status lower_result(lowering *l, const bpi_ins *ins, uint32_t k, bpi_operand *out)
{
  bpi_draft *d = l->d;
  uint32_t root = d->results[ins->out + k];
  const bpi_node *v = &d->h->nodes[ins->head];
  const bp_type *t = k < v->n_out ? v[k].type : NULL;
  if (!root)
    return lower_absent(l, t, out);
  if (ins->kind == BPI_DO_TILE || !t || bpi_type_size(t) != d->roots[root].size)
    return lower_room(l, root, out);
  bpi_ref r = bpi_full_ref(root, t);
  return lower_ref(l, &r, out);
}

static bp_status lower_operands(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bpi_draft *d = l->d;
  bpi_operand *x = bpi_arena_alloc(&l->p->arena, (size_t)ins->n_in + ins->n_out + 1, sizeof *x);
  bp_status s = x ? BP_OK : bpi_nomem();
  for (uint32_t k = 0; k < ins->n_in && s == BP_OK; k++)
    s = lower_ref(l, &d->refs[ins->in + k], &x[k]);
  for (uint32_t k = 0; k < ins->n_out && s == BP_OK; k++)
    s = lower_result(l, ins, k, &x[ins->n_in + k]);
  out->x = x;
  out->n_in = ins->n_in;
  out->n_out = ins->n_out;
  return s;
}

/* ---- each kind ---- */

/* Threads that so much work is worth. */
static void share_out(const bpi_draft *d, bpi_instr *out, double ns)
{
  double worth = ns / (double)d->tuning.split_ns;
  d->plan->ns += ns;
  int64_t most = bp_ctx_threads(d->ctx) < out->units ? bp_ctx_threads(d->ctx) : out->units;
  int64_t t = worth < 2 ? 1 : worth < (double)most ? (int64_t)worth : most;
  out->threads = (uint16_t)(t < 1 ? 1 : t);
}

static bp_status lower_loop(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bpi_draft *d = l->d;
  int64_t *step = bpi_arena_alloc(&l->p->arena, BPI_MAX_BODY_IN, sizeof *step);
  if (!step)
    return bpi_nomem();
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    bool wrong = bpi_faulty(d, BPI_FAULT_splat_stride) && r->offset + ins->n <= d->roots[r->root].size;
    step[k] = r->form == BPI_FULL || wrong;
  }
  out->loop = ins->loop;
  out->step = step;
  out->units = (ins->n + d->tuning.tile - 1) / d->tuning.tile;
  share_out(d, out, (double)ins->n * BPI_NS_ELEMENT);
  return bpi_real_params(d, &d->h->nodes[ins->head], &out->params);
}

static bp_status lower_tile(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  const bpi_tile *t = ins->tile;
  out->tile = t;
  out->units = bpi_faulty(l->d, BPI_FAULT_tile_rest) && t->n > t->unit ? t->n / t->unit
                                                                       : (t->n + t->unit - 1) / t->unit;
  out->scratch = t->n_slots * t->slot_bytes + t->n_sums * bpi_lanes_bytes(t) +
                 t->n_sums * (size_t)out->units * (t->wide ? 8 : 4);
  share_out(l->d, out, (double)t->n * (double)t->n_steps * BPI_NS_ELEMENT);
  return BP_OK;
}

static bp_status lower_copy(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bool plain = l->d->refs[ins->in].form == BPI_FULL;
  out->units = (ins->n + l->d->tuning.tile - 1) / l->d->tuning.tile;
  share_out(l->d, out, (double)ins->n * (plain ? BPI_NS_ELEMENT : BPI_NS_MOVE));
  return BP_OK;
}

static bp_status lower_kernel(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bpi_draft *d = l->d;
  double ns = 0;
  bp_kernel_call *c = bpi_dry_call(d, ins);
  if (!c)
    return BP_E_NOMEM;
  out->units = out->op->units ? out->op->units(c, &ns) : 1;
  out->scratch = out->op->scratch ? out->op->scratch(c) : 0;
  ns *= (double)out->units;
  if (ins->tile) {
    /* Regions that are no whole rows are gathered first: then every operand has a slot, too. */
    out->tile = ins->tile;
    out->n_row = ins->n_row;
    out->end_slots = (out->scratch + 63) & ~(size_t)63;
    out->scratch = out->end_slots + (ins->tile->n_slots + ins->n_in + ins->n_out) * ins->tile->slot_bytes;
    ns += (double)ins->tile->n * (double)ins->tile->n_steps * BPI_NS_ELEMENT;
  }
  share_out(d, out, ns);
  return bpi_keep_attributes(d, &d->h->nodes[ins->head], &out->attr);
}

static bp_status lower_scan(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  const bpi_scan *scan = ins->scan;
  out->scan = scan;
  out->units = scan->lanes > 1 ? scan->length : 1;
  out->scratch = scan->body->scratch_bytes;
  share_out(l->d, out, scan->body->ns * (double)scan->length);
  return BP_OK;
}

static bp_status lower_guard(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bpi_draft *d = l->d;
  uint32_t *guards = bpi_arena_alloc(&l->p->arena, ins->n_in, sizeof *guards);
  if (!guards)
    return bpi_nomem();
  for (uint32_t k = 0; k < ins->n_in; k++)
    guards[k] = d->o->guards[k].index;
  out->guards = guards;
  out->op = NULL;
  out->n = 0;
  for (uint32_t k = 0; k < ins->n_in; k++)
    out->n += bpi_guarded(&out->x[k]);
  out->units = 1 + out->n / d->tuning.tile;
  share_out(d, out, (double)out->n * BPI_NS_SUM);
  return BP_OK;
}

static bp_status lower_one(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  static bp_status (*const by_kind[])(lowering *, const bpi_ins *, bpi_instr *) = {
      [BPI_DO_LOOP] = lower_loop,  [BPI_DO_TILE] = lower_tile, [BPI_DO_KERNEL] = lower_kernel,
      [BPI_DO_COPY] = lower_copy,  [BPI_DO_SCAN] = lower_scan, [BPI_DO_GUARD] = lower_guard,
      [BPI_DO_COMMIT] = lower_copy};
  bpi_draft *d = l->d;
  *out = (bpi_instr){.kind = ins->kind,
                     .may_fail = ins->may_fail,
                     .threads = 1,
                     .op = d->h->nodes[ins->head].op,
                     .n = ins->n,
                     .source = d->origin[ins->head]};
  if (ins->kind == BPI_DO_TILE)
    out->op = NULL;
  bp_status s = lower_operands(l, ins, out);
  if (s == BP_OK)
    s = by_kind[ins->kind](l, ins, out);
  l->p->scratch_bytes = out->scratch > l->p->scratch_bytes ? out->scratch : l->p->scratch_bytes;
  return s;
}

/* Parts that were not computed in their place are copied there. */
static bp_status lower_join(lowering *l, const bpi_ins *ins, bpi_instr *out, size_t *n)
{
  bpi_draft *d = l->d;
  uint32_t into = d->results[ins->out];
  size_t at = 0, elem = bp_dtype_size((bp_dtype)d->roots[into].dtype);
  bpi_operand whole;
  bp_status s = lower_room(l, into, &whole);
  *n = 0;
  for (uint32_t k = 0; k < ins->n_in && s == BP_OK; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    const bpi_root *root = &d->roots[r->root];
    int64_t size = bpi_type_size(r->type);
    bool there = r->form == BPI_FULL && root->parent == into &&
                 (root->parent_offset == at || bpi_faulty(d, BPI_FAULT_join_offset));
    if (size && !there) {
      bpi_operand *x = bpi_arena_alloc(&l->p->arena, 2, sizeof *x);
      s = x ? lower_ref(l, r, &x[0]) : bpi_nomem();
      bpi_instr *i = &out[(*n)++];
      *i = (bpi_instr){.kind = BPI_DO_COPY,
                       .threads = 1,
                       .n_in = 1,
                       .n_out = 1,
                       .x = x,
                       .op = d->h->nodes[ins->head].op,
                       .n = size,
                       .units = (size + d->tuning.tile - 1) / d->tuning.tile,
                       .source = d->origin[ins->head]};
      if (x) {
        x[1] = whole;
        x[1].offset += at;
        x[1].size = size;
        x[1].dims = keep_ints(l, &size, 1);
        s = s == BP_OK && !x[1].dims ? bpi_nomem() : s;
      }
    }
    at += (size_t)size * elem;
  }
  return s;
}

/* A commit's result is its entry. */
static bp_status commit_target(lowering *l, const bpi_ins *ins, bpi_instr *out)
{
  bpi_draft *d = l->d;
  bpi_operand *x = bpi_arena_alloc(&l->p->arena, 2, sizeof *x);
  if (!x)
    return bpi_nomem();
  x[0] = out->x[0];
  out->x = x;
  out->n_out = 1;
  const bpi_draft_update *u = &d->updates[ins->group];
  bpi_ref r = bpi_full_ref(u->root, d->refs[ins->in].type);
  r.offset = u->at;
  return lower_ref(l, &r, &x[1]);
}

/* ---- programs over single elements ---- */

/* Where a single element lies in the block. */
static uint32_t element_at(const bpi_draft *d, uint32_t root, int64_t offset)
{
  size_t at = (size_t)offset * bp_dtype_size((bp_dtype)d->roots[root].dtype);
  for (; d->roots[root].parent; root = d->roots[root].parent)
    at += d->roots[root].parent_offset;
  return (uint32_t)(at + d->roots[root].offset);
}

/* Rooms of a program over positions [begin, end). */
static bp_status program_room(lowering *l, size_t begin, size_t end, bpi_scalars *p, bpi_instr *out)
{
  const bpi_draft *d = l->d;
  size_t words = 0;
  for (size_t i = begin; i < end; i++) {
    words += (i == begin || d->run[i] != d->run[i - 1]) + d->ins[d->order[i]].n_in + (size_t)1;
    out->n_in += d->ins[d->order[i]].kind == BPI_DO_COPY;
  }
  uint32_t *code = bpi_arena_alloc(&l->p->arena, words, sizeof *code);
  uint32_t *values = bpi_arena_alloc(&l->p->arena, words, sizeof *values);
  uint32_t *source = bpi_arena_alloc(&l->p->arena, end - begin, sizeof *source);
  bpi_operand *x = bpi_arena_alloc(&l->p->arena, out->n_in + (size_t)1, sizeof *x);
  if (!code || !values || !source || !x)
    return bpi_nomem();
  *p = (bpi_scalars){
      .steps = l->p->scalar_steps, .code = code, .end = code + words, .values = values, .source = source};
  out->scalars = p;
  out->x = x;
  return BP_OK;
}

/* The rows of one instruction: offsets of its operands, and which values these are. Of what is taken in, the operand's number. */
static bp_status lower_row(lowering *l, const bpi_ins *ins, uint32_t *code, uint32_t *values, bpi_operand *x,
                           uint32_t *n_x)
{
  const bpi_draft *d = l->d;
  bp_status s = BP_OK;
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    values[k] = r->root;
    code[k] = ins->kind == BPI_DO_COPY ? *n_x : element_at(d, r->root, r->offset);
  }
  if (ins->kind == BPI_DO_COPY) {
    bpi_ref r = d->refs[ins->in];
    r.offset += bpi_faulty(d, BPI_FAULT_run_one_off) && r.offset + 1 < d->roots[r.root].size;
    s = lower_ref(l, &r, &x[(*n_x)++]);
  }
  values[ins->n_in] = d->results[ins->out];
  code[ins->n_in] = element_at(d, d->results[ins->out], 0);
  return s;
}

static bp_status lower_program(lowering *l, size_t begin, size_t end, bpi_instr *out)
{
  const bpi_draft *d = l->d;
  bpi_scalars *p = bpi_arena_alloc(&l->p->arena, 1, sizeof *p);
  const bpi_ins *first = &d->ins[d->order[begin]];
  *out = (bpi_instr){.kind = BPI_DO_SCALARS,
                     .threads = 1,
                     .n = (int64_t)(end - begin),
                     .units = 1,
                     .source = d->origin[first->head]};
  bp_status s = p ? program_room(l, begin, end, p, out) : bpi_nomem();
  if (s != BP_OK)
    return s;
  uint32_t *code = (uint32_t *)p->code, *values = (uint32_t *)p->values, *source = (uint32_t *)p->source,
           *word = code, n_x = 0;
  size_t w = 0;
  for (size_t i = begin; i < end && s == BP_OK; i++) {
    const bpi_ins *ins = &d->ins[d->order[i]];
    if (i == begin || d->run[i] != d->run[i - 1]) {
      word = &code[w++];
      *word = d->step[i] << BPI_RUN_BITS;
    }
    ++*word;
    s = lower_row(l, ins, &code[w], &values[w], (bpi_operand *)out->x, &n_x);
    w += ins->n_in + (size_t)1;
    source[i - begin] = d->origin[ins->head];
  }
  return s;
}

static bp_status keep_steps(lowering *l)
{
  const bpi_draft *d = l->d;
  bpi_scalar_step *steps = bpi_arena_alloc(&l->p->arena, d->n_steps + 1, sizeof *steps);
  if (!steps)
    return bpi_nomem();
  if (d->n_steps)
    memcpy(steps, d->steps, d->n_steps * sizeof *steps);
  l->p->scalar_steps = steps;
  return BP_OK;
}

/* One behind the last position of the program that begins here; offsets of 32 bits must be enough for it. */
static size_t program_end(const bpi_draft *d, size_t begin)
{
  size_t end = begin;
  while (d->run && d->plan->block_bytes <= UINT32_MAX && end < d->n_order && d->run[end])
    end++;
  return end;
}

/* ---- all instructions ---- */

static size_t count_instrs(const bpi_draft *d)
{
  size_t n = 0;
  for (size_t i = 0; i < d->n_order; i++) {
    const bpi_ins *ins = &d->ins[d->order[i]];
    size_t end = program_end(d, i);
    n += ins->kind == BPI_DO_JOIN ? ins->n_in : 1;
    i = end > i ? end - 1 : i;
  }
  return n;
}

static bp_status lower_instrs(lowering *l)
{
  bpi_draft *d = l->d;
  bp_plan *p = l->p;
  bp_status s = BP_OK;
  p->instrs = bpi_arena_alloc(&p->arena, count_instrs(d) + 1, sizeof *p->instrs);
  if (!p->instrs || keep_steps(l) != BP_OK)
    return bpi_nomem();
  for (size_t i = 0; i < d->n_updates; i++)
    d->ins[d->updates[i].ins].group = (uint32_t)i;
  for (size_t i = 0; i < d->n_order && s == BP_OK; i++) {
    const bpi_ins *ins = &d->ins[d->order[i]];
    size_t n = 1;
    if (i == d->first_commit)
      p->first_commit = p->n_instrs;
    size_t end = program_end(d, i);
    if (end > i) {
      s = lower_program(l, i, end, &p->instrs[p->n_instrs]);
      i = end - 1;
    } else if (ins->kind == BPI_DO_JOIN)
      s = lower_join(l, ins, &p->instrs[p->n_instrs], &n);
    else
      s = lower_one(l, ins, &p->instrs[p->n_instrs]);
    if (s == BP_OK && ins->kind == BPI_DO_COMMIT)
      s = commit_target(l, ins, &p->instrs[p->n_instrs]);
    p->n_instrs += n;
  }
  if (d->first_commit >= d->n_order)
    p->first_commit = p->n_instrs;
  return s;
}

/* ---- the rest ---- */

static bp_status lower_outputs(lowering *l)
{
  bpi_draft *d = l->d;
  bp_plan *p = l->p;
  size_t n = d->o->n_outputs;
  bp_status s = BP_OK;
  p->outputs = bpi_arena_alloc(&p->arena, n + 1, sizeof *p->outputs);
  p->output_types = bpi_arena_alloc(&p->arena, n + 1, sizeof *p->output_types);
  if (!p->outputs || !p->output_types)
    return bpi_nomem();
  p->n_outputs = n;
  for (size_t i = 0; i < n && s == BP_OK; i++) {
    s = lower_ref(l, &d->outputs[i], &p->outputs[i]);
    p->output_types[i] = *d->outputs[i].type;
    p->output_types[i].dtype = bpi_storage(p->output_types[i].dtype, p->real);
  }
  return s;
}

static bp_status lower_tables(lowering *l)
{
  bpi_draft *d = l->d;
  bp_plan *p = l->p;
  p->entries = bpi_arena_alloc(&p->arena, d->n_entry_root + 1, sizeof *p->entries);
  p->parent = bpi_arena_alloc(&p->arena, d->n_roots, sizeof *p->parent);
  if (!p->entries || !p->parent)
    return bpi_nomem();
  for (uint32_t i = 0; i < d->n_entry_root; i++)
    if (d->entry_root[i])
      p->entries[p->n_entries++] = (bpi_plan_entry){i, *d->entry_type[i]};
  for (size_t i = 0; i < d->n_roots; i++)
    p->parent[i] = d->roots[i].parent;
  p->n_values = (uint32_t)d->n_roots;
  return BP_OK;
}

bp_status bpi_lower(bpi_draft *d)
{
  lowering *l = bpi_arena_alloc(&d->arena, 1, sizeof *l);
  if (!l)
    return bpi_nomem();
  l->d = d;
  l->p = d->plan;
  bp_status s = lay_constants(d);
  if (s == BP_OK)
    s = lower_instrs(l);
  if (s == BP_OK)
    s = lower_outputs(l);
  if (s == BP_OK)
    s = lower_tables(l);
  return s == BP_OK ? bpi_keep_sources(d) : s;
}

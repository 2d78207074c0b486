/* Binding: operands become addresses, once, when a run is made. */
#include "run/run.h"

typedef struct binder {
  bpi_frame *f;
  bpi_arena *arena;
  uint32_t *filled; /* patches of each input so far */
  bp_state *state;
} binder;

/* Arrays of no elements need an address too; nobody reads through it. */
static const char nothing[64];

static void *address_of(const binder *b, const bpi_operand *x)
{
  const bpi_frame *f = b->f;
  if (x->size < 0)
    return NULL;
  switch ((bpi_segment)x->segment) {
  case BPI_BLOCK:
    return f->block + x->offset;
  case BPI_CONSTANTS:
    return f->plan->constants + x->offset;
  case BPI_STATE:
    return (char *)b->state->entries[x->index].data + x->offset;
  case BPI_INPUT:
    break;
  }
  return (void *)nothing;
}

/* Puts an operand's address into a slot, and remembers the slot of an input. */
static void place_address(binder *b, const bpi_operand *x, const void **slot)
{
  *slot = address_of(b, x);
  if (x->size >= 0 && x->segment == BPI_INPUT)
    b->f->patches[b->f->patch_first[x->index] + b->filled[x->index]++] = (bpi_patch){slot, x->offset};
}

/* A kernel with a tile program at its end has its operands as arrays and as addresses. */
static bool ended(const bpi_instr *i)
{
  return i->kind == BPI_DO_KERNEL && i->tile;
}

/* How many slots each input has: one an operand, and one an output that shows it. */
static bp_status count_patches(binder *b)
{
  bpi_frame *f = b->f;
  const bp_plan *p = f->plan;
  f->patch_first = bpi_arena_alloc(b->arena, p->n_inputs + 1, sizeof *f->patch_first);
  b->filled = bpi_arena_alloc(b->arena, p->n_inputs + 1, sizeof *b->filled);
  if (!f->patch_first || !b->filled)
    return bpi_nomem();
  for (size_t i = 0; i < p->n_instrs; i++)
    for (uint32_t k = 0; k < p->instrs[i].n_in; k++)
      if (p->instrs[i].x[k].segment == BPI_INPUT)
        f->patch_first[p->instrs[i].x[k].index + 1] += ended(&p->instrs[i]) ? 2 : 1;
  for (size_t i = 0; i < p->n_outputs; i++)
    if (p->outputs[i].segment == BPI_INPUT)
      f->patch_first[p->outputs[i].index + 1]++;
  for (size_t i = 0; i < p->n_inputs; i++)
    f->patch_first[i + 1] += f->patch_first[i];
  f->patches = bpi_arena_alloc(b->arena, f->patch_first[p->n_inputs] + (size_t)1, sizeof *f->patches);
  return f->patches ? BP_OK : bpi_nomem();
}

static bp_status bind_loop(binder *b, bpi_step *s)
{
  const bpi_instr *i = s->instr;
  s->n = i->n;
  s->step = i->step;
  s->params = i->params;
  for (uint32_t k = 0; k < i->n_in; k++)
    place_address(b, &i->x[k], &s->x[k]);
  s->y = address_of(b, &i->x[i->n_in]);
  s->loop = i->threads == 1 ? i->loop : NULL;
  return BP_OK;
}

static bp_status bind_addresses(binder *b, bpi_step *s)
{
  const bpi_instr *i = s->instr;
  size_t n = (size_t)i->n_in + i->n_out;
  s->at = bpi_arena_alloc(b->arena, n + 1, sizeof *s->at);
  if (!s->at)
    return bpi_nomem();
  for (size_t k = 0; k < n; k++)
    place_address(b, &i->x[k], (const void **)&s->at[k]);
  return BP_OK;
}

/* What a kernel of one thread is called with at its end. */
static bp_status bind_ending(binder *b, bpi_step *s)
{
  bpi_end *end = bpi_arena_alloc(b->arena, 1, sizeof *end);
  s->ending = bpi_arena_alloc(b->arena, 1, sizeof *s->ending);
  if (!end || !s->ending)
    return bpi_nomem();
  *s->ending = (bpi_ending){s, b->f->scratch + s->instr->end_slots};
  *end = (bpi_end){.fn = bpi_run_ending, .arg = s->ending};
  s->call->finish = end;
  return bind_addresses(b, s);
}

/* A small product without an end is a loop. */
static bp_status find_loop(binder *b, bpi_step *s)
{
  const bpi_instr *i = s->instr;
  const bpi_kernels *k = b->f->plan->kernels;
  bpi_gemm g = {0};
  const int wide = i->x[i->n_in].dtype == BP_FLOAT64;
  if (i->threads > 1 || ended(i) || !k->gemm_loop[wide] || !i->op->product || !i->op->product(s->call, &g))
    return BP_OK;
  bpi_small *small = bpi_arena_alloc(b->arena, 1, sizeof *small);
  if (!small)
    return bpi_nomem();
  s->loop = k->gemm_loop[wide](&g, small);
  s->step = (const int64_t *)small;
  return BP_OK;
}

static bp_status bind_kernel(binder *b, bpi_step *s)
{
  const bpi_instr *i = s->instr;
  size_t n = (size_t)i->n_in + i->n_out;
  bp_kernel_call *c = bpi_arena_alloc(b->arena, 1, sizeof *c);
  bp_array *a = bpi_arena_alloc(b->arena, n + 1, sizeof *a);
  if (!c || !a)
    return bpi_nomem();
  for (size_t k = 0; k < n; k++) {
    const bpi_operand *x = &i->x[k];
    a[k] = (bp_array){NULL, x->dims, x->strides, x->size, (bp_dtype)x->dtype, x->rank};
  }
  *c = (bp_kernel_call){.in = a,
                        .out = a + i->n_in,
                        .attr = i->attr,
                        .vec = b->f->plan->kernels,
                        .end = i->units,
                        .n_in = (int)(ended(i) ? i->n_row : i->n_in),
                        .n_out = (int)(ended(i) ? 1 : i->n_out),
                        .fail_at = -1,
                        .scratch = b->f->scratch,
                        .kept = bpi_arena_alloc(b->arena, BP_KERNEL_KEPT, 1)};
  if (!c->kept)
    return bpi_nomem();
  s->call = c;
  bp_status status = find_loop(b, s);
  for (size_t k = 0; k < n; k++)
    place_address(b, &i->x[k],
                  !s->loop      ? (const void **)&a[k].data
                  : k < i->n_in ? &s->x[k]
                                : (const void **)&s->y);
  return status == BP_OK && ended(i) ? bind_ending(b, s) : status;
}

/* The body's blocks are the last result; its inputs are bound step by step. */
static bp_status bind_scan(binder *b, bpi_step *s)
{
  bp_status status = bind_addresses(b, s);
  const bpi_instr *i = s->instr;
  if (status == BP_OK && !(s->body = bpi_arena_alloc(b->arena, i->threads, sizeof *s->body)))
    status = bpi_nomem();
  char *blocks = status == BP_OK ? s->at[i->n_in + i->n_out - 1] : NULL;
  for (int k = 0; k < i->threads && status == BP_OK; k++)
    status = bpi_frame_init(&s->body[k], b->f->run, i->scan->body, blocks + (size_t)k * i->scan->apart,
                            b->f->scratch + (size_t)k * b->f->run->scratch_stride);
  return status;
}

static bp_status bind_step(binder *b, bpi_step *s, const bpi_instr *i)
{
  *s = (bpi_step){.instr = i, .frame = b->f, .run = bpi_step_fn_for(i)};
  switch ((bpi_kind)i->kind) {
  case BPI_DO_LOOP:
    return bind_loop(b, s);
  case BPI_DO_KERNEL:
    return bind_kernel(b, s);
  case BPI_DO_SCAN:
    return bind_scan(b, s);
  default:
    return bind_addresses(b, s);
  }
}

bp_status bpi_frame_init(bpi_frame *f, bp_run *run, const bp_plan *plan, char *block, char *scratch)
{
  binder b = {.f = f, .arena = &run->arena, .state = run->state};
  *f = (bpi_frame){.plan = plan, .run = run, .block = block, .scratch = scratch};
  f->steps = bpi_arena_alloc(b.arena, plan->n_instrs + 1, sizeof *f->steps);
  f->inputs = bpi_arena_alloc(b.arena, plan->n_inputs + 1, sizeof *f->inputs);
  f->outputs = bpi_arena_alloc(b.arena, plan->n_outputs + 1, sizeof *f->outputs);
  if (!f->steps || !f->inputs || !f->outputs)
    return bpi_nomem();
  bp_status s = count_patches(&b);
  for (size_t i = 0; i < plan->n_instrs && s == BP_OK; i++)
    s = bind_step(&b, &f->steps[i], &plan->instrs[i]);
  for (size_t i = 0; i < plan->n_outputs && s == BP_OK; i++)
    place_address(&b, &plan->outputs[i], &f->outputs[i]);
  return s;
}

void bpi_frame_bind(bpi_frame *f, size_t input, const void *data)
{
  const char *base = data ? data : nothing;
  f->inputs[input] = base;
  for (uint32_t k = f->patch_first[input]; k < f->patch_first[input + 1]; k++)
    *f->patches[k].slot = base + f->patches[k].offset;
}

/* Blocks: where operations follow one another that treat the entries of a batch apart, as the layers for images do, the batch goes through all
 * of them block by block: what lies between is then as small as one block and stays in the cache, and threads share out the blocks. It
 * is a loop over blocks, of a function with these operations, so nothing behind this stage knows of it.
 *
 * A chain is worth it if what lies between is larger than the caches and at least two kernels are in it: elementwise operations run at the
 * end of kernels anyway. Blocks are equal, so a batch is cut only if one of its divisors gives a block of a good size. */
#include "plan/draft.h"

#include <stdio.h>

enum { MOST_MEMBERS = 64 };

typedef struct blocker {
  bpi_draft *d;
  uint32_t *readers; /* of each slot: how many, and 2 for what is wanted */
} blocker;

static size_t bytes_of(const bpi_draft *d, const bp_type *t)
{
  return (size_t)bpi_type_size(t) * bp_dtype_size(bpi_storage(t->dtype, d->plan->real));
}

/* The input whose first axis is the batch, others being the same for all entries; -1: none. */
static int batched_input(const bp_graph *h, const bpi_node *v)
{
  int found = -1;
  if (v->n_out != 1 || v->n_in < 1 || v->type->rank < 1)
    return -1;
  if (v->op->traits & BP_APART)
    found = 0;
  for (int k = 0; k < v->n_in && (v->op->traits & BP_ELEMENTWISE); k++) {
    if (h->nodes[v->in[k]].type->rank == 0)
      continue;
    if (found >= 0)
      return -1;
    found = k;
  }
  return found >= 0 && h->nodes[v->in[found]].type->dims[0] == v->type->dims[0] ? found : -1;
}

static bool count_readers(blocker *b)
{
  bpi_draft *d = b->d;
  b->readers = bpi_arena_alloc(&d->arena, d->h->count, sizeof *b->readers);
  if (!b->readers)
    return false;
  for (size_t i = 0; i < d->n_wanted; i++)
    b->readers[d->wanted[i].index] += 2;
  for (uint32_t i = 1; i < d->h->count; i++)
    for (int k = 0; k < d->h->nodes[i].n_in && (d->need[i] & 1); k++)
      b->readers[d->h->nodes[i].in[k]]++;
  return true;
}

/* ---- how large a block is ---- */

/* The largest divisor of the batch that is no more than `most`. */
static int64_t divisor(int64_t batch, int64_t most)
{
  int64_t k = most < batch ? most : batch;
  while (batch % k)
    k--;
  return k;
}

/* between: bytes of what lies between, of the whole batch. 0: it is not cut. */
static int64_t block_of(const bpi_draft *d, int64_t batch, size_t between)
{
  const size_t block = (size_t)d->tuning.block, each = between / (size_t)batch;
  if (between <= 2 * block || each == 0)
    return 0;
  const int64_t k = divisor(batch, each < block ? (int64_t)(block / each) : 1);
  return k < batch && (size_t)k * each >= block / 8 ? k : 0;
}

/* The member before slot i in its chain, or 0. */
static uint32_t before(const blocker *b, uint32_t i)
{
  const bp_graph *h = b->d->h;
  const int k = batched_input(h, &h->nodes[i]);
  const uint32_t x = k < 0 ? 0 : h->nodes[i].in[k];
  return x && b->readers[x] == 1 && batched_input(h, &h->nodes[x]) >= 0 ? x : 0;
}

/* Walks a chain from its end and notes it there, where it is worth it. */
static bool note_chain(const blocker *b, uint32_t tail, bpi_blocks *found)
{
  const bpi_draft *d = b->d;
  size_t between = 0;
  int kernels = 0, members = 0;
  uint32_t first = tail;
  for (uint32_t i = tail; i && members < MOST_MEMBERS; i = before(b, i), members++) {
    const bpi_node *v = &d->h->nodes[i];
    const bool kernel = v->op->traits & BP_APART;
    kernels += kernel;
    between += kernel && i != tail ? bytes_of(d, v->type) : 0;
    first = i;
  }
  const int64_t batch = d->h->nodes[tail].type->dims[0];
  if (kernels < 2 || batch < 2 || d->h->nodes[first].type->rank >= BP_MAX_RANK)
    return false;
  found->size[tail] = block_of(d, batch, between);
  found->members[tail] = (uint8_t)members;
  return found->size[tail] > 0;
}

/* Most graphs have nothing of the kind. */
static bool has_chains(const bp_graph *h)
{
  int kernels = 0;
  for (uint32_t i = 1; i < h->count && kernels < 2; i++)
    kernels += h->nodes[i].op && (h->nodes[i].op->traits & BP_APART);
  return kernels > 1;
}

bp_status bpi_find_blocks(bpi_draft *d, bpi_blocks *found, bool *any)
{
  blocker b = {.d = d};
  *any = false;
  if (!bpi_pass_on(d, BP_PASS_blocks) || !has_chains(d->h))
    return BP_OK;
  found->size = bpi_arena_alloc(&d->arena, d->h->count, sizeof *found->size);
  found->members = bpi_arena_alloc(&d->arena, d->h->count, 1);
  uint8_t *inner = bpi_arena_alloc(&d->arena, d->h->count, 1);
  if (!found->size || !found->members || !inner || !count_readers(&b))
    return bpi_nomem();
  for (uint32_t i = (uint32_t)d->h->count - 1; i > 0; i--) {
    if (!(d->need[i] & 1) || inner[i] || !before(&b, i))
      continue;
    *any = note_chain(&b, i, found) || *any;
    for (uint32_t k = before(&b, i); k; k = before(&b, k))
      inner[k] = 1;
  }
  return BP_OK;
}

/* ---- the loop ---- */

typedef struct block_fn {
  const bp_graph *from;
  bp_graph *to, *body;
  const uint32_t *map;
  int64_t size;
  bp_node params[4 * MOST_MEMBERS]; /* of the function: the block, then what is the same for all */
  bp_node args[4 * MOST_MEMBERS];   /* what they are outside */
  size_t n;
} block_fn;

/* Constants are made anew in the body, which is the simpler for it. */
static bp_node parameter(block_fn *f, uint32_t slot, bool batched)
{
  const bpi_node *v = &f->from->nodes[slot];
  bp_node made = BP_NO_NODE;
  if (v->op->traits & BP_CONSTANT && !batched) {
    bp_apply(f->body, v->op, NULL, 0, v->attr, &made);
    return made;
  }
  bp_type t = *v->type;
  char name[16];
  if (batched)
    t.dims[0] = f->size;
  if (f->n == sizeof f->params / sizeof *f->params)
    return BP_NO_NODE;
  snprintf(name, sizeof name, "x%zu", f->n);
  f->args[f->n] = bpi_handle(f->to, f->map[slot]);
  return f->params[f->n++] = bp_input(f->body, name, t.dtype, t.rank, t.dims);
}

/* A member of the chain in the body; x: what goes through. */
static bp_status add_member(block_fn *f, uint32_t slot, bp_node *x)
{
  const bpi_node *v = &f->from->nodes[slot];
  const int batched = batched_input(f->from, v);
  bp_node in[BPI_MAX_BODY_IN] = {{0}}, out[BP_MAX_RESULTS];
  if (v->n_in > BPI_MAX_BODY_IN)
    return BP_E_LIMIT;
  for (int k = 0; k < v->n_in; k++)
    in[k] = k == batched ? *x : parameter(f, v->in[k], false);
  bp_status s = bp_apply(f->body, v->op, in, v->n_in, v->attr, out);
  *x = out[0];
  return s;
}

/* The block as an axis of its own, and back. */
static bp_node cut(const block_fn *f, bp_node x)
{
  bp_type t;
  int64_t dims[BP_MAX_RANK];
  if (bp_node_type(x, &t) != BP_OK)
    return x;
  dims[0] = t.dims[0] / f->size;
  dims[1] = f->size;
  for (int k = 1; k < t.rank; k++)
    dims[k + 1] = t.dims[k];
  return bp_reshape(x, dims, t.rank + 1);
}

static bp_status loop_of(block_fn *f, const uint32_t *chain, int n, bp_node *result)
{
  const bpi_node *first = &f->from->nodes[chain[n - 1]], *tail = &f->from->nodes[chain[0]];
  bp_node x = parameter(f, first->in[batched_input(f->from, first)], true), y[BP_MAX_RESULTS];
  bp_fn *fn = NULL;
  bp_status s = BP_OK;
  for (int i = n - 1; i >= 0 && s == BP_OK; i--)
    s = add_member(f, chain[i], &x);
  if (s == BP_OK)
    s = bpi_fn_make("block", f->body, f->params, f->n, &x, 1, &fn);
  else
    bp_graph_free(f->body);
  if (s != BP_OK)
    return s;
  const bp_node xs = cut(f, f->args[0]);
  s = bp_scan(fn, NULL, 0, &xs, 1, f->args + 1, f->n - 1, 0, false, y);
  bp_fn_free(fn);
  *result = bp_reshape(y[0], tail->type->dims, tail->type->rank);
  return s == BP_OK ? bp_graph_status(f->to) : s;
}

bp_status bpi_loop_blocks(bpi_draft *d, const bpi_blocks *blocks, bp_graph *to, const uint32_t *map,
                          uint32_t tail, bp_node *result)
{
  uint32_t chain[MOST_MEMBERS] = {tail};
  const int n = blocks->members[tail];
  block_fn *f = bpi_arena_alloc(&d->arena, 1, sizeof *f);
  if (!f)
    return bpi_nomem();
  *f = (block_fn){
      .from = d->h, .to = to, .body = bp_graph_new(d->ctx), .map = map, .size = blocks->size[tail]};
  for (int i = 1; i < n; i++) {
    const bpi_node *v = &d->h->nodes[chain[i - 1]];
    chain[i] = v->in[batched_input(d->h, v)];
  }
  bp_status s = f->body ? loop_of(f, chain, n, result) : bpi_nomem();
  d->plan->done[BP_PASS_blocks] += (unsigned)n;
  return s;
}

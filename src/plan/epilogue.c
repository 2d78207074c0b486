/* Epilogues: a tile program that reads what a product makes runs at the end of it, region by region, while the region is in the cache: a
 * layer's activation, the activation's gradient, the update of a weight. What nobody else reads of the product is then never stored.
 *
 * Instructions are ranked: each before those that read it. The product moves to the place of the program, which is right where all others that
 * read the product have a higher rank than the program: then nothing that the program reads can depend on the product by another way. */
#include "plan/draft.h"

typedef struct ender {
  bpi_draft *d;
  bpi_readers readers;
  uint32_t *rank; /* of each instruction */
} ender;

/* ---- ranks ---- */

static uint32_t *count_pending(const ender *e)
{
  bpi_draft *d = e->d;
  uint32_t *pending = bpi_arena_alloc(&d->arena, d->n_ins, sizeof *pending);
  for (uint32_t i = 1; pending && i < d->n_roots; i++)
    for (uint32_t k = e->readers.first[i]; k < e->readers.first[i + 1]; k++)
      pending[e->readers.list[k]] += d->roots[i].def && !d->ins[d->roots[i].def].dead;
  return pending;
}

static bool rank_all(ender *e)
{
  bpi_draft *d = e->d;
  uint32_t *pending = count_pending(e), *queue = bpi_arena_alloc(&d->arena, d->n_ins, sizeof *queue);
  size_t n = 0;
  e->rank = bpi_arena_alloc(&d->arena, d->n_ins, sizeof *e->rank);
  if (!pending || !queue || !e->rank)
    return false;
  for (uint32_t i = 1; i < d->n_ins; i++)
    if (!d->ins[i].dead && !pending[i])
      queue[n++] = i;
  for (size_t at = 0; at < n; at++) {
    const bpi_ins *ins = &d->ins[queue[at]];
    e->rank[queue[at]] = (uint32_t)at;
    for (uint32_t k = 0; k < ins->n_out; k++) {
      uint32_t root = d->results[ins->out + k];
      for (uint32_t j = e->readers.first[root]; root && j < e->readers.first[root + 1]; j++)
        if (--pending[e->readers.list[j]] == 0)
          queue[n++] = e->readers.list[j];
    }
  }
  return true;
}

/* ---- which product ---- */

enum { AWAY = 8 << 20 };

/* Long rows of a result are handed over in pieces, as a product goes through them panel by panel: a program that streams whole arrays would
 * get crumbs of them, and is faster for itself, right behind the product. Only what mostly fits a piece is worth an end (wide products are cut by
 * columns for the threads, however short their rows), and what is so large that it would have to come back from memory. */
static bool is_worth_an_end(const bpi_draft *d, const bpi_ins *product)
{
  const bp_type *t = d->h->nodes[product->head].type;
  const int64_t width = t->rank ? t->dims[t->rank - 1] : 1,
                elem = (int64_t)bp_dtype_size(bpi_storage(t->dtype, d->plan->real));
  return width * elem <= d->tuning.end_row || bpi_type_size(t) * elem >= AWAY;
}

/* True if a program may run at the end of the product that makes its input x, and `root` need be stored only for others. */
static bool can_end(const ender *e, uint32_t program, uint32_t x)
{
  const bpi_draft *d = e->d;
  const bpi_ins *t = &d->ins[program];
  const bpi_ref *r = &d->refs[t->in + x];
  const bpi_root *root = &d->roots[r->root];
  if (!root->def || !bpi_has_end(d, &d->ins[root->def]) || r->form != BPI_FULL || r->offset ||
      root->size != t->n || bpi_type_size(r->type) != t->n || d->ins[root->def].early != t->early)
    return false;
  if (!is_worth_an_end(d, &d->ins[root->def]))
    return false;
  for (uint32_t k = 0; k < t->n_in; k++)
    if (k != x && d->refs[t->in + k].root == r->root)
      return false;
  for (uint32_t k = e->readers.first[r->root]; k < e->readers.first[r->root + 1]; k++)
    if (e->readers.list[k] != program && e->rank[e->readers.list[k]] < e->rank[program] &&
        !bpi_faulty(d, BPI_FAULT_end_early))
      return false;
  return true;
}

/* The input of a program whose product comes last; n_in where there is none. */
static uint32_t product_of(const ender *e, uint32_t program)
{
  const bpi_draft *d = e->d;
  const bpi_ins *t = &d->ins[program];
  uint32_t best = t->n_in, rank = 0;
  for (uint32_t k = 0; k < t->n_in; k++)
    if (can_end(e, program, k) && e->rank[d->roots[d->refs[t->in + k].root].def] >= rank) {
      best = k;
      rank = e->rank[d->roots[d->refs[t->in + k].root].def];
    }
  return best;
}

static bool others_read(const ender *e, uint32_t root)
{
  const bpi_root *r = &e->d->roots[root];
  return r->keep || r->parent || e->readers.first[root + 1] - e->readers.first[root] > 1;
}

/* ---- joining them ---- */

/* Operands of the joint instruction: inputs of the row, inputs of the program but for the product, the product, results. */
typedef struct numbering {
  uint32_t n_row, n_x, product, n_in;
} numbering;

static uint32_t renumbered(const numbering *n, uint32_t index)
{
  if (index >= n->n_x)
    return n->n_in + 1 + (index - n->n_x);
  return index == n->product ? n->n_in : n->n_row + index - (index > n->product);
}

static void renumber(bpi_tile *t, const numbering *n)
{
  for (size_t k = 0; k < t->n_steps; k++) {
    bpi_tile_step *s = &t->steps[k];
    for (int j = 0; j <= s->n_in; j++) {
      bpi_tile_ref *r = j < s->n_in ? &s->in[j] : &s->out;
      r->index = r->slot ? r->index : renumbered(n, r->index);
    }
  }
}

/* Nothing may be written over what the row reads, nor may the product lie over anything. */
static int32_t *joint_when(bpi_draft *d, const bpi_tile *t, const numbering *n, uint32_t n_y)
{
  int32_t *when = bpi_arena_alloc(&d->plan->arena, n->n_in + 1 + n_y, sizeof *when);
  for (uint32_t i = 0; when && i < n->n_row; i++)
    when[i] = INT32_MAX;
  for (uint32_t i = 0; when && i < n->n_x + n_y; i++)
    when[renumbered(n, i)] = t->when[i];
  if (when)
    when[n->n_in] = -1;
  return when;
}

static uint32_t joint_ins(bpi_draft *d, const bpi_ins *k, const bpi_ins *t, const numbering *n, bool stored)
{
  bpi_ref *x = bpi_arena_alloc(&d->arena, n->n_in + 1, sizeof *x);
  uint32_t *y = bpi_arena_alloc(&d->arena, t->n_out + 1, sizeof *y);
  if (!x || !y)
    return 0;
  for (uint32_t i = 0; i < n->n_row; i++)
    x[i] = d->refs[k->in + i];
  for (uint32_t i = 0; i < n->n_x; i++)
    if (i != n->product)
      x[renumbered(n, i)] = d->refs[t->in + i];
  y[0] = stored ? d->results[k->out] : 0;
  for (uint32_t i = 0; i < t->n_out; i++)
    y[i + 1] = d->results[t->out + i];
  return bpi_ins_new(d, BPI_DO_KERNEL, k->head, x, n->n_in, y, t->n_out + 1);
}

static bp_status end_product(ender *e, uint32_t program, uint32_t x)
{
  bpi_draft *d = e->d;
  const bpi_ins t = d->ins[program];
  uint32_t root = d->refs[t.in + x].root, kernel = d->roots[root].def;
  const bpi_ins k = d->ins[kernel];
  numbering n = {.n_row = k.n_in, .n_x = t.n_in, .product = x, .n_in = k.n_in + t.n_in - 1};
  int32_t *when = joint_when(d, t.tile, &n, t.n_out);
  bool stored = others_read(e, root) && !bpi_faulty(d, BPI_FAULT_end_lost);
  uint32_t id = when ? joint_ins(d, &k, &t, &n, stored) : 0;
  if (!id)
    return bpi_nomem();
  renumber(t.tile, &n);
  t.tile->when = when;
  bpi_ins *joint = &d->ins[id];
  joint->tile = t.tile;
  joint->n_row = n.n_row;
  joint->n = k.n;
  joint->early = t.early;
  joint->position = k.position;
  d->ins[kernel].dead = d->ins[program].dead = true;
  d->plan->done[BP_PASS_epilogue]++;
  return BP_OK;
}

bp_status bpi_end_products(bpi_draft *d)
{
  ender e = {.d = d};
  size_t n = d->n_ins;
  if (!bpi_pass_on(d, BP_PASS_epilogue) || !d->plan->done[BP_PASS_fuse])
    return BP_OK;
  if (!bpi_readers_find(d, &e.readers) || !rank_all(&e))
    return bpi_nomem();
  for (uint32_t i = 1; i < n; i++) {
    const bpi_ins *ins = &d->ins[i];
    if (ins->dead || ins->kind != BPI_DO_TILE)
      continue;
    uint32_t x = product_of(&e, i);
    bp_status s = x < ins->n_in ? end_product(&e, i, x) : BP_OK;
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

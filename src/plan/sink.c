/* Sinking: an elementwise instruction moves to the group that reads its result, where that costs no memory. What the gradient of an
 * activation needs of its input is so computed on the way back, beside its use, and not stored on the way forth.
 *
 * An instruction moves up to the lowest level of its readers, if all of these can be fused with it, and if the inputs that are
 * only kept alive for it are smaller than its result. */
#include "plan/draft.h"

enum { MOST_DEPTH = 6 };

typedef struct sinker {
  bpi_draft *d;
  uint32_t *low, *high; /* levels of the readers of each root */
  uint8_t *stuck;       /* a reader on the lowest level cannot be fused with its maker */
} sinker;

/* Rows with a loop, and elementwise rows with a kernel that never fails, which is then called for each tile. */
bool bpi_may_fuse(const bpi_draft *d, const bpi_ins *ins)
{
  if (ins->dead || ins->n < d->tuning.fuse_min)
    return false;
  const bp_op *op = d->h->nodes[ins->head].op;
  return ins->kind == BPI_DO_LOOP ||
         (ins->kind == BPI_DO_KERNEL && (op->traits & BP_ELEMENTWISE) && !ins->may_fail && !op->scratch &&
          ins->n_in <= BPI_MAX_BODY_IN && ins->n_out == 1);
}

bool bpi_is_plain(const bpi_draft *d, const bpi_ref *r)
{
  return r->form == BPI_FULL && r->offset == 0 && bpi_type_size(r->type) == d->roots[r->root].size;
}

bool bpi_can_join(const bpi_draft *d, const bpi_ins *ins, const bpi_ref *r)
{
  const bpi_ins *def = &d->ins[d->roots[r->root].def];
  return bpi_may_fuse(d, ins) && bpi_may_fuse(d, def) && def->n == ins->n && bpi_is_plain(d, r);
}

/* The highest level at which each root is read for sure: sinking makes it no lower. */
static void note_highest(sinker *s)
{
  const bpi_draft *d = s->d;
  for (size_t i = 1; i < d->n_ins; i++)
    for (uint32_t k = 0; k < d->ins[i].n_in && !d->ins[i].dead; k++) {
      uint32_t *high = &s->high[d->refs[d->ins[i].in + k].root];
      *high = d->ins[i].level > *high ? d->ins[i].level : *high;
    }
}

static void note_reader(sinker *s, const bpi_ins *ins, const bpi_ref *r)
{
  bool joins = bpi_can_join(s->d, ins, r);
  if (ins->level < s->low[r->root]) {
    s->low[r->root] = ins->level;
    s->stuck[r->root] = !joins;
  } else if (ins->level == s->low[r->root]) {
    s->stuck[r->root] |= !joins;
  }
  if (ins->level > s->high[r->root])
    s->high[r->root] = ins->level;
}

/* Bytes that are alive on a level only if the reference is read there. An input that can sink as well counts by its own inputs. */
static size_t kept_alive(const sinker *s, const bpi_ref *r, uint32_t level, int depth)
{
  const bpi_draft *d = s->d;
  const bpi_root *root = &d->roots[r->root];
  size_t bytes = 0;
  if (!root->def || root->keep || root->segment != BPI_BLOCK || s->high[r->root] >= level)
    return 0;
  const bpi_ins *def = &d->ins[root->def];
  if (depth == MOST_DEPTH || !bpi_may_fuse(d, def) || r->form != BPI_FULL)
    return root->bytes;
  for (uint32_t k = 0; k < def->n_in; k++)
    bytes += kept_alive(s, &d->refs[def->in + k], level, depth + 1);
  return bytes < root->bytes ? bytes : root->bytes;
}

static bool sinks(const sinker *s, const bpi_ins *ins)
{
  const bpi_draft *d = s->d;
  uint32_t root = d->results[ins->out], level = s->low[root];
  size_t bytes = 0;
  if (d->roots[root].keep || level == UINT32_MAX || level <= ins->level || s->stuck[root])
    return false;
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    if (d->roots[r->root].segment == BPI_STATE) /* an update may wait for it */
      return false;
    bytes += kept_alive(s, r, level, 0);
  }
  return bytes < d->roots[root].bytes;
}

bp_status bpi_sink(bpi_draft *d)
{
  sinker s = {.d = d,
              .low = bpi_arena_alloc(&d->arena, d->n_roots, sizeof(uint32_t)),
              .high = bpi_arena_alloc(&d->arena, d->n_roots, sizeof(uint32_t)),
              .stuck = bpi_arena_alloc(&d->arena, d->n_roots, 1)};
  if (!s.low || !s.high || !s.stuck)
    return bpi_nomem();
  for (size_t i = 0; i < d->n_roots; i++)
    s.low[i] = UINT32_MAX;
  note_highest(&s);
  for (size_t i = d->n_ins - 1; i > 0; i--) {
    bpi_ins *ins = &d->ins[i];
    if (ins->dead)
      continue;
    if (bpi_may_fuse(d, ins) && sinks(&s, ins))
      ins->level = s.low[d->results[ins->out]];
    for (uint32_t k = 0; k < ins->n_in; k++)
      note_reader(&s, ins, &d->refs[ins->in + k]);
  }
  return BP_OK;
}

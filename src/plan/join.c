/* Concatenations without copying: a part that an instruction of this plan makes, whole, gets its room inside the result. The
 * flat gradient of a network is made this way: each piece is computed in its place. */
#include "plan/draft.h"

static bool part_moves(const bpi_draft *d, const bpi_ref *r)
{
  const bpi_root *root = &d->roots[r->root];
  return r->form == BPI_FULL && root->segment == BPI_BLOCK && root->def && !root->parent && !root->keep &&
         root->size == bpi_type_size(r->type) && root->size > 0;
}

static void join_one(bpi_draft *d, const bpi_ins *ins)
{
  uint32_t into = d->results[ins->out];
  size_t offset = 0, elem = bp_dtype_size((bp_dtype)d->roots[into].dtype);
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    bpi_root *root = &d->roots[r->root];
    if (part_moves(d, r)) {
      root->parent = into;
      root->parent_offset = offset;
      if (bpi_faulty(d, BPI_FAULT_join_offset) && offset)
        root->parent_offset -= elem;
      d->roots[into].joined = true;
      d->plan->done[BP_PASS_concat]++;
    }
    offset += (size_t)bpi_type_size(r->type) * elem;
  }
}

void bpi_join_parts(bpi_draft *d)
{
  for (size_t i = 1; i < d->n_ins; i++)
    if (d->ins[i].kind == BPI_DO_JOIN && !d->ins[i].dead)
      join_one(d, &d->ins[i]);
}

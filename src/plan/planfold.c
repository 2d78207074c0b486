/* Constants: an instruction that reads constants alone is run while compiling, by the same loops and kernels that a run uses, so
 * the bits are the same. */
#include "plan/draft.h"
#include "kernels/copy.h"

static void *address(const bpi_draft *d, const bpi_ref *r)
{
  const bpi_root *root = &d->roots[r->root];
  return (char *)root->data + r->offset * (int64_t)bp_dtype_size((bp_dtype)root->dtype);
}

static bool run_loop(bpi_draft *d, const bpi_ins *ins, void *y)
{
  const void *x[BPI_MAX_BODY_IN];
  int64_t step[BPI_MAX_BODY_IN];
  const double *params;
  if (bpi_real_params(d, &d->h->nodes[ins->head], &params) != BP_OK)
    return false;
  for (uint32_t i = 0; i < ins->n_in; i++) {
    const bpi_ref *r = &d->refs[ins->in + i];
    x[i] = address(d, r);
    step[i] = r->form == BPI_FULL;
  }
  ins->loop(ins->n, y, x, step, params);
  return true;
}

static void run_copy(bpi_draft *d, const bpi_ins *ins, void *y)
{
  const bpi_ref *r = &d->refs[ins->in];
  int64_t room[BP_MAX_RANK], flat[BP_MAX_RANK];
  bpi_strides(r->type->rank, r->type->dims, flat);
  bpi_copy_strided(r->type->rank, r->type->dims, bp_dtype_size((bp_dtype)d->roots[r->root].dtype),
                   address(d, r), bpi_ref_strides(r, room), y, flat);
}

static bool run_kernel(bpi_draft *d, const bpi_ins *ins, void *const *y)
{
  const bp_op *op = d->h->nodes[ins->head].op;
  bp_kernel_call *c = bpi_dry_call(d, ins);
  double ns;
  if (!c)
    return false;
  bp_array *a = (bp_array *)c->in;
  for (uint32_t i = 0; i < ins->n_in; i++)
    a[i].data = address(d, &d->refs[ins->in + i]);
  for (uint32_t i = 0; i < ins->n_out; i++)
    a[ins->n_in + i].data = y[i];
  c->end = op->units ? op->units(c, &ns) : 1;
  size_t scratch = op->scratch ? op->scratch(c) : 0;
  c->scratch =
      op->scratch ? bpi_alloc_aligned(d->ctx, scratch + 1) : NULL; /* as in a run, also of no bytes */
  bool good = (!op->scratch || c->scratch) && op->kernel(c) == BP_OK;
  bpi_free_aligned(d->ctx, c->scratch);
  return good;
}

static bool all_constant(const bpi_draft *d, const bpi_ins *ins)
{
  for (uint32_t i = 0; i < ins->n_in; i++)
    if (d->roots[d->refs[ins->in + i].root].segment != BPI_CONSTANTS)
      return false;
  for (uint32_t i = 0; i < ins->n_out; i++)
    if (!d->results[ins->out + i]) /* not read, so not made */
      return false;
  return true;
}

bool bpi_fold(bpi_draft *d, bpi_ins *ins)
{
  void *y[BP_MAX_RESULTS] = {0};
  if (!bpi_pass_on(d, BP_PASS_simplify) || ins->n_out > BP_MAX_RESULTS || !all_constant(d, ins) ||
      (ins->kind != BPI_DO_LOOP && ins->kind != BPI_DO_COPY && ins->kind != BPI_DO_KERNEL))
    return false;
  for (uint32_t i = 0; i < ins->n_out; i++) {
    y[i] = bpi_arena_alloc(&d->arena, d->roots[d->results[ins->out + i]].bytes + 1, 1);
    if (!y[i])
      return false;
  }
  bool good = true;
  if (ins->kind == BPI_DO_LOOP)
    good = run_loop(d, ins, y[0]);
  else if (ins->kind == BPI_DO_COPY)
    run_copy(d, ins, y[0]);
  else
    good = run_kernel(d, ins, y);
  for (uint32_t i = 0; good && i < ins->n_out; i++) {
    bpi_root *r = &d->roots[d->results[ins->out + i]];
    r->segment = BPI_CONSTANTS;
    r->data = y[i];
    r->def = 0;
  }
  if (good) {
    ins->dead = true;
    d->plan->done[BP_PASS_simplify]++;
  }
  return good;
}

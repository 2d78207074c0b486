/* What an instruction has to do: floating-point operations and bytes. */
#include "run/profile.h"

/* Elements that are there, however often they are met. */
static double distinct(const bpi_operand *x)
{
  if (x->size <= 0)
    return 0;
  double n = 1;
  for (int k = 0; k < x->rank; k++)
    n *= x->contiguous || x->strides[k] ? (double)x->dims[k] : 1;
  return n;
}

double bpi_instr_bytes(const bpi_instr *i)
{
  double bytes = 0;
  for (uint32_t k = 0; k < i->n_in + i->n_out; k++)
    bytes += distinct(&i->x[k]) * (double)bp_dtype_size((bp_dtype)i->x[k].dtype);
  return bytes;
}

double bpi_row_flops(const bp_op *op, const bp_kernel_call *c)
{
  if (op->flops)
    return op->flops(c);
  if (op->traits & (BP_VIEW | BP_JOIN))
    return 0;
  int64_t in = c->n_in ? c->in[0].size : 0, out = c->n_out ? c->out[0].size : 0;
  return (double)(in > out ? in : out);
}

/* One an element for each step that is no load. */
static double of_tile(const bpi_tile *t)
{
  double steps = 0;
  for (size_t k = 0; k < t->n_steps; k++)
    steps += t->steps[k].op != NULL;
  return steps * (double)t->n;
}

static double of_scan(const bpi_step *s)
{
  double sum = 0;
  for (size_t k = 0; k < s->body->plan->n_instrs; k++)
    sum += bpi_instr_flops(&s->body->steps[k]);
  return sum * (double)s->instr->scan->length;
}

double bpi_instr_flops(const bpi_step *s)
{
  const bpi_instr *i = s->instr;
  switch ((bpi_kind)i->kind) {
  case BPI_DO_LOOP:
    return (double)i->n;
  case BPI_DO_TILE:
    return of_tile(i->tile);
  case BPI_DO_KERNEL:
    return bpi_row_flops(i->op, s->call) + (i->tile ? of_tile(i->tile) : 0);
  case BPI_DO_SCAN:
    return of_scan(s);
  case BPI_DO_SCALARS:
    return (double)i->n;
  default:
    return 0;
  }
}

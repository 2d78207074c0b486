/* The draft's parts: rooms, references, instructions, and contiguous copies on demand. */
#include "plan/draft.h"
#include "kernels/copy.h"

#include <string.h>

uint32_t bpi_root_new(bpi_draft *d, bpi_segment segment, bp_dtype dtype, int64_t size)
{
  if (!bpi_grow(d->ctx, (void **)&d->roots, &d->roots_cap, d->n_roots, sizeof *d->roots)) {
    bpi_nomem();
    return 0;
  }
  bpi_root *r = &d->roots[d->n_roots];
  memset(r, 0, sizeof *r);
  r->segment = (uint8_t)segment;
  r->dtype = (uint8_t)dtype;
  r->size = size;
  r->bytes = (size_t)size * bp_dtype_size(dtype);
  return (uint32_t)d->n_roots++;
}

uint32_t bpi_ins_new(bpi_draft *d, bpi_kind kind, uint32_t head, const bpi_ref *in, size_t n_in,
                     const uint32_t *out, size_t n_out)
{
  bool room = bpi_grow(d->ctx, (void **)&d->ins, &d->ins_cap, d->n_ins, sizeof *d->ins);
  for (size_t i = 0; room && i < n_in; i++) {
    room = bpi_grow(d->ctx, (void **)&d->refs, &d->refs_cap, d->n_refs + i, sizeof *d->refs);
    if (room)
      d->refs[d->n_refs + i] = in[i];
  }
  for (size_t i = 0; room && i < n_out; i++) {
    room = bpi_grow(d->ctx, (void **)&d->results, &d->results_cap, d->n_results + i, sizeof *d->results);
    if (room)
      d->results[d->n_results + i] = out[i];
  }
  if (!room) {
    bpi_nomem();
    return 0;
  }
  uint32_t id = (uint32_t)d->n_ins++;
  memset(&d->ins[id], 0, sizeof d->ins[id]);
  bpi_ins *s = &d->ins[id];
  s->kind = (uint8_t)kind;
  s->head = head;
  s->in = (uint32_t)d->n_refs;
  s->n_in = (uint32_t)n_in;
  s->out = (uint32_t)d->n_results;
  s->n_out = (uint32_t)n_out;
  d->n_refs += n_in;
  d->n_results += n_out;
  for (size_t i = 0; i < n_out; i++)
    if (out[i])
      d->roots[out[i]].def = id;
  return id;
}

/* Counted two places behind, summed up, and then filled in with the place behind as a cursor. */
bool bpi_readers_find(bpi_draft *d, bpi_readers *r)
{
  r->first = bpi_arena_alloc(&d->arena, d->n_roots + 2, sizeof *r->first);
  r->list = bpi_arena_alloc(&d->arena, d->n_refs + 1, sizeof *r->list);
  if (!r->first || !r->list)
    return false;
  for (int fill = 0; fill < 2; fill++) {
    for (size_t i = 0; i < d->n_roots; i++) {
      d->roots[i].mark = 0;
      r->first[i + 1] += fill ? r->first[i] : 0;
    }
    for (uint32_t i = 1; i < d->n_ins; i++)
      for (uint32_t k = 0; k < d->ins[i].n_in && !d->ins[i].dead; k++) {
        uint32_t root = d->refs[d->ins[i].in + k].root;
        if (d->roots[root].mark == i)
          continue;
        d->roots[root].mark = i;
        if (fill)
          r->list[r->first[root + 1]++] = i;
        else
          r->first[root + 2]++;
      }
  }
  return true;
}

bpi_ref bpi_full_ref(uint32_t root, const bp_type *type)
{
  return (bpi_ref){.root = root, .form = BPI_FULL, .type = type};
}

const int64_t *bpi_ref_strides(const bpi_ref *r, int64_t *room)
{
  if (r->form == BPI_STRIDED)
    return r->strides;
  if (r->form == BPI_FULL)
    bpi_strides(r->type->rank, r->type->dims, room);
  else
    memset(room, 0, (size_t)r->type->rank * sizeof *room);
  return room;
}

bp_array bpi_ref_array(const bpi_draft *d, const bpi_ref *r, int64_t *room)
{
  return (bp_array){.dims = r->type->dims,
                    .strides = bpi_ref_strides(r, room),
                    .size = bpi_type_size(r->type),
                    .dtype = bpi_storage(r->type->dtype, d->plan->real),
                    .rank = r->type->rank};
}

bp_kernel_call *bpi_dry_call(bpi_draft *d, const bpi_ins *ins)
{
  const bpi_node *v = &d->h->nodes[ins->head];
  size_t n_in = ins->n_row ? ins->n_row : ins->n_in, n_out = ins->n_row ? 1 : ins->n_out;
  bp_kernel_call *c = bpi_arena_alloc(&d->arena, 1, sizeof *c);
  bp_array *a = bpi_arena_alloc(&d->arena, n_in + n_out, sizeof *a);
  int64_t *room = bpi_arena_alloc(&d->arena, (n_in + n_out) * BP_MAX_RANK, sizeof *room);
  if (!c || !a || !room) {
    bpi_nomem();
    return NULL;
  }
  for (size_t i = 0; i < n_in; i++)
    a[i] = bpi_ref_array(d, &d->refs[ins->in + i], room + i * BP_MAX_RANK);
  for (size_t i = 0; i < n_out; i++) {
    bpi_ref r = bpi_full_ref(d->results[ins->out + i], v[i].type);
    a[n_in + i] = bpi_ref_array(d, &r, room + (n_in + i) * BP_MAX_RANK);
  }
  *c = (bp_kernel_call){.in = a,
                        .out = a + n_in,
                        .attr = v->attr,
                        .vec = d->plan->kernels,
                        .finish = ins->tile,
                        .n_in = (int)n_in,
                        .n_out = (int)n_out,
                        .fail_at = -1};
  return c;
}

bp_status bpi_real_params(bpi_draft *d, const bpi_node *v, const double **p)
{
  int n = bpi_op_n_attrs(v->op), reals = 0;
  *p = NULL;
  for (int i = 0; i < n; i++)
    reals += v->op->attrs[i].kind == BP_ATTR_REAL;
  if (!reals)
    return BP_OK;
  double *out = bpi_arena_alloc(&d->plan->arena, (size_t)reals, sizeof *out);
  if (!out)
    return bpi_nomem();
  for (int i = 0, k = 0; i < n; i++)
    if (v->op->attrs[i].kind == BP_ATTR_REAL)
      out[k++] = v->attr[i].r;
  *p = out;
  return BP_OK;
}

bp_status bpi_copied(bpi_draft *d, uint32_t head, const bpi_ref *r, bpi_ref *out)
{
  bpi_ref from = *r;
  int64_t size = bpi_type_size(from.type);
  uint32_t root = bpi_root_new(d, BPI_BLOCK, bpi_storage(from.type->dtype, d->plan->real), size);
  uint32_t ins = root ? bpi_ins_new(d, BPI_DO_COPY, head, &from, 1, &root, 1) : 0;
  if (!ins)
    return BP_E_NOMEM;
  d->ins[ins].n = size;
  bpi_fold(d, &d->ins[ins]);
  *out = bpi_full_ref(root, from.type);
  return BP_OK;
}

bp_status bpi_whole(bpi_draft *d, uint32_t slot, bpi_ref *out)
{
  const bpi_ref *r = &d->at[slot];
  if (r->form == BPI_FULL) {
    *out = *r;
    return BP_OK;
  }
  if (!d->copy_of[slot]) {
    bp_status s = bpi_copied(d, slot, r, out);
    d->copy_of[slot] = s == BP_OK ? out->root : 0;
    return s;
  }
  *out = bpi_full_ref(d->copy_of[slot], r->type);
  return BP_OK;
}

bp_status bpi_keep_attributes(bpi_draft *d, const bpi_node *v, const bp_attr **out)
{
  int n = bpi_op_n_attrs(v->op);
  bp_attr *kept = bpi_arena_alloc(&d->plan->arena, (size_t)n + 1, sizeof *kept);
  *out = kept;
  if (!kept)
    return bpi_nomem();
  for (int i = 0; i < n; i++) {
    kept[i] = v->attr[i];
    bp_attr_kind kind = v->op->attrs[i].kind;
    size_t bytes = kind == BP_ATTR_INTS   ? (size_t)kept[i].n * sizeof(int64_t)
                   : kind == BP_ATTR_DATA ? (size_t)kept[i].n
                                          : 0;
    if (kind == BP_ATTR_FN)
      kept[i].fn = NULL; /* functions live no longer than their graphs */
    if (!bytes)
      continue;
    void *copy = bpi_arena_alloc(&d->plan->arena, bytes, 1);
    if (!copy)
      return bpi_nomem();
    memcpy(copy, v->attr[i].v, bytes);
    kept[i].v = copy;
  }
  return BP_OK;
}

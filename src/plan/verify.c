/* The verifier: what must hold of a plan, found out from its instructions alone. Every byte of the block and of the state has an
 * owner, the value last written there; an instruction may read a value only where it owns every byte. */
#include "plan/plan.h"

#include <string.h>

#define OLD      UINT32_MAX        /* owner of a state entry before the step */
#define TOO_MUCH ((size_t)1 << 28) /* bytes past which owners are not followed */

typedef struct verifier {
  const bp_plan *p;
  uint32_t *block; /* owner of each byte; NULL: not followed */
  uint32_t **entries;
  uint8_t *written; /* of each value */
  size_t at;        /* instruction */
} verifier;

static bp_status broken(const verifier *v, const bpi_operand *x, const char *what)
{
  bpi_text t;
  bpi_text_init(&t, v->p->ctx);
  if (x)
    bpi_text_operand(&t, v->p, x);
  bp_status s = bpi_fail(BP_E_INTERNAL, "plan: instruction %zu: %s%s%s", v->at, what, x ? ": " : "",
                         x && !t.failed ? t.s : "");
  bpi_text_free(&t);
  return s;
}

/* ---- extents ---- */

static const bpi_plan_entry *entry_of(const bp_plan *p, uint32_t entry)
{
  for (size_t i = 0; i < p->n_entries; i++)
    if (p->entries[i].entry == entry)
      return &p->entries[i];
  return NULL;
}

static size_t segment_bytes(const bp_plan *p, const bpi_operand *x)
{
  const bpi_plan_entry *e;
  switch ((bpi_segment)x->segment) {
  case BPI_BLOCK:
    return p->block_bytes;
  case BPI_CONSTANTS:
    return p->constants_bytes;
  case BPI_STATE:
    e = entry_of(p, x->index);
    return e ? (size_t)bpi_type_size(&e->type) * bp_dtype_size(bpi_storage(e->type.dtype, p->real)) : 0;
  case BPI_INPUT:
    return x->index < p->n_inputs ? p->inputs[x->index].bytes : 0;
  }
  return 0;
}

/* First byte, and the one after the last, relative to the segment. */
static void extent(const bpi_operand *x, int64_t *first, int64_t *last)
{
  int64_t lo = 0, hi = 0, elem = (int64_t)bp_dtype_size((bp_dtype)x->dtype);
  if (x->contiguous)
    hi = x->size - 1;
  for (int i = 0; !x->contiguous && i < x->rank; i++) {
    int64_t span = (x->dims[i] - 1) * x->strides[i];
    lo += span < 0 ? span : 0;
    hi += span > 0 ? span : 0;
  }
  *first = (int64_t)x->offset + lo * elem;
  *last = (int64_t)x->offset + (hi + 1) * elem;
}

static bp_status check_extent(const verifier *v, const bpi_operand *x)
{
  int64_t first, last;
  if (x->size <= 0)
    return BP_OK;
  extent(x, &first, &last);
  if (first < 0 || (size_t)last > segment_bytes(v->p, x))
    return broken(v, x, "an operand reaches outside its segment");
  if (x->offset % bp_dtype_size((bp_dtype)x->dtype))
    return broken(v, x, "an operand is not aligned");
  if (x->value >= v->p->n_values)
    return broken(v, x, "an operand is of no value");
  return BP_OK;
}

/* ---- owners ---- */

static uint32_t *owners(const verifier *v, const bpi_operand *x)
{
  return x->segment == BPI_BLOCK                 ? v->block
         : x->segment == BPI_STATE && v->entries ? v->entries[x->index]
                                                 : NULL;
}

/* True if `owner` is the value or a part of it. */
static bool owns(const verifier *v, uint32_t owner, uint32_t value)
{
  if (owner == OLD)
    return !v->written[value];
  while (owner && owner != value)
    owner = v->p->parent[owner];
  return owner == value && v->written[value];
}

/* Calls for each element; false at the first that is not owned. */
static bool each_owned(const verifier *v, const bpi_operand *x, const uint32_t *own, int dim, int64_t offset)
{
  int64_t elem = (int64_t)bp_dtype_size((bp_dtype)x->dtype);
  if (dim == x->rank || x->contiguous) {
    int64_t n = x->contiguous ? x->size * elem : elem;
    for (int64_t b = 0; b < n; b++)
      if (!owns(v, own[offset + b], x->value))
        return false;
    return true;
  }
  int64_t n = x->strides[dim] ? x->dims[dim] : 1;
  for (int64_t i = 0; i < n; i++)
    if (!each_owned(v, x, own, dim + 1, offset + i * x->strides[dim] * elem))
      return false;
  return true;
}

static bp_status check_read(const verifier *v, const bpi_operand *x)
{
  bp_status s = check_extent(v, x);
  const uint32_t *own = owners(v, x);
  if (s != BP_OK || !own || x->size <= 0)
    return s;
  return each_owned(v, x, own, 0, (int64_t)x->offset)
             ? BP_OK
             : broken(v, x, "an operand was never made, or was overwritten");
}

static bp_status note_write(verifier *v, const bpi_operand *x)
{
  bp_status s = check_extent(v, x);
  if (s != BP_OK || x->size <= 0)
    return s;
  if (x->segment == BPI_CONSTANTS || x->segment == BPI_INPUT || !x->contiguous)
    return broken(v, x, "a result may not be written there");
  if (x->segment == BPI_STATE && v->at < v->p->first_commit)
    return broken(v, x, "state is written before everything that may fail has run");
  uint32_t *own = owners(v, x);
  size_t bytes = (size_t)x->size * bp_dtype_size((bp_dtype)x->dtype);
  for (size_t b = 0; own && b < bytes; b++)
    own[x->offset + b] = x->value;
  for (uint32_t value = x->value; value; value = v->p->parent[value])
    v->written[value] = 1;
  return BP_OK;
}

/* ---- writing over operands ---- */

static bool overlap(const bpi_operand *a, const bpi_operand *b)
{
  int64_t a0, a1, b0, b1;
  if (a->segment != b->segment || a->size <= 0 || b->size <= 0 ||
      (a->segment == BPI_STATE && a->index != b->index))
    return false;
  extent(a, &a0, &a1);
  extent(b, &b0, &b1);
  return a0 < b1 && b0 < a1;
}

static bool may_lie_over(const bpi_instr *i, uint32_t in, uint32_t out)
{
  const bpi_operand *x = &i->x[in], *y = &i->x[i->n_in + out];
  if (!x->contiguous || x->offset != y->offset || x->size != y->size ||
      bp_dtype_size((bp_dtype)x->dtype) != bp_dtype_size((bp_dtype)y->dtype))
    return false;
  switch ((bpi_kind)i->kind) {
  case BPI_DO_LOOP:
    return true;
  case BPI_DO_TILE:
    return i->tile->when[in] <= i->tile->when[i->n_in + out];
  case BPI_DO_KERNEL:
    if (i->tile)
      return in >= i->n_row && out > 0 && i->tile->when[in] <= i->tile->when[i->n_in + out];
    return out == 0 && in < 32 && (i->op->overwrites >> in & 1);
  default:
    return false;
  }
}

static bp_status check_overwriting(const verifier *v, const bpi_instr *i)
{
  for (uint32_t k = 0; k < i->n_out; k++) {
    const bpi_operand *y = &i->x[i->n_in + k];
    for (uint32_t j = 0; j < i->n_in; j++)
      if (overlap(&i->x[j], y) && !may_lie_over(i, j, k))
        return broken(v, y, "a result lies over an input that is still read");
    for (uint32_t j = 0; j < k; j++)
      if (overlap(&i->x[i->n_in + j], y))
        return broken(v, y, "two results share memory");
  }
  return BP_OK;
}

/* ---- instructions ---- */

static bp_status check_scan(const verifier *v, const bpi_instr *i)
{
  const bpi_operand *block = &i->x[i->n_in + i->n_out - 1];
  if (i->threads > i->scan->lanes || i->scan->apart < i->scan->body->block_bytes ||
      (size_t)block->size < i->scan->apart * (size_t)i->scan->lanes)
    return broken(v, block, "the body of a loop has too little room");
  return bpi_plan_verify(i->scan->body);
}

/* An operand as a step sees it. The product at whose end the program runs need not be stored. */
static bp_status check_tile_operand(const verifier *v, const bpi_instr *i, const bpi_tile_step *step, int j)
{
  const bpi_tile_ref *r = j < step->n_in ? &step->in[j] : &step->out;
  bool ends = i->kind == BPI_DO_KERNEL, product = ends && r->index == i->n_in;
  const bpi_operand *x = &i->x[r->index];
  if (ends && r->index < i->n_row)
    return broken(v, x, "a step at the end of a kernel refers to what the kernel reads");
  if (j == step->n_in && (r->index < i->n_in || product))
    return broken(v, x, "a step of a tile program writes to an input");
  if (!product && x->size < (r->step ? i->tile->n : 1))
    return broken(v, x, "a step of a tile program reaches past an operand");
  if (ends && step->sum)
    return broken(v, x, "there is a sum at the end of a kernel");
  if (!product && step->op && r->step && !x->contiguous)
    return broken(v, x, "a step of a tile program takes a strided operand for a contiguous one");
  return BP_OK;
}

static bp_status check_tile(const verifier *v, const bpi_instr *i)
{
  const bpi_tile *t = i->tile;
  bp_status s = BP_OK;
  if (i->kind == BPI_DO_KERNEL && i->n_row > i->n_in)
    return broken(v, NULL, "a kernel with an end has fewer operands than its row");
  for (size_t k = 0; k < t->n_steps; k++) {
    const bpi_tile_step *step = &t->steps[k];
    for (int j = 0; j <= step->n_in && s == BP_OK; j++) {
      const bpi_tile_ref *r = j < step->n_in ? &step->in[j] : &step->out;
      if (r->index >= (r->slot ? t->n_slots : i->n_in + i->n_out))
        return broken(v, NULL, "a step of a tile program refers to nothing");
      s = r->slot ? BP_OK : check_tile_operand(v, i, step, j);
    }
  }
  return s;
}

/* An element of a program, as an operand. */
static bpi_operand element(const bpi_scalars *p, const bpi_scalar_step *s, const uint32_t *row, uint32_t k)
{
  return (bpi_operand){.segment = BPI_BLOCK,
                       .dtype = s->dtype[k],
                       .contiguous = true,
                       .value = p->values[row + k - p->code],
                       .offset = row[k],
                       .size = 1};
}

/* One row after another: inputs are read, then the result is written. What a program takes in has the size of its elements, and any
 * dtype of that size. */
static bp_status check_row(verifier *v, const bpi_instr *i, const bpi_scalar_step *s, const uint32_t *row)
{
  bpi_operand y = element(i->scalars, s, row, s->n_in);
  bp_status status = BP_OK;
  if (!s->loop && (row[0] >= i->n_in || bp_dtype_size((bp_dtype)i->x[row[0]].dtype) != s->elem[0]))
    return broken(v, NULL, "a program takes in what is not there");
  y.dtype = s->loop ? y.dtype : i->x[row[0]].dtype;
  for (uint32_t k = 0; k < s->n_in && s->loop && status == BP_OK; k++) {
    bpi_operand x = element(i->scalars, s, row, k);
    status = check_read(v, &x);
  }
  return status == BP_OK ? note_write(v, &y) : status;
}

/* No row of a run reads what another one of it makes: the inputs of several may be read before the first result is written. */
static bp_status check_apart(const verifier *v, const bpi_scalars *p, const bpi_scalar_step *s,
                             const uint32_t *rows, uint32_t n, uint32_t *made)
{
  uint32_t width = s->n_in + 1u;
  for (uint32_t k = 0; k < n; k++)
    made[p->values[rows + k * width + s->n_in - p->code]] = (uint32_t)(rows - p->code);
  for (uint32_t k = 0; k < n * width; k++)
    if (s->loop && k % width < s->n_in && made[p->values[rows + k - p->code]] == (uint32_t)(rows - p->code))
      return broken(v, NULL, "a run of a program reads what it makes");
  return BP_OK;
}

static bp_status check_scalars(verifier *v, const bpi_instr *i)
{
  const bpi_scalars *p = i->scalars;
  uint32_t *made = bpi_zalloc(v->p->ctx, v->p->n_values, sizeof *made);
  bp_status status = made ? BP_OK : bpi_nomem();
  for (const uint32_t *at = p->code; at < p->end && status == BP_OK;) {
    const bpi_scalar_step *s = bpi_run_step_of(p, *at);
    uint32_t n = bpi_run_length(*at++);
    status = check_apart(v, p, s, at, n, made);
    for (; n && status == BP_OK; n--, at += s->n_in + 1)
      status = check_row(v, i, s, at);
  }
  bpi_free(v->p->ctx, made);
  return status;
}

static bp_status check_instr(verifier *v, const bpi_instr *i)
{
  bp_status s = BP_OK;
  if (i->may_fail && v->at >= v->p->first_commit)
    return broken(v, NULL, "it may fail after state has been written");
  for (uint32_t k = 0; k < i->n_in && s == BP_OK; k++)
    s = check_read(v, &i->x[k]);
  if (s == BP_OK)
    s = check_overwriting(v, i);
  for (uint32_t k = 0; k < i->n_out && s == BP_OK; k++)
    s = note_write(v, &i->x[i->n_in + k]);
  if (s == BP_OK && i->kind == BPI_DO_SCAN)
    s = check_scan(v, i);
  if (s == BP_OK && (i->kind == BPI_DO_TILE || (i->kind == BPI_DO_KERNEL && i->tile)))
    s = check_tile(v, i);
  if (s == BP_OK && i->kind == BPI_DO_SCALARS)
    s = check_scalars(v, i);
  return s;
}

static bp_status verifier_init(verifier *v)
{
  const bp_plan *p = v->p;
  v->written = bpi_zalloc(p->ctx, p->n_values, 1);
  if (!v->written)
    return bpi_nomem();
  if (p->block_bytes <= TOO_MUCH && !(v->block = bpi_zalloc(p->ctx, p->block_bytes, sizeof *v->block)))
    return bpi_nomem();
  size_t n = p->n_entries ? p->entries[p->n_entries - 1].entry + (size_t)1 : 0;
  if (!n)
    return BP_OK;
  v->entries = bpi_zalloc(p->ctx, n, sizeof *v->entries);
  if (!v->entries)
    return bpi_nomem();
  for (size_t i = 0; i < p->n_entries; i++) {
    bpi_operand x = {.segment = BPI_STATE, .index = p->entries[i].entry};
    size_t bytes = segment_bytes(p, &x);
    uint32_t *own = bytes <= TOO_MUCH ? bpi_alloc(p->ctx, bytes, sizeof *own) : NULL;
    if (bytes <= TOO_MUCH && !own)
      return bpi_nomem();
    for (size_t b = 0; own && b < bytes; b++)
      own[b] = OLD;
    v->entries[p->entries[i].entry] = own;
  }
  return BP_OK;
}

static void verifier_free(verifier *v)
{
  const bp_plan *p = v->p;
  for (size_t i = 0; v->entries && i < p->n_entries; i++)
    bpi_free(p->ctx, v->entries[p->entries[i].entry]);
  bpi_free(p->ctx, v->entries);
  bpi_free(p->ctx, v->block);
  bpi_free(p->ctx, v->written);
}

bp_status bpi_plan_verify(const bp_plan *p)
{
  verifier v = {.p = p};
  bp_status s = verifier_init(&v);
  for (v.at = 0; v.at < p->n_instrs && s == BP_OK; v.at++)
    s = check_instr(&v, &p->instrs[v.at]);
  for (size_t i = 0; i < p->n_outputs && s == BP_OK; i++) {
    if (!p->outputs[i].contiguous || p->outputs[i].segment == BPI_STATE || p->outputs[i].segment == BPI_INPUT)
      s = broken(&v, &p->outputs[i], "an output does not keep its value");
    if (s == BP_OK)
      s = check_read(&v, &p->outputs[i]);
  }
  verifier_free(&v);
  return s;
}

/* The first use of compiled code: the same inputs through both, and the bits compared. */
#include "run/jit.h"

#include <string.h>

static size_t operand_bytes(const bpi_operand *x)
{
  return x->size > 0 ? (size_t)x->size * bp_dtype_size((bp_dtype)x->dtype) : 0;
}

/* Equal bits, or both NaN: which NaN an operation gives is left to compilers. */
static bool same_element(bp_dtype t, const char *a, const char *b)
{
  size_t n = bp_dtype_size(t);
  if (memcmp(a, b, n) == 0)
    return true;
  double x = 0, y = 0;
  float fx, fy;
  if (t == BP_FLOAT64) {
    memcpy(&x, a, n);
    memcpy(&y, b, n);
  } else if (t == BP_FLOAT32) {
    memcpy(&fx, a, n);
    memcpy(&fy, b, n);
    x = (double)fx;
    y = (double)fy;
  }
  return x != x && y != y;
}

static bool same_elements(bp_dtype t, size_t bytes, const char *a, const char *b)
{
  size_t each = bp_dtype_size(t);
  if (memcmp(a, b, bytes) == 0)
    return true;
  for (size_t i = 0; i < bytes; i += each)
    if (!same_element(t, a + i, b + i))
      return false;
  return true;
}

static void settle(bpi_frame *f, bpi_jit_piece *p, bool same)
{
  if (!same)
    bpi_log(f->plan->ctx, BP_LOG_WARN,
            "jit: compiled code of instructions %u to %u has other bits than the interpreter and is not used",
            p->where.first, p->where.first + p->where.count - 1);
  atomic_store_explicit(&p->check, same ? BPI_GOOD : BPI_BAD, memory_order_release);
}

/* ---- one instruction, a unit at a time: results may lie over operands, but of the same elements ---- */

typedef struct tile_check {
  const bpi_step *s;
  char *before, *made;
} tile_check;

/* The k-th result of a unit: elements, or the leaf of a sum. NULL: there is none. */
static char *result_of(const tile_check *c, uint32_t k, int64_t unit, size_t *bytes, bp_dtype *dtype)
{
  const bpi_instr *i = c->s->instr;
  const bpi_tile *t = i->tile;
  int64_t first = unit * t->unit, left = t->n - first, n = left < t->unit ? left : t->unit;
  if (k >= i->n_out + t->n_sums)
    return NULL;
  *dtype = k < i->n_out ? (bp_dtype)i->x[i->n_in + k].dtype : t->wide ? BP_FLOAT64 : BP_FLOAT32;
  size_t each = bp_dtype_size(*dtype);
  if (k >= i->n_out) {
    *bytes = each;
    return (char *)bpi_tile_leaves(c->s, k - i->n_out) + (size_t)unit * each;
  }
  *bytes = i->x[i->n_in + k].size == t->n ? (size_t)n * each : 0;
  return (char *)c->s->at[i->n_in + k] + (*bytes ? (size_t)first * each : 0);
}

/* Results of one unit copied out of their places, or back. */
static void copy_results(const tile_check *c, int64_t unit, char *room, bool back)
{
  size_t bytes;
  bp_dtype t;
  char *at;
  for (uint32_t k = 0; (at = result_of(c, k, unit, &bytes, &t)) != NULL; k++, room += bytes)
    memcpy(back ? at : room, back ? room : at, bytes);
}

static bool same_results(const tile_check *c, int64_t unit)
{
  const char *room = c->made, *at;
  size_t bytes;
  bp_dtype t;
  bool same = true;
  for (uint32_t k = 0; (at = result_of(c, k, unit, &bytes, &t)) != NULL; k++, room += bytes)
    same = same && same_elements(t, bytes, at, room);
  return same;
}

static bp_status check_part(bpi_frame *f, bpi_jit_piece *p)
{
  bpi_step *s = &f->steps[p->where.first];
  const bpi_instr *i = s->instr;
  tile_check c = {.s = s};
  size_t most = 0, bytes;
  bp_dtype t;
  for (uint32_t k = 0; result_of(&c, k, 0, &bytes, &t); k++)
    most += bytes;
  c.before = bpi_alloc(f->plan->ctx, most, 2);
  if (!c.before) {
    atomic_store(&p->check, BPI_UNCHECKED);
    return bpi_frame_run_some(f, p->where.first, 1);
  }
  c.made = c.before + most;
  bool same = true;
  for (int64_t u = 0; u < i->units; u++) {
    int64_t first = u * i->tile->unit, left = i->tile->n - first;
    copy_results(&c, u, c.before, false);
    ((bpi_code_part)p->fn)(s->at, first, left < i->tile->unit ? left : i->tile->unit, bpi_tile_leaves(s, 0));
    copy_results(&c, u, c.made, false);
    copy_results(&c, u, c.before, true);
    bpi_tile_units(s, u, u + 1);
    same = same && same_results(&c, u);
  }
  bpi_tile_join(s);
  bpi_free(f->plan->ctx, c.before);
  settle(f, p, same);
  return BP_OK;
}

/* ---- a run of instructions ---- */

/* Everything that its instructions write, kept twice: as it was before, and as the compiled code left it. */
typedef struct run_check {
  bpi_frame *f;
  const bpi_jit_piece *p;
  const bpi_code_env *env;
  const bool *local;
  char *before, *made;
  uint8_t *later; /* bytes of the block, from lo on: something later in the run lies there */
  size_t lo, hi;
  bpi_operand *rows; /* room for the results of the longest program over single elements */
} run_check;

static char *place_of(const run_check *c, const bpi_operand *x)
{
  const bp_plan *p = c->f->plan;
  if (x->segment == BPI_BLOCK)
    return c->f->block + x->offset;
  for (size_t k = 0; k < p->n_entries; k++)
    if (p->entries[k].entry == x->index)
      return c->env->state[k] + x->offset;
  return NULL;
}

typedef void (*result_fn)(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset);

/* Results of a program over single elements. Those of a later row may lie over those of an earlier one: backwards, they are counted. */
static void each_row(run_check *c, const bpi_instr *i, bool back, size_t *offset, result_fn fn)
{
  bpi_code_row row = {.left = 0};
  const uint32_t *at = i->scalars->code;
  size_t n = 0;
  for (; bpi_code_next_row(i, &at, &row); n++) {
    const bpi_operand *y = &row.x[row.step->n_in];
    if (back)
      c->rows[n] = *y;
    else
      fn(c, y, c->f->block + y->offset, operand_bytes(y), offset);
  }
  while (back && n--)
    fn(c, &c->rows[n], c->f->block + c->rows[n].offset, operand_bytes(&c->rows[n]), offset);
}

/* Calls fn for every result; forward, or from the last one back. */
static void each_result(run_check *c, bool back, size_t *offset, result_fn fn)
{
  const bpi_piece *w = &c->p->where;
  for (uint32_t n = 0; n < w->count; n++) {
    const bpi_instr *i = &c->f->plan->instrs[w->first + (back ? w->count - 1 - n : n)];
    if (i->kind == BPI_DO_SCALARS) {
      each_row(c, i, back, offset, fn);
      continue;
    }
    for (uint32_t k = 0; k < i->n_out; k++) {
      const bpi_operand *x = &i->x[i->n_in + (back ? i->n_out - 1 - k : k)];
      char *at = operand_bytes(x) ? place_of(c, x) : NULL;
      if (at)
        fn(c, x, at, operand_bytes(x), offset);
    }
  }
}

static void measure(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset)
{
  (void)at;
  *offset += n;
  if (x->segment != BPI_BLOCK)
    return;
  c->lo = c->hi == 0 || x->offset < c->lo ? x->offset : c->lo;
  c->hi = x->offset + n > c->hi ? x->offset + n : c->hi;
}

static void keep_before(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset)
{
  (void)x;
  memcpy(c->before + *offset, at, n);
  *offset += n;
}

static void keep_made(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset)
{
  (void)x;
  memcpy(c->made + *offset, at, n);
  *offset += n;
}

static void put_back(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset)
{
  (void)x;
  memcpy(at, c->before + *offset, n);
  *offset += n;
}

/* From the last result back: one that lies under a later one is gone, and one that compiled code keeps to itself was never there.
 * *offset is the end of the results that are left; SIZE_MAX: something differs. */
static void compare(run_check *c, const bpi_operand *x, char *at, size_t n, size_t *offset)
{
  if (*offset == SIZE_MAX)
    return;
  *offset -= n;
  const char *made = c->made + *offset;
  size_t each = bp_dtype_size((bp_dtype)x->dtype);
  if (x->segment != BPI_BLOCK) {
    *offset = same_elements((bp_dtype)x->dtype, n, at, made) ? *offset : SIZE_MAX;
    return;
  }
  uint8_t *later = c->later + (x->offset - c->lo);
  for (size_t i = 0; i < n; i += each) {
    if (!later[i] && !later[i + each - 1] && !c->local[x->value] &&
        !same_element((bp_dtype)x->dtype, at + i, made + i)) {
      *offset = SIZE_MAX;
      return;
    }
    memset(later + i, 1, each);
  }
}

static bp_status check_run(run_check *c, bpi_jit_piece *p, size_t bytes)
{
  size_t at = 0;
  each_result(c, false, &at, keep_before);
  int guard = ((bpi_code_run)p->fn)(c->env);
  at = 0;
  each_result(c, false, &at, keep_made);
  at = 0;
  each_result(c, false, &at, put_back);
  bp_status s = bpi_frame_run_some(c->f, p->where.first, p->where.count);
  if (s !=
      BP_OK) { /* a guard: nothing is known of what comes after it, unless compiled code saw no reason to stop */
    if (guard && c->f->failed == &c->f->plan->instrs[guard - 1])
      atomic_store(&p->check, BPI_UNCHECKED);
    else
      settle(c->f, p, false);
    return s;
  }
  at = bytes;
  if (!guard)
    each_result(c, true, &at, compare);
  settle(c->f, p, !guard && at != SIZE_MAX);
  return s;
}

static size_t longest_program(const bp_plan *p, const bpi_piece *w)
{
  int64_t most = 0;
  for (uint32_t k = 0; k < w->count; k++) {
    const bpi_instr *i = &p->instrs[w->first + k];
    most = i->kind == BPI_DO_SCALARS && i->n > most ? i->n : most;
  }
  return (size_t)most;
}

bp_status bpi_jit_check(bpi_frame *f, bpi_jit_piece *p, const bpi_code_env *env)
{
  if (p->where.kind == BPI_PIECE_PART)
    return check_part(f, p);
  bp_ctx *ctx = f->plan->ctx;
  run_check c = {.f = f, .p = p, .env = env, .local = f->run->jit->jit->local};
  size_t bytes = 0;
  bp_status s;
  each_result(&c, false, &bytes, measure);
  c.before = bpi_zalloc(ctx, bytes + 1, 2);
  c.later = bpi_zalloc(ctx, c.hi - c.lo + 1, 1);
  c.rows = bpi_alloc(ctx, longest_program(f->plan, &p->where) + 1, sizeof *c.rows);
  c.made = c.before ? c.before + bytes : NULL;
  if (c.before && c.later && c.rows)
    s = check_run(&c, p, bytes);
  else {
    atomic_store(&p->check, BPI_UNCHECKED);
    s = bpi_frame_run_some(f, p->where.first, p->where.count);
  }
  bpi_free(ctx, c.before);
  bpi_free(ctx, c.later);
  bpi_free(ctx, c.rows);
  return s;
}

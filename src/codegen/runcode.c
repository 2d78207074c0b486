/* A run of instructions on small arrays as one function: straight lines for single elements, loops of fixed length for the rest.
 *
 * Neighbouring elementwise instructions over equally many elements share a loop, as long as each turn touches only its own
 * elements of what the loop writes. */
#include "codegen/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function of SCOPE_WEIGHT is compiled in well under a second. */
enum { SMALL = 256, SCOPE_WEIGHT = 3000, MOST_POINTERS = 24, INLINED = 1000 };

uint32_t bpi_code_room_of(const bp_plan *p, uint32_t value)
{
  while (p->parent[value])
    value = p->parent[value];
  return value;
}

static size_t elem_size(const bpi_operand *x)
{
  return bp_dtype_size((bp_dtype)x->dtype);
}

/* ---- which instructions ---- */

static bool loop_is_small(const bp_plan *p, const bpi_instr *i)
{
  return i->n_out == 1 && bpi_code_body_type(p, i->op, i->loop) >= 0;
}

static bool guard_is_small(const bpi_instr *i)
{
  for (uint32_t k = 0; k < i->n_in; k++)
    if (i->x[k].size > SMALL)
      return false;
  return true;
}

bool bpi_code_next_row(const bpi_instr *i, const uint32_t **at, bpi_code_row *row)
{
  const bpi_scalars *p = i->scalars;
  if (!row->left) {
    if (*at >= p->end)
      return false;
    row->step = bpi_run_step_of(p, **at);
    row->left = bpi_run_length(*(*at)++);
  }
  const bpi_scalar_step *s = row->step;
  for (uint32_t k = 0; k <= s->n_in; k++, ++*at)
    row->x[k] = (bpi_operand){.segment = BPI_BLOCK,
                              .dtype = s->dtype[k],
                              .contiguous = true,
                              .value = p->values[*at - p->code],
                              .offset = **at,
                              .size = 1};
  row->take = s->loop ? 0 : (uint32_t)row->x[0].offset;
  if (!s->loop)
    row->x[s->n_in].dtype = i->x[row->take].dtype;
  row->left--;
  return true;
}

static bool scalars_are_known(const bp_plan *p, const bpi_instr *i)
{
  const uint32_t *at = i->scalars->code;
  while (at < i->scalars->end) {
    const bpi_scalar_step *s = bpi_run_step_of(i->scalars, *at);
    if (s->loop && bpi_code_body_type(p, s->op, s->loop) < 0)
      return false;
    at += 1 + bpi_run_length(*at) * (s->n_in + 1u);
  }
  return true;
}

bool bpi_code_is_small(const bp_plan *p, const bpi_instr *i)
{
  if (i->threads > 1)
    return false;
  if (i->kind == BPI_DO_GUARD)
    return guard_is_small(i);
  if (i->kind == BPI_DO_KERNEL)
    return bpi_code_is_row(p, i);
  if (i->kind == BPI_DO_SCALARS)
    return scalars_are_known(p, i);
  if (i->n > SMALL || i->n < 1)
    return false;
  return i->kind == BPI_DO_LOOP   ? loop_is_small(p, i)
         : i->kind == BPI_DO_TILE ? bpi_code_is_part(p, i) && !i->tile->n_sums
                                  : i->kind == BPI_DO_COPY || i->kind == BPI_DO_COMMIT;
}

/* ---- where operands are ---- */

/* The local variable that an operand is in, or NULL where it is in memory. */
static bpi_code_room *local_room(const bpi_emit *e, const bpi_operand *x)
{
  if (x->segment != BPI_BLOCK)
    return NULL;
  bpi_code_room *r = &e->rooms[bpi_code_room_of(e->p, x->value)];
  return r->stored ? NULL : r;
}

static bool is_scalar(const bpi_code_room *r)
{
  return r->hi - r->lo == bp_dtype_size((bp_dtype)r->dtype);
}

/* Number of a state entry among those of the plan: they ascend. */
static size_t entry_number(const bp_plan *p, uint32_t entry)
{
  size_t lo = 0, hi = p->n_entries;
  while (hi - lo > 1) {
    size_t mid = (lo + hi) / 2;
    if (p->entries[mid].entry <= entry)
      lo = mid;
    else
      hi = mid;
  }
  return lo;
}

static void write_base(const bpi_emit *e, bpi_text *t, const bpi_operand *x)
{
  switch ((bpi_segment)x->segment) {
  case BPI_BLOCK:
    bpi_textf(t, "b");
    break;
  case BPI_CONSTANTS:
    bpi_textf(t, "k");
    break;
  case BPI_STATE:
    bpi_textf(t, e->by_env ? "e->state[%zu]" : "s%zu", entry_number(e->p, x->index));
    break;
  case BPI_INPUT:
    bpi_textf(t, e->by_env ? "e->inputs[%u]" : "in%u", x->index);
  }
}

void bpi_code_element(const bpi_emit *e, bpi_text *t, const bpi_operand *x, const char *index)
{
  const bpi_code_room *r = local_room(e, x);
  if (r && is_scalar(r)) {
    bpi_textf(t, "v%u", bpi_code_room_of(e->p, x->value));
    return;
  }
  if (r) {
    bpi_textf(t, "v%u[%zu + ", bpi_code_room_of(e->p, x->value), (x->offset - r->lo) / elem_size(x));
  } else if (x->segment == BPI_CONSTANTS && x->size == 1) {
    bpi_code_number(t, x->dtype, e->p->constants + x->offset);
    return;
  } else {
    const char *type = bpi_code_type(x->dtype);
    bpi_textf(t, "((%s%s *)(", x->segment == BPI_BLOCK || x->segment == BPI_STATE ? "" : "const ", type);
    write_base(e, t, x);
    bpi_textf(t, " + %zu))[", x->offset);
  }
  bpi_textf(t, "%s]", index);
}

static void write_strided(const bpi_emit *e, bpi_text *t, const bpi_operand *x)
{
  char at[256];
  bpi_text offset;
  bpi_text_init(&offset, e->p->ctx);
  bpi_code_offset(&offset, x, "i");
  bool fits = offset.s && offset.n < sizeof at;
  snprintf(at, sizeof at, "%s", fits ? offset.s : "0");
  t->failed = t->failed || !fits;
  bpi_text_free(&offset);
  bpi_code_element(e, t, x, at);
}

/* A local variable, the first time that something is put there. */
void bpi_code_declare(bpi_emit *e, const bpi_operand *x)
{
  bpi_code_room *r = local_room(e, x);
  if (!r || r->declared)
    return;
  size_t n = (r->hi - r->lo) / bp_dtype_size((bp_dtype)r->dtype);
  r->declared = true;
  bpi_textf(&e->t, "%s v%u", bpi_code_type(r->dtype), bpi_code_room_of(e->p, x->value));
  bpi_textf(&e->t, n > 1 ? "[%zu] __attribute__((aligned(64)));\n" : ";\n", n);
}

/* ---- the open loop ---- */

bool bpi_code_span(const bpi_operand *x, size_t *bytes)
{
  size_t span = 1;
  bool forward = true;
  for (int k = 0; k < x->rank && !x->contiguous; k++) {
    forward = forward && x->strides[k] >= 0;
    span += x->dims[k] > 1 ? (size_t)(x->dims[k] - 1) * (size_t)llabs((long long)x->strides[k]) : 0;
  }
  *bytes = (x->contiguous ? (size_t)x->size : span) * elem_size(x);
  return forward;
}

/* Backward strides begin anywhere: they touch all there is. */
static bpi_code_touch touch_of(const bpi_emit *e, const bpi_operand *x, bool write, bool exact)
{
  const bpi_code_room *r = local_room(e, x);
  size_t bytes;
  bool forward = bpi_code_span(x, &bytes);
  return (bpi_code_touch){.space = r ? (UINT64_C(1) << 40) + bpi_code_room_of(e->p, x->value)
                                     : ((uint64_t)x->segment << 32) + x->index,
                          .lo = forward ? x->offset : 0,
                          .hi = forward ? x->offset + bytes : SIZE_MAX,
                          .write = write,
                          .exact = exact};
}

static bool meets(const bpi_code_touch *a, const bpi_code_touch *b)
{
  if (a->space != b->space || !(a->write || b->write) || a->lo >= b->hi || b->lo >= a->hi)
    return false;
  return !(a->exact && b->exact && a->lo == b->lo && a->hi == b->hi);
}

void bpi_code_close_loop(bpi_emit *e)
{
  if (!e->loop)
    return;
  bpi_text_add(&e->t, e->head.s ? e->head.s : "", e->head.n);
  bpi_textf(&e->t, "APART\nfor (int i = 0; i < %" PRId64 "; i++) {\n", e->loop);
  bpi_text_add(&e->t, e->body.s ? e->body.s : "", e->body.n);
  bpi_textf(&e->t, "}\n");
  e->t.failed = e->t.failed || e->head.failed || e->body.failed;
  e->head.n = e->body.n = 0;
  e->loop = 0;
  e->n_touch = 0;
}

/* Opens a loop over n elements, or goes on with the open one where that is the same as running one after the other. */
static void join_loop(bpi_emit *e, const bpi_instr *i, const bool *exact)
{
  bpi_code_touch mine[2 * BPI_MAX_BODY_IN + 32];
  int n = 0, most = (int)(sizeof mine / sizeof *mine);
  bool alone = e->loop != i->n || e->n_touch + (int)(i->n_in + i->n_out) > BPI_CODE_TOUCHES ||
               (int)(i->n_in + i->n_out) > most;
  for (uint32_t k = 0; !alone && k < i->n_in + i->n_out; k++) {
    mine[n] = touch_of(e, &i->x[k], k >= i->n_in, k >= i->n_in || exact[k]);
    for (int j = 0; j < e->n_touch && !alone; j++)
      alone = meets(&mine[n], &e->touch[j]);
    n++;
  }
  if (alone)
    bpi_code_close_loop(e);
  for (uint32_t k = i->n_in; k < i->n_in + i->n_out; k++)
    if (i->x[k].size >= 0)
      bpi_code_declare(e, &i->x[k]);
  if (i->n == 1)
    return;
  e->loop = i->n;
  for (uint32_t k = 0; k < i->n_in + i->n_out && e->n_touch < BPI_CODE_TOUCHES; k++)
    e->touch[e->n_touch++] = touch_of(e, &i->x[k], k >= i->n_in, k >= i->n_in || exact[k]);
}

static bpi_text *open_text(bpi_emit *e)
{
  return e->loop ? &e->body : &e->t;
}

/* ---- each kind ---- */

static void write_input(bpi_emit *e, bpi_text *t, const bpi_operand *x, bool each)
{
  if (!each)
    bpi_code_element(e, t, x, "0");
  else if (x->contiguous)
    bpi_code_element(e, t, x, e->loop ? "i" : "0");
  else if (e->loop)
    write_strided(e, t, x);
  else
    bpi_code_element(e, t, x, "0");
}

/* An operand that is one element for all is read before the loop. */
static uint32_t hoist(bpi_emit *e, const bpi_operand *x)
{
  uint32_t name = e->temps++;
  bpi_text *t = e->loop ? &e->head : &e->t;
  bpi_textf(t, "const %s t%u = ", bpi_code_type(x->dtype), name);
  bpi_code_element(e, t, x, "0");
  bpi_textf(t, ";\n");
  return name;
}

static void write_loop_instr(bpi_emit *e, const bpi_instr *i)
{
  bool each[BPI_MAX_BODY_IN];
  uint32_t name[BPI_MAX_BODY_IN];
  int type = bpi_code_body_type(e->p, i->op, i->loop), id = i->op->body->id;
  for (uint32_t k = 0; k < i->n_in; k++)
    each[k] = i->step[k] != 0;
  join_loop(e, i, each);
  for (uint32_t k = 0; k < i->n_in && e->loop; k++)
    name[k] = each[k] ? 0 : hoist(e, &i->x[k]);
  bpi_text *t = open_text(e);
  bpi_code_element(e, t, &i->x[i->n_in], e->loop ? "i" : "0");
  bpi_textf(t, " = ");
  bpi_code_call(e, t, id, type);
  for (uint32_t k = 0; k < i->n_in; k++) {
    bpi_textf(t, k ? ", " : "");
    if (e->loop && !each[k])
      bpi_textf(t, "t%u", name[k]);
    else
      write_input(e, t, &i->x[k], each[k]);
  }
  bpi_code_call_end(e, t, id, type, i->params);
  bpi_textf(t, ";\n");
}

static void write_copy(bpi_emit *e, const bpi_instr *i)
{
  const bool each = i->x[0].contiguous;
  join_loop(e, i, &each);
  bpi_text *t = open_text(e);
  bpi_code_element(e, t, &i->x[1], e->loop ? "i" : "0");
  bpi_textf(t, " = ");
  write_input(e, t, &i->x[0], true);
  bpi_textf(t, ";\n");
}

/* ---- tile programs ---- */

typedef struct small_tile {
  bpi_emit *e;
  const bpi_instr *i;
  uint32_t *slots,
      *known; /* names: what each slot holds; of operands, + 1: results, and what was read before the loop */
} small_tile;

static void write_tile_ref(const small_tile *w, bpi_text *t, const bpi_tile_ref *r)
{
  if (r->slot)
    bpi_textf(t, "t%u", w->slots[r->index]);
  else if (w->known[r->index] && (r->index >= w->i->n_in || !r->step))
    bpi_textf(t, "t%u", w->known[r->index] - 1);
  else
    write_input(w->e, t, &w->i->x[r->index], r->step != 0);
}

static void write_tile_step(const small_tile *w, const bpi_tile_step *s)
{
  bpi_emit *e = w->e;
  for (int k = 0; s->loop && e->loop && k < s->n_in; k++)
    if (!s->in[k].slot && !s->in[k].step && !w->known[s->in[k].index])
      w->known[s->in[k].index] = hoist(e, &w->i->x[s->in[k].index]) + 1;
  bpi_text *t = open_text(e);
  uint32_t name = e->temps++;
  const bpi_operand *loaded = s->loop ? NULL : &w->i->x[s->in[0].index];
  bpi_textf(t, "const %s t%u = ", bpi_code_type(loaded ? loaded->dtype : s->dtype[s->n_in]), name);
  if (loaded) {
    write_input(e, t, loaded, true);
  } else {
    int type = bpi_code_body_type(e->p, s->op, s->loop);
    bpi_code_call(e, t, s->op->body->id, type);
    for (int k = 0; k < s->n_in; k++) {
      bpi_textf(t, k ? ", " : "");
      write_tile_ref(w, t, &s->in[k]);
    }
    bpi_code_call_end(e, t, s->op->body->id, type, s->params);
  }
  bpi_textf(t, ";\n");
  if (s->out.slot) {
    w->slots[s->out.index] = name;
    return;
  }
  const bpi_operand *y = &w->i->x[s->out.index];
  w->known[s->out.index] = name + 1;
  bpi_code_element(e, t, y, e->loop ? "i" : "0");
  bpi_textf(t, " = t%u;\n", name);
}

/* Names of the program's own temporaries stay inside its braces. */
static void write_tile(bpi_emit *e, const bpi_instr *i)
{
  size_t n = (size_t)i->n_in + i->n_out;
  small_tile w = {.e = e, .i = i};
  bool *each = bpi_zalloc(e->p->ctx, n + 1, sizeof *each);
  w.slots = bpi_zalloc(e->p->ctx, i->tile->n_slots + (size_t)1, sizeof *w.slots);
  w.known = bpi_zalloc(e->p->ctx, n + 1, sizeof *w.known);
  if (!each || !w.slots || !w.known || !i->x)
    e->t.failed = true;
  else {
    for (uint32_t k = 0; k < i->n_in; k++)
      each[k] = i->x[k].contiguous && i->x[k].size == i->n;
    join_loop(e, i, each);
    for (size_t k = 0; k < i->tile->n_steps; k++)
      write_tile_step(&w, &i->tile->steps[k]);
  }
  bpi_free(e->p->ctx, each);
  bpi_free(e->p->ctx, w.slots);
  bpi_free(e->p->ctx, w.known);
}

/* ---- programs over single elements ---- */

static void write_scalars(bpi_emit *e, const bpi_instr *i)
{
  bpi_code_row row = {.left = 0};
  const uint32_t *at = i->scalars->code;
  bpi_code_close_loop(e);
  e->calls = i->n > INLINED;
  while (bpi_code_next_row(i, &at, &row)) {
    const bpi_scalar_step *s = row.step;
    bpi_code_next_scope(e, s->loop ? bpi_code_body_weight(s->op->body->id) : 1);
    bpi_code_declare(e, &row.x[s->n_in]);
    bpi_code_element(e, &e->t, &row.x[s->n_in], "0");
    bpi_textf(&e->t, " = ");
    if (!s->loop)
      bpi_code_element(e, &e->t, &i->x[row.take], "0");
    else {
      int type = bpi_code_body_type(e->p, s->op, s->loop);
      bpi_code_call(e, &e->t, s->op->body->id, type);
      for (uint32_t k = 0; k < s->n_in; k++) {
        bpi_textf(&e->t, k ? ", " : "");
        bpi_code_element(e, &e->t, &row.x[k], "0");
      }
      bpi_code_call_end(e, &e->t, s->op->body->id, type, s->params);
    }
    bpi_textf(&e->t, ";\n");
  }
  e->calls = false;
}

/* ---- guards ---- */

static void write_guard(bpi_emit *e, uint32_t instr)
{
  const bpi_instr *i = &e->p->instrs[instr];
  bpi_code_close_loop(e);
  bpi_textf(&e->t, "{\nint fine = 1;\n");
  for (uint32_t k = 0; k < i->n_in; k++) {
    const bpi_operand *x = &i->x[k];
    int64_t n = x->contiguous || x->size == 0 ? x->size : 1;
    bpi_textf(&e->t, "for (int i = 0; i < %" PRId64 "; i++) {\nconst %s x = ", n, bpi_code_type(x->dtype));
    bpi_code_element(e, &e->t, x, "i");
    bpi_textf(&e->t, ";\nfine &= x - x == 0;\n}\n");
  }
  bpi_textf(&e->t, "if (!fine)\nreturn %u;\n}\n", instr + 1);
}

/* ---- all of them ---- */

/* Calls `write` for every segment that the run touches beside block and constants, once; returns how many there are. */
static size_t each_pointer(bpi_emit *e, void (*write)(bpi_text *t, bool state, size_t number))
{
  const bpi_piece *w = e->writing;
  size_t n_pointers = 0;
  memset(e->seen, 0, e->p->n_entries + e->p->n_inputs);
  for (uint32_t n = w->first; n < w->first + w->count; n++)
    for (uint32_t k = 0; k < e->p->instrs[n].n_in + e->p->instrs[n].n_out; k++) {
      const bpi_operand *x = &e->p->instrs[n].x[k];
      bool state = x->segment == BPI_STATE;
      if (x->size < 0 || !(state || x->segment == BPI_INPUT))
        continue;
      size_t at = state ? entry_number(e->p, x->index) : x->index;
      uint8_t *seen = &e->seen[state ? at : e->p->n_entries + at];
      if (!*seen && write && !e->by_env)
        write(&e->t, state, at);
      n_pointers += !*seen;
      *seen = 1;
    }
  return n_pointers;
}

static void as_parameter(bpi_text *t, bool state, size_t number)
{
  bpi_textf(t, state ? ", char *restrict s%zu" : ", const char *restrict in%zu", number);
}

static void as_argument(bpi_text *t, bool state, size_t number)
{
  bpi_textf(t, state ? ", e->state[%zu]" : ", e->inputs[%zu]", number);
}

/* Pointers are parameters, for compilers believe `restrict` of those. Nothing overlaps: bpi_jit_bound sees to it. */
static void open_scope(bpi_emit *e)
{
  bpi_textf(&e->t,
            "static SCOPE int run%u_%u(const env *e, char *restrict b, const char "
            "*restrict k",
            e->piece, e->scope - e->first_scope);
  each_pointer(e, as_parameter);
  bpi_textf(&e->t, ")\n{\nint far = 0;\nconst int careful = 1;\n(void)e, (void)b, (void)k, (void)far, "
                   "(void)careful;\n");
}

static void close_scope(bpi_emit *e)
{
  bpi_code_close_loop(e);
  bpi_textf(&e->t, "return 0;\n}\n");
}

void bpi_code_next_scope(bpi_emit *e, double weight)
{
  if (e->scope_weight > 0 && e->scope_weight + weight > SCOPE_WEIGHT) {
    if (e->writing)
      close_scope(e);
    e->scope++;
    e->scope_weight = 0;
    if (e->writing)
      open_scope(e);
  }
  e->scope_weight += weight;
}

void bpi_code_begin_run(bpi_emit *e, const bpi_piece *piece)
{
  e->first_scope = ++e->scope;
  e->scope_weight = 0;
  e->writing = piece;
  if (!piece)
    return;
  e->by_env = false;
  e->by_env = each_pointer(e, NULL) > MOST_POINTERS;
  open_scope(e);
}

void bpi_code_end_run(bpi_emit *e)
{
  if (!e->writing)
    return;
  close_scope(e);
  bpi_textf(&e->t, "EXPORT int " BPI_CODE_NAME "%u(const env *e)\n{\nint guard;\n", e->piece);
  for (uint32_t k = e->first_scope; k <= e->scope; k++) {
    bpi_textf(&e->t, "if ((guard = run%u_%u(e, e->block, e->constants", e->piece, k - e->first_scope);
    each_pointer(e, as_argument);
    bpi_textf(&e->t, ")) != 0)\nreturn guard;\n");
  }
  bpi_textf(&e->t, "return 0;\n}\n");
}

void bpi_code_write_small(bpi_emit *e, uint32_t instr)
{
  const bpi_instr *i = &e->p->instrs[instr];
  switch ((bpi_kind)i->kind) {
  case BPI_DO_LOOP:
    write_loop_instr(e, i);
    break;
  case BPI_DO_TILE:
    write_tile(e, i);
    break;
  case BPI_DO_GUARD:
    write_guard(e, instr);
    break;
  case BPI_DO_KERNEL:
    bpi_code_close_loop(e);
    bpi_code_write_row(e, i);
    break;
  case BPI_DO_SCALARS:
    write_scalars(e, i);
    break;
  default:
    write_copy(e, i);
  }
}

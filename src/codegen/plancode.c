/* A plan as C: which instructions go together, and where their values live. */
#include "codegen/emit.h"

#include <string.h>

/* What is compiled in well under a minute. */
#define MOST_WEIGHT 600000.0
enum { MOST_LOCAL = 4096 };

/* ---- pieces ---- */

static double scalars_weight(const bpi_scalars *p)
{
  double weight = 0;
  for (const uint32_t *at = p->code; at < p->end;) {
    const bpi_scalar_step *s = bpi_run_step_of(p, *at);
    uint32_t n = bpi_run_length(*at);
    weight += n * (s->loop ? bpi_code_body_weight(s->op->body->id) : 1);
    at += 1 + n * (s->n_in + 1u);
  }
  return weight;
}

static double instr_weight(const bpi_instr *i)
{
  double weight = 1;
  if (i->kind == BPI_DO_SCALARS)
    return scalars_weight(i->scalars);
  if (i->kind == BPI_DO_LOOP)
    return bpi_code_body_weight(i->op->body->id);
  if (i->kind == BPI_DO_TILE)
    for (size_t k = 0; k < i->tile->n_steps; k++)
      weight += i->tile->steps[k].loop ? bpi_code_body_weight(i->tile->steps[k].op->body->id) : 1;
  return i->kind == BPI_DO_KERNEL ? 30 : weight;
}

static bpi_piece_kind kind_of(const bp_plan *p, const bpi_instr *i)
{
  return bpi_code_is_small(p, i) ? BPI_PIECE_RUN : bpi_code_is_part(p, i) ? BPI_PIECE_PART : BPI_PIECE_STEPS;
}

static bp_status cut(bpi_emit *e)
{
  bpi_code *c = e->code;
  const bp_plan *p = e->p;
  double all = 0;
  c->pieces = bpi_alloc(p->ctx, p->n_instrs + 1, sizeof *c->pieces);
  if (!c->pieces)
    return bpi_nomem();
  for (uint32_t n = 0; n < p->n_instrs; n++) {
    bpi_piece_kind kind = kind_of(p, &p->instrs[n]);
    double w = kind == BPI_PIECE_STEPS ? 0 : instr_weight(&p->instrs[n]);
    if (all + w > MOST_WEIGHT)
      kind = BPI_PIECE_STEPS;
    bpi_piece *last = c->n_pieces ? &c->pieces[c->n_pieces - 1] : NULL;
    if (!last || last->kind != kind || kind == BPI_PIECE_PART) {
      c->pieces[c->n_pieces++] = (bpi_piece){.first = n, .kind = (uint8_t)kind};
      c->compiled += kind != BPI_PIECE_STEPS;
    }
    c->pieces[c->n_pieces - 1].count++;
    all += kind == BPI_PIECE_STEPS ? 0 : w;
  }
  return BP_OK;
}

/* ---- rooms of values ---- */

/* scope: that the operand is touched in; 0: what is no run. */
static void see_operand(bpi_emit *e, const bpi_operand *x, uint32_t scope)
{
  size_t bytes;
  if (x->segment != BPI_BLOCK || x->size < 0)
    return;
  bpi_code_room *r = &e->rooms[bpi_code_room_of(e->p, x->value)];
  bool forward = bpi_code_span(x, &bytes), fresh = r->hi == 0;
  r->lo = fresh || x->offset < r->lo ? x->offset : r->lo;
  r->hi = x->offset + bytes > r->hi ? x->offset + bytes : r->hi;
  r->stored = r->stored || !scope || !forward || (!fresh && (r->scope != scope || r->dtype != x->dtype)) ||
              r->hi - r->lo > MOST_LOCAL;
  r->scope = scope;
  r->dtype = x->dtype;
}

static void see_rows(bpi_emit *e, const bpi_instr *i, bool inside)
{
  bpi_code_row row = {.left = 0};
  const uint32_t *at = i->scalars->code;
  while (bpi_code_next_row(i, &at, &row)) {
    const bpi_scalar_step *s = row.step;
    if (inside)
      bpi_code_next_scope(e, s->loop ? bpi_code_body_weight(s->op->body->id) : 1);
    for (uint32_t k = s->loop ? 0 : s->n_in; k <= s->n_in; k++)
      see_operand(e, &row.x[k], inside ? e->scope : 0);
    if (!s->loop)
      see_operand(e, &i->x[row.take], inside ? e->scope : 0);
  }
}

/* A guard is told of in the interpreter's words, which reads what is wrong from the block. */
static void see_instr(bpi_emit *e, const bpi_instr *i, bool inside)
{
  if (i->kind == BPI_DO_SCALARS) {
    see_rows(e, i, inside);
    return;
  }
  if (inside)
    bpi_code_next_scope(e, instr_weight(i));
  for (uint32_t k = 0; k < i->n_in + i->n_out; k++)
    see_operand(e, &i->x[k], inside && i->kind != BPI_DO_GUARD ? e->scope : 0);
}

static void place_rooms(bpi_emit *e)
{
  const bp_plan *p = e->p;
  for (size_t n = 0; n < e->code->n_pieces; n++) {
    const bpi_piece *piece = &e->code->pieces[n];
    bool inside = piece->kind == BPI_PIECE_RUN;
    if (inside)
      bpi_code_begin_run(e, NULL);
    for (uint32_t k = 0; k < piece->count; k++)
      see_instr(e, &p->instrs[piece->first + k], inside);
  }
  for (size_t k = 0; k < p->n_outputs; k++)
    see_operand(e, &p->outputs[k], 0);
}

static bp_status tell_locals(bpi_emit *e)
{
  e->code->local = bpi_zalloc(e->p->ctx, e->p->n_values + (size_t)1, sizeof *e->code->local);
  for (uint32_t v = 0; e->code->local && v < e->p->n_values; v++)
    e->code->local[v] = !e->rooms[bpi_code_room_of(e->p, v)].stored;
  return e->code->local ? BP_OK : bpi_nomem();
}

/* ---- all of it ---- */

static void write_pieces(bpi_emit *e)
{
  e->scope = 0;
  for (uint32_t n = 0; n < e->code->n_pieces; n++) {
    const bpi_piece *piece = &e->code->pieces[n];
    e->piece = n;
    if (piece->kind == BPI_PIECE_PART)
      bpi_code_write_part(e, piece->first);
    if (piece->kind != BPI_PIECE_RUN)
      continue;
    bpi_code_begin_run(e, piece);
    for (uint32_t k = 0; k < piece->count; k++) {
      const bpi_instr *i = &e->p->instrs[piece->first + k];
      if (i->kind != BPI_DO_SCALARS)
        bpi_code_next_scope(e, instr_weight(i));
      bpi_code_write_small(e, piece->first + k);
    }
    bpi_code_end_run(e);
  }
}

static bp_status make(bpi_emit *e)
{
  const bp_plan *p = e->p;
  e->bodies = bpi_zalloc(p->ctx, BPI_BODY_COUNT, 1);
  e->rooms = bpi_zalloc(p->ctx, p->n_values + (size_t)1, sizeof *e->rooms);
  e->seen = bpi_zalloc(p->ctx, p->n_entries + p->n_inputs + 1, 1);
  if (!e->bodies || !e->rooms || !e->seen)
    return bpi_nomem();
  bp_status s = cut(e);
  if (s != BP_OK)
    return s;
  place_rooms(e);
  s = tell_locals(e);
  if (s != BP_OK)
    return s;
  write_pieces(e);
  bpi_code_prelude(e, &e->code->text);
  bpi_text_add(&e->code->text, e->t.s ? e->t.s : "", e->t.n);
  return e->t.failed || e->code->text.failed ? bpi_nomem() : BP_OK;
}

bp_status bpi_code_make(const bp_plan *p, bpi_code *c)
{
  bpi_emit *e = bpi_zalloc(p->ctx, 1, sizeof *e);
  *c = (bpi_code){.n_pieces = 0};
  bpi_text_init(&c->text, p->ctx);
  if (!e)
    return bpi_nomem();
  e->p = p;
  e->code = c;
  bpi_text_init(&e->t, p->ctx);
  bpi_text_init(&e->head, p->ctx);
  bpi_text_init(&e->body, p->ctx);
  bp_status s = make(e);
  bpi_text_free(&e->t);
  bpi_text_free(&e->head);
  bpi_text_free(&e->body);
  bpi_free(p->ctx, e->bodies);
  bpi_free(p->ctx, e->rooms);
  bpi_free(p->ctx, e->seen);
  bpi_free(p->ctx, e);
  if (s != BP_OK)
    bpi_code_free(c);
  return s;
}

void bpi_code_free(bpi_code *c)
{
  bp_ctx *ctx = c->text.ctx;
  bpi_text_free(&c->text);
  bpi_free(ctx, c->pieces);
  bpi_free(ctx, c->local);
  *c = (bpi_code){.n_pieces = 0};
  c->text.ctx = ctx;
}

bp_status bp_plan_c(const bp_plan *p, char **text)
{
  bpi_code c;
  if (!p || !text)
    return bpi_bad_arg("bp_plan_c", "plan or text");
  bp_status s = bpi_code_make(p, &c);
  if (s != BP_OK)
    return s;
  *text = bpi_text_take(&c.text);
  bpi_code_free(&c);
  return *text ? BP_OK : bpi_nomem();
}

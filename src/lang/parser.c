/* The parser's hands: tokens taken, steps given, texts begun. Recursion follows brackets alone, and is limited; chains of operators are
 * loops. */
#include "lang/parser.h"

#include <string.h>

/* ---- tokens ---- */

bool bpi_fail_at(bpi_parser *r, uint32_t at, bp_status s, const char *what)
{
  bpi_place_in place = {r->lx.source, at, at, at};
  bpi_mistake(r->p, &place, s, "%s", what);
  return false;
}

bool bpi_expected(bpi_parser *r, const char *what)
{
  bpi_place_in place = {r->lx.source, r->t.at, r->t.at, r->t.end};
  const char *text = r->lx.source->text + r->t.at;
  int n = (int)(r->t.end - r->t.at);
  if (r->t.kind == BPI_T_END || r->t.kind == BPI_T_LINE)
    bpi_mistake(r->p, &place, BP_E_PARSE, "%s is missing at the end of the %s", what,
                r->t.kind == BPI_T_END ? "text" : "line");
  else
    bpi_mistake(r->p, &place, BP_E_PARSE, "%s is wanted here, not '%.*s'", what, n > 40 ? 40 : n, text);
  return false;
}

bool bpi_next(bpi_parser *r)
{
  r->last_end = r->t.end;
  return bpi_lex(&r->lx, &r->t);
}

bool bpi_at_op(const bpi_parser *r, int op)
{
  return r->t.kind == BPI_T_OP && r->t.op == op;
}

bool bpi_take(bpi_parser *r, int op, const char *what)
{
  return bpi_at_op(r, op) ? bpi_next(r) : bpi_expected(r, what);
}

bool bpi_at_word(const bpi_parser *r, const char *word)
{
  return r->t.kind == BPI_T_NAME && strcmp(r->t.name->text, word) == 0;
}

bool bpi_deeper(bpi_parser *r)
{
  return ++r->depth <= BPI_DEPTH ||
         bpi_fail_at(r, r->t.at, BP_E_LIMIT, "brackets and operators are nested over 200 deep");
}

/* ---- steps ---- */

bool bpi_emit(bpi_parser *r, bpi_lstep s)
{
  bp_program *p = r->p;
  s.end = r->last_end;
  if (p->status != BP_OK)
    return false;
  if (!r->code)
    return bpi_do(p, r->lx.source, &s) == BP_OK;
  bpi_lcode *c = r->code;
  if (!bpi_grow(p->ctx, (void **)&c->steps, &c->steps_cap, c->n_steps, sizeof *c->steps)) {
    bpi_lang_nomem(p);
    return false;
  }
  c->steps[c->n_steps++] = s;
  return true;
}

bool bpi_emit_value(bpi_parser *r, bpi_value v, uint32_t at)
{
  const bpi_value *kept = &v;
  if (r->code) {
    bpi_value *copy = bpi_arena_alloc(&r->p->arena, 1, sizeof *copy);
    if (!copy) {
      bpi_lang_nomem(r->p);
      return false;
    }
    *copy = v;
    kept = copy;
  }
  return bpi_emit(r, (bpi_lstep){.kind = BPI_S_VALUE, .value = kept, .at = at, .begin = at});
}

bool bpi_emit_op(bpi_parser *r, bpi_step_kind kind, int op, uint32_t n, uint32_t at, uint32_t begin)
{
  return bpi_emit(r, (bpi_lstep){.kind = (uint8_t)kind, .op = op, .n = n, .at = at, .begin = begin});
}

bool bpi_emit_name(bpi_parser *r, bpi_step_kind kind, const bpi_lname *name, uint32_t at, uint32_t begin)
{
  return bpi_emit(r, (bpi_lstep){.kind = (uint8_t)kind, .name = name, .at = at, .begin = begin});
}

/* ---- texts ---- */

static bool begin(bpi_parser *r, bp_program *p, const bpi_lsource *source)
{
  memset(r, 0, sizeof *r);
  r->p = p;
  r->lx = (bpi_lexer){.p = p, .source = source, .line_start = true};
  if (source->n >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
    r->lx.at = 3; /* a byte order mark */
  return bpi_next(r);
}

bp_status bpi_parse(bp_program *p, const bpi_lsource *source)
{
  bpi_parser r;
  bool ok = begin(&r, p, source);
  if (ok && r.t.kind == BPI_T_END)
    bpi_fail_at(&r, r.t.at, BP_E_PARSE, "the text is empty");
  while (ok && r.t.kind != BPI_T_END)
    ok = bpi_parse_statement(&r);
  return p->status;
}

bp_status bpi_parse_expression(bp_program *p, const bpi_lsource *source)
{
  bpi_parser r;
  if (!begin(&r, p, source) || !bpi_parse_tuple(&r))
    return p->status;
  while (r.t.kind == BPI_T_LINE || bpi_at_op(&r, ';'))
    if (!bpi_next(&r))
      return p->status;
  if (r.t.kind != BPI_T_END)
    bpi_expected(&r, "an operator or the end");
  return p->status;
}

/* Statements: assignments, definitions, outputs. */
#include "lang/parser.h"

#include <string.h>

/* Looks ahead for NAME, NAME, ... = and counts the names. 0: no assignment. A stop of the lexer is told when it is met again. */
static uint32_t assigned_names(const bpi_parser *r)
{
  bpi_parser ahead = *r;
  uint32_t n = 0;
  bp_status before = r->p->status;
  while (ahead.t.kind == BPI_T_NAME) {
    n++;
    if (!bpi_next(&ahead) || bpi_at_op(&ahead, '='))
      return before == r->p->status && bpi_at_op(&ahead, '=') ? n : 0;
    if (!bpi_at_op(&ahead, ',') || !bpi_next(&ahead))
      return 0;
  }
  return n && bpi_at_op(&ahead, '=') ? n : 0;
}

/* NAME ( NAME, ... ) =, a function on one line. */
static bool defines_function(const bpi_parser *r)
{
  bpi_parser ahead = *r;
  if (!bpi_next(&ahead) || !bpi_at_op(&ahead, '(') || !bpi_next(&ahead))
    return false;
  while (ahead.t.kind == BPI_T_NAME) {
    if (!bpi_next(&ahead))
      return false;
    if (bpi_at_op(&ahead, ',') && !bpi_next(&ahead))
      return false;
  }
  return bpi_at_op(&ahead, ')') && bpi_next(&ahead) && bpi_at_op(&ahead, '=');
}

static bool end_statement(bpi_parser *r)
{
  if (bpi_at_op(r, '='))
    return bpi_fail_at(r, r->t.at, BP_E_PARSE,
                       "only names are assigned; an array is not changed in place: where(test, a, b) or "
                       "concatenate makes a new one");
  if (r->t.kind != BPI_T_LINE && r->t.kind != BPI_T_END && !bpi_at_op(r, ';'))
    return bpi_refuse_word(r) ? false : bpi_expected(r, "an operator or the end of the line");
  if (!r->code)
    bpi_statement_done(r->p);
  return r->t.kind == BPI_T_END || bpi_next(r);
}

static bool parse_assignment(bpi_parser *r, uint32_t n)
{
  const bpi_lname **names = bpi_arena_alloc(&r->p->arena, n, sizeof *names);
  uint32_t begin = r->t.at;
  if (!names) {
    bpi_lang_nomem(r->p);
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    names[i] = r->t.name;
    for (int k = 0; k < 2; k++) /* the name, and what stands behind it */
      if (!bpi_next(r))
        return false;
  }
  if (n == 1 && r->t.kind == BPI_T_NAME && assigned_names(r) == 1)
    return bpi_fail_at(r, r->t.at, BP_E_PARSE, "one assignment a statement; a = b = c is not understood");
  if (!bpi_parse_tuple(r))
    return false;
  return n == 1 ? bpi_emit_name(r, BPI_S_ASSIGN, names[0], begin, begin)
                : bpi_emit(r, (bpi_lstep){
                                  .kind = BPI_S_UNPACK, .names = names, .n = n, .at = begin, .begin = begin});
}

/* x += e is x = x + e. */
static bool parse_augmented(bpi_parser *r)
{
  const bpi_lname *name = r->t.name;
  uint32_t begin = r->t.at;
  if (!bpi_emit_name(r, BPI_S_NAME, name, begin, begin) || !bpi_next(r))
    return false;
  int op = r->t.op & 0xff;
  uint32_t at = r->t.at;
  return bpi_next(r) && bpi_parse_tuple(r) && bpi_emit_op(r, BPI_S_BINARY, op, 2, at, begin) &&
         bpi_emit_name(r, BPI_S_ASSIGN, name, begin, begin);
}

static bool is_augmented(const bpi_parser *r)
{
  bpi_parser ahead = *r;
  return bpi_next(&ahead) && ahead.t.kind == BPI_T_OP && ahead.t.op > 0xff && ahead.t.op >> 8 == '=' &&
         strchr("+-*/@", ahead.t.op & 0xff);
}

/* Statements of a body: on the same line after the colon, or the following lines that stand further in. */
static bool parse_body(bpi_parser *r, int indent)
{
  if (r->t.kind != BPI_T_LINE) {
    while (r->t.kind != BPI_T_LINE && r->t.kind != BPI_T_END)
      if (!bpi_parse_statement(r))
        return false;
      else if (r->t.indent >= 0)
        return true;
    return true;
  }
  if (!bpi_next(r))
    return false;
  int inner = r->t.indent;
  if (r->t.kind == BPI_T_END || inner <= indent)
    return bpi_fail_at(r, r->t.at, BP_E_PARSE,
                       "the body of the function is missing: lines that stand further in");
  while (r->t.kind != BPI_T_END && (r->t.indent < 0 || r->t.indent == inner))
    if (!bpi_parse_statement(r))
      return false;
  if (r->t.kind != BPI_T_END && r->t.indent > indent)
    return bpi_fail_at(r, r->t.at, BP_E_PARSE,
                       "this line does not stand in line with the others of the body");
  return true;
}

static bool parse_title(bpi_parser *r, bpi_lcode *c)
{
  if (r->t.kind != BPI_T_STRING)
    return true;
  c->title = r->t.name->text;
  return bpi_next(r) && (bpi_at_op(r, ';') ? bpi_next(r) : true);
}

/* def f(x, y): ... */
static bool parse_def(bpi_parser *r, int indent)
{
  uint32_t at = r->t.at, n_defaults = 0;
  if (!bpi_next(r))
    return false;
  if (r->t.kind != BPI_T_NAME)
    return bpi_expected(r, "the name of the function");
  const bpi_lname *name = r->t.name;
  bpi_lcode *c = bpi_new_code(r, name), *outer = r->code;
  if (!c || !bpi_next(r) || !bpi_take(r, '(', "'('") || !bpi_parse_params(r, c, ')', &n_defaults) ||
      !bpi_next(r) || !bpi_take(r, ':', "':'"))
    return false;
  if (!bpi_deeper(r) || !bpi_emit_function(r, c, n_defaults, at) ||
      !bpi_emit_name(r, BPI_S_ASSIGN, name, at, at))
    return false;
  r->code = c;
  bool ok = parse_title(r, c) && parse_body(r, indent);
  r->code = outer;
  r->depth--;
  return ok;
}

/* f(x, y) = ... */
static bool parse_one_line(bpi_parser *r)
{
  uint32_t at = r->t.at, n_defaults = 0;
  const bpi_lname *name = r->t.name;
  bpi_lcode *c = bpi_new_code(r, name);
  return c && bpi_next(r) && bpi_next(r) && bpi_parse_params(r, c, ')', &n_defaults) && bpi_next(r) &&
         bpi_take(r, '=', "'='") && bpi_record_expression(r, c) && bpi_emit_function(r, c, n_defaults, at) &&
         bpi_emit_name(r, BPI_S_ASSIGN, name, at, at);
}

/* import numpy as np: what it would bring is here already. */
static bool parse_import(bpi_parser *r)
{
  uint32_t at = r->t.at;
  if (!bpi_next(r))
    return false;
  if (!bpi_at_word(r, "numpy") && !bpi_at_word(r, "math"))
    return bpi_fail_at(r, at, BP_E_PARSE,
                       "there is nothing to import: NumPy's functions are here, with or without np.");
  if (!bpi_next(r))
    return false;
  if (bpi_at_word(r, "as") && (!bpi_next(r) || !bpi_at_word(r, "np") || !bpi_next(r)))
    return r->p->status == BP_OK ? bpi_fail_at(r, at, BP_E_PARSE, "numpy is called np here") : false;
  return true;
}

static bool parse_return(bpi_parser *r)
{
  uint32_t at = r->t.at;
  if (!r->code)
    return bpi_refuse_word(r) ? false : true;
  return bpi_next(r) && bpi_parse_tuple(r) && bpi_emit_op(r, BPI_S_RETURN, 0, 0, at, at);
}

static bool parse_bare(bpi_parser *r)
{
  uint32_t at = r->t.at;
  if (bpi_refuse_word(r))
    return false;
  if (r->code)
    return bpi_fail_at(r, at, BP_E_PARSE, "in a function this value goes nowhere; return it, or assign it");
  if (!bpi_parse_tuple(r))
    return false;
  return bpi_emit(
      r, (bpi_lstep){.kind = BPI_S_OUTPUT, .names = r->items, .n = r->n_items, .at = at, .begin = at});
}

/* A string alone in a function documents it. */
static bool is_comment(const bpi_parser *r)
{
  bpi_parser ahead = *r;
  return r->code && r->t.kind == BPI_T_STRING && bpi_next(&ahead) &&
         (ahead.t.kind == BPI_T_LINE || ahead.t.kind == BPI_T_END);
}

bool bpi_parse_statement(bpi_parser *r)
{
  int indent = r->t.indent;
  if (is_comment(r))
    return bpi_next(r) && end_statement(r);
  if (r->t.kind == BPI_T_LINE || bpi_at_op(r, ';'))
    return bpi_next(r);
  if (bpi_at_word(r, "def"))
    return parse_def(r, indent < 0 ? 0 : indent);
  bool ok;
  uint32_t n = r->t.kind == BPI_T_NAME ? assigned_names(r) : 0;
  if (r->p->status != BP_OK)
    return false;
  if (n)
    ok = parse_assignment(r, n);
  else if (bpi_at_word(r, "return"))
    ok = parse_return(r);
  else if (bpi_at_word(r, "import"))
    ok = parse_import(r);
  else if (r->t.kind == BPI_T_NAME && is_augmented(r))
    ok = parse_augmented(r);
  else if (r->t.kind == BPI_T_NAME && defines_function(r))
    ok = parse_one_line(r);
  else
    ok = parse_bare(r);
  return ok && end_statement(r);
}

/* Tokens to steps. Recursion follows brackets alone, and is limited; chains of operators are loops. */
#include "lang/lang.h"

#include <string.h>

enum { MAX_NAMED = 16 /* outputs of one statement that keep their names */ };

typedef struct parser {
  bp_program *p;
  bpi_lexer lx;
  bpi_token t;       /* the token at hand */
  uint32_t last_end; /* of the token before it */
  bpi_lcode *code;   /* a function whose body is recorded; NULL: steps run at once */
  int depth;
  uint32_t begin;                    /* of the expression parsed last */
  const bpi_lname *items[MAX_NAMED]; /* of the tuple parsed last: those that are names */
  uint32_t n_items;
} parser;

static bool parse_expression(parser *r);
static bool parse_statement(parser *r);

/* ---- tokens ---- */

static bool fail_at(parser *r, uint32_t at, bp_status s, const char *what)
{
  bpi_place_in place = {r->lx.source, at, at, at};
  bpi_mistake(r->p, &place, s, "%s", what);
  return false;
}

static bool expected(parser *r, const char *what)
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

static bool next(parser *r)
{
  r->last_end = r->t.end;
  return bpi_lex(&r->lx, &r->t);
}

static bool at_op(const parser *r, int op)
{
  return r->t.kind == BPI_T_OP && r->t.op == op;
}

static bool take(parser *r, int op, const char *what)
{
  return at_op(r, op) ? next(r) : expected(r, what);
}

static bool at_word(const parser *r, const char *word)
{
  return r->t.kind == BPI_T_NAME && strcmp(r->t.name->text, word) == 0;
}

static bool deeper(parser *r)
{
  return ++r->depth <= BPI_DEPTH ||
         fail_at(r, r->t.at, BP_E_LIMIT, "brackets and operators are nested over 200 deep");
}

/* ---- steps ---- */

static bool emit(parser *r, bpi_lstep s)
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

static bool emit_value(parser *r, bpi_value v, uint32_t at)
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
  return emit(r, (bpi_lstep){.kind = BPI_S_VALUE, .value = kept, .at = at, .begin = at});
}

static bool emit_op(parser *r, bpi_step_kind kind, int op, uint32_t n, uint32_t at, uint32_t begin)
{
  return emit(r, (bpi_lstep){.kind = (uint8_t)kind, .op = op, .n = n, .at = at, .begin = begin});
}

static bool emit_name(parser *r, bpi_step_kind kind, const bpi_lname *name, uint32_t at, uint32_t begin)
{
  return emit(r, (bpi_lstep){.kind = (uint8_t)kind, .name = name, .at = at, .begin = begin});
}

/* ---- functions: recorded, to be run at their calls ---- */

static bool parse_type(parser *r, bpi_param *param)
{
  bpi_value v;
  if (!next(r) || r->t.kind != BPI_T_NAME || !bpi_builtin(r->p, r->t.name, false, &v) ||
      v.kind != BPI_V_DTYPE)
    return expected(r, "a type, as real[2,3],");
  param->typed = true;
  param->type = (bp_type){.dtype = (bp_dtype)v.dtype};
  if (!next(r))
    return false;
  if (!at_op(r, '['))
    return true;
  do {
    if (!next(r))
      return false;
    if (at_op(r, ']') && param->type.rank == 0)
      break;
    if (r->t.kind != BPI_T_NUMBER || !r->t.whole || param->type.rank == BP_MAX_RANK)
      return expected(r, "a dim (at most 8 of them)");
    param->type.dims[param->type.rank++] = r->t.integer;
    if (!next(r))
      return false;
  } while (at_op(r, ','));
  int64_t size;
  if (!bpi_size(param->type.rank, param->type.dims, &size))
    return fail_at(r, r->t.at, BP_E_LIMIT, "the parameter has too many elements");
  return take(r, ']', "']'");
}

/* Parameters up to `close`. Defaults are parsed where they stand, outside of the function; their count comes back. */
static bool parse_params(parser *r, bpi_lcode *c, int close, uint32_t *n_defaults)
{
  while (!at_op(r, close)) {
    if (r->t.kind != BPI_T_NAME)
      return expected(r, "the name of a parameter");
    for (uint32_t i = 0; i < c->n_params; i++)
      if (c->params[i].name == r->t.name)
        return fail_at(r, r->t.at, BP_E_PARSE, "two parameters have this name");
    size_t cap = c->params_cap;
    if (c->n_params == BPI_MAX_PARAMS)
      return fail_at(r, r->t.at, BP_E_LIMIT, "a function has at most 256 parameters");
    if (!bpi_grow(r->p->ctx, (void **)&c->params, &cap, c->n_params, sizeof *c->params)) {
      bpi_lang_nomem(r->p);
      return false;
    }
    c->params_cap = (uint32_t)cap;
    bpi_param *param = &c->params[c->n_params++];
    *param = (bpi_param){.name = r->t.name};
    if (!next(r) || (at_op(r, ':') && close != ':' && !parse_type(r, param)))
      return false;
    if (at_op(r, '=')) {
      param->has_default = true;
      ++*n_defaults;
      if (!next(r) || !parse_expression(r))
        return false;
    } else if (*n_defaults) {
      return fail_at(r, r->t.at, BP_E_PARSE, "a parameter without a default follows one with a default");
    }
    if (at_op(r, ',') ? !next(r) : !at_op(r, close))
      return at_op(r, ',') ? false : expected(r, close == ')' ? "',' or ')'" : "',' or ':'");
  }
  return true;
}

static bpi_lcode *new_code(parser *r, const bpi_lname *name)
{
  bpi_lcode *c = bpi_arena_alloc(&r->p->arena, 1, sizeof *c);
  if (!c ||
      !bpi_grow(r->p->ctx, (void **)&r->p->codes, &r->p->codes_cap, r->p->n_codes, sizeof *r->p->codes)) {
    bpi_lang_nomem(r->p);
    return NULL;
  }
  r->p->codes[r->p->n_codes++] = c;
  *c =
      (bpi_lcode){.name = name, .title = name ? name->text : "lambda", .source = r->lx.source, .at = r->t.at};
  return c;
}

/* An expression as the whole body. */
static bool record_expression(parser *r, bpi_lcode *c)
{
  bpi_lcode *outer = r->code;
  uint32_t at = r->t.at;
  r->code = c;
  bool ok = parse_expression(r) && emit_op(r, BPI_S_RETURN, 0, 0, at, at);
  r->code = outer;
  return ok;
}

static bool emit_function(parser *r, bpi_lcode *c, uint32_t n_defaults, uint32_t at)
{
  return emit(r, (bpi_lstep){.kind = BPI_S_FUNCTION, .code = c, .n = n_defaults, .at = at, .begin = at});
}

static bool parse_lambda(parser *r)
{
  uint32_t at = r->t.at, n_defaults = 0;
  bpi_lcode *c = new_code(r, NULL);
  bool ok =
      c && deeper(r) && next(r) && parse_params(r, c, ':', &n_defaults) && next(r) && record_expression(r, c);
  r->depth--;
  return ok && emit_function(r, c, n_defaults, at);
}

/* ---- expressions ---- */

static bool parse_arguments(parser *r, uint32_t *n, bool *spread)
{
  bool keywords = false;
  while (!at_op(r, ')')) {
    const bpi_lname *keyword = NULL;
    uint32_t at = r->t.at;
    if (*spread)
      return fail_at(r, at, BP_E_PARSE, "nothing may follow the *list");
    if (r->t.kind == BPI_T_NAME) {
      parser ahead = *r;
      if (!next(&ahead))
        return false;
      if (at_op(&ahead, '=')) {
        keyword = r->t.name;
        *r = ahead;
        if (!next(r))
          return false;
      }
    }
    if (keywords && !keyword)
      return fail_at(r, at, BP_E_PARSE, "an argument without a name follows one with a name");
    keywords = keyword != NULL;
    if (at_op(r, '*')) {
      *spread = true;
      if (!next(r))
        return false;
    }
    if (!parse_expression(r) || (keyword && !emit_name(r, BPI_S_KEYWORD, keyword, at, at)))
      return false;
    if (++*n >= BPI_MAX_ARGS)
      return fail_at(r, at, BP_E_LIMIT, "too many arguments");
    if (at_op(r, ',') ? !next(r) : !at_op(r, ')'))
      return at_op(r, ',') ? false : expected(r, "',' or ')'");
  }
  return next(r);
}

static bool parse_call(parser *r, bpi_lstep s)
{
  bool ok = deeper(r) && next(r) && parse_arguments(r, &s.n, &s.spread);
  r->depth--;
  return ok && emit(r, s);
}

static bool emit_none(parser *r)
{
  return emit_value(r, (bpi_value){.kind = BPI_V_NONE}, r->t.at);
}

/* One part of x[...]: an expression, or start:stop:step with any of the three left out. */
static bool parse_subscript(parser *r)
{
  uint32_t at = r->t.at;
  if (!at_op(r, ':')) {
    if (!parse_expression(r))
      return false;
    if (!at_op(r, ':'))
      return true;
  } else if (!emit_none(r)) {
    return false;
  }
  for (int part = 1; part < 3; part++) {
    bool more = at_op(r, ':');
    if (more && !next(r))
      return false;
    if (!more || at_op(r, ':') || at_op(r, ',') || at_op(r, ']') ? !emit_none(r) : !parse_expression(r))
      return false;
  }
  return emit_op(r, BPI_S_SLICE, 0, 3, at, at);
}

static bool parse_index(parser *r, uint32_t begin)
{
  uint32_t n = 0, at = r->t.at;
  if (!deeper(r) || !next(r))
    return false;
  while (!at_op(r, ']')) {
    if (!parse_subscript(r))
      return false;
    if (++n > 64)
      return fail_at(r, at, BP_E_LIMIT, "too many subscripts");
    if (at_op(r, ',') ? !next(r) : !at_op(r, ']'))
      return at_op(r, ',') ? false : expected(r, "',' or ']'");
  }
  r->depth--;
  if (!n)
    return expected(r, "a subscript");
  return next(r) && emit_op(r, BPI_S_INDEX, 0, n, at, begin);
}

/* Items up to `close`; the bracket that opens is taken already. */
static bool parse_items(parser *r, int close, uint32_t *n, bool *comma)
{
  *n = 0;
  *comma = false;
  while (!at_op(r, close)) {
    if (!parse_expression(r))
      return false;
    ++*n;
    if (at_op(r, ','))
      *comma = true;
    if (at_op(r, ',') ? !next(r) : !at_op(r, close))
      return at_op(r, ',') ? false : expected(r, close == ')' ? "',' or ')'" : "',' or ']'");
  }
  return true;
}

static bool parse_bracketed(parser *r)
{
  uint32_t at = r->t.at, n;
  bool comma, list = at_op(r, '[');
  int close = list ? ']' : ')';
  if (!deeper(r) || !next(r) || !parse_items(r, close, &n, &comma))
    return false;
  r->depth--;
  if (!next(r))
    return false;
  return list              ? emit_op(r, BPI_S_LIST, 0, n, at, at)
         : n != 1 || comma ? emit_op(r, BPI_S_TUPLE, 0, n, at, at)
                           : true;
}

/* np. and numpy. may stand before a name, and np.random. and np.linalg.: `random` says which. */
static bool skip_prefix(parser *r, bool *random)
{
  *random = false;
  while (at_word(r, "np") || at_word(r, "numpy") || at_word(r, "math") || at_word(r, "random") ||
         at_word(r, "linalg")) {
    parser ahead = *r;
    if (!next(&ahead))
      return false;
    if (!at_op(&ahead, '.'))
      return true;
    *random = *random || at_word(r, "random");
    *r = ahead;
    if (!next(r))
      return false;
    if (r->t.kind != BPI_T_NAME)
      return expected(r, "a name");
  }
  return true;
}

static bool refuse_word(parser *r)
{
  static const char *const words[][2] = {
      {"and", "use & for 'and' of arrays"},
      {"or", "use | for 'or' of arrays"},
      {"not", "use ~ for 'not' of arrays"},
      {"if", "there is no if: where(test, a, b) chooses element by element"},
      {"else", "there is no else: where(test, a, b) chooses element by element"},
      {"for", "there is no for: arrays are computed as a whole"},
      {"while", "there is no while: arrays are computed as a whole"},
      {"class", "there are no classes"},
      {"return", "return stands in a function alone"},
      {"is", "use =="},
      {"in", "there is no 'in'"},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (at_word(r, words[i][0])) {
      fail_at(r, r->t.at, BP_E_PARSE, words[i][1]);
      return true;
    }
  return false;
}

static bool parse_name(parser *r)
{
  bool random;
  uint32_t begin = r->t.at;
  if (at_word(r, "lambda"))
    return parse_lambda(r);
  if (refuse_word(r) || !skip_prefix(r, &random))
    return false;
  bpi_lstep s = {.kind = BPI_S_NAME, .name = r->t.name, .random = random, .at = r->t.at, .begin = begin};
  if (!next(r))
    return false;
  if (!at_op(r, '('))
    return emit(r, s);
  s.kind = BPI_S_CALL;
  return parse_call(r, s);
}

static bool parse_atom(parser *r)
{
  bpi_token t = r->t;
  switch (t.kind) {
  case BPI_T_NUMBER:
    return next(r) &&
           emit_value(r, t.whole ? bpi_v_whole(t.integer) : bpi_v_number(t.number, BP_REAL, false), t.at);
  case BPI_T_STRING:
    return next(r) && emit_value(r, (bpi_value){.kind = BPI_V_TEXT, .text = t.name}, t.at);
  case BPI_T_NAME:
    return parse_name(r);
  case BPI_T_OP:
    if (t.op == '(' || t.op == '[')
      return parse_bracketed(r);
    if (t.op == '.') { /* ... */
      for (int i = 0; i < 3; i++)
        if (!take(r, '.', "a value"))
          return false;
      return emit_value(r, (bpi_value){.kind = BPI_V_ELLIPSIS}, t.at);
    }
    break;
  default:
    break;
  }
  return expected(r, "a value");
}

/* x(...), x[...], x.name, x.name(...) */
static bool parse_postfix(parser *r)
{
  uint32_t begin = r->t.at;
  if (!parse_atom(r))
    return false;
  while (r->t.kind == BPI_T_OP) {
    if (r->t.op == '(') {
      if (!parse_call(r, (bpi_lstep){.kind = BPI_S_APPLY, .at = r->t.at, .begin = begin}))
        return false;
    } else if (r->t.op == '[') {
      if (!parse_index(r, begin))
        return false;
    } else if (r->t.op == '.') {
      if (!next(r))
        return false;
      if (r->t.kind != BPI_T_NAME)
        return expected(r, "a name");
      bpi_lstep s = {.kind = BPI_S_ATTRIBUTE, .name = r->t.name, .at = r->t.at, .begin = begin};
      if (!next(r))
        return false;
      if (at_op(r, '(')) {
        s.kind = BPI_S_CALL;
        s.method = true;
        s.n = 1;
        if (!parse_call(r, s))
          return false;
      } else if (!emit(r, s)) {
        return false;
      }
    } else {
      break;
    }
  }
  r->begin = begin;
  return true;
}

static bool parse_unary(parser *r);

static bool parse_power(parser *r)
{
  uint32_t begin = r->t.at;
  if (!parse_postfix(r))
    return false;
  if (at_op(r, BPI_OP2('*', '*'))) {
    uint32_t at = r->t.at;
    if (!deeper(r) || !next(r) || !parse_unary(r) ||
        !emit_op(r, BPI_S_BINARY, BPI_OP2('*', '*'), 2, at, begin))
      return false;
    r->depth--;
  }
  r->begin = begin;
  return true;
}

static bool parse_unary(parser *r)
{
  uint32_t begin = r->t.at;
  if (!at_op(r, '-') && !at_op(r, '+') && !at_op(r, '~'))
    return parse_power(r);
  int op = r->t.op;
  if (!deeper(r) || !next(r) || !parse_unary(r) || !emit_op(r, BPI_S_UNARY, op, 1, begin, begin))
    return false;
  r->depth--;
  r->begin = begin;
  return true;
}

/* Levels of operators that associate to the left, weakest first. */
static const int levels[][8] = {
    {'<', '>', BPI_OP2('<', '='), BPI_OP2('>', '='), BPI_OP2('=', '='), BPI_OP2('!', '=')},
    {'|'},
    {'^'},
    {'&'},
    {'+', '-'},
    {'*', '/', '@', '%', BPI_OP2('/', '/')},
};
enum { LEVELS = sizeof levels / sizeof *levels };

static bool at_level(const parser *r, int level)
{
  for (int i = 0; r->t.kind == BPI_T_OP && levels[level][i]; i++)
    if (r->t.op == levels[level][i])
      return true;
  return false;
}

static bool parse_level(parser *r, int level)
{
  uint32_t begin = r->t.at;
  if (!(level + 1 < LEVELS ? parse_level(r, level + 1) : parse_unary(r)))
    return false;
  for (bool again = false; at_level(r, level); again = true) {
    int op = r->t.op;
    uint32_t at = r->t.at;
    if (level == 0 && again)
      return fail_at(r, at, BP_E_PARSE, "comparisons are not chained; write (a < b) & (b < c)");
    if (!next(r) || !(level + 1 < LEVELS ? parse_level(r, level + 1) : parse_unary(r)) ||
        !emit_op(r, BPI_S_BINARY, op, 2, at, begin))
      return false;
  }
  r->begin = begin;
  return true;
}

static bool parse_expression(parser *r)
{
  return parse_level(r, 0) && (r->t.kind != BPI_T_NAME || !refuse_word(r));
}

/* An item of a tuple; whether it is a name alone is kept for outputs. */
static bool parse_item(parser *r, uint32_t i)
{
  const bpi_lname *name = r->t.kind == BPI_T_NAME ? r->t.name : NULL;
  uint32_t end = r->t.end;
  if (!parse_expression(r))
    return false;
  if (i < MAX_NAMED)
    r->items[i] = r->last_end == end ? name : NULL;
  return true;
}

/* a, b, c without brackets is a tuple. */
static bool parse_tuple(parser *r)
{
  uint32_t begin = r->t.at, n = 1;
  if (!parse_item(r, 0))
    return false;
  bool comma = at_op(r, ',');
  while (at_op(r, ',')) {
    if (!next(r))
      return false;
    if (r->t.kind == BPI_T_END || r->t.kind == BPI_T_LINE || at_op(r, ';'))
      break;
    if (!parse_item(r, n))
      return false;
    n++;
  }
  r->begin = begin;
  r->n_items = n < MAX_NAMED ? n : MAX_NAMED;
  return !comma || emit_op(r, BPI_S_TUPLE, 0, n, begin, begin);
}

/* ---- statements ---- */

/* Looks ahead for NAME, NAME, ... = and counts the names. 0: no assignment. A stop of the lexer is told when it is met again. */
static uint32_t assigned_names(const parser *r)
{
  parser ahead = *r;
  uint32_t n = 0;
  bp_status before = r->p->status;
  while (ahead.t.kind == BPI_T_NAME) {
    n++;
    if (!next(&ahead) || at_op(&ahead, '='))
      return before == r->p->status && at_op(&ahead, '=') ? n : 0;
    if (!at_op(&ahead, ',') || !next(&ahead))
      return 0;
  }
  return n && at_op(&ahead, '=') ? n : 0;
}

/* NAME ( NAME, ... ) =, a function on one line. */
static bool defines_function(const parser *r)
{
  parser ahead = *r;
  if (!next(&ahead) || !at_op(&ahead, '(') || !next(&ahead))
    return false;
  while (ahead.t.kind == BPI_T_NAME) {
    if (!next(&ahead))
      return false;
    if (at_op(&ahead, ',') && !next(&ahead))
      return false;
  }
  return at_op(&ahead, ')') && next(&ahead) && at_op(&ahead, '=');
}

static bool end_statement(parser *r)
{
  if (r->t.kind != BPI_T_LINE && r->t.kind != BPI_T_END && !at_op(r, ';'))
    return refuse_word(r) ? false : expected(r, "an operator or the end of the line");
  if (!r->code)
    bpi_statement_done(r->p);
  return r->t.kind == BPI_T_END || next(r);
}

static bool parse_assignment(parser *r, uint32_t n)
{
  const bpi_lname **names = bpi_arena_alloc(&r->p->arena, n, sizeof *names);
  uint32_t begin = r->t.at;
  if (!names) {
    bpi_lang_nomem(r->p);
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    names[i] = r->t.name;
    if (!next(r) || !next(r))
      return false;
  }
  if (n == 1 && r->t.kind == BPI_T_NAME && assigned_names(r) == 1)
    return fail_at(r, r->t.at, BP_E_PARSE, "one assignment a statement; a = b = c is not understood");
  if (!parse_tuple(r))
    return false;
  return n == 1
             ? emit_name(r, BPI_S_ASSIGN, names[0], begin, begin)
             : emit(r,
                    (bpi_lstep){.kind = BPI_S_UNPACK, .names = names, .n = n, .at = begin, .begin = begin});
}

/* x += e is x = x + e. */
static bool parse_augmented(parser *r)
{
  const bpi_lname *name = r->t.name;
  uint32_t begin = r->t.at;
  if (!emit_name(r, BPI_S_NAME, name, begin, begin) || !next(r))
    return false;
  int op = r->t.op & 0xff;
  uint32_t at = r->t.at;
  return next(r) && parse_tuple(r) && emit_op(r, BPI_S_BINARY, op, 2, at, begin) &&
         emit_name(r, BPI_S_ASSIGN, name, begin, begin);
}

static bool is_augmented(const parser *r)
{
  parser ahead = *r;
  return next(&ahead) && ahead.t.kind == BPI_T_OP && ahead.t.op > 0xff && ahead.t.op >> 8 == '=' &&
         strchr("+-*/@", ahead.t.op & 0xff);
}

/* Statements of a body: on the same line after the colon, or the following lines that stand further in. */
static bool parse_body(parser *r, int indent)
{
  if (r->t.kind != BPI_T_LINE) {
    while (r->t.kind != BPI_T_LINE && r->t.kind != BPI_T_END)
      if (!parse_statement(r))
        return false;
      else if (r->t.indent >= 0)
        return true;
    return true;
  }
  if (!next(r))
    return false;
  int inner = r->t.indent;
  if (r->t.kind == BPI_T_END || inner <= indent)
    return fail_at(r, r->t.at, BP_E_PARSE,
                   "the body of the function is missing: lines that stand further in");
  while (r->t.kind != BPI_T_END && (r->t.indent < 0 || r->t.indent == inner))
    if (!parse_statement(r))
      return false;
  if (r->t.kind != BPI_T_END && r->t.indent > indent)
    return fail_at(r, r->t.at, BP_E_PARSE, "this line does not stand in line with the others of the body");
  return true;
}

static bool parse_title(parser *r, bpi_lcode *c)
{
  if (r->t.kind != BPI_T_STRING)
    return true;
  c->title = r->t.name->text;
  return next(r) && (at_op(r, ';') ? next(r) : true);
}

/* def f(x, y): ... */
static bool parse_def(parser *r, int indent)
{
  uint32_t at = r->t.at, n_defaults = 0;
  if (!next(r))
    return false;
  if (r->t.kind != BPI_T_NAME)
    return expected(r, "the name of the function");
  const bpi_lname *name = r->t.name;
  bpi_lcode *c = new_code(r, name), *outer = r->code;
  if (!c || !next(r) || !take(r, '(', "'('") || !parse_params(r, c, ')', &n_defaults) || !next(r) ||
      !take(r, ':', "':'"))
    return false;
  if (!deeper(r) || !emit_function(r, c, n_defaults, at) || !emit_name(r, BPI_S_ASSIGN, name, at, at))
    return false;
  r->code = c;
  bool ok = parse_title(r, c) && parse_body(r, indent);
  r->code = outer;
  r->depth--;
  return ok;
}

/* f(x, y) = ... */
static bool parse_one_line(parser *r)
{
  uint32_t at = r->t.at, n_defaults = 0;
  const bpi_lname *name = r->t.name;
  bpi_lcode *c = new_code(r, name);
  return c && next(r) && next(r) && parse_params(r, c, ')', &n_defaults) && next(r) && take(r, '=', "'='") &&
         record_expression(r, c) && emit_function(r, c, n_defaults, at) &&
         emit_name(r, BPI_S_ASSIGN, name, at, at);
}

/* import numpy as np: what it would bring is here already. */
static bool parse_import(parser *r)
{
  uint32_t at = r->t.at;
  if (!next(r))
    return false;
  if (!at_word(r, "numpy") && !at_word(r, "math"))
    return fail_at(r, at, BP_E_PARSE,
                   "there is nothing to import: NumPy's functions are here, with or without np.");
  if (!next(r))
    return false;
  if (at_word(r, "as") && (!next(r) || !at_word(r, "np") || !next(r)))
    return r->p->status == BP_OK ? fail_at(r, at, BP_E_PARSE, "numpy is called np here") : false;
  return true;
}

static bool parse_return(parser *r)
{
  uint32_t at = r->t.at;
  if (!r->code)
    return refuse_word(r) ? false : true;
  return next(r) && parse_tuple(r) && emit_op(r, BPI_S_RETURN, 0, 0, at, at);
}

static bool parse_bare(parser *r)
{
  uint32_t at = r->t.at;
  if (r->code)
    return fail_at(r, at, BP_E_PARSE, "in a function this value goes nowhere; return it, or assign it");
  if (!parse_tuple(r))
    return false;
  return emit(r,
              (bpi_lstep){.kind = BPI_S_OUTPUT, .names = r->items, .n = r->n_items, .at = at, .begin = at});
}

/* A string alone in a function documents it. */
static bool is_comment(const parser *r)
{
  parser ahead = *r;
  return r->code && r->t.kind == BPI_T_STRING && next(&ahead) &&
         (ahead.t.kind == BPI_T_LINE || ahead.t.kind == BPI_T_END);
}

static bool parse_statement(parser *r)
{
  int indent = r->t.indent;
  if (is_comment(r))
    return next(r) && end_statement(r);
  if (r->t.kind == BPI_T_LINE || at_op(r, ';'))
    return next(r);
  if (at_word(r, "def"))
    return parse_def(r, indent < 0 ? 0 : indent);
  bool ok;
  uint32_t n = r->t.kind == BPI_T_NAME ? assigned_names(r) : 0;
  if (r->p->status != BP_OK)
    return false;
  if (n)
    ok = parse_assignment(r, n);
  else if (at_word(r, "return"))
    ok = parse_return(r);
  else if (at_word(r, "import"))
    ok = parse_import(r);
  else if (r->t.kind == BPI_T_NAME && is_augmented(r))
    ok = parse_augmented(r);
  else if (r->t.kind == BPI_T_NAME && defines_function(r))
    ok = parse_one_line(r);
  else
    ok = parse_bare(r);
  return ok && end_statement(r);
}

static bool begin(parser *r, bp_program *p, const bpi_lsource *source)
{
  memset(r, 0, sizeof *r);
  r->p = p;
  r->lx = (bpi_lexer){.p = p, .source = source, .line_start = true};
  if (source->n >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
    r->lx.at = 3; /* a byte order mark */
  return next(r);
}

bp_status bpi_parse(bp_program *p, const bpi_lsource *source)
{
  parser r;
  bool ok = begin(&r, p, source);
  if (ok && r.t.kind == BPI_T_END)
    fail_at(&r, r.t.at, BP_E_PARSE, "the text is empty");
  while (ok && r.t.kind != BPI_T_END)
    ok = parse_statement(&r);
  return p->status;
}

bp_status bpi_parse_expression(bp_program *p, const bpi_lsource *source)
{
  parser r;
  if (!begin(&r, p, source) || !parse_tuple(&r))
    return p->status;
  while (r.t.kind == BPI_T_LINE || at_op(&r, ';'))
    if (!next(&r))
      return p->status;
  if (r.t.kind != BPI_T_END)
    expected(&r, "an operator or the end");
  return p->status;
}

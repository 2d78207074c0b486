/* Expressions: from what binds least to what binds most, each giving its operands' steps before its own. */
#include "lang/parser.h"

#include <string.h>

static bool parse_arguments(bpi_parser *r, uint32_t *n, bool *spread)
{
  bool keywords = false;
  while (!bpi_at_op(r, ')')) {
    const bpi_lname *keyword = NULL;
    uint32_t at = r->t.at;
    if (*spread)
      return bpi_fail_at(r, at, BP_E_PARSE, "nothing may follow the *list");
    if (r->t.kind == BPI_T_NAME) {
      bpi_parser ahead = *r;
      if (!bpi_next(&ahead))
        return false;
      if (bpi_at_op(&ahead, '=')) {
        keyword = r->t.name;
        *r = ahead;
        if (!bpi_next(r))
          return false;
      }
    }
    if (keywords && !keyword)
      return bpi_fail_at(r, at, BP_E_PARSE, "an argument without a name follows one with a name");
    keywords = keyword != NULL;
    if (bpi_at_op(r, '*')) {
      *spread = true;
      if (!bpi_next(r))
        return false;
    }
    if (!bpi_parse_value(r) || (keyword && !bpi_emit_name(r, BPI_S_KEYWORD, keyword, at, at)))
      return false;
    if (++*n >= BPI_MAX_ARGS)
      return bpi_fail_at(r, at, BP_E_LIMIT, "too many arguments");
    if (bpi_at_op(r, ',') ? !bpi_next(r) : !bpi_at_op(r, ')'))
      return bpi_at_op(r, ',') ? false : bpi_expected(r, "',' or ')'");
  }
  return bpi_next(r);
}

static bool parse_call(bpi_parser *r, bpi_lstep s)
{
  bool ok = bpi_deeper(r) && bpi_next(r) && parse_arguments(r, &s.n, &s.spread);
  r->depth--;
  return ok && bpi_emit(r, s);
}

static bool emit_none(bpi_parser *r)
{
  return bpi_emit_value(r, (bpi_value){.kind = BPI_V_NONE}, r->t.at);
}

/* One part of x[...]: an expression, or start:stop:step with any of the three left out. */
static bool parse_subscript(bpi_parser *r)
{
  uint32_t at = r->t.at;
  if (!bpi_at_op(r, ':')) {
    if (!bpi_parse_value(r))
      return false;
    if (!bpi_at_op(r, ':'))
      return true;
  } else if (!emit_none(r)) {
    return false;
  }
  for (int part = 1; part < 3; part++) {
    bool more = bpi_at_op(r, ':');
    if (more && !bpi_next(r))
      return false;
    if (!more || bpi_at_op(r, ':') || bpi_at_op(r, ',') || bpi_at_op(r, ']') ? !emit_none(r)
                                                                             : !bpi_parse_value(r))
      return false;
  }
  return bpi_emit_op(r, BPI_S_SLICE, 0, 3, at, at);
}

static bool parse_index(bpi_parser *r, uint32_t begin)
{
  uint32_t n = 0, at = r->t.at;
  if (!bpi_deeper(r) || !bpi_next(r))
    return false;
  while (!bpi_at_op(r, ']')) {
    if (!parse_subscript(r))
      return false;
    if (++n > 64)
      return bpi_fail_at(r, at, BP_E_LIMIT, "too many subscripts");
    if (bpi_at_op(r, ',') ? !bpi_next(r) : !bpi_at_op(r, ']'))
      return bpi_at_op(r, ',') ? false : bpi_expected(r, "',' or ']'");
  }
  r->depth--;
  if (!n)
    return bpi_expected(r, "a subscript");
  return bpi_next(r) && bpi_emit_op(r, BPI_S_INDEX, 0, n, at, begin);
}

/* Items up to `close`; the bracket that opens is taken already. */
static bool parse_items(bpi_parser *r, int close, uint32_t *n, bool *comma)
{
  *n = 0;
  *comma = false;
  while (!bpi_at_op(r, close)) {
    if (!bpi_parse_value(r))
      return false;
    ++*n;
    if (bpi_at_op(r, ','))
      *comma = true;
    if (bpi_at_op(r, ',') ? !bpi_next(r) : !bpi_at_op(r, close))
      return bpi_at_op(r, ',') ? false : bpi_expected(r, close == ')' ? "',' or ')'" : "',' or ']'");
  }
  return true;
}

static bool parse_bracketed(bpi_parser *r)
{
  uint32_t at = r->t.at, n;
  bool comma, list = bpi_at_op(r, '[');
  int close = list ? ']' : ')';
  if (!bpi_deeper(r) || !bpi_next(r) || !parse_items(r, close, &n, &comma))
    return false;
  r->depth--;
  if (!bpi_next(r))
    return false;
  return list              ? bpi_emit_op(r, BPI_S_LIST, 0, n, at, at)
         : n != 1 || comma ? bpi_emit_op(r, BPI_S_TUPLE, 0, n, at, at)
                           : true;
}

/* np. and numpy. may stand before a name, and np.random. and np.linalg.: `random` says which. */
static bool skip_prefix(bpi_parser *r, bool *random)
{
  *random = false;
  while (bpi_at_word(r, "np") || bpi_at_word(r, "numpy") || bpi_at_word(r, "math") ||
         bpi_at_word(r, "random") || bpi_at_word(r, "linalg")) {
    bpi_parser ahead = *r;
    if (!bpi_next(&ahead))
      return false;
    if (!bpi_at_op(&ahead, '.'))
      return true;
    *random = *random || bpi_at_word(r, "random");
    *r = ahead;
    if (!bpi_next(r))
      return false;
    if (r->t.kind != BPI_T_NAME)
      return bpi_expected(r, "a name");
  }
  return true;
}

bool bpi_refuse_word(bpi_parser *r)
{
  static const char *const words[][2] = {
      {"and", "use & for 'and' of arrays"},
      {"or", "use | for 'or' of arrays"},
      {"not", "use ~ for 'not' of arrays"},
      {"if", "there is no if: where(test, a, b) chooses element by element"},
      {"else", "there is no else: where(test, a, b) chooses element by element"},
      {"for", "there is no for: arrays are computed as a whole"},
      {"while", "there is no while: arrays are computed as a whole"},
      {"elif", "there is no elif: where(test, a, b) chooses element by element"},
      {"assert", "there is no assert"},
      {"with", "there is no with"},
      {"try", "there is no try"},
      {"from", "there is nothing to import: NumPy's functions are here, with or without np."},
      {"class", "there are no classes"},
      {"return", "return stands in a function alone"},
      {"is", "use =="},
      {"in", "there is no 'in'"},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (bpi_at_word(r, words[i][0])) {
      bpi_fail_at(r, r->t.at, BP_E_PARSE, words[i][1]);
      return true;
    }
  return false;
}

static bool parse_name(bpi_parser *r)
{
  bool random;
  uint32_t begin = r->t.at;
  if (bpi_at_word(r, "lambda"))
    return bpi_parse_lambda(r);
  if (bpi_refuse_word(r) || !skip_prefix(r, &random))
    return false;
  bpi_lstep s = {.kind = BPI_S_NAME, .name = r->t.name, .random = random, .at = r->t.at, .begin = begin};
  if (!bpi_next(r))
    return false;
  if (!bpi_at_op(r, '('))
    return bpi_emit(r, s);
  s.kind = BPI_S_CALL;
  return parse_call(r, s);
}

static bool parse_atom(bpi_parser *r)
{
  bpi_token t = r->t;
  switch (t.kind) {
  case BPI_T_NUMBER:
    return bpi_next(r) &&
           bpi_emit_value(r, t.whole ? bpi_v_whole(t.integer) : bpi_v_number(t.number, BP_REAL, false), t.at);
  case BPI_T_STRING:
    return bpi_next(r) && bpi_emit_value(r, (bpi_value){.kind = BPI_V_TEXT, .text = t.name}, t.at);
  case BPI_T_NAME:
    return parse_name(r);
  case BPI_T_OP:
    if (t.op == '(' || t.op == '[')
      return parse_bracketed(r);
    if (t.op == '.') { /* ... */
      for (int i = 0; i < 3; i++)
        if (!bpi_take(r, '.', "a value"))
          return false;
      return bpi_emit_value(r, (bpi_value){.kind = BPI_V_ELLIPSIS}, t.at);
    }
    break;
  default:
    break;
  }
  return bpi_expected(r, "a value");
}

/* x(...), x[...], x.name, x.name(...) */
static bool parse_postfix(bpi_parser *r)
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
      if (!bpi_next(r))
        return false;
      if (r->t.kind != BPI_T_NAME)
        return bpi_expected(r, "a name");
      bpi_lstep s = {.kind = BPI_S_ATTRIBUTE, .name = r->t.name, .at = r->t.at, .begin = begin};
      if (!bpi_next(r))
        return false;
      if (bpi_at_op(r, '(')) {
        s.kind = BPI_S_CALL;
        s.method = true;
        s.n = 1;
        if (!parse_call(r, s))
          return false;
      } else if (!bpi_emit(r, s)) {
        return false;
      }
    } else {
      break;
    }
  }
  r->begin = begin;
  return true;
}

static bool parse_unary(bpi_parser *r);

static bool parse_power(bpi_parser *r)
{
  uint32_t begin = r->t.at;
  if (!parse_postfix(r))
    return false;
  if (bpi_at_op(r, BPI_OP2('*', '*'))) {
    uint32_t at = r->t.at;
    if (!bpi_deeper(r) || !bpi_next(r) || !parse_unary(r) ||
        !bpi_emit_op(r, BPI_S_BINARY, BPI_OP2('*', '*'), 2, at, begin))
      return false;
    r->depth--;
  }
  r->begin = begin;
  return true;
}

static bool parse_unary(bpi_parser *r)
{
  uint32_t begin = r->t.at;
  if (!bpi_at_op(r, '-') && !bpi_at_op(r, '+') && !bpi_at_op(r, '~'))
    return parse_power(r);
  int op = r->t.op;
  if (!bpi_deeper(r) || !bpi_next(r) || !parse_unary(r) || !bpi_emit_op(r, BPI_S_UNARY, op, 1, begin, begin))
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

static bool at_level(const bpi_parser *r, int level)
{
  for (int i = 0; r->t.kind == BPI_T_OP && levels[level][i]; i++)
    if (r->t.op == levels[level][i])
      return true;
  return false;
}

static bool parse_level(bpi_parser *r, int level)
{
  uint32_t begin = r->t.at;
  if (!(level + 1 < LEVELS ? parse_level(r, level + 1) : parse_unary(r)))
    return false;
  for (bool again = false; at_level(r, level); again = true) {
    int op = r->t.op;
    uint32_t at = r->t.at;
    if (level == 0 && again)
      return bpi_fail_at(r, at, BP_E_PARSE, "comparisons are not chained; write (a < b) & (b < c)");
    if (!bpi_next(r) || !(level + 1 < LEVELS ? parse_level(r, level + 1) : parse_unary(r)) ||
        !bpi_emit_op(r, BPI_S_BINARY, op, 2, at, begin))
      return false;
  }
  r->begin = begin;
  return true;
}

bool bpi_parse_value(bpi_parser *r)
{
  return parse_level(r, 0) && (r->t.kind != BPI_T_NAME || !bpi_refuse_word(r));
}

/* An item of a tuple; whether it is a name alone is kept for outputs. */
static bool parse_item(bpi_parser *r, uint32_t i)
{
  const bpi_lname *name = r->t.kind == BPI_T_NAME ? r->t.name : NULL;
  uint32_t end = r->t.end;
  if (!bpi_parse_value(r))
    return false;
  if (i < BPI_MAX_NAMED)
    r->items[i] = r->last_end == end ? name : NULL;
  return true;
}

/* a, b, c without brackets is a tuple. */
bool bpi_parse_tuple(bpi_parser *r)
{
  uint32_t begin = r->t.at, n = 1;
  if (!parse_item(r, 0))
    return false;
  bool comma = bpi_at_op(r, ',');
  while (bpi_at_op(r, ',')) {
    if (!bpi_next(r))
      return false;
    if (r->t.kind == BPI_T_END || r->t.kind == BPI_T_LINE || bpi_at_op(r, ';'))
      break;
    if (!parse_item(r, n))
      return false;
    n++;
  }
  r->begin = begin;
  r->n_items = n < BPI_MAX_NAMED ? n : BPI_MAX_NAMED;
  return !comma || bpi_emit_op(r, BPI_S_TUPLE, 0, n, begin, begin);
}

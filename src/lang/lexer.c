/* Bytes to tokens. Line breaks inside brackets are blanks; a number, a name or a string is looked at once. */
#include "lang/lang.h"

#include <string.h>

static bool is_digit_at(const bpi_lsource *s, uint32_t at)
{
  return at < s->n && s->text[at] >= '0' && s->text[at] <= '9';
}

static int char_at(const bpi_lsource *s, uint32_t at)
{
  return at < s->n ? (unsigned char)s->text[at] : 0;
}

/* Letters of other scripts may be in names: any UTF-8 sequence of more than one byte but signs and punctuation (U+0080 to U+00BF, the
 * signs of times and division, U+2000 to U+2FFF). Its length, or 0. */
static size_t letter_at(const bpi_lsource *s, uint32_t at)
{
  int c = char_at(s, at);
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
    return 1;
  size_t n = c >= 0x80 ? bpi_utf8((const unsigned char *)s->text + at, s->n - at) : 0;
  bool sign =
      c == 0xc2 || c == 0xe2 || (c == 0xc3 && (char_at(s, at + 1) == 0x97 || char_at(s, at + 1) == 0xb7));
  return sign ? 0 : n;
}

static bool lex_fail(bpi_lexer *lx, uint32_t at, uint32_t end, bp_status s, const char *what)
{
  bpi_place_in place = {lx->source, at, at, end > at ? end : at + 1};
  bpi_mistake(lx->p, &place, s, "%s", what);
  return false;
}

/* Blanks, comments, and line breaks that mean nothing. True at a line break that ends a statement. */
static bool skip_blanks(bpi_lexer *lx)
{
  const bpi_lsource *s = lx->source;
  for (;; lx->at++) {
    int c = char_at(s, lx->at);
    if (c == '#')
      while (lx->at < s->n && s->text[lx->at] != '\n')
        lx->at++;
    c = char_at(s, lx->at);
    if (c == '\\' && (char_at(s, lx->at + 1) == '\n' ||
                      (char_at(s, lx->at + 1) == '\r' && char_at(s, lx->at + 2) == '\n'))) {
      lx->at += char_at(s, lx->at + 1) == '\r' ? 2 : 1;
      continue;
    }
    if (c == '\n' && !lx->brackets && !lx->line_start)
      return true;
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f')
      return false;
  }
}

/* Columns that stand before a place on its line; a tab goes to the next multiple of 8. -1 if something else stands there. */
static int indent_of(const bpi_lsource *s, uint32_t at)
{
  uint32_t begin = at;
  int n = 0;
  while (begin > 0 && s->text[begin - 1] != '\n')
    begin--;
  for (; begin < at; begin++) {
    if (s->text[begin] != ' ' && s->text[begin] != '\t')
      return -1;
    n = s->text[begin] == '\t' ? (n / 8 + 1) * 8 : n + 1;
  }
  return n;
}

static uint32_t digits_end(const bpi_lsource *s, uint32_t at)
{
  while (is_digit_at(s, at))
    at++;
  return at;
}

/* digits[.digits][e[+-]digits], where one side of the point may have none. */
static uint32_t number_end(const bpi_lsource *s, uint32_t at, bool *whole)
{
  at = digits_end(s, at);
  *whole = char_at(s, at) != '.';
  if (!*whole)
    at = digits_end(s, at + 1);
  if (char_at(s, at) == 'e' || char_at(s, at) == 'E') {
    uint32_t digits = at + 1 + (char_at(s, at + 1) == '+' || char_at(s, at + 1) == '-');
    if (is_digit_at(s, digits)) {
      *whole = false;
      at = digits_end(s, digits);
    }
  }
  return at;
}

/* "1." and ".5" are numbers here as in C; the reader of numbers wants digits on both sides of the point. */
static bool read_number(const char *text, size_t n, double *x)
{
  const char *point = memchr(text, '.', n), *end = text + n;
  bool before = point && point > text, after = point && point + 1 < end && point[1] >= '0' && point[1] <= '9';
  char filled[64];
  if (!point || (before && after))
    return bpi_parse_double(text, n, x);
  if (n + 2 > sizeof filled)
    return false;
  size_t head = (size_t)(point - text), k = 0;
  if (!before)
    filled[k++] = '0';
  memcpy(filled + k, text, head + 1);
  k += head + 1;
  if (!after)
    filled[k++] = '0';
  memcpy(filled + k, point + 1, n - head - 1);
  return bpi_parse_double(filled, k + n - head - 1, x);
}

static bool lex_number(bpi_lexer *lx, bpi_token *t)
{
  const bpi_lsource *s = lx->source;
  uint32_t end = number_end(s, lx->at, &t->whole), after = end;
  while (char_at(s, after) == '.' || is_digit_at(s, after) || letter_at(s, after)) {
    size_t n = letter_at(s, after);
    after += n ? (uint32_t)n : 1;
  }
  const char *text = s->text + t->at;
  size_t n = end - t->at;
  if (after != end || !read_number(text, n, &t->number))
    return lex_fail(lx, t->at, after, BP_E_PARSE, "not a number; write it as 12, 1.5 or 1e-3");
  t->whole = t->whole && bpi_parse_int(text, n, &t->integer);
  t->kind = BPI_T_NUMBER;
  t->end = lx->at = end;
  return true;
}

static int hex_digit(int c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* The byte that an escape at s[at] (behind the backslash) means, and how long it is; 0 for what is none. */
static uint32_t escape_at(const bpi_lsource *s, uint32_t at, char *byte)
{
  int c = char_at(s, at), high = hex_digit(char_at(s, at + 1)), low = hex_digit(char_at(s, at + 2));
  if (c == 'x' && high >= 0 && low >= 0 && high + low > 0) {
    *byte = (char)(high << 4 | low);
    return 3;
  }
  *byte = c == 'n' ? '\n' : c == 't' ? '\t' : (char)c;
  return c == 'n' || c == 't' || c == '\\' || c == '\'' || c == '"';
}

/* How many bytes close a string that is open at `at`: its quote, or three of them; 0 if it does not end there. */
static uint32_t closes(const bpi_lsource *s, uint32_t at, int quote, uint32_t quotes)
{
  for (uint32_t i = 0; i < quotes; i++)
    if (char_at(s, at + i) != quote)
      return 0;
  return quotes;
}

/* 'text', "text", or three quotes around several lines. */
static bool lex_string(bpi_lexer *lx, bpi_token *t)
{
  const bpi_lsource *s = lx->source;
  int quote = char_at(s, lx->at);
  uint32_t quotes = closes(s, lx->at, quote, 3) ? 3 : 1, at = lx->at + quotes, length;
  bpi_text text;
  bpi_text_init(&text, lx->p->ctx);
  while (at < s->n && !closes(s, at, quote, quotes) && (quotes == 3 || s->text[at] != '\n')) {
    char byte = s->text[at];
    length = byte == '\\' ? 1 + escape_at(s, at + 1, &byte) : 1;
    bpi_text_add(&text, &byte, 1);
    at += length;
  }
  length = closes(s, at, quote, quotes);
  t->kind = BPI_T_STRING;
  t->name = length && !text.failed ? bpi_intern(lx->p, text.s ? text.s : "", text.n) : NULL;
  t->end = lx->at = at + length;
  if (text.failed)
    bpi_lang_nomem(lx->p);
  bpi_text_free(&text);
  return length ? t->name != NULL : lex_fail(lx, t->at, t->at + 1, BP_E_PARSE, "the string is not closed");
}

static bool lex_name(bpi_lexer *lx, bpi_token *t)
{
  const bpi_lsource *s = lx->source;
  uint32_t at = lx->at;
  for (size_t n; (n = is_digit_at(s, at) ? 1 : letter_at(s, at)) != 0;)
    at += (uint32_t)n;
  t->kind = BPI_T_NAME;
  t->name = bpi_intern(lx->p, s->text + t->at, at - t->at);
  t->end = lx->at = at;
  return t->name != NULL;
}

static bool lex_operator(bpi_lexer *lx, bpi_token *t)
{
  static const char pairs[][3] = {"**", "//", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "@=", "->"};
  const bpi_lsource *s = lx->source;
  int c = char_at(s, lx->at), next = char_at(s, lx->at + 1);
  t->kind = BPI_T_OP;
  t->op = c;
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (c == pairs[i][0] && next == pairs[i][1])
      t->op = BPI_OP2(c, next);
  if (t->op == c && (c == 0 || !strchr("+-*/@%()[]{},:;=<>.&|^~!", c)))
    return lex_fail(lx, t->at, t->at + 1, BP_E_PARSE,
                    bpi_utf8((const unsigned char *)s->text + lx->at, s->n - lx->at) == 0 || c < 0x20 ||
                            c == 0x7f
                        ? "this byte has no place in a program"
                        : "this character has no place in a program");
  lx->at += t->op == c ? 1 : 2;
  t->end = lx->at;
  if (strchr("([{", c))
    lx->brackets++;
  else if (strchr(")]}", c) && lx->brackets)
    lx->brackets--;
  return true;
}

bool bpi_lex(bpi_lexer *lx, bpi_token *t)
{
  const bpi_lsource *s = lx->source;
  bool ends = skip_blanks(lx);
  *t = (bpi_token){.at = lx->at, .end = lx->at + 1, .indent = -1};
  if (ends) {
    t->kind = BPI_T_LINE;
    lx->at++;
    lx->line_start = true;
    return true;
  }
  if (lx->at >= s->n) {
    t->kind = BPI_T_END;
    t->at = t->end = (uint32_t)s->n;
    return true;
  }
  if (lx->line_start)
    t->indent = indent_of(s, lx->at);
  lx->line_start = false;
  int c = char_at(s, lx->at);
  if (c == '\'' || c == '"')
    return lex_string(lx, t);
  if (is_digit_at(s, lx->at) || (c == '.' && is_digit_at(s, lx->at + 1)))
    return lex_number(lx, t);
  return letter_at(s, lx->at) ? lex_name(lx, t) : lex_operator(lx, t);
}

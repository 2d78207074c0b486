#include "io/json.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

bool bpi_json_fail(bpi_json *j, const char *why)
{
  if (!j->bad)
    j->bad = why;
  return false;
}

static void skip_blanks(bpi_json *j)
{
  while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
    j->at++;
}

bool bpi_json_accept(bpi_json *j, char c)
{
  skip_blanks(j);
  if (j->at == j->end || *j->at != c)
    return false;
  j->at++;
  return true;
}

bool bpi_json_expect(bpi_json *j, char c)
{
  static const struct {
    char c;
    const char *why;
  } table[] = {{'{', "'{' is expected"}, {'}', "',' or '}' is expected"},
               {'[', "'[' is expected"}, {']', "',' or ']' is expected"},
               {':', "':' is expected"}, {'"', "a string is expected"}};
  if (bpi_json_accept(j, c))
    return true;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].c == c)
      return bpi_json_fail(j, j->at == j->end ? "the text ends too early" : table[i].why);
  return bpi_json_fail(j, "something else is expected");
}

/* Four hex digits of \uXXXX at s; -1 if they are not. */
static int32_t four_hex(const char *s, const char *end)
{
  int32_t v = 0;
  if (end - s < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    char c = s[i], l = (char)(c | 0x20);
    if (c >= '0' && c <= '9')
      v = v * 16 + (c - '0');
    else if (l >= 'a' && l <= 'f')
      v = v * 16 + (l - 'a' + 10);
    else
      return -1;
  }
  return v;
}

static char *put_utf8(char *out, int32_t v)
{
  if (v < 0x80) {
    *out++ = (char)v;
    return out;
  }
  int more = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
  static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
  *out++ = (char)(lead[more] | v >> 6 * more);
  while (more--)
    *out++ = (char)(0x80 | (v >> 6 * more & 0x3f));
  return out;
}

/* \uXXXX, or a pair of them for a character past U+FFFF. j->at stands on the first digit. */
static char *unicode_escape(bpi_json *j, char *out)
{
  int32_t v = four_hex(j->at, j->end);
  bool high = v >= 0xd800 && v < 0xdc00;
  if (v <= 0 || (v >= 0xdc00 && v < 0xe000)) {
    bpi_json_fail(j, v == 0 ? "\\u0000 is in a string" : "a bad \\u escape is in a string");
    return NULL;
  }
  j->at += 4;
  if (high) {
    int32_t low =
        j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u' ? four_hex(j->at + 2, j->end) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
      bpi_json_fail(j, "half a surrogate pair is in a string");
      return NULL;
    }
    j->at += 6;
    v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
  }
  return put_utf8(out, v);
}

/* j->at stands behind the backslash. */
static char *escape(bpi_json *j, char *out)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char c = j->at < j->end ? *j->at++ : 0;
  if (c == 'u')
    return unicode_escape(j, out);
  const char *found = c ? strchr(from, c) : NULL;
  if (!found) {
    bpi_json_fail(j, "a bad escape is in a string");
    return NULL;
  }
  *out++ = to[found - from];
  return out;
}

static char *plain_character(bpi_json *j, char *out)
{
  size_t n = bpi_utf8((const unsigned char *)j->at, (size_t)(j->end - j->at));
  if (!n || (unsigned char)*j->at < 0x20) {
    bpi_json_fail(j, n ? "a control character is in a string" : "a string is not UTF-8");
    return NULL;
  }
  memmove(out, j->at, n);
  j->at += n;
  return out + n;
}

bool bpi_json_string(bpi_json *j, char **text)
{
  if (!bpi_json_expect(j, '"'))
    return false;
  char *out = *text = j->at;
  while (out && j->at < j->end && *j->at != '"') {
    if (*j->at == '\\') {
      j->at++;
      out = escape(j, out);
    } else
      out = plain_character(j, out);
  }
  if (!out)
    return false;
  if (j->at >= j->end)
    return bpi_json_fail(j, "a string is never closed");
  j->at++;
  *out = 0; /* at the latest where the closing quote was */
  return true;
}

bool bpi_json_count(bpi_json *j, int64_t *value)
{
  skip_blanks(j);
  const char *start = j->at;
  while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
    j->at++;
  size_t n = (size_t)(j->at - start);
  bool more = j->at < j->end && strchr(".eE", *j->at) != NULL && *j->at;
  if (!n || more || (n > 1 && *start == '0'))
    return bpi_json_fail(j, "a whole number from 0 on, without sign, fraction and exponent, is expected");
  if (!bpi_parse_int(start, n, value))
    return bpi_json_fail(j, "a number is too large");
  return true;
}

bool bpi_json_real(bpi_json *j, double *value)
{
  skip_blanks(j);
  const char *start = j->at;
  while (j->at < j->end && *j->at && strchr("+-.0123456789eE", *j->at))
    j->at++;
  size_t n = (size_t)(j->at - start);
  if (n == 0 && j->end - j->at >= 4 && memcmp(j->at, "null", 4) == 0) {
    j->at += 4;
    *value = NAN;
    return true;
  }
  return (n && *start != '+' && bpi_parse_double(start, n, value) && isfinite(*value)) ||
         bpi_json_fail(j, "a number is expected");
}

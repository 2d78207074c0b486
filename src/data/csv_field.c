#include "data/csv_field.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- failures ----------------------------------------------------------------------- */

bp_status bpi_csv_fail(const bpi_csv *c, bp_status s, const char *place, const char *fmt, ...)
{
  int64_t line = 1;
  const char *start = c->text;
  for (const char *p = start; (p = memchr(p, '\n', (size_t)(place - p))) != NULL; line++)
    start = ++p;
  char text[700];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return bpi_fail(s, "%s:%lld:%lld: %s", c->name, (long long)line, (long long)(place - start) + 1, text);
}

int bpi_csv_shown(size_t n, const char *s)
{
  if (n <= 40)
    return (int)n;
  n = 40;
  while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
    n--;
  return (int)n;
}

/* ---- the input ---------------------------------------------------------------------- */

/* What is refused while the input comes in, so that a huge or binary file is not read to its end: NUL bytes, lines and inputs
 * over their limits. [from, used) is new; *line is where the line at `from` begins. */
static bp_status check_block(const bpi_csv *c, size_t from, size_t used, size_t *line)
{
  const char *nul = memchr(c->memory + from, 0, used - from);
  if (nul)
    return bpi_csv_fail(
        c, BP_E_FORMAT, nul,
        "a NUL byte: this is no CSV text (UTF-16 must be converted to UTF-8, compressed files unpacked)");
  const char *feed = memrchr(c->memory + from, '\n', used - from);
  if (feed)
    *line = (size_t)(feed - c->memory) + 1;
  if (used - *line > (size_t)c->max_line)
    return bpi_csv_fail(c, BP_E_LIMIT, c->memory + *line, "a line of more than %lld bytes",
                        (long long)c->max_line);
  if (c->max_bytes && used > (size_t)c->max_bytes)
    return bpi_fail(BP_E_LIMIT, "%s: more than the %lld bytes allowed", c->name, (long long)c->max_bytes);
  return BP_OK;
}

/* Reads all of it. *used: bytes, with room for two more. */
static bp_status slurp(bpi_csv *c, bp_source *source, size_t *used)
{
  const size_t most_at_once = (size_t)1 << 20, first = (size_t)64 << 20;
  size_t cap = source->size < 0 ? 1 << 16 : (uint64_t)source->size < first ? (size_t)source->size + 3 : first;
  size_t line = 0, got = 1;
  for (*used = 0; got; *used += got) {
    if (!c->memory || *used + 2 >= cap) {
      cap = c->memory ? cap + cap / 2 + 64 : cap;
      char *p = bpi_realloc(c->ctx, c->memory, cap, 1);
      if (!p)
        return bpi_nomem();
      c->text = c->memory = p;
    }
    size_t room = cap - 2 - *used;
    bp_status s = bpi_read(source, c->memory + *used, room < most_at_once ? room : most_at_once, &got);
    if (s == BP_OK)
      s = check_block(c, *used, *used + got, &line);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

static bp_status check_utf8(const bpi_csv *c)
{
  for (const char *p = c->text; p < c->end;) {
    uint64_t w = 0;
    memcpy(&w, p, c->end - p < 8 ? (size_t)(c->end - p) : 8);
    if (!(w & UINT64_C(0x8080808080808080))) {
      p += 8;
      continue;
    }
    size_t n = bpi_utf8((const unsigned char *)p, (size_t)(c->end - p));
    if (!n)
      return bpi_csv_fail(c, BP_E_FORMAT, p, "the text is not UTF-8; convert it (iconv -f latin1 -t utf-8)");
    p += n;
  }
  return BP_OK;
}

static int64_t count_feeds(const char *p, const char *end)
{
  int64_t n = 0;
  for (; p < end; p++)
    n += *p == '\n';
  return n;
}

bp_status bpi_csv_open(bpi_csv *c, bp_source *source)
{
  size_t used;
  bp_status s = slurp(c, source, &used);
  if (s != BP_OK)
    return s;
  if (used && c->memory[used - 1] != '\n')
    c->memory[used++] = '\n';
  c->memory[used] = 0;
  c->end = c->memory + used;
  if (used >= 3 && memcmp(c->memory, "\xef\xbb\xbf", 3) == 0)
    c->text += 3;
  c->at = c->record = c->text;
  c->lines = count_feeds(c->text, c->end);
  return check_utf8(c);
}

void bpi_csv_free(bpi_csv *c)
{
  bpi_free(c->ctx, c->memory);
  bpi_free(c->ctx, c->scratch);
}

/* ---- records and fields ------------------------------------------------------------- */

bool bpi_csv_record(bpi_csv *c)
{
  while (c->at < c->end && (*c->at == '\n' || (*c->at == '\r' && c->at[1] == '\n')))
    c->at += *c->at == '\n' ? 1 : 2;
  c->record = c->at;
  return c->at < c->end;
}

bp_status bpi_csv_record_end(const bpi_csv *c)
{
  if (c->at - c->record <= c->max_line)
    return BP_OK;
  return bpi_csv_fail(c, BP_E_LIMIT, c->record, "a record of more than %lld bytes; is a quote missing?",
                      (long long)c->max_line);
}

/* Takes what ends a field: the delimiter, LF or CRLF. */
static bool field_end(bpi_csv *c, const char *p, bool *last)
{
  *last = *p != c->delimiter;
  if (*last && *p == '\r')
    p++;
  if (*last && *p != '\n')
    return false;
  c->at = p + 1;
  return true;
}

static bool scratch_room(bpi_csv *c, size_t n)
{
  if (n <= c->scratch_cap)
    return true;
  char *p = bpi_realloc(c->ctx, c->scratch, n + n / 2, 1);
  if (p) {
    c->scratch = p;
    c->scratch_cap = n + n / 2;
  }
  return p != NULL;
}

/* Text between quotes with doubled quotes made single. */
static bool undouble(bpi_csv *c, bpi_csv_field *f)
{
  if (!scratch_room(c, f->n))
    return false;
  char *out = c->scratch;
  for (const char *p = f->s, *end = f->s + f->n; p < end; p++) {
    *out++ = *p;
    if (*p == '"')
      p++;
  }
  f->s = c->scratch;
  f->n = (size_t)(out - c->scratch);
  return true;
}

static bp_status quoted_field(bpi_csv *c, bpi_csv_field *f)
{
  const char *p = f->start + 1;
  bool doubled = false;
  for (;; p += 2, doubled = true) {
    p = memchr(p, '"', (size_t)(c->end - p));
    if (!p)
      return bpi_csv_fail(c, BP_E_FORMAT, f->start, "this quote is never closed");
    if (p[1] != '"')
      break;
  }
  *f = (bpi_csv_field){f->start + 1, (size_t)(p - f->start - 1), f->start, true, false};
  if (!field_end(c, p + 1, &f->last))
    return bpi_csv_fail(c, BP_E_FORMAT, p + 1,
                        "text after a closing quote; a quote inside a quoted field is written twice");
  return doubled && !undouble(c, f) ? bpi_nomem() : BP_OK;
}

bp_status bpi_csv_next(bpi_csv *c, bpi_csv_field *f)
{
  const char *p = c->at;
  f->start = p;
  if (*p == '"')
    return quoted_field(c, f);
  while (*p != c->delimiter && *p != '\n' && *p != '\r' && *p != '"')
    p++;
  *f = (bpi_csv_field){f->start, (size_t)(p - f->start), f->start, false, false};
  if (*p == '"')
    return bpi_csv_fail(
        c, BP_E_FORMAT, p,
        "a quote inside a field without quotes; put the whole field in quotes and write this one twice");
  if (!field_end(c, p, &f->last))
    return bpi_csv_fail(c, BP_E_FORMAT, p,
                        "a carriage return without a line feed; convert the line ends to LF or CRLF");
  return BP_OK;
}

/* ---- numbers ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

static bool is_digit_char(char c)
{
  return (unsigned char)(c - '0') < 10;
}

typedef struct decimal_scan {
  uint64_t digits; /* the first 19 significant ones */
  int count;       /* significant digits, at most 20 */
  int seen;        /* whether there was any digit */
  int64_t exponent;
} decimal_scan;

static const char *scan_digits(const char *p, decimal_scan *d, int shift)
{
  for (; is_digit_char(*p); p++) {
    d->seen = 1;
    if (d->count < 19) {
      d->digits = d->digits * 10 + (uint64_t)(*p - '0');
      d->count += d->digits != 0;
      d->exponent -= shift;
    } else
      d->count = 20;
  }
  return p;
}

/* e[+-]digits; p itself if there is none. */
static const char *scan_power(const char *p, decimal_scan *d)
{
  const char *q = p + 1;
  bool negative = *q == '-';
  q += *q == '-' || *q == '+';
  if (!is_digit_char(*q))
    return p;
  int e = 0;
  for (; is_digit_char(*q); q++)
    if (e < 100000)
      e = e * 10 + (*q - '0');
  d->exponent += negative ? -e : e;
  return q;
}

/* Up to 2^53 times or divided by up to 10^22, both exact doubles: one rounding, and so the right one (Clinger 1990). */
static bool small_decimal(const decimal_scan *d, double *x)
{
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (d->count > 19 || d->digits >> 53 || d->exponent < -22 || d->exponent > 22)
    return false;
  *x = (double)d->digits;
  *x = d->exponent < 0 ? *x / power[-d->exponent] : *x * power[d->exponent];
  return true;
}

/* The rest. ".5" and "5." are numbers too, but bpi_parse_double wants digits on both sides of the point. */
static bool large_decimal(const char *s, const char *end, double *x)
{
  char text[1100];
  size_t n = 0;
  if (bpi_parse_double(s, (size_t)(end - s), x))
    return true;
  for (; s < end && n < sizeof text - 2; s++) {
    if (*s == '.' && !(n && is_digit_char(text[n - 1])))
      text[n++] = '0';
    text[n++] = *s;
    if (*s == '.' && !is_digit_char(s[1]))
      text[n++] = '0';
  }
  return s == end && bpi_parse_double(text, n, x);
}

/* Where the number at p ends, or NULL if there is none. Text must be followed by a byte that is no digit. */
static const char *scan_number(const char *p, double *x)
{
  const char *start = p;
  decimal_scan d = {0};
  bool negative = *p == '-';
  p += *p == '-' || *p == '+';
  p = scan_digits(p, &d, 0);
  if (*p == '.')
    p = scan_digits(p + 1, &d, 1);
  if (!d.seen)
    return NULL;
  if (*p == 'e' || *p == 'E')
    p = scan_power(p, &d);
  if (!small_decimal(&d, x))
    return large_decimal(start, p, x) ? p : NULL;
  if (negative)
    *x = -*x;
  return p;
}

/* Up to nine digits and the delimiter: the most common field there is. */
static bool quick_digits(bpi_csv *c, double *x)
{
  const char *p = c->at;
  int32_t v = 0;
  while (is_digit_char(*p) && p - c->at < 9)
    v = v * 10 + (*p++ - '0');
  if (*p != c->delimiter || p == c->at)
    return false;
  *x = v;
  c->at = p + 1;
  return true;
}

bool bpi_csv_quick_number(bpi_csv *c, double *x, bool *last)
{
  *last = false;
  if (quick_digits(c, x))
    return true;
  const char *p = c->at;
  while (*p == ' ')
    p++;
  p = scan_number(p, x);
  if (!p || !isfinite(*x))
    return false;
  while (*p == ' ')
    p++;
  return field_end(c, p, last);
}

static bool same_word(const char *s, size_t n, const char *word)
{
  if (n != strlen(word))
    return false;
  for (size_t i = 0; i < n; i++)
    if ((s[i] | 0x20) != word[i])
      return false;
  return true;
}

static bool not_finite_word(const char *s, size_t n)
{
  if (n && (*s == '-' || *s == '+'))
    s++, n--;
  return same_word(s, n, "nan") || same_word(s, n, "inf") || same_word(s, n, "infinity");
}

bpi_csv_kind bpi_csv_classify(const bpi_csv_field *f, double *x)
{
  const char *s = f->s, *end = f->s + f->n;
  while (s < end && is_blank(*s))
    s++;
  while (s < end && is_blank(end[-1]))
    end--;
  if (s == end)
    return BPI_CSV_MISSING;
  if (not_finite_word(s, (size_t)(end - s)))
    return BPI_CSV_BAD;
  if (scan_number(s, x) != end)
    return BPI_CSV_TEXT;
  return isfinite(*x) ? BPI_CSV_NUMBER : BPI_CSV_BAD;
}

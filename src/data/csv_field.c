#include "data/csv_field.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- records and fields ------------------------------------------------------------- */

void bpi_csv_skip(bpi_csv *c)
{
  while (c->at < c->end && (*c->at == '\n' || (*c->at == '\r' && c->at[1] == '\n')))
    c->at += *c->at == '\n' ? 1 : 2;
  c->record = c->at;
}

/* A quote that is wrong is the usual reason, and says more; so the record is gone through as far as it may reach. */
static bp_status too_long(bpi_csv *c)
{
  bpi_csv_field f = {0};
  bp_status s = BP_OK;
  while (s == BP_OK && !f.last)
    s = bpi_csv_next(c, &f);
  if (s != BP_OK)
    return s;
  return bpi_csv_fail(c, BP_E_LIMIT, c->record, "a line of more than %lld bytes", (long long)c->max_line);
}

bp_status bpi_csv_record(bpi_csv *c, bool *found)
{
  bp_status s = BP_OK;
  for (bpi_csv_skip(c); s == BP_OK && c->at == c->end; bpi_csv_skip(c)) {
    s = bpi_csv_fill(c);
    if (s == BP_OK && c->at == c->end)
      break;
  }
  *found = s == BP_OK && c->at < c->end;
  if (*found && !c->cut)
    bpi_csv_measure(c);
  return c->cut ? too_long(c) : s;
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

const char *bpi_csv_delimiter_name(char c)
{
  return c == ',' ? "a comma" : c == ';' ? "a semicolon" : c == '\t' ? "a tab" : c == '|' ? "a bar" : NULL;
}

static bp_status after_quote(const bpi_csv *c, const char *p)
{
  const char *other = bpi_csv_delimiter_name(*p);
  return bpi_csv_fail(c, BP_E_FORMAT, p, "%s after a closing quote; %s", other ? other : "text",
                      other ? "if it separates the fields, give it as the delimiter"
                            : "a quote inside a quoted field is written twice");
}

static bp_status quoted_field(bpi_csv *c, bpi_csv_field *f)
{
  const char *p = f->start + 1;
  bool doubled = false;
  for (;; p += 2, doubled = true) {
    p = memchr(p, '"', (size_t)(c->end - p));
    if (!p && c->cut)
      return bpi_csv_fail(c, BP_E_LIMIT, f->start,
                          "this quote is not closed within %lld bytes; is one missing?",
                          (long long)c->max_line);
    if (!p)
      return bpi_csv_fail(c, BP_E_FORMAT, f->start, "this quote is never closed");
    if (p[1] != '"')
      break;
  }
  *f = (bpi_csv_field){f->start + 1, (size_t)(p - f->start - 1), f->start, true, false};
  if (!field_end(c, p + 1, &f->last))
    return after_quote(c, p + 1);
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

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same_word(const char *s, size_t n, const char *word)
{
  if (n != strlen(word))
    return false;
  for (size_t i = 0; i < n; i++)
    if (lower(s[i]) != word[i])
      return false;
  return true;
}

static bool infinite_word(const char *s, size_t n)
{
  if (n && (*s == '-' || *s == '+'))
    s++, n--;
  return same_word(s, n, "inf") || same_word(s, n, "infinity");
}

enum { LONGEST_MARK = 4 };

bpi_csv_mark bpi_csv_mark_of(const char *s, size_t n)
{
  /* What R, pandas, C, spreadsheets, databases, SAS and the tables of the UCI repository write for a value that is not there. */
  static const struct {
    const char *text;
    bpi_csv_mark mark;
  } marks[] = {{"na", BPI_MARK},  {"n/a", BPI_MARK},       {"#n/a", BPI_MARK},   {"<na>", BPI_MARK},
               {"nan", BPI_MARK}, {"-nan", BPI_MARK},      {"+nan", BPI_MARK},   {"null", BPI_MARK},
               {"?", BPI_MARK},   {"none", BPI_MARK_WORD}, {"-", BPI_MARK_WORD}, {".", BPI_MARK_WORD}};
  for (size_t i = 0; n <= LONGEST_MARK && i < sizeof marks / sizeof *marks; i++)
    if (same_word(s, n, marks[i].text))
      return marks[i].mark;
  return BPI_NO_MARK;
}

bool bpi_csv_is_blank(const bpi_csv_field *f)
{
  size_t i = 0;
  while (i < f->n && is_blank(f->s[i]))
    i++;
  return i == f->n;
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
  if (infinite_word(s, (size_t)(end - s)))
    return BPI_CSV_BAD;
  if (scan_number(s, x) != end)
    return bpi_csv_mark_of(s, (size_t)(end - s)) ? BPI_CSV_MARK : BPI_CSV_TEXT;
  return isfinite(*x) ? BPI_CSV_NUMBER : BPI_CSV_BAD;
}

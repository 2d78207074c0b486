/* Numbers to and from text, independent of the locale. */
#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* newlocale gives the one built-in "C" locale, without allocating; only this thread sees it. */
int bpi_vformat(char *out, size_t size, const char *fmt, va_list ap)
{
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t before = plain ? uselocale(plain) : (locale_t)0;
  int n = vsnprintf(out, size, fmt, ap);
  if (plain) {
    uselocale(before);
    freelocale(plain);
  }
  return n;
}

int bpi_format(char *out, size_t size, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int n = bpi_vformat(out, size, fmt, ap);
  va_end(ap);
  return n;
}

void bpi_text_double(bpi_text *t, double x)
{
  if (!isfinite(x)) {
    bpi_textf(t, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
    return;
  }
  char s[40];
  int n = 0;
  for (int digits = 15; digits <= 17; digits++) {
    n = bpi_format(s, sizeof s, "%.*g", digits, x);
    double back;
    if (n > 0 && bpi_parse_double(s, (size_t)n, &back) && back == x)
      break;
  }
  bpi_text_add(t, s, n > 0 ? (size_t)n : 0);
}

/* ---- a decimal number taken apart ------------------------------------------------------------------------- */

typedef struct decimal {
  bool negative;
  const char *digits; /* from the first significant digit; may hold one point */
  const char *end;
  size_t count;     /* significant digits */
  int64_t exponent; /* of the last digit */
} decimal;

#define HUGE_EXPONENT ((int64_t)1 << 61) /* no text is long enough to make up for it */

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* e[+-]digits at the end of a number; nothing is exponent 0. */
static bool scan_exponent(const char *s, const char *end, int64_t *exponent)
{
  *exponent = 0;
  if (s == end)
    return true;
  if (*s != 'e' && *s != 'E')
    return false;
  s++;
  bool negative = s < end && *s == '-';
  if (s < end && (*s == '-' || *s == '+'))
    s++;
  const char *first = s;
  for (; s < end && is_digit(*s); s++)
    if (*exponent < HUGE_EXPONENT / 16)
      *exponent = *exponent * 10 + (*s - '0');
    else
      *exponent = HUGE_EXPONENT;
  if (negative)
    *exponent = -*exponent;
  return s == end && s > first;
}

/* [s, end) is digits[.digits][e[+-]digits]. */
static bool scan_decimal(const char *s, const char *end, decimal *d)
{
  const char *whole = s, *point = NULL;
  while (s < end && is_digit(*s))
    s++;
  if (s == whole)
    return false;
  if (s < end && *s == '.') {
    point = s++;
    while (s < end && is_digit(*s))
      s++;
    if (s == point + 1)
      return false;
  }
  if (!scan_exponent(s, end, &d->exponent))
    return false;
  d->exponent -= point ? s - point - 1 : 0;
  d->digits = whole;
  d->end = s;
  while (d->digits < s && (*d->digits == '0' || *d->digits == '.'))
    d->digits++;
  d->count = (size_t)(s - d->digits) - (point && point >= d->digits);
  return true;
}

/* ---- the fast path: up to 19 digits and a power of ten that 64 bits hold ----------------------------------------- */

#define EXACT_DIGITS 19
#define EXACT_POWER  27 /* 5^27 < 2^63 */

static uint64_t small_significand(const decimal *d)
{
  uint64_t w = 0;
  for (const char *s = d->digits; s < d->end; s++)
    if (*s != '.')
      w = w * 10 + (uint64_t)(*s - '0');
  return w;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

/* 2^e of a normal double, from its bits. */
static double power_of_two(int e)
{
  uint64_t bits = (uint64_t)(e + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* w * 10^e = (w * 5^e) * 2^e. For e ≥ 0 the product in brackets fits 128 bits. For e < 0 the quotient is formed to
 * at least 64 bits, with a last bit that stands for everything below; so turning it into a double is the one
 * rounding that happens, and it is correct. The powers of two are exact. */
static bool exact_decimal(uint64_t w, int64_t e, double *x)
{
  static const uint64_t fives[EXACT_POWER + 1] = {UINT64_C(1),
                                                  UINT64_C(5),
                                                  UINT64_C(25),
                                                  UINT64_C(125),
                                                  UINT64_C(625),
                                                  UINT64_C(3125),
                                                  UINT64_C(15625),
                                                  UINT64_C(78125),
                                                  UINT64_C(390625),
                                                  UINT64_C(1953125),
                                                  UINT64_C(9765625),
                                                  UINT64_C(48828125),
                                                  UINT64_C(244140625),
                                                  UINT64_C(1220703125),
                                                  UINT64_C(6103515625),
                                                  UINT64_C(30517578125),
                                                  UINT64_C(152587890625),
                                                  UINT64_C(762939453125),
                                                  UINT64_C(3814697265625),
                                                  UINT64_C(19073486328125),
                                                  UINT64_C(95367431640625),
                                                  UINT64_C(476837158203125),
                                                  UINT64_C(2384185791015625),
                                                  UINT64_C(11920928955078125),
                                                  UINT64_C(59604644775390625),
                                                  UINT64_C(298023223876953125),
                                                  UINT64_C(1490116119384765625),
                                                  UINT64_C(7450580596923828125)};
  if (e < -EXACT_POWER || e > EXACT_POWER)
    return false;
  uint64_t five = fives[e < 0 ? -e : e];
  if (e >= 0) {
    *x = (double)((wide)w * five) * power_of_two((int)e);
    return true;
  }
  int shift = 64 + __builtin_clzll(w);
  wide n = (wide)w << shift, q = n / five;
  q |= n != q * five;
  *x = (double)q * power_of_two((int)e - shift);
  return true;
}
#else
static bool exact_decimal(uint64_t w, int64_t e, double *x)
{
  (void)w, (void)e, (void)x;
  return false;
}
#endif

/* ---- the rest: long numbers and large exponents ---------------------------------------------------------------- */

/* 768 digits decide how any double rounds; of the digits past these only whether one is not 0 can matter, and a
 * digit 1 at the end says that. Without a point in the text strtod does the same in every locale. */
#define DECIDING_DIGITS 800

static double long_decimal(const decimal *d)
{
  char text[DECIDING_DIGITS + 40];
  size_t n = 0, seen = 0;
  bool more = false;
  for (const char *s = d->digits; s < d->end; s++) {
    if (*s == '.')
      continue;
    if (seen++ < DECIDING_DIGITS)
      text[n++] = *s;
    else
      more = more || *s != '0';
  }
  int64_t exponent = d->exponent + (int64_t)(seen - n);
  if (more) {
    text[n++] = '1';
    exponent--;
  }
  exponent = exponent > 9999 ? 9999 : exponent < -9999 ? -9999 : exponent;
  snprintf(text + n, sizeof text - n, "e%d", (int)exponent);
  int saved = errno; /* strtod says by errno what the value says already */
  double x = strtod(text, NULL);
  errno = saved;
  return x;
}

static double decimal_value(const decimal *d)
{
  double x = 0;
  if (d->count > 0 && !(d->count <= EXACT_DIGITS && exact_decimal(small_significand(d), d->exponent, &x)))
    x = long_decimal(d);
  return d->negative ? -x : x;
}

/* ASCII letters alone: under a Turkish locale tolower('I') is no 'i'. */
static bool is_word(const char *s, const char *end, const char *word)
{
  for (; s < end && *word; s++, word++)
    if ((*s | 0x20) != *word)
      return false;
  return s == end && !*word;
}

bool bpi_parse_double(const char *s, size_t n, double *x)
{
  if (n == 0)
    return false;
  const char *end = s + n;
  decimal d = {.negative = *s == '-'};
  s += *s == '-' || *s == '+';
  if (scan_decimal(s, end, &d))
    *x = decimal_value(&d);
  else if (is_word(s, end, "inf") || is_word(s, end, "infinity"))
    *x = d.negative ? -(double)INFINITY : (double)INFINITY;
  else if (is_word(s, end, "nan"))
    *x = (double)NAN;
  else
    return false;
  return true;
}

bool bpi_parse_int(const char *s, size_t n, int64_t *x)
{
  if (n == 0)
    return false;
  const char *end = s + n;
  bool negative = *s == '-';
  s += *s == '-' || *s == '+';
  if (s == end)
    return false;
  int64_t value = 0; /* kept negative: there is one more negative number than positive ones */
  for (; s < end; s++)
    if (!is_digit(*s) || __builtin_mul_overflow(value, 10, &value) ||
        __builtin_sub_overflow(value, *s - '0', &value))
      return false;
  if (!negative && value == INT64_MIN)
    return false;
  *x = negative ? value : -value;
  return true;
}

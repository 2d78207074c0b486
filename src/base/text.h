/* Growing text, and numbers to and from text, independent of the locale. */
#ifndef BPI_TEXT_H
#define BPI_TEXT_H

#include "base/ctx.h"

#include <stdarg.h>

typedef struct bpi_text {
  bp_ctx *ctx;
  char *s;  /* NUL-terminated once anything was appended; NULL before */
  size_t n; /* length without the NUL */
  size_t cap;
  bool failed; /* out of memory: later calls do nothing, bpi_text_take returns NULL */
} bpi_text;

void bpi_text_init(bpi_text *t, bp_ctx *ctx);
void bpi_text_free(bpi_text *t);
/* printf; %f, %g, %e always write a point, whatever the locale. */
void bpi_textf(bpi_text *t, const char *fmt, ...) BP_PRINTF(2, 3);
void bpi_text_add(bpi_text *t, const char *bytes, size_t n);
/* Shortest of %.15g, %.16g, %.17g that reads back as the same double; "inf", "-inf", "nan". */
void bpi_text_double(bpi_text *t, double x);
/* Hands the text over (NUL-terminated, freed with bpi_free); NULL when memory ran out. */
char *bpi_text_take(bpi_text *t);

/* vsnprintf and snprintf as in the "C" locale. */
int bpi_format(char *out, size_t size, const char *fmt, ...) BP_PRINTF(3, 4);
int bpi_vformat(char *out, size_t size, const char *fmt, va_list ap) BP_PRINTF(3, 0);

/* A whole decimal number in s[0..n): [+-]digits[.digits][e[+-]digits], or nan, inf, infinity in any case; correctly rounded.
 * True if all n bytes are the number. 1e999 is infinite: the caller decides. Hex, spaces and ',' are not numbers. */
bool bpi_parse_double(const char *s, size_t n, double *x);
/* A whole decimal int64. False when out of range. */
bool bpi_parse_int(const char *s, size_t n, int64_t *x);
/* Edit distance of two names, where one swap of neighbours counts as 1; at most `most` + 1; for "did you mean". `most` over 31 counts as 31. */
int bpi_edit_distance(const char *a, const char *b, int most);
/* Length of the valid UTF-8 sequence at s[0..n), 0 if it is none. */
size_t bpi_utf8(const unsigned char *s, size_t n);
/* Whether s[0..n) is the beginning of a sequence, and more bytes could make it valid. */
bool bpi_utf8_cut(const unsigned char *s, size_t n);

#endif

/* Strict JSON (RFC 8259), value by value: the caller says what it expects, so nothing recurses and depth is what the caller
 * allows. Text is unescaped where it stands: it never grows. */
#ifndef BPI_JSON_H
#define BPI_JSON_H

#include "base/ctx.h"

typedef struct bpi_json {
  char *at, *end;  /* what is left */
  const char *bad; /* after a failure: what is wrong, static text */
} bpi_json;

/* Each returns false and sets `bad` (the first time) if something else is there. Blanks before a token are skipped. */
bool bpi_json_expect(bpi_json *j, char c);
/* True, and steps over it, if c is the next token; false without failure if not. */
bool bpi_json_accept(bpi_json *j, char c);
/* A string: valid UTF-8, NUL-terminated in place; \u0000 is refused, since names are C strings. */
bool bpi_json_string(bpi_json *j, char **text);
/* A whole number from 0 to 2^63 - 1, written without sign, fraction, exponent and leading zeros. */
bool bpi_json_count(bpi_json *j, int64_t *value);
/* Any number; null is NaN. */
bool bpi_json_real(bpi_json *j, double *value);
bool bpi_json_fail(bpi_json *j, const char *why);

#endif

/* NAME(NUMBER, ...), read. */
#include "base/named.h"

#include <math.h>
#include <string.h>

static const char *skip(const char *s)
{
  return s + strspn(s, " \t");
}

/* Numbers up to the bracket that closes; what follows it, NULL for another form. */
static const char *read_numbers(const char *s, bpi_named *out)
{
  for (;;) {
    s = skip(s);
    size_t n = strcspn(s, ",) \t");
    if (out->n == BPI_NAMED_NUMBERS || !bpi_parse_double(s, n, &out->number[out->n]) ||
        !isfinite(out->number[out->n]))
      return NULL;
    out->n++;
    s = skip(s + n);
    if (*s != ',')
      return *s == ')' ? s + 1 : NULL;
    s++;
  }
}

bool bpi_named_read(const char *text, bpi_named *out)
{
  const char *s = skip(text);
  size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
  *out = (bpi_named){.n = 0};
  if (n == 0 || n >= sizeof out->name)
    return false;
  memcpy(out->name, s, n);
  s = skip(s + n);
  if (*s == '(')
    s = read_numbers(s + 1, out);
  return s && *skip(s) == 0;
}
